"""The last result of each theorem, kept between runs for ``spikeproof show``.

Kept under ``SPIKEPROOF_STATE`` if that is set, else in the user's state directory. For display only:
nothing is ever believed because it is written here.
"""

from __future__ import annotations

import json
import os
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
        write_atomically(directory() / f"{result.theorem}.json", json.dumps(result.as_json()))
    except OSError:
        return


def last_result(theorem: str) -> dict[str, Any] | None:
    """The last result of a theorem in its JSON form, or None if there is none."""
    try:
        loaded: dict[str, Any] = json.loads((directory() / f"{theorem}.json").read_text())
    except (OSError, ValueError):
        return None
    return loaded


def write_atomically(path: Path, text: str) -> None:
    """Write a file whole or not at all.

    Raises:
        OSError: if the directory cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_text(text)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
