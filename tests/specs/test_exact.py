"""The spec of record against definitions spelled out once more, and facts from the standards."""

from bisect import bisect_left, bisect_right
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikeproof.specs import exact
from spikeproof.specs.exact import Kind, Value
from spikeproof.specs.formats import (
    FORMATS,
    FP8_E4M3FN,
    FP8_E5M2,
    FP16,
    SMALL_FORMATS,
    OverflowPolicy,
    RoundingMode,
)

small_formats = st.sampled_from(SMALL_FORMATS)
modes = st.sampled_from(RoundingMode)


def finite_magnitudes(fmt):
    """Every representable magnitude, ascending: index is magnitude code."""
    return [exact.decode(fmt, code).magnitude for code in range(fmt.largest_finite + 1)]


# Largest finite, smallest normal and smallest subnormal, from the tables of OCP FP8 1.0,
# OCP MX 1.0, arXiv 2206.02915 and IEEE 754-2019.
LANDMARKS = {
    "fp8_e4m3fn": (448, Fraction(1, 2**6), Fraction(1, 2**9)),
    "fp8_e5m2": (57344, Fraction(1, 2**14), Fraction(1, 2**16)),
    "fp8_e4m3fnuz": (240, Fraction(1, 2**7), Fraction(1, 2**10)),
    "fp8_e5m2fnuz": (57344, Fraction(1, 2**15), Fraction(1, 2**17)),
    "fp6_e2m3": (Fraction(15, 2), 1, Fraction(1, 8)),
    "fp6_e3m2": (28, Fraction(1, 4), Fraction(1, 16)),
    "fp4_e2m1": (6, 1, Fraction(1, 2)),
    "bfloat16": (255 * 2**120, Fraction(1, 2**126), Fraction(1, 2**133)),
    "fp16": (65504, Fraction(1, 2**14), Fraction(1, 2**24)),
    "tf32": (2047 * 2**117, Fraction(1, 2**126), Fraction(1, 2**136)),
    "fp32": ((2**24 - 1) * 2**104, Fraction(1, 2**126), Fraction(1, 2**149)),
    "fp64": ((2**53 - 1) * 2**971, Fraction(1, 2**1022), Fraction(1, 2**1074)),
}


@pytest.mark.parametrize("name", FORMATS)
def test_landmark_values(name):
    fmt = FORMATS[name]
    codes = (fmt.largest_finite, 1 << fmt.fraction_bits, 1)
    assert tuple(exact.decode(fmt, code).magnitude for code in codes) == LANDMARKS[name]


def test_every_named_format_has_landmarks():
    assert LANDMARKS.keys() == FORMATS.keys()


@pytest.mark.parametrize("fmt", SMALL_FORMATS, ids=lambda fmt: fmt.name)
def test_every_finite_code_rounds_to_itself(fmt):
    for code in range(1 << fmt.width):
        value = exact.decode(fmt, code)
        if value.kind is Kind.FINITE:
            for mode in RoundingMode:
                for policy in fmt.policies:
                    assert exact.round_to(fmt, mode, policy, value) == code


@pytest.mark.parametrize("fmt", SMALL_FORMATS, ids=lambda fmt: fmt.name)
def test_codes_that_are_not_finite(fmt):
    kinds = [exact.decode(fmt, code).kind for code in range(1 << fmt.width)]
    expected_nans = {"ieee": 2 * ((1 << fmt.fraction_bits) - 1), "fn": 2, "fnuz": 1, "finite": 0}
    assert kinds.count(Kind.NAN) == expected_nans[fmt.specials.value]
    assert kinds.count(Kind.INFINITE) == 2 * fmt.has_infinity
    if fmt.has_nan:
        assert kinds[fmt.canonical_nan] is Kind.NAN


@given(
    small_formats,
    modes,
    st.integers(0, 1),
    st.fractions(0, 10**5, max_denominator=10**7),
    st.data(),
)
def test_rounding_is_the_neighbour_that_the_mode_names(fmt, mode, sign, drawn, data):
    """Found by looking through the list of all representable numbers."""
    magnitudes = finite_magnitudes(fmt)
    step = data.draw(st.integers(0, len(magnitudes) - 2))
    tie = (magnitudes[step] + magnitudes[step + 1]) / 2
    magnitude = data.draw(st.sampled_from((drawn, tie, magnitudes[step])))
    if magnitude > magnitudes[-1]:
        return
    below = bisect_right(magnitudes, magnitude) - 1
    above = bisect_left(magnitudes, magnitude)
    to_below, to_above = magnitude - magnitudes[below], magnitudes[above] - magnitude
    even, odd = (below, above) if below % 2 == 0 else (above, below)
    if below == above:
        named = below
    else:
        named = {
            RoundingMode.NEAREST_EVEN: below
            if to_below < to_above
            else above
            if to_above < to_below
            else even,
            RoundingMode.NEAREST_AWAY: below if to_below < to_above else above,
            RoundingMode.TOWARD_ZERO: below,
            RoundingMode.UP: below if sign else above,
            RoundingMode.DOWN: above if sign else below,
            RoundingMode.TO_ODD: odd,
        }[mode]
    rounding = exact.round_magnitude(fmt, mode, sign, magnitude)
    assert rounding.magnitude == magnitudes[named]
    assert exact.encode_magnitude(fmt, rounding.magnitude) == named


