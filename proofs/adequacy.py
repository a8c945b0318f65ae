"""The spec's rounding formula is what the standard says in words.

The theorems are about ``specs.symbolic.round_to`` on every number of the form

    v = (-1)^negative * significand * 2^exponent

with a significand of twice the precision and any exponent that a product of two numbers of the format
can have; every such product is among them. Numbers are compared as fixed-point integers, in units of the
smallest such v, with no rounding anywhere in the statement. A *candidate* is any finite code c.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property, partial

from pysmt.fnode import FNode
from pysmt.shortcuts import (
    BV,
    BVSGE,
    BVSGT,
    BVSLE,
    BVSLT,
    BVUGE,
    BVULE,
    BVULT,
    FALSE,
    And,
    BVAdd,
    BVExtract,
    BVLShl,
    BVNeg,
    BVOr,
    BVSub,
    BVType,
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
from spikeproof.prover.claims.obligation import Claim, Obligation, Profile
from spikeproof.specs import symbolic
from spikeproof.specs.formats import (
    FP4_E2M1,
    RANDOM,
    SMALL_FORMATS,
    Format,
    Mode,
    OverflowPolicy,
    RoundingMode,
    Stochastic,
    drawn,
)


@dataclass(frozen=True)
class Scale:
    """Fixed-point integers wide enough for every number in question, and for their differences."""

    fmt: Format

    @property
    def lowest(self) -> int:
        """Exponent of the unit: the last bit of a product of two subnormals."""
        return 2 * (self.fmt.minimum_exponent - self.fmt.fraction_bits)

    @property
    def highest(self) -> int:
        """The largest exponent that the last bit of a product can have."""
        largest_field = self.fmt.largest_finite >> self.fmt.fraction_bits
        return 2 * (largest_field - self.fmt.bias - self.fmt.fraction_bits)

    @property
    def width(self) -> int:
        """Bits of the signed fixed-point integers."""
        return self.highest - self.lowest + 2 * self.fmt.precision + 3

    def of(self, negative: FNode, significand: FNode, shift: FNode) -> FNode:
        """(-1)^negative * significand * 2^shift units, signed."""
        wide = BVZExt(significand, self.width - significand.bv_width())
        magnitude = BVLShl(wide, BVZExt(shift, self.width - shift.bv_width()))
        return Ite(negative, BVNeg(magnitude), magnitude)

    def of_code(self, code: FNode) -> FNode:
        """The value of a finite code, read off its fields (IEEE 754-2019 clause 3.4)."""
        fmt = self.fmt
        fraction = BVExtract(code, 0, fmt.fraction_bits - 1)
        field = BVExtract(code, fmt.fraction_bits, fmt.magnitude_bits - 1)
        subnormal = Equals(field, BV(0, fmt.exponent_bits))
        one = BV(1 << fmt.fraction_bits, fmt.precision)
        hidden = Ite(subnormal, BV(0, fmt.precision), one)
        return self.of(is_negative(fmt, code), BVOr(BVZExt(fraction, 1), hidden), self.last_place(code))

    def last_place(self, code: FNode) -> FNode:
        """How many places above the unit the last bit of a finite code's significand is."""
        fmt = self.fmt
        field = BVExtract(code, fmt.fraction_bits, fmt.magnitude_bits - 1)
        subnormal = Equals(field, BV(0, fmt.exponent_bits))
        smallest = fmt.minimum_exponent - fmt.fraction_bits - self.lowest
        above = Ite(subnormal, BV(0, fmt.exponent_bits), BVSub(field, BV(1, fmt.exponent_bits)))
        size = max(smallest.bit_length(), fmt.exponent_bits) + 1
        return BVAdd(BVZExt(above, size - fmt.exponent_bits), BV(smallest, size))


def is_negative(fmt: Format, code: FNode) -> FNode:
    """Whether the sign bit is set."""
    return Equals(BVExtract(code, fmt.width - 1, fmt.width - 1), BV(1, 1))


