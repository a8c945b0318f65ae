"""How sums of products are taken, as plain data."""

from __future__ import annotations

from dataclasses import dataclass

from spikeproof.specs.orders import Order
from spikeproof.specs.programs import Array, ProgramError


@dataclass(frozen=True)
class Dot:
    """How the sum of products x[k] * y[k] is taken.

    Attributes:
        order: of the products; of a bias too, if there is one, as the last term.
        factors: the formats of x and y.
        kind: that of products, sums, bias and result.
        fused: the products that are added without being rounded first; not two to one another.
        bias: whether there is one.
        from_zero: whether each other product is added to +0 first; if some are fused, this is too.

    Raises:
        ProgramError: if there is no product, or what is fused are no products, or two that meet.
    """

    order: Order
    factors: tuple[str, str]
    kind: str
    fused: frozenset[int] = frozenset()
    bias: bool = False
    from_zero: bool = False

    def __post_init__(self) -> None:
        if self.products < 1:
            raise ProgramError("a sum of products needs a product")
        if odd := [term for term in sorted(self.fused) if not 0 <= term < self.products]:
            raise ProgramError(f"term {odd[0]} cannot be fused: there are {self.products} products")
        for pair in self.order.additions:
            if self.fused.issuperset(pair):
                raise ProgramError(
                    f"products {pair[0]} and {pair[1]} meet; only one of them can be fused"
                )
        if self.products == self.order.terms == len(self.fused):
            raise ProgramError("a single product is added to nothing, so it cannot be fused")

    @property
    def products(self) -> int:
        """How many there are."""
        return self.order.terms - self.bias

    @property
    def inputs(self) -> dict[str, Array]:
        """Of the module that computes it."""
        x, y = self.factors
        given = {"x": Array(x, (self.products,)), "y": Array(y, (self.products,))}
        return {**given, "bias": Array(self.kind)} if self.bias else given


def fused_products(order: Order, products: int) -> frozenset[int]:
    """The products that are added to something: where two meet, the second is added to the first."""
    added = (max((term for term in pair if term < products), default=-1) for pair in order.additions)
    return frozenset(term for term in added if term >= 0)
