"""Every conversion between floating-point formats and E8M0, the scales of MX blocks, is its operation."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product

from spikeproof.circuits.netlist import Netlist
from spikeproof.circuits.units.scale_conversion import build_from_scale, build_to_scale
from spikeproof.proofs.rounded_units import RoundedUnit, engines_for
from spikeproof.prover.claims.obligation import Obligation, Profile
from spikeproof.specs import exact, symbolic
from spikeproof.specs.conventions import IEEE, Convention, convention_named
from spikeproof.specs.formats import (
    BFLOAT16,
    E8M0,
    FORMATS,
    FP16,
    FP32,
    Format,
    OverflowPolicy,
    RoundingMode,
    ScaleFormat,
)
from spikeproof.specs.integers import Buses


class ScaleConversion(RoundedUnit):
    """A conversion from or to a scale."""

    operation = "convert"

    @property
    def in_words(self) -> str:
        """What it computes and how it is rounded, for people."""
        return f"x rounded {self.mode.label}, {self.policy.label}"


@dataclass(frozen=True)
class FromScale(ScaleConversion):
    """The conversion of a scale."""

    fmt: Format
    mode: RoundingMode = RoundingMode.NEAREST_EVEN
    policy: OverflowPolicy = OverflowPolicy.IEEE
    convention: Convention = IEEE
    source: ScaleFormat = E8M0

    @property
    def engines(self) -> tuple[str, ...]:
        """As the format needs."""
        return engines_for(self.fmt)

    def circuit(self) -> Netlist:
        """The unit itself."""
        return build_from_scale(self.fmt, self.mode, self.policy, convention=self.convention)

    def spec(self, inputs: Buses) -> Buses:
        """What its output should be."""
        given = (self.fmt, self.mode, self.policy, inputs["x"], self.convention)
        return {"result": symbolic.convert_from_scale(*given)}

    def trace(self, inputs: Mapping[str, int]) -> Mapping[str, int]:
        """What the spec of record implies for its probes and output."""
        given = (self.fmt, self.mode, self.policy)
        signals = exact.rounding_trace(*given, exact.decode_scale(inputs["x"]))
        signals["result"] = exact.convert_from_scale(*given, inputs["x"], self.convention)
        return signals


@dataclass(frozen=True)
class ToScale(ScaleConversion):
    """The conversion to a scale."""

    source: Format
    mode: RoundingMode = RoundingMode.TOWARD_ZERO
    policy: OverflowPolicy = OverflowPolicy.SATURATE
    convention: Convention = IEEE
    fmt: ScaleFormat = E8M0

    @property
    def engines(self) -> tuple[str, ...]:
        """As the format needs."""
        return engines_for(self.source)

    def circuit(self) -> Netlist:
        """The unit itself."""
        return build_to_scale(self.source, self.mode, self.policy, convention=self.convention)

    def spec(self, inputs: Buses) -> Buses:
        """What its output should be."""
        given = (self.source, self.mode, self.policy, inputs["x"], self.convention)
        return {"result": symbolic.convert_to_scale(*given)}

    def trace(self, inputs: Mapping[str, int]) -> Mapping[str, int]:
        """What the spec of record implies for its output."""
        given = (self.source, self.mode, self.policy, inputs["x"], self.convention)
        return {"result": exact.convert_to_scale(*given)}


CUDA = (RoundingMode.TOWARD_ZERO, RoundingMode.UP)
"""The modes of CUDA's conversions, saturating as they do by default."""

CONVENTIONS = tuple(
    map(convention_named, ("gradual_scale", "positive_scale", "positive_scale.gradual_scale"))
)
"""PyTorch's, its counterpart, and that of ``ml_dtypes``."""


def conversions() -> Iterator[ScaleConversion]:
    """In every mode and under every policy; to nearest even also under ``CONVENTIONS``, without bounds."""
    for fmt, mode in product(FORMATS.values(), RoundingMode):
        yield from (FromScale(fmt, mode, policy) for policy in fmt.policies)
        yield from (ToScale(fmt, mode, policy) for policy in E8M0.policies)
    for fmt, convention in product(FORMATS.values(), CONVENTIONS):
        yield ToScale(fmt, RoundingMode.NEAREST_EVEN, OverflowPolicy.NAN, convention)


def profile_for(unit: ScaleConversion) -> Profile:
    """Of BF16, FP16 and FP32: to nearest even from scales; to scales, those of ``CUDA`` and PyTorch.

    That of ``ml_dtypes`` for BF16. All else is left to ``--wide``.
    """
    if isinstance(unit, FromScale):
        usual = unit.fmt in (BFLOAT16, FP16, FP32) and unit.mode is RoundingMode.NEAREST_EVEN
        return Profile.DEFAULT if usual and unit.policy is OverflowPolicy.IEEE else Profile.WIDE
    assert isinstance(unit, ToScale)
    of_cuda = unit.mode in CUDA and unit.policy is OverflowPolicy.SATURATE
    torch, _, ml_dtypes = CONVENTIONS
    usual = unit.source in (BFLOAT16, FP16, FP32) and (of_cuda or unit.convention == torch)
    usual |= unit.source is BFLOAT16 and unit.convention == ml_dtypes
    return Profile.DEFAULT if usual else Profile.WIDE


def obligations() -> Iterator[Obligation]:
    """``FORMAT.convert_from_e8m0.MODE[.POLICY]``, ``e8m0.convert_from_FORMAT.MODE.POLICY[.CONVENTION]``."""
    for unit in conversions():
        yield unit.obligation(profile_for(unit))
