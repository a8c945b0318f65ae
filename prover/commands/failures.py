"""What commands with ``--failures`` share: every failing input, in a file."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

import click

from spikeproof.circuits.netlist import Netlist
from spikeproof.prover.claims.environment import passing_formulas
from spikeproof.prover.claims.obligation import Obligation
from spikeproof.prover.commands.console import (
    STANDARD_OUTPUT,
    err,
    progress_bar,
    require_writable,
    writing,
)
from spikeproof.prover.evidence.files import is_special, replacing
from spikeproof.prover.refutation.drawing import COMPILED_BITS, MOST_BITS
from spikeproof.prover.refutation.exhaustion import is_enumerable
from spikeproof.prover.refutation.failures import MOST, NPZ_BITS, Failures

NPZ = ".npz"


def require_listable(
    obligation: Obligation, circuit: Netlist | None, file: Path, most_bits: int = COMPILED_BITS
) -> None:
    """Refuse a file for failures that cannot be written, or be listed.

    Args:
        circuit: given instead of the theorem's own, if any.
        most_bits: of inputs that are enumerated here; by default what can be done on the way.

    Raises:
        click.UsageError: in one line, before any work is done.
    """
    if file.suffix not in (NPZ, ".csv") and file != STANDARD_OUTPUT and not is_special(file):
        raise click.UsageError(f"--failures {file}: end its name in .csv or .npz")
    require_writable(file)
    netlist = circuit or (obligation.circuit() if obligation.circuit else None)
    if netlist is None:
        raise click.UsageError(f"--failures: {obligation.name} is about formulas; name one of a circuit")
    bits = netlist.input_count
    if bits > most_bits:
        more = f"; `exhaust` tries those of up to {MOST_BITS}" if bits <= MOST_BITS else ""
        raise click.UsageError(
            f"--failures: {obligation.name} has {bits} input bits; every input is tried here of up to "
            f"{most_bits} bits{more or ', and the simplest that fails is shown anyway'}"
        )
    with passing_formulas():
        claim = obligation.state(netlist)
        if not is_enumerable(claim, netlist):
            raise click.UsageError(f"--failures: {obligation.name} says of no output what it should be")
        widest = max(Failures(claim, netlist).widths.values())
    if file.suffix == NPZ and widest > NPZ_BITS:
        raise click.UsageError(f"--failures: a bus has {widest} bits, NPZ holds {NPZ_BITS}; use .csv")


def list_failures(obligation: Obligation, circuit: Netlist | None, file: Path) -> int:
    """Write every input that fails, with both results, and say how many there are.

    Raises:
        StorageError: if the file cannot be written.
    """
    assert obligation.circuit
    netlist = circuit or obligation.circuit()
    with passing_formulas(), progress_bar("listing failures") as progress:
        task = progress.add_task(obligation.name, total=1 << netlist.input_count)
        claim = obligation.state(netlist)
        failures = Failures(claim, netlist, partial(progress.advance, task))
        rows = _write(failures, file)
    cut = rows == MOST < 1 << netlist.input_count
    which = f"the first {rows:,} failing inputs and no more" if cut else f"all {rows:,} failing inputs"
    err.print(f"wrote {which}, with both results, to {file}", markup=False, soft_wrap=True)
    return rows


def _write(failures: Failures, file: Path) -> int:
    if file == STANDARD_OUTPUT:
        return failures.write_csv(sys.stdout)
    with writing(file), replacing(file) as path:
        if file.suffix == NPZ:
            return failures.write_npz(path)
        with path.open("w", encoding="utf-8", newline="\n") as text:
            return failures.write_csv(text)
