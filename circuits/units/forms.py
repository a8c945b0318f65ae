"""Linear forms: integer sums of weighted signals that go straight into the next threshold.

A neuron asks whether a weighted sum reaches a threshold. So whatever is such a sum of signals need be no
signal itself: the OR of terms of which one at most is 1 is their sum, NOT is 1 - a, XOR is a + b - 2
(a and b), the k-th of n things is chosen by t_k - t_(k+1) of a thermometer, and a bit of a sum is what
its places add up to less twice the carry. These cost no neuron and no depth. What they cost is fan-in
and sums of weights, and with these margins.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain

from spikeproof.circuits.netlist import ONE, ZERO, Bus
from spikeproof.circuits.units.adders import reached
from spikeproof.circuits.units.libraries import HALF, GateLibrary


@dataclass(frozen=True)
class Form:
    """A constant plus signals times integer weights.

    Attributes:
        low, high: it is never less or more, whatever the weights alone would allow: of terms of which
            one at most is 1, for instance, the sum is never more than 1.
    """

    constant: int = 0
    weights: Mapping[int, int] = field(default_factory=dict)
    low: int = 0
    high: int = 0

    def within(self, low: int, high: int) -> Form:
        """The same where more is known of its range. A *bit* is a form within 0 and 1."""
        return replace(self, low=max(low, self.low), high=min(high, self.high))

    def __add__(self, other: Form | int) -> Form:
        if isinstance(other, int):
            return Form(self.constant + other, self.weights, self.low + other, self.high + other)
        return total((self, other))

    __radd__ = __add__

    def __mul__(self, factor: int) -> Form:
        weights = {signal: weight * factor for signal, weight in self.weights.items()} if factor else {}
        low, high = sorted((self.low * factor, self.high * factor))
        return Form(self.constant * factor, weights, low, high)

    __rmul__ = __mul__

    def __neg__(self) -> Form:
        return self * -1

    def __sub__(self, other: Form | int) -> Form:
        return self + -other

    def __rsub__(self, other: int) -> Form:
        return -self + other


NEVER, ALWAYS = Form(), Form(1, {}, 1, 1)
"""The bits that are constant."""

Bits = tuple[Form, ...]
"""A bus of bits, least significant first."""


def bit(signal: int) -> Form:
    """A signal, or a constant, as a form."""
    if signal in (ZERO, ONE):
        return ALWAYS if signal == ONE else NEVER
    return Form(0, {signal: 1}, 0, 1)


def bits(bus: Bus) -> Bits:
    """Each signal of a bus as a form."""
    return tuple(map(bit, bus))


def total(forms: Iterable[Form]) -> Form:
    """Their sum."""
    constant = low = high = 0
    weights: dict[int, int] = {}
    for form in forms:
        constant, low, high = constant + form.constant, low + form.low, high + form.high
        if not weights:
            weights = dict(form.weights)
            continue
        for signal, weight in form.weights.items():
            weights[signal] = weights.get(signal, 0) + weight
            if not weights[signal]:
                del weights[signal]
    return Form(constant, weights, low, high)


def unbounded(form: Form) -> Form:
    """The same within what its weights allow, and no less."""
    low = form.constant + sum(weight for weight in form.weights.values() if weight < 0)
    high = form.constant + sum(weight for weight in form.weights.values() if weight > 0)
    return replace(form, low=low, high=high)


def number(places: Sequence[Form]) -> Form:
    """What bits of the weights 1, 2, 4, ... add up to; digits of other ranges likewise."""
    return total(place * (1 << index) for index, place in enumerate(places))


def exclusive(terms: Iterable[Form]) -> Form:
    """The OR of bits of which one at most is 1."""
    return total(terms).within(0, 1)


def reaches(gates: GateLibrary, form: Form, least: int) -> Form:
    """[form >= least], a bit: one neuron, or none where the range of the form decides it.

    Of libraries whose neurons do not read sums it is as many gates as that takes.
    """
    if least <= form.low or least > form.high:
        return ALWAYS if least <= form.low else NEVER
    if gates.adds_by_gates:
        return bit(reached(gates, form.constant, form.weights, (form.low, form.high), least))
    return bit(gates.fires(least - form.constant - HALF, *form.weights.items()))


Least = tuple[Form, int]
"""A condition: that a form is not less than a number."""


def all_and(conditions: Sequence[Form], form: Form, least: int) -> Least:
    """That all of the given bits are 1 and the form is not less."""
    excess = max(1, form.high - least + 1)  # else the form would make up for a bit that is 0
    return total(conditions) * excess + form, len(conditions) * excess + least


def all_and_reaches(gates: GateLibrary, conditions: Sequence[Form], form: Form, least: int) -> Form:
    """Whether all of the given bits are 1 and the form is not less: one neuron."""
    return reaches(gates, *all_and(conditions, form, least))


def all_of(gates: GateLibrary, *conditions: Form) -> Form:
    """The AND of bits: one neuron, or none if all but one are constant."""
    unsure = [each for each in conditions if each.low < each.high]
    if len(unsure) == 1 and all(each.low for each in conditions if each is not unsure[0]):
        return unsure[0]
    return reaches(gates, total(conditions), len(conditions))


def any_of(gates: GateLibrary, *conditions: Form) -> Form:
    """The OR of bits: one neuron."""
    return reaches(gates, total(conditions), 1)


def xor(gates: GateLibrary, a: Form, b: Form) -> Form:
    """The exclusive OR of two bits: one neuron, for their AND; or a gate."""
    if gates.adds_by_gates:
        return bit(gates.xor(signal(gates, a), signal(gates, b)))
    return (a + b - 2 * all_of(gates, a, b)).within(0, 1)


def signal(gates: GateLibrary, form: Form) -> int:
    """A bit as a signal, of which there may be a probe."""
    made = reaches(gates, form, 1)
    return next(iter(made.weights), ONE if made.constant else ZERO)


def signals(gates: GateLibrary, places: Iterable[Form]) -> Bus:
    """Bits as a bus of signals."""
    return tuple(signal(gates, place) for place in places)


def bits_of_places(places: Bits) -> Bus:
    """The signals that are summed in each place; as many of each, of which some may be constant."""
    most = max(1, *(len(place.weights) for place in places))
    rows = ((*place.weights, *(ZERO,) * (most - len(place.weights))) for place in places)
    return tuple(chain.from_iterable(rows))
