"""Netlists from PyTorch modules of integrate-and-fire neurons."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from spikeproof.circuits.doors.spiking_layers import (
    Probes,
    Sums,
    copied,
    fires_only_above,
    keeps_charge,
    spikes,
)
from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.netlist import Bus, Netlist, NetlistBuilder, NetlistError, Weight, exact_weight

if TYPE_CHECKING:
    import torch

SAMPLED_INPUTS = 4096
"""How many inputs an imported module is compared on; all of them if there are no more."""

SINGLE_ROWS = 256
"""How many of these also by themselves, not in a batch."""

NOTE = (
    "imported from PyTorch: one time step from rest; module and netlist were compared on {which}, in "
    "training and in evaluation, as one batch, and {rows:,} row by row; its spiking layers were probed "
    "at their thresholds, one unit below and above, at the ends of their ranges and at random: that the "
    "module does the same in all else is assumed"
)

THRESHOLDS = ("v_threshold", "threshold")
"""What SpikingJelly and snnTorch call it."""


def from_torch(
    module: torch.nn.Sequential, inputs: Mapping[str, int], outputs: Mapping[str, int]
) -> Netlist:
    """The netlist of a feed-forward PyTorch module of integrate-and-fire neurons.

    The module alternates between ``torch.nn.Linear`` and a spiking layer with a scalar attribute
    ``v_threshold`` or ``threshold``, as SpikingJelly's IFNode and snnTorch's Leaky have. The netlist
    means what they do in one time step from rest: what leaks between steps plays no part. A neuron fires
    iff W.x + b >= v_threshold; or, throughout a layer, iff W.x + b > v_threshold, which is imported as
    reaching the next sum that its weights can make. Weights are taken exactly as stored; sums that the
    module's floating-point type could round are refused.

    Each spiking layer is probed by itself (``spiking_layers``), and a copy of the module is run beside
    the netlist, on every input or a sample of 4,096; the netlist's ``notes`` say which, and that the
    rest is assumed, for Python code may do anything. The module is left as it is.

    Args:
        inputs: width of each input bus; together they are the first layer's inputs, in order.
        outputs: width of each output bus; together they are the last layer's outputs, in order.

    Raises:
        NetlistError: if the module is of another form, a width does not fit, sums may be rounded, a
            spiking layer has another rule or does not begin at rest, or the comparison fails.
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
        # A parametrised Linear is one; one with a way of its own to compute is not.
        own = getattr(linear.forward, "__func__", None) is not torch.nn.Linear.forward
        if own or not isinstance(linear, torch.nn.Linear):
            raise NetlistError(f"expected torch.nn.Linear, found {type(linear).__name__}")
        if linear.in_features != len(signals):
            raise NetlistError(
                f"width mismatch: a layer reads {linear.in_features} signals, {len(signals)} precede it"
            )
        signals = _neurons(builder, signals, linear, spiking, shared=layers.count(spiking) > 1)
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
    return replace(netlist, notes=(_require_same_behaviour(netlist, module),))


def _neurons(
    builder: NetlistBuilder,
    signals: Bus,
    linear: torch.nn.Linear,
    spiking: torch.nn.Module,
    *,
    shared: bool,
) -> Bus:
    """The neurons of a pair of layers.

    Args:
        shared: whether the spiking layer stands at several places.

    Raises:
        NetlistError: see ``from_torch``.
    """
    threshold = _threshold(spiking)
    biases = linear.bias.tolist() if linear.bias is not None else [0] * linear.out_features
    rows, sums = [], []
    for row, given in zip(linear.weight.tolist(), biases, strict=True):
        weights, bias = [exact_weight(w, "a weight") for w in row], exact_weight(given, "a bias")
        rows.append((weights, bias))
        sums.append(_exact_sums(weights, bias, threshold, linear.weight.dtype))
    probes = Probes.of(sums, threshold, linear.weight)
    strict = fires_only_above(spiking, probes)
    if shared and keeps_charge(spiking, probes):
        raise NetlistError(
            f"one {type(spiking).__name__} stands at several places and takes charge from one to the "
            "next; use one for each place"
        )
    return tuple(
        builder.neuron(
            list(zip(signals, weights, strict=True)),
            each.beyond(threshold) if strict else threshold,
            bias,
        )
        for (weights, bias), each in zip(rows, sums, strict=True)
    )


