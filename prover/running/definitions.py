"""Definitions of layers by users: whether they compute what a theorem about a program says.

A definition is a function that is given a ``Value`` for each input of the theorem's program, and gives
the result, or a mapping of several. It is run once, in a process of its own; what comes back is the list
of its steps, of which nothing is believed.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from spikeproof.circuits.doors.apart import ForeignCodeError, Limits, ask_apart, loaded
from spikeproof.prover.claims.environment import passing_formulas
from spikeproof.prover.claims.given import FAMILY
from spikeproof.prover.claims.obligation import Obligation, StatementError
from spikeproof.prover.claims.programs import ProgramClaim, composed
from spikeproof.specs.programs import (
    Arrange,
    Array,
    Call,
    Constant,
    Each,
    Module,
    Split,
    Step,
    Value,
    module,
    written,
)


def by_definition(source: str, theorem: Obligation, limits: Limits) -> Obligation:
    """That a definition, in units, computes what a theorem about a program says.

    Args:
        source: ``file.py:function``, or ``package.module:function``, of a value for each input.

    Raises:
        NetlistError: if there is none, or it fails; one line.
        StatementError: if an operation is no theorem's, or the results are others than the theorem's.
    """
    with passing_formulas():
        claim = theorem.state(None)
        assert isinstance(claim, ProgramClaim)
        spec, program = claim.spec, _read_apart(source, claim.spec, limits)
        if program.results != spec.results:
            raise StatementError(f"{source} gives {_listed(program)}, not {_listed(spec)}")
        ProgramClaim(spec, program)  # which refuses what has no theorem
    said = f"{source} computes what {theorem.name} says"
    about = {"family": FAMILY}
    return composed(f"{FAMILY}.program", said, lambda: spec, lambda: program, parameters=about)


def _listed(program: Module) -> str:
    return ", ".join(f"{name} ({array})" for name, array in program.results.items())


# --- from the process to here --------------------------------------------------------------------

Written = list[dict[str, Any]]
"""Modules as JSON has them, those that are called first; a call names its module's digest."""


def _read_apart(source: str, like: Module, limits: Limits) -> Module:
    """What a definition computes, of the inputs of a program, by the name of which it goes.

    Args:
        source: ``file.py:function``, or ``package.module:function``.

    Raises:
        ForeignCodeError: if there is none, or it fails, or gives no program; one line.
    """
    inputs = {name: asdict(array) for name, array in like.inputs.items()}
    request = {"source": source, "name": like.name, "inputs": inputs}
    found = ask_apart(f"{__name__}:{defined.__name__}", request, source, limits)
    try:
        return _read(found)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise ForeignCodeError(f"{source} gives no program: {error}") from None


def defined(request: dict[str, Any]) -> Written:
    """The program of a definition; not in our process."""
    function = loaded(request["source"])
    if not callable(function):
        raise ForeignCodeError(f"it is of type {type(function).__name__}; name a function of values")
    inputs = {name: _array(each) for name, each in request["inputs"].items()}
    try:
        inspect.signature(function).bind(*inputs)
    except TypeError as error:
        raise ForeignCodeError(f"it is called with {', '.join(inputs)}: {error}") from None

    def definition(*given: Value) -> Any:
        found = function(*given)
        for each in found.values() if isinstance(found, Mapping) else [found]:
            if not isinstance(each, Value):
                kind = type(each).__name__
                raise ForeignCodeError(f"it gives something of type {kind}; let it give a Value")
        return found

    program = module(request["name"], inputs, definition)
    return [_written(each) for each in (*program.modules, program)]


def _written(each: Module) -> dict[str, Any]:
    return {
        "name": each.name,
        "digest": each.digest,
        "inputs": {name: asdict(array) for name, array in each.inputs.items()},
        "steps": [written(step) for step in each.steps],
        "outputs": dict(each.outputs),
    }


def _read(found: Written) -> Module:
    """The last of the modules."""
    modules: dict[str, Module] = {}
    for each in found:
        inputs = {name: _array(array) for name, array in each["inputs"].items()}
        steps = tuple(_step(step, modules) for step in each["steps"])
        modules[each["digest"]] = Module(each["name"], inputs, steps, each["outputs"])
    return modules[found[-1]["digest"]]


def _array(data: Mapping[str, Any]) -> Array:
    return Array(data["kind"], tuple(data["shape"]))


def _step(data: Sequence[Any], modules: Mapping[str, Module]) -> Step:
    """A step as ``specs.programs.written`` has it."""
    match data:
        case "call", digest, operands, over:
            return Call(modules[digest], tuple(operands), tuple(over))
        case "constant", kind, shape, codes:
            return Constant(Array(kind, tuple(shape)), tuple(codes))
        case "each", operation, operands, kind:
            return Each(operation, tuple(operands), kind)
        case "split", operands:
            return Split(tuple(operands))
        case how, argument, operands, "range":
            return Arrange(how, range(*argument), tuple(operands))
        case how, argument, operands:
            return Arrange(how, tuple(argument), tuple(operands))
    raise ValueError(f"{data} is no step")
