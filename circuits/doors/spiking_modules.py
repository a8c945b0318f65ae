"""Networks of PyTorch: linear layers and neurons of snnTorch or SpikingJelly, one after another.

What frameworks do differently is asked for and never guessed: whether a neuron fires at its threshold,
what a spike does to the potential, and when. What is stated must be what the class of the neurons does,
or the network is refused. So are classes made of these, hooks, and neurons that are used twice or whose
outputs are no spikes: they may do anything else. Numbers are read exactly; that a framework rounds
potentials, in float32, and a network does not, is the one difference.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from spikeproof.specs.networks import (
    MAX_SUM,
    USUAL_ORDER,
    AfterSpike,
    Dynamics,
    Layer,
    Network,
    NetworkError,
    Readout,
    Score,
)

KEPT = Dynamics(Fraction(1), AfterSpike.NOTHING, USUAL_ORDER, strict=False)
"""Of outputs without neurons: what they are given is added up, step by step."""


@dataclass(frozen=True)
class _Neurons:
    """What neurons of a class do; thresholds are in units of their inputs."""

    dynamics: Dynamics
    threshold: Fraction


def network_of(
    module: Any,
    *,
    steps: int,
    readout: Readout,
    strict: bool,
    reset: str,
    order: str,
    bits: int | None = None,
) -> Network:
    """The network that a module of PyTorch is, in exact arithmetic.

    Args:
        module: a ``Sequential`` or a list, of ``Linear`` and after each neurons of its own:
            ``snntorch.Leaky``, ``spikingjelly``'s ``LIFNode`` or ``IFNode``. The last may have none, if
            potentials are read out: what these outputs are given is added up. It starts at rest.
        steps: how many it runs.
        readout: how a class comes of the last layer.
        strict: whether neurons fire only above their threshold.
        reset: what a spike does: ``subtract`` the threshold, go to ``zero``, or ``nothing``.
        order: of the events of a step, as ``leak reset add fire``; see ``specs.networks.Dynamics``.
        bits: round weights, biases and thresholds to multiples of 2^-bits, to nearest, ties to even;
            else they stay as they are. Leaks stay as they are in any case. Where a ``LIFNode`` divides
            its inputs by ``tau``, its threshold is that times ``tau``.

    Raises:
        NetworkError: if it is none of these, or does otherwise than is stated; one line.
    """
    if not isinstance(readout, Readout):
        raise NetworkError("readout must be a Readout, such as Readout(Score.COUNT)")
    if not isinstance(steps, int):
        raise NetworkError(f"steps must be an integer, not {steps!r}")
    try:
        stated = Dynamics(Fraction(0), AfterSpike(reset), tuple(order.split()), strict)
    except ValueError as error:
        raise NetworkError(f"neurons cannot be stated so: {error}") from None
    pairs = list(_pairs(list(_flat(module))))
    neurons = [id(each) for _, each in pairs if each is not None]
    if len(set(neurons)) < len(neurons):
        raise NetworkError(
            "neurons are used twice: they would share potentials; give each layer its own"
        )
    silent = len(pairs) - 1 if readout.score is Score.POTENTIAL else len(pairs)
    layers = tuple(
        _layer(linear, neurons, stated, bits, number, fires=number != silent)
        for number, (linear, neurons) in enumerate(pairs)
    )
    return Network(layers, steps, readout)


def _flat(module: Any) -> Iterator[Any]:
    """The modules of a sequence, and of sequences in it, if they do what their classes do."""
    import torch

    _require_plain(module)
    if isinstance(module, (list, tuple)) or type(module) is torch.nn.Sequential:
        for each in module:
            yield from _flat(each)
    else:
        yield module


def _pairs(modules: Sequence[Any]) -> Iterator[tuple[Any, Any]]:
    """Each linear layer with its neurons, or with none at the end."""
    import torch

    left = list(modules)
    while left:
        linear = left.pop(0)
        if type(linear) is not torch.nn.Linear:
            raise NetworkError(
                f"{type(linear).__module__}.{type(linear).__name__} comes where a torch.nn.Linear is "
                "expected; leave out what only reshapes"
            )
        if left and type(left[0]) is torch.nn.Linear:
            raise NetworkError("two Linear come one after another; only the last may have no neurons")
        yield linear, left.pop(0) if left else None


def _named(module: Any) -> str:
    """A class, with what it comes from."""
    return f"{type(module).__module__.split('.')[0]}.{type(module).__name__}"


def _require_plain(module: Any) -> None:
    """Refuse what does otherwise than its class: with hooks, or methods of its own."""
    if getattr(module, "_forward_hooks", None) or getattr(module, "_forward_pre_hooks", None):
        raise NetworkError(f"{_named(module)} has hooks, as of pruning or weight_norm; remove them")
    replaced = getattr(module, "__dict__", {}).keys() & set(dir(type(module)))
    if replaced:
        raise NetworkError(f"{_named(module)}: {min(replaced)} is not that of its class")


def _layer(
    linear: Any, neurons: Any, stated: Dynamics, bits: int | None, number: int, fires: bool
) -> Layer:
    """Of weights and neurons, all in integers of one unit."""
    if neurons is None and fires:
        raise NetworkError(f"layer {number} needs neurons, or potentials are to be read out")
    found = _Neurons(KEPT, Fraction(0)) if neurons is None else _neurons(neurons, stated)
    if not fires and found.dynamics.reset is not AfterSpike.NOTHING:
        raise NetworkError("outputs whose potentials are compared must not be reset")
    rows = linear.weight.detach().tolist()
    biases = [0.0] * len(rows) if linear.bias is None else linear.bias.detach().tolist()
    thresholds = [found.threshold] * len(rows) if fires else None
    try:
        return exact_layer(rows, biases, thresholds, found.dynamics, bits)
    except NetworkError as error:
        raise NetworkError(f"layer {number}: {error}") from None


def exact_layer(
    rows: Sequence[Sequence[Any]],
    biases: Sequence[Any],
    thresholds: Sequence[Any] | None,
    dynamics: Dynamics,
    bits: int | None,
) -> Layer:
    """A layer of real numbers, all in integers of one unit.

    Args:
        rows: weights, floats or fractions, a row for each neuron.
        bits: round to multiples of 2^-bits first, to nearest, ties to even; else they stay as they are.

    Raises:
        NetworkError: if one is no finite number, or they need more than 62 bits.
    """
    weights = [[_rounded(each, bits) for each in row] for row in rows]
    added = [_rounded(each, bits) for each in biases]
    floors = None if thresholds is None else [_rounded(each, bits) for each in thresholds]
    values = [each for row in (*weights, added, floors or ()) for each in row]
    unit = math.lcm(*{each.denominator for each in values})
    if max(abs(each) for each in values) * unit >= MAX_SUM:
        raise NetworkError("its numbers need more than 62 bits; round them, as bits=16")

    def integers(given: Sequence[Any]) -> Any:
        return np.array(np.array(given, object) * unit, np.int64)

    return Layer(
        integers(weights), integers(added), None if floors is None else integers(floors), dynamics
    )


def _rounded(value: float | Fraction, bits: int | None) -> Fraction:
    """A number as it is, or the nearest multiple of 2^-bits."""
    if not math.isfinite(value):
        raise NetworkError("weights, biases and thresholds must be finite")
    exact = Fraction(value)
    return exact if bits is None else Fraction(round(exact * 2**bits), 2**bits)


def _neurons(module: Any, stated: Dynamics) -> _Neurons:
    """What a module of neurons does, if it is what was stated."""
    framework, kind = type(module).__module__.split(".")[0], type(module).__name__
    reader = READERS.get((framework, kind))
    if reader is None:
        known = ", ".join(".".join(each) for each in READERS)
        raise NetworkError(f"{_named(module)} is not read; neurons may be {known}")
    found = reader(module)
    does = found.dynamics
    if (does.strict, does.reset, does.order) != (stated.strict, stated.reset, stated.order):
        order = " ".join(does.order)
        raise NetworkError(
            f"{_named(module)} is otherwise than stated: "
            f"strict={does.strict}, reset={does.reset.value!r}, order={order!r}"
        )
    return found


def _number(module: Any, name: str) -> Fraction:
    """A parameter that all neurons share, as it is in the arithmetic of the module."""
    value = getattr(module, name)
    try:
        return Fraction(float(value))
    except (TypeError, ValueError, OverflowError, RuntimeError):
        raise NetworkError(f"{_named(module)}: {name} must be one number for all neurons") from None


def _require(module: Any, name: str, value: Any) -> None:
    """Refuse a module in which something is not as usual."""
    if getattr(module, name, value) != value:
        raise NetworkError(f"{_named(module)}: {name} must be {value}")


def _require_spikes(module: Any, name: str, sources: Sequence[str], strict: bool) -> None:
    """Refuse neurons that do not fire by a function of their framework, with outputs of 0 and 1."""
    import torch

    function = getattr(module, name)
    probes = torch.tensor([-2.0, -1e-30, 0.0, 1e-30, 0.25, 3.0])
    try:
        with torch.no_grad():
            fired = function(probes).tolist()
    except (TypeError, RuntimeError):
        fired = None
    expected = probes > 0 if strict else probes >= 0
    if getattr(function, "__module__", None) not in sources or fired != expected.float().tolist():
        raise NetworkError(
            f"{_named(module)}: {name} must be of {sources[0]}, with outputs of 0 and 1: spikes"
        )


STATE_FUNCTIONS = {"subtract": "_base_sub", "zero": "_base_zero", "none": "_base_int"}
"""Of snnTorch's neurons, by mechanism: chosen when they are made, and kept if that is set later."""


