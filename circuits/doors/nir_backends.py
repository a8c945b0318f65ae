"""What backends of NIR make of its neurons: the numbers that they step with.

Backends compute these in floating point; so is done here, operation by operation, as the versions named
in ``BACKENDS`` do. ``docs/nir.md`` shows each, and the tests run it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType
from typing import Any

import numpy as np

from spikeproof.circuits.netlist import NetlistError, Weight, exact_weight

Maker = Callable[[Any, Fraction, int], dict[str, Any]]
"""Takes a node, a time step and their number; yields arrays, or numbers for all, of the node's neurons.

Their names are those of ``Constants`` of ``nir_reading``; ``v_leak`` and ``v_reset`` are where a reading
may have them start, or go to after a spike.
"""


def exact_values(value: Any, name: str, shape: tuple[int, ...]) -> list[Weight]:
    """The numbers of an array, in order; of a single number, that for each place of the shape.

    Raises:
        NetlistError: if it has another shape, or holds what is no finite number.
    """
    array = np.asarray(value)
    if array.dtype.kind not in "fiuO":
        raise NetlistError(f"{name} holds {array.dtype}; use real numbers")
    if array.size != 1 and array.shape != shape:
        raise NetlistError(
            f"{name} has shape {array.shape} where its neurons have {shape}; give one each"
        )
    known: dict[Any, Weight] = {}

    def exact(number: Any) -> Weight:
        if number not in known:
            known[number] = exact_weight(number, f"a {name}")
        return known[number]

    numbers = [exact(number) for number in array.ravel().tolist()]
    return numbers * int(np.prod(shape, dtype=int)) if array.size == 1 else numbers


# --- NIR's own equations ------------------------------------------------------------------------

_exactly = np.vectorize(lambda value: Fraction(exact_weight(value, "a parameter")), otypes=[object])


def _parameters(node: Any, *names: str) -> list[Any]:
    """Arrays of fractions."""
    return [_exactly(np.asarray(getattr(node, name)).tolist()) for name in names]


def _fraction_of_time(dt: Fraction, tau: Any) -> Any:
    """dt / tau.

    Raises:
        NetlistError: if the time constant is shorter than a step.
    """
    if not np.all(tau >= dt):
        raise NetlistError(
            f"a time constant is {np.min(tau)}, shorter than dt = {dt}; choose a smaller dt"
        )
    return dt / tau


def _threshold(node: Any, dt: Fraction, steps: int) -> dict[str, Any]:
    return {"threshold": node.threshold}


def _if(node: Any, dt: Fraction, steps: int) -> dict[str, Any]:
    r, v_reset = _parameters(node, "r", "v_reset")
    return {"threshold": node.v_threshold, "gain": r * dt, "v_reset": v_reset}


def _lif(node: Any, dt: Fraction, steps: int) -> dict[str, Any]:
    tau, r, v_leak, v_reset = _parameters(node, "tau", "r", "v_leak", "v_reset")
    return _leaking(node.v_threshold, _fraction_of_time(dt, tau), r, v_leak, v_reset)


def _leaking(threshold: Any, part: Any, r: Any, v_leak: Any, v_reset: Any) -> dict[str, Any]:
    """The constants of a potential that goes so large a part of the way in a step."""
    return {
        "threshold": threshold,
        "decay": 1 - part,
        "offset": v_leak * part,
        "gain": r * part,
        "v_leak": v_leak,
        "v_reset": v_reset,
    }


def _cuba_lif(node: Any, dt: Fraction, steps: int) -> dict[str, Any]:
    tau_syn, tau_mem, r, v_leak, v_reset, w_in = _parameters(
        node, "tau_syn", "tau_mem", "r", "v_leak", "v_reset", "w_in"
    )
    part, part_syn = (_fraction_of_time(dt, tau) for tau in (tau_mem, tau_syn))
    synapse = {"decay": 1 - part_syn, "gain": w_in * part_syn}
    return {**_leaking(node.v_threshold, part, r, v_leak, v_reset), "synapse": synapse}


PARAMETERS = {
    "Threshold": ("threshold",),
    "IF": ("r", "v_threshold", "v_reset"),
    "LIF": ("tau", "r", "v_leak", "v_threshold", "v_reset"),
    "CubaLIF": ("tau_syn", "tau_mem", "r", "v_leak", "v_threshold", "v_reset", "w_in"),
}
"""Of the nodes that are neurons."""

EQUATIONS: Mapping[str, Maker] = MappingProxyType(
    {"Threshold": _threshold, "IF": _if, "LIF": _lif, "CubaLIF": _cuba_lif}
)
"""Euler's method, exactly; of a CubaLIF the current first, and with it the potential."""


