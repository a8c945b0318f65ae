"""Formats by name, their limits, and units of formats that have no name of their own."""

import pytest

from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.units.floating_point.building import build_unit
from spikeproof.proofs.units import OPERATIONS
from spikeproof.specs.formats import (
    FORMATS,
    FP4_E2M1,
    FP8_E4M3FN,
    FP8_E5M2,
    Format,
    OverflowPolicy,
    RoundingMode,
    Specials,
    UnknownNameError,
    format_named,
    ieee_format,
)
from tests.support.operands import expected_results, first_difference, operands
from tests.support.profile import NIGHTLY


def test_formats_are_found_by_name():
    assert all(format_named(name) is fmt for name, fmt in FORMATS.items())
    assert format_named("e5m2") == ieee_format(5, 2)
    assert format_named("e5m10").bias == FORMATS["fp16"].bias
    with pytest.raises(UnknownNameError, match="unknown format 'fp9'; known: fp8_e4m3fn, "):
        format_named("fp9")


@pytest.mark.parametrize(("exponent_bits", "fraction_bits"), [(1, 3), (4, 0)])
def test_fields_too_narrow_are_refused(exponent_bits, fraction_bits):
    with pytest.raises(ValueError, match="needs at least 2 exponent bits and 1 fraction bit"):
        Format("narrow", exponent_bits, fraction_bits, 1, Specials.IEEE)


def test_formats_know_what_they_cannot_express():
    assert FP8_E4M3FN.policies == (OverflowPolicy.SATURATE, OverflowPolicy.NAN)
    assert FP4_E2M1.policies == (OverflowPolicy.SATURATE,)
    assert FP8_E5M2.policies == tuple(OverflowPolicy)
    with pytest.raises(ValueError, match="fp8_e4m3fn has no infinity"):
        _ = FP8_E4M3FN.infinity
    with pytest.raises(ValueError, match="fp4_e2m1 has no NaN"):
        _ = FP4_E2M1.canonical_nan
    with pytest.raises(ValueError, match="has no policy 'nan'; it has: saturate"):
        FP4_E2M1.require_policy(OverflowPolicy.NAN)


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("name", ["e2m1", "e2m4", "e3m1", "e3m3", "e5m1"])
def test_units_of_any_pair_of_widths_on_every_pair_of_codes(name, operation):
    fmt = format_named(name)
    given = operands(fmt, operation)
    for turn, mode in enumerate(RoundingMode):
        for policy in fmt.policies if NIGHTLY else [fmt.policies[turn % len(fmt.policies)]]:
            netlist = build_unit(operation, fmt, mode, policy)
            actual = boolean.evaluate(netlist, given)["result"]
            expected = expected_results(fmt, operation, mode, policy)
            wrong = first_difference(fmt, actual, expected, operation)
            assert wrong is None, f"{mode.value}, {policy.value}: {wrong}"
