"""``spikeproof prove``."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from circuits.interchange import read_json
from circuits.netlist import Netlist
from prover.catalogue import catalogue, promised, select
from prover.console import (
    Seconds,
    err,
    exit_code,
    out,
    progress_bar,
    require_directory,
    require_writable,
)
from prover.discharge import DEFAULT_TIMEOUT, Result, discharge_all, require_same_buses
from prover.files import write_atomically
from prover.history import remember
from prover.obligation import Obligation
from prover.replay import write_counterexample
from prover.tables import failure_text, outcome_text, results_table, summary

RESULTS_SCHEMA = "spikeproof-results-1"


@click.command()
@click.argument("pattern", required=False)
@click.option("--wide", is_flag=True, help="Without PATTERN: also what takes minutes (FP64).")
@click.option("--jobs", type=click.IntRange(min=1), help="Processes to use (default: all cores).")
@click.option(
    "--timeout",
    type=Seconds(),
    default=DEFAULT_TIMEOUT,
    show_default=True,
    help="Seconds that each theorem may take.",
)
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write results to FILE.")
@click.option(
    "--circuit",
    "circuit_file",
    type=click.Path(path_type=Path),
    help="Prove the theorem of the netlist in FILE instead of the built-in circuit.",
)
@click.option(
    "--counterexamples",
    type=click.Path(path_type=Path),
    help="Write the counterexample of each refuted theorem to a file in DIRECTORY, to be replayed.",
    metavar="DIRECTORY",
)
def prove(
    pattern: str | None,
    wide: bool,
    jobs: int | None,
    timeout: float,
    json_file: Path | None,
    circuit_file: Path | None,
    counterexamples: Path | None,
) -> None:
    """Prove the theorems whose name matches PATTERN, a shell glob (default: the default profile)."""
    obligations = select(pattern) if pattern else promised(wide=wide)
    if json_file:
        require_writable(json_file)
    if counterexamples:
        require_directory(counterexamples)
    circuit = read_json(circuit_file) if circuit_file else None
    if circuit:
        for obligation in obligations:
            require_same_buses(obligation, circuit)
    results = run(obligations, timeout, jobs, circuit)
    if json_file:
        records = {"schema": RESULTS_SCHEMA, "results": [r.as_json() for r in results]}
        write_atomically(json_file, json.dumps(records, indent=1) + "\n")
    out.print(results_table(results))
    for result in results:
        if not result.green:
            out.print("\n" + failure_text(result), markup=False)
    _keep_counterexamples(results, circuit, counterexamples)
    out.print("\n" + summary(results), markup=False)
    sys.exit(exit_code(results))


def _keep_counterexamples(
    results: Sequence[Result], circuit: Netlist | None, directory: Path | None
) -> None:
    """Write them to a directory, promised ones too; without one, say how those not promised are kept."""
    refuted = [result for result in results if result.counterexample is not None]
    if directory is None:
        if any(not result.green for result in refuted):
            out.print("\nkeep it to replay with: --counterexamples DIRECTORY", markup=False)
        return
    for result in refuted:
        path = directory / f"{result.theorem}.json"
        inputs = result.counterexample or {}
        write_counterexample(catalogue()[result.theorem], circuit, inputs, path, result.message)
        out.print(f"\nreplay it with: spikeproof replay {path}", markup=False, soft_wrap=True)


def run(
    obligations: Sequence[Obligation], timeout: float, jobs: int | None, circuit: Netlist | None
) -> list[Result]:
    """Discharge obligations with visible progress; the results in catalogue order."""
    names = [obligation.name for obligation in obligations]
    found: dict[str, Result] = {}
    with progress_bar("proving") as progress:
        task = progress.add_task("", total=len(names))
        for result in discharge_all(names, timeout, jobs, circuit):
            found[result.theorem] = result
            progress.update(task, advance=1, description=result.theorem)
            if not err.is_terminal:
                err.print(f"{len(found)}/{len(names)} {outcome_text(result)} {result.theorem}")
            if circuit is None:
                remember(result)
    return [found[name] for name in names]
