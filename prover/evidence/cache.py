"""What was proved before, kept between runs and shared by any number of processes.

Whatever in it is damaged, or was not sealed with our key, counts as absent and is written anew.
``docs/proof_log.md`` describes the files.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

from spikeproof.prover.evidence.archive import Archive
from spikeproof.prover.evidence.files import (
    cache_directory,
    remove_unfinished,
    require_room,
    storing,
    write_atomically,
)
from spikeproof.prover.evidence.kept import believed, write_record
from spikeproof.prover.evidence.record import Record
from spikeproof.prover.evidence.seal import require_key, seal_bytes
from spikeproof.prover.evidence.source import source_sha256, versions

_LAYOUT = "v1"
_KEY = re.compile(r"[0-9a-f]{64}")
_A_DAY = 24 * 60 * 60.0


@dataclass(frozen=True)
class Cache:
    """A directory of records by theorem, answers by question, and certificates by content.

    Attributes:
        read_only: nothing is ever written.
    """

    directory: Path
    read_only: bool = False

    @classmethod
    def default(cls) -> Cache:
        """In ``SPIKEPROOF_CACHE``, else where the system keeps caches.

        Read-only if ``SPIKEPROOF_CACHE_READ_ONLY`` is 1.
        """
        return cls(cache_directory(), os.environ.get("SPIKEPROOF_CACHE_READ_ONLY") == "1")

    @property
    def archive(self) -> Archive:
        """Certificates of the records; those of a read-only cache must be kept elsewhere."""
        return Archive(self.directory / _LAYOUT / "certificates")

    def require_usable(self) -> None:
        """Refuse a cache that cannot be written, before any work is done; tidy up one that can.

        Raises:
            StorageError: if nothing can be written, or there is no key of seals and none can be made.
        """
        require_key()
        if self.read_only:
            return
        with storing(f"keep a cache in {self.directory}"):
            require_room(self.directory / _LAYOUT)
            remove_unfinished(self.directory / _LAYOUT, untouched_for=_A_DAY)

    def record(
        self, theorem: str, circuit_sha256: str | None = None, package: str | None = None
    ) -> Record | None:
        """What became of a theorem, decided by the source as it is now; None if that is not known.

        Args:
            circuit_sha256: of the circuit given instead of the theorem's own, if any.
            package: that states the theorem, if it is none of ours.

        Raises:
            StorageError: if there is no key of seals and none can be made.
        """
        path = self._record(theorem, circuit_sha256, package)
        return believed(path, theorem, package, circuit_sha256, self.archive)

    def keep_record(self, record: Record) -> None:
        """Keep a sealed record whose certificates are in the archive, if it is decided.

        Raises:
            StorageError: if it cannot be written.
        """
        if self.read_only or not record.decided:
            return
        with storing(f"keep a record in {self.directory}"):
            write_record(self._record(record.theorem, record.circuit_sha256, record.package), record)

    def answer(self, key: str) -> bytes | None:
        """What was kept under a SHA-256 in hexadecimal; None if there is nothing that is sealed.

        Raises:
            StorageError: if there is no key of seals and none can be made.
        """
        try:
            seal, _, content = self._entry("answers", key).read_bytes().partition(b"\n")
        except OSError:
            return None
        return content if hmac.compare_digest(seal, _seal_of_answer(key, content)) else None

    def keep_answer(self, key: str, content: bytes) -> None:
        """Keep something under a SHA-256, in hexadecimal, of all that it depends on.

        Raises:
            StorageError: if it cannot be written.
        """
        if self.read_only:
            return
        with storing(f"keep an answer in {self.directory}"):
            sealed = b"\n".join((_seal_of_answer(key, content), content))
            write_atomically(self._entry("answers", key), sealed)

    def _record(self, theorem: str, circuit_sha256: str | None, package: str | None = None) -> Path:
        subject = json.dumps([theorem, source_sha256(package), versions(package), circuit_sha256 or ""])
        return self._entry("records", hashlib.sha256(subject.encode()).hexdigest(), ".json")

    def _entry(self, kind: str, key: str, suffix: str = "") -> Path:
        if not _KEY.fullmatch(key):
            raise ValueError(f"{key!r} is not a SHA-256 in hexadecimal")
        return self.directory / _LAYOUT / kind / key[:2] / (key + suffix)


def _seal_of_answer(key: str, content: bytes) -> bytes:
    """With the key, so that no answer can be moved to another question."""
    return seal_bytes(key.encode() + b"\n" + content).encode()
