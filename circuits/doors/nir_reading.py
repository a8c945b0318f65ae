"""How neurons of NIR are read in time steps: what a graph leaves open, and each backend decides for itself.

NIR states equations in continuous time. A reading says how these become steps, as ``Constants`` of each
neuron. Backends compute theirs in floating point; so is done here, operation by operation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from fractions import Fraction
from types import MappingProxyType
from typing import Any

import numpy as np

from spikeproof.circuits.netlist import NetlistError, Weight, exact_weight

ORDERS = ("leak add fire", "leak fire add", "add leak fire", "add fire leak", "fire leak add", "fire add leak")
RESETS = ("subtract", "zero", "v_reset")
STARTS = ("zero", "v_leak", "v_reset")
ARITHMETICS = ("exact", "float32", "float64")

MAX_STEPS = 1000


@dataclass(frozen=True)
class Synapse:
    """The current of a synapse at each step: decay times it, plus gain times the drive, plus offset."""

    decay: Weight
    gain: Weight
    offset: Weight = 0
    start: Weight = 0


@dataclass(frozen=True)
class Constants:
    """What a neuron does in a step, exactly, in whatever unit its potential has.

    Attributes:
        decay: leaking takes the potential to decay times it, plus ``offset``.
        gain: adding adds so many times the drive, or the current of the synapse if there is one.
        reset: where the potential is after a spike; unless the threshold is subtracted.
        start: the potential before the first step.
    """

    threshold: Weight
    decay: Weight = 1
    offset: Weight = 0
    gain: Weight = 1
    reset: Weight = 0
    start: Weight = 0
    synapse: Synapse | None = None


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What must be stated of a graph of NIR before it is a circuit. Nothing is guessed: no field has a default.

    Attributes:
        constants: whose decays, gains and thresholds: ``equations`` takes those of NIR by Euler's method,
            exactly; the name of a backend (``BACKENDS``) takes what that computes, rounding included.
        strict: fires only above the threshold, not at it.
        reset: after a spike ``subtract`` the threshold, or go to ``zero``, or to the graph's ``v_reset``.
        start: the potential before the first step: ``zero``, or the graph's ``v_leak`` or ``v_reset``.
        dt: a time step, in the unit of the graph's time constants; a float is taken for its decimal.
        order: of what happens in a step, such as ``leak add fire``; firing includes the reset.
        arithmetic: ``float32`` or ``float64``: sums that it could round are refused; ``exact``: of reals.
        steps: how many time steps from the start, each with outputs of its own.

    Raises:
        NetlistError: if a field is none of these.
    """

    constants: str
    strict: bool
    reset: str
    start: str
    dt: Weight | float | str
    order: str
    arithmetic: str
    steps: int

    def __post_init__(self) -> None:
        dt = exact_weight(repr(self.dt) if isinstance(self.dt, float) else self.dt, "dt")
        object.__setattr__(self, "dt", Fraction(dt))
        for name, legal in (
            ("constants", ("equations", *BACKENDS)),
            ("strict", (True, False)),
            ("reset", RESETS),
            ("start", STARTS),
            ("order", ORDERS),
            ("arithmetic", ARITHMETICS),
        ):
            if getattr(self, name) not in legal:
                raise NetlistError(
                    f"{name} is {getattr(self, name)!r}; use one of {', '.join(map(repr, legal))}"
                )
        if dt <= 0:
            raise NetlistError(f"dt is {dt}; use a positive number")
        if isinstance(self.steps, bool) or not isinstance(self.steps, int):
            raise NetlistError(f"steps is {self.steps!r}; use a whole number")
        if not 1 <= self.steps <= MAX_STEPS:
            raise NetlistError(f"steps is {self.steps}; use 1 to {MAX_STEPS}")

    @classmethod
    def of(cls, backend: str, *, steps: int, **changed: Any) -> Reading:
        """The reading of a backend, of so many steps; what is ``changed`` is stated in its place.

        Raises:
            NetlistError: if there is no such backend, or a field is none of its values.
        """
        return cls(**{**_backend(backend).preset, "steps": steps, **changed})

    @classmethod
    def parse(cls, text: str) -> Reading:
        """The reading that a text states: fields after the name of a backend, if there is one.

        Such as ``snntorch,steps=2,dt=1e-3`` or, in full, ``constants=equations,strict=yes,reset=zero,
        start=zero,dt=1e-4,order=leak add fire,arithmetic=exact,steps=1``.

        Raises:
            NetlistError: if a field is missing, unknown, or none of its values.
        """
        first, *rest = text.split(",")
        fully = "=" in first
        stated = [
            tuple(map(str.strip, part.partition("=")[::2]))
            for part in (first if fully else f"constants={first}", *rest)
        ]
        given: dict[str, str] = dict(stated)  # type: ignore[arg-type] # pairs, all of them
        if len(given) < len(stated):
            raise NetlistError(f"{text!r} states something twice; leave one")
        known = {field.name for field in fields(cls)}
        if unknown := given.keys() - known:
            raise NetlistError(f"{min(unknown)!r} is nothing to state; use {', '.join(sorted(known))}")
        preset = {} if fully else _backend(given["constants"]).preset
        values = {**preset} | {name: _parsed(name, value) for name, value in given.items()}
        if missing := known - values.keys():
            raise NetlistError(
                f"nothing is stated about {', '.join(sorted(missing))}; add "
                f"{','.join(f'{name}=...' for name in sorted(missing))}"
            )
        return cls(**values)

    def neurons(self, node: Any, shape: tuple[int, ...]) -> list[Constants]:
        """The constants of a node's neurons, in order.

        Args:
            shape: of what drives it.

        Raises:
            NetlistError: if the backend takes no such node, or a parameter is none or of another shape.
        """
        kind = type(node).__name__
        for name in PARAMETERS.get(kind, ()):
            exact_values(getattr(node, name), f"{name} of {kind}", shape)
        makers: Mapping[str, Callable[[Any, Reading], dict[str, Any]]] = (
            EQUATIONS if self.constants == "equations" else BACKENDS[self.constants].constants
        )
        if kind not in makers:
            raise NetlistError(
                f"{self.constants} has no {kind}; use {', '.join(makers)}, or state constants=equations"
            )
        with np.errstate(all="ignore"):  # what comes of it is refused as no finite number
            made = makers[kind](node, self)
        synapse = made.pop("synapse", None)
        at = {"zero": 0, "subtract": 0, "v_leak": made.pop("v_leak", 0), "v_reset": made.pop("v_reset", 0)}
        neurons = _rows({**made, "reset": at[self.reset], "start": at[self.start]}, shape)
        synapses = [Synapse(**row) for row in _rows(synapse, shape)] if synapse else [None] * len(neurons)
        return [Constants(**row, synapse=each) for row, each in zip(neurons, synapses, strict=True)]

    def __str__(self) -> str:
        fires = "above" if self.strict else "at and above"
        after = "the threshold is subtracted" if self.reset == "subtract" else f"it is reset to {self.reset}"
        whose = (
            "Euler's method on NIR's equations"
            if self.constants == "equations"
            else BACKENDS[self.constants].described
        )
        rounding = "of real numbers" if self.arithmetic == "exact" else f"in {self.arithmetic}, exact there"
        return (
            f"{self.steps} time step{'s' * (self.steps > 1)} of dt = {self.dt} from {self.start}, "
            f"in the order {self.order}; a neuron fires {fires} its threshold, then {after}; constants by "
            f"{whose}; arithmetic {rounding}"
        )


