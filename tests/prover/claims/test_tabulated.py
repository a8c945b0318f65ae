"""Claims that a circuit computes a table: what they say, as data and as formulas."""

import hashlib
from contextlib import nullcontext
from dataclasses import fields

import numpy as np
import pytest
from pysmt.shortcuts import BV, BVUGT, BVLShr

from spikeproof.circuits.meanings import carry_save
from spikeproof.circuits.netlist import Netlist, NetlistBuilder
from spikeproof.prover.checking.every_input import ViolatedError, require_true_of_every_input
from spikeproof.prover.claims.given import GivenClaim, Table
from spikeproof.prover.claims.obligation import Claim, Outcome, StatementError
from spikeproof.prover.claims.regions import stated_at_once
from spikeproof.prover.claims.tabulated import TabulatedClaim, TruthTable, tabulated
from spikeproof.prover.encoding.evaluation import Evaluation
from spikeproof.prover.encoding.smtlib import spec_sha256
from spikeproof.prover.running.discharge import discharge
from tests.support.refusals import refused
from tests.support.tables import BITS, root, roots, theorem

X = {"x": np.arange(1 << BITS, dtype=np.uint64)}


def without_lowest(inputs, outputs):
    return {"result": BVLShr(outputs["result"], BV(1, BITS // 2))}


def formulas_made(claim):
    return {each.name for each in fields(Claim)} & vars(claim).keys()


def test_formulas_are_made_if_somebody_asks():
    claim = theorem().state(root())
    spec_sha256(claim)
    claim.of_input({"x": 5})
    assert formulas_made(claim) == {"inputs", "assumptions", "counting"}
    assert not claim.goal.is_constant()
    assert formulas_made(claim) == {each.name for each in fields(Claim)}


@pytest.mark.parametrize("observed", [None, without_lowest])
def test_formulas_say_what_table_and_circuit_do(observed):
    claim = theorem(**({"observed": observed} if observed else {})).state(root(shift=1))
    found = Evaluation({"goal": claim.goal, **claim.expected}).evaluate(X)
    wanted = roots()["result"]
    assert np.array_equal(found["result"], wanted)
    shifted = np.append(0, wanted[:-1])
    assert np.array_equal(found["goal"].astype(bool), wanted == shifted) == (observed is None)
    assert np.array_equal(
        found["goal"].astype(bool), wanted >> bool(observed) == shifted >> bool(observed)
    )


def test_a_claim_of_one_input_says_the_same_of_it():
    claim = theorem().state(root(shift=1))
    for x in (0, 15, 16, 17, 1023):
        alone = Evaluation({"goal": claim.of_input({"x": x}).goal})
        whole = Evaluation({"goal": claim.goal})
        one = {"x": np.array([x], dtype=np.uint64)}
        assert alone.evaluate(one)["goal"] == whole.evaluate(one)["goal"] == (x not in (16,))


def test_buses_come_in_order_the_first_varying_fastest():
    netlist = Netlist({"a": 2, "b": 1}, (), {"out": (0, 1, 2)})
    table = TruthTable.of("t", netlist, {"out": np.arange(8, dtype=np.uint8)})
    assert table.at({"a": 2, "b": 1}) == {"out": 6}
    claim = TabulatedClaim(netlist, table, {})
    inputs = {"a": np.arange(8, dtype=np.uint64) & np.uint64(3), "b": np.arange(8, dtype=np.uint64) >> 2}
    assert Evaluation({"goal": claim.goal}).evaluate(inputs)["goal"].all()
    assert table.at(inputs)["out"].tolist() == list(range(8))


def test_the_canonical_form_in_full():
    netlist = Netlist({"a": 1}, (), {"z": (0,), "out": (0, 0)})
    results = {"z": np.array([0, 1], dtype=np.uint16), "out": np.array([0, 3], dtype=np.uint64)}
    table = TruthTable.of("t", netlist, results)
    assert table.content == (
        b'{"schema":"spikeproof-table-1","inputs":[["a",1]],"outputs":[["out",2],["z",1]]}\n'
        + bytes([0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0])
        + bytes([0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0])
    )
    claim = TabulatedClaim(netlist, table, {})
    assert spec_sha256(claim) == hashlib.sha256(table.content).hexdigest()


def test_digests_tell_tables_observations_and_assumptions_apart():
    claim = theorem().state(root())
    others = [
        theorem(results=lambda: roots(wrong=7)).state(root()),
        theorem(observed=without_lowest).state(root()),
        claim.assuming(BVUGT(claim.inputs["x"], BV(3, BITS))),
    ]
    assert len({spec_sha256(each) for each in (claim, *others)}) == 4
    assert spec_sha256(theorem().state(root(shift=3))) == spec_sha256(claim)


def test_claims_of_other_circuits_with_the_same_buses():
    claim = stated_at_once(theorem(), root())
    assert isinstance(claim, TabulatedClaim)
    assert claim.netlist.neurons == ()


@pytest.mark.parametrize(
    ("results", "words"),
    [
        ({"other": np.zeros(1 << BITS, dtype=np.uint8)}, "outputs .'result'., its table .'other'."),
        ({"result": np.zeros(7, dtype=np.uint8)}, "an array of 1024 unsigned integers"),
        ({"result": np.zeros(1 << BITS, dtype=np.int8)}, "an array of 1024 unsigned integers"),
        ({"result": np.full(1 << BITS, 32, dtype=np.uint8)}, "between 0 and 31 to fit 5 bits"),
    ],
)
def test_a_table_that_is_none_of_the_circuit_is_refused(results, words):
    with refused(words, StatementError):
        theorem(results=lambda: results).state(root())


def test_tables_are_of_few_bits():
    netlist = Netlist({"x": 17}, (), {"result": (0,)})
    with refused("up to 16 input bits; these are 17", StatementError):
        theorem().state(netlist)


def less(order, first, second):
    """A circuit of two-bit buses, declared in some order, that says whether one is less than another."""
    builder = NetlistBuilder()
    buses = {name: builder.input(name, 2) for name in order}
    weights = ((buses[second], 1), (buses[first], -1))
    synapses = [(bus[place], sign << place) for bus, sign in weights for place in (0, 1)]
    return builder.build({"result": (builder.neuron(synapses, 1),)})


X_LESS_THAN_Y = np.array([x < y for y in range(4) for x in range(4)]).astype(np.uint64)


@pytest.mark.parametrize("order", ["xy", "yx"])
@pytest.mark.parametrize("kind", ["evaluated", "given"])
def test_a_table_is_in_the_order_of_its_own_buses_whatever_the_circuits(kind, order):
    """Found in review: a circuit of y < x that lists y first was proved to be x < y."""
    if kind == "given":
        table = Table(None, {"result": tuple(map(int, X_LESS_THAN_Y))})
        claim = GivenClaim("x < y", {"x": 2, "y": 2}, {"result": 1}, table=table)
        obligation = claim.obligation()
    else:
        obligation = tabulated(
            "acme.less",
            "x < y",
            lambda: less("xy", "x", "y"),
            lambda: {"result": X_LESS_THAN_Y},
            function="x < y",
        )
    for first, second, outcome in (("x", "y", Outcome.PROVED), ("y", "x", Outcome.REFUTED)):
        circuit = less(order, first, second)
        assert discharge(obligation, circuit=circuit).outcome is outcome
        with nullcontext() if outcome is Outcome.PROVED else pytest.raises(ViolatedError):
            require_true_of_every_input(obligation.state(circuit), carry_save.evaluate)
