"""``spikeproof completion``, and the names of theorems that shells complete."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click
from click.shell_completion import get_completion_class

from spikeproof.prover.commands.console import examples
from spikeproof.prover.evidence.ledger import ledger_path

PROGRAM = "spikeproof"
SHELLS = ("bash", "zsh", "fish")


def theorems_beginning(letters: str) -> list[str]:
    """The names of our theorems that begin so: by the ledger, for stating them takes a second."""
    try:
        _, *lines = ledger_path().read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    return [name for line in lines if (name := line.partition("\t")[0]).startswith(letters)]


def theorem_argument(name: str, *, many: bool = False) -> Callable[..., Any]:
    """A theorem by its name; or any number of patterns, each a name or a shell glob."""
    return click.argument(
        name,
        metavar="[PATTERN]..." if many else "THEOREM",
        nargs=-1 if many else 1,
        shell_complete=lambda context, parameter, incomplete: theorems_beginning(incomplete),
    )


@click.command(
    epilog=examples(
        "completion bash >> ~/.bashrc",
        "completion zsh >> ~/.zshrc",
        "completion fish > ~/.config/fish/completions/spikeproof.fish",
    )
)
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print what makes a shell complete commands and theorems.

    Theorems that other packages announce are not completed.
    """
    program = context.find_root().command
    kind = get_completion_class(shell)
    assert kind
    variable = f"_{PROGRAM.upper()}_COMPLETE"
    click.echo(kind(program, {}, PROGRAM, variable).source())
