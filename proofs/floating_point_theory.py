"""The symbolic spec is the floating-point theory of SMT-LIB, as z3 implements it.

z3's tactic ``fpa2bv`` turns a relation between floating-point terms into one between bit-vectors. The
theorems state that relation of the spec's result, so that every engine can be asked, and not z3 alone.
z3's translation shares no line with the spec.

FP16 ``fma`` is proved in nearest even alone, and tested in the other modes in
``tests/proofs/test_floating_point_theory.py``: its cases take most of an hour together.

A NaN of the theory has no payload: that the spec delivers the canonical one, where it does, is claimed
beside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import z3
from pysmt.fnode import FNode
from pysmt.shortcuts import (
    BV,
    BVSLE,
    BVULE,
    FALSE,
    TRUE,
    And,
    BVAdd,
    BVAnd,
    BVConcat,
    BVExtract,
    BVLShl,
    BVLShr,
    BVMul,
    BVNeg,
    BVNot,
    BVOr,
    BVSExt,
    BVSub,
    BVType,
    BVUDiv,
    BVXor,
    BVZExt,
    Equals,
    Iff,
    Implies,
    Ite,
    Not,
    NotEquals,
    Or,
    Symbol,
)

from spikeproof.circuits.netlist import Netlist
from spikeproof.proofs.units import WORDS
from spikeproof.prover.claims.obligation import BOTH, Claim, Obligation, Profile
from spikeproof.specs import symbolic
from spikeproof.specs.formats import (
    ARITY,
    BFLOAT16,
    FP16,
    FP32,
    OPERANDS,
    Format,
    OverflowPolicy,
    RoundingMode,
)

# --- from z3's formulas to ours -----------------------------------------------------------------


def _equal(a: FNode, b: FNode) -> FNode:
    return Iff(a, b) if a.get_type().is_bool_type() else Equals(a, b)


def _reduced(holds: Callable[[FNode], FNode]) -> Callable[[FNode], FNode]:
    return lambda a: Ite(holds(a), BV(1, 1), BV(0, 1))


_OPERATORS: dict[int, Callable[..., FNode]] = {
    z3.Z3_OP_TRUE: TRUE,
    z3.Z3_OP_FALSE: FALSE,
    z3.Z3_OP_AND: And,
    z3.Z3_OP_OR: Or,
    z3.Z3_OP_NOT: Not,
    z3.Z3_OP_ITE: Ite,
    z3.Z3_OP_EQ: _equal,
    z3.Z3_OP_CONCAT: BVConcat,
    z3.Z3_OP_BADD: BVAdd,
    z3.Z3_OP_BSUB: BVSub,
    z3.Z3_OP_BNEG: BVNeg,
    z3.Z3_OP_BMUL: BVMul,
    z3.Z3_OP_BUDIV_I: BVUDiv,
    z3.Z3_OP_BNOT: BVNot,
    z3.Z3_OP_BAND: BVAnd,
    z3.Z3_OP_BOR: BVOr,
    z3.Z3_OP_BXOR: BVXor,
    z3.Z3_OP_BSHL: BVLShl,
    z3.Z3_OP_BLSHR: BVLShr,
    z3.Z3_OP_BREDOR: _reduced(lambda a: NotEquals(a, BV(0, a.bv_width()))),
    z3.Z3_OP_BREDAND: _reduced(lambda a: Equals(a, BV((1 << a.bv_width()) - 1, a.bv_width()))),
    z3.Z3_OP_SLEQ: BVSLE,
    z3.Z3_OP_ULEQ: BVULE,
    z3.Z3_OP_ZERO_EXT: lambda a, count: BVZExt(a, count),
    z3.Z3_OP_SIGN_EXT: lambda a, count: BVSExt(a, count),
    z3.Z3_OP_EXTRACT: lambda a, high, low: BVExtract(a, low, high),
}
"""The operators that ``fpa2bv`` makes use of; a function's parameters follow its arguments."""

_LEFT_ASSOCIATIVE = {z3.Z3_OP_CONCAT, z3.Z3_OP_BADD, z3.Z3_OP_BMUL}


