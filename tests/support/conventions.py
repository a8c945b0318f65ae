"""Conventions to try: few, and every pair of choices among them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from itertools import combinations, product

import numpy as np
from numpy.typing import NDArray

from spikeproof.specs.conventions import IEEE, Convention
from spikeproof.specs.formats import ARITY, Format

FIELDS = [e.name for e in fields(Convention) if not e.name.startswith(("integer", "scale"))]
"""The choices that are about results in floating-point formats; they come first."""


def _covering() -> Iterator[Convention]:
    choices = [tuple(type(getattr(IEEE, name))) for name in FIELDS]
    every = [tuple(enumerate(places)) for places in product(*(range(len(each)) for each in choices))]
    pairs = {chosen: frozenset(combinations(chosen, 2)) for chosen in every}
    wanted = set().union(*pairs.values())
    while wanted:
        best = max(every, key=lambda chosen: len(wanted & pairs[chosen]))
        wanted -= pairs[best]
        yield Convention(*(choices[field][place] for field, place in best))


CONVENTIONS = list(_covering())
"""Any two choices of any two fields stand together in one of them."""

SOME = 300


def some_operands(fmt: Format, operation: str, seed: int) -> list[NDArray[np.uint64]]:
    """Operands: all, or ``SOME`` drawn at random."""
    count = ARITY[operation]
    total = np.arange(1 << count * fmt.width, dtype=np.uint64)
    if len(total) > SOME:
        total = np.random.default_rng(seed).choice(total, SOME, replace=False)
    mask = np.uint64((1 << fmt.width) - 1)
    return [total >> np.uint64(fmt.width * place) & mask for place in range(count)]
