"""Graphs of NIR, the Neuromorphic Intermediate Representation, as netlists and back.

A graph states no time step, and not what its backends do differently: ``nir_reading`` has what must be
stated. ``docs/nir.md`` says what is read, and what each backend does.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from graphlib import CycleError, TopologicalSorter
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from spikeproof.circuits.doors.gates import buses_by_width
from spikeproof.circuits.doors.membranes import ARITHMETIC, Form, Membrane, combined
from spikeproof.circuits.doors.nir_backends import BACKENDS, PARAMETERS, exact_values
from spikeproof.circuits.doors.nir_files import MAX_NESTING, MAX_NUMBERS, file_content
from spikeproof.circuits.doors.nir_reading import Reading
from spikeproof.circuits.netlist import NAME, Bus, Netlist, NetlistBuilder, NetlistError, Neuron, Weight

if TYPE_CHECKING:
    import nir

Forms = np.ndarray[Any, np.dtype[np.object_]]
"""What a node yields in a time step: an array of ``Form``."""

MAX_ELEMENTS = 1_000_000
"""How many elements a node may have,"""
MAX_SYNAPSES = MAX_NUMBERS
"""and how many weights it takes them through."""
MAX_DIMENSIONS = 32
"""Which every version of NumPy has."""

INSTALL = "NIR needs the package nir; pip install 'spikeproof[nir]'"


def _library() -> Any:
    try:
        import nir
    except ImportError:
        raise NetlistError(INSTALL) from None
    return nir


# --- in -----------------------------------------------------------------------------------------


def read_nir(
    path: Path | str,
    reading: Reading | str | None = None,
    *,
    inputs: Mapping[str, int] | None = None,
    outputs: Mapping[str, int] | None = None,
    held: Collection[str] = (),
) -> Netlist:
    """Read a graph of NIR from an HDF5 file as a netlist.

    Args:
        reading: what the file does not state; as text too, such as ``snntorch,steps=1``.
        inputs: as ``outputs`` and ``held``: see ``from_nir``.

    Raises:
        NetlistError: if the file cannot be read, is no graph of NIR, or nothing is said of how to read
            it; one line.
    """
    if not Path(path).is_file():
        raise NetlistError(f"cannot read {path}: there is no such file")
    if reading is None:
        raise NetlistError(
            f"{path}: NIR states no time step, strictness or reset; state how to read it, as in "
            f"read_nir(FILE, 'snntorch,steps=1'), of {', '.join(BACKENDS)}, or in full: see docs/nir.md"
        )
    stated = Reading.parse(reading) if isinstance(reading, str) else reading
    content = file_content(path)
    try:
        return from_nir(graph_of(content), stated, inputs=inputs, outputs=outputs, held=held)
    except NetlistError as error:
        raise NetlistError(f"{path}: {error}") from None


def graph_of(content: Mapping[str, Any]) -> nir.NIRGraph:
    """The graph that a file's content stands for.

    Raises:
        NetlistError: if it stands for none.
    """
    library = _library()
    try:
        with np.errstate(all="ignore"):  # nothing but the refusal is to be shown
            return library.dict2NIRNode({**content["node"], "type_check": False})
    except Exception as error:  # what nir raises is not documented: assertions, lookups
        raise NetlistError(f"no graph of NIR: {str(error) or type(error).__name__}") from None


def from_nir(
    graph: nir.NIRGraph | Path | str,
    reading: Reading | str,
    *,
    inputs: Mapping[str, int] | None = None,
    outputs: Mapping[str, int] | None = None,
    held: Collection[str] = (),
) -> Netlist:
    """The netlist of a graph of NIR: what its neurons do in a number of time steps from the start.

    A neuron at a step is a neuron of the netlist, or, where a reset forgets, one for each step that the
    last spike may have been at. Weights are exact as stored. The netlist's ``notes`` state the reading.

    Args:
        reading: what the graph does not state; as text too, such as ``snntorch,steps=1``.
        inputs: width of each input bus. Buses with the names of the graph's Inputs are these; of other
            names, they are together the elements of all Inputs, in the order of ``graph.nodes``, and
            ``notes`` say so. By default each Input is a bus of its name.
        outputs: likewise of the Outputs.
        held: input buses that have the same value at every step. Of several steps the others, and the
            outputs, are named by step: ``x.0``, ``x.1``, ...

    Raises:
        NetlistError: if the graph is not well formed, is recurrent, has a node that is not read, a width
            does not fit, an output is no spike, or the reading's arithmetic may round; one line.
    """
    if isinstance(graph, Path | str):
        return read_nir(graph, reading, inputs=inputs, outputs=outputs, held=held)
    stated = Reading.parse(reading) if isinstance(reading, str) else reading
    if type(graph).__name__ != "NIRGraph":
        raise NetlistError(f"{type(graph).__name__} is no NIRGraph; put it between Input and Output")
    nodes, sources = flattened(graph)
    order = in_order(nodes, sources)
    given = {name: shape_of(node) for name, node in nodes.items() if is_source(name, node, sources)}
    wanted = [name for name in nodes if type(nodes[name]).__name__ == "Output" and "/" not in name]
    if not given or not wanted:
        raise NetlistError("the graph has no Input or no Output; add both")
    given = {name: given[name] for name in _as_named(list(given), inputs)}
    wanted = _as_named(wanted, outputs)
    widths = _bus_widths(given, inputs, "inputs")
    if unknown := set(held) - widths.keys():
        raise NetlistError(f"{min(unknown)!r} is held, but no input; use one of {', '.join(widths)}")
    builder = NetlistBuilder()
    buses = _declare(builder, widths, stated.steps, held)
    layers = {name: _Layer(name, nodes[name], stated) for name in order if name not in given}
    spikes: dict[str, Bus] = {}
    for step, signals in enumerate(buses):
        yielded = dict(_cut(signals, given))
        for name in order:
            if name in layers:
                yielded[name] = layers[name].step(builder, [yielded[source] for source in sources[name]])
        ends = {name: yielded[name] for name in wanted}
        named = _bus_widths({name: end.shape for name, end in ends.items()}, outputs, "outputs")
        flat = [_spike(form, name) for name, end in ends.items() for form in end.ravel()]
        for bus, found in buses_by_width(flat, named, "output").items():
            spikes[_at_step(bus, step, stated.steps)] = tuple(found)  # type: ignore[arg-type] # signals
    netlist = builder.build(spikes)
    renamed = _renamed("inputs", list(given), inputs) + _renamed("outputs", wanted, outputs)
    notes = (_note(stated, nodes, held) + renamed,)
    return Netlist(netlist.inputs, netlist.neurons, netlist.outputs, notes=notes)


def _as_named(nodes: list[str], buses: Mapping[str, int] | None) -> list[str]:
    """The nodes in the order of the buses that have their names; as they are if these are others."""
    return nodes if buses is None or buses.keys() != {*nodes} else list(buses)


def _renamed(what: str, nodes: list[str], buses: Mapping[str, int] | None) -> str:
    """Which nodes the buses are, in words, unless names tell."""
    if buses is None or list(buses) == nodes:
        return ""
    return f"; {what} {', '.join(buses)} are the elements of {', '.join(nodes)}, in this order"


def _note(reading: Reading, nodes: Mapping[str, Any], held: Collection[str]) -> str:
    kinds = sorted({type(node).__name__ for node in nodes.values()} - {"Input", "Output", "NIRGraph"})
    inputs = f"; held at every step: {', '.join(sorted(held))}" if held else ""
    return f"imported from NIR ({', '.join(kinds) or 'no nodes'}), read thus: {reading}{inputs}"


def _at_step(name: str, step: int, steps: int) -> str:
    return name if steps == 1 else f"{name}.{step}"


def _bus_widths(
    shapes: Mapping[str, tuple[int, ...]], given: Mapping[str, int] | None, what: str
) -> Mapping[str, int]:
    """Buses and their widths: those given, or one for each node.

    Raises:
        NetlistError: if they do not fit, or a node's name is none for a bus.
    """
    total = sum(map(math.prod, shapes.values()))
    if given is None:
        if wrong := next((name for name in shapes if not NAME.fullmatch(name)), None):
            raise NetlistError(
                f"{wrong!r} is no name for a bus; name the {what}, as in {what}={{'x': {total}}}"
            )
        return {name: math.prod(shape) for name, shape in shapes.items()}
    if shapes.keys() == given.keys():
        for name, shape in shapes.items():
            if given[name] != math.prod(shape):
                raise NetlistError(
                    f"width mismatch: {name!r} has {given[name]} bits in {what}, in the graph "
                    f"{math.prod(shape)}; correct one"
                )
    if sum(given.values()) != total:
        raise NetlistError(
            f"width mismatch: the {what} have {sum(given.values())} bits, the graph {total}"
        )
    return given


def _declare(
    builder: NetlistBuilder, widths: Mapping[str, int], steps: int, held: Collection[str]
) -> list[list[int]]:
    """The input signals of each step."""
    constant = {name: builder.input(name, widths[name]) for name in widths if name in held}
    return [
        [
            signal
            for name, width in widths.items()
            for signal in (
                constant[name] if name in held else builder.input(_at_step(name, step, steps), width)
            )
        ]
        for step in range(steps)
    ]


def _cut(signals: Sequence[int], shapes: Mapping[str, tuple[int, ...]]) -> Iterator[tuple[str, Forms]]:
    """The signals as what each Input yields."""
    rest = iter(signals)
    for name, shape in shapes.items():
        yield name, array_of([Form.of_signal(next(rest)) for _ in range(math.prod(shape))], shape)


def array_of(forms: Sequence[Form], shape: tuple[int, ...]) -> Forms:
    """Forms in an array of a shape."""
    array = np.empty(len(forms), dtype=object)
    array[:] = forms
    return array.reshape(shape)


def _spike(form: Form, output: str) -> int:
    if (signal := form.signal) is None:
        raise NetlistError(f"output {output!r} is a weighted sum, no spike; end the graph in neurons")
    return signal


# --- the graph ----------------------------------------------------------------------------------


def flattened(
    graph: Any, prefix: str = "", depth: int = 0
) -> tuple[dict[str, Any], dict[str, list[str]]]:
    """The nodes of a graph and of those within it, named by path, and for each what it reads.

    Raises:
        NetlistError: if an edge has no ends, is doubled, or leads to a graph with several Inputs.
    """
    if depth > MAX_NESTING:
        raise NetlistError(f"graphs are nested more than {MAX_NESTING} deep; flatten them")
    nodes: dict[str, Any] = {}
    sources: dict[str, list[str]] = {}
    begin: dict[str, str] = {}
    end: dict[str, str] = {}
    for name, node in graph.nodes.items():
        path = f"{prefix}{name}"
        begin[name] = end[name] = path
        if type(node).__name__ != "NIRGraph":
            nodes[path], sources[path] = node, []
            continue
        within, reads = flattened(node, f"{path}/", depth + 1)
        nodes |= within
        sources |= reads
        begin[name], end[name] = (_only(node, f"{path}/", kind) for kind in ("Input", "Output"))
    edges = [tuple(edge) for edge in graph.edges]
    if len({*edges}) < len(edges):
        raise NetlistError("an edge occurs twice; leave one")
    for edge in edges:
        if len(edge) != 2 or not {*edge} <= begin.keys():
            raise NetlistError(f"the edge {' -> '.join(map(str, edge))} has no node at an end; add it")
        sources[begin[edge[1]]].append(end[edge[0]])
    return nodes, sources


def _only(graph: Any, prefix: str, kind: str) -> str:
    """The one Input or Output of a graph within another: an edge cannot say which of several."""
    found: list[str] = [name for name, node in graph.nodes.items() if type(node).__name__ == kind]
    if len(found) != 1:
        raise NetlistError(
            f"the graph {prefix[:-1]!r} has {len(found)} nodes of kind {kind}; give it one"
        )
    return prefix + found[0]


def in_order(nodes: Mapping[str, Any], sources: Mapping[str, list[str]]) -> list[str]:
    """The nodes, each after what it reads.

    Raises:
        NetlistError: if one depends on itself.
    """
    try:
        return list(TopologicalSorter(sources).static_order())
    except CycleError as error:
        raise NetlistError(
            f"node {error.args[1][0]!r} depends on itself; only graphs without recurrence are read"
        ) from None


def is_source(name: str, node: Any, sources: Mapping[str, list[str]]) -> bool:
    """Whether a node is an Input of the whole graph.

    Raises:
        NetlistError: if it is, and something leads to it.
    """
    if type(node).__name__ != "Input" or "/" in name:
        return False
    if sources[name]:
        raise NetlistError(f"an edge leads to the Input {name!r}; remove it")
    return True


def shape_of(node: Any) -> tuple[int, ...]:
    """Of an Input.

    Raises:
        NetlistError: if it is none, or too large.
    """
    found = np.asarray(node.input_type["input"]).ravel().tolist()
    if not found or not all(type(size) is int and 0 < size <= MAX_ELEMENTS for size in found):
        raise NetlistError(f"an Input has shape {found}; use whole numbers from 1 to {MAX_ELEMENTS:,}")
    if len(found) > MAX_DIMENSIONS:
        raise NetlistError(f"an Input has {len(found)} dimensions; use {MAX_DIMENSIONS} at most")
    if math.prod(found) > MAX_ELEMENTS:
        raise NetlistError(f"an Input has shape {found}; use {MAX_ELEMENTS:,} elements at most")
    return tuple(found)


# --- nodes --------------------------------------------------------------------------------------


class _Layer:
    """A node through its time steps."""

    def __init__(self, name: str, node: Any, reading: Reading) -> None:
        self._name = name
        self._node = node
        self._reading = reading
        self._kind = type(node).__name__
        self._membranes: list[Membrane] | None = None
        self._linear: Callable[[Forms], Forms] | None = None
        if self._kind not in {*PARAMETERS, *LINEAR}:
            known = ", ".join(sorted({*PARAMETERS, *LINEAR}))
            raise NetlistError(f"node {name!r} is a {self._kind}, which is not read; use {known}")

    def step(self, builder: NetlistBuilder, driving: Sequence[Forms]) -> Forms:
        """What the node yields in its next step; what drives it adds up.

        Raises:
            NetlistError: that names the node.
        """
        try:
            drive = added(driving)
            return self._spikes(builder, drive) if self._kind in PARAMETERS else self._sums(drive)
        except NetlistError as error:
            raise NetlistError(f"node {self._name!r}: {error}") from None

    def _spikes(self, builder: NetlistBuilder, drive: Forms) -> Forms:
        if self._membranes is None or self._kind == "Threshold":  # which keeps nothing
            constants = self._reading.neurons(self._node, drive.shape)
            stateless = self._kind == "Threshold"
            reading = replace(self._reading, order="leak add fire") if stateless else self._reading
            self._membranes = [Membrane(each, reading, "a neuron's drive") for each in constants]
        signals = [
            membrane.step(builder, form)
            for membrane, form in zip(self._membranes, drive.ravel(), strict=True)
        ]
        return array_of([Form.of_signal(signal) for signal in signals], drive.shape)

    def _sums(self, drive: Forms) -> Forms:
        if self._linear is None:
            self._linear = LINEAR[self._kind](self._node, self._reading)
        sums = self._linear(drive)
        if kind := ARITHMETIC.get(self._reading.arithmetic):
            for form in sums.ravel():
                kind.require(form, "its weights")
        return sums


def added(driving: Sequence[Forms]) -> Forms:
    """What drives a node, of all that leads to it.

    Raises:
        NetlistError: if that is nothing, or of different shapes.
    """
    if not driving:
        raise NetlistError("nothing leads to it; add an edge")
    if len({each.shape for each in driving}) > 1:
        shapes = " and ".join(sorted({str(each.shape) for each in driving}))
        raise NetlistError(f"what leads to it has shapes {shapes}; make them one")
    if len(driving) == 1:
        return driving[0]
    columns = zip(*(each.ravel() for each in driving), strict=True)
    return array_of([combined([(form, 1) for form in column]) for column in columns], driving[0].shape)


def _weights(node: Any, name: str, reading: Reading) -> Forms:
    """An array of the node's as exact numbers.

    Raises:
        NetlistError: if one is no finite number, or the reading's arithmetic rounds it.
    """
    stored = np.asarray(getattr(node, name))
    exact = exact_values(stored, name, stored.shape)
    if reading.arithmetic != "exact":
        kind = np.dtype(reading.arithmetic).type
        for weight in {*exact}:
            if Fraction(float(kind(float(weight)))) != weight:
                raise NetlistError(
                    f"{name} {float(weight)!r} is rounded in {reading.arithmetic}; store such weights, "
                    "or state arithmetic=exact, of real numbers"
                )
    array = np.empty(len(exact), dtype=object)
    array[:] = exact
    return array.reshape(stored.shape)


def _affine(node: Any, reading: Reading) -> Callable[[Forms], Forms]:
    weight = _weights(node, "weight", reading)
    if weight.ndim != 2:
        raise NetlistError(f"weight has shape {weight.shape}; use two dimensions")
    outputs, width = weight.shape
    bias = _weights(node, "bias", reading) if hasattr(node, "bias") else np.zeros(outputs, dtype=object)
    _require_shape("bias", bias.shape, (outputs,))
    rows = [[(place, each) for place, each in enumerate(row) if each] for row in weight.tolist()]

    def sums(drive: Forms) -> Forms:
        _require_shape("what drives it", drive.shape, (width,))
        return array_of(
            [
                combined([(drive[place], each) for place, each in row], constant)
                for row, constant in zip(rows, bias.tolist(), strict=True)
            ],
            (outputs,),
        )

    return sums


def _require_shape(what: str, found: tuple[int, ...], wanted: tuple[int, ...]) -> None:
    if found != wanted:
        raise NetlistError(f"wrong shape: {what} has {found} where {wanted} is needed")


def _scale(node: Any, reading: Reading) -> Callable[[Forms], Forms]:
    scale = _weights(node, "scale", reading)

    def sums(drive: Forms) -> Forms:
        _require_shape("scale", scale.shape, drive.shape)
        pairs = zip(drive.ravel(), scale.ravel(), strict=True)
        return array_of([combined([pair]) for pair in pairs], drive.shape)

    return sums


def _flatten(node: Any, reading: Reading) -> Callable[[Forms], Forms]:
    first, last = (_whole(getattr(node, name), name) for name in ("start_dim", "end_dim"))

    def sums(drive: Forms) -> Forms:
        begin, end = (place + drive.ndim if place < 0 else place for place in (first, last))
        if not 0 <= begin <= end < drive.ndim:
            raise NetlistError(
                f"it flattens from {first} to {last}, of {drive.ndim} dimensions; correct them"
            )
        return drive.reshape(*drive.shape[:begin], -1, *drive.shape[end + 1 :])

    return sums


def _identity(node: Any, reading: Reading) -> Callable[[Forms], Forms]:
    return lambda drive: drive


def _whole(value: Any, name: str) -> int:
    found = np.asarray(value)
    if found.size != 1 or found.dtype.kind not in "iu":
        raise NetlistError(f"{name} is {value!r:.40}; use a whole number")
    return int(found.item())


def _sizes(value: Any, name: str, count: int, least: int) -> list[int]:
    """A whole number for each spatial dimension."""
    found = np.asarray(value)
    if found.dtype.kind not in "iu" or found.size not in (1, count):
        raise NetlistError(f"{name} is {value!r:.40}; use {count} whole numbers")
    sizes = [int(size) for size in found.ravel().tolist()] * (count if found.size == 1 else 1)
    if not all(least <= size <= MAX_ELEMENTS for size in sizes):
        raise NetlistError(f"{name} is {sizes}; use numbers from {least}")
    return sizes


def _convolution(node: Any, reading: Reading) -> Callable[[Forms], Forms]:
    weight = _weights(node, "weight", reading)
    spatial = 1 if type(node).__name__ == "Conv1d" else 2
    if weight.ndim != spatial + 2 or not weight.size:
        raise NetlistError(f"weight has shape {weight.shape}; use {spatial + 2} dimensions")
    bias = _weights(node, "bias", reading)
    _require_shape("bias", bias.shape, weight.shape[:1])
    groups = _whole(node.groups, "groups")
    if groups < 1 or len(weight) % groups:
        raise NetlistError(f"{len(weight)} channels are no multiple of {groups} groups; correct them")
    kernel = weight.shape[2:]
    stride = _sizes(node.stride, "stride", spatial, 1)
    dilation = _sizes(node.dilation, "dilation", spatial, 1)
    around = [step * (size - 1) for step, size in zip(dilation, kernel, strict=True)]
    padding = _padding(node.padding, spatial, around)

    def sums(drive: Forms) -> Forms:
        channels = weight.shape[1] * groups
        if drive.ndim != spatial + 1 or len(drive) != channels:
            raise NetlistError(
                f"wrong shape: what drives it has {drive.shape} where {channels} channels of {spatial} "
                "dimensions are needed"
            )
        window = _Window(drive.shape[1:], kernel, stride, dilation, padding)
        window.require(len(weight), weight[0].size)
        forms = []
        for channel, rows in enumerate(weight):
            first = channel // (len(weight) // groups) * weight.shape[1]
            for place in np.ndindex(*window.outputs):
                parts = [
                    (drive[(first + row, *source)], rows[(row, *within)])
                    for within, source in window.sources(place)
                    for row in range(weight.shape[1])
                ]
                forms.append(combined(parts, bias[channel]))
        return array_of(forms, (len(weight), *window.outputs))

    return sums


def _padding(value: Any, count: int, around: Sequence[int]) -> list[tuple[int, int]]:
    """How many zeros stand before and after each dimension; ``same`` keeps its length, at stride 1."""
    if isinstance(value, bytes):
        value = value.decode("ascii", "replace")
    if isinstance(value, str) and value == "valid":
        return [(0, 0)] * count
    if isinstance(value, str) and value == "same":
        return [(total // 2, total - total // 2) for total in around]
    return [(size, size) for size in _sizes(value, "padding", count, 0)]


def _pooling(node: Any, reading: Reading) -> Callable[[Forms], Forms]:
    kernel = _sizes(node.kernel_size, "kernel_size", 2, 1)
    stride = _sizes(node.stride, "stride", 2, 1)
    padding = [(size, size) for size in _sizes(node.padding, "padding", 2, 0)]
    part = Fraction(1, math.prod(kernel)) if type(node).__name__ == "AvgPool2d" else Fraction(1)

    def sums(drive: Forms) -> Forms:
        if drive.ndim != 3:
            raise NetlistError(f"wrong shape: what drives it has {drive.shape}, not 3 dimensions")
        window = _Window(drive.shape[1:], kernel, stride, [1, 1], padding)
        window.require(len(drive), math.prod(kernel))
        forms = [
            combined([(channel[source], part) for _, source in window.sources(place)])
            for channel in drive
            for place in np.ndindex(*window.outputs)
        ]
        return array_of(forms, (len(drive), *window.outputs))

    return sums


@dataclass(frozen=True)
class _Window:
    """A kernel that moves over what is padded with zeros."""

    inputs: Sequence[int]
    kernel: Sequence[int]
    stride: Sequence[int]
    dilation: Sequence[int]
    padding: Sequence[tuple[int, int]]

    @property
    def outputs(self) -> tuple[int, ...]:
        """How many places it has in each dimension."""
        return tuple(
            (size + sum(pads) - dilation * (kernel - 1) - 1) // stride + 1
            for size, kernel, stride, dilation, pads in zip(
                self.inputs, self.kernel, self.stride, self.dilation, self.padding, strict=True
            )
        )

    def require(self, channels: int, weights: int) -> None:
        """Raise unless it fits.

        Raises:
            NetlistError: if it is larger than what it moves over, or its places are too many.
        """
        if min(self.outputs) < 1:
            raise NetlistError(f"its kernel is larger than its input, {tuple(self.inputs)}; correct one")
        if channels * math.prod(self.outputs) * weights > MAX_SYNAPSES:
            raise NetlistError(f"it has more than {MAX_SYNAPSES:,} synapses, the most that is read")

    def sources(self, place: Sequence[int]) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
        """Each place of the kernel with that of the input below it, unless that is padding."""
        for within in itertools.product(*map(range, self.kernel)):
            source = tuple(
                at * stride + dilation * step - before
                for at, step, stride, dilation, (before, _) in zip(
                    place, within, self.stride, self.dilation, self.padding, strict=True
                )
            )
            if all(0 <= at < size for at, size in zip(source, self.inputs, strict=True)):
                yield within, source


LINEAR: Mapping[str, Callable[[Any, Reading], Callable[[Forms], Forms]]] = {
    "Linear": _affine,
    "Affine": _affine,
    "Scale": _scale,
    "Conv1d": _convolution,
    "Conv2d": _convolution,
    "SumPool2d": _pooling,
    "AvgPool2d": _pooling,
    "Flatten": _flatten,
    "Input": _identity,
    "Output": _identity,
}
"""What a node that is no neuron makes of what drives it."""


# --- out ----------------------------------------------------------------------------------------

NEURONS = ("Threshold", "IF", "LIF")
"""What a netlist's neurons may become."""

