"""One or two changed spikes, by tables of what neurons make of them: what brute force says, no more."""

from fractions import Fraction
from itertools import combinations, permutations

import numpy as np
import pytest

from spikeproof.prover.checking.robustness import CertificateError
from spikeproof.prover.checking.scenarios import Scenarios
from spikeproof.prover.discovery.changed_spikes import SpikeSearcher
from spikeproof.specs.networks import (
    EVENTS,
    AfterSpike,
    Dynamics,
    Layer,
    Network,
    run,
)
from tests.support.networks import POTENTIALS

ORDERS = tuple(permutations(EVENTS))
LEAKS = tuple(map(Fraction, ("0", "1", "1/2", "7/8", "9/10", "997/1009")))


def drawn(random, steps, sizes, leak=None, reset=None, largest=3):
    """A network of two layers, read by potentials."""
    inputs, neurons, classes = sizes

    def dynamics():
        return Dynamics(
            leak if leak is not None else LEAKS[random.integers(len(LEAKS))],
            reset or random.choice([*AfterSpike]),
            ORDERS[random.integers(len(ORDERS))],
            bool(random.integers(2)),
        )

    hidden = Layer(
        random.integers(-largest, largest + 1, (neurons, inputs)),
        random.integers(-1, 2, neurons),
        random.integers(-1, 2 * largest, neurons),
        dynamics(),
    )
    weights = random.integers(-largest, largest + 1, (classes, neurons))
    outputs = Layer(weights, random.integers(-2, 3, classes), None, dynamics())
    return Network((hidden, outputs), steps, POTENTIALS)


def with_changes(image, spikes):
    image = image.astype(int)
    image.flat[list(spikes)] ^= 1
    return image


def decided(network, image, spikes=()):
    return run(network, with_changes(image, spikes)).decision


def radius_of(network, image, most=2):
    """By the definition of record, of all sets of so many spikes and fewer."""
    own = decided(network, image)
    for size in range(1, most + 1):
        if any(decided(network, image, s) != own for s in combinations(range(image.size), size)):
            return size - 1
    return most


def accepted(network, image, radius):
    record = {"class": decided(network, image), "radius": radius, "witness": None, "tree": []}
    try:
        Scenarios(network, 2).check(image, record)
    except CertificateError as error:
        return "changes the class" not in str(error)
    return True


def cases(seed, count, sizes=(4, 4, 3), steps=(2, 5), **kind):
    """Networks and images that two changed spikes or fewer may or may not change."""
    random = np.random.default_rng(seed)
    for _ in range(count):
        network = drawn(random, int(random.integers(*steps)), sizes, **kind)
        yield network, random.random((network.steps, network.inputs)) < random.choice([0.2, 0.5])


def require_agreement(found):
    seen = set()
    for network, image in found:
        radius = radius_of(network, image)
        seen.add(radius)
        assert [accepted(network, image, each) for each in (0, 1, 2)] == [
            each <= radius for each in (0, 1, 2)
        ]
        distance = SpikeSearcher(network, 2).distance(image, 60)
        assert distance.radius == radius
        assert (distance.witness is None) == (radius == 2)
        if distance.witness is not None:
            assert len(distance.witness) == radius + 1
            assert decided(network, image, distance.witness) != distance.decision
    return seen


@pytest.mark.parametrize("seed", range(12))
def test_what_is_accepted_is_what_brute_force_says(seed):
    """Whatever the order of events, reset and leak of either layer; the search finds the same."""
    require_agreement(cases(seed, 12))


def test_all_distances_occur():
    assert require_agreement(cases(100, 40, largest=2, leak=Fraction(3, 4))) == {0, 1, 2}
