"""Neurons and netlists: the one representation from which every meaning of a circuit derives.

A *signal* is an integer: the input bits come first, in the order of the input buses, then one signal
for each neuron. A *bus* is a tuple of signals, least significant bit first.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Container, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from operator import itemgetter
from typing import Any

Weight = int | Fraction
Bus = tuple[int, ...]

UNUSED = -1
"""In a block's or probe's bus: a position that nothing in the circuit reads."""
ZERO = -2
"""The constant 0: in a bus while building, and in a block's or probe's bus ever after."""
ONE = -3
"""The constant 1, likewise. Where an output is constant, a neuron without synapses drives it."""
CONSTANTS = (ZERO, ONE)


NAME = re.compile(r"[A-Za-z0-9_.]+")
"""What a bus may be called: names that every solver keeps apart."""


LONGEST_MESSAGE = 600
"""Letters."""


def one_line(text: str) -> str:
    """A message as one line that can be printed: it may tell of names that somebody else chose.

    What is longer than ``LONGEST_MESSAGE`` has its middle left out.
    """
    line = "".join(letter if letter.isprintable() else " " for letter in text.strip())
    if len(line) <= LONGEST_MESSAGE:
        return line
    return f"{line[: LONGEST_MESSAGE // 2]} ... {line[5 - LONGEST_MESSAGE // 2 :]}"


class OneLineError(Exception):
    """An error whose message is what ``one_line`` makes of it."""

    def __init__(self, message: str) -> None:
        super().__init__(one_line(message))


class NetlistError(OneLineError, ValueError):
    """A netlist that is not well formed; the message names the neuron or bus and the remedy."""


_NUMBER = re.compile(r"[+-]?(\d+/\d+|(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?)", re.ASCII)


def exact_weight(value: object, what: str) -> Weight:
    """A weight, threshold or bias as an exact number: integers as ``int``, others as ``Fraction``.

    Raises:
        NetlistError: if the value is not a finite number.
    """
    if isinstance(value, float) and not math.isfinite(value):
        raise NetlistError(f"{what} is {value}; use a finite number")
    if isinstance(value, bool) or not isinstance(value, int | float | str | Fraction):
        raise NetlistError(f"{what} is {value!r}; use an integer, a decimal or a fraction such as '3/2'")
    if isinstance(value, str) and not (len(value) <= 100 and _NUMBER.fullmatch(value)):
        shown = value if len(value) <= 20 else value[:20] + "..."
        raise NetlistError(
            f"{what} is {shown!r}; use a finite integer, a decimal such as 0.25 or 1e-3, or a fraction "
            "such as '3/2', of at most 100 characters, 3 of them in the exponent"
        )
    try:
        exact = Fraction(value)
    except ZeroDivisionError:
        raise NetlistError(f"{what} is {value!r}; divide by another number than 0") from None
    return exact.numerator if exact.denominator == 1 else exact


def scaled(number: Weight, scale: int) -> int:
    """A number times a multiple of its denominator."""
    return number.numerator * (scale // number.denominator)


@dataclass(frozen=True, slots=True)
class Neuron:
    """Fires iff the sum of the weights of its firing inputs, plus the bias, reaches the threshold.

    Attributes:
        synapses: (signal, weight) pairs, each signal at most once, no weight zero.
        threshold: in the units of the weights.
        bias: a constant drive, in the same units.
    """

    synapses: tuple[tuple[int, Weight], ...]
    threshold: Weight
    bias: Weight = 0

    @property
    def in_integers(self) -> tuple[int, int, list[int]]:
        """Threshold, bias and weights, all times their common denominator."""
        threshold, bias, weights = self.threshold, self.bias, [weight for _, weight in self.synapses]
        whole = {int}.issuperset(map(type, weights))
        divided = [threshold, bias, *(() if whole else weights)]
        scale = math.lcm(*(number.denominator for number in divided))
        multiples = [w.numerator * scale if whole else scaled(w, scale) for w in weights]
        return scaled(threshold, scale), scaled(bias, scale), multiples

    @property
    def canonical(self) -> str:
        """The neuron as JSON, keys in order and without spaces."""
        synapses = ",".join([f'[{source},"{weight}"]' for source, weight in self.synapses])
        return f'{{"bias":"{self.bias}","synapses":[{synapses}],"threshold":"{self.threshold}"}}'


@dataclass(frozen=True)
class Block:
    """A sub-netlist with a name: its output buses are functions of its input buses alone.

    ``kind`` says which integer function it is meant to be (a key of ``circuits.units.integer.BLOCKS``).
    """

    name: str
    kind: str
    inputs: Mapping[str, Bus]
    outputs: Mapping[str, Bus]

    def serialise(self) -> dict[str, Any]:
        """The block as JSON-ready data."""
        return {
            "name": self.name,
            "kind": self.kind,
            "inputs": {name: list(bus) for name, bus in self.inputs.items()},
            "outputs": {name: list(bus) for name, bus in self.outputs.items()},
        }


@dataclass(frozen=True)
class Statistics:
    """Size of a netlist. ``depth`` counts the neurons on the longest path from input to output."""

    neurons: int
    synapses: int
    largest_fan_in: int
    depth: int


@dataclass(frozen=True)
class Netlist:
    """An acyclic list of neurons: each reads inputs and earlier neurons only.

    Attributes:
        inputs: width of each input bus, in order.
        neurons: in topological order.
        outputs: the output buses.
        probes: named signals along the datapath, for diagnosis.
        blocks: named sub-netlists, in the order they were built.
        cells: the partial products, adders and rows of multipliers, dividers and roots, likewise. They
            carry the algebra by which these are proved: see ``docs/netlists.md``.
        notes: how it came about and what was assumed then, a line each; no part of its SHA-256.

    Raises:
        NetlistError: on construction, if it is not well formed.
    """

    inputs: Mapping[str, int]
    neurons: tuple[Neuron, ...]
    outputs: Mapping[str, Bus]
    probes: Mapping[str, Bus] = field(default_factory=dict)
    blocks: tuple[Block, ...] = ()
    cells: tuple[Block, ...] = ()
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _validate(self)

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash(self.sha256)

    @cached_property
    def input_count(self) -> int:
        """Number of input bits; the first neuron has this signal."""
        return sum(self.inputs.values())

    @property
    def signal_count(self) -> int:
        """Number of input bits and neurons together."""
        return self.input_count + len(self.neurons)

    @cached_property
    def input_buses(self) -> dict[str, Bus]:
        """The signals of each input bus."""
        buses, first = {}, 0
        for name, width in self.inputs.items():
            buses[name] = tuple(range(first, first + width))
            first += width
        return buses

    @property
    def output_widths(self) -> dict[str, int]:
        """Width of each output bus, in order; those of input buses are ``inputs``."""
        return {name: len(bus) for name, bus in self.outputs.items()}

    @cached_property
    def levels(self) -> list[int]:
        """For each signal the neurons on the longest path to it: 0 for inputs."""
        levels = [0] * self.input_count
        for neuron in self.neurons:
            levels.append(1 + max([levels[source] for source, _ in neuron.synapses], default=0))
        return levels

    @cached_property
    def statistics(self) -> Statistics:
        """Size and depth."""
        fan_ins = [len(neuron.synapses) for neuron in self.neurons]
        return Statistics(
            neurons=len(self.neurons),
            synapses=sum(fan_ins),
            largest_fan_in=max(fan_ins, default=0),
            depth=max((self.levels[s] for bus in self.outputs.values() for s in bus), default=0),
        )

    def serialise(self) -> dict[str, Any]:
        """The netlist as JSON-ready data: canonical, numbers as exact strings. See ``doors.json``."""
        neurons = [
            {
                "synapses": [[source, str(weight)] for source, weight in neuron.synapses],
                "threshold": str(neuron.threshold),
                "bias": str(neuron.bias),
            }
            for neuron in self.neurons
        ]
        return self._with_neurons(neurons)

    def _with_neurons(self, neurons: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            "schema": "spikeproof-netlist-1",
            "inputs": list(map(list, self.inputs.items())),
            "neurons": neurons,
            "outputs": {name: list(bus) for name, bus in self.outputs.items()},
            "probes": {name: list(bus) for name, bus in self.probes.items()},
            "blocks": [block.serialise() for block in self.blocks],
            "cells": [cell.serialise() for cell in self.cells],
            **({"notes": list(self.notes)} if self.notes else {}),
        }

    @property
    def sha256(self) -> str:
        """SHA-256 of the canonical serialisation without notes, in hexadecimal.

        That is JSON with its keys in order and without spaces; the neurons, which are most of it, are
        written at once.
        """
        parts = {
            key: json.dumps(value, sort_keys=True, separators=(",", ":"))
            for key, value in self._with_neurons([]).items()
            if key != "notes"
        }
        parts["neurons"] = f"[{','.join([neuron.canonical for neuron in self.neurons])}]"
        text = ",".join(f'"{key}":{parts[key]}' for key in sorted(parts))
        return hashlib.sha256(f"{{{text}}}".encode()).hexdigest()


# --- validation ---------------------------------------------------------------------------------


def _validate(netlist: Netlist) -> None:
    if not netlist.inputs:
        raise NetlistError("the netlist has no inputs; declare at least one input bus")
    for name, width in netlist.inputs.items():
        if isinstance(width, bool) or not isinstance(width, int) or width < 1:
            raise NetlistError(f"input {name!r} has width {width!r}; use a positive integer")
    for name in (*netlist.inputs, *netlist.outputs):
        if not isinstance(name, str) or not NAME.fullmatch(name):
            raise NetlistError(f"{name!r} is no name for a bus; use letters, digits, '_' and '.'")
    for index, neuron in enumerate(netlist.neurons):
        signal = netlist.input_count + index
        if not _is_well_formed(signal, neuron):
            _validate_neuron(netlist, signal, neuron)
    if not netlist.outputs:
        raise NetlistError("the netlist has no outputs; name at least one output bus")
    for name, bus in netlist.outputs.items():
        _validate_bus(netlist, f"output {name!r}", bus, annotation=False)
    for name, bus in netlist.probes.items():
        _validate_bus(netlist, f"probe {name!r}", bus, annotation=True)
    for block in (*netlist.blocks, *netlist.cells):
        _validate_block(netlist, block)
    for note in netlist.notes:
        if not isinstance(note, str) or not note.isprintable():
            raise NetlistError(f"{note!r} is no note; write one line of text")


def _is_well_formed(signal: int, neuron: Neuron) -> bool:
    """Whether it is at a glance: ``_validate_neuron`` goes through any other, and says what is wrong."""
    sources = [source for source, _ in neuron.synapses]
    weights = [weight for _, weight in neuron.synapses]
    return (
        {int}.issuperset(map(type, sources))
        and {int, Fraction}.issuperset(map(type, (neuron.threshold, neuron.bias, *weights)))
        and all(weights)
        and len(set(sources)) == len(sources)
        and min(sources, default=0) >= 0
        and max(sources, default=0) < signal
    )


def _validate_neuron(netlist: Netlist, signal: int, neuron: Neuron) -> None:
    what = f"neuron {signal}"
    _require_exact(neuron.threshold, f"threshold of {what}")
    _require_exact(neuron.bias, f"bias of {what}")
    seen = set()
    for source, weight in neuron.synapses:
        _require_signal(netlist, f"{what} reads", source)
        if source >= signal:
            raise NetlistError(
                f"cyclic: {what} reads signal {source}, which is not before it; "
                "list neurons in topological order"
            )
        if source in seen:
            raise NetlistError(f"{what} reads signal {source} twice; add the two weights")
        _require_exact(weight, f"weight of {what} on signal {source}")
        if weight == 0:
            raise NetlistError(f"{what} reads signal {source} with weight 0; leave the synapse out")
        seen.add(source)


def _require_signal(netlist: Netlist, what: str, signal: object) -> None:
    if isinstance(signal, bool) or not isinstance(signal, int):
        raise NetlistError(f"{what} signal {signal!r}; signals are integers")
    if not 0 <= signal < netlist.signal_count:
        raise NetlistError(
            f"dangling: {what} signal {signal}, which does not exist; "
            f"signals are 0 to {netlist.signal_count - 1}"
        )


def _require_exact(value: object, what: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int | Fraction):
        exact_weight(value, what)
        raise NetlistError(f"{what} is {value!r}; convert it with exact_weight, or use a Fraction")


def _validate_bus(netlist: Netlist, what: str, bus: Bus, *, annotation: bool) -> None:
    if not bus:
        raise NetlistError(f"{what} has no bits; a bus has at least 1 bit")
    for position, signal in enumerate(bus):
        if annotation and signal in (UNUSED, ZERO, ONE):
            continue
        _require_signal(netlist, f"bit {position} of {what} names", signal)


def _validate_block(netlist: Netlist, block: Block) -> None:
    what = f"block {block.name!r}"
    boundary: set[int] = set()
    for name, bus in block.inputs.items():
        _validate_bus(netlist, f"{what}, input {name!r}", bus, annotation=True)
        boundary.update(bus)
    outputs: set[int] = set()
    for name, bus in block.outputs.items():
        _validate_bus(netlist, f"{what}, output {name!r}", bus, annotation=True)
        outputs.update(bus)
    visited = boundary | {UNUSED, ZERO, ONE}
    pending = [*(outputs - visited)]
    visited |= outputs
    while pending:
        signal = pending.pop()
        if signal < netlist.input_count:
            raise NetlistError(
                f"{what} depends on input signal {signal}, which is not among its inputs; add it to them"
            )
        read = {s for s, _ in netlist.neurons[signal - netlist.input_count].synapses} - visited
        visited |= read
        pending.extend(read)


# --- construction -------------------------------------------------------------------------------


class NetlistBuilder:
    """Builds a netlist neuron by neuron, folding constants and sharing equal neurons.

    Args:
        absorb_inverters: let a neuron read the source of an inverter with the opposite weight
            instead of the inverter. For substrates that have negative weights everywhere.
    """

    def __init__(self, *, absorb_inverters: bool = False) -> None:
        self._absorb_inverters = absorb_inverters
        self._inputs: dict[str, int] = {}
        self._input_count = 0
        self._neurons: list[Neuron] = []
        self._signal_of: dict[tuple[Hashable, Neuron], int] = {}
        self._device: Hashable = None
        self._inverted: dict[int, int] = {}
        self._probes: dict[str, Bus] = {}
        self._waypoints: set[int] = set()
        self._cuts: dict[str, Bus] = {}
        self._blocks: list[Block] = []
        self._cells: list[Block] = []

    @property
    def input_count(self) -> int:
        """How many input bits there are, whose signals come first."""
        return self._input_count

    @property
    def neurons(self) -> Sequence[Neuron]:
        """All so far, in the order of their signals, whether anything depends on them or not."""
        return self._neurons

    @property
    def cells(self) -> Sequence[Block]:
        """All so far."""
        return self._cells

    def input(self, name: str, width: int) -> Bus:
        """A new input bus. All inputs come before the first neuron."""
        if self._neurons:
            raise NetlistError(f"input {name!r} comes after the first neuron; declare inputs first")
        if name in self._inputs:
            raise NetlistError(f"input {name!r} exists already; choose another name")
        bus = tuple(range(self._input_count, self._input_count + width))
        self._inputs[name] = width
        self._input_count += width
        return bus

    def neuron(self, synapses: Iterable[tuple[int, Weight]], threshold: Weight, bias: Weight = 0) -> int:
        """The signal of the neuron that fires iff the weighted sum plus bias reaches the threshold.

        The signal may be a constant, an input of the neuron, or an earlier neuron that is equal.
        A constant drive is kept as a positive threshold plus, where needed, an integer bias.
        """
        weights, constant = self._merged(tuple(synapses))
        kept = tuple(sorted(filter(itemgetter(1), weights.items())))
        drive = threshold - bias - constant
        if sum([w for _, w in kept if w < 0]) >= drive:
            return ONE
        if sum([w for _, w in kept if w > 0]) < drive:
            return ZERO
        if len(kept) == 1 and kept[0][1] > 0:
            return kept[0][0]
        bias = 0 if drive > 0 else 1 - math.ceil(drive)
        signal = self._append(Neuron(kept, _plain(drive + bias), bias))
        if len(kept) == 1:
            self._inverted[signal] = kept[0][0]
        return signal

    def _merged(self, synapses: Sequence[tuple[int, Weight]]) -> tuple[dict[int, Weight], Weight]:
        """The weight on each signal, and what constants add to the sum."""
        weights = dict(synapses)
        folded = self._inverted.keys() if self._absorb_inverters else ()
        if len(weights) == len(synapses) and all(map(weights.keys().isdisjoint, (CONSTANTS, folded))):
            return weights, 0
        constant: Weight = 0
        weights = {}
        for source, weight in synapses:
            if source in folded:
                constant, source, weight = constant + weight, self._inverted[source], -weight
            if source == ONE:
                constant += weight
            elif source != ZERO:
                weights[source] = weights.get(source, 0) + weight
        return weights, constant

    def _append(self, neuron: Neuron) -> int:
        new = self._input_count + len(self._neurons)
        signal = self._signal_of.setdefault((self._device, neuron), new)
        if signal == new:
            self._neurons.append(neuron)
        return signal

    @contextmanager
    def device(self, *identity: Hashable) -> Iterator[None]:
        """Neurons made within this context belong to one device and are shared only with its equals.

        For substrates whose gates are built whole, each with neurons of its own. A device within a
        device is part of the outer one.
        """
        outer = self._device
        self._device = outer or identity
        try:
            yield
        finally:
            self._device = outer

    def probe(self, name: str, bus: Iterable[int]) -> None:
        """Give a name to signals along the datapath."""
        self._probes[name] = tuple(bus)

    def waypoint(self, name: str, bus: Iterable[int]) -> None:
        """Give a name to signals at which a proof may be cut: a probe that all later neurons read.

        None reaches past it to what it inverts.
        """
        self.probe(name, bus)
        self._waypoints.update(s for s in self._probes[name] if s >= 0)
        for signal in self._probes[name]:
            self._inverted.pop(signal, None)

    def cut(self, name: str, bus: Iterable[int]) -> None:
        """Give a name to signals that only a proof asks for: a probe where waypoints are kept."""
        self._cuts[name] = tuple(bus)

    def block(self, name: str, kind: str, inputs: Mapping[str, Bus], outputs: Mapping[str, Bus]) -> None:
        """Record that the output buses were built from the input buses alone."""
        self._blocks.append(Block(name, kind, dict(inputs), dict(outputs)))

    def cell(self, kind: str, inputs: Mapping[str, Bus], outputs: Mapping[str, Bus]) -> None:
        """Record a gate whose algebra matters, likewise."""
        self._cells.append(Block(f"{kind}_{len(self._cells)}", kind, dict(inputs), dict(outputs)))

    @contextmanager
    def barrier(self, buses: Iterable[Bus]) -> Iterator[None]:
        """Within this context the given signals are read as they are, inverters or not.

        Keeps a block a function of its input buses: nothing inside reaches past them.
        """
        hidden = {s: self._inverted.pop(s) for bus in buses for s in bus if s in self._inverted}
        try:
            yield
        finally:
            self._inverted.update(hidden)

    def build(self, outputs: Mapping[str, Bus], *, keep_waypoints: bool = False) -> Netlist:
        """The netlist of everything that the outputs depend on; all else is left out.

        Args:
            keep_waypoints: keep what waypoints depend on too, though no output does.

        Raises:
            NetlistError: if an output is empty or a block depends on more than its inputs.
        """
        driven = {name: tuple(map(self._driver, bus)) for name, bus in outputs.items()}
        roots = {signal for bus in driven.values() for signal in bus}
        renumbered = self._renumber_live(roots | self._waypoints if keep_waypoints else roots)

        def rename(bus: Bus) -> Bus:
            return tuple(s if s < 0 else renumbered.get(s, UNUSED) for s in bus)

        def rename_all(buses: Mapping[str, Bus]) -> dict[str, Bus]:
            return {name: rename(bus) for name, bus in buses.items()}

        def rename_blocks(blocks: Iterable[Block]) -> tuple[Block, ...]:
            return tuple(
                Block(b.name, b.kind, rename_all(b.inputs), rename_all(b.outputs)) for b in blocks
            )

        def rename_sources(neuron: Neuron) -> Neuron:
            synapses = tuple([(renumbered[s], w) for s, w in neuron.synapses])
            return Neuron(synapses, neuron.threshold, neuron.bias)

        numbered = enumerate(self._neurons, self._input_count)
        live = [neuron for signal, neuron in numbered if signal in renumbered]
        # Where none was left out, all signals are what they were.
        if len(live) < len(self._neurons):
            live = [rename_sources(neuron) for neuron in live]
        return Netlist(
            inputs=dict(self._inputs),
            neurons=tuple(live),
            outputs=rename_all(driven),
            probes=rename_all({**self._probes, **(self._cuts if keep_waypoints else {})}),
            blocks=rename_blocks(self._blocks),
            cells=rename_blocks(self._cells),
        )

    def _driver(self, signal: int) -> int:
        """The signal itself, or for a constant the neuron whose bias alone decides."""
        if signal not in CONSTANTS:
            return signal
        return self._append(Neuron((), Fraction(1, 2), bias=int(signal == ONE)))

    def _renumber_live(self, roots: set[int]) -> dict[int, int]:
        live = driven_by_neurons(self._neurons, self._input_count, roots)
        return {signal: new for new, signal in enumerate([*range(self._input_count), *live])}


def driven_by_neurons(
    neurons: Sequence[Neuron], inputs: int, roots: Iterable[int], known: Container[int] = ()
) -> list[int]:
    """The neurons' signals on which ``roots`` depend, these included, in topological order.

    Args:
        neurons: in topological order; the first drives the signal after those of so many ``inputs``.
        known: signals that depend on nothing, and are left out.
    """
    wanted = set(roots)
    found = []
    for signal in reversed(range(inputs, inputs + len(neurons))):
        if signal in wanted and signal not in known:
            found.append(signal)
            wanted.update([source for source, _ in neurons[signal - inputs].synapses])
    return found[::-1]


def _plain(value: Weight) -> Weight:
    return value.numerator if value.denominator == 1 else value
