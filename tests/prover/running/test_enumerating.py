"""An enumeration on a cluster: the same record as by threads, and nothing false is believed."""

import os
import signal
from dataclasses import replace

import msgspec
import pytest

from spikeproof.circuits.doors.json import write_json
from spikeproof.prover.claims.catalogue import theorem
from spikeproof.prover.engines.pool import LOST
from spikeproof.prover.refutation import exhaustion
from spikeproof.prover.refutation.exhaustion import Chunk, enumerate_all, identity_of
from spikeproof.prover.refutation.mutation import stuck_at_zero
from spikeproof.prover.running import enumerating
from spikeproof.prover.running.cluster import ClusterError, connected
from spikeproof.prover.running.enumerating import Asked, ChunksOn, Said, accepted, answer
from tests.support.command_line import spikeproof

PRODUCT = "fp6_e2m3.multiply.rne.saturate"
SIZE = 1 << 8


def wrong_circuit():
    netlist = theorem(PRODUCT).circuit()
    return stuck_at_zero(netlist, netlist.input_count + 40).netlist


def asked(number=3, circuit=None, size=SIZE):
    obligation = theorem(PRODUCT)
    identity = identity_of(obligation, obligation.circuit(), ("spec",))
    return Asked(msgspec.json.encode(identity), circuit, number, size)


def same(record):
    """What does not depend on times and machine."""
    return replace(record, seconds=0.0, threads=0, peak_memory_mib=0.0)


class Dying:
    """A cluster of this machine, one of whose processes is killed when the first chunk has come."""

    def __init__(self, workers):
        self.workers = workers

    def results(self, work, tasks, lost):
        ((_, pid),) = self.workers.results(os.getpid, {"one": ()}, str)
        for count, found in enumerate(self.workers.results(work, tasks, lost)):
            if not count:
                os.kill(pid, signal.SIGKILL)
            yield found


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # to fork in a process with threads
def test_a_cluster_finds_what_threads_find(tmp_path, monkeypatch):
    """Of a right circuit and a wrong one, with a process killed; and what was done is not done again."""
    pytest.importorskip("distributed", reason="Dask needs Python 3.11")
    monkeypatch.setattr(exhaustion, "CHUNK", SIZE)
    obligation, checkpoint, done = theorem(PRODUCT), tmp_path / "checkpoint", []
    with connected("local", 2) as workers:
        assert workers.threads == 2
        for circuit in (None, wrong_circuit()):
            given = (obligation, circuit or obligation.circuit(), ("spec",), 2)
            doing = ChunksOn(Dying(workers), circuit)
            found = enumerate_all(*given, checkpoint, lambda *what: done.append(what), elsewhere=doing)
            assert same(found) == same(enumerate_all(*given))
            assert bool(found.failures) == bool(circuit)
    assert done == [(0, True), *[(SIZE, False)] * 16] * 2
    assert same(enumerate_all(*given, checkpoint, elsewhere=None)) == same(found)


def test_what_is_sealed_with_our_key_is_not_done_again(monkeypatch):
    task = asked()
    said = answer(task)
    monkeypatch.setattr(enumerating, "_enumeration", None)
    assert accepted(task, said).failures == (0,)


def changed(said, **fields):
    """With a seal of somebody else's."""
    chunk = replace(msgspec.json.decode(said.chunk, type=Chunk), **fields)
    return Said(msgspec.json.encode(chunk), "0" * 64)


def test_what_somebody_else_sealed_is_done_again(monkeypatch):
    monkeypatch.setenv("SPIKEPROOF_SEAL", "theirs")
    task = asked()
    said = answer(task)
    monkeypatch.setenv("SPIKEPROOF_SEAL", "ours")
    assert accepted(task, said) == msgspec.json.decode(said.chunk, type=Chunk)


LIES = {
    "nothing": lambda said: Said(),
    "no chunk": lambda said: replace(said, chunk=b"[1]"),
    "other outputs": lambda said: changed(said, digest="0" * 64),
    "failures": lambda said: changed(said, failures=(1,)),
    "failing inputs": lambda said: changed(said, first=((0,),)),
    "of another chunk": lambda said: answer(asked(4)),
    "of other sizes": lambda said: answer(asked(size=SIZE << 1)),
    "no seal": lambda said: replace(changed(said, failures=(7,)), seal="é"),
}


@pytest.mark.parametrize("lie", LIES)
def test_nothing_false_is_believed(lie):
    task = asked()
    with pytest.raises(ClusterError, match="what a worker sent of chunk 3 does not hold"):
        accepted(task, LIES[lie](answer(task)))


def test_a_worker_of_another_source_says_so():
    task = asked()
    identity = msgspec.json.decode(task.identity, type=exhaustion.Identity)
    for field, name in (
        ("source_sha256", "source"),
        ("netlist_sha256", "circuit"),
        ("processor", "processor"),
        ("versions", "versions"),
    ):
        other = replace(identity, **{field: {} if field == "versions" else "another"})
        said = answer(replace(task, identity=msgspec.json.encode(other)))
        assert said.trouble == f"a worker has another {name}"
    with pytest.raises(ClusterError, match=f"chunk 3: {LOST[:20]}"):
        accepted(task, Said(trouble=LOST))


def test_the_command_says_what_it_says_without(tmp_path):
    pytest.importorskip("distributed", reason="Dask needs Python 3.11")
    write_json(wrong_circuit(), tmp_path / "wrong.json")
    given = ("exhaust", PRODUCT, "--circuit", tmp_path / "wrong.json", "--log", tmp_path / "log")
    runs = [spikeproof(*given), spikeproof(*given, "--cluster", "local", "--threads", 1)]
    assert [run.returncode for run in runs] == [1, 1], runs[1].stderr
    assert runs[1].stderr == runs[0].stderr
    here, there = (
        [line for line in run.stdout.splitlines() if "evaluations/s" not in line] for run in runs
    )
    assert here == there


def test_a_device_and_a_cluster_are_refused():
    run = spikeproof("exhaust", PRODUCT, "--cluster", "local", "--device", "cpu")
    assert (run.returncode, run.stderr.count("\n")) == (2, 1)
    assert "--cluster and --device" in run.stderr