def _leaky(module: Any) -> _Neurons:
    """snnTorch's: firing is above the threshold, and a reset that of the spike of the step before."""
    if module.state_function != getattr(module, STATE_FUNCTIONS[module.reset_mechanism]):
        raise NetworkError(
            f"{_named(module)}: reset_mechanism was set later, and is not what it does; make it anew"
        )
    _require_spikes(module, "spike_grad", ("snntorch.surrogate", "snntorch._neurons.neurons"), True)
    reset = {"none": AfterSpike.NOTHING}.get(module.reset_mechanism, module.reset_mechanism)
    resets = AfterSpike(reset)
    for name, usual in (("inhibition", False), ("state_quant", False), ("graded_spikes_factor", 1)):
        _require(module, name, usual)
    # Else it resets at once, and in the next step once more, if still above the threshold.
    _require(module, "reset_delay", True)
    if resets is not AfterSpike.NOTHING and _number(module, "threshold") < 0:
        raise NetworkError(f"{_named(module)}: with a threshold below 0 it resets from rest")
    first = ("reset", "leak") if resets is AfterSpike.ZERO else ("leak", "reset")
    leak = min(max(_number(module, "beta"), Fraction(0)), Fraction(1))
    dynamics = Dynamics(leak, resets, (*first, "add", "fire"), strict=True)
    return _Neurons(dynamics, _number(module, "threshold"))


