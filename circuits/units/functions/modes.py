"""Modes of rounding by two of them: to nearest even, and toward zero; what others have more is one bit.

Ties away is to nearest even, since what is made so has no ties but where it is exact. Upward, downward
and to odd are toward zero, and count or tell besides whether anything was cut off.
"""

from __future__ import annotations

from spikeproof.circuits.units.forms import Bits, Form, all_of, any_of
from spikeproof.circuits.units.libraries import GateLibrary
from spikeproof.specs.formats import NEAREST, RoundingMode

ASKING = (RoundingMode.UP, RoundingMode.DOWN, RoundingMode.TO_ODD)
"""Modes in which it matters whether a result was exact."""

MADE = (RoundingMode.NEAREST_EVEN, RoundingMode.TOWARD_ZERO)
"""Modes that all are made from."""


def simplest(mode: RoundingMode) -> RoundingMode:
    """The mode that a mode is made from."""
    return MADE[mode not in NEAREST]


def away(gates: GateLibrary, mode: RoundingMode, inexact: Form, negative: Form) -> Form:
    """What is added to the code of a magnitude that was cut off: a bit."""
    if mode is RoundingMode.UP:
        return all_of(gates, inexact, 1 - negative)
    if mode is RoundingMode.DOWN:
        return all_of(gates, inexact, negative)
    return Form()


def to_odd(gates: GateLibrary, mode: RoundingMode, digits: Bits, inexact: Form) -> Bits:
    """The digits of a code that was cut off: the last is 1 if anything was lost, too."""
    if mode is not RoundingMode.TO_ODD:
        return digits
    return (any_of(gates, digits[0], inexact), *digits[1:])
