"""Depth 2, universal: a comparator for each change of the result, and for each of its bits their sum."""

from __future__ import annotations

import numpy as np

from spikeproof.circuits.netlist import Bus
from spikeproof.circuits.units.functions.changes import Table, at_least
from spikeproof.circuits.units.libraries import HALF, GateLibrary


def thermometer_unit(gates: GateLibrary, x: Bus, table: Table) -> Bus:
    """The result of a table: bit b is its first value, plus or minus 1 for each change of it."""
    steps = [at_least(gates, x, int(place)) for place in table.places[1:]]
    result = []
    for bit in table.bits:
        turns = np.diff(bit)
        synapses = [(steps[index], int(turns[index])) for index in np.flatnonzero(turns)]
        result.append(gates.fires(HALF, *synapses, bias=int(bit[0])))
    return tuple(result)
