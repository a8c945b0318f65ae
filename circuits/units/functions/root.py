"""Roots by comparison, as words of a program: each digit is a neuron that reads products of those above.

The largest Q with (a Q - b)^2 <= N, for any form N, and a >= b >= 0: with a = 1 and b = 0 the root of
N, rounded down; with b = 1 one more, which is how it is rounded up; with a = 2 and b = 1 the nearest to
half the root of N.
"""

from __future__ import annotations

from spikeproof.circuits.units.columns import by_weight
from spikeproof.circuits.units.forms import NEVER, Bits, Form, signals
from spikeproof.circuits.units.functions.sums import Sums
from spikeproof.circuits.units.searches import Search, root_digits


def root(sums: Sums, form: Form, size: int, scale: int = 1, less: int = 0) -> Bits:
    """The digits of the largest Q below 2^size with (scale Q - less)^2 <= form; of 0 if there is none.

    A neuron for each digit and each pair of digits.
    """
    # What remains is not read, so that the last digit is multiplied by nothing.
    return _found(sums, form, size, scale, less, unread=size - 1).digits


def root_and_rest(sums: Sums, form: Form, size: int, scale: int) -> tuple[Bits, Form]:
    """The same with nothing less, and form - (scale Q)^2."""
    found = _found(sums, form, size, scale, 0, unread=0)
    return found.digits, found.rest


def _found(sums: Sums, form: Form, size: int, scale: int, less: int, unread: int) -> Search:
    """The root, as cells, of which so many pairs of digits are not read."""
    gates = sums.gates
    given = by_weight(form - form.constant)
    with gates.builder.barrier(given.values()):
        found = root_digits(gates, form, size, scale, less)
    out = signals(gates, found.digits)
    read = (*[NEVER] * unread, *found.pairs[unread:])
    if read:
        gates.builder.cell("square", {"a": out}, {"out": signals(gates, read)})
    gates.builder.cell("root", given, {"out": out})
    return found
