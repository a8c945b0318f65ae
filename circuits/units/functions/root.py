"""Roots by comparison: each digit is a neuron that reads the products of the digits above.

The largest Q with (a Q - b)^2 <= N, for any form N, and a >= b >= 0: with a = 1 and b = 0 the root of
N, rounded down; with b = 1 one more, which is how it is rounded up; with a = 2 and b = 1 the nearest to
half the root of N. With U the digits above, a digit of the weight w is

    [N - (a (U + w) - b)^2 >= 0]

and U^2 is the sum of w (w + 2 U) over its own digits, w U being an AND for each pair of digits.
"""

from __future__ import annotations

from spikeproof.circuits.units.columns import by_weight
from spikeproof.circuits.units.forms import NEVER, Bits, Form, all_of, number, reaches, signals
from spikeproof.circuits.units.functions.quotient import unbounded
from spikeproof.circuits.units.functions.sums import Sums


def root(sums: Sums, form: Form, size: int, scale: int = 1, less: int = 0) -> Bits:
    """The digits of the largest Q below 2^size with (scale Q - less)^2 <= form; of 0 if there is none.

    A neuron for each digit and each pair of digits.
    """
    gates = sums.gates
    given = by_weight(form - form.constant)
    digits: list[Form] = []
    pairs: list[Form] = []
    value = square = NEVER
    with gates.builder.barrier(given.values()):
        for place in reversed(range(size)):
            weight = 1 << place
            tried = square + 2 * weight * value + weight * weight
            rest = form - scale * scale * tried + 2 * scale * less * (value + weight) - less * less
            digit = reaches(gates, unbounded(rest), 0)
            row = [all_of(gates, digit, each) for each in digits] if place else [NEVER] * len(digits)
            square = square + weight * weight * digit + 4 * weight * weight * number(row)
            value = value + weight * digit
            digits.insert(0, digit)
            pairs[:0] = row
    out = signals(gates, digits)
    if pairs:
        gates.builder.cell("square", {"a": out}, {"out": signals(gates, pairs)})
    gates.builder.cell("root", given, {"out": out})
    return tuple(digits)
