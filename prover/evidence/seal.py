"""Seals: whether what is read back is what a run of this user, or of this project's CI, once wrote.

A run believes a cache, and the log that it continues, only where the seal is right; so nobody makes a
theorem by writing into either. The key is the environment's ``SPIKEPROOF_SEAL``, a secret that runs in
CI share, else 32 random bytes in the state directory which only the user can read. Whoever has the key
can seal anything: ``spikeproof verify`` therefore looks at no seal at all.
"""

from __future__ import annotations

import hmac
import json
import os
import secrets
from contextlib import suppress
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from spikeproof.prover.evidence.files import StorageError, beside, state_directory, storing
from spikeproof.prover.evidence.source import versions

if TYPE_CHECKING:  # what seals no record need not wait for it
    from spikeproof.prover.evidence.record import Record

_KEY_BYTES = 32
_REMEDY = "set SPIKEPROOF_SEAL to a secret, or SPIKEPROOF_STATE to another directory"


def seal_bytes(content: bytes) -> str:
    """The seal of some bytes: HMAC-SHA-256, in hexadecimal.

    Raises:
        StorageError: if there is no key and none can be made.
    """
    return hmac.digest(_key(), content, "sha256").hex()


def sealed(record: Record) -> Record:
    """The record with its seal, which covers all else in it.

    Raises:
        StorageError: if there is no key and none can be made.
    """
    return replace(record, seal=_seal(record))


def is_sealed(record: Record) -> bool:
    """Whether the record is as it was when it was sealed, by somebody who has our key.

    Raises:
        StorageError: if there is no key and none can be made.
    """
    return hmac.compare_digest(_seal(record).encode(), record.seal.encode(errors="replace"))


def require_key() -> None:
    """Make the key if there is none, before work is done that needs it.

    Raises:
        StorageError: if that cannot be done.
    """
    _key()


def _seal(record: Record) -> str:
    content = {name: value for name, value in record.as_json().items() if name != "seal"}
    subject = [
        content,
        dict(versions(record.package)),
    ]  # what other libraries found is to be found again
    return seal_bytes(json.dumps(subject, sort_keys=True, separators=(",", ":")).encode())


def _key() -> bytes:
    # An empty secret is none: it is what CI gives to those who may not know it.
    secret = os.environ.get("SPIKEPROOF_SEAL")
    return secret.encode() if secret else _key_in(state_directory() / "seal.key")


@cache
def _key_in(path: Path) -> bytes:
    """The key in a file, made if there is none."""
    with storing(f"keep the key of seals in {path.parent}", _REMEDY):
        if not path.exists():
            _make_key(path)
        key = path.read_bytes()
    if len(key) != _KEY_BYTES:
        raise StorageError(f"{path} is not a key of seals; remove it, and a new one is made")
    return key


def _make_key(path: Path) -> None:
    """Of several processes that make it at once the first one's key is everybody's."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = beside(path)
    try:
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(secrets.token_bytes(_KEY_BYTES))
        with suppress(FileExistsError):
            path.hardlink_to(temporary)
    finally:
        temporary.unlink(missing_ok=True)
