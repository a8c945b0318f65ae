"""Blocks of results: equal to every result where that is known, and to the definition elsewhere."""

import random

import numpy as np
import pytest

from spikeproof.specs.conventions import IEEE
from spikeproof.specs.formats import (
    FP16,
    FP32,
    OverflowPolicy,
    RoundingMode,
)
from spikeproof.specs.functions import FUNCTIONS, compute, every_result, results_from

NEAREST = RoundingMode.NEAREST_EVEN
MODES = list(RoundingMode)
SEED = 20261129


def in_blocks(function, fmt, mode, policy=OverflowPolicy.IEEE, convention=IEEE):
    return results_from(function, fmt, mode, policy, 0, 1 << fmt.width, convention=convention)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_result_of_fp16(function):
    """To nearest even, and in another mode in turn."""
    for mode in {NEAREST, MODES[list(FUNCTIONS).index(function) % len(MODES)]}:
        every = every_result(function, FP16, mode, OverflowPolicy.IEEE)
        assert np.array_equal(in_blocks(function, FP16, mode), every)


def drawn(fmt, count):
    """Blocks around the ends of binades, and anywhere."""
    choose = random.Random(SEED)
    size = 1 << 10
    for _ in range(count):
        field = choose.randrange(1 << fmt.exponent_bits + 1)
        start = field << fmt.fraction_bits
        if choose.random() < 0.5:
            start += choose.choice((-size, 0)) if field else 0
        else:
            start += choose.randrange(1 << fmt.fraction_bits - 10) << 10
        yield start, size


@pytest.mark.parametrize("function", FUNCTIONS)
def test_blocks_of_fp32(function):
    """Of 1,024 codes, of which some are computed one by one, the modes taking turns."""
    if function in ("sin", "cos"):
        pytest.skip("blocks of large operands are slow")
    choose = random.Random(SEED)
    for index, (first, count) in enumerate(drawn(FP32, 60)):
        mode = MODES[index % len(MODES)]
        found = results_from(function, FP32, mode, OverflowPolicy.IEEE, first, count)
        for place in (0, 1, count - 1, *choose.sample(range(count), 3)):
            right = compute(function, FP32, mode, OverflowPolicy.IEEE, first + place)
            assert found[place] == right, (mode, hex(first + place))
