"""That no few changed bits change a network's class: trees, checked by integer arithmetic alone.

For networks that see one step: neurons fire if a sum of inputs is at least a threshold, and the class is
the output of the largest score, the lowest among equals. A rival r takes an input from its class c when
``score c - score r + [r > c]``, how far r is behind, falls below 1.

Let S be a set of at most k free bits of an input, and let S be changed.

1. A neuron of need n, the least by which its sum must move for it to do otherwise, does so only if those
   of its inputs that do otherwise move it by n or more; so never if k weights cannot.
2. Let w be what a neuron is worth: doing otherwise it brings r nearer by w; if it takes r away, w is
   0, since another change may undo that. Then all neurons together bring r nearer by no more than the
   sum of their inputs' *shares*, where an input's share of a neuron that can do otherwise is

       w min(by how much it moves that neuron, n) / n,    rounded up.

   For of a neuron that does, moves sum to n or more, and so shares to w or more; and none is negative.
   Its shares are what an input is worth, and so on, layer by layer, to the bits.
3. If the k largest shares of free bits sum to less than r is behind, r does not get it.
4. A node lists bits p1, ..., pm. Either S has none of them, and 3 must hold of the others; or pj is the
   first that it has: then S is pj and at most k - 1 bits that are none of p1, ..., pj, and the node's
   j-th child says that r does not get it.

All numbers are integers: floating-point numbers that are too small to be rounded, where none can be
larger, else Python's own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeproof.specs.networks import Network, NetworkError, Score

Numbers = NDArray[Any]
"""Integers, as numbers of one kind or the other."""

UNIT = 840
"""What 1 is in shares, so that few must be rounded."""

KINDS = ((1 << 24, np.float32), (1 << 53, np.float64))
"""Integers up to these are numbers of these kinds, and so is all that is computed of them, exactly."""

TOGETHER = 1024
"""So many nodes are checked at once, which says nothing about what is checked."""


class CertificateError(ValueError):
    """A record does not show what it says."""


class Checker:
    """Of records about one network.

    Args:
        most: no record is about more bits.

    Raises:
        NetworkError: on construction, if it is none that sees one step, adds and then fires.
    """

    def __init__(self, network: Network, most: int) -> None:
        if network.steps != 1:
            raise NetworkError(f"trees are of networks that see one step, and not {network.steps}")
        for layer in network.layers:
            adds, fires, leaks = map(layer.dynamics.order.index, ("add", "fire", "leak"))
            if adds > fires or (leaks > adds and layer.dynamics.leak != 1):
                raise NetworkError("networks of one step must leak, add and then fire, in this order")
        self.network, self.most = network, most
        weights = [layer.weights for layer in network.layers]
        floors = [
            layer.thresholds - layer.bias + int(layer.dynamics.strict)
            for layer in network.layers
            if layer.thresholds is not None
        ]
        offsets = network.layers[-1].bias
        if network.readout.score is Score.COUNT:  # each has fired once or not at all
            weights.append(np.eye(network.classes, dtype=np.int64))
            offsets = np.zeros(network.classes, np.int64)
        if not floors:  # bits are neurons
            weights.insert(0, np.eye(network.inputs, dtype=np.int64))
            floors.append(np.ones(network.inputs, np.int64))
        largest = _largest_number(weights, floors, offsets, most)
        self.kind: Any = next((kind for limit, kind in KINDS if largest < limit), object)
        self.weights = [each.astype(self.kind) for each in weights]
        self.floors = [each.astype(self.kind) for each in floors]
        self.offsets = offsets.astype(self.kind)
        descending = -np.sort(-np.abs(self.weights[0]), axis=1)
        self.moved_by = np.cumsum(np.insert(descending, 0, 0, axis=1), axis=1)
        """By k bits each neuron that sees the input, at most."""

    def decision(self, bits: NDArray[Any]) -> int:
        """The class of an input, of shape (inputs,)."""
        fires = bits
        for weights, floors in zip(self.weights, self.floors, strict=False):
            fires = weights @ fires.astype(self.kind) >= floors
        scores: list[Any] = (self.weights[-1] @ fires.astype(self.kind) + self.offsets).tolist()
        return scores.index(max(scores))

    def check(self, image: NDArray[Any], record: Mapping[str, Any]) -> None:
        """That a record of an image holds.

        Args:
            image: zeros and ones, as the network is given them.
            record: ``class``; ``radius``: no change of so many bits, or fewer, changes the class;
                ``tree``, which shows that: for each depth on how many bits the nodes branch, and on
                which; ``witness``: one bit more, the change of which does change the class, or ``None``.

        Raises:
            CertificateError: if it does not.
        """
        bits = np.asarray(image).astype(bool).ravel()
        decision, radius = record["class"], record["radius"]
        if self.decision(bits) != decision:
            raise CertificateError(f"its class is not {decision}")
        if not 0 <= radius <= min(self.most, bits.size):
            raise CertificateError(f"it may not be about {radius} bits")
        if record["witness"] is not None:
            witness = places(record["witness"], bits.size)
            if len(witness) != radius + 1 or len(set(witness.tolist())) != len(witness):
                raise CertificateError(f"a witness must be {radius + 1} bits, each once")
            changed = bits.copy()
            changed[witness] ^= True
            if self.decision(changed) == decision:
                raise CertificateError("the witness is of the same class")
        _Tree(self, bits, decision, radius, record["tree"]).check()


class _Tree:
    """A tree about an image; nothing is believed of it.

    From here on a bit says whether it is changed: all are 0 at first, and a change adds a weight.
    """

    def __init__(
        self, checker: Checker, image: NDArray[Any], decision: int, radius: int, levels: Any
    ) -> None:
        if len(levels) != radius:
            raise CertificateError(f"a tree about {radius} bits has {radius} levels, not {len(levels)}")
        self.radius = radius
        self.counts = [places(counts, image.size + 1) for counts, _ in levels]
        self.bits = [places(bits, image.size) for _, bits in levels]
        self.nodes_read, self.bits_read = [0] * radius, [0] * radius
        given = image.astype(checker.kind)
        weights, floors = [*checker.weights], [*checker.floors]
        self.sums = weights[0] @ given
        weights[0] = weights[0] * (1 - 2 * given)
        self.moved_by, self.offsets = checker.moved_by, checker.offsets
        self._leave_out_what_is_constant(weights, floors)
        self.weights, self.floors = weights[:-1], floors
        self.up = [np.maximum(each, 0) for each in self.weights]
        self.down = [np.maximum(-each, 0) for each in self.weights]
        self.rivals = [rival for rival in range(len(self.offsets)) if rival != decision]
        later = np.array([rival > decision for rival in self.rivals], bool)
        self.ahead = self.offsets[decision] - self.offsets[self.rivals] + later
        self.leading = weights[-1][decision] - weights[-1][self.rivals]

    def _leave_out_what_is_constant(self, weights: list[Numbers], floors: list[Numbers]) -> None:
        """Neurons that the bits cannot move; what they give joins the next sums."""
        fires = self.sums >= floors[0]
        moving = _needs(self.sums, floors[0]) <= self.moved_by[:, self.radius]
        constant = weights[1] @ (fires & ~moving).astype(self.sums.dtype)
        if len(floors) > 1:
            floors[1] = floors[1] - constant
        else:
            self.offsets = self.offsets + constant
        weights[:2] = weights[0][moving], weights[1][:, moving]
        floors[0], self.sums, self.moved_by = floors[0][moving], self.sums[moving], self.moved_by[moving]

    def check(self) -> None:
        """That no rival takes the image, and that the tree has nothing else in it."""
        count = len(self.rivals)
        free = np.ones((count, self.weights[0].shape[1]), bool)
        self._check(np.arange(count), np.repeat(self.sums[None], count, axis=0), free, self.radius)
        if self.nodes_read != list(map(len, self.counts)) or self.bits_read != list(map(len, self.bits)):
            raise CertificateError("the tree has more in it than its nodes")

    def _check(self, rivals: Numbers, sums: Numbers, free: Numbers, left: int) -> None:
        """Nodes at a depth, and all below: that their rivals, for which the first neurons add up to
        these sums, get nowhere by changing so many of the bits that are free."""
        given, fired = self._run(sums)
        leading = self.leading[rivals]
        ahead = self.ahead[rivals] + (leading * fired[-1]).sum(axis=1)
        if (ahead < 1).any():
            raise CertificateError("a node of the tree is of another class")
        if not left:
            return
        counts, bits = self._read(self.radius - left, len(rivals))
        node = np.repeat(np.arange(len(rivals)), counts)
        place = np.arange(len(bits)) - np.repeat(np.cumsum(counts) - counts, counts)
        rank = np.full(free.shape, self.weights[0].shape[1])
        rank[node, bits] = place
        others = free & (rank == self.weights[0].shape[1])
        if not free[node, bits].all() or (free & ~others).sum() != len(bits):
            raise CertificateError("a node branches on a bit that is not free, or on one twice")
        worth = UNIT * np.maximum(np.where(fired[-1] > 0, leading, -leading), 0)
        shares = np.where(others, self._shares(worth, given, fired, left), 0)
        largest = np.partition(shares, max(0, shares.shape[1] - left), axis=1)[:, -left:]
        if (largest.sum(axis=1) >= UNIT * ahead).any():
            raise CertificateError("a node leaves out bits that may change the class")
        for start in range(0, len(bits), TOGETHER):
            these = slice(start, start + TOGETHER)
            parents = node[these]
            self._check(
                rivals[parents],
                sums[parents] + self.weights[0][:, bits[these]].T,
                free[parents] & (rank[parents] > place[these, None]),
                left - 1,
            )

    def _read(self, depth: int, nodes: int) -> tuple[Numbers, Numbers]:
        """On how many bits the next nodes of a depth branch, and on which."""
        first = self.nodes_read[depth]
        counts = self.counts[depth][first : first + nodes]
        start = self.bits_read[depth]
        bits = self.bits[depth][start : start + counts.sum()]
        if len(counts) != nodes or len(bits) != counts.sum():
            raise CertificateError("a node of the tree is missing")
        self.nodes_read[depth] += nodes
        self.bits_read[depth] += len(bits)
        return counts, bits

    def _run(self, sums: Numbers) -> tuple[list[Numbers], list[Numbers]]:
        """Of each layer what it is given, and who fires."""
        given, fired = [sums], []
        for depth, floors in enumerate(self.floors):
            fired.append((given[depth] >= floors).astype(sums.dtype))
            if depth + 1 < len(self.floors):
                given.append(fired[depth] @ self.weights[depth + 1].T)
        return given, fired

    def _shares(self, worth: Numbers, given: list[Numbers], fired: list[Numbers], left: int) -> Numbers:
        """Those of the bits, from what the last neurons are worth."""
        for depth in reversed(range(len(self.floors))):
            up, down = self.up[depth], self.down[depth]
            need, fires = _needs(given[depth], self.floors[depth]), fired[depth] > 0
            can = (up + down).sum(axis=1) if depth else self.moved_by[:, left]
            each = np.where(need <= can, _rounded_up(worth, need), 0)
            on, off = np.where(fires, each, 0), np.where(fires, 0, each)
            # An input that begins to fire adds its weight; what stops a neuron is that its sum falls.
            worth = _moved(on, need, down) + _moved(off, need, up)
            if depth:
                stopping = _moved(on, need, up) + _moved(off, need, down)
                worth = np.where(fired[depth - 1] > 0, stopping, worth)
        return worth


def _needs(sums: Numbers, floors: Numbers) -> Numbers:
    """By how much sums must move for neurons to do otherwise."""
    return np.where(sums >= floors, sums - floors + 1, floors - sums)


def _rounded_up(worth: Numbers, need: Numbers) -> Numbers:
    """A quotient that is no integer is farther from the next one than it can be rounded: so much smaller
    than 2^24, or 2^53, is what is divided."""
    return -(-worth // need) if worth.dtype == object else np.ceil(worth / need)


def _moved(each: Numbers, need: Numbers, by: Numbers) -> Numbers:
    """For each input the sum over neurons of ``each`` times what it moves them by, at most ``need``."""
    neurons = np.flatnonzero((each != 0).any(axis=0))
    each, need, by = each[:, neurons], need[:, neurons], by[neurons]
    if (by <= 1).all():  # as every need is at least
        return each @ by
    return sum(
        (e[:, None] * np.minimum(b, n[:, None]) for e, b, n in zip(each.T, by, need.T, strict=True)),
        start=np.zeros((len(each), by.shape[1]), each.dtype),
    )


def places(values: Sequence[Any], size: int) -> NDArray[np.int64]:
    """Whole numbers from 0 to below ``size``.

    Raises:
        CertificateError: if they are none.
    """
    if not all(type(value) is int and 0 <= value < size for value in values):
        raise CertificateError(f"whole numbers from 0 to {size - 1} are wanted")
    return np.array(values, np.int64)


def _largest_number(weights: list[Numbers], floors: list[Numbers], offsets: Numbers, most: int) -> int:
    """No sum of magnitudes that comes up is larger.

    A need is at most the magnitudes of its neuron's weights and floor, and 1; a share at most what its
    neuron is worth, and, since it is rounded up, its need. So much at most is what an input is worth; of
    bits no more are added up than may change, of others all.
    """

    def total(numbers: Numbers) -> int:
        return sum(map(abs, numbers.ravel().tolist()))

    worth = UNIT * 2 * (max(map(total, weights[-1])) + total(offsets) + 1)
    for matrix, floor in zip(reversed(weights[:-1]), reversed(floors), strict=True):
        worth = worth + total(matrix) + total(floor) + len(floor)
        worth *= most + 1 if matrix is weights[0] else matrix.shape[1]
    return worth
