"""Inputs that follow from others: which they are, and that counterexamples have them right."""

import numpy as np
import pytest
from pysmt.shortcuts import BV, TRUE, BVNot, BVType, Equals, Symbol

from spikeproof.proofs.dual_rail import gates_and_blocks
from spikeproof.proofs.units import Unit
from spikeproof.prover.claims.obligation import Claim, Outcome
from spikeproof.prover.refutation.minimisation import minimised, violating
from spikeproof.prover.refutation.mutation import stuck_at_zero
from spikeproof.prover.refutation.rails import complements, completed, free_widths
from spikeproof.prover.running.discharge import discharge
from spikeproof.prover.running.mutation_report import first_difference
from spikeproof.specs.formats import FP4_E2M1, OverflowPolicy

UNIT = Unit("multiply", FP4_E2M1, policy=OverflowPolicy.SATURATE, library="dual_rail").obligation()
ADD = next(o for o in gates_and_blocks() if o.name == "block.dual_rail.add.11")

X, Y, Z = (Symbol(f"rails.{name}", BVType(70)) for name in "xyz")


def about(*assumptions):
    return Claim({each.symbol_name(): each for each in (X, Y, Z)}, TRUE(), assumptions)


def test_what_follows_is_what_an_assumption_says_is_a_complement():
    assert complements(about(Equals(Y, BVNot(X)))) == {"rails.y": "rails.x"}
    assert free_widths(about(Equals(Y, BVNot(X)))) == {"rails.x": 70, "rails.z": 70}
    for other in (Equals(Y, X), Equals(Y, BVNot(BV(0, 70))), Equals(BV(0, 70), BVNot(X)), TRUE()):
        assert complements(about(other)) == {}


def test_no_input_follows_from_one_that_follows():
    assert complements(about(Equals(Y, BVNot(X)), Equals(X, BVNot(Y)))) == {"rails.y": "rails.x"}
    assert complements(about(Equals(Y, BVNot(X)), Equals(Z, BVNot(Y)))) == {"rails.y": "rails.x"}
    assert complements(about(Equals(Y, BVNot(X)), Equals(X, BVNot(Z)))) == {"rails.y": "rails.x"}
    assert complements(about(Equals(Y, BVNot(X)), Equals(Z, BVNot(X)))).keys() == {"rails.y", "rails.z"}
    assert complements(about(Equals(X, BVNot(X)))) == {}


@pytest.mark.parametrize(
    "values",
    [
        {"rails.x": 5, "rails.z": 1},
        {"rails.x": np.array([5, 1 << 69], dtype=object), "rails.z": np.array([1, 2], dtype=object)},
    ],
    ids=["numbers", "words"],
)
def test_complements_are_put_in_their_places(values):
    made = completed(about(Equals(Y, BVNot(X))), values)
    assert list(made) == ["rails.x", "rails.y", "rails.z"]
    assert np.all(made["rails.y"] + made["rails.x"] == (1 << 70) - 1)
    assert np.all(made["rails.z"] == values["rails.z"])


def is_consistent(inputs):
    ones = {name: inputs[name] ^ inputs[f"{name}_complement"] for name in inputs if name in "xy"}
    return all(code in (0xF, 0x7FF) for code in ones.values())


@pytest.mark.parametrize("obligation", [UNIT, ADD], ids=lambda each: each.name)
@pytest.mark.parametrize("rail", ["", "_complement"])
def test_a_fault_on_either_rail_is_found_by_simulation(obligation, rail):
    """And the counterexample is one: its complements are complements, after it is simplified too."""
    name = ("result" if obligation is UNIT else "sum") + rail
    faulty = stuck_at_zero(obligation.circuit(), obligation.circuit().outputs[name][1]).netlist
    claim = obligation.state(faulty)
    found = violating(obligation, claim)
    assert is_consistent(found)
    assert is_consistent(minimised(obligation, claim, found, faulty).inputs)
    assert is_consistent(first_difference(obligation, obligation.circuit(), faulty))
    result = discharge(obligation, circuit=faulty)
    assert result.outcome is Outcome.REFUTED
    assert is_consistent(result.counterexample)
    if obligation is UNIT:
        assert "of all 256 inputs" in result.message


def test_all_failing_inputs_are_counted_as_on_one_rail():
    """A fault of the single circuit's that is on its rail alone: as many inputs fail."""
    single = Unit("multiply", FP4_E2M1, policy=OverflowPolicy.SATURATE).obligation()
    messages = []
    for obligation in (single, UNIT):
        circuit = obligation.circuit()
        faulty = stuck_at_zero(circuit, circuit.outputs["result"][1]).netlist
        result = discharge(obligation, circuit=faulty)
        messages.append([line for line in result.message.splitlines() if "256" in line])
    assert messages[0]
    assert messages[0][0].split(" of ")[0] == messages[1][0].split(" of ")[0]
