"""How long a run of ``--wide`` takes on cores, or workers of a cluster: simulated, of measured times.

    python -m benchmarks.wide_run --draw     # prove theorems drawn by class; interrupted, it goes on
    python -m benchmarks.wide_run            # the tables

What is known of a theorem is what ``results/wide_seconds.tsv`` has, else ``proofs/seconds.tsv``. Of any
other it is an estimate: the mean of those of its class that were drawn; where pages have figures of half
a class, nothing is drawn, and theirs count.
"""

from __future__ import annotations

import os
import random
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from heapq import heapify, heappop, heappush, heapreplace
from itertools import islice
from math import sqrt
from pathlib import Path
from statistics import mean, variance
from tempfile import TemporaryDirectory

import click

from spikeproof.prover.claims.catalogue import own
from spikeproof.prover.claims.obligation import Obligation, Outcome
from spikeproof.prover.evidence.archive import Archive
from spikeproof.prover.evidence.record import Record, blank_record
from spikeproof.prover.evidence.shards import longest_first, recorded_seconds
from spikeproof.prover.running.discharge import discharge
from spikeproof.prover.running.inquiry import Keeping
from spikeproof.specs.formats import FORMATS

KEPT = Path(__file__).parent / "results" / "wide_seconds.tsv"
HEADER = "theorem\tseconds\tsource"
DRAWN = "drawn"
"""Where a figure is from that was measured here; others name the page that has them."""
SEED = 25
SHARE = 0.15
"""Of n theorems of a class n to this power are drawn."""
TIMEOUT = 1500.0

ROUNDED = ("add", "subtract", "multiply", "divide", "square_root", "fma")
SMALL_BITS = 8
"""Up to so many bits operations are not told apart."""

CORES = (2, 8, 16)
WORKERS = (1, 2, 10, 100)
DISPATCH = 0.0127
"""Seconds that the scheduler and who asks it need for each task, one after another, as was measured of
``--cluster local`` when it was made."""

# --- seconds ------------------------------------------------------------------------------------

Class = tuple[str, ...]


def class_of(obligation: Obligation) -> Class:
    """What theorems that take about as long have in common."""
    said = obligation.parameters
    operation, names = said.get("operation", ""), [said.get("format", "")]
    if operation in ROUNDED:
        names += said.get("source", "").split("_and_")
    widths = [FORMATS[name].width for name in names if name in FORMATS]
    bits = max(SMALL_BITS, *widths) if widths else 0
    if obligation.evaluated:
        kind = "table"
    elif operation in ROUNDED:
        kind = operation if bits > SMALL_BITS else "rounded"
    else:
        kind = next((word for word in ("dot", "convert") if word in operation), "other")
    shallow = "shallow" if said.get("structure") == "shallow" else ""
    return (said.get("family", ""), f"{bits} bits" if bits else "", kind, shallow)


def kept() -> dict[str, tuple[float, str]]:
    """Seconds of processor time by theorem, and where they are from."""
    rows = (line.split("\t") for line in KEPT.read_text().splitlines()[1:])
    return {name: (float(seconds), source) for name, seconds, source in rows}


@dataclass(frozen=True)
class Known:
    """What is known of how long theorems take: seconds by theorem.

    Attributes:
        drawn: of those that were drawn.
        told: of those that pages have.
        recorded: of others that take long.
    """

    drawn: Mapping[str, float]
    told: Mapping[str, float]
    recorded: Mapping[str, float]

    @classmethod
    def now(cls) -> Known:
        """All that is kept and recorded."""
        rows = kept().items()
        drawn = {name: seconds for name, (seconds, source) in rows if source == DRAWN}
        told = {name: seconds for name, (seconds, source) in rows if source != DRAWN}
        recorded = {
            name: took
            for name, took in recorded_seconds().items()
            if name not in drawn.keys() | told.keys()
        }
        return cls(drawn, told, recorded)

    @property
    def seconds(self) -> dict[str, float]:
        """All of them."""
        return {**self.recorded, **self.told, **self.drawn}

    def classes(self) -> Iterator[tuple[Class, list[str], list[float]]]:
        """Classes of theorems: those of which it has to be estimated, and what pages have of others.

        Those that were drawn are among the first. Of what is recorded only the long ones are known.
        """
        unknown: dict[Class, list[str]] = defaultdict(list)
        told: dict[Class, list[float]] = defaultdict(list)
        for each in own().values():
            if each.name in self.told:
                told[class_of(each)].append(self.told[each.name])
            elif each.name not in self.recorded:
                unknown[class_of(each)].append(each.name)
        for kind, names in unknown.items():
            yield kind, names, told[kind] if len(told[kind]) >= len(names) else []


