"""One log of several, which the shards of a run wrote: to be verified and cited as one."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from spikeproof.prover.claims.catalogue import profile_name, promised
from spikeproof.prover.evidence.archive import Archive
from spikeproof.prover.evidence.files import storing
from spikeproof.prover.evidence.log import (
    CERTIFICATES,
    Contents,
    Log,
    LogError,
    Part,
    read_log,
    records_sha256,
)
from spikeproof.prover.evidence.record import Record
from spikeproof.prover.evidence.source import source_sha256


def merge(directories: Sequence[Path], into: Path, command: str) -> Contents:
    """Write a log that has the records and certificates of others.

    It is of a profile if it has all theorems of that. Where logs have records of one theorem, as of a
    unit on which programs in several shards rest, the first one's is taken.

    Args:
        directories: of the logs, whole and of the source that is here.
        into: a new directory, or that of a log, which is replaced.
        command: for the manifest.

    Returns:
        What the new log says.

    Raises:
        LogError: if one of them cannot be read, lacks something, is of another source or other
            libraries, is of a circuit that was given, or contradicts another.
        StorageError: if the new one cannot be written.
    """
    if any(into.resolve() == each.resolve() for each in directories):
        raise LogError(f"{into} is one of the logs to be merged; name a new directory")
    resolved = [each.resolve() for each in directories]
    if twice := next((each for each in directories if resolved.count(each.resolve()) > 1), None):
        raise LogError(f"{twice} is named more than once; name each log once")
    parts = {directory: _whole(directory) for directory in directories}
    first = next(iter(parts.values())).manifest
    for directory, contents in parts.items():
        if dict(contents.manifest.versions) != dict(first.versions):
            raise LogError(f"{directory} was written with other versions of libraries than the others")
    records = _united(parts)
    log = Log.begin(
        into,
        command=command,
        profile=_profile(records),
        promised=len(records),
        packages={record.package for _, record in records.values()},
        parts=[Part.of(contents) for contents in parts.values()],
    )
    for directory, record in records.values():
        _require_certificates(directory, record)
        log.write(record, Archive(directory / CERTIFICATES))
        if record.counterexample is not None:
            _copy(Log(directory).counterexample(record.theorem), log.counterexample(record.theorem))
    log.end(discharged=sum(record.green for _, record in records.values()), complete=True)
    return read_log(into)


def _whole(directory: Path) -> Contents:
    """What a log says, if it is one that can be part of another."""
    contents = read_log(directory)
    manifest = contents.manifest
    if manifest.source_sha256 != source_sha256():
        raise LogError(f"{directory} is of another source, commit {manifest.commit}; merge logs there")
    if contents.lacks:
        raise LogError(f"{directory}: {contents.lacks[0]}; run the same command again, and it goes on")
    if manifest.records_sha256 != records_sha256(directory):
        raise LogError(f"{directory}: the records are not those that the manifest names")
    if given := next((each.theorem for each in contents.records if each.circuit_sha256), None):
        raise LogError(f"{directory} is of a circuit that was given, for {given}: a log of its own")
    return contents


def _united(parts: dict[Path, Contents]) -> dict[str, tuple[Path, Record]]:
    """Records by theorem, and in which log each is."""
    found: dict[str, tuple[Path, Record]] = {}
    for directory, contents in parts.items():
        for record in contents.records:
            where, other = found.setdefault(record.theorem, (directory, record))
            if other.outcome is not record.outcome:
                raise LogError(
                    f"{record.theorem} is {other.outcome.value} in {where}, "
                    f"but {record.outcome.value} in {directory}"
                )
    return found


def _profile(theorems: Iterable[str]) -> str:
    """The widest profile that these are all of."""
    there = set(theorems)
    for wide in (True, False):
        if there.issuperset(each.name for each in promised(wide=wide)):
            return profile_name(wide=wide)
    return "part"


def _require_certificates(directory: Path, record: Record) -> None:
    archive = Archive(directory / CERTIFICATES)
    for certificate in record.certificates:
        if not archive.holds(certificate):
            raise LogError(
                f"{directory} lacks a certificate of {record.theorem}, or it is damaged: "
                f"{certificate.sha256}; prove that shard anew"
            )


def _copy(source: Path, target: Path) -> None:
    with storing(f"write a counterexample to {target.parent}"):
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
