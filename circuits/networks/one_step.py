"""Networks of one step as netlists: their neurons, and others that find the largest score.

    first_i = [every score below i is smaller, and none above i is larger]

A neuron for each two classes compares their scores: it reads what both outputs read, by the difference
of their weights. One for each class counts its comparisons, one for each bit of the class reads these.
"""

from __future__ import annotations

from collections.abc import Iterable

from spikeproof.circuits.netlist import Netlist
from spikeproof.circuits.units.copies import bounded
from spikeproof.circuits.units.forms import (
    Bits,
    Form,
    any_of,
    bits,
    exclusive,
    reaches,
    signals,
    total,
    unbounded,
)
from spikeproof.circuits.units.libraries import SHALLOW, GateLibrary, library_gates
from spikeproof.specs.networks import Layer, Network, NetworkError

TERNARY = "ternary"


def one_step_netlist(network: Network, library: str = TERNARY) -> Netlist:
    """What a network of one step decides: input ``x``, a bit for each input; output ``class``.

    The class is binary, least significant bit first. With a bound on the library's weights, what weighs
    more is read from several neurons that are equal.

    Raises:
        NetworkError: if it takes several steps, or neurons do not leak, add and fire in this order.
    """
    _require_one_step(network)
    gates = library_gates(library, SHALLOW)
    spikes = bits(gates.builder.input("x", network.inputs))
    *firing, last = network.layers
    for layer in firing:
        spikes = _spikes(gates, layer, spikes)
    scores = _spikes(gates, last, spikes) if last.thresholds is not None else _sums(last, spikes)
    found = _binary(gates, _largest(gates, scores))
    netlist = gates.builder.build({"class": signals(gates, found)})
    return netlist if gates.largest_weight is None else bounded(netlist, gates.largest_weight)


def _require_one_step(network: Network) -> None:
    """Refuse what is no function of one step's inputs by sums and thresholds."""
    if network.steps != 1:
        raise NetworkError(f"only a network of one step is a netlist so, not one of {network.steps}")
    for place, layer in enumerate(network.layers):
        leak, add, fire = map(layer.dynamics.order.index, ("leak", "add", "fire"))
        if not leak < add < fire:
            raise NetworkError(f"layer {place} does not leak, then add, then fire")


def _sums(layer: Layer, given: Bits) -> Bits:
    """Of each neuron of a layer, as forms."""
    return tuple(map(_sum, layer.weights.tolist(), (given,) * layer.neurons, layer.bias.tolist()))


def _sum(weights: Iterable[int], given: Bits, constant: int) -> Form:
    found: dict[int, int] = {}
    for weight, each in zip(weights, given, strict=True):
        if weight:
            constant += weight * each.constant
            for signal, own in each.weights.items():
                found[signal] = found.get(signal, 0) + weight * own
    return unbounded(Form(constant, {signal: weight for signal, weight in found.items() if weight}))


def _spikes(gates: GateLibrary, layer: Layer, given: Bits) -> Bits:
    """Of each neuron of a layer that fires: whether it does."""
    assert layer.thresholds is not None
    above = int(layer.dynamics.strict)
    least = (threshold + above for threshold in layer.thresholds.tolist())
    return tuple(
        reaches(gates, form, each) for form, each in zip(_sums(layer, given), least, strict=True)
    )


def _largest(gates: GateLibrary, scores: Bits) -> Bits:
    """Of each score, whether it is the largest, the first among equals."""
    count = len(scores)
    not_less = {
        (i, j): reaches(gates, unbounded(scores[i] - scores[j]), 0)
        for i in range(count)
        for j in range(i + 1, count)
    }
    return tuple(
        reaches(
            gates,
            total(not_less[i, j] for j in range(i + 1, count))
            + total(1 - not_less[j, i] for j in range(i)),
            count - 1,
        )
        for i in range(count)
    )


def _binary(gates: GateLibrary, chosen: Bits) -> Bits:
    """The number of the one bit that is 1."""
    width = max(1, (len(chosen) - 1).bit_length())
    return tuple(
        any_of(gates, exclusive(each for number, each in enumerate(chosen) if number >> place & 1))
        for place in range(width)
    )
