"""Plots of a log as SVG that takes the colours and the letters of the page it is put in."""

from __future__ import annotations

import re
import statistics
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from io import StringIO
from itertools import cycle
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, NullLocator, StrMethodFormatter

from spikeproof.prover.evidence.record import Record
from spikeproof.prover.report.summary import UNIT, family
from spikeproof.specs.formats import ARITY, format_named

INK = "#010203"
"""Stands for the page's own colour of text."""

SERIES = ("#010204", "#010205", "#010206", "#010207", "#010208", "#010209")
"""Stand for the page's colours of series, ``--series-1`` and so on."""

MARKERS = "os^Dv*"
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "spikeproof",
    "font.size": 9,
    "text.parse_math": False,
    **dict.fromkeys(
        ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color"), INK
    ),
}

Points = Mapping[str, Mapping[int, list[float]]]
"""Values by series and significand width."""


@dataclass(frozen=True)
class Plot:
    """One operation's plot; ``title`` says in words what it shows."""

    title: str
    svg: str


@dataclass(frozen=True)
class Quantity:
    """What is plotted against significand width, and what makes theorems a series."""

    name: str
    label: str
    value: Callable[[Record], float | None]
    series: Callable[[Record], str | None]


TIME = Quantity(
    "time",
    "seconds to a proof",
    lambda r: r.seconds or None,
    lambda r: ", ".join(e.name for e in r.engines),
)
NEURONS = Quantity(
    "neurons",
    "neurons",
    lambda r: r.netlist.neurons if r.netlist else None,
    lambda r: r.parameters.get("library"),
)


def plots(records: Iterable[Record], quantity: Quantity) -> list[Plot]:
    """A plot for each operation that theorems of several significand widths are green for.

    A line goes through the medians, from the least to the largest value at each width.
    """
    found: dict[str, dict[str, dict[int, list[float]]]] = {operation: {} for operation in ARITY}
    for record in records:
        width, value, series = _precision(record), quantity.value(record), quantity.series(record)
        operation = record.parameters.get("operation")
        if record.green and operation in found and width and value and series:
            found[operation].setdefault(series, {}).setdefault(width, []).append(value)
    return [
        Plot(
            f"{operation.replace('_', ' ')}: {quantity.label} against significand width",
            _svg(operation, points, quantity),
        )
        for operation, points in found.items()
        if len({width for widths in points.values() for width in widths}) > 1
    ]


def _precision(record: Record) -> int | None:
    if family(record) != UNIT or "construction" in record.parameters:  # functions end at 16 bits
        return None
    try:
        return format_named(record.parameters.get("format", "")).precision
    except ValueError:
        return None


def _svg(operation: str, points: Points, quantity: Quantity) -> str:
    def draw(axes: Axes) -> None:
        axes.set(title=operation.replace("_", " "), xscale="log", yscale="log")
        axes.set(xlabel="significand width (bits)", ylabel=quantity.label)
        _draw(axes, points)
        _number(axes, sorted({width for widths in points.values() for width in widths}))

    return drawn(f"{quantity.name}-{operation}", draw)


def drawn(name: str, draw: Callable[[Axes], None]) -> str:
    """What is drawn on a pair of axes, as part of a page; no two names on a page may be equal."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(3.6, 2.8), layout="constrained")
        axes = figure.subplots()
        axes.spines[["top", "right"]].set_visible(False)
        draw(axes)
        text = StringIO()
        figure.savefig(text, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return _for_page(text.getvalue(), name)


def _draw(axes: Axes, points: Points) -> None:
    """A line and bars for each series."""
    styles = zip(cycle(SERIES), cycle(MARKERS), strict=False)
    for (series, widths), (colour, marker) in zip(sorted(points.items()), styles, strict=False):
        at = sorted(widths)
        middle = [statistics.median(widths[width]) for width in at]
        least, most = ([end(widths[width]) for width in at] for end in (min, max))
        axes.plot(at, middle, color=colour, marker=marker, markersize=4, label=series)
        axes.vlines(at, least, most, color=colour, linewidth=3, alpha=0.35)
    axes.legend(frameon=False, fontsize=8)


def _number(axes: Axes, widths: list[int]) -> None:
    """Numbers at the widths that there are, and at enough values."""
    axes.set_xticks(widths, map(str, widths))
    axes.xaxis.set_minor_locator(NullLocator())
    bottom, top = axes.get_ylim()
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if top < 100 * bottom else (1,)))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())


def _for_page(svg: str, name: str) -> str:
    """A drawing as part of a page: its colours, its letters, and names that are no other drawing's."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r' (?:width|height)="[\d.]+pt"', "", svg, count=2)
    svg = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{name}-", svg)
    svg = re.sub(r"font: ([\d.]+px) [^;\"]*", r"font-size: \1", svg)
    for number, colour in enumerate(SERIES, 1):
        svg = svg.replace(colour, f"var(--series-{number})")
    return svg.replace(INK, "currentColor").replace("<svg ", '<svg aria-hidden="true" ', 1)
