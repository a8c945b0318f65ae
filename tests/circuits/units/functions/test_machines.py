"""Forms, tables, quotients and roots of gates, on every input, against integers."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.units.adders import at_least, choice, signed_digits, summed
from spikeproof.circuits.units.forms import NEVER, bit, bits, number, reaches, signals, total, xor
from spikeproof.circuits.units.functions.machines import Gates, machine_of
from spikeproof.circuits.units.functions.words import Neurons
from spikeproof.circuits.units.libraries import LIBRARIES, library_gates, shallow

WIDTH = 7
EVERY = np.arange(1 << WIDTH)
OF_GATES = [name for name, library in LIBRARIES.items() if not library.reads_sums]
WEIGHTS = st.lists(st.integers(-40, 40), min_size=WIDTH, max_size=WIDTH)


def started(library: str = "nexus"):
    gates = library_gates(library)
    return gates, Gates(gates), bits(gates.builder.input("x", WIDTH))


def outputs(gates, places):
    """What bits are for every input; and no neuron is other than the library's gates have."""
    netlist = gates.builder.build({"out": signals(gates, places)})
    allowed = gates.allowed_weights or {-2, -1, 1, 2}
    assert {weight for neuron in netlist.neurons for _, weight in neuron.synapses} <= allowed
    if gates.name == "nexus":
        assert all(len(neuron.synapses) <= 2 for neuron in netlist.neurons)
    return boolean.evaluate(netlist, {"x": EVERY.astype(np.uint64)})["out"].astype(int)


def weighted(x, weights, constant: int = 0):
    """A form, and what it is worth for every input."""
    form = total(place * weight for place, weight in zip(x, weights, strict=True)) + constant
    return form, constant + (EVERY[:, None] >> np.arange(WIDTH) & 1) @ np.array(weights)


def test_which_machine_a_library_has():
    assert type(machine_of(library_gates("threshold"))) is Neurons
    assert {type(machine_of(library_gates(name))) for name in OF_GATES} == {Gates}
    assert type(machine_of(library_gates("ternary", shallow()))) is Neurons


@given(st.integers(-(1 << 70), 1 << 70))
def test_signed_digits(weight):
    found = list(signed_digits(weight))
    assert sum(sign << place for place, sign in found) == weight
    assert all(after - before > 1 for (before, _), (after, _) in pairwise(found))


@pytest.mark.parametrize("library", OF_GATES)
@given(WEIGHTS, st.integers(-200, 200), st.integers(0, 10))
def test_sums(library, weights, constant, size):
    gates, _, x = started(library)
    form, values = weighted(x, weights, constant)
    found = summed(gates, form.constant, form.weights, size)
    assert np.array_equal(outputs(gates, bits((*found, 0))) % (1 << size), values % (1 << size))


@pytest.mark.parametrize("library", OF_GATES)
@given(WEIGHTS, st.integers(-80, 80), st.integers(1, 8), st.integers(1, 3))
def test_digits(library, weights, constant, size, step):
    gates, machine, x = started(library)
    form, values = weighted(x, weights, constant)
    found = outputs(gates, machine.digits(form, size, step))
    assert np.array_equal(found, np.clip(values, 0, (1 << size) - 1))


@pytest.mark.parametrize("library", OF_GATES)
@given(WEIGHTS, st.lists(st.integers(-300, 300), min_size=1, max_size=6))
def test_comparators(library, weights, places):
    gates, machine, x = started(library)
    form, values = weighted(x, weights)
    found = outputs(
        gates, (*machine.comparators(form, places), *(reaches(gates, form, p) for p in places))
    )
    expected = [int(sum((value >= p) << k for k, p in enumerate(places * 2))) for value in values]
    assert found.tolist() == expected


def test_every_comparison_and_choice():
    gates, _, x = started()
    bus = signals(gates, x)
    assert np.array_equal(
        outputs(gates, bits(tuple(at_least(gates, bus, p) for p in range(1, 48)))),
        [sum((value >= p) << p - 1 for p in range(1, 48)) for value in EVERY.tolist()],
    )
    gates, _, x = started()
    one, zero, select, *_ = signals(gates, x)
    found = outputs(
        gates, bits((choice(gates, select, one, zero), *signals(gates, [xor(gates, x[0], x[1])])))
    )
    expected = np.where(EVERY >> 2 & 1, EVERY & 1, EVERY >> 1 & 1) + 2 * ((EVERY ^ EVERY >> 1) & 1)
    assert np.array_equal(found, expected)


