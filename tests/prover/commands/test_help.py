"""Help: what the overview says fits, and every example is one that works as far as it can be read."""

import re
import shlex
import subprocess
import sys

import click
import pytest

from spikeproof.prover.commands.cli import COMMANDS, cli


def help_of(*command):
    context = cli.make_context("spikeproof", [], resilient_parsing=True, terminal_width=80)
    shown = cli
    for name in command:
        shown = cli.commands[name].command
        context = click.Context(shown, context, name, terminal_width=80)
    return shown.get_help(context)


def test_the_overview_has_a_whole_sentence_for_each_command():
    overview = help_of().partition("Commands:")[2].strip().splitlines()
    assert [line.split()[0] for line in overview] == sorted(COMMANDS)
    assert all(line.endswith(".") and not line.endswith("..") and len(line) <= 80 for line in overview)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_overview_says_what_each_help_begins_with(name):
    assert cli.commands[name].command.get_short_help_str(limit=100) == COMMANDS[name]


def test_the_overview_and_what_is_misspelt_load_no_command():
    """Nor what commands need: loading all of them takes seconds."""
    code = (
        "import sys; from spikeproof.prover.commands import cli; sys.argv[1:] = [{!r}]\n"
        "try: cli.main()\n"
        "except SystemExit: print([m for m in ('pysmt', 'numpy', 'z3') if m in sys.modules])"
    )
    for word, said in (
        ("--help", "Commands:"),
        ("--version", "version"),
        ("prov", "Did you mean 'prove'?"),
    ):
        command = [sys.executable, "-c", code.format(word)]
        ended = subprocess.run(command, capture_output=True, text=True, check=True)
        assert said in ended.stdout + ended.stderr
        assert ended.stdout.splitlines()[-1] == "[]"


def test_prove_says_that_it_may_take_longer_than_its_timeout():
    assert "every input is then tried for as long again" in " ".join(help_of("prove").split())


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_examples_that_can_be_parsed(name):
    shown = help_of(name).partition("Examples:\n")[2].partition("\n\n")[0].splitlines()
    assert shown
    for line in shown:
        program, command, *arguments = shlex.split(re.split("[|>]", line)[0])
        assert (program, command) == ("spikeproof", name)
        cli.commands[name].command.make_context(name, arguments)
