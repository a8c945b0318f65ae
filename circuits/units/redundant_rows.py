"""Shallow quotients by rows whose remainder stays redundant: three levels of neurons each.

A remainder R is a number by places that are sums of a few bits, and more than -B, less than B. A row of
k bits takes a digit q from 1 - 2^k to 2^k - 1, and leaves 2^k R - q B within the same bounds:

    1   the digit, as a thermometer: the first places of 2^k R are compared with (j - 1/2) B, about, for
        every j. Digits overlap, so it does not matter what lies below these places.
    2   the multiple: q = u - 2^k s, where s says that q is negative, and u is of k bits; so it is a sum
        of B and its doubles, by a neuron for each place of each
    3   every place is counted. What it comes to is up to three bits, of as many places of the next
        remainder, which are sums of the neurons that count

No multiple of the divisor is made beforehand. In the end R may be negative: then the divisor is added,
and the quotient is one less. It is found both ways, and the sign chooses.

Rows are cells, by whose invariants the quotient is proved: see ``prover.kernel.redundant``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise

from spikeproof.circuits.netlist import ONE, ZERO, Bus
from spikeproof.circuits.units.forms import (
    NEVER,
    Bits,
    Form,
    all_of,
    bit,
    bits,
    number,
    reaches,
    signal,
    signals,
    total,
)
from spikeproof.circuits.units.libraries import GateLibrary
from spikeproof.circuits.units.rows import Places, group_carries, row_sizes


@dataclass(frozen=True)
class Count:
    """A whole number, which may be negative, as a thermometer.

    Attributes:
        low: it is never less.
        steps: whether it is more than that by 1 or more, by 2 or more, ...
    """

    low: int = 0
    steps: Bits = ()

    @classmethod
    def of(cls, gates: GateLibrary, form: Form) -> Count:
        """What a form comes to, by a neuron for each step."""
        return cls(form.low, tuple(reaches(gates, form, m) for m in range(form.low + 1, form.high + 1)))

    def part(self, function: Callable[[int], int]) -> Form:
        """A function of it: a sum of its steps."""
        values = [function(self.low + k) for k in range(len(self.steps) + 1)]
        changes = (
            step * (new - old) for step, (old, new) in zip(self.steps, pairwise(values), strict=True)
        )
        return (values[0] + total(changes)).within(min(values), max(values))

    def place(self, k: int) -> Form:
        """A bit of it in two's complement."""
        return self.part(lambda value: value >> k & 1)

    def above(self, k: int) -> Form:
        """What those bits come to from a place on, in units of that place."""
        return self.part(lambda value: value >> k)

    def word(self, most: int) -> Bus:
        """Its steps from -most to most, for a cell."""
        steps = (next(iter(step.weights), ONE if step.constant else ZERO) for step in self.steps)
        found = (*(ONE,) * (self.low + most), *steps)
        return (*found, *(ZERO,) * (2 * most - len(found)))


Counts = list[Count]
"""A number by what each of its places comes to; the last one may be negative by itself."""


def redundant_quotient(gates: GateLibrary, x: Bus, y: Bus) -> tuple[Bus, Bus]:
    """Quotient and remainder of x * 2^(n+1) by y: as ``integer.divide``."""
    divisor, usual = bits(y), gates.structure.row_bits
    most = MOST[usual]
    # It begins with half of the dividend.
    minuend = [Count(0, (place,)) for place in bits(x)]
    digits: list[tuple[int, Count]] = []
    for size in row_sizes(len(y) + 2, usual, usual):
        minuend = [Count()] * (size - (not digits)) + minuend
        given = _words(minuend, most)
        inputs = {"remainder": given, "divisor": y}
        places = _places(minuend, ((1 << len(y)) - 1) << size)
        with gates.builder.barrier(inputs.values()):
            digit = _digit(gates, places, divisor, size, READ[usual])
        chosen = digit.word((1 << size) - 1)
        gates.builder.cell("redundant_digit", inputs, {"digit": chosen})
        inputs = {**inputs, "digit": chosen}
        with gates.builder.barrier(inputs.values()):
            left = _left(gates, places, divisor, digit, size)
        gates.builder.cell("redundant_difference", inputs, {"difference": _words(left, most)})
        minuend, digits = left, [(size, digit), *digits]
    return _settled(gates, digits, minuend, y, most)


MOST = {2: 3, 3: 4, 4: 6}
"""By the bits of a row, what a place comes to at most, or less than 0."""


def _words(counts: Counts, most: int) -> Bus:
    return tuple(chain.from_iterable(count.word(most) for count in counts))


def _places(counts: Counts, most: int) -> Places:
    """What is in each place: of every count its 1, 2 and 4 in places of their own.

    Args:
        most: what they come to at most, or less than 0.
    """
    *low, top = counts
    found: list[list[Form]] = [[] for _ in range(len(low) + 3)]
    for place, count in enumerate(low):
        for k, part in enumerate((count.place(0), count.place(1), count.above(2))):
            found[place + k].append(part)
    found[len(low)].append(top.above(0))
    return _bounded([total(terms) for terms in found], len(low), most)


