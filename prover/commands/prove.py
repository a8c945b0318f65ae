"""``spikeproof prove``."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

import click

from spikeproof.circuits.doors.json import read_json
from spikeproof.prover.claims.catalogue import profile_name, promised, select
from spikeproof.prover.claims.obligation import Obligation, require_same_buses
from spikeproof.prover.commands.console import (
    circuit_option,
    err,
    exit_code,
    jobs_option,
    log_option,
    out,
    progress_bar,
    require_writable,
    timeout_option,
)
from spikeproof.prover.evidence.cache import Cache
from spikeproof.prover.evidence.files import write_atomically
from spikeproof.prover.evidence.history import remember
from spikeproof.prover.evidence.log import Log, default_log_directory, finished
from spikeproof.prover.evidence.record import Record
from spikeproof.prover.report.tables import failure_text, outcome_text, results_table, summary
from spikeproof.prover.running.run import Run, discharge_all, drawn

RESULTS_SCHEMA = "spikeproof-results-1"


@click.command()
@click.argument("pattern", required=False)
@click.option("--wide", is_flag=True, help="Without PATTERN: also what takes minutes (FP64).")
@jobs_option()
@timeout_option("theorem")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write results to FILE.")
@circuit_option("Prove the theorem of the netlist in FILE instead of the built-in circuit.")
@log_option("Write the proof log to")
@click.option("--no-cache", is_flag=True, help="Prove anew what was proved before.")
@click.option(
    "--audit",
    type=click.IntRange(min=0),
    default=0,
    help="Check again so many of the theorems that were proved before, drawn at random.",
    metavar="N",
)
def prove(
    pattern: str | None,
    wide: bool,
    jobs: int | None,
    timeout: float,
    json_file: Path | None,
    circuit_file: Path | None,
    log_directory: Path | None,
    no_cache: bool,
    audit: int,
) -> None:
    """Prove the theorems whose name matches PATTERN, a shell glob (default: the default profile)."""
    if pattern is not None and wide:
        raise click.UsageError("PATTERN and --wide: a pattern is of all theorems; leave out --wide")
    if pattern is None and circuit_file:
        raise click.UsageError("--circuit: name the theorem that the circuit is to be proved of")
    obligations = promised(wide=wide) if pattern is None else select(pattern)
    if json_file:
        require_writable(json_file)
    circuit = read_json(circuit_file) if circuit_file else None
    if circuit:
        for obligation in obligations:
            require_same_buses(obligation, circuit)
    cache = None if no_cache else Cache.default()
    if cache:
        cache.require_usable()
    directory = log_directory or default_log_directory()
    if replaced := finished(directory):
        err.print(f"replacing the proof log in {directory}, of: {replaced.command}", markup=False)
    log = Log.begin(
        directory,
        command=shlex.join(["spikeproof", *sys.argv[1:]]),
        profile=profile_name(wide=wide) if pattern is None else "part",
        promised=len(obligations),
    )
    audited = drawn([obligation.name for obligation in obligations], audit, uuid4().hex)
    records = prove_all(obligations, Run(timeout, circuit, log, cache, audited), jobs)
    log.end(discharged=sum(record.green for record in records), complete=True)
    if json_file:
        data = {"schema": RESULTS_SCHEMA, "results": [record.as_json() for record in records]}
        write_atomically(json_file, json.dumps(data, indent=1) + "\n")
    out.print(results_table(records))
    for note in circuit.notes if circuit else ():
        out.print(f"note on the circuit: {note}", markup=False, soft_wrap=True)
    for record in records:
        if not record.green:
            out.print("\n" + failure_text(record), markup=False)
            if log.counterexample(record.theorem).exists():
                replay = f"spikeproof replay {log.counterexample(record.theorem)}"
                out.print(f"\nreplay it with: {replay}", markup=False, soft_wrap=True)
    out.print("\n" + summary(records), markup=False)
    out.print(f"proof log: {log.directory}", markup=False, soft_wrap=True)
    sys.exit(exit_code(records))


def prove_all(obligations: Sequence[Obligation], run: Run, jobs: int | None) -> list[Record]:
    """Discharge obligations with visible progress; the records in the order of the obligations."""
    names = [obligation.name for obligation in obligations]
    found: dict[str, Record] = {}
    with progress_bar("proving") as progress:
        task = progress.add_task("", total=len(names))
        for record in discharge_all(names, run, jobs):
            found[record.theorem] = record
            progress.update(task, advance=1, description=record.theorem)
            if not err.is_terminal:
                err.print(f"{len(found)}/{len(names)} {outcome_text(record)} {record.theorem}")
            if run.circuit is None:
                remember(record)
    return [found[name] for name in names]
