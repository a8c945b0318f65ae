"""One or two changed spikes, by tables of what neurons make of them: what brute force says, no more."""

import re
from contextlib import nullcontext
from dataclasses import replace
from fractions import Fraction
from itertools import combinations, permutations, product
from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks.network_robustness import LEAKY, SUMS, ask
from spikeproof.prover.checking import pairs_run, scenarios
from spikeproof.prover.checking.robustness import CertificateError
from spikeproof.prover.checking.scenarios import Scenarios, tabled
from spikeproof.prover.discovery.changed_spikes import SpikeSearcher
from spikeproof.specs.networks import (
    EVENTS,
    MEMORYLESS,
    USUAL_ORDER,
    AfterSpike,
    Dynamics,
    Layer,
    Network,
    NetworkError,
    Readout,
    Score,
    run,
)
from tests.support.networks import COUNTS, POTENTIALS, integers
from tests.support.profile import NIGHTLY, one_of_each

ORDERS = tuple(permutations(EVENTS))
LEAKS = tuple(map(Fraction, ("0", "1", "1/2", "7/8", "9/10", "997/1009")))


def drawn(random, steps, sizes, leak=None, reset=None, largest=3):
    """A network of two layers, read by potentials."""
    inputs, neurons, classes = sizes

    def dynamics():
        return Dynamics(
            leak if leak is not None else LEAKS[random.integers(len(LEAKS))],
            reset or random.choice([*AfterSpike]),
            ORDERS[random.integers(len(ORDERS))],
            bool(random.integers(2)),
        )

    hidden = Layer(
        random.integers(-largest, largest + 1, (neurons, inputs)),
        random.integers(-1, 2, neurons),
        random.integers(-1, 2 * largest, neurons),
        dynamics(),
    )
    weights = random.integers(-largest, largest + 1, (classes, neurons))
    outputs = Layer(weights, random.integers(-2, 3, classes), None, dynamics())
    return Network((hidden, outputs), steps, POTENTIALS)


def continued(random, steps, readout, layers=2, largest=3):
    """A network that is not read as a sum: by counts, or of more layers; later ones recurrent or not."""
    network = drawn(random, steps, (4, 4, 3), largest=largest)
    hidden, outputs = network.layers
    middle = drawn(random, steps, (4, 4, 3), largest=largest).layers[0]
    found = [hidden, *[middle] * (layers - 2), outputs]
    for place in range(1, layers):
        silent = readout is POTENTIALS and place == layers - 1
        neurons = found[place].neurons
        found[place] = replace(
            found[place],
            thresholds=None if silent else random.integers(0, 2 * largest, neurons),
            recurrent=random.integers(-2, 3, (neurons, neurons)) if random.random() < 0.5 else None,
        )
    return Network(tuple(found), steps, readout)


def with_changes(image, spikes):
    image = image.astype(int)
    image.flat[list(spikes)] ^= 1
    return image


def decided(network, image, spikes=()):
    return run(network, with_changes(image, spikes)).decision


def radius_of(network, image, most=2):
    """By the definition of record, of all sets of so many spikes and fewer."""
    own = decided(network, image)
    for size in range(1, most + 1):
        if any(decided(network, image, s) != own for s in combinations(range(image.size), size)):
            return size - 1
    return most


def accepted(network, image, radius):
    record = {"class": decided(network, image), "radius": radius, "witness": None, "tree": []}
    try:
        Scenarios(network, 2).check(image, record)
    except CertificateError as error:
        return not re.search("changes? the class", str(error))
    return True


def cases(seed, count, sizes=(4, 4, 3), steps=(2, 5), **kind):
    """Networks and images that two changed spikes or fewer may or may not change."""
    random = np.random.default_rng(seed)
    for _ in range(count):
        network = drawn(random, int(random.integers(*steps)), sizes, **kind)
        yield network, random.random((network.steps, network.inputs)) < random.choice([0.2, 0.5])


