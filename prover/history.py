"""The last result of each theorem, kept between runs for ``spikeproof show``.

For display only: nothing is ever believed because it is written here.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from prover.discharge import Result
from prover.files import state_directory, write_atomically
from prover.source import source_sha256


def directory() -> Path:
    """Where last results are kept."""
    return state_directory() / "last_results"


def remember(result: Result) -> None:
    """Keep a result; where the directory cannot be written, do nothing."""
    try:
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
