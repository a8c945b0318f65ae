"""What programs get wrong, by one or two in the last place: found by trying them on all inputs.

For formats of up to ``TRIED`` bits that is done whenever a circuit is made. For others
``exceptions.json`` has what was found by

    python -m benchmarks.function_exceptions

which needs half a minute for each. No theorem rests on that: what is missing there is refuted.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib import resources

import numpy as np

from spikeproof.circuits.units.functions.mended import Found, Plan
from spikeproof.circuits.units.functions.values import results_at
from spikeproof.circuits.units.functions.words import Arrays, ArrayWord, Integers

TRIED = 20
"""Bits."""

CHUNK = 1 << 14
"""Inputs tried at once."""

FILE = "exceptions.json"


def exceptions_of(plan: Plan) -> Mapping[int, int]:
    """The codes of which the program has wrong results, and what is to be added to these.

    Raises:
        ValueError: if the format is too wide to try, and nothing is kept.
    """
    plan = plan.simplest
    if plan.fmt.width <= TRIED:
        return dict(tried(plan))
    if plan.name not in (kept := _kept()):
        raise ValueError(f"no exceptions are kept for {plan.name}; there are those of {', '.join(kept)}")
    return kept[plan.name]


@lru_cache(maxsize=1)
def _kept() -> dict[str, dict[int, int]]:
    text = (resources.files(__package__) / FILE).read_text(encoding="ascii")
    return {
        name: {code: int(more) for more, codes in found.items() for code in codes}
        for name, found in json.loads(text).items()
    }


def tried(plan: Plan) -> Iterator[tuple[int, int]]:
    """The same, found now."""
    for start, stop in plan.spans:
        for first in range(start, stop, CHUNK):
            codes = np.arange(first, min(first + CHUNK, stop))
            found = plan.program(Arrays(), ArrayWord(codes, plan.fmt.width))
            yield from wrong(plan, codes, found)


def wrong(plan: Plan, codes: Integers, found: Found) -> Iterator[tuple[int, int]]:
    """The same of some codes, where what a program comes to is arrays."""
    size = np.maximum(found.divisor, np.int64(1) << found.lost)
    near = np.flatnonzero((found.total + plan.margin) % size < 2 * plan.margin)
    if len(near):
        right = results_at(plan.function, plan.fmt, plan.mode, plan.policy, codes[near])
        right %= plan.fmt.sign_mask
        for code, more in zip(codes[near].tolist(), (right - found.code[near]).tolist(), strict=True):
            if more:
                yield code, more
