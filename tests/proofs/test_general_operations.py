"""The other operations of clause 5: formula and circuit against the spec of record, faults, names."""

from collections import defaultdict
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from pysmt.shortcuts import BVType, Symbol

from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.units.floating_point.building import build_general_unit
from spikeproof.circuits.units.libraries import FAST, LIBRARIES, SMALL
from spikeproof.proofs import described
from spikeproof.proofs.exact_units import FAMILIES, WITH_FLAGS, ExactUnit
from spikeproof.proofs.general_operations import WORDS, GeneralUnit
from spikeproof.prover.claims.catalogue import catalogue
from spikeproof.prover.claims.obligation import Outcome
from spikeproof.prover.refutation.drawing import every_input, inputs_by_class
from spikeproof.prover.refutation.mutation import stuck_at_zero
from spikeproof.prover.running.discharge import discharge
from spikeproof.specs import exact_general as exact
from spikeproof.specs import symbolic_general as symbolic
from spikeproof.specs.conventions import BUNDLES, IEEE, convention_named
from spikeproof.specs.formats import (
    CLASSES,
    FLAGS,
    FORMATS,
    FP4_E2M1,
    FP6_E2M3,
    FP8_E4M3FN,
    FP8_E4M3FNUZ,
    FP8_E5M2,
    FP16,
    SMALL_FORMATS,
    OverflowPolicy,
    RoundingMode,
    ieee_format,
    scale_integer,
)
from tests.support.faults import assert_faults_are_refuted
from tests.support.formula_evaluation import evaluate_all
from tests.support.graphs import Encoded
from tests.support.profile import NIGHTLY, one_of_each
from tests.support.refusals import assert_not_described

SEED = 20261128
UP, DOWN, NEAREST = RoundingMode.UP, RoundingMode.DOWN, RoundingMode.NEAREST_EVEN
OURS = {
    *((operation, True) for operation in exact.COMPARISONS),
    *((operation, False) for operation in (*exact.NEIGHBOURS, *exact.TOTAL_ORDERS, "class")),
    *((operation, False) for operation in exact.PREDICATES),
}
"""What does not round, and whether with flags."""
EXACT = [
    (family, operation)
    for family in FAMILIES
    for operation in family.operations
    if (operation, family.outputs == WITH_FLAGS) in OURS
]
FORMAT_IDS = {"ids": lambda fmt: fmt.name}


def operand_widths(operation, fmt):
    n = {"n": scale_integer(fmt).width} if operation == "scale_b" else {}
    return {"x": fmt.width, **n}


def symbols(widths):
    return [Symbol(f"{name}{width}", BVType(width)) for name, width in widths.items()]


def recorded(function, inputs):
    """A function of codes, on every input."""
    return [
        function(*codes) for codes in zip(*(given.tolist() for given in inputs.values()), strict=True)
    ]


# --- the spec of record -------------------------------------------------------------------------


@pytest.mark.parametrize("fmt", [*FORMATS.values(), ieee_format(2, 20)], **FORMAT_IDS)
def test_a_scale_reaches_from_the_smallest_number_beyond_all_others(fmt):
    integer, policy = scale_integer(fmt), fmt.policies[0]
    most, least = integer.maximum, integer.minimum % (1 << integer.width)
    beyond = exact.flags("scale_b", fmt, NEAREST, 1, most)
    assert beyond & 1 << FLAGS.index("overflow")
    assert exact.compute("scale_b", fmt, NEAREST, policy, fmt.largest_finite, least) == 0
    assert fmt not in FORMATS.values() or integer.width == fmt.exponent_bits + 2


@pytest.mark.parametrize("fmt", SMALL_FORMATS, **FORMAT_IDS)
def test_neighbours_are_found_among_all_codes(fmt):
    """By the definition in words: the least of all that compare greater, or the reverse."""
    values = {code: exact.decode(fmt, code) for code in range(1 << fmt.width) if not fmt.is_nan(code)}

    def number(code):
        return (
            float(values[code].signed)
            if values[code].kind is exact.Kind.FINITE
            else (-np.inf if values[code].sign else np.inf)
        )

    for code in values:
        above = [other for other in values if number(other) > number(code)]
        below = [other for other in values if number(other) < number(code)]
        for name, others, nearest in (("next_up", above, min), ("next_down", below, max)):
            expected = number(nearest(others, key=number)) if others else number(code)
            assert number(exact.neighbour(name, fmt, code)) == expected, (name, hex(code))


