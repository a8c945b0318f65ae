"""Operands of other formats than the result: formula and circuit against the spec of record, faults."""

from dataclasses import replace
from fractions import Fraction
from itertools import product

import ml_dtypes
import numpy as np
import pytest
from pysmt.shortcuts import BVType, Symbol

from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.units.libraries import FAST, LIBRARIES, SMALL
from spikeproof.proofs import described
from spikeproof.proofs.format_of import BY_DEFAULT, obligations
from spikeproof.proofs.names import unit_named
from spikeproof.prover.claims.catalogue import Collection, catalogue
from spikeproof.prover.claims.obligation import Outcome, Profile
from spikeproof.prover.refutation.drawing import inputs_by_class
from spikeproof.prover.refutation.exhaustion import enumerate_all
from spikeproof.prover.refutation.mutation import mutants, stuck_at_zero
from spikeproof.prover.running.discharge import discharge
from spikeproof.specs import exact
from spikeproof.specs.conventions import convention_named
from spikeproof.specs.formats import (
    FLAGS,
    FP4_E2M1,
    FP8_E4M3FN,
    FP8_E4M3FNUZ,
    FP8_E5M2,
    FP16,
    FP32,
    OverflowPolicy,
    RoundingMode,
    operand_formats,
)
from tests.support.faults import some_kinds_for
from tests.support.formula_evaluation import evaluate_all
from tests.support.graphs import Encoded
from tests.support.netlists import all_inputs
from tests.support.profile import CASES, NIGHTLY
from tests.support.refusals import assert_not_described

SEED = 20261128
NEAREST, IEEE = RoundingMode.NEAREST_EVEN, OverflowPolicy.IEEE

SMALL_CASES = [
    "fp8_e4m3fn.add_from_fp4_e2m1_and_fp6_e3m2",
    "fp6_e2m3.subtract_from_fp4_e2m1_and_e3m1fnuz",
    "fp16.add_from_fp6_e3m2",
    "fp4_e2m1.add_from_e2m2_and_fp6_e2m3",
    "fp8_e5m2fnuz.multiply_from_fp6_e2m3_and_fp4_e2m1",
    "e2m1.multiply_from_fp6_e3m2",
    "fp6_e3m2.divide_from_fp4_e2m1_and_fp6_e2m3",
    "fp16.divide_from_fp6_e3m2",
    "fp4_e2m1.divide_from_e3m2fnuz_and_e2m2",
    "fp16.square_root_from_fp8_e5m2",
    "fp4_e2m1.square_root_from_fp8_e4m3fnuz",
    "fp8_e4m3fn.fma_from_fp4_e2m1",
    "fp4_e2m1.fma_from_e2m2fn_and_e2m1_and_e2m1",
    "fp16.fma_from_fp4_e2m1_and_e2m1fnuz_and_fp4_e2m1",
]
"""Of so few operands that all are tried."""

WIDE_CASES = [
    "fp32.add_from_fp16_and_fp32",
    "fp32.subtract_from_bfloat16_and_fp16",
    "fp16.add_from_fp32",
    "fp32.add_from_fp8_e4m3b11fnuz_and_e5m10",
    "fp32.multiply_from_fp8_e5m2_and_tf32",
    "fp8_e5m2.multiply_from_fp16_and_fp8_e5m2",
    "bfloat16.divide_from_fp8_e5m2_and_fp32",
    "fp32.divide_from_fp16",
    "fp16.square_root_from_fp32",
    "fp32.square_root_from_bfloat16",
    "fp32.fma_from_fp8_e4m3fn_and_fp8_e5m2_and_fp32",
    "fp32.fma_from_fp16_and_fp16_and_fp32",
    "fp16.fma_from_fp32",
    "fp64.fma_from_fp32_and_fp64_and_fp16",
    "bfloat16.fma_from_fp16_and_fp8_e4m3fnuz_and_tf32",
    "e7m2.fma_from_fp4_e2m1_and_fp8_e5m2_and_fp4_e2m1",
]


def unit(name, mode=NEAREST, words="", flags=True):
    """The unit of a name without mode, with flags, under its format's first policy."""
    fmt = unit_named(f"{name}.{mode.value}.saturate").fmt
    policy = "" if fmt.policies[0] is IEEE else f".{fmt.policies[0].value}"
    return unit_named(".".join(filter(None, (name, f"{mode.value}{policy}", words, "flags" * flags))))


