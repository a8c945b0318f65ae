"""Floating-point square roots of one bit of the root a row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from spikeproof.circuits.netlist import ONE, ZERO, Bus, Netlist
from spikeproof.specs.formats import Format
from tests.support.foreign.floats import Unit
from tests.support.foreign.gates import Gates, constant, extend

Root = Callable[[Gates, Bus], tuple[Bus, Bus]]
"""From a radicand of 2n bits n bits of its root, and what remains."""


def restoring(gates: Gates, radicand: Bus) -> tuple[Bus, Bus]:
    """(4 root + 1) is subtracted where that leaves no less than nothing."""
    width = len(radicand) // 2 + 2
    rest: Bus = (ZERO,) * width
    root: Bus = ()
    for low in reversed(range(0, len(radicand), 2)):
        rest = (*radicand[low : low + 2], *rest)[:width]
        less, fits = gates.ripple(rest, gates.invert(extend((ONE, ZERO, *root), width)), ONE)
        root, rest = (fits, *root), gates.choose(fits, less, rest)
    return root, rest[: len(root) + 1]


def non_restoring(gates: Gates, radicand: Bus) -> tuple[Bus, Bus]:
    """(4 root + 1) is subtracted from what is not negative, (4 root + 3) is added to what is."""
    width = len(radicand) // 2 + 3
    rest: Bus = (ZERO,) * width
    root: Bus = ()
    fits = ONE
    for low in reversed(range(0, len(radicand), 2)):
        rest = (*radicand[low : low + 2], *rest)[:width]
        step = (ONE, gates.not_(fits), *root)
        rest, _ = gates.kogge_stone(rest, gates.flip(extend(step, width), fits), fits)
        fits = gates.not_(rest[-1])
        root = (fits, *root)
    restored, _ = gates.ripple(rest, gates.mask(extend((ONE, *root), width), rest[-1]))
    return root, restored[: len(root) + 1]


def square_root(fmt: Format, root: Root = restoring, **options: Any) -> Netlist:
    """The root of x: the operand normalised to an even exponent. No result is subnormal.

    Args:
        options: of ``Unit``.
    """
    unit = Unit(fmt, "x", **options)
    gates, x = unit.gates, unit.number(unit.codes[0])
    width = fmt.exponent_bits + 2
    significand, exponent = unit.normalised(x, width)
    biased, _ = gates.ripple(exponent, constant(fmt.bias, width))  # twice the result's, or one more
    odd = biased[0]
    size = 2 * (fmt.precision + 1)
    low = size - 2 - fmt.fraction_bits
    single, double = (extend((*(ZERO,) * places, *significand), size) for places in (low, low + 1))
    bits, remainder = root(gates, gates.choose(odd, double, single))
    half = (*biased[1:], ZERO)
    nonzero = gates.not_(x.zero)
    finite = unit.shifted_right_and_rounded(half, bits, gates.any_(remainder), nonzero)
    negative = gates.and_(x.sign, nonzero)
    return unit.deliver(x.sign, finite, x.infinite, gates.or_(x.nan, negative), (x,))
