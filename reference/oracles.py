"""Independent oracles for arithmetic on small floating-point formats.

An oracle takes codes and gives codes. What it does on overflow is its own affair and differs from
library to library and from version to version, so it is *measured*: see ``measured_policy``.
"""

from __future__ import annotations

import ctypes
import ctypes.util
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from functools import cache
from importlib.metadata import version
from typing import Any, ClassVar

import gfloat
import gfloat.formats
import ml_dtypes
import numpy as np
import torch
from numpy.typing import NDArray
from typing_extensions import override

from spikeproof.specs.formats import Format, OverflowPolicy, RoundingMode

Codes = NDArray[np.uint8]

OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "add": lambda x, y: x + y,
    "subtract": lambda x, y: x - y,
    "multiply": lambda x, y: x * y,
}


class Oracle(ABC):
    """Somebody else's arithmetic, rounding to nearest even."""

    package: str
    """Name of the distribution that does the arithmetic."""
    _known: ClassVar[Mapping[str, Any]]
    """The package's own types, by format name."""

    @property
    def version(self) -> str:
        """Version of the package that answers."""
        return version(self.package)

    def supports(self, fmt: Format) -> bool:
        """Whether the package has the format."""
        return fmt.name in self._known

    @abstractmethod
    def compute(self, operation: str, fmt: Format, x: Codes, y: Codes) -> Codes:
        """Result codes of a binary operation, element by element.

        Raises:
            KeyError: if the operation is not in ``OPERATORS``.
        """


class MlDtypes(Oracle):
    """ml_dtypes: NumPy scalar types with arithmetic of their own."""

    package = "ml_dtypes"
    _known: ClassVar = {
        "fp8_e4m3fn": ml_dtypes.float8_e4m3fn,
        "fp8_e5m2": ml_dtypes.float8_e5m2,
        "fp8_e4m3fnuz": ml_dtypes.float8_e4m3fnuz,
        "fp8_e5m2fnuz": ml_dtypes.float8_e5m2fnuz,
        "fp6_e2m3": ml_dtypes.float6_e2m3fn,
        "fp6_e3m2": ml_dtypes.float6_e3m2fn,
        "fp4_e2m1": ml_dtypes.float4_e2m1fn,
    }

    @override
    def compute(self, operation: str, fmt: Format, x: Codes, y: Codes) -> Codes:
        kind = self._known[fmt.name]
        with np.errstate(all="ignore"):
            result = OPERATORS[operation](x.view(kind), y.view(kind))
        return np.asarray(result, dtype=kind).view(np.uint8)


class PyTorch(Oracle):
    """PyTorch: stores FP8, computes in float32, converts back.

    The detour is harmless: float32's 24 bits exceed twice the precision of any FP8 format by more than
    two, so that rounding twice equals rounding once (Figueroa, 1995).
    """

    package = "torch"
    _known: ClassVar = {
        "fp8_e4m3fn": torch.float8_e4m3fn,
        "fp8_e5m2": torch.float8_e5m2,
        "fp8_e4m3fnuz": torch.float8_e4m3fnuz,
        "fp8_e5m2fnuz": torch.float8_e5m2fnuz,
    }

    @override
    def compute(self, operation: str, fmt: Format, x: Codes, y: Codes) -> Codes:
        kind = self._known[fmt.name]
        left, right = (torch.from_numpy(codes.copy()).view(kind).float() for codes in (x, y))
        result = OPERATORS[operation](left, right).to(kind)
        return np.asarray(result.view(torch.uint8).numpy())


