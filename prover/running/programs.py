"""What programs compute, by three means that share little: the spec of record, the machine, and neurons.

Operations are named as the theorems are that say what units compute. By the record every element is
computed alone, on rational numbers. The machine does what it has arithmetic for: +, -, *, /, roots and
fused multiply-adds of FP32 and FP64, also of narrower formats' numbers, which it widens exactly; and
most of that of FP16 and bfloat16, in float32. Every NaN is the canonical one. Functions it computes in
float64 and rounds, where that tells; where it does not, the record decides. Else it evaluates the
theorem's formula, compiled. By neurons each operation is an instance of the theorem's own circuit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from operator import attrgetter
from typing import Any

import numpy as np
from pysmt.environment import get_env
from pysmt.fnode import FNode
from pysmt.shortcuts import And, Equals, Symbol, get_type

from spikeproof.circuits.meanings.formula import input_symbols, output_formulas
from spikeproof.circuits.netlist import Netlist
from spikeproof.circuits.programs.counting import Size, size
from spikeproof.circuits.programs.flattening import element_names, flattened
from spikeproof.circuits.programs.running import Neurons, code_type, given_codes
from spikeproof.circuits.programs.units import RESULT, operations
from spikeproof.prover.claims.catalogue import theorem
from spikeproof.prover.claims.environment import passing_formulas
from spikeproof.prover.claims.obligation import Claim, Obligation, StatementError
from spikeproof.prover.claims.programs import OfRecord, ProgramClaim, Unit, unit_named
from spikeproof.prover.running.number_arrays import (
    STORED,
    Numbers,
    carrier,
    fused,
    read,
    stored,
)
from spikeproof.prover.running.reference_model import ReferenceModel
from spikeproof.specs.exact import Kind, Value, decode
from spikeproof.specs.formats import (
    ARITY,
    BFLOAT16,
    FORMATS,
    FP16,
    FP32,
    FP64,
    Format,
)
from spikeproof.specs.integers import Buses
from spikeproof.specs.programs import Array, Codes, Each, Meaning, Module, ProgramError, evaluate


def units_of(program: Module) -> dict[str, Netlist]:
    """The units of a program's operations, by name.

    Raises:
        StatementError: naming an operation of which there is no theorem.
    """
    names = dict.fromkeys(step.operation for step, _ in operations(program))
    return {name: unit_named(name).netlist for name in names}


def circuit_of(theorem: Obligation) -> Module:
    """The program of units that a theorem is about.

    Raises:
        StatementError: if it is about no program.
    """
    with passing_formulas():
        claim = theorem.state(None) if theorem.rests_on else None
    if not isinstance(claim, ProgramClaim):
        raise StatementError(f"{theorem.name} is about no program; `program.*` are")
    return claim.circuit


def size_of(program: Module) -> Size:
    """How large a program of these units is."""
    return size(program, {name: unit.statistics for name, unit in units_of(program).items()})


# --- the machine ----------------------------------------------------------------------------------

Arithmetic = Callable[..., Numbers]

ARITHMETIC: Mapping[str, Arithmetic] = {
    "add": np.add,
    "subtract": np.subtract,
    "multiply": np.multiply,
    "divide": np.divide,
    "square_root": np.sqrt,
    "fma": fused,
    "convert": lambda x: x,
}
"""Of float32 and float64, each rounded once to nearest even."""

IN_FLOAT32 = {
    FP16: {"add", "subtract", "multiply", "divide", "square_root"},
    BFLOAT16: {"add", "subtract", "multiply", "square_root"},
}
"""What may be rounded twice, to float32 and then to these: that gives what rounding once does.

