"""Dot products: definition, formula, circuits, mutants, names."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.netlist import ZERO
from spikeproof.circuits.units.floating_point import dot_product
from spikeproof.circuits.units.integer import increment, shift_right_sticky
from spikeproof.circuits.units.libraries import COMPACT, FAST, LIBRARIES, SHALLOW
from spikeproof.proofs.dot_products import (
    MACHINES,
    DotProductUnit,
    exact_ones,
    obligations,
    of_every_choice,
    of_mx_blocks,
    of_small_formats,
)
from spikeproof.proofs.names import described, lacks_mode, unit_named
from spikeproof.prover.claims.catalogue import own
from spikeproof.prover.claims.obligation import Outcome, Profile
from spikeproof.prover.kernel.case import Case
from spikeproof.prover.kernel.composition import CompositionError
from spikeproof.prover.refutation.drawing import every_input
from spikeproof.prover.refutation.mutation import mutants
from spikeproof.prover.running.discharge import discharge
from spikeproof.specs import exact_dot_products
from spikeproof.specs.dot_products import DotProduct, Truncation, ZeroTerms
from spikeproof.specs.exact import decode
from spikeproof.specs.formats import FP16, FP32, OverflowPolicy, RoundingMode
from tests.support.dot_products import by_definition, by_formula, drawn
from tests.support.faults import some_kinds_for
from tests.support.profile import NIGHTLY

pytestmark = pytest.mark.usefixtures("cadical_alone", "counterexamples_as_found")

VOLTA = MACHINES["Volta"][0]
SMALL = unit_named("fp8_e5m2.dot2_add.rtz.f7")
OF_ALL_MACHINES = {unit.name: unit for units in MACHINES.values() for unit in units}.values()


def named(unit):
    return unit.name


def code(fmt, number):
    """The code of a number that the format has."""
    return next(c for c in range(1 << fmt.width) if decode(fmt, c).signed == number)


# --- definition ---------------------------------------------------------------------------------


def test_worked_examples():
    """2^10 + 2^-14 - 2^10 by ones: of 24 places the small term is there, of 23 it is not."""
    one, large, small = 0x3C00, 0x6400, 0x0400  # 1, 2^10, 2^-14
    codes = [large, small, large | 0x8000, 0, one, one, one, one, 0]

    def sum_of(places, operands=codes):
        unit = replace(VOLTA, dot=replace(VOLTA.dot, places=places))
        (result,) = by_definition(
            unit, {n: np.array([c]) for n, c in zip(unit.operands, operands, strict=True)}
        )
        return result

    assert [sum_of(23), sum_of(24)] == [0, 0x38800000]
    # Of a negative term as much is cut: nothing is left of it.
    assert sum_of(23, [large, small | 0x8000, *codes[2:]]) == 0
    floor = replace(VOLTA, dot=replace(VOLTA.dot, truncation=Truncation.FLOOR))
    given = [large, small | 0x8000, *codes[2:]]
    (result,) = by_definition(
        floor, {n: np.array([c]) for n, c in zip(floor.operands, given, strict=True)}
    )
    assert decode(FP32, result).signed == -(2.0**-13)


@pytest.mark.parametrize(
    "name",
    [
        "fp8_e4m3fn.dot1.rne.saturate.f1.floor",
        "fp8_e4m3fn.dot2.rne.saturate.f1.floor",
        "fp8_e4m3fn.dot4.rtn.saturate.f1.floor",
        "fp16.dot2.rne.f8.floor",
    ],
)
def test_the_most_negative_sums_of_terms_that_are_truncated_downward(name):
    """Every product is a little above -4, and goes down to it: no sum has a larger magnitude."""
    unit = unit_named(name)
    almost_two = code(unit.fmt, 2 - 2.0**-unit.fmt.fraction_bits)
    factors = {name: almost_two | unit.fmt.sign_mask * name.startswith("x") for name in unit.operands}
    given = {name: np.array([each], np.uint64) for name, each in factors.items()}
    (expected,) = by_definition(unit, given)
    assert decode(unit.fmt, expected).signed == -4 * unit.dot.terms
    assert by_formula(unit, given).tolist() == [expected]
    assert boolean.evaluate(unit.circuit(), given)["result"].tolist() == [expected]


def test_what_zeros_do():
    """0 * 2^15 raises the largest exponent only where zeros count; then 2^-14 is lost."""
    for zeros, expected in ((ZeroTerms.SKIPPED, 2.0**-14), (ZeroTerms.COUNTED, 0), (-20, 2.0**-14)):
        dot = DotProduct(2, places=14, zeros=zeros)
        given = [0x0400, 0, 0x3C00, 0x7800]
        result = exact_dot_products.compute(
            dot, FP32, RoundingMode.TOWARD_ZERO, OverflowPolicy.IEEE, (FP16,) * 4, given
        )
        assert decode(FP32, result).signed == expected


def test_an_exact_one_is_the_sum_of_fractions():
    unit = unit_named("fp32.dot4_from_fp16.rne")
    codes = drawn(unit, 400)
    for case, result in zip(
        np.column_stack(list(codes.values())), by_definition(unit, codes), strict=True
    ):
        numbers = [decode(FP16, int(each)) for each in case]
        if all(each.kind.value == "finite" for each in numbers):
            total = sum(x.signed * y.signed for x, y in zip(numbers[:4], numbers[4:], strict=True))
            assert decode(FP32, result).signed == np.float32(float(total))  # FP16 products: 80 bits


# --- formula ------------------------------------------------------------------------------------


@pytest.mark.parametrize("unit", [*of_small_formats(), *of_every_choice(), *of_mx_blocks()], ids=named)
def test_the_formula_of_small_formats_is_the_definition(unit):
    codes = drawn(unit, 5000 if NIGHTLY else 200)
    assert by_formula(unit, codes).tolist() == by_definition(unit, codes)


WIDE = [*exact_ones(), *OF_ALL_MACHINES]


@pytest.mark.parametrize("unit", WIDE if NIGHTLY else WIDE[::3], ids=named)
def test_the_formula_of_wide_ones_is_the_definition(unit):
    """Of every third one; in the nightly profile of all."""
    codes = drawn(unit, 2000 if NIGHTLY else 64)
    assert by_formula(unit, codes).tolist() == by_definition(unit, codes)


def test_the_formula_on_every_input():
    unit = unit_named("fp4_e2m1.dot2.rtz.saturate.f2.floor")
    codes = every_input(unit.circuit().inputs)
    some = {name: values[:: 1 if NIGHTLY else 23] for name, values in codes.items()}
    assert by_formula(unit, some).tolist() == by_definition(unit, some)


# --- circuits -----------------------------------------------------------------------------------


@pytest.mark.parametrize("structure", [FAST, SHALLOW, COMPACT])
def test_structures_on_drawn_inputs(structure):
    unit = replace(VOLTA, structure=structure)
    codes = drawn(unit, 5000)
    assert np.array_equal(boolean.evaluate(unit.circuit(), codes)["result"], by_formula(unit, codes))


@pytest.mark.parametrize("library", LIBRARIES)
def test_libraries_on_drawn_inputs(library):
    unit = replace(SMALL, library=library)
    codes = drawn(unit, 5000)
    assert np.array_equal(boolean.evaluate(unit.circuit(), codes)["result"], by_formula(unit, codes))


# --- proofs -------------------------------------------------------------------------------------


def test_a_proof_has_lemmas_of_one_or_two_words_alone():
    """But for what is read of all operands' codes: significands, exponents, and what is no number."""
    obligation = VOLTA.obligation()
    for name, claim in Case.of(obligation).lemmas().items():
        free = [each for each in claim.inputs if each.startswith("free.")]
        assert len(free) <= 2 or name == "outputs", name