class Gfloat(Oracle):
    """gfloat: a reference implementation of conversions, here applied to exact float64 results.

    Sums and products of two numbers of up to 8 bits are exact in float64. gfloat takes the overflow
    policy as an argument, and knows four of our rounding modes beside nearest even.
    """

    package = "gfloat"
    _known: ClassVar = {
        "fp8_e4m3fn": gfloat.formats.format_info_ocp_e4m3,
        "fp8_e5m2": gfloat.formats.format_info_ocp_e5m2,
        "fp6_e2m3": gfloat.formats.format_info_ocp_e2m3,
        "fp6_e3m2": gfloat.formats.format_info_ocp_e3m2,
        "fp4_e2m1": gfloat.formats.format_info_ocp_e2m1,
    }
    modes: ClassVar = {
        RoundingMode.NEAREST_EVEN: gfloat.RoundMode.TiesToEven,
        RoundingMode.NEAREST_AWAY: gfloat.RoundMode.TiesToAway,
        RoundingMode.TOWARD_ZERO: gfloat.RoundMode.TowardZero,
        RoundingMode.UP: gfloat.RoundMode.TowardPositive,
        RoundingMode.DOWN: gfloat.RoundMode.TowardNegative,
    }

    def __init__(
        self,
        mode: RoundingMode = RoundingMode.NEAREST_EVEN,
        policy: OverflowPolicy = OverflowPolicy.SATURATE,
    ) -> None:
        self._mode = self.modes[mode]
        self._saturate = policy is OverflowPolicy.SATURATE

    @override
    def compute(self, operation: str, fmt: Format, x: Codes, y: Codes) -> Codes:
        values = self._values(fmt)
        with np.errstate(all="ignore"):
            exact = OPERATORS[operation](values[x], values[y])
        # Compared as bits, so that the two zeros stay apart.
        distinct, where = np.unique(exact.view(np.uint64), return_inverse=True)
        rounded = [self._encode(fmt, value) for value in distinct.view(np.float64)]
        return np.array(rounded, dtype=np.uint8)[where]

    @cache  # noqa: B019  (a handful of formats)
    def _values(self, fmt: Format) -> NDArray[np.float64]:
        info = self._known[fmt.name]
        decoded = [gfloat.decode_float(info, code).fval for code in range(1 << fmt.width)]
        return np.array(decoded, dtype=np.float64)

    def _encode(self, fmt: Format, value: float) -> int:
        info = self._known[fmt.name]
        rounded = gfloat.round_float(info, float(value), self._mode, sat=self._saturate)
        return int(gfloat.encode_float(info, rounded))


ORACLES: tuple[Oracle, ...] = (PyTorch(), MlDtypes(), Gfloat())


def measured_policy(oracle: Oracle, fmt: Format) -> OverflowPolicy:
    """The overflow policy that an oracle really has: what it makes of the largest number doubled.

    Raises:
        ValueError: if the answer is neither infinity, nor the largest number, nor NaN.
    """
    largest = np.array([fmt.largest_finite], dtype=np.uint8)
    result = int(oracle.compute("add", fmt, largest, largest)[0])
    if fmt.has_infinity and result == fmt.infinity:
        return OverflowPolicy.IEEE
    if result == fmt.largest_finite:
        return OverflowPolicy.SATURATE
    if fmt.is_nan(result):
        return OverflowPolicy.NAN
    raise ValueError(
        f"{oracle.package} {oracle.version}: {fmt.name} overflows to {result:#x}, which is no policy"
    )


def fused_multiply_add(x: NDArray[Any], y: NDArray[Any], z: NDArray[Any]) -> NDArray[Any]:
    """x * y + z rounded once to nearest even, by the C library: arrays of float32 or of float64.

    Raises:
        KeyError: for any other type.
        OSError: if the C library cannot be found.
    """
    name, kind = {
        np.dtype(np.float32): ("fmaf", ctypes.c_float),
        np.dtype(np.float64): ("fma", ctypes.c_double),
    }[x.dtype]
    function = getattr(ctypes.CDLL(ctypes.util.find_library("m")), name)
    function.restype, function.argtypes = kind, (kind,) * 3
    return np.array(list(map(function, x.tolist(), y.tolist(), z.tolist())), dtype=x.dtype)
