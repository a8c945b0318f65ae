"""The spec of record of dot products, and an oracle in integers with others' numbers and rounding."""

import numpy as np
import pytest

from spikeproof.proofs.dot_products import MACHINES
from spikeproof.proofs.names import unit_named
from spikeproof.reference.dot_products import KINDS, RESULTS, dot_product
from spikeproof.specs.dot_products import Overflow, Truncation, ZeroTerms
from spikeproof.specs.formats import E8M0
from tests.support.dot_products import by_definition, drawn

OTHERS = (
    *(f"fp8_e5m2.dot2_add.{mode}.f5" for mode in ("rne", "rtz", "rtp", "rtn", "rna")),
    *(f"fp8_e5m2.dot2_add.rne.f5.{word}" for word in ("floor", "zeros_count", "zeros12")),
    *("fp8_e4m3fn.dot4.rne.nan", "fp32.dot4_add_from_fp16.rtz", "fp16.dot3_from_fp6_e3m2.rne"),
    *("fp32.dot8_add_from_fp8_e5m2_and_fp8_e4m3fn.rtz.f13.to_infinity", "bfloat16.dot2.rne"),
)
UNITS = {
    unit.name: unit
    for unit in (*(u for units in MACHINES.values() for u in units), *map(unit_named, OTHERS))
}


def by_oracle(unit, case):
    operands = list(zip(unit.formats, case, strict=False))
    scales = [(E8M0, code) for code in case[len(operands) :]]
    terms = [(*term, *scales) if len(term) > 1 else term for term in unit.dot.by_term(operands)]
    zeros = {ZeroTerms.SKIPPED: lambda nominal: None, ZeroTerms.COUNTED: lambda nominal: nominal}
    return dot_product(
        unit.fmt,
        unit.mode,
        terms,
        unit.dot.places,
        zero_exponent=zeros.get(unit.dot.zeros, lambda nominal: unit.dot.zeros),
        floor=unit.dot.truncation is Truncation.FLOOR,
        to_infinity=unit.dot.overflow is Overflow.INFINITE,
    )


@pytest.mark.parametrize(
    "unit",
    [u for u in UNITS.values() if u.fmt.name in RESULTS and {f.name for f in u.formats} <= KINDS.keys()],
    ids=lambda unit: unit.name,
)
def test_agreement(unit):
    codes = drawn(unit, max(60, 1200 // unit.dot.terms), seed=7)
    cases = np.column_stack(list(codes.values())).tolist()
    for case, expected in zip(cases, by_definition(unit, codes), strict=True):
        actual = by_oracle(unit, case)
        if unit.fmt.is_nan(expected):  # of which gfloat has one of each sign
            assert actual is None or unit.fmt.is_nan(actual), case
        else:
            assert actual == expected, case
