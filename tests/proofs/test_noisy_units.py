"""Units whose weights are off: as much as their neurons bear, and no more."""

import pytest
from pysmt.shortcuts import Not

from spikeproof.circuits.physics.uncertainty import place
from spikeproof.proofs.neuron_spreads import SPREADS
from spikeproof.proofs.noisy_units import NOT_DECIDED, tolerant_unit, units, with_spread
from spikeproof.prover.claims.obligation import Outcome
from spikeproof.prover.engines.engine import ENGINES
from spikeproof.prover.evidence.record import Status
from spikeproof.prover.kernel.following import every_neuron
from spikeproof.prover.margins.bearing import bearing
from spikeproof.prover.margins.limits import WEIGHT, Limit, both_ways
from spikeproof.prover.running.discharge import discharge
from spikeproof.specs.formats import FP8_E4M3FN

pytestmark = pytest.mark.usefixtures("counterexamples_as_found")

UNITS = {
    unit: SPREADS[unit]
    for unit in units()
    if unit.fmt is FP8_E4M3FN and unit in SPREADS and unit != NOT_DECIDED
}
SMALL, *SHALLOW = UNITS


def some_neuron_errs(unit, limit):
    spread = both_ways(limit.value, not limit.attained)
    netlist = tolerant_unit(unit, WEIGHT.tolerance(spread))
    claim = every_neuron(netlist, unit.circuit(keep_waypoints=True), place)
    return ENGINES["cadical"].check([Not(claim.goal)], 60).status is Status.SATISFIABLE


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_the_limits_are_those_of_the_neurons(unit):
    assert bearing(unit.circuit(keep_waypoints=True)).spread == UNITS[unit]
    assert bearing(unit.circuit()).spread == UNITS[unit]


@pytest.mark.parametrize("unit", [SMALL, SHALLOW[0], SHALLOW[4]], ids=lambda unit: unit.name)
def test_just_beyond_some_neuron_errs(unit):
    assert some_neuron_errs(unit, Limit(UNITS[unit].beyond))


def test_weights_that_are_off_by_too_much_refute_a_unit():
    record = discharge(with_spread(SMALL, Limit(UNITS[SMALL].beyond)))
    assert record.outcome is Outcome.REFUTED


def test_every_point_has_the_same_margin_of_noise():
    for unit in units():
        if unit.fmt is FP8_E4M3FN:
            borne = bearing(unit.circuit())
            assert str(borne.noise) == "[-1/2, 1/2)"
