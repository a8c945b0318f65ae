"""Spoken digits, by neurons that relax, decided for good before the sound ends.

python -m examples.spoken_digits --data DIR [--model spoken_digits.npz] [--lead 2] [--without SPEAKER]

DIR has recordings CLASS_SPEAKER_NUMBER.wav, as the Free Spoken Digit Dataset. Each becomes spikes, by a
stated bank of filters in integers; a network of leaky neurons is trained in snnTorch, from a seed, with
weights of four bits and a latch: the first class that leads by so many spikes is the answer. The model
is kept, and found again; beside it the spikes of the recordings that it was not trained on, numbers 0 to
4 of each speaker and digit, for ``spikeproof network early`` and ``relaxation``. What is shown is what
its exact arithmetic does with these.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from snntorch import Leaky, surrogate
from torch import Tensor

from spikeproof.circuits.doors.images import write_images
from spikeproof.circuits.doors.networks import network_digest, read_network, write_network
from spikeproof.circuits.doors.sounds import FilterBank, Recordings, read_recordings
from spikeproof.circuits.networks.exact import Outcomes, decided, run_all
from spikeproof.prover.commands.console import progress_bar
from spikeproof.specs.networks import (
    AfterSpike,
    Dynamics,
    Layer,
    Network,
    NetworkError,
    Readout,
    Score,
)

SEED = 24
STEPS = 32
BANK = FilterBank()

LEAK = Fraction(53, 64)
"""What is left of a potential after a step. A step, 20 ms of sound, is played to the neurons in 40 ns,
500,000 times as fast: exp(-40 / 212) with a relaxation time of 212 ns, of the 159 to 278 there are."""

UNIT, LARGEST = 16, 7
"""Weights are whole numbers from -7 to 7, which are sixteenths in training."""
THRESHOLD = 2 * UNIT - 1
"""Of weights times 2: midway between two sums of whole weights."""


@dataclass(frozen=True)
class Recipe:
    """How it is trained.

    Attributes:
        early: the weight of deciding soon, against deciding rightly.
        ordinary: which part of the epochs comes first, without the latch.
        leak: what is left of a potential after a step.
    """

    hidden: int = 512
    epochs: int = 120
    rate: float = 2e-3
    early: float = 2.0
    ordinary: float = 0.4
    dropped: float = 0.2
    batch: int = 64
    leak: Fraction = LEAK


class Model(torch.nn.Module):
    """Two layers of leaky neurons, trained with rounded weights and the gradients of unrounded ones."""

    def __init__(self, recipe: Recipe) -> None:
        super().__init__()
        self.dropped, self.leak = recipe.dropped, recipe.leak
        shapes = ((recipe.hidden, BANK.inputs), (10, recipe.hidden))
        self.weights = torch.nn.ParameterList(torch.randn(shape) * 0.08 for shape in shapes)
        self.neurons = torch.nn.ModuleList(
            Leaky(
                float(recipe.leak),
                THRESHOLD / (2 * UNIT),
                surrogate.atan(),
                reset_mechanism="zero",
            )
            for _ in shapes
        )

    def rounded(self) -> list[Tensor]:
        """The weights that neurons have."""
        return [weight + (whole(weight) / UNIT - weight).detach() for weight in self.weights]

    def forward(self, spikes: Tensor) -> Tensor:
        """How often each class has fired after each step: (batch, steps, classes)."""
        hidden_weights, output_weights = self.rounded()
        hidden, output = self.neurons
        current = spikes @ hidden_weights.T
        kept = torch.nn.functional.dropout(torch.ones_like(current[:, 0]), self.dropped, self.training)
        of_hidden = torch.zeros_like(current[:, 0])
        of_output = torch.zeros(len(spikes), 10)
        counts = [torch.zeros(len(spikes), 10)]
        for step in range(spikes.shape[1]):
            fired, of_hidden = hidden(current[:, step], of_hidden)
            answered, of_output = output((fired * kept) @ output_weights.T, of_output)
            counts.append(counts[-1] + answered)
        return torch.stack(counts[1:], 1)


def whole(weight: Tensor) -> Tensor:
    """The nearest whole numbers of sixteenths, from -7 to 7."""
    return (weight.detach() * UNIT).round().clamp(-LARGEST, LARGEST)


def varied(spikes: Tensor) -> Tensor:
    """Recordings a little earlier or later, higher or lower, with some spikes lost."""
    later, higher = (int(torch.randint(-most, most + 1, ())) for most in (2, 1))
    moved = spikes.roll(later, 1)
    if later > 0:
        moved[:, :later] = 0
    by_level = moved.reshape(*spikes.shape[:2], len(BANK.levels), BANK.bands).roll(higher, 3)
    kept: Tensor = by_level.flatten(2) * (torch.rand_like(spikes) > 0.05)
    return kept


def loss_of(counts: Tensor, labels: Tensor, lead: int | None, early: float) -> Tensor:
    """Of the counts after each step; with a lead, also of a softened latch.

    A latch closes in a step with a probability that grows with the lead. What is rewarded is that it
    closes for the right class, or that it never does and this has the most spikes; each step before that
    costs ``early`` over the number of steps.
    """
    steps, places = counts.shape[1], torch.arange(len(labels))
    likely = torch.log_softmax(0.7 * counts, 2)[places, :, labels]
    share = torch.where(torch.arange(steps) < 5, 0.0, 1.0)
    share[-1] = 10
    ordinary = -(likely * share / share.sum()).sum(1).mean()
    if lead is None:
        return ordinary
    first, second = counts.topk(2, 2).values.unbind(2)
    others = torch.where(counts == first[..., None], second[..., None], first[..., None])
    closing = torch.sigmoid(4 * (counts - others - lead + 0.5))
    still = torch.cumprod(1 - closing.sum(2).clamp(max=0.999), 1)
    before = torch.cat([torch.ones(len(still), 1), still[:, :-1]], 1)
    right = (before * closing[places, :, labels]).sum(1) + still[:, -1] * likely[:, -1].exp()
    return 0.3 * ordinary - (right + 1e-4).log().mean() + early * still.mean()


def train(recordings: Recordings, lead: int | None, recipe: Recipe) -> Network:
    """The network after training on all of them, from a seed."""
    torch.set_num_threads(1)  # so that sums are taken in one order, wherever it is trained
    torch.manual_seed(SEED)
    model = Model(recipe)
    spikes = torch.from_numpy(recordings.images.inputs).float()
    labels = torch.from_numpy(recordings.images.labels)
    optimiser = torch.optim.Adam(model.parameters(), lr=recipe.rate)
    batches = -(-len(labels) // recipe.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, recipe.rate, total_steps=recipe.epochs * batches
    )
    with progress_bar("training") as progress:
        task = progress.add_task("", total=recipe.epochs)
        for epoch in range(recipe.epochs):
            latched = None if epoch < recipe.ordinary * recipe.epochs else lead
            total = 0.0
            for chosen in torch.split(torch.randperm(len(labels)), recipe.batch):
                loss = loss_of(model(varied(spikes[chosen])), labels[chosen], latched, recipe.early)
                optimiser.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimiser.step()
                schedule.step()
                total += loss.item() * len(chosen)
            progress.update(task, advance=1, description=f"loss {total / len(labels):.3f}")
    return exported(model, lead)


def exported(model: Model, lead: int | None) -> Network:
    """The network of a model: whole weights, times 2, so that thresholds are whole too."""
    dynamics = Dynamics(model.leak, AfterSpike.ZERO, ("leak", "add", "fire", "reset"), strict=False)
    layers = tuple(
        Layer(
            2 * whole(weight).numpy().astype(np.int64),
            np.zeros(len(weight), np.int64),
            np.full(len(weight), THRESHOLD),
            dynamics,
        )
        for weight in model.weights
    )
    return Network(layers, STEPS, Readout(Score.COUNT, lead))


# --- what is shown --------------------------------------------------------------------------------


def split(recordings: Recordings, first: int, end: int) -> tuple[Recordings, Recordings]:
    """Those of numbers from ``first`` up to ``end``, and those from there on."""
    numbers = np.array([int(name.rsplit("_", 1)[1]) for name in recordings.names])
    held = np.flatnonzero((first <= numbers) & (numbers < end))
    return recordings.chosen(held), recordings.chosen(np.flatnonzero(numbers >= end))


def read_out(
    outcomes: Outcomes, labels: NDArray[np.int64], lead: int | None
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """With a latch of a lead, or at the end: what is right, and after how many steps it is decided."""
    decisions, decided_after, _ = decided(lead, outcomes.scores)
    return decisions == labels, np.where(decided_after < 0, STEPS, decided_after + 1)


def show(network: Network, held: Recordings) -> None:
    """Accuracy and moments for every lead, with the network's own marked."""
    labels, outcomes = held.images.labels, run_all(network, held.images.inputs)
    length = np.minimum(held.lengths / BANK.hop, STEPS)
    print(f"{len(labels)} recordings, {length.mean():.1f} steps of {STEPS} long on average")
    print("  lead   right   decided after   of the recording")
    for lead in (*range(1, 7), None):
        right, after = read_out(outcomes, labels, lead)
        mark = "*" if lead == network.readout.lead else " "
        name = f"{lead:4}" if lead else " end"
        share = (after / length).mean()
        print(f"{mark} {name} {right.mean():7.1%} {after.mean():9.1f} steps {share:18.2f}")
    backwards = run_all(network, held.images.inputs[:, ::-1]).decisions
    changed = int((backwards != outcomes.decisions).sum())
    print(f"played backwards, step by step, {changed} of them are of another class")


