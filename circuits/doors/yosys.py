"""Netlists as JSON of Yosys: what its ``write_json`` writes and its ``read_json`` reads.

What its cells mean is said in the Yosys manual, "Internal cell library".
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from spikeproof.circuits.doors.gates import HIGH, LOW, Circuit, Cube, Gate, Net, Register
from spikeproof.circuits.doors.json import read_decoded
from spikeproof.circuits.doors.unrolling import Steps, unrolled
from spikeproof.circuits.meanings.logic import AND, netlist_logic
from spikeproof.circuits.netlist import Netlist, NetlistError

COVERS: dict[str, tuple[str, tuple[str, ...], bool]] = {
    "$_BUF_": ("A", ("1",), False),
    "$_NOT_": ("A", ("0",), False),
    "$_AND_": ("AB", ("11",), False),
    "$_NAND_": ("AB", ("11",), True),
    "$_OR_": ("AB", ("00",), True),
    "$_NOR_": ("AB", ("00",), False),
    "$_XOR_": ("AB", ("10", "01"), False),
    "$_XNOR_": ("AB", ("10", "01"), True),
    "$_ANDNOT_": ("AB", ("10",), False),
    "$_ORNOT_": ("AB", ("01",), True),
    "$_MUX_": ("ABS", ("1-0", "-11"), False),
    "$_NMUX_": ("ABS", ("1-0", "-11"), True),
    "$_AOI3_": ("ABC", ("11-", "--1"), True),
    "$_OAI3_": ("ABC", ("1-1", "-11"), True),
    "$_AOI4_": ("ABCD", ("11--", "--11"), True),
    "$_OAI4_": ("ABCD", ("1-1-", "1--1", "-11-", "-1-1"), True),
}
"""For each gate its inputs; values of these, - being either; and whether its output Y is 0 there."""

CLOCKED: dict[str, tuple[str, bool | None]] = {
    "$_DFF_P_": ("C", True),
    "$_DFF_N_": ("C", False),
    "$dff": ("CLK", None),
}
"""For each register its clock, and whether it is the rising edge; None where a parameter says so."""

# --- reading ------------------------------------------------------------------------------------


def read_yosys_json(path: Path | str, steps: int | Steps | None = None) -> Netlist:
    """Read the top module of a JSON file that Yosys wrote, flattened and mapped to its own gates.

    Args:
        steps: over how many a module with registers is unrolled: see ``doors.unrolling``.

    Raises:
        NetlistError: if the file cannot be read, is not of this form, has other cells, or has registers
            and no steps are given; one line.
    """
    return read_decoded(path, lambda data: unrolled(circuit_of(data), steps))


def circuit_of(data: Any) -> Circuit:
    """The gates and registers that decoded JSON stands for: see ``read_yosys_json``.

    Raises:
        NetlistError: if it is not of that form.
    """
    try:
        return _circuit(data["modules"][top(data["modules"])])
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        if isinstance(error, NetlistError):
            raise
        raise NetlistError(f"it is not a netlist of Yosys: {error!r}; write it by write_json") from None


def top(modules: Mapping[str, Any]) -> str:
    """The name of the module at the top.

    Raises:
        NetlistError: if there is none, or several.
    """
    if len(modules) > 1:
        modules = {name: each for name, each in modules.items() if _at_top(each["attributes"])}
    if len(modules) != 1:
        raise NetlistError(f"{len(modules)} modules are at the top; run `hierarchy -top NAME; flatten`")
    return next(iter(modules))


def _at_top(attributes: Mapping[str, Any]) -> bool:
    """Whether the attribute ``top``, binary digits or a number, is 1 and not 0."""
    return int(str(attributes.get("top", 0)), 2) != 0


def _circuit(module: Mapping[str, Any]) -> Circuit:
    cells = {n: c for n, c in module["cells"].items() if c["type"] != "$scopeinfo"}  # no logic
    clocked = {name: cell for name, cell in cells.items() if cell["type"] in CLOCKED}
    gates = [_gate(name, cell) for name, cell in cells.items() if name not in clocked]
    resets = _resets(module)
    registers = [pair for name, cell in clocked.items() for pair in _registers(name, cell, resets)]
    if len({net for net, _ in (*gates, *registers)}) < len(gates) + len(registers):
        raise NetlistError("two cells drive the same net")
    if module.get("processes") or module.get("memories"):
        raise NetlistError("it has processes or memories; run `proc; memory`")
    sides: dict[str, dict[str, list[Net]]] = {"input": {}, "output": {}}
    for name, port in module["ports"].items():
        if port["direction"] not in ("input", "output"):
            raise NetlistError(
                f"it has a port of direction {port['direction']!r}; only inputs and outputs are read"
            )
        sides[port["direction"]][name] = [_net(bit) for bit in port["bits"]]
    clocks = frozenset(_clock(name, cell) for name, cell in clocked.items())
    return Circuit(sides["input"], dict(gates), sides["output"], dict(registers), clocks, _names(module))


def _gate(name: str, cell: Mapping[str, Any]) -> tuple[Net, Gate]:
    """The net that a cell drives, and how."""
    kind = cell["type"]
    if kind not in COVERS:
        raise NetlistError(
            f"cell {name!r} is a {kind}, which is no gate; flatten the design and map it by "
            "`memory; async2sync; dffunmap; techmap; simplemap`; latches are not read"
        )
    letters, patterns, negated = COVERS[kind]
    nets = {letter: _wire(name, cell, letter) for letter in (*letters, "Y")}
    cubes = tuple(_cube([nets[letter] for letter in letters], pattern) for pattern in patterns)
    return nets["Y"], Gate(cubes, negated)


def _wire(name: str, cell: Mapping[str, Any], port: str) -> Net:
    bits = cell["connections"][port]
    if len(bits) != 1:
        raise NetlistError(f"cell {name!r} has a port of more than one bit")
    return _net(bits[0])


def _cube(nets: Sequence[Net], pattern: str) -> Cube:
    return tuple((net, value == "1") for net, value in zip(nets, pattern, strict=True) if value != "-")


def _net(bit: Any) -> Net:
    """A net by number, or a constant; what is undefined is refused."""
    if isinstance(bit, int) and not isinstance(bit, bool):
        return bit
    if bit in ("0", "1"):
        return HIGH if bit == "1" else LOW
    raise NetlistError(f"a net is {bit!r}; give every net a value of 0 or 1 (`setundef -zero`)")


def _registers(
    name: str, cell: Mapping[str, Any], resets: Mapping[Net, bool]
) -> list[tuple[Net, Register]]:
    """The nets that a row of registers drives, and from what."""
    sources, driven = (cell["connections"][port] for port in ("D", "Q"))
    if len(sources) != len(driven):
        raise NetlistError(f"cell {name!r} has {len(driven)} outputs of {len(sources)} inputs")
    return [
        (_net(net), Register(_net(source), resets.get(net)))
        for net, source in zip(driven, sources, strict=True)
    ]


def _clock(name: str, cell: Mapping[str, Any]) -> tuple[Net, bool]:
    port, rising = CLOCKED[cell["type"]]
    if rising is None:
        rising = int(cell["parameters"]["CLK_POLARITY"], 2) == 1
    return _wire(name, cell, port), rising


def _resets(module: Mapping[str, Any]) -> dict[Net, bool]:
    """The values of nets in the first step, as far as the attribute ``init`` states them."""
    resets: dict[Net, bool] = {}
    for name, wire in module.get("netnames", {}).items():
        init = wire.get("attributes", {}).get("init", "")
        for bit, value in zip(wire["bits"], reversed(init), strict=False):
            if value not in ("0", "1") or not isinstance(bit, int):
                continue  # undefined, or of a constant
            if resets.setdefault(bit, value == "1") != (value == "1"):
                raise NetlistError(
                    f"{name!r} has net {bit} begin as {value}, and another name of it differs; keep one "
                    "value of the attribute init"
                )
    return resets


def _names(module: Mapping[str, Any]) -> dict[Net, str]:
    """What the source calls nets."""
    return {
        bit: f"{name}[{place}]" if len(wire["bits"]) > 1 else name
        for name, wire in module.get("netnames", {}).items()
        if not wire.get("hide_name")
        for place, bit in enumerate(wire["bits"])
    }


# --- writing ------------------------------------------------------------------------------------


def as_yosys_json(netlist: Netlist) -> bytes:
    """A netlist as the content of a JSON file for Yosys: one module of gates with two inputs at most."""
    logic, driven = netlist_logic(netlist)
    first = 1 + netlist.input_count
    ports = {
        name: {"direction": "input", "bits": [2 + signal for signal in bus]}
        for name, bus in netlist.input_buses.items()
    }
    inverted: dict[int, int] = {}
    cells: dict[str, Any] = {}

    def cell(kind: str, **connections: int | str) -> None:
        directions = {port: "output" if port == "Y" else "input" for port in connections}
        cells[f"g{len(cells)}"] = {
            "hide_name": 0,
            "type": kind,
            "parameters": {},
            "attributes": {},
            "port_directions": directions,
            "connections": {port: [bit] for port, bit in connections.items()},
        }

    def bit(literal: int) -> int | str:
        """The net of a literal; that of node n is n + 1, its inverse's after all of these."""
        node = literal >> 1
        if not node:
            return str(literal)
        if not literal & 1:
            return node + 1
        if literal not in inverted:
            inverted[literal] = first + len(logic.operations) + 1 + len(inverted)
            cell("$_NOT_", A=node + 1, Y=inverted[literal])
        return inverted[literal]

    for node in logic.live(driven):
        kind, a, b = logic.operations[node - first]
        cell("$_AND_" if kind == AND else "$_XOR_", A=bit(a), B=bit(b), Y=node + 1)
    outputs = iter([bit(literal) for literal in driven])
    for name, width in netlist.output_widths.items():
        ports[name] = {"direction": "output", "bits": [next(outputs) for _ in range(width)]}
    names = {
        name: {"hide_name": 0, "bits": port["bits"], "attributes": {}} for name, port in ports.items()
    }
    module = {"attributes": {"top": f"{1:032b}"}, "ports": ports, "cells": cells, "netnames": names}
    written = {"creator": "spikeproof", "modules": {"netlist": module}}
    return (json.dumps(written, indent=1) + "\n").encode()
