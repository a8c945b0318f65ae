"""Netlists: validation, folding, sharing, hashing, statistics."""

import json
import random
from dataclasses import replace
from fractions import Fraction
from hashlib import sha256
from itertools import product

import numpy as np
import pytest
from hypothesis import given

from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.netlist import (
    ONE,
    UNUSED,
    ZERO,
    Block,
    Netlist,
    NetlistBuilder,
    NetlistError,
    Neuron,
    Statistics,
)
from spikeproof.circuits.units.floating_point.building import build_unit
from spikeproof.circuits.units.libraries import LIBRARIES, gate_netlist
from spikeproof.proofs.units import OPERATIONS
from spikeproof.specs.formats import FP8_E5M2, OverflowPolicy, RoundingMode
from tests.support.netlists import all_inputs, netlists

AND = Neuron(((0, 1), (1, 1)), Fraction(3, 2))
NAN = float("nan")
INFINITE = float("inf")


@pytest.mark.parametrize(
    ("neuron", "message"),
    [
        (Neuron(((2, 1),), 1), "cyclic: neuron 2 reads signal 2"),
        (Neuron(((7, 1),), 1), "dangling: neuron 2 reads signal 7, which does not exist"),
        (Neuron(((-1, 1),), 1), "dangling: neuron 2 reads signal -1"),
        (Neuron(((0, 1), (0, 1)), 1), "reads signal 0 twice; add the two weights"),
        (Neuron(((0, 0),), 1), "with weight 0; leave the synapse out"),
        (Neuron(((0, NAN),), 1), "weight of neuron 2 on signal 0 is nan; use a finite number"),
        (Neuron(((0, 1),), INFINITE), "threshold of neuron 2 is inf; use a finite number"),
        (Neuron(((0, 1),), 1, -INFINITE), "bias of neuron 2 is -inf; use a finite number"),
        (Neuron(((0, 1),), 0.5), r"threshold of neuron 2 is 0.5; convert it with exact_weight"),
        (Neuron((("a", 1),), 1), "reads signal 'a'; signals are integers"),
    ],
)
def test_ill_formed_neurons_are_refused(neuron, message):
    with pytest.raises(NetlistError, match=message):
        Netlist({"a": 1, "b": 1}, (neuron,), {"out": (2,)})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"inputs": {"a": 0, "b": 2}}, "input 'a' has width 0; use a positive integer"),
        ({"inputs": {}}, "no inputs"),
        ({"inputs": {"a\0": 1, "b": 1}}, "is no name for a bus"),
        ({"outputs": {}}, "no outputs"),
        ({"outputs": {"out": ()}}, "output 'out' has no bits"),
        ({"outputs": {"out": (3,)}}, "dangling: bit 0 of output 'out' names signal 3"),
        ({"outputs": {"out": (UNUSED,)}}, "dangling: bit 0 of output 'out' names signal -1"),
        ({"probes": {"p": (9,)}}, "dangling: bit 0 of probe 'p' names signal 9"),
        (
            {"blocks": (Block("b", "k", {"x": (0,)}, {"y": (2,)}),)},
            "block 'b' depends on input signal 1, which is not among its inputs",
        ),
    ],
)
def test_ill_formed_netlists_are_refused(changes, message):
    sound = Netlist({"a": 1, "b": 1}, (AND,), {"out": (2,)})
    with pytest.raises(NetlistError, match=message):
        replace(sound, **changes)


def test_constants_fold_away():
    builder = NetlistBuilder()
    (a,) = builder.input("a", 1)
    assert builder.neuron([(a, 1), (ZERO, 1)], Fraction(3, 2)) == ZERO  # a AND 0
    assert builder.neuron([(a, 1), (ONE, 1)], Fraction(1, 2)) == ONE  # a OR 1
    assert builder.neuron([(a, 1), (ONE, 1)], Fraction(3, 2)) == a  # a AND 1
    assert builder.neuron([(a, 1), (a, -1)], Fraction(1, 2)) == ZERO  # a - a
    inverted = builder.neuron([(a, -1)], Fraction(1, 2), 1)
    assert builder.neuron([(a, 1), (ONE, 1), (a, -2)], Fraction(1, 2)) == inverted  # a XOR 1


def test_equal_neurons_are_shared_but_not_across_devices():
    builder = NetlistBuilder()
    a, b = builder.input("a", 2)
    first = builder.neuron([(a, 1), (b, 1)], 1)
    assert builder.neuron([(b, 1), (a, 1)], 1) == first
    with builder.device("gate", a, b):
        inside = builder.neuron([(a, 1), (b, 1)], 1)
    assert inside != first
    with builder.device("gate", a, b):
        assert builder.neuron([(a, 1), (b, 1)], 1) == inside


def test_constant_outputs_are_neurons_without_synapses():
    builder = NetlistBuilder()
    builder.input("a", 1)
    netlist = builder.build({"out": (ONE, ZERO)})
    assert boolean.evaluate(netlist, {"a": np.array([0, 1])})["out"].tolist() == [1, 1]
    assert netlist.statistics.synapses == 0


def test_what_no_output_needs_is_left_out():
    builder = NetlistBuilder()
    a, b = builder.input("a", 2)
    unneeded = builder.neuron([(a, 1), (b, 1)], 1)
    needed = builder.neuron([(a, 1), (b, -1)], 1)
    builder.probe("both", (unneeded, needed))
    netlist = builder.build({"out": (needed,)})
    assert len(netlist.neurons) == 1
    assert netlist.probes == {"both": (UNUSED, 2)}


def test_inputs_come_first():
    builder = NetlistBuilder()
    a, b = builder.input("a", 2)
    with pytest.raises(NetlistError, match="input 'a' exists already"):
        builder.input("a", 1)
    builder.neuron([(a, 1), (b, 1)], 1)
    with pytest.raises(NetlistError, match="declare inputs first"):
        builder.input("c", 1)


