"""Words of several numbers: against ml_dtypes and the order of others, numbers apart, mutants, names."""

from dataclasses import replace

import ml_dtypes
import numpy as np
import pytest
from pysmt.shortcuts import BVType, Symbol

from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.units.packing import side_by_side
from spikeproof.proofs import described
from spikeproof.proofs.names import unit_named
from spikeproof.proofs.packed_units import ELEMENTS, PackedUnit, packed_units
from spikeproof.proofs.units import Unit
from spikeproof.prover.claims.obligation import Outcome, Profile
from spikeproof.prover.encoding.evaluation import Evaluation
from spikeproof.prover.refutation.drawing import inputs_by_class
from spikeproof.prover.refutation.exhaustion import SPEC, enumerate_all
from spikeproof.prover.refutation.mutation import mutants, stuck_at_zero
from spikeproof.prover.refutation.tally import CLASSES, classes
from spikeproof.prover.running.discharge import discharge
from spikeproof.prover.running.neighbours import nearest
from spikeproof.specs.conventions import convention_named
from spikeproof.specs.formats import (
    FP4_E2M1,
    FP6_E2M3,
    FP6_E3M2,
    FP8_E5M2,
    FP16,
    FP32,
    OverflowPolicy,
    Packed,
    RoundingMode,
)
from tests.support.faults import some_kinds_for
from tests.support.refusals import assert_not_described

pytestmark = pytest.mark.usefixtures("cadical_alone")

SATURATE = OverflowPolicy.SATURATE
SEED = 20261128
KINDS = {
    "fp6_e2m3": ml_dtypes.float6_e2m3fn,
    "fp6_e3m2": ml_dtypes.float6_e3m2fn,
    "fp4_e2m1": ml_dtypes.float4_e2m1fn,
}
TO_FP4 = PackedUnit(Unit("convert", FP4_E2M1, policy=SATURATE, source=FP16))


def drawn(unit, count=4096):
    return inputs_by_class(unit.circuit().inputs, unit.reading.formats, count, SEED)


def by_formula(unit, inputs):
    symbols = {n: Symbol(f"{n}{w}", BVType(w)) for n, w in unit.circuit().inputs.items()}
    named = {symbols[n].symbol_name(): codes for n, codes in inputs.items()}
    return Evaluation(unit.spec(symbols)).evaluate(named)


# --- what others say ------------------------------------------------------------------------------


def test_the_first_number_is_in_the_low_bits():
    """As CUDA has it (``storage << 4 | first``) and PyTorch (``val1 : val0``): 1 is 2, -6 is F."""
    one, minus_six = (int(np.float16(v).view(np.uint16)) for v in (1.0, -6.0))
    assert TO_FP4.trace({"x": minus_six << 16 | one})["result"] == 0xF2
    back = PackedUnit(Unit("convert", FP16, source=FP4_E2M1))
    assert back.trace({"x": 0xF2})["result"] == minus_six << 16 | one


@pytest.mark.parametrize("fmt", ELEMENTS, ids=lambda fmt: fmt.name)
def test_conversions_of_pairs(fmt):
    """Of every pair of narrow numbers, and of pairs of FP16 numbers that are finite, by ml_dtypes."""
    count = 1 << fmt.width
    words = np.arange(count * count, dtype=np.uint64)
    halves = [(words >> np.uint64(shift)) & np.uint64(count - 1) for shift in (0, fmt.width)]
    low, high = (
        half.astype(np.uint8).view(KINDS[fmt.name]).astype(np.float16).view(np.uint16) for half in halves
    )
    unit = PackedUnit(Unit("convert", FP16, source=fmt))
    expected = high.astype(np.uint64) << np.uint64(16) | low
    assert np.array_equal(by_formula(unit, {"x": words})["result"], expected)
    assert np.array_equal(boolean.evaluate(unit.circuit(), {"x": words})["result"], expected)

    unit = PackedUnit(Unit("convert", fmt, policy=SATURATE, source=FP16))
    words = drawn(unit)["x"]
    halves = [(words >> np.uint64(shift) & np.uint64(0xFFFF)).astype(np.uint16) for shift in (0, 16)]
    finite = np.all([half & 0x7C00 != 0x7C00 for half in halves], axis=0)
    low, high = (half[finite].view(np.float16).astype(KINDS[fmt.name]).view(np.uint8) for half in halves)
    expected = high.astype(np.uint64) << np.uint64(fmt.width) | low
    assert finite.sum() > 1000
    assert np.array_equal(by_formula(unit, {"x": words[finite]})["result"], expected)


