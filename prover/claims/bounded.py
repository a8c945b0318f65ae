"""Claims that a circuit's results are within a bound of a function: of some inputs several are right.

What is right of an input is what some number that is so near to the function's value rounds to: see
``specs.functions.results_within``. Decided for all inputs at once, by arithmetic on the circuit's
program: see ``prover.kernel.bounds``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pysmt.fnode import FNode
from pysmt.shortcuts import BV, Equals, Or

from spikeproof.circuits.meanings.formula import outputs_of_input
from spikeproof.circuits.netlist import Netlist
from spikeproof.prover.claims.obligation import Claim, Obligation, Profile, Reading, StatementError
from spikeproof.prover.claims.tabulated import TabulatedClaim
from spikeproof.specs.formats import Format, OverflowPolicy, RoundingMode
from spikeproof.specs.functions import compute, results_within
from spikeproof.specs.integers import Buses

ROUNDING = RoundingMode.NEAREST_EVEN, OverflowPolicy.IEEE


@dataclass(frozen=True)
class Bound:
    """What results of a function are right: of input bus ``x``, on output bus ``result``.

    Attributes:
        places: what numbers within 2^-places of a unit in the last place round to, to nearest, is right.
    """

    function: str
    fmt: Format
    places: int

    @property
    def inputs(self) -> Mapping[str, int]:
        """The width of the input bus."""
        return {"x": self.fmt.width}

    @property
    def outputs(self) -> Mapping[str, int]:
        """The width of the output bus."""
        return {"result": self.fmt.width}

    @property
    def content(self) -> bytes:
        """What is right, as data."""
        fmt = {**asdict(self.fmt), "specials": self.fmt.specials.value}
        data = {"function": self.function, "format": fmt, "places": self.places}
        return json.dumps({"schema": "spikeproof-bound-1", **data}, sort_keys=True).encode()

    def correctly_rounded(self, x: int) -> int:
        """The result that is nearest."""
        return compute(self.function, self.fmt, *ROUNDING, x)

    def right(self, x: int) -> range:
        """All results that are right."""
        low, high = results_within(self.function, self.fmt, *ROUNDING, x, self.places)
        return range(low, high + 1)

    def at(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """The nearest results, for an input or for an array of them."""
        codes = np.asarray(inputs["x"])
        found = [self.correctly_rounded(int(code)) for code in codes.ravel()]
        return {"result": np.array(found, dtype=np.uint64).reshape(codes.shape)}

    def formulas(self, inputs: Buses) -> Buses:
        """None.

        Raises:
            StatementError: always.
        """
        raise StatementError(f"{self.function} of {self.fmt.name} has no formula, which this needs")


class BoundedClaim(TabulatedClaim):
    """That a circuit's results are right as a ``Bound`` says."""

    table: Bound

    def assuming(self, *more: FNode) -> BoundedClaim:
        """As of any claim."""
        return BoundedClaim(self.netlist, self.table, {}, (*self.assumptions, *more))

    def of_input(self, inputs: Mapping[str, int]) -> Claim:
        """As of any claim; what is expected is the nearest result."""
        actual, width = outputs_of_input(self.netlist, inputs), self.table.fmt.width
        right = Or(Equals(actual["result"], BV(code, width)) for code in self.table.right(inputs["x"]))
        expected = {"result": BV(self.table.correctly_rounded(inputs["x"]), width)}
        return Claim(self.inputs, right, self.assumptions, actual, expected)

    def wrong(
        self, inputs: Mapping[str, Any], outputs: Mapping[str, Any], differ: NDArray[np.bool_]
    ) -> NDArray[np.bool_]:
        """Of inputs whose results are not the nearest, those whose results are not right."""
        found = differ.copy()
        for place in np.flatnonzero(differ).tolist():
            right = self.table.right(int(inputs["x"][place]))
            found[place] = int(outputs["result"][place]) not in right
        return found


def bounded(
    name: str,
    statement: str,
    circuit: Callable[[], Netlist],
    bound: Bound,
    *,
    profile: Profile = Profile.DEFAULT,
    reading: Reading | None = None,
    parameters: Mapping[str, str] | None = None,
    function: str = "",
) -> Obligation:
    """The obligation that a circuit's results are right as a bound says.

    ``state`` raises ``StatementError`` if a circuit has other buses.
    """

    def state(netlist: Netlist | None) -> Claim:
        assert netlist is not None
        if (dict(netlist.inputs), dict(netlist.output_widths)) != (bound.inputs, bound.outputs):
            raise StatementError(f"{name}: the circuit is to have input x and output result")
        return BoundedClaim(netlist, bound, {})

    return Obligation(
        name,
        statement,
        state,
        circuit,
        engines=(),
        profile=profile,
        reading=reading,
        parameters=parameters or {},
        function=function,
        bounded=True,
        leaves_open=True,
    )
