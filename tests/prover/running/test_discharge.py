"""Outcomes: each of the five arises as it should, and only the promised one is green."""

import json
import os
import subprocess
import sys
import time
from dataclasses import replace

import pytest
from pysmt.fnode import FNode
from pysmt.shortcuts import BV, BVUGT, BVULT, And, BVMul, BVType, Equals, Not, Symbol

from spikeproof.circuits.meanings.bitsliced import netlist_logic
from spikeproof.circuits.netlist import NetlistError
from spikeproof.circuits.units.libraries import gate_netlist, wide_gate_netlist
from spikeproof.prover.checking.replays import expected_outputs, replays
from spikeproof.prover.checking.verification import Verifier
from spikeproof.prover.claims.catalogue import CatalogueError, Collection, catalogue, select, theorem
from spikeproof.prover.claims.obligation import Claim, Obligation, Outcome, equivalence
from spikeproof.prover.engines.engine import ENGINES, Answer, Engine
from spikeproof.prover.evidence.archive import Archive
from spikeproof.prover.evidence.log import Log
from spikeproof.prover.evidence.record import EngineUse, Record, Status
from spikeproof.prover.kernel.case import Case
from spikeproof.prover.kernel.composition import CompositionError
from spikeproof.prover.refutation import exhaustion
from spikeproof.prover.refutation.exhaustion import violating_at_random
from spikeproof.prover.refutation.mutation import stuck_at_zero
from spikeproof.prover.running import discharge as discharge_module
from spikeproof.prover.running import run as run_module
from spikeproof.prover.running.discharge import discharge
from spikeproof.prover.running.inquiry import Inquiry, Keeping
from spikeproof.prover.running.run import Run, discharge_all
from spikeproof.prover.running.stages import Stages
from spikeproof.specs import integers

AT_ONCE = discharge_module._at_once
PRODUCT = "fp8_e4m3fn.multiply.rne.saturate"
OR = gate_netlist("ionic", "or")


def formula_obligation(goal, *assumptions, expected=Outcome.PROVED):
    """An obligation about two 24-bit numbers."""

    def state(netlist):
        x, y = (Symbol(name, BVType(24)) for name in ("x", "y"))
        taken = tuple(assumption(x, y) for assumption in assumptions)
        return Claim({"x": x, "y": y}, goal(x, y), taken)

    return Obligation("an.obligation", "a statement", state, expected=expected, engines=("z3",))


def commutes(x, y):
    return Equals(BVMul(x, y), BVMul(y, x))


def is_composite(x, y):
    """Hard to decide: 0xfe9e9f is not the product of two smaller numbers."""
    in_range = And(BVULT(x, BV(1 << 12, 24)), BVULT(y, BV(1 << 12, 24)), BVUGT(x, BV(1, 24)))
    return Not(And(in_range, BVUGT(y, BV(1, 24)), Equals(BVMul(x, y), BV(4093 * 4091, 24))))


def replace_z3(monkeypatch, check):
    monkeypatch.setitem(ENGINES, "z3", Engine(EngineUse("a stand-in", "1", ""), check))


def test_proved():
    result = discharge(formula_obligation(commutes))
    assert result.outcome is Outcome.PROVED
    assert result.green


def test_expected_outputs_are_integers_of_python(monkeypatch):
    """Where gmpy2 is installed pySMT's constants are its numbers, which neither Decimal nor JSON has."""
    constant = FNode.constant_value

    class Foreign(int):
        pass

    def foreign(node):
        value = constant(node)
        return value if isinstance(value, bool) else Foreign(value)

    monkeypatch.setattr(FNode, "constant_value", foreign)
    obligation = theorem("fp4_e2m1.add.rne.saturate")
    expected = expected_outputs(obligation.state(obligation.circuit()), {"x": 1, "y": 0})
    assert expected == {"result": 1}
    assert type(expected["result"]) is int


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
    replace_z3(monkeypatch, lambda *_: Answer(Status.UNKNOWN, reason="incomplete"))
    result = discharge(formula_obligation(commutes, lambda x, y: BVULT(x, y)))
    assert result.outcome is Outcome.UNKNOWN
    assert "whether the assumptions can be satisfied" in result.message


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (Status.UNKNOWN, Outcome.UNKNOWN),
        (Status.TIMEOUT, Outcome.TIMEOUT),
        # The engine claims a counterexample, but x = y = 0 does not violate the claim.
        (Status.SATISFIABLE, Outcome.ERROR),
    ],
)
def test_the_engine_is_not_believed_blindly(monkeypatch, status, outcome):
    replace_z3(monkeypatch, lambda *_: Answer(status, reason="a reason"))
    result = discharge(formula_obligation(commutes))
    assert result.outcome is outcome
    assert not result.green


