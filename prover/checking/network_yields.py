"""Shares of devices that are right on an image, examined again: sums of normal tails, in integers.

Each number of a device is its nominal value times 1 + d, the d normal, of mean 0 and deviation sigma,
all independent. Some hidden neurons are *free*: they may do whatever they like. A device is right if

1. no other hidden neuron does otherwise than without deviations, and
2. whatever the free ones do, no rival gains on the class by as much as it is then behind.

A neuron does otherwise with at most the normal tail of its margin over sigma times the root of the sum
of squares of what it compares. Outputs have no number in common with hidden neurons. So whatever these
do, the lead of the class over a rival is normal: its mean is at least the least that free neurons leave,
its deviation at most sigma times the root of the sum of squares of all that may be added. A device is
wrong with at most the sum of the tails, whether these events have to do with each other or not.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from math import isqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeproof.prover.checking.robustness import CertificateError, places
from spikeproof.specs.networks import Network, run
from spikeproof.specs.spreads import midway, require_squares, require_two_layers

PLACES, FARTHEST = 100, 20
"""Distances are rounded down to hundredths of a deviation, and to 20 if they are farther."""

UNIT = 1 << 256
"""What 1 is in chances."""

PI = Fraction("3.14159265358979323846264338327950288419716939937510582097494460")
"""A little more than it is."""


def require_right(
    network: Network,
    given: NDArray[Any],
    label: int,
    deviation: Fraction,
    least: Fraction,
    free: list[int],
) -> None:
    """That no smaller share of devices gives an image its class.

    Args:
        free: which hidden neurons may do whatever they like.

    Raises:
        CertificateError: if that is not shown.
    """
    wrong = sum(
        most_beyond(_distance(margin, square, deviation))
        for margin, square in _events(network, given, label, free)
    )
    if least > 1 - Fraction(wrong, UNIT):
        raise CertificateError(f"fewer devices may be right than {float(least):.6f} of all")


def _events(
    network: Network, given: NDArray[Any], label: int, free: list[int]
) -> Iterator[tuple[int, int]]:
    """What may make a device wrong: a margin that deviations must use up, and the sum of squares of what
    deviates.

    Raises:
        CertificateError: if it may be wrong without any.
    """
    hidden, outputs = require_two_layers(network)
    require_squares(network)
    bits, middle = np.asarray(given).reshape(-1).astype(np.int64), midway(hidden)
    margins = 2 * (hidden.weights @ bits + hidden.bias) - middle
    squares = 4 * (hidden.weights**2 @ bits + hidden.bias**2) + middle**2
    unbound = np.zeros(hidden.neurons, bool)
    unbound[places(free, hidden.neurons)] = True
    yield from zip(np.abs(margins[~unbound]).tolist(), squares[~unbound].tolist(), strict=True)
    surely = (margins >= 0) & ~unbound
    own, own_bias = outputs.weights[label], int(outputs.bias[label])
    for rival in range(outputs.neurons):
        if rival == label:
            continue
        other, other_bias = outputs.weights[rival], int(outputs.bias[rival])
        ahead, size = own - other, own**2 + other**2
        lead = own_bias - other_bias + int(ahead[surely].sum() + np.minimum(ahead[unbound], 0).sum())
        square = own_bias**2 + other_bias**2 + int(size[surely | unbound].sum())
        if lead <= 0:
            raise CertificateError(f"without deviations of outputs class {rival} may win")
        if square:
            yield lead, square


def _distance(margin: int, square: int, deviation: Fraction) -> int:
    """How far a margin is, in hundredths of its deviation, rounded down."""
    over, under = (PLACES * margin * deviation.denominator) ** 2, square * deviation.numerator**2
    return min(isqrt(over // under), PLACES * FARTHEST)


@cache
def most_beyond(distance: int) -> int:
    """No less than the chance that a normal number is so many hundredths above its mean, or more.

    Between 0 and z there are (z + z^3/3 + z^5/(3 5) + ...) e^(-z z / 2) / sqrt(2 pi): integrate by parts
    again and again. All terms are positive, so that leaving some out, rounding others down, and dividing
    by too large an exponential leave too little, and 1/2 less that is too much.
    """
    square, squares = distance**2, PLACES**2
    inside, term, factor = 0, UNIT * distance // PLACES, 1
    while term:
        inside += term
        factor += 2
        term = term * square // (squares * factor)
    exponential, term, factor = 0, UNIT, 0
    while term > 1 or factor * squares < square:
        exponential += term
        factor += 1
        term = -(-term * square // (2 * squares * factor))
    exponential += 2 * term  # each of the rest is less than half of the one before it
    root = isqrt(int(2 * PI * UNIT**2)) + 1
    return UNIT // 2 - inside * UNIT**2 // (exponential * root)


def check_yield(
    network: Network, given: NDArray[Any], label: int, deviation: Fraction, record: Any
) -> None:
    """That a record of an image holds: its class, and the share of devices that give it its label.

    Raises:
        CertificateError: if it does not.
        ValueError, TypeError, KeyError: if it is none.
    """
    if run(network, np.asarray(given).reshape(1, -1)).decision != record["class"]:
        raise CertificateError(f"its class is not {record['class']}")
    least = Fraction(record["least"])
    if least:
        require_right(network, given, label, deviation, least, record["free"])
    elif record["free"]:
        raise CertificateError("neurons are free where nothing is known")