def test_statistics():
    assert gate_netlist("ionic", "full_adder").statistics == Statistics(
        neurons=7, synapses=16, largest_fan_in=3, depth=4
    )


def test_the_hash_is_of_the_whole_content_and_stable():
    netlist = gate_netlist("nexus", "xor")
    assert netlist.sha256 == gate_netlist("nexus", "xor").sha256
    changed = replace(netlist.neurons[-1], threshold=Fraction(1, 3))
    others = [
        replace(netlist, neurons=(*netlist.neurons[:-1], changed)),
        replace(netlist, probes={"p": (0,)}),
        gate_netlist("ionic", "xor"),
    ]
    assert len({netlist.sha256, *(other.sha256 for other in others)}) == 4


def assert_hash_of_json(netlist):
    data = {key: value for key, value in netlist.serialise().items() if key != "notes"}
    text = json.dumps(data, sort_keys=True, separators=(",", ":"))
    assert netlist.sha256 == sha256(text.encode()).hexdigest()


@given(netlists())
def test_the_hash_is_that_of_canonical_json(netlist):
    assert_hash_of_json(netlist)


def test_the_hash_of_fractions_blocks_and_probes_is_that_of_canonical_json_too():
    half = Neuron(((0, Fraction(-3, 2)), (1, 10**30)), Fraction(1, 2), -7)
    block = Block("b\N{GREEK SMALL LETTER BETA}", "k", {"x": (0, 1)}, {"y": (2,)})
    buses = {"outputs": {"out": (2,), "in": (0,)}, "probes": {"q": (UNUSED, 2), "p": (1,)}}
    netlist = Netlist({"z": 1, "a": 1}, (half,), **buses, blocks=(block,), cells=(block,), notes=("n",))
    assert_hash_of_json(netlist)


@given(netlists())
def test_the_builder_keeps_the_meaning(netlist):
    """Rebuilding a random netlist, with and without absorbed inverters, changes no output."""
    for absorb in (False, True):
        builder = NetlistBuilder(absorb_inverters=absorb)
        signals = [s for name, width in netlist.inputs.items() for s in builder.input(name, width)]
        for neuron in netlist.neurons:
            synapses = [(signals[source], weight) for source, weight in neuron.synapses]
            signals.append(builder.neuron(synapses, neuron.threshold, neuron.bias))
        rebuilt = builder.build({"out": tuple(signals[s] for s in netlist.outputs["out"])})
        inputs = all_inputs(netlist)
        assert np.array_equal(
            boolean.evaluate(rebuilt, inputs)["out"], boolean.evaluate(netlist, inputs)["out"]
        )
        assert len(rebuilt.neurons) <= len(netlist.neurons) + 2  # two for constant outputs


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_blocks_of_units_are_recorded(library, operation):
    netlist = build_unit(operation, FP8_E5M2, RoundingMode.NEAREST_EVEN, OverflowPolicy.IEEE, library)
    names = {block.name for block in netlist.blocks}
    assert {"exponent_field", "overflow"} <= names
    core = {
        "multiply": "significand_product",
        "fma": "significand_product",
        "divide": "significand_quotient",
        "square_root": "significand_root",
    }
    assert core.get(operation, "significand_sum") in names


def test_weights_of_any_size_are_evaluated_exactly():
    huge = 1 << 70
    netlist = Netlist({"a": 2}, (Neuron(((0, huge + 1), (1, -huge)), 1),), {"out": (2,)})
    assert boolean.evaluate(netlist, {"a": np.arange(4)})["out"].tolist() == [0, 1, 0, 1]


def test_wrong_values_are_refused_by_evaluation():
    netlist = gate_netlist("ionic", "and")
    with pytest.raises(ValueError, match="the netlist has"):
        boolean.evaluate(netlist, {"a": np.array([0])})
    with pytest.raises(ValueError, match="between 0 and 1 to fit 1 bits"):
        boolean.evaluate(netlist, {"a": np.array([2]), "b": np.array([0])})
    with pytest.raises(ValueError, match="give all the same"):
        boolean.evaluate(netlist, {"a": np.array([0]), "b": np.array([0, 1])})


@pytest.mark.parametrize("width", [0, 1, 8, 13, 63, 64, 65, 130])
def test_words_and_their_bits(width):
    chance = random.Random(width)
    words = [0, (1 << width) - 1, *(chance.getrandbits(width) for _ in range(20))] if width else [0]
    given = np.array(words, dtype=object if width > 64 else np.uint64)
    bits = boolean.unpack_words(given, width)
    assert bits.tolist() == [[bool(word >> place & 1) for word in words] for place in range(width)]
    assert boolean.pack_words(bits).tolist() == words
    assert boolean.pack_words(bits).dtype == given.dtype


@pytest.mark.parametrize("bits", [8, 16, 32, 64])
def test_sums_about_the_size_of_a_machine_word_do_not_overflow(bits):
    """Weights of one sign, of which a word of so many bits holds only one, or two, or none."""
    every = {"x": np.arange(8, dtype=np.uint64)}
    for weight in (1 << bits - 2, (1 << bits - 2) - 1, (1 << bits - 1) - 1, 1 << bits - 1):
        for sign, count in product((1, -1), (1, 2, 3)):
            neuron = Neuron(tuple((place, sign * weight) for place in range(3)), sign * count * weight)
            fired = boolean.evaluate(Netlist({"x": 3}, (neuron,), {"out": (3,)}), every)["out"]
            on = [code.bit_count() for code in range(8)]
            assert fired.tolist() == [sign * n >= sign * count for n in on]
