"""How likely circuits err: bounds, against exact sums over all that can happen and simulation."""

from collections import Counter
from fractions import Fraction
from itertools import product

import mpmath
import pytest
from hypothesis import given

from spikeproof.circuits.meanings.membrane import Membrane
from spikeproof.circuits.meanings.monte_carlo import errors
from spikeproof.circuits.netlist import Netlist, NetlistError, Neuron
from spikeproof.circuits.physics.leak import ExactMembranes
from spikeproof.circuits.physics.substrates import Reset
from spikeproof.circuits.physics.uncertainty import drive
from spikeproof.circuits.units.libraries import LIBRARIES, gate_netlist
from spikeproof.circuits.units.voting import voted_netlist
from spikeproof.prover.margins.confidence import confidence
from spikeproof.prover.margins.failure import Exposure, Redundancy, least_distance, reached_at, weakest
from spikeproof.prover.report.units import NoisyUnit
from tests.support.netlists import netlists
from tests.support.profile import NIGHTLY

HALF = Fraction(1, 2)
SIGMAS = [Fraction(1, 10), Fraction(3, 20), Fraction(1, 4), HALF, Fraction(2)]
ALONE, THREE = Redundancy(), Redundancy(3)
THOUSANDTH = Fraction(1001, 1000)


def number(value):
    return mpmath.mpf(value.numerator) / value.denominator


def normal_tail(z):
    return mpmath.erfc(number(z) / mpmath.sqrt(2)) / 2


@pytest.fixture(autouse=True)
def forty_digits():
    with mpmath.workdps(40):
        yield


def spikes_without_noise(netlist, bits):
    return ExactMembranes(netlist, Fraction(0), Reset.HARD).evaluate(bits)


def failure(netlist, bits, sigma):
    """The exact probability of a wrong output: over all spikes that all neurons can have."""
    meant = spikes_without_noise(netlist, bits)
    read = {signal for bus in netlist.outputs.values() for signal in bus}
    reached = {tuple(bits): mpmath.mpf(1)}
    for neuron in netlist.neurons:
        grown = Counter()
        for spikes, probability in reached.items():
            fires = normal_tail((neuron.threshold - drive(neuron, spikes)) / sigma)
            grown[(*spikes, True)] += probability * fires
            grown[(*spikes, False)] += probability * (1 - fires)
        reached = grown
    return mpmath.fsum(
        probability
        for spikes, probability in reached.items()
        if any(spikes[signal] != meant[signal] for signal in read)
    )


def words(netlist, bits):
    """Bits as the values of the input buses."""
    return {
        name: sum(bits[signal] << place for place, signal in enumerate(bus))
        for name, bus in netlist.input_buses.items()
    }


def every_input(netlist):
    return product((False, True), repeat=netlist.input_count)


TINY = [
    *((library, gate) for library in LIBRARIES for gate in ("and", "xor", "half_adder")),
    ("threshold", "full_adder"),
]


@pytest.mark.parametrize("sigma", SIGMAS, ids=str)
@pytest.mark.parametrize(("library", "gate"), TINY)
def test_bounds_hold_of_what_is_computed_exactly(library, gate, sigma):
    netlist = gate_netlist(library, gate)
    for bits in every_input(netlist):
        exact = failure(netlist, bits, sigma)
        exposure = Exposure.of(netlist, words(netlist, bits))
        bounds = exposure.failure(sigma, ALONE)
        assert number(bounds.low) <= exact <= number(bounds.high)
        assert exact <= number(exposure.failure_at_most(sigma, ALONE))


@pytest.mark.parametrize("copies", [1, 3])
def test_bounds_hold_of_voted_gates(copies):
    """Two neurons, three copies and a voter of each: all 256 courses of events."""
    netlist, sigma = gate_netlist("threshold", "xor"), Fraction(2, 5)
    for bits in every_input(netlist):
        exact = failure(voted_netlist(netlist, copies), bits, sigma)
        bounds = Exposure.of(netlist, words(netlist, bits)).failure(sigma, Redundancy(copies))
        assert number(bounds.low) <= exact <= number(bounds.high)


INVERTER = Netlist({"a": 1}, (Neuron(((0, -1),), -HALF),), {"out": (1,)})
FAR = Netlist({"a": 1}, (Neuron(((0, 4),), HALF),), {"out": (1,)})


def inverters(count):
    return Netlist({"a": 1}, tuple(Neuron(((s, -1),), -HALF) for s in range(count)), {"out": (count,)})


@pytest.mark.parametrize("sigma", SIGMAS, ids=str)
def test_bounds_of_one_neuron_are_tight(sigma):
    """Off by a thousandth, either would be wrong."""
    exact = normal_tail(HALF / sigma)
    bounds = Exposure.of(INVERTER, {"a": 1}).failure(sigma, ALONE)
    # The lower one says that no other errs, and counts the neuron among the others.
    assert number(bounds.low) <= exact * (1 - exact) < number(bounds.low * THOUSANDTH)
    assert number(bounds.high / THOUSANDTH) < exact <= number(bounds.high)


