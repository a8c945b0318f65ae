"""Counterexamples as files: they replay, on the circuit that was wrong or on another, or say why not."""

import json
from io import BytesIO

import numpy as np
import pytest
from vcd.reader import TokenKind, tokenize

from spikeproof.circuits.doors.json import write_json
from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.netlist import Block, Netlist, Neuron
from spikeproof.prover.claims.catalogue import catalogue
from spikeproof.prover.refutation.mutation import stuck_at_zero
from spikeproof.prover.refutation.waveform import waveform
from spikeproof.prover.running.discharge import discharge
from spikeproof.prover.running.replay import (
    ReplayError,
    read_counterexample,
    replay,
    write_counterexample,
)
from tests.support.command_line import spikeproof

UNIT = "fp4_e2m1.multiply.rne.saturate"
OWN = "fp6_e3m2.sticky_extra_multiply.rne.saturate.without_round_route"


@pytest.fixture(scope="module")
def broken():
    netlist = catalogue()[UNIT].circuit()
    return stuck_at_zero(netlist, netlist.probes["product"][2]).netlist


@pytest.fixture
def file(tmp_path, broken):
    """A file with a counterexample of a circuit that is not the theorem's own."""
    found = discharge(catalogue()[UNIT], circuit=broken)
    path = tmp_path / "counterexample.json"
    write_counterexample(catalogue()[UNIT], broken, found.counterexample, path, found.message)
    return path


def test_from_a_refutation_to_a_waveform_on_the_command_line(tmp_path, broken):
    circuit, mended = tmp_path / "broken.json", tmp_path / "mended.json"
    write_json(broken, circuit)
    write_json(catalogue()[UNIT].circuit(), mended)
    log = tmp_path / "new" / "directory"
    run = spikeproof("prove", UNIT, "--circuit", circuit, "--log", log)
    path = log / "counterexamples" / f"{UNIT}.json"
    assert f"spikeproof replay {path}" in run.stdout
    assert list(path.parent.iterdir()) == [path]
    again = spikeproof("replay", path, "--vcd", tmp_path / "wave.vcd")
    assert again.returncode == 1
    assert "the circuit differs from its spec:" in again.stdout
    assert "product: circuit" in again.stdout
    assert again.stdout.splitlines()[-2] == "still a counterexample"
    assert (tmp_path / "wave.vcd").read_text().startswith("$comment")
    now = spikeproof("replay", path, "--circuit", mended)
    assert now.returncode == 0
    assert "run on another circuit than the one that was wrong" in now.stdout
    assert "the circuit agrees with its spec:" in now.stdout
    assert now.stdout.splitlines()[-1] == "no longer a counterexample"


def test_a_file_holds_both_results_and_the_circuit(file, broken):
    record = json.loads(file.read_text())
    found = read_counterexample(file)
    assert found.netlist == broken
    assert found.inputs == {name: int(code, 16) for name, code in record["inputs"].items()}
    assert record["outputs"]["circuit"] != record["outputs"]["spec"]
    assert record["netlist_sha256"] == broken.sha256
    assert record["explanation"][0] == "the circuit differs from its spec:"


def test_the_theorems_own_circuit_is_not_written_but_built_again(tmp_path):
    obligation = catalogue()[OWN]
    path = tmp_path / "own.json"
    write_counterexample(obligation, None, discharge(obligation).counterexample, path)
    assert "netlist" not in json.loads(path.read_text())
    found = replay(read_counterexample(path))
    assert found.violated
    assert found.sha256 == obligation.circuit().sha256


def changed(path, **changes):
    record = json.loads(path.read_text()) | changes
    path.write_text(json.dumps({key: value for key, value in record.items() if value != "absent"}))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"schema": "spikeproof-counterexample-2"}, 'the top level needs "schema"'),
        ({"inputs": "absent"}, "lacks 'inputs'"),
        ({"input": {}}, "has the unknown key 'input'"),
        ({"inputs": []}, "'inputs' is not an object"),
        ({"inputs": {"x": "0x1"}}, r"the inputs are \['x'\]; the theorem's are \['x', 'y'\]"),
        ({"inputs": {"x": "0x1", "y": "0x10"}}, "'y' is 0x10, which does not fit 4 bits"),
        ({"inputs": {"x": "-0x1", "y": "0x1"}}, "does not fit 4 bits"),
        ({"inputs": {"x": 1, "y": "0x1"}}, "input 'x' is 1; write its code in hexadecimal"),
        ({"inputs": {"x": "one", "y": "0x1"}}, "input 'x' is 'one'; write its code in hexadecimal"),
        ({"theorem": "fp9.add.rne"}, "there is no theorem 'fp9.add.rne'"),
        ({"theorem": 7}, "'theorem' is not text"),
        ({"statement": None}, "'statement' is not text"),
        ({"netlist_sha256": "0" * 64}, "the netlist is not the one of 'netlist_sha256'"),
        ({"netlist": {}}, "not a netlist"),
    ],
)
def test_what_cannot_be_replayed_is_refused(file, changes, message):
    changed(file, **changes)
    with pytest.raises(ReplayError, match=message):
        replay(read_counterexample(file))


