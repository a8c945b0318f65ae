"""Tables of when decisions are final, and of neurons that change them."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from io import BytesIO
from pathlib import Path

import numpy as np
from rich.table import Table

from spikeproof.circuits.doors.images import Images
from spikeproof.circuits.physics.uncertainty import Interval
from spikeproof.prover.margins.relaxation import FASTEST, SLOWEST
from spikeproof.prover.margins.relaxing_networks import SLIVER, Change
from spikeproof.prover.report.tables import plain_table
from spikeproof.prover.running.decisions import Moment
from spikeproof.specs.networks import Network, NetworkError

SHOWN = 20
"""So many changes are shown."""

NARROW = 2 * Fraction(SLIVER)
"""Of shares: what is not certain may be so wide without a row of its own."""


def moments_table(images: Images, found: Sequence[Moment]) -> Table:
    """By class: how many inputs, how many are decided rightly, and when that is final."""
    right = np.array([moment.decision for moment in found]) == images.labels
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


def are_moments(path: Path) -> bool:
    """Whether a file is an archive of moments."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            return sorted(archive.files) == ["continuations", "final", "open"]
    except (OSError, ValueError, EOFError, AttributeError, TypeError, zipfile.BadZipFile):
        return False


def relaxation_times(network: Network, step: Fraction, kept: Interval, name: str) -> Iterator[str]:
    """The network's own relaxation times, a line for each layer of neurons.

    Args:
        step: in ns.
        kept: the shares that a neuron of the range can keep in a step.
        name: of the network.

    Raises:
        NetworkError: if it has none, or one that is not of the range.
    """
    if network.steps == 1:
        raise NetworkError(f"{name}: sees one step, in which no potential relaxes")
    for place, layer in enumerate(network.layers):
        if layer.thresholds is None:
            continue
        share = layer.dynamics.leak
        if not 0 < share < 1:
            what = "nothing" if share == 0 else "all"
            raise NetworkError(
                f"{name}: layer {place} keeps {what} of its potentials, and has no relaxation time"
            )
        own = f"layer {place} keeps {share} in a step of {step} ns"
        time = f"a relaxation time of {float(step) / -math.log(share):.1f} ns"
        if not kept.low <= share <= kept.high:
            raise NetworkError(f"{name}: {own}, {time}; the range is {FASTEST} to {SLOWEST} ns")
        yield f"{own}: {time}"


def joined(found: Sequence[Change]) -> list[Change]:
    """Changes, those of neighbouring shares that come to the same as one.

    What is not certain is left out where it is no wider than ``NARROW``, too little to show in tenths of
    a ns, and beside or between shares that are certain.
    """
    certain = _joined([each for each in found if each.certain])
    perhaps = [
        each
        for each in _joined([each for each in found if not each.certain])
        if not any(
            _key(each) == _key(other)
            and other.low - NARROW <= each.low <= each.high <= other.high + NARROW
            for other in certain
        )
    ]
    return sorted(certain + perhaps, key=_order)


def _joined(found: Sequence[Change]) -> list[Change]:
    rows: list[Change] = []
    for each in sorted(found, key=_order):
        if rows and _key(rows[-1]) == _key(each) and each.low <= rows[-1].high + NARROW:
            rows[-1] = replace(rows[-1], high=max(rows[-1].high, each.high))
        else:
            rows.append(each)
    return rows


def _key(each: Change) -> tuple[int, int, int, int]:
    return each.input, each.layer, each.neuron, each.decision


def _order(each: Change) -> tuple[tuple[int, int, int, int], Fraction]:
    return _key(each), each.low


def changes_table(found: Sequence[Change], step: Fraction) -> Table:
    """Which neuron changes the class of which input, with which relaxation times, in ns."""

    def tau(share: Fraction) -> str:
        # Shares reach a rounding beyond the ends of the range, so perhaps to 0 or 1.
        time = float(step) / -math.log(share) if 0 < share < 1 else math.inf if share else 0.0
        return f"{min(max(time, float(FASTEST)), float(SLOWEST)):.1f}"

    table = plain_table("input", "layer", "neuron", "tau in ns", "becomes", "")
    for column in table.columns[:5]:
        column.justify = "right"
    rows = joined(found)
    for each in rows[:SHOWN]:
        table.add_row(
            *map(str, (each.input, each.layer, each.neuron)),
            f"{tau(each.low)} to {tau(each.high)}",
            str(each.decision),
            "" if each.certain else "perhaps",
        )
    if len(rows) > SHOWN:
        table.add_row("...", *[""] * 5)
    return table
