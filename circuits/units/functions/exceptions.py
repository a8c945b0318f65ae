"""What a program gets wrong, and by how much: found by trying it on all inputs.

Of formats of up to ``TRIED`` bits that is done whenever a circuit is made. Of wider ones the exceptions
are kept in ``exceptions.json``, which ``python -m spikeproof.circuits.units.functions.exceptions`` writes:
minutes for each function.
"""

from __future__ import annotations

import numpy as np

from spikeproof.circuits.units.functions.exponentials import Exponential, exponential
from spikeproof.circuits.units.functions.values import results_at
from spikeproof.circuits.units.functions.words import Arrays, ArrayWord, Integers

CHUNK = 1 << 15

MARGIN = 64
"""Where the sum comes so near to a boundary of rounding, in its last places, the result is compared."""


def near(plan: Exponential, first: int, count: int) -> tuple[Integers, Integers]:
    """The codes that come near to a boundary, of so many from the first on; and what results they have."""
    codes = np.arange(first, first + count)
    found = exponential(Arrays(), ArrayWord(codes, plan.fmt.width), plan)
    modulus = np.int64(1) << plan.places - plan.fmt.fraction_bits + found.shift
    rest = (found.total + MARGIN) & modulus - 1
    chosen = rest < 2 * MARGIN
    return codes[chosen], found.code[chosen]
