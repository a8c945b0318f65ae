"""Completion of theorem names by shells."""

import os
import shutil
import subprocess
import sys

import click
import pytest

from spikeproof.prover.claims.catalogue import own
from spikeproof.prover.commands.cli import COMMANDS, cli
from spikeproof.prover.commands.completion import NAMING, SHELLS, theorems_beginning
from tests.support.command_line import spikeproof_apart as spikeproof

CODE = "from spikeproof.prover.commands.cli import main; main()"


def complete(shell, words, position):
    """What a shell is told, for the word at a position that is asked for as it asks."""
    asked = {"_SPIKEPROOF_COMPLETE": f"{shell}_complete", "COMP_WORDS": words, "COMP_CWORD": position}
    ended = spikeproof(**asked)
    assert ended.stderr == ""
    return ended.stdout


def completed(command, parameter):
    """What an argument or option of a command may be completed to."""
    return {item.value for item in parameter.shell_complete(click.Context(command), "cell.ionic.an")}


def test_all_names_can_be_completed():
    assert theorems_beginning("") == list(own())
    assert theorems_beginning("cell.ionic.a") == ["cell.ionic.and"]
    assert theorems_beginning("nothing.") == []


@pytest.mark.parametrize(("shell", "position"), [("bash", "2"), ("zsh", "2"), ("fish", "cell.ionic.an")])
def test_every_shell_is_told(shell, position):
    assert "cell.ionic.and" in complete(shell, "spikeproof prove cell.ionic.an", position)


def test_after_options_too_and_options_themselves():
    assert "cell.ionic.and" in complete("bash", "spikeproof prove --no-cache cell.ionic.an", "3")
    assert "plain,--audit" in complete("bash", "spikeproof prove --au", "2")
    assert complete("bash", "spikeproof prove --timeout cell.ionic.an", "3").strip() == ""
    assert "plain,machine" in complete("bash", "spikeproof exhaust --against m", "3")


def test_commands_whose_arguments_are_theorems_are_known():
    commands = {name: cli.commands[name].command for name in COMMANDS}
    asking = {
        name
        for name, command in commands.items()
        if any("cell.ionic.and" in completed(command, each) for each in command.params)
    }
    assert asking == NAMING


@pytest.mark.parametrize(("shell", "position"), [("bash", "2"), ("zsh", "2"), ("fish", "cell.ionic.an")])
def test_nobody_waits_for_the_catalogue(shell, position):
    """Nor for the command, and what that needs: loading takes the better part of a second."""
    code = (
        "import sys; from spikeproof.prover.commands.cli import main\n"
        "try: main()\n"
        "finally: loaded = [m for m in HEAVY if m in sys.modules]; print(loaded, file=sys.stderr)"
    )
    heavy = ("pysmt", "numpy", "z3", "spikeproof.proofs", "spikeproof.prover.commands.prove")
    asked = {
        "_SPIKEPROOF_COMPLETE": f"{shell}_complete",
        "COMP_WORDS": "spikeproof prove cell.ionic.an",
        "COMP_CWORD": position,
    }
    ended = subprocess.run(
        [sys.executable, "-c", code.replace("HEAVY", repr(heavy))],
        env=os.environ | asked,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "cell.ionic.and" in ended.stdout
    assert ended.stderr.strip() == "[]"


def test_each_shell_has_a_script():
    for shell in SHELLS:
        printed = spikeproof("completion", shell)
        assert printed.returncode == 0
        assert f"_SPIKEPROOF_COMPLETE={shell}_complete" in printed.stdout


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_bash_completes(tmp_path):
    command = tmp_path / "spikeproof"
    command.write_text(f"#!{sys.executable}\n{CODE}\n")
    command.chmod(0o755)
    script = """
    eval "$(spikeproof completion bash)"
    COMP_WORDS=(spikeproof show cell.ionic.an); COMP_CWORD=2
    $(complete -p spikeproof | sed 's/.*-F \\([^ ]*\\).*/\\1/') spikeproof
    echo "${COMPREPLY[@]}"
    """
    ended = subprocess.run(
        ["bash", "-c", script],
        env=os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stdout.strip() == "cell.ionic.and"
