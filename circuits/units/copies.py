"""Weights within a bound: what weighs more is read from several copies of its source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import chain

from spikeproof.circuits.netlist import Block, Bus, Netlist, Neuron, Weight
from spikeproof.circuits.units.libraries import HALF, GateLibrary


def built(gates: GateLibrary, outputs: Mapping[str, Bus], *, keep_waypoints: bool = False) -> Netlist:
    """What a library's builder builds, with no weight larger than library and structure allow."""
    netlist = gates.builder.build(outputs, keep_waypoints=keep_waypoints)
    most = gates.structure.largest_weight and (gates.largest_weight or gates.structure.largest_weight)
    return netlist if most is None else bounded(netlist, most)


def bounded(netlist: Netlist, most: int) -> Netlist:
    """A netlist of the same function in which no synapse weighs more than ``most``, or less than -most.

    A copy of a neuron is another that reads the same, so that nothing gets deeper. An input, or what has
    a probe or is on a bus of a block or cell, is copied by a neuron that reads it alone: proofs are cut
    there, and a signal that is computed beside one is another signal.
    """
    copies = _copies_needed(netlist, most)
    blocks = (*netlist.blocks, *netlist.cells)
    buses = (
        *netlist.probes.values(),
        *(bus for b in blocks for bus in (*b.inputs.values(), *b.outputs.values())),
    )
    named = set(chain.from_iterable(buses))
    made: list[Neuron] = []
    signals: dict[int, list[int]] = {}  # every copy of each signal of the netlist

    def emit(neuron: Neuron) -> int:
        made.append(neuron)
        return netlist.input_count + len(made) - 1

    for source in range(netlist.input_count):
        relays = range(1, copies.get(source, 1))
        signals[source] = [source, *(emit(_relay(source)) for _ in relays)]
    for source, neuron in enumerate(netlist.neurons, netlist.input_count):
        synapses = chain.from_iterable(
            zip(signals[s], _shares(w, most), strict=False) for s, w in neuron.synapses
        )
        # What comes last is asked first: so formulas share what is asked of earlier signals.
        same = replace(neuron, synapses=tuple(sorted(synapses, reverse=True)))
        first = emit(same)
        again = _relay(first) if source in named else same
        signals[source] = [first, *(emit(again) for _ in range(1, copies.get(source, 1)))]

    def renamed(buses: Mapping[str, Bus]) -> dict[str, Bus]:
        return {name: tuple(s if s < 0 else signals[s][0] for s in bus) for name, bus in buses.items()}

    def renamed_all(blocks: tuple[Block, ...]) -> tuple[Block, ...]:
        return tuple(Block(b.name, b.kind, renamed(b.inputs), renamed(b.outputs)) for b in blocks)

    return replace(
        netlist,
        neurons=tuple(made),
        outputs=renamed(netlist.outputs),
        probes=renamed(netlist.probes),
        blocks=renamed_all(netlist.blocks),
        cells=renamed_all(netlist.cells),
    )


def _copies_needed(netlist: Netlist, most: int) -> dict[int, int]:
    """Of each signal that is read with too large a weight, how many copies its heaviest reader needs."""
    needed: dict[int, int] = {}
    for neuron in netlist.neurons:
        for source, weight in neuron.synapses:
            if not -most <= weight <= most:
                needed[source] = max(needed.get(source, 1), len(_shares(weight, most)))
    return needed


def _shares(weight: Weight, most: int) -> list[Weight]:
    """Weights of at most so much that together are the one given."""
    if -most <= weight <= most:
        return [weight]
    sign = 1 if weight > 0 else -1
    full = int(sign * weight // most)
    rest = weight - sign * full * most
    return [sign * most] * full + ([rest] if rest else [])


def _relay(source: int) -> Neuron:
    return Neuron(((source, 1),), HALF)
