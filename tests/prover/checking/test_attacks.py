"""Ways to a false proof that reviewers found; each was open once."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
from pysmt.environment import pop_env, push_env

from spikeproof.prover.checking.checkers import CheckError, by_dratify
from spikeproof.prover.checking.verification import Verifier
from spikeproof.prover.claims.catalogue import catalogue
from spikeproof.prover.claims.obligation import Outcome
from spikeproof.prover.encoding.bitblast import Blaster, cnf_sha256
from spikeproof.prover.encoding.drat import encoded
from spikeproof.prover.encoding.smtlib import script_sha256, spec_sha256
from spikeproof.prover.engines.clausal_proof import _ADD, _DELETE, _as_numbers
from spikeproof.prover.engines.engine import ENGINES
from spikeproof.prover.evidence.archive import Archive
from spikeproof.prover.evidence.cache import Cache
from spikeproof.prover.evidence.record import Lemma, Record, Reply, Size, blank_record
from spikeproof.prover.kernel.case import Case
from spikeproof.prover.kernel.cells import AlgebraError
from spikeproof.prover.running.discharge import discharge
from spikeproof.prover.running.run import Run
from tests.support.misleading_circuits import (
    divider_of_rows_that_restrict_each_other,
    multiplier_of_adders_of_one_name,
)

MULTIPLY = "fp4_e2m1.multiply.rne.saturate"
DIVIDE = "fp8_e4m3fn.divide.rne.saturate"


def refutation_of_anything(clauses):
    """By a step that is RAT once the reason of its negation is deleted, though it still propagates."""
    x = max(abs(literal) for clause in clauses for literal in clause) + 1
    y = x + 1
    lines = [(_ADD, x), (_ADD, y, -x), (_DELETE, y, -x), (_ADD, -y), (_ADD,)]
    numbers = np.array([number for line in lines for number in (*line, 0)])
    return encoded(_as_numbers(numbers))


def test_satisfiable_clauses_are_not_refuted():
    with pytest.raises(CheckError):
        by_dratify([[1]], refutation_of_anything([[1]]))


def test_a_forged_record_of_an_adder_that_multiplies(tmp_path):
    obligation, adder = catalogue()[MULTIPLY], catalogue()["fp4_e2m1.add.rne.saturate"].circuit()
    case = Case.of(obligation, adder)
    question = case.claim.negation
    clauses = Blaster().clauses(question)
    proof = Archive(tmp_path).keep("drat", refutation_of_anything(clauses))
    blank = blank_record(obligation, 300, adder, tuple(ENGINES[name].use for name in obligation.engines))
    lemma = Lemma(
        MULTIPLY,
        "claim",
        script_sha256(question),
        cnf_sha256(clauses),
        tuple(Reply(use.label, "unsatisfiable", 0.1) for use in blank.engines),
        (proof,),
    )
    record = replace(
        blank,
        outcome=Outcome.PROVED,
        netlist=Size.of(adder),
        spec_sha256=spec_sha256(case.claim),
        lemmas=(lemma,),
    )
    assert "the proof is wrong" in Verifier(Archive(tmp_path), circuit=adder).verify(record).refusal


def test_rows_do_not_restrict_each_other():
    wrong = divider_of_rows_that_restrict_each_other(DIVIDE)
    assert discharge(catalogue()[DIVIDE], 60, wrong).outcome is Outcome.REFUTED


def test_adders_of_one_name_do_not_stand_for_each_other():
    wrong = multiplier_of_adders_of_one_name(MULTIPLY)
    assert discharge(catalogue()[MULTIPLY], 60, wrong).outcome is Outcome.REFUTED


def test_an_engine_is_not_named_twice():
    with pytest.raises(ValueError, match="none twice"):
        replace(catalogue()[MULTIPLY], engines=("z3", "z3"))


def test_a_record_of_other_libraries_is_not_moved_here(tmp_path, monkeypatch):
    cache, theorem = Cache(tmp_path), "cell.ionic.and"
    Run(60.0, cache=cache).discharge(catalogue()[theorem])
    old = cache._record(theorem, None)
    assert cache.record(theorem) is not None
    for module in ("cache", "seal"):
        monkeypatch.setattr(
            f"spikeproof.prover.evidence.{module}.versions", lambda *_: {"z3-solver": "another"}
        )
    new = cache._record(theorem, None)
    new.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(old, new)
    assert cache.record(theorem) is None


def test_a_theorem_about_formulas_is_not_one_about_a_circuit(tmp_path):
    name, circuit = "spec.fp4_e2m1.round.rne.representable", catalogue()["cell.ionic.or"].circuit()
    cache = Cache(tmp_path)
    record = Run(60.0, cache=cache).discharge(catalogue()[name])
    blank = blank_record(catalogue()[name], 60, circuit)
    record = replace(
        record,
        statement=blank.statement,
        parameters=blank.parameters,
        netlist=Size.of(circuit),
    )
    refusal = Verifier(cache.archive, circuit=circuit).verify(record).refusal
    assert "about formulas, not about a circuit" in refusal


@pytest.mark.parametrize("value", [10**30, -1])
def test_a_counterexample_out_of_range_is_refused(tmp_path, value):
    name = "fp4_e2m1.sticky_extra_multiply.rne.saturate.without_significand_route"
    push_env()
    case = Case.of(catalogue()[name])
    pop_env()
    record = replace(
        blank_record(catalogue()[name], 60),
        outcome=Outcome.REFUTED,
        counterexample={"x": value, "y": 0},
        netlist=Size.of(case.netlist),
        spec_sha256=spec_sha256(case.claim),
    )
    assert "PysmtValueError: Cannot" in Verifier(Archive(tmp_path)).verify(record).refusal


@pytest.mark.parametrize("sha256", ["/../x", "a\0b", "a" * 5000])
def test_a_strange_name_of_a_certificate_is_refused(tmp_path, sha256):
    cache, claims = Cache(tmp_path / "cache"), tmp_path / "claims"
    claims.mkdir()
    data = Run(60.0, cache=cache).discharge(catalogue()["cell.ionic.and"]).as_json()
    for certificate in data["lemmas"][0]["certificates"]:
        if certificate["kind"] == "drat":
            certificate["sha256"] = sha256
    assert Verifier(cache.archive, claims=claims).verify(Record.from_json(data)).refusal


@pytest.mark.parametrize("log", [b"[" * 100_000, b"[[0, Infinity]]"])
def test_a_strange_log_of_algebra_is_refused(log):
    with pytest.raises(AlgebraError):
        Case.of(catalogue()[MULTIPLY]).check_algebra("product", log)
