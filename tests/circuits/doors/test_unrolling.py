"""Circuits with memory: what they put out after some steps is what stepping through them gives."""

import json
import os
import random
import re
import subprocess
import sys
from functools import partial

import numpy as np
import pytest

from spikeproof.circuits.clocked import ClockedNetlist
from spikeproof.circuits.doors.files import read_circuit, write_circuit
from spikeproof.circuits.doors.json import write_clocked
from spikeproof.circuits.doors.unrolling import Steps, unrolled_neurons
from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.meanings.clocked import run
from spikeproof.circuits.netlist import NetlistBuilder, NetlistError
from spikeproof.circuits.units.serial import serial_adder
from spikeproof.prover.refutation.drawing import every_input

# --- circuits drawn at random, beside a simulation step by step ----------------------------------

INPUTS, LATCHES, GATES = 3, 4, 12


class Machine:
    """An AIGER file drawn at random; literals as there."""

    def __init__(self, seed: int) -> None:
        draw = random.Random(seed)
        first = 1 + INPUTS + LATCHES
        self.latches = [2 * (1 + INPUTS + place) for place in range(LATCHES)]
        self.gates = [
            (
                2 * (first + place),
                draw.randrange(2 * (first + place)),
                draw.randrange(2 * (first + place)),
            )
            for place in range(GATES)
        ]
        self.last = 2 * (first + GATES)
        self.sources = [draw.randrange(self.last) for _ in range(LATCHES)]
        self.resets = [draw.randrange(2) for _ in range(LATCHES)]
        self.outputs = [draw.randrange(2 * first, self.last) for _ in range(2)]

    def names(self) -> str:
        symbols = [f"i{place} x[{place}]\n" for place in range(INPUTS)]
        return "".join([*symbols, "o0 y[0]\no1 y[1]\n"])

    def ascii(self) -> str:
        counts = f"{self.last // 2 - 1} {INPUTS} {LATCHES} 2 {GATES}"
        latches = zip(self.latches, self.sources, self.resets, strict=True)
        lines = [f"aag {counts}", *(str(2 * (1 + place)) for place in range(INPUTS))]
        lines += [" ".join(map(str, latch)) for latch in latches]
        lines += map(str, self.outputs)
        lines += [" ".join(map(str, gate)) for gate in self.gates]
        return "".join(f"{line}\n" for line in lines) + self.names()

    def binary(self) -> bytes:
        """As ``ascii``; no literal is above 127, so that each difference is one octet."""
        lines = [f"aig {self.last // 2 - 1} {INPUTS} {LATCHES} 2 {GATES}"]
        lines += [f"{source} {reset}" for source, reset in zip(self.sources, self.resets, strict=True)]
        lines += map(str, self.outputs)
        octets = bytearray()
        for gate, *operands in self.gates:
            low, high = sorted(operands)
            octets += bytes([gate - high, high - low])
        return "".join(f"{line}\n" for line in lines).encode() + octets + self.names().encode()

    def run(self, words: list[int]) -> int:
        """The outputs in the last of the steps that have these inputs."""
        state = dict(zip(self.latches, self.resets, strict=True))
        for word in words:
            nets = {0: 0, **{2 * (1 + place): word >> place & 1 for place in range(INPUTS)}, **state}

            def value(literal: int, nets: dict[int, int] = nets) -> int:
                return nets[literal & ~1] ^ literal & 1

            for gate, first, second in self.gates:
                nets[gate] = value(first) & value(second)
            state = {latch: value(s) for latch, s in zip(self.latches, self.sources, strict=True)}
        return sum(value(literal) << place for place, literal in enumerate(self.outputs))


@pytest.mark.parametrize("seed", range(12))
def test_steps_are_as_stepping_through_them(tmp_path, seed):
    machine = Machine(seed)
    (tmp_path / "m.aag").write_text(machine.ascii())
    (tmp_path / "m.aig").write_bytes(machine.binary())
    for count in (1, 2, 4):
        for name in ("m.aag", "m.aig"):
            netlist = read_circuit(tmp_path / name, count)
            found = boolean.evaluate(netlist, every_input(netlist.inputs))["y"].tolist()
            assert found == [machine.run([word] * count) for word in range(8)]
            assert netlist.notes == (f"outputs read in step {count}, {LATCHES} registers; inputs held",)
    each = read_circuit(tmp_path / "m.aag", Steps(3, own_inputs=True))
    assert dict(each.inputs) == {"x.1": 3, "x.2": 3, "x.3": 3}
    columns = every_input(each.inputs)
    found = boolean.evaluate(each, columns)["y"].tolist()
    words = zip(*(columns[f"x.{step}"].tolist() for step in (1, 2, 3)), strict=True)
    assert found == [machine.run(list(steps)) for steps in words]


# --- BLIF and Yosys -------------------------------------------------------------------------------

COUNTER = """.model counter
.inputs step clk
.outputs q[0] q[1]
.latch n0 q[0] re clk 0
.latch n1 q[1] re clk 1
.names step q[0] n0
10 1
01 1
.names step q[0] q[1] n1
110 1
0-1 1
101 1
.end
"""
"""A counter of two bits that begins at 2."""

