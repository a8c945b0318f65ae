"""The command line as a user meets it: output, errors, exit codes."""

import json
import pkgutil
from dataclasses import replace

import pytest

from spikeproof.circuits.doors.json import write_json
from spikeproof.circuits.units.libraries import gate_netlist
from spikeproof.prover.claims.catalogue import catalogue, theorem
from spikeproof.prover.claims.obligation import Outcome
from spikeproof.prover.commands import cli
from spikeproof.prover.commands.console import exit_code
from spikeproof.prover.evidence.record import Record
from spikeproof.prover.refutation.mutation import stuck_at_zero
from tests.support.command_line import spikeproof, spikeproof_here
from tests.support.logs import record
from tests.support.terminal import at_a_terminal

UNIT = "fp4_e2m1.multiply.rne.saturate"


@pytest.fixture
def broken_unit(tmp_path):
    """A file with a multiplier whose product lacks a bit."""
    netlist = catalogue()[UNIT].circuit()
    path = tmp_path / "broken.json"
    write_json(stuck_at_zero(netlist, netlist.probes["product"][2]).netlist, path)
    return path


def test_prove_reports_and_succeeds(tmp_path):
    run = spikeproof("prove", "cell.nexus.*", "--jobs", 2, "--json", tmp_path / "results.json")
    assert run.returncode == 0, run.stderr
    assert "cell.nexus.full_adder" in run.stdout
    assert run.stdout.splitlines()[-2:] == ["16 theorems: 16 proved", f"proof log: {tmp_path / 'log'}"]
    assert "16/16 proved" in run.stderr
    records = json.loads((tmp_path / "results.json").read_text())
    assert records["schema"] == "spikeproof-results-1"
    assert {r["outcome"] for r in records["results"]} == {"proved"}
    assert {r["expected"] for r in records["results"]} == {"proved"}
    assert [p.name for p in tmp_path.iterdir() if p.is_file()] == ["results.json"]


def test_results_that_are_not_new_say_so_and_an_audit_what_it_did():
    both = ("cell.ionic.and", "cell.ionic.or")
    first = spikeproof("prove", both[0], "--audit", 1)
    assert "cached" not in first.stdout + first.stderr
    assert "audit: 1 of those drawn were proved anew, which leaves nothing to audit" in first.stdout
    again = spikeproof("prove", *both, "--audit", 2)
    assert "proved, cached cell.ionic.and" in again.stderr
    assert next(line for line in again.stdout.splitlines() if both[0] in line).endswith("proved, cached")
    assert "2 theorems: 2 proved; 1 cached\naudit: 1 verified again: cell.ionic.and; 1" in again.stdout


def test_at_80_columns_nothing_is_cut_off():
    name = "fp6_e3m2.sticky_extra_multiply.rne.saturate.without_round_route"
    lines = at_a_terminal("prove", name)
    assert lines[0].split() == ["theorem", "time", "outcome"]
    assert any(line.startswith(name) for line in lines)
    assert any(line.endswith(" s  refuted (as promised)") for line in lines)
    assert all(len(line) <= 80 for line in lines[:3])
    assert any(name in line for line in at_a_terminal("show", name))


def test_a_promised_refutation_succeeds():
    run = spikeproof("prove", "fp6_e3m2.sticky_extra_multiply.rne.saturate.without_round_route")
    assert run.returncode == 0
    assert run.stdout.splitlines()[-2] == "1 theorem: 1 refuted (as promised)"


def test_a_refuted_circuit_shows_its_counterexample(broken_unit, tmp_path):
    results = tmp_path / "results.json"
    run = spikeproof("prove", UNIT, "--circuit", broken_unit, "--json", results)
    assert run.returncode == 1
    assert f"REFUTED: {UNIT}" in run.stdout
    assert "the circuit differs from its spec:" in run.stdout
    assert "product: circuit" in run.stdout
    (found,) = json.loads(results.read_text())["results"]
    assert found["outcome"] == "refuted"
    assert set(found["counterexample"]) == {"x", "y"}


def test_what_a_circuit_notes_of_itself_is_shown_and_recorded_though_it_was_proved_without(tmp_path):
    plain = gate_netlist("ionic", "and")
    for notes in ((), ("imported from rest",), ()):
        write_json(replace(plain, notes=notes), tmp_path / "and.json")
        results = tmp_path / "results.json"
        given = ("--circuit", tmp_path / "and.json")
        log = tmp_path / "log"
        run = spikeproof("prove", "cell.ionic.and", *given, "--log", log, "--json", results)
        assert run.returncode == 0, run.stderr
        assert ("note on the circuit: imported from rest" in run.stdout.splitlines()) == bool(notes)
        (found,) = json.loads(results.read_text())["results"]
        assert found["notes"] == list(notes)
        verified = spikeproof("verify", log, *given)
        enumerated = spikeproof("exhaust", "cell.ionic.and", *given, "--log", log)
        for also in (verified, enumerated):
            assert also.returncode == 0
            assert ("note on the circuit: imported from rest" in also.stdout.splitlines()) == bool(notes)