def test_an_exception_is_an_error(monkeypatch):
    def fail(*_):
        raise RuntimeError("out of order")

    replace_z3(monkeypatch, fail)
    result = discharge(formula_obligation(commutes))
    assert result.outcome is Outcome.ERROR
    assert result.message == "RuntimeError: out of order"


def test_a_spec_that_forgets_an_output_is_an_error():
    obligation = equivalence(
        "half.adder",
        "a half adder without carry",
        circuit=lambda: gate_netlist("ionic", "half_adder"),
        meaning=lambda buses: {"sum": integers.half_adder(buses)["sum"]},
    )
    result = discharge(obligation)
    assert result.outcome is Outcome.ERROR
    assert "the circuit has outputs ['carry', 'sum'], its meaning ['sum']" in result.message


def test_another_circuit_must_have_the_same_buses():
    obligation = catalogue()["cell.ionic.and"]
    with pytest.raises(NetlistError, match=r"bus mismatch: cell.ionic.and needs input buses"):
        discharge(obligation, circuit=gate_netlist("ionic", "not"))
    with pytest.raises(NetlistError, match=r"bus mismatch: cell.ionic.and needs output buses"):
        discharge(obligation, circuit=gate_netlist("ionic", "half_adder"))
    wide = wide_gate_netlist("ionic", "wide_or", 3)
    with pytest.raises(NetlistError, match=r"width mismatch: cell.ionic.wide_or.2 needs input buses"):
        discharge(catalogue()["cell.ionic.wide_or.2"], circuit=wide)
    with pytest.raises(NetlistError, match="about formulas, not about a circuit"):
        discharge(formula_obligation(commutes), circuit=gate_netlist("ionic", "and"))
    assert discharge(obligation, circuit=gate_netlist("threshold", "and")).green


