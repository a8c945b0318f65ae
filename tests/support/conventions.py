"""Conventions to try: few, and every pair of choices among them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, product

import numpy as np
from numpy.typing import NDArray

from spikeproof.specs.conventions import IEEE, Convention
from spikeproof.specs.formats import ARITY, Format


def _covering() -> Iterator[Convention]:
    every = [tuple(enumerate(choices)) for choices in product(*(type(each) for each in IEEE.choices))]
    wanted = {pair for choices in every for pair in combinations(choices, 2)}
    while wanted:
        best = max(every, key=lambda choices: len(wanted.intersection(combinations(choices, 2))))
        wanted -= set(combinations(best, 2))
        yield Convention(*(choice for _, choice in best))


CONVENTIONS = list(_covering())
"""Any two choices of any two fields stand together in one of them."""

SOME = 700


def some_operands(fmt: Format, operation: str, seed: int) -> list[NDArray[np.uint64]]:
    """Operands: all, or ``SOME`` drawn at random."""
    count = ARITY[operation]
    total = np.arange(1 << count * fmt.width, dtype=np.uint64)
    if len(total) > SOME:
        total = np.random.default_rng(seed).choice(total, SOME, replace=False)
    mask = np.uint64((1 << fmt.width) - 1)
    return [total >> np.uint64(fmt.width * place) & mask for place in range(count)]
