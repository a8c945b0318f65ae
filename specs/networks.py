"""What networks of spiking neurons decide: potentials in exact arithmetic, step by step.

The definition of record: slow and obvious. A network is integers and exact fractions; whoever reads one
from a framework states how its real numbers became these (``circuits.doors``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from fractions import Fraction
from itertools import permutations
from typing import Any

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Spikes = NDArray[np.bool_]

EVENTS = ("leak", "add", "fire", "reset")
"""What happens to a neuron in a step, once each: in which order is a parameter of its layer."""

USUAL_ORDER = EVENTS

MAX_SUM = 1 << 62
"""No sum of the magnitudes of a neuron's weights, bias and threshold may be as large as this."""


class NetworkError(ValueError):
    """A network, or what it is given, is not well formed."""


class AfterSpike(Enum):
    """What a spike does to the potential of its neuron."""

    SUBTRACT = "subtract"
    """The threshold is subtracted (soft reset)."""

    ZERO = "zero"
    """It becomes zero (hard reset)."""

    NOTHING = "nothing"


@dataclass(frozen=True)
class Dynamics:
    """What happens in a time step.

    Attributes:
        leak: by what the potential is multiplied by the event ``leak``, from 0 (nothing is kept from the
            step before) to 1 (everything is).
        reset: what the event ``reset`` does to a neuron that has spiked.
        order: the four events. A reset that comes before ``fire`` is that of the spike of the step
            before: snnTorch's subtraction is ``leak reset add fire``, its reset to zero ``reset leak add
            fire``, and most others' ``leak add fire reset``.
        strict: fires only above the threshold, not at it.

    Raises:
        NetworkError: on construction, if a field is none of these.
    """

    leak: Fraction
    reset: AfterSpike
    order: tuple[str, ...]
    strict: bool

    def __post_init__(self) -> None:
        if not 0 <= self.leak <= 1:
            raise NetworkError(f"a leak keeps a share from 0 to 1 of the potential, not {self.leak}")
        if self.order not in permutations(EVENTS):
            raise NetworkError(
                f"the order of events must be {', '.join(EVENTS)} in some order, each once"
            )
        if type(self.strict) is not bool:
            raise NetworkError(f"a neuron fires at its threshold or not: strict is {self.strict!r}")


MEMORYLESS = Dynamics(Fraction(0), AfterSpike.NOTHING, USUAL_ORDER, strict=False)
"""Of neurons that see their inputs of one step only, and fire at the threshold."""


@dataclass(frozen=True, eq=False)
class Layer:
    """Neurons that share inputs and dynamics.

    Attributes:
        weights: integers, of shape (neurons, inputs).
        bias: what is added in every step, of shape (neurons,).
        thresholds: of shape (neurons,); ``None``: these neurons never fire, their potentials are read.
        recurrent: of shape (neurons, neurons): weights of this layer's spikes of the step before; or
            ``None``.

    Raises:
        NetworkError: on construction, if shapes do not fit or numbers are too large.
    """

    weights: Integers
    bias: Integers
    thresholds: Integers | None
    dynamics: Dynamics
    recurrent: Integers | None = None

    def __post_init__(self) -> None:
        if self.weights.ndim != 2 or not self.weights.size:
            raise NetworkError("the weights of a layer must be a matrix, of a row for each neuron")
        neurons = len(self.weights)
        shapes = {"bias": (neurons,), "thresholds": (neurons,), "recurrent": (neurons, neurons)}
        total = [0] * neurons
        for name, shape in {"weights": self.weights.shape, **shapes}.items():
            array = getattr(self, name)
            if array is None:
                continue
            if array.dtype != np.int64 or array.shape != shape:
                raise NetworkError(
                    f"{name} must be int64 of shape {shape}, not {array.dtype} {array.shape}"
                )
            for neuron, row in enumerate(array.reshape(neurons, -1).tolist()):
                total[neuron] += sum(map(abs, row))
        if max(total) >= MAX_SUM:
            raise NetworkError("the weights of a neuron must sum to less than 2^62 in magnitude")

    @property
    def neurons(self) -> int:
        """How many."""
        return len(self.weights)


class Score(Enum):
    """What the outputs are compared by."""

    POTENTIAL = "potential"
    """The potential of each output at the end; outputs do not fire."""

    COUNT = "count"
    """How often each output fired."""


@dataclass(frozen=True)
class Readout:
    """How a class comes from the last layer: the output of the largest score, the lowest among equals.

    Attributes:
        lead: for counts only. If given, a *latch*: as soon as, after a step, one output has fired so
            much more often than every other, it is the class, whatever comes after.

    Raises:
        NetworkError: on construction, if potentials are to be latched, or a lead is not positive.
    """

    score: Score
    lead: int | None = None

    def __post_init__(self) -> None:
        if self.lead is not None and (type(self.lead) is not int or self.lead >= MAX_SUM):
            raise NetworkError(f"the lead of a latch is a whole number below 2^62, not {self.lead!r}")
        if self.lead is not None and (self.score is not Score.COUNT or self.lead < 1):
            raise NetworkError("a latch needs counts of spikes, and a lead of at least 1")