def test_a_record_of_before_there_were_notes_is_read():
    old = record("cell.a")
    assert "notes" not in old
    assert Record.from_json(old).notes == ()


def test_timeout_is_undecided_and_says_so():
    run = spikeproof("prove", "fp8_e5m2.add.rne", "--timeout", "0.001")
    assert run.returncode == 3
    assert "TIMEOUT: fp8_e5m2.add.rne" in run.stdout
    assert "raise --timeout" in run.stdout


def test_show_before_and_after_proving():
    before = spikeproof("show", UNIT)
    assert before.returncode == 0
    assert f"none yet; run `spikeproof prove {UNIT}`" in before.stdout
    assert spikeproof("prove", UNIT).returncode == 0
    after = spikeproof("show", UNIT)
    assert "proved by z3" in after.stdout
    assert "neurons" in after.stdout
    assert "significand_product (multiply)" in after.stdout


def test_another_name_is_told_and_its_last_result_shown(capsys):
    named, name = "fp_e2m2.square_root.rne", "e2m2.square_root.rne"
    for command in ("prove", "show"):
        run = spikeproof_here(capsys, command, named)
        assert (run.returncode, run.stderr.splitlines()[0]) == (0, f"{named} is {name}")
    assert "proved by z3" in run.stdout
    assert f"{name} is" not in spikeproof_here(capsys, "show", name).stderr


def test_a_circuit_with_flags_is_told_which_theorem_it_suits(tmp_path, capsys):
    name = "fp8_e5m2.square_root.rne"
    for asked, meant in ((name, f"{name}.flags"), (f"{name}.flags", name)):
        write_json(catalogue()[meant].circuit(), tmp_path / "mine.json")
        for command in ("prove", "exhaust"):
            run = spikeproof_here(capsys, command, asked, "--circuit", tmp_path / "mine.json")
            assert run.returncode == 2
            assert run.stderr.endswith(f"; ask for {meant}\n")
    write_json(gate_netlist("ionic", "and"), tmp_path / "other.json")
    run = spikeproof_here(capsys, "prove", name, "--circuit", tmp_path / "other.json")
    assert "ask for" not in run.stderr


