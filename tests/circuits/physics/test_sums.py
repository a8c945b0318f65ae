"""Sums of weights, against all subsets tried one by one."""

from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikeproof.circuits.netlist import Neuron
from spikeproof.circuits.physics.sums import Sums, heaviest

weights = st.lists(st.sampled_from([-12, -8, -4, -3, -2, -1, 0, 1, 2, 4, 6, 8, 64]), max_size=7)


def total(weights, places):
    return sum(weights[place] for place in places)


def size(weights, places):
    return sum(abs(weights[place]) for place in places)


def subsets(weights):
    for chosen in product((False, True), repeat=len(weights)):
        yield [place for place, taken in enumerate(chosen) if taken]


@given(weights, st.integers(-30, 30))
def test_the_heaviest_has_the_sum_and_no_other_has_more(weights, wanted):
    found = heaviest(weights, wanted)
    others = [each for each in subsets(weights) if total(weights, each) == wanted]
    if found is None:
        assert others == []
        return
    assert len(set(found)) == len(found)
    assert total(weights, found) == wanted
    assert size(weights, found) == max(size(weights, each) for each in others)


@given(weights, st.fractions(-20, 20, max_denominator=3), st.integers(-3, 3))
def test_every_sum_is_among_the_excesses_which_come_in_order(weights, threshold, bias):
    sums = Sums.of(Neuron(tuple(enumerate(weights)), threshold, bias))
    reached = {total(sums.weights, each) - sums.needed for each in subsets(weights)}
    for fires in (True, False):
        found = list(sums.excesses(fires))
        assert {each for each in reached if (each >= 0) is fires} <= set(found)
        assert all((each >= 0) is fires for each in found)
        assert found == sorted(found, key=abs)


def test_by_hand():
    """[a + 4 b - 2 c >= 5/2], in halves."""
    sums = Sums.of(Neuron(((0, 1), (1, 4), (2, -2)), Fraction(5, 2)))
    assert (sums.scale, sums.needed, sums.weights, sums.size) == (2, 5, (2, 8, -4), 14)
    assert list(sums.excesses(True)) == [1, 3, 5]
    assert list(sums.excesses(False)) == [-1, -3, -5, -7, -9]
    assert set(sums.heaviest(1)) == {0, 1, 2}
    assert set(sums.heaviest(-1)) == {1, 2}
    assert sums.heaviest(-3) == (0,)


@pytest.mark.parametrize("count", [100, 400])
def test_hundreds_of_powers_of_two_are_quick(count):
    weights = [1 << k // 4 for k in range(count)] + [-1 << k // 4 for k in range(count)]
    found = heaviest(weights, 1)
    assert total(weights, found) == 1
    assert size(weights, found) == sum(map(abs, weights)) - 1
