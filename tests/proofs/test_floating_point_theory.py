"""The theorems about z3's floating-point theory can fail, and what is not proved is tested."""

from dataclasses import replace
from itertools import cycle, product

import numpy as np
import pytest
from pysmt.shortcuts import BV, TRUE, And, BVAdd, BVType, BVXor, Equals, Ite, Not, Symbol

from spikeproof.proofs import floating_point_theory, z3_theory
from spikeproof.proofs.floating_point_theory import PROVED, Theorem
from spikeproof.prover.claims.obligation import Claim, Outcome
from spikeproof.prover.encoding.bitblast import Blaster
from spikeproof.prover.engines.engine import engine_named
from spikeproof.prover.evidence.record import Status
from spikeproof.prover.kernel.splitting import split
from spikeproof.prover.refutation.drawing import many_codes
from spikeproof.prover.running.discharge import discharge
from spikeproof.specs import symbolic
from spikeproof.specs.formats import (
    ARITY,
    BFLOAT16,
    FP8_E5M2,
    FP16,
    FP32,
    OPERANDS,
    RoundingMode,
    format_named,
)
from tests.support.profile import NIGHTLY, one_of_each, parameter_id

pytestmark = pytest.mark.usefixtures("counterexamples_as_found")

NEAREST = RoundingMode.NEAREST_EVEN
E4M5 = format_named("e4m5")
"""Of few bits, with every kind of number: the spec, where faults are planted, is one for all formats."""

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


OTHER_MODES = [mode for mode in floating_point_theory.MODES if mode is not NEAREST]


@pytest.mark.parametrize("mode", floating_point_theory.MODES)
def test_multiply_adds_in_every_mode_on_inputs_drawn_by_class(mode):
    """Of FP16, of which they are not proved."""
    assert violated(Theorem("fma", FP16, mode)) == 0


@pytest.mark.parametrize("mode", one_of_each(OTHER_MODES, kind=lambda mode: "of four"))
def test_a_wrong_mode_is_refuted(mode, monkeypatch):
    monkeypatch.setitem(z3_theory.MODES, NEAREST, z3_theory.MODES[mode])
    assert refuted(Theorem("convert", FP16, NEAREST, FP32))
    with_ties = {operation for operation, _ in PROVED} - {"square_root"}
    assert all(refuted(Theorem(operation, E4M5, NEAREST)) for operation in with_ties - {"fma"})


@pytest.mark.parametrize("mode", one_of_each(OTHER_MODES, kind=lambda mode: "of four"))
def test_a_wrong_mode_of_multiply_adds_is_refuted(mode, monkeypatch):
    monkeypatch.setitem(z3_theory.MODES, NEAREST, z3_theory.MODES[mode])
    assert violated(Theorem("fma", FP16, NEAREST))
    assert refuted(Theorem("fma", FP8_E5M2, NEAREST))


@pytest.mark.parametrize(
    ("operation", "other", "fmt"),
    [
        ("add", "subtract", FP16),
        ("add", "subtract", FP32),
        ("subtract", "add", FP16),
        ("multiply", "divide", FP16),
        ("divide", "multiply", FP16),
    ],
)
def test_a_wrong_operation_is_refuted(operation, other, fmt, monkeypatch):
    monkeypatch.setitem(symbolic.OPERATIONS, operation, symbolic.OPERATIONS[other])
    assert refuted(Theorem(operation, fmt, NEAREST))


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


WRONG_CODES = (0x001, 0x01F, 0x020, 0x1DF)
"""Of E4M5: the ends of subnormal and of normal numbers."""

WRONG_IN = ("add", "multiply", "divide")


@pytest.mark.parametrize(
    ("wrong_code", "operation"),
    list(product(WRONG_CODES, WRONG_IN)) if NIGHTLY else list(zip(WRONG_CODES, cycle(WRONG_IN))),
)
def test_a_single_wrong_code_is_refuted(wrong_code, operation, monkeypatch):
    true_rounding = symbolic.round_to

    def wrong(fmt, *rest):
        rounded = true_rounding(fmt, *rest)
        is_it = Equals(rounded.code, BV(wrong_code, fmt.width))
        return replace(rounded, code=Ite(is_it, BVAdd(rounded.code, BV(1, fmt.width)), rounded.code))

    monkeypatch.setattr(symbolic, "round_to", wrong)
    assert refuted(Theorem("convert", E4M5, NEAREST, FP16))
    assert refuted(Theorem(operation, E4M5, NEAREST))


PAIRS = {
    E4M5: ((0x0E1, 0x101), (0x003, 0x1A1), (0x19F, 0x001)),
    FP16: ((0x3C01, 0x4401), (0x0021, 0x6801), (0x6BFF, 0x0001)),
}

WRONG_RESULTS = one_of_each(
    [
        (unit, pair)
        for unit in (("add", E4M5), ("add", FP16), ("multiply", E4M5), ("divide", E4M5))
        for pair in PAIRS[unit[1]]
    ],
    kind=lambda case: case[0],
)


@pytest.mark.parametrize(
    ("operation", "fmt", "x", "y"), [(*unit, *pair) for unit, pair in WRONG_RESULTS], ids=parameter_id
)
def test_a_single_pair_of_operands_with_a_wrong_result_is_refuted(operation, fmt, x, y, monkeypatch):
    """Of normal operands, and of a subnormal one with a normal one."""
    right = symbolic.compute

    def wrong(operation, fmt, mode, policy, *codes, **rest):
        result = right(operation, fmt, mode, policy, *codes, **rest)
        is_it = And(Equals(code, BV(n, fmt.width)) for code, n in zip(codes, (x, y), strict=True))
        return Ite(is_it, BVXor(result, BV(1, fmt.width)), result)

    monkeypatch.setattr(symbolic, "compute", wrong)
    result = discharge(Theorem(operation, fmt, NEAREST).obligation(("cadical",)))
    assert result.outcome is Outcome.REFUTED
    assert result.counterexample == {"x": x, "y": y}


@pytest.mark.parametrize(
    ("operation", "fmt"), [("add", FP16), ("multiply", FP16), ("divide", FP16), ("fma", FP8_E5M2)]
)
def test_every_case_is_needed(operation, fmt):
    codes = {name: Symbol(name, BVType(fmt.width)) for name in OPERANDS[: ARITY[operation]]}
    claim = Claim(codes, TRUE())
    cases = Theorem(operation, fmt, NEAREST).cases(codes)
    for missing in cases:
        rest = {name: case for name, case in cases.items() if name != missing}
        coverage = split(claim, rest)["coverage"]
        assert engine_named("cadical").check([Not(coverage.goal)], 60).status is Status.SATISFIABLE


def test_a_nan_other_than_the_canonical_one_is_refuted(monkeypatch):
    monkeypatch.setattr(symbolic, "deliver_nan", lambda fmt: BV(fmt.canonical_nan + 1, fmt.width))
    assert refuted(Theorem("convert", BFLOAT16, NEAREST, FP16))
