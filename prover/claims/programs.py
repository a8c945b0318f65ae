"""Claims that a program of units computes what a spec's program says, for all inputs.

The spec's operations are named by theorems (``fp32.add.rne``), of which it means what they say that a
unit computes; the circuit's are units, and named by theirs (``fp32.add.rne.fast``). A theorem about a
unit is somebody else's business: a claim names those that it rests on. No formula says what a program
computes; it is run on one input where somebody asks, in neurons and by the spec of record.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from math import prod

import numpy as np
from pysmt.fnode import FNode
from pysmt.shortcuts import BV, And, BVType, Equals, Symbol

from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.netlist import Netlist
from spikeproof.circuits.programs.units import BIT, RESULT, every_module, operations, width_of
from spikeproof.prover.claims.catalogue import stated
from spikeproof.prover.claims.obligation import Claim, Obligation, Outcome, Profile, StatementError
from spikeproof.prover.claims.regions import EXCEPTED
from spikeproof.specs.programs import (
    Codes,
    Constant,
    Each,
    Meaning,
    Module,
    ProgramError,
    evaluate,
)

MAKE = frozenset({"library", "structure", "construction"})
"""The parameters that say how a unit is made; the others say what it computes."""


@dataclass(frozen=True)
class Unit:
    """A theorem that an operation is named by.

    Attributes:
        theorem: that a circuit computes something of codes, for all of them.
        operands: the names of its input buses, and of which kind each is; in order.
        kind: what its result is.
    """

    theorem: Obligation
    operands: Mapping[str, str]
    kind: str

    @property
    def computes(self) -> frozenset[tuple[str, str]]:
        """What tells its operation from others."""
        return frozenset(each for each in self.theorem.parameters.items() if each[0] not in MAKE)

    @cached_property
    def netlist(self) -> Netlist:
        """The unit."""
        assert self.theorem.circuit
        return self.theorem.circuit()

    def in_neurons(self, *codes: Codes) -> Codes:
        """What its neurons make of codes."""
        given = dict(zip(self.operands, (each.ravel() for each in codes), strict=True))
        return boolean.evaluate(self.netlist, given)[RESULT].reshape(codes[0].shape)

    def of_record(self, *codes: Codes) -> Codes:
        """What the spec of record makes of them."""
        assert self.theorem.reading
        rows = zip(*(each.ravel().tolist() for each in codes), strict=True)
        found = [self.theorem.reading.trace(dict(zip(self.operands, row, strict=True))) for row in rows]
        return np.array([each[RESULT] for each in found], np.uint64).reshape(codes[0].shape)


@cache
def unit_named(name: str) -> Unit:
    """The unit that an operation is named by.

    Raises:
        StatementError: if no theorem has this name, or it is not about a unit of operands and a result.
    """
    theorem = stated(name)
    if theorem is None or theorem.package or theorem.expected is not Outcome.PROVED:
        raise StatementError(f"no theorem says what {name} computes")
    about, reading = theorem.parameters, theorem.reading
    if about.get("family") != "unit" or {EXCEPTED, "flags"} & about.keys() or not reading:
        raise StatementError(f"{name} is not about all operands and their result; it can't be a step")
    if theorem.leaves_open:
        raise StatementError(f"{name} allows several results, so it is no operation; it can't be a step")
    assert theorem.circuit
    netlist, formats = theorem.circuit(), reading.formats
    operands = {bus: formats[bus].name if bus in formats else BIT for bus in netlist.inputs}
    result = formats[RESULT].name if RESULT in formats else BIT
    if [*netlist.inputs.values()] != [*map(width_of, operands.values())]:
        raise StatementError(f"{name} reads more than its operands; it can't be a step")
    if netlist.output_widths != {RESULT: width_of(result)}:
        raise StatementError(f"{name} gives other than one result; it can't be a step")
    return Unit(theorem, operands, result)


class ProgramClaim(Claim):
    """That a program of units computes what a spec's program says.

    Attributes:
        spec, circuit: the programs.
        units: by their theorems' names, those of the circuit.
        meant: the spec's operations, by what they compute.

    Raises:
        StatementError: if an operation is no theorem's, or has operands of other formats.
    """

    spec: Module
    circuit: Module
    units: Mapping[str, Unit]
    meant: Mapping[frozenset[tuple[str, str]], str]

    def __init__(self, spec: Module, circuit: Module) -> None:
        meant = _units(spec)
        inputs = {
            name: Symbol(name, BVType(width_of(array.kind) * prod(array.shape)))
            for name, array in spec.inputs.items()
        }
        self.__dict__.update(
            inputs=inputs,
            assumptions=(),
            actual={},
            expected={},
            counting={},
            spec=spec,
            circuit=circuit,
            units=_units(circuit),
            meant={unit.computes: name for name, unit in meant.items()},
        )
        self.__post_init__()

    @cached_property
    def operations(self) -> dict[str, str]:
        """For each unit the spec's operation that it computes; itself where that has none."""
        return {name: self.meant.get(unit.computes, name) for name, unit in self.units.items()}

    @property
    def goal(self) -> FNode:
        """None.

        Raises:
            StatementError: always.
        """
        raise StatementError(
            "a program has no formula, which this needs; `spikeproof prove` compares it"
        )

    @property
    def outputs(self) -> dict[str, int]:
        """As of any claim."""
        results = self.spec.results.items()
        return {name: width_of(array.kind) * prod(array.shape) for name, array in results}

    def codes(self, inputs: Mapping[str, int]) -> list[Codes]:
        """Arrays of codes from input buses: the last axis fastest, the first element lowest."""
        found = []
        for name, array in self.spec.inputs.items():
            width, count = width_of(array.kind), prod(array.shape)
            codes = [inputs[name] >> width * k & (1 << width) - 1 for k in range(count)]
            found.append(np.array(codes, np.uint64).reshape(array.shape))
        return found

    def of_input(self, inputs: Mapping[str, int]) -> Claim:
        """As of any claim: what circuit and spec make of one input."""
        codes = self.codes(inputs)
        made = evaluate(self.circuit, codes, InNeurons()), evaluate(self.spec, codes, OfRecord())
        actual, expected = (
            {
                name: BV(joined(result, width_of(array.kind)), self.outputs[name])
                for (name, array), result in zip(self.spec.results.items(), results, strict=True)
            }
            for results in made
        )
        goal = And(Equals(actual[name], expected[name]) for name in expected)
        return Claim(self.inputs, goal, (), actual, expected)


