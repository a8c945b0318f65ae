"""Roots by comparison, on every input, against integers."""

import math

import numpy as np
import pytest

from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.units.forms import bits, number, signals
from spikeproof.circuits.units.functions.root import root
from spikeproof.circuits.units.functions.sums import Sums
from spikeproof.circuits.units.libraries import library_gates


@pytest.mark.parametrize(("scale", "less"), [(1, 0), (1, 1), (2, 1), (2, 0), (3, 2)])
@pytest.mark.parametrize("size", [1, 3, 6])
def test_root(size, scale, less):
    gates = library_gates("threshold")
    x = bits(gates.builder.input("x", 10))
    digits = root(Sums(gates), number(x) * 3 - 50, size, scale, less)
    netlist = gates.builder.build({"out": signals(gates, digits)})
    found = boolean.evaluate(netlist, {"x": np.arange(1 << 10, dtype=np.uint64)})["out"]
    for x, digits in enumerate(found.tolist()):
        value = 3 * x - 50
        expected = (math.isqrt(value) + less) // scale if value >= 0 else 0
        assert digits == min(expected, (1 << size) - 1)
