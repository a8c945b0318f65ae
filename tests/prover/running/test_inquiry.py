"""Questions and answers: what was answered is not asked again, and no damage passes for an answer."""

import time
from dataclasses import replace

import msgspec
import pytest
from pysmt.shortcuts import BV, BVAdd, BVType, Equals, Not, NotEquals, Symbol

from spikeproof.prover.claims.obligation import BOTH, Claim, Obligation, Outcome
from spikeproof.prover.engines.engine import ENGINES, Answer
from spikeproof.prover.evidence.archive import Archive
from spikeproof.prover.evidence.cache import Cache
from spikeproof.prover.evidence.record import Status
from spikeproof.prover.running import inquiry as inquiry_module
from spikeproof.prover.running.discharge import discharge
from spikeproof.prover.running.inquiry import Inquiry, Keeping
from tests.support.engines import INSTALLED


@pytest.fixture
def cache(tmp_path):
    return Cache(tmp_path / "cache")


def formulas(number=5):
    """That cannot be satisfied together, with a symbol that can be anything."""
    x, y = (Symbol(name, BVType(8)) for name in "xy")
    return Equals(BVAdd(x, y), BV(number, 8)), NotEquals(BVAdd(y, x), BV(number, 8))


def ask(keeping, asked=None, engines=BOTH, kind="claim", name="a lemma"):
    """The statuses by engine, and the lemma."""
    inquiry = Inquiry(engines, keeping)
    questions = inquiry.questions(name, kind, asked or formulas())
    said = {q.engine: a.status for q, a in inquiry.answers(questions, time.perf_counter() + 60)}
    (lemma,) = inquiry.lemmas()
    return said, lemma


@pytest.fixture
def counted(monkeypatch):
    """The engines that were truly asked, in order."""
    asked = []
    for name, engine in [(name, ENGINES[name]) for name in INSTALLED]:

        def check(formulas, timeout, name=name, engine=engine):
            asked.append(name)
            return engine.check(formulas, timeout)

        monkeypatch.setitem(ENGINES, name, replace(engine, check=check))
    return asked


def stop(monkeypatch):
    """From here on no engine may be asked."""

    def check(*_):
        raise AssertionError("asked again")

    for name, engine in [(name, ENGINES[name]) for name in INSTALLED]:
        monkeypatch.setitem(ENGINES, name, replace(engine, check=check))


