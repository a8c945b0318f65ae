"""Checkers that are proved to be right: they accept our proofs with reasons, and no damaged one."""

import sys
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings

from spikeproof.prover.checking import acl2, checkers
from spikeproof.prover.checking.acl2 import DEBIAN, Acl2, Acl2Error
from spikeproof.prover.checking.checkers import CheckError, by_acl2, by_cake_lpr, by_dratify
from spikeproof.prover.checking.lrat import as_text, elaborated
from spikeproof.prover.encoding.bitblast import dimacs_file
from spikeproof.prover.encoding.drat import ADDITION, ProofError, encoded
from spikeproof.prover.evidence.record import Status
from tests.prover.engines.test_clausal_proof import FORMULAS, PIGEONS, answer, joined, pigeons_proof
from tests.support.installed import needs
from tests.support.profile import NIGHTLY

NEEDED = (DEBIAN, "acl2")


@cache
def pigeons():
    """The proof about pigeons, with its reasons."""
    return elaborated(PIGEONS, pigeons_proof())


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Puts a program of Python on the PATH, and nothing else."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))

    def make(name, text):
        (folder / name).write_text(f"#!{sys.executable}\n{text}\n")
        (folder / name).chmod(0o755)

    return make


# --- LRAT, by its definition ----------------------------------------------------------------------


def accepted(clauses, text):
    """Whether a proof in plain LRAT refutes clauses: each reason in turn leaves one literal open."""
    known = {number: set(clause) for number, clause in enumerate(clauses, 1)}
    for line in text.splitlines():
        first, *words = line.split()
        if words[0] == "d":
            for word in words[1:-1]:
                del known[int(word)]
            continue
        numbers = [int(word) for word in words]
        middle = numbers.index(0)
        clause, reasons = numbers[:middle], numbers[middle + 1 : -1]
        assert int(first) > max(known, default=0)
        false = set(clause)
        for reason in reasons:
            if reason not in known or any(-literal in false for literal in known[reason]):
                return False
            remaining = known[reason] - false
            if len(remaining) > 1:
                return False
            false |= {-literal for literal in remaining}
            if not remaining:
                break
        else:
            return False
        if not clause:
            return True
        known[int(first)] = set(clause)
    return False


@settings(max_examples=100 if NIGHTLY else 40)
@given(FORMULAS)
def test_reasons_of_a_random_proof(clauses):
    said = answer(clauses)
    if said.status is Status.UNSATISFIABLE:
        assert accepted(clauses, as_text(elaborated(clauses, said.proof)))


TRUE_ALREADY = [[1], [-1, 2], [-2, 3, 4], [-2, 3, -4], [-3, 5], [-3, -5]]
"""Clauses of which the first two say what holds."""


def true_already():
    """A proof that adds a clause of two literals that hold, and deletes why they do."""
    return joined([("a", (2, 0)), ("d", (0,)), ("d", (1, 2)), ("a", (4,)), ("a", ())])


def test_what_is_true_already_stays_and_is_a_reason_in_order():
    """Found on a divider: the reasons for one literal rested on the other, which is denied there."""
    by_dratify(TRUE_ALREADY, true_already())
    assert accepted(TRUE_ALREADY, as_text(elaborated(TRUE_ALREADY, true_already())))


@pytest.mark.parametrize(
    ("clauses", "steps", "reason"),
    [
        ([[1, 2]], [("a", ())], "line 2 does not follow"),
        ([[1, 2], [-1, 2]], [], "the empty clause does not follow"),
        ([[1, 2], [-1, 2]], [("a", (0,)), ("a", ())], "line 2 does not follow"),
        ([[1, 2], [-1, 2], [1, -2], [-1, -2]], [("a", (2,))], "line 2 does not follow"),
    ],
)
def test_what_does_not_follow_has_no_reasons(clauses, steps, reason):
    """Each is without its first clause."""
    with pytest.raises(ProofError, match=reason):
        elaborated(clauses, joined([("d", (0, 2)), *steps]))


def test_a_variable_of_its_own_makes_no_work():
    with pytest.raises(ProofError, match="has a variable that the clauses have not"):
        elaborated([[1, 2]], joined([("a", (1 << 34,))]))


# --- ACL2 -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module", autouse=True)
def sessions_end():
    """None is left behind."""
    yield
    for session in checkers._sessions.values():
        session.end()
    checkers._sessions.clear()


def refusal(folder, clauses, numbers):
    """What speaks against a proof in binary LRAT, by ACL2; nothing if it is accepted."""
    formula, proof, refuted = (folder / name for name in ("cnf", "lrat", "refuted"))
    formula.write_bytes(dimacs_file(clauses))
    proof.write_bytes(encoded(numbers))
    refuted.unlink(missing_ok=True)
    session = Acl2()
    try:
        session.refute(formula, proof, refuted)
    except Acl2Error as error:
        assert not refuted.exists()
        return str(error)
    session.end()
    assert refuted.read_bytes() == formula.read_bytes()
    return ""


