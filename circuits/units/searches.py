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

from typing import NamedTuple

from spikeproof.circuits.netlist import ZERO, Bus
from spikeproof.circuits.units.columns import PartialProduct, by_weight
from spikeproof.circuits.units.comparison_sum import comparison_sum
from spikeproof.circuits.units.forms import (
    Bits,
    Form,
    all_of,
    bit,
    bits,
    number,
    reaches,
    signals,
    total,
    unbounded,
)
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


class Search(NamedTuple):
    """What was found of a form.

    Attributes:
        digits: least significant first.
        pairs: the ANDs that were made of each digit and what it is multiplied by, digit by digit.
        rest: what remains of the form.
    """

    digits: Bits
    pairs: Bits
    rest: Form


def quotient_digits(gates: GateLibrary, form: Form, divisor: Bits, size: int) -> Search:
    """The digits of min(max(form // divisor, 0), 2^size - 1): a neuron each, whatever the form's range.

    What divides by 0 is below 0, or has every digit 1.
    """
    digits: Bits = ()
    pairs: Bits = ()
    for place in reversed(range(size)):
        unit = 1 << place
        digit = reaches(gates, unbounded(form - number(divisor) * unit), 0)
        row = tuple(all_of(gates, digit, each) for each in divisor)
        form = form - number(row) * unit
        digits, pairs = (digit, *digits), (*row, *pairs)
    return Search(digits, pairs, form)


def root_digits(gates: GateLibrary, form: Form, size: int, scale: int = 1, less: int = 0) -> Search:
    """The digits of the largest Q below 2^size with (scale Q - less)^2 <= form; of 0 if there is none.

    With U the digits above, a digit of the weight w is [form - (scale (U + w) - less)^2 >= 0], and U^2
    is the sum of w (w + 2 U) over its own digits, w U being an AND for each pair of digits.

    Args:
        scale, less: scale >= less >= 0. With 1 and 1 the root is rounded up, to one more; with 2 and 1
            it is the nearest to half of the form's root.
    """
    digits: Bits = ()
    pairs: Bits = ()
    form = form - less * less
    for place in reversed(range(size)):
        unit, above = 1 << place, number(digits) * (2 << place)
        tried = scale * scale * unit * (2 * above + unit) - 2 * scale * less * unit
        digit = reaches(gates, unbounded(form - tried), 0)
        row = tuple(all_of(gates, digit, each) for each in digits)
        own = scale * scale * unit * unit - 2 * scale * less * unit
        form = form - number(row) * (4 * scale * scale * unit * unit) - digit * own
        digits, pairs = (digit, *digits), (*row, *pairs)
    return Search(digits, pairs, form)


def searched_quotient(gates: GateLibrary, x: Bus, y: Bus) -> tuple[Bus, Bus]:
    """Quotient and remainder of x * 2^(n+1) by y: as ``integer.divide``."""
    found = quotient_digits(gates, number(bits(x)) * (2 << len(y)), bits(y), len(y) + 2)
    quotient, remainder = signals(gates, found.digits), _remainder(gates, found.rest, len(y))
    gates.builder.cell(
        "searched_quotient",
        {"dividend": x, "divisor": y},
        {"quotient": quotient, "remainder": remainder},
    )
    return quotient, remainder


def searched_root(gates: GateLibrary, x: Bus) -> tuple[Bus, Bus]:
    """Root and remainder of x: as ``integer.square_root``."""
    size = len(x) // 2
    found = root_digits(gates, number(bits(x)), size)
    root, remainder = signals(gates, found.digits), _remainder(gates, found.rest, size + 1)
    gates.builder.cell("searched_root", {"radicand": x}, {"root": root, "remainder": remainder})
    return root, remainder


def _remainder(gates: GateLibrary, left: Form, size: int) -> Bus:
    """What is left, which is a number of so many digits."""
    return signals(gates, comparison_sum(gates, left.within(0, (1 << size) - 1), size))
