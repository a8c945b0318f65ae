"""``spikeproof list``."""

from __future__ import annotations

import click
from rich.table import Table

from prover.catalogue import select
from prover.console import out


@click.command("list")
@click.argument("pattern", default="*")
def list_theorems(pattern: str) -> None:
    """List the theorems whose name matches PATTERN, a shell glob (default: all)."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("theorem", no_wrap=True)
    table.add_column("promised")
    table.add_column("statement")
    for obligation in select(pattern):
        table.add_row(obligation.name, obligation.expected.value, obligation.statement)
    out.print(table)
