"""Integer blocks, written once against ``GateLibrary``.

Every block takes its input buses by keyword, least significant bit first, and returns its output
buses by name; called with a block ``name`` it is also recorded in the netlist, so that the prover may
cut there. ``specs.integers`` states what each computes, under the same names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps

from spikeproof.circuits.netlist import ONE, ZERO, Bus, Netlist
from spikeproof.circuits.units import shallow
from spikeproof.circuits.units.columns import column_product
from spikeproof.circuits.units.copies import built
from spikeproof.circuits.units.forms import all_of, any_of, bit, bits, signal, signals
from spikeproof.circuits.units.libraries import SMALL, GateLibrary, Structure, library_gates
from spikeproof.circuits.units.redundant_rows import redundant_quotient
from spikeproof.circuits.units.rows import digit_quotient, digit_root
from spikeproof.circuits.units.searches import (
    searched_product,
    searched_quotient,
    searched_root,
)
from spikeproof.circuits.units.shallow import Shifted, step_for, thermometer

Buses = dict[str, Bus]
BlockFunction = Callable[..., Buses]

BLOCKS: dict[str, BlockFunction] = {}
"""Every integer block by kind."""


def integer_block(function: BlockFunction) -> BlockFunction:
    """Register an integer block, and record each use of it in the netlist under its ``name``."""
    kind = function.__name__

    @wraps(function)
    def build(gates: GateLibrary, name: str | None = None, **inputs: Bus) -> Buses:
        with gates.builder.barrier(inputs.values()):
            outputs = function(gates, **inputs)
        gates.builder.block(name or kind, kind, inputs, outputs)
        return outputs

    BLOCKS[kind] = build
    return build


def mux_bus(gates: GateLibrary, select: int, a: Bus, b: Bus) -> Bus:
    """Bus a where ``select`` is 1, else bus b; of equal widths."""
    return tuple(gates.mux(select, p, q) for p, q in zip(a, b, strict=True))


def constant_bus(value: int, width: int) -> Bus:
    """A bus that holds a constant."""
    return tuple(ONE if value >> index & 1 else ZERO for index in range(width))


def pad(bus: Bus, width: int) -> Bus:
    """The bus with zeros above it, or unchanged if it is that wide already."""
    return bus + (ZERO,) * (width - len(bus))


# --- addition -----------------------------------------------------------------------------------


def _ripple_sum(gates: GateLibrary, x: Bus, y: Bus, carry: int) -> tuple[Bus, int]:
    """A chain of full adders."""
    total = []
    for a, b in zip(x, y, strict=True):
        digit, carry = gates.full_adder(a, b, carry)
        total.append(digit)
    return tuple(total), carry


def _prefix_sum(gates: GateLibrary, x: Bus, y: Bus, carry: int) -> tuple[Bus, int]:
    """All carries at once, from which bits generate a carry and which propagate one."""
    spans = [(gates.and_(a, b), gates.xor(a, b)) for a, b in zip(x, y, strict=True)]
    carries = [gates.carry(*span, carry) for span in _prefixes(gates, spans)]
    digits = zip(spans, (carry, *carries[:-1]), strict=True)
    return tuple(gates.xor(propagate, c) for (_, propagate), c in digits), carries[-1]


def _ripple_carry(gates: GateLibrary, x: Bus, y: Bus, carry: int) -> int:
    """The carry out of x + y + carry alone."""
    for a, b in zip(x, y, strict=True):
        carry = gates.majority(a, b, carry)
    return carry


def _prefix_carry(gates: GateLibrary, x: Bus, y: Bus, carry: int) -> int:
    spans = [(gates.and_(a, b), gates.or_(a, b)) for a, b in zip(x, y, strict=True)]
    while len(spans) > 1:
        joined = [_join(gates, *pair) for pair in zip(spans[::2], spans[1::2], strict=False)]
        spans = joined + spans[2 * len(joined) :]
    return gates.carry(*spans[0], carry)


def _ripple_all(gates: GateLibrary, x: Bus, start: int) -> Bus:
    """For each bit of x, and then for all of them: whether ``start`` and all bits below it are 1."""
    chain = [start]
    for each in x:
        chain.append(gates.and_(chain[-1], each))
    return tuple(chain)


def _prefix_all(gates: GateLibrary, x: Bus, start: int) -> Bus:
    spans = _prefixes(gates, [(ZERO, bit) for bit in x])
    return (start, *(gates.and_(all_below, start) for _, all_below in spans))


def _grouped_sum(gates: GateLibrary, x: Bus, y: Bus, carry: int) -> tuple[Bus, int]:
    """Carries of several places at once, by neurons that read them all."""
    total, out = shallow.add(gates, bits(x), bits(y), bit(carry), gates.structure.places)
    return signals(gates, total), signal(gates, out)


def _grouped_carry(gates: GateLibrary, x: Bus, y: Bus, carry: int) -> int:
    digits = [bit(a) + bit(b) for a, b in zip(x, y, strict=True)]
    return signal(gates, shallow.carry_out(gates, digits, bit(carry), gates.structure.places))


def _grouped_all(gates: GateLibrary, x: Bus, start: int) -> Bus:
    """One neuron for each."""
    return signals(gates, (all_of(gates, *bits((start, *x[:k]))) for k in range(len(x) + 1)))


Span = tuple[int, int]
"""Of a range of places: whether it generates a carry, and whether it propagates one."""


def _join(gates: GateLibrary, low: Span, high: Span) -> Span:
    """The span of two neighbouring ranges."""
    return gates.carry(*high, low[0]), gates.and_(high[1], low[1])


def _prefixes(gates: GateLibrary, spans: Sequence[Span]) -> list[Span]:
    """The spans from place 0 to each place, by Sklansky's network: least depth."""
    if len(spans) == 1:
        return list(spans)
    middle = len(spans) // 2 + len(spans) % 2
    low, high = _prefixes(gates, spans[:middle]), _prefixes(gates, spans[middle:])
    return low + [_join(gates, low[-1], span) for span in high]


