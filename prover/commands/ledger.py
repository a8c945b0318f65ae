"""``spikeproof ledger``."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

import click

from spikeproof.prover.claims.catalogue import own
from spikeproof.prover.claims.obligation import Obligation
from spikeproof.prover.commands.console import (
    EXIT_REFUTED,
    examples,
    out,
    require_writable,
    write_file,
)
from spikeproof.prover.evidence.ledger import differences, ledger_path, read, written
from spikeproof.prover.evidence.log import read_log
from spikeproof.prover.evidence.shards import recorded_seconds, seconds_path, seconds_text


@click.command(epilog=examples("ledger --check"))
@click.option("--check", is_flag=True, help="Compare it with the theorems as stated.")
@click.option("--write", is_flag=True, help="Write it anew, from the theorems as stated.")
@click.option(
    "--seconds",
    "log",
    type=click.Path(path_type=Path),
    metavar="LOG",
    help="Record how long theorems took in a proof log, by which shards are divided.",
)
def ledger(check: bool, write: bool, log: Path | None) -> None:
    """Show, check or write what is promised, and on what evidence.

    The ledger has a line for every promised theorem, with the evidence of it that a run must have.
    Exit code 1 if --check finds that it is not that of the theorems.
    """
    path, obligations = ledger_path(), own().values()
    if check + write + bool(log) > 1:
        raise click.UsageError("--check, --write and --seconds exclude one another; choose one")
    if log:
        _record_seconds(log, obligations)
        return
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


def _record_seconds(log: Path, obligations: Iterable[Obligation]) -> None:
    records, path = read_log(log).records, seconds_path()
    require_writable(path)
    known = [each.name for each in obligations]
    write_file(path, seconds_text(records, recorded_seconds(), known))
    out.print(f"the seconds of {len(records):,} theorems are in {path}", markup=False, soft_wrap=True)
