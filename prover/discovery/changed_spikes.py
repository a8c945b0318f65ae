"""How many spikes must change before a network over time changes its mind, up to two.

For networks of two layers whose outputs are read by their potentials. Nothing here is believed: a
witness is run, and that there is none ``checking.scenarios`` shows again, by tables of all changes.

Here only those are followed that can make a difference. A change leaves a trace, by how much a potential
is more than it was, which leaks away and never grows while a neuron fires as it did. A trace that has
gone, or is smaller than the room that the potential has to its threshold in all steps to come, changes
nothing any more. Two changes have an excess, over what each is worth, only where a trace of the first is
left when the second comes, and both together are no smaller than that room.

Potentials are integers of a small unit, leaks rounded, so that a threshold that is reached counts as
reached, and one that is only approached does not. One that is passed by less than what is rounded may
not either: who keeps what is found has it checked before.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeproof.circuits.networks.exact import run_all
from spikeproof.prover.discovery.robustness import Distance
from spikeproof.specs.networks import AfterSpike, Network, NetworkError, Score

Array = NDArray[Any]
Places = NDArray[np.int64]

MOST = 2
BITS = 61
"""Potentials and what they are multiplied by are below 2 to that."""

UNIT_BITS = 20
"""1 is so many bits of units at least, where leaks are rounded."""

ROUGH = 1e-3
"""A sum of numbers of single precision, none of them negative, is less than it is by no such share."""

UNROUNDED = 1e-9
"""By less than that share of all that may be gained, sums of doubles are off."""


@dataclass(frozen=True, eq=False)
class _Traces:
    """Neurons that were changed, one for each entry.

    Attributes:
        neurons: which.
        potentials, fired: their states.
        names: of what was changed.
    """

    neurons: Places
    potentials: Places
    fired: NDArray[np.bool_]
    names: Places

    def of(self, some: Array) -> _Traces:
        """Some of them."""
        return _Traces(self.neurons[some], self.potentials[some], self.fired[some], self.names[some])

    def and_(self, others: _Traces) -> _Traces:
        """These and others."""
        pairs = zip(vars(self).values(), vars(others).values(), strict=True)
        return _Traces(*(np.concatenate(pair) for pair in pairs))


Told = Callable[[_Traces, int], None]
"""Is told who does otherwise in a step, and which that is."""

NO_TRACES = _Traces(*(np.zeros(0, kind) for kind in (np.int64, np.int64, bool, np.int64)))


class SpikeSearcher:
    """A network, made ready for changes of at most two spikes; of one, if outputs fire, or layers are
    more than two.

    Raises:
        NetworkError: on construction, if 64 bits do not hold its potentials in small units.
    """

    def __init__(self, network: Network, most: int) -> None:
        self.network, self.most = network, most
        self.hidden, self.outputs = network.layers[0], network.layers[-1]
        weights, leak = self.hidden.weights, self.hidden.dynamics.leak
        values = np.unique(np.append(np.abs(weights), 1))
        self.values = np.sort(np.concatenate([-values[values > 0], values[values > 0]]))
        # A row for each input that does not fire, and then for each that does.
        by_input = np.concatenate([weights.T, -weights.T])
        self.seen = np.searchsorted(self.values, by_input)
        self.seen[by_input == 0] = len(self.values)
        self.known = np.stack([(by_input == value).any(axis=0) for value in self.values])
        if most == MOST:
            self.marks = np.concatenate([by_input == value for value in self.values], 1).astype(float)
            self.roughly = self.marks.astype(np.float32)
        assert self.hidden.thresholds is not None
        self.thresholds = self.hidden.thresholds
        sums = np.abs(weights).sum(axis=1) + np.abs(self.hidden.bias) + np.abs(self.thresholds)
        largest = int(sums.max()) * (network.steps + 3)
        rounds = 0 < leak < 1
        bits = BITS - largest.bit_length()
        if bits < UNIT_BITS * rounds or leak.denominator.bit_length() > BITS // 2 + 1:
            raise NetworkError("its potentials do not fit 64 bits")
        self.unit = 1 << bits * rounds
        self.rounded = 2 * network.steps * rounds
        """By so many units two potentials are off at most, together."""
        order, share = self.outputs.dynamics.order, self.outputs.dynamics.leak
        self.last = share if order.index("leak") > order.index("add") else Fraction(1)
        """What is left of what is added to an output in the last step; ``left`` are shares of that."""
        left = [share ** (network.steps - 1 - s) * bool(self.last) for s in range(network.steps)]
        self.left = np.array(list(map(float, left)))

    def distance(self, image: NDArray[Any], seconds: float) -> Distance:
        """How many spikes of an image, of shape (steps, inputs), must change, if so many seconds are
        enough."""
        summed = len(self.network.layers) == 2 and self.network.readout.score is Score.POTENTIAL
        summed &= self.outputs.recurrent is None
        kind = _Summed if summed else _Continued
        question = kind(self, np.asarray(image, bool), time.monotonic() + seconds)
        radius, witness = 0, None
        try:
            for find in question.finders[: self.most]:
                witness = find()
                if witness is not None:
                    break
                radius += 1
        except TimeoutError:
            pass
        return Distance(question.decision, radius, (), witness)


class _Question:
    """Of one image. Arrays are by step and value of the second change, of the first, by neuron or
    input.

    Attributes:
        finders: of one change, and perhaps of two: each finds one that changes the class, if one does.
    """

    finders: tuple[Callable[[], tuple[int, ...] | None], ...]

    def __init__(self, searcher: SpikeSearcher, given: NDArray[np.bool_], until: float) -> None:
        self.searcher, self.given, self.until = searcher, given, until
        network, hidden = searcher.network, searcher.hidden
        self.outcome = run_all(network, given[None])
        self.decision = int(self.outcome.decisions[0])
        self.currents = (given @ hidden.weights.T + hidden.bias) * searcher.unit
        self.levels = searcher.thresholds * searcher.unit
        neurons = np.arange(hidden.neurons)
        nothing = np.zeros(len(neurons), np.int64)
        self.undisturbed = [_Traces(neurons, nothing, nothing.astype(bool), neurons)]
        rooms = []
        for step in range(network.steps):
            after, room = self._step(self.undisturbed[-1], step, nothing)
            self.undisturbed.append(after)
            rooms.append(room)
        rooms.append(np.full(len(neurons), 1 << BITS))
        self.room = np.minimum.accumulate(np.array(rooms)[::-1])[::-1] - searcher.rounded
        """Before each step, by how much a potential can be off and the neuron does as it did."""

    def _step(self, traces: _Traces, step: int, more: Places) -> tuple[_Traces, Places]:
        """What becomes of neurons in a step in which so much more is added to each; and how far their
        potentials are from the threshold."""
        dynamics, leak = self.searcher.hidden.dynamics, self.searcher.hidden.dynamics.leak
        potentials, fired = traces.potentials, traces.fired
        levels = self.levels[traces.neurons]
        room = levels
        for event in dynamics.order:
            if event == "leak":
                # Rounded so that a threshold is not reached by rounding.
                sign = -1 if dynamics.strict else 1
                times, rest = np.divmod(sign * potentials, leak.denominator)
                potentials = sign * (times * leak.numerator + rest * leak.numerator // leak.denominator)
            elif event == "add":
                potentials = potentials + self.currents[step][traces.neurons] + more
            elif event == "fire":
                room = potentials - levels
                fired = room > 0 if dynamics.strict else room >= 0
            elif dynamics.reset is AfterSpike.SUBTRACT:
                potentials = potentials - fired * levels
            elif dynamics.reset is AfterSpike.ZERO:
                potentials = np.where(fired, 0, potentials)
        return _Traces(traces.neurons, potentials, fired, traces.names), np.abs(room)

    def _follow(self, traces: _Traces, step: int, more: Places, tell: Told, most: int) -> _Traces:
        """Those that still make a difference after a step, if so much may still be added.

        Args:
            tell: is told the names of those that do otherwise in this step, and the step.
        """
        if time.monotonic() > self.until:
            raise TimeoutError
        traces, _ = self._step(traces, step, more)
        usual = self.undisturbed[step + 1]
        same = traces.fired == usual.fired[traces.neurons]
        tell(traces.of(~same), step)
        trace = np.abs(traces.potentials - usual.potentials[traces.neurons])
        gone = same & ((trace == 0) | (trace + most < self.room[step + 1, traces.neurons]))
        return traces.of(~gone)

    def _begun(self, step: int, value: Places, neuron: Places) -> tuple[_Traces, Places]:
        """Neurons to which a value is added in a step, named by both; and how much that is."""
        usual, count = self.undisturbed[step], self.searcher.hidden.neurons
        names = value * count + neuron
        begun = _Traces(neuron, usual.potentials[neuron], usual.fired[neuron], names)
        return begun, self.searcher.values[value] * self.searcher.unit

    def _follow_singles(self, tell: Told) -> None:
        """What one change does, its name being its place by step, value and neuron."""
        searcher = self.searcher
        size = np.abs(searcher.values[:, None]) * searcher.unit
        traces = NO_TRACES
        for step in range(searcher.network.steps):
            begun, more = self._begun(step, *np.nonzero(searcher.known & (size >= self.room[step])))
            begun.names[:] += step * searcher.known.size
            more = np.concatenate([np.zeros(len(traces.names), np.int64), more])
            traces = self._follow(traces.and_(begun), step, more, tell, 0)

    def _rows(self, step: int) -> Places:
        """Those of inputs, if they change in a step."""
        inputs = self.searcher.network.inputs
        return np.asarray(np.arange(inputs) + self.given[step] * inputs)

    def _changing(self, sets: Array) -> tuple[int, ...] | None:
        """The first set of spikes whose change changes the class, if one does: they are run."""
        for spikes in np.unique(np.sort(sets, axis=1), axis=0).tolist():
            if time.monotonic() > self.until:
                raise TimeoutError
            changed = self.given.copy()
            changed.flat[spikes] ^= True
            if run_all(self.searcher.network, changed[None]).decisions[0] != self.decision:
                return tuple(spikes)
        return None


class _Continued(_Question):
    """If it is known what one change makes of the first layer, and all others are run."""

    def __init__(self, searcher: SpikeSearcher, given: NDArray[np.bool_], until: float) -> None:
        super().__init__(searcher, given, until)
        self.finders = (self.one,)
        network = searcher.network
        self.others = Network(network.layers[1:], network.steps, network.readout)

    def one(self) -> tuple[int, ...] | None:
        """A spike the change of which changes the class."""
        told: list[Places] = []

        def tell(traces: _Traces, step: int) -> None:
            told.append(np.stack([traces.names, np.full(len(traces.names), step)]))

        self._follow_singles(tell)
        names, when = np.concatenate(told, axis=1)
        begun, values, neurons = np.unravel_index(
            names, (self.searcher.network.steps, *self.searcher.known.shape)
        )
        for first in range(self.searcher.network.steps):
            (some,) = np.nonzero(begun == first)
            sees = self.searcher.seen[self._rows(first)][:, neurons[some]] == values[some]
            found = self._continued(first, sees, when[some], neurons[some])
            if found is not None:
                return found
        return None

    def _continued(
        self, first: int, sees: Array, when: Places, neurons: Places
    ) -> tuple[int, ...] | None:
        """Of that step, if by which inputs' changes, which neurons do otherwise, and when, are these."""
        if time.monotonic() > self.until:
            raise TimeoutError
        (inputs,) = np.nonzero(sees.any(axis=1))
        if not len(inputs):
            return None
        spikes = np.repeat(self.outcome.spikes[0], len(inputs), axis=0)
        row, which = np.nonzero(sees[inputs])
        spikes[row, when[which], neurons[which]] ^= True
        changing = run_all(self.others, spikes).decisions != self.decision
        return self._changing(first * self.searcher.network.inputs + inputs[changing, None])


