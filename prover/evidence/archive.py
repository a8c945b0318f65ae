"""Certificates, by content: each is kept once, compressed, under the SHA-256 of its bytes."""

from __future__ import annotations

import gzip
import hashlib
import os
import re
import shutil
import sys
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from spikeproof.prover.evidence.files import replacing, storing, write_atomically
from spikeproof.prover.evidence.record import Certificate, CertificateKind

_SHA256 = re.compile(r"[0-9a-f]{64}")
_GZIP = 16 + zlib.MAX_WBITS


class CertificateError(ValueError):
    """A certificate that is not there, or is not what its record names; the message says why."""


@dataclass(frozen=True)
class Archive:
    """A directory of certificates.

    Files may be shared with other archives by hard links: they are replaced, never written into.
    """

    directory: Path

    def keep(self, kind: CertificateKind, content: bytes) -> Certificate:
        """Keep a certificate, unless it is there already, and sound.

        Raises:
            StorageError: if it cannot be written.
        """
        certificate = Certificate.of(kind, content)
        if not self.holds(certificate):
            self._put(certificate, gzip.compress(content, 1, mtime=0))
        return certificate

    def content(self, certificate: Certificate) -> bytes:
        """The bytes of a certificate.

        Raises:
            CertificateError: if they are not there, or are not those that it names.
        """
        path = self._path(certificate)
        content = _unpacked(path, self.packed(certificate), certificate.size)
        if hashlib.sha256(content).hexdigest() != certificate.sha256:
            raise CertificateError(f"{path} has another SHA-256 than its record says")
        return content

    def packed(self, certificate: Certificate) -> bytes:
        """What is kept of a certificate, whatever that is.

        Raises:
            CertificateError: if there is nothing.
        """
        path = self._path(certificate)
        try:
            return path.read_bytes()
        except FileNotFoundError:
            raise CertificateError(f"{path} is missing") from None
        except OSError as error:
            raise CertificateError(f"cannot read {path}: {error.strerror or error}") from None

    def holds(self, certificate: Certificate) -> bool:
        """Whether its content is here, to the last bit."""
        try:
            self.content(certificate)
        except CertificateError:
            return False
        return True

    def adopt(self, certificate: Certificate, other: Archive) -> None:
        """Have a certificate that another archive holds, in the same file if the system can link.

        What the other archive has is taken as it is.

        Raises:
            CertificateError: if the record names it by something that is no SHA-256.
            StorageError: if it cannot be written.
        """
        source, target = other._path(certificate), self._path(certificate)
        with storing(f"keep a certificate in {self.directory}"):
            if _one_file(source, target) or (target.exists() and self.holds(certificate)):
                return
            with replacing(target) as temporary:
                other._give(certificate, temporary)

    def remove_all_but(self, certificates: Iterable[Certificate]) -> None:
        """Remove every certificate that is not among these; other files stay.

        Raises:
            OSError: if one cannot be removed.
        """
        stay = {_file_name(certificate) for certificate in certificates}
        for path in self.directory.glob("??/*.gz"):
            if path.name not in stay:
                path.unlink()

    def _put(self, certificate: Certificate, packed: bytes) -> None:
        with storing(f"keep a certificate in {self.directory}"):
            write_atomically(self._path(certificate), packed)

    def _give(self, certificate: Certificate, target: Path) -> None:
        """Have it in another file."""
        source = self._path(certificate)
        try:
            os.link(source, target)
        except OSError:  # another file system, or one without links
            shutil.copyfile(source, target)

    def _path(self, certificate: Certificate) -> Path:
        sha256 = certificate.sha256
        if not _SHA256.fullmatch(sha256):  # it might lead out of the directory
            raise CertificateError(f"{sha256!r} is not the SHA-256 of a certificate")
        return self.directory / sha256[:2] / _file_name(certificate)


@dataclass(frozen=True)
class Parcel(Archive):
    """An archive in memory, to be sent with records.

    Attributes:
        files: what would be in a directory, by name.
    """

    directory: Path = Path("parcel")
    files: dict[str, bytes] = field(default_factory=dict)

    def packed(self, certificate: Certificate) -> bytes:
        """See ``Archive``."""
        try:
            return self.files[_file_name(certificate)]
        except KeyError:
            raise CertificateError(f"{_file_name(certificate)} is missing") from None

    def adopt(self, certificate: Certificate, other: Archive) -> None:
        """See ``Archive``."""
        self._put(certificate, other.packed(certificate))

    def _put(self, certificate: Certificate, packed: bytes) -> None:
        self.files[_file_name(certificate)] = packed

    def _give(self, certificate: Certificate, target: Path) -> None:
        target.write_bytes(self.packed(certificate))


def _file_name(certificate: Certificate) -> str:
    return f"{certificate.sha256}.{certificate.kind}.gz"


def _one_file(first: Path, second: Path) -> bool:
    try:
        return first.samefile(second)
    except FileNotFoundError:
        return False


def _unpacked(path: Path, packed: bytes, size: int) -> bytes:
    """What was compressed, if it has that size; no more is unpacked than it takes to see that."""
    if not 0 <= size < sys.maxsize:
        raise CertificateError(f"{path} cannot have the {size} bytes that its record says")
    unpacking = zlib.decompressobj(_GZIP)
    try:
        content = unpacking.decompress(packed, size + 1)
    except zlib.error as error:
        raise CertificateError(f"{path} is damaged: {error}") from None
    if len(content) > size:
        raise CertificateError(f"{path} has more than the {size} bytes that its record says")
    if not unpacking.eof:
        raise CertificateError(f"{path} is truncated")
    if len(content) < size:
        raise CertificateError(f"{path} has {len(content)} bytes; its record says {size}")
    if unpacking.unused_data:
        raise CertificateError(f"{path} is damaged: more follows its end")
    return content
