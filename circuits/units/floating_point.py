"""Floating-point units, parametric in format, rounding mode, overflow policy and gate library.

The datapath of every unit: take the operands apart, compute exactly with a sticky bit for what is
lost, normalise as far as the exponent allows, round, pack, and let the special cases override. Probes
name the signals on the way; ``specs.exact.trace`` says what most of them must be, and the probes of the
same names in ``specs.symbolic`` what those must be at which proofs are cut:

    x_significand, y_significand   hidden bit and fraction of operands
    product                        full product of the significands (multiply and fma)
    dividend, divisor              normalised significands (divide)
    quotient, remainder            of those
    radicand                       normalised significand of even exponent (square root)
    root, remainder                of that
    magnitude                      exact sum, but for a sticky last bit (add, subtract, fma)
    sign                           sign of the result, 1 for negative
    kept, guard, sticky            the significand before rounding, and what lies below it
    rounded                        magnitude code after rounding, before the range check
    result                         the code delivered
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from spikeproof.circuits.netlist import ONE, ZERO, Bus, Netlist
from spikeproof.circuits.units.integer import (
    Buses,
    add,
    constant_bus,
    divide,
    increment,
    leading_zeros,
    less_than,
    multiply,
    mux_bus,
    negate_if,
    normalise,
    pad,
    shift_left,
    shift_right_sticky,
    square_root,
    subtract,
)
from spikeproof.circuits.units.libraries import (
    DEFAULT_LIBRARY,
    SMALL,
    GateLibrary,
    Structure,
    library_gates,
)
from spikeproof.specs.formats import (
    ARITY,
    FLAGS,
    OPERANDS,
    Format,
    OverflowPolicy,
    RoundingMode,
    Specials,
)

# --- operands -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Operand:
    """A code taken apart into signals."""

    sign: int
    magnitude: Bus
    """Magnitude code: fraction, then exponent field."""
    significand: Bus
    """Fraction, then the hidden bit."""
    exponent: Bus
    """Exponent field, but 1 for subnormals: the scale of ``significand``."""
    nan: int
    infinite: int
    zero: int


def unpack(gates: GateLibrary, fmt: Format, code: Bus) -> Operand:
    """Take a code apart."""
    fraction, field = code[: fmt.fraction_bits], code[fmt.fraction_bits : fmt.magnitude_bits]
    magnitude, sign = code[: fmt.magnitude_bits], code[fmt.magnitude_bits]
    normal = gates.wide_or(field)
    some_fraction = gates.wide_or(fraction)
    zero = gates.not_(gates.or_(normal, some_fraction))
    nan = infinite = ZERO
    match fmt.specials:
        case Specials.IEEE:
            all_ones = gates.wide_and(field)
            nan = gates.and_(all_ones, some_fraction)
            infinite = gates.and_(all_ones, gates.not_(some_fraction))
        case Specials.FN:
            nan = gates.wide_and(magnitude)
        case Specials.FNUZ:
            nan = gates.and_(sign, zero)
    return Operand(
        sign=sign,
        magnitude=magnitude,
        significand=(*fraction, normal),
        exponent=(gates.or_(field[0], gates.not_(normal)), *field[1:]),
        nan=nan,
        infinite=infinite,
        zero=zero,
    )


# --- rounding and packing -----------------------------------------------------------------------


def rounding(
    gates: GateLibrary, mode: RoundingMode, sign: int, last: int, guard: int, sticky: int
) -> tuple[int, int]:
    """Whether to add one in the last place, and whether to force the last place to one."""
    match mode:
        case RoundingMode.NEAREST_EVEN:
            return gates.and_(guard, gates.or_(sticky, last)), ZERO
        case RoundingMode.NEAREST_AWAY:
            return guard, ZERO
        case RoundingMode.TOWARD_ZERO:
            return ZERO, ZERO
        case RoundingMode.UP:
            return gates.and_(gates.or_(guard, sticky), gates.not_(sign)), ZERO
        case RoundingMode.DOWN:
            return gates.and_(gates.or_(guard, sticky), sign), ZERO
        case RoundingMode.TO_ODD:
            return ZERO, gates.or_(guard, sticky)


@dataclass(frozen=True)
class Rounded:
    """A finite result: its code, and the exceptions it signals."""

    code: Bus
    overflow: int
    underflow: int
    inexact: int


@dataclass(frozen=True)
class Rounder:
    """The back end that every unit shares.

    Args:
        gates: the library to build with.
        fmt: the format of the result.
    """

    gates: GateLibrary
    fmt: Format
    mode: RoundingMode
    policy: OverflowPolicy

    def denormalise_and_round(self, sign: int, budget: Bus, excess: Bus, magnitude: Bus) -> Rounded:
        """A finite result: as ``normalise_and_round``, after a right shift by ``excess``.

        One of ``budget`` and ``excess`` is zero.
        """
        room = pad((), max(0, self.fmt.precision + 1 - len(magnitude)))  # for a guard bit
        denormalised = shift_right_sticky(self.gates, "denormalise", x=room + magnitude, amount=excess)
        (sticky,) = denormalised["sticky"]
        return self.normalise_and_round(sign, budget, denormalised["shifted"], sticky)

    def normalise_and_round(self, sign: int, budget: Bus, magnitude: Bus, sticky: int) -> Rounded:
        """A finite result: as ``round``, after the left shift that the exponent allows.

        Args:
            budget: the exponent field that the first bit of ``magnitude`` would have, less one, at
                least 0: how far the magnitude may be shifted left.
            magnitude: exact but for what ``sticky`` stands for, which lies below its last bit.
        """
        normalised = normalise(self.gates, x=magnitude, budget=budget)
        return self.round(sign, normalised["remaining"], normalised["shifted"], sticky)

    def round(self, sign: int, exponent: Bus, significand: Bus, sticky: int) -> Rounded:
        """A finite result.

        Args:
            exponent: exponent field less one; 0 wherever the first bit of ``significand`` is 0,
                unless the whole significand is 0.
            significand: first bit at the top, at least the format's precision wide.
        """
        gates, precision = self.gates, self.fmt.precision
        below, kept = significand[:-precision], significand[-precision:]
        guard = below[-1] if below else ZERO
        sticky = gates.wide_or((*below[:-1], sticky))
        normal = kept[-1]
        rounds_up, jam = rounding(gates, self.mode, sign, kept[0], guard, sticky)
        gates.builder.probe("sign", (sign,))
        gates.builder.probe("kept", kept)
        gates.builder.probe("guard", (guard,))
        gates.builder.probe("sticky", (sticky,))
        fraction, carry = increment(gates, (gates.or_(kept[0], jam), *kept[1:-1]), rounds_up)
        # The exponent field is one more than ``exponent`` if normal, and one more again on carry.
        wide = pad(tuple(gates.and_(bit, normal) for bit in exponent), len(exponent) + 1)
        field = add(gates, "exponent_field", x=wide, y=pad((normal,), len(wide)), carry_in=(carry,))[
            "sum"
        ]
        rounded = (*fraction, *field)
        gates.builder.probe("rounded", rounded)
        code, overflow = self._check_range(sign, rounded)
        inexact = gates.or_(guard, sticky)
        return Rounded(
            code,
            overflow,
            underflow=gates.and_(gates.not_(normal), inexact),
            inexact=gates.or_(inexact, overflow),
        )

    def _check_range(self, sign: int, rounded: Bus) -> tuple[Bus, int]:
        """The code of a rounded magnitude, or of what overflow delivers; and whether it overflows."""
        gates, fmt = self.gates, self.fmt
        limit = constant_bus(fmt.largest_finite, len(rounded))
        overflow = less_than(gates, "overflow", x=limit, y=rounded)["out"][0]
        goes_to_infinity = {
            RoundingMode.NEAREST_EVEN: ONE,
            RoundingMode.NEAREST_AWAY: ONE,
            RoundingMode.TOWARD_ZERO: ZERO,
            RoundingMode.UP: gates.not_(sign),
            RoundingMode.DOWN: sign,
            RoundingMode.TO_ODD: ZERO,
        }[self.mode]
        largest = (*constant_bus(fmt.largest_finite, fmt.magnitude_bits), sign)
        overflowed = mux_bus(gates, goes_to_infinity, self.infinity(sign), largest)
        magnitude = rounded[: fmt.magnitude_bits]
        if not fmt.has_negative_zero:
            sign = gates.and_(sign, gates.wide_or(magnitude))
        return mux_bus(gates, overflow, overflowed, (*magnitude, sign)), overflow

    def infinity(self, sign: int) -> Bus:
        """The code delivered where IEEE 754 calls for an infinity of this sign."""
        fmt = self.fmt
        match self.policy:
            case OverflowPolicy.IEEE:
                return (*constant_bus(fmt.infinity, fmt.magnitude_bits), sign)
            case OverflowPolicy.SATURATE:
                return (*constant_bus(fmt.largest_finite, fmt.magnitude_bits), sign)
            case OverflowPolicy.NAN:
                return constant_bus(fmt.canonical_nan, fmt.width)

    def override(
        self,
        finite: Rounded,
        infinite: int,
        infinity_sign: int,
        nan: int,
        operands: Sequence[Operand],
    ) -> Buses:
        """The finite result, unless it is exactly infinite or not a number.

        Args:
            infinite: immaterial if ``nan`` is 1.
            operands: not a number or infinite themselves, they make the result so without exception.

        Returns:
            ``result``, and ``flags`` in the order of ``specs.formats.FLAGS``.
        """
        gates, fmt = self.gates, self.fmt
        code = mux_bus(gates, infinite, self.infinity(infinity_sign), finite.code)
        nan_code = constant_bus(fmt.canonical_nan if fmt.has_nan else fmt.largest_finite, fmt.width)
        code = mux_bus(gates, nan, nan_code, code)
        gates.builder.probe("result", code)
        is_finite = gates.not_(gates.or_(nan, infinite))
        some_nan, some_infinite = (
            gates.wide_or([getattr(operand, kind) for operand in operands])
            for kind in ("nan", "infinite")
        )
        signalled = {
            "invalid": gates.and_(nan, gates.not_(some_nan)),
            "divide_by_zero": gates.wide_and((infinite, gates.not_(nan), gates.not_(some_infinite))),
            "overflow": gates.and_(is_finite, finite.overflow),
            "underflow": gates.and_(is_finite, finite.underflow),
            "inexact": gates.and_(is_finite, finite.inexact),
        }
        return {"result": code, "flags": tuple(signalled[name] for name in FLAGS)}


# --- addition -----------------------------------------------------------------------------------


def add_unit(rounder: Rounder, source: Format, x: Operand, y: Operand) -> Buses:
    """x + y."""
    gates = rounder.gates
    gates.builder.probe("x_significand", x.significand)
    gates.builder.probe("y_significand", y.significand)
    swap = less_than(gates, "swap", x=x.magnitude, y=y.magnitude)["out"][0]
    sign = gates.mux(swap, y.sign, x.sign)
    large, small = (
        (
            mux_bus(gates, swap, a.significand, b.significand),
            mux_bus(gates, swap, a.exponent, b.exponent),
        )
        for a, b in ((y, x), (x, y))
    )
    distance = subtract(gates, "exponent_difference", x=large[1], y=small[1])["difference"]

    # Two guard places and a sticky place below the significands suffice: only a shift of two or more
    # loses anything, and then the difference has at most one leading zero.
    places = constant_bus(0, 2)
    aligned = shift_right_sticky(gates, "align", x=(*places, *small[0]), amount=distance)
    addend = (*aligned["sticky"], *aligned["shifted"])
    augend = (ZERO, *places, *large[0])
    opposite = gates.xor(x.sign, y.sign)
    total = _sum_or_difference(gates, augend, addend, opposite)
    # A subtraction never borrows, since the larger magnitude is on the left: its carry out is void.
    carry = gates.and_(total["carry"][0], gates.not_(opposite))
    magnitude = (*total["sum"], carry)
    gates.builder.waypoint("magnitude", magnitude)

    sign = _sign_of_sum(rounder, total["sum"], opposite, sign)
    # The carry place has the exponent field of the larger operand plus one.
    budget, excess = _rebias(gates, large[1], rounder.fmt.bias - source.bias)
    finite = rounder.denormalise_and_round(sign, budget, excess, magnitude)

    invalid = gates.wide_and((x.infinite, y.infinite, opposite))
    return rounder.override(
        finite,
        infinite=gates.or_(x.infinite, y.infinite),
        infinity_sign=gates.mux(x.infinite, x.sign, y.sign),
        nan=gates.wide_or((x.nan, y.nan, invalid)),
        operands=(x, y),
    )


def subtract_unit(rounder: Rounder, source: Format, x: Operand, y: Operand) -> Buses:
    """x - y: the adder with the sign of y inverted."""
    return add_unit(rounder, source, x, replace(y, sign=rounder.gates.not_(y.sign)))


def _sum_or_difference(gates: GateLibrary, x: Bus, y: Bus, opposite: int) -> Buses:
    """x + y, or x - y where ``opposite`` is 1; then the carry out says that x >= y."""
    return add(
        gates,
        "significand_sum",
        x=x,
        y=tuple(gates.xor(bit, opposite) for bit in y),
        carry_in=(opposite,),
    )


def _sign_of_sum(rounder: Rounder, total: Bus, opposite: int, sign: int) -> int:
    """The sign of a sum that is not zero, or else of an exact zero.

    That is negative only in rounding mode down, or as the sum of two negative zeros.
    """
    gates = rounder.gates
    cancelled = gates.and_(opposite, gates.not_(gates.wide_or(total)))
    zero_sign = ONE if rounder.mode is RoundingMode.DOWN else ZERO
    sign = gates.mux(cancelled, zero_sign, sign)
    gates.builder.waypoint("sign", (sign,))
    return sign


def _rebias(gates: GateLibrary, exponent: Bus, offset: int) -> tuple[Bus, Bus]:
    """max(exponent + offset, 0) and max(-offset - exponent, 0)."""
    if offset == 0:
        return exponent, (ZERO,)
    width = max(len(exponent), abs(offset).bit_length()) + (offset > 0)
    wide, shift = pad(exponent, width), constant_bus(abs(offset), width)
    if offset > 0:
        return add(gates, "budget", x=wide, y=shift, carry_in=(ZERO,))["sum"], (ZERO,)
    return _positive_part(gates, "budget", wide, shift), _positive_part(gates, "underflow", shift, wide)


def _positive_part(gates: GateLibrary, name: str, x: Bus, y: Bus) -> Bus:
    """max(x - y, 0), of equal widths."""
    result = subtract(gates, name, x=x, y=y)
    return tuple(gates.and_(bit, result["no_borrow"][0]) for bit in result["difference"])


# --- multiplication -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Factors:
    """What every multiplier needs of its operands before it normalises."""

    sign: int
    product: Bus
    """Full product of the significands; its first bit weighs 2 where the operands' weigh 1."""
    exponent_sum: Bus
    """Sum of the two biased exponents."""


