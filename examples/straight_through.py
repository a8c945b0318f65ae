"""A small model trained while neurons compute its linear layers, beside the same training in PyTorch.

python -m examples.straight_through [--steps 200]

Whatever a step makes is compared, bit by bit: each linear layer's results, the loss, each gradient, each
weight, what the optimiser keeps. Then it is trained where PyTorch's kernel takes sums otherwise, or
neurons do, and the first thing that differs is shown.
"""

from __future__ import annotations

import argparse
import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache
from itertools import cycle, islice
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, linear

import spikeproof
from spikeproof import RevealedOrder
from spikeproof.specs.orders import pairwise
from spikeproof.specs.products import Dot

SEED = 23
INPUTS, HIDDEN, CLASSES = 64, 32, 16
ROWS, FEW, SOME = 16, 2, 6
"""Of a batch; and of the last one of an epoch, where data leave one."""
EPOCH = 50
"""So many whole batches."""

Batch = tuple[Tensor, Tensor]
Optimiser = Callable[[Iterable[Tensor]], torch.optim.Optimizer]
OPTIMISERS: Mapping[str, Optimiser] = {
    "SGD with momentum": lambda weights: torch.optim.SGD(weights, lr=0.005, momentum=0.9),
    "Adam": lambda weights: torch.optim.Adam(weights, lr=0.003),
}


def model() -> torch.nn.Sequential:
    """Two linear layers with ReLU between them, from a seed."""
    torch.manual_seed(SEED)
    first, second = torch.nn.Linear(INPUTS, HIDDEN), torch.nn.Linear(HIDDEN, CLASSES)
    return torch.nn.Sequential(first, torch.nn.ReLU(), second)


def batches(leftover: int = 0) -> Iterator[Batch]:
    """Noisy points about as many centres as there are classes, epoch after epoch.

    Args:
        leftover: rows of one batch more at the end of each epoch, if any.
    """
    random = torch.Generator().manual_seed(SEED)
    centres = torch.randn(CLASSES, INPUTS, generator=random)
    classes = torch.randint(CLASSES, (ROWS * EPOCH + leftover,), generator=random)
    points = centres[classes] + 2 * torch.randn(len(classes), INPUTS, generator=random)
    return cycle(zip(points.split(ROWS), classes.split(ROWS), strict=True))


def revealed(rows: int, layer: torch.nn.Linear) -> RevealedOrder:
    """The order in which PyTorch's kernel takes a layer's sums here, for so many rows."""
    return _revealed(rows, layer.in_features, layer.out_features)


@cache
def _revealed(*shape: int) -> RevealedOrder:
    return spikeproof.revealed_order(linear, shape, bias=True)


def in_pairs(layer: torch.nn.Linear) -> Dot:
    """Another order: neighbours first, the bias among them."""
    factors = ("fp32", "fp32")
    return Dot(pairwise(layer.in_features + 1), factors, "fp32", bias=True)


def in_neurons(
    ordinary: torch.nn.Sequential, like: Callable[[torch.nn.Linear], Any]
) -> torch.nn.Sequential:
    """A copy of a model in which neurons compute the linear layers."""
    layers = (
        spikeproof.straight_through(layer, like=like(layer))
        if isinstance(layer, torch.nn.Linear)
        else layer
        for layer in deepcopy(ordinary)
    )
    return torch.nn.Sequential(*layers)


# --- side by side ---------------------------------------------------------------------------------


@dataclass
class Comparison:
    """What came of two trainings side by side.

    Attributes:
        first: what differs first, in words; empty if nothing does.
        compared: how many numbers were, by kind.
        differing: how many of the last step's weights differ.
        losses: of the ordinary training.
        weights: of that in neurons, after the last step.
    """

    first: str = ""
    compared: Counter[str] = field(default_factory=Counter)
    differing: int = 0
    losses: list[float] = field(default_factory=list)
    weights: Tensor = field(default_factory=lambda: torch.zeros(0))


class Training:
    """A model in training; ``step`` gives all that a step makes, by kind and name."""

    def __init__(self, trained: torch.nn.Sequential, optimiser: Optimiser) -> None:
        self.model, self.optimiser = trained, optimiser(trained.parameters())
        self.results: dict[tuple[str, str], Tensor] = {}
        for name, layer in trained.named_children():
            if isinstance(layer, torch.nn.Linear):
                layer.register_forward_hook(self._keep(name))

    def _keep(self, name: str) -> Callable[..., None]:
        def keep(_layer: Any, _given: Any, found: Tensor) -> None:
            self.results["results", f"layer {name}"] = found.detach().clone()

        return keep

    def step(self, batch: Batch) -> dict[tuple[str, str], Tensor]:
        """Forwards, backwards, and a step of the optimiser."""
        points, classes = batch
        loss = cross_entropy(self.model(points), classes)
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        made = {**self.results, ("losses", "the batch"): loss.detach()}
        weights = dict(self.model.named_parameters())
        made |= {
            ("gradients", name): weight.grad
            for name, weight in weights.items()
            if weight.grad is not None
        }
        made |= {
            ("momenta", f"{name}, {kept}"): state
            for name, weight in weights.items()
            for kept, state in self.optimiser.state[weight].items()
        }
        return made | {("weights", name): weight.detach() for name, weight in weights.items()}


