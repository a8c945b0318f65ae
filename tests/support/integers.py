"""Integers drawn by class: ends of the range, powers of two and their neighbours, runs of ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spikeproof.specs.formats import Integer


def many_integers(integer: Integer, count: int, seed: int) -> NDArray[np.uint64]:
    """Codes of an integer of up to 64 bits, from a seeded generator: half of them negative if signed."""
    rng = np.random.default_rng(seed)
    length = rng.integers(0, integer.width + 1, count)
    top = (1 << np.minimum(length, 63).astype(np.uint64)) - np.uint64(1)
    ones = np.where(length == 64, np.uint64((1 << 64) - 1), top)
    low = rng.integers(0, 1 << 64, count, dtype=np.uint64)
    dropped = rng.integers(0, 64, count).astype(np.uint64)
    kind = rng.integers(0, 5, count)
    magnitude = np.select(
        [kind == 0, kind == 1, kind == 2, kind == 3],
        [
            ones,
            ones - (ones >> np.uint64(1)),
            ones & (ones << dropped),
            (ones - (ones >> np.uint64(1))) ^ (low & np.uint64(3)),
        ],
        low & ones,
    )
    mask = np.uint64((1 << integer.width) - 1)
    negated = rng.integers(0, 2, count, dtype=np.uint64) * np.uint64((1 << 64) - 1)
    return (magnitude ^ negated) & mask
