"""What layers compute: programs of operations, written as definitions.

A sum of products is defined by recursion over the tree of an order: its terms are products, and where a
product is fused it is not rounded before it is added to something else.
"""

from __future__ import annotations

from spikeproof.specs.products import Dot
from spikeproof.specs.programs import Arithmetic, Array, Module, Value, call, module


def dot(way: Dot, arithmetic: Arithmetic) -> Module:
    """The sum of products, and a bias if there is one; its result is single."""

    def add(x: Value | tuple[Value, Value], y: Value | tuple[Value, Value]) -> Value:
        if isinstance(x, tuple):
            x, y = y, x
        assert isinstance(x, Value)
        return arithmetic.fused_multiply_add(*y, x) if isinstance(y, tuple) else arithmetic.add(x, y)

    def begun(x: Value, y: Value) -> Value:
        if not way.from_zero:
            return arithmetic.multiply(x, y)
        zero = x.draft.constant(way.kind, 0)
        if way.fused:
            return arithmetic.fused_multiply_add(x, y, zero)
        return arithmetic.add(arithmetic.multiply(x, y), zero)

    def definition(x: Value, y: Value, *bias: Value) -> Value:
        pairs = enumerate(zip(x, y, strict=True))
        terms = [pair if term in way.fused else begun(*pair) for term, pair in pairs]
        total = way.order.evaluate([*terms, *bias], add)
        assert isinstance(total, Value)
        return total

    return module("dot", way.inputs, definition)


def linear(way: Dot, outputs: int, arithmetic: Arithmetic) -> Module:
    """A sum of products for each output, of x and a row of weights; and of a bias, if there are some."""
    x, y = way.factors
    inputs = {"x": Array(x, (way.products,)), "weights": Array(y, (outputs, way.products))}
    if way.bias:
        inputs["bias"] = Array(way.kind, (outputs,))
    each = dot(way, arithmetic)

    def definition(x: Value, weights: Value, *bias: Value) -> Value:
        made: Value = call(each, x.broadcast(outputs, way.products), weights, *bias, over=(outputs,))
        return made

    return module("linear", inputs, definition)
