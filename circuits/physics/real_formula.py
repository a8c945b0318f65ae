"""Formula meaning of uncertain neurons in real arithmetic: a second reading of the same description.

Every quantity is a real variable within its interval, every spike a Boolean that is so iff the sum of
its neuron is at least 0. Where ``circuits.physics.uncertainty`` argues that only the ends of sums
matter, this does not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pysmt.fnode import FNode
from pysmt.shortcuts import GE, GT, LE, LT, And, Iff, Ite, Plus, Real, Symbol
from pysmt.typing import BOOL, REAL

from spikeproof.circuits.netlist import Netlist
from spikeproof.circuits.physics.uncertainty import Interval, UncertainNeuron


def spike_symbols(netlist: Netlist) -> list[FNode]:
    """A Boolean for every signal."""
    return [Symbol(f"spike.{signal}", BOOL) for signal in range(netlist.signal_count)]


def behaviour(netlist: Netlist, neurons: Sequence[UncertainNeuron]) -> FNode:
    """What the spikes of uncertain neurons, in place of a netlist's, can be together."""
    spikes = spike_symbols(netlist)
    return And(
        part
        for signal, neuron in enumerate(neurons, start=netlist.input_count)
        for part in _neuron(signal, neuron, spikes)
    )


def _neuron(signal: int, neuron: UncertainNeuron, spikes: Sequence[FNode]) -> Iterator[FNode]:
    excess = Symbol(f"excess.{signal}", REAL)
    yield _within(excess, neuron.excess)
    terms = [excess]
    for source, interval in neuron.synapses:
        weight = Symbol(f"weight.{signal}.{source}", REAL)
        yield _within(weight, interval)
        terms.append(Ite(spikes[source], weight, Real(0)))
    yield Iff(spikes[signal], GE(Plus(terms), Real(0)))


def _within(symbol: FNode, interval: Interval) -> FNode:
    low, high = Real(interval.low), Real(interval.high)
    above = GT(symbol, low) if interval.low_open else GE(symbol, low)
    below = LT(symbol, high) if interval.high_open else LE(symbol, high)
    return And(above, below)
