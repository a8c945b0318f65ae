"""Networks over time, many inputs at once: they do what the definition of record says of each."""

from contextlib import suppress
from fractions import Fraction
from itertools import combinations, pairwise, permutations, product

import numpy as np
import pytest

from spikeproof.prover.checking import changed_spikes
from spikeproof.prover.checking.changed_spikes import Enumeration, Shifts
from spikeproof.prover.checking.robustness import CertificateError
from spikeproof.specs.networks import (
    EVENTS,
    AfterSpike,
    Dynamics,
    Layer,
    Network,
    Readout,
    Score,
    run,
)
from tests.support.networks import COUNTS, POTENTIALS, integers

ORDERS = tuple(permutations(EVENTS))


def drawn(random, steps, sizes, readout, leak, largest=4):
    layers = []
    for inputs, neurons in pairwise(sizes):
        silent = readout.score is Score.POTENTIAL and len(layers) == len(sizes) - 2
        layers.append(
            Layer(
                random.integers(-largest, largest + 1, (neurons, inputs)),
                random.integers(-1, 2, neurons),
                None if silent else random.integers(0, 2 * largest, neurons),
                Dynamics(
                    leak,
                    random.choice([*AfterSpike]),
                    ORDERS[random.integers(len(ORDERS))],
                    bool(random.integers(2)),
                ),
                random.integers(-2, 3, (neurons, neurons)) if random.random() < 0.5 else None,
            )
        )
    return Network(tuple(layers), steps, readout)


def with_changes(image, spikes):
    image = image.copy().ravel()
    image[list(spikes)] ^= True
    return image


def decided(network, image):
    return run(network, image.reshape(network.steps, network.inputs).astype(int)).decision


@pytest.mark.parametrize("leak", [0, 1, Fraction(1, 2), Fraction(9, 10), Fraction(997, 1009)], ids=str)
@pytest.mark.parametrize(
    "readout",
    [POTENTIALS, COUNTS, Readout(Score.COUNT, 1), Readout(Score.COUNT, 2)],
    ids=["potential", "count", "latch of 1", "latch of 2"],
)
def test_classes_are_those_of_the_definition(readout, leak):
    random = np.random.default_rng(7)
    for steps in (1, 4, 9):
        network = drawn(random, steps, (4, 5, 3), readout, Fraction(leak))
        image = random.random((steps, 4)) < 0.5
        sets = integers(list(combinations(range(image.size), 2))[:30])
        found = Enumeration(network, 2).decisions(image, sets)
        assert found.tolist() == [decided(network, with_changes(image, spikes)) for spikes in sets]


LONG = 32
"""Steps after which potentials of a leak of 9/10 have 107 bits more."""


def test_potentials_that_64_bits_do_not_hold(monkeypatch):
    """Where it is believed that they do, classes are wrong, or what does not fit is noticed."""
    random = np.random.default_rng(3)
    network = drawn(random, LONG, (3, 4, 3), POTENTIALS, Fraction(9, 10))
    image = random.random((LONG, 3)) < 0.5
    sets = np.arange(image.size)[:, None]
    right = [decided(network, with_changes(image, spikes)) for spikes in sets]
    assert Enumeration(network, 1).decisions(image, sets).tolist() == right
    monkeypatch.setattr(changed_spikes, "LARGEST_INT64", 1 << 200)
    with np.errstate(over="ignore"), suppress(OverflowError):
        assert Enumeration(network, 1).decisions(image, sets).tolist() != right


def test_a_neuron_that_is_given_more_may_fire_less():
    """With a late reset to zero, which swallows what is added in that step: a spike more at an input
    that only ever makes the first class fire takes the image away from it."""
    late = Dynamics(Fraction(1), AfterSpike.ZERO, ("leak", "add", "reset", "fire"), strict=False)
    layer = Layer(integers([[2, -2], [0, 0]]), integers([0, 2]), integers([2, 2]), late)
    network = Network((layer,), 4, COUNTS)
    image = np.array([[0, 0], [1, 0], [0, 1], [1, 0]], bool)
    more = with_changes(image, [0]).reshape(4, 2)
    assert more.sum() > image.sum()
    counts = [run(network, each.astype(int)).spikes[0].sum(axis=0).tolist() for each in (image, more)]
    assert counts == [[2, 2], [1, 2]]
    assert Enumeration(network, 1).decisions(image, integers([[0]])).tolist() == [1]
    assert Enumeration(network, 1).nearest(image, 0, 1) == [0]


