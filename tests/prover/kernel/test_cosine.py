"""cos(pi x) within a bound: true, and no idle one; faulty circuits are refused or within another."""

from dataclasses import replace
from fractions import Fraction
from functools import cached_property
from math import floor, log2

import gmpy2
import numpy as np
import pytest

from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.meanings.programs import ProgramError
from spikeproof.circuits.units.functions import bounded_cosine, sine_rows
from spikeproof.circuits.units.functions.bounded_cosine import BoundedCosine, build_bounded_cosine
from spikeproof.circuits.units.functions.regions import Regions
from spikeproof.circuits.units.functions.sine_rows import SineRows, number, rounded
from spikeproof.prover.claims.bounded import Bound, BoundedClaim
from spikeproof.prover.kernel.bit_sums import BoundError
from spikeproof.prover.kernel.bounds import bound_certificate
from spikeproof.prover.kernel.cosine import cosine_error
from spikeproof.prover.kernel.sine_rows import coefficient
from spikeproof.prover.refutation.mutation import with_neuron
from spikeproof.specs.formats import FP16, FP32, ieee_format
from tests.support.bounds import (
    assert_mutants_are_refused_or_within_their_bound,
    assert_probes_are_not_believed,
)

SMALL = ieee_format(5, 6)


def derived(circuit):
    return cosine_error(circuit, SMALL)


def units(netlist, fmt=SMALL):
    """The error, in units in the last place of a number just below a power of two."""
    return float(cosine_error(netlist, fmt) * (2 << fmt.fraction_bits))


def certified(netlist, fmt=SMALL, places=10, function="cos_pi"):
    return bound_certificate(BoundedClaim(netlist, Bound(function, fmt, places), {}))


@pytest.fixture(scope="module")
def small():
    """A circuit of few rows."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sine_rows, "ROWS", 4)
        yield build_bounded_cosine(SMALL)


@pytest.mark.parametrize(("fmt", "error"), [(SMALL, 36), (FP16, 63), (FP32, 224)], ids=str)
def test_errors(fmt, error):
    """In millionths of a unit in the last place."""
    found = cosine_error(build_bounded_cosine(fmt), fmt)
    assert isinstance(found, Fraction)
    assert float(found * (2 << fmt.fraction_bits)) * 1e6 == pytest.approx(error, abs=1)


def test_it_is_true_of_products_and_no_idle_one():
    """The word whose upper digits are the result, beside MPFR's sin(pi y)."""
    netlist, places = build_bounded_cosine(FP16), BoundedCosine(FP16).sine.places
    codes = np.arange(0x2000, 0x4000, 9, dtype=np.uint64)
    x = codes.astype(np.uint16).view(np.float16).astype(float)
    signals = boolean.evaluate_signals(netlist, {"x": codes})
    found = boolean.bus_words(signals, netlist.probes["magnitude"])
    with gmpy2.context(precision=200):
        pi = gmpy2.const_pi()
        errors = [
            abs(float(gmpy2.mul_2exp(gmpy2.mpfr(int(m)), -places) / abs(gmpy2.cos(pi * each)) - 1))
            for each, m in zip(x.tolist(), found.tolist(), strict=True)
            if m
        ]
    error = float(cosine_error(netlist, FP16))
    assert error / 5 < max(errors) <= error


@pytest.mark.parametrize("k", [0, 1, 2, 5])
@pytest.mark.parametrize("at", [0, Fraction(3, 16), Fraction(1, 2)], ids=str)
def test_coefficients(k, at):
    """The k-th derivative of sin(pi y)/y over k!, beside its integral by Arb's Taylor series."""
    flint = pytest.importorskip("flint")
    flint.ctx.prec = 200
    at = Fraction(at)
    y = flint.arb_series([flint.arb(flint.fmpq(at.numerator, at.denominator)), 1], 8)
    pi = flint.arb.pi()
    series = (y * pi).sin() / y if at else None
    low, high = coefficient(k, at)
    if series is None:
        right = [pi, flint.arb(0), -(pi**3) / 6, None, None, flint.arb(0)][k]
    else:
        right = series[k]
    middle = flint.arb(flint.fmpq(low.numerator, low.denominator))
    assert high - low < Fraction(1, 1 << 90)
    assert abs(float(middle - right)) < 2.0**-90


# --- faults -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("region", "by", "reason"),
    [
        (0, 64, "the constant is wrong"),
        (0, -64, "before rounding errors may be"),
        (1, -1, "do not tell"),
        (2, 1, "are wrong|there are other codes|the constant is wrong"),
        (3, 1, "the constant is wrong|there are other codes"),
        (4, 64, "the constant is wrong"),
        (5, -1, "do not tell"),
        (6, -1, "the constant is wrong"),
    ],
)
def test_a_region_that_begins_elsewhere(region, by, reason, monkeypatch):
    monkeypatch.setattr(sine_rows, "ROWS", 4)

    class Moved(BoundedCosine):
        @cached_property
        def regions(self):
            starts, results = super().regions.starts, super().regions.results
            moved = (start + by * (k == region) for k, start in enumerate(starts))
            return Regions(tuple(moved), results)

    with pytest.raises(BoundError, match=reason):
        certified(build_bounded_cosine(SMALL, Moved(SMALL)))