def test_a_proof_after_another_is_accepted():
    needs(*NEEDED)
    by_acl2(PIGEONS, pigeons_proof())
    (session,) = checkers._sessions.values()
    by_acl2(TRUE_ALREADY, true_already())
    assert list(checkers._sessions.values()) == [session]


def places(numbers):
    """Where in a proof its lemmas have literals, and where reasons: the last ones."""
    ends = np.flatnonzero(numbers == 0)
    starts = [0, *(ends + 1).tolist()]
    literals, reasons = [], []
    line = 0
    while line < len(ends):
        if numbers[starts[line]] == ADDITION:
            literals += range(starts[line] + 2, ends[line])
            reasons += range(starts[line + 1], ends[line + 1])
            line += 1
        line += 1
    return literals, reasons


def flipped(numbers):
    """With a literal flipped, of several lemmas."""
    for place in places(numbers)[0]:
        other = numbers.copy()
        other[place] ^= 1
        yield other


def with_a_reason_less(numbers):
    return (np.delete(numbers, place) for place in places(numbers)[1])


@pytest.mark.parametrize("damaged", [flipped, with_a_reason_less])
def test_a_damaged_proof_is_refused(damaged, tmp_path):
    needs(*NEEDED)
    wrong = [each for each in damaged(pigeons()) if not accepted(PIGEONS, as_text(each))]
    assert len(wrong) > 10
    for numbers in wrong[:: len(wrong) // 2]:
        assert "does not accept the proof: " in refusal(tmp_path, PIGEONS, numbers)


def test_a_proof_of_other_clauses_is_refused(tmp_path):
    needs(*NEEDED)
    assert refusal(tmp_path, PIGEONS, pigeons()) == ""
    assert "does not accept" in refusal(tmp_path, TRUE_ALREADY, pigeons())
    assert "does not accept" in refusal(tmp_path, PIGEONS, pigeons()[:-30])


@pytest.mark.parametrize(
    ("said", "instead"),
    [
        ("(not (satisfiable formula))", "(consp formula)"),
        ("incremental/run", "incremental/walk"),
    ],
)
def test_another_theorem_or_no_book_is_refused(said, instead, tmp_path, monkeypatch):
    needs(*NEEDED)
    script = acl2.SCRIPT.read_text()
    assert said in script
    (tmp_path / "acl2.lisp").write_text(script.replace(said, instead))
    monkeypatch.setattr(acl2, "SCRIPT", tmp_path / "acl2.lisp")
    with pytest.raises(Acl2Error, match="has not the book"):
        Acl2()


# --- programs that say other things ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("acts", "reason"),
    [
        ("", "has not the book"),
        ("print('ready'); answered()", "does not accept the proof: it ended"),
        ("print('ready'); answered(); answered()", "does not accept the proof: "),
        (
            "print('ready'); answered(); print('c s VERIFIED'); answered()",
            "does not accept the proof: c s",
        ),
        ("print('ready'); answered(); print('s VERIFIED'); answered()", "but of other clauses"),
        ("print('ready'); answered(); print('s VERIFIED\\ns VERIFIED'); answered()", "does not accept"),
        (
            "print('ready'); answered(); time.sleep(60)",
            "does not accept the proof: it ended, or was ended",
        ),
    ],
)
def test_acl2_must_say_so(program, monkeypatch, acts, reason):
    checkers._sessions.clear()
    monkeypatch.setattr(acl2, "SECONDS", 2.0)
    answered = "answered = lambda: print('; read', flush=True)"
    program("acl2", f"import time; {answered}; {acts}")
    with pytest.raises(CheckError, match=reason):
        by_acl2(PIGEONS, pigeons_proof())
    assert checkers._sessions == {}


def test_acl2_that_is_not_there_is_asked_for(program):
    checkers._sessions.clear()
    with pytest.raises(CheckError, match="install acl2 acl2-books"):
        by_acl2(PIGEONS, pigeons_proof())


def test_cake_lpr_is_given_text_and_must_say_so(program, tmp_path):
    copy = f"import shutil, sys; [shutil.copy(f, '{tmp_path}') for f in sys.argv[1:]]"
    program("cake_lpr", f"{copy}; print('s VERIFIED UNSAT')")
    by_cake_lpr(PIGEONS, pigeons_proof())
    assert (tmp_path / "cnf").read_bytes() == dimacs_file(PIGEONS)
    text = (tmp_path / "lrat").read_text()
    assert text == as_text(pigeons())
    assert accepted(PIGEONS, text)
    program("cake_lpr", "print('c empty clause not derived at end of proof')")
    with pytest.raises(CheckError, match="cake_lpr does not accept the proof: c empty clause"):
        by_cake_lpr(PIGEONS, pigeons_proof())


@pytest.mark.parametrize("checker", [by_acl2, by_cake_lpr])
def test_a_wrong_proof_is_refused_before(checker):
    with pytest.raises(CheckError, match="the proof has no reasons: "):
        checker(PIGEONS[1:], pigeons_proof())
