"""Quotients by comparison: each digit is a neuron that reads what the digits above took away.

    q_k = [N - (sum of 2^j q_j D over the digits above) >= 2^k D]

N is any form, D a word; q_j D is an AND for each bit of D. So the digits are those of N // D, clamped as
those of a comparison sum are: below 0 every digit is 0, from 2^n D on every digit is 1.
"""

from __future__ import annotations

from spikeproof.circuits.units.columns import by_weight
from spikeproof.circuits.units.forms import Bits, Form, all_of, bits, number, reaches, signals
from spikeproof.circuits.units.functions.sums import Sums


def quotient(sums: Sums, form: Form, divisor: Bits, size: int) -> tuple[Bits, Form]:
    """The digits of min(max(form // divisor, 0), 2^size - 1), least significant first; and what remains.

    What divides by 0 is below 0, or has every digit 1. A neuron for each digit, and for each digit and
    each bit of the divisor; for the last digit only if what remains is read.
    """
    gates = sums.gates
    bus = signals(gates, divisor)
    word, given = bits(bus), by_weight(form - form.constant)
    digits: list[Form] = []
    pairs: list[Form] = []
    rest = form
    with gates.builder.barrier((bus, *given.values())):
        for place in reversed(range(size)):
            unit = 1 << place
            digit = reaches(gates, unbounded(rest - number(word) * unit), 0)
            row = [all_of(gates, digit, each) for each in word]
            rest = rest - number(row) * unit
            digits.insert(0, digit)
            pairs[:0] = row
    out = signals(gates, digits)
    gates.builder.cell("product", {"a": out, "b": bus}, {"out": signals(gates, pairs)})
    gates.builder.cell("quotient", {**given, "divisor": bus}, {"out": out})
    return tuple(digits), rest


def unbounded(form: Form) -> Form:
    """The same within what its weights allow, and no less."""
    low = form.constant + sum(weight for weight in form.weights.values() if weight < 0)
    high = form.constant + sum(weight for weight in form.weights.values() if weight > 0)
    return Form(form.constant, form.weights, low, high)
