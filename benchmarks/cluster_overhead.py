"""What a cluster costs beside processes of this machine: both prove the same theorems with two workers.

    python -m benchmarks.cluster_overhead [--runs N] [--seed SEED] [12 | 60 | 300]...

``spikeproof prove --no-cache --jobs 2``, without and with ``--cluster local``, in turn, so that what
else runs on the machine disturbs both. Of 12 and 60 theorems, drawn of the default profile, and of 300
drawn of cells and blocks, which take a tenth of a second each. Counted is the processor time of the
command and of all its descendants, those that end after their parents included, and the time by the
clock. Shown is the least of all runs, to which the machine's other work added least.
"""

from __future__ import annotations

import ctypes
import os
import random
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from spikeproof.prover.claims.catalogue import promised

SIZES = (12, 60, 300)
SHORT = {300: ("cell.", "block.")}
"""By how many are drawn, what their names begin with; of others nothing is asked."""
SEED = 25
WAYS = {"processes": (), "cluster": ("--cluster", "local")}
SET_CHILD_SUBREAPER = 36
"""Of ``prctl``: orphans are this process's children, to be waited for and counted."""


@dataclass(frozen=True)
class Spent:
    """Seconds: of processors, and by the clock."""

    processor: float
    clock: float


def drawn(count: int, seed: int) -> list[str]:
    """So many theorems; and more, if programs are among them, which rest on others."""
    names = [each.name for each in promised(wide=False)]
    return random.Random(seed).sample(
        [name for name in names if name.startswith(SHORT.get(count, ""))], count
    )


def proved(names: Sequence[str], log: Path, arguments: Sequence[str]) -> Spent:
    """What a run takes.

    Raises:
        subprocess.CalledProcessError: if not all is proved.
    """
    command = ["spikeproof", "prove", *names, "--no-cache", "--jobs", "2", "--log", str(log), *arguments]
    before, started = _of_descendants(), time.perf_counter()
    subprocess.run([sys.executable, "-m", *command], check=True, capture_output=True)
    clock = time.perf_counter() - started
    while _wait_for_an_orphan():
        pass
    return Spent(_of_descendants() - before, clock)


def _of_descendants() -> float:
    return sum(os.times()[2:4])


def _wait_for_an_orphan() -> bool:
    try:
        os.wait()
    except ChildProcessError:
        return False
    return True


def compared(names: Sequence[str], runs: int) -> dict[str, Spent]:
    """The least that each way takes, of so many runs in turn."""
    least: dict[str, Spent] = {}
    with TemporaryDirectory(prefix="spikeproof-") as folder:
        for run in range(runs):
            for way, arguments in WAYS.items():
                took = proved(names, Path(folder, f"{way} {run}"), arguments)
                click.echo(f"{way}: {took.processor:.1f} s, {took.clock:.1f} by the clock", err=True)
                before = least.get(way, took)
                least[way] = Spent(min(before.processor, took.processor), min(before.clock, took.clock))
    return least


@click.command(help=__doc__)
@click.argument("sizes", type=click.IntRange(min=1), nargs=-1)
@click.option("--runs", type=click.IntRange(min=1), default=3, show_default=True)
@click.option("--seed", type=int, default=SEED, show_default=True)
def main(sizes: tuple[int, ...], runs: int, seed: int) -> None:
    """Measure, and print a table."""
    ctypes.CDLL(None).prctl(SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    print("| theorems | processor, without | with | | clock, without | with | |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for size in sizes or SIZES:
        one, other = compared(drawn(size, seed), runs).values()
        cells = [
            f"{a:.1f} | {b:.1f} | {b / a - 1:+.0%}"
            for a, b in ((one.processor, other.processor), (one.clock, other.clock))
        ]
        print(f"| {size} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