def is_finite(fmt: Format, code: FNode) -> FNode:
    """Whether a code stands for a finite number."""
    magnitude = BVExtract(code, 0, fmt.magnitude_bits - 1)
    in_range = BVULE(magnitude, BV(fmt.largest_finite, fmt.magnitude_bits))
    return (
        in_range
        if fmt.has_negative_zero
        else And(in_range, NotEquals(code, BV(fmt.sign_mask, fmt.width)))
    )


@dataclass(frozen=True)
class Setting:
    """The symbols of a statement: a number v, its rounding r under a mode, and a candidate c."""

    fmt: Format
    mode: Mode
    suffix: str = ""
    word: FNode | None = None
    """The random word, if it is not an input."""

    @cached_property
    def scale(self) -> Scale:
        """The fixed-point scale of the format."""
        return Scale(self.fmt)

    def _symbol(self, name: str, width: int) -> FNode:
        return Symbol(name + self.suffix, BVType(width))

    @cached_property
    def inputs(self) -> dict[str, FNode]:
        """The quantified symbols, by name."""
        span = (self.scale.highest - self.scale.lowest).bit_length() + 1
        symbols = (
            self._symbol("negative", 1),
            self._symbol("significand", 2 * self.fmt.precision),
            self._symbol("exponent", span),  # above the lowest
            self._symbol("candidate", self.fmt.width),
        )
        named = {symbol.symbol_name(): symbol for symbol in symbols}
        if isinstance(self.mode, Stochastic):  # of two numbers the same
            named[RANDOM] = Symbol(RANDOM, BVType(self.mode.bits))
        return named

    @cached_property
    def assumptions(self) -> tuple[FNode, ...]:
        """That the exponent is one a product can have, and the candidate finite."""
        exponent, candidate = self.inputs["exponent" + self.suffix], self.candidate
        largest = BV(self.scale.highest - self.scale.lowest, exponent.bv_width())
        return (BVULE(exponent, largest), is_finite(self.fmt, candidate))

    @cached_property
    def negative(self) -> FNode:
        """Whether v is negative; tells the zeros apart."""
        return Equals(self.inputs["negative" + self.suffix], BV(1, 1))

    @cached_property
    def candidate(self) -> FNode:
        """The code c."""
        return self.inputs["candidate" + self.suffix]

    @cached_property
    def v(self) -> FNode:
        """The number before rounding, in units."""
        significand, exponent = (self.inputs[n + self.suffix] for n in ("significand", "exponent"))
        return self.scale.of(self.negative, significand, exponent)

    @cached_property
    def c(self) -> FNode:
        """The candidate's value, in units."""
        return self.scale.of_code(self.candidate)

    def rounded(self, policy: OverflowPolicy) -> FNode:
        """The code that the formula under test delivers."""
        significand, offset = (self.inputs[n + self.suffix] for n in ("significand", "exponent"))
        width = max(offset.bv_width(), (-self.scale.lowest).bit_length()) + 2
        lowest = symbolic.signed_constant(self.scale.lowest, width)
        exponent = BVAdd(BVZExt(offset, width - offset.bv_width()), lowest)
        mode = drawn(self.mode, {**self.inputs, **({RANDOM: self.word} if self.word else {})})
        return symbolic.round_to(self.fmt, mode, policy, self.negative, exponent, significand).code

    @cached_property
    def code(self) -> FNode:
        """The result where overflow saturates: always a number."""
        return self.rounded(OverflowPolicy.SATURATE)

    @cached_property
    def r(self) -> FNode:
        """The value of the result, in units."""
        return self.scale.of_code(self.code)

    @cached_property
    def odd(self) -> FNode:
        """Whether the last bit of the result is 1."""
        return Equals(BVExtract(self.code, 0, 0), BV(1, 1))

    def magnitude(self, value: FNode) -> FNode:
        """Its absolute value."""
        return Ite(BVSLT(value, BV(0, self.scale.width)), BVNeg(value), value)

    def distance(self, value: FNode) -> FNode:
        """How far a value is from v."""
        return self.magnitude(BVSub(value, self.v))

    @cached_property
    def largest(self) -> FNode:
        """The largest finite number, in units."""
        return self.scale.of_code(BV(self.fmt.largest_finite, self.fmt.width))


