"""Theorems under conventions: what names describe, several right results, and what is not right."""

import re
from dataclasses import replace
from itertools import chain, cycle, islice, product

import pytest
from pysmt.shortcuts import BVType, Symbol

from spikeproof.circuits.netlist import Netlist, Neuron
from spikeproof.circuits.units.floating_point.building import build_unit
from spikeproof.circuits.units.libraries import HALF
from spikeproof.proofs import integer_conversions, units
from spikeproof.proofs.general_operations import WORDS
from spikeproof.proofs.names import unit_named
from spikeproof.proofs.units import Unit
from spikeproof.prover.claims.catalogue import CatalogueError, catalogue, own, select, stated, theorem
from spikeproof.prover.claims.obligation import Outcome, Profile
from spikeproof.prover.refutation.drawing import inputs_by_class
from spikeproof.prover.refutation.exhaustion import enumerate_all
from spikeproof.prover.refutation.mutation import FAULTS, mutants
from spikeproof.prover.running.discharge import discharge
from spikeproof.prover.running.mutation_report import judge
from spikeproof.prover.running.reference_model import ReferenceModel
from spikeproof.specs.conventions import BUNDLES, IEEE, Convention, convention_named
from spikeproof.specs.formats import FP8_E5M2, FP16, OverflowPolicy, RoundingMode
from tests.support.formula_evaluation import evaluate
from tests.support.profile import NIGHTLY
from tests.support.refusals import refused

RNE = RoundingMode.NEAREST_EVEN


def unit(operation, convention, **how):
    return Unit(operation, FP8_E5M2, convention=convention_named(convention), **how)


def obligation(operation, convention, **how):
    """For one engine; that both agree on units under conventions is for ``proofs``."""
    return replace(unit(operation, convention, **how).obligation(Profile.WIDE), engines=("cadical",))


def circuit(operation, convention, **how):
    return unit(operation, convention, **how).circuit()


# --- several right results ------------------------------------------------------------------------


RULES = ("", "first_nan", "last_nan", "x86_nan", "arm_nan")
"""Which NaN results, of those that WebAssembly allows."""

OF_RULES = ("add", "multiply", "square_root")


@pytest.mark.parametrize(
    ("operation", "nan"),
    list(product(OF_RULES, RULES) if NIGHTLY else zip(cycle(OF_RULES), RULES)),
)
def test_where_any_nan_will_do_every_rule_for_them_is_right(operation, nan):
    assert discharge(obligation(operation, "any_nan"), circuit=circuit(operation, nan)).green


@pytest.mark.usefixtures("counterexamples_as_found")
@pytest.mark.parametrize("operation", ["multiply", *["add"] * NIGHTLY])
def test_webassembly_allows_some_nans_and_no_others(operation):
    """A payload where no operand has one is none of them, and no signalling NaN is."""
    for nan in RULES:
        assert discharge(obligation(operation, "wasm"), circuit=circuit(operation, nan)).green, nan
    invented = circuit(operation, "all_ones_nan")
    assert discharge(obligation(operation, "wasm"), circuit=invented).outcome is Outcome.REFUTED
    # The payload of an operand goes on, but signals: of 0x7f, where all below the sign is set, 0x7d.
    given = circuit(operation, "last_nan")
    *fraction, sign = given.outputs["result"]
    low, high, *field = fraction
    of_ones = Neuron(tuple((signal, 1) for signal in fraction), len(fraction))
    cleared = Neuron(((high, 1), (given.signal_count, -1)), 1)
    neurons = (*given.neurons, of_ones, cleared)
    outputs = {"result": (low, given.signal_count + 1, *field, sign)}
    signalling = Netlist(given.inputs, neurons, outputs)
    assert discharge(obligation(operation, "any_nan"), circuit=signalling).green
    assert discharge(obligation(operation, "wasm"), circuit=signalling).outcome is Outcome.REFUTED


@pytest.mark.parametrize("operation", ["add", "multiply"])
def test_where_one_nan_is_meant_no_other_is_right(operation):
    found = discharge(obligation(operation, ""), circuit=circuit(operation, "first_nan"))
    assert found.outcome is Outcome.REFUTED
    assert "should be nan" in found.message
    assert "result nan, should be nan" in found.message
    assert not re.search(r"should be (zero|normal|subnormal|infinity)", found.message)


FAULTY = ("add", "multiply", "divide")


