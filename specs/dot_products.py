"""Dot products as matrix hardware takes them: what is to be said of one, as plain data.

A dot product has N products x1 * y1, ..., xN * yN and perhaps an addend z. Hardware does not round after
each addition: terms are brought to the largest of their exponents, each loses what lies more than F
places below that, the rest is added exactly, and the sum is rounded once.

Sources: M. Fasi, N. J. Higham, M. Mikaitis, S. Pranesh, "Numerical behavior of NVIDIA tensor cores",
PeerJ Computer Science 7:e330 (2021); MMA-Sim, arXiv 2511.10909 and github.com/microsoft/MMA-Sim.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeVar

from spikeproof.specs.formats import Format

T = TypeVar("T")


class Truncation(Enum):
    """What is left of a term whose last places are lost."""

    MAGNITUDE = ""
    """Its magnitude is rounded toward zero, before it has a sign (NVIDIA)."""

    FLOOR = "floor"
    """The number with its sign is rounded down, as two's complement is by leaving bits out."""


class ZeroTerms(Enum):
    """Whether a term that is zero has a part in the largest exponent.

    In place of these a number may stand: then every zero term has that exponent. MMA-Sim has -131 on
    Volta, -132 on Turing, Ampere and Ada, -133 on Hopper and Blackwell. Where factors are FP16 or
    narrower that is the same as having none: all terms that are not zero have larger exponents.
    """

    SKIPPED = ""
    """It has none."""

    COUNTED = "zeros_count"
    """A zero has the exponent of subnormal numbers, and a product that of its factors together."""


class ZeroSign(Enum):
    """The sign of a sum that is zero."""

    POSITIVE = ""
    """Positive, whatever is added."""

    OF_TERMS = "signed_zero"
    """That of all terms, where they have the same; else positive, or negative in rounding mode down, as
    IEEE 754-2019 clause 6.3 has it for two."""


class Overflow(Enum):
    """What a finite sum becomes whose magnitude rounds to more than the largest number."""

    OF_MODE = ""
    """Infinity or the largest number, as the rounding mode says (IEEE 754-2019 clause 7.4)."""

    INFINITE = "to_infinity"
    """Infinity in every mode."""


MOST_TERMS = 64
"""A dot product has no more products."""

MOST_PLACES = 128
"""No more places are kept below the largest exponent, but all."""

MOST_BELOW = 1 << 16
"""No zero has a smaller exponent than this, negated."""


