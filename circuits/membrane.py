"""Executable meaning of a netlist as membrane potentials over time, batched in PyTorch.

Each evaluation every neuron integrates its input once, in topological order:

    V = beta * V + sum(w * x) + bias + noise;   S = [V >= threshold];   V = V - threshold * S  (soft)
                                                                        V = 0 where S          (hard)

(arXiv 2512.07724 and 2601.21279.) With the potentials cleared between evaluations and no noise this
is the neuron's logical meaning; without clearing, residual potential carries over.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, replace
from itertools import groupby

import torch
from torch import Tensor

from circuits.netlist import Netlist, Weight
from circuits.substrates import Reset, Substrate, SubstrateError

EXACT_INTEGERS = 1 << 53
"""Integers of smaller magnitude are exact in float64."""


@dataclass(frozen=True)
class Membrane:
    """Physical parameters of a simulation, shared by all neurons.

    Args:
        beta: share of the potential kept from one evaluation to the next, 0 to 1.
        noise: standard deviation of the Gaussian noise on the input, in units of the weights.
        reset: what firing does to the potential.
        clear: whether potentials return to zero before each evaluation.
        threshold_spread, weight_spread: each threshold and weight is off by a share of itself that is
            drawn once, evenly, of at most so much.

    Raises:
        ValueError: if a parameter is out of range.
    """

    beta: float = 1.0
    noise: float = 0.0
    reset: Reset = Reset.SOFT
    clear: bool = True
    threshold_spread: float = 0.0
    weight_spread: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.beta <= 1:
            raise ValueError(f"beta is {self.beta}; use a number between 0 and 1")
        if not (self.noise >= 0 and math.isfinite(self.noise)):
            raise ValueError(f"noise is {self.noise}; use a finite standard deviation of at least 0")
        for name in ("threshold_spread", "weight_spread"):
            if not (getattr(self, name) >= 0 and math.isfinite(getattr(self, name))):
                raise ValueError(f"{name} is {getattr(self, name)}; use a finite share of at least 0")

    @classmethod
    def of(
        cls, substrate: Substrate, reset: Reset = Reset.SOFT, *, clear: bool = True, **values: object
    ) -> Membrane:
        """The parameters of neurons on a substrate, those that are not named being ideal.

        Raises:
            SubstrateError: if the substrate has no such parameter or reset, or not of that value, or
                no evaluations.
        """
        if not substrate.clocked:
            raise SubstrateError(
                f"{substrate.name} neurons have no evaluations: name a period, and take Membrane with "
                "beta = exp(-period / tau)"
            )
        exact = {name: float(value) for name, value in substrate.values(**values).items()}
        noise = exact.pop("sigma", 0.0)
        return cls(noise=noise, reset=substrate.require(reset), clear=clear, **exact)


@dataclass(frozen=True)
class _Layer:
    """The neurons of one depth: everything they read comes from earlier layers."""

    signals: Tensor  # which signals these neurons drive, shape (neurons,)
    sources: Tensor  # what they read, shape (neurons, fan-in), padded
    weights: Tensor  # shape (neurons, fan-in), zero where padded
    thresholds: Tensor  # shape (neurons, 1)
    biases: Tensor  # shape (neurons, 1)


def _exact_float(value: Weight) -> float:
    if value.denominator & (value.denominator - 1) or abs(value.numerator) >= EXACT_INTEGERS:
        raise ValueError(
            f"{value} is not exact in float64; scale the neuron so that its weights and "
            "threshold are integers or dyadic fractions"
        )
    return float(value)


def _layers(netlist: Netlist) -> list[_Layer]:
    first = netlist.input_count
    order = sorted(range(first, netlist.signal_count), key=netlist.levels.__getitem__)
    layers = []
    for _, group in groupby(order, key=netlist.levels.__getitem__):
        signals = list(group)
        neurons = [netlist.neurons[s - first] for s in signals]
        fan_in = max(1, *(len(n.synapses) for n in neurons))
        padded = [[*n.synapses, *[(0, 0)] * (fan_in - len(n.synapses))] for n in neurons]
        layers.append(
            _Layer(
                torch.tensor(signals),
                torch.tensor([[source for source, _ in row] for row in padded]),
                torch.tensor([[_exact_float(w) for _, w in row] for row in padded]).double(),
                torch.tensor([[_exact_float(n.threshold)] for n in neurons]).double(),
                torch.tensor([[_exact_float(n.bias)] for n in neurons]).double(),
            )
        )
    return layers


class MembraneSimulator:
    """Evaluates a netlist on batches of inputs, keeping every neuron's potential between calls.

    Args:
        netlist: what to simulate.
        membrane: physical parameters.
        seed: of noise and spreads; equal seeds give equal runs.

    Raises:
        ValueError: if a weight or threshold is not exact in float64.
    """

    def __init__(self, netlist: Netlist, membrane: Membrane = Membrane(), seed: int = 0) -> None:
        self._netlist = netlist
        self._membrane = membrane
        self._generator = torch.Generator().manual_seed(seed)
        self._layers = [self._made(layer) for layer in _layers(netlist)]
        self._potentials: list[Tensor] = []

    def _made(self, layer: _Layer) -> _Layer:
        """A layer as it is made, with weights and thresholds off."""

        def off(nominal: Tensor, spread: float) -> Tensor:
            if not spread:
                return nominal
            drawn = torch.rand(nominal.shape, generator=self._generator, dtype=torch.float64)
            return nominal * (1 + spread * (2 * drawn - 1))

        return replace(
            layer,
            weights=off(layer.weights, self._membrane.weight_spread),
            thresholds=off(layer.thresholds, self._membrane.threshold_spread),
        )

    def with_seed(self, seed: int) -> MembraneSimulator:
        """Another simulator of the same circuit, at rest, with noise of its own."""
        other = copy(self)
        other._generator = torch.Generator().manual_seed(seed)
        other.clear()
        return other

    def clear(self) -> None:
        """Return every potential to zero."""
        self._potentials = []

    def evaluate(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """One evaluation of the circuit, on a batch.

        Args:
            inputs: for each input bus its bits as a boolean tensor of shape (width, batch), least
                significant bit first.

        Returns:
            The output buses, likewise.

        Raises:
            ValueError: if a bus is missing, unknown or of another width, or the batch changes
                while potentials are kept.
        """
        spikes = self.evaluate_signals(inputs)
        return {name: spikes[list(bus)] for name, bus in self._netlist.outputs.items()}

    def evaluate_signals(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """As ``evaluate``; all signals as a boolean tensor of shape (signal_count, batch)."""
        spikes = self._input_spikes(inputs)
        batch = spikes.shape[1]
        if self._membrane.clear or not self._potentials:
            self._potentials = [torch.zeros(len(y.signals), batch).double() for y in self._layers]
        if any(p.shape[1] != batch for p in self._potentials):
            raise ValueError("the batch size changed while potentials are kept; call clear() first")
        for index, layer in enumerate(self._layers):
            self._potentials[index], fired = self._step(layer, self._potentials[index], spikes)
            spikes[layer.signals] = fired
        return spikes.bool()

    def _input_spikes(self, inputs: Mapping[str, Tensor]) -> Tensor:
        widths = {name: bits.shape[0] for name, bits in inputs.items()}
        if widths != dict(self._netlist.inputs):
            raise ValueError(f"inputs have widths {widths}; the netlist has {self._netlist.inputs}")
        given = torch.cat([inputs[name].double() for name in self._netlist.inputs])
        silent = torch.zeros(len(self._netlist.neurons), given.shape[1]).double()
        return torch.cat([given, silent])

    def _step(self, layer: _Layer, potential: Tensor, spikes: Tensor) -> tuple[Tensor, Tensor]:
        drive = layer.biases.repeat(1, spikes.shape[1])
        for source, weight in zip(layer.sources.T, layer.weights.T, strict=True):
            drive.addcmul_(weight[:, None], spikes[source])
        if self._membrane.noise:
            drive = drive + self._membrane.noise * torch.randn(
                drive.shape, generator=self._generator, dtype=torch.float64
            )
        potential = self._membrane.beta * potential + drive
        fired = (potential >= layer.thresholds).double()
        if self._membrane.reset is Reset.SOFT:
            return potential - layer.thresholds * fired, fired
        return potential * (1 - fired), fired
