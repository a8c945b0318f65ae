"""Graphs of NIR as networks: layers of neurons one after another, and what is linear between them.

A graph leaves open what ``nir_reading`` asks for, and how a class comes from its outputs; both must be
stated. A network has one decay for each layer, resets to its own zero, and starts there: potentials are
counted from where a spike puts them, and what cannot be said so is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spikeproof.circuits.doors.membranes import Form
from spikeproof.circuits.doors.nir import (
    LINEAR,
    Forms,
    added,
    array_of,
    flattened,
    graph_of,
    in_order,
    is_source,
    shape_of,
)
from spikeproof.circuits.doors.nir_backends import BACKENDS, PARAMETERS
from spikeproof.circuits.doors.nir_files import file_content
from spikeproof.circuits.doors.nir_reading import Constants, Reading
from spikeproof.circuits.doors.spiking_modules import KEPT, exact_layer
from spikeproof.circuits.netlist import NetlistError
from spikeproof.specs.networks import (
    MEMORYLESS,
    AfterSpike,
    Dynamics,
    Layer,
    Network,
    NetworkError,
    Readout,
    Score,
)

if TYPE_CHECKING:
    import nir

STRIDE = 1 << 40
"""Signals of a layer have numbers of their own: from the layer's place times this."""


def read_nir_network(
    path: Path | str, reading: Reading | str | None, readout: Readout | None, bits: int | None = None
) -> Network:
    """The network in a file of NIR; see ``network_of_nir``.

    Raises:
        NetworkError: if it cannot be read, is no such network, or something is not stated; one line that
            names the file.
    """
    if reading is None or readout is None:
        raise NetworkError(f"{path}: {_unstated(reading, readout)}")
    if not Path(path).is_file():
        raise NetworkError(f"{path}: No such file or directory")
    try:
        return network_of_nir(graph_of(file_content(path)), reading, readout, bits)
    except (NetlistError, NetworkError) as error:
        said = str(error)
        raise NetworkError(said if said.startswith(f"{path}: ") else f"{path}: {said}") from None


def _unstated(reading: Reading | str | None, readout: Readout | None) -> str:
    """What has to be stated beside a graph and is not, and how."""
    lacks = {}
    if reading is None:
        named = f"--as snntorch,steps=32,arithmetic=exact, of {', '.join(BACKENDS)}, or in full"
        lacks["time step, strictness, reset"] = f"how to read it ({named})"
    if readout is None:
        lacks["read-out"] = "what is read out (--read-out count, latch:LEAD or potential)"
    return (
        f"NIR states no {' or '.join(lacks)}; state {' and '.join(lacks.values())}: see docs/networks.md"
    )


def network_of_nir(
    graph: nir.NIRGraph, reading: Reading | str, readout: Readout, bits: int | None = None
) -> Network:
    """The network that a graph of NIR is, in exact arithmetic.

    Args:
        graph: of one Input and one Output, and between them neurons (IF, LIF, Threshold, and CubaLIF
            whose synapses keep nothing), each fed by the neurons before through what is linear.
        reading: what the graph does not state; as text too, such as ``snntorch,steps=32,
            arithmetic=exact``. Arithmetic must be ``exact``: a backend that rounds may depart from it.
        readout: how a class comes from the outputs. If potentials are read out, the graph ends in what
            is linear, which is added up from step to step.
        bits: round weights, biases and thresholds, after gains, to multiples of 2^-bits; else they stay.

    Raises:
        NetworkError: if it is none of these; one line.
    """
    try:
        stated = Reading.parse(reading) if isinstance(reading, str) else reading
        if stated.arithmetic != "exact":
            raise NetlistError(
                f"networks are of real numbers, not of {stated.arithmetic}; state arithmetic=exact"
            )
        return _Reader(graph, stated, readout, bits).network()
    except NetlistError as error:
        raise NetworkError(str(error)) from None


