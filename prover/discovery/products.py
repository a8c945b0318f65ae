"""The adders and partial products of a multiplier that says nothing of itself, from its structure alone.

Inverters are looked through. Then, of the signals on which the product depends:

* *cuts* of up to three signals are counted, with the function that each signal is of its cuts. Two
  functions of one cut whose weighted sum is linear in it are an adder cell: full or half, of any gates,
  with inputs or outputs inverted, or with a constant in it. Counters of four and five signals are found
  from exclusive ors of exclusive ors;
* a cell is *closed* if nothing else reads what is inside it, nor what it adds up. From the product down
  to the outputs of closed cells is the last adder, whatever its structure. The weight of each signal it
  reads is what the product changes by when that signal does. If it isn't linear in them, half adders
  belonged to it: the generate and propagate of a prefix adder;
* from there backwards, a cell is taken when what is owed its outputs is in the proportion of their
  weights. What is left at last are partial products, of whatever recoding: functions of few operand bits
  that are linear in one factor, whatever the other is.

Nothing here is believed: ``prover.kernel.telescoping`` checks what is found.
"""

from __future__ import annotations

import math
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from itertools import combinations
from itertools import product as all_choices

from spikeproof.circuits.netlist import ONE, UNUSED, Block, Bus, Netlist, NetlistError, Neuron
from spikeproof.prover.evidence.record import SEED

Cut = frozenset[int]

CUT, COUNTER = 3, 5
"""Signals that a cut has at most; and leaves of a counter, which is a cell of more than two outputs."""
CUTS = 24
"""So many are kept of each signal; an adder's have fewer."""
LEAF_SETS = 40
"""Of so many sets of leaves a counter is looked for."""
SUPPORT = 6
"""A function of so many operand bits may be left over as a partial product. A bit of a row that is
recoded by fours is one of five, and the kernel takes eight."""
WHOLE = 8
"""The product's bits are taken for functions of their operands' if there are so few."""
BASES = 64
"""So many random values of its inputs show the last adder's weights."""
DRAWS = (1, 4, 16)
"""Of so many random values of a cell's those with the most ones: a carry goes far only through ones."""
ROUNDS = 12
"""How often the last adder is tried with more cells in it."""

NOTHING: Mapping[int, int] = {}


def product_cells(netlist: Netlist, x: Bus, y: Bus, product: Bus) -> tuple[Block, ...]:
    """Cells by which ``telescoping.product_claims`` may show that a bus is the product of two others.

    Args:
        x, y: the factors' signals, as the partial products read them: not copies of these.
        product: as wide as both.

    Raises:
        NetlistError: if none are found; it says how far the search came.
    """
    if any(signal < 0 for signal in (*x, *y, *product)):
        raise NetlistError("a factor or the product has a constant bit, or one that nothing reads")
    if len(x) + len(y) <= WHOLE:
        return tuple(_function(signal, {*x, *y}) for signal in dict.fromkeys(product))
    graph = _Graph(netlist, (frozenset(x), frozenset(y)), product)
    return _Derivation(graph, _cells(graph)).blocks()


def _function(signal: int, support: Iterable[int]) -> Block:
    """A function of few bits as the kernel reads it."""
    return Block(f"function_{signal}", "function", {"in": tuple(sorted(support))}, {"out": (signal,)})


# --- gates --------------------------------------------------------------------------------------


@cache
def _diagram(weights: tuple[int, ...], needed: int) -> tuple[tuple[int, int, int], ...]:
    """A neuron by cases: (input, next if it fires, next if not), each after those it leads to.

    Places 0 and 1 are the constants; the last is where to begin.
    """
    steps: list[tuple[int, int, int]] = [(0, 0, 0), (0, 1, 1)]
    order = sorted(range(len(weights)), key=lambda i: -abs(weights[i]))

    @cache
    def reached(start: int, needed: int) -> int:
        others = [weights[i] for i in order[start:]]
        if needed <= sum(w for w in others if w < 0):
            return 1
        if needed > sum(w for w in others if w > 0):
            return 0
        taken, left = reached(start + 1, needed - weights[order[start]]), reached(start + 1, needed)
        if taken == left:
            return taken
        steps.append((order[start], taken, left))
        return len(steps) - 1

    constant = reached(0, needed)
    return tuple(steps) if constant > 1 else tuple(steps[: 1 + constant])