def _factors(gates: GateLibrary, x: Operand, y: Operand) -> Factors:
    product = multiply(gates, "significand_product", x=x.significand, y=y.significand)["product"]
    total = add(gates, "exponent_sum", x=x.exponent, y=y.exponent, carry_in=(ZERO,))
    gates.builder.probe("x_significand", x.significand)
    gates.builder.probe("y_significand", y.significand)
    gates.builder.waypoint("product", product)
    return Factors(gates.xor(x.sign, y.sign), product, total["sum"] + total["carry"])


def _infinity_times_zero(gates: GateLibrary, x: Operand, y: Operand) -> int:
    return gates.or_(gates.and_(x.infinite, y.zero), gates.and_(x.zero, y.infinite))


def _override_product(rounder: Rounder, factors: Factors, finite: Rounded, *xy: Operand) -> Buses:
    gates, (x, y) = rounder.gates, xy
    return rounder.override(
        finite,
        infinite=gates.or_(x.infinite, y.infinite),
        infinity_sign=factors.sign,
        nan=gates.wide_or((x.nan, y.nan, _infinity_times_zero(gates, x, y))),
        operands=xy,
    )


def multiply_unit(rounder: Rounder, source: Format, x: Operand, y: Operand) -> Buses:
    """x * y.

    The product's first bit has the exponent field ``exponent_sum + offset + 1``. If that is positive
    the product may be shifted left, else it must be shifted right to the subnormal place; one of the
    two amounts is always zero.
    """
    factors = _factors(rounder.gates, x, y)
    offset = rounder.fmt.bias - 2 * source.bias
    budget, excess = _rebias(rounder.gates, factors.exponent_sum, offset)
    finite = rounder.denormalise_and_round(factors.sign, budget, excess, factors.product)
    return _override_product(rounder, factors, finite, x, y)


