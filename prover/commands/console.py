"""What all commands share: two consoles, exit codes, kinds of argument, and how a run of theorems shows.

Exit codes: 0 everything as promised; 1 something refuted (or proved that was to be refuted); 2 bad
usage or input, or a file that cannot be written; 3 undecided (timeout or unknown); 4 engine or internal
error; 5 a log that holds, and refutes what was claimed (`verify` alone); 6 an engine of another make
disagrees (`opinion` alone); 130 interrupted; 141 nobody reads standard output any more (``| head -1``).
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from errno import EISDIR
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from spikeproof.prover.evidence.files import beside, followed, is_special, storing, write_atomically

if TYPE_CHECKING:  # the rest is loaded where it is needed: shells that complete a word wait for this
    from spikeproof.prover.claims.obligation import Obligation
    from spikeproof.prover.evidence.record import Record

PIPE_WIDTH = 250
"""Columns of a table that does not go to a terminal."""

Command = Callable[..., Any]

EXIT_REFUTED = 1
EXIT_BAD_INPUT = 2
EXIT_UNDECIDED = 3
EXIT_INTERNAL = 4
EXIT_REFUTATION = 5
EXIT_DISAGREEMENT = 6
EXIT_INTERRUPTED = 130
EXIT_BROKEN_PIPE = 141

STANDARD_OUTPUT = Path("-")
"""What stands for standard output where a file is asked for."""


def _console(*, stderr: bool) -> Console:
    stream: TextIO | None = sys.stderr if stderr else sys.stdout  # None if it is closed
    on_terminal = stream is not None and stream.isatty()
    return Console(
        stderr=stderr, highlight=False, emoji=False, width=None if on_terminal else PIPE_WIDTH
    )


out = _console(stderr=False)
err = _console(stderr=True)


class Seconds(click.ParamType[float]):
    """A positive number of seconds."""

    name = "seconds"
    longest = 1_000_000

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number, or a one-line error."""
        try:
            seconds = float(str(value))
        except ValueError:
            seconds = math.nan
        if not 0 < seconds <= self.longest:
            self.fail(f"{value} is not a positive number of seconds, at most {self.longest}", param, ctx)
        return seconds


def jobs_option() -> Callable[[Command], Command]:
    """How many processes to use; None for all cores."""
    return click.option(
        "--jobs", type=click.IntRange(min=1), help="Processes to use (default: all cores)."
    )


def cluster_option() -> Callable[[Command], Command]:
    """Whose workers to use; None for processes of this machine."""
    return click.option(
        "--cluster",
        metavar="local|ADDRESS",
        help="On the workers of Dask's scheduler at ADDRESS, or on new ones on this machine.",
    )


def in_a_line(words: str) -> None:
    """Tell who waits what is waited for."""
    err.print(words, markup=False, soft_wrap=True)


def timeout_option(each: str, then: str = "") -> Callable[[Command], Command]:
    """How many seconds each of something may take, and what happens when they are over."""
    from spikeproof.prover.claims.obligation import DEFAULT_TIMEOUT

    return click.option(
        "--timeout",
        type=Seconds(),
        default=DEFAULT_TIMEOUT,
        show_default=True,
        help=f"Seconds that {each} may take{then}.",
    )


def examples(*commands: str) -> str:
    """Commands that show the use of one, for the end of its help."""
    return "\n".join(("\b", "Examples:", *(f"  spikeproof {command}" for command in commands)))


def file_option(name: str, written: str) -> Callable[[Command], Command]:
    """A file, or ``-`` for standard output, and what is written there; passed on as ``NAME_file``."""
    return click.option(
        f"--{name}",
        f"{name}_file",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help=f"Write {written} to FILE, or - for standard output.",
    )


def failures_option() -> Callable[[Command], Command]:
    """A file for every input that fails, where there are few enough to try them all."""
    return click.option(
        "--failures",
        "failures_file",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Write every input that fails, with what circuit and spec make of it, to FILE: .csv or "
        ".npz, or - for standard output. Of circuits whose inputs can all be tried.",
    )