def test_neighbours_at_the_ends_and_around_zero():
    assert exact.neighbour("next_up", FP16, 0x8001) == 0x8000  # to -0
    assert exact.neighbour("next_down", FP16, 0x0001) == 0x0000
    assert exact.neighbour("next_up", FP16, 0x8000) == 0x0001
    assert exact.neighbour("next_down", FP16, 0x0000) == 0x8001
    assert exact.neighbour("next_up", FP16, 0x7BFF) == 0x7C00
    assert exact.neighbour("next_up", FP16, 0xFC00) == 0xFBFF
    assert exact.neighbour("next_up", FP8_E4M3FN, 0x7E) == 0x7E  # there is no infinity
    assert exact.neighbour("next_up", FP8_E4M3FNUZ, 0x81) == 0x00  # nor -0
    assert exact.neighbour("next_down", FP8_E4M3FNUZ, 0x00) == 0x81
    assert exact.neighbour("next_down", FP8_E4M3FNUZ, 0x80) == 0x80  # NaN


def test_rounding_to_a_whole_number_can_overflow_only_where_the_largest_is_none():
    policy = OverflowPolicy.SATURATE
    overflow_and_inexact = sum(1 << FLAGS.index(name) for name in ("overflow", "inexact"))
    assert exact.compute("round_to_integral", FP6_E2M3, UP, policy, FP6_E2M3.largest_finite) == 0x1F
    assert exact.flags("round_to_integral", FP6_E2M3, UP, 0x1F) == overflow_and_inexact
    assert exact.flags("round_to_integral", FP6_E2M3, DOWN, 0x1F) == 1 << FLAGS.index("inexact")
    for fmt in FORMATS.values():
        largest = exact.decode(fmt, fmt.largest_finite).rational
        assert (largest.denominator == 1) == (fmt is not FP6_E2M3)


@pytest.mark.parametrize("fmt", SMALL_FORMATS, **FORMAT_IDS)
def test_without_exact_in_its_name_rounding_to_a_whole_number_is_never_inexact_but_beyond_the_largest(
    fmt,
):
    silent = convention_named("silent_conversion.signalling")
    x = every_input({"x": fmt.width})
    overflow_and_inexact = sum(1 << FLAGS.index(name) for name in ("overflow", "inexact"))
    for mode in RoundingMode:
        formula = symbolic.flags(
            "round_to_integral", fmt, mode, *symbols({"x": fmt.width}), convention=silent
        )
        flags = recorded(partial_of(exact.flags, "round_to_integral", fmt, mode, convention=silent), x)
        assert evaluate_all({"": formula}, {f"x{fmt.width}": x["x"]})[""].tolist() == flags
        assert set(flags) <= ({0, overflow_and_inexact} if fmt is FP6_E2M3 else {0, 1})


def test_classes_in_the_order_of_the_standard_and_of_riscv():
    landmarks = [0x7C01, 0x7E00, 0xFC00, 0xC000, 0x8001, 0x8000, 0x0000, 0x0001, 0x4000, 0x7C00]
    assert [exact.class_of(FP16, code) for code in landmarks] == list(CLASSES)
    words = [exact.class_word(FP16, code) for code in landmarks]
    assert words == [1 << place for place in range(10)]
    fclass = [word >> 2 | (word & 3) << 8 for word in words]
    assert fclass == [0x100, 0x200, *(1 << place for place in range(8))]


