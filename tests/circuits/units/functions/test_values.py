"""Tables of functions against mpmath and the spec's rounding, against float64, and clause 9.2.1."""

import math
import random
from fractions import Fraction
from functools import lru_cache

import mpmath
import numpy as np
import pytest

from spikeproof.circuits.units.functions.values import FUNCTIONS, results
from spikeproof.specs.conventions import (
    BUNDLES,
    IEEE,
    Convention,
    FlushedSign,
    SubnormalResults,
    convention_named,
)
from spikeproof.specs.exact import Kind, Value, decode, flush_operand, round_to
from spikeproof.specs.formats import (
    BFLOAT16,
    FP4_E2M1,
    FP8_E4M3FN,
    FP8_E4M3FNUZ,
    FP8_E5M2,
    FP16,
    FP32,
    OverflowPolicy,
    RoundingMode,
    ieee_format,
)
from tests.support.float64 import FLOAT64, certain, rounded_to_fp16
from tests.support.profile import NIGHTLY

RNE, UP, DOWN = RoundingMode.NEAREST_EVEN, RoundingMode.UP, RoundingMode.DOWN
ZERO, ODD = RoundingMode.TOWARD_ZERO, RoundingMode.TO_ODD

ORACLES = {
    "exp": mpmath.exp,
    "exp2": lambda x: mpmath.power(2, x),
    "expm1": mpmath.expm1,
    "log": mpmath.log,
    "log2": lambda x: mpmath.log(x) / mpmath.log(2),
    "log1p": mpmath.log1p,
    "reciprocal": lambda x: 1 / x,
    "rsqrt": lambda x: 1 / mpmath.sqrt(x),
    "sin": mpmath.sin,
    "cos": mpmath.cos,
    "sin_pi": mpmath.sinpi,
    "cos_pi": mpmath.cospi,
    "tanh": mpmath.tanh,
    "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
    "softplus": lambda x: mpmath.log1p(mpmath.exp(x)),
    "erf": mpmath.erf,
    "silu": lambda x: x / (1 + mpmath.exp(-x)),
    "gelu": lambda x: x * mpmath.ncdf(x),
    "gelu_tanh": lambda x: (
        x / 2 * (1 + mpmath.tanh(mpmath.sqrt(2 / mpmath.pi) * (x + mpmath.mpf(44715) / 10**6 * x**3)))
    ),
}

BITS = 1200
"""Of the oracle; what all but the last hundred bits cannot tell from a short number is one."""

NEAR = {**dict.fromkeys(ORACLES, 256), **dict.fromkeys(("erf", "gelu", "gelu_tanh"), 20)}
"""Beyond it, so many bits would not tell a function from its limit."""


def as_fraction(value) -> Fraction:
    sign, mantissa, exponent, _ = value._mpf_
    return Fraction(int(mantissa)) * Fraction(2) ** exponent * (-1) ** sign


@lru_cache(1 << 12)
def by_mpmath(function: str, x: Fraction) -> Fraction | None:
    """The value, but for what the last hundred bits tell; None where there is no number."""
    with mpmath.workprec(BITS):
        try:
            found = ORACLES[function](mpmath.mpf(x.numerator) / x.denominator)
        except (ValueError, ZeroDivisionError):
            return None
    if not isinstance(found, mpmath.mpf) or not mpmath.isfinite(found):
        return None
    with mpmath.workprec(BITS - 100):
        return as_fraction(+found)


def expected(function: str, fmt, mode, policy, code: int, convention: Convention = IEEE) -> int | None:
    """The code that the spec rounds mpmath's value to; None for special values and beyond ``NEAR``."""
    operand = decode(fmt, flush_operand(fmt, convention, code))
    if operand.kind is not Kind.FINITE or operand.is_zero or operand.magnitude > NEAR[function]:
        return None
    found = by_mpmath(function, operand.signed)
    if not found:
        return None
    return round_to(fmt, mode, policy, Value(Kind.FINITE, int(found < 0), abs(found)), convention)