def _bounded(places: Places, width: int, most: int) -> Places:
    """The same number, all from a place on in one, of which it is known what it can be."""
    low, top = places[:width], number(places[width:])
    below, unit = number(low), 1 << width
    return [*low, top.within(-((most + below.high) // unit), (most - below.low) // unit)]


READ = {2: 3, 3: 3, 4: 4}
"""By the bits of a row, how many places below the divisor's first are read to tell a digit."""


def _digit(gates: GateLibrary, minuend: Places, divisor: Bits, size: int, read: int) -> Count:
    """It is j or more if the places that are read come to about (j - 1/2) B or more."""
    unit = max(0, len(divisor) - read)
    found, lost = number(minuend[unit:]), number(minuend[:unit])
    # What is not read is this much on average, in units.
    middle = (lost.low + lost.high + 1) / (2 << unit) - 0.5

    def least(j: int) -> Form:
        weights = (round((j - 0.5) * 2 ** (place - unit)) for place in range(len(divisor)))
        return total(b * weight for b, weight in zip(divisor, weights, strict=True)) - round(middle)

    most = (1 << size) - 1
    return Count(-most, tuple(reaches(gates, found - least(j), 0) for j in range(1 - most, most + 1)))


def _left(gates: GateLibrary, minuend: Places, divisor: Bits, digit: Count, size: int) -> Counts:
    """What is left of a minuend less as often the divisor."""
    width = len(divisor)
    columns = [[place] for place in (*minuend, *(NEVER,) * (width + size + 1 - len(minuend)))]
    for k in range(size):
        chosen = digit.place(k)
        for place, each in enumerate(divisor, k):
            columns[place].append(-all_of(gates, chosen, each))
    for place, each in enumerate(divisor, size):
        columns[place].append(all_of(gates, -digit.above(size), each))
    places = _bounded([total(column) for column in columns], width, (1 << width) - 1)
    return [Count.of(gates, place) for place in places]


# --- the end ------------------------------------------------------------------------------------


def _settled(
    gates: GateLibrary, digits: Sequence[tuple[int, Count]], left: Counts, y: Bus, most: int
) -> tuple[Bus, Bus]:
    """Quotient and remainder in binary, corrected where the remainder is negative."""
    given, width = _words(left, most), len(y)
    with gates.builder.barrier((given, y)):
        places, divisor = _places(left, (1 << width) - 1), (*bits(y), NEVER)
        rest = _carried(gates, places)
        corrected = _carried(gates, [a + b for a, b in zip(places, divisor, strict=True)])
        positive = signal(gates, rest[-1].part(lambda carry: carry >= 0))
        added = (all_of(gates, 1 - bit(positive), each) for each in divisor)
        both = [a + b for a, b in zip(places, added, strict=True)]
        remainder = _resolved(gates, both, _chosen(gates, positive, rest, corrected))
    gates.builder.cell(
        "settled_remainder",
        {"difference": given, "divisor": y},
        {"positive": (positive,), "remainder": remainder},
    )
    words = tuple(chain.from_iterable(digit.word((1 << size) - 1) for size, digit in digits))
    with gates.builder.barrier((words, (positive,))):
        places = _in_places(digits)
        cases = (_carried(gates, places, less) for less in (0, 1))
        quotient = _resolved(gates, places, _chosen(gates, positive, *cases))
    gates.builder.cell(
        "settled_quotient", {"digits": words, "positive": (positive,)}, {"quotient": quotient}
    )
    return quotient, remainder


def _in_places(digits: Sequence[tuple[int, Count]]) -> Places:
    """The number of which these are the digits; the last place says what there is above."""
    found = [NEVER]
    for size, digit in digits:
        first, *more = (digit.place(k) for k in range(size))
        found[-1:] = [found[-1] + first, *more, digit.above(size)]
    return found


def _group_size(gates: GateLibrary) -> int:
    """How many places of a remainder a neuron reads: a count weighs up to three times its place.

    What is carried may be up to four apart.
    """
    return max(2, gates.structure.places - 2)


def _carried(gates: GateLibrary, places: Places, less: int = 0) -> Counts:
    """What is carried into each group of places, and out of the last, if ``less`` is taken away before.

    The last place is no place of the result: from there on there is nothing but the sign.
    """
    low, size = places[:-1], _group_size(gates)
    least = min(-1, *(place.low for place in low))
    most = max(0, *(place.high - 1 for place in low))
    digits = [place - least for place in places] + [NEVER - least] * (-len(places) % size)
    start = tuple(NEVER + (step <= -less) for step in range(least + 1, most + 1))
    return [Count(least, steps) for steps in group_carries(gates, digits, start, 2, size)]


def _chosen(gates: GateLibrary, first: int, a: Counts, b: Counts) -> Bits:
    """The carries of the first where that is 1, else of the other."""
    cases = (bit(first), a), (1 - bit(first), b)

    def carry(group: int) -> Form:
        counts = [(which, each[group]) for which, each in cases]
        chosen = (all_of(gates, which, step) for which, count in counts for step in count.steps)
        found = total(chosen) + total(which * count.low for which, count in counts)
        return found.within(
            min(count.low for _, count in counts),
            max(count.low + len(count.steps) for _, count in counts),
        )

    return tuple(carry(group) for group in range(len(a)))


def _resolved(gates: GateLibrary, places: Places, into: Bits) -> Bus:
    """The bits of a number, but for its last place, of which it is known what groups carry."""
    size, found = _group_size(gates), []
    for start, first, after in zip(range(0, len(places) - 1, size), into, into[1:], strict=False):
        group, carry = places[start : start + size], first
        for k, place in enumerate(group):
            below = number(group[: k + 1]) + first
            out = after
            if k < len(group) - 1:
                steps = range(after.low + 1, after.high + 1)
                out = Count(after.low, tuple(reaches(gates, below, m << k + 1) for m in steps)).above(0)
            found.append((place + carry - 2 * out).within(0, 1))
            carry = out
    return signals(gates, found[: len(places) - 1])
