"""Of which source a theorem is: what its proof depends on, by SHA-256, by version and by commit.

A theorem of ours is of our source alone, whatever else is installed; that of a package, of ours and of
the package's.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from spikeproof.prover.claims.announced import CatalogueError, announced, package_of

ROOT = Path(__file__).resolve().parents[2]
"""Where our folders lie, side by side: in a clone, or inside the installed package."""

OURS = ("circuits", "proofs", "prover", "specs")
"""Our packages that take part in a proof."""

ONLY_SHOWS = ("prover/report", "prover/commands/report.py")
"""Of these, what only shows results: a change there leaves every theorem as it was."""

LIBRARIES = ("bitwuzla", "numpy", "pysmt", "python-sat", "spikeproof", "z3-solver")
"""Distributions that take part in a proof, as far as they are installed."""


@cache
def source_sha256(package: str | None = None) -> str:
    """SHA-256 of everything that a theorem depends on, file by file; the libraries have ``versions``.

    Args:
        package: that announces the theorem, if it is none of ours.

    Raises:
        CatalogueError: if the package is not installed, or not as files.
    """
    theirs = list(_sources_of(package)) if package else []
    if package and not theirs:
        raise CatalogueError(f"the source of package {package} is not there; install it, as files")
    return _sha256([*_sources(), *theirs])


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


def versions(*packages: str | None) -> Mapping[str, str]:
    """The version of each library, and of packages whose theorems are concerned, None being ours."""
    installed = {name: _version(name) for name in sorted({*LIBRARIES, *filter(None, packages)})}
    return {name: found for name, found in installed.items() if found is not None}


@cache
def _version(distribution: str) -> str | None:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


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


def _sources() -> Iterator[tuple[str, Path]]:
    """Our files that count, and what they are called wherever they are installed."""
    for folder in OURS:
        for path in _files(ROOT / folder):
            name = path.relative_to(ROOT).as_posix()
            if not any(name == shown or name.startswith(f"{shown}/") for shown in ONLY_SHOWS):
                yield name, path


def _sources_of(package: str) -> Iterator[tuple[str, Path]]:
    """The same of a package that announces obligations: of all modules that it announces them in."""
    modules = {point.module.split(".")[0] for point in announced() if package_of(point) == package}
    for spec in filter(None, map(find_spec, sorted(modules))):
        for place in map(Path, spec.submodule_search_locations or ()):
            for path in _files(place):
                yield f"{package}: {spec.name}/{path.relative_to(place).as_posix()}", path
        if spec.submodule_search_locations is None and Path(spec.origin or "").is_file():
            yield f"{package}: {spec.name}", Path(spec.origin or "")


def _files(folder: Path) -> Iterator[Path]:
    """Data counts as code does: an obligation may read its circuit from a file."""
    for path in folder.iterdir() if folder.is_dir() else ():  # it may lie in an archive
        if path.name.startswith(".") or path.name == "__pycache__":
            continue
        if path.is_symlink() and path.is_dir():
            raise CatalogueError(
                f"{path} is a link to a directory, which may change unseen; install files"
            )
        if path.is_dir():
            yield from _files(path)
        elif path.is_file():
            yield path
