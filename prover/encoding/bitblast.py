"""From bit-vector formulas to clauses: an and-inverter graph, then Tseitin's encoding.

A *literal* of the graph is an integer: 2n for node n, 2n + 1 for its negation; node 0 is the constant
false. Every node is an input or the conjunction of two literals; equal conjunctions are one node.
Bit-vectors become tuples of literals, least significant first. The fragment is that of ``specs`` and
``circuits.meanings.formula``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import TypeVar

from pysmt import operators
from pysmt.fnode import FNode
from pysmt.shortcuts import And

FALSE = 0
TRUE = 1

Bits = tuple[int, ...]
Clauses = Sequence[Sequence[int]]
Meaning = TypeVar("Meaning")


def dimacs(literal: int) -> int:
    """A literal as clauses have it: variables count from 1, negations are negative."""
    variable = (literal >> 1) + 1
    return -variable if literal & 1 else variable


class Graph:
    """An and-inverter graph under construction."""

    def __init__(self) -> None:
        self.conjunctions: list[tuple[int, int] | None] = [None]
        """For each node its two literals; None for the constant and for inputs."""
        self._node_of: dict[tuple[int, int], int] = {}

    def new_input(self) -> int:
        """The literal of a new input."""
        self.conjunctions.append(None)
        return 2 * (len(self.conjunctions) - 1)

    def conjunction(self, a: int, b: int) -> int:
        """a and b."""
        if a > b:
            a, b = b, a
        if a == FALSE or a == b ^ 1:
            return FALSE
        if a in (TRUE, b):
            return b
        key = (a, b)
        if key not in self._node_of:
            self._node_of[key] = len(self.conjunctions)
            self.conjunctions.append(key)
        return 2 * self._node_of[key]

    def disjunction(self, a: int, b: int) -> int:
        """a or b."""
        return self.conjunction(a ^ 1, b ^ 1) ^ 1

    def exclusive(self, a: int, b: int) -> int:
        """a xor b."""
        return self.disjunction(self.conjunction(a, b ^ 1), self.conjunction(a ^ 1, b))

    def choice(self, condition: int, a: int, b: int) -> int:
        """a if the condition holds, else b."""
        if a == b:
            return a
        return self.disjunction(self.conjunction(condition, a), self.conjunction(condition ^ 1, b))

    def majority(self, a: int, b: int, c: int) -> int:
        """Whether at least two hold."""
        return self.disjunction(self.conjunction(a, b), self.conjunction(c, self.disjunction(a, b)))

    def cone(self, root: int) -> list[int]:
        """The nodes that a literal depends on, its own among them, in topological order."""
        live, pending = set(), [root >> 1]
        while pending:
            node = pending.pop()
            if node not in live:
                live.add(node)
                pending.extend(literal >> 1 for literal in self.conjunctions[node] or ())
        return sorted(live)

    def defined(self, root: int) -> list[int]:
        """The nodes that ``clauses`` define, in that order: the constant, and the literal's cone."""
        return list(dict.fromkeys((FALSE >> 1, *self.cone(root))))

    def definition(self, node: int, name: Callable[[int], int] = dimacs) -> list[list[int]]:
        """The clauses that say what one node is.

        Args:
            name: a literal in clauses; by default variable n + 1 is node n.
        """
        if node == FALSE >> 1:
            return [[-name(FALSE)]]
        pair = self.conjunctions[node]
        if pair is None:
            return []
        a, b = map(name, pair)
        out = name(2 * node)
        return [[-out, a], [-out, b], [out, -a, -b]]

    def clauses(self, root: int) -> list[list[int]]:
        """Clauses that are satisfiable iff the root can be true; that node 0 is false is among them."""
        return [[dimacs(root)], *(c for node in self.defined(root) for c in self.definition(node))]


def bottom_up(
    formula: FNode,
    known: dict[FNode, Meaning],
    translate: Callable[[FNode, list[Meaning]], Meaning],
) -> Meaning:
    """What a formula of any depth is translated to, operands first, each node once.

    Args:
        known: what nodes are translated to; grows.
        translate: from a node and what its operands are translated to.
    """
    pending = [formula]
    while pending:
        node = pending[-1]
        if missing := [operand for operand in node.args() if operand not in known]:
            pending.extend(missing)
            continue
        pending.pop()
        if node not in known:
            known[node] = translate(node, [known[operand] for operand in node.args()])
    return known[formula]