@dataclass(frozen=True)
class _Gate:
    """A neuron's sources, inverters looked through, with whether each is inverted; and its cases."""

    sources: tuple[tuple[int, bool], ...]
    diagram: tuple[tuple[int, int, int], ...]

    def value(self, values: Mapping[int, int], ones: int) -> int:
        """Its values for many inputs at once, bit by bit."""
        given = [values[s] ^ (ones if inverted else 0) for s, inverted in self.sources]
        reached = [0, ones]
        for place, taken, left in self.diagram[2:]:
            low = reached[left]
            reached.append(low ^ (given[place] & (reached[taken] ^ low)))
        return reached[len(self.diagram) - 1]


class _Graph:
    """The signals between the factors and the product, inverters looked through."""

    def __init__(self, netlist: Netlist, factors: tuple[Cut, Cut], product: Bus) -> None:
        self.factors, self.product = factors, product
        self.operands = factors[0] | factors[1]
        self.gates: dict[int, _Gate] = {}
        self._plain: dict[int, tuple[int, bool]] = {}
        self.support: dict[int, Cut] = {signal: frozenset((signal,)) for signal in self.operands}
        """Of functions of few operand bits that multiply no two of the same factor: of which bits."""
        cone = _cone(netlist, self.operands, product)
        for signal in sorted(cone):
            self._add(signal, netlist.neurons[signal - netlist.input_count])
        self.roots = {self.plain(signal)[0] for signal in product}
        self.readers: dict[int, list[int]] = defaultdict(list)
        for signal, gate in self.gates.items():
            for source in {s for s, _ in gate.sources}:
                self.readers[source].append(signal)

    def plain(self, signal: int) -> tuple[int, bool]:
        """What an inverter, or several, inverts; and whether it does."""
        return self._plain.get(signal, (signal, False))

    def _add(self, signal: int, neuron: Neuron) -> None:
        sources = tuple(self.plain(source) for source, _ in neuron.synapses)
        if len(sources) == 1:
            source, inverted = sources[0]
            self._plain[signal] = source, inverted ^ (neuron.synapses[0][1] < 0)
            return
        numbers = [neuron.threshold, neuron.bias, *(weight for _, weight in neuron.synapses)]
        scale = math.lcm(*(int(number.denominator) for number in numbers))
        threshold, bias, *weights = (int(number * scale) for number in numbers)
        self.gates[signal] = _Gate(sources, _diagram(tuple(weights), threshold - bias))
        if all(source in self.support for source, _ in sources):
            support = frozenset[int]().union(*(self.support[source] for source, _ in sources))
            if len(support) <= SUPPORT and self._is_linear(signal, support):
                self.support[signal] = support

    def _is_linear(self, signal: int, support: Cut) -> bool:
        """Whether a function is linear in one of the factors, whatever the bits of the other."""
        leaves = sorted(support)
        size = len(leaves)
        table = self.table(signal, dict(zip(leaves, _variables(size), strict=True)), _ones(size))
        return any(
            all(_adds(table, size, leaves.index(a), leaves.index(b)) for a, b in combinations(bits, 2))
            for bits in (factor & support for factor in self.factors)
        )

    def table(self, signal: int, known: dict[int, int], ones: int) -> int:
        """A signal's values from those of a cut, which are known; all others on the way become so."""
        if signal not in known:
            for source, _ in self.gates[signal].sources:
                self.table(source, known, ones)
            known[signal] = self.gates[signal].value(known, ones)
        return known[signal]

    def inside(self, outputs: Iterable[int], leaves: Cut) -> set[int]:
        """The signals between leaves and outputs, these included."""
        found: set[int] = set()
        pending = [signal for signal in outputs if signal not in leaves]
        while pending:
            signal = pending.pop()
            if signal not in found:
                found.add(signal)
                sources = self.gates[signal].sources if signal in self.gates else ()
                pending.extend(source for source, _ in sources if source not in leaves)
        return found


def _cone(netlist: Netlist, operands: Cut, product: Bus) -> set[int]:
    """The neurons between the operands and the product."""
    cone: set[int] = set()
    pending = list(product)
    while pending:
        signal = pending.pop()
        if signal not in cone and signal not in operands and signal >= netlist.input_count:
            cone.add(signal)
            pending.extend(s for s, _ in netlist.neurons[signal - netlist.input_count].synapses)
    return cone


