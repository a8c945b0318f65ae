"""Integer programs written once: for neurons, and for arrays of numbers, by which they are tried.

A program is a function of one of two *machines*, which have the same methods. What it does with words and
forms is theirs alone, but that forms are added and multiplied by integers, and that ``word[i]`` is a bit
and ``word[i:j]`` a word. ``Neurons`` makes the circuit. ``Arrays`` says what a circuit so made computes,
and what comes to light on the way, for many inputs at once: where a result is nearly another, say.
Nothing rests on that: what a circuit computes is what its neurons do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeproof.circuits.units.forms import NEVER, Bits, number, total
from spikeproof.circuits.units.forms import Form as NeuronForm
from spikeproof.circuits.units.functions.sums import Sums

Machine = Any
"""``Neurons`` or ``Arrays``."""

Word = Any
"""What ``digits`` gives: unsigned, least significant bit first."""

Form = Any
"""What a machine adds up."""

Integers = NDArray[np.int64]


class Neurons(Sums):
    """The machine that makes neurons."""

    def number(self, word: Bits) -> NeuronForm:
        """What a word is worth, as a form."""
        return number(word)

    def weighted(self, word: Bits, weights: Sequence[int]) -> NeuronForm:
        """The sum of its bits times a weight each."""
        return total(place * weight for place, weight in zip(word, weights, strict=True))

    def powers(self, word: Bits, count: int, gap: int = 1) -> Bits:
        """2^(gap * word), as a word of which one bit is 1; 0 if the word is not less than the count."""
        matches = self.matches(word, range(count))
        between = (NEVER,) * (gap - 1)
        return tuple(place for match in matches for place in (match, *between))


@dataclass(frozen=True)
class ArrayWord:
    """A word of ``size`` bits for many inputs at once."""

    value: Integers
    size: int

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, key: int | slice) -> Any:
        first, end, _ = (slice(key, key + 1) if isinstance(key, int) else key).indices(self.size)
        size = max(0, end - first)
        value = (self.value >> first) & (1 << size) - 1
        return value if isinstance(key, int) else ArrayWord(value, size)


CHUNK = 12
"""Bits of a word that are looked up at once in a table of sums of weights."""


class Arrays:
    """The machine that computes: forms are arrays of integers, and so is what a word is worth."""

    def digits(self, form: Integers, size: int) -> ArrayWord:
        """min(max(form, 0), 2^size - 1)"""
        return ArrayWord(np.clip(form, 0, (1 << size) - 1), size)

    def comparators(self, form: Integers, places: Sequence[int]) -> Integers:
        """How many of rising places it has reached."""
        return np.searchsorted(np.asarray(places, dtype=np.int64), form, side="right")

    def table(self, steps: Integers, values: Sequence[int]) -> Integers:
        """The value of that index."""
        found: Integers = np.asarray(values, dtype=np.int64)[steps]
        return found

    def number(self, word: ArrayWord) -> Integers:
        """What a word is worth, as a form."""
        return word.value

    def weighted(self, word: ArrayWord, weights: Sequence[int]) -> Integers:
        """The sum of its bits times a weight each."""
        found = np.zeros_like(word.value)
        for first in range(0, word.size, CHUNK):
            sums = np.zeros(1, dtype=np.int64)
            for weight in weights[first : min(first + CHUNK, word.size)]:
                sums = np.concatenate((sums, sums + weight))
            found += sums[(word.value >> first) & len(sums) - 1]
        return found

    def product(self, a: ArrayWord, b: ArrayWord) -> Integers:
        """a * b"""
        return a.value * b.value

    def given(self, word: ArrayWord, when: Integers) -> ArrayWord:
        """A word where a bit is 1, else 0."""
        return ArrayWord(word.value * when, word.size)

    def powers(self, word: ArrayWord, count: int, gap: int = 1) -> ArrayWord:
        """2^(gap * word), as a word of which one bit is 1; 0 if the word is not less than the count."""
        found = np.where(word.value < count, np.int64(1) << gap * np.minimum(word.value, count), 0)
        return ArrayWord(found, gap * count)
