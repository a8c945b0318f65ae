"""``spikeproof margins``."""

from __future__ import annotations

import click

from circuits.libraries import GATE_INPUTS, LIBRARIES, WIDE_GATES
from prover.console import out
from prover.report.margins import LIMITS_NOTE, TABLES, limits_table, rows, theorems, together


@click.command()
@click.option("--library", type=click.Choice(list(LIBRARIES)), help="Gates of this library only.")
@click.option("--gate", type=click.Choice([*GATE_INPUTS, *WIDE_GATES]), help="This gate only.")
@click.option(
    "--table", type=click.Choice(list(TABLES)), help="Published figures of this kind, beside ours."
)
def margins(library: str | None, gate: str | None, table: str | None) -> None:
    """Show within which noise, spread and leak each gate is right: exact limits, and their theorems."""
    if table is not None:
        make, note = TABLES[table]
        shown = make(lambda f: f.library == (library or f.library) and f.gate == (gate or f.gate))
        if not shown.row_count:
            raise click.UsageError("no such figure is published; leave out --library or --gate")
        out.print(shown)
        out.print(note.replace("\n", " "), markup=False)
        return
    found = list(rows(library, gate))
    out.print(limits_table(found))
    if library and gate:
        for row in found:
            out.print(theorems(row))
            out.print(together(row), markup=False)
    out.print(LIMITS_NOTE.replace("\n", " "), markup=False)
