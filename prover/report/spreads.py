"""Which devices of a network are right on how many images, as tables and as a plot."""

from __future__ import annotations

from collections.abc import Collection
from fractions import Fraction
from typing import Any

from rich.table import Table

from spikeproof.circuits.doors.images import Images
from spikeproof.prover.evidence.image_records import Header, Records
from spikeproof.prover.evidence.spreads import YieldHeader, share
from spikeproof.prover.report.robustness import figure_of
from spikeproof.prover.report.tables import plain_table

PERCENTS = (Fraction(1, 10), Fraction(1, 5), Fraction(1, 2), *map(Fraction, (1, 2, 3, 5, 10, 20)))
"""Deviations at which images are counted."""

DEVICES = ("50", "90", "99", "99.9", "99.99", "99.9999")
"""Percent of devices at which images are counted."""


def spreads_of(records: Records) -> list[Fraction]:
    """The spreads of images that are right, from the least on."""
    return sorted(_known(records, "spread"))


def yields_of(records: Records) -> list[Fraction]:
    """The least shares of devices, from the least on."""
    return sorted(_known(records, "least"))


def _known(records: Records, name: str) -> list[Fraction]:
    shares = (share(record[name]) for record in records.values())
    return [each for each in shares if each is not None]


def spreads_lines(header: Header, images: Images, records: Records) -> tuple[Table, str]:
    """How many images are right on all devices, by how far these may be off; the median and the largest,
    in words."""
    found = spreads_of(records)
    table = _table("deviations below", "images right on all devices")
    for percent in PERCENTS:
        table.add_row(f"{float(percent):g} %", *_part(found, percent / 100, header.count))
    if not found:
        return table, "no image is right"
    middle, most = found[len(found) // 2], found[-1]
    return table, (
        f"of {len(found):,} images that are right half bear {middle} ({float(middle):.2%}) or more, "
        f"the best {most} ({float(most):.2%})"
    )


def yields_lines(header: YieldHeader, images: Images, records: Records) -> tuple[Table, str]:
    """How many images are right on how many devices; the mean, rounded down, in words."""
    found = yields_of(records)
    table = _table("devices at least", "images right on so many")
    for percent in DEVICES:
        table.add_row(f"{percent} %", *_part(found, Fraction(percent) / 100, header.count))
    mean = sum(found, start=Fraction(0)) / max(1, len(found))
    return table, (
        f"deviation {header.deviation}: an image is right on at least "
        f"{int(10**6 * mean) / 10**4:.4f} % of devices, in the mean"
    )


def _table(*columns: str) -> Table:
    table = plain_table(*columns, "")
    for column in table.columns:
        column.justify = "right"
    return table


def _part(found: Collection[Fraction], least: Fraction, images: int) -> tuple[str, str]:
    """How many are so large at least."""
    count = sum(each >= least for each in found)
    return f"{count:,}", f"{100 * count / images:.2f} %"


def spreads_plot(header: Header, images: Images, records: Records, suffix: str) -> bytes:
    """Certified accuracy against spread, in a file of that ending."""
    found = [100 * float(each) for each in spreads_of(records)]
    unit = 100 / header.count

    def draw(axes: Any) -> None:
        steps = [(0.0, unit * len(found))]
        steps += [(at, unit * (len(found) - place - 1)) for place, at in enumerate(found)]
        axes.step(*zip(*steps, strict=True), where="post", color="#0f766e")
        axes.set_xlabel("largest deviation of couplings and thresholds, in percent")
        axes.set_ylabel("% of images right on all devices")
        axes.set_xlim(0, None)

    return figure_of(draw, suffix)
