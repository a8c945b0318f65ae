"""Many inputs at once: the same as the definition, for every kind of neuron and read-out."""

from fractions import Fraction
from itertools import permutations

import numpy as np
import pytest

from spikeproof.circuits.networks.exact import run_all
from spikeproof.specs.networks import (
    EVENTS,
    AfterSpike,
    Dynamics,
    Layer,
    Network,
    NetworkError,
    Readout,
    Score,
    run,
)

RANDOM = np.random.default_rng(24)
SHARES = (Fraction(0), Fraction(1, 2), Fraction(53, 64), Fraction(2, 3), Fraction(1))


def integers(low, high, *shape):
    return RANDOM.integers(low, high, shape)


def network(dynamics, readout, recurrent, scale=1):
    """Five inputs, four neurons, three outputs and seven steps."""
    fed_back = integers(-2, 3, 4, 4) if recurrent else None
    hidden = Layer(
        integers(-3, 5, 4, 5) * scale, integers(-1, 2, 4), integers(1, 5, 4) * scale, dynamics, fed_back
    )
    silent = readout.score is Score.POTENTIAL
    thresholds = None if silent else integers(1, 4, 3)
    return Network(
        (hidden, Layer(integers(-2, 4, 3, 4), integers(0, 2, 3), thresholds, dynamics)), 7, readout
    )


@pytest.mark.parametrize(
    "readout", [Readout(Score.POTENTIAL), Readout(Score.COUNT), Readout(Score.COUNT, 2)]
)
@pytest.mark.parametrize("reset", AfterSpike)
@pytest.mark.parametrize("scale", [1, 1 << 55])
def test_all_inputs_at_once_do_as_one_by_one(readout, reset, scale):
    for number, order in enumerate(permutations(EVENTS)):
        dynamics = Dynamics(SHARES[number % 5], reset, order, strict=number % 2 == 0)
        made = network(dynamics, readout, number % 3 == 0, scale)
        inputs = integers(0, 2, 6, 7, 5).astype(bool)
        found = run_all(made, inputs)
        for place, given in enumerate(inputs):
            defined = run(made, given)
            for mine, its in zip(found.spikes, defined.spikes, strict=True):
                assert (mine[place] == its).all()
            scores = [
                tuple(Fraction(score, denominator) for score in row)
                for row, denominator in zip(found.scores[place], found.denominators, strict=True)
            ]
            assert tuple(scores) == defined.scores
            after = found.decided_after[place]
            assert (found.decisions[place], None if after < 0 else after, found.tied[place]) == (
                defined.decision,
                defined.decided_after,
                defined.tied,
            )


def test_inputs_of_another_shape_are_refused():
    made = network(Dynamics(Fraction(0), AfterSpike.NOTHING, EVENTS, False), Readout(Score.COUNT), False)
    with pytest.raises(NetworkError, match=r"bits of shape \(any, 7, 5\)"):
        run_all(made, np.zeros((2, 5, 7), bool))
    with pytest.raises(NetworkError, match="not int64"):
        run_all(made, np.zeros((2, 7, 5), np.int64))