class _Summed(_Question):
    """If scores are sums of what spikes are worth. Rivals come first, if an array is by rival."""

    def __init__(self, searcher: SpikeSearcher, given: NDArray[np.bool_], until: float) -> None:
        super().__init__(searcher, given, until)
        self.finders = (self.one, self.two)
        scores, unit = self.outcome.scores[0, -1], self.outcome.denominators[-1]
        rivals = np.array([r for r in range(searcher.network.classes) if r != self.decision], np.int64)
        weights = searcher.outputs.weights
        self.gains = (weights[rivals] - weights[self.decision]).astype(float)
        behind = (int(scores[self.decision]) - scores[rivals] + (rivals > self.decision)).tolist()
        self.needs = np.array([float(Fraction(each, unit) / (searcher.last or 1)) for each in behind])
        self.needs -= UNROUNDED * np.abs(self.gains).sum(axis=1) * searcher.left.sum()

    def _worth(self, worth: Array) -> Told:
        """Adds to that, by name, what is told."""

        def tell(traces: _Traces, step: int) -> None:
            worth[traces.names] += np.where(traces.fired, 1, -1) * self.searcher.left[step]

        return tell

    def singles(self) -> Array:
        """What one change is worth, by step, value and neuron."""
        worth = np.zeros((self.searcher.network.steps, *self.searcher.known.shape))
        self._follow_singles(self._worth(worth.reshape(-1)))
        return worth

    def excesses(self, first: int) -> Array:
        """How much more two changes are worth than both, the first in that step: by step, from that on,
        and value of the second, value of the first, and neuron."""
        searcher, steps, shape = self.searcher, self.searcher.network.steps, self.searcher.known.shape
        values, unit = searcher.values, searcher.unit
        largest = int(np.abs(values).max(initial=0)) * unit
        so_far = np.zeros(searcher.known.size)
        trunk, added = self._begun(first, *np.nonzero(searcher.known))
        pairs, begun_in = NO_TRACES, []
        worth = np.zeros((steps - first, len(values), so_far.size))
        for step in range(first, steps):
            usual = self.undisturbed[step].of(trunk.neurons)
            trace = np.abs(trunk.potentials - usual.potentials + added)
            near = trace + np.abs(values[:, None]) * unit >= self.room[step, trunk.neurons]
            near |= trunk.fired != usual.fired
            second, which = np.nonzero(near & searcher.known[:, trunk.neurons])
            begun = trunk.of(which)
            worth[step - first, second, begun.names] = so_far[begun.names]
            names = ((step - first) * len(values) + second) * so_far.size + begun.names
            begun_in.append(names)
            more = np.zeros(len(pairs.names), np.int64)
            more = np.concatenate([more, added[which] + values[second] * unit])
            pairs = pairs.and_(_Traces(begun.neurons, begun.potentials, begun.fired, names))
            pairs = self._follow(pairs, step, more, self._worth(worth.reshape(-1)), 0)
            trunk = self._follow(trunk, step, added, self._worth(so_far), largest)
            added = np.zeros(len(trunk.names), np.int64)
        both = worth.reshape(-1, len(values), *shape)
        singly = self.worth[first:, :, None] + self.worth[first]
        excess = np.zeros(both.size)
        all_begun = np.concatenate(begun_in)
        excess[all_begun] = (both - singly).reshape(-1)[all_begun]
        return excess.reshape(both.shape)

    def one(self) -> tuple[int, ...] | None:
        """A spike the change of which changes the class."""
        self.worth = self.singles()
        searcher, neurons = self.searcher, np.arange(self.searcher.hidden.neurons)
        gained = []
        for step, worth in enumerate(self.worth):
            padded = np.concatenate([worth, np.zeros_like(worth[:1])])
            gained.append(self.gains @ padded[searcher.seen[self._rows(step)], neurons].T)
        self.gained = np.stack(gained, axis=1)
        """By each rival, by step and input."""
        found = np.argwhere((self.gained >= self.needs[:, None, None]).any(axis=0))
        return self._changing(found[:, :1] * searcher.network.inputs + found[:, 1:])

    def two(self) -> tuple[int, ...] | None:
        """Two spikes that together do."""
        for first in range(self.searcher.network.steps):
            excess = self.excesses(first)
            high, low = np.maximum(excess.max(axis=1), 0), np.minimum(excess.min(axis=1), 0)
            for rival, gains in enumerate(self.gains):
                best = np.maximum(gains * high, gains * low)
                found = self._two(first, rival, best, excess)
                if found is not None:
                    return found
        return None

    def _reach(self, step: int, worth: Array) -> Array:
        """What each input's change in a step brings at most, if that is what neurons make of values."""
        inputs, given, marks = self.searcher.network.inputs, self.given[step], self.searcher.roughly
        worth = worth.T.astype(np.float32)
        found: Array = marks[:inputs] @ worth
        found[given] = marks[inputs:][given] @ worth
        return found * (1 + ROUGH)

    def _two(self, first: int, rival: int, best: Array, excess: Array) -> tuple[int, ...] | None:
        """Of which the first is in that step, and that bring that rival what it needs.

        Args:
            best: what a neuron can bring it in excess, by step of the second, and value of the first.
        """
        searcher, (values, neurons) = self.searcher, self.searcher.known.shape
        inputs, need, gained = searcher.network.inputs, self.needs[rival], self.gained[rival]
        bound = gained[first].max() + gained[first:].max(axis=1) + best.max(axis=1).sum(axis=1)
        steps = np.flatnonzero(bound >= need)
        if not len(steps):
            return None
        promise = gained[first][:, None] + self._reach(first, best[steps].reshape(len(steps), -1))
        left = need - gained[first + steps].max(axis=1)
        for place in np.flatnonzero((promise >= left).any(axis=0)).tolist():
            step = first + int(steps[place])
            starts = np.flatnonzero(promise[:, place] >= left[place])
            seconds = np.flatnonzero(gained[step] >= need - promise[:, place].max())
            table = excess[step - first] * self.gains[rival]
            # By value of the second, start and neuron: the value of the first is that of the start.
            chosen = searcher.marks[self._rows(first)[starts]].reshape(len(starts), values, neurons)
            both = np.einsum("wvn,svn->swn", table, chosen).reshape(len(starts), -1)
            total = both @ searcher.marks[self._rows(step)[seconds]].T
            total += gained[first, starts][:, None] + gained[step, seconds]
            which, others = np.nonzero(total >= need)
            pairs = np.column_stack([first * inputs + starts[which], step * inputs + seconds[others]])
            found = self._changing(pairs[pairs[:, 0] != pairs[:, 1]])
            if found is not None:
                return found
        return None
