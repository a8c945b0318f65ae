"""Records of spreads, as they were found and with planted faults."""

import numpy as np
import pytest

from spikeproof.prover.checking.network_spreads import check_spread
from spikeproof.prover.checking.robustness import CertificateError
from spikeproof.prover.margins.network_spread import Spreads
from spikeproof.specs.networks import MEMORYLESS, Layer, Network, Readout, Score
from tests.support.networks import decided, drawn_network

NETWORK = drawn_network(np.random.default_rng(2), (12, 20, 4))


def record_of(given, label):
    limit = Spreads(NETWORK).limit(given, label)
    return {
        "class": label,
        "spread": str(limit.spread),
        "rival": limit.rival,
        "beyond": str(limit.beyond),
        "spikes": np.packbits(limit.spikes).tobytes().hex(),
    }


@pytest.fixture(scope="module")
def case():
    """An image, its class and its record, of a spread that is not 0."""
    random = np.random.default_rng(3)
    while True:
        given = random.integers(0, 2, 12)
        label = decided(NETWORK, given)
        record = record_of(given, label)
        if record["spread"] != "0":
            return given, label, record


def test_what_was_found_holds(case):
    check_spread(NETWORK, *case)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (
            {"spread": "1/2", "beyond": "1001/2000"},
            "some device whose deviations are below 1/2 is wrong",
        ),
        ({"spread": "1"}, "below 1 is wrong"),
        ({"beyond": "1/2"}, "just beyond"),
        ({"spikes": "ffffff"}, "is not wrong"),
        ({"class": 7}, "its class is"),
        ({"spread": None}, "has no spread"),
        ({"rival": 9}, "out of bounds"),
        ({"beyond": None}, "argument"),
    ],
)
def test_what_is_not_so_is_refused(case, fault, said):
    given, label, record = case
    with pytest.raises((CertificateError, TypeError, IndexError), match=said):
        check_spread(NETWORK, given, label, record | fault)


def test_a_spread_that_is_too_small_has_no_wrong_device(case):
    given, label, record = case
    numerator, _, denominator = record["spread"].partition("/")
    half = f"{numerator}/{2 * int(denominator)}"
    beyond = f"{1001 * int(numerator)}/{2000 * int(denominator)}"
    with pytest.raises(CertificateError, match="is not wrong"):
        check_spread(NETWORK, given, label, record | {"spread": half, "beyond": beyond})


def test_a_wrong_class_has_no_spread(case):
    given, label, record = case
    other = (label + 1) % 4
    with pytest.raises(CertificateError, match="is wrong"):
        check_spread(NETWORK, given, other, record)
    check_spread(NETWORK, given, other, record | {"spread": None})


def test_a_class_that_nothing_moves_has_a_spread_of_one():
    hidden = Layer(np.zeros((1, 1), np.int64), np.zeros(1, np.int64), np.array([1]), MEMORYLESS)
    outputs = Layer(np.array([[0], [0]]), np.array([1, 0]), None, MEMORYLESS)
    network = Network((hidden, outputs), 1, Readout(Score.POTENTIAL))
    check_spread(network, [0], 0, {"class": 0, "spread": "1"})
