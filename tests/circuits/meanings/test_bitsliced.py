"""The bit-sliced simulator's logic and machine code, whatever form they have.

``test_agreement`` compares it with the other meanings.
"""

import random
from fractions import Fraction
from functools import cache

import numpy as np
import pytest

from spikeproof.circuits.meanings import boolean, logic, native
from spikeproof.circuits.meanings.bitsliced import BitSlicedSimulator
from spikeproof.circuits.meanings.logic import Logic, computed, plan, reaches, read_netlist
from spikeproof.circuits.netlist import Netlist, Neuron
from spikeproof.circuits.units.floating_point.building import build_unit
from spikeproof.circuits.units.libraries import LIBRARIES, gate_netlist
from spikeproof.prover.refutation.drawing import many_codes
from spikeproof.specs.formats import FP8_E4M3FN, FP16, FP32, FP64, OverflowPolicy, RoundingMode
from tests.support.netlists import all_inputs
from tests.support.operands import operands

NEAREST = RoundingMode.NEAREST_EVEN


@pytest.mark.parametrize(
    ("fmt", "operation", "numpy_type", "function"),
    [
        (FP16, "add", np.float16, np.add),
        (FP32, "multiply", np.float32, np.multiply),
        (FP64, "add", np.float64, np.add),
    ],
)
def test_units_against_numpy(fmt, operation, numpy_type, function):
    x, y = many_codes(fmt, 20_001, seed=5)
    netlist = build_unit(operation, fmt, NEAREST, OverflowPolicy.IEEE, "threshold")
    found = BitSlicedSimulator(netlist).evaluate({"x": x, "y": y})["result"]
    unsigned = np.dtype(f"u{fmt.width // 8}")
    with np.errstate(all="ignore"):
        result = function(*(codes.astype(unsigned).view(numpy_type) for codes in (x, y)))
    wanted = np.where(np.isnan(result), unsigned.type(fmt.canonical_nan), result.view(unsigned))
    assert np.array_equal(found, wanted.astype(np.uint64))


# --- neurons as logic ---------------------------------------------------------------------------


def value(graph: Logic, literal: int, inputs: list[bool]) -> bool:
    """The value of a literal, the graph being read as it is written."""
    values = [False, *inputs]
    for operation, a, b in graph.operations:
        x, y = values[a >> 1] ^ bool(a & 1), values[b >> 1] ^ bool(b & 1)
        values.append(x and y if operation == "and" else x != y)
    return values[literal >> 1] ^ bool(literal & 1)


def tables():
    rng = random.Random(3)
    yield from ((table, count) for count in (0, 1, 2, 3) for table in range(1 << (1 << count)))
    yield from ((rng.getrandbits(1 << count), count) for count in (4, 5) for _ in range(100))


def test_truth_tables():
    for table, count in tables():
        graph = Logic(count)
        literal = computed(graph, plan(table, count), list(map(graph.input, range(count))))
        for row in range(1 << count):
            bits = [bool(row >> place & 1) for place in range(count)]
            assert value(graph, literal, bits) == bool(table >> row & 1), (table, count, row)


@pytest.mark.parametrize(
    ("table", "operations"),
    [
        ("1000", 1),
        ("0110", 1),
        ("10010110", 2),  # a xor b xor c
        ("11101000", 4),  # majority
        ("11001010", 3),  # c ? b : a
    ],
)
def test_truth_tables_take_few_operations(table, operations):
    assert len(plan(int(table, 2), len(table).bit_length() - 1)[0]) == operations


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_full_adder_takes_five_operations(library):
    assert BitSlicedSimulator(gate_netlist(library, "full_adder")).operations == 5


def wide_neurons():
    rng = random.Random(7)
    for count in (6, 9, 14, 40):
        literals = list(range(count))
        yield [(i, 1) for i in literals], count // 2
        yield [(i, 1) for i in literals], 1
        yield [(i, 1) for i in literals], count
        yield [(i, 1 << i) for i in literals], rng.getrandbits(count)
        yield [(i, rng.choice((-3, -1, 1, 2))) for i in literals], 2
        yield [(i, rng.randint(1, 10**6) * rng.choice((-1, 1))) for i in literals], 1234
    yield [(i, 1) for i in range(300)], 151
    yield [(i, (-1) ** i) for i in range(2000)], 3