# --- cells --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Cell:
    """Sum of weight * output = sum of weight * leaf + constant, modulo ``modulus`` if there is one."""

    outputs: tuple[tuple[int, int], ...]
    leaves: tuple[tuple[int, int], ...]
    constant: int = 0
    modulus: int = 0

    def block(self, name: str) -> Block:
        """As the kernel reads it."""
        inputs, outputs = defaultdict[str, Bus](tuple), defaultdict[str, Bus](tuple)
        for buses, terms in (
            (inputs, (*self.leaves, (ONE, self.constant))),
            (outputs, (*self.outputs, (UNUSED, self.modulus))),
        ):
            for signal, weight in terms:
                if weight or signal >= 0:
                    buses[f"minus{-weight}" if weight < 0 else str(weight)] += (signal,)
        return Block(name, "linear", dict(inputs), dict(outputs))


@cache
def _variables(size: int) -> tuple[int, ...]:
    """The truth tables of so many variables."""
    return tuple(sum(1 << row for row in range(1 << size) if row >> place & 1) for place in range(size))


def _ones(size: int) -> int:
    """The truth table of so many variables that is always 1."""
    return (1 << (1 << size)) - 1


@cache
def _adds(table: int, size: int, a: int, b: int) -> bool:
    """Whether two variables change a function independently: f(0, 0) + f(1, 1) = f(0, 1) + f(1, 0)."""
    ones = _ones(size)
    variables = _variables(size)
    p, q = 1 << a, 1 << b
    neither = ones & ~variables[a] & ~variables[b]
    none, first, second, both = (table >> shift & neither for shift in (0, p, q, p + q))
    return none & both == first & second and none ^ both == first ^ second


@cache
def _is_parity(table: int, size: int) -> bool:
    parity = 0
    for variable in _variables(size):
        parity ^= variable
    return table in (parity, parity ^ _ones(size))


@cache
def _relation(size: int, tables: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[int, ...], int] | None:
    """Weights 1, +-2, +-2, ... of functions whose sum is linear; those of the variables; a constant."""
    for signs in all_choices((2, -2), repeat=len(tables) - 1):
        weights = (1, *signs)
        sums = [
            sum(w * (table >> row & 1) for w, table in zip(weights, tables, strict=True))
            for row in range(1 << size)
        ]
        slopes = [sums[1 << place] - sums[0] for place in range(size)]
        if all(
            total == sums[0] + sum(slope for place, slope in enumerate(slopes) if row >> place & 1)
            for row, total in enumerate(sums)
        ):
            return weights, tuple(slopes), sums[0]
    return None


@dataclass
class _Cells:
    """What was found: all cells, those that are closed, and cuts of which a signal is the parity."""

    of_output: dict[int, list[_Cell]] = field(default_factory=lambda: defaultdict(list))
    closed: dict[int, _Cell] = field(default_factory=dict)
    parities: dict[int, list[Cut]] = field(default_factory=lambda: defaultdict(list))
    makers: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))
    """Of the outputs of cells, what is inside these: a sum may read its carry."""

    covered: set[int] = field(default_factory=set)
    """What is inside cells that add partial products, not operand bits."""

    def add(self, graph: _Graph, cell: _Cell, inside: set[int]) -> None:
        for signal, _ in cell.outputs:
            self.of_output[signal].append(cell)
            self.makers[signal] |= inside
        if graph.operands.isdisjoint(leaf for leaf, _ in cell.leaves):
            self.covered |= inside

    def is_atom(self, graph: _Graph, signal: int) -> bool:
        """Whether it looks like a partial product, and is in no adder."""
        return signal in graph.support and signal not in self.covered

    def known(self, graph: _Graph, opened: set[int]) -> set[int]:
        """Partial products, and what adds up such alone, without what some cells put out or hold."""
        closed = (self.closed[signal] for signal in opened if signal in self.closed)
        within = opened.union(*(_inside(graph, cell) for cell in closed))
        atoms = {signal for signal in graph.support if self.is_atom(graph, signal)}
        return self._grounded(graph, opened) | (atoms - within)

    def _grounded(self, graph: _Graph, opened: set[int]) -> set[int]:
        """The outputs of closed cells that stand on such cells and on partial products alone."""
        found: set[int] = set()
        waiting = [
            cell
            for signal, cell in sorted(self.closed.items())
            if signal == cell.outputs[0][0] and opened.isdisjoint(s for s, _ in cell.outputs)
        ]
        while True:
            left = []
            for cell in waiting:
                if all(leaf in found or self.is_atom(graph, leaf) for leaf, _ in cell.leaves):
                    found.update(signal for signal, _ in cell.outputs)
                else:
                    left.append(cell)
            if len(left) == len(waiting):
                break
            waiting = left
        return found