@pytest.mark.usefixtures("counterexamples_as_found")
@pytest.mark.parametrize(
    ("operation", "kind"),
    list(product(FAULTY, FAULTS) if NIGHTLY else zip(cycle(FAULTY), FAULTS)),
)
def test_a_fault_is_refuted_even_where_any_nan_will_do(operation, kind):
    """A fault that makes no difference but to which NaN it is, is none. By night three, everywhere."""
    netlist = circuit(operation, "any_nan")
    for mutant in islice(mutants(netlist, kind, seed=3), 3 if NIGHTLY else 1):
        verdict = judge(obligation(operation, "any_nan"), kind, mutant, 60.0)
        assert verdict.outcome in (Outcome.PROVED, Outcome.REFUTED), verdict.message


def test_failures_are_counted_without_those_that_are_right():
    """All codes: 4 NaNs of each sign but one, where another operand is any."""
    first = circuit("add", "first_nan")
    any_nan = enumerate_all(obligation("add", "any_nan"), first, ("spec",), 1)
    canonical = enumerate_all(obligation("add", ""), first, ("spec",), 1)
    nans = 6
    others = (1 << 8) - nans
    of_a_nan = nans * 256 + others * nans
    canonical_already = 256 + others  # the first operand that is NaN is the canonical one
    assert any_nan.failures == 0
    assert canonical.failures == of_a_nan - canonical_already


def test_a_number_where_nan_is_meant_is_refuted_and_so_is_the_reverse():
    saturating = build_unit("multiply", FP8_E5M2, RNE, OverflowPolicy.SATURATE)
    nan_on_overflow = build_unit("multiply", FP8_E5M2, RNE, OverflowPolicy.NAN)
    claim = obligation("multiply", "any_nan", policy=OverflowPolicy.NAN)
    assert discharge(claim, circuit=nan_on_overflow).green
    assert discharge(claim, circuit=saturating).outcome is Outcome.REFUTED
    claim = obligation("multiply", "any_nan", policy=OverflowPolicy.SATURATE)
    assert discharge(claim, circuit=nan_on_overflow).outcome is Outcome.REFUTED


def test_the_reference_model_gives_one_of_several():
    model = ReferenceModel(obligation("add", "any_nan"), threads=1)
    found = model({"x": [0x7D, 0x3C], "y": [0x3C, 0x3C]}, sample=2)
    assert found["result"].tolist() == [FP8_E5M2.canonical_nan, 0x40]


@pytest.mark.parametrize("operation", ["min_num", "max_num"])
def test_of_zeros_of_unlike_signs_either_is_the_smaller(operation):
    """A circuit that delivers +0 of +0 and -0; for 2019's minimum that is wrong."""
    netlist = own()[f"fp8_e5m2.{operation}"].circuit()
    *magnitude, sign = netlist.outputs["result"]
    places = [signal for name in "xy" for signal in netlist.input_buses[name][:-1]]
    base = netlist.signal_count
    neurons = (
        Neuron(tuple((signal, 1) for signal in places), HALF),  # not both are zero
        Neuron(((sign, 4), (base, 2), *((bus[-1], 1) for bus in netlist.input_buses.values())), 6),
        Neuron(((sign, 1), (base, 1)), 1 + HALF),
    )
    positive, always_positive = (
        Netlist(netlist.inputs, (*netlist.neurons, *neurons), {"result": (*magnitude, base + place)})
        for place in (1, 2)
    )
    theorem_of_it = own()[f"fp8_e5m2.{operation}"]
    assert discharge(theorem_of_it, circuit=positive).green
    assert discharge(theorem_of_it, circuit=always_positive).outcome is Outcome.REFUTED
    if operation == "min_num":
        minimum = own()["fp8_e5m2.minimum_number"]
        assert discharge(minimum, circuit=positive).outcome is Outcome.REFUTED


# --- one convention in place of another -----------------------------------------------------------

TELLING = {
    "first_nan": "last_nan",
    "last_nan": "first_nan",
    "x86_nan": "first_nan",
    "arm_nan": "first_nan",
    "signalling": "",
    "daz": "",
    "ftz_before": "ftz",
    "ftz_after": "ftz_before",
    "ftz": "ftz_after",
    "daz.unsigned_flush": "daz",
    "ftz.silent_flush": "ftz",
    "tiny_after": "",
}
"""Conventions, and for each its nearest neighbour."""


@pytest.mark.usefixtures("counterexamples_as_found")
@pytest.mark.parametrize(("meant", "given"), TELLING.items())
def test_every_choice_is_told_from_its_neighbour(meant, given):
    claim = obligation("multiply", meant, flags=True)
    assert discharge(claim).green
    found = discharge(claim, circuit=circuit("multiply", given, flags=True))
    assert found.outcome is Outcome.REFUTED


