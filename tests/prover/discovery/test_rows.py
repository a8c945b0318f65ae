"""Rows of dividers and roots that say nothing of themselves: found by simulation, checked by the kernel."""

from dataclasses import replace

import pytest
from pysmt.shortcuts import TRUE, BVType, Symbol

from spikeproof.circuits.netlist import Netlist, NetlistError
from spikeproof.prover.claims.obligation import Step
from spikeproof.prover.discovery.rows import row_cells
from spikeproof.prover.engines.engine import engine_named
from spikeproof.prover.evidence.record import Status
from spikeproof.prover.kernel.cells import AlgebraError, Site
from spikeproof.prover.kernel.recurrence import quotient_claims, root_claims
from spikeproof.specs.symbolic import bit
from tests.support.foreign import dividers, roots
from tests.support.foreign.gates import Gates

QUOTIENT = Step(("quotient", "remainder"), given=("dividend", "divisor"), method="quotient")
ROOT = Step(("root", "remainder"), given=("radicand",), method="root")
SIZE = 6

CIRCUITS = {
    "restoring divider": (QUOTIENT, dividers.restoring),
    "non-restoring divider": (QUOTIENT, dividers.non_restoring),
    "restoring root": (ROOT, roots.restoring),
    "non-restoring root": (ROOT, roots.non_restoring),
}


def _circuit(name: str) -> tuple[Netlist, Step]:
    """With probes of operands and results, but no cells."""
    step, build = CIRCUITS[name]
    gates, width = Gates(), SIZE if step is QUOTIENT else 2 * SIZE
    results = build(gates, *(gates.builder.input(each, width) for each in step.given))
    netlist = gates.builder.build(dict(zip(step.names, results, strict=True)))
    return replace(netlist, probes={**netlist.input_buses, **netlist.outputs}), step


def _with_cells(name: str) -> tuple[Netlist, Step]:
    netlist, step = _circuit(name)
    instead, cells = row_cells(netlist, step, netlist.probes, lambda bus: [[s] for s in bus])
    return replace(netlist, probes={**netlist.probes, **instead}, cells=cells), step


def _holds(netlist: Netlist, step: Step) -> bool:
    """For a divisor whose first bit is set, as in every unit."""
    free = tuple(Symbol(f"free.{each}", BVType(len(netlist.probes[each]))) for each in step.given)
    fact = bit(free[1], SIZE - 1) if step is QUOTIENT else TRUE()
    claims = quotient_claims if step is QUOTIENT else root_claims
    answers = [
        engine_named("cadical").check(claim.negation, 60.0).status
        for claim in claims(Site.of(netlist, step, free, (fact,))).values()
    ]
    assert set(answers) <= {Status.SATISFIABLE, Status.UNSATISFIABLE}
    return set(answers) == {Status.UNSATISFIABLE}


@pytest.mark.parametrize("name", CIRCUITS)
def test_rows_are_found_and_hold(name: str) -> None:
    assert _holds(*_with_cells(name))
