"""Programs: what a layer or a model computes, operation by operation, in modules used many times.

A module is a list of steps on arrays of codes, each of which makes one or more arrays out of inputs and
of what earlier steps made. Arithmetic is in operations alone, which are named as the theorems are that
settle them (``fp32.add.rne``); all other steps only say which element goes where. A module is called
over leading axes, once for each place of these, and is never copied for it: so a model of 10^12
operations is some hundred modules of some hundred steps.

Who writes a definition calls ``module`` with a Python function of ``Value`` objects, which is run once,
and whose operations are written down. The meaning of steps is ``evaluate``, whatever an operation is
done by: the spec of record, the machine, neurons, or a numbering of terms, which is how the kernel
compares two programs.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise, starmap
from math import prod
from operator import index
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

Shape = tuple[int, ...]

Codes = NDArray[Any]
"""Elements of an array: unsigned integers that are codes of a format, or whatever stands for them."""


class ProgramError(ValueError):
    """Steps, shapes or orders that make no program; one line."""


@dataclass(frozen=True)
class Array:
    """What an array holds.

    Attributes:
        kind: the format of its elements, by name (``fp32``, ``int8``), or ``bit``.
        shape: how many along each axis; ``()`` is a single element.
    """

    kind: str
    shape: Shape = ()

    def __str__(self) -> str:
        return f"{self.kind}[{' x '.join(map(str, self.shape))}]" if self.shape else self.kind


@dataclass(frozen=True)
class Each:
    """An operation on every element of arrays of one shape.

    Attributes:
        operation: the name of a theorem: in a spec without library and structure, ``fp32.add.rne``; in a
            circuit the unit's, ``fp32.add.rne.compact``.
        operands: the numbers of arrays, in the order of the operation's operands.
        kind: what elements of the result are.
    """

    operation: str
    operands: tuple[int, ...]
    kind: str


@dataclass(frozen=True)
class Arrange:
    """Elements of arrays elsewhere, as NumPy's function of that name puts them.

    Attributes:
        how: ``reshape`` and ``broadcast_to`` (argument: the shape), ``transpose`` (the axes), ``take``
            along the first axis (the places, which may repeat), ``concatenate`` along the first axis (no
            argument).
        operands: the numbers of arrays: one, but for ``concatenate``.
    """

    how: str
    argument: tuple[int, ...] | range
    operands: tuple[int, ...]


@dataclass(frozen=True)
class Split:
    """Every place along the first axis of an array, as an array of its own."""

    operands: tuple[int]


@dataclass(frozen=True)
class Constant:
    """An array of given codes, the last axis fastest."""

    array: Array
    codes: tuple[int, ...]
    operands: tuple[()] = ()


@dataclass(frozen=True)
class Call:
    """A module, once for each place along leading axes, which all operands have and its results get."""

    module: Module
    operands: tuple[int, ...]
    over: Shape = ()


Step = Each | Arrange | Split | Constant | Call


@dataclass(frozen=True, eq=False)
class Module:
    """A program, or a part of one.

    Arrays are numbered: first the inputs, then what each step makes. Two modules are equal if their
    ``digest`` is.

    Raises:
        ProgramError: if a step's operands don't fit it.
    """

    name: str
    inputs: Mapping[str, Array]
    steps: tuple[Step, ...]
    outputs: Mapping[str, int]
    arrays: tuple[Array, ...] = field(init=False, repr=False)
    made: tuple[range, ...] = field(init=False, repr=False)
    """The numbers of the arrays that each step makes."""

    def __post_init__(self) -> None:
        arrays, firsts = list(self.inputs.values()), [len(self.inputs)]
        for number, step in enumerate(self.steps):
            try:
                _require(min(step.operands, default=0) >= 0, "arrays are numbered from 0")
                operands = [arrays[operand] for operand in step.operands]
                arrays.extend(_made(step, operands))
                firsts.append(len(arrays))
            except (ProgramError, ValueError, IndexError) as error:
                raise ProgramError(f"step {number} of {self.name}: {error}") from error
        if missing := [name for name, place in self.outputs.items() if not 0 <= place < len(arrays)]:
            raise ProgramError(f"{self.name}: nothing makes {', '.join(missing)}")
        object.__setattr__(self, "arrays", tuple(arrays))
        object.__setattr__(self, "made", tuple(starmap(range, pairwise(firsts))))

    @property
    def results(self) -> dict[str, Array]:
        """What it makes."""
        return {name: self.arrays[place] for name, place in self.outputs.items()}

    @property
    def operations(self) -> dict[str, None]:
        """The operations that it does itself, not in modules that it calls; each once, in order."""
        return dict.fromkeys(step.operation for step in self.steps if isinstance(step, Each))

    @cached_property
    def modules(self) -> tuple[Module, ...]:
        """The modules that it calls, and they call, each once, those that are called first."""
        found: dict[str, Module] = {}
        for step in self.steps:
            if isinstance(step, Call):
                for module in (*step.module.modules, step.module):
                    found.setdefault(module.digest, module)
        return tuple(found.values())

    @cached_property
    def done(self) -> tuple[tuple[int, ...], ...]:
        """For each step the arrays that nothing needs after it."""
        last = {place: number for number, step in enumerate(self.steps) for place in step.operands}
        for place in self.outputs.values():
            last.pop(place, None)
        done: list[list[int]] = [[] for _ in self.steps]
        for place, number in last.items():
            done[number].append(place)
        return tuple(map(tuple, done))

    @cached_property
    def digest(self) -> str:
        """The SHA-256 of its name and steps, in which those of modules that it calls stand."""
        inputs = [[name, array.kind, array.shape] for name, array in self.inputs.items()]
        lines = [[self.name, inputs, dict(self.outputs)], *map(written, self.steps)]
        return hashlib.sha256("\n".join(map(json.dumps, lines)).encode()).hexdigest()


def written(step: Step) -> list[Any]:
    """A step as JSON has it; a range as its three numbers."""
    match step:
        case Call(module, operands, over):
            return ["call", module.digest, operands, over]
        case Arrange(how, range() as places, operands):
            return [how, [places.start, places.stop, places.step], operands, "range"]
        case Arrange(how, argument, operands):
            return [how, argument, operands]
        case Constant(array, codes):
            return ["constant", array.kind, array.shape, codes]
        case Each(operation, operands, kind):
            return ["each", operation, operands, kind]
    return ["split", step.operands]


def _made(step: Step, operands: Sequence[Array]) -> list[Array]:
    """What a step makes of such arrays."""
    match step:
        case Constant(array, codes):
            _require(len(codes) == prod(array.shape), f"{len(codes)} codes are not {array}")
            return [array]
        case Call(module, _, over):
            wanted = [Array(array.kind, over + array.shape) for array in module.inputs.values()]
            _require(
                operands == wanted, f"{module.name} takes {_listed(wanted)}, not {_listed(operands)}"
            )
            return [Array(array.kind, over + array.shape) for array in module.results.values()]
        case Each(operation, _, kind):
            shapes = {array.shape for array in operands}
            _require(len(shapes) == 1, f"{operation} takes arrays of one shape, not {_listed(operands)}")
            return [Array(kind, operands[0].shape)]
        case Split():
            _require(operands[0].shape != (), "a single element can't be split")
            count, *rest = operands[0].shape
            return [Array(operands[0].kind, tuple(rest))] * count
    _require(len({array.kind for array in operands}) == 1, f"{_listed(operands)} are not of one kind")
    # Of no memory: every element is the same byte.
    blank = [np.broadcast_to(np.int8(0), array.shape) for array in operands]
    return [Array(operands[0].kind, _shape_of(step, blank))]


def _shape_of(step: Arrange, blank: Sequence[Codes]) -> Shape:
    """The shape of what is arranged; of views, not copies, where there may be billions of elements."""
    match step.how:
        case "take":
            _require(blank[0].ndim > 0, "a single element has no places")
            places = step.argument
            if places and not 0 <= min(places) <= max(places) < len(blank[0]):
                raise ProgramError(f"place {max(places)} of {len(blank[0])}")
            return (len(places), *blank[0].shape[1:])
        case "concatenate":
            _require(
                len({array.shape[1:] for array in blank}) == 1 and blank[0].ndim > 0, "shapes differ"
            )
            return (sum(map(len, blank)), *blank[0].shape[1:])
        case "reshape":
            _require(
                prod(step.argument) == prod(blank[0].shape), f"{blank[0].shape} is not {step.argument}"
            )
            return tuple(step.argument)
        case "transpose":
            _require(
                sorted(step.argument) == list(range(blank[0].ndim)), f"{step.argument} are not all axes"
            )
    return arranged(step, blank, 0).shape


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ProgramError(message)


def _listed(arrays: Sequence[Array]) -> str:
    return ", ".join(map(str, arrays)) or "nothing"


def arranged(step: Arrange, operands: Sequence[Codes], lead: int) -> Codes:
    """Elements where a step puts them; arrays have so many leading axes that it does not speak of."""
    first = operands[0]
    axes, argument = first.shape[:lead], step.argument
    match step.how:
        case "reshape":
            return first.reshape(axes + tuple(argument))
        case "broadcast_to":
            inner = first.shape[lead:]
            padded = first.reshape(axes + (1,) * (len(argument) - len(inner)) + inner)
            return np.broadcast_to(padded, axes + tuple(argument))
        case "transpose":
            return first.transpose((*range(lead), *(lead + axis for axis in argument)))
        case "take" if isinstance(argument, range) and argument.step > 0:
            return first[(slice(None),) * lead + (slice(argument.start, argument.stop, argument.step),)]
        case "take":
            return first.take(np.asarray(argument, dtype=np.intp), axis=lead)
        case "concatenate":
            some = [operand for operand in operands if operand.shape[lead]] or [first]
            return some[0] if len(some) == 1 else np.concatenate(some, axis=lead)
    raise ProgramError(f"there is no arrangement {step.how}")


class Meaning:
    """What operations do to arrays of one shape, element by element, and what elements are."""

    def each(self, step: Each, operands: Sequence[Codes]) -> Codes:
        """An operation's results."""
        raise NotImplementedError

    def constant(self, codes: Codes) -> Codes:
        """What stands for given codes."""
        return codes

    def call(self, step: Call, operands: Sequence[Codes], over: Shape) -> Sequence[Codes]:
        """The results of a module's call; ``over`` are the leading axes without those of the call."""
        return evaluate(step.module, operands, self, over + step.over)


