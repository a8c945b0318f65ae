"""Quotients and square roots by the invariants of their rows, instead of search.

Division. A row takes a remainder R < 2B and gives a bit q and a difference D with

    R = q B + D    and    D < B,

which is one claim for free R and B. Where the first row's R is A, every other row's R is twice the D
before it, and there are n + 2 rows, adding up gives A 2^(n+1) = Q B + D for the last D, Q being made up
of the bits. As D < B, Q is the quotient and D the remainder: there is no other pair.

Square root. A row takes a root Q, a remainder R <= 2Q and the next two digits d, and gives q and D with

    4R + d = q (4Q + 1) + D    and    D <= 2 (2Q + q).

If X = Q^2 + R is the radicand's beginning, then 4X + d = (2Q + q)^2 + D is the next, because q = q^2. It
begins with Q = R = 0. In the end X = Q^2 + R with R <= 2Q, so Q^2 <= X < (Q + 1)^2.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pysmt.fnode import FNode
from pysmt.shortcuts import BV, BVULE, BVULT, And, BVAdd, BVConcat, Equals, Implies, Ite

from spikeproof.circuits.netlist import ZERO, Block, Bus, Netlist
from spikeproof.prover.claims.obligation import Claim
from spikeproof.prover.kernel.cells import AlgebraError, FreeCell, Site, free_cell, require_form
from spikeproof.specs.symbolic import zero_extend


def quotient_claims(site: Site) -> Mapping[str, Claim]:
    """What remains to be proved for results to be quotient and remainder, as ``specs.integers.divide``.

    Args:
        site: dividend and divisor, of n bits; quotient, n + 2 bits, and remainder, n bits.

    Raises:
        AlgebraError: if there are no rows that begin with the operands and end with the results.
    """
    (dividend, divisor), (quotient, remainder) = site.operands, site.results
    size = len(divisor)
    if (len(dividend), len(quotient), len(remainder)) != (size, size + 2, size):
        raise AlgebraError(
            "dividend, divisor, quotient and remainder do not have the widths of a division"
        )
    cells = _cells(site.netlist, "divide_row", ("remainder", "divisor"), ("bit", "difference"))
    rows = []
    current, difference = (*dividend, ZERO), dividend
    for bit in reversed(quotient):
        row = _row(cells, "divide_row", current, divisor)
        if row.outputs["bit"] != (bit,) or len(row.outputs["difference"]) != size:
            raise AlgebraError(f"{row.name} does not give the quotient's next bit")
        rows.append(row)
        difference = row.outputs["difference"]
        current = (ZERO, *difference)
    if difference != remainder:
        raise AlgebraError("the remainder is not that of the last row")
    first = Claim(
        {symbol.symbol_name(): symbol for symbol in site.free},
        BVULT(zero_extend(site.free[0], size + 1), BVConcat(site.free[1], BV(0, 1))),
        site.facts,
    )
    return {"dividend": first, "rows": _together(site.netlist, rows)}


def root_claims(site: Site) -> Mapping[str, Claim]:
    """What remains to be proved for results to be root and remainder, as ``specs.integers.square_root``.

    Args:
        site: the radicand, of 2n bits; root, n bits, and remainder, n + 1 bits. No facts are needed.

    Raises:
        AlgebraError: if there are no rows that begin with the radicand and end with the results.
    """
    (radicand,), (root, remainder) = site.operands, site.results
    if len(radicand) != 2 * len(root):
        raise AlgebraError("radicand and root do not have the widths of a square root")
    cells = _cells(site.netlist, "root_row", ("remainder", "root", "digits"), ("bit", "difference"))
    rows = []
    current: Bus = (ZERO,)
    so_far: Bus = (ZERO,)
    for low in reversed(range(0, len(radicand), 2)):
        row = _row(cells, "root_row", current, so_far, radicand[low : low + 2])
        if len(row.outputs["bit"]) != 1 or len(row.outputs["difference"]) != len(so_far) + 1:
            raise AlgebraError(f"{row.name} has outputs of other widths than a row of a square root")
        rows.append(row)
        so_far, current = (*row.outputs["bit"], *so_far), row.outputs["difference"]
    if so_far != (*root, ZERO) or current != remainder:
        raise AlgebraError("root and remainder are not those of the last row")
    return {"rows": _together(site.netlist, rows)}


# --- rows ---------------------------------------------------------------------------------------


def _cells(
    netlist: Netlist, kind: str, inputs: tuple[str, ...], outputs: tuple[str, ...]
) -> dict[tuple[Bus, ...], Block]:
    """The cells of a kind, by their input buses."""
    found = {}
    for cell in netlist.cells:
        if cell.kind == kind:
            require_form(cell, inputs, outputs)
            found[tuple(cell.inputs[name] for name in inputs)] = cell
    return found


def _row(cells: Mapping[tuple[Bus, ...], Block], kind: str, *inputs: Bus) -> Block:
    if inputs not in cells:
        raise AlgebraError(f"no {kind} continues from the one before it")
    return cells[inputs]


def _together(netlist: Netlist, rows: Iterable[Block]) -> Claim:
    """One claim for all rows; rows of one shape have the same symbols, and are one.

    Each row has its own invariant only: another's, of the same symbols, might say more than it should.
    """
    symbols: dict[str, FNode] = {}
    claims: dict[FNode, None] = {}
    for row in (free_cell(netlist, cell) for cell in rows):
        symbols.update(row.symbols)
        claims[Implies(*(_divide_row(row) if "divisor" in row.inputs else _root_row(row)))] = None
    return Claim(symbols, And(claims))


def _divide_row(row: FreeCell) -> tuple[FNode, FNode]:
    """The invariant R < 2B, and the goal R = q B + D with D < B."""
    size = row.inputs["divisor"].bv_width() + 2
    r, b, d = (
        zero_extend(word, size)
        for word in (row.inputs["remainder"], row.inputs["divisor"], row.outputs["difference"])
    )
    taken = _times(row.outputs["bit"], b)
    return BVULT(r, BVAdd(b, b)), And(Equals(r, BVAdd(taken, d)), BVULT(d, b))


def _root_row(row: FreeCell) -> tuple[FNode, FNode]:
    """The invariant R <= 2Q, and the goal 4R + d = q (4Q + 1) + D with D <= 2 (2Q + q)."""
    size = row.inputs["root"].bv_width() + 4
    r, q_before, d = (
        zero_extend(word, size)
        for word in (row.inputs["remainder"], row.inputs["root"], row.outputs["difference"])
    )
    bit = row.outputs["bit"]
    minuend = zero_extend(BVConcat(row.inputs["remainder"], row.inputs["digits"]), size)
    twice = BVAdd(q_before, q_before)
    taken = _times(bit, BVAdd(BVAdd(twice, twice), BV(1, size)))
    q_after = BVAdd(twice, zero_extend(bit, size))
    goal = And(Equals(minuend, BVAdd(taken, d)), BVULE(d, BVAdd(q_after, q_after)))
    return BVULE(r, twice), goal


def _times(bit: FNode, word: FNode) -> FNode:
    """The word where the bit is 1, else zero."""
    return Ite(Equals(bit, BV(1, 1)), word, BV(0, word.bv_width()))
