"""Every floating-point unit equals its IEEE 754 operation, on all inputs, specials included."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, product
from typing import Any, ClassVar, TypeVar

from pysmt.fnode import FNode
from pysmt.shortcuts import BV, And, BVExtract, Equals, Ite, Not, Or

from spikeproof.circuits.netlist import Netlist
from spikeproof.circuits.units.floating_point.building import build_unit
from spikeproof.circuits.units.libraries import (
    BY_DIGITS,
    COMPACT,
    DEFAULT_LIBRARY,
    FAST,
    LARGER_RADICES,
    LARGEST_WEIGHTS,
    LIBRARIES,
    REDUNDANT,
    ROWS,
    SHALLOW,
    SHALLOW_ROWS,
    SMALL,
    STRUCTURE_NAMES,
    Structure,
    rows_in_words,
    shallow,
)
from spikeproof.proofs.rounded_units import ARITHMETIC, RoundedUnit, engines_for
from spikeproof.proofs.shallow_exponent import ShallowExponent
from spikeproof.proofs.shallow_fma import ShallowMultiplyAdd
from spikeproof.proofs.shallow_rounding import ShallowRounding
from spikeproof.proofs.shallow_sums import ShallowSum
from spikeproof.prover.claims.obligation import (
    Condition,
    Decomposition,
    Distinction,
    Named,
    Profile,
    Step,
)
from spikeproof.specs import exact, symbolic
from spikeproof.specs.conventions import (
    BUNDLES,
    IEEE,
    Convention,
    NanOperands,
    SubnormalResults,
    Tininess,
    convention_named,
)
from spikeproof.specs.formats import (
    ARITY,
    BFLOAT16,
    FORMATS,
    FP8_E4M3FN,
    FP8_E5M2,
    FP16,
    FP32,
    FP64,
    OPERANDS,
    OTHER_FORMATS,
    REMAINDERS,
    SMALL_FORMATS,
    Format,
    Mode,
    OverflowPolicy,
    RoundingMode,
    Source,
    drawn,
    operand_formats,
)
from spikeproof.specs.integers import Buses
from spikeproof.specs.symbolic import Probe, nonzero

OPERATIONS = tuple(operation for operation in ARITY if operation not in ("convert", *REMAINDERS))
"""The arithmetic operations; conversions are among ``proofs.exact_units``."""


WORDS = {
    "add": "x + y",
    "subtract": "x - y",
    "multiply": "x * y",
    "divide": "x / y",
    "square_root": "square root of x",
    "fma": "x * y + z",
    "convert": "x",
}
"""The operations, for people."""


# --- decompositions -----------------------------------------------------------------------------


def _top(values: Buses, name: str, count: int) -> FNode:
    width = values[name].bv_width()
    return BVExtract(values[name], width - count, width - 1)


def is_zero(word: FNode) -> FNode:
    """Whether no bit is set."""
    return Not(nonzero(word))


def normalised_operands(values: Buses) -> FNode:
    """The divisor's first bit is set, and the dividend's too unless it is zero."""
    dividend = Or(is_zero(values["dividend"]), nonzero(_top(values, "dividend", 1)))
    return And(dividend, nonzero(_top(values, "divisor", 1)))


def normalised_quotient(values: Buses) -> FNode:
    """The quotient's first or second bit is set; but of zero, quotient and remainder are zero."""
    zero = And(is_zero(values["quotient"]), is_zero(values["remainder"]))
    return Ite(is_zero(values["dividend"]), zero, nonzero(_top(values, "quotient", 2)))


def normalised_radicand(values: Buses) -> FNode:
    """The radicand's first or second bit is set, unless it is zero."""
    return Or(is_zero(values["radicand"]), nonzero(_top(values, "radicand", 2)))


def normalised_root(values: Buses) -> FNode:
    """The root's first bit is set; but of zero, root and remainder are zero."""
    zero = And(is_zero(values["root"]), is_zero(values["remainder"]))
    return Ite(is_zero(values["radicand"]), zero, nonzero(_top(values, "root", 1)))


