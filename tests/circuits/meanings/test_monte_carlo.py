"""Monte Carlo: as many errors as probability theory says, the same ones however they are simulated."""

import math

import numpy as np
import pytest

from spikeproof.circuits.meanings import monte_carlo
from spikeproof.circuits.meanings.membrane import Membrane
from spikeproof.circuits.meanings.monte_carlo import GROUP, errors
from spikeproof.circuits.netlist import Netlist, Neuron
from spikeproof.circuits.units.libraries import gate_netlist


def repeater(threshold):
    """One neuron that passes a bit on."""
    return Netlist({"a": 1}, (Neuron(((0, 2),), threshold),), {"out": (1,)})


def normal_tail(x):
    return math.erfc(x / math.sqrt(2)) / 2


@pytest.mark.parametrize(("noise", "margin"), [(0.5, 1), (1.0, 1), (2.0, 1)])
def test_a_neuron_errs_as_often_as_the_normal_distribution_says(noise, margin):
    """Both 0 and 1 lie one unit from the threshold."""
    found = errors(repeater(1), Membrane(noise=noise), samples=100_000, seed=1)
    probability = normal_tail(margin / noise)
    deviation = math.sqrt(probability * (1 - probability) / found.samples)
    assert abs(found.rate - probability) < 5 * deviation
    assert found.wrong_bits == {"out": (found.wrong,)}


def test_without_noise_nothing_errs():
    found = errors(gate_netlist("nexus", "full_adder"), Membrane(), samples=5000)
    assert (found.samples, found.wrong) == (5000, 0)
    assert found.wrong_bits == {"sum": (0,), "carry": (0,)}


def test_the_same_on_any_number_of_threads_and_in_any_order():
    netlist, membrane = gate_netlist("ionic", "full_adder"), Membrane(noise=0.3)
    alone = errors(netlist, membrane, 10_000, seed=3, threads=1)
    assert alone.wrong
    assert all(errors(netlist, membrane, 10_000, seed=3, threads=n) == alone for n in (2, 5))
    assert errors(netlist, membrane, 10_000, seed=4) != alone


def test_a_longer_run_begins_with_a_shorter_one():
    """Its samples are those of its groups, whatever else is simulated."""
    netlist, membrane = gate_netlist("ionic", "full_adder"), Membrane(noise=0.3)
    group = monte_carlo._Group(netlist, membrane, 7, monte_carlo.uniform(netlist))
    parts = [group.errors(number, GROUP) for number in (2, 0, 1)]
    parts.append(group.errors(3, 100))
    total = parts[1] + parts[2] + parts[0] + parts[3]
    assert errors(netlist, membrane, 3 * GROUP + 100, seed=7) == total


def test_inputs_can_be_chosen():
    """A neuron whose bit is far from the threshold when it is 1 errs only on 0."""
    netlist = Netlist({"a": 1}, (Neuron(((0, 1000),), 1),), {"out": (1,)})
    membrane = Membrane(noise=1.0)
    ones = errors(netlist, membrane, 5000, draw=lambda chance, count: {"a": np.ones(count, dtype=int)})
    zeros = errors(netlist, membrane, 5000, draw=lambda chance, count: {"a": np.zeros(count, dtype=int)})
    assert ones.wrong == 0
    assert abs(zeros.rate - normal_tail(1)) < 0.03


def test_what_cannot_be_sampled_is_refused():
    with pytest.raises(ValueError, match="use a membrane that is cleared"):
        errors(repeater(1), Membrane(clear=False), 10)
    with pytest.raises(ValueError, match="ask for at least 1"):
        errors(repeater(1), Membrane(), 0)
