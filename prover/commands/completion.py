"""``spikeproof completion``, and the names of theorems that shells complete.

Nothing here may load the catalogue, nor what states or proves theorems: who presses the tabulator key
does not wait for them.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    ZshComplete,
    add_completion_class,
    get_completion_class,
)

from spikeproof.prover.commands.console import examples

PROGRAM = "spikeproof"
SHELLS = ("bash", "zsh", "fish")
NAMING = frozenset(
    {"energy", "exhaust", "export", "list", "mutate", "opinion", "prove", "show", "sizes", "testfloat"}
)
"""Commands whose arguments are theorems."""


def theorems_beginning(letters: str) -> list[str]:
    """The names of our theorems that begin so: by the ledger, for stating them takes a second."""
    package = find_spec("spikeproof")
    (folder,) = (package and package.submodule_search_locations) or ("",)
    try:
        _, *lines = (Path(folder) / "proofs" / "ledger.tsv").read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
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


class _Quick(ShellComplete):
    """Theorems where nothing else can be meant, and no command need be loaded; all else as ever."""

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem]:
        """What the word may be completed to."""
        if args and args[0] in NAMING and not any(word[:1] == "-" for word in (args[-1], incomplete)):
            return [CompletionItem(name) for name in theorems_beginning(incomplete)]
        return super().get_completions(args, incomplete)


class _Bash(_Quick, BashComplete):
    pass


class _Zsh(_Quick, ZshComplete):
    pass


class _Fish(_Quick, FishComplete):
    pass


def complete_quickly() -> None:
    """Have the shells wait for as little as need be."""
    for kind in (_Bash, _Zsh, _Fish):
        add_completion_class(kind)


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