def test_predicates_of_landmarks():
    """Of a quiet NaN, a signalling one, infinity, a normal and a subnormal number, and zero."""
    landmarks = [0xFE00, 0x7C01, 0xFC00, 0x4000, 0x8001, 0x0000]
    expected = {
        "is_sign_minus": [1, 0, 1, 0, 1, 0],
        "is_normal": [0, 0, 0, 1, 0, 0],
        "is_finite": [0, 0, 0, 1, 1, 1],
        "is_zero": [0, 0, 0, 0, 0, 1],
        "is_subnormal": [0, 0, 0, 0, 1, 0],
        "is_infinite": [0, 0, 1, 0, 0, 0],
        "is_nan": [1, 1, 0, 0, 0, 0],
        "is_signalling": [0, 1, 0, 0, 0, 0],
    }
    found = {each: [exact.holds(each, FP16, code) for code in landmarks] for each in exact.PREDICATES}
    assert found == expected
    assert exact.holds("is_sign_minus", FP8_E4M3FN, 0xFF)
    assert not exact.holds("is_sign_minus", FP8_E4M3FNUZ, 0x80)  # the only NaN
    assert not exact.holds("is_zero", FP8_E4M3FNUZ, 0x80)


IN_TOTAL_ORDER = {
    # -qNaN by payload, -sNaN, -infinity, -normal, -subnormal, -0, +0, ... and back
    FP16: [
        *(0xFFFF, 0xFE01, 0xFE00, 0xFDFF, 0xFC01, 0xFC00, 0xFBFF, 0x8400, 0x8001, 0x8000),
        *(0x0000, 0x0001, 0x0400, 0x7BFF, 0x7C00, 0x7C01, 0x7DFF, 0x7E00, 0x7E01, 0x7FFF),
    ],
    FP8_E4M3FN: [0xFF, 0xFE, 0x81, 0x80, 0x00, 0x01, 0x7E, 0x7F],
    FP8_E4M3FNUZ: [0xFF, 0x81, 0x00, 0x01, 0x7F, 0x80],  # the only NaN last
    FP4_E2M1: [0xF, 0x9, 0x8, 0x0, 0x1, 0x7],
}