def require_agreement(found, most=2):
    seen = set()
    for network, image in found:
        radius = radius_of(network, image, most)
        seen.add(radius)
        sizes = range(most + 1)
        assert [accepted(network, image, each) for each in sizes] == [each <= radius for each in sizes]
        distance = SpikeSearcher(network, most).distance(image, 60)
        assert distance.radius == radius
        assert (distance.witness is None) == (radius == most)
        if distance.witness is not None:
            assert len(distance.witness) == radius + 1
            assert decided(network, image, distance.witness) != distance.decision
    return seen


@pytest.mark.parametrize("seed", range(12 if NIGHTLY else 3))
def test_what_is_accepted_is_what_brute_force_says(seed):
    """Whatever the order of events, reset and leak of either layer; the search finds the same."""
    require_agreement(cases(seed, 12))


def test_all_distances_occur():
    assert require_agreement(cases(100, 20, largest=2, leak=Fraction(3, 4))) == {0, 1, 2}


def cases_continued(seed, count, largest=2):
    """Networks that fire at the end, have more layers, or both, and images."""
    random = np.random.default_rng(seed)
    kinds = [(COUNTS, 2), (Readout(Score.COUNT, 1), 2), (Readout(Score.COUNT, 2), 2), (POTENTIALS, 3)]
    for place in range(count):
        network = continued(random, int(random.integers(2, 6)), *kinds[place % 4], largest)
        yield network, random.random((network.steps, network.inputs)) < random.choice([0.2, 0.5])


@pytest.mark.parametrize("seed", range(4 if NIGHTLY else 2))
def test_one_change_where_what_follows_is_run(seed):
    """Of outputs that fire, read by counts or a latch, of more layers and of recurrent ones."""
    found = list(cases_continued(200 + seed, 24))
    assert {tabled(network, 2) for network, _ in found} <= {1, 2}
    assert require_agreement(found, 1) == {0, 1}


