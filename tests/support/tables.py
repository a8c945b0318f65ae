"""Theorems about tables: a circuit of comparators and digits that takes integer square roots."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from spikeproof.circuits.netlist import Netlist, NetlistBuilder
from spikeproof.prover.claims.obligation import Obligation, Outcome
from spikeproof.prover.claims.tabulated import tabulated

BITS = 10

HALF = Fraction(1, 2)


def root(bits: int = BITS, shift: int = 0) -> Netlist:
    """The root of x: how many squares x reaches, digit by digit; of x - shift."""
    builder = NetlistBuilder()
    x = builder.input("x", bits)
    form = [(signal, 1 << place) for place, signal in enumerate(x)]
    least = [builder.neuron(form, k * k + shift - HALF) for k in range(1, 1 << bits // 2)]
    digits: list[tuple[int, int]] = []
    for place in reversed(range(bits // 2)):
        known = ((signal, -1 << above) for above, signal in digits)
        digits.append((place, builder.neuron([*((s, 1) for s in least), *known], (1 << place) - HALF)))
    return builder.build({"result": tuple(signal for _, signal in reversed(digits))})


def roots(bits: int = BITS, wrong: int | None = None) -> dict[str, NDArray[np.uint16]]:
    """The table, with the lowest bit of one line wrong if that is asked."""
    found = np.array([math.isqrt(x) for x in range(1 << bits)], dtype=np.uint16)
    if wrong is not None:
        found[wrong] ^= 1
    return {"result": found}


def theorem(name: str = "acme.root", **others: object) -> Obligation:
    """The theorem about it."""
    return tabulated(
        name,
        "x's integer root",
        **{"circuit": root, "results": roots, "function": "x's integer root", **others},  # type: ignore[arg-type]
    )


def obligations() -> Iterator[Obligation]:
    """What a package announces."""
    yield theorem()
    yield theorem("acme.wrong", results=lambda: roots(wrong=333), expected=Outcome.REFUTED)
    yield theorem("acme.small", circuit=lambda: root(6), results=lambda: roots(6))
