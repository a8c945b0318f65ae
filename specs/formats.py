"""The frozen vocabulary: number formats, rounding modes and overflow policies, as plain data.

A *code* is the bit pattern of a number, as a non-negative integer: sign bit at the top, then the
biased exponent field, then the fraction field. A *magnitude code* is a code without its sign bit.
No arithmetic on values lives here, so that ``circuits`` and ``reference`` may import this module.

Sources: IEEE 754-2019 clause 3.4 (interchange formats), OCP 8-bit Floating Point Specification 1.0
(E4M3, E5M2), OCP Microscaling Formats 1.0 (FP6, FP4, E8M0), arXiv 2206.02915 (the FNUZ variants).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from functools import cached_property
from typing import Any


class UnknownNameError(ValueError):
    """A name that stands for no format, mode or policy; the message lists those that exist."""


class Specials(Enum):
    """Which codes of a format do not stand for an ordinary finite number."""

    IEEE = "ieee"
    """Exponent field all ones: infinity if the fraction is zero, NaN otherwise."""

    FN = "fn"
    """No infinity; NaN is the one magnitude code with all bits set."""

    FNUZ = "fnuz"
    """No infinity and no negative zero; the code of negative zero is the only NaN."""

    FINITE = "finite"
    """Neither infinity nor NaN."""


class RoundingMode(Enum):
    """How an inexact result becomes a representable one (IEEE 754-2019 clause 4.3)."""

    NEAREST_EVEN = "rne"
    NEAREST_AWAY = "rna"
    TOWARD_ZERO = "rtz"
    UP = "rtp"
    DOWN = "rtn"
    TO_ODD = "rto"
    """Not in IEEE 754: an inexact result becomes the neighbour whose last fraction bit is one.

    An overflow stays at the largest finite number, whatever its last bit.
    """

    @property
    def label(self) -> str:
        """The mode in words."""
        return self.name.lower().replace("_", " ")

    @property
    def places(self) -> int:
        """How many of the lost places count one by one; of those below, whether there is anything."""
        return 1


NEAREST = (RoundingMode.NEAREST_EVEN, RoundingMode.NEAREST_AWAY)
"""Modes to the nearest number, whatever becomes of ties; what overflows goes to infinity."""

RANDOM = "random"
"""The name of the input bus of random bits."""

MOST_RANDOM_BITS = 64
"""A random word has no more bits."""


@dataclass(frozen=True)
class Stochastic:
    """Rounding by a random word: the larger what is lost, the more words round away from zero.

    Not in IEEE 754. Where rounding toward zero loses the fraction f of the last place, 0 <= f < 1, the
    magnitude becomes the next larger one iff word + floor(f * 2^bits) >= 2^bits; that is for exactly
    floor(f * 2^bits) of all 2^bits words. An overflow goes to infinity.

    Args:
        bits: of the random word, 1 to ``MOST_RANDOM_BITS``.
        word: the word where it is drawn: an integer, a formula or a bus, unsigned.

    Raises:
        ValueError: if there are no bits, or too many.
    """

    bits: int
    word: Any = None

    def __post_init__(self) -> None:
        if not 1 <= self.bits <= MOST_RANDOM_BITS:
            raise ValueError(f"stochastic rounding is by 1 to {MOST_RANDOM_BITS} bits, not {self.bits}")

    @property
    def value(self) -> str:
        """As used in theorem names: ``stochastic8``."""
        return f"stochastic{self.bits}"

    @property
    def label(self) -> str:
        """The mode in words."""
        return f"stochastically by {self.bits} random bits"

    @property
    def places(self) -> int:
        """How many of the lost places count one by one; of those below, whether there is anything."""
        return self.bits


Mode = RoundingMode | Stochastic


def mode_named(name: str) -> Mode | None:
    """The mode of that value; None if there is no such.

    Raises:
        ValueError: if it is stochastic with no bits, or too many.
    """
    if parts := re.fullmatch(r"stochastic(0|[1-9]\d{0,8})", name, re.ASCII):
        return Stochastic(int(parts[1]))
    return next((mode for mode in RoundingMode if mode.value == name), None)


def require_rounding(mode: Mode, operation: str) -> None:
    """Refuse stochastic rounding for an operation that has none.

    Raises:
        ValueError: naming those that have.
    """
    if isinstance(mode, Stochastic) and operation not in STOCHASTIC_OPERATIONS:
        names = ", ".join(STOCHASTIC_OPERATIONS)
        raise ValueError(f"{operation} does not round stochastically; what does: {names}")


def drawn(mode: Mode, inputs: Mapping[str, Any]) -> Mode:
    """A mode with the random word that is among the inputs, where it takes one."""
    return replace(mode, word=inputs[RANDOM]) if isinstance(mode, Stochastic) else mode


class OverflowPolicy(Enum):
    """What is delivered wherever IEEE 754 calls for an infinite result.

    IEEE 754 calls for one in two cases: a finite result overflows and the rounding mode sends it to
    infinity (clause 7.4; the other modes deliver the largest finite number under every policy), or
    the operation on its operands is infinite exactly (clause 6.1).
    """

    IEEE = "ieee"
    """The infinity itself; only for formats that have one."""

    SATURATE = "saturate"
    """The largest finite number of the same sign (``SAT`` in the OCP FP8 specification)."""

    NAN = "nan"
    """The canonical NaN; only for formats that have one."""

    @property
    def label(self) -> str:
        """The policy in words."""
        return {"ieee": "IEEE overflow", "saturate": "overflow saturates", "nan": "overflow is NaN"}[
            self.value
        ]


FLAGS = ("invalid", "divide_by_zero", "overflow", "underflow", "inexact")
"""The exceptions of IEEE 754-2019 clause 7, in the order of their bits in a flags word, LSB first."""

CLASSES = (
    "signalling_nan",
    "quiet_nan",
    "negative_infinity",
    "negative_normal",
    "negative_subnormal",
    "negative_zero",
    "positive_zero",
    "positive_subnormal",
    "positive_normal",
    "positive_infinity",
)
"""The classes of IEEE 754-2019 clause 5.7.2 in its order, which is that of their bits, LSB first.

