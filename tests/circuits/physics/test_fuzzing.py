"""Whole units beyond proof: correlated noise, drifting thresholds, streams without reset.

A unit's neurons all have integer weights and thresholds midway, so that the limits of a unit are those
of its neurons, each on every input of its own that it can ever have. Within them it must be right for
every draw; just beyond, one directed case errs.
"""

from dataclasses import replace
from fractions import Fraction
from functools import cache
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.netlist import Netlist, Neuron
from spikeproof.circuits.physics.leak import ExactMembranes
from spikeproof.circuits.physics.substrates import Reset
from spikeproof.prover.claims.catalogue import catalogue
from spikeproof.prover.margins.limits import BEYOND, first_wrong, leak_limit
from tests.support.profile import NIGHTLY

UNITS = (
    "fp4_e2m1.add.rne.saturate",
    "fp4_e2m1.multiply.rne.saturate",
    "fp8_e4m3fn.add.rne.saturate.ionic",
    "fp8_e4m3fn.multiply.rne.saturate.nexus",
)

ENUMERABLE = UNITS[:2]
"""Those with so few inputs that all can be tried."""

units = st.sampled_from(UNITS)
sizes = st.fractions(-1, 1, max_denominator=9)
resets = st.sampled_from(Reset)


@cache
def unit(name: str) -> Netlist:
    """A unit, without its blocks and cells."""
    return replace(catalogue()[name].circuit(), blocks=(), cells=())


@cache
def drives(neuron: Neuron) -> tuple[Fraction, ...]:
    """All that a neuron's inputs can come to, whatever they are."""
    totals = product(*((0, weight) for _, weight in neuron.synapses))
    return tuple(sorted({Fraction(neuron.bias + sum(total)) for total in totals}))


@cache
def logical(name: str, bits: tuple[bool, ...]) -> tuple[bool, ...]:
    """All signals of an undisturbed unit, by Boolean evaluation."""
    netlist = unit(name)
    words = {
        bus: boolean.pack_words(np.array([bits[s] for s in signals])[:, None])
        for bus, signals in netlist.input_buses.items()
    }
    return tuple(map(bool, boolean.evaluate_signals(netlist, words)[:, 0]))


def right(name: str, bits: tuple[bool, ...], spikes: list[bool]) -> bool:
    """Whether the outputs are as without disturbance."""
    outputs = [signal for bus in unit(name).outputs.values() for signal in bus]
    return all(spikes[signal] == logical(name, bits)[signal] for signal in outputs)


def inputs(name: str):
    """Any operands."""
    return st.tuples(*[st.booleans()] * unit(name).input_count)


def streams(name: str):
    """Operands of some evaluations."""
    return st.lists(inputs(name), min_size=1, max_size=8)


def margin(name: str) -> Fraction:
    """The least distance of a drive from its threshold: 1/2, as thresholds stand midway."""
    return min(abs(d - n.threshold) for n in unit(name).neurons for d in drives(n))


def surely_right(name: str, reset: Reset, noise: Fraction) -> Fraction:
    """The least of all neurons' limits: distance D, most left over L, beta (L + D) + noise <= D."""
    limits = [Fraction(1)]
    for neuron in unit(name).neurons:
        firing = [d for d in drives(neuron) if d >= neuron.threshold]
        silent = [d for d in drives(neuron) if d < neuron.threshold]
        left = [*silent, *(d - neuron.threshold for d in firing if reset is Reset.SOFT)]
        for sign, near in ((1, silent), (-1, firing)):
            most = max((sign * value for value in left), default=Fraction(0))
            for distance in (abs(neuron.threshold - d) for d in near):
                if most + distance > 0:
                    limits.append((distance - noise) / (most + distance))
    return min(limits)


@pytest.mark.parametrize("name", UNITS)
def test_every_neuron_of_a_unit_has_the_margin_of_the_gates(name):
    assert margin(name) == Fraction(1, 2)


# --- correlated noise ----------------------------------------------------------------------------


@settings(max_examples=50 if NIGHTLY else 20)
@given(units, st.data())
def test_correlated_noise_below_the_margin_changes_nothing(name, data):
    """A level that all neurons share and one of each, near the ends of what is proved."""
    netlist, bits = unit(name), data.draw(inputs(name))
    common = data.draw(sizes)
    own = data.draw(st.lists(sizes, min_size=1, max_size=20))
    share = data.draw(st.fractions(0, 1, max_denominator=9))
    edge = margin(name) * Fraction(999, 1000)
    noise = [
        edge * ((1 - share) * common + share * own[index % len(own)])
        for index in range(len(netlist.neurons))
    ]
    membranes = ExactMembranes(netlist, Fraction(0), Reset.HARD)
    assert right(name, bits, membranes.evaluate(bits, noise))


