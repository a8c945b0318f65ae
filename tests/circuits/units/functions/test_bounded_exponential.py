"""exp within a bound: a small format on every input, FP64 on inputs drawn by class and on hard ones."""

import numpy as np
import pytest

from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.meanings.program_reading import read_program
from spikeproof.circuits.meanings.programs import ProgramEvaluator, require_program
from spikeproof.circuits.units.functions.bounded_exponential import (
    BoundedExponential,
    build_bounded_exponential,
)
from spikeproof.prover.refutation.drawing import many_codes
from spikeproof.reference.functions import by_mpfr
from spikeproof.specs.formats import BFLOAT16, FP16, FP64, RoundingMode, ieee_format

RNE = RoundingMode.NEAREST_EVEN

DRAWN = 120

HARD = (
    7.541752774995959e-10,  # e^x is 2^-113 of itself from midway between two numbers, nearly
    -1.4e-10,
    2.0**-54,
    -(2.0**-54),
    5e-324,
    1.0,
    709.782712893384,
    709.7827128933841,
    -708.3964185322641,
    -745.1332191019411,
    -745.1332191019412,
)
"""Where it is hard to round, or beside where results are constant or subnormal."""


@pytest.fixture(scope="module")
def netlist():
    return build_bounded_exponential(FP64)


@pytest.mark.parametrize("fmt", [FP16, ieee_format(6, 10)], ids=str)
def test_every_code(fmt):
    """Correctly rounded, but for one result in a thousand, which is another by one in the last place."""
    netlist = build_bounded_exponential(fmt)
    codes = np.arange(1 << fmt.width, dtype=np.uint64)
    program = ProgramEvaluator(netlist, read_program(netlist))
    found = program.evaluate({"x": codes})["result"].astype(np.int64)
    wrong = np.abs(found - by_mpfr("exp", fmt, RNE, codes))
    assert wrong.max() <= 1
    assert np.count_nonzero(wrong) <= 1e-3 * len(codes)


def test_fp64(netlist):
    """A sample: all of these are correctly rounded."""
    hard = np.array(HARD).view(np.uint64)
    (drawn,) = many_codes(FP64, DRAWN, seed=1, operands=1)
    (usual,) = (np.random.default_rng(1).uniform(-746, 710, DRAWN).view(np.uint64),)
    codes = np.concatenate([hard, drawn, usual])
    found = boolean.evaluate(netlist, {"x": codes})["result"]
    assert np.array_equal(found, by_mpfr("exp", FP64, RNE, codes).astype(np.uint64))


def test_its_size(netlist):
    found = netlist.statistics
    assert (found.neurons, found.depth, found.largest_fan_in) == (3474, 666, 483)
    require_program(netlist, read_program(netlist))


def test_formats_of_few_exponents():
    with pytest.raises(ValueError, match="too few exponents"):
        BoundedExponential(ieee_format(4, 6))
    BoundedExponential(BFLOAT16)
