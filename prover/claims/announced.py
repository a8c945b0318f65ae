"""What packages announce obligations, and of whose they are; loaded without what states them."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points

ENTRY_POINT_GROUP = "spikeproof.obligations"

PROJECT = "spikeproof"
"""What this project is called, and all of it is imported from."""

OURS = f"{PROJECT}.proofs:obligations"
"""The function that yields this project's own."""


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
