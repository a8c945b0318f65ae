"""``spikeproof export``."""

from __future__ import annotations

from pathlib import Path

import click

from spikeproof.circuits.doors.files import as_file
from spikeproof.prover.claims import catalogue
from spikeproof.prover.commands.completion import theorem_argument
from spikeproof.prover.commands.console import examples, writing
from spikeproof.prover.evidence.files import write_atomically


@click.command(
    epilog=examples("export fp16.multiply.rne multiplier.v", "export fp16.multiply.rne unit.aig")
)
@theorem_argument("theorem")
@click.argument("file", type=click.Path(path_type=Path))
def export(theorem: str, file: Path) -> None:
    """Write the circuit of a theorem, for other tools.

    The end of FILE's name says the format: .json (ours) and .nir, of neurons; .aag or .aig (AIGER),
    .blif and .v (Verilog), where neurons become gates of two inputs.
    """
    obligation = catalogue.theorem(theorem)
    if obligation.circuit is None:
        raise click.UsageError(f"{obligation.name} is about formulas; name a theorem with a circuit")
    content = as_file(obligation.circuit(), file)
    with writing(file):
        write_atomically(file, content)
