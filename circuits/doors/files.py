"""Circuits from files, whatever their format."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from spikeproof.circuits.clocked import SCHEMA as CLOCKED
from spikeproof.circuits.doors import json, yosys
from spikeproof.circuits.doors.aiger import as_aiger, read_aiger
from spikeproof.circuits.doors.blif import as_blif, read_blif
from spikeproof.circuits.doors.btor2 import as_btor2
from spikeproof.circuits.doors.nir import as_nir, read_nir
from spikeproof.circuits.doors.smtlib import as_smtlib
from spikeproof.circuits.doors.unrolling import Steps, unrolled, unrolled_neurons
from spikeproof.circuits.doors.verilog import as_verilog, read_verilog
from spikeproof.circuits.netlist import Netlist, NetlistError


def _read_json(path: Path, steps: int | Steps | None) -> Netlist:
    """Of ours, with states or without; or of Yosys, which has modules."""

    def netlist_of(data: Any) -> Netlist:
        if isinstance(data, dict) and "modules" in data:
            return unrolled(yosys.circuit_of(data), steps)
        if isinstance(data, dict) and data.get("schema") == CLOCKED:
            return unrolled_neurons(json.parse_clocked(data), steps)
        if steps is not None:
            raise NetlistError("its neurons have no memory; leave out the steps")
        return json.parse(data)

    return json.read_decoded(path, netlist_of)


READERS: Mapping[str, Callable[[Path, int | Steps | None], Netlist]] = {
    ".json": _read_json,
    ".aag": lambda path, steps: read_aiger(path, steps=steps),
    ".aig": lambda path, steps: read_aiger(path, steps=steps),
    ".blif": read_blif,
    ".nir": lambda path, steps: read_nir(path),
    ".v": read_verilog,
    ".sv": read_verilog,
    ".yosys.json": yosys.read_yosys_json,
}
"""By the end of the file's name; the longest that fits counts."""

WRITERS: Mapping[str, Callable[[Netlist], bytes]] = {
    ".json": json.as_json,
    ".aag": partial(as_aiger, binary=False),
    ".aig": partial(as_aiger, binary=True),
    ".blif": as_blif,
    ".nir": as_nir,
    ".v": as_verilog,
    ".smt2": as_smtlib,
    ".btor2": as_btor2,
    ".yosys.json": yosys.as_yosys_json,
}
"""What a file holds, likewise."""

NAMES_APART = {".json", ".smt2", ".btor2"}
"""Formats in which an input and an output can have the same name."""


def read_circuit(path: Path | str, steps: int | Steps | None = None) -> Netlist:
    """Read a circuit from a file of JSON, of ours or of Yosys, of AIGER, BLIF, Verilog or SystemVerilog.

    The end of its name says which; without one of ``READERS`` it is taken for JSON. A graph of NIR is
    refused, with what must be stated of it: ``read_nir`` takes that.

    Args:
        steps: of a circuit with registers, in which step its outputs are read, counting from 1: in
            the first no register has changed yet. Inputs are held; see ``Steps`` for those that are
            fixed, or that each step has of its own. None for a circuit without memory.

    Raises:
        NetlistError: if it cannot be read, or is not of that format; one line.
    """
    return READERS[_end(path, READERS) or ".json"](Path(path), steps)


def selected_outputs(netlist: Netlist, names: Collection[str]) -> Netlist:
    """A circuit of which only these outputs count; its notes say which do not.

    Raises:
        NetlistError: if it lacks one of them.
    """
    if missing := sorted(set(names) - set(netlist.outputs)):
        raise NetlistError(
            f"it has no output {missing[0]!r}; its outputs are {', '.join(netlist.outputs)}"
        )
    ignored = [name for name in netlist.outputs if name not in names]
    return replace(
        netlist,
        outputs={name: bus for name, bus in netlist.outputs.items() if name in names},
        notes=(*netlist.notes, *([f"outputs ignored: {', '.join(ignored)}"] if ignored else [])),
    )


def write_circuit(netlist: Netlist, path: Path | str) -> None:
    """Write a circuit as a file of the format that the end of its name says.

    JSON of ours (``.json``) or of Yosys (``.yosys.json``), AIGER (``.aag``, ``.aig``), BLIF (``.blif``),
    NIR (``.nir``), Verilog (``.v``), SMT-LIB (``.smt2``) or BTOR2 (``.btor2``).

    Raises:
        NetlistError: if it says none of these.
        OSError: if the file cannot be written.
    """
    Path(path).write_bytes(as_file(netlist, path))


def as_file(netlist: Netlist, path: Path | str) -> bytes:
    """What a file of that name should hold.

    Raises:
        NetlistError: if the end of the name says no format that is written, or one in which an input and
            an output cannot have the same name.
    """
    end = _end(path, WRITERS)
    if end is None:
        raise NetlistError(f"{path} is of no known format; end its name in {', '.join(WRITERS)}")
    twice = min(set(netlist.inputs) & set(netlist.outputs), default=None)
    if twice and end not in NAMES_APART:
        raise NetlistError(f"an input and an output are named {twice!r}; rename one, or write .json")
    return WRITERS[end](netlist)


def _end(path: Path | str, ends: Iterable[str]) -> str | None:
    """The longest of some ends that a file's name has."""
    name = Path(path).name.lower()
    return max(filter(name.endswith, ends), key=len, default=None)
