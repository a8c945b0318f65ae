"""Dot products, aligned to the largest exponent, truncated, added exactly and rounded once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from spikeproof.circuits.netlist import ZERO, Bus, Netlist
from spikeproof.circuits.units.copies import built
from spikeproof.circuits.units.floating_point.exponents import rebias
from spikeproof.circuits.units.floating_point.multiplication import infinity_times_zero
from spikeproof.circuits.units.floating_point.rounding import Rounded, Rounder
from spikeproof.circuits.units.floating_point.unpacking import Operand, unpack
from spikeproof.circuits.units.integer import (
    add,
    constant_bus,
    increment,
    less_than,
    multiply,
    mux_bus,
    negate_if,
    pad,
    shift_right_sticky,
    subtract,
)
from spikeproof.circuits.units.libraries import (
    DEFAULT_LIBRARY,
    SMALL,
    GateLibrary,
    Structure,
    library_gates,
)
from spikeproof.specs.conventions import IEEE, Convention
from spikeproof.specs.dot_products import (
    DotProduct,
    Overflow,
    Truncation,
    ZeroSign,
    ZeroTerms,
    halves,
    joined,
)
from spikeproof.specs.formats import E8M0, Format, Mode, OverflowPolicy, RoundingMode


@dataclass(frozen=True)
class Term:
    """A product, or the addend.

    ``significand`` has ``places`` below its unit; ``exponent`` is that of the unit, biased, or 0 if the
    term has no part in the largest.
    """

    name: str
    sign: int
    significand: Bus
    places: int
    exponent: Bus
    nan: int
    infinite: int


@dataclass(frozen=True)
class Scale:
    """How values are held: exponents biased by ``bias``, at most ``largest``; ``kept`` places."""

    bias: int
    largest: int
    kept: int

    @classmethod
    def of(cls, dot: DotProduct, formats: Sequence[Format]) -> Scale:
        """That of all terms of a dot product; of an exact one, with as many places as they can need."""
        terms = dot.by_term(formats)
        scales = [2 * dot.scaled * (len(term) > 1) for term in terms]
        biases = [
            sum(fmt.bias for fmt in term) + count * E8M0.bias
            for term, count in zip(terms, scales, strict=True)
        ]
        most = [
            sum((1 << fmt.exponent_bits) - 1 for fmt in term) + count * E8M0.nan
            for term, count in zip(terms, scales, strict=True)
        ]
        bias = max(biases)
        largest = max(each + bias - own for each, own in zip(most, biases, strict=True))
        last = max(
            own + sum(fmt.fraction_bits - 1 for fmt in term)
            for own, term in zip(biases, terms, strict=True)
        )
        return cls(bias, largest, dot.places or largest - bias + last)


def build_dot_product(
    dot: DotProduct,
    fmt: Format,
    mode: RoundingMode,
    policy: OverflowPolicy,
    formats: Sequence[Format],
    library: str = DEFAULT_LIBRARY,
    structure: Structure = SMALL,
    *,
    keep_waypoints: bool = False,
    convention: Convention = IEEE,
) -> Netlist:
    """A dot product as a netlist: an input for each of ``DotProduct.operands``, output ``result``.

    One of MX blocks has the scales' codes as inputs too.

    Args:
        fmt: of the result.
        formats: of each operand.
        keep_waypoints: as in ``NetlistBuilder.build``.

    Raises:
        KeyError: if there is no such library.
        ValueError: if a format cannot express the policy, or cannot have the convention.
    """
    convention.require_possible(fmt, *formats)
    gates = library_gates(library, structure)
    codes = [
        gates.builder.input(name, form.width) for name, form in zip(dot.operands, formats, strict=True)
    ]
    scales = [gates.builder.input(name, E8M0.width) for name in dot.scales]
    operands = [unpack(gates, form, code) for form, code in zip(formats, codes, strict=True)]
    rounder = Rounder(gates, fmt, mode, policy, convention)
    result = dot_product(rounder, dot, Scale.of(dot, formats), operands, scales)
    return built(gates, {"result": result}, keep_waypoints=keep_waypoints)


def dot_product(
    rounder: Rounder,
    dot: DotProduct,
    scale: Scale,
    operands: Sequence[Operand],
    scales: Sequence[Bus] = (),
) -> Bus:
    """The code of the sum, rounded once."""
    gates, waypoint = rounder.gates, rounder.gates.builder.waypoint
    for name, x in zip(dot.operands, operands, strict=True):
        waypoint(f"{name}_significand", x.significand)
    of_blocks = _of_blocks(gates, scales)
    terms = [
        _term(gates, dot, scale, name, of_blocks, *group)
        for name, group in zip(dot.names, dot.by_term(operands), strict=True)
    ]
    largest = _largest(gates, dot, scale, terms)
    words = {term.name: _signed(gates, dot, scale, term, largest) for term in terms}
    total = _tree(gates, "sum", dot.names, words, _added)
    negative = total[-1]
    magnitude = negate_if(gates, negative, total)[:-1]
    waypoint("magnitude", magnitude)
    zero_sign = _sign_of_zero(gates, dot, rounder.mode, terms)
    sign = gates.mux(gates.wide_or(total), negative, zero_sign)
    waypoint("sign", (sign,))

    # The first bit has the exponent field largest + offset + 1.
    offset = rounder.fmt.bias - scale.bias - scale.kept + len(magnitude) - 2
    finite = rounder.denormalise_and_round(sign, *rebias(gates, largest, offset), magnitude)
    if dot.overflow is Overflow.INFINITE:
        beyond = mux_bus(gates, finite.overflow, rounder.infinity(sign), finite.code)
        finite = replace(finite, code=beyond)
    return _override(rounder, finite, terms, operands)


def _of_blocks(gates: GateLibrary, scales: Sequence[Bus]) -> tuple[Bus, int]:
    """The exponents of scales together, biased as both are, and whether one is not a number."""
    if not scales:
        return (), ZERO
    x, y = scales
    total = add(gates, "scale", x=x, y=y, carry_in=(ZERO,))
    exponent = total["sum"] + total["carry"]
    gates.builder.waypoint("scale", exponent)
    return exponent, gates.or_(gates.wide_and(x), gates.wide_and(y))


def _term(
    gates: GateLibrary,
    dot: DotProduct,
    scale: Scale,
    name: str,
    of_blocks: tuple[Bus, int],
    x: Operand,
    y: Operand | None = None,
) -> Term:
    """The product of x and y, and of their blocks' scales; or x alone, the addend."""
    width = scale.largest.bit_length()
    if y is None:
        sign, significand, nan, infinite, zero = x.sign, x.significand, x.nan, x.infinite, x.zero
        exponent = _plus(gates, f"exponent_{name}", pad(x.exponent, width), scale.bias - x.fmt.bias)
    else:
        sign = gates.xor(x.sign, y.sign)
        infinite, zero = gates.or_(x.infinite, y.infinite), gates.or_(x.zero, y.zero)
        product = multiply(gates, f"product_{name}", x=x.significand, y=y.significand)
        significand = product["product"]
        gates.builder.waypoint(f"product_{name}", significand)
        scaling, unscaled = of_blocks
        nan = gates.wide_or((x.nan, y.nan, infinity_times_zero(gates, x, y), unscaled))
        offset = scale.bias - x.fmt.bias - y.fmt.bias
        total = _sum(gates, f"exponent_sum_{name}", pad(x.exponent, width), pad(y.exponent, width))
        if scaling:
            total = _sum(gates, f"scaled_{name}", total, pad(scaling, width))
            offset -= 2 * E8M0.bias
        exponent = _plus(gates, f"exponent_{name}", total, offset)
    if dot.places is not None and dot.zeros is not ZeroTerms.COUNTED:
        of_zero = max(0, scale.bias + dot.zeros) if isinstance(dot.zeros, int) else 0
        exponent = mux_bus(gates, zero, constant_bus(of_zero, width), exponent)
    gates.builder.waypoint(f"exponent_{name}", exponent)
    places = sum(operand.fmt.fraction_bits for operand in (x, y) if operand)
    return Term(name, sign, significand, places, exponent, nan, infinite)


