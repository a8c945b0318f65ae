"""Theorems of functions of more than 16 bits, digit by digit and folded: they hold, and notice faults.

Of a format of 17 bits, in which all inputs are evaluated soon.
"""

from functools import cache

import numpy as np
import pytest

from spikeproof.circuits.meanings import boolean
from spikeproof.proofs.functions import FunctionUnit
from spikeproof.prover.claims.obligation import Outcome
from spikeproof.prover.refutation.mutation import sample
from spikeproof.prover.running.discharge import discharge
from spikeproof.specs.formats import RoundingMode, ieee_format

NARROW = ieee_format(8, 8)
NEAREST = RoundingMode.NEAREST_EVEN
FUNCTIONS = ["reciprocal", "rsqrt", "sin_pi", "cos_pi"]
EVERY = np.arange(1 << NARROW.width, dtype=np.uint64)


@cache
def right(function: str) -> np.ndarray:
    return FunctionUnit.of(function, NARROW, NEAREST).block(0, len(EVERY))["result"]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_units_are_proved(function):
    result = discharge(FunctionUnit.of(function, NARROW, NEAREST).obligation())
    assert result.green, result.message


@pytest.mark.parametrize("mode", RoundingMode)
@pytest.mark.parametrize("function", ["reciprocal", "rsqrt"])
def test_every_mode(function, mode):
    result = discharge(FunctionUnit.of(function, NARROW, mode).obligation())
    assert result.green, result.message


@pytest.mark.parametrize("function", FUNCTIONS)
def test_faulty_units_are_refuted(function):
    """As what their results are, neuron by neuron, says they must be."""
    obligation = FunctionUnit.of(function, NARROW, NEAREST).obligation()
    refuted = 0
    for _, mutant in sample(obligation.circuit(), 4, 20261129):
        wrong = boolean.evaluate(mutant.netlist, {"x": EVERY})["result"] != right(function)
        result = discharge(obligation, circuit=mutant.netlist)
        assert result.outcome is (Outcome.REFUTED if wrong.any() else Outcome.PROVED), mutant.fault
        if wrong.any():
            refuted += 1
            assert wrong[result.counterexample["x"]]
    assert refuted > 1


@pytest.mark.parametrize("function", ["reciprocal", "rsqrt"])
def test_another_mode_is_another_function(function):
    upward = FunctionUnit.of(function, NARROW, RoundingMode.UP)
    nearest = FunctionUnit.of(function, NARROW, NEAREST)
    assert discharge(nearest.obligation(), circuit=upward.circuit()).outcome is Outcome.REFUTED