PRODUCT_STEPS = (
    Step(("x_significand", "y_significand")),
    Step(("product",), given=("x_significand", "y_significand"), method="product"),
)

SUM = ("magnitude", "sign")


def normalised_product(values: Buses) -> FNode:
    """The product's first bit is set, and its exponent at least the least; or the product is zero."""
    normal = And(nonzero(_top(values, "normalised_product", 1)), nonzero(values["product_field"]))
    return Or(is_zero(values["normalised_product"]), normal)


NORMALISED = ("normalised_product", "product_field")

STEPS: dict[str, tuple[tuple[Step, ...], Step]] = {
    "add": ((Step(SUM),), Step((), given=SUM)),
    "subtract": ((Step(SUM),), Step((), given=SUM)),
    "multiply": (PRODUCT_STEPS, Step((), given=("product",))),
    "fma": ((*PRODUCT_STEPS, Step(SUM, given=("product",))), Step((), given=SUM)),
    "divide": (
        (
            Step(("dividend", "divisor"), fact=normalised_operands),
            Step(
                ("quotient", "remainder"),
                given=("dividend", "divisor"),
                method="quotient",
                fact=normalised_quotient,
            ),
        ),
        Step((), given=("quotient", "remainder")),
    ),
    "square_root": (
        (
            Step(("radicand",), fact=normalised_radicand),
            Step(("root", "remainder"), given=("radicand",), method="root", fact=normalised_root),
        ),
        Step((), given=("root", "remainder")),
    ),
}
"""How the operations whose integer core no search can handle are decomposed."""

OF_NORMALISED_PRODUCT = (
    (
        *PRODUCT_STEPS,
        Step(NORMALISED, given=("product",), fact=normalised_product),
        Step(SUM, given=NORMALISED),
    ),
    Step((), given=(*NORMALISED, *SUM)),
)
"""How ``fma`` is, where the product is made an operand of a sum."""


def are_finite(forms: Mapping[str, Format], values: Buses) -> FNode:
    """Whether all operands are numbers other than zero."""
    operands = [symbolic.unpack(form, values[name]) for name, form in forms.items()]
    return Not(Or(each for x in operands for each in (x.nan, x.infinite, x.zero)))


def are_normal(forms: Mapping[str, Format], values: Buses) -> FNode:
    """Whether all operands are normal numbers."""
    operands = [symbolic.unpack(form, values[name]) for name, form in forms.items()]
    normal = And(symbolic.bit(x.significand, x.precision - 1) for x in operands)
    return And(normal, are_finite(forms, values))


CONDITIONS = {"operands finite": are_finite, "operands normal": are_normal}
"""For which operands somebody else's unit may have the spec's values on the way, if not for all."""


SEARCHED = 24
"""Of products of more places than this, whatever leading zeros they have is too much for one lemma."""

SHORT = 11
"""Of no more places than this one lemma takes no longer than a cut before rounding, or one a neuron."""

TOGETHER = 8
"""So many numbers of leading zeros are in one case."""


def by_leading_zeros(forms: Mapping[str, Format], values: Buses) -> dict[str, FNode]:
    """Cases of two operands that are not both normal: by how many leading zeros a significand has."""
    (x, fmt), (y, _) = ((name, form) for name, form in forms.items())
    operands = {name: symbolic.unpack(form, values[name]) for name, form in forms.items()}
    normal = {name: are_normal({name: forms[name]}, values) for name in forms}
    finite = are_finite(forms, values)
    cases = {
        "an operand zero, infinite or NaN": Not(finite),
        "both subnormal": And(finite, *(Not(normal[name]) for name in forms)),
    }
    for one, other in ((x, y), (y, x)):
        for least in range(1, fmt.precision, TOGETHER):
            most = min(least + TOGETHER, fmt.precision) - 1
            leading = Or(_leading(operands[one].significand, zeros) for zeros in range(least, most + 1))
            name = f"{one} with {least} to {most} leading zeros"
            cases[name] = And(finite, normal[other], leading)
    return cases


