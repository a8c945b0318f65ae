"""Records in files, in cache and log alike: how they are written, and when a run believes one."""

from __future__ import annotations

from pathlib import Path

import msgspec

from spikeproof.prover.claims.catalogue import CatalogueError
from spikeproof.prover.evidence.archive import Archive
from spikeproof.prover.evidence.files import write_atomically
from spikeproof.prover.evidence.record import Record, file_content
from spikeproof.prover.evidence.seal import is_sealed
from spikeproof.prover.evidence.source import source_sha256


def write_record(path: Path, record: Record) -> None:
    """Write a record whole or not at all.

    Raises:
        OSError: if it cannot be written.
    """
    write_atomically(path, file_content(record))


def is_current(record: Record) -> bool:
    """Whether a record is of the source as it is now."""
    try:
        return record.source_sha256 == source_sha256(record.package)
    except CatalogueError:  # a package that is not there any more
        return False


def current_record(path: Path) -> Record | None:
    """The record in a file, if it is sealed and of the source as it is now; else None, whatever it is.

    Raises:
        StorageError: if there is no key of seals and none can be made.
    """
    try:
        record = msgspec.json.decode(path.read_bytes(), type=Record)
    except (OSError, ValueError, RecursionError, msgspec.MsgspecError):
        return None
    return record if is_current(record) and is_sealed(record) else None


def believed(
    path: Path, theorem: str, package: str | None, circuit_sha256: str | None, archive: Archive
) -> Record | None:
    """The record in a file, if it spares proving the theorem again.

    That is, if it is sealed, was decided by the source as it is now, is of this theorem, of the package
    that states it now (None: ours) and of this circuit (None: the theorem's own), and all its
    certificates are sound.

    Raises:
        StorageError: if there is no key of seals and none can be made.
    """
    record = current_record(path)
    believable = (
        record is not None
        and record.decided
        and (record.theorem, record.package) == (theorem, package)
        and record.circuit_sha256 == circuit_sha256
        and all(archive.holds(certificate) for certificate in record.certificates)
    )
    return record if believable else None
