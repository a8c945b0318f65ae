"""Whole runs, as users start them: log and cache are complete, or as complete as a killed run can be."""

import errno
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from spikeproof.prover.claims.catalogue import own, select, theorem, with_units
from spikeproof.prover.claims.obligation import Outcome
from spikeproof.prover.commands import cli
from spikeproof.prover.evidence.cache import Cache
from spikeproof.prover.evidence.ledger import ledger_path, read, unfulfilled, written
from spikeproof.prover.evidence.log import Log, LogError, read_log
from spikeproof.prover.evidence.seal import is_sealed
from spikeproof.prover.running import run as run_module
from spikeproof.prover.running.run import CACHED, CONTINUED, Run, discharge_all
from tests.support.profile import NIGHTLY

ROOT = Path(__file__).parents[3]
SEED = 20261123
CELLS = [obligation.name for obligation in select("cell.*")]
IONIC = [name for name in CELLS if name.startswith("cell.ionic.")]
COMMAND = [sys.executable, "-c", "from spikeproof.prover.commands.cli import main; main()", "prove"]


@pytest.fixture
def directory(tmp_path):
    """Of the log."""
    return tmp_path / "log"


@pytest.fixture
def cache(tmp_path):
    return Cache(tmp_path / "cache")


def begun(directory, names):
    return Log.begin(directory, command="a test", profile="part", promised=len(names))


def check(directory, names):
    """The log has all that it should, and nothing else."""
    contents = read_log(directory)
    assert contents.manifest.complete
    assert contents.manifest.finished
    assert contents.manifest.promised == contents.manifest.discharged == len(names)
    assert sorted(record.theorem for record in contents.records) == sorted(names)
    archive = Log(directory).archive
    for record in contents.records:
        assert record.green
        assert is_sealed(record)
        assert record.certificates
        assert all(archive.holds(certificate) for certificate in record.certificates)
    files = {path.name.partition(".")[0] for path in archive.directory.rglob("*") if path.is_file()}
    assert files == {each.sha256 for record in contents.records for each in record.certificates}
    assert unfulfilled(read(ledger_path()), contents.records, wide=False, whole=False) == []
    return contents


# --- from Python --------------------------------------------------------------------------------


def never(*_, **__):
    raise AssertionError("proved again")


def test_a_run_keeps_all_in_log_and_cache_and_proves_nothing_twice(directory, cache, monkeypatch):
    names = [*IONIC, "fp6_e3m2.sticky_extra_multiply.rne.saturate.without_round_route"]
    log = begun(directory, names)
    first = list(discharge_all(names, Run(log=log, cache=cache), jobs=1))
    log.end(discharged=len(names), complete=True)
    check(directory, names)
    assert log.counterexample(names[-1]).is_file()
    monkeypatch.setattr(run_module, "discharge", never)
    again = begun(directory, names)
    found = list(discharge_all(names, Run(log=again, cache=cache), jobs=1))
    assert [each.record for each in found] == [each.record for each in first]
    again.end(discharged=len(names), complete=True)
    check(directory, names)
    with pytest.raises(AssertionError, match="proved again"):
        next(discharge_all(names[:1], Run(), jobs=1))


def test_without_log_and_cache_nothing_is_written(tmp_path):
    (record,) = discharge_all(["cell.ionic.and"], Run(), jobs=1)
    assert is_sealed(record.record)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["seal.key"]


def test_where_a_record_is_from_is_known_and_not_in_its_file(directory, cache):
    names = ["cell.ionic.and", "cell.ionic.or"]
    log = begun(directory, names)
    run = Run(log=log, cache=cache, audited=frozenset(names))
    list(discharge_all(names[:1], Run(cache=cache), jobs=1))
    found = [(each.origin, each.audited) for _ in range(2) for each in discharge_all(names, run, jobs=1)]
    assert found == [(CACHED, True), ("", False), (CONTINUED, True), (CONTINUED, True)]
    assert not any(b"origin" in path.read_bytes() for path in log.directory.glob("records/*"))


def test_a_read_only_cache_and_a_log(directory, cache):
    list(discharge_all(["cell.ionic.and"], Run(cache=cache), jobs=1))
    before = {path: path.read_bytes() for path in cache.directory.rglob("*") if path.is_file()}
    names = ["cell.ionic.and", "cell.ionic.or"]
    log = begun(directory, names)
    list(discharge_all(names, Run(log=log, cache=Cache(cache.directory, read_only=True)), jobs=1))
    log.end(discharged=2, complete=True)
    check(directory, names)
    assert {p: p.read_bytes() for p in cache.directory.rglob("*") if p.is_file()} == before


