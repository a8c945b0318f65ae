"""Programs from definitions of users: a function of values, run once in a process of its own.

It is given a ``Value`` for each input of the program that it is compared with, and gives the result, or
a mapping of several. What comes back is the list of its steps, of which nothing is believed.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from spikeproof.circuits.doors.apart import ForeignCodeError, Limits, ask_apart, loaded
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

Written = list[dict[str, Any]]
"""Modules as JSON has them, those that are called first; a call names its module's digest."""


def read_program(source: str, like: Module, limits: Limits) -> Module:
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