def _leading(word: FNode, zeros: int) -> FNode:
    """Whether a word has so many leading zeros."""
    top = word.bv_width() - 1
    return Equals(BVExtract(word, top - zeros, top), BV(1, zeros + 1))


# --- units --------------------------------------------------------------------------------------


def in_words(structure: Structure) -> str:
    """How what is no small unit is made, for people."""
    if structure.searches:
        return ", of neurons that read sums, with weights as large as these, digit by digit"
    if structure.shallow:
        rows = f", {rows_in_words(structure)}" if structure in SHALLOW_ROWS else ""
        return f", of neurons that read sums, with weights up to {structure.largest_weight}{rows}"
    return ", of prefix adders and tree multipliers" if structure == FAST else ""


@dataclass(frozen=True)
class Unit(RoundedUnit):
    """An operation of a format, or from others to one.

    ``source`` is the format of the operands where it is not ``fmt``, or the formats of each where they
    differ; ``flags`` says whether the exception flags are an output too.
    """

    operation: str
    fmt: Format
    mode: Mode = RoundingMode.NEAREST_EVEN
    policy: OverflowPolicy = OverflowPolicy.IEEE
    library: str = DEFAULT_LIBRARY
    source: Source | None = None
    flags: bool = False
    structure: Structure = SMALL
    convention: Convention = IEEE
    words: ClassVar[Mapping[str, str]] = WORDS

    @property
    def make(self) -> tuple[str, ...]:
        """The library, where it is not the default one, and the structure, where it is not ``small``."""
        library = () if self.library == DEFAULT_LIBRARY else (self.library,)
        return library if self.structure == SMALL else (*library, STRUCTURE_NAMES[self.structure])

    @property
    def in_words(self) -> str:
        """What it computes and how it is rounded, for people."""
        return f"{self.words[self.operation]} rounded {self.mode.label}, {self.policy.label}"

    @property
    def statement(self) -> str:
        """What is claimed of it, for people."""
        return super().statement + in_words(self.structure)

    @property
    def parameters(self) -> dict[str, str]:
        """What its name says, and what goes unsaid there."""
        return {**super().parameters, "structure": STRUCTURE_NAMES[self.structure]}

    @property
    def bearing(self) -> tuple[str, ...]:
        """Those of results that are rounded; of a product that is added to, whether it is valid."""
        return (*ARITHMETIC, "zero_times_infinity") if self.operation == "fma" else ARITHMETIC

    @property
    def operands(self) -> tuple[str, ...]:
        """The names of its input buses."""
        return OPERANDS[: ARITY[self.operation]]

    def circuit(self, keep_waypoints: bool = False) -> Netlist:
        """The unit itself."""
        return build_unit(
            self.operation,
            self.fmt,
            self.mode,
            self.policy,
            self.library,
            source=self.source,
            flags=self.flags,
            structure=self.structure,
            keep_waypoints=keep_waypoints,
            convention=self.convention,
        )

    def spec(self, inputs: Buses, probe: Probe = symbolic.as_computed) -> Buses:
        """What its outputs should be."""
        codes = [inputs[name] for name in self.operands]
        operation, fmt, mode = self.operation, self.fmt, drawn(self.mode, inputs)
        given: dict[str, Any] = {"source": self.source, "convention": self.convention, "probe": probe}
        outputs = {"result": symbolic.compute(operation, fmt, mode, self.policy, *codes, **given)}
        if self.flags:
            outputs["flags"] = symbolic.flags(operation, fmt, mode, *codes, **given)
        return outputs

    def trace(self, inputs: Mapping[str, int]) -> Mapping[str, int]:
        """What the spec of record implies for its probes and outputs."""
        codes = [inputs[name] for name in self.operands]
        operation, fmt, mode = self.operation, self.fmt, drawn(self.mode, inputs)
        given: dict[str, Any] = {"source": self.source, "convention": self.convention}
        signals = exact.trace(operation, fmt, mode, self.policy, *codes, **given)
        if self.flags:
            signals["flags"] = exact.flags(operation, fmt, mode, *codes, **given)
        return signals

    @property
    def decomposition(self) -> Decomposition | None:
        """How its proof is split, if it is."""
        if self.operation not in STEPS:
            return None
        steps, last = (
            OF_NORMALISED_PRODUCT if self._adds_to_a_normalised_product else STEPS[self.operation]
        )
        circuit: Callable[[], Netlist] = partial(self.circuit, keep_waypoints=True)
        spec: Callable[[Buses, Probe], Buses] = self.spec
        if self._sums_linear_forms:
            cuts = ShallowSum(self.fmt, self.operation == "subtract", circuit, self.spec)
            steps, spec = cuts.steps, cuts.spec
        if self._adds_linear_forms_to_products:
            sums = ShallowMultiplyAdd(self.fmt, circuit, self.spec, self.mode, self.flags)
            steps, last = (*PRODUCT_STEPS, *sums.steps), sums.last
            spec, circuit = sums.spec, sums.probed
        if self._shifts_far or self._rounds_many_terms:
            rounds = self.mode, self.flags, self._rounds_many_terms
            cut = ShallowRounding(self.fmt, last.given, circuit, spec, *rounds)
            steps, last, spec = (*steps, *cut.steps), cut.last(last), cut.spec
            if self._sums_linear_forms:
                exponent = ShallowExponent(self.fmt, cut, circuit)
                steps, last, spec = (*steps, *exponent.steps), exponent.last(last), exponent.spec
        return Decomposition(
            spec,
            steps,
            last,
            circuit,
            # Shallow units know how many leading zeros a product may have.
            laws=self.structure.shallow,
            conditions=self.conditions,
            others=self._others,
        )

    @property
    def _others(self) -> dict[str, Distinction]:
        """Into which cases operands are split that are not normal, where that is needed."""
        if self.operation != "multiply" or self.fmt.precision <= SEARCHED:
            return {}
        return {"operands normal": partial(by_leading_zeros, self.forms)}

    @property
    def _adds_to_a_normalised_product(self) -> bool:
        """Whether it is ``fma`` and its product an operand like another."""
        if self.operation != "fma" or self.structure.shallow:
            return False
        return not symbolic.keeps_product(self.fmt, *self.forms.values())

    @property
    def forms(self) -> dict[str, Format]:
        """The format of each operand."""
        return dict(
            zip(
                self.operands,
                operand_formats(self.source or self.fmt, len(self.operands)),
                strict=True,
            )
        )

    @property
    def _sums_linear_forms(self) -> bool:
        """Whether it is the adder of ``circuits.units.floating_point.shallow_addition``."""
        return self._linear and self.operation in ("add", "subtract")

    @property
    def _adds_linear_forms_to_products(self) -> bool:
        """Whether it is that of ``circuits.units.floating_point.shallow_fma``, too much for few cuts."""
        return self._linear and self.operation == "fma" and self.fmt.precision > SHORT

    @property
    def _linear(self) -> bool:
        """Whether it is made of linear forms, and not of shallow blocks alone."""
        plain = self.source is None and self.convention == IEEE and isinstance(self.mode, RoundingMode)
        return self.structure.shallow and plain

    @property
    def _shifts_far(self) -> bool:
        """Whether it shifts too many places for one lemma about the outputs."""
        products = self.operation == "multiply" and self.fmt.precision > SHORT
        return self._linear and products

    @property
    def _rounds_many_terms(self) -> bool:
        """Whether places of a long significand are sums; products' are not, nor those of longer ones."""
        sums = self.operation in ("add", "subtract", "divide")
        return self._linear and sums and SHORT < self.fmt.precision <= SEARCHED

    @property
    def conditions(self) -> dict[str, Condition]:
        """``CONDITIONS`` of its operands."""
        forms = self.forms
        return {name: partial(condition, forms) for name, condition in CONDITIONS.items()}

    @property
    def engines(self) -> tuple[str, ...]:
        """As its operands need."""
        return engines_for(*(self.sources or (self.fmt,)))


