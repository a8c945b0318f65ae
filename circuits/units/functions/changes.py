"""Tables of functions, as circuits read them: where the result changes on the way through all inputs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from spikeproof.circuits.netlist import Bus
from spikeproof.circuits.units.libraries import HALF, GateLibrary

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Table:
    """A function of an unsigned integer.

    Attributes:
        results: unsigned, for each input in order; as many as a power of two.
        width: bits of a result.
    """

    results: Integers
    width: int

    @cached_property
    def places(self) -> Integers:
        """The inputs at which the result is another than before, and 0."""
        return np.concatenate(([0], np.flatnonzero(np.diff(self.results)) + 1))

    @cached_property
    def bits(self) -> Integers:
        """Each bit of the result at each of these places: shape (width, places)."""
        values = self.results[self.places]
        return values >> np.arange(self.width)[:, None] & 1


def at_least(gates: GateLibrary, x: Bus, least: int) -> int:
    """[x >= least], for a positive number: one neuron, which leaves out places that cannot matter."""
    spared = (least & -least).bit_length() - 1
    synapses = ((signal, 1 << place) for place, signal in enumerate(x[spared:]))
    return gates.fires((least >> spared) - HALF, *synapses)
