"""Floating-point units, parametric in format, rounding mode, overflow policy and gate library.

The datapath of every unit: take the operands apart, compute exactly with a sticky bit for what is
lost, normalise as far as the exponent allows, round, pack, and let the special cases override. Probes
name the signals on the way; ``specs.exact.trace`` says what each must be:

    x_significand, y_significand   hidden bit and fraction of each operand
    product                        full product of the significands (multiply only)
    sign                           sign of the result, 1 for negative
    kept, guard, sticky            the significand before rounding, and what lies below it
    rounded                        magnitude code after rounding, before the range check
    result                         the code delivered
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from circuits.integer import (
    add,
    constant_bus,
    less_than,
    multiply,
    mux_bus,
    normalise,
    pad,
    shift_left,
    shift_right_sticky,
    subtract,
)
from circuits.libraries import DEFAULT_LIBRARY, GateLibrary, library_gates
from circuits.netlist import ONE, ZERO, Bus, Netlist
from specs.formats import Format, OverflowPolicy, RoundingMode, Specials

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

    def normalise_and_round(self, sign: int, budget: Bus, magnitude: Bus, sticky: int) -> Bus:
        """Code of a finite result: as ``round``, after the left shift that the exponent allows.

        Args:
            budget: the exponent field that the first bit of ``magnitude`` would have, less one, at
                least 0: how far the magnitude may be shifted left.
            magnitude: exact but for what ``sticky`` stands for, which lies below its last bit.
        """
        normalised = normalise(self.gates, x=magnitude, budget=budget)
        return self.round(sign, normalised["remaining"], normalised["shifted"], sticky)

    def round(self, sign: int, exponent: Bus, significand: Bus, sticky: int) -> Bus:
        """Code of a finite result.

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
        rounds_up, jam = self._rounding(sign, kept[0], guard, sticky)
        gates.builder.probe("sign", (sign,))
        gates.builder.probe("kept", kept)
        gates.builder.probe("guard", (guard,))
        gates.builder.probe("sticky", (sticky,))
        fraction, carry = self._increment((gates.or_(kept[0], jam), *kept[1:-1]), rounds_up)
        # The exponent field is one more than ``exponent`` if normal, and one more again on carry.
        wide = pad(tuple(gates.and_(bit, normal) for bit in exponent), len(exponent) + 1)
        field = add(gates, "exponent_field", x=wide, y=pad((normal,), len(wide)), carry_in=(carry,))[
            "sum"
        ]
        rounded = (*fraction, *field)
        gates.builder.probe("rounded", rounded)
        return self._check_range(sign, rounded)

    def _rounding(self, sign: int, last: int, guard: int, sticky: int) -> tuple[int, int]:
        """Whether to add one in the last place, and whether to force the last place to one."""
        gates = self.gates
        match self.mode:
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

    def _increment(self, x: Bus, carry: int) -> tuple[Bus, int]:
        """x + carry and the carry out, for a one-bit carry."""
        total = []
        for bit in x:
            digit, carry = self.gates.half_adder(bit, carry)
            total.append(digit)
        return tuple(total), carry

    def _check_range(self, sign: int, rounded: Bus) -> Bus:
        """The code of a rounded magnitude, or of what overflow delivers."""
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
        return mux_bus(gates, overflow, overflowed, (*magnitude, sign))

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

    def override(self, finite: Bus, infinite: int, infinity_sign: int, nan: int) -> Bus:
        """The finite code, unless the result is exactly infinite or not a number."""
        code = mux_bus(self.gates, infinite, self.infinity(infinity_sign), finite)
        fmt = self.fmt
        nan_code = constant_bus(fmt.canonical_nan if fmt.has_nan else fmt.largest_finite, fmt.width)
        code = mux_bus(self.gates, nan, nan_code, code)
        self.gates.builder.probe("result", code)
        return code


# --- addition -----------------------------------------------------------------------------------


def add_unit(rounder: Rounder, x: Bus, y: Bus) -> Bus:
    """Code of x + y."""
    gates, fmt = rounder.gates, rounder.fmt
    return _sum(rounder, unpack(gates, fmt, x), unpack(gates, fmt, y))


def subtract_unit(rounder: Rounder, x: Bus, y: Bus) -> Bus:
    """Code of x - y: the adder with the sign of y inverted."""
    gates, fmt = rounder.gates, rounder.fmt
    right = unpack(gates, fmt, y)
    return _sum(rounder, unpack(gates, fmt, x), replace(right, sign=gates.not_(right.sign)))


