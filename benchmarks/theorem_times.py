"""Time of each unit's theorem, as the command shows it to whoever asks for that theorem alone.

``python -m benchmarks.theorem_times`` runs, for every format and operation, to nearest even under the
format's first overflow policy,

    spikeproof prove FORMAT.OPERATION.MODE[.POLICY] --no-cache

each in a process of its own with nothing kept, so that no lemma was proved before; on all cores, and
with all the engines and certificates that the ledger promises. It prints the table, and writes it to
``benchmarks/results``.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from spikeproof.proofs.units import Unit
from spikeproof.specs.formats import FORMATS, Format

OPERATIONS = ("add", "multiply", "divide", "square_root", "fma")
RESULTS = Path(__file__).parent / "results"


def measured(theorem: str) -> tuple[float, float]:
    """Seconds that the command shows for a theorem, and those of the whole command.

    Raises:
        subprocess.CalledProcessError: if it is not proved.
    """
    with TemporaryDirectory() as directory:
        results = Path(directory) / "results.json"
        arguments = ["prove", theorem, "--no-cache", "--json", str(results), "--log", f"{directory}/log"]
        started = time.perf_counter()
        subprocess.run([sys.executable, "-m", "spikeproof", *arguments], check=True, capture_output=True)
        whole = time.perf_counter() - started
        (record,) = json.loads(results.read_text())["results"]
    return record["seconds"], whole


def shown(seconds: float) -> str:
    """Seconds to two digits."""
    return f"{seconds:.2f} s" if seconds < 1 else f"{seconds:.1f} s"


def row(fmt: Format) -> tuple[str, list[float]]:
    """A row of the table, and what each command took besides."""
    units = [Unit(operation, fmt, policy=fmt.policies[0]) for operation in OPERATIONS]
    engines = " and ".join({"z3": "z3", "cadical": "CaDiCaL"}[e] for e in units[0].obligation().engines)
    times = []
    for unit in units:
        times.append(measured(unit.name))
        click.echo(f"{unit.name}: {shown(times[-1][0])}", err=True)
    cells = " | ".join(shown(seconds) for seconds, _ in times)
    return f"| `{fmt.name}` | {engines} | {cells} |", [whole - seconds for seconds, whole in times]


@click.command(help=__doc__)
@click.option("--output", type=click.Path(path_type=Path, file_okay=False), default=RESULTS)
def main(output: Path) -> None:
    """Measure, print and save."""
    rows = [row(fmt) for fmt in FORMATS.values()]
    besides = max(seconds for _, each in rows for seconds in each)
    heading = (
        f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}; "
        f"{date.today()}. Starting the command, stating the theorem and writing the log took up to "
        f"{besides:.1f} s besides."
    )
    head = [
        "| format | engines | add | multiply | divide | square root | fma |",
        "|---|---|" + "---:|" * 5,
    ]
    text = "\n".join([heading, "", *head, *(line for line, _ in rows), ""])
    click.echo(text)
    output.mkdir(parents=True, exist_ok=True)
    (output / "theorem_times.md").write_text("# Times of theorems\n\n" + text)


if __name__ == "__main__":
    main()
