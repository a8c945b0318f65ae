"""The obligations: one short statement each, and nothing else.

* ``proofs.cells``        -- every gate of every library is its Boolean function
* ``proofs.blocks``       -- every integer block is its integer function
* ``proofs.units``        -- every floating-point unit is its IEEE 754 operation
* ``proofs.exact_units``  -- so is every conversion, and every unit that does not round
* ``proofs.sticky_extra`` -- S1's Sticky-Extra Correction: sufficient, and which routes are necessary
* ``proofs.adequacy``     -- the spec's rounding formula is what the standard says in words
"""

from collections.abc import Iterator
from itertools import chain

from proofs import adequacy, blocks, cells, exact_units, sticky_extra, units
from prover.obligation import Obligation


def obligations() -> Iterator[Obligation]:
    """Everything this project promises, the simplest first."""
    return chain.from_iterable(
        family.obligations() for family in (cells, blocks, adequacy, units, exact_units, sticky_extra)
    )
