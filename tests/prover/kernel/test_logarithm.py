"""log(x), log2(x) within a bound: true, and no idle one; faulty circuits are refused or in another."""

from dataclasses import replace
from fractions import Fraction
from functools import cache, cached_property
from math import floor, log2

import gmpy2
import numpy as np
import pytest

from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.meanings.program_reading import read_program
from spikeproof.circuits.units.functions import bounded_logarithm
from spikeproof.circuits.units.functions.bounded_logarithm import (
    BoundedLogarithm,
    build_bounded_logarithm,
)
from spikeproof.circuits.units.functions.regions import Regions
from spikeproof.prover.claims.bounded import Bound, BoundedClaim
from spikeproof.prover.kernel.bit_sums import BoundError, Reader
from spikeproof.prover.kernel.bounds import bound_certificate
from spikeproof.prover.kernel.logarithm import logarithm_error
from spikeproof.prover.refutation.mutation import with_neuron
from spikeproof.specs.formats import FP16, FP32, FP64, RoundingMode, ieee_format
from tests.support.bounds import (
    assert_mutants_are_refused_or_within_their_bound,
    assert_probes_are_not_believed,
)
from tests.support.profile import NIGHTLY

SMALL = ieee_format(5, 6)
RNE = RoundingMode.NEAREST_EVEN
ONE = SMALL.bias << SMALL.fraction_bits


def derived(circuit):
    return logarithm_error(circuit, SMALL)


def units(netlist, fmt=SMALL):
    """The error, in units in the last place of a number just below a power of two."""
    return float(logarithm_error(netlist, fmt) * (2 << fmt.fraction_bits))


def certified(netlist, fmt=SMALL, places=10, function="log"):
    return bound_certificate(BoundedClaim(netlist, Bound(function, fmt, places), {}))


def built(kind, function="log"):
    """The circuit of a plan that is made otherwise."""
    return build_bounded_logarithm(SMALL, plan=kind.of(SMALL, function))


sound = cache(build_bounded_logarithm)


@cache
def error_of(fmt, function="log"):
    return logarithm_error(sound(fmt, function), fmt, function)


@pytest.fixture
def small():
    return sound(SMALL, "log")


@pytest.mark.parametrize(
    ("function", "fmt", "error"),
    [
        ("log", SMALL, 142),
        ("log", FP16, 120),
        ("log", FP32, 312),
        ("log2", SMALL, 152),
        ("log2", FP16, 143),
        *([("log", FP64, 644), ("log2", FP64, 699)] if NIGHTLY else []),
    ],
    ids=str,
)
def test_errors(function, fmt, error):
    """In millionths of a unit in the last place."""
    found = error_of(fmt, function)
    assert isinstance(found, Fraction)
    assert float(found * (2 << fmt.fraction_bits)) * 1e6 == pytest.approx(error, abs=1)


def test_it_is_true_of_sums_and_no_idle_one():
    """The word whose upper digits are the result, beside MPFR's log(x): the error is that next to 1."""
    netlist, plan = sound(FP32, "log"), BoundedLogarithm.of(FP32)
    least, weights = Reader(netlist, read_program(netlist)).form(netlist.probes["logarithm"][0])
    rng, one = np.random.default_rng(1), FP32.bias << FP32.fraction_bits
    near = rng.integers(one + 1, one + 99, 50)
    codes = np.concatenate([near - 100, near, rng.integers(1, FP32.infinity, 100)])
    signals = boolean.evaluate_signals(netlist, {"x": codes.astype(np.uint64)}).astype(int)
    numbers = codes.astype(np.uint32).view(np.float32).tolist()
    errors = []
    with gmpy2.context(precision=200):
        for x, bits in zip(numbers, signals.T.tolist(), strict=True):
            total = least + sum(weight * bits[s] for s, weight in weights.items())
            total -= (x < 1) << plan.size
            errors.append(abs(float(total - gmpy2.mul_2exp(gmpy2.log(gmpy2.mpfr(x)), plan.places))))
    error = float(error_of(FP32)) * 2.0 ** (plan.places - FP32.precision)
    assert error / 5 < max(errors) <= error