AnyUnit = TypeVar("AnyUnit", bound=Unit)


def in_all_modes() -> Iterator[Unit]:
    """Every operation and format, in every mode and under every policy."""
    for fmt, operation, mode, policy in product(
        FORMATS.values(), OPERATIONS, RoundingMode, OverflowPolicy
    ):
        if policy in fmt.policies:
            yield Unit(operation, fmt, mode, policy)


def of_other_formats() -> Iterator[Unit]:
    """Every operation of ``OTHER_FORMATS`` in every mode, under the first policy."""
    for fmt, operation, mode in product(OTHER_FORMATS.values(), OPERATIONS, RoundingMode):
        yield Unit(operation, fmt, mode, fmt.policies[0])


SHALLOW_FORMATS = (*SMALL_FORMATS, FP16, BFLOAT16, FP32)
"""Of which shallow units are promised in every mode."""

SHALLOW_OF_64_BITS = ("add", "multiply", "fma", "divide", "square_root")
"""Likewise of FP64, to nearest even."""

SHALLOW_OF_EVERY_WEIGHT = ("add", "subtract", "multiply", "divide", "square_root")
"""Likewise of FP8_E4M3FN with every largest weight."""


OF_REDUNDANT_REMAINDERS = {
    FP8_E4M3FN: (4, 8, 16),
    FP16: (4, 8, 16),
    BFLOAT16: (4, 8, 16),
    FP32: (4, 8),
}
"""By format, the radices of quotients with redundant remainders of which that is promised."""