def files(directory):
    return {path: path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def satisfiable():
    return (Not(formulas()[1]),)


@pytest.mark.parametrize("asked", [formulas, satisfiable])
def test_what_was_answered_is_not_asked_again(cache, monkeypatch, asked):
    keeping = Keeping(cache.archive, cache)
    first = ask(keeping, asked())
    assert first[1].certificates
    assert all(cache.archive.holds(certificate) for certificate in first[1].certificates)
    stop(monkeypatch)
    assert ask(keeping, asked()) == first


def test_a_refutation_from_the_cache_is_the_same_and_replays(cache, monkeypatch):
    def state(_):
        x = Symbol("x", BVType(8))
        return Claim({"x": x}, NotEquals(x, BV(77, 8)))

    obligation = Obligation("an.obligation", "a statement", state, expected=Outcome.REFUTED)
    keeping = Keeping(cache.archive, cache)
    first = discharge(obligation, keeping=keeping)
    stop(monkeypatch)
    second = discharge(obligation, keeping=keeping)
    assert first.green
    assert second.counterexample == first.counterexample == {"x": 77}
    assert second.lemmas == first.lemmas


def poisoned(content):
    yield content[:-1]
    yield content[: len(content) // 2]
    yield b""
    yield content.replace(b"unsatisfiable", b"satisfiable")
    yield content.partition(b"\n")[2]
    yield b"0" * 64 + b"\n" + content.partition(b"\n")[2]


def test_a_damaged_answer_is_asked_for_again(cache, counted):
    keeping = Keeping(cache.archive, cache)
    first = ask(keeping)
    for path, whole in files(cache.directory / "v1" / "answers").items():
        for damaged in poisoned(whole):
            path.write_bytes(damaged)
            counted.clear()
            said, lemma = ask(keeping)
            assert said == first[0]
            assert lemma.certificates == first[1].certificates
            assert len(counted) == 1
            counted.clear()
            assert ask(keeping)[0] == first[0]
            assert counted == []


def test_an_answer_cannot_be_moved_to_another_question(cache, counted):
    keeping = Keeping(cache.archive, cache)
    ask(keeping, engines=("cadical",))
    (path,) = files(cache.directory / "v1" / "answers")
    content = path.read_bytes()
    path.unlink()
    assert ask(keeping, satisfiable(), engines=("cadical",))[0] == {"cadical": Status.SATISFIABLE}
    (other,) = files(cache.directory / "v1" / "answers")
    other.write_bytes(content)
    assert ask(keeping, satisfiable(), engines=("cadical",))[0] == {"cadical": Status.SATISFIABLE}
    assert counted == ["cadical"] * 3


@pytest.mark.parametrize("damage", ["missing", "truncated", "other"])
def test_an_answer_without_its_certificate_is_asked_for_again(cache, counted, damage):
    keeping = Keeping(cache.archive, cache)
    first = ask(keeping)
    for path, content in files(cache.archive.directory).items():
        if damage == "missing":
            path.unlink()
        else:
            path.write_bytes(content[:-3] if damage == "truncated" else b"other")
    counted.clear()
    assert ask(keeping)[0] == first[0]
    assert sorted(counted) == sorted(BOTH)
    assert all(cache.archive.holds(certificate) for certificate in first[1].certificates)


def test_a_read_only_cache_is_read_and_never_written(cache, tmp_path, counted):
    ask(Keeping(cache.archive, cache))
    before = files(cache.directory)
    log = Archive(tmp_path / "log")
    keeping = Keeping(log, replace(cache, read_only=True))
    counted.clear()
    known, new = ask(keeping)[1], ask(keeping, formulas(6))[1]
    assert sorted(counted) == sorted(BOTH)  # for the new question alone
    assert files(cache.directory) == before
    for certificate in (*known.certificates, *new.certificates):
        assert log.holds(certificate)


def test_without_cache_and_archive_nothing_is_written(tmp_path):
    said, lemma = ask(Keeping())
    assert set(said.values()) == {Status.UNSATISFIABLE}
    assert {certificate.kind for certificate in lemma.certificates} == {"drat", "smtlib"}
    assert files(tmp_path) == {}


def test_an_archive_alone_takes_the_certificates(tmp_path):
    archive = Archive(tmp_path / "archive")
    _, lemma = ask(Keeping(archive))
    assert all(archive.holds(certificate) for certificate in lemma.certificates)
    assert len(files(tmp_path)) == len(lemma.certificates)


def test_certificates_come_in_the_same_form_each_time(tmp_path):
    assert ask(Keeping())[1].certificates == ask(Keeping(Archive(tmp_path)))[1].certificates


@pytest.mark.parametrize("change", ["version", "options", "name"])
def test_another_engine_has_not_answered(cache, counted, monkeypatch, change):
    keeping = Keeping(cache.archive, cache)
    ask(keeping)
    engine = ENGINES["z3"]
    monkeypatch.setitem(ENGINES, "z3", replace(engine, use=replace(engine.use, **{change: "another"})))
    counted.clear()
    ask(keeping)
    assert counted == ["z3"]


def test_another_question_was_not_answered(cache, counted, monkeypatch):
    keeping = Keeping(cache.archive, cache)
    ask(keeping)
    for others in ({"asked": formulas(6)}, {"asked": formulas()[::-1]}, {"kind": "assumptions"}):
        counted.clear()
        ask(keeping, **others)
        assert sorted(counted) == sorted(BOTH), others
    counted.clear()
    ask(keeping, name="the same by another name")
    assert counted == []
    monkeypatch.setattr(inquiry_module, "engines_sha256", lambda: "another source")
    ask(keeping)
    assert sorted(counted) == sorted(BOTH)


@pytest.mark.parametrize("status", [Status.UNKNOWN, Status.TIMEOUT])
def test_what_is_undecided_is_asked_again(cache, monkeypatch, status):
    keeping = Keeping(cache.archive, cache)
    engine = ENGINES["z3"]
    undecided = replace(engine, check=lambda *_: Answer(status, reason="so it is"))
    with monkeypatch.context() as patch:
        patch.setitem(ENGINES, "z3", undecided)
        said, lemma = ask(keeping, engines=("z3",))
        assert said == {"z3": status}
        assert lemma.replies[0].status == status.value
    assert ask(keeping, engines=("z3",))[0] == {"z3": Status.UNSATISFIABLE}


def test_a_kept_answer_is_of_one_form():
    """What is sealed is ours, and of this source; a file of another form would be an error of ours."""
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b'{"status": "sure"}', type=inquiry_module.Said)


def test_what_another_inquiry_was_told_is_not_asked_again(counted):
    said = {}
    for _ in range(2):
        inquiry = Inquiry(("z3",), Keeping(), said)
        questions = inquiry.questions("a lemma", "claim", formulas())
        ((_, answer),) = inquiry.answers(questions, time.perf_counter() + 60)
        assert answer.status is Status.UNSATISFIABLE
        assert inquiry.lemmas()[0].replies[0].status == "unsatisfiable"
    assert counted == ["z3"]
