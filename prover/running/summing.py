"""Functions of libraries that sum: how their terms lie in their arguments.

A function is called again and again on the same memory: where arrays lie may decide in which order
their numbers are added.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from spikeproof.circuits.doors.apart import described, loaded_by_any_name
from spikeproof.prover.claims.obligation import StatementError
from spikeproof.prover.running.callables import meaning
from spikeproof.prover.running.machines import CPU, require_device
from spikeproof.prover.running.number_arrays import STORED, stored
from spikeproof.specs.formats import BFLOAT16, FP16, FP32, FP64, Format

FORMATS = {fmt.name: fmt for fmt in (FP32, FP64, FP16, BFLOAT16)}
"""Of which libraries have sums."""

MOST_NUMBERS = 1 << 28
"""Of an argument."""

Arrays = tuple[NDArray[Any], ...]


def _whole(*arrays: Any, axis: int | None) -> Arrays:
    (x,) = arrays
    return (x.reshape(-1) if axis is None else np.moveaxis(x, axis, 0),)


def _prefixes(*arrays: Any, axis: int | None) -> Arrays:
    (x,) = arrays
    return (x[:, None],)


def _dot(*arrays: Any, axis: int | None) -> Arrays:
    return arrays


def _matmul(*arrays: Any, axis: int | None) -> Arrays:
    x, y = arrays
    return x.T[:, :, None], y[:, None, :]


def _linear(*arrays: Any, axis: int | None) -> Arrays:
    x, weights, *bias = arrays
    return x.T[:, :, None], weights.T[:, None, :], *(each[None, None, :] for each in bias)


def _correlated(*arrays: Any, axis: int | None) -> Arrays:
    x, kernel = arrays
    return kernel[:, None], sliding_window_view(x, len(kernel)).T


def _convolved(*arrays: Any, axis: int | None) -> Arrays:
    x, kernel = arrays
    return _correlated(x, kernel[::-1], axis=axis)


def _layer(*arrays: Any, axis: int | None) -> Arrays:
    """Of a convolution of channels, in as many dimensions as there are."""
    x, kernel, *bias = arrays
    columns, _, *sizes = kernel.shape
    places = range(2, kernel.ndim)
    windows = sliding_window_view(x, tuple(sizes), tuple(places))
    if windows.size > MOST_NUMBERS:
        raise StatementError("its windows have more than 2^28 numbers")
    within = range(kernel.ndim, windows.ndim)
    terms = windows.transpose(1, *within, 0, *places)
    results = (len(x), 1, *(windows.shape[place] for place in places))
    factors = kernel.reshape(columns, -1).T, *(each[None] for each in bias)
    first, *bias = (each.reshape(len(each), 1, columns, *(1 for _ in sizes)) for each in factors)
    return first, terms.reshape(-1, *results), *bias


@dataclass(frozen=True)
class Operation:
    """What a function that sums computes.

    Attributes:
        form: what its shape consists of, if that is not any number of sizes.
        shapes: those of its arguments, for a shape; the last is that of the bias, where it may have one.
        terms: of the arguments, with the terms along the first axis, and the results along the others:
            factors of the terms first, then the bias. The first factor and the bias are views.
        products: whether terms are products.
        squares: whether both factors of a term are the same number, and the result is the root.
        mean: whether the sum is divided by the number of terms.
        prefixes: whether there is a result for each number of terms.
        biased: whether it may have a bias.
        batched: whether the first size is that of a batch.
        axis: whether it may be said along which is summed.
        keywords: that the function gets besides.
    """

    form: str | None
    shapes: Callable[..., list[tuple[int, ...]]]
    terms: Callable[..., Arrays]
    products: bool = False
    squares: bool = False
    mean: bool = False
    prefixes: bool = False
    biased: bool = False
    batched: bool = False
    axis: bool = False
    keywords: Mapping[str, Any] = field(default_factory=dict)

    @property
    def sizes(self) -> int | None:
        """How many its shape has, None for any number."""
        return self.form.count("x") + 1 if self.form else None

    @property
    def factors(self) -> int:
        """How many a term has that may differ."""
        return 2 if self.products and not self.squares else 1


OPERATIONS = {
    "sum": Operation(None, lambda *shape: [shape], _whole, axis=True),
    "mean": Operation(None, lambda *shape: [shape], _whole, mean=True, axis=True),
    "norm": Operation(None, lambda *shape: [shape], _whole, products=True, squares=True),
    "cumsum": Operation("TERMS", lambda n: [(n,)], _prefixes, prefixes=True, keywords={"axis": 0}),
    "dot": Operation("TERMS", lambda k: [(k,), (k,)], _dot, products=True),
    "matmul": Operation(
        "ROWSxTERMSxCOLUMNS", lambda m, k, n: [(m, k), (k, n)], _matmul, products=True, batched=True
    ),
    "linear": Operation(
        "ROWSxTERMSxCOLUMNS",
        lambda m, k, n: [(m, k), (n, k), (n,)],
        _linear,
        products=True,
        biased=True,
        batched=True,
    ),
    "convolve": Operation(
        "LENGTHxTERMS",
        lambda n, k: [(n,), (k,)],
        _convolved,
        products=True,
        keywords={"mode": "valid"},
    ),
    "correlate": Operation(
        "LENGTHxTERMS",
        lambda n, k: [(n,), (k,)],
        _correlated,
        products=True,
        keywords={"mode": "valid"},
    ),
    "conv1d": Operation(
        "BATCHxCHANNELSxLENGTHxOUTxKERNEL",
        lambda m, c, length, n, k: [(m, c, length), (n, c, k), (n,)],
        _layer,
        products=True,
        biased=True,
        batched=True,
    ),
    "conv2d": Operation(
        "BATCHxCHANNELSxHEIGHTxWIDTHxOUTxKERNELxKERNEL",
        lambda m, c, h, w, n, i, j: [(m, c, h, w), (n, c, i, j), (n,)],
        _layer,
        products=True,
        biased=True,
        batched=True,
    ),
}

ALIASES = {
    "vdot": "dot",
    "inner": "dot",
    "mm": "matmul",
    "reduce": "sum",
    "accumulate": "cumsum",
    "vector_norm": "norm",
    "linalg_vector_norm": "norm",
}
"""What libraries call them otherwise."""


def meant(name: str, said: str | None) -> str:
    """Which operation a function is.

    Raises:
        StatementError: if neither its name nor what is said tells.
    """
    found = meaning(name, said, OPERATIONS, ALIASES)
    if found is None:
        raise StatementError(
            f"what {name} computes is not clear; say its operation, one of {', '.join(OPERATIONS)}"
        )
    return found


@dataclass(frozen=True)
class Asked:
    """Of which function the order is asked, and for what.

    Attributes:
        name: of the function; it gets NumPy's arrays, or tensors if so said.
        operation: one of ``OPERATIONS``.
        shape: of the argument, or what the operation's ``form`` says.
        axis: along which is summed; None for all of them.
        device: of PyTorch's, on which it runs.
        threads: how many it may use; None: as many as it likes.
    """

    name: str
    operation: str
    shape: tuple[int, ...]
    fmt: Format = FP32
    axis: int | None = None
    bias: bool = False
    tensors: bool = False
    device: str = CPU
    threads: int | None = None


class Summing:
    """A function that sums, and the memory of its arguments.

    Attributes:
        arrays: the arguments; the bias is the last of them.
        masked: the factor of the terms in which masks stand, a view: the terms lie along the first axis,
            the results along the others, of which those of size 1 are shared.
        bias: a view likewise, if there is one; it counts as the last term.
        terms: how many a result has.
        outputs: the shape of the results.
        results: how many there are.

    Raises:
        StatementError: if the function or the shape is none that can be asked; one line.
    """

    def __init__(self, asked: Asked, function: Callable[..., Any] | None = None) -> None:
        self.asked = asked
        self.operation = OPERATIONS[asked.operation]
        self._require_shape()
        shapes = self.operation.shapes(*asked.shape)
        if self.operation.biased and not asked.bias:
            shapes = shapes[:-1]
        self.arrays = [np.zeros(shape, STORED[asked.fmt]) for shape in shapes]
        try:
            factors, self.bias = self._split(self._views())
        except ValueError:
            raise StatementError(
                f"{asked.operation} of {_shape(asked.shape)} has no results: its kernel is too large"
            ) from None
        self._place = self._most_different(factors)
        self.masked = factors[self._place]
        self.terms = len(self.masked) + asked.bias
        self.outputs = (
            (self.terms,)
            if self.operation.prefixes
            else np.broadcast_shapes(*(factor.shape[1:] for factor in factors))
        )
        self.results = math.prod(self.outputs)
        self._function = _function(asked.name) if function is None else function
        require_device(asked.device)
        self._given = [self._as_given(array) for array in self.arrays]
        self.result_format = self._format_of(self._result())
        self()

    def __call__(self) -> NDArray[Any]:
        """The results for what is in memory, as memory holds them."""
        result = self._result()
        if self.asked.tensors:
            import torch

            result = result.detach().cpu().contiguous()
            result = (result.view(torch.uint16) if result.dtype == torch.bfloat16 else result).numpy()
        found = np.asarray(result)
        if found.shape != self.outputs:
            raise StatementError(
                f"it gives results of shape {_shape(found.shape)}, not {_shape(self.outputs)}"
            )
        return found.copy()

    def read(self) -> Arrays:
        """The factors as they are in memory, and the bias; a result that lacks a term adds -0 there."""
        views = self._views()
        if self.operation.prefixes:
            absent = stored(self.asked.fmt, np.array(-0.0))
            return tuple(np.where(np.tri(self.terms, dtype=bool).T, x, absent) for x in views)
        return views

    def drawn_into(self) -> Arrays:
        """What is to be filled with numbers: each factor in turn, then the bias.

        Terms lie along the first axis of the first factor and of the bias; the other factor is told as
        the argument that holds it.
        """
        factors, bias = self._split(self._views())
        first = self._array_of(factors[0])
        others = (array for array in self.arrays[: len(factors)] if array is not first)
        return factors[0], *others, *(() if bias is None else (bias,))

    @cached_property
    def unmasked(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """The argument that the other factor is of, and which number of it each term of a result has."""
        own = self._array_of(self.masked)
        (array,) = (each for each in self.arrays[:2] if each is not own)
        numbers = (np.arange(each.size, dtype=np.int32).reshape(each.shape) for each in self.arrays)
        factors, _ = self._split(self.operation.terms(*numbers, axis=self.asked.axis))
        return array, factors[1 - self._place]

    def _views(self) -> Arrays:
        return self.operation.terms(*self.arrays, axis=self.asked.axis)

    def _split(self, views: Arrays) -> tuple[Arrays, NDArray[Any] | None]:
        count = self.operation.factors
        return views[:count], next(iter(views[count:]), None)

    def _most_different(self, factors: Arrays) -> int:
        """The factor that may differ in the most results, if it is a view, and the bias as well."""
        fitting = [
            place
            for place, factor in enumerate(factors)
            if factor.flags.writeable
            and self._array_of(factor) is not None
            and (self.bias is None or factor.shape[1:] == self.bias.shape[1:])
        ]
        return max(fitting, key=lambda place: factors[place].size)

    def _array_of(self, view: NDArray[Any]) -> NDArray[Any] | None:
        """The argument of which it is a view."""
        return next((array for array in self.arrays if np.may_share_memory(array, view)), None)

    def _require_shape(self) -> None:
        asked, operation = self.asked, self.operation
        if not asked.shape or min(asked.shape) < 1:
            raise StatementError(f"{asked.shape} is no shape; its sizes are positive whole numbers")
        if operation.form is not None and len(asked.shape) != operation.sizes:
            raise StatementError(
                f"{asked.operation} has a shape of {operation.form}, not {_shape(asked.shape)}"
            )
        if any(math.prod(shape) > MOST_NUMBERS for shape in operation.shapes(*asked.shape)):
            raise StatementError(f"the shape {_shape(asked.shape)} has more than 2^28 numbers")
        if asked.axis is not None and not (
            operation.axis and -len(asked.shape) <= asked.axis < len(asked.shape)
        ):
            raise StatementError(f"{asked.operation} of {_shape(asked.shape)} has no axis {asked.axis}")
        if asked.bias and not operation.biased:
            raise StatementError(f"{asked.operation} has no bias")
        if not asked.tensors and asked.fmt is BFLOAT16:
            raise StatementError("NumPy has no bfloat16: choose fp32, fp64 or fp16, or ask for tensors")
        if not asked.tensors and asked.device != CPU:
            raise StatementError(f"arrays of NumPy are on no device {asked.device}: ask for tensors")

    def _as_given(self, array: NDArray[Any]) -> Any:
        """The same memory as the function gets it, if it is the processor's."""
        if not self.asked.tensors:
            return array
        import torch

        tensor = torch.from_numpy(array)
        return tensor.view(torch.bfloat16) if self.asked.fmt is BFLOAT16 else tensor

    def _result(self) -> Any:
        keywords = dict(self.operation.keywords)
        if self.asked.axis is not None:
            keywords["axis"] = self.asked.axis
        try:
            given = self._given
            if self.asked.device != CPU:
                given = [each.to(self.asked.device) for each in given]
            with np.errstate(all="ignore"):
                return self._function(*given, **keywords)
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
