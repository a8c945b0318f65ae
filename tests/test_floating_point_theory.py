"""The theorems about z3's floating-point theory can fail, and what is not proved is tested."""

from dataclasses import replace

import numpy as np
import pytest
from pysmt.shortcuts import BV, And, BVAdd, Equals, Ite, Not

from proofs import floating_point_theory
from proofs.floating_point_theory import NOT_PROVED, Theorem
from prover.bitblast import Blaster
from prover.discharge import discharge
from prover.drawing import many_codes
from prover.obligation import Outcome
from specs import symbolic
from specs.formats import BFLOAT16, FP16, FP32, RoundingMode

NEAREST = RoundingMode.NEAREST_EVEN
CASES = 20_480


def refuted(theorem) -> bool:
    return discharge(theorem.obligation(("cadical",))).outcome is Outcome.REFUTED


def violated(theorem, seed: int = 1) -> int:
    """On how many inputs drawn by class the theorem's claim is false."""
    claim = theorem.claim()
    blaster = Blaster()
    root = blaster.literal(And(*claim.assumptions, Not(claim.goal)))
    values = {0: np.zeros(CASES // 8, dtype=np.uint8)}
    codes = many_codes(theorem.source or theorem.fmt, CASES, seed, 3)
    for name, words in zip("xyz", codes, strict=True):
        for index, literal in enumerate(blaster.symbols.get(name, ())):
            values[literal >> 1] = np.packbits((words >> np.uint64(index) & np.uint64(1)).astype(bool))

    def value(literal):
        return values[literal >> 1] ^ np.uint8(255 * (literal & 1))

    for node in blaster.graph.cone(root):
        if pair := blaster.graph.conjunctions[node]:
            values[node] = value(pair[0]) & value(pair[1])
    return int(np.unpackbits(value(root)).sum())


@pytest.mark.parametrize("mode", floating_point_theory.MODES)
@pytest.mark.parametrize("operation", NOT_PROVED)
def test_what_is_not_proved_holds_of_inputs_drawn_by_class(operation, mode):
    assert violated(Theorem(operation, FP16, mode)) == 0


@pytest.mark.parametrize("mode", floating_point_theory.MODES)
def test_so_does_fp32_addition(mode):
    assert violated(Theorem("add", FP32, mode)) == 0


@pytest.mark.parametrize("mode", [mode for mode in floating_point_theory.MODES if mode is not NEAREST])
def test_a_wrong_mode_is_refuted(mode, monkeypatch):
    monkeypatch.setitem(floating_point_theory.MODES, NEAREST, floating_point_theory.MODES[mode])
    assert refuted(Theorem("convert", FP16, NEAREST, FP32))
    assert refuted(Theorem("add", FP16, NEAREST))
    assert all(violated(Theorem(operation, FP16, NEAREST)) for operation in NOT_PROVED)


@pytest.mark.parametrize(
    ("operation", "other"), [("add", "subtract"), ("subtract", "add"), ("multiply", "divide")]
)
def test_a_wrong_operation_is_refuted(operation, other, monkeypatch):
    monkeypatch.setitem(symbolic.OPERATIONS, operation, symbolic.OPERATIONS[other])
    assert refuted(Theorem(operation, FP16, NEAREST))


@pytest.mark.parametrize(
    ("operation", "other"),
    [("less", "less_equal"), ("less_equal", "less"), ("equal", "less_equal"), ("unordered", "equal")],
)
def test_a_wrong_relation_is_refuted(operation, other, monkeypatch):
    right = symbolic.compare
    monkeypatch.setattr(symbolic, "compare", lambda _, *rest: right(other, *rest))
    assert refuted(Theorem(operation, FP16))


def test_a_wrong_extremum_or_sign_is_refuted(monkeypatch):
    extremum, change_sign = symbolic.extremum, symbolic.change_sign
    monkeypatch.setattr(symbolic, "extremum", lambda _, *rest: extremum("maximum_number", *rest))
    monkeypatch.setattr(symbolic, "change_sign", lambda _, *rest: change_sign("absolute", *rest))
    assert refuted(Theorem("minimum_number", FP16))
    assert refuted(Theorem("negate", FP16))


def test_an_extremum_that_yields_nan_for_a_number_is_refuted(monkeypatch):
    extremum = symbolic.extremum
    monkeypatch.setattr(symbolic, "extremum", lambda _, *rest: extremum("minimum", *rest))
    assert refuted(Theorem("minimum_number", FP16))


@pytest.mark.parametrize("wrong_code", [0x0001, 0x03FF, 0x0400, 0x7BFF])
def test_a_single_wrong_code_is_refuted(wrong_code, monkeypatch):
    true_rounding = symbolic.round_to

    def wrong(fmt, *rest):
        rounded = true_rounding(fmt, *rest)
        is_it = Equals(rounded.code, BV(wrong_code, fmt.width))
        return replace(rounded, code=Ite(is_it, BVAdd(rounded.code, BV(1, fmt.width)), rounded.code))

    monkeypatch.setattr(symbolic, "round_to", wrong)
    assert refuted(Theorem("convert", FP16, NEAREST, FP32))
    assert refuted(Theorem("add", FP16, NEAREST))


def test_a_nan_other_than_the_canonical_one_is_refuted(monkeypatch):
    monkeypatch.setattr(symbolic, "deliver_nan", lambda fmt: BV(fmt.canonical_nan + 1, fmt.width))
    assert refuted(Theorem("convert", BFLOAT16, NEAREST, FP16))