@pytest.mark.parametrize("name", UNITS)
def test_noise_just_beyond_the_margin_errs(name):
    """The same upward noise on every neuron, at some operands."""
    netlist, noise = unit(name), margin(name) * BEYOND
    membranes = ExactMembranes(netlist, Fraction(0), Reset.HARD)
    assert any(not right(name, bits, membranes.evaluate(bits, noise)) for bits in some_inputs(name))


def some_inputs(name: str) -> list[tuple[bool, ...]]:
    """A fixed sample of operands."""
    chance = np.random.default_rng(1)
    return [tuple(map(bool, row)) for row in chance.integers(0, 2, (64, unit(name).input_count))]


# --- drifting thresholds -------------------------------------------------------------------------


def threshold_limit(name: str) -> Fraction:
    """By how much of itself every threshold may be off: the least distance, relative to it."""
    return min(abs(d - n.threshold) / abs(n.threshold) for n in unit(name).neurons for d in drives(n))


def drifted(netlist: Netlist, rates: list[Fraction]) -> Netlist:
    """The netlist with each threshold off by a share of itself, the shares taken in turn."""
    return replace(
        netlist,
        neurons=tuple(
            replace(neuron, threshold=neuron.threshold * (1 + rates[index % len(rates)]))
            for index, neuron in enumerate(netlist.neurons)
        ),
    )


@settings(max_examples=25 if NIGHTLY else 10)
@given(units, st.data())
def test_drifting_thresholds_within_their_interval_change_nothing(name, data):
    """Cleared between evaluations, each threshold on its way to an end of the interval."""
    stream = data.draw(streams(name))
    ends = data.draw(st.lists(sizes, min_size=1, max_size=20))
    limit = threshold_limit(name) * Fraction(999, 1000)
    for time, bits in enumerate(stream, 1):
        rates = [limit * end * time / len(stream) for end in ends]
        membranes = ExactMembranes(drifted(unit(name), rates), Fraction(0), Reset.HARD)
        assert right(name, bits, membranes.evaluate(bits))


@pytest.mark.parametrize("name", UNITS)
def test_thresholds_just_beyond_their_interval_err(name):
    """All of them up by a thousandth more, or down, at some operands."""
    beyond = threshold_limit(name) * BEYOND
    both = [
        ExactMembranes(drifted(unit(name), [rate]), Fraction(0), Reset.HARD)
        for rate in (beyond, -beyond)
    ]
    assert any(
        not right(name, bits, membranes.evaluate(bits))
        for membranes in both
        for bits in some_inputs(name)
    )


# --- streams without reset -----------------------------------------------------------------------


@settings(max_examples=25 if NIGHTLY else 10)
@given(units, resets, st.sampled_from([Fraction(0), Fraction(1, 8), Fraction(3, 8)]), st.data())
def test_no_stream_without_reset_errs_up_to_the_limit(name, reset, bound, data):
    """With noise that all neurons share, and that changes from one evaluation to the next."""
    beta = surely_right(name, reset, bound)
    if name in ENUMERABLE:  # then more is known: what drives its neurons have
        exact = leak_limit(unit(name), reset, bound).beta
        assert exact >= beta
        beta = exact
    membranes = ExactMembranes(unit(name), beta, reset)
    for bits in data.draw(streams(name)):
        noise = bound * data.draw(sizes)
        assert right(name, bits, membranes.evaluate(bits, noise))


@pytest.mark.parametrize("reset", Reset)
@pytest.mark.parametrize("name", ENUMERABLE)
def test_a_repeated_input_errs_just_beyond_the_limit(name, reset):
    """A thousandth beyond, within ten evaluations."""
    limit = leak_limit(unit(name), reset)
    assert first_wrong(unit(name), limit.beta, reset) is None
    assert first_wrong(unit(name), limit.harm.beyond, reset) <= 10


def test_limits_of_whole_units():
    """What the documentation says of FP4 units."""
    found = [str(leak_limit(unit(name), reset).beta) for name in ENUMERABLE for reset in Reset]
    assert found == ["1/8", "1/3", "1/4", "1/3"]


@pytest.mark.parametrize("reset", Reset)
@pytest.mark.parametrize("name", UNITS)
def test_without_leak_or_reset_a_stream_errs(name, reset):
    """At beta 1 no unit is immune to what is left."""
    membranes = ExactMembranes(unit(name), Fraction(1), reset)
    assert any(not right(name, bits, membranes.evaluate(bits)) for bits in some_inputs(name))
