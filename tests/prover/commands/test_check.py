"""``spikeproof check``: the verdict first, what it rests on, and how somebody else checks it."""

import csv
import json
import shlex
from dataclasses import replace
from functools import partial
from importlib.util import find_spec

import pytest

from spikeproof.circuits.doors.files import write_circuit
from spikeproof.circuits.netlist import NetlistBuilder
from spikeproof.prover.claims.catalogue import theorem
from spikeproof.prover.claims.given import GivenClaim, Table, read_claim
from tests.support.command_line import spikeproof, spikeproof_here
from tests.support.refusals import refused

SMALL = "e2m1fn.add.rne.saturate"
"""A theorem of few inputs, which only its name describes."""

MODULE = """
from spikeproof import read_circuit, specification

SMALL = "e2m1fn"

def flat():
    return read_circuit("flat.json")

@specification(values={"x": SMALL, "y": SMALL}, result=SMALL, policy="saturate")
def total(x, y):
    return x + y

@specification(bits={"x": 16, "y": 16}, result=16)
def wide(x, y):
    return x

def undeclared(x, y):
    return x
"""


@pytest.fixture
def command(capsys):
    """The command, in this process."""
    return partial(spikeproof_here, capsys)


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder in which we are: a right circuit, one that is wrong once, and functions."""
    own = theorem(SMALL).circuit()
    write_circuit(own, tmp_path / "right.blif")
    flat = replace(own, inputs={"v": 8}, outputs={"sum": own.outputs["result"]})
    write_circuit(flat, tmp_path / "flat.json")
    write_circuit(theorem("e2m1fn.add.rtz.saturate").circuit(), tmp_path / "wrong.aig")
    (tmp_path / "mine.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def said(run, what):
    """What follows after some words at the beginning of a line."""
    return next(line.removeprefix(what) for line in run.stdout.splitlines() if line.startswith(what))


def again(run, what, command=spikeproof):
    """Run a command that was shown."""
    return command(*shlex.split(said(run, f"{what}: spikeproof ")))


def test_a_right_circuit_is_proved_and_anybody_can_verify_it(here):
    run = spikeproof("check", "right.blif", "--spec", "e2m1fn.add.rne", "--policy", "saturate")
    assert run.returncode == 0, run.stderr
    first, second = run.stdout.splitlines()[:2]
    assert first.startswith("PROVED: right.blif computes, on every input, e2m1fn: x + y")
    assert "clausal proof" in second
    verified = again(run, "verify it with")
    assert verified.returncode == 0, verified.stdout
    assert "1 of 1 records verified" in verified.stdout


def test_a_wrong_circuit_is_refuted_with_all_that_fails(here, command):
    files = ("--json", "result.json", "--failures", "wrong.csv")
    run = command("check", "wrong.aig", "--spec", SMALL, *files)
    assert run.returncode == 1, run.stderr
    assert run.stdout.startswith("REFUTED: wrong.aig does not compute e2m1fn: x + y")
    assert "nearest is e2m1fn.add.rtz.saturate" in run.stdout.splitlines()[0]
    result = json.loads((here / "result.json").read_text())
    assert result["schema"] == "spikeproof-check-1"
    assert result["result"]["outcome"] == "refuted"
    rows = list(csv.DictReader((here / "wrong.csv").open()))
    assert f"fails on {len(rows)} of all 256 inputs" in run.stdout
    assert again(run, "verify it with", command).returncode == 5
    assert again(run, "replay it with", command).returncode == 1


def test_a_factory_whose_buses_have_other_names(here, command):
    run = command("check", "mine:flat", "--spec", SMALL, "--json", "-")
    assert run.returncode == 0, run.stderr
    result = json.loads(run.stdout)
    assert result["matched"] == [
        "input x is the circuit's v[0] to v[3]",
        "input y is the circuit's v[4] to v[7]",
        "output result is the circuit's sum",
    ]
    assert set(result["matched"]) <= set(result["result"]["notes"])
    assert "PROVED: mine:flat" in run.stderr


def test_the_other_order_of_bits_is_refuted(here, command):
    run = command("check", "flat.json", "--spec", SMALL, "--order", "msb", "--inputs", "a:4,b:4")
    assert run.returncode == 1, run.stderr
    assert "input x is the circuit's v[0] to v[3], most significant bit first" in run.stdout


def test_what_is_noted_of_the_other_circuit_is_in_the_record(here, command):
    """Found in review: what its importer had assumed was told nowhere."""
    noted = replace(theorem(SMALL).circuit(), notes=("made by hand",))
    write_circuit(noted, here / "noted.json")
    run = command("check", "flat.json", "--against", "noted.json", "--json", "result.json")
    note = "noted.json, which it is compared with: made by hand"
    assert f"note on the circuit: {note}" in run.stdout
    assert note in json.loads((here / "result.json").read_text())["result"]["notes"]
    assert again(run, "verify it with", command).returncode == 0


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (("--against", "right.blif"), "what right.blif computes, of SHA-256"),
        (("--spec", "mine:total"), "what mine:total says of all 256 inputs"),
    ],
)
def test_a_claim_that_is_no_theorem_is_kept_and_verified(spec, words, here, command):
    right = command("check", "flat.json", *spec)
    assert right.returncode == 0, right.stderr
    assert words in right.stdout
    verified = again(right, "verify it with", command)
    assert verified.returncode == 0, verified.stdout
    wrong = command("check", "wrong.aig", *spec)
    assert wrong.returncode == 1, wrong.stderr
    assert again(wrong, "replay it with", command).returncode == 1
    refuted = said(wrong, "verify it with: spikeproof ")
    assert command(*shlex.split(refuted)).returncode == 5
    other = said(right, "verify it with: spikeproof ").rpartition(" --claim ")
    assert command(*shlex.split(other[0])).returncode == 1  # without the claim
    strange = shlex.split(refuted.rpartition(" --claim ")[2])[0]
    assert command(*shlex.split(other[0]), "--claim", strange).returncode in (0, 1)
    changed = here / "changed.json"
    kept = (here / shlex.split(other[2])[0]).read_text()
    changed.write_text(kept.replace('"title":"', '"title":"another '))
    refused = command(*shlex.split(other[0]), "--claim", changed)
    assert refused.returncode == 1
    assert "name that file with --claim" in refused.stdout


def test_a_claim_that_is_damaged_is_refused_in_one_line(tmp_path):
    table = Table(None, {"result": tuple(range(16)) * 16})
    claim = GivenClaim("x", {"x": 4, "y": 4}, {"result": 4}, table=table, formats={"x": "fp4_e2m1"})
    kept = tmp_path / "claim.json"
    kept.write_bytes(claim.content)
    assert read_claim(kept) == claim
    data = json.loads(kept.read_text())
    results = data["table"]["results"]["result"]
    for damage in (
        {"schema": "another"},
        {"title": "two\nlines"},
        {"inputs": [["x", 4], ["x", 4]]},
        {"inputs": [["x", 4], ["y", 5]]},
        {"inputs": [["x", 4], ["y", 10**18]]},  # found by the fuzz: it took that many bits
        {"inputs": []},
        {"formats": {"x": "fp17"}},
        {"formula": "(check-sat)"},
        {"table": {"points": None, "results": {"result": results[1:]}}},
        {"table": {"points": None, "results": {"result": [16, *results[1:]]}}},
        {"table": {"points": None, "results": {"result": [True, *results[1:]]}}},
        {"table": {"points": {"x": [0]}, "results": {"result": [0]}}},
        {"table": {"results": {}}},
        {"more": 1},
    ):
        kept.write_text(json.dumps({**data, **damage}))
        with refused():
            read_claim(kept).obligation()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("right.blif",), "say what SOURCE should compute"),
        (("right.blif", "--spec", SMALL, "--against", "wrong.aig"), "one of them"),
        (("right.blif", "--against", "wrong.aig", "--policy", "nan"), "words of a theorem's name"),
        (("gone.json", "--spec", SMALL), "cannot read gone.json"),
        (("mine.py", "--spec", SMALL), "say what in it makes the circuit, as mine.py:NAME"),
        (("right.blif", "--against", "gone.json"), "cannot read gone.json"),
        (("right.blif", "--spec", "fp8_e5m2.ad.rne"), "did you mean"),
        (("right.blif", "--spec", SMALL, "--convention", "odd"), "unknown convention 'odd'"),
        (("right.blif", "--spec", "cell.*"), "is a pattern; name one theorem"),
        (("right.blif", "--spec", "fp16.add.rne"), "needed are x:16, y:16, the circuit has x:4, y:4"),
        (("right.blif", "--spec", SMALL, "--inputs", "a:4,b:3"), "--inputs has 7 bits"),
        (("right.blif", "--spec", SMALL, "--inputs", "a4"), "'a4' is no bus"),
        (("right.blif", "--spec", SMALL, "--time", "0"), "neither one-step nor"),
        (("right.blif", "--spec", SMALL, "--time", "2"), "no memory; leave out the steps"),
        (("flat.json", "--spec", SMALL, "--time", "2"), "no memory; leave out the steps"),
        (("right.blif", "--spec", SMALL, "--pure"), "is no PyTorch module; leave out --reset"),
        (("right.blif", "--spec", SMALL, "--axes", "tnb"), "is no PyTorch module; leave out --reset"),
        (("right.blif", "--spec", SMALL, "--as", "norse,steps=1"), "is no graph of NIR (.nir)"),
        (("graph.nir", "--spec", SMALL), "state how to read it, as in --as snntorch,steps=1"),
        (("graph.nir", "--spec", SMALL, "--as", "norse"), "nothing is stated about steps"),
        (("right.blif", "--spec", SMALL, "--html", "gone/x.html"), "cannot write gone/x.html"),
        (("right.blif", "--spec", SMALL, "--budget", "0"), "not a positive number of seconds"),
        (("right.blif", "--spec", SMALL, "--json", "gone/x.json"), "cannot write gone/x.json"),
        (("right.blif", "--spec", SMALL, "--failures", "x.txt"), "end its name in .csv or .npz"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(arguments, words, here, command):
    run = command("check", *arguments)
    assert run.returncode == 2
    refusal = [line for line in run.stderr.splitlines() if line.startswith("spikeproof: ")]
    assert len(refusal) == 1
    assert words in refusal[0]
    assert run.stdout == ""
    assert not (here / "log").exists()


MALFORMED = {
    "cut.json": (b'{"schema": "x"', "is not JSON"),
    "none.json": (b'{"modules": {}}', "run `hierarchy -top NAME; flatten`"),
    "cut.aag": (b"aag 3 2 0 1 1\n2\n4\n", "the file ends within or before line 4; is it whole?"),
    "nameless.aag": (b"aag 1 1 0 1 0\n2\n2\n", "has no name; add symbols such as"),
    "huge.aag": (b"aag 99999999999 2 0 1 1\n", "'aig M I L O A', of at most 10 digits each"),
    "noise.aig": (b"\xff\xfe\n", "line 1 is not text; is it a whole AIGER file?"),
    "open.blif": (
        b".model a\n.inputs x\n.outputs z\n.names x q z\n11 1\n.end\n",
        "nothing drives q; declare it as an input, or drive it",
    ),
    "cycle.aag": (
        b"aag 4 2 0 1 2\n2\n4\n6\n6 8 2\n8 6 2\ni0 x0\ni1 x1\no0 z\n",
        "net 6 depends on itself; only circuits without cycles are read",
    ),
    "raises.py:make": (b"def make():\n    raise OSError('gone')\n", "it raises OSError: gone"),
    "text.py:make": (b"def make():\n    return 'x'\n", "let it give a Netlist or PyTorch module"),
}


@pytest.mark.parametrize("source", MALFORMED)
def test_malformed_circuits_are_one_line_however_narrow_the_terminal(
    source, tmp_path, monkeypatch, command
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    content, words = MALFORMED[source]
    (tmp_path / source.partition(":")[0]).write_bytes(content)
    run = command("check", source, "--spec", SMALL)
    assert (run.returncode, run.stdout) == (2, "")
    (line,) = (line for line in run.stderr.splitlines() if not line.startswith(("reading ", "asking ")))
    assert line.startswith("spikeproof: ")
    assert source.partition(":")[0] in line
    assert words in line


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("mine:undeclared", "it is of type function, and does not say what it is given"),
        ("mine:gone", "there is no gone in mine; it has "),
        ("mine:wide", "needed are x:16, y:16, the circuit has x:4, y:4"),
    ],
)
def test_a_function_that_is_no_spec_is_one_line(spec, words, here, command):
    run = command("check", "right.blif", "--spec", spec)
    assert run.returncode == 2
    assert words in run.stderr.splitlines()[-1]


NEURONS = """
import torch

