"""Mutants: netlists with one deliberate fault. A proof that survives its mutants proves nothing."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice

from spikeproof.circuits.netlist import Block, Bus, Netlist, NetlistError, Neuron


@dataclass(frozen=True)
class Mutant:
    """A netlist with one fault, and the fault in words."""

    fault: str
    netlist: Netlist


def with_neuron(netlist: Netlist, signal: int, neuron: Neuron) -> Netlist:
    """The netlist with the neuron that drives a signal replaced; blocks are kept while they hold."""
    neurons = list(netlist.neurons)
    neurons[signal - netlist.input_count] = neuron
    return _with(netlist, neurons, netlist.outputs)


def _with(netlist: Netlist, neurons: list[Neuron], outputs: Mapping[str, Bus]) -> Netlist:
    try:
        return replace(netlist, neurons=tuple(neurons), outputs=outputs)
    except NetlistError:  # a wire that now crosses the boundary of a block or cell
        return replace(netlist, neurons=tuple(neurons), outputs=outputs, blocks=(), cells=())


def stuck_at_zero(netlist: Netlist, signal: int) -> Mutant:
    """A neuron that never fires."""
    silent = Neuron((), threshold=1)
    return Mutant(f"neuron {signal} stuck at 0", with_neuron(netlist, signal, silent))


def _neurons(netlist: Netlist) -> list[int]:
    """The signals of the neurons that read any."""
    return [
        netlist.input_count + index for index, neuron in enumerate(netlist.neurons) if neuron.synapses
    ]


def _faulty_threshold(netlist: Netlist, rng: random.Random) -> Mutant:
    signal = rng.choice(_neurons(netlist))
    neuron = netlist.neurons[signal - netlist.input_count]
    step = rng.choice((-1, 1))
    fault = f"neuron {signal}: threshold {neuron.threshold} moved by {step:+}"
    return Mutant(
        fault, with_neuron(netlist, signal, replace(neuron, threshold=neuron.threshold + step))
    )


def _faulty_weight(netlist: Netlist, rng: random.Random) -> Mutant:
    signal = rng.choice(_neurons(netlist))
    neuron = netlist.neurons[signal - netlist.input_count]
    synapses = list(neuron.synapses)
    index = rng.randrange(len(synapses))
    source, weight = synapses[index]
    synapses[index] = (source, -weight)
    fault = f"neuron {signal}: weight {weight} on signal {source} negated"
    return Mutant(fault, with_neuron(netlist, signal, replace(neuron, synapses=tuple(synapses))))


def _faulty_wire(netlist: Netlist, rng: random.Random) -> Mutant:
    neurons = {signal: netlist.neurons[signal - netlist.input_count] for signal in _neurons(netlist)}
    signal = rng.choice([s for s, neuron in neurons.items() if len(neuron.synapses) < s])
    neuron = neurons[signal]
    synapses = list(neuron.synapses)
    index = rng.randrange(len(synapses))
    source, weight = synapses[index]
    read = {s for s, _ in synapses}
    other = rng.choice([s for s in range(signal) if s not in read])
    synapses[index] = (other, weight)
    fault = f"neuron {signal}: reads signal {other} instead of {source}"
    return Mutant(fault, with_neuron(netlist, signal, replace(neuron, synapses=tuple(synapses))))


# --- constants ----------------------------------------------------------------------------------


def stuck_at_one(netlist: Netlist, signal: int) -> Mutant:
    """A neuron that always fires."""
    return Mutant(f"neuron {signal} stuck at 1", with_neuron(netlist, signal, Neuron((), threshold=0)))


def _biased(netlist: Netlist, signal: int, step: int) -> Mutant:
    neuron = netlist.neurons[signal - netlist.input_count]
    fault = f"neuron {signal}: bias {neuron.bias} moved by {step:+}"
    return Mutant(fault, with_neuron(netlist, signal, replace(neuron, bias=neuron.bias + step)))


def _tied(netlist: Netlist, signal: int, rng: random.Random) -> Mutant:
    """One synapse that reads a constant instead of its signal."""
    neuron = netlist.neurons[signal - netlist.input_count]
    if not neuron.synapses:
        return _biased(netlist, signal, rng.choice((-1, 1)))
    source, weight = rng.choice(neuron.synapses)
    constant = rng.randrange(2)
    kept = tuple(synapse for synapse in neuron.synapses if synapse[0] != source)
    tied = Neuron(kept, neuron.threshold, neuron.bias + constant * weight)
    fault = f"neuron {signal}: reads the constant {constant} instead of signal {source}"
    return Mutant(fault, with_neuron(netlist, signal, tied))


def _faulty_constant(netlist: Netlist, rng: random.Random) -> Mutant:
    """A bias moved, a neuron stuck, or a synapse tied to a constant."""
    biased = [s for s in _all_neurons(netlist) if netlist.neurons[s - netlist.input_count].bias]
    if biased and rng.random() < 0.25:
        return _biased(netlist, rng.choice(biased), rng.choice((-1, 1)))
    signal = rng.choice(_all_neurons(netlist))
    kinds = (stuck_at_zero, stuck_at_one, lambda n, s: _tied(n, s, rng))
    return rng.choice(kinds)(netlist, signal)


def _all_neurons(netlist: Netlist) -> range:
    return range(netlist.input_count, netlist.signal_count)


# --- blocks -------------------------------------------------------------------------------------


def _faulty_block(netlist: Netlist, rng: random.Random) -> Mutant:
    """A block or cell with two bits of a bus, or two of its operands, exchanged, or a bus shifted.

    What it reads is exchanged for its own neurons, what it gives for all others and the outputs.
    """
    # A multiplier has far more cells than blocks; either is as likely.
    block = rng.choice(rng.choice([group for group in (netlist.blocks, netlist.cells) if group]))
    side = rng.choice(("inputs", "outputs"))
    buses = {
        name: [signal for signal in bus if signal >= 0]
        for name, bus in (block.inputs if side == "inputs" else block.outputs).items()
    }
    what, exchanged = rng.choice(list(_exchanges(buses, rng)))
    inner = _inside(netlist, block)
    readers = inner if side == "inputs" else set(_all_neurons(netlist)) - inner
    fault = f"block {block.name} ({block.kind}), {side}: {what}"
    return Mutant(fault, _rewired(netlist, exchanged, readers, outputs=side == "outputs"))


def _exchanges(
    buses: Mapping[str, list[int]], rng: random.Random
) -> Iterator[tuple[str, dict[int, int]]]:
    """Ways to mix up a block's buses: in words, and which signal is read instead of which."""
    signals = [(f"{name}[{place}]", s) for name, bus in buses.items() for place, s in enumerate(bus)]
    if len({s for _, s in signals}) > 1:
        (first, a), (second, b) = rng.sample(signals, 2)
        yield f"{first} and {second} exchanged", {a: b, b: a}
    for name, bus in buses.items():
        if len(bus) > 1:
            moved = dict(zip(bus, (*bus[1:], bus[0]), strict=True))
            yield f"{name} shifted by one place", moved
    if len(buses) > 1:
        (first, p), (second, q) = rng.sample(list(buses.items()), 2)
        pairs = list(zip(p, q, strict=False))
        yield f"{first} and {second} exchanged", {**dict(pairs), **{b: a for a, b in pairs}}


