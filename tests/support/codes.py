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
def pairs(draw: st.DrawFn, fmt: Format) -> tuple[int, int]:
    """Two codes; half the time the second's exponent is within reach of the first's."""
    fields = _exponent_fields(fmt)
    first = draw(fields)
    top = (1 << fmt.exponent_bits) - 1
    reach = fmt.precision + 3
    near = st.integers(max(0, first - reach), min(top, first + reach))
    reciprocal = st.integers(-reach, reach).map(lambda d: min(max(2 * fmt.bias - first + d, 0), top))
    second = draw(st.one_of(near, near, reciprocal, fields))
    codes = []
    for field in (first, second):
        sign = draw(st.integers(0, 1))
        fraction = draw(_fractions(fmt))
        codes.append((sign << fmt.exponent_bits | field) << fmt.fraction_bits | fraction)
    return codes[0], codes[1]


def many_pairs(fmt: Format, count: int, seed: int) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """As ``pairs``, by the thousand: arrays from a seeded generator."""
    rng = np.random.default_rng(seed)
    top, reach = (1 << fmt.exponent_bits) - 1, fmt.precision + 3
    boundary = np.array([0, 0, 1, 2, fmt.bias, top - 1, top], dtype=np.int64)
    first = np.where(
        rng.random(count) < 0.3, rng.choice(boundary, count), rng.integers(0, top + 1, count)
    )
    distance = rng.integers(-reach, reach + 1, count)
    kind = rng.random(count)
    second = np.where(kind < 0.5, first + distance, rng.integers(0, top + 1, count))
    second = np.where(kind < 0.2, 2 * fmt.bias - first + distance, second).clip(0, top)
    codes = []
    for field in (first, second):
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
        codes.append(
            ((sign << fmt.exponent_bits | field) << fmt.fraction_bits | fraction).view(np.uint64)
        )
    return codes[0], codes[1]
