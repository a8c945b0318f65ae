"""The meaning of gates and integer blocks, as pySMT formulas.

A gate's meaning is a Boolean function; an integer block's is arithmetic on unsigned bit-vectors.
Buses are bit-vectors whose bit 0 is the least significant. Each function takes the input buses by
name and returns the output buses by name, so that a proof is the equation of two dictionaries.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pysmt.fnode import FNode
from pysmt.shortcuts import (
    BV,
    BVUGE,
    BVULE,
    BVULT,
    BVAdd,
    BVAnd,
    BVConcat,
    BVExtract,
    BVLShl,
    BVLShr,
    BVMul,
    BVNot,
    BVOr,
    BVSub,
    BVUDiv,
    BVURem,
    BVXor,
    BVZExt,
    Equals,
    Ite,
    NotEquals,
)

Buses = Mapping[str, FNode]
Meaning = Callable[[Buses], dict[str, FNode]]


def _bool(condition: FNode) -> FNode:
    return Ite(condition, BV(1, 1), BV(0, 1))


def _wide(x: FNode, width: int) -> FNode:
    return BVZExt(x, width - x.bv_width())


# --- gates: every input and output bus is one bit wide, but for the wide gates ------------------


def and_gate(buses: Buses) -> dict[str, FNode]:
    """Whether both are 1."""
    return {"out": BVAnd(buses["a"], buses["b"])}


def or_gate(buses: Buses) -> dict[str, FNode]:
    """Whether either is 1."""
    return {"out": BVOr(buses["a"], buses["b"])}


def not_gate(buses: Buses) -> dict[str, FNode]:
    """The opposite."""
    return {"out": BVNot(buses["a"])}


def xor_gate(buses: Buses) -> dict[str, FNode]:
    """Whether they differ."""
    return {"out": BVXor(buses["a"], buses["b"])}


def mux(buses: Buses) -> dict[str, FNode]:
    """``a`` where ``select`` is 1, else ``b``."""
    return {"out": Ite(Equals(buses["select"], BV(1, 1)), buses["a"], buses["b"])}


def select(buses: Buses) -> dict[str, FNode]:
    """The word ``x`` where the bit ``which`` is 1, else ``y``."""
    return {"result": Ite(Equals(buses["which"], BV(1, 1)), buses["x"], buses["y"])}


def majority(buses: Buses) -> dict[str, FNode]:
    """Whether at least two of three are 1."""
    total = BVAdd(*(_wide(buses[name], 2) for name in "abc"))
    return {"out": _bool(BVUGE(total, BV(2, 2)))}


def half_adder(buses: Buses) -> dict[str, FNode]:
    """a + b in two bits."""
    total = BVAdd(_wide(buses["a"], 2), _wide(buses["b"], 2))
    return {"sum": BVExtract(total, 0, 0), "carry": BVExtract(total, 1, 1)}


def full_adder(buses: Buses) -> dict[str, FNode]:
    """a + b + c in two bits."""
    total = BVAdd(*(_wide(buses[name], 2) for name in "abc"))
    return {"sum": BVExtract(total, 0, 0), "carry": BVExtract(total, 1, 1)}


def wide_and(buses: Buses) -> dict[str, FNode]:
    """Whether all bits of ``x`` are 1."""
    width = buses["x"].bv_width()
    return {"out": _bool(Equals(buses["x"], BV((1 << width) - 1, width)))}


def wide_or(buses: Buses) -> dict[str, FNode]:
    """Whether any bit of ``x`` is 1."""
    return {"out": _bool(NotEquals(buses["x"], BV(0, buses["x"].bv_width())))}


def wide_majority(buses: Buses) -> dict[str, FNode]:
    """Whether more than half of the bits of ``x`` are 1."""
    width = buses["x"].bv_width()
    bits = [_wide(BVExtract(buses["x"], index, index), width) for index in range(width)]
    return {"out": _bool(BVULT(BV(width // 2, width), BVAdd(*bits)))}


GATES: dict[str, Meaning] = {
    "and": and_gate,
    "or": or_gate,
    "not": not_gate,
    "xor": xor_gate,
    "mux": mux,
    "majority": majority,
    "half_adder": half_adder,
    "full_adder": full_adder,
}

WIDE_GATES: dict[str, Meaning] = {"wide_and": wide_and, "wide_or": wide_or}


# --- integer blocks -----------------------------------------------------------------------------


def add(buses: Buses) -> dict[str, FNode]:
    """x + y + carry_in, of equal widths, and the carry out."""
    width = buses["x"].bv_width()
    total = BVAdd(*(_wide(buses[name], width + 1) for name in ("x", "y", "carry_in")))
    return {"sum": BVExtract(total, 0, width - 1), "carry": BVExtract(total, width, width)}


def subtract(buses: Buses) -> dict[str, FNode]:
    """x - y modulo 2^width, and whether x >= y."""
    return {
        "difference": BVSub(buses["x"], buses["y"]),
        "no_borrow": _bool(BVUGE(buses["x"], buses["y"])),
    }


def less_than(buses: Buses) -> dict[str, FNode]:
    """Whether x < y."""
    return {"out": _bool(BVULT(buses["x"], buses["y"]))}


def shift_right_sticky(buses: Buses) -> dict[str, FNode]:
    """x shifted right by ``amount``; ``sticky`` says whether a set bit was lost."""
    width = max(buses["x"].bv_width(), buses["amount"].bv_width())
    x, amount = _wide(buses["x"], width), _wide(buses["amount"], width)
    shifted = BVLShr(x, amount)
    return {
        "shifted": BVExtract(shifted, 0, buses["x"].bv_width() - 1),
        "sticky": _bool(NotEquals(BVLShl(shifted, amount), x)),
    }


def shift_left(buses: Buses) -> dict[str, FNode]:
    """x shifted left by ``amount``, in the width of x."""
    width = max(buses["x"].bv_width(), buses["amount"].bv_width())
    shifted = BVLShl(_wide(buses["x"], width), _wide(buses["amount"], width))
    return {"shifted": BVExtract(shifted, 0, buses["x"].bv_width() - 1)}


def normalise(buses: Buses) -> dict[str, FNode]:
    """x shifted left by s = min(its leading zeros, ``budget``), and ``budget - s``.

    Stated for x other than 0.
    """
    x, budget = buses["x"], buses["budget"]
    size = x.bv_width()
    width = max(size, budget.bv_width()) + 1
    leading_zeros = BV(size, width)
    for index in range(size):
        at = Equals(BVExtract(x, index, index), BV(1, 1))
        leading_zeros = Ite(at, BV(size - 1 - index, width), leading_zeros)
    wide_budget = _wide(budget, width)
    shift = Ite(BVULE(leading_zeros, wide_budget), leading_zeros, wide_budget)
    return {
        "shifted": BVExtract(BVLShl(_wide(x, width), shift), 0, size - 1),
        "remaining": BVExtract(BVSub(wide_budget, shift), 0, budget.bv_width() - 1),
    }


def leading_zeros(buses: Buses) -> dict[str, FNode]:
    """How many zeros x begins with, and x shifted left by as many. Stated for x other than 0."""
    x = buses["x"]
    size = x.bv_width()
    width = (size - 1).bit_length()
    count = BV(0, width)
    for index in range(size):
        at = Equals(BVExtract(x, index, index), BV(1, 1))
        count = Ite(at, BV(size - 1 - index, width), count)
    wide = max(size, width)
    shifted = BVLShl(_wide(x, wide), _wide(count, wide))
    return {"count": count, "shifted": BVExtract(shifted, 0, size - 1)}


def multiply(buses: Buses) -> dict[str, FNode]:
    """The full product of two unsigned integers."""
    width = buses["x"].bv_width() + buses["y"].bv_width()
    return {"product": BVMul(_wide(buses["x"], width), _wide(buses["y"], width))}


def divide(buses: Buses) -> dict[str, FNode]:
    """x * 2^(n+1) divided by y, both of n bits: the quotient in n + 2 bits, the remainder in n.

    Stated for y with its first bit set, where that is what they fit.
    """
    size = buses["y"].bv_width()
    width = 2 * size + 1
    dividend = BVConcat(buses["x"], BV(0, size + 1))
    divisor = _wide(buses["y"], width)
    return {
        "quotient": BVExtract(BVUDiv(dividend, divisor), 0, size + 1),
        "remainder": BVExtract(BVURem(dividend, divisor), 0, size - 1),
    }


def square_root(buses: Buses) -> dict[str, FNode]:
    """The largest integer whose square is at most x, and x less that square.

    x has 2n bits, the root n and the remainder n + 1. The root's bits are tried from the top.
    """
    width = buses["x"].bv_width()
    size = width // 2
    root = BV(0, width)
    for index in reversed(range(size)):
        candidate = BVOr(root, BV(1 << index, width))
        root = Ite(BVULE(BVMul(candidate, candidate), buses["x"]), candidate, root)
    remainder = BVSub(buses["x"], BVMul(root, root))
    return {"root": BVExtract(root, 0, size - 1), "remainder": BVExtract(remainder, 0, size)}


def sum_or_difference(buses: Buses) -> dict[str, FNode]:
    """x + y, or x - y - borrow where ``opposite`` is 1.

    Stated for where that is not negative.
    """
    width = buses["x"].bv_width()
    x, y, borrow = (_wide(buses[name], width + 1) for name in ("x", "y", "borrow"))
    opposite = Equals(buses["opposite"], BV(1, 1))
    total = Ite(opposite, BVSub(BVSub(x, y), borrow), BVAdd(x, y))
    return {"sum": BVExtract(total, 0, width - 1), "carry": BVExtract(total, width, width)}


def excess(buses: Buses) -> dict[str, FNode]:
    """Whether x - y is at least 1, 2, 3, ...: as many bits as x has."""
    size = buses["x"].bv_width()
    x, y = (_wide(buses[name], size + 1) for name in ("x", "y"))
    steps = [_bool(BVUGE(x, BVAdd(y, BV(k, size + 1)))) for k in range(1, size + 1)]
    word = steps[0]
    for step in steps[1:]:
        word = BVConcat(step, word)
    return {"at_least": word}


def shift_either(buses: Buses) -> dict[str, FNode]:
    """x, or y where ``which`` is 1, shifted right by ``amount``; whether a set bit was lost."""
    chosen = Ite(Equals(buses["which"], BV(1, 1)), buses["y"], buses["x"])
    return shift_right_sticky({"x": chosen, "amount": buses["amount"]})


BLOCKS: dict[str, Meaning] = {
    "add": add,
    "subtract": subtract,
    "less_than": less_than,
    "shift_right_sticky": shift_right_sticky,
    "shift_left": shift_left,
    "normalise": normalise,
    "leading_zeros": leading_zeros,
    "multiply": multiply,
    "divide": divide,
    "square_root": square_root,
}
"""The meaning of every integer block; the same names as ``circuits.units.integer.BLOCKS``."""

SHALLOW_BLOCKS: dict[str, Meaning] = {
    "sum_or_difference": sum_or_difference,
    "excess": excess,
    "shift_either": shift_either,
}
"""The meaning of the blocks of ``circuits.units.shallow_blocks``, by the same names."""