def _sum(rounder: Rounder, x: Operand, y: Operand) -> Bus:
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
    total = add(
        gates,
        "significand_sum",
        x=augend,
        y=tuple(gates.xor(bit, opposite) for bit in addend),
        carry_in=(opposite,),
    )
    # A subtraction never borrows, since the larger magnitude is on the left: its carry out is void.
    carry = gates.and_(total["carry"][0], gates.not_(opposite))
    magnitude = (*total["sum"], carry)

    # An exact zero is negative only in rounding mode down, or as the sum of two negative zeros.
    cancelled = gates.and_(opposite, gates.not_(gates.wide_or(total["sum"])))
    zero_sign = ONE if rounder.mode is RoundingMode.DOWN else ZERO
    sign = gates.mux(cancelled, zero_sign, sign)
    # The carry place has the exponent field of the larger operand plus one.
    finite = rounder.normalise_and_round(sign, large[1], magnitude, ZERO)

    invalid = gates.wide_and((x.infinite, y.infinite, opposite))
    return rounder.override(
        finite,
        infinite=gates.or_(x.infinite, y.infinite),
        infinity_sign=gates.mux(x.infinite, x.sign, y.sign),
        nan=gates.wide_or((x.nan, y.nan, invalid)),
    )


# --- multiplication -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Factors:
    """What every multiplier needs of its operands before it normalises."""

    x: Operand
    y: Operand
    sign: int
    product: Bus
    """Full product of the significands; its first bit weighs 2 where the operands' weigh 1."""
    exponent_sum: Bus
    """Sum of the two biased exponents."""


def _factors(rounder: Rounder, x_code: Bus, y_code: Bus) -> Factors:
    gates, fmt = rounder.gates, rounder.fmt
    x, y = unpack(gates, fmt, x_code), unpack(gates, fmt, y_code)
    product = multiply(gates, "significand_product", x=x.significand, y=y.significand)["product"]
    total = add(gates, "exponent_sum", x=x.exponent, y=y.exponent, carry_in=(ZERO,))
    gates.builder.probe("x_significand", x.significand)
    gates.builder.probe("y_significand", y.significand)
    gates.builder.probe("product", product)
    return Factors(x, y, gates.xor(x.sign, y.sign), product, total["sum"] + total["carry"])


def _override_product(rounder: Rounder, factors: Factors, finite: Bus) -> Bus:
    gates, x, y = rounder.gates, factors.x, factors.y
    infinity_times_zero = gates.or_(gates.and_(x.infinite, y.zero), gates.and_(x.zero, y.infinite))
    return rounder.override(
        finite,
        infinite=gates.or_(x.infinite, y.infinite),
        infinity_sign=factors.sign,
        nan=gates.wide_or((x.nan, y.nan, infinity_times_zero)),
    )


def _positive_part(gates: GateLibrary, name: str, x: Bus, y: Bus) -> Bus:
    """max(x - y, 0), of equal widths."""
    result = subtract(gates, name, x=x, y=y)
    return tuple(gates.and_(bit, result["no_borrow"][0]) for bit in result["difference"])


def multiply_unit(rounder: Rounder, x: Bus, y: Bus) -> Bus:
    """Code of x * y.

    The product's first bit has the exponent field ``exponent_sum - bias + 1``. If that is positive
    the product may be shifted left, else it must be shifted right to the subnormal place; one of the
    two amounts is always zero.
    """
    gates, fmt = rounder.gates, rounder.fmt
    factors = _factors(rounder, x, y)
    bias = constant_bus(fmt.bias, len(factors.exponent_sum))
    budget = _positive_part(gates, "budget", factors.exponent_sum, bias)
    excess = _positive_part(gates, "underflow", bias, factors.exponent_sum)
    denormalised = shift_right_sticky(gates, "denormalise", x=factors.product, amount=excess)
    finite = rounder.normalise_and_round(
        factors.sign, budget, denormalised["shifted"], denormalised["sticky"][0]
    )
    return _override_product(rounder, factors, finite)


STICKY_EXTRA_ROUTES = ("sticky", "round", "significand")
"""Where S1's correction may send the lost product bit."""


