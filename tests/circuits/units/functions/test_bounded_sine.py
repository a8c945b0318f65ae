"""sin(pi x) by a product: FP16 on every input, FP32 (at night FP64) on drawn and on hard ones."""

import numpy as np
import pytest

from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.meanings.program_reading import read_program
from spikeproof.circuits.meanings.programs import ProgramEvaluator
from spikeproof.circuits.units.functions.bounded_sine import BoundedSine, build_bounded_sine
from spikeproof.prover.refutation.drawing import many_codes
from spikeproof.reference.functions import by_arb
from spikeproof.specs.formats import FP16, OverflowPolicy, RoundingMode, ieee_format
from spikeproof.specs.functions import compute
from tests.support.operands import WIDE, hard_codes

ROUNDING = RoundingMode.NEAREST_EVEN, OverflowPolicy.IEEE

HARD = (
    *(0.5, -0.5, 1.5, 1 + 2.0**-52, 1 - 2.0**-53, 2 - 2.0**-52, -3 + 2.0**-51),
    *(0.0, -0.0, 1.0, -1.0, 3.0, 2.0**51 + 0.5, 2.0**52 - 0.5, 2.0**52 + 1, 2.0**53 - 1, 2.0**53),
    *(0.25, 2.0**-32, 2.0**-33, 2.0**-33 - 2.0**-86, 2.0**-34, 1e-300, -1e-300),
    *(5e-324, 1e-323, -1.5e-323, 7e-309, 1.4e-308, 1.5e-308, 2.2250738585072014e-308, 4.5e-308),
    *(1.7976931348623157e308, float("inf"), float("-inf"), float("nan")),
)
"""Next to zeros of the sine, whole and subnormal numbers, or next to where the construction changes."""


def test_every_code():
    """All are correctly rounded."""
    codes = np.arange(1 << FP16.width, dtype=np.uint64)
    netlist = build_bounded_sine(FP16)
    found = ProgramEvaluator(netlist, read_program(netlist)).evaluate({"x": codes})["result"]
    finite = (codes & (FP16.sign_mask - 1)) < FP16.infinity
    assert set(found[~finite].tolist()) == {FP16.canonical_nan}
    # Of a zero Arb does not tell the sign: by the standard it is that of x.
    right = by_arb("sin_pi", FP16, codes[finite])
    right = np.where(right == 0, codes[finite] & FP16.sign_mask, right)
    assert np.array_equal(found[finite], right)


def test_a_wide_format():
    """A sample: all of these are correctly rounded."""
    netlist = build_bounded_sine(WIDE)
    (drawn,) = many_codes(WIDE, 30, seed=1, operands=1)
    rng = np.random.default_rng(1)
    near = np.concatenate([rng.uniform(-4, 4, 40), 1 + rng.uniform(-1, 1, 20) * 2.0**-30])
    codes = np.concatenate([hard_codes(HARD), drawn, hard_codes(near)])
    found = boolean.evaluate(netlist, {"x": codes})["result"].tolist()
    assert found == [compute("sin_pi", WIDE, *ROUNDING, code) for code in codes.tolist()]


def test_formats_of_few_exponents():
    with pytest.raises(ValueError, match="too few exponents"):
        BoundedSine(ieee_format(4, 6))
    BoundedSine(FP16)
