"""Evaluate a pySMT bit-vector formula on many inputs at once, with NumPy.

A second, executable reading of a formula, independent of any solver: used to bind the symbolic spec to
the spec of record, and to compare a formula with a simulation. Bit-vectors of up to 64 bits.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pysmt import operators
from pysmt.fnode import FNode

Array = NDArray[Any]
MAX_WIDTH = 64


def _mask(width: int) -> np.uint64:
    return np.uint64((1 << width) - 1)


def _signed(x: Array, width: int) -> Array:
    spare = np.uint64(MAX_WIDTH - width)
    return (x << spare).view(np.int64) >> np.int64(spare)


def _shift(
    operation: Callable[[Array, Array], Array],
) -> Callable[[FNode, Array, Array], Array]:
    """SMT-LIB shifts yield zero where the amount reaches the width; NumPy leaves that undefined."""

    def shifted(node: FNode, x: Array, amount: Array) -> Array:
        in_range = amount < np.uint64(node.bv_width())
        result = operation(x, np.where(in_range, amount, np.uint64(0)))
        return np.where(in_range, result, np.uint64(0)) & _mask(node.bv_width())

    return shifted


def _modular(operation: Callable[..., Array]) -> Callable[..., Array]:
    return lambda node, *args: reduce(operation, args) & _mask(node.bv_width())


def _compare_signed(operation: Callable[[Array, Array], Array]) -> Callable[..., Array]:
    def compare(node: FNode, x: Array, y: Array) -> Array:
        width = node.arg(0).bv_width()
        return operation(_signed(x, width), _signed(y, width))

    return compare


def _extract(node: FNode, x: Array) -> Array:
    return (x >> np.uint64(node.bv_extract_start())) & _mask(node.bv_width())


def _concat(node: FNode, high: Array, low: Array) -> Array:
    return (high << np.uint64(node.arg(1).bv_width())) | low


def _sign_extend(node: FNode, x: Array) -> Array:
    return _signed(x, node.arg(0).bv_width()).view(np.uint64) & _mask(node.bv_width())


def _quotient(node: FNode, x: Array, y: Array) -> Array:
    """By zero: all ones, as in SMT-LIB."""
    divisible = np.where(y == 0, np.uint64(1), y)
    return np.where(y == 0, _mask(node.bv_width()), x // divisible)


def _remainder(node: FNode, x: Array, y: Array) -> Array:
    """By zero: x, as in SMT-LIB."""
    return np.where(y == 0, x, x % np.where(y == 0, np.uint64(1), y))


_RULES: dict[int, Callable[..., Array]] = {
    operators.AND: lambda n, *a: reduce(np.logical_and, a),
    operators.OR: lambda n, *a: reduce(np.logical_or, a),
    operators.NOT: lambda n, a: ~a,
    operators.IFF: lambda n, a, b: a == b,
    operators.IMPLIES: lambda n, a, b: ~a | b,
    operators.ITE: lambda n, c, a, b: np.where(c, a, b),
    operators.EQUALS: lambda n, a, b: a == b,
    operators.BV_NOT: lambda n, a: ~a & _mask(n.bv_width()),
    operators.BV_AND: _modular(np.bitwise_and),
    operators.BV_OR: _modular(np.bitwise_or),
    operators.BV_XOR: _modular(np.bitwise_xor),
    operators.BV_ADD: _modular(np.add),
    operators.BV_SUB: _modular(np.subtract),
    operators.BV_MUL: _modular(np.multiply),
    operators.BV_UDIV: _quotient,
    operators.BV_UREM: _remainder,
    operators.BV_NEG: lambda n, a: (np.uint64(0) - a) & _mask(n.bv_width()),
    operators.BV_LSHL: _shift(np.left_shift),
    operators.BV_LSHR: _shift(np.right_shift),
    operators.BV_ULT: lambda n, a, b: a < b,
    operators.BV_ULE: lambda n, a, b: a <= b,
    operators.BV_SLT: _compare_signed(np.less),
    operators.BV_SLE: _compare_signed(np.less_equal),
    operators.BV_EXTRACT: _extract,
    operators.BV_CONCAT: _concat,
    operators.BV_ZEXT: lambda n, a: a,
    operators.BV_SEXT: _sign_extend,
}


CHUNK = 1 << 13
"""Inputs evaluated at a time: few enough for the values to stay in the processor's cache."""


def evaluate(formula: FNode, inputs: Mapping[str, Array]) -> Array:
    """The value of a formula on each of a batch of inputs.

    Args:
        formula: Boolean or bit-vector.
        inputs: for each symbol of the formula, by name, a one-dimensional array: unsigned integers
            for a bit-vector, bools for a Boolean. All of one length.

    Returns:
        A ``uint64`` array for a bit-vector, a ``bool`` array for a Boolean.

    Raises:
        KeyError: if a symbol has no input.
        ValueError: for bit-vectors of more than 64 bits and operators outside this fragment.
    """
    return evaluate_all({formula: formula}, inputs)[formula]


def evaluate_all(
    formulas: Mapping[Hashable, FNode], inputs: Mapping[str, Array]
) -> dict[Hashable, Array]:
    """The values of several formulas by their names, as ``evaluate``: what they share only once."""
    order = _topological(formulas.values())
    length = len(next(iter(inputs.values())))
    chunks = []
    for at in range(0, max(length, 1), CHUNK):
        part = {name: given[at : at + CHUNK] for name, given in inputs.items()}
        size = min(CHUNK, length - at)
        values: dict[FNode, Array] = {}
        for node in order:
            values[node] = _evaluate_node(node, [values[a] for a in node.args()], part, size)
        chunks.append([values[formula] for formula in formulas.values()])
    columns = zip(*chunks, strict=True)
    return {name: np.concatenate(column) for name, column in zip(formulas, columns, strict=True)}


def _topological(formulas: Iterable[FNode]) -> list[FNode]:
    """Every node of the formulas once, after its arguments."""
    order: dict[FNode, None] = {}
    pending = list(formulas)
    while pending:
        node = pending[-1]
        missing = [arg for arg in node.args() if arg not in order]
        if missing:
            pending.extend(missing)
            continue
        order[pending.pop()] = None
    return list(order)


def _evaluate_node(node: FNode, args: list[Array], inputs: Mapping[str, Array], length: int) -> Array:
    if node.is_symbol():
        given = np.asarray(inputs[node.symbol_name()])
        return given if node.symbol_type().is_bool_type() else given.astype(np.uint64)
    if node.is_bool_constant():
        return np.full(length, node.constant_value(), dtype=bool)
    if node.is_bv_constant():
        return np.full(length, node.constant_value(), dtype=np.uint64)
    if node.node_type() not in _RULES:
        raise ValueError(f"cannot evaluate {operators.op_to_str(node.node_type())}: not in the fragment")
    if any(
        value.dtype == np.uint64 and arg.bv_width() > MAX_WIDTH
        for arg, value in zip(node.args(), args, strict=True)
    ):
        raise ValueError(f"cannot evaluate bit-vectors wider than {MAX_WIDTH} bits")
    return _RULES[node.node_type()](node, *args)
