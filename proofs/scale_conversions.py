"""Every conversion between floating-point formats and E8M0, the scales of MX blocks, equals its spec."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product

from spikeproof.circuits.netlist import Netlist
from spikeproof.circuits.units.scale_conversion import build_from_scale, build_to_scale
from spikeproof.proofs.rounded_units import RoundedUnit, engines_for
from spikeproof.prover.claims.obligation import Named, Profile
from spikeproof.specs import exact, symbolic
from spikeproof.specs.conventions import IEEE, Convention, convention_named
from spikeproof.specs.formats import (
    BFLOAT16,
    E8M0,
    FORMATS,
    FP4_E2M1,
    FP16,
    FP32,
    MX_ELEMENTS,
    Format,
    OverflowPolicy,
    RoundingMode,
    ScaleFormat,
)
from spikeproof.specs.integers import Buses

SHARED = "shared_scale_for_"
"""With the name of a format of elements behind it: the operation that gives the scale of a block."""


@dataclass(frozen=True)
class FromScale(RoundedUnit):
    """The conversion of a scale."""

    fmt: Format
    mode: RoundingMode = RoundingMode.NEAREST_EVEN
    policy: OverflowPolicy = OverflowPolicy.IEEE
    convention: Convention = IEEE
    source: ScaleFormat = E8M0
    operation = "convert"

    @property
    def in_words(self) -> str:
        """What it computes and how it is rounded, for people."""
        return f"x rounded {self.mode.label}, {self.policy.label}"

    @property
    def bearing(self) -> tuple[str, ...]:
        """What NaN becomes, and what is subnormal; no scale is negative."""
        return ("nan", "subnormal_results")

    @property
    def engines(self) -> tuple[str, ...]:
        """As the scale needs."""
        return engines_for(self.source)

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
class ToScale(RoundedUnit):
    """The conversion to a scale, or of the largest magnitude of a block to what its elements share."""

    source: Format
    mode: RoundingMode = RoundingMode.TOWARD_ZERO
    policy: OverflowPolicy = OverflowPolicy.SATURATE
    convention: Convention = IEEE
    fmt: ScaleFormat = E8M0
    element: Format | None = None

    @property
    def operation(self) -> str:  # type: ignore[override]
        """By its name."""
        return SHARED + self.element.name if self.element else "convert"

    @property
    def in_words(self) -> str:
        """What it computes and how it is rounded, for people."""
        divided = f" / 2^{self.element.maximum_exponent}" if self.element else ""
        return f"|x|{divided} rounded {self.mode.label}, {self.policy.label}"

    @property
    def bearing(self) -> tuple[str, ...]:
        """Which operands count, and how they round."""
        return ("subnormal_operands", "scale_operands", "scale_rounding")

    @property
    def engines(self) -> tuple[str, ...]:
        """As the operand needs."""
        return engines_for(self.source)

    def circuit(self) -> Netlist:
        """The unit itself."""
        given = (self.source, self.mode, self.policy)
        return build_to_scale(*given, convention=self.convention, element=self.element)

    def spec(self, inputs: Buses) -> Buses:
        """What its output should be."""
        given = (self.source, self.mode, self.policy, inputs["x"], self.convention, self.element)
        return {"result": symbolic.convert_to_scale(*given)}

    def trace(self, inputs: Mapping[str, int]) -> Mapping[str, int]:
        """What the spec of record implies for its output."""
        given = (self.source, self.mode, self.policy, inputs["x"], self.convention, self.element)
        return {"result": exact.convert_to_scale(*given)}


PYTORCH, ML_DTYPES = map(convention_named, ("gradual_scale", "positive_scale.gradual_scale"))
"""The conventions of conversions to nearest even, which overflow to NaN."""

CUDA_MODES = (RoundingMode.TOWARD_ZERO, RoundingMode.UP)
"""Those of CUDA's conversions, which saturate unless told otherwise."""

USUAL = (BFLOAT16, FP16, FP32)
"""The formats of what is scaled."""


def from_scales() -> Iterator[FromScale]:
    """In every mode and under every policy."""
    for fmt, mode in product(FORMATS.values(), RoundingMode):
        yield from (FromScale(fmt, mode, policy) for policy in fmt.policies)


def to_scales() -> Iterator[ToScale]:
    """The same; to nearest even by the conventions of others, and the shared scales of MX elements."""
    nearest, toward_zero = RoundingMode.NEAREST_EVEN, RoundingMode.TOWARD_ZERO
    for fmt, policy in product(FORMATS.values(), E8M0.policies):
        yield from (ToScale(fmt, mode, policy) for mode in RoundingMode)
    for fmt in FORMATS.values():
        for convention in (PYTORCH, ML_DTYPES, convention_named("positive_scale")):
            yield ToScale(fmt, nearest, OverflowPolicy.NAN, convention)
    for fmt, element in product(USUAL, MX_ELEMENTS):
        yield ToScale(fmt, toward_zero, OverflowPolicy.SATURATE, element=element)


def profile_from(unit: FromScale) -> Profile:
    """To nearest even in ``USUAL`` formats; all else is left to ``--wide``."""
    usual = unit.fmt in USUAL and unit.mode is RoundingMode.NEAREST_EVEN
    return Profile.DEFAULT if usual and unit.policy is OverflowPolicy.IEEE else Profile.WIDE


def profile_to(unit: ToScale) -> Profile:
    """CUDA's conversions of ``USUAL`` formats, and PyTorch's; those of ``ml_dtypes`` of BF16.

    Of shared scales that of FP32 for FP4. All else is left to ``--wide``.
    """
    of_cuda = unit.mode in CUDA_MODES and unit.policy is OverflowPolicy.SATURATE
    usual = unit.source in USUAL and (of_cuda or unit.convention == PYTORCH)
    if unit.element:
        usual = unit.source is FP32 and unit.element is FP4_E2M1
    usual |= unit.source is BFLOAT16 and unit.convention == ML_DTYPES
    return Profile.DEFAULT if usual else Profile.WIDE


def obligations() -> Iterator[Named]:
    """``FORMAT.convert_from_e8m0.MODE[.POLICY]``, and ``e8m0.OPERATION_from_FORMAT.MODE.POLICY``."""
    yield from (unit.promised(profile_from(unit)) for unit in from_scales())
    yield from (unit.promised(profile_to(unit)) for unit in to_scales())