@pytest.mark.parametrize("integers_of_gmpy", ["True", "False"])
def test_verdicts_do_not_depend_on_whose_integers_pysmt_has(integers_of_gmpy):
    """Found by a run with gmpy2 installed: pySMT then has integers that are none of Python's."""
    name = "margin.unit.fp8_e4m3fn.add.rne.saturate.noise.below"
    ran = subprocess.run(
        [sys.executable, "-m", "spikeproof", "prove", name, "--no-cache"],
        env={**os.environ, "PYSMT_GMPY": integers_of_gmpy},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_operands_are_taken_by_name_not_by_position():
    """Found in review: a circuit that computes less(y, x), and lists y before x."""
    own = catalogue()["fp8_e4m3fn.less"].circuit()
    swapped = replace(own, inputs=dict(reversed(own.inputs.items())))
    result = discharge(catalogue()["fp8_e4m3fn.less"], circuit=swapped)
    assert result.outcome is Outcome.REFUTED


def test_a_given_circuit_is_to_be_proved_even_where_ours_is_to_be_refuted():
    name = "fp6_e3m2.sticky_extra_multiply.rne.saturate.without_round_route"
    obligation = catalogue()[name]
    right = catalogue()["fp6_e3m2.multiply.rne.saturate"].circuit()
    assert discharge(obligation).green
    given = discharge(obligation, circuit=right)
    assert given.green
    assert given.statement == (
        "fp6_e3m2: x * y rounded nearest even, overflow saturates, "
        f"of the circuit of SHA-256 {right.sha256[:12]}"
    )
    wrong = discharge(obligation, circuit=obligation.circuit())
    assert wrong.outcome is Outcome.REFUTED
    assert not wrong.green


def test_engines_that_disagree_are_an_error_of_the_loudest_kind(monkeypatch):
    obligation = replace(
        formula_obligation(lambda x, y: Not(Equals(x, BV(77, 24)))), engines=("cadical", "z3")
    )
    assert discharge(obligation).outcome is Outcome.REFUTED
    replace_z3(monkeypatch, lambda *_: Answer(Status.UNSATISFIABLE))
    result = discharge(obligation)
    assert result.outcome is Outcome.ERROR
    assert "ENGINES DISAGREE" in result.message


def test_cadical_decides_and_can_be_stopped():
    both = replace(formula_obligation(is_composite), engines=("cadical",))
    hard = replace(formula_obligation(commutes), engines=("cadical",))
    assert discharge(hard, timeout=0.001).outcome is Outcome.TIMEOUT
    assert discharge(both).outcome is Outcome.REFUTED
    easy = replace(formula_obligation(lambda x, y: Equals(x, x)), engines=("cadical",))
    assert discharge(easy).outcome is Outcome.PROVED


@pytest.mark.parametrize("name", ["fp4_e2m1.multiply.rne.saturate", "fp4_e2m1.less"])
def test_of_a_given_circuit_engines_without_certificates_need_not_answer(monkeypatch, tmp_path, name):
    allowed = []

    def undecided(_, timeout):
        allowed.append(timeout)
        return Answer(Status.TIMEOUT, reason="timeout")

    obligation, archive = catalogue()[name], Archive(tmp_path)
    circuit = obligation.circuit()
    assert [use.name for use in discharge(obligation, circuit=circuit).engines] == ["z3", "cadical"]
    replace_z3(monkeypatch, undecided)
    found = discharge(obligation, circuit=circuit, keeping=Keeping(archive))
    assert found.outcome is Outcome.PROVED
    assert [use.name for use in found.engines] == ["cadical"]
    assert 0 < max(allowed) <= discharge_module.SECOND_SECONDS
    assert not Verifier(archive, circuit=circuit).verify(found).refusal
    assert discharge(obligation).outcome is Outcome.TIMEOUT


@pytest.mark.parametrize("name", ["fp4_e2m1.multiply.rne.saturate", "fp4_e2m1.less"])
def test_of_a_given_circuit_engines_without_certificates_must_not_disagree(monkeypatch, name):
    replace_z3(monkeypatch, lambda *_: Answer(Status.SATISFIABLE))
    found = discharge(catalogue()[name], circuit=catalogue()[name].circuit())
    assert found.outcome is Outcome.ERROR


def test_a_circuit_that_cannot_be_built_is_an_error():
    def broken():
        raise NetlistError("out of neurons")

    result = discharge(replace(catalogue()["cell.ionic.and"], circuit=broken))
    assert result.outcome is Outcome.ERROR
    assert result.message == "NetlistError: out of neurons"


def test_what_cannot_be_promised_or_assumed_is_refused():
    with pytest.raises(ValueError, match="only proved or refuted can be promised"):
        formula_obligation(commutes, expected=Outcome.ERROR)
    x = Symbol("x", BVType(4))
    lazily = (Equals(x, x) for _ in range(1))
    with pytest.raises(TypeError, match="assumptions must be a tuple"):
        Claim({"x": x}, Equals(x, x), assumptions=lazily)
    odd = Symbol("a\0b", BVType(4))
    with pytest.raises(ValueError, match="must be a symbol of that name"):
        Claim({"a\0b": odd}, Equals(odd, odd))


def test_what_a_circuit_of_ones_own_notes_is_in_the_record():
    """Of an obligation's own circuit too, such as an import that a package makes promises of."""
    noted = replace(gate_netlist("ionic", "and"), notes=("only sampled",))
    own = replace(catalogue()["cell.ionic.and"], circuit=lambda: noted)
    assert discharge(own).notes == discharge(catalogue()["cell.ionic.and"], circuit=noted).notes
    assert discharge(own).notes == ("only sampled",)


def test_records_survive_json():
    result = discharge(catalogue()["cell.nexus.xor"])
    assert Record.from_json(result.as_json()) == result


def test_many_in_parallel_are_what_one_at_a_time_is():
    names = [o.name for o in select("cell.*.full_adder")]
    parallel = {r.theorem: r.outcome for r in discharge_all(names, Run(), jobs=2)}
    assert parallel == {r.theorem: r.outcome for r in discharge_all(names, Run(), jobs=1)}
    assert set(parallel.values()) == {Outcome.PROVED}


def die(*_):
    import os

    os._exit(1)


def test_a_dead_process_is_an_error_not_a_success(monkeypatch):
    monkeypatch.setattr(run_module, "_discharge_named", die)
    results = list(discharge_all(["cell.ionic.and", "cell.ionic.or"], Run(), jobs=2))
    assert {r.theorem for r in results} == {"cell.ionic.and", "cell.ionic.or"}
    assert all(r.outcome is Outcome.ERROR and "process" in r.message for r in results)


def test_names_are_unique_and_patterns_must_match():
    obligation = formula_obligation(commutes)
    with pytest.raises(CatalogueError, match=r"two obligations are named an\.obligation"):
        Collection([obligation, replace(obligation)]).whole()
    with pytest.raises(CatalogueError, match=r"did you mean .*cell\.ionic\.and"):
        select("cell.ionic.an")


def test_what_could_not_be_stated_is_not_taken_for_what_does_not_exist():
    def interrupted():
        yield formula_obligation(commutes)
        raise KeyboardInterrupt

    some = Collection(interrupted())
    assert some.get("an.obligation").name == "an.obligation"
    with pytest.raises(KeyboardInterrupt):
        some.get("another.obligation")
    for _ in range(2):
        with pytest.raises(CatalogueError, match="not all theorems could be stated; start again"):
            some.get("another.obligation")
        with pytest.raises(CatalogueError, match="not all theorems"):
            some.whole()


# --- simulation ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["fp8_e4m3fn.add.rne.saturate", "fp32.add.rne", "block.threshold.add.8"]
)
def test_a_given_circuit_that_is_wrong_is_refuted_before_an_engine_is_asked(name, monkeypatch):
    def asked(*_):
        raise AssertionError("an engine was asked")

    monkeypatch.setattr(discharge_module, "_at_once", AT_ONCE)
    monkeypatch.setattr(Inquiry, "answers", asked)
    obligation = catalogue()[name]
    netlist = obligation.circuit()
    wrong = stuck_at_zero(netlist, next(iter(netlist.outputs.values()))[1]).netlist
    found = discharge(obligation, circuit=wrong)
    assert found.outcome is Outcome.REFUTED, found.message
    assert found.counterexample
    assert found.lemmas == ()
    assert "an engine was asked" in discharge(obligation, circuit=netlist).message