@dataclass(frozen=True, eq=False)
class Network:
    """Layers, each fed by the spikes of the one before in the same step, and a read-out.

    Raises:
        NetworkError: on construction, if layers do not fit each other or the read-out.
    """

    layers: tuple[Layer, ...]
    steps: int
    readout: Readout

    def __post_init__(self) -> None:
        if not self.layers or type(self.steps) is not int or self.steps < 1:
            raise NetworkError("a network needs a layer and a step, or a whole number of steps")
        for before, after in zip(self.layers, self.layers[1:], strict=False):
            if after.weights.shape[1] != before.neurons:
                raise NetworkError(
                    f"a layer of {before.neurons} neurons feeds one of {after.weights.shape[1]} inputs"
                )
        silent = [layer.thresholds is None for layer in self.layers]
        if any(silent[:-1]) or silent[-1] != (self.readout.score is Score.POTENTIAL):
            raise NetworkError("just the outputs whose potentials are compared do not fire")
        if self.readout.lead is not None and self.classes < 2:
            raise NetworkError("a latch needs two outputs at least")

    @property
    def inputs(self) -> int:
        """How many bits it is given in a step."""
        return int(self.layers[0].weights.shape[1])

    @property
    def classes(self) -> int:
        """How many it tells apart."""
        return self.layers[-1].neurons


@dataclass(frozen=True, eq=False)
class Run:
    """What a network does with an input.

    Attributes:
        spikes: of each layer that fires, of shape (steps, neurons).
        scores: of each class, after each step.
        decision: the class.
        decided_after: the step after which a latch closed, counted from 0; ``None`` if none did.
        tied: some other class has the score of the one that was decided by the largest.
    """

    spikes: tuple[Spikes, ...]
    scores: tuple[tuple[Fraction, ...], ...]
    decision: int
    decided_after: int | None
    tied: bool


@dataclass
class _State:
    """Of a layer between steps: potentials, and who fired in the last."""

    layer: Layer
    potentials: list[Fraction] = field(init=False)
    fired: Spikes = field(init=False)

    def __post_init__(self) -> None:
        self.potentials = [Fraction(0)] * self.layer.neurons
        self.fired = np.zeros(self.layer.neurons, bool)

    def step(self, given: NDArray[Any]) -> None:
        current = self.layer.weights @ given.astype(np.int64) + self.layer.bias
        if self.layer.recurrent is not None:
            current = current + self.layer.recurrent @ self.fired.astype(np.int64)
        fired = self.fired.tolist()
        for neuron, added in enumerate(current.tolist()):
            self._happen(neuron, added, fired)
        self.fired = np.array(fired, bool)

    def _happen(self, neuron: int, added: int, fired: list[bool]) -> None:
        """The events of one neuron in a step."""
        dynamics, thresholds = self.layer.dynamics, self.layer.thresholds
        threshold = None if thresholds is None else int(thresholds[neuron])
        potential = self.potentials[neuron]
        for event in dynamics.order:
            if event == "leak":
                potential *= dynamics.leak
            elif event == "add":
                potential += added
            elif event == "fire":
                above = threshold is not None and potential > threshold
                fired[neuron] = above or (potential == threshold and not dynamics.strict)
            elif fired[neuron] and dynamics.reset is AfterSpike.SUBTRACT:
                assert threshold is not None
                potential -= threshold
            elif fired[neuron] and dynamics.reset is AfterSpike.ZERO:
                potential = Fraction(0)
        self.potentials[neuron] = potential


def run(network: Network, given: NDArray[Any]) -> Run:
    """What a network does with spikes, of shape (steps, inputs), each 0 or 1.

    Raises:
        NetworkError: if they are anything else.
    """
    given = np.asarray(given)
    shape = (network.steps, network.inputs)
    if given.shape != shape or not np.isin(given, (0, 1)).all():
        raise NetworkError(f"a network is given zeros and ones of shape {shape}, not {given.shape}")
    states = [_State(layer) for layer in network.layers]
    spikes: list[list[Spikes]] = [[] for _ in network.layers]
    counts = [Fraction(0)] * network.classes
    scores = []
    for signals in given.astype(bool):
        for state, fired in zip(states, spikes, strict=True):
            state.step(signals)
            signals = state.fired
            fired.append(signals)
        counts = [count + int(fired) for count, fired in zip(counts, signals, strict=True)]
        of_potential = network.readout.score is Score.POTENTIAL
        scores.append(tuple(states[-1].potentials if of_potential else counts))
    kept = tuple(np.array(each) for each in spikes[: len(spikes) - of_potential])
    return Run(kept, tuple(scores), *decision(network.readout, scores))


def decision(readout: Readout, scores: list[tuple[Fraction, ...]]) -> tuple[int, int | None, bool]:
    """From scores after each step: the class, after which a latch closed, and whether it is tied."""
    if readout.lead is not None:
        for step, now in enumerate(scores):
            best = leading(now)
            if all(now[best] - other >= readout.lead for i, other in enumerate(now) if i != best):
                return best, step, False
    last = scores[-1]
    best = leading(last)
    return best, None, last.count(last[best]) > 1


def leading(scores: Sequence[Any]) -> int:
    """The index of the largest score, the lowest among equals."""
    return list(scores).index(max(scores))
