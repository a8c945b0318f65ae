"""Every command does with a theorem about a table as with any other."""

import json
import sys
from importlib import invalidate_caches

import pytest

from spikeproof.circuits.doors.files import write_circuit
from tests.support.command_line import spikeproof
from tests.support.packages import look_again, write_package
from tests.support.tables import root

CODE = "from tests.support.tables import obligations"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A package that announces them."""
    path = tmp_path_factory.mktemp("site")
    write_package(path, CODE)
    sys.path.insert(0, str(path))
    invalidate_caches()
    look_again()
    yield path
    sys.path.remove(str(path))
    look_again()


@pytest.fixture
def circuits(site, tmp_path):
    """Files of a right and of a wrong circuit."""
    paths = tmp_path / "right.json", tmp_path / "wrong.json"
    for path, netlist in zip(paths, (root(), root(shift=1)), strict=True):
        write_circuit(netlist, path)
    return paths


def said(code, *arguments):
    ran = spikeproof(*arguments)
    assert ran.returncode == code, ran.stdout + ran.stderr
    return ran.stdout


def test_prove_show_and_verify(site, tmp_path):
    log = tmp_path / "log"
    assert "2 proved, 1 refuted (as promised)" in said(0, "prove", "acme.*", "--log", log, "--jobs", 1)
    shown = said(0, "show", "acme.root")
    assert "every input is evaluated, and compared with the spec's table" in shown
    assert "proved by evaluation in" in shown
    assert "3 of 3 records verified" in said(0, "verify", log, "--jobs", 1)


def test_other_circuits(circuits, tmp_path):
    right, wrong = circuits
    assert "1 proved" in said(0, "prove", "acme.root", "--circuit", right)
    table = tmp_path / "failures.csv"
    found = said(1, "prove", "acme.root", "--circuit", wrong, "--failures", table)
    assert "fails on 31 of all 1,024 inputs" in found
    assert len(table.read_text().splitlines()) == 32
    assert "PROVED" in said(0, "check", right, "--spec", "acme.root")
    assert "REFUTED" in said(1, "check", wrong, "--spec", "acme.root")


def test_exhaust_and_export(site, tmp_path):
    assert "against the spec: 0 fail" in said(0, "exhaust", "acme.root")
    script = tmp_path / "root.smt2"
    said(0, "export", "acme.root", script)
    assert "(check-sat)" in script.read_text()


def test_mutate(site):
    said_of_it = said(0, "mutate", "acme.root", "--samples", 8, "--jobs", 1, "--json", "-")
    (report,) = json.loads(said_of_it)["reports"]
    assert report["refuted"] > 0
    assert report["refuted"] + report["benign"] == 8
