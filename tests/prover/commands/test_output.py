"""Files and streams that take nothing: results are shown, one line says what was not written, code 2."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from spikeproof.circuits.doors.json import write_json
from spikeproof.circuits.units.libraries import gate_netlist
from tests.support.command_line import spikeproof, spikeproof_here
from tests.support.profile import NIGHTLY

COMMAND = [sys.executable, "-c", "from spikeproof.prover.commands.cli import main; main()"]
FULL = "/dev/full"

pytestmark = pytest.mark.skipif(not os.path.exists(FULL), reason="there is no /dev/full")


def shell(script, *arguments):
    """What bash makes of a script in which ``$@`` is the command.

    Unbuffered, Python itself does not notice that a pipe took only a part.
    """
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    return subprocess.run(
        ["bash", "-c", script, "bash", *COMMAND, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def refuted(tmp_path_factory):
    """The counterexample of a gate that is another."""
    folder = tmp_path_factory.mktemp("refuted")
    write_json(gate_netlist("ionic", "or"), folder / "or.json")
    given = ("--circuit", folder / "or.json", "--log", folder / "refuted")
    own = {f"SPIKEPROOF_{name}": str(folder / name.lower()) for name in ("STATE", "CACHE")}
    assert spikeproof("prove", "cell.ionic.and", *given, **own).returncode == 1
    return folder / "refuted"


def commands(log):
    counterexample = log / "counterexamples" / "cell.ionic.and.json"
    return {
        "prove --json": (["prove", "cell.ionic.and", "--json"], "1 theorem: 1 proved"),
        "prove --failures": (["prove", "cell.ionic.and", "--failures"], "1 theorem: 1 proved"),
        "exhaust --failures": (["exhaust", "cell.ionic.and", "--failures"], "all 4 inputs enumerated"),
        "mutate --json": (
            ["mutate", "cell.ionic.and", "--samples", "2", "--json"],
            "1 theorem, 2 mutants",
        ),
        "list --json": (["list", "cell.ionic.and", "--json"], "cell.ionic.and\tproved"),
        "replay --vcd": (["replay", counterexample, "--vcd"], "still a counterexample"),
        "report --latex": (["report", log, "--latex"], ""),
        "report --bibtex": (["report", log, "--bibtex"], ""),
        "report --markdown": (["report", log, "--markdown"], ""),
        "report --junit": (["report", log, "--junit"], ""),
    }


CASES = tuple(commands(Path()))


@pytest.mark.parametrize("case", CASES)
def test_a_full_disk_is_one_line_after_the_results(refuted, capsys, case):
    arguments, shown = commands(refuted)[case]
    run = spikeproof_here(capsys, *arguments, FULL)
    assert run.returncode == 2
    assert shown in run.stdout
    last = run.stderr.splitlines()[-1]
    assert last == f"spikeproof: cannot write {FULL}: No space left on device; " + (
        "free some space or name another file"
    )
    assert "internal" not in run.stderr


def test_a_full_disk_for_a_page(refuted, tmp_path, capsys):
    (tmp_path / "page").mkdir()
    (tmp_path / "page" / "index.html").symlink_to(FULL)
    run = spikeproof_here(capsys, "report", refuted, "--html", tmp_path / "page")
    assert run.returncode == 2
    assert "No space left on device; free some space or name another file" in run.stderr
    assert run.stderr.count("\n") == 1


@pytest.mark.parametrize("case", [*CASES, "report --html"])
def test_a_dash_is_standard_output_and_the_rest_goes_to_standard_error(refuted, capsys, case):
    arguments, shown = commands(refuted).get(case, (["report", refuted, "--html"], ""))
    run = spikeproof_here(capsys, *arguments, "-")
    assert run.returncode in (0, 1)
    assert run.stdout
    if "--json" in arguments:
        assert json.loads(run.stdout)["schema"].startswith("spikeproof-")
    if case != "list --json":
        assert shown in run.stderr
        assert not shown or shown not in run.stdout


def test_only_one_file_is_standard_output(capsys):
    run = spikeproof_here(capsys, "prove", "cell.ionic.and", "--json", "-", "--failures", "-")
    assert run.returncode == 2
    assert "only one FILE can be standard output" in run.stderr


WRITING = (
    ("list",),
    ("--help",),
    ("ledger",),
    ("show", "cell.ionic.and"),
    ("prove", "cell.ionic.and"),
    ("exhaust", "cell.ionic.and"),
    ("prove", "cell.ionic.and", "--json", "-"),
    ("prove", "cell.ionic.and", "--failures", "-"),
    ("testfloat", "fp4_e2m1.add.rne.saturate", "--generate", "10"),
    ("completion", "bash"),
)


# By default three of them: each is a process, and all end in the same place.
@pytest.mark.parametrize("arguments", WRITING if NIGHTLY else WRITING[::4])
def test_a_standard_output_that_takes_nothing_is_one_line(arguments):
    run = shell(f'"$@" > {FULL}', *arguments)
    assert run.returncode == 2
    assert run.stderr.splitlines()[-1] == (
        "spikeproof: cannot write to standard output: No space left on device; send it elsewhere"
    )
    assert "Traceback" not in run.stderr
    assert "Exception" not in run.stderr


def test_a_closed_standard_output_is_one_line_before_any_work(tmp_path):
    run = shell('"$@" >&-', "prove", "cell.ionic.and")
    assert run.returncode == 2
    assert run.stderr == (
        "spikeproof: standard output is closed; send it to /dev/null if you do not want it\n"
    )
    assert not (tmp_path / "log").exists()


LONG = (
    ("list",),
    ("ledger",),
    ("list", "--json", "-"),
    ("testfloat", "fp4_e2m1.add.rne.saturate", "--generate", "100000"),
)


# By default two of them, likewise.
@pytest.mark.parametrize("arguments", LONG if NIGHTLY else LONG[::3])
def test_who_reads_no_more_is_told_no_more(arguments):
    """And what was not all shown is no refutation: code 1 would be."""
    run = shell('"$@" | head -1; exit ${PIPESTATUS[0]}', *arguments)
    assert run.returncode == 141
    assert len(run.stdout.splitlines()) == 1
    assert run.stderr == ""


def test_a_standard_error_that_takes_nothing_is_no_refutation():
    assert shell(f'"$@" 2> {FULL}', "prove", "cell.ionic.and").returncode == 2


def test_what_the_system_refuses_elsewhere_is_no_internal_error(monkeypatch, capsys):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied", "/somewhere")

    monkeypatch.setattr("spikeproof.prover.commands.cli.cli.main", refuse)
    run = spikeproof_here(capsys, "list")
    assert run.returncode == 2
    assert run.stderr == "spikeproof: the system refuses: /somewhere: Permission denied\n"
