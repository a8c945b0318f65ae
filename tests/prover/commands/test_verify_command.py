"""``spikeproof verify``: what a log comes to, and what each kind of log ends with."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from spikeproof.circuits.doors.json import write_json
from spikeproof.circuits.units.libraries import gate_netlist
from spikeproof.prover.checking import verification
from spikeproof.prover.claims.catalogue import stated
from spikeproof.prover.claims.obligation import Outcome
from spikeproof.prover.evidence.kept import write_record
from spikeproof.prover.evidence.log import Log, default_log_directory, read_log
from spikeproof.prover.running.run import Run
from spikeproof.prover.running.verify import verify_log
from tests.support.command_line import spikeproof, spikeproof_here
from tests.support.packages import adder, look_again, write_package

ROOT = Path(__file__).parents[3]
GATES = [f"cell.ionic.{gate}" for gate in ("and", "or", "xor", "half_adder", "full_adder")]
AND, OR, *_ = GATES
THEORY = "spec.fp16.less.floating_point_theory"

HOLDS, REFUSED, NO_LOG, REFUTES = 0, 1, 2, 5


def logged(directory, *obligations, circuit=None, complete=True):
    """A log of obligations."""
    log = Log.begin(directory, command="a test", profile="part", promised=len(obligations))
    records = [Run(60.0, circuit, log).discharge(each) for each in obligations]
    if complete:
        log.end(sum(record.green for record in records), complete=True)
    return log


@pytest.fixture
def log(tmp_path):
    """The directory of a log of five theorems."""
    return logged(tmp_path / "log", *map(stated, GATES)).directory


@pytest.fixture
def verified(capsys):
    """What comes of verifying a log: the exit code, and what is printed."""

    def verify(directory, *options):
        run = spikeproof_here(capsys, "verify", directory, "--jobs", 1, *options)
        return run.returncode, run.stdout

    return verify


# --- refutations ----------------------------------------------------------------------------------


@pytest.fixture
def published(tmp_path):
    """The file of a circuit that is given as an AND gate, and is an OR gate."""
    path = tmp_path / "published.json"
    write_json(gate_netlist("ionic", "or"), path)
    return path


@pytest.fixture
def refutation(tmp_path):
    """A log that says so."""
    circuit = gate_netlist("ionic", "or")
    return logged(tmp_path / "log", stated(AND), circuit=circuit).directory


def test_a_given_circuit_is_named_or_one_line_says_so(refutation, verified):
    code, said = verified(refutation)
    assert code == REFUSED
    assert said.count("refused:") == 1
    assert "it is about a circuit that was given instead: name that with --circuit" in said


def test_a_log_of_a_given_circuit_is_of_no_profile(refutation, published, verified):
    """Found in review: its manifest said that it was all that the default profile promises."""
    manifest = refutation / "manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"profile": "default"}))
    code, said = verified(refutation, "--circuit", published)
    assert code == REFUSED
    assert "refused: the log is of a given circuit, which no profile is: not of default" in said


def test_a_refutation_of_a_given_circuit_holds_and_is_no_proof(refutation, published, verified):
    code, said = verified(refutation, "--circuit", published)
    assert code == REFUTES
    assert "1 of 1 records verified; 1 of them refutes what was claimed" in said
    assert "clausal proofs" not in said
    assert "1 theorem: 1 REFUTED" in said
    assert "refused" not in said


@pytest.mark.parametrize(
    ("inputs", "reason"),
    [
        ({"a": 1, "b": 1}, "the counterexample does not replay"),
        ({"a": 1}, "it has no counterexample, or one of other inputs"),
        (None, "it has no counterexample, or one of other inputs"),
    ],
)
def test_a_refutation_is_replayed(refutation, published, verified, inputs, reason):
    path = refutation / "records" / f"{AND}.json"
    data = json.loads(path.read_text())
    path.write_text(json.dumps(data | {"counterexample": inputs}))
    code, said = verified(refutation, "--circuit", published)
    assert code == REFUSED
    assert f"refused: {AND}: {reason}" in said
    assert "0 of 1 records verified" in said


def test_a_refutation_of_another_circuit_is_none_of_this_one(refutation, tmp_path, verified):
    write_json(gate_netlist("ionic", "and"), tmp_path / "right.json")
    code, said = verified(refutation, "--circuit", tmp_path / "right.json")
    assert code == REFUSED
    assert "it is about another circuit than that given with --circuit" in said


def test_the_circuit_that_is_kept_to_be_replayed_is_the_one_that_was_refuted(
    refutation, published, verified
):
    """Who cites the refutation cites that file too."""
    path = Log(refutation).counterexample(AND)
    data = json.loads(path.read_text())
    other = gate_netlist("ionic", "xor")
    write_json(other, published.with_name("other.json"))
    netlist = json.loads(published.with_name("other.json").read_text())
    path.write_text(json.dumps(data | {"netlist": netlist, "netlist_sha256": other.sha256}))
    code, said = verified(refutation, "--circuit", published)
    assert code == REFUSED
    assert "the counterexample to replay is not the record's" in said


@pytest.mark.parametrize("outcome", [Outcome.TIMEOUT, Outcome.UNKNOWN, Outcome.ERROR])
def test_what_is_undecided_is_refused_of_a_given_circuit_too(refutation, published, verified, outcome):
    record = replace(read_log(refutation).records[0], outcome=outcome)
    write_record(refutation / "records" / f"{AND}.json", record)
    code, said = verified(refutation, "--circuit", published)
    assert code == REFUSED
    assert f"it is {outcome.value}, but proved was promised" in said


def test_a_proof_of_what_was_to_be_refuted_is_refused(log, monkeypatch):
    obligation = replace(stated(AND), expected=Outcome.REFUTED)
    monkeypatch.setattr(verification, "stated", lambda name: obligation)
    found = replace(read_log(log).records[0], expected=Outcome.REFUTED)
    write_record(log / "records" / f"{AND}.json", found)
    assert any("it is proved, but refuted was promised" in line for line in verify_log(log).refusals)


def test_a_theorem_of_ours_that_is_refuted_is_a_broken_promise(tmp_path, monkeypatch, verified):
    wrong = replace(stated(AND), circuit=lambda: gate_netlist("ionic", "or"))
    log = logged(tmp_path / "log", wrong).directory
    monkeypatch.setattr(verification, "stated", lambda name: wrong)
    code, said = verified(log)
    assert code == REFUSED
    assert "1 of 1 records verified; 1 of them refute" in said
    assert f"refused: {AND} is promised to be proved: refuted" in said


def test_a_refutation_of_a_claim_of_ones_own_holds(tmp_path, monkeypatch, verified):
    write_package(tmp_path / "site", adder("half_adder").replace("half_adder,", "multiplied,"))
    code = tmp_path / "site" / "acme" / "__init__.py"
    wrong = "def multiplied(buses):\n    return integers.half_adder({**buses, 'b': buses['a']})\n\n\n"
    code.write_text(
        code.read_text().replace("def obl", f"{wrong}def obl").replace("integers.mul", "mul")
    )
    monkeypatch.syspath_prepend(tmp_path / "site")
    look_again()
    log = logged(tmp_path / "log", stated("acme.adder")).directory
    code, said = verified(log)
    assert code == REFUTES
    assert "1 of 1 records verified; 1 of them refutes what was claimed; of packages: acme" in said
    monkeypatch.undo()
    look_again()


def test_proofs_and_refutations_of_one_circuit(tmp_path, published, verified):
    circuit = gate_netlist("ionic", "or")
    log = logged(tmp_path / "log", stated(AND), stated(OR), circuit=circuit).directory
    code, said = verified(log, "--circuit", published)
    assert code == REFUTES
    assert "2 of 2 records verified; 1 of them refute" in said
    assert "2 theorems: 1 REFUTED, 1 proved" in said


def test_a_cached_refutation_passes_an_audit(published):
    """It was called an error, as if somebody had tampered with the cache."""
    prove = ("prove", AND, "--circuit", published)
    assert spikeproof(*prove).returncode == 1
    again = spikeproof(*prove, "--audit", 1)
    assert again.returncode == 1
    assert "AUDIT" not in again.stdout


def test_what_was_assumed_of_a_circuit_is_shown_and_cannot_be_left_out(tmp_path, verified):
    note = "sampled on 4,096 inputs"
    circuit, file = replace(gate_netlist("nexus", "and"), notes=(note,)), tmp_path / "and.json"
    write_json(circuit, file)
    log = logged(tmp_path / "log", stated(AND), circuit=circuit).directory
    code, said = verified(log, "--circuit", file)
    assert code == HOLDS
    assert f"note on the circuit: {note}" in said
    for notes in ((), (note, "and proved")):
        (record,) = read_log(log).records
        write_record(log / "records" / f"{AND}.json", replace(record, notes=notes))
        code, said = verified(log, "--circuit", file)
        assert code == REFUSED
        assert "the list of notes differs" in said


# --- damage ---------------------------------------------------------------------------------------


def cut_off(text):
    return text[: len(text) // 2]


def edited(text):
    return json.dumps(json.loads(text) | {"statement": "all is well"})


def of_another(text):
    return json.dumps(json.loads(text) | {"theorem": "cell.ionic.not"})


@pytest.mark.parametrize("damage", [cut_off, edited, of_another, lambda text: "", lambda text: "[]"])
def test_a_record_that_is_damaged_or_edited_is_refused_and_hides_no_other(log, verified, damage):
    path = log / "records" / f"{AND}.json"
    path.write_text(damage(path.read_text()))
    code, said = verified(log)
    assert code == REFUSED
    assert "4 of 5 records verified" in said
    assert AND in said
    assert "there are records of" not in said  # it is there


def test_records_that_are_all_damaged_are_no_log_that_holds(log, verified):
    for path in (log / "records").iterdir():
        path.write_text("{")
    code, said = verified(log)
    assert code == REFUSED
    assert "0 of 5 records verified" in said


@pytest.mark.parametrize("damage", [cut_off, lambda text: "", lambda text: "{}"])
def test_a_damaged_manifest_is_refused_and_hides_no_record(log, verified, damage):
    path = log / "manifest.json"
    path.write_text(damage(path.read_text()))
    code, said = verified(log)
    assert code == REFUSED
    assert "refused: cannot read" in said
    assert "5 of 5 records verified" in said
    assert "profile: unknown" in said


def test_what_is_no_log_is_bad_input(tmp_path, capsys):
    run = spikeproof_here(capsys, "verify", tmp_path)
    assert run.returncode == NO_LOG
    assert "is not a proof log: it has no manifest.json" in run.stderr


# --- what is missing ------------------------------------------------------------------------------


def test_a_run_that_did_not_end_is_called_so(tmp_path, verified):
    log = logged(tmp_path / "log", *map(stated, GATES), complete=False).directory
    assert read_log(log).manifest.discharged is None
    assert read_log(log).discharged == len(GATES)
    code, said = verified(log)
    assert code == REFUSED
    refused = [line for line in said.splitlines() if line.startswith("refused")]
    assert refused == ["refused: the run has not ended: it was interrupted, or goes on"]
    assert "5 of 5 records verified" in said


def test_records_that_are_missing_are_counted(log, verified):
    (log / "records" / f"{AND}.json").unlink()
    code, said = verified(log)
    assert code == REFUSED
    assert "refused: there are records of 4 of 5 theorems" in said


def test_one_reason_is_said_once(log, verified):
    for record in read_log(log).records:
        changed = replace(record, source_sha256="0" * 64)
        write_record(log / "records" / f"{record.theorem}.json", changed)
    code, said = verified(log)
    assert code == REFUSED
    (line,) = (line for line in said.splitlines() if "the source differs" in line)
    assert line.startswith("refused: 5 records, cell.ionic.and, cell.ionic.full_adder, ")
    assert " and others: the source differs: here " in line


# --- without solvers ------------------------------------------------------------------------------

ABSENT = (
    *("z3", "pysat", "pysolvers", "bitwuzla"),
    *("torch", "matplotlib", "llvmlite", "jinja2", "hypothesis", "pytest", "junitparser", "pylatexenc"),
)

WITHOUT = f"""
import sys
for name in {ABSENT!r}:
    sys.modules[name] = None
