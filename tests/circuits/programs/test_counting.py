"""Sizes of programs, also of those that nobody could build; ``test_flattening`` has them built."""

import time

import pytest

from spikeproof.circuits.netlist import Statistics
from spikeproof.circuits.programs.counting import delays, instances, size
from spikeproof.specs.programs import Array, ProgramError, Value, call, call_all, concatenate, module
from tests.support.programs import SUM, dot, linear

ADD, MULTIPLY, FMA = (f"fp32.{name}.rne.threshold" for name in ("add", "multiply", "fma"))
UNITS = {ADD: Statistics(100, 300, 7, 10), MULTIPLY: Statistics(1000, 4000, 9, 25)}
DEPTHS = {name: unit.depth for name, unit in UNITS.items()}


def test_a_layer():
    found = size(linear(5, 3), UNITS)
    assert found.instances == {MULTIPLY: 15, ADD: 12}
    assert (found.neurons, found.synapses) == (15 * 1000 + 12 * 100, 15 * 4000 + 12 * 300)
    assert found.depth == 25 + 4 * 10


def test_a_layer_of_nothing():
    found = size(linear(5, 0), UNITS)
    assert (found.instances, found.neurons, found.synapses, found.depth) == ({}, 0, 0, 0)


def test_depth_is_of_elements():
    """Of a sum in sequence: it matters whether what is added first comes late, or last."""

    def total(late: int):
        def definition(x: Value) -> Value:
            terms = [SUM.multiply(each, each) if k == late else each for k, each in enumerate(x)]
            return SUM.add(SUM.add(SUM.add(terms[0], terms[1]), terms[2]), terms[3])

        return module(f"late {late}", {"x": Array("fp32", (4,))}, definition)

    assert [size(total(late), UNITS).depth for late in range(5)] == [55, 55, 45, 35, 30]


def test_calls_count_by_paths_from_each_input():
    """Of ``x + (y * y)`` only one operand goes through the product."""
    inputs = dict.fromkeys("xy", Array("fp32"))
    inner = module("inner", inputs, lambda x, y: SUM.add(x, SUM.multiply(y, y)))
    assert delays(inner, DEPTHS)[inner.digest][:2].tolist() == [[10], [35]]

    def twice(through: str):
        def definition(x: Value, y: Value) -> Value:
            made = call(inner, x, y)
            return call(inner, *((made, y) if through == "x" else (x, made)))

        return module(f"through {through}", inputs, definition)

    assert size(twice("x"), UNITS).depth == 35 + 10
    assert size(twice("y"), UNITS).depth == 35 + 35


def test_calls_over_axes_are_as_late_as_their_own_operands():
    """The place whose operand is late is not the one that is used."""
    double = module("double", {"x": Array("fp32")}, lambda x: SUM.add(x, x))

    def definition(x: Value) -> dict[str, Value]:
        some = concatenate([SUM.multiply(x, x), x])
        early, late = (call(double, some, over=(4,))[k] for k in (3, 0))
        return {"early": early, "late": late}

    program = module("both", {"x": Array("fp32", (2,))}, definition)
    assert delays(program, DEPTHS)[program.digest][0].tolist() == [10, 35]


def test_constants_and_outputs_without_a_path():
    def definition(x: Value) -> dict[str, Value]:
        two = x.draft.constant("fp32", [1, 2])
        product = SUM.multiply(*two)
        return {"product": product, "input": x, "sum": SUM.add(x, product)}

    program = module("constants", {"x": Array("fp32")}, definition)
    found = delays(program, DEPTHS)[program.digest]
    assert (found < 0).tolist() == [[True, False, False], [False, True, False]]
    assert found[found >= 0].tolist() == [0, 10, 25, 35]
    around = module("around", {"x": Array("fp32")}, lambda x: call_all(program, x)[0])
    assert size(around, UNITS).depth == 25
    assert instances(around) == {MULTIPLY: 1, ADD: 1}


def test_a_trillion_neurons_are_counted_in_a_second():
    units = {ADD: Statistics(1099, 4000, 9, 156), MULTIPLY: Statistics(3153, 9000, 9, 194)}
    program = linear(4096, 60_000)
    started = time.process_time()
    found = size(program, units)
    assert time.process_time() - started < 1
    assert found.neurons == 60_000 * (4096 * 3153 + 4095 * 1099) > 10**12
    assert found.depth == 194 + 4095 * 156


def test_an_operation_without_a_unit_is_named():
    with pytest.raises(ProgramError, match=f"dot: there is no unit {FMA}"):
        size(dot(3, fused=True), UNITS)