STICKY_EXTRA_ROUTES = ("sticky", "round", "significand")
"""Where S1's correction may send the lost product bit."""


def sticky_extra_multiply_unit(
    rounder: Rounder,
    source: Format,
    x: Operand,
    y: Operand,
    routes: tuple[str, ...] = STICKY_EXTRA_ROUTES,
) -> Buses:
    """x * y, of one format, by S1's multiplier with its Sticky-Extra Correction (arXiv 2512.07724).

    The 2p-bit product P is first shifted right by one, so that P[0] leaves the datapath, then
    normalised left by s = 2p - 1 - msb(P). P[0] belongs s - 1 places above the last place of the
    normalised product: for s < p - 1 that is a sticky place, for s = p - 1 the round bit, for s >= p
    a place of the significand. For E4M3, p = 4, these are S1's three cases.

    Args:
        routes: the routes to build, out of ``STICKY_EXTRA_ROUTES``; leave one out to see what it does.
    """
    gates, fmt = rounder.gates, rounder.fmt
    factors = _factors(gates, x, y)
    lost, shifted = factors.product[0], factors.product[1:]
    count = leading_zeros(gates, x=factors.product)["count"]
    normalised = shift_left(gates, x=shifted, amount=count)["shifted"]
    places, sticky = _route_lost_bit(gates, fmt.precision, lost, count, len(shifted), routes)
    significand = tuple(gates.or_(bit, place) for bit, place in zip(normalised, places, strict=True))

    # The first bit now has the exponent field exponent_sum - bias + 1 - s.
    width = len(factors.exponent_sum) + 1
    floor = add(
        gates,
        "exponent_floor",
        x=constant_bus(fmt.bias, width),
        y=pad(count, width),
        carry_in=(ZERO,),
    )["sum"]
    total = pad(factors.exponent_sum, width)
    exponent = _positive_part(gates, "exponent", total, floor)
    excess = _positive_part(gates, "underflow", floor, total)
    denormalised = shift_right_sticky(gates, "denormalise", x=significand, amount=excess)
    finite = rounder.round(
        factors.sign,
        exponent,
        denormalised["shifted"],
        gates.or_(sticky, denormalised["sticky"][0]),
    )
    return _override_product(rounder, factors, finite, x, y)


