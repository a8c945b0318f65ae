"""Circuits of functions: on every input, against tables and against float64."""

import random

import numpy as np
import pytest

from spikeproof.circuits.meanings import boolean, carry_save
from spikeproof.circuits.netlist import Netlist
from spikeproof.circuits.units.functions.building import CONSTRUCTIONS, build_function
from spikeproof.circuits.units.functions.changes import Table, at_least
from spikeproof.circuits.units.functions.values import results
from spikeproof.circuits.units.libraries import LIBRARIES, library_gates
from spikeproof.specs.formats import (
    BFLOAT16,
    FP8_E4M3FN,
    FP8_E4M3FNUZ,
    FP8_E5M2,
    FP16,
    TF32,
    OverflowPolicy,
    RoundingMode,
    UnknownNameError,
)
from tests.support.float64 import FLOAT64, certain, rounded_to_fp16
from tests.support.profile import NIGHTLY

RNE = RoundingMode.NEAREST_EVEN
IEEE, SATURATE = OverflowPolicy.IEEE, OverflowPolicy.SATURATE


def every_result(netlist: Netlist) -> np.ndarray:
    """The bus ``result`` for each x: level by level, from what a neuron is; float32 has every sum."""
    signals = np.zeros((netlist.signal_count, 1 << netlist.input_count), np.float32)
    signals[: netlist.input_count] = (
        np.arange(1 << netlist.input_count) >> np.arange(netlist.input_count)[:, None] & 1
    )
    levels = np.array(netlist.levels)
    for level in range(1, levels.max() + 1):
        found = np.flatnonzero(levels == level)
        neurons = [netlist.neurons[signal - netlist.input_count] for signal in found]
        weights = np.zeros((len(found), netlist.signal_count), np.float32)
        for row, neuron in enumerate(neurons):
            assert sum(abs(weight) for _, weight in neuron.synapses) < 1 << 23
            for source, weight in neuron.synapses:
                weights[row, source] = weight
        read = np.flatnonzero(weights.any(axis=0))
        least = np.array([float(neuron.threshold - neuron.bias) for neuron in neurons])
        signals[found] = weights[:, read] @ signals[read] >= least[:, None]
    return sum(
        signals[source].astype(int) << place for place, source in enumerate(netlist.outputs["result"])
    )


def of_table(construction: str, values: list[int], width: int, library: str = "threshold") -> Netlist:
    gates = library_gates(library)
    x = gates.builder.input("x", (len(values) - 1).bit_length())
    unit = CONSTRUCTIONS[construction].unit(gates, x, Table(np.array(values), width))
    return gates.builder.build({"result": unit})


