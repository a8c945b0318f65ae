"""Theorems on a part of their inputs: what is left out is what the words say, and no more."""

import re
from fractions import Fraction
from functools import cache

import numpy as np
import pytest
from pysmt.fnode import FNode
from pysmt.shortcuts import BV, BVType, Equals, Symbol

from spikeproof.prover.claims.catalogue import CatalogueError, select, stated, theorem
from spikeproof.prover.claims.environment import passing_formulas
from spikeproof.prover.claims.obligation import Claim, Outcome
from spikeproof.prover.claims.regions import CLASSES, Conditions
from spikeproof.prover.encoding.evaluation import Evaluation
from spikeproof.prover.kernel.composition import CompositionError, compose
from spikeproof.prover.refutation.drawing import every_input
from spikeproof.prover.report.tables import summary
from spikeproof.prover.running.discharge import discharge
from spikeproof.specs import exact
from spikeproof.specs.formats import FLAGS, FORMATS, Format, format_named
from tests.support.refusals import refused

EIGHT_BITS = [fmt for fmt in FORMATS.values() if fmt.width <= 8]


@cache
def ends(fmt: Format) -> tuple[Fraction, Fraction]:
    """The largest finite number, and the smallest that is normal."""
    codes = range(1 << fmt.width)
    finite = [each for each in codes if exact.decode(fmt, each).kind is exact.Kind.FINITE]
    normal = [each for each in finite if exact.classify(fmt, each) == "normal"]
    largest = max(exact.decode(fmt, each).magnitude for each in finite)
    return Fraction(largest), Fraction(min(exact.decode(fmt, each).magnitude for each in normal))


@cache
def of_class(fmt: Format, code: int) -> set[str]:
    """The words that are true of a code, by its value as the spec of record has it."""
    value = exact.decode(fmt, code)
    kind = exact.classify(fmt, code)
    words = {"infinite" if kind == "infinity" else kind}
    if kind == "nan":
        return words
    if value.sign:
        words.add("negative")
    if value.kind is exact.Kind.FINITE:
        number = Fraction(value.magnitude)
        largest, smallest_normal = ends(fmt)
        if number == largest:
            words.add("largest")
        if number == smallest_normal:
            words.add("smallest_normal")
        exponent = number.numerator.bit_length() - number.denominator.bit_length()
        if kind == "normal" and number == exact.power_of_two(exponent):
            words.add("power_of_two")
    return words


@pytest.mark.parametrize("fmt", EIGHT_BITS, ids=lambda fmt: fmt.name)
def test_classes_are_those_of_the_spec_of_record_on_every_code(fmt):
    codes = np.arange(1 << fmt.width, dtype=np.uint64)
    with passing_formulas():
        x = Symbol("x", BVType(fmt.width))
        claim = Claim({"x": x}, Equals(x, x), (), {"result": x}, {"result": x})
        conditions = {each.word: each.formula for each in Conditions(claim, {"x": fmt}).simple}
        found = Evaluation(conditions).evaluate({"x": codes})
    for word in CLASSES:
        expected = [word in of_class(fmt, int(code)) for code in codes]
        held = found[f"{word}_x"].astype(bool) if f"{word}_x" in found else np.zeros(len(codes), bool)
        assert held.tolist() == expected, word
        assert (f"{word}_x" in found) == any(expected), word


def test_pairs_distances_results_and_flags_on_every_pair():
    fmt, name = FORMATS["fp8_e5m2"], "fp8_e5m2.add.rne.flags"
    words = ["zero_operand", "subnormal_result", "signs_differ", "zero_x_and_zero_y"]
    words += ["exponents_apart_3", "exponents_within_0", "raises_overflow", "raises_inexact"]
    inputs = every_input({"x": 8, "y": 8})
    with passing_formulas():
        obligation = theorem(name)
        claim = obligation.state(obligation.circuit())
        conditions = Conditions(claim, obligation.reading.formats)
        formulas = {word: conditions.named(word).formula for word in words}
        found = Evaluation({**formulas, **claim.expected}).evaluate(inputs)
    x, y = (inputs[bus].astype(np.int64) for bus in "xy")
    zero, sign = (
        {bus: test(inputs[bus].astype(np.int64)) for bus in "xy"}
        for test in (lambda codes: codes % 128 == 0, lambda codes: codes >= 128)
    )
    distance = np.abs(np.maximum(x >> 2 & 31, 1) - np.maximum(y >> 2 & 31, 1))
    result = found["result"].astype(np.int64) % 128
    expected = {
        "zero_operand": zero["x"] | zero["y"],
        "subnormal_result": (result > 0) & (result < 4),
        "signs_differ": sign["x"] ^ sign["y"],
        "zero_x_and_zero_y": zero["x"] & zero["y"],
        "exponents_apart_3": distance >= 3,
        "exponents_within_0": distance == 0,
        **{
            f"raises_{flag}": (found["flags"].astype(int) >> place & 1) == 1
            for place, flag in enumerate(FLAGS)
            if f"raises_{flag}" in words
        },
    }
    assert fmt.fraction_bits == 2
    for word in words:
        assert np.array_equal(found[word].astype(bool), expected[word]), word


def test_what_is_left_out_is_not_claimed_and_all_else_is():
    wrong = theorem("e3m2.add.rne.ftz").circuit()
    left_out = theorem("e3m2.add.rne.except.subnormal_result")
    assert left_out.statement.endswith(", except where the result is subnormal")
    assert discharge(left_out, circuit=wrong).outcome is Outcome.PROVED
    refuted = discharge(theorem("e3m2.add.rne.except.subnormal_x"), circuit=wrong)
    assert refuted.outcome is Outcome.REFUTED
    assert exact.classify(format_named("e3m2"), refuted.counterexample["x"]) != "subnormal"