# --- backends -----------------------------------------------------------------------------------


def _require(condition: bool, backend: str, what: str) -> None:
    if not condition:
        raise NetlistError(f"{backend} refuses {what}; state constants=equations, or mend the graph")


def _single(values: Any, backend: str, name: str) -> Any:
    """The one value that an array has.

    Raises:
        NetlistError: if it has several, which the backend refuses.
    """
    unique = np.unique(values)
    _require(unique.size == 1, backend, f"different {name} in one layer")
    return unique[0]


def _snntorch_potentials(node: Any, thresholds: Any) -> dict[str, Any]:
    threshold = np.float32(_single(thresholds, "snnTorch", "thresholds"))
    _require(bool(threshold >= 0), "snnTorch", "a negative threshold, with which it resets otherwise")
    return {"threshold": threshold, "v_reset": np.asarray(node.v_reset, np.float32)}


def _snntorch_if(node: Any, dt: Fraction, steps: int) -> dict[str, Any]:
    _require(bool(np.all(np.equal(node.r, 1))), "snnTorch", "an IF with an r that is not 1")
    _require(
        steps == 1,
        "snnTorch",
        "no IF, but reads it as a leak of 0.9 with another reset, which more than one step shows",
    )
    return _snntorch_potentials(node, node.v_threshold)


def _snntorch_lif(node: Any, dt: Fraction, steps: int) -> dict[str, Any]:
    step = float(dt)
    _require(np.allclose(node.v_leak, 0.0), "snnTorch", "a v_leak that is not 0")
    scale, thresholds = node.r * step / node.tau, node.v_threshold
    if not np.allclose(scale, 1.0):
        thresholds = thresholds / np.unique(scale)[0]
    return {**_snntorch_potentials(node, thresholds), "decay": _clamped(1 - (step / node.tau))}


def _snntorch_cuba_lif(node: Any, dt: Fraction, steps: int) -> dict[str, Any]:
    step = float(dt)
    _require(np.allclose(node.v_leak, 0.0), "snnTorch", "a v_leak that is not 0")
    _require(np.allclose(node.r, node.tau_mem / step), "snnTorch", "an r that is not tau_mem / dt")
    scale, thresholds = node.w_in * (step / node.tau_syn), node.v_threshold
    if not np.allclose(scale, 1.0):
        thresholds = thresholds / scale
    return {
        **_snntorch_potentials(node, thresholds),
        "decay": _clamped(1 - (step / node.tau_mem)),
        "synapse": {"decay": _clamped(1 - (step / node.tau_syn)), "gain": 1},
    }


def _clamped(decay: Any) -> Any:
    return np.clip(np.float32(decay), np.float32(0), np.float32(1))


def _spikingjelly(value: Any, name: str) -> float:
    return float(_single(value, "SpikingJelly", name))


def _close(value: float, expected: float) -> bool:
    return bool(np.isclose(value, expected, rtol=1e-6, atol=1e-12))


def _spikingjelly_rest(node: Any) -> dict[str, Any]:
    v_reset = np.float32(_spikingjelly(node.v_reset, "v_reset"))
    threshold = np.float32(_spikingjelly(node.v_threshold, "thresholds"))
    return {"threshold": threshold, "v_reset": v_reset, "v_leak": v_reset}


def _spikingjelly_if(node: Any, dt: Fraction, steps: int) -> dict[str, Any]:
    r = _spikingjelly(node.r, "r")
    _require(_close(r, 1.0 / float(dt)), "SpikingJelly", "an IF with an r that is not 1 / dt")
    return _spikingjelly_rest(node)


def _spikingjelly_lif(node: Any, dt: Fraction, steps: int) -> dict[str, Any]:
    tau = _spikingjelly(node.tau, "tau") / float(dt)
    _require(1.0 < tau < np.inf, "SpikingJelly", "a tau that is not longer than dt")
    r, v_leak = _spikingjelly(node.r, "r"), _spikingjelly(node.v_leak, "v_leak")
    _require(_close(r, 1.0) or _close(r, tau), "SpikingJelly", "an r that is neither 1 nor tau / dt")
    rest = _spikingjelly_rest(node)
    _require(
        _close(v_leak, _spikingjelly(node.v_reset, "v_reset")),
        "SpikingJelly",
        "a v_leak other than v_reset",
    )
    part = 1 / Fraction(float(np.float32(tau)))
    return {
        **rest,
        "decay": 1 - part,
        "offset": Fraction(float(rest["v_reset"])) * part,
        "gain": part if _close(r, 1.0) else 1,
    }


