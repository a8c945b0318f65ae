"""The membrane simulation: potentials kept, leaked, reset and disturbed as the equation says."""

import pytest
import torch

from circuits.libraries import gate_netlist
from circuits.membrane import Membrane, MembraneSimulator, Reset
from circuits.netlist import Netlist, Neuron


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