def evaluate(module: Module, inputs: Sequence[Codes], meaning: Meaning, over: Shape = ()) -> list[Codes]:
    """What a program makes of arrays.

    Args:
        inputs: an array for each input, of its shape behind leading axes.
        over: the leading axes over which the module is called.

    Returns:
        An array for each output, in order.
    """
    values: list[Codes | None] = [*inputs]
    for step, done in zip(module.steps, module.done, strict=True):
        operands: list[Any] = [values[operand] for operand in step.operands]
        for operand in done:
            values[operand] = None  # so that what is no longer needed takes no memory
        values.extend(_evaluated(step, operands, meaning, over))
    return [values[place] for place in module.outputs.values()]  # type: ignore[misc]


def _evaluated(step: Step, operands: list[Codes], meaning: Meaning, over: Shape) -> Sequence[Codes]:
    match step:
        case Each():
            return [meaning.each(step, operands)]
        case Arrange():
            return [arranged(step, operands, len(over))]
        case Split():
            first = np.moveaxis(operands[0], len(over), 0)
            return [first[place, ...] for place in range(len(first))]  # arrays, of no axes too
        case Constant(array, codes):
            given = np.array(codes, dtype=np.uint64).reshape(array.shape)
            return [np.broadcast_to(meaning.constant(given), over + array.shape)]
    return meaning.call(step, operands, over)