def _parsed(name: str, text: str) -> Any:
    if name == "strict":
        return {"yes": True, "no": False}.get(text, text)
    if name == "steps" and text.isascii() and text.isdigit() and len(text) < 10:
        return int(text)
    return text


def _rows(columns: Mapping[str, Any], shape: tuple[int, ...]) -> list[dict[str, Any]]:
    """The values of each place of the shape by name, exactly."""
    exact = [exact_values(value, name, shape) for name, value in columns.items()]
    return [dict(zip(columns, row, strict=True)) for row in zip(*exact, strict=True)]


def exact_values(value: Any, name: str, shape: tuple[int, ...]) -> list[Weight]:
    """The numbers of an array, in order; of a single number, that for each place of the shape.

    Raises:
        NetlistError: if it has another shape, or holds what is no finite number.
    """
    array = np.asarray(value)
    if array.dtype.kind not in "fiuO":
        raise NetlistError(f"{name} holds {array.dtype}; use real numbers")
    if array.size != 1 and array.shape != shape:
        raise NetlistError(f"{name} has shape {array.shape} where its neurons have {shape}; give one each")
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
        raise NetlistError(f"a time constant is {np.min(tau)}, shorter than dt = {dt}; choose a smaller dt")
    return dt / tau


def _threshold(node: Any, reading: Reading) -> dict[str, Any]:
    return {"threshold": node.threshold}


