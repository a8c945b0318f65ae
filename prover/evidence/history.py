"""The last record of each theorem, kept between runs for ``spikeproof show``.

For display only: nothing is ever believed because it is written here.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import msgspec

from spikeproof.prover.evidence.files import state_directory
from spikeproof.prover.evidence.kept import is_current, write_record
from spikeproof.prover.evidence.record import Record


def directory() -> Path:
    """Where last records are kept."""
    return state_directory() / "last_results"


def remember(record: Record) -> None:
    """Keep a record; where the directory cannot be written, do nothing."""
    with suppress(OSError):
        write_record(directory() / f"{record.theorem}.json", record)


def last_result(theorem: str) -> tuple[Record, bool] | None:
    """The last record of a theorem, and whether the source has not changed since; None if unknown."""
    try:
        content = (directory() / f"{theorem}.json").read_bytes()
        record = msgspec.json.decode(content, type=Record)
    except (OSError, ValueError, msgspec.MsgspecError):
        return None
    return record, is_current(record)
