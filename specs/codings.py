"""What spikes an image is: its pixels, whole numbers from 0 to the largest there is, over several steps.

The definitions of record: slow and obvious. An image's spikes depend on that image alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import shake_256

Spikes = list[list[bool]]
"""By step, then by pixel."""


def latency(pixels: Sequence[int], largest: int, steps: int) -> Spikes:
    """One spike for each pixel, the sooner the brighter it is.

    The largest spikes in step 0, and 0 in the last step, n - 1: a pixel p in the last step t of which
    t / (n - 1) <= (largest - p) / largest.
    """
    found = [[False] * len(pixels) for _ in range(steps)]
    for place, pixel in enumerate(pixels):
        step = max(t for t in range(steps) if t * largest <= (largest - pixel) * (steps - 1))
        found[step][place] = True
    return found


def even(pixels: Sequence[int], largest: int, steps: int) -> Spikes:
    """As many spikes as a pixel is bright, as evenly as can be.

    After t steps a pixel p has had as many as there are whole numbers from 1 to t p / largest.
    """

    def so_far(pixel: int, step: int) -> int:
        return sum(count * largest <= step * pixel for count in range(1, step + 1))

    return [[so_far(pixel, step) < so_far(pixel, step + 1) for pixel in pixels] for step in range(steps)]


def rate(pixels: Sequence[int], largest: int, steps: int, seed: int) -> Spikes:
    """In each step each pixel p by itself, with a chance of p / largest.

    Chance is a table of numbers from 0 to 65,535 that is the same for all images: that of step t and
    pixel i of n is in the bytes 2 (t n + i), the lower one, and the next, of SHAKE-256 (FIPS 202) of the
    seed in decimal digits. There is a spike iff the number, over 65,536, is below p / largest.
    """
    stream = shake_256(str(seed).encode("ascii")).digest(2 * steps * len(pixels))

    def fires(step: int, place: int) -> bool:
        at = 2 * (step * len(pixels) + place)
        number = stream[at] + 256 * stream[at + 1]
        return number * largest < pixels[place] * 65_536

    return [[fires(step, place) for place in range(len(pixels))] for step in range(steps)]
