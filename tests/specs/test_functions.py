"""Functions: special values, properties, and every result at once as one by one."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from spikeproof.specs import exact, functions
from spikeproof.specs.conventions import IEEE, convention_named
from spikeproof.specs.exact import Kind, Real, Value
from spikeproof.specs.formats import (
    BFLOAT16,
    FP8_E4M3FN,
    FP8_E5M2,
    FP16,
    FP32,
    FP64,
    SMALL_FORMATS,
    OverflowPolicy,
    RoundingMode,
    format_named,
    ieee_format,
)
from spikeproof.specs.functions import DEFINITIONS, FUNCTIONS, compute, every_result
from tests.support.profile import NIGHTLY

NEAREST = RoundingMode.NEAREST_EVEN
FORMAT_IDS = {"ids": lambda fmt: fmt.name}
inf, nan = float("inf"), float("nan")

# Of -infinity, -0, +0 and +infinity: IEEE 754-2019 clause 9.2.1, those below the line by their limits.
SPECIAL_VALUES = {
    "exp": (0.0, 1.0, 1.0, inf),
    "exp2": (0.0, 1.0, 1.0, inf),
    "expm1": (-1.0, -0.0, 0.0, inf),
    "log": (nan, -inf, -inf, inf),
    "log2": (nan, -inf, -inf, inf),
    "log1p": (nan, -0.0, 0.0, inf),
    "reciprocal": (-0.0, -inf, inf, 0.0),
    "rsqrt": (nan, -inf, inf, 0.0),
    "sin": (nan, -0.0, 0.0, nan),
    "cos": (nan, 1.0, 1.0, nan),
    "sin_pi": (nan, -0.0, 0.0, nan),
    "cos_pi": (nan, 1.0, 1.0, nan),
    "tanh": (-1.0, -0.0, 0.0, 1.0),
    # ---
    "sigmoid": (0.0, 0.5, 0.5, 1.0),
    "softplus": (0.0, float.fromhex("0x1.62e42fefa39efp-1"), float.fromhex("0x1.62e42fefa39efp-1"), inf),
    "erf": (-1.0, -0.0, 0.0, 1.0),
    "silu": (-0.0, -0.0, 0.0, inf),
    "gelu": (-0.0, -0.0, 0.0, inf),
    "gelu_tanh": (-0.0, -0.0, 0.0, inf),
}  # fmt: skip

# Other values that the standard, or exact arithmetic, gives.
EXACT_VALUES = [
    ("log", 1.0, 0.0),
    ("log", -1.0, nan),
    ("log2", 1.0, 0.0),
    ("log2", 2.0**-1074, -1074.0),
    ("log2", -4.0, nan),
    ("log1p", -1.0, -inf),
    ("log1p", -1.5, nan),
    ("exp2", -1074.0, 2.0**-1074),
    ("exp2", 1024.0, inf),
    ("exp", -1e300, 0.0),
    ("exp", 1e300, inf),
    ("gelu", -1e300, -0.0),
    ("gelu_tanh", -1e300, -0.0),
    ("silu", -1e300, -0.0),
    ("softplus", 1e300, 1e300),
    ("rsqrt", -2.0, nan),
    ("rsqrt", 2.0**-1074, 2.0**537),
    ("rsqrt", 9.0, 1 / 3),
    ("reciprocal", -4.0, -0.25),
    ("reciprocal", 3.0, 1 / 3),
    ("sin_pi", 3.0, 0.0),
    ("sin_pi", -3.0, -0.0),
    ("sin_pi", 1.5, -1.0),
    ("sin_pi", -0.5, -1.0),
    ("sin_pi", 1e300, 0.0),
    ("cos_pi", 0.5, 0.0),
    ("cos_pi", -2.5, 0.0),
    ("cos_pi", 3.0, -1.0),
    ("cos_pi", -1e300, 1.0),
]


def code_of(value):
    if value != value:
        return FP64.canonical_nan
    return int(np.float64(value).view(np.uint64))


def in_double(function, x):
    return compute(function, FP64, NEAREST, OverflowPolicy.IEEE, code_of(x))


def test_every_function_has_words_and_special_values():
    assert list(FUNCTIONS) == list(DEFINITIONS) == list(SPECIAL_VALUES)
    assert all(FUNCTIONS.values())


@pytest.mark.parametrize("function", FUNCTIONS)
def test_special_values(function):
    found = [in_double(function, x) for x in (-inf, -0.0, 0.0, inf)]
    assert found == list(map(code_of, SPECIAL_VALUES[function]))
    assert in_double(function, nan) == FP64.canonical_nan


@pytest.mark.parametrize(("function", "x", "expected"), EXACT_VALUES)
def test_exact_values(function, x, expected):
    assert in_double(function, x) == code_of(expected)


def test_nan_operands_follow_the_convention():
    signalling = FP16.infinity | FP16.sign_mask | 5
    given = ("exp", FP16, NEAREST, OverflowPolicy.IEEE)
    quiet = signalling | 1 << FP16.fraction_bits - 1
    assert compute(*given, signalling, convention=convention_named("first_nan")) == quiet
    minus_one = ("log", *given[1:], 0xBC00)
    assert compute(*minus_one, convention=convention_named("x86_nan")) == 0xFE00


def test_an_infinity_is_as_the_policy_says():
    for policy, code in ((OverflowPolicy.SATURATE, 0x7E), (OverflowPolicy.NAN, 0x7F)):
        assert compute("reciprocal", FP8_E4M3FN, NEAREST, policy, 0) == code
        assert compute("exp", FP8_E4M3FN, NEAREST, policy, 0x7E) == code


def test_a_trace_ends_with_the_result():
    given = ("exp", FP8_E5M2, NEAREST, OverflowPolicy.IEEE, 0x3C)  # e = 2.718, between 2.5 and 3
    assert functions.trace(*given) == {
        "sign": 0, "kept": 5, "guard": 0, "sticky": 1, "rounded": 0x41, "result": 0x41
    }  # fmt: skip


# --- saturation by argument ---------------------------------------------------------------------

NEAR = [
    ("tanh", 60.0, Fraction(1), "below"),
    ("erf", -60.0, Fraction(1), "below"),
    ("sigmoid", 60000.0, Fraction(1), "below"),
    ("expm1", -60000.0, Fraction(1), "below"),
    ("exp", 2.0**-24, Fraction(1), "above"),
    ("exp", -(2.0**-24), Fraction(1), "below"),
    ("cos", 2.0**-24, Fraction(1), "below"),
    ("sin", 2.0**-24, Fraction(1, 1 << 24), "below"),
    ("log1p", 2.0**-24, Fraction(1, 1 << 24), "below"),
    ("expm1", 2.0**-24, Fraction(1, 1 << 24), "above"),
    ("silu", 60000.0, Fraction(60000), "below"),
    ("gelu", 60000.0, Fraction(60000), "below"),
    ("softplus", 60000.0, Fraction(60000), "above"),
]


@pytest.mark.parametrize(("function", "x", "near", "side"), NEAR)
def test_what_saturates_is_decided_in_every_mode_at_once(monkeypatch, function, x, near, side):
    """By the first enclosure alone: with the next one asked for it fails."""
    monkeypatch.setattr(exact, "count", lambda: iter((0,)))
    code = int(np.float16(x).view(np.uint16))
    little = Fraction(1, 1 << 200)
    for mode in RoundingMode:
        around = near + (little if side == "above" else -little)
        value = exact.exact_sum(mode, Value(Kind.FINITE, 0, around), Value(Kind.FINITE))
        sign = int(function in ("erf", "expm1") and x < 0)
        expected = exact.round_to(FP16, mode, OverflowPolicy.IEEE, value._replace(sign=sign))
        assert compute(function, FP16, mode, OverflowPolicy.IEEE, code) == expected


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("fmt", [BFLOAT16, FP32, FP64], **FORMAT_IDS)
def test_the_ends_of_a_format_are_decided(function, fmt):
    """Largest, least and subnormal numbers, near 1 and half: no loop runs far."""
    one = fmt.bias << fmt.fraction_bits
    landmarks = (1, 1 << fmt.fraction_bits, fmt.largest_finite, one, one + 1, one - 1)
    for code, sign in product(landmarks, (0, fmt.sign_mask)):
        for mode in (NEAREST, RoundingMode.UP, RoundingMode.TO_ODD):
            compute(function, fmt, mode, OverflowPolicy.IEEE, code | sign)


def test_one_step_of_ziv_would_be_noticed(monkeypatch):
    """At too few bits, an end taken for the number: another result somewhere."""

    def results():
        exact.round_magnitude.cache_clear()
        exact._enclosed.cache_clear()
        codes = range(0, FP16.infinity, 97)
        return [compute("exp", FP16, NEAREST, OverflowPolicy.IEEE, code) for code in codes]

    expected = results()
    monkeypatch.setattr(exact, "FIRST_BITS", 2)
    assert results() == expected
    monkeypatch.setattr(Real, "floor_multiple", lambda self, step: next(self.bounds())[0] // step)
    assert results() != expected
    monkeypatch.undo()
    exact.round_magnitude.cache_clear()


# --- every result -------------------------------------------------------------------------------


def require_equal(function, fmt, mode, policy, convention=IEEE, codes=None):
    codes = range(1 << fmt.width) if codes is None else codes
    found = every_result(function, fmt, mode, policy, convention=convention)
    expected = [compute(function, fmt, mode, policy, code, convention=convention) for code in codes]
    assert found[list(codes)].tolist() == expected


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("fmt", SMALL_FORMATS, **FORMAT_IDS)
def test_every_result_of_small_formats(function, fmt):
    """Two formats under every policy; of the others policies take turns."""
    for index, mode in enumerate(RoundingMode):
        turn = fmt.policies[index % len(fmt.policies)]
        for policy in fmt.policies if fmt in (FP8_E5M2, FP8_E4M3FN) else (turn,):
            require_equal(function, fmt, mode, policy)


WORDS = ("daz", "ftz", "ftz_before.daz", "ftz_after", "ftz.unsigned_flush", "x86_nan", "last_nan")


@pytest.mark.parametrize("word", WORDS)
def test_every_result_under_conventions(word):
    modes = list(RoundingMode)
    for index, function in enumerate(FUNCTIONS):
        mode = modes[index % len(modes)]
        require_equal(function, FP8_E5M2, mode, OverflowPolicy.IEEE, convention_named(word))


@pytest.mark.parametrize("mode", RoundingMode, ids=lambda mode: mode.value)
def test_tiny_after_rounding_is_told_from_tiny_before(mode):
    """A quarter of a quantum below the least normal number, of both signs."""
    fmt = ieee_format(4, 6)
    for function in ("exp2", "silu"):
        require_equal(function, fmt, mode, OverflowPolicy.IEEE, convention_named("ftz_after"))


def test_formats_of_many_exponents_are_done_one_by_one():
    fmt = ieee_format(11, 1)
    codes = range(0, 1 << fmt.width, 61)
    require_equal("log1p", fmt, NEAREST, OverflowPolicy.IEEE, codes=codes)


def test_formats_of_more_than_16_bits_are_refused():
    with pytest.raises(ValueError, match="at most 16"):
        every_result("exp", FP32, NEAREST, OverflowPolicy.IEEE)


# --- properties ---------------------------------------------------------------------------------

GROWING = ("exp", "exp2", "expm1", "log", "log2", "log1p", "tanh", "sigmoid", "softplus", "erf")
SHAPE = ieee_format(6, 5)


def in_order(fmt):
    """Codes of numbers and infinities from the least to the largest, -0 left out."""
    magnitudes = list(range(fmt.infinity + 1))
    return [fmt.sign_mask | code for code in reversed(magnitudes[1:])] + magnitudes


@pytest.mark.parametrize("function", GROWING)
def test_functions_grow(function):
    codes = in_order(SHAPE)
    place = {code: index for index, code in enumerate(codes)}
    place[SHAPE.sign_mask] = place[0]
    for mode in (NEAREST, RoundingMode.UP, RoundingMode.TOWARD_ZERO):
        results = every_result(function, SHAPE, mode, OverflowPolicy.IEEE)[codes].tolist()
        places = [place[code] for code in results if not SHAPE.is_nan(code)]
        assert places == sorted(places)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_symmetry(function):
    """Odd and even functions are, with up and down exchanged; no others."""
    numbers = np.arange(1, SHAPE.infinity)
    sign = SHAPE.sign_mask
    up, down = (
        every_result(function, SHAPE, mode, OverflowPolicy.IEEE)
        for mode in (RoundingMode.UP, RoundingMode.DOWN)
    )
    # A zero that is exact has the sign that the definition gives it.
    odd = (up[numbers] ^ sign == down[numbers | sign]).all()
    even = (up[numbers] == up[numbers | sign]).all()
    assert {-1: odd, 1: even, 0: not odd and not even}[DEFINITIONS[function].symmetry]


@pytest.mark.parametrize(
    ("name", "function"), [("e11m2", "rsqrt"), ("e12m1", "reciprocal"), ("e12m1", "rsqrt")]
)
def test_tables_of_formats_beyond_doubles(name, function):
    fmt = format_named(name)
    modes = RoundingMode.NEAREST_EVEN, RoundingMode.UP
    for mode in modes if NIGHTLY else [modes[function == "rsqrt"]]:
        table = every_result(function, fmt, mode, OverflowPolicy.IEEE)
        for code in range(0, len(table), 397):
            assert table[code] == compute(function, fmt, mode, OverflowPolicy.IEEE, code)


@pytest.mark.parametrize("function", ["exp", "log1p", "sin", "sin_pi"])
def test_blocks_in_one_mode_after_another(function):
    """What they share stays as it is: of lines, large angles, polynomials and subnormal results."""
    for first in (0x2F00_0000, 0x4F00_0000, 0x3F00_0000, 0xC2C0_0000):
        for mode in (*RoundingMode, NEAREST):
            given = function, FP32, mode, OverflowPolicy.IEEE
            found = functions.results_from(*given, first, 1 << 10)
            some = range(0, 1 << 10, 93)
            assert [found[k] for k in some] == [compute(*given, first + k) for k in some]