def _route_lost_bit(
    gates: GateLibrary,
    precision: int,
    lost: int,
    count: Bus,
    width: int,
    routes: tuple[str, ...],
) -> tuple[Bus, int]:
    """Send the lost bit to place s - 1 of the normalised product, or below it to sticky for s = 0."""
    places = [ZERO] * width
    sticky = ZERO
    for shift in range(width + 1):
        route = (
            "sticky" if shift < precision - 1 else "round" if shift == precision - 1 else "significand"
        )
        if route not in routes:
            continue
        selected = gates.wide_and(
            [lost, *(bit if shift >> i & 1 else gates.not_(bit) for i, bit in enumerate(count))]
        )
        if route == "sticky":
            sticky = gates.or_(sticky, selected)
        else:
            places[shift - 1] = selected
    return tuple(places), sticky


def exact_product_unit(rounder: Rounder, source: Format, x: Operand, y: Operand) -> Buses:
    """x * y in a format that holds every product: normalised and put in place, never rounded.

    The rounder lends its gates, its format and what it delivers for infinities and NaNs; its mode plays
    no part.

    Raises:
        ValueError: if the format does not hold every product as a normal number.
    """
    gates, fmt = rounder.gates, rounder.fmt
    require_exact_products(source, fmt)
    factors = _factors(gates, x, y)
    product = leading_zeros(gates, "product_leading_zeros", x=factors.product)
    # The first bit has the exponent field exponent_sum + offset - leading zeros; zero has the field 0.
    width = max(fmt.exponent_bits, len(factors.exponent_sum), len(product["count"]))
    raised = add(
        gates,
        "exponent_raised",
        x=pad(factors.exponent_sum, width),
        y=constant_bus(fmt.bias - 2 * source.bias + 1, width),
        carry_in=(ZERO,),
    )["sum"]
    field = subtract(gates, "exponent", x=raised, y=pad(product["count"], width))["difference"]
    *fraction, first = product["shifted"]
    magnitude = (
        *pad((), fmt.fraction_bits - len(fraction)),
        *fraction,
        *(gates.and_(bit, first) for bit in field[: fmt.exponent_bits]),
    )
    exact = Rounded((*magnitude, factors.sign), overflow=ZERO, underflow=ZERO, inexact=ZERO)
    return _override_product(rounder, factors, exact, x, y)