EXACT_SUMS = {"float32": 2**24, "float64": 2**53}
"""Up to which every integer is a number of the type."""


def as_nir(netlist: Netlist) -> bytes:
    """A netlist as the content of a file of NIR, of nodes ``Threshold``: see ``to_nir``.

    Raises:
        NetlistError: if it is too large, or NIR is not installed.
    """
    content = BytesIO()
    _library().write(content, to_nir(netlist))
    return content.getvalue()


def to_nir(
    netlist: Netlist, *, neurons: str = "Threshold", dt: Weight | float | str = "1e-4"
) -> nir.NIRGraph:
    """A netlist as a graph of NIR: a node of neurons for each level, and Affine or Linear before it.

    Weights and biases are integers, and thresholds are 1/2, so that strict comparison and the other are
    the same. Buses become Inputs and Outputs of their names, least significant bit first.

    Args:
        neurons: ``Threshold``, which all readings read alike, in any number of steps; or for backends,
            which have none, ``IF`` (SpikingJelly, Norse) or ``LIF`` (snnTorch, SpikingJelly): then the
            graph means the netlist in one step from the start, and each level reads only the one before,
            through neurons that hand on, for backends do not add what several edges carry. They run
            graphs of one input bus and one output bus.
        dt: the time step that the constants of these are for; of ``Threshold`` none.

    Raises:
        NetlistError: if NIR is not installed, or the graph would be too large.
    """
    library = _library()
    if neurons not in NEURONS:
        raise NetlistError(f"neurons is {neurons!r}; use one of {', '.join(NEURONS)}")
    if neurons != "Threshold":
        netlist = _layered(netlist)
    rows = [_integer_row(neuron) for neuron in netlist.neurons]
    largest = max((sum(map(abs, weights.values())) + abs(bias) for weights, bias in rows), default=0)
    kind = next((name for name, most in EXACT_SUMS.items() if largest < most), None)
    if kind is None:
        raise NetlistError("a neuron's weights are of more than 53 bits, which NIR has no numbers for")
    groups = _groups(netlist)
    nodes: dict[str, Any] = {
        name: library.Input(np.array([width])) for name, width in netlist.inputs.items()
    }
    edges: list[tuple[str, str]] = []
    size = 0

    def connect(source: str, target: str, matrix: np.ndarray, bias: np.ndarray | None) -> None:
        name = _fresh(f"{source}_to_{target}", {*nodes, *groups, *netlist.outputs})
        nodes[name] = library.Linear(matrix) if bias is None else library.Affine(matrix, bias)
        edges.extend([(source, name), (name, target)])

    places = {signal: (name, place) for name, bus in groups.items() for place, signal in enumerate(bus)}
    for name, bus in groups.items():
        if name in netlist.inputs:
            continue
        read = [rows[signal - netlist.input_count] for signal in bus]
        nodes[name] = _neurons(library, neurons, len(bus), dt, kind)
        matrices = _matrices([weights for weights, _ in read], places, groups, kind)
        size += sum(matrix.size for matrix in matrices.values())
        if size > MAX_SYNAPSES:
            raise NetlistError(
                f"its matrices would hold more than {MAX_SYNAPSES:,} numbers, as NIR writes zeros too"
            )
        bias: np.ndarray | None = np.array([constant for _, constant in read], dtype=kind)
        first = next(iter(netlist.inputs))
        for source, matrix in (
            matrices or {first: np.zeros((len(bus), len(groups[first])), dtype=kind)}
        ).items():
            connect(source, name, matrix, bias)
            bias = None
    for name, bus in netlist.outputs.items():
        nodes[name] = library.Output(np.array([len(bus)]))
        for source, matrix in _matrices([{signal: 1} for signal in bus], places, groups, kind).items():
            connect(source, name, matrix, None)
    return library.NIRGraph(nodes, edges, type_check=False)


