"""That no one or two changed spikes change a class: by what each neuron makes of every such change.

For networks over time, the first layer of which has no recurrent weights; and of two changes, of two
layers, whose outputs do not fire and are read by their potentials at the end.

A neuron of the first layer sees of a changed spike no more than the step and what is added there: its
weight, or less of it, one of few values. So every *scenario* of it, one or two changes of such values in
any steps, is run, and nothing is argued about resets, which need not be monotone. What a scenario is
*worth* is the sum, over the steps in which the neuron fires in it and else does not, less those in which
it else fires and does not, of what a spike of that step leaves of its weight at the end. Outputs add up
what they are given, so that, exactly,

    what a rival gains by changes a and b = sum over neurons of difference of weights x worth(a, b)
    worth(a, b) = worth(a) + worth(b) + excess(a, b)

where the last, of a neuron, depends on the two steps and values alone. Nothing is left out if, first, of
two steps, each neuron may choose both values; then, of a change and another step, the second value; and
what is left is looked at pair by pair: a rival takes the image only if the sum comes up to its need.

Of other networks, of more layers or whose outputs fire, one change is decided: in each step and of each
value it is known in which steps each neuron of the first layer fires, so that what the next layer is
given is a sum over neurons, and from there on the network is run, for each change that makes one of them
do otherwise. Of two layers whose outputs fire so are two: ``checking.pairs_run`` runs the outputs, for
each pair of changes.

Potentials are integers of a unit, a power of the leak's denominator, so that nothing is rounded; or, if
64 bits do not hold that, of 2^-N, and each leak is rounded, towards not firing at a threshold that is
reached. Then where a potential is nearer to a threshold than it may be off, Python's integers take over.
(At the threshold it is not: an integer is reached by integers alone, which no leak rounds.) Worths
are doubles, and a need is less by more than these may be off; whatever comes up to it is run. They
suffice since what is left is a share of what is left of the last step's, so that it is 1 at most, and of
that step it is 1, whatever the leak: what is too small for a double is nothing beside the allowance. And
weights are below 2^62 and tables below 2^24 numbers, so that nothing is too large for one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeproof.prover.checking.changed_spikes import Enumeration, times
from spikeproof.prover.checking.pairs_run import Excess, Outputs, changing_pairs, runs_pairs
from spikeproof.prover.checking.robustness import CertificateError, places
from spikeproof.specs.networks import AfterSpike, Layer, Network, Readout, Score, run

Numbers = NDArray[Any]

PAIRS = 2

LARGEST_TABLE = 1 << 24
"""So many numbers a table may have."""

MOST_MEETINGS = 1 << 25
"""So often two changes may meet, if all pairs are run."""

LARGEST_INT64 = 1 << 62

LARGEST_POTENTIAL = 1 << 40
"""So that a unit of 2^-20 fits, and mostly a far smaller one."""

TOGETHER = 1024
"""So many changes are run at once."""

ROUNDING = 2.0**-48
"""Times neurons and steps: by less than that share of the most that a rival may gain, gains are off.

