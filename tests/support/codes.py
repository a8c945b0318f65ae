"""Codes drawn by class, never uniformly: each kind of number, and operands near and far."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from specs.formats import Format


def _exponent_fields(fmt: Format) -> st.SearchStrategy[int]:
    top = (1 << fmt.exponent_bits) - 1
    boundary = st.sampled_from((0, 1, 2, fmt.bias - 1, fmt.bias, fmt.bias + 1, top - 2, top - 1, top))
    return st.one_of(boundary, st.integers(0, top))


def _fractions(fmt: Format) -> st.SearchStrategy[int]:
    last = (1 << fmt.fraction_bits) - 1
    single = st.integers(0, fmt.fraction_bits - 1).map(lambda i: 1 << i)
    run = st.integers(0, fmt.fraction_bits).map(lambda i: last >> i)
    return st.one_of(
        st.sampled_from((0, 1, last, last - 1)),
        single,
        run,
        run.map(lambda f: last ^ f),
        st.integers(0, last),
    )


@st.composite
def cases(draw: st.DrawFn, fmt: Format, operands: int) -> tuple[int, ...]:
    """Codes of so many operands, their exponents often within reach of one another.

    Half the time a second exponent is near the first's or its reciprocal's, and a third one near that of
    the others' product.
    """
    top, reach = (1 << fmt.exponent_bits) - 1, fmt.precision + 3
    fields = [draw(_exponent_fields(fmt))]
    if operands > 1:
        centre = draw(st.sampled_from((fields[0], fields[0], 2 * fmt.bias - fields[0])))
        fields.append(draw(st.one_of(_near(centre, reach, top), _exponent_fields(fmt))))
    if operands > 2:
        product = fields[0] + fields[1] - fmt.bias
        fields.append(draw(st.one_of(_near(product, 2 * reach, top), _exponent_fields(fmt))))
    codes = []
    for field in fields:
        sign = draw(st.integers(0, 1))
        fraction = draw(_fractions(fmt))
        codes.append((sign << fmt.exponent_bits | field) << fmt.fraction_bits | fraction)
    return tuple(codes)


def _near(centre: int, reach: int, top: int) -> st.SearchStrategy[int]:
    return st.integers(-reach, reach).map(lambda distance: min(max(centre + distance, 0), top))


def many_codes(fmt: Format, count: int, seed: int, operands: int = 2) -> list[NDArray[np.uint64]]:
    """As ``cases``, by the thousand: an array for each operand, from a seeded generator."""
    rng = np.random.default_rng(seed)
    top, reach = (1 << fmt.exponent_bits) - 1, fmt.precision + 3
    boundary = np.array([0, 0, 1, 2, fmt.bias, top - 1, top], dtype=np.int64)
    anywhere = rng.integers(0, top + 1, (3, count))
    first = np.where(rng.random(count) < 0.3, rng.choice(boundary, count), anywhere[0])
    distance = rng.integers(-reach, reach + 1, count)
    kind = rng.random(count)
    second = np.where(kind < 0.5, first + distance, anywhere[1])
    second = np.where(kind < 0.2, 2 * fmt.bias - first + distance, second).clip(0, top)
    far = rng.integers(-2 * reach, 2 * reach + 1, count)
    third = np.where(rng.random(count) < 0.7, first + second - fmt.bias + far, anywhere[2])
    return [_codes(fmt, rng, field.clip(0, top)) for field in (first, second, third)[:operands]]


def _codes(fmt: Format, rng: np.random.Generator, field: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Codes with these exponent fields, of either sign and with fractions of every kind."""
    count = len(field)
    last = (1 << fmt.fraction_bits) - 1
    fraction = rng.integers(0, last + 1, count)
    run = last >> rng.integers(0, fmt.fraction_bits + 1, count)
    pattern = rng.integers(0, 6, count)
    fraction = np.select(
        [pattern == 0, pattern == 1, pattern == 2, pattern == 3],
        [run, last ^ run, 1 << rng.integers(0, fmt.fraction_bits, count), fraction & ~run],
        fraction,
    )
    sign = rng.integers(0, 2, count)
    return ((sign << fmt.exponent_bits | field) << fmt.fraction_bits | fraction).view(np.uint64)
