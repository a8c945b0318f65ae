"""One of two numbers, as a bit says: of it tables are made, and the place of a largest element."""

from collections.abc import Iterator, Mapping
from functools import partial

from spikeproof.circuits.netlist import Netlist
from spikeproof.circuits.units.integer import mux_bus
from spikeproof.circuits.units.libraries import DEFAULT_LIBRARY, library_gates
from spikeproof.prover.claims.obligation import Obligation, Reading, equivalence
from spikeproof.specs import integers
from spikeproof.specs.formats import FORMATS, INTEGERS, Format, Integer

BIT = "bit"
"""What a single bit is called, where it stands for no number."""


def select_netlist(width: int) -> Netlist:
    """A multiplexer of words: inputs ``which``, ``x``, ``y``; output ``result``."""
    gates = library_gates(DEFAULT_LIBRARY)
    which, *words = (gates.builder.input(n, w) for n, w in (("which", 1), ("x", width), ("y", width)))
    return gates.builder.build({"result": mux_bus(gates, which[0], *words)})


def select_trace(inputs: Mapping[str, int]) -> dict[str, int]:
    """What is selected."""
    return {"result": inputs["x"] if inputs["which"] else inputs["y"]}


def obligation(name: str, kind: Format | Integer | None = None) -> Obligation:
    """``KIND.select``; of bits, without a kind, too."""
    words = ("x", "y", "result")
    return equivalence(
        f"{name}.select",
        f"the {name} multiplexer gives x where a bit is 1, else y, on all inputs",
        circuit=partial(select_netlist, kind.width if kind else 1),
        meaning=integers.select,
        reading=Reading(dict.fromkeys(words, kind) if kind else {}, select_trace),
        parameters={
            "family": "unit",
            "format": name,
            "operation": "select",
            "library": DEFAULT_LIBRARY,
        },
        function=f"x where a bit is 1, else y, of {name}",
    )


def obligations() -> Iterator[Obligation]:
    """Of every format, of every kind of integers, and of bits."""
    kinds: tuple[Format | Integer, ...] = (*FORMATS.values(), *INTEGERS.values())
    yield from (obligation(kind.name, kind) for kind in kinds)
    yield obligation(BIT)
