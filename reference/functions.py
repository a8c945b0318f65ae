"""Functions by others: Arb, MPFR, NumPy and PyTorch, on codes of IEEE-style formats.

Arb's balls hold the real number, so that one narrow enough tells how it rounds; MPFR rounds correctly,
in the format's own precision and range. NumPy and PyTorch do what they do, which is measured.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import flint
import gmpy2
import ml_dtypes
import numpy as np
import torch
from numpy.typing import NDArray

from spikeproof.specs.formats import (
    BFLOAT16,
    FP8_E4M3FN,
    FP8_E4M3FNUZ,
    FP8_E5M2,
    FP8_E5M2FNUZ,
    FP16,
    FP32,
    Format,
    RoundingMode,
)

Codes = NDArray[np.integer[Any]]
Doubles = NDArray[np.float64]


def doubles(fmt: Format, codes: Codes) -> Doubles:
    """The values of codes; formats of up to 64 bits have no others than doubles."""
    codes = codes.astype(np.int64)
    field, fraction = codes >> fmt.fraction_bits, codes & ((1 << fmt.fraction_bits) - 1)
    field &= (1 << fmt.exponent_bits) - 1
    significand = (fraction + ((field > 0) << fmt.fraction_bits)).astype(np.float64)
    exponent = (np.maximum(field, 1) - fmt.bias - fmt.fraction_bits).astype(np.int32)
    with np.errstate(over="ignore"):  # of codes that are no numbers
        values = np.ldexp(significand, exponent)
    special = field == (1 << fmt.exponent_bits) - 1
    values[special] = np.where(fraction[special], np.nan, np.inf)
    negative = codes >> fmt.magnitude_bits & 1
    signed: Doubles = np.copysign(values, np.where(negative, -1.0, 1.0))
    return signed


def nearest_codes(fmt: Format, values: Doubles) -> Codes:
    """The codes that doubles round to, to nearest even; NaN becomes the canonical one."""
    exponent = np.where(values == 0, fmt.minimum_exponent, np.frexp(values)[1] - 1)
    exponent = np.maximum(exponent, fmt.minimum_exponent)
    with np.errstate(invalid="ignore", over="ignore"):
        multiple = np.abs(np.rint(np.ldexp(values, fmt.fraction_bits - exponent)))
        magnitude = np.ldexp(multiple, exponent - fmt.fraction_bits)
    finite = np.isfinite(values)
    code = np.where(finite, multiple, 0).astype(np.int64)
    code += (exponent.astype(np.int64) - fmt.minimum_exponent) << fmt.fraction_bits
    code = np.where(finite & (magnitude < 2.0**fmt.maximum_exponent * 2), code, fmt.infinity)
    code |= np.signbit(values).astype(np.int64) << fmt.magnitude_bits
    return np.where(np.isnan(values), fmt.canonical_nan, code)


# --- Arb ----------------------------------------------------------------------------------------


def _cubic(x: Any) -> Any:
    return (8 / flint.arb.pi()).sqrt() * (x + flint.arb(44715) / 10**6 * x**3)


def _logistic(y: Any) -> Any:
    """1 / (1 + e^-y), of exponentials that do not overflow."""
    small = (-abs(y)).exp()
    return (1 if y > 0 else small) / (1 + small)


BALLS: dict[str, Callable[[Any], Any]] = {
    "exp": lambda x: x.exp(),
    "exp2": lambda x: flint.arb(2) ** x,
    "expm1": lambda x: x.expm1(),
    "log": lambda x: x.log(),
    "log2": lambda x: x.log() / flint.arb(2).log(),
    "log1p": lambda x: x.log1p(),
    "reciprocal": lambda x: 1 / x,
    "rsqrt": lambda x: x.rsqrt(),
    "sin": lambda x: x.sin(),
    "cos": lambda x: x.cos(),
    "sin_pi": lambda x: x.sin_pi(),
    "cos_pi": lambda x: x.cos_pi(),
    "tanh": lambda x: x.tanh(),
    "sigmoid": _logistic,
    "softplus": lambda x: x.exp().log1p(),
    "erf": lambda x: x.erf(),
    "silu": lambda x: x * _logistic(x),
    "gelu": lambda x: x / 2 * (-x / flint.arb(2).sqrt()).erfc(),
    "gelu_tanh": lambda x: x * _logistic(_cubic(x)),
}
"""Each function of a ball; of numbers, other than zero, at which it is defined."""

BALLS_OF_TWO: dict[str, Callable[[Any, Any], Any]] = {
    "hypot": lambda x, y: (x * x + y * y).sqrt(),
    "pow": lambda x, y: x**y,
    "atan2": lambda x, y: flint.arb.atan2(y, x),
}
"""The same of functions of two operands."""

LEAST_BITS, MOST_BITS = 80, 5120


def ball(function: str, operands: tuple[float, ...], bits: int) -> Any:
    """A ball that holds the function of doubles, by arithmetic of so many bits."""
    flint.ctx.prec = bits
    functions: dict[str, Callable[..., Any]] = {**BALLS, **BALLS_OF_TWO}
    return functions[function](*map(flint.arb, operands))


def by_arb(function: str, fmt: Format, *codes: Codes) -> Codes:
    """The codes that a function of codes rounds to, to nearest even; numbers only, and as of ``BALLS``.

    Of two operands it takes the codes of the first, and of the second. Zeros come without their sign: a
    ball does not tell it.

    Raises:
        KeyError: if there is no such function.
        ArithmeticError: if no ball of up to ``MOST_BITS`` tells.
    """
    operands = list(zip(*(doubles(fmt, each).tolist() for each in codes), strict=True))
    balls = [ball(function, each, LEAST_BITS) for each in operands]
    below = np.nextafter(np.array([float(each.lower()) for each in balls]), -np.inf)
    above = np.nextafter(np.array([float(each.upper()) for each in balls]), np.inf)
    ends = (nearest_codes(fmt, end).view(np.uint64) for end in (below, above))
    found, other = (_unsigned_zeros(fmt, each) for each in ends)
    for index in np.flatnonzero(found != other).tolist():
        found[index] = _narrowed(function, fmt, operands[index])
    return found


def _unsigned_zeros(fmt: Format, codes: Codes) -> Codes:
    return np.where(codes == fmt.sign_mask, 0, codes)


def _narrowed(function: str, fmt: Format, operands: tuple[float, ...]) -> int:
    """The same of one case, by ever narrower balls."""
    bits = LEAST_BITS
    while bits <= MOST_BITS:
        each = ball(function, operands, bits)
        ends = [nearest_code(fmt, *map(int, end.man_exp())) for end in (each.lower(), each.upper())]
        one, other = _unsigned_zeros(fmt, np.array(ends, np.uint64)).tolist()
        if one == other:
            return int(one)
        bits *= 2
    raise ArithmeticError(
        f"{function} of {operands}: no ball of up to {MOST_BITS} bits tells how it rounds"
    )


def nearest_code(fmt: Format, mantissa: int, exponent: int) -> int:
    """The code that mantissa 2^exponent rounds to, to nearest even: in integers, which lose nothing."""
    size, least = abs(mantissa).bit_length(), fmt.minimum_exponent - fmt.fraction_bits
    place = max(size + exponent - fmt.precision, least)
    lost = min(place - exponent, size + 1)  # of more places no more is left
    multiple = round(Fraction(abs(mantissa)) / Fraction(2) ** lost)
    code = min(multiple + (place - least << fmt.fraction_bits), fmt.infinity)
    return code + fmt.sign_mask * (mantissa < 0)


# --- MPFR ---------------------------------------------------------------------------------------

MPFR: dict[str, Callable[[Any], Any]] = {
    "exp": gmpy2.exp,
    "exp2": gmpy2.exp2,
    "expm1": gmpy2.expm1,
    "log": gmpy2.log,
    "log2": gmpy2.log2,
    "log1p": gmpy2.log1p,
    "reciprocal": lambda x: 1 / x,
    "rsqrt": gmpy2.rec_sqrt,
    "sin": gmpy2.sin,
    "cos": gmpy2.cos,
    "tanh": gmpy2.tanh,
    "erf": gmpy2.erf,
}
"""The functions that gmpy2 has of MPFR."""

MPFR_OF_TWO: dict[str, Callable[[Any, Any], Any]] = {
    "hypot": gmpy2.hypot,
    "pow": lambda x, y: x**y,
    "atan2": lambda x, y: gmpy2.atan2(y, x),
}
"""Those of two operands."""

MPFR_MODES = {
    RoundingMode.NEAREST_EVEN: gmpy2.RoundToNearest,
    RoundingMode.TOWARD_ZERO: gmpy2.RoundToZero,
    RoundingMode.UP: gmpy2.RoundUp,
    RoundingMode.DOWN: gmpy2.RoundDown,
}


def by_mpfr(function: str, fmt: Format, mode: RoundingMode, *codes: Codes) -> Codes:
    """The codes that MPFR's function of codes has, special values included; NaN as the canonical one.

    Its significands are from 1/2 to 1, so that its exponents are greater by one; ``subnormalize`` rounds
    once, to gradual underflow. Of -0 its reciprocal root is +infinity, where IEEE 754 has -infinity.

    Raises:
        KeyError: if gmpy2 has no such function, or MPFR no such mode.
    """
    context = gmpy2.context(
        precision=fmt.precision,
        emin=fmt.minimum_exponent - fmt.fraction_bits + 1,
        emax=fmt.maximum_exponent + 1,
        subnormalize=True,
        round=MPFR_MODES[mode],
    )
    operations: dict[str, Callable[..., Any]] = {**MPFR, **MPFR_OF_TWO}
    operation = operations[function]
    operands = zip(*(doubles(fmt, each).tolist() for each in codes), strict=True)
    with context:
        results = [float(operation(*map(gmpy2.mpfr, each))) for each in operands]
    return nearest_codes(fmt, np.array(results))


# --- frameworks ---------------------------------------------------------------------------------

TORCH: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "exp": torch.exp,
    "exp2": torch.exp2,
    "expm1": torch.expm1,
    "log": torch.log,
    "log2": torch.log2,
    "log1p": torch.log1p,
    "reciprocal": torch.reciprocal,
    "rsqrt": torch.rsqrt,
    "sin": torch.sin,
    "cos": torch.cos,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "softplus": torch.nn.functional.softplus,
    "erf": torch.erf,
    "silu": torch.nn.functional.silu,
    "gelu": torch.nn.functional.gelu,
    "gelu_tanh": lambda x: torch.nn.functional.gelu(x, approximate="tanh"),
}

NUMPY: dict[str, Callable[[Any], Any]] = {
    name: getattr(np, name)
    for name in ("exp", "exp2", "expm1", "log", "log2", "log1p", "reciprocal", "sin", "cos", "tanh")
}
"""NumPy's; of BFLOAT16, ml_dtypes'."""

NUMPY_OF_TWO: dict[str, Callable[[Any, Any], Any]] = {
    "hypot": np.hypot,
    "pow": np.power,
    "atan2": lambda x, y: np.arctan2(y, x),
}
"""Those of two operands; of FP8, ml_dtypes' too."""

