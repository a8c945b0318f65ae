"""Rows of dividers and roots that say nothing of themselves: found, and checked by the kernel."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from pysmt.shortcuts import TRUE, BVType, Symbol

from spikeproof.circuits.netlist import ONE, ZERO, Bus, Netlist, NetlistError
from spikeproof.prover.claims.catalogue import theorem
from spikeproof.prover.claims.environment import passing_formulas
from spikeproof.prover.claims.obligation import Outcome, Step
from spikeproof.prover.discovery.finding import possible_annotations
from spikeproof.prover.discovery.rows import row_cells
from spikeproof.prover.engines.engine import engine_named
from spikeproof.prover.evidence.record import Status
from spikeproof.prover.kernel.case import Case
from spikeproof.prover.kernel.cells import AlgebraError, Site
from spikeproof.prover.kernel.recurrence import quotient_claims, root_claims
from spikeproof.prover.running.discharge import discharge
from spikeproof.specs.formats import FP8_E4M3FN, ieee_format
from spikeproof.specs.symbolic import bit
from tests.support.foreign import dividers, roots
from tests.support.foreign.gates import Gates, extend
from tests.support.foreign.units import FOREIGN

QUOTIENT = Step(("quotient", "remainder"), given=("dividend", "divisor"), method="quotient")
ROOT = Step(("root", "remainder"), given=("radicand",), method="root")
SIZE = 6
WIDER = ieee_format(5, 4)

CIRCUITS: dict[str, tuple[Step, Callable[..., tuple[Bus, Bus]], int]] = {
    "restoring divider": (QUOTIENT, dividers.restoring, 0),
    "non-restoring divider": (QUOTIENT, dividers.non_restoring, 0),
    "restoring root": (ROOT, roots.restoring, 0),
    "restoring root, zeros after": (ROOT, roots.restoring, SIZE),
    "non-restoring root": (ROOT, roots.non_restoring, 0),
    "non-restoring root, zeros after": (ROOT, roots.non_restoring, SIZE),
}
"""What of operands to which results, how, and how many last bits of an operand are zero.

