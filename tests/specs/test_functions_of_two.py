"""Functions of two operands: special values, exact cases, every result at once as one by one."""

from itertools import product
from math import exp, inf, log1p, nan, pi

import numpy as np
import pytest

from spikeproof.specs import exact, functions_of_two
from spikeproof.specs.conventions import IEEE, convention_named
from spikeproof.specs.exact import Real
from spikeproof.specs.formats import (
    FP4_E2M1,
    FP6_E2M3,
    FP8_E4M3FN,
    FP8_E4M3FNUZ,
    FP8_E5M2,
    FP16,
    FP32,
    FP64,
    OverflowPolicy,
    RoundingMode,
    ieee_format,
)
from spikeproof.specs.functions_of_two import DEFINITIONS, FUNCTIONS, compute, every_result
from tests.support.profile import NIGHTLY

NEAREST = RoundingMode.NEAREST_EVEN
FORMAT_IDS = {"ids": lambda fmt: fmt.name}

# Operands x and y, and the result: IEEE 754-2019 clause 9.2.1.
SPECIAL_VALUES = {
    "hypot": [
        (0.0, -0.0, 0.0), (-0.0, -0.0, 0.0), (-3.0, 0.0, 3.0),
        (inf, nan, inf), (nan, -inf, inf), (-inf, 1.0, inf), (-inf, inf, inf),
        (nan, 1.0, nan), (0.0, nan, nan),
    ],
    "pow": [
        (nan, 0.0, 1.0), (nan, -0.0, 1.0), (-inf, 0.0, 1.0), (0.0, -0.0, 1.0), (-2.5, 0.0, 1.0),
        (1.0, nan, 1.0), (1.0, -inf, 1.0), (1.0, 0.3, 1.0), (-1.0, nan, nan),
        (nan, 1.0, nan), (0.0, nan, nan),
        (0.0, -3.0, inf), (-0.0, -3.0, -inf), (0.0, -inf, inf), (-0.0, -inf, inf),
        (-0.0, -2.0, inf), (-0.0, -2.5, inf), (-0.0, 3.0, -0.0), (-0.0, 2.0, 0.0), (-0.0, 0.5, 0.0),
        (0.0, 3.0, 0.0), (-0.0, inf, 0.0),
        (-1.0, inf, 1.0), (-1.0, -inf, 1.0), (0.5, inf, 0.0), (-0.5, inf, 0.0), (0.5, -inf, inf),
        (-0.5, -inf, inf), (2.0, inf, inf), (-2.0, inf, inf), (2.0, -inf, 0.0), (-2.0, -inf, 0.0),
        (inf, -0.5, 0.0), (inf, 0.5, inf), (inf, inf, inf), (inf, -inf, 0.0),
        (-inf, -3.0, -0.0), (-inf, -2.0, 0.0), (-inf, -0.5, 0.0), (-inf, 3.0, -inf), (-inf, 2.0, inf),
        (-inf, 0.5, inf), (-inf, inf, inf), (-inf, -inf, 0.0),
        (-2.0, 0.5, nan), (-2.0, 1e-300, nan), (-1.0, 0.5, nan),
    ],
    "atan2": [
        (-0.0, 0.0, pi), (-0.0, -0.0, -pi), (0.0, 0.0, 0.0), (0.0, -0.0, -0.0), (-2.0, 0.0, pi),
        (-2.0, -0.0, -pi), (2.0, 0.0, 0.0), (2.0, -0.0, -0.0), (0.0, -3.0, -pi / 2), (-0.0, 3.0, pi / 2),
        (-inf, 2.0, pi), (-inf, -2.0, -pi), (inf, 2.0, 0.0), (inf, -2.0, -0.0), (inf, -0.0, -0.0),
        (2.0, inf, pi / 2), (-2.0, -inf, -pi / 2), (-0.0, inf, pi / 2),
        (-inf, inf, 3 * pi / 4), (-inf, -inf, -3 * pi / 4),
        (inf, inf, pi / 4), (inf, -inf, -pi / 4), (nan, 1.0, nan), (1.0, nan, nan), (inf, nan, nan),
    ],
}  # fmt: skip

