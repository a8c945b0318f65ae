"""Neurons under noise, one of each kind."""

from dataclasses import replace
from functools import partial

import pytest

from spikeproof.proofs.noisy_neurons import MARGIN, SPIKES, UNITS, kinds, noisy_kinds, of_neurons
from spikeproof.prover.claims.obligation import Outcome
from spikeproof.prover.running.discharge import discharge

QUOTIENT = UNITS[0]


def kind(neuron):
    return neuron.threshold, neuron.bias, tuple(sorted(weight for _, weight in neuron.synapses))


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_there_is_one_neuron_of_each_kind(unit):
    netlist = unit.circuit()
    found = kinds(netlist)
    assert sorted(map(kind, found.neurons)) == sorted({kind(neuron) for neuron in netlist.neurons})
    read = [source for neuron in found.neurons for source, _ in neuron.synapses]
    assert read == list(range(found.input_count))  # each input once, and no other signal
    assert len(found.outputs[SPIKES]) == len(found.neurons)


@pytest.mark.parametrize("name", ["threshold", "weight"])
def test_a_neuron_that_is_another_is_found(name):
    theorem = of_neurons(QUOTIENT, MARGIN)
    mutant = partial(with_one_other, name)
    assert discharge(replace(theorem, circuit=mutant)).outcome is Outcome.REFUTED


def with_one_other(name):
    """What the last neuron must do is moved, by a unit of its threshold or of a weight."""
    netlist = noisy_kinds(QUOTIENT, MARGIN)
    *others, must, may, decided = netlist.neurons
    if name == "threshold":
        other = replace(must, threshold=must.threshold + 1)
    else:
        (source, weight), *rest = must.synapses
        other = replace(must, synapses=((source, weight + 1), *rest))
    return replace(netlist, neurons=(*others, other, may, decided))
