"""How neurons of NIR are read in time steps: what a graph leaves open, and must be stated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from fractions import Fraction
from typing import Any

import numpy as np

from spikeproof.circuits.doors.nir_backends import (
    BACKENDS,
    EQUATIONS,
    PARAMETERS,
    Backend,
    exact_values,
)
from spikeproof.circuits.netlist import NetlistError, Weight, exact_weight

ORDERS = (
    "leak add fire",
    "leak fire add",
    "add leak fire",
    "add fire leak",
    "fire leak add",
    "fire add leak",
)
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
    """What must be stated of a graph of NIR before it is a circuit: no field has a default.

    Attributes:
        constants: whose decays, gains and thresholds: ``equations`` takes those of NIR by Euler's
            method, exactly; the name of a backend (``BACKENDS``) takes what that computes, rounding
            included.
        strict: fires only above the threshold, not at it.
        reset: after a spike ``subtract`` the threshold, or go to ``zero`` or the graph's ``v_reset``.
        start: the potential before the first step: ``zero``, or the graph's ``v_leak`` or ``v_reset``.
        dt: a time step, in the unit of the graph's time constants; a float is taken for its decimal.
        order: of what happens in a step, such as ``leak add fire``; firing includes the reset.
        arithmetic: ``exact``, of real numbers; ``float32`` or ``float64``: sums that it could round are
            refused.
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
        makers = EQUATIONS if self.constants == "equations" else BACKENDS[self.constants].constants
        if kind not in makers:
            raise NetlistError(
                f"{self.constants} has no {kind}; use {', '.join(makers)}, or state constants=equations"
            )
        with np.errstate(all="ignore"):  # what comes of it is refused as no finite number
            made = makers[kind](node, Fraction(self.dt), self.steps)
        synapse = made.pop("synapse", None)
        at = {
            "zero": 0,
            "subtract": 0,
            "v_leak": made.pop("v_leak", 0),
            "v_reset": made.pop("v_reset", 0),
        }
        neurons = _rows({**made, "reset": at[self.reset], "start": at[self.start]}, shape)
        synapses = (
            [Synapse(**row) for row in _rows(synapse, shape)] if synapse else [None] * len(neurons)
        )
        return [Constants(**row, synapse=each) for row, each in zip(neurons, synapses, strict=True)]

    def __str__(self) -> str:
        fires = "above" if self.strict else "at and above"
        after = (
            "the threshold is subtracted" if self.reset == "subtract" else f"it is reset to {self.reset}"
        )
        whose = (
            "Euler's method on NIR's equations"
            if self.constants == "equations"
            else BACKENDS[self.constants].described
        )
        rounding = (
            "of real numbers" if self.arithmetic == "exact" else f"in {self.arithmetic}, exact there"
        )
        return (
            f"{self.steps} time step{'s' * (self.steps > 1)} of dt = {self.dt} from {self.start}, "
            f"in the order {self.order}; a neuron fires {fires} its threshold, then {after}; constants "
            f"by {whose}; arithmetic {rounding}"
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


def _backend(name: str) -> Backend:
    if name not in BACKENDS:
        raise NetlistError(f"{name!r} is no known backend; use one of {', '.join(BACKENDS)}")
    return BACKENDS[name]