def tables() -> dict[str, list[int]]:
    draw = random.Random(1)
    half = [draw.randrange(64) for _ in range(64)]
    return {
        "constant": [5] * 128,
        "zero": [0] * 128,
        "identity": list(range(128)),
        "falling": list(range(127, -1, -1)),
        "random": [draw.randrange(128) for _ in range(128)],
        "steps": [index // 9 * 7 % 128 for index in range(128)],
        "odd": half + [each | 64 for each in half],
        "even": half * 2,
        "odd_but_one": half + [each | 64 for each in half[:-1]] + [half[-1]],
        "neither": half + [each + 1 for each in half],
        "both_signs": [each * 2 for each in half] + [each * 2 ^ 64 for each in half],
    }


@pytest.mark.parametrize("construction", CONSTRUCTIONS)
@pytest.mark.parametrize("name", tables())
def test_any_table(construction, name):
    values = tables()[name]
    netlist = of_table(construction, values, 7)
    inputs = {"x": np.arange(128, dtype=np.uint64)}
    assert boolean.evaluate(netlist, inputs)["result"].tolist() == values
    assert (
        netlist.statistics.depth <= {"segments": 4, "thermometer": 2, "multiplexers": 14}[construction]
    )


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("name", tables())
def test_any_table_of_gates(library, name):
    values = tables()[name]
    netlist = of_table("multiplexers", values, 7, library)
    inputs = {"x": np.arange(128, dtype=np.uint64)}
    assert boolean.evaluate(netlist, inputs)["result"].tolist() == values
    allowed = LIBRARIES[library].allowed_weights or {-2, -1, 1, 2}
    for neuron in netlist.neurons:
        assert len(neuron.synapses) <= 3
        assert {weight for _, weight in neuron.synapses} <= allowed


def test_a_comparator_reads_no_more_than_it_must():
    gates = library_gates("threshold")
    x = gates.builder.input("x", 6)
    netlist = gates.builder.build({f"least{n}": (at_least(gates, x, n),) for n in range(1, 64)})
    found = boolean.evaluate(netlist, {"x": np.arange(64, dtype=np.uint64)})
    for n in range(1, 64):
        assert np.array_equal(found[f"least{n}"] == 1, np.arange(64) >= n)
    assert netlist.outputs["least32"] == (5,)
    assert max(len(neuron.synapses) for neuron in netlist.neurons) == 6


def test_halves_that_mirror_one_another_take_one():
    half = [random.Random(2).randrange(64) for _ in range(64)]
    whole = of_table("segments", half + [random.Random(3).randrange(64) for _ in range(64)], 7)
    for upper in (half, [each | 64 for each in half]):
        mirrored = of_table("segments", half + upper, 7)
        assert mirrored.statistics.neurons < 0.8 * whole.statistics.neurons


@pytest.mark.parametrize("function", ["exp", "log1p", "sin", "tanh", "sigmoid", "rsqrt"])
def test_fp16_by_float64(function):
    netlist = build_function(function, FP16, RNE, IEEE)
    found = every_result(netlist)
    codes = np.arange(1 << 16)
    assert np.array_equal(found, results(function, FP16, RNE, IEEE))
    with np.errstate(all="ignore"):
        value = FLOAT64[function](codes.astype(np.uint16).view(np.float16).astype(np.float64))
    sure = certain(value)
    assert np.array_equal(found[sure], rounded_to_fp16(value[sure], RNE))


@pytest.mark.parametrize(
    ("function", "fmt", "mode"),
    [
        ("erf", FP16, RoundingMode.DOWN),
        ("sin_pi", FP16, RoundingMode.TO_ODD),
        ("gelu", BFLOAT16, RoundingMode.UP),
        ("cos", BFLOAT16, RoundingMode.TOWARD_ZERO),
        ("log2", BFLOAT16, RoundingMode.NEAREST_AWAY),
    ],
)
def test_modes(function, fmt, mode):
    netlist = build_function(function, fmt, mode, IEEE)
    assert np.array_equal(every_result(netlist), results(function, fmt, mode, IEEE))


OF_SMALL_FORMATS = ["exp", "softplus", "reciprocal", "cos"]


@pytest.mark.parametrize("construction", CONSTRUCTIONS)
@pytest.mark.parametrize("fmt", [FP8_E4M3FN, FP8_E5M2, FP8_E4M3FNUZ], ids=lambda fmt: fmt.name)
@pytest.mark.parametrize("function", OF_SMALL_FORMATS)
def test_small_formats(construction, fmt, function):
    """A table is made alike in every mode: two of them, by turns."""
    turns = 1 if NIGHTLY else 3
    for mode in list(RoundingMode)[OF_SMALL_FORMATS.index(function) % turns :: turns]:
        netlist = build_function(function, fmt, mode, SATURATE, construction=construction)
        assert np.array_equal(every_result(netlist), results(function, fmt, mode, SATURATE))


@pytest.mark.parametrize("library", ["ionic", "nexus", "ternary"])
def test_gates_of_libraries(library):
    """As its results are, evaluated by another meaning of the netlist."""
    netlist = build_function("tanh", BFLOAT16, RNE, IEEE, library)
    found = carry_save.evaluate(netlist, {"x": np.arange(1 << 16, dtype=np.uint64)})["result"]
    assert np.array_equal(found, results("tanh", BFLOAT16, RNE, IEEE))


def test_sizes():
    """Of FP16: no more than these, in depth 3; weights as those of any comparison of 16 bits."""
    for function, most in {"exp": 440, "tanh": 350, "sigmoid": 340, "rsqrt": 420}.items():
        netlist = build_function(function, FP16, RNE, IEEE)
        assert netlist.statistics.neurons <= most
        assert netlist.statistics.depth == 3
        assert all(sum(abs(w) for _, w in each.synapses) <= 1 << 17 for each in netlist.neurons)


def test_what_is_refused():
    with pytest.raises(
        UnknownNameError, match=r"unknown function 'tan'; known: exp, exp2, .*gelu_tanh$"
    ):
        build_function("tan", FP16, RNE, IEEE)
    with pytest.raises(
        UnknownNameError, match="unknown construction of functions 'small'; known: segments"
    ):
        build_function("exp", FP16, RNE, IEEE, construction="small")
    with pytest.raises(ValueError, match="segments needs threshold neurons; of nexus gates leave"):
        build_function("exp", FP16, RNE, IEEE, "nexus", construction="segments")
    with pytest.raises(ValueError, match="functions are not made on two rails yet; choose ionic, nexus"):
        build_function("exp", FP16, RNE, IEEE, "dual_rail")
    with pytest.raises(ValueError, match="silu is not made in tf32, of 19 bits: reciprocal, "):
        build_function("silu", TF32, RNE, IEEE)
