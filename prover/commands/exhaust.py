"""``spikeproof exhaust``."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from spikeproof.circuits.doors.files import read_circuit
from spikeproof.circuits.netlist import Netlist
from spikeproof.prover.checking.replays import expected_outputs
from spikeproof.prover.claims.catalogue import require_fitting
from spikeproof.prover.claims.environment import passing_formulas
from spikeproof.prover.claims.obligation import Obligation
from spikeproof.prover.commands.completion import theorem_argument
from spikeproof.prover.commands.console import (
    EXIT_REFUTED,
    circuit_option,
    cluster_option,
    err,
    examples,
    failures_option,
    in_a_line,
    log_option,
    named,
    nearby,
    screen_beside,
)
from spikeproof.prover.evidence.files import storing
from spikeproof.prover.evidence.log import Log, Machine, default_log_directory
from spikeproof.prover.refutation.counterexample import explain
from spikeproof.prover.refutation.minimisation import minimised
from spikeproof.prover.report.tables import notes_text
from spikeproof.prover.running.neighbours import SEARCHING, nearest
from spikeproof.prover.running.replay import write_counterexample

if TYPE_CHECKING:
    from spikeproof.prover.refutation.exhaustion import Exhausted


def _named(_: click.Context, __: click.Parameter, device: str | None) -> str | None:
    if device == "":
        raise click.BadParameter("name a device of PyTorch's, such as cuda")
    return device


@click.command(
    epilog=examples(
        "exhaust fp16.multiply.rne",
        "exhaust fp16.add.rne --circuit mine.json --failures wrong.npz",
        "exhaust fp32.square_root.rne --device cuda",
    )
)
@theorem_argument("theorem")
@click.option(
    "--against",
    type=click.Choice(("spec", "machine", "both")),
    help="Compare with the spec's formula, with this computer's own arithmetic, or with both "
    "(default: with both where the computer has such an instruction).",
)
@click.option(
    "--threads",
    type=click.IntRange(min=1, max=1024),
    help="Threads to use (default: one on each core, with --device one).",
)
@cluster_option()
@click.option(
    "--device",
    metavar="NAME",
    callback=_named,
    help="Enumerate on this device of PyTorch's, such as cuda, against the spec alone.",
)
@circuit_option("Enumerate the netlist in FILE instead of the built-in circuit.")
@failures_option()
@log_option("Write the record to the proof log in")
def exhaust(
    theorem: str,
    against: str | None,
    threads: int | None,
    cluster: str | None,
    device: str | None,
    circuit_file: Path | None,
    failures_file: Path | None,
    log_directory: Path | None,
) -> None:
    """Compare a circuit with its spec on every single input.

    The circuit, of THEOREM or given, may have up to 32 input bits. Interrupted, it is continued by the
    same command. Exit code 0 if no input fails, 1 if some do.
    """
    # These load LLVM, which few other commands need.
    from spikeproof.prover.commands.failures import list_failures, require_listable
    from spikeproof.prover.refutation import exhaustion
    from spikeproof.prover.refutation.drawing import MOST_BITS
    from spikeproof.prover.running.cluster import connected
    from spikeproof.prover.running.enumerating import ChunksOn

    if cluster and device:
        raise click.UsageError("--cluster and --device: workers enumerate in machine code; use one")
    obligation = named(theorem)
    theorem = obligation.name
    own = exhaustion.enumerable_circuit(obligation)
    circuit = read_circuit(circuit_file) if circuit_file else None
    if circuit:
        require_fitting(obligation, circuit)
    netlist = circuit or own
    screen = screen_beside(failures_file)
    if failures_file:
        require_listable(obligation, circuit, failures_file, MOST_BITS)
    log = Log((log_directory or default_log_directory(circuit, [theorem])).absolute())
    with storing(f"write a record to {log.directory}"):
        log.take()
    default = (exhaustion.SPEC,) if device else exhaustion.default_references(obligation, netlist)
    wanted = exhaustion.AGAINST[against] if against else default
    threads = threads or (1 if device else Machine.here().cores)
    with (
        connected(cluster, threads, in_a_line) if cluster else nullcontext() as workers,
        _progress() as progress,
    ):
        inputs = 1 << netlist.input_count
        task = progress.add_task(theorem, total=inputs)

        def advance(tried: int, again: bool) -> None:
            if not again:
                progress.advance(task, tried)
                return
            progress.reset(task, completed=tried)
            if tried:
                err.print(f"continued: {tried:,} of {inputs:,} inputs were tried before", markup=False)

        record = exhaustion.enumerate_all(
            obligation,
            netlist,
            wanted,
            workers.threads if workers else threads,
            log.exhaustive(theorem, unfinished=True),
            advance,
            device,
            elsewhere=ChunksOn(workers, circuit) if workers else None,
        )
    exhaustion.write_exhausted(log, record)
    _show(record, screen, given=circuit is not None)
    if netlist.notes:
        screen.print(notes_text(netlist.notes), markup=False, soft_wrap=True)
    screen.print(f"record: {log.exhaustive(theorem)}", markup=False, soft_wrap=True)
    if record.failures:
        _explain(obligation, netlist, circuit, record, log, screen)
    if failures_file:
        list_failures(obligation, circuit, failures_file)
    sys.exit(EXIT_REFUTED if record.failures else 0)


class _Rate(ProgressColumn):
    """Evaluations a second."""

    def render(self, task: Task) -> Text:
        """The rate of late, once there is one."""
        return Text(f"{task.speed:.2g}/s" if task.speed else "")


def _progress() -> Progress:
    columns = (
        TextColumn("enumerating"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        _Rate(),
        TimeRemainingColumn(),
        TextColumn("{task.description}", markup=False),
    )
    return Progress(*columns, console=err, transient=True, disable=not err.is_terminal)


def _show(record: Exhausted, screen: Console, given: bool) -> None:
    rate = record.inputs / max(record.seconds, 0.01)
    lines = [f"{record.theorem}: all {record.inputs:,} inputs enumerated"]
    if given:
        lines.append(f"  of the circuit given instead, of SHA-256 {record.netlist_sha256[:12]}")
    for compared in record.compared:
        lines.append(f"  against the {compared.reference}: {compared.failures:,} fail")
    lines.append(f"  SHA-256 of all outputs: {record.outputs_sha256}")
    lines.append(
        f"  {record.seconds:,.1f} s, {rate:.2g} evaluations/s, {record.peak_memory_mib:,.0f} MiB"
    )
    screen.print("\n".join(lines), markup=False, soft_wrap=True)


def _explain(
    obligation: Obligation,
    netlist: Netlist,
    circuit: Netlist | None,
    record: Exhausted,
    log: Log,
    screen: Console,
) -> None:
    """Show failing inputs; one that violates the claim simplified, and kept as a file."""
    for compared in record.compared:
        if compared.first:
            screen.print(f"\nfirst inputs that fail against the {compared.reference}:", markup=False)
        for inputs in compared.first:
            shown = ", ".join(f"{name} = {value}" for name, value in inputs.items())
            screen.print(f"  {shown}", markup=False, soft_wrap=True)
    violating = next((c.first[0] for c in record.compared if c.reference == "spec" and c.first), None)
    if violating is None:
        return
    with passing_formulas():
        claim = obligation.state(netlist)
        codes = {name: int(value, 16) for name, value in violating.items()}
        found = minimised(obligation, claim, codes, netlist)
        shown = explain(obligation, netlist, found.inputs, expected_outputs(claim, found.inputs))
        counted = [found.failures] if found.counted else []
        with err.status(SEARCHING):
            other = nearest(obligation, circuit, found.inputs) if circuit else None
        words = [other.words] if other else []
        right = other is not None and other.right
        text = "\n".join([*words, shown, *counted] if right else [shown, *counted, *words])
    path = log.counterexample(obligation.name, enumerated=True)
    write_counterexample(obligation, circuit, found.inputs, path, text)
    screen.print(f"\nthe simplest found:\n{text}", markup=False, soft_wrap=True)
    screen.print(f"\nreplay it with: spikeproof replay {nearby(path)}", markup=False, soft_wrap=True)