@dataclass
class _Reader:
    """Of one graph: layers as they are found, and what each node yields."""

    graph: Any
    reading: Reading
    readout: Readout
    bits: int | None

    def network(self) -> Network:
        """The network."""
        if type(self.graph).__name__ != "NIRGraph":
            raise NetlistError(f"{type(self.graph).__name__} is no NIRGraph")
        nodes, sources = flattened(self.graph)
        begin = self._only([name for name in nodes if is_source(name, nodes[name], sources)], "Input")
        end = self._only(
            [n for n in nodes if type(nodes[n]).__name__ == "Output" and "/" not in n], "Output"
        )
        self.layers: list[Layer] = []
        self.width = prod(shape_of(nodes[begin]))
        yielded = {begin: self._signals(shape_of(nodes[begin]))}
        for name in in_order(nodes, sources):
            if name == begin:
                continue
            try:
                yielded[name] = self._node(nodes[name], [yielded[each] for each in sources[name]])
            except (NetlistError, NetworkError) as error:
                raise NetlistError(f"node {name!r}: {error}") from None
        self._read_out(yielded[end])
        return Network(tuple(self.layers), self.reading.steps, self.readout)

    @staticmethod
    def _only(names: Sequence[str], kind: str) -> str:
        if len(names) != 1:
            raise NetlistError(f"a network has one {kind}, and the graph {len(names)}")
        return names[0]

    def _signals(self, shape: tuple[int, ...]) -> Forms:
        """What the neurons before the next layer yield."""
        first = len(self.layers) * STRIDE
        return array_of([Form.of_signal(first + place) for place in range(prod(shape))], shape)

    def _node(self, node: Any, driving: Sequence[Forms]) -> Forms:
        """What a node yields; one of neurons is a layer."""
        kind = type(node).__name__
        drive = added(driving)
        if kind in LINEAR:
            return LINEAR[kind](node, self.reading)(drive)
        if kind not in PARAMETERS:
            raise NetlistError(f"a {kind} is not read; use {', '.join(sorted({*PARAMETERS, *LINEAR}))}")
        neurons = [_Neuron.of(each, self.reading) for each in self.reading.neurons(node, drive.shape)]
        dynamics = self._dynamics(neurons)
        if kind == "Threshold":
            dynamics = replace(MEMORYLESS, strict=self.reading.strict)
        self._add(
            drive,
            [each.gain for each in neurons],
            [each.bias for each in neurons],
            [each.threshold for each in neurons],
            dynamics,
        )
        return self._signals(drive.shape)

    def _dynamics(self, neurons: Sequence[_Neuron]) -> Dynamics:
        decays = {each.decay for each in neurons}
        if len(decays) > 1:
            raise NetlistError("its neurons leak each by itself; a layer of a network has one decay")
        reset = AfterSpike.SUBTRACT if self.reading.reset == "subtract" else AfterSpike.ZERO
        order = self.reading.order.replace("fire", "fire reset").split()
        return Dynamics(Fraction(decays.pop()), reset, tuple(order), self.reading.strict)

    def _add(
        self,
        drive: Forms,
        gains: Sequence[Fraction],
        biases: Sequence[Fraction],
        thresholds: Sequence[Fraction] | None,
        dynamics: Dynamics,
    ) -> None:
        """A layer of what drives its neurons, times gains and with biases."""
        first = len(self.layers) * STRIDE
        rows, offsets = [], []
        for form, gain, bias in zip(drive.ravel().tolist(), gains, biases, strict=True):
            row = [Fraction(0)] * self.width
            for signal, weight in form.terms.items():
                if not 0 <= signal - first < self.width:
                    raise NetlistError("it reads neurons that are not those just before it")
                row[signal - first] = gain * Fraction(weight, form.denominator)
            rows.append(row)
            offsets.append(gain * Fraction(form.constant, form.denominator) + bias)
        self.layers.append(exact_layer(rows, offsets, thresholds, dynamics, self.bits))
        self.width = len(rows)

    def _read_out(self, outputs: Forms) -> None:
        """That outputs are the last spikes; or what adds up if potentials are read out."""
        if self.readout.score is Score.POTENTIAL:
            count = outputs.size
            self._add(outputs, [Fraction(1)] * count, [Fraction(0)] * count, None, KEPT)
            return
        last = self._signals((self.width,)).tolist()
        if not self.layers or [form.signal for form in outputs.ravel()] != [
            each.signal for each in last
        ]:
            raise NetlistError("the Output is not of the last neurons, whose spikes are to be counted")


@dataclass(frozen=True)
class _Neuron:
    """Of constants, counted from where a spike puts the potential: what a network has numbers for."""

    decay: Fraction
    gain: Fraction
    bias: Fraction
    threshold: Fraction

    @classmethod
    def of(cls, constants: Constants, reading: Reading) -> _Neuron:
        """With V - rest for V.

        Leaking takes that to decay times it, plus offset + (decay - 1) rest; which a bias can stand for
        if what is driven is added right after.

        Raises:
            NetlistError: if a network has no such neuron.
        """
        decay, rest = Fraction(constants.decay), Fraction(constants.reset)
        if not 0 <= decay <= 1:
            raise NetlistError(f"it keeps {decay} of its potential in a step; networks 0 to 1")
        if constants.start != rest:
            raise NetlistError(
                f"it starts at {constants.start}, a spike puts it at {rest}; of a network both are one"
            )
        gain, current = Fraction(constants.gain), Fraction(0)
        if constants.synapse is not None:
            if constants.synapse.decay or constants.synapse.start:
                raise NetlistError("its synapses keep current from step to step; networks have no such")
            current = gain * Fraction(constants.synapse.offset)
            gain *= Fraction(constants.synapse.gain)
        moved = Fraction(constants.offset) + (decay - 1) * rest
        if moved and "leak add" not in reading.order:
            raise NetlistError(
                "it leaks to another place than it is reset to, and not just before adding"
            )
        return cls(decay, gain, current + moved, Fraction(constants.threshold) - rest)
