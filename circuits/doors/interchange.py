"""Netlists from and to the outside: JSON files, and PyTorch modules of integrate-and-fire neurons."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Mapping, Sequence, Set
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.netlist import (
    Block,
    Bus,
    Netlist,
    NetlistBuilder,
    NetlistError,
    Neuron,
    Weight,
    exact_weight,
)

if TYPE_CHECKING:
    import torch

SCHEMA = "spikeproof-netlist-1"


def write_json(netlist: Netlist, path: Path) -> None:
    """Write a netlist as JSON; ``read_json`` gives an equal one back."""
    path.write_text(json.dumps(netlist.serialise(), indent=1) + "\n")


def read_json(path: Path) -> Netlist:
    """Read a netlist from a JSON file.

    The file holds one object: ``schema`` ("spikeproof-netlist-1"), ``inputs`` (a list of [name,
    width]), ``neurons`` (a list of {"synapses": [[signal, weight], ...], "threshold", "bias"}),
    ``outputs`` (bus name to list of signals, least significant bit first), and optionally
    ``probes``, ``blocks`` and ``cells``. Numbers are integers, decimals or strings such as "3/2",
    and are read exactly.

    Raises:
        NetlistError: if the file cannot be read, is not of this form, or the netlist is not well
            formed; one line that says what to do.
    """
    try:
        # Decimals stay text until they become fractions, so that no digit is lost.
        data = json.loads(path.read_text(), parse_float=str, object_pairs_hook=unrepeated)
    except OSError as error:
        raise NetlistError(f"cannot read {path}: {error.strerror}") from None
    except (NetlistError, RecursionError, ValueError) as error:
        raise NetlistError(f"{path} is not JSON: {error}") from None
    try:
        return parse(data)
    except NetlistError as error:
        raise NetlistError(f"{path}: {error}") from None


def unrepeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object of whose keys none may occur twice: a hook for ``json.loads``.

    Raises:
        NetlistError: if one does.
    """
    names = [name for name, _ in pairs]
    for name in names:
        if names.count(name) > 1:
            raise NetlistError(f"{name!r} occurs twice in one object; keep one")
    return dict(pairs)


def _require(entry: Any, what: str, required: Set[str], optional: Set[str] = frozenset()) -> None:
    """Refuse anything but an object with these keys: a misspelt key must not go unread."""
    if not isinstance(entry, dict):
        raise NetlistError(f"{what} is {_shown(entry)}; it must be an object")
    if missing := required - set(entry):
        raise NetlistError(f"{what} lacks {', '.join(map(repr, sorted(missing)))}")
    if unknown := set(entry) - required - optional:
        known = ", ".join(map(repr, sorted(required | optional)))
        raise NetlistError(f"{what} has the unknown key {min(unknown)!r}; known: {known}")


def _pairs(entry: Any, what: str) -> list[tuple[Any, Any]]:
    """A list of pairs, or an error."""
    if not isinstance(entry, list) or any(not isinstance(p, list) or len(p) != 2 for p in entry):
        raise NetlistError(f"{what} is {_shown(entry)}; it must be a list of pairs")
    return [(first, second) for first, second in entry]


def _shown(entry: Any) -> str:
    text = repr(entry)
    return text if len(text) <= 40 else text[:40] + "..."


def _list(entry: Any, what: str) -> list[Any]:
    if not isinstance(entry, list):
        raise NetlistError(f"{what} is {_shown(entry)}; it must be a list")
    return entry


def parse(data: Any) -> Netlist:
    """The netlist that decoded JSON stands for: see ``read_json``.

    Raises:
        NetlistError: if it is not of that form, or not well formed.
    """
    if not isinstance(data, dict) or data.get("schema") != SCHEMA:
        raise NetlistError(f'not a netlist: the top level needs "schema": "{SCHEMA}"')
    optional = {"probes", "blocks", "cells"}
    _require(data, "the netlist", {"schema", "inputs", "neurons", "outputs"}, optional)
    inputs = _pairs(data["inputs"], "'inputs'")
    if any(not isinstance(name, str) for name, _ in inputs):
        raise NetlistError("an input's name is not text; write [name, width]")
    if len(dict(inputs)) != len(inputs):
        raise NetlistError("two inputs have the same name; rename one")
    return Netlist(
        inputs=dict(inputs),
        neurons=tuple(
            _neuron(f"entry {index} of neurons", entry)
            for index, entry in enumerate(_list(data["neurons"], "'neurons'"))
        ),
        outputs=_buses(data["outputs"], "'outputs'"),
        probes=_buses(data.get("probes", {}), "'probes'"),
        blocks=_blocks(data.get("blocks", []), "'blocks'"),
        cells=_blocks(data.get("cells", []), "'cells'"),
    )


def _blocks(entries: Any, what: str) -> tuple[Block, ...]:
    blocks = []
    for index, entry in enumerate(_list(entries, what)):
        label = f"entry {index} of {what}"
        _require(entry, label, {"name", "kind", "inputs", "outputs"})
        buses = (_buses(entry[side], f"{side} of {label}") for side in ("inputs", "outputs"))
        blocks.append(Block(str(entry["name"]), str(entry["kind"]), *buses))
    return tuple(blocks)


def _neuron(what: str, entry: Any) -> Neuron:
    _require(entry, what, {"synapses", "threshold"}, {"bias"})
    return Neuron(
        synapses=tuple(
            (source, exact_weight(weight, f"weight in {what}"))
            for source, weight in _pairs(entry["synapses"], f"'synapses' of {what}")
        ),
        threshold=exact_weight(entry["threshold"], f"threshold in {what}"),
        bias=exact_weight(entry.get("bias", 0), f"bias in {what}"),
    )


def _buses(entry: Any, what: str) -> dict[str, Bus]:
    if not isinstance(entry, dict):
        raise NetlistError(f"{what} is {_shown(entry)}; it must be an object of buses by name")
    return {name: tuple(_list(bus, f"bus {name!r} of {what}")) for name, bus in entry.items()}


# --- PyTorch ------------------------------------------------------------------------------------

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
