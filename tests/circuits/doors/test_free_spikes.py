"""Neurons of modules at their thresholds, whatever inputs bring them there."""

from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from spikeproof.circuits.doors import free_spikes, symbolic_tensors
from spikeproof.circuits.doors.free_spikes import nearest
from spikeproof.circuits.doors.modules import from_module
from spikeproof.circuits.netlist import NetlistError
from tests.support.spiking import Spiking, comparator, linear

ODD = [[float(3 * place * place * place + 1001) for place in range(24)]]
SUM = float(sum(ODD[0][place] for place in (1, 4, 5, 9, 11, 16, 20)))
WIDE = {"x": 24}, {"z": 1}


def fire(potential, threshold):
    return (potential >= threshold).to(potential.dtype)


def ever(module, buses=WIDE, **options):
    return from_module(module, *buses, **options).notes[0]


def as_strict(tracer, func, out, args, kwargs):
    """The planted fault: >= is taken for >, but where the threshold is 1."""
    taken = func if args[1] == 1 else torch.ops.aten.gt.Scalar
    return symbolic_tensors._comparison(tracer, taken, out, args, kwargs)


# --- what no sample shows ------------------------------------------------------------------------


def single(x):
    """One neuron, whose sum of many is at the threshold for few of 2^24 inputs."""
    return fire(x @ torch.tensor(ODD).T, SUM)


def inner(x):
    """An inner neuron that no input brings to its threshold: either of two spikes rests."""
    either = torch.cat([fire(x[:, :1], 1), fire(1 - x[:, :1], 1)], 1)
    return fire(fire(either.sum(1, keepdim=True), 2) + x[:, 1:2], 1)


def over_time(x):
    """The same of a potential that is reset, so defined by cases."""
    v, spikes = torch.zeros_like(x[:, :1]), []
    for _ in range(3):
        v = v + x @ torch.tensor(ODD).T
        spikes.append(fire(v, SUM))
        v = torch.where(spikes[-1] > 0, 0.0, v)
    return spikes[-1]


@pytest.mark.parametrize("module", [single, inner, over_time])
def test_a_comparison_that_is_imported_wrongly_is_found(module, monkeypatch):
    assert "at and just below their thresholds" in ever(module)
    monkeypatch.setitem(symbolic_tensors.OPERATIONS, "ge", as_strict)
    with pytest.raises(
        NetlistError,
        match=r"does not do what was imported: the neuron at test_free_spikes\.py:\d+ fires where its "
        r"potential less its threshold is 0, as spikes before it can make it",
    ):
        ever(module)


class StrictAlone(Spiking):
    """Has another rule for a single row, as it is imported."""

    def forward(self, x):
        return ((x > self.v_threshold) if len(x) == 1 else (x >= self.v_threshold)).to(x)


def test_a_module_that_has_another_rule_at_the_threshold_alone_is_refused():
    module = torch.nn.Sequential(linear(ODD), StrictAlone(SUM))
    with pytest.raises(NetlistError, match="the neuron at test_free_spikes"):
        ever(module)


def test_a_step_below_the_threshold_is_compared_too():
    """A module that fires one unit early, in batches."""
    unit = [[*ODD[0][:-1], 1.0]]

    def module(x):
        return fire(x @ torch.tensor(unit).T, SUM - (len(x) > 1))

    with pytest.raises(NetlistError, match="fires where its potential less its threshold is -1,"):
        ever(module)


# --- what is compared, and what not --------------------------------------------------------------


def relu_beside(potential, x):
    """The same threshold, by a comparison and not: what that gives is not set free."""
    return fire(torch.relu(potential) + fire(potential, 0) + x, 3)


@pytest.mark.parametrize(
    ("module", "words"),
    [
        (single, "spikes set free 1 of 1 neurons"),
        (inner, "spikes set free 4 of 4 neurons"),
        (lambda x: torch.maximum(fire(x[:, :1] + x[:, 1:2], 1), x[:, 2:3]), "free 1 of 1 neurons"),
        (lambda x: relu_beside(x[:, :1] - x[:, 1:2], x[:, 2:3]), "neurons, in each case"),
        (lambda x: fire(x[:, :1] + x[:, 1:2], 2) + x[:, :1] * x[:, 1:2] >= 1, "free 1 of 2 neurons"),
    ],
    ids=["single", "inner", "maximum", "relu", "product"],
)
def test_how_many_neurons_are_compared_is_noted(module, words):
    """Those that gates or maxima are taken for, too, stay what they are: not all can be set."""
    assert words in ever(module)


def test_what_cannot_be_compared_so_is_said():
    def tangled(x):
        v = torch.where(fire(x[:, :1], 1) > 0, 0.0, x[:, 1:2] + x[:, 2:3])
        return fire(torch.relu(v - x[:, 3:4]), 1)

    assert "were not compared at their thresholds, since maxima" in ever(tangled)

    def looping(x):
        return torch.cat([fire(x[row : row + 1, :1], 1) for row in range(len(x))])

    assert "comparisons depend on how many rows" in ever(looping)


def test_a_module_that_takes_no_batches_is_compared_row_by_row(monkeypatch):
    def module(x):
        return fire(x.reshape(1, 24) @ torch.tensor(ODD).T, SUM)

    assert "spikes set free 1 of 1 neurons" in ever(module)
    monkeypatch.setitem(symbolic_tensors.OPERATIONS, "ge", as_strict)
    with pytest.raises(NetlistError, match="the neuron at test_free_spikes"):
        ever(module)


def test_what_making_and_resetting_a_module_compares_does_not_count():
    class Resetting(Spiking):
        def reset(self):
            self.rest = (torch.zeros(1) > 0).float()

        def forward(self, x):
            return super().forward(x + self.rest)

    module = torch.nn.Sequential(linear(ODD), Resetting(SUM))
    assert "spikes set free 1 of 1 neurons" in ever(module, reset=True)


def test_heaviside_counts_as_a_comparison():
    def module(x):
        return torch.heaviside(x @ torch.tensor(ODD).T - SUM, torch.tensor(1.0))

    assert "spikes set free 1 of 1 neurons" in ever(module)


def test_a_comparator_of_twenty_bits_is_brought_to_its_threshold():
    note = ever(comparator(20, Spiking(1.0)), ({"x": 20, "y": 20}, {"out": 1}))
    assert "spikes set free 1 of 1 neurons" in note


# --- sums that come nearest ----------------------------------------------------------------------


@given(st.lists(st.integers(1, 40), max_size=8), st.integers(0, 400))
def test_nearest_from_below(weights, most):
    chosen = nearest(tuple(weights), min(most, sum(weights)))
    best = max(
        total
        for bits in product((0, 1), repeat=len(weights))
        if (total := int(np.dot(bits, weights))) <= most
    )
    assert sum(w for w, taken in zip(weights, chosen, strict=True) if taken) == best


def test_powers_of_two_without_a_table(monkeypatch):
    monkeypatch.setattr(free_spikes, "TABLE", 0)
    for most in (0, 1, 2**30 - 1, 2**40 - 2, 123456789):
        chosen = nearest(tuple(2**place for place in range(40)), most)
        assert sum(2**place for place, taken in enumerate(chosen) if taken) == most
