"""Quotients by comparison: each digit is a neuron that reads what the digits above took away.

    q_k = [N - (sum of 2^j q_j D over the digits above) >= 2^k D]

N is any form, D a word; q_j D is an AND for each bit of D. So the digits are those of N // D, clamped as
those of a comparison sum are: below 0 every digit is 0, from 2^n D on every digit is 1.
"""

from __future__ import annotations

from spikeproof.circuits.units.forms import Bits, Form, bits, number, reaches, signals
from spikeproof.circuits.units.functions.sums import Sums


def quotient(sums: Sums, form: Form, divisor: Bits, size: int) -> tuple[Bits, Form]:
    """The digits of min(max(form // divisor, 0), 2^size - 1), least significant first; and what remains.

    What divides by 0 is below 0, or has every digit 1. A neuron for each digit, and for each digit and
    each bit of the divisor; for the last digit only if what remains is read.
    """
    word = bits(signals(sums.gates, divisor))
    found: list[Form] = []
    rest = form
    for place in reversed(range(size)):
        unit = 1 << place
        digit = reaches(sums.gates, unbounded(rest - number(word) * unit), 0)
        rest = rest - sums.product((digit,), word) * unit
        found.insert(0, digit)
    return tuple(found), rest


def unbounded(form: Form) -> Form:
    """The same within what its weights allow, and no less."""
    low = form.constant + sum(weight for weight in form.weights.values() if weight < 0)
    high = form.constant + sum(weight for weight in form.weights.values() if weight > 0)
    return Form(form.constant, form.weights, low, high)