def _if(node: Any, reading: Reading) -> dict[str, Any]:
    r, v_reset = _parameters(node, "r", "v_reset")
    return {"threshold": node.v_threshold, "gain": r * reading.dt, "v_reset": v_reset}


def _lif(node: Any, reading: Reading) -> dict[str, Any]:
    tau, r, v_leak, v_reset = _parameters(node, "tau", "r", "v_leak", "v_reset")
    part = _fraction_of_time(Fraction(reading.dt), tau)
    return {
        "threshold": node.v_threshold,
        "decay": 1 - part,
        "offset": v_leak * part,
        "gain": r * part,
        "v_leak": v_leak,
        "v_reset": v_reset,
    }


def _cuba_lif(node: Any, reading: Reading) -> dict[str, Any]:
    tau_syn, tau_mem, r, v_leak, v_reset, w_in = _parameters(
        node, "tau_syn", "tau_mem", "r", "v_leak", "v_reset", "w_in"
    )
    part, part_syn = (_fraction_of_time(Fraction(reading.dt), tau) for tau in (tau_mem, tau_syn))
    return {
        "threshold": node.v_threshold,
        "decay": 1 - part,
        "offset": v_leak * part,
        "gain": r * part,
        "v_leak": v_leak,
        "v_reset": v_reset,
        "synapse": {"decay": 1 - part_syn, "gain": w_in * part_syn},
    }


PARAMETERS = {
    "Threshold": ("threshold",),
    "IF": ("r", "v_threshold", "v_reset"),
    "LIF": ("tau", "r", "v_leak", "v_threshold", "v_reset"),
    "CubaLIF": ("tau_syn", "tau_mem", "r", "v_leak", "v_threshold", "v_reset", "w_in"),
}
"""Of the nodes that are neurons."""

