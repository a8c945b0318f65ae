"""Recordings of sound as spikes, in integer arithmetic: the same spikes on every machine.

A bank of filters gives the energy of each band of frequencies in each time step; a spike says that it is
at least a stated part of the largest energy of any band so far. Nothing looks ahead: what is spiked in a
step depends on that step's samples and on earlier ones.
"""

from __future__ import annotations

import wave
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikeproof.circuits.doors.images import Images
from spikeproof.specs.networks import NetworkError, Spikes

Samples = NDArray[np.int64]

COSINE_BITS = 10
"""Windowed cosines and sines are rounded to this many bits after the point,"""
TRIANGLE_BITS = 4
"""and how much a frequency counts in a band to this many."""


@dataclass(frozen=True)
class FilterBank:
    """How samples become spikes.

    Attributes:
        rate: samples a second.
        hop: samples that a time step brings.
        window: the latest samples that a step's energies are of, weighted by a squared sine.
        lowest: in Hz: bands are triangles, evenly spaced on the mel scale from here
        highest: to here.
        levels: k, for a spike where an energy is at least 2^-k of the largest so far; each level has as
            many inputs as there are bands.
        floor: what the largest energy counts as while it is smaller, so that silence is silent.

    Raises:
        NetworkError: on construction, if energies times 2^k could need more than 63 bits.
    """

    rate: int = 8000
    hop: int = 160
    window: int = 256
    bands: int = 32
    lowest: int = 100
    highest: int = 3900
    levels: tuple[int, ...] = (0, 2, 4, 6, 8)
    floor: int = 1 << 24

    def __post_init__(self) -> None:
        most = 2 ** (2 * 15) * (self.window // 2) ** 2 * max(self._triangles.sum(0).tolist())
        if not 0 <= min(self.levels) <= max(self.levels) < 63 - most.bit_length():
            raise NetworkError(f"levels must be from 0 to {62 - most.bit_length()}, not {self.levels}")

    @property
    def inputs(self) -> int:
        """How many bits there are in a step: level by level, the lowest band first."""
        return self.bands * len(self.levels)

    @cached_property
    def _waves(self) -> NDArray[np.float64]:
        """Windowed cosines, then sines, of every frequency between 0 and the highest."""
        time = np.arange(self.window)
        turned = 2 * np.pi * np.outer(time, np.arange(1, self.window // 2)) / self.window
        shape = np.sin(np.pi * (time + 0.5) / self.window) ** 2
        waves = shape[:, np.newaxis] * np.hstack([np.cos(turned), np.sin(turned)])
        rounded: NDArray[np.float64] = np.rint(waves * 2**COSINE_BITS)
        return rounded

    @cached_property
    def _triangles(self) -> NDArray[np.int64]:
        """How much each frequency counts in each band: (frequencies, bands)."""
        low, high = 2595 * np.log10(1 + np.array([self.lowest, self.highest]) / 700)
        edges = 700 * (10 ** (np.linspace(low, high, self.bands + 2) / 2595) - 1)
        found = np.arange(1, self.window // 2)[:, np.newaxis] * self.rate / self.window
        left, middle, right = edges[:-2], edges[1:-1], edges[2:]
        triangles = np.minimum((found - left) / (middle - left), (right - found) / (right - middle))
        rounded: NDArray[np.int64] = np.rint(triangles.clip(0) * 2**TRIANGLE_BITS).astype(np.int64)
        return rounded

    def energies(self, samples: Samples, steps: int) -> NDArray[np.int64]:
        """The energy of each band in each step, (steps, bands); after the end there is silence."""
        before = np.zeros(self.window - self.hop, np.int64)
        after = np.zeros(steps * self.hop, np.int64)
        frames = np.lib.stride_tricks.sliding_window_view(
            np.concatenate([before, samples, after]), self.window
        )[: steps * self.hop : self.hop]
        # Exact in doubles: 16 bits of samples, 11 of waves, and as many terms as a window has.
        both = (frames.astype(np.float64) @ self._waves).astype(np.int64) >> COSINE_BITS
        cosines, sines = np.hsplit(both, 2)
        found: NDArray[np.int64] = (cosines**2 + sines**2) @ self._triangles
        return found

    def spikes(self, samples: Samples, steps: int) -> Spikes:
        """The spikes of a recording, of shape (steps, inputs).

        Args:
            samples: of 16 bits, as 64-bit integers.
        """
        energies = self.energies(samples, steps)
        loudest = np.maximum.accumulate(energies.max(1)).clip(self.floor)[:, np.newaxis]
        return np.hstack([energies << level >= loudest for level in self.levels])


@dataclass(frozen=True, eq=False)
class Recordings:
    """Recordings as spikes.

    Attributes:
        images: their spikes and classes.
        names: of their files, without the suffix.
        lengths: how many samples each has.
    """

    images: Images
    names: Sequence[str]
    lengths: NDArray[np.int64] = field(repr=False)

    def chosen(self, places: Iterable[int]) -> Recordings:
        """Some of them."""
        kept = list(places)
        return Recordings(
            self.images.chosen(kept), [self.names[place] for place in kept], self.lengths[kept]
        )


def read_wav(path: Path | str, rate: int) -> Samples:
    """The samples of a WAV file, of one channel and 16 bits.

    Raises:
        NetworkError: if it is none, or has another rate.
    """
    try:
        with wave.open(str(path)) as file:
            form = file.getnchannels(), file.getsampwidth(), file.getframerate()
            data = file.readframes(file.getnframes())
    except (OSError, EOFError, wave.Error) as error:
        raise NetworkError(f"{path}: {error}") from None
    if form != (1, 2, rate):
        channels, size, found = form
        has = f"{channels} channels of {8 * size} bits at {found} Hz"
        raise NetworkError(f"{path}: has {has}, not 1 of 16 bits at {rate}")
    return np.frombuffer(data, "<i2").astype(np.int64)


def read_recordings(folder: Path | str, bank: FilterBank, steps: int) -> Recordings:
    """The recordings in a directory, ``CLASS_SPEAKER_NUMBER.wav``, as the Free Spoken Digit Dataset has
    them; in the order of their names.

    Raises:
        NetworkError: if there are none, or one cannot be read.
    """
    paths = sorted(Path(folder).glob("[0-9]_*_*.wav"))
    if not paths:
        raise NetworkError(f"{folder}: has no recordings of names such as 7_george_12.wav")
    samples = [read_wav(path, bank.rate) for path in paths]
    spikes = np.stack([bank.spikes(each, steps) for each in samples])
    labels = np.array([int(path.name[0]) for path in paths])
    lengths = np.array([len(each) for each in samples])
    return Recordings(Images(spikes, labels), [path.stem for path in paths], lengths)