# --- each number for itself -----------------------------------------------------------------------

UNITS = [
    TO_FP4,
    PackedUnit(Unit("fma", FP4_E2M1, policy=SATURATE)),
    PackedUnit(Unit("add", FP8_E5M2, RoundingMode.UP, flags=True), 3),
    PackedUnit(Unit("multiply", FP6_E3M2, policy=SATURATE)),
    PackedUnit(Unit("square_root", FP16)),
]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_formula_circuit_and_record_agree(unit):
    inputs = drawn(unit, 500)
    found = {**by_formula(unit, inputs)}
    circuit = boolean.evaluate(unit.circuit(), inputs)
    for index in range(500):
        signals = unit.trace({name: int(codes[index]) for name, codes in inputs.items()})
        for name, codes in found.items():
            assert int(codes[index]) == int(circuit[name][index]) == signals[name]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_no_number_depends_on_another(unit):
    one, inputs = unit.unit.circuit(), drawn(unit)
    words = boolean.evaluate(unit.circuit(), inputs)
    for place in range(unit.count):
        apart = {
            name: codes >> np.uint64(place * one.inputs[name]) & np.uint64((1 << one.inputs[name]) - 1)
            for name, codes in inputs.items()
        }
        for name, codes in boolean.evaluate(one, apart).items():
            width = len(one.outputs[name])
            there = words[name] >> np.uint64(place * width) & np.uint64((1 << width) - 1)
            assert np.array_equal(codes, there), (place, name)


def test_copies_are_whole():
    one = Unit("multiply", FP4_E2M1, policy=SATURATE).circuit()
    two = side_by_side(one, 2)
    assert two.statistics.neurons == 2 * one.statistics.neurons
    assert two.statistics.depth == one.statistics.depth
    assert {b.name for b in two.blocks} == {f"{b.name}.{place}" for b in one.blocks for place in (0, 1)}
    assert len(two.cells) == 2 * len(one.cells)
    assert {"product.0", "product.1"} <= two.probes.keys()
    assert side_by_side(one, 1).neurons == one.neurons


def test_the_trace_is_what_the_circuit_shows():
    unit = PackedUnit(Unit("multiply", FP6_E2M3, policy=SATURATE))
    netlist, inputs = unit.circuit(), drawn(unit, 300)
    signals = boolean.evaluate_signals(netlist, inputs)
    shown = {name: boolean.bus_words(signals, bus) for name, bus in netlist.probes.items()}
    compared = 0
    for index in range(300):
        for name, value in unit.trace({n: int(codes[index]) for n, codes in inputs.items()}).items():
            if name in shown:
                live = sum(1 << i for i, s in enumerate(netlist.probes[name]) if s >= 0)
                assert int(shown[name][index]) & live == value & live, name
                compared += 1
    assert compared > 3000


# --- drawing, classes, counterexamples ------------------------------------------------------------


def test_each_number_of_a_word_is_drawn_by_class():
    words = drawn(TO_FP4)["x"]
    for shift in (0, 16):
        codes = words >> np.uint64(shift) & np.uint64(0xFFFF)
        met = {CLASSES[place] for place in classes(codes, FP16)}
        assert met == {"zero", "subnormal", "normal", "infinity", "nan"}
    wide = drawn(PackedUnit(Unit("add", FP32), 3), 50)["x"]
    assert wide.dtype == object
    assert max(wide) >> 64


def test_the_class_of_a_word_is_that_of_its_most_telling_number():
    words = np.array([0x3C003C00, 0x00003C00, 0x3C007C00, 0x7E000000, 0x7E000001], dtype=np.uint64)
    found = [CLASSES[place] for place in classes(words, Packed(FP16, 2))]
    assert found == ["normal", "zero", "infinity", "nan", "subnormal"]


@pytest.mark.usefixtures("counterexamples_as_found")
@pytest.mark.parametrize("unit", UNITS[:2], ids=lambda unit: unit.name)
def test_faulty_units_are_refuted(unit):
    obligation, netlist, inputs = unit.obligation(), unit.circuit(), drawn(unit)
    sound = boolean.evaluate(netlist, inputs)["result"]
    for kind in some_kinds_for(netlist, UNITS.index(unit)):
        mutant = next(
            mutant
            for mutant in mutants(netlist, kind, SEED)
            if not np.array_equal(boolean.evaluate(mutant.netlist, inputs)["result"], sound)
        )
        assert discharge(obligation, circuit=mutant.netlist).outcome is Outcome.REFUTED, mutant.fault


