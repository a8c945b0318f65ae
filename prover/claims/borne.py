"""Claims that neurons, whatever they read, do under perturbations what they do without.

The circuit has the neurons with a free bit each that decides in doubt: see
``circuits.physics.uncertainty``. Decided neuron by neuron, by arithmetic on the sums of its weights: see
``prover.kernel.bearing``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pysmt.shortcuts import BV, And, Equals

from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.meanings.formula import bus_formulas
from spikeproof.circuits.netlist import Netlist
from spikeproof.circuits.physics.uncertainty import (
    DOUBT,
    Tolerance,
    drive,
    perturbed,
    uncertain_netlist,
)
from spikeproof.prover.claims.obligation import Claim, Obligation, Outcome, Profile
from spikeproof.prover.claims.tabulated import TabulatedClaim
from spikeproof.specs.integers import Buses


@dataclass(frozen=True, eq=False)
class Unperturbed:
    """What neurons do without perturbation, and within what they may be off.

    Attributes:
        neurons: a netlist of them, none of which reads another; its outputs are what they do.
    """

    neurons: Netlist
    tolerance: Tolerance

    @property
    def inputs(self) -> Mapping[str, int]:
        """The width of each input bus: what they read, and a doubt for each."""
        return {**self.neurons.inputs, DOUBT: len(self.neurons.neurons)}

    @property
    def outputs(self) -> Mapping[str, int]:
        """The width of each output bus."""
        return self.neurons.output_widths

    @property
    def content(self) -> bytes:
        """Which neurons, and the tolerance, as data."""
        within = {name: str(interval) for name, interval in vars(self.tolerance).items()}
        data = {"schema": "spikeproof-unperturbed-1", "neurons": self.neurons.sha256, "within": within}
        return json.dumps(data, sort_keys=True).encode()

    @cached_property
    def circuit(self) -> Netlist:
        """The neurons under the tolerance."""
        return uncertain_netlist(self.neurons, perturbed(self.neurons, self.tolerance))

    def at(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """What they do, for an input or for an array of them."""
        return boolean.evaluate(self.neurons, {name: inputs[name] for name in self.neurons.inputs})

    def formulas(self, inputs: Buses) -> Buses:
        """The same as formulas of the inputs."""
        return bus_formulas(
            self.neurons, self.neurons.outputs, {name: inputs[name] for name in self.neurons.inputs}
        )


class BorneClaim(TabulatedClaim):
    """That neurons under perturbations do what they do without."""

    table: Unperturbed

    def of_input(self, inputs: Mapping[str, int]) -> Claim:
        """As of any claim: what the neurons come to on one input, in rational numbers."""
        actual, expected = (exactly(each, inputs) for each in (self.netlist, self.table.neurons))
        goal = And(Equals(actual[name], expected[name]) for name in expected)
        return Claim(self.inputs, goal, self.assumptions, actual, expected)

    def where(self, firing: Collection[int], doubt: bool) -> dict[str, int]:
        """The input on which so many signals that the neurons read fire, and all doubts are this."""
        count = len(self.table.neurons.neurons)
        read = {
            name: sum(1 << place for place, signal in enumerate(bus) if signal in firing)
            for name, bus in self.table.neurons.input_buses.items()
        }
        return {**read, DOUBT: (1 << count) - 1 if doubt else 0}


def exactly(netlist: Netlist, inputs: Mapping[str, int]) -> Buses:
    """The output buses of a netlist on one input, each neuron's sum compared as rational numbers are."""
    spikes = [
        bool(inputs[name] >> place & 1)
        for name, width in netlist.inputs.items()
        for place in range(width)
    ]
    for neuron in netlist.neurons:
        spikes.append(drive(neuron, spikes) >= neuron.threshold)
    return {
        name: BV(sum(spikes[signal] << place for place, signal in enumerate(bus)), len(bus))
        for name, bus in netlist.outputs.items()
    }


def borne(
    name: str,
    statement: str,
    unperturbed: Callable[[], Unperturbed],
    *,
    expected: Outcome = Outcome.PROVED,
    profile: Profile = Profile.DEFAULT,
    parameters: Mapping[str, str] | None = None,
) -> Obligation:
    """The obligation that neurons under perturbations do what they do without."""

    def state(netlist: Netlist | None) -> Claim:
        assert netlist is not None
        return BorneClaim(netlist, unperturbed(), {})

    return Obligation(
        name,
        statement,
        state,
        lambda: unperturbed().circuit,
        expected,
        engines=(),
        profile=profile,
        parameters=parameters or {},
        borne=True,
    )