PIPELINE = """.model pipeline
.inputs a reset clk
.outputs y
.latch a b {kind}
.latch m y {kind}
.names b reset m
10 1
.end
"""


def test_a_counter_in_blif(tmp_path):
    path = tmp_path / "counter.blif"
    path.write_text(COUNTER)
    for count in range(1, 6):
        netlist = read_circuit(path, count)
        assert dict(netlist.inputs) == {"step": 1}
        assert boolean.evaluate(netlist, every_input({"step": 1}))["q"].tolist() == [2, (1 + count) % 4]
    assert netlist.notes[0].endswith("2 registers; inputs held; clocked by the rising edge of clk")


def yosys_counter(cells: dict) -> str:
    """A module with registers 4 and 5, fed by 6 and 7, that begin at 0 and 1."""
    ports = {
        "c": {"direction": "input", "bits": [2]},
        "a": {"direction": "input", "bits": [6, 7]},
        "q": {"direction": "output", "bits": [4, 5]},
    }
    names = {"q": {"hide_name": 0, "bits": [4, 5], "attributes": {"init": "10"}}}
    return json.dumps({"modules": {"m": {"ports": ports, "cells": cells, "netnames": names}}})


def flip_flop(kind: str, **connections: list[int]) -> dict:
    return {"type": kind, "parameters": {"CLK_POLARITY": "00"}, "connections": connections}


@pytest.mark.parametrize(
    "cells",
    [
        {"r": flip_flop("$dff", CLK=[2], D=[6, 7], Q=[4, 5])},
        {
            "r": flip_flop("$_DFF_N_", C=[2], D=[6], Q=[4]),
            "s": flip_flop("$_DFF_N_", C=[2], D=[7], Q=[5]),
        },
    ],
    ids=["words", "bits"],
)
def test_registers_of_yosys(tmp_path, cells):
    path = tmp_path / "register.json"
    path.write_text(yosys_counter(cells))
    first, second = (read_circuit(path, count) for count in (1, 2))
    assert dict(first.inputs) == {"a": 2}
    assert boolean.evaluate(first, every_input({"a": 2}))["q"].tolist() == [2, 2, 2, 2]
    assert boolean.evaluate(second, every_input({"a": 2}))["q"].tolist() == [0, 1, 2, 3]
    assert second.notes[0].endswith("clocked by the falling edge of c")


def named(**inits: str) -> dict:
    """Names of the nets of registers, and of some constants, with the attribute init."""
    return {
        name: {"hide_name": 0, "bits": [4, 5, "0", "x"][: len(init)], "attributes": {"init": init}}
        for name, init in inits.items()
    }


def with_names(names: dict) -> str:
    module = json.loads(yosys_counter({"r": flip_flop("$dff", CLK=[2], D=[6, 7], Q=[4, 5])}))
    module["modules"]["m"]["netnames"] = names
    return json.dumps(module)


def test_one_net_does_not_begin_as_0_and_1(tmp_path):
    """Found in review: the last of two names of a net said what its register begins as."""
    path = tmp_path / "register.json"
    for names in (named(q="10", p="11"), named(p="1", q="10")):
        path.write_text(with_names(names))
        with pytest.raises(
            NetlistError, match=r"'[pq]' has net 4 begin as [01], and another name of it d"
        ):
            read_circuit(path, 1)
    path.write_text(with_names(named(q="10", p="1x", r="0", s="0110", t="1010")))
    assert boolean.evaluate(read_circuit(path, 1), every_input({"a": 2}))["q"].tolist() == [2] * 4


def test_what_is_not_defined_yet_is_refused(tmp_path):
    """Unless the inputs that are fixed make it immaterial."""
    path = tmp_path / "pipeline.blif"
    path.write_text(PIPELINE.format(kind="re clk 3"))
    with pytest.raises(NetlistError, match="depend on register y before it has a value; read them in a"):
        read_circuit(path, 1)
    with pytest.raises(NetlistError, match="depend on register b before it has a value"):
        read_circuit(path, 2)
    assert list(read_circuit(path, 3).inputs) == ["a", "reset"]
    netlist = read_circuit(path, Steps(2, fixed={"reset": [1, 0]}))
    assert boolean.evaluate(netlist, every_input({"a": 1}))["y"].tolist() == [0, 0]
    netlist = read_circuit(path, Steps(3, fixed={"reset": [1, 0]}))
    assert boolean.evaluate(netlist, every_input({"a": 1}))["y"].tolist() == [0, 1]
    assert "reset = 1, 0" in netlist.notes[0]


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        (None, "it has 2 registers; state in which step its outputs are read"),
        (0, "it cannot be read in step 0; the first is 1"),
        (Steps(2, fixed={"r": [1]}), "'r' is to be fixed, and is none of its inputs, a, reset, clk"),
        (Steps(2, fixed={"reset": [2]}), r"'reset' is to be fixed to [2]; give values of 1 bits"),
        (Steps(2, fixed={"reset": []}), r"'reset' is to be fixed to []; give values of 1 bits"),
        # Found in review: registers changed all the same, and the note said both.
        (
            Steps(2, fixed={"clk": [0]}),
            "'clk' is to be fixed, and is the clock, which has an edge",
        ),
    ],
)
def test_steps_that_do_not_suit_are_refused(tmp_path, steps, message):
    path = tmp_path / "pipeline.blif"
    path.write_text(PIPELINE.format(kind="re clk 0"))
    with pytest.raises(NetlistError, match=re.escape(message)):
        read_circuit(path, steps)


