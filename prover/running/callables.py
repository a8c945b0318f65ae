"""Functions of libraries by name, from codes to codes: PyTorch's, NumPy's, the C library's.

``torch.exp`` gets a tensor; ``libm.expf`` is the C library's, called on one number after another; any
other ``package.module.function``, ``module:name`` or ``file.py:name`` gets an array of NumPy. Each gets
and gives numbers of the format, and may be called from several threads.
"""

from __future__ import annotations

import ctypes
import os
import platform
import sys
from collections.abc import Callable, Collection, Mapping
from functools import cache
from importlib import metadata
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeproof.circuits.doors.apart import described, loaded_by_any_name
from spikeproof.circuits.meanings.native import Native, repeated
from spikeproof.prover.claims.obligation import StatementError
from spikeproof.specs.formats import BFLOAT16, FP16, FP32, Format

Codes = NDArray[Any]
OnCodes = Callable[..., Codes]
"""From the codes of numbers, as unsigned integers of the format's width, an array for each operand, to
those of results."""

FORMATS = {fmt.name: fmt for fmt in (FP32, FP16, BFLOAT16)}
"""Of which libraries have functions."""

_NUMPY = {FP32: np.dtype(np.float32), FP16: np.dtype(np.float16)}

C_LIBRARY = "libm"
"""What stands before the name of a function of the C library."""


def on_codes(name: str, fmt: Format) -> OnCodes:
    """A function by its name.

    Raises:
        StatementError: if there is none, or it does not take numbers of the format; one line.
    """
    module, _, function = name.rpartition(".")
    if module == C_LIBRARY:
        if fmt is not FP32:
            raise StatementError(f"{name}: the C library's functions are called in {FP32.name} alone")
        if hasattr(ctypes.CDLL(None), f"{function}f"):
            raise StatementError(f"{name} takes doubles; its function of {fmt.name} is {name}f")
        return _of_c(function)
    found = _imported(name)
    return (
        _of_torch(name, found, fmt)
        if module.partition(".")[0] == "torch"
        else _of_numpy(name, found, fmt)
    )


def meaning(
    name: str, said: str | None, known: Collection[str], aliases: Mapping[str, str]
) -> str | None:
    """What a function of a library computes, by what is said of it or by the last part of its name.

    Args:
        known: what it may be.
        aliases: what libraries call these otherwise.

    Returns:
        One of those that are known, or None if neither tells.
    """
    last = name.replace(":", ".").rpartition(".")[2]
    words = (said, last, aliases.get(last))
    return next((word for word in words if word is not None and word in known), None)


def version_of(name: str) -> str:
    """The library that a function is of, and its version."""
    package = name.partition(":")[0].partition(".")[0]
    if package == C_LIBRARY:
        return " ".join(filter(None, platform.libc_ver())) or "the C library"
    try:
        return f"{package} {metadata.version(package)}"
    except metadata.PackageNotFoundError:
        return package


def _imported(name: str) -> Callable[..., Any]:
    """The function of a dotted name, or of ``module:name`` or ``file.py:name``."""
    here = os.getcwd()
    sys.path.insert(0, here)
    try:
        found = loaded_by_any_name(name)
    except Exception as error:
        raise StatementError(f"{name} cannot be had: {described(error)}") from None
    finally:
        sys.path.remove(here)
    if isinstance(found, type) or not callable(found):
        raise StatementError(
            f"{name} is no function; name one such as torch.exp, numpy.exp or libm.expf"
        )
    return found  # type: ignore[no-any-return]


def _called(name: str, function: Callable[..., Any], *numbers: Any) -> Any:
    try:
        return function(*numbers)
    except Exception as error:
        kind = f"{type(numbers[0]).__name__} of {numbers[0].dtype}"
        why = f"{type(error).__name__}: {error}"
        raise StatementError(f"{name} fails when it is given {kind}: {why}") from None


def _of_torch(name: str, function: Callable[..., Any], fmt: Format) -> OnCodes:
    import torch

    number, integer = {
        FP32: (torch.float32, torch.int32),
        FP16: (torch.float16, torch.int16),
        BFLOAT16: (torch.bfloat16, torch.int16),
    }[fmt]
    signed = {32: np.int32, 16: np.int16}[fmt.width]

    def on(*codes: Codes) -> Codes:
        tensors = (torch.from_numpy(each.view(signed)).view(number) for each in codes)
        torch.set_num_threads(1)  # who calls this has threads of its own, and others would wait in vain
        with torch.no_grad():
            result = _called(name, function, *tensors)
        if not isinstance(result, torch.Tensor):
            raise StatementError(f"{name} gives no tensor, but {type(result).__name__}")
        _require_like(name, result, number, codes[0])
        return result.contiguous().view(integer).numpy().view(codes[0].dtype)

    return on


def _of_numpy(name: str, function: Callable[..., Any], fmt: Format) -> OnCodes:
    if fmt not in _NUMPY:
        raise StatementError(
            f"{name}: NumPy has no {fmt.name}; choose {' or '.join(f.name for f in _NUMPY)}"
        )
    number = _NUMPY[fmt]

    def on(*codes: Codes) -> Codes:
        with np.errstate(all="ignore"):
            result = np.asarray(_called(name, function, *(each.view(number) for each in codes)))
        _require_like(name, result, number, codes[0])
        return np.ascontiguousarray(result).view(codes[0].dtype)

    return on


def _require_like(name: str, result: Any, number: Any, codes: Codes) -> None:
    """Refuse results of another type or shape than what was given.

    Raises:
        StatementError: saying of which.
    """
    if (result.dtype, tuple(result.shape)) != (number, codes.shape):
        raise StatementError(
            f"{name} gives {result.dtype} of shape {tuple(result.shape)}, not {number} of {codes.shape}"
        )


@cache
def _of_c(function: str) -> OnCodes:
    """The C library's function of that name, of floats."""
    library = ctypes.CDLL(None)
    if not function.isidentifier() or not hasattr(library, function):
        raise StatementError(f"{C_LIBRARY} has no function {function!r}; one is called expf, say")
    address = ctypes.cast(getattr(library, function), ctypes.c_void_p).value
    call = [
        "%from = getelementptr float, ptr %in, i64 %i",
        "%into = getelementptr float, ptr %out, i64 %i",
        "%x = load float, ptr %from",
        f"%y = call float inttoptr (i64 {address} to ptr)(float %x)",
        "store float %y, ptr %into",
    ]
    lines = [
        "define void @each(ptr %in, ptr %out, i64 %n) {",
        *repeated("i", "%n", call),
        "ret void",
        "}",
    ]
    native = Native("\n".join(lines))
    each = native.function("each", None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)

    def on(codes: Codes, native: Native = native) -> Codes:
        given, result = np.ascontiguousarray(codes), np.empty_like(codes)
        if given.size:
            each(given.ctypes.data, result.ctypes.data, given.size)
        return result

    return on
