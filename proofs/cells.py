"""Every gate of every library equals its Boolean function, on its neurons."""

from collections.abc import Iterator
from functools import partial

from spikeproof.circuits.units.libraries import LIBRARIES, gate_netlist, wide_gate_netlist
from spikeproof.prover.claims.obligation import Obligation, equivalence
from spikeproof.specs import integers

WIDTHS = (2, 3, 5, 8)


def obligations() -> Iterator[Obligation]:
    """``cell.LIBRARY.GATE`` and ``cell.LIBRARY.WIDE_GATE.WIDTH``."""
    for library in LIBRARIES:
        for gate, meaning in integers.GATES.items():
            yield equivalence(
                f"cell.{library}.{gate}",
                f"the {library} {gate} gate is its Boolean function",
                circuit=partial(gate_netlist, library, gate),
                meaning=meaning,
                parameters={"family": "cell", "library": library, "operation": gate},
                function=f"the Boolean function {gate}",
            )
        for gate, meaning in integers.WIDE_GATES.items():
            for width in WIDTHS:
                yield equivalence(
                    f"cell.{library}.{gate}.{width}",
                    f"the {library} {gate} gate of {width} inputs is its Boolean function",
                    circuit=partial(wide_gate_netlist, library, gate, width),
                    meaning=meaning,
                    parameters={
                        "family": "cell",
                        "library": library,
                        "operation": gate,
                        "width": str(width),
                    },
                    function=f"the Boolean function {gate} of {width} inputs",
                )
