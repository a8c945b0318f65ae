"""Shares that neurons keep: what is found to change a class does, and nothing else among many shares."""

from dataclasses import replace
from fractions import Fraction
from itertools import permutations

import numpy as np
import pytest

from spikeproof.circuits.networks.exact import run_all
from spikeproof.prover.margins.relaxing_networks import Change, changes, decision_with
from spikeproof.specs.networks import (
    EVENTS,
    MEMORYLESS,
    AfterSpike,
    Dynamics,
    Layer,
    Network,
    NetworkError,
    Readout,
    Score,
)
from tests.support.profile import NIGHTLY

LOW, HIGH, OWN = Fraction(1, 2), Fraction(9, 10), Fraction(3, 4)
SHARES = [LOW + (HIGH - LOW) * Fraction(k, 31) for k in range(0, 32, 1 if NIGHTLY else 4)]


def network(random, order, reset, strict):
    dynamics = Dynamics(OWN, reset, order, strict)
    hidden = Layer(
        random.integers(-3, 8, (4, 3)), random.integers(0, 2, 4), random.integers(4, 9, 4), dynamics
    )
    outputs = Layer(
        random.integers(-3, 8, (3, 4)), random.integers(0, 1, 3), random.integers(4, 9, 3), dynamics
    )
    return Network((hidden, outputs), 8, Readout(Score.COUNT, random.choice([None, 1, 2])))


def test_every_share_of_many_does_what_was_found_of_it():
    random, changed, kept = np.random.default_rng(24), 0, 0
    for number, order in enumerate(permutations(EVENTS)):
        reset = list(AfterSpike)[number % 3]
        made = network(random, order, reset, bool(number % 2))
        inputs = random.integers(0, 2, (2, 8, 3)).astype(bool)
        nominal = run_all(made, inputs).decisions
        found = list(changes(made, inputs, LOW, HIGH))
        for place, given in enumerate(inputs):
            for layer, neuron in ((0, 0), (0, 3), (1, 1)):
                own = [c for c in found if (c.input, c.layer, c.neuron) == (place, layer, neuron)]
                for share in SHARES:
                    decision = decision_with(
                        made, given, Change(place, layer, neuron, share, share, 0, True), share
                    )
                    said = {c.decision for c in own if c.low <= share <= c.high}
                    if decision != nominal[place]:
                        assert decision in said
                        changed += 1
                    else:
                        certain = [c for c in own if c.certain and c.low < share < c.high]
                        assert not certain
                        kept += 1
    assert changed > len(SHARES)
    assert kept > 10 * len(SHARES)


def test_a_threshold_met_exactly_whatever_the_share_is_certain():
    """4 meets a threshold of 4 in the first step; of a strict neuron it does not, whatever is kept."""
    for strict, decision in ((False, 0), (True, 1)):
        dynamics = Dynamics(OWN, AfterSpike.ZERO, EVENTS, strict)
        outputs = Layer(np.array([[4], [5]]), np.zeros(2, np.int64), np.array([4, 5 - strict]), dynamics)
        made = Network((outputs,), 1, Readout(Score.COUNT))
        given = np.ones((1, 1, 1), bool)
        assert run_all(made, given).decisions[0] == decision
        assert list(changes(made, given, LOW, HIGH)) == []


def test_what_cannot_be_examined_is_refused():
    one = np.ones((2, 2), np.int64)
    layer = Layer(one, one[0], one[0], MEMORYLESS)
    made = Network((layer,), 2, Readout(Score.COUNT))
    given = np.zeros((1, 2, 2), bool)
    for wrong, ends, words in (
        (made, (HIGH, LOW), "from 0 to 1"),
        (replace(made, layers=(replace(layer, recurrent=one),)), (LOW, HIGH), "recurrent"),
        (replace(made, layers=(replace(layer, weights=one << 30),)), (LOW, HIGH), "too large"),
        (
            Network((replace(layer, thresholds=None),), 2, Readout(Score.POTENTIAL)),
            (LOW, HIGH),
            "compared by potential",
        ),
    ):
        with pytest.raises(NetworkError, match=words):
            list(changes(wrong, given, *ends))
