"""``spikeproof sizes``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click

from spikeproof.circuits.units.libraries import STRUCTURE_NAMES
from spikeproof.prover.claims.obligation import Obligation
from spikeproof.prover.commands.completion import theorem_argument
from spikeproof.prover.commands.console import (
    examples,
    file_option,
    progress_bar,
    require_writable,
    screen_beside,
    selected,
    write_file,
)
from spikeproof.prover.report.sizes import NOTE, Size, better, by_structure, cost_table, size_table

SIZES_SCHEMA = "spikeproof-sizes-1"

ALL = "all"
"""What stands for every structure."""

NAMES = tuple(
    STRUCTURE_NAMES[each] for each in sorted(STRUCTURE_NAMES, key=lambda s: s.largest_weight or 0)
)
"""The structures, by the largest weight."""

SAMPLES = 1024
"""Inputs that are simulated of each circuit, where there are too many to try all."""


class Structures(click.ParamType[tuple[str, ...]]):
    """Names of structures, with commas between them."""

    name = "structures"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        """The names, or a one-line error."""
        if value == ALL:
            return NAMES
        names = tuple(str(value).split(","))
        if odd := next((name for name in names if name not in NAMES), None):
            self.fail(f"{odd!r} is no structure; choose of {', '.join(NAMES)}, or {ALL}", param, ctx)
        return names


@click.command(
    epilog=examples(
        "sizes fp16.add.rne --structures all",
        "sizes fp16.multiply.rne fp16.divide.rne --structures small,shallow --json -",
    )
)
@theorem_argument("patterns", many=True)
@click.option(
    "--structures",
    type=Structures(),
    metavar="NAMES",
    help=f"Structures to compare, with commas between them, or {ALL} (default: that in the name).",
)
@click.option(
    "--samples",
    type=click.IntRange(min=0),
    default=SAMPLES,
    show_default=True,
    help="Inputs to simulate where there are too many to try all; 0 for no spikes and no energy.",
)
@file_option("json", "all figures")
def sizes(
    patterns: tuple[str, ...],
    structures: tuple[str, ...] | None,
    samples: int,
    json_file: Path | None,
) -> None:
    """Compare how large units are, by structure, and what that costs.

    PATTERN is the name of a unit's theorem, or a shell glob. A structure that its gate library cannot
    make is left out.
    """
    if not patterns:
        raise click.UsageError("name a unit, such as fp16.add.rne; a shell glob will do")
    obligations = selected(patterns)
    for obligation in obligations:
        if obligation.circuit is None or "structure" not in obligation.parameters:
            raise click.UsageError(
                f"{obligation.name} is of no structure; name a unit of arithmetic, or a block: "
                "`spikeproof show` has the size of any"
            )
    screen = screen_beside(json_file)
    require_writable(json_file)
    units = []
    for obligation in obligations:
        found = _found(obligation, structures, samples)
        screen.print(f"{obligation.name}: {obligation.statement}", markup=False, soft_wrap=True)
        screen.print(size_table(found), "", cost_table(found), "", sep="\n")
        units.append({"unit": obligation.name, "points": _as_json(found)})
    screen.print(NOTE.replace("\n", " "), markup=False)
    if json_file:
        data = {"schema": SIZES_SCHEMA, "samples": samples, "units": units}
        write_file(json_file, json.dumps(data, indent=1) + "\n")


def _found(obligation: Obligation, structures: tuple[str, ...] | None, samples: int) -> list[Size]:
    with progress_bar("simulating") as progress:
        task = progress.add_task("", total=None)
        advance = partial(progress.advance, task)
        compared = by_structure(obligation, structures or (obligation.parameters["structure"],))
        return [Size.of(each, samples, advance) for each in compared]


def _as_json(found: Sequence[Size]) -> list[dict[str, Any]]:
    return [{**each.as_json(), "front": better(each, found) is None} for each in found]