_Candidate = tuple[Cut, _Cell, set[int]]
"""A cell with its leaves, and what is inside."""


def _cells(graph: _Graph) -> _Cells:
    cells = _Cells()
    adders: list[_Candidate] = []
    for cut, signals in _shared_cuts(graph).items():
        leaves = tuple(sorted(cut))
        tables = _tables(graph, leaves, signals)
        for total in signals:
            if not _is_parity(tables[total], len(leaves)):
                continue
            cells.parities[total].append(cut)
            for carry in signals:
                cell = _cell(leaves, tables, (total, carry)) if carry != total else None
                if cell and (inside := _visible(graph, cut, (total, carry))):
                    cells.add(graph, cell, inside)
                    adders.append((cut, cell, inside))
    # What adds the latest signals, and holds most, is not a part of a gate, or of another cell.
    adders.sort(key=lambda each: (-max(each[0]), -len(each[2])))
    taken: set[int] = set()
    _close(graph, cells, taken, [each for each in adders if len(each[0]) == CUT])
    counters = sorted(_counters(graph, cells, taken), key=lambda each: -len(each[0]))
    _close(graph, cells, taken, [each for each in counters if len(each[0]) > CUT])
    _close(graph, cells, taken, [each for each in adders if len(each[0]) < CUT])
    # Of three bits and a constant; two half adders, one above the other, look alike.
    _close(graph, cells, taken, [each for each in counters if len(each[0]) == CUT])
    return cells


def _visible(graph: _Graph, leaves: Cut, outputs: tuple[int, ...]) -> set[int]:
    """What is inside a cell, if each output is read by others than the cell itself; else nothing."""
    inside = graph.inside(outputs, leaves)
    seen = all(s in graph.roots or not inside.issuperset(graph.readers[s]) for s in outputs)
    return inside if seen else set()


def _inside(graph: _Graph, cell: _Cell) -> set[int]:
    return graph.inside((s for s, _ in cell.outputs), frozenset(leaf for leaf, _ in cell.leaves))


def _tables(graph: _Graph, leaves: Sequence[int], signals: Iterable[int]) -> dict[int, int]:
    known = dict(zip(leaves, _variables(len(leaves)), strict=True))
    for signal in signals:
        graph.table(signal, known, _ones(len(leaves)))
    return known


def _cell(leaves: Sequence[int], tables: Mapping[int, int], outputs: tuple[int, ...]) -> _Cell | None:
    """The cell of these outputs, if they have weights 1, 2, ... in a linear relation."""
    found = _relation(len(leaves), tuple(tables[signal] for signal in outputs))
    if not found:
        return None
    weights, slopes, constant = found
    return _Cell(
        tuple(zip(outputs, weights, strict=True)), tuple(zip(leaves, slopes, strict=True)), constant
    )


def _shared_cuts(graph: _Graph) -> dict[Cut, list[int]]:
    """Cuts of two or three signals, by the signals of which they are cuts; those of several alone."""
    cuts: dict[int, list[Cut]] = {}
    signals_of: dict[Cut, list[int]] = defaultdict(list)

    def of(signal: int) -> list[Cut]:
        return [*cuts.get(signal, ()), frozenset((signal,))]

    for signal, gate in graph.gates.items():
        merged: set[Cut] = {frozenset()}
        for source, _ in gate.sources:
            merged = {
                union for one in merged for other in of(source) if len(union := one | other) <= CUT
            }
        kept: list[Cut] = []
        for cut in sorted(merged, key=len):
            if not any(smaller < cut for smaller in kept):
                kept.append(cut)
        cuts[signal] = kept[:CUTS]
        for cut in cuts[signal]:
            if len(cut) > 1:
                signals_of[cut].append(signal)
    return {cut: signals for cut, signals in signals_of.items() if len(signals) > 1}


def _close(graph: _Graph, cells: _Cells, taken: set[int], candidates: Iterable[_Candidate]) -> None:
    """Enter the cells that are closed and overlap none that was entered before."""
    for leaves, cell, inside in candidates:
        outputs = {signal for signal, _ in cell.outputs}
        hidden = (inside - outputs) | {s for s in leaves if not cells.is_atom(graph, s)}
        if (
            inside.isdisjoint(taken)
            and hidden.isdisjoint(graph.roots)
            and all(
                reader in inside or reader in cells.makers[signal]
                for signal in hidden
                for reader in graph.readers[signal]
            )
        ):
            taken |= inside
            cells.closed.update(dict.fromkeys(outputs, cell))


