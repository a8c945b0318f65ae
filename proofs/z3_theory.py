"""z3's floating-point theory, and its formulas as formulas of pySMT.

Only what states the theorems of ``proofs.floating_point_theory`` loads this: nothing else needs z3.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import z3
from pysmt.fnode import FNode
from pysmt.shortcuts import (
    BV,
    BVSLE,
    BVULE,
    FALSE,
    TRUE,
    And,
    BVAdd,
    BVAnd,
    BVConcat,
    BVExtract,
    BVLShl,
    BVLShr,
    BVMul,
    BVNeg,
    BVNot,
    BVOr,
    BVSExt,
    BVSub,
    BVUDiv,
    BVXor,
    BVZExt,
    Equals,
    Iff,
    Ite,
    Not,
    NotEquals,
    Or,
)

from spikeproof.specs.formats import Format, RoundingMode

# --- from z3's formulas to ours -----------------------------------------------------------------


def _equal(a: FNode, b: FNode) -> FNode:
    return Iff(a, b) if a.get_type().is_bool_type() else Equals(a, b)


def _reduced(holds: Callable[[FNode], FNode]) -> Callable[[FNode], FNode]:
    return lambda a: Ite(holds(a), BV(1, 1), BV(0, 1))


_OPERATORS: dict[int, Callable[..., FNode]] = {
    z3.Z3_OP_TRUE: TRUE,
    z3.Z3_OP_FALSE: FALSE,
    z3.Z3_OP_AND: And,
    z3.Z3_OP_OR: Or,
    z3.Z3_OP_NOT: Not,
    z3.Z3_OP_ITE: Ite,
    z3.Z3_OP_EQ: _equal,
    z3.Z3_OP_CONCAT: BVConcat,
    z3.Z3_OP_BADD: BVAdd,
    z3.Z3_OP_BSUB: BVSub,
    z3.Z3_OP_BNEG: BVNeg,
    z3.Z3_OP_BMUL: BVMul,
    z3.Z3_OP_BUDIV_I: BVUDiv,
    z3.Z3_OP_BNOT: BVNot,
    z3.Z3_OP_BAND: BVAnd,
    z3.Z3_OP_BOR: BVOr,
    z3.Z3_OP_BXOR: BVXor,
    z3.Z3_OP_BSHL: BVLShl,
    z3.Z3_OP_BLSHR: BVLShr,
    z3.Z3_OP_BREDOR: _reduced(lambda a: NotEquals(a, BV(0, a.bv_width()))),
    z3.Z3_OP_BREDAND: _reduced(lambda a: Equals(a, BV((1 << a.bv_width()) - 1, a.bv_width()))),
    z3.Z3_OP_SLEQ: BVSLE,
    z3.Z3_OP_ULEQ: BVULE,
    z3.Z3_OP_ZERO_EXT: lambda a, count: BVZExt(a, count),
    z3.Z3_OP_SIGN_EXT: lambda a, count: BVSExt(a, count),
    z3.Z3_OP_EXTRACT: lambda a, high, low: BVExtract(a, low, high),
}
"""The operators that ``fpa2bv`` makes use of; a function's parameters follow its arguments."""

_LEFT_ASSOCIATIVE = {z3.Z3_OP_CONCAT, z3.Z3_OP_BADD, z3.Z3_OP_BMUL}


def from_z3(term: z3.ExprRef, leaves: Mapping[str, FNode]) -> FNode:
    """z3's bit-vector or Boolean term as a formula of pySMT.

    Args:
        leaves: what to put for the term's constants, by name.

    Raises:
        KeyError: for a constant that is not among the leaves, or an operator of which ``fpa2bv`` makes
            no use.
    """
    formulas: dict[int, FNode] = {}
    pending = [term]
    while pending:
        node = pending[-1]
        missing = [child for child in node.children() if child.get_id() not in formulas]
        if missing:
            pending.extend(missing)
            continue
        pending.pop()
        if node.get_id() not in formulas:
            arguments = [formulas[child.get_id()] for child in node.children()]
            formulas[node.get_id()] = _formula(node, arguments, leaves)
    return formulas[term.get_id()]


def _formula(node: z3.ExprRef, arguments: list[FNode], leaves: Mapping[str, FNode]) -> FNode:
    if z3.is_bv_value(node):
        return BV(node.as_long(), node.size())
    declared = node.decl()
    kind = declared.kind()
    if kind == z3.Z3_OP_UNINTERPRETED:
        return leaves[declared.name()]
    if kind in _LEFT_ASSOCIATIVE:
        total = arguments[0]
        for argument in arguments[1:]:
            total = _OPERATORS[kind](total, argument)
        return total
    return _OPERATORS[kind](*arguments, *declared.params())


def in_bit_vectors(relation: z3.BoolRef, leaves: Mapping[str, FNode]) -> FNode:
    """A relation between floating-point terms as a formula of pySMT about their codes.

    Raises:
        KeyError: if z3 leaves something open, and introduces a constant for it.
    """
    # Simplifying is needed for subtraction, which ``fpa2bv`` cannot translate; it becomes an addition.
    # It also puts operands in the order in which the context came by them: in a context of its own, a
    # relation becomes the same formula whatever was built before.
    own = z3.Context()
    (goal,) = z3.Then("simplify", "fpa2bv", ctx=own)(relation.translate(own))
    return And(from_z3(conjunct, leaves) for conjunct in goal)


# --- the operations in z3's theory --------------------------------------------------------------

MODES: dict[RoundingMode, Callable[[], Any]] = {
    RoundingMode.NEAREST_EVEN: z3.RNE,
    RoundingMode.NEAREST_AWAY: z3.RNA,
    RoundingMode.TOWARD_ZERO: z3.RTZ,
    RoundingMode.UP: z3.RTP,
    RoundingMode.DOWN: z3.RTN,
}

OPERATIONS: dict[str, Callable[..., Any]] = {
    "add": z3.fpAdd,
    "subtract": z3.fpSub,
    "multiply": z3.fpMul,
    "divide": z3.fpDiv,
    "square_root": z3.fpSqrt,
    "fma": z3.fpFMA,
    "equal": z3.fpEQ,
    "less": z3.fpLT,
    "less_equal": z3.fpLEQ,
    "unordered": lambda x, y: z3.Or(z3.fpIsNaN(x), z3.fpIsNaN(y)),
    "minimum_number": z3.fpMin,
    "maximum_number": z3.fpMax,
    "negate": z3.fpNeg,
    "absolute": z3.fpAbs,
}
"""By the names that the spec has for them; those that round take the mode first."""


def sort(fmt: Format) -> Any:
    """A format, as z3 has it."""
    return z3.FPSort(fmt.exponent_bits, fmt.precision)


def number(name: str, fmt: Format) -> Any:
    """The number whose code is a constant of that name."""
    return z3.fpBVToFP(z3.BitVec(name, fmt.width), sort(fmt))


def converted(mode: RoundingMode, value: Any, fmt: Format) -> Any:
    """A number rounded to another format."""
    return z3.fpFPToFP(MODES[mode](), value, sort(fmt))