@pytest.mark.parametrize(
    "other",
    [
        "fp8_e5m2.dot2_add.rtz.f6",
        "fp8_e5m2.dot2_add.rtz.f8",
        "fp8_e5m2.dot2_add.rtz.f7.floor",
        "fp8_e5m2.dot2_add.rtz.f7.zeros_count",
        "fp8_e5m2.dot2_add.rtz.f7.zeros5",
        "fp8_e5m2.dot2_add.rtz.f7.signed_zero",
        "fp8_e5m2.dot2_add.rtz.f7.to_infinity",
        "fp8_e5m2.dot2_add.rtz",
        "fp8_e5m2.dot2_add.rne.f7",
    ],
)
def test_another_dot_product_is_refuted(other):
    record = discharge(SMALL.obligation(), circuit=unit_named(other).circuit())
    assert record.outcome is Outcome.REFUTED


def test_words_of_another_width_are_refused_and_leave_nothing_behind():
    """No symbol of theirs, which would be in the way of the unit's own lemmas."""
    obligation, other = SMALL.obligation(), unit_named("fp8_e5m2.dot2_add.rtz.f6")
    with pytest.raises(CompositionError, match=r"probe 'aligned_1' has another width in the circuit"):
        Case.of(obligation, other.circuit()).lemmas()
    assert Case.of(obligation).lemmas()