def nearby(path: Path) -> Path:
    """The path of a file, from the current folder if it lies in there."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def circuit_option(use: str) -> Callable[[Command], Command]:
    """A file with a netlist, and what it is for."""
    return click.option(
        "--circuit", "circuit_file", type=click.Path(path_type=Path), metavar="FILE", help=use
    )


def format_option(known: Iterable[str], usual: str, use: str) -> Callable[[Command], Command]:
    """A format among some, one of which goes unsaid."""
    return click.option(
        "--format",
        "format_name",
        type=click.Choice(tuple(known)),
        default=usual,
        show_default=True,
        help=use,
    )


def claim_option() -> Callable[[Command], Command]:
    """A file with a claim that was given with a circuit."""
    return click.option(
        "--claim",
        "claim_file",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="What the circuit was compared with, as `check` keeps it, if that is no theorem.",
    )


def selected(patterns: Iterable[str]) -> list[Obligation]:
    """The obligations whose name matches one of the patterns, each once.

    Raises:
        CatalogueError: if none matches one of them; the message names those that come closest.
    """
    from spikeproof.prover.claims.catalogue import select

    found: dict[str, Obligation] = {}
    for pattern in patterns:
        matching = select(pattern)
        _tell_name(pattern, matching[0])
        found |= {each.name: each for each in matching}
    return list(found.values())


def named(name: str) -> Obligation:
    """The theorem of a name.

    Raises:
        CatalogueError: if there is none; the message names those that come closest.
    """
    from spikeproof.prover.claims.catalogue import theorem

    found = theorem(name)
    _tell_name(name, found)
    return found


def _tell_name(asked: str, found: Obligation) -> None:
    """Say what a theorem is called that was asked for in other words, for so it is shown and kept."""
    if not fnmatchcase(found.name, asked):
        err.print(f"{asked} is {found.name}", markup=False, soft_wrap=True)


def log_option(use: str) -> Callable[[Command], Command]:
    """A directory with a proof log, and what is done with it."""
    return click.option(
        "--log",
        "log_directory",
        type=click.Path(path_type=Path),
        help=f"{use} DIRECTORY (default: SPIKEPROOF_LOG, or proof-log; for a circuit that is given, "
        "a directory of its own in there).",
        metavar="DIRECTORY",
    )


def exit_code(results: Iterable[Record]) -> int:
    """The exit code for a set of results: errors outweigh refutations, those the undecided."""
    from spikeproof.prover.claims.obligation import Outcome

    bad = {result.outcome for result in results if not result.green}
    if Outcome.ERROR in bad:
        return EXIT_INTERNAL
    if bad & {Outcome.REFUTED, Outcome.PROVED}:
        return EXIT_REFUTED
    return EXIT_UNDECIDED if bad else 0


def progress_bar(doing: str) -> Progress:
    """A bar on standard error, gone when all is done: what is done, how much of it, the latest."""
    columns = (
        TextColumn(doing),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}", markup=False),
    )
    return Progress(*columns, console=err, transient=True, disable=not err.is_terminal)


@contextmanager
def stages() -> Iterator[Callable[[str], None]]:
    """Say on standard error what is being done."""
    with err.status("", spinner="line") as status:

        def told(words: str) -> None:
            if err.is_terminal:
                status.update(Text(words))
            else:
                err.print(words, markup=False, soft_wrap=True)

        yield told


# --- what is written ----------------------------------------------------------------------------


def screen_beside(*files: Path | None) -> Console:
    """The console for people: standard error, if one of the files is standard output.

    Raises:
        click.UsageError: if more than one is.
    """
    taken = sum(file == STANDARD_OUTPUT for file in files)
    if taken > 1:
        raise click.UsageError("only one FILE can be standard output; name another for the rest")
    return err if taken else out


def require_writable(path: Path | None) -> None:
    """Refuse a file that cannot be written, before any work is done for it.

    Raises:
        click.BadParameter: saying why.
    """
    if path in (None, STANDARD_OUTPUT):
        return
    try:
        if path.is_dir():
            raise IsADirectoryError(EISDIR, "it is a directory")
        if is_special(path):
            return
        probe = beside(followed(path))
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise click.BadParameter(f"cannot write {path}: {error.strerror}; name another file") from None


def write_file(path: Path, content: str) -> None:
    """Write a file whole or not at all; or standard output.

    Raises:
        StorageError: if it cannot be written.
    """
    if path == STANDARD_OUTPUT:
        sys.stdout.write(content)
        return
    with writing(path):
        write_atomically(path, content)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Say in one line why a file cannot be written.

    Raises:
        StorageError: in place of any ``OSError``.
    """
    with storing(f"write {path}", "free some space or name another file"):
        yield


def require_directory(path: Path) -> None:
    """Make a directory if there is none, and refuse one in which nothing can be written.

    Raises:
        click.BadParameter: saying why.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise click.BadParameter(
            f"cannot make the directory {path}: {error.strerror}; name another"
        ) from None
    require_writable(path / "probe")


class OutputError(Exception):
    """Standard output takes no more; the message says why.

    Attributes:
        unread: whether that is because nobody reads it any more.
    """

    def __init__(self, error: OSError) -> None:
        super().__init__(error.strerror or str(error))
        self.unread = isinstance(error, BrokenPipeError)


class _Guarded:
    """Standard output, whose errors are told from those of other files."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except OSError as error:
            raise OutputError(error) from None

    def flush(self) -> None:
        try:
            self._stream.flush()
        except OSError as error:
            raise OutputError(error) from None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def drop(stream: TextIO) -> None:
    """Let nobody have what a stream still holds, for Python would fail at it again at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


@contextmanager
def guarded_output() -> Iterator[None]:
    """Standard output raises ``OutputError``; all that it does not take is then dropped."""
    stream = sys.stdout
    sys.stdout = _Guarded(stream)
    try:
        yield
    except OutputError:
        drop(stream)
        raise
    finally:
        sys.stdout = stream


def meant_by(
    name: str, said: str | None, option: str, known: Collection[str], aliases: Mapping[str, str]
) -> str:
    """What a function of a library computes, by what is said of it or by the last part of its name.

    Args:
        option: where that may be said.
        known: what it may be.
        aliases: what libraries call these otherwise.

    Raises:
        click.UsageError: if neither tells.
    """
    from spikeproof.prover.running.callables import meaning

    found = meaning(name, said, known, aliases)
    if found is not None:
        return found
    raise click.UsageError(
        f"what {name} computes is not clear; say --{option}, one of {', '.join(known)}"
    )