@dataclass(frozen=True)
class Adder:
    """A way of adding: the sum and carry of two buses, the carry alone, and runs of ones."""

    sum: Callable[[GateLibrary, Bus, Bus, int], tuple[Bus, int]]
    carry: Callable[[GateLibrary, Bus, Bus, int], int]
    all_below: Callable[[GateLibrary, Bus, int], Bus]


ADDERS = {
    "ripple": Adder(_ripple_sum, _ripple_carry, _ripple_all),
    "prefix": Adder(_prefix_sum, _prefix_carry, _prefix_all),
    "grouped": Adder(_grouped_sum, _grouped_carry, _grouped_all),
}
"""Adders by name, as in ``Structure.adder``."""


def _adder(gates: GateLibrary) -> Adder:
    return ADDERS[gates.structure.adder]


def _inverted(gates: GateLibrary, x: Bus) -> Bus:
    return tuple(gates.not_(bit) for bit in x)


def increment(gates: GateLibrary, x: Bus, carry: int) -> tuple[Bus, int]:
    """x + carry and the carry out, for a one-bit carry."""
    *carries, out = _adder(gates).all_below(gates, x, carry)
    return tuple(gates.xor(bit, c) for bit, c in zip(x, carries, strict=True)), out


def negate_if(gates: GateLibrary, condition: int, x: Bus) -> Bus:
    """-x modulo 2^width where the condition is 1, else x."""
    return increment(gates, tuple(gates.xor(bit, condition) for bit in x), condition)[0]


def _decrement(gates: GateLibrary, x: Bus, borrow: int) -> Bus:
    """x - borrow, for a one-bit borrow that x can bear."""
    borrows = _adder(gates).all_below(gates, _inverted(gates, x), borrow)[:-1]
    return tuple(gates.xor(bit, b) for bit, b in zip(x, borrows, strict=True))


@integer_block
def add(gates: GateLibrary, x: Bus, y: Bus, carry_in: Bus) -> Buses:
    """x + y + carry_in, of equal widths; ``carry`` is the carry out."""
    total, carry = _adder(gates).sum(gates, x, y, carry_in[0])
    return {"sum": total, "carry": (carry,)}


