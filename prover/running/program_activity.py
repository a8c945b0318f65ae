"""How many spikes a program takes on given arrays: estimated from instances that are drawn of every
step.

Each step of the program is a stratum: some of its instances are drawn evenly, with their operands
as they are in this run, and simulated by the unit's neurons. What is said is the sum over steps of
instances times the mean of those that were drawn, with a standard error from the spread among all
of a unit's.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikeproof.circuits.meanings.activity import activity
from spikeproof.circuits.programs.running import given_codes
from spikeproof.prover.claims.programs import unit_named
from spikeproof.prover.running.programs import Machine
from spikeproof.specs.programs import Codes, Each, Meaning, Module, evaluate

DRAWN = 4
"""Instances of a step that are simulated, if it has so many."""


@dataclass(frozen=True)
class Estimate:
    """A number that was not counted whole.

    Attributes:
        mean: what is expected.
        error: its standard error.
    """

    mean: float
    error: float


@dataclass(frozen=True)
class Spent:
    """What a run of a program takes.

    Attributes:
        spikes: of neurons; input bits are none.
        operations: arrivals of spikes at synapses.
    """

    spikes: Estimate
    operations: Estimate


class _Drawing(Meaning):
    """The machine's arithmetic, of which some operands are kept: rows, each for so many instances."""

    def __init__(self, seed: int) -> None:
        self.machine, self.random = Machine(), np.random.default_rng(seed)
        self.rows: dict[str, list[NDArray[np.uint64]]] = defaultdict(list)
        self.weights: dict[str, list[float]] = defaultdict(list)

    def each(self, step: Each, operands: Sequence[Codes]) -> Codes:
        """As the machine does it."""
        count = operands[0].size
        places = self.random.choice(count, min(count, DRAWN), replace=False, shuffle=False)
        for place in places:
            where = np.unravel_index(place, operands[0].shape)
            self.rows[step.operation].append(np.array([each[where] for each in operands], np.uint64))
            self.weights[step.operation].append(count / len(places))
        return self.machine.each(step, operands)


def spent(program: Module, inputs: Mapping[str, Codes], seed: int = 0) -> Spent:
    """What a program of units takes on given arrays of codes.

    Raises:
        ProgramError: if an array is not what the program takes.
        StatementError: naming an operation of which there is no theorem.
    """
    drawing = _Drawing(seed)
    evaluate(program, given_codes(program, inputs), drawing)
    counts: dict[str, list[tuple[float, float]]] = {"spikes": [], "operations": []}
    for name, rows in drawing.rows.items():
        netlist, weights = unit_named(name).netlist, np.array(drawing.weights[name])
        columns = dict(zip(netlist.inputs, np.array(rows).T, strict=True))
        batches = list(activity(netlist, columns))
        for what, found in counts.items():
            taken = np.concatenate([getattr(each, what) for each in batches])
            found.append((float(taken @ weights), float(taken.var() * (weights @ weights))))
    return Spent(*(_sum(found) for found in counts.values()))


def _sum(found: Sequence[tuple[float, float]]) -> Estimate:
    """Of means and variances."""
    return Estimate(sum(mean for mean, _ in found), math.sqrt(sum(variance for _, variance in found)))
