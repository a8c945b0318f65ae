"""Certified accuracy against changed bits, as a table and as a plot."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any, NamedTuple

from rich.table import Table

from spikeproof.circuits.doors.images import Images
from spikeproof.prover.evidence.distances import FLIPS, SHIFTS, Header
from spikeproof.prover.evidence.image_records import Records
from spikeproof.prover.report.tables import plain_table

CHANGES = {FLIPS: "bits that may change", SHIFTS: "steps that spikes may move"}

STYLE: dict[Any, Any] = {"svg.fonttype": "none", "svg.hashsalt": "spikeproof", "font.size": 9}


class Level(NamedTuple):
    """What is certified of images of which so many bits may change: of how many.

    ``kept``: the class cannot change; ``right``: and is that of the label; ``changed``: some change of
    no more bits changes it.
    """

    bits: int
    images: int
    kept: int
    right: int
    changed: int

    @property
    def undecided(self) -> int:
        """The rest."""
        return self.images - self.kept - self.changed


def levels(header: Header, images: Images, records: Records) -> list[Level]:
    """For each number of bits, from none on."""

    def level(bits: int) -> Level:
        kept = [image for image, record in records.items() if record["radius"] >= bits]
        right = sum(records[image]["class"] == images.labels[image] for image in kept)
        near = [r for r in records.values() if r["witness"] is not None and r["radius"] < bits]
        return Level(bits, header.count, len(kept), int(right), len(near))

    return [level(bits) for bits in range(header.flips + 1)]


def levels_lines(header: Header, images: Images, records: Records) -> tuple[Table]:
    """In percent of images."""
    table = plain_table(
        CHANGES[header.changes], "class certain", "and right", "class changes", "undecided"
    )
    for column in table.columns:
        column.justify = "right"
    for each in levels(header, images, records):
        parts = (each.kept, each.right, each.changed, each.undecided)
        table.add_row(str(each.bits), *(f"{100 * part / each.images:.2f} %" for part in parts))
    return (table,)


def levels_plot(header: Header, images: Images, records: Records, suffix: str) -> bytes:
    """In a file of that ending."""
    from matplotlib.ticker import MaxNLocator

    found = levels(header, images, records)
    bits = [each.bits for each in found]

    def draw(axes: Any) -> None:
        percent = [100 / each.images for each in found]
        kept = [unit * each.kept for unit, each in zip(percent, found, strict=True)]
        right = [unit * each.right for unit, each in zip(percent, found, strict=True)]
        upper = [unit * (each.images - each.changed) for unit, each in zip(percent, found, strict=True)]
        axes.plot(bits, kept, "s--", color="#64748b", label="class certain")
        axes.plot(bits, right, "o-", color="#0f766e", label="class certain, and right")
        if any(each.undecided for each in found):
            axes.fill_between(bits, kept, upper, color="#cbd5e1", label="undecided")
        axes.set_xlabel(CHANGES[header.changes])
        axes.set_ylabel("% of images")
        axes.set_xlim(0, bits[-1])
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.legend(frameon=False)

    return figure_of(draw, suffix)


def figure_of(draw: Callable[[Any], None], suffix: str) -> bytes:
    """What is drawn on a pair of axes, percent of images upwards, in a file of that ending."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(STYLE):
        figure = Figure(figsize=(5.2, 3.4), layout="constrained")
        axes = figure.subplots()
        axes.set_ylim(0, 100)
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
        draw(axes)
        file = BytesIO()
        figure.savefig(
            file, format=suffix[1:], dpi=150, metadata={"Date": None} if suffix == ".svg" else None
        )
    return file.getvalue()
