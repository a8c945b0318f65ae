"""Scaled elements of MX blocks: specs, oracles, circuits, mutants."""

from itertools import islice, product

import gfloat
import gfloat.formats
import ml_dtypes
import numpy as np
import pytest
from pysmt.shortcuts import BVType, Symbol

from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.units.libraries import FAST, LIBRARIES, SMALL
from spikeproof.circuits.units.mx import build_mx_unit
from spikeproof.proofs.mx import ScaledUnit
from spikeproof.prover.claims.obligation import Outcome
from spikeproof.prover.encoding.evaluation import Evaluation
from spikeproof.prover.refutation.mutation import mutants
from spikeproof.prover.running.discharge import discharge
from spikeproof.specs import exact, symbolic
from spikeproof.specs.formats import (
    BFLOAT16,
    E8M0,
    FP4_E2M1,
    FP8_E4M3FN,
    FP8_E5M2,
    FP32,
    MX_ELEMENTS,
    MX_OPERATIONS,
    OverflowPolicy,
    RoundingMode,
)
from tests.support.faults import some_kinds_for
from tests.support.machine import fp32_codes
from tests.support.profile import NIGHTLY

pytestmark = pytest.mark.usefixtures("cadical_alone", "counterexamples_as_found")

RNE, IEEE = RoundingMode.NEAREST_EVEN, OverflowPolicy.IEEE
SEED = 20261122
KINDS = {
    "fp8_e4m3fn": ml_dtypes.float8_e4m3fn,
    "fp8_e5m2": ml_dtypes.float8_e5m2,
    "fp6_e2m3": ml_dtypes.float6_e2m3fn,
    "fp6_e3m2": ml_dtypes.float6_e3m2fn,
    "fp4_e2m1": ml_dtypes.float4_e2m1fn,
}
SCALES = np.array([0, 1, 2, 40, 63, 64, 100, 126, 127, 128, 150, 190, 191, 253, 254, 255])
"""Of these some pairs make products overflow, some underflow, some subnormal."""


def numbers(element, codes):
    """The values of element codes as doubles, by ml_dtypes."""
    return codes.astype(np.uint8).view(KINDS[element.name]).astype(np.float64)


def scale_numbers(codes):
    return codes.astype(np.uint8).view(ml_dtypes.float8_e8m0fnu).astype(np.float64)


def drawn(element, count, scales=SCALES):
    rng = np.random.default_rng(SEED)
    codes = {n: rng.integers(0, 1 << element.width, count, dtype=np.uint64) for n in ("x", "y")}
    picked = {f"{n}_scale": rng.choice(scales.astype(np.uint64), count) for n in ("x", "y")}
    return {**codes, **picked}


def pairs_of(operation, inputs):
    names = ("x",) if operation == "mx_scale" else ("x", "y")
    return [(inputs[f"{name}_scale"], inputs[name]) for name in names]


def formulas(operation, element, fmt, wanted):
    """A function of the inputs: what the formula yields for each wanted pair of a mode and a policy."""
    inputs = {
        **{n: Symbol(f"{n}{element.width}", BVType(element.width)) for n in ("x", "y")},
        **{f"{n}_scale": Symbol(f"{n}_scale", BVType(8)) for n in ("x", "y")},
    }
    pairs = pairs_of(operation, inputs)
    encoded = Evaluation(
        {each: symbolic.mx_compute(operation, element, fmt, *each, *pairs) for each in wanted}
    )

    def evaluate(values):
        return encoded.evaluate({inputs[n].symbol_name(): codes for n, codes in values.items()})

    return evaluate


def formula(operation, element, fmt, mode, policy):
    evaluate = formulas(operation, element, fmt, [(mode, policy)])
    return lambda values: evaluate(values)[mode, policy]


# --- scales -------------------------------------------------------------------------------------


def test_every_scale_against_two_oracles():
    codes = np.arange(1 << E8M0.width)
    ours = [exact.decode_scale(int(code)) for code in codes]
    assert [v.kind is exact.Kind.NAN for v in ours] == [code == 0xFF for code in codes]
    expected = [float(value.signed) for value in ours[:-1]]
    assert scale_numbers(codes)[:-1].tolist() == expected
    assert np.isnan(scale_numbers(codes)[-1])
    decoded = [gfloat.decode_float(gfloat.formats.format_info_ocp_e8m0, int(c)).fval for c in codes]
    assert decoded[:-1] == expected
    assert np.isnan(decoded[-1])


def test_refusals_say_what_is_wrong():
    with pytest.raises(ValueError, match="0x100 is not a code of e8m0, which has 8 bits"):
        exact.decode_scale(0x100)
    with pytest.raises(ValueError, match="fp8_e4m3fn has no policy 'ieee'; it has: saturate, nan"):
        build_mx_unit("mx_multiply", FP4_E2M1, FP8_E4M3FN, RNE, IEEE)


