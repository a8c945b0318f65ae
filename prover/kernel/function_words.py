"""What arguments about functions of one number have in common: words by their probes, regions, errors.

The program (``circuits.meanings.programs``) is the netlist, neuron by neuron. What the circuit's probes
say of its words is a claim, which whoever uses it has to check.

*Regions.* One word counts how many of some codes x has reached. Where the result is then constant, it is
the right one at both ends of each row of numbers of one sign, and so between them: the function is
monotone there, or is NaN of all of them but zero; and rounding is monotone. Where that is not so of all
numbers, a function says of which rows it is (``told_by_ends``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from functools import reduce
from itertools import accumulate, dropwhile, pairwise
from typing import NamedTuple

from spikeproof.circuits.meanings.program_reading import read_program
from spikeproof.circuits.meanings.programs import Count, Digits, require_program
from spikeproof.circuits.netlist import UNUSED, ZERO, Bus, Netlist
from spikeproof.prover.kernel.bit_sums import (
    BitSum,
    BoundError,
    Interval,
    Reader,
    Signals,
    bit,
    constant,
    exactly,
    number,
)
from spikeproof.specs import enclosures
from spikeproof.specs.exact import decode
from spikeproof.specs.formats import Format, OverflowPolicy, RoundingMode
from spikeproof.specs.functions import compute

BITS = 256
"""Of enclosures."""

LN2 = Interval(*(Fraction(enclosures.ln2(BITS) + error, 1 << BITS) for error in (-2, 2)))
NOTHING = constant(0)


def require(holds: bool, otherwise: str) -> None:
    """Refuse a circuit of which something does not hold.

    Raises:
        BoundError: with what is the case instead.
    """
    if not holds:
        raise BoundError(otherwise)


def joined(intervals: Iterable[Interval]) -> Interval:
    """The numbers of all, and what is between."""
    return reduce(Interval.joined, intervals)


def product_of(a: Interval, b: Interval) -> Interval:
    """All products of two."""
    return joined(b.times(factor) for factor in a)


def enclosed(enclosure: enclosures.Enclosure) -> Interval:
    """An enclosure as an interval."""
    unit = Fraction(2) ** enclosure.exponent
    return Interval(enclosure.low * unit, enclosure.high * unit)


def logarithm_of_1_plus(x: Fraction) -> Interval:
    """ln(1 + x)"""
    return enclosed(enclosures.logarithm_of_1_plus(x, BITS)) if x else exactly(0)


def logarithm_of_error(off: Interval, unit: int) -> Interval:
    """That of 1 + off / y, for all y of at least ``unit``: ln(1 + z) is at least z - z^2."""
    low, high = (Fraction(each, unit) for each in (min(off.low, 0), max(off.high, 0)))
    require(low >= Fraction(-1, 2), "errors are as large as what they are of")
    return Interval(low - low * low, high)


class Word(NamedTuple):
    """Digits of a word from one place on.

    Attributes:
        bus: of the digits; ZERO where there is none.
        low: the place of the first.
        most: what the whole word is clamped to.
    """

    bus: Bus
    low: int
    most: int

    @property
    def sum(self) -> BitSum:
        """The digits as a number."""
        return number(self.bus)

    @property
    def apart(self) -> dict[int, BitSum]:
        """That they stand for themselves."""
        return {signal: bit(signal) for signal in self.bus if signal >= 0}


class Region(NamedTuple):
    """Numbers of one sign, from a code to another.

    Attributes:
        known: what that says of signals.
    """

    fmt: Format
    first: int
    last: int
    known: Mapping[int, BitSum]

    @property
    def sign(self) -> int:
        """1 or -1."""
        return -1 if self.first & self.fmt.sign_mask else 1

    @property
    def magnitudes(self) -> Interval:
        """From the least to the largest."""
        return Interval(*(decode(self.fmt, code).rational for code in (self.first, self.last)))

    @property
    def fields(self) -> range:
        """Their exponent fields."""
        first, last = (
            (code & self.fmt.sign_mask - 1) >> self.fmt.fraction_bits for code in (self.first, self.last)
        )
        return range(first, last + 1)


class FunctionWords:
    """The words of a circuit that computes a function: input bus ``x``, output bus ``result``.

    Args:
        function: by its name in ``specs.functions``.

    Raises:
        ProgramError: if the netlist's program is another.
        BoundError: if there is no such word.
    """

    def __init__(self, netlist: Netlist, fmt: Format, function: str) -> None:
        program = read_program(netlist)
        require_program(netlist, program)
        self.reader, self.fmt, self.function = Reader(netlist, program), fmt, function
        self.x = netlist.input_buses["x"]
        *code, self.sign = netlist.outputs["result"]
        self.result = self.word(tuple(code))

    def probe(self, name: str) -> Bus:
        """The signals of a probe."""
        found = self.reader.netlist.probes.get(name, ())
        require(bool(found), f"there is no probe {name!r}")
        return found

    def probes(self, name: str) -> int:
        """How many there are of a name and a number from 0 on."""
        return sum(each.startswith(f"{name}.") for each in self.reader.netlist.probes)

    def probed(self, name: str) -> Word:
        """Digits that a probe has, from the lowest that is read."""
        return self.word(tuple(dropwhile(UNUSED.__eq__, self.probe(name))))

    def word(self, bus: Bus) -> Word:
        """All digits of a word from some place on."""
        word = self.reader.word(bus[0])
        require(isinstance(word, Digits), f"{bus} is no word")
        assert isinstance(word, Digits)
        require(all(len(levels) == 1 for _, levels in word.steps), "digits are found several at once")
        place_of = {levels[0]: place for place, levels in word.steps}
        low = place_of[bus[0]]
        wanted = {s: low + place for place, s in enumerate(bus) if s != ZERO}
        require(
            wanted == {s: place for s, place in place_of.items() if place >= low}, f"{bus} lacks digits"
        )
        return Word(bus, low, word.most)

    def count(self, name: str) -> tuple[Count, dict[int, int], int]:
        """A count, what it reads, and a constant that it reads besides."""
        word = self.reader.word(self.probe(name)[0])
        require(isinstance(word, Count) and word.signals == self.probe(name), f"{name} is no count")
        assert isinstance(word, Count)
        least, weights = self.reader.form(word.signals[0])
        return word, dict(weights), least

    def chosen(self, count: Count, name: str) -> tuple[Word, tuple[int, ...]]:
        """A word that a count chooses: its value of no step, of one, and so on."""
        word = self.probed(name)
        first, values = self.reader.form(word.bus[0])
        others = {s for s, weight in values.items() if weight} - {*count.signals}
        require(not others and not word.low, f"{name} is not chosen by its steps")
        found = entries(count.signals, values, first)
        require(min(found) >= 0 and max(found) <= word.most, f"{name} is clamped")
        return word, found

    # --- regions --------------------------------------------------------------------------------

    def regions(self, *apart: Word) -> Iterator[Region]:
        """Those of finite numbers whose results are not constant; where they are, these are right.

        Args:
            apart: words of which constant results do not depend.
        """
        count, weights, least = self.count("region")
        as_given = {signal: 1 << place for place, signal in enumerate(self.x)}
        require((least, weights) == (0, as_given), "regions are of another number than x")
        ends = (0, *count.places, 1 << self.fmt.width)
        unknown = {signal: itself for word in apart for signal, itself in word.apart.items()}
        for index, (start, end) in enumerate(pairwise(ends)):
            known = {s: constant(int(k <= index)) for k, s in enumerate(count.signals, 1)}
            if start == end:
                continue
            if start // self.fmt.sign_mask == (end - 1) // self.fmt.sign_mask:
                known[self.x[-1]] = constant(start // self.fmt.sign_mask)
            rows = self.rows(start, end - 1)
            signals = Signals(self.reader, {**known, **unknown})
            if self.is_constant(signals):
                told = all(self.told_by_ends(*row) for row in rows)
                require(told, f"from {start:x} on the ends of a row do not tell what is between")
                results = {self.right(code) for row in rows for code in row}
                found = self.code(signals).constant
                require(results == {found}, f"from {start:x} on the constant is wrong")
            else:
                finite = (end - 1) & self.fmt.sign_mask - 1 <= self.fmt.largest_finite
                require(finite and len(rows) == 1, f"from {start:x} on there are other codes")
                yield Region(self.fmt, start, end - 1, known)

    def rows(self, first: int, last: int) -> list[tuple[int, int]]:
        """The ends of numbers, or infinite, of one sign, and of NaNs, from one code to another."""
        sign, nan = self.fmt.sign_mask, self.fmt.infinity + 1
        starts = (start for start in (nan, sign, sign + nan) if first < start <= last)
        return [(start, end - 1) for start, end in pairwise((first, *starts, last + 1))]

    def told_by_ends(self, first: int, last: int) -> bool:
        """Whether a row's results are constant if those at both ends are alike."""
        return True

    def right(self, x: int) -> int:
        """The correctly rounded result."""
        return compute(self.function, self.fmt, RoundingMode.NEAREST_EVEN, OverflowPolicy.IEEE, x)

    def code(self, signals: Signals) -> BitSum:
        """What the result is, with its sign.

        Raises:
            BoundError: if its word may be clamped, or has other digits.
        """
        form = signals.form(self.result.bus[0])
        low, high = form.range
        require(low >= 0 and high <= self.result.most and not self.result.low, "the code is clamped")
        return form + signals.signal(self.sign).times(self.fmt.sign_mask)

    def is_constant(self, signals: Signals) -> bool:
        """Whether the result is, with its sign, if its word is not clamped."""
        return signals.form(self.result.bus[0]).is_constant and signals.signal(self.sign).is_constant


def entries(steps: Bus, weights: Mapping[int, int], first: int) -> tuple[int, ...]:
    """What the signals of a count come to in a form, of no step, of one, and so on."""
    return tuple(accumulate((weights.get(s, 0) for s in steps), initial=first))


def between(within: Interval, places: Iterable[int]) -> Iterator[Interval]:
    """Of whole numbers those that reach no place, one place, and so on: none if ``high`` is less."""
    ends = (within.low, *places)
    lows = (max(within.low, each) for each in ends)
    highs = (*(min(within.high, each - 1) for each in ends[1:]), within.high)
    return (Interval(low, high) for low, high in zip(lows, highs, strict=True))
