"""``spikeproof ledger``."""

from __future__ import annotations

import sys

import click

from spikeproof.prover.claims.catalogue import own
from spikeproof.prover.commands.console import (
    EXIT_REFUTED,
    examples,
    out,
    require_writable,
    write_file,
)
from spikeproof.prover.evidence.ledger import differences, ledger_path, read, written


@click.command(epilog=examples("ledger --check"))
@click.option("--check", is_flag=True, help="Compare it with the theorems as stated.")
@click.option("--write", is_flag=True, help="Write it anew, from the theorems as stated.")
def ledger(check: bool, write: bool) -> None:
    """Show, check or write what is promised, and on what evidence.

    The ledger has a line for every promised theorem, with the evidence of it that a run must have.
    Exit code 1 if --check finds that it is not that of the theorems.
    """
    path, obligations = ledger_path(), own().values()
    if check and write:
        raise click.UsageError("--check and --write exclude one another; choose one")
    if write:
        require_writable(path)
        write_file(path, written(obligations))
        out.print(f"{len(obligations):,} theorems are promised in {path}", markup=False, soft_wrap=True)
        return
    promised = read(path)
    if not check:
        click.echo(path.read_text(encoding="utf-8"), nl=False)
        return
    found = differences(promised, obligations)
    for line in found:
        out.print(line, markup=False, soft_wrap=True)
    if found:
        sys.exit(EXIT_REFUTED)
    out.print(f"the ledger is that of all {len(promised):,} theorems", markup=False)
