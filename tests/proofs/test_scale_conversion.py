"""Conversions from and to E8M0: specs against each other and others' libraries, circuits, mutants."""

import math
from functools import cache
from itertools import product

import ml_dtypes
import numpy as np
import pytest
import torch
from pysmt.shortcuts import BVType, Symbol

from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.units.libraries import FAST, LIBRARIES, SMALL
from spikeproof.circuits.units.scale_conversion import build_from_scale, build_to_scale
from spikeproof.proofs import described
from spikeproof.proofs.scale_conversions import (
    ML_DTYPES,
    PYTORCH,
    FromScale,
    ToScale,
    from_scales,
    to_scales,
)
from spikeproof.prover.claims.obligation import Outcome
from spikeproof.prover.encoding.evaluation import Evaluation
from spikeproof.prover.refutation.drawing import many_codes
from spikeproof.prover.refutation.exhaustion import SPEC, enumerate_all
from spikeproof.prover.refutation.mutation import mutants
from spikeproof.prover.running.discharge import discharge
from spikeproof.prover.running.neighbours import nearest
from spikeproof.specs import exact, symbolic
from spikeproof.specs.conventions import IEEE, convention_named
from spikeproof.specs.formats import (
    BFLOAT16,
    E8M0,
    FORMATS,
    FP4_E2M1,
    FP8_E4M3B11FNUZ,
    FP8_E4M3FN,
    FP8_E5M2,
    FP16,
    FP32,
    FP64,
    MX_ELEMENTS,
    Format,
    OverflowPolicy,
    RoundingMode,
    Specials,
    ieee_format,
)
from tests.support.faults import some_kinds_for
from tests.support.profile import NIGHTLY
from tests.support.refusals import assert_not_described

pytestmark = pytest.mark.usefixtures("cadical_alone")

RNE, RTZ, UP = RoundingMode.NEAREST_EVEN, RoundingMode.TOWARD_ZERO, RoundingMode.UP
SATURATE, NAN = OverflowPolicy.SATURATE, OverflowPolicy.NAN
SEED = 20261128
SCALES = np.arange(1 << E8M0.width, dtype=np.uint64)
CONVENTIONS = (IEEE, PYTORCH, ML_DTYPES, convention_named("positive_scale"), convention_named("daz"))
NUMPY = {"bfloat16": ml_dtypes.bfloat16, "fp16": np.float16, "fp32": np.float32}
BEYOND = (Format("e9m2", 9, 2, 255, Specials.IEEE), Format("e9m1fn", 9, 1, 250, Specials.FN))
"""Small formats with numbers above and below all scales."""


def codes_of(fmt):
    """Every code of a format of up to 16 bits; above, codes drawn by class and those near both ends."""
    if fmt.width <= 16:
        return np.arange(1 << fmt.width, dtype=np.uint64)
    fields = [fmt.bias + e for e in (-150, -129, -128, -127, -126, -125, -1, 0, 126, 127, 128)]
    half, one = 1 << fmt.fraction_bits - 1, 1 << fmt.fraction_bits
    near = [
        (max(field, 0) << fmt.fraction_bits) + fraction
        for field in fields
        for fraction in (0, 1, half >> 1, (half >> 1) + 1, half - 1, half, half + 1, one - 1)
        if field < 1 << fmt.exponent_bits
    ]
    signed = [code | sign for code in near for sign in (0, fmt.sign_mask)]
    return np.concatenate([np.array(signed, dtype=np.uint64), many_codes(fmt, 400, SEED)[0]])


def numbers(fmt, codes):
    """The values of codes in NumPy's form."""
    return codes.astype(f"u{fmt.width // 8}").view(NUMPY[fmt.name])


def record(unit, codes):
    return [unit.trace({"x": int(code)})["result"] for code in codes]


def by_formula(units, codes):
    """The results of the formulas of units with one operand."""
    width = (units[0].source if isinstance(units[0], ToScale) else E8M0).width
    x = Symbol(f"x{width}", BVType(width))
    formulas = {unit: unit.spec({"x": x})["result"] for unit in units}
    return Evaluation(formulas).evaluate({x.symbol_name(): codes})


