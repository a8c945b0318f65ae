"""sin(x), cos(x) by rows of sines: samples, of BFLOAT16, of FP32 (at night FP64), and hard numbers."""

import numpy as np
import pytest

from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.units.functions.bounded_radians import BoundedRadians, build_bounded_radians
from spikeproof.prover.refutation.drawing import many_codes
from spikeproof.reference.functions import by_arb, doubles
from spikeproof.specs.formats import BFLOAT16, FP16, FP32, FP64, OverflowPolicy, RoundingMode
from spikeproof.specs.functions import compute
from tests.support.operands import WIDE, hard_codes
from tests.support.profile import NIGHTLY

ROUNDING = RoundingMode.NEAREST_EVEN, OverflowPolicy.IEEE

HARD = (
    *(6381956970095103 * 2.0**797, -6381956970095103 * 2.0**797, 16367173 * 2.0**72),
    *(np.pi / 2 * k for k in (1, 2, 3, -4, 355, 1e3, 1e15)),
    *(2.0**-26, 2.0**-27, np.nextafter(2.0**-27, 0), -(2.0**-26.4), 1.0, 1.7976931348623157e308),
    *(0.0, -0.0, 5e-324, -2.2250738585072014e-308, float("inf"), float("-inf"), float("nan")),
)
"""The numbers of FP64 and FP32 nearest to a multiple of pi/2; some near others; constant, or x."""


def expected(function, fmt, codes):
    return [compute(function, fmt, *ROUNDING, code) for code in codes.tolist()]


@pytest.mark.parametrize("function", ["sin", "cos"])
def test_bfloat16(function):
    """Every 499th number, and those that are special; nightly every 5th: all are correctly rounded."""
    some = np.arange(0, 1 << 16, 5 if NIGHTLY else 499)
    codes = np.append(some, [0x8000, 0x7F80, 0xFF80, 0x7F81, 0xFFC0]).astype(np.uint64)
    found = boolean.evaluate(build_bounded_radians(BFLOAT16, function), {"x": codes})["result"]
    assert found.tolist() == expected(function, BFLOAT16, codes)


SIZES = {
    (FP32, "sin"): (6322, 584, 3253),
    (FP64, "sin"): (21101, 1111, 9852),
    (FP64, "cos"): (21036, 1111, 9852),
}


# The two functions differ in a constant and in signs.
@pytest.mark.parametrize("function", ["sin", "cos"] if NIGHTLY else ["sin"])
def test_a_wide_format(function):
    """A sample: all of these are correctly rounded, by the spec of record and by Arb."""
    netlist = build_bounded_radians(WIDE, function)
    (drawn,) = many_codes(WIDE, 20 if NIGHTLY else 4, seed=1, operands=1)
    codes = np.concatenate([hard_codes(HARD), drawn.astype(np.uint64)])
    found = boolean.evaluate(netlist, {"x": codes})["result"]
    assert found.tolist() == expected(function, WIDE, codes)
    x = doubles(WIDE, codes)
    numbers = np.isfinite(x) & (x != 0)
    assert np.array_equal(found[numbers], by_arb(function, WIDE, codes[numbers]))
    statistics = netlist.statistics
    assert (statistics.neurons, statistics.depth, statistics.largest_fan_in) == SIZES[WIDE, function]


def test_formats_of_few_exponents():
    with pytest.raises(ValueError, match="too few exponents"):
        BoundedRadians(FP16, "sin")