def test_so_is_zero_times_infinity_added_to_a_nan():
    claim = obligation("fma", "invalid_product", flags=True)
    found = discharge(claim, circuit=circuit("fma", "", flags=True))
    assert found.outcome is Outcome.REFUTED


OTHERS_TELLING = {
    "int8.convert_from_fp8_e5m2.rtz.largest_for_nan": "",
    "int8.convert_from_fp8_e5m2.rtz.indefinite": "largest_for_nan",
    "int8.convert_from_fp8_e5m2.rtz.wrapped": "indefinite",
    "int8.convert_from_fp8_e5m2.rtz.silent_conversion": "",
    "int8.convert_from_fp8_e5m2.rtp.daz": "",
    "fp8_e5m2.scale_b.rne.ftz": "ftz_before",
    "fp8_e5m2.scale_b.rne.daz": "",
    "fp8_e5m2.log_b.rne.x86_nan": "",
    "fp8_e5m2.round_to_integral.rtp.daz": "",
    "fp8_e5m2.round_to_integral.rtp.silent_conversion": "",
    "fp8_e5m2.round_to_integral.rtp.signalling": "",
    "fp8_e5m2.convert_from_fp16.rne.arm_nan": "",
}
"""Theorems of other units, and for each the nearest convention that is not meant."""


@pytest.mark.usefixtures("counterexamples_as_found")
@pytest.mark.parametrize(("name", "given"), OTHERS_TELLING.items())
def test_so_it_is_of_other_units(name, given):
    *unit_of_it, meant = f"{name}.flags".rsplit(".", 2)[:2]
    claim = replace(unit_named(f"{name}.flags").obligation(Profile.WIDE), engines=("cadical",))
    assert meant in claim.name
    assert discharge(claim).green
    words = ".".join(filter(None, (*unit_of_it, given, "flags")))
    assert discharge(claim, circuit=unit_named(words).circuit()).outcome is Outcome.REFUTED


# --- names ----------------------------------------------------------------------------------------


def test_every_unit_is_found_by_its_name():
    ours = (units.in_all_modes, units.variants, units.under_conventions)
    conversions = (integer_conversions.without_flags, integer_conversions.with_flags)
    for unit in chain.from_iterable(family() for family in (*ours, *conversions)):
        assert unit_named(unit.name) == unit


@pytest.mark.parametrize(
    ("name", "canonical"),
    [
        ("fp16.add.rne.ieee", "fp16.add.rne"),
        ("fp16.add.rne.threshold.small", "fp16.add.rne"),
        ("fp16.add.rne.ftz.daz.all_ones_nan", "fp16.add.rne.cuda"),
        ("fp16.add.rne.flags.fast.nexus.riscv", "fp16.add.rne.riscv.nexus.fast.flags"),
        ("fp_e5m3.add.rtz", "e5m3.add.rtz"),
        ("e4m3fn.multiply.rne.nan.opencl", "e4m3fn.multiply.rne.nan.any_nan"),
        ("e3m2.convert_from_fp_e5m10.rna.daz", "e3m2.convert_from_e5m10.rna.daz"),
        ("int8.convert_from_e3m4.rtp.x86_sse", "int8.convert_from_e3m4.rtp.x86_sse"),
        ("e3m4.convert_from_uint16.rtp.flags", "e3m4.convert_from_uint16.rtp.flags"),
        ("fp8_e4m3b11fnuz.fma.rto.saturate", "fp8_e4m3b11fnuz.fma.rto.saturate"),
    ],
)
def test_what_a_name_describes_need_not_be_promised(name, canonical):
    (found,) = select(name)
    assert found.name == theorem(name).name == canonical
    assert stated(canonical) is not None


@pytest.mark.parametrize(
    ("name", "function"),
    [
        (
            "fp16.add.rne.riscv",
            "fp16: x + y rounded nearest even, IEEE overflow, signalling NaNs raise invalid, "
            "tininess after rounding",
        ),
        (
            "fp16.fma.rne.riscv",
            "fp16: x * y + z rounded nearest even, IEEE overflow, signalling NaNs raise invalid, "
            "zero times infinity always raises invalid, tininess after rounding",
        ),
        ("fp16.equal.x86_sse", "fp16: equal, signalling NaNs raise invalid"),
        ("fp16.next_up.cuda", "fp16: next up, the NaN of all ones, subnormal operands are zero"),
        (
            "int8.convert_from_fp16.rtz.riscv",
            "fp16 to int8: x rounded toward zero, the largest integer for NaN",
        ),
        (
            "int8.convert_from_fp16.rtz.arm_default_nan",
            "fp16 to int8: x rounded toward zero, saturating, NaN to 0",
        ),
    ],
)
def test_a_statement_says_of_a_convention_what_matters_to_the_operation(name, function):
    assert theorem(name).function == function


