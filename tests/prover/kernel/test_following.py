"""Circuits that follow others neuron by neuron: noisy units within their margins, and what does not."""

from dataclasses import replace
from fractions import Fraction

import pytest
from pysmt.shortcuts import BV, FALSE, TRUE, BVNot, Equals, Not, Symbol

from spikeproof.circuits.meanings.formula import input_symbols, output_formulas
from spikeproof.circuits.netlist import Netlist, Neuron
from spikeproof.circuits.physics.uncertainty import (
    Interval,
    Tolerance,
    perturbed,
    place,
    uncertain_netlist,
)
from spikeproof.circuits.units.dual_rail import rails
from spikeproof.circuits.units.libraries import LIBRARIES, gate_netlist
from spikeproof.circuits.units.voting import voted_netlist
from spikeproof.proofs.dual_rail import gates_and_blocks
from spikeproof.proofs.noisy_units import MARGIN, uncertain_unit, units, within
from spikeproof.proofs.units import Unit
from spikeproof.prover.claims.obligation import Claim, Decomposition, Outcome, Step, counted
from spikeproof.prover.engines.engine import ENGINES
from spikeproof.prover.evidence.record import Status
from spikeproof.prover.kernel import following
from spikeproof.prover.kernel.composition import CompositionError, equal
from spikeproof.prover.kernel.following import EVERY_NEURON, compose_following, every_neuron
from spikeproof.prover.refutation.mutation import stuck_at_zero, with_neuron
from spikeproof.prover.running.discharge import discharge
from spikeproof.specs import integers
from spikeproof.specs.formats import FP4_E2M1, FP8_E4M3FN, OverflowPolicy, RoundingMode
from tests.support.profile import NIGHTLY

pytestmark = pytest.mark.usefixtures("counterexamples_as_found")

SMALL = Unit("multiply", FP4_E2M1, policy=OverflowPolicy.SATURATE)
HALF = Fraction(1, 2)
THOUSANDTH = Fraction(1001, 1000)

TOO_WIDE = {
    "the upper end itself": Interval(-HALF, HALF),
    "a thousandth more below": Interval(-HALF * THOUSANDTH, HALF, high_open=True),
    "a thousandth more above": Interval(-HALF, HALF * THOUSANDTH, high_open=True),
}


def holds(claim):
    return all(
        ENGINES[name].check([Not(claim.goal)], 60).status is Status.UNSATISFIABLE
        for name in ("z3", "cadical")
    )


def one_off(netlist, index, noise):
    """The uncertain netlist in which one neuron has another noise than all others."""
    neurons = list(perturbed(netlist, Tolerance(noise=MARGIN)))
    neurons[index] = perturbed(netlist, Tolerance(noise=noise))[index]
    return uncertain_netlist(netlist, neurons)


# --- the theorem --------------------------------------------------------------------------------


def test_a_noisy_unit_is_proved_by_the_lemmas_of_the_unit():
    ours, own = (discharge(obligation) for obligation in (within(SMALL), SMALL.obligation()))
    assert ours.outcome is Outcome.PROVED
    lemmas = {(lemma.name, lemma.formula_sha256) for lemma in ours.lemmas}
    assert {(lemma.name, lemma.formula_sha256) for lemma in own.lemmas} < lemmas
    assert [lemma.name for lemma in ours.lemmas if lemma.name == EVERY_NEURON] == [EVERY_NEURON]


def test_search_on_the_whole_unit_comes_to_the_same():
    """The same claim put to CaDiCaL as it is, without following anything."""
    whole = replace(within(SMALL), decomposition=None, engines=("cadical",))
    assert discharge(whole).outcome is Outcome.PROVED


@pytest.mark.parametrize("interval", TOO_WIDE.values(), ids=TOO_WIDE)
def test_wider_noise_on_every_neuron_is_refuted(interval):
    wide = replace(within(SMALL), circuit=lambda: uncertain_unit(SMALL, interval), engines=("cadical",))
    result = discharge(wide)
    assert result.outcome is Outcome.REFUTED
    assert not result.composed


@pytest.mark.parametrize("interval", TOO_WIDE.values(), ids=TOO_WIDE)
@pytest.mark.parametrize("library", LIBRARIES)
def test_wider_noise_on_one_neuron_is_noticed(library, interval):
    netlist = Unit("add", FP8_E4M3FN, policy=OverflowPolicy.SATURATE, library=library).circuit()
    assert holds(every_neuron(one_off(netlist, 7, MARGIN), netlist, place))
    for index in range(0, len(netlist.neurons), 50 if NIGHTLY else 100):
        assert not holds(every_neuron(one_off(netlist, index, interval), netlist, place))


