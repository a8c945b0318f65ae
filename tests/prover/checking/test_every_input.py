"""Claims decided by evaluation on every input: only if all hold, of given circuits; checked again."""

from dataclasses import replace

import pytest
from pysmt.shortcuts import BV, BVType, Equals, Not, NotEquals, Or, Symbol

from spikeproof.prover.checking.every_input import (
    EveryInputError,
    ViolatedError,
    require_true_of_every_input,
)
from spikeproof.prover.checking.replays import replays
from spikeproof.prover.checking.verification import Verifier
from spikeproof.prover.claims.catalogue import theorem
from spikeproof.prover.claims.environment import passing_formulas
from spikeproof.prover.claims.obligation import Claim, Outcome
from spikeproof.prover.claims.tables import TABLE_BITS
from spikeproof.prover.evidence.archive import Archive
from spikeproof.prover.report.verdict import evidence_text
from spikeproof.prover.running import discharge as discharge_module
from spikeproof.prover.running.discharge import _Attempt, _Verdict, discharge
from spikeproof.prover.running.inquiry import Inquiry, Keeping

NAME = "fp6_e3m2.add.rne.saturate"


def given(name=NAME):
    return replace(theorem(name).circuit(), probes={}, cells=(), blocks=())


@pytest.fixture
def evaluated(monkeypatch):
    """As it is outside of tests: circuits of few input bits are evaluated first."""
    monkeypatch.setattr(discharge_module, "TABLE_BITS", TABLE_BITS)


@pytest.fixture
def undecided(evaluated, monkeypatch):
    """Engines that have no time besides."""
    monkeypatch.setattr(discharge_module, "SMALL_SECONDS", 1e-6)


@pytest.fixture
def unasked(evaluated, monkeypatch):
    """Engines that must not be asked."""

    def asked(*_):
        raise AssertionError("an engine was asked")

    monkeypatch.setattr(discharge_module, "SMALL", 0)
    monkeypatch.setattr(Inquiry, "answers", asked)


def test_a_larger_circuit_is_not_put_to_engines(unasked):
    record = discharge(theorem(NAME), circuit=given())
    assert record.outcome is Outcome.PROVED
    assert [stage.name for stage in record.strategy.stages] == ["every input, evaluated"]


def test_a_wrong_circuit_is_refuted_by_the_input_that_evaluation_met(unasked):
    wrong = given("fp6_e3m2.add.rna.saturate")
    record = discharge(theorem(NAME), circuit=wrong)
    assert record.outcome is Outcome.REFUTED
    assert [stage.found for stage in record.strategy.stages] == ["a counterexample"]
    with passing_formulas():
        assert replays(wrong, theorem(NAME).state(wrong), record.counterexample)


def test_a_small_circuit_has_certificates_of_engines(evaluated, monkeypatch):
    monkeypatch.setattr(discharge_module, "SMALL_SECONDS", 100.0)
    record = discharge(theorem("cell.ionic.and"), circuit=theorem("cell.ionic.and").circuit())
    assert record.engines
    assert [lemma.kind for lemma in record.lemmas] == ["claim"] * len(record.lemmas)


def test_engines_that_refute_what_evaluation_proved_are_an_error(evaluated, monkeypatch):
    refuted = _Verdict(Outcome.REFUTED, counterexample={"a": 0, "b": 0})
    monkeypatch.setattr(_Attempt, "_by_engines", lambda attempt: refuted)
    record = discharge(theorem("cell.ionic.and"), circuit=theorem("cell.ionic.and").circuit())
    assert record.outcome is Outcome.ERROR
    assert "ENGINES DISAGREE" in record.message


def test_what_engines_do_not_decide_is_evaluated_and_verified(undecided, tmp_path):
    archive = Archive(tmp_path)
    record = discharge(theorem(NAME), circuit=given(), keeping=Keeping(archive))
    assert record.outcome is Outcome.PROVED
    assert [lemma.kind for lemma in record.lemmas] == ["every input"]
    assert record.engines == ()  # none of them decided it
    assert evidence_text(record).startswith("evidence: every input, evaluated, ")
    check = Verifier(archive, circuit=given()).verify
    assert not check(record).refusal
    (lemma,) = record.lemmas
    forged = {
        "the formula differs": [replace(lemma, formula_sha256="0" * 64)],
        "one lemma, alone": [lemma, lemma],
        "an engine was asked": [replace(lemma, cnf_sha256="0" * 64)],
    }
    for why, lemmas in forged.items():
        assert why in check(replace(record, lemmas=tuple(lemmas))).refusal


def test_one_wrong_input_is_enough(undecided, tmp_path):
    """Of another mode; the record of the right circuit does not hold of it."""
    archive = Archive(tmp_path)
    assert discharge(theorem(NAME), circuit=given("fp6_e3m2.add.rna.saturate")).refutes
    record = discharge(theorem(NAME), circuit=given(), keeping=Keeping(archive))
    wrong = given("fp6_e3m2.add.rna.saturate")
    with passing_formulas(), pytest.raises(EveryInputError, match=r"^input \d+ violates it$"):
        require_true_of_every_input(theorem(NAME).state(wrong))
    assert Verifier(archive, circuit=wrong).verify(record).refusal


def test_our_own_circuits_are_never_decided_so(undecided):
    own = discharge(theorem(NAME), timeout=1e-6, enumerating=False)
    assert own.outcome is Outcome.TIMEOUT


def test_claims_that_are_not_shown_so_are_refused():
    with passing_formulas():
        x, y, wide = Symbol("x", BVType(4)), Symbol("y", BVType(4)), Symbol("wide", BVType(17))
        three = Equals(x, BV(3, 4))
        require_true_of_every_input(Claim({"x": x}, Not(three), (NotEquals(x, BV(3, 4)),)))
        for claim, why in (
            (Claim({"x": x}, Not(three)), "input 3 violates it"),
            (Claim({"x": x}, Equals(y, y)), "more than its inputs"),
            (Claim({"x": x}, Equals(x, y), (Equals(y, x),)), "more than its inputs"),
            (Claim({"x": x}, three, (three, Not(three))), "no input satisfies"),
            (Claim({"wide": wide}, Equals(wide, wide)), "more than 16 input bits"),
        ):
            with pytest.raises(EveryInputError, match=why):
                require_true_of_every_input(claim)


def test_the_input_that_violates_a_claim_is_told():
    with passing_formulas():
        x, y = Symbol("x", BVType(4)), Symbol("y", BVType(3))
        claim = Claim({"x": x, "y": y}, Or(NotEquals(x, BV(9, 4)), NotEquals(y, BV(5, 3))))
        with pytest.raises(ViolatedError) as caught:
            require_true_of_every_input(claim)
        assert caught.value.inputs == {"x": 9, "y": 5}