@dataclass(frozen=True)
class DotProduct:
    """How N products, and perhaps an addend, are added.

    The exponent of a number is that of its format's normal numbers around it, the least one for
    subnormal numbers and zero; that of a product is the sum of its factors'. So a product is less than
    4 * 2^exponent, and may be less than 2^exponent.

    Args:
        terms: how many products.
        addend: whether a number is added to them.
        places: F: so many binary places are kept below the largest exponent. None if all are: then the
            sum is exact (Kulisch), and neither exponents nor truncation play a part.
        scaled: whether factors are of MX blocks: each product is multiplied by the scales of both,
            whose exponents are added to its own.

    Raises:
        ValueError: if there are too few or too many products or places.
    """

    terms: int
    addend: bool = False
    places: int | None = None
    truncation: Truncation = Truncation.MAGNITUDE
    zeros: ZeroTerms | int = ZeroTerms.SKIPPED
    zero_sign: ZeroSign = ZeroSign.POSITIVE
    overflow: Overflow = Overflow.OF_MODE
    scaled: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.terms <= MOST_TERMS:
            raise ValueError(f"a dot product is of 1 to {MOST_TERMS} products, not {self.terms}")
        if self.places is None:
            if self.truncation is not Truncation.MAGNITUDE or self.zeros is not ZeroTerms.SKIPPED:
                raise ValueError(
                    "nothing of an exact dot product is truncated; say how many places are kept"
                )
        elif not 1 <= self.places <= MOST_PLACES:
            raise ValueError(f"1 to {MOST_PLACES} places are kept, not {self.places}")
        if isinstance(self.zeros, int) and not -MOST_BELOW <= self.zeros <= -1:
            raise ValueError(f"zeros have an exponent of -1 to -{MOST_BELOW}, not of {self.zeros}")

    @property
    def operation(self) -> str:
        """As used in theorem names: ``dot4``; with an addend ``dot4_add``; scaled, ``mx_dot4_add``."""
        return f"{'mx_' if self.scaled else ''}dot{self.terms}{'_add' if self.addend else ''}"

    @property
    def factors(self) -> tuple[tuple[str, str], ...]:
        """The names of the factors of each product."""
        return tuple((f"x{k}", f"y{k}") for k in range(1, self.terms + 1))

    @property
    def operands(self) -> tuple[str, ...]:
        """The names of all operands: of the first factors, of the second ones, and of the addend."""
        x, y = zip(*self.factors, strict=True)
        return (*x, *y, *(("z",) if self.addend else ()))

    @property
    def scales(self) -> tuple[str, ...]:
        """The names of scales, of the first factors and of the second ones."""
        return ("x_scale", "y_scale") if self.scaled else ()

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the terms: 1 to N, and z."""
        return (*(str(k) for k in range(1, self.terms + 1)), *(("z",) if self.addend else ()))

    def by_term(self, operands: Sequence[T]) -> list[tuple[T, ...]]:
        """What is given of each operand, in their order: of each product's two, and of the addend."""
        x, y, z = (operands[at : at + self.terms] for at in (0, self.terms, 2 * self.terms))
        return [*zip(x, y, strict=True), *((each,) for each in z)]

    @property
    def words(self) -> tuple[str, ...]:
        """Its choices as theorem names say them, as far as they do not go unsaid."""
        kept = "" if self.places is None else f"f{self.places}"
        zeros = f"zeros{-self.zeros}" if isinstance(self.zeros, int) else self.zeros.value
        others = (self.truncation.value, zeros, self.zero_sign.value, self.overflow.value)
        return tuple(filter(None, (kept, *others)))

    def formats(self, fmt: Format, sources: Sequence[Format]) -> tuple[Format, ...]:
        """The format of each operand.

        Args:
            fmt: of the result.
            sources: one of all factors; or one of the first and one of the second; and then one of the
                addend. What is not said has the result's.

        Raises:
            ValueError: if there are more.
        """
        most = 2 + self.addend
        if len(sources) > most:
            names = ", ".join(source.name for source in sources)
            raise ValueError(f"{self.operation} is of at most {most} formats, not of {names}")
        x, y, *z = sources if len(sources) > 1 else (*sources, *sources) or (fmt, fmt)
        addend = (*z, fmt)[:1] if self.addend else ()
        return (*(x,) * self.terms, *(y,) * self.terms, *addend)

    def shortest_sources(self, fmt: Format, sources: Sequence[Format]) -> tuple[Format, ...]:
        """The formats of operands as they are said: no more of them than it takes.

        Raises:
            ValueError: if there are more than operands are of.
        """
        whole = self.formats(fmt, sources)
        said = (whole[0], whole[self.terms], *whole[2 * self.terms :])
        return next(
            said[:count] for count in range(len(said) + 1) if self.formats(fmt, said[:count]) == whole
        )


def dot_product_named(operation: str) -> DotProduct | None:
    """The dot product of an operation's name, all places kept; None if it is no such name.

    Raises:
        ValueError: if there are too many products.
    """
    parts = re.fullmatch(r"(mx_)?dot([1-9]\d{0,5})(_add)?", operation, re.ASCII)
    return DotProduct(int(parts[2]), bool(parts[3]), scaled=bool(parts[1])) if parts else None


def choice_named(word: str) -> dict[str, Any]:
    """The choice that a word says, by field of ``DotProduct``; empty if it is none."""
    if parts := re.fullmatch(r"(f|zeros)([1-9]\d{0,5})", word, re.ASCII):
        number = int(parts[2])
        return {"places": number} if parts[1] == "f" else {"zeros": -number}
    return {
        field: choice
        for field, choices in CHOICES.items()
        for choice in choices
        if choice.value and choice.value == word
    }


CHOICES: dict[str, type[Enum]] = {
    "truncation": Truncation,
    "zeros": ZeroTerms,
    "zero_sign": ZeroSign,
    "overflow": Overflow,
}
"""What else there is to choose than the number of places, by field of ``DotProduct``."""


def halves(names: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """How names are split where two and two are taken together: a power of two, and the rest."""
    middle = 1 << (len(names) - 1).bit_length() - 1
    return names[:middle], names[middle:]


LEAVES = {"largest": "exponent", "sum": "signed"}
"""What is joined to the largest exponent, and to a sum: of each term, the value of that name."""


def joined(what: str, names: Sequence[str]) -> str:
    """What a value of several terms is called, in specs and circuits alike: ``largest_1_4``."""
    first, *others = names
    return "_".join((what, first, others[-1])) if others else f"{LEAVES[what]}_{first}"
