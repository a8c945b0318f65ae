"""The spec's remainders, made digit by digit, are those of whole numbers as SMT-LIB divides them.

Division is proved whole of small formats, where an engine can. Of others a row is: from the remainder R
of what of a dividend X has been read, R < B, and the next digit d it makes q and D with

    2R + d = q B + D    and    D < B.

If X = Q B + R then 2X + d = (2Q + q) B + D; and it begins with X = Q = R = 0. So in the end X = Q B + R
with R < B, for as many digits as there are: there is no other such pair.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from itertools import product

from pysmt.fnode import FNode
from pysmt.shortcuts import (
    BV,
    BVULT,
    FALSE,
    And,
    BVAdd,
    BVConcat,
    BVExtract,
    BVLShl,
    BVSub,
    BVType,
    BVUDiv,
    BVURem,
    BVZExt,
    Equals,
    Iff,
    Ite,
    Not,
    NotEquals,
    Or,
    Symbol,
)

from spikeproof.circuits.netlist import Netlist
from spikeproof.proofs.adequacy import is_finite, is_negative
from spikeproof.proofs.remainders import WORDS
from spikeproof.prover.claims.obligation import Claim, Obligation, Profile
from spikeproof.specs import symbolic
from spikeproof.specs.formats import FORMATS, REMAINDERS, SMALL_FORMATS, Format, RoundingMode
from spikeproof.specs.integers import Buses


def _odd(word: FNode) -> FNode:
    return Equals(BVExtract(word, 0, 0), BV(1, 1))


# --- long division ------------------------------------------------------------------------------


def long_division_claim(fmt: Format, netlist: Netlist | None) -> Claim:
    """Of every dividend of as many bits as the format needs, and every divisor other than 0."""
    size = fmt.precision + symbolic.largest_distance(fmt)
    dividend, divisor = Symbol("dividend", BVType(size)), Symbol("divisor", BVType(fmt.precision))
    remainder, odd = symbolic.long_division(symbolic.as_computed, dividend, divisor)
    wide_remainder, wide = (BVZExt(word, size - fmt.precision) for word in (remainder, divisor))
    goal = And(Equals(wide_remainder, BVURem(dividend, wide)), Iff(odd, _odd(BVUDiv(dividend, wide))))
    assumption = NotEquals(divisor, BV(0, fmt.precision))
    return Claim({"dividend": dividend, "divisor": divisor}, goal, (assumption,))


def row_claim(fmt: Format, netlist: Netlist | None) -> Claim:
    """Of every remainder, digit and divisor of a format's precision."""
    widths = {"remainder": fmt.precision, "digit": 1, "divisor": fmt.precision}
    inputs = {name: Symbol(name, BVType(width)) for name, width in widths.items()}
    rest, taken = symbolic.division_row(*inputs.values())
    size = fmt.precision + 2
    before, digit, divisor, after = (
        BVZExt(word, size - word.bv_width()) for word in (*inputs.values(), rest)
    )
    product = Ite(taken, divisor, BV(0, size))
    goal = And(
        Equals(BVAdd(before, before, digit), BVAdd(product, after)), BVULT(rest, inputs["divisor"])
    )
    return Claim(inputs, goal, (BVULT(inputs["remainder"], inputs["divisor"]),))


# --- remainders ---------------------------------------------------------------------------------


def multiple(fmt: Format, code: FNode) -> FNode:
    """The magnitude of a finite code as a multiple of the smallest one, read off its fields.

    In as many bits as the largest has.
    """
    fraction = BVExtract(code, 0, fmt.fraction_bits - 1)
    field = BVExtract(code, fmt.fraction_bits, fmt.magnitude_bits - 1)
    subnormal = Equals(field, BV(0, fmt.exponent_bits))
    significand = BVConcat(Ite(subnormal, BV(0, 1), BV(1, 1)), fraction)
    places = Ite(subnormal, BV(0, fmt.exponent_bits), BVSub(field, BV(1, fmt.exponent_bits)))
    size = fmt.precision + symbolic.largest_distance(fmt)
    return BVLShl(BVZExt(significand, size - fmt.precision), BVZExt(places, size - fmt.exponent_bits))


