"""Quotients and square roots by the invariants of their rows, instead of search.

Division. A row takes a remainder R < 2B and gives a bit q and a difference D with

    R = q B + D    and    D < B,

which is one claim for free R and B. Where the first row's R is A, every other row's R is twice the D
before it, and there are n + 2 rows, adding up gives A 2^(n+1) = Q B + D for the last D, Q being made up
of the bits. As D < B, Q is the quotient and D the remainder: there is no other pair. A row that gives k
bits q at once takes an R < 2^k B, which is 2^k D of the row before it, or 2^(k-1) A if it is the first.

Square root. A row takes a root Q, a remainder R <= 2Q and the next two digits d, and gives q and D with

    4R + d = q (4Q + 1) + D    and    D <= 2 (2Q + q).

If X = Q^2 + R is the radicand's beginning, then 4X + d = (2Q + q)^2 + D is the next, because q = q^2. It
begins with Q = R = 0. In the end X = Q^2 + R with R <= 2Q, so Q^2 <= X < (Q + 1)^2. A row that gives k
bits q at once takes the next 2k digits d, and gives q and D with

    4^k R + d = q (2^(k+1) Q + q) + D    and    D <= 2 (2^k Q + q).

Then 4^k X + d = (2^k Q + q)^2 + D.

Rows that do not restore have a remainder N instead, signed: where it is negative it lacks what was taken
once too often, the divisor or 2Q + 1. With a bit p that says whether N >= 0, it stands for

    D = N + (1 - p) B    or    D = N + (1 - p)(2Q + 1),

and of what they stand for rows claim the same, and that q says whether the next N is not negative. For
division R is 2N + 2 (1 - p) B; the first row has A for 2N, and p = 1. For roots it begins with N = 0 and
p = 1. A last cell gives D itself. Remainders may be wider than they need be.

Rows whose remainders are redundant are of ``prover.kernel.redundant``, digits that were found without
rows of ``prover.kernel.searching``; cells say that they are.

The argument is proved in Coq: ``proofs/mechanised/recurrence.v``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import chain

from pysmt.fnode import FNode
from pysmt.shortcuts import (
    BV,
    BVULE,
    BVULT,
    And,
    BVAdd,
    BVConcat,
    BVExtract,
    BVNot,
    BVSExt,
    BVSub,
    Equals,
    Implies,
    Ite,
)

from spikeproof.circuits.netlist import ONE, ZERO, Block, Bus, Netlist
from spikeproof.prover.claims.obligation import Claim
from spikeproof.prover.kernel.cells import AlgebraError, FreeCell, Site, cells_by_inputs, free_cell
from spikeproof.prover.kernel.redundant import redundant_claims
from spikeproof.prover.kernel.searching import require_quotient, require_root
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
    first = Claim(
        {symbol.symbol_name(): symbol for symbol in site.free},
        BVULT(zero_extend(site.free[0], size + 1), BVConcat(site.free[1], BV(0, 1))),
        site.facts,
    )
    buses = (dividend, divisor, quotient, remainder)
    if _cells(site.netlist, "searched_quotient"):
        require_quotient(site.netlist, *buses)
        return {"dividend": first}
    if any(cell.kind == "settled_quotient" for cell in site.netlist.cells):
        top = BVExtract(site.free[1], size - 1, size - 1)
        normalised = Claim(first.inputs, Equals(top, BV(1, 1)), site.facts)
        return {"dividend": first, "divisor": normalised, **redundant_claims(site.netlist, *buses)}
    return {"dividend": first, **_of_rows(site.netlist, _quotient_rows(site.netlist, *buses))}


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
    if _cells(site.netlist, "searched_root"):
        require_root(site.netlist, radicand, root, remainder)
        return {}
    return _of_rows(site.netlist, _root_rows(site.netlist, radicand, root, remainder))


# --- rows ---------------------------------------------------------------------------------------

TOGETHER = 25
"""Rows of so many shapes have one lemma: those of a root of FP32, a bit in each.

Of rows of several bits each shape has its own: together they take longer, and more memory.
"""

BUSES = {
    "divide_row": (("remainder", "divisor"), ("bit", "difference")),
    "signed_divide_row": (("remainder", "sign", "divisor"), ("bit", "difference")),
    "restored_remainder": (("difference", "sign", "divisor"), ("remainder",)),
    "root_row": (("remainder", "root", "digits"), ("bit", "difference")),
    "signed_root_row": (("remainder", "sign", "root", "digits"), ("bit", "difference")),
    "restored_root_remainder": (("difference", "sign", "root"), ("remainder",)),
    "searched_quotient": (("dividend", "divisor"), ("quotient", "remainder")),
    "searched_root": (("radicand",), ("root", "remainder")),
}
"""Input and output buses of each kind of row; ``sign`` is a bit that is 1 if N is not negative.