def shallow_units() -> Iterator[Unit]:
    """What is made shallow of up to 32 bits, in every mode; FP8_E4M3FN with every largest weight.

    Each under the first policy. And some of weights 1, which read up to four copies of a signal; and
    quotients and roots of larger radices.
    """
    nearest, first = RoundingMode.NEAREST_EVEN, FP8_E4M3FN.policies[0]
    modes = (
        *product(SHALLOW_FORMATS, OPERATIONS, RoundingMode),
        *((FP64, operation, nearest) for operation in SHALLOW_OF_64_BITS),
    )
    for fmt, operation, mode in modes:
        yield Unit(operation, fmt, mode, fmt.policies[0], structure=SHALLOW)
    for operation, most in product(SHALLOW_OF_EVERY_WEIGHT, LARGEST_WEIGHTS):
        if shallow(most) != SHALLOW:
            yield Unit(operation, FP8_E4M3FN, policy=first, structure=shallow(most))
    for operation in ("add", "subtract", "multiply"):
        yield Unit(operation, FP8_E4M3FN, policy=first, library="ternary", structure=shallow(4))
    for operation, fmt, structure in product(ROWS, (FP8_E4M3FN, FP16), LARGER_RADICES.values()):
        yield Unit(operation, fmt, policy=fmt.policies[0], structure=structure)
    for fmt, radices in OF_REDUNDANT_REMAINDERS.items():
        for radix in radices:
            yield Unit("divide", fmt, policy=fmt.policies[0], structure=REDUNDANT[radix])


def compact_units() -> Iterator[Unit]:
    """What has a product, quotient or root that is found digit by digit, of up to 32 bits.

    To nearest even, under the first policy.
    """
    for operation, fmt in product((*BY_DIGITS, "fma"), (*SMALL_FORMATS, FP16, BFLOAT16, FP32)):
        yield Unit(operation, fmt, policy=fmt.policies[0], structure=COMPACT)


