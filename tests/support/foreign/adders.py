"""Floating-point adders and subtracters."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from spikeproof.circuits.netlist import ONE, ZERO, Bus, Netlist
from spikeproof.specs.formats import Format
from tests.support.foreign.floats import Finite, Number, Unit
from tests.support.foreign.gates import constant, extend


def compare_and_swap(fmt: Format, *, subtracting: bool = False, **options: Any) -> Netlist:
    """The larger operand first, by a prefix subtraction of codes; one path.

    Args:
        options: of ``Unit``.
    """
    unit, x, y = _operands(fmt, subtracting, options)
    gates = unit.gates
    _, ordered = gates.subtract(x.magnitude, y.magnitude)
    small, large = (
        gates.choose(ordered, a, b)
        for a, b in (
            ((*y.significand, *y.exponent), (*x.significand, *x.exponent)),
            ((*x.significand, *x.exponent, x.sign), (*y.significand, *y.exponent, y.sign)),
        )
    )
    p = fmt.precision
    distance, _ = gates.ripple(large[p:-1], gates.invert(small[p:]), ONE)
    opposite = gates.xor(x.sign, y.sign)
    aligned = _aligned(unit, small[:p], distance)
    total, carry = gates.kogge_stone((ZERO,) * 3 + large[:p], gates.flip(aligned, opposite), opposite)
    magnitude = (*total, gates.and_(carry, gates.not_(opposite)))
    field = gates.increment(extend(large[p:-1], fmt.exponent_bits + 1), ONE)
    finite = unit.shifted_left_and_rounded(field, magnitude, ZERO)
    return _delivered(unit, x, y, large[-1], finite, gates.any_(magnitude))


def two_path(fmt: Format, *, subtracting: bool = False, **options: Any) -> Netlist:
    """A near path for what may cancel, a far one for all else; both differences of exponents at once.

    Args:
        options: of ``Unit``.
    """
    unit, x, y = _operands(fmt, subtracting, options)
    gates, p = unit.gates, fmt.precision
    down, ordered = gates.subtract(x.exponent, y.exponent)
    up, _ = gates.subtract(y.exponent, x.exponent)
    distance = gates.choose(ordered, down, up)
    large, small = (
        gates.choose(ordered, a, b)
        for a, b in (
            ((*x.significand, *x.exponent, x.sign), (*y.significand, *y.exponent, y.sign)),
            (y.significand, x.significand),
        )
    )
    opposite = gates.xor(x.sign, y.sign)
    exponent = extend(large[p:-1], fmt.exponent_bits + 1)
    near = gates.and_(opposite, gates.not_(gates.any_(distance[1:])))

    # Near: one place of alignment at most, both differences, and the one that is not negative.
    one_off = gates.choose(distance[0], (*small, ZERO), (ZERO, *small))
    whole = (ZERO, *large[:p])
    forward, right = gates.subtract(whole, one_off)
    backward, _ = gates.subtract(one_off, whole)
    difference = gates.choose(right, forward, backward)
    width = len(exponent)
    before, _ = gates.ripple(exponent, constant(-1, width))
    shifted, close_field, none = unit.shifted_left(before, difference)
    close = (ZERO, ZERO, ZERO, *shifted)
    close_field = close_field[:width]

    # Far: the sum is as it should be, or out by one place.
    aligned = _aligned(unit, small, distance)
    total, carry = gates.ripple((ZERO,) * 3 + large[:p], gates.flip(aligned, opposite), opposite)
    carry = gates.and_(carry, gates.not_(opposite))
    halved = gates.and_(opposite, gates.not_(total[-1]))
    far = gates.choose(
        carry, (*total, ONE), gates.choose(halved, (ZERO, ZERO, *total[:-1]), (ZERO, *total))
    )
    lower, _ = gates.ripple(exponent, constant(-2, width))
    far_field = gates.choose(carry, exponent, gates.choose(halved, lower, before))
    finite = unit.rounded(
        gates.choose(near, close_field, far_field),
        gates.choose(near, close, far),
        ZERO,
        ZERO,
    )
    sign = gates.xor(large[-1], gates.and_(near, gates.not_(right)))
    nonzero = gates.mux(near, gates.not_(none), gates.or_(carry, gates.any_(total)))
    return _delivered(unit, x, y, sign, finite, nonzero)


def _operands(fmt: Format, subtracting: bool, options: Any) -> tuple[Unit, Number, Number]:
    unit = Unit(fmt, "xy", **options)
    x, y = map(unit.number, unit.codes)
    return unit, x, replace(y, sign=unit.gates.not_(y.sign)) if subtracting else y


def _aligned(unit: Unit, significand: Bus, distance: Bus) -> Bus:
    """The smaller significand, three places below it, the last of them sticky."""
    gates, p = unit.gates, unit.fmt.precision
    moved, lost = gates.shift_right((ZERO, ZERO, *significand), distance, unit.forgetting(p))
    aligned = (lost, *moved)
    if unit.fault == "small_operand_dropped":
        width = max(len(distance), p.bit_length() + 1)
        _, far = gates.subtract(extend(distance, width), constant(p + 1, width))
        aligned = gates.mask(aligned, gates.not_(far))
    return aligned


def _delivered(unit: Unit, x: Number, y: Number, sign: int, finite: Finite, nonzero: int) -> Netlist:
    gates = unit.gates
    zero_sign = gates.and_(x.sign, y.sign)
    if unit.fault == "negative_zero_lost":
        zero_sign = ZERO
    invalid = gates.and_(gates.and_(x.infinite, y.infinite), gates.xor(x.sign, y.sign))
    return unit.deliver(
        gates.mux(nonzero, sign, zero_sign),
        finite,
        gates.or_(x.infinite, y.infinite),
        gates.any_((x.nan, y.nan, invalid)),
        (x, y),
        gates.mux(x.infinite, x.sign, y.sign),
    )