@pytest.mark.parametrize(
    "name",
    [
        *(f"fp8_e5m2.{each}.rne.flags" for each in ("add", "multiply", "divide", "square_root", "fma")),
        "e3m2.convert_from_fp8_e5m2.rne.flags",
        *(f"fp8_e5m2.{each}.rne.flags" for each in ("round_to_integral", "scale_b", "log_b")),
        *(f"fp8_e5m2.{each}.flags" for each in ("remainder", "minimum", "min_num", "next_up")),
        *(f"fp8_e5m2.{each}" for each in ("less", "x86_maximum", "next_down")),
        *("fp8_e5m2.signalling_less.flags", "int8.convert_from_fp8_e5m2.rtz.flags"),
        *("fp8_e5m2.convert_from_e8m0.rne", "e8m0.convert_from_e8m1.rne.saturate"),
    ],
)
def test_what_is_not_said_of_a_convention_changes_nothing(name):
    """Formulas under other choices are what they were, or agree on inputs of every class."""
    unit = unit_named(name)
    formats = {bus: fmt for bus, fmt in unit.reading.formats.items() if bus in unit.operands}
    inputs = inputs_by_class({bus: fmt.width for bus, fmt in formats.items()}, formats, 1 << 14, seed=1)
    symbols = {bus: Symbol(bus, BVType(fmt.width)) for bus, fmt in formats.items()}
    for usual in (IEEE, convention_named("daz.ftz.signalling.any_nan")):
        expected = unit.changed(convention=usual).spec(symbols)
        alike = (
            each for each in usual.neighbours() if each.only(unit.bearing) == usual.only(unit.bearing)
        )
        for other in alike:
            found = unit.changed(convention=other).spec(symbols)
            for bus, formula in found.items():
                same = (
                    formula is expected[bus]
                    or (evaluate(formula, inputs) == evaluate(expected[bus], inputs)).all()
                )
                assert same, (other.name, bus)


def test_what_is_promised_is_found_as_promised():
    for name in ("fp16.add.rne", "fp8_e5m2.add.rne.riscv.flags", "fp8_e5m2.convert_from_fp32.rne"):
        assert stated(name) is own()[name] is theorem(name)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("fp16.add.rne.rscv", "unknown convention 'rscv'; did you mean riscv? choose one of ieee, "),
        (
            "fp8_e4m3fn.add.rne.nan.qqq",
            "unknown convention 'qqq'; choose one of ieee, riscv, arm_default_nan, cuda, wasm, opencl, "
            "all_ones_nan, wasm_nan, any_nan, signalling, daz, ftz_before, ftz_after, ftz, "
            "unsigned_flush, silent_flush, tiny_after",
        ),
        ("fp16.convert_from_int8.rne.qqq", "unknown convention 'qqq'; choose one of ieee"),
        ("fp16.add.rne.DAZ", "unknown convention 'DAZ'; did you mean daz"),
        ("fp16.add.rne.satrate", "unknown policy 'satrate'; did you mean saturate"),
        (
            "fp16.add.rne.shallow5",
            "unknown structure 'shallow5'; did you mean shallow or shallow8 or shallow4? "
            "choose one of small, fast, shallow, shallow4, shallow8, ",
        ),
        ("fp8_e5m2.multiply.ftz", "a mode is missing: fp8_e5m2.multiply.MODE.ftz; modes are rne, rna,"),
        (
            "int32.convert_from_fp64.wrapped",
            "a mode is missing: int32.convert_from_fp64.MODE.wrapped; modes are",
        ),
        ("fp16.add.rne.ftz.ftz_after", "'ftz_after' contradicts 'ftz'; leave out one of them"),
        ("fp16.add.rne.ieee.saturate", "'saturate' is said beside another policy; leave out one"),
        ("fp8_e4m3fn.add.rne", "format fp8_e4m3fn has no policy 'ieee'; it has: saturate, nan"),
        ("fp8_e4m3fn.add.rne.nan.arm", "format fp8_e4m3fn has no NaN with a payload, so no 'arm_nan'"),
        ("fp16.convert_from_int8.rne.daz", "convert from int8 is the same by all conventions"),
        ("int8.convert_from_fp9.rne", "unknown format 'fp9'"),
        ("int8.convert_from_fp16.rne.fast", "unknown convention 'fast'; "),
        ("int8.add.rne", "add is an operation of floating-point formats alone"),
        ("fp32.exp.rne.digits", "digit by digit, reciprocal, rsqrt can be made; not exp"),
        ("fp17.add.rne", "unknown format 'fp17'; known: fp8_e4m3fn"),
        ("e16m3.add.rne", "format e16m3 is too wide; the widest has 15 exponent and 112 fraction"),
        ("e1m3.add.rne", "format e1m3: needs at least 2 exponent bits"),
        ("fp16.add.rne.wrapped", "'wrapped' means nothing to add; use a bundle, or of: first_nan,"),
        (
            "fp16.add.rne.riscv.wrapped",
            "'wrapped' means nothing to add; use a bundle, or of: first_nan,",
        ),
        (
            "fp16.add.rne.invalid_product",
            "'invalid_product' means nothing to add; use a bundle, or of: ",
        ),
        ("int8.convert_from_fp16.rtz.ftz", "'ftz' means nothing to convert; use a bundle, or of: daz, "),
        (
            "fp16.next_up.ftz",
            "'ftz' means nothing to next_up; use a bundle, or of: first_nan, last_nan,",
        ),
        ("fp16.less.any_nan", "'any_nan' means nothing to less; use a bundle, or of: signalling, daz"),
    ],
)
def test_what_no_name_describes_is_refused_in_one_line(name, words):
    with refused(error=CatalogueError) as error:
        select(name)
    assert str(error.value).startswith(f"no theorem is named {name!r}: {words}")


