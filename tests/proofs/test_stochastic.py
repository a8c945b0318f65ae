"""Stochastic rounding: specs and circuits, by hand too; how many words round up; faults, names."""

from collections import Counter
from dataclasses import replace
from fractions import Fraction
from functools import partial

import ml_dtypes
import numpy as np
import pytest
from pysmt.shortcuts import BV, BVUGT, BVAdd, BVExtract, BVType, Symbol

from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.meanings.bitsliced import BitSlicedSimulator
from spikeproof.circuits.netlist import ONE, ZERO
from spikeproof.circuits.units.floating_point import rounding
from spikeproof.circuits.units.floating_point.building import UNITS, build_unit
from spikeproof.circuits.units.integer import add
from spikeproof.circuits.units.libraries import LIBRARIES
from spikeproof.proofs import adequacy, described, stochastic
from spikeproof.proofs.stochastic import StochasticUnit
from spikeproof.prover.claims.obligation import Obligation, Outcome
from spikeproof.prover.refutation.drawing import every_input, inputs_by_class
from spikeproof.prover.refutation.mutation import mutants, stuck_at_zero
from spikeproof.prover.running.discharge import discharge
from spikeproof.specs import exact, symbolic
from spikeproof.specs.conventions import IEEE, convention_named
from spikeproof.specs.formats import (
    BFLOAT16,
    FLAGS,
    FP4_E2M1,
    FP6_E2M3,
    FP6_E3M2,
    FP8_E4M3FN,
    FP8_E4M3FNUZ,
    FP8_E5M2,
    FP16,
    FP32,
    RANDOM,
    OverflowPolicy,
    Stochastic,
)
from tests.support.faults import some_kinds_for
from tests.support.formula_evaluation import evaluate_all
from tests.support.profile import parameter_id
from tests.support.refusals import assert_not_described

pytestmark = pytest.mark.usefixtures("cadical_alone", "counterexamples_as_found")

SEED = 20261128
ENUMERATED, SAMPLE = 12, 1000

CASES = [
    StochasticUnit("convert", target, Stochastic(bits), policy, source=source)
    for source, target, bits in (
        (FP8_E4M3FN, FP4_E2M1, 4),
        (FP8_E5M2, FP6_E2M3, 5),
        (FP8_E4M3FN, FP8_E5M2, 1),
        (FP16, FP8_E4M3FN, 4),
        (FP16, FP8_E5M2, 8),
        (FP32, FP8_E4M3FNUZ, 20),
        (FP32, BFLOAT16, 16),
        (FP32, FP16, 13),
        (FP16, FP32, 3),  # which loses nothing
        (BFLOAT16, FP16, 24),  # more than there are
    )
    for policy in target.policies
] + [
    StochasticUnit(operation, fmt, Stochastic(bits), fmt.policies[0], convention=convention)
    for operation in ("add", "subtract", "multiply", "fma")
    for fmt, bits, convention in (
        (FP4_E2M1, 3, IEEE),
        (FP8_E4M3FN, 4, IEEE),
        (FP8_E5M2, 1, convention_named("tiny_after")),
        (FP8_E5M2, 4, convention_named("ftz_after")),
        (FP16, 9, IEEE),
    )
]


def given_to(unit):
    """Inputs of a unit: all of them, or some by class."""
    widths = unit.circuit().inputs
    if sum(widths.values()) <= ENUMERATED:
        return every_input(widths)
    return inputs_by_class(widths, unit.reading.formats, SAMPLE, SEED)


def recorded(unit, inputs):
    """Result and flags by the spec of record."""
    columns = {name: words.tolist() for name, words in inputs.items()}
    signals = [
        unit.trace(dict(zip(columns, row, strict=True))) for row in zip(*columns.values(), strict=True)
    ]
    return {bus: [each[bus] for each in signals] for bus in ("result", "flags")}


@pytest.mark.parametrize("unit", CASES, ids=lambda unit: unit.name)
def test_formula_and_circuit_against_the_spec_of_record(unit):
    unit = replace(unit, flags=True)
    inputs = given_to(unit)
    expected = recorded(unit, inputs)
    circuit = boolean.evaluate(unit.circuit(), inputs)
    symbols = {
        name: Symbol(f"{name}{width}", BVType(width)) for name, width in unit.circuit().inputs.items()
    }
    named = {symbol.symbol_name(): inputs[name] for name, symbol in symbols.items()}
    formulas = unit.spec(symbols)
    if unit.convention == IEEE:
        formulas["count"] = replace(unit, flags=False, count=True).spec(symbols)["result"]
        expected["count"] = expected["result"]
    for bus, found in evaluate_all(formulas, named).items():
        assert found.tolist() == expected[bus], bus
    for bus, found in circuit.items():
        assert found.tolist() == expected[bus], bus


