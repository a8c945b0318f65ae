"""What every neuron of a unit bears, whatever it reads: noise, and errors of weights.

That is a matter of each neuron by itself, so that nothing of what the unit computes is needed: a neuron
of each kind, which is its weights and its threshold, reads inputs of its own. That a unit whose neurons
all do what they do without perturbation does so too is an induction over them: ``proofs.noisy_units``
has it in its theorems, of fewer units; here it is left to the reader. Limits are those of the neurons:
just beyond, one of them errs on some input of its own, which need not ever come in the unit.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache, partial
from itertools import count

from spikeproof.circuits.netlist import Netlist
from spikeproof.circuits.physics.uncertainty import Interval, Tolerance
from spikeproof.proofs.neuron_spreads import SPREADS
from spikeproof.proofs.noisy_units import BEYOND_MARGIN, MARGIN
from spikeproof.proofs.units import Unit
from spikeproof.prover.claims.borne import Unperturbed, borne
from spikeproof.prover.claims.obligation import Named, Obligation, Outcome, Profile
from spikeproof.prover.margins.limits import NOISE, WEIGHT, Perturbation, both_ways
from spikeproof.specs.formats import FP8_E4M3FN

READ, SPIKES = "read", "spikes"
"""The input bus of all that the neurons read, and the output bus of what they do."""


def obligations() -> Iterator[Named]:
    """``margin.neurons.UNIT.noise``, with ``.below`` and ``.above`` its refutations; ``.weight`` and
    ``.weight.beyond``."""
    for unit, limit in SPREADS.items():
        profile = Profile.DEFAULT if unit.fmt is FP8_E4M3FN else Profile.WIDE
        for perturbation, interval, suffix in (
            (NOISE, MARGIN, ""),
            *((NOISE, Interval(noise, noise), suffix) for suffix, noise in BEYOND_MARGIN.items()),
            (WEIGHT, both_ways(limit.value, not limit.attained), ""),
            (WEIGHT, both_ways(limit.beyond), ".beyond"),
        ):
            name = name_of(unit, perturbation, suffix)
            yield Named(name, profile, partial(of_neurons, unit, perturbation, interval, suffix))


def name_of(unit: Unit, perturbation: Perturbation, suffix: str = "") -> str:
    """Of the obligation that is about a unit's neurons."""
    return f"margin.neurons.{unit.name}.{perturbation.name}{suffix}"


def of_neurons(
    unit: Unit,
    perturbation: Perturbation,
    interval: Interval,
    suffix: str = "",
    profile: Profile = Profile.DEFAULT,
) -> Obligation:
    """The obligation that no neuron of a unit does anything but what it does without a perturbation.

    Args:
        interval: within which it is.
        suffix: what the name ends in where that is beyond the limit, so that it is refuted.
    """
    words = perturbation.words.format(interval)
    kind = perturbation.name + suffix
    return borne(
        name_of(unit, perturbation, suffix),
        f"{unit.statement}: every neuron, whatever it reads, does what it does without for all {words}",
        partial(neurons_of, unit, perturbation.tolerance(interval)),
        expected=Outcome.REFUTED if suffix else Outcome.PROVED,
        profile=profile,
        parameters={**unit.parameters, "family": "margin", "kind": f"neurons.{kind}"},
    )


@lru_cache(maxsize=1)
def neurons_of(unit: Unit, tolerance: Tolerance) -> Unperturbed:
    """A neuron of each kind of a unit's, and within what they may be off."""
    return Unperturbed(kinds_of(unit), tolerance)


@lru_cache(maxsize=1)
def kinds_of(unit: Unit) -> Netlist:
    """A neuron of each kind of a unit's."""
    return kinds(unit.circuit())


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
