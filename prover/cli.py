"""The command ``spikeproof``.

Exit codes: 0 everything as promised; 1 something refuted (or proved that was to be refuted); 2 bad
usage or input; 3 undecided (timeout or unknown); 4 engine or internal error; 130 interrupted.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable, Sequence
from errno import EISDIR
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from circuits.interchange import read_json
from circuits.netlist import Netlist, NetlistError
from prover.catalogue import CatalogueError, catalogue, promised, select
from prover.discharge import DEFAULT_TIMEOUT, Result, discharge_all, require_same_buses
from prover.engine import EngineError, engine_named
from prover.history import beside, last_result, remember, write_atomically
from prover.obligation import ENGINES_ALONE, Obligation, Outcome
from prover.tables import PIPE_WIDTH, failure_text, outcome_text, results_table, summary

RESULTS_SCHEMA = "spikeproof-results-1"

EXIT_REFUTED = 1
EXIT_BAD_INPUT = 2
EXIT_UNDECIDED = 3
EXIT_INTERNAL = 4
EXIT_INTERRUPTED = 130

out = Console(highlight=False, width=None if sys.stdout.isatty() else PIPE_WIDTH)
err = Console(stderr=True, highlight=False)


class Seconds(click.ParamType[float]):
    """A positive number of seconds."""

    name = "seconds"
    longest = 1_000_000

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number, or a one-line error."""
        try:
            seconds = float(str(value))
        except ValueError:
            seconds = math.nan
        if not 0 < seconds <= self.longest:
            self.fail(f"{value} is not a positive number of seconds, at most {self.longest}", param, ctx)
        return seconds


def exit_code(results: Iterable[Result]) -> int:
    """The exit code for a set of results: errors outweigh refutations, those the undecided."""
    bad = {result.outcome for result in results if not result.green}
    if Outcome.ERROR in bad:
        return EXIT_INTERNAL
    if bad & {Outcome.REFUTED, Outcome.PROVED}:
        return EXIT_REFUTED
    return EXIT_UNDECIDED if bad else 0


@click.group(context_settings={"help_option_names": ["-h", "--help"]}, no_args_is_help=False)
@click.version_option(package_name="spikeproof")
def cli() -> None:
    """Machine-checked proofs that arithmetic built from spiking neurons is bit-exact."""


@cli.command("list")
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


@cli.command()
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
def prove(
    pattern: str | None,
    wide: bool,
    jobs: int | None,
    timeout: float,
    json_file: Path | None,
    circuit_file: Path | None,
) -> None:
    """Prove the theorems whose name matches PATTERN, a shell glob (default: the default profile)."""
    obligations = select(pattern) if pattern else promised(wide=wide)
    if json_file:
        require_writable(json_file)
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
    out.print("\n" + summary(results), markup=False)
    sys.exit(exit_code(results))


def run(
    obligations: Sequence[Obligation], timeout: float, jobs: int | None, circuit: Netlist | None
) -> list[Result]:
    """Discharge obligations with visible progress; the results in catalogue order."""
    names = [obligation.name for obligation in obligations]
    found: dict[str, Result] = {}
    columns = (
        TextColumn("proving"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}", markup=False),
    )
    with Progress(*columns, console=err, transient=True) as progress:
        task = progress.add_task("", total=len(names))
        for result in discharge_all(names, timeout, jobs, circuit):
            found[result.theorem] = result
            progress.update(task, advance=1, description=result.theorem)
            if not err.is_terminal:
                err.print(f"{len(found)}/{len(names)} {outcome_text(result)} {result.theorem}")
            if circuit is None:
                remember(result)
    return [found[name] for name in names]


def require_writable(path: Path) -> None:
    """Refuse a file that cannot be written, before any work is done for it.

    Raises:
        click.BadParameter: saying why.
    """
    try:
        if path.is_dir():
            raise IsADirectoryError(EISDIR, "it is a directory")
        beside(path).touch()
        beside(path).unlink()
    except OSError as error:
        raise click.BadParameter(f"cannot write {path}: {error.strerror}; name another file") from None


@cli.command()
@click.argument("theorem")
def show(theorem: str) -> None:
    """Show a theorem: statement, circuit, decomposition, last result."""
    if theorem not in catalogue():
        select(theorem)  # fails with a hint unless it is a glob
        raise CatalogueError(f"{theorem!r} is a pattern; name one theorem, or use `spikeproof list`")
    obligation = catalogue()[theorem]
    netlist = obligation.circuit() if obligation.circuit else None
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    for label, value in [
        ("theorem", obligation.name),
        ("statement", obligation.statement),
        ("promised", obligation.expected.value),
        *(_circuit_rows(netlist) if netlist else [("circuit", "none: a claim about formulas")]),
        ("decomposition", _decomposition(obligation)),
        ("last result", _last_result(theorem)),
    ]:
        table.add_row(label, value)
    out.print(table)


def _decomposition(obligation: Obligation) -> str:
    engines = " and ".join(engine_named(name).label for name in obligation.engines)
    if obligation.decomposition is None:
        return f"none: the claim as a whole, by {engines}"
    steps = (
        ", ".join(step.names) + (f" (by algebra: {step.method})" if step.method != ENGINES_ALONE else "")
        for step in obligation.decomposition.steps
    )
    return f"{'; '.join(steps)}; outputs. All that is not algebra by {engines}"


def _circuit_rows(netlist: Netlist) -> list[tuple[str, str]]:
    size = netlist.statistics
    buses = ", ".join(f"{name} ({width})" for name, width in netlist.inputs.items())
    results = ", ".join(f"{name} ({len(bus)})" for name, bus in netlist.outputs.items())
    return [
        (
            "circuit",
            f"{size.neurons} neurons, {size.synapses} synapses, depth {size.depth}, "
            f"largest fan-in {size.largest_fan_in}",
        ),
        ("buses", f"{buses} -> {results}"),
        ("blocks", ", ".join(f"{b.name} ({b.kind})" for b in netlist.blocks) or "none"),
        ("netlist", f"SHA-256 {netlist.sha256}"),
    ]


def _last_result(theorem: str) -> str:
    last = last_result(theorem)
    if last is None:
        return f"none yet; run `spikeproof prove {theorem}`"
    result, current = last
    text = f"{outcome_text(result)} by {result.engine} in {result.seconds:.2f} s"
    if not current:
        text += ", by an earlier version of the source"
    for lemma, seconds in (result.lemmas or {}).items():
        text += f"\nlemma {lemma}: {seconds:.2f} s"
    return text + (f"\n{result.message}" if result.message else "")


def main() -> None:
    """Run the command line; every error is one line on standard error and a distinct exit code."""
    try:
        sys.exit(cli.main(standalone_mode=False) or 0)
    except click.ClickException as error:
        _fail(error.format_message(), EXIT_BAD_INPUT)
    except (CatalogueError, EngineError, NetlistError) as error:
        _fail(str(error), EXIT_BAD_INPUT)
    except (click.Abort, KeyboardInterrupt):
        _fail("interrupted; results so far are kept, see `spikeproof show`", EXIT_INTERRUPTED)
    except Exception as error:
        _fail(f"internal error: {type(error).__name__}: {error}", EXIT_INTERNAL)


def _fail(message: str, code: int) -> None:
    err.print(f"spikeproof: {message}", markup=False, soft_wrap=True)
    sys.exit(code)
