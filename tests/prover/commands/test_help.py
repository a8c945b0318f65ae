"""Help: what the overview says fits, and every example is one that works as far as it can be read."""

import re
import shlex

import click
import pytest

from spikeproof.prover.commands.cli import COMMANDS, cli


def command_named(name):
    found = cli.get_command(click.Context(cli), name)
    assert found
    return found


def help_of(*command):
    context = cli.make_context("spikeproof", [], resilient_parsing=True, terminal_width=80)
    shown = cli
    for name in command:
        shown = command_named(name)
        context = click.Context(shown, context, name, terminal_width=80)
    return shown.get_help(context)


def test_the_overview_has_a_whole_sentence_for_each_command():
    overview = help_of().partition("Commands:")[2].strip().splitlines()
    assert [line.split()[0] for line in overview] == sorted(COMMANDS)
    assert all(line.endswith(".") and not line.endswith("..") and len(line) <= 80 for line in overview)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_examples_that_can_be_parsed(name):
    shown = help_of(name).partition("Examples:\n")[2].partition("\n\n")[0].splitlines()
    assert shown
    for line in shown:
        program, command, *arguments = shlex.split(re.split("[|>]", line)[0])
        assert (program, command) == ("spikeproof", name)
        command_named(name).make_context(name, arguments)