def _counters(graph: _Graph, cells: _Cells, taken: set[int]) -> Iterator[_Candidate]:
    """Cells of up to five leaves, with two carries."""
    for total in list(cells.parities):
        if total in taken:
            continue
        for leaves in _leaf_sets(cells.parities, total):
            ordered = tuple(sorted(leaves))
            region = _region(graph, leaves)
            if total not in region:
                continue
            tables = _tables(graph, ordered, region)
            read = [
                s
                for s in region
                if s != total and (s in graph.roots or not region.issuperset(graph.readers[s]))
            ]
            for carries in combinations(read, 2):
                outputs = (total, *carries)
                cell = _cell(ordered, tables, outputs)
                if cell and (inside := _visible(graph, leaves, outputs)):
                    cells.add(graph, cell, inside)
                    yield leaves, cell, inside


def _leaf_sets(parities: Mapping[int, list[Cut]], total: int) -> list[Cut]:
    """Sets of three to five signals whose parity a signal is."""
    found: dict[Cut, None] = dict.fromkeys(parities[total])
    for leaves in _found_so_far(found):
        for leaf in sorted(leaves, reverse=True):
            for cut in parities.get(leaf, ()):
                # A signal in both would cancel.
                if leaves.isdisjoint(cut) and len(leaves) - 1 + len(cut) <= COUNTER:
                    found.setdefault(leaves - {leaf} | cut)
    return [leaves for leaves in found if len(leaves) >= CUT]


def _found_so_far(found: dict[Cut, None]) -> Iterator[Cut]:
    """The keys of a dictionary, those included that are added meanwhile, up to ``LEAF_SETS``."""
    place = 0
    while place < min(len(found), LEAF_SETS):
        yield list(found)[place]
        place += 1


def _region(graph: _Graph, leaves: Cut) -> set[int]:
    """The signals that are functions of leaves alone."""
    region: set[int] = set()
    pending = [reader for leaf in leaves for reader in graph.readers[leaf]]
    while pending:
        signal = pending.pop()
        if signal not in region and all(
            source in leaves or source in region for source, _ in graph.gates[signal].sources
        ):
            region.add(signal)
            pending.extend(graph.readers[signal])
    return region


# --- the last adder -----------------------------------------------------------------------------


