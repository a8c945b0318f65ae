"""``spikeproof testfloat``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import click

from spikeproof.circuits.doors.files import read_circuit
from spikeproof.circuits.netlist import Netlist
from spikeproof.prover.claims import catalogue
from spikeproof.prover.claims.obligation import Obligation
from spikeproof.prover.commands.completion import theorem_argument
from spikeproof.prover.commands.console import (
    EXIT_REFUTED,
    STANDARD_OUTPUT,
    circuit_option,
    examples,
    out,
    progress_bar,
)
from spikeproof.prover.report.tables import notes_text


@click.command(
    epilog=examples(
        "testfloat fp16.add.rne.riscv.any_nan.flags vectors.txt",
        "testfloat fp32.multiply.rtz --circuit mine.json vectors.txt",
        "testfloat fp32.fma.rne.riscv.flags --generate 1000000 > vectors.txt",
    )
)
@theorem_argument("theorem")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@circuit_option("Test the netlist in FILE instead of the built-in circuit.")
@click.option(
    "--generate",
    "generate_count",
    type=click.IntRange(min=1),
    metavar="COUNT",
    help="Write so many vectors of the spec to standard output, operands drawn by class.",
)
@click.option("--seed", type=click.IntRange(min=0), help="Another draws other operands (default: 0).")
def testfloat(
    theorem: str,
    file: Path | None,
    circuit_file: Path | None,
    generate_count: int | None,
    seed: int | None,
) -> None:
    """Test circuit and spec on Berkeley TestFloat's vectors.

    What `testfloat_gen FUNCTION` writes is read from FILE, or from standard input; docs/testfloat.md has
    which function is which THEOREM. Exit code 0 if circuit, spec and vectors agree on every line, 1 if
    they do not.
    """
    obligation = catalogue.theorem(theorem)
    if generate_count:
        if file or circuit_file:
            raise click.UsageError("--generate writes what the spec gives; leave out FILE and --circuit")
        _generate(obligation, generate_count, seed or 0)
        return
    if seed is not None:
        raise click.UsageError("--seed is for operands that are drawn; add --generate COUNT")
    _check(obligation, read_circuit(circuit_file) if circuit_file else None, file or STANDARD_OUTPUT)


def _check(obligation: Obligation, circuit: Netlist | None, file: Path) -> None:
    """Compare all lines, say what came of it, and end."""
    from spikeproof.prover.running.testfloat import Check  # loads LLVM, as few commands need

    with _opened(file) as stream:
        check = Check(obligation, circuit)
        with progress_bar("vectors") as progress:
            task = progress.add_task(obligation.name, total=None)
            for first, vectors in check.lines.read(stream, flags=check.has_flags):
                check.add(first, vectors)
                progress.update(task, completed=check.vectors)
    given = f"the circuit given instead, of SHA-256 {circuit.sha256[:12]}\n" if circuit else ""
    out.print(given + check.in_words(), markup=False, soft_wrap=True)
    if circuit and circuit.notes:
        out.print(notes_text(circuit.notes), markup=False, soft_wrap=True)
    sys.exit(EXIT_REFUTED if check.disagreements else 0)


@contextmanager
def _opened(file: Path) -> Iterator[BinaryIO]:
    """A file to be read, or standard input."""
    if file != STANDARD_OUTPUT:
        with file.open("rb") as stream:
            yield stream
    elif sys.stdin is None or sys.stdin.isatty():
        raise click.UsageError("no vectors: pipe what `testfloat_gen FUNCTION` writes, or name a FILE")
    else:
        yield sys.stdin.buffer


def _generate(obligation: Obligation, count: int, seed: int) -> None:
    """Write vectors to standard output."""
    from spikeproof.prover.running.testfloat import generated

    with progress_bar("vectors") as progress:
        task = progress.add_task(obligation.name, total=count)
        for lines, text in generated(obligation, count, seed):
            sys.stdout.write(text)
            progress.advance(task, lines)
