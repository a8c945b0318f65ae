"""The symbolic spec is the floating-point theory of SMT-LIB, as z3 implements it.

z3's tactic ``fpa2bv`` turns a relation between floating-point terms into one between bit-vectors. The
theorems state that relation of the spec's result, so that every engine can be asked, and not z3 alone.
z3's translation shares no line with the spec.

Of ``fma`` that is proved of FP8_E5M2; of FP16 its cases take most of an hour together, and it is tested
in ``tests/proofs/test_floating_point_theory.py``.

A NaN of the theory has no payload: that the spec delivers the canonical one, where it does, is claimed
beside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from types import ModuleType
from typing import Any, cast

from pysmt.fnode import FNode
from pysmt.shortcuts import (
    BV,
    And,
    BVAnd,
    BVConcat,
    BVExtract,
    BVOr,
    BVType,
    Equals,
    Iff,
    Implies,
    Ite,
    Not,
    Or,
    Symbol,
)

from spikeproof.circuits.netlist import Netlist
from spikeproof.proofs.units import WORDS
from spikeproof.prover.claims.obligation import BOTH, Claim, Obligation, Profile, StatementError
from spikeproof.specs import symbolic
from spikeproof.specs.formats import (
    ARITY,
    BFLOAT16,
    FP8_E5M2,
    FP16,
    FP32,
    OPERANDS,
    Format,
    OverflowPolicy,
    RoundingMode,
)

# --- z3's side ----------------------------------------------------------------------------------

MODES = (
    RoundingMode.NEAREST_EVEN,
    RoundingMode.NEAREST_AWAY,
    RoundingMode.TOWARD_ZERO,
    RoundingMode.UP,
    RoundingMode.DOWN,
)
"""The theory's rounding modes: all of IEEE 754's."""

RELATIONS = ("equal", "less", "less_equal", "unordered")
EXTREMA = ("minimum_number", "maximum_number")
SIGNS = ("negate", "absolute")
"""Its operations that do not round."""


def _theory() -> ModuleType:
    """``proofs.z3_theory``, which nothing needs but to state these theorems.

    Raises:
        StatementError: if z3 is not installed.
    """
    try:
        from spikeproof.proofs import z3_theory
    except ImportError:
        raise StatementError(
            "it is about z3's floating-point theory, which only z3 can write out: pip install z3-solver"
        ) from None
    return z3_theory


def _canonical(fmt: Format, code: FNode) -> FNode:
    """Whether a code is the canonical NaN if it is a NaN."""
    return Implies(symbolic.unpack(fmt, code).nan, Equals(code, BV(fmt.canonical_nan, fmt.width)))


_OPEN = ("open_0", "open_1")
"""Names for the signs that the theory leaves open: of the extrema of zeros of unlike signs."""


FLOATING_POINT_THEORY = "floating_point_theory"
"""What kind of theorem these are."""


@dataclass(frozen=True)
class Theorem:
    """That an operation of the spec is that of the theory.

    ``mode`` is None where nothing rounds; ``source`` is the format of the operands of a conversion.
    """

    operation: str
    fmt: Format
    mode: RoundingMode | None = None
    source: Format | None = None

    @property
    def name(self) -> str:
        """``spec.FORMAT.OPERATION[_from_SOURCE][.MODE].floating_point_theory``."""
        source = f"_from_{self.source.name}" if self.source else ""
        mode = [self.mode.value] if self.mode else []
        return ".".join(("spec", self.fmt.name, self.operation + source, *mode, FLOATING_POINT_THEORY))

    @property
    def statement(self) -> str:
        """What is claimed, for people."""
        words = WORDS.get(self.operation, self.operation.replace("_", " "))
        source = f" of {self.source.name}" if self.source else ""
        rounded = f" rounded {self.mode.label}" if self.mode else ""
        zeros = ", but for zeros of unlike signs," if self.operation in EXTREMA else ""
        return (
            f"the spec's {self.fmt.name} {words}{source}{rounded}{zeros} equals the SMT-LIB "
            "floating-point theory, as z3 implements it"
        )

    @property
    def parameters(self) -> dict[str, str]:
        """What its name says; overflow is always IEEE 754's."""
        source = {"source": self.source.name} if self.source else {}
        rounding = {"mode": self.mode.value, "policy": OverflowPolicy.IEEE.value} if self.mode else {}
        named = {"family": "spec", "format": self.fmt.name, "operation": self.operation}
        return {**named, **source, **rounding, "kind": FLOATING_POINT_THEORY}

    def claim(self, netlist: Netlist | None = None) -> Claim:
        """That the relation which defines the theory's result holds of the spec's.

        Raises:
            KeyError: if there is no such operation in the theory.
        """
        if self.mode:
            return self._rounding(self.mode)
        if self.operation in RELATIONS:
            return self._relation()
        return self._extremum() if self.operation in EXTREMA else self._sign()

    def _codes(self, count: int) -> dict[str, FNode]:
        width = BVType((self.source or self.fmt).width)
        return {name: Symbol(name, width) for name in OPERANDS[:count]}

    def _rounding(self, mode: RoundingMode) -> Claim:
        fmt, policy, theory = self.fmt, OverflowPolicy.IEEE, _theory()
        codes = self._codes(ARITY[self.operation])
        result = symbolic.compute(self.operation, fmt, mode, policy, *codes.values(), source=self.source)
        numbers = [theory.number(name, self.source or fmt) for name in codes]
        if self.operation == "convert":
            meant = theory.converted(mode, *numbers, fmt)
        else:
            meant = theory.OPERATIONS[self.operation](theory.MODES[mode](), *numbers)
        same = self._result_is(meant, {**codes, "result": result})
        return Claim(codes, And(same, _canonical(fmt, result)))

    def _meant(self, codes: Iterable[str]) -> Any:
        """What the theory makes of operands, without rounding."""
        theory = _theory()
        return theory.OPERATIONS[self.operation](*(theory.number(name, self.fmt) for name in codes))

    def _result_is(self, meant: Any, leaves: Mapping[str, FNode]) -> FNode:
        """That the result, one of the leaves, is a number of the theory."""
        theory = _theory()
        return cast(FNode, theory.in_bit_vectors(theory.number("result", self.fmt) == meant, leaves))

    def _relation(self) -> Claim:
        codes = self._codes(2)
        holds = _theory().in_bit_vectors(self._meant(codes), codes)
        result = symbolic.compare(self.operation, self.fmt, *codes.values())
        return Claim(codes, Iff(holds, Equals(result, BV(1, 1))))

    def _extremum(self) -> Claim:
        codes = self._codes(2)
        x, y = codes.values()
        result = symbolic.extremum(self.operation, self.fmt, x, y)
        left_open = {name: Symbol(name, BVType(1)) for name in _OPEN}
        leaves = _Leaves({**codes, "result": result}, left_open)
        same = self._result_is(self._meant(codes), leaves)
        zeros = And(symbolic.unpack(self.fmt, code).zero for code in (x, y))
        goal = And(same, _canonical(self.fmt, result))
        return Claim({**codes, **left_open}, goal, (Or(Not(zeros), Equals(x, y)),))

    def _sign(self) -> Claim:
        codes = self._codes(1)
        result = symbolic.change_sign(self.operation, self.fmt, *codes.values())
        return Claim(codes, self._result_is(self._meant(codes), {**codes, "result": result}))

    def cases(self, codes: Mapping[str, FNode]) -> dict[str, dict[str, FNode]]:
        """The operands, for each case into which the theorem is split, by their classes."""
        classes = {name: _of_class(self.fmt, code) for name, code in codes.items()}
        return {
            ", ".join(case): {name: classes[name][kind] for name, kind in zip(codes, case, strict=True)}
            for case in SPLIT[self.operation](self.fmt)
        }

    def obligation(self, engines: tuple[str, ...], profile: Profile = Profile.DEFAULT) -> Obligation:
        """The theorem, for these engines."""
        return Obligation(
            self.name,
            self.statement,
            self.claim,
            engines=engines,
            profile=profile,
            parameters=self.parameters,
            cases=self.cases if self.operation in SPLIT else None,
        )