_TORCH_TYPES = {FP16: torch.float16, BFLOAT16: torch.bfloat16, FP32: torch.float32}
_NUMPY_TYPES = {
    FP8_E4M3FN: ml_dtypes.float8_e4m3fn,
    FP8_E4M3FNUZ: ml_dtypes.float8_e4m3fnuz,
    FP8_E5M2: ml_dtypes.float8_e5m2,
    FP8_E5M2FNUZ: ml_dtypes.float8_e5m2fnuz,
    FP16: np.float16,
    BFLOAT16: ml_dtypes.bfloat16,
    FP32: np.float32,
}


def by_torch(function: str, fmt: Format, codes: Codes) -> Codes:
    """The codes of PyTorch's function on the CPU, of one of its own types.

    Raises:
        KeyError: if it has no such function or type.
    """
    words = codes.astype(f"u{fmt.width // 8}")
    tensor = torch.from_numpy(words).view(_TORCH_TYPES[fmt])
    result: NDArray[Any] = TORCH[function](tensor).view(getattr(torch, f"uint{fmt.width}")).numpy()
    return result


def by_numpy(function: str, fmt: Format, *codes: Codes) -> Codes:
    """The codes of NumPy's function, of one of its own types or of ml_dtypes'.

    Raises:
        KeyError: if it has no such function or type.
    """
    functions: dict[str, Callable[..., Any]] = {**NUMPY, **NUMPY_OF_TWO}
    word = np.dtype(f"u{fmt.width // 8}")
    with np.errstate(all="ignore"):
        result = functions[function](*(each.astype(word).view(_NUMPY_TYPES[fmt]) for each in codes))
    return np.asarray(result).view(word)
