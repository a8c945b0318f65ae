"""``spikeproof energy``."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from spikeproof.circuits.doors.files import read_circuit
from spikeproof.circuits.netlist import Netlist
from spikeproof.prover.claims.obligation import require_same_buses
from spikeproof.prover.commands.completion import theorem_argument
from spikeproof.prover.commands.console import circuit_option, examples, out, progress_bar, selected
from spikeproof.prover.report.energy import (
    NOTE,
    SAMPLES,
    Counted,
    Distribution,
    counted,
    distributions,
    energy_table,
    factors_table,
)

DEFAULT = (
    "fp32.add.rne.nexus",
    "fp32.multiply.rne.nexus",
    "fp8_e4m3fn.add.rne.saturate.ternary",
    "fp8_e4m3fn.multiply.rne.saturate.ternary",
)


@click.command(epilog=examples("energy fp32.add.rne.nexus", "energy 'fp8_e5m2.*.rne' --samples 1000"))
@theorem_argument("patterns", many=True)
@click.option(
    "--samples",
    type=click.IntRange(min=2),
    default=SAMPLES,
    show_default=True,
    help="Inputs to draw where there are too many to try all.",
)
@circuit_option("Reckon with the netlist in FILE instead of the built-in circuit.")
def energy(patterns: tuple[str, ...], samples: int, circuit_file: Path | None) -> None:
    """Count spikes and synaptic operations, and what they cost.

    PATTERN is a theorem's name or a shell glob (default: FP32 units as S2 has them, FP8 units of S3's
    neurons).
    """
    obligations = selected(patterns or DEFAULT)
    given = read_circuit(circuit_file) if circuit_file else None
    for obligation in obligations:
        if obligation.circuit is None:
            raise click.UsageError(f"{obligation.name} is about formulas; name a theorem with a circuit")
        if given:
            require_same_buses(obligation, given)
        netlist = given or obligation.circuit()
        try:
            found = [_simulated(netlist, d) for d in distributions(obligation, netlist, samples)]
        except ValueError as error:  # weights that the simulation cannot hold
            raise click.UsageError(f"{obligation.name}: {error}") from None
        out.print(energy_table(obligation, netlist, found))
        out.print()
    out.print(factors_table())
    out.print(NOTE.replace("\n", " "), markup=False)


def _simulated(netlist: Netlist, drawn: Distribution) -> Counted:
    with progress_bar("simulating") as progress:
        task = progress.add_task(drawn.words, total=len(next(iter(drawn.inputs.values()))))
        return counted(netlist, drawn, partial(progress.advance, task))