# --- the statements: each a goal in terms of a setting ------------------------------------------


def representable(s: Setting) -> FNode:
    """The result is a number of the format, of v's sign."""
    negative = is_negative(s.fmt, s.code)
    is_zero = Equals(s.r, BV(0, s.scale.width))
    right_sign = Iff(negative, s.negative)
    if not s.fmt.has_negative_zero:
        right_sign = Or(right_sign, And(is_zero, Not(negative)))
    return And(is_finite(s.fmt, s.code), right_sign)


def exact_when_possible(s: Setting) -> FNode:
    """A representable v is its own rounding."""
    return Implies(Equals(s.c, s.v), Equals(s.r, s.v))


def _ties_to_even(s: Setting) -> FNode:
    return Not(s.odd)


def _ties_away(s: Setting) -> FNode:
    return BVSGT(s.magnitude(s.r), s.magnitude(s.v))


def _nearest(tie: Callable[[Setting], FNode], s: Setting) -> FNode:
    """No candidate is nearer; if another one is as near, the tie goes where the mode says."""
    other = And(NotEquals(s.c, s.r), Equals(s.distance(s.c), s.distance(s.r)))
    return And(BVSLE(s.distance(s.r), s.distance(s.c)), Implies(other, tie(s)))


def _toward_zero(s: Setting) -> FNode:
    """The candidate of largest magnitude that is not beyond v."""
    not_beyond = BVSLE(s.magnitude(s.c), s.magnitude(s.v))
    return And(
        BVSLE(s.magnitude(s.r), s.magnitude(s.v)),
        Implies(not_beyond, BVSLE(s.magnitude(s.c), s.magnitude(s.r))),
    )


def _up(s: Setting) -> FNode:
    """The least candidate not below v; the largest number if there is none."""
    none = BVSGT(s.v, s.largest)
    return And(
        Or(BVSGE(s.r, s.v), And(none, Equals(s.r, s.largest))),
        Implies(BVSGE(s.c, s.v), BVSGE(s.c, s.r)),
    )


def _down(s: Setting) -> FNode:
    """The greatest candidate not above v; the least number if there is none."""
    least = BVNeg(s.largest)
    none = BVSLT(s.v, least)
    return And(
        Or(BVSLE(s.r, s.v), And(none, Equals(s.r, least))),
        Implies(BVSLE(s.c, s.v), BVSLE(s.c, s.r)),
    )


def _to_odd(s: Setting) -> FNode:
    """v itself or else a neighbour of v with an odd last bit; the largest number beyond the range."""
    beyond = BVSGT(s.magnitude(s.v), s.magnitude(s.largest))
    between = Or(
        And(BVSLT(s.r, s.c), BVSLT(s.c, s.v)),
        And(BVSLT(s.v, s.c), BVSLT(s.c, s.r)),
    )
    return And(
        Not(between),
        Implies(And(Not(beyond), NotEquals(s.r, s.v)), s.odd),
        Implies(beyond, Equals(s.magnitude(s.r), s.magnitude(s.largest))),
    )


def _word_rounds_up(s: Setting, code: FNode) -> FNode:
    """Whether word * u + 2^bits * (v - c) >= 2^bits * u, v being between a number c and the next, c + u.

    That is word + k >= 2^bits for the largest k with k * u <= 2^bits * (v - c). All of magnitudes.
    """
    word, bits = s.inputs[RANDOM], s.mode.places
    width = s.scale.width + bits + 1

    def times_last_place(factor: FNode) -> FNode:
        shift = s.scale.last_place(code)
        return BVLShl(BVZExt(factor, width - factor.bv_width()), BVZExt(shift, width - shift.bv_width()))

    beyond = BVSub(s.magnitude(s.v), s.magnitude(s.scale.of_code(code)))
    scaled = BVZExt(symbolic.append_zeros(beyond, bits), 1)
    whole = times_last_place(BV(1 << bits, bits + 1))
    return BVUGE(BVAdd(times_last_place(word), scaled), whole)