class _Leaves(dict[str, FNode]):
    """Formulas by name, and for z3's own constants one of those left open after another."""

    def __init__(self, known: Mapping[str, FNode], left_open: Mapping[str, FNode]) -> None:
        super().__init__(known)
        self._rest = iter(left_open.values())

    def __missing__(self, name: str) -> FNode:
        self[name] = next(self._rest)
        return self[name]


# --- cases --------------------------------------------------------------------------------------

_Case = tuple[str, ...]
"""A class of ``_of_class`` for each operand."""

_SPECIAL: tuple[_Case, ...] = (("special", "any"), ("any", "special"))


def _of_class(fmt: Format, code: FNode) -> dict[str, FNode]:
    """For each class of codes, by name, a code of that class: the given one if it is of the class."""
    fraction = BVExtract(code, 0, fmt.fraction_bits - 1)
    field = BVExtract(code, fmt.fraction_bits, fmt.magnitude_bits - 1)
    sign = BVExtract(code, fmt.width - 1, fmt.width - 1)
    least, one, most = (BV(n, fmt.exponent_bits) for n in (0, 1, (1 << fmt.exponent_bits) - 1))
    finite = Ite(Equals(field, most), one, field)
    zero = And(Equals(finite, least), Not(symbolic.nonzero(fraction)))
    magnitudes = {
        "any": (field, fraction),
        "special": (most, fraction),
        "number": (finite, BVOr(fraction, symbolic.from_bool(zero, fmt.fraction_bits))),
        "normal": (Ite(Equals(finite, least), one, finite), fraction),
        "subnormal": (least, fraction),
        "zero": (least, BV(0, fmt.fraction_bits)),
    }
    for top in range(fmt.fraction_bits):
        below, first = (BV(n, fmt.fraction_bits) for n in ((1 << top) - 1, 1 << top))
        magnitudes[f"subnormal to bit {top}"] = (least, BVOr(BVAnd(fraction, below), first))
    return {name: BVConcat(sign, BVConcat(*parts)) for name, parts in magnitudes.items()}


