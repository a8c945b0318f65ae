"""Codings of brightness, by hand."""

from fractions import Fraction
from hashlib import shake_256

import numpy as np
import pytest

from spikeproof.specs.codings import even, latency, rate


@pytest.mark.parametrize(
    ("steps", "moments"), [(1, [0, 0, 0, 0, 0]), (2, [1, 0, 0, 0, 0]), (5, [4, 3, 2, 1, 0])]
)
def test_the_brighter_the_sooner(steps, moments):
    spikes = latency([0, 1, 2, 3, 4], 4, steps)
    assert len(spikes) == steps
    for place, moment in enumerate(moments):
        assert [step for step in range(steps) if spikes[step][place]] == [moment]


def test_in_bytes():
    spikes = latency([0, 128, 192, 255], 255, 4)
    assert [[step[place] for step in spikes].index(True) for place in range(4)] == [3, 1, 0, 0]


def test_the_brighter_the_more_as_evenly_as_can_be():
    spikes = even([0, 128, 192, 255], 255, 4)
    assert np.array(spikes).astype(int).tolist() == [
        [0, 0, 0, 1],
        [0, 1, 1, 1],
        [0, 0, 1, 1],
        [0, 1, 1, 1],
    ]


def test_chance_is_that_of_the_stream():
    stream = shake_256(b"7").digest(2 * 3 * 2)
    numbers = [int.from_bytes(stream[at : at + 2], "little") for at in range(0, 12, 2)]
    spikes = rate([100, 200], 255, 3, 7)
    for at, number in enumerate(numbers):
        step, place = divmod(at, 2)
        assert spikes[step][place] == (Fraction(number, 65536) < Fraction((100, 200)[place], 255))


def test_the_brighter_the_more():
    pixels = [0, 64, 128, 255]
    spikes = rate(pixels, 255, 2000, 1)
    counts = [sum(step[place] for step in spikes) for place in range(4)]
    assert counts[0] == 0
    assert counts[3] == 2000
    assert abs(counts[1] - 2000 * 64 / 255) < 100
    assert abs(counts[2] - 2000 * 128 / 255) < 100
    assert rate(pixels, 255, 20, 2) != rate(pixels, 255, 20, 1)
