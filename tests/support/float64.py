"""An oracle of functions in FP16: NumPy's and C's in float64, where those cannot be wrong about it."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from spikeproof.specs.formats import RoundingMode

Doubles = NDArray[np.float64]

_erf = np.vectorize(math.erf, otypes=[float])

FLOAT64 = {
    "exp": np.exp,
    "exp2": np.exp2,
    "expm1": np.expm1,
    "log": np.log,
    "log2": np.log2,
    "log1p": np.log1p,
    "reciprocal": lambda x: 1 / x,
    "rsqrt": lambda x: 1 / np.sqrt(x),
    "sin": np.sin,
    "cos": np.cos,
    "tanh": np.tanh,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "softplus": lambda x: np.logaddexp(0, x),
    "erf": _erf,
    "silu": lambda x: x / (1 + np.exp(-x)),
}

MARGIN = 2.0**-40
"""All of these are nearer than this, relatively, to the true value."""


def certain(value: Doubles) -> NDArray[np.bool_]:
    """Where every number so near to a value lies between the same boundaries of rounding in FP16."""
    with np.errstate(all="ignore"):
        low, high = (boundaries_below(value * factor) for factor in (1 - MARGIN, 1 + MARGIN))
        return np.isfinite(value) & (np.abs(value) > 2.0**-1000) & (low == high)


def boundaries_below(value: Doubles) -> Doubles:
    """Twice the number of units in the last place that a value has, rounded to an integer."""
    exponent = np.maximum(np.frexp(value)[1] - 1, -14) - 10
    return np.floor(np.ldexp(value, 1 - exponent))


def rounded_to_fp16(value: Doubles, mode: RoundingMode) -> NDArray[np.int64]:
    """The codes of values that are ``certain``, in IEEE 754's overflow policy."""
    with np.errstate(over="ignore"):
        nearest = value.astype(np.float16)
    if mode in (RoundingMode.NEAREST_EVEN, RoundingMode.NEAREST_AWAY):
        return nearest.view(np.uint16).astype(np.int64)
    up, down = np.float16(np.inf), np.float16(-np.inf)
    above = np.where(nearest < value, np.nextafter(nearest, up), nearest)
    below = np.where(nearest > value, np.nextafter(nearest, down), nearest)
    toward_zero = np.where(value > 0, below, above)
    toward_zero = np.copysign(toward_zero, nearest)
    chosen = {
        RoundingMode.UP: np.where(value > 0, above, toward_zero),
        RoundingMode.DOWN: np.where(value > 0, toward_zero, below),
    }.get(mode, toward_zero)
    codes = chosen.astype(np.float16).view(np.uint16).astype(np.int64)
    if mode is RoundingMode.TO_ODD:
        overflows = np.abs(value) > 65504
        codes |= (~overflows & (chosen.astype(np.float64) != value)).astype(np.int64)
    return codes