def recorded(of, inputs):
    """Results and flags by the spec of record."""
    results, flags = [], []
    for codes in zip(*(inputs[name].tolist() for name in of.operands), strict=True):
        given = {"source": of.source, "convention": of.convention}
        results.append(exact.compute(of.operation, of.fmt, of.mode, of.policy, *codes, **given))
        flags.append(exact.flags(of.operation, of.fmt, of.mode, *codes, **given))
    return {"result": results, "flags": flags}


def formulas(of):
    return of.spec({name: Symbol(name, BVType(of.reading.formats[name].width)) for name in of.operands})


def as_lists(columns):
    return {name: column.tolist() for name, column in columns.items()}


# --- formula and circuit ------------------------------------------------------------------------


@pytest.mark.parametrize("name", SMALL_CASES)
def test_formula_and_circuit_on_every_operand(name):
    """In one mode, another for each; in all of them in the nightly profile."""
    modes = list(RoundingMode)
    for mode in modes if NIGHTLY else modes[SMALL_CASES.index(name) % 6 :: 6]:
        of = unit(name, mode)
        netlist = of.circuit()
        inputs = all_inputs(netlist)
        expected = recorded(of, inputs)
        assert as_lists(boolean.evaluate(netlist, inputs)) == expected, mode
        assert as_lists(evaluate_all(formulas(of), inputs)) == expected, mode


