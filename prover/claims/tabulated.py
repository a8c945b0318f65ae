"""Claims that a circuit computes a function which is a table of every input.

No formula says what the table does unless one is asked for: such a claim is decided by evaluating the
circuit on every input, and checked by doing so again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from pysmt.fnode import FNode
from pysmt.shortcuts import BV, And, BVType, Equals, Symbol

from spikeproof.circuits.meanings.boolean import WORD, require_fit
from spikeproof.circuits.meanings.formula import input_symbols, output_formulas, outputs_of_input
from spikeproof.circuits.netlist import Netlist
from spikeproof.prover.claims.environment import stating_formulas
from spikeproof.prover.claims.obligation import (
    Claim,
    Obligation,
    Observation,
    Outcome,
    Profile,
    Reading,
    StatementError,
    counted,
    everything,
)
from spikeproof.prover.claims.tables import TABLE_BITS, of_every_input
from spikeproof.specs.integers import Buses

SCHEMA = "spikeproof-table-1"

Results = Callable[[], Mapping[str, NDArray[Any]]]
"""Makes for each output bus its values on every input, the first input bus varying fastest."""


@dataclass(frozen=True, eq=False)
class TruthTable:
    """What outputs are for every input.

    Attributes:
        inputs, outputs: width of each bus, in order; of an output up to 64.
        results: for each output its values, the first input bus varying fastest.
    """

    inputs: Mapping[str, int]
    outputs: Mapping[str, int]
    results: Mapping[str, NDArray[np.uint64]]

    @classmethod
    def of(
        cls,
        name: str,
        netlist: Netlist,
        results: Mapping[str, NDArray[Any]],
        order: Iterable[str] | None = None,
    ) -> TruthTable:
        """A table for the buses of a circuit.

        Args:
            name: of the theorem, for messages.
            order: of the input buses in the table, if not the circuit's.

        Raises:
            StatementError: if it is not one of these buses, each result in its width.
        """
        inputs = {each: netlist.inputs[each] for each in order or netlist.inputs}
        outputs = netlist.output_widths
        bits = sum(inputs.values())
        if bits > TABLE_BITS:
            raise StatementError(
                f"{name}: tables are of up to {TABLE_BITS} input bits; these are {bits}"
            )
        if set(results) != set(outputs):
            raise StatementError(
                f"{name}: the circuit has outputs {sorted(outputs)}, its table {sorted(results)}"
            )
        for output, codes in results.items():
            if codes.shape != (1 << bits,) or codes.dtype.kind != "u" or outputs[output] > WORD:
                raise StatementError(
                    f"{name}: the table of {output!r} is to be an array of {1 << bits} unsigned integers"
                )
            try:
                require_fit(codes, outputs[output])
            except ValueError as error:
                raise StatementError(f"{name}: in the table of {output!r} {error}") from None
        return cls(inputs, outputs, {each: results[each].astype(np.uint64) for each in outputs})

    @cached_property
    def content(self) -> bytes:
        """The table as a file: a line of JSON that tells the buses, and each output's words.

        Outputs come by name; a word is eight octets, the lowest first.
        """
        outputs = sorted(self.outputs)
        buses = {
            "schema": SCHEMA,
            "inputs": list(map(list, self.inputs.items())),
            "outputs": [[name, self.outputs[name]] for name in outputs],
        }
        words = b"".join(self.results[name].astype("<u8").tobytes() for name in outputs)
        return json.dumps(buses, separators=(",", ":")).encode() + b"\n" + words

    def at(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """The outputs for an input, or for arrays of them."""
        place = numbered(self.inputs, inputs)
        return {name: codes[place] for name, codes in self.results.items()}

    def formulas(self, inputs: Buses) -> Buses:
        """The outputs as formulas of the inputs."""
        ordered = {name: inputs[name] for name in self.inputs}
        return of_every_input(self.results, ordered, self.outputs)


def numbered(widths: Mapping[str, int], inputs: Mapping[str, Any]) -> Any:
    """The number of an input, or of each of an array of them: the first bus varies fastest."""
    number: Any = np.uint64(0)
    first = 0
    for name, width in widths.items():
        number = number | np.asarray(inputs[name], dtype=np.uint64) << np.uint64(first)
        first += width
    return number


class AnyTable(Protocol):
    """What outputs are for every input."""

    @property
    def inputs(self) -> Mapping[str, int]:
        """Width of each input bus, in order."""
        ...

    @property
    def outputs(self) -> Mapping[str, int]:
        """Width of each output bus."""
        ...

    @property
    def content(self) -> bytes:
        """What stands for it where evidence names it."""
        ...

    def at(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """The outputs for an input, or for arrays of them."""
        ...

    def formulas(self, inputs: Buses) -> Buses:
        """The outputs as formulas of the inputs.

        Raises:
            StatementError: if these would be too large.
        """
        ...


class TabulatedClaim(Claim):
    """That a circuit's outputs are those of a table; its formulas are made if somebody asks.

    Attributes:
        netlist: the circuit.
        table: for its buses.
    """

    netlist: Netlist
    table: AnyTable

    def __init__(
        self,
        netlist: Netlist,
        table: AnyTable,
        counting: Buses,
        assumptions: tuple[FNode, ...] = (),
    ) -> None:
        self.__dict__.update(
            inputs=input_symbols(netlist),
            assumptions=assumptions,
            counting=counting,
            netlist=netlist,
            table=table,
        )
        self.__post_init__()

    @cached_property
    def actual(self) -> Buses:
        """What the circuit gives."""
        return output_formulas(self.netlist, self.inputs)

    @cached_property
    def expected(self) -> Buses:
        """What the table says."""
        return self.table.formulas(self.inputs)

    @cached_property
    def goal(self) -> FNode:
        """That they are equal, as far as they count."""
        return self._equal(self.actual, self.expected)

    @property
    def outputs(self) -> dict[str, int]:
        """As of any claim."""
        return dict(self.table.outputs)

    def assuming(self, *more: FNode) -> TabulatedClaim:
        """As of any claim."""
        return TabulatedClaim(self.netlist, self.table, self.counting, (*self.assumptions, *more))

    def of_input(self, inputs: Mapping[str, int]) -> Claim:
        """As of any claim: the table's line and what the neurons come to, without the others."""
        line, actual = self.table.at(inputs), outputs_of_input(self.netlist, inputs)
        expected = {name: BV(int(line[name]), width) for name, width in self.table.outputs.items()}
        goal = self._equal(actual, expected)
        return Claim(self.inputs, goal, self.assumptions, actual, expected, self.counting)

    def _equal(self, actual: Buses, expected: Buses) -> FNode:
        seen, wanted = (self.seen(buses) for buses in (actual, expected))
        return And(Equals(seen[bus], wanted[bus]) for bus in wanted)


