"""Enclosures of exp, ln and the normal tail: they hold what mpmath says to forty digits, and are
narrow."""

from fractions import Fraction

import mpmath
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from spikeproof.circuits.physics.uncertainty import exactly
from spikeproof.prover.margins.enclosure import FARTHEST, decay, logarithm, power, tail

NARROW = Fraction(1, 1 << 90)


def number(value: Fraction) -> mpmath.mpf:
    return mpmath.mpf(value.numerator) / value.denominator


def require_enclosed(found, function, *arguments):
    with mpmath.workdps(60):
        value = function(*map(number, arguments))
        assert number(found.low) <= value <= number(found.high)
    assert found.high - found.low <= NARROW


@given(st.fractions(0, 60, max_denominator=999))
@example(Fraction(0))
@example(Fraction(1, 2))
@example(Fraction(220420, 159000))
def test_decay(x):
    require_enclosed(decay(x), lambda x: mpmath.exp(-x), x)


@given(st.fractions(1, 5000, max_denominator=999))
@example(Fraction(1))
@example(Fraction(2))
@example(Fraction(1 << 20))
def test_logarithm(x):
    require_enclosed(logarithm(x), mpmath.log, x)


@given(st.fractions(-9, 9, max_denominator=99))
@example(Fraction(0))
@example(Fraction(FARTHEST))
@example(Fraction(FARTHEST) + Fraction(1, 7))
@example(Fraction(40))
def test_tail(z):
    require_enclosed(tail(z), lambda z: mpmath.erfc(z / mpmath.sqrt(2)) / 2, z)


@given(st.fractions(0, 1, max_denominator=99), st.integers(0, 4000))
@example(Fraction(0), 0)
@example(1 - Fraction(1, 1 << 60), 12_000)
def test_power(base, exponent):
    found = power(exactly(base), exponent)
    exact = base**exponent
    assert found.low <= exact <= found.high
    assert found.high - found.low <= NARROW * (1 + exponent)


def test_what_is_not_enclosed_is_refused():
    with pytest.raises(ValueError, match="at least 0, not -1"):
        decay(Fraction(-1))
    with pytest.raises(ValueError, match="at least 1, not 1/2"):
        logarithm(Fraction(1, 2))