def _lif(module: Any) -> _Neurons:
    """SpikingJelly's: firing is at the threshold, and a reset is at once."""
    if not type(module).__module__.startswith("spikingjelly.activation_based.neuron"):
        raise NetworkError(f"{_named(module)} is not that of spikingjelly.activation_based.neuron")
    _require_spikes(
        module, "surrogate_function", ("spikingjelly.activation_based.surrogate",), strict=False
    )
    if module.v_reset not in (None, 0):
        raise NetworkError(f"{_named(module)}: v_reset must be None or 0")
    reset = AfterSpike.SUBTRACT if module.v_reset is None else AfterSpike.ZERO
    threshold, leak = _number(module, "v_threshold"), Fraction(1)
    if hasattr(module, "tau"):
        tau = _number(module, "tau")
        if tau < 1:
            raise NetworkError(f"{_named(module)}: tau must be at least 1")
        leak = 1 - 1 / tau
        # What is added is divided by tau; so multiply everything by it instead.
        threshold = threshold * tau if module.decay_input else threshold
    return _Neurons(Dynamics(leak, reset, ("leak", "add", "fire", "reset"), strict=False), threshold)


READERS = {
    ("snntorch", "Leaky"): _leaky,
    ("spikingjelly", "LIFNode"): _lif,
    ("spikingjelly", "IFNode"): _lif,
}
"""By framework and class."""
