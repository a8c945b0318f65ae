"""``spikeproof replay``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from spikeproof.circuits.doors.json import read_json
from spikeproof.prover.commands.console import EXIT_REFUTED, circuit_option, out, require_writable
from spikeproof.prover.evidence.files import write_atomically
from spikeproof.prover.running.replay import ReplayError, read_counterexample
from spikeproof.prover.running.replay import replay as run_again


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--vcd", "vcd_file", type=click.Path(path_type=Path), help="Write the waveform to FILE.")
@circuit_option("Run the netlist in FILE instead of the one that was wrong.")
def replay(file: Path, vcd_file: Path | None, circuit_file: Path | None) -> None:
    """Run circuit and spec on the counterexample in FILE again.

    Exit code 1 if they still differ, 0 if they now agree.
    """
    if vcd_file:
        require_writable(vcd_file)
    found = read_counterexample(file)
    result = run_again(found, read_json(circuit_file) if circuit_file else None)
    if vcd_file:
        if result.waveform is None:
            raise ReplayError(f"{found.theorem} is about formulas: there are no signals to write")
        write_atomically(vcd_file, result.waveform)
    out.print(found.theorem, markup=False)
    if result.sha256 != found.sha256:
        out.print("run on another circuit than the one that was wrong", markup=False)
    out.print(result.text, markup=False, soft_wrap=True)
    out.print("still a counterexample" if result.violated else "no longer a counterexample")
    sys.exit(EXIT_REFUTED if result.violated else 0)
