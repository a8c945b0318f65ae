"""What packages announce obligations, and of whose they are; loaded without what states them.

So is what is said of names that are none.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import EntryPoint, entry_points
from typing import Any

ENTRY_POINT_GROUP = "spikeproof.obligations"

PROJECT = "spikeproof"
"""What this project is called, and all of it is imported from."""

OURS = f"{PROJECT}.proofs:obligations"
"""The function that yields this project's own."""

DESCRIBED = f"{PROJECT}.proofs:described"
"""The function from a name to the obligation of ours that it describes, if it does."""

MAY_BE_DESCRIBED = f"{PROJECT}.proofs:may_be_described"
"""The function from a name, and all that are listed, to whether it may describe one; quick."""

HINT = f"{PROJECT}.proofs:hint"
"""The function from a pattern that matches none of some names, and these, to what may be meant."""


class CatalogueError(ValueError):
    """Two obligations of one name, a pattern that matches none, or a package that is not there."""


def announced() -> list[EntryPoint]:
    """What installed packages announce, but for this project."""
    points = entry_points(group=ENTRY_POINT_GROUP)
    return sorted((p for p in points if p.value != OURS), key=lambda p: (package_of(p), p.name, p.value))


def package_of(point: EntryPoint) -> str:
    """The distribution that announces obligations, empty if it has no name; their module, if of none."""
    if point.dist is None:
        return point.module
    # What is not there is an error to the package importlib_metadata, which finds it if it is loaded.
    said = point.dist.metadata
    return (said["Name"] or "") if "Name" in said else ""


def ours(function: str) -> Any:
    """One of this project's functions that are named above: no installed package can stand in for it."""
    return EntryPoint(PROJECT, function, ENTRY_POINT_GROUP).load()


def is_glob(pattern: str) -> bool:
    """Whether more than one name can match."""
    return any(letter in pattern for letter in "*?[")


def unmatched(pattern: str, names: Sequence[str]) -> CatalogueError:
    """That a pattern matches none of all names, and what may be meant."""
    return CatalogueError(f"no theorem matches {pattern!r}; {ours(HINT)(pattern, names)}")
