"""What is kept between runs: nothing finished is lost, nothing damaged or foreign is believed."""

import errno
import gzip
import json
import os
import pickle
import random
import signal
import stat
import threading
import time
from dataclasses import replace
from itertools import count
from multiprocessing import get_context
from pathlib import Path

import click
import pytest

from spikeproof.prover.claims.obligation import Outcome
from spikeproof.prover.commands.console import require_writable
from spikeproof.prover.evidence import cache as cache_module
from spikeproof.prover.evidence import kept, log, source
from spikeproof.prover.evidence.archive import Archive, CertificateError
from spikeproof.prover.evidence.cache import Cache
from spikeproof.prover.evidence.files import (
    StorageError,
    beside,
    remove_unfinished,
    storing,
    write_atomically,
)
from spikeproof.prover.evidence.log import (
    Log,
    LogError,
    Machine,
    default_log_directory,
    read_log,
    records_sha256,
)
from spikeproof.prover.evidence.record import CIRCUIT, Certificate
from spikeproof.prover.evidence.seal import is_sealed, seal_bytes, sealed
from tests.support.evidence import THEOREM, proved
from tests.support.logs import digest, write_log
from tests.support.profile import NIGHTLY

FORK = get_context("fork")
SEED = 20261123
QUESTION = digest("question")
RUN = {"command": "pytest proofs/", "profile": "default", "promised": 3}


@pytest.fixture
def cache(tmp_path):
    return Cache(tmp_path / "cache")


@pytest.fixture
def directory(tmp_path):
    return tmp_path / "log"


def begin(directory, **run):
    return Log.begin(directory, **(RUN | run))


def everything_in(directory):
    return sorted(path for path in directory.rglob("*") if path.is_file())


def of_another_source(monkeypatch):
    """From here on the source is another one."""
    for module in (cache_module, kept, log):
        monkeypatch.setattr(module, "source_sha256", lambda package=None: digest("another source"))


