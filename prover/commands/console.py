"""What all commands share: two consoles, exit codes, kinds of argument, and how a run of theorems shows.

Exit codes: 0 everything as promised; 1 something refuted (or proved that was to be refuted); 2 bad
usage or input; 3 undecided (timeout or unknown); 4 engine or internal error; 5 a log that holds, and
refutes what was claimed (`verify` alone); 130 interrupted.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable
from errno import EISDIR
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from spikeproof.prover.claims.obligation import DEFAULT_TIMEOUT, Outcome
from spikeproof.prover.evidence.files import beside, is_special
from spikeproof.prover.evidence.record import Record
from spikeproof.prover.report.tables import PIPE_WIDTH

Command = Callable[..., Any]

EXIT_REFUTED = 1
EXIT_BAD_INPUT = 2
EXIT_UNDECIDED = 3
EXIT_INTERNAL = 4
EXIT_REFUTATION = 5
EXIT_INTERRUPTED = 130

out = Console(highlight=False, width=None if sys.stdout.isatty() else PIPE_WIDTH)
err = Console(stderr=True, highlight=False)


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


def timeout_option(each: str) -> Callable[[Command], Command]:
    """How many seconds each of something may take."""
    return click.option(
        "--timeout",
        type=Seconds(),
        default=DEFAULT_TIMEOUT,
        show_default=True,
        help=f"Seconds that each {each} may take.",
    )


def circuit_option(use: str) -> Callable[[Command], Command]:
    """A file with a netlist, and what it is for."""
    return click.option("--circuit", "circuit_file", type=click.Path(path_type=Path), help=use)


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


def require_writable(path: Path) -> None:
    """Refuse a file that cannot be written, before any work is done for it.

    Raises:
        click.BadParameter: saying why.
    """
    try:
        if path.is_dir():
            raise IsADirectoryError(EISDIR, "it is a directory")
        if is_special(path):
            return
        probe = beside(path.resolve())
        probe.touch()
        probe.unlink()
    except (OSError, RuntimeError) as error:  # the latter of links that lead round in a circle
        why = error.strerror if isinstance(error, OSError) else error
        raise click.BadParameter(f"cannot write {path}: {why}; name another file") from None


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