@pytest.mark.parametrize("count", [2, 5, 40])
def test_bounds_of_a_chain_meet_where_noise_is_small(count):
    """It errs if an odd number of its neurons do; bounds a thousandth tighter would be wrong."""
    sigma = Fraction(1, 10)
    q = normal_tail(HALF / sigma)
    exact = (1 - (1 - 2 * q) ** count) / 2
    exposure = Exposure.of(inverters(count), {"a": 0})
    bounds = exposure.failure(sigma, ALONE)
    assert number(bounds.low) <= exact < number(bounds.low * THOUSANDTH)
    assert number(bounds.high / THOUSANDTH) < exact <= number(bounds.high)
    assert exposure.decisive == exposure.distances == exposure.least == {HALF: count}


def test_distances_on_an_input_and_at_the_least():
    """With a weight of 4 and a threshold of 1/2, 0 is nearer than 1."""
    one, zero = (Exposure.of(FAR, {"a": a}) for a in (1, 0))
    assert (one.distances, zero.distances) == ({Fraction(7, 2): 1}, {HALF: 1})
    assert one.least == zero.least == {HALF: 1}
    assert (one.weak, zero.weak) == (0, 1)
    sigma = Fraction(1)
    assert one.failure(sigma, ALONE).high < zero.failure(sigma, ALONE).low
    assert one.failure_at_most(sigma, ALONE) == zero.failure(sigma, ALONE).high


@given(netlists())
def test_no_drive_is_nearer_than_the_least_distance(netlist):
    for neuron in netlist.neurons:
        local = Neuron(tuple(enumerate(w for _, w in neuron.synapses)), neuron.threshold, neuron.bias)
        drives = [drive(local, s) for s in product((False, True), repeat=len(neuron.synapses))]
        assert least_distance(neuron) <= min(abs(neuron.threshold - each) for each in drives)


@given(netlists())
def test_decisive_neurons_are_those_whose_inversion_shows(netlist):
    bits = [False] * netlist.input_count
    read = sorted({signal for bus in netlist.outputs.values() for signal in bus})
    meant = spikes_without_noise(netlist, bits)
    expected = Counter()
    for inverted, neuron in enumerate(netlist.neurons):
        spikes = list(bits)
        for index, each in enumerate(netlist.neurons):
            spikes.append((drive(each, spikes) >= each.threshold) != (index == inverted))
        if any(spikes[signal] != meant[signal] for signal in read):
            expected[abs(neuron.threshold - drive(neuron, meant))] += 1
    assert Exposure.of(netlist, words(netlist, bits)).decisive == expected


def test_the_weakest_input_is_taken():
    netlist = gate_netlist("ionic", "and")
    both_weak = ({"a": 1, "b": 0}, {"a": 0, "b": 1}, {"a": 1, "b": 1})
    assert weakest(netlist, [{"a": 0, "b": 0}, both_weak[0]]).inputs == both_weak[0]
    assert [Exposure.of(netlist, inputs).weak for inputs in both_weak] == [1, 1, 1]


# --- voting -------------------------------------------------------------------------------------


def voted(copies, distance, sigma, voter):
    """How likely the majority of copies is taken wrongly, by summation over all that can happen."""
    q = normal_tail(distance / sigma)
    return mpmath.fsum(
        mpmath.binomial(copies, k) * q**k * (1 - q) ** (copies - k) * voter(Fraction(copies, 2) - k)
        for k in range(copies + 1)
    )


@pytest.mark.parametrize("sigma", SIGMAS, ids=str)
@pytest.mark.parametrize("copies", [3, 5, 9])
def test_groups_err_as_the_sum_says(copies, sigma):
    for ideal, voter in (
        (False, lambda margin: normal_tail(margin / sigma)),
        (True, lambda margin: mpmath.mpf(margin < 0)),
    ):
        found = Redundancy(copies, ideal).error(HALF, sigma)
        exact = voted(copies, HALF, sigma, voter)
        assert number(found.low) <= exact <= number(found.high)
        assert found.high - found.low < Fraction(1, 1 << 80)


def test_an_ideal_voter_is_one_of_large_weights():
    sigma = Fraction(1, 5)
    exact = failure(voted_netlist(INVERTER, 3, weight=1000), [True], sigma)
    found = Redundancy(3, ideal=True).error(HALF, sigma)
    assert number(found.low) <= exact <= number(found.high)


def test_a_noisy_voter_costs_half_of_what_is_left():
    """One copy that errs leaves a voter no farther from its threshold than any neuron."""
    noisy, ideal = (Redundancy(3, each).error(HALF, Fraction(1, 12)) for each in (False, True))
    assert Fraction(199, 100) < noisy.low / ideal.high < Fraction(201, 100)