def _threshold(spiking: torch.nn.Module) -> Weight:
    import torch

    name = next((name for name in THRESHOLDS if hasattr(spiking, name)), None)
    if name is None:
        raise NetlistError(
            f"{type(spiking).__name__} has neither v_threshold nor threshold; follow each Linear with a "
            "layer of integrate-and-fire neurons that has one"
        )
    value = getattr(spiking, name)
    try:
        return exact_weight(float(value.item() if isinstance(value, torch.Tensor) else value), name)
    except (RuntimeError, TypeError, ValueError) as error:
        raise NetlistError(f"{name} is not one finite number: {error}") from None


def _exact_sums(weights: Sequence[Weight], bias: Weight, threshold: Weight, kind: torch.dtype) -> Sums:
    """The sums of a neuron; those that may be rounded, in some order of additions, are refused.

    A sum of some of the terms is a multiple of the largest power of two that divides all of them, and no
    larger than all their magnitudes together: it is a number of the type if that fits its significand
    above that power, and its range; as products with 0 and 1 are, and the threshold must be.

    Raises:
        NetlistError: if it does not.
    """
    import torch

    name, limits = str(kind).removeprefix("torch."), torch.finfo(kind)
    exact = [Fraction(term) for term in (*weights, bias) if term]
    finest = max((term.denominator for term in exact), default=1)  # powers of two, as all floats have
    common = math.gcd(*(int(term * finest) for term in exact)) or 1
    unit = Fraction(common & -common, finest)
    total = sum(map(abs, exact), Fraction(0))
    fits = total <= unit * int(2 / limits.eps) and total <= Fraction(limits.max)
    if not (fits and unit >= Fraction(limits.smallest_normal)):
        raise NetlistError(
            f"the module may round sums of a neuron's weights in {name}; choose weights of fewer bits, "
            "or import module.double() and use that"
        )
    if torch.tensor(float(threshold), dtype=kind).item() != threshold:
        raise NetlistError(
            f"v_threshold is {float(threshold)}, which the module rounds in {name}; choose another, "
            "or import module.double() and use that"
        )
    ends = (Fraction(bias + sum(sign * w for w in weights if sign * w > 0) * sign) for sign in (-1, 1))
    return Sums(unit, *ends)


def _require_same_behaviour(netlist: Netlist, module: torch.nn.Sequential) -> str:
    """Run copies of the module beside the netlist; in words, on which inputs.

    Raises:
        NetlistError: naming an input on which they differ.
    """
    width = netlist.input_count
    every = 1 << width <= SAMPLED_INPUTS
    if every:
        bits = boolean.unpack_words(np.arange(1 << width), width)
    else:
        bits = np.random.default_rng(0).integers(2, size=(width, SAMPLED_INPUTS)).astype(bool)
    outputs = [signal for bus in netlist.outputs.values() for signal in bus]
    inputs = {name: boolean.bus_words(bits, bus) for name, bus in netlist.input_buses.items()}
    expected = boolean.evaluate_signals(netlist, inputs)[outputs].T
    for fired in _runs(module, bits.T, len(outputs)):
        differing = np.flatnonzero((fired != expected[: len(fired)]).any(axis=1))
        if len(differing):
            shown = ", ".join(f"{name} = {words[differing[0]]}" for name, words in inputs.items())
            raise NetlistError(
                f"the module does not do what its layers do, each by itself, for instance for {shown}; "
                "remove hooks, what a layer knows of another, and what differs in training"
            )
    which = f"all {1 << width:,} inputs" if every else f"{SAMPLED_INPUTS:,} of 2^{width} inputs"
    return NOTE.format(which=which, rows=min(SINGLE_ROWS, bits.shape[1]))


def _runs(
    module: torch.nn.Sequential, rows: NDArray[np.bool_], width: int
) -> Iterator[NDArray[np.bool_]]:
    """What copies of a module answer in either state: to all rows as one batch, to the first alone."""
    like = next(module.parameters())
    for training in (module.training, not module.training):
        given = copied(module).train(training)
        yield spikes(copied(given), rows, width, like)
        yield np.vstack([spikes(copied(given), row[None], width, like) for row in rows[:SINGLE_ROWS]])