def test_nothing_is_claimed_of_no_inputs():
    every = ".".join(f"{word}_x" for word in ("zero", "subnormal", "normal", "infinite", "nan"))
    record = discharge(theorem(f"fp8_e5m2.add.rne.except.{every}"))
    assert record.outcome is Outcome.ERROR
    assert "vacuous" in record.message


def test_composed_proofs_assume_it_of_the_inputs_alone():
    with passing_formulas():
        obligation = theorem("e5m4.multiply.rne.except.subnormal_operand")
        netlist = obligation.circuit()
        claim = obligation.state(netlist)
        lemmas = compose(netlist, obligation.decomposition, claim)
        assert set(claim.assumptions) <= set(lemmas["outputs"].assumptions)
        product = Symbol("free.product", BVType(10))
        wrong = Claim(
            claim.inputs, claim.goal, (Equals(product, BV(0, 10)),), claim.actual, claim.expected
        )
        with pytest.raises(CompositionError, match="not about the claim's inputs alone"):
            compose(netlist, obligation.decomposition, wrong)
    assert discharge(obligation).green


def test_composed_proofs_assume_of_values_on_the_way_what_is_assumed_of_the_spec_s():
    with passing_formulas():
        obligation = theorem("e5m4.multiply.rne.except.infinite_result")
        netlist = obligation.circuit()
        claim = obligation.state(netlist)
        outputs = compose(netlist, obligation.decomposition, claim)["outputs"]
        (assumed,) = claim.assumptions
        product = Symbol("free.product", BVType(10))
        said = next(each for each in outputs.assumptions if product in each.get_free_variables())
        assert assumed not in outputs.assumptions
        values: dict[str, FNode] = {}
        obligation.decomposition.spec(claim.inputs, lambda name, value: values.setdefault(name, value))
        back = {Symbol(f"free.{name}", BVType(v.bv_width())): v for name, v in values.items()}
        assert said.substitute(back) == assumed
    assert discharge(obligation).green


def test_composed_proofs_of_a_part_fail_where_the_fault_is_in_it():
    faulty = theorem("e5m4.multiply.rne.ftz").circuit()
    assert discharge(theorem("e5m4.multiply.rne.except.subnormal_result"), circuit=faulty).green
    for word in ("infinite_result", "normal_result", "subnormal_x"):
        refuted = discharge(theorem(f"e5m4.multiply.rne.except.{word}"), circuit=faulty)
        assert refuted.outcome is Outcome.REFUTED, word


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("exponents_apart_3_and_exponents_within_3", "the exponents of x and y are 3 apart"),
        ("exponents_apart_3_and_exponents_within_5", "the exponents of x and y are 3 to 5 apart"),
        ("exponents_apart_3_and_signs_differ", "are 3 or more apart and the signs of x and y differ"),
        (
            "exponents_within_3_and_zero_x_and_exponents_apart_1",
            "x is zero and the exponents of x and y are 1 to 3 apart",
        ),
    ],
)
def test_two_bounds_on_a_distance_are_said_as_one(words, said):
    assert theorem(f"fp8_e5m2.add.rne.except.{words}").statement.endswith(said)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("fp8_e5m2.add.rne.except.odd_x", "'odd_x' excludes nothing; use CLASS_{operand,x,y,result}"),
        ("fp8_e4m3fn.add.rne.saturate.except.infinite_x", "'infinite_x' excludes nothing"),
        ("fp8_e5m2.add.rne.except.zero_x.zero_x", "'zero_x' is said twice"),
        ("fp8_e5m2.add.rne.except.zero_x_and_zero_x", "says something twice"),
        ("fp8_e5m2.add.rne.except.exponents_apart_0", "exponents are 0 to 31 apart"),
        ("fp8_e5m2.add.rne.except.exponents_apart_032", "exponents are 0 to 31 apart"),
        ("fp8_e5m2.add.rne.except.exponents_within_31", "exponents are 0 to 31 apart"),
        ("fp8_e5m2.square_root.rne.except.exponents_apart_1", "excludes nothing"),
        ("fp8_e5m2.add.rne.except.", "'' excludes nothing"),
        ("cell.ionic.and.except.zero_x", "is not about floating-point operands"),
        ("fp8_e5m2.add.none.except.zero_x", "no theorem matches"),
    ],
)
def test_words_that_say_nothing_are_refused_in_one_line(name, said):
    with refused(re.escape(said), CatalogueError):
        select(name)
    assert stated(name) is None


def test_reports_and_summaries_name_what_is_about_a_part_only():
    name = "fp4_e2m1.add.rne.saturate.except.zero_x"
    record = discharge(theorem(name))
    assert f"about a part of the inputs only: {name}" in summary([record])
    whole = discharge(theorem("fp4_e2m1.add.rne.saturate"))
    assert "part of the inputs" not in summary([whole])
    assert record.spec_sha256 != whole.spec_sha256


def test_a_log_of_one_is_restated_by_its_name():
    name = "fp8_e5m2.add.rne.except.zero_x_and_zero_y.exponents_apart_7"
    assert stated(name).name == name
    assert stated(name).parameters["except"] == "zero_x_and_zero_y.exponents_apart_7"