@pytest.mark.parametrize("library", OF_GATES)
@example([4, -4, 18])
@given(st.lists(st.integers(-100, 100), min_size=1, max_size=9))
def test_tables(library, values):
    gates, machine, x = started(library)
    steps = machine.comparators(number(x), [9 * k + 5 for k in range(len(values) - 1)])
    table = machine.table(steps, values)
    found = outputs(gates, machine.digits(table + 100, 8))
    assert found.tolist() == [
        values[min(max(each + 4, 0) // 9, len(values) - 1)] + 100 for each in EVERY
    ]


@pytest.mark.parametrize("library", OF_GATES)
@given(st.dictionaries(st.integers(0, 127), st.integers(-9, 9), max_size=6))
def test_one_of_several(library, values):
    gates, machine, x = started(library)
    chosen = machine.chosen(machine.matches(x, list(values)), list(values.values()))
    found = outputs(gates, machine.digits(chosen + 9, 5))
    assert found.tolist() == [values.get(each, 0) + 9 for each in EVERY.tolist()]


@pytest.mark.parametrize("library", OF_GATES)
def test_what_is_exclusive_held_and_signed(library):
    gates, machine, x = started(library)
    which = machine.powers(x[5:], 4)
    words = [x[:3], x[2:5], x[1:4]]
    moved = machine.exclusive(
        [number(machine.given(word, which[k])) * 2 for k, word in enumerate(words)]
    )
    expected = [2 * ((each & 31) >> (0, 2, 1, 5)[each >> 5] & 7) for each in EVERY.tolist()]
    assert outputs(gates, machine.digits(moved, 5)).tolist() == expected
    gates, machine, x = started(library)
    held = machine.held(number(x) * 3 + 1, 9)
    assert outputs(gates, machine.digits(held, 9)).tolist() == (3 * EVERY + 1).tolist()
    gates, machine, x = started(library)
    form = machine.signed(x[:6], x[6], [3, 1, 7, 9, 2, 30])
    worth = (EVERY[:, None] >> np.arange(6) & 1) @ np.array([3, 1, 7, 9, 2, 30])
    found = outputs(gates, machine.digits(form + 64, 7))
    assert found.tolist() == np.where(EVERY >> 6, 64 - worth, 64 + worth).tolist()


@pytest.mark.parametrize("library", OF_GATES)
@pytest.mark.parametrize(("offset", "size"), [(0, 3), (7, 1), (-10, 3), (5, 6)])
@pytest.mark.parametrize("doubled", [False, True])
def test_quotients(library, offset, size, doubled):
    gates, machine, x = started(library)
    divisor = (NEVER, *x[4:]) if doubled else x[4:]
    digits, rest = machine.quotient(number(x[:4]) * 3 + offset, divisor, size)
    left = machine.digits(rest, 4)
    found = outputs(gates, (*digits, *left))
    value, by = (EVERY & 15) * 3 + offset, (EVERY >> 4) << doubled
    whole = np.where(by, value // np.maximum(by, 1), np.where(value < 0, -1, 1 << size))
    assert np.array_equal(found & (1 << size) - 1, np.clip(whole, 0, (1 << size) - 1))
    within = (whole >= 0) & (whole < 1 << size)
    assert np.array_equal((found >> size)[within], (value - whole * by)[within])
    assert np.all((found >> size)[whole < 0] == 0)


@pytest.mark.parametrize("library", OF_GATES)
@pytest.mark.parametrize(("scale", "less"), [(1, 0), (1, 1), (2, 1), (2, 0), (3, 2)])
@pytest.mark.parametrize("size", [1, 4])
def test_roots(library, scale, less, size):
    gates, machine, x = started(library)
    found = outputs(gates, machine.root(number(x) * 3 - 21, size, scale, less))
    for each, digits in enumerate(found.tolist()):
        value = 3 * each - 21
        expected = (math.isqrt(value) + less) // scale if value >= 0 else 0
        assert digits == min(expected, (1 << size) - 1)


def test_a_bit_that_is_a_difference():
    """Of steps, of which one is 1 only if the one before is, the first alone: no neuron reads a sum."""
    gates, machine, x = started()
    first, second = machine.comparators(number(x), (20, 90))
    assert outputs(gates, [(first - second).within(0, 1)]).tolist() == [20 <= x < 90 for x in EVERY]
    assert bit(5).weights == {5: 1}