def test_a_fault_in_a_neuron_that_follows_is_refuted():
    obligation = replace(within(SMALL), engines=("cadical",))
    netlist = obligation.circuit()
    faulty = stuck_at_zero(netlist, netlist.outputs["result"][1]).netlist
    assert discharge(replace(obligation, circuit=lambda: faulty)).outcome is Outcome.REFUTED


def test_the_margin_is_that_of_every_neuron_of_every_unit():
    """Midway between sums: every threshold is an odd number of halves, all else an integer."""
    for unit in units():
        for neuron in unit.circuit().neurons:
            numbers = (neuron.bias, *(weight for _, weight in neuron.synapses))
            assert all(number == int(number) for number in numbers)
            assert (2 * neuron.threshold) % 2 == 1


# --- what follows, and what does not ------------------------------------------------------------


@pytest.mark.parametrize("copies", [3, 5])
def test_a_voted_circuit_follows(copies):
    netlist = gate_netlist("nexus", "full_adder")
    voted = voted_netlist(netlist, copies)

    def voter(original, signal):
        inputs = original.input_count
        return signal if signal < inputs else inputs + (copies + 1) * (signal - inputs + 1) - 1

    assert holds(every_neuron(voted, netlist, voter))
    wrong = stuck_at_zero(voted, voter(netlist, netlist.input_count) - 1).netlist
    assert holds(every_neuron(wrong, netlist, voter))  # a single copy may do as it likes
    wrong = stuck_at_zero(voted, voter(netlist, netlist.input_count)).netlist
    assert not holds(every_neuron(wrong, netlist, voter))


XOR = gate_netlist("threshold", "xor")
HERE = range(XOR.signal_count)


def itself(original, signal):
    return signal


def test_a_circuit_follows_itself():
    assert holds(every_neuron(XOR, XOR, itself))


@pytest.mark.parametrize(
    ("netlist", "where", "message"),
    [
        (XOR, lambda o, s: s + 1, "lacks signals"),
        (XOR, lambda o, s: s - 1, "lacks signals"),
        (XOR, lambda o, s: (1, 0, *HERE[2:])[s], "input 'a' is not where"),
        (XOR, lambda o, s: (*HERE[:-1], 2)[s], "output 'out' is not where"),
        (replace(XOR, inputs={"b": 1, "a": 1}), itself, "input 'a' is not where"),
        (replace(XOR, outputs={"out": (2,)}), itself, "output 'out' is not where"),
    ],
)
def test_what_does_not_correspond_is_refused(netlist, where, message):
    with pytest.raises(CompositionError, match=message):
        every_neuron(netlist, XOR, where)


def test_a_neuron_that_reads_another_signal_does_not_follow():
    """That it has the same value on all inputs does not count: the sources' values are free."""
    either = Neuron(((0, 1), (1, 1)), HALF)
    original = Netlist({"x": 2}, (either, Neuron(((2, -1),), -HALF)), {"out": (3,)})
    nor = Neuron(((0, -1), (1, -1)), -HALF)
    past = replace(original, neurons=(either, nor))
    assert not holds(every_neuron(past, original, itself))


def test_other_inputs_are_free():
    """A circuit that follows for one value only of an input that the original has not."""
    original = Netlist({"x": 1}, (Neuron(((0, -1),), -HALF),), {"out": (1,)})
    disturbed = Netlist({"x": 1, "d": 1}, (Neuron(((0, -1), (1, -1)), -HALF),), {"out": (2,)})
    assert not holds(every_neuron(disturbed, original, lambda o, s: s if s < 1 else s + 1))
    ignoring = replace(disturbed, neurons=(Neuron(((0, -2), (1, -1)), Fraction(-3, 2)),))
    assert holds(every_neuron(ignoring, original, lambda o, s: s if s < 1 else s + 1))


# --- composition --------------------------------------------------------------------------------


def stated(**changes):
    obligation = within(SMALL)
    netlist = obligation.circuit()
    claim = replace(obligation.state(netlist), **changes)
    original = obligation.decomposition.circuit()
    return netlist, original, obligation.decomposition, claim


