"""Cuts for some inputs only: what is shown of the others, the laws assumed, and wrong uses."""

from dataclasses import replace
from itertools import product

import pytest
from pysmt.shortcuts import BV, TRUE, BVOr, BVType, BVXor, Equals, Not, Symbol

from spikeproof.circuits.netlist import NetlistBuilder
from spikeproof.prover.claims.obligation import Decomposition, Step, equivalence
from spikeproof.prover.engines.engine import ENGINES
from spikeproof.prover.evidence.record import Status
from spikeproof.prover.kernel.algebra import product_laws, shifted_product
from spikeproof.prover.kernel.composition import OTHERWISE, CompositionError, compose

# --- a small circuit ----------------------------------------------------------------------------
#
# Of two bits and a flag: the "sum" is their exclusive or, but where the flag is set the circuit has 0
# there, and delivers 1 whatever it is.


def circuit(at_flag=1):
    builder = NetlistBuilder()
    (a,), (b,), (flag,) = (builder.input(name, 1) for name in ("a", "b", "flag"))
    both = builder.neuron([(a, 1), (b, 1)], 2)
    odd = builder.neuron([(a, 1), (b, 1), (both, -2), (flag, -2)], 1)
    delivered = builder.neuron([(odd, 1), (flag, at_flag)], 1)
    builder.probe("sum", (odd,))
    return builder.build({"result": (delivered,)})


def spec(inputs, probe):
    total = probe("sum", BVXor(inputs["a"], inputs["b"]))
    return {"result": BVOr(total, inputs["flag"])}


def unflagged(inputs):
    return Equals(inputs["flag"], BV(0, 1))


def lemmas(netlist, when=unflagged, spec=spec, otherwise=None):
    last = Step((), given=("sum",))
    decomposition = Decomposition(spec, (Step(("sum",)),), last, when=when, otherwise=otherwise)

    def meaning(inputs):
        return spec(inputs, lambda name, value: value)

    obligation = equivalence("small", "a small circuit", lambda: netlist, meaning)
    return compose(netlist, decomposition, obligation.state(netlist))


def holds(claim):
    answer = ENGINES["cadical"].check([*claim.assumptions, Not(claim.goal)], 60)
    return answer.status is Status.UNSATISFIABLE


def test_values_that_differ_where_they_do_not_matter_are_no_harm():
    assert not holds(lemmas(circuit(), when=None)["sum"])
    assert all(map(holds, lemmas(circuit()).values()))


def test_what_the_condition_leaves_out_is_shown_all_the_same():
    """A circuit that is right under the condition, and wrong otherwise."""
    made = lemmas(circuit(at_flag=-1))
    assert holds(made["sum"])
    assert holds(made["outputs"])
    assert not holds(made[OTHERWISE])


def test_apart_the_spec_may_not_borrow_the_circuits_value():
    """Where the outputs do depend on the value, the two are free of each other."""
    made = lemmas(circuit(), when=lambda inputs: Equals(inputs["a"], BV(0, 1)))
    assert not holds(made[OTHERWISE])


def by_a(inputs):
    return {"a": Equals(inputs["a"], BV(1, 1)), "not a": Equals(inputs["a"], BV(0, 1))}


def test_what_the_condition_leaves_out_may_be_split_into_cases():
    made = lemmas(circuit(), otherwise=by_a)
    names = {f"{OTHERWISE}, a", f"{OTHERWISE}, not a", f"cases of {OTHERWISE}"}
    assert made.keys() == {"sum", "outputs", *names}
    assert all(map(holds, made.values()))
    wrong = lemmas(circuit(at_flag=-1), otherwise=by_a)
    assert not holds(wrong[f"{OTHERWISE}, a"])


def test_cases_that_leave_inputs_out_do_not_cover():
    made = lemmas(circuit(), otherwise=lambda inputs: {"a": by_a(inputs)["a"]})
    assert holds(made[f"{OTHERWISE}, a"])
    assert not holds(made[f"cases of {OTHERWISE}"])


def test_cases_are_about_inputs_alone():
    other = Equals(Symbol("free.sum", BVType(1)), BV(0, 1))
    with pytest.raises(CompositionError, match="a case is not about the inputs alone"):
        lemmas(circuit(), otherwise=lambda inputs: {"one": other, "none": Not(other)})


def test_a_condition_is_about_inputs_alone():
    other = Equals(Symbol("free.sum", BVType(1)), BV(0, 1))
    with pytest.raises(CompositionError, match="not about the inputs alone"):
        lemmas(circuit(), when=lambda inputs: other)


def test_a_condition_that_always_holds_leaves_nothing_out_and_is_seen_to_do_so():
    made = lemmas(circuit(), when=lambda inputs: TRUE())
    assert not holds(made["sum"])
    assert ENGINES["cadical"].check(made[OTHERWISE].assumptions, 60).status is Status.UNSATISFIABLE


def test_an_input_with_the_name_of_a_circuits_value_is_refused():
    netlist = circuit()
    inputs = {"a": 1, "b": 1, "circuit.sum": 1}
    renamed = replace(netlist, inputs=inputs)

    def of_renamed(inputs, probe):
        total = probe("sum", BVXor(inputs["a"], inputs["b"]))
        return {"result": BVOr(total, inputs["circuit.sum"])}

    with pytest.raises(CompositionError, match="the name of a free probe"):
        lemmas(renamed, lambda inputs: Equals(inputs["a"], BV(0, 1)), of_renamed)


# --- laws ---------------------------------------------------------------------------------------


def true(formula):
    return formula.simplify().is_true()


@pytest.mark.parametrize(("n", "m"), [(1, 1), (2, 3), (3, 3)])
def test_laws_of_products_hold_of_all_integers(n, m):
    for x, y in product(range(1 << n), range(1 << m)):
        assert true(product_laws(BV(x, n), BV(y, m), BV(x * y, n + m)))


def test_laws_of_products_say_something():
    assert not true(product_laws(BV(0, 3), BV(5, 3), BV(5, 6)))
    assert not true(product_laws(BV(1, 3), BV(5, 3), BV(0, 6)))
    assert not true(product_laws(BV(4, 3), BV(4, 3), BV(15, 6)))
    assert not true(product_laws(BV(1, 3), BV(5, 3), BV(4, 6)))
    assert not true(product_laws(BV(5, 3), BV(1, 3), BV(4, 6)))


def test_laws_of_shifted_products_hold_of_all_integers():
    size, numbers = 3, range(1 << 3)
    for x, y, p, q in product(numbers, repeat=4):
        own = (BV(x, size), BV(y, size), BV(x * y, 2 * size))
        other = (BV(p, size), BV(q, size), BV(p * q, 2 * size))
        assert true(shifted_product(own, other)), (x, y, p, q)


def test_laws_of_shifted_products_say_something():
    own = (BV(1, 3), BV(5, 3), BV(5, 6))
    assert not true(shifted_product(own, (BV(4, 3), BV(5, 3), BV(5, 6))))
    assert not true(shifted_product(own, (BV(4, 3), BV(5, 3), BV(20 + 32, 6))))
    assert true(shifted_product(own, (BV(3, 3), BV(5, 3), BV(5, 6))))  # 3 is not 1, shifted
