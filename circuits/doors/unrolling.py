"""Neurons that keep charge between time steps, as neurons that do not: each potential is affine.

What drives a neuron at a step is a sum of weights of earlier signals. Leaking multiplies it; a threshold
that is subtracted is one more weight, on the spike. After a reset to a value the potential depends on
when the last spike was: there is a case for each step, and exactly one holds.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from spikeproof.circuits.doors.nir_reading import Constants, Reading
from spikeproof.circuits.netlist import ONE, ZERO, NetlistBuilder, NetlistError, Weight

EMPTY, BROKEN = 10**9, -(10**9)
"""The grain of 0, and of what is no multiple of a power of two."""


@dataclass(frozen=True, slots=True)
class Form:
    """A weighted sum of signals plus a constant.

    Attributes:
        grain: in whatever order its terms are added, every partial sum is a multiple of 2 to this power,
        reach: and no larger than this.
    """

    terms: Mapping[int, Weight]
    constant: Weight
    grain: int
    reach: Fraction

    @classmethod
    def of_signal(cls, signal: int) -> Form:
        """1 where the signal fires, and 0 elsewhere."""
        if signal in (ZERO, ONE):
            return combined([], int(signal == ONE))
        return cls({signal: 1}, 0, 0, Fraction(1))

    @property
    def signal(self) -> int | None:
        """The signal that this is; none if it is another sum."""
        if not self.terms and self.constant in (0, 1):
            return ONE if self.constant else ZERO
        if self.constant == 0 and list(self.terms.values()) == [1]:
            return next(iter(self.terms))
        return None


def combined(parts: Iterable[tuple[Form, Weight]], constant: Weight = 0) -> Form:
    """The sum of forms, each times a weight, plus a constant."""
    terms: dict[int, Weight] = {}
    grain = _grain(constant)
    reach = abs(Fraction(constant))
    for form, weight in parts:
        if not weight or form.grain == EMPTY:
            continue
        for signal, each in form.terms.items():
            terms[signal] = terms.get(signal, 0) + weight * each
        constant += weight * form.constant
        grain = min(grain, max(BROKEN, form.grain + _grain(weight)))
        reach += abs(Fraction(weight)) * form.reach
    return Form({signal: weight for signal, weight in terms.items() if weight}, constant, grain, reach)


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
        exact = form.grain > BROKEN // 2 and form.reach <= Fraction(2) ** (form.grain + self.precision)
        if not (exact and form.grain >= self.lowest and form.reach < Fraction(2) ** self.highest):
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
            leaked = _leaked(self._current, synapse.decay, synapse.offset)
            drive = self._current = combined([(leaked, 1), (drive, synapse.gain)])
        fired = ZERO
        for action in self._reading.order.split():
            if action == "fire":
                fired = self._fire(builder)
                continue
            for case in self._cases:
                case.potential = (
                    _leaked(case.potential, self._constants.decay, self._constants.offset)
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


def _leaked(form: Form, decay: Weight, offset: Weight) -> Form:
    """What is left, and how far away from 0 what is gone may have been computed."""
    left = combined([(form, decay)], offset)
    gone = abs(Fraction(1 - decay)) * form.reach + abs(Fraction(offset))
    return replace(left, reach=max(left.reach, gone))


def _fires(builder: NetlistBuilder, case: _Case, threshold: Weight, *, strict: bool) -> int:
    """The neuron that fires iff the case is the one, and its potential reaches the threshold."""
    form = case.potential
    level = threshold - form.constant
    if strict:
        level = _beyond(level, list(form.terms.values()))
    highest = sum((weight for weight in form.terms.values() if weight > 0), start=Fraction(0))
    veto = max(highest - level, Fraction(0)) + 1
    synapses = [*form.terms.items(), *((signal, -veto) for signal in case.silent)]
    if case.spike is not None:
        synapses.append((case.spike, veto))
        level += veto
    return builder.neuron(synapses, _plain(level))


def _beyond(level: Weight, weights: Sequence[Weight]) -> Weight:
    """The least sum above a level that some of the weights, or multiples of them, make."""
    if not weights:
        return 1 if level >= 0 else level
    common = math.lcm(*(weight.denominator for weight in weights))
    unit = Fraction(math.gcd(*(int(weight * common) for weight in weights)), common)
    return (math.floor(level / unit) + 1) * unit


def _plain(value: Weight) -> Weight:
    return value.numerator if value.denominator == 1 else value
