"""Whole units of which every neuron is noisy, or every weight off: exact if each is within its margin.

Thresholds stand midway between the sums they separate, so that noise of less than one half takes no
neuron across its threshold, whatever its inputs. Every neuron then does what it does without noise, and
so does the unit. Errors of weights add up: the more a neuron sums, the less of them it bears.
"""

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from functools import partial
from itertools import product

from pysmt.fnode import FNode
from pysmt.shortcuts import BV, Equals

from spikeproof.circuits.netlist import Netlist
from spikeproof.circuits.physics.uncertainty import (
    Interval,
    Tolerance,
    perturbed,
    place,
    uncertain_netlist,
)
from spikeproof.circuits.units.libraries import (
    COMPACT,
    LARGEST_WEIGHTS,
    LIBRARIES,
    SHALLOW,
    SMALL,
    shallow,
)
from spikeproof.proofs.neuron_spreads import SPREADS
from spikeproof.proofs.units import Unit
from spikeproof.prover.claims.obligation import Obligation, Outcome, Profile, equivalence
from spikeproof.prover.margins.limits import WEIGHT, Limit, both_ways
from spikeproof.specs.formats import FP8_E4M3FN, FP16, FP32
from spikeproof.specs.integers import Buses

HALF = Fraction(1, 2)

MARGIN = Interval(-HALF, HALF, high_open=True)
"""The noise that every neuron bears: it fires at its threshold, so that only the lower end is in it."""

BEYOND_MARGIN = {".below": -HALF * Fraction(1025, 1024), ".above": HALF}
"""Noise just beyond, by what the theorems' names end in: a 1024th more, which is short in binary, where
the end is in the margin; else the end."""


SHALLOW_FORMATS = {"add": (FP16,), "multiply": (FP16, FP32)}
"""Those above 8 bits whose shallow units are proved under noise; lemmas of FP32 sums take minutes."""


OTHERS = ("divide", "square_root", "fma")
"""Operations of which E4M3FN alone has these theorems."""


def units() -> Iterator[Unit]:
    """Sums and products of three widths; of 8 bits of every library, and of every largest weight.

    Of 8 bits the other operations too, small and of every largest weight; and all that is compact.
    """
    for operation in ("add", "multiply"):
        for library in LIBRARIES:
            yield Unit(operation, FP8_E4M3FN, policy=FP8_E4M3FN.policies[0], library=library)
        yield from (Unit(operation, fmt) for fmt in (FP16, FP32))
        for most in LARGEST_WEIGHTS:
            fmt = FP8_E4M3FN
            yield Unit(operation, fmt, policy=fmt.policies[0], structure=shallow(most))
        yield from (Unit(operation, fmt, structure=SHALLOW) for fmt in SHALLOW_FORMATS[operation])
    for operation, structure in product(OTHERS, (SMALL, *map(shallow, LARGEST_WEIGHTS))):
        yield Unit(operation, FP8_E4M3FN, policy=FP8_E4M3FN.policies[0], structure=structure)
    for operation in ("multiply", *OTHERS):
        yield Unit(operation, FP8_E4M3FN, policy=FP8_E4M3FN.policies[0], structure=COMPACT)


NOT_DECIDED = Unit("fma", FP8_E4M3FN, policy=FP8_E4M3FN.policies[0], structure=COMPACT)
"""Of which a lemma about a neuron's spread takes engines too long."""


def obligations() -> Iterator[Obligation]:
    """``margin.unit.UNIT.noise``, and with ``.below`` and ``.above`` its refutations; ``.weight``."""
    for unit in units():
        yield within(unit)
        for suffix, noise in BEYOND_MARGIN.items():
            yield beyond(unit, noise, suffix)
        if unit.fmt is FP8_E4M3FN and unit in SPREADS and unit != NOT_DECIDED:
            yield with_spread(unit, SPREADS[unit])


