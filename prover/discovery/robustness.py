"""How many bits of an input must change before a network changes its mind: found by branch and bound.

For networks without memory, that see one step. Nothing here is believed: what is found is a witness, an
input of another class, and a tree that ``checking.robustness`` checks; the argument is there.

Nodes of a tree are worked on many at a time, those of all rivals together. A node is a set of bits that
are changed, and others that stay as they are. It is closed if the largest shares of bits that are left
do not come up to what the rival is behind; else it branches on the bits of largest share, one after
another: it is changed, and those before it stay.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeproof.specs.networks import Layer, Network, Score

Array = NDArray[Any]
Places = NDArray[np.int64]
Level = tuple[list[int], list[int]]
"""Of the nodes of one depth: on how many bits each branches, and on which, one node after another."""

SCALE = 840
"""A multiple of the needs up to 8, of which shares are fractions; others are rounded up."""

EXACT = ((1 << 24, np.float32), (1 << 53, np.float64))
"""Below which integers are numbers of which kind."""

AT_ONCE = 512
"""So many nodes are worked on together."""

KEPT = 24
"""So many nodes of each depth are looked at for a witness, before there is a tree."""


@dataclass(frozen=True)
class Distance:
    """What was found of an input.

    Attributes:
        decision: its class.
        radius: no change of so many bits, or fewer, changes the class.
        tree: that this is so: levels of nodes, the first those of the rivals in their order.
        witness: bits the change of which does change it, one more than the radius; ``None`` if the
            radius is all that was asked for, or time ran out.
    """

    decision: int
    radius: int
    tree: tuple[Level, ...]
    witness: tuple[int, ...] | None


class _FoundError(Exception):
    """Bits whose change changes the class."""

    def __init__(self, bits: Sequence[int]) -> None:
        super().__init__(bits)
        self.bits = tuple(sorted(bits))


class _LateError(Exception):
    """Time is over."""


@dataclass(frozen=True, eq=False)
class _Stage:
    """Neurons that fire if what their weights add up to is at least ``least``.

    ``rising`` and ``falling`` are what inputs that begin to fire add and take away; ``of_units`` says
    whether that is at most 1.
    """

    rising: Array
    falling: Array
    least: Array
    of_units: bool

    @classmethod
    def of(cls, weights: Array, least: Array, of_units: bool | None = None) -> _Stage:
        """With these weights."""
        if of_units is None:
            of_units = bool((np.abs(weights) <= 1).all())
        return cls(np.maximum(weights, 0), np.maximum(-weights, 0), least, of_units)

    @property
    def weights(self) -> Array:
        """Of shape (neurons, inputs)."""
        return self.rising - self.falling

    def shares(self, worth: Array, need: Array, fired: Array, before: Array | None) -> Array:
        """What inputs, which fire ``before`` or (``None``) do not, have of what neurons are worth."""
        on, off = worth * fired, worth * (1 - fired)
        starting = self._moves(on, need, self.falling) + self._moves(off, need, self.rising)
        if before is None:
            return starting
        stopping = self._moves(on, need, self.rising) + self._moves(off, need, self.falling)
        return np.where(before > 0, stopping, starting)

    def _moves(self, worth: Array, need: Array, moves: Array) -> Array:
        neurons = np.flatnonzero(worth.astype(bool).any(axis=0))
        if self.of_units:
            return np.asarray(worth[:, neurons] @ moves[neurons])
        found = np.zeros((len(worth), moves.shape[1]), worth.dtype)
        for neuron in neurons:
            found += worth[:, neuron, None] * np.minimum(moves[neuron], need[:, neuron, None])
        return found


@dataclass(frozen=True, eq=False)
class _Nodes:
    """Some of one depth.

    Attributes:
        rivals: of each.
        sums: what the first neurons add up to.
        free: which bits may be changed.
        changed: which were.
    """

    rivals: Places
    sums: Array
    free: NDArray[np.bool_]
    changed: Places


@dataclass(frozen=True, eq=False)
class _Branches:
    """On which bits nodes branch, one node after another.

    Attributes:
        counts: of each node, on how many.
        bits: on which.
        parents: of which node each is.
        places: which of its node's it is.
        promise: how far the largest shares from it on come, of what the rival is behind.
    """

    counts: Places
    bits: Places
    parents: Places
    places: Places
    promise: Array


class Searcher:
    """A network that sees one step, adds and then fires, made ready for changes of so many bits."""

    def __init__(self, network: Network, most: int) -> None:
        layers, inputs = network.layers, network.inputs
        self.most = min(most, inputs)
        counting = network.readout.score is Score.COUNT
        stages = [(layer.weights, _least(layer)) for layer in (layers if counting else layers[:-1])]
        outputs, offsets = layers[-1].weights, layers[-1].bias
        if counting:
            outputs, offsets = np.eye(network.classes, dtype=np.int64), np.zeros(network.classes, int)
        if not stages:  # bits are neurons then
            stages = [(np.eye(inputs, dtype=np.int64), np.ones(inputs, np.int64))]
        largest = _largest(stages, outputs, offsets, self.most)
        kind: Any = next((kind for limit, kind in EXACT if largest < limit), object)
        self.stages = [_Stage.of(weights.astype(kind), least.astype(kind)) for weights, least in stages]
        self.outputs, self.offsets = outputs.astype(kind), offsets.astype(kind)
        magnitudes = -np.sort(-np.abs(self.stages[0].weights), axis=1)[:, : self.most]
        self.reach = np.cumsum(np.insert(magnitudes, 0, 0, axis=1), axis=1)
        """For how much k bits can move each neuron of the first layer, at most; by k."""

    def distance(self, image: NDArray[Any], seconds: float) -> Distance:
        """How many bits of an image must change, of ``most``, if so many seconds are enough."""
        until = time.monotonic() + seconds
        bits = image.ravel().astype(bool)
        tree: tuple[Level, ...] = ()
        question = _Question(self, bits, 0, until)
        for radius in range(1, self.most + 1):
            question = _Question(self, bits, radius, until)
            try:
                tree = question.tree()
            except _FoundError as found:
                return Distance(question.decision, radius - 1, tree, found.bits)
            except _LateError:
                return Distance(question.decision, radius - 1, tree, None)
        return Distance(question.decision, self.most, tree, None)


class _Question:
    """Whether ``radius`` changed bits of an image can change its class.

    From here on a bit says whether it is changed: all are 0 at first, and a change adds a weight.
    """

    def __init__(self, searcher: Searcher, image: NDArray[np.bool_], radius: int, until: float) -> None:
        self.radius, self.until = radius, until
        first, self.outputs, offsets = searcher.stages[0], searcher.outputs, searcher.offsets
        kind = first.least.dtype
        sums = first.weights @ image.astype(kind)
        fired = sums >= first.least
        # Neurons that so many bits cannot move are constant.
        moved = np.where(fired, sums - first.least + 1, first.least - sums) <= searcher.reach[:, radius]
        constant = (fired & ~moved).astype(kind)
        self.sums, self.reach = sums[moved], searcher.reach[moved]
        self.moves = first.weights[moved] * np.where(image, -1, 1).astype(kind)
        self.stages = [
            _Stage.of(self.moves, first.least[moved], first.of_units),
            *searcher.stages[1:],
        ]
        if len(self.stages) > 1:
            second = self.stages[1]
            least = second.least - second.weights @ constant
            self.stages[1] = _Stage.of(second.weights[:, moved], least)
        else:
            offsets = offsets + self.outputs @ constant
            self.outputs = self.outputs[:, moved]
        scores = self.outputs @ self._run(self.sums[None])[1][-1][0] + offsets
        self.decision = int(np.argmax(scores))
        rivals = np.array([i for i in range(len(scores)) if i != self.decision], np.int64)
        self.behind = self.outputs[self.decision] - self.outputs[rivals]
        self.lead = offsets[self.decision] - offsets[rivals] + (rivals > self.decision)
        count, width = len(rivals), len(image)
        self.root = _Nodes(
            np.arange(count),
            np.repeat(self.sums[None], count, axis=0),
            np.ones((count, width), bool),
            np.zeros((count, 0), np.int64),
        )

    def tree(self) -> tuple[Level, ...]:
        """Of an answer no.

        Raises:
            _FoundError: if it is yes.
            _LateError: if it comes too late.
        """
        if self.radius > 2:
            self._look()
        levels: tuple[Level, ...] = tuple(([], []) for _ in range(self.radius))
        self._explore(self.root, levels)
        return levels

    def _look(self) -> None:
        """For a witness, among what promises most."""
        nodes = self.root
        for _ in range(self.radius):
            branches = self._branches(nodes)
            nodes = self._children(nodes, branches, np.argsort(-branches.promise)[:KEPT])
        self._branches(nodes)

    def _explore(self, nodes: _Nodes, levels: tuple[Level, ...]) -> None:
        """Nodes of one depth and all below, which join the levels."""
        branches = self._branches(nodes)
        depth = nodes.changed.shape[1]
        if depth == self.radius:
            return
        levels[depth][0].extend(branches.counts.tolist())
        levels[depth][1].extend(branches.bits.tolist())
        for start in range(0, len(branches.bits), AT_ONCE):
            these = np.arange(start, min(start + AT_ONCE, len(branches.bits)))
            self._explore(self._children(nodes, branches, these), levels)

    def _children(self, nodes: _Nodes, branches: _Branches, these: Places) -> _Nodes:
        """Those at some of the branches."""
        parents, bits = branches.parents[these], branches.bits[these]
        rank = np.full(nodes.free.shape, nodes.free.shape[1], np.int16)
        rank[branches.parents, branches.bits] = branches.places
        return _Nodes(
            nodes.rivals[parents],
            nodes.sums[parents] + self.moves[:, bits].T,
            nodes.free[parents] & (rank[parents] > branches.places[these, None]),
            np.column_stack([nodes.changed[parents], bits]),
        )

    def _branches(self, nodes: _Nodes) -> _Branches:
        """Until the shares of bits that come after do not come up to what a rival is behind.

        Raises:
            _FoundError: if a node is of another class.
            _LateError: if time is over.
        """
        if time.monotonic() > self.until:
            raise _LateError
        left = self.radius - nodes.changed.shape[1]
        given, fired = self._run(nodes.sums)
        behind = self.behind[nodes.rivals]
        ahead = self.lead[nodes.rivals] + (fired[-1] * behind).sum(axis=1)
        if (ahead < 1).any():
            raise _FoundError(nodes.changed[int(np.argmin(ahead))].tolist())
        if not left:
            return _chosen(np.zeros((len(ahead), 0)), ahead, 0)
        worth = SCALE * np.maximum(behind * (2 * fired[-1] - 1), 0)
        for depth in reversed(range(len(self.stages))):
            stage = self.stages[depth]
            need = np.maximum(given[depth] - stage.least + 1, stage.least - given[depth])
            reach = self.reach[:, left] if not depth else (stage.rising + stage.falling).sum(axis=1)
            part = -(-worth // need) if worth.dtype == object else np.ceil(worth / need)
            before = fired[depth - 1] if depth else None
            worth = stage.shares(np.where(need <= reach, part, 0), need, fired[depth], before)
        return _chosen(worth * nodes.free, ahead * SCALE, left)

    def _run(self, sums: Array) -> tuple[list[Array], list[Array]]:
        """Of each stage what it is given, and who fires."""
        given: list[Array] = [sums]
        fired: list[Array] = []
        for depth, stage in enumerate(self.stages):
            if depth:
                given.append(fired[-1] @ stage.weights.T)
            fired.append((given[-1] >= stage.least).astype(sums.dtype))
        return given, fired


def _chosen(shares: Array, wanted: Array, left: int) -> _Branches:
    """On which bits nodes branch, of largest share first."""
    left = min(left, shares.shape[1])
    # A bit that is branched on is the first of so many that come up to what is wanted.
    most = int((shares * left >= wanted[:, None]).sum(axis=1).max(initial=0))
    kept = min(shares.shape[1], most + left) if left else 0
    order = (
        np.argpartition(-shares, kept - 1, axis=1)[:, :kept] if kept else np.zeros((len(shares), 0), int)
    )
    ranked = np.take_along_axis(shares, order, axis=1)
    order = np.take_along_axis(order, inner := np.argsort(-ranked, axis=1, kind="stable"), axis=1)
    ranked = np.take_along_axis(ranked, inner, axis=1)
    none = np.zeros((len(ranked), left), ranked.dtype)
    sums = np.cumsum(np.hstack([none[:, :1], ranked, none]), axis=1)
    windows = (sums[:, left:] - sums[:, : sums.shape[1] - left])[:, :kept]
    counts = (windows >= wanted[:, None]).sum(axis=1)
    taken = np.arange(kept) < counts[:, None]
    parents, places = np.nonzero(taken)
    return _Branches(counts, order[taken], parents, places, (windows / wanted[:, None])[taken])


def _least(layer: Layer) -> Places:
    assert layer.thresholds is not None
    return layer.thresholds - layer.bias + layer.dynamics.strict


def _largest(
    stages: Sequence[tuple[Places, Places]], outputs: Places, offsets: Places, most: int
) -> int:
    """No number that comes up is larger."""

    def magnitude(numbers: Places) -> int:
        return sum(map(abs, numbers.ravel().tolist()))

    total = 2 * SCALE * (max(map(magnitude, outputs)) + magnitude(offsets) + 1)
    for place, (weights, least) in reversed(list(enumerate(stages))):
        total += magnitude(weights) + magnitude(least) + len(least)
        total *= weights.shape[1] if place else most + 1
    return total
