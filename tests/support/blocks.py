"""Theorems about functions in blocks: a circuit of words of every kind, of more inputs than tables."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from spikeproof.circuits.netlist import Netlist
from spikeproof.circuits.units.forms import bits, number, signals
from spikeproof.circuits.units.functions.sums import Sums
from spikeproof.circuits.units.libraries import library_gates
from spikeproof.prover.claims.blocked import blocked
from spikeproof.prover.claims.obligation import Obligation

BITS = 17
SLOPES = (3, 5, 11, 2, 9)
PLACES = (100, 250, 300, 511)
EXCEPTIONS = {0: 1, 777: -1, 131071: -2}


@cache
def polynomial(bits_of_x: int = BITS) -> Netlist:
    """For x = 2^8 u + v: (u^2 + slope(u) v) / 4, rounded down, and what its exceptions add to it."""
    gates = library_gates("threshold")
    sums = Sums(gates)
    x = bits(gates.builder.input("x", bits_of_x))
    low, high = x[:8], x[8:]
    slope = sums.table(sums.comparators(number(high), PLACES), SLOPES)
    exact = sums.square(high) + sums.product(signals_of(gates, sums.digits(slope, 4)), low)
    digits = sums.digits(exact, 20)[2:]
    mended = number(digits) + sums.chosen(sums.matches(x, tuple(EXCEPTIONS)), tuple(EXCEPTIONS.values()))
    return gates.builder.build({"result": signals(gates, sums.digits(mended, 18))})


def signals_of(gates, places):
    """Bits, each as a signal."""
    return bits(signals(gates, places))


def values(first: int, count: int, wrong: int | None = None) -> dict[str, NDArray[np.uint32]]:
    """The function of so many numbers; of one the lowest bit may be wrong."""
    x = np.arange(first, first + count)
    u, v = x >> 8, x & 255
    found = u * u + np.array(SLOPES)[np.searchsorted(PLACES, u, side="right")] * v >> 2
    for code, more in EXCEPTIONS.items():
        found[x == code] += more
    if wrong is not None:
        found[x == wrong] ^= 1
    return {"result": found.astype(np.uint32)}


def theorem(name: str = "acme.polynomial", wrong: int | None = None, **others: object) -> Obligation:
    """The theorem about it."""
    return blocked(
        name,
        "x's polynomial in pieces",
        **{
            "circuit": polynomial,
            "results": lambda first, count: values(first, count, wrong),
            "line": lambda x: {"result": int(values(x, 1, wrong)["result"][0])},
            "definition": f"polynomial {wrong}",
            "function": "x's polynomial in pieces",
            **others,
        },  # type: ignore[arg-type]
    )