RISC-V's ``FCLASS`` has the two NaNs at the end: our word turned right by two places.
"""

REMAINDERS = ("remainder", "truncated_remainder")
"""The operations that deliver x - y * n, n being x / y rounded to nearest even, or toward zero.

They never round: the first is clause 5.3.1's ``remainder``, the second ``fmod`` of C.
"""

ARITY = {
    **{"add": 2, "subtract": 2, "multiply": 2, "divide": 2, "square_root": 1, "fma": 3, "convert": 1},
    **dict.fromkeys(REMAINDERS, 2),
}
"""The operations on numbers, by name, and how many operands each has (``fma``: x * y + z)."""

STOCHASTIC_OPERATIONS = ("add", "subtract", "multiply", "fma", "convert")
"""Those of them that can round stochastically."""

OPERANDS = ("x", "y", "z")
"""The names of operands, in order."""


class Coded:
    """A format of which some codes may stand for no finite number."""

    name: str
    specials: Specials

    @property
    def has_infinity(self) -> bool:
        """Whether infinities have codes."""
        return self.specials is Specials.IEEE

    @property
    def has_nan(self) -> bool:
        """Whether some code is NaN."""
        return self.specials is not Specials.FINITE

    @cached_property
    def policies(self) -> tuple[OverflowPolicy, ...]:
        """The overflow policies this format can express."""
        possible = {
            OverflowPolicy.IEEE: self.has_infinity,
            OverflowPolicy.SATURATE: True,
            OverflowPolicy.NAN: self.has_nan,
        }
        return tuple(policy for policy, can in possible.items() if can)

    def require_policy(self, policy: OverflowPolicy) -> None:
        """Refuse an overflow policy that this format cannot express.

        Raises:
            ValueError: naming the policies that it can.
        """
        if policy not in self.policies:
            names = ", ".join(p.value for p in self.policies)
            raise ValueError(f"format {self.name} has no policy {policy.value!r}; it has: {names}")


@dataclass(frozen=True)
class Format(Coded):
    """A binary floating-point format.

    Args:
        name: as used in theorem names, for example ``fp8_e4m3fn``.
        exponent_bits: width of the exponent field, at least 2.
        fraction_bits: width of the fraction field, at least 1.
        bias: a normal number with exponent field e has the exponent ``e - bias``.
        specials: which codes are NaN, infinity, negative zero.

    Raises:
        ValueError: if a field is too narrow.
    """

    name: str
    exponent_bits: int
    fraction_bits: int
    bias: int
    specials: Specials

    def __hash__(self) -> int:
        """Formats are keys of much that is remembered; hashing all fields would be most of the time."""
        return hash(self.name)

    def __post_init__(self) -> None:
        if self.exponent_bits < 2 or self.fraction_bits < 1:
            raise ValueError(
                f"format {self.name}: needs at least 2 exponent bits and 1 fraction bit, "
                f"got {self.exponent_bits} and {self.fraction_bits}"
            )

    @cached_property
    def width(self) -> int:
        """Bits in a code, the sign bit included."""
        return 1 + self.magnitude_bits

    @cached_property
    def magnitude_bits(self) -> int:
        """Bits in a magnitude code."""
        return self.exponent_bits + self.fraction_bits

    @property
    def precision(self) -> int:
        """Bits in the significand, the hidden bit included (p in IEEE 754)."""
        return self.fraction_bits + 1

    @cached_property
    def minimum_exponent(self) -> int:
        """Exponent of the smallest normal number, and of every subnormal (emin in IEEE 754)."""
        return 1 - self.bias

    @property
    def maximum_exponent(self) -> int:
        """Exponent of the largest finite number (emax in IEEE 754)."""
        return (self.largest_finite >> self.fraction_bits) - self.bias

    @property
    def has_negative_zero(self) -> bool:
        """Whether zero has a sign."""
        return self.specials is not Specials.FNUZ

    @cached_property
    def sign_mask(self) -> int:
        """The code in which only the sign bit is set."""
        return 1 << self.magnitude_bits

    @cached_property
    def infinity(self) -> int:
        """Code of positive infinity.

        Raises:
            ValueError: if the format has none.
        """
        if not self.has_infinity:
            raise ValueError(f"format {self.name} has no infinity")
        return ((1 << self.exponent_bits) - 1) << self.fraction_bits

    @property
    def nan_of_ones(self) -> int:
        """The positive NaN with all fraction bits set, or a format's only NaN.

        Raises:
            ValueError: if the format has no NaN.
        """
        return (1 << self.magnitude_bits) - 1 if self.specials is Specials.IEEE else self.canonical_nan

    @cached_property
    def canonical_nan(self) -> int:
        """The one NaN code that units and specs deliver: positive, quiet, no payload.

        Raises:
            ValueError: if the format has no NaN.
        """
        match self.specials:
            case Specials.IEEE:
                return self.infinity | 1 << (self.fraction_bits - 1)
            case Specials.FN:
                return (1 << self.magnitude_bits) - 1
            case Specials.FNUZ:
                return self.sign_mask
        raise ValueError(f"format {self.name} has no NaN")

    def is_nan(self, code: int) -> bool:
        """Whether a code is one of the format's NaNs."""
        magnitude_code = code & (self.sign_mask - 1)
        match self.specials:
            case Specials.IEEE:
                return magnitude_code > self.infinity
            case Specials.FN:
                return magnitude_code == self.sign_mask - 1
            case Specials.FNUZ:
                return code == self.sign_mask
        return False

    @cached_property
    def largest_finite(self) -> int:
        """Magnitude code of the largest finite number."""
        all_ones = (1 << self.magnitude_bits) - 1
        match self.specials:
            case Specials.IEEE:
                return self.infinity - 1
            case Specials.FN:
                return all_ones - 1
        return all_ones


