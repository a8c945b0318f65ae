"""The back end of shallow units: rounding, range check, packing and special cases, in three levels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from spikeproof.circuits.netlist import ZERO
from spikeproof.circuits.units.floating_point.rounding import Rounder
from spikeproof.circuits.units.floating_point.shallow_operands import Parts
from spikeproof.circuits.units.forms import (
    ALWAYS,
    NEVER,
    Bits,
    Form,
    Least,
    all_and,
    all_and_reaches,
    all_of,
    any_of,
    bit,
    bits,
    bits_of_places,
    reaches,
    signal,
    signals,
    total,
    xor,
)
from spikeproof.circuits.units.integer import Buses
from spikeproof.circuits.units.shallow import (
    Thermometer,
    any_chosen,
    leading_zeros,
    minus_count,
    shift_left,
    step_for,
)
from spikeproof.specs.formats import Mode, OverflowPolicy, RoundingMode, Specials

MOST_FAN_IN = 128
"""A significand of which all places have more terms together has a neuron for each place instead."""


@dataclass(frozen=True)
class Unrounded:
    """A finite result before rounding.

    Attributes:
        sign: 1 for negative.
        exponent: the exponent field less one, 0 wherever the first bit of ``kept`` is 0; of zero of no
            use.
        kept: the significand, of the format's precision, the hidden bit at its top.
        guard: the place below it.
        sticky: whether there is anything further below.
        zero: whether there is nothing at all.
        beyond: whether the exponent is more than its bits say, and beyond the format's: 1 or more if so.
    """

    sign: Form
    exponent: Bits
    kept: Bits
    guard: Form
    sticky: Form
    zero: Form
    beyond: Form = NEVER


@dataclass(frozen=True)
class Special:
    """When a result is none of finite operands; each a bit.

    Attributes:
        positive, negative: it is an infinity of that sign, unless it is not a number.
        nan: it is not a number.
        invalid: that is signalled.
        divide_by_zero: likewise.
    """

    positive: Form
    negative: Form
    nan: Form
    invalid: Form
    divide_by_zero: Form = NEVER


READ_BELOW: dict[Mode, tuple[str, ...]] = {
    RoundingMode.TOWARD_ZERO: (),
    RoundingMode.NEAREST_AWAY: ("guard",),
}


def read_below(mode: Mode) -> tuple[str, ...]:
    """What a mode reads of ``guard`` and ``sticky``, unless exceptions are flagged."""
    return READ_BELOW.get(mode, ("guard", "sticky"))


class ShallowRounder:
    """Rounds and packs, in a mode of IEEE 754 and by its convention."""

    def __init__(self, rounder: Rounder) -> None:
        assert isinstance(rounder.mode, RoundingMode)
        self.gates, self.fmt, self.policy = rounder.gates, rounder.fmt, rounder.policy
        self.mode = rounder.mode

    def normalised(
        self,
        sign: Form,
        exponent: Bits,
        limit: Thermometer,
        x: Bits,
        *,
        above: int = 0,
        beyond: Form = NEVER,
        decoded: bool = False,
    ) -> Unrounded:
        """A magnitude shifted left by min(its leading zeros, limit), which its exponent loses.

        With zeros ``above`` it, by which it may be shifted too, it is in effect shifted right where it
        is not shifted as far.

        Args:
            exponent: the exponent field of the first bit of ``x``, less one, or 0 if that is negative;
                without those above. It may have places beyond the format's field.
            limit: that exponent, with those above, or a number that leading zeros do not go beyond.
            x: exact but for a last place that stands for all below it; of two more than the precision.
            decoded: as ``shift_right`` has it.
        """
        gates, precision = self.gates, self.fmt.precision
        x = (*x, *(NEVER,) * above)
        zeros = leading_zeros(gates, x, limit)
        shifted = shift_left(gates, x, zeros, step_for(zeros.most), decoded)
        (*below, guard), kept = shifted[:-precision], shifted[-precision:]
        if sum(len(place.weights) for place in kept) > MOST_FAN_IN:
            kept = bits(signals(gates, kept))
        # A place below the guard place stays there unless the shift takes it higher.
        stays = tuple(1 - zeros[len(below) - k] for k in range(len(below)))
        lost = any_chosen(gates, x[: len(below)], stays, gates.structure.places)
        left = minus_count(gates, exponent, zeros.beyond(above))
        sticky, zero = any_of(gates, *lost), 1 - any_of(gates, *x)
        if len(left) > self.fmt.exponent_bits:  # else zero might be found too large
            left = tuple(all_of(gates, each, 1 - zero) for each in left)
        lower = {"guard": guard, "sticky": sticky}
        # See ``proofs.shallow_rounding``, and ``proofs.shallow_fma``.
        for names, places in (
            (("denormalised",), x),
            (("room", "field"), exponent),
            (("zeros", "shift"), zeros.steps[1:]),
            (("left", "exponent"), left),
            (("places",), (*kept, *(lower[name] for name in read_below(self.mode)))),
            (("kept",), kept),
            *(((name,), (place,)) for name, place in lower.items()),
        ):
            for name in names:
                gates.builder.cut(name, bits_of_places(places))
        return Unrounded(
            sign=sign,
            exponent=left[: self.fmt.exponent_bits],
            kept=kept,
            guard=guard,
            sticky=sticky,
            zero=zero,
            beyond=beyond + total(left[self.fmt.exponent_bits :]),
        )

    def deliver(self, x: Unrounded, special: Special) -> Buses:
        """``result``, and ``flags`` in the order of ``specs.formats.FLAGS``."""
        carries = self._carries(x)
        into_field = x.kept[-1] + carries[-1]
        fraction, field = self._fraction(x, carries), self._field(x, into_field)
        overflow = self._overflow(x, into_field)
        directions = self._directions(x.sign, *overflow)
        magnitude = self._magnitude((*fraction, *field), *directions, special)
        sign = self._sign(x, carries[0], directions[0], special)
        result = signals(self.gates, (*magnitude, sign))
        self.gates.builder.probe("result", result)
        flags = self._flags(x, reaches(self.gates, *overflow), special)
        return {"result": result, "flags": signals(self.gates, flags)}

    def _magnitude(
        self, finite: Sequence[Form], to_infinity: Form, to_largest: Form, special: Special
    ) -> Bits:
        cases = (
            (to_infinity, self._infinity),
            (to_largest, self.fmt.largest_finite),
            (special.positive + special.negative, self._infinity),
            (special.nan, self._nan),
        )
        return tuple(
            overridden(place, *((condition, bool(code >> k & 1)) for condition, code in cases))
            for k, place in enumerate(finite)
        )

    def _carries(self, x: Unrounded) -> list[Form]:
        """The carry into each kept place but the hidden bit, and into that: by one neuron each."""
        carries = [
            all_and_reaches(self.gates, x.kept[:k], *self._rounds_up(x, x.kept[0] if k == 0 else ALWAYS))
            for k in range(len(x.kept))
        ]
        for k, carry in enumerate(carries):
            self.gates.builder.cut(f"carry_{k}", tuple(carry.weights) or (ZERO,))
        return carries

    def _fraction(self, x: Unrounded, carries: Sequence[Form]) -> Bits:
        """The fraction rounded: each place, what is carried into it, and less twice what out of it."""
        rounded = [
            (place + carries[k] - 2 * carries[k + 1]).within(0, 1) for k, place in enumerate(x.kept[:-1])
        ]
        if self.mode is RoundingMode.TO_ODD:
            rounded[0] = any_of(self.gates, x.kept[0], x.guard, x.sticky)
        return tuple(rounded)

    def _rounds_up(self, x: Unrounded, last: Form) -> Least:
        """When one is added in the last place, which is as told."""
        some = x.guard + x.sticky
        match self.mode:
            case RoundingMode.NEAREST_EVEN if last is ALWAYS:
                return x.guard, 1
            case RoundingMode.NEAREST_EVEN:
                return x.guard + some + last, 3
            case RoundingMode.NEAREST_AWAY:
                return x.guard, 1
            case RoundingMode.UP:
                return some - 2 * x.sign, 1
            case RoundingMode.DOWN:
                return some + 2 * x.sign, 3
        return NEVER, 1

    def _field(self, x: Unrounded, into: Form) -> Bits:
        """The exponent field: exponent plus what is carried into it, which is up to 2; 0 of zero."""
        exponent = x.exponent
        outs = [reaches(self.gates, *_carried(exponent[: k + 1], into)) for k in range(len(exponent))]
        for k, out in enumerate(outs):
            self.gates.builder.cut(f"raised_{k}", tuple(out.weights) or (ZERO,))
        carries = [into, *outs]
        places = (place + carries[k] - 2 * carries[k + 1] for k, place in enumerate(exponent))
        return tuple(overridden(place.within(0, 1), (x.zero, False)) for place in places)

    def _overflow(self, x: Unrounded, into_field: Form) -> Least:
        """When the rounded magnitude is beyond the largest finite one."""
        form, least = self._field_overflow(x, into_field)
        return form + x.beyond * max(0, least - form.low), least

    def _field_overflow(self, x: Unrounded, into_field: Form) -> Least:
        """The same by the bits of the exponent."""
        low, high = x.exponent[:2], x.exponent[2:]
        match self.fmt.specials:
            case Specials.IEEE:  # the field is all ones; the exponent is not
                return all_and(high, 2 * low[1] + low[0] + into_field, 3)
            case Specials.FN:  # the field is, and the fraction; or what is carried into the field is 2
                return _carried(x.exponent, x.kept[-1] + self._all_ones(x))
        return _carried(x.exponent, into_field)

    def _all_ones(self, x: Unrounded) -> Form:
        """Whether the fraction becomes all ones, or is so and has a carry."""
        first, (form, least) = x.kept[0], self._rounds_up(x, NEVER)
        if self.mode is RoundingMode.TO_ODD:
            form, least = x.guard + x.sticky, 1
        either = first * max(0, least - form.low) + form
        return all_and_reaches(self.gates, x.kept[1:-1], either, least)

    def _directions(self, sign: Form, form: Form, least: int) -> tuple[Form, Form]:
        """Whether an overflow delivers infinity, and whether the largest finite number."""
        match self.mode:
            case RoundingMode.NEAREST_EVEN | RoundingMode.NEAREST_AWAY:
                return reaches(self.gates, form, least), NEVER
            case RoundingMode.TOWARD_ZERO | RoundingMode.TO_ODD:
                return NEVER, reaches(self.gates, form, least)
        up = 1 - sign if self.mode is RoundingMode.UP else sign
        return (
            all_and_reaches(self.gates, [up], form, least),
            all_and_reaches(self.gates, [1 - up], form, least),
        )

    @property
    def _infinity(self) -> int:
        """The code delivered where IEEE 754 calls for an infinity, but for its sign if it has one."""
        match self.policy:
            case OverflowPolicy.IEEE:
                return self.fmt.infinity
            case OverflowPolicy.SATURATE:
                return self.fmt.largest_finite
        return self.fmt.canonical_nan

    @property
    def _nan(self) -> int:
        """The code of what is not a number, or of the largest one where there is no such code."""
        return self.fmt.canonical_nan if self.fmt.has_nan else self.fmt.largest_finite

    def _sign(self, x: Unrounded, rounds_up: Form, to_infinity: Form, special: Special) -> Form:
        """The sign of the result, that of infinities being the operands'."""
        top = self.fmt.magnitude_bits
        sign = x.sign
        if not self.fmt.has_negative_zero:
            # What is rounded to odd is not zero though nothing is carried.
            up = (x.guard, x.sticky) if self.mode is RoundingMode.TO_ODD else (rounds_up,)
            some = any_of(self.gates, *x.kept, *up)
            sign = (sign + some - 1).within(-1, 1)
        infinities = ((special.positive, False), (special.negative, True))
        if self.policy is OverflowPolicy.NAN:
            of_infinity = bool(self._infinity >> top & 1)
            any_infinity = special.positive + special.negative
            infinities = ((to_infinity, of_infinity), (any_infinity, of_infinity))
        return overridden(sign, *infinities, (special.nan, bool(self._nan >> top & 1)))

    def _flags(self, x: Unrounded, overflow: Form, special: Special) -> Bits:
        lost = x.guard + x.sticky
        infinite_or_nan = special.positive + special.negative + special.nan
        finite = (overflow, lost - 2 * x.kept[-1], lost + overflow)
        silent = (overridden(form, (infinite_or_nan, False)) for form in finite)
        return (special.invalid, special.divide_by_zero, *silent)


class SignedUnit:
    """What product and quotient have in common: two operands, and the sign of the result."""

    def __init__(self, rounder: Rounder, x: Parts, y: Parts) -> None:
        self.x, self.y = x, y
        self.back = ShallowRounder(rounder)
        self.gates, self.fmt = rounder.gates, rounder.fmt
        self.sign = bit(signal(self.gates, xor(self.gates, x.sign, y.sign)))


def _carried(exponent: Sequence[Form], into: Form) -> Least:
    """When places have a carry: all but the first are 1, and that with what comes in is 2 or more."""
    return all_and(exponent[1:], exponent[0] + into, 2)


def overridden(form: Form, *cases: tuple[Form, bool]) -> Form:
    """A form of which what counts is whether it is 1 or more; that is as each case says while it is so.

    The last case that holds decides: it outweighs all before it.
    """
    for condition, value in cases:
        weight = max(0, 1 - form.low) if value else max(0, form.high)
        if condition.high:
            form = form + condition * (weight if value else -weight)
    return form
