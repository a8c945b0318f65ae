"""Numbers of a format in arrays, and arithmetic on them that rounds as the format does.

Numbers of 16 bits are carried in float32, where sums and products of two are so exact that rounding
them once more, to the format, gives the correctly rounded ones (24 >= 2 * 11 + 2).
"""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeproof.specs.formats import BFLOAT16, FP16, FP32, FP64, Format

Numbers = NDArray[Any]
"""Of float32 or float64."""

STORED: dict[Format, np.dtype[Any]] = {
    FP16: np.dtype(np.float16),
    BFLOAT16: np.dtype(np.uint16),
    FP32: np.dtype(np.float32),
    FP64: np.dtype(np.float64),
}
"""What memory holds of each format; NumPy has no bfloat16, so that its codes stand there."""


def carrier(fmt: Format) -> np.dtype[Any]:
    """The type in which numbers of a format are computed with."""
    return np.dtype(np.float64 if fmt is FP64 else np.float32)


def stored(fmt: Format, numbers: Numbers) -> NDArray[Any]:
    """Numbers rounded to a format, to nearest even, as memory holds them."""
    if fmt is not BFLOAT16:
        with np.errstate(over="ignore"):
            exact: NDArray[Any] = numbers.astype(STORED[fmt])
        return exact
    codes = numbers.astype(np.float32).view(np.uint32)
    kept = codes >> 16
    up = ((codes & 0xFFFF) + (kept & 1) > 0x8000).astype(np.uint32)
    quiet = np.isnan(numbers)
    result: NDArray[Any] = np.where(quiet, kept | 0x40, kept + up).astype(np.uint16)
    return result


def read(fmt: Format, array: NDArray[Any]) -> Numbers:
    """What memory holds, as numbers."""
    if fmt is BFLOAT16:
        return (array.astype(np.uint32) << 16).view(np.float32)
    return array.astype(carrier(fmt))


def rounded(fmt: Format, numbers: Numbers) -> Numbers:
    """Numbers rounded to a format, to nearest even."""
    if fmt in (FP32, FP64) and numbers.dtype == carrier(fmt):
        return numbers
    return read(fmt, stored(fmt, numbers))


def same(fmt: Format, one: NDArray[Any], other: NDArray[Any]) -> NDArray[np.bool_]:
    """Where stored numbers are equal bit by bit, or both NaN."""
    kind = np.dtype(f"u{fmt.width // 8}")
    nan = np.isnan(read(fmt, one)) & np.isnan(read(fmt, other))
    equal: NDArray[np.bool_] = (one.view(kind) == other.view(kind)) | nan
    return equal


def fused(x: Numbers, y: Numbers, z: Numbers) -> Numbers:
    """x * y + z, rounded once, in FP32 or FP64."""
    x, y, z = (np.ascontiguousarray(each) for each in np.broadcast_arrays(x, y, z))
    result = np.empty_like(z)
    if result.size:
        addresses = (each.ctypes.data for each in (x, y, z, result))
        _fused(result.dtype.itemsize)(*addresses, result.size)
    return result


@cache
def _fused(size: int) -> Any:
    """The loop over numbers of so many bytes, as machine code."""
    from spikeproof.circuits.meanings.native import Native, repeated

    kind = {4: "float", 8: "double"}[size]
    suffix = f"f{8 * size}"
    each = [
        line
        for name in "xyz"
        for line in (
            f"%{name}.at = getelementptr {kind}, ptr %{name}, i64 %i",
            f"%{name}.i = load {kind}, ptr %{name}.at",
        )
    ]
    call = [
        *each,
        f"%sum = call {kind} @llvm.fma.{suffix}({kind} %x.i, {kind} %y.i, {kind} %z.i)",
        f"%out.at = getelementptr {kind}, ptr %out, i64 %i",
        f"store {kind} %sum, ptr %out.at",
    ]
    text = "\n".join(
        [
            f"declare {kind} @llvm.fma.{suffix}({kind}, {kind}, {kind})",
            "define void @each(ptr %x, ptr %y, ptr %z, ptr %out, i64 %n) {",
            *repeated("i", "%n", call),
            "ret void",
            "}",
        ]
    )
    native = Native(text)
    function = native.function("each", None, *[ctypes.c_void_p] * 4, ctypes.c_int64)
    function.code = native  # kept as long as the function is
    return function
