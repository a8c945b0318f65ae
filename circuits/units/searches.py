"""Products, quotients and roots digit by digit from the top, by one neuron each: least neurons.

A digit is 1 if what has been found so far, with it, is not too large:

    product   x y >= D      of ANDs of all pairs of bits: these, and a neuron for each digit
    quotient  A >= D B      of ANDs of each digit and all bits of the divisor
    root      X >= D^2      of ANDs of all pairs of digits

That takes weights as large as the numbers, and a level for each digit, of quotients and roots two. What
remains are the digits of another such sum. So 24 times 24 bits take 624 neurons, a quotient 674 and a
root of 24 bits 325.

Each is a cell, whose digits are proved as they were found: see ``prover.kernel.searching``.
"""

from __future__ import annotations

from spikeproof.circuits.netlist import ZERO, Bus
from spikeproof.circuits.units.columns import PartialProduct, by_weight
from spikeproof.circuits.units.comparison_sum import comparison_sum
from spikeproof.circuits.units.forms import Form, bit, bits, number, reaches, signal, signals, total
from spikeproof.circuits.units.libraries import GateLibrary


def searched_product(gates: GateLibrary, x: Bus, y: Bus, partial_product: PartialProduct) -> Bus:
    """The full product of x and y.

    Args:
        partial_product: of two bits, recorded as a cell.
    """
    size = len(x) + len(y)
    terms = (
        bit(partial_product(gates, a, b)) * (1 << i + j)
        for i, a in enumerate(x)
        for j, b in enumerate(y)
    )
    form = total(terms)
    given = by_weight(form)
    with gates.builder.barrier(given.values()):
        digits = signals(gates, comparison_sum(gates, form, size))
    found = {str(1 << k): (each,) for k, each in enumerate(digits) if each != ZERO}
    gates.builder.cell("digits", given, found)
    return digits


def searched_quotient(gates: GateLibrary, x: Bus, y: Bus) -> tuple[Bus, Bus]:
    """Quotient and remainder of x * 2^(n+1) by y: as ``integer.divide``."""
    divisor, left = number(bits(y)), number(bits(x)) * (2 << len(y))
    quotient: Bus = ()
    for k in reversed(range(len(y) + 2)):
        digit = signal(gates, reaches(gates, left - divisor * (1 << k), 0))
        left = left - _times(gates, digit, y) * (1 << k)
        quotient = (digit, *quotient)
    remainder = _remainder(gates, left, len(y))
    gates.builder.cell(
        "searched_quotient",
        {"dividend": x, "divisor": y},
        {"quotient": quotient, "remainder": remainder},
    )
    return quotient, remainder


def searched_root(gates: GateLibrary, x: Bus) -> tuple[Bus, Bus]:
    """Root and remainder of x: as ``integer.square_root``."""
    size, left = len(x) // 2, number(bits(x))
    root: Bus = ()
    for k in reversed(range(size)):
        twice = number(bits(root)) * (4 << 2 * k)  # times 2^k, of what begins at place k + 1
        digit = signal(gates, reaches(gates, left - twice - (1 << 2 * k), 0))
        left = left - _times(gates, digit, root) * (4 << 2 * k) - bit(digit) * (1 << 2 * k)
        root = (digit, *root)
    remainder = _remainder(gates, left, size + 1)
    gates.builder.cell("searched_root", {"radicand": x}, {"root": root, "remainder": remainder})
    return root, remainder


def _times(gates: GateLibrary, digit: int, x: Bus) -> Form:
    """A number where the digit is 1, else 0."""
    return number([bit(gates.and_(digit, each)) for each in x])


def _remainder(gates: GateLibrary, left: Form, size: int) -> Bus:
    """What is left, which is a number of so many digits."""
    return signals(gates, comparison_sum(gates, left.within(0, (1 << size) - 1), size))