@pytest.mark.parametrize("library", LIBRARIES)
def test_every_library_can_round_stochastically(library):
    unit = replace(CASES[0], library=library)
    inputs = given_to(unit)
    wanted = boolean.evaluate(CASES[0].circuit(), inputs)["result"]
    assert np.array_equal(boolean.evaluate(unit.circuit(), inputs)["result"], wanted)


# --- by hand ------------------------------------------------------------------------------------


def by_word(target, bits, policy, source, code):
    """The results of a conversion by the spec of record, for every word."""
    return [
        exact.compute("convert", target, Stochastic(bits, word), policy, code, source=source)
        for word in range(1 << bits)
    ]


def test_landmarks():
    saturate, ieee, nan = OverflowPolicy.SATURATE, OverflowPolicy.IEEE, OverflowPolicy.NAN
    to_e5m2 = partial(by_word, FP8_E5M2, 3, ieee, FP16)
    one = 0x3C00
    assert to_e5m2(one) == [0x3C] * 8
    assert to_e5m2(one + 0xA0) == [0x3C] * 3 + [0x3D] * 5  # 5/8 of a last place: the words 3 to 7
    assert to_e5m2(0x8000 | one + 0xA0) == [0xBC] * 3 + [0xBD] * 5  # away from zero
    assert to_e5m2(one + 0xBF) == [0x3C] * 3 + [0x3D] * 5  # what is below an eighth is lost
    assert to_e5m2(one + 0x1F) == [0x3C] * 8
    assert to_e5m2(0x0040) == [0x00] * 6 + [0x01] * 2  # a quarter of the smallest number
    assert to_e5m2(0x03E0) == [0x03] + [0x04] * 7  # to the smallest normal number
    # Between the largest number and the next power of two its last place is divided as any other.
    assert to_e5m2(0x7B80) == [0x7B] * 4 + [0x7C] * 4
    assert by_word(FP8_E5M2, 3, saturate, FP16, 0x7B80) == [0x7B] * 8
    # Of E4M3FN the next number is 480, and beyond that all words overflow.
    to_e4m3 = partial(by_word, FP8_E4M3FN, 2, nan, FP16)
    assert to_e4m3(0x5F40) == [0x7E] * 2 + [0x7F] * 2  # 464
    assert to_e4m3(0x5F80) == to_e4m3(0x7C00) == [0x7F] * 4  # 480, infinity


def test_adding_random_bits_to_bfloat16s_pattern_and_cutting_it():
    """The usual trick, on all finite numbers: subnormal ones and overflow to infinity come right."""
    inputs = inputs_by_class({"x": 32, RANDOM: 16}, {"x": FP32}, 1 << 16, SEED)
    finite = (inputs["x"] >> np.uint64(23) & np.uint64(0xFF)) != 0xFF
    expected = (inputs["x"] + inputs[RANDOM]) >> np.uint64(16)
    circuit = build_unit("convert", BFLOAT16, Stochastic(16), OverflowPolicy.IEEE, source=FP32)
    found = boolean.evaluate(circuit, inputs)["result"]
    assert np.array_equal(found[finite], expected[finite])


KINDS = {FP16: np.float16, FP8_E5M2: ml_dtypes.float8_e5m2, FP8_E4M3FN: ml_dtypes.float8_e4m3fn}