class Value:
    """An array of a module that is being written: what it holds is not known, and decides nothing."""

    def __init__(self, draft: Draft, place: int) -> None:
        self.draft, self.place = draft, place

    @property
    def array(self) -> Array:
        """What it holds."""
        return self.draft.arrays[self.place]

    @property
    def shape(self) -> Shape:
        """How many along each axis."""
        return self.array.shape

    def _unknown(self, *_: object) -> NoReturn:
        raise ProgramError(
            f"{self.draft.name}: what a value holds is not known while a program is written down; "
            "nothing can depend on its truth, equality or order (let operations and select decide)"
        )

    # Else Python would answer by identity and length.
    __bool__ = __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __contains__ = __hash__ = _unknown

    def __len__(self) -> int:
        if not self.shape:
            raise ProgramError("a single element has no length")
        return self.shape[0]

    def __iter__(self) -> Iterator[Value]:
        return iter(self.draft.add(Split((self.place,))))

    def __getitem__(self, key: int | slice) -> Value:
        if isinstance(key, slice):
            return self.take(range(*key.indices(len(self))))
        place = range(len(self))[key]
        return self.take(range(place, place + 1)).reshape(*self.shape[1:])

    def take(self, places: Sequence[int]) -> Value:
        """These places along the first axis."""
        given = places if isinstance(places, range) else tuple(places)
        return self._arranged("take", given)

    def reshape(self, *shape: int) -> Value:
        """The same elements in another shape, the last axis fastest."""
        return self if shape == self.shape else self._arranged("reshape", shape)

    def broadcast(self, *shape: int) -> Value:
        """Repeated along leading axes, and along axes of one place."""
        return self if shape == self.shape else self._arranged("broadcast_to", shape)

    def transpose(self, *axes: int) -> Value:
        """With axes in this order."""
        return self._arranged("transpose", axes)

    def _arranged(self, how: str, argument: tuple[int, ...] | range) -> Value:
        return self.draft.add(Arrange(how, argument, (self.place,)))[0]


