"""A fused multiply-add: one wide window in which the product stands still and the addend moves."""

from __future__ import annotations

from typing import Any

from spikeproof.circuits.netlist import ONE, ZERO, Netlist
from spikeproof.specs.formats import Format
from tests.support.foreign.floats import Unit
from tests.support.foreign.gates import constant, extend
from tests.support.foreign.multipliers_fp import Product, wallace


def fused(fmt: Format, product: Product = wallace, **options: Any) -> Netlist:
    """x * y + z, rounded once.

    Unshifted, the addend's last place lies two above the product's first: what is smaller than that
    cannot matter, and the window ends there.

    Args:
        options: of ``Unit``.
    """
    unit = Unit(fmt, "xyz", **options)
    gates, (x, y, z) = unit.gates, map(unit.number, unit.codes)
    p = fmt.precision
    size = 3 * p + 5
    exact = extend((ZERO,) * 3 + product(gates, x.significand, y.significand), size)
    nonzero = gates.not_(gates.or_(x.zero, y.zero))

    width = max(fmt.exponent_bits, size.bit_length()) + 2
    sum_, _ = gates.kogge_stone(extend(x.exponent, width), extend(y.exponent, width))
    first, _ = gates.ripple(sum_, constant(p + 3 - fmt.bias, width))  # of the window's first place
    distance, _ = gates.subtract(first, extend(z.exponent, width))
    moves = gates.and_(gates.not_(distance[-1]), nonzero)
    field = gates.choose(moves, first, extend(z.exponent, width))
    moved, lost = gates.shift_right(
        (*(ZERO,) * (size - p), *z.significand), gates.mask(distance, moves), unit.forgetting(size)
    )
    addend = (gates.or_(moved[0], lost), *moved[1:])

    sign = gates.xor(x.sign, y.sign)
    opposite = gates.xor(sign, z.sign)
    total, carry = gates.kogge_stone(exact, gates.flip(addend, opposite), opposite)
    negative = gates.and_(opposite, gates.not_(carry))
    magnitude = gates.increment(gates.flip(total, negative), negative)
    magnitude = (*magnitude, gates.and_(carry, gates.not_(opposite)))
    finite = unit.shifted_left_and_rounded(gates.increment(field, ONE), magnitude, ZERO)

    zero_sign = gates.and_(sign, z.sign)
    if unit.fault == "negative_zero_lost":
        zero_sign = ZERO
    of_sum = gates.mux(gates.any_(magnitude), gates.xor(sign, negative), zero_sign)
    some = gates.or_(x.infinite, y.infinite)
    invalid = gates.or_(
        gates.and_(some, gates.not_(nonzero)), gates.and_(gates.and_(some, z.infinite), opposite)
    )
    return unit.deliver(
        of_sum,
        finite,
        gates.or_(some, z.infinite),
        gates.any_((x.nan, y.nan, z.nan, invalid)),
        (x, y, z),
        gates.mux(z.infinite, z.sign, sign),
    )