@pytest.mark.parametrize(
    ("target", "bits"), [(FP16, 13), (FP16, 6), (FP8_E5M2, 8), (FP8_E4M3FN, 20)], ids=parameter_id
)
def test_adding_random_bits_to_other_patterns(target, bits):
    """The trick for narrower exponents, on results that are normal; the machine converts exactly."""
    inputs = inputs_by_class({"x": 32, RANDOM: bits}, {"x": FP32}, 1 << 16, SEED)
    cut = 23 - target.fraction_bits
    field = inputs["x"].astype(np.int64) >> 23 & 0xFF
    normal = (field >= 128 - target.bias) & (field < 127 + target.maximum_exponent)
    x, word = inputs["x"][normal], inputs[RANDOM][normal]
    pattern = (x + (word << np.uint64(cut - bits))) >> np.uint64(cut) << np.uint64(cut)
    values = pattern.astype(np.uint32).view(np.float32)
    expected = values.astype(KINDS[target])
    assert np.array_equal(expected.astype(np.float32), values)
    circuit = build_unit("convert", target, Stochastic(bits), target.policies[0], source=FP32)
    found = boolean.evaluate(circuit, {"x": x, RANDOM: word})["result"]
    assert len(x) > 1000
    assert np.array_equal(found, expected.view(f"uint{target.width}"))


def test_shifting_adding_and_cutting_as_gpu_libraries_do():
    """FP32 to E4M3FNUZ by 20 bits: subnormal results are shifted before the random bits are added."""
    inputs = inputs_by_class({"x": 32, RANDOM: 20}, {"x": FP32}, 1 << 16, SEED)
    x, word = (inputs[name].astype(np.int64) for name in ("x", RANDOM))
    field, sign = x >> 23 & 0xFF, x >> 31
    kept = (field > 0) & (field < 0xFF)
    shift = np.clip(120 - field, 0, 63)
    total = ((x & 0x7FFFFF | 1 << 23) >> shift) + word >> 20
    magnitude = np.minimum(np.maximum(field - 120, 0) * 8 + total, 0x7F)
    magnitude = np.where(field >= 120, magnitude, total)
    expected = np.where(magnitude > 0, sign << 7 | magnitude, 0)
    circuit = build_unit("convert", FP8_E4M3FNUZ, Stochastic(20), OverflowPolicy.SATURATE, source=FP32)
    found = boolean.evaluate(circuit, inputs)["result"]
    assert np.array_equal(found[kept], expected[kept])


# --- how many words, and their mean -------------------------------------------------------------


def results_of_all_words(circuit, bits, codes):
    """The results of a circuit: a row for each code, a column for each word."""
    words = np.arange(1 << bits, dtype=np.uint64)
    inputs = {"x": np.repeat(codes, len(words)), RANDOM: np.tile(words, len(codes))}
    return BitSlicedSimulator(circuit).evaluate(inputs)["result"].reshape(len(codes), len(words))


COUNTED = [
    (FP8_E4M3FN, FP4_E2M1, 4),
    (FP8_E5M2, FP4_E2M1, 3),  # of most numbers more is lost than three bits tell
    (FP8_E4M3FN, FP6_E2M3, 4),
    (FP8_E4M3FN, FP6_E3M2, 1),
    (FP16, FP8_E4M3FN, 4),
    (FP16, FP8_E5M2, 8),  # of normal numbers all that is lost
    (FP16, FP8_E4M3FNUZ, 7),
]


SCALE = 1 << 24
"""Every number of FP16 is a multiple of 1 / SCALE."""


def magnitudes(fmt):
    """Of every code the magnitude, times ``SCALE``; -1 if it is not finite."""
    values = [exact.decode(fmt, code) for code in range(1 << fmt.width)]
    scaled = [v.rational * SCALE if v.kind is exact.Kind.FINITE else Fraction(-1) for v in values]
    assert all(each.denominator == 1 for each in scaled)
    return np.array([int(each) for each in scaled])


@pytest.mark.parametrize(
    ("source", "target", "bits"), COUNTED, ids=lambda each: getattr(each, "name", each)
)
def test_the_number_of_words_and_the_mean_on_every_number(source, target, bits):
    """The circuit on every operand and word: exact integers, found among all numbers of the target."""
    policy = OverflowPolicy.SATURATE
    circuit = build_unit("convert", target, Stochastic(bits), policy, source=source)
    numbers, values = magnitudes(target), magnitudes(source)
    ordered = np.unique(numbers[numbers >= 0])
    codes = np.flatnonzero((values >= 0) & (values < ordered[-1])).astype(np.uint64)
    v = values[codes]
    place = np.searchsorted(ordered, v, side="right")
    below, last_place = ordered[place - 1], ordered[place] - ordered[place - 1]
    words_up, rest = np.divmod(v - below << bits, last_place)
    results = numbers[results_of_all_words(circuit, bits, codes)]

    goes_up = np.arange(1 << bits) + words_up[:, None] >= 1 << bits
    assert np.array_equal(results, (below + last_place * goes_up.T).T)
    assert np.array_equal((results > below[:, None]).sum(axis=1), words_up)
    total = results.sum(axis=1)
    assert np.array_equal(total, (v << bits) - rest)  # the mean is v where the rest is 0
    assert (rest < last_place).all()
    assert 0 < (rest == 0).sum() <= len(codes)


