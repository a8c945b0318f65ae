"""PyTorch's linear layers in neurons, bit by bit, in the orders that are revealed of them."""

from collections import Counter
from dataclasses import replace

import pytest
import torch
from torch.nn.functional import linear

from spikeproof.api import from_torch
from spikeproof.proofs.programs import described, with_bias
from spikeproof.prover.claims.obligation import StatementError
from spikeproof.prover.claims.programs import unit_named
from spikeproof.prover.kernel.congruence import paired
from spikeproof.prover.running.accumulations import Accumulation, Scaling
from spikeproof.prover.running.revealed import revealed_order
from spikeproof.specs.formats import BFLOAT16, FP16, FP32, FP64
from spikeproof.specs.orders import (
    Order,
    grown,
    in_blocks,
    in_lanes,
    in_sequence,
    pairwise,
    reversed_sequence,
    sequential,
)
from spikeproof.specs.products import Dot, fused_products
from tests.support.profile import NIGHTLY


def revealed(*shape: int, fmt=FP32, bias=True):
    """How PyTorch takes sums here."""
    found = revealed_order(linear, shape, fmt=fmt, bias=bias, results=1000)
    if len(found.finding.found) > 1:
        pytest.skip("on this machine the results of one call have several orders")
    return found


def computed(layer, x):
    """By PyTorch's own kernel, of one shape at a time."""
    with torch.no_grad():
        return torch.stack([layer(rows) for rows in x])


def drawn(*shape: int, dtype=torch.float32):
    """Numbers of very different sizes, so that every addition rounds."""
    random = torch.Generator().manual_seed(11)
    exponents = torch.randint(-12, 12, shape, generator=random)
    return torch.ldexp(torch.randn(shape, generator=random), exponents).to(dtype)


def test_many_results_are_pytorchs():
    layer = torch.nn.Linear(64, 128)
    spiking = from_torch(layer, like=revealed(16, 64, 128))
    x = drawn(500 if NIGHTLY else 50, 16, 64)
    found = spiking(x)
    assert found.numel() > 10**5
    assert torch.equal(found.view(torch.int32), computed(layer, x).view(torch.int32))


def test_a_layer_is_shown_by_its_theorem_alone():
    spiking = from_torch(
        torch.nn.Linear(3, 2), like=Dot(pairwise(4), ("fp32", "fp32"), "fp32", bias=True)
    )
    assert repr(spiking) == f"SpikingLinear({spiking.theorem.name})"
    assert len(repr(spiking)) < 100


TYPES = {
    FP16: (torch.float16, torch.int16),
    BFLOAT16: (torch.bfloat16, torch.int16),
    FP32: (torch.float32, torch.int32),
    FP64: (torch.float64, torch.int64),
}


@pytest.mark.parametrize(
    ("fmt", "shape", "bias"),
    [
        (FP32, (16, 256, 64), True),
        (FP64, (1, 64, 64), False),
        (FP16, (16, 64, 64), True),
        (BFLOAT16, (1, 64, 64), False),
    ],
)
def test_other_layers(fmt, shape, bias):
    """In blocks, of FP32, and in lanes, of FP64, where machines have these; others have sums in FP32."""
    dtype, kind = TYPES[fmt]
    layer = torch.nn.Linear(*shape[1:], bias=bias, dtype=dtype)
    spiking = from_torch(layer, like=revealed(*shape, fmt=fmt, bias=bias))
    x = drawn(2, *shape[:2], dtype=dtype)
    found, wanted = spiking(x), computed(layer, x)
    assert found.dtype == dtype
    assert len(wanted.unique()) > 100
    assert torch.equal(found.view(kind), wanted.view(kind))
    assert composes(spiking.theorem)


def test_another_order_gives_other_results():
    layer = torch.nn.Linear(64, 128, bias=False)
    way = Dot(reversed_sequence(64), ("fp32", "fp32"), "fp32")
    spiking, x = from_torch(layer, like=way), drawn(1, 16, 64)
    share = (spiking(x) != computed(layer, x)).float().mean()
    assert 0.5 < share < 1


def composes(theorem) -> bool:
    """Whether the theorem follows from those about its units; they are not proved here."""
    claim = theorem.state(None)
    paired(claim.spec, claim.circuit, claim.operations)
    return list(claim.units) == list(theorem.rests_on())


def test_the_theorem_has_the_orders_name():
    layer = torch.nn.Linear(24, 2)
    order = with_bias(in_blocks(24, 8), "block")
    way = Dot(order, ("fp32", "fp32"), "fp32", fused_products(order, 24), True, True)
    theorem = from_torch(layer, like=way).theorem
    assert theorem.name == "program.fp32.linear.rne.2x24.blocks8.fused.from_zero.bias_block"
    assert described(theorem.name).statement == theorem.statement
    assert composes(theorem)


def test_a_bias_is_added_to_the_first_block():
    assert with_bias(in_blocks(4, 2), "block") == Order(5, ((0, 1), (5, 4), (2, 3), (6, 7)))
    with pytest.raises(ValueError, match="no first block"):
        with_bias(in_lanes(4, 2), "block")