def _last_place(s: Setting) -> FNode:
    """The distance from the candidate to the next larger number, of magnitudes."""
    return s.scale.of(FALSE(), BV(1, 1), s.scale.last_place(s.candidate))


def _stochastic(s: Setting) -> FNode:
    """The candidate that v is rounded down to, or the next: that if the random word says so.

    All of magnitudes; beyond the range, the largest number.
    """
    c, v = s.magnitude(s.c), s.magnitude(s.v)
    following = BVAdd(c, _last_place(s))
    is_largest = Equals(c, s.largest)
    rounded_down = And(BVSLE(c, v), Or(is_largest, BVSLT(v, following)))
    goes_up = And(_word_rounds_up(s, s.candidate), Not(is_largest))
    return Implies(rounded_down, Equals(s.magnitude(s.r), Ite(goes_up, following, c)))


def unbiased(s: Setting) -> FNode:
    """Over all random words, the results add up to 2^bits * v, or to less by less than a last place.

    All of magnitudes, of v in the range. The sum is whole in last places: where 2^bits * v is so too,
    the two are equal.
    """
    bits = s.mode.places
    width = s.scale.width + bits
    results = [replace(s, word=BV(word, bits)).r for word in range(1 << bits)]
    total = BVAdd(*(BVZExt(s.magnitude(r), bits) for r in results))
    c, v, last_place = s.magnitude(s.c), s.magnitude(s.v), BVZExt(_last_place(s), bits)
    rounded_down = And(BVSLE(c, v), BVSLT(v, BVAdd(c, _last_place(s))), BVSLE(v, s.largest))
    scaled = BVExtract(symbolic.append_zeros(v, bits), 0, width - 1)
    return Implies(rounded_down, And(BVULE(total, scaled), BVULT(BVSub(scaled, total), last_place)))


DEFINITIONS: dict[RoundingMode, Callable[[Setting], FNode]] = {
    RoundingMode.NEAREST_EVEN: partial(_nearest, _ties_to_even),
    RoundingMode.NEAREST_AWAY: partial(_nearest, _ties_away),
    RoundingMode.TOWARD_ZERO: _toward_zero,
    RoundingMode.UP: _up,
    RoundingMode.DOWN: _down,
    RoundingMode.TO_ODD: _to_odd,
}
"""What each mode means (clauses 4.3.1 and 4.3.2), overflow saturating."""

PROPERTIES: dict[str, tuple[str, Callable[[Mode], Callable[[Setting], FNode]]]] = {
    "representable": ("yields a number of the format", lambda mode: representable),
    "exact": ("keeps what is representable", lambda mode: exact_when_possible),
    "definition": (
        "is the number that {definer} names",
        lambda mode: DEFINITIONS[mode] if isinstance(mode, RoundingMode) else _stochastic,
    ),
}
"""What is claimed of every mode: in words, and as a goal."""

STOCHASTIC = Stochastic(4)
"""By random words of this length promised too; to FP4 by default."""

SUMMED_WIDTH = 6
"""To formats of up to so many bits the results of all random words are added up."""


def goes_to_infinity(s: Setting) -> FNode:
    """Whether clauses 4.3.1 and 7.4 call for an infinity."""
    fmt, v = s.fmt, s.magnitude(s.v)
    second_largest = s.scale.of_code(BV(fmt.largest_finite - 1, fmt.width))
    step = BVSub(s.largest, second_largest)
    excess = BVSub(v, s.largest)
    twice_excess = BVAdd(excess, excess)
    tie_overflows = BVSGE(twice_excess, step)
    more_than_tie_overflows = BVSGT(twice_excess, step)
    beyond = BVSGT(v, s.largest)
    if isinstance(s.mode, Stochastic):
        largest = BV(fmt.largest_finite, fmt.width)
        return And(BVSGE(v, s.largest), _word_rounds_up(s, largest))
    largest_is_odd = fmt.largest_finite % 2 == 1
    return {
        RoundingMode.NEAREST_EVEN: tie_overflows if largest_is_odd else more_than_tie_overflows,
        RoundingMode.NEAREST_AWAY: tie_overflows,
        RoundingMode.TOWARD_ZERO: FALSE(),
        RoundingMode.UP: And(beyond, Not(s.negative)),
        RoundingMode.DOWN: And(beyond, s.negative),
        RoundingMode.TO_ODD: FALSE(),
    }[s.mode]


