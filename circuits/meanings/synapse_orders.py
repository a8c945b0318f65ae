"""A netlist's synapses in another's order, so that equal neurons have one formula.

A neuron's sum does not depend on the order of its synapses; its formula, which adds one after the other,
does. Neurons of two circuits that read the same by the same weights are one formula as soon as both read
in one order, and nothing is left to be proved of them.
"""

from __future__ import annotations

from dataclasses import replace

from pysmt.fnode import FNode
from pysmt.shortcuts import BV, BVExtract, Equals

from spikeproof.circuits.meanings.formula import input_symbols, neuron_formula
from spikeproof.circuits.netlist import Netlist


def in_order_of(netlist: Netlist, other: Netlist) -> Netlist:
    """The same circuit, each neuron reading sources that the other has too in the order of its signals.

    Sources are the same if they have one formula; what the other has not comes last, as it was.
    """
    ranks: dict[FNode, int] = {}
    for signal, formula in enumerate(_formulas(other)):
        ranks.setdefault(formula, signal)
    formulas, neurons = _given(netlist), []
    for neuron in netlist.neurons:
        order = sorted(
            neuron.synapses, key=lambda synapse: ranks.get(formulas[synapse[0]], other.signal_count)
        )
        neurons.append(replace(neuron, synapses=tuple(order)))
        formulas.append(neuron_formula(neurons[-1], [formulas[source] for source, _ in order]))
    return replace(netlist, neurons=tuple(neurons))


def _formulas(netlist: Netlist) -> list[FNode]:
    """Of every signal."""
    formulas = _given(netlist)
    for neuron in netlist.neurons:
        formulas.append(neuron_formula(neuron, [formulas[source] for source, _ in neuron.synapses]))
    return formulas


def _given(netlist: Netlist) -> list[FNode]:
    """Of the inputs."""
    symbols = input_symbols(netlist)
    return [
        Equals(BVExtract(symbols[name], index, index), BV(1, 1))
        for name, width in netlist.inputs.items()
        for index in range(width)
    ]
