"""A proof log: what a run proved, one record a theorem, with certificates and the manifest of the run.

At any moment it is a valid log of what is finished. ``docs/proof_log.md`` describes the files.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Literal, TextIO, TypeVar

import click
import msgspec

from spikeproof.circuits.netlist import Netlist, OneLineError
from spikeproof.prover.evidence.archive import Archive
from spikeproof.prover.evidence.files import (
    StorageError,
    remove_unfinished,
    require_room,
    storing,
    write_atomically,
)
from spikeproof.prover.evidence.kept import believed, current_record, write_record
from spikeproof.prover.evidence.record import Record, file_content
from spikeproof.prover.evidence.seal import require_key
from spikeproof.prover.evidence.source import commit, source_sha256, versions

MANIFEST = "manifest.json"
RECORDS = "records"
CERTIFICATES = "certificates"
COUNTEREXAMPLES = "counterexamples"
EXHAUSTIVE = "exhaustive"
CIRCUITS = "circuits"
"""Where the default log has logs of their own for circuits that were given."""
MARK = ".spikeproof-log"
"""Makes a directory a proof log, whatever else is missing; locked by the run that writes there."""

_THEOREM = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")

_locked: dict[Path, TextIO] = {}
"""Marks that this process holds locked. Children do not inherit such a lock, so it ends with the run."""


class LogError(OneLineError, click.ClickException):
    """A log that cannot be read; the message says what is wrong and what to do."""


@dataclass(frozen=True)
class Machine:
    """What a run ran on."""

    system: str
    processor: str
    cores: int
    memory_gib: float
    python: str

    @classmethod
    def here(cls) -> Machine:
        """This one; its cores are those that we may use."""
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        return cls(
            system=f"{platform.system()} {platform.release()}",
            processor=platform.machine(),
            cores=cores or 1,
            memory_gib=round(memory / 2**30, 1),
            python=platform.python_version(),
        )


@dataclass(frozen=True)
class Part:
    """A log that was merged into another: which it was, and what its run was."""

    manifest_sha256: str
    command: str
    started: datetime
    finished: datetime | None
    machine: Machine

    @classmethod
    def of(cls, contents: Contents) -> Part:
        """What a log says of itself."""
        run = contents.manifest
        return cls(contents.manifest_sha256, run.command, run.started, run.finished, run.machine)


@dataclass(frozen=True)
class Manifest:
    """What a run was: which command, of which source, with what, and how much of it was done."""

    schema: Literal["spikeproof-manifest-2"]
    command: str
    profile: str
    commit: str | None
    modified: bool | None
    started: datetime
    finished: datetime | None
    machine: Machine
    versions: Mapping[str, str]
    source_sha256: str
    promised: int
    discharged: int | None
    """None until the run has ended; see ``Contents.discharged``."""
    complete: bool
    records_sha256: str | None = None
    """Of all records, when the run has ended: who cites the manifest cites these."""
    parts: tuple[Part, ...] = ()
    """The logs of which this one was merged, if it was."""


@dataclass(frozen=True)
class Contents:
    """What a log says: manifest, that file's SHA-256, and records by theorem, numbers in order."""

    manifest: Manifest
    manifest_sha256: str
    records: tuple[Record, ...]

    @property
    def discharged(self) -> int:
        """How many theorems came out as promised: of the run if it has ended, else so far."""
        said = self.manifest.discharged
        return sum(record.green for record in self.records) if said is None else said

    @property
    def lacks(self) -> list[str]:
        """What the log has not, of what its run was to do; one sentence each, nothing if it is whole."""
        return lacks(self.manifest, len(self.records))


def lacks(manifest: Manifest, records: int) -> list[str]:
    """What a log of so many records has not, of what its run was to do; one sentence each."""
    found = []
    if manifest.finished is None:
        found.append("the run has not ended: it was interrupted, or goes on")
    elif not manifest.complete:
        found.append("the run ended before every theorem was tried")
    if records < manifest.promised:
        found.append(f"there are records of {records:,} of {manifest.promised:,} theorems")
    return found


def finished(directory: Path) -> Manifest | None:
    """The manifest of a complete log, which the next run there replaces; None if there is none."""
    manifest = _manifest(directory)
    return manifest if manifest and manifest.complete else None


def default_log_directory(circuit: Netlist | None = None, theorems: Sequence[str] = ()) -> Path:
    """``SPIKEPROOF_LOG``, else ``proof-log`` in the current directory.

    Args:
        circuit: given instead of the theorems' own, if any. Its log is a directory of its own in there,
            so that it takes the place of no other circuit's, nor of the theorems' own.
        theorems: that are to be proved of it, at least one.
    """
    directory = Path(os.environ.get("SPIKEPROOF_LOG") or "proof-log")
    if circuit is None:
        return directory
    more = f"_and_{len(theorems) - 1}_more" if len(theorems) > 1 else ""
    return directory / CIRCUITS / f"{theorems[0]}{more}.{circuit.sha256[:16]}"