# --- faults -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("region", "by", "reason"),
    [
        (0, 1, "the constant is wrong"),
        (1, -1, "the constant is wrong"),
        (1, 1, "no count"),
        (2, 1, "the constant is wrong"),
        (3, 1, "no count"),
        (3, -1, "the constant is wrong"),
        (4, 1, "the constant is wrong"),
        (5, -1, "the constant is wrong"),
        (6, 1, "the constant is wrong"),
    ],
)
def test_a_region_that_begins_elsewhere(region, by, reason):
    class Moved(BoundedLogarithm):
        @cached_property
        def regions(self):
            starts, results = super().regions.starts, super().regions.results
            moved = (start + by * (k == region) for k, start in enumerate(starts))
            return Regions(tuple(moved), results)

    with pytest.raises(BoundError, match=reason):
        logarithm_error(built(Moved), SMALL)


def test_a_region_of_another_sign():
    """log(x) of x below 1, as if it were positive."""

    class Positive(BoundedLogarithm):
        def program(self, machine, x):
            found = super().program(machine, x)
            return replace(found, negative=found.negative * 0)

    with pytest.raises(BoundError, match=r"the constant is wrong|of other digits"):
        logarithm_error(built(Positive), SMALL)


@pytest.mark.parametrize("more", [1, -1, 1 << 10])
@pytest.mark.parametrize(("name", "of"), [("logarithm", 1 - 3 / 64), ("power", 1)])
def test_an_entry_of_a_table(name, of, more, small):
    """Off by one unit it costs one at most; off by many, the bound."""

    class Off(BoundedLogarithm):
        pass

    def off(self, number):
        found = getattr(BoundedLogarithm, name)(self, number)
        return found + more * (number == of)

    setattr(Off, name, off)
    netlist = built(Off)
    one = 2.0**-bounded_logarithm.GUARD
    assert abs(units(netlist) - units(small)) <= 1.01 * one * abs(more)
    if abs(more) > 1:
        with pytest.raises(BoundError, match="before rounding errors may be"):
            certified(netlist)


@pytest.mark.parametrize("function", ["log", "log2"])
def test_constants_cut_off(function):
    """Weights and entries that lack their last places."""

    class Cut(BoundedLogarithm):
        def constant(self, number, place=0):
            return super().constant(number, place) >> 9 << 9

    with pytest.raises(BoundError):
        certified(built(Cut, function), function=function)


@pytest.mark.parametrize(("name", "value"), [("GUARD", 9), ("MOST", 8)])
def test_a_construction_that_is_too_short(name, value, monkeypatch):
    """Too few places; factors so few that the series is cut off too early."""
    monkeypatch.setattr(bounded_logarithm, name, value)
    if name == "MOST":
        monkeypatch.setattr(
            BoundedLogarithm, "factors", property(lambda self: (5, 7, 8)[: 1 + self.fmt.precision])
        )
    with pytest.raises(BoundError, match="before rounding errors may be"):
        certified(build_bounded_logarithm(SMALL))


def test_a_step_that_is_taken_too_early(small):
    """The first of the last factor: what is left is below 1."""
    last = sum(name.startswith("steps.") for name in small.probes) - 1
    signal = small.probes[f"steps.{last}"][0]
    neuron = small.neurons[signal - small.input_count]
    faulty = with_neuron(small, signal, replace(neuron, threshold=neuron.threshold - 1))
    with pytest.raises(BoundError, match="is too small"):
        logarithm_error(faulty, SMALL)


@pytest.mark.parametrize("fmt", [SMALL, FP16] if NIGHTLY else [SMALL], ids=str)
def test_half_of_the_bound_is_refused(fmt):
    netlist = sound(fmt, "log")
    places = floor(-log2(error_of(fmt) * (2 << fmt.fraction_bits)))
    certified(netlist, fmt, places)
    with pytest.raises(BoundError, match=rf"more than 2\^-{places + 1}"):
        certified(netlist, fmt, places + 1)


@pytest.mark.parametrize("function", ["exp", "log2"])
def test_it_is_not_another_function(function, small):
    with pytest.raises(BoundError):
        certified(small, function=function)


def test_mutants_are_refused_or_within_their_bound(small):
    assert_mutants_are_refused_or_within_their_bound(
        small, "log", SMALL, derived, count=32 if NIGHTLY else 16
    )


def test_probes_that_say_something_else(small):
    assert_probes_are_not_believed(small, derived)