@integer_block
def subtract(gates: GateLibrary, x: Bus, y: Bus) -> Buses:
    """x - y modulo 2^width, as x + not y + 1; ``no_borrow`` says whether x >= y."""
    difference, no_borrow = _difference(gates, x, y)
    return {"difference": difference, "no_borrow": (no_borrow,)}


def _difference(gates: GateLibrary, x: Bus, y: Bus) -> tuple[Bus, int]:
    return _adder(gates).sum(gates, x, _inverted(gates, y), ONE)


@integer_block
def less_than(gates: GateLibrary, x: Bus, y: Bus) -> Buses:
    """Whether x < y: the borrow of x - y, without the difference."""
    return {"out": (gates.not_(_adder(gates).carry(gates, x, _inverted(gates, y), ONE)),)}


# --- shifting -----------------------------------------------------------------------------------


@integer_block
def shift_right_sticky(gates: GateLibrary, x: Bus, amount: Bus) -> Buses:
    """Logarithmic right shifter; ``sticky`` says whether any set bit was shifted out.

    The amount bits that by themselves shift everything out act together, as one last stage. In shallow
    structures the amount becomes a thermometer, and there are two stages.
    """
    if gates.structure.shallow:
        count = thermometer(gates, bits(amount), len(x))
        moved = shallow.shift_right(gates, Shifted(bits(x), count), step=step_for(len(x)))
        out = shallow.any_chosen(gates, bits(x), count.steps[1:], gates.structure.places)
        return {"shifted": signals(gates, moved), "sticky": (signal(gates, any_of(gates, *out)),)}
    width = len(x)
    stages = (width - 1).bit_length()
    selects = [(1 << stage, select) for stage, select in enumerate(amount[:stages])]
    if amount[stages:]:
        selects.append((width, gates.wide_or(amount[stages:])))
    lost = []
    for distance, select in selects:
        lost.append(gates.and_(select, gates.wide_or(x[:distance])))
        x = mux_bus(gates, select, pad(x[distance:], width), x)
    return {"shifted": x, "sticky": (gates.wide_or(lost),)}


@integer_block
def shift_left(gates: GateLibrary, x: Bus, amount: Bus) -> Buses:
    """Logarithmic left shifter, or of two stages; bits shifted out at the top are lost."""
    if gates.structure.shallow:
        count = thermometer(gates, bits(amount), len(x))
        moved = shallow.shift_left(gates, bits(x), count, step_for(len(x)))
        return {"shifted": signals(gates, moved)}
    width = len(x)
    for stage, select in enumerate(amount):
        distance = min(1 << stage, width)
        x = mux_bus(gates, select, (ZERO,) * distance + x[: width - distance], x)
    return {"shifted": x}


@integer_block
def normalise(gates: GateLibrary, x: Bus, budget: Bus) -> Buses:
    """Shift x left by s = min(its leading zeros, budget); ``remaining`` is budget - s.

    Greedy from the largest power of two: a stage shifts if the places it would drop are all zero and
    the budget still holds it. For x = 0 the remaining budget is of no use. In shallow structures one
    neuron a place finds s, and there are two stages.
    """
    if gates.structure.shallow:
        limit = thermometer(gates, bits(budget), len(x) - 1)
        zeros = shallow.leading_zeros(gates, bits(x), limit)
        moved = shallow.shift_left(gates, bits(x), zeros, step_for(len(x) - 1))
        left = shallow.minus_count(gates, bits(budget), zeros)
        return {"shifted": signals(gates, moved), "remaining": signals(gates, left)}
    for stage in reversed(range((len(x) - 1).bit_length())):
        distance = 1 << stage
        low, high = budget[:stage], budget[stage:]
        if not high:
            continue
        occupied = gates.wide_or(x[-distance:])
        shifts = gates.and_(gates.wide_or(high), gates.not_(occupied))
        x = mux_bus(gates, shifts, (ZERO,) * distance + x[:-distance], x)
        budget = low + _decrement(gates, high, shifts)
    return {"shifted": x, "remaining": budget}


