"""The comparison sum: the digits of an integer linear form, from the top, a neuron each.

    d_k = [S - (sum of 2^j d_j over the digits above) >= 2^k]

Whatever is such a form costs nothing until here: sums of many numbers, products of bits with their
weights, entries of tables. S is clamped: below 0 every digit is 0, from 2^n on every digit is 1. The
price is weights of up to 2^n, or what S itself has, and a level for each digit.

With m digits a step, a step is a thermometer of what is left, [S - ... >= i 2^k] for i = 1 to 2^m - 1:
as many neurons for m digits, which are sums of theirs, and one level for all of them.
"""

from __future__ import annotations

from collections.abc import Iterator

from spikeproof.circuits.units.forms import ALWAYS, Bits, Form, reaches, total
from spikeproof.circuits.units.libraries import GateLibrary
from spikeproof.circuits.units.shallow import Thermometer


def comparison_sum(gates: GateLibrary, form: Form, size: int, step: int = 1) -> Bits:
    """The digits of min(max(form, 0), 2^size - 1), least significant first.

    A digit is a neuron, or the constant that the range of the form makes it; with several digits a step,
    all but the highest of each are sums of neurons.

    Args:
        form: what it is worth; ``low`` and ``high`` must be true of it.
        size: how many digits.
        step: how many of them a level of neurons finds; of a size that is no multiple, fewer at the end.
    """
    found: list[Form] = []
    for levels in levels_of(gates, form, size, step):
        found[:0] = digits_of(levels)
    return tuple(found)


def levels_of(gates: GateLibrary, form: Form, size: int, step: int) -> Iterator[Bits]:
    """Its neurons, step after step from the top: [what is left >= i 2^k] for each i."""
    rest, place = form, size
    while place:
        count = min(step, place)
        place -= count
        unit = 1 << place
        levels = tuple(reaches(gates, rest, index * unit) for index in range(1, 1 << count))
        yield levels
        rest = rest - unit * total(levels)
        if form.low >= 0:
            rest = rest.within(0, rest.high)
        if form.high < 1 << size:
            rest = rest.within(rest.low, unit - 1)


def digits_of(levels: Bits) -> Bits:
    """The digits that 2^m - 1 levels of one step are."""
    digits = Thermometer((ALWAYS, *levels))
    return tuple(digits.place(index) for index in range(len(levels).bit_length()))