def test_voting_is_of_no_use_to_noise_that_is_too_large():
    """Beyond, copies err about as often as not, and voters add to it."""
    assert THREE.error(HALF, HALF).low > Redundancy(3, ideal=True).error(HALF, HALF).high
    assert THREE.error(HALF, Fraction(1)).low > ALONE.error(HALF, Fraction(1)).high


# --- deviations at which a probability is reached -----------------------------------------------

TARGETS = [Fraction(1, 10**digits) for digits in (3, 6, 12)]


@pytest.mark.parametrize("redundancy", [ALONE, THREE, Redundancy(5, ideal=True)], ids=str)
@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_ends_are_certified_and_a_thousandth_farther_they_are_not(target, redundancy):
    exposure = NoisyUnit.named("fp8_e4m3fn.multiply.rne.saturate").exposure
    found = reached_at(exposure, target, redundancy)
    assert exposure.failure_at_most(found.low, redundancy) < target
    assert exposure.failure(found.high, redundancy).low > target
    assert exposure.failure_at_most(found.low * THOUSANDTH, redundancy) >= target
    assert exposure.failure(found.high / THOUSANDTH, redundancy).low <= target
    assert found.high < found.low * Fraction(103, 100)


@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_the_exact_probability_reaches_the_target_in_between(target):
    netlist = gate_netlist("nexus", "xor")
    exposure = weakest(netlist, (words(netlist, bits) for bits in every_input(netlist)))
    found = reached_at(exposure, target, ALONE)
    low, high = (
        max(failure(netlist, bits, sigma) for bits in every_input(netlist))
        for sigma in (found.low, found.high)
    )
    assert low < number(target) < high


# --- beside simulation --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "sigma", "copies"),
    [
        ("fp8_e4m3fn.multiply.rne.saturate", Fraction(3, 20), 1),
        ("fp8_e4m3fn.multiply.rne.saturate", Fraction(4, 25), 1),
        ("fp8_e4m3fn.multiply.rne.saturate", Fraction(1, 5), 1),
        ("fp8_e4m3fn.add.rne.saturate", Fraction(11, 50), 3),
        ("fp16.add.rne", Fraction(3, 20), 1),
        ("fp16.add.rne", Fraction(1, 5), 1),
        *([("fp32.multiply.rne", Fraction(7, 50), 1)] if NIGHTLY else []),
    ],
)
def test_what_is_simulated_lies_between_the_bounds(name, sigma, copies):
    """The whole confidence interval, on the input that the bounds are about."""
    unit = NoisyUnit.named(name)
    bounds = unit.exposure.failure(sigma, Redundancy(copies))
    estimate = unit.simulated(sigma, copies)
    assert bounds.low <= estimate.low < estimate.high <= bounds.high


@pytest.mark.parametrize("sigma", [Fraction(1, 8), Fraction(3, 20), Fraction(1, 5)], ids=str)
def test_inputs_drawn_evenly_err_no_more_than_any_may(sigma):
    unit = NoisyUnit.named("fp8_e4m3fn.add.rne.saturate")
    found = errors(unit.netlist, Membrane(noise=float(sigma)), 10_000, seed=1)
    assert confidence(found.wrong, found.samples).low < unit.exposure.failure_at_most(sigma, ALONE)


# --- nonsense -----------------------------------------------------------------------------------


@pytest.mark.parametrize("sigma", [Fraction(0), Fraction(-1, 5), Fraction(10**400)])
def test_no_deviation_is_refused(sigma):
    exposure = Exposure.of(INVERTER, {"a": 0})
    for ask in (
        lambda: exposure.failure(sigma, ALONE),
        lambda: exposure.failure_at_most(sigma, THREE),
        lambda: THREE.error(HALF, sigma),
    ):
        with pytest.raises(ValueError, match="use a positive deviation"):
            ask()


@pytest.mark.parametrize("copies", [0, 2, -3])
def test_numbers_without_a_majority_are_refused(copies):
    with pytest.raises(NetlistError, match="use an odd number"):
        Redundancy(copies)


def test_what_is_never_reached_is_said():
    exposure = Exposure.of(INVERTER, {"a": 0})
    with pytest.raises(ValueError, match="no deviation is found"):
        reached_at(exposure, Fraction(99, 100), ALONE)
    for target in (Fraction(0), Fraction(1), Fraction(-1, 2)):
        with pytest.raises(ValueError, match="use one between 0 and 1"):
            reached_at(exposure, target, ALONE)


def test_a_neuron_at_its_threshold_errs_at_every_deviation():
    at_threshold = Netlist({"x": 2}, (Neuron(((0, 1), (1, 1)), 2),), {"z": (2,)})
    for x in (3, 0):
        with pytest.raises(
            ValueError, match="no deviation is found at which the circuit errs with less"
        ):
            reached_at(Exposure.of(at_threshold, {"x": x}), Fraction(1, 1000), ALONE)
