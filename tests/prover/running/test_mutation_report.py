"""Faults of every kind, and the report of how many of them a theorem notices."""

import json
from collections import Counter
from dataclasses import replace

import pytest
from pysmt.shortcuts import BV, BVAnd, Equals

from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.units.libraries import gate_netlist
from spikeproof.prover.claims.catalogue import catalogue
from spikeproof.prover.claims.obligation import Outcome, equivalence
from spikeproof.prover.commands.mutate import exit_code, scores
from spikeproof.prover.evidence.record import Record
from spikeproof.prover.refutation.mutation import FAULTS, mutants, sample, stuck_at_zero
from spikeproof.prover.report.tables import rendered
from spikeproof.prover.running import mutation_report
from spikeproof.prover.running.mutation_report import Report, Verdict, first_difference, judge, judge_all
from tests.support.command_line import spikeproof
from tests.support.logs import record
from tests.support.netlists import all_inputs
from tests.support.profile import NIGHTLY

UNIT = "fp4_e2m1.multiply.rne.saturate"


@pytest.mark.parametrize("name", [UNIT, "fp16.add.rne", "fp8_e5m2.fma.rne", "block.threshold.divide.4"])
def test_mutants_differ_from_the_original_and_from_one_another(name):
    netlist = catalogue()[name].circuit()
    for kind in FAULTS:
        drawn = [m for m, _ in zip(mutants(netlist, kind, 3), range(25), strict=False)]
        assert len(drawn) == 25, kind
        assert len({mutant.fault for mutant in drawn}) == len(drawn)
        assert all(
            (m.netlist.neurons, m.netlist.outputs) != (netlist.neurons, netlist.outputs) for m in drawn
        )


def test_a_sample_is_spread_over_the_kinds_and_the_same_each_time():
    netlist = catalogue()[UNIT].circuit()
    drawn = sample(netlist, 50, seed=1)
    assert Counter(kind for kind, _ in drawn) == dict.fromkeys(FAULTS, 10)
    assert drawn == sample(netlist, 50, seed=1)
    assert drawn != sample(netlist, 50, seed=2)
    assert sample(netlist, 20, seed=1) == drawn[:20]


def test_a_small_gate_has_only_so_many_mutants():
    drawn = sample(gate_netlist("ionic", "not"), 1000, seed=1)
    assert 5 < len(drawn) < 20
    assert {kind for kind, _ in drawn} == {"threshold", "weight", "constant"}


def test_faults_do_what_they_say():
    netlist = catalogue()[UNIT].circuit()
    inputs = all_inputs(netlist)
    by_kind = {kind: [m for k, m in sample(netlist, 150, 1) if k == kind] for kind in FAULTS}
    stuck = next(m for m in by_kind["constant"] if m.fault.endswith("stuck at 1"))
    signal = int(stuck.fault.split()[1])
    assert boolean.evaluate_signals(stuck.netlist, inputs)[signal].all()
    tied = next(m for m in by_kind["constant"] if "reads the constant" in m.fault)
    signal, source = int(tied.fault.split()[1].strip(":")), int(tied.fault.split()[-1])
    assert source not in dict(tied.netlist.neurons[signal - netlist.input_count].synapses)
    faults = " ".join(mutant.fault for mutant in by_kind["block"])
    assert all(word in faults for word in ("inputs:", "outputs:", "exchanged", "shifted by one place"))


@pytest.mark.parametrize(
    "name",
    [
        "cell.ionic.full_adder",
        "cell.ternary.mux",
        "block.nexus.add.4",
        "block.threshold.divide.4",
        "fp4_e2m1.add.rne.saturate",
        "fp6_e3m2.less",
    ],
)
def test_all_that_are_not_benign_are_refuted(name):
    """And what is benign is told so by enumeration, not by the prover alone."""
    obligation = replace(catalogue()[name], engines=("cadical",))
    netlist = obligation.circuit()
    drawn = sample(netlist, 10 if NIGHTLY else len(FAULTS), seed=5)
    verdicts = [judge(obligation, kind, mutant, 60) for kind, mutant in drawn]
    assert {v.outcome for v in verdicts} <= {Outcome.REFUTED, Outcome.PROVED}
    for verdict, (_, mutant) in zip(verdicts, drawn, strict=True):
        same = first_difference(obligation, netlist, mutant.netlist) is None
        assert (verdict.outcome is Outcome.PROVED) == same, mutant.fault


