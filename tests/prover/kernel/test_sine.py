"""sin(pi x) within a bound: faulty circuits are refused, or within another one, which is true."""

from dataclasses import replace
from functools import cached_property
from math import floor, log2

import pytest

from spikeproof.circuits.meanings.programs import ProgramError
from spikeproof.circuits.units.functions import bounded_sine, sine_rows
from spikeproof.circuits.units.functions.bounded_sine import BoundedSine, _Unit, build_bounded_sine
from spikeproof.circuits.units.functions.regions import Regions
from spikeproof.prover.claims.bounded import Bound, BoundedClaim
from spikeproof.prover.kernel.bit_sums import BoundError
from spikeproof.prover.kernel.bounds import bound_certificate
from spikeproof.prover.kernel.sine import sine_error
from spikeproof.prover.refutation.mutation import with_neuron
from spikeproof.specs.formats import FP16, ieee_format
from tests.support.bounds import (
    assert_mutants_are_refused_or_within_their_bound,
    assert_probes_are_not_believed,
)

SMALL = ieee_format(5, 6)


def derived(circuit):
    return sine_error(circuit, SMALL)


def units(netlist, fmt=SMALL):
    """The error, in units in the last place of a number just below a power of two."""
    return float(sine_error(netlist, fmt) * (2 << fmt.fraction_bits))


def certified(netlist, places=10, function="sin_pi"):
    return bound_certificate(BoundedClaim(netlist, Bound(function, SMALL, places), {}))


@pytest.fixture(autouse=True)
def _few_rows(monkeypatch):
    monkeypatch.setattr(sine_rows, "ROWS", 4)


@pytest.fixture(scope="module")
def small():
    """A circuit of few rows."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sine_rows, "ROWS", 4)
        yield build_bounded_sine(SMALL)


def test_errors(monkeypatch):
    """In millionths of a unit in the last place."""
    monkeypatch.setattr(sine_rows, "ROWS", 8)
    assert units(build_bounded_sine(FP16), FP16) * 1e6 == pytest.approx(216, abs=1)


# --- faults -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("region", "by", "reason"),
    [
        (0, 128, "before rounding errors may be"),
        (0, -64, "V is another number|so small"),
        (1, -1, "do not tell"),
        (1, 64, "V is another number"),
        (2, 1, "the constant is wrong|other codes|do not tell"),
        (3, -1, "the constant is wrong|other codes"),
        (4, 128, "before rounding errors may be"),
        (5, -1, "do not tell"),
        (6, -1, "the constant is wrong|other codes"),
    ],
)
def test_a_region_that_begins_elsewhere(region, by, reason):
    class Moved(BoundedSine):
        @cached_property
        def regions(self):
            starts, results = super().regions.starts, super().regions.results
            moved = (start + by * (k == region) for k, start in enumerate(starts))
            return Regions(tuple(moved), results)

    with pytest.raises(BoundError, match=reason):
        certified(build_bounded_sine(SMALL, Moved(SMALL)))


@pytest.mark.parametrize("place", [0, 3, SMALL.fraction_bits])
@pytest.mark.parametrize("more", [1, -1, 1 << 11])
def test_a_weight_of_pi(place, more, small, monkeypatch):
    """Off by one unit it costs one at most; off by many, the bound."""
    right = _Unit.multiples
    monkeypatch.setattr(
        _Unit,
        "multiples",
        lambda self: [weight + more * (k == place) for k, weight in enumerate(right(self))],
    )
    netlist = build_bounded_sine(SMALL)
    assert netlist.sha256 != small.sha256
    assert abs(units(netlist) - units(small)) <= 1.01 * 2.0**-bounded_sine.GUARD * abs(more)
    if abs(more) > 1:
        with pytest.raises(BoundError, match="before rounding errors may be"):
            certified(netlist)


def test_tiny_numbers_that_are_too_large(monkeypatch):
    monkeypatch.setattr(bounded_sine, "TINY", 7)
    with pytest.raises(BoundError, match="before rounding errors may be"):
        certified(build_bounded_sine(SMALL))


@pytest.mark.parametrize("name", ["rows", "leading", "region", "tiny.leading"])
def test_a_comparator_that_is_moved(name, small):
    signal = small.probes[name][1]
    neuron = small.neurons[signal - small.input_count]
    faulty = with_neuron(small, signal, replace(neuron, threshold=neuron.threshold - 1))
    with pytest.raises((BoundError, ProgramError)):
        sine_error(faulty, SMALL)


def test_another_sign(small):
    """That of x alone."""
    sign = small.input_buses["x"][-1]
    faulty = replace(small, outputs={"result": (*small.outputs["result"][:-1], sign)})
    with pytest.raises(BoundError, match=r"the sign is another|constant is wrong"):
        sine_error(faulty, SMALL)


def test_half_of_the_bound_is_refused(small):
    places = floor(-log2(units(small)))
    certified(small, places)
    with pytest.raises(BoundError, match=rf"more than 2\^-{places + 1}"):
        certified(small, places + 1)


def test_it_is_not_a_cosine(small):
    with pytest.raises(BoundError):
        certified(small, function="cos_pi")


def test_mutants_are_refused_or_within_their_bound(small):
    assert_mutants_are_refused_or_within_their_bound(small, "sin_pi", SMALL, derived)


def test_probes_that_say_something_else(small):
    assert_probes_are_not_believed(small, derived)
