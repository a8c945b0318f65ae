"""Codes drawn by class, never uniformly: each kind of number, and operands near and far."""

from __future__ import annotations

from hypothesis import strategies as st

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