def ieee_format(exponent_bits: int, fraction_bits: int, name: str | None = None) -> Format:
    """The IEEE-style format of any (exponent, fraction) pair: named ``eXmY`` unless told otherwise."""
    return Format(
        name or f"e{exponent_bits}m{fraction_bits}",
        exponent_bits,
        fraction_bits,
        bias=(1 << (exponent_bits - 1)) - 1,
        specials=Specials.IEEE,
    )


FP4_E2M1 = Format("fp4_e2m1", 2, 1, 1, Specials.FINITE)
FP6_E2M3 = Format("fp6_e2m3", 2, 3, 1, Specials.FINITE)
FP6_E3M2 = Format("fp6_e3m2", 3, 2, 3, Specials.FINITE)
FP8_E4M3FN = Format("fp8_e4m3fn", 4, 3, 7, Specials.FN)
FP8_E5M2 = Format("fp8_e5m2", 5, 2, 15, Specials.IEEE)
FP8_E4M3FNUZ = Format("fp8_e4m3fnuz", 4, 3, 8, Specials.FNUZ)
FP8_E5M2FNUZ = Format("fp8_e5m2fnuz", 5, 2, 16, Specials.FNUZ)
BFLOAT16 = ieee_format(8, 7, "bfloat16")
FP16 = ieee_format(5, 10, "fp16")
TF32 = ieee_format(8, 10, "tf32")
FP32 = ieee_format(8, 23, "fp32")
FP64 = ieee_format(11, 52, "fp64")

