"""Circuits that are integer programs: words, tables and products of neurons, with cells that say so.

A neuron compares an integer linear form with a threshold; here are the few patterns of neurons that make
of such comparisons a program of words:

    digits       the digits of min(max(form, 0), 2^n - 1), from the top: a comparison sum
    comparators  [form >= p] for several p: how many are reached is the index of a table, whose entries
                 are differences of weights in whatever reads it: a table has no neuron of its own
    product      the AND of every pair of bits of two words; their product is a form of these
    matches      [word = code], one wide AND for each code: an exception, say

Each is recorded as a cell, which is believed in nothing: see ``circuits.meanings.programs``, which reads
such a circuit by words.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations, pairwise

from spikeproof.circuits.netlist import Bus
from spikeproof.circuits.units.columns import by_weight
from spikeproof.circuits.units.comparison_sum import digits_of, levels_of
from spikeproof.circuits.units.forms import (
    ALWAYS,
    NEVER,
    Bits,
    Form,
    all_of,
    bits,
    number,
    reaches,
    signals,
    total,
    unbounded,
)
from spikeproof.circuits.units.libraries import GateLibrary


class Sums:
    """Words, tables and products of a circuit that is an integer program; with cells that say so.

    Ranges of forms, ``low`` and ``high``, must be true of them. Bits of words become signals where they
    are none.
    """

    def __init__(self, gates: GateLibrary) -> None:
        self.gates = gates

    def digits(self, form: Form, size: int, step: int = 1) -> Bits:
        """min(max(form, 0), 2^size - 1): a neuron a digit.

        Digits at the top that the range of the form decides are constants. Of a form of less than two
        signals a digit is one of these, its complement, or a constant.

        Args:
            step: how many digits a level of neurons finds: see ``comparison_sum``. With several, all but
                the highest of each step are sums of neurons.
        """
        form = _narrowed(form)
        if len(form.weights) < 2:
            return _digits_of_a_bit(form, size)
        known: list[Form] = []
        while size and not form.low < 1 << size - 1 <= form.high:
            size -= 1
            known.insert(0, ALWAYS if form.low >= 1 << size else NEVER)
            form = form - (form.low >= 1 << size) * (1 << size)
        found: list[Form] = []
        outputs: dict[str, Bus] = {}
        given = by_weight(form - form.constant)
        place = size
        with self.gates.builder.barrier(given.values()):
            for levels in levels_of(self.gates, form, size, step):
                place -= len(levels).bit_length()
                # Of the first step the range may decide some.
                outputs[str(1 << place)] = tuple(signal for each in levels for signal in each.weights)
                found[:0] = digits_of(levels)
        if outputs:
            self.gates.builder.cell("digits", given, outputs)
        return (*found, *known)

    def comparators(self, form: Form, places: Sequence[int]) -> Bits:
        """[form >= p] for each of rising places: a neuron, or a constant where the range decides."""
        form = _narrowed(form)
        given = by_weight(form - form.constant)
        with self.gates.builder.barrier(given.values()):
            steps = tuple(reaches(self.gates, form, place) for place in places)
        if found := tuple(signal for step in steps for signal in step.weights):
            self.gates.builder.cell("comparators", given, {"out": found})
        return steps

    def table(self, steps: Bits, values: Sequence[int]) -> Form:
        """The value whose index is how many steps are 1, of which each is 1 only if those before it are.

        Args:
            values: one more than there are steps.

        Raises:
            ValueError: if there are more or fewer.
        """
        if len(values) != len(steps) + 1:
            raise ValueError(
                f"{len(steps)} steps choose from {len(steps) + 1} values, not {len(values)}"
            )
        turns = zip(steps, pairwise(values), strict=True)
        found = total(step * (after - before) for step, (before, after) in turns) + values[0]
        first = sum(step.low for step in steps)
        possible = values[first : sum(step.high for step in steps) + 1]
        return found.within(min(possible), max(possible))

    def chosen(self, matches: Bits, values: Sequence[int]) -> Form:
        """The value of the one match that is 1, or 0 if none is."""
        found = total(each * value for each, value in zip(matches, values, strict=True))
        return found.within(min((0, *values)), max((0, *values)))

    def product(self, a: Bits, b: Bits) -> Form:
        """a * b: an AND for every pair of their bits, no sum yet."""
        places = enumerate(zip(*[iter(self._pairs(a, b))] * len(b), strict=True))
        found = total(number(row) * (1 << place) for place, row in places)
        return found.within(0, number(a).high * number(b).high)

    def given(self, bits: Bits, when: Form) -> Bits:
        """A word where a bit is 1, else 0: an AND a bit."""
        return tuple(self._pairs(bits, (when,)))

    def square(self, a: Bits) -> Form:
        """a * a: an AND for every pair of different bits, no sum yet."""
        word = signals(self.gates, a)
        with self.gates.builder.barrier((word,)):
            pairs = list(combinations(enumerate(bits(word)), 2))
            ands = [all_of(self.gates, x, y) for (_, x), (_, y) in pairs]
        self.gates.builder.cell("square", {"a": word}, {"out": signals(self.gates, ands)})
        own = total(place * (1 << 2 * index) for index, place in enumerate(bits(word)))
        mixed = (both * (2 << i + j) for both, ((i, _), (j, _)) in zip(ands, pairs, strict=True))
        return (own + total(mixed)).within(0, number(a).high ** 2)

    def matches(self, word: Bits, codes: Sequence[int]) -> Bits:
        """[word = code], for each code: a wide AND."""
        bus = signals(self.gates, word)
        with self.gates.builder.barrier((bus,)):
            found = tuple(_match(self.gates, bits(bus), code) for code in codes)
        if made := tuple(signal for each in found for signal in each.weights):
            self.gates.builder.cell("matches", {"in": bus}, {"out": made})
        return found

    def _pairs(self, a: Bits, b: Bits) -> Iterable[Form]:
        """The ANDs of pairs of bits, those of the first bit of a with all of b first."""
        buses = [signals(self.gates, word) for word in (a, b)]
        with self.gates.builder.barrier(buses):
            found = [all_of(self.gates, x, y) for x in bits(buses[0]) for y in bits(buses[1])]
        a_bus, b_bus = buses
        self.gates.builder.cell("product", {"a": a_bus, "b": b_bus}, {"out": signals(self.gates, found)})
        return found


def _narrowed(form: Form) -> Form:
    """The same within what its weights allow."""
    allowed = unbounded(form)
    return form.within(allowed.low, allowed.high)


def _digits_of_a_bit(form: Form, size: int) -> Bits:
    """The digits of a form of one signal at most, each of which is one of two."""
    zero, one = (
        min(max(value, 0), (1 << size) - 1)
        for value in (form.constant, form.constant + sum(form.weights.values()))
    )
    either = total(bits(tuple(form.weights)))
    turns = ((zero >> k & 1, one >> k & 1) for k in range(size))
    return tuple((either * (after - before) + before).within(0, 1) for before, after in turns)


def _match(gates: GateLibrary, word: Bits, code: int) -> Form:
    """[word = code]"""
    places = (place if code >> index & 1 else 1 - place for index, place in enumerate(word))
    return NEVER if code >> len(word) else all_of(gates, *places)
