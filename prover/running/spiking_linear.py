"""A linear layer of a library, in neurons: the same operations in the order that was revealed of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from spikeproof.circuits.programs import linear as built
from spikeproof.circuits.programs.counting import Size
from spikeproof.circuits.programs.running import Neurons, code_type
from spikeproof.prover.claims.obligation import Obligation, StatementError
from spikeproof.prover.running.programs import size_of, units_of
from spikeproof.specs.formats import FP32, FP64, Format
from spikeproof.specs.orders import Order
from spikeproof.specs.products import Dot
from spikeproof.specs.programs import Arithmetic, Codes, Module, evaluate

if TYPE_CHECKING:
    import torch

FORMATS = {"torch.float32": FP32, "torch.float64": FP64}
"""Of layers whose sums are kept in the format of their weights, by their types in PyTorch."""


class Accumulated(Protocol):
    """What is revealed of a function that sums: see ``prover.running.accumulations``."""

    order: Order
    accumulator: Format
    fused: frozenset[int]
    from_zero: bool
    wide: frozenset[int]
    flushes: bool


def way_of(layer: torch.nn.Linear, like: Accumulated | Dot) -> Dot:
    """How a layer's sums are to be taken, if neurons are to do as was revealed.

    Raises:
        StatementError: if there are no units for that, or the order is not of such sums; one line.
    """
    terms, bias = layer.in_features, layer.bias is not None
    fmt = FORMATS.get(str(layer.weight.dtype))
    if fmt is None:
        raise StatementError(f"the layer is of {layer.weight.dtype}; it must be of {', '.join(FORMATS)}")
    if not isinstance(like, Dot):
        if like.flushes or like.wide:
            what = "sums are kept in fp64" if like.wide else "subnormals count as zeros"
            raise StatementError(f"there are no units for this order: {what}")
        kind = like.accumulator.name
        if like.order.terms != terms + bias:
            raise StatementError(
                f"the order is of {like.order.terms} terms; the layer sums {terms} products"
                f"{' and a bias' if bias else ''}"
            )
        like = Dot(like.order, (fmt.name, fmt.name), kind, like.fused, bias, like.from_zero)
    if (like.products, like.bias, {*like.factors, like.kind}) != (terms, bias, {fmt.name}):
        raise StatementError(
            f"the order is of {like.products} products of {' and '.join(like.factors)} in {like.kind}"
            f"{', and a bias' if like.bias else ''}; the layer has {terms} of {fmt.name}"
            f"{', and a bias' if bias else ''}"
        )
    return like


@dataclass(frozen=True)
class SpikingLinear:
    """A linear layer in neurons: called with a tensor, it gives one, as ``torch.nn.Linear`` does.

    Every NaN is the canonical one; all else is what the order gives, bit by bit.

    Attributes:
        way: how its sums are taken.
        weights, bias: as codes.
        theorem: that its neurons compute sums taken that way, for all inputs, weights and biases.
    """

    way: Dot
    weights: Codes
    bias: Codes | None
    theorem: Obligation

    @cached_property
    def program(self) -> Module:
        """What its neurons are, unit by unit."""
        return program_of(self.way, len(self.weights))

    @cached_property
    def size(self) -> Size:
        """How many neurons it has, and how deep it is."""
        return size_of(self.program)

    @cached_property
    def _neurons(self) -> Neurons:
        return Neurons(self.program, units_of(self.program))

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """The layer's results for rows of inputs, along the last axis.

        Raises:
            StatementError: if they are of another type or number than the layer's.
        """
        import torch

        given = x.detach().numpy()
        codes = code_type(self.way.kind)
        if FORMATS.get(str(x.dtype), FP32).name != self.way.kind or x.shape[-1] != self.way.products:
            raise StatementError(
                f"the layer takes {self.way.products} inputs of {self.way.kind}; given are {x.dtype} of "
                f"shape {tuple(x.shape)}"
            )
        rows = np.ascontiguousarray(given).view(codes).reshape(-1, self.way.products)
        over = rows.shape[:1]
        shared = [self.weights] if self.bias is None else [self.weights, self.bias]
        arrays = [rows, *(np.broadcast_to(each, over + each.shape) for each in shared)]
        (found,) = evaluate(self.program, arrays, self._neurons, over)
        return torch.from_numpy(found.reshape(*x.shape[:-1], -1).view(given.dtype))


def program_of(way: Dot, outputs: int) -> Module:
    """The layer's program, of units."""
    return built.linear(way, outputs, Arithmetic(way.kind, "rne"))


def codes_of(parameter: Any) -> Codes:
    """The codes of a tensor."""
    numbers = parameter.detach().numpy()
    return np.ascontiguousarray(numbers).view(np.dtype(f"u{numbers.itemsize}"))
