"""Quotients by comparison, as words of a program: each digit is a neuron.

    q_k = [N - (sum of 2^j q_j D over the digits above) >= 2^k D]

N is any form, D a word; q_j D is an AND for each bit of D. So the digits are those of N // D, clamped as
those of a comparison sum are: below 0 every digit is 0, from 2^n D on every digit is 1.
"""

from __future__ import annotations

from spikeproof.circuits.units.columns import by_weight
from spikeproof.circuits.units.forms import Bits, Form, bits, signals
from spikeproof.circuits.units.functions.sums import Sums
from spikeproof.circuits.units.searches import quotient_digits


def quotient(sums: Sums, form: Form, divisor: Bits, size: int) -> tuple[Bits, Form]:
    """The digits of min(max(form // divisor, 0), 2^size - 1), least significant first; and what remains.

    What divides by 0 is below 0, or has every digit 1. A neuron for each digit, and for each digit and
    each bit of the divisor; for the last digit only if what remains is read.
    """
    gates = sums.gates
    bus = signals(gates, divisor)
    given = by_weight(form - form.constant)
    with gates.builder.barrier((bus, *given.values())):
        found = quotient_digits(gates, form, bits(bus), size)
    out = signals(gates, found.digits)
    gates.builder.cell("product", {"a": out, "b": bus}, {"out": signals(gates, found.pairs)})
    gates.builder.cell("quotient", {**given, "divisor": bus}, {"out": out})
    return found.digits, found.rest