def require_exact_products(source: Format, fmt: Format) -> None:
    """Refuse a format in which some product of two ``source`` numbers is not a normal number.

    Raises:
        ValueError: saying what is too small for it.
    """
    smallest = 2 * (source.minimum_exponent - source.fraction_bits)
    lacks = {
        "precision": fmt.precision < 2 * source.precision,
        "small numbers": fmt.minimum_exponent > smallest,
        "large numbers": fmt.maximum_exponent < 2 * source.maximum_exponent + 1,
        "infinities or NaNs": fmt.specials is not Specials.IEEE,
    }
    if any(lacks.values()):
        missing = ", ".join(what for what, is_lacking in lacks.items() if is_lacking)
        raise ValueError(f"{fmt.name} does not hold every product of {source.name}: it lacks {missing}")


# --- fused multiply-add -------------------------------------------------------------------------


def fma_unit(rounder: Rounder, source: Format, x: Operand, y: Operand, z: Operand) -> Buses:
    """x * y + z, rounded once.

    The addend z is shifted to the product: it starts two places to the left of it and goes right by the
    difference of exponents, if that is positive. Otherwise it stays there, and its exponent is the
    sum's; the product is then too small to matter but as a sticky bit.
    """
    gates, precision = rounder.gates, source.precision
    factors = _factors(gates, x, y)
    gates.builder.probe("z_significand", z.significand)
    # Exponents of the last places, up to a constant. A product of zero leaves the addend where it is.
    some_product = gates.not_(gates.or_(x.zero, y.zero))
    offset = precision + 3 - source.bias
    width = 2 + max(source.exponent_bits, abs(offset).bit_length())
    of_product, of_addend = (
        add(
            gates,
            name,
            x=pad(exponent, width),
            y=constant_bus(max(sign * offset, 0), width),
            carry_in=(ZERO,),
        )["sum"]
        for name, exponent, sign in (
            ("product_exponent", factors.exponent_sum, 1),
            ("addend_exponent", z.exponent, -1),
        )
    )
    distance = subtract(gates, "alignment", x=of_product, y=of_addend)
    moves = gates.and_(distance["no_borrow"][0], some_product)
    # Two guard places and a sticky place below the product, two places and a carry place above it.
    below = constant_bus(0, 2)
    start = pad(below, len(factors.product) + 4) + z.significand
    aligned = shift_right_sticky(
        gates, "align", x=start, amount=tuple(gates.and_(bit, moves) for bit in distance["difference"])
    )
    addend = (*aligned["sticky"], *aligned["shifted"])
    augend = pad((ZERO, *below, *factors.product), len(addend))
    opposite = gates.xor(factors.sign, z.sign)
    total = _sum_or_difference(gates, augend, addend, opposite)
    (carry,) = total["carry"]
    # A difference without carry out is negative: the addend was larger.
    negative = gates.and_(opposite, gates.not_(carry))
    magnitude = negate_if(gates, negative, total["sum"])
    magnitude = (*magnitude, gates.and_(carry, gates.not_(opposite)))
    gates.builder.waypoint("magnitude", magnitude)

    sign = _sign_of_sum(rounder, total["sum"], opposite, gates.xor(factors.sign, negative))
    exponent = mux_bus(gates, moves, of_product, of_addend)
    rebased = rounder.fmt.bias - source.bias - max(-offset, 0)
    budget, excess = _rebias(gates, exponent, rebased)
    finite = rounder.denormalise_and_round(sign, budget, excess, magnitude)

    product_infinite = gates.or_(x.infinite, y.infinite)
    invalid = gates.or_(
        _infinity_times_zero(gates, x, y),
        gates.wide_and((product_infinite, z.infinite, opposite)),
    )
    return rounder.override(
        finite,
        infinite=gates.or_(product_infinite, z.infinite),
        infinity_sign=gates.mux(product_infinite, factors.sign, z.sign),
        nan=gates.wide_or((x.nan, y.nan, z.nan, invalid)),
        operands=(x, y, z),
    )


