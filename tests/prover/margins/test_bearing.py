"""What neurons bear, against all their inputs tried one by one, and against exact limits of gates."""

import random
from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given

from spikeproof.circuits.netlist import Netlist, Neuron
from spikeproof.circuits.physics.uncertainty import Interval, Tolerance, UncertainNeuron, drive
from spikeproof.circuits.units.libraries import GATE_INPUTS, LIBRARIES, gate_netlist
from spikeproof.prover.margins import bearing as bearing_of_neurons
from spikeproof.prover.margins.bearing import bearing, neuron_bearing
from spikeproof.prover.margins.limits import CEILING, NOISE, WEIGHT, Limit, both_ways
from tests.support.netlists import netlists

HALF = Fraction(1, 2)


def is_right(neuron, tolerance):
    """Whether it does what it does without perturbation, on every input of its own."""
    synapses = tuple((place, weight) for place, (_, weight) in enumerate(neuron.synapses))
    local = Neuron(synapses, neuron.threshold, neuron.bias)
    uncertain = UncertainNeuron.of(local, tolerance)
    return all(
        uncertain.outcomes(bits) == (drive(local, bits) >= local.threshold,)
        for bits in product((False, True), repeat=len(synapses))
    )


@given(netlists())
def test_limits_are_exact(netlist):
    for neuron in netlist.neurons:
        found = neuron_bearing(neuron)
        spread = found.spread
        if spread.bounded and (spread.value or spread.attained):
            within = both_ways(spread.value, not spread.attained)
            assert is_right(neuron, Tolerance(weight=within))
            assert not is_right(neuron, Tolerance(weight=both_ways(spread.beyond or Fraction(1, 10**6))))
        if found.below < CEILING:
            assert is_right(neuron, Tolerance(noise=Interval(-found.below, Fraction(0))))
            beyond = Interval(-found.below - Fraction(1, 1000), Fraction(0))
            assert not is_right(neuron, Tolerance(noise=beyond))
        if found.above < CEILING:
            upward = Interval(Fraction(0), found.above, high_open=True)
            assert is_right(neuron, Tolerance(noise=upward))
            assert not is_right(neuron, Tolerance(noise=Interval(Fraction(0), found.above)))


@pytest.mark.parametrize(
    ("library", "gate"), [(library, gate) for library in LIBRARIES for gate in GATE_INPUTS]
)
def test_a_gate_bears_at_least_what_its_neurons_bear(library, gate):
    netlist = gate_netlist(library, gate)
    found = bearing(netlist)
    assert found.noise == Interval(-HALF, HALF, high_open=True) == NOISE.limits(netlist).interval
    assert found.spread.value <= WEIGHT.limits(netlist).up.value
    if len(netlist.neurons) == 1:
        assert found.spread == WEIGHT.limits(netlist).up


def test_by_hand():
    """[a + 4 b - 2 c >= 5/2]: b and c lack 1/2 of 6 together, and are the first to err."""
    neuron = Neuron(((0, 1), (1, 4), (2, -2)), Fraction(5, 2))
    found = neuron_bearing(neuron)
    assert (found.below, found.above) == (HALF, HALF)
    assert (found.spread.value, found.spread.attained) == (Fraction(1, 14), True)


def test_a_circuit_without_neurons_bears_everything():
    found = bearing(Netlist({"a": 1}, (), {"out": (0,)}))
    assert (found.below, found.above, found.spread.bounded) == (CEILING, CEILING, False)


def test_weights_as_large_as_numbers():
    """[1 a + 2 b + 4 c + ... >= 2^99 - 1/2]: the last alone has 1/2 more, all others as much less."""
    weights = [1 << k for k in range(100)]
    found = neuron_bearing(Neuron(tuple(enumerate(weights)), Fraction(1 << 99) - HALF))
    assert (found.below, found.above) == (HALF, HALF)
    assert found.spread == Limit(Fraction(1, 1 << 100))


def test_neurons_of_which_too_many_sums_would_be_looked_at_bear_no_less(monkeypatch):
    draw = random.Random(4)
    for _ in range(100):
        weights = [draw.choice([-6, -4, -2, 2, 4, 6, 8]) for _ in range(draw.randrange(1, 8))]
        neuron = Neuron(tuple(enumerate(weights)), Fraction(draw.randrange(-40, 60), 4))
        exact = neuron_bearing(neuron)
        with monkeypatch.context() as few:
            few.setattr(bearing_of_neurons, "MOST_SUMS", draw.randrange(2))
            bound = neuron_bearing(neuron)
        assert bound.below <= exact.below
        assert bound.above <= exact.above
        assert order(bound.spread) <= order(exact.spread)


def order(limit):
    return limit.value, limit.attained
