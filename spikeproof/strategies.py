"""Hypothesis strategies: codes drawn by class, never uniformly; operands near and far.

Uniform codes are nearly all ordinary numbers of random exponents, whose sums round to the larger operand
and whose products overflow: what goes wrong in arithmetic goes wrong at zeros, subnormals, infinities,
NaNs, powers of two, and operands that nearly cancel. These are drawn as often as all others.

Hypothesis draws a batch as one string of bytes, of which every case gets its part and makes its choices:
to draw each choice for itself would take it longer than everything else that is done with a case. Zero
bytes choose the first option everywhere, so that failing batches still shrink.
"""

from __future__ import annotations

from hypothesis import strategies as st

from spikeproof.specs.formats import Format

BYTES = 14
"""How many bytes an operand has for its choices, which in FP64 take about 95 bits."""


class _Choices:
    """Choices made one after the other by the digits of a large number."""

    def __init__(self, number: int) -> None:
        self._number = number

    def between(self, first: int, last: int) -> int:
        self._number, chosen = divmod(self._number, last - first + 1)
        return first + chosen

    def among(self, *options: int) -> int:
        return options[self.between(0, len(options) - 1)]


def _exponent_field(choose: _Choices, fmt: Format) -> int:
    top = (1 << fmt.exponent_bits) - 1
    boundary = (0, 1, 2, fmt.bias - 1, fmt.bias, fmt.bias + 1, top - 2, top - 1, top)
    return choose.among(choose.among(*boundary), choose.between(0, top))


def _fraction(choose: _Choices, fmt: Format) -> int:
    last = (1 << fmt.fraction_bits) - 1
    run = last >> choose.between(0, fmt.fraction_bits)
    return choose.among(
        choose.among(0, 1, last, last - 1),
        1 << choose.between(0, fmt.fraction_bits - 1),
        run,
        last ^ run,
        choose.between(0, last),
    )


def _near(choose: _Choices, centre: int, reach: int, top: int) -> int:
    return min(max(centre + choose.between(-reach, reach), 0), top)


def _case(fmt: Format, operands: int, drawn: bytes) -> tuple[int, ...]:
    """Codes of so many operands, their exponents often within reach of one another.

    Half the time a second exponent is near the first's or its reciprocal's, and a third one near that of
    the others' product.
    """
    choose = _Choices(int.from_bytes(drawn, "big"))
    top, reach = (1 << fmt.exponent_bits) - 1, fmt.precision + 3
    fields = [_exponent_field(choose, fmt)]
    if operands > 1:
        centre = choose.among(fields[0], fields[0], 2 * fmt.bias - fields[0])
        fields.append(choose.among(_near(choose, centre, reach, top), _exponent_field(choose, fmt)))
    if operands > 2:
        centre = fields[0] + fields[1] - fmt.bias
        fields.append(choose.among(_near(choose, centre, 2 * reach, top), _exponent_field(choose, fmt)))
    codes = []
    for field in fields:
        sign, fraction = choose.between(0, 1), _fraction(choose, fmt)
        codes.append((sign << fmt.exponent_bits | field) << fmt.fraction_bits | fraction)
    return tuple(codes)


def codes(fmt: Format) -> st.SearchStrategy[int]:
    """Codes of a format, of every class: zeros, subnormals, normals, infinities and NaNs."""
    return operands(fmt, 1).map(lambda case: case[0])


def operands(fmt: Format, count: int) -> st.SearchStrategy[tuple[int, ...]]:
    """A code for each operand of an operation, often near one another, or near cancelling.

    Args:
        count: how many operands, from 1 to 3.
    """
    return batches(fmt, count, 1).map(lambda cases: cases[0])


def batches(fmt: Format, operands: int, size: int) -> st.SearchStrategy[list[tuple[int, ...]]]:
    """So many cases at a time, each a code for every operand, for checks that are quicker in bulk.

    Args:
        operands: how many, from 1 to 3.
        size: how many cases.

    Raises:
        ValueError: for other numbers of operands.
    """
    if not 1 <= operands <= 3:
        raise ValueError(f"{operands} operands; a case has 1, 2 or 3")
    part = operands * BYTES

    def cut(drawn: bytes) -> list[tuple[int, ...]]:
        return [_case(fmt, operands, drawn[at : at + part]) for at in range(0, len(drawn), part)]

    return st.binary(min_size=size * part, max_size=size * part).map(cut)