@pytest.mark.parametrize("fmt", IN_TOTAL_ORDER, **FORMAT_IDS)
def test_total_order_is_that_of_a_list_written_by_hand(fmt):
    codes = IN_TOTAL_ORDER[fmt]
    for (i, x), (j, y) in product(enumerate(codes), repeat=2):
        assert exact.total_order("total_order", fmt, x, y) == (i <= j), (hex(x), hex(y))
    positive = codes[len(codes) // 2 :] if fmt.has_negative_zero else codes[codes.index(0) :]
    for (i, x), (j, y) in product(enumerate(positive), repeat=2):
        for a, b in product(with_either_sign(fmt, x), with_either_sign(fmt, y)):
            expected = i <= j
            assert exact.total_order("total_order_magnitude", fmt, a, b) == expected, (hex(a), hex(b))


def with_either_sign(fmt, code):
    """A code, and that of the other sign if it has one."""
    other = code | fmt.sign_mask
    return [code, other] if fmt.has_negative_zero or not fmt.is_nan(other) else [code]


def test_only_invalid_is_signalled_by_comparisons():
    signalling, quiet, one = 0x7C01, 0x7E00, 0x3C00
    for operation in exact.COMPARISONS:
        signals = operation.startswith("signalling")
        assert exact.compare_with_flags(operation, FP16, one, one)[1] == 0
        assert exact.compare_with_flags(operation, FP16, quiet, one)[1] == int(signals)
        assert exact.compare_with_flags(operation, FP16, one, signalling)[1] == 1


# --- formula and record -------------------------------------------------------------------------


def test_formulas_and_record_have_the_same_operations():
    assert set(symbolic.ROUNDED) == set(exact.ROUNDED) == set(WORDS)


@pytest.mark.parametrize("operation", WORDS)
@pytest.mark.parametrize("fmt", SMALL_FORMATS, **FORMAT_IDS)
def test_operations_that_round_on_every_input(fmt, operation):
    """In every third mode, others for each format, under every policy and bundle, and with flags."""
    modes = list(RoundingMode)
    modes = modes if NIGHTLY else modes[SMALL_FORMATS.index(fmt) % 3 :: 3]
    widths = operand_widths(operation, fmt)
    given = every_input(widths)
    operands = symbols(widths)
    formulas, records = {}, {}
    for mode, convention in product(modes, BUNDLES.values()):
        usual = convention == IEEE or mode is modes[0] or NIGHTLY
        if not convention.is_possible(fmt) or not usual:
            continue
        what = mode.value, convention.name
        common = {"convention": convention}
        formulas[(*what, "flags")] = symbolic.flags(operation, fmt, mode, *operands, **common)
        records[(*what, "flags")] = partial_of(exact.flags, operation, fmt, mode, **common)
        for policy in fmt.policies:
            key = (*what, policy.value)
            formulas[key] = symbolic.compute(operation, fmt, mode, policy, *operands, **common)
            records[key] = partial_of(exact.compute, operation, fmt, mode, policy, **common)
    named = dict(zip((symbol.symbol_name() for symbol in operands), given.values(), strict=True))
    firsts, where = alike(operation, fmt, given)
    for what, actual in evaluate_all(formulas, named).items():
        expected = np.array(recorded(records[what], firsts), dtype=np.uint64)[where]
        assert actual.tolist() == expected.tolist(), what


def alike(operation, fmt, given):
    """One input of every kind of which one stands for all, and for each input the number of its kind.

    x * 2^n is delivered and signalled as its value and the class of x say, whatever x and n are.
    """
    kinds, places = {}, []
    for place, codes in enumerate(zip(*(each.tolist() for each in given.values()), strict=True)):
        kind = codes
        if operation == "scale_b" and not fmt.is_nan(codes[0]):
            kind = exact.unrounded(operation, fmt, NEAREST, *codes), exact.class_of(fmt, codes[0])
        places.append(kinds.setdefault(kind, (len(kinds), place))[0])
    firsts = [place for _, place in kinds.values()]
    return {name: codes[firsts] for name, codes in given.items()}, places


def partial_of(function, *fixed, **options):
    return lambda *codes: function(*fixed, *codes, **options)


def telling_pairs(fmt):
    """The first and the last code of each class, each with each, and pairs drawn by class."""
    of_class = defaultdict(list)
    for code in range(1 << fmt.width):
        of_class[exact.class_of(fmt, code)].append(code)
    ends = sorted({code for codes in of_class.values() for code in (codes[0], codes[-1])})
    drawn = inputs_by_class({"x": fmt.width, "y": fmt.width}, {"x": fmt, "y": fmt}, 1500, SEED)
    pairs = np.array(list(product(ends, repeat=2)), dtype=np.uint64).T
    return {name: np.concatenate([drawn[name], more]) for name, more in zip("xy", pairs, strict=True)}


@pytest.mark.parametrize(("family", "operation"), EXACT, ids=[operation for _, operation in EXACT])
@pytest.mark.parametrize("fmt", [*SMALL_FORMATS, ieee_format(2, 1)], **FORMAT_IDS)
def test_operations_that_do_not_round_on_every_input(fmt, family, operation):
    """Of pairs of 8 bits, those of the ends of classes and some drawn: predicates have all elsewhere."""
    widths = dict.fromkeys("xy"[: family.operands], fmt.width)
    given = every_input(widths) if sum(widths.values()) <= 12 or NIGHTLY else telling_pairs(fmt)
    operands = symbols(widths)
    formula = family.formula(operation, fmt, *operands)
    formulas = dict(enumerate(formula if isinstance(formula, tuple) else (formula,)))
    named = dict(zip((symbol.symbol_name() for symbol in operands), given.values(), strict=True))
    columns = evaluate_all(formulas, named)
    found = list(zip(*(columns[place].tolist() for place in formulas), strict=True))
    expected = recorded(lambda *codes: family.record(operation, fmt, *codes), given)
    assert found == [each if isinstance(each, tuple) else (each,) for each in expected]


WIDE = [fmt for fmt in FORMATS.values() if fmt not in SMALL_FORMATS]


@pytest.mark.parametrize("operation", WORDS)
@pytest.mark.parametrize("fmt", [*WIDE, ieee_format(2, 20)], **FORMAT_IDS)
def test_operations_that_round_on_inputs_drawn_by_class(fmt, operation):
    widths = operand_widths(operation, fmt)
    given = inputs_by_class(widths, {"x": fmt, "n": scale_integer(fmt)}, 200, SEED)
    operands = symbols(widths)
    named = dict(zip((symbol.symbol_name() for symbol in operands), given.values(), strict=True))
    for mode in RoundingMode:
        policy = fmt.policies[0]
        formula = symbolic.compute(operation, fmt, mode, policy, *operands)
        record = partial_of(exact.compute, operation, fmt, mode, policy)
        assert Encoded(formula).evaluate(named).tolist() == recorded(record, given), mode
        formula = symbolic.flags(operation, fmt, mode, *operands)
        record = partial_of(exact.flags, operation, fmt, mode)
        assert Encoded(formula).evaluate(named).tolist() == recorded(record, given), mode


@pytest.mark.parametrize(("family", "operation"), EXACT, ids=[operation for _, operation in EXACT])
@pytest.mark.parametrize("fmt", WIDE, **FORMAT_IDS)
def test_operations_that_do_not_round_on_inputs_drawn_by_class(fmt, family, operation):
    obligation = ExactUnit(operation, fmt, family.outputs == WITH_FLAGS).obligation()
    netlist = obligation.circuit()
    given = inputs_by_class(netlist.inputs, obligation.reading.formats, 300, SEED)
    found = boolean.evaluate(netlist, given)
    for index, codes in enumerate(zip(*(each.tolist() for each in given.values()), strict=True)):
        expected = obligation.reading.trace(dict(zip(given, codes, strict=True)))
        assert {name: int(column[index]) for name, column in found.items()} == expected, codes


# --- circuits -----------------------------------------------------------------------------------


@pytest.mark.parametrize("structure", [SMALL, FAST])
@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("operation", WORDS)
def test_circuits_of_every_library_and_structure(operation, library, structure):
    fmt, policy = ieee_format(3, 2), OverflowPolicy.IEEE
    given = every_input(operand_widths(operation, fmt))
    netlist = build_general_unit(
        operation, fmt, NEAREST, policy, library, structure=structure, flags=True
    )
    found = boolean.evaluate(netlist, given)
    record = partial_of(exact.compute, operation, fmt, NEAREST, policy)
    assert found["result"].tolist() == recorded(record, given)
    record = partial_of(exact.flags, operation, fmt, NEAREST)
    assert found["flags"].tolist() == recorded(record, given)


@pytest.mark.parametrize("operation", WORDS)
@pytest.mark.parametrize("fmt", [FP6_E2M3, FP8_E5M2, FP8_E4M3FNUZ], **FORMAT_IDS)
def test_the_trace_is_what_the_circuit_shows(fmt, operation):
    for mode in RoundingMode:
        unit = GeneralUnit(operation, fmt, mode, fmt.policies[0], flags=True)
        netlist = unit.circuit()
        given = every_input(netlist.inputs)
        given = {name: codes[:: 1 if operation != "scale_b" else 37] for name, codes in given.items()}
        signals = boolean.evaluate_signals(netlist, given)
        shown = {name: boolean.bus_words(signals, bus) for name, bus in netlist.probes.items()}
        for index, codes in enumerate(zip(*(each.tolist() for each in given.values()), strict=True)):
            for name, value in unit.trace(dict(zip(given, codes, strict=True))).items():
                live = sum(1 << i for i, s in enumerate(netlist.probes.get(name, ())) if s >= 0)
                same = name not in shown or int(shown[name][index]) & live == value & live
                assert same, (mode, codes, name)


# --- proofs can fail ----------------------------------------------------------------------------

FAULTY = [
    *(GeneralUnit(o, f, NEAREST, f.policies[0], flags=True).name for f in SMALL_FORMATS for o in WORDS),
    *(
        ExactUnit(operation, fmt, family.outputs == WITH_FLAGS).name
        for family, operation in EXACT
        for fmt in (FP8_E5M2, FP8_E4M3FNUZ)
    ),
]
SOME_FAULTY = one_of_each(FAULTY, kind=lambda name: name.split(".")[1])


@pytest.mark.usefixtures("counterexamples_as_found")
@pytest.mark.parametrize("name", SOME_FAULTY)
def test_faulty_units_are_refuted(name):
    obligation = replace(catalogue()[name], engines=("cadical",))
    assert_faults_are_refuted(obligation, SEED, FAULTY.index(name))


@pytest.mark.usefixtures("counterexamples_as_found")
@pytest.mark.parametrize("operation", WORDS)
@pytest.mark.parametrize("fmt", [FP8_E5M2, *[FP16] * NIGHTLY], **FORMAT_IDS)
def test_each_flag_stuck_at_zero_is_refuted(fmt, operation):
    raised = {
        "round_to_integral": {"invalid", "inexact"},
        "scale_b": {"invalid", "overflow", "underflow", "inexact"},
        "log_b": {"invalid", "divide_by_zero"} | ({"inexact"} if fmt is FP8_E5M2 else set()),
    }
    unit = GeneralUnit(operation, fmt, flags=True, convention=BUNDLES["riscv"])
    obligation = replace(unit.obligation(), engines=("cadical",))
    netlist = obligation.circuit()
    for name, signal in zip(FLAGS, netlist.outputs["flags"], strict=True):
        can_be_raised = signal >= 0
        assert can_be_raised >= (name in raised[operation]), name
        if can_be_raised:
            outcome = discharge(obligation, circuit=stuck_at_zero(netlist, signal).netlist).outcome
            assert (outcome is Outcome.REFUTED) == (name in raised[operation]), name


@pytest.mark.usefixtures("counterexamples_as_found")
@pytest.mark.parametrize("operation", WORDS)
def test_a_unit_of_another_mode_is_refuted(operation):
    unit = GeneralUnit(operation, FP8_E5M2)
    for mode in RoundingMode:
        circuit = build_general_unit(operation, FP8_E5M2, mode, OverflowPolicy.IEEE)
        outcome = discharge(replace(unit.obligation(), engines=("cadical",)), circuit=circuit).outcome
        assert outcome is (Outcome.PROVED if mode is NEAREST else Outcome.REFUTED), mode


def test_a_counterexample_shows_the_integer_as_the_number_it_is():
    obligation = GeneralUnit("scale_b", FP8_E5M2).obligation()
    circuit = build_general_unit("scale_b", FP8_E5M2, DOWN, OverflowPolicy.IEEE)
    result = discharge(obligation, circuit=circuit)
    integer = scale_integer(FP8_E5M2)
    number = exact.decode_integer(integer, result.counterexample["n"]).signed
    assert f" = {number}\n" in result.message


# --- names --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "fp16.round_to_integral.rne.flags",
        "fp16.scale_b.rtz.saturate",
        "fp16.round_to_integral.rtp.riscv.flags",
        "e4m5.log_b.rne.daz.nexus",
        "fp32.scale_b.rne.cuda.flags",
    ],
)
def test_units_are_described_by_their_names(name):
    assert described(name).name == name


def test_what_is_promised_is_described_by_its_name():
    names = [name for name, o in catalogue().items() if o.parameters.get("operation") in WORDS]
    assert len(names) > 400
    assert all(described(name).parameters == catalogue()[name].parameters for name in names)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("fp8_e4m3fn.log_b.rne", "fp8_e4m3fn has no policy 'ieee'; it has: saturate, nan"),
        ("fp16.scale_b.rne.ftz.gradual", "unknown convention 'gradual'"),
        ("fp8_e4m3fn.scale_b.rne.nan.x86_sse", "has no NaN with a payload"),
    ],
)
def test_what_no_name_describes_is_refused_in_one_line(name, words):
    assert_not_described(name, words)
