"""The SMT-LIB scripts: z3 reads in them what pySMT means, and they are the same in every process."""

import os
import random
import subprocess
import sys
from itertools import pairwise

import pytest
import z3
from pysmt import operators
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
    BVUDiv,
    BVURem,
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
from spikeproof.prover.encoding import bitblast, smtlib
from spikeproof.prover.encoding.smtlib import buses_sha256, definitions, script, script_sha256

WIDTH = 5

WORDS = (
    *(BVAdd, BVSub, BVMul, BVUDiv, BVURem, BVAnd, BVOr, BVXor, BVLShl, BVLShr),
    lambda x, y: BVNot(x),
    lambda x, y: BVNeg(x),
    lambda x, y: BVExtract(BVConcat(x, y), 3, 2 + WIDTH),
    lambda x, y: BVExtract(BVZExt(x, 4), 2, 1 + WIDTH),
    lambda x, y: BVExtract(BVSExt(x, 4), 2, 1 + WIDTH),
    lambda x, y: Ite(BVULT(x, y), BV(19, WIDTH), y),
)
"""Words made of two words, all of one width."""

CONDITIONS = (
    *(Equals, BVULT, BVULE, BVSLT, BVSLE),
    lambda x, y: And(BVULT(x, y), BVSLT(y, x), Equals(x, BV(3, WIDTH))),
    lambda x, y: Or(BVULT(x, y), FALSE(), Not(TRUE())),
    lambda x, y: Implies(BVULT(x, y), BVSLT(x, y)),
    lambda x, y: Iff(BVULT(x, y), BVSLT(x, y)),
    lambda x, y: Ite(BVULT(x, y), BVSLT(x, y), Symbol("p")),
)
"""Conditions on two words."""


def symbols(*names):
    return [Symbol(name, BVType(WIDTH)) for name in names]


def operators_of(formula):
    found, pending = set(), [formula]
    while pending:
        node = pending.pop()
        found.add(node.node_type())
        pending.extend(node.args())
    return found


def every_operator():
    """Formulas that have, together, every operator of the fragment."""
    x, y = symbols("x", "y")
    yield from (Equals(word(x, y), y) for word in WORDS)
    yield from (condition(x, y) for condition in CONDITIONS)


def at_random(seed):
    """A formula of many nodes, most of them shared."""
    draw = random.Random(seed)
    words = symbols("x", "y", "z")
    for _ in range(12):
        words.append(draw.choice(WORDS)(*draw.choices(words, k=2)))
    conditions = [draw.choice(CONDITIONS)(*draw.choices(words, k=2)) for _ in range(4)]
    return And(*conditions[:2], Or(*conditions[2:]))


def assert_z3_reads(formulas):
    """The script, as z3 parses it, has no other models than the formulas."""
    parsed = z3.And(*z3.parse_smt2_string(script(formulas)))
    meant = Z3Converter(get_env(), z3.main_ctx()).convert(And(formulas))
    solver = z3.Solver()
    solver.add(parsed != meant)
    assert solver.check() == z3.unsat


def test_every_operator_is_tried_and_none_else_is_known():
    tried = set().union(*map(operators_of, every_operator()))
    leaves = {operators.SYMBOL, operators.BOOL_CONSTANT, operators.BV_CONSTANT}
    assert tried - leaves == set(bitblast._RULES)
    assert {*smtlib._FUNCTIONS, *smtlib._INDEXED} == set(bitblast._RULES)


def test_every_operator_means_what_pysmt_means():
    for formula in every_operator():
        assert_z3_reads([formula])


@pytest.mark.parametrize("seed", range(25))
def test_formulas_at_random_mean_what_pysmt_means(seed):
    assert_z3_reads([at_random(seed), at_random(seed + 1000)])


def test_a_script_in_full():
    x, y = symbols("x", "y")
    total = BVAdd(y, x)
    assert script([BVULT(total, BV(3, WIDTH)), Not(Equals(BVExtract(total, 1, 2), BV(1, 2)))]) == (
        "(set-logic QF_BV)\n"
        "(declare-const x (_ BitVec 5))\n"
        "(declare-const y (_ BitVec 5))\n"
        "(define-fun $1 () (_ BitVec 5) (bvadd y x))\n"
        "(define-fun $2 () Bool (bvult $1 (_ bv3 5)))\n"
        "(define-fun $3 () (_ BitVec 2) ((_ extract 2 1) $1))\n"
        "(define-fun $4 () Bool (= $3 (_ bv1 2)))\n"
        "(define-fun $5 () Bool (not $4))\n"
        "(assert $2)\n"
        "(assert $5)\n"
        "(check-sat)\n"
    )


