"""How long one and two changed spikes of a network over time take to be decided, and z3 beside it.

    python -m benchmarks.network_robustness DATA [--write]

DATA is a directory of MNIST's test images (IDX). Networks are of the shapes that are published: a first
layer of ternary weights drawn by a seed, of which a share of 5 % (of few neurons more) is not 0, read
out by whole weights of 4 bits that are fitted by least squares to 9,000 of the images; the first 200
of the others say how often they are right, and fewer are decided. Of rates, neurons leak 1/8 of their
potential and reset to zero; of latencies they add up all that they are given, and fire from then on.

z3 is asked by the plain encoding: a Boolean for each spike that may change, a real potential of each
neuron in each step, a sum that is less or equal. It is given a minute for a question.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import platform
import statistics
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeproof.circuits.doors.codings import Coding as PixelCoding
from spikeproof.circuits.doors.images import Images, Pixels, read_pixels
from spikeproof.circuits.networks.exact import run_all
from spikeproof.prover.checking.scenarios import Scenarios
from spikeproof.prover.discovery.changed_spikes import SpikeSearcher
from spikeproof.specs.networks import (
    USUAL_ORDER,
    AfterSpike,
    Dynamics,
    Layer,
    Network,
    Readout,
    Score,
)

SEED = 24
FITTED, SHOWN, TOGETHER = 9_000, 200, 20
CLASSES, LARGEST_WEIGHT, SIDE = 10, 7, 28
STEPS_FITTED = 8
"""Read-outs are fitted to so many steps."""

SUMS = Dynamics(Fraction(1), AfterSpike.NOTHING, USUAL_ORDER, strict=False)
LEAKY = Dynamics(Fraction(7, 8), AfterSpike.ZERO, USUAL_ORDER, strict=False)

MINUTE = 60.0
RESULTS = Path(__file__).parent / "results" / "network_robustness"


@dataclass(frozen=True)
class Shape:
    """Of networks: ``images`` are decided, of which z3 is asked about ``asked``; an image's side is cut
    to ``pooled`` times so many pixels, each the mean of a square."""

    hidden: int
    steps: int
    images: int
    asked: int
    kept: float = 0.05
    pooled: int = 1

    @property
    def side(self) -> int:
        """Of an image, in pixels."""
        return SIDE // self.pooled

    @property
    def name(self) -> str:
        """As shapes are published."""
        return f"{self.side**2}-{self.hidden}-{CLASSES}"

    def shown(self, pixels: Pixels) -> Pixels:
        """Images of its size, about their middles."""
        size, pooled = self.side, self.pooled
        start = (SIDE - size * pooled) // 2
        middle = slice(start, start + size * pooled)
        squares = pixels.values[:, middle, middle].reshape(-1, size, pooled, size, pooled)
        return replace(pixels, values=squares.sum(axis=(2, 4)) // pooled**2)


SHAPES = (
    Shape(10, 3, 20, 5, kept=0.3, pooled=7),
    Shape(10, 3, 20, 5, kept=0.3, pooled=4),
    Shape(10, 5, 20, 1, kept=0.3, pooled=4),
    Shape(10, 5, 20, 2, kept=0.3),
    Shape(20, 8, 20, 2, kept=0.3),
    Shape(512, 64, 10, 0),
    Shape(512, 16, 10, 0),
    Shape(512, 256, 1, 0),
)


@dataclass(frozen=True)
class Coding:
    """How pixels become spikes, and what neurons make of them."""

    name: str
    pixels: str
    dynamics: Dynamics
    levels: tuple[int, int]

    def spikes(self, pixels: Pixels, steps: int) -> Images:
        """Of images, over so many steps."""
        return pixels.images(PixelCoding(self.pixels, steps))


CODINGS = (
    Coding("rate", "even", LEAKY, (6, 13)),
    Coding("latency", "latency", SUMS, (1, 6)),
)
"""``levels``: thresholds are drawn from these on, to below those."""


@dataclass(frozen=True)
class Row:
    """What is measured: seconds of processor time an image, and of z3 by the clock."""

    network: str
    coding: str
    steps: int
    right: float
    distance: int
    images: int
    robust: int
    median: float
    most: float
    verified: float
    asked: int
    ended: int
    z3: float | None

    def place(self) -> tuple[int, ...]:
        """In the table."""
        return (*map(int, self.network.split("-")), self.steps, self.coding == "latency", self.distance)


def made(shape: Shape, coding: Coding, pixels: Pixels) -> Network:
    """The network of a shape, whose read-out is fitted."""
    random = np.random.default_rng(SEED)
    inputs = pixels.values[0].size
    weights = random.choice([-1, 1], (shape.hidden, inputs)) * (
        random.random((shape.hidden, inputs)) < shape.kept
    )
    hidden = Layer(
        weights.astype(np.int64),
        np.zeros(shape.hidden, np.int64),
        random.integers(*coding.levels, shape.hidden),
        coding.dynamics,
    )
    counting = Network((hidden,), STEPS_FITTED, Readout(Score.COUNT))
    counts = np.concatenate(
        [
            run_all(counting, coding.spikes(part, STEPS_FITTED).inputs, True).scores[:, -1]
            for part in parted(pixels)
        ]
    ).astype(float)
    design = np.column_stack([counts, np.full(len(counts), STEPS_FITTED)])
    wanted = np.where(pixels.labels[:, None] == np.arange(CLASSES), 1.0, -1.0)
    gram = design.T @ design + 1e-3 * len(design) * np.eye(design.shape[1])
    fitted = np.linalg.solve(gram, design.T @ wanted).T
    fitted = np.round(fitted * (LARGEST_WEIGHT / np.percentile(np.abs(fitted[:, :-1]), 99.5)))
    whole = np.clip(fitted, -LARGEST_WEIGHT, LARGEST_WEIGHT).astype(np.int64)
    outputs = Layer(whole[:, :-1], fitted[:, -1].astype(np.int64), None, SUMS)
    return Network((hidden, outputs), shape.steps, Readout(Score.POTENTIAL))


def rows(folder: Path, known: set[tuple[str, int, str]]) -> Iterator[Row]:
    """One after another, but of networks, steps and codings that are known."""
    every = read_pixels(folder)
    for shape in SHAPES:
        pixels = shape.shown(every)
        for coding in CODINGS:
            if (shape.name, shape.steps, coding.name) in known:
                continue
            network = made(shape, coding, pixels.chosen(slice(-FITTED, None)))
            right = [
                run_all(network, coding.spikes(part, shape.steps).inputs, True).decisions == part.labels
                for part in parted(pixels.chosen(slice(SHOWN)))
            ]
            few = coding.spikes(pixels.chosen(slice(shape.images)), shape.steps)
            for most in (1, 2):
                yield measured(shape, coding, network, few.inputs, float(np.mean(right)), most)


def parted(pixels: Pixels) -> Iterator[Pixels]:
    """A few images at a time."""
    for start in range(0, len(pixels.labels), TOGETHER):
        yield pixels.chosen(slice(start, start + TOGETHER))


def measured(
    shape: Shape, coding: Coding, network: Network, inputs: NDArray[np.bool_], right: float, most: int
) -> Row:
    """Of the first images."""
    searcher, checker = SpikeSearcher(network, most), Scenarios(network, most)
    taken, verified, asked = [], [], []
    robust = 0
    for place, image in enumerate(inputs):
        started = time.process_time()
        found = searcher.distance(image, float("inf"))
        taken.append(time.process_time() - started)
        record: dict[str, Any] = {
            "class": found.decision,
            "radius": found.radius,
            "witness": found.witness,
            "tree": [],
        }
        started = time.process_time()
        checker.check(image, record)
        verified.append(time.process_time() - started)
        robust += found.radius == most
        if place < shape.asked:
            asked.append(asked_in_time(network, image, found.decision, most))
            if asked[-1][0] not in ("unknown", "sat" if found.radius < most else "unsat"):
                raise SystemExit(f"z3 says {asked[-1][0]} of image {place}")
    ended = sum(answer != "unknown" for answer, _ in asked)
    return Row(
        shape.name,
        coding.name,
        shape.steps,
        right,
        most,
        len(taken),
        robust,
        statistics.median(taken),
        max(taken),
        statistics.median(verified),
        len(asked),
        ended,
        statistics.median_high(seconds for _, seconds in asked) if ended * 2 > len(asked) else None,
    )


def asked_in_time(
    network: Network, image: NDArray[np.bool_], decision: int, most: int
) -> tuple[str, float]:
    """What z3 says, and after how many seconds; in a process that is ended when time is over."""
    receiver, sender = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.Process(target=ask, args=(sender, network, image, decision, most))
    started = time.monotonic()
    process.start()
    answer = receiver.recv() if receiver.poll(MINUTE) else "unknown"
    seconds = time.monotonic() - started
    process.terminate()
    process.join()
    return answer, seconds


def ask(sender: Any, network: Network, image: NDArray[np.bool_], decision: int, most: int) -> None:
    """Whether so many changes can change the class, as z3 is asked."""
    import z3

    solver = z3.Solver()
    changes = [[z3.Bool(f"c{step}_{i}") for i in range(network.inputs)] for step in range(network.steps)]
    few = z3.Sum([z3.If(change, 1, 0) for each in changes for change in each]) <= most
    given = [
        [z3.Not(change) if on else change for change, on in zip(each, step, strict=True)]
        for each, step in zip(changes, image.tolist(), strict=True)
    ]
    solver.add(few)
    hidden, outputs = network.layers
    spikes = [
        [spike(z3, solver, hidden, neuron, step, given) for step in range(network.steps)]
        for neuron in range(hidden.neurons)
    ]
    scores = [
        z3.Sum(
            [
                z3.If(fired, weight, 0)
                for weight, each in zip(row, spikes, strict=True)
                for fired in each
                if weight
            ]
        )
        + network.steps * bias
        for row, bias in zip(outputs.weights.tolist(), outputs.bias.tolist(), strict=True)
    ]
    own = scores[decision]
    solver.add(
        z3.Or(
            [
                score >= own if rival < decision else score > own
                for rival, score in enumerate(scores)
                if rival != decision
            ]
        )
    )
    sender.send(str(solver.check()))


def spike(z3: Any, solver: Any, layer: Layer, neuron: int, step: int, given: list[list[Any]]) -> Any:
    """Whether a neuron fires in a step, its potential after it being a variable."""
    leak = layer.dynamics.leak
    before = z3.Real(f"v{neuron}_{step - 1}") if step else z3.RealVal(0)
    added = [
        z3.If(bit, weight, 0)
        for bit, weight in zip(given[step], layer.weights[neuron].tolist(), strict=True)
        if weight
    ]
    potential = before * z3.Q(leak.numerator, leak.denominator) + z3.Sum(added)
    fired, after = z3.Bool(f"s{neuron}_{step}"), z3.Real(f"v{neuron}_{step}")
    assert layer.thresholds is not None
    solver.add(fired == (potential >= int(layer.thresholds[neuron])))
    resets = layer.dynamics.reset is AfterSpike.ZERO
    solver.add(after == (z3.If(fired, 0, potential) if resets else potential))
    return fired


def table(found: list[Row]) -> str:
    """In Markdown."""
    lines = [
        f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}; "
        f"{time.strftime('%Y-%m-%d')}. Seconds of processor time an image; of z3 by the clock, at most "
        f"{MINUTE:.0f}.",
        "",
        "| network | steps | coding | right | changes | robust | median | most | verified | z3 |",
        "|---|---:|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for row in sorted(found, key=Row.place):
        if not row.asked:
            asked = "not asked"
        elif row.z3 is None:
            asked = f"> {MINUTE:.0f} (ended for {row.ended} of {row.asked})"
        else:
            asked = f"{row.z3:.2g} ({row.ended} of {row.asked})"
        lines.append(
            f"| {row.network} | {row.steps} | {row.coding} | {row.right:.1%} | {row.distance} "
            f"| {row.robust} of {row.images} | {row.median:.2g} | {row.most:.2g} | {row.verified:.2g} "
            f"| {asked} |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Print the table, and write it if asked to."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--write", action="store_true", help="go on with benchmarks/results")
    asked = parser.parse_args()
    file, found = RESULTS.with_suffix(".json"), []
    if asked.write and file.exists():
        found = [Row(**each) for each in json.loads(file.read_text())]
    for row in rows(asked.data, {(each.network, each.steps, each.coding) for each in found}):
        found.append(row)
        print(table([row]).splitlines()[-1], flush=True)
        if asked.write:
            file.write_text(json.dumps(list(map(asdict, found)), indent=1) + "\n")
            RESULTS.with_suffix(".md").write_text(f"# Robustness over time\n\n{table(found)}")


if __name__ == "__main__":
    main()