def differing(one: Tensor, other: Tensor) -> int:
    """How many numbers differ in a bit."""
    return int((one.view(torch.int32) != other.view(torch.int32)).sum())


def compared(
    ordinary: torch.nn.Sequential,
    spiking: torch.nn.Sequential,
    optimiser: Optimiser,
    given: Iterable[Batch],
    threads: int | None = None,
) -> Comparison:
    """Train both on the same batches, and compare all that each step makes.

    Args:
        threads: of the ordinary training; else as many as there are.
    """
    found, here = Comparison(), torch.get_num_threads()
    one, other = Training(deepcopy(ordinary), optimiser), Training(spiking, optimiser)
    for number, batch in enumerate(given, 1):
        torch.set_num_threads(threads or here)
        wanted = one.step(batch)
        torch.set_num_threads(here)
        made = other.step(batch)
        for (kind, name), value in wanted.items():
            found.compared[kind] += value.numel()
            count = differing(value, made[kind, name])
            if count and not found.first:
                found.first = f"step {number}, {kind} of {name}: {count} of {value.numel():,} differ"
        found.losses.append(float(wanted["losses", "the batch"]))
    found.weights = all_weights(other.model)
    found.differing = differing(all_weights(one.model), found.weights)
    return found


def all_weights(trained: torch.nn.Sequential) -> Tensor:
    """One after another."""
    return torch.cat([weight.detach().flatten() for weight in trained.parameters()])


# --- what is shown --------------------------------------------------------------------------------


def show(title: str, found: Comparison) -> None:
    """What came of two trainings, in a few lines."""
    print(f"{title}: {len(found.losses)} steps, loss {found.losses[0]:.3f} to {found.losses[-1]:.3f}")
    if found.first:
        print(f"  first difference: {found.first}")
        print(f"  after the last step {found.differing:,} of {found.weights.numel():,} weights differ")
    else:
        counts = ", ".join(f"{count:,} {kind}" for kind, count in found.compared.items())
        digest = hashlib.sha256(found.weights.numpy().tobytes()).hexdigest()
        print(f"  equal bit by bit in every step: {counts}")
        print(f"  SHA-256 of the weights {digest}")


def main() -> None:
    """Train the model in each way, and show what came of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=200, help="how many (200)")
    steps = parser.parse_args().steps
    if steps < 1:
        parser.error(f"--steps is {steps}; a positive number is wanted")
    torch.set_num_threads(1)
    ordinary, (adam, optimiser) = model(), [*OPTIMISERS.items()][-1]

    def spiking(*rows: int) -> torch.nn.Sequential:
        return in_neurons(ordinary, lambda layer: {each: revealed(each, layer) for each in rows})

    def told(title: str, beside: torch.nn.Sequential, by: Optimiser = optimiser, **how: int) -> None:
        given = islice(batches(how.pop("leftover", 0)), steps)
        show(title, compared(ordinary, beside, by, given, **how))

    shape = f"{INPUTS} to {HIDDEN} to {CLASSES} with ReLU, batches of {ROWS}"
    print(f"{shape}; torch {torch.__version__}, 1 thread")
    for layer in spiking(ROWS):
        if isinstance(layer, spikeproof.StraightThrough):
            neurons = layer.neurons[ROWS]
            print(f"  {neurons.theorem.name}: {neurons.size.neurons:,} neurons")
    for name, each in OPTIMISERS.items():
        told(name, spiking(ROWS), each)
    told(f"{adam}, PyTorch with 2 threads", spiking(ROWS), threads=2)
    few, some = (f"{adam}, after {EPOCH} batches one of {rows} rows" for rows in (FEW, SOME))
    anyhow = in_neurons(ordinary, lambda layer: revealed(ROWS, layer))
    told(f"{few}, in the order of {ROWS}", anyhow, leftover=FEW)
    told(f"{few}, in its own order", spiking(ROWS, FEW), leftover=FEW)
    told(f"{some}, in its own order", spiking(ROWS, SOME), leftover=SOME)
    told(f"{some}, PyTorch with 2 threads", spiking(ROWS, SOME), leftover=SOME, threads=2)
    told(f"{adam}, sums in pairs", in_neurons(ordinary, in_pairs))


if __name__ == "__main__":
    main()
