"""Rounding and packing: the back end that every unit shares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from spikeproof.circuits.netlist import ONE, ZERO, Bus
from spikeproof.circuits.units.floating_point.unpacking import Operand
from spikeproof.circuits.units.integer import (
    Buses,
    add,
    constant_bus,
    increment,
    less_than,
    mux_bus,
    normalise,
    pad,
    shift_right_sticky,
)
from spikeproof.circuits.units.libraries import GateLibrary
from spikeproof.specs.formats import FLAGS, Format, OverflowPolicy, RoundingMode


def rounding(
    gates: GateLibrary, mode: RoundingMode, sign: int, last: int, guard: int, sticky: int
) -> tuple[int, int]:
    """Whether to add one in the last place, and whether to force the last place to one."""
    match mode:
        case RoundingMode.NEAREST_EVEN:
            return gates.and_(guard, gates.or_(sticky, last)), ZERO
        case RoundingMode.NEAREST_AWAY:
            return guard, ZERO
        case RoundingMode.TOWARD_ZERO:
            return ZERO, ZERO
        case RoundingMode.UP:
            return gates.and_(gates.or_(guard, sticky), gates.not_(sign)), ZERO
        case RoundingMode.DOWN:
            return gates.and_(gates.or_(guard, sticky), sign), ZERO
        case RoundingMode.TO_ODD:
            return ZERO, gates.or_(guard, sticky)


@dataclass(frozen=True)
class Rounded:
    """A finite result: its code, and the exceptions it signals."""

    code: Bus
    overflow: int
    underflow: int
    inexact: int


@dataclass(frozen=True)
class Rounder:
    """The back end that every unit shares.

    Args:
        gates: the library to build with.
        fmt: the format of the result.

    Raises:
        ValueError: if the format cannot express the policy.
    """

    gates: GateLibrary
    fmt: Format
    mode: RoundingMode
    policy: OverflowPolicy

    def __post_init__(self) -> None:
        self.fmt.require_policy(self.policy)

    def denormalise_and_round(self, sign: int, budget: Bus, excess: Bus, magnitude: Bus) -> Rounded:
        """A finite result: as ``normalise_and_round``, after a right shift by ``excess``.

        One of ``budget`` and ``excess`` is zero.
        """
        room = pad((), max(0, self.fmt.precision + 1 - len(magnitude)))  # for a guard bit
        denormalised = shift_right_sticky(self.gates, "denormalise", x=room + magnitude, amount=excess)
        (sticky,) = denormalised["sticky"]
        return self.normalise_and_round(sign, budget, denormalised["shifted"], sticky)

    def normalise_and_round(self, sign: int, budget: Bus, magnitude: Bus, sticky: int) -> Rounded:
        """A finite result: as ``round``, after the left shift that the exponent allows.

        Args:
            budget: the exponent field that the first bit of ``magnitude`` would have, less one, at
                least 0: how far the magnitude may be shifted left.
            magnitude: exact but for what ``sticky`` stands for, which lies below its last bit.
        """
        normalised = normalise(self.gates, x=magnitude, budget=budget)
        return self.round(sign, normalised["remaining"], normalised["shifted"], sticky)

    def round(self, sign: int, exponent: Bus, significand: Bus, sticky: int) -> Rounded:
        """A finite result.

        Args:
            exponent: exponent field less one; 0 wherever the first bit of ``significand`` is 0,
                unless the whole significand is 0.
            significand: first bit at the top, at least the format's precision wide.
        """
        gates, precision = self.gates, self.fmt.precision
        below, kept = significand[:-precision], significand[-precision:]
        guard = below[-1] if below else ZERO
        sticky = gates.wide_or((*below[:-1], sticky))
        normal = kept[-1]
        rounds_up, jam = rounding(gates, self.mode, sign, kept[0], guard, sticky)
        gates.builder.probe("sign", (sign,))
        gates.builder.probe("kept", kept)
        gates.builder.probe("guard", (guard,))
        gates.builder.probe("sticky", (sticky,))
        fraction, carry = increment(gates, (gates.or_(kept[0], jam), *kept[1:-1]), rounds_up)
        # The exponent field is one more than ``exponent`` if normal, and one more again on carry.
        wide = pad(tuple(gates.and_(bit, normal) for bit in exponent), len(exponent) + 1)
        field = add(gates, "exponent_field", x=wide, y=pad((normal,), len(wide)), carry_in=(carry,))[
            "sum"
        ]
        rounded = (*fraction, *field)
        gates.builder.probe("rounded", rounded)
        code, overflow = self._check_range(sign, rounded)
        inexact = gates.or_(guard, sticky)
        return Rounded(
            code,
            overflow,
            underflow=gates.and_(gates.not_(normal), inexact),
            inexact=gates.or_(inexact, overflow),
        )

    def _check_range(self, sign: int, rounded: Bus) -> tuple[Bus, int]:
        """The code of a rounded magnitude, or of what overflow delivers; and whether it overflows."""
        gates, fmt = self.gates, self.fmt
        limit = constant_bus(fmt.largest_finite, len(rounded))
        overflow = less_than(gates, "overflow", x=limit, y=rounded)["out"][0]
        goes_to_infinity = {
            RoundingMode.NEAREST_EVEN: ONE,
            RoundingMode.NEAREST_AWAY: ONE,
            RoundingMode.TOWARD_ZERO: ZERO,
            RoundingMode.UP: gates.not_(sign),
            RoundingMode.DOWN: sign,
            RoundingMode.TO_ODD: ZERO,
        }[self.mode]
        largest = (*constant_bus(fmt.largest_finite, fmt.magnitude_bits), sign)
        overflowed = mux_bus(gates, goes_to_infinity, self.infinity(sign), largest)
        magnitude = rounded[: fmt.magnitude_bits]
        if not fmt.has_negative_zero:
            sign = gates.and_(sign, gates.wide_or(magnitude))
        return mux_bus(gates, overflow, overflowed, (*magnitude, sign)), overflow

    def infinity(self, sign: int) -> Bus:
        """The code delivered where IEEE 754 calls for an infinity of this sign."""
        fmt = self.fmt
        match self.policy:
            case OverflowPolicy.IEEE:
                return (*constant_bus(fmt.infinity, fmt.magnitude_bits), sign)
            case OverflowPolicy.SATURATE:
                return (*constant_bus(fmt.largest_finite, fmt.magnitude_bits), sign)
            case OverflowPolicy.NAN:
                return constant_bus(fmt.canonical_nan, fmt.width)

    def override(
        self,
        finite: Rounded,
        infinite: int,
        infinity_sign: int,
        nan: int,
        operands: Sequence[Operand],
    ) -> Buses:
        """The finite result, unless it is exactly infinite or not a number.

        Args:
            infinite: immaterial if ``nan`` is 1.
            operands: not a number or infinite themselves, they make the result so without exception.

        Returns:
            ``result``, and ``flags`` in the order of ``specs.formats.FLAGS``.
        """
        gates, fmt = self.gates, self.fmt
        code = mux_bus(gates, infinite, self.infinity(infinity_sign), finite.code)
        nan_code = constant_bus(fmt.canonical_nan if fmt.has_nan else fmt.largest_finite, fmt.width)
        code = mux_bus(gates, nan, nan_code, code)
        gates.builder.probe("result", code)
        is_finite = gates.not_(gates.or_(nan, infinite))
        some_nan, some_infinite = (
            gates.wide_or([getattr(operand, kind) for operand in operands])
            for kind in ("nan", "infinite")
        )
        signalled = {
            "invalid": gates.and_(nan, gates.not_(some_nan)),
            "divide_by_zero": gates.wide_and((infinite, gates.not_(nan), gates.not_(some_infinite))),
            "overflow": gates.and_(is_finite, finite.overflow),
            "underflow": gates.and_(is_finite, finite.underflow),
            "inexact": gates.and_(is_finite, finite.inexact),
        }
        return {"result": code, "flags": tuple(signalled[name] for name in FLAGS)}
