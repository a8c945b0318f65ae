"""A proof log as reports see it: plain data, checked on the way in."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal, TypeVar

import click
import msgspec

from prover.record import Record

MANIFEST = "manifest.json"
RECORDS = "records"


class LogError(click.ClickException):
    """A log that cannot be read; the message says what is wrong and what to do."""


@dataclass(frozen=True)
class Machine:
    """What a run ran on."""

    system: str
    processor: str
    cores: int
    memory_gib: float
    python: str


@dataclass(frozen=True)
class Manifest:
    """What a run was: which command, of which source, with what, and how much of it was done."""

    schema: Literal["spikeproof-manifest-1"]
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
    discharged: int
    complete: bool


@dataclass(frozen=True)
class Log:
    """A run: its manifest, that file's SHA-256, and the records by theorem, numbers in order."""

    manifest: Manifest
    manifest_sha256: str
    records: tuple[Record, ...]


def read_log(directory: Path) -> Log:
    """The log in a directory.

    Raises:
        LogError: if there is none, or a part of it cannot be read.
    """
    path = directory / MANIFEST
    if not path.is_file():
        raise LogError(f"{directory} is not a proof log: it has no {MANIFEST}; name the log of a run")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    files = sorted((directory / RECORDS).glob("*.json"), key=_numbers_in_order)
    return Log(_read(path, Manifest), digest, tuple(map(_read_record, files)))


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
    except (msgspec.DecodeError, UnicodeError) as error:
        reason = str(error)
        raise LogError(
            f"cannot read {path}: {reason[:1].lower()}{reason[1:]}; "
            "run the proofs anew, or read the log with the version of spikeproof that wrote it"
        ) from None