# --- what others say ------------------------------------------------------------------------------


@pytest.mark.parametrize("fmt", [FP16, BFLOAT16, FP32], ids=lambda fmt: fmt.name)
def test_pytorch_and_ml_dtypes(fmt):
    """Every code of FP16 and BF16; PyTorch ignores signs and zeros, ml_dtypes makes them NaN."""
    codes = codes_of(fmt)
    values = numbers(fmt, codes)
    with np.errstate(invalid="ignore", over="ignore"):
        wide = values.astype(np.float32)
        theirs = values.astype(ml_dtypes.float8_e8m0fnu).view(np.uint8)
    torchs = torch.from_numpy(wide).to(torch.float8_e8m0fnu).view(torch.uint8).numpy()
    of_pytorch, of_ml_dtypes = (ToScale(fmt, RNE, NAN, each) for each in (PYTORCH, ML_DTYPES))
    found = by_formula([of_pytorch, of_ml_dtypes], codes)
    assert found[of_pytorch].tolist() == torchs.tolist()
    assert found[of_ml_dtypes].tolist() == theirs.tolist()
    if fmt is not FP16:  # of which no number is below all scales
        assert torchs[::9].tolist() == record(of_pytorch, codes[::9])
        assert theirs[::9].tolist() == record(of_ml_dtypes, codes[::9])


def test_where_pytorch_is_not_nearest():
    """Between 2^-127 and 1.5 * 2^-127 the larger scale is further away, and PyTorch's choice."""
    codes = codes_of(BFLOAT16)
    nearest, of_pytorch = ToScale(BFLOAT16, RNE, NAN), ToScale(BFLOAT16, RNE, NAN, PYTORCH)
    found = by_formula([nearest, of_pytorch], codes)
    wrong = codes[found[nearest] != found[of_pytorch]] & np.uint64(0x7FFF)
    assert sorted(wrong.tolist()) == sorted([*range(0x41, 0x60)] * 2)
    assert set(found[nearest][wrong].tolist()) == {0}
    assert set(found[of_pytorch][wrong].tolist()) == {1}


def cuda(number, up, saturates):
    """What CUDA's header says of a conversion to E8M0 (``__nv_cvt_bfloat16raw_to_e8m0``, 13.0)."""
    if math.isnan(number):
        return 0xFF
    if math.isinf(number):
        return 0xFE if saturates else 0xFF
    if abs(number) <= 2.0**-127:
        return 0
    fraction, exponent = math.frexp(abs(number))
    code = exponent - 1 + 127 + (up and fraction != 0.5)
    return min(code, 0xFE) if saturates else min(code, 0xFF)


@pytest.mark.parametrize("fmt", [FP16, BFLOAT16, FP32], ids=lambda fmt: fmt.name)
def test_the_rules_of_cuda(fmt):
    codes = codes_of(fmt)
    with np.errstate(invalid="ignore"):
        values = numbers(fmt, codes).astype(np.float64)
    units = [ToScale(fmt, mode, policy) for mode in (RTZ, UP) for policy in (SATURATE, NAN)]
    for unit, actual in by_formula(units, codes).items():
        expected = [cuda(float(v), unit.mode is UP, unit.policy is SATURATE) for v in values]
        assert actual.tolist() == expected, unit.name