def check(function: str, fmt, mode, policy, codes, convention: Convention = IEEE) -> int:
    found = results(function, fmt, mode, policy, convention)
    compared = 0
    for code in codes:
        wanted = expected(function, fmt, mode, policy, code, convention)
        if wanted is not None:
            assert found[code] == wanted, f"{function} of {code:#x}"
            compared += 1
    return compared


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("fmt", [FP16, BFLOAT16], ids=lambda fmt: fmt.name)
def test_sampled_by_mpmath(function, fmt):
    draw, compared = random.Random(f"{function} {fmt.name}"), 0
    for mode in RoundingMode:
        codes = draw.sample(range(1 << fmt.width), 30 if NIGHTLY else 10)
        compared += check(function, fmt, mode, OverflowPolicy.IEEE, codes)
    assert compared > len(RoundingMode)


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize(
    ("fmt", "policy"),
    [
        (FP8_E4M3FN, OverflowPolicy.SATURATE),
        (FP8_E5M2, OverflowPolicy.IEEE),
        (FP8_E4M3FNUZ, OverflowPolicy.NAN),
        (FP4_E2M1, OverflowPolicy.SATURATE),
    ],
)
def test_every_code_of_small_formats(function, fmt, policy):
    """The mode is drawn: all of them for all of this would take long."""
    for mode in random.Random(f"{function} {fmt.name}").sample(list(RoundingMode), 2):
        assert check(function, fmt, mode, policy, range(1 << fmt.width)) > 3


@pytest.mark.parametrize("mode", RoundingMode)
@pytest.mark.parametrize("chosen", SubnormalResults)
@pytest.mark.parametrize("sign", FlushedSign)
@pytest.mark.parametrize("function", ["silu", "sin"])
def test_flushing(function, mode, chosen, sign):
    fmt = ieee_format(3, 3)
    convention = Convention(subnormal_results=chosen, flushed_sign=sign)
    assert check(function, fmt, mode, OverflowPolicy.IEEE, range(1 << fmt.width), convention) > 20


@pytest.mark.parametrize("name", BUNDLES)
def test_conventions(name):
    assert check("exp", FP8_E5M2, RNE, OverflowPolicy.IEEE, range(256), BUNDLES[name]) > 20
    nan = results("exp", FP8_E5M2, RNE, OverflowPolicy.IEEE, BUNDLES[name])[0xFD]
    assert nan == {"arm": 0xFF, "x86_sse": 0xFF, "cuda": 0x7F}.get(name, 0x7E)


@pytest.mark.parametrize("function", FLOAT64)
def test_all_of_fp16_by_float64(function):
    """But where float64 cannot tell: near a number of FP16, or midway between two."""
    codes = np.arange(1 << 16)
    with np.errstate(all="ignore"):
        value = FLOAT64[function](codes.astype(np.uint16).view(np.float16).astype(np.float64))
    sure = certain(value)
    assert sure.sum() > 4000
    for mode in RoundingMode:
        found = results(function, FP16, mode, OverflowPolicy.IEEE)
        assert np.array_equal(found[sure], rounded_to_fp16(value[sure], mode))


INF, NAN, ONE = 0x7C00, 0x7E00, 0x3C00
SIGN = 0x8000


@pytest.mark.parametrize(
    ("function", "of_zero", "of_negative_zero", "of_infinity", "of_negative_infinity"),
    [
        ("exp", ONE, ONE, INF, 0),
        ("exp2", ONE, ONE, INF, 0),
        ("expm1", 0, SIGN, INF, SIGN | ONE),
        ("log", SIGN | INF, SIGN | INF, INF, NAN),
        ("log2", SIGN | INF, SIGN | INF, INF, NAN),
        ("log1p", 0, SIGN, INF, NAN),
        ("reciprocal", INF, SIGN | INF, 0, SIGN),
        ("rsqrt", INF, SIGN | INF, 0, NAN),
        ("sin", 0, SIGN, NAN, NAN),
        ("cos", ONE, ONE, NAN, NAN),
        ("sin_pi", 0, SIGN, NAN, NAN),
        ("cos_pi", ONE, ONE, NAN, NAN),
        ("tanh", 0, SIGN, ONE, SIGN | ONE),
        ("sigmoid", 0x3800, 0x3800, ONE, 0),
        ("softplus", 0x398C, 0x398C, INF, 0),
        ("erf", 0, SIGN, ONE, SIGN | ONE),
        ("silu", 0, SIGN, INF, SIGN),
        ("gelu", 0, SIGN, INF, SIGN),
        ("gelu_tanh", 0, SIGN, INF, SIGN),
    ],
)
def test_special_values(function, of_zero, of_negative_zero, of_infinity, of_negative_infinity):
    """IEEE 754-2019 clause 9.2.1 and table 9.1."""
    found = results(function, FP16, RNE, OverflowPolicy.IEEE)
    codes = [0, SIGN, INF, SIGN | INF]
    assert found[codes].tolist() == [of_zero, of_negative_zero, of_infinity, of_negative_infinity]
    assert set(found[INF + 1 : SIGN]) == set(found[SIGN + INF + 1 :]) == {NAN}


