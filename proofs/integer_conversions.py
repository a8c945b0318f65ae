"""Every conversion between floating-point formats and integers equals its IEEE 754 operation."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain, product

from spikeproof.circuits.netlist import Netlist
from spikeproof.circuits.units.integer_conversion import build_from_integer, build_to_integer
from spikeproof.proofs.rounded_units import RoundedUnit, engines_for
from spikeproof.prover.claims.obligation import Named, Profile
from spikeproof.specs import exact, symbolic
from spikeproof.specs.conventions import IEEE, Convention, IntegerResult, convention_named
from spikeproof.specs.formats import (
    FORMATS,
    INTEGERS,
    SMALL_FORMATS,
    Format,
    Integer,
    OverflowPolicy,
    RoundingMode,
)
from spikeproof.specs.integers import Buses


class Conversion(RoundedUnit):
    """A conversion from or to an integer."""

    operation = "convert"


@dataclass(frozen=True)
class FromInteger(Conversion):
    """The conversion of an integer."""

    source: Integer
    fmt: Format
    mode: RoundingMode = RoundingMode.NEAREST_EVEN
    policy: OverflowPolicy = OverflowPolicy.IEEE
    flags: bool = False

    @property
    def in_words(self) -> str:
        """What it computes and how it is rounded, for people."""
        return f"x rounded {self.mode.label}, {self.policy.label}"

    def require_convention(self, convention: Convention) -> None:
        """No other than IEEE: an integer is no NaN, and no result is subnormal."""
        if convention != IEEE:
            raise ValueError(f"{self.operation} from {self.source.name} is the same by all conventions")

    @property
    def engines(self) -> tuple[str, ...]:
        """As the format needs."""
        return engines_for(self.fmt)

    def circuit(self) -> Netlist:
        """The unit itself."""
        return build_from_integer(self.source, self.fmt, self.mode, self.policy, flags=self.flags)

    def spec(self, inputs: Buses) -> Buses:
        """What its outputs should be."""
        code, given = inputs["x"], (self.source, self.fmt, self.mode)
        outputs = {"result": symbolic.convert_from_integer(*given, self.policy, code)}
        if self.flags:
            outputs["flags"] = symbolic.from_integer_flags(*given, code)
        return outputs

    def trace(self, inputs: Mapping[str, int]) -> Mapping[str, int]:
        """What the spec of record implies for its probes and output."""
        value = exact.decode_integer(self.source, inputs["x"])
        signals = exact.rounding_trace(self.fmt, self.mode, self.policy, value)
        if self.flags:
            signals["flags"] = exact.from_integer_flags(self.source, self.fmt, self.mode, inputs["x"])
        return signals


@dataclass(frozen=True)
class ToInteger(Conversion):
    """The conversion to an integer."""

    source: Format
    fmt: Integer
    mode: RoundingMode = RoundingMode.TOWARD_ZERO
    policy = usual_policy = OverflowPolicy.SATURATE
    flags: bool = False
    convention: Convention = IEEE

    @property
    def in_words(self) -> str:
        """What it computes and how it is rounded, for people."""
        saturates = self.convention.integer_result is IntegerResult.SATURATED
        beyond = ", saturating, NaN to 0" if saturates else ""
        return f"x rounded {self.mode.label}{beyond}"

    @property
    def bearing(self) -> tuple[str, ...]:
        """What becomes of subnormal operands and of what is beyond the range, and what is inexact."""
        return ("subnormal_operands", "integer_result", "integer_inexact")

    @property
    def engines(self) -> tuple[str, ...]:
        """As the format needs."""
        return engines_for(self.source)

    def circuit(self) -> Netlist:
        """The unit itself."""
        return build_to_integer(
            self.source, self.fmt, self.mode, flags=self.flags, convention=self.convention
        )

    def spec(self, inputs: Buses) -> Buses:
        """What its outputs should be."""
        given = (self.source, self.fmt, self.mode, inputs["x"], self.convention)
        outputs = {"result": symbolic.convert_to_integer(*given)}
        if self.flags:
            outputs["flags"] = symbolic.to_integer_flags(*given)
        return outputs

    def trace(self, inputs: Mapping[str, int]) -> Mapping[str, int]:
        """What the spec of record implies for its probes and output."""
        given = (self.source, self.fmt, self.mode, inputs["x"], self.convention)
        signals = exact.integer_trace(*given)
        if self.flags:
            signals["flags"] = exact.to_integer_flags(*given)
        return signals


TO_INTEGER_MODES = (RoundingMode.TOWARD_ZERO, RoundingMode.NEAREST_EVEN)
"""The modes of programming languages, and the usual one."""

CONVENTIONS = tuple(
    map(convention_named, ("largest_for_nan", "indefinite", "wrapped", "silent_conversion"))
)
"""The choices that are about conversions to integers."""


def promised_policies(fmt: Format) -> tuple[OverflowPolicy, ...]:
    """Every policy of a small format, IEEE overflow alone above."""
    return fmt.policies if fmt in SMALL_FORMATS else (OverflowPolicy.IEEE,)


def without_flags() -> Iterator[Conversion]:
    """Conversions from integers to nearest even, and to integers in ``TO_INTEGER_MODES``."""
    for fmt, integer in product(FORMATS.values(), INTEGERS.values()):
        yield from (FromInteger(integer, fmt, policy=policy) for policy in promised_policies(fmt))
        yield from (ToInteger(fmt, integer, mode) for mode in TO_INTEGER_MODES)


def with_flags() -> Iterator[Conversion]:
    """Conversions in every mode, and those towards zero under ``CONVENTIONS``; with their flags."""
    for fmt, integer, mode in product(FORMATS.values(), INTEGERS.values(), RoundingMode):
        yield FromInteger(integer, fmt, mode, fmt.policies[0], flags=True)
        unit = ToInteger(fmt, integer, mode, flags=True)
        yield unit
        if mode is RoundingMode.TOWARD_ZERO:
            yield from (replace(unit, convention=convention) for convention in CONVENTIONS)


def profile_for(unit: Conversion) -> Profile:
    """Conversions of FP64 are left to ``--wide``, and so are those of 64-bit integers.

    What makes a choice beside is proved of ``STANDING_FOR_ALL``, towards zero, to and from integers of
    up to 16 bits.
    """
    widths = {each.width for each in (unit.fmt, *unit.sources)}
    quick = max(widths) <= 16 and unit.mode is RoundingMode.TOWARD_ZERO and unit.stands_for_all
    return Profile.DEFAULT if (quick if unit.choices else max(widths) < 64) else Profile.WIDE


def obligations() -> Iterator[Named]:
    """``FORMAT.convert_from_INTEGER.MODE[.POLICY]``, and ``INTEGER.convert_from_FORMAT.MODE``."""
    for unit in chain(without_flags(), with_flags()):
        yield unit.promised(profile_for(unit))
