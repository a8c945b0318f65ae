"""What some samples say of a probability: confidence intervals, exact and rounded outward.

Of Clopper and Pearson, Biometrika 26, 404 (1934): the probabilities at which what was found is not too
unlikely, on either side.
"""

from __future__ import annotations

import math
from fractions import Fraction

from spikeproof.circuits.physics.uncertainty import Interval

CONFIDENCE = Fraction(99, 100)
"""How likely the interval is to hold the probability, at least, whatever that is."""

_GRID = 1 << 30
"""Ends are multiples of 2^-30."""

_UNIT = 1 << 64
"""Terms are rounded to multiples of 2^-64 of the first."""

_NEGLIGIBLE = 1 << 16


def confidence(successes: int, trials: int) -> Interval:
    """Where the probability of success is, with ``CONFIDENCE``.

    Raises:
        ValueError: if there are no trials, or more successes than trials.
    """
    if not 0 <= successes <= trials or not trials:
        raise ValueError(f"{successes} successes of {trials} say nothing; give 0 to all of some trials")
    return Interval(_least(successes, trials), 1 - _least(trials - successes, trials))


def _least(successes: int, trials: int) -> Fraction:
    """A probability at which so many successes, or more, would be too unlikely; the largest found."""
    low, high = 0, successes * _GRID // trials
    while high - low > 1:
        middle = (low + high) // 2
        if _too_unlikely(successes, trials, middle, _GRID - middle):
            low = middle
        else:
            high = middle
    return Fraction(low, _GRID)


def _too_unlikely(successes: int, trials: int, success: int, failure: int) -> bool:
    """Whether so many successes or more, which are more than expected, are surely too unlikely.

    Their probability is A / (A + B), if A adds up the terms of the binomial distribution from this
    number on, and B those below, all in units of the first of A. Terms of A fall, ever faster; any of B
    may be left out.

    Args:
        success, failure: the odds.
    """
    above = term = _UNIT
    for count in range(successes, trials):
        more, of = (trials - count) * success, (count + 1) * failure
        term = -(-term * more // of)
        above += term
        if term < _NEGLIGIBLE:  # what follows falls at least as fast as a geometric series
            above += math.ceil(Fraction(term * more, of - more))
            break
    enough = above * (2 / (1 - CONFIDENCE) - 1)
    below, term = 0, _UNIT
    for count in range(successes, 0, -1):
        term = term * count * failure // ((trials - count + 1) * success)
        below += term
        if below >= enough or not term:
            break
    return below >= enough
