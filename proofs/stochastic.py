"""Units that round stochastically: each is its operation for every random word, and none is biased.

Two theorems about each: that it is the operation, of operands and random word; and the *count*: how many
of the random words round away from zero. That is stated without the formula of the former. A word r
rounds away from zero iff r + k >= 2^bits, where k, of the operands alone, is floor(f * 2^bits) of the
fraction f of a last place that rounding toward zero loses; what that and rounding away from zero deliver
is told by IEEE 754's modes. These words are k in number: ``spec.stochasticN.count``. The mean is
the exact result if f * 2^bits is whole, and else nearer to zero by less than 2^-bits of a last place.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, permutations, product

from pysmt.fnode import FNode
from pysmt.shortcuts import (
    BV,
    BVSGT,
    BVSLT,
    BVUGE,
    BVULT,
    And,
    BVAdd,
    BVExtract,
    BVLShr,
    BVSub,
    BVType,
    Equals,
    Iff,
    Ite,
    Or,
    Symbol,
)

from spikeproof.circuits.netlist import Netlist
from spikeproof.proofs.units import Unit
from spikeproof.prover.claims.obligation import Claim, Decomposition, Named, Obligation, Profile
from spikeproof.specs import symbolic
from spikeproof.specs.conventions import SubnormalResults
from spikeproof.specs.formats import (
    FLAGS,
    FORMATS,
    RANDOM,
    SMALL_FORMATS,
    Format,
    RoundingMode,
    Stochastic,
    operand_formats,
)
from spikeproof.specs.integers import Buses
from spikeproof.specs.symbolic import (
    Probe,
    append_zeros,
    as_computed,
    bit,
    from_bool,
    sign_extend,
    signed_constant,
    zero_extend,
)


def words_up(fmt: Format, bits: int, exponent: FNode, significand: FNode) -> FNode:
    """floor(f * 2^bits) of the fraction f of a last place of significand * 2^exponent that is lost.

    The last place is 2^fraction_bits below the first bit, but no lower than that of subnormal numbers.
    """
    size = significand.bv_width()
    width = exponent.bv_width() + (size + bits + fmt.bias + fmt.fraction_bits).bit_length() + 1
    exponent = sign_extend(exponent, width)
    _, above = symbolic.shift_out_leading_zeros(significand, width)
    first = BVSub(BVAdd(exponent, BV(size - 1, width)), above)
    lowest = signed_constant(fmt.minimum_exponent, width)
    first = Ite(BVSLT(first, lowest), lowest, first)
    lost = BVSub(BVSub(first, BV(fmt.fraction_bits, width)), exponent)
    total = max(width, size + bits)
    scaled = zero_extend(append_zeros(significand, bits), total)
    parts = BVExtract(BVLShr(scaled, zero_extend(lost, total)), 0, bits - 1)
    return Ite(BVSGT(lost, BV(0, width)), parts, BV(0, bits))


@dataclass(frozen=True)
class StochasticUnit(Unit):
    """An operation that rounds stochastically.

    ``count`` says whether the claim is the one about how many words round away from zero.

    Raises:
        ValueError: if the claim about the number does not tell what is asked beside it.
    """

    count: bool = False

    def __post_init__(self) -> None:
        if self.count and self.flags:
            raise ValueError("count says nothing of flags; leave out one of them")
        if self.count and self.convention.subnormal_results is SubnormalResults.ZERO_AFTER:
            raise ValueError(
                "count says nothing of what is flushed after rounding; leave out one of them"
            )

    @property
    def make(self) -> tuple[str, ...]:
        """As of every unit; and whether the claim is about the number of words."""
        return (*super().make, "count") if self.count else super().make

    @property
    def parameters(self) -> dict[str, str]:
        """What its name says, and what goes unsaid there."""
        return {**super().parameters, **({"kind": "count"} if self.count else {})}

    @property
    def in_words(self) -> str:
        """What it computes and how it is rounded, for people."""
        if not self.count:
            return super().in_words
        return (
            f"{super().in_words}: floor(f * 2^{self.mode.places}) of the random words round away from "
            "zero, f being the fraction of a last place that is lost"
        )

    def spec(self, inputs: Buses, probe: Probe = as_computed) -> Buses:
        """What its outputs should be; of the count, by the number of words."""
        return self._by_number(inputs) if self.count else super().spec(inputs, probe)

    def _by_number(self, inputs: Buses) -> Buses:
        assert isinstance(self.mode, Stochastic)
        forms = operand_formats(self.source or self.fmt, len(self.operands))
        operands = [
            symbolic.unpack(form, symbolic.flush_operand(form, self.convention, inputs[name]))
            for form, name in zip(forms, self.operands, strict=True)
        ]
        exact = symbolic.OPERATIONS[self.operation](self.fmt, self.mode, as_computed, *operands)
        number = words_up(self.fmt, self.mode.bits, exact.exponent, exact.significand)
        down, up, toward_zero = (
            Unit(
                self.operation,
                self.fmt,
                mode,
                self.policy,
                source=self.source,
                flags=True,
                convention=self.convention,
            ).spec(inputs)
            for mode in (RoundingMode.DOWN, RoundingMode.UP, RoundingMode.TOWARD_ZERO)
        )
        # What even rounding toward zero leaves beyond the largest number is beyond it for every word.
        away = Or(_rounds_up(inputs[RANDOM], number), bit(toward_zero["flags"], FLAGS.index("overflow")))
        from_zero = Ite(exact.negative, down["result"], up["result"])
        return {"result": Ite(away, from_zero, toward_zero["result"])}

    @property
    def decomposition(self) -> Decomposition | None:
        """As of every unit; the count is put to the engines whole."""
        return None if self.count else super().decomposition


# --- how many words are k -----------------------------------------------------------------------


def _rounds_up(word: FNode, number: FNode) -> FNode:
    """Whether word + number >= 2^bits."""
    bits = number.bv_width()
    total = BVAdd(zero_extend(word, bits + 1), zero_extend(number, bits + 1))
    return BVUGE(total, BV(1 << bits, bits + 1))


def count_claim(bits: int, netlist: Netlist | None) -> Claim:
    """That of all words k round up, word by word, for every number k below 2^bits."""
    number = Symbol("number", BVType(bits))
    ones = [from_bool(_rounds_up(BV(word, bits), number), bits) for word in range(1 << bits)]
    return Claim({"number": number}, Equals(BVAdd(*ones), number))


def translation_claim(bits: int, netlist: Netlist | None) -> Claim:
    """That r -> r + k modulo 2^bits, which is one to one, takes what rounds up to the words below k."""
    word, number = symbols = [Symbol(name, BVType(bits)) for name in (RANDOM, "number")]
    moved = BVAdd(word, number)
    goal = And(
        Iff(_rounds_up(word, number), BVULT(moved, number)),
        Equals(BVSub(moved, number), word),
    )
    return Claim({symbol.symbol_name(): symbol for symbol in symbols}, goal)


COUNTED_BITS = (4, 8)
"""The lengths for which all words are counted."""

MOVED_BITS = (8, 16, 24)
"""The lengths for which the words that round up are moved to the numbers below k."""


def counts() -> Iterator[Obligation]:
    """``spec.stochasticN.count`` and ``spec.stochasticN.translation``."""
    for bits, kind, claim in (
        *((bits, "count", count_claim) for bits in COUNTED_BITS),
        *((bits, "translation", translation_claim) for bits in MOVED_BITS),
    ):
        mode = Stochastic(bits).value
        up = f"of all words r of {bits} bits, those with r + k >= 2^{bits} are k in number"
        yield Obligation(
            f"spec.{mode}.{kind}",
            up if kind == "count" else f"{up}: r + k modulo 2^{bits} is each number below k, and once",
            partial(claim, bits),
            profile=Profile.WIDE if claim is count_claim and bits > COUNTED_BITS[0] else Profile.DEFAULT,
            parameters={"family": "spec", "operation": "count_words", "mode": mode, "kind": kind},
        )


# --- what is promised ---------------------------------------------------------------------------


def conversions() -> Iterator[StochasticUnit]:
    """To every format of fewer fraction bits, from formats of up to 32 bits.

    By as many random bits as the fraction loses, which is exact for normal numbers; and by 4 and 8.
    """
    for source, target in permutations(FORMATS.values(), 2):
        lost = source.fraction_bits - target.fraction_bits
        if lost > 0 and source.width <= 32:
            for bits in {lost, *(bits for bits in (4, 8) if bits < lost)}:
                yield StochasticUnit(
                    "convert", target, Stochastic(bits), target.policies[0], source=source
                )


def operations() -> Iterator[StochasticUnit]:
    """Sums and products of formats of up to 16 bits, by 4 random bits, and by 8 above 8 bits."""
    for fmt, operation in product(FORMATS.values(), ("add", "multiply", "fma")):
        if fmt.width <= 16:
            mode = Stochastic(4 if fmt in SMALL_FORMATS else 8)
            yield StochasticUnit(operation, fmt, mode, fmt.policies[0])


QUICK = (
    "fp8_e4m3fn.convert_from_fp16.stochastic4.saturate",
    "fp8_e4m3fn.convert_from_fp16.stochastic4.saturate.count",
    "fp8_e5m2.convert_from_fp16.stochastic4.flags",
    "fp8_e5m2.convert_from_fp16.stochastic8",
    "fp8_e5m2.convert_from_fp16.stochastic8.count",
    "bfloat16.convert_from_fp32.stochastic16",
    "bfloat16.convert_from_fp32.stochastic16.count",
    "fp16.convert_from_fp32.stochastic13",
    "fp8_e5m2.add.stochastic4",
    "fp8_e4m3fn.multiply.stochastic4.saturate",
    "fp8_e4m3fn.multiply.stochastic4.saturate.count",
)
"""What is promised by default; all else is left to ``--wide``."""


def obligations() -> Iterator[Obligation | Named]:
    """``spec.stochasticN.*``; of units, the operation without and with flags, and the count.

    The latter has three operations in it and no cut: of wide operations it is left to who asks for it.
    """
    yield from counts()
    for unit in chain(conversions(), operations()):
        yield from map(_promised, (unit, replace(unit, flags=True)))
        if unit.operation == "convert" or (unit.fmt in SMALL_FORMATS and unit.operation != "fma"):
            yield _promised(replace(unit, count=True))


def _promised(unit: StochasticUnit) -> Named:
    """By default what is quick."""
    return unit.promised(Profile.DEFAULT if unit.name in QUICK else Profile.WIDE)
