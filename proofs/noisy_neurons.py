"""Every neuron of a unit bears noise within its margin, whatever it reads.

Noise is borne neuron by neuron, so that nothing of what the unit computes is needed: a neuron of each
kind, which is its weights and its threshold, reads inputs of its own. That a unit whose neurons all do
what they do without noise does so too is an induction over them. ``proofs.noisy_units`` has it in its
theorems, whose lemmas about the unit are decided under noise as well; here it is left to the reader.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache, partial
from itertools import count

from pysmt.fnode import FNode

from spikeproof.circuits.meanings.formula import bus_formulas
from spikeproof.circuits.netlist import Netlist
from spikeproof.circuits.physics.uncertainty import Interval, Tolerance, perturbed, uncertain_netlist
from spikeproof.circuits.units.libraries import SHALLOW
from spikeproof.proofs.noisy_units import BEYOND_MARGIN, MARGIN
from spikeproof.proofs.units import Unit
from spikeproof.prover.claims.obligation import Obligation, Outcome, Profile, equivalence
from spikeproof.specs.formats import FP16, FP32

UNITS = (
    Unit("divide", FP16, structure=SHALLOW),
    Unit("square_root", FP16, structure=SHALLOW),
    Unit("add", FP32, structure=SHALLOW),
)
"""Those that have no theorem in ``proofs.noisy_units``."""

READ, SPIKES = "read", "spikes"
"""The input bus of all that the neurons read, and the output bus of what they do."""


def obligations() -> Iterator[Obligation]:
    """``margin.neurons.UNIT.noise``, and with ``.below`` and ``.above`` its refutations."""
    for unit in UNITS:
        yield of_neurons(unit, MARGIN)
        for suffix, noise in BEYOND_MARGIN.items():
            yield of_neurons(unit, Interval(noise, noise), suffix, Outcome.REFUTED)


def of_neurons(
    unit: Unit, noise: Interval, suffix: str = "", expected: Outcome = Outcome.PROVED
) -> Obligation:
    """The obligation that no neuron of a unit does anything under noise but what it does without."""
    return equivalence(
        f"margin.neurons.{unit.name}.noise{suffix}",
        f"{unit.statement}: every neuron, whatever it reads, does what it does without noise for all "
        f"noise in {noise}",
        circuit=partial(noisy_kinds, unit, noise),
        meaning=partial(without_noise, unit),
        engines=("cadical",),
        expected=expected,
        profile=Profile.WIDE,
        parameters={**unit.parameters, "family": "margin", "kind": f"neurons.noise{suffix}"},
    )


def noisy_kinds(unit: Unit, noise: Interval) -> Netlist:
    """A neuron of each kind under noise within an interval."""
    netlist = kinds(unit.circuit())
    return uncertain_netlist(netlist, perturbed(netlist, Tolerance(noise=noise)))


def without_noise(unit: Unit, inputs: Mapping[str, FNode]) -> dict[str, FNode]:
    """What a neuron of each kind does without."""
    netlist = kinds(unit.circuit())
    return bus_formulas(netlist, netlist.outputs, {READ: inputs[READ]})


@cache
def kinds(netlist: Netlist) -> Netlist:
    """A neuron of each kind of a circuit's, in their order, each of which reads inputs of its own."""
    found = dict.fromkeys(
        replace(neuron, synapses=tuple(enumerate(sorted(weight for _, weight in neuron.synapses))))
        for neuron in netlist.neurons
    )
    signal = count()
    made = [
        replace(kind, synapses=tuple((next(signal), weight) for _, weight in kind.synapses))
        for kind in found
    ]
    width = next(signal)
    return Netlist({READ: width}, tuple(made), {SPIKES: tuple(range(width, width + len(made)))})
