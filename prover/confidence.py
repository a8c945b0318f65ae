"""What some samples say of a probability: confidence intervals, exact and rounded outward.

Of Clopper and Pearson, Biometrika 26, 404 (1934): the probabilities at which what was found is not too
unlikely, on either side.
"""

from __future__ import annotations

import math
from fractions import Fraction

from circuits.uncertainty import Interval

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
    allowed = (1 - CONFIDENCE) / 2
    low, high = 0, successes * _GRID // trials
    while high - low > 1:
        middle = (low + high) // 2
        if _at_least(successes, trials, Fraction(middle, _GRID)) <= allowed:
            low = middle
        else:
            high = middle
    return Fraction(low, _GRID)


def _at_least(successes: int, trials: int, probability: Fraction) -> Fraction:
    """An upper bound of the probability of so many successes or more, which are more than expected.

    It is A / (A + B), if A adds up the terms of the binomial distribution from this number on, and B
    those below, all in units of the first of A. Terms of A fall, ever faster; any of B may be left out.
    """
    odds, other_odds = probability.numerator, probability.denominator - probability.numerator
    above = term = _UNIT
    for count in range(successes, trials):
        more, of = (trials - count) * odds, (count + 1) * other_odds
        term = -(-term * more // of)
        above += term
        if term < _NEGLIGIBLE:  # what follows falls at least as fast as a geometric series
            above += math.ceil(Fraction(term * more, of - more))
            break
    below, term = 0, _UNIT
    for count in range(successes, 0, -1):
        term = term * count * other_odds // ((trials - count + 1) * odds)
        below += term
        if not term:
            break
    return Fraction(above, above + below)