def test_what_is_undecided_is_tried_again(directory, cache):
    log = begun(directory, ["fp8_e5m2.add.rne"])
    name = "fp8_e5m2.add.rne"
    (record,) = discharge_all([name], Run(timeout=0.001, log=log, cache=cache), jobs=1)
    assert record.outcome is Outcome.TIMEOUT
    assert log.record(name) is cache.record(name) is None
    assert read_log(directory).records == (record.record,)


def die(*_):
    os._exit(1)


def test_a_theorem_whose_process_died_has_a_record_too(directory, monkeypatch):
    """Else the log would be complete without it."""
    monkeypatch.setattr(run_module, "_discharge_named", die)
    names = ["cell.ionic.and", "cell.ionic.or"]
    log = begun(directory, names)
    list(discharge_all(names, Run(log=log), jobs=2))
    log.end(discharged=0, complete=True)
    assert [r.outcome for r in read_log(directory).records] == [Outcome.ERROR] * 2


def test_a_program_whose_process_died_does_not_stand_without_its_units(cache, monkeypatch):
    """Though it was proved before."""
    program = "program.fp8_e5m2.dot.rne.4.sequential"
    units = [each.name for each in with_units([theorem(program)])][:-1]
    for name in (*units, program):
        assert Run(cache=cache).discharge(theorem(name)).green
    monkeypatch.setattr(run_module, "_discharge_named", die)
    found = {
        each.theorem: each.outcome for each in discharge_all([*units, program], Run(cache=cache), 2)
    }
    assert found == {**dict.fromkeys(units, Outcome.PROVED), program: Outcome.ERROR}


# --- on the command line ------------------------------------------------------------------------


