"""Shallow quotients and square roots: rows of two bits or more at once, five levels of neurons each.

    1, 2  what may be taken away is compared with the remainder, every multiple at once, by groups of
          places; so it is known what each group would have to borrow
    3     the multiple that is the largest possible is chosen, and what is borrowed for it
    4     what each place borrows
    5     the remainder that is left

Rows are cells, by whose invariants quotient and root are proved: see ``prover.kernel.recurrence``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest

from spikeproof.circuits.netlist import ZERO, Bus
from spikeproof.circuits.units.forms import (
    ALWAYS,
    NEVER,
    Bits,
    Form,
    all_of,
    bits,
    exclusive,
    number,
    reaches,
    signals,
    total,
)
from spikeproof.circuits.units.libraries import GateLibrary
from spikeproof.circuits.units.shallow import Thermometer, add

Places = Sequence[Form]
"""A number by binary places, of each of which there may be several: a form within 0 and some count."""


def digit_quotient(gates: GateLibrary, x: Bus, y: Bus) -> tuple[Bus, Bus]:
    """Quotient and remainder of x * 2^(n+1) by y: as ``integer.divide``."""
    usual = gates.structure.row_bits
    multiples = _multiples(gates, bits(y), (1 << usual) - 1)
    quotient: Bus = ()
    doubled, remainder = (*x, ZERO), x
    for size in row_sizes(len(y) + 2, usual, usual):
        minuend = (ZERO,) * (size - 1) + doubled
        with gates.builder.barrier((minuend, y)):
            row = _Row(gates, bits(minuend), multiples[: (1 << size) - 1])
            found = signals(gates, map(row.digit.place, range(size)))
            remainder = row.difference(row.chosen(), len(y))
        gates.builder.cell(
            "divide_row",
            {"remainder": minuend, "divisor": y},
            {"bit": found, "difference": remainder},
        )
        quotient, doubled = (*found, *quotient), (ZERO, *remainder)
    return quotient, remainder


def digit_root(gates: GateLibrary, x: Bus) -> tuple[Bus, Bus]:
    """Root and remainder of x: as ``integer.square_root``.

    With a root Q and remainder R so far and the next 2k bits d, a row takes as much of 4^k R + d as it
    can for a digit q: q (2^(k+1) Q + q). Of the first, Q is 0 and the squares are constant.
    """
    root: Bus = (ZERO,)
    remainder: Bus = (ZERO,)
    low, usual = len(x), gates.structure.row_bits
    for size in row_sizes(len(x) // 2, usual, usual + 1):
        low -= 2 * size
        digits = x[low : low + 2 * size]
        minuend = (*digits, *remainder)
        with gates.builder.barrier((remainder, root, digits)):
            shifted = [(*(NEVER,) * (size + 1 + j), *bits(root)) for j in range(size)]
            multiples = [
                _sum([_square(q), *(each for j, each in enumerate(shifted) if q >> j & 1)])
                for q in range(1, 1 << size)
            ]
            row = _Row(gates, bits(minuend), multiples)
            digit = [row.digit.place(j) for j in range(size)]
            squares = row.digit.coded([q * q for q in range(1 << size)])
            chosen = [
                [all_of(gates, each, place) for place in places]
                for each, places in zip(digit, shifted, strict=True)
            ]
            found = signals(gates, digit)
            after = row.difference(_sum([squares, *chosen]), len(root) + size)
        gates.builder.cell(
            "root_row",
            {"remainder": remainder, "root": root, "digits": digits},
            {"bit": found, "difference": after},
        )
        root, remainder = (*found, *root), after
    return root[:-1], remainder


def row_sizes(places: int, usual: int, first: int) -> list[int]:
    """How many bits each row gives: as many as usual, but the first, which gives up to so many."""
    first = next(k for k in range(min(first, places), 0, -1) if (places - k) % usual == 0)
    return [first] + [usual] * ((places - first) // usual)


def _multiples(gates: GateLibrary, x: Bits, most: int) -> list[Bits]:
    """x, 2x, 3x, ... up to ``most`` times x. Odd ones are signals, by one addition each.

    That is of a power of two, more or less one that is there; of 11 and 13 times x, three times x.
    """
    odd = {1: x}
    for q in range(3, most + 1, 2):
        below = q.bit_length() - 1
        more, less = q - (1 << below), (2 << below) - q
        power = below if more <= less else below + 1
        width = len(x) + power
        term = odd[min(more, less)]
        term = (*term, *(NEVER,) * (width - len(term)))
        if more > less:
            term = tuple(1 - place for place in term)
        start = NEVER if more <= less else ALWAYS
        found, carry = add(gates, term, (*(NEVER,) * power, *x), start, gates.structure.places)
        odd[q] = bits(signals(gates, (*found, carry) if more <= less else found))
    shifts = ((q & -q).bit_length() - 1 for q in range(1, most + 1))
    return [(*(NEVER,) * k, *odd[q >> k]) for q, k in enumerate(shifts, 1)]


def _square(q: int) -> Bits:
    return tuple(ALWAYS if place == "1" else NEVER for place in reversed(f"{q * q:b}"))


def _sum(numbers: Sequence[Places]) -> Places:
    """What numbers have in each place together."""
    width = max(map(len, numbers))
    return [total(each[k] for each in numbers if k < len(each)) for k in range(width)]


class _Row:
    """A number from which the largest possible of some multiples is taken away, or none.

    Args:
        multiples: rising; the first of them stands for a digit of 1.
    """

    def __init__(self, gates: GateLibrary, minuend: Bits, multiples: Sequence[Places]) -> None:
        self.gates, self.minuend, self.multiples = gates, minuend, multiples
        self.most = max(place.high for each in multiples for place in each)
        # A signal that counts in two neighbouring places weighs three times what it does in the lower.
        self.size = max(1, _least_size(self.most), gates.structure.places - (self.most > 1))
        carries = [self._carries(each) for each in multiples]
        self.digit = Thermometer((ALWAYS, *(into[-1][-1] for into in carries)))
        self._borrows = [self._borrowed(into) for into in zip(*carries, strict=True)]

    def _carries(self, multiple: Places) -> list[Bits]:
        """What minuend - multiple carries into each group of places, and out of the last.

        That is minuend + not multiple + 1, or as many more as there are bits in a place.
        """
        most = max(place.high for place in multiple)
        digits = [place + most - taken for place, taken in _pairs(self.minuend, multiple)]
        if short := len(digits) % self.size:
            digits += [NEVER + most] * (_least_size(most) - short)
        return group_carries(self.gates, digits, (ALWAYS,) * most, 2, self.size)

    def _borrowed(self, carries: Sequence[Bits]) -> Form:
        """What the chosen multiple borrows where each has these carries."""
        chosen = (
            all_of(self.gates, self.is_digit(q), 1 - step)
            for q, steps in enumerate(carries, 1)
            for step in steps
        )
        return total(chosen).within(0, self.most)

    def is_digit(self, q: int) -> Form:
        """Whether the digit is that."""
        return self.digit.between(q, q + 1)

    def chosen(self) -> Places:
        """The multiple that is taken away."""
        gated = [
            [all_of(self.gates, self.is_digit(q), place) for place in multiple]
            for q, multiple in enumerate(self.multiples, 1)
        ]
        return [exclusive(places) for places in zip_longest(*gated, fillvalue=NEVER)]

    def difference(self, taken: Places, width: int) -> Bus:
        """The places, so many, of what is left."""
        gates, found = self.gates, []
        pairs = list(_pairs(self.minuend, taken))
        for start, borrow, after in zip(
            range(0, width, self.size), self._borrows, (*self._borrows[1:], NEVER), strict=False
        ):
            group = pairs[start : start + self.size]
            into = borrow
            for k, (place, less) in enumerate(group):
                lacking = number([b - a for a, b in group[: k + 1]]) + borrow
                out = after
                if k < len(group) - 1:
                    steps = (reaches(gates, lacking, (j << k + 1) + 1) for j in range(self.most))
                    out = total(steps).within(0, self.most)
                found.append((place - less - into + 2 * out).within(0, 1))
                into = out
        return signals(gates, found[:width])


def _least_size(most: int) -> int:
    """How many places a group needs for its carries, which are up to so many, to be digits again."""
    return (most - 1).bit_length()


def _pairs(minuend: Bits, taken: Places) -> Iterator[tuple[Form, Form]]:
    return zip_longest(minuend, taken[: len(minuend)], fillvalue=NEVER)


# --- carries of more than 1 ---------------------------------------------------------------------


def group_carries(
    gates: GateLibrary, digits: Sequence[Form], carry: Bits, base: int, size: int
) -> list[Bits]:
    """The carry into each group of ``size`` digits, and out of the last, as steps: [at least 1], ...

    Args:
        digits: of weights 1, ``base``, ``base`` squared, ...; so large that carries can be as many as
            ``carry`` has steps, and no more. No group's modulus is less than these, nor that of the
            digits left over for the last one.

    Whatever is carried into a group, what it carries out follows from the number of its *span*, by
    neurons that read the group alone. Spans are digits again, of a base one more than carries may be.
    """
    most = len(carry)
    groups = [digits[start : start + size] for start in range(0, len(digits), size)]
    values = [(_value(group, base), base ** len(group)) for group in groups]
    steps = [(j, i) for j in range(1, most + 1) for i in range(most + 1)]
    spans = [
        total(reaches(gates, value, j * modulus - i) for j, i in steps) for value, modulus in values[1:]
    ]
    first = _carried(gates, *values[0], carry)
    return [carry, *_carries(gates, spans, first, most + 1)] if spans else [carry, first]


def _carries(gates: GateLibrary, digits: Sequence[Form], carry: Bits, base: int) -> list[Bits]:
    """The carry into each digit, and out of the last."""
    size = 1
    while base**size <= (gates.structure.largest_weight or 1):
        size += 1
    into = group_carries(gates, digits, carry, base, size)
    found = []
    for start, first in zip(range(0, len(digits), size), into, strict=False):
        group = digits[start : start + size]
        inner = (_carried(gates, _value(group[:k], base), base**k, first) for k in range(1, len(group)))
        found += [first, *inner]
    return [*found, into[-1]]


def _value(digits: Sequence[Form], base: int) -> Form:
    return total(digit * base**k for k, digit in enumerate(digits))


def _carried(gates: GateLibrary, value: Form, modulus: int, carry: Bits) -> Bits:
    """What is carried out of a number below some multiple of the modulus."""
    value = value + total(carry)
    return tuple(reaches(gates, value, j * modulus) for j in range(1, len(carry) + 1))
