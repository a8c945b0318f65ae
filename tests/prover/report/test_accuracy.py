"""Accuracy by chance: by hand from the normal distribution, by symmetry, and as simulated."""

from fractions import Fraction

import mpmath
import pytest

from spikeproof.circuits.units.libraries import gate_netlist
from spikeproof.prover.report.accuracy import accuracy, noisy, simulated, varied
from spikeproof.prover.report.published import LEAK, NOISE, S2, THRESHOLD, Figure

SIGMAS = [Fraction(n, 20) for n in (3, 4, 6, 10)]


def beyond(z: Fraction) -> mpmath.mpf:
    return mpmath.erfc(mpmath.mpf(z.numerator) / z.denominator / mpmath.sqrt(2)) / 2


def near(interval, value: mpmath.mpf) -> bool:
    middle = interval.low
    return abs(mpmath.mpf(middle.numerator) / middle.denominator - value) < mpmath.mpf(10) ** -14


@pytest.mark.parametrize("sigma", SIGMAS)
def test_and_by_hand(sigma):
    """Three inputs are a half away from the threshold, and one three halves."""
    wrong = (3 * beyond(Fraction(1, 2) / sigma) + beyond(Fraction(3, 2) / sigma)) / 4
    assert near(accuracy(gate_netlist("ionic", "and"), noisy(sigma)), 1 - wrong)


@pytest.mark.parametrize("sigma", SIGMAS)
def test_xor_by_hand(sigma):
    """Two neurons: h = [a + b >= 3/2], out = [a + b - 2 h >= 1/2]."""
    half, most = beyond(Fraction(1, 2) / sigma), beyond(Fraction(3, 2) / sigma)
    neither = (1 - most) * (1 - half) + most * (1 - beyond(Fraction(5, 2) / sigma))
    one = (1 - half) * (1 - half) + half * most
    both = (1 - half) * (1 - half) + half * most
    right = (neither + 2 * one + both) / 4
    assert near(accuracy(gate_netlist("ionic", "xor"), noisy(sigma)), right)


@pytest.mark.parametrize("sigma", SIGMAS)
def test_and_and_or_are_mirror_images(sigma):
    """So that figures which tell them apart are not both exact."""
    both, either = (accuracy(gate_netlist("ionic", gate), noisy(sigma)) for gate in ("and", "or"))
    assert both == either


@pytest.mark.parametrize("gate", ["and", "xor", "full_adder"])
def test_simulation_agrees(gate):
    netlist = gate_netlist("nexus", gate)
    exact, estimate = accuracy(netlist, noisy(Fraction(1, 5))), simulated(netlist, Fraction(1, 5))
    assert estimate.low < exact.low <= exact.high < estimate.high
    assert exact.high - exact.low < Fraction(1, 1 << 80)


def test_varied_thresholds_by_hand():
    """OR errs only where its threshold, a half, more than doubles or becomes negative."""
    wrong = (2 * beyond(Fraction(5)) + beyond(Fraction(5)) + beyond(Fraction(15))) / 4
    assert near(accuracy(gate_netlist("nexus", "or"), varied(Fraction(1, 5))), 1 - wrong)


def test_published_figures_are_ranges():
    figure = Figure(S2, "nexus", "and", Fraction(1, 10), "96 to 98")
    assert figure.range == (Fraction(191, 2), Fraction(197, 2))
    assert Figure(S2, "nexus", "and", Fraction(1, 5), "> 98").range == (98, 100)
    assert Figure(S2, "nexus", "and", Fraction(1, 5), "99.9").range == (
        Fraction(1997, 20),
        Fraction(1999, 20),
    )


def test_published_figures_are_of_gates_that_there_are():
    for figure in (*NOISE, *THRESHOLD, *LEAK):
        assert gate_netlist(figure.library, figure.gate)
        low, high = figure.range
        assert 0 < low <= high
