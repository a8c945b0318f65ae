"""Operands drawn by class, to look for counterexamples by simulation before a solver is asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeproof.circuits.meanings import boolean
from spikeproof.prover.evidence.record import SEED
from spikeproof.specs import exact
from spikeproof.specs.formats import AnyFormat, Format, Packed, RoundingMode

ENUMERATED_BITS = 18
"""Inputs of up to so many bits together are enumerated: all pairs of 8 bits, all triples of 6."""

COMPILED_BITS = 24
"""Those that fail of up to so many are counted by compiled circuit and spec: all triples of 8 bits."""

MOST_BITS = 32
"""Inputs of up to so many bits together are enumerated by ``spikeproof exhaust``."""

DRAWN = 4096
"""How many inputs are drawn where there are more."""

CORNERS = DRAWN // 2
"""How many of these are combinations of landmarks, at most."""

LANDMARK_OPERANDS = 3
"""Of more operands landmarks are not combined."""

BESIDE = 96
"""For so many operands others are found so that the result is beside the smallest normal number."""


def every_input(widths: Mapping[str, int]) -> dict[str, NDArray[np.uint64]]:
    """Every combination of values of buses of these widths, the first bus varying fastest."""
    combined = np.arange(1 << sum(widths.values()), dtype=np.uint64)
    values, shift = {}, 0
    for name, width in widths.items():
        values[name] = (combined >> np.uint64(shift)) & np.uint64((1 << width) - 1)
        shift += width
    return values


def every_input_or_some(
    widths: Mapping[str, int], formats: Mapping[str, AnyFormat]
) -> tuple[dict[str, NDArray[Any]], bool]:
    """Every input, and True, if they have up to ``ENUMERATED_BITS`` together; else some by class.

    Those are ``DRAWN``, the first of them corners: combinations of landmarks, and operands whose result
    is just beside the smallest normal number.

    Args:
        formats: of inputs and outputs that have one.
    """
    if sum(widths.values()) <= ENUMERATED_BITS:
        return every_input(widths), True
    corners = [*_combined_landmarks(widths, formats), *_beside_smallest_normal(widths, formats)]
    drawn = inputs_by_class(widths, formats, DRAWN - len(corners), SEED)
    first = zip(*corners, strict=True) if corners else ((),) * len(widths)
    together = {
        name: np.concatenate([np.array(codes, dtype=drawn[name].dtype), drawn[name]])
        for name, codes in zip(widths, first, strict=True)
    }
    return together, False


# --- corners ------------------------------------------------------------------------------------


def landmarks(fmt: Format) -> list[int]:
    """Zeros, infinities, ones, NaNs, the ends of the ranges of normal and subnormal numbers.

    What matters most is first, and no code is twice.
    """
    quiet, infinity = fmt.has_nan, fmt.has_infinity
    signalling = quiet and infinity and fmt.fraction_bits > 1
    smallest_normal = 1 << fmt.fraction_bits
    both = [0, *([fmt.infinity] if infinity else []), fmt.bias << fmt.fraction_bits]
    nans = [*([fmt.canonical_nan] if quiet else []), *([fmt.infinity | 1] if signalling else [])]
    ends = [smallest_normal, fmt.largest_finite, 1, smallest_normal - 1]
    signed = [code | sign for code in both for sign in (0, fmt.sign_mask)]
    negative = [code | fmt.sign_mask for code in (*ends, *nans)]
    return list(dict.fromkeys([*signed, *nans, *ends, *negative]))


def _combined_landmarks(
    widths: Mapping[str, int], formats: Mapping[str, AnyFormat]
) -> Iterator[tuple[int, ...]]:
    """Every combination of as many landmarks of each input as ``CORNERS`` allow."""
    if not set(widths) <= set(formats) or len(widths) > LANDMARK_OPERANDS:
        return
    most = next(n for n in range(CORNERS, 0, -1) if n ** len(widths) <= CORNERS)
    yield from product(*(_landmarks(formats[name])[:most] for name in widths))


def _landmarks(fmt: AnyFormat) -> list[int]:
    if isinstance(fmt, Format):
        return landmarks(fmt)
    top = 1 << fmt.width - 1
    return [0, 1, 2 * top - 1, top, top - 1]


def _beside_smallest_normal(
    widths: Mapping[str, int], formats: Mapping[str, AnyFormat]
) -> Iterator[tuple[int, ...]]:
    """Operands whose product, quotient or sum, or who themselves, are beside the smallest normal number.

    That is of the results' format. A third operand is zero or the smallest number.
    """
    results = [fmt for name, fmt in formats.items() if name not in widths]
    operands = [formats.get(name) for name in widths]
    fmt, result = operands[0], next(iter(results), None)
    same = operands == [fmt] * len(operands) and len(operands) <= LANDMARK_OPERANDS
    if not (same and isinstance(fmt, Format) and isinstance(result, Format)):
        return
    normal = exact.power_of_two(result.minimum_exponent)
    if len(operands) == 1:
        steps = (Fraction(part, 1 << result.fraction_bits + 3) for part in range(-17, 10))
        yield from ((_nearest(fmt, sign * normal * (1 + s)),) for s in steps for sign in (1, -1))
        return
    for place, x in enumerate(many_codes(fmt, BESIDE, SEED, 1)[0].tolist()):
        value = exact.decode(fmt, x)
        if value.kind is exact.Kind.FINITE and not value.is_zero:
            number = value.signed
            for y in (normal / number, number / normal, normal - number):
                beside = _nearest(fmt, y) + place % 3 - 1
                if 0 <= beside < 1 << fmt.width:
                    yield (x, beside, place % 2)[: len(operands)]


def far_apart(widths: Mapping[str, int], formats: Mapping[str, AnyFormat]) -> dict[str, NDArray[Any]]:
    """Operands of one format so far apart that the smaller one just decides how the larger is rounded.

    Their exponents differ by about the digits of a significand, and fractions are at the ends: a small
    operand that is lost shows there alone, and of few fractions. A second operand of three is 1, a
    factor. Of other inputs there are none.
    """
    fmt = formats.get(next(iter(widths), ""))
    same = [formats.get(name) for name in widths] == [fmt] * len(widths)
    if not (same and isinstance(fmt, Format) and 1 < len(widths) <= LANDMARK_OPERANDS):
        return {}
    last, least = (1 << fmt.fraction_bits) - 1, fmt.precision - 2
    most = (1 << fmt.exponent_bits) - 2
    large = [(field, part) for field in (fmt.bias, most) for part in (0, 1, last)]
    small = [(apart, part) for apart in range(least, least + 6) for part in (0, 1, last // 2, last)]
    pairs = [
        (field << fmt.fraction_bits | part, max(field - apart, 0) << fmt.fraction_bits | other | sign)
        for (field, part), (apart, other), sign in product(large, small, (0, fmt.sign_mask))
    ]
    one = [fmt.bias << fmt.fraction_bits] * (len(widths) - 2)
    codes = [(x, *one, y) for pair in pairs for x, y in (pair, pair[::-1])]
    return {
        name: np.array(each, dtype=np.uint64 if fmt.width <= boolean.WORD else object)
        for name, each in zip(widths, zip(*codes, strict=True), strict=True)
    }


def _nearest(fmt: Format, number: Fraction) -> int:
    """The code nearest to a number."""
    value = exact.Value(exact.Kind.FINITE, int(number < 0), abs(number))
    return exact.round_to(fmt, RoundingMode.NEAREST_EVEN, fmt.policies[0], value)


# --- drawn --------------------------------------------------------------------------------------


def inputs_by_class(
    widths: Mapping[str, int], formats: Mapping[str, AnyFormat], count: int, seed: int
) -> dict[str, NDArray[Any]]:
    """Values of input buses: codes as ``many_codes`` draws them, and integers of every length.

    Codes of different formats, and more than three, are drawn each for itself; up to three, but every
    second of them with exponents near each other as those of one format are. So are words of several
    codes.
    """
    kinds = [formats.get(name) for name in widths]
    codes = {name: fmt for name, fmt in zip(widths, kinds, strict=True) if isinstance(fmt, Format)}
    alike = len(codes) == len(widths) <= 3
    if alike and len(set(kinds)) == 1:
        (one,) = set(codes.values())
        return dict(zip(widths, many_codes(one, count, seed, len(kinds)), strict=True))
    drawn = {}
    for place, (name, width) in enumerate(widths.items()):
        fmt = formats.get(name)
        if isinstance(fmt, Format):
            (drawn[name],) = many_codes(fmt, count, seed + place, 1)
        elif isinstance(fmt, Packed):
            drawn[name] = _packed(fmt, count, seed + place)
        else:
            drawn[name] = _integers(width, count, np.random.default_rng([seed, place]))
    in_words = all(fmt.width <= boolean.WORD for fmt in codes.values())
    return _with_exponents_near(codes, drawn, count, seed) if alike and in_words else drawn


def _with_exponents_near(
    formats: Mapping[str, Format], drawn: Mapping[str, NDArray[Any]], count: int, seed: int
) -> dict[str, NDArray[Any]]:
    """Codes, every second of them with the exponents of codes of the format that has the fewest."""
    narrow = min(formats.values(), key=lambda fmt: fmt.exponent_bits)
    near = {}
    for (name, fmt), code in zip(
        formats.items(), many_codes(narrow, count, seed, len(formats)), strict=True
    ):
        field = code >> np.uint64(narrow.fraction_bits) & np.uint64((1 << narrow.exponent_bits) - 1)
        moved = field.astype(np.int64) + fmt.bias - narrow.bias
        moved = moved.clip(0, (1 << fmt.exponent_bits) - 1).astype(np.uint64)
        mask = np.uint64((1 << fmt.magnitude_bits) - (1 << fmt.fraction_bits))
        with_exponent = drawn[name] & ~mask | moved << np.uint64(fmt.fraction_bits)
        near[name] = np.where(np.arange(count) % 2 == 0, with_exponent, drawn[name])
    return near


def _packed(fmt: Packed, count: int, seed: int) -> NDArray[Any]:
    """Words of codes drawn by class."""
    names = [str(place) for place in range(fmt.count)]
    widths, formats = dict.fromkeys(names, fmt.element.width), dict.fromkeys(names, fmt.element)
    drawn = inputs_by_class(widths, formats, count, seed)
    return boolean.pack_words(
        np.concatenate([boolean.unpack_words(drawn[name], fmt.element.width) for name in names])
    )


def _integers(width: int, count: int, rng: np.random.Generator) -> NDArray[Any]:
    """Integers of every length, some of them with all bits inverted."""
    bits = rng.integers(0, 2, (width, count)).astype(bool)
    lengths = rng.integers(0, width + 1, count)
    bits &= np.arange(width)[:, None] < lengths
    return boolean.pack_words(bits ^ (rng.random(count) < 0.25))


def many_codes(fmt: Format, count: int, seed: int, operands: int = 2) -> list[NDArray[Any]]:
    """Codes drawn by class, never uniformly: an array for each of up to three operands.

    They are ``uint64`` for formats of up to 64 bits, Python's integers above.

    Zeros, subnormals, infinities and NaNs are frequent; so are second operands of an exponent near that
    of the first or of its reciprocal, third ones near the product of the others, and fractions of long
    runs of ones and zeros.
    """
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


def _codes(fmt: Format, rng: np.random.Generator, field: NDArray[np.int64]) -> NDArray[Any]:
    """Codes with these exponent fields, of either sign and with fractions of every kind."""
    count = len(field)
    if fmt.width > boolean.WORD:
        return _wide_codes(fmt, rng, field)
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


def _wide_codes(fmt: Format, rng: np.random.Generator, field: NDArray[np.int64]) -> NDArray[Any]:
    """The same where a code is wider than a machine word, from its bits."""
    count, places = len(field), np.arange(fmt.fraction_bits)[:, None]
    fraction = rng.integers(0, 2, (fmt.fraction_bits, count)).astype(bool)
    run = places < rng.integers(0, fmt.fraction_bits + 1, count)
    one = places == rng.integers(0, fmt.fraction_bits, count)
    pattern = rng.integers(0, 6, count)
    kinds = [np.broadcast_to(pattern == kind, fraction.shape) for kind in range(4)]
    fraction = np.select(kinds, [run, ~run, one, fraction & ~run], fraction)
    sign = rng.integers(0, 2, (1, count)).astype(bool)
    exponent = boolean.unpack_words(field.astype(np.uint64), fmt.exponent_bits)
    return boolean.pack_words(np.concatenate([fraction, exponent, sign]))