def start(*arguments, **environment):
    return subprocess.Popen(
        [*COMMAND, *arguments],
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def records_in(directory):
    return {path.name: path.read_bytes() for path in directory.glob("records/*.json")}


def living(session):
    """Processes of a session, those that have ended but for their parent's knowledge not among them."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] != "Z":
            yield stat.parent.name


def test_a_run_killed_at_any_moment_loses_nothing(directory, cache):
    chance = random.Random(SEED)
    finished = {}
    for _ in range(12 if NIGHTLY else 3):
        process = start("cell.*", "--jobs", str(chance.choice((1, 2))))
        enough = len(finished) + chance.randrange(7)
        while process.poll() is None and len(records_in(directory)) < enough:
            time.sleep(0.002)
        time.sleep(chance.random() * 0.02)
        process.kill()
        process.communicate()
        deadline = time.perf_counter() + 5
        while list(living(process.pid)) and time.perf_counter() < deadline:
            time.sleep(0.01)
        assert list(living(process.pid)) == []
        found = records_in(directory)
        assert finished.items() <= found.items()
        finished = found
        try:
            contents = read_log(directory)
        except LogError:  # there is no manifest yet
            assert found == {}
            continue
        if contents.manifest.complete:
            assert len(found) == len(CELLS)
            break
        archive = Log(directory).archive
        for record in contents.records:
            assert is_sealed(record)
            assert record.green
            assert all(archive.holds(certificate) for certificate in record.certificates)
    assert len(finished) >= 3
    last = start("cell.*")
    said, _ = last.communicate()
    assert last.returncode == 0, said
    assert finished.items() <= records_in(directory).items()
    check(directory, CELLS)
    assert all(cache.record(name) for name in CELLS)
    left_behind = [*directory.rglob("*.unfinished")]
    assert left_behind == []


def test_two_runs_share_a_cache(tmp_path, cache):
    logs = [tmp_path / "one", tmp_path / "two"]
    running = [start("cell.ionic.*", "--log", str(log), "--jobs", "1") for log in logs]
    for process in running:
        said, _ = process.communicate()
        assert process.returncode == 0, said
    contents = [check(log, IONIC) for log in logs]
    for one, two in zip(*(each.records for each in contents), strict=True):
        assert one.certificates == two.certificates
        assert cache.record(one.theorem) in (one, two)


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("room", [0, 4, 9, 30])
def test_a_disk_that_fills_up_gives_one_line(directory, monkeypatch, capsys, room, jobs):
    written_before = Path.write_bytes
    left = [room]

    def write(path, content):
        left[0] -= 1
        if left[0] < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return written_before(path, content)

    arguments = ["spikeproof", "prove", "cell.ionic.*", "--jobs", str(jobs)]
    monkeypatch.setattr(sys, "argv", arguments)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", write)
        with pytest.raises(SystemExit) as ended:
            cli.main()
    said = [line for line in capsys.readouterr().err.splitlines() if " proved cell." not in line]
    assert ended.value.code == 2
    (line,) = filter(None, said)
    assert line.startswith("spikeproof: cannot ")
    assert line.endswith("No space left on device; free some space or name another directory")
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 0
    check(directory, IONIC)


# --- pytest -------------------------------------------------------------------------------------


PYTEST = (sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:hypothesispytest")


def run_pytest(*arguments, **environment):
    given = {"PYTHONPATH": str(ROOT), "COLUMNS": "200"} | environment
    return subprocess.run(
        [*PYTEST, "proofs/", "-q", *arguments],
        cwd=ROOT,
        env=os.environ | given,
        capture_output=True,
        text=True,
        check=False,
    )


PLUGIN = """
from pathlib import Path
from spikeproof.prover.claims import catalogue
from spikeproof.prover.evidence import ledger

stated = catalogue.Collection(map(catalogue.own_named, %r))
catalogue.own = lambda: stated
ledger.ledger_path = lambda: Path(%r)
"""


def with_catalogue(folder, names, ledger):
    """How pytest is run on a smaller catalogue and its ledger; what it imports is in that folder."""
    (folder / "smaller.py").write_text(PLUGIN % (names, str(ledger)))
    return {"PYTHONPATH": f"{ROOT}{os.pathsep}{folder}"}


@pytest.mark.parametrize(("processes", "cached"), [("0", False), ("1", True)])
def test_pytest_writes_the_log_and_keeps_the_ledger(tmp_path, directory, cache, processes, cached):
    """Of all that are stated; with a process beside it, which would state them once more, of some."""
    where = tmp_path / "mine" if cached else directory
    some = with_catalogue(tmp_path, IONIC, ledger_path()) if cached else {}
    options = ["--proof-log", str(where), "-p", "smaller"] if cached else ["--no-cache"]
    done = run_pytest("-k", "cell.ionic", "-n", processes, *options, **some)
    assert done.returncode == 0, done.stdout
    assert f"{len(IONIC)} theorems: {len(IONIC)} proved" in done.stdout
    assert f"proof log: {where}" in done.stdout
    assert check(where, IONIC).manifest.profile == "part"
    assert directory.exists() != cached
    assert all(cache.record(name) for name in IONIC) == cached
    assert cache.directory.exists() == cached


def test_a_promise_that_is_not_kept_fails_the_run(tmp_path):
    ledger = tmp_path / "ledger.tsv"
    ledger.write_text(written(own()[name] for name in ("cell.ionic.and", "cell.ionic.xor")))
    smaller = with_catalogue(tmp_path, ["cell.ionic.and", "cell.ionic.or"], ledger)
    done = run_pytest("-p", "smaller", **smaller)
    assert done.returncode == 1
    assert "2 passed" in done.stdout
    _, found, broken = done.stdout.partition("broken promises")
    assert found
    assert "cell.ionic.xor is promised, but there is no record of it" in broken
    assert "cell.ionic.or is not promised" in broken
    assert "cell.ionic.and" not in broken


FULL_DISK = """
import errno
from pathlib import Path

written, left = Path.write_bytes, [12]

def write(path, content):
    left[0] -= 1
    if left[0] < 0:
        raise OSError(errno.ENOSPC, "No space left on device")
    return written(path, content)

Path.write_bytes = write
"""


def test_pytest_says_that_the_disk_is_full(tmp_path, directory):
    (tmp_path / "full_disk.py").write_text(FULL_DISK)
    done = run_pytest("-k", "cell.ionic", "-p", "full_disk", PYTHONPATH=f"{ROOT}{os.pathsep}{tmp_path}")
    assert done.returncode == 1
    assert "No space left on device; free some space or name another directory" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert "INTERNALERROR" not in done.stdout + done.stderr
    contents = read_log(directory)
    assert not contents.manifest.complete
    assert all(record.green for record in contents.records)


def test_pytest_says_in_one_line_where_it_cannot_write(tmp_path):
    (tmp_path / "log").write_text("a file")
    done = run_pytest("-k", "cell.ionic.and")
    assert done.returncode not in (0, 1)
    assert "cannot write a proof log to" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert "INTERNALERROR" not in done.stdout + done.stderr
