"""``spikeproof margins``."""

from __future__ import annotations

from fractions import Fraction

import click

from spikeproof.circuits.physics.substrates import IONIC, SubstrateError
from spikeproof.circuits.units.libraries import DEFAULT_LIBRARY, EVERY_LIBRARY, GATE_INPUTS, WIDE_GATES
from spikeproof.prover.commands.console import examples, out, progress_bar
from spikeproof.prover.margins.failure import Redundancy, require_deviation
from spikeproof.prover.report.margins import LIMITS_NOTE, TABLES, limits_table, rows, theorems, together
from spikeproof.prover.report.units import (
    COPIES,
    DEVIATION_NOTE,
    FAILURE_NOTE,
    SIGMAS,
    names_of_units,
    unit_tables,
)


class Deviation(click.ParamType[Fraction]):
    """A positive deviation of noise."""

    name = "deviation"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Fraction:
        """The number, exactly, or a one-line error."""
        try:
            sigma = IONIC.parameters["sigma"].value("sigma", value)
            require_deviation(sigma)
        except (SubstrateError, ValueError) as error:
            self.fail(str(error), param, ctx)
        return sigma


@click.command(
    epilog=examples(
        "margins --library ionic --gate and", "margins --table noise", "margins --units --sigma 0.1"
    )
)
@click.option("--library", type=click.Choice(list(EVERY_LIBRARY)), help="Gates of this library only.")
@click.option("--gate", type=click.Choice([*GATE_INPUTS, *WIDE_GATES]), help="This gate only.")
@click.option(
    "--table", type=click.Choice(list(TABLES)), help="Published figures of this kind, beside ours."
)
@click.option(
    "--units",
    is_flag=True,
    help=f"How likely whole units of a library (default: {DEFAULT_LIBRARY}) err under Gaussian noise.",
)
@click.option(
    "--sigma",
    "sigmas",
    type=Deviation(),
    multiple=True,
    help="With --units: a deviation of the noise (default: 0.15 and 0.2); may be repeated.",
)
@click.option(
    "--copies",
    type=click.IntRange(min=1, max=99),
    multiple=True,
    help="With --units: how many copies of every neuron vote (default: 1 and 3); may be repeated.",
)
def margins(
    library: str | None,
    gate: str | None,
    table: str | None,
    units: bool,
    sigmas: tuple[Fraction, ...],
    copies: tuple[int, ...],
) -> None:
    """Show exact limits of noise, spread and leak.

    Within them each gate, or each whole unit, is right: theorems say so, and that it is wrong beyond.
    """
    if not units and (sigmas or copies):
        raise click.UsageError("--sigma and --copies are about whole units; add --units")
    if units:
        if gate or table:
            raise click.UsageError("--units is about whole units; leave out --gate and --table")
        _show_units(library or DEFAULT_LIBRARY, sigmas or SIGMAS, copies or COPIES)
        return
    if table is not None:
        make, note = TABLES[table]
        shown = make(lambda f: f.library == (library or f.library) and f.gate == (gate or f.gate))
        if not len(shown):
            raise click.UsageError("no such figure is published; leave out --library or --gate")
        out.print(shown)
        out.print(note.replace("\n", " "), markup=False)
        return
    found = list(rows(library, gate))
    out.print(limits_table(found))
    if library and gate:
        for row in found:
            out.print(theorems(row))
            out.print(together(row), markup=False)
    out.print(LIMITS_NOTE.replace("\n", " "), markup=False)


def _show_units(library: str, sigmas: tuple[Fraction, ...], copies: tuple[int, ...]) -> None:
    names, redundancies = names_of_units(library), [Redundancy(number) for number in copies]
    with progress_bar("simulating") as progress:
        task = progress.add_task("", total=len(names) * len(sigmas) * len(copies))
        tables = unit_tables(
            names,
            sigmas,
            redundancies,
            lambda name: progress.update(task, advance=1, description=name),
        )
    for table, note in zip(tables, (FAILURE_NOTE, DEVIATION_NOTE), strict=True):
        out.print(table)
        out.print(note.replace("\n", " "), markup=False)