class Blaster:
    """Translates formulas into one graph; symbols of one name are one input."""

    def __init__(self) -> None:
        self.graph = Graph()
        self.symbols: dict[str, Bits] = {}
        self._bits: dict[FNode, Bits] = {}

    def literal(self, formula: FNode) -> int:
        """The literal of a Boolean formula."""
        return self.bits(formula)[0]

    def clauses(self, formulas: Sequence[FNode]) -> list[list[int]]:
        """Clauses that are satisfiable iff the formulas are, together."""
        return self.graph.clauses(self.literal(And(formulas)))

    def bits(self, formula: FNode) -> Bits:
        """The bits of a formula; one for a Boolean.

        Raises:
            ValueError: for operators outside the fragment.
        """
        return bottom_up(formula, self._bits, self._translate)

    def _translate(self, node: FNode, args: list[Bits]) -> Bits:
        if node.is_symbol():
            kind = node.symbol_type()
            width = 1 if kind.is_bool_type() else kind.width
            bits = tuple(self.graph.new_input() for _ in range(width))
            return self.symbols.setdefault(node.symbol_name(), bits)
        if node.is_bool_constant():
            return (TRUE if node.constant_value() else FALSE,)
        if node.is_bv_constant():
            value = int(node.constant_value())  # with gmpy2, pySMT has integers of its own
            return tuple(value >> i & 1 for i in range(node.bv_width()))
        rule = _RULES.get(node.node_type())
        if rule is None:
            raise ValueError(f"no encoding for {operators.op_to_str(node.node_type())}")
        return rule(self.graph, node, *args)


# --- operators ----------------------------------------------------------------------------------


def _all(g: Graph, literals: Sequence[int]) -> int:
    result = TRUE
    for literal in literals:
        result = g.conjunction(result, literal)
    return result


def _equal(g: Graph, a: Bits, b: Bits) -> int:
    return _all(g, [g.exclusive(p, q) ^ 1 for p, q in zip(a, b, strict=True)])


def _sum(g: Graph, a: Bits, b: Bits, carry: int = FALSE) -> tuple[Bits, int]:
    total = []
    for p, q in zip(a, b, strict=True):
        half = g.exclusive(p, q)
        total.append(g.exclusive(half, carry))
        carry = g.majority(p, q, carry)
    return tuple(total), carry


def _negated(a: Bits) -> Bits:
    return tuple(bit ^ 1 for bit in a)


def _less(g: Graph, a: Bits, b: Bits) -> int:
    """a < b, unsigned: no carry out of a + not b + 1."""
    return _sum(g, a, _negated(b), TRUE)[1] ^ 1


def _flip_sign(a: Bits) -> Bits:
    """Signed order is unsigned order with the sign bits flipped."""
    return (*a[:-1], a[-1] ^ 1)


def _add_many(g: Graph, node: FNode, *args: Bits) -> Bits:
    total = args[0]
    for arg in args[1:]:
        total = _sum(g, total, arg)[0]
    return total


def _multiply(g: Graph, node: FNode, a: Bits, b: Bits) -> Bits:
    total: Bits = (FALSE,) * len(a)
    for index, bit in enumerate(b):
        row = (FALSE,) * index + tuple(g.conjunction(bit, p) for p in a[: len(a) - index])
        total = _sum(g, total, row)[0]
    return total


def _divide(g: Graph, a: Bits, b: Bits) -> tuple[Bits, Bits]:
    """Quotient and remainder, by restoring division; by zero they are all ones and a, as in SMT-LIB."""
    quotient: Bits = ()
    remainder: Bits = (FALSE,) * len(a)
    for bit in reversed(a):
        shifted = (bit, *remainder)  # one bit longer
        difference, enough = _sum(g, shifted, _negated((*b, FALSE)), TRUE)
        quotient = (enough, *quotient)
        remainder = tuple(g.choice(enough, p, q) for p, q in zip(difference, shifted, strict=True))[:-1]
    return quotient, remainder


