"""Remainders as other implementations have them: the C library, Python, NumPy, PyTorch, ml_dtypes."""

import math

import numpy as np
import pytest
import torch
from pysmt.shortcuts import BVType, Symbol

from spikeproof.specs import exact, symbolic
from spikeproof.specs.conventions import BUNDLES
from spikeproof.specs.formats import BFLOAT16, FP16, FP32, FP64, REMAINDERS, RoundingMode
from tests.proofs.test_remainders import pairs
from tests.reference.test_general_operations import (
    ALL,
    FORMAT_IDS,
    ML_DTYPES,
    codes_of,
    in_c,
    numbers_of,
    on_x86,
    single,
)
from tests.support.graphs import Encoded
from tests.support.operands import all_pairs

MODE = RoundingMode.TOWARD_ZERO


def computed(operation, fmt, x, y):
    """The results by formula."""
    symbols = [Symbol(f"{name}{fmt.width}", BVType(fmt.width)) for name in "xy"]
    formula = symbolic.compute(operation, fmt, MODE, fmt.policies[0], *symbols)
    return Encoded(formula).evaluate({f"x{fmt.width}": x, f"y{fmt.width}": y})


def operands(fmt):
    """All pairs of up to 8 bits; of others many, some with exponents that are near."""
    return all_pairs(fmt) if fmt.width <= 8 else pairs(fmt, 1 << 14)


def usual(fmt, y):
    """Where there is a number, or NaN has a code: a format without it has something else by zero."""
    return np.ones(len(y), dtype=bool) if fmt.has_nan else numbers_of(fmt, y).astype(float) != 0


def remainder(x, y):
    """Python's ``math.remainder``, which is the C library's; NaN where that raises an exception."""
    try:
        return math.remainder(x, y)
    except ValueError:
        return math.nan


@pytest.mark.parametrize("fmt", [*ML_DTYPES, FP16, BFLOAT16, FP32], **FORMAT_IDS)
def test_remainders_in_python(fmt):
    """Exact in doubles, and so in the format."""
    x, y = operands(fmt)
    numbers = [numbers_of(fmt, each).astype(np.float64).tolist() for each in (x, y)]
    found = np.array([remainder(*pair) for pair in zip(*numbers, strict=True)])
    with np.errstate(invalid="ignore"):
        expected = codes_of(fmt, found.astype(ALL[fmt][0]))
    where = usual(fmt, y)
    assert np.array_equal(computed("remainder", fmt, x, y)[where], expected[where])


@pytest.mark.parametrize("fmt", [*ML_DTYPES, FP16, BFLOAT16, FP32], **FORMAT_IDS)
def test_truncated_remainders_in_numpy_and_ml_dtypes(fmt):
    x, y = operands(fmt)
    with np.errstate(all="ignore"):
        expected = codes_of(fmt, np.fmod(numbers_of(fmt, x), numbers_of(fmt, y)))
    where = usual(fmt, y)
    assert np.array_equal(computed("truncated_remainder", fmt, x, y)[where], expected[where])


def test_truncated_remainders_in_pytorch():
    """But where x / y overflows: of several numbers at once 2.13.0 may have NaN there.

    Such as of 0x7f422710 and 0x00010000, one of which is a multiple of the other.
    """
    x, y = operands(FP32)
    numbers = [numbers_of(FP32, each).copy() for each in (x, y)]
    with np.errstate(all="ignore"):
        overflows = np.isinf(numbers[0] / numbers[1]) & np.isfinite(numbers[0]) & (numbers[1] != 0)
    expected = codes_of(FP32, torch.fmod(*map(torch.from_numpy, numbers)).numpy())
    found = computed("truncated_remainder", FP32, x, y)
    assert np.array_equal(found[~overflows], expected[~overflows])
    assert np.count_nonzero(~overflows) > len(x) // 2


IN_C = {"remainder": "remainderf", "truncated_remainder": "fmodf"}


@on_x86
@pytest.mark.parametrize("operation", REMAINDERS)
def test_remainders_of_the_c_library_with_their_flags(operation):
    """But for NaN's payload, in which C libraries differ."""
    convention = BUNDLES["x86_sse"]
    for x, y in zip(*(each.tolist() for each in pairs(FP32, 6000)), strict=True):
        found, flags = in_c(IN_C[operation], "rne", single(x), single(y))
        expected = exact.compute(operation, FP32, MODE, FP32.policies[0], x, y, convention=convention)
        nan = FP32.is_nan(expected) and FP32.is_nan(found)
        assert found == expected or nan, (hex(x), hex(y))
        assert flags == exact.flags(operation, FP32, MODE, x, y, convention=convention), (hex(x), hex(y))


@pytest.mark.parametrize("operation", REMAINDERS)
def test_remainders_of_64_bits_by_the_spec_of_record(operation):
    function = remainder if operation == "remainder" else np.fmod
    x, y = pairs(FP64, 3000)
    for a, b in zip(x.tolist(), y.tolist(), strict=True):
        numbers = (float(np.uint64(code).view(np.float64)) for code in (a, b))
        with np.errstate(invalid="ignore"):
            expected = int(codes_of(FP64, np.array([function(*numbers)]))[0])
        assert exact.compute(operation, FP64, MODE, FP64.policies[0], a, b) == expected, (hex(a), hex(b))
