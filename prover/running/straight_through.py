"""Linear layers in training: neurons compute their results, PyTorch's own kernels their gradients."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch.autograd.function import once_differentiable
from torch.nn.functional import linear

from spikeproof.prover.claims.obligation import StatementError
from spikeproof.prover.running.spiking_linear import SpikingLinear, codes_of


class StraightThrough(torch.nn.Linear):
    """A linear layer whose results are its neurons', and whose gradients are PyTorch's of that layer.

    Its parameters are the layer's own, by the same names: whatever changes them, the neurons' synapses
    are of what they are when it is called. There are no gradients of gradients.

    Attributes:
        neurons: by the number of rows of inputs that they are for, None being any other; they have
            theorems, sizes, and the weights that the layer had at first.
    """

    def __init__(self, layer: torch.nn.Linear, neurons: Mapping[int | None, SpikingLinear]) -> None:
        given = layer.weight
        bias = layer.bias is not None
        super().__init__(layer.in_features, layer.out_features, bias, device="meta", dtype=given.dtype)
        self.weight, self.bias = given, layer.bias
        self.neurons = neurons

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The layer's results for rows of inputs, along the last axis.

        Raises:
            StatementError: if they are of another type or number than the layer's, or of a number of
                rows for which no order was given.
        """
        given = x, self.weight, self.bias, self._of(x)
        result: torch.Tensor = _StraightThrough.apply(*given)  # type: ignore[no-untyped-call]
        return result

    def _of(self, x: torch.Tensor) -> SpikingLinear:
        rows = x.numel() // self.in_features
        found = self.neurons.get(rows, self.neurons.get(None))
        if found is None:
            known = ", ".join(map(str, self.neurons))
            raise StatementError(f"no order was given for {rows} rows of inputs, but for {known}")
        return found


class _StraightThrough(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        x: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor | None,
        neurons: SpikingLinear,
    ) -> torch.Tensor:
        ctx.save_for_backward(x, weight, bias)
        codes = None if bias is None else codes_of(bias)
        found = neurons.of(x, codes_of(weight), codes)
        return found.clone()  # where PyTorch aligns it: kernels may sum otherwise what lies elsewhere

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        """What PyTorch's own layer gives: it computes its results once more, which nothing reads."""
        asked = ctx.needs_input_grad[:3]
        given: list[Any] = [
            None if tensor is None else tensor.detach().requires_grad_(wanted)
            for tensor, wanted in zip(ctx.saved_tensors, asked, strict=True)
        ]
        with torch.enable_grad():
            own = linear(*given)
        wanted = [tensor for tensor, each in zip(given, asked, strict=True) if each]
        found = iter(torch.autograd.grad(own, wanted, gradient))
        return *(next(found) if each else None for each in asked), None
