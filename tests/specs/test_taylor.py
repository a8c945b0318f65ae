"""Polynomials and sines are as near to functions as they say, by Arb; wrong ones are noticed."""

import random
from fractions import Fraction
from functools import cache
from math import ldexp

import numpy as np
import pytest
from flint import arb, ctx, fmpq

from spikeproof.reference.functions import BALLS
from spikeproof.specs import large_angles, taylor
from spikeproof.specs.formats import FP32
from spikeproof.specs.functions import DEFINITIONS, FUNCTIONS, _Stretch
from tests.support.changed_source import faulty

SEED = 20261129
LARGEST = 20
ctx.prec = 400

DOMAINS = {
    **dict.fromkeys(("log", "log2", "reciprocal", "rsqrt"), (-140, 120, (1,))),
    **{"log1p": (-30, 100, (1,)), "exp": (-12, 6, (1, -1)), "exp2": (-12, 6, (1, -1))},
    **{"tanh": (-15, 3, (1, -1)), "erf": (-140, 1, (1, -1)), "expm1": (-30, 6, (1,))},
    **{"softplus": (-12, 4, (1, -1)), "sigmoid": (-12, 6, (-1,)), "sin": (-14, 5, (1, -1))},
    **dict.fromkeys(("silu", "gelu", "gelu_tanh"), (-30, 2, (1, -1))),
}
"""Exponents of numbers, and signs, for which polynomials are drawn."""


def drawn(function, count):
    """Numbers of 24 bits and, for each, ever smaller parts of its binade."""
    low, high, signs = DOMAINS.get(function, (-14, 5, (1, -1)))
    choose = random.Random(SEED)
    for _ in range(count):
        significand, exponent = choose.randrange(1 << 23, 1 << 24), choose.randint(low, high) - 23
        for size in range(LARGEST, 4, -1):
            start = significand >> size << size
            yield choose.choice(signs), start, size, exponent


def exact(function, x):
    return BALLS[function](arb(fmpq(x.numerator, x.denominator)))


def polynomials(function, module, count):
    """The first that there is of each number, and the next; with their blocks."""
    stretch = _Stretch(function, FP32, first=0, count=0)
    left = 0
    for sign, start, size, exponent in drawn(function, count):
        left = 2 if size == LARGEST else left
        half = 1 << size - 1
        shift = taylor.BITS + exponent
        centre, reach = (sign * each << shift for each in (start + half, half))
        value = stretch.value_at(Fraction(centre, taylor.ONE))
        if not left or value is None:
            continue
        quantum = 1 << taylor.BITS - 149
        if found := module.polynomial(function, centre, reach, value, FP32.fraction_bits, quantum):
            left -= 1
            yield found, Fraction(centre, taylor.ONE), Fraction(reach, taylor.ONE)


def holds(function, module, count):
    """Whether polynomials are as near as they say, in doubles, at both ends and between."""
    for found, centre, reach in polynomials(function, module, count):
        t = np.array([-1.0, 1.0, 0.0, -0.5, 0.8125, 2.0**-16 - 1, 1 - 2.0**-16, 0.123046875])
        for each, value in zip(t.tolist(), found.at(t).tolist(), strict=True):
            right = abs(exact(function, centre + reach * Fraction(each)))
            if not abs(right - value) < found.error:
                return False
    return True


@pytest.mark.parametrize("function", FUNCTIONS)
def test_polynomials_are_as_near_as_they_say(function):
    assert len(list(polynomials(function, taylor, 12))) >= 12
    assert holds(function, taylor, 12)


FAULTS = {
    "no remainder": ("error = remainder", "error = 0"),
    "a remainder of half": ("[-1])\n    except", "[-1]) // 2\n    except"),
    "the remainder of one end": ("Block((ends[0], ends[1]), half)", "Block((ends[1],) * 2, half)"),
    "what is left out does not count": ("error += size(series.pop())", "series.pop()"),
    "a term left out": ("series = [value, *rest[: ORDER - 1]]", "series = [value, *rest[: ORDER - 2]]"),
    "another slope": ('"exponential": lambda y: y[-1]', '"exponential": lambda y: y[0]'),
    "another sign": ('plus(y[-1], minus(square(y)))', 'plus(y[-1], square(y))'),
    "another power": ("halves + 2 * k - 2, 2 * k", "halves + 2 * k - 1, 2 * k"),
    "no derivative": ("halves / 2, bits", "halves / 4, bits"),
    "another quarter": ("values[k + quarter & 1]", "values[k + quarter + 1 & 1]"),
    "another cubic": ("each, 134145", "each, 134144"),
    "another divisor": ("fraction(times(slope, h), 1, k)", "fraction(times(slope, h), 1, k + 1)"),
}  # fmt: skip
"""Of the arithmetic. A rounding inward by 2^-256 is no fault that shows."""


