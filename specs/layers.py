"""What layers compute: programs of operations, written as definitions.

A sum of products is defined by recursion over the tree of an order: its terms are products, and where a
product is fused it is not rounded before it is added to something else.
"""

from __future__ import annotations

from spikeproof.specs.products import Dot
from spikeproof.specs.programs import Arithmetic, Array, Module, Value, apply, call, module


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

    return module(f"dot_{way.products}", way.inputs, definition)


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

    return module(f"linear_{way.products}_{outputs}", inputs, definition)


def of_format(layer: Module, kind: str) -> Module:
    """A layer whose bias and results are of a narrower format than its sums, which are rounded to it."""
    (total,) = layer.results.values()
    inputs = {
        name: Array(kind, array.shape) if name == "bias" else array
        for name, array in layer.inputs.items()
    }

    def definition(x: Value, weights: Value, *bias: Value) -> Value:
        widened = [apply(f"{total.kind}.convert_from_{kind}.rne", total.kind, each) for each in bias]
        sums: Value = call(layer, x, weights, *widened)
        return apply(f"{kind}.convert_from_{total.kind}.rne", kind, sums)

    return module(f"{layer.name} of {kind}", inputs, definition)