def joined(codes: Codes, width: int) -> int:
    """The bus of an array of codes: the inverse of ``ProgramClaim.codes``."""
    return sum(int(code) << width * k for k, code in enumerate(codes.ravel().tolist()))


def _units(program: Module) -> dict[str, Unit]:
    """The units that a program's operations are named by, used as they can be."""
    units = {}
    for step, kinds in operations(program):
        unit = units[step.operation] = unit_named(step.operation)
        if kinds != tuple(unit.operands.values()) or step.kind != unit.kind:
            raise StatementError(
                f"{program.name} has {step.operation} of {', '.join(kinds)} to {step.kind}; it is of "
                f"{', '.join(unit.operands.values())} to {unit.kind}"
            )
    for module in every_module(program):
        for constant in (step for step in module.steps if isinstance(step, Constant)):
            if any(code >> width_of(constant.array.kind) for code in constant.codes):
                raise StatementError(f"{module.name} has a constant that is no {constant.array.kind}")
    return units


class InNeurons(Meaning):
    """Units' neurons, evaluated one by one."""

    def each(self, step: Each, operands: Sequence[Codes]) -> Codes:
        """As of any meaning."""
        return unit_named(step.operation).in_neurons(*operands)


class OfRecord(Meaning):
    """What the spec of record says of operations."""

    def each(self, step: Each, operands: Sequence[Codes]) -> Codes:
        """As of any meaning."""
        return unit_named(step.operation).of_record(*operands)


Program = Callable[[], Module]


def composed(
    name: str,
    statement: str,
    spec: Program,
    circuit: Program,
    *,
    expected: Outcome = Outcome.PROVED,
    profile: Profile = Profile.DEFAULT,
    parameters: Mapping[str, str] | None = None,
) -> Obligation:
    """The obligation that a program of units computes what a spec's program says.

    ``state`` raises ``StatementError`` if an operation is no theorem's.
    """

    def state(netlist: Netlist | None) -> Claim:
        assert netlist is None
        try:
            return ProgramClaim(spec(), circuit())
        except ProgramError as error:
            raise StatementError(str(error)) from error

    def units() -> tuple[str, ...]:
        return tuple(dict.fromkeys(step.operation for step, _ in operations(circuit())))

    return Obligation(
        name,
        statement,
        state,
        None,
        expected,
        engines=(),
        profile=profile,
        parameters=parameters or {},
        rests_on=units,
    )
