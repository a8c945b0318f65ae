"""Claims that a circuit computes a function of so many inputs that no table holds its results at once.

As ``prover.claims.tabulated``: decided by evaluating the circuit on every input. But what is right is
made in blocks of inputs whose numbers follow one another, by whoever states the claim, and forgotten
when the circuit has been compared with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeproof.circuits.meanings.boolean import require_fit
from spikeproof.circuits.netlist import Netlist
from spikeproof.prover.claims.obligation import (
    Claim,
    Obligation,
    Outcome,
    Profile,
    Reading,
    StatementError,
)
from spikeproof.prover.claims.tabulated import TabulatedClaim, numbered
from spikeproof.specs.integers import Buses

FEWEST_BITS, MOST_BITS = 8, 32
"""Results are made in blocks for so many input bits together."""

MOST_OUTPUT_BITS = 64

BLOCK = 1 << 20
"""Inputs in a block, or all if there are fewer."""

Results = Callable[[int, int], Mapping[str, NDArray[Any]]]
"""From the number of an input and how many follow from it on, each output's values, unsigned. The first
input bus varies fastest."""

Line = Callable[[int], Mapping[str, int]]
"""From the number of an input what the outputs are: as ``Results``, but of few inputs at a time."""


@dataclass(frozen=True, eq=False)
class BlockTable:
    """What outputs are for every input.

    Attributes:
        inputs, outputs: width of each bus, in order.
        results, line: what the outputs are, of many inputs in a row and of one.
        definition: what function it is, in words that are no other's; it stands for the results where
            evidence names them.
    """

    inputs: Mapping[str, int]
    outputs: Mapping[str, int]
    results: Results
    line: Line
    definition: str

    @property
    def bits(self) -> int:
        """Of all inputs together."""
        return sum(self.inputs.values())

    @property
    def content(self) -> bytes:
        """The definition, as a file."""
        return self.definition.encode()

    def block(self, first: int, count: int) -> Mapping[str, NDArray[Any]]:
        """The outputs for so many inputs from one on.

        Raises:
            StatementError: if they are none for these buses.
        """
        found = self.results(first, count)
        if set(found) != set(self.outputs):
            raise StatementError(f"results are of {sorted(found)}, not of {sorted(self.outputs)}")
        for name, codes in found.items():
            if codes.shape != (count,) or codes.dtype.kind != "u":
                raise StatementError(f"results of {name!r} are no array of {count} unsigned integers")
            try:
                require_fit(codes, self.outputs[name])
            except ValueError as error:
                raise StatementError(f"of the results of {name!r} {error}") from None
        return found

    def at(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """The outputs for an input, or for an array of a few, or of all."""
        numbers = numbered(self.inputs, inputs)
        count = 1 << self.bits
        if numbers.shape == (count,) and np.array_equal(numbers, np.arange(count)):
            return dict(self.block(0, count))
        lines = [self.line(number) for number in numbers.ravel().tolist()]
        return {
            name: np.array([line[name] for line in lines], np.uint64).reshape(numbers.shape)
            for name in self.outputs
        }

    def formulas(self, inputs: Buses) -> Buses:
        """None.

        Raises:
            StatementError: always.
        """
        raise StatementError(
            f"a function of {self.bits} input bits has no formula, which this needs; "
            "`spikeproof prove` evaluates it on every input"
        )


def in_blocks(claim: Claim) -> bool:
    """Whether a claim is about such a function."""
    return isinstance(claim, TabulatedClaim) and isinstance(claim.table, BlockTable)


def blocked(
    name: str,
    statement: str,
    circuit: Callable[[], Netlist],
    results: Results,
    line: Line,
    definition: str,
    *,
    expected: Outcome = Outcome.PROVED,
    profile: Profile = Profile.DEFAULT,
    reading: Reading | None = None,
    parameters: Mapping[str, str] | None = None,
    function: str = "",
    neighbours: Callable[[], Iterable[Obligation]] = tuple,
    alike: str = "",
) -> Obligation:
    """The obligation that a circuit computes, on every output bus, a function given in blocks.

    Args:
        results, line, definition: as of ``BlockTable``, for the theorem's own buses.
        function, neighbours, alike: as of ``Obligation``.

    ``state`` raises ``StatementError`` if a circuit has other input buses than the theorem's own, or in
    another order; or too few, or too many, bits.
    """

    def state(netlist: Netlist | None) -> Claim:
        assert netlist is not None
        bits, possible = sum(netlist.inputs.values()), f"{FEWEST_BITS} to {MOST_BITS}"
        if not FEWEST_BITS <= bits <= MOST_BITS:
            raise StatementError(f"{name}: blocks are of {possible} input bits; these are {bits}")
        if max(netlist.output_widths.values()) > MOST_OUTPUT_BITS:
            raise StatementError(f"{name}: outputs are of up to {MOST_OUTPUT_BITS} bits")
        if len(netlist.inputs) > 1 and list(netlist.inputs) != list(circuit().inputs):
            raise StatementError(
                f"{name}: the inputs are to be, in order, {', '.join(circuit().inputs)}"
            )
        table = BlockTable(netlist.inputs, netlist.output_widths, results, line, definition)
        return TabulatedClaim(netlist, table, {})

    return Obligation(
        name,
        statement,
        state,
        circuit,
        expected,
        (),
        profile=profile,
        reading=reading,
        parameters=parameters or {},
        function=function,
        neighbours=neighbours,
        evaluated=True,
        alike=alike,
    )
