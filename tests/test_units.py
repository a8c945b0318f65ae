"""Units by complete enumeration, with no solver: every pair of codes against the spec of record."""

import pytest

from circuits import boolean
from circuits.floating_point import UNITS, build_unit, sticky_extra_multiply_unit
from circuits.libraries import DEFAULT_LIBRARY, LIBRARIES
from specs.formats import SMALL_FORMATS, RoundingMode
from tests.support.pairs import all_pairs, expected_results, first_difference

MULTIPLIERS = {**UNITS, "sticky_extra_multiply": sticky_extra_multiply_unit}


@pytest.mark.parametrize("operation", MULTIPLIERS)
@pytest.mark.parametrize("fmt", SMALL_FORMATS, ids=lambda fmt: fmt.name)
def test_every_pair(fmt, operation):
    pairs = dict(zip(("x", "y"), all_pairs(fmt), strict=True))
    for mode in RoundingMode:
        libraries = LIBRARIES if mode is RoundingMode.NEAREST_EVEN else (DEFAULT_LIBRARY,)
        for policy in fmt.policies:
            meaning = operation.removeprefix("sticky_extra_")
            expected = expected_results(fmt, meaning, mode, policy)
            for library in libraries:
                netlist = build_unit(MULTIPLIERS[operation], fmt, mode, policy, library)
                actual = boolean.evaluate(netlist, pairs)["result"]
                wrong = first_difference(fmt, actual, expected)
                assert wrong is None, f"{mode.value}, {policy.value}, {library}: {wrong}"
