"""Units by simulation, with no solver: all operands, or many, against the spec of record."""

from functools import partial
from itertools import product

import pytest

from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.units.floating_point.building import build_unit
from spikeproof.circuits.units.floating_point.sticky_extra import sticky_extra_multiply_unit
from spikeproof.circuits.units.integer_conversion import build_from_integer
from spikeproof.circuits.units.libraries import DEFAULT_LIBRARY, FAST, LIBRARIES
from spikeproof.circuits.units.mx import build_mx_unit
from spikeproof.proofs.units import OPERATIONS
from spikeproof.specs.formats import (
    FP8_E4M3FN,
    FP8_E5M2,
    INTEGERS,
    SMALL_FORMATS,
    OverflowPolicy,
    RoundingMode,
)
from tests.support.operands import expected_flags, expected_results, first_difference, modes_of, operands
from tests.support.profile import NIGHTLY, one_of_each

CONSTRUCTIONS = {operation: (operation, None) for operation in OPERATIONS}
CONSTRUCTIONS["sticky_extra_multiply"] = ("multiply", sticky_extra_multiply_unit)


def nearest_even_and_another(case):
    """Every policy is tried in nearest even, and one in one other mode: solvers prove them all."""
    mode, _ = case
    return case if mode is RoundingMode.NEAREST_EVEN else "another"


def libraries_of(fmt, name):
    """The default one and another by turns; in the nightly profile all of them."""
    if NIGHTLY:
        return list(LIBRARIES)
    others = [library for library in LIBRARIES if library != DEFAULT_LIBRARY]
    turn = SMALL_FORMATS.index(fmt) + list(CONSTRUCTIONS).index(name)
    return [DEFAULT_LIBRARY, others[turn % len(others)]]


@pytest.mark.parametrize("name", CONSTRUCTIONS)
@pytest.mark.parametrize("fmt", SMALL_FORMATS, ids=lambda fmt: fmt.name)
def test_all_operands(fmt, name):
    operation, unit = CONSTRUCTIONS[name]
    given = operands(fmt, operation)
    for mode, policy in one_of_each(product(RoundingMode, fmt.policies), kind=nearest_even_and_another):
        expected = expected_results(fmt, operation, mode, policy)
        for library in (
            libraries_of(fmt, name) if mode is RoundingMode.NEAREST_EVEN else (DEFAULT_LIBRARY,)
        ):
            netlist = build_unit(operation, fmt, mode, policy, library, unit=unit)
            actual = boolean.evaluate(netlist, given)["result"]
            wrong = first_difference(fmt, actual, expected, operation)
            assert wrong is None, f"{mode.value}, {policy.value}, {library}: {wrong}"


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("fmt", SMALL_FORMATS, ids=lambda fmt: fmt.name)
def test_flags_and_fast_units(fmt, operation):
    """The fast construction, with its exception flags, in two modes that the spec is compared in."""
    given = operands(fmt, operation)
    policy = fmt.policies[0]
    modes = modes_of(fmt, operation)
    for mode in modes if NIGHTLY else modes[:2]:
        netlist = build_unit(operation, fmt, mode, policy, flags=True, structure=FAST)
        actual = boolean.evaluate(netlist, given)
        for bus, expected in (
            ("result", expected_results(fmt, operation, mode, policy)),
            ("flags", expected_flags(fmt, operation, mode)),
        ):
            wrong = first_difference(fmt, actual[bus], expected, operation)
            assert wrong is None, f"{bus}, {mode.value}: {wrong}"


@pytest.mark.parametrize(
    "build",
    [
        partial(build_unit, "add", FP8_E4M3FN),
        partial(build_from_integer, INTEGERS["int8"], FP8_E4M3FN),
        partial(build_mx_unit, "mx_scale", FP8_E5M2, FP8_E4M3FN),
    ],
    ids=lambda build: build.func.__name__,
)
def test_policies_that_a_format_cannot_express_are_refused(build):
    message = "fp8_e4m3fn has no policy 'ieee'; it has: saturate, nan"
    with pytest.raises(ValueError, match=message):
        build(RoundingMode.TOWARD_ZERO, OverflowPolicy.IEEE)
