"""Shallow sums: proofs are cut where their comment says, and a fault at any cut is found there."""

from dataclasses import replace
from itertools import product

import pytest

from spikeproof.circuits.netlist import NetlistBuilder
from spikeproof.circuits.units.libraries import SHALLOW, shallow
from spikeproof.proofs.shallow_sums import ShallowSum
from spikeproof.proofs.units import Unit
from spikeproof.prover.claims.environment import passing_formulas
from spikeproof.prover.claims.obligation import Outcome
from spikeproof.prover.engines.engine import engine_named
from spikeproof.prover.evidence.record import Status
from spikeproof.prover.kernel.case import Case
from spikeproof.prover.refutation.mutation import stuck_at_zero
from spikeproof.prover.running.discharge import discharge
from spikeproof.specs.formats import (
    BFLOAT16,
    FP8_E4M3FN,
    FP8_E5M2,
    FP16,
    FP32,
    RoundingMode,
)
from tests.support.profile import NIGHTLY, parameter_id

pytestmark = pytest.mark.usefixtures("counterexamples_as_found")

CUTS = ("x_reaches", "x_excess", "y_excess", "larger", "smaller", "lost", "sum")
FACTS = {name: f"fact about {name}" for name in (*CUTS, "addends")}
LONG = [name for name in FACTS if name not in ("x_reaches", "lost")]


def unit(fmt, operation="add", mode=RoundingMode.NEAREST_EVEN, structure=SHALLOW):
    return Unit(operation, fmt, mode, fmt.policies[0], structure=structure)


def answers(obligation, circuit, *names):
    """What CaDiCaL says of the negations of lemmas, by name."""
    with passing_formulas():
        lemmas = Case.of(obligation, circuit).lemmas()
        cadical = engine_named("cadical").check
        return {name: cadical(lemmas[name].negation, 60).status for name in names}


def silenced(netlist, name):
    """The netlist with the neuron of a probe that never fires, which some input makes fire."""
    signals = [signal for signal in netlist.probes[name] if signal >= netlist.input_count]
    return stuck_at_zero(netlist, signals[len(signals) // 2]).netlist


def with_wrong_probe(netlist, name):
    """The netlist with the two halves of a probe in each other's place."""
    bus = netlist.probes[name]
    half = len(bus) // 2
    return replace(netlist, probes={**netlist.probes, name: (*bus[half:], *bus[:half])})


def cut_at(obligation, sum_unit, circuit):
    """The obligation, about a circuit and cut at its probes, whatever these are."""
    cuts = ShallowSum(sum_unit.fmt, sum_unit.operation == "subtract", lambda: circuit, sum_unit.spec)
    decomposition = replace(obligation.decomposition, spec=cuts.spec, circuit=lambda: circuit)
    return replace(obligation, decomposition=decomposition)


@pytest.mark.parametrize("operation", ["add", "subtract"])
@pytest.mark.parametrize("fmt", [FP8_E4M3FN, FP16, FP32], ids=lambda fmt: fmt.name)
def test_cuts_are_probes_of_proofs_alone(fmt, operation, monkeypatch):
    """Netlists are those that they were without."""
    netlist, probed = (unit(fmt, operation).circuit(keep_waypoints=keep) for keep in (False, True))
    assert FACTS.keys().isdisjoint(netlist.probes)
    assert FACTS.keys() <= set(probed.probes)
    monkeypatch.setattr(NetlistBuilder, "cut", lambda *_: None)
    assert unit(fmt, operation).circuit().sha256 == netlist.sha256
    assert unit(fmt, operation).circuit(keep_waypoints=True).neurons == probed.neurons


@pytest.mark.parametrize(
    ("operation", "mode", "structure"),
    [
        *product(["add", "subtract"], [RoundingMode.NEAREST_EVEN, RoundingMode.DOWN], [SHALLOW]),
        ("add", RoundingMode.NEAREST_EVEN, shallow(4)),
    ],
)
def test_a_sum_is_proved_at_its_cuts(operation, mode, structure):
    obligation = replace(unit(FP8_E5M2, operation, mode, structure).obligation(), engines=("cadical",))
    result = discharge(obligation)
    assert result.outcome is Outcome.PROVED
    assert result.composed
    assert set(FACTS.values()) <= {lemma.name for lemma in result.lemmas}


@pytest.mark.parametrize("fmt", [FP16, FP32] if NIGHTLY else [FP16], ids=lambda fmt: fmt.name)
def test_a_fault_in_the_neurons_of_a_cut_is_found_there(fmt):
    """The circuit has something else there than the spec; FP32 has the same cuts."""
    whole = unit(fmt).circuit(keep_waypoints=True)
    for name in CUTS:
        said = answers(unit(fmt).obligation(), silenced(whole, name), name)
        assert said == {name: Status.SATISFIABLE}


@pytest.mark.parametrize("name", CUTS)
def test_a_fault_that_the_spec_has_too_violates_the_fact(name):
    sum_unit, obligation = unit(FP16), unit(FP16).obligation()
    faulty = silenced(sum_unit.circuit(keep_waypoints=True), name)
    said = answers(cut_at(obligation, sum_unit, faulty), faulty, FACTS[name])
    assert said == {FACTS[name]: Status.SATISFIABLE}


@pytest.mark.parametrize("name", LONG)
def test_a_probe_at_another_place_is_found(name):
    sum_unit, obligation = unit(FP16), unit(FP16).obligation()
    wrong = with_wrong_probe(sum_unit.circuit(keep_waypoints=True), name)
    said = answers(cut_at(obligation, sum_unit, wrong), wrong, FACTS[name])
    assert said == {FACTS[name]: Status.SATISFIABLE}


@pytest.mark.parametrize(
    ("fmt", "name"),
    [*product([FP16], CUTS), (FP32 if NIGHTLY else BFLOAT16, "smaller")],
    ids=parameter_id,
)
def test_a_unit_with_a_fault_at_a_cut_is_refuted(fmt, name):
    faulty = silenced(unit(fmt).circuit(keep_waypoints=True), name)
    obligation = replace(unit(fmt).obligation(), engines=("cadical",))
    result = discharge(obligation, circuit=faulty)
    assert result.outcome is Outcome.REFUTED
    assert not result.composed


def test_addends_say_no_more_than_what_is_added():
    """Their signals are those of the cuts before, on which their fact rests."""
    probes = unit(FP16).circuit(keep_waypoints=True).probes
    assert probes["addends"] == (*probes["larger"], *probes["smaller"], *probes["lost"])


def test_units_of_shallow_blocks_are_cut_as_others_are():
    """Where operands or results are of a convention, or other formats, there are no linear forms."""
    of_blocks = replace(unit(FP16), source=FP8_E5M2)
    assert [step.names for step in of_blocks.decomposition.steps] == [("magnitude", "sign")]
