"""What a foreign spiking layer does in one time step, found by probing it alone.

Whole inputs need not show it: few of them bring a neuron to just its threshold. A layer by itself can be
driven at will.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spikeproof.circuits.netlist import NetlistError

if TYPE_CHECKING:
    import torch

MIXED_ROWS = 1024
"""Rows of drives that are drawn at random, half of them from those at thresholds and ends of ranges."""

NEAREST = 8
"""How many of a neuron's drives are where rules differ most; those are drawn again, and mixed."""

SIGNIFICAND = 53
"""Bits of the widest type: no two sums are more units apart than these count."""

RESETS = ("reset", "reset_mem")
"""Methods by which layers return to rest, in SpikingJelly and in snnTorch."""
POTENTIALS = ("v", "mem")
"""What they call the membrane potential."""


@dataclass(frozen=True)
class Sums:
    """What may drive a neuron: multiples of ``unit``, from ``lowest`` to ``highest``."""

    unit: Fraction
    lowest: Fraction
    highest: Fraction

    def beyond(self, threshold: Fraction | int) -> Fraction:
        """The least multiple of the unit above a threshold."""
        return (math.floor(threshold / self.unit) + 1) * self.unit

    def corners(self, threshold: Fraction | int) -> list[float]:
        """Where rules differ; of what lies beyond an end of the range, that end.

        First come the ``NEAREST``: both ends, 0, a threshold, one and half a unit beside it. Half a unit
        is no sum, but tells rules apart. Then 2, 4, 8, ... units beside it.
        """
        below, beyond = (math.ceil(threshold / self.unit) - 1) * self.unit, self.beyond(threshold)
        half = self.unit / 2
        near = [below, threshold - half, threshold, threshold + half, beyond, 0]
        steps = [self.unit * (2**power - 1) for power in range(1, SIGNIFICAND)]
        far = [drive for step in steps for drive in (below - step, beyond + step)]
        within = (min(max(drive, self.lowest), self.highest) for drive in near + far)
        return [float(drive) for drive in (self.lowest, self.highest, *within)]


@dataclass(frozen=True)
class Probes:
    """Drives of a layer, a row for each probe and a column for each neuron.

    Attributes:
        corners: so many rows come first in which all neurons have the same one of ``Sums.corners``.
        like: a tensor of the type and on the device that the layer is driven with.
    """

    drives: NDArray[np.float64]
    corners: int
    threshold: float
    like: torch.Tensor

    @classmethod
    def of(cls, sums: Sequence[Sums], threshold: Fraction | int, like: torch.Tensor) -> Probes:
        """Corners, mixed with each other and with random drives between the ends."""
        import torch

        corners = np.array([each.corners(threshold) for each in sums]).T
        lowest, highest = corners[:2]
        unit = np.array([float(each.unit) for each in sums])
        steps = np.array([int((each.highest - each.lowest) / each.unit) for each in sums])
        generator, shape = np.random.default_rng(0), (MIXED_ROWS, len(sums))
        between = np.clip(lowest + unit * generator.integers(steps + 1, size=shape), lowest, highest)
        mixed = np.take_along_axis(corners, generator.integers(NEAREST, size=shape), axis=0)
        rows = np.where(generator.integers(2, size=shape) > 0, between, mixed)
        corners = np.unique(corners, axis=0)
        drives = torch.from_numpy(np.vstack([corners, rows])).to(like.dtype).double().numpy()
        return cls(drives, len(corners), float(threshold), like)

    def rule(self, layer: torch.nn.Module, *, alone: bool = False) -> bool | None:
        """Whether a layer fires only above its threshold; None if it fires by another rule.

        Args:
            alone: put the first rows to copies of the layer, each alone.

        Raises:
            NetlistError: if the layer fails, or answers with anything but spikes.
        """
        drives = self.drives[: self.corners] if alone else self.drives
        if alone:
            fired = np.vstack([self.spikes(copied(layer), row[None]) for row in drives])
        else:
            fired = self.spikes(copied(layer), drives)
        by_rule = {False: drives >= self.threshold, True: drives > self.threshold}
        return next((strict for strict, said in by_rule.items() if np.array_equal(fired, said)), None)

    def spikes(
        self, layer: torch.nn.Module, drives: NDArray[np.float64] | None = None
    ) -> NDArray[np.bool_]:
        """Drive a layer for one step, by default with all drives: see ``spikes``."""
        given = self.drives if drives is None else drives
        return spikes(layer, given, given.shape[1], self.like)


def spikes(
    module: torch.nn.Module, inputs: NDArray[Any], width: int, like: torch.Tensor
) -> NDArray[np.bool_]:
    """Run a module for one step, which may change it; which of so many neurons fire for each row.

    Raises:
        NetlistError: if it fails, or answers with anything but a spike or none for each neuron.
    """
    import torch

    name = type(module).__name__
    with failing(name), torch.no_grad():
        given: Any = module(torch.from_numpy(inputs.copy()).to(like))  # which it may overwrite
    if not isinstance(given, torch.Tensor):
        raise NetlistError(
            f"{name} returns a {type(given).__name__}, not its spikes alone; "
            "wrap it so that it does, in snnTorch with init_hidden=True, output=False"
        )
    found: NDArray[Any] = given.detach().double().cpu().numpy()
    if found.shape != (len(inputs), width):
        raise NetlistError(
            f"{name} answers {len(inputs)} rows for {width} neurons with a tensor of shape "
            f"{list(found.shape)}; use a layer that gives one spike for each drive"
        )
    if not np.isin(found, (0, 1)).all():
        raise NetlistError(f"{name} returns other numbers than 0 and 1; use a layer that spikes")
    fired: NDArray[np.bool_] = found == 1
    return fired


