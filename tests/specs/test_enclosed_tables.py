"""Functions of many numbers at once: doubles lie beyond the enclosures of record; faults are noticed."""

import random
from fractions import Fraction
from functools import cache

import numpy as np
import pytest

from spikeproof.specs import enclosed_tables
from spikeproof.specs.exact import Kind, Value, decode, power_of_two
from spikeproof.specs.formats import BFLOAT16, FP16, RoundingMode, format_named
from spikeproof.specs.functions import (
    DEFINITIONS,
    FUNCTIONS,
    _numbers,
    compute,
    every_result,
    is_beyond,
    known_value,
)
from tests.support.changed_source import faulty
from tests.support.profile import NIGHTLY

SEED = 20261130
FORMATS = pytest.mark.parametrize("fmt", [BFLOAT16, FP16], ids=lambda fmt: fmt.name)


def drawn(fmt, count):
    """Codes of numbers of both signs: of any size, at the ends, and around 1; all of them nightly."""
    last, one, normal = fmt.largest_finite, fmt.bias << fmt.fraction_bits, 1 << fmt.fraction_bits
    every = [sign | code for sign in (0, fmt.sign_mask) for code in range(1, last + 1)]
    near = [code for code in every if abs((code & fmt.sign_mask - 1) - one) < 3 * normal]
    if NIGHTLY:
        return every
    return [*every[:3], *every[last - 3 : last + 3], *sample(every, count), *sample(near, count)]


def sample(codes, count):
    return random.Random(SEED).sample(codes, count)


@cache
def right(function, fmt, count):
    """Numbers that doubles are asked for, and between which rationals the function lies there."""
    found = []
    for x in (decode(fmt, code).signed for code in drawn(fmt, count)):
        if x <= DEFINITIONS[function].least or is_beyond(function, fmt, x):
            continue
        value = known_value(function, fmt, Value(Kind.FINITE, int(x < 0), abs(x)))
        if value is None:
            low, high, exponent = DEFINITIONS[function].enclosing(x, 80)
            found.append((x, low * power_of_two(exponent), high * power_of_two(exponent)))
        elif isinstance(value.magnitude, Fraction):
            found.append((x, value.signed, value.signed))
    return found


def lies_within(low, high, below, above):
    """Strictly, of a number that is both."""
    return below <= low and high <= above and (low < high or below < low < above)


def holds(module, function, fmt, count):
    """Whether doubles are beyond these, and few of them unknown where no value is rational."""
    expected = right(function, fmt, count)
    ends = module.ends(function, np.array([float(x) for x, _, _ in expected]))
    unknown = 0
    for (_, low, high), below, above in zip(expected, *(each.tolist() for each in ends), strict=True):
        if below != below:
            unknown += low < high
        elif not lies_within(low, high, Fraction(below), Fraction(above)):
            return False
    return unknown == 0


@FORMATS
@pytest.mark.parametrize("function", FUNCTIONS)
def test_enclosures_of_record_lie_within(function, fmt):
    assert holds(enclosed_tables, function, fmt, 100)


@FORMATS
def test_reciprocal_roots_lie_within(fmt):
    x = np.array([float(decode(fmt, code).rational) for code in range(1, fmt.largest_finite, 37)])
    for below, above, number in zip(*enclosed_tables.ends("rsqrt", x), x, strict=True):
        assert Fraction(below) ** 2 < 1 / Fraction(number) < Fraction(above) ** 2


FAULTS = {
    "a short series of exponentials": ("for k in range(16)", "for k in range(7)"),
    "a short series of logarithms": ("for k in range(12)", "for k in range(5)"),
    "a short series of the normal distribution": ("STEPS = 28", "STEPS = 8"),
    "half of ln 2": ("- n * LN2_REST", ""),
    "no error": ("value - error, value + error", "value, value"),
    "a bound on the other side": ("BELOW_X = (Bound(LESS, 1,", "BELOW_X = (Bound(MORE, 1,"),
    "a bound of the other sign": ("(Bound(MORE, 1, constant=1), ", "(Bound(MORE, -1, constant=1), "),
    "no quarter of a turn": ("turned(quarters + quarter, y)", "turned(quarters, y)"),
    "the sign of what is left": ("sign * np.where(", "np.where("),
    "the quarters of half turns": ("np.fmod(n, 4)", "np.fmod(n, 2)"),
    "another tail": ("0.5 - centre", "1 - centre"),
    "twice the tail": ("scale / 2 / low", "scale / low"),
    "logistics of the other sign": ("np.where(negative, decay, 1)", "np.where(negative, 1, decay)"),
    "a short constant": ("0.044715", "0.04472"),
    "the wrong binade": ("(k - low)", "(k + low)"),
    "another limit": ("lost / (2 - lost)", "lost / (2 + lost)"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_planted_faults_are_noticed(fault):
    module = faulty(enclosed_tables, FAULTS[fault])
    with np.errstate(all="ignore"):
        assert not all(holds(module, function, BFLOAT16, 100) for function in FUNCTIONS)


def test_convergents_that_are_apart_are_not_believed():
    module = faulty(enclosed_tables, ("CONVERGENTS = (99, 100)", "CONVERGENTS = (8, 9)"))
    low, _ = module.ends("gelu", np.array([-3.0, -1.0]))
    assert np.isnan(low).tolist() == [True, False]


@pytest.mark.parametrize("function", ["sin_pi", "cos_pi", "log", "log2"])
def test_what_may_be_zero_or_a_limit_is_not_told(function):
    x = np.array([1.0, 2.0**100]) if function.endswith("pi") else np.array([1.0])
    assert np.isnan(enclosed_tables.ends(function, x)).all()


@FORMATS
@pytest.mark.parametrize("function", FUNCTIONS)
def test_tables_of_16_bits_are_the_definition(function, fmt):
    for mode in RoundingMode:
        given = function, fmt, mode, fmt.policies[0]
        table = every_result(*given)
        for code in sample(range(1 << fmt.width), 20):
            assert table[code] == compute(*given, code)


@pytest.mark.parametrize("name", ["bfloat16", "fp16", "fp8_e4m3fn", "fp8_e5m2fnuz", "fp4_e2m1"])
def test_numbers_are_those_of_codes(name):
    fmt = format_named(name)
    numbers = _numbers(fmt)
    for code in range(0, 1 << fmt.width, 1 << fmt.width >> 4):
        for each in (code, code + (1 << fmt.width >> 4) - 1):
            value, number = decode(fmt, each), numbers[each]
            if value.kind is Kind.FINITE:
                assert float(value.signed) == number
                assert np.signbit(number) == value.sign
            else:
                assert not np.isfinite(number)
                assert np.isnan(number) == (value.kind is Kind.NAN)
