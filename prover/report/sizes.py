"""How large a unit is by each structure, and what that costs in margin and energy: the trade-off."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import Any

from spikeproof.circuits.netlist import Netlist
from spikeproof.circuits.physics.energy import ACCOUNTS, Account, Event
from spikeproof.circuits.physics.uncertainty import Interval
from spikeproof.circuits.units.dual_rail import COMPLEMENT
from spikeproof.circuits.units.libraries import SMALL, STRUCTURE_NAMES
from spikeproof.prover.claims.catalogue import CatalogueError, catalogue, theorem
from spikeproof.prover.claims.obligation import Obligation
from spikeproof.prover.margins.bearing import bearing
from spikeproof.prover.margins.limits import Limit
from spikeproof.prover.refutation.drawing import ENUMERATED_BITS, every_input
from spikeproof.prover.report.energy import Distribution, Mean, counted, joules, uniform
from spikeproof.prover.report.tables import NamedTable


@dataclass(frozen=True)
class Activity:
    """What an evaluation takes, on average over inputs whose bits are 0 or 1 alike.

    Attributes:
        account: the last of those that suit the circuit: of superconducting neurons with cooling.
    """

    spikes: Mean
    operations: Mean
    account: Account

    @property
    def energy(self) -> Fraction:
        """Joules."""
        events = {Event.SPIKE: self.spikes, Event.OPERATION: self.operations}
        return events[self.account.event].value * self.account.per_event


@dataclass(frozen=True)
class Size:
    """A unit by one structure.

    Attributes:
        largest_weight, weight_sum: of any neuron; of one neuron's weights, whatever their signs.
        noise, spread: what every neuron bears; see ``prover.margins.bearing``.
        activity: None if it was not asked for.
    """

    theorem: str
    structure: str
    neurons: int
    depth: int
    synapses: int
    fan_in: int
    largest_weight: Fraction
    weight_sum: Fraction
    noise: Interval
    spread: Limit
    activity: Activity | None

    @classmethod
    def of(cls, obligation: Obligation, samples: int, advance: Callable[[int], None]) -> Size:
        """That of a theorem's circuit.

        Args:
            samples: inputs to simulate where there are too many to try all; 0 for no simulation.
            advance: told how many inputs have been simulated since.
        """
        assert obligation.circuit is not None
        netlist = obligation.circuit()
        size, borne = netlist.statistics, bearing(netlist)
        weights = [[abs(Fraction(weight)) for _, weight in n.synapses] for n in netlist.neurons]
        return cls(
            obligation.name,
            obligation.parameters["structure"],
            size.neurons,
            size.depth,
            size.synapses,
            size.largest_fan_in,
            max(map(max, filter(None, weights)), default=Fraction(0)),
            max((sum(each, Fraction(0)) for each in weights), default=Fraction(0)),
            borne.noise,
            borne.spread,
            _activity(netlist, samples, advance) if samples else None,
        )

    @property
    def theorems(self) -> list[str]:
        """The promised theorems that it, or each of its neurons, is right within noise and spread."""
        kinds = product(("unit", "neurons"), ("noise", "weight"))
        names = [f"margin.{of}.{self.theorem}.{kind}" for of, kind in kinds]
        return [name for name in names if name in catalogue()]

    def as_json(self) -> dict[str, Any]:
        """JSON-ready; numbers that need not be whole as exact strings."""
        data: dict[str, Any] = {
            "theorem": self.theorem,
            "structure": self.structure,
            "neurons": self.neurons,
            "depth": self.depth,
            "synapses": self.synapses,
            "largest_fan_in": self.fan_in,
            "largest_weight": str(self.largest_weight),
            "sum_of_weights": str(self.weight_sum),
            "noise": str(self.noise),
            "spread": str(self.spread.value),
            "spread_attained": self.spread.attained,
            "margin_theorems": self.theorems,
        }
        if self.activity:
            data |= {
                "spikes": str(self.activity.spikes.value),
                "synaptic_operations": str(self.activity.operations.value),
                "energy": f"{float(self.activity.energy):.3g} J",
                "account": f"{self.activity.account.name}: {self.activity.account.product}",
            }
        return data


def _activity(netlist: Netlist, samples: int, advance: Callable[[int], None]) -> Activity:
    means = counted(netlist, _drawn(netlist, samples), advance).means
    account = [each for each in ACCOUNTS if each.suits(netlist)][-1]
    return Activity(means[Event.SPIKE], means[Event.OPERATION], account)


def _drawn(netlist: Netlist, samples: int) -> Distribution:
    """Every input once, or so many uniform ones; the second of two rails follows from the first."""
    widths = {n: w for n, w in netlist.inputs.items() if not n.endswith(COMPLEMENT)}
    complete = sum(widths.values()) <= ENUMERATED_BITS
    inputs = every_input(widths) if complete else uniform(widths, samples)
    rails = {
        name: ((1 << width) - 1) ^ inputs[name.removesuffix(COMPLEMENT)]
        for name, width in netlist.inputs.items()
        if name not in widths
    }
    return Distribution("every input once" if complete else "uniform", {**inputs, **rails}, complete)


def by_structure(obligation: Obligation, structures: Iterable[str]) -> Iterator[Obligation]:
    """The theorems that differ from one in their structure alone, of those that its library can make."""
    words = set(STRUCTURE_NAMES.values())
    bare = ".".join(word for word in obligation.name.split(".") if word not in words)
    for structure in structures:
        with suppress(CatalogueError):
            yield theorem(bare if structure == STRUCTURE_NAMES[SMALL] else f"{bare}.{structure}")


# --- which are worth having -----------------------------------------------------------------------

COSTS: dict[str, Callable[[Size], Any]] = {
    "neurons": lambda s: s.neurons,
    "depth": lambda s: s.depth,
    "synapses": lambda s: s.synapses,
    "fan-in": lambda s: s.fan_in,
    "weight": lambda s: s.largest_weight,
    "sum": lambda s: s.weight_sum,
    "spread": lambda s: (-s.spread.value, not s.spread.attained),
    "spikes": lambda s: s.activity.spikes.value if s.activity else 0,
    "energy": lambda s: s.activity.energy if s.activity else 0,
}
"""What is the better the less it is, by what it is called."""


def better(size: Size, among: Iterable[Size]) -> Size | None:
    """One that costs no more in any way, and less in some or is listed before: if none, it is on the
    front.
    """
    ours, before = [cost(size) for cost in COSTS.values()], True
    for other in among:
        if other is size:
            before = False
            continue
        theirs = [cost(other) for cost in COSTS.values()]
        if all(a <= b for a, b in zip(theirs, ours, strict=True)) and (before or theirs != ours):
            return other
    return None


# --- tables ---------------------------------------------------------------------------------------


def size_table(sizes: Sequence[Size]) -> NamedTable:
    """How large each is."""
    table = NamedTable("structure", "neurons", "depth", "synapses", "fan-in", "weight", "sum")
    for each in sizes:
        counts = (each.neurons, each.depth, each.synapses, each.fan_in)
        weights = (each.largest_weight, each.weight_sum)
        table.add(each.structure, *(f"{count:,}" for count in counts), *map(str, weights))
    return table


def cost_table(sizes: Sequence[Size]) -> NamedTable:
    """What each bears, what it takes, and which is better in every way."""
    table = NamedTable(
        "structure",
        "noise",
        "spread",
        "spikes",
        "operations",
        "energy",
        "front",
        left=("noise", "front"),
    )
    for each in sizes:
        found = better(each, sizes)
        table.add(
            each.structure,
            str(each.noise),
            str(each.spread),
            *activity_cells(each),
            f"no: {found.structure}" if found else "yes",
        )
    return table


def activity_cells(size: Size) -> tuple[str, str, str]:
    """Spikes, synaptic operations and energy; empty if nothing was simulated."""
    if size.activity is None:
        return "", "", ""
    means = (size.activity.spikes.value, size.activity.operations.value)
    spikes, operations = (f"{float(mean):,.0f}" for mean in means)
    return spikes, operations, joules(size.activity.energy)


NOTE = """\
depth: neurons from an input to an output, at most. fan-in, weight, sum: the most inputs of a neuron, the
largest weight, the largest sum of a neuron's weights without their signs. noise, in units of the
weights, and spread, of every weight relative to itself: what every neuron bears on any inputs of its
own; theorems where promised: margin.neurons.UNIT.noise and .weight of the neurons, margin.unit.UNIT of
the unit. spikes, operations and energy: means
over uniform inputs, at 23.6 pJ a synaptic operation (Loihi), or of superconducting neurons with cooling.
front: yes, unless another structure is as good in everything, and better in something or the same
circuit listed before: then which."""
