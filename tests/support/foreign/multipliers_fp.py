"""Floating-point multipliers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from spikeproof.circuits.netlist import ZERO, Bus, Netlist
from spikeproof.specs.formats import Format
from tests.support.foreign.floats import Number, Unit
from tests.support.foreign.gates import Gates, constant, extend

Product = Callable[[Gates, Bus, Bus], Bus]


def array(gates: Gates, x: Bus, y: Bus) -> Bus:
    """Row by row, each carry saved for the next; the rest by ripple."""
    size = len(x) + len(y)
    total, carries = (ZERO,) * size, (ZERO,) * size
    for place, bit in enumerate(y):
        row = extend((*(ZERO,) * place, *gates.mask(x, bit)), size)
        pairs = [gates.full_adder(*bits) for bits in zip(total, carries, row, strict=True)]
        total = tuple(digit for digit, _ in pairs)
        carries = (ZERO, *(carry for _, carry in pairs[:-1]))
    return gates.ripple(total, carries)[0]


def wallace(gates: Gates, x: Bus, y: Bus) -> Bus:
    """Columns by threes and twos until two rows are left, added by Kogge and Stone's adder."""
    size = len(x) + len(y)
    columns: list[list[int]] = [[] for _ in range(size)]
    for i, a in enumerate(x):
        for j, b in enumerate(y):
            columns[i + j].append(gates.and_(a, b))
    while max(map(len, columns)) > 2:
        columns = _layer(gates, columns)
    rows = [tuple(column[k] if k < len(column) else ZERO for column in columns) for k in (0, 1)]
    return gates.kogge_stone(rows[0], rows[1])[0]


def _layer(gates: Gates, columns: list[list[int]]) -> list[list[int]]:
    after: list[list[int]] = [[] for _ in (*columns, 0)]
    for place, column in enumerate(columns):
        while len(column) > 2:
            digit, carry = gates.full_adder(*column[:3])
            after[place].append(digit)
            after[place + 1].append(carry)
            column = column[3:]
        if len(column) == 2 and len(columns[place]) > 2:
            after[place].append(gates.xor(*column))
            after[place + 1].append(gates.and_(*column))
        else:
            after[place] += column
    return after[:-1]


def normalising_before(fmt: Format, product: Product = wallace, **options: Any) -> Netlist:
    """Subnormal operands are shifted left first, subnormal results right at the end.

    Args:
        product: of two words, as wide as both together.
        options: of ``Unit``.
    """
    unit = Unit(fmt, "xy", **options)
    gates, (x, y) = unit.gates, map(unit.number, unit.codes)
    width = fmt.exponent_bits + 2
    (p, e), (q, f) = unit.normalised(x, width), unit.normalised(y, width)
    exact = product(gates, p, q)
    sum_, _ = gates.kogge_stone(e, f, exact[-1])
    exponent, _ = gates.ripple(sum_, constant(-fmt.bias, width))
    significand = gates.choose(exact[-1], exact, (ZERO, *exact[:-1]))
    return _delivered(unit, x, y, exponent, significand)


def shifting_after(fmt: Format, product: Product = array, **options: Any) -> Netlist:
    """Significands are multiplied as they are, and the product is normalised.

    Args:
        product: of two words, as wide as both together.
        options: of ``Unit``.
    """
    unit = Unit(fmt, "xy", **options)
    gates, (x, y) = unit.gates, map(unit.number, unit.codes)
    exact = product(gates, x.significand, y.significand)
    count, _ = gates.leading_zeros(exact)
    width = max(fmt.exponent_bits, len(count)) + 2
    sum_, _ = gates.ripple(extend(x.exponent, width), extend(y.exponent, width))
    first, _ = gates.ripple(sum_, constant(1 - fmt.bias, width))
    exponent, _ = gates.subtract(first, extend(count, width))
    return _delivered(unit, x, y, exponent, gates.shift_left(exact, count))


def _delivered(unit: Unit, x: Number, y: Number, exponent: Bus, significand: Bus) -> Netlist:
    gates = unit.gates
    nonzero = gates.not_(gates.or_(x.zero, y.zero))
    finite = unit.shifted_right_and_rounded(exponent, significand, ZERO, nonzero)
    infinite = gates.or_(x.infinite, y.infinite)
    nan = gates.any_((x.nan, y.nan, gates.and_(infinite, gates.not_(nonzero))))
    return unit.deliver(gates.xor(x.sign, y.sign), finite, infinite, nan, (x, y))
