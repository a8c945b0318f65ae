"""Integer programs written once: for neurons, and for arrays of numbers, by which they are tried.

A program is a function of one of two *machines*, which have the same methods. What it does with words
and forms is theirs alone, but that forms are added and multiplied by integers, and that ``word[i]`` is
a bit and ``word[i:j]`` a word. ``Neurons`` makes the circuit. ``Arrays`` says what a circuit so made
computes, and what comes to light on the way, for many inputs at once: where a result is nearly another,
say. Nothing rests on that: what a circuit computes is what its neurons do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeproof.circuits.netlist import Netlist
from spikeproof.circuits.units.forms import Bits, bits, number, signals, total
from spikeproof.circuits.units.forms import Form as NeuronForm
from spikeproof.circuits.units.functions.quotient import quotient
from spikeproof.circuits.units.functions.root import root
from spikeproof.circuits.units.functions.sums import Sums
from spikeproof.circuits.units.libraries import DEFAULT_LIBRARY, library_gates

Machine = Any
"""``Neurons`` or ``Arrays``."""

Word = Any
"""What ``digits`` gives: unsigned, least significant bit first."""

Form = Any
"""What a machine adds up."""

Integers = NDArray[np.int64]

STEP = 4
"""Shifts are by less than this, and by a multiple of it."""


class Neurons(Sums):
    """The machine that makes neurons."""

    def probed(self, name: str, word: Bits) -> Bits:
        """A word, or comparators, that somebody may want to find again: as they are."""
        return word

    def number(self, word: Bits) -> NeuronForm:
        """What a word is worth, as a form."""
        return number(word)

    def held(self, form: NeuronForm, size: int) -> NeuronForm:
        """A form from 0 to less than 2^size, which several ask for: as it is."""
        return form

    def weighted(self, word: Bits, weights: Sequence[int]) -> NeuronForm:
        """The sum of its bits times a weight each."""
        return total(place * weight for place, weight in zip(word, weights, strict=True))

    def signed(self, word: Bits, sign: NeuronForm, weights: Sequence[int]) -> NeuronForm:
        """The same, of which the negative is taken where a bit is 1."""
        negated = self.given(word, sign)
        return self.weighted(word, weights) - self.weighted(negated, [2 * each for each in weights])

    def exclusive(self, forms: Sequence[NeuronForm]) -> NeuronForm:
        """The sum of forms of which all but one are 0, or all."""
        return total(forms)

    def powers(self, word: Bits, count: int) -> Bits:
        """2^word, as a word of which one bit is 1; 0 if it has no such bit among so many."""
        return self.matches(word, range(count))

    def quotient(self, form: NeuronForm, divisor: Bits, size: int) -> tuple[Bits, NeuronForm]:
        """min(max(form // divisor, 0), 2^size - 1), and what remains."""
        return quotient(self, form, divisor, size)

    def root(self, form: NeuronForm, size: int, scale: int = 1, less: int = 0) -> Bits:
        """The largest Q below 2^size with (scale Q - less)^2 <= form; 0 if there is none."""
        return root(self, form, size, scale, less)


class Probed(Neurons):
    """The machine that leaves probes of words that somebody wants to find again."""

    def probed(self, name: str, word: Bits) -> Bits:
        """A word, or comparators, of which there is a probe."""
        self.gates.builder.probe(name, signals(self.gates, word))
        return word


def probed_netlist(width: int, result: Callable[[Probed, Bits], Bits]) -> Netlist:
    """A function of one word as a netlist: input ``x``, output ``result``.

    Args:
        width: bits of the word.
        result: makes what comes of it.
    """
    gates = library_gates(DEFAULT_LIBRARY)
    x = gates.builder.input("x", width)
    return gates.builder.build({"result": signals(gates, result(Probed(gates), bits(x)))})


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

    def probed(self, name: str, word: Any) -> Any:
        """A word, or comparators, that somebody may want to find again: as they are."""
        return word

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

    def held(self, form: Integers, size: int) -> Integers:
        """A form from 0 to less than 2^size, which several ask for: as it is."""
        return form

    def weighted(self, word: ArrayWord, weights: Sequence[int]) -> Integers:
        """The sum of its bits times a weight each."""
        found = np.zeros_like(word.value)
        for first in range(0, word.size, CHUNK):
            sums = np.zeros(1, dtype=np.int64)
            for weight in weights[first : min(first + CHUNK, word.size)]:
                sums = np.concatenate((sums, sums + weight))
            found += sums[(word.value >> first) & len(sums) - 1]
        return found

    def signed(self, word: ArrayWord, sign: Integers, weights: Sequence[int]) -> Integers:
        """The same, of which the negative is taken where a bit is 1."""
        return self.weighted(word, weights) * (1 - 2 * sign)

    def exclusive(self, forms: Sequence[Integers]) -> Integers:
        """The sum of forms of which all but one are 0, or all."""
        return sum(forms[1:], forms[0])

    def product(self, a: ArrayWord, b: ArrayWord) -> Integers:
        """a * b"""
        return a.value * b.value

    def given(self, word: ArrayWord, when: Integers) -> ArrayWord:
        """A word where a bit is 1, else 0."""
        return ArrayWord(word.value * when, word.size)

    def powers(self, word: ArrayWord, count: int) -> ArrayWord:
        """2^word, as a word of which one bit is 1; 0 if it has no such bit among so many."""
        found = np.where(word.value < count, np.int64(1) << np.minimum(word.value, count), 0)
        return ArrayWord(found, count)

    def quotient(self, form: Integers, divisor: ArrayWord, size: int) -> tuple[ArrayWord, Integers]:
        """min(max(form // divisor, 0), 2^size - 1), and what remains."""
        found = np.clip(form // divisor.value, 0, (1 << size) - 1)
        return ArrayWord(found, size), form - found * divisor.value


# --- parts of programs --------------------------------------------------------------------------


def cut_product(machine: Machine, factor: Word, word: Word, place: int) -> Form:
    """factor * word / 2^place; what is cut off of each bit's share, 1/4 on average, is added."""
    cut = ((word[max(place - index, 0) :], index, factor[index]) for index in range(len(factor)))
    rows = [
        machine.number(machine.given(row, bit)) * (1 << max(index - place, 0))
        for row, index, bit in cut
        if len(row)
    ]
    return sum(rows, min(len(factor), place) // 4)


def cut_half_square(machine: Machine, word: Word, place: int) -> Form:
    """word^2 / 2^(place + 1), likewise."""
    own = [1 << 2 * index - place - 1 if 2 * index > place else 0 for index in range(len(word))]
    rows = [
        machine.number(machine.given(word[place - index : index], word[index]))
        for index in range(place // 2 + 1, len(word))
    ]
    return sum(rows, machine.weighted(word, own) + len(rows) // 4)


def choice(machine: Machine, words: Sequence[Word], which: Word, gap: int = 0) -> Form:
    """words[k] * 2^(gap * k), for the k of which the bit is 1."""
    pairs = ((word, k) for k, word in enumerate(words) if len(word))
    return machine.exclusive(
        [machine.number(machine.given(word, which[k])) * (1 << gap * k) for word, k in pairs]
    )


def powers_of(machine: Machine, word: Word, count: int, step: int) -> tuple[Word, Word]:
    """2^(word % step) and 2^(word // step), of a word less than ``count``."""
    low = step.bit_length() - 1
    return machine.powers(word[:low], step), machine.powers(word[low:], -(-count // step))