@contextmanager
def failing(name: str) -> Iterator[None]:
    """Whatever foreign code raises, in one line."""
    try:
        yield
    except Exception as error:
        said = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise NetlistError(f"{name} fails: {said}; mend it, or leave it out") from None


def copied(module: torch.nn.Module) -> torch.nn.Module:
    """A deep copy. What a module keeps of an earlier run is copied too, without how it came about.

    Raises:
        NetlistError: if the module cannot be copied.
    """
    import torch
    from torch.overrides import TorchFunctionMode

    class Detaching(TorchFunctionMode):  # PyTorch itself refuses to copy a tensor that was computed
        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            if func is torch.Tensor.__deepcopy__ and not args[0].is_leaf:
                return args[0].detach().clone()
            return func(*args, **(kwargs or {}))

    with failing(f"copying {type(module).__name__}"), Detaching():
        return copy.deepcopy(module)


def fires_only_above(layer: torch.nn.Module, probes: Probes) -> bool:
    """Whether a layer fires iff its drive exceeds its threshold, or else iff the drive reaches it.

    Asked in every state it may begin in: as it is and reset, after it has fired or not, in training and
    in evaluation; of batches and of single rows.

    Raises:
        NetlistError: if it does neither throughout; one line that says what it does instead.
    """
    rules = {_rule(state, probes) for state in _beginnings(layer, probes)}
    if len(rules) > 1:
        raise NetlistError(
            f"{type(layer).__name__} fires at its threshold in some states (training, evaluation, "
            "reset) and not in others; make it do one of them"
        )
    return rules.pop()


def keeps_charge(layer: torch.nn.Module, probes: Probes) -> bool:
    """Whether a layer that obeys a rule is seen to obey it no longer when it is driven a second time."""
    used = copied(layer)
    probes.spikes(used, np.roll(probes.drives, 1, axis=0))
    return probes.rule(used) is None


def _beginnings(layer: torch.nn.Module, probes: Probes) -> Iterator[torch.nn.Module]:
    for training in (layer.training, not layer.training):
        given = copied(layer).train(training)
        yield given
        if rested := _reset(given):
            yield rested
            used = copied(rested)
            probes.spikes(used)
            yield _reset(used) or used


def _reset(layer: torch.nn.Module) -> torch.nn.Module | None:
    """A copy at rest; None if the layer has no way to get there."""
    rested = copied(layer)
    resets = [getattr(part, name) for part in rested.modules() for name in RESETS if hasattr(part, name)]
    with failing(f"resetting {type(layer).__name__}"):
        for reset in resets:
            reset()
    return rested if resets else None


def _rule(layer: torch.nn.Module, probes: Probes) -> bool:
    """Whether a layer in the state that it is in fires only above its threshold.

    Raises:
        NetlistError: if there is no such rule, or rows of a batch influence each other.
    """
    problem = ""
    try:
        found = [probes.rule(layer), probes.rule(layer, alone=True)]
    except NetlistError as error:
        found, problem = [None, None], str(error)
    if found[0] is not None and found[0] == found[1]:
        return found[0]
    raise NetlistError(_cause(layer, probes, found) or problem or _departure(layer, probes))


def _cause(layer: torch.nn.Module, probes: Probes, found: Sequence[bool | None]) -> str:
    """Why a layer obeys no rule, if that can be told."""
    name, rested = type(layer).__name__, _reset(layer)
    if rested and _obeys(rested, probes):
        return (
            f"{name} has charge left over from before; reset it first, "
            "in SpikingJelly with functional.reset_net(module)"
        )
    if found != [None, None]:
        return (
            f"{name} lets one row of a batch influence another, as a layer does in multi-step mode; "
            "use single-step mode, in SpikingJelly step_mode='s'"
        )
    if _has_potential(rested or layer):
        return (
            f"{name} starts from another membrane potential than 0; set that to 0, "
            "in SpikingJelly with v_reset=0.0 or None, or lower the threshold instead"
        )
    return ""


def _obeys(layer: torch.nn.Module, probes: Probes) -> bool:
    try:
        return probes.rule(layer) is not None
    except NetlistError:
        return False


def _has_potential(layer: torch.nn.Module) -> bool:
    import torch

    potentials = (getattr(part, name, None) for part in layer.modules() for name in POTENTIALS)
    numbers = (each for each in potentials if isinstance(each, int | float | torch.Tensor))
    return any(bool(torch.as_tensor(number).ne(0).any()) for number in numbers)


def _departure(layer: torch.nn.Module, probes: Probes) -> str:
    """What a layer does other than to fire iff its drive reaches or exceeds its threshold."""
    name, threshold = type(layer).__name__, probes.threshold
    fired = probes.spikes(copied(layer))
    apart = probes.drives != threshold
    wrong = np.argwhere((fired != (probes.drives >= threshold)) & apart)
    if not len(wrong):
        return (
            f"{name} fires at its threshold of {threshold} sometimes or in some neurons only; "
            "make all of them fire there, or none"
        )
    row, column = wrong[0]
    return (
        f"{name} does not fire iff W.x + b >= v_threshold: neuron {column}, driven with "
        f"{probes.drives[row, column]}, {'fires' if fired[row, column] else 'does not fire'} where "
        f"the threshold is {threshold}; use a layer that takes in its whole drive, without leak"
    )
