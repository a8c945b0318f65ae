"""Reciprocals and their roots: small formats on every input, wide ones drawn and where classes end."""

import random
from itertools import product

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
from tests.support.profile import NIGHTLY, one_of_each, parameter_id

MODES = list(RoundingMode)


FUNCTIONS = ["reciprocal", "rsqrt"]


def unit(function: str, fmt: Format, mode: RoundingMode, policy: OverflowPolicy = OverflowPolicy.IEEE):
    return build_function(function, fmt, mode, policy, construction="digits")


def results_of(netlist, codes):
    found = boolean.evaluate(netlist, {"x": np.array(codes, dtype=np.uint64)})
    return [int(code) for code in found["result"]]


CASES = [
    (function, fmt, mode)
    for turn, (function, fmt) in enumerate(
        product(FUNCTIONS, (FP16, BFLOAT16, ieee_format(4, 7), ieee_format(4, 3)))
    )
    for place, mode in enumerate(MODES)
    if NIGHTLY or fmt.width <= 8 or place % 3 == turn % 3
]
"""Formats of more than 8 bits in two modes, by turns."""


@pytest.mark.parametrize(("function", "fmt", "mode"), CASES, ids=parameter_id)
def test_every_code(function, fmt, mode):
    every = range(1 << fmt.width)
    for policy in fmt.policies if fmt.width < 16 else fmt.policies[:1]:
        expected = results(function, fmt, mode, policy).tolist()
        assert results_of(unit(function, fmt, mode, policy), every) == expected


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


WIDE = one_of_each(
    [
        (function, fmt, mode)
        for function, fmt, mode in product(FUNCTIONS, [TF32, FP32, FP64], MODES)
        if fmt is not FP64 or mode in (RoundingMode.NEAREST_EVEN, RoundingMode.UP)
    ],
    # Digits are found alike in every mode; how they are rounded, TF32 has in all.
    kind=lambda case: case if case[1] is TF32 else case[:2],
)


@pytest.mark.parametrize(("function", "fmt", "mode"), WIDE, ids=parameter_id)
def test_wide_formats(function, fmt, mode):
    policy = OverflowPolicy.IEEE
    codes = telling_codes(fmt)[:: 4 if fmt is FP64 else 1]
    expected = [compute(function, fmt, mode, policy, code) for code in codes]
    assert results_of(unit(function, fmt, mode), codes) == expected


SIZES = {
    "reciprocal": {"rne": 618, "rna": 618, "rtz": 619, "rtp": 645, "rtn": 644, "rto": 619},
    "rsqrt": {"rne": 1823, "rna": 1823, "rtz": 1772, "rtp": 1771, "rtn": 1772, "rto": 1749},
}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_sizes(function):
    """As docs/functions.md has them."""
    netlists = {mode.value: build_function(function, FP32, mode, OverflowPolicy.IEEE) for mode in MODES}
    assert {mode: netlist.statistics.neurons for mode, netlist in netlists.items()} == SIZES[function]


def test_other_formats_are_refused():
    rne, saturate = RoundingMode.NEAREST_EVEN, OverflowPolicy.SATURATE
    for function in FUNCTIONS:
        with pytest.raises(ValueError, match="IEEE 754's shape"):
            unit(function, FP8_E4M3FN, rne, saturate)
    with pytest.raises(ValueError, match="more exponent bits than e3m8"):
        unit("rsqrt", ieee_format(3, 8), rne, saturate)
    with pytest.raises(ValueError, match="digit by digit, reciprocal, rsqrt can be made"):
        unit("exp", FP32, rne)
