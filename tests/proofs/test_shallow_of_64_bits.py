"""Shallow units of FP64 that are promised have mutants, which are refuted.

Faults of products are in ``test_shallow_rounding``: of FP16 at every cut; of FP64 beside the processor.
Those of ``fma`` are in ``test_shallow_fma``, likewise.
"""

from dataclasses import replace

import pytest

from spikeproof.circuits.units.libraries import SHALLOW
from spikeproof.proofs.units import Unit
from spikeproof.prover.claims.obligation import Outcome
from spikeproof.prover.refutation.mutation import stuck_at_one, stuck_at_zero
from spikeproof.prover.running.discharge import discharge
from spikeproof.specs.formats import FP64
from tests.support.profile import NIGHTLY

pytestmark = pytest.mark.usefixtures("counterexamples_as_found")

ON_THE_WAY = {"add": "magnitude", "divide": "quotient", "square_root": "root"}


@pytest.mark.skipif(not NIGHTLY, reason="a refutation takes a minute of a processor, or more")
@pytest.mark.parametrize("operation", ON_THE_WAY)
def test_faults_are_refuted(operation):
    """In the last place of what is rounded, and in the middle of the result."""
    obligation = replace(Unit(operation, FP64, structure=SHALLOW).obligation(), engines=("cadical",))
    netlist = obligation.circuit()
    exact, result = netlist.probes[ON_THE_WAY[operation]], netlist.outputs["result"]
    faulty = (stuck_at_zero(netlist, exact[0]), stuck_at_one(netlist, result[32]))
    for mutant in faulty:
        assert discharge(obligation, circuit=mutant.netlist).outcome is Outcome.REFUTED, mutant.fault