@pytest.mark.parametrize(("b", "found"), [(0, None), (1, {"a": 0, "b": 1})])
def test_differences_beyond_the_assumptions_do_not_count(b, found):
    """AND and XOR agree where a = b = 0, and differ where a = 0 and b = 1."""
    obligation = equivalence(
        "an.and",
        "a statement",
        circuit=lambda: gate_netlist("ionic", "and"),
        meaning=lambda buses: {"out": BVAnd(buses["a"], buses["b"])},
        assumptions=lambda buses: (Equals(buses["a"], BV(0, 1)), Equals(buses["b"], BV(b, 1))),
    )
    one, other = obligation.circuit(), gate_netlist("ionic", "xor")
    assert first_difference(obligation, one, other) == found


def test_a_proof_that_simulation_contradicts_is_an_error(monkeypatch):
    """A prover that proves everything is found out."""
    monkeypatch.setattr(
        mutation_report,
        "discharge",
        lambda obligation, timeout, circuit: result(Outcome.PROVED),
    )
    for name in (UNIT, "fp16.add.rne"):
        netlist = catalogue()[name].circuit()
        mutant = stuck_at_zero(netlist, netlist.outputs["result"][0])
        verdict = judge(catalogue()[name], "constant", mutant, 60)
        assert verdict.outcome is Outcome.ERROR
        assert "SIMULATION" in verdict.message


def test_a_dead_process_is_an_error(monkeypatch):
    monkeypatch.setattr(mutation_report, "_judge_named", die)
    verdicts = list(judge_all(UNIT, sample(catalogue()[UNIT].circuit(), 2, 1), 60, jobs=2))
    assert [v.outcome for v in verdicts] == [Outcome.ERROR] * 2


def die(*_):
    import os

    os._exit(1)


# --- the report ---------------------------------------------------------------------------------


def result(outcome):
    return Record.from_json(record("a.theorem", outcome.value))


def report(*outcomes, original=Outcome.PROVED):
    return Report(result(original), [Verdict("wire", "a fault", outcome, 0.0) for outcome in outcomes])


@pytest.mark.parametrize(
    ("outcomes", "score", "code"),
    [
        ([], None, 0),
        ([Outcome.PROVED], None, 0),
        ([Outcome.REFUTED, Outcome.PROVED], 1.0, 0),
        ([Outcome.REFUTED, Outcome.TIMEOUT], 0.5, 3),
        ([Outcome.REFUTED, Outcome.UNKNOWN, Outcome.PROVED], 0.5, 3),
        ([Outcome.ERROR, Outcome.REFUTED, Outcome.TIMEOUT], 1 / 3, 4),
    ],
)
def test_only_a_refutation_counts_as_noticed(outcomes, score, code):
    made = report(*outcomes)
    assert made.score == score
    assert exit_code([made]) == code
    assert made.as_json()["score"] == score


def test_mutants_of_what_is_not_proved_mean_nothing():
    assert exit_code([report(original=Outcome.REFUTED)]) == 1
    assert exit_code([report(original=Outcome.TIMEOUT), report()]) == 3
    assert exit_code([report(original=Outcome.ERROR)]) == 4


def test_the_command_line_reports(tmp_path):
    run = spikeproof("mutate", UNIT, "--samples", 10, "--json", tmp_path / "report.json", "--jobs", 2)
    assert run.returncode == 0, run.stderr
    assert "100.0 %" in run.stdout
    written = json.loads((tmp_path / "report.json").read_text())
    assert written["schema"] == "spikeproof-mutation-1"
    (made,) = written["reports"]
    assert made["refuted"] + made["benign"] == len(made["mutants"]) == 10
    assert made["score"] == 1.0
    benign = [m["fault"] for m in made["mutants"] if m["outcome"] == "proved"]
    assert all(f"benign: {fault}" in run.stdout for fault in benign)
    assert run.stdout.splitlines()[-1].startswith("1 theorem, 10 mutants: ")


def test_scores_fit_80_columns():
    name = "fp8_e5m2fnuz.sticky_extra_multiply.rne.saturate"
    for made in (report(), report(original=Outcome.TIMEOUT)):
        named = Report(replace(made.original, theorem=name), made.verdicts)
        lines = rendered(scores([named]), 80).splitlines()
        assert all(len(line) <= 80 for line in lines)
        assert any(line.startswith(name) for line in lines)
        text = " ".join(" ".join(lines).split())
        assert "…" not in text
        assert ("not proved: timeout" in text) == (not made.original.green)
        assert all(kind in text for kind in (*FAULTS, "refuted", "benign", "score"))


def test_undecided_mutants_are_not_noticed_ones():
    run = spikeproof("mutate", "fp8_e5m2.add.rne", "--samples", 1, "--timeout", "0.001", "--jobs", 1)
    assert run.returncode == 3
    assert "not proved: timeout" in run.stdout


def test_what_has_no_circuit_to_prove_is_refused():
    run = spikeproof("mutate", "spec.fp4_e2m1.*")
    assert run.returncode == 2
    assert run.stderr.startswith("spikeproof: of what matches 'spec.fp4_e2m1.*' nothing has a circuit")
