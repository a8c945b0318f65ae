"""A program made one netlist has the neurons that are counted, and computes what they do."""

import numpy as np
import pytest

from spikeproof.circuits.meanings.bitsliced import BitSlicedSimulator
from spikeproof.circuits.programs import flattening
from spikeproof.circuits.programs.counting import size
from spikeproof.circuits.programs.flattening import element_names, flattened
from spikeproof.circuits.programs.running import Neurons
from spikeproof.specs.programs import (
    Arithmetic,
    Array,
    Module,
    ProgramError,
    Value,
    call,
    evaluate,
    module,
)
from tests.support.netlists import all_inputs
from tests.support.programs import dot, small_units

FP4, FP6 = (Arithmetic(name, "rne.threshold") for name in ("fp4_e2m1", "fp6_e2m3"))
UNITS = small_units()
COUNTS = {name: unit.statistics for name, unit in UNITS.items()}


def squares() -> Module:
    """Two calls; both operands of a product are one element, of a difference one a constant."""
    square = module("square", {"x": Array("fp6_e2m3")}, lambda x: FP6.multiply(x, x))

    def definition(x: Value) -> dict[str, Value]:
        squares = call(square, x, over=(2,))
        rest = FP6.subtract(squares, x.draft.constant("fp6_e2m3", 0x2B))
        return {"rest": rest, "one": x.draft.constant("fp6_e2m3", 0x09)}

    return module("squares", {"x": Array("fp6_e2m3", (2,))}, definition)


PROGRAMS = [dot(2, arithmetic=FP4), dot(3, arithmetic=FP4), dot(2, arithmetic=FP6), squares()]


def outputs_of(program: Module, inputs):
    """What neurons of a program make of inputs of the flat netlist, by output bus of that."""
    arrays = [
        np.stack([inputs[bus] for bus in element_names(name, array)], axis=-1).reshape(-1, *array.shape)
        for name, array in program.inputs.items()
    ]
    found = evaluate(program, arrays, Neurons(program, UNITS), arrays[0].shape[:1])
    return {
        bus: elements
        for (name, array), results in zip(program.results.items(), found, strict=True)
        for bus, elements in zip(
            element_names(name, array), results.reshape(len(results), -1).T, strict=True
        )
    }


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_it_computes_the_same(program):
    """On all inputs where these are few; of others it is proved in ``tests/prover/running``."""
    netlist = flattened(program, UNITS)
    few = netlist.input_count <= 16
    draw = np.random.default_rng(3).integers
    some = {bus: draw(0, 1 << width, 50_000) for bus, width in netlist.inputs.items()}
    inputs = all_inputs(netlist) if few else some
    found = BitSlicedSimulator(netlist).evaluate(inputs)
    wanted = outputs_of(program, inputs)
    assert list(found) == list(wanted)
    for bus, codes in wanted.items():
        assert np.array_equal(found[bus], codes), bus


def test_a_fault_in_the_flat_netlist_is_found():
    netlist = flattened(dot(2, arithmetic=FP4), UNITS)
    inputs = all_inputs(netlist)
    swapped = {**inputs, "x.0": inputs["x.1"], "x.1": inputs["x.0"]}
    assert not np.array_equal(
        BitSlicedSimulator(netlist).evaluate(inputs)["result"],
        outputs_of(dot(2, arithmetic=FP4), swapped)["result"],
    )


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_it_has_the_neurons_that_are_counted(program):
    built, counted = flattened(program, UNITS).statistics, size(program, COUNTS)
    if program.name == "squares":
        assert built.neurons == counted.neurons + 2
        assert built.synapses < counted.synapses
    else:
        assert (built.neurons, built.synapses) == (counted.neurons, counted.synapses)
    assert built.depth <= counted.depth


def test_a_single_unit_is_itself():
    x_y = dict.fromkeys("xy", Array("fp6_e2m3"))
    netlist = flattened(module("add", x_y, FP6.add), UNITS)
    unit = UNITS["fp6_e2m3.add.rne.threshold"]
    assert (netlist.inputs, netlist.neurons, netlist.outputs) == (
        unit.inputs,
        unit.neurons,
        unit.outputs,
    )
    assert netlist.statistics.depth == size(module("add", x_y, FP6.add), COUNTS).depth


def test_programs_that_are_too_large_are_refused(monkeypatch):
    monkeypatch.setattr(flattening, "MOST_NEURONS", 100)
    with pytest.raises(ProgramError, match="no program of more than 100 neurons"):
        flattened(PROGRAMS[0], UNITS)
    with pytest.raises(ProgramError, match="there is no unit"):
        flattened(PROGRAMS[0], {})
