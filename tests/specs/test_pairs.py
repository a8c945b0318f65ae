"""Rows of functions of two operands: as one by one, and as MPFR says."""

from itertools import product

import numpy as np
import pytest

from spikeproof.reference.functions import MPFR_MODES, ball, by_mpfr, doubles, nearest_codes
from spikeproof.specs import pairs
from spikeproof.specs.enclosed_rows import ERROR, angles, powers
from spikeproof.specs.formats import (
    BFLOAT16,
    FP8_E4M3FN,
    FP16,
    FP32,
    OverflowPolicy,
    RoundingMode,
    ieee_format,
)
from spikeproof.specs.functions_of_two import FUNCTIONS, every_result
from spikeproof.specs.pairs import ROWS, compute, results_from
from tests.support.profile import NIGHTLY

NEAREST, IEEE = RoundingMode.NEAREST_EVEN, OverflowPolicy.IEEE


SMALL = [ieee_format(3, 3), ieee_format(2, 4)] if NIGHTLY else [ieee_format(3, 2), ieee_format(2, 3)]


@pytest.mark.parametrize("fmt", SMALL, ids=lambda fmt: fmt.name)
@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_pair(function, fmt):
    for mode, policy in product(RoundingMode, fmt.policies):
        found = results_from(function, fmt, mode, policy, 0, 1 << 2 * fmt.width)
        assert np.array_equal(found, every_result(function, fmt, mode, policy)), (mode, policy)


ROWS_TRIED = (0x0000, 0x8001, 0x3BFF, 0xC123, 0x7BFF, 0x7C00, 0x03FF, 0xFE01)


@pytest.mark.parametrize("mode", MPFR_MODES)
@pytest.mark.parametrize("function", FUNCTIONS)
def test_rows_of_fp16_by_mpfr(function, mode):
    x, places = np.arange(0, 1 << 16, 1 if NIGHTLY else 7), list(MPFR_MODES)
    for y in ROWS_TRIED[places.index(mode) :: len(places)]:
        found = results_from(function, FP16, mode, IEEE, y << 16, 1 << 16)
        assert np.array_equal(found[x], by_mpfr(function, FP16, mode, x, np.full(len(x), y))), hex(y)


def test_remainders_of_fp16_by_numpy():
    """In doubles, of which NaNs are made canonical."""
    x = doubles(FP16, np.arange(1 << 16))
    for y in (*ROWS_TRIED, 0x2E66, 0xFC00):
        with np.errstate(invalid="ignore"):
            expected = nearest_codes(FP16, np.fmod(x, doubles(FP16, np.array([y]))))
        found = results_from("truncated_remainder", FP16, NEAREST, IEEE, y << 16, 1 << 16)
        assert np.array_equal(found, expected), hex(y)


@pytest.mark.parametrize(
    ("function", "fmt"),
    [("hypot", BFLOAT16), ("atan2", BFLOAT16), *((function, FP16) for function in ROWS)],
    ids=lambda each: getattr(each, "name", each),
)
def test_pairs_drawn_from_rows(function, fmt):
    random = np.random.default_rng(20261130)
    modes, special = list(RoundingMode), [0, 1, fmt.sign_mask, fmt.largest_finite, fmt.infinity]
    for number, y in enumerate([*special, *random.integers(0, 1 << fmt.width, 6).tolist()]):
        mode = modes[number % len(modes)]
        row = results_from(function, fmt, mode, IEEE, y << fmt.width, 1 << fmt.width)
        near = (y + random.integers(-3000, 3000, 20)) % (1 << fmt.width)
        for x in (*special, *near.tolist(), *random.integers(0, 1 << fmt.width, 20).tolist()):
            assert row[x] == compute(function, fmt, mode, IEEE, x, y), (mode, hex(x), hex(y))


def test_ties_and_what_is_exact():
    """3, 4 and 5; 2^11 - 1 and 64 times half of the last place of a root that lies midway."""
    row = results_from("hypot", FP16, NEAREST, IEEE, 0x4400 << 16, 1 << 16)
    assert row[0x4200] == row[0xC200] == 0x4500
    ties = 0
    for y in range(0x3C00, 0x3C00 + 64):
        exact = results_from("hypot", FP16, NEAREST, IEEE, y << 16, 1 << 16)
        away = results_from("hypot", FP16, RoundingMode.NEAREST_AWAY, IEEE, y << 16, 1 << 16)
        ties += int((exact != away).sum())
    assert ties  # some lie midway, and the last digit tells


@pytest.mark.parametrize("function", ["pow", "atan2"])
def test_doubles_are_as_near_as_they_say(function):
    """To Arb's balls of 160 bits; a quarter of what is allowed for, as is argued."""
    random = np.random.default_rng(20261130)
    x = doubles(FP16, np.arange(1, FP16.infinity))
    for y in (2.0**-24, 0.7, 1.0, 1.25, 77.7, 60000.0):
        y = float(np.float16(y))
        given = powers(FP16, y) if function == "pow" else angles(FP16, bool(y > 1), y)
        for place in random.integers(0, len(x), 150).tolist():
            operand = x[place] if function == "pow" or y <= 1 else -x[place]
            right = ball(function, (operand, y), 160)
            if abs(right.log()) < 18:  # beyond, powers are others that round alike
                assert abs(given[place] / right - 1) < ERROR / 4, (function, operand, y)


def test_a_root_that_is_none_is_noticed(monkeypatch):
    monkeypatch.setattr(pairs.np, "sqrt", lambda x: x**0.5 * (1 + 2.0**-20))
    with pytest.raises(ArithmeticError, match="a root beside 0x4123 is none"):
        results_from("hypot", FP16, NEAREST, IEEE, 0x4123 << 16, 1 << 16)


def test_what_is_refused():
    with pytest.raises(
        ValueError, match="rows are of formats of IEEE 754's shape, of up to 16 bits; not"
    ):
        results_from("hypot", FP32, NEAREST, IEEE, 0, 1 << 32)
    with pytest.raises(ValueError, match="not of fp8_e4m3fn"):
        results_from("hypot", FP8_E4M3FN, NEAREST, OverflowPolicy.NAN, 0, 1 << 8)
    with pytest.raises(ValueError, match="256 pairs from 0x0 on are no rows of fp16"):
        results_from("hypot", FP16, NEAREST, IEEE, 0, 256)
    with pytest.raises(ValueError, match="remainders of bfloat16 are not told row by row"):
        results_from("truncated_remainder", BFLOAT16, NEAREST, IEEE, 0, 1 << 16)
    with pytest.raises(KeyError):
        results_from("fma", FP16, NEAREST, IEEE, 0, 1 << 16)