def sticky_extra_multiply_unit(
    rounder: Rounder, x: Bus, y: Bus, routes: tuple[str, ...] = STICKY_EXTRA_ROUTES
) -> Bus:
    """Code of x * y by S1's multiplier with its Sticky-Extra Correction (arXiv 2512.07724).

    The 2p-bit product P is first shifted right by one, so that P[0] leaves the datapath, then
    normalised left by s = 2p - 1 - msb(P). P[0] belongs s - 1 places above the last place of the
    normalised product: for s < p - 1 that is a sticky place, for s = p - 1 the round bit, for s >= p
    a place of the significand. For E4M3, p = 4, these are S1's three cases.

    Args:
        routes: the routes to build, out of ``STICKY_EXTRA_ROUTES``; leave one out to see what it does.
    """
    gates, fmt = rounder.gates, rounder.fmt
    factors = _factors(rounder, x, y)
    lost, shifted = factors.product[0], factors.product[1:]
    count = _leading_zeros(gates, factors.product)
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
    return _override_product(rounder, factors, finite)


def _leading_zeros(gates: GateLibrary, x: Bus) -> Bus:
    """s = leading zeros of x, for x other than 0: the stages that a full normalisation shifts."""
    count: list[int] = []
    for stage in reversed(range((len(x) - 1).bit_length())):
        distance = 1 << stage
        shifts = gates.not_(gates.wide_or(x[-distance:]))
        x = mux_bus(gates, shifts, (ZERO,) * distance + x[:-distance], x)
        count.insert(0, shifts)
    return tuple(count)


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


# --- conversion ---------------------------------------------------------------------------------


def convert_unit(rounder: Rounder, source: Format, x: Bus) -> Bus:
    """Code in the rounder's format of a code of another format."""
    gates, fmt = rounder.gates, rounder.fmt
    operand = unpack(gates, source, x)
    # The first bit has the target's exponent field exponent + offset + 1.
    offset = fmt.bias - source.bias - 1
    width = 1 + max(source.exponent_bits, fmt.exponent_bits, abs(offset).bit_length())
    exponent, shift = pad(operand.exponent, width), constant_bus(abs(offset), width)
    magnitude = pad((), max(0, fmt.precision + 1 - source.precision)) + operand.significand
    sticky = ZERO
    if offset >= 0:
        budget = add(gates, "budget", x=exponent, y=shift, carry_in=(ZERO,))["sum"]
    else:
        budget = _positive_part(gates, "budget", exponent, shift)
        excess = _positive_part(gates, "underflow", shift, exponent)
        denormalised = shift_right_sticky(gates, "denormalise", x=magnitude, amount=excess)
        magnitude, (sticky,) = denormalised["shifted"], denormalised["sticky"]
    finite = rounder.normalise_and_round(operand.sign, budget, magnitude, sticky)
    return rounder.override(finite, operand.infinite, operand.sign, operand.nan)


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

UNITS: dict[str, Callable[[Rounder, Bus, Bus], Bus]] = {
    "add": add_unit,
    "subtract": subtract_unit,
    "multiply": multiply_unit,
}
"""The binary units by operation; the same names as the operations of ``specs``."""


def build_unit(
    unit: Callable[[Rounder, Bus, Bus], Bus],
    fmt: Format,
    mode: RoundingMode,
    policy: OverflowPolicy,
    library: str = DEFAULT_LIBRARY,
) -> Netlist:
    """A unit as a netlist: inputs ``x`` and ``y``, output ``result``, all codes of the format.

    Raises:
        KeyError: if there is no such library.
        ValueError: if the format cannot express the policy.
    """
    fmt.require_policy(policy)
    gates = library_gates(library)
    x, y = (gates.builder.input(name, fmt.width) for name in ("x", "y"))
    return gates.builder.build({"result": unit(Rounder(gates, fmt, mode, policy), x, y)})


def build_conversion(
    source: Format,
    target: Format,
    mode: RoundingMode,
    policy: OverflowPolicy,
    library: str = DEFAULT_LIBRARY,
) -> Netlist:
    """A conversion as a netlist: input ``x`` in the source format, output ``result`` in the target.

    Raises:
        KeyError: if there is no such library.
        ValueError: if the target cannot express the policy.
    """
    target.require_policy(policy)
    gates = library_gates(library)
    x = gates.builder.input("x", source.width)
    rounder = Rounder(gates, target, mode, policy)
    return gates.builder.build({"result": convert_unit(rounder, source, x)})


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
