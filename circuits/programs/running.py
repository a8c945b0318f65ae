"""Programs run in neurons: each unit's logic, compiled, on all its instances in a step at a time.

A call over many places is divided among cores along its longest leading axis, and each core takes as
many places at a time as memory has room for: so neither the order of a sum nor a model's size keeps a
core waiting, or fills memory with anything but what goes in and comes out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from functools import cache, cached_property, partial
from math import prod

import numpy as np

from spikeproof.circuits.meanings.bitsliced import BitSlicedSimulator, cores
from spikeproof.circuits.meanings.boolean import require_fit
from spikeproof.circuits.meanings.program_reading import read_program
from spikeproof.circuits.meanings.programs import ProgramEvaluator
from spikeproof.circuits.netlist import Netlist
from spikeproof.circuits.programs.units import (
    RESULT,
    Units,
    operations,
    require_units,
    width_of,
)
from spikeproof.specs.programs import (
    Call,
    Codes,
    Each,
    Meaning,
    Module,
    ProgramError,
    Shape,
    evaluate,
)

MOST_ELEMENTS = 1 << 24
"""So many elements a core may hold of a call at a time."""

LEAST_PLACES = 2048
"""A call over fewer places is not divided among cores; its single operations are, where large enough."""


class Neurons(Meaning):
    """Operations done by neurons.

    Args:
        program: whose operations they are; its units are compiled at once.
        units: of each operation; others are not looked at.
        threads: how many to use; None for one on each core.

    Raises:
        ProgramError: naming an operation that has no unit that fits.
    """

    def __init__(self, program: Module, units: Units, threads: int | None = None) -> None:
        require_units(program, units)
        self._threads = threads or cores()
        used = {step.operation: units[step.operation] for step, _ in operations(program)}
        self._compiled = {name: _compiled(unit) for name, unit in used.items()}

    @cached_property
    def _alone(self) -> Neurons:
        """The same on one core."""
        alone = copy(self)
        alone._threads = 1
        return alone

    def each(self, step: Each, operands: Sequence[Codes]) -> Codes:
        """As ``Meaning.each``."""
        return self._compiled[step.operation](operands, self._threads)

    def constant(self, codes: Codes) -> Codes:
        """As they are, as narrow as they can be."""
        return codes.astype(np.min_scalar_type(codes.max(initial=0)))

    def call(self, step: Call, operands: Sequence[Codes], over: Shape) -> Sequence[Codes]:
        """The results of a module's call, so many places at a time as there are memory and cores for."""
        module, axes = step.module, over + step.over
        axis = max(range(len(axes)), key=axes.__getitem__, default=0)
        count = axes[axis] if axes else 1
        room = MOST_ELEMENTS * count // max(most_elements(module) * prod(axes), 1) or 1
        if self._threads > 1 and prod(axes) >= LEAST_PLACES * self._threads:
            room = min(room, -(-count // self._threads))
        if room >= count:
            return evaluate(module, operands, self, axes)
        found = [
            np.empty(axes + array.shape, code_type(array.kind)) for array in module.results.values()
        ]
        alone = self._alone

        def share(start: int) -> None:
            here = (slice(None),) * axis + (slice(start, start + room),)
            some = (*axes[:axis], min(room, count - start), *axes[axis + 1 :])
            results = evaluate(module, [given[here] for given in operands], alone, some)
            for into, result in zip(found, results, strict=True):
                into[here] = result

        with ThreadPoolExecutor(self._threads) as pool:
            list(pool.map(share, range(0, count, room)))
        return found


COMPARATORS = "comparators"
"""The kind of the cells that read tables."""


def code_type(kind: str) -> np.dtype[np.unsignedinteger]:
    """The smallest unsigned integers that hold codes of a kind."""
    return np.min_scalar_type((1 << width_of(kind)) - 1)


@cache
def _compiled(unit: Netlist) -> Callable[[Sequence[Codes], int], Codes]:
    """A unit's result, of arrays of codes, by so many threads.

    Functions are integer programs, of long tables that would be slow to compile and to run as logic.
    """
    if len(unit.inputs) == 1 and any(cell.kind == COMPARATORS for cell in unit.cells):
        return partial(_as_integers, ProgramEvaluator(unit, read_program(unit)))
    simulator, place = BitSlicedSimulator(unit), [*unit.outputs].index(RESULT)
    return lambda operands, threads: simulator.on_arrays(operands, threads)[place]


def _as_integers(evaluator: ProgramEvaluator, operands: Sequence[Codes], threads: int) -> Codes:
    netlist, (codes,) = evaluator.netlist, operands
    (name,), width = netlist.inputs, netlist.output_widths[RESULT]
    found = evaluator.evaluate({name: codes.reshape(-1)})[RESULT]
    return found.astype(np.min_scalar_type((1 << width) - 1)).reshape(codes.shape)


@cache
def most_elements(module: Module) -> int:
    """The most elements that are held at a time where a module is called once; at least 1."""
    sizes = [prod(array.shape) for array in module.arrays]
    held = most = sum(sizes[: len(module.inputs)])
    for made, done in zip(module.made, module.done, strict=True):
        held += sum(sizes[place] for place in made)
        most = max(most, held)
        held -= sum(sizes[place] for place in done)
    return max(most, 1)


def run(
    program: Module, inputs: Mapping[str, Codes], units: Units, threads: int | None = None
) -> dict[str, Codes]:
    """What a program's neurons make of arrays of codes, by name of output.

    Args:
        inputs: for each input an array of unsigned integers, of its shape.
        units: a netlist for each operation, by name.
        threads: how many to use; None for one on each core.

    Raises:
        ProgramError: if an operation has no unit that fits, or an array is not what the program takes.
    """
    neurons = Neurons(program, units, threads)
    found = evaluate(program, given_codes(program, inputs), neurons)
    return dict(zip(program.outputs, found, strict=True))


def given_codes(program: Module, inputs: Mapping[str, Codes]) -> list[Codes]:
    """A program's inputs in order, each of the smallest integers that hold it.

    Raises:
        ProgramError: if one is missing, unknown, of another shape or type, or has a code that can't be.
    """
    if set(inputs) != set(program.inputs):
        wanted, given = (", ".join(sorted(each)) or "none" for each in (program.inputs, inputs))
        raise ProgramError(f"{program.name} has inputs {wanted}; given are {given}")
    found = []
    for name, array in program.inputs.items():
        codes = np.asarray(inputs[name])
        if codes.shape != array.shape or codes.dtype.kind not in "ui":
            raise ProgramError(
                f"{program.name} takes {name} as codes, {array}; given are {codes.dtype} of shape "
                f"{codes.shape}"
            )
        try:
            require_fit(codes, width_of(array.kind))
        except ValueError as error:
            raise ProgramError(f"{program.name}: {name}: {error}") from error
        found.append(codes.astype(code_type(array.kind), copy=False))
    return found
