"""Neurons as logic: netlists as graphs of AND and XOR with free negation, for the bit-sliced simulator.

A *literal* is an integer: 2n for node n, 2n + 1 for its negation; node 0 is the constant false. A
*truth table* of k variables is an integer of 2^k bits: bit i is the value where the variables are the
bits of i, least significant first. All arithmetic on weights is exact.

What a neuron becomes depends on its fan-in. With few synapses it is a truth table; where its sources
are functions of the same few signals it is read as a function of these, so that the sum of a full
adder, for instance, is seen to be an exclusive or of three bits. That holds for every input, since a
source *is* that function. With many synapses it is a decision diagram over its weights, largest first,
or where that grows large the sum of the weights in binary, compared with the threshold.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import combinations

from spikeproof.circuits.netlist import Netlist, Neuron, Weight

FALSE = 0
TRUE = 1

TABLE_FAN_IN = 5
"""Up to so many synapses a neuron is turned into a truth table."""

LEAVES = 5
"""A function of so many signals or fewer is remembered, for its readers to be simplified by."""

DIAGRAM_FAN_IN = 64
"""Beyond so many synapses no decision diagram is tried."""

AND, XOR = "and", "xor"

Operation = tuple[str, int, int]
"""What it does, and to which two literals."""


class Logic:
    """A graph of ANDs and XORs; equal operations are one node.

    Args:
        inputs: how many there are; they are nodes 1 onwards.
    """

    def __init__(self, inputs: int) -> None:
        self.inputs = inputs
        self.operations: list[Operation] = []
        """Of the nodes after the inputs, in topological order."""
        self._node_of: dict[Operation, int] = {}

    def input(self, index: int) -> int:
        """The literal of an input, counting from 0."""
        return 2 * (1 + index)

    def conjunction(self, a: int, b: int) -> int:
        """a and b."""
        if a > b:
            a, b = b, a
        if a == FALSE or a == b ^ 1:
            return FALSE
        if a in (TRUE, b):
            return b
        return self._literal((AND, a, b))

    def exclusive(self, a: int, b: int) -> int:
        """a xor b."""
        negated = (a ^ b) & 1
        a, b = a & ~1, b & ~1
        if a > b:
            a, b = b, a
        if a == b:
            return negated
        if a == FALSE:
            return b | negated
        return self._literal((XOR, a, b)) | negated

    def disjunction(self, a: int, b: int) -> int:
        """a or b."""
        return self.conjunction(a ^ 1, b ^ 1) ^ 1

    def choice(self, condition: int, a: int, b: int) -> int:
        """a if the condition holds, else b."""
        return self.exclusive(b, self.conjunction(condition, self.exclusive(a, b)))

    def _literal(self, key: Operation) -> int:
        node = self._node_of.get(key)
        if node is None:
            node = self._node_of[key] = 1 + self.inputs + len(self.operations)
            self.operations.append(key)
        return 2 * node

    def live(self, roots: Iterable[int]) -> list[int]:
        """The nodes of operations that the given literals depend on, in topological order."""
        first = 1 + self.inputs
        needed = bytearray(first + len(self.operations))
        for literal in roots:
            needed[literal >> 1] = 1
        for node in range(len(needed) - 1, first - 1, -1):
            if needed[node]:
                _, a, b = self.operations[node - first]
                needed[a >> 1] = needed[b >> 1] = 1
        return [node for node in range(first, len(needed)) if needed[node]]


# --- truth tables -------------------------------------------------------------------------------

Expression = int | tuple[str, "Expression", "Expression"]
"""A literal, of which node i + 1 is variable i; or an operation on two expressions."""


@cache
def variable(index: int, count: int) -> int:
    """The truth table, of ``count`` variables, of the variable itself."""
    return sum(1 << row for row in range(1 << count) if row >> index & 1)


def _everything(count: int) -> int:
    return (1 << (1 << count)) - 1


def _cofactors(table: int, index: int, count: int) -> tuple[int, int]:
    """The tables where the variable is 0 and where it is 1; neither depends on it any more."""
    high = variable(index, count)
    low = high >> (1 << index)
    zero, one = table & low, table & high
    return zero | zero << (1 << index), one | one >> (1 << index)


@cache
def expression(table: int, count: int) -> tuple[int, Expression]:
    """Few operations that compute a truth table, and how many they are."""
    if table in (0, _everything(count)):
        return 0, int(table != 0)
    cofactors = {i: _cofactors(table, i, count) for i in range(count)}
    support = [i for i, (zero, one) in cofactors.items() if zero != one]
    simple = [*_peeled(support, cofactors, count), *_merged(support, cofactors, count)]
    return min(simple or _expanded(support, cofactors, count), key=lambda found: found[0])


Found = tuple[int, Expression]
Cofactors = dict[int, tuple[int, int]]


def _peeled(support: Sequence[int], cofactors: Cofactors, count: int) -> Iterator[Found]:
    """Ways to compute a table as one operation on a variable and a table without it."""
    everything = _everything(count)
    for index in support:
        zero, one = cofactors[index]
        x = 2 * (index + 1)
        if zero == everything ^ one:
            cost, rest = expression(zero, count)
            yield (cost + 1, (XOR, x, rest)) if rest not in (FALSE, TRUE) else (0, x ^ (rest == TRUE))
        for literal, dead, alive in ((x, zero, one), (x ^ 1, one, zero)):
            if dead in (0, everything) and alive != everything ^ dead:
                cost, rest = expression(alive ^ dead, count)
                yield cost + 1, _negated((AND, literal, rest), dead == everything)


def _merged(support: Sequence[int], cofactors: Cofactors, count: int) -> Iterator[Found]:
    """Ways to compute a table of two variables by way of one operation on these."""
    if len(support) < 3:
        return
    for i, j in combinations(support, 2):
        quarters = [part for half in cofactors[i] for part in _cofactors(half, j, count)]
        for operation, flip_i, flip_j in _OPERATIONS:
            yes = [(a ^ flip_i) & (b ^ flip_j) if operation == AND else a ^ b for a, b in _PAIRS]
            ones = {q for q, holds in zip(quarters, yes, strict=True) if holds}
            zeros = {q for q, holds in zip(quarters, yes, strict=True) if not holds}
            if len(ones) == len(zeros) == 1:
                high = variable(i, count)
                cost, rest = expression(ones.pop() & high | zeros.pop() & ~high, count)
                pair = (operation, 2 * (i + 1) ^ flip_i, 2 * (j + 1) ^ flip_j)
                yield cost + 1, _substituted(rest, i + 1, pair)


_PAIRS = ((0, 0), (0, 1), (1, 0), (1, 1))
_OPERATIONS = ((XOR, 0, 0), (AND, 0, 0), (AND, 0, 1), (AND, 1, 0), (AND, 1, 1))


def _expanded(support: Sequence[int], cofactors: Cofactors, count: int) -> Iterator[Found]:
    """Ways to compute a table from those where a variable is 0, where it is 1, and their difference.

    The same variable comes first for the sum and for the carry of an adder, which thus share.
    """
    for index in support:
        (a, zero), (b, one) = (expression(table, count) for table in cofactors[index])
        c, difference = expression(cofactors[index][0] ^ cofactors[index][1], count)
        x = 2 * (index + 1)
        yield a + c + 2, (XOR, zero, (AND, x, difference))
        yield b + c + 2, (XOR, one, (AND, x ^ 1, difference))
        either = (AND, _negated((AND, x, one), True), _negated((AND, x ^ 1, zero), True))
        yield a + b + 3, _negated(either, True)


def _negated(operation: Expression, really: bool) -> Expression:
    return (XOR, operation, TRUE) if really else operation


def _substituted(whole: Expression, node: int, part: Expression) -> Expression:
    """An expression in which another is put for a variable."""
    if isinstance(whole, int):
        return _negated(part, bool(whole & 1)) if whole >> 1 == node else whole
    operation, a, b = whole
    return operation, _substituted(a, node, part), _substituted(b, node, part)


Plan = tuple[tuple[Operation, ...], int]
"""Operations on literals, and the literal that is the result.