def _layered(netlist: Netlist) -> Netlist:
    """The same function, of neurons that each read the level before; what is read later is handed on."""
    levels = netlist.levels
    depth = max(levels)
    last = list(levels)
    for signal, neuron in enumerate(netlist.neurons, start=netlist.input_count):
        for source, _ in neuron.synapses:
            last[source] = max(last[source], levels[signal] - 1)
    for bus in netlist.outputs.values():
        for signal in bus:
            last[signal] = depth
    made: list[Neuron] = []
    where = dict(enumerate(range(netlist.input_count)))
    by_level: dict[int, list[int]] = {}
    for signal, level in enumerate(levels):
        by_level.setdefault(level, []).append(signal)
    for level in range(1, depth + 1):
        before, where = where, {}
        handed = [
            (signal, Neuron(((before[signal], 1),), 1)) for signal in before if last[signal] >= level
        ]
        for signal in by_level[level]:
            neuron = netlist.neurons[signal - netlist.input_count]
            synapses = tuple((before[source], weight) for source, weight in neuron.synapses)
            handed.append((signal, Neuron(synapses, neuron.threshold, neuron.bias)))
        for signal, neuron in handed:
            where[signal] = netlist.input_count + len(made)
            made.append(neuron)
    outputs = {name: tuple(where[signal] for signal in bus) for name, bus in netlist.outputs.items()}
    return Netlist(netlist.inputs, tuple(made), outputs)