# --- writing ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Log:
    """A log that a run writes; its processes may write records at the same time."""

    directory: Path

    @classmethod
    def begin(
        cls,
        directory: Path,
        *,
        command: str,
        profile: str,
        promised: int,
        packages: Iterable[str | None] = (),
        parts: Sequence[Part] = (),
    ) -> Log:
        """Begin a log, or continue the one that an interrupted run of the same source left there.

        Any other log there is removed, and of that one every record that is not sealed. Until the run
        ends no other can begin in that directory.

        Args:
            command, profile, promised: for the manifest; the last counts theorems.
            packages: that state some of them, None being ours.
            parts: logs of which it is merged, if it is; it then began when the first of them did.

        Raises:
            StorageError: if nothing can be written there, the directory holds anything but a log, or
                another run writes there.
        """
        require_key()
        log = cls(directory.absolute())
        revision, modified = commit()
        used = versions(*packages)
        with storing(f"write a proof log to {directory}"):
            log.take()
            require_room(log.directory)
            remove_unfinished(log.directory, spared=log.directory / CIRCUITS)
            started = None if parts else log._continued_since(used)
            if started is None:
                log._clear()
            else:
                log._remove_foreign_records()
            log._write_manifest(
                Manifest(
                    schema="spikeproof-manifest-2",
                    command=command,
                    profile=profile,
                    commit=revision,
                    modified=modified,
                    started=min((part.started for part in parts), default=started or _now()),
                    finished=None,
                    machine=Machine.here(),
                    versions=used,
                    source_sha256=source_sha256(),
                    promised=promised,
                    discharged=None,
                    complete=False,
                    parts=tuple(parts),
                )
            )
        return log

    def take(self) -> None:
        """Make the directory a log, and keep other runs out of it.

        Raises:
            StorageError: if it holds anything but a log, or another run writes there.
            OSError: if it cannot be made.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        mark = self.directory / MARK
        strange = any(path.name != CIRCUITS for path in self.directory.iterdir())
        if strange and not mark.exists() and _manifest(self.directory) is None:
            raise StorageError(
                f"{self.directory} holds files but no proof log; name another directory, or a new one"
            )
        if mark in _locked:
            return
        file = mark.open("w")
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            file.close()
            raise StorageError(
                f"another run is writing its proof log to {self.directory}; "
                "wait until it ends, or name another directory"
            ) from None
        except OSError:  # a file system without locks
            pass
        _locked[mark] = file

    @property
    def archive(self) -> Archive:
        """The certificates of its records."""
        return Archive(self.directory / CERTIFICATES)

    def record(
        self, theorem: str, circuit_sha256: str | None = None, package: str | None = None
    ) -> Record | None:
        """The record of a theorem, if it spares proving it again: see ``prover.evidence.kept.believed``.

        Args:
            circuit_sha256: of the circuit given instead of the theorem's own, if any.
            package: that states the theorem, if it is none of ours.
        """
        return believed(self._record(theorem), theorem, package, circuit_sha256, self.archive)

    def write(self, record: Record, archive: Archive | None = None) -> None:
        """Write a record, its certificates first.

        Args:
            archive: where certificates are that the log does not have yet.

        Raises:
            StorageError: if that cannot be written.
        """
        path = self._record(record.theorem)
        if archive:
            for certificate in record.certificates:
                self.archive.adopt(certificate, archive)
        with storing(f"write a record to {self.directory}"):
            write_record(path, record)

    def end(self, discharged: int, complete: bool) -> None:
        """Say in the manifest how much was done; a complete log loses certificates that are no record's.

        Args:
            discharged: theorems that came out as promised.
            complete: whether every one was tried; if not, the next run continues.

        Raises:
            LogError: if the log was damaged meanwhile.
            StorageError: if the manifest cannot be written.
        """
        contents = read_log(self.directory)
        manifest = replace(
            contents.manifest,
            finished=_now(),
            discharged=discharged,
            complete=complete,
            records_sha256=records_sha256(self.directory),
        )
        with storing(f"write a proof log to {self.directory}"):
            if complete:
                self.archive.remove_all_but(
                    certificate for record in contents.records for certificate in record.certificates
                )
            self._write_manifest(manifest)
        if mark := _locked.pop(self.directory / MARK, None):
            mark.close()

    def _continued_since(self, used: Mapping[str, str]) -> datetime | None:
        """When the run began that left a log to be continued; None if there is none."""
        manifest = _manifest(self.directory)
        if manifest is None or manifest.complete:
            return None
        same = (manifest.source_sha256, manifest.versions) == (source_sha256(), used)
        return manifest.started if same else None

    def _clear(self) -> None:
        """Remove an earlier log, the manifest first: no record may ever be under one of another run."""
        (self.directory / MANIFEST).unlink(missing_ok=True)
        for path in (*_record_files(self.directory), *self.directory.glob(f"{COUNTEREXAMPLES}/*.json")):
            path.unlink()
        self.archive.remove_all_but(())

    def _remove_foreign_records(self) -> None:
        """Remove what no run of this source wrote, before it passes for a part of this one."""
        for path in _record_files(self.directory):
            record = current_record(path)
            if record is None or record.theorem != path.stem:
                path.unlink()

    def _write_manifest(self, manifest: Manifest) -> None:
        write_atomically(self.directory / MANIFEST, file_content(manifest))

    def _record(self, theorem: str) -> Path:
        if not _THEOREM.fullmatch(theorem):
            raise StorageError(
                f"a theorem named {theorem!r} cannot have a record; "
                "use letters, digits, '_', '.' and '-', and begin with none of the last two"
            )
        return self.directory / RECORDS / f"{theorem}.json"

    def counterexample(self, theorem: str, *, enumerated: bool = False) -> Path:
        """Where the counterexample of a record is written, or of an enumeration, to be replayed."""
        directory = self.directory / EXHAUSTIVE if enumerated else self.directory
        return directory / COUNTEREXAMPLES / self._record(theorem).name

    def exhaustive(self, theorem: str, *, unfinished: bool = False) -> Path:
        """Where the record of an exhaustive enumeration is written, or what there is of one so far."""
        path = self.directory / EXHAUSTIVE / self._record(theorem).name
        return path.with_suffix(".checkpoint") if unfinished else path


def _now() -> datetime:
    return datetime.now(timezone.utc).replace(microsecond=0)


def _manifest(directory: Path) -> Manifest | None:
    try:
        return _read(directory / MANIFEST, Manifest)
    except LogError:
        return None


# --- reading ----------------------------------------------------------------------------------------


def read_log(directory: Path) -> Contents:
    """The log in a directory, as it says; its certificates are not looked at, nor any seal.

    Raises:
        LogError: if there is none, or a part of it cannot be read.
    """
    manifest, digest = read_manifest(directory), manifest_sha256(directory)
    return Contents(manifest, digest, tuple(map(_read_record, _record_files(directory))))


def read_manifest(directory: Path) -> Manifest:
    """The manifest of a log.

    Raises:
        LogError: if there is none, or it cannot be read.
    """
    require_log(directory)
    return _read(directory / MANIFEST, Manifest)


def require_log(directory: Path) -> None:
    """Refuse a directory that is no log.

    Raises:
        LogError: saying so.
    """
    if not (directory / MANIFEST).is_file():
        raise LogError(f"{directory} is not a proof log: it has no {MANIFEST}; name the log of a run")


def manifest_sha256(directory: Path) -> str:
    """SHA-256 of a log's manifest, by which the log is cited."""
    return hashlib.sha256((directory / MANIFEST).read_bytes()).hexdigest()


