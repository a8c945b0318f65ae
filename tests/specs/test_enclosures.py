"""Enclosures hold Arb's balls, are narrow, and where they are wrong this is noticed."""

import random
from fractions import Fraction
from math import exp
from pathlib import Path
from types import ModuleType

import pytest
from flint import arb, ctx, fmpq

from spikeproof.reference.functions import BALLS
from spikeproof.specs import enclosures
from spikeproof.specs.functions import DEFINITIONS

CIRCULAR = ("sin", "cos", "sin_pi", "cos_pi")
ENCLOSED = [name for name in DEFINITIONS if name not in ("reciprocal", "rsqrt")]
SEED = 20261129


def arguments(function, count=30):
    """Dyadic numbers of every size, where the function is not rational."""
    drawn = random.Random(SEED)
    sizes = (-140, -60, -24, -10, -5, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6)
    if function in ("sin", "cos"):
        sizes += (30, 120, 1000)
    found = []
    while len(found) < count:
        bits = drawn.choice((1, 3, 11, 53))
        size = drawn.choice(sizes)
        x = Fraction(drawn.getrandbits(bits) | 1 << bits, 1 << bits) * Fraction(2) ** size
        if drawn.random() < 0.3:
            x = 1 + drawn.choice((-1, 1)) * Fraction(1, 1 << drawn.choice((4, 11, 53)))
        x *= drawn.choice((1, -1))
        definition = DEFINITIONS[function]
        if x > definition.least and definition.rational(x) is None:
            found.append(x)
    return found


def exact(x):
    return arb(fmpq(x.numerator, x.denominator))


def holds(function, module, x, bits):
    """Whether the enclosure is about what Arb says, of far more bits, and as narrow as it should be."""
    name = DEFINITIONS[function].enclosing.__name__
    low, high, exponent = getattr(module, name)(x, bits)
    ctx.prec = 3 * bits + 2000
    value, unit = BALLS[function](exact(x)), arb(2) ** exponent
    width = (high - low) * unit
    size = 1 if function in CIRCULAR else abs(value)
    return not value < low * unit and not value > high * unit and width < size * arb(2) ** (1 - bits)


@pytest.mark.parametrize("function", ENCLOSED)
def test_enclosures_hold_the_number(function):
    for bits in (8, 24, 64, 200):
        for x in arguments(function):
            assert holds(function, enclosures, x, bits), (x, bits)


PLANTED = {
    "an end inward": ("low, high = total - off, total + off", "low, high = total + off, total + off"),
    "a logarithm's end inward": ("for off in (-6, 6))", "for off in (6, 6))"),
    "a ratio's end inward": ("Enclosure(total - 12, min(", "Enclosure(total + 12, min(99 + "),
    "a cosine's end inward": ("Enclosure(total - 20, min(", "Enclosure(total + 20, min(99 + "),
    "a bound that does not hold": ("min(high, unit)) if negative", "min(high, unit - 99)) if negative"),
    "series too short": ("+ 2\n\n\ndef horner", "// 2\n\n\ndef horner"),
    "an error series too short": ("while term:", "while term >> bits // 2:"),
    "a fraction too short": ("if high - low <= 4:", "if high - low <= 1 << bits:"),
    "too few bits of pi": ("finer = p + size + 4", "finer = p + 4"),
    "another constant": ("44715 * m * m", "44714 * m * m"),
    "no bits for the size": ("return bits + GUARD + max(0, m.bit_length() + s)", "return bits + 4"),
}  # fmt: skip


@pytest.mark.parametrize("fault", PLANTED)
def test_planted_faults_are_noticed(fault):
    source = Path(enclosures.__file__).read_text()
    old, new = PLANTED[fault]
    assert source.count(old) == 1
    module = ModuleType("faulty")
    exec(compile(source.replace(old, new), "faulty", "exec"), module.__dict__)
    assert not all(
        holds(function, module, x, bits)
        for bits in (24, 64)
        for function in ENCLOSED
        for x in arguments(function)
    )


# --- of two numbers -----------------------------------------------------------------------------


def pairs(function, count=40):
    """Numbers of every size: points above the axis, or numbers and powers of them."""
    drawn, found = random.Random(SEED), []
    while len(found) < count:
        x, y = (
            Fraction(drawn.getrandbits(8) | 1, 1 << 8) * Fraction(2) ** drawn.choice((-40, -8, -1, 0, 9))
            for _ in range(2)
        )
        if drawn.random() < 0.2:
            x = 1 + drawn.choice((-1, 1)) * Fraction(1, 1 << drawn.choice((4, 11, 53)))
        if function == "angle":
            found.append((x * drawn.choice((1, -1)), y))
        elif x != 1:
            found.append((x, y * drawn.choice((1, -1))))
    if function == "angle":
        return [*found, (Fraction(-1), Fraction(0)), (Fraction(0), Fraction(1))]
    return [*found, (Fraction(3), Fraction(1 << 60))]


