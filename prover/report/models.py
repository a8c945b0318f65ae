"""How large a model of units is, and what a token costs, by counting: for ``spikeproof model``."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from spikeproof.circuits.netlist import Netlist
from spikeproof.circuits.physics.energy import ACCOUNTS, Event
from spikeproof.circuits.programs.counting import Size
from spikeproof.prover.report.energy import Counted, Distribution, counted, joules, uniform
from spikeproof.prover.report.tables import NamedTable

SAMPLES = 256
"""Operands of each unit that are drawn to count spikes."""


@dataclass(frozen=True)
class Total:
    """A count over all instances, and half the width of its 99 % confidence interval."""

    value: Fraction
    margin: float

    def __str__(self) -> str:
        return f"{float(self.value):.3g} +- {self.margin:.1g}"


def spikes_of_units(units: Mapping[str, Netlist], advance: Callable[[int], None]) -> dict[str, Counted]:
    """The spikes of each unit on average, of operands whose bits are 0 or 1 alike."""
    drawn = ((name, uniform(unit.inputs, SAMPLES)) for name, unit in units.items())
    words = f"{SAMPLES} uniform"
    return {
        name: counted(units[name], Distribution(words, inputs, complete=False), advance)
        for name, inputs in drawn
    }


def totals(instances: Mapping[str, int], found: Mapping[str, Counted]) -> dict[Event, Total]:
    """Spikes and synaptic operations of all instances of units."""
    return {
        event: Total(
            sum(
                (count * found[name].means[event].value for name, count in instances.items()),
                Fraction(0),
            ),
            math.hypot(*(count * found[name].means[event].margin for name, count in instances.items())),
        )
        for event in Event
    }


def units_table(size: Size, units: Mapping[str, Netlist], found: Mapping[str, Counted]) -> NamedTable:
    """A row for each unit: how many there are, their neurons, and spikes of each."""
    table = NamedTable("unit", "instances", "neurons each", "depth", "spikes each")
    for name, count in sorted(size.instances.items(), key=lambda each: -each[1]):
        statistics = units[name].statistics
        spikes = f"{float(found[name].means[Event.SPIKE].value):,.0f}"
        table.add(name, f"{count:,}", f"{statistics.neurons:,}", f"{statistics.depth:,}", spikes)
    return table


def summary(
    size: Size, units: Mapping[str, Netlist], found: Mapping[str, Counted]
) -> Iterator[tuple[str, str]]:
    """What there is to say of the whole, as pairs of heading and words."""
    used = [units[name].statistics for name in size.instances]
    turns = sum(size.instances.values())
    yield (
        "all at once",
        f"{size.neurons:,} neurons, {size.synapses:,} synapses; {size.depth:,} neurons in sequence",
    )
    in_turn = sum(count * units[name].statistics.depth for name, count in size.instances.items())
    yield (
        "one of each unit",
        f"{sum(each.neurons for each in used):,} neurons in {turns:,} turns; "
        f"{in_turn:,} neurons in sequence",
    )
    taken = totals(size.instances, found)
    yield "spikes", f"{taken[Event.SPIKE]} (99 % confidence), of uniform operands"
    yield "synaptic operations", f"{taken[Event.OPERATION]}"
    for account in ACCOUNTS:
        if not account.ternary:
            energy = joules(taken[account.event].value * account.per_event)
            yield f"energy, {account.name}", f"{energy}: {account.product}"
