"""Netlists as structural Verilog: one continuous assignment for each operation of two inputs."""

from __future__ import annotations

from spikeproof.circuits.meanings.logic import AND, netlist_logic
from spikeproof.circuits.netlist import Netlist


def as_verilog(netlist: Netlist) -> bytes:
    """A netlist as the content of a Verilog file: the module ``netlist``, its buses as ports."""
    logic, driven = netlist_logic(netlist)
    first = 1 + netlist.input_count
    sources = [
        _bit(name, width, place) for name, width in netlist.inputs.items() for place in range(width)
    ]

    def operand(literal: int) -> str:
        node = literal >> 1
        if not node:
            return f"1'b{literal}"
        return "~" * (literal & 1) + (sources[node - 1] if node < first else _name(f"${node}"))

    wires = []
    for node in logic.live(driven):
        kind, a, b = logic.operations[node - first]
        sign = "&" if kind == AND else "^"
        wires.append(f"  wire {_name(f'${node}')} = {operand(a)} {sign} {operand(b)};")
    widths = netlist.output_widths
    targets = [_bit(name, width, place) for name, width in widths.items() for place in range(width)]
    ports = [f"input {_range(width)}{_name(name)}" for name, width in netlist.inputs.items()]
    ports += [f"output {_range(width)}{_name(name)}" for name, width in widths.items()]
    assignments = [
        f"  assign {target} = {operand(literal)};"
        for target, literal in zip(targets, driven, strict=True)
    ]
    lines = [f"module netlist({', '.join(ports)});", *wires, *assignments, "endmodule"]
    return "".join(f"{line}\n" for line in lines).encode()


def _name(bus: str) -> str:
    """An escaped identifier: a bus may be called by a keyword, begin with a digit or have a point.

    No bus begins as wires do, with ``$``.
    """
    return f"\\{bus} "


def _bit(bus: str, width: int, place: int) -> str:
    return _name(bus) if width == 1 else f"{_name(bus)}[{place}]"


def _range(width: int) -> str:
    return "" if width == 1 else f"[{width - 1}:0] "
