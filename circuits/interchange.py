"""Netlists from and to the outside: JSON files, and PyTorch modules of integrate-and-fire neurons."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from circuits.netlist import Block, Bus, Netlist, NetlistBuilder, NetlistError, Neuron, exact_weight

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
    ``outputs`` (bus name to list of signals, least significant bit first), and optionally ``probes``
    and ``blocks``. Numbers are integers, decimals or strings such as "3/2", and are read exactly.

    Raises:
        NetlistError: if the file cannot be read, is not of this form, or the netlist is not well
            formed; one line that says what to do.
    """
    try:
        data = json.loads(path.read_text())
    except OSError as error:
        raise NetlistError(f"cannot read {path}: {error.strerror}") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise NetlistError(f"{path} is not JSON: {error}") from None
    try:
        return _parse(data)
    except NetlistError as error:
        raise NetlistError(f"{path}: {error}") from None
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise NetlistError(
            f"{path} is not a netlist of schema {SCHEMA}: {type(error).__name__}: {error}"
        ) from None


def _parse(data: Any) -> Netlist:
    if not isinstance(data, dict) or data.get("schema") != SCHEMA:
        raise NetlistError(f'not a netlist: the top level needs "schema": "{SCHEMA}"')
    for key in ("inputs", "neurons", "outputs"):
        if key not in data:
            raise NetlistError(f"not a netlist: {key!r} is missing")
    inputs = dict(data["inputs"])
    if len(inputs) != len(data["inputs"]):
        raise NetlistError("two inputs have the same name; rename one")
    return Netlist(
        inputs=inputs,
        neurons=tuple(_neuron(index, entry) for index, entry in enumerate(data["neurons"])),
        outputs=_buses(data["outputs"]),
        probes=_buses(data.get("probes", {})),
        blocks=tuple(
            Block(entry["name"], entry["kind"], _buses(entry["inputs"]), _buses(entry["outputs"]))
            for entry in data.get("blocks", [])
        ),
    )


def _neuron(index: int, entry: Any) -> Neuron:
    what = f"entry {index} of neurons"
    if not isinstance(entry, dict) or "synapses" not in entry or "threshold" not in entry:
        raise NetlistError(f"{what} needs 'synapses' and 'threshold'")
    return Neuron(
        synapses=tuple(
            (source, exact_weight(weight, f"weight in {what}")) for source, weight in entry["synapses"]
        ),
        threshold=exact_weight(entry["threshold"], f"threshold in {what}"),
        bias=exact_weight(entry.get("bias", 0), f"bias in {what}"),
    )


def _buses(entry: Mapping[str, Any]) -> dict[str, Bus]:
    return {name: tuple(bus) for name, bus in entry.items()}


# --- PyTorch ------------------------------------------------------------------------------------


def from_torch(
    module: torch.nn.Module, inputs: Mapping[str, int], outputs: Mapping[str, int]
) -> Netlist:
    """The netlist of a feed-forward PyTorch module of integrate-and-fire neurons.

    The module's children alternate between ``torch.nn.Linear`` and a spiking layer: any module
    with a scalar attribute ``v_threshold`` (as SpikingJelly's neurons have) or ``threshold`` (as
    snnTorch's have). A neuron fires iff W.x + b >= threshold, from rest: one time step, no leak.
    Floating-point weights are taken exactly as stored.

    Args:
        inputs: width of each input bus; together they are the first layer's inputs, in order.
        outputs: width of each output bus; together they are the last layer's outputs, in order.

    Raises:
        NetlistError: if the module is of another form, or a width does not fit.
    """
    import torch

    builder = NetlistBuilder()
    signals: Bus = tuple(s for name, width in inputs.items() for s in builder.input(name, width))
    children = list(module.children())
    if not children or len(children) % 2:
        raise NetlistError("the module needs pairs of a Linear and a spiking layer as its children")
    for linear, spiking in zip(children[::2], children[1::2], strict=True):
        if not isinstance(linear, torch.nn.Linear):
            raise NetlistError(f"expected torch.nn.Linear, found {type(linear).__name__}")
        if linear.in_features != len(signals):
            raise NetlistError(
                f"width mismatch: a layer reads {linear.in_features} signals, {len(signals)} precede it"
            )
        threshold = _threshold(spiking)
        biases = linear.bias.tolist() if linear.bias is not None else [0] * linear.out_features
        signals = tuple(
            builder.neuron(
                ((s, exact_weight(w, "a weight")) for s, w in zip(signals, row, strict=True)),
                threshold,
                exact_weight(bias, "a bias"),
            )
            for row, bias in zip(linear.weight.tolist(), biases, strict=True)
        )
    if sum(outputs.values()) != len(signals):
        raise NetlistError(
            f"width mismatch: the outputs have {sum(outputs.values())} bits, "
            f"the last layer {len(signals)} neurons"
        )
    buses, first = {}, 0
    for name, width in outputs.items():
        buses[name] = signals[first : first + width]
        first += width
    return builder.build(buses)


def _threshold(spiking: torch.nn.Module) -> Any:
    for attribute in ("v_threshold", "threshold"):
        if hasattr(spiking, attribute):
            return exact_weight(float(getattr(spiking, attribute)), attribute)
    raise NetlistError(
        f"{type(spiking).__name__} has neither v_threshold nor threshold; "
        "follow each Linear with a spiking layer"
    )
