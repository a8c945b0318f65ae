"""Outputs shown of values with what the spec computes them from: what that helps, and wrong uses."""

import pytest
from pysmt.shortcuts import BV, BVAnd, BVXor, Not

from spikeproof.circuits.netlist import NetlistBuilder
from spikeproof.prover.claims.obligation import Decomposition, Step, equivalence
from spikeproof.prover.engines.engine import ENGINES
from spikeproof.prover.evidence.record import Status
from spikeproof.prover.kernel.composition import CompositionError, compose

STEPS = (Step(("odd",)), Step(("both",), given=("odd",)))


def circuit(needed=2, of_both=1):
    """Of a and b: their exclusive or, whether both, and whether both and a: which is the same."""
    builder = NetlistBuilder()
    (a,), (b,) = (builder.input(name, 1) for name in ("a", "b"))
    odd = builder.neuron([(a, 1), (b, 1), (builder.neuron([(a, 1), (b, 1)], 2), -2)], 1)
    both = builder.neuron([(a, 1), (odd, -1)], of_both)
    builder.probe("odd", (odd,))
    builder.probe("both", (both,))
    return builder.build({"result": (builder.neuron([(both, 1), (a, 1)], needed),)})


def spec(inputs, probe):
    odd = probe("odd", BVXor(inputs["a"], inputs["b"]))
    return {"result": probe("both", BVAnd(inputs["a"], BVXor(odd, BV(1, 1))))}


def lemmas(netlist, defined, spec=spec):
    last = Step((), given=("both", "odd"))
    decomposition = Decomposition(spec, STEPS, last, defined=defined)

    def meaning(inputs):
        return spec(inputs, lambda name, value: value)

    obligation = equivalence("small", "a small circuit", lambda: netlist, meaning)
    return compose(netlist, decomposition, obligation.state(netlist))


def holds(claim):
    answer = ENGINES["cadical"].check([*claim.assumptions, Not(claim.goal)], 60)
    return answer.status is Status.UNSATISFIABLE


def test_outputs_that_do_not_follow_from_values_alone_follow_with_what_they_are():
    assert not holds(lemmas(circuit(), defined=False)["outputs"])
    assert all(map(holds, lemmas(circuit(), defined=True).values()))


def test_wrong_outputs_do_not_follow_all_the_same():
    assert not holds(lemmas(circuit(needed=1), defined=True)["outputs"])


def test_what_is_assumed_of_a_value_is_to_be_shown_of_it():
    made = lemmas(circuit(of_both=0), defined=True)
    assert holds(made["outputs"])
    assert not holds(made["both"])


def test_a_value_is_nothing_else_where_it_is_taken_as_free():
    asked = []

    def changing(inputs, probe):
        odd = probe("odd", BVXor(inputs["a"], inputs["b"]))
        asked.append(odd.is_symbol())
        both = BVAnd(inputs["a"], BVXor(odd, BV(1, 1)))
        return {"result": probe("both", both if sum(asked) < 2 else BV(0, 1))}

    with pytest.raises(CompositionError, match="not composed of those before them"):
        lemmas(circuit(), True, changing)
