"""``spikeproof prove``."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import click

from spikeproof.circuits.doors.files import read_circuit
from spikeproof.circuits.netlist import Netlist
from spikeproof.prover.claims.catalogue import (
    catalogue,
    own_named,
    profile_name,
    promised,
    require_fitting,
    with_units,
)
from spikeproof.prover.claims.obligation import Obligation, Outcome
from spikeproof.prover.commands.completion import theorem_argument
from spikeproof.prover.commands.console import (
    circuit_option,
    cluster_option,
    err,
    examples,
    exit_code,
    failures_option,
    file_option,
    in_a_line,
    jobs_option,
    log_option,
    nearby,
    progress_bar,
    require_writable,
    screen_beside,
    selected,
    timeout_option,
    write_file,
)
from spikeproof.prover.evidence.cache import Cache
from spikeproof.prover.evidence.history import remember
from spikeproof.prover.evidence.log import Log, default_log_directory, finished
from spikeproof.prover.evidence.record import Found
from spikeproof.prover.evidence.shards import Shard, ShardError
from spikeproof.prover.report.tables import (
    audit_text,
    failure_text,
    notes_text,
    result_text,
    results_table,
    summary,
)

if TYPE_CHECKING:  # it loads every engine, for which nobody who completes a name should wait
    from spikeproof.prover.running.run import Run

RESULTS_SCHEMA = "spikeproof-results-1"


class ShardOf(click.ParamType[Shard]):
    """One of so many parts, as ``3/8``."""

    name = "shard"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Shard:
        """The shard, or a one-line error."""
        try:
            return value if isinstance(value, Shard) else Shard.read(str(value))
        except ShardError as error:
            self.fail(str(error), param, ctx)


@click.command(
    epilog=examples(
        "prove 'fp6_*' 'cell.*' --jobs 2 --timeout 60",
        "prove fp8_e5m2.add.rne --circuit mine.json --failures wrong.csv",
        "prove 'cell.*' --json - | jq '.results[].outcome'",
    )
)
@theorem_argument("patterns", many=True)
@click.option("--wide", is_flag=True, help="Without PATTERN: also what takes minutes (FP64).")
@click.option(
    "--shard",
    type=ShardOf(),
    metavar="I/N",
    help="Only the I-th of N parts that take about as long: `spikeproof merge` makes one log of theirs.",
)
@cluster_option()
@jobs_option()
@timeout_option(
    "the engines of each theorem",
    "; of up to 32 input bits, every input is then tried for as long again, at least a minute",
)
@click.option("--verbose", "-v", is_flag=True, help="Show statements and engines too.")
@file_option("json", "results")
@circuit_option("Prove the theorem of the netlist in FILE instead of the built-in circuit.")
@failures_option()
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
    patterns: tuple[str, ...],
    wide: bool,
    shard: Shard | None,
    cluster: str | None,
    jobs: int | None,
    timeout: float,
    verbose: bool,
    json_file: Path | None,
    circuit_file: Path | None,
    failures_file: Path | None,
    log_directory: Path | None,
    no_cache: bool,
    audit: int,
) -> None:
    """Prove theorems, of our circuits or of one given.

    PATTERN is a name or a shell glob; without one, the default profile is proved. A theorem of up to 32
    input bits that no engine decides in time is tried on every input.

    Exit code 0 if all is as promised, 1 if something is refuted, 3 if something is undecided, 4 on an
    error.
    """
    from spikeproof.prover.running.run import Run, drawn

    if patterns and wide:
        raise click.UsageError("PATTERN and --wide: a pattern is of all theorems; leave out --wide")
    if circuit_file and not patterns:
        raise click.UsageError("--circuit: name the theorem that the circuit is to be proved of")
    if cluster and circuit_file:
        raise click.UsageError("--cluster and --circuit: a circuit that is given stays on this machine")
    if shard and circuit_file:
        raise click.UsageError("--shard and --circuit: a circuit's log is merged with no other")
    obligations = selected(patterns) if patterns else promised(wide=wide)
    if shard:
        count, obligations = len(obligations), shard.of(obligations)
        if not obligations:
            raise click.UsageError(
                f"--shard: there are fewer theorems than {shard.count}; use an N of {count} at most"
            )
    screen = screen_beside(json_file, failures_file)
    require_writable(json_file)
    circuit = read_circuit(circuit_file) if circuit_file else None
    if not circuit:
        obligations = with_units(obligations)
    if circuit:
        for obligation in obligations:
            require_fitting(obligation, circuit)
    else:
        _require_circuits(obligations)
    if failures_file:
        _require_listable(obligations, circuit, failures_file)
    cache = None if no_cache else Cache.default()
    if cache:
        cache.require_usable()
    names = [obligation.name for obligation in obligations]
    directory = log_directory or default_log_directory(circuit, names)
    with _discharging(cluster, jobs) as discharging:  # before a log gives way
        if replaced := finished(directory):
            err.print(f"replacing the proof log in {directory}, of: {replaced.command}", markup=False)
        log = Log.begin(
            directory,
            command=shlex.join(["spikeproof", *sys.argv[1:]]),
            profile="part" if patterns or shard else profile_name(wide=wide),
            promised=len(obligations),
            packages={obligation.package for obligation in obligations},
        )
        audited = drawn(names, audit, uuid4().hex)
        records = prove_all(obligations, Run(timeout, circuit, log, cache, audited), discharging)
    log.end(discharged=sum(record.green for record in records), complete=True)
    screen.print(results_table(records, verbose))
    if notes := notes_text(note for record in records for note in record.notes):
        screen.print(notes, markup=False, soft_wrap=True)
    for record in records:
        if not record.green:
            screen.print("\n" + failure_text(record), markup=False, soft_wrap=True)
            if log.counterexample(record.theorem).exists():
                replay = f"spikeproof replay {nearby(log.counterexample(record.theorem))}"
                screen.print(f"\nreplay it with: {replay}", markup=False, soft_wrap=True)
    screen.print("\n" + summary(records), markup=False, soft_wrap=True)
    if audit:
        screen.print(audit_text(records, audit), markup=False, soft_wrap=True)
    screen.print(f"proof log: {log.directory}", markup=False, soft_wrap=True)
    if json_file:
        data = {"schema": RESULTS_SCHEMA, "results": [record.as_json() for record in records]}
        write_file(json_file, json.dumps(data, indent=1) + "\n")
    if failures_file:
        from spikeproof.prover.commands.failures import list_failures  # loads LLVM

        if (
            list_failures(obligations[0], circuit, failures_file)
            and records[0].outcome is Outcome.PROVED
        ):
            raise RuntimeError(f"{records[0].theorem} is proved, but inputs fail: {failures_file}")
    sys.exit(exit_code(records))


def _require_circuits(obligations: Sequence[Obligation]) -> None:
    """Refuse theorems that only a name describes, of circuits that nothing makes.

    Raises:
        StatementError: saying why.
    """
    for obligation in obligations:
        name = obligation.name
        if obligation.circuit and not own_named(name) and name not in catalogue():
            obligation.circuit()


def _require_listable(obligations: Sequence[Obligation], circuit: Netlist | None, file: Path) -> None:
    """Refuse to list the failures of what cannot be enumerated on the way.

    Raises:
        click.UsageError: saying why.
    """
    from spikeproof.prover.commands.failures import require_listable  # loads LLVM

    if len(obligations) > 1:
        raise click.UsageError(f"--failures: {len(obligations)} theorems match; name one")
    require_listable(obligations[0], circuit, file)


Discharging = Callable[[Sequence[str], "Run"], Iterable[Found]]
"""What discharges theorems by name."""


@contextmanager
def _discharging(cluster: str | None, jobs: int | None) -> Iterator[Discharging]:
    """By processes of this machine, or on a cluster."""
    from spikeproof.prover.running.run import discharge_all

    if cluster is None:
        yield lambda names, run: discharge_all(names, run, jobs)
        return
    from spikeproof.prover.running.cluster import connected, discharge_on

    with connected(cluster, jobs, in_a_line) as workers:
        yield lambda names, run: discharge_on(workers, names, run)


def prove_all(obligations: Sequence[Obligation], run: Run, discharging: Discharging) -> list[Found]:
    """Discharge obligations with visible progress; the records in the order of the obligations."""
    names = [obligation.name for obligation in obligations]
    found: dict[str, Found] = {}
    with progress_bar("proving") as progress:
        task = progress.add_task("", total=len(names))
        if len(names) == 1:  # which is discharged in this process
            run = replace(run, told=lambda words: progress.update(task, description=words))
        for record in discharging(names, run):
            found[record.theorem] = record
            earlier = f" ({record.origin})" if record.origin else ""
            progress.update(task, advance=1, description=record.theorem + earlier)
            if not err.is_terminal:
                line = f"{len(found)}/{len(names)} {result_text(record)} {record.theorem}"
                err.print(line, markup=False, soft_wrap=True)
            if run.circuit is None:
                remember(record.record)
    return [found[name] for name in names]