def exchanged(netlist, bus):
    """The netlist with the numbers of an output word in the other order."""
    signals = netlist.outputs[bus]
    middle = len(signals) // 2
    return replace(netlist, outputs={**netlist.outputs, bus: signals[middle:] + signals[:middle]})


def test_numbers_in_the_other_order_are_refuted_and_shown_apart():
    unit = PackedUnit(Unit("convert", FP16, source=FP4_E2M1))
    result = discharge(unit.obligation(), circuit=exchanged(unit.circuit(), "result"))
    assert result.outcome is Outcome.REFUTED
    shown = next(line for line in result.message.splitlines() if "input x" in line)
    first, second = shown.split("; ")
    assert "(0x" in first
    assert "(0x" in second
    assert "result.0: circuit" not in result.message  # its probes are right: the order alone is wrong
    found = enumerate_all(unit.obligation(), exchanged(unit.circuit(), "result"), (SPEC,), 1)
    assert (found.inputs, found.failures) == (256, 256 - 16)


def test_what_a_circuit_is_right_by_is_found():
    unit = PackedUnit(Unit("add", FP4_E2M1, policy=SATURATE))
    other = replace(unit, unit=unit.unit.changed(mode=RoundingMode.TOWARD_ZERO))
    told = nearest(unit.obligation(), other.circuit()).words
    assert told.startswith("it is right by another convention, fp4_e2m1x2.add.rtz.saturate:\n")


def test_random_words_are_read_in_each_place():
    """Found in review: what a refutation shows was not to be had."""
    unit = unit_named("fp8_e5m2x2.convert_from_e5m3.stochastic2")
    circuit = unit.circuit()
    wrong = stuck_at_zero(circuit, circuit.outputs["result"][0]).netlist
    found = discharge(unit.obligation(), circuit=wrong)
    assert found.outcome is Outcome.REFUTED
    assert set(found.counterexample) == {"x", "random"}


@pytest.mark.usefixtures("counterexamples_as_found")
def test_any_nan_will_do_in_each_place():
    unit = PackedUnit(Unit("add", FP8_E5M2, convention=convention_named("any_nan")))
    other = replace(unit, unit=unit.unit.changed(convention=convention_named("first_nan")))
    assert discharge(unit.obligation(), circuit=other.circuit()).outcome is Outcome.PROVED
    strict = replace(unit, unit=Unit("add", FP8_E5M2))
    assert discharge(strict.obligation(), circuit=other.circuit()).outcome is Outcome.REFUTED


# --- names ----------------------------------------------------------------------------------------


def test_every_unit_is_found_by_its_name():
    for unit in packed_units():
        found, wanted = described(unit.name), unit.obligation(Profile.WIDE)
        assert (found.name, found.parameters, found.statement) == (
            wanted.name,
            wanted.parameters,
            wanted.statement,
        )


@pytest.mark.parametrize(
    ("name", "inputs", "outputs"),
    [
        ("fp4_e2m1x2.convert_from_fp32.rtz.saturate", {"x": 64}, {"result": 8}),
        ("fp8_e5m2x2.scale_b.rne.flags", {"x": 16, "n": 14}, {"result": 16, "flags": 10}),
        ("int8x2.convert_from_fp16.rtz.riscv", {"x": 32}, {"result": 16}),
        ("e8m0x2.convert_from_bfloat16.rtp.saturate", {"x": 32}, {"result": 16}),
        ("e3m4x2.fma.rne.cuda", {"x": 16, "y": 16, "z": 16}, {"result": 16}),
    ],
)
def test_words_of_any_unit_are_described_by_name(name, inputs, outputs):
    obligation = described(name)
    netlist = obligation.circuit()
    assert obligation.name == name
    assert dict(netlist.inputs) == inputs
    assert netlist.output_widths == outputs
    assert obligation.statement.startswith("2 numbers in a word, each ")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("fp9x2.add.rne", "unknown format 'fp9'"),
        ("fp16x3.add.rne", "unknown format 'fp16x3'"),
        ("fp16x2x2.add.rne", "unknown format 'fp16x2'"),
        ("fp4_e2m1x2.convert_from_fp16x2.rne.saturate", "unknown format 'fp16x2'"),
        ("fp4_e2m1x2.add.rne", "format fp4_e2m1 has no policy 'ieee'; it has: saturate"),
        ("fp16x2.add.rne.flush", "unknown convention 'flush'"),
    ],
)
def test_what_no_name_describes_is_refused_in_one_line(name, words):
    assert_not_described(name, words)
