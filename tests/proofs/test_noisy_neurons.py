"""What neurons of units bear, one of each kind: against engines, beyond, and with faults planted."""

from dataclasses import replace
from fractions import Fraction

import pytest
from pysmt.shortcuts import Equals, Not

from spikeproof.circuits.physics.uncertainty import DOUBT, Tolerance
from spikeproof.circuits.units.libraries import SHALLOW, SMALL, STRUCTURE_NAMES, shallow
from spikeproof.proofs.neuron_spreads import OPERATIONS, SPREADS
from spikeproof.proofs.noisy_neurons import MARGIN, READ, SPIKES, kinds, kinds_of, of_neurons
from spikeproof.proofs.units import Unit
from spikeproof.prover.claims.borne import Unperturbed, borne
from spikeproof.prover.claims.environment import passing_formulas
from spikeproof.prover.claims.obligation import Outcome
from spikeproof.prover.engines.engine import ENGINES
from spikeproof.prover.evidence.record import Status
from spikeproof.prover.margins.bearing import bearing
from spikeproof.prover.margins.limits import NOISE, WEIGHT, both_ways
from spikeproof.prover.report.sizes import by_structure
from spikeproof.prover.running.discharge import discharge
from spikeproof.specs.formats import FP8_E4M3FN, FP16, FP32, FP64

QUOTIENT = Unit("divide", FP16, structure=SHALLOW)
ROOT = Unit("square_root", FP8_E4M3FN, policy=FP8_E4M3FN.policies[0], structure=shallow(16))


def kind(neuron):
    return neuron.threshold, neuron.bias, tuple(sorted(weight for _, weight in neuron.synapses))


@pytest.mark.parametrize("unit", [QUOTIENT, ROOT], ids=lambda unit: unit.name)
def test_there_is_one_neuron_of_each_kind(unit):
    netlist = unit.circuit()
    found = kinds(netlist)
    assert sorted(map(kind, found.neurons)) == sorted({kind(neuron) for neuron in netlist.neurons})
    read = [source for neuron in found.neurons for source, _ in neuron.synapses]
    assert read == list(range(found.input_count))  # each input once, and no other signal
    assert len(found.outputs[SPIKES]) == len(found.neurons)


@pytest.mark.parametrize("fmt", [FP8_E4M3FN, FP16, FP32], ids=lambda fmt: fmt.name)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_structure_that_sizes_shows_has_a_limit(operation, fmt):
    usual = Unit(operation, fmt, policy=fmt.policies[0])
    shown = {each.name for each in by_structure(usual.obligation(), STRUCTURE_NAMES.values())}
    assert {each.name for each in SPREADS if (each.operation, each.fmt) == (operation, fmt)} == shown


def test_shallow_units_of_64_bits_have_limits():
    assert [each for each in SPREADS if each.fmt is FP64] == [
        Unit(operation, FP64, structure=SHALLOW) for operation in OPERATIONS
    ]


@pytest.mark.parametrize(
    "unit", [each for each in SPREADS if each.fmt is FP8_E4M3FN], ids=lambda u: u.name
)
def test_the_limits_are_those_of_the_neurons(unit):
    found = bearing(unit.circuit())
    assert (found.noise, found.spread) == (MARGIN, SPREADS[unit])


@pytest.mark.parametrize("operation", ["add", "multiply", "divide"])
def test_a_spread_that_is_larger_by_one_in_its_denominator_is_refuted(operation):
    """Of small units' neurons, whose limits are 1/14; and of those with weights up to 8."""
    for structure in (SMALL, shallow(8)):
        unit = Unit(operation, FP8_E4M3FN, policy=FP8_E4M3FN.policies[0], structure=structure)
        larger = Fraction(1, SPREADS[unit].value.denominator - 1)
        wrong = of_neurons(unit, WEIGHT, both_ways(larger))
        record = discharge(wrong)
        assert record.outcome is Outcome.REFUTED
        assert "a neuron of" in record.message


@pytest.mark.parametrize("spread", ["within", "beyond"])
def test_an_engine_comes_to_the_same(spread):
    """CaDiCaL, about the same circuit: a second opinion, by search."""
    limit = SPREADS[ROOT]
    size = limit.value if spread == "within" else limit.beyond
    tolerance = WEIGHT.tolerance(both_ways(size, spread == "within" and not limit.attained))
    with passing_formulas():
        claim = of_neurons(ROOT, WEIGHT, tolerance.weight).state(
            Unperturbed(kinds_of(ROOT), tolerance).circuit
        )
        said = ENGINES["cadical"].check([Not(claim.goal)], 60).status
    wanted = Status.UNSATISFIABLE if spread == "within" else Status.SATISFIABLE
    assert said is wanted


@pytest.mark.parametrize("name", ["threshold", "weight"])
def test_a_neuron_that_is_another_does_not_bear_it(name):
    """Its threshold off by a tenth, or a weight by half of it: what is left of the margin is less."""
    neurons = kinds_of(ROOT)
    *others, last = neurons.neurons
    if name == "threshold":
        other = replace(last, threshold=last.threshold + Fraction(1, 10))
    else:
        (source, weight), *rest = last.synapses
        other = replace(last, synapses=((source, weight + Fraction(1, 2)), *rest))
    mutant = replace(neurons, neurons=(*others, other))
    wrong = borne("mutant", "wrong", lambda: Unperturbed(mutant, Tolerance(noise=MARGIN)))
    assert discharge(wrong).outcome is Outcome.REFUTED


def test_another_circuit_is_not_proved_by_arithmetic():
    theorem = of_neurons(ROOT, NOISE, MARGIN)
    own = theorem.circuit()
    must, *others = own.neurons
    mutant = replace(own, neurons=(replace(must, threshold=must.threshold + 1), *others))
    record = discharge(replace(theorem, circuit=lambda: mutant))
    assert record.outcome is Outcome.UNKNOWN
    assert "the circuit is not that" in record.message
    assert set(own.inputs) == {READ, DOUBT}


def test_the_formulas_say_the_same_as_evaluation():
    theorem = of_neurons(ROOT, NOISE, MARGIN)
    with passing_formulas():
        claim = theorem.state(theorem.circuit())
        assert Equals(claim.actual[SPIKES], claim.expected[SPIKES]) in (claim.goal, *claim.goal.args())
