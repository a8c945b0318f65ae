"""Networks one neuron of which keeps another share of its potential: within which shares classes stay.

Every neuron by itself, all others keeping theirs. An interval of shares is halved until within each part
it is certain in which steps the neuron fires: its potential is enclosed, by doubles, and at least
``SLACK`` from its threshold, which is more than all rounding comes to. What is left in between, at most
``SLIVER`` wide, may be either way. For each way of firing the rest of the network is run, exactly.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeproof.circuits.networks.exact import run_all
from spikeproof.specs.networks import (
    MEMORYLESS,
    AfterSpike,
    Layer,
    Network,
    NetworkError,
    Spikes,
    run,
)

MOST = 1 << 24
"""No potential may be larger: with some 2^10 roundings of a part in 2^53 each,"""
SLACK = 2.0**-18
"""this is more than they come to."""
MAX_STEPS = 256

SLIVER = 2.0**-20

INPUTS, TOGETHER = 16, 1024
"""So many inputs are examined at once, and so many ways of firing run."""


@dataclass(frozen=True)
class Change:
    """A neuron that changes a class by the share it keeps.

    Attributes:
        input: which input.
        layer, neuron: which neuron.
        low, high: shares between which it does, whichever it is.
        decision: the class then.
        certain: it does so with each share between; else it may.
    """

    input: int
    layer: int
    neuron: int
    low: Fraction
    high: Fraction
    decision: int
    certain: bool


def changes(network: Network, inputs: Spikes, low: Fraction, high: Fraction) -> Iterator[Change]:
    """Every change of a class by one neuron that keeps a share from low to high.

    An input of which there is none is decided alike whatever share each neuron by itself keeps.

    Raises:
        NetworkError: if a layer is recurrent, or outputs are compared by potential, or numbers are too
            large for doubles.
    """
    _require_suitable(network, low, high)
    nominal = run_all(network, inputs)
    given = inputs
    for place, layer in enumerate(network.layers):
        own = nominal.spikes[place]
        for first in range(0, len(inputs), INPUTS):
            some = slice(first, first + INPUTS)
            parts = list(_parts(layer, given[some], own[some], low, high))
            for at in range(0, len(parts), TOGETHER):
                batch = parts[at : at + TOGETHER]
                spikes = own[[first + part.input for part in batch]]
                for row, part in zip(spikes, batch, strict=True):
                    row[:, part.neuron] = part.train
                for part, decision in zip(batch, _decisions_from(network, place, spikes), strict=True):
                    if decision != nominal.decisions[first + part.input]:
                        yield part.change(first + part.input, place, decision)
        given = own


def decision_with(network: Network, given: Spikes, change: Change, share: Fraction) -> int:
    """What is decided about an input if a neuron keeps a share: by the definition, in fractions."""
    layer = network.layers[change.layer]
    if change.layer:
        before = run_all(network, given[np.newaxis]).spikes
        given, own = before[change.layer - 1][0], before[change.layer][0].copy()
    else:
        own = run_all(network, given[np.newaxis]).spikes[0][0].copy()
    rows = slice(change.neuron, change.neuron + 1)
    assert layer.thresholds is not None
    single = Layer(
        layer.weights[rows],
        layer.bias[rows],
        layer.thresholds[rows],
        replace(layer.dynamics, leak=share),
    )
    alone = Network((single,), network.steps, replace(network.readout, lead=None))
    own[:, change.neuron] = run(alone, given).spikes[0][:, 0]
    return _decisions_from(network, change.layer, own[np.newaxis])[0]


def _require_suitable(network: Network, low: Fraction, high: Fraction) -> None:
    if not 0 <= low <= high <= 1 or network.steps > MAX_STEPS:
        raise NetworkError(f"shares must be from 0 to 1, and steps at most {MAX_STEPS}")
    for layer in network.layers:
        if layer.recurrent is not None:
            raise NetworkError("shares of recurrent neurons are not examined")
        if layer.thresholds is None:
            raise NetworkError("shares of outputs that are compared by potential are not examined")
        added = np.abs(layer.weights).sum(1) + np.abs(layer.bias) + np.abs(layer.thresholds)
        if network.steps * int(added.max()) >= MOST:
            raise NetworkError("weights are too large for potentials in doubles")


@dataclass(frozen=True, eq=False)
class _Part:
    """Shares with which a neuron fires in another way than with its own."""

    input: int
    neuron: int
    low: float
    high: float
    train: Spikes
    certain: bool

    def change(self, place: int, layer: int, decision: int) -> Change:
        """What it changes."""
        ends = Fraction(self.low), Fraction(self.high)
        return Change(place, layer, self.neuron, *ends, decision, self.certain)


def _decisions_from(network: Network, place: int, spikes: Spikes) -> list[int]:
    """What is decided if a layer fires so, or so."""
    if place == len(network.layers) - 1:
        count = network.classes
        one = np.ones(count, np.int64)
        relay = Layer(np.diag(one), 0 * one, one, MEMORYLESS)
        rest = replace(network, layers=(relay,))
    else:
        rest = replace(network, layers=network.layers[place + 1 :])
    found: list[int] = run_all(rest, spikes).decisions.tolist()
    return found


@dataclass(eq=False)
class _Open:
    """Parts that are to be looked at: which input and neuron, from which share to which.

    Attributes:
        forced: of parts that are not halved any more, what they do in steps in which they may do either:
            1 and 0; -1 where it is not said.
    """

    inputs: NDArray[np.int64]
    neurons: NDArray[np.int64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    forced: NDArray[np.int8]

    def at(self, places: NDArray[Any]) -> _Open:
        """Some of them."""
        return _Open(*(each[places] for each in vars(self).values()))

    def with_(self, **parts: NDArray[Any]) -> _Open:
        """The same, with other arrays."""
        return _Open(**{**vars(self), **parts})

    def and_(self, other: _Open) -> _Open:
        """These and others."""
        pairs = zip(vars(self).values(), vars(other).values(), strict=True)
        return _Open(*(np.concatenate(pair) for pair in pairs))


def _parts(
    layer: Layer, given: Spikes, nominal: Spikes, low: Fraction, high: Fraction
) -> Iterator[_Part]:
    """The parts in which a neuron of a layer fires in another way than it does."""
    currents = given.astype(np.float64) @ layer.weights.T.astype(np.float64) + layer.bias
    count, steps, neurons = currents.shape
    inputs, which = (each.ravel() for each in np.indices((count, neurons)))
    ends = max(0.0, np.nextafter(float(low), -1)), min(1.0, np.nextafter(float(high), 2))
    lows, highs = (np.full(count * neurons, end) for end in ends)
    parts = _Open(inputs, which, lows, highs, np.full((count * neurons, steps), -1, np.int8))
    while len(parts.inputs):
        trains, stuck = _trains(layer, currents[parts.inputs, :, parts.neurons], parts)
        done = np.flatnonzero(stuck < 0)
        usual = nominal[parts.inputs[done], :, parts.neurons[done]]
        for place in done[(trains[done] != usual).any(1)]:
            yield _Part(
                int(parts.inputs[place]),
                int(parts.neurons[place]),
                float(parts.low[place]),
                float(parts.high[place]),
                trains[place],
                bool((parts.forced[place] < 0).all()),
            )
        wide = (stuck >= 0) & (parts.high - parts.low > SLIVER)
        halved, sliver = parts.at(np.flatnonzero(wide)), np.flatnonzero((stuck >= 0) & ~wide)
        middle = (halved.low + halved.high) / 2
        both = [parts.at(sliver).with_(forced=parts.forced[sliver].copy()) for _ in range(2)]
        for fires, each in enumerate(both):
            each.forced[np.arange(len(sliver)), stuck[sliver]] = fires
        parts = halved.with_(high=middle).and_(halved.with_(low=middle)).and_(both[0]).and_(both[1])


def _trains(
    layer: Layer, currents: NDArray[np.float64], parts: _Open
) -> tuple[Spikes, NDArray[np.int64]]:
    """In which steps parts fire, and in which of them that is not certain; -1 if it always is."""
    dynamics = layer.dynamics
    assert layer.thresholds is not None
    thresholds = layer.thresholds[parts.neurons].astype(np.float64)
    count, steps = currents.shape
    low, high = np.zeros(count), np.zeros(count)
    whole = np.ones(count, bool)
    """Where the potential is a whole number whatever share is kept."""
    trains, stuck = np.zeros((count, steps), bool), np.full(count, -1)
    fired = np.zeros(count, bool)
    for step in range(steps):
        for event in dynamics.order:
            if event == "leak":
                whole &= low == 0
                low, high = (
                    np.minimum(low * parts.low, low * parts.high),
                    np.maximum(high * parts.low, high * parts.high),
                )
            elif event == "add":
                low, high = low + currents[:, step], high + currents[:, step]
            elif event == "fire":
                at_least = np.nextafter(thresholds, np.inf) if dynamics.strict else thresholds
                surely = np.where(whole, low >= at_least, low > thresholds + SLACK)
                never = np.where(whole, low < at_least, high < thresholds - SLACK)
                said = parts.forced[:, step]
                open_ = ~surely & ~never & (said < 0) & (stuck < 0)
                stuck[open_] = step
                fired = np.where(said < 0, surely, said == 1)
                trains[:, step] = fired
            elif dynamics.reset is AfterSpike.SUBTRACT:
                low, high = low - fired * thresholds, high - fired * thresholds
            elif dynamics.reset is AfterSpike.ZERO:
                low, high = np.where(fired, 0.0, low), np.where(fired, 0.0, high)
                whole |= fired
    return trains, stuck
