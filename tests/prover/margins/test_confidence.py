"""Confidence intervals of a share: what the binomial distribution says, summed to forty digits."""

from fractions import Fraction

import mpmath
import numpy as np
import pytest

from spikeproof.prover.margins.confidence import confidence

GRID = mpmath.mpf(2) ** -29


def at_least(successes, trials, probability):
    """The probability of so many successes or more."""
    p = mpmath.mpf(probability)
    terms = (
        mpmath.binomial(trials, k) * p**k * (1 - p) ** (trials - k) for k in range(successes, trials + 1)
    )
    return mpmath.fsum(terms)


@pytest.mark.parametrize(("successes", "trials"), [(1, 1), (1, 100), (7, 10), (30, 400), (399, 400)])
def test_ends_are_where_what_was_found_is_too_unlikely(successes, trials):
    found = confidence(successes, trials)
    low = mpmath.mpf(found.low.numerator) / found.low.denominator
    with mpmath.workdps(40):
        assert at_least(successes, trials, low) <= mpmath.mpf("0.005")
        assert at_least(successes, trials, low + GRID) >= mpmath.mpf("0.005")


@pytest.mark.parametrize(("successes", "trials"), [(0, 10), (3, 10), (10, 10), (4321, 100_000)])
def test_failures_are_the_mirror_image(successes, trials):
    one, other = confidence(successes, trials), confidence(trials - successes, trials)
    assert (one.low, one.high) == (1 - other.high, 1 - other.low)
    assert Fraction(successes, trials) in one


def test_none_and_all():
    assert confidence(0, 10).low == 0
    assert confidence(10, 10).high == 1
    assert abs(confidence(0, 10).high - (1 - Fraction(0.005 ** (1 / 10)))) < Fraction(1, 10**6)


def test_the_probability_is_mostly_within():
    """Drawn with probability 0.07: fewer than 1 in 100 intervals miss it, of which 6 would be chance."""
    draws = np.random.default_rng(5).binomial(300, 0.07, 400)
    missed = sum(Fraction(7, 100) not in confidence(int(drawn), 300) for drawn in draws)
    assert missed <= 10


@pytest.mark.parametrize(("successes", "trials"), [(1, 0), (0, 0), (-1, 5), (6, 5)])
def test_what_says_nothing_is_refused(successes, trials):
    with pytest.raises(ValueError, match="say nothing"):
        confidence(successes, trials)