def test_files_that_are_no_whole_json_are_refused(file, tmp_path):
    text = file.read_text()
    for damaged in (text[: len(text) // 2], "", "[" * 100_000, text.replace("{", '{"schema": 1,', 1)):
        file.write_text(damaged)
        with pytest.raises(ReplayError):
            read_counterexample(file)
    for arguments in (["replay", file], ["replay", tmp_path / "absent.json"]):
        run = spikeproof(*arguments)
        assert run.returncode == 2
        assert run.stderr.startswith("spikeproof: ")
        assert run.stderr.count("\n") == 1


def test_inputs_beyond_the_assumptions_say_nothing(tmp_path):
    obligation = catalogue()["block.threshold.normalise.8"]
    path = tmp_path / "zero.json"
    write_counterexample(obligation, None, {"x": 0, "budget": 0}, path)
    with pytest.raises(ReplayError, match="do not satisfy the theorem's assumptions"):
        replay(read_counterexample(path))


def test_a_spec_that_contradicts_the_spec_of_record_is_an_error(file, monkeypatch):
    monkeypatch.setattr(
        "spikeproof.prover.running.replay.expected_outputs", lambda claim, inputs: {"result": 99}
    )
    with pytest.raises(RuntimeError, match="the spec of record"):
        replay(read_counterexample(file))


def test_a_claim_about_formulas_has_no_waveform(tmp_path):
    name = "spec.fp4_e2m1.round.rne.exact"
    claim = catalogue()[name].state(None)
    path = tmp_path / "formula.json"
    write_counterexample(catalogue()[name], None, dict.fromkeys(claim.inputs, 1), path)
    run = spikeproof("replay", path, "--vcd", tmp_path / "wave.vcd")
    assert run.returncode == 2
    assert not (tmp_path / "wave.vcd").exists()


# --- waveforms ----------------------------------------------------------------------------------


def signals_of(text):
    """For each variable, by its scopes and name, its value at each time it changes."""
    scopes, names, history, time = [], {}, {}, 0
    for token in tokenize(BytesIO(text.encode())):
        if token.kind is TokenKind.SCOPE:
            scopes.append(token.scope.ident)
        elif token.kind is TokenKind.UPSCOPE:
            scopes.pop()
        elif token.kind is TokenKind.VAR:
            name = ".".join((*scopes, token.var.reference))
            assert name not in history
            names[token.var.id_code] = name
            history[name] = {}
        elif token.kind is TokenKind.CHANGE_TIME:
            time = token.time_change
        elif token.kind in (TokenKind.CHANGE_SCALAR, TokenKind.CHANGE_VECTOR):
            history[names[token.data.id_code]][time] = str(token.data.value)
    return history


def final(history, name):
    return history[name][max(history[name])]


def test_a_waveform_shows_spikes_layer_by_layer(broken):
    inputs = {"x": 5, "y": 6}
    words = {name: np.array([value]) for name, value in inputs.items()}
    signals = boolean.evaluate_signals(broken, words)
    history = signals_of(waveform(broken, inputs, {"result": 9, "absent": 1}, "a title"))
    assert {name: int(final(history, f"inputs.{name}")) for name in inputs} == inputs
    result = int(boolean.bus_words(signals, broken.outputs["result"])[0])
    assert int(final(history, "outputs.result")) == result
    assert history["spec.result"] == {0: "9"}
    assert "spec.absent" not in history
    for signal in range(broken.input_count, broken.signal_count):
        changes = dict(history[f"neurons.n{signal}"])
        assert changes.pop(0) == "x"
        assert changes == {broken.levels[signal]: str(int(signals[signal, 0]))}
    assert "x" in history["outputs.result"][0]
    assert any(name.startswith("blocks.") for name in history)


def test_names_that_a_waveform_cannot_hold_are_replaced_and_stay_apart():
    netlist = Netlist(
        inputs={"a.b": 1, "a_b": 1},
        neurons=(Neuron(((0, 1), (1, 1)), 2),),
        outputs={"out": (2,)},
        probes={"$end now": (2,)},
        blocks=(Block("my block", "and", {"a": (0,), "b": (1,)}, {"out": (2, -1)}),),
    )
    history = signals_of(waveform(netlist, {"a.b": 1, "a_b": 0}, {}, "t"))
    assert final(history, "inputs.a_b") == "1"
    assert final(history, "inputs.a_b__2") == "0"
    assert final(history, "probes._end_now") == "0"
    assert final(history, "blocks.0_my_block.outputs.out") == "z0"