class _LastAdder:
    """What is between the product and the outputs of closed cells, and partial products.

    Args:
        closed: by their outputs, the cells that are stopped at.
        known: what is stopped at.
    """

    def __init__(self, graph: _Graph, closed: Mapping[int, _Cell], known: set[int]) -> None:
        self.graph, self.closed, self.known = graph, closed, known
        self.modulus = 1 << len(graph.product)
        stops: set[int] = set()
        between: set[int] = set()
        pending = [graph.plain(signal)[0] for signal in graph.product]
        while pending:
            signal = pending.pop()
            if signal in stops or signal in between:
                continue
            if signal in known or signal not in graph.gates:
                stops.add(signal)
            else:
                between.add(signal)
                pending.extend(source for source, _ in graph.gates[signal].sources)
        self.inputs, self._between = sorted(stops), sorted(between)

    def products(
        self, columns: Sequence[int], count: int, put_out: Mapping[int, int] = NOTHING
    ) -> list[int]:
        """The product's values for so many values of each input, which are the bits of an integer.

        Args:
            put_out: by signal, what some have in the place of their own values.
        """
        ones = (1 << count) - 1
        values = {**dict(zip(self.inputs, columns, strict=True)), **put_out}
        for signal in self._between:
            if signal not in put_out:
                values[signal] = self.graph.gates[signal].value(values, ones)
        bits = []
        for signal in self.graph.product:
            source, inverted = self.graph.plain(signal)
            bits.append(f"{values[source] ^ (ones if inverted else 0):0{count}b}")
        words = [int("".join(reversed(word)), 2) for word in zip(*bits, strict=True)]
        return words[::-1]

    @cached_property
    def possible(self) -> list[list[int]]:
        """Values of the inputs that closed cells can have: for all of ``DRAWS``, ``BASES`` of each."""
        return [self._drawn(draws) for draws in DRAWS]

    def _drawn(self, draws: int) -> list[int]:
        draw = random.Random(SEED)
        columns = dict.fromkeys(self.inputs, 0)
        for signal in self.inputs:
            for _ in range(draws):
                columns[signal] |= draw.getrandbits(BASES)
        for cell in self._whole_cells():
            leaves = tuple(signal for signal, _ in cell.leaves)
            outputs = [signal for signal, _ in cell.outputs]
            tables = _tables(self.graph, leaves, outputs)
            seen = [[tables[signal] >> at & 1 for signal in outputs] for at in range(1 << len(leaves))]
            rows = [max((draw.choice(seen) for _ in range(draws)), key=sum) for _ in range(BASES)]
            for signal, column in zip(outputs, zip(*rows, strict=True), strict=True):
                columns[signal] = sum(bit << row for row, bit in enumerate(column))
        return list(columns.values())

    @cached_property
    def _changes(self) -> list[Counter[int]]:
        """For each input what the product changes by when it fires that did not, and how often."""
        size = len(self.inputs) + 1  # as it is, and with one input after another inverted
        columns = [
            sum(
                ((2 << place) ^ (((1 << size) - 1) * (column >> row & 1))) << (row * size)
                for row in range(BASES)
            )
            for place, column in enumerate(self.possible[0])
        ]
        values = self.products(columns, BASES * size)
        return [
            Counter(
                (values[row * size + 1 + place] - values[row * size])
                * (-1 if column >> row & 1 else 1)
                % self.modulus
                for row in range(BASES)
            )
            for place, column in enumerate(self.possible[0])
        ]

    @cached_property
    def weights(self) -> list[int]:
        """What the product most often changes by."""
        return [changes.most_common(1)[0][0] for changes in self._changes]

    def unsteady(self) -> set[int]:
        """The inputs that do not always have their weight, and what else their cells put out."""
        signals = {
            signal
            for signal, changes in zip(self.inputs, self._changes, strict=True)
            if len(changes) > 1
        }
        cells = [self.closed[signal] for signal in signals if signal in self.closed]
        return signals.union(signal for cell in cells for signal, _ in cell.outputs)

    def _whole_cells(self) -> list[_Cell]:
        """The closed cells all of whose outputs are inputs here."""
        inputs = set(self.inputs)
        found = {id(cell): cell for cell in (self.closed.get(s) for s in self.inputs) if cell}
        return [cell for cell in found.values() if inputs.issuperset(s for s, _ in cell.outputs)]

    def _rest(
        self,
        columns: Sequence[int],
        changes: Mapping[int, int] = NOTHING,
        put_out: Mapping[int, int] = NOTHING,
    ) -> list[int]:
        """What the product is more than the weighted sum of the inputs, and of what is put out.

        Args:
            changes: by signal, how much more some count.
        """
        sums = [0] * BASES
        weights = Counter(dict(zip(self.inputs, self.weights, strict=True)))
        weights.update(changes)
        for signal, column in {**dict(zip(self.inputs, columns, strict=True)), **put_out}.items():
            for row in range(BASES):
                sums[row] += weights[signal] * (column >> row & 1)
        values = self.products(columns, BASES, put_out)
        return [(value - total) % self.modulus for value, total in zip(values, sums, strict=True)]

    @cached_property
    def constant(self) -> int:
        """What that mostly is."""
        return Counter(self._rest(self.possible[0])).most_common(1)[0][0]

    def is_sum(self, columns: Sequence[int]) -> bool:
        return all(rest == self.constant for rest in self._rest(columns))

    def to_open(self) -> set[int]:
        """Outputs of cells that belong to the adder, seen from values that such a cell never has."""
        place_of = {signal: place for place, signal in enumerate(self.inputs)}
        wrong: set[int] = set()
        for cell in self._whole_cells():
            outputs = [signal for signal, _ in cell.outputs]
            leaves = tuple(signal for signal, _ in cell.leaves)
            tables = _tables(self.graph, leaves, outputs)
            seen = {tuple(tables[s] >> at & 1 for s in outputs) for at in range(1 << len(leaves))}
            for values in set(all_choices((0, 1), repeat=len(outputs))) - seen:
                for possible in self.possible:
                    columns = list(possible)
                    for signal, value in zip(outputs, values, strict=True):
                        columns[place_of[signal]] = value * ((1 << BASES) - 1)
                    if not self.is_sum(columns):
                        wrong.update(outputs)
        return wrong

    def cells_at_foot(self, cells: _Cells, refused: set[_Cell]) -> list[_Cell]:
        """Cells that add some of what is read where more than two signals count the same: the largest
        first, none in another. Those that would not leave a sum are added to what was refused.
        """
        counts = Counter(self.weights)
        crowded = {s for s, weight in zip(self.inputs, self.weights, strict=True) if counts[weight] > 2}
        inputs, between = set(self.inputs), set(self._between)
        candidates = {cell for signal in between for cell in cells.of_output.get(signal, ())} - refused
        taken: set[int] = set()
        found = []
        for cell in sorted(candidates, key=lambda cell: (-len(cell.leaves), cell.outputs)):
            leaves = {signal for signal, _ in cell.leaves}
            if crowded.isdisjoint(leaves) or not leaves <= inputs:
                continue
            outputs = {signal for signal, _ in cell.outputs}
            inside = _inside(self.graph, cell)
            if inside.isdisjoint(taken) and outputs <= between and self._reads(inside, inside - outputs):
                if self._is_sum_above(cell):
                    taken |= inside
                    found.append(cell)
                else:
                    refused.add(cell)
        return found

    def _reads(self, inside: set[int], signals: Iterable[int]) -> bool:
        """Whether nothing else reads some signals."""
        return all(
            signal not in self.graph.roots
            and inside.issuperset(set(self._between).intersection(self.graph.readers[signal]))
            for signal in signals
        )

    def _changed_by(self, cell: _Cell) -> Counter[int]:
        """By how much the weights change where what a cell puts out is read in the place of its leaves.

        That one of these is read by it alone says how much its sum counts; nothing if there is none.
        """
        inside = _inside(self.graph, cell)
        weights = dict(zip(self.inputs, self.weights, strict=True))
        own = (term for term in cell.leaves if abs(term[1]) == 1 and self._reads(inside, term[:1]))
        signal, unit = next(own, (self.inputs[0], 0))
        unit *= weights[signal]
        changes = Counter({signal: unit * each for signal, each in cell.outputs})
        for signal, each in cell.leaves:
            changes[signal] -= unit * each
        return changes

    def _is_sum_above(self, cell: _Cell) -> bool:
        """Whether the product is one, whatever a cell puts out."""
        changes, draw = self._changed_by(cell), random.Random(SEED)
        put_out = {signal: draw.getrandbits(BASES) for signal, _ in cell.outputs}
        rests = (self._rest(columns, changes, put_out) for columns in self.possible)
        return any(changes.values()) and len({each for rest in rests for each in rest}) == 1

    def above(self, added: Iterable[_Cell]) -> _LastAdder:
        """What is left of it above some of its cells."""
        closed, weights = dict(self.closed), Counter(dict(zip(self.inputs, self.weights, strict=True)))
        for cell in added:
            closed.update((signal, cell) for signal, _ in cell.outputs)
            weights.update(self._changed_by(cell))
        known = self.known.union(signal for cell in added for signal, _ in cell.outputs)
        above = _LastAdder(self.graph, closed, known)
        above.weights = [weights[signal] for signal in above.inputs]
        return above

    def cell(self) -> _Cell | None:
        """The adder as a cell; None if the product is what it reads."""
        constant = self.constant
        outputs: Counter[int] = Counter()
        for place, signal in enumerate(self.graph.product):
            source, inverted = self.graph.plain(signal)
            outputs[source] += -1 << place if inverted else 1 << place
            constant -= inverted << place
        leaves = dict(zip(self.inputs, self.weights, strict=True))
        for signal in set(leaves) & set(outputs):
            leaves[signal] -= outputs.pop(signal)
        if not outputs:
            return None
        inside = self.graph.inside(outputs, frozenset(leaves))
        read = {
            source for s in inside if s in self.graph.gates for source, _ in self.graph.gates[s].sources
        }
        leaves = {signal: weight for signal, weight in leaves.items() if signal in read}
        unit = math.gcd(self.modulus, *outputs.values())
        modulus = self.modulus // unit

        def signed(weight: int) -> int:
            weight = weight // unit % modulus
            return weight - modulus if 2 * weight > modulus else weight

        return _Cell(
            tuple((signal, signed(weight)) for signal, weight in sorted(outputs.items(), key=_by_size)),
            tuple((signal, signed(weight)) for signal, weight in leaves.items()),
            signed(constant),
            modulus,
        )