def _plus(gates: GateLibrary, name: str, x: Bus, constant: int) -> Bus:
    """x and a constant, which the width holds."""
    return _sum(gates, name, x, constant_bus(constant, len(x))) if constant else x


def _sum(gates: GateLibrary, name: str, x: Bus, y: Bus) -> Bus:
    """x + y, which the width holds."""
    return add(gates, name, x=x, y=y, carry_in=(ZERO,))["sum"]


def _largest(gates: GateLibrary, dot: DotProduct, scale: Scale, terms: Sequence[Term]) -> Bus:
    """The largest exponent; of an exact dot product, the largest possible."""
    if dot.places is None:
        return constant_bus(scale.largest, scale.largest.bit_length())
    return _tree(gates, "largest", dot.names, {term.name: term.exponent for term in terms}, _larger)


def _larger(gates: GateLibrary, name: str, x: Bus, y: Bus) -> Bus:
    (less,) = less_than(gates, name, x=x, y=y)["out"]
    return mux_bus(gates, less, y, x)


def _tree(
    gates: GateLibrary,
    what: str,
    names: Sequence[str],
    leaves: Mapping[str, Bus],
    join: Callable[[GateLibrary, str, Bus, Bus], Bus],
) -> Bus:
    """What comes of joining leaves two and two."""
    if len(names) == 1:
        return leaves[names[0]]
    x, y = (_tree(gates, what, half, leaves, join) for half in halves(names))
    name = joined(what, names)
    found = join(gates, name, x, y)
    gates.builder.waypoint(name, found)
    return found