def cases_firing(seed, count):
    """Of two layers whose outputs fire, whatever their dynamics, and images."""
    for network, image in cases_continued(seed, 4 * count // 3):
        if network.readout is not POTENTIALS:
            hidden, outputs = network.layers
            yield replace(network, layers=(hidden, replace(outputs, recurrent=None))), image


def nearest_pair(network, image):
    return Scenarios(network, 2).nearest(image, decided(network, image), 2)


@pytest.mark.parametrize("seed", range(3 if NIGHTLY else 1))
def test_two_changes_where_outputs_fire(seed):
    """By counts or a latch: what is accepted, and what is found, is what brute force says."""
    seen = set()
    for network, image in cases_firing(400 + seed, 30):
        assert tabled(network, 2) == 2
        radius = radius_of(network, image)
        seen.add(radius)
        assert [accepted(network, image, each) for each in range(3)] == [
            each <= radius for each in range(3)
        ]
        if radius:
            spikes = nearest_pair(network, image)
            assert (spikes is None) == (radius == 2)
            assert spikes is None or decided(network, image, spikes) != decided(network, image)
    assert seen == {0, 1, 2}


@pytest.mark.parametrize("bits", [0, 2])
def test_outputs_in_coarse_units(monkeypatch, bits):
    """Potentials are off by so much that many pairs are in doubt, and run exactly."""
    found = list(cases_firing(500, 24 if NIGHTLY else 12))
    monkeypatch.setattr(pairs_run, "_bits", lambda network: bits)
    monkeypatch.setattr(pairs_run, "LEAST_BITS", 0)
    for network, image in found:
        radius = radius_of(network, image)
        assert [accepted(network, image, each) for each in range(3)] == [
            each <= radius for each in range(3)
        ]


@pytest.mark.parametrize(
    ("room", "strict"), one_of_each(product((1, 3, 1 << 30), (False, True)), kind=lambda case: case[0])
)
def test_potentials_that_are_rounded(monkeypatch, room, strict):
    """In units so coarse that most neurons are in doubt, or so fine that those at rest alone are."""

    def units(found, exact):
        steps = found.network.steps
        return (997**steps, 0, object) if exact else (room, steps, np.int64)

    monkeypatch.setattr(scenarios, "_units", units)
    random = np.random.default_rng(5)
    for network, image in [*cases(6, 12), *cases_continued(7, 8)]:
        hidden, *others = network.layers
        dynamics = replace(hidden.dynamics, leak=Fraction(500, 997), strict=strict)
        network = replace(network, layers=(replace(hidden, dynamics=dynamics), *others))
        radius = radius_of(network, image)
        given = random.permutation(3).tolist()
        assert [accepted(network, image, each) for each in given] == [each <= radius for each in given]


@pytest.mark.parametrize("dynamics", [LEAKY, SUMS], ids=["leaky", "sums"])
def test_z3_says_the_same(dynamics):
    """By the plain encoding that the benchmark asks it by."""
    answers = []
    for network, image in cases(3, 6, steps=(3, 4)):
        hidden, outputs = network.layers
        changed = replace(
            hidden, bias=hidden.bias * 0, thresholds=abs(hidden.thresholds) + 1, dynamics=dynamics
        )
        network = replace(network, layers=(changed, replace(outputs, dynamics=SUMS)))
        own = decided(network, image)
        for most in (1, 2):
            sender = SimpleNamespace(send=answers.append)
            ask(sender, network, image, own, most)
            assert accepted(network, image, most) == (answers[-1] == "unsat")
    assert set(answers) == {"sat", "unsat"}


LONG = 260


@pytest.mark.parametrize("leak", [Fraction(7, 8), Fraction(1, 2)])
def test_a_threshold_that_is_approached_for_ever_is_not_reached(leak):
    """Half and 1 in doubles reach it; Python's integers, which are asked where it is near, do not."""
    dynamics = Dynamics(leak, AfterSpike.ZERO, USUAL_ORDER, strict=False)
    level = int(1 / (1 - leak))
    hidden = Layer(integers([[1, 0], [0, 1]]), integers([0, 0]), integers([level, 1]), dynamics)
    outputs = Layer(integers([[0, 1], [300, 0]]), integers([0, 0]), None, SUMS)
    network = Network((hidden, outputs), LONG, POTENTIALS)
    image = np.ones((LONG, 2), bool)
    assert decided(network, image) == 0
    question = scenarios._Question(Scenarios(network, 1), image.astype(np.int64), 0)
    assert question.all.doubtful.tolist() == [True, False]
    assert accepted(network, image, 1)
    assert SpikeSearcher(network, 1).distance(image, 60).radius == 1


def test_a_leak_as_single_precision_has_it():
    """0.9 of 24 bits: potentials are rounded from the second step on, and few are in doubt."""
    leak = Fraction(float(np.float32(0.9)))
    agreed = list(cases(50, 8, steps=(4, 6), leak=leak))
    require_agreement(agreed)
    for network, image in agreed:
        question = scenarios._Question(Scenarios(network, 2), image.astype(np.int64), 0)
        question.all.pairs(0)
        assert question.all.off
        assert not question.all.doubtful.any()


def test_sums_beyond_64_bits():
    """Leaks of 9/10 over 32 steps, of both layers: 107 bits."""
    random = np.random.default_rng(8)
    seen = set()
    for _ in range(6):
        network = drawn(random, 32, (2, 4, 3), leak=Fraction(9, 10))
        image = random.random((32, 2)) < 0.4
        radius = radius_of(network, image, 1)
        seen.add(radius)
        assert accepted(network, image, 1) == (radius == 1)
        assert SpikeSearcher(network, 1).distance(image, 60).radius == radius
    assert seen == {0, 1}


@pytest.mark.parametrize("leak", ["0", "1", "1/2", "1.4e-300", "subnormal"])
@pytest.mark.parametrize("order", [("add", "leak", "fire", "reset"), USUAL_ORDER], ids=["late", "usual"])
def test_leaks_of_outputs_that_doubles_do_not_hold(leak, order):
    """The last step alone counts, five against four, if almost nothing is left of the first."""
    share = Fraction(7, 5) / 2**1074 if leak == "subnormal" else Fraction(leak)
    hidden = Layer(integers([[1]] * 5), integers([0] * 5), integers([1] * 5), MEMORYLESS)
    output = Dynamics(share, AfterSpike.NOTHING, order, strict=False)
    weights = integers([[1] * 5, [0] * 5])
    outputs = Layer(weights, integers([0, 4]), None, output)
    network = Network((hidden, outputs), 2, POTENTIALS)
    image = np.zeros((2, 1), bool)
    radius = radius_of(network, image)
    assert radius == (2 if not share and order[0] == "add" else int(share >= Fraction(1, 2)))
    assert [accepted(network, image, each) for each in range(3)] == [each <= radius for each in range(3)]
    assert SpikeSearcher(network, 2).distance(image, 60).radius == radius


@pytest.mark.parametrize(
    ("largest", "leak"), [(1 << 44, Fraction(9, 10)), (1 << 61, Fraction(1)), (1, Fraction(0.9))]
)
def test_what_64_bits_do_not_hold_is_neither_tabled_nor_searched(largest, leak):
    network = drawn(np.random.default_rng(1), 3, (4, 4, 3), leak)
    hidden, outputs = network.layers
    large = replace(hidden, weights=hidden.weights * 0, thresholds=integers([largest - 1] * 4))
    network = replace(network, layers=(replace(large, bias=hidden.bias * 0), outputs))
    assert tabled(network, 2) == 0
    with pytest.raises(NetworkError, match="64 bits"):
        SpikeSearcher(network, 2)


# --- faults, each of which accepts what is false -------------------------------------------------------


@pytest.fixture(scope="module")
def near():
    """Images whose class two changes, or one, do change, and how many do not."""
    found = cases(40, 50, sizes=(3, 4, 3), steps=(2, 4), largest=2)
    measured = [(network, image, radius_of(network, image)) for network, image in found]
    return [each for each in measured if each[2] < 2]


def wrongly_accepted(near):
    """How many are accepted where one change more does change the class."""
    return sum(accepted(network, image, radius + 1) for network, image, radius in near)


require_second = scenarios._Summed._require_second

FAULTS = {
    "what two changes do together is forgotten": (
        "_Neurons.pairs",
        lambda self, first: self.singles()[first:, :, None] + self.singles()[first],
    ),
    "what is less than a whole is cut off": (
        "_Neurons._worth",
        lambda self, fired, step: np.trunc((fired * 1.0 - self.spikes[step]) * self.left[step]),
    ),
    "a change that helps stands for what another takes": (
        "_Neurons._worth",
        lambda self, fired, step: -np.abs(fired * 1.0 - self.spikes[step]) * self.left[step],
    ),
    "inputs whose change alone has no effect are left out": (
        "_Summed._require_second",
        lambda self, first, excess, singly, need: require_second(
            self, first, excess, np.where(singly == 0, -np.inf, singly), need
        ),
    ),
    "a spike that goes is one that comes": (
        "_Question._seen",
        lambda self, step: self.scenarios.seen[0],
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_accepts_what_is_false(monkeypatch, near, fault):
    name, does = FAULTS[fault]
    assert wrongly_accepted(near) == 0
    owner, method = name.split(".")
    monkeypatch.setattr(getattr(scenarios, owner), method, does)
    assert wrongly_accepted(near) > 0


trains = scenarios._Neurons.trains


def of_that_step_alone(self, first):
    """No trace of a change is left in the next step."""
    found = trains(self, first)
    found[1:] = self.spikes[first + 1 :, None]
    return found


@pytest.fixture(scope="module")
def near_firing():
    """Images whose class no single change changes, and two do."""
    measured = [(network, image, radius_of(network, image)) for network, image in cases_firing(600, 45)]
    return [each for each in measured if each[2] == 1]


def no_doubt(self, states, levels):
    """Potentials that are near their thresholds are taken as they are."""
    off, self.off = self.off, 0.0
    fire(self, states, levels)
    self.off = off


fire, rows, changed = pairs_run.Outputs._fire, pairs_run.States.rows, pairs_run.Outputs.changed

PAIR_FAULTS = {
    "what two changes do together is forgotten": (
        scenarios._Continued,
        "_excesses",
        lambda self, first, excess, *others: [[] for _ in excess],
    ),
    "the first change is forgotten in the potentials": (
        pairs_run.States,
        "rows",
        lambda self, some, columns: replace(
            rows(self, some, columns), potentials=rows(self, some, columns).potentials * 0
        ),
    ),
    "a latch that closed for another class is opened again": (
        pairs_run.Outputs,
        "changed",
        lambda self, states: changed(self, states) & states.open,
    ),
    "ties go to the class that was": (
        pairs_run.Outputs,
        "changed",
        lambda self, states: (
            states.changed | (states.open & (states.counts.max(axis=0) > states.counts[self.decision]))
        ),
    ),
}


@pytest.mark.parametrize("fault", PAIR_FAULTS)
def test_a_planted_fault_in_pairs_accepts_what_is_false(monkeypatch, near_firing, fault):
    assert wrongly_accepted(near_firing) == 0
    monkeypatch.setattr(*PAIR_FAULTS[fault])
    assert wrongly_accepted(near_firing) > 0


def test_a_leak_that_is_rounded_is_in_doubt_near_the_threshold(monkeypatch):
    """Without that, and in whole units, an output that hardly fires, or hardly does not, is misread."""
    found = []
    for network, image in cases_firing(700, 50):
        hidden, outputs = network.layers
        dynamics = replace(outputs.dynamics, leak=Fraction(2, 3))
        network = replace(network, layers=(hidden, replace(outputs, dynamics=dynamics)))
        radius = radius_of(network, image)
        if radius == 1:
            found.append((network, image, radius))
    monkeypatch.setattr(pairs_run, "_bits", lambda network: 0)
    monkeypatch.setattr(pairs_run, "LEAST_BITS", 0)
    assert wrongly_accepted(found) == 0
    monkeypatch.setattr(pairs_run.Outputs, "_fire", no_doubt)
    assert wrongly_accepted(found) > 0


CONTINUED_FAULTS = {
    "a change matters in its step alone": ("_Neurons.trains", of_that_step_alone),
    "a change is made a step later": (
        "_Neurons.trains",
        lambda self, first: np.concatenate(
            [trains(self, first)[:1] * 0 + self.spikes[first], trains(self, first)[:-1]]
        ),
    ),
    "a spike that goes is one that comes": FAULTS["a spike that goes is one that comes"],
}


@pytest.fixture(scope="module")
def near_continued():
    """Images whose class one change does change."""
    found = [
        (network, image, radius_of(network, image, 1)) for network, image in cases_continued(300, 32)
    ]
    return [each for each in found if each[2] == 0]


@pytest.mark.parametrize("fault", CONTINUED_FAULTS)
def test_a_planted_fault_in_what_is_run_accepts_what_is_false(monkeypatch, near_continued, fault):
    name, does = CONTINUED_FAULTS[fault]
    assert wrongly_accepted(near_continued) == 0
    owner, method = name.split(".")
    monkeypatch.setattr(getattr(scenarios, owner), method, does)
    assert wrongly_accepted(near_continued) > 0


@pytest.mark.parametrize("rival", [0, 1])
def test_ties_are_of_the_lowest_class(rival):
    """One change brings a rival level with the class, which is enough for one that is lower."""
    hidden = Layer(integers([[1, 0], [1, 0]]), integers([0, 0]), integers([1, 9]), MEMORYLESS)
    weights = np.zeros((2, 2), np.int64)
    weights[rival, 0] = 2
    outputs = Layer(weights, integers([rival == 1, rival == 0]), None, SUMS)
    network = Network((hidden, outputs), 2, POTENTIALS)
    image = np.zeros((2, 2), bool)
    assert decided(network, image) == 1 - rival
    assert [accepted(network, image, each) for each in (1, 2)] == [rival == 1, False]
    assert SpikeSearcher(network, 2).distance(image, 60).radius == rival


def test_records_are_refused_that_say_something_else():
    network, image = next(
        (network, image) for network, image in cases(3, 60, largest=2) if radius_of(network, image) == 1
    )
    own = decided(network, image)
    witness = SpikeSearcher(network, 2).distance(image, 60).witness
    record = {"class": own, "radius": 1, "witness": list(witness), "tree": []}
    checker = Scenarios(network, 2)
    checker.check(image, record)
    for false in (
        {"class": (own + 1) % 3},
        {"radius": 2, "witness": None},
        {"radius": 0},
        {"witness": [witness[0]] * 2},
        {"witness": [image.size, witness[1]]},
        {"tree": [[[0], []]]},
        {"radius": 3, "witness": None},
    ):
        with pytest.raises(CertificateError):
            checker.check(image, record | false)


def test_a_layer_without_weights():
    network = drawn(np.random.default_rng(1), 3, (4, 4, 3))
    hidden, outputs = network.layers
    none = replace(network, layers=(replace(hidden, weights=hidden.weights * 0), outputs))
    image = np.ones((3, 4), bool)
    assert accepted(none, image, 2)
    assert SpikeSearcher(none, 2).distance(image, 60).radius == 2


def test_of_which_networks_how_much_is_tabled():
    network = drawn(np.random.default_rng(1), 3, (4, 4, 3))
    hidden, outputs = network.layers
    assert [tabled(network, most) for most in (1, 2, 3)] == [1, 2, 2]
    recurrent = replace(hidden, recurrent=np.zeros((4, 4), np.int64))
    assert tabled(replace(network, layers=(recurrent, outputs)), 2) == 0
    firing = replace(outputs, thresholds=integers([1, 1, 1]))
    counted = replace(network, layers=(hidden, firing), readout=COUNTS)
    assert [tabled(counted, most) for most in (1, 2, 3)] == [1, 2, 2]
    joined = replace(firing, recurrent=np.zeros((3, 3), np.int64))
    assert tabled(replace(counted, layers=(hidden, joined)), 2) == 1
    assert tabled(replace(counted, layers=(hidden, hidden, firing)), 2) == 1
    assert tabled(replace(counted, steps=5000), 2) == 1
    dense = replace(hidden, weights=np.resize(np.arange(-127, 128), (4, 784)))
    assert tabled(replace(counted, layers=(dense, firing), steps=12), 2) == 1
    assert tabled(replace(network, layers=(firing,), readout=COUNTS), 2) == 0
    between = replace(hidden, recurrent=np.zeros((4, 4), np.int64))
    assert tabled(replace(network, layers=(hidden, between, outputs)), 2) == 1
    many = replace(hidden, weights=np.arange(4000).reshape(4, 1000))
    assert tabled(replace(network, layers=(many, outputs)), 2) == 1
    assert tabled(replace(network, layers=(many, outputs), steps=2000), 2) == 0


def test_more_than_two_changes_are_tried():
    found = 0
    for network, image in cases(9, 12, sizes=(3, 4, 3), steps=(2, 4), largest=2):
        own, radius = decided(network, image), radius_of(network, image, 3)
        if radius >= 2:
            record = {"class": own, "radius": 3, "witness": None, "tree": []}
            found += radius == 2
            with nullcontext() if radius == 3 else pytest.raises(CertificateError):
                Scenarios(network, 3).check(image, record)
    assert found
