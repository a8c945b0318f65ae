"""How much is tested: a sample by default, all of it in the nightly profile.

``SPIKEPROOF_CASES`` is how many cases of a kind are drawn (default 1,000); with 100,000, the nightly
number, tests that try a sample of their combinations or mutants by default try every one.
"""

import os
import random
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable
from typing import TypeVar

CASES = int(os.environ.get("SPIKEPROOF_CASES", "1000"))
NIGHTLY = CASES >= 100_000

_SEED = 20261122

T = TypeVar("T")


def one_of_each(cases: Iterable[T], kind: Callable[[T], Hashable]) -> list[T]:
    """One case of every kind, drawn by a fixed seed; all cases in the nightly profile."""
    cases = list(cases)
    if NIGHTLY:
        return cases
    of_kind = defaultdict(list)
    for case in cases:
        of_kind[kind(case)].append(case)
    rng = random.Random(_SEED)
    return [rng.choice(alternatives) for alternatives in of_kind.values()]


def parameter_id(parameter: object) -> str:
    """A name for a parameter in a test's name: that of a format, an operation, a policy or a fault."""
    return str(getattr(parameter, "value", getattr(parameter, "name", parameter)))
