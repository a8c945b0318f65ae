"""Theorems about tables: decided by evaluating every input, verified by doing so by other means."""

from dataclasses import replace

import pytest
from pysmt.shortcuts import BV, BVUGE, BVUGT, BVULT, BVLShr

from spikeproof.circuits.meanings import boolean, matrices
from spikeproof.circuits.units.libraries import gate_netlist
from spikeproof.prover.checking import verification
from spikeproof.prover.checking.every_input import ViolatedError, require_true_of_every_input
from spikeproof.prover.checking.verification import Verifier
from spikeproof.prover.claims.environment import passing_formulas
from spikeproof.prover.claims.obligation import Outcome, equivalence
from spikeproof.prover.claims.tabulated import TabulatedClaim
from spikeproof.prover.encoding.smtlib import script_sha256
from spikeproof.prover.evidence.archive import Archive
from spikeproof.prover.evidence.ledger import EVALUATED, Evidence, Promise, unfulfilled
from spikeproof.prover.evidence.record import Reply
from spikeproof.prover.refutation.mutation import sample
from spikeproof.prover.running import mutation_report
from spikeproof.prover.running.discharge import discharge
from spikeproof.prover.running.inquiry import Inquiry
from spikeproof.specs import integers
from tests.support.tables import BITS, root, roots, theorem

WRONG = 333


@pytest.fixture(autouse=True)
def no_engine(monkeypatch):
    """Nothing here may ask a solver, nor make a formula of the table but to explain a failure."""

    def asked(*_):
        raise AssertionError("an engine was asked")

    monkeypatch.setattr(Inquiry, "answers", asked)


@pytest.fixture
def no_formula(monkeypatch):
    for name in ("goal", "expected", "actual"):
        monkeypatch.setattr(TabulatedClaim, name, property(lambda claim: pytest.fail("a formula")))


@pytest.fixture
def verified(monkeypatch, tmp_path):
    """What speaks against a record of a theorem, as it is stated then."""

    def check(record, obligation, **how):
        monkeypatch.setattr(verification, "stated", lambda name: obligation)
        return Verifier(Archive(tmp_path), **how).verify(record).refusal

    return check


def test_a_right_circuit_is_proved_and_verified_without_formulas(no_formula, verified):
    record = discharge(theorem())
    assert record.outcome is Outcome.PROVED
    (lemma,) = record.lemmas
    assert (lemma.name, lemma.kind, lemma.formula_sha256) == ("acme.root", "every input", None)
    assert record.engines == ()
    assert verified(record, theorem()) == ""


def test_verifying_does_not_evaluate_as_proving_does(monkeypatch, verified):
    record = discharge(theorem())

    def fires(*_):
        raise AssertionError("evaluated as when it was proved")

    monkeypatch.setattr(matrices, "_levels", fires)
    monkeypatch.setattr(boolean, "fires", fires)
    assert verified(record, theorem()) == ""


def test_forged_records_are_refused(verified):
    record = discharge(theorem())
    (lemma,) = record.lemmas
    reply = Reply("z3", "unsatisfiable", 0.1)
    with passing_formulas():
        formula = script_sha256(theorem().state(root()).negation)
    alone = "it is shown by evaluating every input, which is one lemma, alone"
    for why, lemmas in (
        (alone, ()),
        (alone, (lemma, lemma)),
        (alone, (replace(lemma, kind="claim"),)),
        (alone, (replace(lemma, name="acme.other"),)),
        (alone, (lemma, replace(lemma, kind="assumptions"))),
        ("an engine was asked", (replace(lemma, replies=(reply,)),)),
        ("an engine was asked", (replace(lemma, cnf_sha256="0" * 64),)),
        ("the formula differs", (replace(lemma, formula_sha256=formula),)),
    ):
        assert why in verified(replace(record, lemmas=lemmas), theorem())
    assert "the spec differs" in verified(replace(record, spec_sha256="0" * 64), theorem())
    other = replace(record.netlist, sha256="0" * 64)
    assert "the netlist differs" in verified(replace(record, netlist=other), theorem())
    refuted = replace(record, outcome=Outcome.REFUTED, counterexample={"x": WRONG})
    assert "does not replay" in verified(refuted, theorem())


