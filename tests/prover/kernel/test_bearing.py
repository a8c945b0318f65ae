"""What neurons bear, against all their inputs tried one by one; and with faults planted."""

from dataclasses import replace
from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikeproof.circuits.netlist import Netlist, Neuron
from spikeproof.circuits.physics.sums import Sums
from spikeproof.circuits.physics.uncertainty import Interval, Tolerance, UncertainNeuron, drive
from spikeproof.prover.checking.replays import replays
from spikeproof.prover.claims.borne import BorneClaim, Unperturbed
from spikeproof.prover.claims.environment import passing_formulas
from spikeproof.prover.kernel import bearing
from spikeproof.prover.kernel.bearing import BearingError, bearing_certificate, sums_looked_at
from spikeproof.prover.margins.limits import both_ways

HALF = Fraction(1, 2)

pytestmark = pytest.mark.usefixtures("apart")


@pytest.fixture
def apart():
    """Formulas of one test are not those of another."""
    with passing_formulas():
        yield


neurons = st.builds(
    lambda weights, threshold, bias: Neuron(tuple(enumerate(weights)), threshold, bias),
    st.lists(st.sampled_from([-8, -4, -2, -1, 1, 2, 3, 4, 8]), max_size=5),
    st.integers(-12, 12).map(lambda each: Fraction(each, 2)),
    st.integers(-1, 1),
)
shares = st.sampled_from([Fraction(0), *(Fraction(1, n) for n in (2, 3, 4, 6, 7, 10, 14, 30))])


@st.composite
def intervals(draw):
    low, high = -draw(shares), draw(shares)
    return Interval(low, high, low < 0 and draw(st.booleans()), high > 0 and draw(st.booleans()))


tolerances = st.builds(
    lambda noise, threshold, weight, is_open: Tolerance(noise, threshold, both_ways(weight, is_open)),
    intervals(),
    intervals(),
    shares,
    st.booleans(),
)


def errs(neuron, tolerance):
    uncertain = UncertainNeuron.of(neuron, tolerance)
    return any(
        uncertain.outcomes(bits) != (drive(neuron, bits) >= neuron.threshold,)
        for bits in product((False, True), repeat=len(neuron.synapses))
    )


def shown(neuron, tolerance):
    try:
        sums_looked_at(neuron, tolerance)
    except BearingError:
        return False
    return True


def claim_of(neuron, tolerance, **changes):
    width = len(neuron.synapses)
    netlist = Netlist({"read": width}, (neuron,), {"spikes": (width,)})
    table = Unperturbed(netlist, tolerance)
    return BorneClaim(changes.get("circuit", table.circuit), table, {})


@given(neurons, tolerances)
def test_it_is_shown_if_and_only_if_no_input_errs(neuron, tolerance):
    assert shown(neuron, tolerance) is not errs(neuron, tolerance)


@settings(max_examples=30)
@given(neurons.filter(lambda neuron: neuron.synapses), tolerances)
def test_where_a_neuron_errs_the_circuit_does(neuron, tolerance):
    with passing_formulas():  # of each example
        claim = claim_of(neuron, tolerance)
        error = refused(claim)
        assert (error is not None) is errs(neuron, tolerance)
        if error:
            assert replays(claim.netlist, claim, claim.where(error.firing, not error.fires))


def refused(claim):
    try:
        bearing_certificate(claim)
    except BearingError as error:
        return error
    return None


XOR = Neuron(((0, 1), (1, 1), (2, -2)), HALF)
"""a + b - 2 and(a, b), whatever it reads: errors of 4 d, of d at a sum of 1."""

COUNTING = Neuron(((0, 1), (1, 4), (2, -2)), Fraction(5, 2))


@pytest.mark.parametrize(
    ("neuron", "limit", "attained"), [(XOR, Fraction(1, 8), False), (COUNTING, Fraction(1, 14), True)]
)
def test_by_hand(neuron, limit, attained):
    assert shown(neuron, Tolerance(weight=both_ways(limit, not attained)))
    beyond = limit * Fraction(1001, 1000) if attained else limit
    assert not shown(neuron, Tolerance(weight=both_ways(beyond)))


