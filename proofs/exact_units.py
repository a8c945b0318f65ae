"""Units that do not round, and conversions: each equals its IEEE 754 operation on all inputs."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import permutations, product
from typing import Any

from pysmt.fnode import FNode

from spikeproof.circuits.netlist import Bus, Netlist
from spikeproof.circuits.units.floating_point.building import build_exact_unit
from spikeproof.circuits.units.floating_point.comparison import (
    compare_unit,
    compare_with_flags_unit,
    extremum_unit,
    extremum_with_flags_unit,
)
from spikeproof.circuits.units.floating_point.ordering import (
    class_unit,
    neighbour_unit,
    neighbour_with_flags_unit,
    predicate_unit,
    total_order_unit,
)
from spikeproof.circuits.units.floating_point.sign import change_sign_unit
from spikeproof.proofs.rounded_units import PromisedUnit, engines_for
from spikeproof.proofs.units import Unit, units_under
from spikeproof.prover.claims.obligation import BOTH, Named, Observation, Profile, Reading, everything
from spikeproof.specs import exact, exact_general, symbolic, symbolic_general
from spikeproof.specs.conventions import (
    BUNDLES,
    EXTREMA,
    IEEE,
    OF_2008,
    SEVERAL,
    Convention,
)
from spikeproof.specs.formats import (
    BFLOAT16,
    FORMATS,
    FP8_E5M2,
    FP16,
    FP32,
    FP64,
    OPERANDS,
    SMALL_FORMATS,
    Format,
    OverflowPolicy,
    RoundingMode,
)
from spikeproof.specs.integers import Buses


@dataclass(frozen=True)
class ExactFamily:
    """Operations that do not round, of one circuit, formula and definition.

    Attributes:
        unit: as ``build_exact_unit`` takes it.
        formula, record: from operation, format and codes the output, or a tuple of all ``outputs``.
        operands: how many codes an operation takes.
        coded: whether the result is a code.
        copies: whether it is about bits, whatever they mean, and has no convention; the functions of
            all others take one, by this name.
        observed: from operation, format, codes, result and convention, what counts of that; if it is
            not all.
        engines: for each format.
    """

    operations: tuple[str, ...]
    unit: Callable[..., Bus | dict[str, Bus]]
    formula: Callable[..., Any]
    record: Callable[..., Any]
    outputs: tuple[str, ...] = ("result",)
    operands: int = 2
    coded: bool = False
    copies: bool = False
    observed: Callable[..., FNode] | None = None
    engines: Callable[[Format], tuple[str, ...]] = lambda fmt: BOTH


WITH_FLAGS = ("result", "flags")

_EXTREMA = ExactFamily(
    tuple(each for each in EXTREMA if each not in OF_2008),
    extremum_unit,
    symbolic.extremum,
    exact.extremum,
    coded=True,
)
_EITHER_ZERO = replace(_EXTREMA, operations=OF_2008, observed=symbolic.observed_extremum)
_SIGN = ExactFamily(
    ("negate", "absolute"),
    change_sign_unit,
    symbolic.change_sign,
    exact.change_sign,
    operands=1,
    coded=True,
    copies=True,
)
_NEIGHBOURS = ExactFamily(
    exact_general.NEIGHBOURS,
    neighbour_unit,
    symbolic_general.neighbour,
    exact_general.neighbour,
    operands=1,
    coded=True,
    engines=engines_for,
)
_CLASS = ExactFamily(
    ("class",),
    class_unit,
    lambda _, fmt, x: symbolic_general.class_word(fmt, x),
    lambda _, fmt, x: exact_general.class_word(fmt, x),
    outputs=("class",),
    operands=1,
    copies=True,
    engines=engines_for,
)
_PREDICATES = ExactFamily(
    tuple(exact_general.PREDICATES),
    predicate_unit,
    symbolic_general.holds,
    exact_general.holds,
    operands=1,
    copies=True,
    engines=engines_for,
)
_TOTAL_ORDERS = ExactFamily(
    exact_general.TOTAL_ORDERS,
    total_order_unit,
    symbolic_general.total_order,
    exact_general.total_order,
    copies=True,
    engines=engines_for,
)
_COMPARISONS_WITH_FLAGS = ExactFamily(
    exact_general.COMPARISONS,
    compare_with_flags_unit,
    symbolic_general.compare_with_flags,
    exact_general.compare_with_flags,
    outputs=WITH_FLAGS,
    engines=engines_for,
)
_COMPARISONS = ExactFamily(tuple(exact.RELATIONS), compare_unit, symbolic.compare, exact.compare)

FAMILIES = (
    _COMPARISONS,
    _EXTREMA,
    _EITHER_ZERO,
    _SIGN,
    replace(_SIGN, operations=("copy_sign",), operands=2),
    _NEIGHBOURS,
    _CLASS,
    _PREDICATES,
    _TOTAL_ORDERS,
    _COMPARISONS_WITH_FLAGS,
)
"""Those of every format."""


def _with_flags(
    family: ExactFamily,
    unit: Callable[..., dict[str, Bus]],
    formula: Callable[..., Any],
    record: Callable[..., Any],
) -> ExactFamily:
    return replace(family, unit=unit, formula=formula, record=record, outputs=WITH_FLAGS)


FAMILIES_WITH_FLAGS = (
    *(
        _with_flags(
            family, extremum_with_flags_unit, symbolic.extremum_with_flags, exact.extremum_with_flags
        )
        for family in (_EXTREMA, _EITHER_ZERO)
    ),
    _with_flags(
        _NEIGHBOURS,
        neighbour_with_flags_unit,
        symbolic_general.neighbour_with_flags,
        exact_general.neighbour_with_flags,
    ),
)
"""Those of which there is little to say without a convention: NaN operands that signal."""

_FAMILY_OF = {
    (operation, family.outputs == WITH_FLAGS): family
    for family in (*FAMILIES, *FAMILIES_WITH_FLAGS)
    for operation in family.operations
}

EXACT_OPERATIONS = frozenset(operation for operation, _ in _FAMILY_OF)
"""All of them."""


@dataclass(frozen=True)
class ExactUnit(PromisedUnit):
    """One of ``EXACT_OPERATIONS``, of a format."""

    operation: str
    fmt: Format
    flags: bool = False
    convention: Convention = IEEE
    source = None

    @property
    def family(self) -> ExactFamily:
        """What it is one of.

        Raises:
            ValueError: if it is there without flags alone, or with them.
        """
        if (self.operation, self.flags) not in _FAMILY_OF:
            instead = "has no flags; leave out" if self.flags else "is there with its flags alone; add"
            raise ValueError(f"{self.operation} {instead} 'flags'")
        return _FAMILY_OF[self.operation, self.flags]

    @property
    def operands(self) -> tuple[str, ...]:
        """The names of its input buses."""
        return OPERANDS[: self.family.operands]

    @property
    def in_words(self) -> str:
        """What it computes, for people."""
        return self.operation.replace("_", " ")

    @property
    def engines(self) -> tuple[str, ...]:
        """As its family needs."""
        return self.family.engines(self.fmt)

    @property
    def bearing(self) -> tuple[str, ...]:
        """Of all choices those about operands; where the result is a code, NaNs and zeros among them."""
        operands = ("nan_operands", "subnormal_operands")
        return ("nan", *operands, "flushed_sign") if self.family.coded else operands

    def require_convention(self, convention: Convention) -> None:
        """Refuse a convention that it cannot have; of what is about bits alone, any but IEEE."""
        if convention != IEEE and self.family.copies:
            raise ValueError(f"{self.operation} is the same by all conventions; leave them out")
        super().require_convention(convention)

    @property
    def _choices(self) -> dict[str, Convention]:
        return {} if self.family.copies else {"convention": self.convention}

    def _values(self, function: Callable[..., Any], inputs: Mapping[str, Any]) -> dict[str, Any]:
        operands = (inputs[name] for name in self.operands)
        found = function(self.operation, self.fmt, *operands, **self._choices)
        found = found if isinstance(found, tuple) else (found,)
        return dict(zip(self.family.outputs, found, strict=True))

    def circuit(self) -> Netlist:
        """The unit itself."""
        family = self.family
        unit = partial(family.unit, **self._choices)
        return build_exact_unit(unit, self.operation, self.fmt, family.operands)

    def spec(self, inputs: Buses) -> Buses:
        """What its outputs should be."""
        return self._values(self.family.formula, inputs)

    def trace(self, inputs: Mapping[str, int]) -> Mapping[str, int]:
        """What the spec of record implies for its outputs."""
        return self._values(self.family.record, inputs)

    @property
    def observed(self) -> Observation:
        """What counts of its outputs."""
        several = self.family.coded and self.convention.nan in SEVERAL
        return self._observed if several or self.family.observed else everything

    def _observed(self, inputs: Buses, outputs: Buses) -> Buses:
        operands = [(self.fmt, inputs[name]) for name in self.operands]
        result = symbolic.observed(self.fmt, self.convention, outputs["result"], operands)
        if self.family.observed:
            codes = (inputs[name] for name in self.operands)
            result = self.family.observed(self.operation, self.fmt, *codes, result, **self._choices)
        return {**outputs, "result": result}

    @property
    def reading(self) -> Reading:
        """How to read its counterexamples."""
        result = ("result",) if self.family.coded else ()
        return Reading(dict.fromkeys((*self.operands, *result), self.fmt), self.trace)

    def neighbours(self) -> Iterator[PromisedUnit]:
        """Units that differ from it in one choice: of convention, or of which minimum it is."""
        yield from (self.changed(operation=each) for each in _kin(self.operation))
        yield from super().neighbours()


def _kin(operation: str) -> Iterator[str]:
    """The other minima, or maxima, that differ from one in what they do with NaNs and zeros alone."""
    if operation in EXTREMA:
        for other in EXTREMA:
            alike = all((word in operation) == (word in other) for word in ("min", "magnitude"))
            if alike and other != operation:
                yield other


WITH_PAYLOADS = (FP8_E5M2, FP16, BFLOAT16, FP32)
"""Formats of hardware that can have every convention."""


def conversions() -> Iterator[Unit]:
    """Between any two formats: to nearest even under every policy, and with flags in every mode.

    Between ``WITH_PAYLOADS`` to nearest even under every bundle of conventions.
    """
    for source, target in permutations(FORMATS.values(), 2):
        for policy in target.policies:
            yield Unit("convert", target, policy=policy, source=source)
        for mode in RoundingMode:
            yield Unit("convert", target, mode, target.policies[0], source=source, flags=True)
    for source, target in permutations(WITH_PAYLOADS, 2):
        yield from units_under(Unit("convert", target, source=source), BUNDLES.values())


def profile_for(unit: Unit) -> Profile:
    """To nearest even under every policy of ``SMALL_FORMATS``, and IEEE overflow alone of wider targets.

    Flags are proved of ``STANDING_FOR_ALL``. All else is left to ``--wide``.
    """
    usual = unit.mode is RoundingMode.NEAREST_EVEN and unit.choices <= {"flags"} and unit.stands_for_all
    usual &= unit.fmt in SMALL_FORMATS or unit.policy is OverflowPolicy.IEEE
    return Profile.DEFAULT if usual else Profile.WIDE


PROMISED_CONVENTIONS = tuple(BUNDLES[name] for name in ("riscv", "arm", "x86_sse", "cuda", "opencl"))
"""All that there are of NaN operands and results but the last, and subnormal operands that are zero."""


def under_conventions() -> Iterator[ExactUnit]:
    """In formats of hardware with payloads: extrema and neighbours with flags; comparisons of CUDA's."""
    for fmt in WITH_PAYLOADS:
        for convention, operation in product(
            PROMISED_CONVENTIONS, (*EXTREMA, *exact_general.NEIGHBOURS)
        ):
            yield ExactUnit(operation, fmt, flags=True, convention=convention)
        for operation in exact.RELATIONS:
            yield ExactUnit(operation, fmt, convention=BUNDLES["cuda"])