@integer_block
def leading_zeros(gates: GateLibrary, x: Bus) -> Buses:
    """How many zeros x begins with, and x shifted left by as many; for x = 0 of no use."""
    if gates.structure.shallow:
        zeros = shallow.leading_zeros(gates, bits(x))
        moved = shallow.shift_left(gates, bits(x), zeros, step_for(len(x) - 1))
        size = (len(x) - 1).bit_length()
        places = (zeros.place(index) for index in range(size))
        return {"count": signals(gates, places), "shifted": signals(gates, moved)}
    count: list[int] = []
    for stage in reversed(range((len(x) - 1).bit_length())):
        distance = 1 << stage
        shifts = gates.not_(gates.wide_or(x[-distance:]))
        x = mux_bus(gates, shifts, (ZERO,) * distance + x[:-distance], x)
        count.insert(0, shifts)
    return {"count": tuple(count), "shifted": x}


# --- multiplication -----------------------------------------------------------------------------


@integer_block
def multiply(gates: GateLibrary, x: Bus, y: Bus) -> Buses:
    """The full product of x and y."""
    return {"product": MULTIPLIERS[gates.structure.multiplier](gates, x, y)}


def _array_product(gates: GateLibrary, x: Bus, y: Bus) -> Bus:
    """One row of partial products and one ripple-carry addition for each bit of y."""
    high: Bus = tuple(partial_product(gates, a, y[0]) for a in x)
    product = [high[0]]
    high = (*high[1:], ZERO)
    for b in y[1:]:
        carry = ZERO
        total = []
        for a, q in zip(x, high, strict=True):
            digit, carry = adder_cell(gates, partial_product(gates, a, b), q, carry)
            total.append(digit)
        product.append(total[0])
        high = (*total[1:], carry)
    return (*product, *high)


def _tree_product(gates: GateLibrary, x: Bus, y: Bus) -> Bus:
    """Dadda's carry-save tree: columns of bits of one weight, reduced to two rows, then added."""
    columns: list[list[int]] = [[] for _ in range(len(x) + len(y))]
    for i, a in enumerate(x):
        for j, b in enumerate(y):
            columns[i + j].append(partial_product(gates, a, b))
    for height in _dadda_heights(min(len(x), len(y))):
        carries: list[int] = []
        for place, column in enumerate(columns):
            column, carries = column + carries, []
            while len(column) > height:
                spare = ZERO if len(column) == height + 1 else column.pop(0)
                total, carry = adder_cell(gates, column.pop(0), column.pop(0), spare)
                column.append(total)
                carries.append(carry)
            columns[place] = column
    first, second = (
        tuple(column[row] if row < len(column) else ZERO for column in columns) for row in (0, 1)
    )
    inputs = {"x": first, "y": second, "carry_in": (ZERO,)}
    with gates.builder.barrier(inputs.values()):
        outputs = add(gates, "product_sum", **inputs)
    gates.builder.cell("adder", inputs, outputs)
    return outputs["sum"]