class Draft:
    """A module that is being written: its steps so far."""

    def __init__(self, name: str, inputs: Mapping[str, Array]) -> None:
        self.name, self.inputs = name, dict(inputs)
        self.steps: list[Step] = []
        self.arrays = list(self.inputs.values())

    def add(self, step: Step) -> list[Value]:
        """One more step: what it makes."""
        try:
            made = _made(step, [self.arrays[operand] for operand in step.operands])
        except ValueError as error:
            raise ProgramError(f"{self.name}: {error}") from error
        self.steps.append(step)
        self.arrays.extend(made)
        first = len(self.arrays) - len(made)
        return [Value(self, first + number) for number in range(len(made))]

    def places(self, values: Sequence[Value]) -> tuple[int, ...]:
        """The numbers of arrays of this module.

        Raises:
            ProgramError: if something is no value, or one of another module: its number is another array
                here.
        """
        for each in values:
            if not isinstance(each, Value):
                raise _no_value(self.name, each)
            if each.draft is not self:
                raise ProgramError(
                    f"{self.name}: this is a value of {each.draft.name}, another module; "
                    "a module has its inputs, what it makes of them, and results of its calls"
                )
        return tuple(each.place for each in values)

    def constant(self, kind: str, codes: Any) -> Value:
        """An array of codes: a number, or numbers nested as an array."""
        given = np.array(codes, dtype=object)
        try:
            flat = tuple(map(index, given.reshape(-1)))
        except TypeError as error:
            raise ProgramError(f"{self.name}: a constant is given by its codes: {error}") from None
        return self.add(Constant(Array(kind, given.shape), flat))[0]


def _no_value(name: str, found: object) -> ProgramError:
    return ProgramError(
        f"{name}: this is no Value, but of type {type(found).__name__}; a constant is written with its "
        'code and the draft of a value x: x.draft.constant("fp16", 0x3800) is 0.5'
    )


def _draft_of(name: str, values: Sequence[Value]) -> Draft:
    """The module, being written, that all of some values are of; the name is for messages.

    Raises:
        ProgramError: if there is none.
    """
    if not values:
        raise ProgramError(f"{name} needs a value")
    if not isinstance(values[0], Value):
        raise _no_value(name, values[0])
    draft = values[0].draft
    draft.places(values)
    return draft