# --- division and square root -------------------------------------------------------------------


def _normalised(gates: GateLibrary, name: str, operand: Operand) -> tuple[Bus, Bus]:
    """Significand shifted left until its first bit is set, and the exponent field plus the precision.

    Zero stays zero, with an exponent of no use.
    """
    shifted = leading_zeros(gates, f"{name}_leading_zeros", x=operand.significand)
    precision = len(operand.significand)
    width = 1 + max(len(operand.exponent), precision.bit_length())
    raised = add(
        gates,
        f"{name}_raised",
        x=pad(operand.exponent, width),
        y=constant_bus(precision, width),
        carry_in=(ZERO,),
    )["sum"]
    exponent = subtract(gates, f"{name}_exponent", x=raised, y=pad(shifted["count"], width))
    return shifted["shifted"], exponent["difference"]


def divide_unit(rounder: Rounder, source: Format, x: Operand, y: Operand) -> Buses:
    """x / y: the normalised significands divided to one place below the guard bit."""
    gates, fmt = rounder.gates, rounder.fmt
    gates.builder.probe("x_significand", x.significand)
    gates.builder.probe("y_significand", y.significand)
    x_significand, x_exponent = _normalised(gates, "x", x)
    y_significand, y_exponent = _normalised(gates, "y", y)
    # Dividing by infinity is dividing zero; dividing by zero delivers no quotient.
    dividend = tuple(gates.and_(bit, gates.not_(y.infinite)) for bit in x_significand)
    divisor = (*y_significand[:-1], ONE)
    parts = divide(gates, "significand_quotient", x=dividend, y=divisor)
    gates.builder.waypoint("dividend", dividend)
    gates.builder.waypoint("divisor", divisor)
    gates.builder.waypoint("quotient", parts["quotient"])
    gates.builder.waypoint("remainder", parts["remainder"])
    # The quotient lies between 1/2 and 2: its first or second bit is set.
    first = parts["quotient"][-1]
    significand = mux_bus(gates, first, parts["quotient"], (ZERO, *parts["quotient"][:-1]))
    significand = pad((), max(0, fmt.precision + 1 - len(significand))) + significand
    # Its first bit has the exponent field total - floor + 1.
    width = 2 + max(len(x_exponent), fmt.bias.bit_length())
    total = add(
        gates,
        "exponent_total",
        x=pad(x_exponent, width),
        y=constant_bus(fmt.bias, width),
        carry_in=(first,),
    )["sum"]
    floor = add(
        gates,
        "exponent_floor",
        x=pad(y_exponent, width),
        y=constant_bus(2, width),
        carry_in=(ZERO,),
    )["sum"]
    exponent = _positive_part(gates, "exponent", total, floor)
    excess = _positive_part(gates, "underflow", floor, total)
    denormalised = shift_right_sticky(gates, "denormalise", x=significand, amount=excess)
    sign = gates.xor(x.sign, y.sign)
    sticky = gates.wide_or((*parts["remainder"], *denormalised["sticky"]))
    finite = rounder.round(sign, exponent, denormalised["shifted"], sticky)
    zero_or_infinite_both = gates.or_(gates.and_(x.infinite, y.infinite), gates.and_(x.zero, y.zero))
    return rounder.override(
        finite,
        infinite=gates.or_(x.infinite, y.zero),
        infinity_sign=sign,
        nan=gates.wide_or((x.nan, y.nan, zero_or_infinite_both)),
        operands=(x, y),
    )