@pytest.mark.parametrize(("synapses", "drive"), list(wide_neurons()))
def test_wide_neurons(synapses, drive):
    graph = Logic(len(synapses))
    literal = reaches(graph, [(graph.input(i), weight) for i, weight in synapses], drive)
    assert len(graph.operations) < 200 + 20 * sum(abs(w).bit_length() for _, w in synapses)
    rng = random.Random(0)
    for _ in range(40):
        likely = rng.random()
        bits = [rng.random() < likely for _ in synapses]
        fires = sum(weight for (_, weight), bit in zip(synapses, bits, strict=True) if bit) >= drive
        assert value(graph, literal, bits) == fires


def test_wide_neurons_with_fractions():
    weights = [Fraction(1, 3), Fraction(-2, 7), Fraction(1, 2), Fraction(5, 6), -1, Fraction(1, 7), 2]
    neuron = Neuron(tuple(enumerate(weights)), Fraction(5, 42), Fraction(-1, 3))
    netlist = Netlist({"x": 7}, (neuron,), {"out": (7,)})
    inputs = all_inputs(netlist)
    found = BitSlicedSimulator(netlist).evaluate(inputs)
    assert np.array_equal(found["out"], boolean.evaluate(netlist, inputs)["out"])


# --- machine code -------------------------------------------------------------------------------


@pytest.fixture(params=["one part", "many parts", "as it stands"])
def optimised(request, monkeypatch):
    """The forms that code takes: up to how many operations it is optimised."""
    monkeypatch.setattr(native, "PART", 7 if request.param == "many parts" else native.PART)
    monkeypatch.setattr(native, "SHORT_PART", 5)
    monkeypatch.setattr(native, "MODULE", 3)
    monkeypatch.setattr(native, "GROUP", 7)
    return 0 if request.param == "as it stands" else native.OPTIMISED


@pytest.mark.parametrize("operation", ["add", "fma"])
def test_every_form_of_code(optimised, operation):
    netlist = build_unit(operation, FP8_E4M3FN, NEAREST, OverflowPolicy.SATURATE, "nexus")
    inputs = operands(FP8_E4M3FN, operation)
    found = BitSlicedSimulator(netlist, optimised=optimised).evaluate(inputs)
    assert np.array_equal(found["result"], boolean.evaluate(netlist, inputs)["result"])


@pytest.mark.parametrize("count", [0, 1, 255, 256, 257, 40_000])
def test_arrays_are_what_words_are(count):
    """Of mixed widths, and of any type, strides and shape; bits above a bus's width don't count."""
    netlist = build_unit("fma", FP16, NEAREST, OverflowPolicy.IEEE, "threshold", source=FP8_E4M3FN)
    rng = np.random.default_rng(count)
    codes = [rng.integers(0, 1 << width, count) for width in netlist.inputs.values()]
    words = BitSlicedSimulator(netlist, threads=2)
    (wanted,) = words.evaluate(dict(zip(netlist.inputs, codes, strict=True))).values()
    x, y, z = (given.astype(np.uint16) for given in codes)
    every_second = np.repeat(y, 2)[::2] | 0x8000
    (found,) = words.on_arrays([x.astype(np.uint8), every_second, z.astype(np.uint64)])
    assert found.dtype == np.uint16
    assert np.array_equal(found, wanted)
    if count:
        (found,) = words.on_arrays([np.broadcast_to(each, (2, 1, count)) for each in (x, y, z)], 1)
        assert found.shape == (2, 1, count)
        assert np.array_equal(found[1, 0], wanted)


def test_arrays_are_of_machine_words():
    wide = Netlist({"x": 65}, (), {"out": (0,)})
    with pytest.raises(ValueError, match="up to 64 bits"):
        BitSlicedSimulator(wide).on_arrays([np.zeros(1, np.uint64)])