def _added(gates: GateLibrary, name: str, x: Bus, y: Bus) -> Bus:
    """The sum of two signed words, in one bit more than the longer one."""
    width = 1 + max(len(x), len(y))
    x, y = (bus + bus[-1:] * (width - len(bus)) for bus in (x, y))
    return _sum(gates, name, x, y)


def _signed(gates: GateLibrary, dot: DotProduct, scale: Scale, term: Term, largest: Bus) -> Bus:
    """A term as a multiple of the last place that is kept, truncated, in two's complement."""
    distance = subtract(gates, f"distance_{term.name}", x=largest, y=term.exponent)["difference"]
    gates.builder.waypoint(f"distance_{term.name}", distance)
    whole = pad(pad((), scale.kept - term.places) + term.significand, 2 + max(scale.kept, term.places))
    moved = shift_right_sticky(gates, f"align_{term.name}", x=whole, amount=distance)
    below = max(0, term.places - scale.kept)
    aligned = moved["shifted"][below:]
    gates.builder.waypoint(f"aligned_{term.name}", aligned)
    carry = term.sign
    if dot.truncation is Truncation.FLOOR:
        # What is lost of a negative number makes it less by one: then its complement is the number.
        lost = gates.wide_or((*moved["sticky"], *moved["shifted"][:below]))
        gates.builder.waypoint(f"lost_{term.name}", (lost,))
        carry = gates.and_(term.sign, gates.not_(lost))
    # Truncated downward a magnitude may be a unit more than all of its bits hold.
    size = len(aligned) + 1 + (dot.truncation is Truncation.FLOOR)
    word = tuple(gates.xor(bit, term.sign) for bit in pad(aligned, size))
    signed, _ = increment(gates, word, carry)
    gates.builder.waypoint(f"signed_{term.name}", signed)
    return signed


def _sign_of_zero(gates: GateLibrary, dot: DotProduct, mode: Mode, terms: Sequence[Term]) -> int:
    """The sign of a sum that is zero."""
    if dot.zero_sign is ZeroSign.POSITIVE:
        return ZERO
    signs = [term.sign for term in terms]
    return gates.wide_or(signs) if mode is RoundingMode.DOWN else gates.wide_and(signs)


def _override(
    rounder: Rounder, finite: Rounded, terms: Sequence[Term], operands: Sequence[Operand]
) -> Bus:
    """The finite result, unless it is exactly infinite or not a number."""
    gates, waypoint = rounder.gates, rounder.gates.builder.waypoint
    minus = gates.wide_or([gates.and_(term.infinite, term.sign) for term in terms])
    plus = gates.wide_or([gates.and_(term.infinite, gates.not_(term.sign)) for term in terms])
    nan = gates.wide_or((*(term.nan for term in terms), gates.and_(plus, minus)))
    infinite = gates.or_(plus, minus)
    for name, signal in (("nan", nan), ("infinite", infinite), ("minus_infinite", minus)):
        waypoint(name, (signal,))
    return rounder.override(finite, infinite, minus, nan, operands)["result"]