A quotient of bfloat16 may be so small that it does not: float32 has no more exponents than that.
"""


NARROWED = {("convert", FP32, FP64), ("convert", FP16, FP32), ("convert", BFLOAT16, FP32)}
"""Conversions to narrower formats that it has, from the last of these."""


IN_FLOAT64: Mapping[str, Callable[[Numbers], Numbers]] = {
    "exp": np.exp,
    "exp2": np.exp2,
    "log": np.log,
    "log2": np.log2,
    "tanh": np.tanh,
    "erf": np.vectorize(math.erf, otypes=[np.float64]),
    "reciprocal": lambda x: 1 / x,
    "rsqrt": lambda x: 1 / np.sqrt(x),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "silu": lambda x: x / (1 + np.exp(-x)),
}
"""Functions that are right in float64 to ``SURE``."""

SURE = 2.0**-40
"""How far a function in float64 may be from the right value, relatively: some thousand units in the last
place, where libraries promise a few."""


class Machine(Meaning):
    """Operations as the machine computes them."""

    def each(self, step: Each, operands: Sequence[Codes]) -> Codes:
        """As ``Meaning.each``."""
        found = _computed(step.operation)(*operands)
        return found.reshape(operands[0].shape).astype(code_type(step.kind), copy=False)


@cache
def _computed(operation: str) -> Callable[..., Codes]:
    """How the machine computes an operation, of arrays of codes."""
    about = unit_named(operation).theorem
    asked = about.parameters
    usual = {"family": "unit", "mode": "rne", "policy": "ieee", "convention": None}
    target, sources = FORMATS.get(asked.get("format", "")), _sources(asked)
    as_usual = usual.items() <= {"convention": None, **asked}.items()
    if target and as_usual and _is_machines(asked["operation"], target, sources):
        return partial(_by_machine, ARITHMETIC[asked["operation"]], target, sources)
    if as_usual and asked["operation"] in IN_FLOAT64 and target is FP32:
        return partial(_by_function, unit_named(operation), IN_FLOAT64[asked["operation"]])
    return partial(_by_formula, ReferenceModel(about))


def _sources(asked: Mapping[str, str]) -> tuple[Format, ...]:
    """The formats of an operation's operands, in order; none if some are no such formats."""
    names = asked.get("source", asked.get("format", "")).split("_and_")
    formats = tuple(FORMATS[name] for name in names if name in FORMATS)
    if len(formats) < len(names):
        return ()
    return formats if len(formats) > 1 else formats * ARITY.get(asked.get("operation", ""), 0)


def _is_machines(operation: str, target: Format, sources: tuple[Format, ...]) -> bool:
    """Whether the machine has the arithmetic."""
    if operation not in ARITHMETIC or not sources:
        return False
    if (operation, target, sources[0]) in NARROWED:
        return True
    if target in IN_FLOAT32:
        return operation in IN_FLOAT32[target] and set(sources) == {target}
    return target in (FP32, FP64) and all(
        source == target or source.width <= 16 or (source, target) == (FP32, FP64) for source in sources
    )


def _by_machine(
    arithmetic: Arithmetic, target: Format, sources: tuple[Format, ...], *operands: Codes
) -> Codes:
    kind = carrier(max(target, *sources, key=attrgetter("width")))
    numbers = (_numbers(*each).astype(kind) for each in zip(sources, operands, strict=True))
    with np.errstate(all="ignore"):
        return _codes(target, arithmetic(*numbers))


def _by_function(unit: Unit, function: Callable[[Numbers], Numbers], codes: Codes) -> Codes:
    """A function of FP32, of codes; each of them is computed once."""
    given, places = np.unique(codes.reshape(-1), return_inverse=True)
    with np.errstate(all="ignore"):
        numbers = function(_numbers(FP32, given).astype(np.float64))
        low, high = (numbers * (1 + side * SURE) for side in (-1, 1))
        found, told = _codes(FP32, low), np.abs(numbers) > float(np.finfo(np.float32).tiny)
        told &= np.isfinite(numbers) & (found == _codes(FP32, high))
    unsure = np.flatnonzero(~told)
    found[unsure] = unit.of_record(given[unsure])
    return found[places]


def _by_formula(model: ReferenceModel, *operands: Codes) -> Codes:
    return model({name: codes.reshape(-1) for name, codes in zip(model.inputs, operands, strict=True)})[
        RESULT
    ]


def _numbers(fmt: Format, codes: Codes) -> Numbers:
    """What codes of a format stand for."""
    if fmt not in STORED:
        return _table(fmt)[codes]
    return read(fmt, np.asarray(codes, code_type(fmt.name)).view(STORED[fmt]))


@cache
def _table(fmt: Format) -> Numbers:
    """All numbers of a small format, by code."""
    return np.array([_number(decode(fmt, code)) for code in range(1 << fmt.width)], np.float32)


def _number(value: Value) -> float:
    if value.kind is Kind.NAN:
        return math.nan
    magnitude = math.inf if value.kind is Kind.INFINITE else float(value.rational)
    return -magnitude if value.sign else magnitude


def _codes(fmt: Format, numbers: Numbers) -> Codes:
    """The codes of numbers, rounded to a format; of every NaN the canonical one."""
    given = np.asarray(numbers)
    codes = stored(fmt, given).view(code_type(fmt.name))
    return np.where(np.isnan(given), codes.dtype.type(fmt.canonical_nan), codes)