def apply(operation: str, kind: str, *operands: Value) -> Value:
    """An operation on every element; single elements are repeated for others' shapes."""
    draft = _draft_of(operation, operands)
    shape = max((operand.shape for operand in operands), key=len)
    places = tuple(each.place if each.shape else each.broadcast(*shape).place for each in operands)
    return draft.add(Each(operation, places, kind))[0]


def select(which: Value, x: Value, y: Value) -> Value:
    """x where a bit is 1, else y."""
    _draft_of("select", (which, x, y))
    return apply(f"{x.array.kind}.select", x.array.kind, which, x, y)


def call_all(module: Module, *operands: Value, over: Shape = ()) -> tuple[Value, ...]:
    """A module's results.

    Args:
        over: leading axes of all operands, for each place of which it is called.
    """
    draft = _draft_of(module.name, operands)
    return tuple(draft.add(Call(module, draft.places(operands), over)))


def call(module: Module, *operands: Value, over: Shape = ()) -> Value:
    """The result of a module that has one; as ``call_all``."""
    (result,) = call_all(module, *operands, over=over)
    return result


def concatenate(values: Sequence[Value]) -> Value:
    """One behind the other, along the first axis."""
    draft = _draft_of("concatenate", values)
    return draft.add(Arrange("concatenate", (), draft.places(values)))[0]


def stack(values: Sequence[Value]) -> Value:
    """Each a place along a new first axis."""
    _draft_of("stack", values)
    return concatenate([each.reshape(1, *each.shape) for each in values])


def module(name: str, inputs: Mapping[str, Array], definition: Callable[..., Any]) -> Module:
    """The module that a function defines, of values that its inputs are.

    Args:
        definition: takes a ``Value`` for each input, in order; gives one, ``result``, or a mapping of
            several.

    Raises:
        ProgramError: if a step does not fit, or a result is none of its values.
    """
    draft = Draft(name, inputs)
    made = definition(*(Value(draft, place) for place in range(len(draft.inputs))))
    outputs = made if isinstance(made, Mapping) else {"result": made}
    places = draft.places([*outputs.values()])
    return Module(name, draft.inputs, tuple(draft.steps), dict(zip(outputs, places, strict=True)))


@dataclass(frozen=True)
class Arithmetic:
    """Operations of one format, as theorems name them.

    Attributes:
        kind: the format.
        suffix: all that follows the operation's name: mode, policy, convention; in circuits also library
            and structure.
        source: the format of factors, where it is another than that of products and sums; of both, if
            they differ, as in ``fp8_e4m3fn_and_fp8_e5m2``.
    """

    kind: str
    suffix: str = "rne"
    source: str = ""

    @property
    def factors(self) -> tuple[str, str]:
        """The formats of two factors."""
        x, _, y = (self.source or self.kind).partition("_and_")
        return x, y or x

    def __call__(self, operation: str, *operands: Value) -> Value:
        """An operation by name, its result of this format."""
        return apply(f"{self.kind}.{operation}.{self.suffix}", self.kind, *operands)

    def add(self, x: Value, y: Value) -> Value:
        """x + y."""
        return self("add", x, y)

    def subtract(self, x: Value, y: Value) -> Value:
        """x - y."""
        return self("subtract", x, y)

    def multiply(self, x: Value, y: Value) -> Value:
        """x * y, of factors."""
        return self(f"multiply_from_{self.source}" if self.source else "multiply", x, y)

    def divide(self, x: Value, y: Value) -> Value:
        """x / y."""
        return self("divide", x, y)

    def exactly(self, operation: str, *operands: Value) -> Value:
        """An operation that does not round, its result of this format: ``negate``, ``maximum``."""
        return apply(f"{self.kind}.{operation}", self.kind, *operands)

    def holds(self, relation: str, x: Value, y: Value) -> Value:
        """Whether a relation holds, as a bit: ``greater``."""
        return apply(f"{self.kind}.{relation}", "bit", x, y)

    def fused_multiply_add(self, x: Value, y: Value, z: Value) -> Value:
        """x * y + z, of two factors and a sum, rounded once."""
        source = f"_from_{'_and_'.join((*self.factors, self.kind))}" if self.source else ""
        return self(f"fma{source}", x, y, z)
