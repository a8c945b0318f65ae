"""The spec of record: IEEE 754 arithmetic on exact rationals, in plain Python.

Every operation has two steps, as the standard words it (IEEE 754-2019 clause 4.3): the result as if
computed with unbounded range and precision, then one rounding of it. Nothing here is meant to be
fast; everything is meant to be read beside the standard.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction

from specs.formats import Format, OverflowPolicy, RoundingMode

HALF = Fraction(1, 2)


class Kind(Enum):
    """Whether a value is a number, an infinity, or not a number."""

    FINITE = "finite"
    INFINITE = "infinite"
    NAN = "nan"


@dataclass(frozen=True)
class Value:
    """What a code stands for, or what an operation yields before rounding.

    ``sign`` is 1 for negative, and is significant for zeros and infinities; ``magnitude`` is
    non-negative, and meaningful for finite values only.
    """

    kind: Kind
    sign: int = 0
    magnitude: Fraction = Fraction(0)

    @property
    def is_zero(self) -> bool:
        """Whether it is a zero, of either sign."""
        return self.kind is Kind.FINITE and self.magnitude == 0

    @property
    def signed(self) -> Fraction:
        """The rational number that a finite value is."""
        return -self.magnitude if self.sign else self.magnitude


NAN = Value(Kind.NAN)


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


def floor_log2(magnitude: Fraction) -> int:
    """The e with 2^e <= magnitude < 2^(e+1), for a positive magnitude."""
    e = magnitude.numerator.bit_length() - magnitude.denominator.bit_length()
    return e if power_of_two(e) <= magnitude else e - 1


def quantum(fmt: Format, magnitude: Fraction) -> Fraction:
    """Distance between neighbouring representable numbers around a magnitude.

    As if the exponent had no upper bound (clause 4.3.1): the numbers representable there are
    exactly the integer multiples of this distance.
    """
    exponent = fmt.minimum_exponent
    if magnitude:
        exponent = max(exponent, floor_log2(magnitude))
    return power_of_two(exponent - fmt.fraction_bits)


@dataclass(frozen=True)
class Rounding:
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


def round_magnitude(fmt: Format, mode: RoundingMode, sign: int, magnitude: Fraction) -> Rounding:
    """Round to the representable magnitude the mode names, the exponent unbounded above.

    One line a mode: clause 4.3.1 (nearest), 4.3.2 (directed); to odd, see ``RoundingMode``.
    """
    step = quantum(fmt, magnitude)
    kept, remainder = divmod(magnitude / step, 1)
    odd = kept % 2 == 1
    inexact = remainder != 0
    rounds_up = {
        RoundingMode.NEAREST_EVEN: remainder > HALF or (remainder == HALF and odd),
        RoundingMode.NEAREST_AWAY: remainder >= HALF,
        RoundingMode.TOWARD_ZERO: False,
        RoundingMode.UP: inexact and not sign,
        RoundingMode.DOWN: inexact and bool(sign),
        RoundingMode.TO_ODD: inexact and not odd,
    }[mode]
    guard = int(remainder >= HALF)
    sticky = int(remainder not in (0, HALF))
    return Rounding(step, int(kept), guard, sticky, rounds_up)


def overflows_to_infinity(mode: RoundingMode, sign: int) -> bool:
    """Whether an overflow goes to infinity, or stays at the largest finite number (clause 7.4)."""
    return {
        RoundingMode.NEAREST_EVEN: True,
        RoundingMode.NEAREST_AWAY: True,
        RoundingMode.TOWARD_ZERO: False,
        RoundingMode.UP: not sign,
        RoundingMode.DOWN: bool(sign),
        RoundingMode.TO_ODD: False,
    }[mode]


def encode_magnitude(fmt: Format, magnitude: Fraction) -> int:
    """Magnitude code of a representable number, the exponent field unbounded above."""
    step = quantum(fmt, magnitude)
    multiple = magnitude / step
    if multiple < 1 << fmt.fraction_bits:
        return int(multiple)
    exponent_field = floor_log2(magnitude) + fmt.bias
    return (exponent_field << fmt.fraction_bits) + int(multiple) - (1 << fmt.fraction_bits)


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


def round_to(fmt: Format, mode: RoundingMode, policy: OverflowPolicy, value: Value) -> int:
    """The code that a value rounds to (clauses 4.3, 6.1, 7.4).

    Raises:
        ValueError: if the format cannot express the policy.
    """
    fmt.require_policy(policy)
    if value.kind is Kind.NAN:
        return deliver_nan(fmt)
    if value.kind is Kind.INFINITE:
        return deliver_infinity(fmt, policy, value.sign)
    rounded = round_magnitude(fmt, mode, value.sign, value.magnitude).magnitude
    if rounded <= decode(fmt, fmt.largest_finite).magnitude:
        return with_sign(fmt, value.sign, encode_magnitude(fmt, rounded))
    if overflows_to_infinity(mode, value.sign):
        return deliver_infinity(fmt, policy, value.sign)
    return with_sign(fmt, value.sign, fmt.largest_finite)


# --- operations, before rounding ----------------------------------------------------------------


def exact_sum(mode: RoundingMode, x: Value, y: Value) -> Value:
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


def exact_difference(mode: RoundingMode, x: Value, y: Value) -> Value:
    """x - y, which is x + (-y) (clause 5.4.1)."""
    return exact_sum(mode, x, Value(y.kind, 1 - y.sign, y.magnitude))


def exact_product(mode: RoundingMode, x: Value, y: Value) -> Value:
    """x * y (clause 5.4.1); the mode plays no part in it."""
    if Kind.NAN in (x.kind, y.kind):
        return NAN
    sign = x.sign ^ y.sign
    if Kind.INFINITE in (x.kind, y.kind):
        return NAN if x.is_zero or y.is_zero else Value(Kind.INFINITE, sign)
    return Value(Kind.FINITE, sign, x.magnitude * y.magnitude)


EXACT_OPERATIONS: dict[str, Callable[[RoundingMode, Value, Value], Value]] = {
    "add": exact_sum,
    "subtract": exact_difference,
    "multiply": exact_product,
}
"""The binary operations by name, each as its result before rounding."""


# --- operations on codes ------------------------------------------------------------------------


def compute(
    operation: str, fmt: Format, mode: RoundingMode, policy: OverflowPolicy, x: int, y: int
) -> int:
    """The result code of a binary operation on two codes of one format.

    Raises:
        KeyError: if the operation is not in ``EXACT_OPERATIONS``.
        ValueError: if a code or the policy is not one of the format's.
    """
    exact = EXACT_OPERATIONS[operation](mode, decode(fmt, x), decode(fmt, y))
    return round_to(fmt, mode, policy, exact)


def convert(source: Format, target: Format, mode: RoundingMode, policy: OverflowPolicy, x: int) -> int:
    """The code in ``target`` that the code ``x`` of ``source`` converts to (clause 5.4.2).

    Raises:
        ValueError: if the code is not one of the source's or the policy not one of the target's.
    """
    return round_to(target, mode, policy, decode(source, x))


# --- operations that do not round ---------------------------------------------------------------


def relation(x: Value, y: Value) -> str:
    """``less``, ``equal``, ``greater`` or ``unordered``: exactly one holds (clause 5.11)."""
    if Kind.NAN in (x.kind, y.kind):
        return "unordered"
    first, second = (_extended(v) for v in (x, y))
    return "equal" if first == second else "less" if first < second else "greater"


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
}
"""The comparison predicates by name: the relations of which each holds (clause 5.11, table 5.3)."""


def compare(predicate: str, fmt: Format, x: int, y: int) -> int:
    """Whether a comparison predicate holds of two codes: 1 or 0.

    Raises:
        KeyError: if the predicate is not in ``RELATIONS``.
    """
    return int(relation(decode(fmt, x), decode(fmt, y)) in RELATIONS[predicate])


EXTREMA = ("minimum", "maximum", "minimum_number", "maximum_number")
"""The operations of IEEE 754-2019 clause 9.6."""


def extremum(operation: str, fmt: Format, x: int, y: int) -> int:
    """The smaller or larger of two codes, -0 being less than +0 (clause 9.6).

    One NaN makes ``minimum`` and ``maximum`` NaN; the ``number`` variants deliver the other operand.
    """
    nan_x, nan_y = fmt.is_nan(x), fmt.is_nan(y)
    if nan_x or nan_y:
        if (nan_x and nan_y) or not operation.endswith("number"):
            return fmt.canonical_nan
        return y if nan_x else x
    order = relation(decode(fmt, x), decode(fmt, y))
    x_is_less = decode(fmt, x).sign == 1 if order == "equal" else order == "less"
    return x if x_is_less == operation.startswith("minimum") else y


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
    operation: str, fmt: Format, mode: RoundingMode, policy: OverflowPolicy, x: int, y: int
) -> dict[str, int]:
    """What the definition implies for the signals of a datapath, in the order they arise.

    Keys are the probe names of ``circuits.floating_point``. An operation with a NaN or infinite
    result has no finite datapath to compare: its trace is the result alone.
    """
    left, right = decode(fmt, x), decode(fmt, y)
    exact = EXACT_OPERATIONS[operation](mode, left, right)
    signals: dict[str, int] = {}
    if exact.kind is Kind.FINITE:
        for name, operand in (("x_significand", left), ("y_significand", right)):
            signals[name] = int(operand.magnitude / quantum(fmt, operand.magnitude))
        if operation == "multiply":
            signals["product"] = signals["x_significand"] * signals["y_significand"]
        rounding = round_magnitude(fmt, mode, exact.sign, exact.magnitude)
        signals["sign"] = exact.sign
        signals["kept"] = rounding.kept
        signals["guard"] = rounding.guard
        signals["sticky"] = rounding.sticky
        signals["rounded"] = encode_magnitude(fmt, rounding.magnitude)
    signals["result"] = round_to(fmt, mode, policy, exact)
    return signals
