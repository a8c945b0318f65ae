"""The other operations of clause 5 that round: each unit equals its operation on all inputs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import ClassVar

from spikeproof.circuits.netlist import Netlist
from spikeproof.circuits.units.floating_point.building import build_general_unit
from spikeproof.proofs.rounded_units import ARITHMETIC
from spikeproof.proofs.units import Unit, units_under
from spikeproof.prover.claims.obligation import Decomposition, Named, Profile, Reading
from spikeproof.specs import exact_general, symbolic_general
from spikeproof.specs.conventions import BUNDLES, convention_named
from spikeproof.specs.formats import (
    FORMATS,
    SMALL_FORMATS,
    Format,
    Integer,
    RoundingMode,
    scale_integer,
)
from spikeproof.specs.integers import Buses
from spikeproof.specs.symbolic import Probe, as_computed

WORDS = {
    "round_to_integral": "x as a whole number",
    "scale_b": "x * 2^n",
    "log_b": "the exponent of x",
}
"""The operations, for people."""


SILENT = convention_named("silent_conversion")
"""roundToIntegral without Exact in its name."""


@dataclass(frozen=True)
class GeneralUnit(Unit):
    """One of ``WORDS``, of a format."""

    mode: RoundingMode = RoundingMode.NEAREST_EVEN
    words: ClassVar[Mapping[str, str]] = WORDS

    @property
    def operands(self) -> tuple[str, ...]:
        """The names of its input buses."""
        return ("x", "n") if self.operation == "scale_b" else ("x",)

    @property
    def bearing(self) -> tuple[str, ...]:
        """All, where it rounds; whole numbers are never subnormal."""
        operands = ("nan", "nan_operands", "subnormal_operands", "flushed_sign")
        whole = (*operands, "integer_inexact")
        return {"scale_b": ARITHMETIC, "round_to_integral": whole, "log_b": operands}[self.operation]

    def circuit(self, keep_waypoints: bool = False) -> Netlist:
        """The unit itself; it has no waypoints."""
        return build_general_unit(
            self.operation,
            self.fmt,
            self.mode,
            self.policy,
            self.library,
            flags=self.flags,
            structure=self.structure,
            convention=self.convention,
        )

    def spec(self, inputs: Buses, probe: Probe = as_computed) -> Buses:
        """What its outputs should be; nothing on the way has a probe."""
        operands = [inputs[name] for name in self.operands]
        operation, fmt, mode, given = self.operation, self.fmt, self.mode, self.convention
        result = symbolic_general.compute(operation, fmt, mode, self.policy, *operands, convention=given)
        if not self.flags:
            return {"result": result}
        flags = symbolic_general.flags(operation, fmt, mode, *operands, convention=given)
        return {"result": result, "flags": flags}

    def trace(self, inputs: Mapping[str, int]) -> Mapping[str, int]:
        """What the spec of record implies for its probes and outputs."""
        operands = [inputs[name] for name in self.operands]
        operation, fmt, mode, given = self.operation, self.fmt, self.mode, self.convention
        signals = exact_general.trace(operation, fmt, mode, self.policy, *operands, convention=given)
        if self.flags:
            signals["flags"] = exact_general.flags(operation, fmt, mode, *operands, convention=given)
        return signals

    @property
    def reading(self) -> Reading:
        """How to read its counterexamples."""
        formats: dict[str, Format | Integer] = {
            "x": self.fmt,
            "n": scale_integer(self.fmt),
            "result": self.fmt,
        }
        return Reading({name: formats[name] for name in (*self.operands, "result")}, self.trace)

    @property
    def decomposition(self) -> Decomposition | None:
        """None: it is put to the engines whole."""
        return None


def general_units() -> Iterator[GeneralUnit]:
    """Every operation, format and mode under every policy, and under the first with flags.

    Rounding to a whole number has the first policy alone: it hardly ever overflows; and its flags
    without inexact, too. And under every bundle of conventions that the format can have, up to 32 bits,
    to nearest even.
    """
    for operation, fmt, mode in product(WORDS, FORMATS.values(), RoundingMode):
        first, *others = fmt.policies
        unit = GeneralUnit(operation, fmt, mode, first)
        yield unit
        yield replace(unit, flags=True)
        if operation == "round_to_integral":
            yield replace(unit, flags=True, convention=SILENT)
        else:
            yield from (replace(unit, policy=policy) for policy in others)
        if mode is RoundingMode.NEAREST_EVEN and fmt.width <= 32:
            yield from units_under(unit, BUNDLES.values())


def profile_for(unit: GeneralUnit) -> Profile:
    """Nearest even up to 32 bits, under the first policy; whole numbers of up to 8 bits in every mode.

    What makes a choice beside is proved of ``STANDING_FOR_ALL``, to nearest even. All else is left to
    ``--wide``.
    """
    fmt = unit.fmt
    usual = unit.mode is RoundingMode.NEAREST_EVEN and unit.policy is fmt.policies[0] and fmt.width <= 32
    usual |= unit.operation == "round_to_integral" and fmt in SMALL_FORMATS and not unit.choices
    return Profile.DEFAULT if usual and unit.stands_for_all else Profile.WIDE


def obligations() -> Iterator[Named]:
    """Those of ``general_units``."""
    for unit in general_units():
        yield unit.promised(profile_for(unit))