def read_records(directory: Path) -> tuple[list[Record], list[str]]:
    """The records in a log that can be read, and of the others what is wrong; a line each."""
    found, damaged = [], []
    for path in _record_files(directory):
        try:
            found.append(_read_record(path))
        except LogError as error:
            damaged.append(error.format_message())
    return found, damaged


def records_sha256(directory: Path) -> str:
    """SHA-256 of the list of a log's records: file by file, its SHA-256, a space, its name."""
    digests = (
        f"{hashlib.sha256(path.read_bytes()).hexdigest()} {path.name}\n"
        for path in sorted((directory / RECORDS).glob("*.json"))
    )
    return hashlib.sha256("".join(digests).encode()).hexdigest()


def _record_files(directory: Path) -> list[Path]:
    return sorted((directory / RECORDS).glob("*.json"), key=_numbers_in_order)


def _numbers_in_order(path: Path) -> list[str | int]:
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", path.stem)]


def _read_record(path: Path) -> Record:
    record = _read(path, Record)
    if path.stem != record.theorem:
        raise LogError(f"{path} is a record of {record.theorem}; give the file its name back")
    return record


T = TypeVar("T")


def _read(path: Path, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except OSError as error:
        raise LogError(f"cannot read {path}: {error.strerror}") from None
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise LogError(
            f"cannot read {path}: {error}; "
            "run the proofs anew, or read the log with the version of spikeproof that wrote it"
        ) from None