def is_infinite(fmt: Format, code: FNode) -> FNode:
    """Whether a code stands for an infinity."""
    magnitude = BVExtract(code, 0, fmt.magnitude_bits - 1)
    return Equals(magnitude, BV(fmt.infinity, fmt.magnitude_bits)) if fmt.has_infinity else FALSE()


def is_remainder(operation: str, fmt: Format, x: FNode, y: FNode, code: FNode) -> FNode:
    """Whether a code is that of x - y * n, for finite x and y other than 0 (clause 5.3.1)."""
    dividend, divisor, result = (multiple(fmt, each) for each in (x, y, code))
    below = BVURem(dividend, divisor)
    above = BVSub(divisor, below)
    quotient_is_odd = _odd(BVUDiv(dividend, divisor))
    takes_above = {
        "remainder": Or(BVULT(above, below), And(Equals(above, below), quotient_is_odd)),
        "truncated_remainder": FALSE(),
    }[operation]
    wanted = Ite(takes_above, above, below)
    negative = Iff(is_negative(fmt, x), Not(takes_above))
    if not fmt.has_negative_zero:
        negative = And(negative, NotEquals(wanted, BV(0, wanted.bv_width())))
    same_sign = Iff(is_negative(fmt, code), negative)
    return And(is_finite(fmt, code), Equals(result, wanted), same_sign)


def definition_claim(operation: str, fmt: Format, netlist: Netlist | None) -> Claim:
    """Of every two codes."""
    x, y = (Symbol(name, BVType(fmt.width)) for name in ("x", "y"))
    policy = fmt.policies[0]
    code = symbolic.compute(operation, fmt, RoundingMode.TOWARD_ZERO, policy, x, y)
    magnitude = BVExtract(y, 0, fmt.magnitude_bits - 1)
    defined = And(is_finite(fmt, y), NotEquals(magnitude, BV(0, fmt.magnitude_bits)))
    of_finite = Ite(
        defined,
        is_remainder(operation, fmt, x, y, code),
        Equals(code, Ite(is_infinite(fmt, y), x, symbolic.deliver_nan(fmt))),
    )
    undefined = Equals(code, symbolic.deliver_nan(fmt))
    return Claim({"x": x, "y": y}, Ite(is_finite(fmt, x), of_finite, undefined))


def by_exponent(fmt: Format, inputs: Buses) -> Mapping[str, Buses]:
    """A case for each exponent field of y."""
    y = inputs["y"]
    sign = BVExtract(y, fmt.width - 1, fmt.width - 1)
    fraction = BVExtract(y, 0, fmt.fraction_bits - 1)
    return {
        f"exponent field {field}": {
            "y": BVConcat(sign, BVConcat(BV(field, fmt.exponent_bits), fraction))
        }
        for field in range(1 << fmt.exponent_bits)
    }


# --- the obligations ----------------------------------------------------------------------------


def obligations() -> Iterator[Obligation]:
    """``spec.FORMAT.OPERATION.definition``, ``spec.FORMAT.long_division`` and, of its rows, ``.row``."""
    for fmt, operation in product(SMALL_FORMATS, REMAINDERS):
        yield Obligation(
            f"spec.{fmt.name}.{operation}.definition",
            f"the spec's {fmt.name} {WORDS[operation]}, is that of whole numbers",
            partial(definition_claim, operation, fmt),
            profile=Profile.WIDE if fmt.width == 8 else Profile.DEFAULT,
            cases=partial(by_exponent, fmt),
            parameters=_parameters(fmt, operation) | {"kind": "definition"},
        )
    for fmt in SMALL_FORMATS:
        yield Obligation(
            f"spec.{fmt.name}.long_division",
            f"the spec's division of as many digits as {fmt.name} needs leaves SMT-LIB's remainder",
            partial(long_division_claim, fmt),
            profile=Profile.WIDE,
            parameters=_parameters(fmt, "long_division") | {"kind": "definition"},
        )
    for fmt in FORMATS.values():
        if fmt not in SMALL_FORMATS:
            yield Obligation(
                f"spec.{fmt.name}.long_division.row",
                f"a row of the spec's division of {fmt.name} significands leaves less than the divisor",
                partial(row_claim, fmt),
                parameters=_parameters(fmt, "long_division") | {"kind": "row"},
            )


def _parameters(fmt: Format, operation: str) -> dict[str, str]:
    return {"family": "spec", "format": fmt.name, "operation": operation}
