"""The membrane simulation: potentials kept, leaked, reset and disturbed as the equation says."""

import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from spikeproof.circuits.meanings.membrane import GROUP, Membrane, MembraneSimulator, Reset
from spikeproof.circuits.netlist import Netlist, Neuron
from spikeproof.circuits.units.libraries import gate_netlist
from tests.support.netlists import netlists


def spikes(membrane: Membrane, weight: int, threshold: int, steps: int, seed: int = 0) -> list[int]:
    """Spikes of one neuron that is driven at every step."""
    netlist = Netlist({"a": 1}, (Neuron(((0, weight),), threshold),), {"out": (1,)})
    simulator = MembraneSimulator(netlist, membrane, seed)
    drive = torch.ones(1, 1, dtype=torch.bool)
    return [int(simulator.evaluate({"a": drive})["out"].item()) for _ in range(steps)]


def test_potential_accumulates_without_clearing():
    assert spikes(Membrane(clear=False), 1, 3, 7) == [0, 0, 1, 0, 0, 1, 0]
    assert spikes(Membrane(clear=True), 1, 3, 7) == [0] * 7


def test_soft_reset_keeps_the_excess_and_hard_reset_drops_it():
    assert spikes(Membrane(clear=False, reset=Reset.SOFT), 2, 3, 6) == [0, 1, 1, 0, 1, 1]
    assert spikes(Membrane(clear=False, reset=Reset.HARD), 2, 3, 6) == [0, 1, 0, 1, 0, 1]


def test_leak_can_keep_a_neuron_silent_for_ever():
    assert spikes(Membrane(beta=0.5, clear=False), 1, 2, 50) == [0] * 50
    assert 1 in spikes(Membrane(beta=0.75, clear=False), 1, 2, 50)


def test_noise_is_reproducible_and_makes_errors():
    netlist = gate_netlist("ionic", "and")
    silent = torch.zeros(1, 2000, dtype=torch.bool)

    def errors(noise, seed):
        simulator = MembraneSimulator(netlist, Membrane(noise=noise), seed)
        return int(simulator.evaluate({"a": ~silent, "b": silent})["out"].sum())

    assert errors(0.5, seed=1) == errors(0.5, seed=1)
    # One unit of drive, threshold 1.5: wrong with the probability of a normal deviate above 1.
    assert 250 < errors(0.5, seed=1) < 390
    assert errors(0.0, seed=1) == 0


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"beta": 1.5}, "beta is 1.5; use a number between 0 and 1"),
        ({"beta": float("nan")}, "beta is nan"),
        ({"noise": -1.0}, "noise is -1.0; use a finite"),
        ({"noise": float("inf")}, "noise is inf"),
    ],
)
def test_impossible_parameters_are_refused(parameters, message):
    with pytest.raises(ValueError, match=message):
        Membrane(**parameters)


def test_wrong_inputs_are_refused():
    simulator = MembraneSimulator(gate_netlist("ionic", "and"), Membrane(clear=False))
    bit = torch.zeros(1, 4, dtype=torch.bool)
    with pytest.raises(ValueError, match="inputs have widths"):
        simulator.evaluate({"a": bit})
    simulator.evaluate({"a": bit, "b": bit})
    with pytest.raises(ValueError, match="batch size changed"):
        simulator.evaluate({"a": bit[:, :2], "b": bit[:, :2]})


# --- against the equation -----------------------------------------------------------------------


def by_the_equation(netlist, stream, beta, reset):
    """One sample's outputs, evaluation by evaluation, in exact arithmetic; and each neuron's spikes."""
    potentials = [Fraction(0)] * len(netlist.neurons)
    counts = [0] * len(netlist.neurons)
    outputs = []
    for bits in stream:
        spikes = list(bits)
        for index, neuron in enumerate(netlist.neurons):
            drive = neuron.bias + sum(weight for source, weight in neuron.synapses if spikes[source])
            potential = beta * potentials[index] + drive
            fires = potential >= neuron.threshold
            if fires:
                potential = potential - neuron.threshold if reset is Reset.SOFT else Fraction(0)
            potentials[index] = potential
            counts[index] += fires
            spikes.append(fires)
        outputs.append([bool(spikes[signal]) for signal in netlist.outputs["out"]])
    return outputs, counts