@pytest.mark.parametrize("name", WIDE_CASES)
def test_formula_and_circuit_on_operands_drawn_by_class(name):
    """A mode with its convention, another for each; all of them in the nightly profile."""
    words_of = ("", "riscv", "cuda", "ftz_after", "daz.ftz_before", "any_nan")
    cases = list(enumerate(zip(RoundingMode, words_of, strict=True)))
    for place, (mode, words) in cases if NIGHTLY else cases[WIDE_CASES.index(name) % 6 :: 6]:
        of = unit(name, mode, words)
        netlist = of.circuit()
        inputs = inputs_by_class(netlist.inputs, of.reading.formats, max(600, CASES // 100), place)
        expected = recorded(of, inputs)
        assert as_lists(boolean.evaluate(netlist, inputs)) == expected, (mode, words)
        for output, formula in formulas(of).items():
            assert Encoded(formula).evaluate(inputs).tolist() == expected[output], (mode, words)


@pytest.mark.parametrize(("library", "structure"), list(product(LIBRARIES, (SMALL, FAST))))
def test_circuits_of_every_library_and_structure(library, structure):
    of = replace(unit("fp6_e3m2.fma_from_fp4_e2m1_and_fp4_e2m1_and_e2m1"), library=library)
    netlist = replace(of, structure=structure).circuit()
    inputs = all_inputs(netlist)
    assert as_lists(boolean.evaluate(netlist, inputs)) == recorded(of, inputs)


@pytest.mark.parametrize("name", [*SMALL_CASES, "fp8_e4m3fn.fma_from_fp4_e2m1_and_fp4_e2m1_and_e3m2"])
def test_the_trace_is_what_the_circuit_shows(name):
    of = unit(name)
    netlist = of.circuit()
    inputs = {bus: codes[::5] for bus, codes in all_inputs(netlist).items()}
    signals = boolean.evaluate_signals(netlist, inputs)
    shown = {name: boolean.bus_words(signals, bus) for name, bus in netlist.probes.items()}
    for index, codes in enumerate(zip(*(codes.tolist() for codes in inputs.values()), strict=True)):
        for probe, value in of.trace(dict(zip(inputs, codes, strict=True))).items():
            live = sum(1 << i for i, s in enumerate(netlist.probes.get(probe, ())) if s >= 0)
            same = probe not in shown or int(shown[probe][index]) & live == value & live
            assert same, (codes, probe)


# --- others who say so ----------------------------------------------------------------------------

VALUES = {
    "fp8_e4m3fn": (np.uint8, ml_dtypes.float8_e4m3fn),
    "fp8_e5m2": (np.uint8, ml_dtypes.float8_e5m2),
    "bfloat16": (np.uint16, ml_dtypes.bfloat16),
    "fp16": (np.uint16, np.float16),
    "fp32": (np.uint32, np.float32),
}


def doubles(fmt, codes):
    """The values of codes, by NumPy and ml_dtypes."""
    integer, kind = VALUES[fmt.name]
    with np.errstate(invalid="ignore"):  # signalling NaNs
        return codes.astype(integer).view(kind).astype(np.float64)


def exact_in_double(left, right, total):
    """Whether a sum in double precision is exact: by what Knuth's two-sum has left over."""
    with np.errstate(invalid="ignore"):
        other = total - left
        return (left - (total - other)) + (right - other) == 0


OF_NUMPY = [
    "fp32.fma_from_fp8_e4m3fn_and_fp8_e4m3fn_and_fp32",
    "fp32.fma_from_fp8_e4m3fn_and_fp8_e5m2_and_fp32",
    "fp16.fma_from_fp8_e5m2_and_fp8_e5m2_and_fp16",
    "fp16.fma_from_fp32",
    "fp32.fma_from_fp16_and_fp16_and_fp32",
    "fp16.add_from_fp8_e4m3fn",
    "fp16.add_from_fp32",
    "fp32.subtract_from_bfloat16_and_fp16",
    "fp16.multiply_from_fp32_and_fp8_e5m2",
    "fp32.multiply_from_fp16",
    "fp16.divide_from_fp8_e4m3fn_and_fp8_e5m2",
    "fp32.divide_from_fp16",
    "fp16.square_root_from_fp8_e5m2",
    "fp32.square_root_from_fp16",
]


@pytest.mark.parametrize("name", OF_NUMPY)
def test_as_numpy_computes_in_double_precision(name):
    """Where the result in double precision is exact; or so near it that rounding it is as well.

    So are quotients and roots of numbers of up to 11 bits: they are no number of 25 bits without being
    exact, and further from every such than the last place of a double.
    """
    of = unit(name, flags=False)
    netlist = of.circuit()
    inputs = inputs_by_class(netlist.inputs, of.reading.formats, max(4000, CASES), SEED)
    x, *others = (doubles(of.reading.formats[bus], inputs[bus]) for bus in of.operands)
    with np.errstate(all="ignore"):
        if of.operation == "fma":  # the product of two numbers of 24 bits is exact
            x, others = x * others[0], others[1:]
        operations = {
            "add": np.add,
            "fma": np.add,
            "subtract": np.subtract,
            "multiply": np.multiply,
            "divide": np.divide,
            "square_root": np.sqrt,
        }
        meant = operations[of.operation](x, *others)
        counts = np.full(len(meant), True)
        if of.operation in ("add", "subtract", "fma"):
            other = -others[0] if of.operation == "subtract" else others[0]
            counts = ~np.isfinite(meant) | exact_in_double(x, other, meant)
        integer, kind = VALUES[of.fmt.name]
        rounded = meant.astype(kind).view(integer)
        rounded = np.where(np.isnan(meant), of.fmt.canonical_nan, rounded)
    assert counts.mean() > 0.4
    found = boolean.evaluate(netlist, inputs)["result"]
    assert np.array_equal(found[counts], rounded[counts])


def fp16_code(number):
    return int(np.float16(number).view(np.uint16))


def fp32_code(number):
    return int(np.float32(number).view(np.uint32))


def test_it_is_rounded_once():
    """The operands are no numbers of the result's format, and neither is what their sum is near."""
    x, y = fp32_code(1 + 2.0**-11), fp32_code(2.0**-23)
    assert exact.compute("add", FP16, NEAREST, IEEE, x, y, source=FP32) == fp16_code(1) + 1
    # In FP32 the product, 1 + 2^-11 + 2^-12 + 2^-23 less a tie, would be rounded to the tie first.
    x, y, z = fp32_code(1 + 2.0**-12), fp32_code(1 + 2.0**-12), fp32_code(2.0**-40)
    product = Fraction(1 + 2.0**-12) ** 2 + Fraction(2) ** -40
    assert product > 1 + Fraction(1, 1 << 11)
    assert exact.compute("fma", FP16, NEAREST, IEEE, x, y, z, source=FP32) == fp16_code(1) + 1


def test_products_of_fp8_are_added_to_fp32_with_one_rounding():
    source = (FP8_E4M3FN, FP8_E4M3FN, FP32)
    most, least = FP8_E4M3FN.largest_finite, 1  # 448 and 2^-9
    for x, y, z, result in (
        (most, most, fp32_code(0), fp32_code(448.0**2)),
        (least, least, fp32_code(0), fp32_code(2.0**-18)),
        (least, least, fp32_code(2.0**6), fp32_code(2.0**6)),  # half of the last place: to even
        (least, least, fp32_code(2.0**6 + 2.0**-17), fp32_code(2.0**6 + 2.0**-16)),
        (least, 0x80 | least, fp32_code(2.0**6), fp32_code(2.0**6 - 2.0**-18)),
        (least, least, 0x00000001, fp32_code(2.0**-18)),
        (0, most, 0x00000001, 0x00000001),
        (0x7F, most, fp32_code(1), FP32.canonical_nan),
        (most, most, FP32.infinity, FP32.infinity),
    ):
        assert exact.compute("fma", FP32, NEAREST, IEEE, x, y, z, source=source) == result


@pytest.mark.parametrize(
    ("words", "codes", "result"),
    [
        ("first_nan", (0x7C01, 0x7FC12345), 0x7FC02000),  # made quiet, its payload at the top
        ("last_nan", (0x7C01, 0x7FC12345), 0x7FC12345),
        ("last_nan", (0x7C01, 0x3F800000), 0x7FC02000),
        ("arm_nan", (0x7E01, 0xFF812345), 0xFFC12345),  # the signalling one
        ("x86_nan", (0x7C00, 0xFF800000), 0xFFC00000),  # infinity less infinity
    ],
)
def test_the_payload_of_any_operand_goes_to_the_result(words, codes, result):
    of = unit("fp32.add_from_fp16_and_fp32", words=words, flags=False)
    inputs = {name: np.array([code], np.uint64) for name, code in zip("xy", codes, strict=True)}
    assert of.trace(dict(zip("xy", codes, strict=True)))["result"] == result
    assert boolean.evaluate(of.circuit(), inputs)["result"].tolist() == [result]
    assert Encoded(formulas(of)["result"]).evaluate(inputs).tolist() == [result]


def test_flags_are_of_each_operand_in_its_own_format():
    """0x7D is a signalling NaN of FP8_E5M2 alone, and a number of FP8_E4M3FN."""
    convention = convention_named("riscv")
    for source, invalid in (((FP8_E5M2, FP8_E4M3FN), 1), ((FP8_E4M3FN, FP8_E5M2), 0)):
        given = {"source": source, "convention": convention}
        flags = exact.flags("add", FP16, NEAREST, 0x7D, 0x00, **given)
        assert flags >> FLAGS.index("invalid") & 1 == invalid


# --- proofs ---------------------------------------------------------------------------------------

PROVED = [
    "fp8_e4m3fn.add_from_fp4_e2m1_and_fp6_e3m2",
    "fp16.multiply_from_fp8_e4m3fn_and_fp4_e2m1",
    "fp8_e5m2.divide_from_fp6_e2m3_and_fp4_e2m1",
    "fp8_e5m2.square_root_from_fp6_e3m2",
    "e3m1.fma_from_fp4_e2m1_and_fp4_e2m1_and_e3m1",
]


@pytest.mark.usefixtures("counterexamples_as_found")
@pytest.mark.parametrize("name", PROVED)
def test_units_are_proved_and_their_faults_refuted(name):
    obligation = replace(unit(name).obligation(), engines=("cadical",))
    netlist = obligation.circuit()
    assert discharge(obligation).outcome is Outcome.PROVED
    given = all_inputs(netlist)
    sound = boolean.evaluate(netlist, given)

    def is_faulty(mutant):
        outputs = boolean.evaluate(mutant, given)
        return any(not np.array_equal(outputs[bus], sound[bus]) for bus in sound)

    place = PROVED.index(name)
    kinds = some_kinds_for(netlist, place)
    for kind in kinds if NIGHTLY else kinds[:1]:
        mutant = next(m for m in mutants(netlist, kind, SEED) if is_faulty(m.netlist))
        assert discharge(obligation, circuit=mutant.netlist).outcome is Outcome.REFUTED, mutant.fault
    for number, flag in enumerate(FLAGS):
        signal = netlist.outputs["flags"][number]
        if signal >= 0 and (NIGHTLY or number % 2 == place % 2):
            mutant = stuck_at_zero(netlist, signal).netlist
            wanted = Outcome.REFUTED if is_faulty(mutant) else Outcome.PROVED
            assert discharge(obligation, circuit=mutant).outcome is wanted, flag


MIXED_FMA = [
    "fp8_e5m2.fma_from_fp6_e2m3",
    "fp6_e3m2.fma_from_fp8_e4m3fn_and_fp4_e2m1_and_fp8_e5m2",
]


@pytest.mark.usefixtures("counterexamples_as_found")
@pytest.mark.parametrize("name", MIXED_FMA if NIGHTLY else MIXED_FMA[:1])
def test_a_multiply_add_of_several_formats_is_cut_at_its_normalised_product(name):
    obligation = replace(unit(name).obligation(), engines=("cadical",))
    result = discharge(obligation)
    assert result.composed
    assert [lemma.name for lemma in result.lemmas if lemma.kind == "claim"] == [
        "x_significand, y_significand",
        "normalised_product, product_field",
        "fact about normalised_product, product_field",
        "magnitude, sign",
        "outputs",
    ]
    netlist = obligation.circuit()
    for probe, place in (("normalised_product", 0), ("normalised_product", -1), ("product_field", 0)):
        faulty = stuck_at_zero(netlist, netlist.probes[probe][place]).netlist
        result = discharge(obligation, circuit=faulty)
        assert result.outcome is Outcome.REFUTED, (probe, place)


def test_a_multiply_add_of_one_format_leaves_its_product_where_it_is():
    """Also where the result has fewer places and exponents than that."""
    probes = {name: unit(name).circuit().probes for name in ("fp8_e5m2.fma", "fp8_e4m3fn.fma_from_fp16")}
    assert not any("normalised_product" in each for each in probes.values())


def test_that_fp8_times_fp8_plus_fp32_is_proved_is_promised():
    name = "fp32.fma_from_fp8_e4m3fn_and_fp8_e4m3fn_and_fp32.rne"
    assert catalogue()[name].profile is Profile.DEFAULT


@pytest.mark.usefixtures("counterexamples_as_found")
def test_a_circuit_that_takes_operands_in_each_others_formats_is_refuted():
    of = unit("fp8_e5m2.add_from_fp6_e2m3_and_fp6_e3m2", flags=False)
    other = unit("fp8_e5m2.add_from_fp6_e3m2_and_fp6_e2m3", flags=False).circuit()
    assert enumerate_all(of.obligation(), of.circuit(), ("spec",), 1).failures == 0
    assert enumerate_all(of.obligation(), other, ("spec",), 1).failures > 0
    assert discharge(of.obligation(), circuit=other).outcome is Outcome.REFUTED


# --- names ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("fp16.add_from_fp32.rne", "fp16.add_from_fp32.rne"),
        ("fp16.add_from_fp32_and_fp32.rne", "fp16.add_from_fp32.rne"),
        ("fp16.add_from_fp16_and_fp16.rne", "fp16.add.rne"),
        ("fp16.add_from_fp16.rne", "fp16.add.rne"),
        ("fp16.square_root_from_fp32.rtz.flags", "fp16.square_root_from_fp32.rtz.flags"),
        (
            "fp32.fma_from_fp_e4m3fn_and_fp8_e5m2_and_fp32.rne.flags.fast",
            "fp32.fma_from_e4m3fn_and_fp8_e5m2_and_fp32.rne.fast.flags",
        ),
        ("fp16.convert_from_fp16.rne", "fp16.convert_from_fp16.rne"),
    ],
)
def test_units_are_described_by_their_names(said, name):
    assert described(said).name == name


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("fp32.fma_from_fp16_and_fp16.rne", "2 formats for 3 operands: fp16, fp16; give one"),
        ("fp16.convert_from_fp32_and_fp32.rne", "2 formats for 1 operands"),
        ("fp16.add_from_fp23_and_fp16.rne", "unknown format 'fp23'"),
        ("fp16.add_from_fp16_and_.rne", "unknown format ''"),
        ("fp16.add_from_int8_and_fp16.rne", "unknown format 'int8'"),
        ("fp16.add_from_fp8_e4m3fn_and_fp16.rne.first_nan", "fp8_e4m3fn has no NaN with a payload"),
    ],
)
def test_what_no_name_describes_is_refused_in_one_line(name, words):
    assert_not_described(name, words)


