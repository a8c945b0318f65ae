"""The spec of record: IEEE 754 arithmetic on exact rationals, in plain Python.

Every operation has two steps, as the standard words it (IEEE 754-2019 clause 4.3): the result as if
computed with unbounded range and precision, then one rounding of it. Nothing here is meant to be
fast; everything is meant to be read beside the standard. (What is asked again and again is remembered.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from functools import lru_cache, partial
from itertools import count
from math import isqrt
from typing import Any, NamedTuple

from spikeproof.specs.conventions import (
    IEEE,
    OF_2008,
    PROPAGATING,
    Convention,
    FlushedInexact,
    FlushedSign,
    IntegerInexact,
    IntegerResult,
    NanOperands,
    NanResult,
    ScaleOperands,
    ScaleRounding,
    SubnormalOperands,
    SubnormalResults,
    Tininess,
    ZeroTimesInfinity,
)
from spikeproof.specs.enclosures import Enclosure
from spikeproof.specs.formats import (
    E8M0,
    FLAGS,
    MX_OPERATIONS,
    OPERANDS,
    Format,
    Integer,
    Mode,
    OverflowPolicy,
    RoundingMode,
    Source,
    Specials,
    Stochastic,
    operand_formats,
)

HALF = Fraction(1, 2)


class Kind(Enum):
    """Whether a value is a number, an infinity, or not a number."""

    FINITE = "finite"
    INFINITE = "infinite"
    NAN = "nan"


@dataclass(frozen=True)
class Root:
    """The square root of a rational number that is not negative; mostly not rational itself."""

    radicand: Fraction


Argument = Fraction | tuple[Fraction, ...]
"""What a function is of: a rational number, or several."""


@lru_cache(1 << 10)
def _enclosed(enclosing: Callable[[Any, int], Enclosure], argument: Argument, bits: int) -> Enclosure:
    """An enclosure: several questions are asked of each."""
    return enclosing(argument, bits)


@dataclass(frozen=True)
class Real:
    """The magnitude of a value that is not rational: known by enclosures, as narrow as one asks.

    A question is asked of ever narrower ones, until both ends give one answer (Ziv's loop). That ends,
    since a number that is not rational lies at a distance from every one that is.

    Args:
        enclosing: gives, for an argument and a number of bits, an enclosure of the value.
        argument: what the function is of.
    """

    enclosing: Callable[[Any, int], Enclosure]
    argument: Argument

    def enclosures(self) -> Iterator[Enclosure]:
        """Narrower and narrower ones of the value, from the first that tells its sign."""
        for bits in (FIRST_BITS << n for n in count()):
            found = _enclosed(self.enclosing, self.argument, bits)
            if found.low >= 0 or found.high <= 0:
                yield found

    def bounds(self) -> Iterator[tuple[Fraction, Fraction]]:
        """Rationals between which the magnitude lies, closer and closer; it is none of them."""
        for low, high, exponent in self.enclosures():
            unit = power_of_two(exponent)
            yield min(abs(low), abs(high)) * unit, max(abs(low), abs(high)) * unit

    @property
    def sign(self) -> int:
        """1 if the value is negative, 0 if it is positive."""
        return int(next(self.enclosures()).low < 0)

    def floor_log2(self) -> int:
        """The e with 2^e < magnitude < 2^(e+1)."""
        return next(
            e for low, high in self.bounds() if low and high <= power_of_two((e := floor_log2(low)) + 1)
        )

    def floor_multiple(self, step: Fraction) -> int:
        """The k with k * step < magnitude < (k + 1) * step."""
        return next(k for low, high in self.bounds() if high <= ((k := low // step) + 1) * step)


FIRST_BITS = 64
"""Of the first enclosure that is tried: enough for all but hard cases of formats of up to 32 bits."""

Magnitude = Fraction | Root | Real


class Value(NamedTuple):
    """What a code stands for, or what an operation yields before rounding.

    ``sign`` is 1 for negative, and is significant for zeros and infinities; ``magnitude`` is
    non-negative, and meaningful for finite values only. Only square roots yield a ``Root``, and only
    functions (``specs.functions``) a ``Real``.
    """

    kind: Kind
    sign: int = 0
    magnitude: Magnitude = Fraction(0)

    @property
    def is_zero(self) -> bool:
        """Whether it is a zero, of either sign."""
        return self.kind is Kind.FINITE and not self.magnitude

    @property
    def rational(self) -> Fraction:
        """The magnitude of anything but a square root or a function's value that is not rational."""
        assert isinstance(self.magnitude, Fraction)
        return self.magnitude

    @property
    def signed(self) -> Fraction:
        """The rational number that a finite value is, unless its magnitude is a ``Root`` or ``Real``."""
        return -self.rational if self.sign else self.rational


NAN = Value(Kind.NAN)


@lru_cache(1 << 12)
def power_of_two(exponent: int) -> Fraction:
    """2 to any integer power, exactly."""
    return Fraction(1 << exponent) if exponent >= 0 else Fraction(1, 1 << -exponent)


def fields(fmt: Format, code: int) -> tuple[int, int, int]:
    """Sign bit, exponent field and fraction field of a code.

    Raises:
        ValueError: if the code is not one of the format's.
    """
    if not 0 <= code < 1 << fmt.width:
        raise ValueError(f"{code:#x} is not a code of {fmt.name}, which has {fmt.width} bits")
    magnitude_code = code & (fmt.sign_mask - 1)
    fraction = magnitude_code & ((1 << fmt.fraction_bits) - 1)
    return code >> fmt.magnitude_bits, magnitude_code >> fmt.fraction_bits, fraction


@lru_cache(1 << 16)
def decode(fmt: Format, code: int) -> Value:
    """The value that a code stands for (IEEE 754-2019 clause 3.4; OCP FP8 1.0 clause 4).

    Raises:
        ValueError: if the code is not one of the format's.
    """
    sign, exponent_field, fraction = fields(fmt, code)
    if fmt.is_nan(code):
        return NAN
    if fmt.has_infinity and code & ~fmt.sign_mask == fmt.infinity:
        return Value(Kind.INFINITE, sign)
    significand = Fraction(fraction, 1 << fmt.fraction_bits)
    if exponent_field == 0:
        return Value(Kind.FINITE, sign, significand * power_of_two(fmt.minimum_exponent))
    return Value(Kind.FINITE, sign, (1 + significand) * power_of_two(exponent_field - fmt.bias))


def classify(fmt: Format, code: int) -> str:
    """``zero``, ``subnormal``, ``normal``, ``infinity`` or ``nan`` (clause 5.7.2)."""
    value = decode(fmt, code)
    if value.kind is not Kind.FINITE:
        return "nan" if value.kind is Kind.NAN else "infinity"
    if value.is_zero:
        return "zero"
    return "normal" if fields(fmt, code)[1] else "subnormal"


# --- rounding -----------------------------------------------------------------------------------


def floor_log2(magnitude: Magnitude) -> int:
    """The e with 2^e <= magnitude < 2^(e+1), for a positive magnitude."""
    if isinstance(magnitude, Root):
        return floor_log2(magnitude.radicand) // 2
    if isinstance(magnitude, Real):
        return magnitude.floor_log2()
    n, d = magnitude.numerator, magnitude.denominator
    e = n.bit_length() - d.bit_length()
    reached = d << e <= n if e >= 0 else d <= n << -e
    return e if reached else e - 1


def floor_multiple(magnitude: Magnitude, step: Fraction, parts: int = 1) -> tuple[int, bool]:
    """The largest k with k * step / parts <= magnitude, and whether they are equal."""
    if isinstance(magnitude, Root):
        square = magnitude.radicand / (step / parts) ** 2
        k = isqrt(int(square))
        return k, k * k == square
    if isinstance(magnitude, Real):
        return magnitude.floor_multiple(step / parts), False
    # magnitude / (step / parts), numerator and denominator, in whole numbers.
    numerator = magnitude.numerator * step.denominator * parts
    k, remainder = divmod(numerator, magnitude.denominator * step.numerator)
    return k, remainder == 0


def quantum(fmt: Format, magnitude: Magnitude) -> Fraction:
    """Distance between neighbouring representable numbers around a magnitude.

    As if the exponent had no upper bound (clause 4.3.1): the numbers representable there are
    exactly the integer multiples of this distance.
    """
    exponent = fmt.minimum_exponent
    if magnitude:
        exponent = max(exponent, floor_log2(magnitude))
    return power_of_two(exponent - fmt.fraction_bits)


class Rounding(NamedTuple):
    """One rounding, with every intermediate that a datapath may be compared with.

    ``magnitude`` lies between ``kept * quantum`` and ``(kept + 1) * quantum``; ``guard`` and
    ``sticky`` describe what is lost below ``kept``: half a quantum or more, and whether anything
    remains beside that half. The rounded magnitude is ``(kept + rounds_up) * quantum``.
    """

    quantum: Fraction
    kept: int
    guard: int
    sticky: int
    rounds_up: bool

    @property
    def magnitude(self) -> Fraction:
        """The rounded magnitude."""
        return (self.kept + self.rounds_up) * self.quantum


@lru_cache(1 << 16)
def round_magnitude(fmt: Format, mode: Mode, sign: int, magnitude: Magnitude) -> Rounding:
    """Round to the representable magnitude the mode names, the exponent unbounded above."""
    return round_to_multiple(quantum(fmt, magnitude), mode, sign, magnitude)


def round_to_multiple(step: Fraction, mode: Mode, sign: int, magnitude: Magnitude) -> Rounding:
    """Round to the multiple of ``step`` that the mode names.

    One line a mode: clause 4.3.1 (nearest), 4.3.2 (directed); others, see ``RoundingMode`` and
    ``Stochastic``.
    """
    kept, exact = floor_multiple(magnitude, step)
    halves, exact_in_halves = floor_multiple(magnitude, step, 2)
    odd = kept % 2 == 1
    inexact = not exact
    at_least_half = halves == 2 * kept + 1
    tie = at_least_half and exact_in_halves
    if isinstance(mode, Stochastic):
        rounds_up = mode.word + words_up(step, mode, magnitude) >= 1 << mode.bits
        return Rounding(step, kept, int(at_least_half), int(not exact_in_halves), rounds_up)
    match mode:
        case RoundingMode.NEAREST_EVEN:
            rounds_up = at_least_half and (odd or not tie)
        case RoundingMode.NEAREST_AWAY:
            rounds_up = at_least_half
        case RoundingMode.TOWARD_ZERO:
            rounds_up = False
        case RoundingMode.UP:
            rounds_up = inexact and not sign
        case RoundingMode.DOWN:
            rounds_up = inexact and bool(sign)
        case RoundingMode.TO_ODD:
            rounds_up = inexact and not odd
    return Rounding(step, kept, int(at_least_half), int(not exact_in_halves), rounds_up)


def words_up(step: Fraction, mode: Stochastic, magnitude: Magnitude) -> int:
    """How many random words round a magnitude away from zero: floor(f * 2^bits), see ``Stochastic``."""
    kept, _ = floor_multiple(magnitude, step)
    parts, _ = floor_multiple(magnitude, step, 1 << mode.bits)
    return parts - (kept << mode.bits)


def overflows_to_infinity(mode: Mode, sign: int) -> bool:
    """Whether an overflow goes to infinity, or stays at the largest finite number (clause 7.4)."""
    return (
        isinstance(mode, Stochastic)
        or {
            RoundingMode.NEAREST_EVEN: True,
            RoundingMode.NEAREST_AWAY: True,
            RoundingMode.TOWARD_ZERO: False,
            RoundingMode.UP: not sign,
            RoundingMode.DOWN: bool(sign),
            RoundingMode.TO_ODD: False,
        }[mode]
    )


def encode_magnitude(fmt: Format, magnitude: Fraction) -> int:
    """Magnitude code of a representable number, the exponent field unbounded above."""
    multiple, _ = floor_multiple(magnitude, quantum(fmt, magnitude))
    if multiple < 1 << fmt.fraction_bits:
        return multiple
    exponent_field = floor_log2(magnitude) + fmt.bias
    return (exponent_field << fmt.fraction_bits) + multiple - (1 << fmt.fraction_bits)


def with_sign(fmt: Format, sign: int, magnitude_code: int) -> int:
    """The code of a finite or infinite number; zero stays unsigned where no negative zero exists."""
    if magnitude_code == 0 and not fmt.has_negative_zero:
        return 0
    return sign << fmt.magnitude_bits | magnitude_code


def deliver_infinity(fmt: Format, policy: OverflowPolicy, sign: int) -> int:
    """The code delivered where IEEE 754 calls for an infinity of this sign."""
    match policy:
        case OverflowPolicy.IEEE:
            return with_sign(fmt, sign, fmt.infinity)
        case OverflowPolicy.SATURATE:
            return with_sign(fmt, sign, fmt.largest_finite)
        case OverflowPolicy.NAN:
            return fmt.canonical_nan


def deliver_nan(fmt: Format) -> int:
    """The canonical NaN; the largest finite number where the format has no NaN.

    The second case arises only in conversions; OCP Microscaling Formats 1.0 leaves it to the
    implementation.
    """
    return fmt.canonical_nan if fmt.has_nan else fmt.largest_finite


def is_tiny_before(fmt: Format, value: Value) -> bool:
    """Whether a finite value is tiny before rounding: not zero, and below the normal numbers."""
    return not value.is_zero and floor_log2(value.magnitude) < fmt.minimum_exponent


def is_tiny_after(fmt: Format, mode: Mode, value: Value) -> bool:
    """Whether it is tiny after rounding (clause 7.5 a): as with an exponent without bounds."""
    if value.is_zero:
        return False
    step = power_of_two(floor_log2(value.magnitude) - fmt.fraction_bits)
    rounded = round_to_multiple(step, mode, value.sign, value.magnitude).magnitude
    return rounded < power_of_two(fmt.minimum_exponent)


def is_flushed(fmt: Format, mode: Mode, convention: Convention, value: Value) -> bool:
    """Whether zero is delivered in place of what a value rounds to."""
    if value.kind is not Kind.FINITE or value.is_zero:
        return False
    match convention.subnormal_results:
        case SubnormalResults.ZERO_BEFORE:
            return is_tiny_before(fmt, value)
        case SubnormalResults.ZERO_AFTER:
            return is_tiny_after(fmt, mode, value)
        case SubnormalResults.ZERO_CODE:
            rounded = round_magnitude(fmt, mode, value.sign, value.magnitude).magnitude
            return 0 < rounded < power_of_two(fmt.minimum_exponent)
    return False


def flushed_zero(fmt: Format, convention: Convention, sign: int) -> int:
    """The zero in place of a number of some sign."""
    return with_sign(fmt, sign if convention.flushed_sign is FlushedSign.KEPT else 0, 0)


def flush_operand(fmt: Format, convention: Convention, code: int) -> int:
    """What counts in place of an operand."""
    if convention.subnormal_operands is SubnormalOperands.GRADUAL or classify(fmt, code) != "subnormal":
        return code
    return flushed_zero(fmt, convention, fields(fmt, code)[0])


def round_to(
    fmt: Format,
    mode: Mode,
    policy: OverflowPolicy,
    value: Value,
    convention: Convention = IEEE,
) -> int:
    """The code that a value rounds to (clauses 4.3, 6.1, 7.4).

    Raises:
        ValueError: if the format cannot express the policy.
    """
    fmt.require_policy(policy)
    if value.kind is Kind.NAN:
        return deliver_nan(fmt)
    if value.kind is Kind.INFINITE:
        return deliver_infinity(fmt, policy, value.sign)
    if is_flushed(fmt, mode, convention, value):
        return flushed_zero(fmt, convention, value.sign)
    rounded = round_magnitude(fmt, mode, value.sign, value.magnitude).magnitude
    if rounded <= decode(fmt, fmt.largest_finite).rational:
        return with_sign(fmt, value.sign, encode_magnitude(fmt, rounded))
    if overflows_to_infinity(mode, value.sign):
        return deliver_infinity(fmt, policy, value.sign)
    return with_sign(fmt, value.sign, fmt.largest_finite)


# --- operations, before rounding ----------------------------------------------------------------


def exact_sum(mode: Mode, x: Value, y: Value) -> Value:
    """x + y (clause 5.4.1). The mode decides only the sign of an exact zero (clause 6.3)."""
    if Kind.NAN in (x.kind, y.kind):
        return NAN
    if x.kind is y.kind is Kind.INFINITE:
        return x if x.sign == y.sign else NAN
    if Kind.INFINITE in (x.kind, y.kind):
        return x if x.kind is Kind.INFINITE else y
    total = x.signed + y.signed
    if total:
        return Value(Kind.FINITE, int(total < 0), abs(total))
    if x.sign == y.sign:
        return Value(Kind.FINITE, x.sign)
    return Value(Kind.FINITE, int(mode is RoundingMode.DOWN))


def exact_difference(mode: Mode, x: Value, y: Value) -> Value:
    """x - y, which is x + (-y) (clause 5.4.1)."""
    return exact_sum(mode, x, Value(y.kind, 1 - y.sign, y.magnitude))


def exact_product(mode: Mode, x: Value, y: Value) -> Value:
    """x * y (clause 5.4.1); the mode plays no part in it."""
    if Kind.NAN in (x.kind, y.kind):
        return NAN
    sign = x.sign ^ y.sign
    if Kind.INFINITE in (x.kind, y.kind):
        return NAN if x.is_zero or y.is_zero else Value(Kind.INFINITE, sign)
    return Value(Kind.FINITE, sign, x.rational * y.rational)


def exact_quotient(mode: Mode, x: Value, y: Value) -> Value:
    """x / y (clauses 5.4.1, 7.3); the mode plays no part in it."""
    if Kind.NAN in (x.kind, y.kind):
        return NAN
    sign = x.sign ^ y.sign
    if x.kind is y.kind is Kind.INFINITE or (x.is_zero and y.is_zero):
        return NAN
    if x.kind is Kind.INFINITE or y.is_zero:
        return Value(Kind.INFINITE, sign)
    if y.kind is Kind.INFINITE:
        return Value(Kind.FINITE, sign)
    return Value(Kind.FINITE, sign, x.rational / y.rational)


def exact_remainder(nearest: RoundingMode, mode: Mode, x: Value, y: Value) -> Value:
    """x - y * n, n being the whole number that x / y rounds to (clauses 5.3.1, 7.2 f).

    Args:
        nearest: how n is found: to nearest even, or toward zero.
        mode: plays no part in it.
    """
    if Kind.NAN in (x.kind, y.kind) or x.kind is Kind.INFINITE or y.is_zero:
        return NAN
    if y.kind is Kind.INFINITE:
        return x
    n = round_to_multiple(Fraction(1), nearest, 0, x.rational / y.rational).magnitude
    difference = x.rational - y.rational * n
    sign = x.sign if difference >= 0 else 1 - x.sign
    return Value(Kind.FINITE, sign, abs(difference))


def exact_root(mode: Mode, x: Value) -> Value:
    """The square root of x; that of -0 is -0 (clause 5.4.1)."""
    if x.kind is Kind.NAN or x.is_zero:
        return x
    if x.sign:
        return NAN
    return x if x.kind is Kind.INFINITE else Value(Kind.FINITE, 0, Root(x.rational))


def exact_multiply_add(mode: Mode, x: Value, y: Value, z: Value) -> Value:
    """x * y + z, as if in unbounded precision (clause 5.4.1)."""
    return exact_sum(mode, exact_product(mode, x, y), z)


def unchanged(mode: Mode, x: Value) -> Value:
    """x: a conversion does nothing but round (clause 5.4.2)."""
    return x


EXACT_OPERATIONS: dict[str, Callable[..., Value]] = {
    "add": exact_sum,
    "subtract": exact_difference,
    "multiply": exact_product,
    "divide": exact_quotient,
    "square_root": exact_root,
    "fma": exact_multiply_add,
    "convert": unchanged,
    "remainder": partial(exact_remainder, RoundingMode.NEAREST_EVEN),
    "truncated_remainder": partial(exact_remainder, RoundingMode.TOWARD_ZERO),
}
"""The operations on numbers, each as its result before rounding, from the mode and the operands."""


# --- results that are not numbers ---------------------------------------------------------------


def is_signalling(fmt: Format, code: int) -> bool:
    """Whether a code is a NaN whose first fraction bit is 0 (clause 6.2.1), in IEEE formats."""
    quiet_bit = 1 << fmt.fraction_bits - 1
    return fmt.specials is Specials.IEEE and fmt.is_nan(code) and not code & quiet_bit


def quieted(source: Format, fmt: Format, code: int) -> int:
    """The quiet NaN, in ``fmt``, that a NaN operand becomes: sign and the first fraction bits stay.

    As x86 and Arm convert NaNs (SDM 4.8.3.5; ``FPConvertNaN``); both formats have payloads.
    """
    sign, _, fraction = fields(source, code)
    aligned = fraction << fmt.fraction_bits >> source.fraction_bits
    return with_sign(fmt, sign, fmt.canonical_nan | aligned)


def result_nan(
    operation: str, fmt: Format, source: Source, convention: Convention, codes: tuple[int, ...]
) -> int:
    """The code delivered where the result is not a number; where all are allowed, the canonical one."""
    operands = tuple(zip(operand_formats(source, len(codes)), codes, strict=True))
    nans = [(form, code) for form, code in operands if form.is_nan(code)]
    match convention.nan:
        case NanResult.CANONICAL | NanResult.WEBASSEMBLY | NanResult.ANY:
            return deliver_nan(fmt)
        case NanResult.ONES:
            return fmt.nan_of_ones if fmt.has_nan else deliver_nan(fmt)
        case NanResult.LAST:
            nans.reverse()
        case NanResult.X86 if not nans:
            return with_sign(fmt, 1, fmt.canonical_nan)
        case NanResult.ARM:
            if operation == "fma":
                x, y, z = operands
                product = {classify(*x), classify(*y)}
                if product == {"zero", "infinity"} and not is_signalling(*z):
                    return fmt.canonical_nan
                nans = [(form, code) for form, code in (z, x, y) if form.is_nan(code)]
            nans.sort(key=lambda operand: not is_signalling(*operand))  # which is stable
    if not nans:
        return fmt.canonical_nan
    form, code = nans[0]
    return quieted(form, fmt, code)


def allows(
    fmt: Format,
    convention: Convention,
    expected: int,
    result: int,
    operands: Iterable[tuple[Format, int]] = (),
) -> bool:
    """Whether a convention allows a result code where ``compute`` of operands gives the expected one."""
    if result == expected or not (fmt.is_nan(expected) and fmt.is_nan(result)):
        return result == expected
    if convention.nan is NanResult.WEBASSEMBLY:
        payloads = any(form.is_nan(code) and has_payload(form, code) for form, code in operands)
        return not is_signalling(fmt, result) and (payloads or not has_payload(fmt, result))
    return convention.nan is NanResult.ANY


def has_payload(fmt: Format, nan: int) -> bool:
    """Whether a NaN is neither the canonical one nor that with its sign set, in IEEE formats."""
    return fmt.specials is Specials.IEEE and nan & ~fmt.sign_mask != fmt.canonical_nan


# --- operations on codes ------------------------------------------------------------------------


def compute(
    operation: str,
    fmt: Format,
    mode: Mode,
    policy: OverflowPolicy,
    *codes: int,
    source: Source | None = None,
    convention: Convention = IEEE,
) -> int:
    """The result code, in ``fmt``, of an operation on codes.

    Args:
        source: the formats of the operands, if not all are ``fmt`` (a formatOf operation, clause 5.4).
        convention: where it allows several results this is one of them; see ``allows``.

    Raises:
        KeyError: if the operation is not in ``EXACT_OPERATIONS``.
        ValueError: if a code, the policy or the convention is not one of the format's.
    """
    forms = operand_formats(source or fmt, len(codes))
    fmt.require_policy(policy)
    convention.require_possible(fmt, *forms)
    given = _flushed(forms, convention, codes)
    result = EXACT_OPERATIONS[operation](mode, *map(decode, forms, given))
    if result.kind is Kind.NAN:
        return result_nan(operation, fmt, forms, convention, given)
    return round_to(fmt, mode, policy, result, convention)


def _flushed(
    forms: tuple[Format, ...], convention: Convention, codes: tuple[int, ...]
) -> tuple[int, ...]:
    """What counts in place of operands."""
    return tuple(flush_operand(form, convention, code) for form, code in zip(forms, codes, strict=True))


def flags(
    operation: str,
    fmt: Format,
    mode: Mode,
    *codes: int,
    source: Source | None = None,
    convention: Convention = IEEE,
) -> int:
    """The exceptions that an operation signals, one bit each in the order of ``FLAGS`` (clause 7).

    They are those of IEEE 754 whatever the overflow policy delivers.
    """
    forms = operand_formats(source or fmt, len(codes))
    given = _flushed(forms, convention, codes)
    operands = list(map(decode, forms, given))
    result = EXACT_OPERATIONS[operation](mode, *operands)
    invalid_product = (
        convention.zero_times_infinity is ZeroTimesInfinity.INVALID
        and operation == "fma"
        and Kind.NAN not in [operand.kind for operand in operands[:2]]
        and exact_product(mode, *operands[:2]).kind is Kind.NAN
    )
    signalled = exceptions(fmt, mode, forms, given, result, convention)
    signalled["invalid"] |= invalid_product
    return flags_word(signalled)


def exceptions(
    fmt: Format,
    mode: Mode,
    source: Source,
    codes: Iterable[int],
    result: Value,
    convention: Convention = IEEE,
) -> dict[str, bool]:
    """Which exceptions are signalled where operands have a result, before rounding, in ``fmt``.

    Args:
        codes: of the operands, in the formats ``source``.
    """
    codes = tuple(codes)
    forms = operand_formats(source, len(codes))
    kinds = [operand.kind for operand in map(decode, forms, codes)]
    signalled = dict.fromkeys(FLAGS, False)
    signalled["invalid"] = (result.kind is Kind.NAN and Kind.NAN not in kinds) or (
        convention.nan_operands is NanOperands.SIGNALLING and any(map(is_signalling, forms, codes))
    )
    signalled["divide_by_zero"] = result.kind is Kind.INFINITE and Kind.INFINITE not in kinds
    if result.kind is Kind.FINITE and not result.is_zero:
        signalled |= exceptions_of_rounding(fmt, mode, result, convention)
    return signalled


@lru_cache(1 << 18)
def exceptions_of_rounding(
    fmt: Format, mode: Mode, result: Value, convention: Convention
) -> Mapping[str, bool]:
    """Those that rounding a finite result signals, which is not zero."""
    rounding = round_magnitude(fmt, mode, result.sign, result.magnitude)
    flushed = is_flushed(fmt, mode, convention, result)
    overflow = rounding.magnitude > decode(fmt, fmt.largest_finite).rational
    inexact = overflow or bool(rounding.guard or rounding.sticky)
    after = convention.tininess is Tininess.AFTER
    tiny = is_tiny_after(fmt, mode, result) if after else is_tiny_before(fmt, result)
    underflow = flushed or (tiny and inexact)
    if flushed:
        inexact = convention.flushed_inexact is FlushedInexact.RAISED
    return {"overflow": overflow, "underflow": underflow, "inexact": inexact}


def flags_word(signalled: Mapping[str, bool]) -> int:
    """Exceptions, by name, as one bit each in the order of ``FLAGS``; not signalled if not named."""
    return sum(1 << index for index, name in enumerate(FLAGS) if signalled.get(name))


# --- integers -----------------------------------------------------------------------------------


def decode_integer(integer: Integer, code: int) -> Value:
    """The value that an integer's code stands for; zero is +0 (clause 5.4.1).

    Raises:
        ValueError: if the code is not one of the format's.
    """
    if not 0 <= code < 1 << integer.width:
        raise ValueError(f"{code:#x} is not a code of {integer.name}, which has {integer.width} bits")
    number = code - (1 << integer.width) if code > integer.maximum else code
    return Value(Kind.FINITE, int(number < 0), Fraction(abs(number)))


def convert_from_integer(
    source: Integer, fmt: Format, mode: RoundingMode, policy: OverflowPolicy, code: int
) -> int:
    """The code, in ``fmt``, that an integer rounds to: convertFromInt (clause 5.4.1).

    Raises:
        ValueError: if the code is not an integer's, or the policy not the format's.
    """
    return round_to(fmt, mode, policy, decode_integer(source, code))


def convert_to_integer(
    source: Format, integer: Integer, mode: RoundingMode, code: int, convention: Convention = IEEE
) -> int:
    """The integer's code that a number rounds to: convertToInteger (clause 5.8).

    What is delivered for NaN, infinities and numbers that round beyond the range, IEEE 754 leaves to the
    implementation: see ``IntegerResult``.

    Raises:
        ValueError: if the code is not one of the source's.
    """
    value = decode(source, flush_operand(source, convention, code))
    number = rounded_integer(mode, value)
    if number is None or not integer.minimum <= number <= integer.maximum:
        number = _invalid_integer(integer, convention.integer_result, value, number)
    return number % (1 << integer.width)


def rounded_integer(mode: RoundingMode, value: Value) -> int | None:
    """The integer that a value rounds to; None if it is infinite or not a number."""
    if value.kind is not Kind.FINITE:
        return None
    kept = int(round_to_multiple(Fraction(1), mode, value.sign, value.magnitude).magnitude)
    return -kept if value.sign else kept


def _invalid_integer(integer: Integer, result: IntegerResult, value: Value, number: int | None) -> int:
    """The integer delivered for a value that rounds to none of the range."""
    match result:
        case IntegerResult.INDEFINITE:
            return integer.minimum if integer.signed else integer.maximum
        case IntegerResult.WRAPPED:
            return number or 0
    if value.kind is Kind.NAN:
        return 0 if result is IntegerResult.SATURATED else integer.maximum
    return integer.minimum if value.sign else integer.maximum


def to_integer_flags(
    source: Format, integer: Integer, mode: RoundingMode, code: int, convention: Convention = IEEE
) -> int:
    """The exceptions that a conversion to an integer signals, as ``flags`` has them (clause 5.8).

    Raises:
        ValueError: if the code is not one of the source's.
    """
    value = decode(source, flush_operand(source, convention, code))
    number = rounded_integer(mode, value)
    if number is None or not integer.minimum <= number <= integer.maximum:
        return flags_word({"invalid": True})
    raised = convention.integer_inexact is IntegerInexact.RAISED
    return flags_word({"inexact": raised and number != value.signed})


def from_integer_flags(source: Integer, fmt: Format, mode: RoundingMode, code: int) -> int:
    """The exceptions that a conversion from an integer signals, as ``flags`` has them (clause 5.4.1).

    Raises:
        ValueError: if the code is not one of the source's.
    """
    value = decode_integer(source, code)
    rounded = round_magnitude(fmt, mode, value.sign, value.magnitude).magnitude
    overflow = rounded > decode(fmt, fmt.largest_finite).rational
    return flags_word({"overflow": overflow, "inexact": overflow or rounded != value.rational})


def integer_trace(
    source: Format, integer: Integer, mode: RoundingMode, code: int, convention: Convention = IEEE
) -> dict[str, int]:
    """What the definition implies for the signals of a conversion to an integer.

    Named as in ``circuits.units.integer_conversion``. A number of more bits than the integer has no
    ``kept``: its trace is the result alone.
    """
    signals: dict[str, int] = {}
    value = decode(source, flush_operand(source, convention, code))
    if value.kind is Kind.FINITE:
        rounding = round_to_multiple(Fraction(1), mode, value.sign, value.magnitude)
        if rounding.kept < 1 << integer.width:
            signals = {"kept": rounding.kept, "guard": rounding.guard, "sticky": rounding.sticky}
    signals["result"] = convert_to_integer(source, integer, mode, code, convention)
    return signals


# --- scaled elements ----------------------------------------------------------------------------


def decode_scale(code: int) -> Value:
    """The value of an E8M0 code (OCP Microscaling Formats 1.0, section 5.4.1).

    Raises:
        ValueError: if it is no such code.
    """
    if not 0 <= code < 1 << E8M0.width:
        raise ValueError(f"{code:#x} is not a code of {E8M0.name}, which has {E8M0.width} bits")
    return NAN if code == E8M0.nan else Value(Kind.FINITE, 0, power_of_two(code - E8M0.bias))


def convert_from_scale(
    fmt: Format, mode: RoundingMode, policy: OverflowPolicy, code: int, convention: Convention = IEEE
) -> int:
    """The code, in ``fmt``, that a scale rounds to.

    Raises:
        ValueError: if the code is no scale's, or the policy not the format's.
    """
    value = decode_scale(code)
    if value.kind is Kind.NAN:
        return result_nan("convert", fmt, fmt, convention, ())  # no scale is a NaN with a payload
    return round_to(fmt, mode, policy, value, convention)


def convert_to_scale(
    source: Format,
    mode: RoundingMode,
    policy: OverflowPolicy,
    code: int,
    convention: Convention = IEEE,
    element: Format | None = None,
) -> int:
    """The E8M0 code that a number rounds to.

    A power of two is a number of one significand bit, which is odd: ties go up. What is smaller than
    every scale becomes the smallest. What becomes of negative numbers and zeros ``ScaleOperands`` says.

    Args:
        element: if given, the number is the largest magnitude of a block, and the scale is what elements
            of this format share: that of the number divided by the format's largest power of two. Toward
            zero, this is section 6.3 of OCP Microscaling Formats 1.0.

    Raises:
        ValueError: if the code is not one of the source's, or the policy none of E8M0's.
    """
    E8M0.require_policy(policy)
    value = decode(source, flush_operand(source, convention, code))
    positive_alone = convention.scale_operands is ScaleOperands.POSITIVE
    if value.kind is Kind.NAN or (positive_alone and (value.sign or value.is_zero)):
        return E8M0.nan
    infinity = E8M0.largest if policy is OverflowPolicy.SATURATE else E8M0.nan
    if value.kind is Kind.INFINITE:
        return infinity
    divisor = power_of_two(element.maximum_exponent) if element else 1
    rounded = rounded_scale(mode, value.rational / divisor, convention)
    if rounded <= E8M0.largest:
        return max(rounded, 0)
    return infinity if overflows_to_infinity(mode, 0) else E8M0.largest


def rounded_scale(mode: RoundingMode, magnitude: Fraction, convention: Convention) -> int:
    """The code that a magnitude rounds to if codes have no bounds; of zero, 0."""
    if not magnitude:
        return 0
    exponent = floor_log2(magnitude)
    if convention.scale_rounding is ScaleRounding.GRADUAL:
        exponent = max(exponent, 1 - E8M0.bias)
    rounded = round_to_multiple(power_of_two(exponent), mode, 0, magnitude).magnitude
    return floor_log2(rounded) + E8M0.bias if rounded else 0


def mx_exact(operation: str, element: Format, mode: RoundingMode, *pairs: tuple[int, int]) -> Value:
    """The result, before rounding, of one of ``MX_OPERATIONS`` (OCP MX 1.0, sections 5.1 and 6.1).

    Args:
        pairs: for each operand the code of its scale and of its element.

    Raises:
        KeyError: if there is no such operation.
        ValueError: if a code is no scale's or no element's.
    """
    operands = [exact_product(mode, decode_scale(s), decode(element, code)) for s, code in pairs]
    return EXACT_OPERATIONS[MX_OPERATIONS[operation]](mode, *operands)


# --- operations that do not round ---------------------------------------------------------------


def relation(x: Value, y: Value) -> str:
    """``less``, ``equal``, ``greater`` or ``unordered``: exactly one holds (clause 5.11)."""
    if Kind.NAN in (x.kind, y.kind):
        return "unordered"
    first, second = (_extended(v) for v in (x, y))
    return "equal" if first == second else "less" if first < second else "greater"


@lru_cache(1 << 16)
def relation_of_codes(fmt: Format, x: int, y: int) -> str:
    """The same of the values that two codes stand for."""
    return relation(decode(fmt, x), decode(fmt, y))


def _extended(value: Value) -> tuple[int, Fraction]:
    """A key that orders numbers and infinities by value; the two zeros are equal."""
    if value.kind is Kind.INFINITE:
        return (-1 if value.sign else 1, Fraction(0))
    return (0, value.signed)


RELATIONS: dict[str, frozenset[str]] = {
    "equal": frozenset({"equal"}),
    "less": frozenset({"less"}),
    "less_equal": frozenset({"less", "equal"}),
    "unordered": frozenset({"unordered"}),
    "greater": frozenset({"greater"}),
    "greater_equal": frozenset({"greater", "equal"}),
    "not_equal": frozenset({"less", "greater", "unordered"}),
    "not_less": frozenset({"greater", "equal", "unordered"}),
    "not_greater": frozenset({"less", "equal", "unordered"}),
    "less_unordered": frozenset({"less", "unordered"}),
    "greater_unordered": frozenset({"greater", "unordered"}),
    "ordered": frozenset({"less", "equal", "greater"}),
}
"""The comparison predicates by name: the relations of which each holds (clause 5.11, table 5.3)."""


def compare(predicate: str, fmt: Format, x: int, y: int, *, convention: Convention = IEEE) -> int:
    """Whether a comparison predicate holds of two codes: 1 or 0.

    Raises:
        KeyError: if the predicate is not in ``RELATIONS``.
    """
    x, y = (flush_operand(fmt, convention, code) for code in (x, y))
    return int(relation_of_codes(fmt, x, y) in RELATIONS[predicate])


def extremum(operation: str, fmt: Format, x: int, y: int, *, convention: Convention = IEEE) -> int:
    """The smaller or larger of two codes, -0 being less than +0 (clause 9.6).

    Those of ``magnitude`` compare magnitudes first. One NaN makes ``PROPAGATING`` ones NaN; the
    ``number`` variants deliver the other operand. So do ``OF_2008`` unless a NaN is signalling; of zeros
    of unlike signs they may deliver either (IEEE 754-2008 clauses 5.3.1, 6.2). Those of x86 deliver the
    second operand unless the first is smaller, or larger: where one is NaN, or both are zeros, too, and
    NaN as it is (SDM, ``MINSS``, ``MAXSS``).

    Raises:
        ValueError: if a code or the convention is not one of the format's.
    """
    convention.require_possible(fmt)
    x, y = (flush_operand(fmt, convention, code) for code in (x, y))
    order = relation_of_codes(fmt, x, y)
    if operation.startswith("x86"):
        return x if order == ("less" if operation == "x86_minimum" else "greater") else y
    nan_x, nan_y = fmt.is_nan(x), fmt.is_nan(y)
    signalling = is_signalling(fmt, x) or is_signalling(fmt, y)
    one_nan_does = operation in PROPAGATING or (operation in OF_2008 and signalling)
    if (nan_x and nan_y) or (one_nan_does and (nan_x or nan_y)):
        return result_nan(operation, fmt, fmt, convention, (x, y))
    if nan_x or nan_y:
        return y if nan_x else x
    if "magnitude" in operation:
        by_magnitude = relation_of_codes(fmt, *(code & (fmt.sign_mask - 1) for code in (x, y)))
        order = order if by_magnitude == "equal" else by_magnitude
    x_is_less = decode(fmt, x).sign == 1 if order == "equal" else order == "less"
    return x if x_is_less == operation.startswith("min") else y


def extremum_with_flags(
    operation: str, fmt: Format, x: int, y: int, *, convention: Convention = IEEE
) -> tuple[int, int]:
    """The code, and the exceptions that are signalled, in the order of ``FLAGS`` (clauses 6.2, 9.6).

    Invalid, for a signalling NaN operand where the convention has them; of x86, for every NaN (SDM).
    """
    invalid = nan_signals(fmt, convention, x, y)
    if operation.startswith("x86"):
        invalid = fmt.is_nan(x) or fmt.is_nan(y)
    result = extremum(operation, fmt, x, y, convention=convention)
    return result, flags_word({"invalid": invalid})


def nan_signals(fmt: Format, convention: Convention, *codes: int) -> bool:
    """Whether some operand is a NaN that signals invalid (clause 6.2)."""
    signalling = any(is_signalling(fmt, code) for code in codes)
    return convention.nan_operands is NanOperands.SIGNALLING and signalling


SIGN_OPERATIONS = ("negate", "absolute", "copy_sign")
"""The operations of clause 5.5.1: they touch the sign bit alone, even of a NaN."""


def change_sign(operation: str, fmt: Format, x: int, y: int = 0) -> int:
    """x with its sign inverted, cleared, or replaced by that of y (clause 5.5.1).

    Where there is no negative zero, the code without magnitude bits stays as it is: zero, or the NaN
    that stands in its place.
    """
    magnitude_code = x & (fmt.sign_mask - 1)
    if magnitude_code == 0 and not fmt.has_negative_zero:
        return x
    sign = {"negate": ~x, "absolute": 0, "copy_sign": y}[operation] & fmt.sign_mask
    return sign | magnitude_code


# --- what a datapath should show ----------------------------------------------------------------


def trace(
    operation: str,
    fmt: Format,
    mode: Mode,
    policy: OverflowPolicy,
    *codes: int,
    source: Source | None = None,
    convention: Convention = IEEE,
) -> dict[str, int]:
    """What the definition implies for the signals of a datapath, in the order they arise.

    Keys are the probe names of ``circuits.units.floating_point``. An operation with a NaN or infinite
    result has no finite datapath to compare: its trace is the result alone.
    """
    forms = operand_formats(source or fmt, len(codes))
    operands = list(map(decode, forms, _flushed(forms, convention, codes)))
    exact = EXACT_OPERATIONS[operation](mode, *operands)
    signals: dict[str, int] = {}
    if exact.kind is Kind.FINITE:
        for name, form, operand in zip(OPERANDS, forms, operands, strict=False):
            if operand.kind is Kind.FINITE:
                significand = operand.rational / quantum(form, operand.rational)
                signals[f"{name}_significand"] = int(significand)
        if operation in ("multiply", "fma"):
            signals["product"] = signals["x_significand"] * signals["y_significand"]
    signals |= rounding_trace(fmt, mode, policy, exact)
    signals["result"] = compute(
        operation, fmt, mode, policy, *codes, source=source, convention=convention
    )
    return signals


def rounding_trace(fmt: Format, mode: Mode, policy: OverflowPolicy, exact: Value) -> dict[str, int]:
    """The part of a trace that follows from the result before rounding."""
    signals: dict[str, int] = {}
    if exact.kind is Kind.FINITE:
        rounding = round_magnitude(fmt, mode, exact.sign, exact.magnitude)
        signals["sign"] = exact.sign
        signals["kept"] = rounding.kept
        signals["guard"] = rounding.guard
        signals["sticky"] = rounding.sticky
        signals["rounded"] = encode_magnitude(fmt, rounding.magnitude)
    signals["result"] = round_to(fmt, mode, policy, exact)
    return signals
