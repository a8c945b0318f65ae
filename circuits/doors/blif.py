"""Netlists as files of the Berkeley Logic Interchange Format (``.blif``), of one model.

The format is that of "Berkeley Logic Interchange Format (BLIF)", University of California, 1992, as
Yosys and ABC write and read it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from spikeproof.circuits.doors.gates import (
    Circuit,
    Gate,
    Net,
    Register,
    bits,
    buses_by_name,
    read_file,
)
from spikeproof.circuits.doors.unrolling import Steps, unrolled
from spikeproof.circuits.meanings.logic import AND, netlist_logic
from spikeproof.circuits.netlist import Netlist, NetlistError

# --- reading ------------------------------------------------------------------------------------


def read_blif(path: Path | str, steps: int | Steps | None = None) -> Netlist:
    """Read the only model of a BLIF file; its ports ``x[0]``, ``x[1]``, ... are the bits of buses.

    Args:
        steps: over how many a model with latches is unrolled: see ``doors.unrolling``.

    Raises:
        NetlistError: if the file cannot be read, is not of this form, or has latches and no steps are
            given; one line.
    """
    return read_file(path, lambda content: unrolled(_circuit(content.decode("ascii")), steps))


def _circuit(text: str) -> Circuit:
    inputs: list[tuple[str, Net]] = []
    outputs: list[tuple[str, Net]] = []
    gates: dict[Net, Gate] = {}
    registers: dict[Net, Register] = {}
    clocks: set[tuple[Net, bool]] = set()
    models = 0
    for number, (word, *rest), cover in _statements(text):
        where = f"line {number}"
        if word == ".model":
            models += 1
            if models > 1:
                raise NetlistError(f"{where} begins a second model; flatten them into one")
        elif word in (".inputs", ".outputs"):
            (inputs if word == ".inputs" else outputs).extend((name, name) for name in rest)
        elif word == ".names":
            if not rest:
                raise NetlistError(f"{where} names no net")
            _require_new(where, rest[-1], gates, registers)
            gates[rest[-1]] = _gate(where, rest[:-1], cover)
        elif word == ".latch":
            driven, latch, clock = _latch(where, rest)
            _require_new(where, driven, gates, registers)
            registers[driven] = latch
            clocks |= clock
        elif word != ".end":
            raise NetlistError(f"{where} has {word!r}; only .names and .latch are read, flattened")
    if twice := next((name for name, _ in inputs if name in gates or name in registers), None):
        raise NetlistError(f"input {twice!r} is driven by a gate too")
    return Circuit(
        buses_by_name(inputs, "input"),
        gates,
        buses_by_name(outputs, "output"),
        registers,
        frozenset(clocks),
    )


def _require_new(where: str, net: str, *driven: Mapping[Net, object]) -> None:
    if any(net in nets for nets in driven):
        raise NetlistError(f"{where} drives {net!r}, which is driven already")


EDGES = {"re": True, "fe": False}
"""Which edge of its clock a latch changes at; other kinds are no registers."""

RESETS = {"0": False, "1": True, "2": None, "3": None}
"""What a latch is at first; 2 and 3 say that it is anything."""


def _latch(where: str, words: list[str]) -> tuple[str, Register, set[tuple[Net, bool]]]:
    """The net that a latch drives, the latch, and its clock, if it has one of its own."""
    if not 2 <= len(words) <= 5:
        raise NetlistError(f"{where} is no latch; write .latch INPUT OUTPUT [re CLOCK] [0, 1, 2 or 3]")
    source, driven, *kind = words
    reset = kind.pop() if len(kind) % 2 else "3"
    if reset not in RESETS:
        raise NetlistError(f"{where} has a latch that begins as {reset!r}; write 0, 1, 2 or 3")
    if kind and kind[0] not in EDGES:
        raise NetlistError(f"{where} has a latch of kind {kind[0]!r}; only re and fe are read")
    clocks: set[tuple[Net, bool]] = {(kind[1], EDGES[kind[0]])} if kind and kind[1] != "NIL" else set()
    return driven, Register(source, RESETS[reset]), clocks


Statement = tuple[int, list[str], list[list[str]]]
"""The number of its line, its words, and the words of the lines of its cover."""


def _statements(text: str) -> Iterator[Statement]:
    statement: Statement | None = None
    for number, line in _logical_lines(text):
        words = line.split()
        if words and words[0].startswith("."):
            if statement:
                if statement[1][0] == ".end":
                    raise NetlistError(
                        f"line {number} has {words[0]!r} after .end; flatten the models into one"
                    )
                yield statement
            statement = (number, words, [])
        elif words:
            if not statement or statement[1][0] != ".names":
                raise NetlistError(f"line {number} is {line.strip()[:40]!r}; it belongs to no .names")
            statement[2].append(words)
    if statement:
        yield statement
    if not statement or statement[1][0] != ".end":
        raise NetlistError("the file does not end with .end; is it whole?")


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines without comments, those that end in a backslash joined with the next."""
    joined, first = "", 0
    for number, line in enumerate(text.split("\n"), start=1):
        line = line.partition("#")[0].rstrip()
        first = first or number
        if line.endswith("\\"):
            joined += line[:-1] + " "
            continue
        yield first, joined + line
        joined, first = "", 0


def _gate(where: str, sources: list[str], cover: list[list[str]]) -> Gate:
    """The gate of a cover: lines of a value for each source, and the value that all of them yield."""
    cubes, values = [], set()
    for words in cover:
        pattern = "".join(words[:-1])
        if len(pattern) != len(sources) or not re.fullmatch("[01-]* [01]", f"{pattern} {words[-1]}"):
            raise NetlistError(
                f"the cover of {where} has {' '.join(words)[:40]!r}; write {len(sources)} of 0, 1, - "
                "and the value 0 or 1"
            )
        values.add(words[-1])
        pairs = zip(sources, pattern, strict=True)
        cubes.append(tuple((source, on == "1") for source, on in pairs if on != "-"))
    if len(values) > 1:
        raise NetlistError(f"the cover of {where} has lines for 0 and for 1; keep those of one value")
    return Gate(tuple(cubes), negated=values == {"0"})


# --- writing ------------------------------------------------------------------------------------


def as_blif(netlist: Netlist) -> bytes:
    """A netlist as the content of a BLIF file: one model of gates with two inputs at most."""
    logic, driven = netlist_logic(netlist)
    inputs = bits(netlist.inputs)
    outputs = bits(netlist.output_widths)
    first = 1 + len(inputs)

    def name(literal: int) -> str:
        node = literal >> 1
        return inputs[node - 1] if node < first else f"${node}"  # no port can be called that

    lines = [".model netlist", f".inputs {' '.join(inputs)}", f".outputs {' '.join(outputs)}"]
    for node in logic.live(driven):
        kind, a, b = logic.operations[node - first]
        lines.append(f".names {name(a)} {name(b)} {name(2 * node)}")
        x, y = 1 - (a & 1), 1 - (b & 1)  # values at which both operands are true
        lines += [f"{x}{y} 1"] if kind == AND else [f"{x}{1 - y} 1", f"{1 - x}{y} 1"]
    for output, literal in zip(outputs, driven, strict=True):
        if literal >> 1:
            lines += [f".names {name(literal)} {output}", f"{1 - (literal & 1)} 1"]
        else:
            lines += [f".names {output}", *(["1"] if literal else [])]
    return "".join(f"{line}\n" for line in (*lines, ".end")).encode()
