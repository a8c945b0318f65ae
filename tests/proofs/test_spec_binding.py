"""The symbolic spec equals the spec of record: all inputs, modes, policies of all small formats."""

from functools import partial
from itertools import product

import numpy as np
import pytest
from pysmt.shortcuts import BVType, Symbol

from spikeproof.proofs.units import OPERATIONS
from spikeproof.specs import exact, symbolic
from spikeproof.specs.conventions import EXTREMA
from spikeproof.specs.formats import (
    ARITY,
    FORMATS,
    SMALL_FORMATS,
    OverflowPolicy,
    RoundingMode,
    format_named,
)
from tests.support.formula_evaluation import evaluate, evaluate_all
from tests.support.operands import (
    all_pairs,
    expected_flags,
    expected_results,
    first_difference,
    modes_of,
    operands,
)
from tests.support.profile import NIGHTLY


def policies_of(fmt, mode):
    """All in nearest even; elsewhere the first and another by turns: they differ in overflow alone."""
    first, *others = fmt.policies
    if NIGHTLY or mode is RoundingMode.NEAREST_EVEN or not others:
        return fmt.policies
    return first, others[list(RoundingMode).index(mode) % len(others)]


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("fmt", SMALL_FORMATS, ids=lambda fmt: fmt.name)
def test_operations_on_all_operands(fmt, operation):
    given = operands(fmt, operation)
    symbols = [Symbol(name, BVType(fmt.width)) for name in given]
    formulas, expected = {}, {}
    for mode in modes_of(fmt, operation):
        formulas[mode.value, "flags"] = symbolic.flags(operation, fmt, mode, *symbols)
        expected[mode.value, "flags"] = expected_flags(fmt, operation, mode)
        for policy in policies_of(fmt, mode):
            what = mode.value, policy.value
            formulas[what] = symbolic.compute(operation, fmt, mode, policy, *symbols)
            expected[what] = expected_results(fmt, operation, mode, policy)
    for what, actual in evaluate_all(formulas, given).items():
        wrong = first_difference(fmt, actual, expected[what], operation)
        assert wrong is None, f"{what}: {wrong}"


@pytest.mark.parametrize("target", SMALL_FORMATS, ids=lambda fmt: fmt.name)
@pytest.mark.parametrize("source", SMALL_FORMATS, ids=lambda fmt: fmt.name)
def test_conversions_of_every_code(source, target):
    x = Symbol("x", BVType(source.width))
    codes = np.arange(1 << source.width, dtype=np.uint64)
    convert = partial(symbolic.compute, "convert", target, source=source)
    record = partial(exact.compute, "convert", target, source=source)
    wanted = list(product(RoundingMode, target.policies))
    found = evaluate_all(
        {(mode, policy): convert(mode, policy, x) for mode, policy in wanted}, {"x": codes}
    )
    for mode, policy in wanted:
        expected = [record(mode, policy, int(code)) for code in codes]
        assert found[mode, policy].tolist() == expected, f"{mode.value}, {policy.value}"


@pytest.mark.parametrize("target", SMALL_FORMATS, ids=lambda fmt: fmt.name)
def test_conversions_from_every_fp16_code(target):
    """Each code to one of the formats, by turns; in the nightly profile to all of them."""
    source = FORMATS["fp16"]
    x = Symbol("x", BVType(source.width))
    codes = np.arange(1 << source.width, dtype=np.uint64)
    codes = codes if NIGHTLY else codes[SMALL_FORMATS.index(target) :: len(SMALL_FORMATS)]
    mode, policy = RoundingMode.NEAREST_EVEN, OverflowPolicy.SATURATE
    formula = symbolic.compute("convert", target, mode, policy, x, source=source)
    record = partial(exact.compute, "convert", target, mode, policy, source=source)
    assert evaluate(formula, {"x": codes}).tolist() == [record(int(code)) for code in codes]


EXACT_FAMILIES = [
    (symbolic.compare, exact.compare, tuple(exact.RELATIONS)),
    (symbolic.extremum, exact.extremum, EXTREMA),
    (symbolic.change_sign, exact.change_sign, exact.SIGN_OPERATIONS),
]


OF_6_BITS = [format_named(f"e3m2{specials}") for specials in ("", "fn", "fnuz")]
"""With the special codes that formats of 8 bits have."""


@pytest.mark.parametrize("fmt", [*SMALL_FORMATS, *OF_6_BITS], ids=lambda fmt: fmt.name)
def test_operations_that_do_not_round_on_every_pair(fmt):
    """Of 8 bits every third operation, others for each format, on every seventh pair; by night all."""
    every = NIGHTLY or fmt.width < 8
    part = slice(None) if every else slice(SMALL_FORMATS.index(fmt) % 3, None, 3)
    x, y = (Symbol(name, BVType(fmt.width)) for name in ("x", "y"))
    left, right = (codes[:: 1 if every else 7] for codes in all_pairs(fmt))
    for formula, record, operations in EXACT_FAMILIES:
        for operation in operations[part]:
            actual = evaluate(formula(operation, fmt, x, y), {"x": left, "y": right})
            pairs = zip(left.tolist(), right.tolist(), strict=True)
            assert actual.tolist() == [record(operation, fmt, *pair) for pair in pairs], operation


def test_the_two_specs_have_the_same_operations():
    assert set(symbolic.OPERATIONS) == set(exact.EXACT_OPERATIONS) == set(ARITY)
