"""Which obligations exist.

Beside those that are promised there are ours that a name describes: of any format, under any convention.
Packages announce theirs under the entry point group ``spikeproof.obligations``: a function that
yields ``Obligation`` objects. This project's own are loaded by name, so that no installed package can
stand in for them, nor need be imported where only they are asked for.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import cache, partial
from importlib.metadata import EntryPoint

from spikeproof.circuits.netlist import Netlist, NetlistError
from spikeproof.prover.claims.announced import (
    DESCRIBED,
    OURS,
    PROJECT,
    announced,
    is_glob,
    ours,
    package_of,
    unmatched,
)
from spikeproof.prover.claims.announced import CatalogueError as CatalogueError  # for who asks here
from spikeproof.prover.claims.obligation import (
    Named,
    Obligation,
    Outcome,
    Profile,
    require_same_buses,
)
from spikeproof.prover.claims.regions import EXCEPT, except_where


class Collection(Mapping[str, Obligation]):
    """Obligations by name, of which only those are made that are asked for.

    No more names are looked at than it takes to find one. Its methods raise ``CatalogueError`` if they
    come to two of the same name, or to an obligation that is not what it was named.
    """

    def __init__(self, obligations: Iterable[Obligation | Named]) -> None:
        self._coming = iter(obligations)
        self._found: dict[str, Obligation | Named] = {}

    def __getitem__(self, name: str) -> Obligation:
        if name not in self:
            raise KeyError(name)
        found = self._found[name]
        if isinstance(found, Named):
            self._found[name] = found = _made(found)
        return found

    def __contains__(self, name: object) -> bool:
        while name not in self._found and self._add_next():
            pass
        return name in self._found

    def __iter__(self) -> Iterator[str]:
        return iter(self.whole()._found)

    def __len__(self) -> int:
        return len(self.whole()._found)

    def whole(self) -> Collection:
        """Itself, with all names known."""
        while self._add_next():
            pass
        return self

    def named(self) -> Iterator[Named]:
        """All of them, to be made here and once."""

        def here(name: str, _: Profile) -> Obligation:
            return self[name]

        for name in self:
            yield Named(name, self._found[name].profile, partial(here, name))

    def of(self, *profiles: Profile) -> list[str]:
        """The names of those of some profiles."""
        return [name for name in self if self._found[name].profile in profiles]

    def _add_next(self) -> bool:
        """Whether there was one more."""
        try:
            for obligation in self._coming:
                self._add(obligation)
                return True
        except BaseException:
            self._coming = iter(_cut_short, None)
            raise
        return False

    def _add(self, obligation: Obligation | Named) -> None:
        if other := self._found.get(obligation.name):
            packages = sorted({_package(each) for each in (obligation, other)})
            raise CatalogueError(
                f"two obligations are named {obligation.name}, of {' and '.join(packages)}; rename one"
            )
        self._found[obligation.name] = obligation


def _made(named: Named) -> Obligation:
    """What a name was said to be of, if it is."""
    try:
        obligation = named.make(named.profile)
    except KeyError as error:  # which whoever asks a mapping takes for: there is no such name
        raise CatalogueError(f"{named.name} cannot be stated: KeyError: {error}") from error
    if (obligation.name, obligation.profile) != (named.name, named.profile):
        said = f"{obligation.name} ({obligation.profile.value})"
        raise CatalogueError(f"{named.name} ({named.profile.value}) is stated as {said}; mend its name")
    return obligation


def _package(each: Obligation | Named) -> str:
    return (isinstance(each, Obligation) and each.package) or PROJECT


def _cut_short() -> Obligation:
    """What comes where no more can come: obligations that are missing are not taken for none."""
    raise CatalogueError("not all theorems could be stated; start again")


@cache
def _ours() -> Collection:
    return Collection(ours(OURS)())


def own_named(name: str) -> Obligation | None:
    """That of this project of a name, if there is one; the others need not be made for it."""
    return _ours().get(name)


def own() -> Collection:
    """The obligations of this project, by name; no other package is imported for them."""
    return _ours().whole()


@cache
def described(name: str) -> Obligation | None:
    """The obligation that a name describes, promised or not; None if it is no such name.

    It is one of ours, or any but for some of its inputs: see ``claims.regions``.

    Raises:
        ValueError: if it begins like one, and what follows is not possible; one line.
    """
    whole, said, words = name.partition(EXCEPT)
    if said:
        obligation = stated(whole) or described(whole)
        return except_where(obligation, words.split(".")) if obligation else None
    found: Obligation | None = ours(DESCRIBED)(name)
    return (own_named(found.name) or found) if found else None


@cache
def catalogue() -> Collection:
    """Every obligation, by name: this project's own, then those of installed packages.

    Those that only a name describes are not among them. A package that cannot be loaded is named in one
    line of the log ``spikeproof``, which goes to standard error unless told otherwise, and has none; nor
    has one with a name that begins as ours do.
    """
    packages = [obligation for point in announced() for obligation in _loaded(point)]
    return Collection([*own().named(), *packages]).whole() if packages else own()


def stated(name: str) -> Obligation | None:
    """The obligation of a name, if there is one; no other package is imported for our own."""
    found = own_named(name) or _described(name)
    return found if found and found.name == name else catalogue().get(name)


def _described(name: str) -> Obligation | None:
    """The obligation that a name describes, if it does."""
    with suppress(ValueError):
        return described(name)
    return None


def _passes_for_ours(name: str) -> bool:
    """Whether installers take a distribution's name for this project's (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).strip("-").lower() == PROJECT


