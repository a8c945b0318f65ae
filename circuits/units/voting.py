"""Majority voting: every neuron several times over, and one that decides by what most of them do."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from spikeproof.circuits.netlist import Netlist, NetlistError, Neuron, Weight


def require_copies(copies: int) -> None:
    """Refuse numbers of copies among which there may be no majority.

    Raises:
        NetlistError: if the number is not odd and positive.
    """
    if copies < 1 or copies % 2 == 0:
        raise NetlistError(f"{copies} copies have no majority in every case; use an odd number of them")


def voted_netlist(netlist: Netlist, copies: int, weight: Weight = 1) -> Netlist:
    """The netlist with copies of each neuron, and after them the one that votes.

    Copies read what was voted on before them. A single copy needs no vote.

    Args:
        weight: of the voters' synapses; the larger, the less a voter is disturbed by noise.

    Raises:
        NetlistError: if the number of copies is not odd and positive.
    """
    require_copies(copies)
    if copies == 1:
        return netlist
    inputs, group = netlist.input_count, copies + 1

    def voted(signal: int) -> int:
        return signal if signal < inputs else inputs + group * (signal - inputs) + copies

    made: list[Neuron] = []
    for neuron in netlist.neurons:
        first = inputs + len(made)
        synapses = tuple((voted(source), each) for source, each in neuron.synapses)
        ballots = tuple((copy, weight) for copy in range(first, first + copies))
        voter = Neuron(ballots, weight * Fraction(copies, 2))
        made += [*[replace(neuron, synapses=synapses)] * copies, voter]
    outputs = {name: tuple(map(voted, bus)) for name, bus in netlist.outputs.items()}
    return Netlist(netlist.inputs, tuple(made), outputs)
