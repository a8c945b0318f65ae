"""The command ``spikeproof``."""

from __future__ import annotations

import sys

import click

from spikeproof.circuits.netlist import NetlistError
from spikeproof.prover.claims.catalogue import CatalogueError
from spikeproof.prover.commands.completion import PROGRAM, completion
from spikeproof.prover.commands.console import (
    EXIT_BAD_INPUT,
    EXIT_BROKEN_PIPE,
    EXIT_INTERNAL,
    EXIT_INTERRUPTED,
    OutputError,
    err,
    guarded_output,
)
from spikeproof.prover.commands.energy import energy
from spikeproof.prover.commands.exhaust import exhaust
from spikeproof.prover.commands.ledger import ledger
from spikeproof.prover.commands.listing import list_theorems
from spikeproof.prover.commands.margins import margins
from spikeproof.prover.commands.mutate import mutate
from spikeproof.prover.commands.prove import prove
from spikeproof.prover.commands.replay import replay
from spikeproof.prover.commands.report import report
from spikeproof.prover.commands.show import show
from spikeproof.prover.commands.verify import verify
from spikeproof.prover.engines.engine import EngineError
from spikeproof.prover.evidence.ledger import LedgerError
from spikeproof.prover.running.replay import ReplayError


@click.group(context_settings={"help_option_names": ["-h", "--help"]}, no_args_is_help=False)
@click.version_option(package_name="spikeproof")
def cli() -> None:
    """Machine-checked proofs that arithmetic built from spiking neurons is bit-exact."""


for command in (
    completion,
    energy,
    exhaust,
    ledger,
    list_theorems,
    margins,
    mutate,
    prove,
    replay,
    report,
    show,
    verify,
):
    cli.add_command(command)


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
        _fail(error.format_message(), EXIT_BAD_INPUT)
    except (CatalogueError, EngineError, LedgerError, NetlistError, ReplayError) as error:
        _fail(str(error), EXIT_BAD_INPUT)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        _fail(f"the system refuses: {where}{error.strerror or error}", EXIT_BAD_INPUT)
    except (click.Abort, KeyboardInterrupt):
        _fail("interrupted; what `prove` or `exhaust` had done is kept: repeat it", EXIT_INTERRUPTED)
    except Exception as error:
        _fail(f"internal error: {type(error).__name__}: {error}", EXIT_INTERNAL)


def _exit_code() -> str | int | None:
    """That of the command, which may end by ``sys.exit``."""
    try:
        return cli.main(prog_name=PROGRAM, standalone_mode=False) or 0
    except SystemExit as ended:
        return ended.code


def _fail(message: str, code: int) -> None:
    err.print(f"spikeproof: {message}", markup=False, soft_wrap=True)
    sys.exit(code)


if __name__ == "__main__":  # `python -m prover.commands.cli` must not succeed at nothing
    main()
