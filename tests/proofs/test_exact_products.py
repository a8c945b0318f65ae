"""Products without rounding logic: one circuit, oracles, refusals, mutants."""

import ml_dtypes
import numpy as np
import pytest

from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.units.floating_point.building import build_unit
from spikeproof.circuits.units.floating_point.exact_product import exact_product_unit
from spikeproof.proofs import exact_products
from spikeproof.proofs.exact_products import exact_product
from spikeproof.prover.claims.obligation import Outcome
from spikeproof.prover.refutation.drawing import many_codes
from spikeproof.prover.refutation.mutation import mutants
from spikeproof.prover.running.discharge import discharge
from spikeproof.specs.formats import (
    BFLOAT16,
    FP4_E2M1,
    FP8_E4M3FN,
    FP8_E5M2,
    FP16,
    FP32,
    FP64,
    OverflowPolicy,
    RoundingMode,
)
from tests.support.faults import some_kinds_for
from tests.support.machine import fp32_codes

pytestmark = pytest.mark.usefixtures("cadical_alone", "counterexamples_as_found")

RNE, IEEE = RoundingMode.NEAREST_EVEN, OverflowPolicy.IEEE
SEED = 20261122
KINDS = {
    FP8_E4M3FN: ml_dtypes.float8_e4m3fn,
    FP8_E5M2: ml_dtypes.float8_e5m2,
    FP16: np.float16,
}


def test_exact_products_are_one_circuit_in_every_mode():
    for source in exact_products.SOURCES:
        hashes = {
            build_unit("multiply", FP32, mode, IEEE, source=source, unit=exact_product_unit).sha256
            for mode in RoundingMode
        }
        assert hashes == {exact_product(source).sha256}


@pytest.mark.parametrize("source", KINDS, ids=lambda source: source.name)
def test_exact_products_against_the_machine(source):
    kind = KINDS[source]
    x, y = many_codes(source, 1 << 16, SEED)
    words = (codes.astype(f"uint{source.width}").view(kind).astype(np.float64) for codes in (x, y))
    with np.errstate(invalid="ignore"):
        values = np.multiply(*words)
        finite = np.isfinite(values)
        assert np.array_equal(values[finite].astype(np.float32).astype(np.float64), values[finite])
    actual = boolean.evaluate(exact_product(source), {"x": x, "y": y})["result"]
    assert np.array_equal(actual, fp32_codes(values))


@pytest.mark.parametrize(
    ("source", "fmt", "lacking"),
    [
        (BFLOAT16, FP32, "small numbers, large numbers"),
        (FP16, BFLOAT16, "precision"),
        (FP32, FP32, "precision, small numbers, large numbers"),
        (FP4_E2M1, FP8_E4M3FN, "infinities or NaNs"),
    ],
)
def test_formats_that_do_not_hold_every_product_are_refused(source, fmt, lacking):
    policy = fmt.policies[0]
    message = f"{fmt.name} does not hold every product of {source.name}: it lacks {lacking}$"
    with pytest.raises(ValueError, match=message):
        build_unit("multiply", fmt, RNE, policy, source=source, unit=exact_product_unit)


def test_fp64_holds_every_product_of_fp32():
    x, y = many_codes(FP32, 1 << 12, SEED)
    netlist = exact_product(FP32, FP64)
    with np.errstate(invalid="ignore"):
        left, right = (codes.astype(np.uint32).view(np.float32).astype(np.float64) for codes in (x, y))
        values = left * right
    expected = np.where(np.isnan(values), np.uint64(FP64.canonical_nan), values.view(np.uint64))
    assert np.array_equal(boolean.evaluate(netlist, {"x": x, "y": y})["result"], expected)


@pytest.mark.parametrize("source", [FP8_E5M2, FP16], ids=lambda source: source.name)
@pytest.mark.parametrize("mode", exact_products.BOUNDS, ids=lambda mode: mode.value)
def test_faulty_exact_products_are_refuted(source, mode):
    obligation = exact_products.obligation(source, mode)
    netlist = obligation.circuit()
    inputs = dict(zip("xy", many_codes(source, 1 << 12, SEED), strict=True))
    sound = boolean.evaluate(netlist, inputs)["result"]
    for kind in some_kinds_for(netlist, source.width, list(exact_products.BOUNDS).index(mode)):
        mutant = next(
            mutant
            for mutant in mutants(netlist, kind, SEED)
            if not np.array_equal(boolean.evaluate(mutant.netlist, inputs)["result"], sound)
        )
        assert discharge(obligation, circuit=mutant.netlist).outcome is Outcome.REFUTED, mutant.fault
