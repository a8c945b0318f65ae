"""Multiplexers of numbers: proved, refuted with a fault, and right by enumeration."""

import pytest

from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.netlist import Netlist
from spikeproof.circuits.units.integer import mux_bus
from spikeproof.circuits.units.libraries import DEFAULT_LIBRARY, library_gates
from spikeproof.proofs.selections import obligation, obligations, select_netlist
from spikeproof.prover.claims.obligation import Outcome
from spikeproof.prover.refutation.drawing import every_input
from spikeproof.prover.running.discharge import discharge
from spikeproof.specs.formats import FP8_E5M2

pytestmark = pytest.mark.usefixtures("counterexamples_as_found")

WRONG = {
    "the other word": lambda gates, which, x, y: mux_bus(gates, gates.not_(which), x, y),
    "one bit always of y": lambda gates, which, x, y: (*mux_bus(gates, which, x[:-1], y[:-1]), y[-1]),
    "both at once": lambda gates, which, x, y: tuple(map(gates.or_, x, y)),
}


def wrong_netlist(select) -> Netlist:
    gates = library_gates(DEFAULT_LIBRARY)
    (which,), *words = (
        gates.builder.input(name, 1 if name == "which" else 8) for name in ("which", "x", "y")
    )
    return gates.builder.build({"result": select(gates, which, *words)})


def test_it_gives_what_the_bit_says_of_all_inputs():
    given = every_input(select_netlist(4).inputs)
    chosen = [x if which else y for which, x, y in zip(*given.values(), strict=True)]
    assert boolean.evaluate(select_netlist(4), given)["result"].tolist() == chosen


@pytest.mark.parametrize("select", WRONG.values(), ids=WRONG)
def test_a_wrong_one_is_refuted(select):
    assert (
        discharge(obligation(FP8_E5M2.name, FP8_E5M2), circuit=wrong_netlist(select)).outcome
        is Outcome.REFUTED
    )


def test_every_format_and_every_kind_of_integer_has_one():
    names = [each.name for each in obligations()]
    assert {"fp32.select", "bfloat16.select", "uint16.select", "bit.select"} <= set(names)
    assert len(set(names)) == len(names)