NAME = re.compile(r"[A-Za-z0-9_.-]+")
"""What a theorem of a package may be called."""

LIKE_FORMATS = re.compile(r"((fp)?e|u?int|b?float|[bt]?fp?)\d\w*")
"""Words that people take for formats and integers, possible or not."""


def _begins_like_ours(name: str) -> bool:
    """Whether a theorem's name begins with a word of ours: a format, an integer, a family."""
    first = _bare(name)
    return bool(LIKE_FORMATS.fullmatch(first)) or first in {_bare(name) for name in own()}


def _bare(name: str) -> str:
    """The first word of a theorem's name, however its letters are written and divided."""
    return re.sub("[-_]", "", name.split(".")[0].lower())


def _loaded(point: EntryPoint) -> list[Obligation]:
    """What a package announces; nothing, and a word about it, if it cannot be loaded."""
    package = package_of(point)
    try:
        if not package:  # a theorem of no package is one of ours
            raise ImportError("it has no name; give it one")
        if any(map(_passes_for_ours, (package, point.module.split(".")[0]))):
            raise ImportError(f"{PROJECT} is this project's name; choose another")
        theirs = [replace(obligation, package=package) for obligation in point.load()()]
        if odd := next((each.name for each in theirs if not NAME.fullmatch(each.name)), None):
            raise ValueError(f"{odd!r} is no name; use letters, digits, '_', '-' and '.'")
        if taken := next((each.name for each in theirs if _begins_like_ours(each.name)), None):
            raise ValueError(f"{taken} begins as ours do; let its names begin with one of its own")
        return theirs
    except (Exception, SystemExit) as error:
        why = " ".join(str(error).split())
        logging.getLogger(PROJECT).warning(
            "spikeproof: the theorems of package %s are not there, since it cannot be loaded: %s: %s; "
            "mend or remove it",
            *(package, type(error).__name__, why),
        )
        return []


def promised(*, wide: bool) -> list[Obligation]:
    """The obligations of the default profile, and on demand of the wide one too."""
    names = catalogue().of(*Profile) if wide else catalogue().of(Profile.DEFAULT)
    return [catalogue()[name] for name in names]


def profile_name(*, wide: bool) -> str:
    """The name of what ``promised`` gives."""
    return Profile.WIDE.value if wide else Profile.DEFAULT.value


def select(pattern: str) -> list[Obligation]:
    """The obligations, of any profile, whose name matches a shell glob; or that a name describes.

    Raises:
        CatalogueError: if none does; the message says why, or names those that come closest.
    """
    if not is_glob(pattern) and (one := own_named(pattern)):
        return [one]
    matching = [catalogue()[name] for name in catalogue() if fnmatchcase(name, pattern)]
    if matching:
        return matching
    try:
        found = None if is_glob(pattern) else described(pattern)
    except ValueError as error:
        raise CatalogueError(f"no theorem is named {pattern!r}: {error}") from None
    if found is None:
        raise unmatched(pattern, list(catalogue()))
    return [found]


def with_units(obligations: Iterable[Obligation]) -> list[Obligation]:
    """Obligations, and before each the theorems that it rests on; each once.

    Raises:
        CatalogueError: if there is no such theorem.
    """
    found: dict[str, Obligation] = {}
    for obligation in obligations:
        promised_proof = obligation.rests_on and obligation.expected is Outcome.PROVED
        for name in obligation.rests_on() if promised_proof and obligation.rests_on else ():
            found.setdefault(name, theorem(name))
        found.setdefault(obligation.name, obligation)
    return list(found.values())


def require_fitting(obligation: Obligation, circuit: Netlist) -> None:
    """Refuse a circuit that cannot stand in for the obligation's own: see ``require_same_buses``.

    Raises:
        NetlistError: as that does; it names the theorem with or without flags, if the circuit fits that.
    """
    try:
        require_same_buses(obligation, circuit)
    except NetlistError as error:
        flags, name = ".flags", obligation.name
        other = stated(name.removesuffix(flags) if name.endswith(flags) else name + flags)
        if other is None or not _fits(other, circuit):
            raise
        raise NetlistError(f"{error}; ask for {other.name}") from None


def _fits(obligation: Obligation, circuit: Netlist) -> bool:
    try:
        require_same_buses(obligation, circuit)
    except NetlistError:
        return False
    return True


def theorem(name: str) -> Obligation:
    """The theorem of a name, promised or described.

    Raises:
        CatalogueError: if there is none; the message names those that come closest.
    """
    if found := own_named(name) or catalogue().get(name):
        return found
    matching = select(name)
    if is_glob(name):
        raise CatalogueError(f"{name!r} is a pattern; name one theorem, or use `spikeproof list`")
    return matching[0]