def test_scales_count():
    """A scale moves products and not the addend: one of another bias is refuted."""
    unit = unit_named("fp8_e5m2.mx_dot2_add_from_fp4_e2m1.rtz.f7")
    wrong = replace(unit, dot=replace(unit.dot, zeros=ZeroTerms.COUNTED))
    assert discharge(unit.obligation()).outcome is Outcome.PROVED
    assert discharge(unit.obligation(), circuit=wrong.circuit()).outcome is Outcome.REFUTED


def test_circuits_of_other_places_differ():
    """On the worked example; a refutation of one by the other is found too, in a minute of CPU."""
    codes = dict.fromkeys(VOLTA.operands, np.array([0x3C00], dtype=np.uint64))  # ones
    codes |= {
        name: np.array([code])
        for name, code in zip(("x1", "x2", "x3"), (0x6400, 0x0400, 0xE400), strict=True)
    }
    codes |= {"x4": np.array([0]), "z": np.array([0])}
    other = unit_named(VOLTA.name.replace("f23", "f24"))
    found = [boolean.evaluate(unit.circuit(), codes)["result"][0] for unit in (VOLTA, other)]
    assert found == [0, 0x38800000]


@pytest.mark.skipif(not NIGHTLY, reason="a minute of CPU")
def test_other_places_of_a_machine_are_refuted():
    wrong = unit_named(VOLTA.name.replace("f23", "f24")).circuit()
    assert discharge(VOLTA.obligation(), circuit=wrong).outcome is Outcome.REFUTED


def rounded(gates, name, x, amount):
    """A shifter that rounds to nearest, halves up, in place of cutting."""
    moved = shift_right_sticky(gates, name, x=(ZERO, *x), amount=amount)
    guard, *rest = moved["shifted"]
    word, _ = increment(gates, tuple(rest), guard)
    return {"shifted": word, "sticky": moved["sticky"]}


def too_far(gates, name, x, amount):
    """A shifter that goes one place too far."""
    moved = shift_right_sticky(gates, name, x=x, amount=amount)
    return {"shifted": (*moved["shifted"][1:], ZERO), "sticky": moved["sticky"]}


def too_far_where_it_moves(gates, name, x, amount):
    """Likewise, of all but what stays in its place."""
    moved, there = too_far(gates, name, x, amount)["shifted"], gates.wide_or(amount)
    shifted = shift_right_sticky(gates, name, x=x, amount=amount)
    word = tuple(gates.mux(there, a, b) for a, b in zip(moved, shifted["shifted"], strict=True))
    return {"shifted": word, "sticky": shifted["sticky"]}


@pytest.mark.parametrize(
    ("unit", "shifter"),
    [
        *((SMALL, each) for each in (rounded, too_far, too_far_where_it_moves)),
        *([(VOLTA, rounded)] if NIGHTLY else []),
    ],
)
def test_another_alignment_is_refuted(unit, shifter, monkeypatch):
    obligation = unit.obligation()
    monkeypatch.setattr(dot_product, "shift_right_sticky", shifter)
    wrong = unit.circuit()
    monkeypatch.undo()
    assert discharge(obligation, circuit=wrong).outcome is Outcome.REFUTED