SMALL_FORMATS: tuple[Format, ...] = (
    FP8_E4M3FN,
    FP8_E5M2,
    FP8_E4M3FNUZ,
    FP8_E5M2FNUZ,
    FP6_E2M3,
    FP6_E3M2,
    FP4_E2M1,
)
"""Every named format of up to 8 bits: small enough to enumerate all pairs of codes."""

FORMATS: dict[str, Format] = {f.name: f for f in (*SMALL_FORMATS, BFLOAT16, FP16, TF32, FP32, FP64)}
"""The formats that everything is promised for, by name."""

FP8_E4M3 = ieee_format(4, 3, "fp8_e4m3")
FP8_E4M3B11FNUZ = Format("fp8_e4m3b11fnuz", 4, 3, 11, Specials.FNUZ)

OTHER_FORMATS: dict[str, Format] = {f.name: f for f in (FP8_E4M3, FP8_E4M3B11FNUZ)}
"""Formats that others name (``ml_dtypes``, XLA), of which less is promised."""

LARGEST = ieee_format(15, 112)
"""No format of a name has more exponent or fraction bits than IEEE 754's binary128."""


def format_named(name: str) -> Format:
    """The format of that name: one of ``FORMATS`` or ``OTHER_FORMATS``, or of any width.

    ``eXmY`` is the IEEE-style format of X exponent and Y fraction bits. ``eXmYfn`` and ``eXmYfnuz`` have
    the specials and the bias of ``fp8_e4m3fn`` and ``fp8_e4m3fnuz``. ``fp_eXmY`` is ``eXmY``.

    Raises:
        UnknownNameError: if it is none of these; naming them.
    """
    named = {**FORMATS, **OTHER_FORMATS}
    if name in named:
        return named[name]
    if parts := re.fullmatch(r"(?:fp_)?(e([1-9]\d*)m([1-9]\d*)(fn|fnuz|))", name, re.ASCII):
        exponent_bits, fraction_bits = int(parts[2]), int(parts[3])
        most = LARGEST
        if exponent_bits > most.exponent_bits or fraction_bits > most.fraction_bits:
            raise UnknownNameError(
                f"format {name} is too wide; the widest has {most.exponent_bits} exponent and "
                f"{most.fraction_bits} fraction bits"
            )
        bias = (1 << exponent_bits - 1) - (parts[4] != "fnuz")
        specials = Specials(parts[4] or "ieee")
        return Format(parts[1], exponent_bits, fraction_bits, bias, specials)
    raise UnknownNameError(
        f"unknown format {name!r}; known: {', '.join(named)}, or eXmY, eXmYfn, eXmYfnuz for any widths"
    )


Source = Format | tuple[Format, ...]
"""The formats of an operation's operands: one of all of them, or one of each."""


def operand_formats(source: Source, count: int) -> tuple[Format, ...]:
    """The format of each of so many operands.

    Raises:
        ValueError: if there are neither one nor as many.
    """
    formats = source if isinstance(source, tuple) else (source,) * count
    if len(formats) != count:
        names = ", ".join(fmt.name for fmt in formats)
        raise ValueError(
            f"{len(formats)} formats for {count} operands: {names}; give one, or one of each"
        )
    return formats


