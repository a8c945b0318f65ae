"""The command ``spikeproof``."""

from __future__ import annotations

import sys

import click

from circuits.netlist import NetlistError
from prover.catalogue import CatalogueError
from prover.commands.energy import energy
from prover.commands.exhaust import exhaust
from prover.commands.ledger import ledger
from prover.commands.listing import list_theorems
from prover.commands.margins import margins
from prover.commands.mutate import mutate
from prover.commands.prove import prove
from prover.commands.replay import replay
from prover.commands.report import report
from prover.commands.show import show
from prover.commands.verify import verify
from prover.console import EXIT_BAD_INPUT, EXIT_INTERNAL, EXIT_INTERRUPTED, err
from prover.engine import EngineError
from prover.ledger import LedgerError
from prover.replay import ReplayError


@click.group(context_settings={"help_option_names": ["-h", "--help"]}, no_args_is_help=False)
@click.version_option(package_name="spikeproof")
def cli() -> None:
    """Machine-checked proofs that arithmetic built from spiking neurons is bit-exact."""


for command in (
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
    try:
        sys.exit(cli.main(standalone_mode=False) or 0)
    except click.ClickException as error:
        _fail(error.format_message(), EXIT_BAD_INPUT)
    except (CatalogueError, EngineError, LedgerError, NetlistError, ReplayError) as error:
        _fail(str(error), EXIT_BAD_INPUT)
    except (click.Abort, KeyboardInterrupt):
        _fail("interrupted; what `prove` or `exhaust` had done is kept: repeat it", EXIT_INTERRUPTED)
    except Exception as error:
        _fail(f"internal error: {type(error).__name__}: {error}", EXIT_INTERNAL)


def _fail(message: str, code: int) -> None:
    err.print(f"spikeproof: {message}", markup=False, soft_wrap=True)
    sys.exit(code)


if __name__ == "__main__":  # `python -m prover.cli` must not succeed at nothing
    main()