# --- specs --------------------------------------------------------------------------------------


@pytest.mark.parametrize("element", MX_ELEMENTS, ids=lambda element: element.name)
def test_products_of_all_pairs_against_doubles(element):
    """Every pair of elements, under every pair of sixteen scales: doubles hold these products.

    Of 8 bits every fifth pair of scales; in the nightly profile all of them.
    """
    step = 5 if element.width == 8 and not NIGHTLY else 1
    count = 1 << element.width
    evaluate = formula("mx_multiply", element, FP32, RNE, IEEE)
    x, y = np.divmod(np.arange(count * count, dtype=np.uint64), np.uint64(count))
    for x_scale, y_scale in islice(product(SCALES.astype(np.uint64), repeat=2), 0, None, step):
        scales = {"x_scale": np.full_like(x, x_scale), "y_scale": np.full_like(y, y_scale)}
        with np.errstate(invalid="ignore"):
            scale = scale_numbers(scales["x_scale"]) * scale_numbers(scales["y_scale"])
            values = numbers(element, x) * numbers(element, y) * scale
        expected = fp32_codes(values)
        assert np.array_equal(evaluate({"x": x, "y": y, **scales}), expected), (x_scale, y_scale)


@pytest.mark.parametrize("element", MX_ELEMENTS, ids=lambda element: element.name)
def test_every_scaled_element_against_doubles(element):
    codes = np.arange(1 << element.width + E8M0.width, dtype=np.uint64)
    scale, x = np.divmod(codes, np.uint64(1 << element.width))
    evaluate = formula("mx_scale", element, FP32, RNE, IEEE)
    with np.errstate(invalid="ignore"):
        expected = fp32_codes(scale_numbers(scale) * numbers(element, x))
    assert np.array_equal(evaluate({"x": x, "x_scale": scale}), expected)


@pytest.mark.parametrize("operation", MX_OPERATIONS)
@pytest.mark.parametrize("fmt", [FP32, BFLOAT16, FP8_E4M3FN], ids=lambda fmt: fmt.name)
@pytest.mark.parametrize("element", MX_ELEMENTS, ids=lambda element: element.name)
def test_symbolic_and_exact_agree_in_every_mode(element, fmt, operation):
    """Every third mode for each element and operation; in the nightly profile all of them."""
    turn = MX_ELEMENTS.index(element) + list(MX_OPERATIONS).index(operation)
    modes = list(RoundingMode) if NIGHTLY else list(RoundingMode)[turn % 3 :: 3]
    every_scale = np.arange(256)
    inputs = drawn(element, 300, np.concatenate([SCALES, every_scale, np.arange(110, 140)]))
    used = {n: v for n, v in inputs.items() if operation == "mx_multiply" or n[0] == "x"}
    wanted = list(product(modes, fmt.policies))
    actual = formulas(operation, element, fmt, wanted)(used)
    cases = [{name: int(values[i]) for name, values in inputs.items()} for i in range(300)]
    for mode, policy in wanted:
        for case, code in zip(cases, actual[mode, policy], strict=True):
            value = exact.mx_exact(operation, element, mode, *pairs_of(operation, case))
            assert int(code) == exact.round_to(fmt, mode, policy, value), (mode, policy, case)


# --- circuits -----------------------------------------------------------------------------------


@pytest.mark.parametrize("structure", [SMALL, FAST])
@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("element", [FP4_E2M1, FP8_E5M2], ids=lambda element: element.name)
def test_circuits_on_drawn_inputs(element, library, structure):
    inputs = drawn(element, 10000)
    netlist = build_mx_unit("mx_multiply", element, FP32, RNE, IEEE, library, structure)
    expected = formula("mx_multiply", element, FP32, RNE, IEEE)(inputs)
    assert np.array_equal(boolean.evaluate(netlist, inputs)["result"], expected)


@pytest.mark.parametrize("operation", MX_OPERATIONS)
def test_faulty_units_are_refuted(operation):
    obligation = ScaledUnit(operation, FP4_E2M1, FP32).obligation()
    netlist = obligation.circuit()
    inputs = {name: codes for name, codes in drawn(FP4_E2M1, 20000).items() if name in netlist.inputs}
    sound = boolean.evaluate(netlist, inputs)["result"]
    for kind in some_kinds_for(netlist, list(MX_OPERATIONS).index(operation)):
        mutant = next(
            mutant
            for mutant in mutants(netlist, kind, SEED)
            if not np.array_equal(boolean.evaluate(mutant.netlist, inputs)["result"], sound)
        )
        assert discharge(obligation, circuit=mutant.netlist).outcome is Outcome.REFUTED, mutant.fault
