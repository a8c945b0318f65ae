"""cos(pi x) by a product: FP16 on every input, FP32 (at night FP64) on drawn and on hard ones."""

import numpy as np
import pytest

from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.meanings.program_reading import read_program
from spikeproof.circuits.meanings.programs import ProgramEvaluator
from spikeproof.circuits.units.functions.bounded_cosine import BoundedCosine, build_bounded_cosine
from spikeproof.prover.refutation.drawing import many_codes
from spikeproof.reference.functions import by_arb
from spikeproof.specs.formats import FP16, FP32, FP64, OverflowPolicy, RoundingMode, ieee_format
from spikeproof.specs.functions import compute
from tests.support.operands import WIDE, hard_codes

ROUNDING = RoundingMode.NEAREST_EVEN, OverflowPolicy.IEEE

HARD = (
    *(0.5, -0.5, 1.5, 0.5 + 2.0**-53, 0.5 - 2.0**-54, 1.5 + 2.0**-52, 2.5 - 2.0**-51),
    *(0.0, -0.0, 1.0, -1.0, 3.0, 2.0**51 + 0.5, 2.0**51 + 1.5, 2.0**52 + 1, 2.0**53 - 1, 2.0**53),
    *(0.25, 0.25 - 2.0**-55, 2.0**-27, 2.0**-28, 2.0**-29, 2.0**-30, 2.0**-29 - 2.0**-82),
    *(5e-324, 2.2250738585072014e-308, 1.7976931348623157e308),
    *(float("inf"), float("-inf"), float("nan")),
)
"""Next to zeros of the cosine, whole numbers, or next to where results are constant."""


@pytest.fixture(scope="module")
def netlist():
    return build_bounded_cosine(WIDE)


def test_every_code():
    """All are correctly rounded."""
    codes = np.arange(1 << FP16.width, dtype=np.uint64)
    netlist = build_bounded_cosine(FP16)
    found = ProgramEvaluator(netlist, read_program(netlist)).evaluate({"x": codes})["result"]
    finite = (codes & (FP16.sign_mask - 1)) < FP16.infinity
    assert set(found[~finite].tolist()) == {FP16.canonical_nan}
    # Of a zero Arb does not tell the sign: by the standard it is +0.
    assert np.array_equal(found[finite], by_arb("cos_pi", FP16, codes[finite]))


def test_a_wide_format(netlist):
    """A sample: all of these are correctly rounded."""
    (drawn,) = many_codes(WIDE, 40, seed=1, operands=1)
    rng = np.random.default_rng(1)
    near = np.concatenate([rng.uniform(-4, 4, 60), 0.5 + rng.uniform(-1, 1, 20) * 2.0**-30])
    codes = np.concatenate([hard_codes(HARD), drawn, hard_codes(near)])
    found = boolean.evaluate(netlist, {"x": codes})["result"].tolist()
    assert found == [compute("cos_pi", WIDE, *ROUNDING, code) for code in codes.tolist()]


SIZES = {FP32: (3714, 398, 1449), FP64: (13005, 826, 4523)}


def test_its_size(netlist):
    found = netlist.statistics
    assert (found.neurons, found.depth, found.largest_fan_in) == SIZES[WIDE]


def test_formats_of_few_exponents():
    with pytest.raises(ValueError, match="too few exponents"):
        BoundedCosine(ieee_format(4, 6))
    BoundedCosine(FP16)
