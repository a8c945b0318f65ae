"""Tables of when decisions are final, and of neurons that change them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from io import BytesIO

import numpy as np
from rich.table import Table

from spikeproof.circuits.doors.images import Images
from spikeproof.circuits.networks.exact import run_all
from spikeproof.prover.margins.relaxation import FASTEST, SLOWEST
from spikeproof.prover.margins.relaxing_networks import Change
from spikeproof.prover.report.tables import plain_table
from spikeproof.prover.running.decisions import Moment
from spikeproof.specs.networks import Network

SHOWN = 20
"""So many changes are shown."""


def moments_table(network: Network, images: Images, found: Sequence[Moment]) -> Table:
    """By class: how many inputs, how many are decided rightly, and when that is final."""
    right = run_all(network, images.inputs).decisions == images.labels
    table = plain_table("label", "inputs", "right", "final after", "at most", "could change after")
    for column in table.columns:
        column.justify = "right"
    groups = {str(label): images.labels == label for label in np.unique(images.labels)}
    for label, chosen in {**groups, "all": np.ones(len(images), bool)}.items():
        own = [moment for moment, mine in zip(found, chosen, strict=True) if mine]
        final = [moment.final for moment in own]
        table.add_row(
            label,
            f"{len(own):,}",
            f"{100 * right[chosen].mean():.1f} %",
            f"{np.mean(final):.1f}",
            str(max(final)),
            f"{np.mean([moment.open for moment in own]):.1f}",
        )
    return table


def written_moments(found: Sequence[Moment]) -> bytes:
    """As an archive: ``final`` and ``open``, and ``continuations``, packed, of those that have one."""
    file = BytesIO()
    continuations = [moment.continuation for moment in found if moment.continuation is not None]
    np.savez_compressed(
        file,
        final=np.array([moment.final for moment in found]),
        open=np.array([moment.open for moment in found]),
        continuations=np.array(continuations, bool),
    )
    return file.getvalue()


def changes_table(found: Sequence[Change], step: Fraction) -> Table:
    """Which neuron changes the class of which input, with which relaxation times, in ns."""

    def tau(share: Fraction) -> str:
        # Shares reach a rounding beyond the ends of the range, so perhaps to 0 or 1.
        time = float(step) / -math.log(share) if 0 < share < 1 else math.inf if share else 0.0
        return f"{min(max(time, float(FASTEST)), float(SLOWEST)):.1f}"

    table = plain_table("input", "layer", "neuron", "tau from", "to", "class", "")
    for column in table.columns[:6]:
        column.justify = "right"
    for each in found[:SHOWN]:
        table.add_row(
            *map(str, (each.input, each.layer, each.neuron)),
            tau(each.low),
            tau(each.high),
            str(each.decision),
            "" if each.certain else "perhaps",
        )
    if len(found) > SHOWN:
        table.add_row("...", *[""] * 6)
    return table
