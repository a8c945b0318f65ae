"""What networks decide: small ones, each step of which was worked out by hand."""

from fractions import Fraction

import numpy as np
import pytest

from spikeproof.specs.networks import (
    MEMORYLESS,
    USUAL_ORDER,
    AfterSpike,
    Dynamics,
    Layer,
    Network,
    NetworkError,
    Readout,
    Score,
    run,
)

HALF = Fraction(1, 2)
COUNTS, POTENTIALS = Readout(Score.COUNT), Readout(Score.POTENTIAL)
SNNTORCH_SUBTRACT = ("leak", "reset", "add", "fire")
SWALLOWING = ("leak", "add", "reset", "fire")


def integers(values):
    return np.array(values, np.int64)


def single(dynamics, threshold=2, recurrent=None):
    """One neuron that is given one bit a step, of weight 2."""
    return Layer(integers([[2]]), integers([0]), integers([threshold]), dynamics, recurrent)


@pytest.mark.parametrize(
    ("reset", "order", "strict", "spikes"),
    [
        # Potentials before firing: 2, then 1, 2.5, 1.75, 0.875.
        (AfterSpike.NOTHING, USUAL_ORDER, True, [0, 0, 1, 0, 0]),
        # 2 fires at once: 0, 2 fires, 0.
        (AfterSpike.SUBTRACT, USUAL_ORDER, False, [1, 0, 1, 0, 0]),
        # Strict: 2, 1, 2.5 fires and leaves 0.5, 0.25.
        (AfterSpike.SUBTRACT, USUAL_ORDER, True, [0, 0, 1, 0, 0]),
        # A late subtraction: 2 fires; 1 - 2 = -1; -0.5 + 2 = 1.5.
        (AfterSpike.SUBTRACT, SNNTORCH_SUBTRACT, False, [1, 0, 0, 0, 0]),
        # A late reset to zero swallows what was added in that step: 2 fires; 0; 2 fires; 0; 0.
        (AfterSpike.ZERO, SWALLOWING, False, [1, 0, 1, 0, 0]),
    ],
)
def test_a_neuron_leaks_fires_and_resets_in_the_order_stated(reset, order, strict, spikes):
    network = Network((single(Dynamics(HALF, reset, order, strict)),), 5, COUNTS)
    ran = run(network, integers([[1], [0], [1], [0], [0]]))
    assert ran.spikes[0][:, 0].astype(int).tolist() == spikes
    assert ran.scores[-1] == (sum(spikes),)


def test_resets_of_either_kind_differ_in_what_is_left():
    given = integers([[1], [1], [1]])
    left = {}
    for reset in (AfterSpike.SUBTRACT, AfterSpike.ZERO):
        network = Network((single(Dynamics(HALF, reset, USUAL_ORDER, False), 3),), 3, COUNTS)
        left[reset] = run(network, given).spikes[0][:, 0].astype(int).tolist()
    # 2; 3 fires, and leaves 0 either way; 2. With threshold 3, all that is left is the same,
    assert left[AfterSpike.SUBTRACT] == left[AfterSpike.ZERO] == [0, 1, 0]
    # and a strong input shows the difference: 6 - 3 = 3, 1.5, 0.75 against 0.
    strong = Layer(integers([[6]]), integers([0]), integers([3]), Dynamics(Fraction(1), *_soft()))
    network = Network((strong,), 3, COUNTS)
    assert run(network, integers([[1], [0], [0]])).spikes[0][:, 0].astype(int).tolist() == [1, 1, 0]


def _soft():
    return AfterSpike.SUBTRACT, USUAL_ORDER, False


def test_a_recurrent_spike_comes_a_step_later():
    layer = single(MEMORYLESS, 2, integers([[2]]))
    network = Network((layer,), 4, COUNTS)
    assert run(network, integers([[0], [1], [0], [0]])).spikes[0][:, 0].astype(int).tolist() == [
        0,
        1,
        1,
        1,
    ]


def test_the_lowest_index_wins_a_tie_and_it_is_said():
    outputs = Layer(
        integers([[1, 0], [0, 1], [1, 0]]), integers([0, 0, 0]), None, Dynamics(Fraction(1), *_nothing())
    )
    network = Network((outputs,), 2, POTENTIALS)
    ran = run(network, integers([[1, 0], [0, 1]]))
    assert ran.scores == ((1, 0, 1), (1, 1, 1))
    assert (ran.decision, ran.tied, ran.spikes) == (0, True, ())
    assert not run(network, integers([[0, 1], [0, 1]])).tied


def _nothing():
    return AfterSpike.NOTHING, USUAL_ORDER, False


def test_a_latch_decides_once_and_for_good():
    outputs = Layer(integers([[1, 0], [0, 1]]), integers([0, 0]), integers([1, 1]), MEMORYLESS)
    given = integers([[1, 0], [1, 0], [0, 1], [0, 1], [0, 1], [0, 1]])
    latched = run(Network((outputs,), 6, Readout(Score.COUNT, lead=2)), given)
    assert (latched.decision, latched.decided_after, latched.tied) == (0, 1, False)
    assert run(Network((outputs,), 6, COUNTS), given).decision == 1
    never = run(Network((outputs,), 6, Readout(Score.COUNT, lead=3)), given)
    assert (never.decision, never.decided_after) == (1, None)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda: Dynamics(Fraction(3, 2), *_soft()), "share from 0 to 1"),
        (lambda: Dynamics(HALF, AfterSpike.ZERO, ("leak", "add", "fire"), False), "each once"),
        (lambda: Dynamics(HALF, AfterSpike.ZERO, USUAL_ORDER, 2), "strict is 2"),
        (lambda: Readout(Score.COUNT, 1.0), "whole number below 2.62, not 1.0"),
        (lambda: Network((single(MEMORYLESS),), True, COUNTS), "whole number of steps"),
        (lambda: Readout(Score.COUNT, 1 << 62), "below 2"),
        (lambda: Network((single(MEMORYLESS),), 3, Readout(Score.COUNT, 2)), "two outputs"),
        (lambda: Layer(integers([1]), integers([0]), None, MEMORYLESS), "must be a matrix"),
        (lambda: Layer(integers([[1]]), integers([0, 0]), None, MEMORYLESS), "bias must be int64"),
        (lambda: Layer(np.array([[1.0]]), integers([0]), None, MEMORYLESS), "weights must be int64"),
        (lambda: Layer(integers([[1 << 62]]), integers([0]), None, MEMORYLESS), "less than 2"),
        (lambda: Layer(integers([[-(1 << 63)]]), integers([0]), None, MEMORYLESS), "less than 2"),
        (lambda: Readout(Score.POTENTIAL, 2), "latch"),
        (lambda: Readout(Score.COUNT, 0), "latch"),
        (lambda: Network((), 1, COUNTS), "needs a layer"),
        (lambda: Network((single(MEMORYLESS),), 1, POTENTIALS), "do not fire"),
        (lambda: run(Network((single(MEMORYLESS),), 1, COUNTS), integers([1])), "of shape"),
        (lambda: run(Network((single(MEMORYLESS),), 1, COUNTS), integers([[2]])), "zeros and ones"),
    ],
)
def test_what_is_not_well_formed_is_refused(wrong, words):
    with pytest.raises(NetworkError, match=words):
        wrong()