def _shift(step: Callable[[Bits, int], Bits]) -> Callable[..., Bits]:
    def shifted(g: Graph, node: FNode, a: Bits, amount: Bits) -> Bits:
        for stage, select in enumerate(amount):
            moved = step(a, min(1 << stage, len(a)))
            a = tuple(g.choice(select, p, q) for p, q in zip(moved, a, strict=True))
        return a

    return shifted


def _extract(g: Graph, node: FNode, a: Bits) -> Bits:
    return a[node.bv_extract_start() : node.bv_extract_end() + 1]


def _bitwise(operation: Callable[[Graph, int, int], int]) -> Callable[..., Bits]:
    def apply(g: Graph, node: FNode, *args: Bits) -> Bits:
        result = args[0]
        for arg in args[1:]:
            result = tuple(operation(g, p, q) for p, q in zip(result, arg, strict=True))
        return result

    return apply


_RULES: dict[int, Callable[..., Bits]] = {
    operators.AND: _bitwise(Graph.conjunction),
    operators.OR: _bitwise(Graph.disjunction),
    operators.NOT: lambda g, n, a: _negated(a),
    operators.IFF: lambda g, n, a, b: (_equal(g, a, b),),
    operators.IMPLIES: lambda g, n, a, b: (g.disjunction(a[0] ^ 1, b[0]),),
    operators.ITE: lambda g, n, c, a, b: tuple(g.choice(c[0], p, q) for p, q in zip(a, b, strict=True)),
    operators.EQUALS: lambda g, n, a, b: (_equal(g, a, b),),
    operators.BV_NOT: lambda g, n, a: _negated(a),
    operators.BV_AND: _bitwise(Graph.conjunction),
    operators.BV_OR: _bitwise(Graph.disjunction),
    operators.BV_XOR: _bitwise(Graph.exclusive),
    operators.BV_ADD: _add_many,
    operators.BV_SUB: lambda g, n, a, b: _sum(g, a, _negated(b), TRUE)[0],
    operators.BV_NEG: lambda g, n, a: _sum(g, _negated(a), (FALSE,) * len(a), TRUE)[0],
    operators.BV_MUL: _multiply,
    operators.BV_UDIV: lambda g, n, a, b: _divide(g, a, b)[0],
    operators.BV_UREM: lambda g, n, a, b: _divide(g, a, b)[1],
    operators.BV_LSHL: _shift(lambda a, k: (FALSE,) * k + a[: len(a) - k]),
    operators.BV_LSHR: _shift(lambda a, k: a[k:] + (FALSE,) * k),
    operators.BV_ULT: lambda g, n, a, b: (_less(g, a, b),),
    operators.BV_ULE: lambda g, n, a, b: (_less(g, b, a) ^ 1,),
    operators.BV_SLT: lambda g, n, a, b: (_less(g, _flip_sign(a), _flip_sign(b)),),
    operators.BV_SLE: lambda g, n, a, b: (_less(g, _flip_sign(b), _flip_sign(a)) ^ 1,),
    operators.BV_EXTRACT: _extract,
    operators.BV_CONCAT: lambda g, n, high, low: low + high,
    operators.BV_ZEXT: lambda g, n, a: a + (FALSE,) * (n.bv_width() - len(a)),
    operators.BV_SEXT: lambda g, n, a: a + (a[-1],) * (n.bv_width() - len(a)),
}


def dimacs_file(clauses: Clauses) -> bytes:
    """Clauses as a DIMACS file."""
    variables = max((abs(literal) for clause in clauses for literal in clause), default=0)
    lines = [f"p cnf {variables} {len(clauses)}"]
    lines += [" ".join(map(str, (*clause, 0))) for clause in clauses]
    return "\n".join((*lines, "")).encode()


def cnf_sha256(clauses: Clauses) -> str:
    """The SHA-256 of clauses as a DIMACS file."""
    return hashlib.sha256(dimacs_file(clauses)).hexdigest()


def model_value(bits: Bits, true_variables: set[int]) -> int:
    """The value of a bit-vector in a model given as the set of true DIMACS variables."""

    def holds(literal: int) -> bool:
        return ((literal >> 1) + 1 in true_variables) != bool(literal & 1)

    return sum(1 << index for index, literal in enumerate(bits) if holds(literal))
