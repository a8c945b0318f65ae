"""Programs that are one graph, and programs that are not: planted faults, and random programs run."""

import random
from itertools import product
from zlib import crc32

import numpy as np
import pytest

from spikeproof.circuits.programs import linear as circuits
from spikeproof.prover.kernel import congruence
from spikeproof.prover.kernel.congruence import CongruenceError, paired
from spikeproof.specs import layers
from spikeproof.specs.orders import in_blocks, in_lanes, pairwise, reversed_sequence, sequential
from spikeproof.specs.products import Dot, fused_products
from spikeproof.specs.programs import (
    Arithmetic,
    Array,
    Meaning,
    apply,
    call,
    call_all,
    concatenate,
    evaluate,
    module,
    stack,
)
from tests.support.profile import NIGHTLY

SPEC, CIRCUIT = Arithmetic("fp32"), Arithmetic("fp32", "rne.fast")
OPERATIONS = {
    f"fp32.{name}.{mode}.fast": f"fp32.{name}.{mode}"
    for name, mode in product(("add", "subtract", "multiply", "fma"), ("rne", "rtz"))
}
VECTOR = Array("fp32", (4,))
ORDERS = {
    "sequential": sequential,
    "reversed": reversed_sequence,
    "pairwise": pairwise,
    "lanes": lambda terms: in_lanes(terms, 2),
    "blocks": lambda terms: in_blocks(terms, 3),
}


def way(order, *, fused=False, bias=False, from_zero=False):
    terms = fused_products(order, order.terms - bias) if fused else frozenset()
    return Dot(order, ("fp32", "fp32"), "fp32", terms, bias, from_zero)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("terms", [2, 3, 7, 16])
def test_layers_are_built_as_they_are_defined(order, terms):
    for fused, bias, from_zero in product((False, True), repeat=3):
        how = way(ORDERS[order](terms), fused=fused, bias=bias, from_zero=from_zero)
        pairs = paired(layers.linear(how, 3, SPEC), circuits.linear(how, 3, CIRCUIT), OPERATIONS)
        assert len(pairs) == 2


def test_a_layer_too_large_for_its_elements_is_compared_as_arrays():
    how = way(pairwise(64))
    assert (
        len(
            paired(layers.linear(how, 1 << 20, SPEC), circuits.linear(how, 1 << 20, CIRCUIT), OPERATIONS)
        )
        == 2
    )


def refused(spec, circuit, *words, operations=OPERATIONS):
    with pytest.raises(CongruenceError) as error:
        paired(spec, circuit, operations)
    assert all(word in str(error.value) for word in words), str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("order", "changes"),
    [
        (pairwise(8), {}),
        (in_lanes(8, 4), {}),
        (sequential(8), {"fused": True}),
        (sequential(8), {"from_zero": True}),
    ],
)
def test_another_way_is_another_sum(order, changes):
    spec = layers.linear(way(sequential(8)), 3, SPEC)
    refused(spec, circuits.linear(way(order, **changes), 3, CIRCUIT), "computes result[0] otherwise")


def test_a_bias_elsewhere_is_another_sum():
    first, last = (way(order, bias=True) for order in (sequential(5), reversed_sequence(5)))
    refused(layers.linear(first, 2, SPEC), circuits.linear(last, 2, CIRCUIT), "dot")


def test_another_mode_is_another_sum():
    how = way(pairwise(4))
    wrong = circuits.linear(how, 2, Arithmetic("fp32", "rtz.fast"))
    refused(layers.linear(how, 2, SPEC), wrong, "dot")


def test_a_unit_without_a_theorem_is_named():
    how = way(pairwise(4))
    wrong = circuits.linear(how, 2, Arithmetic("fp32", "rne.slow"))
    refused(layers.linear(how, 2, SPEC), wrong, "no theorem says what fp32.", ".rne.slow computes")


def of_vectors(definition, name="top", **inputs):
    return module(name, {"x": VECTOR, "y": VECTOR, **inputs}, definition)


def plain(x, y):
    return SPEC.subtract(x, y)


