"""Bit-serial units: clocked circuits, unrolled over their steps, equal their integer function.

Of ``any_width`` are claims about one step from any state and about the state before the first, of which
what is said of any number of steps follows by induction: see ``docs/clocked.md``.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial

from pysmt.fnode import FNode
from pysmt.shortcuts import BV, BVAnd, BVNot, BVOr

from spikeproof.circuits.clocked import INITIAL, one_step
from spikeproof.circuits.units.floating_point.serial import SERIAL_OPERATIONS, serial_unit_netlist
from spikeproof.circuits.units.libraries import DEFAULT_LIBRARY, LIBRARIES, Ionic
from spikeproof.circuits.units.serial import serial_adder, serial_comparator, serial_netlist
from spikeproof.proofs.units import Unit
from spikeproof.prover.claims.obligation import (
    BOTH,
    Decomposition,
    Obligation,
    Profile,
    Step,
    equivalence,
)
from spikeproof.specs import integers
from spikeproof.specs.formats import FP8_E4M3FN, SMALL_FORMATS, Format, RoundingMode
from spikeproof.specs.integers import Buses
from spikeproof.specs.symbolic import Probe, as_computed

WIDTHS = {"add": (8, 32), "less_than": (8, 32), "multiply": (4, 16)}
"""Of the words, by operation."""


def add(buses: Buses) -> dict[str, FNode]:
    """x + y, and the carry out."""
    return integers.add({**buses, "carry_in": BV(0, 1)})


def multiply(buses: Buses, probe: Probe = as_computed) -> Buses:
    """The full product, by way of its factors."""
    x, y = (probe(name, buses[name]) for name in "xy")
    return {"product": probe("product", integers.multiply({"x": x, "y": y})["product"])}


MEANINGS: Mapping[str, Callable[..., Buses]] = {
    "add": add,
    "less_than": integers.less_than,
    "multiply": multiply,
}

BY_ALGEBRA = Decomposition(
    multiply,
    (Step(("x", "y")), Step(("product",), given=("x", "y"), method="product")),
    Step((), given=("product",)),
)
"""How products of more bits than search can handle are proved."""

IN_WORDS = {
    "add": "{steps} steps of the bit-serial {library} adder give x + y, of {width} bits, and its carry",
    "less_than": "{steps} steps of the bit-serial {library} comparator tell if x < y, of {width} bits",
    "multiply": "{steps} steps of the bit-serial {library} multiplier give x * y, of {width} bits each",
}


def unit(library: str, operation: str, width: int, again: bool = False) -> Obligation:
    """That a bit-serial unit is its integer function."""
    steps = 2 * width if operation == "multiply" else width
    said = IN_WORDS[operation].format(steps=steps, library=library, width=width)
    name = f"serial.{library}.{operation}.{width}"
    return equivalence(
        f"{name}.restarted" if again else name,
        f"{said}, when it is started again, whatever its states were" if again else said,
        circuit=partial(serial_netlist, library, operation, width, again),
        meaning=MEANINGS[operation],
        decomposition=BY_ALGEBRA if operation == "multiply" else None,
        profile=Profile.WIDE if width > 8 else Profile.DEFAULT,
        parameters={
            "family": "serial",
            "library": library,
            "operation": operation,
            "width": str(width),
            **({"kind": "restarted"} if again else {}),
        },
        function=f"the integer function {operation} of {width} bits",
    )


# --- floating point --------------------------------------------------------------------------------


def floating_point(
    operation: str, fmt: Format, library: str = DEFAULT_LIBRARY, again: bool = False
) -> Obligation:
    """That a serial sum or product is that of IEEE 754, to nearest even, under the first policy."""
    unit = Unit(operation, fmt, policy=fmt.policies[0], library=library)
    mode, steps = RoundingMode.NEAREST_EVEN, SERIAL_OPERATIONS[operation].steps(fmt)
    quick = fmt.width < 8 or (fmt is FP8_E4M3FN and operation == "multiply")
    usual = quick and not again and library == DEFAULT_LIBRARY
    said = f"{steps} steps of a bit-serial circuit of {library} gates give {unit.function}"
    return equivalence(
        f"serial.{unit.name}{'.restarted' if again else ''}",
        f"{said}, when it is started again, whatever its states were" if again else said,
        circuit=partial(serial_unit_netlist, operation, fmt, mode, unit.policy, library, again),
        meaning=unit.spec,
        engines=("cadical",) if operation == "add" and fmt.width == 8 else BOTH,
        profile=Profile.DEFAULT if usual else Profile.WIDE,
        reading=unit.reading,
        parameters=unit.parameters | {"family": "serial", **({"kind": "restarted"} if again else {})},
        function=unit.function,
    )


# --- any number of steps ---------------------------------------------------------------------------


def sum_step(buses: Buses) -> dict[str, FNode]:
    """sum + 2 carry = x + y + the carry before, which is 0 at first.

    Each step's equation times 2^step, added up: the bits of the sum so far, and 2^steps times the carry,
    are x + y of the bits so far.
    """
    names = {"a": "x", "b": "y", "c": "carry"}
    cell = integers.full_adder({name: buses[bus] for name, bus in names.items()})
    return {**cell, f"{INITIAL}.carry": BV(0, 1)}


def comparison_step(buses: Buses) -> dict[str, FNode]:
    """Of numbers that are longer by a bit at the top, this decides, or else what is below it."""
    x, y, less = (buses[name] for name in ("x", "y", "less"))
    alike = BVNot(integers.xor_gate({"a": x, "b": y})["out"])
    above = BVAnd(BVNot(x), y)
    return {"less": BVOr(above, BVAnd(alike, less)), f"{INITIAL}.less": BV(0, 1)}


ANY_WIDTH = {
    "add": (
        serial_adder,
        sum_step,
        "adder has given the bits of x + y so far and holds the carry: "
        "sum + 2 carry = x + y + carry before, which is 0 at first",
    ),
    "less_than": (
        serial_comparator,
        comparison_step,
        "comparator holds whether x < y so far: "
        "the highest bits decide, and where they are alike it is as before, at first 0",
    ),
}
"""By operation, the circuit, what a step does, and what follows."""


def of_any_width(library: str, operation: str) -> Obligation:
    """That a bit-serial unit is right after any number of steps."""
    make, meaning, words = ANY_WIDTH[operation]
    return equivalence(
        f"serial.{library}.{operation}.any_width",
        f"after any number of steps the bit-serial {library} {words}",
        circuit=lambda: one_step(make(library, False)),
        meaning=meaning,
        parameters={"family": "serial", "library": library, "operation": operation, "width": "any"},
        function=f"a step of {operation}, the lowest bits first, and 0 before the first",
    )


def obligations() -> Iterator[Obligation]:
    """``serial.LIBRARY.OPERATION.{WIDTH,any_width}`` and ``serial.FORMAT.OPERATION.MODE...``."""
    for library in LIBRARIES:
        for operation, widths in WIDTHS.items():
            yield from (unit(library, operation, width) for width in widths)
        yield from (of_any_width(library, operation) for operation in ANY_WIDTH)
    for operation, widths in WIDTHS.items():
        yield unit(DEFAULT_LIBRARY, operation, widths[0], again=True)
    for operation in SERIAL_OPERATIONS:
        for fmt in SMALL_FORMATS:
            yield floating_point(operation, fmt)
        yield floating_point(operation, FP8_E4M3FN, Ionic.name)
        yield floating_point(operation, FP8_E4M3FN, again=True)
