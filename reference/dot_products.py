"""Dot products in integers, operands decoded and results rounded by others: an independent oracle.

Factors are NumPy's and ml_dtypes' numbers; terms are whole multiples of a power of two that is small
enough for all of them, and are cut by shifting those; sums are rounded by gfloat.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import gfloat
import gfloat.formats
import ml_dtypes
import numpy as np

from spikeproof.reference.oracles import Gfloat
from spikeproof.specs.formats import AnyFormat, Format, RoundingMode

KINDS: dict[str, Any] = {
    "fp4_e2m1": ml_dtypes.float4_e2m1fn,
    "fp6_e2m3": ml_dtypes.float6_e2m3fn,
    "fp6_e3m2": ml_dtypes.float6_e3m2fn,
    "fp8_e4m3fn": ml_dtypes.float8_e4m3fn,
    "fp8_e5m2": ml_dtypes.float8_e5m2,
    "bfloat16": ml_dtypes.bfloat16,
    "fp16": np.float16,
    "e8m0": ml_dtypes.float8_e8m0fnu,
    **dict.fromkeys(("fp32", "tf32", "e8m13"), np.float32),
}
"""NumPy's types, by format."""

LAST_PLACES = {"tf32": 13, "e8m13": 10}
"""Formats that are FP32 without so many last places."""

RESULTS = {
    "fp8_e4m3fn": gfloat.formats.format_info_ocp_e4m3,
    "fp8_e5m2": gfloat.formats.format_info_ocp_e5m2,
    "fp16": gfloat.formats.format_info_binary16,
    "bfloat16": gfloat.formats.format_info_bfloat16,
    **dict.fromkeys(("fp32", "e8m13"), gfloat.formats.format_info_binary32),
}
"""gfloat's formats of results, by ours."""


def value(fmt: AnyFormat, code: int) -> float:
    """The number that a code stands for, as a double."""
    kind = KINDS[fmt.name]
    stored = code << LAST_PLACES.get(fmt.name, 0)
    return float(np.array([stored], dtype=f"uint{8 * np.dtype(kind).itemsize}").view(kind)[0])


def least_exponent(fmt: AnyFormat) -> int:
    """Of normal numbers, by ml_dtypes."""
    return round(math.log2(float(_info(fmt).smallest_normal)))


def _info(fmt: AnyFormat) -> Any:
    return ml_dtypes.finfo(KINDS[fmt.name])  # type: ignore[no-untyped-call]


def dot_product(
    fmt: Format,
    mode: RoundingMode,
    terms: Sequence[Sequence[tuple[AnyFormat, int]]],
    places: int | None,
    *,
    zero_exponent: Callable[[int], int | None] = lambda nominal: None,
    floor: bool = False,
    to_infinity: bool = False,
) -> int | None:
    """The code of the sum of products of codes; None if it is no number.

    Args:
        terms: the factors of each product, scales among them, and an addend as one of one factor.
        places: how many are kept below the largest exponent, or None for all.
        zero_exponent: what a zero counts as in the largest exponent, from its own; None for nothing.
        floor: whether terms are cut with their signs.
        to_infinity: whether what overflows in rounding toward zero goes to infinity.
    """
    factors = [[(value(*each), least_exponent(each[0])) for each in term] for term in terms]
    products = [math.prod(number for number, _ in term) for term in factors]
    special = sum(each for each in products if not math.isfinite(each))
    if special or math.isnan(special):
        return None if math.isnan(special) else _code(fmt, mode, special)
    exponents: list[int | None] = [
        sum(max(math.frexp(number)[1] - 1, least) if number else least for number, least in term)
        for term in factors
    ]
    integers = [math.prod(_multiple(number) for number, _ in term) for term in factors]
    units = [UNIT * len(term) for term in factors]
    finest = max(units)
    integers = [i << finest - unit for i, unit in zip(integers, units, strict=True)]
    counting = [e if i else zero_exponent(e or 0) for i, e in zip(integers, exponents, strict=True)]
    known = [e for e in counting if e is not None]
    if places is not None and known:
        lost = finest + max(known) - places
        if lost > 0:
            integers = [
                i >> lost << lost if floor or i >= 0 else -(-i >> lost << lost) for i in integers
            ]
    number = _shortened(sum(integers), finest)
    least_beyond = math.ldexp(1, math.frexp(float(_info(fmt).max))[1])
    if to_infinity and abs(number) >= least_beyond:
        number = math.copysign(math.inf, number)
    return _code(fmt, mode, number)


UNIT = 160
"""Every number of these formats is a whole multiple of 2^-UNIT."""


def _multiple(number: float) -> int:
    numerator, denominator = number.as_integer_ratio()
    return (numerator << UNIT) // denominator


def _shortened(total: int, unit: int) -> float:
    """A multiple of 2^-unit as a double: of more bits than that has, the last stands for the rest."""
    beyond = abs(total).bit_length() - 52
    if beyond <= 0:
        return math.ldexp(total, -unit)
    head = abs(total) >> beyond << 1 | bool(abs(total) & (1 << beyond) - 1)
    return math.copysign(math.ldexp(head, beyond - 1 - unit), total)


def _code(fmt: Format, mode: RoundingMode, number: float) -> int:
    """What a number rounds to; of a format without last places, toward zero alone."""
    info, last_places = RESULTS[fmt.name], LAST_PLACES.get(fmt.name, 0)
    assert not last_places or mode is RoundingMode.TOWARD_ZERO
    rounded = gfloat.round_float(info, number, Gfloat.modes[mode])
    return int(gfloat.encode_float(info, rounded)) >> last_places
