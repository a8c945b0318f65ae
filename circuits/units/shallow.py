"""Shallow blocks: what a few levels of neurons do with linear forms, for any width.

Blocks take bits and give bits, which are forms (``circuits.units.forms``) and no signals unless a neuron
is worth it: the next block reads the sums. ``places`` says how many binary places one neuron may read,
which the largest weight allowed decides.

A *digit* is a form within 0 and 2 of a place of two numbers to be added: x + y, or x + (1 - y) for a
difference. A *thermometer* of a count n is the bits [n >= 0], [n >= 1], [n >= 2], ...; if its first is
no constant, that says whether there is a count at all, and without it all are 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from spikeproof.circuits.units.forms import (
    ALWAYS,
    NEVER,
    Bits,
    Form,
    all_and,
    all_and_reaches,
    all_of,
    bits,
    bits_of_places,
    exclusive,
    number,
    reaches,
    signals,
    total,
)
from spikeproof.circuits.units.libraries import GateLibrary

# --- addition -----------------------------------------------------------------------------------


def carries(
    gates: GateLibrary, digits: Sequence[Form], carry: Form, places: int, when: Form = ALWAYS
) -> list[Form]:
    """The carry into each place, and out of the last; all 0 unless ``when`` is 1.

    Of groups of places all but the first and the last tell by one neuron each whether they generate a
    carry and whether they propagate one. The sum of the two is a digit again, and so the carries
    between groups are found as those between places; within groups one neuron each. That is four levels
    for as many as ``places`` squared, and two more each time that these are squared again.
    """
    groups = [digits[start : start + places] for start in range(0, len(digits), places)]
    into = [carry]
    if len(groups) > 1:
        into.append(_carry_out(gates, groups[0], carry, when))
        spans = [_span(gates, group) for group in groups[1:-1]]
        into += carries(gates, spans, into[1], places, when)[1:] if spans else []
    found = []
    for group, first in zip(groups, into, strict=True):
        inner = (_carry_out(gates, group[: k + 1], first, when) for k in range(len(group) - 1))
        found += [first, *inner]
    return [all_of(gates, carry, when), *found[1:], _carry_out(gates, groups[-1], into[-1], when)]


def _span(gates: GateLibrary, digits: Sequence[Form]) -> Form:
    """Whether places propagate a carry, plus whether they generate one: a digit."""
    carried = 1 << len(digits)
    value = number(digits)
    return reaches(gates, value, carried) + reaches(gates, value, carried - 1)


def _carry_out(gates: GateLibrary, digits: Sequence[Form], carry: Form, when: Form) -> Form:
    least = 1 << len(digits)
    if when is ALWAYS:
        return reaches(gates, number(digits) + carry, least)
    return all_and_reaches(gates, [when], number(digits) + carry, least)


def carry_out(
    gates: GateLibrary, digits: Sequence[Form], carry: Form, places: int, when: Form = ALWAYS
) -> Form:
    """The carry out of the last place alone; 0 unless ``when`` is 1."""
    while len(digits) > places:
        digits = [
            _span(gates, digits[start : start + places]) for start in range(0, len(digits), places)
        ]
    return _carry_out(gates, digits, carry, when)


def add(
    gates: GateLibrary, x: Sequence[Form], y: Sequence[Form], carry: Form, places: int
) -> tuple[Bits, Form]:
    """x + y + carry of equal widths, and the carry out; the places of the sum are forms."""
    digits = [a + b for a, b in zip(x, y, strict=True)]
    found = carries(gates, digits, carry, places)
    summed = tuple((digit + found[i] - 2 * found[i + 1]).within(0, 1) for i, digit in enumerate(digits))
    return summed, found[-1]


def at_least(gates: GateLibrary, x: Sequence[Form], y: Sequence[Form], places: int) -> Form:
    """Whether x >= y, of equal widths: x + not y + 1 has a carry."""
    return carry_out(gates, [a + (1 - b) for a, b in zip(x, y, strict=True)], ALWAYS, places)


def sum_or_difference(
    gates: GateLibrary,
    x: Sequence[Form],
    y: Sequence[Form],
    opposite: Form,
    borrow: Form,
    places: int,
) -> tuple[Bits, Form]:
    """x + y and its carry; or x - y - borrow, which must not be negative, where ``opposite`` is 1.

    The places of the result are forms: carries and borrows are found side by side, of which ``opposite``
    lets one kind through.
    """
    plus = carries(gates, [a + b for a, b in zip(x, y, strict=True)], NEVER, places, 1 - opposite)
    minus = carries(gates, [b + (1 - a) for a, b in zip(x, y, strict=True)], borrow, places, opposite)
    turned = [all_of(gates, b, opposite) for b in y]
    carried = [p - m for p, m in zip(plus, minus, strict=True)]
    found = tuple(
        (a + b - 2 * t + carried[i] - 2 * carried[i + 1]).within(0, 1)
        for i, (a, b, t) in enumerate(zip(x, y, turned, strict=True))
    )
    return found, plus[-1]


def sum_of(gates: GateLibrary, *numbers: Sequence[Form]) -> Bits:
    """The sum of few numbers of equal widths, within that width; the places are forms.

    What is carried into a place is counted by neurons that read all places before it. That takes one
    level, and weights as large as the numbers.
    """
    size = len(numbers[0])

    def carried(k: int) -> Form:
        low = total(number(each[:k]) for each in numbers)
        return total(reaches(gates, low, j << k) for j in range(1, (low.high >> k) + 1))

    found = [carried(k) for k in range(size + 1)]
    digits = (total(places) for places in zip(*numbers, strict=True))
    return tuple((digit + found[k] - 2 * found[k + 1]).within(0, 1) for k, digit in enumerate(digits))


def constant(value: int, size: int) -> Bits:
    """The places of a number modulo 2^size."""
    return tuple(ALWAYS if value >> k & 1 else NEVER for k in range(size))


def chosen(gates: GateLibrary, y: Form, of_x: Sequence[Form], of_y: Sequence[Form]) -> Bits:
    """Bits of y where that is chosen, else of x: two neurons for each place."""
    return tuple(
        exclusive((all_of(gates, y, b), all_of(gates, 1 - y, a)))
        for a, b in zip(of_x, of_y, strict=True)
    )


# --- counts -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Thermometer:
    """A count: of ``steps`` the k-th is 1 iff the count is at least k. It has no more than there are."""

    steps: Bits

    def __getitem__(self, k: int) -> Form:
        return self.steps[k] if k < len(self.steps) else NEVER

    @property
    def most(self) -> int:
        """The largest count."""
        return len(self.steps) - 1

    def between(self, low: int, high: int) -> Form:
        """Whether the count is at least the one and less than the other."""
        return (self[low] - self[high]).within(0, 1)

    def beyond(self, count: int) -> Thermometer:
        """By how much the count is more than the given one."""
        return Thermometer((ALWAYS, *self.steps[count + 1 :]))

    def modulo(self, power: int) -> Form:
        """The remainder of the count by 2^power."""
        size = 1 << power
        weights = (1 if k % size else 1 - size for k in range(1, len(self.steps)))
        found = total(step * weight for step, weight in zip(self.steps[1:], weights, strict=True))
        return found.within(0, size - 1)

    def coded(self, values: Sequence[int]) -> Bits:
        """In binary the value that is given for the count, none of them negative."""
        changes = list(zip(self.steps[1:], pairwise(values), strict=True))

        def place(k: int) -> Form:
            terms = (step * ((new >> k & 1) - (old >> k & 1)) for step, (old, new) in changes)
            return ((values[0] >> k & 1) + total(terms)).within(0, 1)

        return tuple(place(k) for k in range(max(values).bit_length()))

    def place(self, index: int) -> Form:
        """A bit of the count in binary."""
        half = 1 << index
        found = total(self[k] * (1 if k // half % 2 else -1) for k in range(half, len(self.steps), half))
        return found.within(0, 1)


def excess(gates: GateLibrary, x: Form, y: Form, most: int, any_at_all: Form) -> Thermometer:
    """x - y as a thermometer of up to ``most``; ``any_at_all`` must be 1 wherever that is positive."""
    return Thermometer((any_at_all, *(reaches(gates, x - y, k) for k in range(1, most + 1))))


def thermometer(gates: GateLibrary, x: Sequence[Form], most: int) -> Thermometer:
    """min(x, most), from bits; a neuron for each step."""
    # A bit that alone outweighs a step need not weigh more.
    steps = (
        reaches(gates, total(place * min(1 << i, k) for i, place in enumerate(x)), k)
        for k in range(1, most + 1)
    )
    return Thermometer((ALWAYS, *steps))


def reaches_constant(gates: GateLibrary, x: Sequence[Form], least: int) -> Form:
    """[x >= least], from bits; of weights no larger than need be."""
    if least >> len(x):
        return NEVER
    form, needed = ALWAYS, 1
    for index, place in enumerate(x):
        if least >> index & 1:
            form, needed = all_and([place], form, needed)
        else:
            form = form + place * max(0, needed - form.low)
    return reaches(gates, form, needed)


def leading_zeros(
    gates: GateLibrary, x: Sequence[Form], limit: Thermometer | None = None
) -> Thermometer:
    """min(leading zeros of x, limit), but for x = 0 one less than all: a neuron for each place."""
    most = limit.most if limit else len(x) - 1
    zeros = (
        all_of(gates, limit[k] if limit else ALWAYS, *(1 - place for place in x[len(x) - k :]))
        for k in range(1, most + 1)
    )
    return Thermometer((ALWAYS, *zeros))


def minus_count(gates: GateLibrary, x: Sequence[Form], count: Thermometer) -> Bits:
    """x - count, which must not be negative: a neuron for each borrow, the places are forms."""
    borrows = [NEVER]
    for power in range(1, len(x)):
        # A place of x that alone outweighs every count need not weigh more.
        below = total(place * min(1 << k, count.most + 1) for k, place in enumerate(x[:power]))
        borrows.append(reaches(gates, count.modulo(power) - below, 1))
        gates.builder.cut(f"borrow_{power}", bits_of_places((borrows[-1],)))
    borrows.append(NEVER)
    return tuple(
        (place - count.place(k) - borrows[k] + 2 * borrows[k + 1]).within(0, 1)
        for k, place in enumerate(x)
    )


# --- shifting -----------------------------------------------------------------------------------


def step_for(most: int) -> int:
    """The step of shifts by up to so many places: one stage for few, two about alike for more."""
    return most + 1 if most < 8 else round((most + 1) ** 0.5)


@dataclass(frozen=True)
class Shifted:
    """What is to be shifted right by a count, if there is one."""

    x: Bits
    count: Thermometer


def shift_right(gates: GateLibrary, *parts: Shifted, step: int, decoded: bool = False) -> Bits:
    """Whichever part has a count shifted right by it; parts are of one width.

    First by multiples of ``step``, then by the rest, by a neuron for each place and multiple that may
    come there; what they choose is the sum of these. The counts are not decoded: a multiple is chosen by
    the difference of two steps of a thermometer, a rest by a sum of such.

    Args:
        decoded: whether a neuron tells each rest after all, where there are so many multiples that these
            sums are long. That takes no depth.
    """
    width, most = len(parts[0].x), max(part.count.most for part in parts)
    multiples = range(0, most + 1, step)
    coarse = []
    for place in range(width):
        chosen = (
            all_of(gates, part.x[place + far], part.count.between(far, far + step))
            for part in parts
            for far in multiples
            if place + far < width
        )
        coarse.append(exclusive(chosen))
    rests = [
        exclusive(part.count.between(far + near, far + near + 1) for part in parts for far in multiples)
        for near in range(step)
    ]
    if len(multiples) == 1 and len(parts) == 1:
        rests[0] = parts[0].count.between(0, 1)
    if decoded:
        rests = list(bits(signals(gates, rests)))
    return tuple(
        exclusive(
            all_of(gates, coarse[place + near], rests[near])
            for near in range(min(step, most + 1, width - place))
        )
        for place in range(width)
    )


def shift_right_binary(gates: GateLibrary, x: Sequence[Form], amount: Bits, first: int) -> Bits:
    """x shifted right by a number in binary, in two stages: by ``first`` bits of it, then by the others.

    A neuron for each place and what may come there reads those bits, which are not decoded.
    """
    x = _moved(gates, x, amount[:first], 1)
    gates.builder.cut("moved", bits_of_places(x))
    return _moved(gates, x, amount[first:], 1 << first)


def _moved(gates: GateLibrary, x: Sequence[Form], amount: Bits, step: int) -> Bits:
    def moved_by(far: int, place: int) -> Form:
        said = (bit if far >> k & 1 else 1 - bit for k, bit in enumerate(amount))
        return all_of(gates, x[place + far * step], *said)

    most = (1 << len(amount)) - 1
    return tuple(
        exclusive(moved_by(far, place) for far in range(min(most, (len(x) - 1 - place) // step) + 1))
        for place in range(len(x))
    )


def shift_left(
    gates: GateLibrary, x: Sequence[Form], count: Thermometer, step: int, decoded: bool = False
) -> Bits:
    """x shifted left within its width."""
    return shift_right(gates, Shifted(tuple(reversed(x)), count), step=step, decoded=decoded)[::-1]


def any_chosen(gates: GateLibrary, x: Sequence[Form], chosen: Sequence[Form], places: int) -> Bits:
    """Bits of which some is 1 iff there is a k of which both x_k and chosen_k are 1.

    If k is chosen, all before it must be. That is the carry of a sum from the last place down, without
    what is carried from group to group, since nothing is chosen there until all before is.
    """

    def group(start: int) -> Form:
        pairs = zip(x[start : start + places], chosen[start : start + places], strict=True)
        digits = [a + b for a, b in pairs][::-1]
        return reaches(gates, number(digits), 1 << len(digits))

    return tuple(group(start) for start in range(0, len(x), places))