A worth is rounded once in each step, what a change gains once more for each neuron, an excess as three
worths: two gains and an excess fewer than 5 (neurons + steps) + 30 times, by 2^-53 each."""


def tabled(network: Network, most: int) -> int:
    """How many changes of such a network, up to so many, are decided by tables: none, one or two."""
    first = network.layers[0]
    if len(network.layers) == 1 or first.recurrent is not None:
        return 0
    denominator = first.dynamics.leak.denominator
    if _largest(network) >= LARGEST_POTENTIAL or denominator**2 >= LARGEST_INT64:
        return 0
    values = len(_values(first))
    of_pairs = LARGEST_TABLE + 1
    if summed(network):
        of_pairs = max(network.steps * values * values, 2 * network.inputs * values)
    elif runs_pairs(network) and _meetings(network, values) <= MOST_MEETINGS:
        of_pairs = (network.steps * values) ** 2
    if most >= PAIRS and of_pairs * first.neurons <= LARGEST_TABLE:
        return PAIRS
    return int(network.steps * values * first.neurons <= LARGEST_TABLE)


def _meetings(network: Network, values: int) -> int:
    """In how many steps at most two changes meet in a neuron, of each input one with any value."""
    return int(np.count_nonzero(network.layers[0].weights)) * values * network.steps**2


def summed(network: Network) -> bool:
    """Whether scores are sums of what spikes of the first layer are worth."""
    return (
        len(network.layers) == PAIRS
        and network.readout == Readout(Score.POTENTIAL)
        and network.layers[-1].recurrent is None
    )


class Scenarios:
    """Of few changed spikes, for one network: as many as are tabled, and more by trying all."""

    def __init__(self, network: Network, most: int) -> None:
        self.network, self.most, self.tabled = network, most, tabled(network, most)
        self.hidden, outputs = network.layers[0], network.layers[-1]
        self.enumeration = Enumeration(network, most)
        self.values = _values(self.hidden)
        weights, none = self.hidden.weights, len(self.values)
        seen = [np.searchsorted(self.values, sign * weights) for sign in (1, -1)]
        self.seen = [np.where(weights == 0, none, each) for each in seen]
        """Of a spike that comes (0) and of one that goes (1): which value it is to each neuron."""
        self.marks = [
            _marks(each, none) for each in self.seen if summed(network) and self.tabled == PAIRS
        ]
        order, leak = outputs.dynamics.order, outputs.dynamics.leak
        nothing = order.index("leak") > order.index("add") and leak == 0
        self.left = [Fraction(0) if nothing else leak**later for later in reversed(range(network.steps))]
        """What is left at the end of what is added to an output in each step: as a share of what is left
        of the last step's, which is all of it, or so much as that leaks away."""

    def check(self, image: NDArray[Any], record: Mapping[str, Any]) -> None:
        """That a record of an image holds: as ``robustness.Checker``, but nothing is in its tree.

        Raises:
            CertificateError: if it does not.
        """
        decision, radius, witness = record["class"], record["radius"], record["witness"]
        if record["tree"] or not 0 <= radius <= self.most:
            raise CertificateError(f"it may not be about {radius} spikes, or have a tree")
        given = np.asarray(image).astype(np.int64)
        if run(self.network, given).decision != decision:
            raise CertificateError(f"its class is not {decision}")
        if witness is not None:
            spikes = np.unique(places(witness, given.size))
            if not len(spikes) == len(witness) == radius + 1:
                raise CertificateError(f"a witness must be {radius + 1} spikes, each once")
            changed = given.copy()
            changed.flat[spikes] ^= 1
            if run(self.network, changed).decision == decision:
                raise CertificateError("the witness is of the same class")
        if radius and self.tabled:
            question = _Summed if summed(self.network) else _Continued
            question(self, given, decision).require(min(radius, self.tabled))
        for size in range(self.tabled + 1, radius + 1):
            if self.enumeration.nearest(given, decision, size) is not None:
                raise CertificateError(f"{size} changed spikes change the class")

    def nearest(
        self, image: NDArray[Any], decision: int, size: int, until: float = float("inf")
    ) -> list[int] | None:
        """So many spikes whose change changes the class, if there are; they are numbered step by step.

        Raises:
            TimeoutError: if it is later than ``until``, in seconds of ``time.monotonic``.
        """
        if size != PAIRS or self.tabled < PAIRS or summed(self.network):
            return self.enumeration.nearest(image, decision, size, until)
        question = _Continued(self, np.asarray(image).astype(np.int64), decision)
        for pairs in question.pairs():
            if time.monotonic() > until:
                raise TimeoutError
            changing = question.changing(pairs)
            if changing is not None:
                return changing
        return None


