"""Sums and products bit by bit: clocked circuits that find one bit of the exact result in each step.

A number is a whole multiple of the least subnormal one. The bits of that multiple come from the lowest,
one in each step; whatever comes is remembered for as many steps as a significand has bits. A bit that is
1 is the first of the result until another comes: so with each of them significand, guard, whether
anything is lost below, and the exponent are kept anew. What is kept last is rounded as in other units.

Operands are held through all steps; all states begin as 0. Of E4M3 a sum takes 19 steps, since exact
sums have 19 bits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from spikeproof.circuits.clocked import ClockedNetlist, Schedule, buses_of, held, in_turn, unrolled
from spikeproof.circuits.netlist import ONE, ZERO, Bus, Netlist
from spikeproof.circuits.units.floating_point.addition import sign_of_sum
from spikeproof.circuits.units.floating_point.multiplication import infinity_times_zero
from spikeproof.circuits.units.floating_point.rounding import Rounder
from spikeproof.circuits.units.floating_point.unpacking import Operand, unpack
from spikeproof.circuits.units.integer import (
    Buses,
    add,
    constant_bus,
    increment,
    less_than,
    mux_bus,
    pad,
    subtract,
)
from spikeproof.circuits.units.libraries import GateLibrary, library_gates
from spikeproof.circuits.units.serial import START, fresh, product_row
from spikeproof.specs.formats import Format, OverflowPolicy, RoundingMode, Specials


def largest_field(fmt: Format) -> int:
    """The largest exponent field of a finite number."""
    return (1 << fmt.exponent_bits) - (2 if fmt.specials is Specials.IEEE else 1)


def steps_of_sum(fmt: Format) -> int:
    """How many bits the exact sum of two numbers has, as a multiple of the least subnormal one."""
    return largest_field(fmt) + fmt.precision


def steps_of_product(fmt: Format) -> int:
    """How many places an exact product may have, up to the last that a significand must have."""
    places_below = fmt.bias + fmt.fraction_bits - 1
    return max(2 * fmt.precision, places_below + fmt.precision)


def _is(gates: GateLibrary, bus: Bus, other: Bus) -> int:
    """Whether two buses are equal."""
    return gates.not_(gates.wide_or([gates.xor(a, b) for a, b in zip(bus, other, strict=True)]))


def _is_constant(gates: GateLibrary, bus: Bus, value: int) -> int:
    """Whether a bus holds a constant."""
    places = enumerate(bus)
    return gates.wide_and([bit if value >> place & 1 else gates.not_(bit) for place, bit in places])


@dataclass
class _Step:
    """The states of a circuit while a step of it is built: as they are read, and as they become."""

    gates: GateLibrary
    states: dict[str, Bus]
    after: dict[str, Bus]

    def keep(self, bit: int, exponent: Bus, at_least: int) -> tuple[int, Bus, Bus]:
        """What a result is, by the bits so far: sticky and guard, significand, and exponent.

        Args:
            bit: that of this step.
            exponent: what the exponent is, if this bit is the first of the significand.
            at_least: whether it is the lowest that can be, whatever the bit: that of subnormals.
        """
        gates, recent, (lost,) = self.gates, self.states["recent"], self.states["lost"]
        now = (lost, *reversed(recent), bit)
        anew = gates.or_(bit, at_least)
        significand = mux_bus(gates, anew, now, self.states["significand"])
        exponent = mux_bus(gates, anew, exponent, self.states["exponent"])
        self.after |= {
            "recent": (bit, *recent[:-1]),
            "lost": (gates.or_(lost, recent[-1]),),
            "significand": significand,
            "exponent": exponent,
        }
        return significand[0], significand[1:], exponent


def _kept_states(fmt: Format, exponent: int) -> dict[str, int]:
    """The widths of the states of ``keep``: recent bits, the highest first, and what is kept."""
    precision = fmt.precision
    return {"recent": precision, "lost": 1, "significand": precision + 2, "exponent": exponent}


# --- sums ------------------------------------------------------------------------------------------


def _sum_states(fmt: Format) -> dict[str, int]:
    started = {f"{name}_{what}": width for name in "xy" for what, width in
               (("begun", 1), ("pulse", fmt.fraction_bits))}  # fmt: skip
    return {"count": fmt.exponent_bits, **started, "carry": 1, **_kept_states(fmt, fmt.exponent_bits)}


def _bit_of(step: _Step, name: str, significand: Bus, begins: int) -> int:
    """The bit of a significand in a step: a pulse runs through it, once it begins."""
    gates, pulse = step.gates, step.states[f"{name}_pulse"]
    step.after[f"{name}_pulse"] = (begins, *pulse[:-1])
    places = zip((begins, *pulse), significand, strict=True)
    return gates.wide_or([gates.and_(at, bit) for at, bit in places])


def _addend_bit(step: _Step, name: str, operand: Operand, number: Bus) -> int:
    """The bit of an operand in a step: its significand begins at its exponent."""
    gates, (begun,) = step.gates, step.states[f"{name}_begun"]
    comes = _is(gates, number, operand.exponent)
    step.after[f"{name}_begun"] = (gates.or_(begun, comes),)
    return _bit_of(step, name, operand.significand, gates.and_(comes, gates.not_(begun)))


def _sum(rounder: Rounder, step: _Step, x: Operand, y: Operand) -> Buses:
    """x + y: the larger magnitude, and the smaller added to it or subtracted, with carry or borrow."""
    gates, fmt = rounder.gates, rounder.fmt
    number, _ = increment(gates, step.states["count"], ONE)
    step.after["count"] = number
    bits = [_addend_bit(step, name, each, number) for name, each in (("x", x), ("y", y))]
    swap = less_than(gates, "swap", x=x.magnitude, y=y.magnitude)["out"][0]
    large, small = gates.mux(swap, *bits[::-1]), gates.mux(swap, *bits)
    opposite = gates.xor(x.sign, y.sign)
    (carry,) = step.states["carry"]
    bit, _ = gates.full_adder(large, small, carry)
    step.after["carry"] = (gates.majority(gates.xor(large, opposite), small, carry),)
    lowest = _is_constant(gates, number, fmt.precision % (1 << fmt.exponent_bits))
    sticky, significand, exponent = step.keep(bit, number, lowest)
    sign = sign_of_sum(rounder, significand, opposite, gates.mux(swap, y.sign, x.sign))
    precision = constant_bus(fmt.precision, fmt.exponent_bits)
    less = subtract(gates, "exponent", x=exponent, y=precision)["difference"]
    invalid = gates.wide_and((x.infinite, y.infinite, opposite))
    return rounder.override(
        rounder.round(sign, less, significand, sticky),
        infinite=gates.or_(x.infinite, y.infinite),
        infinity_sign=gates.mux(x.infinite, x.sign, y.sign),
        nan=gates.wide_or((x.nan, y.nan, invalid)),
        operands=(x, y),
    )


# --- products --------------------------------------------------------------------------------------


def _number_bits(fmt: Format) -> int:
    """Enough for every exponent that a place of a product has, modulo a power of two."""
    return (2 * largest_field(fmt) + steps_of_product(fmt)).bit_length()


def _product_states(fmt: Format) -> dict[str, int]:
    places, bits = fmt.precision, _number_bits(fmt)
    row = {"above": places - 1, "carries": places}
    return {"running": 1, "x_pulse": places - 1, "number": bits, **row, **_kept_states(fmt, bits)}


def _product(rounder: Rounder, step: _Step, x: Operand, y: Operand) -> Buses:
    """x * y: bits of x times the whole of y, a row of adders."""
    gates, fmt, (running,) = rounder.gates, rounder.fmt, step.states["running"]
    bits = _number_bits(fmt)
    exponents = add(gates, "exponent_sum", x=x.exponent, y=y.exponent, carry_in=(ZERO,))
    total = pad(exponents["sum"] + exponents["carry"], bits)
    # The exponent field, less one, of a first bit that comes in the first step.
    places = constant_bus(fmt.bias + 2 * fmt.precision - 1, bits)
    first = subtract(gates, "first_exponent", x=total, y=places)["difference"]
    number = mux_bus(gates, running, step.states["number"], first)
    bit = _bit_of(step, "x", x.significand, gates.not_(running))
    row = product_row(gates, bit, y.significand, step.states["above"], step.states["carries"])
    bit, step.after["above"], step.after["carries"] = row
    step.after |= {"running": (ONE,), "number": increment(gates, number, ONE)[0]}
    lowest = _is_constant(gates, number, 0)
    sticky, significand, exponent = step.keep(bit, number, lowest)
    sign = gates.xor(x.sign, y.sign)
    return rounder.override(
        rounder.round(sign, exponent, significand, sticky),
        infinite=gates.or_(x.infinite, y.infinite),
        infinity_sign=sign,
        nan=gates.wide_or((x.nan, y.nan, infinity_times_zero(gates, x, y))),
        operands=(x, y),
    )


# --- units -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SerialOperation:
    """An operation bit by bit.

    Attributes:
        states: of a format, their widths.
        step: from rounder, states and operands the results; it says how states become.
        steps: of a format, how many it takes.
    """

    states: Callable[[Format], dict[str, int]]
    step: Callable[[Rounder, _Step, Operand, Operand], Buses]
    steps: Callable[[Format], int]


SERIAL_OPERATIONS = {
    "add": SerialOperation(_sum_states, _sum, steps_of_sum),
    "multiply": SerialOperation(_product_states, _product, steps_of_product),
}
"""By name."""


def serial_unit(
    operation: str,
    fmt: Format,
    mode: RoundingMode,
    policy: OverflowPolicy,
    library: str,
    again: bool = False,
) -> ClockedNetlist:
    """A serial unit: inputs ``x`` and ``y``, output ``result``, right in the last of its steps.

    Args:
        again: whether it has the input ``START``, in which states are read as 0, whatever they were.

    Raises:
        ValueError: if the format cannot express the policy, or has so few exponents that places of a
            significand are more.
    """
    if fmt.precision > 1 << fmt.exponent_bits:
        raise ValueError(f"{fmt.name} has more places than exponents; choose another format")
    serial = SERIAL_OPERATIONS[operation]
    gates = library_gates(library)
    rounder = Rounder(gates, fmt, mode, policy)
    codes = [gates.builder.input(name, fmt.width) for name in "xy"]
    start = gates.builder.input(START, 1) if again else None
    widths = serial.states(fmt)
    states = {name: gates.builder.input(name, width) for name, width in widths.items()}
    if start:
        states = {name: fresh(gates, start[0], bus) for name, bus in states.items()}
    step = _Step(gates, states, {})
    result = serial.step(rounder, step, *(unpack(gates, fmt, code) for code in codes))["result"]
    netlist = gates.builder.build({"result": result, **{name: step.after[name] for name in states}})
    return ClockedNetlist(netlist, dict.fromkeys(states, 0))


def serial_schedule(operation: str, fmt: Format, clocked: ClockedNetlist) -> Schedule:
    """Operands held, and the result of the last step.

    Of a circuit with ``START`` it is started in the first, and what its states were before are words.
    """
    steps = SERIAL_OPERATIONS[operation].steps(fmt)
    words = dict.fromkeys("xy", fmt.width)
    again = START in clocked.inputs
    states = {name: clocked.step.inputs[name] for name in clocked.initial} if again else {}
    buses = buses_of({**words, **states})
    inputs = {name: held(buses[name], steps) for name in words}
    if again:
        inputs[START] = in_turn((ONE,), steps)
    return Schedule(
        {**words, **states},
        inputs,
        {"result": [(steps - 1, "result", place) for place in range(fmt.width)]},
        {name: buses[name] for name in states},
    )


def serial_unit_netlist(
    operation: str,
    fmt: Format,
    mode: RoundingMode,
    policy: OverflowPolicy,
    library: str,
    again: bool = False,
) -> Netlist:
    """A serial unit over all its steps: inputs ``x`` and ``y``, output ``result``."""
    clocked = serial_unit(operation, fmt, mode, policy, library, again)
    return unrolled(clocked, serial_schedule(operation, fmt, clocked))