UNDER_CONVENTIONS = ("minimum", "next_up", "less")
"""Of operations that do not round, those that are proved by default under conventions."""


def exact_profile(unit: ExactUnit) -> Profile:
    """What clause 5 has besides, of FP64, is left to ``--wide``.

    So is of magnitudes all but FP8_E5M2, and of the predicates of one operand all but that and FP16.
    What makes a choice beside is of ``STANDING_FOR_ALL``; under conventions ``UNDER_CONVENTIONS`` alone.
    """
    usual = unit.fmt is not FP64 or unit.family.engines is not engines_for
    if "magnitude" in unit.operation and unit.operation in EXTREMA:
        usual = unit.fmt is FP8_E5M2
    if unit.operation in exact_general.PREDICATES:
        usual = unit.fmt in (FP8_E5M2, FP16)
    usual &= unit.convention == IEEE or unit.operation in UNDER_CONVENTIONS
    return Profile.DEFAULT if usual and unit.stands_for_all else Profile.WIDE


def obligations() -> Iterator[Named]:
    """``FORMAT.OPERATION[.CONVENTION][.flags]``, and the conversions."""
    for fmt, family in product(FORMATS.values(), FAMILIES):
        for operation in family.operations:
            unit = ExactUnit(operation, fmt, flags=family.outputs == WITH_FLAGS)
            yield unit.promised(exact_profile(unit))
    for unit in under_conventions():
        yield unit.promised(exact_profile(unit))
    for conversion in conversions():
        yield conversion.promised(profile_for(conversion))
