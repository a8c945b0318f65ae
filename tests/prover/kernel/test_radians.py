"""sin(x), cos(x) within a bound: true, and no idle one; faulty circuits are refused or in another."""

from dataclasses import replace
from functools import cached_property
from math import floor, log2

import gmpy2
import numpy as np
import pytest

from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.meanings.programs import ProgramError
from spikeproof.circuits.units.functions import bounded_radians, sine_rows
from spikeproof.circuits.units.functions.bounded_radians import BoundedRadians, build_bounded_radians
from spikeproof.circuits.units.functions.regions import Regions
from spikeproof.prover.claims.bounded import Bound, BoundedClaim
from spikeproof.prover.kernel import multiples, radians
from spikeproof.prover.kernel.bit_sums import BoundError
from spikeproof.prover.kernel.bounds import bound_certificate
from spikeproof.prover.kernel.radians import radians_error
from spikeproof.prover.refutation.mutation import with_neuron
from spikeproof.reference.functions import doubles
from spikeproof.specs.formats import BFLOAT16, ieee_format
from tests.support.bounds import (
    assert_mutants_are_refused_or_within_their_bound,
    assert_probes_are_not_believed,
)
from tests.support.profile import NIGHTLY

SMALL = ieee_format(5, 3)
SINE, COSINE = "sin", "cos"


def derived(circuit):
    return radians_error(circuit, SMALL, SINE)


def units(netlist, fmt=SMALL, function=SINE):
    """The error, in units in the last place of a number just below a power of two."""
    return float(radians_error(netlist, fmt, function) * (2 << fmt.fraction_bits))


def certified(netlist, fmt=SMALL, places=10, function=SINE):
    return bound_certificate(BoundedClaim(netlist, Bound(function, fmt, places), {}))


@pytest.fixture(scope="module", autouse=True)
def few_rows():
    """Circuits of few rows."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sine_rows, "ROWS", 4)
        yield


@pytest.fixture(scope="module")
def small(few_rows):
    return build_bounded_radians(SMALL, SINE)


@pytest.mark.parametrize("function", [SINE, COSINE] if NIGHTLY else [COSINE])
def test_it_is_true_of_products_and_no_idle_one(function):
    """The word whose upper digits are the result, beside MPFR's: numbers of all sizes."""
    netlist, plan = build_bounded_radians(BFLOAT16, function), BoundedRadians(BFLOAT16, function)
    codes = np.arange(plan.fields[0] << 7, BFLOAT16.infinity, 307, dtype=np.uint64)
    signals = boolean.evaluate_signals(netlist, {"x": codes})
    found = boolean.bus_words(signals, netlist.probes["magnitude"])
    with gmpy2.context(precision=300):
        right = [getattr(gmpy2, function)(gmpy2.mpfr(x)) for x in doubles(BFLOAT16, codes).tolist()]
        errors = [
            abs(float(gmpy2.mul_2exp(gmpy2.mpfr(int(m)), -plan.sine.places) / abs(each) - 1))
            for each, m in zip(right, found.tolist(), strict=True)
        ]
    error = float(radians_error(netlist, BFLOAT16, function))
    assert error / 20 < max(errors) <= error


# --- faults -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("region", "by"), [(0, 64), (0, -8), (1, -1), (1, 1), (2, 1), (3, 64)])
@pytest.mark.parametrize("function", [SINE, COSINE])
def test_a_region_that_begins_elsewhere(function, region, by):
    class Moved(BoundedRadians):
        @cached_property
        def regions(self):
            starts, results = super().regions.starts, super().regions.results
            moved = (start + by * (k == region) for k, start in enumerate(starts))
            return Regions(tuple(moved), results)

    with pytest.raises(BoundError):
        certified(build_bounded_radians(SMALL, function, Moved(SMALL, function)), function=function)