class _Neurons:
    """Some neurons of the first layer, given an image: as it is, and with changes.

    Arrays have the neurons on their last axis. Steps are those of a change: of the first of two, and of
    the second; values those that it adds.

    Attributes:
        doubtful: of which a potential was too near the threshold, so that nothing is known of them.
    """

    def __init__(
        self, scenarios: Scenarios, given: Numbers, some: NDArray[np.bool_], exact: bool
    ) -> None:
        layer = scenarios.hidden
        assert layer.thresholds is not None
        self.dynamics, self.count = layer.dynamics, int(some.sum())
        scale, self.off, self.kind = _units(scenarios, exact)
        currents = given @ layer.weights[some].T + layer.bias[some]
        self.currents = currents.astype(self.kind) * scale
        self.levels = layer.thresholds[some].astype(self.kind) * scale
        self.values = scenarios.values.astype(self.kind)[:, None] * scale
        self.left = np.array(list(map(float, scenarios.left)))
        self.doubtful = np.zeros(self.count, bool)
        potentials, fired = np.zeros(self.count, self.kind), np.zeros(self.count, bool)
        self.states, spikes = [], []
        """Before each step."""
        for added in self.currents:
            self.states.append((potentials, fired))
            potentials, fired = self._step(potentials, fired, added)
            spikes.append(fired)
        self.spikes = np.array(spikes)

    def _step(self, potentials: Numbers, fired: Numbers, added: Numbers) -> tuple[Numbers, Numbers]:
        """What potentials are after a step in which so much is added, and who fires."""
        leak, strict = self.dynamics.leak, self.dynamics.strict
        for event in self.dynamics.order:
            if event == "leak":
                potentials = -_leaked(-potentials, leak) if strict else _leaked(potentials, leak)
            elif event == "add":
                potentials = potentials + added
            elif event == "fire":
                above = potentials - self.levels
                fired = above > 0 if strict else above >= 0
                if self.off:
                    near = fired & (above < self.off) if strict else ~fired & (above > -self.off)
                    self.doubtful |= near.reshape(-1, self.count).any(axis=0)
            elif self.dynamics.reset is AfterSpike.SUBTRACT:
                potentials = potentials - fired * self.levels
            elif self.dynamics.reset is AfterSpike.ZERO:
                potentials = np.where(fired, 0, potentials)
        return potentials, fired

    def pair_trains(self, first: int) -> NDArray[np.bool_]:
        """Who fires if one change is made in that step and another then or later: by second step, step,
        both from that on, second value and first value; nothing is said of steps before the second."""
        steps, values = len(self.states) - first, len(self.values)
        shape = (values, values, self.count)
        found = np.zeros((steps, steps, *shape), bool)
        potentials, fired = np.zeros((0, *shape), self.kind), np.zeros((0, *shape), bool)
        state = self.states[first]  # of the first change alone
        for place, current in enumerate(self.currents[first:]):
            potentials, fired = _joined(potentials, state[0]), _joined(fired, state[1])
            added = np.broadcast_to(current, potentials.shape).copy()
            alone = current + (0 if place else self.values)
            added[-1] = alone + self.values[:, None]
            potentials, fired = self._step(potentials, fired, added)
            found[: place + 1, place] = fired
            state = self._step(*state, alone)
        return found

    def trains(self, first: int) -> NDArray[np.bool_]:
        """Who fires if one change is made in that step: by step, from that on, and value."""
        shape = (len(self.values), self.count)
        potentials, fired = (np.broadcast_to(each, shape) for each in self.states[first])
        found = []
        for step in range(first, len(self.states)):
            added = self.currents[step] + (self.values if step == first else 0)
            potentials, fired = self._step(potentials, fired, added)
            found.append(fired)
        return np.array(found)

    def _worth(self, fired: Numbers, step: int) -> Numbers:
        """Of what neurons do in a step."""
        return np.asarray((fired.astype(float) - self.spikes[step]) * self.left[step])

    def singles(self) -> Numbers:
        """What one change is worth, by step and value."""
        shape = (len(self.values), self.count)
        potentials, fired = np.zeros((0, *shape), self.kind), np.zeros((0, *shape), bool)
        worth = np.zeros((len(self.states), *shape))
        for step, state in enumerate(self.states):
            potentials, fired = _joined(potentials, state[0]), _joined(fired, state[1])
            added = np.broadcast_to(self.currents[step], potentials.shape).copy()
            added[-1] += self.values
            potentials, fired = self._step(potentials, fired, added)
            worth[: step + 1] += self._worth(fired, step)
        return worth

    def pairs(self, first: int) -> Numbers:
        """What two changes are, the first in that step: by second step, from that on, second value and
        first value."""
        count = len(self.values)
        shape = (count, count, self.count)
        potentials, fired = np.zeros((0, *shape), self.kind), np.zeros((0, *shape), bool)
        worth = np.zeros((len(self.states) - first, *shape))
        state = self.states[first]  # of the first change alone
        so_far = np.zeros((count, self.count))
        for place, step in enumerate(range(first, len(self.states))):
            potentials, fired = _joined(potentials, state[0]), _joined(fired, state[1])
            worth[place] = so_far
            added = np.broadcast_to(self.currents[step], potentials.shape).copy()
            alone = self.currents[step] + (0 if place else self.values)
            added[-1] = alone + self.values[:, None]
            potentials, fired = self._step(potentials, fired, added)
            worth[: place + 1] += self._worth(fired, step)
            state = self._step(*state, alone)
            so_far = so_far + self._worth(state[1], step)
        return worth