@pytest.mark.parametrize("unit", [SMALL, unit_named("fp4_e2m1.dot4.rne.saturate")], ids=named)
def test_faulty_units_are_refuted(unit):
    obligation, netlist = unit.obligation(), unit.circuit()
    codes = drawn(unit, 20000)
    sound = boolean.evaluate(netlist, codes)["result"]
    for kind in some_kinds_for(netlist, unit.dot.terms):
        mutant = next(
            mutant
            for mutant in mutants(netlist, kind, seed=3)
            if not np.array_equal(boolean.evaluate(mutant.netlist, codes)["result"], sound)
        )
        assert discharge(obligation, circuit=mutant.netlist).outcome is Outcome.REFUTED, mutant.fault


def test_the_page_names_every_machine_and_counts_neurons():
    page = (Path(__file__).parents[2] / "docs" / "dot_products.md").read_text()
    for unit in OF_ALL_MACHINES:
        plain = unit.name.replace("fp8_e5m2", "fp8_e4m3fn")  # "the same of" others
        plain = plain.replace("fp6_e2m3", "fp8_e4m3fn").replace("fp6_e3m2", "fp8_e4m3fn")
        assert f"`{plain.replace('fp4_e2m1', 'fp8_e4m3fn')}`" in page
    netlist = VOLTA.circuit()
    assert f"| `{VOLTA.name}` | {len(netlist.neurons):,} | {max(netlist.levels)} |" in page


def test_what_is_proved_always_is_small():
    usual = [each.name for each in obligations() if each.profile is Profile.DEFAULT]
    assert len(usual) == 3
    for name in usual:
        assert discharge(own()[name]).outcome is Outcome.PROVED


# --- names --------------------------------------------------------------------------------------


def test_names_are_read_back():
    for obligation in obligations():
        assert unit_named(obligation.name).name == obligation.name


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("fp16.dot4_add_from_fp16.rne.f24", "fp16.dot4_add.rne.f24"),
        ("fp32.dot2_from_fp16_and_fp16.rtz.floor.f9", "fp32.dot2_from_fp16.rtz.f9.floor"),
        ("fp32.dot2_add_from_fp16_and_fp16_and_fp32.rtz", "fp32.dot2_add_from_fp16.rtz"),
        ("fp8_e5m2.dot2.rne.ieee.f3.threshold.small", "fp8_e5m2.dot2.rne.f3"),
    ],
)
def test_what_goes_unsaid_may_be_said(name, short):
    assert unit_named(name).name == short


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("fp32.dot65_from_fp16.rtz.f24", "a dot product is of 1 to 64 products, not 65"),
        ("fp32.dot4_from_fp16.rtz.f129", "1 to 128 places are kept, not 129"),
        ("fp32.dot4_from_fp16.rtz.f9.f8", "'f8' is said beside another places; leave out one of them"),
        ("fp32.dot4_from_fp16.rtz.floor", "nothing of an exact dot product is truncated"),
        ("fp8_e4m3fn.dot2.rne.saturate.to_infinity", "overflow saturates, so none goes to infinity"),
        ("fp32.dot4_from_fp16.rtz.f9.daz", "dot4 has no convention but 'all_ones_nan'"),
        ("fp32.dot4_from_fp16.stochastic4.f9", "dot4 does not round stochastically"),
        ("fp32.dot4_from_fp16_and_fp16_and_fp16.rne", "dot4 is of at most 2 formats"),
        ("fp32.dot4_from_fp16.f24", "a mode is missing: fp32.dot4_from_fp16.MODE.f24"),
    ],
)
def test_refusals_say_what_is_wrong(name, message):
    with pytest.raises(ValueError, match=message):
        described(name)


def test_no_mode_is_no_name():
    assert unit_named("fp32.dot4_from_fp16.f24") is None
    assert lacks_mode("fp32.dot4_from_fp16.f24")


def test_neighbours_differ_in_one_choice():
    names = {each.name for each in SMALL.obligation().neighbours()}
    assert {"fp8_e5m2.dot2_add.rtz.f6", "fp8_e5m2.dot2_add.rtz.f8.floor"} & names == {
        "fp8_e5m2.dot2_add.rtz.f6"
    }
    assert "fp8_e5m2.dot2_add.rtz.f7.zeros_count" in names
    assert isinstance(SMALL, DotProductUnit)