@pytest.mark.parametrize(
    ("number", "rne", "rna", "rtz", "rtp", "rtn", "rto"),
    [
        (1.0, 127, 127, 127, 127, 127, 127),
        (1.5, 128, 128, 127, 128, 127, 127),
        (1.5 - 2.0**-52, 127, 127, 127, 128, 127, 127),
        (-1.5, 128, 128, 127, 128, 127, 127),
        (2.0**-127, 0, 0, 0, 0, 0, 0),
        (2.0**-127 * 1.25, 0, 0, 0, 1, 0, 0),
        (2.0**-127 * 1.5, 1, 1, 0, 1, 0, 0),
        (2.0**-140, 0, 0, 0, 0, 0, 0),
        (5e-324, 0, 0, 0, 0, 0, 0),
        (-0.0, 0, 0, 0, 0, 0, 0),
        (2.0**127 * 1.25, 254, 254, 254, 255, 254, 254),
        (2.0**127 * 1.5, 255, 255, 254, 255, 254, 254),
        (1e300, 255, 255, 254, 255, 254, 254),
        (math.inf, 255, 255, 255, 255, 255, 255),
        (math.nan, 255, 255, 255, 255, 255, 255),
    ],
)
def test_landmarks_in_every_mode(number, rne, rna, rtz, rtp, rtn, rto):
    code = int(np.float64(number).view(np.uint64))
    expected = {"rne": rne, "rna": rna, "rtz": rtz, "rtp": rtp, "rtn": rtn, "rto": rto}
    for name, scale in expected.items():
        assert exact.convert_to_scale(FP64, RoundingMode(name), NAN, code) == scale, name
        saturated = 254 if scale == 255 and not math.isnan(number) else scale
        assert exact.convert_to_scale(FP64, RoundingMode(name), SATURATE, code) == saturated, name


@pytest.mark.parametrize("fmt", [FP16, BFLOAT16, FP32], ids=lambda fmt: fmt.name)
def test_scales_as_numbers(fmt):
    """By ml_dtypes, through NumPy; into FP32 all are exact, the smallest being subnormal."""
    with np.errstate(over="ignore", under="ignore"):
        values = SCALES.astype(np.uint8).view(ml_dtypes.float8_e8m0fnu).astype(np.float32)
        theirs = values.astype(NUMPY[fmt.name]).view(f"u{fmt.width // 8}")
    unit = FromScale(fmt)
    found = by_formula([unit], SCALES)[unit].tolist()
    assert found[:-1] == theirs[:-1].tolist() == record(unit, SCALES[:-1])
    assert found[-1] == fmt.canonical_nan
    if fmt is FP32:
        assert found[0] == 0x00400000
        assert [math.frexp(float(v))[0] for v in values[:-1]] == [0.5] * 255


@pytest.mark.parametrize("element", MX_ELEMENTS, ids=lambda element: element.name)
def test_shared_scales(element):
    """As OCP MX has it: 2^(floor(log2(largest)) - emax), as far as there are such scales."""
    codes = codes_of(BFLOAT16)
    with np.errstate(invalid="ignore"):
        values = numbers(BFLOAT16, codes).astype(np.float64)
    unit = ToScale(BFLOAT16, RTZ, SATURATE, element=element)
    emax = {"fp8_e4m3fn": 8, "fp8_e5m2": 15, "fp6_e2m3": 2, "fp6_e3m2": 4, "fp4_e2m1": 2}[element.name]

    def expected(largest):
        if math.isnan(largest):
            return 255
        if math.isinf(largest):
            return 254
        return max(0, math.frexp(abs(largest))[1] - 1 - emax + 127) if largest else 0

    assert by_formula([unit], codes)[unit].tolist() == [expected(float(v)) for v in values]


# --- the two specs, and the circuits --------------------------------------------------------------


