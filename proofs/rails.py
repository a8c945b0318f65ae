"""What is proved of a circuit, of the same circuit on two rails: right values, right complements."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

from pysmt.fnode import FNode
from pysmt.shortcuts import And, BVNot, Equals

from spikeproof.circuits.meanings.formula import input_symbols, output_formulas
from spikeproof.circuits.netlist import Netlist
from spikeproof.circuits.units.dual_rail import (
    COMPLEMENT,
    dual_rail_netlist,
    rails,
    without_complements,
)
from spikeproof.prover.claims.obligation import (
    Claim,
    Decomposition,
    Obligation,
    Rails,
    StatementError,
    Step,
)
from spikeproof.specs.integers import Buses
from spikeproof.specs.symbolic import Probe

PROVISO = ", on both rails: with the complements of outputs, given those of inputs"


def on_both_rails(
    single: Obligation,
    name: str,
    statement: str,
    parameters: Mapping[str, str],
    circuit: Callable[[], Netlist] | None = None,
    rails: Rails = rails,
) -> Obligation:
    """What is promised of a circuit, promised of one on two rails, that has the complement of every bus.

    The inputs' complements are assumed to be that, and the outputs' are to be it. Every lemma is one of
    ``single``, but for one: that each neuron does on both rails what one of the single circuit does.

    Args:
        circuit: that which follows ``single``'s; its own netlist on two rails unless told otherwise.
        rails: where it has the signals of ``single``'s.
    """

    def state(netlist: Netlist | None) -> Claim:
        assert netlist is not None
        inputs, actual = input_symbols(netlist), output_formulas(netlist, input_symbols(netlist))
        claim = _claim_of_values(single, netlist)
        if claim.counting:
            raise StatementError(f"{name} leaves bits of its outputs open, of which no rail is right")
        expected = complemented(claim.expected)
        return Claim(
            inputs=inputs,
            goal=And(Equals(actual[bus], expected[bus]) for bus in expected),
            assumptions=(*assumed_complements(inputs), *claim.assumptions),
            actual=actual,
            expected=expected,
        )

    whole = Decomposition(partial(_outputs, single), (), Step(()))
    return replace(
        single,
        name=name,
        statement=statement + PROVISO,
        state=state,
        circuit=circuit or partial(_on_both_rails, single),
        decomposition=replace(single.decomposition or whole, rails=rails, circuit=_circuit(single)),
        parameters=parameters,
        function=single.function and single.function + PROVISO,
        neighbours=tuple,
    )


def _circuit(single: Obligation) -> Callable[[], Netlist] | None:
    """The circuit that is followed, with all its probes."""
    cut = single.decomposition
    return cut.circuit if cut and cut.circuit else single.circuit


def _on_both_rails(single: Obligation) -> Netlist:
    assert single.circuit
    return dual_rail_netlist(single.circuit())


def _claim_of_values(single: Obligation, netlist: Netlist) -> Claim:
    """What is claimed of a circuit on two rails, complements aside; not of what it does."""
    outputs = without_complements(netlist.output_widths)
    said = {name: (0,) * width for name, width in outputs.items()}
    return single.state(Netlist(without_complements(netlist.inputs), (), said))


def complemented(buses: Buses) -> dict[str, FNode]:
    """Buses, and the complement of each."""
    return {**buses, **{name + COMPLEMENT: BVNot(bus) for name, bus in buses.items()}}


def assumed_complements(inputs: Buses) -> tuple[FNode, ...]:
    """That inputs which carry the complements of others are that; nothing, where none do."""
    pairs = ((bus, name + COMPLEMENT) for name, bus in inputs.items())
    return tuple(Equals(inputs[other], BVNot(bus)) for bus, other in pairs if other in inputs)


def _outputs(single: Obligation, inputs: Buses, probe: Probe) -> Buses:
    """What outputs are to be, as the spec of a proof without steps."""
    assert single.circuit
    return _claim_of_values(single, single.circuit()).expected
