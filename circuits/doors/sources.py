"""Circuits from wherever they are: a file of any format, or what a function of a user gives."""

from __future__ import annotations

import inspect
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from spikeproof.circuits.doors import json
from spikeproof.circuits.doors.aiger import read_aiger
from spikeproof.circuits.doors.apart import NAMED, ForeignCodeError, Limits, ask_apart, loaded
from spikeproof.circuits.doors.buses import Order, Widths
from spikeproof.circuits.doors.files import read_circuit, selected_outputs
from spikeproof.circuits.doors.modules import AXES, import_module
from spikeproof.circuits.doors.nir import read_nir
from spikeproof.circuits.doors.nir_backends import BACKENDS
from spikeproof.circuits.doors.nir_reading import Reading
from spikeproof.circuits.netlist import Netlist, NetlistError


@dataclass(frozen=True)
class Interface:
    """How a circuit is to be read.

    Attributes:
        inputs, outputs: widths of its buses by name, in order; None to take them as they are.
        order: which bit of every bus stands first.
        steps: of what has memory, after how many time steps its outputs are read; inputs are held.
        reset: that a PyTorch module is reset before every call.
        pure: refuse what is no neuron in a PyTorch module.
        reading: of a graph of NIR, what it does not state, as ``Reading.parse`` takes it.
        axes: of the tensors of a PyTorch module, as ``from_module`` takes them.
    """

    inputs: Mapping[str, int] | None = None
    outputs: Mapping[str, int] | None = None
    order: Order = "lsb"
    steps: int | None = None
    reset: bool = False
    pure: bool = False
    reading: str | None = None
    axes: str | None = None

    def require_use(self, *sources: str) -> None:
        """Refuse what is said that none of some sources has a use for.

        Raises:
            NetlistError: naming the option to leave out.
        """
        if self.reading is not None and not any(map(_is_graph, sources)):
            raise NetlistError(f"{sources[0]} is no graph of NIR (.nir); leave out --as, the reading")
        if (self.reset or self.pure or self.axes) and not any(map(_is_code, sources)):
            raise NetlistError(
                f"{sources[0]} is no PyTorch module; leave out --reset, --pure and --axes"
            )

    def with_buses(self, inputs: Widths | None, outputs: Widths | None) -> Interface:
        """The same, with these buses where none were declared."""
        return replace(self, inputs=self.inputs or inputs, outputs=self.outputs or outputs)


def read_source(
    source: str,
    interface: Interface,
    limits: Limits,
    inputs: Widths | None = None,
    outputs: Widths | None = None,
) -> tuple[Netlist, Interface]:
    """A circuit from a file, or from ``package.module:factory``, and how its bits are still to be read.

    Args:
        inputs, outputs: the buses, by width in order, of what has none of its own, PyTorch modules and
            graphs of NIR, unless the interface declares them.

    Raises:
        NetlistError: if there is none, or it cannot be read; one line.
    """
    wanted = interface.with_buses(inputs, outputs)
    if _is_code(source):
        return _from_code(source, interface, wanted, limits)
    if _is_graph(source):
        return _read_graph(source, wanted), interface
    if Path(source).suffix == ".py":
        raise NetlistError(f"{source} is Python; say what in it makes the circuit, as {source}:NAME")
    return _read_file(source, interface), interface


def read_other(
    source: str, interface: Interface, limits: Limits, inputs: Widths | None, outputs: Widths | None
) -> Netlist:
    """A circuit that another, of this interface, is compared with: with the buses that it has itself.

    What the interface says of memory holds for it too, if it has some.

    Raises:
        NetlistError: as ``read_source``.
    """
    bare = replace(interface, inputs=None, outputs=None, order="lsb")
    try:
        return read_source(source, replace(bare, steps=None), limits, inputs, outputs)[0]
    except NetlistError:
        if interface.steps is None:
            raise
        return read_source(source, bare, limits, inputs, outputs)[0]


def _is_code(source: str) -> bool:
    return bool(NAMED.fullmatch(source)) and not Path(source).exists()


def _is_graph(source: str) -> bool:
    return Path(source).suffix.lower() == ".nir"