def holds_of_two(function, module, pair, bits):
    """As ``holds``."""
    low, high, exponent = getattr(module, function)(pair, bits)
    ctx.prec = 3 * bits + 2000
    x, y = map(exact, pair)
    value, unit = arb.atan2(y, x) if function == "angle" else x**y, arb(2) ** exponent
    narrow = (high - low) * unit < value * arb(2) ** (1 - bits)
    return not value < low * unit and not value > high * unit and narrow


@pytest.mark.parametrize("function", ["angle", "power"])
def test_enclosures_of_two_numbers_hold_the_number(function):
    for bits in (8, 24, 64, 200):
        for pair in pairs(function):
            assert holds_of_two(function, enclosures, pair, bits), (pair, bits)


PLANTED_OF_TWO = {
    "a series too short": ("while summand:", "while summand >> bits // 2:"),
    "an error forgotten": ("(total + 2 * k + 2) * d", "total * d"),
    "a bound that does not hold": ("high = min(high, 1 << p)", "high = min(high, (1 << p) - 999)"),
    "an end of pi inward": ("2 * right_angles\n", "-9\n"),
    "another right angle": ("right_angles = 1 if y > abs(x)", "right_angles = 2 if y > abs(x)"),
    "an end of a power inward": ("below.at(exponent).low", "below.at(exponent).high"),
    "no bits for the size of the exponent": (" + y.numerator.bit_length()\n", "\n"),
}  # fmt: skip


@pytest.mark.parametrize("fault", PLANTED_OF_TWO)
def test_planted_faults_of_two_numbers_are_noticed(fault):
    source = Path(enclosures.__file__).read_text()
    old, new = PLANTED_OF_TWO[fault]
    assert source.count(old) == 1
    module = ModuleType("faulty")
    exec(compile(source.replace(old, new), "faulty", "exec"), module.__dict__)
    cases = ((f, pair, bits) for f in ("angle", "power") for bits in (24, 64) for pair in pairs(f))
    assert not all(holds_of_two(f, module, pair, bits) for f, pair, bits in cases)


@pytest.mark.parametrize(
    ("enclosing", "x", "end"),
    [
        (enclosures.exponential, Fraction(1, 1 << 200), 1),
        (enclosures.exponential, Fraction(-1, 1 << 200), 1),
        (enclosures.sine, Fraction(1, 1 << 200), Fraction(1, 1 << 200)),
        (enclosures.hyperbolic_tangent, Fraction(5000), 1),
        (enclosures.logistic, Fraction(5000), 1),
        (enclosures.logistic, Fraction(1, 1 << 200), Fraction(1, 2)),
        (enclosures.error_function, Fraction(-5000), -1),
        (enclosures.exponential_minus_1, Fraction(-5000), -1),
        (enclosures.logistic_times, Fraction(5000), 5000),
        (enclosures.normal_times, Fraction(5000), 5000),
        (enclosures.logistic_times_of_cubic, Fraction(-1, 1 << 200), Fraction(-1, 1 << 201)),
        (enclosures.softplus, Fraction(5000), 5000),
        (enclosures.power, (Fraction(3), Fraction(1, 1 << 200)), 1),
        (enclosures.power, (Fraction(3), Fraction(-1, 1 << 200)), 1),
        (enclosures.arctangent, Fraction(1, 1 << 200), Fraction(1, 1 << 200)),
    ],
)
def test_what_a_function_comes_near_to_is_an_end(enclosing, x, end):
    """So that rounding is decided however near it comes."""
    low, high, exponent = enclosing(x, 64)
    assert end in (low * Fraction(2) ** exponent, high * Fraction(2) ** exponent)


def test_only_dyadic_numbers_are_enclosed():
    with pytest.raises(ValueError, match="dyadic"):
        enclosures.exponential(Fraction(1, 3), 64)


@pytest.mark.parametrize("bits", [9, 32, 60, 64])
def test_softplus_of_numbers_with_many_places(bits):
    """Found in review: the upper end was one unit of x's last place above x, however small that is."""
    for x in (
        bits + 1 + Fraction(1, 1 << 106),
        bits + 3 - Fraction(1, 1 << 94),
        bits + Fraction(5, 1 << 80),
    ):
        low, high, exponent = enclosures.softplus(x, bits)
        unit = Fraction(2) ** exponent
        small = Fraction(exp(-float(x)))  # ln(1 + t) is between t - t^2 and t
        assert low * unit <= x + small
        assert high * unit >= x + small * Fraction(99, 100)