@pytest.mark.parametrize("more", [1, -1, 1 << 11])
@pytest.mark.parametrize("place", [0, 8])
def test_a_weight_of_the_reduction(more, place, small):
    """Off by one unit it costs what that is of the least distance; off by many, the bound."""

    class Off(BoundedRadians):
        def weights(self, block, size):
            for k, weight in enumerate(super().weights(block, size)):
                yield weight + more * ((block, k) == (0, place))

    netlist = build_bounded_radians(SMALL, SINE, Off(SMALL, SINE))
    assert netlist.sha256 != small.sha256
    distance = multiples.distance_from_right_angles(SMALL, BoundedRadians(SMALL, SINE).fields) / 2
    one = 2 ** (SMALL.precision - BoundedRadians(SMALL, SINE).sine.fixed) / distance
    assert abs(units(netlist) - units(small)) <= 1.01 * one * abs(more)
    if abs(more) > 1 and place:
        with pytest.raises(BoundError):
            certified(netlist)


def test_a_constant_beyond_what_a_word_holds():
    """With its sign it would be NaN; the word is clamped to 0, and the result is -0."""

    class Clamped(BoundedRadians):
        @cached_property
        def regions(self):
            *results, nan = super().regions.results
            return Regions(super().regions.starts, (*results, nan - SMALL.sign_mask))

    with pytest.raises(BoundError, match="the code is clamped"):
        certified(build_bounded_radians(SMALL, SINE, Clamped(SMALL, SINE)))


def test_an_inverse_of_pi_that_is_cut_off():
    """Weights that lack their last places."""

    class Cut(BoundedRadians):
        def weights(self, block, size):
            return (weight >> 9 << 9 for weight in super().weights(block, size))

    with pytest.raises(BoundError):
        certified(build_bounded_radians(SMALL, SINE, Cut(SMALL, SINE)))


def test_half_a_turn_that_is_lost():
    """A weight that is less by an odd multiple of a half turn, which is no turn."""

    class Lost(BoundedRadians):
        def weights(self, block, size):
            for k, weight in enumerate(super().weights(block, size)):
                yield weight ^ (k == 8) << self.sine.fixed

    with pytest.raises(BoundError, match="does not tell"):
        certified(build_bounded_radians(SMALL, SINE, Lost(SMALL, SINE)))


@pytest.mark.parametrize("value", [-6, 2, 8])
def test_too_few_places_of_the_distance(value, monkeypatch):
    monkeypatch.setattr(bounded_radians, "SPARE", value)
    with pytest.raises(BoundError):
        certified(build_bounded_radians(SMALL, SINE))


def test_numbers_nearer_to_multiples_than_is_known(small, monkeypatch):
    """Were some as near as the error, nothing would be told of their sines."""
    right = radians.distance_from_right_angles
    monkeypatch.setattr(radians, "distance_from_right_angles", lambda *given: right(*given) / (1 << 16))
    with pytest.raises(BoundError):
        certified(small)


@pytest.mark.parametrize("name", ["rows", "leading", "region"])
def test_a_comparator_that_is_moved(name, small):
    signal = small.probes[name][1]
    neuron = small.neurons[signal - small.input_count]
    faulty = with_neuron(small, signal, replace(neuron, threshold=neuron.threshold - 1))
    with pytest.raises((BoundError, ProgramError)):
        radians_error(faulty, SMALL, SINE)


def test_another_sign(small):
    """That of x."""
    x = small.input_buses["x"]
    faulty = replace(small, outputs={"result": (*small.outputs["result"][:-1], x[-1])})
    with pytest.raises(BoundError):
        radians_error(faulty, SMALL, SINE)


def test_half_of_the_bound_is_refused(small):
    places = floor(-log2(units(small)))
    certified(small, places=places)
    with pytest.raises(BoundError, match=rf"more than 2\^-{places + 1}"):
        certified(small, places=places + 1)


@pytest.mark.parametrize("function", [COSINE, "cos_pi", "exp"])
def test_it_is_not_another_function(function, small):
    with pytest.raises(BoundError):
        certified(small, function=function)


def test_mutants_are_refused_or_within_their_bound(small):
    assert_mutants_are_refused_or_within_their_bound(small, SINE, SMALL, derived)


def test_probes_that_say_something_else(small):
    assert_probes_are_not_believed(small, derived)