def _by_size(term: tuple[int, int]) -> int:
    return abs(term[1])


def _last_adder(graph: _Graph, cells: _Cells) -> _Cell | None:
    opened: set[int] = set()
    for _ in range(ROUNDS):
        adder = _LastAdder(graph, cells.closed, cells.known(graph, opened))
        more = adder.to_open()
        if not more and not all(map(adder.is_sum, adder.possible)):
            more = adder.unsteady()
            if not more - opened - graph.operands:
                break
        if not more:
            return _above_cells(adder, cells).cell()
        opened |= more
    raise NetlistError(
        f"no product is seen: {len(cells.closed)} adder cells are found, but what is between them and "
        f"the product, of {len(adder.inputs)} signals, is no sum"
    )


def _above_cells(adder: _LastAdder, cells: _Cells) -> _LastAdder:
    """The same without cells at its foot that are not closed, as where a signal counts at two places.

    Half an adder with a constant bit one puts out its other bit, and that inverted.
    """
    refused: set[_Cell] = set()
    while added := adder.cells_at_foot(cells, refused):
        adder = _above_as_many(adder, added)
        refused.update(cell for cell in added if cell.outputs[0][0] not in adder.known)
    return adder


def _above_as_many(adder: _LastAdder, added: Sequence[_Cell]) -> _LastAdder:
    """The same without as many of some cells as leave a sum."""
    above = adder.above(added)
    if all(map(above.is_sum, above.possible)):
        return above
    half = len(added) // 2
    for part in (added[:half], added[half:]) if half else ():
        adder = _above_as_many(adder, part)
    return adder


