"""What is claimed of changed bits: the true is accepted, the false refused, and planted faults bite."""

import copy
import inspect
import types
from dataclasses import asdict

import numpy as np
import pytest

from spikeproof.prover.checking import robustness
from spikeproof.prover.checking.robustness import CertificateError, Checker
from spikeproof.prover.discovery.robustness import Searcher
from spikeproof.specs.networks import (
    EVENTS,
    AfterSpike,
    Dynamics,
    Network,
    NetworkError,
)
from tests.support.networks import (
    COUNTS,
    POTENTIALS,
    changed,
    decided,
    drawn_network,
    integers,
    layer,
    nearest,
)

SHAPES = ((7, 3), (8, 5, 3), (7, 5, 4, 3))


def record_of(found):
    return {**asdict(found), "class": found.decision}


def searched(network, image, most):
    return record_of(Searcher(network, most).distance(np.array(image), 60))


def claim(decision, radius, *levels, witness=None):
    return {"class": decision, "radius": radius, "tree": levels, "witness": witness}


def planted(old, new):
    """The checker with a fault."""
    source = inspect.getsource(robustness)
    assert source.count(old) == 1
    module = types.ModuleType("planted")
    exec(compile(source.replace(old, new), "planted", "exec"), module.__dict__)
    return module


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("readout", [POTENTIALS, COUNTS], ids=["potential", "count"])
@pytest.mark.parametrize(("largest", "scale"), [(1, 1), (5, 1), (3, 10**6), (2, 1 << 50)])
def test_distances_are_those_of_all_near_inputs(shape, readout, largest, scale):
    """Numbers of every kind: in 24 bits, in 53, and of Python."""
    random = np.random.default_rng([*shape, largest, scale, readout is COUNTS])
    met = set()
    for _ in range(6):
        network = drawn_network(random, shape, largest, readout, scale)
        image = random.random(network.inputs) < 0.5
        checker, record = Checker(network, 3), searched(network, image, 3)
        met.add(checker.kind)
        checker.check(image, record)
        witness = nearest(network, image, 3)
        assert record["class"] == decided(network, image)
        assert record["radius"] == (3 if witness is None else len(witness) - 1)
        assert (record["witness"] is None) == (witness is None)
        if witness is not None:
            assert decided(network, changed(image, record["witness"])) != record["class"]
    assert met <= {np.float32} if (largest, scale) == (1, 1) else met


def test_its_decisions_are_those_of_the_definition():
    random = np.random.default_rng(5)
    for readout in (POTENTIALS, COUNTS):
        for shape in SHAPES:
            network = drawn_network(random, shape, 2, readout)
            checker = Checker(network, 1)
            for _ in range(20):
                image = random.random(network.inputs) < 0.5
                assert checker.decision(image) == decided(network, image)


# --- faults that a prototype had, or was close to ------------------------------------------------

HALVES = Network((layer([[1, 1]], [2]), layer([[0], [1]])), 1, POTENTIALS)
"""One neuron that needs both bits: each has half of it."""

UNDONE = Network((layer([[1, 0], [1, -1]], [1, 1]), layer([[0, 1], [1, 0]])), 1, POTENTIALS)
"""The first bit starts a neuron for class 1, and one for class 0, which the second stops again; before,
the second has no share of anything."""


LARGE = Network((layer([[0, 0, 0], [1 << 24, 1, 1]], [1, (1 << 24) + 2]),), 1, COUNTS)
"""A neuron that is 2 short of firing, if the first bit is set; 2^24 + 1 is no number of 24 bits."""

TIED = Network((layer([[1, 0], [0, 1]]),), 1, POTENTIALS)
"""Each class has a bit."""