@pytest.mark.parametrize(
    ("magnitude", "mode", "policy", "code"),
    [
        # E4M3: 464 is half way between 448 and the next, absent number 480; 448 is even.
        (464, RoundingMode.NEAREST_EVEN, OverflowPolicy.NAN, 0x7E),
        (465, RoundingMode.NEAREST_EVEN, OverflowPolicy.NAN, 0x7F),
        (465, RoundingMode.NEAREST_EVEN, OverflowPolicy.SATURATE, 0x7E),
        (464, RoundingMode.NEAREST_AWAY, OverflowPolicy.NAN, 0x7F),
        (10**9, RoundingMode.TOWARD_ZERO, OverflowPolicy.NAN, 0x7E),
        (449, RoundingMode.UP, OverflowPolicy.NAN, 0x7F),
        (449, RoundingMode.DOWN, OverflowPolicy.NAN, 0x7E),
        (449, RoundingMode.TO_ODD, OverflowPolicy.NAN, 0x7E),
    ],
)
def test_overflow_of_e4m3fn(magnitude, mode, policy, code):
    value = Value(Kind.FINITE, 0, Fraction(magnitude))
    assert exact.round_to(FP8_E4M3FN, mode, policy, value) == code


def test_overflow_of_e5m2_by_policy():
    beyond = Value(Kind.FINITE, 1, Fraction(10**6))
    codes = [
        exact.round_to(FP8_E5M2, RoundingMode.NEAREST_EVEN, policy, beyond)
        for policy in (OverflowPolicy.IEEE, OverflowPolicy.SATURATE, OverflowPolicy.NAN)
    ]
    assert codes == [0xFC, 0xFB, 0x7E]


def test_signs_of_zero():
    """IEEE 754-2019 clause 6.3."""
    plus, minus = 0, FP16.sign_mask
    one, minus_one = 0x3C00, 0xBC00

    def add(mode, x, y):
        return exact.compute("add", FP16, mode, OverflowPolicy.IEEE, x, y)

    for mode in RoundingMode:
        cancelled = minus if mode is RoundingMode.DOWN else plus
        assert add(mode, one, minus_one) == cancelled
        assert add(mode, plus, minus) == cancelled
        assert add(mode, minus, minus) == minus
        assert add(mode, plus, plus) == plus


def test_invalid_operations():
    """IEEE 754-2019 clause 7.2."""
    infinity, nan = FP16.infinity, FP16.canonical_nan

    def compute(operation, x, y):
        mode, policy = RoundingMode.NEAREST_EVEN, OverflowPolicy.IEEE
        return exact.compute(operation, FP16, mode, policy, x, y)

    assert compute("add", infinity, infinity | FP16.sign_mask) == nan
    assert compute("subtract", infinity, infinity) == nan
    assert compute("multiply", infinity, 0) == nan
    assert compute("add", infinity, infinity) == infinity


def test_what_a_format_cannot_express_is_refused():
    value = Value(Kind.FINITE)
    with pytest.raises(ValueError, match="it has: saturate, nan"):
        exact.round_to(FP8_E4M3FN, RoundingMode.UP, OverflowPolicy.IEEE, value)
    with pytest.raises(ValueError, match="not a code of fp8_e4m3fn"):
        exact.decode(FP8_E4M3FN, 256)


def test_trace_of_a_product():
    """1.125 * 1.375 = 1.546875 in E4M3: 1001 * 1011 = 1100011, kept 1100, guard 0, sticky 1."""
    signals = exact.trace(
        "multiply", FP8_E4M3FN, RoundingMode.NEAREST_EVEN, OverflowPolicy.NAN, 0x39, 0xBB
    )
    assert signals == {
        "x_significand": 0b1001,
        "y_significand": 0b1011,
        "product": 99,
        "sign": 1,
        "kept": 0b1100,
        "guard": 0,
        "sticky": 1,
        "rounded": 0x3C,
        "result": 0xBC,
    }