# --- faults -------------------------------------------------------------------------------------

UNIT = StochasticUnit("convert", FP8_E5M2, Stochastic(4), OverflowPolicy.IEEE, source=FP16)
COUNT = replace(UNIT, count=True)


def outcomes(circuit, *units):
    return [discharge(unit.obligation(), circuit=circuit).outcome for unit in units]


def with_word(unit, change):
    """A unit's circuit, but with another random word."""
    inner = UNITS[unit.operation]

    def built(rounder, *rest):
        mode = replace(rounder.mode, word=change(rounder.mode.word))
        return inner(replace(rounder, mode=mode), *rest)

    return build_unit(unit.operation, unit.fmt, unit.mode, unit.policy, source=unit.source, unit=built)


def test_random_bits_in_reverse_order_are_another_function_of_the_right_count():
    """Both theorems say which words round up, and refute it; as many do so, of every number."""
    backwards = with_word(UNIT, lambda word: word[::-1])
    assert outcomes(backwards, UNIT, COUNT) == [Outcome.REFUTED] * 2
    codes = np.arange(1 << 16, dtype=np.uint64)
    right, wrong = (results_of_all_words(c, 4, codes) for c in (UNIT.circuit(), backwards))
    assert not np.array_equal(right, wrong)
    assert np.array_equal(np.sort(right), np.sort(wrong))


def test_a_random_bit_that_is_stuck_is_refuted():
    stuck = with_word(UNIT, lambda word: (ZERO, *word[1:]))
    assert outcomes(stuck, UNIT, COUNT) == [Outcome.REFUTED] * 2


@pytest.mark.parametrize("fault", ["one word too few", "one word too many"])
def test_one_word_off_is_refuted(fault, monkeypatch):
    def off_by_one(gates, mode, sign, last, below, sticky):
        carry = ONE if fault == "one word too many" else ZERO
        total = add(gates, "off", x=mode.word, y=below[-mode.bits :], carry_in=(carry,))
        up = total["carry"][0]
        if fault == "one word too few":
            up = gates.and_(up, gates.wide_or(total["sum"]))
        return up, ZERO

    monkeypatch.setattr(rounding, "rounding_of", off_by_one)
    wrong = UNIT.circuit()
    monkeypatch.undo()
    assert outcomes(wrong, UNIT, COUNT) == [Outcome.REFUTED] * 2


def test_a_lost_sticky_bit_is_seen_by_inexact_alone():
    flagged = replace(UNIT, flags=True)
    circuit = flagged.circuit()
    (sticky,) = circuit.probes["sticky"]
    wrong = stuck_at_zero(circuit, sticky).netlist
    assert outcomes(wrong, flagged) == [Outcome.REFUTED]
    inputs = given_to(flagged)
    right, found = (boolean.evaluate(each, inputs) for each in (circuit, wrong))
    assert np.array_equal(right["result"], found["result"])
    differing = np.bitwise_or.reduce(right["flags"] ^ found["flags"])
    assert differing == 1 << FLAGS.index("underflow") | 1 << FLAGS.index("inexact")


@pytest.mark.parametrize(
    ("operation", "fmt", "bits"), [("add", FP6_E3M2, 4), ("multiply", FP6_E3M2, 4), ("fma", FP4_E2M1, 3)]
)
def test_a_lost_place_of_an_operation_is_refuted(operation, fmt, bits):
    """By a circuit that rounds by one random bit less."""
    unit = StochasticUnit(operation, fmt, Stochastic(bits), OverflowPolicy.SATURATE)
    short = with_word(unit, lambda word: (ZERO, *word[1:]))
    assert outcomes(short, unit, replace(unit, count=True)) == [Outcome.REFUTED] * 2


