"""Netlists from PyTorch modules of integrate-and-fire neurons."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.netlist import Bus, Netlist, NetlistBuilder, NetlistError, Weight, exact_weight

if TYPE_CHECKING:
    import torch

SAMPLED_INPUTS = 4096
"""How many inputs an imported module is compared on; all of them if there are no more."""


def from_torch(
    module: torch.nn.Sequential, inputs: Mapping[str, int], outputs: Mapping[str, int]
) -> Netlist:
    """The netlist of a feed-forward PyTorch module of integrate-and-fire neurons.

    The module alternates between ``torch.nn.Linear`` and a spiking layer with a scalar attribute
    ``v_threshold``, as SpikingJelly's IFNode has. A neuron fires iff W.x + b >= v_threshold, from
    rest, in one time step; weights are taken exactly as stored. Sums that the module's floating-point
    type could round are refused. So is a layer that is seen to have another rule (leak, strict
    comparison): a copy of the module is run beside the netlist, on every input or a sample of 4,096.

    Args:
        inputs: width of each input bus; together they are the first layer's inputs, in order.
        outputs: width of each output bus; together they are the last layer's outputs, in order.

    Raises:
        NetlistError: if the module is of another form, a width does not fit, sums may be rounded, or
            the comparison fails.
    """
    import torch

    if type(module) is not torch.nn.Sequential:
        raise NetlistError(f"expected torch.nn.Sequential, found {type(module).__name__}")
    builder = NetlistBuilder()
    signals: Bus = tuple(s for name, width in inputs.items() for s in builder.input(name, width))
    layers = list(module)
    if not layers or len(layers) % 2:
        raise NetlistError("the module needs pairs of a Linear and a spiking layer")
    for linear, spiking in zip(layers[::2], layers[1::2], strict=True):
        if not isinstance(linear, torch.nn.Linear):
            raise NetlistError(f"expected torch.nn.Linear, found {type(linear).__name__}")
        if linear.in_features != len(signals):
            raise NetlistError(
                f"width mismatch: a layer reads {linear.in_features} signals, {len(signals)} precede it"
            )
        threshold = _threshold(spiking)
        biases = linear.bias.tolist() if linear.bias is not None else [0] * linear.out_features
        neurons = []
        for row, given in zip(linear.weight.tolist(), biases, strict=True):
            weights, bias = [exact_weight(w, "a weight") for w in row], exact_weight(given, "a bias")
            _require_exact_sums((*weights, bias), threshold, linear.weight.dtype)
            neurons.append(builder.neuron(list(zip(signals, weights, strict=True)), threshold, bias))
        signals = tuple(neurons)
    if sum(outputs.values()) != len(signals):
        raise NetlistError(
            f"width mismatch: the outputs have {sum(outputs.values())} bits, "
            f"the last layer {len(signals)} neurons"
        )
    buses, first = {}, 0
    for name, width in outputs.items():
        buses[name] = signals[first : first + width]
        first += width
    netlist = builder.build(buses)
    _require_same_behaviour(netlist, module)
    return netlist


def _threshold(spiking: torch.nn.Module) -> Weight:
    value = getattr(spiking, "v_threshold", None)
    if value is None:
        raise NetlistError(
            f"{type(spiking).__name__} has no v_threshold; follow each Linear with integrate-and-fire"
        )
    try:
        return exact_weight(float(value), "v_threshold")
    except (TypeError, ValueError) as error:
        raise NetlistError(f"v_threshold is not one finite number: {error}") from None


def _require_exact_sums(terms: Sequence[Weight], threshold: Weight, kind: torch.dtype) -> None:
    """Refuse sums that may be rounded, in some order of additions.

    A sum of some of the terms is a multiple of the largest power of two that divides all of them, and no
    larger than all their magnitudes together: it is a number of the type if that fits its significand
    above that power, and its range; as products with 0 and 1 are, and the threshold must be.

    Raises:
        NetlistError: if it does not.
    """
    import torch

    name, limits = str(kind).removeprefix("torch."), torch.finfo(kind)
    exact = [Fraction(term) for term in terms if term]
    finest = max((term.denominator for term in exact), default=1)  # powers of two, as all floats have
    common = math.gcd(*(int(term * finest) for term in exact))
    unit = Fraction(common & -common, finest)
    total = sum(map(abs, exact), Fraction(0))
    fits = total <= unit * int(2 / limits.eps) and total <= Fraction(limits.max)
    if exact and not (fits and unit >= Fraction(limits.smallest_normal)):
        raise NetlistError(
            f"the module may round sums of a neuron's weights in {name}; choose weights of fewer bits, "
            "or import module.double() and use that"
        )
    if torch.tensor(float(threshold), dtype=kind).item() != threshold:
        raise NetlistError(
            f"v_threshold is {float(threshold)}, which the module rounds in {name}; choose another, "
            "or import module.double() and use that"
        )


def _require_same_behaviour(netlist: Netlist, module: torch.nn.Sequential) -> None:
    """Run a copy of the module beside the netlist.

    Raises:
        NetlistError: naming an input on which they differ.
    """
    import torch

    width = netlist.input_count
    if 1 << width <= SAMPLED_INPUTS:
        bits = boolean.unpack_words(np.arange(1 << width), width)
    else:
        bits = np.random.default_rng(0).integers(2, size=(width, SAMPLED_INPUTS)).astype(bool)
    kind = next(module.parameters()).dtype
    with torch.no_grad():
        fired = copy.deepcopy(module)(torch.from_numpy(bits.T.copy()).to(kind))
    inputs = {name: boolean.bus_words(bits, bus) for name, bus in netlist.input_buses.items()}
    signals = boolean.evaluate_signals(netlist, inputs)
    expected = signals[[signal for bus in netlist.outputs.values() for signal in bus]].T
    differing = np.flatnonzero((fired.numpy() != expected).any(axis=1))
    if len(differing):
        shown = ", ".join(f"{name} = {words[differing[0]]}" for name, words in inputs.items())
        raise NetlistError(
            f"the module does not fire iff W.x + b >= v_threshold, for instance for {shown}; "
            "use integrate-and-fire layers without leak"
        )
