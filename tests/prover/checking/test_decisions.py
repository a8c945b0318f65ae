"""When decisions are final: against every continuation there is, of networks small enough."""

from dataclasses import replace
from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from spikeproof.circuits.networks.exact import run_all
from spikeproof.prover.checking.decisions import final_after, forgets_order, require_change
from spikeproof.prover.running.decisions import moments
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
    run,
)

RANDOM = np.random.default_rng(24)
STEPS, INPUTS = 4, 2


def network(lead=None):
    """Two inputs, three neurons that leak by half, and two outputs."""
    dynamics = Dynamics(Fraction(1, 2), AfterSpike.ZERO, EVENTS, strict=False)

    def integers(low, high, *shape):
        return RANDOM.integers(low, high, shape)

    hidden = Layer(integers(-1, 4, 3, INPUTS), integers(0, 1, 3), integers(1, 4, 3), dynamics)
    outputs = Layer(integers(-1, 4, 2, 3), integers(0, 1, 2), integers(1, 4, 2), dynamics)
    return Network((hidden, outputs), STEPS, Readout(Score.COUNT, lead))


def every_input(steps=STEPS):
    bits = np.array(list(product((False, True), repeat=steps * INPUTS)))
    return bits.reshape(-1, steps, INPUTS)


@pytest.mark.parametrize("lead", [None, 1, 2])
def test_no_continuation_changes_what_is_final(lead):
    everything, found = every_input(), set()
    for _ in range(12):
        made = network(lead)
        outcomes = run_all(made, everything)
        for place in range(0, len(everything), 17):
            final = final_after(made.readout, outcomes.scores[place].tolist())
            same = (everything[:, :final] == everything[place, :final]).all((1, 2))
            assert (outcomes.decisions[same] == outcomes.decisions[place]).all()
            found.add(final)
    assert len(found) > 2


@pytest.mark.parametrize("lead", [None, 2])
def test_the_last_moment_at_which_a_class_can_be_lost_is_found(lead):
    everything, seen = every_input(), set()
    for _ in range(6):
        made = network(lead)
        decisions = run_all(made, everything).decisions
        given = everything[RANDOM.integers(0, len(everything), 4)]
        outcomes = run_all(made, given)
        for place, moment in enumerate(moments(made, given, everything)):
            open_ = [
                steps
                for steps in range(1, moment.final)
                if (
                    decisions[(everything[:, :steps] == given[place, :steps]).all((1, 2))]
                    != outcomes.scores[place, steps - 1].argmax()
                ).any()
            ]
            assert moment.open == max(open_, default=0)
            if moment.continuation is not None:
                require_change(made, given[place], moment.continuation, moment.open)
            seen.add(moment.open)
    assert len(seen) > 1


def test_spikes_that_were_never_seen_are_made_up():
    """Each input is one hidden neuron and that one output; nothing seen has a spike for class 1."""
    one = np.ones(2, np.int64)
    layers = [Layer(np.diag(one), 0 * one, one, MEMORYLESS) for _ in range(2)]
    made = Network(tuple(layers), 4, Readout(Score.COUNT))
    given = np.zeros((1, 4, 2), bool)
    given[0, 0, 0] = True
    (moment,) = moments(made, given, given)
    assert (moment.final, moment.open) == (3, 2)
    assert moment.continuation[2:].tolist() == [[False, True], [False, True]]


def test_the_lowest_of_equals_is_final_a_spike_earlier():
    counts = Readout(Score.COUNT)
    assert final_after(counts, [(1, 0), (1, 0), (1, 0)]) == 2
    assert final_after(counts, [(0, 1), (0, 1), (0, 1)]) == 3
    assert final_after(Readout(Score.COUNT, 1), [(0, 0), (0, 1), (2, 1)]) == 2
    latch = Readout(Score.COUNT, 3)  # which does not close
    assert final_after(latch, [(1, 0), (1, 0), (1, 0)]) == 2
    assert final_after(latch, [(0, 1), (0, 1), (0, 1)]) == 3


def test_what_changes_nothing_is_refused():
    one = np.ones(2, np.int64)
    outputs = Layer(np.diag(one), 0 * one, one, MEMORYLESS)
    made = Network((outputs,), 3, Readout(Score.COUNT))
    given = np.array([[True, False], [False, False], [False, False]])
    other = np.array([[True, False], [False, True], [False, True]])
    require_change(made, given, other, 1)
    for wrong, steps, words in (
        (other, 2, "the same for 2 steps"),
        (given, 1, "the class is the same"),
    ):
        with pytest.raises(NetworkError, match=words):
            require_change(made, given, wrong, steps)
    latched = replace(made, readout=Readout(Score.COUNT, 1))
    with pytest.raises(NetworkError, match="decided after 1 steps"):
        require_change(latched, given, other, 1)
    potentials = Network((replace(outputs, thresholds=None),), 3, Readout(Score.POTENTIAL))
    with pytest.raises(NetworkError, match="decides by potentials"):
        final_after(potentials.readout, run(potentials, given).scores)


def test_neurons_that_forget_do_not_know_an_order_and_others_do():
    everything = every_input()
    for _ in range(10):
        remembers = network()
        layers = [
            replace(each, dynamics=replace(each.dynamics, leak=Fraction(0))) for each in remembers.layers
        ]
        forgets = replace(remembers, layers=tuple(layers))
        assert forgets_order(forgets)
        assert not forgets_order(remembers)
        backwards = run_all(forgets, everything[:, ::-1]).decisions
        assert (run_all(forgets, everything).decisions == backwards).all()
    # 2 / 2 + 3 reaches 4, and 3 / 2 + 2 does not.
    dynamics = replace(remembers.layers[0].dynamics, leak=Fraction(1, 2))
    weights, zeros = np.array([[0, 0], [2, 3]]), np.zeros(2, np.int64)
    detector = Network((Layer(weights, zeros, np.array([1, 4]), dynamics),), 2, Readout(Score.COUNT))
    in_order = np.array([[True, False], [False, True]])
    assert [run(detector, each).decision for each in (in_order, in_order[::-1])] == [1, 0]


def test_what_may_know_an_order_is_not_said_to_forget_it():
    remembers = network()
    layers = [replace(each, dynamics=MEMORYLESS) for each in remembers.layers]
    forgets = replace(remembers, layers=tuple(layers))
    assert forgets_order(forgets)
    late = replace(MEMORYLESS, order=("leak", "reset", "add", "fire"))
    for changed in (
        replace(forgets, readout=Readout(Score.COUNT, 1)),
        replace(forgets, layers=(replace(forgets.layers[0], dynamics=late), *forgets.layers[1:])),
        replace(
            forgets,
            layers=(
                replace(forgets.layers[0], recurrent=np.eye(3, dtype=np.int64)),
                *forgets.layers[1:],
            ),
        ),
    ):
        assert not forgets_order(changed)
