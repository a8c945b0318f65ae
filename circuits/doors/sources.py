"""Circuits from wherever they are: a file of any format, or what a function of a user gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spikeproof.circuits.doors import json
from spikeproof.circuits.doors.aiger import read_aiger
from spikeproof.circuits.doors.apart import NAMED, ForeignCodeError, Limits, ask_apart, loaded
from spikeproof.circuits.doors.buses import Order
from spikeproof.circuits.doors.files import read_circuit
from spikeproof.circuits.netlist import Netlist, NetlistError


@dataclass(frozen=True)
class Interface:
    """How the bits of a circuit are to be read.

    Attributes:
        inputs, outputs: widths of its buses by name, in order; None to take them as they are.
        order: which bit of every bus stands first.
        steps: time steps of a module that is run.
    """

    inputs: Mapping[str, int] | None = None
    outputs: Mapping[str, int] | None = None
    order: Order = "lsb"
    steps: int = 1


def read_source(source: str, interface: Interface, limits: Limits) -> tuple[Netlist, Interface]:
    """A circuit from a file, or from ``package.module:factory``, and how its bits are still to be read.

    Raises:
        NetlistError: if there is none, or it cannot be read; one line.
    """
    if NAMED.fullmatch(source) and not Path(source).exists():
        found = ask_apart(f"{__name__}:{made.__name__}", {"factory": source}, source, limits)
        netlist = _parsed(source, found)
    else:
        netlist = _read_file(source, interface)
    if interface.steps > 1:
        raise NetlistError(f"{source} is a circuit without memory, of one step; leave out --time")
    return netlist, interface


def _read_file(source: str, interface: Interface) -> Netlist:
    """A file; of an AIGER file whose bits have no names they are those of the interface."""
    try:
        return read_circuit(source)
    except NetlistError:
        if not (Path(source).suffix in (".aag", ".aig") and interface.inputs and interface.outputs):
            raise
        return read_aiger(source, interface.inputs, interface.outputs)


def _parsed(source: str, data: Any) -> Netlist:
    try:
        return json.parse(data)
    except NetlistError as error:
        raise NetlistError(f"{source}: {error}") from None


def made(request: dict[str, str]) -> dict[str, Any]:
    """The netlist that a factory gives, as JSON has it. Not in our process."""
    factory = loaded(request["factory"])
    if not callable(factory):
        raise ForeignCodeError(
            f"it is of type {type(factory).__name__}; name a function that gives a Netlist"
        )
    netlist = factory()
    if not isinstance(netlist, Netlist):
        raise ForeignCodeError(
            f"it gives something of type {type(netlist).__name__}; let it give a Netlist"
        )
    return netlist.serialise()
