"""How many bits must change, by a SAT solver: neurons and changes as cardinality constraints.

A second opinion, which knows nothing of shares; and of the search what no checker sees: that it gives up
in time, and that an image of the nearest other class is found where there is one.
"""

import numpy as np
import pytest
from pysat.card import CardEnc, EncType
from pysat.formula import IDPool
from pysat.solvers import Cadical153

from spikeproof.prover.checking.robustness import Checker
from spikeproof.prover.discovery.robustness import Searcher
from tests.support.networks import changed, decided, drawn_network

MOST = 3


class Asked:
    """Clauses that say what a network of one hidden layer, weights -1, 0 and 1, does with an image of
    which some bits are changed."""

    def __init__(self, network, image):
        self.pool, self.clauses = IDPool(), []
        self.changes = [self.pool.id(("change", bit)) for bit in range(image.size)]
        bits = [-change if on else change for change, on in zip(self.changes, image, strict=True)]
        hidden, outputs = network.layers
        floors = hidden.thresholds - hidden.bias + hidden.dynamics.strict
        self.fired = []
        for weights, floor in zip(hidden.weights.tolist(), floors.tolist(), strict=True):
            fires = self.pool.id(("fires", len(self.fired)))
            self.at_least(weights, bits, floor, fires)
            self.at_least([-weight for weight in weights], bits, 1 - floor, -fires)
            self.fired.append(fires)
        self.outputs = outputs

    def at_least(self, weights, literals, floor, condition):
        """If the condition holds, literals add up to so much."""
        signed = [
            literal if weight > 0 else -literal
            for weight, literal in zip(weights, literals, strict=True)
            for _ in range(abs(weight))
        ]
        floor += sum(max(-weight, 0) for weight in weights)
        if floor <= 0:
            return
        if floor > len(signed):
            self.clauses.append([-condition])
            return
        found = CardEnc.atleast(signed, floor, vpool=self.pool, encoding=EncType.seqcounter)
        self.clauses += [[-condition, *clause] for clause in found.clauses]

    def can_lose(self, own, most):
        """Whether a change of so many bits gives some rival the image."""
        rivals = []
        for rival in range(self.outputs.neurons):
            if rival != own:
                takes = self.pool.id(("takes", rival, own))
                weights = (self.outputs.weights[rival] - self.outputs.weights[own]).tolist()
                bias = int(self.outputs.bias[rival] - self.outputs.bias[own])
                self.at_least(weights, self.fired, (rival > own) - bias, takes)
                rivals.append(takes)
        few = CardEnc.atmost(self.changes, most, vpool=self.pool, encoding=EncType.seqcounter)
        with Cadical153(bootstrap_with=[*self.clauses, *few.clauses, rivals]) as solver:
            return solver.solve()


@pytest.mark.parametrize("seed", range(12))
def test_a_solver_finds_the_same_distance(seed):
    """On networks too large for brute force."""
    random = np.random.default_rng(seed)
    network = drawn_network(random, (40, 14, 4))
    image = random.random(40) < 0.5
    found = Searcher(network, MOST).distance(image, 60)
    if found.radius:
        assert not Asked(network, image).can_lose(found.decision, found.radius)
    assert Asked(network, image).can_lose(found.decision, found.radius + 1) or found.radius == MOST
    assert found.decision == decided(network, image)
    if found.witness:
        assert len(found.witness) == found.radius + 1
        assert decided(network, changed(image, found.witness)) != found.decision


def test_time_that_is_over_leaves_what_is_proved():
    random = np.random.default_rng(1)
    network = drawn_network(random, (12, 9, 3))
    image = random.random(12) < 0.5
    found = Searcher(network, MOST).distance(image, 0)
    assert (found.radius, found.witness, found.tree) == (0, None, ())
    record = {"class": found.decision, "radius": 0, "witness": None, "tree": ()}
    Checker(network, MOST).check(image, record)
    with pytest.raises(ValueError, match="class"):
        Checker(network, MOST).check(image, record | {"class": (found.decision + 1) % 3})
