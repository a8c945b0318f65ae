"""Functions by name, as netlists."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial

from spikeproof.circuits.netlist import Bus, Netlist
from spikeproof.circuits.units.functions.changes import Table
from spikeproof.circuits.units.functions.factors import FACTORED, REDUCED, planned_unit
from spikeproof.circuits.units.functions.half_turns import half_turns_unit
from spikeproof.circuits.units.functions.kept_rows import PLANS, are_made, rows_unit
from spikeproof.circuits.units.functions.multiplexers import multiplexers_unit
from spikeproof.circuits.units.functions.reciprocal import reciprocal_unit
from spikeproof.circuits.units.functions.reciprocal_root import reciprocal_root_unit
from spikeproof.circuits.units.functions.segments import segments_unit
from spikeproof.circuits.units.functions.thermometer import thermometer_unit
from spikeproof.circuits.units.functions.values import FUNCTIONS, WIDEST, results
from spikeproof.circuits.units.libraries import (
    DEFAULT_LIBRARY,
    EVERY_LIBRARY,
    LIBRARIES,
    DualRail,
    GateLibrary,
    Threshold,
    library_gates,
)
from spikeproof.specs.conventions import IEEE, Convention
from spikeproof.specs.formats import Format, OverflowPolicy, RoundingMode, UnknownNameError


@dataclass(frozen=True)
class Construction:
    """How a table becomes a circuit.

    Attributes:
        words: for people, after a comma.
    """

    words: str
    unit: Callable[[GateLibrary, Bus, Table], Bus]


CONSTRUCTIONS = {
    "segments": Construction("by segments", segments_unit),
    "thermometer": Construction("by a thermometer", thermometer_unit),
    "multiplexers": Construction("by multiplexers", multiplexers_unit),
}
"""By name: least neurons, least depth, or gates alone."""

SEGMENTS, THERMOMETER, MULTIPLEXERS = CONSTRUCTIONS

ProgramUnit = Callable[[GateLibrary, Bus, Format, RoundingMode, OverflowPolicy], Bus]


@dataclass(frozen=True)
class Program:
    """How functions become circuits without a table of theirs, in formats of more than 16 bits too.

    Attributes:
        words: for people, after a comma.
        units: what makes each function that it can make; of the convention IEEE alone.
        makes: whether it can make a function of a format.
    """

    words: str
    units: Mapping[str, ProgramUnit]
    makes: Callable[[str, Format], bool] = lambda function, fmt: True


PROGRAMS = {
    "digits": Program("digit by digit", {"reciprocal": reciprocal_unit, "rsqrt": reciprocal_root_unit}),
    "factors": Program(
        "by short factors", {function: partial(planned_unit, function) for function in FACTORED}
    ),
    "half_turns": Program(
        "folded, by rows of polynomials",
        {function: partial(half_turns_unit, function) for function in ("sin_pi", "cos_pi")},
    ),
    "polynomials": Program(
        "by rows of polynomials",
        {function: partial(rows_unit, function) for function in PLANS},
        are_made,
    ),
    "quarter_turns": Program(
        "reduced to a quarter of a turn",
        {function: partial(planned_unit, function) for function in REDUCED},
    ),
}
"""By name, each with the functions that it makes."""


def usual_construction(function: str, fmt: Format, library: str = DEFAULT_LIBRARY) -> str:
    """That of a circuit of which nothing else is said.

    Raises:
        ValueError: if the format has more than 16 bits, and no program makes the function.
    """
    if fmt.width <= WIDEST:
        return SEGMENTS if EVERY_LIBRARY[library].reads_sums else MULTIPLEXERS
    for name, program in PROGRAMS.items():
        if function in program.units and program.makes(function, fmt):
            return name
    made = [each for program in PROGRAMS.values() for each in program.units if program.makes(each, fmt)]
    raise ValueError(
        f"{function} is not made in {fmt.name}, of {fmt.width} bits: {', '.join(made)} are, "
        f"and all functions in formats of up to {WIDEST}"
    )


def build_function(
    function: str,
    fmt: Format,
    mode: RoundingMode,
    policy: OverflowPolicy,
    library: str = DEFAULT_LIBRARY,
    *,
    construction: str | None = None,
    convention: Convention = IEEE,
) -> Netlist:
    """A correctly rounded function as a netlist: input ``x``, output ``result``.

    Args:
        function: one of ``values.FUNCTIONS``.
        construction: one of ``CONSTRUCTIONS`` or ``PROGRAMS``; if None, the usual one.

    Raises:
        UnknownNameError: if there is no such function or construction; naming them.
        ValueError: if neurons of the library cannot be what the construction needs; if the format cannot
            express the policy or have the convention, or is not one of which it makes the function.
    """
    require_known("function", function, FUNCTIONS)
    chosen = construction or usual_construction(function, fmt, library)
    require_known("construction of functions", chosen, {**CONSTRUCTIONS, **PROGRAMS})
    require_library(library, chosen)
    fmt.require_policy(policy)
    gates = library_gates(library)
    x = gates.builder.input("x", fmt.width)
    if chosen in CONSTRUCTIONS:
        table = Table(results(function, fmt, mode, policy, convention), fmt.width)
        return gates.builder.build({"result": CONSTRUCTIONS[chosen].unit(gates, x, table)})
    require_made(function, chosen)
    if convention != IEEE:
        raise ValueError(
            f"{PROGRAMS[chosen].words}, functions are made under IEEE 754's convention alone; "
            f"not under {convention.name}"
        )
    return gates.builder.build({"result": PROGRAMS[chosen].units[function](gates, x, fmt, mode, policy)})


def require_known(what: str, name: str, known: Collection[str]) -> None:
    """Refuse a name that there is not.

    Raises:
        UnknownNameError: naming those there are.
    """
    if name not in known:
        raise UnknownNameError(f"unknown {what} {name!r}; known: {', '.join(known)}")


def require_made(function: str, construction: str) -> None:
    """Refuse a program that makes other functions alone.

    Raises:
        ValueError: naming these; one line.
    """
    program = PROGRAMS.get(construction)
    if program and function not in program.units:
        raise ValueError(f"{program.words}, {', '.join(program.units)} can be made; not {function}")


def require_library(library: str, construction: str) -> None:
    """Refuse a library whose neurons do not read the sums that a construction is made of.

    Raises:
        ValueError: saying what to choose; one line.
    """
    if library == DualRail.name:
        raise ValueError(f"functions are not made on two rails yet; choose {', '.join(LIBRARIES)}")
    if construction in (SEGMENTS, THERMOMETER) and not EVERY_LIBRARY[library].reads_sums:
        raise ValueError(
            f"{construction} needs {Threshold.name} neurons; of {library} gates leave it out, or choose "
            f"{MULTIPLEXERS}"
        )
