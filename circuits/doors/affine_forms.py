"""What an element of a tensor holds, as a function of signals: affine forms, and cases of them.

A form is known by a number, equal forms by the same one, so that arrays of numbers stand for tensors.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikeproof.circuits.netlist import ONE, ZERO, NetlistBuilder, Weight

MOST_CASES = 1 << 12
"""An element of more leaves than this is given up."""

TABULATED = 10
"""So many signals an element may depend on, for an operation on it to be modelled by its table."""

SHORT = 4
"""A number of so many significant bits is proposed where one is rounded that has more."""

Term = tuple[int, Weight]


class Affine(NamedTuple):
    """A constant and a weighted sum of signals, in their order."""

    constant: Weight
    terms: tuple[Term, ...] = ()


class Case(NamedTuple):
    """One form where a signal fires, another where it does not; perhaps cases of earlier signals."""

    signal: int
    fires: int
    rests: int
    leaves: int


class Opaque(NamedTuple):
    """What is not known exactly, and why: an error, should an output depend on it."""

    reason: str


Form = Affine | Case | Opaque


@dataclass(frozen=True, eq=False)  # one for each type: quick to look up
class Kind:
    """The numbers of a tensor's type.

    Attributes:
        name: as PyTorch calls it.
        digits: of a significand; 0 for integers, all of which are exact.
        lowest: the least number there is.
        highest: the greatest.
        smallest: of a floating-point type, the smallest normal number.
        whole: it has all integers up to this one, of either sign.
    """

    name: str
    digits: int
    lowest: int
    highest: int
    smallest: Fraction = Fraction(0)
    whole: int = field(init=False)

    def __post_init__(self) -> None:
        most = min(self.highest, -self.lowest)
        object.__setattr__(self, "whole", min(most, 1 << self.digits) if self.digits else most)

    def holds(self, magnitude: Weight, unit: Weight) -> bool:
        """Whether it has every multiple of a power of two up to a magnitude, on either side of 0."""
        if self.digits:
            return magnitude <= min(self.highest, unit * 2**self.digits) and unit >= self.smallest
        return unit >= 1 and -magnitude >= self.lowest and magnitude <= self.highest

    def exceeded_by(self, parts: Iterable[Weight]) -> bool:
        """Whether a sum of these, of either sign, may be beyond all of its numbers."""
        return sum(map(size, parts)) > self.highest

    def has(self, number: Weight) -> bool:
        """Whether it has one number."""
        if not self.digits:
            return number.denominator == 1 and self.lowest <= number <= self.highest
        return not number or self.holds(size(number), lowest_bit([number]))


def plain(number: float | int | Fraction) -> Weight:
    """The same number, as an integer where it is one."""
    if isinstance(number, int):
        return int(number)
    exact = Fraction(number)
    return exact.numerator if exact.denominator == 1 else exact


def size(number: Weight) -> Weight:
    """A number without its sign."""
    return number if number >= 0 else -number


def lowest_bit(numbers: Iterable[Weight]) -> Weight:
    """The largest power of two that all of these dyadic numbers are multiples of; 1 if they are 0."""
    denominator, bits = 1, 0
    for number in numbers:
        if isinstance(number, int):
            bits |= number
        elif number.denominator > denominator:
            denominator = number.denominator
    return Fraction(1, denominator) if denominator > 1 else (bits & -bits) or 1


def _affine(constant: Weight, terms: Mapping[int, Weight]) -> Affine:
    return Affine(
        constant, tuple(sorted((signal, weight) for signal, weight in terms.items() if weight))
    )


def shortened(number: Weight, kind: Kind) -> Weight | None:
    """The nearest number of ``SHORT`` significant bits that a type has; None if it is this, or none."""
    unit = Fraction(2) ** (math.frexp(size(number))[1] - SHORT)
    near = (plain(rounding(number / unit) * unit) for rounding in (round, math.floor, math.ceil))
    found = next(filter(kind.has, near), number)
    return None if found == number else found


class Forms:
    """All forms of a netlist that is being built, and what can be done with them.

    Form 0 is the constant 0, so that operations that fill with zeros do so with numbers of forms too.
    ``unsure`` is a 0 too, but whether it is 0.0 or -0.0 may depend on signals: so it counts as varying.

    Args:
        builder: takes the neurons.
        place: says where in the user's code we are.

    Attributes:
        neurons: how many thresholds there were.
        findings: what is no neuron, with its places.
        implied: signals that the code does not make by comparing: of gates, of equality, of maxima.
        tangled: whether one of these is of a potential that is defined by cases.
    """

    def __init__(self, builder: NetlistBuilder, place: Callable[[], str]) -> None:
        self.builder = builder
        self.place = place
        self.neurons = 0
        self.findings: Counter[str] = Counter()
        self._forms: list[Form] = []
        self._known: dict[Form, int] = {}
        self._varies = np.zeros(1024, dtype=bool)
        self._results: dict[tuple[object, ...], int] = {}
        self._drives: dict[int, int] = {}
        self.implied: set[int] = set()
        self.tangled = False
        self.zero = self.constant(0)
        self.one = self.constant(1)
        self.unsure = len(self._forms)
        self._forms.append(Affine(0))
        self._varies[self.unsure] = True

    # --- making and asking ------------------------------------------------------------------------

    def number_of(self, form: Form) -> int:
        """The number by which a form is known."""
        known = self._known.get(form)
        if known is None:
            known = self._known[form] = len(self._forms)
            self._forms.append(form)
            if known >= len(self._varies):
                self._varies = np.concatenate([self._varies, np.zeros_like(self._varies)])
            self._varies[known] = not isinstance(form, Affine) or bool(form.terms)
        return known

    def __getitem__(self, number: int) -> Form:
        return self._forms[number]

    def varies(self, numbers: NDArray[np.int64] | int) -> NDArray[np.bool_]:
        """Which of these are no constants."""
        return self._varies[numbers]

    def constant(self, value: float | int | Fraction) -> int:
        """The form of one number; what is infinite or no number is opaque."""
        if isinstance(value, float) and not math.isfinite(value):
            return self.opaque(f"the number {value}")
        if isinstance(value, float) and not value and math.copysign(1, value) < 0:
            return self.unsure
        return self.number_of(Affine(plain(value)))

    def signal(self, signal: int) -> int:
        """The form that is 1 where a signal fires and else 0."""
        if signal in (ZERO, ONE):
            return self.one if signal == ONE else self.zero
        return self.number_of(Affine(0, ((signal, 1),)))

    def opaque(self, reason: str) -> int:
        """A form of which nothing is known."""
        return self.number_of(Opaque(reason))

    def found(self, what: str) -> None:
        """Something that is no neuron, with its place."""
        self.findings[f"{what} at {self.place()}"] += 1

    def spike(self, number: int) -> tuple[int, bool] | None:
        """Of a form that is a signal or the negation of one: that, and whether it is negated."""
        form = self._forms[number]
        if isinstance(form, Affine) and len(form.terms) == 1:
            signal, weight = form.terms[0]
            if (form.constant, weight) in ((0, 1), (1, -1)):
                return signal, weight == -1
        return None

    def is_bit(self, number: int) -> bool:
        """Whether a form is plainly 0 or 1."""
        return number in (self.zero, self.one, self.unsure) or self.spike(number) is not None

    def signals_of(self, numbers: Iterable[int]) -> set[int] | None:
        """All that forms depend on; None if one is opaque."""
        found: set[int] = set()
        for _, form in self._reached(numbers):
            if isinstance(form, Opaque):
                return None
            if isinstance(form, Case):
                found.add(form.signal)
            else:
                found.update(signal for signal, _ in form.terms)
        return found

    def _reached(self, numbers: Iterable[int]) -> Iterator[tuple[int, Form]]:
        """Forms and all that their cases lead to, each once."""
        pending, seen = list(numbers), set()
        while pending:
            number = pending.pop()
            if number in seen:
                continue
            seen.add(number)
            form = self._forms[number]
            yield number, form
            if isinstance(form, Case):
                pending += [form.fires, form.rests]

    # --- arithmetic -------------------------------------------------------------------------------

    def combine(self, x: int, y: int, a: Weight, b: Weight, kind: Kind | None) -> int:
        """a x + b y, opaque where a type may round it; without a type it is exact."""
        one, other = self._forms[x], self._forms[y]
        if isinstance(one, Affine) and isinstance(other, Affine):
            return self._combine(one, other, a, b, kind)
        return self._leafwise(
            ("combine", a, b, kind), lambda x, y: self._combine(x, y, a, b, kind), x, y
        )

    def _combine(self, x: Affine, y: Affine, a: Weight, b: Weight, kind: Kind | None) -> int:
        terms = dict(x.terms) if a == 1 else {signal: a * weight for signal, weight in x.terms if a}
        if b:
            for signal, weight in y.terms:
                terms[signal] = terms.get(signal, 0) + b * weight
        form = _affine(a * x.constant + b * y.constant, terms)
        if kind is None or self._fits(form, kind):
            return self.number_of(form)
        pairs = ((a, x), (b, y))
        parts = [k * w for k, each in pairs for w in (each.constant, *(w for _, w in each.terms))]
        if b:
            return self._rounded_sum(kind, parts)
        return self.rounded(kind, "a product with", a, exceeds=kind.exceeded_by(parts))

    def _exact(self, constant: Weight, terms: dict[int, Weight]) -> int:
        return self.number_of(_affine(constant, terms))

    def _rounded_sum(self, kind: Kind, parts: Sequence[Weight]) -> int:
        """A sum that may be rounded for its part of the smallest unit, or is too large."""
        if kind.exceeded_by(parts):
            return self.rounded(kind, exceeds=True)
        finest: Weight = min((p for p in parts if p), key=lambda part: lowest_bit([part]), default=1)
        long = kind.digits and shortened(finest, kind) is not None
        return self.rounded(kind, "a sum with" if long else "a sum", finest if long else None)

    def rounded(
        self, kind: Kind, what: str = "a sum", number: Weight | None = None, *, exceeds: bool = False
    ) -> int:
        """What a type may round, for a number that it has to do with, or what exceeds its numbers."""
        rounds = kind.digits and not exceeds
        does = "may round" if rounds else "does not hold"
        said, short = what, ""
        if number is not None:
            said = f"{what} {float(number):g}"
            if rounds and (shorter := shortened(number, kind)) is not None:
                short = f"; {shorter if isinstance(shorter, int) else float(shorter)} has fewer bits"
        return self.opaque(f"{said} that {kind.name} {does} ({self.place()}{short})")

    @staticmethod
    def _fits(form: Affine, kind: Kind) -> bool:
        """Whether a type has all values of a form."""
        constant, terms = form
        lowest = highest = constant
        for _, weight in terms:
            if weight < 0:
                lowest += weight
            else:
                highest += weight
        integers = isinstance(lowest, int) and isinstance(highest, int)
        if integers and -kind.whole <= lowest and highest <= kind.whole:
            return True
        if not terms:
            return kind.has(constant)
        if not kind.digits:
            whole = lowest_bit([constant, *(weight for _, weight in terms)]) >= 1
            return whole and kind.lowest <= lowest and highest <= kind.highest
        if kind.holds(max(highest, -lowest), lowest_bit([constant, *(weight for _, weight in terms)])):
            return True
        return len(terms) == 1 and kind.has(lowest) and kind.has(highest)

    def weighted_sum(self, items: Sequence[tuple[int, Weight]], kind: Kind) -> int:
        """A sum of weighted forms that is taken in no known order; opaque where one could be rounded."""
        constant: Weight = 0
        terms: dict[int, Weight] = {}
        magnitude: Weight = 0
        parts: list[Weight] = []
        others: list[tuple[int, Weight]] = []
        for number, factor in items:
            form = self._forms[number]
            if isinstance(form, Opaque):
                return number
            if isinstance(form, Case):
                others.append((number, factor))
                extent, unit = self._extent(number)
                parts.append(factor * unit)
                magnitude += size(factor) * extent
                continue
            for signal, weight in form.terms:
                part: Weight = weight * factor
                parts.append(part)
                magnitude += size(part)
                terms[signal] = terms.get(signal, 0) + part
            if form.constant:
                part = form.constant * factor
                parts.append(part)
                magnitude += size(part)
                constant += part
        if not kind.holds(magnitude, lowest_bit(parts)):
            affine = self._exact(constant, terms)
            alone = len(parts) == 1 and not others and self._fits_alone(affine, kind)
            return affine if alone else self._rounded_sum(kind, parts)
        total = self._exact(constant, terms)
        for number, factor in others:
            total = self.combine(total, number, 1, factor, kind)
        return total

    def _extent(self, number: int) -> tuple[Weight, Weight]:
        """How large the sums of a form's terms may become in any case, and what divides all of them."""
        leaves = [self._forms[leaf] for leaf in self._leaves(number)]
        parts = [
            [leaf.constant, *(weight for _, weight in leaf.terms)]
            for leaf in leaves
            if isinstance(leaf, Affine)
        ]
        most: Weight = max((sum(map(size, each)) for each in parts), default=0)
        return most, lowest_bit(number for each in parts for number in each)

    def _leaves(self, number: int) -> set[int]:
        return {each for each, form in self._reached([number]) if not isinstance(form, Case)}

    def _fits_alone(self, number: int, kind: Kind) -> bool:
        form = self._forms[number]
        return isinstance(form, Affine) and self._fits(form, kind)

    def multiply(self, x: int, y: int, kind: Kind) -> int:
        """A product: by a constant, or by a spike, which decides between two cases."""
        for number in (x, y):
            if isinstance(self._forms[number], Opaque):
                return number
        for one, other in ((x, y), (y, x)):
            form = self._forms[one]
            if isinstance(form, Affine) and not form.terms:
                if not form.constant:
                    return self.zero
                return self.combine(other, self.zero, form.constant, 0, kind)
        spikes = [pair for pair in ((x, y), (y, x)) if self._depends_on_one(pair[0])]
        resetting = [pair for pair in spikes if self._resets(self._only_term(pair[0])[0], pair[1])]
        if not resetting and self.is_bit(x) and self.is_bit(y):
            self.found("a product of two spikes")
            return self.conjunction(x, y)
        for one, other in resetting or spikes:
            signal, weight = self._only_term(one)
            if not resetting:
                self.found("a product of a spike and a potential")
            low = self._constant_of(self.given(one, signal, False))
            return self.case(
                signal,
                self.combine(other, self.zero, plain(low + weight), 0, kind),
                self.combine(other, self.zero, low, 0, kind),
            )
        return self.opaque(f"a product of two potentials ({self.place()})")

    def _depends_on_one(self, number: int) -> bool:
        form = self._forms[number]
        return isinstance(form, Affine) and len(form.terms) == 1

    def _constant_of(self, number: int) -> Weight:
        form = self._forms[number]
        assert isinstance(form, Affine)
        return form.constant

    def _only_term(self, number: int) -> Term:
        form = self._forms[number]
        assert isinstance(form, Affine)
        return form.terms[0]

    def _resets(self, signal: int, potential: int) -> bool:
        """Whether a signal is the spike that this potential, but for constants, made."""
        drive = self._drives.get(signal)
        if drive is None:
            return False
        difference = self._forms[self.combine(potential, drive, 1, -1, None)]
        mirrored = self._forms[self.combine(potential, drive, 1, 1, None)]
        return any(isinstance(each, Affine) and not each.terms for each in (difference, mirrored))

    # --- cases ------------------------------------------------------------------------------------

    def case(self, signal: int, fires: int, rests: int) -> int:
        """One form where a signal fires, another where it does not."""
        fires, rests = self.given(fires, signal, True), self.given(rests, signal, False)
        if fires == rests:
            return fires
        high, low = self._forms[fires], self._forms[rests]
        if isinstance(high, Affine) and isinstance(low, Affine) and high.terms == low.terms:
            terms = dict(low.terms) | {signal: high.constant - low.constant}
            return self._exact(low.constant, terms)
        top = max([signal, *(form.signal for form in (high, low) if isinstance(form, Case))])
        if top > signal:  # later signals decide first
            return self.case(
                top,
                self.case(signal, self.given(fires, top, True), self.given(rests, top, True)),
                self.case(signal, self.given(fires, top, False), self.given(rests, top, False)),
            )
        leaves = sum(form.leaves if isinstance(form, Case) else 1 for form in (high, low))
        if leaves > MOST_CASES:
            return self.opaque(f"a definition by more than {MOST_CASES} cases ({self.place()})")
        return self.number_of(Case(signal, fires, rests, leaves))

    def given(self, number: int, signal: int, value: bool) -> int:
        """A form where a signal is known."""
        form = self._forms[number]
        if isinstance(form, Opaque):
            return number
        if isinstance(form, Affine):
            weights = dict(form.terms)
            weight = weights.pop(signal, None)
            if weight is None:
                return number
            return self._exact(form.constant + weight * value, weights)
        if form.signal == signal:
            return form.fires if value else form.rests
        key = ("given", number, signal, value)
        if key not in self._results:
            self._results[key] = self.case(
                form.signal, self.given(form.fires, signal, value), self.given(form.rests, signal, value)
            )
        return self._results[key]

    def _leafwise(
        self, key: tuple[object, ...], function: Callable[[Affine, Affine], int], x: int, y: int
    ) -> int:
        """A function of two affine forms, taken in each case."""
        known = (*key, x, y)
        if known in self._results:
            return self._results[known]
        forms = self._forms[x], self._forms[y]
        if any(isinstance(form, Opaque) for form in forms):
            found = x if isinstance(forms[0], Opaque) else y
        elif isinstance(forms[0], Affine) and isinstance(forms[1], Affine):
            found = function(forms[0], forms[1])
        else:
            top = max(form.signal for form in forms if isinstance(form, Case))
            fires, rests = (
                self._leafwise(key, function, self.given(x, top, value), self.given(y, top, value))
                for value in (True, False)
            )
            found = self.case(top, fires, rests)
        self._results[known] = found
        return found

    def tabulated(
        self, numbers: Sequence[int], function: Callable[[NDArray[np.object_]], list[int]]
    ) -> int:
        """Any function of forms that depend on few signals, by its table.

        Args:
            function: takes an array of numbers, a row for each assignment, and gives forms.
        """
        signals = self.signals_of(numbers)
        if signals is None:
            return next(n for n in numbers if self.signals_of([n]) is None)
        if len(signals) > TABULATED:
            return self.opaque(f"an operation on more than {TABULATED} signals ({self.place()})")
        ordered = sorted(signals, reverse=True)
        rows = [list(numbers)]
        for signal in ordered:
            rows = [[self.given(n, signal, v) for n in row] for row in rows for v in (True, False)]
        values = np.empty((len(rows), len(numbers)), dtype=object)
        for index, row in enumerate(rows):
            for column, number in enumerate(row):
                form = self._forms[number]
                assert isinstance(form, Affine)
                values[index, column] = form.constant
        results = function(values)
        for signal in reversed(ordered):
            results = [self.case(signal, *results[at : at + 2]) for at in range(0, len(results), 2)]
        return results[0]

    # --- neurons ----------------------------------------------------------------------------------

    def implies(self, drive: int, *, strict: bool = False) -> int:
        """As ``threshold``, of what no comparison of the code says; ``implied`` has such signals."""
        self.tangled |= isinstance(self._forms[drive], Case)
        return self._implied(self.threshold(drive, strict=strict))

    def _implied(self, number: int) -> int:
        if spike := self.spike(number):
            self.implied.add(spike[0])
        return number

    def threshold(self, drive: int, *, strict: bool = False) -> int:
        """The spike that is fired iff a form reaches 0, or if strict exceeds it."""
        key = ("threshold", drive, strict)
        if key not in self._results:
            self._results[key] = self._threshold(drive, strict)
        return self._results[key]

    def _threshold(self, drive: int, strict: bool) -> int:
        form = self._forms[drive]
        if isinstance(form, Opaque):
            if form.reason.startswith("the neuron"):
                return drive
            return self.opaque(f"the neuron at {self.place()} reads {form.reason}")
        if isinstance(form, Case):
            fires, rests = (self.threshold(each, strict=strict) for each in (form.fires, form.rests))
            implied, self.implied = self.implied, set()  # these gates are the neuron's own
            chosen = self.choice(self.signal(form.signal), fires, rests)
            self.implied = implied
            spike = self.spike(chosen)
            if spike is not None and not spike[1]:
                self._drives.setdefault(spike[0], drive)
            return chosen
        bound = plain(-form.constant)
        if strict:
            unit = lowest_bit(weight for _, weight in form.terms)
            bound = plain((math.floor(Fraction(bound) / unit) + 1) * unit)
        self.neurons += 1
        signal = self.builder.neuron(form.terms, bound)
        self._drives.setdefault(signal, drive)
        return self.signal(signal)

    def _gate(self, *weighted: tuple[int, int], reaches: int) -> int:
        """The neuron over spikes, or over their negations, whose weighted sum reaches a bound."""
        total = self.constant(-reaches)
        for number, weight in weighted:
            total = self.combine(total, number, 1, weight, None)
        form = self._forms[total]
        if isinstance(form, Opaque):
            return total
        assert isinstance(form, Affine)
        return self._implied(self.signal(self.builder.neuron(form.terms, plain(-form.constant))))

    def conjunction(self, x: int, y: int) -> int:
        """Both of two bits."""
        return self._gate((x, 1), (y, 1), reaches=2)

    def disjunction(self, x: int, y: int) -> int:
        """One of two bits at least."""
        return self._gate((x, 1), (y, 1), reaches=1)

    def exclusive(self, x: int, y: int) -> int:
        """Just one of two bits: a neuron that reads them and their conjunction."""
        return self._gate((x, 1), (y, 1), (self.conjunction(x, y), -2), reaches=1)

    def negation(self, x: int) -> int:
        """What a bit is not."""
        return self.combine(self.one, x, 1, -1, None)

    def choice(self, spike: int, fires: int, rests: int) -> int:
        """One bit where a spike is fired, another where it is not."""
        if fires == rests:
            return fires
        return self.disjunction(
            self.conjunction(spike, fires), self.conjunction(self.negation(spike), rests)
        )

    def bit(self, number: int) -> int | None:
        """A form that is 0 or 1 in every case as one signal or a negated one; None if it is not."""
        form = self._forms[number]
        if number == self.unsure:
            return self.zero
        if self.is_bit(number) or isinstance(form, Opaque):
            return number
        if isinstance(form, Affine):
            return None
        fires, rests = self.bit(form.fires), self.bit(form.rests)
        if fires is None or rests is None:
            return None
        return self.choice(self.signal(form.signal), fires, rests)

    def equal(self, x: int, y: int) -> int:
        """Whether two forms have the same value."""
        difference = self.combine(x, y, 1, -1, None)
        mirrored = self.combine(y, x, 1, -1, None)
        reached, kept = self.implies(difference), self.implies(mirrored)
        if reached == self.one or kept == self.one:
            return kept if reached == self.one else reached
        self.found("an equality")
        return self.conjunction(reached, kept)

    def select(self, condition: int, x: int, y: int) -> int:
        """One form where a bit is 1, another where it is 0."""
        if condition in (self.zero, self.one):
            return x if condition == self.one else y
        decided = self.bit(condition)
        spike = None if decided is None else self.spike(decided)
        if spike is None:
            form = self._forms[condition]
            reason = form.reason if isinstance(form, Opaque) else "a choice by what is no spike"
            return self.opaque(f"{reason} ({self.place()})")
        signal, negated = spike
        if not any(self._resets(signal, potential) for potential in (x, y)):
            self.found("`where` on a spike")
        return self.case(signal, y, x) if negated else self.case(signal, x, y)
