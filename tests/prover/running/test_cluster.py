"""Theorems on a cluster: the same log as on one machine, whoever dies or lies meanwhile."""

import os
import re
import signal
import subprocess
import sys
from collections import Counter
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from gzip import compress

import msgspec
import pytest

from benchmarks import cluster_kills
from benchmarks.cluster_kills import DisturbedError, require_alike
from spikeproof.prover.claims.catalogue import select, theorem, with_units
from spikeproof.prover.claims.obligation import Outcome
from spikeproof.prover.engines.pool import LOST
from spikeproof.prover.evidence.archive import Parcel
from spikeproof.prover.evidence.cache import Cache
from spikeproof.prover.evidence.log import Log, read_log
from spikeproof.prover.evidence.record import CACHED, Record, file_content
from spikeproof.prover.evidence.seal import is_sealed, sealed
from spikeproof.prover.evidence.source import source_sha256, versions
from spikeproof.prover.running import cluster
from spikeproof.prover.running.cluster import Cluster, ClusterError, Reply, Task, connected, discharge_on
from spikeproof.prover.running.run import Run
from tests.support.command_line import spikeproof
from tests.support.profile import NIGHTLY

distributed = pytest.importorskip("distributed", reason="Dask needs Python 3.11")

PROVED, REFUTED = "cell.ionic.xor", "margin.ionic.xor.noise.above"
PROGRAM = "program.fp16.embedding.rne.100x16"
THEOREMS = [each.name for each in select("cell.ionic.*")]


@pytest.fixture
def log(tmp_path):
    return Log.begin(tmp_path / "log", command="a test", profile="part", promised=1)


def asked(name, **others):
    task = Task(name, 60.0, False, source_sha256(), versions())
    return replace(task, **others)


