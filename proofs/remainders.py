"""Every remainder equals its IEEE 754 operation: x - y * n, which is never rounded."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from typing import ClassVar

from spikeproof.proofs.rounded_units import ARITHMETIC, RoundedUnit
from spikeproof.proofs.units import Unit, units_under
from spikeproof.prover.claims.obligation import Decomposition, Named, Profile, Step
from spikeproof.specs.conventions import BUNDLES, IEEE
from spikeproof.specs.formats import FORMATS, FP64, REMAINDERS, SMALL_FORMATS, Format, RoundingMode
from spikeproof.specs.symbolic import CUT, largest_distance

WORDS = {
    "remainder": "x - y * n, n being x / y rounded to the nearest whole number, ties to even",
    "truncated_remainder": "x - y * n, n being x / y rounded to a whole number toward zero",
}
"""The operations, for people."""


@dataclass(frozen=True)
class Remainder(Unit):
    """One of ``REMAINDERS``, of a format."""

    words: ClassVar[Mapping[str, str]] = WORDS

    @classmethod
    def of(cls, operation: str, fmt: Format) -> "Remainder":
        """The unit of which no more is said; any mode and policy would do.

        Raises:
            ValueError: if the format has exponents that are too far apart.
        """
        if fmt.exponent_bits > FP64.exponent_bits:
            raise ValueError(
                f"a remainder has a row of division for each step between exponents, and {fmt.name} has "
                f"{largest_distance(fmt):,}; use a format of up to {FP64.exponent_bits} exponent bits"
            )
        return cls(operation, fmt, RoundingMode.TOWARD_ZERO, fmt.policies[0])

    @property
    def rounding(self) -> tuple[str, ...]:
        """Nothing: it does not."""
        return ()

    @property
    def rounding_parameters(self) -> dict[str, str]:
        """None, likewise."""
        return {}

    @property
    def bearing(self) -> tuple[str, ...]:
        """All but tininess: what is tiny is exact."""
        return tuple(each for each in ARITHMETIC if each != "tininess")

    def neighbours(self) -> Iterator[RoundedUnit]:
        """Units that differ from it in one choice of convention."""
        yield from self.under_other_conventions()

    @property
    def in_words(self) -> str:
        """What it computes, for people."""
        return self.words[self.operation]

    @property
    def decomposition(self) -> Decomposition:
        """Its proof, split at every ``CUT`` rows of the division.

        One lemma is about the dividend, one about what is made of the last remainder. Without facts: of
        a remainder or divisor that no division has, circuit and spec make the same.
        """
        steps = [Step(("dividend",))]
        so_far: tuple[str, ...] = ("dividend",)
        for place in reversed(range(CUT, self.fmt.precision + largest_distance(self.fmt), CUT)):
            name = f"remainder_{place}"
            steps.append(Step((name,), given=so_far))
            so_far = ("dividend", name)
        steps.append(Step(("remainder", "odd"), given=so_far))
        last = Step((), given=("dividend", "remainder", "odd"))
        return Decomposition(self.spec, tuple(steps), last, partial(self.circuit, keep_waypoints=True))


def remainders() -> Iterator[Remainder]:
    """Of every format of up to 32 bits, with flags and without; the first under every bundle, too.

    Not of FP64: a dividend of 2,098 bits makes 456,000 neurons, and as many lemmas as half of its rows.
    """
    for fmt, operation in product(FORMATS.values(), REMAINDERS):
        if fmt is not FP64:
            unit = Remainder.of(operation, fmt)
            yield from (unit, replace(unit, flags=True))
            yield from units_under(unit, BUNDLES.values() if operation == "remainder" else ())


def obligations() -> Iterator[Named]:
    """``FORMAT.OPERATION[.CONVENTION][.flags]``."""
    for unit in remainders():
        usual = unit.fmt in SMALL_FORMATS and unit.convention == IEEE and not unit.flags
        yield unit.promised(Profile.DEFAULT if usual else Profile.WIDE)
