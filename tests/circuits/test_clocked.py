"""Clocked netlists: what is refused, and that unrolled they are what runs step by step."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from spikeproof.circuits.clocked import (
    ClockedNetlist,
    Schedule,
    buses_of,
    held,
    in_turn,
    one_step,
    train,
    unrolled,
)
from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.meanings.bitsliced import BitSlicedSimulator
from spikeproof.circuits.meanings.clocked import run, run_words
from spikeproof.circuits.meanings.membrane import MembraneSimulator
from spikeproof.circuits.netlist import ONE, ZERO, Netlist, NetlistBuilder, NetlistError, Neuron
from spikeproof.circuits.units.serial import SERIAL_UNITS, serial_adder
from spikeproof.prover.refutation.drawing import every_input

WIDTH = 3


def delays(count, initial=0):
    """A chain of delays, each of one step: what comes in, so many steps later."""
    builder = NetlistBuilder()
    (given,), kept = builder.input("x", 1), builder.input("kept", count)
    step = builder.build({"out": (kept[-1],), "kept": (given, *kept[:-1])})
    return ClockedNetlist(step, {"kept": initial})


@pytest.mark.parametrize("initial", [0, 1, 2])
def test_a_delay_is_of_one_step(initial):
    trains = [{"x": np.array([value])} for value in (1, 0, 0, 1, 0, 0)]
    clocked = delays(2, initial)
    found = run(clocked, partial(boolean.evaluate, clocked.step), trains)
    first = [initial >> 1, initial & 1]
    assert [int(step["out"][0]) for step in found] == [*first, 1, 0, 0, 1]


def test_what_was_before_may_be_given():
    words = {"x": 4, "kept": 2}
    buses = buses_of(words)
    schedule = Schedule(
        words,
        {"x": in_turn(buses["x"], 6)},
        {"out": train("out", range(6)), "end": train("kept", [5, 5][:1])},
        {"kept": buses["kept"]},
    )
    netlist = unrolled(delays(2), schedule)
    given = every_input(words)
    found = boolean.evaluate(netlist, given)
    x, kept = given["x"], given["kept"]
    assert np.array_equal(found["out"], kept >> 1 | (kept & 1) << 1 | x << 2)


@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize("operation", SERIAL_UNITS)
def test_every_simulator_runs_what_is_unrolled(operation, again):
    """And both are the operation, on every input and, started again, every state before."""
    unit = SERIAL_UNITS[operation]
    clocked = unit.make("ionic", WIDTH, again)
    schedule = unit.schedule(clocked, WIDTH, again)
    netlist = unrolled(clocked, schedule)
    given = every_input(schedule.words)
    expected = boolean.evaluate(netlist, given)
    x, y = given["x"], given["y"]
    right = {
        "add": lambda: expected["sum"] + (expected["carry"] << WIDTH) == x + y,
        "less_than": lambda: expected["out"] == (x < y),
        "multiply": lambda: expected["product"] == x * y,
    }
    assert right[operation]().all()
    step = clocked.step
    simulators = (
        partial(boolean.evaluate, step),
        BitSlicedSimulator(step, 1).evaluate,
        MembraneSimulator(step).evaluate_words,
    )
    for evaluate in simulators:
        found = run_words(clocked, schedule, evaluate, given)
        assert {name: found[name].tolist() for name in found} == {
            name: expected[name].tolist() for name in expected
        }


def test_one_step_says_what_states_begin_as():
    netlist = one_step(delays(3, initial=5))
    found = boolean.evaluate(netlist, {"x": np.array([1]), "kept": np.array([2])})
    assert {name: int(word[0]) for name, word in found.items()} == {
        "out": 0,
        "kept": 5,
        "initial.kept": 5,
    }
    step = delays(1).step
    outputs = {**step.outputs, "initial.kept": (0,)}
    with pytest.raises(NetlistError, match=r"'initial\.kept'; rename it"):
        one_step(ClockedNetlist(replace(step, outputs=outputs), {"kept": 0}))


def test_a_state_is_an_input_and_an_output():
    step = Netlist({"x": 1, "kept": 1}, (Neuron(((0, 1), (1, 1)), 1),), {"kept": (2,), "out": (2,)})
    for initial, problem in (
        ({"x": 0}, "'x' must be an input and an output"),
        ({"out": 0}, "'out' must be an input and an output"),
        ({"kept": 2}, "'kept' cannot begin as 2; it has 1 bits"),
        ({"kept": True}, "'kept' cannot begin as True"),
    ):
        with pytest.raises(NetlistError, match=problem):
            ClockedNetlist(step, initial)


def test_a_schedule_is_of_its_circuit():
    clocked = serial_adder("threshold")
    words, one = {"x": 2}, in_turn((0, 1), 2)
    outputs = {"sum": train("sum", range(2))}
    for schedule, problem in (
        (Schedule(words, {"x": one}, outputs), r"the schedule is of \['x'\]"),
        (Schedule(words, {"x": one, "y": one[:1]}, outputs), "'y' needs 1 bits in each of 2 steps"),
        (Schedule(words, {"x": one, "y": held((ZERO, ONE), 2)}, outputs), "'y' needs 1 bits"),
        (Schedule(words, {"x": one, "y": one}, outputs, {"sum": (0,)}), "'sum' is no state"),
        (Schedule(words, {"x": one, "y": one}, outputs, {"carry": (0, 1)}), "'carry' needs 1 bits"),
        (Schedule(words, {"x": one, "y": one}, {"z": [(0, "sum", 1)]}), "no bit 1 of an output 'sum'"),
        (Schedule(words, {"x": one, "y": one}, {"z": [(0, "z", 0)]}), "no bit 0 of an output 'z'"),
    ):
        with pytest.raises(NetlistError, match=problem):
            unrolled(clocked, schedule)