def test_a_claim_about_other_things_is_refused():
    netlist, original, decomposition, claim = stated()
    other = uncertain_unit(SMALL, Interval(-HALF, HALF))
    with pytest.raises(CompositionError, match="about another circuit"):
        compose_following(other, original, decomposition, claim)
    with pytest.raises(CompositionError, match="not that outputs equal their spec"):
        compose_following(netlist, original, decomposition, replace(claim, goal=TRUE()))
    in_words = counted(lambda inputs, outputs: outputs, claim.inputs, claim.actual)
    of_a_part = replace(claim, counting=in_words)
    with pytest.raises(CompositionError, match="every bit of the outputs counts"):
        compose_following(netlist, original, decomposition, of_a_part)


def test_a_spec_of_another_unit_is_refused():
    netlist, original, decomposition, claim = stated()
    misled = replace(decomposition, spec=Unit("add", FP4_E2M1, policy=OverflowPolicy.SATURATE).spec)
    with pytest.raises(CompositionError):
        compose_following(netlist, original, misled, claim)


def test_an_original_that_is_another_unit_is_refused():
    """Its neurons are followed by no others than its own."""
    netlist, _, decomposition, claim = stated()
    other = replace(SMALL, library="nexus").circuit()
    with pytest.raises(CompositionError):
        compose_following(netlist, other, decomposition, claim)


def test_a_lemma_of_the_same_name_is_not_lost(monkeypatch):
    taken = Claim({}, Symbol("anything"))
    monkeypatch.setattr(following, "compose", lambda *_: {EVERY_NEURON: taken})
    with pytest.raises(CompositionError, match="two lemmas are named"):
        compose_following(*stated())


# --- on two rails -------------------------------------------------------------------------------

DUAL = SMALL.changed(library="dual_rail")
GIVEN = {obligation.name: obligation for obligation in gates_and_blocks()}
BLOCK = GIVEN["block.dual_rail.normalise.4"]


def on_rails(obligation, netlist=None, decomposition=None, **changes):
    """The lemmas of a claim about two rails, with some of it changed."""
    netlist = netlist or obligation.circuit()
    claim = obligation.state(netlist)
    claim = replace(claim, **{name: change(claim) for name, change in changes.items()})
    decomposition = decomposition or obligation.decomposition
    return compose_following(netlist, decomposition.circuit(), decomposition, claim)


def test_a_unit_on_two_rails_is_proved_by_the_lemmas_of_the_unit():
    ours, own = (discharge(unit.obligation()) for unit in (DUAL, SMALL))
    assert ours.outcome is Outcome.PROVED
    lemmas = {(lemma.name, lemma.formula_sha256) for lemma in ours.lemmas}
    assert {(lemma.name, lemma.formula_sha256) for lemma in own.lemmas} < lemmas
    assert {name for name, _ in lemmas} - {lemma.name for lemma in own.lemmas} == {EVERY_NEURON}


@pytest.mark.parametrize("obligation", [DUAL.obligation(), BLOCK], ids=lambda each: each.name)
def test_search_on_both_rails_as_they_are_comes_to_the_same(obligation):
    whole = replace(obligation, decomposition=None, engines=("cadical",))
    assert discharge(whole).outcome is Outcome.PROVED


def test_a_fault_on_either_rail_is_noticed_at_every_neuron():
    """So are rails that are exchanged: what follows is not that some neuron is right, but which."""
    netlist, original = (gate_netlist(library, "full_adder") for library in ("dual_rail", "threshold"))
    obligation = replace(GIVEN["cell.dual_rail.full_adder"], decomposition=FULL_ADDER)
    assert holds(on_rails(obligation)[EVERY_NEURON])
    for signal in range(netlist.input_count, netlist.signal_count):
        neuron = netlist.neurons[signal - netlist.input_count]
        for step in (-1, 1):
            moved = replace(neuron, threshold=neuron.threshold + step)
            faulty = with_neuron(netlist, signal, moved)
            assert not holds(on_rails(obligation, faulty)[EVERY_NEURON])

    def exchanged(netlist):
        return {s: pair[::-1] if s == 4 else pair for s, pair in rails(netlist).items()}

    assert original.outputs["sum"] == (4,)
    with pytest.raises(CompositionError, match="output 'sum' is not where"):
        on_rails(obligation, decomposition=replace(FULL_ADDER, rails=exchanged))


def without(name):
    """A claim's assumptions without that about an input."""
    return lambda claim: tuple(a for a in claim.assumptions if claim.inputs[name] not in a.args())


def with_another(about):
    """A claim's assumptions and one more."""
    return lambda claim: (*claim.assumptions, about(claim.inputs))


