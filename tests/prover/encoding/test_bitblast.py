"""The encoder to clauses: every operator on every input of small widths, and its clauses by solving."""

from itertools import product

import numpy as np
import pytest
import z3
from pysat.solvers import Cadical195
from pysmt.environment import get_env
from pysmt.shortcuts import (
    BV,
    BVSLE,
    BVSLT,
    BVULE,
    BVULT,
    FALSE,
    TRUE,
    And,
    BVAdd,
    BVAnd,
    BVConcat,
    BVExtract,
    BVLShl,
    BVLShr,
    BVMul,
    BVNeg,
    BVNot,
    BVOr,
    BVRol,
    BVSExt,
    BVSub,
    BVType,
    BVXor,
    BVZExt,
    Equals,
    Iff,
    Implies,
    Ite,
    Not,
    Or,
    Symbol,
)
from pysmt.solvers.z3 import Z3Converter

from spikeproof.prover.claims.catalogue import catalogue
from spikeproof.prover.encoding.bitblast import Blaster, Graph
from spikeproof.prover.kernel.case import Case
from tests.support.formula_evaluation import evaluate
from tests.support.graphs import Encoded
from tests.support.profile import NIGHTLY

BINARY = [BVAdd, BVSub, BVMul, BVAnd, BVOr, BVXor, BVLShl, BVLShr, BVConcat]
COMPARISONS = [BVULT, BVULE, BVSLT, BVSLE, Equals]


def formulas(x, y):
    """One formula for each operator of the fragment."""
    yield from (operator(x, y) for operator in BINARY)
    yield from (BVNot(x), BVNeg(x), BVExtract(x, 1, x.bv_width() - 1), BVZExt(x, 3), BVSExt(x, 2))
    yield BVAdd(x, y, BV(3, x.bv_width()))
    conditions = [comparison(x, y) for comparison in COMPARISONS]
    yield from (Ite(condition, x, y) for condition in conditions)
    a, b, c, d, e = conditions
    for combined in (
        And(a, b, c),
        Or(a, d, e),
        Not(a),
        Iff(b, d),
        Implies(c, e),
        And(a, TRUE()),
        Or(b, FALSE()),
    ):
        yield Ite(combined, BV(1, 1), BV(0, 1))
    yield BVMul(BVSub(x, BV(5, x.bv_width())), BVLShr(y, BV(1, y.bv_width())))


@pytest.mark.parametrize("width", [3, 4, 5])
def test_every_operator_on_every_input(width):
    x, y = (Symbol(name, BVType(width)) for name in ("x", "y"))
    values = np.arange(1 << 2 * width, dtype=np.uint64)
    inputs = {"x": values >> np.uint64(width), "y": values & np.uint64((1 << width) - 1)}
    for formula in formulas(x, y):
        expected = evaluate(formula, inputs)
        assert np.array_equal(Encoded(formula).evaluate(inputs), expected), formula.serialize()


def test_clauses_have_the_models_that_the_formula_has():
    """For each output value of each formula: satisfiable by clauses iff some input yields it."""
    x, y = (Symbol(name, BVType(3)) for name in ("x", "y"))
    values = np.arange(64, dtype=np.uint64)
    inputs = {"x": values >> np.uint64(3), "y": values & np.uint64(7)}
    for formula in formulas(x, y):
        possible = set(evaluate(formula, inputs).tolist())
        for value in range(1 << formula.bv_width()):
            blaster = Blaster()
            root = blaster.literal(Equals(formula, BV(value, formula.bv_width())))
            with Cadical195(bootstrap_with=blaster.graph.clauses(root)) as solver:
                assert solver.solve() == (value in possible), (formula.serialize(), value)


def test_operators_outside_the_fragment_are_refused():
    x = Symbol("x", BVType(3))
    with pytest.raises(ValueError, match="no encoding for"):
        Blaster().bits(BVRol(x, 1))


def test_the_graph_shares_and_simplifies():
    graph = Graph()
    a, b = graph.new_input(), graph.new_input()
    assert graph.conjunction(a, b) == graph.conjunction(b, a)
    assert graph.conjunction(a, a) == a
    assert graph.conjunction(a, a ^ 1) == 0
    assert graph.conjunction(a, 1) == a
    for left, right in product((a, b), repeat=2):
        assert graph.exclusive(left, right) == graph.exclusive(right, left)


# --- against z3's own encoder, on real obligations ----------------------------------------------

REAL = [
    "block.nexus.divide.5",
    "spec.fp6_e3m2.round.rne.definition",
    "fp8_e4m3fn.add.rne.saturate",
    "fp8_e4m3fn.divide.rne.saturate",
    "fp8_e4m3fn.convert_from_fp16.rne.saturate",
    *(["fp16.multiply.rne"] if NIGHTLY else []),
    "fp16.square_root.rne",
    "fp16.convert_from_int32.rne",
]


def as_z3(blaster, root):
    """A literal of the graph as z3 sees it, given by conjunctions of the bits of its own symbols."""
    bits = {
        literal: z3.Extract(place, place, z3.BitVec(name, len(word))) == 1
        for name, word in blaster.symbols.items()
        for place, literal in enumerate(word)
    }
    nodes = {0: z3.BoolVal(False)}

    def literal(each):
        return z3.Not(nodes[each >> 1]) if each & 1 else nodes[each >> 1]

    for node in blaster.graph.cone(root):
        pair = blaster.graph.conjunctions[node]
        if node:
            nodes[node] = z3.And(*map(literal, pair)) if pair else bits[2 * node]
    return literal(root)


def told_apart(claim, fault=0):
    """Whether z3, which turns the formula into bits itself, tells it from what we make of it."""
    formula = And(claim.negation)
    blaster = Blaster()
    root = blaster.literal(formula)
    solver = z3.Then("simplify", "bit-blast", "aig", "sat").solver()
    converter = Z3Converter(get_env(), z3.main_ctx())
    solver.add(converter.convert(formula) != as_z3(blaster, root ^ fault))
    answer = solver.check()
    assert answer != z3.unknown
    return answer == z3.sat


@pytest.mark.parametrize("theorem", REAL)
def test_on_real_obligations_z3_s_encoder_agrees(theorem):
    case = Case.of(catalogue()[theorem])
    for claim in (case.lemmas() or {theorem: case.claim}).values():
        assert not told_apart(claim)
    assert told_apart(claim, fault=1)
