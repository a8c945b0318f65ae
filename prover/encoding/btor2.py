"""Formulas as BTOR2: a theorem as a property that is never bad, for model checkers to decide.

The format is that of A. Niemetz, M. Preiner, C. Wolf and A. Biere, "BTOR2, BtorMC and Boolector 3.0",
2018. Booleans are words of one bit there. The fragment is that of ``prover.encoding.smtlib``.
"""

from __future__ import annotations

from pysmt import operators
from pysmt.fnode import FNode
from pysmt.shortcuts import Not

from spikeproof.prover.claims.obligation import Claim
from spikeproof.prover.encoding.bitblast import bottom_up

_OPERATORS: dict[int, str] = {
    operators.AND: "and",
    operators.OR: "or",
    operators.NOT: "not",
    operators.IFF: "eq",
    operators.IMPLIES: "implies",
    operators.ITE: "ite",
    operators.EQUALS: "eq",
    operators.BV_NOT: "not",
    operators.BV_AND: "and",
    operators.BV_OR: "or",
    operators.BV_XOR: "xor",
    operators.BV_ADD: "add",
    operators.BV_SUB: "sub",
    operators.BV_NEG: "neg",
    operators.BV_MUL: "mul",
    operators.BV_UDIV: "udiv",
    operators.BV_UREM: "urem",
    operators.BV_LSHL: "sll",
    operators.BV_LSHR: "srl",
    operators.BV_ULT: "ult",
    operators.BV_ULE: "ulte",
    operators.BV_SLT: "slt",
    operators.BV_SLE: "slte",
    operators.BV_CONCAT: "concat",
}
"""What BTOR2 calls each operator; extraction and extension have numbers besides."""

_CHAINED = {"and", "or", "add", "mul", "xor", "concat"}
"""Operators that formulas may apply to more than two."""


_PREDICATES = {"eq", "ult", "ulte", "slt", "slte"}
"""Operators whose result is one bit, whatever their operands are."""

_Line = tuple[int, int]
"""Its number, and how many bits what it stands for has."""


def property_of(claim: Claim) -> str:
    """A file whose property is bad for some inputs iff the claim is wrong.

    Raises:
        ValueError: for an operator outside the fragment.
    """
    writer = _Writer()
    for symbol in claim.inputs.values():
        writer.term(symbol)
    for assumption in claim.assumptions:
        writer.line(f"constraint {writer.term(assumption)}")
    writer.line(f"bad {writer.term(Not(claim.goal))}")
    return "".join(f"{number} {text}\n" for number, text in enumerate(writer.lines, start=1))


class _Writer:
    """Lines, each numbered by its place from 1; sorts and formulas come before what needs them."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._sorts: dict[int, int] = {}
        self._known: dict[FNode, _Line] = {}

    def line(self, text: str) -> int:
        """The number of a new line."""
        self.lines.append(text)
        return len(self.lines)

    def term(self, formula: FNode) -> int:
        """The number of a formula's line."""
        return bottom_up(formula, self._known, self._formula)[0]

    def _formula(self, node: FNode, operands: list[_Line]) -> _Line:
        name = _OPERATORS.get(node.node_type(), "")
        width = _width(node, name, operands)
        if width not in self._sorts:
            self._sorts[width] = self.line(f"sort bitvec {width}")
        sort, numbers = self._sorts[width], [number for number, _ in operands]
        if not name:
            return self.line(_other(node, sort, numbers)), width
        while len(numbers) > 2 and name in _CHAINED:
            numbers[:2] = [self.line(f"{name} {sort} {numbers[0]} {numbers[1]}")]
        return self.line(f"{name} {sort} {' '.join(map(str, numbers))}"), width


def _width(node: FNode, name: str, operands: list[_Line]) -> int:
    """How many bits a formula has: asking pySMT of a choice would descend into it."""
    if name == "ite":
        return operands[-1][1]
    if node.is_symbol():
        return 1 if node.symbol_type().is_bool_type() else int(node.bv_width())
    is_word = node.is_bv_constant() or (node.is_bv_op() and name not in _PREDICATES)
    return int(node.bv_width()) if is_word else 1


def _other(node: FNode, sort: int, operands: list[int]) -> str:
    """The line of what is no operator on words alone."""
    if node.is_symbol():
        return f"input {sort} {node.symbol_name()}"
    if node.is_bv_constant() or node.is_bool_constant():
        return f"constd {sort} {int(node.constant_value())}"
    if node.is_bv_extract():
        return f"slice {sort} {operands[0]} {node.bv_extract_end()} {node.bv_extract_start()}"
    if node.is_bv_zext() or node.is_bv_sext():
        extension = "uext" if node.is_bv_zext() else "sext"
        return f"{extension} {sort} {operands[0]} {node.bv_extend_step()}"
    raise ValueError(f"no BTOR2 for {operators.op_to_str(node.node_type())}")
