"""Every dot product equals its definition, on all inputs: ``specs.exact_dot_products``.

Its proof is cut at every value that the definition names: significands, products, exponents, the largest
of any two, distances, aligned and signed terms, sums of two, and the sum's magnitude. Products are shown
by algebra; each of the other lemmas is about one or two words, whatever the number of terms.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, product
from typing import Any

from spikeproof.circuits.netlist import Netlist
from spikeproof.circuits.units.floating_point.dot_product import build_dot_product
from spikeproof.circuits.units.libraries import (
    DEFAULT_LIBRARY,
    FAST,
    LIBRARIES,
    SHALLOW,
    SMALL,
    STRUCTURE_NAMES,
    Structure,
)
from spikeproof.proofs.rounded_units import RoundedUnit, engines_for
from spikeproof.proofs.units import in_words
from spikeproof.prover.claims.obligation import Decomposition, Named, Profile, Reading, Step
from spikeproof.specs import exact_dot_products, symbolic_dot_products
from spikeproof.specs.conventions import IEEE, Convention, NanResult
from spikeproof.specs.dot_products import (
    CHOICES,
    DotProduct,
    Overflow,
    Truncation,
    ZeroSign,
    ZeroTerms,
    halves,
    joined,
)
from spikeproof.specs.formats import (
    BFLOAT16,
    E8M0,
    FP4_E2M1,
    FP8_E4M3FN,
    FP8_E5M2,
    FP16,
    FP32,
    MX_ELEMENTS,
    SMALL_FORMATS,
    TF32,
    AnyFormat,
    Format,
    OverflowPolicy,
    RoundingMode,
    ieee_format,
)
from spikeproof.specs.integers import Buses
from spikeproof.specs.symbolic import Probe, as_computed

IN_WORDS: dict[object, str] = {
    Truncation.FLOOR: "truncated with their signs",
    ZeroTerms.COUNTED: "zero terms having exponents too",
    ZeroSign.OF_TERMS: "zero having the sign of its terms",
    Overflow.INFINITE: "overflow going to infinity",
}
"""The choices of a dot product that do not go unsaid, for people."""

ONES = Convention(nan=NanResult.ONES)
"""The NaN that CUDA delivers."""


@dataclass(frozen=True)
class DotProductUnit(RoundedUnit):
    """A dot product in a format.

    ``source`` has the formats of operands as ``DotProduct.formats`` takes them, no more than are needed.
    """

    dot: DotProduct
    fmt: Format
    source: tuple[Format, ...] = ()
    mode: RoundingMode = RoundingMode.NEAREST_EVEN
    policy: OverflowPolicy = OverflowPolicy.IEEE
    library: str = DEFAULT_LIBRARY
    structure: Structure = SMALL
    convention: Convention = IEEE

    def __post_init__(self) -> None:
        object.__setattr__(self, "source", self.dot.shortest_sources(self.fmt, self.source))
        if self.dot.overflow is Overflow.INFINITE and self.policy is not OverflowPolicy.IEEE:
            raise ValueError(f"{self.policy.label}, so none goes to infinity; leave out to_infinity")

    @property
    def operation(self) -> str:  # type: ignore[override]
        """``dot4`` or ``dot4_add``."""
        return self.dot.operation

    @property
    def formats(self) -> tuple[Format, ...]:
        """The format of each operand."""
        return self.dot.formats(self.fmt, self.source)

    @property
    def rounding(self) -> tuple[str, ...]:
        """Its mode, its policy where it is not the usual one, and how terms are aligned and added."""
        return (*super().rounding, *self.dot.words)

    @property
    def rounding_parameters(self) -> dict[str, str]:
        """Mode, policy and choices."""
        return {**super().rounding_parameters, "alignment": ".".join(self.dot.words) or "exact"}

    @property
    def make(self) -> tuple[str, ...]:
        """The library, where it is not the default one, and the structure, where it is not ``small``."""
        library = () if self.library == DEFAULT_LIBRARY else (self.library,)
        return library if self.structure == SMALL else (*library, STRUCTURE_NAMES[self.structure])

    @property
    def parameters(self) -> dict[str, str]:
        """What its name says, and what goes unsaid there."""
        return {**super().parameters, "structure": STRUCTURE_NAMES[self.structure]}

    @property
    def operands(self) -> tuple[str, ...]:
        """The names of its input buses that hold numbers."""
        return self.dot.operands

    @property
    def reading(self) -> Reading:
        """How to read its counterexamples."""
        formats: dict[str, AnyFormat] = dict(zip(self.operands, self.formats, strict=True))
        scales = dict.fromkeys(self.dot.scales, E8M0)
        return Reading({**formats, **scales, "result": self.fmt}, self.trace)

    @property
    def in_words(self) -> str:
        """What it computes and how it is rounded, for people."""
        dot = self.dot
        products = f"sum of {dot.terms} product{'s' if dot.terms > 1 else ''} of x and y"
        products += ", times both scales" if dot.scaled else ""
        said = [products + (", and z" if dot.addend else "")]
        if dot.places is not None:
            said.append(f"each cut {dot.places} places below the largest exponent")
        if isinstance(dot.zeros, int):
            said.append(f"zero terms having the exponent {dot.zeros}")
        choices = (getattr(dot, field) for field in CHOICES)
        said += [IN_WORDS[each] for each in choices if each in IN_WORDS]
        return f"{', '.join(said)}, rounded {self.mode.label}, {self.policy.label}"

    @property
    def statement(self) -> str:
        """What is claimed of it, for people."""
        return super().statement + in_words(self.structure)

    @property
    def bearing(self) -> tuple[str, ...]:
        """Of a convention, which NaN is delivered."""
        return ("nan",)

    def require_convention(self, convention: Convention) -> None:
        """No other than which of two NaNs is delivered.

        Raises:
            ValueError: if it says anything else.
        """
        if convention not in (IEEE, ONES):
            raise ValueError(f"{self.operation} has no convention but {ONES.name!r}")

    @property
    def engines(self) -> tuple[str, ...]:
        """CaDiCaL alone, unless operands and result are of up to 8 bits."""
        small = all(fmt.width <= 8 for fmt in (self.fmt, *self.formats))
        return engines_for(self.fmt) if small else ("cadical",)

    def circuit(self, keep_waypoints: bool = False) -> Netlist:
        """The unit itself."""
        return build_dot_product(
            self.dot,
            self.fmt,
            self.mode,
            self.policy,
            self.formats,
            self.library,
            self.structure,
            keep_waypoints=keep_waypoints,
            convention=self.convention,
        )

    def spec(self, inputs: Buses, probe: Probe = as_computed) -> Buses:
        """What its output should be."""
        codes = [inputs[name] for name in self.operands]
        scales = [inputs[name] for name in self.dot.scales]
        dot, fmt, mode, given = self.dot, self.fmt, self.mode, self.convention
        result = symbolic_dot_products.compute(
            dot, fmt, mode, self.policy, self.formats, codes, probe, given, scales
        )
        return {"result": result}

    def trace(self, inputs: Mapping[str, int]) -> Mapping[str, int]:
        """What the spec of record implies for its probes and output."""
        codes = [inputs[name] for name in self.operands]
        scales = [inputs[name] for name in self.dot.scales]
        dot, fmt, mode, given = self.dot, self.fmt, self.mode, self.convention
        return exact_dot_products.trace(dot, fmt, mode, self.policy, self.formats, codes, given, scales)

    def neighbours(self) -> Iterator[RoundedUnit]:
        """Units that differ from it in one choice: of how terms are aligned, or as all that round."""
        dot = self.dot
        if dot.places is not None:
            for places in {max(1, dot.places - 1), dot.places + 1} - {dot.places}:
                yield self.changed(dot=replace(dot, places=places))
        for field, choices in CHOICES.items():
            for choice in choices:
                with suppress(ValueError):  # of an exact one nothing is truncated
                    changed: dict[str, Any] = {field: choice}
                    if choice is not getattr(dot, field):
                        yield self.changed(dot=replace(dot, **changed))
        yield from super().neighbours()

    @property
    def decomposition(self) -> Decomposition:
        """Cut at every value that the definition names."""
        *inner, last = steps(self.dot)
        return Decomposition(self.spec, tuple(inner), last, partial(self.circuit, keep_waypoints=True))


SUM = ("magnitude", "sign")
NOT_FINITE = ("nan", "infinite", "minus_infinite")


def steps(dot: DotProduct) -> Iterator[Step]:
    """The values on the way, in order, and then the outputs."""
    largest = () if dot.places is None else (joined("largest", dot.names),)
    yield Step(tuple(f"{name}_significand" for name in dot.operands))
    for name, (x, y) in zip(dot.names, dot.factors, strict=False):
        factors = (f"{x}_significand", f"{y}_significand")
        yield Step((f"product_{name}",), given=factors, method="product")
    scale = ("scale",) if dot.scaled else ()
    if scale:
        yield Step(scale)
    yield Step(tuple(f"exponent_{name}" for name in dot.names), given=scale)
    if largest:
        yield from tree("largest", dot.names)
    for name in dot.names:
        significand, distance = "z_significand" if name == "z" else f"product_{name}", f"distance_{name}"
        lost = (f"lost_{name}",) if dot.truncation is Truncation.FLOOR else ()
        aligned = (f"aligned_{name}", *lost)
        yield Step((distance,), given=(*largest, f"exponent_{name}"))
        yield Step(aligned, given=(significand, distance))
        yield Step((f"signed_{name}",), given=aligned)
    yield from tree("sum", dot.names)
    yield Step(SUM, given=(joined("sum", dot.names),))
    yield Step(NOT_FINITE)
    yield Step((), given=(*SUM, *largest, *NOT_FINITE))


def tree(what: str, names: Sequence[str]) -> Iterator[Step]:
    """What comes of joining the values of these terms two and two."""
    if len(names) > 1:
        both = halves(names)
        for half in both:
            yield from tree(what, half)
        yield Step((joined(what, names),), given=tuple(joined(what, half) for half in both))


# --- what is promised ---------------------------------------------------------------------------

E8M13 = ieee_format(8, 13)
"""What tensor cores add products of FP8 in, on Ada and Hopper."""

NEAREST_EVEN, TOWARD_ZERO = RoundingMode.NEAREST_EVEN, RoundingMode.TOWARD_ZERO


def machine(
    terms: int, places: int, zeros: int, fmt: Format, source: Format, *, scaled: bool = False
) -> DotProductUnit:
    """A tensor core as MMA-Sim models it: to nearest even into FP16, else toward zero.

    Zeros have an exponent only where numbers can have less: see ``ZeroTerms``.
    """
    matters = scaled or source.minimum_exponent < FP16.minimum_exponent
    nearest = fmt is FP16  # which goes to infinity by itself
    dot = DotProduct(
        terms,
        addend=True,
        places=places,
        zeros=zeros if matters else ZeroTerms.SKIPPED,
        overflow=Overflow.OF_MODE if nearest else Overflow.INFINITE,
        scaled=scaled,
    )
    sources = (source, source, FP32) if fmt is E8M13 else (source,)
    return DotProductUnit(dot, fmt, sources, NEAREST_EVEN if nearest else TOWARD_ZERO, convention=ONES)


def machines(
    terms: int, places: int, zeros: int, *pairs: tuple[Format, Format]
) -> tuple[DotProductUnit, ...]:
    """The same for several pairs of formats, of the result and of factors; ``terms`` are those of FP8.

    Of wider factors there are fewer: as many bytes.
    """
    return tuple(
        machine(8 * terms // max(8, 1 << (source.width - 1).bit_length()), places, zeros, fmt, source)
        for fmt, source in pairs
    )


INTO_E8M13 = ((E8M13, FP8_E4M3FN), (E8M13, FP8_E5M2))
FROM_FP16 = ((FP32, FP16), (FP16, FP16))
FROM_WIDE = (*FROM_FP16, (FP32, BFLOAT16), (FP32, TF32))

MACHINES: dict[str, tuple[DotProductUnit, ...]] = {
    "Volta": machines(8, 23, -131, *FROM_FP16),
    "Turing": machines(16, 24, -132, *FROM_FP16),
    "Ampere": machines(16, 24, -132, *FROM_WIDE),
    "Ada": (*machines(16, 24, -132, *FROM_WIDE), *machines(16, 13, -132, *INTO_E8M13)),
    "Hopper": (*machines(32, 25, -133, *FROM_WIDE), *machines(32, 13, -133, *INTO_E8M13)),
    "Blackwell": (
        *machines(32, 25, -133, *FROM_WIDE, *((FP32, source) for source in MX_ELEMENTS)),
        *(machine(32, 25, -133, FP32, source, scaled=True) for source in MX_ELEMENTS),
    ),
}
"""What each architecture adds at once: groups of so many products, of these formats."""


def of_small_formats() -> Iterator[DotProductUnit]:
    """Two and four products of every small format, with addend and without: exact, and of 7 places."""
    for fmt, terms, addend, places in product(SMALL_FORMATS, (2, 4), (False, True), (None, 7)):
        yield DotProductUnit(DotProduct(terms, addend, places), fmt, policy=fmt.policies[0])


def of_every_choice() -> Iterator[DotProductUnit]:
    """Two products of FP8_E5M2 and an addend: in every mode, and with every choice."""
    plain = DotProduct(2, addend=True, places=7)
    for mode in RoundingMode:
        if mode is not NEAREST_EVEN:  # which is among those of small formats
            yield DotProductUnit(plain, FP8_E5M2, mode=mode)
    others: list[dict[str, Any]] = [
        {field: choice} for field, choices in CHOICES.items() for choice in choices if choice.value
    ]
    for changed, mode in product((*others, {"zeros": -5}), (TOWARD_ZERO, RoundingMode.DOWN)):
        yield DotProductUnit(replace(plain, **changed), FP8_E5M2, mode=mode)


def of_other_makes() -> Iterator[DotProductUnit]:
    """Other gates and other structures."""
    small = DotProductUnit(
        DotProduct(2, addend=True, places=3), FP4_E2M1, policy=OverflowPolicy.SATURATE
    )
    yield from (replace(small, library=name) for name in LIBRARIES)
    yield from (replace(MACHINES["Volta"][0], structure=each) for each in (FAST, SHALLOW))


def of_mx_blocks() -> Iterator[DotProductUnit]:
    """Four products of MX elements and an addend, as Blackwell adds 32."""
    for source in MX_ELEMENTS:
        yield machine(4, 25, -133, FP32, source, scaled=True)


def exact_ones() -> Iterator[DotProductUnit]:
    """Exact ones into FP32 (Kulisch), to nearest even."""
    for source, terms in ((FP8_E4M3FN, 4), (FP8_E4M3FN, 32), (FP8_E5M2, 4), (FP16, 4)):
        yield DotProductUnit(DotProduct(terms), FP32, (source,))


DEFAULT = (FP4_E2M1, FP8_E4M3FN, FP8_E5M2)
"""Of these two products and an addend, 7 places kept, are proved always."""


def profile_for(unit: DotProductUnit) -> Profile:
    """A few small ones are proved always, all else is left to ``--wide``."""
    usual = DotProductUnit(DotProduct(2, addend=True, places=7), unit.fmt, policy=unit.fmt.policies[0])
    return Profile.DEFAULT if unit.fmt in DEFAULT and unit == usual else Profile.WIDE


def obligations() -> Iterator[Named]:
    """``FORMAT.[mx_]dotN[_add][_from_SOURCES].MODE[.POLICY][.fF][.CHOICES]``."""
    units = (
        *of_small_formats(),
        *of_every_choice(),
        *of_other_makes(),
        *of_mx_blocks(),
        *exact_ones(),
        *chain.from_iterable(MACHINES.values()),
    )
    for unit in dict.fromkeys(units):
        yield unit.promised(profile_for(unit))
