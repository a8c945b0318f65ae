"""How near multiples come to whole numbers: beside trying all, and beside worst cases that are known."""

from fractions import Fraction
from math import floor

import pytest

from spikeproof.prover.kernel import multiples
from spikeproof.prover.kernel.bit_sums import BoundError
from spikeproof.prover.kernel.multiples import distance_from_right_angles, least_distance
from spikeproof.specs import enclosures
from spikeproof.specs.formats import BFLOAT16, FP16, FP32, FP64

BITS = 400
SMALL = Fraction(1, 1 << 20)


def distance(number):
    """From the nearest whole number."""
    return abs(number - floor(number + Fraction(1, 2)))


@pytest.mark.parametrize(
    "number",
    [
        Fraction(1, 3),
        Fraction(355, 113),
        Fraction(2**70 + 1, 2**71),
        Fraction(10**9, 10**8 + 7),
        Fraction(1, 900),
    ],
)
@pytest.mark.parametrize("most", [1, 2, 7, 112, 500])
def test_beside_all_multiples(number, most):
    tiny = Fraction(1, 1 << 80)
    unit = number.denominator << 100
    ends = (int((number + off) * unit) for off in (tiny, 2 * tiny))
    found = least_distance(*ends, unit, most)
    expected = min(distance(m * (number + tiny)) for m in range(1, most + 1))
    assert expected - most * tiny <= found <= expected


def test_too_little_known():
    with pytest.raises(BoundError, match="too little is known"):
        least_distance(300, 400, 1000, 10)
    assert least_distance(300, 301, 1000, 3) == Fraction(97, 1000)  # 3 times 0.301


@pytest.mark.parametrize("fmt", [FP16, BFLOAT16], ids=lambda fmt: fmt.name)
def test_all_numbers_of_a_format(fmt):
    """Field by field: of significands that are not normal too, unless 0 is the nearest multiple."""
    quarter, first = (2 << 2 * BITS) // enclosures.pi(BITS), 1 << fmt.fraction_bits
    nearest = []
    for field in range(1, (1 << fmt.exponent_bits) - 1):
        unit = 1 << BITS - (field - fmt.bias - fmt.fraction_bits)
        rests = (m * quarter % unit for m in range(1, 2 * first))
        near = [Fraction(min(rest, unit - rest), unit) for rest in rests]
        nearest.append((min(near), min(near[first - 1 :])))
        found = distance_from_right_angles(fmt, (field,))
        lowest, highest = (
            each * (1 + off * SMALL) for each, off in zip(nearest[-1], (-1, 1), strict=True)
        )
        assert lowest <= found <= highest
    start = fmt.bias - 3
    found = distance_from_right_angles(fmt, range(start, (1 << fmt.exponent_bits) - 1))
    assert abs(found / min(normal for _, normal in nearest[start - 1 :]) - 1) < SMALL


@pytest.mark.parametrize(
    ("fmt", "significand", "exponent"),
    [(FP32, 16367173, 72), (FP64, 6381956970095103, 797)],
    ids=["fp32", "fp64"],
)
def test_the_nearest_of_wide_formats(fmt, significand, exponent):
    """Those that Muller's handbook of floating-point arithmetic has, and Kahan's program found."""
    bits = 2000
    exact = Fraction(significand << exponent + 1) * (1 << bits) / enclosures.pi(bits)
    found = distance_from_right_angles(fmt, range(fmt.bias - 20, (1 << fmt.exponent_bits) - 1))
    assert abs(found / distance(exact) - 1) < Fraction(1, 1 << 100)


def test_fractions_that_are_none(monkeypatch):
    """What is found is checked: one step too many is refused."""
    steps = multiples._steps
    for change in (1, 2):
        with monkeypatch.context() as patch:
            patch.setattr(multiples, "_steps", lambda *given, change=change: steps(*given) + change)
            with pytest.raises(BoundError):
                distance_from_right_angles(FP32, (200,))