def outputs_of_every_kind() -> Netlist:
    """Constants, inputs, their negations, a neuron and its negation, some of them twice."""
    neurons = (
        Neuron((), 0),
        Neuron((), 1),
        Neuron(((0, -1),), 0),
        Neuron(((0, 1), (1, 1)), 2),
        Neuron(((5, -1),), 0),
    )
    return Netlist({"a": 1, "b": 1}, neurons, {"one": (2, 3, 0, 4), "two": (5, 6, 1, 5, 2)})


def test_outputs_of_every_kind(optimised):
    inputs = {"a": np.array([0, 1, 0, 1]), "b": np.array([0, 0, 1, 1])}
    found = BitSlicedSimulator(outputs_of_every_kind(), optimised=optimised).evaluate(inputs)
    assert found["one"].tolist() == [0b1001, 0b0101, 0b1001, 0b0101]
    assert found["two"].tolist() == [0b10010, 0b10010, 0b10110, 0b11101]


@cache
def inverting_and_reversing(width):
    """A bus inverted, and itself the other way round."""
    inverted = tuple(Neuron(((i, -1),), 0) for i in range(width))
    outputs = {"inverted": tuple(range(width, 2 * width)), "reversed": tuple(range(width))[::-1]}
    return BitSlicedSimulator(Netlist({"x": width}, inverted, outputs))


@pytest.mark.parametrize("width", [1, 16, 17, 32, 33, 64, 65, 130])
@pytest.mark.parametrize("count", [0, 1, 255, 256, 257, 1000])
def test_words_of_any_width_in_any_number(width, count):
    rng = random.Random(width)
    words = [rng.getrandbits(width) for _ in range(count)]
    simulator = inverting_and_reversing(width)
    found = simulator.evaluate({"x": np.array(words, dtype=object if width > 64 else np.uint64)})
    assert [int(word) for word in found["inverted"]] == [~word & ((1 << width) - 1) for word in words]
    assert [int(word) for word in found["reversed"]] == [
        int(f"{word:0{width}b}"[::-1], 2) for word in words
    ]


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_any_number_of_threads(threads):
    netlist = build_unit("add", FP16, NEAREST, OverflowPolicy.IEEE, "threshold")
    x, y = many_codes(FP16, 5000, seed=1)
    found = BitSlicedSimulator(netlist, threads).evaluate({"x": x, "y": y})
    assert np.array_equal(found["result"], boolean.evaluate(netlist, {"x": x, "y": y})["result"])


def test_inputs_that_do_not_suit_are_refused():
    simulator = BitSlicedSimulator(gate_netlist("ionic", "and"))
    bit = np.array([1])
    with pytest.raises(ValueError, match="the netlist has"):
        simulator.evaluate({"a": bit})
    with pytest.raises(ValueError, match="values must lie between 0 and 1 to fit 1 bits"):
        simulator.evaluate({"a": np.array([2]), "b": bit})
    with pytest.raises(ValueError, match="values must lie between 0 and 1 to fit 1 bits"):
        simulator.evaluate({"a": np.array([-1]), "b": bit})
    with pytest.raises(ValueError, match="give all the same"):
        simulator.evaluate({"a": np.array([1, 0]), "b": bit})


def test_what_no_output_needs_is_left_out():
    unused = Neuron(((0, 1), (1, 1)), 1)
    netlist = Netlist({"a": 1, "b": 1}, (unused, Neuron(((0, 1), (1, 1)), 2)), {"out": (3,)})
    assert BitSlicedSimulator(netlist).operations == 1
    assert len(read_netlist(netlist).logic.operations) == 2


def test_equal_logic_is_shared():
    twice = (Neuron(((0, 1), (1, 1)), 2), Neuron(((0, 2), (1, 3)), 5))
    netlist = Netlist({"a": 1, "b": 1}, twice, {"out": (2, 3)})
    assert BitSlicedSimulator(netlist).operations == 1


def test_sources_that_are_read_through_are_few():
    """Reading through sources never widens a function, or truth tables would grow without bound."""
    netlist = build_unit("multiply", FP16, NEAREST, OverflowPolicy.IEEE, "nexus")
    assert logic.LEAVES <= logic.TABLE_FAN_IN
    assert BitSlicedSimulator(netlist).operations < 1600
