"""``spikeproof opinion``: only an engine's plain agreement with what is promised is green."""

import json
import os
from importlib.util import find_spec

import pytest
import z3

from spikeproof.prover.claims.catalogue import catalogue
from spikeproof.prover.claims.obligation import Outcome
from spikeproof.prover.commands import opinion as command
from spikeproof.prover.engines.opinions import MAKES, opinion_named
from spikeproof.prover.evidence.record import Status
from spikeproof.prover.running.opinions import questions
from tests.support.command_line import spikeproof_here

HOLDS = "cell.threshold.and"
COMPOSED = "fp4_e2m1.multiply.rne.saturate"

FAKES = {
    "unsat": ("echo unsat", "agrees", 0),
    "sat": ("echo sat", "disagrees", 6),
    "unknown": ("echo unknown", "undecided", 3),
    "too late": ("sleep 60; echo unsat", "undecided", 3),
    "crash": ("kill -9 $$", "error", 4),
    "garbage": ("echo unsatisfactory", "error", 4),
    "nothing": ("true", "error", 4),
    "both": ("echo unsat; echo sat", "error", 4),
    "twice": ("echo unsat; echo unsat", "error", 4),
    "complaint": ("echo '(error \"no\")'; echo unsat", "error", 4),
    "answer and crash": ("echo unsat; kill -9 $$", "error", 4),
    "wrong status": ("echo unsat; exit 10", "error", 4),
    "bytes": ("printf '\\377\\376'; exit 3", "error", 4),
}
"""What an engine does, its verdict on a theorem that holds, and the exit code."""


@pytest.fixture
def path(tmp_path, monkeypatch):
    """Programs by name, in place of whatever is installed."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/bin:/usr/bin")

    def put(name, does):
        (folder / name).write_text(f"#!/bin/sh\n{does}\n")
        (folder / name).chmod(0o755)

    return put


def asked(capsys, *arguments, code):
    ended = spikeproof_here(capsys, "opinion", *arguments, "--json", "-")
    assert ended.returncode == code, ended.stderr
    return json.loads(ended.stdout)["opinions"], ended.stderr


@pytest.mark.parametrize("does", FAKES)
def test_only_agreement_is_green(path, capsys, does):
    program, verdict, code = FAKES[does]
    path("cvc5", program)
    timeout = 1 if does == "too late" else 30
    (found,), shown = asked(capsys, HOLDS, "--engine", "cvc5", "--timeout", timeout, code=code)
    assert (found["theorem"], found["engine"], found["verdict"]) == (HOLDS, "cvc5", verdict)
    assert bool(found["note"]) is (verdict != "agrees")
    assert verdict in shown


@pytest.mark.parametrize(
    ("said", "verdict", "code"),
    [
        ("echo c; echo s UNSATISFIABLE; exit 20", "agrees", 0),
        ("echo s SATISFIABLE; exit 10", "disagrees", 6),
        ("echo s SATISFIABLE; exit 20", "error", 4),
        ("echo s UNKNOWN", "undecided", 3),
        ("exit 20", "error", 4),
    ],
)
def test_a_solver_of_clauses(path, capsys, said, verdict, code):
    path("kissat", said)
    (found,), _ = asked(capsys, HOLDS, "--engine", "kissat", code=code)
    assert found["verdict"] == verdict


def test_who_is_absent_agrees_with_nothing(path, capsys):
    path("cvc5", "echo unsat")
    (one, two), shown = asked(capsys, HOLDS, "--engine", "kissat", "--engine", "cvc5", code=3)
    assert (one["verdict"], two["verdict"]) == ("absent", "agrees")
    assert "kissat is absent, and not asked: put it on the PATH\n" in shown


def test_without_a_pattern_it_says_about_how_many_it_asks(capsys, monkeypatch):
    monkeypatch.setattr(command, "selected", lambda patterns: [catalogue()[HOLDS]])
    _, shown = asked(capsys, "--engine", "kissat", code=3)
    assert shown.startswith("asking about all 1 theorems; name a PATTERN for fewer\n")


def test_one_lemma_that_is_contradicted_is_enough(path, capsys, tmp_path):
    """A disagreement outweighs what is undecided before it."""
    count = len(questions(catalogue()[COMPOSED], whole=False))
    assert count > 1
    seen = tmp_path / "seen"
    path("cvc5", f"echo >> {seen}\n[ $(wc -l < {seen}) = {count} ] && echo sat || echo unknown")
    (found,), _ = asked(capsys, COMPOSED, "--engine", "cvc5", code=6)
    assert (found["verdict"], found["questions"]) == ("disagrees", count)
    seen.unlink()
    (found,), _ = asked(capsys, COMPOSED, "--engine", "cvc5", "--whole", code=3)
    assert found["questions"] == 1


def test_of_a_promised_refutation_the_answer_is_a_model(path, capsys):
    name = next(o.name for o in catalogue().values() if o.expected is Outcome.REFUTED and o.engines)
    for said, code in (("sat", 0), ("unsat", 6)):
        path("cvc5", f"echo {said}")
        asked(capsys, name, "--engine", "cvc5", code=code)


def test_what_no_engine_is_asked_of_is_not_green(path, capsys):
    path("cvc5", "echo unsat")
    name = next(o.name for o in catalogue().values() if not o.engines)
    (found,), _ = asked(capsys, name, "--engine", "cvc5", code=3)
    assert found["verdict"] == "not asked"


def test_what_is_asked_is_the_claim(path, tmp_path):
    """Its file, read by z3; and its clauses, whatever solver has them."""
    (claim,) = questions(catalogue()[HOLDS], whole=True).values()
    for name, said in (("cvc5", "unsat"), ("kissat", "s UNSATISFIABLE")):
        path(name, f"for last; do :; done; cp $last {tmp_path}/{name}; echo {said}")
        assert opinion_named(name).ask(claim.negation, 30).status is Status.UNSATISFIABLE
        solver = z3.Solver()
        if name == "cvc5":
            solver.from_string((tmp_path / name).read_text())
        else:
            solver.from_file(os.fspath((tmp_path / name).rename(tmp_path / "question.dimacs")))
        assert solver.check() == z3.unsat


@pytest.mark.parametrize("name", [name for name, make in MAKES.items() if make.package])
def test_engines_of_other_makes(monkeypatch, name):
    """The packages themselves, where they are installed: of a theorem, and of its contrary."""
    if not find_spec(name):
        pytest.skip(f"needs {name}")
    monkeypatch.setenv("PATH", "/nowhere")
    (claim,) = questions(catalogue()[HOLDS], whole=True).values()
    engine = opinion_named(name)
    assert engine.ask(claim.negation, 60).status is Status.UNSATISFIABLE
    assert engine.ask((claim.goal,), 60).status is Status.SATISFIABLE