``bit`` may be several bits, but of rows that do not restore.
"""


def _quotient_rows(
    netlist: Netlist, dividend: Bus, divisor: Bus, quotient: Bus, remainder: Bus
) -> list[Block]:
    """The rows that begin with the operands and end with the results."""
    size = len(divisor)
    if signed := _cells(netlist, "signed_divide_row"):
        return _signed_quotient_rows(netlist, signed, dividend, divisor, quotient, remainder)
    cells, rows = _cells(netlist, "divide_row"), []
    doubled, difference, left = (*dividend, ZERO), dividend, quotient
    while left:
        inputs = [(((ZERO,) * (k - 1) + doubled), divisor) for k in range(1, len(left) + 1)]
        row, k = _row_of_bits(cells, "divide_row", inputs)
        if row.outputs["bit"] != left[-k:] or len(row.outputs["difference"]) < size:
            raise AlgebraError(f"{row.name} does not give the quotient's next bit")
        rows.append(row)
        difference, left = row.outputs["difference"], left[:-k]
        doubled = (ZERO, *difference)
    if difference != remainder:
        raise AlgebraError("the remainder is not that of the last row")
    return rows


def _signed_quotient_rows(
    netlist: Netlist,
    cells: Mapping[tuple[Bus, ...], Block],
    dividend: Bus,
    divisor: Bus,
    quotient: Bus,
    remainder: Bus,
) -> list[Block]:
    rows = []
    current, sign, difference = (*dividend, ZERO), (ONE,), dividend
    for bit in reversed(quotient):
        row = _row(cells, "signed_divide_row", current, sign, divisor)
        if row.outputs["bit"] != (bit,):
            raise AlgebraError(f"{row.name} does not give the quotient's next bit")
        rows.append(row)
        sign, difference = row.outputs["bit"], row.outputs["difference"]
        current = (ZERO, *difference)
    last = _row(_cells(netlist, "restored_remainder"), "restored_remainder", difference, sign, divisor)
    if last.outputs["remainder"] != remainder:
        raise AlgebraError("the remainder is not that of the last row, restored")
    return [*rows, last]


def _root_rows(netlist: Netlist, radicand: Bus, root: Bus, remainder: Bus) -> list[Block]:
    """The rows that begin with the radicand and end with the results."""
    signed = _cells(netlist, "signed_root_row")
    kind, cells = ("signed_root_row", signed) if signed else ("root_row", _cells(netlist, "root_row"))
    rows = []
    current: Bus = (ZERO,)
    so_far: Bus = (ZERO,)
    sign: tuple[Bus, ...] = ((ONE,),) if signed else ()
    left = radicand
    while left:
        most = 1 if signed else len(left) // 2
        inputs = [(current, *sign, so_far, left[-2 * k :]) for k in range(1, most + 1)]
        row, k = _row_of_bits(cells, kind, inputs)
        if not signed and len(row.outputs["difference"]) < len(so_far) + k:
            raise AlgebraError(f"{row.name} has outputs of other widths than a row of a square root")
        left = left[: -2 * k]
        rows.append(row)
        so_far, current = (*row.outputs["bit"], *so_far), row.outputs["difference"]
        sign = (row.outputs["bit"],) if signed else ()
    if signed:
        kind = "restored_root_remainder"
        rows.append(_row(_cells(netlist, kind), kind, current, *sign, so_far))
        current = rows[-1].outputs["remainder"]
    if so_far != (*root, ZERO) or current != remainder:
        raise AlgebraError("root and remainder are not those of the last row")
    return rows


def _cells(netlist: Netlist, kind: str) -> dict[tuple[Bus, ...], Block]:
    """The cells of a kind, by their input buses."""
    return cells_by_inputs(netlist, kind, *BUSES[kind])


def _row(cells: Mapping[tuple[Bus, ...], Block], kind: str, *inputs: Bus) -> Block:
    if inputs not in cells:
        raise AlgebraError(f"no {kind} continues from the one before it")
    return cells[inputs]


def _row_of_bits(
    cells: Mapping[tuple[Bus, ...], Block], kind: str, inputs: Sequence[tuple[Bus, ...]]
) -> tuple[Block, int]:
    """The next row, and how many bits it gives, from what it reads if it gives one, two, ... of them."""
    for bits, read in enumerate(inputs, 1):
        if read in cells and len(cells[read].outputs["bit"]) == bits:
            return cells[read], bits
    raise AlgebraError(f"no {kind} continues from the one before it")


def _of_rows(netlist: Netlist, rows: Collection[Block]) -> dict[str, Claim]:
    """A claim for all rows, or one for each shape where these are many or rows give several bits.

    Each row has its own invariant only: another's, of the same symbols, might say more than it should.
    """
    claims: dict[FNode, Claim] = {}
    for cell in rows:
        row = free_cell(netlist, cell)
        if row.outputs.keys() < cell.outputs.keys():
            raise AlgebraError(f"{cell.name} has output bits that nothing reads")
        goal = Implies(*_ROWS[cell.kind](_Words(row)))
        claims[goal] = Claim(row.symbols, goal)
    several = any(len(cell.outputs.get("bit", ())) > 1 for cell in rows)
    if len(claims) > (1 if several else TOGETHER):
        return {f"row {number}": claim for number, claim in enumerate(claims.values(), 1)}
    symbols = dict(chain.from_iterable(claim.inputs.items() for claim in claims.values()))
    return {"rows": Claim(symbols, And(claims))}


class _Words:
    """The buses of a row as integers modulo 2^size, that is more than any of them or their sums."""

    def __init__(self, row: FreeCell) -> None:
        self._buses = {**row.inputs, **row.outputs}
        self.bits = row.outputs["bit"].bv_width() if "bit" in row.outputs else 1
        self.size = max(bus.bv_width() for bus in self._buses.values()) + 2 + 2 * self.bits

    def __getitem__(self, name: str) -> FNode:
        return zero_extend(self._buses[name], self.size)

    def signed(self, name: str) -> FNode:
        """A bus in two's complement."""
        bus = self._buses[name]
        return BVSExt(bus, self.size - bus.bv_width())

    def says_sign(self, bit: str, of: str) -> FNode:
        """Whether a bit is 1 iff a signed bus is not negative."""
        bus = self._buses[of]
        top = BVExtract(bus, bus.bv_width() - 1, bus.bv_width() - 1)
        return Equals(BVNot(top), self._buses[bit])

    def times(self, bit: str, word: FNode) -> FNode:
        """The word as often as a bus of few bits says."""
        product, bus = BV(0, self.size), self._buses[bit]
        for k in reversed(range(bus.bv_width())):
            here = Equals(BVExtract(bus, k, k), BV(1, 1))
            product = BVAdd(_twice(product), Ite(here, word, BV(0, self.size)))
        return product

    def lacking(self, difference: str, bit: str, step: FNode) -> FNode:
        """What a signed bus stands for: with the step added where the bit is 0."""
        return BVAdd(self.signed(difference), BVSub(step, self.times(bit, step)))


