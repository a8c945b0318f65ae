"""Circuits of programs that are wrong for few inputs: each of these costs a wide AND.

A *plan* says of which function, format, mode and policy a program is. Programs round to nearest or toward
zero, and are mended so; what other modes have more is one bit, whether anything was lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from spikeproof.circuits.netlist import ZERO, Bus
from spikeproof.circuits.units.forms import any_of, bits, signals
from spikeproof.circuits.units.functions.regions import Regions
from spikeproof.circuits.units.functions.words import Form, Machine, Neurons, Word
from spikeproof.circuits.units.libraries import GateLibrary
from spikeproof.specs.formats import Format, OverflowPolicy, RoundingMode

NEAREST = (RoundingMode.NEAREST_EVEN, RoundingMode.NEAREST_AWAY)
"""Modes of which programs add half of the last place; of others they add nothing."""


@dataclass(frozen=True)
class Found:
    """What a program comes to.

    Attributes:
        code: of the result, without its sign, rounded to nearest or toward zero.
        total: of which the significand is the top digits: half of the last place is in it.
        lost: how many of its digits are lost.
        inexact: whether the result is not exact; a bit.
    """

    code: Form
    total: Form
    lost: Form
    inexact: Form


class Plan(Protocol):
    """A program and what it is of.

    Attributes:
        regions: where its results are constant.
    """

    function: str
    fmt: Format
    mode: RoundingMode
    policy: OverflowPolicy
    regions: Regions

    def program(self, machine: Machine, x: Word) -> Found:
        """What a machine makes of a word x."""


def simplest(plan: Any) -> Any:
    """The plan of the mode whose exceptions a plan has: nearest even, or down."""
    mode = RoundingMode.NEAREST_EVEN if plan.mode in NEAREST else RoundingMode.DOWN
    return replace(plan, mode=mode, policy=plan.fmt.policies[0])


def name_of(plan: Plan) -> str:
    """As exceptions are called: ``fp32.exp.rne``."""
    return f"{plan.fmt.name}.{plan.function}.{plan.mode.value}"


def mended_unit(gates: GateLibrary, x: Bus, plan: Plan, exceptions: Mapping[int, int]) -> Bus:
    """A function whose results are not negative.

    Args:
        exceptions: what is to be added to the results of some codes.
    """
    machine = Neurons(gates)
    found = plan.program(machine, bits(x))
    mended = machine.chosen(machine.matches(bits(x), list(exceptions)), list(exceptions.values()))
    code = found.code + mended
    if plan.mode is RoundingMode.UP:
        code = code + found.inexact
    digits = (*machine.digits(code, plan.fmt.width - 1), bits((ZERO,))[0])
    if plan.mode is RoundingMode.TO_ODD:
        digits = (any_of(gates, digits[0], found.inexact), *digits[1:])
    return signals(gates, digits)