@pytest.mark.parametrize(
    ("old", "new", "network", "image", "false"),
    [
        pytest.param(
            "-(-worth // need) if worth.dtype == object else np.ceil(worth / need)",
            "UNIT * (worth // UNIT // need)",
            HALVES,
            [0, 0],
            claim(0, 2, [[0], []], [[], []]),
            id="shares that are truncated",
        ),
        pytest.param(
            "UNIT * np.maximum(np.where(fired[-1] > 0, leading, -leading), 0)",
            "UNIT * np.where(fired[-1] > 0, leading, -leading)",
            UNDONE,
            [0, 0],
            claim(0, 2, [[0], []], [[], []]),
            id="credit for what helps",
        ),
        pytest.param(
            "free[parents] & (rank[parents] > place[these, None])",
            "free[parents] & (rank[parents] > place[these, None]) & (shares[parents] > 0)",
            UNDONE,
            [0, 0],
            claim(0, 2, [[1], [0]], [[0], []]),
            id="bits that have no share yet",
        ),
        pytest.param(
            "rival > decision for rival",
            "True for rival",
            TIED,
            [0, 1],
            claim(1, 1, [[0], []]),
            id="ties",
        ),
        pytest.param(
            "for limit, kind in KINDS if largest < limit",
            "for limit, kind in KINDS",
            LARGE,
            [1, 0, 0],
            claim(0, 2, [[1], [1]], [[0], []]),
            id="sums that do not fit",
        ),
        pytest.param(
            "np.minimum(b, n[:, None])",
            "np.minimum(b, 1)",
            Network((layer([[3, 3]], [6]), layer([[0], [1]])), 1, POTENTIALS),
            [0, 0],
            claim(0, 2, [[0], []], [[], []]),
            id="large weights that count as one",
        ),
        pytest.param(
            "self.moved_by[:, left]",
            "left",
            Network((layer([[4, 4]], [6]), layer([[0], [1]])), 1, POTENTIALS),
            [0, 0],
            claim(0, 2, [[0], []], [[], []]),
            id="large weights that move as one",
        ),
        pytest.param(
            "rank[parents] > place",
            "rank[parents] > 1 + place",
            HALVES,
            [0, 0],
            claim(0, 2, [[2], [0, 1]], [[0, 0], []]),
            id="bits that are taken away too early",
        ),
    ],
)
def test_a_planted_fault_bites(old, new, network, image, false):
    """The claim is false, and refused; the faulty checker takes it."""
    witness = nearest(network, image, false["radius"])
    assert witness is not None
    with pytest.raises(CertificateError):
        Checker(network, 3).check(np.array(image), false)
    planted(old, new).Checker(network, 3).check(np.array(image), false)


def test_a_tie_goes_to_the_lower_class_and_so_is_no_change_for_that():
    image, true = np.array([1, 0]), claim(0, 1, [[0], []])
    assert nearest(TIED, image, 1) is None
    Checker(TIED, 3).check(image, true)
    with pytest.raises(robustness.CertificateError):
        Checker(TIED, 3).check(np.array([0, 1]), claim(1, 1, [[0], []]))
    with pytest.raises(Exception, match="leaves out"):
        planted("rival > decision for rival", "False for rival").Checker(TIED, 3).check(image, true)


# --- what is tampered with ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def proved():
    """A network, an image and a record whose tree has branches at two depths."""
    random = np.random.default_rng(2)
    while True:
        network = drawn_network(random, (12, 9, 3))
        image = random.random(12) < 0.5
        record = searched(network, image, 3)
        if record["radius"] == 3 and len(record["tree"][1][1]) > 2 and record["witness"] is None:
            return network, image, copy.deepcopy(record)


def no_child(record):
    record["tree"][1][0].pop()


def no_bit(record):
    record["tree"][0][1].pop()


def fewer_branches(record):
    counts, bits = record["tree"][0]
    counts[next(i for i, count in enumerate(counts) if count)] -= 1
    bits.pop()


def leaf_instead(record):
    counts, bits = record["tree"][1]
    place = next(i for i, count in enumerate(counts) if count)
    del bits[sum(counts[:place]) : sum(counts[: place + 1])]
    counts[place] = 0