@pytest.fixture(scope="module")
def answered(tmp_path_factory):
    """What an honest worker with a key of its own says."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPIKEPROOF_STATE", str(tmp_path_factory.mktemp("worker")))
        patch.setenv("SPIKEPROOF_CACHE", str(tmp_path_factory.mktemp("cache")))
        return {name: cluster.answer(asked(name), []) for name in (PROVED, REFUTED)}


def accepted(name, reply, log, cache=None):
    return cluster._accepted(theorem(name), Run(60.0, log=log, cache=cache), reply)


def test_a_fork_server_knows_its_source_before_it_forks(monkeypatch):
    """Else children forked later would seal, for the files of then, what the modules of now found."""
    known = []
    source_sha256.cache_clear()
    monkeypatch.setattr(cluster, "serve", lambda line: known.append(source_sha256.cache_info()))
    ours, theirs = os.pipe()
    cluster.serving(os.dup(ours))
    os.close(ours), os.close(theirs)
    assert known[0].currsize > 0


@pytest.mark.parametrize("name", [PROVED, REFUTED])
def test_what_verifies_is_accepted_and_sealed_with_our_key(answered, log, tmp_path, name):
    sent = msgspec.json.decode(answered[name].record, type=Record)
    assert not is_sealed(sent)
    cache = Cache(tmp_path / "mine")
    found = accepted(name, answered[name], log, cache)
    assert found.green
    assert replace(found.record, seal="") == replace(sent, seal="")
    assert log.record(name) == cache.record(name) == found.record


def test_what_is_sealed_with_our_secret_is_not_checked_again(log, monkeypatch):
    monkeypatch.setenv("SPIKEPROOF_SEAL", "a secret that machines share")
    reply = cluster.answer(asked(PROVED), [])
    monkeypatch.setattr(cluster, "Verifier", None)
    assert accepted(PROVED, reply, log).green


def changed(reply, **fields):
    data = msgspec.json.decode(reply.record) | fields
    return replace(reply, record=file_content(msgspec.convert(data, Record)))


LIES = {
    "nothing": (lambda sent: Reply(b""), "is no record"),
    "no record": (lambda sent: Reply(b"[1, 2]"), "is no record"),
    "another theorem": (
        lambda sent: changed(sent, theorem="cell.ionic.and"),
        "record of another theorem",
    ),
    "another package": (lambda sent: changed(sent, package="theirs"), "record of another package"),
    "another source": (lambda sent: changed(sent, source_sha256="0" * 64), "record of another source"),
    "another promise": (lambda sent: changed(sent, expected="refuted"), "record of another expected"),
    "another seed": (lambda sent: changed(sent, seed=1), "record of another seed"),
    "a note": (lambda sent: changed(sent, notes=["assumed"]), "record of another notes"),
    "undecided, as promised": (
        lambda sent: changed(sent, outcome="timeout", expected="timeout"),
        "record of another expected",
    ),
    "refuted": (
        lambda sent: changed(sent, outcome="refuted", counterexample={"a": 0, "b": 0}, lemmas=[]),
        "does not verify",
    ),
    "another statement": (
        lambda sent: changed(sent, statement="it is right"),
        "record of another statement",
    ),
    "without lemmas": (lambda sent: changed(sent, lemmas=[]), "does not verify"),
    "without certificates": (lambda sent: replace(sent, certificates={}), "sent no certificate"),
    "other certificates": (
        lambda sent: replace(sent, certificates=dict.fromkeys(sent.certificates, compress(b"a proof"))),
        "or another",
    ),
    "what is not compressed": (
        lambda sent: replace(sent, certificates=dict.fromkeys(sent.certificates, b"a proof")),
        "or another",
    ),
    "a trouble": (lambda sent: Reply(trouble="no memory"), "no memory"),
}


@pytest.mark.parametrize("lie", LIES)
def test_nothing_false_is_believed(answered, log, tmp_path, lie):
    lying, reason = LIES[lie]
    cache = Cache(tmp_path / "mine")
    found = accepted(PROVED, lying(answered[PROVED]), log, cache)
    assert found.outcome is Outcome.ERROR
    assert reason in found.message
    assert not log.record(PROVED)
    assert not cache.record(PROVED)


def test_a_seal_for_another_circuit_is_none_for_the_own_one(tmp_path, log):
    """It was once proved of a circuit that was given, here, and sealed with our key."""
    circuit = theorem(PROVED).circuit()
    record = Run(60.0, circuit=circuit).discharge(theorem(PROVED)).record
    assert is_sealed(record)
    found = accepted(PROVED, Reply(file_content(record)), log)
    assert (found.outcome, found.message) == (
        Outcome.ERROR,
        "a worker sent a record of another statement",
    )
    alike = sealed(replace(record, statement=theorem(PROVED).statement))
    found = accepted(PROVED, Reply(file_content(alike)), log)
    assert found.message == "a worker sent a record of another parameters"


@pytest.mark.parametrize("outcome", ["timeout", "unknown", "error"])
def test_of_what_is_not_decided_nothing_else_is_taken(answered, log, outcome):
    sent = changed(answered[PROVED], outcome=outcome, message="too slow")
    found = accepted(PROVED, sent, log)
    assert (found.outcome.value, found.message, found.green, found.lemmas) == (
        outcome,
        "too slow",
        False,
        (),
    )


def test_what_is_not_decided_is_said_to_be(log, answered):
    sent = changed(answered[PROVED], outcome="timeout", lemmas=[], message="too slow")
    assert accepted(PROVED, replace(sent, certificates={}), log).outcome is Outcome.TIMEOUT


def test_a_worker_of_another_source_says_so():
    assert "another source" in cluster.answer(asked(PROVED, source="0" * 64), []).trouble
    assert "other versions" in cluster.answer(asked(PROVED, libraries={"z3-solver": "1"}), []).trouble


def test_a_worker_uses_its_cache_if_it_may(tmp_path):
    cluster.answer(asked(PROVED, cached=True), [])
    assert cluster.answer(asked(PROVED, cached=True), []).origin == CACHED
    assert not cluster.answer(asked(PROVED), []).origin


def test_a_cluster_here_writes_the_log_that_processes_write(tmp_path):
    """With a program, whose units other workers prove, and with a worker killed."""
    names = [each.name for each in with_units([*map(theorem, THEOREMS), theorem(PROGRAM)])]
    logs = [tmp_path / "alone", tmp_path / "together"]
    for place in logs:
        log = Log.begin(place, command="a test", profile="part", promised=len(names))
        run = Run(60.0, log=log)
        if place == logs[0]:
            records = [run.discharge(theorem(name)) for name in names]
        else:
            records = []
            with connected("local", 2) as workers:
                ((_, pid),) = workers.results(os.getpid, {"one": ()}, str)
                assert pid != os.getpid()
                for number, record in enumerate(discharge_on(workers, names, run)):
                    records.append(record)
                    if number == 2:
                        os.kill(pid, signal.SIGKILL)
        log.end(discharged=sum(each.green for each in records), complete=True)
        assert all(each.green for each in records), [each.message for each in records]
    require_alike(*logs)


@dataclass
class Told:
    """A cluster, whose workers say of each theorem what they are told to; the last first.

    Of what they are told nothing they die; or, if they are not whole, they leave it out.
    """

    said: dict[str, Reply]
    whole: bool = True
    asked: list[tuple[str, ...]] = field(default_factory=list)

    def results(self, work, tasks, lost):
        for names in reversed(tasks):
            self.asked.append(names)
            said = {name: self.said[name] for name in names if name in self.said}
            yield names, lost(names) if self.whole and len(said) < len(names) else said


def test_a_program_does_not_stand_without_its_units(log, tmp_path):
    """Though a worker with our key says so."""
    program = "program.fp16.dot.rne.4.sequential"
    names = [each.name for each in with_units([theorem(program)])]
    cache = Cache(tmp_path / "cache")
    said = {}
    for name in names:
        found = Run(300.0, cache=cache).discharge(theorem(name))
        parcel = Parcel()
        for each in found.certificates:
            parcel.adopt(each, cache.archive)
        said[name] = Reply(file_content(found.record), parcel.files)
    assert {each.outcome for each in discharge_on(Told(said), names, Run(300.0, log=log))} == {
        Outcome.PROVED
    }
    lost = said | {names[0]: Reply(trouble=LOST)}
    (log.directory / "records" / f"{names[0]}.json").unlink()  # the program's is there still
    found = {each.theorem: each for each in discharge_on(Told(lost), names, Run(300.0, log=log))}
    assert found[program].outcome is Outcome.ERROR
    assert found[program].message == f"it rests on {names[0]}, which is not proved here"


def test_what_dies_with_others_is_asked_for_alone(answered, log):
    """One kills whoever takes it; those of its batch are not lost with it."""
    others = [name for name in THEOREMS if name != PROVED][:2]
    told = Told({name: cluster.answer(asked(name), []) for name in others})
    found = {each.theorem: each for each in discharge_on(told, [PROVED, *others], Run(60.0, log=log))}
    assert {name for name, each in found.items() if each.green} == set(others)
    assert found[PROVED].message == LOST
    assert Counter(map(len, told.asked)) == {3: 1, 1: 3}


@pytest.mark.parametrize("answered", [2, 0])
def test_what_a_worker_leaves_out_is_asked_for_alone(log, answered):
    """Then it is an error of that theorem, and of no other."""
    others = [name for name in THEOREMS if name != PROVED][:2]
    told = Told({name: cluster.answer(asked(name), []) for name in others[:answered]}, whole=False)
    found = {each.theorem: each for each in discharge_on(told, [PROVED, *others], Run(60.0, log=log))}
    assert {name for name, each in found.items() if each.green} == set(told.said)
    assert all(each.message == LOST for each in found.values() if not each.green)
    assert found[PROVED].outcome is Outcome.ERROR
    assert Counter(map(len, told.asked)) == {3: 1, 1: 3 - len(told.said)}


def test_what_a_worker_answers_that_was_not_asked_is_not_kept(answered, log):
    class Talkative(Told):
        def results(self, work, tasks, lost):
            yield from ((names, self.said) for names in tasks)

    (found,) = discharge_on(Talkative(answered), [PROVED], Run(60.0, log=log))
    assert (found.theorem, found.outcome) == (PROVED, Outcome.PROVED)
    assert log.record(REFUTED) is None


def dying():
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_process_that_dies_of_its_task_is_no_loss_to_the_next():
    with connected("local", 1) as workers:
        assert list(workers.results(dying, {"one": ()}, str.upper)) == [("one", "ONE")]
        assert dict(workers.results(divmod, {1: (7, 2), 2: (9, 4)}, str)) == {1: (3, 1), 2: (2, 1)}
        with pytest.raises(ZeroDivisionError):
            list(workers.results(divmod, {1: (7, 0)}, str))
        asked = {"one": (signal.SIGINT,)}  # a terminal interrupts all that run there
        assert list(workers.results(signal.getsignal, asked, str)) == [("one", signal.SIG_IGN)]
        assert signal.getsignal(signal.SIGINT) != signal.SIG_IGN


class Dying:
    """A client, its scheduler, and a future of its: three workers died of the task."""

    status = "running"
    scheduler_comm = None

    @property
    def scheduler(self):
        return self

    def submit(self, *_, **__):
        return self

    def add_done_callback(self, told):
        told(self)

    def result(self, _):
        raise distributed.KilledWorker("task", None, cluster.DEATHS)


def test_a_task_that_kills_whoever_takes_it_is_given_up(log, monkeypatch):
    monkeypatch.setattr(Cluster, "client", lambda *_: nullcontext(Dying()))
    (found,) = discharge_on(Cluster("nowhere", str), [PROVED], Run(60.0, log=log))
    assert (found.outcome, found.message) == (Outcome.ERROR, LOST)


def test_a_cluster_whose_workers_are_gone_is_given_up(monkeypatch):
    """As when its scheduler was killed and started again: workers leave with a scheduler."""
    monkeypatch.setattr(cluster, "ANSWERING", 0.5)
    monkeypatch.setattr(cluster, "DESERTED", 1)
    with (
        distributed.LocalCluster(n_workers=0, dashboard_address=None) as deserted,
        pytest.raises(ClusterError, match="has no workers; start some"),
    ):
        list(Cluster(deserted.scheduler_address, str).results(divmod, {1: (7, 2)}, str))


def test_nobody_answers(monkeypatch, tmp_path):
    monkeypatch.setattr(cluster, "ANSWERING", 0.2)
    with pytest.raises(ClusterError, match=r"no scheduler of Dask answers at 'tcp://127\.0\.0\.1:9'"):
        connected("tcp://127.0.0.1:9", None).__enter__()
    done = spikeproof("prove", PROVED, "--cluster", "nonsense://")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "no scheduler of Dask answers at 'nonsense://'" in done.stderr
    kept = ("--log", tmp_path / "kept")
    assert spikeproof("prove", PROVED, *kept).returncode == 0
    assert spikeproof("prove", REFUTED, "--cluster", "nonsense://", *kept).returncode == 2
    assert [each.theorem for each in read_log(tmp_path / "kept").records] == [PROVED]
    done = spikeproof("prove", PROVED, "--cluster", "local", "--circuit", "mine.json")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)


KILLS = int(os.environ.get("SPIKEPROOF_KILLS") or (1000 if NIGHTLY else 1))


def test_no_theorem_is_lost_or_gained_whoever_is_killed():
    """Killed at random moments, and started again, until the client ends after the last."""
    command = [sys.executable, "-m", "benchmarks.cluster_kills", "--kills", str(KILLS)]
    done = subprocess.run(command, capture_output=True, text=True)  # which has no threads, and forks
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(
        rf"{KILLS:,} kills \(.*\); [1-9].* ended with the undisturbed log\n", done.stdout
    )


@pytest.mark.parametrize("change", ["lost", "gained", "outcome"])
def test_a_log_that_kills_changed_is_told_from_one_undisturbed(tmp_path, monkeypatch, change):
    logs = {tmp_path / "log": {}, tmp_path / "undisturbed": {}}
    for log in logs.values():
        log |= {"one": {"outcome": "proved"}, "two": {"outcome": "refuted"}}
    monkeypatch.setattr(cluster_kills, "timeless", logs.get)
    require_alike(*logs)
    found, _ = logs.values()
    if change == "lost":
        del found["one"]
    elif change == "gained":
        found["three"] = found["one"]
    else:
        found["one"]["outcome"] = "refuted"
    with pytest.raises(DisturbedError, match=change):
        require_alike(*logs)
