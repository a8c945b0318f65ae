"""Every failing input in a file: all of them, with both results, and none that does not fail."""

import csv
import io
from dataclasses import replace

import numpy as np
import pytest
from pysmt.shortcuts import BVULT, BVOr, BVSExt

from spikeproof.circuits.doors.json import write_json
from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.units.libraries import gate_netlist
from spikeproof.prover.claims.catalogue import catalogue
from spikeproof.prover.claims.obligation import equivalence
from spikeproof.prover.commands import failures as command
from spikeproof.prover.refutation import failures
from spikeproof.prover.refutation.drawing import every_input
from spikeproof.prover.refutation.failures import Failures
from spikeproof.prover.refutation.mutation import stuck_at_zero
from tests.support.command_line import spikeproof, spikeproof_here

UNIT = "fp6_e2m3.add.rne.saturate"
HEADINGS = ["x", "y", "circuit result", "spec result"]


def broken():
    """Our unit with the second bit of its result stuck."""
    netlist = catalogue()[UNIT].circuit()
    return stuck_at_zero(netlist, netlist.outputs["result"][1]).netlist


def failing():
    """What fails of it, by simulation alone: rows of operands and both results, in order."""
    ours, wrong = catalogue()[UNIT].circuit(), broken()
    inputs = every_input(ours.inputs)
    right, found = (boolean.evaluate(netlist, inputs)["result"] for netlist in (ours, wrong))
    rows = np.array([inputs["x"], inputs["y"], found, right]).T
    return rows[found != right].astype(int).tolist()


@pytest.fixture
def circuit(tmp_path):
    path = tmp_path / "broken.json"
    write_json(broken(), path)
    return path


def rows_of(text):
    heading, *rows = csv.reader(io.StringIO(text))
    assert heading == HEADINGS
    return [[int(cell) for cell in row] for row in rows]


@pytest.mark.parametrize("name", ["prove", "exhaust"])
def test_all_that_fails_is_in_the_file_with_both_results(circuit, tmp_path, capsys, name):
    run = spikeproof_here(capsys, name, UNIT, "--circuit", circuit, "--failures", tmp_path / "wrong.csv")
    assert run.returncode == 1, run.stderr
    assert failing()
    assert rows_of((tmp_path / "wrong.csv").read_text()) == failing()
    assert f"wrote all {len(failing()):,} failing inputs" in run.stderr
    run = spikeproof_here(capsys, name, UNIT, "--circuit", circuit, "--failures", tmp_path / "wrong.npz")
    assert run.returncode == 1, run.stderr
    arrays = np.load(tmp_path / "wrong.npz")
    assert list(arrays) == HEADINGS
    assert {array.dtype for array in arrays.values()} == {np.dtype(np.uint8)}
    assert np.array([arrays[name] for name in HEADINGS]).T.tolist() == failing()
    assert list(tmp_path.glob(".*")) == []


def test_on_standard_output_there_is_nothing_else(circuit):
    run = spikeproof("prove", UNIT, "--circuit", circuit, "--failures", "-")
    assert run.returncode == 1
    assert rows_of(run.stdout) == failing()
    assert f"REFUTED: {UNIT}" in run.stderr


def test_where_nothing_fails_the_file_says_so(tmp_path, capsys):
    run = spikeproof_here(capsys, "prove", "cell.ionic.and", "--failures", tmp_path / "none.csv")
    assert run.returncode == 0
    assert (tmp_path / "none.csv").read_text() == "a,b,circuit out,spec out\n"
    assert "wrote all 0 failing inputs" in run.stderr


def test_a_file_that_is_cut_says_so(circuit, tmp_path, capsys, monkeypatch):
    """Whatever the batches are."""
    monkeypatch.setattr(failures, "MOST", 70)
    monkeypatch.setattr(failures, "BATCH", 32)
    monkeypatch.setattr(command, "MOST", 70)
    file = tmp_path / "wrong.csv"
    run = spikeproof_here(capsys, "exhaust", UNIT, "--circuit", circuit, "--failures", file)
    assert rows_of(file.read_text()) == failing()[:70]
    assert "wrote the first 70 failing inputs and no more" in run.stderr


def test_inputs_beyond_the_assumptions_do_not_fail(tmp_path):
    wrong = equivalence(
        "an.or",
        "an OR",
        lambda: gate_netlist("ionic", "and"),
        lambda a, b: {"out": BVOr(a, b)},
        assumptions=lambda inputs: (BVULT(inputs["a"], inputs["b"]),),
    )
    text = io.StringIO()
    netlist = wrong.circuit()
    assert Failures(wrong.state(netlist), netlist).write_csv(text) == 1
    assert text.getvalue() == "a,b,circuit out,spec out\n0,1,0,1\n"


def test_codes_wider_than_a_machine_word(tmp_path):
    """In decimal they are whole; NPZ is refused before any work."""
    gate = gate_netlist("ionic", "and")
    wide = replace(gate, outputs={"out": gate.outputs["out"] * 70}, blocks=(), cells=())
    obligation = equivalence(
        "wide",
        "wide",
        lambda: wide,
        lambda a, b: {"out": BVSExt(BVOr(a, b), 69)},
    )
    text = io.StringIO()
    assert Failures(obligation.state(wide), wide).write_csv(text) == 2
    assert f"1,0,0,{(1 << 70) - 1}" in text.getvalue()
    with pytest.raises(Exception, match="a bus has 70 bits, NPZ holds 64"):
        command.require_listable(obligation, None, tmp_path / "wrong.npz", 24)


def test_simulation_that_contradicts_the_compiled_circuit_is_an_error(monkeypatch):
    right = catalogue()[UNIT].circuit()
    everything = [every_input(right.inputs)]
    monkeypatch.setattr(failures, "every_failing", lambda *_: iter(everything))
    with pytest.raises(RuntimeError, match="contradict"):
        Failures(catalogue()[UNIT].state(right), right).write_csv(io.StringIO())


def test_failures_of_what_is_proved_are_an_error(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(command, "list_failures", lambda *_: 3)
    run = spikeproof_here(capsys, "prove", "cell.ionic.and", "--failures", tmp_path / "wrong.csv")
    assert run.returncode == 4
    assert "cell.ionic.and is proved, but inputs fail" in run.stderr


REFUSED = {
    "too wide for prove": ("prove", "fp16.multiply.rne", "wrong.csv", "has 32 input bits"),
    "too wide for all": ("prove", "fp32.multiply.rne", "wrong.csv", "is shown anyway"),
    "too wide for exhaust": ("exhaust", "fp32.multiply.rne", "wrong.csv", "has 64 input bits"),
    "several": ("prove", "cell.ionic.*", "wrong.csv", "16 theorems match; name one"),
    "another ending": ("prove", UNIT, "wrong.txt", "end its name in .csv or .npz"),
    "formulas": ("prove", "spec.fp4_e2m1.round.rne.exact", "wrong.csv", "is about formulas"),
    "no directory": ("prove", UNIT, "absent/wrong.csv", "No such file or directory"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_listed_is_refused_before_any_work(tmp_path, capsys, case):
    name, theorem, file, message = REFUSED[case]
    run = spikeproof_here(capsys, name, theorem, "--failures", tmp_path / file)
    assert run.returncode == 2
    assert message in run.stderr
    assert run.stderr.count("\n") == 1
    assert run.stdout == ""
    assert not (tmp_path / file).exists()
