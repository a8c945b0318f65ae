"""What is left of a potential, for every tau: beside exp and ln to sixty digits, and by hand."""

from fractions import Fraction

import mpmath
from hypothesis import given
from hypothesis import strategies as st

from spikeproof.prover.margins.relaxation import (
    FASTEST,
    PICOSECOND,
    SLOWEST,
    above_until,
    below_from,
    left_between,
    surely_left_between,
)

times = st.fractions(0, 900, max_denominator=99)
taus = st.fractions(159, 278, max_denominator=99)
shares = st.fractions(Fraction(1, 50), Fraction(49, 50), max_denominator=99)


def left(time, tau):
    """exp(-time / tau), a little wrong in the sixtieth digit."""
    with mpmath.workdps(60):
        ratio = Fraction(time) / Fraction(tau)
        return mpmath.exp(-mpmath.mpf(ratio.numerator) / ratio.denominator)


def below(one, other):
    """Whether a number is less than another, of either kind."""
    with mpmath.workdps(60):
        return mpmath.mpmathify(one) < mpmath.mpmathify(other)


def test_by_hand():
    """159 ln 2 = 110.2104, 278 ln 2 = 192.6949."""
    assert (FASTEST, SLOWEST) == (159, 278)
    assert above_until(Fraction(1, 2)) == Fraction("110.210")
    assert below_from(Fraction(1, 2)) == Fraction("192.695")


@given(times, times, taus, st.fractions(0, 1, max_denominator=99))
def test_every_share_that_is_left_is_in_the_interval(one, other, tau, between):
    soonest, latest = sorted((one, other))
    share = left(soonest + between * (latest - soonest), tau)
    found = left_between(soonest, latest)
    assert not below(share, found.low)
    assert not below(found.high, share)
    ever_after = left_between(soonest, None)
    assert ever_after.low == 0
    assert ever_after.high == found.high


@given(times, st.fractions(1, 900, max_denominator=99))
def test_every_share_of_the_sure_interval_is_left_some_time(soonest, longer):
    """What is left is continuous in time and tau: all between two such shares are."""
    latest = soonest + longer
    found = surely_left_between(soonest, latest)
    assert below(left(latest, FASTEST), found.low)
    assert below(found.high, left(soonest, SLOWEST)) or soonest == 0


@given(shares, taus)
def test_more_than_a_share_is_left_up_to_a_picosecond(share, tau):
    time = above_until(share)
    assert below(share, left(time, tau))
    assert below(left(time + PICOSECOND, FASTEST), share)


@given(shares, taus)
def test_less_than_a_share_is_left_from_a_picosecond_on(share, tau):
    time = below_from(share)
    assert below(left(time, tau), share)
    assert below(share, left(time - PICOSECOND, SLOWEST))