Of a radicand that ends with zeros a row's bit is the last two of its remainder too.
"""


def _circuit(name: str) -> tuple[Netlist, Step]:
    """With probes of operands and results, but no cells."""
    step, build, zeros = CIRCUITS[name]
    gates, width = Gates(), SIZE if step is QUOTIENT else 2 * SIZE - zeros
    operands = [(*(ZERO,) * zeros, *gates.builder.input(each, width)) for each in step.given]
    results = build(gates, *operands)
    netlist = gates.builder.build(dict(zip(step.names, results, strict=True)))
    return replace(
        netlist, probes={**dict(zip(step.given, operands, strict=True)), **netlist.outputs}
    ), step


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


def _signed_root(wrong: str = "") -> Netlist:
    """A root of rows that do not restore, with its cells."""
    gates = Gates()
    radicand = gates.builder.input("radicand", 2 * SIZE)
    rest: Bus = (ZERO,)
    root: Bus = (ZERO,)
    sign: Bus = (ONE,)
    for low in reversed(range(0, 2 * SIZE, 2)):
        width = len(root) + 2
        wide = extend((*radicand[low : low + 2], *rest), width)[:width]
        step = extend((ONE, gates.not_(sign[0]), *root), width)
        if wrong == "step":
            step = (ONE, ONE, *step[2:])
        after, _ = gates.ripple(wide, gates.flip(step, sign[0]), sign[0])
        fits = after[-1] if wrong == "sign" else gates.not_(after[-1])
        given = {"remainder": rest, "sign": sign, "root": root, "digits": radicand[low : low + 2]}
        gates.builder.cell("signed_root_row", given, {"bit": (fits,), "difference": after})
        rest, root, sign = after, (fits, *root), (fits,)
    lacking = extend((ZERO if wrong == "restoring" else ONE, *root), len(rest))
    whole, _ = gates.ripple(rest, gates.mask(lacking, gates.not_(sign[0])))
    remainder = whole[: SIZE + 1]
    given = {"difference": rest, "sign": sign, "root": root}
    gates.builder.cell("restored_root_remainder", given, {"remainder": remainder})
    netlist = gates.builder.build({"root": root[:-1], "remainder": remainder})
    return replace(netlist, probes={**netlist.input_buses, **netlist.outputs})


def test_roots_of_rows_that_do_not_restore_are_roots() -> None:
    assert _holds(_signed_root(), ROOT)


@pytest.mark.parametrize("wrong", ["step", "sign", "restoring"])
def test_a_wrong_row_of_a_root_does_not_hold(wrong: str) -> None:
    assert not _holds(_signed_root(wrong), ROOT)


def _changed(netlist: Netlist, kind: str, bus: str, signals: Callable[[Bus], Bus]) -> Netlist:
    """With other signals on an output bus of the last cell of a kind, and on the probe that it is."""
    place = max(i for i, cell in enumerate(netlist.cells) if cell.kind == kind)
    cell = netlist.cells[place]
    outputs = {**cell.outputs, bus: signals(cell.outputs[bus])}
    cells = [*netlist.cells]
    cells[place] = replace(cell, outputs=outputs)
    probes = {
        name: outputs[bus] if each == cell.outputs[bus] else each
        for name, each in netlist.probes.items()
    }
    return replace(netlist, probes=probes, cells=tuple(cells))


def test_another_remainder_than_the_restored_one_does_not_hold() -> None:
    netlist, step = _with_cells("non-restoring divider")
    swapped = _changed(
        netlist, "restored_remainder", "remainder", lambda bus: (bus[1], bus[0], *bus[2:])
    )
    assert not _holds(swapped, step)


def test_rows_that_do_not_end_with_the_results_are_refused() -> None:
    netlist, step = _with_cells("non-restoring divider")
    with pytest.raises(AlgebraError, match="no restored_remainder continues from the one before it"):
        _holds(replace(netlist, cells=netlist.cells[:-1]), step)


def test_what_has_no_rows_is_refused() -> None:
    netlist, step = _circuit("restoring divider")
    dividend = netlist.probes["dividend"]
    probes = {**netlist.probes, "quotient": (*dividend, *dividend[:2])}
    with pytest.raises(NetlistError, match="no row is seen after 0 of 8: no bus has its remainder"):
        row_cells(netlist, step, probes | {"remainder": dividend}, lambda bus: [[s] for s in bus])


def test_a_divider_that_says_nothing_of_itself_is_proved_by_its_rows() -> None:
    unit = FOREIGN["non_restoring_divider"]
    claim = replace(theorem(unit.theorem(WIDER)), engines=("cadical",))
    record = discharge(claim, 60.0, unit.circuit(WIDER), enumerating=False)
    assert record.outcome is Outcome.PROVED
    lemmas = {lemma.name for lemma in record.lemmas}
    assert {"quotient, remainder: rows", "fact about quotient, remainder"} <= lemmas


@pytest.mark.parametrize("name", ["restoring_root", "non_restoring_root"])
def test_a_root_that_says_nothing_of_itself_follows_from_lemmas_that_hold(name: str) -> None:
    unit = FOREIGN[name]
    with passing_formulas():
        case = Case.of(theorem(unit.theorem(FP8_E4M3FN)), unit.circuit(FP8_E4M3FN))
        lemmas = replace(case, annotations=next(possible_annotations(case))).lemmas()
    assert {"root, remainder: rows", "outputs", "outputs otherwise"} <= lemmas.keys()
    answers = {engine_named("cadical").check(each.negation, 60.0).status for each in lemmas.values()}
    assert answers == {Status.UNSATISFIABLE}


def test_a_fault_behind_the_rows_is_refuted() -> None:
    unit = FOREIGN["restoring_divider"]
    circuit = unit.circuit(WIDER, "sticky_lost_when_saturated")
    found = discharge(theorem(unit.theorem(WIDER)), 30.0, circuit, enumerating=False)
    assert found.outcome is Outcome.REFUTED
