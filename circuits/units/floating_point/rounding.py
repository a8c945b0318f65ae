"""Rounding and packing: the back end that every unit shares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from spikeproof.circuits.netlist import ONE, ZERO, Bus
from spikeproof.circuits.units.floating_point.nans import nan_signals, result_nan
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
from spikeproof.specs.conventions import (
    IEEE,
    Convention,
    FlushedInexact,
    FlushedSign,
    SubnormalResults,
    Tininess,
    ZeroTimesInfinity,
)
from spikeproof.specs.formats import FLAGS, Format, Mode, OverflowPolicy, RoundingMode, Stochastic


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


def rounding_of(
    gates: GateLibrary, mode: Mode, sign: int, last: int, below: Bus, sticky: int
) -> tuple[int, int]:
    """The same, by all places below the last.

    Args:
        sticky: stands for all of them but the first.
    """
    if isinstance(mode, Stochastic):
        # The word and the first places have a carry: these are more than the word is short of all ones.
        short = tuple(gates.not_(bit) for bit in mode.word)
        return less_than(gates, "rounds_up", x=short, y=below[-mode.bits :])["out"][0], ZERO
    return rounding(gates, mode, sign, last, below[-1] if below else ZERO, sticky)


def flags_bus(signalled: Mapping[str, int]) -> Bus:
    """Exceptions, by name, in the order of ``specs.formats.FLAGS``; not signalled if not named."""
    return tuple(signalled.get(name, ZERO) for name in FLAGS)


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
        ValueError: if the format cannot express the policy, or cannot have the convention.
    """

    gates: GateLibrary
    fmt: Format
    mode: Mode
    policy: OverflowPolicy
    convention: Convention = IEEE

    def __post_init__(self) -> None:
        self.fmt.require_policy(self.policy)
        self.convention.require_possible(self.fmt)

    @property
    def tells_tiny_after(self) -> bool:
        """Whether it is told what becomes of a tiny number with one place more."""
        return (
            self.convention.tininess is Tininess.AFTER
            or self.convention.subnormal_results is SubnormalResults.ZERO_AFTER
        )

    def with_room(self, magnitude: Bus) -> Bus:
        """The magnitude with places below it: as many as its rounding needs, perhaps one more."""
        places = self.fmt.precision + self.mode.places + self.tells_tiny_after
        return pad((), max(0, places - len(magnitude))) + magnitude

    def denormalise_and_round(self, sign: int, budget: Bus, excess: Bus, magnitude: Bus) -> Rounded:
        """A finite result: as ``normalise_and_round``, after a right shift by ``excess``.

        One of ``budget`` and ``excess`` is zero.
        """
        denormalised = shift_right_sticky(
            self.gates, "denormalise", x=self.with_room(magnitude), amount=excess
        )
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
        rounds_up, jam = rounding_of(gates, self.mode, sign, kept[0], below, sticky)
        gates.builder.probe("sign", (sign,))
        gates.builder.probe("kept", kept)
        gates.builder.probe("guard", (guard,))
        gates.builder.probe("sticky", (sticky,))
        fraction, carry = increment(gates, (gates.or_(kept[0], jam), *kept[1:-1]), rounds_up)
        # The exponent field is one more than ``exponent`` if normal, and one more again on carry.
        size = max(len(exponent) + 1, self.fmt.exponent_bits)
        wide = pad(tuple(gates.and_(bit, normal) for bit in exponent), size)
        field = add(gates, "exponent_field", x=wide, y=pad((normal,), len(wide)), carry_in=(carry,))[
            "sum"
        ]
        rounded = (*fraction, *field)
        gates.builder.probe("rounded", rounded)
        code, overflow = self._check_range(sign, rounded)
        inexact = gates.or_(guard, sticky)
        tiny = tiny_after = gates.not_(normal)  # unless it is zero
        if self.tells_tiny_after:
            tiny_after = gates.and_(tiny, gates.not_(self._becomes_normal(sign, kept, below, sticky)))
        if self.convention.tininess is Tininess.AFTER:
            tiny = tiny_after
        underflow = gates.and_(tiny, inexact)
        inexact = gates.or_(inexact, overflow)
        if self.convention.subnormal_results is SubnormalResults.GRADUAL:
            return Rounded(code, overflow, underflow, inexact)
        flushed = self._flushed(kept, rounded, gates.or_(guard, sticky), tiny_after)
        return self._flush(Rounded(code, overflow, underflow, inexact), flushed)

    def _becomes_normal(self, sign: int, kept: Bus, below: Bus, sticky: int) -> int:
        """Whether a tiny number is rounded to the least normal one if it has one place more.

        That place is the guard bit's, and has to be 1 as all above it but the first.
        """
        gates = self.gates
        further = gates.wide_or((*below[:-2], sticky))
        up, _ = rounding_of(gates, self.mode, sign, ONE, below[:-1], further)
        return gates.wide_and((*kept[:-1], below[-1], up))

    def _flushed(self, kept: Bus, rounded: Bus, inexact: int, tiny_after: int) -> int:
        """Whether zero is delivered in place of what a number rounds to."""
        gates = self.gates
        if self.convention.subnormal_results is SubnormalResults.ZERO_CODE:
            fraction, field = rounded[: self.fmt.fraction_bits], rounded[self.fmt.fraction_bits :]
            return gates.and_(gates.not_(gates.wide_or(field)), gates.wide_or(fraction))
        after = self.convention.subnormal_results is SubnormalResults.ZERO_AFTER
        tiny = tiny_after if after else gates.not_(kept[-1])
        return gates.and_(tiny, gates.wide_or((*kept, inexact)))

    def _flush(self, finite: Rounded, flushed: int) -> Rounded:
        """The result, but zero where it is flushed, and the exceptions that this signals."""
        gates, (*magnitude, sign) = self.gates, finite.code
        stays = gates.not_(flushed)
        if self.convention.flushed_sign is FlushedSign.POSITIVE or not self.fmt.has_negative_zero:
            sign = gates.and_(sign, stays)
        raised = self.convention.flushed_inexact is FlushedInexact.RAISED
        return Rounded(
            (*(gates.and_(bit, stays) for bit in magnitude), sign),
            finite.overflow,
            underflow=gates.or_(finite.underflow, flushed),
            inexact=gates.or_(finite.inexact, flushed) if raised else gates.and_(finite.inexact, stays),
        )

    def _check_range(self, sign: int, rounded: Bus) -> tuple[Bus, int]:
        """The code of a rounded magnitude, or of what overflow delivers; and whether it overflows."""
        gates, fmt = self.gates, self.fmt
        limit = constant_bus(fmt.largest_finite, len(rounded))
        overflow = less_than(gates, "overflow", x=limit, y=rounded)["out"][0]
        goes_to_infinity = (
            ONE
            if isinstance(self.mode, Stochastic)
            else {
                RoundingMode.NEAREST_EVEN: ONE,
                RoundingMode.NEAREST_AWAY: ONE,
                RoundingMode.TOWARD_ZERO: ZERO,
                RoundingMode.UP: gates.not_(sign),
                RoundingMode.DOWN: sign,
                RoundingMode.TO_ODD: ZERO,
            }[self.mode]
        )
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
        invalid_product: int = ZERO,
    ) -> Buses:
        """The finite result, unless it is exactly infinite or not a number.

        Args:
            infinite: immaterial if ``nan`` is 1.
            operands: not a number or infinite themselves, they make the result so without exception.
            invalid_product: whether zero is multiplied by infinity, whatever is added to that.

        Returns:
            ``result``, and ``flags`` in the order of ``specs.formats.FLAGS``.
        """
        gates = self.gates
        code = mux_bus(gates, infinite, self.infinity(infinity_sign), finite.code)
        delivered = result_nan(gates, self.fmt, self.convention, operands, invalid_product)
        code = mux_bus(gates, nan, delivered, code)
        gates.builder.probe("result", code)
        is_finite = gates.not_(gates.or_(nan, infinite))
        some_nan, some_infinite = (
            gates.wide_or([getattr(operand, kind) for operand in operands])
            for kind in ("nan", "infinite")
        )
        signalled = {
            "invalid": self._invalid(gates.and_(nan, gates.not_(some_nan)), operands, invalid_product),
            "divide_by_zero": gates.wide_and((infinite, gates.not_(nan), gates.not_(some_infinite))),
            "overflow": gates.and_(is_finite, finite.overflow),
            "underflow": gates.and_(is_finite, finite.underflow),
            "inexact": gates.and_(is_finite, finite.inexact),
        }
        return {"result": code, "flags": flags_bus(signalled)}

    def _invalid(self, invalid: int, operands: Sequence[Operand], invalid_product: int) -> int:
        """Whether invalid is signalled, also where operands that are no numbers do it."""
        gates, convention = self.gates, self.convention
        if signals := nan_signals(gates, convention, operands):
            invalid = gates.wide_or((invalid, *signals))
        if convention.zero_times_infinity is ZeroTimesInfinity.INVALID:
            invalid = gates.or_(invalid, invalid_product)
        return invalid
