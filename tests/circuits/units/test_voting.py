"""Voted netlists: copies of every neuron, and who decides."""

import numpy as np
import pytest

from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.netlist import NetlistError
from spikeproof.circuits.units.libraries import LIBRARIES, gate_netlist
from spikeproof.circuits.units.voting import voted_netlist
from tests.support.netlists import all_inputs


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("copies", [3, 5])
def test_voting_changes_no_result(library, copies):
    netlist = gate_netlist(library, "full_adder")
    voted = voted_netlist(netlist, copies)
    assert len(voted.neurons) == (copies + 1) * len(netlist.neurons)
    inputs = all_inputs(netlist)
    found, meant = boolean.evaluate(voted, inputs), boolean.evaluate(netlist, inputs)
    assert all(np.array_equal(found[name], meant[name]) for name in meant)


def test_one_copy_is_the_circuit_itself():
    netlist = gate_netlist("ionic", "xor")
    assert voted_netlist(netlist, 1) == netlist


@pytest.mark.parametrize("copies", [0, -1, 2])
def test_numbers_without_a_majority_are_refused(copies):
    with pytest.raises(NetlistError, match="use an odd number"):
        voted_netlist(gate_netlist("ionic", "and"), copies)
