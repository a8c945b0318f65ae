"""Numbers in fixed point: the significand of a number, moved to where its exponent says."""

from __future__ import annotations

from spikeproof.circuits.units.forms import NEVER, Bits, Form, number
from spikeproof.circuits.units.functions.words import Machine, Neurons, Word, choice, powers_of
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


def moved_in_blocks(
    machine: Machine, magnitude: Word, fmt: Format, fields: range, step: int
) -> tuple[Word, Word]:
    """The significand, moved up by less than a block of exponents; and 2^k, of block k.

    Args:
        fields: the exponent fields that numbers have; all of normal ones. Of others nothing is said.
        step: a block has step^2 exponents; a power of two.
    """
    bits, size, block = fmt.fraction_bits, step.bit_length() - 1, step * step
    fraction, field = magnitude[:bits], magnitude[bits:]
    by = machine.digits(machine.number(field) - fields[0], fmt.exponent_bits)
    few, many = machine.powers(by[:size], step), machine.powers(by[size : 2 * size], step)
    moved = machine.product(fraction, few) + machine.number(few) * (1 << bits)
    partly = machine.digits(moved, fmt.precision + step - 1)
    word = machine.digits(choice(machine, [partly] * step, many, step), fmt.precision + block - 1)
    return word, machine.powers(by[2 * size :], -(-len(fields) // block))