EQUATIONS: Mapping[str, Callable[[Any, Reading], dict[str, Any]]] = MappingProxyType(
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
    _require(threshold >= 0, "snnTorch", "a negative threshold, of which its reset makes another rule")
    return {"threshold": threshold, "v_reset": np.asarray(node.v_reset, np.float32)}


def _snntorch_if(node: Any, reading: Reading) -> dict[str, Any]:
    _require(bool(np.all(np.equal(node.r, 1))), "snnTorch", "an IF with an r that is not 1")
    _require(
        reading.steps == 1,
        "snnTorch",
        "no IF, but reads it as a leak of 0.9 with another reset, which more than one step shows",
    )
    return _snntorch_potentials(node, node.v_threshold)


def _snntorch_lif(node: Any, reading: Reading) -> dict[str, Any]:
    dt = float(reading.dt)
    _require(np.allclose(node.v_leak, 0.0), "snnTorch", "a v_leak that is not 0")
    scale, thresholds = node.r * dt / node.tau, node.v_threshold
    if not np.allclose(scale, 1.0):
        thresholds = thresholds / np.unique(scale)[0]
    return {**_snntorch_potentials(node, thresholds), "decay": _clamped(1 - (dt / node.tau))}


def _snntorch_cuba_lif(node: Any, reading: Reading) -> dict[str, Any]:
    dt = float(reading.dt)
    _require(np.allclose(node.v_leak, 0.0), "snnTorch", "a v_leak that is not 0")
    _require(np.allclose(node.r, node.tau_mem / dt), "snnTorch", "an r that is not tau_mem / dt")
    scale, thresholds = node.w_in * (dt / node.tau_syn), node.v_threshold
    if not np.allclose(scale, 1.0):
        thresholds = thresholds / scale
    return {
        **_snntorch_potentials(node, thresholds),
        "decay": _clamped(1 - (dt / node.tau_mem)),
        "synapse": {"decay": _clamped(1 - (dt / node.tau_syn)), "gain": 1},
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


def _spikingjelly_if(node: Any, reading: Reading) -> dict[str, Any]:
    r = _spikingjelly(node.r, "r")
    _require(_close(r, 1.0 / float(reading.dt)), "SpikingJelly", "an IF with an r that is not 1 / dt")
    return _spikingjelly_rest(node)


def _spikingjelly_lif(node: Any, reading: Reading) -> dict[str, Any]:
    tau = _spikingjelly(node.tau, "tau") / float(reading.dt)
    _require(np.isfinite(tau) and tau > 1.0, "SpikingJelly", "a tau that is not longer than dt")
    r, v_leak = _spikingjelly(node.r, "r"), _spikingjelly(node.v_leak, "v_leak")
    _require(_close(r, 1.0) or _close(r, tau), "SpikingJelly", "an r that is neither 1 nor tau / dt")
    rest = _spikingjelly_rest(node)
    _require(
        _close(v_leak, _spikingjelly(node.v_reset, "v_reset")), "SpikingJelly", "a v_leak other than v_reset"
    )
    part = 1 / Fraction(float(np.float32(tau)))
    return {
        **rest,
        "decay": 1 - part,
        "offset": Fraction(float(rest["v_reset"])) * part,
        "gain": part if _close(r, 1.0) else 1,
    }


def _spikingjelly_cuba_lif(node: Any, reading: Reading) -> dict[str, Any]:
    dt = float(reading.dt)
    tau_syn, tau_mem = (_spikingjelly(getattr(node, name), name) for name in ("tau_syn", "tau_mem"))
    _require(tau_syn >= dt and tau_mem >= dt, "SpikingJelly", "a time constant shorter than dt")
    _require(
        _close(_spikingjelly(node.r, "r"), tau_mem / dt), "SpikingJelly", "an r that is not tau_mem / dt"
    )
    _require(
        _close(_spikingjelly(node.w_in, "w_in"), tau_syn / dt),
        "SpikingJelly",
        "a w_in that is not tau_syn / dt",
    )
    _require(_close(_spikingjelly(node.v_leak, "v_leak"), 0.0), "SpikingJelly", "a v_leak that is not 0")
    return {
        **_spikingjelly_rest(node),
        "decay": np.float32(1.0 - dt / tau_mem),
        "synapse": {"decay": np.float32(1.0 - dt / tau_syn), "gain": 1},
    }


def _norse_part(tau: Any, reading: Reading) -> Any:
    """What of a difference is gone after dt; as fractions."""
    inverse = np.float32(1) / np.asarray(tau, np.float32)
    return _exactly((np.float32(reading.dt) * inverse).tolist())


def _norse_potentials(node: Any) -> dict[str, Any]:
    return {
        "threshold": np.asarray(node.v_threshold, np.float32),
        "v_reset": np.asarray(node.v_reset, np.float32),
    }


def _norse_if(node: Any, reading: Reading) -> dict[str, Any]:
    return _norse_potentials(node)


def _norse_lif(node: Any, reading: Reading) -> dict[str, Any]:
    part = _norse_part(node.tau, reading)
    v_leak = _exactly(np.asarray(node.v_leak, np.float32).tolist())
    return {
        **_norse_potentials(node),
        "decay": 1 - part,
        "offset": v_leak * part,
        "gain": part,
        "v_leak": v_leak,
    }


def _norse_cuba_lif(node: Any, reading: Reading) -> dict[str, Any]:
    part, part_syn = _norse_part(node.tau_mem, reading), _norse_part(node.tau_syn, reading)
    v_leak, r, w_in = (
        _exactly(np.asarray(getattr(node, name), np.float32).tolist()) for name in ("v_leak", "r", "w_in")
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
    constants: Mapping[str, Callable[[Any, Reading], dict[str, Any]]]


def _preset(name: str, *, strict: bool, reset: str, start: str, dt: str) -> Mapping[str, Any]:
    stated = {"constants": name, "strict": strict, "reset": reset, "start": start, "dt": dt}
    return MappingProxyType({**stated, "order": "leak add fire", "arithmetic": "float32"})


BACKENDS: Mapping[str, Backend] = MappingProxyType(
    {
        "snntorch": Backend(
            "snnTorch 1.0.0: decay 1 - dt / tau in the stored type and then float32, and in place of a gain "
            "the threshold divided by r * dt / tau",
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


def _backend(name: str) -> Backend:
    if name not in BACKENDS:
        raise NetlistError(f"{name!r} is no known backend; use one of {', '.join(BACKENDS)}")
    return BACKENDS[name]
