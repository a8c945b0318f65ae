"""How large a program of units is, by arithmetic over its modules: nothing is built to be counted.

Depth is the longest path in neurons, through units that take their depth from any operand to the result.
It is found for each element of a module's arrays. What is called counts by its longest path from each of
its inputs to each of its outputs, and so as if all elements of an operand came with the last of them:
where they do, depth is exact for such units, else it is never less. A circuit of the same neurons may
have a shorter longest path, since some bits of a result are there before others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from math import prod

import numpy as np

from spikeproof.circuits.netlist import Statistics
from spikeproof.circuits.programs.units import every_module, operations
from spikeproof.specs.programs import (
    Call,
    Codes,
    Each,
    Meaning,
    Module,
    ProgramError,
    Shape,
    evaluate,
)

NEVER = -(1 << 60)
"""When something arrives that does not depend on what is asked about."""


@dataclass(frozen=True)
class Size:
    """How large a program is.

    Attributes:
        instances: how many there are of each unit, by name.
        neurons, synapses: of all of them. Bits of constants are none; see ``flattening``.
        depth: of the longest path, in neurons.
    """

    instances: Mapping[str, int]
    neurons: int
    synapses: int
    depth: int


def size(program: Module, units: Mapping[str, Statistics]) -> Size:
    """The size of a program of such units.

    Raises:
        ProgramError: naming an operation that has no unit.
    """
    for step, _ in operations(program):
        if step.operation not in units:
            raise ProgramError(f"{program.name}: there is no unit {step.operation}")
    count = instances(program)
    depths = {name: unit.depth for name, unit in units.items()}
    return Size(
        dict(count),
        sum(number * units[name].neurons for name, number in count.items()),
        sum(number * units[name].synapses for name, number in count.items()),
        int(delays(program, depths)[program.digest].max(initial=0)),
    )


def instances(program: Module) -> Counter[str]:
    """How often each operation is done, by name."""
    counts: dict[str, Counter[str]] = {}
    for module in every_module(program):
        count: Counter[str] = Counter()
        for step, made in zip(module.steps, module.made, strict=True):
            if isinstance(step, Each):
                count[step.operation] += prod(module.arrays[made.start].shape)
            elif isinstance(step, Call):
                times = prod(step.over)
                for name, number in counts[step.module.digest].items():
                    count[name] += times * number
        counts[module.digest] = +count
    return counts[program.digest]


def delays(program: Module, depths: Mapping[str, int]) -> dict[str, Codes]:
    """The longest paths in every module, by digest: to each output, from each input and from constants.

    Args:
        depths: of units, by name.

    Returns:
        Arrays of shape (inputs + 1, outputs), negative where there is no path.
    """
    found: dict[str, Codes] = {}
    for module in every_module(program):
        # From what a path begins, stands along the one leading axis: each input, and last constants.
        beginnings = np.where(np.eye(len(module.inputs) + 1, dtype=bool), 0, NEVER)
        *inputs, constants = beginnings
        given = [
            _repeated(begins, array.shape)
            for begins, array in zip(inputs, module.inputs.values(), strict=True)
        ]
        arrivals = evaluate(module, given, _Arrivals(depths, found, constants), constants.shape)
        found[module.digest] = np.stack([_latest(each, 1) for each in arrivals], axis=1)
    return found


class _Arrivals(Meaning):
    """After how many neurons elements arrive; along the first axis by what a path begins from.

    Elements that are known to be alike are one, of stride 0: so arrays may be as large as they like.

    Args:
        depths: of units.
        called: the longest paths of modules that are called, by digest.
        constants: when constants arrive.
    """

    def __init__(self, depths: Mapping[str, int], called: Mapping[str, Codes], constants: Codes) -> None:
        self.depths, self.called, self.constants = depths, called, constants

    def each(self, step: Each, operands: Sequence[Codes]) -> Codes:
        """After the last operand, and as much later as the unit is deep."""
        latest = reduce(np.maximum, map(_distinct, operands)) + self.depths[step.operation]
        return np.broadcast_to(latest, operands[0].shape)

    def constant(self, codes: Codes) -> Codes:
        """At once, but for paths that begin from inputs."""
        return _repeated(self.constants, codes.shape)

    def call(self, step: Call, operands: Sequence[Codes], over: Shape) -> Sequence[Codes]:
        """After the longest path from any operand, or from a constant inside."""
        axes = over + step.over
        operands_arrive = [_latest(each, len(axes)) for each in operands]
        inside_arrive = self.constants.reshape(-1, *(1,) * len(step.over))
        results = []
        for paths, array in zip(
            self.called[step.module.digest].T, step.module.results.values(), strict=True
        ):
            pairs = zip((*operands_arrive, inside_arrive), paths, strict=True)
            latest = reduce(np.maximum, (begins + path for begins, path in pairs))
            results.append(_repeated(np.broadcast_to(np.maximum(latest, NEVER), axes), array.shape))
        return results


def _distinct(arrivals: Codes) -> Codes:
    """One of each axis along which all elements are one."""
    return arrivals[tuple(slice(None) if stride else slice(1) for stride in arrivals.strides)]


def _latest(arrivals: Codes, axes: int) -> Codes:
    """The last element at each place of so many leading axes."""
    inner = tuple(range(axes, arrivals.ndim))
    latest: Codes = _distinct(arrivals).max(axis=inner, initial=NEVER)
    return latest


def _repeated(arrivals: Codes, shape: Shape) -> Codes:
    """The same for all elements of inner axes."""
    alike = arrivals.reshape(arrivals.shape + (1,) * len(shape))
    return np.broadcast_to(alike, arrivals.shape + shape)
