"""A claim is proved only by all of its lemmas, each by a proof that is checked; none is done twice."""

import sys

import pytest

from examples import cube_and_conquer as example
from spikeproof.proofs import z3_theory
from spikeproof.proofs.floating_point_theory import Theorem
from spikeproof.specs.formats import FP8_E5M2, RoundingMode

MULTIPLY = Theorem("multiply", FP8_E5M2, RoundingMode.NEAREST_EVEN)


@pytest.fixture
def ran(monkeypatch, capsys, tmp_path):
    def run(*options, operation="multiply"):
        arguments = [operation, "fp8_e5m2", "--kept", str(tmp_path), *options]
        monkeypatch.setattr(sys, "argv", ["cube_and_conquer", *arguments])
        example.lemmas.cache_clear()
        return example.main(), capsys.readouterr().out

    return run


def test_what_is_kept_is_not_done_again_and_all_lemmas_prove_the_claim(ran):
    code, text = ran("--sample", "3")
    assert code == 3
    assert "of 3 asked for 3 are open" in text
    code, text = ran()
    count = len(example.lemmas(MULTIPLY))
    assert f"of {count} asked for {count - 3} are open" in text
    assert (code, text.splitlines()[-1][:6]) == (0, "PROVED")
    code, text = ran()
    assert code == 0
    assert f"of {count} asked for 0 are open" in text


def test_a_proof_of_something_else_does_not_count(ran, monkeypatch):
    right = example.decide

    def wrong(theorem, lemma, timeout):
        reply = right(theorem, lemma, timeout)
        return example.Reply(lemma, reply.said, reply.proof[: len(reply.proof) // 2])

    monkeypatch.setattr(example, "decide", wrong)
    code, text = ran()
    assert code == 3
    assert "the proof is wrong" in text or "cannot be read" in text


def test_a_worker_that_dies_or_lies_decides_nothing(ran, monkeypatch):
    model = {"x": 0x3C, "y": 0x3C}
    replies = iter([("lost", {}), ("satisfiable", model)])
    monkeypatch.setattr(
        example, "decide", lambda theorem, lemma, _: example.Reply(lemma, *_said(replies))
    )
    code, text = ran("--sample", "2")
    assert code == 3
    assert "REFUTED" not in text


def _said(replies):
    said, model = next(replies)
    return said, None, model


def test_a_wrong_claim_is_refuted_by_an_input(ran, monkeypatch):
    monkeypatch.setitem(
        z3_theory.MODES, RoundingMode.NEAREST_EVEN, z3_theory.MODES[RoundingMode.TOWARD_ZERO]
    )
    code, text = ran()
    assert code == 1
    assert "REFUTED, where its inputs are x 0x" in text


def test_what_the_theory_does_not_express_is_said_in_a_line(ran):
    assert ran(operation="add")[0] == 2
