"""A linear layer of a library, in neurons: the same operations in the order that was revealed of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from spikeproof.circuits.programs.counting import Size
from spikeproof.circuits.programs.running import Neurons
from spikeproof.prover.claims.obligation import Obligation, StatementError
from spikeproof.prover.running.accumulations import Accumulation, Scaling
from spikeproof.prover.running.programs import circuit_of, size_of, units_of
from spikeproof.prover.running.revealed import RevealedOrder
from spikeproof.specs.formats import BFLOAT16, FP16, FP32, FP64, Format, format_named
from spikeproof.specs.products import Dot
from spikeproof.specs.programs import Codes, Module, evaluate

if TYPE_CHECKING:
    import torch

FORMATS = {
    "torch.float16": FP16,
    "torch.bfloat16": BFLOAT16,
    "torch.float32": FP32,
    "torch.float64": FP64,
}
"""Of layers, by their types in PyTorch."""

Like = RevealedOrder | Accumulation | Dot
"""How sums are to be taken."""


def way_of(layer: torch.nn.Linear, like: Like) -> Dot:
    """How a layer's sums are to be taken, if neurons are to do as was revealed.

    Raises:
        StatementError: if there are no units for that, or the order is not of such sums; one line.
    """
    terms, bias = layer.in_features, layer.bias is not None
    fmt = FORMATS.get(str(layer.weight.dtype))
    if fmt is None:
        raise StatementError(f"the layer is of {layer.weight.dtype}; it must be of {', '.join(FORMATS)}")
    way = like if isinstance(like, Dot) else _revealed(like, fmt, terms, bias)
    if (way.products, way.bias, way.factors) != (terms, bias, (fmt.name, fmt.name)):
        raise StatementError(
            f"the order is of {_counted(way.products, way.bias)} of {' and '.join(way.factors)}; the "
            f"layer has {_counted(terms, bias)} of {fmt.name}"
        )
    if format_named(way.kind).width < fmt.width:
        raise StatementError(f"there are no units for this order: sums of {fmt.name} in {way.kind}")
    return way


def _revealed(like: RevealedOrder | Accumulation, fmt: Format, terms: int, bias: bool) -> Dot:
    """What was revealed, of products of a format and perhaps a bias."""
    if isinstance(like, RevealedOrder):
        if not like.holds:
            raise StatementError("the order did not hold when it was tested")
        if like.operand != fmt:
            raise StatementError(f"the order is of {like.operand.name}; the layer is of {fmt.name}")
        if not like.products:
            raise StatementError(f"the order is of {like.asked.operation}, which sums no products")
        like = like.way
    unlike = {
        "subnormals count as zeros": like.flushes,
        "some sums are kept in fp64": like.wide,
        f"the sum is {like.scaling.value}": like.scaling is not Scaling.NONE,
    }
    if what := next((words for words, is_so in unlike.items() if is_so), None):
        raise StatementError(f"there are no units for this order: {what}")
    if like.order.terms != terms + bias:
        raise StatementError(
            f"the order is of {like.order.terms} terms; the layer has {_counted(terms, bias)}"
        )
    name = fmt.name
    return Dot(like.order, (name, name), like.accumulator.name, like.fused, bias, like.from_zero)


def _counted(terms: int, bias: bool) -> str:
    return f"{terms} products{' and a bias' if bias else ''}"


@dataclass(frozen=True, repr=False)
class SpikingLinear:
    """A linear layer in neurons: called with a tensor, it gives one, as ``torch.nn.Linear`` does.

    Every NaN is the canonical one; all else is what the order gives, bit by bit.

    Attributes:
        fmt: of inputs, weights, bias and results.
        way: how its sums are taken, perhaps in a wider format.
        weights, bias: as codes.
        theorem: that its neurons compute sums taken that way, for all inputs, weights and biases.
    """

    fmt: Format
    way: Dot
    weights: Codes
    bias: Codes | None
    theorem: Obligation

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.theorem.name})"

    @cached_property
    def program(self) -> Module:
        """What its neurons are, unit by unit."""
        return circuit_of(self.theorem)

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
        return self.of(x, self.weights, self.bias)

    def of(self, x: torch.Tensor, weights: Codes, bias: Codes | None) -> torch.Tensor:
        """The same with other weights, and another bias if the layer has one, as codes.

        Raises:
            StatementError: if the inputs are of another type or number than the layer's.
        """
        if FORMATS.get(str(x.dtype)) != self.fmt or x.shape[-1:] != (self.way.products,):
            raise StatementError(
                f"the layer takes {self.way.products} inputs of {self.fmt.name}; given are {x.dtype} of "
                f"shape {tuple(x.shape)}"
            )
        rows = codes_of(x).reshape(-1, self.way.products)
        over = rows.shape[:1]
        shared = [weights] if bias is None else [weights, bias]
        arrays = [rows, *(np.broadcast_to(each, over + each.shape) for each in shared)]
        (found,) = evaluate(self.program, arrays, self._neurons, over)
        return _tensor(found.reshape(*x.shape[:-1], -1), x.dtype)


def codes_of(tensor: torch.Tensor) -> Codes:
    """The codes of a tensor's numbers."""
    import torch

    size = tensor.element_size()
    signed = {2: torch.int16, 4: torch.int32, 8: torch.int64}[size]
    codes: Codes = tensor.detach().cpu().contiguous().view(signed).numpy().view(f"u{size}")
    return codes


def _tensor(codes: Codes, dtype: torch.dtype) -> torch.Tensor:
    """The numbers of codes."""
    import torch

    return torch.from_numpy(codes.view(f"i{codes.itemsize}")).view(dtype)
