"""Files that are written whole or not at all, and one clear line where they cannot be written."""

from __future__ import annotations

import os
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from errno import ELOOP
from pathlib import Path

import click
from platformdirs import user_cache_path, user_state_path

_UNFINISHED = re.compile(r"\..+\.\d+\.[0-9a-f]{8}\.unfinished", re.DOTALL)
_PROBE = bytes(1 << 16)
"""So many bytes that a full disk has no room for them, however it counts."""


class StorageError(click.ClickException):
    """Something that cannot be kept; one line: what, why, and what to do."""


@contextmanager
def storing(what: str, remedy: str = "free some space or name another directory") -> Iterator[None]:
    """Say in one line what the system refused.

    Args:
        what: what is being done, as it follows "cannot".
        remedy: what to do about it.

    Raises:
        StorageError: in place of any ``OSError``.
    """
    try:
        yield
    except OSError as error:
        raise StorageError(f"cannot {what}: {error.strerror or error}; {remedy}") from None


def state_directory() -> Path:
    """What is kept for this user between runs: ``SPIKEPROOF_STATE``, else the system's place for it."""
    return Path(os.environ.get("SPIKEPROOF_STATE") or user_state_path("spikeproof"))


def cache_directory() -> Path:
    """What can be found anew: in ``SPIKEPROOF_CACHE``, else where the system keeps caches."""
    return Path(os.environ.get("SPIKEPROOF_CACHE") or user_cache_path("spikeproof"))


def beside(path: Path) -> Path:
    """A name of its own for what will take a file's place: no other process has it, nor a later call."""
    return path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.unfinished")


def is_special(path: Path) -> bool:
    """Whether there is something that is no file and no directory: a device, a pipe."""
    return path.exists() and not path.is_file() and not path.is_dir()


def followed(path: Path) -> Path:
    """Where a path leads if all links are followed.

    Raises:
        OSError: if they lead round in a circle.
    """
    round_in_a_circle = OSError(ELOOP, os.strerror(ELOOP))
    try:
        where = path.resolve()
    except RuntimeError:  # so Python says it up to 3.12; later it does not
        raise round_in_a_circle from None
    if where.is_symlink():
        raise round_in_a_circle
    return where


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Where to write a file that takes its place once it is whole; its directory is made.

    A link stays, and what it leads to is replaced; a device or a pipe is written to as it is.

    Raises:
        OSError: if it cannot be written.
    """
    if is_special(path):
        yield path
        return
    path = followed(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = beside(path)
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write a file, text in UTF-8, whole or not at all.

    Raises:
        OSError: if it cannot be written.
    """
    with replacing(path) as temporary:
        temporary.write_bytes(content.encode() if isinstance(content, str) else content)


def require_room(directory: Path) -> None:
    """Make a directory if there is none, and see that something can be written there.

    Raises:
        OSError: if not.
    """
    directory.mkdir(parents=True, exist_ok=True)
    probe = beside(directory / "probe")
    try:
        probe.write_bytes(_PROBE)
    finally:
        probe.unlink(missing_ok=True)


def remove_unfinished(directory: Path, untouched_for: float = 0, spared: Path | None = None) -> None:
    """Remove what processes that were killed left behind, at any depth.

    Args:
        untouched_for: seconds; what was written to since may be a living process's.
        spared: a directory within that is others' business.

    Raises:
        OSError: if something cannot be removed.
    """
    latest = time.time() - untouched_for
    for folder, folders, names in os.walk(directory):
        folders[:] = (name for name in folders if Path(folder, name) != spared)
        for path in (Path(folder, name) for name in names if _UNFINISHED.fullmatch(name)):
            with suppress(FileNotFoundError):  # another process is at the same
                if path.stat().st_mtime <= latest:
                    path.unlink()