def from_z3(term: z3.ExprRef, leaves: Mapping[str, FNode]) -> FNode:
    """z3's bit-vector or Boolean term as a formula of pySMT.

    Args:
        leaves: what to put for the term's constants, by name.

    Raises:
        KeyError: for a constant that is not among the leaves, or an operator of which ``fpa2bv`` makes
            no use.
    """
    formulas: dict[int, FNode] = {}
    pending = [term]
    while pending:
        node = pending[-1]
        missing = [child for child in node.children() if child.get_id() not in formulas]
        if missing:
            pending.extend(missing)
            continue
        pending.pop()
        if node.get_id() not in formulas:
            arguments = [formulas[child.get_id()] for child in node.children()]
            formulas[node.get_id()] = _formula(node, arguments, leaves)
    return formulas[term.get_id()]


def _formula(node: z3.ExprRef, arguments: list[FNode], leaves: Mapping[str, FNode]) -> FNode:
    if z3.is_bv_value(node):
        return BV(node.as_long(), node.size())
    declared = node.decl()
    kind = declared.kind()
    if kind == z3.Z3_OP_UNINTERPRETED:
        return leaves[declared.name()]
    if kind in _LEFT_ASSOCIATIVE:
        total = arguments[0]
        for argument in arguments[1:]:
            total = _OPERATORS[kind](total, argument)
        return total
    return _OPERATORS[kind](*arguments, *declared.params())


def in_bit_vectors(relation: z3.BoolRef, leaves: Mapping[str, FNode]) -> FNode:
    """A relation between floating-point terms as a formula of pySMT about their codes.

    Raises:
        KeyError: if z3 leaves something open, and introduces a constant for it.
    """
    # Simplifying is needed for subtraction, which ``fpa2bv`` cannot translate; it becomes an addition.
    # It also puts operands in the order in which the context came by them: in a context of its own, a
    # relation becomes the same formula whatever was built before.
    own = z3.Context()
    (goal,) = z3.Then("simplify", "fpa2bv", ctx=own)(relation.translate(own))
    return And(from_z3(conjunct, leaves) for conjunct in goal)


# --- the operations in z3's theory --------------------------------------------------------------

MODES: dict[RoundingMode, Callable[[], Any]] = {
    RoundingMode.NEAREST_EVEN: z3.RNE,
    RoundingMode.NEAREST_AWAY: z3.RNA,
    RoundingMode.TOWARD_ZERO: z3.RTZ,
    RoundingMode.UP: z3.RTP,
    RoundingMode.DOWN: z3.RTN,
}
"""The theory's rounding modes: all of IEEE 754's."""

_ROUNDING: dict[str, Callable[..., Any]] = {
    "add": z3.fpAdd,
    "subtract": z3.fpSub,
    "multiply": z3.fpMul,
    "divide": z3.fpDiv,
    "square_root": z3.fpSqrt,
    "fma": z3.fpFMA,
}

_RELATIONS: dict[str, Callable[..., Any]] = {
    "equal": z3.fpEQ,
    "less": z3.fpLT,
    "less_equal": z3.fpLEQ,
    "unordered": lambda x, y: z3.Or(z3.fpIsNaN(x), z3.fpIsNaN(y)),
}

_EXTREMA: dict[str, Callable[..., Any]] = {"minimum_number": z3.fpMin, "maximum_number": z3.fpMax}

_SIGNS: dict[str, Callable[..., Any]] = {"negate": z3.fpNeg, "absolute": z3.fpAbs}


def _sort(fmt: Format) -> Any:
    return z3.FPSort(fmt.exponent_bits, fmt.precision)


