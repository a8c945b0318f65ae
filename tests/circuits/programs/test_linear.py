"""Linear layers as they are built: how many units they have, and how deep they are."""

from math import ceil, log2

import pytest

from spikeproof.circuits.netlist import Statistics
from spikeproof.circuits.programs import linear
from spikeproof.circuits.programs.counting import size
from spikeproof.specs.orders import in_blocks, in_lanes, pairwise, sequential
from spikeproof.specs.products import Dot, fused_products
from spikeproof.specs.programs import Arithmetic, ProgramError

MULTIPLY, ADD, FMA = 1000, 10, 100
UNITS = {
    f"fp32.{name}.rne": Statistics(neurons=depth, synapses=0, depth=depth, largest_fan_in=0)
    for name, depth in (("multiply", MULTIPLY), ("add", ADD), ("fma", FMA))
}


def layer(order, outputs=3, *, fused=False):
    terms = fused_products(order, order.terms) if fused else frozenset()
    return linear.linear(Dot(order, ("fp32", "fp32"), "fp32", terms), outputs, Arithmetic("fp32"))


@pytest.mark.parametrize("terms", [1, 2, 3, 24, 100, 1024])
def test_depth_is_as_the_formula_says(terms):
    levels = {
        sequential(terms): terms - 1,
        pairwise(terms): ceil(log2(terms)),
        in_lanes(terms, min(8, terms)): ceil(terms / 8) - 1 + ceil(log2(min(8, terms))),
        in_blocks(terms, 8): max(min(8, terms) + ceil(terms / 8) - 2, 0),
    }
    for order, depth in levels.items():
        found = size(layer(order), UNITS)
        assert found.depth == MULTIPLY + ADD * depth
        assert found.instances.get("fp32.multiply.rne") == 3 * terms
        assert found.instances.get("fp32.add.rne", 0) == 3 * (terms - 1)


def test_what_is_fused_is_one_unit():
    found = size(layer(sequential(100), fused=True), UNITS)
    assert found.instances == {"fp32.multiply.rne": 3, "fp32.fma.rne": 3 * 99}
    assert found.depth == MULTIPLY + 99 * FMA


@pytest.mark.parametrize(
    ("order", "changes", "message"),
    [
        (sequential(1), {"bias": True}, "needs a product"),
        (sequential(3), {"fused": {3}}, "term 3 cannot be fused: there are 3 products"),
        (sequential(3), {"fused": {2}, "bias": True}, "term 2 cannot be fused: there are 2 products"),
        (sequential(3), {"fused": {0, 1}}, "products 0 and 1 meet"),
        (sequential(1), {"fused": {0}}, "added to nothing"),
    ],
)
def test_ways_that_are_none_are_refused(order, changes, message):
    changes["fused"] = frozenset(changes.get("fused", ()))
    with pytest.raises(ProgramError, match=message):
        Dot(order, ("fp32", "fp32"), "fp32", **changes)
