"""Reciprocals: small formats on every input, wide ones at drawn codes and where classes end."""

import random

import numpy as np
import pytest

from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.units.functions.building import build_function
from spikeproof.circuits.units.functions.values import results
from spikeproof.specs.formats import (
    BFLOAT16,
    FP8_E4M3FN,
    FP16,
    FP32,
    FP64,
    TF32,
    Format,
    OverflowPolicy,
    RoundingMode,
    ieee_format,
)
from spikeproof.specs.functions import compute

MODES = list(RoundingMode)


def reciprocal(fmt: Format, mode: RoundingMode, policy: OverflowPolicy = OverflowPolicy.IEEE):
    return build_function("reciprocal", fmt, mode, policy, construction="quotient")


def results_of(netlist, codes):
    found = boolean.evaluate(netlist, {"x": np.array(codes, dtype=np.uint64)})
    return [int(code) for code in found["result"]]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("fmt", [FP16, BFLOAT16, ieee_format(3, 8), ieee_format(4, 3)], ids=str)
def test_every_code(fmt, mode):
    every = range(1 << fmt.width)
    for policy in fmt.policies:
        expected = results("reciprocal", fmt, mode, policy).tolist()
        assert results_of(reciprocal(fmt, mode, policy), every) == expected


def telling_codes(fmt: Format) -> list[int]:
    """Drawn by exponent, and next to the ends of classes."""
    draw = random.Random(fmt.name)
    f, most = fmt.fraction_bits, fmt.largest_finite >> fmt.fraction_bits
    ends = [
        1 << f - 2,
        1 << f - 1,
        1 << f,
        most - 1 << f,
        most << f,
        fmt.infinity,
        fmt.infinity + (1 << f),
    ]
    near = [end + step for end in (0, *ends) for step in range(-3, 4)]
    drawn = [field << f | draw.getrandbits(f) for field in (0, 1, *range(2, most, 9), most - 1, most)]
    codes = [code for code in (*near, *drawn) if 0 <= code < fmt.sign_mask]
    return codes + [fmt.sign_mask | code for code in codes]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("fmt", [TF32, FP32, FP64], ids=str)
def test_wide_formats(fmt, mode):
    policy = OverflowPolicy.IEEE
    codes = telling_codes(fmt)
    expected = [compute("reciprocal", fmt, mode, policy, code) for code in codes]
    assert results_of(reciprocal(fmt, mode), codes) == expected


@pytest.mark.parametrize("mode", MODES)
def test_sizes(mode):
    """As docs/functions.md has them."""
    statistics = build_function("reciprocal", FP32, mode, OverflowPolicy.IEEE).statistics
    directed = mode in (RoundingMode.UP, RoundingMode.DOWN)
    assert (644 if directed else 618) <= statistics.neurons <= (645 if directed else 619)
    assert statistics.depth == (51 if directed else 50)


def test_other_formats_are_refused():
    with pytest.raises(ValueError, match="IEEE 754's shape"):
        build_function(
            "reciprocal", FP8_E4M3FN, MODES[0], OverflowPolicy.SATURATE, construction="quotient"
        )
