"""Independent oracles agree with the spec of record on every pair, each under its own policy."""

from importlib.metadata import version
from itertools import product

import numpy as np
import pytest

from spikeproof.reference.oracles import OPERATORS, ORACLES, Gfloat, measured_policy
from spikeproof.specs.formats import SMALL_FORMATS, OverflowPolicy, RoundingMode
from tests.support.operands import all_pairs, expected_results, first_difference

SUPPORTED = [
    pytest.param(oracle, fmt, id=f"{oracle.package}-{fmt.name}")
    for oracle, fmt in product(ORACLES, SMALL_FORMATS)
    if oracle.supports(fmt)
]


def canonical(fmt, codes):
    """Codes with every NaN replaced by the canonical one: any NaN equals any NaN."""
    table = np.arange(1 << fmt.width, dtype=np.uint64)
    for code in range(1 << fmt.width):
        if fmt.is_nan(code):
            table[code] = fmt.canonical_nan
    return table[codes]


def compare(oracle, fmt, operation, mode, policy):
    x, y = (operand.astype(np.uint8) for operand in all_pairs(fmt))
    actual = canonical(fmt, oracle.compute(operation, fmt, x, y))
    return first_difference(fmt, actual, expected_results(fmt, operation, mode, policy))


@pytest.mark.parametrize("operation", OPERATORS)
@pytest.mark.parametrize(("oracle", "fmt"), SUPPORTED)
def test_agreement_on_every_pair(oracle, fmt, operation):
    policy = measured_policy(oracle, fmt)
    assert compare(oracle, fmt, operation, RoundingMode.NEAREST_EVEN, policy) is None


@pytest.mark.parametrize(
    "fmt", [fmt for fmt in SMALL_FORMATS if Gfloat().supports(fmt)], ids=lambda fmt: fmt.name
)
def test_gfloat_agrees_in_every_mode_and_policy_it_has(fmt):
    """Products, since gfloat sees sums only after float64 has settled the sign of an exact zero."""
    expressible = (
        OverflowPolicy.SATURATE,
        OverflowPolicy.IEEE if fmt.has_infinity else OverflowPolicy.NAN,
    )
    for mode, policy in product(Gfloat.modes, expressible):
        if policy in fmt.policies:
            assert compare(Gfloat(mode, policy), fmt, "multiply", mode, policy) is None


def test_a_wrong_policy_would_be_noticed():
    """The agreement above is no accident: under another policy the same oracle disagrees."""
    for oracle in ORACLES:
        fmt = SMALL_FORMATS[0]
        measured = measured_policy(oracle, fmt)
        for policy in fmt.policies:
            wrong = compare(oracle, fmt, "add", RoundingMode.NEAREST_EVEN, policy)
            assert (wrong is None) == (policy is measured)


@pytest.mark.parametrize(
    ("package", "release", "policies"),
    [
        ("torch", "2.13.0", ["saturate", "ieee", "nan", "nan"]),
        ("ml_dtypes", "0.6.0", ["nan", "ieee", "nan", "nan", "saturate", "saturate", "saturate"]),
    ],
)
def test_the_readme_names_the_policies_of_these_versions(package, release, policies):
    """The table in README.md, for the versions it names; others are measured, not tabled."""
    if version(package).split("+")[0] != release:
        pytest.skip(f"README.md names {package} {release}")
    (oracle,) = (oracle for oracle in ORACLES if oracle.package == package)
    supported = [fmt for fmt in SMALL_FORMATS if oracle.supports(fmt)]
    assert [measured_policy(oracle, fmt).value for fmt in supported] == policies
