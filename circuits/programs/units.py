"""The units of a program: each operation is an instance of the netlist that has its name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from spikeproof.circuits.netlist import Netlist
from spikeproof.specs.formats import E8M0, INTEGERS, format_named
from spikeproof.specs.programs import Each, Module, ProgramError

Units = Mapping[str, Netlist]
"""By the names of operations. A unit takes its operands in the order of its input buses."""

RESULT = "result"
"""The output bus that an operation's result is."""

BIT = "bit"


def width_of(kind: str) -> int:
    """How many bits an element of an array has.

    Raises:
        ProgramError: if no format or integer has that name.
    """
    named = {BIT: 1, E8M0.name: E8M0.width} | {name: each.width for name, each in INTEGERS.items()}
    if kind in named:
        return named[kind]
    try:
        return format_named(kind).width
    except ValueError as error:
        raise ProgramError(str(error)) from error


def every_module(program: Module) -> tuple[Module, ...]:
    """All modules of a program, each once, those that are called first; itself the last."""
    return (*program.modules, program)


def operations(program: Module) -> Iterator[tuple[Each, tuple[str, ...]]]:
    """The operations in a program's modules, and what kinds of elements they are of."""
    for module in every_module(program):
        for step in module.steps:
            if isinstance(step, Each):
                yield step, tuple(module.arrays[operand].kind for operand in step.operands)


def require_units(program: Module, units: Units) -> None:
    """Refuse units that can't be those of a program.

    Raises:
        ProgramError: naming an operation that has none, or whose unit has other buses.
    """
    for step, kinds in operations(program):
        unit = units.get(step.operation)
        if unit is None:
            raise ProgramError(f"{program.name}: there is no unit {step.operation}")
        wanted = [width_of(kind) for kind in kinds], width_of(step.kind)
        found = [*unit.inputs.values()], unit.output_widths.get(RESULT)
        if wanted != found:
            raise ProgramError(
                f"{program.name}: {step.operation} is used from {', '.join(kinds)} to {step.kind}; "
                f"its unit has other widths: {found[0]} and {found[1]}"
            )
