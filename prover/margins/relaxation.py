"""Potentials that relax: within and from which times they are above and below a share, for every tau.

Times are in nanoseconds, and rounded to whole picoseconds to the safe side.
"""

from __future__ import annotations

import math
from fractions import Fraction

from spikeproof.circuits.physics.substrates import MEMRISTIVE
from spikeproof.circuits.physics.uncertainty import Interval
from spikeproof.prover.margins.enclosure import decay, logarithm

PICOSECOND = Fraction(1, 1000)

FASTEST, SLOWEST = MEMRISTIVE.parameters["tau"].ends
"""The relaxation times of the range."""


def above_until(share: Fraction, tau: Fraction = FASTEST) -> Fraction:
    """Up to when more than a share of a potential is left, for every tau of at least one.

    Raises:
        SubstrateError: if tau is not in the range of the substrate.
        ValueError: if the share is not between 0 and 1.
    """
    MEMRISTIVE.parameters["tau"].value("tau", tau)
    _require_share(share)
    time = tau * logarithm(1 / share).low
    return math.floor(time / PICOSECOND) * PICOSECOND


def below_from(share: Fraction) -> Fraction:
    """From when on less than a share of a potential is left, whatever tau.

    Raises:
        ValueError: if the share is not between 0 and 1.
    """
    _require_share(share)
    time = SLOWEST * logarithm(1 / share).high
    return (math.floor(time / PICOSECOND) + 1) * PICOSECOND


def _require_share(share: Fraction) -> None:
    if not 0 < share < 1:
        raise ValueError(f"the share left is {share}; use a number between 0 and 1")


def left_between(soonest: Fraction, latest: Fraction | None) -> Interval:
    """An interval of all shares that can be left, between two times or ever after, over all tau."""
    least = decay(latest / FASTEST).low if latest is not None else Fraction(0)
    return Interval(least, decay(soonest / SLOWEST).high)


def surely_left_between(soonest: Fraction, latest: Fraction) -> Interval:
    """An interval of shares each of which is left at some time between two, for some tau."""
    return Interval(decay(latest / FASTEST).high, decay(soonest / SLOWEST).low)