def _dadda_heights(tallest: int) -> list[int]:
    """Heights 2, 3, 4, 6, 9, 13, ... below the tallest column, from the largest."""
    heights = [2]
    while heights[-1] * 3 // 2 < tallest:
        heights.append(heights[-1] * 3 // 2)
    return heights[::-1]


def _column_product(gates: GateLibrary, x: Bus, y: Bus) -> Bus:
    """Columns of bits of one weight counted, by neurons that read them all."""
    return column_product(gates, x, y, partial_product)


def _searched_product(gates: GateLibrary, x: Bus, y: Bus) -> Bus:
    """The digits of one sum of all partial products."""
    return searched_product(gates, x, y, partial_product)


MULTIPLIERS = {
    "array": _array_product,
    "tree": _tree_product,
    "columns": _column_product,
    "search": _searched_product,
}
"""Multipliers by name, as in ``Structure.multiplier``."""


def partial_product(gates: GateLibrary, a: int, b: int) -> int:
    """a and b, recorded as a cell."""
    with gates.builder.barrier([(a, b)]):
        out = gates.and_(a, b)
    gates.builder.cell("and", {"a": (a,), "b": (b,)}, {"out": (out,)})
    return out


def adder_cell(gates: GateLibrary, a: int, b: int, c: int) -> tuple[int, int]:
    """The sum and carry of three bits, recorded as a cell."""
    with gates.builder.barrier([(a, b, c)]):
        total, carry = gates.full_adder(a, b, c)
    inputs = {"a": (a,), "b": (b,), "c": (c,)}
    gates.builder.cell("full_adder", inputs, {"sum": (total,), "carry": (carry,)})
    return total, carry


# --- division and square root -------------------------------------------------------------------


@integer_block
def divide(gates: GateLibrary, x: Bus, y: Bus) -> Buses:
    """Restoring division of x * 2^(n+1) by y, both of n bits: a row for each bit of the quotient.

    For y with its first bit set, which is when n + 2 bits hold the quotient. A row's remainder R is less
    than 2y; it gives the quotient bit q = [R >= y], and R - q y, twice of which is the next remainder.
    In shallow structures rows give two bits, or digits are searched without rows.
    """
    if gates.structure.shallow:
        quotient, remainder = _shallow_quotient(gates, x, y)
        return {"quotient": quotient, "remainder": remainder}
    quotient = ()
    remainder = x
    doubled = (*x, ZERO)
    for _ in range(len(y) + 2):
        with gates.builder.barrier((doubled, y)):
            difference, bit = _difference(gates, doubled, pad(y, len(doubled)))
            remainder = mux_bus(gates, bit, difference[: len(y)], doubled[: len(y)])
        gates.builder.cell(
            "divide_row", {"remainder": doubled, "divisor": y}, {"bit": (bit,), "difference": remainder}
        )
        quotient = (bit, *quotient)
        doubled = (ZERO, *remainder)
    return {"quotient": quotient, "remainder": remainder}


def _shallow_quotient(gates: GateLibrary, x: Bus, y: Bus) -> tuple[Bus, Bus]:
    if gates.structure.searches:
        return searched_quotient(gates, x, y)
    return (redundant_quotient if gates.structure.redundant else digit_quotient)(gates, x, y)


@integer_block
def square_root(gates: GateLibrary, x: Bus) -> Buses:
    """Restoring square root of 2n bits, two at a time from the top: a row for each bit of the root.

    With a root Q and remainder R so far and the next two bits d, a row gives q = [4R + d >= 4Q + 1] and
    4R + d - q (4Q + 1); the root becomes 2Q + q. In shallow structures as ``divide``.
    """
    if gates.structure.shallow:
        found = searched_root if gates.structure.searches else digit_root
        root, remainder = found(gates, x)
        return {"root": root, "remainder": remainder}
    root = remainder = (ZERO,)
    for low in reversed(range(0, len(x), 2)):
        digits = x[low : low + 2]
        with gates.builder.barrier((remainder, root, digits)):
            minuend = (*digits, *remainder)
            difference, bit = _difference(gates, minuend, (ONE, ZERO, *root))
            rest = mux_bus(gates, bit, difference[:-1], minuend[:-1])
        gates.builder.cell(
            "root_row",
            {"remainder": remainder, "root": root, "digits": digits},
            {"bit": (bit,), "difference": rest},
        )
        root, remainder = (bit, *root), rest
    return {"root": root[:-1], "remainder": remainder}


def block_netlist(
    library: str, kind: str, widths: Mapping[str, int], structure: Structure = SMALL
) -> Netlist:
    """A block on its own, with input buses of the given widths.

    Raises:
        KeyError: if the library or the kind does not exist.
        ValueError: if the widths do not suit the block.
    """
    gates = library_gates(library, structure)
    buses = {name: gates.builder.input(name, width) for name, width in widths.items()}
    return built(gates, BLOCKS[kind](gates, **buses))
