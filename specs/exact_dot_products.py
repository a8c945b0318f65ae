"""The spec of record of dot products (``specs.dot_products``): on rationals, as they are defined."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import partial, reduce
from math import floor, trunc

from spikeproof.specs import exact
from spikeproof.specs.conventions import IEEE, Convention
from spikeproof.specs.dot_products import DotProduct, Overflow, Truncation, ZeroSign, ZeroTerms
from spikeproof.specs.exact import NAN, Kind, Value, power_of_two
from spikeproof.specs.formats import Format, OverflowPolicy, RoundingMode


def nominal_exponent(fmt: Format, value: Value) -> int:
    """The exponent of a finite number's first bit, or of the least normal number if that is more."""
    if value.is_zero:
        return fmt.minimum_exponent
    return max(fmt.minimum_exponent, exact.floor_log2(value.magnitude))


def exact_sum(
    dot: DotProduct,
    mode: RoundingMode,
    formats: Sequence[Format],
    codes: Sequence[int],
    scales: Sequence[int] = (),
) -> Value:
    """The sum of a dot product, before it is rounded.

    Args:
        formats, codes: of each operand, in the order of ``DotProduct.operands``.
        scales: codes of E8M0, in the order of ``DotProduct.scales``.
    """
    values = [exact.decode(fmt, code) for fmt, code in zip(formats, codes, strict=True)]
    of_blocks = [exact.decode_scale(code) for code in scales]
    terms = [
        reduce(partial(exact.exact_product, mode), (*group, *(of_blocks if len(group) > 1 else ())))
        for group in dot.by_term(values)
    ]
    infinite = {term.sign for term in terms if term.kind is Kind.INFINITE}
    if any(term.kind is Kind.NAN for term in terms) or len(infinite) > 1:
        return NAN
    if infinite:
        return Value(Kind.INFINITE, infinite.pop())
    numbers = [term.signed for term in terms]
    if dot.places is not None:
        exponents = [nominal_exponent(*operand) for operand in zip(formats, values, strict=True)]
        scale = sum(exact.floor_log2(each.magnitude) for each in of_blocks)
        nominal = [sum(group) + scale * (len(group) > 1) for group in dot.by_term(exponents)]
        numbers = truncated(dot, numbers, nominal)
    total = sum(numbers, Fraction(0))
    if total:
        return Value(Kind.FINITE, int(total < 0), abs(total))
    return Value(Kind.FINITE, _sign_of_zero(dot, mode, terms))


def truncated(dot: DotProduct, numbers: Sequence[Fraction], exponents: Sequence[int]) -> list[Fraction]:
    """Terms without what lies more than ``dot.places`` places below the largest exponent."""
    assert dot.places is not None
    counting = []
    for number, exponent in zip(numbers, exponents, strict=True):
        if number or dot.zeros is ZeroTerms.COUNTED:
            counting.append(exponent)
        elif isinstance(dot.zeros, int):
            counting.append(dot.zeros)
    if not counting:
        return list(numbers)
    unit = power_of_two(max(counting) - dot.places)
    whole = floor if dot.truncation is Truncation.FLOOR else trunc
    return [whole(number / unit) * unit for number in numbers]


def _sign_of_zero(dot: DotProduct, mode: RoundingMode, terms: Sequence[Value]) -> int:
    if dot.zero_sign is ZeroSign.POSITIVE:
        return 0
    signs = {term.sign for term in terms}
    return signs.pop() if len(signs) == 1 else int(mode is RoundingMode.DOWN)


def compute(
    dot: DotProduct,
    fmt: Format,
    mode: RoundingMode,
    policy: OverflowPolicy,
    formats: Sequence[Format],
    codes: Sequence[int],
    convention: Convention = IEEE,
    scales: Sequence[int] = (),
) -> int:
    """The result code, in ``fmt``.

    Raises:
        ValueError: if a code, the policy or the convention is not one of its format's.
    """
    fmt.require_policy(policy)
    convention.require_possible(fmt, *formats)
    value = exact_sum(dot, mode, formats, codes, scales)
    if value.kind is Kind.NAN:
        return exact.result_nan(dot.operation, fmt, tuple(formats), convention, tuple(codes))
    if dot.overflow is Overflow.INFINITE and overflows(fmt, mode, value):
        value = Value(Kind.INFINITE, value.sign)
    return exact.round_to(fmt, mode, policy, value)


def overflows(fmt: Format, mode: RoundingMode, value: Value) -> bool:
    """Whether a finite value rounds to more than the largest number, as if there were larger ones."""
    if value.kind is not Kind.FINITE:
        return False
    rounded = exact.round_magnitude(fmt, mode, value.sign, value.magnitude).magnitude
    return rounded > exact.decode(fmt, fmt.largest_finite).rational


def trace(
    dot: DotProduct,
    fmt: Format,
    mode: RoundingMode,
    policy: OverflowPolicy,
    formats: Sequence[Format],
    codes: Sequence[int],
    convention: Convention = IEEE,
    scales: Sequence[int] = (),
) -> dict[str, int]:
    """What the definition implies for signals of a datapath: those of rounding, and the result."""
    signals = exact.rounding_trace(fmt, mode, policy, exact_sum(dot, mode, formats, codes, scales))
    signals["result"] = compute(dot, fmt, mode, policy, formats, codes, convention, scales)
    return signals