class Sum(torch.nn.Module):
    def forward(self, x, y):
        return ((x + y).flip(-1)[:, :1] >= 2).float()
"""

THRESHOLDS = (
    "constants=equations,strict=yes,reset=zero,start=zero,dt=1,order=leak add fire,arithmetic=exact"
)
"""A reading of graphs of NIR."""

PIPELINE = """
.model pipeline
.inputs x[0] x[1] y[0] y[1] clk
.outputs both
.latch x[1] p re clk 0
.latch y[1] q re clk 0
.names p q both
11 1
.end
"""


@pytest.fixture
def tops(tmp_path, monkeypatch):
    """A folder in which we are: whether the topmost bits of two buses are set, in several forms."""
    (tmp_path / "neurons.py").write_text(NEURONS)
    (tmp_path / "pipeline.blif").write_text(PIPELINE)
    builder = NetlistBuilder()
    (_, x), (_, y) = builder.input("x", 2), builder.input("y", 2)
    both = builder.build({"both": (builder.neuron([(x, 1), (y, 1)], 2),)})
    write_circuit(both, tmp_path / "both.json")
    if find_spec("nir"):
        write_circuit(both, tmp_path / "both.nir")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("source", "options"),
    [
        ("neurons.py:Sum", ()),
        ("pipeline.blif", ("--time", "2")),
        pytest.param(
            "both.nir",
            ("--as", THRESHOLDS, "--time", "3"),
            marks=pytest.mark.skipif(not find_spec("nir"), reason="needs nir"),
        ),
    ],
)
def test_modules_pipelines_and_graphs_are_proved_and_verified(source, options, tops, command):
    run = command("check", source, "--against", "both.json", *options, "--html", "page.html")
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith(f"PROVED: {source} computes")
    assert again(run, "verify it with", command).returncode == 0
    page = (tops / "page.html").read_text()
    assert "Right on every input: proved." in page
    assert "Beside the other circuit" in page
    assert said(run, "verify it with: ") in page
    assert "note on the circuit: " in run.stdout
    assert "\ncircuit: 1 neuron in depth 1, " in run.stdout
    assert "<dt>engines</dt>" in page


def test_a_page_about_a_function_has_no_other_circuit_to_compare_with(here, command):
    run = command("check", "wrong.aig", "--spec", "mine:total", "--html", "page.html")
    assert run.returncode == 1, run.stderr
    page = (here / "page.html").read_text()
    assert "to be what mine:total says of all 256 inputs" in page
    assert "<dt>engines</dt>" not in page  # one input decides
    assert "The simplest input of each class that fails" in page
    assert "<h2>The circuit</h2>" in page
    assert "Beside" not in page


def test_a_pipeline_that_is_read_too_early_is_refuted(tops, command):
    run = command("check", "pipeline.blif", "--against", "both.json", "--time", "1")
    assert run.returncode == 1, run.stderr
    assert again(run, "verify it with", command).returncode == 5
    assert again(run, "replay it with", command).returncode == 1
