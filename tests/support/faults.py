"""Which kinds of fault are planted where: enough of them everywhere, and all of them somewhere."""

from __future__ import annotations

from spikeproof.circuits.netlist import Netlist
from spikeproof.prover.refutation.mutation import FAULTS, mutants


def some_kinds(*place: int) -> list[str]:
    """Three kinds of fault, others for each place in some enumeration."""
    return [list(FAULTS)[(sum(place) + offset) % len(FAULTS)] for offset in range(3)]


def some_kinds_for(netlist: Netlist, *place: int) -> list[str]:
    """Those of them that a netlist can have: with no block that is used, none can be faulty."""
    return [kind for kind in some_kinds(*place) if any(True for _ in mutants(netlist, kind, seed=0))]
