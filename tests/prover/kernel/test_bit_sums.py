"""Sums of products of bits: bounds on them, and what signals of a program are where some are known."""

import random
from itertools import product

import numpy as np
import pytest

from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.meanings.program_reading import read_program
from spikeproof.circuits.netlist import ONE, ZERO
from spikeproof.circuits.units.functions.bounded_exponential import build_bounded_exponential
from spikeproof.prover.kernel.bit_sums import (
    NONE,
    BitSum,
    Interval,
    Reader,
    Signals,
    binary,
    conjunction,
    constant,
    number,
)
from spikeproof.specs.formats import ieee_format

SMALL = ieee_format(5, 6)


def value(found, bits):
    """A sum, of what signals are."""
    return sum(weight * all(bits[s] for s in each) for each, weight in found.terms.items())


def drawn(rng):
    bits = [frozenset(rng.sample(range(4), rng.randrange(3))) for _ in range(5)]
    return BitSum.of((each, rng.randrange(-9, 10)) for each in bits)


def test_sums():
    rng = random.Random(1)
    for _ in range(100):
        a, b, factor = drawn(rng), drawn(rng), rng.randrange(-3, 4)
        low, high = a.range
        for bits in product((0, 1), repeat=4):
            x, y = value(a, bits), value(b, bits)
            assert low <= x <= high
            assert value(a + b, bits) == x + y
            assert value(a - b, bits) == x - y
            assert value(a.by(b), bits) == x * y
            assert value(a.times(factor), bits) == x * factor
        assert NONE not in (a - constant(a.constant)).terms
        assert a.is_constant is (low == high)


def test_intervals():
    one, other = Interval(-1, 2), Interval(3, 5)
    assert one.plus(other) == (2, 7)
    assert one.times(-2) == (-4, 2)
    assert one.joined(other) == (-1, 5)


def test_numbers():
    assert number((3, ZERO, 5, ONE), 1).terms == {frozenset({3}): 2, frozenset({5}): 8, NONE: 16}


@pytest.mark.parametrize(
    ("terms", "most", "digits"),
    [
        ({NONE: 5, frozenset({1}): 2}, 7, {0, 1, 2}),
        ({NONE: 4, frozenset({1, 2}): 4}, 15, None),  # 4 or 8
        ({frozenset({1}): 3}, 7, None),
        ({frozenset({1}): 1, frozenset({2}): 1}, 7, None),
        ({frozenset({1}): -1}, 7, None),
        ({frozenset({1}): 8}, 7, None),  # which is clamped
        ({}, 7, set()),
    ],
)
def test_digits(terms, most, digits):
    found = binary(BitSum(terms), most)
    assert (found if found is None else set(found)) == digits


def test_signals_are_what_is_said_of_them():
    """Of inputs of which some bits are known: every signal, as a sum of those that are not."""
    netlist = build_bounded_exponential(SMALL)
    reader, rng = Reader(netlist, read_program(netlist)), random.Random(1)
    (x,) = netlist.input_buses.values()
    told = 0
    for field in (0, 7, 9, 12, 15, 18, 31):
        known = {s: field >> k & 1 for k, s in enumerate(x[SMALL.fraction_bits : -1])}
        known[x[-1]] = rng.randrange(2)
        signals = Signals(reader, {s: constant(bit) for s, bit in known.items()})
        found = {s: signals.signal(s) for s in range(netlist.signal_count)}
        told += sum(each.is_constant for each in found.values()) - len(known)
        others = [rng.randrange(1 << SMALL.fraction_bits) for _ in range(8)]
        upper = sum(known[s] << k for k, s in enumerate(x) if s in known)
        codes = np.array([other + upper for other in others], dtype=np.uint64)
        for bits in boolean.evaluate_signals(netlist, {"x": codes}).T.tolist():
            assert all(value(each, bits) == bits[s] for s, each in found.items())
    assert told > netlist.signal_count


def test_conjunctions():
    """Counts that are reached by all bits alone; and of drawn sums what is told is so."""
    a, b = frozenset((1,)), frozenset((2,))
    assert conjunction(BitSum({a: 1, b: 1}), 2) == BitSum({a | b: 1})
    assert conjunction(BitSum({a: 1, b: 1}), 1) is None
    assert conjunction(BitSum({a: 2, b: -1}), 2) is None
    rng, told = random.Random(2), 0
    for _ in range(3000):
        found, place = drawn(rng), rng.randrange(-9, 20)
        if not found.is_constant and (both := conjunction(found, place)):
            told += 1
            for bits in product((0, 1), repeat=4):
                assert value(both, bits) == (value(found, bits) >= place)
    assert told > 20
