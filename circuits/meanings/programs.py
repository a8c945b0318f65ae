"""A netlist as an integer program: words in place of bits, and sums, tables and products of words.

A *word* is an integer that several signals tell, each by whether it lies beyond some value:

    Given     an input bus
    Digits    min(max(form, 0), 2^n - 1), say: a comparison sum, whose neurons are the digits
    Count     how many of rising places a form reaches: neurons that read one sum
    Match     which of several codes a form is, from 1; 0 if none: wide ANDs
    Product   a * b: ANDs of pairs of their bits; pairs that have no neuron are left out of it
    Quotient  min(max(form // divisor, 0), 2^n - 1): digits that read their products with the divisor
    Root      the largest number whose square is no more than a form: digits that read their products

A *form* is a constant plus terms, each of which reads one word: a multiple of some of its bits
(``Part``) or an entry of a table (``Entry``). Every neuron is a signal of some word, if only of a
``Count`` of one place.

Whoever found a program, ``require_program`` shows that it is the netlist: for each word, by induction
over the words before, every neuron is what the word says of it, synapse by synapse. A form stands for
the sum that one gets by writing out its terms in signals; two forms written out alike are equal.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikeproof.circuits.meanings.boolean import Words, require_fit, require_inputs
from spikeproof.circuits.netlist import ONE, UNUSED, ZERO, Bus, Netlist, OneLineError

MOST = 1 << 62
"""What is computed, in words of 64 bits, is always nearer to 0."""

CHUNK = 1 << 13
"""Inputs evaluated at a time: so few that words stay in caches."""

Integers = NDArray[np.int64]
Weights = Mapping[int, int]
"""By signal."""


class ProgramError(OneLineError, ValueError):
    """A program that is not its netlist, or not of words of 64 bits; the message says where."""


# --- forms --------------------------------------------------------------------------------------


class Part(NamedTuple):
    """``weight`` times the number that ``size`` bits of a word are, from ``low`` on."""

    word: int
    low: int
    size: int
    weight: int


class Entry(NamedTuple):
    """The value of a table at the number that ``size`` bits of a word are, from ``low`` on."""

    word: int
    low: int
    size: int
    values: tuple[int, ...]


Term = Part | Entry


class Form(NamedTuple):
    """A constant plus terms."""

    constant: int
    terms: tuple[Term, ...]


class Field(NamedTuple):
    """Some bits of a word, and signals that tell the number they are.

    Attributes:
        steps: whether signal k, from 1, is [number >= k]; else it is [number = k].
    """

    low: int
    size: int
    signals: Bus
    steps: bool = True


# --- words --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Given:
    """An input bus."""

    name: str
    bus: Bus

    def fields(self) -> Iterator[Field]:
        """Each bit is a signal."""
        return (Field(place, 1, (signal,)) for place, signal in enumerate(self.bus))

    def forms(self) -> tuple[Form, ...]:
        """What it reads."""
        return ()


@dataclass(frozen=True)
class Digits:
    """min(max(form, 0), most).

    Attributes:
        steps: from the top for each step the place of its lowest digit, and its neurons: as many as the
            digits may be worth together. Of digits below the last that is read there is nothing.
    """

    form: Form
    steps: tuple[tuple[int, Bus], ...]

    @property
    def most(self) -> int:
        """What all neurons are worth: 2^n - 1, if the first step has as many as its digits allow."""
        place, levels = self.steps[0]
        return (len(levels) + 1 << place) - 1

    def fields(self) -> Iterator[Field]:
        """The digits of each step."""
        return (Field(place, len(levels).bit_length(), levels) for place, levels in self.steps)

    def forms(self) -> tuple[Form, ...]:
        """What it reads."""
        return (self.form,)


@dataclass(frozen=True)
class Count:
    """How many places the form reaches, of which each is at least the one before."""

    form: Form
    places: tuple[int, ...]
    signals: Bus

    def fields(self) -> Iterator[Field]:
        """All as one."""
        yield Field(0, len(self.places).bit_length(), self.signals)

    def forms(self) -> tuple[Form, ...]:
        """What it reads."""
        return (self.form,)


@dataclass(frozen=True)
class Match:
    """Which of the codes, rising, the form is, counted from 1; 0 if none."""

    form: Form
    codes: tuple[int, ...]
    signals: Bus

    def fields(self) -> Iterator[Field]:
        """All as one."""
        yield Field(0, len(self.codes).bit_length(), self.signals, steps=False)

    def forms(self) -> tuple[Form, ...]:
        """What it reads."""
        return (self.form,)


class Hole(NamedTuple):
    """A pair of bits, by forms of each, that a product leaves out, and the weight of it."""

    weight: int
    a: Form
    b: Form


@dataclass(frozen=True)
class Product:
    """a * b, less the pairs that are left out.

    Attributes:
        a, b: as forms.
        pairs: for each bit of a and each of b the signal that is their AND, or UNUSED.
        a_bus, b_bus: the bits.
        holes: the pairs that are UNUSED.
    """

    a: Form
    b: Form
    a_bus: Bus
    b_bus: Bus
    pairs: tuple[Bus, ...]
    holes: tuple[Hole, ...] = ()

    def fields(self) -> Iterator[Field]:
        """None: it is read whole."""
        return iter(())

    def forms(self) -> tuple[Form, ...]:
        """What it reads."""
        return (self.a, self.b, *(form for hole in self.holes for form in hole[1:]))

    def weights(self) -> Iterator[tuple[int, int]]:
        """The signals, or constants, that it is the sum of, and their weights."""
        for i, row in enumerate(self.pairs):
            yield from ((signal, 1 << i + j) for j, signal in enumerate(row) if signal != UNUSED)


@dataclass(frozen=True)
class Quotient:
    """min(max(form // divisor, 0), 2^n - 1), by n digits; of a divisor 0, as if it were infinite.

    Attributes:
        bus: the bits of the divisor.
        digits: from the lowest on; each is [form - (what is above) * divisor >= 2^k divisor].
        pairs: for each digit but the lowest and each bit of the divisor the signal that is their AND.
    """

    form: Form
    divisor: Form
    bus: Bus
    digits: Bus
    pairs: tuple[Bus, ...]

    def fields(self) -> Iterator[Field]:
        """The digits."""
        return (Field(place, 1, (signal,)) for place, signal in enumerate(self.digits))

    def forms(self) -> tuple[Form, ...]:
        """What it reads."""
        return (self.form, self.divisor)


@dataclass(frozen=True)
class Root:
    """The largest number below 2^n with (scale * number - less)^2 <= form; 0 if there is none.

    Attributes:
        scale, less: positive, and from 0 to as much.
        digits: from the lowest on; each is [form - (scale * (what is above + 2^k) - less)^2 >= 0].
        pairs: for each digit but the lowest and each above it the signal that is their AND.
    """

    form: Form
    scale: int
    less: int
    digits: Bus
    pairs: tuple[Bus, ...]

    def fields(self) -> Iterator[Field]:
        """The digits."""
        return (Field(place, 1, (signal,)) for place, signal in enumerate(self.digits))

    def forms(self) -> tuple[Form, ...]:
        """What it reads."""
        return (self.form,)


Word = Given | Digits | Count | Match | Product | Quotient | Root


@dataclass(frozen=True)
class Program:
    """Words, each of which reads those before it; and the output buses as forms."""

    words: tuple[Word, ...]
    outputs: Mapping[str, Form]


# --- that a program is the netlist --------------------------------------------------------------


def require_program(netlist: Netlist, program: Program) -> None:
    """Refuse a program that is not the netlist.

    Raises:
        ProgramError: naming the neuron or bus.
    """
    check = Check(netlist, program)
    for index, word in enumerate(program.words):
        check.word(index, word)
    if set(program.outputs) != set(netlist.outputs):
        raise ProgramError("the program has other outputs")
    for name, bus in netlist.outputs.items():
        if check.written_out(len(program.words), program.outputs[name]) != _number(bus):
            raise ProgramError(f"output {name!r} is another number")


def _number(bus: Bus) -> tuple[int, dict[int, int]]:
    """What the bits of a bus add up to: a constant, and weights by signal."""
    weights: Counter[int] = Counter()
    for place, signal in enumerate(bus):
        weights[signal] += 1 << place
    return _separated(weights)


def _separated(weights: Counter[int]) -> tuple[int, dict[int, int]]:
    """The constant in a sum of signals, and the rest without what weighs nothing."""
    constant = weights[ONE]
    return constant, {s: weight for s, weight in weights.items() if weight and s not in (ZERO, ONE)}


class Check:
    """Whether words are what the neurons of a netlist are."""

    def __init__(self, netlist: Netlist, program: Program) -> None:
        self.netlist, self.program = netlist, program

    def neuron(self, signal: int) -> tuple[dict[int, int], int]:
        """What a neuron adds up, and what that has to reach, in integers."""
        if not self.netlist.input_count <= signal < self.netlist.signal_count:
            raise ProgramError(f"signal {signal} is no neuron")
        return read_neuron(self.netlist, signal)

    def written_out(self, index: int, form: Form) -> tuple[int, dict[int, int]]:
        """A form that word number ``index`` reads, in signals."""
        weights: Counter[int] = Counter({ONE: form.constant})
        for term in form.terms:
            if not 0 <= term.word < index:
                raise ProgramError(f"word {index} reads word {term.word}, which is not before it")
            word = self.program.words[term.word]
            if isinstance(word, Product):
                if not isinstance(term, Part) or (term.low, term.size) != (0, 0):
                    raise ProgramError(f"word {index} reads some bits of a product")
                for signal, weight in word.weights():
                    weights[signal] += weight * term.weight
            else:
                for signal, weight in self._read(term, list(word.fields())):
                    if weight and signal == UNUSED:
                        raise ProgramError(f"word {index} reads a signal that there is not")
                    weights[signal] += weight
        return _separated(weights)

    def _read(self, term: Term, fields: list[Field]) -> Iterator[tuple[int, int]]:
        """A term of a word that has fields, in signals."""
        end = term.low + term.size
        read = [each for each in fields if term.low <= each.low and each.low + each.size <= end]
        told = term.size > 0 and sum(each.size for each in read) == term.size
        if not told or (isinstance(term, Entry) and len(read) != 1):
            raise ProgramError(f"bits of word {term.word} are read that no signals tell")
        if isinstance(term, Part):
            if not all(each.steps for each in read):
                raise ProgramError(f"word {term.word} is no number of steps")
            for field in read:
                yield from ((each, term.weight << field.low - term.low) for each in field.signals)
            return
        field, values = read[0], term.values
        if len(values) != len(field.signals) + 1:
            raise ProgramError(f"a table has not as many values as word {term.word}")
        yield ONE, values[0]
        for k, signal in enumerate(field.signals, 1):
            yield signal, values[k] - values[k - 1 if field.steps else 0]

    def word(self, index: int, word: Word) -> None:
        """Refuse a word of which some signal is not what it says."""
        if isinstance(word, Given):
            if self.netlist.input_buses.get(word.name) != word.bus:
                raise ProgramError(f"{word.name!r} is no such input")
        elif isinstance(word, Digits):
            self._digits(word, *self.written_out(index, word.form))
        elif isinstance(word, Count):
            self._count(word, *self.written_out(index, word.form))
        elif isinstance(word, Match):
            self._match(word, *self.written_out(index, word.form))
        elif isinstance(word, Product):
            self._product(index, word)
        elif isinstance(word, Quotient):
            if self.written_out(index, word.divisor) != _number(word.bus):
                raise ProgramError(f"the divisor of word {index} is another number")
            self._quotient(word, *self.written_out(index, word.form))
        else:
            self._root(word, *self.written_out(index, word.form))

    def _digits(self, word: Digits, constant: int, weights: Weights) -> None:
        rest, end = Counter(weights), word.most + 1
        for number, (place, levels) in enumerate(word.steps):
            if len(levels) + 1 << place != end:
                raise ProgramError("digits are not one below the other")
            for k, signal in enumerate(levels, 1):
                if signal != UNUSED or number + 1 < len(word.steps):
                    self._require(signal, rest, (k << place) - constant)
            for signal in levels:
                rest[signal] -= 1 << place
            end = 1 << place

    def _require(self, signal: int, weights: Weights, least: int) -> None:
        kept = {each: weight for each, weight in weights.items() if weight}
        if self.neuron(signal) != (kept, least):
            raise ProgramError(f"neuron {signal} is no digit")

    def _count(self, word: Count, constant: int, weights: Weights) -> None:
        if len(word.signals) != len(word.places) or list(word.places) != sorted(word.places):
            raise ProgramError("the places of a count do not rise")
        for signal, place in zip(word.signals, word.places, strict=True):
            if self.neuron(signal) != (weights, place - constant):
                raise ProgramError(f"neuron {signal} compares something else")

    def _match(self, word: Match, constant: int, weights: Weights) -> None:
        if len(word.signals) != len(word.codes) or list(word.codes) != sorted(set(word.codes)):
            raise ProgramError("the codes of a match do not rise")
        powers = set(weights.values())
        if constant or len(powers) < len(weights) or any(w <= 0 or w & (w - 1) for w in powers):
            raise ProgramError("what is matched is not made of bits")
        for signal, code in zip(word.signals, word.codes, strict=True):
            literals = {each: 1 if code & weight else -1 for each, weight in weights.items()}
            ones = sum(literal > 0 for literal in literals.values())
            if code & ~sum(powers) or self.neuron(signal) != (literals, ones):
                raise ProgramError(f"neuron {signal} is no match")

    def _product(self, index: int, word: Product) -> None:
        for form, bus in ((word.a, word.a_bus), (word.b, word.b_bus)):
            if self.written_out(index, form) != _number(bus) or UNUSED in bus:
                raise ProgramError(f"a factor of word {index} is another number")
        holes = []
        if [len(row) for row in word.pairs] != [len(word.b_bus)] * len(word.a_bus):
            raise ProgramError(f"word {index} has not every pair")
        for i, (a, row) in enumerate(zip(word.a_bus, word.pairs, strict=True)):
            for j, (b, signal) in enumerate(zip(word.b_bus, row, strict=True)):
                if signal == UNUSED:
                    holes.append((1 << i + j, _number((a,)), _number((b,))))
                elif not self.is_and(signal, a, b):
                    raise ProgramError(f"signal {signal} is not the AND of {a} and {b}")
        if holes != [(w, *(self.written_out(index, f) for f in forms)) for w, *forms in word.holes]:
            raise ProgramError(f"word {index} leaves out other pairs")

    def _quotient(self, word: Quotient, constant: int, weights: Weights) -> None:
        """By induction: digits above are those of the largest number whose multiple the form reaches."""
        rest = Counter({**weights, ONE: constant})
        for place in reversed(range(len(word.digits))):
            tried = Counter(rest)
            for power, signal in enumerate(word.bus):
                tried[signal] -= 1 << place + power
            self._require_tried(word.digits[place], tried)
            if place:
                pairs = self._ands(word.digits[place], word.bus, word.pairs[place - 1])
                for power, pair in enumerate(pairs):
                    rest[pair] -= 1 << place + power

    def _root(self, word: Root, constant: int, weights: Weights) -> None:
        """By induction, since the square rises with the number, but for 0."""
        if not 0 <= word.less <= word.scale or not word.scale:
            raise ProgramError("a root is of another scale")
        square, twice = word.scale * word.scale, 2 * word.scale * word.less
        rest = Counter({**weights, ONE: constant - word.less * word.less})
        for place in reversed(range(len(word.digits))):
            above = word.digits[place + 1 :]
            tried = Counter(rest)
            tried[ONE] -= (square << 2 * place) - (twice << place)
            for power, signal in enumerate(above, place + 1):
                tried[signal] -= 2 * square << place + power
            self._require_tried(word.digits[place], tried)
            if place:
                rest[word.digits[place]] -= (square << 2 * place) - (twice << place)
                for power, pair in enumerate(
                    self._ands(word.digits[place], above, word.pairs[place - 1]), place + 1
                ):
                    rest[pair] -= 2 * square << place + power

    def _require_tried(self, signal: int, tried: Counter[int]) -> None:
        """That a neuron fires where a sum is not below 0."""
        constant, weights = _separated(tried)
        self._require(signal, weights, -constant)

    def _ands(self, digit: int, others: Bus, pairs: Bus) -> Bus:
        """The ANDs of a digit with others, if they are that."""
        if len(pairs) != len(others):
            raise ProgramError("a digit has not every pair")
        for other, pair in zip(others, pairs, strict=True):
            if not self.is_and(pair, digit, other):
                raise ProgramError(f"signal {pair} is not the AND of {digit} and {other}")
        return pairs

    def is_and(self, signal: int, a: int, b: int) -> bool:
        """Whether a signal is the AND of two, any of which may be constants."""
        if a == b or ONE in (a, b):
            return signal == (a if b == ONE else b)
        if ZERO in (a, b):
            return signal == ZERO
        return signal >= self.netlist.input_count and self.neuron(signal) == ({a: 1, b: 1}, 2)


def read_neuron(netlist: Netlist, signal: int) -> tuple[dict[int, int], int]:
    """What a neuron adds up, and what that has to reach, in integers."""
    neuron = netlist.neurons[signal - netlist.input_count]
    scale = math.lcm(*(weight.denominator for _, weight in neuron.synapses))
    weights = {source: int(weight * scale) for source, weight in neuron.synapses}
    return weights, math.ceil((neuron.threshold - neuron.bias) * scale)


# --- ranges -------------------------------------------------------------------------------------


class Range(NamedTuple):
    """Integers from ``low`` to ``high``."""

    low: int
    high: int


def ranges(program: Program) -> tuple[list[Range], list[list[Range]]]:
    """What each word, and each form that it reads, is at least and at most.

    Raises:
        ProgramError: if words of 64 bits do not hold a form or a product, with what is added up for it.
    """
    found, read, _ = _ranges(program, {})
    return found, read


def constant_in_a_row(program: Program, first: int, size: int) -> dict[str, int] | None:
    """The outputs for so many inputs from one on, if ranges show that these are all the same; else None.

    Of one input bus: with several nothing is shown.
    """
    given = [word.name for word in program.words if isinstance(word, Given)]
    if len(given) > 1:
        return None
    row = Range(first, first + size - 1)
    _, _, outputs = _ranges(program, dict.fromkeys(given, row))
    if any(low < high for low, high in outputs.values()):
        return None
    return {name: low for name, (low, _) in outputs.items()}


def _ranges(
    program: Program, inputs: Mapping[str, Range]
) -> tuple[list[Range], list[list[Range]], dict[str, Range]]:
    """The ranges of words, of what they read, and of outputs, where some input buses have ranges."""
    found: list[Range] = []
    read: list[list[Range]] = []
    for index, word in enumerate(program.words):
        read.append([_range_of(form, found, f"word {index}") for form in word.forms()])
        known = inputs.get(word.name) if isinstance(word, Given) else None
        found.append(known or _range_of_word(word, read[-1]))
        _require_each_small(f"word {index}", _compared(word))
        if isinstance(word, Product):
            _require_small(f"word {index}", found[-1], *(Range(0, hole.weight) for hole in word.holes))
    forms = program.outputs.items()
    outputs = {name: _range_of(form, found, f"output {name!r}") for name, form in forms}
    return found, read, outputs


def _range_of(form: Form, found: list[Range], what: str) -> Range:
    for term in form.terms:
        _require_each_small(what, term.values if isinstance(term, Entry) else (term.weight,))
    terms = [_range_of_term(term, found[term.word]) for term in form.terms]
    _require_small(what, Range(form.constant, form.constant), *terms)
    return Range(
        form.constant + sum(each.low for each in terms), form.constant + sum(each.high for each in terms)
    )


def _require_small(what: str, *added: Range) -> None:
    if sum(max(abs(each.low), abs(each.high)) for each in added) >= MOST:
        raise ProgramError(f"{what} is of numbers that words of 64 bits do not hold")


def _require_each_small(what: str, numbers: Iterable[int]) -> None:
    """Even of what no input reaches: an array of wider integers would be one of doubles."""
    for number in numbers:
        _require_small(what, Range(number, number))


def _compared(word: Word) -> tuple[int, ...]:
    """Numbers with which evaluation compares what a word reads, or reckons."""
    if isinstance(word, Digits):
        return (word.most,)
    if isinstance(word, Count):
        return word.places
    if isinstance(word, Match):
        return word.codes
    if isinstance(word, Root):
        return (word.scale, word.less, 1 << len(word.digits))
    return (1 << len(word.digits),) if isinstance(word, Quotient) else ()


def _range_of_term(term: Term, word: Range) -> Range:
    low, high = word
    if term.size:
        low, high = low >> term.low, high >> term.low
        above, most = low >> term.size << term.size, (1 << term.size) - 1
        low, high = (low - above, high - above) if high <= above + most else (0, most)
    if isinstance(term, Entry):
        values = term.values[low : high + 1]
        return Range(min(values), max(values))
    return Range(*sorted((low * term.weight, high * term.weight)))


def _range_of_word(word: Word, read: list[Range]) -> Range:
    if isinstance(word, Given):
        return Range(0, (1 << len(word.bus)) - 1)
    if isinstance(word, Digits):
        low, high = (min(max(each, 0), word.most) for each in read[0])
        return Range(low, high)
    if isinstance(word, Count):
        low, high = (sum(place <= each for place in word.places) for each in read[0])
        return Range(low, high)
    if isinstance(word, Match):
        low, high = read[0]
        matching = [k for k, code in enumerate(word.codes, 1) if low <= code <= high]
        return Range(matching[0] if matching and low == high else 0, max(matching, default=0))
    if isinstance(word, Quotient | Root):
        return Range(0, (1 << len(word.digits)) - 1)
    ends = [a * b for a in read[0] for b in read[1]]
    return Range(min(ends) - sum(hole.weight for hole in word.holes), max(ends))


# --- evaluation ---------------------------------------------------------------------------------


class ProgramEvaluator:
    """Evaluates a program on batches of inputs, in NumPy.

    Sums that begin alike, as those of a quotient's digits do, have their beginning once.

    Args:
        netlist, program: the program must be that of the netlist, which is checked.

    Raises:
        ProgramError: as ``require_program`` and ``ranges``.
    """

    def __init__(self, netlist: Netlist, program: Program) -> None:
        require_program(netlist, program)
        ranges(program)
        self.netlist, self.program = netlist, program
        self._forms = [[*word.forms()] for word in program.words] + [[*program.outputs.values()]]
        last = list(range(len(program.words)))
        for index, forms in enumerate(self._forms):
            for term in (term for form in forms for term in form.terms):
                last[term.word] = index
        self._read_last: list[list[int]] = [[] for _ in self._forms]
        for index, end in enumerate(last):
            self._read_last[end].append(index)
        self._plans = _plans([form for forms in self._forms for form in forms])

    def evaluate(self, inputs: Mapping[str, Words]) -> dict[str, Words]:
        """The output buses, and what is refused, as by ``circuits.meanings.boolean.evaluate``."""
        count = require_inputs(self.netlist, inputs)
        for name, width in self.netlist.inputs.items():
            require_fit(np.asarray(inputs[name]), width)
        found = {name: np.zeros(count, np.uint64) for name in self.netlist.outputs}
        for start in range(0, count, CHUNK):
            some = {n: np.asarray(words[start : start + CHUNK]) for n, words in inputs.items()}
            for name, values in self._chunk(some).items():
                found[name][start : start + CHUNK] = values
        return found

    def evaluate_in_a_row(self, first: int, size: int) -> dict[str, Words]:
        """The output buses for so many inputs from one on, by number: the first bus varies fastest."""
        one_bus = len(self.netlist.inputs) == 1
        if one_bus and (constant := constant_in_a_row(self.program, first, size)):
            return {name: np.full(size, value, np.uint64) for name, value in constant.items()}
        numbers = np.arange(first, first + size, dtype=np.uint64)
        inputs, place = {}, 0
        for name, width in self.netlist.inputs.items():
            inputs[name] = numbers >> np.uint64(place) & np.uint64((1 << width) - 1)
            place += width
        return self.evaluate(inputs)

    def _chunk(self, inputs: Mapping[str, Words]) -> dict[str, Any]:
        values: list[Any] = []
        plans = iter(self._plans)
        sums: dict[Beginning, Any] = {(): np.int64(0)}
        read: list[Any] = []
        for index, forms in enumerate(self._forms):
            read = [next(plans).sum(form.constant, values, sums) for form in forms]
            if index < len(self.program.words):
                word = self.program.words[index]
                if isinstance(word, Given):
                    values.append(_collapsed(inputs[word.name].astype(np.int64)))
                else:
                    values.append(_collapsed(_value(word, read)))
                for unread in self._read_last[index]:
                    values[unread] = None
        return dict(zip(self.program.outputs, read, strict=True))


Beginning = tuple[int, ...]
"""The first terms of a form, each by a number of its own."""


@dataclass
class _Plan:
    """How a form is added up: from a sum that is known, term after term.

    Attributes:
        known: of which terms; () if of none.
        rest: the others, each with the beginning that it completes.
        kept: beginnings that later forms read.
        forgotten: whether no later form reads ``known``.
    """

    known: Beginning
    rest: list[tuple[Term, Beginning]]
    kept: set[Beginning] = field(default_factory=set)
    forgotten: bool = False

    def sum(self, constant: int, values: list[Any], sums: dict[Beginning, Any]) -> Any:
        """What the form is, from what words are."""
        total = sums.pop(self.known) if self.forgotten else sums[self.known]
        for term, beginning in self.rest:
            total = total + _term(term, values)
            if beginning in self.kept:
                sums[beginning] = total
        return total + np.int64(constant)


def _plans(forms: list[Form]) -> list[_Plan]:
    """For each of some forms in order how it is added up."""
    numbers: dict[Term, int] = {}
    made_by: dict[Beginning, _Plan] = {}
    last: dict[Beginning, _Plan] = {}
    plans = []
    for form in forms:
        key = tuple(numbers.setdefault(term, len(numbers)) for term in form.terms)
        size = next((k for k in range(len(key), 0, -1) if key[:k] in made_by), 0)
        plan = _Plan(key[:size], [(form.terms[k], key[: k + 1]) for k in range(size, len(key))])
        plans.append(plan)
        if size:
            made_by[key[:size]].kept.add(key[:size])
            last[key[:size]] = plan
        made_by.update((beginning, plan) for _, beginning in plan.rest)
    for plan in last.values():
        plan.forgotten = True
    return plans


def _collapsed(value: Any) -> Any:
    """Values as one, where all are equal: of inputs in a row much depends on their upper bits alone."""
    if value.ndim and value[0] == value[-1] and np.all(value == value[0]):
        return value[0]
    return value


def _term(term: Term, values: list[Any]) -> Any:
    """What a term is."""
    value = values[term.word]
    if term.size:
        value = _collapsed(value >> term.low & (1 << term.size) - 1)
    return np.array(term.values)[value] if isinstance(term, Entry) else value * term.weight


def _value(word: Word, read: list[Any]) -> Any:
    """A word, of what its forms are."""
    if isinstance(word, Digits):
        return np.clip(read[0], 0, word.most)
    if isinstance(word, Count):
        if len(word.places) == 1:
            return (read[0] >= word.places[0]).astype(np.int64)
        return np.searchsorted(np.array(word.places), read[0], side="right")
    if isinstance(word, Match):
        codes = np.array(word.codes)
        place = np.searchsorted(codes, read[0], side="right")
        return np.where(codes[place - 1] == read[0], place, 0)
    if isinstance(word, Quotient):
        most = (1 << len(word.digits)) - 1
        found = np.clip(read[0] // np.maximum(read[1], 1), 0, most)
        return np.where((read[1] == 0) & (read[0] >= 0), most, found)
    if isinstance(word, Root):
        found = (_whole_root(np.maximum(read[0], 0)) + word.less) // word.scale
        return np.where(read[0] < 0, 0, np.minimum(found, (1 << len(word.digits)) - 1))
    assert isinstance(word, Product)
    left_out = zip(word.holes, read[2::2], read[3::2], strict=True)
    return read[0] * read[1] - sum((hole.weight * a * b for hole, a, b in left_out), np.int64(0))


def _whole_root(value: Any) -> Any:
    """The root, rounded down, of what is not below 0, and below ``MOST``.

    A double has it but for an error of less than 1, which is made good.
    """
    found = np.sqrt(value.astype(np.float64)).astype(np.int64)
    found = found - (found * found > value)
    return found + ((found + 1) * (found + 1) <= value)
