"""Brightness of pixels as spikes over time, as ``specs.codings`` defines it, of many images at once."""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import shake_256
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeproof.specs.networks import NetworkError, Spikes

MOST_STEPS = 1000

CODING = re.compile(r"(rows)|(latency|even):(\d{1,4})|(rate):(\d{1,4}):(\d{1,18})")


@dataclass(frozen=True)
class Coding:
    """How an image becomes spikes.

    Attributes:
        name: ``rows``: a row in each step, of the pixels that are bright enough; ``latency``: one spike
            of each pixel, the sooner the brighter; ``even``: the more the brighter, as evenly as can be;
            ``rate``: the more the brighter, by chance.
        steps: how many, unless by rows.
        seed: of chance.
    """

    name: str
    steps: int = 0
    seed: int = 0

    @classmethod
    def parse(cls, text: str) -> Coding:
        """That of ``rows``, ``latency:STEPS``, ``even:STEPS`` or ``rate:STEPS:SEED``.

        Raises:
            NetworkError: if it is none of these, or of too many steps.
        """
        found = CODING.fullmatch(text)
        if not found:
            raise NetworkError(
                f"{text!r} is no coding; use rows, latency:STEPS, even:STEPS or rate:STEPS:SEED"
            )
        rows, certain, shown, rate, drawn, seed = found.groups()
        if rows:
            return cls(rows)
        steps = int(shown or drawn)
        if not 1 <= steps <= MOST_STEPS:
            raise NetworkError(f"a coding takes 1 to {MOST_STEPS:,} steps, not {steps}")
        return cls(certain or rate, steps, int(seed or 0))


def by_latency(pixels: NDArray[np.int64], largest: int, steps: int) -> Spikes:
    """Of pixels of shape (images, pixels): spikes of shape (images, steps, pixels)."""
    moments = (largest - pixels) * (steps - 1) // largest
    return np.asarray(np.arange(steps)[:, np.newaxis] == moments[:, np.newaxis])


def evenly(pixels: NDArray[np.int64], largest: int, steps: int) -> Spikes:
    """Of pixels of shape (images, pixels): spikes of shape (images, steps, pixels)."""
    so_far = np.arange(steps + 1)[:, np.newaxis] * pixels[:, np.newaxis] // largest
    return np.asarray(np.diff(so_far, axis=1) > 0)


def by_rate(pixels: NDArray[np.int64], largest: int, steps: int, seed: int) -> Spikes:
    """Of pixels of shape (images, pixels): spikes of shape (images, steps, pixels)."""
    count = pixels.shape[1]
    stream = shake_256(f"{seed}".encode()).digest(2 * steps * count)
    chance: Any = np.frombuffer(stream, "<u2").astype(np.int64).reshape(steps, count)
    return np.asarray(chance * largest < (pixels << 16)[:, np.newaxis])
