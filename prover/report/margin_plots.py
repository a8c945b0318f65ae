"""Plots of proved limits beside what published systems say of the same gates."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from fractions import Fraction
from itertools import cycle

from matplotlib.axes import Axes

from spikeproof.circuits.physics.substrates import Reset
from spikeproof.circuits.units.libraries import gate_netlist
from spikeproof.prover.evidence.record import Record
from spikeproof.prover.margins.limits import THRESHOLD, leak_limit
from spikeproof.prover.report.accuracy import accuracy, noisy
from spikeproof.prover.report.plots import INK, MARKERS, SERIES, Plot, drawn
from spikeproof.prover.report.published import LEAK, NOISE, S1, S2, Figure
from spikeproof.prover.report.published import THRESHOLD as VARIED

SIGMAS = tuple(Fraction(percent, 100) for percent in range(8, 53, 4))
"""Where the curves of accuracy go through."""

LEAKS = tuple(f"leak_without_reset.{reset.value}" for reset in Reset)
"""The theorems that limits of leak are."""

Draw = Callable[[Axes, Sequence[Figure]], None]


def margin_plots(records: Iterable[Record]) -> list[Plot]:
    """A plot of each kind, of the gates whose limits this log proves; none if there are none."""
    proved = {record.theorem for record in records if record.green}
    kinds: tuple[tuple[str, str, Sequence[Figure], tuple[str, ...], Draw], ...] = (
        ("S1, noise", "accuracy under Gaussian noise", _of(NOISE, S1), ("noise",), _noise),
        ("S2, thresholds", "deviations that change no answer", VARIED, ("threshold",), _threshold),
        ("S1, leak", "leak that changes no answer", _of(LEAK, S1), LEAKS, _leak),
        ("S2, leak", "leak that changes no answer", _of(LEAK, S2), LEAKS, _leak),
    )
    found: list[Plot] = []
    for title, words, figures, needed, draw in kinds:
        shown = [f for f in figures if {f"margin.{f.library}.{f.gate}.{n}" for n in needed} <= proved]
        if shown:
            name = f"margins-{len(found)}"
            found.append(Plot(f"{title}: {words}", drawn(name, _with(draw, title, shown))))
    return found


def _of(figures: Collection[Figure], source: str) -> list[Figure]:
    return [figure for figure in figures if figure.source == source]


def _with(draw: Draw, title: str, figures: Sequence[Figure]) -> Callable[[Axes], None]:
    def whole(axes: Axes) -> None:
        axes.set_title(title)
        draw(axes, figures)
        axes.legend(frameon=False, fontsize=7, loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=2)

    return whole


def _noise(axes: Axes, figures: Sequence[Figure]) -> None:
    """Exact accuracies as curves, published ones as marks."""
    styles = zip(cycle(SERIES), cycle(MARKERS), cycle(("-", ":", "--")), strict=False)
    for gate, (colour, marker, line) in zip(_gates(figures), styles, strict=False):
        published = [figure for figure in figures if figure.gate == gate]
        netlist = gate_netlist(published[0].library, gate)
        curve = [float(accuracy(netlist, noisy(sigma)).low * 100) for sigma in SIGMAS]
        axes.plot(list(map(float, SIGMAS)), curve, line, color=colour, label=f"{gate}, exact")
        axes.plot(
            [float(figure.size) for figure in published],
            [float(sum(figure.range) / 2) for figure in published],
            marker,
            color=colour,
            markersize=5,
            markerfacecolor="none",
            label=f"{gate}, published",
        )
    axes.set(xlabel="sigma, units of weight", ylabel="right answers, percent")


def _threshold(axes: Axes, figures: Sequence[Figure]) -> None:
    """Proved intervals as bars, and where losses are published as lines."""
    gates = _gates(figures)
    intervals = [THRESHOLD.limits(gate_netlist(figures[0].library, g)).interval for g in gates]
    lows, highs = (
        [float(end) for end in ends] for ends in zip(*((i.low, i.high) for i in intervals), strict=True)
    )
    widths = [high - low for low, high in zip(lows, highs, strict=True)]
    axes.barh(
        gates, widths, left=lows, height=0.5, color=SERIES[0], alpha=0.5, label="proved: all right"
    )
    published = {figure.size: figure.accuracy for figure in figures}
    for (size, percent), line in zip(published.items(), ("--", ":"), strict=True):
        for place in (size, -size):
            label = f"S2: {percent} % at +-{float(size):g}" if place == size else None
            axes.axvline(float(place), color=SERIES[1], linestyle=line, label=label)
    axes.set(xlabel="relative deviation of each threshold")
    axes.invert_yaxis()


def _leak(axes: Axes, figures: Sequence[Figure]) -> None:
    """Proved limits without clearing as bars, and where no loss is published as marks."""
    gates = _gates(figures)
    for reset, colour, shift in zip(Reset, SERIES, (-0.2, 0.2), strict=False):
        limits = [float(leak_limit(gate_netlist(figures[0].library, g), reset).beta) for g in gates]
        places = [place + shift for place in range(len(gates))]
        axes.barh(
            places, limits, height=0.35, color=colour, alpha=0.5, label=f"proved, {reset.value} reset"
        )
    axes.plot(
        [float(figure.size) for figure in figures],
        [gates.index(figure.gate) for figure in figures],
        "o",
        color=INK,
        markersize=4,
        markerfacecolor="none",
        clip_on=False,
        label="100 % published",
    )
    axes.set_yticks(range(len(gates)), gates)
    axes.set(xlabel="beta, never cleared")
    axes.invert_yaxis()


def _gates(figures: Sequence[Figure]) -> list[str]:
    return list(dict.fromkeys(figure.gate for figure in figures))
