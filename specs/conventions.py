"""What IEEE 754 leaves to the implementer, and where real hardware departs from it, as plain data.

A *convention* is a named parameter of a theorem, beside its format, mode and overflow policy. Each of
its choices has one value that goes unsaid, and words for the others, which stand in names of theorems in
the order of the fields: ``daz.ftz_after``. Some combinations have a name of their own: see ``BUNDLES``.

Sources: IEEE 754-2019; Intel 64 and IA-32 Architectures Software Developer's Manual, volume 1 (SDM);
Arm Architecture Reference Manual for A-profile (DDI 0487), pseudocode ``shared/functions/float``;
The RISC-V Instruction Set Manual, volume I, chapters F and D; PTX ISA, instructions with ``.ftz``;
WebAssembly Core Specification, section 4.3.3; The OpenCL C Specification, section 7; ``cuda_fp8.hpp`` of
CUDA 13.0.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from difflib import get_close_matches
from enum import Enum
from functools import cached_property
from typing import Any

from spikeproof.specs.formats import Coded, Specials, UnknownNameError


class NanResult(Enum):
    """Which code a result that is not a number has (clauses 6.2.1, 6.2.3)."""

    CANONICAL = ""
    """The format's canonical NaN."""

    FIRST = "first_nan"
    """The first operand that is NaN, made quiet; the canonical NaN where no operand is."""

    LAST = "last_nan"
    """The last such operand."""

    X86 = "x86_nan"
    """The first such operand; where none is, the canonical NaN with its sign set, called the real
    indefinite (SDM 4.8.3.5, table 4-7; 4.8.3.7)."""

    ARM = "arm_nan"
    """The first operand that is a signalling NaN, else the first NaN, the addend of ``fma`` before its
    factors; the canonical NaN where no operand is, and where infinity times zero is added to a quiet NaN
    (``FPProcessNaNs``, ``FPProcessNaNs3``, ``FPMulAdd``)."""

    ONES = "all_ones_nan"
    """The positive NaN with all fraction bits set; in a format with one NaN, that (CUDA C++ Programming
    Guide, appendix on compute capabilities, "the bit pattern 0x7fffffff"; ``CUDART_NAN_F``; PTX ISA)."""

    WEBASSEMBLY = "wasm_nan"
    """Some quiet NaN; where no operand is a NaN with another payload than the canonical one, that, of
    either sign (WebAssembly Core Specification 4.3.3, NaN propagation)."""

    ANY = "any_nan"
    """Some code that is NaN: every one is allowed (The OpenCL C Specification, section 7)."""


SEVERAL = (NanResult.WEBASSEMBLY, NanResult.ANY)
"""Under these several codes are right where a result is not a number; specs give the canonical one."""

BY_PLACE = (NanResult.FIRST, NanResult.LAST, NanResult.X86, NanResult.ARM)
"""Under these it depends on which operand stands first: x + y and y + x are not one operation."""


class NanOperands(Enum):
    """Whether some NaN operands signal."""

    QUIET = ""
    """None does."""

    SIGNALLING = "signalling"
    """Those whose first fraction bit is 0 raise invalid (clauses 6.2.1, 7.2)."""


class ZeroTimesInfinity(Enum):
    """What ``fma`` signals where zero times infinity is added to a quiet NaN (clause 7.2 c)."""

    SILENT = ""
    INVALID = "invalid_product"


class SubnormalOperands(Enum):
    """What a subnormal operand counts as."""

    GRADUAL = ""
    """Its value."""

    ZERO = "daz"
    """Zero (denormals are zero; SDM 10.2.3.4)."""


class SubnormalResults(Enum):
    """What is delivered for a result that is tiny: smaller than every normal number, and not zero.

    A flushed result is zero, whatever the rounding mode, and raises underflow.
    """

    GRADUAL = ""
    """What it rounds to."""

    ZERO_BEFORE = "ftz_before"
    """Zero, if it is tiny before rounding (Arm, ``FPRound`` with FZ)."""

    ZERO_AFTER = "ftz_after"
    """Zero, if it is tiny after rounding: as with an exponent without bounds (x86, SDM 10.2.3.3)."""

    ZERO_CODE = "ftz"
    """Zero, if what it rounds to is subnormal (Microchip, dsPIC33A, Flush-To-Zero: FCR.FTZ; so we read
    PTX, which says that subnormal results are flushed)."""


