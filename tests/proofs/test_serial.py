"""Claims about clocked circuits can fail: faults of their memory are refuted."""

from dataclasses import replace

import pytest

from spikeproof.circuits.clocked import ClockedNetlist, one_step, unrolled
from spikeproof.circuits.meanings.boolean import evaluate
from spikeproof.circuits.units.floating_point.serial import (
    SERIAL_OPERATIONS,
    serial_schedule,
    serial_unit,
)
from spikeproof.circuits.units.serial import SERIAL_UNITS
from spikeproof.proofs import serial
from spikeproof.prover.claims.obligation import Outcome
from spikeproof.prover.refutation.drawing import every_input
from spikeproof.prover.refutation.mutation import FAULTS, mutants
from spikeproof.prover.running.discharge import discharge
from spikeproof.specs.formats import FP4_E2M1, OverflowPolicy, RoundingMode

pytestmark = pytest.mark.usefixtures("counterexamples_as_found")

WIDTH = 3


def undelayed(clocked, state):
    """A state that is passed on as it was, so that what the step gives for it is lost."""
    step = clocked.step
    kept = step.input_buses[state]
    return replace(clocked, step=replace(step, outputs={**step.outputs, state: kept}))


def begun_otherwise(clocked):
    """Every state with its lowest bit flipped at first."""
    return ClockedNetlist(clocked.step, {name: value ^ 1 for name, value in clocked.initial.items()})


def refuted(obligation, netlist):
    return discharge(obligation, circuit=netlist).outcome is Outcome.REFUTED


@pytest.mark.parametrize("operation", SERIAL_UNITS)
def test_faults_of_memory_are_refuted(operation):
    unit = SERIAL_UNITS[operation]
    sound = unit.make("threshold", WIDTH, False)
    obligation = serial.unit("threshold", operation, WIDTH)
    faulty = [begun_otherwise(sound), *(undelayed(sound, state) for state in sound.initial)]
    for clocked in faulty:
        assert refuted(obligation, unrolled(clocked, unit.schedule(clocked, WIDTH)))


@pytest.mark.parametrize("operation", SERIAL_UNITS)
def test_a_circuit_that_is_not_started_again_is_refuted(operation):
    """That of the plain circuit, of which states before are as they may be."""
    unit = SERIAL_UNITS[operation]
    sound, plain = (unit.make("threshold", WIDTH, again) for again in (True, False))
    schedule = unit.schedule(sound, WIDTH, again=True)
    inputs = {name: buses for name, buses in schedule.inputs.items() if name in plain.inputs}
    obligation = serial.unit("threshold", operation, WIDTH, again=True)
    assert refuted(obligation, unrolled(plain, replace(schedule, inputs=inputs)))


@pytest.mark.parametrize("operation", SERIAL_OPERATIONS)
def test_faults_of_floating_point_are_refuted(operation):
    """A step too few, a state that begins as another or is not handed on; and not started again."""
    fmt, mode, policy = FP4_E2M1, RoundingMode.NEAREST_EVEN, OverflowPolicy.SATURATE
    sound, plain, again = (
        serial_unit(operation, fmt, mode, policy, "threshold", each) for each in (False, False, True)
    )
    schedule = serial_schedule(operation, fmt, sound)
    obligation = serial.floating_point(operation, fmt)
    last = schedule.steps - 2
    short = replace(
        schedule, outputs={"result": [(last, "result", place) for place in range(fmt.width)]}
    )
    assert refuted(obligation, unrolled(sound, short))
    given = every_input({"x": fmt.width, "y": fmt.width})
    expected = evaluate(unrolled(sound, schedule), given)["result"]
    begun = [ClockedNetlist(sound.step, {**sound.initial, name: 1}) for name in sound.initial]
    for clocked in (*begun, *(undelayed(sound, name) for name in sound.initial)):
        netlist = unrolled(clocked, schedule)
        if (evaluate(netlist, given)["result"] != expected).any():
            assert refuted(obligation, netlist)
    restarted = serial_schedule(operation, fmt, again)
    inputs = {name: buses for name, buses in restarted.inputs.items() if name in plain.inputs}
    obligation = serial.floating_point(operation, fmt, again=True)
    assert refuted(obligation, unrolled(plain, replace(restarted, inputs=inputs)))
    assert discharge(obligation).outcome is Outcome.PROVED


@pytest.mark.parametrize("operation", serial.ANY_WIDTH)
def test_faults_are_refuted_for_any_number_of_steps(operation):
    make, *_ = serial.ANY_WIDTH[operation]
    sound, obligation = make("ionic", False), serial.of_any_width("ionic", operation)
    assert refuted(obligation, one_step(begun_otherwise(sound)))
    assert all(refuted(obligation, one_step(undelayed(sound, state))) for state in sound.initial)
    given = every_input(one_step(sound).inputs)
    expected = evaluate(one_step(sound), given)
    for kind in FAULTS:
        for mutant in list(mutants(one_step(sound), kind, 1))[:2]:
            found = evaluate(mutant.netlist, given)
            is_faulty = any((found[name] != expected[name]).any() for name in expected)
            assert refuted(obligation, mutant.netlist) == is_faulty
