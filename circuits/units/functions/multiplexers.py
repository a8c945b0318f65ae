"""Of gates of two inputs: each bit of the result as a choice by one bit of x after another.

Choices that are equal are made once, from whichever bit of the result they come, and so are halves
that are: a reduced decision diagram of the whole table, by the top bits first, of which most functions
have few choices. Where one half is the complement of the other, the bit is an XOR; where one is
constant, a gate does for a multiplexer.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spikeproof.circuits.netlist import ONE, ZERO, Bus
from spikeproof.circuits.units.adders import choice
from spikeproof.circuits.units.functions.changes import Table
from spikeproof.circuits.units.libraries import GateLibrary

Truths = NDArray[np.bool_]


def multiplexers_unit(gates: GateLibrary, x: Bus, table: Table) -> Bus:
    """The result of a table."""
    made: dict[bytes, int] = {}
    return tuple(
        _chosen(gates, x, (table.results >> place & 1).astype(bool), made)
        for place in range(table.width)
    )


def _chosen(gates: GateLibrary, x: Bus, values: Truths, made: dict[bytes, int]) -> int:
    """The bit that has these values, as many as numbers that bits of x may be, the lowest ones."""
    if values.all() or not values.any():
        return ONE if values[0] else ZERO
    key = values.tobytes()
    if key not in made:
        low, high = values.reshape(2, -1)
        select = x[len(low).bit_length() - 1]
        zero = _chosen(gates, x, low, made)
        if np.array_equal(low, high):
            made[key] = zero
        elif np.array_equal(low, ~high):
            made[key] = gates.xor(select, zero)
        else:
            made[key] = choice(gates, select, _chosen(gates, x, high, made), zero)
    return made[key]
