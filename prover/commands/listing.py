"""``spikeproof list``."""

from __future__ import annotations

import click

from spikeproof.prover.claims.catalogue import select
from spikeproof.prover.commands.console import out
from spikeproof.prover.report.tables import plain_table


@click.command("list")
@click.argument("pattern", default="*")
def list_theorems(pattern: str) -> None:
    """List the theorems whose name matches PATTERN, a shell glob (default: all)."""
    table = plain_table()
    table.add_column("theorem", no_wrap=True)
    table.add_column("promised")
    table.add_column("statement")
    for obligation in select(pattern):
        table.add_row(obligation.name, obligation.expected.value, obligation.statement)
    out.print(table)
