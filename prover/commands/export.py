"""``spikeproof export``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import click

from spikeproof.circuits.doors.files import as_file
from spikeproof.prover.claims import catalogue
from spikeproof.prover.claims.environment import passing_formulas
from spikeproof.prover.claims.obligation import Claim, Obligation
from spikeproof.prover.commands.completion import theorem_argument
from spikeproof.prover.commands.console import examples, writing
from spikeproof.prover.encoding import btor2, smtlib
from spikeproof.prover.evidence.files import write_atomically

QUESTIONS: Mapping[str, Callable[[Claim], str]] = {
    ".smt2": lambda claim: smtlib.script(claim.negation),
    ".btor2": btor2.property_of,
}
"""How a whole theorem is written, by the end of the file's name."""


@click.command(
    epilog=examples(
        "export fp16.multiply.rne multiplier.v",
        "export fp16.multiply.rne theorem.smt2",
        "export fp16.multiply.rne multiplier.smt2 --circuit-alone",
    )
)
@theorem_argument("theorem")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--circuit-alone", is_flag=True, help="Of .smt2 and .btor2: the circuit, not the theorem.")
def export(theorem: str, file: Path, circuit_alone: bool) -> None:
    """Write a theorem, or its circuit, for other tools.

    The end of FILE's name says the format. Of the circuit: .json (ours) and .nir, of neurons;
    .yosys.json, .aag or .aig (AIGER), .blif and .v (Verilog), where neurons become gates of two inputs.
    Of the theorem: .smt2 (a question that is unsatisfiable iff the theorem holds), .btor2 (a property
    that is never bad iff it does).
    """
    obligation = catalogue.theorem(theorem)
    content = _content(obligation, file, circuit_alone)
    with writing(file):
        write_atomically(file, content)


def _content(obligation: Obligation, file: Path, circuit_alone: bool) -> bytes:
    circuit = obligation.circuit() if obligation.circuit else None
    question = QUESTIONS.get(file.suffix.lower())
    if question and not circuit_alone:
        with passing_formulas():
            return question(obligation.state(circuit)).encode()
    if circuit is None:
        raise click.UsageError(f"{obligation.name} is about formulas; name a theorem with a circuit")
    return as_file(circuit, file)