# --- formulas -------------------------------------------------------------------------------------


class Formulas(Meaning):
    """Operations as formulas: those that their theorems are about, of the operands' formulas."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[list[FNode], FNode]] = {}

    def each(self, step: Each, operands: Sequence[Codes]) -> Codes:
        """As ``Meaning.each``."""
        if step.operation not in self._known:
            self._known[step.operation] = _formula(step.operation)
        symbols, result = self._known[step.operation]
        found = np.empty(operands[0].shape, dtype=object)
        for place in np.ndindex(found.shape):
            given = (each[place] for each in operands)
            found[place] = result.substitute(dict(zip(symbols, given, strict=True)))
        return found


def _formula(operation: str) -> tuple[list[FNode], FNode]:
    """An operation's result as a formula, and its operands, symbols of names that nothing else has."""
    with passing_formulas():  # theorems name operands alike, whatever their widths
        unit = unit_named(operation)
        claim = unit.theorem.state(unit.netlist)
        symbols = [Symbol(f"{operation}.{name}", get_type(x)) for name, x in claim.inputs.items()]
        given = dict(zip(claim.inputs.values(), symbols, strict=True))
        result = claim.expected[RESULT].substitute(given)
    here = get_env().formula_manager.normalize
    return list(map(here, symbols)), here(result)


def flat_theorem(
    name: str, spec: Module, circuit: Module, units: Mapping[str, Netlist] | None = None
) -> Obligation:
    """That the one netlist of a circuit's program computes what a spec's program says, on all inputs.

    It takes no theorem about a unit for granted, and is for small programs without constants. The buses
    are those of ``circuits.programs.flattening``.

    Args:
        units: of the circuit's operations; else those that their theorems are about.
    """

    def state(netlist: Netlist | None) -> Claim:
        assert netlist is not None
        inputs = input_symbols(netlist)
        given = [_elements(bus, array, inputs) for bus, array in spec.inputs.items()]
        results = evaluate(spec, given, Formulas())
        expected = {
            element: formula
            for (bus, array), found in zip(spec.results.items(), results, strict=True)
            for element, formula in zip(element_names(bus, array), found.reshape(-1), strict=True)
        }
        actual = output_formulas(netlist, inputs)
        goal = And(Equals(actual[bus], formula) for bus, formula in expected.items())
        return Claim(inputs, goal, actual=actual, expected=expected)

    statement = f"the neurons of {circuit.name}, as one netlist, compute what its spec says"
    return Obligation(name, statement, state, lambda: flattened(circuit, units or units_of(circuit)))


def _elements(name: str, array: Array, buses: Buses) -> Codes:
    """An array of the buses that its elements are."""
    found = np.empty(array.shape, dtype=object)
    for place, element in zip(np.ndindex(array.shape), element_names(name, array), strict=True):
        found[place] = buses[element]
    return found


# --- all of them ----------------------------------------------------------------------------------


def run(
    program: Module | str,
    inputs: Mapping[str, Any],
    *,
    by: str = "neurons",
    threads: int | None = None,
) -> dict[str, Codes]:
    """What a program makes of arrays of codes, by name of output.

    Args:
        program: of operations that are named as theorems are; or a theorem's name, whose circuit it is.
        inputs: for each input an array of unsigned integers, of its shape.
        by: ``neurons``, the circuits of the theorems; ``machine``, its arithmetic; ``record``, the spec
            of record, which computes some thousand operations a second.
        threads: how many neurons are to use; None for one on each core.

    Raises:
        CatalogueError: if there is no theorem of that name.
        StatementError: if it is about no program, or an operation has no theorem.
        ProgramError: if an array is not what the program takes.
    """
    if isinstance(program, str):
        program = circuit_of(theorem(program))
    given = given_codes(program, inputs)
    meanings: dict[str, Callable[[], Meaning]] = {
        "neurons": lambda: Neurons(program, units_of(program), threads),
        "machine": Machine,
        "record": OfRecord,
    }
    if by not in meanings:
        raise ProgramError(f"programs are run by {', '.join(meanings)}, not by {by!r}")
    found = evaluate(program, given, meanings[by]())
    return {
        name: codes.astype(code_type(array.kind), copy=False)
        for (name, array), codes in zip(program.results.items(), found, strict=True)
    }
