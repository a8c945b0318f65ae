"""The symbolic spec of formats above 8 bits, through the encoder to clauses.

Against the spec of record on cases drawn by class, in all modes and policies, and against the machine's
own arithmetic on a million pairs. ``SPIKEPROOF_CASES`` sets how many cases a format and operation has of
the first (default 1,000; nightly 100,000).
"""

import os
from functools import cache

import ml_dtypes
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pysmt.shortcuts import BVType, Symbol

from specs import exact, symbolic
from specs.formats import (
    BFLOAT16,
    FORMATS,
    FP16,
    FP32,
    FP64,
    SMALL_FORMATS,
    OverflowPolicy,
    RoundingMode,
)
from tests.support.codes import many_pairs, pairs
from tests.support.graphs import Encoded

WIDE = [fmt for fmt in FORMATS.values() if fmt not in SMALL_FORMATS]
CASES = int(os.environ.get("SPIKEPROOF_CASES", "1000"))
BATCH = 50


@cache
def encoded(fmt, operation, mode, policy) -> Encoded:
    x, y = (Symbol(f"{name}{fmt.width}", BVType(fmt.width)) for name in ("x", "y"))
    return Encoded(symbolic.OPERATIONS[operation](fmt, mode, policy, x, y))


@pytest.mark.parametrize("operation", symbolic.OPERATIONS)
@pytest.mark.parametrize("fmt", WIDE, ids=lambda fmt: fmt.name)
def test_against_the_spec_of_record(fmt, operation):
    @settings(
        max_examples=max(1, CASES // BATCH),
        suppress_health_check=[HealthCheck.large_base_example, HealthCheck.data_too_large],
    )
    @given(
        st.lists(pairs(fmt), min_size=BATCH, max_size=BATCH),
        st.sampled_from(RoundingMode),
        st.sampled_from(fmt.policies),
    )
    def agree(cases, mode, policy):
        x, y = (np.array(side, dtype=np.uint64) for side in zip(*cases, strict=True))
        actual = encoded(fmt, operation, mode, policy).evaluate({f"x{fmt.width}": x, f"y{fmt.width}": y})
        for (left, right), code in zip(cases, actual, strict=True):
            expected = exact.compute(operation, fmt, mode, policy, left, right)
            assert int(code) == expected, (mode.value, policy.value, hex(left), hex(right))

    agree()


HARDWARE = {FP16: np.float16, FP32: np.float32, FP64: np.float64, BFLOAT16: ml_dtypes.bfloat16}
WORDS = {16: np.uint16, 32: np.uint32, 64: np.uint64}
OPERATORS = {"add": np.add, "subtract": np.subtract, "multiply": np.multiply}


@pytest.mark.parametrize("operation", OPERATORS)
@pytest.mark.parametrize("fmt", HARDWARE, ids=lambda fmt: fmt.name)
def test_against_the_machine_on_a_million_pairs(fmt, operation):
    x, y = many_pairs(fmt, 1 << 20, seed=fmt.width)
    word = WORDS[fmt.width]
    left, right = (codes.astype(word).view(HARDWARE[fmt]) for codes in (x, y))
    with np.errstate(all="ignore"):
        expected = OPERATORS[operation](left, right)
    nan = np.isnan(expected)
    expected = np.where(nan, fmt.canonical_nan, expected.view(word))
    rne = encoded(fmt, operation, RoundingMode.NEAREST_EVEN, OverflowPolicy.IEEE)
    actual = rne.evaluate({f"x{fmt.width}": x, f"y{fmt.width}": y})
    differing = np.flatnonzero(actual != expected)
    assert not len(differing), f"x = {x[differing[0]]:#x}, y = {y[differing[0]]:#x}"


def test_the_drawn_pairs_cover_every_class():
    """Zeros, subnormals, infinities, NaNs, ties and overflows all occur among a million pairs."""
    for fmt in HARDWARE:
        x, _ = many_pairs(fmt, 1 << 20, seed=fmt.width)
        classes = {exact.classify(fmt, int(code)) for code in x[:20000]}
        assert classes == {"zero", "subnormal", "normal", "infinity", "nan"}