@pytest.mark.parametrize(
    ("pattern", "hint"),
    [
        ("e5m6.add.*", "formats such as e5m6 have no list: name the theorem in full, e.g. e5m6.add.rne"),
        ("fp_e5m6.*", "formats such as fp_e5m6 have no list"),
        ("e1m3.*", "names begin with a format or a family: "),
        ("fp64.convert_to_int32.rtz", "did you mean int32.convert_from_fp64.rtz?"),
        ("fp8_e5m2.mul.rne.cuda", "did you mean fp8_e5m2.multiply.rne.cuda?"),
        ("fp8_e5m2.sqrt.*", "did you mean fp8_e5m2.square_root.*?"),
        ("fp16.fmod", "did you mean fp16.truncated_remainder?"),
        ("fp8_e5m2.arctan2.*", "did you mean fp8_e5m2.atan2.*?"),
        ("e5m6.sub.rtz", "did you mean e5m6.subtract.rtz?"),
        ("fp16.multiply.RNE", "did you mean fp16.multiply.rne?"),
        ("FP16.multiply", "did you mean fp16.multiply.rne or fp16.multiply.rne.saturate or"),
        ("fp16.sqr_root.rne.flgas", "did you mean fp16.square_root.rne.flags or"),
        ("margin.ionic.and.nois", "did you mean margin.ionic.and.noise or"),
        ("block.threshold.adder.8", "did you mean block.threshold.add.8 or"),
        ("cell.qqqq.zzzz", "`spikeproof list` shows all names"),
        ("fp16.multiply.rne.daz.*", "fp16.multiply.rne.daz can be named though it is not listed: name"),
    ],
)
def test_what_no_name_matches_is_told_what_may_be_meant(pattern, hint):
    with pytest.raises(CatalogueError) as error:
        select(pattern)
    assert str(error.value).startswith(f"no theorem matches {pattern!r}; {hint}")


@pytest.mark.parametrize(
    "name", ["fp16.add", "fp16.add.xyz", "add.rne", "fp16.*.riscv", "int8.convert.rne"]
)
def test_other_names_are_none_of_ours(name):
    with pytest.raises(CatalogueError):
        theorem(name)


def test_every_bundle_is_promised_of_every_format_that_can_have_it():
    for name, convention in BUNDLES.items():
        every = (o.parameters for o in catalogue().values() if "mode" in o.parameters)
        found = [each for each in every if each.get("convention") == convention.name]
        assert (convention == IEEE) == (not found), name
        if found:
            assert {each["operation"] for each in found} == {*units.OPERATIONS, *WORDS, "convert"}
            assert {each["mode"] for each in found} == {mode.value for mode in RoundingMode}
            assert FP16.name in {each["format"] for each in found}


def test_names_say_all_of_a_convention():
    names = {unit("add", convention.name).name for convention in BUNDLES.values()}
    assert len(names) == len(BUNDLES)
    assert Unit("add", FP16, convention=Convention()).name == "fp16.add.rne"
