"""Quotients by comparison, on every input, against integers."""

import numpy as np
import pytest

from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.units.forms import NEVER, bits, number, signals
from spikeproof.circuits.units.functions.quotient import quotient
from spikeproof.circuits.units.functions.sums import Sums
from spikeproof.circuits.units.libraries import library_gates


def results(size: int, offset: int, doubled: bool = False):
    """Dividends and divisors of five bits, and the digits of (3 x + offset) // y and what remains."""
    gates = library_gates("threshold")
    x, y = (bits(gates.builder.input(name, 5)) for name in "xy")
    divisor = (NEVER, *y) if doubled else y
    sums = Sums(gates)
    digits, rest = quotient(sums, number(x) * 3 + offset, divisor, size)
    remainder = sums.digits(rest + 512, 12)
    netlist = gates.builder.build({"digits": signals(gates, digits), "rest": signals(gates, remainder)})
    every = np.arange(1 << 10, dtype=np.uint64)
    found = boolean.evaluate(netlist, {"x": every & 31, "y": every >> 5})
    values = (every & 31).astype(int) * 3 + offset
    return values, (every >> 5).astype(int) << doubled, *(found[name].astype(int) for name in found)


@pytest.mark.parametrize("offset", [0, 7, -40])
@pytest.mark.parametrize("doubled", [False, True])
@pytest.mark.parametrize("size", [1, 3, 7])
def test_quotient(size, offset, doubled):
    values, divisors, digits, rest = results(size, offset, doubled)
    expected = np.where(divisors, values // np.maximum(divisors, 1), np.where(values < 0, -1, 1 << size))
    expected = np.clip(expected, 0, (1 << size) - 1)
    assert np.array_equal(digits, expected)
    assert np.array_equal(rest - 512, values - expected * divisors)