def draws(known: Known) -> list[str]:
    """Theorems to be drawn of each class, more of larger ones; first one of each."""
    chosen: list[tuple[int, str]] = []
    for kind, names, told in known.classes():
        if not told:
            missing = [name for name in names if name not in known.drawn]
            random.Random(f"{SEED} {kind}").shuffle(missing)
            drawn = len(names) - len(missing)
            chosen += enumerate(missing[: max(0, round(len(names) ** SHARE) - drawn)], drawn)
    return [name for _, name in sorted(chosen, key=lambda pair: pair[0])]


def draw() -> None:
    """Prove them, and keep the seconds of each as it comes."""
    rows = kept()
    for name in draws(Known.now()):
        if name not in rows:
            rows[name] = (proved(own()[name]), DRAWN)
            lines = (f"{each}\t{seconds:.2f}\t{source}" for each, (seconds, source) in rows.items())
            KEPT.write_text("\n".join((HEADER, *lines)) + "\n")
            click.echo(f"{name}: {rows[name][0]:.2f} s", err=True)


def proved(obligation: Obligation) -> float:
    """Seconds of processor time that its proof takes, in this process and in its children.

    What a program's rests on is taken for proved.

    Raises:
        RuntimeError: if it does not come out as promised.
    """
    before = _spent()
    with TemporaryDirectory() as folder:
        keeping = Keeping(Archive(Path(folder)))
        record = discharge(obligation, TIMEOUT, keeping=keeping, settled=_taken_for_proved)
    if not record.green:
        raise RuntimeError(f"{obligation.name}: {record.outcome.value} {record.message}")
    return _spent() - before


def _taken_for_proved(obligation: Obligation) -> Record:
    return replace(blank_record(obligation, TIMEOUT), outcome=Outcome.PROVED)


def _spent() -> float:
    return sum(os.times()[:4])


@dataclass(frozen=True)
class Estimate:
    """What all theorems take.

    Attributes:
        seconds: of processor time, by theorem.
        error: one standard error of their sum.
    """

    seconds: Mapping[str, float]
    error: float

    @classmethod
    def of(cls, known: Known) -> Estimate:
        """By what is known; a class of which one was drawn is taken to vary by as much as that takes."""
        seconds, square = known.seconds, 0.0
        for _, names, told in known.classes():
            sample = [known.drawn[name] for name in names if name in known.drawn] or told
            if not sample:
                raise click.ClickException(f"nothing like {names[0]} was drawn; use --draw")
            rest = [name for name in names if name not in known.drawn]
            seconds |= dict.fromkeys(rest, mean(sample))
            spread = variance(sample) if len(sample) > 1 else sample[0] ** 2
            square += spread * (len(rest) + len(rest) ** 2 / len(sample))
        return cls({name: seconds[name] for name in own()}, sqrt(square))


# --- schedules ----------------------------------------------------------------------------------

HELD = 2
"""So many tests nobody takes from who has them: one that runs, and the next."""


def one_queue(seconds: Sequence[float], workers: int, dispatch: float = 0.0) -> float:
    """When all is done, if whoever is idle takes what comes next.

    Args:
        dispatch: seconds that whoever hands out the tasks needs for each.
    """
    free = [0.0] * workers
    for number, took in enumerate(seconds, 1):
        heapreplace(free, max(free[0], number * dispatch) + took)
    return max(free)