EXACT_VALUES = [
    ("hypot", 3.0, -4.0, 5.0),
    ("hypot", 2.0**-1074, 0.0, 2.0**-1074),
    ("hypot", 3 * 2.0**1000, 2.0**1002, 5 * 2.0**1000),
    ("pow", 2.0, -1074.0, 2.0**-1074),
    ("pow", -2.0, 1023.0, -(2.0**1023)),
    ("pow", 3.0, 5.0, 243.0),
    ("pow", -3.0, -1.0, -1 / 3),
    ("pow", 2.25, 1.5, 3.375),
    ("pow", 2.25, -0.5, 2 / 3),
    ("pow", 16.0, 0.25, 2.0),
    ("pow", 2.0**-1074, 0.5, 2.0**-537),
    ("pow", 1.5, 1e300, inf),
    ("pow", 1.5, -1e300, 0.0),
    ("pow", -1.5, 1e300, inf),
    ("pow", -0.75, 2.0**53 + 2, 0.0),
    ("pow", 2.0, 0.5, 2**0.5),
    ("pow", 1 + 2.0**-52, 1e-300, 1.0),
    ("atan2", 2.0**-1074, 2.0**1000, pi / 2),
    ("atan2", 1.0, 2.0**-1074, 2.0**-1074),
    ("atan2", -1.0, 2.0**-1074, pi),
]


def code_of(value):
    return FP64.canonical_nan if value != value else int(np.float64(value).view(np.uint64))


def in_double(function, x, y):
    return compute(function, FP64, NEAREST, OverflowPolicy.IEEE, code_of(x), code_of(y))


def test_every_function_has_words_and_special_values():
    assert list(FUNCTIONS) == list(DEFINITIONS) == list(SPECIAL_VALUES)
    assert all(FUNCTIONS.values())


@pytest.mark.parametrize("function", FUNCTIONS)
def test_special_values(function):
    for x, y, expected in SPECIAL_VALUES[function]:
        assert in_double(function, x, y) == code_of(expected), (x, y)
    assert in_double(function, nan, nan) == FP64.canonical_nan


@pytest.mark.parametrize(("function", "x", "y", "expected"), EXACT_VALUES)
def test_exact_values(function, x, y, expected):
    assert in_double(function, x, y) == code_of(expected)


QUIET, OTHER, SIGNALLING, ONE = 0x7E, 0xFF, 0x7D, 0x3C


@pytest.mark.parametrize(
    ("words", "function", "x", "y", "expected"),
    [
        ("first_nan", "atan2", OTHER, QUIET, OTHER),
        ("last_nan", "atan2", OTHER, QUIET, QUIET),
        ("arm_nan", "hypot", OTHER, SIGNALLING, 0x7F),
        ("x86_nan", "pow", 0xBC, 0x38, 0xFE),
        ("", "pow", SIGNALLING, 0, ONE),
        ("signalling", "pow", SIGNALLING, 0, 0x7E),
        ("signalling", "pow", QUIET, 0, ONE),
        ("signalling", "hypot", SIGNALLING, 0x7C, 0x7E),
        ("daz", "pow", 0x81, 0x40, 0x00),
        ("daz", "pow", 0x81, 0x3C, 0x80),
        ("daz.unsigned_flush", "pow", 0x81, 0x3C, 0x00),
    ],
)
def test_conventions(words, function, x, y, expected):
    """Of FP8_E5M2: -1 to the power of 0.5 is none; 0x81 is subnormal."""
    convention = convention_named(words) if words else IEEE
    found = compute(function, FP8_E5M2, NEAREST, OverflowPolicy.IEEE, x, y, convention=convention)
    assert found == expected


def test_a_trace_ends_with_the_result():
    given = ("pow", FP8_E5M2, NEAREST, OverflowPolicy.IEEE, 0x3E, 0x40)  # 1.5^2 is a tie
    assert functions_of_two.trace(*given) == {
        "sign": 0, "kept": 4, "guard": 1, "sticky": 0, "rounded": 0x40, "result": 0x40
    }  # fmt: skip


