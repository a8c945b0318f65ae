"""The cut of shallow sums at their exponent: it proves units, and a fault at it is found there."""

from dataclasses import replace

import pytest

from spikeproof.circuits.units.libraries import SHALLOW
from spikeproof.proofs.shallow_exponent import ShallowExponent
from spikeproof.proofs.shallow_rounding import ShallowRounding
from spikeproof.proofs.units import STEPS, Unit
from spikeproof.prover.claims.environment import passing_formulas
from spikeproof.prover.claims.obligation import Outcome
from spikeproof.prover.engines.engine import engine_named
from spikeproof.prover.evidence.record import Status
from spikeproof.prover.kernel.case import Case
from spikeproof.prover.refutation.mutation import stuck_at_zero
from spikeproof.prover.running.discharge import discharge
from spikeproof.specs.formats import FP8_E5M2, FP32, RoundingMode
from tests.support.profile import NIGHTLY

RAISED = ", ".join(f"raised_{k}" for k in range(FP8_E5M2.exponent_bits))
FACTS = {
    "field": "fact about field",
    "zeros": "fact about zeros",
    "borrow_2": "fact about borrow_2",
    "shift": "fact about shift",
    "raised_0": f"fact about {RAISED}",
    "raised_3": f"fact about {RAISED}",
}


def unit(mode=RoundingMode.NEAREST_EVEN):
    return Unit("add", FP8_E5M2, mode, FP8_E5M2.policies[0], structure=SHALLOW)


def cut_at(netlist, cut_unit):
    """A sum's obligation, cut where FP32's is at the probes of a netlist, whatever these are."""
    steps, last = STEPS["add"]
    rounding = ShallowRounding(FP8_E5M2, last.given, lambda: netlist, cut_unit.spec, by_places=True)
    exponent = ShallowExponent(FP8_E5M2, rounding, lambda: netlist)
    obligation = replace(cut_unit.obligation(), engines=("cadical",))
    decomposition = replace(
        obligation.decomposition,
        spec=exponent.spec,
        steps=(*steps, *rounding.steps, *exponent.steps),
        last=exponent.last(rounding.last(last)),
        circuit=lambda: netlist,
    )
    return replace(obligation, decomposition=decomposition)


def silenced(netlist, name):
    """The netlist with a neuron of a probe that never fires, which some input makes fire."""
    signals = [signal for signal in netlist.probes[name] if signal >= netlist.input_count]
    return stuck_at_zero(netlist, signals[len(signals) // 2]).netlist


def said_of(netlist, lemma):
    """What CaDiCaL says of the negation of a lemma about a netlist, and of what that assumes."""
    with passing_formulas():
        claim = Case.of(cut_at(netlist, unit()), netlist).lemmas()[lemma]
        asked = (claim.negation, claim.assumptions)
        return [engine_named("cadical").check(each, 60).status for each in asked]


@pytest.fixture(scope="module")
def whole():
    return unit().circuit(keep_waypoints=True)


@pytest.mark.parametrize("mode", [RoundingMode.DOWN, *[RoundingMode.NEAREST_EVEN] * NIGHTLY])
def test_a_sum_is_proved_at_its_exponent(mode):
    result = discharge(cut_at(unit(mode).circuit(keep_waypoints=True), unit(mode)))
    assert result.outcome is Outcome.PROVED
    assert result.composed
    assert set(FACTS.values()) <= {lemma.name for lemma in result.lemmas}


@pytest.mark.parametrize("name", FACTS)
def test_a_fault_at_a_cut_violates_its_fact(name, whole):
    """Though the spec has it too."""
    assert said_of(silenced(whole, name), FACTS[name])[0] is Status.SATISFIABLE


def test_a_fault_behind_the_cuts_is_found_with_the_outputs(whole):
    said = said_of(silenced(whole, "result"), "outputs")
    assert said == [Status.SATISFIABLE, Status.SATISFIABLE]


def test_sums_of_fp32_are_cut_so():
    fp32 = replace(unit(), fmt=FP32)
    names = {name for step in fp32.decomposition.steps for name in step.names}
    assert {"field", "zeros", "borrow_7", "shift", "raised_7"} <= names