@pytest.mark.parametrize(
    "unit",
    [UNIT, COUNT, StochasticUnit("add", FP6_E3M2, Stochastic(4), OverflowPolicy.SATURATE)],
    ids=lambda unit: unit.name,
)
def test_faulty_units_are_refuted(unit):
    circuit, inputs = unit.circuit(), given_to(unit)
    sound = boolean.evaluate(circuit, inputs)["result"]
    for kind in some_kinds_for(circuit, len(unit.name)):
        mutant = next(
            each
            for each in mutants(circuit, kind, SEED)
            if not np.array_equal(boolean.evaluate(each.netlist, inputs)["result"], sound)
        )
        assert outcomes(mutant.netlist, unit) == [Outcome.REFUTED], mutant.fault


def refuted(claim):
    return discharge(Obligation("planted", "a planted fault", claim)).outcome is Outcome.REFUTED


@pytest.mark.parametrize("statement", [adequacy._stochastic, adequacy.unbiased])
@pytest.mark.parametrize("fault", ["one word too few", "one word too many", "nearest"])
def test_a_wrong_rounding_formula_is_refuted(statement, fault, monkeypatch):
    def wrong(mode, negative, odd, lost):
        size, bits = lost.bv_width(), mode.bits
        if fault == "nearest":
            return symbolic.bit(lost, size - 1)
        parts = (mode.word, BVExtract(lost, size - bits, size - 1))
        total = BVAdd(*(symbolic.zero_extend(part, bits + 1) for part in parts))
        enough = {"one word too few": 1 << bits, "one word too many": (1 << bits) - 2}[fault]
        return BVUGT(total, BV(enough, bits + 1))

    assert not refuted(partial(adequacy.rounding_claim, FP4_E2M1, adequacy.STOCHASTIC, statement))
    monkeypatch.setattr(symbolic, "lost_rounds_up", wrong)
    assert refuted(partial(adequacy.rounding_claim, FP4_E2M1, adequacy.STOCHASTIC, statement))


def test_a_wrong_number_of_words_is_refuted(monkeypatch):
    monkeypatch.setattr(stochastic, "_rounds_up", lambda word, number: BVUGT(number, word))
    # As many words are below k as there should be, but they are others.
    found = {each.name: discharge(each).outcome for each in stochastic.counts() if "8" not in each.name}
    assert found["spec.stochastic4.count"] is Outcome.PROVED
    assert found["spec.stochastic16.translation"] is Outcome.REFUTED


# --- names --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("fp16.divide.stochastic4", "divide does not round stochastically; what does: add, subtract"),
        ("fp16.log_b.stochastic4", "log_b does not round stochastically"),
        ("int8.convert_from_fp16.stochastic4", "conversions from and to integers and scales do not"),
        ("fp16.add.stochastic0", "stochastic rounding is by 1 to 64 bits, not 0"),
        ("fp16.add.stochastic65", "stochastic rounding is by 1 to 64 bits, not 65"),
        ("fp16.add.stochastic4.count.flags", "count says nothing of flags"),
        ("fp16.add.stochastic4.count.ftz_after", "count says nothing of what is flushed after"),
        ("fp16.add.rne.count", "unknown convention 'count'"),
    ],
)
def test_names_that_are_refused(name, message):
    assert_not_described(name, message)


def test_units_are_found_by_any_order_of_words():
    name = "e4m3.convert_from_e8m9.stochastic3.saturate.cuda.flags"
    assert described("e4m3.convert_from_e8m9.stochastic3.flags.cuda.saturate").name == name
    assert described("fp16.add.stochastic") is None


def test_neighbours_take_the_same_inputs():
    names = [each.name for each in UNIT.obligation().neighbours()]
    assert "fp8_e5m2.convert_from_fp16.stochastic4.saturate" in names
    assert all(".stochastic4" in name for name in names)
    rne = described("fp8_e5m2.convert_from_fp16.rne")
    assert not any("stochastic" in each.name for each in rne.neighbours())


def test_flags_are_those_of_the_word():
    """Overflow only where the word overflows; inexact and underflow for every word."""
    given = ("convert", FP8_E5M2)
    raised = Counter(
        tuple(
            name
            for place, name in enumerate(FLAGS)
            if exact.flags(*given, Stochastic(3, word), 0x7B80, source=FP16) >> place & 1
        )
        for word in range(8)
    )
    assert raised == {("inexact",): 4, ("overflow", "inexact"): 4}
    tiny = {exact.flags(*given, Stochastic(3, word), 0x03E0, source=FP16) for word in range(8)}
    assert tiny == {1 << FLAGS.index("underflow") | 1 << FLAGS.index("inexact")}
