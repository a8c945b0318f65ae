"""Why neurons do under perturbations what they do without, whatever they read.

Of a neuron the sums of weights are looked at, on either side of its threshold, the nearest first. Let a
sum exceed it by e, and have the weights S in it, without their signs. If weights are off by up to d of
themselves, the sum is off by up to d S, and whatever else is off is off by as much at every sum. So

* of all sums that exceed the threshold by e, that with the most weights is the first to err;
* once none would err that exceeded it by e and had *all* weights in it, none errs that exceeds it by
  more;

and likewise of those below. How far sums may be off, and what that does, is said by
``circuits.physics.uncertainty``, of a neuron of two synapses: one that all excitation comes by, one of
all inhibition. That is asked about each such e, of whole numbers, and nothing else.

The certificate is one line of JSON: of which netlist and neurons it is, and at how many sums it looked.
"""

from __future__ import annotations

import json
from fractions import Fraction

from spikeproof.circuits.netlist import Neuron
from spikeproof.circuits.physics.sums import Sums
from spikeproof.circuits.physics.uncertainty import Tolerance, UncertainNeuron
from spikeproof.prover.claims.borne import BorneClaim

SCHEMA = "spikeproof-bearing-1"


class BearingError(ValueError):
    """Neurons that are not shown to bear what they should; the message says why.

    Attributes:
        firing: the signals that fire where a neuron errs; None if that is not why.
        fires: whether it should fire there.
    """

    def __init__(
        self, message: str, firing: frozenset[int] | None = None, fires: bool | None = None
    ) -> None:
        super().__init__(message)
        self.firing, self.fires = firing, fires


def bearing_certificate(claim: BorneClaim) -> bytes:
    """The certificate of a claim, if arithmetic on the neurons' sums shows that it holds.

    Raises:
        BearingError: if not.
    """
    neurons, tolerance = claim.table.neurons, claim.table.tolerance
    if claim.assumptions or claim.counting:
        raise BearingError("it is to be about whatever the neurons read, and whatever they do")
    if claim.netlist.sha256 != claim.table.circuit.sha256:  # which is of the order of inputs too
        raise BearingError("the circuit is not that of these neurons within that tolerance")
    if any(source >= neurons.input_count for each in neurons.neurons for source, _ in each.synapses):
        raise BearingError("a neuron reads another, so that it does not read whatever you like")
    looked = sum(sums_looked_at(neuron, tolerance) for neuron in neurons.neurons)
    data = {
        "schema": SCHEMA,
        "netlist": claim.netlist.sha256,
        "neurons": neurons.sha256,
        "looked_at": looked,
    }
    return json.dumps(data, separators=(",", ":")).encode() + b"\n"


def sums_looked_at(neuron: Neuron, tolerance: Tolerance) -> int:
    """At how many excesses it was looked for a sum that errs, and there is none.

    Raises:
        BearingError: if there is one, or weights may be off by more in one direction than in the other.
    """
    if tolerance.weight != tolerance.weight.scaled(-1):
        raise BearingError(f"weights are to be off both ways alike, and not by {tolerance.weight}")
    sums, looked = Sums.of(neuron), 0
    for fires in (True, False):
        for excess in sums.excesses(fires):
            if _right(neuron, tolerance, sums, excess, sums.size):
                break
            looked += 1
            places = sums.heaviest(excess)
            if places is None:
                continue
            size = sum(abs(sums.weights[place]) for place in places)
            if not _right(neuron, tolerance, sums, excess, size):
                firing = frozenset(neuron.synapses[place][0] for place in places)
                raise BearingError(_in_words(neuron, sums, excess, size), firing, fires)
    return looked


def _right(neuron: Neuron, tolerance: Tolerance, sums: Sums, excess: int, size: int) -> bool:
    """Whether a neuron does what it does without perturbation, at a sum with so many weights in it."""
    total = sums.needed + excess
    excitation, inhibition = (Fraction(size + sign * total, 2 * sums.scale) for sign in (1, -1))
    lumped = Neuron(((0, excitation), (1, -inhibition)), neuron.threshold, neuron.bias)
    return UncertainNeuron.of(lumped, tolerance).outcomes((True, True)) == (excess >= 0,)


def _in_words(neuron: Neuron, sums: Sums, excess: int, size: int) -> str:
    total, weights = (Fraction(each, sums.scale) for each in (sums.needed + excess, size))
    needed, inputs = Fraction(sums.needed, sums.scale), len(neuron.synapses)
    return (
        f"a neuron of {inputs} inputs errs, which fires if these come to {needed}: where they come to "
        f"{total}, with weights of {weights} without their signs"
    )