def test_what_is_promised_is_described_by_its_name():
    promised = list(Collection(obligations()).values())
    assert len({obligation.name for obligation in promised}) == len(promised) > 500
    for obligation in promised:
        assert described(obligation.name).parameters == obligation.parameters
    by_default = {o.name for o in promised if o.profile is Profile.DEFAULT}
    assert by_default == BY_DEFAULT


def test_a_counterexample_reads_each_operand_in_its_format():
    of = unit("fp16.add_from_fp8_e4m3fn_and_fp16", flags=False)
    assert of.reading.formats == {"x": FP8_E4M3FN, "y": FP16, "result": FP16}
    assert of.function == "fp8_e4m3fn, fp16 to fp16: x + y rounded nearest even, IEEE overflow"
    with pytest.raises(ValueError, match="3 formats for 2 operands"):
        operand_formats((FP16, FP4_E2M1, FP8_E4M3FNUZ), 2)


def test_inputs_of_mixed_formats_have_exponents_near_each_other():
    """Drawn each for itself, one in twenty would be."""
    formats = {"x": FP8_E4M3FN, "y": FP32}
    drawn = inputs_by_class({"x": 8, "y": 32}, formats, 4096, SEED)
    x, y = (
        (drawn[name].astype(np.int64) >> fmt.fraction_bits) % (1 << fmt.exponent_bits) - fmt.bias
        for name, fmt in formats.items()
    )
    assert np.mean(abs(x - y) <= FP8_E4M3FN.precision) > 0.2
    assert {len(np.unique(drawn[name])) > 200 for name in formats} == {True}
