"""Finding the program that a netlist is. Nothing that is found is believed: see ``programs``.

Cells tell where digits, products and matches are; a neuron that is not what its cell says is left out of
the word, and one that is in no word is a ``Count``, together with all that read the same sum.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from spikeproof.circuits.meanings.programs import (
    Check,
    Count,
    Digits,
    Entry,
    Form,
    Given,
    Hole,
    Match,
    Part,
    Product,
    Program,
    ProgramError,
    Quotient,
    Root,
    Term,
    Word,
    read_neuron,
)
from spikeproof.circuits.netlist import ONE, UNUSED, ZERO, Block, Bus, Netlist

SCALES = ((1, 0), (2, 1), (1, 1), (2, 0), (4, 0), (8, 0), (16, 0), (32, 0))
"""Of roots, and what is less: those that are looked for."""

Sum = Counter[int]
"""Weights by signal; ONE has the constant."""


def read_program(netlist: Netlist) -> Program:
    """The program of a netlist."""
    return _Reader(netlist).program()


@dataclass
class _Pairs:
    """A product that is no word yet.

    Attributes:
        units: for each signal, the diagonal of a square included, what it weighs in the product.
    """

    a: Bus
    b: Bus
    pairs: list[Bus]
    units: Sum = field(default_factory=Counter)

    @property
    def last(self) -> int:
        """The last signal that it needs."""
        return max((*self.a, *self.b, *self.units))

    def __post_init__(self) -> None:
        for i, row in enumerate(self.pairs):
            for j, signal in enumerate(row):
                self.units[signal] += 1 << i + j


class _Reader:
    def __init__(self, netlist: Netlist) -> None:
        self.netlist = netlist
        self.first = netlist.input_count
        self.neurons = [read_neuron(netlist, s) for s in range(self.first, netlist.signal_count)]
        self.words: list[Word] = []
        self.place_of: dict[int, tuple[int, int, int]] = {}  # word, field, and signal in it, from 0
        self.products: list[_Pairs] = []
        self.products_of: dict[int, list[int]] = defaultdict(list)
        self.word_of: dict[int, int] = {}  # of products
        self.digits: dict[int, list[tuple[int, Bus]]] = {}
        self.matches: dict[int, Bus] = {}
        self.recurrences: dict[int, Block] = {}  # by their highest digit
        self.ands: dict[tuple[int, ...], int] = {}
        self.alike: dict[frozenset[tuple[int, int]], list[int]] = defaultdict(list)

    def program(self) -> Program:
        for name, bus in self.netlist.input_buses.items():
            self._add(Given(name, bus))
        self._look_at_cells()
        for signal in range(self.first, self.netlist.signal_count):
            if signal not in self.products_of:
                self._read(signal)
        outputs = {}
        for name, bus in self.netlist.outputs.items():
            outputs[name] = self._form(_sum((s, 1 << k) for k, s in enumerate(bus)))
        return Program(tuple(self.words), outputs)

    # --- what cells say -------------------------------------------------------------------------

    def _look_at_cells(self) -> None:
        for cell in self.netlist.cells:
            if cell.kind in ("product", "square"):
                self._look_at_product(cell)
            elif cell.kind == "digits":
                self._look_at_digits(cell)
            elif cell.kind in ("quotient", "root") and cell.outputs.get("out"):
                self.recurrences[cell.outputs["out"][-1]] = cell
        for cell in self.netlist.cells:
            if cell.kind == "matches":
                self._look_at_matches(cell)
        taken = {*self.products_of, *self.digits, *self.matches}
        for index, (weights, least) in enumerate(self.neurons):
            if least == 2 and len(weights) == 2 and set(weights.values()) == {1}:
                self.ands[tuple(sorted(weights))] = self.first + index
            if self.first + index not in taken:
                self.alike[frozenset(weights.items())].append(self.first + index)

    def _neuron(self, signal: int) -> tuple[Mapping[int, int], int]:
        return self.neurons[signal - self.first] if signal >= self.first else ({}, 0)

    def _look_at_product(self, cell: Block) -> None:
        a = cell.inputs.get("a", ())
        b = cell.inputs.get("b", a)
        out = cell.outputs.get("out", ())
        if not a or not b or UNUSED in a or UNUSED in b:
            return
        if cell.kind == "square":
            rows = _symmetric(a, out)
        else:
            rows = [list(out[at : at + len(b)]) for at in range(0, len(out), len(b))]
        if [len(row) for row in rows] != [len(b)] * len(a):
            return
        for i, x in enumerate(a):
            for j, y in enumerate(b):
                if not self._is_and(rows[i][j], x, y):
                    rows[i][j] = UNUSED
        found = _Pairs(a, b, [tuple(row) for row in rows])
        for signal in found.units:
            if signal >= self.first and self._neuron(signal)[1] == 2 and signal not in (*a, *b):
                self.products_of[signal].append(len(self.products))
        self.products.append(found)

    def _is_and(self, signal: int, a: int, b: int) -> bool:
        if a == b or ONE in (a, b):
            return signal == (a if b == ONE else b)
        if ZERO in (a, b):
            return signal == ZERO
        return self._neuron(signal) == ({a: 1, b: 1}, 2)

    def _look_at_digits(self, cell: Block) -> None:
        """The steps of digits from the top, as far as all read the same."""
        try:
            outputs = sorted(((int(name), bus) for name, bus in cell.outputs.items()), reverse=True)
        except ValueError:
            return
        steps: list[tuple[int, Bus]] = []
        rest: Sum | None = None
        constant = end = 0
        for unit, levels in outputs:
            place = unit.bit_length() - 1
            if unit != 1 << place or (steps and len(levels) + 1 << place != end):
                break
            if rest is None:
                weights, least = self._neuron(levels[0])
                rest, constant = Counter(weights), unit - least
            kept = {s: w for s, w in rest.items() if w}
            read = {k: self._neuron(s) for k, s in enumerate(levels, 1) if s != UNUSED}
            if not read or any(each != (kept, k * unit - constant) for k, each in read.items()):
                break
            steps.append((place, levels))
            if len(read) < len(levels):
                break
            for signal in levels:
                rest[signal] -= unit
            end = unit
        for signal in (each for _, levels in steps for each in levels):
            self.digits.setdefault(signal, steps)

    def _look_at_matches(self, cell: Block) -> None:
        for signal in set(cell.outputs.get("out", ())) - {UNUSED, ZERO, ONE}:
            weights, least = self._neuron(signal)
            ones = sum(weight > 0 for weight in weights.values())
            if len(weights) > 1 and least == ones and set(map(abs, weights.values())) == {1}:
                self.matches[signal] = tuple(cell.inputs.get("in", ()))

    # --- words ----------------------------------------------------------------------------------

    def _add(self, word: Word) -> int:
        index = len(self.words)
        self.words.append(word)
        for number, each in enumerate(word.fields()):
            for k, signal in enumerate(each.signals):
                self.place_of.setdefault(signal, (index, number, k))
        return index

    def _read(self, signal: int) -> None:
        """Make the word of a neuron, if it has none."""
        if signal in self.place_of:
            return
        weights, least = self._neuron(signal)
        if signal in self.recurrences and (found := self._recurrence(self.recurrences[signal])):
            self._add(found)
            return
        if signal in self.digits:
            steps = self.digits[signal]
            unit = 1 << steps[0][0]
            weights, least = self._neuron(steps[0][1][0])
            self._add(Digits(self._form(Counter({**weights, ONE: unit - least})), tuple(steps)))
            return
        if signal in self.matches:
            self._add_match(signal, weights)
            return
        alike = self.alike.get(frozenset(weights.items()), [signal])
        if signal not in alike:
            alike = [signal]
        alike = sorted(alike, key=lambda each: self._neuron(each)[1])
        places = tuple(self._neuron(each)[1] for each in alike)
        self._add(Count(self._form(Counter(weights)), places, tuple(alike)))

    def _recurrence(self, cell: Block) -> Quotient | Root | None:
        """The word that a quotient or a root is, if it is one: its first neuron tells what it reads."""
        digits = cell.outputs["out"]
        if min(digits) < self.first:
            return None
        weights, least = self._neuron(digits[-1])
        top = len(digits) - 1
        if cell.kind == "quotient":
            bus = cell.inputs.get("divisor", ())
            rest = Counter({**weights, ONE: -least})
            for power, signal in enumerate(bus):
                rest[signal] += 1 << top + power
            pairs = tuple(tuple(self._and(digit, each) for each in bus) for digit in digits[1:])
            form, divisor = self._form(rest), self._form(_sum((s, 1 << k) for k, s in enumerate(bus)))
            return self._true(Quotient(form, divisor, bus, digits, pairs))
        pairs = tuple(
            tuple(self._and(digit, each) for each in digits[place + 1 :])
            for place, digit in enumerate(digits[1:], 1)
        )
        for scale, less in SCALES:
            constant = ((scale << top) - less) ** 2 - least
            found = Root(self._form(Counter({**weights, ONE: constant})), scale, less, digits, pairs)
            if self._true(found):
                return found
        return None

    def _and(self, a: int, b: int) -> int:
        """The signal that is the AND of two, or UNUSED."""
        if a == b or ONE in (a, b):
            return a if b == ONE else b
        return ZERO if ZERO in (a, b) else self.ands.get((min(a, b), max(a, b)), UNUSED)

    def _true(self, word: Quotient | Root) -> Quotient | Root | None:
        """A word, if it is what its neurons are."""
        try:
            check = Check(self.netlist, Program((*self.words, word), {}))
            check.word(len(self.words), word)
        except ProgramError:
            return None
        return word

    def _add_match(self, signal: int, weights: Mapping[int, int]) -> None:
        word = self.matches[signal]
        order = [each for each in dict.fromkeys(word) if each in weights]
        order += [each for each in weights if each not in order]
        code_of: dict[int, int] = {}
        for other, bus in self.matches.items():
            found, _ = self._neuron(other)
            if bus == word and found.keys() == weights.keys() and other not in self.place_of:
                code_of.setdefault(sum(1 << k for k, s in enumerate(order) if found[s] > 0), other)
        code_of[sum(1 << k for k, s in enumerate(order) if weights[s] > 0)] = signal
        codes = sorted(code_of)
        form = self._form(Counter({each: 1 << k for k, each in enumerate(order)}))
        self._add(Match(form, tuple(codes), tuple(code_of[code] for code in codes)))

    def _product(self, number: int) -> int:
        """The word that a product is."""
        if number not in self.word_of:
            found = self.products[number]
            a, b = (
                self._form(_sum((s, 1 << k) for k, s in enumerate(bus))) for bus in (found.a, found.b)
            )
            holes = tuple(
                Hole(1 << i + j, self._form(Counter({x: 1})), self._form(Counter({y: 1})))
                for i, x in enumerate(found.a)
                for j, y in enumerate(found.b)
                if found.pairs[i][j] == UNUSED
            )
            word = Product(a, b, found.a, found.b, tuple(found.pairs), holes)
            self.word_of[number] = self._add(word)
        return self.word_of[number]

    # --- forms ----------------------------------------------------------------------------------

    def _form(self, weights: Sum) -> Form:
        """A sum of signals, by words."""
        rest = Counter(weights)
        terms: list[Term] = []
        for number in self._products_in(rest):
            units = self.products[number].units
            if weight := _multiple(rest, units):
                for signal, unit in units.items():
                    if signal != UNUSED:
                        rest[signal] -= weight * unit
                terms.append(Part(self._product(number), 0, 0, weight))
        constant = rest.pop(ONE, 0)
        by_field: dict[int, dict[int, dict[int, int]]] = defaultdict(lambda: defaultdict(dict))
        for signal, weight in rest.items():
            if weight and signal != ZERO:
                self._read(signal)
                word, number, k = self.place_of[signal]
                by_field[word][number][k] = weight
        for index in sorted(by_field):
            for shift, term in self._terms(index, by_field[index]):
                constant += shift
                terms.append(term)
        return Form(constant, tuple(terms))

    def _products_in(self, weights: Sum) -> list[int]:
        """Products of which a sum reads pairs, those of which it reads most first."""
        counts: Counter[int] = Counter()
        last = max(weights, default=0)
        for signal in weights:
            counts.update(self.products_of.get(signal, ()))
        # What a digit of a quotient reads is a part of the product that later digits complete.
        return [number for number, _ in counts.most_common() if self.products[number].last <= last]

    def _terms(self, index: int, read: dict[int, dict[int, int]]) -> Iterator[tuple[int, Term]]:
        """The terms of one word, from what weights its signals have, by field; each with a constant."""
        fields = list(self.words[index].fields())
        run: Part | None = None
        for number in sorted(read, key=lambda n: fields[n].low):
            each, weights = fields[number], read[number]
            given = [weights.get(k, 0) for k in range(len(each.signals))]
            if each.steps and len(set(given)) == 1 and UNUSED not in each.signals:
                if run and each.low == run.low + run.size and given[0] == run.weight << run.size:
                    run = run._replace(size=run.size + each.size)
                else:
                    if run:
                        yield 0, run
                    run = Part(index, each.low, each.size, given[0])
                continue
            values = [0]
            for weight in given:
                values.append(weight + (values[-1] if each.steps else 0))
            yield 0, Entry(index, each.low, each.size, tuple(values))
        if run:
            yield 0, run


def _sum(terms: Iterable[tuple[int, int]]) -> Sum:
    found: Sum = Counter()
    for signal, weight in terms:
        found[signal] += weight
    return found


def _symmetric(a: Bus, out: Bus) -> list[list[int]]:
    """The pairs of a square, of pairs of different bits alone."""
    rows = [[UNUSED] * len(a) for _ in a]
    pairs = iter(out)
    for i, bit in enumerate(a):
        rows[i][i] = bit
        for j in range(i + 1, len(a)):
            rows[i][j] = rows[j][i] = next(pairs, UNUSED)
    return rows


def _multiple(weights: Sum, units: Sum) -> int:
    """With which weight a product is to be taken from a sum, so that less of it is left; or 0."""
    votes = Counter(
        weights[s] // unit for s, unit in units.items() if weights.get(s) and weights[s] % unit == 0
    )
    if not votes:
        return 0
    weight, hits = votes.most_common(1)[0]
    return weight if 2 * hits > sum(s not in (UNUSED, ZERO, ONE) for s in units) else 0