def test_the_promised_refutation_of_an_own_circuit_is_left_to_the_engines():
    wrong = replace(formula_obligation(lambda x, y: Equals(x, y)), expected=Outcome.REFUTED)
    assert discharge(wrong).lemmas


def test_inputs_at_random_refute_only_what_is_wrong():
    obligation = catalogue()["fp16.add.rne"]
    netlist = obligation.circuit()
    assert violating_at_random(obligation.state(netlist), netlist) is None
    wrong = stuck_at_zero(netlist, netlist.probes["rounded"][0]).netlist
    claim = obligation.state(wrong)
    found = violating_at_random(claim, wrong)
    assert found
    assert replays(wrong, claim, found)


def test_inputs_at_random_end_when_their_time_is_up(monkeypatch):
    """Machine code for a 53-bit multiplier alone took four minutes of a proof's twenty."""
    monkeypatch.setattr(discharge_module, "_random_answer", lambda *_: time.sleep(60))
    monkeypatch.setattr(discharge_module, "RANDOM_SECONDS", 0.05)
    obligation = catalogue()["fp8_e4m3fn.add.rne.saturate"]
    case, stages = Case.of(obligation, obligation.circuit()), Stages()
    attempt = discharge_module._Attempt(case, time.perf_counter(), None, 1, Keeping(), stages)
    assert attempt._refuted_after(CompositionError("no lemmas")) is None
    assert stages.done[-1].name == "simulation at random"
    assert stages.done[-1].found == "no counterexample before time was up"


