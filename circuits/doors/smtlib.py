"""Netlists as SMT-LIB files (``.smt2``): a function of all inputs for each output bus."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from spikeproof.circuits.meanings.logic import AND, Logic, netlist_logic
from spikeproof.circuits.netlist import Netlist


def as_smtlib(netlist: Netlist) -> bytes:
    """A netlist as the content of an SMT-LIB file.

    The function ``netlist.OUTPUT`` takes the input buses in their order, ``in.INPUT`` in its definition.
    Nothing is asserted.
    """
    logic, driven = netlist_logic(netlist)
    nodes = {0: "#b0"}
    for name, bus in netlist.input_buses.items():
        for place, signal in enumerate(bus):
            nodes[1 + signal] = f"((_ extract {place} {place}) in.{name})"
    widths = netlist.inputs.items()
    parameters = " ".join(f"(in.{name} (_ BitVec {width}))" for name, width in widths)
    lines = ["(set-logic QF_BV)"]
    first = 0
    for name, width in netlist.output_widths.items():
        literals = driven[first : first + width]
        first += width
        lines.append(f"(define-fun netlist.{name} ({parameters}) (_ BitVec {width})")
        lines += _body(logic, literals, nodes)
    return "".join(f"{line}\n" for line in lines).encode()


def _body(logic: Logic, literals: Sequence[int], inputs: Mapping[int, str]) -> list[str]:
    """The word of some literals, and the end of its definition.

    Nodes of one level are named together, so that names are nested as deep as the circuit is, not as
    often as it has nodes.
    """
    first = 1 + logic.inputs
    terms = dict(inputs)
    levels: dict[int, int] = {}
    named = defaultdict[int, list[str]](list)

    def operand(literal: int) -> str:
        term = terms[literal >> 1]
        return f"(bvnot {term})" if literal & 1 else term

    for node in logic.live(literals):
        kind, a, b = logic.operations[node - first]
        levels[node] = 1 + max(levels.get(a >> 1, 0), levels.get(b >> 1, 0))
        function = "bvand" if kind == AND else "bvxor"
        named[levels[node]].append(f"($w{node} ({function} {operand(a)} {operand(b)}))")
        terms[node] = f"$w{node}"
    bits = [operand(literal) for literal in reversed(literals)]
    word = bits[0] if len(bits) == 1 else f"(concat {' '.join(bits)})"
    lets = [f"  (let ({' '.join(named[level])})" for level in sorted(named)]
    return [*lets, f"  {word}{')' * (len(lets) + 1)}"]
