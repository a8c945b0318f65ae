"""What README.md shows runs, and its figures, and those of docs/results.md, are of this commit."""

import re
import shlex
import subprocess
import sys
from dataclasses import replace
from itertools import product
from pathlib import Path

import click
import pytest

from spikeproof.circuits.doors.json import read_json, write_json
from spikeproof.circuits.units.libraries import FAST, SMALL
from spikeproof.proofs.neuron_counts import neuron_counts
from spikeproof.proofs.units import OPERATIONS, Unit
from spikeproof.prover.claims.catalogue import catalogue, promised
from spikeproof.prover.claims.obligation import Outcome
from spikeproof.prover.commands.cli import cli
from spikeproof.prover.refutation.mutation import stuck_at_zero
from spikeproof.prover.running.discharge import discharge
from spikeproof.specs.formats import FORMATS, FP32
from tests.support.command_line import as_users_have_it, spikeproof

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
RESULTS = (ROOT / "docs" / "results.md").read_text()


def shown(program):
    """The arguments of a program wherever README.md shows how to run it."""
    blocks = "".join(re.findall(r"```console\n(.*?)```", README, re.DOTALL))
    lines = (shlex.split(line, comments=True) for line in re.findall(r"^\$ (.*)$", blocks, re.MULTILINE))
    return [arguments for name, *arguments in lines if name == program]


def run(*arguments):
    """The exit code of the command."""
    return spikeproof(*arguments).returncode


@pytest.mark.parametrize("arguments", shown("spikeproof"), ids=" ".join)
def test_commands_are_shown_as_they_are_taken(arguments):
    name, *rest = arguments
    context = cli.commands[name].make_context(name, rest)
    if isinstance(group := context.command, click.Group):
        name, command, rest = group.resolve_command(context, rest)
        context = command.make_context(name, rest)
    assert context.params


def test_a_wrong_circuit_leaves_a_counterexample_that_replays(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name = "fp8_e4m3fn.multiply.rne.saturate"
    prove, replay, mended, verify = (each for each in shown("spikeproof") if "found" in " ".join(each))
    netlist = catalogue()[name].circuit()
    wrong = stuck_at_zero(netlist, netlist.outputs["result"][1]).netlist
    write_json(wrong, tmp_path / "my_multiplier.json")
    assert run(*prove) == 1
    assert run(*replay) == 1
    assert (tmp_path / "wave.vcd").exists()
    write_json(netlist, tmp_path / "mended.json")
    assert run(*mended) == 0
    assert run(*verify) == 5


def test_a_log_is_verified_and_reported(tmp_path, monkeypatch):
    """As shown, but of one theorem."""
    monkeypatch.chdir(tmp_path)
    (suite,) = (each for each in shown("pytest") if "--proof-log" in each)
    commands = {each[0]: each for each in shown("spikeproof") if "my-log" in each}
    part = ["-k", "cell.ionic.xor", "--quiet", "-p", "no:cacheprovider"]
    all_of_it = (tmp_path / "my-log" if each == "all" else each for each in suite)
    subprocess.run([sys.executable, "-m", "pytest", *all_of_it, *part], cwd=ROOT, check=True)
    assert run(*commands["verify"]) == 0
    prove = ["cell.ionic.xor" if each == "fp4_e2m1.*" else each for each in commands["prove"]]
    assert run(*prove) == 0
    assert run(*commands["verify"]) == 0
    assert run(*commands["report"]) == 0
    written = {"page/index.html", "table.tex", "log.bib", "summary.md", "results.xml"}
    assert all((tmp_path / each).stat().st_size for each in written)


def test_the_code_runs_and_its_circuit_is_proved(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (netlist,) = re.findall(r"```json\n(.*?)```", README, re.DOTALL)
    (tmp_path / "by_hand.json").write_text(netlist)
    by_hand = read_json(tmp_path / "by_hand.json")
    assert discharge(catalogue()["cell.ionic.xor"], circuit=by_hand).green
    blocks = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert len(blocks) == 5
    for block in blocks:
        with as_users_have_it():
            exec(block, {"__name__": "__main__"})
    arguments = ["prove", "cell.ionic.xor", "--circuit", "my_xor.json"]
    assert "spikeproof " + " ".join(arguments) in README
    assert run(*arguments) == 0


def test_the_counts_of_obligations():
    expected = [obligation.expected for obligation in promised(wide=False)]
    proved, refuted = (expected.count(o) for o in (Outcome.PROVED, Outcome.REFUTED))
    assert f"{len(expected):,} obligations" in README
    assert re.search(rf"{proved:,} theorems, and\s+{refuted} refutations", README)
    wide = len(catalogue()) - len(expected)
    assert f"adds {wide:,} more" in README
    families = {
        "cell.": r"`cell\.\*`",
        "block.": r"`block\.\*`",
        "spec.": r"`spec\.\*`",
        "margin.": r"`margin\.\*`",
    }
    for prefix, row in families.items():
        count = sum(obligation.name.startswith(prefix) for obligation in promised(wide=False))
        assert re.search(rf"\| {row} \| {count} \|", README), prefix


SHOWN = [operation for operation in OPERATIONS if operation != "subtract"]


def test_the_sizes_of_units():
    for fmt in FORMATS.values():
        units = [Unit(operation, fmt, policy=fmt.policies[0]).circuit() for operation in SHOWN]
        cells = [f"{unit.statistics.neurons} ({unit.statistics.depth})" for unit in units]
        assert f"| `{fmt.name}` | {' | '.join(cells)} |" in RESULTS


def test_the_sizes_of_small_and_fast_units():
    for operation, published in (("add", "3,348"), ("multiply", "4,089")):
        units = [
            Unit(operation, FP32, library=library, structure=structure)
            for library, structure in product(("nexus", "dual_rail", "threshold"), (SMALL, FAST))
        ]
        assert all(unit.name in catalogue() for unit in units)
        sizes = [unit.circuit().statistics for unit in units]
        cells = [f"{size.neurons:,} / {size.depth}" for size in sizes]
        assert f"| {operation} | {' | '.join(cells)} | {published} |" in RESULTS


def test_the_neuron_counts_of_every_library():
    rows = {
        "add": "add",
        "multiply": "multiply",
        "divide": "divide",
        "square_root": "square root",
        "fma": "fma",
        "sticky_extra_multiply": "multiply, Sticky-Extra",
    }
    for operation, row in rows.items():
        counts = " | ".join(map(str, neuron_counts()[operation].values()))
        assert f"| {row} | {counts} |" in RESULTS


def test_the_fault_that_is_shown_gives_the_counterexample_that_is_shown():
    """Entry 216 of the neurons, with a threshold of 5."""
    assert "entry 216 of" in README
    obligation = catalogue()["fp8_e4m3fn.multiply.rne.saturate"]
    netlist = obligation.circuit()
    assert netlist.probes["sticky"] == (netlist.input_count + 216,)
    neurons = list(netlist.neurons)
    neurons[216] = replace(neurons[216], threshold=5)
    found = discharge(obligation, circuit=replace(netlist, neurons=tuple(neurons)))
    assert found.outcome is Outcome.REFUTED
    assert found.message in README
