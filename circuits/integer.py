"""Integer blocks, written once against ``GateLibrary``.

Every block takes its input buses by keyword, least significant bit first, and returns its output
buses by name; called with a block ``name`` it is also recorded in the netlist, so that the prover may
cut there. ``specs.integers`` states what each computes, under the same names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps

from circuits.libraries import GateLibrary, library_gates
from circuits.netlist import ONE, ZERO, Bus, Netlist

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


@integer_block
def add(gates: GateLibrary, x: Bus, y: Bus, carry_in: Bus) -> Buses:
    """Ripple-carry adder: x + y + carry_in, of equal widths; ``carry`` is the carry out."""
    carry = carry_in[0]
    total = []
    for a, b in zip(x, y, strict=True):
        digit, carry = gates.full_adder(a, b, carry)
        total.append(digit)
    return {"sum": tuple(total), "carry": (carry,)}


@integer_block
def subtract(gates: GateLibrary, x: Bus, y: Bus) -> Buses:
    """x - y modulo 2^width, as x + not y + 1; ``no_borrow`` says whether x >= y."""
    carry = ONE
    difference = []
    for a, b in zip(x, y, strict=True):
        digit, carry = gates.full_adder(a, gates.not_(b), carry)
        difference.append(digit)
    return {"difference": tuple(difference), "no_borrow": (carry,)}


@integer_block
def less_than(gates: GateLibrary, x: Bus, y: Bus) -> Buses:
    """Whether x < y: the borrow of x - y, without the difference."""
    carry = ONE
    for a, b in zip(x, y, strict=True):
        carry = gates.majority(a, gates.not_(b), carry)
    return {"out": (gates.not_(carry),)}


@integer_block
def shift_right_sticky(gates: GateLibrary, x: Bus, amount: Bus) -> Buses:
    """Logarithmic right shifter; ``sticky`` says whether any set bit was shifted out.

    The amount bits that by themselves shift everything out act together, as one last stage.
    """
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
    """Logarithmic left shifter; bits shifted out at the top are lost."""
    width = len(x)
    for stage, select in enumerate(amount):
        distance = min(1 << stage, width)
        x = mux_bus(gates, select, (ZERO,) * distance + x[: width - distance], x)
    return {"shifted": x}


@integer_block
def normalise(gates: GateLibrary, x: Bus, budget: Bus) -> Buses:
    """Shift x left by s = min(its leading zeros, budget); ``remaining`` is budget - s.

    Greedy from the largest power of two: a stage shifts if the places it would drop are all zero and
    the budget still holds it. For x = 0 the remaining budget is of no use.
    """
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


def _decrement(gates: GateLibrary, x: Bus, borrow: int) -> Bus:
    """x - borrow, for a one-bit borrow that x can bear."""
    result = []
    for a in x:
        result.append(gates.xor(a, borrow))
        borrow = gates.and_(borrow, gates.not_(a))
    return tuple(result)


@integer_block
def multiply(gates: GateLibrary, x: Bus, y: Bus) -> Buses:
    """Array multiplier: one row of partial products and one ripple-carry addition for each y bit."""
    high: Bus = tuple(_partial_product(gates, a, y[0]) for a in x)
    product = [high[0]]
    high = (*high[1:], ZERO)
    for b in y[1:]:
        carry = ZERO
        total = []
        for a, q in zip(x, high, strict=True):
            digit, carry = _adder_cell(gates, _partial_product(gates, a, b), q, carry)
            total.append(digit)
        product.append(total[0])
        high = (*total[1:], carry)
    return {"product": (*product, *high)}


def _partial_product(gates: GateLibrary, a: int, b: int) -> int:
    """a and b, recorded as a cell."""
    with gates.builder.barrier([(a, b)]):
        out = gates.and_(a, b)
    gates.builder.cell("and", {"a": (a,), "b": (b,)}, {"out": (out,)})
    return out


def _adder_cell(gates: GateLibrary, a: int, b: int, c: int) -> tuple[int, int]:
    """The sum and carry of three bits, recorded as a cell."""
    with gates.builder.barrier([(a, b, c)]):
        total, carry = gates.full_adder(a, b, c)
    inputs = {"a": (a,), "b": (b,), "c": (c,)}
    gates.builder.cell("full_adder", inputs, {"sum": (total,), "carry": (carry,)})
    return total, carry


def block_netlist(library: str, kind: str, widths: Mapping[str, int]) -> Netlist:
    """A block on its own, with input buses of the given widths.

    Raises:
        KeyError: if the library or the kind does not exist.
        ValueError: if the widths do not suit the block.
    """
    gates = library_gates(library)
    buses = {name: gates.builder.input(name, width) for name, width in widths.items()}
    return gates.builder.build(BLOCKS[kind](gates, **buses))
