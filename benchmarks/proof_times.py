"""Time to prove a unit: our decomposition beside solvers that are given the whole claim.

``python -m benchmarks.proof_times`` runs, one after the other on one core and with the same timeout,

* ``decomposed``: the unit's theorem by lemmas, with CaDiCaL, as ``spikeproof prove`` does it;
* ``z3 fp``: circuit against z3's floating-point theory, monolithic. (It does not add where the exponent
  field is wider than the significand, as in E5M2.)
* ``bitwuzla``: circuit against our bit-vector spec, monolithic. (Its own floating-point theory refuses
  formats below 16 bits, and bfloat16.)

It prints the table, and writes it to ``benchmarks/results``, with a plot of time against width.
"""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path

import click
import z3
from matplotlib.figure import Figure
from pysmt.environment import get_env
from pysmt.solvers.z3 import Z3Converter
from rich.console import Console
from rich.table import Table

from spikeproof.circuits.meanings.formula import input_symbols, output_formulas
from spikeproof.proofs.units import Unit
from spikeproof.prover.claims.environment import passing_formulas
from spikeproof.prover.claims.obligation import Outcome
from spikeproof.prover.running.discharge import discharge
from spikeproof.specs.formats import BFLOAT16, FP8_E5M2, FP16, FP32

FORMATS = (FP8_E5M2, BFLOAT16, FP16, FP32)
OPERATIONS = ("add", "multiply", "fma")
RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Measurement:
    """How long one method took for one unit; ``outcome`` is one of ``obligation.Outcome``."""

    format: str
    significand: int
    operation: str
    method: str
    outcome: str
    seconds: float


def _decomposed(unit: Unit, timeout: float) -> str:
    return discharge(replace(unit.obligation(), engines=("cadical",)), timeout).outcome.value


def _bitwuzla(unit: Unit, timeout: float) -> str:
    whole = replace(unit.obligation(), engines=("bitwuzla",), decomposition=None)
    return discharge(whole, timeout).outcome.value


_THEORY: dict[str, Callable[..., z3.FPRef]] = {"add": z3.fpAdd, "multiply": z3.fpMul, "fma": z3.fpFMA}


def _z3_floating_point(unit: Unit, timeout: float) -> str:
    """Whether z3 proves that the circuit's result is that of its theory; any NaN being any NaN."""
    with passing_formulas():
        netlist = unit.circuit()
        inputs = input_symbols(netlist)
        solver = z3.Solver()
        solver.set("timeout", round(timeout * 1000))
        converter = Z3Converter(get_env(), solver.ctx)
        sort = z3.FPSort(unit.fmt.exponent_bits, unit.fmt.precision, solver.ctx)

        def number(code: z3.BitVecRef) -> z3.FPRef:
            return z3.fpBVToFP(code, sort, solver.ctx)

        operands = [number(converter.convert(inputs[name])) for name in unit.operands]
        result = number(converter.convert(output_formulas(netlist, inputs)["result"]))
        nearest_even = z3.RNE(solver.ctx)
        solver.add(result != _THEORY[unit.operation](nearest_even, *operands))
        answer = solver.check()
    if answer == z3.unknown:  # such as for additions in formats of few fraction bits
        timed_out = solver.reason_unknown() in ("timeout", "canceled")
        outcome = Outcome.TIMEOUT if timed_out else Outcome.UNKNOWN
    else:
        outcome = Outcome.PROVED if answer == z3.unsat else Outcome.REFUTED
    return str(outcome.value)


METHODS: dict[str, Callable[[Unit, float], str]] = {
    "decomposed": _decomposed,
    "z3 fp": _z3_floating_point,
    "bitwuzla": _bitwuzla,
}


def measure(units: Iterable[Unit], timeout: float) -> Iterable[Measurement]:
    """Each method on each unit, in turn."""
    for unit in units:
        for name, method in METHODS.items():
            started = time.perf_counter()
            outcome = method(unit, timeout)
            seconds = time.perf_counter() - started
            fmt = unit.fmt
            yield Measurement(fmt.name, fmt.precision, unit.operation, name, outcome, round(seconds, 2))


def _cell(measurement: Measurement) -> str:
    if measurement.outcome == Outcome.PROVED.value:
        return f"{measurement.seconds:.1f} s"
    return f"{measurement.outcome} ({measurement.seconds:.0f} s)"


def table(measurements: list[Measurement]) -> list[list[str]]:
    """Rows of format, operation, and a time for each method."""
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for each in measurements:
        rows.setdefault((each.format, each.operation), {})[each.method] = _cell(each)
    return [[*key, *(cells.get(method, "") for method in METHODS)] for key, cells in rows.items()]


def markdown(measurements: list[Measurement], heading: str) -> str:
    """The table as Markdown."""
    header = ["format", "operation", *METHODS]
    lines = [header, ["---", "---", *("---:" for _ in METHODS)], *table(measurements)]
    return "\n".join([heading, "", *("| " + " | ".join(line) + " |" for line in lines), ""])


def plot(measurements: list[Measurement], timeout: float) -> Figure:
    """Time against significand width, a panel for each operation; timeouts at the top."""
    figure = Figure(figsize=(11, 3.6), layout="constrained")
    panels = figure.subplots(1, len(OPERATIONS), sharey=True)
    markers = dict(zip(METHODS, "os^", strict=True))
    for panel, operation in zip(panels, OPERATIONS, strict=True):
        for method, marker in markers.items():
            chosen = sorted(
                (m.significand, m.seconds if m.outcome == Outcome.PROVED.value else timeout)
                for m in measurements
                if m.method == method
                and m.operation == operation
                and m.outcome in (Outcome.PROVED.value, Outcome.TIMEOUT.value)
            )
            panel.plot(*zip(*chosen, strict=True), marker=marker, label=method)
        panel.axhline(timeout, color="grey", linestyle=":", linewidth=1)
        panel.set(title=operation, xlabel="significand width (bits)", yscale="log")
        panel.set_xticks(sorted({m.significand for m in measurements}))
    panels[0].set_ylabel(f"seconds (dotted: timeout, {timeout:g} s)")
    panels[0].legend()
    return figure


@click.command(help=__doc__)
@click.option("--timeout", type=click.FloatRange(min=1), default=60, show_default=True)
@click.option("--output", type=click.Path(path_type=Path, file_okay=False), default=RESULTS)
def main(timeout: float, output: Path) -> None:
    """Measure, print and save."""
    units = [Unit(operation, fmt) for operation in OPERATIONS for fmt in FORMATS]
    console = Console()
    measurements = []
    for each in measure(units, timeout):
        measurements.append(each)
        console.print(f"{each.format}.{each.operation}, {each.method}: {_cell(each)}")
    machine = f"{platform.machine()}, Python {platform.python_version()}, z3 {z3.get_version_string()}"
    heading = f"Time to a proof on one core; timeout {timeout:g} s; {machine}; {date.today()}."
    shown = Table("format", "operation", *METHODS, title=heading)
    for row in table(measurements):
        shown.add_row(*row)
    console.print(shown)
    output.mkdir(parents=True, exist_ok=True)
    record = {"timeout": timeout, "machine": machine, "measurements": list(map(asdict, measurements))}
    (output / "proof_times.json").write_text(json.dumps(record, indent=1) + "\n")
    (output / "proof_times.md").write_text("# Times to a proof\n\n" + markdown(measurements, heading))
    plot(measurements, timeout).savefig(output / "proof_times.png", dpi=120)


if __name__ == "__main__":
    main()