@pytest.mark.parametrize("more", [1, -1, 1 << 9])
@pytest.mark.parametrize("degree", [0, 1])
def test_an_entry_of_a_table(degree, more, small, monkeypatch):
    """Off by one unit it costs one at most; off by many, the bound."""
    monkeypatch.setattr(sine_rows, "ROWS", 4)
    right = SineRows._coefficient
    monkeypatch.setattr(
        SineRows,
        "_coefficient",
        lambda self, series, k, h: right(self, series, k, h) + more * ((k, h) == (degree, 3)),
    )
    netlist = build_bounded_cosine(SMALL)
    one = 2.0 ** -(sine_rows.GUARD + 1)
    assert netlist.sha256 != small.sha256
    assert abs(units(netlist) - units(small)) <= 1.01 * one * abs(more)
    if abs(more) > 1:
        with pytest.raises(BoundError, match="before rounding errors may be"):
            certified(netlist)


def test_constants_cut_off(monkeypatch):
    """Entries that lack their last places."""
    monkeypatch.setattr(sine_rows, "ROWS", 4)
    right = SineRows._coefficient
    monkeypatch.setattr(
        SineRows,
        "_coefficient",
        lambda self, series, k, h: right(self, series, k, h) >> 9 * (k < 2) << 9 * (k < 2),
    )
    with pytest.raises(BoundError):
        certified(build_bounded_cosine(SMALL))


@pytest.mark.parametrize(
    ("of", "name", "value"), [(sine_rows, "GUARD", 8), (bounded_cosine, "SPARE", 1)]
)
def test_a_construction_that_is_too_short(of, name, value, monkeypatch):
    """Too few places of the quotient, or of the distance."""
    monkeypatch.setattr(of, name, value)
    with pytest.raises(BoundError):
        certified(build_bounded_cosine(FP16), FP16)


def test_a_series_that_is_too_short(monkeypatch):
    monkeypatch.setattr(SineRows, "degree", 2)
    with pytest.raises(BoundError, match="before rounding errors may be"):
        certified(build_bounded_cosine(FP16), FP16)


@pytest.mark.parametrize("name", ["rows", "leading", "region"])
def test_a_comparator_that_is_moved(name, small):
    signal = small.probes[name][1]
    neuron = small.neurons[signal - small.input_count]
    faulty = with_neuron(small, signal, replace(neuron, threshold=neuron.threshold - 1))
    with pytest.raises((BoundError, ProgramError)):
        cosine_error(faulty, SMALL)


def test_another_sign(small):
    """That of the sine: in the first quarter of a turn as in the second."""
    faulty = replace(
        small, outputs={"result": (*small.outputs["result"][:-1], small.probes["turn"][-1])}
    )
    with pytest.raises(BoundError, match=r"the sign is another|constant is wrong"):
        cosine_error(faulty, SMALL)


def test_another_word_is_rounded(monkeypatch):
    """The probe has M, whose error is known; what is counted and rounded is M and half of Y's share."""

    def code(self, machine, y, region, regions):
        never = [0 if each is None else -4 << self.places for each in regions.results]
        y = machine.probed("distance", y)
        product = machine.product(y, self.quotient(machine, y))
        magnitude = machine.probed("magnitude", machine.digits(product, self.places + 1))
        other = number(magnitude) + machine.table(region, never) + number(y) * (1 << self.guarded - 1)
        found = rounded(machine, other, self, self.places - self.deepest, self.places + 1)[1]
        return found + machine.table(region, [each or 0 for each in regions.results])

    monkeypatch.setattr(sine_rows, "ROWS", 4)
    monkeypatch.setattr(SineRows, "code", code)
    with pytest.raises(BoundError, match="what is rounded is another word"):
        cosine_error(build_bounded_cosine(SMALL), SMALL)


def test_half_of_the_bound_is_refused(small):
    places = floor(-log2(units(small)))
    certified(small, places=places)
    with pytest.raises(BoundError, match=rf"more than 2\^-{places + 1}"):
        certified(small, places=places + 1)


def test_it_is_not_another_function(small):
    with pytest.raises(BoundError):
        certified(small, function="exp")


def test_mutants_are_refused_or_within_their_bound(small):
    assert_mutants_are_refused_or_within_their_bound(small, "cos_pi", SMALL, derived)


def test_probes_that_say_something_else(small):
    assert_probes_are_not_believed(small, derived)
