"""What is claimed of circuits on two rails."""

from dataclasses import replace

import pytest
from pysmt.shortcuts import BVNot, Equals

from spikeproof.circuits.units.dual_rail import dual_rail_netlist
from spikeproof.circuits.units.integer import block_netlist
from spikeproof.circuits.units.libraries import LIBRARIES, DualRail, gate_netlist
from spikeproof.proofs.blocks import input_widths
from spikeproof.proofs.dual_rail import gates_and_blocks, obligations, units
from spikeproof.proofs.names import described
from spikeproof.proofs.units import OPERATIONS, Unit
from spikeproof.prover.claims.catalogue import Collection
from spikeproof.prover.claims.obligation import Outcome, Profile, StatementError
from spikeproof.prover.running.discharge import discharge
from spikeproof.specs import integers
from spikeproof.specs.conventions import Convention, NanResult
from spikeproof.specs.formats import FP4_E2M1, FP16, OverflowPolicy
from tests.support.refusals import assert_not_described

pytestmark = pytest.mark.usefixtures("counterexamples_as_found")

OF_ALL = Collection(obligations())
UNIT = Unit("add", FP4_E2M1, policy=OverflowPolicy.SATURATE, library=DualRail.name)


def test_every_gate_and_block_that_others_have_is_promised():
    for kind in ("cell", "block"):
        names = [name for name in OF_ALL if name.startswith(f"{kind}.")]
        assert names
        assert all(name.startswith(f"{kind}.dual_rail.") for name in names)
    for gate in ("and", "or", "not", "xor", "mux", "majority", "half_adder", "full_adder"):
        assert OF_ALL[f"cell.dual_rail.{gate}"].circuit() == gate_netlist("dual_rail", gate)
    for kind in integers.BLOCKS:
        own = block_netlist("dual_rail", kind, input_widths(4)[kind])
        assert OF_ALL[f"block.dual_rail.{kind}.4"].circuit() == own


def test_every_operation_is_promised_and_what_others_have_by_default():
    assert {unit.operation for unit in units()} == set(OPERATIONS)
    for library in set(LIBRARIES) - {"threshold"}:
        name = f"fp8_e4m3fn.add.rne.saturate.{DualRail.name}"
        assert OF_ALL[name].profile is Profile.DEFAULT, library


def test_both_rails_are_claimed_and_complements_are_assumed():
    obligation = UNIT.obligation()
    claim = obligation.state(obligation.circuit())
    assert list(claim.expected) == ["result", "result_complement"]
    assert claim.expected["result_complement"] == BVNot(claim.expected["result"])
    assert claim.expected["result"] == UNIT.spec(claim.inputs)["result"]
    x, y = ((claim.inputs[f"{name}_complement"], claim.inputs[name]) for name in "xy")
    assert claim.assumptions == (Equals(x[0], BVNot(x[1])), Equals(y[0], BVNot(y[1])))
    assert "on both rails" in obligation.statement
    assert "on both rails" in obligation.function


def test_a_unit_is_the_default_librarys_on_two_rails():
    assert UNIT.circuit() == dual_rail_netlist(UNIT.changed(library="threshold").circuit())
    assert UNIT.obligation().circuit() == UNIT.circuit()


@pytest.mark.parametrize(
    "obligation", [UNIT.obligation(), OF_ALL["cell.dual_rail.not"]], ids=lambda each: each.name
)
@pytest.mark.parametrize("rail", [0, 1])
def test_rails_that_are_exchanged_are_refuted(obligation, rail):
    """Outputs that are right but for one rail, which carries the other's values."""
    bus = list(obligation.circuit().outputs)[rail]
    netlist = obligation.circuit()
    other = next(name for name in netlist.outputs if name != bus)
    wrong = replace(netlist, outputs={**netlist.outputs, bus: netlist.outputs[other]})
    assert discharge(obligation, circuit=wrong).outcome is Outcome.REFUTED


def test_complements_that_are_not_assumed_are_none():
    """Without the assumption the same circuit is refuted."""
    obligation = OF_ALL["cell.dual_rail.xor"]
    state = obligation.state
    free = replace(obligation, state=lambda netlist: replace(state(netlist), assumptions=()))
    assert discharge(free).outcome is Outcome.REFUTED
    assert discharge(obligation).outcome is Outcome.PROVED


@pytest.mark.parametrize(
    "name",
    [
        "fp16.divide.rtz.dual_rail",
        "fp16.truncated_remainder.dual_rail",
        "fp8_e5m2.scale_b.rne.dual_rail",
        "fp16.add.stochastic3.dual_rail",
        "fp16.add.rne.riscv.dual_rail.flags",
        "fp4_e2m1x2.add.rne.saturate.dual_rail",
    ],
)
def test_units_are_described_by_their_names(name):
    obligation = described(name)
    assert obligation.name == name
    assert obligation.circuit().inputs.keys() >= {"x", "x_complement"}


@pytest.mark.parametrize("name", ["fp4_e2m1x2.add.rne.saturate", "fp6_e2m3.scale_b.rne.saturate"])
def test_units_that_are_only_described_are_proved_too(name):
    obligation = replace(described(f"{name}.dual_rail"), engines=("cadical",))
    assert discharge(obligation).outcome is Outcome.PROVED


def test_a_convention_that_leaves_codes_open_has_no_two_rails():
    """Each rail could be a NaN of its own, and the two no complements."""
    unit = Unit("add", FP16, convention=Convention(nan=NanResult.ANY))
    name = f"{unit.name}.{DualRail.name}"
    assert_not_described(name, "leaves NaN codes open; two rails need one")
    obligation = unit.changed(library=DualRail.name).obligation()
    with pytest.raises(StatementError, match="leaves bits of its outputs open"):
        obligation.state(obligation.circuit())


def test_gates_are_put_to_the_engines_as_they_are():
    assert all(o.decomposition is None for o in gates_and_blocks() if o.name.startswith("cell."))
