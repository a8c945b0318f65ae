"""Of which source a theorem is: what its proof depends on, by SHA-256, by version and by commit."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.metadata import EntryPoints, PackageNotFoundError, entry_points, version
from importlib.util import find_spec
from pathlib import Path

from spikeproof.prover.claims.catalogue import ENTRY_POINT_GROUP

PACKAGE = "spikeproof"
"""What all of ours is imported from."""

ROOT = Path(__file__).resolve().parents[2]
"""Where our folders lie, side by side: in a clone, or inside the installed package."""

OURS = ("circuits", "proofs", "prover", "specs")
"""Our packages that take part in a proof."""

ONLY_SHOWS = ("prover/report", "prover/commands/report.py")
"""Of these, what only shows results: a change there leaves every theorem as it was."""

LIBRARIES = ("bitwuzla", "numpy", "pysmt", "python-sat", "spikeproof", "z3-solver")
"""Distributions that take part in a proof, as far as they are installed."""


@cache
def source_sha256() -> str:
    """SHA-256 of everything that a theorem depends on.

    Namely of our packages and of every package that announces obligations, file by file; the libraries
    have ``versions``.
    """
    return _sha256(_sources())


@cache
def engines_sha256() -> str:
    """SHA-256 of what an engine's answer to a question depends on: the prover, and the libraries."""
    prover = _sha256(source for source in _sources() if source[0].startswith("prover/"))
    return hashlib.sha256(json.dumps([prover, versions()]).encode()).hexdigest()


def _sha256(sources: Iterable[tuple[str, Path]]) -> str:
    digest = hashlib.sha256()
    for name, path in sorted(sources):
        digest.update(f"{hashlib.sha256(path.read_bytes()).hexdigest()} {name}\n".encode())
    return digest.hexdigest()


@cache
def versions() -> Mapping[str, str]:
    """The version of each library, and of each distribution that announces obligations."""
    announcing = {point.dist.name for point in _announced() if point.dist}
    found = {}
    for library in sorted({*LIBRARIES, *announcing}):
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            continue
    return found


@cache
def commit() -> tuple[str | None, bool | None]:
    """The git commit of our source, and whether the source differs from it; None if git knows none."""
    tracked = _git(
        "ls-files", "--error-unmatch", str(Path(__file__).resolve())
    )  # else ROOT lies in somebody else's tree
    head = _git("rev-parse", "HEAD")
    changes = _git("status", "--porcelain", "--", *OURS)
    if tracked is None or head is None or changes is None:
        return None, None
    return head, bool(changes)


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, check=False
        )
    except OSError:  # there is no git
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _announced() -> EntryPoints:
    return entry_points(group=ENTRY_POINT_GROUP)


def _sources() -> Iterator[tuple[str, Path]]:
    """Files that count, and what they are called wherever they are installed."""
    for package in OURS:
        for path in _files(ROOT / package):
            name = path.relative_to(ROOT).as_posix()
            if not any(name == shown or name.startswith(f"{shown}/") for shown in ONLY_SHOWS):
                yield name, path
    for package in {point.module.split(".")[0] for point in _announced()} - {PACKAGE}:
        spec = find_spec(package)
        for place in (spec.submodule_search_locations or ()) if spec else ():
            for path in _files(Path(place)):
                yield f"{package}/{path.relative_to(place).as_posix()}", path
        if spec and spec.origin and not spec.submodule_search_locations:
            yield package, Path(spec.origin)


def _files(folder: Path) -> Iterator[Path]:
    """Data counts as code does: an obligation may read its circuit from a file."""
    for path in folder.rglob("*"):
        parts = path.relative_to(folder).parts
        if path.is_file() and not any(part == "__pycache__" or part.startswith(".") for part in parts):
            yield path
