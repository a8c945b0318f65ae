"""The last result of each theorem, kept between runs for ``spikeproof show``.

Kept under ``SPIKEPROOF_STATE`` if that is set, else in the user's state directory. For display only:
nothing is ever believed because it is written here.
"""

from __future__ import annotations

import hashlib
import json
import os
from functools import cache
from pathlib import Path
from typing import Any

from platformdirs import user_state_path

from prover.discharge import Result


def directory() -> Path:
    """Where last results are kept."""
    return Path(os.environ.get("SPIKEPROOF_STATE") or user_state_path("spikeproof")) / "last_results"


def remember(result: Result) -> None:
    """Keep a result; where the directory cannot be written, do nothing."""
    try:
        directory().mkdir(parents=True, exist_ok=True)
        record = {"source": source_sha256(), "result": result.as_json()}
        write_atomically(directory() / f"{result.theorem}.json", json.dumps(record))
    except OSError:
        return


def last_result(theorem: str) -> tuple[Result, bool] | None:
    """The last result of a theorem, and whether the source has not changed since; None if unknown."""
    try:
        record: dict[str, Any] = json.loads((directory() / f"{theorem}.json").read_text())
        return Result.from_json(record["result"]), record["source"] == source_sha256()
    except (OSError, ValueError, KeyError, TypeError):
        return None


@cache
def source_sha256() -> str:
    """SHA-256 of everything a theorem of ours depends on: specs, circuits, prover, proofs."""
    root = Path(__file__).parent.parent
    digest = hashlib.sha256()
    for package in ("circuits", "proofs", "prover", "specs"):
        for path in sorted((root / package).rglob("*.py")):
            digest.update(str(path.relative_to(root)).encode() + path.read_bytes())
    return digest.hexdigest()


def beside(path: Path) -> Path:
    """Where a file is written before it takes its place."""
    return path.with_name(f".{path.name}.{os.getpid()}")


def write_atomically(path: Path, text: str) -> None:
    """Write a file whole or not at all.

    Raises:
        OSError: if the directory cannot be written.
    """
    temporary = beside(path)
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
