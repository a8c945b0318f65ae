"""Functions by name, as netlists."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from spikeproof.circuits.netlist import Bus, Netlist
from spikeproof.circuits.units.functions.changes import Table
from spikeproof.circuits.units.functions.segments import segments_unit
from spikeproof.circuits.units.functions.thermometer import thermometer_unit
from spikeproof.circuits.units.functions.values import FUNCTIONS, results
from spikeproof.circuits.units.libraries import DEFAULT_LIBRARY, GateLibrary, Threshold, library_gates
from spikeproof.specs.conventions import IEEE, Convention
from spikeproof.specs.formats import Format, OverflowPolicy, RoundingMode, UnknownNameError


@dataclass(frozen=True)
class Construction:
    """How a table becomes a circuit.

    Attributes:
        words: for people, after a comma.
    """

    words: str
    unit: Callable[[GateLibrary, Bus, Table], Bus]


CONSTRUCTIONS = {
    "segments": Construction("by segments", segments_unit),
    "thermometer": Construction("by a thermometer", thermometer_unit),
}
"""By name: least neurons, or least depth."""


def build_function(
    function: str,
    fmt: Format,
    mode: RoundingMode,
    policy: OverflowPolicy,
    library: str = DEFAULT_LIBRARY,
    *,
    construction: str = "segments",
    convention: Convention = IEEE,
) -> Netlist:
    """A correctly rounded function as a netlist: input ``x``, output ``result``.

    Args:
        function: one of ``values.FUNCTIONS``.
        construction: one of ``CONSTRUCTIONS``.

    Raises:
        UnknownNameError: if there is no such function or construction; naming them.
        ValueError: if the library is another than ``threshold``; if the format is wider than 16 bits,
            cannot express the policy or cannot have the convention.
    """
    require_known(function, FUNCTIONS, construction, library)
    table = Table(results(function, fmt, mode, policy, convention), fmt.width)
    gates = library_gates(library)
    x = gates.builder.input("x", fmt.width)
    return gates.builder.build({"result": CONSTRUCTIONS[construction].unit(gates, x, table)})


def require_known(function: str, functions: Iterable[str], construction: str, library: str) -> None:
    """Refuse what there is not.

    Raises:
        UnknownNameError: if it is the function or the construction; naming those there are.
        ValueError: if it is the library.
    """
    for what, name, known in (
        ("function", function, functions),
        ("construction of functions", construction, CONSTRUCTIONS),
    ):
        if name not in known:
            raise UnknownNameError(f"unknown {what} {name!r}; known: {', '.join(known)}")
    if library != Threshold.name:
        raise ValueError(f"functions are of {Threshold.name} neurons; {library!r} has no such weights")
