"""The workflow that others copy: it is well-formed, and its commands and options exist."""

import re
import shlex
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from spikeproof.prover.commands.cli import cli

ROOT = Path(__file__).parent.parent
WORKFLOW = ROOT / ".github/workflows/prove.yml"
GUIDE = ROOT / "docs/continuous_integration.md"


def run_lines(text):
    """The commands of all ``run`` keys of some YAML, without the line breaks in them."""
    found = re.findall(r"^( *)(?:- )?run: (?:\|\n((?:\1 +.*\n|\n)+)|(.*)\n)", text, re.MULTILINE)
    lines = "\n".join(block or line for _, block, line in found).replace("\\\n", " ").splitlines()
    return [line.strip() for line in lines if line.strip()]


def commands(program):
    """The arguments of each call of a program, in the workflow and in what is said of it."""
    blocks = re.findall(r"```yaml\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    lines = [line for text in (WORKFLOW.read_text(), *blocks) for line in run_lines(text)]
    inline = re.findall(rf"`({program} [^`]*-[^`]*)`", GUIDE.read_text())
    calls = [shlex.split(line) for line in (*lines, *inline)]
    return [arguments for name, *arguments in calls if name == program]


@cache
def options_of_the_suite():
    """What ``pytest proofs/`` takes."""
    command = [sys.executable, "-m", "pytest", "proofs/", "--help"]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return set(re.findall(r"--[a-z][a-z-]*", said))


@pytest.mark.parametrize("arguments", commands("spikeproof"), ids=" ".join)
def test_commands_of_ours_are_given_as_they_are_taken(arguments):
    name, *rest = arguments
    command = cli.commands[name]
    assert command.make_context(name, rest).params


@pytest.mark.parametrize("arguments", commands("pytest"), ids=" ".join)
def test_the_suite_takes_its_options(arguments):
    asked = {each.partition("=")[0] for each in arguments if each.startswith("--")}
    assert asked
    assert asked <= options_of_the_suite()


def test_all_that_gates_is_there():
    text = WORKFLOW.read_text()
    assert [name for name, *_ in commands("spikeproof")][:2] == ["verify", "report"]
    assert commands("pytest")[0][0] == "proofs/"
    assert not re.search(r"continue-on-error|\|\| *true|set \+e", text)
    for option in ("--html", "--markdown", "--junit"):
        assert option in text
    assert "GITHUB_STEP_SUMMARY" in text
    variables = set(re.findall(r"\bSPIKEPROOF_\w+", text + GUIDE.read_text()))
    source = "".join(path.read_text() for path in (ROOT / "prover").rglob("*.py"))
    variables -= {"SPIKEPROOF_CASES", "SPIKEPROOF_KILLS"}  # of our own tests
    assert variables == {"SPIKEPROOF_CACHE", "SPIKEPROOF_CACHE_READ_ONLY", "SPIKEPROOF_SEAL"}
    assert all(f'"{variable}"' in source for variable in variables)


def test_reports_and_artifacts_come_after_a_failure_too():
    steps = re.split(r"^      - ", WORKFLOW.read_text(), flags=re.MULTILINE)[1:]
    for word in ("spikeproof report", "upload-artifact", "cache/save"):
        found = [step for step in steps if word in step]
        assert found
        assert all("if: ${{ !cancelled()" in step for step in found)
    gates = [step for step in steps if "run: pytest" in step or "run: spikeproof verify" in step]
    assert len(gates) == 2
    assert not any("if:" in step for step in gates)


def test_the_workflow_is_well_formed():
    """Read by a YAML library where there is one; else by what most often breaks such a file."""
    text = WORKFLOW.read_text()
    try:
        import yaml
    except ImportError:
        assert "\t" not in text
        assert text.count("${{") == text.count("}}")
        depth = 0
        for line in re.sub(r"(run: )\|\n(?: {10}.*\n|\n)+", r"\1x\n", text).splitlines():
            if not line.strip() or line.lstrip().startswith("#"):
                continue
            indent = len(line) - len(line.lstrip(" "))
            assert indent % 2 == 0
            assert indent <= depth + 4
            assert re.fullmatch(r" *(?:- )?[A-Za-z][\w-]*:(?: \S.*)?", line), line
            assert not re.search(r": [^'\"\[$]*: ", line), line
            depth = indent
        return
    steps = yaml.safe_load(text)["jobs"]["prove"]["steps"]
    assert all(("uses" in step) != ("run" in step) for step in steps)
