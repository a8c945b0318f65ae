"""Results for people: one wording and one table for pytest and the command line alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from io import StringIO
from itertools import chain
from typing import Protocol

from rich.console import Console, ConsoleOptions, RenderableType
from rich.table import Table
from rich.text import Text

from spikeproof.prover.claims.obligation import Outcome
from spikeproof.prover.claims.regions import EXCEPTED
from spikeproof.prover.evidence.record import Found, Record


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


def result_text(result: Record) -> str:
    """The outcome in words, and where it is from if it was found by an earlier run."""
    return ", ".join(filter(None, (outcome_text(result), _origin(result))))


def _origin(result: Record) -> str:
    return result.origin if isinstance(result, Found) else ""


def failure_text(result: Record) -> str:
    """Why a result is not green, for people."""
    lines = [f"{outcome_text(result)}: {result.theorem}", result.statement]
    if result.message:
        lines.append(result.message)
    return "\n".join(lines)


# --- tables -------------------------------------------------------------------------------------


def plain_table(*headings: str) -> Table:
    """A table without lines, whose cells are wrapped and never cut off."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table


class NamedTable:
    """A table whose rows have names; on no terminal is anything of it cut off.

    A name that leaves no room for the other cells has a line of its own; where the other cells have no
    room side by side, they are listed below the name, each after its heading.

    Args:
        headings: of the names, and of the other cells.
        left: which headings are above words; the others are above numbers, which stand to the right.
    """

    GAP, INDENT = 2, 2

    def __init__(self, *headings: str, left: Collection[str] = ()) -> None:
        self._headings = headings
        self._left = left
        self._rows: list[tuple[tuple[Text, ...], str]] = []

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, *cells: str | Text, note: str = "") -> None:
        """A row: the name, the other cells, and what stands below them on lines of its own."""
        texts = (cell if isinstance(cell, Text) else Text(cell) for cell in cells)
        self._rows.append((tuple(texts), note))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """The lines, for ``rich``."""
        headings = tuple(Text(heading, style="bold") for heading in self._headings)
        rows = [headings, *(cells for cells, _ in self._rows)]
        names, *others = ([row[place].cell_len for row in rows] for place in range(len(headings)))
        widths = [max(lengths) for lengths in others]
        room = options.max_width - sum(widths) - self.GAP * len(widths)
        side_by_side = room >= self.INDENT
        for cells, note in chain([(headings, "")] if side_by_side else [], self._rows):
            if side_by_side:
                yield from self._lines(cells, min(max(names), room), widths)
            else:
                yield cells[0]
                yield from self._indented(self._listed(cells[1:]), console, options)
            if note:
                yield from self._indented(Text(note), console, options)

    def _lines(self, cells: Sequence[Text], room: int, widths: Sequence[int]) -> Iterator[Text]:
        """A row on one line; or on two, if its name is too long for that."""
        name, *others = cells
        if name.cell_len > room:
            yield name
            name = Text()
        line = name + Text(" " * (room - name.cell_len))
        for heading, cell, width in zip(self._headings[1:], others, widths, strict=True):
            space = Text(" " * (width - cell.cell_len))
            line += Text(" " * self.GAP) + (cell + space if heading in self._left else space + cell)
        line.rstrip()
        yield line

    def _indented(self, text: Text, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        """Lines below a name, wrapped, without blanks at their ends."""
        for line in text.wrap(console, options.max_width - self.INDENT):
            line.rstrip()
            yield Text(" " * self.INDENT) + line

    def _listed(self, cells: Sequence[Text]) -> Text:
        """Cells after their headings."""
        pairs = zip(self._headings[1:], cells, strict=True)
        return Text(", ").join(Text(f"{heading} ") + cell for heading, cell in pairs if cell)


def results_table(results: Sequence[Record], verbose: bool = False) -> NamedTable:
    """One row a theorem, in the order given; if asked for, with its statement and its engines."""
    table = NamedTable("theorem", "time", "outcome", left=("outcome",))
    for result in results:
        outcome = Text(result_text(result), style="green" if result.green else "bold red")
        by = f"by {result.engine}" if result.engine else ""
        note = "\n".join(filter(None, (result.statement, by))) if verbose else ""
        table.add(result.theorem, f"{result.seconds:.2f} s", outcome, note=note)
    return table


def summary(results: Sequence[Record]) -> str:
    """How many results of each outcome, and how many are an earlier run's, in one line."""
    if not results:
        return "no theorems"
    noun = "theorem" if len(results) == 1 else "theorems"
    earlier = Counter(filter(None, map(_origin, results)))
    listed = [", ".join(_counted(Counter(map(outcome_text, results)))), *_counted(earlier)]
    return "\n".join([f"{len(results)} {noun}: {'; '.join(listed)}", *of_some_inputs(results)])


def of_some_inputs(results: Iterable[Record]) -> Iterator[str]:
    """Which theorems are about a part of their inputs only, in a line, if any are."""
    names = [result.theorem for result in results if EXCEPTED in result.parameters]
    if names:
        yield f"about a part of the inputs only: {', '.join(names)}"


def notes_text(notes: Iterable[str]) -> str:
    """What circuits note of themselves, such as what was only sampled of them: a line each, once."""
    return "\n".join(f"note on the circuit: {note}" for note in dict.fromkeys(notes))


def audit_text(results: Sequence[Record], asked: int) -> str:
    """Which theorems were found and checked again, of so many that an audit was asked of."""
    audited = [result for result in results if isinstance(result, Found) and result.audited]
    refused = [result.theorem for result in audited if not result.decided]
    verified = [result.theorem for result in audited if result.decided]
    anew = min(asked, len(results)) - len(audited)
    parts = [
        *(
            f"{len(names)} {what}: {', '.join(names)}"
            for names, what in ((verified, "verified again"), (refused, "REFUSED"))
            if names
        ),
        *([f"{anew} of those drawn were proved anew, which leaves nothing to audit"] if anew else []),
    ]
    return f"audit: {'; '.join(parts)}"


def _counted(counts: Counter[str]) -> list[str]:
    return [f"{count} {words}" for words, count in sorted(counts.items())]


def rendered(table: RenderableType, width: int) -> str:
    """A table as plain text of a given width."""
    text = StringIO()
    Console(file=text, width=width).print(table)
    return text.getvalue()
