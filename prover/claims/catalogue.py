"""Which obligations exist.

Packages announce theirs under the entry point group ``spikeproof.obligations``: a function that
yields ``Obligation`` objects. This project's own are announced by ``proofs`` in ``pyproject.toml``;
any installed package may add more.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from fnmatch import fnmatchcase
from functools import cache
from importlib.metadata import entry_points

from spikeproof.prover.claims.obligation import Obligation, Profile

ENTRY_POINT_GROUP = "spikeproof.obligations"

DISTRIBUTION = "spikeproof"
"""What this project is called among the installed packages."""


class CatalogueError(ValueError):
    """Two obligations of one name, or a pattern that matches none."""


def collect(obligations: Iterable[Obligation]) -> dict[str, Obligation]:
    """Obligations by name.

    Raises:
        CatalogueError: if two have the same name.
    """
    found: dict[str, Obligation] = {}
    for obligation in obligations:
        if obligation.name in found:
            raise CatalogueError(f"two obligations are named {obligation.name}; rename one")
        found[obligation.name] = obligation
    return found


@cache
def catalogue() -> dict[str, Obligation]:
    """Every announced obligation, by name."""
    return collect(obligation for _, obligation in _announced())


@cache
def own() -> dict[str, Obligation]:
    """The obligations that this project announces, by name; no other package's."""
    return collect(obligation for package, obligation in _announced() if package == DISTRIBUTION)


@cache
def _announced() -> tuple[tuple[str | None, Obligation], ...]:
    """Every obligation, with the name of the package that announces it."""
    points = sorted(entry_points(group=ENTRY_POINT_GROUP), key=lambda point: point.name)
    # The name is read from a file each time it is asked for.
    packages = [(point.dist.name if point.dist else None, point.load()) for point in points]
    return tuple((name, obligation) for name, obligations in packages for obligation in obligations())


def promised(*, wide: bool) -> list[Obligation]:
    """The obligations of the default profile, and on demand of the wide one too."""
    return [o for o in catalogue().values() if wide or o.profile is Profile.DEFAULT]


def profile_name(*, wide: bool) -> str:
    """The name of what ``promised`` gives."""
    return Profile.WIDE.value if wide else Profile.DEFAULT.value


def select(pattern: str) -> list[Obligation]:
    """The obligations, of any profile, whose name matches a shell glob.

    Raises:
        CatalogueError: if none does; the message names those that come closest.
    """
    matching = [o for name, o in catalogue().items() if fnmatchcase(name, pattern)]
    if not matching:
        raise CatalogueError(f"no theorem matches {pattern!r}; {_hint(pattern)}")
    return matching


def _hint(pattern: str) -> str:
    names = list(catalogue())
    families = sorted({name.split(".")[0] for name in names})
    family = pattern.split(".")[0]
    if not any(fnmatchcase(known, family) for known in families):
        return f"names begin with a format or a family: {', '.join(families)}"
    close = get_close_matches(pattern, names, n=3, cutoff=0.5)
    if close:
        return "did you mean " + " or ".join(close) + "?"
    return "`spikeproof list` shows all names"
