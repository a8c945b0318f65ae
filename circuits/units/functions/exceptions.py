"""What programs get wrong, by one in the last place: found by trying them on all inputs.

For formats of up to ``TRIED`` bits that is done whenever a circuit is made. For others
``exceptions.json`` has what was found by

    python -m spikeproof.circuits.units.functions.exceptions

which takes some minutes for each line that it writes. No theorem rests on it: what is left out is refuted.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib import resources
from itertools import pairwise, product

import numpy as np

from spikeproof.circuits.units.functions.exponentials import Exponential
from spikeproof.circuits.units.functions.mended import Plan, name_of, simplest
from spikeproof.circuits.units.functions.values import results_at
from spikeproof.circuits.units.functions.words import Arrays, ArrayWord
from spikeproof.specs.formats import FP32, OverflowPolicy, RoundingMode

TRIED = 20
"""Bits."""

CHUNK = 1 << 14
"""Inputs tried at once."""

MARGIN = 64
"""Sums that come so near to a boundary of rounding, in units of their last place, are compared."""

FILE = "exceptions.json"


def exceptions_of(plan: Plan) -> Mapping[int, int]:
    """The codes of which the program has wrong results, and what is to be added to these.

    Raises:
        ValueError: if the format is too wide to try, and nothing is kept.
    """
    plan = simplest(plan)
    if plan.fmt.width <= TRIED:
        return dict(tried(plan))
    if name_of(plan) not in (kept := _kept()):
        raise ValueError(
            f"no exceptions are kept for {name_of(plan)}; there are those of {', '.join(kept)}"
        )
    return kept[name_of(plan)]


@lru_cache(maxsize=1)
def _kept() -> dict[str, dict[int, int]]:
    text = (resources.files(__package__) / FILE).read_text(encoding="ascii")
    return {
        name: {code: int(more) for more, codes in found.items() for code in codes}
        for name, found in json.loads(text).items()
    }


def tried(plan: Plan, first: int = 0, end: int | None = None) -> Iterator[tuple[int, int]]:
    """The same for codes from the first on."""
    bounds = [0, *plan.regions.starts, 1 << plan.fmt.width]
    for (start, stop), ordinary in zip(pairwise(bounds), plan.regions.ordinary, strict=True):
        if ordinary:
            for chunk in range(max(start, first), min(stop, end or stop), CHUNK):
                yield from _wrong(plan, chunk, min(chunk + CHUNK, stop, end or stop))


def _wrong(plan: Plan, first: int, end: int) -> Iterator[tuple[int, int]]:
    codes = np.arange(first, end)
    found = plan.program(Arrays(), ArrayWord(codes, plan.fmt.width))
    lost = (np.int64(1) << found.lost) - 1
    near = np.flatnonzero((found.total + MARGIN & lost) < 2 * MARGIN)
    if len(near):
        right = results_at(plan.function, plan.fmt, plan.mode, plan.policy, codes[near])
        for code, more in zip(codes[near].tolist(), (right - found.code[near]).tolist(), strict=True):
            if more:
                yield code, more


def _write() -> None:
    found: dict[str, dict[str, list[int]]] = {}
    for function, mode in product(("exp", "exp2"), (RoundingMode.NEAREST_EVEN, RoundingMode.DOWN)):
        plan = Exponential(function, FP32, mode, OverflowPolicy.IEEE)
        wrong = list(tried(plan))
        found[name_of(plan)] = {
            str(more): [code for code, each in wrong if each == more]
            for more in sorted({more for _, more in wrong})
        }
        print(name_of(plan), len(wrong), file=sys.stderr, flush=True)
        with resources.as_file(resources.files(__package__) / FILE) as path:
            path.write_text(json.dumps(found, indent=1) + "\n", encoding="ascii")


if __name__ == "__main__":
    _write()