def _read_file(source: str, interface: Interface) -> Netlist:
    """A file; of an AIGER file whose bits have no names they are those of the interface."""
    try:
        return read_circuit(source, interface.steps)
    except NetlistError:
        if not (Path(source).suffix in (".aag", ".aig") and interface.inputs and interface.outputs):
            raise
        return read_aiger(source, interface.inputs, interface.outputs, steps=interface.steps)


# --- graphs of NIR --------------------------------------------------------------------------------


def _read_graph(source: str, interface: Interface) -> Netlist:
    """A graph of NIR, whose inputs are held, and whose outputs are read in the last step."""
    if interface.reading is None:
        raise NetlistError(
            f"{source}: NIR states no time step, strictness or reset; state how to read it, as in "
            f"--as snntorch,steps=1, of {', '.join(BACKENDS)}, or in full: see docs/nir.md"
        )
    steps = "" if interface.steps is None else f",steps={interface.steps}"
    reading = Reading.parse(interface.reading + steps)
    if reading.steps == 1:
        return read_nir(source, reading, inputs=interface.inputs, outputs=interface.outputs)
    if interface.inputs is None or interface.outputs is None:
        raise NetlistError(f"{source}: name its buses with --inputs and --outputs")
    netlist = read_nir(
        source, reading, inputs=interface.inputs, outputs=interface.outputs, held=interface.inputs
    )
    last = {f"{name}.{reading.steps - 1}": name for name in interface.outputs}
    read = selected_outputs(netlist, last)
    return replace(read, outputs={last[name]: bus for name, bus in read.outputs.items()})


# --- code -----------------------------------------------------------------------------------------


def _from_code(
    source: str, interface: Interface, wanted: Interface, limits: Limits
) -> tuple[Netlist, Interface]:
    """What a factory gives: a netlist as it is, or a PyTorch module, run on symbolic bits."""
    started = time.monotonic()
    found = ask_apart(f"{__name__}:{made.__name__}", {"factory": source}, source, limits)
    if found is None:
        left = max(limits.seconds - (time.monotonic() - started), 1.0)
        netlist = _from_module(source, wanted, replace(limits, seconds=left))
        return netlist, replace(interface, order="lsb")
    if interface.steps is not None:
        raise NetlistError(f"{source} gives a Netlist, which has no memory; leave out the steps")
    try:
        return json.parse(found), interface
    except NetlistError as error:
        raise NetlistError(f"{source}: {error}") from None


def _from_module(source: str, interface: Interface, limits: Limits) -> Netlist:
    if not (interface.inputs and interface.outputs):
        raise NetlistError(
            f"{source} gives a PyTorch module; name its buses with --inputs and --outputs"
        )
    return import_module(
        source,
        interface.inputs,
        interface.outputs,
        steps=interface.steps or 1,
        order=interface.order,
        axes=interface.axes or AXES[0],
        reset=interface.reset,
        pure=interface.pure,
        seconds=limits.seconds,
        memory_mib=limits.memory_mib,
    )


def made(request: dict[str, str]) -> dict[str, Any] | None:
    """The netlist that a factory gives, as JSON has it; None for a module. Not in our process."""
    factory = loaded(request["factory"])
    if _is_module(factory):
        return None
    if not callable(factory):
        raise ForeignCodeError(
            f"it is of type {type(factory).__name__}; name a function that gives a Netlist"
        )
    _require_factory(factory)
    found = factory()
    if isinstance(found, Netlist):
        return found.serialise()
    if not callable(found):
        raise ForeignCodeError(
            f"it gives something of type {type(found).__name__}; let it give a Netlist or PyTorch module"
        )
    return None


def _require_factory(function: Callable[..., Any]) -> None:
    """Refuse what wants to be given something, as the definition of a layer does."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except ValueError:  # it has none to be read
        return
    named = (each for each in parameters if each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD))
    if needed := [each.name for each in named if each.default is each.empty]:
        raise ForeignCodeError(
            f"it takes {', '.join(needed)}, and what makes a circuit takes nothing; a layer's "
            "definition is compared with a theorem program.*, not with one unit's: see "
            "spikeproof list 'program.*'"
        )


def _is_module(thing: Any) -> bool:
    torch = sys.modules.get("torch")  # without which nothing is one
    return torch is not None and isinstance(thing, torch.nn.Module)
