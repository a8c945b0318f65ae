"""``spikeproof check``: the verdict first, what it rests on, and how somebody else checks it."""

import csv
import json
import shlex

import pytest

from spikeproof.circuits.doors.files import write_circuit
from spikeproof.circuits.netlist import NetlistError
from spikeproof.prover.claims.catalogue import theorem
from spikeproof.prover.claims.given import read_claim
from tests.support.command_line import spikeproof, spikeproof_here

SMALL = "e2m1fn.add.rne.saturate"
"""A theorem of few inputs, which only its name describes."""

MODULE = """
from dataclasses import replace
from spikeproof import read_circuit, specification
from spikeproof.prover.claims.catalogue import theorem

SMALL = "e2m1fn"

def flat():
    own = theorem(f"{SMALL}.add.rne.saturate").circuit()
    reverse = own.outputs["result"][::-1]
    return replace(own, inputs={"v": 8}, outputs={"sum": reverse[::-1]})

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
def here(tmp_path, monkeypatch):
    """A folder in which we are: a right circuit, one that is wrong once, and functions."""
    own = theorem(SMALL).circuit()
    write_circuit(own, tmp_path / "right.blif")
    write_circuit(theorem("e2m1fn.add.rtz.saturate").circuit(), tmp_path / "wrong.aig")
    (tmp_path / "mine.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def said(run, what):
    """What follows after some words at the beginning of a line."""
    return next(line.removeprefix(what) for line in run.stdout.splitlines() if line.startswith(what))


def again(run, what):
    """Run a command that was shown."""
    return spikeproof(*shlex.split(said(run, f"{what}: spikeproof ")))


def test_a_right_circuit_is_proved_and_anybody_can_verify_it(here):
    run = spikeproof("check", "right.blif", "--spec", "e2m1fn.add.rne", "--policy", "saturate")
    assert run.returncode == 0, run.stderr
    first, second = run.stdout.splitlines()[:2]
    assert first.startswith("PROVED: right.blif computes, on every input, e2m1fn: x + y")
    assert "clausal proof" in second
    verified = again(run, "verify it with")
    assert verified.returncode == 0, verified.stdout
    assert "1 of 1 records verified" in verified.stdout


def test_a_wrong_circuit_is_refuted_with_all_that_fails(here):
    files = ("--json", "result.json", "--failures", "wrong.csv")
    run = spikeproof("check", "wrong.aig", "--spec", SMALL, *files)
    assert run.returncode == 1, run.stderr
    assert run.stdout.startswith("REFUTED: wrong.aig does not compute e2m1fn: x + y")
    assert "nearest is e2m1fn.add.rtz.saturate" in run.stdout.splitlines()[0]
    result = json.loads((here / "result.json").read_text())
    assert result["schema"] == "spikeproof-check-1"
    assert result["result"]["outcome"] == "refuted"
    rows = list(csv.DictReader((here / "wrong.csv").open()))
    assert f"fails on {len(rows)} of all 256 inputs" in run.stdout
    assert again(run, "verify it with").returncode == 5
    assert again(run, "replay it with").returncode == 1


def test_a_factory_whose_buses_have_other_names(here):
    run = spikeproof("check", "mine:flat", "--spec", SMALL, "--json", "-")
    assert run.returncode == 0, run.stderr
    result = json.loads(run.stdout)
    assert result["matched"] == [
        "input x is the circuit's v[0] to v[3]",
        "input y is the circuit's v[4] to v[7]",
        "output result is the circuit's sum",
    ]
    assert set(result["matched"]) <= set(result["result"]["notes"])
    assert "PROVED: mine:flat" in run.stderr


def test_the_other_order_of_bits_is_refuted(here):
    run = spikeproof("check", "mine:flat", "--spec", SMALL, "--order", "msb", "--inputs", "a:4,b:4")
    assert run.returncode == 1, run.stderr
    assert "input x is the circuit's v[0] to v[3], most significant bit first" in run.stdout


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (("--against", "right.blif"), "what right.blif computes, of SHA-256"),
        (("--spec", "mine:total"), "what mine:total says of all 256 inputs"),
    ],
)
def test_a_claim_that_is_no_theorem_is_kept_and_verified(spec, words, here):
    right = spikeproof("check", "mine:flat", *spec)
    assert right.returncode == 0, right.stderr
    assert words in right.stdout
    verified = again(right, "verify it with")
    assert verified.returncode == 0, verified.stdout
    wrong = spikeproof("check", "wrong.aig", *spec)
    assert wrong.returncode == 1, wrong.stderr
    assert again(wrong, "replay it with").returncode == 1
    refuted = said(wrong, "verify it with: spikeproof ")
    assert spikeproof(*shlex.split(refuted)).returncode == 5
    other = said(right, "verify it with: spikeproof ").rpartition(" --claim ")
    assert spikeproof(*shlex.split(other[0])).returncode == 1  # without the claim
    strange = shlex.split(refuted.rpartition(" --claim ")[2])[0]
    assert spikeproof(*shlex.split(other[0]), "--claim", strange).returncode in (0, 1)
    changed = here / "changed.json"
    kept = (here / shlex.split(other[2])[0]).read_text()
    changed.write_text(kept.replace('"title":"', '"title":"another '))
    refused = spikeproof(*shlex.split(other[0]), "--claim", changed)
    assert refused.returncode == 1
    assert "name that file with --claim" in refused.stdout


def test_a_claim_that_is_damaged_is_refused_in_one_line(here):
    spikeproof("check", "mine:flat", "--spec", "mine:total")
    (kept,) = here.glob("log/circuits/*/claim.json")
    data = json.loads(kept.read_text())
    results = data["table"]["results"]["result"]
    for damage in (
        {"schema": "another"},
        {"title": "two\nlines"},
        {"inputs": [["x", 4], ["x", 4]]},
        {"inputs": [["x", 4], ["y", 5]]},
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
        with pytest.raises(NetlistError) as refused:
            read_claim(kept).obligation()
        assert "\n" not in str(refused.value), damage


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("right.blif",), "say what SOURCE should compute"),
        (("right.blif", "--spec", SMALL, "--against", "wrong.aig"), "one of them"),
        (("right.blif", "--against", "wrong.aig", "--policy", "nan"), "words of a theorem's name"),
        (("gone.json", "--spec", SMALL), "cannot read gone.json"),
        (("right.blif", "--against", "gone.json"), "cannot read gone.json"),
        (("right.blif", "--spec", "fp8_e5m2.ad.rne"), "did you mean"),
        (("right.blif", "--spec", SMALL, "--convention", "odd"), "unknown convention 'odd'"),
        (("right.blif", "--spec", "cell.*"), "is a pattern; name one theorem"),
        (("right.blif", "--spec", "fp16.add.rne"), "needed are x:16, y:16, the circuit has x:4, y:4"),
        (("right.blif", "--spec", SMALL, "--inputs", "a:4,b:3"), "--inputs has 7 bits"),
        (("right.blif", "--spec", SMALL, "--inputs", "a4"), "'a4' is no bus"),
        (("right.blif", "--spec", SMALL, "--time", "0"), "neither one-step nor"),
        (("right.blif", "--spec", SMALL, "--time", "2"), "without memory, of one step"),
        (("right.blif", "--spec", SMALL, "--budget", "0"), "not a positive number of seconds"),
        (("right.blif", "--spec", SMALL, "--json", "gone/x.json"), "cannot write gone/x.json"),
        (("right.blif", "--spec", SMALL, "--failures", "x.txt"), "end its name in .csv or .npz"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(arguments, words, here, capsys):
    run = spikeproof_here(capsys, "check", *arguments)
    assert run.returncode == 2
    refusal = [line for line in run.stderr.splitlines() if line.startswith("spikeproof: ")]
    assert len(refusal) == 1
    assert words in refusal[0]
    assert run.stdout == ""
    assert not (here / "log").exists()


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("mine:undeclared", "it is of type function, and does not say what it is given"),
        ("mine:gone", "there is no gone in mine"),
        ("mine:wide", "needed are x:16, y:16, the circuit has x:4, y:4"),
    ],
)
def test_a_function_that_is_no_spec_is_one_line(spec, words, here, capsys):
    run = spikeproof_here(capsys, "check", "right.blif", "--spec", spec)
    assert run.returncode == 2
    assert words in run.stderr.splitlines()[-1]
