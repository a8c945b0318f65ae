"""Functions of libraries that sum: how their terms lie in their arguments.

A function is called again and again on the same memory: where arrays lie may decide in which order
their numbers are added.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeproof.circuits.doors.apart import described, loaded_by_any_name
from spikeproof.prover.claims.obligation import StatementError
from spikeproof.prover.running.number_arrays import STORED
from spikeproof.specs.formats import BFLOAT16, FP16, FP32, FP64, Format

FORMATS = {fmt.name: fmt for fmt in (FP32, FP64, FP16, BFLOAT16)}
"""Of which libraries have sums."""

Arrays = tuple[NDArray[Any], ...]


def _whole(*arrays: Any, axis: int | None) -> Arrays:
    (x,) = arrays
    return (x.reshape(-1) if axis is None else np.moveaxis(x, axis, 0),)


def _dot(*arrays: Any, axis: int | None) -> Arrays:
    return arrays


def _matmul(*arrays: Any, axis: int | None) -> Arrays:
    x, y = arrays
    return x.T[:, :, None], y[:, None, :]


def _linear(*arrays: Any, axis: int | None) -> Arrays:
    x, weights, *bias = arrays
    return x.T[:, :, None], weights.T[:, None, :], *(each[None, None, :] for each in bias)


@dataclass(frozen=True)
class Operation:
    """What a function that sums computes.

    Attributes:
        sizes: how many its shape has, None for any number.
        shapes: those of its arguments, for a shape.
        terms: views of the arguments with the terms along the first axis, and the results along the
            others: factors of the terms first, then the bias.
        products: whether terms are products.
        mean: whether the sum is divided by the number of terms.
    """

    sizes: int | None
    shapes: Callable[..., list[tuple[int, ...]]]
    terms: Callable[..., Arrays]
    products: bool = False
    mean: bool = False


OPERATIONS = {
    "sum": Operation(None, lambda *shape: [shape], _whole),
    "mean": Operation(None, lambda *shape: [shape], _whole, mean=True),
    "dot": Operation(1, lambda k: [(k,), (k,)], _dot, products=True),
    "matmul": Operation(3, lambda m, k, n: [(m, k), (k, n)], _matmul, products=True),
    "linear": Operation(3, lambda m, k, n: [(m, k), (n, k), (n,)], _linear, products=True),
}

ALIASES = {"vdot": "dot", "inner": "dot", "mm": "matmul", "reduce": "sum"}
"""What libraries call them otherwise."""


@dataclass(frozen=True)
class Asked:
    """Of which function the order is asked, and for what.

    Attributes:
        name: of the function; it gets NumPy's arrays, or tensors if so said.
        operation: one of ``OPERATIONS``.
        shape: of the argument; matmul and linear: rows, terms, columns.
        axis: along which is summed; None for all of them.
    """

    name: str
    operation: str
    shape: tuple[int, ...]
    fmt: Format = FP32
    axis: int | None = None
    bias: bool = False
    tensors: bool = False


class Summing:
    """A function that sums, and the memory of its arguments.

    Attributes:
        factors: of the terms, which lie along the first axis of each.
        bias: of the results, if there is one; it counts as the last term.
        terms: how many a result has.
        outputs: the shape of the results.

    Raises:
        StatementError: if the function or the shape is none that can be asked; one line.
    """

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.operation = OPERATIONS[asked.operation]
        self._require_shape()
        shapes = self.operation.shapes(*asked.shape)
        if asked.operation == "linear" and not asked.bias:
            shapes = shapes[:2]
        self._arrays = [np.zeros(shape, STORED[asked.fmt]) for shape in shapes]
        views = self.operation.terms(*self._arrays, axis=asked.axis)
        count = 2 if self.operation.products else 1
        self.factors, self.bias = views[:count], next(iter(views[count:]), None)
        self.terms = len(self.factors[0]) + asked.bias
        self.outputs = np.broadcast_shapes(*(view.shape[1:] for view in views))
        self._function = _function(asked.name)
        self._given = [self._as_given(array) for array in self._arrays]
        self.result_format = self._format_of(self._result())
        self()

    def __call__(self) -> NDArray[Any]:
        """The results for what is in memory, as memory holds them."""
        result = self._result()
        if self.asked.tensors:
            import torch

            result = result.contiguous()
            result = (result.view(torch.uint16) if result.dtype == torch.bfloat16 else result).numpy()
        found = np.asarray(result)
        if found.shape != self.outputs:
            raise StatementError(
                f"it gives results of shape {_shape(found.shape)}, not {_shape(self.outputs)}"
            )
        return found.copy()

    def _require_shape(self) -> None:
        asked, sizes = self.asked, self.operation.sizes
        if sizes is not None and len(asked.shape) != sizes:
            form = {1: "a number of terms", 3: "ROWSxTERMSxCOLUMNS"}[sizes]
            raise StatementError(f"{asked.operation} has a shape of {form}, not {_shape(asked.shape)}")
        if math.prod(asked.shape) > 1 << 28:
            raise StatementError(f"the shape {_shape(asked.shape)} has more than 2^28 numbers")
        if asked.axis is not None and (sizes or not -len(asked.shape) <= asked.axis < len(asked.shape)):
            raise StatementError(f"{asked.operation} of {_shape(asked.shape)} has no axis {asked.axis}")
        if asked.bias and asked.operation != "linear":
            raise StatementError(f"{asked.operation} has no bias")
        if asked.fmt is BFLOAT16 and not asked.tensors:
            raise StatementError("NumPy has no bfloat16: choose fp32, fp64 or fp16, or ask for tensors")

    def _as_given(self, array: NDArray[Any]) -> Any:
        """The same memory as the function gets it."""
        if not self.asked.tensors:
            return array
        import torch

        tensor = torch.from_numpy(array)
        return tensor.view(torch.bfloat16) if self.asked.fmt is BFLOAT16 else tensor

    def _result(self) -> Any:
        keywords = {} if self.asked.axis is None else {"axis": self.asked.axis}
        try:
            with np.errstate(all="ignore"):
                return self._function(*self._given, **keywords)
        except Exception as error:
            why = str(error).partition("\n")[0]
            raise StatementError(
                f"it fails on {self.asked.fmt.name} of shape {_shape(self.asked.shape)}: "
                f"{type(error).__name__}: {why}"
            ) from None

    def _format_of(self, result: Any) -> Format:
        kind = str(getattr(result, "dtype", type(result).__name__)).removeprefix("torch.")
        names = {"float16": FP16, "bfloat16": BFLOAT16, "float32": FP32, "float64": FP64, "float": FP64}
        tensor = self.asked.tensors
        if kind not in names or tensor != (type(result).__module__.partition(".")[0] == "torch"):
            wanted = "a tensor" if tensor else "numbers of NumPy"
            raise StatementError(f"it gives {type(result).__name__} of {kind}, not {wanted}")
        return names[kind]


def _function(name: str) -> Callable[..., Any]:
    """That of a dotted name, or of ``module:name`` or ``file.py:name``."""
    try:
        found = loaded_by_any_name(name)
    except Exception as error:
        raise StatementError(described(error)) from None
    if not callable(found):
        raise StatementError("it is no function; name one such as numpy.sum")
    return found  # type: ignore[no-any-return]


def _shape(sizes: tuple[int, ...]) -> str:
    return "x".join(map(str, sizes)) or "one number"
