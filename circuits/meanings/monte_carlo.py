"""How often a noisy circuit errs: membrane simulations of many samples, in bounded memory, on all cores.

The samples are numbered and taken in groups of a fixed size; the noise of a group depends on the seed
and on the group's number alone. So the outcome is the same whatever is simulated at a time, on how many
cores, and in which order; and a longer run begins with the samples of a shorter one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import reduce
from operator import add

import numpy as np
import torch
from numpy.typing import NDArray

from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.meanings.bitsliced import BitSlicedSimulator, cores
from spikeproof.circuits.meanings.boolean import Words
from spikeproof.circuits.meanings.membrane import GROUP, Membrane, MembraneSimulator, chance
from spikeproof.circuits.netlist import Netlist

Draw = Callable[[np.random.Generator, int], Mapping[str, Words]]
"""From a source of chance and a number of samples, as many values of each input bus."""


@dataclass(frozen=True)
class Errors:
    """What came of some samples.

    Attributes:
        samples: how many there were.
        wrong: how many had any output bit other than without noise.
        wrong_bits: of these, for each output bus and bit, least significant first, how many it was.
    """

    samples: int
    wrong: int
    wrong_bits: Mapping[str, tuple[int, ...]]

    @property
    def rate(self) -> float:
        """The share of wrong samples."""
        return self.wrong / self.samples

    def __add__(self, other: Errors) -> Errors:
        bits = {
            name: tuple(map(sum, zip(counts, other.wrong_bits[name], strict=True)))
            for name, counts in self.wrong_bits.items()
        }
        return Errors(self.samples + other.samples, self.wrong + other.wrong, bits)


def uniform(netlist: Netlist) -> Draw:
    """Inputs of which every bit is 0 or 1 with the same probability."""

    def draw(source: np.random.Generator, count: int) -> dict[str, Words]:
        return {
            name: boolean.pack_words(source.integers(0, 2, (width, count)).astype(bool))
            for name, width in netlist.inputs.items()
        }

    return draw


def errors(
    netlist: Netlist,
    membrane: Membrane,
    samples: int,
    seed: int = 0,
    draw: Draw | None = None,
    threads: int | None = None,
) -> Errors:
    """How many of so many samples err, each an evaluation from rest on inputs of its own.

    Args:
        draw: the inputs; by default ``uniform``.
        threads: how many to use; None for one on each core. No more groups than that are in memory.

    Raises:
        ValueError: if potentials are to be kept, since samples would then depend on each other; if there
            are no samples; or if a weight is not exact in float64.
    """
    if not membrane.clear:
        raise ValueError("samples must not depend on each other; use a membrane that is cleared")
    if samples < 1:
        raise ValueError(f"{samples} samples show nothing; ask for at least 1")
    group = _Group(netlist, membrane, seed, draw or uniform(netlist))

    def part(start: int) -> Errors:
        return group.errors(start // GROUP, min(GROUP, samples - start))

    with ThreadPoolExecutor(threads or cores()) as pool:
        return reduce(add, pool.map(part, range(0, samples, GROUP)))


class _Group:
    """Simulates any group of samples."""

    def __init__(self, netlist: Netlist, membrane: Membrane, seed: int, draw: Draw) -> None:
        self._netlist = netlist
        self._noisy = MembraneSimulator(netlist, membrane, threads=1)
        self._exact = BitSlicedSimulator(netlist, threads=1)
        self._seed = seed
        self._draw = draw

    def errors(self, number: int, count: int) -> Errors:
        """The errors among the first so many samples of a group; all of the group are simulated."""
        drawn = chance(self._seed, number)
        inputs = self._draw(drawn, GROUP)
        bits = {
            name: torch.from_numpy(boolean.unpack_words(words, self._netlist.inputs[name]))
            for name, words in inputs.items()
        }
        noisy = self._noisy.with_seed(int(drawn.integers(1 << 63)))
        found, meant = noisy.evaluate(bits), self._exact.evaluate(inputs)
        differing: dict[str, NDArray[np.bool_]] = {
            name: (bus.numpy() != boolean.unpack_words(meant[name], len(bus)))[:, :count]
            for name, bus in found.items()
        }
        wrong = np.any(np.concatenate(list(differing.values())), axis=0)
        counts = {name: tuple(rows.sum(axis=1).tolist()) for name, rows in differing.items()}
        return Errors(count, int(wrong.sum()), counts)
