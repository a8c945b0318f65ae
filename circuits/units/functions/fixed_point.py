"""Numbers in fixed point: the significand of a number, moved to where its exponent says."""

from __future__ import annotations

from spikeproof.circuits.units.forms import NEVER, Bits, Form, number
from spikeproof.circuits.units.functions.words import Neurons, powers_of
from spikeproof.specs.formats import Format

STEP = 8
"""Shifts are by less than this, and by a multiple of it."""


def fixed_point(
    machine: Neurons, x: Bits, when: Form, fmt: Format, fields: range, places: int, size: int
) -> Bits:
    """|x| in units of 2^-places, modulo 2^size; what is below a unit is cut off. 0 unless a bit is 1.

    Args:
        fields: the exponent fields that x has where the bit is 1; all of normal numbers.
    """
    bits, most = fmt.fraction_bits, len(fields) - 1
    fraction, field = x[:bits], x[bits : fmt.width - 1]
    by = machine.digits(number(field) - fields[0], most.bit_length())
    few, many = powers_of(machine, by, most + 1, STEP)
    few = machine.given(few, when)
    shifted = machine.product(fraction, few) + number(few) * (1 << bits)
    word = machine.digits(shifted, fmt.precision + STEP - 1)
    # How far the word is to be moved right; and then left by ``by``.
    low, parts = fmt.bias + bits - places - fields[0], []
    for k, bit in enumerate(many):
        cut, up = max(low - STEP * k, 0), max(STEP * k - low, 0)
        if kept := word[cut : max(cut + size - up, 0)]:
            parts.append(number(machine.given(kept, bit)) * (1 << up))
    return machine.digits(sum(parts, NEVER).within(0, (1 << size) - 1), size)
