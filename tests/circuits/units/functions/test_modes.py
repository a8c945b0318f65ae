"""Modes that are made from two: of every magnitude, sign and what was lost, as the spec rounds it."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.units.forms import Form, bit, bits, number, signals
from spikeproof.circuits.units.functions.modes import ASKING, MADE, NEAREST, away, simplest, to_odd
from spikeproof.circuits.units.functions.sums import Sums
from spikeproof.circuits.units.libraries import library_gates
from spikeproof.specs.exact import round_to_multiple
from spikeproof.specs.formats import RoundingMode


@pytest.mark.parametrize("mode", [mode for mode in RoundingMode if mode not in NEAREST])
def test_a_magnitude_that_was_cut_off_is_rounded_in_every_other_mode(mode):
    gates = library_gates("threshold")
    word = bits(gates.builder.input("magnitude", 3))
    inexact, negative = (bit(gates.builder.input(name, 1)[0]) for name in ("inexact", "negative"))
    more = away(gates, mode, inexact, negative)
    found = to_odd(gates, mode, Sums(gates).digits(number(word) + more, 4), inexact)
    netlist = gates.builder.build({"result": signals(gates, found)})
    every = list(product(range(8), range(2), range(2)))
    magnitudes, losses, signs = np.array(every, dtype=np.uint64).T
    inputs = {"magnitude": magnitudes, "inexact": losses, "negative": signs}
    expected = [
        magnitude + round_to_multiple(Fraction(1), mode, sign, magnitude + Fraction(lost, 3)).rounds_up
        for magnitude, lost, sign in every
    ]
    assert boolean.evaluate(netlist, inputs)["result"].tolist() == expected


def test_every_mode_is_made_from_one_of_two():
    assert {mode: simplest(mode) for mode in NEAREST} == dict.fromkeys(NEAREST, MADE[0])
    others = [RoundingMode.TOWARD_ZERO, *ASKING]
    assert {mode: simplest(mode) for mode in others} == dict.fromkeys(others, MADE[1])
    assert {*NEAREST, *others} == {*RoundingMode}


@pytest.mark.parametrize("mode", [*NEAREST, RoundingMode.TOWARD_ZERO])
def test_what_is_made_itself_gets_nothing_more(mode):
    gates = library_gates("threshold")
    word = bits(gates.builder.input("magnitude", 3))
    assert away(gates, mode, word[0], word[1]) == Form()
    assert to_odd(gates, mode, word, word[0]) == word
    assert not gates.builder.neurons