FAULTS = {
    "operands swapped": lambda x, y: CIRCUIT.subtract(y, x),
    "an operand twice": lambda x, y: CIRCUIT.subtract(x, x),
    "another operation": lambda x, y: CIRCUIT.add(x, y),
    "another mode": lambda x, y: Arithmetic("fp32", "rtz.fast").subtract(x, y),
    "another kind": lambda x, y: apply("fp32.subtract.rne.fast", "fp16", x, y),
    "another place": lambda x, y: CIRCUIT.subtract(x, y.take([1, 0, 2, 3])),
    "a place twice": lambda x, y: CIRCUIT.subtract(x, y.take([0, 0, 2, 3])),
    "backwards": lambda x, y: CIRCUIT.subtract(x, y).take([3, 2, 1, 0]),
    "a constant": lambda x, y: CIRCUIT.subtract(x, y.draft.constant("fp32", [0, 1, 2, 3])),
    "an operand too many": lambda x, y: apply("fp32.subtract.rne.fast", "fp32", x, y, y),
    "an input alone": lambda x, y: x,
    "another name": lambda x, y: {"results": CIRCUIT.subtract(x, y)},
    "one output more": lambda x, y: {"result": CIRCUIT.subtract(x, y), "other": x},
    "another shape": lambda x, y: CIRCUIT.subtract(x, y).reshape(2, 2),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults(fault):
    spec = of_vectors(plain)
    refused(spec, of_vectors(FAULTS[fault]), "top")
    assert paired(spec, of_vectors(lambda x, y: CIRCUIT.subtract(x, y)), OPERATIONS)


def test_elements_may_come_by_another_way():
    def built(x, y):
        parts = [CIRCUIT.subtract(a, b) for a, b in zip(x, y, strict=True)]
        return stack(parts).reshape(2, 2).transpose(1, 0).transpose(1, 0).reshape(4)

    assert paired(of_vectors(plain), of_vectors(built), OPERATIONS)


def test_outputs_are_in_order():
    spec = of_vectors(lambda x, y: {"a": x, "b": y})
    assert paired(spec, of_vectors(lambda x, y: {"a": x, "b": y}), {})
    refused(spec, of_vectors(lambda x, y: {"a": y, "b": x}), "a[0]")
    refused(spec, of_vectors(lambda x, y: {"b": y, "a": x}), "other outputs")


def test_inputs_are_in_order():
    other = module("top", {"y": VECTOR, "x": VECTOR}, lambda y, x: CIRCUIT.subtract(x, y))
    refused(of_vectors(plain), other, "other inputs")
    wider = module("top", {"x": VECTOR, "y": Array("fp16", (4,))}, lambda x, y: x)
    refused(of_vectors(lambda x, y: x), wider, "other inputs")


def test_constants_are_no_inputs_and_no_other_constants():
    def constant(codes):
        return of_vectors(lambda x, y: x.draft.constant("fp32", codes))

    assert paired(constant([0, 1, 2, 3]), constant([0, 1, 2, 3]), {})
    refused(constant([0, 1, 2, 3]), constant([0, 1, 2, 4]), "result[3]")
    refused(constant([0, 1, 2, 3]), of_vectors(lambda x, y: x), "result[0]")


# --- modules ------------------------------------------------------------------------------------

ROW = {"x": VECTOR, "y": VECTOR}


def inner(arithmetic, name="inner", swapped=False, taken=False):
    def definition(x, y):
        total = arithmetic.subtract(y, x) if swapped else arithmetic.subtract(x, y)
        return {"both": total, "first": y if taken else x}

    return module(name, ROW, definition)


def outer(inside, choose, over=3, name="top"):
    rows = Array("fp32", (over, 4))
    return module(name, {"x": rows, "y": rows}, lambda x, y: choose(inside, x, y, over))


def called(inside, x, y, over):
    both, first = call_all(inside, x, y, over=(over,))
    return {"both": both, "first": first}


OUTER_FAULTS = {
    "operands swapped": lambda inside, x, y, n: called(inside, y, x, n),
    "results swapped": lambda inside, x, y, n: dict(
        zip(("both", "first"), reversed(list(called(inside, x, y, n).values())), strict=True)
    ),
    "a row moved": lambda inside, x, y, n: called(inside, x, y.take([1, 2, 0]), n),
    "an element moved": lambda inside, x, y, n: called(
        inside, x, y.transpose(1, 0).take([1, 0, 2, 3]).transpose(1, 0), n
    ),
    "rows as columns": lambda inside, x, y, n: called(inside, x, y.transpose(1, 0).reshape(3, 4), n),
}


@pytest.mark.parametrize("fault", OUTER_FAULTS)
def test_calls_of_modules(fault):
    spec = outer(inner(SPEC), called)
    assert len(paired(spec, outer(inner(CIRCUIT), called), OPERATIONS)) == 2
    refused(spec, outer(inner(CIRCUIT), OUTER_FAULTS[fault]), "top computes")


@pytest.mark.parametrize("fault", [{"swapped": True}, {"taken": True}])
def test_a_fault_in_a_module_is_found_there(fault):
    refused(outer(inner(SPEC), called), outer(inner(CIRCUIT, **fault), called), "inner computes")


def test_modules_of_other_names_are_looked_into():
    spec = outer(inner(SPEC), called)
    assert len(paired(spec, outer(inner(CIRCUIT, "unlike"), called), OPERATIONS)) == 1
    refused(spec, outer(inner(CIRCUIT, "unlike", swapped=True), called), "top computes both[0]")
    one_by_one = outer(inner(CIRCUIT, "unlike"), by_rows)
    assert len(paired(spec, one_by_one, OPERATIONS)) == 1


def by_rows(inside, x, y, over):
    made = [call_all(inside, *row) for row in zip(x, y, strict=True)]
    return dict(zip(("both", "first"), (stack(each) for each in zip(*made, strict=True)), strict=True))


def test_a_module_may_be_called_for_each_place_by_itself():
    spec = outer(inner(SPEC), called)
    assert len(paired(spec, outer(inner(CIRCUIT), by_rows), OPERATIONS)) == 2
    refused(spec, outer(inner(CIRCUIT), lambda i, x, y, n: by_rows(i, y, x, n)), "top computes")


def test_a_module_without_arithmetic_counts_too():
    def halves(name, *order):
        return module(name, {"x": VECTOR}, lambda x: concatenate([(x[:2], x[2:])[k] for k in order]))

    def top(inside):
        return module("top", {"x": VECTOR}, lambda x: call(inside, x))

    assert paired(top(halves("swap", 1, 0)), top(halves("swap", 1, 0)), {})
    refused(top(halves("swap", 1, 0)), top(halves("swap", 0, 1)), "swap computes result[0]")
    refused(top(halves("swap", 1, 0)), top(halves("other", 0, 1)), "top computes result[0]")


def test_two_modules_of_one_name_are_refused():
    def twice(arithmetic):
        def definition(x, y):
            both, _ = call_all(inner(arithmetic), x, y)
            return call_all(inner(arithmetic, swapped=True), both, y)[0]

        return of_vectors(definition)

    refused(twice(SPEC), twice(CIRCUIT), "two modules of top have one name")


def test_what_is_too_large_is_refused(monkeypatch):
    monkeypatch.setattr(congruence, "MOST_ELEMENTS", 30)
    spec = outer(inner(SPEC), called)
    refused(spec, outer(inner(CIRCUIT), by_rows), "more than the 30")
    refused(
        outer(inner(SPEC), called, 2), outer(inner(CIRCUIT, "unlike", swapped=True), called, 2), "more"
    )


# --- random programs ----------------------------------------------------------------------------


class Run(Meaning):
    """Operations as some function of their name and operands; units as the operation they are."""

    def __init__(self, operations):
        self.operations = operations

    def each(self, step, operands):
        total = np.full(operands[0].shape, crc32(self.operations[step.operation].encode()), np.int64)
        for operand in operands:
            total = total * 1000003 + operand.astype(np.int64)
        return total ^ total >> 17


def drawn(draw, arithmetic, inside):
    """A small program: steps drawn one after another."""

    def definition(x, y):
        values = [x, y]
        for _ in range(draw.randint(1, 4)):
            one, other = draw.choice(values), draw.choice(values)
            values.append(
                draw.choice(
                    [
                        lambda one, other: arithmetic.add(one, other),
                        lambda one, other: arithmetic.subtract(one, other),
                        lambda one, other: one.take(draw.choice([[1, 0], [0, 0], [0, 1]])),
                        lambda one, other: stack([one[0], other[1]]),
                        lambda one, other: call(inside, one, other),
                        lambda one, other: one.draft.constant("fp32", [draw.randint(0, 1), 1]),
                    ]
                )(one, other)
            )
        return values[-1]

    pair = Array("fp32", (2,))
    return module("top", {"x": pair, "y": pair}, definition)


def test_random_programs_that_are_one_graph_are_equal():
    draw = random.Random(20261122)
    pair = Array("fp32", (2,))
    insides = [
        module("inner", {"x": pair, "y": pair}, lambda x, y, a=a: a.subtract(x, y.take([1, 0])))
        for a in (SPEC, CIRCUIT)
    ]
    own = {name: name for name in OPERATIONS.values()}
    inputs = [np.array([11, 12]), np.array([13, 14])]
    equal = 0
    for _ in range(4000 if NIGHTLY else 1000):
        spec, circuit = drawn(draw, SPEC, insides[0]), drawn(draw, CIRCUIT, insides[1])
        results = [
            evaluate(each, inputs, Run(known))[0].tolist()
            for each, known in ((spec, own), (circuit, OPERATIONS))
        ]
        try:
            paired(spec, circuit, OPERATIONS)
        except CongruenceError:
            # The functions are free enough that only what is one graph gives equal results.
            assert results[0] != results[1]
        else:
            assert results[0] == results[1]
            equal += 1
    assert equal > 25
