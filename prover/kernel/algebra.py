"""The kinds of algebra by which a step of a composed proof may be shown, in place of search.

Where results are taken as free, search knows nothing of them any more. What it needs are *laws*: what is
so of any integers x and y and their product p, in n, m and n + m bits, and takes no proof but this:

    p = 0 iff x = 0 or y = 0;    if x >= 2^(n-1) and y >= 2^(m-1) then p >= 2^(n+m-2);
    if p is not 0 then x <= p and y <= p.

Quotient and root of 0 are 0, and so is what remains, if the divisor is not 0. For x, y >= 2^(n-1) and
< 2^n the quotient of x 2^(n+1) is at least 2^n; for x >= 2^(2n-2) the root is at least 2^(n-1). And if
x' = 2^a x and y' = 2^b y, whatever a and b are, then p' = 2^(a+b) p for the product p' of those.

The laws are proved in Coq: ``proofs/mechanised/algebra.v``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pysmt.fnode import FNode
from pysmt.shortcuts import BV, BVULE, And, BVAdd, BVExtract, BVLShl, BVLShr, Equals, Iff, Implies, Not

from spikeproof.prover.claims.obligation import Claim
from spikeproof.prover.kernel import recurrence, telescoping
from spikeproof.prover.kernel.cells import Site
from spikeproof.specs import integers
from spikeproof.specs.integers import Meaning
from spikeproof.specs.symbolic import bit, nonzero, shift_out_leading_zeros, zero_extend

Algebra = Callable[[Site], Mapping[str, Claim]]
"""From a site, the claims from which it follows that the results are the operands' function.

It raises ``AlgebraError`` if the circuit is not of the form that the algebra is about.
"""


@dataclass(frozen=True)
class AlgebraLog:
    """How an algebra writes down what it did, for others to do again.

    Attributes:
        make: from a site, the log.
        check: raises ``AlgebraError`` if a log does not show there what the algebra is to show.
    """

    make: Callable[[Site], bytes]
    check: Callable[[Site, bytes], None]


LOGS = {"product": AlgebraLog(telescoping.write_log, telescoping.check_log)}
"""By name; methods without a log leave claims that say it all."""

METHODS: dict[str, tuple[Meaning, tuple[str, ...], Algebra]] = {
    "product": (integers.multiply, ("x", "y"), telescoping.product_claims),
    "quotient": (integers.divide, ("x", "y"), recurrence.quotient_claims),
    "root": (integers.square_root, ("x",), recurrence.root_claims),
}
"""By name: the function, the names of its operands, and how it is shown."""


# --- laws ---------------------------------------------------------------------------------------


def product_laws(x: FNode, y: FNode, product: FNode) -> FNode:
    """What holds of two factors and their product, which is as wide as both."""
    firsts = And(bit(x, x.bv_width() - 1), bit(y, y.bv_width() - 1))
    return And(
        Iff(nonzero(product), And(nonzero(x), nonzero(y))),
        Implies(firsts, _some_of_first_two(product)),
        *(
            Implies(nonzero(product), BVULE(zero_extend(factor, product.bv_width()), product))
            for factor in (x, y)
        ),
    )


def shifted_product(own: tuple[FNode, ...], other: tuple[FNode, ...]) -> FNode:
    """What holds of one product and another, whose factors are the same but for leading zeros.

    Args:
        own, other: two factors and their product, which is as wide as both.
    """
    size = own[2].bv_width()
    alike, shift = [], BV(0, size)
    for x, moved in zip(own[:2], other[:2], strict=True):
        _, count = shift_out_leading_zeros(x, size)  # whatever it is, within bounds
        shifted = BVLShl(zero_extend(x, size), count)
        alike += [BVULE(count, BV(size - x.bv_width(), size)), Equals(shifted, zero_extend(moved, size))]
        shift = BVAdd(shift, count)
    back_and_forth = Equals(other[2], BVLShl(own[2], shift)), Equals(own[2], BVLShr(other[2], shift))
    return Implies(And(alike), And(back_and_forth))


def quotient_laws(dividend: FNode, divisor: FNode, quotient: FNode, remainder: FNode) -> FNode:
    """What holds of a quotient and what remains."""
    zero = And(Not(nonzero(quotient)), Not(nonzero(remainder)))
    firsts = And(bit(x, x.bv_width() - 1) for x in (dividend, divisor))
    return And(
        Implies(And(Not(nonzero(dividend)), nonzero(divisor)), zero),
        Implies(firsts, _some_of_first_two(quotient)),
    )


def root_laws(radicand: FNode, root: FNode, remainder: FNode) -> FNode:
    """What holds of a root and what remains."""
    return And(
        Implies(Not(nonzero(radicand)), And(Not(nonzero(root)), Not(nonzero(remainder)))),
        Implies(_some_of_first_two(radicand), bit(root, root.bv_width() - 1)),
    )


def _some_of_first_two(word: FNode) -> FNode:
    return nonzero(BVExtract(word, word.bv_width() - 2, word.bv_width() - 1))


LAWS: dict[str, Callable[..., FNode]] = {
    "product": product_laws,
    "quotient": quotient_laws,
    "root": root_laws,
}
"""By method, from operands and results."""

RELATIONS: dict[str, Callable[..., FNode]] = {"product": shifted_product}
"""By method, what holds of operands and results and others of these."""
