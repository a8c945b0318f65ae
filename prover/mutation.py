"""Mutants: netlists with one deliberate fault. A proof that survives its mutants proves nothing."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from circuits.netlist import Netlist, NetlistError, Neuron


@dataclass(frozen=True)
class Mutant:
    """A netlist with one fault, and the fault in words."""

    fault: str
    netlist: Netlist


def with_neuron(netlist: Netlist, signal: int, neuron: Neuron) -> Netlist:
    """The netlist with the neuron that drives a signal replaced; blocks are kept while they hold."""
    neurons = list(netlist.neurons)
    neurons[signal - netlist.input_count] = neuron
    try:
        return replace(netlist, neurons=tuple(neurons))
    except NetlistError:  # a wire that now crosses the boundary of a block or cell
        return replace(netlist, neurons=tuple(neurons), blocks=(), cells=())


def stuck_at_zero(netlist: Netlist, signal: int) -> Mutant:
    """A neuron that never fires."""
    silent = Neuron((), threshold=1)
    return Mutant(f"neuron {signal} stuck at 0", with_neuron(netlist, signal, silent))


def _faulty_threshold(netlist: Netlist, signal: int, rng: random.Random) -> Mutant:
    neuron = netlist.neurons[signal - netlist.input_count]
    step = rng.choice((-1, 1))
    fault = f"neuron {signal}: threshold {neuron.threshold} moved by {step:+}"
    return Mutant(
        fault, with_neuron(netlist, signal, replace(neuron, threshold=neuron.threshold + step))
    )


def _faulty_weight(netlist: Netlist, signal: int, rng: random.Random) -> Mutant:
    neuron = netlist.neurons[signal - netlist.input_count]
    synapses = list(neuron.synapses)
    index = rng.randrange(len(synapses))
    source, weight = synapses[index]
    synapses[index] = (source, -weight)
    fault = f"neuron {signal}: weight {weight} on signal {source} negated"
    return Mutant(fault, with_neuron(netlist, signal, replace(neuron, synapses=tuple(synapses))))


def _faulty_wire(netlist: Netlist, signal: int, rng: random.Random) -> Mutant:
    neuron = netlist.neurons[signal - netlist.input_count]
    synapses = list(neuron.synapses)
    index = rng.randrange(len(synapses))
    source, weight = synapses[index]
    read = {s for s, _ in synapses}
    other = rng.choice([s for s in range(signal) if s not in read])
    synapses[index] = (other, weight)
    fault = f"neuron {signal}: reads signal {other} instead of {source}"
    return Mutant(fault, with_neuron(netlist, signal, replace(neuron, synapses=tuple(synapses))))


FAULTS: dict[str, Callable[[Netlist, int, random.Random], Mutant]] = {
    "threshold": _faulty_threshold,
    "weight": _faulty_weight,
    "wire": _faulty_wire,
}
"""Kinds of fault by name."""


def mutants(netlist: Netlist, kind: str, seed: int) -> Iterator[Mutant]:
    """An endless stream of mutants with a fault of one kind, at random neurons.

    Raises:
        KeyError: if the kind is not in ``FAULTS``.
    """
    rng = random.Random(f"{netlist.sha256} {kind} {seed}")
    faulty = FAULTS[kind]
    candidates = [
        netlist.input_count + index for index, neuron in enumerate(netlist.neurons) if neuron.synapses
    ]
    while True:
        yield faulty(netlist, rng.choice(candidates), rng)