def square_root_unit(rounder: Rounder, source: Format, x: Operand) -> Buses:
    """Square root of x: that of the significand, normalised to an even exponent, to the guard bit."""
    gates, fmt, precision = rounder.gates, rounder.fmt, source.precision
    gates.builder.probe("x_significand", x.significand)
    significand, exponent = _normalised(gates, "x", x)
    # With its last place at 2^e, the radicand is the significand times 2^(precision + 1), or twice
    # that if e - precision - 1 is odd.
    odd = gates.not_(exponent[0]) if (precision + source.bias) % 2 else exponent[0]
    single = pad((), precision + 1) + significand + (ZERO,)
    radicand = mux_bus(gates, odd, (ZERO, *single[:-1]), single)
    parts = square_root(gates, "significand_root", x=radicand)
    gates.builder.waypoint("radicand", radicand)
    gates.builder.waypoint("root", parts["root"])
    gates.builder.waypoint("remainder", parts["remainder"])
    root = pad((), max(0, fmt.precision + 1 - len(parts["root"]))) + parts["root"]
    # The root's first bit, always set, has the exponent field (exponent + offset) / 2 + 1, rounded down.
    offset = 2 * fmt.bias - precision - source.bias - 2
    twice, below = _rebias(gates, exponent, offset)
    half = twice[1:]
    excess = add(gates, "halved", x=below, y=constant_bus(0, len(below)), carry_in=(ONE,))
    amount = (*excess["sum"][1:], *excess["carry"])
    denormalised = shift_right_sticky(gates, "denormalise", x=root, amount=amount)
    sticky = gates.wide_or((*parts["remainder"], *denormalised["sticky"]))
    finite = rounder.round(x.sign, half, denormalised["shifted"], sticky)
    negative = gates.and_(x.sign, gates.not_(x.zero))
    return rounder.override(
        finite,
        infinite=x.infinite,
        infinity_sign=x.sign,
        nan=gates.or_(x.nan, negative),
        operands=(x,),
    )


# --- conversion ---------------------------------------------------------------------------------


def convert_unit(rounder: Rounder, source: Format, x: Operand) -> Buses:
    """x, in the rounder's format."""
    # The first bit has the target's exponent field exponent + offset + 1.
    offset = rounder.fmt.bias - source.bias - 1
    budget, excess = _rebias(rounder.gates, x.exponent, offset)
    finite = rounder.denormalise_and_round(x.sign, budget, excess, x.significand)
    return rounder.override(finite, x.infinite, x.sign, x.nan, operands=(x,))


# --- units that do not round --------------------------------------------------------------------


def _less_and_equal(gates: GateLibrary, x: Operand, y: Operand) -> tuple[int, int]:
    """Whether x < y and whether x = y as numbers; NaNs are not looked at."""
    below = less_than(gates, "below", x=x.magnitude, y=y.magnitude)["out"][0]
    above = less_than(gates, "above", x=y.magnitude, y=x.magnitude)["out"][0]
    both_zero = gates.and_(x.zero, y.zero)
    same_magnitude = gates.not_(gates.or_(below, above))
    same_sign = gates.not_(gates.xor(x.sign, y.sign))
    equal = gates.or_(both_zero, gates.and_(same_sign, same_magnitude))
    ordered_by_magnitude = gates.mux(x.sign, above, below)
    less = gates.mux(same_sign, ordered_by_magnitude, gates.and_(x.sign, gates.not_(both_zero)))
    return less, equal


