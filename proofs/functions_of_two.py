"""Functions of two operands: every unit is its function, correctly rounded, on all pairs of operands.

Of up to 8 bits each, and hypot of up to 16. As of one operand: see ``proofs.functions``.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, ClassVar, Self

from numpy.typing import NDArray

from spikeproof.circuits.netlist import Netlist
from spikeproof.circuits.units.functions.building import MULTIPLEXERS, THERMOMETER
from spikeproof.circuits.units.functions.of_two import (
    build_function_of_two,
    usual_construction_of_two,
)
from spikeproof.proofs.functions import OF_GATES, FunctionUnit
from spikeproof.prover.claims.obligation import Named, Profile, StatementError
from spikeproof.specs import functions_of_two, pairs
from spikeproof.specs.formats import FP16, SMALL_FORMATS, Format, RoundingMode, UnknownNameError
from spikeproof.specs.functions_of_two import FUNCTIONS


@dataclass(frozen=True)
class FunctionOfTwoUnit(FunctionUnit):
    """One of ``FUNCTIONS``."""

    words: ClassVar[Mapping[str, str]] = FUNCTIONS

    @classmethod
    def of(cls, function: str, fmt: Format, mode: RoundingMode) -> Self:
        """A function of a format.

        Raises:
            UnknownNameError: if the format has too many bits.
        """
        try:
            return cls(function, fmt, mode, construction=usual_construction_of_two(function, fmt))
        except ValueError as error:
            raise UnknownNameError(str(error)) from None

    @property
    def usual(self) -> str:
        """The construction that goes unsaid."""
        return usual_construction_of_two(self.operation, self.fmt, self.library)

    @property
    def operands(self) -> tuple[str, ...]:
        """The names of its input buses."""
        return "x", "y"

    def circuit(self) -> Netlist:
        """The unit itself.

        Raises:
            StatementError: if the construction does not make it.
        """
        given = self.operation, self.fmt, self.mode, self.policy, self.library
        try:
            return build_function_of_two(
                *given, construction=self.construction, convention=self.convention
            )
        except ValueError as error:
            raise StatementError(f"{self.name} has no circuit: {error}") from None

    def results(self) -> dict[str, NDArray[Any]]:
        """What its output should be, for every pair of inputs."""
        given = self.operation, self.fmt, self.mode, self.policy
        return {"result": functions_of_two.every_result(*given, convention=self.convention)}

    def block(self, first: int, count: int) -> dict[str, NDArray[Any]]:
        """The same for so many pairs from one on."""
        given = self.operation, self.fmt, self.mode, self.policy
        return {"result": pairs.results_from(*given, first, count)}

    def line(self, x: int) -> dict[str, int]:
        """The same for one pair, by its number."""
        given = self.operation, self.fmt, self.mode, self.policy
        y, x = divmod(x, 1 << self.fmt.width)
        return {"result": functions_of_two.compute(*given, x, y, convention=self.convention)}

    def trace(self, inputs: Mapping[str, int]) -> Mapping[str, int]:
        """What the spec of record implies for its output."""
        given = self.operation, self.fmt, self.mode, self.policy
        return functions_of_two.trace(*given, inputs["x"], inputs["y"], convention=self.convention)


OF_HYPOT = (RoundingMode.NEAREST_EVEN, RoundingMode.TOWARD_ZERO, RoundingMode.UP)
"""Modes in which it is promised of FP16: two minutes of processor time each."""


def functions_of_two_units() -> Iterator[tuple[FunctionOfTwoUnit, Profile]]:
    """Every function, format, mode and policy; small formats to nearest even by default; hypot of FP16.

    There are thermometers and gates of formats of up to 6 bits: of 8 thermometers have up to 33,000
    neurons, and gates some 10,000.
    """
    for fmt, function, mode in product(SMALL_FORMATS, FUNCTIONS, RoundingMode):
        first, *others = fmt.policies
        nearest, narrow = mode is RoundingMode.NEAREST_EVEN, fmt.width <= 6
        unit = FunctionOfTwoUnit(function, fmt, mode, first)
        yield unit, Profile.DEFAULT if nearest and narrow else Profile.WIDE
        yield from ((replace(unit, policy=policy), Profile.WIDE) for policy in others)
        if nearest and narrow:
            yield replace(unit, construction=THERMOMETER), Profile.WIDE
            for library in OF_GATES:
                yield replace(unit, construction=MULTIPLEXERS, library=library), Profile.WIDE
    yield from ((FunctionOfTwoUnit.of("hypot", FP16, mode), Profile.WIDE) for mode in OF_HYPOT)


def obligations() -> Iterator[Named]:
    """The theorems."""
    return (unit.promised(profile) for unit, profile in functions_of_two_units())
