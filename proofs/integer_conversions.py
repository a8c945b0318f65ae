"""Every conversion between floating-point formats and integers equals its IEEE 754 operation."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product

from spikeproof.circuits.netlist import Netlist
from spikeproof.circuits.units.integer_conversion import build_from_integer, build_to_integer
from spikeproof.proofs.rounded_units import RoundedUnit, engines_for
from spikeproof.prover.claims.obligation import Obligation, Profile
from spikeproof.specs import exact, symbolic
from spikeproof.specs.formats import (
    FORMATS,
    FP64,
    INTEGERS,
    SMALL_FORMATS,
    Format,
    Integer,
    OverflowPolicy,
    RoundingMode,
)
from spikeproof.specs.integers import Buses


def profile_for(fmt: Format, integer: Integer) -> Profile:
    """Conversions of FP64 are left to ``--wide``, and so are those of 64-bit integers."""
    return Profile.WIDE if fmt is FP64 or integer.width == 64 else Profile.DEFAULT


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

    @property
    def function(self) -> str:
        """What it computes, for people."""
        words = f"x rounded {self.mode.label}, {self.policy.label}"
        return f"{self.source.name} to {self.fmt.name}: {words}"

    @property
    def engines(self) -> tuple[str, ...]:
        """As the format needs."""
        return engines_for(self.fmt)

    def circuit(self) -> Netlist:
        """The unit itself."""
        return build_from_integer(self.source, self.fmt, self.mode, self.policy)

    def spec(self, inputs: Buses) -> Buses:
        """What its output should be."""
        code = inputs["x"]
        result = symbolic.convert_from_integer(self.source, self.fmt, self.mode, self.policy, code)
        return {"result": result}

    def trace(self, inputs: Mapping[str, int]) -> Mapping[str, int]:
        """What the spec of record implies for its probes and output."""
        value = exact.decode_integer(self.source, inputs["x"])
        return exact.rounding_trace(self.fmt, self.mode, self.policy, value)


@dataclass(frozen=True)
class ToInteger(Conversion):
    """The conversion to an integer: beyond its range saturating, of a NaN 0."""

    source: Format
    fmt: Integer
    mode: RoundingMode = RoundingMode.TOWARD_ZERO
    policy = usual_policy = OverflowPolicy.SATURATE

    @property
    def function(self) -> str:
        """What it computes, for people."""
        words = f"x rounded {self.mode.label}, saturating, NaN to 0"
        return f"{self.source.name} to {self.fmt.name}: {words}"

    @property
    def engines(self) -> tuple[str, ...]:
        """As the format needs."""
        return engines_for(self.source)

    def circuit(self) -> Netlist:
        """The unit itself."""
        return build_to_integer(self.source, self.fmt, self.mode)

    def spec(self, inputs: Buses) -> Buses:
        """What its output should be."""
        return {"result": symbolic.convert_to_integer(self.source, self.fmt, self.mode, inputs["x"])}

    def trace(self, inputs: Mapping[str, int]) -> Mapping[str, int]:
        """What the spec of record implies for its probes and output."""
        return exact.integer_trace(self.source, self.fmt, self.mode, inputs["x"])


TO_INTEGER_MODES = (RoundingMode.TOWARD_ZERO, RoundingMode.NEAREST_EVEN)
"""The modes promised of conversions to integers: that of programming languages, and the usual one."""


def promised_policies(fmt: Format) -> tuple[OverflowPolicy, ...]:
    """Every policy of a small format, IEEE overflow alone above."""
    return fmt.policies if fmt in SMALL_FORMATS else (OverflowPolicy.IEEE,)


def obligations() -> Iterator[Obligation]:
    """``FORMAT.convert_from_INTEGER.rne[.POLICY]``, and ``INTEGER.convert_from_FORMAT.MODE``."""
    for fmt, integer in product(FORMATS.values(), INTEGERS.values()):
        profile = profile_for(fmt, integer)
        for policy in promised_policies(fmt):
            yield FromInteger(integer, fmt, policy=policy).obligation(profile)
        for mode in TO_INTEGER_MODES:
            yield ToInteger(fmt, integer, mode).obligation(profile)