def overflow(policy: OverflowPolicy, s: Setting) -> FNode:
    """The policy's code where the standard calls for an infinity; elsewhere as if saturating."""
    fmt = s.fmt
    if policy is OverflowPolicy.IEEE:
        sign = Ite(s.negative, BV(fmt.sign_mask, fmt.width), BV(0, fmt.width))
        instead = BVOr(sign, BV(fmt.infinity, fmt.width))
    else:
        instead = BV(fmt.canonical_nan, fmt.width)
    return Equals(s.rounded(policy), Ite(goes_to_infinity(s), instead, s.code))


# --- the obligations ----------------------------------------------------------------------------


def rounding_claim(
    fmt: Format,
    mode: Mode,
    statement: Callable[[Setting], FNode],
    netlist: Netlist | None,
) -> Claim:
    """That a statement holds of every number and candidate."""
    setting = Setting(fmt, mode)
    return Claim(setting.inputs, statement(setting), setting.assumptions)


def monotone_claim(fmt: Format, mode: Mode, netlist: Netlist | None) -> Claim:
    """That v <= w implies round(v) <= round(w)."""
    v, w = Setting(fmt, mode, "_v"), Setting(fmt, mode, "_w")
    goal = Implies(BVSLE(v.v, w.v), BVSLE(v.r, w.r))
    return Claim({**v.inputs, **w.inputs}, goal, v.assumptions + w.assumptions)


def obligations() -> Iterator[Obligation]:
    """``spec.FORMAT.round.MODE.PROPERTY`` and ``spec.FORMAT.round.MODE.overflow.POLICY``.

    Of 8 bits all modes but nearest even are left to ``--wide``.
    """
    for fmt in SMALL_FORMATS:
        usual = (RoundingMode.NEAREST_EVEN,) if fmt.width == 8 else tuple(RoundingMode)
        for mode in (*RoundingMode, STOCHASTIC):
            quick = mode in usual or fmt is FP4_E2M1
            yield from _of(fmt, mode, Profile.DEFAULT if quick else Profile.WIDE)


def _of(fmt: Format, mode: Mode, profile: Profile) -> Iterator[Obligation]:
    """All of one format and mode."""
    name = f"spec.{fmt.name}.round.{mode.value}"
    parameters = {
        "family": "spec",
        "format": fmt.name,
        "operation": "round",
        "mode": mode.value,
        "policy": OverflowPolicy.SATURATE.value,
    }
    words = f"the spec's rounding to {fmt.name}, {mode.label},"
    definer = "IEEE 754" if isinstance(mode, RoundingMode) else "the random word"
    for key, (claim, statement) in PROPERTIES.items():
        yield Obligation(
            f"{name}.{key}",
            f"{words} {claim.format(definer=definer)}",
            partial(rounding_claim, fmt, mode, statement(mode)),
            profile=profile,
            parameters=parameters | {"kind": key},
        )
    if isinstance(mode, Stochastic) and fmt.width <= SUMMED_WIDTH:
        yield Obligation(
            f"{name}.unbiased",
            f"{words} averages v over all words, or short of it by less than 2^-{mode.bits} places",
            partial(rounding_claim, fmt, mode, unbiased),
            profile=profile,
            parameters=parameters | {"kind": "unbiased"},
        )
    yield Obligation(
        f"{name}.monotone",
        f"{words} preserves order",
        partial(monotone_claim, fmt, mode),
        profile=profile,
        parameters=parameters | {"kind": "monotone"},
    )
    for policy in fmt.policies:
        if policy is not OverflowPolicy.SATURATE:
            yield Obligation(
                f"{name}.overflow.{policy.value}",
                f"{words} overflows exactly where {definer} says",
                partial(rounding_claim, fmt, mode, partial(overflow, policy)),
                profile=profile,
                parameters=parameters | {"kind": "overflow", "policy": policy.value},
            )