@lru_cache(maxsize=2)
def _made(results: Results) -> Mapping[str, NDArray[Any]]:
    """A table, which the mutants of a circuit share."""
    found = {name: np.array(codes) for name, codes in results().items()}
    for codes in found.values():
        codes.setflags(write=False)
    return found


def tabulated(
    name: str,
    statement: str,
    circuit: Callable[[], Netlist],
    results: Results,
    *,
    observed: Observation = everything,
    expected: Outcome = Outcome.PROVED,
    profile: Profile = Profile.DEFAULT,
    reading: Reading | None = None,
    parameters: Mapping[str, str] | None = None,
    function: str = "",
    neighbours: Callable[[], Iterable[Obligation]] = tuple,
) -> Obligation:
    """The obligation that a circuit computes, on every output bus, what a table says.

    Args:
        results: of up to ``TABLE_BITS`` input bits together.
        observed: what counts of outputs, as of ``equivalence``.
        function, neighbours: as of ``Obligation``.

    ``state`` raises ``StatementError`` if the table does not suit the circuit.
    """

    def table(netlist: Netlist) -> TruthTable:
        # The table is in the order of the theorem's own buses, whatever a circuit's that is given.
        several = len(netlist.inputs) > 1
        return TruthTable.of(name, netlist, _made(results), circuit().inputs if several else None)

    def state(netlist: Netlist | None) -> Claim:
        assert netlist is not None
        of_circuit = table(netlist)
        outputs = {each: Symbol(f"observed.{each}", BVType(w)) for each, w in of_circuit.outputs.items()}
        with stating_formulas():
            counting = counted(observed, input_symbols(netlist), outputs)
        return TabulatedClaim(netlist, of_circuit, counting)

    return Obligation(
        name,
        statement,
        state,
        circuit,
        expected,
        engines=(),
        profile=profile,
        reading=reading,
        parameters=parameters or {},
        function=function,
        neighbours=neighbours,
        evaluated=True,
        leaves_open=observed is not everything,
    )
