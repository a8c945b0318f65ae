"""Memristive neurons in continuous time: by hand, and within and beyond what is proved of every tau."""

import math
from fractions import Fraction

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from spikeproof.circuits.netlist import Neuron
from spikeproof.circuits.physics.relaxing import first_firing
from spikeproof.circuits.physics.substrates import SubstrateError
from spikeproof.proofs.memristive import FIRST_WEIGHT, SECOND_WEIGHT, THRESHOLD
from spikeproof.prover.margins.relaxation import FASTEST, PICOSECOND, SLOWEST, above_until, below_from

HALF = Fraction(1, 2)
AND = Neuron(((0, 1), (1, 1)), 1 + HALF)
ORDER = Neuron(((0, FIRST_WEIGHT), (1, SECOND_WEIGHT)), THRESHOLD)

taus = st.floats(float(FASTEST), float(SLOWEST))
parts = st.floats(0, 1)


def fires_at(neuron: Neuron, *times: float, tau: float = 200.0) -> float:
    """When a neuron fires first, of one train of spikes."""
    shaped = torch.tensor(times, dtype=torch.float64)[:, None]
    return float(first_firing(neuron, shaped, torch.tensor([tau], dtype=torch.float64)))


def between(low: Fraction, high: Fraction, part: float) -> float:
    return float(low) + part * float(high - low)


def test_by_hand():
    never = math.inf
    assert fires_at(AND, 10, 10) == 10
    assert fires_at(AND, 10, never) == never
    # exp(-100 / 200) = 0.607, exp(-140 / 200) = 0.497: 1 more reaches 3/2, or does not.
    assert fires_at(AND, 0, 100) == 100
    assert fires_at(AND, 0, 140) == never
    # Spikes that come together count together: 2 - 1 does not reach 3/2.
    inhibited = Neuron(((0, 2), (1, -1)), 1 + HALF)
    assert fires_at(inhibited, 5, 5) == never
    assert fires_at(inhibited, 5, 6) == 5


def test_a_batch_is_each_of_its_trains():
    times = torch.tensor([[0.0, 0.0, math.inf], [100.0, 140.0, 1.0]]).double()
    found = first_firing(AND, times, torch.tensor([200.0, 200.0, 200.0]).double())
    assert found.tolist() == [100, math.inf, math.inf]


@given(taus, parts)
def test_coincidence_for_every_tau(tau, part):
    window = above_until(HALF)
    assert fires_at(AND, 0, between(Fraction(0), window, part), tau=tau) < math.inf
    assert fires_at(AND, 0, float(below_from(HALF)) * (1 + part), tau=tau) == math.inf


def test_just_beyond_the_windows_some_tau_errs():
    late, soon = above_until(HALF) + PICOSECOND, below_from(HALF) - PICOSECOND
    assert fires_at(AND, 0, float(late), tau=float(FASTEST)) == math.inf
    assert fires_at(AND, 0, float(soon), tau=float(SLOWEST)) == float(soon)


@given(taus, parts)
def test_order_for_every_tau(tau, part):
    soonest = below_from((THRESHOLD - FIRST_WEIGHT) / SECOND_WEIGHT)
    latest = above_until((THRESHOLD - SECOND_WEIGHT) / FIRST_WEIGHT)
    apart = between(soonest, latest, part)
    assert fires_at(ORDER, 0, apart, tau=tau) == apart
    assert fires_at(ORDER, apart, 0, tau=tau) == math.inf


@pytest.mark.parametrize(
    ("tau", "message"), [(0.0, "use at least 159 ns"), (300.0, "use at most 278 ns")]
)
def test_relaxation_times_that_no_oxide_has_are_refused(tau, message):
    with pytest.raises(SubstrateError, match=message):
        fires_at(AND, 0, 0, tau=tau)


def test_what_no_spike_brings_is_refused():
    with pytest.raises(ValueError, match="must have no bias"):
        fires_at(Neuron(((0, 1),), 1, 1), 0)
    with pytest.raises(ValueError, match="a synapse for each row"):
        fires_at(AND, 0)
