"""Limits of spread, against every device at a corner, against the checker, and with planted faults."""

from dataclasses import replace
from fractions import Fraction
from itertools import islice, product

import numpy as np
import pytest

from spikeproof.prover.checking.network_spreads import right_within, wrong_device
from spikeproof.prover.margins.network_spread import BEYOND, Spreads
from spikeproof.specs.networks import (
    MEMORYLESS,
    Layer,
    Network,
    NetworkError,
    Readout,
    Score,
    run,
)
from spikeproof.specs.spreads import midway
from tests.support.networks import drawn_network

SLIGHTLY = Fraction(1, 1_000_000)


def drawn(seed: int, inputs: int, hidden: int, classes: int, most: int = 1) -> Network:
    return drawn_network(np.random.default_rng(seed), (inputs, hidden, classes), most)


def numbers(network: Network) -> list[np.ndarray]:
    """What can be off; those of the hidden layer twofold, since thresholds are midway."""
    hidden, outputs = network.layers
    return [2 * hidden.weights, 2 * hidden.bias, midway(hidden), outputs.weights, outputs.bias]


def cases(networks, random):
    for network in networks:
        for _ in range(6):
            given = random.integers(0, 2, network.inputs)
            label = run(network, given[np.newaxis]).decision
            yield network, given, label, Spreads(network).limit(given, label)


def corners(network: Network, spread: Fraction):
    """Every device whose numbers are all off by just a spread: in integers."""
    hidden, outputs = network.layers
    off, whole = spread.numerator, spread.denominator
    used = [np.argwhere(each) for each in numbers(network)]
    for signs in product((-1, 1), repeat=sum(map(len, used))):
        left = iter(signs)
        made = [each * whole for each in numbers(network)]
        for each, places in zip(made, used, strict=True):
            for place in map(tuple, places):
                each[place] += next(left) * off * abs(each[place]) // whole
        yield replace(
            network,
            layers=(
                replace(hidden, weights=made[0], bias=made[1], thresholds=made[2], dynamics=MEMORYLESS),
                replace(outputs, weights=made[3], bias=made[4]),
            ),
        )


def test_every_corner_is_right_below_the_limit_and_one_is_wrong_above():
    random = np.random.default_rng(0)
    met = 0
    networks = (drawn(seed, 2, 2, 2) for seed in range(100))
    few = (each for each in networks if sum(map(np.count_nonzero, numbers(each))) <= 8)
    for network, given, label, limit in cases(islice(few, 8), random):
        if limit.spread is None:
            continue
        for share in (Fraction(999, 1000), BEYOND):
            spread = limit.spread * share or 1 - Fraction(999, 1000)
            if share < 1 and not limit.spread:
                continue
            wrong = any(
                run(device, given[np.newaxis]).decision != label for device in corners(network, spread)
            )
            assert wrong == (share > 1), (limit.spread, share)
            met += 1
    assert met > 30


@pytest.mark.parametrize("most", [1, 3])
def test_the_checker_agrees_and_the_witness_is_wrong(most):
    random = np.random.default_rng(1)
    networks = (drawn(seed, 12, 20, 4, most) for seed in range(6))
    found = set()
    for network, given, label, limit in cases(networks, random):
        if limit.spread is None:
            assert right_within(network, given, label, Fraction(10**6))
            continue
        found.add(limit.spread)
        if limit.spread:
            assert right_within(network, given, label, limit.spread)
        assert not right_within(network, given, label, limit.spread + SLIGHTLY)
        witness = (given, label, limit.rival, limit.beyond, limit.spikes)
        assert wrong_device(network, *witness)
        less = limit.spread * (1 - SLIGHTLY)
        assert not less or not wrong_device(network, given, label, limit.rival, less, limit.spikes)
    assert len(found) > 10
    assert 0 in found  # a tie that the index decides


def test_no_spikes_at_all_is_a_tie_that_nothing_moves():
    hidden = Layer(np.ones((1, 1), np.int64), np.zeros(1, np.int64), np.array([1]), MEMORYLESS)
    outputs = Layer(np.array([[0], [1]]), np.zeros(2, np.int64), None, MEMORYLESS)
    network = Network((hidden, outputs), 1, Readout(Score.POTENTIAL))
    limit = Spreads(network).limit(np.zeros(1, np.int64), 0)
    assert limit.spread == 1  # then the threshold may be below 0
    assert right_within(network, [0], 0, Fraction(1))
    assert not right_within(network, [0], 1, Fraction(1))


def test_a_class_that_is_not_decided_has_no_limit():
    network = drawn(3, 12, 20, 4)
    given = np.ones(12, np.int64)
    label = run(network, given[np.newaxis]).decision
    assert Spreads(network).limit(given, (label + 1) % 4) is None


def test_of_which_networks_there_are_limits():
    network = drawn(1, 3, 3, 2)
    with pytest.raises(NetworkError, match="in one step"):
        Spreads(replace(network, steps=2))
    with pytest.raises(NetworkError, match="too large"):
        wrong_device(network, np.ones(3), 0, 1, Fraction(1, 1 << 62), np.ones(3))
    huge = replace(network.layers[0], weights=network.layers[0].weights + (1 << 25))
    with pytest.raises(NetworkError, match="2\\^24"):
        Spreads(replace(network, layers=(huge, network.layers[1])))