def test_what_lies_below_the_current_folder_is_named_from_there(
    broken_unit, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    log = tmp_path / "logs" / "found"
    run = spikeproof_here(capsys, "prove", UNIT, "--circuit", broken_unit, "--log", log)
    assert f"replay it with: spikeproof replay logs/found/counterexamples/{UNIT}.json\n" in run.stdout
    monkeypatch.chdir("/")
    run = spikeproof_here(capsys, "prove", UNIT, "--circuit", broken_unit, "--log", log)
    assert f"replay it with: spikeproof replay {log.relative_to('/')}/counterexamples" in run.stdout


def test_results_of_other_circuits_are_not_remembered(broken_unit):
    spikeproof("prove", UNIT, "--circuit", broken_unit)
    assert "none yet" in spikeproof("show", UNIT).stdout


def test_a_program_is_shown_with_its_size(capsys):
    shown = spikeproof_here(capsys, "show", "program.fp16.dot.rne.3.sequential").stdout
    add, multiply = (theorem(f"fp16.{name}.rne").circuit().statistics for name in ("add", "multiply"))
    neurons, depth = 3 * multiply.neurons + 2 * add.neurons, multiply.depth + 2 * add.depth
    assert f"a program of units: {neurons:,} neurons" in shown
    assert f"depth {depth:,}\n" in shown
    assert "3 of fp16.multiply.rne, 2 of fp16.add.rne\n" in shown
    assert "x (fp16[3]), y (fp16[3]) -> result (fp16)\n" in shown


def test_an_unwritable_state_directory_is_no_obstacle_where_the_seal_is_given(tmp_path):
    blocker = tmp_path / "file"
    blocker.write_text("")
    state = {"SPIKEPROOF_STATE": str(blocker)}
    refused = spikeproof("prove", "cell.ionic.and", **state)
    assert refused.returncode == 2
    assert refused.stderr.count("\n") == 1
    assert "cannot keep the key of seals" in refused.stderr
    assert "set SPIKEPROOF_SEAL to a secret" in refused.stderr
    assert spikeproof("prove", "cell.ionic.and", **state, SPIKEPROOF_SEAL="secret").returncode == 0


def cases(tmp_path):
    and_gate = tmp_path / "and.json"
    write_json(gate_netlist("ionic", "and"), and_gate)
    cyclic = tmp_path / "cyclic.json"
    cyclic.write_text(and_gate.read_text().replace("0,\n", "2,\n", 1))
    return {
        "unknown theorem": (
            ["prove", "fp9.add.rne"],
            "no theorem is named 'fp9.add.rne': unknown format 'fp9'",
        ),
        "unknown format": (
            ["list", "fp8_e4m4.*"],
            "names begin with a format or a family: bfloat16, bit, block, cell,",
        ),
        "near miss": (["show", "fp8_e5m2.add.rn"], "did you mean"),
        "pattern for show": (["show", "fp8*"], "'fp8*' is a pattern; name one theorem"),
        "unknown command": (["disprove"], "No such command"),
        "negative timeout": (["prove", "--timeout", "-1"], "-1 is not a positive number"),
        "timeout nan": (["prove", "--timeout", "nan"], "nan is not a positive number"),
        "no jobs": (["prove", "--jobs", "0"], "0 is not in the range"),
        "absent directory": (
            ["prove", UNIT, "--json", tmp_path / "absent" / "r.json"],
            "No such file or directory; name another file",
        ),
        "unwritable file": (["prove", UNIT, "--json", "/proc/results.json"], "cannot write /proc"),
        "directory for file": (
            ["prove", UNIT, "--json", tmp_path],
            "it is a directory; name another file",
        ),
        "file for the log": (["prove", UNIT, "--log", and_gate], "cannot write a proof log to"),
        "log of somebody else": (["prove", UNIT, "--log", tmp_path], "holds files but no proof log"),
        "unwritable waveform": (["replay", and_gate, "--vcd", tmp_path], "it is a directory"),
        "no counterexample": (["replay", and_gate], "not a counterexample"),
        "no mutants": (["mutate", UNIT, "--samples", "0"], "0 is not in the range"),
        "no pattern": (["prove", ""], "no theorem matches ''"),
        "pattern and profile": (["prove", UNIT, "--wide"], "leave out --wide"),
        "circuit alone": (["prove", "--circuit", and_gate], "name the theorem that"),
        "absent circuit": (["prove", UNIT, "--circuit", "absent.json"], "cannot read absent.json"),
        "wrong buses": (
            ["prove", UNIT, "--circuit", and_gate],
            "the circuit has a (1 bit), b (1 bit)",
        ),
        "one pattern of two": (["prove", UNIT, "fp9.*"], "no theorem matches 'fp9.*'"),
        "no circuit": (
            ["prove", "fp32.rsqrt.rne.daz"],
            "fp32.rsqrt.rne.daz has no circuit: digit by digit, functions are made under IEEE 754's",
        ),
        "huge timeout": (["prove", "--timeout", "1e7"], "at most 1000000"),
        "long file name": (["prove", UNIT, "--json", tmp_path / ("x" * 300)], "File name too long"),
        "no command": ([], "Missing command"),
        "cyclic": (["prove", "cell.ionic.and", "--circuit", cyclic], "cyclic: neuron 2"),
        "circuit for a formula": (
            ["prove", "spec.fp4_e2m1.round.rne.exact", "--circuit", and_gate],
            "is about formulas, not about a circuit",
        ),
    }


def test_bad_input_is_one_line_and_exit_code_2(tmp_path, capsys):
    for case, (arguments, message) in cases(tmp_path).items():
        run = spikeproof_here(capsys, *arguments)
        assert run.returncode == 2, case
        assert message in run.stderr, case
        assert run.stderr.count("\n") == 1, case
        assert run.stderr.startswith("spikeproof: "), case
        assert run.stdout == "", case


def result(outcome, expected=Outcome.PROVED):
    return Record.from_json(record("a.theorem", outcome.value, expected.value))


@pytest.mark.parametrize(
    ("outcomes", "code"),
    [
        ([], 0),
        ([result(Outcome.PROVED)], 0),
        ([result(Outcome.REFUTED, Outcome.REFUTED)], 0),
        ([result(Outcome.REFUTED)], 1),
        ([result(Outcome.PROVED, Outcome.REFUTED)], 1),
        ([result(Outcome.TIMEOUT)], 3),
        ([result(Outcome.UNKNOWN)], 3),
        ([result(Outcome.TIMEOUT, Outcome.REFUTED)], 3),
        ([result(Outcome.ERROR)], 4),
        ([result(Outcome.TIMEOUT), result(Outcome.REFUTED)], 1),
        ([result(Outcome.REFUTED), result(Outcome.ERROR)], 4),
    ],
)
def test_exit_codes(outcomes, code):
    assert exit_code(outcomes) == code


def test_internal_errors_have_their_own_code(monkeypatch, capsys):
    def fail(*_, **__):
        raise RuntimeError("out of order")

    monkeypatch.setattr(cli.cli, "main", fail)
    with pytest.raises(SystemExit) as caught:
        cli.main()
    assert caught.value.code == 4
    assert "internal error: RuntimeError: out of order" in capsys.readouterr().err


@pytest.mark.parametrize("error", sorted(cli.ERRORS_OF_USERS))
def test_errors_of_users_are_there_by_the_names_they_are_told_by(error):
    """Else bad input would be told as an internal error."""
    assert issubclass(pkgutil.resolve_name(error), Exception)
