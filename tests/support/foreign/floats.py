"""Front and back ends of foreign units: to nearest even, canonical NaN, subnormals gradual."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from spikeproof.circuits.netlist import ONE, ZERO, Bus, Netlist
from spikeproof.specs.formats import Format, OverflowPolicy, Specials
from tests.support.foreign.gates import Gates, constant, extend

FAULTS = {
    "sticky_lost_when_saturated": "what p or more places (in fma, all) shift out is forgotten",
    "rounding_carry_lost": "rounding up to the next power of two leaves the exponent",
    "small_operand_dropped": "one that is p + 1 binary orders smaller is not added",
    "subnormal_shifted_once_too_often": "a subnormal result is half of what it should be",
    "nan_of_another_sign": "NaN is delivered with its sign set",
    "negative_zero_lost": "(-0) + (-0) and (-0) - (+0) are +0",
    "tininess_after_rounding": "underflow is detected after rounding",
    "overflow_delivers_zero": "the fraction and field of what overflows are cleared",
}
"""The faults that can be planted, and what they do."""


@dataclass(frozen=True)
class Number:
    """A code taken apart: the exponent is the field, 1 for subnormals."""

    sign: int
    exponent: Bus
    significand: Bus
    magnitude: Bus
    zero: int
    infinite: int
    nan: int


@dataclass(frozen=True)
class Finite:
    """A rounded magnitude, and what it signals."""

    magnitude: Bus
    overflow: int
    underflow: int
    inexact: int


class Unit:
    """What units are built with.

    Args:
        operands: the names of its input buses.
        faults: of ``FAULTS``; none for a right circuit.
        flags: whether exceptions are an output too.
        policy: what overflow delivers; the first that the format has if None.

    Raises:
        ValueError: for a fault that there is not.
    """

    def __init__(
        self,
        fmt: Format,
        operands: str,
        *,
        fault: str | None = None,
        flags: bool = False,
        policy: OverflowPolicy | None = None,
    ) -> None:
        if fault is not None and fault not in FAULTS:
            raise ValueError(f"{fault!r} is no fault; choose one of {', '.join(FAULTS)}")
        self.fmt, self.fault, self.flags = fmt, fault, flags
        self.policy = policy or fmt.policies[0]
        self.gates = Gates()
        self.codes = [self.gates.builder.input(name, fmt.width) for name in operands]

    def number(self, code: Bus) -> Number:
        """Take a code apart."""
        gates, fmt = self.gates, self.fmt
        fraction, field = code[: fmt.fraction_bits], code[fmt.fraction_bits : fmt.magnitude_bits]
        hidden, empty = gates.any_(field), gates.not_(gates.any_(fraction))
        full = gates.all_(field)
        if fmt.specials is Specials.IEEE:
            infinite, nan = gates.and_(full, empty), gates.and_(full, gates.not_(empty))
        else:
            infinite, nan = ZERO, gates.and_(full, gates.all_(fraction))
        return Number(
            sign=code[-1],
            exponent=(gates.or_(field[0], gates.not_(hidden)), *field[1:]),
            significand=(*fraction, hidden),
            magnitude=code[:-1],
            zero=gates.and_(empty, gates.not_(hidden)),
            infinite=infinite,
            nan=nan,
        )

    def normalised(self, x: Number, width: int) -> tuple[Bus, Bus]:
        """The significand with its first bit set, and its exponent, signed, of so many bits."""
        gates = self.gates
        count, _ = gates.leading_zeros(x.significand)
        exponent, _ = gates.subtract(extend(x.exponent, width), extend(count, width))
        return gates.shift_left(x.significand, count), exponent

    def forgetting(self, places: int) -> int | None:
        """From how many places on a shift forgets what it shifts out, if it does."""
        return places if self.fault == "sticky_lost_when_saturated" else None

    # --- back ends -------------------------------------------------------------------------------

    def shifted_left_and_rounded(self, field: Bus, magnitude: Bus, sticky: int) -> Finite:
        """A finite result, its first one sought no farther than exponents go.

        Args:
            field: the exponent field, at least 1, of the magnitude's first place.
        """
        gates = self.gates
        before, _ = gates.ripple(field, constant(-1, len(field)))
        shifted, remaining, _ = self.shifted_left(before, magnitude)
        return self.rounded(remaining, shifted, sticky, ZERO)

    def shifted_left(self, before: Bus, magnitude: Bus) -> tuple[Bus, Bus, int]:
        """The magnitude shifted until its first bit is set or nothing is left of a number.

        Args:
            before: that number, not negative.

        Returns:
            The magnitude, what is left of the number (nothing for a zero), and whether it is a zero.
        """
        gates = self.gates
        count, none = gates.leading_zeros(magnitude)
        width = max(len(before), len(count))
        before, count = extend(before, width), extend(count, width)
        left, enough = gates.subtract(before, count)
        if self.fault == "subnormal_shifted_once_too_often":  # to the left: once too little
            some = gates.any_(before)
            before, _ = gates.ripple(before, (some,) * width)
        shifted = gates.shift_left(magnitude, gates.choose(enough, count, before))
        return shifted, gates.mask(gates.mask(left, enough), gates.not_(none)), none

    def shifted_right_and_rounded(
        self, exponent: Bus, significand: Bus, sticky: int, nonzero: int
    ) -> Finite:
        """A finite result, shifted right if its exponent, signed, is less than 1.

        Args:
            significand: its first bit is 1.
            nonzero: whether it counts.
        """
        gates, width = self.gates, len(exponent)
        before, _ = gates.ripple(exponent, constant(-1, width))
        tiny = before[-1]
        amount = gates.increment(gates.invert(before), ONE)
        if self.fault == "subnormal_shifted_once_too_often":
            amount = gates.increment(amount, ONE)
        shifted, lost = gates.shift_right(
            significand, gates.mask(amount, tiny)[:-1], self.forgetting(self.fmt.precision)
        )
        shifted, sticky = gates.mask(shifted, nonzero), gates.and_(gates.or_(sticky, lost), nonzero)
        top = significand[-self.fmt.precision - 1 :]
        becomes_normal = gates.and_(gates.not_(gates.any_(exponent)), gates.all_(top))
        remaining = gates.mask(gates.mask(before, gates.not_(tiny)), nonzero)[:-1]
        return self.rounded(remaining, shifted, sticky, becomes_normal)

    def rounded(self, before: Bus, significand: Bus, sticky: int, becomes_normal: int) -> Finite:
        """A finite result: one addition rounds, carries into the exponent and counts the hidden bit.

        Args:
            before: the exponent field less one, 0 for subnormals.
            becomes_normal: whether a tiny number would be rounded to a normal one, were its exponent
                without bound.
        """
        gates, fmt = self.gates, self.fmt
        kept, below = significand[-fmt.precision :], significand[: -fmt.precision]
        guard, sticky = below[-1], gates.or_(gates.any_(below[:-1]), sticky)
        up = gates.and_(guard, gates.or_(sticky, kept[0]))
        word = (*(ZERO,) * fmt.fraction_bits, *before, ZERO)
        if self.fault == "rounding_carry_lost":
            fraction = gates.increment(kept[:-1], up)
            whole, _ = gates.kogge_stone(word, extend((*fraction, kept[-1]), len(word)))
        else:
            whole, _ = gates.kogge_stone(word, extend(kept, len(word)), up)
        magnitude, above = whole[: fmt.magnitude_bits], whole[fmt.magnitude_bits :]
        past = magnitude if fmt.specials is Specials.FN else magnitude[fmt.fraction_bits :]
        overflow = gates.or_(gates.any_(above), gates.all_(past))
        inexact = gates.or_(guard, sticky)
        tiny = gates.not_(kept[-1])
        if self.fault == "tininess_after_rounding":
            tiny = gates.and_(tiny, gates.not_(becomes_normal))
        return Finite(magnitude, overflow, gates.and_(tiny, inexact), gates.or_(inexact, overflow))

    def deliver(
        self,
        sign: int,
        finite: Finite,
        infinite: int,
        nan: int,
        operands: Collection[Number],
        infinity_sign: int | None = None,
    ) -> Netlist:
        """The netlist, with what is infinite or no number delivered as such; NaN counts most."""
        gates, fmt = self.gates, self.fmt
        infinity_sign = sign if infinity_sign is None else infinity_sign
        nan_code = constant(fmt.canonical_nan, fmt.width)
        if self.fault == "nan_of_another_sign":
            nan_code = (*nan_code[:-1], ONE)
        code = gates.choose(finite.overflow, self._overflowed(sign), (*finite.magnitude, sign))
        code = gates.choose(infinite, self._infinity(infinity_sign), code)
        outputs: dict[str, Bus] = {"result": gates.choose(nan, nan_code, code)}
        if self.flags:
            some_nan = gates.any_([x.nan for x in operands])
            some_infinite = gates.any_([x.infinite for x in operands])
            ordinary = gates.not_(gates.or_(nan, infinite))
            by_zero = gates.and_(infinite, gates.not_(gates.or_(nan, some_infinite)))
            outputs["flags"] = (
                gates.and_(nan, gates.not_(some_nan)),
                by_zero,
                *gates.mask((finite.overflow, finite.underflow, finite.inexact), ordinary),
            )
        return gates.builder.build(outputs)

    def _overflowed(self, sign: int) -> Bus:
        if self.fault == "overflow_delivers_zero":
            return (*constant(0, self.fmt.magnitude_bits), sign)
        return self._infinity(sign)

    def _infinity(self, sign: int) -> Bus:
        """What stands for it."""
        fmt = self.fmt
        match self.policy:
            case OverflowPolicy.IEEE:
                return (*constant(fmt.infinity, fmt.magnitude_bits), sign)
            case OverflowPolicy.SATURATE:
                return (*constant(fmt.largest_finite, fmt.magnitude_bits), sign)
            case OverflowPolicy.NAN:
                return constant(fmt.canonical_nan, fmt.width)