def full_disk(monkeypatch):
    """From here on nothing can be written."""

    def refuse(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", refuse)


def one_line(error):
    (line,) = error.value.format_message().splitlines()
    return line


# --- files ------------------------------------------------------------------------------------------


def test_a_file_is_replaced_whole_or_stays_as_it_was(tmp_path, monkeypatch):
    path = tmp_path / "new" / "file"
    write_atomically(path, "θ")
    assert path.read_bytes() == "θ".encode()
    full_disk(monkeypatch)
    with pytest.raises(OSError, match="No space left"):
        write_atomically(path, b"other")
    assert everything_in(tmp_path) == [path]
    assert path.read_bytes() == "θ".encode()


def test_a_link_stays_and_what_it_leads_to_is_replaced(tmp_path):
    target, link = tmp_path / "deep" / "file", tmp_path / "link"
    link.symlink_to(target)
    write_atomically(link, "new")
    assert link.is_symlink()
    assert target.read_text() == "new"
    assert not target.is_symlink()


def test_a_pipe_is_written_to_and_stays_one(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    read = []
    reader = threading.Thread(target=lambda: read.append(path.read_text()))
    reader.start()
    write_atomically(path, "new")
    reader.join(timeout=60)
    assert read == ["new"]
    assert path.is_fifo()


def test_a_pipe_that_has_no_name_of_its_own_is_written_to():
    """As the shell's ``>(command)``, and ``/dev/stdout`` before a pipe."""
    reading, writing = os.pipe()
    path = Path(f"/dev/fd/{writing}")
    require_writable(path)
    write_atomically(path, "new")
    os.close(writing)
    with open(reading) as end:
        assert end.read() == "new"


def test_links_in_a_circle_are_one_line(tmp_path):
    path = tmp_path / "circle"
    path.symlink_to(path)
    with pytest.raises(click.BadParameter, match=r"cannot write .*circle"):
        require_writable(path)
    with pytest.raises(OSError, match=os.strerror(errno.ELOOP)):
        write_atomically(path, "text")
    assert path.is_symlink()


def test_what_killed_processes_left_is_told_from_all_else(tmp_path):
    mine = [tmp_path / name for name in (".hidden", "x.unfinished", ".x.unfinished", ".x.1.unfinished")]
    old, new = beside(tmp_path / "a.json"), beside(tmp_path / "deep" / "b")
    new.parent.mkdir()
    for path in (*mine, old, new):
        path.touch()
    os.utime(old, (0, 0))
    remove_unfinished(tmp_path, untouched_for=60)
    assert everything_in(tmp_path) == sorted([*mine, new])
    remove_unfinished(tmp_path)
    assert everything_in(tmp_path) == sorted(mine)


def test_an_error_survives_the_way_from_a_worker():
    with pytest.raises(StorageError) as error, storing("do it"):
        raise PermissionError(errno.EACCES, "Permission denied")
    message = "cannot do it: Permission denied; free some space or name another directory"
    assert one_line(error) == message
    assert pickle.loads(pickle.dumps(error.value)).format_message() == message


# --- source -----------------------------------------------------------------------------------------


def test_the_source_is_all_that_a_theorem_depends_on(monkeypatch):
    names = {name for name, _ in source._sources()}
    assert {
        "proofs/__init__.py",
        "prover/evidence/kept.py",
        "specs/exact.py",
        "circuits/netlist.py",
    } <= names
    assert not any(name.startswith(("prover/report", "prover/commands/report")) for name in names)
    assert "prover/running/mutation_report.py" in names
    assert all((source.ROOT / shown).exists() for shown in source.ONLY_SHOWS)

    answers = [source.engines_sha256.__wrapped__()]
    monkeypatch.setattr(source, "versions", lambda: {"z3-solver": "0"})
    answers.append(source.engines_sha256.__wrapped__())
    assert len(set(answers)) == 2


def test_versions_and_commit(monkeypatch, tmp_path):
    assert {"numpy", "pysmt", "python-sat", "z3-solver"} <= source.versions().keys()
    revision, modified = source.commit.__wrapped__()
    assert revision is None or (len(revision) == 40 and modified in (True, False))
    monkeypatch.setattr(source, "ROOT", tmp_path)
    assert source.commit.__wrapped__() == (None, None)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert source.commit.__wrapped__() == (None, None)


# --- seals ------------------------------------------------------------------------------------------


def test_a_seal_covers_every_field(cache):
    whole = proved(cache.archive)
    assert is_sealed(whole)
    changes = {
        "outcome": Outcome.REFUTED,
        "theorem": "cell.ionic.or",
        "parameters": {CIRCUIT: digest("circuit")},
        "lemmas": (),
        "seconds": 0.25,
        "counterexample": {"x": 1},
        "netlist": None,
        "source_sha256": digest("other"),
        "seal": "é\udcff",
    }
    for name, value in changes.items():
        assert not is_sealed(replace(whole, **{name: value})), name
    assert sealed(replace(whole, seal="")) == whole


def test_the_key_is_made_once_and_is_the_users_own(tmp_path):
    def child(barrier, pipe):
        barrier.wait()
        pipe.send(seal_bytes(b"content"))

    barrier = FORK.Barrier(6)
    pipes = [FORK.Pipe(duplex=False) for _ in range(6)]
    children = [FORK.Process(target=child, args=(barrier, sender)) for _, sender in pipes]
    for process in children:
        process.start()
    assert {receiver.recv() for receiver, _ in pipes} == {seal_bytes(b"content")}
    for process in children:
        process.join()
    (key,) = everything_in(tmp_path / "state")
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert key.stat().st_size == 32


def test_a_secret_of_the_environment_is_the_key(monkeypatch, tmp_path):
    own = seal_bytes(b"content")
    monkeypatch.setenv("SPIKEPROOF_SEAL", "secret")
    assert seal_bytes(b"content") != own
    monkeypatch.setenv("SPIKEPROOF_SEAL", "")  # as in CI for those who may not know it
    assert seal_bytes(b"content") == own


def test_a_key_that_cannot_be_kept_or_is_none(monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("SPIKEPROOF_STATE", str(tmp_path / "file"))
    with pytest.raises(StorageError) as error:
        seal_bytes(b"")
    assert "File exists; set SPIKEPROOF_SEAL to a secret" in one_line(error)
    monkeypatch.setenv("SPIKEPROOF_STATE", str(tmp_path / "state"))
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "seal.key").touch()
    with pytest.raises(StorageError, match="is not a key of seals; remove it"):
        seal_bytes(b"")


# --- archive ----------------------------------------------------------------------------------------

PROOF = bytes(range(256)) * 10


def only_file(archive):
    (path,) = everything_in(archive.directory)
    return path


def test_a_certificate_comes_back_and_is_kept_once(tmp_path):
    archive = pickle.loads(pickle.dumps(Archive(tmp_path)))
    certificate = archive.keep("drat", PROOF)
    assert certificate == Certificate.of("drat", PROOF)
    assert archive.content(certificate) == PROOF
    path = only_file(archive)
    assert path == tmp_path / certificate.sha256[:2] / f"{certificate.sha256}.drat.gz"
    assert gzip.decompress(path.read_bytes()) == PROOF
    before = path.stat()
    archive.keep("drat", PROOF)
    assert path.stat().st_ino == before.st_ino
    assert archive.content(archive.keep("model", b"")) == b""


def damages(packed):
    return {
        "is truncated": packed[:-1],
        "is damaged": packed[:30] + bytes([packed[30] ^ 1]) + packed[31:],
        "more follows its end": packed + packed,
        "another SHA-256": gzip.compress(PROOF[::-1]),
        "more than the 2560 bytes": gzip.compress(bytes(10**7)),
        "has 3 bytes; its record says 2560": gzip.compress(b"abc"),
    }


@pytest.mark.parametrize("reason", damages(bytes(40)))
def test_a_damaged_certificate_is_refused_with_its_reason_and_kept_anew(tmp_path, reason):
    archive = Archive(tmp_path)
    certificate = archive.keep("drat", PROOF)
    path = only_file(archive)
    path.write_bytes(damages(path.read_bytes())[reason])
    with pytest.raises(CertificateError, match=reason):
        archive.content(certificate)
    assert not archive.holds(certificate)
    archive.keep("drat", PROOF)
    assert archive.holds(certificate)


def test_a_certificate_that_is_missing_unreadable_or_no_certificate(tmp_path):
    archive = Archive(tmp_path)
    certificate = Certificate.of("drat", PROOF)
    with pytest.raises(CertificateError, match="is missing"):
        archive.content(certificate)
    for size in (-1, 1 << 70):
        archive.keep("drat", PROOF)
        with pytest.raises(CertificateError, match="cannot have the"):
            archive.content(replace(certificate, size=size))
    only_file(archive).unlink()
    (tmp_path / certificate.sha256[:2] / f"{certificate.sha256}.drat.gz").mkdir()
    with pytest.raises(CertificateError, match=r"cannot read .*: Is a directory"):
        archive.content(certificate)
    for sha256 in ("../../etc/passwd", "A" * 64, "0" * 65, ""):
        with pytest.raises(CertificateError, match="is not the SHA-256"):
            archive.content(replace(certificate, sha256=sha256))


@pytest.mark.parametrize("links", [True, False])
def test_adopting_a_certificate(tmp_path, monkeypatch, links):
    def refuse(*_):
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    if not links:
        monkeypatch.setattr(os, "link", refuse)
    first, second = Archive(tmp_path / "first"), Archive(tmp_path / "second")
    certificate = first.keep("drat", PROOF)
    for damaged in (False, True):
        if damaged:
            write_atomically(only_file(second), b"damage")
        second.adopt(certificate, first)
        assert second.holds(certificate)
        assert only_file(second).samefile(only_file(first)) == links
    second.adopt(certificate, first)
    second.adopt(certificate, second)
    assert only_file(second).stat().st_nlink == 1 + links
    if not links:
        only_file(first).unlink()
        second.adopt(certificate, first)  # it has it


def test_an_archive_that_cannot_be_written(tmp_path, monkeypatch):
    first = Archive(tmp_path / "first")
    certificate = first.keep("drat", PROOF)
    (tmp_path / "file").touch()
    for change in (
        lambda: Archive(tmp_path / "file" / "archive").keep("drat", PROOF),
        lambda: Archive(tmp_path / "file").adopt(certificate, first),
    ):
        with pytest.raises(StorageError) as error:
            change()
        assert "cannot keep a certificate" in one_line(error)
    full_disk(monkeypatch)
    with pytest.raises(StorageError, match="No space left on device; free some space"):
        Archive(tmp_path / "second").keep("drat", PROOF)


# --- cache ------------------------------------------------------------------------------------------


def test_a_cache_gives_back_what_it_was_given(cache):
    cache.require_usable()
    cache = pickle.loads(pickle.dumps(cache))
    assert cache.record(THEOREM) is cache.answer(QUESTION) is None
    whole = proved(cache.archive)
    cache.keep_record(whole)
    for content in (b"", b"\n", b"content\nof two lines\n"):
        cache.keep_answer(QUESTION, content)
        assert cache.answer(QUESTION) == content
    assert cache.record(THEOREM) == whole
    assert cache.record("cell.ionic.or") is cache.record(THEOREM, digest("circuit")) is None
    with pytest.raises(ValueError, match="is not a SHA-256"):
        cache.answer("../" + QUESTION)
    folders = {path.relative_to(cache.directory).parts[:2] for path in everything_in(cache.directory)}
    assert folders == {("v1", "records"), ("v1", "answers"), ("v1", "certificates")}


def test_a_circuit_given_instead_has_records_of_its_own(cache):
    own = proved(cache.archive)
    other = proved(cache.archive, circuit=digest("circuit"))
    for each in (own, other):
        cache.keep_record(each)
    assert cache.record(THEOREM) == own
    assert cache.record(THEOREM, digest("circuit")) == other
    assert cache.record(THEOREM, digest("another circuit")) is None


def test_only_what_was_decided_is_kept(cache):
    for outcome in Outcome:
        each = proved(cache.archive, theorem=f"cell.{outcome.value}", outcome=outcome)
        cache.keep_record(each)
        decided = outcome in (Outcome.PROVED, Outcome.REFUTED)
        assert cache.record(each.theorem) == (each if decided else None)


def test_another_key_and_another_source_believe_nothing(cache, monkeypatch):
    whole = proved(cache.archive)
    cache.keep_record(whole)
    cache.keep_answer(QUESTION, b"content")
    with monkeypatch.context() as patch:
        patch.setenv("SPIKEPROOF_SEAL", "another")
        assert cache.record(THEOREM) is cache.answer(QUESTION) is None
    ((path,), _) = cache_files(cache)
    of_another_source(monkeypatch)
    assert cache.record(THEOREM) is None
    moved = cache._record(THEOREM, None)
    write_atomically(moved, path.read_bytes())
    assert moved != path
    assert cache.record(THEOREM) is None


def cache_files(cache):
    """Those of records, and those of answers."""
    return [everything_in(cache.directory / "v1" / kind) for kind in ("records", "answers")]


def test_an_entry_under_another_key_is_not_believed(cache):
    names = [THEOREM, "cell.ionic.or"]
    for name in names:
        cache.keep_record(proved(cache.archive, name))
        cache.keep_answer(digest(name), name.encode())
    for first, second in cache_files(cache):
        first_content = first.read_bytes()
        first.write_bytes(second.read_bytes())
        second.write_bytes(first_content)
    for name in names:
        assert cache.record(name) is cache.answer(digest(name)) is None


def test_no_poisoned_or_truncated_entry_is_ever_returned(cache):
    """Of every file, some bits are flipped, some lengths cut off, and some of it is another's."""
    draw = random.Random(SEED)
    proof = draw.randbytes(500)
    whole = proved(cache.archive, proof=proof)
    cache.keep_record(whole)
    cache.keep_answer(QUESTION, b"unsatisfiable")
    for path in everything_in(cache.directory):
        sound = path.read_bytes()
        places = [0, 1, len(sound) - 1, *(draw.randrange(len(sound)) for _ in range(60))]
        flipped = [
            sound[:i] + bytes([sound[i] ^ 1 << draw.randrange(8)]) + sound[i + 1 :] for i in places
        ]
        deep = b'{"schema":' + b"[" * 100_000
        bad = [*flipped, *(sound[:i] for i in places), b"", b"{}", b"null", b"\xff", deep]
        refused = 0
        for content in bad:
            path.write_bytes(content)
            found = (cache.record(THEOREM), cache.answer(QUESTION))
            refused += None in found
            assert found[0] in (None, whole)
            assert found[1] in (None, b"unsatisfiable")
        # Not refused: other whitespace, and what a compressed file says of its making.
        assert refused > len(bad) / 2
        cache.archive.keep("drat", proof)
        cache.keep_record(whole)
        cache.keep_answer(QUESTION, b"unsatisfiable")
        assert cache.record(THEOREM) == whole
        assert cache.answer(QUESTION) == b"unsatisfiable"


def test_a_read_only_cache_is_never_written(cache, tmp_path):
    reader = Cache(cache.directory, read_only=True)
    reader.require_usable()
    elsewhere = Archive(tmp_path / "elsewhere")
    reader.keep_record(proved(elsewhere))
    reader.keep_answer(QUESTION, b"content")
    assert not cache.directory.exists()
    cache.keep_answer(QUESTION, b"content")
    assert reader.answer(QUESTION) == b"content"


def test_where_the_cache_is(tmp_path, monkeypatch):
    assert Cache.default() == Cache(tmp_path / "cache", read_only=False)
    monkeypatch.setenv("SPIKEPROOF_CACHE_READ_ONLY", "1")
    assert Cache.default().read_only
    monkeypatch.delenv("SPIKEPROOF_CACHE")
    assert Cache.default().directory.name == "spikeproof"


def test_a_cache_that_cannot_be_written(cache, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    blocked = Cache(tmp_path / "file")
    whole = proved(cache.archive)
    for refused in (
        blocked.require_usable,
        lambda: blocked.keep_record(whole),
        lambda: blocked.keep_answer(QUESTION, b""),
    ):
        with pytest.raises(StorageError) as error:
            refused()
        assert f"in {tmp_path / 'file'}: " in one_line(error)
    assert blocked.record(THEOREM) is blocked.answer(QUESTION) is None
    full_disk(monkeypatch)
    for refused in (cache.require_usable, lambda: cache.keep_record(whole)):
        with pytest.raises(StorageError) as error:
            refused()
        assert one_line(error).endswith(
            f"in {cache.directory}: No space left on device; free some space or name another directory"
        )


def test_a_cache_loses_what_was_left_behind_long_ago(cache):
    cache.require_usable()
    old, new = (beside(cache.directory / "v1" / "records" / "aa" / name) for name in ("a", "b"))
    old.parent.mkdir(parents=True)
    for path in (old, new):
        path.touch()
    os.utime(old, (0, 0))
    cache.require_usable()
    assert everything_in(cache.directory) == [new]


def test_two_processes_share_a_cache(cache):
    theorems = [f"cell.t{index}" for index in range(4)]

    def child(seed, pipe):
        draw = random.Random(seed)
        wrong = []
        for _ in range(60):
            name = draw.choice(theorems)
            cache.keep_record(proved(cache.archive, name, seconds=float(seed)))
            cache.keep_answer(digest(name), name.encode() * 1000)
            name = draw.choice(theorems)
            found, answer = cache.record(name), cache.answer(digest(name))
            if (found and found.theorem != name) or answer not in (None, name.encode() * 1000):
                wrong.append(name)
        pipe.send(wrong)

    pipes = [FORK.Pipe(duplex=False) for _ in range(2)]
    children = [FORK.Process(target=child, args=(seed, pipe[1])) for seed, pipe in enumerate(pipes)]
    for process in children:
        process.start()
    assert [receiver.recv() for receiver, _ in pipes] == [[], []]
    for process in children:
        process.join()
    assert all(cache.record(name) and cache.answer(digest(name)) for name in theorems)
    assert not [path for path in everything_in(cache.directory) if path.name.startswith(".")]


# --- log --------------------------------------------------------------------------------------------


def test_a_log_from_beginning_to_end(directory, cache):
    run = pickle.loads(pickle.dumps(begin(directory)))
    first = read_log(directory)
    assert first.records == ()
    assert not first.manifest.complete
    assert first.manifest.finished is first.manifest.discharged is None
    assert first.manifest.machine == Machine.here()
    records = [proved(cache.archive, f"cell.t{index}") for index in range(3)]
    for each in records:
        run.write(each, cache.archive)
    run.write(records[0])
    orphan = run.archive.keep("drat", b"of a run that was killed")
    run.end(3, complete=True)
    contents = read_log(directory)
    assert list(contents.records) == records
    assert contents.manifest == replace(
        first.manifest,
        discharged=3,
        complete=True,
        finished=contents.manifest.finished,
        records_sha256=records_sha256(directory),
    )
    assert contents.manifest.started <= contents.manifest.finished
    assert all(run.archive.holds(each.certificates[0]) for each in records)
    assert not run.archive.holds(orphan)


def test_an_interrupted_log_continues(directory, cache):
    run = begin(directory)
    whole = proved(cache.archive)
    late = proved(cache.archive, "cell.timeout", outcome=Outcome.TIMEOUT)
    for each in (whole, late):
        run.write(each, cache.archive)
    begun = read_log(directory).manifest.started
    unfinished = beside(directory / "records" / "cell.a.json")
    unfinished.touch()
    orphan = run.archive.keep("drat", b"of a record that was not written yet")
    run.end(1, complete=False)
    assert run.archive.holds(orphan)
    again = begin(directory, command="spikeproof prove")
    assert not unfinished.exists()
    assert again.record(THEOREM) == whole
    assert again.record("cell.timeout") is again.record("cell.other") is None
    assert again.record(THEOREM, digest("circuit")) is None
    manifest = read_log(directory).manifest
    assert (manifest.started, manifest.command) == (begun, "spikeproof prove")


@pytest.mark.parametrize("change", ["complete", "another source", "no manifest", "damaged manifest"])
def test_any_other_log_is_begun_anew(directory, cache, monkeypatch, change):
    run = begin(directory)
    run.write(proved(cache.archive), cache.archive)
    (directory / "records" / "notes.txt").touch()
    changes = {
        "complete": lambda: run.end(1, complete=True),
        "another source": lambda: of_another_source(monkeypatch),
        "no manifest": (directory / "manifest.json").unlink,
        "damaged manifest": lambda: (directory / "manifest.json").write_text("{"),
    }
    changes[change]()
    again = begin(directory)
    assert read_log(directory).records == ()
    assert again.record(THEOREM) is None
    left = {path.relative_to(directory).as_posix() for path in everything_in(directory)}
    assert left == {log.MARK, "manifest.json", "records/notes.txt"}


def test_a_continued_log_believes_nothing_that_is_damaged_or_foreign(directory, cache, monkeypatch):
    run = begin(directory)
    whole = proved(cache.archive)
    run.write(whole, cache.archive)
    path = directory / "records" / f"{THEOREM}.json"
    text = path.read_text()
    for forged in (text.replace('"proved"', '"refuted"', 1), text.replace("0.5", "0.6"), text[:-9], ""):
        assert forged != text
        path.write_text(forged)
        assert run.record(THEOREM) is None
        assert begin(directory).record(THEOREM) is None
        assert read_log(directory).records == ()
    (directory / "records" / "cell.ionic.or.json").write_text(text)
    path.write_text(text)
    begin(directory)
    assert read_log(directory).records == (whole,)
    write_atomically(only_file(run.archive), b"damage")
    assert run.record(THEOREM) is None
    run.write(whole, cache.archive)
    assert run.record(THEOREM) == whole
    monkeypatch.setenv("SPIKEPROOF_SEAL", "another")
    assert run.record(THEOREM) is None


def test_no_old_record_is_ever_under_a_new_manifest(directory, cache, monkeypatch):
    """Beginning anew is stopped at each of its steps: what is left has its own manifest, or none."""

    class Stop(BaseException):
        pass

    def stopped_at(step, patch):
        steps = count()

        def counted(change):
            def perform(*arguments, **options):
                if next(steps) == step:
                    raise Stop
                return change(*arguments, **options)

            return perform

        for name in ("unlink", "replace", "mkdir", "write_bytes"):
            patch.setattr(Path, name, counted(getattr(Path, name)))

    records = [proved(cache.archive, f"cell.t{index}") for index in range(3)]
    for step in count():
        run = begin(directory, command="old")
        for each in records:
            run.write(each, cache.archive)
        run.end(3, complete=True)
        with monkeypatch.context() as patch:
            stopped_at(step, patch)
            try:
                begin(directory, command="new")
                break
            except Stop:
                pass
        if (directory / "manifest.json").exists():
            contents = read_log(directory)
            whole = ("old", records) if contents.manifest.command == "old" else ("new", [])
            assert (contents.manifest.command, list(contents.records)) == whole
    assert step > 10


def test_a_directory_that_is_no_log_is_refused(directory):
    directory.mkdir()
    begin(directory)  # empty
    for name, content in (("thesis.tex", ""), ("manifest.json", '{"name": "my web page"}')):
        other = directory.with_name(name.split(".")[0])
        other.mkdir()
        (other / name).write_text(content)
        with pytest.raises(StorageError) as error:
            begin(other)
        assert one_line(error) == (
            f"{other} holds files but no proof log; name another directory, or a new one"
        )
        assert [path.name for path in everything_in(other)] == [name]


def test_a_log_without_its_mark_is_one(directory):
    write_log(directory)
    begin(directory)
    assert read_log(directory).records == ()


def test_one_run_at_a_time(directory):
    def child(pipe):
        run = begin(directory)
        pipe.send("begun")
        pipe.recv()
        run.end(0, complete=False)
        pipe.send("ended")
        pipe.recv()

    ours, theirs = FORK.Pipe()
    process = FORK.Process(target=child, args=(theirs,))
    process.start()
    assert ours.recv() == "begun"
    with pytest.raises(StorageError) as error:
        begin(directory)
    assert f"another run is writing its proof log to {directory}; wait" in one_line(error)
    ours.send("end")
    assert ours.recv() == "ended"
    begin(directory)
    ours.send("exit")
    process.join()


def test_a_theorem_that_cannot_be_a_files_name(directory, cache):
    run = begin(directory)
    whole = proved(cache.archive)
    for theorem in ("../escape", "a/b", ".hidden", "", "a\0", "a\n", "-a", "é"):
        with pytest.raises(StorageError) as error:
            run.write(replace(whole, theorem=theorem), cache.archive)
        assert "cannot have a record; use letters" in one_line(error)
        with pytest.raises(StorageError):
            run.record(theorem)


def test_a_log_that_cannot_be_written(directory, cache, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    for place in (tmp_path / "file", tmp_path / "file" / "log"):
        with pytest.raises(StorageError) as error:
            begin(place)
        assert f"cannot write a proof log to {place}: " in one_line(error)
    run = begin(directory)
    whole = proved(cache.archive)
    full_disk(monkeypatch)
    for refused in (
        lambda: run.write(whole, cache.archive),
        lambda: run.end(0, complete=True),
        lambda: begin(directory),
    ):
        with pytest.raises(StorageError) as error:
            refused()
        assert "No space left on device; free some space or name another" in one_line(error)
    assert read_log(directory).records == ()


def test_where_the_log_is(tmp_path, monkeypatch):
    assert default_log_directory() == tmp_path / "log"
    monkeypatch.delenv("SPIKEPROOF_LOG")
    assert default_log_directory() == Path("proof-log")


def test_ending_a_log_that_was_damaged_meanwhile(directory):
    run = begin(directory)
    write_atomically(directory / "records" / "cell.a.json", '{"schema":' + "[" * 100_000)
    with pytest.raises(LogError, match=r"cannot read .*cell\.a\.json"):
        run.end(0, complete=True)
    assert not read_log_manifest(directory)["complete"]


def read_log_manifest(directory):
    return json.loads((directory / "manifest.json").read_text())


# --- killing ----------------------------------------------------------------------------------------


def run_for_ever(directory, cache, acknowledge):
    """Prove theorem after theorem, none twice, and say of each when it is written."""
    cache.require_usable()
    run = begin(directory)
    for index in count():
        theorem = f"cell.t{index}"
        if run.record(theorem) is None:
            whole = proved(cache.archive, theorem)
            cache.keep_record(whole)
            run.write(whole, cache.archive)
        os.write(acknowledge, f"{theorem}\n".encode())


def test_killing_a_run_at_any_moment_loses_nothing(directory, cache):
    """Often: at the beginning, while what was finished is found again, or later."""
    draw = random.Random(SEED)
    finished = set()
    kills = 25 if NIGHTLY else 7
    for _ in range(kills):
        reading, writing = os.pipe()
        process = FORK.Process(target=run_for_ever, args=(directory, cache, writing))
        process.start()
        os.close(writing)
        with os.fdopen(reading) as acknowledged:
            lines = draw.choice((0, len(finished), len(finished) + 2, len(finished) + 4))
            said = [acknowledged.readline() for _ in range(lines)]
            time.sleep(draw.uniform(0, 0.1))
            os.kill(process.pid, signal.SIGKILL)
            process.join()
            finished |= {line.strip() for line in (*said, *acknowledged) if line.endswith("\n")}
        if (directory / "manifest.json").exists():
            contents = read_log(directory)
            assert not contents.manifest.complete
            assert {each.theorem for each in contents.records} >= finished
            for each in contents.records:
                assert is_sealed(each)
                assert all(map(Log(directory).archive.holds, each.certificates))
        else:
            assert not finished
    assert all(cache.record(theorem) for theorem in finished)
    assert len(finished) > kills
    run = begin(directory)
    assert all(run.record(theorem) for theorem in finished)
    run.end(len(finished), complete=True)
    assert not [path for path in everything_in(directory) if path.name.endswith(".unfinished")]
    named = {c.sha256 for each in read_log(directory).records for c in each.certificates}
    stored = {path.name.split(".")[0] for path in everything_in(directory / "certificates")}
    assert stored == named
