"""The symbolic spec equals the spec of record: all inputs, modes, policies of all small formats."""

from itertools import product

import numpy as np
import pytest
from pysmt.shortcuts import BVType, Symbol

from specs import exact, symbolic
from specs.formats import FORMATS, SMALL_FORMATS, OverflowPolicy, RoundingMode
from tests.support.formula_evaluation import evaluate
from tests.support.pairs import all_pairs, expected_results, first_difference


@pytest.mark.parametrize("operation", symbolic.OPERATIONS)
@pytest.mark.parametrize("fmt", SMALL_FORMATS, ids=lambda fmt: fmt.name)
def test_binary_operations_on_every_pair(fmt, operation):
    x, y = (Symbol(name, BVType(fmt.width)) for name in ("x", "y"))
    pairs = dict(zip(("x", "y"), all_pairs(fmt), strict=True))
    for mode, policy in product(RoundingMode, fmt.policies):
        formula = symbolic.OPERATIONS[operation](fmt, mode, policy, x, y)
        wrong = first_difference(
            fmt, evaluate(formula, pairs), expected_results(fmt, operation, mode, policy)
        )
        assert wrong is None, f"{mode.value}, {policy.value}: {wrong}"


@pytest.mark.parametrize("target", SMALL_FORMATS, ids=lambda fmt: fmt.name)
@pytest.mark.parametrize("source", SMALL_FORMATS, ids=lambda fmt: fmt.name)
def test_conversions_of_every_code(source, target):
    x = Symbol("x", BVType(source.width))
    codes = np.arange(1 << source.width, dtype=np.uint64)
    for mode, policy in product(RoundingMode, target.policies):
        actual = evaluate(symbolic.convert(source, target, mode, policy, x), {"x": codes})
        expected = [exact.convert(source, target, mode, policy, int(code)) for code in codes]
        assert actual.tolist() == expected, f"{mode.value}, {policy.value}"


@pytest.mark.parametrize("target", SMALL_FORMATS, ids=lambda fmt: fmt.name)
def test_conversions_from_every_fp16_code(target):
    source = FORMATS["fp16"]
    x = Symbol("x", BVType(source.width))
    codes = np.arange(1 << source.width, dtype=np.uint64)
    mode, policy = RoundingMode.NEAREST_EVEN, OverflowPolicy.SATURATE
    actual = evaluate(symbolic.convert(source, target, mode, policy, x), {"x": codes})
    expected = [exact.convert(source, target, mode, policy, int(code)) for code in codes]
    assert actual.tolist() == expected


EXACT_FAMILIES = [
    (symbolic.compare, exact.compare, tuple(exact.RELATIONS)),
    (symbolic.extremum, exact.extremum, exact.EXTREMA),
    (symbolic.change_sign, exact.change_sign, exact.SIGN_OPERATIONS),
]


@pytest.mark.parametrize("fmt", SMALL_FORMATS, ids=lambda fmt: fmt.name)
def test_operations_that_do_not_round_on_every_pair(fmt):
    x, y = (Symbol(name, BVType(fmt.width)) for name in ("x", "y"))
    left, right = all_pairs(fmt)
    for formula, record, operations in EXACT_FAMILIES:
        for operation in operations:
            actual = evaluate(formula(operation, fmt, x, y), {"x": left, "y": right})
            codes = range(1 << fmt.width)
            expected = np.array([record(operation, fmt, a, b) for a in codes for b in codes])
            assert first_difference(fmt, actual, expected) is None, operation


def test_the_two_specs_have_the_same_operations():
    assert set(symbolic.OPERATIONS) == set(exact.EXACT_OPERATIONS)