class FlushedSign(Enum):
    """The sign of what is flushed."""

    KEPT = ""
    POSITIVE = "unsigned_flush"


class FlushedInexact(Enum):
    """Whether a flushed result raises inexact too."""

    RAISED = ""
    SILENT = "silent_flush"
    """It does not (Arm, ``FPRound`` with FZ)."""


class Tininess(Enum):
    """When it is told whether a result is tiny, for the underflow flag (clause 7.5)."""

    BEFORE = ""
    """Before rounding."""

    AFTER = "tiny_after"
    """After it: rounded as with an exponent without bounds, it is smaller than every normal number."""


class IntegerResult(Enum):
    """What a conversion to an integer delivers for NaN, infinities, and what rounds beyond its range.

    All of them raise invalid (clause 7.2 j).
    """

    SATURATED = ""
    """The nearest end of the range, and 0 for NaN (Arm, ``FPToFixed``; WebAssembly, ``trunc_sat``)."""

    LARGEST_FOR_NAN = "largest_for_nan"
    """The nearest end of the range, and its upper end for NaN (RISC-V, table of ``FCVT``)."""

    INDEFINITE = "indefinite"
    """The least signed integer, or the largest unsigned one (x86, SDM 4.8.3.7 and table E-1)."""

    WRAPPED = "wrapped"
    """The number modulo 2^width, and 0 for what is none (ECMAScript, ``ToInt32``)."""


class IntegerInexact(Enum):
    """Whether a conversion to an integer raises inexact, or rounding to one (clauses 5.8, 5.9)."""

    RAISED = ""
    """It does: convertToIntegerExact, roundToIntegralExact, and the instructions of processors."""

    SILENT = "silent_conversion"
    """It does not: convertToInteger and roundToIntegral without Exact in their names."""


class ScaleOperands(Enum):
    """What a conversion to E8M0, which has no sign and no zero, makes of negative numbers and zeros."""

    MAGNITUDE = ""
    """The sign is ignored, and zero becomes the smallest scale (CUDA, ``__nv_cvt_float_to_e8m0``; PTX,
    ``cvt`` to ``.ue8m0x2``; PyTorch, ``Float8_e8m0fnu.h``)."""

    POSITIVE = "positive_scale"
    """NaN (``ml_dtypes.float8_e8m0fnu``)."""


class ScaleRounding(Enum):
    """How a number below twice the smallest scale is rounded to one."""

    BY_VALUE = ""
    """As all others: to one of the two scales around it (CUDA, PTX)."""

    GRADUAL = "gradual_scale"
    """As in gradual underflow: to a multiple of twice the smallest scale, which itself stands for zero.
    So does what rounds the subnormal numbers of FP32 by their bits (PyTorch, ``Float8_e8m0fnu.h``;
    ``ml_dtypes.float8_e8m0fnu``)."""