def test_inputs_at_random_refute_in_a_process_of_their_own():
    obligation = catalogue()["fp8_e4m3fn.add.rne.saturate"]
    wrong = stuck_at_zero(obligation.circuit(), obligation.circuit().probes["rounded"][0]).netlist
    found = discharge_module._at_random(Case.of(obligation, wrong), seconds=60)
    assert found
    assert replays(wrong, obligation.state(wrong), found.counterexample)


# --- trying every input, where no engine answers --------------------------------------------------


def undecided(monkeypatch, name):
    """An obligation whose engine never answers."""
    replace_z3(monkeypatch, lambda *_: Answer(Status.TIMEOUT, reason="timeout"))
    return replace(catalogue()[name], engines=("z3",), decomposition=None)


def test_where_no_engine_answers_every_input_is_tried_and_proves_nothing(monkeypatch, tmp_path):
    obligation = undecided(monkeypatch, PRODUCT)
    log = Log(tmp_path)
    result = discharge(obligation, keeping=Keeping(log=log))
    assert result.outcome is Outcome.TIMEOUT
    assert not result.green
    assert "all 65,536 inputs were tried besides, in " in result.message
    assert "none fails: a test of every one, but no proof" in result.message
    record = json.loads(log.exhaustive(PRODUCT).read_text())
    assert (record["inputs"], record["compared"][0]["failures"]) == (65536, 0)
    assert not log.exhaustive(PRODUCT, unfinished=True).exists()
    assert "inputs were tried besides" in discharge(obligation).message


def test_where_no_engine_answers_an_input_that_fails_refutes(monkeypatch, tmp_path):
    obligation = undecided(monkeypatch, PRODUCT)
    netlist = obligation.circuit()
    wrong = stuck_at_zero(netlist, netlist.outputs["result"][3]).netlist
    result = discharge(obligation, circuit=wrong)
    assert result.outcome is Outcome.REFUTED
    assert replays(wrong, obligation.state(wrong), result.counterexample)
    assert "of all 65,536 inputs" in result.message


def test_an_input_that_fails_only_where_compiled_is_an_error(monkeypatch):
    obligation = undecided(monkeypatch, "cell.ionic.and")
    monkeypatch.setattr(exhaustion, "netlist_logic", lambda _: netlist_logic(OR))
    result = discharge(obligation)
    assert result.outcome is Outcome.ERROR
    assert "enumeration gave a counterexample that does not replay" in result.message


def test_trying_every_input_ends_in_time_and_can_be_continued(monkeypatch, tmp_path):
    obligation = undecided(monkeypatch, PRODUCT)
    monkeypatch.setattr(exhaustion, "CHUNK", 1 << 12)
    monkeypatch.setattr(discharge_module, "ENUMERATION_SECONDS", 0.0)
    log = Log(tmp_path)
    result = discharge(obligation, timeout=1e-6, keeping=Keeping(log=log))
    assert result.outcome is Outcome.TIMEOUT
    assert "trying all 65,536 inputs was not finished in 1e-06 s; `spikeproof exhaust`" in result.message
    assert not log.exhaustive(PRODUCT).exists()
    checkpoint = json.loads(log.exhaustive(PRODUCT, unfinished=True).read_text())
    assert 0 < len(checkpoint["chunks"]) < 16


@pytest.mark.parametrize("name", ["fp32.less", "spec.fp4_e2m1.round.rne.exact"])
def test_what_has_too_many_inputs_or_no_circuit_is_not_tried(monkeypatch, name):
    monkeypatch.setattr(exhaustion, "enumerate_all", None)
    result = discharge(replace(undecided(monkeypatch, name), cases=None))
    assert result.outcome is Outcome.TIMEOUT
    assert "tried" not in result.message
    assert result.message.endswith("raise --timeout")


def test_what_is_decided_is_not_tried(monkeypatch):
    monkeypatch.setattr(exhaustion, "enumerate_all", None)
    assert discharge(catalogue()["cell.ionic.and"]).green
    assert discharge(catalogue()["cell.ionic.and"], circuit=OR).outcome is Outcome.REFUTED