def twice_the_same(record):
    for level, (counts, bits) in enumerate(record["tree"]):
        place = next((i for i, count in enumerate(counts) if count > 1), None)
        if place is not None:
            first = sum(counts[:place])
            bits[first + 1] = bits[first]
            return level
    raise AssertionError("no node has two branches")


def changed_again(record):
    counts, bits = record["tree"][1]
    owner = next(i for i, count in enumerate(counts) if count)
    bits[0] = record["tree"][0][1][owner]


def outside(record):
    record["tree"][0][1][0] = 12


def negative(record):
    record["tree"][0][1][0] = -1


def no_number(record):
    record["tree"][0][1][0] = True


def other_class(record):
    record["class"] = (record["class"] + 1) % 3


def rival_left_out(record):
    record["tree"][0][0].pop()


def rival_added(record):
    record["tree"][0][0].append(0)


def larger_radius(record):
    record["radius"] += 1
    record["tree"] = (*record["tree"], ([0] * len(record["tree"][-1][1]), []))


def level_left_out(record):
    record["tree"] = record["tree"][:-1]


def more_bits(record):
    record["tree"][-1][1].append(0)


def witness_of_other_size(record):
    record["witness"] = [0, 1, 2]


def witness_with_a_bit_twice(record):
    record["witness"] = [0, 0, 1, 2]


TAMPERINGS = (
    no_child,
    no_bit,
    fewer_branches,
    leaf_instead,
    twice_the_same,
    changed_again,
    outside,
    negative,
    no_number,
    other_class,
    rival_left_out,
    rival_added,
    larger_radius,
    level_left_out,
    more_bits,
    witness_of_other_size,
    witness_with_a_bit_twice,
)


@pytest.mark.parametrize("tamper", TAMPERINGS, ids=lambda each: each.__name__)
def test_what_was_tampered_with_is_refused(proved, tamper):
    network, image, record = proved
    record = copy.deepcopy(record)
    checker = Checker(network, 4)
    checker.check(image, record)
    tamper(record)
    with pytest.raises(CertificateError):
        checker.check(image, record)


def test_a_witness_of_the_same_class_is_refused():
    network = Network((layer([[0, 0], [0, 0]]),), 1, POTENTIALS)
    with pytest.raises(CertificateError, match="the same class"):
        Checker(network, 1).check(integers([0, 0]), claim(0, 0, witness=[0]))


def test_another_image_is_refused(proved):
    """Any near one, unless the tree happens to hold for it: then the claim must be true of it."""
    network, image, record = proved
    refused = 0
    for bit in range(network.inputs):
        other = changed(image, [bit])
        try:
            Checker(network, 3).check(other, record)
        except CertificateError:
            refused += 1
        else:
            assert nearest(network, other, record["radius"]) is None
    assert refused


def test_another_network_is_refused(proved):
    """So with a weight or a threshold changed."""
    network, image, record = proved
    refused = 0
    first, last = network.layers
    for neuron in range(first.neurons):
        thresholds = first.thresholds.copy()
        thresholds[neuron] += 1 if neuron % 2 else -1
        moved = layer(first.weights, thresholds, first.bias, first.dynamics)
        other = Network((moved, last), 1, POTENTIALS)
        try:
            Checker(other, 3).check(image, record)
        except CertificateError:
            refused += 1
        else:
            assert nearest(other, image, record["radius"]) is None
    assert refused


@pytest.mark.parametrize(
    "dynamics",
    [
        Dynamics(1, AfterSpike.NOTHING, ("leak", "fire", "add", "reset"), strict=False),
        Dynamics(0, AfterSpike.NOTHING, ("add", "leak", "fire", "reset"), strict=False),
    ],
)
def test_of_other_networks_nothing_is_said(dynamics):
    assert set(dynamics.order) == set(EVENTS)
    with pytest.raises(NetworkError, match="in this order"):
        Checker(Network((layer([[1]], [1], dynamics=dynamics),), 1, COUNTS), 1)
    with pytest.raises(NetworkError, match="one step"):
        Checker(Network((layer([[1]], [1]),), 2, COUNTS), 1)