def _spikingjelly_cuba_lif(node: Any, dt: Fraction, steps: int) -> dict[str, Any]:
    step = float(dt)
    tau_syn, tau_mem = (_spikingjelly(getattr(node, name), name) for name in ("tau_syn", "tau_mem"))
    _require(tau_syn >= step and tau_mem >= step, "SpikingJelly", "a time constant shorter than dt")
    _require(
        _close(_spikingjelly(node.r, "r"), tau_mem / step),
        "SpikingJelly",
        "an r that is not tau_mem / dt",
    )
    _require(
        _close(_spikingjelly(node.w_in, "w_in"), tau_syn / step),
        "SpikingJelly",
        "a w_in that is not tau_syn / dt",
    )
    _require(_close(_spikingjelly(node.v_leak, "v_leak"), 0.0), "SpikingJelly", "a v_leak that is not 0")
    return {
        **_spikingjelly_rest(node),
        "decay": np.float32(1.0 - step / tau_mem),
        "synapse": {"decay": np.float32(1.0 - step / tau_syn), "gain": 1},
    }


def _norse_part(tau: Any, dt: Fraction) -> Any:
    """What of a difference is gone after dt; as fractions."""
    inverse = np.float32(1) / np.asarray(tau, np.float32)
    return _exactly((np.float32(dt) * inverse).tolist())


def _norse_potentials(node: Any) -> dict[str, Any]:
    return {
        "threshold": np.asarray(node.v_threshold, np.float32),
        "v_reset": np.asarray(node.v_reset, np.float32),
    }


def _norse_if(node: Any, dt: Fraction, steps: int) -> dict[str, Any]:
    return _norse_potentials(node)


def _norse_lif(node: Any, dt: Fraction, steps: int) -> dict[str, Any]:
    part = _norse_part(node.tau, dt)
    v_leak = _exactly(np.asarray(node.v_leak, np.float32).tolist())
    return {
        **_norse_potentials(node),
        "decay": 1 - part,
        "offset": v_leak * part,
        "gain": part,
        "v_leak": v_leak,
    }


def _norse_cuba_lif(node: Any, dt: Fraction, steps: int) -> dict[str, Any]:
    part, part_syn = _norse_part(node.tau_mem, dt), _norse_part(node.tau_syn, dt)
    v_leak, r, w_in = (
        _exactly(np.asarray(getattr(node, name), np.float32).tolist())
        for name in ("v_leak", "r", "w_in")
    )
    return {
        **_norse_potentials(node),
        "decay": 1 - part,
        "offset": v_leak * part,
        "gain": r * part,
        "v_leak": v_leak,
        "synapse": {
            "decay": 1 - part_syn,
            "gain": w_in * part_syn,
            "offset": v_leak * part_syn,
            "start": v_leak,
        },
    }


@dataclass(frozen=True)
class Backend:
    """What a backend does with a graph.

    Attributes:
        described: its version and its formulas, in words.
        preset: the fields of its ``Reading``, but for the steps.
        constants: what it makes of the nodes it has.
    """

    described: str
    preset: Mapping[str, Any]
    constants: Mapping[str, Maker]


def _preset(name: str, *, strict: bool, reset: str, start: str, dt: str) -> Mapping[str, Any]:
    stated = {"constants": name, "strict": strict, "reset": reset, "start": start, "dt": dt}
    return MappingProxyType({**stated, "order": "leak add fire", "arithmetic": "float32"})


BACKENDS: Mapping[str, Backend] = MappingProxyType(
    {
        "snntorch": Backend(
            "snnTorch 1.0.0: decay 1 - dt / tau in the stored type and then float32, and in place of a "
            "gain the threshold divided by r * dt / tau",
            _preset("snntorch", strict=True, reset="zero", start="zero", dt="1e-4"),
            {"IF": _snntorch_if, "LIF": _snntorch_lif, "CubaLIF": _snntorch_cuba_lif},
        ),
        "spikingjelly": Backend(
            "SpikingJelly 2.0.0: part 1 / (tau / dt), the quotient in float64 and then float32",
            _preset("spikingjelly", strict=False, reset="v_reset", start="v_reset", dt="1e-4"),
            {"IF": _spikingjelly_if, "LIF": _spikingjelly_lif, "CubaLIF": _spikingjelly_cuba_lif},
        ),
        "norse": Backend(
            "Norse 1.1.0: part dt * (1 / tau) in float32, without the r of IF and LIF",
            _preset("norse", strict=True, reset="zero", start="v_leak", dt="1e-3"),
            {"IF": _norse_if, "LIF": _norse_lif, "CubaLIF": _norse_cuba_lif},
        ),
    }
)
"""Those whose behaviour ``docs/nir.md`` shows and the tests run."""
