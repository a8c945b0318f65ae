"""Whole units of which every neuron is noisy: exact if each is within its margin, and not beyond.

Thresholds stand midway between the sums they separate, so that noise of less than one half takes no
neuron across its threshold, whatever its inputs. Every neuron then does what it does without noise, and
so does the unit.
"""

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from functools import partial

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
from spikeproof.circuits.units.libraries import LIBRARIES
from spikeproof.proofs.units import Unit
from spikeproof.prover.claims.obligation import Obligation, Outcome, equivalence
from spikeproof.specs.formats import FP8_E4M3FN, FP16, FP32
from spikeproof.specs.integers import Buses

HALF = Fraction(1, 2)

MARGIN = Interval(-HALF, HALF, high_open=True)
"""The noise that every neuron bears: it fires at its threshold, so that only the lower end is in it."""

BEYOND_MARGIN = {".below": -HALF * Fraction(1025, 1024), ".above": HALF}
"""Noise just beyond, by what the theorems' names end in: a 1024th more, which is short in binary, where
the end is in the margin; else the end."""


def units() -> Iterator[Unit]:
    """Sums and products of three widths; those of 8 bits of the gates of every library."""
    for operation in ("add", "multiply"):
        for library in LIBRARIES:
            yield Unit(operation, FP8_E4M3FN, policy=FP8_E4M3FN.policies[0], library=library)
        yield from (Unit(operation, fmt) for fmt in (FP16, FP32))


def obligations() -> Iterator[Obligation]:
    """``margin.unit.UNIT.noise``, and with ``.below`` and ``.above`` its refutations."""
    for unit in units():
        yield within(unit)
        for suffix, noise in BEYOND_MARGIN.items():
            yield beyond(unit, noise, suffix)


def within(unit: Unit) -> Obligation:
    """The obligation that a unit is right as long as each of its neurons is within its margin."""
    assert unit.decomposition is not None
    return equivalence(
        f"margin.unit.{unit.name}.noise",
        f"{unit.statement}, is right for all noise in {MARGIN} on every neuron",
        circuit=partial(uncertain_unit, unit, MARGIN),
        meaning=unit.spec,
        engines=unit.engines,
        decomposition=replace(unit.decomposition, place=place),
        parameters=_parameters(unit, "noise"),
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
        parameters=_parameters(unit, "noise" + suffix),
        function=f"{unit.function}, for operands of 1",
    )


def uncertain_unit(unit: Unit, noise: Interval) -> Netlist:
    """A unit with noise within an interval on every neuron."""
    netlist = unit.circuit(keep_waypoints=True)
    return uncertain_netlist(netlist, perturbed(netlist, Tolerance(noise=noise)))


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
