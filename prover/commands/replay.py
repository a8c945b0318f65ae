"""``spikeproof replay``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from spikeproof.circuits.doors.files import read_circuit
from spikeproof.prover.claims.given import read_claim
from spikeproof.prover.commands.console import (
    EXIT_REFUTED,
    STANDARD_OUTPUT,
    circuit_option,
    claim_option,
    examples,
    file_option,
    require_writable,
    screen_beside,
    write_file,
)
from spikeproof.prover.running.replay import ReplayError, read_counterexample
from spikeproof.prover.running.replay import replay as run_again


@click.command(epilog=examples("replay proof-log/counterexamples/fp8_e5m2.add.rne.json --vcd wave.vcd"))
@click.argument("file", type=click.Path(path_type=Path))
@file_option("vcd", "the waveform")
@circuit_option("Run the netlist in FILE instead of the one that was wrong.")
@claim_option()
def replay(
    file: Path, vcd_file: Path | None, circuit_file: Path | None, claim_file: Path | None
) -> None:
    """Run circuit and spec on the counterexample in FILE again.

    Exit code 1 if they still differ, 0 if they now agree.
    """
    screen = screen_beside(vcd_file)
    require_writable(vcd_file)
    found = read_counterexample(file)
    circuit = read_circuit(circuit_file) if circuit_file else None
    result = run_again(found, circuit, read_claim(claim_file) if claim_file else None)
    screen.print(found.theorem, markup=False, soft_wrap=True)
    if result.sha256 != found.sha256:
        screen.print("run on another circuit than the one that was wrong", markup=False)
    screen.print(result.text, markup=False, soft_wrap=True)
    screen.print("still a counterexample" if result.violated else "no longer a counterexample")
    if vcd_file:
        if result.waveform is None:
            raise ReplayError(f"{found.theorem} is about formulas: there are no signals to write")
        write_file(vcd_file, result.waveform)
        if vcd_file != STANDARD_OUTPUT:
            screen.print(f"waveform: {vcd_file}", markup=False, soft_wrap=True)
    sys.exit(EXIT_REFUTED if result.violated else 0)
