"""Netlists as BTOR2 files (``.btor2``), for model checkers and solvers of bit-vectors.

The format is that of A. Niemetz, M. Preiner, C. Wolf and A. Biere, "BTOR2, BtorMC and Boolector 3.0",
2018: a line for each sort and node, numbered; a negative number is a node's bitwise negation.
"""

from __future__ import annotations

from spikeproof.circuits.meanings.logic import netlist_logic
from spikeproof.circuits.netlist import Netlist


def as_btor2(netlist: Netlist) -> bytes:
    """A netlist as the content of a BTOR2 file: its buses as inputs and outputs, bit by bit between."""
    logic, driven = netlist_logic(netlist)
    first = 1 + netlist.input_count
    lines = ["sort bitvec 1", "zero 1"]

    def line(text: str) -> int:
        lines.append(text)
        return len(lines)

    widths = sorted({1, *netlist.inputs.values(), *netlist.output_widths.values()})
    sorts = {width: 1 if width == 1 else line(f"sort bitvec {width}") for width in widths}
    words = {name: line(f"input {sorts[width]} {name}") for name, width in netlist.inputs.items()}
    nodes = {0: 2}
    for name, bus in netlist.input_buses.items():
        for place, signal in enumerate(bus):
            whole = len(bus) == 1
            nodes[1 + signal] = words[name] if whole else line(f"slice 1 {words[name]} {place} {place}")

    def operand(literal: int) -> int:
        return -nodes[literal >> 1] if literal & 1 else nodes[literal >> 1]

    for node in logic.live(driven):
        kind, a, b = logic.operations[node - first]  # both are called as in BTOR2
        nodes[node] = line(f"{kind} 1 {operand(a)} {operand(b)}")
    literals = iter(driven)
    for name, width in netlist.output_widths.items():
        word = operand(next(literals))
        for joined in range(2, width + 1):
            sort = sorts.get(joined) or sorts.setdefault(joined, line(f"sort bitvec {joined}"))
            word = line(f"concat {sort} {operand(next(literals))} {word}")
        line(f"output {word} {name}")
    return "".join(f"{number} {text}\n" for number, text in enumerate(lines, start=1)).encode()