Node i + 1 is variable i; what the operations yield are the nodes after the variables.
"""


@cache
def plan(table: int, count: int) -> Plan:
    """An expression for a truth table, its equal parts shared."""
    logic = Logic(count)

    def literal(part: Expression) -> int:
        if isinstance(part, int):
            return part
        a, b = map(literal, part[1:])
        return logic.conjunction(a, b) if part[0] == AND else logic.exclusive(a, b)

    result = literal(expression(table, count)[1])
    return tuple(logic.operations), result


def computed(logic: Logic, plan: Plan, variables: Sequence[int]) -> int:
    """The literal that a plan gives, of the given literals as variables."""
    operations, result = plan
    literals = [FALSE, *variables]
    for name, a, b in operations:
        x, y = literals[a >> 1] ^ a & 1, literals[b >> 1] ^ b & 1
        literals.append(logic.conjunction(x, y) if name == AND else logic.exclusive(x, y))
    return literals[result >> 1] ^ result & 1


# --- functions of signals -----------------------------------------------------------------------

Function = tuple[tuple[int, ...], int]
"""Signals, in ascending order, and a truth table of them."""


class Reader:
    """Turns signals one by one into logic, each as simple a function of earlier ones as is found.

    Attributes:
        literals: of the signals read so far, the inputs first.
    """

    def __init__(self, logic: Logic) -> None:
        self.logic = logic
        self.literals = [logic.input(index) for index in range(logic.inputs)]
        self._functions: list[Function | None] = [None] * logic.inputs

    def table(self, sources: tuple[int, ...], table: int) -> None:
        """Read a signal that is a truth table of others, of few ones in ascending order."""
        known = [self._functions[source] for source in sources]
        near = set(sources)
        for function in known:
            if function:
                near.update(function[0])
        signals = sorted(near)
        rank = {signal: index for index, signal in enumerate(signals)}
        # What follows depends on the signals by their order alone, so that it is worked out only once.
        reading = _reading(
            table,
            tuple([rank[source] for source in sources]),
            tuple([f and (tuple([rank[signal] for signal in f[0]]), f[1]) for f in known]),
        )
        self.literals.append(
            computed(self.logic, reading.plan, [self.literals[signals[index]] for index in reading.read])
        )
        places, function_table = reading.function or ((), 0)
        self._functions.append(
            (tuple([signals[index] for index in places]), function_table) if reading.function else None
        )

    def neuron(self, neuron: Neuron) -> None:
        """Read a neuron."""
        synapses = sorted(neuron.synapses)
        weights = tuple([weight for _, weight in synapses])
        threshold, bias = neuron.threshold, neuron.bias
        if len(synapses) <= TABLE_FAN_IN:
            exact = (threshold.numerator, threshold.denominator, bias.numerator, bias.denominator)
            self.table(tuple([source for source, _ in synapses]), _threshold_table(weights, *exact))
            return
        scale = math.lcm(*(number.denominator for number in (threshold, bias, *weights)))
        pairs = [(self.literals[source], int(weight * scale)) for source, weight in synapses]
        self.literals.append(reaches(self.logic, pairs, int((threshold - bias) * scale)))
        self._functions.append(None)


def read_netlist(netlist: Netlist) -> Reader:
    """All signals of a netlist as logic."""
    reader = Reader(Logic(netlist.input_count))
    for neuron in netlist.neurons:
        reader.neuron(neuron)
    return reader


def netlist_logic(netlist: Netlist) -> tuple[Logic, list[int]]:
    """The logic of a netlist and the literals of its output bits; all else that it took is forgotten."""
    reader = read_netlist(netlist)
    return reader.logic, [reader.literals[s] for bus in netlist.outputs.values() for s in bus]


@cache
def _threshold_table(
    weights: tuple[Weight, ...], numerator: int, denominator: int, bias: int, bias_denominator: int
) -> int:
    """The truth table of whether the weighted sum of the variables reaches threshold less bias; exact.

    The two come as numerator and denominator, which are found again sooner than fractions are.
    """
    drive = Fraction(numerator, denominator) - Fraction(bias, bias_denominator)
    rows = range(1 << len(weights))
    sums = (sum(w for place, w in enumerate(weights) if row >> place & 1) for row in rows)
    return sum(1 << row for row, total in zip(rows, sums, strict=True) if total >= drive)


@dataclass(frozen=True)
class _Reading:
    """How a signal is made: what is read, the plan, and as which function it is remembered."""

    read: tuple[int, ...]
    plan: Plan
    function: Function | None


@cache
def _reading(table: int, sources: tuple[int, ...], known: tuple[Function | None, ...]) -> _Reading:
    """The better of a table of sources, and of one of the signals that they are functions of."""
    direct = (sources, table)
    composed = _composition(known, sources, table) or direct
    plans = {function: plan(function[1], len(function[0])) for function in (composed, direct)}
    best = min(plans, key=lambda function: len(plans[function][0]))
    return _Reading(best[0], plans[best], composed if len(composed[0]) <= LEAVES else None)


def _composition(
    known: tuple[Function | None, ...], sources: tuple[int, ...], table: int
) -> Function | None:
    """A table of sources as one of the signals that these are functions of, if they are no more."""
    replaced = _replaced(known, sources)
    if not replaced:
        return None
    parts = [
        function if position in replaced and function else ((source,), 0b10)
        for position, (source, function) in enumerate(zip(sources, known, strict=True))
    ]
    leaves = tuple(sorted({signal for signals, _ in parts for signal in signals}))
    places = [(tuple(map(leaves.index, signals)), inner) for signals, inner in parts]
    return leaves, _composed(table, places, len(leaves))


def _replaced(known: tuple[Function | None, ...], sources: tuple[int, ...]) -> set[int]:
    """The positions of the sources to read through, so that there are no more signals than sources."""

    def few(chosen: set[int]) -> bool:
        signals: set[int] = set()
        for position, (source, function) in enumerate(zip(sources, known, strict=True)):
            signals.update(function[0] if function and position in chosen else (source,))
        return len(signals) <= len(sources)

    every = {position for position, function in enumerate(known) if function}
    if few(every):
        return every
    chosen: set[int] = set()
    for position in sorted(every, reverse=True):
        if few(chosen | {position}):
            chosen.add(position)
    return chosen


def _composed(table: int, parts: Sequence[Function], count: int) -> int:
    """The table of ``count`` variables that results where each of ``table`` is a table itself."""
    result = 0
    for row in range(1 << count):
        outer = 0
        for position, (places, inner) in enumerate(parts):
            index = sum((row >> place & 1) << bit for bit, place in enumerate(places))
            outer |= (inner >> index & 1) << position
        result |= (table >> outer & 1) << row
    return result


# --- many synapses ------------------------------------------------------------------------------


class _TooLargeError(Exception):
    """A decision diagram has more nodes than it is worth."""


def reaches(logic: Logic, synapses: Iterable[tuple[int, int]], drive: int) -> int:
    """The literal of whether the sum of the weights of true literals reaches the drive."""
    positive = []
    for literal, weight in synapses:  # w x = w + |w| (1 - x) for w < 0
        positive.append((literal ^ (weight < 0), abs(weight)))
        drive -= min(0, weight)
    positive.sort(key=lambda synapse: (-synapse[1], synapse[0]))
    smallest, total = positive[-1][1], sum(weight for _, weight in positive)
    if drive <= 0 or drive > total:
        return int(drive <= 0)
    if drive <= smallest:
        return _every(logic, [literal ^ 1 for literal, _ in positive]) ^ 1
    if drive > total - smallest:
        return _every(logic, [literal for literal, _ in positive])
    if len(positive) <= DIAGRAM_FAN_IN:
        try:
            return _diagram(logic, positive, drive)
        except _TooLargeError:
            pass
    return _binary_sum(logic, positive, drive)


def _every(logic: Logic, literals: Iterable[int]) -> int:
    result = TRUE
    for literal in literals:
        result = logic.conjunction(result, literal)
    return result


def _diagram(logic: Logic, synapses: Sequence[tuple[int, int]], drive: int) -> int:
    """By deciding on one synapse after the other; equal questions are asked once."""
    left = [sum(weight for _, weight in synapses[index:]) for index in range(len(synapses))]
    answers: dict[tuple[int, int], int] = {}

    def answer(index: int, needed: int) -> int:
        if needed <= 0:
            return TRUE
        if index == len(synapses) or needed > left[index]:
            return FALSE
        key = (index, needed)
        if key not in answers:
            if len(answers) > 2 * len(synapses):
                raise _TooLargeError
            literal, weight = synapses[index]
            fires, rests = answer(index + 1, needed - weight), answer(index + 1, needed)
            answers[key] = logic.choice(literal, fires, rests)
        return answers[key]

    return answer(0, drive)


def _binary_sum(logic: Logic, synapses: Sequence[tuple[int, int]], drive: int) -> int:
    """By adding up the weights in binary, with full adders, and comparing the sum."""
    width = max(drive, sum(weight for _, weight in synapses)).bit_length()
    columns: list[deque[int]] = [deque() for _ in range(width + 1)]
    for literal, weight in synapses:
        for place in range(weight.bit_length()):
            if weight >> place & 1:
                columns[place].append(literal)
    for place, column in enumerate(columns[:width]):
        while len(column) > 1:
            a, b = column.popleft(), column.popleft()
            c = column.popleft() if column else FALSE
            half = logic.exclusive(b, c)
            column.append(logic.exclusive(a, half))
            columns[place + 1].append(
                logic.exclusive(logic.conjunction(b, c), logic.conjunction(a, half))
            )
    enough = TRUE  # from the lowest place up: the sum so far is at least the drive so far
    for place in range(width):
        (bit,) = columns[place] or (FALSE,)
        enough = logic.conjunction(bit, enough) if drive >> place & 1 else logic.disjunction(bit, enough)
    return enough