@pytest.mark.parametrize("function", FUNCTIONS)
def test_hard_cases_are_decided_by_the_first_enclosure(monkeypatch, function):
    """Near a number as powers near 1 are, and angles of small tangents: no loop runs far."""
    monkeypatch.setattr(exact, "count", lambda: iter((0,)))
    codes = [1, 0x3C00, 0x3C01, 0x3BFF, 0x7BFF, 0x0400]
    for x, y, mode in product(codes, codes, RoundingMode):
        for sign in (0, FP16.sign_mask):
            compute(function, FP16, mode, OverflowPolicy.IEEE, x, y | sign)


def test_a_power_taken_for_irrational_would_not_be_told(monkeypatch):
    """1.5^2 is a tie: no enclosure of it, however narrow, tells how it rounds."""
    monkeypatch.setattr(
        functions_of_two,
        "_power_of_positive",
        lambda fmt, x, y: Real(functions_of_two.enclosures.power, (x, y)),
    )
    monkeypatch.setattr(exact, "count", lambda: iter(range(6)))
    with pytest.raises((StopIteration, RuntimeError)):
        compute("pow", FP8_E5M2, NEAREST, OverflowPolicy.IEEE, 0x3E, 0x40)


# --- every result -------------------------------------------------------------------------------


def require_equal(function, fmt, mode, policy, convention=IEEE, step=1):
    found = every_result(function, fmt, mode, policy, convention=convention)
    for place in range(0, len(found), step):
        y, x = divmod(place, 1 << fmt.width)
        expected = compute(function, fmt, mode, policy, x, y, convention=convention)
        assert found[place] == expected, (x, y)


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("fmt", [FP4_E2M1, ieee_format(2, 2)], **FORMAT_IDS)
def test_every_result_of_small_formats(function, fmt):
    for mode, policy in product(RoundingMode, fmt.policies):
        require_equal(function, fmt, mode, policy)


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("fmt", [FP6_E2M3, FP8_E4M3FN, FP8_E5M2, FP8_E4M3FNUZ], **FORMAT_IDS)
def test_results_of_other_formats(function, fmt):
    for index, mode in enumerate(RoundingMode):
        step = 1 if fmt.width < 8 and mode is NEAREST else 127
        require_equal(function, fmt, mode, fmt.policies[index % len(fmt.policies)], step=step)


WORDS = ("daz", "daz.unsigned_flush", "ftz", "ftz_before.daz", "ftz_after", "x86_nan", "last_nan", "arm")


@pytest.mark.parametrize("words", WORDS)
def test_every_result_under_conventions(words):
    for function, mode in zip(FUNCTIONS, (NEAREST, RoundingMode.UP, RoundingMode.DOWN), strict=True):
        require_equal(function, ieee_format(3, 2), mode, OverflowPolicy.IEEE, convention_named(words))


def test_wider_formats_are_refused():
    with pytest.raises(ValueError, match="at most 8"):
        every_result("pow", FP16, NEAREST, OverflowPolicy.IEEE)


def test_long_powers_are_enclosed():
    """As exact numbers they would have 10^9 bits; what is expected is of doubles, and far from a tie."""
    cases = (
        (0x3F800001, 0x4D800000, exp(2**28 * log1p(2.0**-23))),
        (0x3F7FFFFF, 0x4B7FFFFF, exp((2**24 - 1) * log1p(-(2.0**-24)))),
    )
    for x, y, right in cases:
        code = int(np.float32(right).view(np.uint32))
        assert compute("pow", FP32, NEAREST, OverflowPolicy.IEEE, x, y) == code


def test_enclosed_powers_round_as_exact_ones(monkeypatch):
    fmt = FP8_E5M2 if NIGHTLY else ieee_format(3, 3)

    def results():
        functions_of_two._every_value.cache_clear()
        modes = (NEAREST, RoundingMode.UP, RoundingMode.TO_ODD)
        found = [every_result("pow", fmt, mode, OverflowPolicy.IEEE) for mode in modes]
        return found, functions_of_two._every_value("pow", fmt).known

    exactly, known = results()
    monkeypatch.setattr(functions_of_two, "LONG", 2 * fmt.width)
    enclosed, known_then = results()
    functions_of_two._every_value.cache_clear()
    assert np.array_equal(enclosed, exactly)
    assert len(known_then) < len(known)
