"""Which kinds of fault are planted where: enough of them everywhere, and all of them somewhere."""

from __future__ import annotations

import numpy as np

from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.netlist import Netlist
from spikeproof.prover.claims.obligation import Obligation, Outcome
from spikeproof.prover.refutation.drawing import every_input
from spikeproof.prover.refutation.mutation import FAULTS, mutants
from spikeproof.prover.running.discharge import discharge
from tests.support.profile import NIGHTLY


def some_kinds(*place: int) -> list[str]:
    """Two kinds of fault, or three at night, others for each place in some enumeration."""
    return [list(FAULTS)[(sum(place) + offset) % len(FAULTS)] for offset in range(3 if NIGHTLY else 2)]


def some_kinds_for(netlist: Netlist, *place: int) -> list[str]:
    """Those of them that a netlist can have: with no block that is used, none can be faulty."""
    return [kind for kind in some_kinds(*place) if any(True for _ in mutants(netlist, kind, seed=0))]


def assert_faults_are_refuted(obligation: Obligation, seed: int, *place: int) -> None:
    """Of some kinds of fault the first mutant that enumeration tells from the sound circuit."""
    netlist = obligation.circuit()
    given = every_input(netlist.inputs)
    sound = boolean.evaluate(netlist, given)

    def is_faulty(mutant: Netlist) -> bool:
        outputs = boolean.evaluate(mutant, given)
        return any(not np.array_equal(outputs[bus], sound[bus]) for bus in sound)

    for kind in some_kinds_for(netlist, *place):
        mutant = next(m for m in mutants(netlist, kind, seed) if is_faulty(m.netlist))
        assert discharge(obligation, circuit=mutant.netlist).outcome is Outcome.REFUTED, mutant.fault