@pytest.mark.parametrize("reset", [AfterSpike.ZERO, AfterSpike.SUBTRACT])
def test_records_hold_or_are_refused(reset):
    random = np.random.default_rng(11)
    dynamics = Dynamics(Fraction(3, 4), reset, ("leak", "add", "fire", "reset"), strict=False)
    held = 0
    while held < 4:
        network = Network(
            (
                Layer(random.integers(-2, 3, (5, 4)), integers([0] * 5), integers([2] * 5), dynamics),
                Layer(random.integers(-2, 3, (3, 5)), integers([0] * 3), integers([1] * 3), dynamics),
            ),
            3,
            COUNTS,
        )
        image = random.random((3, 4)) < 0.5
        own = decided(network, image)
        found = next(
            (
                spikes
                for size in (1, 2, 3)
                for spikes in combinations(range(12), size)
                if decided(network, with_changes(image, spikes)) != own
            ),
            None,
        )
        if found is None or len(found) < 2:
            continue
        held += 1
        record = {"class": own, "radius": len(found) - 1, "witness": list(found), "tree": []}
        enumeration = Enumeration(network, 3)
        enumeration.check(image, record)
        assert enumeration.nearest(image, own, len(found)) == list(found)
        for false in (
            {"class": (own + 1) % 3},
            {"radius": len(found), "witness": None},
            {"radius": len(found) - 2},
            {"witness": [found[0]] * len(found)},
            {"witness": [12, *found[1:]]},
            {"tree": [[[0], []]]},
            {"radius": 4, "witness": None},
        ):
            with pytest.raises(CertificateError):
                enumeration.check(image, record | false)


# --- spikes that move ----------------------------------------------------------------------------------


def moved_by(before, after):
    """By how many steps all spikes have moved, in their order; ``None`` if inputs spike otherwise."""
    total = 0
    for was, now in zip(before.T, after.T, strict=True):
        if was.sum() != now.sum():
            return None
        total += sum(abs(a - b) for a, b in zip(np.flatnonzero(was), np.flatnonzero(now), strict=True))
    return total


def all_images(steps, inputs):
    for bits in product((False, True), repeat=steps * inputs):
        yield np.array(bits).reshape(steps, inputs)


@pytest.fixture(scope="module")
def shifted():
    """Networks and images, and how many steps spikes may move, up to 3, before the class is another."""
    random = np.random.default_rng(2)
    found = []
    for _ in range(25):
        network = drawn(random, 5, (2, 12, 3), POTENTIALS, Fraction(1), 3)
        image = random.random((5, 2)) < 0.4
        own = decided(network, image)
        others = [
            distance
            for other in all_images(5, 2)
            if (distance := moved_by(image, other)) and distance < 4 and decided(network, other) != own
        ]
        found.append((network, image, min([*others, 4]) - 1))
    return found


def test_spikes_that_move_are_all_tried_and_no_others():
    random = np.random.default_rng(1)
    for density in (0.0, 0.3, 0.6, 1.0):
        image = random.random((4, 3)) < density
        network = drawn(random, 4, (3, 3, 2), COUNTS, Fraction(1, 2))
        of_distance = {size: set() for size in range(1, 5)}
        for other in all_images(4, 3):
            distance = moved_by(image, other)
            spikes = np.flatnonzero(image ^ other)
            assert Shifts(network, 4).size(image, spikes) == distance
            if distance in of_distance:
                of_distance[distance].add(tuple(spikes.tolist()))
        for size, expected in of_distance.items():
            rows = [row for part in Shifts(network, 4).sets(image, size, 7) for row in part.tolist()]
            found = [tuple(sorted(spike for spike in row if spike >= 0)) for row in rows]
            assert len(found) == len(set(found))
            assert set(found) == expected


def held(network, image, record):
    try:
        Shifts(network, 3).check(image, record)
    except CertificateError:
        return False
    return True


def test_how_far_spikes_may_move(shifted):
    seen = set()
    for network, image, radius in shifted:
        seen.add(radius)
        own = decided(network, image)
        record = {"class": own, "radius": radius, "witness": None, "tree": []}
        assert [held(network, image, record | {"radius": each}) for each in range(4)] == [
            each <= radius for each in range(4)
        ]
        if radius < 3:
            witness = Shifts(network, 3).nearest(image, own, radius + 1)
            changed = with_changes(image, witness).reshape(image.shape)
            assert moved_by(image, changed) == radius + 1
            assert decided(network, changed) != own
            assert held(network, image, record | {"witness": witness})
            assert not held(network, image, record | {"witness": witness[:-1]})
    assert seen == {0, 1, 2, 3}


MOVED_FAULTS = {
    "a spike moves by one step only": (
        changed_spikes,
        "_moved",
        lambda train, most: [each if steps < 2 else [] for steps, each in enumerate(moved(train, most))],
    ),
    "spikes move later only": (
        changed_spikes,
        "_one_step",
        lambda train: [each for each in one_step(train) if each < train],
    ),
}

moved, one_step = changed_spikes._moved, changed_spikes._one_step


@pytest.mark.parametrize("fault", MOVED_FAULTS)
def test_a_planted_fault_in_moves_accepts_what_is_false(monkeypatch, shifted, fault):
    near = [each for each in shifted if each[2] < 3]
    monkeypatch.setattr(*MOVED_FAULTS[fault])
    records = [
        {"class": decided(network, image), "radius": radius + 1, "witness": None, "tree": []}
        for network, image, radius in near
    ]
    pairs = zip(near, records, strict=True)
    assert any(held(network, image, record) for (network, image, _), record in pairs)