def profile_for(unit: Unit) -> Profile:
    """Sums and products of FP8_E4M3FN, of every library, and shallow ones of the usual largest weight.

    All else is left to ``--wide``.
    """
    usual = unit.fmt is FP8_E4M3FN and unit.operation not in OTHERS
    return Profile.DEFAULT if usual and unit.structure in (SMALL, SHALLOW) else Profile.WIDE


def within(unit: Unit) -> Obligation:
    """The obligation that a unit is right as long as each of its neurons is within its margin."""
    return following(
        unit,
        "noise",
        f"all noise in {MARGIN} on every neuron",
        Tolerance(noise=MARGIN),
        unit.engines,
    )


def with_spread(unit: Unit, limit: Limit) -> Obligation:
    """The obligation that a unit is right as long as no weight is off by more than neurons bear.

    For CaDiCaL alone: z3 takes ten times as long over sums of so many different weights.
    """
    spread = both_ways(limit.value, not limit.attained)
    tolerance = WEIGHT.tolerance(spread)
    return following(unit, WEIGHT.name, f"all {WEIGHT.words.format(spread)}", tolerance, ("cadical",))


def following(
    unit: Unit, kind: str, words: str, tolerance: Tolerance, engines: tuple[str, ...]
) -> Obligation:
    """That a unit is right within a tolerance, since every neuron then does what it does without.

    Of shallow units, whose sums are long, spreads are left to ``--wide``.
    """
    assert unit.decomposition is not None
    quick = kind == "noise" or not unit.structure.shallow
    return equivalence(
        f"margin.unit.{unit.name}.{kind}",
        f"{unit.statement}, is right for {words}",
        circuit=partial(tolerant_unit, unit, tolerance),
        meaning=unit.spec,
        engines=engines,
        decomposition=replace(unit.decomposition, place=place),
        profile=profile_for(unit) if quick else Profile.WIDE,
        parameters=_parameters(unit, kind),
    )


def beyond(unit: Unit, noise: Fraction, suffix: str) -> Obligation:
    """The refuted obligation that it is right with some noise on every neuron, beyond the margin.

    That its operands are 1 tells engines where to look.
    """
    return equivalence(
        f"margin.unit.{unit.name}.noise{suffix}",
        f"{unit.statement}, is right for operands of 1 with noise of {noise} on every neuron",
        circuit=partial(shifted_unit, unit, noise),
        meaning=unit.spec,
        assumptions=partial(operands_of_one, unit),
        engines=unit.engines,
        expected=Outcome.REFUTED,
        reading=unit.reading,
        profile=profile_for(unit),
        parameters=_parameters(unit, "noise" + suffix),
        function=f"{unit.function}, for operands of 1",
    )


def uncertain_unit(unit: Unit, noise: Interval) -> Netlist:
    """A unit with noise within an interval on every neuron."""
    return tolerant_unit(unit, Tolerance(noise=noise))


def tolerant_unit(unit: Unit, tolerance: Tolerance) -> Netlist:
    """A unit whose neurons are within a tolerance."""
    netlist = unit.circuit(keep_waypoints=True)
    return uncertain_netlist(netlist, perturbed(netlist, tolerance))


def shifted_unit(unit: Unit, noise: Fraction) -> Netlist:
    """A unit with the same noise on every neuron."""
    netlist = unit.circuit()
    neurons = (replace(neuron, bias=neuron.bias + noise) for neuron in netlist.neurons)
    return replace(netlist, neurons=tuple(neurons))


def operands_of_one(unit: Unit, inputs: Buses) -> tuple[FNode, ...]:
    """That all operands are 1."""
    one = BV(unit.fmt.bias << unit.fmt.fraction_bits, unit.fmt.width)
    return tuple(Equals(inputs[name], one) for name in unit.operands)


def _parameters(unit: Unit, kind: str) -> dict[str, str]:
    return {**unit.parameters, "family": "margin", "kind": kind}
