"""What an evaluation of a circuit takes: counts by simulation, energies factor by factor, latency."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.meanings.boolean import Words
from spikeproof.circuits.netlist import Netlist
from spikeproof.circuits.physics.energy import (
    ACCOUNTS,
    CLOCK,
    Account,
    Event,
    clocked_latency,
    has_ternary_couplings,
)
from spikeproof.prover.claims.environment import passing_formulas
from spikeproof.prover.claims.obligation import Obligation
from spikeproof.prover.evidence.record import SEED
from spikeproof.prover.refutation.drawing import ENUMERATED_BITS, every_input, inputs_by_class
from spikeproof.prover.refutation.rails import completed, free_widths
from spikeproof.prover.report.published import ENERGY, Spent
from spikeproof.prover.report.tables import NamedTable, plain_table

SAMPLES = 4096
"""Inputs that are drawn where there are too many to try all."""

Inputs = Mapping[str, Words]

CONFIDENCE = NormalDist().inv_cdf(0.995)
"""Standard errors on either side of a mean that make a confidence of 99 %."""


@dataclass(frozen=True)
class Mean:
    """A count, on average.

    Attributes:
        value: of what was simulated, exactly.
        margin: of the 99 % confidence interval, on either side; 0 if every input was simulated.
    """

    value: Fraction
    margin: float

    @classmethod
    def of(cls, counts: NDArray[np.int64], *, complete: bool) -> Mean:
        """The mean of counts, of all inputs or of a sample."""
        error = 0.0 if complete else CONFIDENCE * float(counts.std()) / math.sqrt(len(counts))
        return cls(Fraction(int(counts.sum()), len(counts)), error)

    def __str__(self) -> str:
        return f"{float(self.value):,.1f}" + (f" +- {self.margin:.1f}" if self.margin else "")


@dataclass(frozen=True)
class Counted:
    """Counts under a distribution of inputs; ``inputs`` says which in words."""

    inputs: str
    means: Mapping[Event, Mean]


@dataclass(frozen=True)
class Distribution:
    """Where inputs come from.

    Attributes:
        complete: whether they are all that there are, once each.
    """

    words: str
    inputs: Inputs
    complete: bool


def distributions(obligation: Obligation, netlist: Netlist, samples: int) -> list[Distribution]:
    """Every bit 0 or 1 with the same probability; and where operands are floating-point, by class.

    Inputs that are claimed to be complements of others follow from these.
    """
    reading = obligation.reading
    with passing_formulas():
        claim = obligation.state(netlist)
        widths = free_widths(claim)
        complete = sum(widths.values()) <= ENUMERATED_BITS
        drawn: dict[str, Inputs]
        if complete:
            drawn = {"every input once": every_input(widths)}
        else:
            drawn = {f"{samples:,} uniform": uniform(widths, samples)}
        if reading is not None:
            by_class = inputs_by_class(widths, reading.formats, samples, SEED)
            drawn[f"{samples:,} by class"] = by_class
        return [
            Distribution(words, completed(claim, inputs), complete=complete and not place)
            for place, (words, inputs) in enumerate(drawn.items())
        ]


def uniform(widths: Mapping[str, int], samples: int) -> Inputs:
    """Inputs whose bits are 0 or 1 alike."""
    chance = np.random.default_rng(SEED)
    return {
        name: boolean.pack_words(chance.integers(0, 2, (width, samples)).astype(bool))
        for name, width in widths.items()
    }


def counted(netlist: Netlist, drawn: Distribution, advance: Callable[[int], None]) -> Counted:
    """The counts for inputs; ``advance`` is told how many have been simulated since."""
    import torch  # takes seconds to load, and no proof needs it

    from spikeproof.circuits.meanings.activity import activity

    torch.set_num_threads(1)  # layers are small: sharing them out takes ten times as long
    parts = []
    for part in activity(netlist, drawn.inputs):
        parts.append(part)
        advance(len(part.spikes))
    counts = {
        Event.SPIKE: np.concatenate([part.spikes for part in parts]),
        Event.OPERATION: np.concatenate([part.operations for part in parts]),
    }
    means = {event: Mean.of(each, complete=drawn.complete) for event, each in counts.items()}
    return Counted(drawn.words, means)


def energy_table(obligation: Obligation, netlist: Netlist, found: list[Counted]) -> NamedTable:
    """Counts and energies of an evaluation, a column for each distribution and for what is published."""
    about = obligation.parameters
    published = ENERGY.get((about.get("format", ""), about.get("operation", "")))
    size = netlist.statistics
    table = NamedTable(
        f"{obligation.name}: {size.neurons:,} neurons, {size.synapses:,} synapses",
        *(each.inputs for each in found),
        *(["published by S2"] if published else []),
    )

    def row(name: str, ours: list[str], theirs: str = "") -> None:
        table.add(name, *ours, *([theirs] if published else []))

    for event in Event:
        spikes = f"{published.spikes:,}" if published and event is Event.SPIKE else ""
        row(event.value, [str(each.means[event]) for each in found], spikes)
    row("depth, neurons", [f"{size.depth:,}"] * len(found))
    for account in ACCOUNTS:
        if account.suits(netlist):
            ours = [joules(each.means[account.event].value * account.per_event) for each in found]
            row(f"{account.name}: {account.product}", ours, _recomputed(account, published))
    if published:
        row("as printed", [""] * len(found), joules(published.energy))
    if has_ternary_couplings(netlist):
        latency = quantity(clocked_latency(netlist), "s")
        row(f"latency: depth / {CLOCK.symbol}", [latency] * len(found))
    return table


def _recomputed(account: Account, published: Spent | None) -> str:
    if published is None or account.event is not Event.SPIKE:
        return ""
    return joules(published.spikes * account.per_event)


def joules(energy: Fraction) -> str:
    """An energy to three digits."""
    return quantity(energy, "J")


PREFIXES = {-18: "a", -15: "f", -12: "p", -9: "n", -6: "u", -3: "m", 0: "", 3: "k", 6: "M", 9: "G"}


def quantity(value: Fraction, unit: str) -> str:
    """A positive quantity to three digits, with a prefix that leaves one to three before the point."""
    exponent = next(e for e in reversed(PREFIXES) if value >= Fraction(10) ** e or e == min(PREFIXES))
    return f"{float(value / Fraction(10) ** exponent):.3g} {PREFIXES[exponent]}{unit}"


NOTE = """\
Means of one evaluation from rest, with 99 % confidence where inputs are drawn. spikes: neurons that
fire; synaptic operations: synapses that a spike arrives at, of input bits too. An energy is a count
times the factors shown, and nothing else: no static power, no clock, no spikes on their way between
chips."""


def factors_table() -> Table:
    """Every factor, with its source."""
    table = plain_table("factor", "what it is", "source")
    for factor in dict.fromkeys((*(f for account in ACCOUNTS for f in account.factors), CLOCK)):
        table.add_row(factor.symbol, factor.meaning, factor.source)
    return table
