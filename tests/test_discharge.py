"""Outcomes: each of the five arises as it should, and only the promised one is green."""

from dataclasses import replace

import pytest
from pysmt.shortcuts import BV, BVUGT, BVULT, And, BVMul, BVType, Equals, Not, Symbol

from circuits.libraries import gate_netlist
from circuits.netlist import NetlistError
from prover import discharge as discharge_module
from prover import engine
from prover.catalogue import CatalogueError, catalogue, collect, select
from prover.discharge import Result, discharge, discharge_all
from prover.obligation import Claim, Obligation, Outcome, equivalence
from specs import integers


def formula_obligation(goal, *assumptions, expected=Outcome.PROVED):
    """An obligation about two 24-bit numbers."""

    def state(netlist):
        x, y = (Symbol(name, BVType(24)) for name in ("x", "y"))
        taken = tuple(assumption(x, y) for assumption in assumptions)
        return Claim({"x": x, "y": y}, goal(x, y), taken)

    return Obligation("an.obligation", "a statement", state, expected=expected)


def commutes(x, y):
    return Equals(BVMul(x, y), BVMul(y, x))


def is_composite(x, y):
    """Hard to decide: 0xfe9e9f is not the product of two smaller numbers."""
    in_range = And(BVULT(x, BV(1 << 12, 24)), BVULT(y, BV(1 << 12, 24)), BVUGT(x, BV(1, 24)))
    return Not(And(in_range, BVUGT(y, BV(1, 24)), Equals(BVMul(x, y), BV(4093 * 4091, 24))))


def test_proved():
    result = discharge(formula_obligation(commutes))
    assert result.outcome is Outcome.PROVED
    assert result.green


def test_refuted_names_the_inputs():
    result = discharge(formula_obligation(lambda x, y: Not(Equals(x, BV(77, 24)))))
    assert result.outcome is Outcome.REFUTED
    assert result.counterexample is not None
    assert result.counterexample["x"] == 77
    assert not result.green


def test_a_promised_refutation_is_green_and_its_absence_is_not():
    false = formula_obligation(lambda x, y: Equals(x, y), expected=Outcome.REFUTED)
    assert discharge(false).green
    true = formula_obligation(commutes, expected=Outcome.REFUTED)
    assert discharge(true).outcome is Outcome.PROVED
    assert not discharge(true).green


def test_timeout():
    result = discharge(formula_obligation(is_composite), timeout=0.001)
    assert result.outcome is Outcome.TIMEOUT
    assert "raise --timeout" in result.message
    assert not result.green


def test_unsatisfiable_assumptions_are_an_error():
    impossible = formula_obligation(commutes, lambda x, y: BVULT(x, y), lambda x, y: BVULT(y, x))
    result = discharge(impossible)
    assert result.outcome is Outcome.ERROR
    assert "vacuous" in result.message


def test_undecided_assumptions_are_not_taken_for_granted(monkeypatch):
    answer = engine.Answer(engine.Status.UNKNOWN, {}, "incomplete")
    monkeypatch.setattr(engine, "check", lambda formulas, timeout: answer)
    result = discharge(formula_obligation(commutes, lambda x, y: BVULT(x, y)))
    assert result.outcome is Outcome.UNKNOWN
    assert "whether the assumptions can be satisfied" in result.message


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (engine.Status.UNKNOWN, Outcome.UNKNOWN),
        (engine.Status.TIMEOUT, Outcome.TIMEOUT),
        # The engine claims a counterexample, but x = y = 0 does not violate the claim.
        (engine.Status.SATISFIABLE, Outcome.ERROR),
    ],
)
def test_the_engine_is_not_believed_blindly(monkeypatch, status, outcome):
    monkeypatch.setattr(engine, "check", lambda *_: engine.Answer(status, {}, "a reason"))
    result = discharge(formula_obligation(commutes))
    assert result.outcome is outcome
    assert not result.green


def test_an_exception_is_an_error(monkeypatch):
    def fail(*_):
        raise RuntimeError("out of order")

    monkeypatch.setattr(engine, "check", fail)
    result = discharge(formula_obligation(commutes))
    assert result.outcome is Outcome.ERROR
    assert result.message == "RuntimeError: out of order"


def test_a_spec_that_forgets_an_output_is_an_error():
    obligation = equivalence(
        "half.adder",
        "a half adder without carry",
        circuit=lambda: gate_netlist("ionic", "half_adder"),
        meaning=lambda b: {"sum": integers.half_adder(b)["sum"]},
    )
    result = discharge(obligation)
    assert result.outcome is Outcome.ERROR
    assert "the circuit has outputs ['carry', 'sum'], its meaning ['sum']" in result.message


def test_another_circuit_must_have_the_same_buses():
    obligation = catalogue()["cell.ionic.and"]
    with pytest.raises(NetlistError, match=r"width mismatch: cell.ionic.and needs input buses"):
        discharge(obligation, circuit=gate_netlist("ionic", "not"))
    with pytest.raises(NetlistError, match=r"width mismatch: cell.ionic.and needs output buses"):
        discharge(obligation, circuit=gate_netlist("ionic", "half_adder"))
    with pytest.raises(NetlistError, match="about formulas, not about a circuit"):
        discharge(formula_obligation(commutes), circuit=gate_netlist("ionic", "and"))
    assert discharge(obligation, circuit=gate_netlist("threshold", "and")).green


def test_results_survive_json():
    result = discharge(catalogue()["cell.nexus.xor"])
    assert Result.from_json(result.as_json()) == result


def test_many_in_parallel_are_what_one_at_a_time_is():
    names = [o.name for o in select("cell.*.full_adder")]
    parallel = {r.theorem: r.outcome for r in discharge_all(names, jobs=2)}
    assert parallel == {r.theorem: r.outcome for r in discharge_all(names, jobs=1)}
    assert set(parallel.values()) == {Outcome.PROVED}


def die(*_):
    import os

    os._exit(1)


def test_a_dead_process_is_an_error_not_a_success(monkeypatch):
    monkeypatch.setattr(discharge_module, "_discharge_named", die)
    results = list(discharge_all(["cell.ionic.and", "cell.ionic.or"], jobs=2))
    assert {r.theorem for r in results} == {"cell.ionic.and", "cell.ionic.or"}
    assert all(r.outcome is Outcome.ERROR and "process" in r.message for r in results)


def test_names_are_unique_and_patterns_must_match():
    obligation = formula_obligation(commutes)
    with pytest.raises(CatalogueError, match=r"two obligations are named an\.obligation"):
        collect([obligation, replace(obligation)])
    with pytest.raises(CatalogueError, match=r"did you mean .*cell\.ionic\.and"):
        select("cell.ionic.an")