@given(
    netlists(),
    st.sampled_from((0, Fraction(1, 4), Fraction(1, 2), 1)),
    st.sampled_from(Reset),
    st.randoms(),
)
def test_on_random_netlists_over_time(netlist, beta, reset, rng):
    """Seven samples, over eight evaluations: what is left of a potential stays dyadic, and so exact."""
    samples, steps = 7, 8
    shape = steps, netlist.input_count, samples
    given_bits = np.array([rng.random() < 0.5 for _ in range(math.prod(shape))]).reshape(shape)
    simulator = MembraneSimulator(netlist, Membrane(beta=float(beta), reset=reset, clear=False))
    found = []
    for bits in given_bits:
        buses = {name: torch.from_numpy(bits[list(bus)]) for name, bus in netlist.input_buses.items()}
        found.append(simulator.evaluate(buses)["out"].numpy())
    total = np.zeros(len(netlist.neurons), dtype=int)
    for sample in range(samples):
        outputs, counts = by_the_equation(netlist, given_bits[:, :, sample].tolist(), beta, reset)
        assert np.array_equal(np.array(found)[:, :, sample], outputs)
        total += counts
    assert simulator.spike_counts.tolist() == total.tolist()


# --- noise --------------------------------------------------------------------------------------


def bank(thresholds):
    """Neurons without synapses: noise alone makes them fire."""
    neurons = tuple(Neuron((), Fraction(threshold)) for threshold in thresholds)
    return Netlist({"a": 1}, neurons, {"out": tuple(range(1, 1 + len(neurons)))})


def test_noise_is_normal_from_the_middle_to_the_tails_in_every_neuron():
    thresholds = [Fraction(k, 4) for k in range(-12, 13)] * 3  # more than are drawn for at a time
    samples = 200_000
    simulator = MembraneSimulator(bank(thresholds), Membrane(noise=0.75), seed=2)
    simulator.evaluate({"a": torch.zeros(1, samples, dtype=torch.bool)})
    for threshold, count in zip(thresholds, simulator.spike_counts.tolist(), strict=True):
        p = math.erfc(float(threshold) / 0.75 / math.sqrt(2)) / 2
        assert abs(count - samples * p) < 5 * math.sqrt(samples * p * (1 - p)) + 5


def test_noise_of_neurons_samples_and_evaluations_is_independent():
    simulator = MembraneSimulator(bank([0] * 40), Membrane(noise=1.0), seed=4)
    quiet = {"a": torch.zeros(1, 5 * GROUP, dtype=torch.bool)}
    first, second = (simulator.evaluate(quiet)["out"].numpy().astype(float) - 0.5 for _ in range(2))
    simulator.clear()
    assert not np.array_equal(simulator.evaluate(quiet)["out"].numpy() - 0.5, first)
    bound = 6 * 0.25 / math.sqrt(5 * GROUP)
    assert abs(np.cov(np.vstack([first, second])) - np.eye(80) / 4).max() < bound
    for shift in (1, GROUP):
        shifted = (first * np.roll(first, shift, axis=1)).mean(axis=1)
        assert abs(shifted).max() < bound


@pytest.mark.parametrize("clear", [True, False])
def test_the_same_on_any_number_of_threads_and_a_larger_batch_begins_with_a_smaller_one(clear):
    netlist = gate_netlist("nexus", "full_adder")
    membrane = Membrane(noise=0.4, beta=0.5, clear=clear, threshold_spread=0.1)
    bits = np.random.default_rng(1).integers(0, 2, (3, 3 * GROUP + 100)).astype(bool)

    def run(batch, threads):
        simulator = MembraneSimulator(netlist, membrane, seed=9, threads=threads)
        rows = {name: torch.from_numpy(row[None, :batch]) for name, row in zip("abc", bits, strict=True)}
        return [simulator.evaluate(rows)["sum"].numpy() for _ in range(3)], simulator.spike_counts

    whole, counts = run(bits.shape[1], 1)
    for threads in (2, 5):
        again, same = run(bits.shape[1], threads)
        assert np.array_equal(again, whole)
        assert np.array_equal(same, counts)
    for batch in (1, GROUP, GROUP + 33):
        assert all(np.array_equal(a, b[:, :batch]) for a, b in zip(run(batch, 2)[0], whole, strict=True))


def test_counts_of_spikes_are_forgotten_with_the_potentials():
    simulator = MembraneSimulator(gate_netlist("ionic", "or"))
    ones = torch.ones(1, 70, dtype=torch.bool)
    simulator.evaluate({"a": ones, "b": ones})
    assert simulator.spike_counts.tolist() == [70]
    simulator.clear()
    assert simulator.spike_counts.tolist() == [0]
