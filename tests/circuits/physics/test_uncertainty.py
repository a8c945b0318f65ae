"""Uncertain neurons: intervals, what must and what may fire, and the netlist that shows all of it."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pysmt.shortcuts import And, Bool, Iff, Not, Or, is_sat

from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.netlist import Netlist, Neuron
from spikeproof.circuits.physics.real_formula import behaviour, spike_symbols
from spikeproof.circuits.physics.uncertainty import (
    DOUBT,
    NOTHING,
    Interval,
    Tolerance,
    UncertainNeuron,
    exactly,
    perturbed,
    sample,
    uncertain_netlist,
)
from spikeproof.circuits.units.libraries import gate_netlist
from spikeproof.proofs.margins import beyond, gates
from spikeproof.prover.margins.limits import PERTURBATIONS, reachable
from tests.support.netlists import netlists
from tests.support.profile import one_of_each

HALF = Fraction(1, 2)
rationals = st.fractions(-3, 3, max_denominator=6)


@st.composite
def intervals(draw: st.DrawFn) -> Interval:
    """An interval with ends of any kind, or a single value."""
    low, high = sorted((draw(rationals), draw(rationals)))
    if low == high:
        return exactly(low)
    return Interval(low, high, draw(st.booleans()), draw(st.booleans()))


@st.composite
def uncertain_neurons(draw: st.DrawFn, sources: int = 3) -> UncertainNeuron:
    """A neuron that reads the first few signals."""
    return UncertainNeuron(tuple((s, draw(intervals())) for s in range(sources)), draw(intervals()))


def test_intervals_by_hand():
    closed, half_open = (
        Interval(Fraction(-1), Fraction(2)),
        Interval(Fraction(0), Fraction(1), False, True),
    )
    assert closed + half_open == Interval(Fraction(-1), Fraction(3), False, True)
    assert half_open.scaled(-2) == Interval(Fraction(-2), Fraction(0), True, False)
    assert half_open.scaled(0) == NOTHING
    assert 0 in half_open
    assert 1 not in half_open
    assert str(half_open) == "[0, 1)"


@pytest.mark.parametrize("ends", [(1, 0, False, False), (1, 1, True, False), (1, 1, False, True)])
def test_empty_intervals_are_refused(ends):
    low, high, *is_open = ends
    with pytest.raises(ValueError, match="is empty"):
        Interval(Fraction(low), Fraction(high), *is_open)


def test_an_open_end_is_not_reached():
    """1 of weight, threshold 3/2, noise up to 1/2: it fires at 1/2, and at nothing less."""
    neuron = Neuron(((0, 1),), Fraction(3, 2))
    for is_open in (False, True):
        noise = Interval(Fraction(0), HALF, high_open=is_open)
        uncertain = UncertainNeuron.of(neuron, Tolerance(noise=noise))
        assert uncertain.outcomes([True]) == ((False,) if is_open else (False, True))


@given(uncertain_neurons())
def test_must_and_may_are_the_outcomes(neuron):
    for spikes in product((False, True), repeat=3):
        signals = np.array(spikes)[:, None]
        may, must = (bool(boolean.fires(each, signals)[0]) for each in (neuron.may(), neuron.must()))
        possible = neuron.outcomes(spikes)
        assert (True in possible, False in possible) == (may, not must)


@given(uncertain_neurons(), st.lists(st.fractions(0, 1, max_denominator=9), min_size=4, max_size=4))
def test_a_definite_neuron_does_what_the_uncertain_one_can(neuron, positions):
    intervals_used = (neuron.excess, *(weight for _, weight in neuron.synapses))
    inside = [
        position if interval.low + position * (interval.high - interval.low) in interval else HALF
        for position, interval in zip(positions, intervals_used, strict=True)
    ]
    definite = sample(neuron, inside)
    for spikes in product((False, True), repeat=3):
        fired = bool(boolean.fires(definite, np.array(spikes)[:, None])[0])
        assert fired in neuron.outcomes(spikes)


def output_sets(netlist: Netlist, uncertain: Netlist) -> dict[tuple[bool, ...], set[tuple[int, ...]]]:
    """By input bits, the values of all outputs that some doubt leads to."""
    doubts, found = uncertain.inputs[DOUBT], {}
    for bits in product((False, True), repeat=netlist.input_count):
        chosen = np.array([(*bits, *doubt) for doubt in product((False, True), repeat=doubts)]).T
        words, first = {}, 0
        for name, width in uncertain.inputs.items():
            words[name] = boolean.pack_words(chosen[first : first + width])
            first += width
        results = boolean.evaluate(uncertain, words)
        found[bits] = set(zip(*(map(int, results[name]) for name in netlist.outputs), strict=True))
    return found


@given(netlists(), st.data())
def test_doubts_lead_to_all_that_is_reachable_and_to_nothing_else(netlist, data):
    netlist = Netlist(netlist.inputs, netlist.neurons[:4], {"out": (netlist.input_count,)})
    noise = [data.draw(intervals()) for _ in netlist.neurons]
    neurons = [
        UncertainNeuron.of(neuron, Tolerance(noise=each))
        for neuron, each in zip(netlist.neurons, noise, strict=True)
    ]
    for bits, found in output_sets(netlist, uncertain_netlist(netlist, neurons)).items():
        expected = {(int(spikes[netlist.input_count]),) for spikes in reachable(bits, neurons)}
        assert found == expected


def can_err(netlist: Netlist, tolerance: Tolerance) -> bool:
    """Whether z3, in real arithmetic, finds perturbations with which an output is wrong."""
    spikes = spike_symbols(netlist)
    every = np.array(list(product((False, True), repeat=netlist.input_count))).T
    words = {name: boolean.pack_words(every[list(bus)]) for name, bus in netlist.input_buses.items()}
    read = {signal for bus in netlist.outputs.values() for signal in bus}
    wrong = Or(
        And(
            *(Iff(spikes[signal], Bool(bool(meant[signal]))) for signal in range(netlist.input_count)),
            Or(Not(Iff(spikes[signal], Bool(bool(meant[signal])))) for signal in read),
        )
        for meant in boolean.evaluate_signals(netlist, words).T
    )
    return is_sat(And(behaviour(netlist, perturbed(netlist, tolerance)), wrong), solver_name="z3")


GATES = one_of_each(gates(), kind=lambda gate: (gate.operation, gate.width))
"""Each of some library; that limits are those of every one is for ``proofs``."""


@pytest.mark.parametrize("gate", GATES, ids=lambda gate: gate.name)
def test_real_arithmetic_comes_to_the_same_limits(gate):
    """z3 on real variables, without our argument about the ends of sums: right within, wrong beyond."""
    for perturbation in PERTURBATIONS:
        limits = perturbation.limits(gate.netlist)
        assert not can_err(gate.netlist, perturbation.tolerance(limits.interval))
        for interval in beyond(perturbation, limits).values():
            assert can_err(gate.netlist, perturbation.tolerance(interval))


def test_logical_neurons_are_certain():
    netlist = gate_netlist("nexus", "full_adder")
    assert all(len(n.outcomes([True] * 16)) == 1 for n in perturbed(netlist, Tolerance()))