def _integer_row(neuron: Neuron) -> tuple[dict[int, int], int]:
    """The weights and the bias of a neuron that fires where their sum is at least 1."""
    exact = [Fraction(weight) for _, weight in neuron.synapses]
    common = math.lcm(*(weight.denominator for weight in exact))
    unit = Fraction(math.gcd(*(int(weight * common) for weight in exact)) or 1, common)
    level = math.ceil((neuron.threshold - neuron.bias) / unit)
    weights = {signal: int(weight / unit) for signal, weight in neuron.synapses}
    return weights, 1 - level


def _groups(netlist: Netlist) -> dict[str, Bus]:
    """The signals of each input bus, then of each level, by the name of their node."""
    groups = dict(netlist.input_buses)
    by_level: dict[int, list[int]] = {}
    for signal in range(netlist.input_count, netlist.signal_count):
        by_level.setdefault(netlist.levels[signal], []).append(signal)
    for level in sorted(by_level):
        groups[_fresh(f"level_{level}", {*groups, *netlist.outputs})] = tuple(by_level[level])
    return groups


def _fresh(name: str, taken: Collection[str]) -> str:
    while name in taken:
        name += "_"
    return name


def _matrices(
    rows: Sequence[Mapping[int, int]],
    places: Mapping[int, tuple[str, int]],
    groups: Mapping[str, Bus],
    kind: str,
) -> dict[str, np.ndarray]:
    """The weights of several neurons, by the group that they are on."""
    matrices: dict[str, np.ndarray] = {}
    for row, weights in enumerate(rows):
        for signal, weight in weights.items():
            group, place = places[signal]
            if group not in matrices:
                matrices[group] = np.zeros((len(rows), len(groups[group])), dtype=kind)
            matrices[group][row, place] = weight
    return matrices


def _neurons(library: Any, neurons: str, count: int, dt: Weight | float | str, kind: str) -> nir.NIRNode:
    """A node of neurons that fire where what drives them in one step from rest is above 1/2."""

    def all_of(value: float) -> np.ndarray:
        return np.full(count, value, dtype=kind)

    half, step = all_of(0.5), float(Fraction(dt))
    if neurons == "Threshold":
        return library.Threshold(half)
    if neurons == "IF":
        return library.IF(r=all_of(1 / step), v_threshold=half, v_reset=all_of(0))
    return library.LIF(
        tau=all_of(2 * step), r=all_of(2), v_leak=all_of(0), v_threshold=half, v_reset=all_of(0)
    )