@pytest.mark.parametrize(
    ("latches", "message"),
    [
        (".latch a b re clk 0\n.latch b y fe clk 0", "its registers have 2 clocks or edges"),
        (".latch a b re b 0\n.latch b y re b 0", "the clock is b; only an input of one bit is read"),
        (".latch a y re clk 0\n.latch clk b re clk 0\n.names b y\n1 1", "drives 'y', which is driven"),
        (".latch a b re clk 0\n.names clk b y\n11 1", "nothing drives clk in step 2"),
    ],
)
def test_clocks_that_are_none_are_refused(tmp_path, latches, message):
    path = tmp_path / "clocks.blif"
    path.write_text(f".model m\n.inputs a clk\n.outputs y\n{latches}\n.end\n")
    with pytest.raises(NetlistError, match=re.escape(message)):
        read_circuit(path, 2)


def test_a_netlist_of_neurons_has_no_steps(tmp_path):
    builder = NetlistBuilder()
    write_circuit(builder.build({"y": builder.input("x", 1)}), tmp_path / "unit.json")
    with pytest.raises(NetlistError, match="its neurons have no memory; leave out the steps"):
        read_circuit(tmp_path / "unit.json", 2)


def test_clocked_netlists_of_neurons(tmp_path):
    """As they run step by step, with inputs held, of their own, and fixed; and what does not suit."""
    path = tmp_path / "adder.json"
    clocked = serial_adder("ionic", start=True)
    write_clocked(clocked, path)
    held = read_circuit(path, Steps(3, fixed={"start": [1, 0]}))
    assert held.notes == ("outputs read in step 3, 1 states; inputs held; start = 1, 0",)
    given = every_input(held.inputs)
    # Of the same bit in each step: x + y is seven times as much.
    found = boolean.evaluate(held, given)["sum"]
    assert np.array_equal(found, 7 * (given["x"] + given["y"]) >> np.uint64(2) & np.uint64(1))
    each = read_circuit(path, Steps(2, own_inputs=True))
    assert list(each.inputs) == ["x.1", "x.2", "y.1", "y.2", "start.1", "start.2"]
    given = every_input(each.inputs)
    trains = [{name: given[f"{name}.{step}"] for name in clocked.inputs} for step in (1, 2)]
    *_, last = run(clocked, partial(boolean.evaluate, clocked.step), trains)
    assert np.array_equal(boolean.evaluate(each, given)["sum"], last["sum"])
    for steps, message in (
        (None, "it has the states carry; state in which step"),
        (0, "it cannot be read in step 0"),
        (
            Steps(2, fixed={"carry": [1]}),
            "'carry' is to be fixed, and is none of its inputs, x, y, start",
        ),
        (Steps(2, fixed={"start": [2]}), "give values of 1 bits"),
    ):
        with pytest.raises(NetlistError, match=message):
            read_circuit(path, steps)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"initial": []}, r"'initial' is \[\]; it must be an object"),
        ({"initial": {"carry": 2}}, "state 'carry' cannot begin as 2"),
        ({"reset": 1}, "unknown key 'reset'"),
        ({"step": 1}, "not a netlist"),
    ],
)
def test_damaged_clocked_netlists_are_refused(tmp_path, changed, message):
    path = tmp_path / "adder.json"
    path.write_text(json.dumps({**serial_adder("ionic").serialise(), **changed}))
    with pytest.raises(NetlistError, match=message):
        read_circuit(path, 2)


def test_the_same_file_is_the_same_netlist(tmp_path):
    """Found here: a BLIF netlist's SHA-256 changed from one process to the next, as sets of text do."""
    path = tmp_path / "wide.blif"
    words = " ".join(f"x[{place}]" for place in range(12))
    gates = [f".names x[{place}] x[{(place + 5) % 12}] n{place}\n11 1" for place in range(12)]
    nets = " ".join(f"n{place}" for place in range(12))
    gates.append(f".names {nets} y\n{'1' * 12} 1")
    path.write_text("\n".join([f".model m\n.inputs {words}\n.outputs y", *gates, ".end", ""]))
    program = f"from spikeproof import read_circuit; print(read_circuit({str(path)!r}).sha256)"
    seen = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": str(seed)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in range(4)
    }
    assert len(seen) == 1


def test_a_clocked_netlist_without_outputs_but_states_is_refused():
    builder = NetlistBuilder()
    (count,) = builder.input("count", 1)
    step = builder.build({"count": (builder.neuron([(count, -1)], 0),)})
    with pytest.raises(NetlistError, match="its outputs are the states count alone"):
        unrolled_neurons(ClockedNetlist(step, {"count": 0}), 3)