def test_definitions_in_full():
    x, y = symbols("x", "y")
    assert definitions({"sum": BVAdd(x, y), "1st": x, "none": BV(0, 3)}) == (
        "(set-logic QF_BV)\n"
        "(declare-const x (_ BitVec 5))\n"
        "(declare-const y (_ BitVec 5))\n"
        "(define-fun $1 () (_ BitVec 5) (bvadd x y))\n"
        "(define-fun $.1st () (_ BitVec 5) x)\n"
        "(define-fun $.none () (_ BitVec 3) (_ bv0 3))\n"
        "(define-fun $.sum () (_ BitVec 5) $1)\n"
        "(check-sat)\n"
    )


def test_the_order_of_buses_is_immaterial_and_their_names_are_not():
    x, y = symbols("x", "y")
    total, product = BVAdd(x, y), BVMul(x, y)
    assert buses_sha256({"a": total, "b": product}) == buses_sha256({"b": product, "a": total})
    assert buses_sha256({"a": x, "b": y}) != buses_sha256({"a": y, "b": x})


NAMES = ("free.x", "1st", ".hidden", "two words", "and", "bvadd", "let", "true", "and'", "$1", "$", "@x")


def test_symbols_of_any_name():
    words = symbols(*NAMES)
    formula = And(BVULT(a, BVAdd(b, BV(1, WIDTH))) for a, b in pairwise(words))
    parsed = z3.parse_smt2_string(script([formula]))
    read = {str(child) for child in _constants(z3.And(*parsed))}
    assert len(read) == len(NAMES)
    for name in ("free.x", "1st", ".hidden", "two words", "and'", "and''", "$1"):
        assert name in read
    solver = z3.Solver()
    solver.add(parsed)
    assert solver.check() == z3.sat


def _constants(term):
    if z3.is_const(term) and not z3.is_bv_value(term):
        yield term
    for child in term.children():
        yield from _constants(child)


@pytest.mark.parametrize("name", ["a|b", "a\\b", "a\nb"])
def test_a_symbol_that_cannot_be_written_is_refused(name):
    with pytest.raises(ValueError, match="SMT-LIB has no symbol"):
        script([Equals(*symbols(name, "x"))])


def test_an_operator_outside_the_fragment_is_refused():
    x, y = symbols("x", "y")
    with pytest.raises(ValueError, match="no SMT-LIB for BV_ROL"):
        script([Equals(BVRol(x, 1), y)])


def test_a_deep_formula_is_no_harder_than_another():
    x, y = symbols("x", "y")
    for _ in range(20_000):
        x = BVAdd(Ite(Equals(x, y), x, y), y)
    text = script([Equals(x, y)])
    assert text.count("\n") == 1 + 2 + 3 * 20_000 + 1 + 2
    assert max(map(len, text.splitlines())) < 80


def test_what_was_built_before_is_immaterial():
    expected = script_sha256([at_random(7)])
    for seed in reversed(range(50)):
        at_random(seed)
    assert script_sha256([at_random(7)]) == expected


PROGRAM = """
import sys
from pysmt.environment import pop_env, push_env
from pysmt.shortcuts import Not
from spikeproof.prover.claims.catalogue import theorem
from spikeproof.prover.kernel.composition import compose
from spikeproof.prover.encoding.smtlib import buses_sha256, script_sha256

for name in sys.argv[1:]:
    push_env()
    obligation = theorem(name)
    netlist = obligation.circuit() if obligation.circuit else None
    claim = obligation.state(netlist)
    lemmas = {name: claim}
    if obligation.decomposition:
        lemmas |= compose(netlist, obligation.decomposition, claim)
    for lemma in lemmas.values():
        print(script_sha256((*lemma.assumptions, Not(lemma.goal))), buses_sha256(lemma.expected))
    pop_env()
"""

THEOREMS = (
    "fp8_e4m3fn.multiply.rne.saturate",
    "fp8_e5m2.divide.rne",
    "block.threshold.normalise.8",
    "spec.fp6_e2m3.round.rne.monotone",
    "spec.fp16.add.rne.floating_point_theory",
    "spec.fp16.subtract.rne.floating_point_theory",
    "spec.fp16.less.floating_point_theory",
)


def hashes(seed, *theorems):
    """What a process with such a seed says of the lemmas of some theorems, stated in this order."""
    environment = os.environ | {"PYTHONHASHSEED": seed}
    command = [sys.executable, "-c", PROGRAM, *theorems]
    run = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return run.stdout.splitlines()


def test_every_process_writes_the_same_script():
    assert set(THEOREMS) <= set(catalogue())
    first, second = hashes("1", *THEOREMS), hashes("2", *reversed(THEOREMS))
    assert len(first) > len(THEOREMS)
    assert sorted(first) == sorted(second)
    assert len(set(first)) == len(first)
