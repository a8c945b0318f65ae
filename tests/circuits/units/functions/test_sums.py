"""Words, tables and products on every input, against integers; and the cells that say what they are."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.units.forms import NEVER, bits, number, signals, total
from spikeproof.circuits.units.functions.sums import Sums
from spikeproof.circuits.units.libraries import library_gates

WIDTH = 7
EVERY = np.arange(1 << WIDTH)


def started(*widths: int):
    """Gates, sums and words of an input x, from its low end."""
    gates = library_gates("threshold")
    x = bits(gates.builder.input("x", WIDTH))
    words, values, first = [], [], 0
    for width in widths or (WIDTH,):
        words.append(x[first : first + width])
        values.append(EVERY >> first & (1 << width) - 1)
        first += width
    return gates, Sums(gates), words, values


def outputs(gates, places):
    """What bits are for every input, and the netlist."""
    netlist = gates.builder.build({"out": signals(gates, places)})
    found = boolean.evaluate(netlist, {"x": EVERY.astype(np.uint64)})["out"].astype(int)
    return found, netlist


def value_of(gates, form, low: int):
    """What a form is worth for every input, and the netlist: by a comparison sum of it."""
    return outputs(gates, Sums(gates).digits(form - low, 40))


@given(
    st.lists(st.integers(-40, 40), min_size=WIDTH, max_size=WIDTH),
    st.integers(-80, 80),
    st.integers(1, 8),
    st.integers(1, 3),
)
def test_digits(weights, constant, size, step):
    gates, sums, (x,), _ = started()
    form = total(place * weight for place, weight in zip(x, weights, strict=True)) + constant
    expected = constant + (EVERY[:, None] >> np.arange(WIDTH) & 1) @ weights
    found, netlist = outputs(gates, sums.digits(form, size, step))
    assert np.array_equal(found, np.clip(expected, 0, (1 << size) - 1))
    assert {cell.kind for cell in netlist.cells} <= {"digits"}


def test_digits_are_a_cell():
    gates, sums, (x, y), _ = started(3, 4)
    _, netlist = outputs(gates, sums.digits(number(x) * 5 - number(y) * 2 + 3, 5))
    (cell,) = netlist.cells
    assert set(cell.inputs) == {"5", "10", "20", "minus2", "minus4", "minus8", "minus16"}
    assert list(cell.outputs) == ["16", "8", "4", "2", "1"]
    assert {len(bus) for bus in cell.outputs.values()} == {1}


@given(st.lists(st.integers(-10, 140), min_size=1, max_size=6, unique=True), st.data())
def test_comparators_and_tables(places, data):
    places.sort()
    values = [data.draw(st.integers(0, 99)) for _ in range(len(places) + 1)]
    gates, sums, (x,), _ = started()
    steps = sums.comparators(number(x), places)
    found, _ = value_of(gates, sums.table(steps, values), 0)
    assert np.array_equal(found, np.array(values)[np.searchsorted(places, EVERY, side="right")])


def test_as_many_values_as_a_table_has():
    _, sums, (x,), _ = started()
    with pytest.raises(ValueError, match="2 steps choose from 3 values, not 2"):
        sums.table(sums.comparators(number(x), [3, 9]), [1, 2])


def test_products_and_words_where_a_bit_is_1():
    gates, sums, (a, b), (x, y) = started(3, 4)
    found, netlist = value_of(gates, sums.product(a, b), 0)
    assert np.array_equal(found, x * y)
    assert [cell.kind for cell in netlist.cells] == ["product", "digits"]
    gates, sums, (a, b), (x, y) = started(3, 4)
    found, _ = outputs(gates, sums.given(b, a[1]))
    assert np.array_equal(found, y * (x >> 1 & 1))


def test_a_product_of_complements_and_constants():
    gates, sums, (a, b), (x, y) = started(3, 4)
    complement = tuple(1 - place for place in a)
    found, _ = value_of(gates, sums.product((NEVER, *complement), b), 0)
    assert np.array_equal(found, 2 * (7 - x) * y)


def test_squares():
    gates, sums, (a,), (x,) = started()
    found, netlist = value_of(gates, sums.square(a), 0)
    assert np.array_equal(found, x * x)
    assert len(netlist.cells[0].outputs["out"]) == WIDTH * (WIDTH - 1) // 2


def test_matches():
    gates, sums, (a,), (x,) = started()
    codes, values = [0, 5, 127, 64, 200], [3, -4, 7, 9, 1]
    found, netlist = value_of(gates, sums.chosen(sums.matches(a, codes), values), -4)
    mended = dict(zip(codes, values, strict=True))
    assert np.array_equal(found - 4, [mended.get(each, 0) for each in x])
    assert len(netlist.cells[0].outputs["out"]) == 4  # none of a code that is too large
