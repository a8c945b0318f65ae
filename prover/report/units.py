"""Tables of how likely whole units err under Gaussian noise, and from which deviation on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from fractions import Fraction
from itertools import product

import numpy as np

from spikeproof.circuits.meanings.boolean import Words, word_type
from spikeproof.circuits.netlist import Netlist
from spikeproof.circuits.physics.uncertainty import Interval
from spikeproof.circuits.units.libraries import SMALL, STRUCTURE_NAMES
from spikeproof.circuits.units.voting import voted_netlist
from spikeproof.prover.claims.catalogue import catalogue, theorem
from spikeproof.prover.claims.environment import passing_formulas
from spikeproof.prover.evidence.record import SEED
from spikeproof.prover.margins.confidence import confidence
from spikeproof.prover.margins.failure import Exposure, Redundancy, reached_at, weakest
from spikeproof.prover.refutation.drawing import inputs_by_class
from spikeproof.prover.refutation.rails import completed, free_widths
from spikeproof.prover.report.tables import NamedTable

CANDIDATES = 32
"""Inputs drawn by class, of which the weakest is shown."""

SAMPLES = 1 << 14
"""Simulated evaluations."""

SIGMAS = (Fraction(3, 20), Fraction(1, 5))
"""Deviations for which S1 and S2 claim that their gates are robust."""

COPIES = (1, 3)
"""Of every neuron."""

TARGETS = (Fraction(1, 10**3), Fraction(1, 10**6), Fraction(1, 10**12))
"""Probabilities of which it is told at which deviation they are reached."""

SCHEMES = (Redundancy(), *(Redundancy(n, ideal) for n in (3, 5, 7) for ideal in (False, True)))
"""No voting, and voting of up to seven, by neurons like all others and by neurons without noise."""


@dataclass(frozen=True)
class NoisyUnit:
    """A unit of which it is proved that it is right if every neuron is within its margin.

    Attributes:
        exposure: on the weakest of the inputs that were tried.
    """

    name: str
    netlist: Netlist
    exposure: Exposure

    @classmethod
    def named(cls, name: str) -> NoisyUnit:
        """The unit of a theorem."""
        obligation = theorem(name)
        assert obligation.circuit is not None
        assert obligation.reading is not None
        netlist = obligation.circuit()
        with passing_formulas():
            claim = obligation.state(netlist)
            drawn = inputs_by_class(free_widths(claim), obligation.reading.formats, CANDIDATES, SEED)
            drawn = completed(claim, drawn)
        candidates = (
            {bus: int(codes[index]) for bus, codes in drawn.items()} for index in range(CANDIDATES)
        )
        return cls(name, netlist, weakest(netlist, candidates))

    def simulated(self, sigma: Fraction, copies: int) -> Interval:
        """A confidence interval of the probability that it errs on its weakest input."""
        from spikeproof.circuits.meanings.membrane import Membrane  # loads PyTorch, which takes seconds
        from spikeproof.circuits.meanings.monte_carlo import errors

        netlist = voted_netlist(self.netlist, copies)

        def draw(chance: np.random.Generator, count: int) -> Mapping[str, Words]:
            given = self.exposure.inputs.items()
            return {bus: np.full(count, code, word_type(netlist.inputs[bus])) for bus, code in given}

        found = errors(netlist, Membrane(noise=float(sigma)), SAMPLES, SEED, draw)
        return confidence(found.wrong, found.samples)


def names_of_units(library: str) -> list[str]:
    """The small units of a library that are proved to be right within their margins."""
    return [
        name.removeprefix("margin.unit.").removesuffix(".noise")
        for name in catalogue()
        if name.startswith("margin.unit.")
        and name.endswith(".noise")
        and catalogue()[name].parameters["library"] == library
        and catalogue()[name].parameters["structure"] == STRUCTURE_NAMES[SMALL]
    ]


def unit_tables(
    names: Iterable[str],
    sigmas: Iterable[Fraction],
    redundancies: Iterable[Redundancy],
    done: Callable[[str], None],
) -> tuple[NamedTable, NamedTable]:
    """How likely units err at some deviations, and the deviations at which targets are reached.

    Args:
        done: told the unit of each row of the first table.
    """
    failures = _table(
        "unit", "input", "sigma", "copies", "at least", "simulated, 99 %", "at most", "any"
    )
    deviations = _table("unit", "copies", "voter", *map(_exact_text, TARGETS))
    for name in names:
        unit = NoisyUnit.named(name)
        for sigma, redundancy in product(sigmas, redundancies):
            failures.add(*_failure(unit, sigma, redundancy))
            done(name)
        for redundancy in SCHEMES:
            deviations.add(*_reached(unit, redundancy))
    return failures, deviations


def _table(*columns: str) -> NamedTable:
    return NamedTable(*columns, left=columns)


def _failure(unit: NoisyUnit, sigma: Fraction, redundancy: Redundancy) -> Sequence[str]:
    """How likely a unit errs at a deviation, with noisy voters where there are any."""
    bounds = unit.exposure.failure(sigma, redundancy)
    estimate = unit.simulated(sigma, redundancy.copies)
    return (
        unit.name,
        ", ".join(f"{code:#x}" for code in unit.exposure.inputs.values()),
        _exact_text(sigma),
        str(redundancy.copies),
        _digits(bounds.low, ROUND_FLOOR),
        f"{_digits(estimate.low, ROUND_FLOOR)} to {_digits(estimate.high, ROUND_CEILING)}",
        _digits(bounds.high, ROUND_CEILING),
        _digits(unit.exposure.failure_at_most(sigma, redundancy), ROUND_CEILING),
    )


FAILURE_NOTE = """\
How likely a unit has a wrong result, under independent Gaussian noise of deviation sigma on the drive of
every neuron, in units of the weights, potentials cleared. At least and at most: bounds on the input
shown, on which of those tried most neurons change the result if they alone err; rounded outward. Any:
at most so likely on every input. Simulated: membranes, exact confidence interval (Clopper and Pearson),
same input. Copies: of every neuron, the majority taken by one more, as noisy as all others. No noise
below 1/2 changes any result: margin.unit.UNIT.noise."""


def _reached(unit: NoisyUnit, redundancy: Redundancy) -> Sequence[str]:
    """The deviations at which a unit reaches each target."""
    reached = (reached_at(unit.exposure, target, redundancy) for target in TARGETS)
    voter = "ideal" if redundancy.ideal else "noisy" if redundancy.copies > 1 else "none"
    ends = (
        f"{_digits(each.low, ROUND_FLOOR, 4)} to {_digits(each.high, ROUND_CEILING, 4)}"
        for each in reached
    )
    return (unit.name, str(redundancy.copies), voter, *ends)


DEVIATION_NOTE = """\
The sigma at which a unit errs with the probability shown on some input. At the lower end, and below, it
errs with less on every input; at the upper end with more on the input shown above. Ideal: neurons that
vote are without noise."""


def _exact_text(value: Fraction) -> str:
    """A number as a decimal where that is short, else as a fraction."""
    decimal = f"{float(value):g}"
    return decimal if Fraction(decimal) == value else str(value)


def _digits(value: Fraction, rounding: str, digits: int = 3) -> str:
    """The first digits of a number, rounded as told."""
    context = Context(prec=digits, rounding=rounding)
    quotient = context.divide(Decimal(value.numerator), Decimal(value.denominator))
    return f"{quotient.normalize(context):g}"