def some_does_not_hold(module):
    chosen = ("tanh", "exp", "log", "sin", "gelu_tanh", "erf", "rsqrt", "sigmoid")
    return not all(holds(function, module, 12) for function in chosen)


@pytest.mark.parametrize("fault", FAULTS)
def test_planted_faults_are_noticed(fault):
    assert some_does_not_hold(faulty(taylor, FAULTS[fault]))


def test_that_doubles_round_is_noticed():
    """Without the bounds of Horner's rule and of coefficients' own rounding."""
    replacements = (
        ("error += (total * (2 * len(series) + 4) >> 53) + 1", "error += 1"),
        ("+ (abs(middle) >> 52) + 1", "+ 1"),
    )
    assert some_does_not_hold(faulty(taylor, *replacements))


def test_what_is_not_smooth_has_no_polynomial():
    """Around a zero, a pole and over more than a binade."""
    one = taylor.ONE
    for function, centre, half in (("sin", 22 * one // 7, one // 64), ("log1p", -one, one // 2)):
        assert taylor.polynomial(function, centre, half, (-1, 1), 23, 1 << 100) is None
    value = taylor.around(DEFINITIONS["exp"].enclosing(Fraction(3), 100))
    assert taylor.polynomial("exp", 3 * one, one, value, 23, 1 << 100) is None


# --- large angles -------------------------------------------------------------------------------


@cache
def hard(exponent):
    """Significands of numbers near to multiples of a quarter of a turn."""
    m = np.arange((1 << 32) - (1 << 18), 1 << 32, dtype=np.uint64)
    return [m[large_angles.sines(m, exponent, quarter).near.argmin()] for quarter in (0, 1)]


def angles(module, quarter):
    """Whether sines of numbers of every size are as near as they say."""
    choose = random.Random(SEED)
    for exponent in [*range(-17, 105, 3), 104]:
        drawn = [choose.randrange(1 << 23, 1 << 24) for _ in range(40)]
        m = np.array([*drawn, *hard(exponent), 1 << 23, (1 << 24) - 1, (1 << 32) - 1], dtype=np.uint64)
        signs, near, far = (each.tolist() for each in module.sines(m, exponent, quarter))
        for index, each in enumerate(m.tolist()):
            x = arb(each) * arb(2) ** exponent
            right = x.cos() if quarter else x.sin()
            magnitude = -right if signs[index] else right
            if not near[index] < magnitude < far[index]:
                return False
            if far[index] - near[index] > ldexp(far[index], -44) + 2.0**-88:
                return False
    return True


@pytest.mark.parametrize("quarter", [0, 1])
def test_sines_of_large_numbers(quarter):
    assert angles(large_angles, quarter)


ANGLE_FAULTS = {
    "too few bits of pi": ("bits = PLACES + max(exponent, 0) + 64", "bits = PLACES"),
    "no carry": ("+ carry + half", "+ half"),
    "no rounding": ("+ carry + half", "+ carry"),
    "the lower word unsigned": ("+ (low_part >> 63)", ""),
    "a short series": ("TERMS = 9", "TERMS = 6"),
    "no error": ("2.0**-46, 2.0**-90", "2.0**-54, 2.0**-90"),
    "another quarter": ("quarters & 2", "quarters + 1 & 2"),
}  # fmt: skip


@pytest.mark.parametrize("fault", ANGLE_FAULTS)
def test_planted_faults_of_angles_are_noticed(fault):
    module = faulty(large_angles, ANGLE_FAULTS[fault])
    assert not (angles(module, 0) and angles(module, 1))