def variants() -> Iterator[Unit]:
    """Other gates, other adders and multipliers, exception flags: each under the first policy."""
    for fmt, operation in product(FORMATS.values(), OPERATIONS):
        unit = Unit(operation, fmt, policy=fmt.policies[0])
        yield replace(unit, structure=FAST)
        if fmt in SMALL_FORMATS:
            yield from (replace(unit, library=name) for name in LIBRARIES if name != DEFAULT_LIBRARY)
        if fmt is FP32 and operation in ("add", "multiply"):  # S2 publishes neuron counts of these
            yield from (replace(unit, library="nexus", structure=each) for each in (SMALL, FAST))
        yield from (replace(unit, mode=mode, flags=True) for mode in RoundingMode)


SINGLE_CHOICES = (
    "first_nan",
    "last_nan",
    "daz",
    "daz.unsigned_flush",
    "ftz_before.silent_flush",
    "ftz_after.unsigned_flush",
    "ftz",
    "tiny_after",
)
"""Conventions that are no bundle, promised so that each choice is, whatever the bundles have."""


def under_conventions() -> Iterator[Unit]:
    """Formats of up to 32 bits under every bundle they can have, in every mode.

    With flags, where there is something to say of them. And ``SINGLE_CHOICES``, of one format.
    """
    singles = tuple(map(convention_named, SINGLE_CHOICES))
    for fmt, operation, mode in product(FORMATS.values(), OPERATIONS, RoundingMode):
        if fmt.width <= 32:
            conventions = (*BUNDLES.values(), *(singles if fmt is FP8_E5M2 else ()))
            yield from units_under(Unit(operation, fmt, mode, fmt.policies[0]), conventions)


def units_under(unit: AnyUnit, conventions: Iterable[Convention]) -> Iterator[AnyUnit]:
    """A unit under each that it can have, with flags where there is something to say of them."""
    for convention in conventions:
        flags = convention.nan_operands is NanOperands.SIGNALLING
        flags |= convention.tininess is Tininess.AFTER
        flags |= convention.subnormal_results is not SubnormalResults.GRADUAL
        if convention != IEEE and convention.is_possible(unit.fmt):
            yield replace(unit, convention=convention, flags=flags)


LONG = ("fma", "divide")
"""Operations whose theorems take several times as long as those of the others."""


def profile_for(unit: Unit) -> Profile:
    """Nearest even up to 32 bits under every policy; every mode of up to 8 bits, and of FP16.

    The latter under the first policy; of ``LONG`` operations above 8 bits nearest even under the first
    policy is all. What makes a choice beside is proved of ``STANDING_FOR_ALL``, to nearest even; but for
    unusual weights, and ``LONG`` operations that are shallow or under ``SINGLE_CHOICES``. All else is
    left to ``--wide``.
    """
    fmt, long = unit.fmt, unit.operation in LONG
    nearest, first = unit.mode is RoundingMode.NEAREST_EVEN, unit.policy is unit.fmt.policies[0]
    if unit.choices:
        quick = unit.structure in (SMALL, FAST) and unit.convention in (IEEE, *BUNDLES.values())
        usual = quick or (not long and unit.structure in (SMALL, SHALLOW))
        return Profile.DEFAULT if usual and nearest and unit.stands_for_all else Profile.WIDE
    usual = nearest and first and fmt.width <= 32
    if not long or fmt.width <= 8:
        usual |= (nearest and fmt.width <= 32) or (first and fmt in (*SMALL_FORMATS, FP16))
    return Profile.DEFAULT if usual else Profile.WIDE


def obligations() -> Iterator[Named]:
    """All of the above."""
    families = (
        *(in_all_modes, of_other_formats, variants, shallow_units, compact_units),
        under_conventions,
    )
    for unit in chain.from_iterable(family() for family in families):
        yield unit.promised(profile_for(unit))
