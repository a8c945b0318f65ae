"""The command ``spikeproof``."""

from __future__ import annotations

import os
import sys
from functools import cached_property
from importlib import import_module
from typing import Any, NoReturn

import click

from spikeproof.prover.commands.completion import PROGRAM, complete_quickly
from spikeproof.prover.commands.console import (
    EXIT_BAD_INPUT,
    EXIT_BROKEN_PIPE,
    EXIT_INTERNAL,
    EXIT_INTERRUPTED,
    OutputError,
    drop,
    err,
    guarded_output,
)

COMMANDS = {
    "accuracy": "Count how often a library's function is not correctly rounded.",
    "check": "Decide whether a circuit of yours is right.",
    "completion": "Print what makes a shell complete commands and theorems.",
    "energy": "Count spikes and synaptic operations, and what they cost.",
    "exhaust": "Compare a circuit with its spec on every single input.",
    "export": "Write a theorem, or its circuit, for other tools.",
    "ledger": "Show, check or write what is promised, and on what evidence.",
    "list": "List theorems, with what they state.",
    "margins": "Show exact limits of noise, spread and leak.",
    "merge": "Make one proof log of those that shards wrote.",
    "model": "Count what a language model takes for a token, and certify it.",
    "mutate": "Plant faults in circuits, and see whether proofs notice.",
    "network": "Certify what a network of neurons makes of images.",
    "opinion": "Ask engines of other makes about theorems.",
    "order": "Reveal in which order a library's function sums, and test it.",
    "prove": "Prove theorems, of our circuits or of one given.",
    "replay": "Run circuit and spec on the counterexample in FILE again.",
    "report": "Show a proof log: in short, or in each form asked for.",
    "show": "Show a theorem: statement, circuit, proof, last result.",
    "sizes": "Compare how large units are, by structure, and what that costs.",
    "testfloat": "Test circuit and spec on Berkeley TestFloat's vectors.",
    "verify": "Check a proof log again, without the engines that wrote it.",
}
"""What each command does, as its help begins: said again here, so that no overview need load it."""

MODULES = {"list": "listing"}
"""In which module of this room a command is, if that is not called as it is."""

IN_PROCESSES = frozenset({"mutate", "prove"})
"""Commands with as many processes as there are cores: threads of NumPy's would only wait for one another
there, and are left out unless somebody asks for them. What they may be is read when it is loaded."""

EXTRAS = {
    "bitwuzla": "bitwuzla",
    "dask": "cluster",
    "distributed": "cluster",
    "jinja2": "report",
    "junitparser": "report",
    "markupsafe": "report",
    "matplotlib": "report",
    "numba": "verified",
    "pylatexenc": "report",
    "torch": "torch",
}
"""Which extra of ours installs a package that need not be there."""

ERRORS_OF_USERS = frozenset(
    f"spikeproof.{error}"
    for error in (
        "circuits.netlist.NetlistError",
        "prover.claims.announced.CatalogueError",
        "prover.claims.obligation.StatementError",
        "prover.engines.engine.EngineError",
        "prover.evidence.ledger.LedgerError",
        "prover.running.replay.ReplayError",
        "specs.networks.NetworkError",
    )
)
"""What bad input raises, by name: nobody who tells it of one waits for the others to be loaded."""


class Deferred(click.Command):
    """A command that is loaded when it is called: each needs much that others do not."""

    def __init__(self, name: str, summary: str) -> None:
        super().__init__(name, short_help=summary)
        self._module = f"{__package__}.{MODULES.get(name, name)}"

    @cached_property
    def command(self) -> click.Command:
        """The command itself."""
        if self.name in IN_PROCESSES:
            os.environ.setdefault("OMP_NUM_THREADS", "1")
        loaded = vars(import_module(self._module))
        commands = (each for each in loaded.values() if isinstance(each, click.Command))
        (command,) = (each for each in commands if each.name == self.name)
        return command

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """That of the command itself, which is then what click goes on with."""
        return self.command.make_context(*args, **kwargs)


@click.group(
    commands=[Deferred(name, summary) for name, summary in COMMANDS.items()],
    context_settings={"help_option_names": ["-h", "--help"]},
    no_args_is_help=False,
)
@click.version_option(package_name="spikeproof")
def cli() -> None:
    """Machine-checked proofs that spiking arithmetic is bit-exact."""


def main() -> None:
    """Run the command line; every error is one line on standard error and a distinct exit code."""
    if sys.stdout is None:
        _fail("standard output is closed; send it to /dev/null if you do not want it", EXIT_BAD_INPUT)
    try:
        with guarded_output():
            code = _exit_code()
            sys.stdout.flush()
        sys.exit(code)
    except OutputError as error:
        if error.unread:
            sys.exit(EXIT_BROKEN_PIPE)
        _fail(f"cannot write to standard output: {error}; send it elsewhere", EXIT_BAD_INPUT)
    except click.ClickException as error:
        message = error.format_message()
        _fail(
            message if sys.argv[1:] else f"{message.rstrip('.')}; see {PROGRAM} --help", EXIT_BAD_INPUT
        )
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        _fail(f"the system refuses: {where}{error.strerror or error}", EXIT_BAD_INPUT)
    except (click.Abort, KeyboardInterrupt):
        _fail(
            "interrupted; what `prove`, `exhaust` or `network` had done is kept: repeat it",
            EXIT_INTERRUPTED,
        )
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in EXTRAS:
            _fail_internally(error)
        _fail(f"this needs {package}: pip install 'spikeproof[{EXTRAS[package]}]'", EXIT_BAD_INPUT)
    except Exception as error:
        if _is_of_users(error):
            _fail(str(error), EXIT_BAD_INPUT)
        _fail_internally(error)


def _is_of_users(error: Exception) -> bool:
    """Whether bad input raised it."""
    return any(f"{kind.__module__}.{kind.__name__}" in ERRORS_OF_USERS for kind in type(error).__mro__)


def _exit_code() -> str | int | None:
    """That of the command, which may end by ``sys.exit``."""
    try:
        complete_quickly()
        return cli.main(prog_name=PROGRAM, standalone_mode=False) or 0
    except SystemExit as ended:
        return ended.code


def _fail_internally(error: Exception) -> NoReturn:
    _fail(f"internal error: {type(error).__name__}: {error}", EXIT_INTERNAL)


def _fail(message: str, code: int) -> NoReturn:
    from spikeproof.circuits.netlist import one_line

    try:
        err.print(f"{PROGRAM}: {one_line(message)}", markup=False, soft_wrap=True)
    except OSError:  # nobody can be told, but the exit code must say what it should
        drop(sys.stderr)
    sys.exit(code)


if __name__ == "__main__":  # `python -m spikeproof.prover.commands.cli` must not succeed at nothing
    main()