# --- planted faults ------------------------------------------------------------------------------


def nearest_alone(sums, fires):
    """No sum but the nearest is looked at."""
    return list(EXCESSES(sums, fires))[:1]


def firing_alone(sums, fires):
    """Sums below the threshold are not looked at."""
    return EXCESSES(sums, fires) if fires else ()


def silent_alone(sums, excess):
    """Weights that cancel out are taken for none."""
    return () if sums.needed + excess == 0 else HEAVIEST(sums, excess)


def without_inhibition(sums):
    """Inhibition is taken for no weights that could be off."""
    return sum(weight for weight in sums.weights if weight > 0)


EXCESSES, HEAVIEST = Sums.excesses, Sums.heaviest

FAULTS = {
    "nearest alone": ("excesses", nearest_alone, Neuron(((0, 4), (1, 6)), 1), Fraction(4, 5)),
    "firing alone": ("excesses", firing_alone, XOR, Fraction(1, 7)),
    "silent alone": ("heaviest", silent_alone, XOR, Fraction(1, 7)),
    "without inhibition": ("size", property(without_inhibition), XOR, Fraction(1, 7)),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_planted_fault_accepts_what_is_wrong(fault, monkeypatch):
    name, wrong, neuron, spread = FAULTS[fault]
    tolerance = Tolerance(weight=both_ways(spread))
    assert errs(neuron, tolerance)
    assert not shown(neuron, tolerance)
    monkeypatch.setattr(Sums, name, wrong)
    assert shown(neuron, tolerance)


# --- refusals ------------------------------------------------------------------------------------

WITHIN = Tolerance(noise=Interval(-HALF, HALF, high_open=True))


def refusal(claim):
    error = refused(claim)
    assert error.firing is None
    return str(error)


def test_another_circuit_is_not_that_of_the_neurons():
    circuit = claim_of(XOR, WITHIN).netlist
    must, *others = circuit.neurons
    changed = replace(circuit, neurons=(replace(must, threshold=must.threshold + 1), *others))
    assert "the circuit is not that" in refusal(claim_of(XOR, WITHIN, circuit=changed))


def test_weights_are_to_be_off_both_ways_alike():
    lopsided = Tolerance(weight=Interval(Fraction(0), Fraction(1, 100)))
    assert "both ways alike" in refusal(claim_of(XOR, lopsided))


def test_neurons_are_to_read_what_they_like():
    chain = Netlist({"read": 1}, (Neuron(((0, 1),), HALF), Neuron(((1, 1),), HALF)), {"spikes": (1, 2)})
    table = Unperturbed(chain, WITHIN)
    assert "reads another" in refusal(BorneClaim(table.circuit, table, {}))


def test_nothing_is_to_be_assumed():
    claim = claim_of(XOR, WITHIN)
    assert "whatever the neurons read" in refusal(claim.assuming(claim.goal))


def test_the_certificate_names_circuit_and_neurons():
    claim = claim_of(XOR, WITHIN)
    content = bearing_certificate(claim).decode()
    assert claim.netlist.sha256 in content
    assert claim.table.neurons.sha256 in content
    assert bearing.SCHEMA in content


def test_a_circuit_whose_inputs_are_in_another_order_is_another():
    """It is equal as data: but signals are numbered in the order of the inputs."""
    gate = Netlist({"read": 2}, (Neuron(((0, 1), (1, 1)), Fraction(3, 2)),), {"spikes": (2,)})
    claimed = Unperturbed(gate, Tolerance(noise=Interval(-HALF, HALF, high_open=True)))
    circuit = claimed.circuit
    assert bearing_certificate(BorneClaim(circuit, claimed, {}))
    exchanged = replace(circuit, inputs=dict(reversed(circuit.inputs.items())))
    assert exchanged == circuit
    with pytest.raises(BearingError, match="is not that of these neurons"):
        bearing_certificate(BorneClaim(exchanged, claimed, {}))
