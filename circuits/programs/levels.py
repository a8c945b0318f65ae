"""A program as it is built of units: all instances of a unit that can work at once, at once.

From a program of operations comes one of units: the same graph, in which operations of one kind that
wait for as many others before them are one array of a unit's instances. Nothing is believed of it: that
the two are the same is proved, by the kernel, as of a program that was written by hand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from spikeproof.specs.programs import (
    Arrange,
    Call,
    Draft,
    Each,
    Module,
    Split,
    Step,
    Value,
    apply,
    concatenate,
)

UnitOf = Callable[[str], str]
"""From the name of an operation that of the unit that does it."""


class Element(NamedTuple):
    """An array of the new program, or a place along its first axis."""

    array: Whole
    place: int | None = None

    @property
    def whole(self) -> Value:
        """As an array of its own."""
        return self.array.value if self.place is None else self.array.parts[self.place]


@dataclass(frozen=True, eq=False)
class Whole:
    """An array of the new program, which is split no more than once."""

    value: Value

    @cached_property
    def parts(self) -> list[Value]:
        """Every place along its first axis, as an array of its own."""
        return list(self.value)


def in_levels(module: Module, unit_of: UnitOf) -> Module:
    """The program of units, and of modules of units that it calls.

    Raises:
        KeyError: if ``unit_of`` does for want of a unit.
    """
    return Levels(unit_of).of(module)


@dataclass
class Levels:
    """Makes programs of units, of modules that are made once.

    Attributes:
        unit_of: from the name of an operation that of its unit.
        done: modules of units, by the digests of those of operations.
    """

    unit_of: UnitOf
    done: dict[str, Module] = field(default_factory=dict)

    def of(self, module: Module) -> Module:
        """The program of units, and of modules of units that it calls."""
        if module.digest not in self.done:
            self.done[module.digest] = self._built(module)
        return self.done[module.digest]

    def _built(self, module: Module) -> Module:
        draft = Draft(module.name, module.inputs)
        elements = {place: Element(Whole(Value(draft, place))) for place in range(len(module.inputs))}
        for batch in _batches(module):
            steps = [module.steps[number] for number in batch]
            places = (place for number in batch for place in module.made[number])
            elements |= zip(places, self._added(draft, steps, elements), strict=True)
        outputs = {name: elements[place].whole.place for name, place in module.outputs.items()}
        return Module(module.name, draft.inputs, tuple(draft.steps), outputs)

    def _added(
        self, draft: Draft, steps: Sequence[Step], elements: Mapping[int, Element]
    ) -> list[Element]:
        """What a batch of equal operations makes, or a step that is by itself."""
        first = steps[0]
        if isinstance(first, Each):
            columns = zip(*(step.operands for step in steps), strict=True)
            gathering = [gathered([elements[place] for place in column]) for column in columns]
            result = apply(self.unit_of(first.operation), first.kind, *gathering)
            return _places(result) if len(steps) > 1 else [Element(Whole(result))]
        if isinstance(first, Split):
            return _places(elements[first.operands[0]].whole)
        operands = tuple(elements[place].whole.place for place in first.operands)
        match first:
            case Call(module, _, over):
                first = Call(self.of(module), operands, over)
            case Arrange(how, argument):
                first = Arrange(how, argument, operands)
        return [Element(Whole(value)) for value in draft.add(first)]


def _places(value: Value) -> list[Element]:
    whole = Whole(value)
    return [Element(whole, place) for place in range(len(value))]


def _batches(module: Module) -> Iterator[list[int]]:
    """The numbers of steps that are done together, in an order in which they can be.

    A step's level is how many operations and calls at most wait for each other before it is done.
    """
    levels = [0] * len(module.inputs)
    batches: dict[tuple[Any, ...], list[int]] = {}
    for number, (step, made) in enumerate(zip(module.steps, module.made, strict=True)):
        before = max((levels[operand] for operand in step.operands), default=0)
        level = before + isinstance(step, Each | Call)
        levels += [level] * len(made)
        if isinstance(step, Each):
            shape = module.arrays[made[0]].shape
            batches.setdefault((level, 0, step.operation, step.kind, shape), []).append(number)
        else:
            batches[level, int(not isinstance(step, Call)), number] = [number]
    return iter([batches[key] for key in sorted(batches, key=lambda key: key[:2])])


def gathered(elements: Sequence[Element]) -> Value:
    """Elements of one shape along a new first axis; a single one as it is."""
    if len(elements) == 1:
        return elements[0].whole
    sources: dict[tuple[Whole, bool], list[Element]] = {}
    for element in dict.fromkeys(elements):
        sources.setdefault((element.array, element.place is None), []).append(element)
    parts: list[Value] = []
    rows: dict[Element, int] = {}
    for own in sources.values():
        value = own[0].array.value
        if own[0].place is None:
            parts.append(value.reshape(1, *value.shape))
        else:
            own.sort(key=lambda element: element.place or 0)
            parts.append(taken(value, [element.place or 0 for element in own]))
        rows |= {element: len(rows) + number for number, element in enumerate(own)}
    joined = parts[0] if len(parts) == 1 else concatenate(parts)
    return taken(joined, [rows[element] for element in elements])


def taken(array: Value, places: Sequence[int]) -> Value:
    """Places of an array; the array itself, if all, and a slice, if they are equally far apart."""
    step = places[1] - places[0] if len(places) > 1 else 1
    run = range(places[0], places[0] + step * len(places), step) if step > 0 else range(0)
    if list(run) != list(places):
        return array.take(places)
    return array if len(run) == len(array) else array.take(run)
