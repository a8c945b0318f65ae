"""Exception flags for people: which are raised, and which are missing or too many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeproof.prover.claims.obligation import Obligation
from spikeproof.specs.formats import FLAGS

RAISED = "flags"
"""The output bus that they are, of a unit that has them."""


def has_flags(obligation: Obligation, outputs: Mapping[str, int]) -> bool:
    """Whether a theorem speaks of exception flags.

    Args:
        outputs: widths of the output buses, by name.
    """
    return obligation.reading is not None and outputs.get(RAISED) == len(FLAGS)


def raised(word: int) -> str:
    """Those that a word raises, by name."""
    return ", ".join(name for place, name in enumerate(FLAGS) if word >> place & 1) or "none"


def flags_that_differ(found: NDArray[Any], wanted: NDArray[Any]) -> Counter[str]:
    """How many words lack a flag, or have one too many."""
    counts = {}
    for place, name in enumerate(FLAGS):
        has, should = (words >> place & 1 == 1 for words in (found, wanted))
        counts[f"{name} missing"] = int(np.count_nonzero(should & ~has))
        counts[f"{name} too many"] = int(np.count_nonzero(has & ~should))
    return Counter({words: times for words, times in counts.items() if times})
