"""Records of yields, as they were found and with planted faults; normal tails by another library."""

from fractions import Fraction
from itertools import pairwise

import mpmath
import numpy as np
import pytest

from spikeproof.prover.checking.network_yields import UNIT, check_yield, most_beyond
from spikeproof.prover.checking.robustness import CertificateError
from spikeproof.prover.margins.network_yield import Yield
from spikeproof.specs.networks import MEMORYLESS, Layer, Network, Readout, Score
from tests.support.networks import decided, drawn_network

SIGMA = Fraction(1, 50)


@pytest.mark.parametrize("distance", [0, 1, 49, 50, 100, 171, 350, 800, 1237, 1300])
def test_tails_are_a_little_more_than_they_are(distance):
    with mpmath.workdps(120):
        tail = mpmath.erfc(mpmath.mpf(distance) / 100 / mpmath.sqrt(2)) / 2
        found = mpmath.mpf(most_beyond(distance)) / UNIT
        assert 0 <= found - tail <= mpmath.mpf(10) ** -55


def test_farther_is_less_likely_and_never_impossible():
    tails = [most_beyond(distance) for distance in range(0, 2001, 10)]
    assert all(far <= near + UNIT // 10**55 for near, far in pairwise(tails))
    assert min(tails) > 0


def cases():
    """Networks and images, with classes and what was found."""
    for seed in range(40):
        network = drawn_network(np.random.default_rng(seed), (8, 12, 3))
        given = np.random.default_rng(seed).integers(0, 2, 8)
        label = decided(network, given)
        bound = Yield(network, SIGMA).bound(given, label)
        record = {"class": label, "least": str(bound.least), "free": list(bound.free)}
        yield network, given, label, record


def test_what_was_found_holds_and_no_more():
    met = 0
    for network, given, label, record in cases():
        check_yield(network, given, label, SIGMA, record)
        least = Fraction(record["least"])
        if not least:
            continue
        more = str(least + max(Fraction(1, 10**6) * (1 - least), Fraction(1, 10**20)))
        with pytest.raises(CertificateError, match="fewer devices"):
            check_yield(network, given, label, SIGMA, record | {"least": more})
        with pytest.raises(CertificateError, match="fewer devices"):
            check_yield(network, given, label, Fraction(1, 2), record)
        met += bool(record["free"])
    assert met > 10


def test_neurons_that_would_do_harm_are_not_free():
    refused = 0
    for network, given, label, record in cases():
        if record["least"] != "0":
            every = list(range(12))
            try:
                check_yield(network, given, label, SIGMA, record | {"free": every})
            except CertificateError as error:
                refused += "may win" in str(error)
    assert refused > 5


@pytest.mark.parametrize(
    "fault", [{"class": 1}, {"free": [-1]}, {"free": [True]}, {"free": 3}, {"least": "0", "free": [0]}]
)
def test_what_is_no_record_is_refused(fault):
    network, given, label, record = next(
        case for case in cases() if case[2] != 1 and case[3]["least"] != "0"
    )
    with pytest.raises((ValueError, TypeError)):
        check_yield(network, given, label, SIGMA, record | fault)


def with_free_neuron(own, other):
    """Of two hidden neurons the first fires, for class 0 by 5; the second is at rest, and left free."""
    hidden = Layer(np.array([[1], [1]]), np.array([0, 0]), np.array([1, 2]), MEMORYLESS)
    outputs = Layer(np.array([[5, own], [0, other]]), np.array([0, 0]), None, MEMORYLESS)
    return Network((hidden, outputs), 1, Readout(Score.POTENTIAL))


@pytest.mark.parametrize(
    ("own", "other", "lead", "square"), [(9, 9, 5, 25 + 81 + 81), (0, 4, 1, 25 + 16), (4, 0, 5, 25 + 16)]
)
def test_free_neurons_do_what_harms_most_and_add_to_what_deviates(own, other, lead, square):
    network, sigma = with_free_neuron(own, other), Fraction(1, 10)
    distances = lead / (sigma * mpmath.sqrt(square)), 1 / (sigma * mpmath.sqrt(4 + 1))
    likely = 1 - sum(mpmath.erfc(each / mpmath.sqrt(2)) / 2 for each in distances)
    record = {"class": 0, "free": [1]}
    check_yield(network, [1], 0, sigma, record | {"least": str(Fraction(float(likely) - 2e-3))})
    with pytest.raises(CertificateError, match="fewer devices"):
        check_yield(network, [1], 0, sigma, record | {"least": str(Fraction(float(likely) + 1e-9))})


@pytest.mark.parametrize("other", [5, 9])
def test_a_free_neuron_that_could_change_the_class_is_refused(other):
    record = {"class": 0, "free": [1], "least": "1/2"}
    with pytest.raises(CertificateError, match="class 1 may win"):
        check_yield(with_free_neuron(0, other), [1], 0, SIGMA, record)