@dataclass(frozen=True)
class Convention:
    """How results are delivered and exceptions signalled, beside format, mode and policy.

    Each choice is documented with its values.
    """

    nan: NanResult = NanResult.CANONICAL
    nan_operands: NanOperands = NanOperands.QUIET
    zero_times_infinity: ZeroTimesInfinity = ZeroTimesInfinity.SILENT
    subnormal_operands: SubnormalOperands = SubnormalOperands.GRADUAL
    subnormal_results: SubnormalResults = SubnormalResults.GRADUAL
    flushed_sign: FlushedSign = FlushedSign.KEPT
    flushed_inexact: FlushedInexact = FlushedInexact.RAISED
    tininess: Tininess = Tininess.BEFORE
    integer_result: IntegerResult = IntegerResult.SATURATED
    integer_inexact: IntegerInexact = IntegerInexact.RAISED
    scale_operands: ScaleOperands = ScaleOperands.MAGNITUDE
    scale_rounding: ScaleRounding = ScaleRounding.BY_VALUE

    def __hash__(self) -> int:
        """Conventions are keys of much that is remembered: of all choices few are said."""
        return hash(self.words)

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The words of all choices that do not go unsaid, in order."""
        return tuple(choice.value for choice in self.choices if choice.value)

    @cached_property
    def name(self) -> str:
        """Its words, joined by dots; before them, in place of two or more, one of ``BUNDLES``."""
        said: tuple[str, ...] = ()
        bundle = ""
        for name, each in BUNDLES.items():
            if len(each.words) > max(1, len(said)) and set(each.words) <= set(self.words):
                bundle, said = name, each.words
        others = (word for word in self.words if word not in said)
        return ".".join(filter(None, (bundle, *others)))

    @property
    def in_words(self) -> str:
        """What is said of it, for people; nothing of what goes unsaid."""
        return ", ".join(_IN_WORDS[word] for word in self.words)

    @property
    def choices(self) -> tuple[Enum, ...]:
        """One value for each field, in order."""
        return tuple(getattr(self, each.name) for each in fields(self))

    def only(self, names: Iterable[str]) -> Convention:
        """Its choices in the fields of these names; in all others, what goes unsaid."""
        return replace(IEEE, **{name: getattr(self, name) for name in names})

    def neighbours(self) -> Iterator[Convention]:
        """The conventions that differ from it in one choice, then ``BUNDLES``."""
        for each, chosen in zip(fields(self), self.choices, strict=True):
            for choice in type(chosen):
                changed: dict[str, Any] = {each.name: choice}
                if choice is not chosen:
                    yield replace(self, **changed)
        yield from (bundle for bundle in BUNDLES.values() if bundle != self)

    def is_possible(self, *formats: Coded) -> bool:
        """Whether an operation on these formats can have the convention."""
        payloads = self.nan not in (NanResult.CANONICAL, NanResult.ONES, *SEVERAL)
        return not payloads or all(fmt.specials is Specials.IEEE for fmt in formats)

    def require_possible(self, *formats: Coded) -> None:
        """Refuse a convention that one of an operation's formats cannot have.

        Raises:
            ValueError: naming the choice, and what the format can have in its place.
        """
        for fmt in formats:
            if not self.is_possible(fmt):
                bundles = ", ".join(name for name, each in BUNDLES.items() if each.is_possible(fmt))
                nans = (
                    nan for nan in NanResult if fmt.has_nan and replace(IEEE, nan=nan).is_possible(fmt)
                )
                words = ", ".join(nan.value for nan in nans if nan.value)
                raise ValueError(
                    f"format {fmt.name} has no NaN with a payload, so no {self.nan.value!r}; "
                    f"use of bundles {bundles}{', or of words ' if words else ''}{words}"
                )


IEEE = Convention()
"""The convention that goes unsaid."""

BUNDLES: dict[str, Convention] = {
    "ieee": IEEE,
    "riscv": Convention(
        nan_operands=NanOperands.SIGNALLING,
        zero_times_infinity=ZeroTimesInfinity.INVALID,
        tininess=Tininess.AFTER,
        integer_result=IntegerResult.LARGEST_FOR_NAN,
    ),
    "arm": Convention(
        nan=NanResult.ARM,
        nan_operands=NanOperands.SIGNALLING,
        zero_times_infinity=ZeroTimesInfinity.INVALID,
    ),
    "arm_default_nan": Convention(
        nan_operands=NanOperands.SIGNALLING, zero_times_infinity=ZeroTimesInfinity.INVALID
    ),
    "x86_sse": Convention(
        nan=NanResult.X86,
        nan_operands=NanOperands.SIGNALLING,
        tininess=Tininess.AFTER,
        integer_result=IntegerResult.INDEFINITE,
    ),
    "cuda": Convention(
        nan=NanResult.ONES,
        subnormal_operands=SubnormalOperands.ZERO,
        subnormal_results=SubnormalResults.ZERO_CODE,
    ),
    "wasm": Convention(nan=NanResult.WEBASSEMBLY),
    "opencl": Convention(nan=NanResult.ANY),
}
"""Combinations by name."""

EXTREMA = (
    *("minimum", "maximum", "minimum_number", "maximum_number"),
    *("min_num", "max_num", "x86_minimum", "x86_maximum"),
    *("minimum_magnitude", "maximum_magnitude"),
    *("minimum_magnitude_number", "maximum_magnitude_number"),
    *("min_num_magnitude", "max_num_magnitude"),
)
"""The operations of IEEE 754-2019 clause 9.6, of IEEE 754-2008 clause 5.3.1, and of x86."""

OF_2008 = tuple(each for each in EXTREMA if each.startswith(("min_num", "max_num")))
"""Those of IEEE 754-2008."""

PROPAGATING = ("minimum", "maximum", "minimum_magnitude", "maximum_magnitude")
"""Those that one NaN makes NaN."""

_IN_WORDS = {
    "all_ones_nan": "the NaN of all ones",
    "wasm_nan": "any quiet NaN will do that WebAssembly allows",
    "any_nan": "any NaN will do",
    "first_nan": "NaN of the first operand that is one",
    "last_nan": "NaN of the last operand that is one",
    "x86_nan": "NaN as of x86",
    "arm_nan": "NaN as of Arm",
    "signalling": "signalling NaNs raise invalid",
    "invalid_product": "zero times infinity always raises invalid",
    "daz": "subnormal operands are zero",
    "ftz_before": "results that are tiny before rounding are zero",
    "ftz_after": "results that are tiny after rounding are zero",
    "ftz": "subnormal results are zero",
    "unsigned_flush": "flushed to +0",
    "silent_flush": "flushed without inexact",
    "tiny_after": "tininess after rounding",
    "largest_for_nan": "the largest integer for NaN",
    "indefinite": "the indefinite integer beyond the range",
    "wrapped": "integers modulo 2^width",
    "silent_conversion": "conversion to integers without inexact",
    "positive_scale": "NaN for the scale of what is not positive",
    "gradual_scale": "the smallest scale rounded to as zero is",
}
"""The words of choices, for people."""

_WORDS: dict[str, tuple[str, Any]] = {
    choice.value: (name, choice)
    for name, usual in zip((each.name for each in fields(Convention)), IEEE.choices, strict=True)
    for choice in type(usual)
    if choice.value
}


def require_bearing(words: Iterable[str], names: Collection[str], operation: str) -> None:
    """Refuse words of choices in other fields than those that play a part in an operation.

    Bundles are of all operations, and are never refused.

    Raises:
        ValueError: naming the words that do play a part.
    """
    for word in words:
        if word in _WORDS and _WORDS[word][0] not in names:
            others = ", ".join(other for other, (name, _) in _WORDS.items() if name in names)
            raise ValueError(f"{word!r} means nothing to {operation}; use a bundle, or of: {others}")


def _unknown(word: str, beside: Mapping[str, Iterable[str]], can_have: Callable[[str], bool]) -> str:
    """That a word is none, what may have been meant, and what there is."""
    others = {other: kind for kind, words in beside.items() for other in words}
    names = [name for name in (*BUNDLES, *_WORDS) if can_have(name)]
    close = get_close_matches(word.lower(), [*names, *others], cutoff=0.5)
    maybe = f"did you mean {' or '.join(close)}? " if close else ""
    near = close[:1] == get_close_matches(word.lower(), others, n=1)
    kind = others[close[0]] if near and close else ""
    choices = ", ".join(beside.get(kind, ()))
    if ", " not in choices:  # it may be a word of a convention too
        kind, choices = "convention", ", ".join(names)
    return f"unknown {kind} {word!r}; {maybe}choose one of {choices}"


def convention_named(
    name: str,
    beside: Mapping[str, Iterable[str]] | None = None,
    can_have: Callable[[str], bool] = lambda word: True,
) -> Convention:
    """The convention of a name: words of choices joined by dots, before them perhaps one of ``BUNDLES``.

    Args:
        beside: other words, of which an unknown one may be meant, by what they say.
        can_have: of words and bundles those that are worth naming in place of an unknown one.

    Raises:
        UnknownNameError: if a word is none, naming those that there are, or contradicts another.
    """
    first, _, rest = name.partition(".")
    base, words = (BUNDLES[first], rest) if first in BUNDLES else (IEEE, name)
    chosen: dict[str, Any] = {}
    for word in filter(None, words.split(".")):
        if word in BUNDLES:
            raise UnknownNameError(f"{word!r} is a bundle; name one, before all other words")
        if word not in _WORDS:
            raise UnknownNameError(_unknown(word, beside or {}, can_have))
        field, choice = _WORDS[word]
        if field in chosen:
            raise UnknownNameError(
                f"{word!r} contradicts {chosen[field].value!r}; leave out one of them"
            )
        chosen[field] = choice
    return replace(base, **chosen) if chosen else base