def _inside(netlist: Netlist, block: Block) -> set[int]:
    """The neurons on the way from a block's inputs to its outputs."""
    boundary = {signal for bus in block.inputs.values() for signal in bus}
    inner: set[int] = set()
    pending = [signal for bus in block.outputs.values() for signal in bus]
    while pending:
        signal = pending.pop()
        if signal < netlist.input_count or signal in boundary or signal in inner:
            continue
        inner.add(signal)
        pending.extend(source for source, _ in netlist.neurons[signal - netlist.input_count].synapses)
    return inner


def _rewired(
    netlist: Netlist, instead: Mapping[int, int], readers: Collection[int], *, outputs: bool
) -> Netlist:
    """The netlist in which readers, and perhaps the outputs, read some signals instead of others.

    Neurons that come before one of these signals are left as they are.
    """
    last = max(instead, default=0)
    neurons = list(netlist.neurons)
    for signal in readers:
        if signal > last:
            neuron = netlist.neurons[signal - netlist.input_count]
            sources = tuple((instead.get(s, s), w) for s, w in neuron.synapses)
            if len(dict(sources)) == len(sources):
                neurons[signal - netlist.input_count] = replace(neuron, synapses=sources)
    buses = {
        name: tuple(instead.get(s, s) for s in bus) if outputs else bus
        for name, bus in netlist.outputs.items()
    }
    return _with(netlist, neurons, buses)


# --- all kinds ----------------------------------------------------------------------------------

FAULTS: dict[str, Callable[[Netlist, random.Random], Mutant]] = {
    "threshold": _faulty_threshold,
    "weight": _faulty_weight,
    "wire": _faulty_wire,
    "block": _faulty_block,
    "constant": _faulty_constant,
}
"""Kinds of fault by name. Each raises IndexError where nothing can be faulty at the place it chose."""

_PATIENCE = 200
"""How often in a row no new mutant is drawn before there are held to be no more."""


def mutants(netlist: Netlist, kind: str, seed: int) -> Iterator[Mutant]:
    """Mutants with a fault of one kind, at random places: each once, until few are left.

    Raises:
        KeyError: if the kind is not in ``FAULTS``.
    """
    rng = random.Random(f"{netlist.sha256} {kind} {seed}")
    faulty = FAULTS[kind]
    seen: set[str] = set()
    misses = 0
    while misses < _PATIENCE:
        misses += 1
        try:
            mutant = faulty(netlist, rng)
        except IndexError:
            continue
        if mutant.fault not in seen and _is_changed(mutant.netlist, netlist):
            seen.add(mutant.fault)
            misses = 0
            yield mutant


def _is_changed(mutant: Netlist, netlist: Netlist) -> bool:
    """Whether it computes with other neurons, with synapses in any order, or has other outputs."""
    if mutant.outputs != netlist.outputs or len(mutant.neurons) != len(netlist.neurons):
        return True
    pairs = zip(mutant.neurons, netlist.neurons, strict=True)
    return any(a is not b and _wiring(a) != _wiring(b) for a, b in pairs)


def _wiring(neuron: Neuron) -> tuple[Hashable, ...]:
    return neuron.threshold, neuron.bias, frozenset(neuron.synapses)


def sample(netlist: Netlist, count: int, seed: int) -> list[tuple[str, Mutant]]:
    """So many mutants, or all there are, spread evenly over the kinds of fault; each with its kind."""
    streams = {kind: mutants(netlist, kind, seed) for kind in FAULTS}
    found: list[tuple[str, Mutant]] = []
    while streams and len(found) < count:
        for kind, stream in list(streams.items()):
            drawn = list(islice(stream, 1))
            found += ((kind, mutant) for mutant in drawn)
            if not drawn:
                del streams[kind]
    return found[:count]