def shortest_source(operation: str, fmt: Format, source: Source) -> Source | None:
    """The formats of operands, as they are said: one if all are alike, none if that is the result's.

    Raises:
        ValueError: if there are neither one nor as many as the operation has operands.
    """
    formats = operand_formats(source, ARITY[operation])
    if len(set(formats)) > 1:
        return formats
    return None if formats[0] == fmt and operation != "convert" else formats[0]


# --- integers -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Integer:
    """An integer format: two's complement if signed, plain binary if not. A code is its bit pattern.

    Args:
        width: bits in a code, at least 2.

    Raises:
        ValueError: if it is too narrow.
    """

    width: int
    signed: bool

    def __post_init__(self) -> None:
        if self.width < 2:
            raise ValueError(f"an integer format needs at least 2 bits, got {self.width}")

    @property
    def name(self) -> str:
        """As used in theorem names: ``int8``, ``uint64``."""
        return f"{'int' if self.signed else 'uint'}{self.width}"

    @property
    def minimum(self) -> int:
        """The least number."""
        return -(1 << self.width - 1) if self.signed else 0

    @property
    def maximum(self) -> int:
        """The largest number."""
        return (1 << self.width - self.signed) - 1


INTEGERS: dict[str, Integer] = {
    integer.name: integer
    for integer in (Integer(width, signed) for width in (8, 16, 32, 64) for signed in (True, False))
}
"""The integer formats that conversions are promised for, by name."""


def scale_integer(fmt: Format) -> Integer:
    """The integers n of ``scale_b``, x * 2^n: they bring every number of the format beyond all others.

    From the smallest subnormal number beyond the largest finite one, and from that below half of the
    former. This is two bits more than in the exponent field for every one of ``FORMATS``.
    """
    distance = fmt.maximum_exponent - (fmt.minimum_exponent - fmt.fraction_bits) + 1
    return Integer(distance.bit_length() + 1, signed=True)


# --- block scales -------------------------------------------------------------------------------


@dataclass(frozen=True)
class ScaleFormat(Coded):
    """A format of powers of two: code c stands for 2^(c - bias). No sign, no zero, no infinity.

    The code with all bits set is its only NaN.
    """

    name: str
    width: int
    bias: int
    specials: Specials = Specials.FN

    @property
    def nan(self) -> int:
        """The code that is not a number."""
        return (1 << self.width) - 1

    @property
    def largest(self) -> int:
        """The code of the largest number."""
        return self.nan - 1


E8M0 = ScaleFormat("e8m0", 8, 127)
"""The scales of MX blocks (OCP Microscaling Formats 1.0, section 5.4.1)."""

MX_BLOCK_SIZE = 32
"""Elements that share one scale (OCP Microscaling Formats 1.0, section 5.2)."""

MX_ELEMENTS: tuple[Format, ...] = (FP8_E4M3FN, FP8_E5M2, FP6_E2M3, FP6_E3M2, FP4_E2M1)
"""The floating-point elements of MX blocks (OCP Microscaling Formats 1.0, section 5.3)."""

MX_OPERATIONS = {"mx_scale": "convert", "mx_multiply": "multiply"}
"""Operations on scaled elements, by name: each is the named operation, of which every operand is an
element times the scale of its block."""


# --- several numbers in a word ------------------------------------------------------------------


@dataclass(frozen=True)
class Packed:
    """Words of several codes side by side, the first in the lowest bits.

    So are FP4 numbers packed by CUDA (``__nv_cvt_float2_to_fp4x2``; PTX, ``cvt`` to ``.e2m1x2``) and by
    PyTorch (``Float4_e2m1fn_x2.h``). Nothing is left free between them; PTX keeps FP6 numbers in bytes.

    Args:
        element: the format of each code.
        count: how many there are.
    """

    element: Format | Integer | ScaleFormat
    count: int

    @property
    def name(self) -> str:
        """As used in theorem names: ``fp4_e2m1x2``."""
        return f"{self.element.name}x{self.count}"

    @property
    def width(self) -> int:
        """Bits in a word."""
        return self.element.width * self.count


AnyFormat = Format | Integer | ScaleFormat | Packed
"""What the codes on a bus may be of."""
