"""What theorems state, a line each, kept between runs: to list them they need not be stated anew.

The file is sealed together with the source that stated them, the libraries and Python, so that it counts
as absent wherever one of these has changed, or the file. It is for lists alone: no proof reads it.
"""

from __future__ import annotations

import hmac
import json
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from spikeproof.prover.claims.announced import (
    MAY_BE_DESCRIBED,
    announced,
    is_glob,
    ours,
    unmatched,
)
from spikeproof.prover.evidence.files import StorageError, cache_directory, write_atomically
from spikeproof.prover.evidence.seal import seal_bytes
from spikeproof.prover.evidence.source import source_sha256, versions

if TYPE_CHECKING:  # who lists lines does not wait for what states them
    from spikeproof.prover.claims.obligation import Obligation


class Line(NamedTuple):
    """A theorem as it is listed: name, promised outcome, profile, statement."""

    name: str
    expected: str
    profile: str
    statement: str

    @classmethod
    def of(cls, obligation: Obligation) -> Line:
        """That of an obligation."""
        expected, profile = obligation.expected.value, obligation.profile.value
        return cls(obligation.name, expected, profile, obligation.statement)

    @property
    def text(self) -> str:
        """Its parts between tabs."""
        return "\t".join(self)


def kept(patterns: Sequence[str]) -> list[Line] | None:
    """The theorems whose names match patterns, each once, as ``catalogue.select`` finds them.

    None if that cannot be said without stating them: nothing is kept of this very source, a pattern
    matches none and may be the name of a theorem that is not listed, or other packages announce theirs.

    Raises:
        CatalogueError: as ``select`` does, if a pattern matches none, and cannot be such a name.
    """
    source_sha256()  # of what will be loaded, if it must be: see ``keep``
    lines = _lines()
    found: dict[str, Line] = {}
    for pattern in patterns if lines else ():
        matching = {name: line for name, line in lines.items() if fnmatchcase(name, pattern)}
        if not matching:
            if not is_glob(pattern) and ours(MAY_BE_DESCRIBED)(pattern, list(lines)):
                return None
            raise unmatched(pattern, list(lines))
        found |= matching
    return list(found.values()) or None


def keep(obligations: Iterable[Obligation]) -> None:
    """Keep the lines of this project's obligations, after ``kept`` gave none.

    None are kept if the source is no longer what it was then, for it is not known what was loaded; if
    the cache is read-only, or the system refuses; or if other packages announce theorems.
    """
    from spikeproof.prover.evidence.cache import Cache

    text = "".join(f"{Line.of(each).text}\n" for each in obligations)
    unchanged = source_sha256() == source_sha256.__wrapped__()
    if unchanged and not announced() and not Cache.default().read_only:
        with suppress(OSError, StorageError):
            path = _path()
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, f"{_seal(text)}\n{text}")


def _lines() -> dict[str, Line]:
    """Those that are kept, by name; empty if there are none to be believed."""
    with suppress(OSError, StorageError, UnicodeError):
        if not announced():
            seal, _, text = _path().read_text(encoding="utf-8").partition("\n")
            if hmac.compare_digest(seal.encode(), _seal(text).encode()):
                lines = (Line(*line.split("\t")) for line in text.split("\n")[:-1])
                return {line.name: line for line in lines}
    return {}


def _path() -> Path:
    return cache_directory() / "v1" / "statements.tsv"


def _seal(text: str) -> str:
    of = ["statements", source_sha256(), dict(versions()), sys.version]
    return seal_bytes(f"{json.dumps(of)}\n{text}".encode())