class _Question:
    """Whether changes of one image can change its class."""

    def __init__(self, scenarios: Scenarios, given: Numbers, decision: int) -> None:
        self.scenarios, self.given, self.decision = scenarios, given, decision
        self.neurons = scenarios.hidden.neurons
        self.all = _Neurons(scenarios, given, np.ones(self.neurons, bool), exact=False)

    def _certain(self, table: Callable[[_Neurons], Numbers]) -> Numbers:
        """A table of all neurons: those in doubt are run once more, exactly."""
        found = table(self.all)
        doubtful = self.all.doubtful
        if doubtful.any():
            found[..., doubtful] = table(_Neurons(self.scenarios, self.given, doubtful, exact=True))
        return found

    def _seen(self, step: int) -> NDArray[np.int64]:
        """Which value each neuron sees of each input's change in a step, of shape (neurons, inputs)."""
        coming, going = self.scenarios.seen
        return np.where(self.given[step], going, coming)

    def changing(self, sets: Numbers, currents: Numbers | None = None) -> list[int] | None:
        """The first of some sets of changes, rows, that changes the class, if one does: they are run.

        Args:
            currents: what is then added to the second layer, if that is known.
        """
        enumeration = self.scenarios.enumeration
        for start in range(0, len(sets), TOGETHER):
            part = slice(start, start + TOGETHER)
            if currents is None:
                decisions = enumeration.decisions(self.given, sets[part])
            else:
                decisions = enumeration.continued(1, currents[part])
            changing = decisions != self.decision
            if changing.any():
                found: list[int] = sets[part][int(np.argmax(changing))].tolist()
                return found
        return None

    def _require_same(self, sets: Numbers, currents: Numbers | None = None) -> None:
        """That some sets of changes leave the class.

        Raises:
            CertificateError: if one does not.
        """
        spikes = self.changing(sets, currents)
        if spikes is not None:
            raise CertificateError(f"changing {spikes} changes the class")


class _Continued(_Question):
    """If it is known what changes make of the first layer, and all others are run."""

    def __init__(self, scenarios: Scenarios, given: Numbers, decision: int) -> None:
        super().__init__(scenarios, given, decision)
        self.usual = self._certain(lambda neurons: neurons.spikes.copy()).astype(np.int8)
        layer = scenarios.network.layers[1]
        self.weights, self.added = layer.weights, times(self.usual, layer.weights) + layer.bias

    def require(self, radius: int) -> None:
        """That so many changes, one or two, do not change the class.

        Raises:
            CertificateError: if they do.
        """
        for first in range(len(self.usual)):
            more = self._more(first)
            inputs = np.flatnonzero(self._by_input(first, more).any(axis=(0, 2)))
            currents = np.repeat(self.added[None], len(inputs), axis=0)
            currents[:, first:] += self._given(first, more)[:, inputs].swapaxes(0, 1)
            self._require_same(first * self.given.shape[1] + inputs[:, None], currents)
        for pairs in self.pairs() if radius == PAIRS else ():
            self._require_same(pairs)

    def pairs(self) -> Iterator[Numbers]:
        """Of changes: some, among them all that change the class."""
        outputs = Outputs(self.scenarios.network, self.decision)
        steps, inputs = self.given.shape
        more = [self._more(step) for step in range(steps)]
        given = [
            np.ascontiguousarray(self._given(step, each).swapaxes(1, 2)) * outputs.unit
            for step, each in enumerate(more)
        ]
        added = self.added[:, :, None] * outputs.unit
        of_neurons = self.weights.T * outputs.unit
        columns = [self._inputs_by_value(step) for step in range(steps)]
        for first in range(steps):
            excess = self._certain(partial(_Neurons.pair_trains, first=first)).astype(np.int8)
            excess -= self.usual[first:, None, None] + more[first][:, None]
            alone = outputs.begun(inputs)
            for step in range(first):
                outputs.step(alone, added[step])
            for second in range(first, steps):
                place = second - first
                together = excess[place, place:] - more[second][:, :, None]
                found = changing_pairs(
                    outputs,
                    alone,
                    added[second:] + given[first][place:],
                    given[second],
                    self._excesses(first, together, of_neurons, columns[second]),
                )
                for pairs in found:
                    numbers = pairs + inputs * np.array([first, second])
                    yield numbers[numbers[:, 0] < numbers[:, 1]]
                outputs.step(alone, added[second] + given[first][place])

    def _more(self, first: int) -> Numbers:
        """By how much neurons fire more if one change is made in that step: by step, from that on, and
        value."""
        trains = self._certain(partial(_Neurons.trains, first=first))
        return np.asarray(trains - self.usual[first:, None])

    def _by_input(self, first: int, more: Numbers) -> Numbers:
        """That, by step, input and neuron."""
        padded = np.concatenate([more, np.zeros_like(more[:, :1])], axis=1)
        found: Numbers = padded[:, self._seen(first).T, np.arange(more.shape[2])]
        return found

    def _given(self, first: int, more: Numbers) -> Numbers:
        """What the next layer is given then, more than else: by step, input and neuron of that layer."""
        return times(self._by_input(first, more), self.weights)

    def _inputs_by_value(self, step: int) -> list[list[NDArray[np.int64]]]:
        """Of each neuron and value the inputs of which a change in a step is seen as that."""
        values = range(len(self.scenarios.values))
        return [[np.flatnonzero(row == value) for value in values] for row in self._seen(step)]

    def _excesses(
        self,
        first: int,
        excess: Numbers,
        of_neurons: Numbers,
        columns: list[list[NDArray[np.int64]]],
    ) -> list[list[Excess]]:
        """What outputs are given in each step, more than by each of two changes, the first in that step.

        Args:
            excess: by how much neurons fire more, by step, from the second on, second value and first.
            of_neurons: what their spikes add to outputs.
            columns: the inputs that are seen as a second value, by neuron and value.
        """
        rows, neurons = np.nonzero(self.scenarios.hidden.weights.T)
        of_rows = excess[:, :, self._seen(first)[neurons, rows], neurons]
        found = []
        for each in of_rows.swapaxes(1, 2):
            which, values = np.nonzero(each)
            found.append(
                [
                    Excess(row, columns[neuron][value], of_neurons[neuron] * times)
                    for row, neuron, value, times in zip(
                        rows[which].tolist(),
                        neurons[which].tolist(),
                        values.tolist(),
                        each[which, values].tolist(),
                        strict=True,
                    )
                ]
            )
        return found


