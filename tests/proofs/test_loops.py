"""Claims about any number of steps can fail: at first, at a start, or in a step."""

from dataclasses import replace

import numpy as np
import pytest

from spikeproof.circuits.clocked import ClockedNetlist, one_step
from spikeproof.circuits.meanings.boolean import evaluate
from spikeproof.circuits.units.floating_point.accumulator import accumulator
from spikeproof.proofs.loops import LOOPS, Loop
from spikeproof.prover.claims.obligation import Outcome
from spikeproof.prover.refutation.drawing import every_input
from spikeproof.prover.refutation.mutation import FAULTS, mutants
from spikeproof.prover.running.discharge import discharge
from spikeproof.specs.formats import FP4_E2M1, OverflowPolicy, RoundingMode

pytestmark = pytest.mark.usefixtures("counterexamples_as_found")

MODE, POLICY = RoundingMode.NEAREST_EVEN, OverflowPolicy.SATURATE


def accumulate(operation):
    return accumulator(operation, FP4_E2M1, MODE, POLICY)


def deaf_to(clocked, name):
    """The same, but it reads 0 in place of an input bus."""
    step = clocked.step
    neurons = tuple(
        replace(each, synapses=tuple(s for s in each.synapses if s[0] not in step.input_buses[name]))
        for each in step.neurons
    )
    return ClockedNetlist(replace(step, neurons=neurons), clocked.initial)


@pytest.mark.parametrize("operation", ["add", "fma"])
def test_faults_of_memory_are_refuted(operation):
    obligation = Loop(operation, FP4_E2M1).obligation
    sound = accumulate(operation)
    held = sound.step.input_buses["sum"]
    faulty = {
        "begins as another number": ClockedNetlist(sound.step, {"sum": 2}),
        "is never started": deaf_to(sound, "start"),
        "forgets what it held": deaf_to(sound, "sum"),
        "holds what it held": replace(sound, step=replace(sound.step, outputs={"sum": held})),
    }
    assert discharge(obligation, circuit=one_step(sound)).outcome is Outcome.PROVED
    for fault, clocked in faulty.items():
        assert discharge(obligation, circuit=one_step(clocked)).outcome is Outcome.REFUTED, fault


@pytest.mark.parametrize("kind", FAULTS)
def test_faults_of_a_step_are_refuted(kind):
    """The first of each kind that enumeration tells from the sound circuit."""
    obligation = Loop("add", FP4_E2M1).obligation
    netlist = obligation.circuit()
    given = every_input(netlist.inputs)
    expected = evaluate(netlist, given)

    def differs(found):
        return any(not np.array_equal(found[name], expected[name]) for name in expected)

    faulty = next(m for m in mutants(netlist, kind, 1) if differs(evaluate(m.netlist, given)))
    assert discharge(obligation, circuit=faulty.netlist).outcome is Outcome.REFUTED, faulty.fault


def test_a_sum_of_wider_terms_is_named_by_them():
    name = "loop.fp32.fma_from_fp8_e4m3fn_and_fp8_e4m3fn_and_fp32.rne"
    assert next(loop.name for loop in LOOPS if loop.terms) == name