def _divide_row(row: _Words) -> tuple[FNode, FNode]:
    """The invariant R < 2^k B, and the goal R = q B + D with D < B."""
    b, d = row["divisor"], row["difference"]
    goal = And(Equals(row["remainder"], BVAdd(row.times("bit", b), d)), BVULT(d, b))
    return BVULT(row["remainder"], _shifted(b, row.bits)), goal


def _signed_divide_row(row: _Words) -> tuple[FNode, FNode]:
    """The same of what remainder and difference stand for, and that bits say their signs."""
    b = row["divisor"]
    twice = BVAdd(b, b)
    r, d = row.lacking("remainder", "sign", twice), row.lacking("difference", "bit", b)
    invariant = And(BVULT(r, twice), row.says_sign("sign", "remainder"))
    goal = And(Equals(r, BVAdd(row.times("bit", b), d)), BVULT(d, b))
    return invariant, And(goal, row.says_sign("bit", "difference"))


def _restored(row: _Words) -> tuple[FNode, FNode]:
    """The invariant D < B, and the goal that D is the remainder."""
    d = row.lacking("difference", "sign", row["divisor"])
    invariant = And(BVULT(d, row["divisor"]), row.says_sign("sign", "difference"))
    return invariant, Equals(row["remainder"], d)


def _root_row(row: _Words) -> tuple[FNode, FNode]:
    """The invariant R <= 2Q, and the goal 4^k R + d = q (2^(k+1) Q + q) + D with D <= 2 (2^k Q + q)."""
    return BVULE(row["remainder"], _twice(row["root"])), _root_goal(
        row, row["remainder"], row["difference"]
    )


def _signed_root_row(row: _Words) -> tuple[FNode, FNode]:
    """The same of what remainder and difference stand for, and that bits say their signs."""
    one, twice = BV(1, row.size), _twice(row["root"])
    r = row.lacking("remainder", "sign", BVAdd(twice, one))
    d = row.lacking("difference", "bit", BVAdd(_twice(twice), one))
    invariant = And(BVULE(r, twice), row.says_sign("sign", "remainder"))
    return invariant, And(_root_goal(row, r, d), row.says_sign("bit", "difference"))


def _root_goal(row: _Words, r: FNode, d: FNode) -> FNode:
    minuend = BVAdd(_shifted(r, 2 * row.bits), row["digits"])
    so_far = _shifted(row["root"], row.bits)
    taken = row.times("bit", BVAdd(_twice(so_far), row["bit"]))
    return And(Equals(minuend, BVAdd(taken, d)), BVULE(d, _twice(BVAdd(so_far, row["bit"]))))


def _restored_root(row: _Words) -> tuple[FNode, FNode]:
    """The invariant D <= 2Q, and the goal that D is the remainder."""
    twice = _twice(row["root"])
    d = row.lacking("difference", "sign", BVAdd(twice, BV(1, row.size)))
    return And(BVULE(d, twice), row.says_sign("sign", "difference")), Equals(row["remainder"], d)


def _twice(word: FNode) -> FNode:
    return BVAdd(word, word)


def _shifted(word: FNode, places: int) -> FNode:
    """The word times 2^places."""
    for _ in range(places):
        word = _twice(word)
    return word


_ROWS = {
    "divide_row": _divide_row,
    "signed_divide_row": _signed_divide_row,
    "restored_remainder": _restored,
    "root_row": _root_row,
    "signed_root_row": _signed_root_row,
    "restored_root_remainder": _restored_root,
}
"""From a row, its invariant and goal."""