from spikeproof.prover.commands.verify import verify
verify.main(sys.argv[1:], standalone_mode=False)
"""


def verified_without_solvers(*arguments):
    command = [sys.executable, "-c", WITHOUT, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_no_solver_is_needed(tmp_path):
    names = ("cell.ionic.xor", "block.ionic.leading_zeros.4", "fp4_e2m1.multiply.rne.saturate")
    log = logged(tmp_path / "log", *map(stated, names)).directory
    for jobs in (1, 2):
        run = verified_without_solvers(log, "--jobs", jobs)
        assert run.returncode == HOLDS, run.stdout + run.stderr
        assert "3 of 3 records verified" in run.stdout


def test_a_refutation_is_verified_without_a_solver(refutation, published):
    run = verified_without_solvers(refutation, "--circuit", published)
    assert run.returncode == REFUTES, run.stdout + run.stderr


def test_what_only_z3_can_state_is_refused_without_it_and_hides_no_other(tmp_path):
    log = logged(tmp_path / "log", stated(AND), stated(THEORY)).directory
    assert verify_log(log).refusals == ()
    run = verified_without_solvers(log)
    assert run.returncode == REFUSED
    assert (
        f"refused: {THEORY}: it is about z3's floating-point theory, which only z3 can write out: "
        "pip install z3-solver"
    ) in run.stdout
    assert "1 of 2 records verified" in run.stdout


# --- where logs are -------------------------------------------------------------------------------


def test_logs_of_given_circuits_and_of_our_own_lie_side_by_side(tmp_path, verified):
    """Found by a user: the log of circuit A was lost when circuit B was proved."""
    assert spikeproof("prove", AND).returncode == 0
    paths = {}
    for gate in ("and", "or"):
        write_json(gate_netlist("nexus", gate), tmp_path / f"{gate}.json")
        run = spikeproof("prove", AND, "--circuit", tmp_path / f"{gate}.json")
        assert "replacing" not in run.stderr
        (paths[gate],) = (
            line.removeprefix("proof log: ") for line in run.stdout.splitlines() if "proof log: " in line
        )
    base = tmp_path / "log"
    assert all(Path(path).parent == base / "circuits" for path in paths.values())
    assert verified(base)[0] == HOLDS
    assert verified(paths["and"], "--circuit", tmp_path / "and.json")[0] == HOLDS
    assert verified(paths["or"], "--circuit", tmp_path / "or.json")[0] == REFUTES
    assert spikeproof("prove", OR).returncode == 0  # which replaces what was proved of our own
    assert verified(paths["and"], "--circuit", tmp_path / "and.json")[0] == HOLDS


def test_a_circuit_may_be_the_first_to_be_proved(tmp_path):
    write_json(gate_netlist("nexus", "and"), tmp_path / "and.json")
    assert spikeproof("prove", AND, "--circuit", tmp_path / "and.json").returncode == 0
    assert spikeproof("prove", AND).returncode == 0


def test_a_log_that_was_asked_for_is_where_it_was_asked_for(tmp_path, verified):
    for gate, code in (("and", HOLDS), ("or", REFUTES)):
        file = tmp_path / f"{gate}.json"
        write_json(gate_netlist("nexus", gate), file)
        run = spikeproof("prove", AND, "--circuit", file, "--log", tmp_path / "mine")
        assert ("replacing the proof log in" in run.stderr) == (gate == "or")
        assert verified(tmp_path / "mine", "--circuit", file)[0] == code


def test_each_circuit_and_selection_has_a_default_of_its_own(tmp_path):
    circuits = [gate_netlist("nexus", gate) for gate in ("and", "or")]
    selections = [[AND], [OR], [AND, OR], [AND, OR, "cell.ionic.xor"]]
    found = {default_log_directory(circuit, names) for circuit in circuits for names in selections}
    assert len(found) == 8
    assert default_log_directory() == tmp_path / "log"
    assert default_log_directory(circuits[0], [AND]).name == f"{AND}.{circuits[0].sha256[:16]}"


def test_what_another_run_writes_for_a_circuit_is_left_alone(tmp_path):
    nested = Log.begin(
        default_log_directory(gate_netlist("ionic", "or"), [AND]),
        command="a test",
        profile="part",
        promised=1,
    )
    unfinished = nested.directory / f".x.{os.getpid()}.00000000.unfinished"
    unfinished.touch()
    Log.begin(default_log_directory(), command="a test", profile="part", promised=1)
    assert unfinished.exists()
    assert read_log(nested.directory).manifest.promised == 1