# --- from the product back to the operands ------------------------------------------------------


class _Derivation:
    """The cells taken one after another, each when all its outputs are owed in proportion."""

    def __init__(self, graph: _Graph, cells: _Cells) -> None:
        self.graph, self.cells = graph, cells
        self.modulus = 1 << len(graph.product)
        self.owed: Counter[int] = Counter()
        self.taken: list[_Cell] = []
        self._pending: list[int] = []
        for place, signal in enumerate(graph.product):
            self.owed[signal] += 1 << place
        for signal in dict.fromkeys(graph.product):
            source, inverted = graph.plain(signal)
            if source != signal:
                self._take(_Cell(((signal, 1),), ((source, -1 if inverted else 1),), int(inverted)))
        if adder := _last_adder(graph, cells):
            self._take(adder)
        self._pending = list(self.owed)
        self._run()
        while (last := self._highest_parity()) is not None:
            cut = min(self.cells.parities[last], key=len)
            self._take(_Cell(((last, 1),), tuple((leaf, 1) for leaf in sorted(cut)), 0, 2))
            self._run()

    def _take(self, cell: _Cell) -> None:
        signal, unit = cell.outputs[0]
        weight = self.owed[signal] * unit
        for terms, sign in ((cell.outputs, -1), (cell.leaves, 1)):
            for output, each in terms:
                self.owed[output] = (self.owed[output] + sign * weight * each) % self.modulus
        self.taken.append(cell)
        self._pending.extend(leaf for leaf, _ in cell.leaves)

    def _run(self) -> None:
        while self._pending:
            signal = self._pending.pop()
            for cell in self.cells.of_output.get(signal, ()):
                if self.owed[signal] and self._is_owed(cell):
                    self._take(cell)

    def _is_owed(self, cell: _Cell) -> bool:
        weight = self.owed[cell.outputs[0][0]]
        return weight != 0 and all(
            (self.owed[signal] - weight * each) % self.modulus == 0 for signal, each in cell.outputs
        )

    def _highest_parity(self) -> int | None:
        """The last signal left that counts half of the modulus: all that matters is its parity."""
        half = self.modulus // 2
        return max(
            (s for s, weight in self.owed.items() if weight == half and self._can_split(s)), default=None
        )

    def _can_split(self, signal: int) -> bool:
        return signal in self.cells.parities and signal not in self.graph.support

    def blocks(self) -> tuple[Block, ...]:
        """The cells, each after those that it reads; and what is left over."""
        left = sorted(signal for signal, weight in self.owed.items() if weight)
        unknown = [signal for signal in left if signal not in self.graph.support]
        if unknown:
            raise NetlistError(
                f"no product is seen: it was followed back through {len(self.taken)} cells, but "
                f"{len(unknown)} signals are left that are no partial products; "
                f"the last of them signal {unknown[-1]}"
            )
        functions = (_function(signal, self.graph.support[signal]) for signal in left)
        equations = (cell.block(f"linear_{place}") for place, cell in enumerate(reversed(self.taken)))
        return (*functions, *equations)
