"""Operands drawn by class, to look for counterexamples by simulation before a solver is asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeproof.circuits.meanings import boolean
from spikeproof.prover.evidence.record import SEED
from spikeproof.specs.formats import AnyFormat, Format, Packed

ENUMERATED_BITS = 18
"""Inputs of up to so many bits together are enumerated: all pairs of 8 bits, all triples of 6."""

COMPILED_BITS = 24
"""Those that fail of up to so many are counted by compiled circuit and spec: all triples of 8 bits."""

MOST_BITS = 32
"""Inputs of up to so many bits together are enumerated by ``spikeproof exhaust``."""

DRAWN = 4096
"""How many inputs are drawn where there are more."""


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
    """Every input, and True, if they have up to ``ENUMERATED_BITS`` together; else some by class."""
    if sum(widths.values()) <= ENUMERATED_BITS:
        return every_input(widths), True
    return inputs_by_class(widths, formats, DRAWN, SEED), False


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
    return _with_exponents_near(codes, drawn, count, seed) if alike else drawn


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


def many_codes(fmt: Format, count: int, seed: int, operands: int = 2) -> list[NDArray[np.uint64]]:
    """Codes drawn by class, never uniformly: an array for each of up to three operands.

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