class _Summed(_Question):
    """If scores are sums over neurons. Rivals come first, if an array is by rival."""

    def __init__(self, scenarios: Scenarios, given: Numbers, decision: int) -> None:
        super().__init__(scenarios, given, decision)
        rivals = np.array([r for r in range(scenarios.network.classes) if r != decision], np.int64)
        weights = scenarios.network.layers[-1].weights
        self.gains = (weights[rivals] - weights[decision]).astype(float)
        """What each rival gains by a spike of each neuron."""
        most = np.abs(self.gains).sum(axis=1) * self.all.left.sum()
        allowed = ROUNDING * (self.neurons + scenarios.network.steps) * most
        self.needs = self._leads(rivals) - allowed

    def _leads(self, rivals: NDArray[np.int64]) -> Numbers:
        """How much each rival must gain."""
        outputs = self.scenarios.network.layers[-1]
        spikes = self._certain(lambda neurons: neurons.spikes.copy())
        added = spikes.astype(np.int64) @ outputs.weights.T + outputs.bias
        scores = [
            sum((left * n for left, n in zip(self.scenarios.left, each, strict=True)), Fraction(0))
            for each in added.T.tolist()
        ]
        # Scores are multiples of a unit, so that a rival that loses ties must gain one more.
        unit = Fraction(1, outputs.dynamics.leak.denominator ** (self.scenarios.network.steps - 1))
        own = scores[self.decision]
        return np.array([float(own - scores[r] + unit * (r > self.decision)) for r in rivals.tolist()])

    def require(self, radius: int) -> None:
        """That so many changes do not change the class.

        Raises:
            CertificateError: if they do.
        """
        worth = self._certain(_Neurons.singles)
        gained = np.stack([self.gains @ self._by_input(*each) for each in enumerate(worth)], axis=1)
        self._try(np.argwhere((gained >= self.needs[:, None, None]).any(axis=0)))
        for first in range(len(worth) if radius == PAIRS else 0):
            both = self._certain(partial(_Neurons.pairs, first=first))
            excess = both - worth[first:, :, None] - worth[first]
            for gains, need, singly in zip(self.gains, self.needs, gained, strict=True):
                self._require_second(first, gains * excess, singly, need)

    def _by_input(self, step: int, table: Numbers) -> Numbers:
        """Of each input and neuron what stands in a table of values and neurons, for a change."""
        padded = np.vstack([table, np.zeros(table.shape[1])])
        found: Numbers = padded[self._seen(step), np.arange(table.shape[1])[:, None]]
        return found

    def _marks(self, step: int) -> Numbers:
        """For each input, of its change in a step: 1 where a neuron sees a value."""
        coming, going = self.scenarios.marks
        return np.where(self.given[step][:, None], going, coming)

    def _require_second(self, first: int, excess: Numbers, singly: Numbers, need: float) -> None:
        """That a rival does not gain what it needs by a change in the first step and one from then on.

        Args:
            excess: what it gains by both, more than by each: by second step, second value, first value.
            singly: by step and input.
        """
        most = singly[first:].max(axis=1)
        best = np.maximum(excess.max(axis=1), 0)
        open_steps = np.flatnonzero(singly[first].max() + most + best.max(axis=1).sum(axis=1) >= need)
        if not len(open_steps):
            return
        reach = best[open_steps].reshape(len(open_steps), -1) @ self._marks(first).T
        bounds = singly[first] + reach + most[open_steps, None]
        for place, bound in zip(open_steps.tolist(), bounds, strict=True):
            (inputs,) = np.nonzero(bound >= need)
            if not len(inputs):
                continue
            seen = self._seen(first)[:, inputs].T
            padded = np.concatenate([excess[place], np.zeros_like(excess[place][:, :1])], axis=1)
            both = padded[:, seen, np.arange(self.neurons)].swapaxes(0, 1)
            total = both.reshape(len(inputs), -1) @ self._marks(first + place).T
            total += singly[first, inputs][:, None] + singly[first + place]
            if not place:
                total[np.arange(len(inputs)), inputs] = -np.inf  # the same change twice
            firsts, seconds = np.nonzero(total >= need)
            ones = np.full(len(firsts), first)
            self._try(np.column_stack([ones, inputs[firsts], ones + place, seconds]))

    def _try(self, changes: Numbers) -> None:
        """That none of these, rows of steps and inputs, changes the class: they are run.

        Raises:
            CertificateError: if one does.
        """
        self._require_same(changes[:, ::2] * self.given.shape[1] + changes[:, 1::2])