def test_orders_without_a_name_have_a_theorem_too():
    layer = torch.nn.Linear(200, 2, bias=False)
    theorem = from_torch(layer, like=Dot(scrambled(200), ("fp32", "fp32"), "fp32")).theorem
    assert theorem.name.startswith("program.fp32.linear.rne.2x200.given_")
    assert composes(theorem)
    small = from_torch(torch.nn.Linear(4, 2, bias=False), like=Dot(scrambled(4), ("fp32",) * 2, "fp32"))
    assert small.theorem.name == "program.fp32.linear.rne.2x4.tree_0-1_4-3_5-2"
    assert described(small.theorem.name).statement == small.theorem.statement


def scrambled(terms: int) -> Order:
    """No order that has a word."""

    def build(places, add):
        return in_sequence([add(*places[:2]), *places[:1:-1]], add)

    return grown(terms, build)


def test_sums_in_a_wider_format_are_rounded_once_more():
    layer = torch.nn.Linear(3, 2)
    way = Dot(with_bias(sequential(3), "last"), ("fp32", "fp32"), "fp64", bias=True)
    x = drawn(50, 3)
    products = x[:, None].double() * layer.weight.double()
    wanted = (products[..., 0] + products[..., 1] + products[..., 2] + layer.bias.double()).float()
    assert torch.equal(from_torch(layer, like=way)(x), wanted)


def test_size():
    way = Dot(sequential(3), ("fp32", "fp32"), "fp32")
    found = from_torch(torch.nn.Linear(3, 5, bias=False), like=way).size
    add, multiply = (unit_named(f"fp32.{name}.rne").netlist.statistics for name in ("add", "multiply"))
    assert found.neurons == 15 * multiply.neurons + 10 * add.neurons
    assert found.depth == multiply.depth + 2 * add.depth


def test_weights_are_those_that_the_layer_had():
    layer = torch.nn.Linear(2, 1, bias=False)
    spiking, x = from_torch(layer, like=Dot(sequential(2), ("fp32", "fp32"), "fp32")), torch.ones(2)
    before = spiking(x)
    with torch.no_grad():
        layer.weight.zero_()
    assert spiking(x).item() == before.item() != 0


def test_nan_infinity_and_single_rows():
    layer = torch.nn.Linear(2, 1, bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[1.0, -1.0]]))
    spiking = from_torch(layer, like=Dot(sequential(2), ("fp32", "fp32"), "fp32"))
    x = torch.tensor([[torch.inf, 1.0], [torch.inf, torch.inf], [3.0, 1.0]])
    assert spiking(x).view(torch.int32).flatten().tolist() == [0x7F800000, 0x7FC00000, 0x40000000]
    assert spiking(x[2]).tolist() == [2.0]


PLAIN = Accumulation(sequential(4), FP32)


@pytest.mark.parametrize(
    ("layer", "like", "message"),
    [
        (torch.nn.Linear(5, 2, bias=False), PLAIN, "of 4 terms; the layer has 5 products"),
        (torch.nn.Linear(4, 2), PLAIN, "of 4 terms; the layer has 4 products and a bias"),
        (torch.nn.Linear(4, 2, bias=False), replace(PLAIN, flushes=True), "subnormals count as zeros"),
        (torch.nn.Linear(4, 2, bias=False), replace(PLAIN, wide=frozenset({4})), "kept in fp64"),
        (
            torch.nn.Linear(4, 2, bias=False),
            replace(PLAIN, scaling=Scaling.DIVIDED),
            "the sum is divided by the number of terms",
        ),
        (
            torch.nn.Linear(4, 2, bias=False),
            replace(PLAIN, accumulator=FP16),
            "no units for this order: sums of fp32 in fp16",
        ),
        (torch.nn.Linear(4, 2, dtype=torch.complex64), PLAIN, "the layer is of torch.complex64"),
        (
            torch.nn.Linear(4, 2, bias=False),
            Dot(sequential(4), ("fp16", "fp16"), "fp32"),
            "4 products of fp16 and fp16; the layer has 4 products of fp32",
        ),
    ],
)
def test_orders_that_are_not_the_layers_are_refused(layer, like, message):
    with pytest.raises(StatementError, match=message):
        from_torch(layer, like=like)


def test_orders_that_did_not_hold_are_refused():
    order = revealed(2, 4, 2, bias=False)
    wrong = replace(order, finding=replace(order.finding, differing=Counter({"ties": 1})))
    with pytest.raises(StatementError, match="did not hold when it was tested"):
        from_torch(torch.nn.Linear(4, 2, bias=False), like=wrong)


def test_orders_of_sums_of_no_products_are_refused():
    order = revealed_order(torch.sum, (4,), results=100)
    with pytest.raises(StatementError, match="the order is of sum, which sums no products"):
        from_torch(torch.nn.Linear(4, 2, bias=False), like=order)


def test_inputs_that_are_not_the_layers_are_refused():
    spiking = from_torch(torch.nn.Linear(4, 2, bias=False), like=PLAIN)
    with pytest.raises(StatementError, match=r"takes 4 inputs of fp32; given are torch.float64"):
        spiking(torch.zeros(3, 4, dtype=torch.float64))
    with pytest.raises(StatementError, match=r"of shape \(3, 5\)"):
        spiking(torch.zeros(3, 5))