@pytest.mark.parametrize(
    ("assumptions", "message"),
    [
        (without("x_complement"), "no input is assumed to be the complement of input 'x'"),
        (without("budget_complement"), "no input is assumed to be the complement of input 'budget'"),
        (
            with_another(lambda inputs: Equals(inputs["x_complement"], BV(0, 4))),
            "about the values alone",
        ),
        (with_another(lambda inputs: Symbol("elsewhere")), "about the claim's inputs alone"),
    ],
)
def test_complements_are_assumed_to_be_that_and_nothing_else(assumptions, message):
    """Else the claim could be about no input at all."""
    with pytest.raises(CompositionError, match=message):
        on_rails(BLOCK, assumptions=assumptions)


def test_two_inputs_cannot_share_a_complement():
    """That they differ could be assumed besides, and then the claim is about no input at all."""
    original = Netlist({"a": 1, "b": 1}, (), {"y": (0,)})
    netlist = Netlist({"a": 1, "b": 1, "c": 1}, (), {"y": (0,), "z": (2,)})
    a, b, c = input_symbols(netlist).values()
    cut = Decomposition(
        lambda inputs, probe: {"y": inputs["a"]}, (), Step(()), rails=lambda _: {0: (0, 2), 1: (1, 2)}
    )
    actual, expected = output_formulas(netlist, input_symbols(netlist)), {"y": a, "z": BVNot(a)}
    assumed = (Equals(c, BVNot(a)), Equals(c, BVNot(b)), Not(Equals(a, b)))
    claim = Claim(input_symbols(netlist), equal(actual, expected), assumed, actual, expected)
    with pytest.raises(CompositionError, match="complement of input 'b' alone"):
        compose_following(netlist, original, cut, claim)


def test_what_is_assumed_of_values_is_assumed_of_the_original():
    """A block whose input is not 0; and that this can be is asked with the original's lemma."""
    lemmas = on_rails(BLOCK)
    (assumption,) = without("x_complement")(BLOCK.state(BLOCK.circuit()))[-1:]
    assert lemmas["outputs"].assumptions == (assumption,)
    impossible = on_rails(BLOCK, assumptions=with_another(lambda inputs: FALSE()))
    assert FALSE() in impossible["outputs"].assumptions


def test_an_output_that_is_not_the_complement_of_another_is_refused():
    netlist = BLOCK.circuit()
    claim = BLOCK.state(netlist)
    wrong = {**claim.expected, "shifted_complement": BVNot(claim.expected["shifted_complement"])}
    with pytest.raises(CompositionError, match="'shifted_complement' is not the complement"):
        on_rails(BLOCK, expected=lambda _: wrong, goal=lambda claim: equal(claim.actual, wrong))
    shifted, remaining = (netlist.outputs[f"{name}_complement"] for name in ("shifted", "remaining"))
    outputs = {**netlist.outputs, "shifted_complement": (*shifted[1:], remaining[0])}
    with pytest.raises(CompositionError, match="'shifted_complement' is not the complement"):
        on_rails(BLOCK, replace(netlist, outputs=outputs))


def test_rails_that_lack_a_signal_are_refused():
    """Of one that outputs depend on; others need no place."""
    last = BLOCK.decomposition.circuit().signal_count - 1

    def short(netlist):
        return {s: pair for s, pair in rails(netlist).items() if s != last}

    with pytest.raises(CompositionError, match="no place in the circuit"):
        on_rails(BLOCK, decomposition=replace(BLOCK.decomposition, rails=short))

    def on_one(netlist):
        return {s: pair[:1] if s == last else pair for s, pair in rails(netlist).items()}

    with pytest.raises(CompositionError, match="some have none"):
        on_rails(BLOCK, decomposition=replace(BLOCK.decomposition, rails=on_one))
    unit = Unit("divide", FP4_E2M1, RoundingMode.TOWARD_ZERO, OverflowPolicy.SATURATE, "dual_rail")
    cut = unit.obligation().decomposition.circuit()
    assert len(rails(cut)) < cut.signal_count
    assert discharge(replace(unit.obligation(), engines=("cadical",))).outcome is Outcome.PROVED


FULL_ADDER = replace(
    GIVEN["block.dual_rail.add.4"].decomposition,
    spec=lambda inputs, probe: integers.GATES["full_adder"](inputs),
    circuit=lambda: gate_netlist("threshold", "full_adder"),
)
