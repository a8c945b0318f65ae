"""Linear layers as they are built: all additions of one level of the tree at once.

Each product, and each sum, is used once. So a level takes what it needs from where that was made, in the
order of the level's additions, and keeps nothing else.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from spikeproof.circuits.programs.levels import taken
from spikeproof.specs.products import Dot
from spikeproof.specs.programs import Arithmetic, Array, Module, Value, apply, call, concatenate, module


def dot(way: Dot, arithmetic: Arithmetic) -> Module:
    """The sum of products, and a bias if there is one."""

    def build(x: Value, y: Value, *bias: Value) -> Value:
        made = _Made()
        rounded = [term for term in range(way.products) if term not in way.fused]
        if rounded:
            made.keep(rounded, _products(way, arithmetic, taken(x, rounded), taken(y, rounded)))
        if bias:
            made.keep([way.products], bias[0].reshape(1))
        for level in _levels(way):
            plain = [each for each in level if way.fused.isdisjoint(each[1:])]
            if plain:
                sums, left, right = zip(*plain, strict=True)
                made.keep(sums, arithmetic.add(made.gather(left), made.gather(right)))
            fused = [each for each in level if not way.fused.isdisjoint(each[1:])]
            if fused:
                terms = [left if left in way.fused else right for _, left, right in fused]
                others = [right if left in way.fused else left for _, left, right in fused]
                factors = taken(x, terms), taken(y, terms)
                total = arithmetic.fused_multiply_add(*factors, made.gather(others))
                made.keep([place for place, *_ in fused], total)
        return made.gather([len(way.order.additions) + way.order.terms - 1]).reshape()

    return module(f"dot_{way.products}", way.inputs, build)


def _products(way: Dot, arithmetic: Arithmetic, x: Value, y: Value) -> Value:
    """Products that are not fused, in a row."""
    if not way.from_zero:
        return arithmetic.multiply(x, y)
    zero = x.draft.constant(way.kind, 0)
    if way.fused:
        return arithmetic.fused_multiply_add(x, y, zero)
    return arithmetic.add(arithmetic.multiply(x, y), zero)


def _levels(way: Dot) -> list[list[tuple[int, int, int]]]:
    """The additions of each level, as the place that each makes and the two that it adds."""
    depths = [0] * way.order.terms
    levels: list[list[tuple[int, int, int]]] = []
    for place, (left, right) in enumerate(way.order.additions, way.order.terms):
        depths.append(max(depths[left], depths[right]) + 1)
        if depths[-1] > len(levels):
            levels.append([])
        levels[depths[-1] - 1].append((place, left, right))
    return levels


class _Made:
    """What was made of terms so far: each place of the order is an element of some array."""

    def __init__(self) -> None:
        self._arrays: list[Value] = []
        self._where: dict[int, tuple[int, int]] = {}

    def keep(self, places: Sequence[int], array: Value) -> None:
        """What an array holds."""
        self._where.update((place, (len(self._arrays), k)) for k, place in enumerate(places))
        self._arrays.append(array)

    def gather(self, places: Sequence[int]) -> Value:
        """What these places are, in a row."""
        found: dict[int, list[int]] = defaultdict(list)
        for rank, place in enumerate(places):
            found[self._where[place][0]].append(rank)
        parts = [
            taken(self._arrays[array], [self._where[places[rank]][1] for rank in ranks])
            for array, ranks in found.items()
        ]
        if len(parts) == 1:
            return parts[0]
        ranks = [rank for each in found.values() for rank in each]
        return taken(concatenate(parts), sorted(range(len(ranks)), key=ranks.__getitem__))


def linear(way: Dot, outputs: int, arithmetic: Arithmetic) -> Module:
    """A sum of products for each output, of the same inputs, and a bias each if there are some."""
    (x, y), unit = way.factors, dot(way, arithmetic)
    inputs = {"x": Array(x, (way.products,)), "weights": Array(y, (outputs, way.products))}

    def build(x: Value, weights: Value, *bias: Value) -> Value:
        made: Value = call(unit, x.broadcast(*weights.shape), weights, *bias, over=(outputs,))
        return made

    bias = {"bias": Array(way.kind, (outputs,))} if way.bias else {}
    return module(f"linear_{way.products}_{outputs}", {**inputs, **bias}, build)


def of_format(layer: Module, kind: str) -> Module:
    """A layer with units beside it that widen its bias, and narrow its results."""
    (wide,) = (array.kind for array in layer.results.values())

    def build(x: Value, weights: Value, *bias: Value) -> Value:
        if bias:
            bias = (apply(f"{wide}.convert_from_{kind}.rne", wide, *bias),)
        return apply(f"{kind}.convert_from_{wide}.rne", kind, call(layer, x, weights, *bias))

    inputs = dict(layer.inputs)
    if "bias" in inputs:
        inputs["bias"] = Array(kind, inputs["bias"].shape)
    return module(f"{layer.name} of {kind}", inputs, build)
