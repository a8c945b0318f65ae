"""Circuits of programs that are wrong for few inputs: each of these costs a wide AND.

Programs round to nearest or toward zero, and are mended so: see ``modes``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

import lazy_loader

from spikeproof.circuits.netlist import Bus
from spikeproof.circuits.units.forms import bits, signals
from spikeproof.circuits.units.functions.machines import machine_of
from spikeproof.circuits.units.functions.modes import away, simplest, to_odd
from spikeproof.circuits.units.functions.words import (
    STEP,
    Form,
    Machine,
    Word,
    choice,
    powers_of,
)
from spikeproof.circuits.units.libraries import GateLibrary
from spikeproof.specs.formats import NEAREST, Format, OverflowPolicy, RoundingMode

gmpy2: Any = lazy_loader.load("gmpy2")

PRECISION = 160
"""Bits of constants before they are rounded."""


@dataclass(frozen=True)
class Found:
    """What a program comes to.

    Attributes:
        code: of the result, without its sign, rounded to nearest or toward zero.
        total: of which the significand is the top digits: half of the last place is in it.
        lost: how many of its digits are lost.
        inexact: whether the result is not exact; a bit.
        negative: whether it is negative; a bit.
        divisor: if the result is a quotient, what it is divided by: the total is then what remains.
    """

    code: Form
    total: Form
    lost: Form
    inexact: Form
    negative: Form
    divisor: Form = 0


class RoundedTo(Protocol):
    """To what numbers are rounded."""

    @property
    def fmt(self) -> Format:
        """The format of results."""

    @property
    def places(self) -> int:
        """Binary places of numbers."""

    @property
    def nearest(self) -> bool:
        """Whether half of the last place is added."""


@dataclass(frozen=True)
class Plan(ABC):
    """A program, and of which function, format, mode and policy it is."""

    function: str
    fmt: Format
    mode: RoundingMode
    policy: OverflowPolicy

    @property
    @abstractmethod
    def spans(self) -> list[tuple[int, int]]:
        """From which code to before which the program may be wrong."""

    @property
    @abstractmethod
    def places(self) -> int:
        """Binary places of numbers."""

    @abstractmethod
    def program(self, machine: Machine, x: Word) -> Found:
        """What a machine makes of a word x."""

    def matched(self, x: Word) -> Word:
        """The word of which exceptions are codes."""
        return x

    @property
    def margin(self) -> int:
        """Totals so few units from a boundary of rounding are compared with what is right."""
        return 64

    @property
    def name(self) -> str:
        """As exceptions are called: ``fp32.exp.rne``."""
        return f"{self.fmt.name}.{self.function}.{self.mode.value}"

    @property
    def nearest(self) -> bool:
        """Whether half of the last place is added."""
        return self.mode in NEAREST

    @property
    def simplest(self) -> Plan:
        """The plan that has the same exceptions: to nearest even, or toward zero."""
        return replace(self, mode=simplest(self.mode), policy=self.fmt.policies[0])

    def constant(self, number: Any, place: int = 0) -> int:
        """number * 2^(places + place), rounded."""
        return int(gmpy2.rint(number * gmpy2.exp2(self.places + place)))


def rounded(
    machine: Machine, magnitude: Form, plan: RoundedTo, least: int, size: int
) -> tuple[Form, Form, Form]:
    """The sum whose top digits are the result, its code, and how many digits are lost.

    Args:
        magnitude: the result, in units of the last place; below 2^least it has no code.
        size: how many digits it has.
    """
    bits, places = plan.fmt.fraction_bits, range(least, size)
    steps = machine.probed("leading", machine.comparators(magnitude, [1 << place for place in places]))
    halves = [1 << place - bits - 1 if plan.nearest else 0 for place in places]
    total = magnitude + machine.table(steps, [0, *halves])
    word = machine.probed("total", machine.digits(total, size + 1)[least - bits :])
    by = machine.digits(machine.table(steps, [0, *range(len(places))]), (len(places) - 1).bit_length())
    few, fours = powers_of(machine, by, len(places), STEP)
    wide = bits + 2 + STEP - 1
    partly = machine.digits(
        choice(machine, [word[STEP * k : STEP * k + wide] for k in range(len(fours))], fours), wide
    )
    shifted = choice(machine, [partly[k : k + bits + 2] for k in range(STEP)], few)
    fields = [place - plan.places + plan.fmt.bias - 1 for place in places]
    code = machine.table(steps, [0, *fields]) * (1 << bits) + shifted
    lost = machine.table(steps, [0, *(place - bits for place in places)])
    return total, code, lost


def mended_unit(gates: GateLibrary, x: Bus, plan: Plan, exceptions: Mapping[int, int]) -> Bus:
    """A function by its program.

    Args:
        exceptions: what is to be added to the results of some codes, signs left out.
    """
    machine = machine_of(gates)
    found = plan.program(machine, bits(x))
    mended = machine.chosen(
        machine.matches(plan.matched(bits(x)), list(exceptions)), list(exceptions.values())
    )
    code = found.code + mended + away(gates, plan.mode, found.inexact, found.negative)
    digits = machine.digits(code, plan.fmt.width - 1)
    digits = to_odd(gates, plan.mode, digits, found.inexact)
    return signals(gates, (*digits, found.negative))
