"""Tables of limits, and of published figures beside ours."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import floor

from spikeproof.circuits.netlist import Netlist
from spikeproof.circuits.physics.substrates import Reset
from spikeproof.circuits.physics.uncertainty import Interval
from spikeproof.circuits.units.libraries import cell_netlist, gate_netlist
from spikeproof.prover.claims.catalogue import catalogue
from spikeproof.prover.margins.limits import (
    PERTURBATIONS,
    THRESHOLD,
    Perturbation,
    first_wrong,
    leak_limit,
    region,
)
from spikeproof.prover.report.accuracy import accuracy, noisy, simulated, varied
from spikeproof.prover.report.published import LEAK, NOISE, Figure
from spikeproof.prover.report.published import THRESHOLD as VARIED
from spikeproof.prover.report.tables import NamedTable


@dataclass(frozen=True)
class Row:
    """A gate with theorems about its limits.

    Attributes:
        name: as in the names of these theorems.
    """

    name: str
    netlist: Netlist


def rows(library: str | None = None, gate: str | None = None) -> Iterator[Row]:
    """The gates of which limits are promised, of one library or of one operation if asked for."""
    for theorem in catalogue():
        if not (theorem.startswith("margin.") and theorem.endswith(".leak_with_reset")):
            continue
        about = catalogue()[theorem].parameters
        asked = (library or about["library"], gate or about["operation"])
        if asked == (about["library"], about["operation"]):
            width = int(about["width"]) if "width" in about else None
            netlist = cell_netlist(about["library"], about["operation"], width)
            name = theorem.removeprefix("margin.").removesuffix(".leak_with_reset")
            yield Row(name, netlist)


def theorems(row: Row) -> NamedTable:
    """The theorems about a gate, and the refutations that are promised."""
    table = _table("theorem", "promised")
    for theorem in catalogue():
        if theorem.startswith(f"margin.{row.name}."):
            obligation = catalogue()[theorem]
            table.add(theorem, obligation.expected.value, note=obligation.statement)
    return table


def together(row: Row) -> str:
    """The region of thresholds and weights that are off at the same time, in words."""
    lines = " and ".join(map(str, region(row.netlist)))
    return f"With thresholds off by up to t and weights by up to w, {row.name} is right iff {lines}."


LIMITS_NOTE = """\
Each limit is exact, and two theorems: margin.GATE.COLUMN, right within; and promised refutations
.beyond, or .below and .above, wrong just beyond. noise: what may be added to every neuron's drive.
threshold, weight, both (threshold_and_weight): relative deviations, of every neuron and synapse its own;
a single number bounds both directions. soft, hard (leak_without_reset.soft and .hard): the largest beta
for ever without clearing; with noise of up to n besides, that times 1 - 2 n (leak_and_noise.soft.N and
.hard.N). With clearing (leak_with_reset) every beta will do. Thresholds and weights off together, by
different bounds: name a --library and a --gate. Superconducting neurons of many inputs and memristive
ones in continuous time: spikeproof list 'margin.superconducting.*' and 'margin.memristive.*'."""


def limits_table(found: Iterable[Row]) -> NamedTable:
    """The exact limits, a row for each gate."""
    table = _table("gate", "noise", "threshold", "weight", "both", "soft", "hard")
    for row in found:
        table.add(
            row.name,
            *(_extent(perturbation, row.netlist) for perturbation in PERTURBATIONS),
            *(str(leak_limit(row.netlist, reset).beta) for reset in Reset),
        )
    return table


def _extent(perturbation: Perturbation, netlist: Netlist) -> str:
    limits = perturbation.limits(netlist)
    return str(limits.interval) if perturbation.sided else str(limits.up)


# --- beside published figures --------------------------------------------------------------------


def noise_table(chosen: Callable[[Figure], bool]) -> NamedTable:
    """Accuracy under Gaussian noise."""
    table = _table("gate", "sigma", "published", "exact", "simulated, 99 %", "published is")
    for figure in filter(chosen, NOISE):
        netlist = gate_netlist(figure.library, figure.gate)
        exact = accuracy(netlist, noisy(figure.size))
        estimate = simulated(netlist, figure.size)
        table.add(
            *_named(figure),
            _percent(exact),
            f"{float(estimate.low * 100):.2f} to {float(estimate.high * 100):.2f}",
            _judged(figure, exact),
        )
    return table


NOISE_NOTE = """\
Percent of right answers, each input equally likely, independent noise of deviation sigma on the drive of
every neuron, potentials cleared. Exact: enclosed by rationals; the digits shown are
certain, and what follows is cut off. No noise below 1/2 changes any answer: margin.GATE.noise. Under
this model a single AND and a single OR have the same accuracy at every sigma: figures that tell them
apart are not both its accuracy."""


def threshold_table(chosen: Callable[[Figure], bool]) -> NamedTable:
    """Accuracy under variation of thresholds."""
    table = _table(
        "gate", "within", "published", "exact", "right for d in", "if Gaussian", "published is"
    )
    for figure in filter(chosen, VARIED):
        netlist = gate_netlist(figure.library, figure.gate)
        proved = THRESHOLD.limits(netlist).interval
        right = all(size in proved for size in (-figure.size, figure.size))
        name, size, published = _named(figure)
        table.add(
            name,
            f"+-{size}",
            published,
            "100" if right else "less",
            str(proved),
            _percent(accuracy(netlist, varied(figure.size))),
            "impossible" if right else "possible",
        )
    return table


THRESHOLD_NOTE = """\
Percent of right answers with every threshold its nominal value times 1 + d, each neuron with a d of its
own within the bounds, and nothing else amiss. margin.GATE.threshold proves every answer right for all d
in the interval, so that deviations within it lose nothing: a published loss has another cause, or
another meaning. If Gaussian: the accuracy if the bound were one standard deviation of d instead,
enclosed by rationals."""


def leak_table(chosen: Callable[[Figure], bool]) -> NamedTable:
    """Accuracy under leak."""
    table = _table("gate", "beta", "published", "cleared", "soft reset", "hard reset")
    for figure in filter(chosen, LEAK):
        netlist = gate_netlist(figure.library, figure.gate)
        table.add(
            *_named(figure),
            "100",
            *(_for_ever(netlist, reset, figure.size) for reset in Reset),
        )
    return table


LEAK_NOTE = """\
Cleared between evaluations, every beta is as good as any: margin.GATE.leak_with_reset. Never cleared, a
gate is right for ever up to the beta that is shown: margin.GATE.leak_without_reset.soft and .hard.
Beyond, one input is repeated until an answer is wrong, which potentials in exact arithmetic confirm:
there a published 100 % holds with clearing only."""

TABLES: dict[str, tuple[Callable[[Callable[[Figure], bool]], NamedTable], str]] = {
    "leak": (leak_table, LEAK_NOTE),
    "noise": (noise_table, NOISE_NOTE),
    "threshold": (threshold_table, THRESHOLD_NOTE),
}
"""Published figures beside ours, by what disturbs, with what is to be known about them."""


def _for_ever(netlist: Netlist, reset: Reset, beta: Fraction) -> str:
    limit = leak_limit(netlist, reset).beta
    if beta <= limit:
        return f"right: up to {limit}"
    return f"wrong at evaluation {first_wrong(netlist, beta, reset)}"


def _named(figure: Figure) -> tuple[str, str, str]:
    system = figure.source.partition(",")[0]
    return f"{system} {figure.gate}", f"{float(figure.size):g}", figure.accuracy


def _percent(share: Interval) -> str:
    """A share in percent, as far as its digits are certain."""
    for places in (3, 2, 1, 0):
        low, high = (floor(end * 100 * 10**places) for end in (share.low, share.high))
        if low == high:
            return f"{low // 10**places}.{low % 10**places:0{places}}" if places else str(low)
    return f"{float(share.low):%} to {float(share.high):%}"


def _judged(figure: Figure, exact: Interval) -> str:
    low, high = figure.range
    if exact.high * 100 < low:
        return f"too high by {float(low - exact.high * 100):.2f}"
    if exact.low * 100 > high:
        return f"too low by {float(exact.low * 100 - high):.2f}"
    return "possible"


def _table(*columns: str) -> NamedTable:
    return NamedTable(*columns, left=columns)