def _sums(fmt: Format) -> Iterator[_Case]:
    """The theory's adder normalises subnormal operands, and the spec's does not."""
    yield from _SPECIAL
    yield from product(("normal", "subnormal"), repeat=2)


def _products(fmt: Format) -> Iterator[_Case]:
    """The first bit of a subnormal factor says by how much the theory shifts it before it multiplies.

    Two subnormal factors have a product too small for that to matter.
    """
    yield from _SPECIAL
    yield from (("normal", "normal"), ("subnormal", "subnormal"))
    for small in ("zero", *(f"subnormal to bit {top}" for top in range(fmt.fraction_bits))):
        yield from ((small, "normal"), ("normal", small))


def _quotients(fmt: Format) -> Iterator[_Case]:
    """Spec and theory both normalise numbers; what they divide instead of zero or infinity differs."""
    yield from _SPECIAL
    yield from (("zero", "any"), ("any", "zero"), ("number", "number"))


def _multiply_adds(fmt: Format) -> Iterator[_Case]:
    """The factors as in a product; and the theory normalises a subnormal addend, as in a sum.

    Beside factors that make the product special or tiny, any number may be the addend.
    """
    yield ("any", "any", "special")
    for factors in _products(fmt):
        if factors in (*_SPECIAL, ("subnormal", "subnormal")):
            yield (*factors, "any")
        else:
            yield from ((*factors, addend) for addend in ("normal", "subnormal"))


SPLIT: dict[str, Callable[[Format], Iterator[_Case]]] = {
    "add": _sums,
    "subtract": _sums,
    "multiply": _products,
    "divide": _quotients,
    "fma": _multiply_adds,
}
"""The cases, by operation, of theorems that are not decided whole, or not as fast."""


# --- the obligations ----------------------------------------------------------------------------

CONVERSIONS = ((FP16, FP32), (FP32, FP16), (FP16, BFLOAT16), (BFLOAT16, FP16))
"""Conversions, each from the first format to the second."""

PROVED = (
    *((operation, FP16) for operation in ("add", "subtract", "multiply", "divide", "square_root")),
    ("add", FP32),
)
"""The arithmetic operations, and the formats, in which CaDiCaL decides them in seconds."""


def obligations() -> Iterator[Obligation]:
    """The theorems by name; of arithmetic all but FP16 ``add`` to nearest even is left to ``--wide``."""
    for operation in (*RELATIONS, *EXTREMA, *SIGNS):
        yield Theorem(operation, FP16).obligation(BOTH)
    for source, target in CONVERSIONS:
        for mode in MODES:
            yield Theorem("convert", target, mode, source).obligation(BOTH)
    for operation, fmt in PROVED:
        for mode in MODES:
            usual = (operation, fmt, mode) == ("add", FP16, RoundingMode.NEAREST_EVEN)
            profile = Profile.DEFAULT if usual else Profile.WIDE
            yield Theorem(operation, fmt, mode).obligation(("cadical",), profile)
    for mode in MODES:
        yield Theorem("fma", FP8_E5M2, mode).obligation(("cadical",), Profile.WIDE)
