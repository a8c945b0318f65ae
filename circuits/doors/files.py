"""Circuits from files, whatever their format."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from spikeproof.circuits.doors import json, yosys
from spikeproof.circuits.doors.aiger import as_aiger, read_aiger
from spikeproof.circuits.doors.blif import as_blif, read_blif
from spikeproof.circuits.doors.nir import as_nir, read_nir
from spikeproof.circuits.doors.verilog import as_verilog
from spikeproof.circuits.netlist import Netlist, NetlistError


def _read_json(path: Path) -> Netlist:
    """Of ours, or of Yosys, which has modules."""

    def netlist_of(data: Any) -> Netlist:
        of_yosys = isinstance(data, dict) and "modules" in data
        return yosys.parse(data) if of_yosys else json.parse(data)

    return json.read_decoded(path, netlist_of)


READERS: Mapping[str, Callable[[Path], Netlist]] = {
    ".json": _read_json,
    ".aag": read_aiger,
    ".aig": read_aiger,
    ".blif": read_blif,
    ".nir": read_nir,
    ".v": yosys.read_verilog,
    ".sv": yosys.read_verilog,
}
"""By the end of the file's name."""

WRITERS: Mapping[str, Callable[[Netlist], bytes]] = {
    ".json": json.as_json,
    ".aag": partial(as_aiger, binary=False),
    ".aig": partial(as_aiger, binary=True),
    ".blif": as_blif,
    ".nir": as_nir,
    ".v": as_verilog,
}
"""What a file holds, likewise."""


def read_circuit(path: Path | str) -> Netlist:
    """Read a circuit from a file of JSON, of ours or of Yosys, of AIGER, BLIF, Verilog or SystemVerilog.

    The end of its name says which; without one of ``READERS`` it is taken for JSON. A graph of NIR is
    refused, with what must be stated of it: ``read_nir`` takes that.

    Raises:
        NetlistError: if it cannot be read, or is not of that format; one line.
    """
    return READERS.get(Path(path).suffix.lower(), _read_json)(Path(path))


def write_circuit(netlist: Netlist, path: Path | str) -> None:
    """Write a circuit as a file of the format that the end of its name says.

    JSON of ours (``.json``), AIGER (``.aag``, ``.aig``), BLIF (``.blif``), NIR (``.nir``) or Verilog
    (``.v``).

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
    suffix = Path(path).suffix.lower()
    if twice := suffix != ".json" and min(set(netlist.inputs) & set(netlist.outputs), default=None):
        raise NetlistError(f"an input and an output are named {twice!r}; rename one, or write .json")
    if suffix not in WRITERS:
        raise NetlistError(f"{path} is of no known format; end its name in {', '.join(WRITERS)}")
    return WRITERS[suffix](netlist)
