"""Programs of words on part of their inputs: signals as sums of products of bits, and bounds on these.

A *bit sum* is a constant plus rational numbers times products of different signals, each signal 0 or 1.
Within what such a sum lies is easily said: it is at least its negative terms, and at most its positive
ones. A difference of two sums that are nearly the same has terms that are small, or none.

``Signals`` says what signals of a program are as such sums where some are known: of words whose form is
then constant, or within a range that decides; of digits of a form that is itself made of bits, each of
another power of two. Any other signal stands for itself.

The argument is proved in Coq: ``proofs/mechanised/bit_sums.v``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

from spikeproof.circuits.meanings.programs import Check, Count, Digits, Match, Product, Program, Word
from spikeproof.circuits.netlist import ONE, ZERO, Bus, Netlist

Number = int | Fraction
Bits = frozenset[int]
"""Signals that are multiplied."""

NONE: Bits = frozenset()


class BoundError(ValueError):
    """A circuit that is not shown to be within a bound; the message says where."""


class Interval(NamedTuple):
    """Numbers from ``low`` to ``high``."""

    low: Number
    high: Number

    def plus(self, other: Interval) -> Interval:
        """All sums of two."""
        return Interval(self.low + other.low, self.high + other.high)

    def times(self, factor: Number) -> Interval:
        """All multiples."""
        return Interval(*sorted((self.low * factor, self.high * factor)))

    def joined(self, other: Interval) -> Interval:
        """The numbers of both, and what is between."""
        return Interval(min(self.low, other.low), max(self.high, other.high))


def exactly(number: Number) -> Interval:
    """One number."""
    return Interval(number, number)


# --- bit sums -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class BitSum:
    """A sum of products of bits; that of no bits is the constant."""

    terms: Mapping[Bits, Number]

    @classmethod
    def of(cls, terms: Iterable[tuple[Bits, Number]]) -> BitSum:
        """The sum of some terms."""
        found: dict[Bits, Number] = {}
        for bits, weight in terms:
            found[bits] = found.get(bits, 0) + weight
        return cls({bits: weight for bits, weight in found.items() if weight})

    @property
    def constant(self) -> Number:
        """What it is where all bits are 0."""
        return self.terms.get(NONE, 0)

    @property
    def is_constant(self) -> bool:
        """Whether it has no bits."""
        return not self.terms.keys() - {NONE}

    def __add__(self, other: BitSum) -> BitSum:
        return BitSum.of((*self.terms.items(), *other.terms.items()))

    def __sub__(self, other: BitSum) -> BitSum:
        return self + other.times(-1)

    def times(self, factor: Number) -> BitSum:
        """A multiple."""
        return BitSum.of((bits, weight * factor) for bits, weight in self.terms.items())

    def by(self, other: BitSum) -> BitSum:
        """The product: a bit times itself is that bit."""
        return BitSum.of(
            (a | b, weight * more) for a, weight in self.terms.items() for b, more in other.terms.items()
        )

    @property
    def range(self) -> Interval:
        """Within what it lies."""
        weights = [weight for bits, weight in self.terms.items() if bits]
        low, high = sum(min(w, 0) for w in weights), sum(max(w, 0) for w in weights)
        return exactly(self.constant).plus(Interval(low, high))


def constant(number: Number) -> BitSum:
    """A sum of no bits."""
    return BitSum({NONE: number} if number else {})


def bit(signal: int) -> BitSum:
    """A signal that stands for itself."""
    return BitSum({frozenset((signal,)): 1})


def number(bus: Bus, first: int = 0) -> BitSum:
    """What the signals of a bus add up to, of which the first weighs 2^first."""
    places = ((signal, 1 << first + place) for place, signal in enumerate(bus) if signal != ZERO)
    return BitSum.of((NONE if signal == ONE else frozenset((signal,)), unit) for signal, unit in places)


def binary(found: BitSum, most: int) -> Mapping[int, BitSum] | None:
    """The digits that are not 0 of a number from 0 to ``most``, if it is made of bits; else None."""
    digits: dict[int, BitSum] = {}
    for bits, weight in found.terms.items():
        if weight != int(weight) or weight < 0:
            return None
        places = [place for place in range(int(weight).bit_length()) if int(weight) >> place & 1]
        if (bits and len(places) > 1) or digits.keys() & set(places):
            return None
        digits.update((place, BitSum({bits: 1})) for place in places)
    return digits if found.range.high <= most else None


def conjunction(found: BitSum, place: Number) -> BitSum | None:
    """1 where a sum reaches a place, if that takes all of its bits; else None."""
    weights = [weight for bits, weight in found.terms.items() if bits]
    high = found.range.high
    if not high - min(weights) < place <= high or min(weights) < 0:
        return None
    return BitSum({frozenset().union(*found.terms): 1})


# --- signals of a program -----------------------------------------------------------------------


@dataclass
class Reader:
    """A program that is shown to be its netlist, and where its signals are."""

    netlist: Netlist
    program: Program
    ands: dict[int, tuple[int, int]] = field(default_factory=dict)
    word_of: dict[int, int] = field(default_factory=dict)
    forms: dict[int, tuple[int, Mapping[int, int]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.check = Check(self.netlist, self.program)
        for index, word in enumerate(self.program.words):
            for each in word.fields():
                self.word_of.update((signal, index) for signal in each.signals if signal >= 0)
            if isinstance(word, Product):
                self.ands.update(_ands(word))

    def word(self, signal: int) -> Digits | Count | Match | None:
        """The word of a signal, if it has a form."""
        word = self.program.words[self.word_of[signal]] if signal in self.word_of else None
        return word if isinstance(word, Digits | Count | Match) else None

    def form(self, signal: int) -> tuple[int, Mapping[int, int]]:
        """What the word of a signal reads: a constant, and weights by signal."""
        word = self.word(signal)
        if word is None:
            raise BoundError(f"signal {signal} is of no word that has a form")
        index = self.word_of[signal]
        if index not in self.forms:
            self.forms[index] = self.check.written_out(index, word.form)
        return self.forms[index]


def _ands(word: Product) -> Iterator[tuple[int, tuple[int, int]]]:
    for a, row in zip(word.a_bus, word.pairs, strict=True):
        for b, signal in zip(word.b_bus, row, strict=True):
            if signal >= 0 and signal not in (a, b):
                yield signal, (a, b)


class Signals:
    """What signals are where some are known.

    Args:
        known: what is known of some, or that they stand for themselves.
        within: sums, and within what each lies where that is known to be.
    """

    def __init__(
        self,
        reader: Reader,
        known: Mapping[int, BitSum],
        within: Iterable[tuple[BitSum, Interval]] = (),
    ) -> None:
        self.reader, self.within = reader, tuple(within)
        self.known = {ZERO: constant(0), ONE: constant(1), **known}

    def sum(self, least: int, weights: Mapping[int, int]) -> BitSum:
        """A form that is written out."""
        found: dict[Bits, Number] = defaultdict(int, {NONE: least})
        for signal, weight in weights.items():
            for bits, more in self.signal(signal).terms.items():
                found[bits] += weight * more
        return BitSum({bits: weight for bits, weight in found.items() if weight})

    def form(self, signal: int) -> BitSum:
        """The form of the word that a signal is of."""
        return self.sum(*self.reader.form(signal))

    def signal(self, signal: int) -> BitSum:
        """A signal."""
        if signal not in self.known:
            if signal in self.reader.ands:
                a, b = map(self.signal, self.reader.ands[signal])
                self.known[signal] = a.by(b)
            elif word := self.reader.word(signal):
                self._settle(word, self.form(signal))
            self.known.setdefault(signal, bit(signal))
        return self.known[signal]

    def _settle(self, word: Word, form: BitSum) -> None:
        """What the signals of a word are, as far as its form tells."""
        low, high = self.range(form)
        if isinstance(word, Count):
            for signal, place in zip(word.signals, word.places, strict=True):
                if (place <= low) == (place <= high):
                    self.known.setdefault(signal, constant(int(place <= low)))
                elif reached := conjunction(form, place):
                    self.known.setdefault(signal, reached)
            return
        elif isinstance(word, Match):
            told = dict(zip(word.signals, (code == low for code in word.codes), strict=True))
            told = told if low == high else {}
        else:
            assert isinstance(word, Digits)
            low, high = (min(max(each, 0), word.most) for each in (low, high))
            digits = binary(constant(low) if low == high else form, word.most)
            if digits is not None and all(len(levels) == 1 for _, levels in word.steps):
                for place, levels in word.steps:
                    self.known.setdefault(levels[0], digits.get(place, constant(0)))
            return
        for signal, value in told.items():
            self.known.setdefault(signal, constant(int(value)))

    def range(self, form: BitSum) -> Interval:
        """Within what a sum lies, by what is known of others."""
        found = form.range
        for each, interval in self.within:
            for sign in (1, -1):
                rest = form - each.times(sign)
                if rest.is_constant:
                    found = exactly(rest.constant).plus(interval.times(sign))
        return found
