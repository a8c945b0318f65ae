"""Every conversion between floating-point formats and integers equals its IEEE 754 operation."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product

from spikeproof.circuits.netlist import Netlist
from spikeproof.circuits.units.integer_conversion import build_from_integer, build_to_integer
from spikeproof.circuits.units.libraries import DEFAULT_LIBRARY
from spikeproof.proofs.units import engines_for, rounded_name, rounding_parameters
from spikeproof.prover.claims.obligation import Obligation, Profile, Reading, equivalence
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


@dataclass(frozen=True)
class FromInteger:
    """The conversion of an integer, and what is promised of it."""

    source: Integer
    fmt: Format
    mode: RoundingMode = RoundingMode.NEAREST_EVEN
    policy: OverflowPolicy = OverflowPolicy.IEEE

    @property
    def name(self) -> str:
        """``FORMAT.convert_from_INTEGER.mode[.policy]``; IEEE policy goes unsaid."""
        operation = f"convert_from_{self.source.name}"
        return rounded_name(self.fmt.name, operation, self.mode, self.policy)

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

    def obligation(self) -> Obligation:
        """That the unit converts."""
        return equivalence(
            self.name,
            f"{self.source.name} to {self.fmt.name}: x rounded {self.mode.label}, "
            f"{self.policy.label}, of {DEFAULT_LIBRARY} gates",
            circuit=self.circuit,
            meaning=self.spec,
            engines=engines_for(self.fmt),
            profile=profile_for(self.fmt, self.source),
            reading=Reading({"x": self.source, "result": self.fmt}, self.trace),
            parameters={
                **rounding_parameters(self.fmt, "convert", self.mode, self.policy, self.source),
                "library": DEFAULT_LIBRARY,
            },
        )


@dataclass(frozen=True)
class ToInteger:
    """The conversion to an integer, and what is promised of it."""

    source: Format
    target: Integer
    mode: RoundingMode = RoundingMode.TOWARD_ZERO

    @property
    def name(self) -> str:
        """``INTEGER.convert_from_FORMAT.mode``."""
        return rounded_name(self.target.name, f"convert_from_{self.source.name}", self.mode)

    def circuit(self) -> Netlist:
        """The unit itself."""
        return build_to_integer(self.source, self.target, self.mode)

    def spec(self, inputs: Buses) -> Buses:
        """What its output should be."""
        code = inputs["x"]
        return {"result": symbolic.convert_to_integer(self.source, self.target, self.mode, code)}

    def trace(self, inputs: Mapping[str, int]) -> Mapping[str, int]:
        """What the spec of record implies for its probes and output."""
        return exact.integer_trace(self.source, self.target, self.mode, inputs["x"])

    def obligation(self) -> Obligation:
        """That the unit converts."""
        return equivalence(
            self.name,
            f"{self.source.name} to {self.target.name}: x rounded {self.mode.label}, saturating, "
            f"NaN to 0, of {DEFAULT_LIBRARY} gates",
            circuit=self.circuit,
            meaning=self.spec,
            engines=engines_for(self.source),
            profile=profile_for(self.source, self.target),
            reading=Reading({"x": self.source, "result": self.target}, self.trace),
            parameters={
                **rounding_parameters(
                    self.target, "convert", self.mode, OverflowPolicy.SATURATE, self.source
                ),
                "library": DEFAULT_LIBRARY,
            },
        )


TO_INTEGER_MODES = (RoundingMode.TOWARD_ZERO, RoundingMode.NEAREST_EVEN)
"""The modes promised of conversions to integers: that of programming languages, and the usual one."""


def promised_policies(fmt: Format) -> tuple[OverflowPolicy, ...]:
    """Every policy of a small format, IEEE overflow alone above."""
    return fmt.policies if fmt in SMALL_FORMATS else (OverflowPolicy.IEEE,)


def obligations() -> Iterator[Obligation]:
    """``FORMAT.convert_from_INTEGER.rne[.POLICY]``, and ``INTEGER.convert_from_FORMAT.MODE``."""
    for fmt, integer in product(FORMATS.values(), INTEGERS.values()):
        for policy in promised_policies(fmt):
            yield FromInteger(integer, fmt, policy=policy).obligation()
        for mode in TO_INTEGER_MODES:
            yield ToInteger(fmt, integer, mode).obligation()