@pytest.mark.parametrize(
    "fmt",
    [*FORMATS.values(), FP8_E4M3B11FNUZ, ieee_format(2, 1), *BEYOND],
    ids=lambda fmt: fmt.name,
)
def test_formula_and_circuit_to_scales_are_the_spec_of_record(fmt):
    """In every third mode, others for each width; in the nightly profile in all of them."""
    codes = codes_of(fmt)
    if len(codes) > 500:  # with an odd step, so that every bit changes
        codes = codes[:: len(codes) // 400 | 1]
    modes = list(RoundingMode)
    modes = modes if NIGHTLY else modes[fmt.width % 3 :: 3]
    units = [ToScale(fmt, mode, policy) for mode in modes for policy in E8M0.policies]
    units += [ToScale(fmt, mode, NAN, PYTORCH) for mode in modes]
    units += [ToScale(fmt, RNE, NAN, each) for each in CONVENTIONS]
    units += [ToScale(fmt, RTZ, SATURATE, element=FP8_E5M2), ToScale(fmt, UP, NAN, element=FP4_E2M1)]
    for unit, actual in by_formula(list(dict.fromkeys(units)), codes).items():
        expected = record(unit, codes)
        assert actual.tolist() == expected, unit.name
        assert boolean.evaluate(unit.circuit(), {"x": codes})["result"].tolist() == expected, unit.name


@pytest.mark.parametrize("fmt", [*FORMATS.values(), *BEYOND], ids=lambda fmt: fmt.name)
def test_formula_and_circuit_from_scales_are_the_spec_of_record(fmt):
    """As ``to_scales``."""
    modes = list(RoundingMode)
    modes = modes if NIGHTLY else modes[fmt.width % 3 :: 3]
    units = [FromScale(fmt, mode, policy) for mode in modes for policy in fmt.policies]
    units.append(FromScale(fmt, RNE, fmt.policies[0], convention_named("cuda")))
    for unit, actual in by_formula(units, SCALES).items():
        expected = record(unit, SCALES)
        assert actual.tolist() == expected, unit.name
        assert boolean.evaluate(unit.circuit(), {"x": SCALES})["result"].tolist() == expected, unit.name


def test_flushing_makes_zero_of_the_smallest_scale():
    assert exact.convert_from_scale(FP32, RNE, OverflowPolicy.IEEE, 0, convention_named("cuda")) == 0
    subnormal = 1 << FP32.fraction_bits - 1
    assert exact.convert_to_scale(FP32, UP, NAN, subnormal | 1) == 1
    assert exact.convert_to_scale(FP32, UP, NAN, subnormal | 1, convention_named("daz")) == 0


@cache
def of_every_code(unit):
    return record(unit, codes_of(unit.source))


@pytest.mark.parametrize("structure", [SMALL, FAST])
@pytest.mark.parametrize("library", LIBRARIES)
def test_circuits_of_every_library_on_every_code(library, structure):
    codes = codes_of(FP8_E4M3FN)
    for mode, policy, convention in product((RNE, UP), E8M0.policies, CONVENTIONS):
        expected = of_every_code(ToScale(FP8_E4M3FN, mode, policy, convention))
        netlist = build_to_scale(FP8_E4M3FN, mode, policy, library, structure, convention)
        assert boolean.evaluate(netlist, {"x": codes})["result"].tolist() == expected
    expected = record(FromScale(FP8_E5M2), SCALES)
    netlist = build_from_scale(FP8_E5M2, RNE, OverflowPolicy.IEEE, library, structure)
    assert boolean.evaluate(netlist, {"x": SCALES})["result"].tolist() == expected


# --- proofs that can fail -------------------------------------------------------------------------

UNITS = [
    ToScale(FP8_E4M3FN, RNE, NAN),
    ToScale(BFLOAT16, UP, SATURATE),
    ToScale(BFLOAT16, RNE, NAN, PYTORCH),
    ToScale(FP32, RTZ, SATURATE, element=FP4_E2M1),
    FromScale(FP8_E5M2),
    FromScale(FP32),
]


@pytest.mark.usefixtures("counterexamples_as_found")
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_faulty_conversions_are_refuted(unit):
    obligation = unit.obligation()
    netlist = obligation.circuit()
    inputs = {"x": codes_of(unit.source) if isinstance(unit, ToScale) else SCALES}
    sound = boolean.evaluate(netlist, inputs)["result"]
    for kind in some_kinds_for(netlist, UNITS.index(unit)):
        mutant = next(
            mutant
            for mutant in mutants(netlist, kind, SEED)
            if not np.array_equal(boolean.evaluate(mutant.netlist, inputs)["result"], sound)
        )
        assert discharge(obligation, circuit=mutant.netlist).outcome is Outcome.REFUTED, mutant.fault


@pytest.mark.usefixtures("counterexamples_as_found")
def test_another_mode_policy_or_convention_is_refuted_and_found():
    fmt = BEYOND[0]
    unit = ToScale(fmt, RNE, NAN)
    for other in (
        ToScale(fmt, UP, NAN),
        ToScale(fmt, RNE, SATURATE),
        ToScale(fmt, RNE, NAN, PYTORCH),
        ToScale(fmt, RNE, NAN, ML_DTYPES),
    ):
        assert discharge(unit.obligation(), circuit=other.circuit()).outcome is Outcome.REFUTED
        told = nearest(unit.obligation(), other.circuit()).words
        assert told.startswith(f"it is right by another convention, {other.name}:\n"), told


def test_a_counterexample_shows_scales_as_powers_of_two():
    result = discharge(
        ToScale(FP8_E5M2, RTZ, NAN).obligation(), circuit=ToScale(FP8_E5M2, UP, NAN).circuit()
    )
    right = exact.convert_to_scale(FP8_E5M2, RTZ, NAN, result.counterexample["x"])
    assert f"result, spec     {right:08b} = 2^{right - 127}\n" in result.message
    assert f" = 2^{right - 126}\n" in result.message
    swapped = discharge(FromScale(FP8_E5M2).obligation(), circuit=FromScale(FP8_E5M2, RTZ).circuit())
    scale = swapped.counterexample["x"]
    assert f"input x          {scale:08b} = 2^{scale - 127}\n" in swapped.message


def test_every_input_is_counted():
    unit = ToScale(BFLOAT16, RNE, NAN)
    found = enumerate_all(unit.obligation(), unit.changed(convention=PYTORCH).circuit(), (SPEC,), 1)
    assert (found.inputs, found.failures) == (1 << 16, 62)


# --- names ----------------------------------------------------------------------------------------


def test_every_unit_is_found_by_its_name():
    for unit in (*from_scales(), *to_scales()):
        assert described(unit.name).parameters == unit.parameters
        assert described(unit.name).function == unit.function


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("e8m0.convert_from_fp32.rtz", "format e8m0 has no policy 'ieee'; it has: saturate, nan"),
        ("e8m0.convert_from_fp9.rtz.nan", "unknown format 'fp9'"),
        ("e8m0.convert_from_e8m0.rtz.nan", "unknown format 'e8m0'"),
        ("e8m0.convert_from_int8.rtz.nan", "unknown format 'int8'"),
        ("int8.convert_from_e8m0.rtz", "unknown format 'int8'"),
        ("e8m0.add.rne.nan", "add is an operation of floating-point formats alone"),
        ("fp16.add_from_int8.rne", "add is an operation of floating-point formats alone"),
        ("uint64.square_root_from_fp16.rtz", "square_root is an operation of floating-point formats"),
        ("e8m0.convert_from_fp32.rtz.nan.flags", "unknown convention 'flags'"),
        ("e8m0.convert_from_fp32.rtz.nan.arm", "e8m0 has no NaN with a payload, so no 'arm_nan'"),
        ("fp32.convert_from_e8m0.rne.first_nan", "e8m0 has no NaN with a payload, so no 'first_nan'"),
        ("fp8_e4m3fn.convert_from_e8m0.rne", "fp8_e4m3fn has no policy 'ieee'"),
        ("fp16.shared_scale_for_fp4_e2m1_from_fp32.rtz", "shared_scale_for_fp4_e2m1 gives no fp16; use"),
        ("e8m0.shared_scale_for_fp5_from_fp32.rtz.nan", "unknown format 'fp5'"),
    ],
)
def test_what_no_name_describes_is_refused_in_one_line(name, words):
    assert_not_described(name, words)


def test_refusals_of_specs_and_circuits():
    for refused in (
        lambda: exact.convert_to_scale(FP16, RNE, OverflowPolicy.IEEE, 0),
        lambda: symbolic.convert_to_scale(FP16, RNE, OverflowPolicy.IEEE, Symbol("x16", BVType(16))),
        lambda: build_to_scale(FP16, RNE, OverflowPolicy.IEEE),
    ):
        with pytest.raises(ValueError, match="format e8m0 has no policy 'ieee'; it has: saturate, nan"):
            refused()