@pytest.mark.parametrize(
    ("function", "mode", "x", "wanted"),
    [
        ("sin_pi", UP, -1.0, -0.0),
        ("sin_pi", DOWN, 2.0, 0.0),
        ("sin_pi", RNE, 1.5, -1.0),
        ("cos_pi", DOWN, -0.5, 0.0),
        ("cos_pi", RNE, 1.0, -1.0),
        ("cos_pi", ZERO, 2.0**-24, 1 - 2.0**-11),
        ("log", DOWN, 1.0, 0.0),
        ("log2", UP, 8.0, 3.0),
        ("log1p", RNE, -1.0, -math.inf),
        ("log1p", RNE, -2.0, math.nan),
        ("exp2", UP, -3.0, 0.125),
        ("rsqrt", UP, 0.25, 2.0),
        ("sigmoid", ZERO, 65504.0, 1 - 2.0**-11),
        ("sigmoid", UP, 65504.0, 1.0),
        ("sigmoid", UP, -65504.0, 2.0**-24),
        ("tanh", ZERO, 65504.0, 1 - 2.0**-11),
        ("softplus", UP, 60000.0, 60032.0),
        ("softplus", UP, -65504.0, 2.0**-24),
        ("silu", ZERO, 65504.0, 65472.0),
        ("silu", ODD, -65504.0, -(2.0**-24)),
        ("gelu", RNE, 65504.0, 65504.0),
        ("gelu", DOWN, 65504.0, 65472.0),
        ("gelu", UP, -65504.0, -0.0),
        ("gelu_tanh", DOWN, -65504.0, -(2.0**-24)),
        ("exp", ZERO, 65504.0, 65504.0),
        ("exp", RNE, -65504.0, 0.0),
    ],
)
def test_exact_cases_and_tails(function, mode, x, wanted):
    code = int(np.array(x, np.float16).view(np.uint16))
    found = results(function, FP16, mode, OverflowPolicy.IEEE)[code]
    value = np.array(found, np.uint16).view(np.float16).item()
    assert str(value) == str(wanted)


def test_what_stands_for_infinity_and_nan():
    least, most = 0, FP8_E4M3FN.largest_finite
    for policy, wanted in ((OverflowPolicy.SATURATE, most), (OverflowPolicy.NAN, 0x7F)):
        assert results("reciprocal", FP8_E4M3FN, RNE, policy)[least] == wanted
    assert results("log", FP4_E2M1, RNE, OverflowPolicy.SATURATE).tolist()[8:] == [15] + [7] * 7


def test_what_is_refused():
    with pytest.raises(ValueError, match="functions are of formats of up to 16 bits; fp32 has 32"):
        results("exp", FP32, RNE, OverflowPolicy.IEEE)
    with pytest.raises(ValueError, match="has no policy 'ieee'"):
        results("exp", FP8_E4M3FN, RNE, OverflowPolicy.IEEE)


def test_subnormal_operands_are_zero_of_the_sign_that_is_said():
    daz, unsigned = (convention_named(words) for words in ("daz", "daz.unsigned_flush"))
    for convention, wanted in ((daz, SIGN | INF), (unsigned, INF)):
        assert results("reciprocal", FP16, RNE, OverflowPolicy.IEEE, convention)[SIGN | 1] == wanted
