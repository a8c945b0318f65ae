"""Circuits evaluated on inputs in a row, each in the way that suits it.

Those made of digits of sums, tables and products of words are read as integer programs, which are
checked to be the netlist, neuron by neuron; what is made of gates is evaluated neuron by neuron, many
inputs in a machine word.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TypeVar

import numpy as np

from spikeproof.circuits.meanings import carry_save, matrices
from spikeproof.circuits.meanings.boolean import Words
from spikeproof.circuits.meanings.program_reading import read_program
from spikeproof.circuits.meanings.programs import ProgramEvaluator
from spikeproof.circuits.netlist import Netlist

Number = TypeVar("Number", int, Words)

Outputs = dict[str, Words]

InARow = Callable[[int, int], list[Outputs]]
"""From the number of an input and how many follow from it on, each circuit's outputs."""

Evaluator = Callable[[Sequence[Netlist]], InARow]
"""How circuits are evaluated that have the same inputs."""


LARGEST_OF_GATES = 2
"""Weights of gates are no larger, nor less than its negative."""

OPTIMISED = 100_000
"""Up to so many operations are optimised: what runs 2^32 times may compile for long."""


def compiled(netlists: Sequence[Netlist]) -> InARow:
    """By machine code; what programs share is evaluated once.

    Raises:
        ProgramError: if words of 64 bits do not hold what a circuit adds up.
    """
    if any(map(_of_gates, netlists)):
        from spikeproof.circuits.meanings.bitsliced import BitSlicedSimulator  # loads LLVM

        return _each(
            _of_numbers(netlist, BitSlicedSimulator(netlist, 1, OPTIMISED).evaluate)
            for netlist in netlists
        )
    from spikeproof.circuits.meanings.program_code import CompiledPrograms  # loads LLVM

    return CompiledPrograms([(each, read_program(each)) for each in netlists], threads=1).evaluate


def interpreted(netlists: Sequence[Netlist]) -> InARow:
    """By NumPy, each by itself. As ``compiled``."""
    return _each(map(_interpreted, netlists))


def by_matrices(netlists: Sequence[Netlist]) -> InARow:
    """By products of matrices, each by itself: of so few inputs that compiling would take longer."""
    return _each(_of_numbers(each, partial(matrices.evaluate, each)) for each in netlists)


def _interpreted(netlist: Netlist) -> Callable[[int, int], Outputs]:
    if _of_gates(netlist):
        return _of_numbers(netlist, partial(carry_save.evaluate, netlist))
    return ProgramEvaluator(netlist, read_program(netlist)).evaluate_in_a_row


def _each(evaluators: Iterable[Callable[[int, int], Outputs]]) -> InARow:
    """One circuit after another."""
    every = list(evaluators)
    return lambda first, size: [evaluate(first, size) for evaluate in every]


def _of_gates(netlist: Netlist) -> bool:
    """Whether it is better evaluated neuron by neuron than as a program of words."""
    weights = (weight for neuron in netlist.neurons for _, weight in neuron.synapses)
    return all(-LARGEST_OF_GATES <= weight <= LARGEST_OF_GATES for weight in weights)


def _of_numbers(
    netlist: Netlist, evaluate: Callable[[dict[str, Words]], Outputs]
) -> Callable[[int, int], Outputs]:
    """The same by somebody who takes inputs: the first bus varies fastest."""

    return lambda first, size: evaluate(inputs_in_a_row(netlist, first, size))


def inputs_in_a_row(netlist: Netlist, first: int, size: int) -> dict[str, Words]:
    """The values of the input buses in so many evaluations from that of a number on."""
    return input_values(np.arange(first, first + size, dtype=np.uint64), netlist)


def input_values(number: Number, netlist: Netlist) -> dict[str, Number]:
    """The values of the input buses in the evaluation of that number, or of each of an array.

    The first bus varies fastest.
    """
    return {name: number >> bus[0] & ((1 << len(bus)) - 1) for name, bus in netlist.input_buses.items()}
