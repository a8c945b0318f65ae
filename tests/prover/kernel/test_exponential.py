"""e^x within a bound: it is true, and no idle one; faulty circuits are refused or within another."""

from fractions import Fraction
from functools import cache, cached_property
from math import floor, log2

import gmpy2
import numpy as np
import pytest

from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.meanings.program_reading import read_program
from spikeproof.circuits.units.functions import bounded_exponential
from spikeproof.circuits.units.functions.bounded_exponential import (
    BoundedExponential,
    _Unit,
    build_bounded_exponential,
)
from spikeproof.prover.claims.bounded import Bound, BoundedClaim
from spikeproof.prover.kernel.bit_sums import BoundError, Reader
from spikeproof.prover.kernel.bounds import bound_certificate
from spikeproof.prover.kernel.exponential import exponential_error
from spikeproof.specs.formats import FP16, FP32, FP64, RoundingMode, ieee_format
from tests.support.bounds import (
    assert_mutants_are_refused_or_within_their_bound,
    assert_probes_are_not_believed,
)
from tests.support.profile import NIGHTLY

SMALL = ieee_format(5, 6)
RNE = RoundingMode.NEAREST_EVEN


def derived(circuit):
    return exponential_error(circuit, SMALL)


def units(netlist, fmt):
    """The error, in units in the last place of a number just below a power of two."""
    return float(exponential_error(netlist, fmt) * (2 << fmt.fraction_bits))


sound = cache(build_bounded_exponential)


@cache
def error_of(fmt):
    return exponential_error(sound(fmt), fmt)


@pytest.fixture
def small():
    return sound(SMALL)


@pytest.mark.parametrize(
    ("fmt", "error"),
    [(SMALL, 286), (FP16, 263), (FP32, 406), *([(FP64, 695)] if NIGHTLY else [])],
    ids=str,
)
def test_errors(fmt, error):
    """In millionths of a unit in the last place."""
    assert isinstance(error_of(fmt), Fraction)
    assert float(error_of(fmt) * (2 << fmt.fraction_bits)) * 1e6 == pytest.approx(error, abs=1)


def test_it_is_true_of_sums_and_no_idle_one():
    """The sum whose upper digits are the result, less what rounds it, beside MPFR's e^x 2^-n."""
    netlist, places = sound(FP32), BoundedExponential(FP32).places
    reader = Reader(netlist, read_program(netlist))
    least, weights = reader.form(netlist.probes["significand"][0])
    x = np.random.default_rng(1).uniform(-80, 80, 100).astype(np.float32)
    signals = boolean.evaluate_signals(netlist, {"x": x.view(np.uint32)}).astype(int)
    exponents = boolean.bus_words(signals.astype(bool), netlist.probes["exponent"])
    half = 1 << places - FP32.fraction_bits - 1
    errors = []
    with gmpy2.context(precision=200):
        for each, n, bits in zip(x.tolist(), exponents.tolist(), signals.T.tolist(), strict=True):
            total = least + sum(weight * bits[s] for s, weight in weights.items()) - half
            scaled = gmpy2.mul_2exp(gmpy2.mpfr(total), int(n) - BoundedExponential(FP32).offset - places)
            errors.append(abs(float(scaled / gmpy2.exp(gmpy2.mpfr(each)) - 1)))
    error = float(error_of(FP32))
    assert error / 5 < max(errors) <= error


# --- faults -------------------------------------------------------------------------------------


class Moved(BoundedExponential):
    """Results become infinite, or 0, at another code."""

    by = (0, 0)

    @cached_property
    def ends(self):
        large, deep = super().ends
        return large + self.by[0], deep + self.by[1]


@pytest.mark.parametrize(
    ("by", "reason"),
    [
        ((1, 0), "too large"),
        ((-1, 0), "the constant is wrong"),
        ((0, 1), "n is clamped|the constant is wrong"),
        ((0, -1), "the constant is wrong"),
    ],
)
def test_a_region_that_begins_elsewhere(by, reason, monkeypatch):
    monkeypatch.setattr(Moved, "by", by)
    with pytest.raises(BoundError, match=reason):
        exponential_error(build_bounded_exponential(SMALL, Moved(SMALL)), SMALL)


@pytest.mark.parametrize("more", [1, -1, 1 << 5])
def test_an_entry_of_a_table(more, small, monkeypatch):
    """Off by one unit it costs one; off by many, the bound."""
    right, logarithms = units(small, SMALL), _Unit.logarithms

    def off(self, place, size):
        found = logarithms(self, place, size)
        found[2] += more
        return found

    monkeypatch.setattr(_Unit, "logarithms", off)
    netlist = build_bounded_exponential(SMALL)
    one = 2 * 2.0**-bounded_exponential.GUARD
    # The tables of both factors have one.
    assert units(netlist, SMALL) <= right + 2 * one * abs(more)
    if abs(more) > 1:
        with pytest.raises(BoundError, match="before rounding errors may be"):
            bound_certificate(BoundedClaim(netlist, Bound("exp", SMALL, 10), {}))


def test_a_constant_cut_off(monkeypatch):
    """Weights of ln(2) and of 1 / ln(2) that lack their last places."""
    constant = _Unit.constant
    monkeypatch.setattr(_Unit, "constant", lambda self, value: constant(self, value) >> 8 << 8)
    netlist = build_bounded_exponential(SMALL)
    with pytest.raises(BoundError):
        bound_certificate(BoundedClaim(netlist, Bound("exp", SMALL, 10), {}))


@pytest.mark.parametrize(("name", "value"), [("GUARD", 9), ("MOST", 2), ("LESS", -(1 << 20))])
def test_a_construction_that_is_too_short(name, value, monkeypatch):
    """Too few places; factors of few bits, whose tables alone cost more; n too large by one."""
    monkeypatch.setattr(bounded_exponential, name, value)
    netlist = build_bounded_exponential(SMALL)
    try:
        bound_certificate(BoundedClaim(netlist, Bound("exp", SMALL, 10), {}))
    except BoundError:
        return
    assert name == "MOST"


@pytest.mark.parametrize("fmt", [SMALL, FP32] if NIGHTLY else [SMALL], ids=str)
def test_half_of_the_bound_is_refused(fmt):
    netlist = sound(fmt)
    places = floor(-log2(error_of(fmt) * (2 << fmt.fraction_bits)))
    bound_certificate(BoundedClaim(netlist, Bound("exp", fmt, places), {}))
    with pytest.raises(BoundError, match=rf"more than 2\^-{places + 1}"):
        bound_certificate(BoundedClaim(netlist, Bound("exp", fmt, places + 1), {}))


def test_no_bound_of_other_functions(small):
    with pytest.raises(BoundError, match="tanh has no bound"):
        bound_certificate(BoundedClaim(small, Bound("tanh", SMALL, 10), {}))
    with pytest.raises(BoundError, match="there is no probe"):
        bound_certificate(BoundedClaim(small, Bound("log", SMALL, 10), {}))


def test_mutants_are_refused_or_within_their_bound(small):
    assert_mutants_are_refused_or_within_their_bound(
        small, "exp", SMALL, derived, count=32 if NIGHTLY else 16
    )


def test_probes_that_say_something_else(small):
    assert_probes_are_not_believed(small, derived)