def _values(layer: Layer) -> NDArray[np.int64]:
    """What one change can add to a neuron; or 1, where nothing can."""
    values = np.unique(np.concatenate([layer.weights, -layer.weights]))
    return np.asarray(values[values != 0] if values.any() else np.ones(1, np.int64))


def _marks(seen: NDArray[np.int64], count: int) -> Numbers:
    """For each input 1 where a neuron sees a value, of shape (inputs, values x neurons)."""
    return np.concatenate([value == seen.T for value in range(count)], axis=1).astype(float)


def _leaked(potentials: Numbers, leak: Fraction) -> Numbers:
    """What is left, rounded down. On the way nothing is larger, or as large as a denominator squared."""
    whole = potentials // leak.denominator
    rest = potentials - whole * leak.denominator
    return np.asarray(whole * leak.numerator + rest * leak.numerator // leak.denominator)


def _largest(network: Network) -> int:
    """No potential of the first layer is larger in magnitude, with two changes of any values."""
    layer = network.layers[0]
    assert layer.thresholds is not None
    columns = np.column_stack([layer.weights, layer.bias, layer.thresholds]).tolist()
    return int(max(sum(map(abs, row)) for row in columns)) * (network.steps + 3)


def _units(scenarios: Scenarios, exact: bool) -> tuple[int, int, Any]:
    """What 1 is as a potential, by how many units less than one may be off, and their kind."""
    steps, largest = scenarios.network.steps, _largest(scenarios.network)
    scale = scenarios.hidden.dynamics.leak.denominator**steps
    if largest * scale < LARGEST_INT64:
        return scale, 0, np.int64
    if exact:
        return scale, 0, object
    return 1 << ((LARGEST_INT64 // largest).bit_length() - 1), steps, np.int64


def _joined(rows: Numbers, row: Numbers) -> Numbers:
    """With one row more."""
    return np.concatenate([rows, np.broadcast_to(row, (1, *rows.shape[1:]))])
