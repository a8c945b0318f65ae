"""Comparison sums on every input, from below 0 to beyond the last digit."""

import numpy as np
import pytest

from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.units.comparison_sum import comparison_sum
from spikeproof.circuits.units.forms import bits, number, signals, total
from spikeproof.circuits.units.libraries import library_gates


def built(weights, constant: int, size: int, step: int, low=None, high=None):
    """The netlist of the digits of constant + weights . x, and what that is for each x."""
    gates = library_gates("threshold")
    x = gates.builder.input("x", len(weights))
    form = total(weight * place for weight, place in zip(weights, bits(x), strict=True)) + constant
    values = constant + (np.arange(1 << len(weights))[:, None] >> np.arange(len(weights)) & 1) @ weights
    if low is not None:
        form = form.within(low, high)
    digits = comparison_sum(gates, form, size, step)
    return gates.builder.build({"out": signals(gates, digits)}), values


def outputs(netlist, width: int) -> np.ndarray:
    return boolean.evaluate(netlist, {"x": np.arange(1 << width, dtype=np.uint64)})["out"].astype(int)


@pytest.mark.parametrize("step", [1, 2, 3, 4])
@pytest.mark.parametrize(
    ("weights", "constant"),
    [
        ((1, 2, 4, 8), 0),
        ((1, 2, 4, 8), 5),
        ((1, 2, 4, 8, 16), -9),
        ((3, 5, 7, -6, -11), 2),
        ((-1, -2, -4, -8), 20),
        ((9, 9, 9, 9, -20), -3),
        ((1, 1), -7),
        ((1, 1), 40),
    ],
)
def test_digits_and_clamping(weights, constant, step):
    netlist, values = built(weights, constant, 4, step)
    assert np.array_equal(outputs(netlist, len(weights)), np.clip(values, 0, 15))


def test_a_neuron_and_a_level_for_each_digit():
    netlist, _ = built((9, 9, 9, 9, -20), -3, 4, 1)
    assert (netlist.statistics.neurons, netlist.statistics.depth) == (4, 4)
    netlist, _ = built((9, 9, 9, 9, -20), -3, 4, 2)
    assert netlist.statistics.depth == 3  # two of thermometers, and one for a digit that is a sum


@pytest.mark.parametrize("step", [1, 2])
def test_what_the_range_decides_takes_no_neuron(step):
    netlist, values = built((1, 1, 1, 1), 0, 8, step, 0, 4)
    assert np.array_equal(outputs(netlist, 4), values)
    assert netlist.statistics.neurons <= 5 + 1  # and one for all the digits that are 0


def test_a_product_is_one():
    """4 x 4 bits: 16 neurons for products of digits, and 8."""
    gates = library_gates("threshold")
    x, y = gates.builder.input("x", 4), gates.builder.input("y", 4)
    rows = (number(bits(tuple(gates.and_(a, b) for b in y))) * (1 << index) for index, a in enumerate(x))
    digits = comparison_sum(gates, total(rows).within(0, 225), 8)
    netlist = gates.builder.build({"out": signals(gates, digits)})
    a, b = (each.ravel() for each in np.meshgrid(np.arange(16), np.arange(16)))
    found = boolean.evaluate(netlist, {"x": a.astype(np.uint64), "y": b.astype(np.uint64)})["out"]
    assert np.array_equal(found, a * b)
    assert netlist.statistics.neurons == 24