def compare_unit(gates: GateLibrary, fmt: Format, predicate: str, x: Bus, y: Bus) -> Bus:
    """One bit: whether ``equal``, ``less``, ``less_equal`` or ``unordered`` holds.

    Raises:
        KeyError: if there is no such predicate.
    """
    left, right = unpack(gates, fmt, x), unpack(gates, fmt, y)
    unordered = gates.or_(left.nan, right.nan)
    less, equal = _less_and_equal(gates, left, right)
    holds = {"equal": equal, "less": less, "less_equal": gates.or_(less, equal), "unordered": ONE}
    wanted = unordered if predicate == "unordered" else gates.not_(unordered)
    return (gates.and_(holds[predicate], wanted),)


def extremum_unit(gates: GateLibrary, fmt: Format, operation: str, x: Bus, y: Bus) -> Bus:
    """Code of ``minimum``, ``maximum``, ``minimum_number`` or ``maximum_number``."""
    left, right = unpack(gates, fmt, x), unpack(gates, fmt, y)
    less, equal = _less_and_equal(gates, left, right)
    x_is_less = gates.or_(less, gates.and_(equal, left.sign))
    takes_x = x_is_less if operation.startswith("minimum") else gates.not_(x_is_less)
    if operation.endswith("number"):
        takes_x = gates.or_(gates.and_(takes_x, gates.not_(left.nan)), right.nan)
        nan = gates.and_(left.nan, right.nan)
    else:
        nan = gates.or_(left.nan, right.nan)
    chosen = mux_bus(gates, takes_x, x, y)
    if not fmt.has_nan:
        return chosen
    return mux_bus(gates, nan, constant_bus(fmt.canonical_nan, fmt.width), chosen)


def change_sign_unit(
    gates: GateLibrary, fmt: Format, operation: str, x: Bus, y: Bus | None = None
) -> Bus:
    """Code of x with its sign inverted, cleared, or replaced by that of y.

    Raises:
        KeyError: if the operation is not ``negate``, ``absolute`` or ``copy_sign``.
    """
    *magnitude, sign = x
    changed = {
        "negate": lambda: gates.not_(sign),
        "absolute": lambda: ZERO,
        "copy_sign": lambda: y[-1] if y else ZERO,
    }[operation]()
    if not fmt.has_negative_zero:
        changed = gates.mux(gates.wide_or(magnitude), changed, sign)
    return (*magnitude, changed)


# --- units by name ------------------------------------------------------------------------------

UNITS: dict[str, Callable[..., Buses]] = {
    "add": add_unit,
    "subtract": subtract_unit,
    "multiply": multiply_unit,
    "divide": divide_unit,
    "square_root": square_root_unit,
    "fma": fma_unit,
    "convert": convert_unit,
}
"""The units that round, by operation. Each takes a rounder, the operands' format and the operands."""


def build_unit(
    operation: str,
    fmt: Format,
    mode: RoundingMode,
    policy: OverflowPolicy,
    library: str = DEFAULT_LIBRARY,
    *,
    source: Format | None = None,
    flags: bool = False,
    structure: Structure = SMALL,
    unit: Callable[..., Buses] | None = None,
    keep_waypoints: bool = False,
) -> Netlist:
    """A unit as a netlist: inputs ``x``, ``y``, ``z`` as many as it has, output ``result``.

    Args:
        fmt: the format of the result.
        source: the format of the operands, if it is another.
        flags: whether to have an output ``flags`` too, one bit for each of ``specs.formats.FLAGS``.
        structure: how adders and multipliers are made.
        unit: another unit for the same operation.
        keep_waypoints: as in ``NetlistBuilder.build``; some modes do not need every guard place.

    Raises:
        KeyError: if there is no such operation or library.
        ValueError: if the format cannot express the policy.
    """
    fmt.require_policy(policy)
    source = source or fmt
    gates = library_gates(library, structure)
    names = OPERANDS[: ARITY[operation]]
    codes = [gates.builder.input(name, source.width) for name in names]
    operands = [unpack(gates, source, code) for code in codes]
    built = (unit or UNITS[operation])(Rounder(gates, fmt, mode, policy), source, *operands)
    outputs = built if flags else {"result": built["result"]}
    return gates.builder.build(outputs, keep_waypoints=keep_waypoints)


def build_exact_unit(
    unit: Callable[..., Bus],
    operation: str,
    fmt: Format,
    operands: int,
    library: str = DEFAULT_LIBRARY,
) -> Netlist:
    """A unit that does not round, as a netlist: inputs ``x`` and perhaps ``y``, output ``result``.

    Args:
        unit: ``compare_unit``, ``extremum_unit`` or ``change_sign_unit``.
        operands: 1 or 2.

    Raises:
        KeyError: if there is no such library or operation.
    """
    gates = library_gates(library)
    codes = [gates.builder.input(name, fmt.width) for name in "xy"[:operands]]
    return gates.builder.build({"result": unit(gates, fmt, operation, *codes)})