def stealing(seconds: Sequence[float], workers: int) -> float:
    """When all is done, if each has a run of neighbours, and who has but one left takes half of the
    longest queue, the first ``HELD`` excepted: pytest-xdist's ``worksteal``."""
    coming = iter(seconds)
    sizes = ((len(seconds) + each) // workers for each in range(workers))
    queues = [deque(islice(coming, size)) for size in sizes]
    ends, now = [(queue[0], worker) for worker, queue in enumerate(queues) if queue], 0.0
    heapify(ends)
    while ends:
        now, worker = heappop(ends)
        mine, richest = queues[worker], max(queues, key=len)
        mine.popleft()
        if len(mine) < HELD:
            stolen = [richest.pop() for _ in range(min(len(richest) // 2, len(richest) - HELD))]
            mine.extend(reversed(stolen))
        if mine:
            heappush(ends, (now + mine[0], worker))
    return now


def bound(seconds: Sequence[float], workers: int) -> float:
    """What no schedule of whole theorems can beat."""
    return max(sum(seconds) / workers, max(seconds))


def on_cores(estimate: Estimate) -> Iterator[tuple[str, ...]]:
    """A row for each way to hand out theorems: minutes by number of cores."""
    stated = list(own().values())
    in_order = _took(estimate, stated)
    longest = sorted(in_order, reverse=True)
    recorded = _took(estimate, longest_first(stated))
    ways: dict[str, Callable[[int], float]] = {
        "`pytest`": partial(stealing, in_order),
        "one queue, as stated": partial(one_queue, in_order),
        "`prove`: one queue, the recorded first": partial(one_queue, recorded),
        "one queue, longest first": partial(one_queue, longest),
        "no schedule is shorter than": partial(bound, in_order),
    }
    for name, way in ways.items():
        yield (name, *(f"{way(cores) / 60:.1f}" for cores in CORES))


def _took(estimate: Estimate, obligations: Sequence[Obligation]) -> list[float]:
    return [estimate.seconds[each.name] for each in obligations]


def on_clusters(estimate: Estimate) -> Iterator[tuple[str, ...]]:
    """A row for each number of workers; programs come when all they rest on has ended."""
    ordered = longest_first(own().values())
    units, programs = (
        _took(estimate, [each for each in ordered if (each.rests_on is not None) is rests])
        for rests in (False, True)
    )
    alone = sum(units) + sum(programs)
    for workers in WORKERS:
        took = one_queue(units, workers, DISPATCH) + one_queue(programs, workers, DISPATCH)
        least = bound([*units, *programs], workers)
        yield (str(workers), f"{took / 60:.1f}", f"{least / 60:.1f}", f"{alone / took:.1f}")


def table(head: Sequence[str], rows: Iterator[tuple[str, ...]]) -> str:
    """Markdown."""
    lines = ["|".join(("---", *["---:"] * (len(head) - 1))), *(" | ".join(row) for row in rows)]
    return "\n".join(
        f"| {line} |" if " " in line else f"|{line}|" for line in (" | ".join(head), *lines)
    )


@click.command(help=__doc__)
@click.option(
    "--draw", "drawing", is_flag=True, help="Prove theorems drawn by class, and keep their times."
)
def main(drawing: bool) -> None:
    """Measure, or print the tables."""
    if drawing:
        draw()
        return
    known = Known.now()
    estimate = Estimate.of(known)
    seconds = estimate.seconds
    longest = max(seconds, key=lambda name: seconds[name])
    click.echo(
        f"{len(seconds):,} theorems, {sum(seconds.values()):,.0f} seconds of processor time, standard "
        f"error {estimate.error:,.0f}. Measured are {len(known.seconds)}, of these {len(known.drawn)} "
        "drawn by class; the others are estimated. "
        f"The longest is {longest}, {seconds[longest]:.0f} s.\n"
    )
    click.echo(table(["minutes", *(f"{cores} cores" for cores in CORES)], on_cores(estimate)) + "\n")
    head = ["workers", "minutes", "no schedule is shorter than", "times as fast as one core"]
    click.echo(table(head, on_clusters(estimate)))


if __name__ == "__main__":
    main()