@pytest.mark.parametrize("line", [0, WRONG, (1 << BITS) - 1])
def test_one_wrong_line_is_enough(verified, line):
    wrong = theorem(results=lambda: roots(wrong=line))
    record = discharge(wrong)
    assert record.outcome is Outcome.REFUTED
    assert record.counterexample == {"x": line}
    assert "fails on 1 of all 1,024 inputs" in record.message
    right = discharge(theorem())
    assert "the spec differs" in verified(right, wrong)
    forged = replace(right, spec_sha256=record.spec_sha256)  # by somebody who knows the digest
    assert verified(forged, wrong) == f"input {line} violates it"


def test_another_circuit_is_refuted_and_its_record_verified(verified):
    wrong = root(shift=1)
    record = discharge(theorem(), circuit=wrong)
    assert record.refutes
    assert record.counterexample == {"x": 1}
    assert "fails on 31 of all 1,024 inputs" in record.message
    assert verified(record, theorem(), circuit=wrong) == ""
    right = discharge(theorem(), circuit=root())
    assert right.outcome is Outcome.PROVED
    assert verified(right, theorem(), circuit=root()) == ""
    assert "about another circuit" in verified(right, theorem(), circuit=wrong)


def test_a_refutation_may_be_promised(verified):
    wrong = theorem(results=lambda: roots(wrong=WRONG), expected=Outcome.REFUTED)
    record = discharge(wrong)
    assert record.green
    assert record.counterexample == {"x": WRONG}
    assert verified(record, wrong) == ""
    assert "does not replay" in verified(replace(record, counterexample={"x": 3}), wrong)


def test_only_what_is_observed_counts(verified):
    def without_lowest(inputs, outputs):
        return {"result": BVLShr(outputs["result"], BV(1, BITS // 2))}

    lenient = theorem(results=lambda: roots(wrong=WRONG), observed=without_lowest)
    record = discharge(lenient)
    assert record.outcome is Outcome.PROVED
    assert verified(record, lenient) == ""
    assert discharge(lenient, circuit=root(shift=1)).refutes


def test_mutants_are_refuted():
    obligation = theorem()
    kinds = set()
    for kind, mutant in sample(root(), 16, seed=1):
        verdict = mutation_report.judge(obligation, kind, mutant, 60.0)
        assert verdict.outcome in (Outcome.REFUTED, Outcome.PROVED), verdict
        kinds |= {kind} if verdict.outcome is Outcome.REFUTED else set()
    assert {"threshold", "weight", "wire", "constant"} <= kinds


def test_assumptions_leave_out_inputs_and_must_be_possible():
    with passing_formulas():
        claim = theorem(results=lambda: roots(wrong=WRONG)).state(root())
        x = claim.inputs["x"]
        require_true_of_every_input(claim.assuming(BVUGT(x, BV(WRONG, BITS))))
        with pytest.raises(ViolatedError):
            require_true_of_every_input(claim.assuming(BVUGE(x, BV(WRONG, BITS))))
        with pytest.raises(ValueError, match="no input satisfies"):
            require_true_of_every_input(claim.assuming(BVUGT(x, BV(5, BITS)), BVULT(x, BV(5, BITS))))


def test_a_claim_of_formulas_needs_an_engine_and_a_table_has_none():
    with pytest.raises(ValueError, match="name at least one engine"):
        equivalence(
            "acme.and", "an AND", lambda: gate_netlist("ionic", "and"), integers.GATES["and"], engines=()
        )
    with pytest.raises(ValueError, match="name no engine, for every input is evaluated"):
        replace(theorem(), engines=("z3",))


def test_the_ledger_promises_evaluation():
    obligation = theorem()
    promise = Promise.of(obligation)
    assert str(promise.evidence) == EVALUATED
    assert Evidence.read(EVALUATED) == promise.evidence
    ledger = {"acme.root": promise}
    record = discharge(obligation)
    assert unfulfilled(ledger, [record], wide=False, whole=True) == []
    (lemma,) = record.lemmas
    for lemmas in ((), (replace(lemma, kind="claim"),), (lemma, lemma)):
        (line,) = unfulfilled(ledger, [replace(record, lemmas=lemmas)], wide=False, whole=True)
        assert "not decided by evaluating every input" in line


def test_evaluation_ends_when_time_is_up():
    result = discharge(theorem(), timeout=1e-9)
    assert result.outcome is Outcome.TIMEOUT
    assert result.message == "time was up before every input was evaluated"
