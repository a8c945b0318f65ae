"""Neurons that keep charge between time steps, as neurons that do not: each potential is affine.

What drives a neuron at a step is a sum of weights of earlier signals. Leaking multiplies it; a threshold
that is subtracted is one more weight, on the spike. After a reset to a value the potential depends on
when the last spike was: there is a case for each step, and exactly one holds.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction

from spikeproof.circuits.doors.nir_reading import Constants, Reading
from spikeproof.circuits.netlist import ONE, ZERO, NetlistBuilder, NetlistError, Weight

EMPTY, BROKEN = 10**9, -(10**9)
"""The grain of 0, and of what is no multiple of a power of two."""


@dataclass(frozen=True, slots=True)
class Form:
    """A weighted sum of signals plus a constant: integers over one denominator.

    Attributes:
        grain: in whatever order its terms are added, every partial sum is a multiple of 2 to this power,
        reach: and, over the denominator, no larger than this.
    """

    terms: Mapping[int, int]
    constant: int
    denominator: int
    grain: int
    reach: int

    @classmethod
    def of_signal(cls, signal: int) -> Form:
        """1 where the signal fires, and 0 elsewhere."""
        if signal in (ZERO, ONE):
            return combined([], int(signal == ONE))
        return cls({signal: 1}, 0, 1, 0, 1)

    @property
    def signal(self) -> int | None:
        """The signal that this is; none if it is another sum."""
        if not self.terms and self.constant in (0, self.denominator):
            return ONE if self.constant else ZERO
        if self.constant == 0 and list(self.terms.values()) == [self.denominator]:
            return next(iter(self.terms))
        return None


def combined(parts: Iterable[tuple[Form, Weight]], constant: Weight = 0) -> Form:
    """The sum of forms, each times a weight, plus a constant."""
    kept = [(form, weight) for form, weight in parts if weight and form.grain < EMPTY]
    common = math.lcm(constant.denominator, *(form.denominator * w.denominator for form, w in kept))
    total = constant.numerator * (common // constant.denominator)
    terms: dict[int, int] = {}
    grain, reach = _grain(constant), abs(total)
    for form, weight in kept:
        factor = weight.numerator * (common // (form.denominator * weight.denominator))
        for signal, each in form.terms.items():
            terms[signal] = terms.get(signal, 0) + factor * each
        total += factor * form.constant
        grain = min(grain, max(BROKEN, form.grain + _grain(weight)))
        reach += abs(factor) * form.reach
    return Form({signal: each for signal, each in terms.items() if each}, total, common, grain, reach)


def _grain(value: Weight) -> int:
    """The largest power of two of which it is a multiple."""
    if not value:
        return EMPTY
    numerator, denominator = value.numerator, value.denominator
    if denominator & (denominator - 1):
        return BROKEN
    return (numerator & -numerator).bit_length() - denominator.bit_length()


@dataclass(frozen=True)
class Arithmetic:
    """What numbers a floating-point type has."""

    name: str
    precision: int
    lowest: int
    highest: int

    def require(self, form: Form, what: str) -> None:
        """Raise unless the type rounds no partial sum.

        Raises:
            NetlistError: if it may.
        """
        if form.grain == EMPTY:
            return
        reach = Fraction(form.reach, form.denominator)
        exact = form.grain >= self.lowest and reach <= Fraction(2) ** (form.grain + self.precision)
        if not (exact and reach < Fraction(2) ** self.highest):
            raise NetlistError(
                f"{self.name} may round sums of {what}; choose weights and decays of fewer bits, or "
                "state arithmetic=exact, of real numbers"
            )


ARITHMETIC = {
    "float32": Arithmetic("float32", 24, -126, 128),
    "float64": Arithmetic("float64", 53, -1022, 1024),
}


# --- neurons ------------------------------------------------------------------------------------


@dataclass
class _Case:
    """The potential if the last spike was at some step, or there was none.

    Attributes:
        spike: the signal that fires then, if there is one.
        silent: those of later steps, which do not.
    """

    potential: Form
    spike: int | None
    silent: list[int] = field(default_factory=list)


class Membrane:
    """A neuron through its time steps.

    Args:
        what: its name, for messages.
    """

    def __init__(self, constants: Constants, reading: Reading, what: str) -> None:
        self._constants = constants
        self._reading = reading
        self._what = what
        self._cases = [_Case(combined([], constants.start), None)]
        self._current = combined([], constants.synapse.start) if constants.synapse else None

    def step(self, builder: NetlistBuilder, drive: Form) -> int:
        """The signal of the neuron's next time step.

        Raises:
            NetlistError: if the arithmetic may round.
        """
        if self._current is not None and (synapse := self._constants.synapse) is not None:
            left = leaked(self._current, synapse.decay, synapse.offset)
            drive = self._current = combined([(left, 1), (drive, synapse.gain)])
        fired = ZERO
        for action in self._reading.order.split():
            if action == "fire":
                fired = self._fire(builder)
                continue
            for case in self._cases:
                case.potential = (
                    leaked(case.potential, self._constants.decay, self._constants.offset)
                    if action == "leak"
                    else combined([(case.potential, 1), (drive, self._constants.gain)])
                )
        return fired

    def _fire(self, builder: NetlistBuilder) -> int:
        if kind := ARITHMETIC.get(self._reading.arithmetic):
            for case in self._cases:
                kind.require(case.potential, self._what)
        strict, threshold = self._reading.strict, self._constants.threshold
        fires = [_fires(builder, case, threshold, strict=strict) for case in self._cases]
        fired = builder.neuron([(signal, 1) for signal in fires], 1)
        if self._reading.reset == "subtract":
            spent = (Form.of_signal(fired), -threshold)
            self._cases = [_Case(combined([(self._cases[0].potential, 1), spent]), None)]
        elif fired == ONE:
            self._cases = [_Case(combined([], self._constants.reset), None)]
        elif fired != ZERO:
            for case in self._cases:
                case.silent.append(fired)
            self._cases.append(_Case(combined([], self._constants.reset), fired))
        return fired


def leaked(form: Form, decay: Weight, offset: Weight) -> Form:
    """What is left of a potential; what is gone, which some subtract, counts among its partial sums."""
    left = combined([(form, decay)], offset)
    gone = abs(1 - Fraction(decay)) * Fraction(form.reach, form.denominator) + abs(Fraction(offset))
    return replace(left, reach=max(left.reach, math.ceil(gone * left.denominator)))


def _fires(builder: NetlistBuilder, case: _Case, threshold: Weight, *, strict: bool) -> int:
    """The neuron that fires iff the case is the one, and its potential reaches the threshold."""
    form = case.potential
    level = threshold - Fraction(form.constant, form.denominator)
    if strict:
        level = _beyond(level, form)
    highest = Fraction(sum(weight for weight in form.terms.values() if weight > 0), form.denominator)
    veto = max(highest - level, Fraction(0)) + 1
    synapses = [(signal, _plain(Fraction(w, form.denominator))) for signal, w in form.terms.items()]
    synapses += [(signal, -_plain(veto)) for signal in case.silent]
    if case.spike is not None:
        synapses.append((case.spike, _plain(veto)))
        level += veto
    return builder.neuron(synapses, _plain(level))


def _beyond(level: Fraction, form: Form) -> Fraction:
    """The least sum above a level that some of a form's weights, or multiples of them, make."""
    if not form.terms:
        return Fraction(1) if level >= 0 else level
    unit = Fraction(math.gcd(*form.terms.values()), form.denominator)
    return (math.floor(level / unit) + 1) * unit


def _plain(value: Fraction) -> Weight:
    return value.numerator if value.denominator == 1 else value