def _number(name: str, fmt: Format) -> Any:
    return z3.fpBVToFP(z3.BitVec(name, fmt.width), _sort(fmt))


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
        zeros = ", but for zeros of unlike signs," if self.operation in _EXTREMA else ""
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
        if self.operation in _ROUNDING or self.operation == "convert":
            return self._rounding()
        if self.operation in _RELATIONS:
            return self._relation()
        return self._extremum() if self.operation in _EXTREMA else self._sign()

    def _codes(self, count: int) -> dict[str, FNode]:
        width = BVType((self.source or self.fmt).width)
        return {name: Symbol(name, width) for name in OPERANDS[:count]}

    def _rounding(self) -> Claim:
        assert self.mode
        fmt, policy = self.fmt, OverflowPolicy.IEEE
        codes = self._codes(ARITY[self.operation])
        result = symbolic.compute(
            self.operation, fmt, self.mode, policy, *codes.values(), source=self.source
        )
        mode, numbers = MODES[self.mode](), [_number(name, self.source or fmt) for name in codes]
        if self.operation == "convert":
            meant = z3.fpFPToFP(mode, *numbers, _sort(fmt))
        else:
            meant = _ROUNDING[self.operation](mode, *numbers)
        same = in_bit_vectors(_number("result", fmt) == meant, {**codes, "result": result})
        return Claim(codes, And(same, _canonical(fmt, result)))

    def _relation(self) -> Claim:
        codes = self._codes(2)
        meant = _RELATIONS[self.operation](*(_number(name, self.fmt) for name in codes))
        result = symbolic.compare(self.operation, self.fmt, *codes.values())
        return Claim(codes, Iff(in_bit_vectors(meant, codes), Equals(result, BV(1, 1))))

    def _extremum(self) -> Claim:
        codes = self._codes(2)
        x, y = codes.values()
        result = symbolic.extremum(self.operation, self.fmt, x, y)
        meant = _EXTREMA[self.operation](*(_number(name, self.fmt) for name in codes))
        left_open = {name: Symbol(name, BVType(1)) for name in _OPEN}
        leaves = _Leaves({**codes, "result": result}, left_open)
        same = in_bit_vectors(_number("result", self.fmt) == meant, leaves)
        zeros = And(symbolic.unpack(self.fmt, code).zero for code in (x, y))
        goal = And(same, _canonical(self.fmt, result))
        return Claim({**codes, **left_open}, goal, (Or(Not(zeros), Equals(x, y)),))

    def _sign(self) -> Claim:
        codes = self._codes(1)
        result = symbolic.change_sign(self.operation, self.fmt, *codes.values())
        meant = _SIGNS[self.operation](*(_number(name, self.fmt) for name in codes))
        leaves = {**codes, "result": result}
        return Claim(codes, in_bit_vectors(_number("result", self.fmt) == meant, leaves))

    def cases(self, codes: Mapping[str, FNode]) -> dict[str, dict[str, FNode]]:
        """The operands, for each case into which the theorem is split, by their classes."""
        classes = {name: _of_class(self.fmt, code) for name, code in codes.items()}
        return {
            ", ".join(case): {name: classes[name][kind] for name, kind in zip(codes, case, strict=True)}
            for case in _SPLIT[self.operation](self.fmt)
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
            cases=self.cases if self.operation in _SPLIT else None,
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


_SPLIT: dict[str, Callable[[Format], Iterator[_Case]]] = {
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

PATIENCE = 24
"""How much more time than others ``fma`` has: its 51 lemmas take up to 200 seconds each."""


def obligations() -> Iterator[Obligation]:
    """The theorems by name: in nearest even always, and in the other modes if they are quick."""
    for operation in (*_RELATIONS, *_EXTREMA, *_SIGNS):
        yield Theorem(operation, FP16).obligation(BOTH)
    for source, target in CONVERSIONS:
        for mode in MODES:
            yield Theorem("convert", target, mode, source).obligation(BOTH)
    for operation, fmt in PROVED:
        for mode in MODES:
            nearest = mode is RoundingMode.NEAREST_EVEN
            profile = Profile.DEFAULT if nearest else Profile.WIDE
            yield Theorem(operation, fmt, mode).obligation(("cadical",), profile)
    multiply_add = Theorem("fma", FP16, RoundingMode.NEAREST_EVEN)
    yield replace(multiply_add.obligation(("cadical_patient",), Profile.WIDE), patience=PATIENCE)
