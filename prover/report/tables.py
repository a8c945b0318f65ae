"""Results for people: one wording and one table for pytest and the command line alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from io import StringIO
from typing import Protocol

from rich.console import Console
from rich.table import Table
from rich.text import Text

from spikeproof.prover.claims.obligation import Outcome
from spikeproof.prover.evidence.record import Record

PIPE_WIDTH = 250
"""Columns of a table that does not go to a terminal."""


class Verdict(Protocol):
    """An outcome beside the promised one."""

    @property
    def outcome(self) -> Outcome:
        """What became of the obligation."""

    @property
    def expected(self) -> Outcome:
        """What was promised."""

    @property
    def green(self) -> bool:
        """Whether they are the same."""


def outcome_text(result: Verdict) -> str:
    """The outcome in words, and whether it is the one that was promised."""
    if result.green:
        return result.outcome.value + (" (as promised)" if result.expected is not Outcome.PROVED else "")
    if result.expected is Outcome.PROVED:
        return result.outcome.value.upper()
    return f"{result.outcome.value.upper()}, but {result.expected.value} was promised"


def failure_text(result: Record) -> str:
    """Why a result is not green, for people."""
    lines = [f"{outcome_text(result)}: {result.theorem}", result.statement]
    if result.message:
        lines.append(result.message)
    return "\n".join(lines)


def plain_table() -> Table:
    """A table without lines."""
    return Table(box=None, pad_edge=False, header_style="bold")


def results_table(results: Sequence[Record]) -> Table:
    """One row a theorem, in the order given."""
    table = plain_table()
    table.add_column("theorem", no_wrap=True)
    table.add_column("statement", ratio=1)
    table.add_column("engine", no_wrap=True)
    table.add_column("time", justify="right", no_wrap=True)
    table.add_column("outcome")
    for result in results:
        table.add_row(
            Text(result.theorem),
            Text(result.statement),
            result.engine,
            f"{result.seconds:.2f} s",
            Text(outcome_text(result), style="green" if result.green else "bold red"),
        )
    return table


def summary(results: Sequence[Record]) -> str:
    """How many results of each outcome, in one line."""
    counts = Counter(outcome_text(result) for result in results)
    listed = ", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items()))
    noun = "theorem" if len(results) == 1 else "theorems"
    return f"{len(results)} {noun}: {listed}" if results else "no theorems"


def rendered(table: Table, width: int) -> str:
    """A table as plain text of a given width."""
    text = StringIO()
    Console(file=text, width=width).print(table)
    return text.getvalue()
