"""log and log2 within a bound: FP16 on every input, FP64 on inputs drawn by class and on hard ones."""

import numpy as np
import pytest

from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.meanings.program_reading import read_program
from spikeproof.circuits.meanings.programs import ProgramEvaluator
from spikeproof.circuits.units.functions.bounded_logarithm import (
    BoundedLogarithm,
    build_bounded_logarithm,
)
from spikeproof.prover.refutation.drawing import many_codes
from spikeproof.reference.functions import by_mpfr
from spikeproof.specs.formats import FP16, FP64, RoundingMode, ieee_format

RNE = RoundingMode.NEAREST_EVEN

HARD = (
    1.0,
    1 - 2.0**-53,
    1 + 2.0**-52,
    1 + 2.0**-26,
    float.fromhex("0x1.62a88613629b6p+678"),  # log(x) is 2^-65 of its last place from a number
    5e-324,
    2.2250738585072014e-308,
    1.7976931348623157e308,
    2.0,
    0.5,
    0.0,
    -0.0,
    -5e-324,
    -1.0,
    float("inf"),
    float("-inf"),
    float("nan"),
)
"""Next to 1, where it is hard to round, subnormal, or where results are constant."""


@pytest.fixture(scope="module", params=["log", "log2"])
def function(request):
    return request.param


@pytest.fixture(scope="module")
def netlist(function):
    return build_bounded_logarithm(FP64, function)


def test_every_code(function):
    """All are correctly rounded."""
    netlist = build_bounded_logarithm(FP16, function)
    codes = np.arange(1 << FP16.width, dtype=np.uint64)
    program = ProgramEvaluator(netlist, read_program(netlist))
    found = program.evaluate({"x": codes})["result"].astype(np.int64)
    assert np.array_equal(found, by_mpfr(function, FP16, RNE, codes))


def test_fp64(netlist, function):
    """A sample: all of these are correctly rounded."""
    (drawn,) = many_codes(FP64, 40, seed=1, operands=1)
    near = np.random.default_rng(1).uniform(0.4, 2, 20).view(np.uint64)
    codes = np.concatenate([np.array(HARD).view(np.uint64), drawn, near])
    found = boolean.evaluate(netlist, {"x": codes})["result"]
    assert np.array_equal(found, by_mpfr(function, FP64, RNE, codes).astype(np.uint64))


def test_its_size(netlist):
    found = netlist.statistics
    assert (found.neurons, found.depth, found.largest_fan_in) == (7037, 1352, 1022)


def test_formats_of_few_exponents():
    with pytest.raises(ValueError, match="too few exponents"):
        BoundedLogarithm.of(ieee_format(4, 6))
    BoundedLogarithm.of(ieee_format(5, 10))
