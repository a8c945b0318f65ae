"""The meanings of a netlist agree: Boolean evaluation, machine code, membrane potentials, formula."""

from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pysmt.shortcuts import Equals, Not

from spikeproof.circuits.meanings import boolean, formula
from spikeproof.circuits.meanings.bitsliced import BitSlicedSimulator
from spikeproof.circuits.meanings.membrane import Membrane, MembraneSimulator, Reset
from spikeproof.circuits.netlist import Netlist
from spikeproof.prover.engines.engine import ENGINES
from spikeproof.prover.evidence.record import Status
from spikeproof.specs.formats import FP8_E4M3FN
from tests.support.circuits import GATES_AND_BLOCKS, UNITS, assert_same_outputs, unit_of_e4m3fn
from tests.support.engines import INSTALLED
from tests.support.formula_evaluation import evaluate
from tests.support.netlists import all_inputs, netlists
from tests.support.operands import operands
from tests.support.profile import NIGHTLY


def by_machine_code(netlist: Netlist, inputs) -> dict[str, np.ndarray]:
    return BitSlicedSimulator(netlist).evaluate(inputs)


LOGICAL = Membrane()


def by_membrane(netlist: Netlist, inputs, membrane=LOGICAL) -> dict[str, np.ndarray]:
    bits = {
        name: torch.from_numpy(boolean.unpack_words(words, netlist.inputs[name]))
        for name, words in inputs.items()
    }
    outputs = MembraneSimulator(netlist, membrane).evaluate(bits)
    return {name: boolean.pack_words(bus.numpy()) for name, bus in outputs.items()}


def by_formula(netlist: Netlist, inputs) -> dict[str, np.ndarray]:
    outputs = formula.output_formulas(netlist, formula.input_symbols(netlist))
    return {name: evaluate(bus, inputs) for name, bus in outputs.items()}


def assert_agreement(
    netlist: Netlist, inputs, meanings=(by_machine_code, by_membrane, by_formula)
) -> None:
    wanted = boolean.evaluate(netlist, inputs)
    for meaning in meanings:
        assert_same_outputs(meaning(netlist, inputs), wanted, meaning.__name__)


@pytest.mark.parametrize("netlist", GATES_AND_BLOCKS)
def test_on_every_gate_and_block_with_every_input(netlist):
    assert_agreement(netlist, all_inputs(netlist))


@pytest.mark.parametrize(("library", "operation"), UNITS)
def test_on_every_unit_of_e4m3fn_with_every_pair(library, operation):
    assert_agreement(unit_of_e4m3fn(library, operation), operands(FP8_E4M3FN, operation))


@given(netlists())
def test_on_random_netlists_with_every_input(netlist):
    assert_agreement(netlist, all_inputs(netlist))


any_rational = st.fractions(-5, 5, max_denominator=30)


@given(netlists(weights=any_rational))
def test_on_any_rational_weights(netlist):
    """Which membranes do not have: their potentials are floats."""
    assert_agreement(netlist, all_inputs(netlist), (by_machine_code, by_formula))


@settings(max_examples=100 if NIGHTLY else 12)
@given(netlists())
def test_engines_read_the_formula_as_the_simulator_does(netlist):
    """On a random input, no engine finds another output than the simulated one."""
    inputs = all_inputs(netlist)
    symbols = formula.input_symbols(netlist)
    bus = formula.output_formulas(netlist, symbols)["out"]
    table = boolean.evaluate(netlist, inputs)["out"]
    row = np.random.default_rng(0).integers(len(table))
    fixed = [
        Equals(symbol, formula.BV(int(inputs[name][row]), symbol.bv_width()))
        for name, symbol in symbols.items()
    ]
    different = Not(Equals(bus, formula.BV(int(table[row]), bus.bv_width())))
    for name in INSTALLED:
        assert ENGINES[name].check([*fixed, different], 10).status is Status.UNSATISFIABLE


@given(netlists(), st.sampled_from((0.0, 0.25, 0.5, 1.0)), st.sampled_from(Reset))
def test_leak_and_reset_do_not_matter_when_potentials_are_cleared(netlist, beta, reset):
    inputs = all_inputs(netlist)
    assert np.array_equal(
        by_membrane(netlist, inputs, Membrane(beta=beta, reset=reset))["out"],
        boolean.evaluate(netlist, inputs)["out"],
    )


def test_weights_that_floats_cannot_hold_are_refused_by_the_membrane():
    from spikeproof.circuits.netlist import Neuron

    third = Netlist({"a": 1}, (Neuron(((0, Fraction(1, 3)),), Fraction(1, 6)),), {"out": (1,)})
    with pytest.raises(ValueError, match="1/3 is not exact in float64; scale the neuron"):
        MembraneSimulator(third)
