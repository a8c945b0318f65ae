"""Functions of two operands of all pairs of codes of up to 16 bits, row after row.

As ``specs.functions_of_two``, which defines them; a *row* is every x beside one y. What lies between
numbers where rounding turns rounds alike, so it is told by *quarters*: four times the code of the
largest number that is no larger, and 0 at that number, 1 above it, 2 midway to the next, 3 above that.
Rounding then reads nothing but the last code bit, the quarter and the sign.

hypot in integers. Let a >= b be the magnitudes, p the precision, u the last place of a, and d by how
many places the exponent of a exceeds that of b. With d <= p / 2 both are integers of one unit, half of
the last place of b, and a^2 + b^2 < 2^(3 p + 3) is exact. The quarter is told by the largest R with
R^2 <= a^2 + b^2, which is checked and not only computed, and by whether anything remains. With
d > p / 2, b^2 < 2^(2 p - 2 d) u^2 <= 2^(p - 1) u^2 <= a u: a < hypot < a + b^2 / (2 a) < a + u / 2, or
b is 0.

Powers and angles are between doubles (``specs.enclosed_rows``); where rounding turns between these,
``compute`` says what is right.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise, product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spikeproof.specs import enclosed_rows, exact, functions_of_two
from spikeproof.specs.exact import Kind, Value, decode, power_of_two, round_to, round_to_multiple
from spikeproof.specs.formats import Format, OverflowPolicy, RoundingMode
from spikeproof.specs.functions import INFINITY, farthest, halves_below

Integers = NDArray[np.int64]
Codes = NDArray[np.uint16]

MOST_BITS = 16
"""Of formats that have rows."""


def results_from(
    function: str,
    fmt: Format,
    mode: RoundingMode,
    policy: OverflowPolicy,
    first: int,
    count: int,
) -> Codes:
    """``functions_of_two.compute`` of ``count`` pairs from ``first`` on, x varying fastest.

    Raises:
        KeyError: if there are no rows of that function.
        ValueError: if the format has none, if these are not whole rows, or it has no such policy.
    """
    if not fmt.has_infinity or fmt.width > MOST_BITS:
        raise ValueError(
            f"rows are of formats of IEEE 754's shape, of up to {MOST_BITS} bits; not of {fmt.name}"
        )
    size = 1 << fmt.width
    if first % size or count % size or not 0 <= first <= first + count <= size * size:
        raise ValueError(f"{count} pairs from {first:#x} on are no rows of {fmt.name}")
    fmt.require_policy(policy)
    row = ROWS[function]
    rows = [row(fmt, mode, policy, y) for y in range(first // size, (first + count) // size)]
    return np.concatenate(rows)


# --- rounding -----------------------------------------------------------------------------------


class Turns(NamedTuple):
    """How quarters round: by sign, and then by the last code bit and quarter, whether away from zero.

    ``beyond``: by sign, the code of what rounds beyond the largest number.
    """

    up: Integers
    beyond: Integers


@lru_cache(64)
def _turns(fmt: Format, mode: RoundingMode, policy: OverflowPolicy) -> Turns:
    up = [
        [round_to_multiple(Fraction(1), mode, sign, Fraction(n, 4)).rounds_up for n in range(8)]
        for sign in (0, 1)
    ]
    largest = [Value(Kind.FINITE, sign, power_of_two(farthest(fmt))) for sign in (0, 1)]
    beyond = [round_to(fmt, mode, policy, each) for each in largest]
    return Turns(np.array(up, np.int64), np.array(beyond, np.int64))


def _rounded(
    fmt: Format, mode: RoundingMode, policy: OverflowPolicy, sign: int, quarters: Integers
) -> Integers:
    turns = _turns(fmt, mode, policy)
    codes = (quarters >> 2) + turns.up[sign][quarters & 7]
    found: Integers = np.where(
        codes > fmt.largest_finite, turns.beyond[sign], codes | sign << fmt.magnitude_bits
    )
    return found


# --- operands -----------------------------------------------------------------------------------


class Parts(NamedTuple):
    """Numbers: significands times 2^(exponent - 1) times the least positive number."""

    significand: Integers
    exponent: Integers


def _parts(fmt: Format, codes: Integers) -> Parts:
    """Of magnitude codes."""
    field, fraction = codes >> fmt.fraction_bits, codes & (1 << fmt.fraction_bits) - 1
    return Parts(fraction + ((field > 0) << fmt.fraction_bits), np.maximum(field, 1))


# --- hypot --------------------------------------------------------------------------------------


def _hypotenuses(fmt: Format, mode: RoundingMode, policy: OverflowPolicy, y: int) -> Codes:
    """Signs do not matter; infinite if an operand is, even beside a NaN."""
    y &= fmt.sign_mask - 1
    infinity = round_to(fmt, mode, policy, INFINITY)
    half = np.full(fmt.sign_mask, infinity if y == fmt.infinity else fmt.canonical_nan, np.uint16)
    half[fmt.infinity] = infinity
    if y < fmt.infinity:
        half[: fmt.infinity] = _rounded(fmt, mode, policy, 0, _quarters_of_hypotenuses(fmt, y))
    return np.concatenate((half, half))


def _quarters_of_hypotenuses(fmt: Format, y: int) -> Integers:
    """Of every number x of positive sign."""
    codes = np.arange(fmt.infinity)
    quarters = 4 * np.maximum(codes, y) + (np.minimum(codes, y) > 0)
    # Where exponents, of subnormal numbers 1, are up to p / 2 apart.
    reach, exponent = fmt.precision // 2, max(y >> fmt.fraction_bits, 1)
    low = exponent - reach << fmt.fraction_bits if exponent > reach + 1 else 0
    high = min(exponent + reach + 1 << fmt.fraction_bits, fmt.infinity)
    quarters[low:high] = _near(fmt, y, codes[low:high])
    return quarters


def _near(fmt: Format, y: int, codes: Integers) -> Integers:
    """Of numbers next to y."""
    a, b = (_parts(fmt, each) for each in (np.maximum(codes, y), np.minimum(codes, y)))
    places = a.exponent - b.exponent
    square = (a.significand << places + 1) ** 2 + 4 * b.significand**2
    root = np.sqrt(square.astype(np.float64)).astype(np.int64)
    rest = square - root * root
    if rest.min() < 0 or (rest > 2 * root).any():
        raise ArithmeticError(f"a root beside {y:#x} is none")  # which no correct square root does
    # Places of the root below half of the last place of the result, which may be one exponent more.
    carry = root >> places + fmt.precision + 1
    below = places + carry
    halves = root >> below
    more = (halves << below != root) | (rest > 0)
    quarters: Integers = 4 * (a.exponent - 1 + carry << fmt.fraction_bits) + 2 * halves + more
    return quarters


# --- angles and powers --------------------------------------------------------------------------


def _enclosed(function: str) -> Row:
    """Rows of a function whose values are between doubles; what these do not decide is computed."""

    def row(fmt: Format, mode: RoundingMode, policy: OverflowPolicy, y: int) -> Codes:
        results = _of_classes(function, fmt, mode, policy, _representative(fmt, y)).copy()
        if decode(fmt, y).kind is not Kind.FINITE or not y & fmt.sign_mask - 1:
            return results
        for first in (1, fmt.sign_mask + 1):
            found = ENCLOSURES[function](fmt, bool(first > 1), y)
            if found is None:
                continue
            sign, values = found
            below = halves_below(fmt, values * (1 - enclosed_rows.ERROR))
            above = (values * (1 + enclosed_rows.ERROR)).view(np.int64) - 1
            numbers = results[first : first + len(values)]
            numbers[:] = _rounded(fmt, mode, policy, sign, 2 * below + 1)
            undecided = below != halves_below(fmt, above.view(np.float64))
            for place in np.flatnonzero(undecided).tolist():
                numbers[place] = functions_of_two.compute(function, fmt, mode, policy, first + place, y)
        return results

    return row


def _representative(fmt: Format, y: int) -> int:
    """A code that has the same results where x is zero, 1 or -1, infinite or NaN: sign, and parity."""
    value = decode(fmt, y)
    if value.kind is Kind.NAN:
        return fmt.canonical_nan
    if value.kind is Kind.INFINITE or value.is_zero:
        return y
    one, half = fmt.bias << fmt.fraction_bits, 1 << fmt.fraction_bits - 1
    odd = value.rational.numerator % 2
    magnitude = one + half if value.rational.denominator > 1 else one if odd else one + 2 * half
    return y & fmt.sign_mask | magnitude


@lru_cache(256)
def _of_classes(function: str, fmt: Format, mode: RoundingMode, policy: OverflowPolicy, y: int) -> Codes:
    """A row that is right where an operand is zero, infinite or NaN, or x is 1 or -1."""
    one, size = fmt.bias << fmt.fraction_bits, fmt.sign_mask
    results = np.empty(2 * size, np.uint16)
    ends = (0, 1, one, one + 1, fmt.infinity, fmt.infinity + 1, size)
    for sign, (first, end) in product((0, size), pairwise(ends)):
        result = functions_of_two.compute(function, fmt, mode, policy, sign + first, y)
        results[sign + first : sign + end] = result
    return results


def _powers(fmt: Format, negative: bool, y: int) -> Enclosed | None:
    """Of positive numbers, or of negative ones, of which none but whole powers are numbers."""
    power = decode(fmt, y).signed
    if negative and power.denominator != 1:
        return None
    return int(negative and power.numerator % 2), enclosed_rows.powers(fmt, float(power))


def _angles(fmt: Format, negative: bool, y: int) -> Enclosed:
    """They have the sign of y."""
    value = decode(fmt, y)
    return value.sign, enclosed_rows.angles(fmt, negative, float(value.rational))


Enclosed = tuple[int, NDArray[np.float64]]
"""A sign, and for every magnitude of x but 0 a double near which the result is, and no zero."""

ENCLOSURES: dict[str, Callable[[Format, bool, int], Enclosed | None]] = {
    "pow": _powers,
    "atan2": _angles,
}
"""Of x of one sign beside y, numbers other than 0; None if there is no number."""

# --- fmod ---------------------------------------------------------------------------------------


def _remainders(fmt: Format, mode: RoundingMode, policy: OverflowPolicy, y: int) -> Codes:
    """What a division of whole multiples of the least number leaves is one, with the sign of x."""
    if fmt.largest_finite >> fmt.fraction_bits > 62 - fmt.precision:
        raise ValueError(
            f"remainders of {fmt.name} are not told row by row: it has numbers too far apart"
        )
    y &= fmt.sign_mask - 1
    half = np.full(fmt.sign_mask, fmt.canonical_nan, np.int64)
    codes = np.arange(fmt.infinity)
    if y == fmt.infinity:
        half[: fmt.infinity] = codes
    elif 0 < y < fmt.infinity:
        x, (divisor, place) = _parts(fmt, codes), _parts(fmt, np.array(y))
        rest = (x.significand << x.exponent - 1) % (divisor << place - 1)
        least = fmt.minimum_exponent - fmt.fraction_bits
        half[: fmt.infinity] = halves_below(fmt, np.ldexp(rest.astype(np.float64), least)) >> 1
    negative = np.where(half == fmt.canonical_nan, half, half | fmt.sign_mask)
    return np.concatenate((half, negative)).astype(np.uint16)


Row = Callable[[Format, RoundingMode, OverflowPolicy, int], Codes]

ROWS: dict[str, Row] = {
    "hypot": _hypotenuses,
    **{name: _enclosed(name) for name in ENCLOSURES},
    "truncated_remainder": _remainders,
}
"""A row of every function, by y; the last is C's fmod."""


def compute(
    function: str, fmt: Format, mode: RoundingMode, policy: OverflowPolicy, x: int, y: int
) -> int:
    """The definition of what rows are of.

    Raises:
        KeyError: if there is no such function.
    """
    if function in exact.EXACT_OPERATIONS:
        return exact.compute(function, fmt, mode, policy, x, y)
    return functions_of_two.compute(function, fmt, mode, policy, x, y)
