"""Functions of two operands: in formats of up to 8 bits tables by MPFR, and netlists of them; programs.

What MPFR has of them is correctly rounded, with the special values of IEEE 754-2019 clause 9.2.1, NaN
operands included. Tables are of all pairs of codes, x varying fastest; circuits as of one operand.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from itertools import product
from typing import Any

import lazy_loader
import numpy as np

from spikeproof.circuits.netlist import Netlist
from spikeproof.circuits.units.functions.building import (
    CONSTRUCTIONS,
    require_known,
    require_library,
    usual_construction,
)
from spikeproof.circuits.units.functions.changes import Table
from spikeproof.circuits.units.functions.hypotenuse import hypotenuse_unit
from spikeproof.circuits.units.functions.values import (
    Integers,
    Real,
    Truths,
    Values,
    counted,
    evaluated,
    nan_codes,
    operands_of,
    rounded,
)
from spikeproof.circuits.units.libraries import DEFAULT_LIBRARY, library_gates
from spikeproof.specs.conventions import IEEE, Convention, NanOperands, NanResult
from spikeproof.specs.formats import Format, OverflowPolicy, RoundingMode, Specials

gmpy2: Any = lazy_loader.load("gmpy2")

FUNCTIONS: dict[str, Callable[[Real, Real], Real]] = {
    "hypot": lambda x, y: gmpy2.hypot(x, y),
    "pow": lambda x, y: x**y,
    "atan2": lambda x, y: gmpy2.atan2(y, x),
}
"""By name; ``atan2`` is the angle of the point (x, y)."""

WIDEST = 8
"""Bits of the widest format of which tables are made."""

WIDEST_OF_PROGRAMS = 16
"""The same of programs: all pairs of codes can be tried."""

DIGITS = "digits"

PROGRAMS = {DIGITS: {"hypot": hypotenuse_unit}}
"""Constructions without a table, of the convention IEEE alone, and the functions that each makes."""


@lru_cache(maxsize=16)
def values_of(function: str, fmt: Format) -> Values:
    """The function of every pair of codes.

    Raises:
        KeyError: if there is no such function.
    """
    ys, xs = zip(*product(operands_of(fmt), repeat=2), strict=True)
    return evaluated(FUNCTIONS[function], xs, ys)


def results(
    function: str,
    fmt: Format,
    mode: RoundingMode,
    policy: OverflowPolicy,
    convention: Convention = IEEE,
) -> Integers:
    """The code of the correctly rounded result for every pair of codes.

    Raises:
        KeyError: if there is no such function.
        ValueError: if the format is wider than 8 bits, cannot express the policy or cannot have the
            convention.
    """
    if fmt.width > WIDEST:
        raise ValueError(
            f"format {fmt.name} has {fmt.width} bits; functions of two operands are of formats of up to "
            f"{WIDEST}"
        )
    fmt.require_policy(policy)
    convention.require_possible(fmt)
    y, x = divmod(np.arange(1 << 2 * fmt.width), 1 << fmt.width)
    signals = _signalling(fmt, x) | _signalling(fmt, y)
    given = counted(fmt, convention, x) + (counted(fmt, convention, y) << fmt.width)
    values = values_of(function, fmt).of(given)
    none = values.nan
    if convention.nan_operands is NanOperands.SIGNALLING:
        none = none | signals
    found = rounded(fmt, mode, policy, convention, values)
    return np.where(none, nan_codes(fmt, convention, _passed_on(fmt, convention, x, y)), found)


def _passed_on(fmt: Format, convention: Convention, x: Integers, y: Integers) -> Integers:
    """The operand whose NaN is delivered, if it is one; no NaN, if neither is."""
    first: Integers = np.where(_is_nan(fmt, x), x, y)
    match convention.nan:
        case NanResult.LAST:
            return np.where(_is_nan(fmt, y), y, x)
        case NanResult.ARM:
            return np.where(_signalling(fmt, x), x, np.where(_signalling(fmt, y), y, first))
    return first


def _is_nan(fmt: Format, codes: Integers) -> Truths:
    """Which codes are NaNs, in formats that have several; in others none."""
    if fmt.specials is not Specials.IEEE:
        return np.zeros(codes.shape, dtype=bool)
    found: Truths = (codes & fmt.sign_mask - 1) > fmt.infinity
    return found


def _signalling(fmt: Format, codes: Integers) -> Truths:
    """Which of them have a first fraction bit of 0."""
    quiet: Truths = (codes >> fmt.fraction_bits - 1 & 1) == 1
    return _is_nan(fmt, codes) & ~quiet


def usual_construction_of_two(function: str, fmt: Format, library: str = DEFAULT_LIBRARY) -> str:
    """That of a circuit of which nothing else is said.

    Raises:
        ValueError: if the format is too wide for it; saying which are not.
    """
    if fmt.width <= WIDEST:
        return usual_construction(function, fmt, library)
    for construction, units in PROGRAMS.items():
        if function in units and fmt.width <= WIDEST_OF_PROGRAMS:
            return construction
    wider = ", ".join(each for units in PROGRAMS.values() for each in units)
    raise ValueError(
        f"{function} is of formats of up to {WIDEST} bits, {wider} of up to {WIDEST_OF_PROGRAMS}; "
        f"{fmt.name} has {fmt.width}"
    )


def build_function_of_two(
    function: str,
    fmt: Format,
    mode: RoundingMode,
    policy: OverflowPolicy,
    library: str = DEFAULT_LIBRARY,
    *,
    construction: str | None = None,
    convention: Convention = IEEE,
) -> Netlist:
    """A correctly rounded function as a netlist: inputs ``x`` and ``y``, output ``result``.

    Args:
        function: one of ``FUNCTIONS``.
        construction: one of ``building.CONSTRUCTIONS`` or ``PROGRAMS``; if None, the usual one.

    Raises:
        UnknownNameError: if there is no such function or construction; naming them.
        ValueError: if neurons of the library cannot be what the construction needs; if it does not make
            the function, or not in the format, which cannot express the policy or have the convention.
    """
    require_known("function", function, FUNCTIONS)
    chosen = construction or usual_construction_of_two(function, fmt, library)
    require_known("construction of functions", chosen, {**CONSTRUCTIONS, **PROGRAMS})
    require_library(library, chosen)
    if chosen in PROGRAMS:
        return _of_program(library, chosen, function, fmt, mode, policy, convention)
    # The fewer neurons of two: bits may be made of fewer bits where they are not all made together.
    table = Table(results(function, fmt, mode, policy, convention), fmt.width)
    split = _split(table, 2 * fmt.width)
    whole = {tuple(range(2 * fmt.width)): list(range(fmt.width))}
    circuits = (_of_parts(library, chosen, fmt, table, parts) for parts in (whole, split))
    return min(circuits, key=lambda circuit: circuit.statistics.neurons)


def _of_program(
    library: str,
    construction: str,
    function: str,
    fmt: Format,
    mode: RoundingMode,
    policy: OverflowPolicy,
    convention: Convention,
) -> Netlist:
    units = PROGRAMS[construction]
    if function not in units:
        raise ValueError(f"by {construction}, {', '.join(units)} can be made; not {function}")
    if convention != IEEE:
        raise ValueError(
            f"by {construction}, functions are made under IEEE 754's convention alone; "
            f"not under {convention.name}"
        )
    fmt.require_policy(policy)
    gates = library_gates(library)
    x, y = (gates.builder.input(name, fmt.width) for name in "xy")
    return gates.builder.build({"result": units[function](gates, x, y, fmt, mode, policy)})


Parts = dict[tuple[int, ...], list[int]]
"""Bits of a result that are made together, by the bits of operands of which they are made."""


def _split(table: Table, inputs: int) -> Parts:
    """Those together that depend on the same bits."""
    parts: Parts = {}
    for bit in range(table.width):
        values = table.results >> bit & 1
        places = tuple(place for place in range(inputs) if _matters(values, place))
        parts.setdefault(places or (0,), []).append(bit)
    return parts


def _matters(values: Integers, place: int) -> bool:
    """Whether values for every input depend on a bit of it."""
    halves = values.reshape(-1, 2, 1 << place)
    return not np.array_equal(halves[:, 0], halves[:, 1])


def _of_parts(library: str, construction: str, fmt: Format, table: Table, parts: Parts) -> Netlist:
    gates = library_gates(library)
    x, y = (gates.builder.input(name, fmt.width) for name in "xy")
    made: dict[int, int] = {}
    for places, bits in parts.items():
        given = np.arange(1 << len(places))
        found = table.results[sum((given >> k & 1) << place for k, place in enumerate(places))]
        part = Table(sum((found >> bit & 1) << k for k, bit in enumerate(bits)), len(bits))
        operands = tuple((x + y)[place] for place in places)
        made.update(zip(bits, CONSTRUCTIONS[construction].unit(gates, operands, part), strict=True))
    return gates.builder.build({"result": tuple(made[bit] for bit in range(fmt.width))})
