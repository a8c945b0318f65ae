"""Programs of units in levels: the same graph, shown by the kernel; and what it refuses."""

from dataclasses import replace

import numpy as np
import pytest

from spikeproof.circuits.programs.levels import in_levels
from spikeproof.prover.kernel.congruence import CongruenceError, paired
from spikeproof.prover.running.programs import run
from spikeproof.specs.orders import in_blocks, in_lanes, pairwise, reversed_sequence, sequential
from spikeproof.specs.programs import Arithmetic, Array, Each, Module, call, concatenate, module, stack
from spikeproof.specs.transformers import (
    Decoder,
    argmax,
    attention,
    block,
    embedding,
    rms_norm,
    sample,
    softmax,
    step,
)

ORDERS = {
    "sequential": sequential,
    "reversed": reversed_sequence,
    "pairwise": pairwise,
    "lanes": lambda terms: in_lanes(terms, 4),
    "blocks": lambda terms: in_blocks(terms, 3),
}
SMALL = Decoder(hidden=8, intermediate=12, layers=2, heads=2, key_heads=1, head=4, vocabulary=5)


def unit_of(operation):
    return f"{operation}.shallow"


def shown(spec: Module, circuit: Module) -> dict[str, str]:
    names = {name for each in (*spec.modules, spec) for name in each.operations}
    return paired(spec, circuit, {unit_of(name): name for name in names})


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
@pytest.mark.parametrize("terms", [1, 2, 9, 64])
def test_sums_in_any_order(order, terms):
    spec = replace(SMALL, order=order).dot(terms)
    circuit = in_levels(spec, unit_of)
    assert list(shown(spec, circuit)) == [circuit.digest]
    batches = [each for each in circuit.steps if isinstance(each, Each)]
    assert len(batches) == 1 + order(terms).depth


LAYERS = {
    "softmax": softmax(SMALL, 7),
    "norm": rms_norm(SMALL, 8),
    "attention": attention(SMALL, 3),
    "block": block(SMALL, 3),
    "embedding": embedding(SMALL),
    "argmax": argmax(SMALL, 5),
    "sample": sample(SMALL, 5),
    "step": step(SMALL, 2),
    "first step": step(SMALL, 1),
}


@pytest.mark.parametrize("spec", LAYERS.values(), ids=LAYERS)
def test_layers(spec):
    circuit = in_levels(spec, unit_of)
    assert shown(spec, circuit)[circuit.digest] == spec.digest


OTHERS = {
    "another order": replace(SMALL, order=sequential),
    "another epsilon": replace(SMALL, epsilon=1e-6),
    "another mode": replace(SMALL, arithmetic=Arithmetic("fp32", "rtz")),
    "fused": replace(SMALL, fused=True),
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_a_decoder_that_differs_is_told(other):
    wrong = in_levels(step(other, 2), unit_of)
    names = {name for each in (*step(other, 2).modules, step(SMALL, 2)) for name in each.operations}
    known = {unit_of(name): name for name in names}
    with pytest.raises(CongruenceError):
        paired(
            step(SMALL, 2), wrong, known | {unit_of(name): name for name in LAYERS["block"].operations}
        )


def test_a_mask_off_by_one_is_told():
    """A query that sees a key less than it should."""

    def definition(query, key, value):
        return call(attention(SMALL, 2), query, key[:2], value[:2])

    seen = attention(SMALL, 3)
    wrong = in_levels(module(seen.name, seen.inputs, definition), unit_of)
    with pytest.raises(CongruenceError, match="attention"):
        shown(seen, wrong)


def test_operations_of_one_kind_that_can_work_at_once_are_one_array():
    f = Arithmetic("fp8_e5m2")

    def definition(x, y):
        one, two = f.add(x[0], y), f.add(x[1], y)
        return stack([f.multiply(one, two), f.add(y, one), f.add(two, x[2])])

    spec = module("mixed", {"x": Array("fp8_e5m2", (3,)), "y": Array("fp8_e5m2")}, definition)
    circuit = in_levels(spec, lambda name: name)
    assert [each.operation for each in circuit.steps if isinstance(each, Each)] == [
        "fp8_e5m2.add.rne",
        "fp8_e5m2.multiply.rne",
        "fp8_e5m2.add.rne",
    ]
    rng = np.random.default_rng(0)
    given = {"x": rng.integers(0, 256, 3, np.uint8), "y": rng.integers(0, 256, (), np.uint8)}
    results = [
        run(program, given, by=by)["result"] for program, by in ((spec, "record"), (circuit, "neurons"))
    ]
    assert np.array_equal(*results)


def test_inputs_that_pass_through():
    spec = module(
        "same", {"x": Array("bit", (2,))}, lambda x: {"all": x, "last": concatenate([x[1:], x[:1]])}
    )
    circuit = in_levels(spec, unit_of)
    assert shown(spec, circuit)[circuit.digest] == spec.digest


def test_elements_are_gathered_in_any_order_and_more_than_once():
    f = Arithmetic("fp32")

    def definition(x, y):
        x, y = list(x), list(y)  # each split once: its places are told apart by number
        pairs = [(x[2], y[0]), (x[0], x[2]), (y[1], x[0]), (x[2], y[1])]
        return stack([f.add(*pair) for pair in pairs])

    spec = module("mixed", dict.fromkeys("xy", Array("fp32", (3,))), definition)
    circuit = in_levels(spec, unit_of)
    assert shown(spec, circuit)[circuit.digest] == spec.digest
    assert sum(isinstance(each, Each) for each in circuit.steps) == 1