def plot(network: Network, held: Recordings, path: Path) -> None:
    """Accuracy against the mean moment of decision: by latches, and by the largest count at a moment."""
    from matplotlib.figure import Figure

    labels = held.images.labels
    outcomes = run_all(network, held.images.inputs)
    read = [read_out(outcomes, labels, lead) for lead in range(1, 9)]
    points = [(after.mean(), 100 * right.mean()) for right, after in read]
    at_once = 100 * (outcomes.scores.argmax(2) == labels[:, np.newaxis]).mean(0)
    figure = Figure(figsize=(5.2, 3.4), layout="constrained")
    axes = figure.subplots()
    axes.plot(
        range(1, STEPS + 1), at_once, "-", color="#64748b", label="largest count after so many steps"
    )
    axes.plot(*zip(*points, strict=True), "o-", color="#0f766e", label="latch, for good")
    for lead, (moment, right) in enumerate(points, 1):
        axes.annotate(f"{lead}", (moment, right), (0, 5), textcoords="offset points", ha="center")
    axes.set(
        xlabel="mean moment of decision, in steps of 20 ms", ylabel="right, in percent", ylim=(0, 100)
    )
    axes.legend(frameon=False, loc="lower right")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path)


def main() -> int:
    """Train the network or find it again, and show what it does."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="the recordings")
    parser.add_argument("--lead", type=int, default=2, help="of the latch, in spikes (2)")
    parser.add_argument("--epochs", type=int, default=Recipe.epochs, help=f"({Recipe.epochs})")
    parser.add_argument("--early", type=float, default=Recipe.early, help=f"({Recipe.early})")
    parser.add_argument(
        "--choose",
        action="store_true",
        help="hold out numbers 5 to 9, and leave 0 to 4 alone: for choosing a recipe",
    )
    parser.add_argument(
        "--without", metavar="SPEAKER", help="train without a speaker, and show that one's recordings"
    )
    parser.add_argument(
        "--memoryless", action="store_true", help="of neurons that forget, read out at the end"
    )
    parser.add_argument("--model", type=Path, default=Path("spoken_digits.npz"), help="where it is kept")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw accuracy against moments")
    asked = parser.parse_args()
    for path in (asked.model, asked.plot):
        if path and not path.resolve().parent.is_dir():
            parser.error(f"{path}: there is no such directory")
    try:
        recordings = read_recordings(asked.data, BANK, STEPS)
        if asked.model.exists():
            print(f"{asked.model} is there already, and not trained again")
            network = read_network(asked.model)
    except NetworkError as error:
        print(error, file=sys.stderr)
        return 2
    held, rest = split(recordings, *((5, 10) if asked.choose else (0, 5)))
    if asked.without:
        own = np.array([asked.without == name.split("_")[1] for name in recordings.names])
        held, rest = (recordings.chosen(np.flatnonzero(each)) for each in (own, ~own))
    if not asked.model.exists():
        recipe = Recipe(
            epochs=asked.epochs, early=asked.early, leak=Fraction(0) if asked.memoryless else LEAK
        )
        network = train(rest, None if asked.memoryless else asked.lead, recipe)
        write_network(network, asked.model)
    images = asked.model.with_name(f"{asked.model.stem}_images.npz")
    write_images(held.images, images)
    print(f"model {asked.model}: SHA-256 {network_digest(network)}")
    print(f"recordings {images}: SHA-256 {held.images.digest}")
    show(network, held)
    if asked.plot:
        plot(network, held, asked.plot)
    return 0


if __name__ == "__main__":
    sys.exit(main())
