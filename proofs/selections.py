"""One of two numbers, as a bit says: what tables, masks and the place of a largest element are made of."""

from collections.abc import Iterator, Mapping
from functools import partial

from spikeproof.circuits.netlist import Netlist
from spikeproof.circuits.units.integer import mux_bus
from spikeproof.circuits.units.libraries import DEFAULT_LIBRARY, library_gates
from spikeproof.prover.claims.obligation import Obligation, Reading, equivalence
from spikeproof.specs import integers
from spikeproof.specs.formats import FORMATS, INTEGERS, Format, Integer


def select_netlist(width: int) -> Netlist:
    """A multiplexer of words: inputs ``which``, ``x``, ``y``; output ``result``."""
    gates = library_gates(DEFAULT_LIBRARY)
    which, *words = (gates.builder.input(n, w) for n, w in (("which", 1), ("x", width), ("y", width)))
    return gates.builder.build({"result": mux_bus(gates, which[0], *words)})


def select_trace(inputs: Mapping[str, int]) -> dict[str, int]:
    """What is selected."""
    return {"result": inputs["x"] if inputs["which"] else inputs["y"]}


def obligation(kind: Format | Integer) -> Obligation:
    """``KIND.select``."""
    return equivalence(
        f"{kind.name}.select",
        f"the {kind.name} multiplexer gives x where a bit is 1, else y, on all inputs",
        circuit=partial(select_netlist, kind.width),
        meaning=integers.select,
        reading=Reading(dict.fromkeys(("x", "y", "result"), kind), select_trace),
        parameters={
            "family": "unit",
            "format": kind.name,
            "operation": "select",
            "library": DEFAULT_LIBRARY,
        },
        function=f"x where a bit is 1, else y, of {kind.name}",
    )


def obligations() -> Iterator[Obligation]:
    """Of every format, and of every kind of integers."""
    return map(obligation, (*FORMATS.values(), *INTEGERS.values()))
