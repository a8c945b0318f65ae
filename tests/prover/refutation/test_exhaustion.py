"""Exhaustive enumeration: it sees every input, finds what is wrong, and survives being killed."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pysmt.shortcuts import BV, BVAnd, BVXor, Equals

from spikeproof.circuits.doors.json import write_json
from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.meanings.bitsliced import netlist_function
from spikeproof.circuits.meanings.enumeration import Enumeration
from spikeproof.circuits.meanings.formula import input_symbols, output_formulas
from spikeproof.circuits.meanings.native import BLOCK
from spikeproof.circuits.meanings.word_enumeration import WordEnumeration
from spikeproof.circuits.netlist import Netlist, NetlistBuilder, Neuron
from spikeproof.circuits.units.libraries import gate_netlist
from spikeproof.prover.claims.catalogue import catalogue, theorem
from spikeproof.prover.claims.obligation import Claim, Obligation, equivalence
from spikeproof.prover.refutation import exhaustion
from spikeproof.prover.refutation.drawing import every_input
from spikeproof.prover.refutation.exhaustion import ExhaustionError, enumerate_all
from spikeproof.prover.refutation.machine_arithmetic import INSTRUCTIONS, machine_function
from spikeproof.prover.refutation.mutation import sample, stuck_at_zero
from spikeproof.specs.formats import FP8_E4M3FN, OverflowPolicy, RoundingMode
from tests.support import blocks
from tests.support.command_line import spikeproof, spikeproof_here
from tests.support.devices import DEVICES
from tests.support.operands import expected_results

ROOT = Path(__file__).parents[3]
PRODUCT = "fp8_e4m3fn.multiply.rne.saturate"


def exhausted(name, tmp_path, netlist=None, wanted=("spec",), threads=2):
    obligation = catalogue()[name]
    circuit = netlist or obligation.circuit()
    return enumerate_all(obligation, circuit, wanted, threads, tmp_path / "checkpoint")


def digest(words, width):
    """As the module says it is: of outputs that are one chunk, in the order of the inputs."""
    blocks = np.resize(words, (max(1, len(words) // BLOCK), BLOCK)).astype(np.uint64)
    bits = (
        blocks[:, None, :] >> np.arange(width, dtype=np.uint64)[None, :, None] & np.uint64(1)
    ).astype(bool)
    chunk = hashlib.sha256(np.packbits(bits, axis=2, bitorder="little").tobytes()).digest()
    return hashlib.sha256(chunk).hexdigest()


def test_a_cell(tmp_path):
    record = exhausted("cell.nexus.full_adder", tmp_path)
    ones = np.array([f"{number:b}".count("1") for number in range(8)])
    assert record.inputs == 8
    assert record.failures == 0
    outputs = gate_netlist("nexus", "full_adder").outputs
    assert list(outputs) == ["sum", "carry"]
    assert record.outputs_sha256 == digest(ones, 2)


def test_the_digest_is_that_of_what_the_spec_of_record_says(tmp_path):
    results = expected_results(
        FP8_E4M3FN, "multiply", RoundingMode.NEAREST_EVEN, OverflowPolicy.SATURATE
    )
    record = exhausted(PRODUCT, tmp_path)
    first_varies_fastest = results.reshape(256, 256).T.ravel()
    assert record.outputs_sha256 == digest(first_varies_fastest, 8)
    assert (record.inputs, record.failures) == (65536, 0)


def test_the_digest_does_not_depend_on_how_the_work_is_divided(tmp_path, monkeypatch):
    monkeypatch.setattr(exhaustion, "CHUNK", 1 << 12)
    digests = set()
    for piece, threads in ((1 << 12, 1), (1 << 8, 1), (1 << 10, 2), (1 << 12, 3)):
        monkeypatch.setattr(Enumeration, "piece", piece)
        (tmp_path / "checkpoint").unlink(missing_ok=True)
        digests.add(exhausted(PRODUCT, tmp_path, threads=threads).outputs_sha256)
    assert len(digests) == 1


@pytest.mark.parametrize("name", ["cell.nexus.full_adder", PRODUCT, "fp16.square_root.rne"])
@pytest.mark.parametrize("device", DEVICES)
def test_on_a_device_of_pytorch_the_digest_is_the_same(tmp_path, name, device):
    obligation = catalogue()[name]
    given = (obligation, obligation.circuit(), ("spec",), 1, tmp_path / "checkpoint")
    compiled = enumerate_all(*given)
    (tmp_path / "checkpoint").unlink()
    found = enumerate_all(*given, device=device)
    assert found.outputs_sha256 == compiled.outputs_sha256
    assert found.failures == 0
    assert found.processor.startswith(device)
    assert "torch" in found.versions


@pytest.mark.parametrize("device", DEVICES)
def test_on_a_device_planted_faults_are_found_too(tmp_path, device):
    netlist = catalogue()[PRODUCT].circuit()
    wrong = stuck_at_zero(netlist, netlist.input_count + 90).netlist
    obligation = catalogue()[PRODUCT]
    found = enumerate_all(obligation, wrong, ("spec",), 2, tmp_path / "checkpoint", device=device)
    failing = failing_pairs(wrong)
    assert 0 < found.failures == len(failing)
    assert [int(first["y"], 16) for first in found.compared[0].first] == (failing >> 8)[:10].tolist()


@pytest.mark.parametrize("name", ["fp8_e4m3fn.tanh.rne.saturate", "fp4_e2m1.hypot.rne.saturate"])
def test_word_by_word_the_digest_is_that_of_bits(name):
    obligation = catalogue()[name]
    netlist = obligation.circuit()
    claim = obligation.state(netlist)
    engines = (
        exhaustion.beside_spec(claim, netlist),
        Enumeration(
            exhaustion.circuit_function(claim, netlist), [exhaustion.spec_function(claim, netlist)]
        ),
    )
    assert isinstance(engines[0], WordEnumeration)
    words, planes = (exhaustion.chunk_of(engine, 0, 1 << netlist.input_count) for engine in engines)
    assert words == planes


@pytest.mark.parametrize("wrong", [(), (0,), (777,), (131071,)])
def test_functions_that_no_table_holds_are_enumerated_word_by_word(tmp_path, monkeypatch, wrong):
    monkeypatch.setattr(WordEnumeration, "piece", 1 << 15)
    obligation = blocks.theorem(wrong=next(iter(wrong), None))
    record = enumerate_all(obligation, blocks.polynomial(), ("spec",), 2, tmp_path / "checkpoint")
    assert record.inputs == 1 << blocks.BITS
    assert record.outputs_sha256 == digest(blocks.values(0, record.inputs)["result"], 18)
    assert record.failures == len(wrong)
    assert [int(first["x"], 16) for first in record.compared[0].first] == list(wrong)


def test_faults_of_functions_are_found_word_by_word():
    obligation = blocks.theorem()
    x = np.arange(1 << blocks.BITS)
    right, counted = blocks.values(0, len(x))["result"], 0
    for _, mutant in sample(blocks.polynomial(), 3, 20261130):
        found = boolean.evaluate(mutant.netlist, {"x": x})["result"]
        claim = obligation.state(mutant.netlist)
        failing = list(exhaustion.every_failing(claim, mutant.netlist))
        wrong = np.concatenate([np.zeros(0, dtype=int), *(inputs["x"] for inputs in failing)])
        assert np.array_equal(wrong, np.flatnonzero(found != right)), mutant.fault
        counted += len(wrong) > 0
    assert counted


def test_sums_beyond_words_are_an_error_of_one_line():
    builder = NetlistBuilder()
    x = builder.input("x", 20)
    places = [(signal, 1 << 60) for signal in x]
    fires = builder.neuron(places, 1)
    netlist = builder.build({"result": (fires,) * 18})
    claim = blocks.theorem(circuit=lambda: netlist).state(netlist)
    with pytest.raises(ExhaustionError, match="64 bits"):
        exhaustion.beside_spec(claim, netlist)


@pytest.mark.parametrize("device", [None, *DEVICES])
def test_inputs_that_fill_no_block_are_counted_once(tmp_path, device):
    """OR in place of AND is wrong on 2 inputs of 4, which a block of 256 repeats."""
    obligation, wrong = catalogue()["cell.ionic.and"], gate_netlist("ionic", "or")
    found = enumerate_all(obligation, wrong, ("spec",), 1, tmp_path / "checkpoint", device=device)
    assert (found.inputs, found.failures) == (4, 2)
    assert list(found.compared[0].first) == [{"a": "0x1", "b": "0x0"}, {"a": "0x0", "b": "0x1"}]


def test_what_was_enumerated_in_machine_code_is_not_continued_on_a_device(tmp_path):
    obligation = catalogue()[PRODUCT]
    given = (obligation, obligation.circuit(), ("spec",), 1, tmp_path / "checkpoint")
    enumerate_all(*given)
    again = []
    enumerate_all(*given, lambda inputs, before: again.append(inputs) if before else None, "cpu")
    assert again == [0]


# --- planted faults -----------------------------------------------------------------------------


def failing_pairs(netlist):
    """Which pairs of codes a multiplier gets wrong: Boolean evaluation against the spec of record."""
    inputs = every_input(netlist.inputs)
    found = boolean.evaluate(netlist, inputs)["result"]
    wanted = expected_results(FP8_E4M3FN, "multiply", RoundingMode.NEAREST_EVEN, OverflowPolicy.SATURATE)
    return np.flatnonzero(found != wanted.reshape(256, 256).T.ravel())


@pytest.mark.parametrize("place", [3, 40, 90, 150, 200, 250])
def test_a_planted_fault_is_found_and_its_failures_counted(tmp_path, place):
    netlist = catalogue()[PRODUCT].circuit()
    wrong = stuck_at_zero(netlist, netlist.input_count + place).netlist
    failing = failing_pairs(wrong)
    record = exhausted(PRODUCT, tmp_path, wrong)
    assert record.failures == len(failing)
    first = [{"x": f"{n & 255:#x}", "y": f"{n >> 8:#x}"} for n in failing[: exhaustion.SHOWN].tolist()]
    assert list(record.compared[0].first) == first


def test_large_circuits_which_are_run_for_several_blocks_at_a_time(tmp_path, monkeypatch):
    """As the compiler treats them: not optimised, in groups of blocks, the last of which is smaller."""
    optimised = exhausted(PRODUCT, tmp_path)
    monkeypatch.setattr(exhaustion, "OPTIMISED", 0)
    monkeypatch.setattr("spikeproof.circuits.meanings.native.GROUP", 3)
    (tmp_path / "checkpoint").unlink(missing_ok=True)
    assert exhausted(PRODUCT, tmp_path).outputs_sha256 == optimised.outputs_sha256
    netlist = catalogue()[PRODUCT].circuit()
    wrong = stuck_at_zero(netlist, netlist.input_count + 90).netlist
    failing = failing_pairs(wrong)
    record = exhausted(PRODUCT, tmp_path, wrong)
    assert 0 < record.failures == len(failing)
    assert [int(first["y"], 16) for first in record.compared[0].first] == (failing >> 8)[:10].tolist()


def test_the_machine_is_asked_for_every_block_of_a_group(tmp_path, monkeypatch):
    """It computes its operands from the number of the evaluation, which differs from block to block."""
    monkeypatch.setattr(exhaustion, "OPTIMISED", 0)
    monkeypatch.setattr("spikeproof.circuits.meanings.native.GROUP", 3)
    record = exhausted("fp16.square_root.rne", tmp_path, wanted=("spec", "machine"))
    assert [compared.failures for compared in record.compared] == [0, 0]


@pytest.mark.parametrize("number", [0, 255, 256, 40_000, 65_535])
def test_one_wrong_input_of_65536_is_found(tmp_path, number):
    """The last bit of a square root is inverted on a single code."""
    netlist = catalogue()["fp16.square_root.rne"].circuit()
    weights = tuple((i, 1 if number >> i & 1 else -1) for i in range(16))
    match = Neuron(weights, number.bit_count())
    last = netlist.outputs["result"][0]
    size = netlist.signal_count
    either = Neuron(((last, 1), (size, 1)), 1)
    both = Neuron(((last, 1), (size, 1)), 2)
    one = Neuron(((size + 1, 1), (size + 2, -1)), 1)
    wrong = Netlist(
        netlist.inputs,
        (*netlist.neurons, match, either, both, one),
        {"result": (size + 3, *netlist.outputs["result"][1:])},
    )
    record = exhausted("fp16.square_root.rne", tmp_path, wrong, ("spec", "machine"))
    for compared in record.compared:
        assert (compared.failures, compared.first) == (1, ({"x": f"{number:#x}"},))


def test_inputs_beyond_the_assumptions_are_not_compared(tmp_path):
    """Only where the assumption holds; every other one of these would fail."""

    def state(netlist):
        x = input_symbols(netlist)
        actual = output_formulas(netlist, x)
        even = Equals(BVAnd(x["x"], BV(1, 10)), BV(0, 10))
        expected = {"out": BV(0, 1)}
        return Claim(x, Equals(actual["out"], expected["out"]), (even,), actual, expected)

    netlist = Netlist({"x": 10}, (), {"out": (0,)})
    obligation = Obligation("mine", "x is even", state, lambda: netlist)
    record = enumerate_all(obligation, netlist, ("spec",), 1, tmp_path / "checkpoint")
    assert record.failures == 0
    unconditional = replace(obligation, state=lambda n: replace(state(n), assumptions=()))
    record = enumerate_all(unconditional, netlist, ("spec",), 1, tmp_path / "other")
    assert record.failures == 512


# --- the machine's arithmetic -------------------------------------------------------------------


def instruction(name):
    """That of a theorem's operation and formats, in whatever mode."""
    p = catalogue()[name].parameters
    return INSTRUCTIONS.get((p["format"], p["operation"], p.get("source", p["format"])))


def in_its_mode(name):
    """Whether a theorem is about the mode, policy and convention of its instruction."""
    p, asked = catalogue()[name].parameters, instruction(name)
    return (p.get("mode"), p.get("policy")) == (asked.mode, asked.policy) and "convention" not in p


WITH_INSTRUCTION = [
    name
    for name, obligation in catalogue().items()
    if obligation.circuit
    and obligation.parameters.get("family") == "unit"
    and "threshold" in obligation.parameters.get("library", "")
    and obligation.parameters.get("structure", "small") == "small"
    and obligation.parameters.get("format")
    and instruction(name)
]
MACHINE_THEOREMS = [
    name
    for name in filter(in_its_mode, WITH_INSTRUCTION)
    if machine_function(catalogue()[name], catalogue()[name].circuit())
]


def test_every_instruction_is_that_of_a_theorem():
    assert len(MACHINE_THEOREMS) == len(INSTRUCTIONS)


def test_the_machine_does_not_answer_in_another_mode_than_its_own():
    netlist = catalogue()[MACHINE_THEOREMS[0]].circuit()
    others = [name for name in WITH_INSTRUCTION if not in_its_mode(name)]
    assert len(others) > len(INSTRUCTIONS)
    assert not any(machine_function(catalogue()[name], netlist) for name in others)


NUMPY = {"add": np.add, "subtract": np.subtract, "multiply": np.multiply, "divide": np.divide}
OPERANDS_OF = {"fp16": (np.uint16, np.float16), "fp32": (np.uint32, np.float32)}


@pytest.mark.parametrize("name", MACHINE_THEOREMS)
def test_the_machine_answers_as_numpy_does(name):
    """On blocks spread over all inputs; NumPy has its own way from codes to results."""
    obligation = catalogue()[name]
    netlist = obligation.circuit()
    asked = obligation.parameters
    function = machine_function(obligation, netlist)
    enumeration = Enumeration(function)
    for block in range(0, enumeration.blocks, max(1, enumeration.blocks // 97)):
        outputs = enumeration.run(block, 1).outputs.view(np.uint8)
        bits = np.unpackbits(outputs, axis=2, bitorder="little")[0]
        assert bits[-1].all()
        numbers = np.arange(BLOCK * block, BLOCK * (block + 1), dtype=np.uint64)
        found = boolean.pack_words(bits[:-1].astype(bool))
        assert np.array_equal(found, by_numpy(asked, numbers)), block


def by_numpy(asked, numbers):
    source, target = asked.get("source", asked["format"]), asked["format"]
    width = 16 if source == "fp16" else 32
    codes = [numbers & np.uint64((1 << width) - 1), numbers >> np.uint64(width)]
    unsigned, kind = OPERANDS_OF.get(source, (np.uint32, np.int32 if source == "int32" else np.uint32))
    operands = [code.astype(unsigned).view(kind) for code in codes]
    with np.errstate(all="ignore"):
        if asked["operation"] == "convert" and target not in OPERANDS_OF:
            limits = np.iinfo(np.int32 if target == "int32" else np.uint32)
            clipped = np.clip(
                np.nan_to_num(operands[0].astype(np.float64), nan=0), limits.min, limits.max
            )
            return (clipped.astype(np.int64) & 0xFFFFFFFF).astype(np.uint64)
        if asked["operation"] == "convert":
            result = operands[0].astype(OPERANDS_OF[target][1])
        elif asked["operation"] == "square_root":
            result = np.sqrt(operands[0])
        else:
            result = NUMPY[asked["operation"]](*operands)
    raw = result.view(OPERANDS_OF[target][0]).astype(np.uint64)
    canonical = 0x7E00 if target == "fp16" else 0x7FC00000
    return np.where(np.isnan(result), np.uint64(canonical), raw)


@pytest.mark.parametrize("name", MACHINE_THEOREMS)
def test_circuit_and_spec_and_machine_agree_on_blocks_of_inputs(name):
    obligation = catalogue()[name]
    netlist = obligation.circuit()
    made = exhaustion.references(obligation, netlist, ("spec", "machine"))
    enumeration = Enumeration(netlist_function(netlist), made)
    for block in range(0, enumeration.blocks, max(1, enumeration.blocks // 1009)):
        assert not enumeration.run(block, 1).failures.any()


def test_rounding_modes_that_the_machine_is_not_asked_for_are_refused(tmp_path):
    with pytest.raises(ExhaustionError, match="compare with the spec alone"):
        exhausted("fp16.square_root.rtz", tmp_path, wanted=("machine",))


# --- the command --------------------------------------------------------------------------------


def test_the_command_writes_a_record(tmp_path):
    log = tmp_path / "log"
    run = spikeproof("exhaust", "fp16.square_root.rne", "--log", log, "--threads", 1)
    assert run.returncode == 0, run.stderr
    assert "all 65,536 inputs enumerated" in run.stdout
    assert "against the spec: 0 fail" in run.stdout
    assert "against the machine: 0 fail" in run.stdout
    (path,) = (log / "exhaustive").iterdir()
    record = json.loads(path.read_text())
    assert record["schema"] == "spikeproof-exhaustive-1"
    assert record["netlist_sha256"] == catalogue()["fp16.square_root.rne"].circuit().sha256
    assert [(c["reference"], c["failures"]) for c in record["compared"]] == [("spec", 0), ("machine", 0)]
    assert spikeproof("prove", "cell.ionic.and", "--log", log).returncode == 0
    assert spikeproof("exhaust", "cell.ionic.and", "--log", log).returncode == 0
    assert spikeproof("verify", log).returncode == 0


def test_the_command_shows_a_counterexample_that_replays(tmp_path):
    netlist = catalogue()[PRODUCT].circuit()
    wrong = stuck_at_zero(netlist, netlist.probes["product"][2]).netlist
    write_json(wrong, tmp_path / "wrong.json")
    log = tmp_path / "log"
    run = spikeproof("exhaust", PRODUCT, "--circuit", tmp_path / "wrong.json", "--log", log)
    assert run.returncode == 1
    title, given, *_ = run.stdout.splitlines()
    assert title == f"{PRODUCT}: all {1 << netlist.input_count:,} inputs enumerated"
    assert given == f"  of the circuit given instead, of SHA-256 {wrong.sha256[:12]}"
    assert f"{len(failing_pairs(wrong)):,} fail" in run.stdout
    assert "the circuit differs from its spec" in run.stdout
    replay = spikeproof("replay", log / "exhaustive" / "counterexamples" / f"{PRODUCT}.json")
    assert replay.returncode == 1


def test_the_command_shows_a_counterexample_of_a_function_in_blocks(tmp_path, capsys):
    name, log = "e8m8.reciprocal.rne", tmp_path / "log"
    netlist = theorem(name).circuit()
    write_json(stuck_at_zero(netlist, netlist.outputs["result"][0]).netlist, tmp_path / "wrong.json")
    given = ["--circuit", tmp_path / "wrong.json", "--log", log]
    run = spikeproof_here(capsys, "exhaust", name, *given)
    assert run.returncode == 1
    assert "the circuit differs from its spec" in run.stdout
    kept = log / "exhaustive" / "counterexamples" / f"{name}.json"
    assert spikeproof_here(capsys, "replay", kept).returncode == 1


def test_an_enumeration_leaves_a_log_as_it_was(tmp_path):
    """Its counterexample is of no record there; nor does it take the place of one that is."""
    log, given, wrong = tmp_path / "log", tmp_path / "given.json", tmp_path / "wrong.json"
    write_json(gate_netlist("ionic", "or"), given)
    write_json(gate_netlist("ionic", "xor"), wrong)
    assert spikeproof("prove", "cell.ionic.and", "--circuit", given, "--log", log).returncode == 1
    assert spikeproof("exhaust", "cell.ionic.and", "--circuit", wrong, "--log", log).returncode == 1
    assert spikeproof("exhaust", "cell.ionic.or", "--circuit", wrong, "--log", log).returncode == 1
    assert spikeproof("verify", log, "--circuit", given).returncode == 5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fp32.add.rne"], "64 input bits, 2^64 inputs; choose a circuit of at most 32 input bits"),
        (["spec.*"], "is a pattern; name one theorem"),
        (["fp9.add.rne"], "no theorem is named 'fp9.add.rne': unknown format"),
        (["fp16.square_root.rne", "--against", "nobody"], "is not one of"),
        (["fp16.square_root.rne", "--device", "abacus"], "PyTorch cannot compute on 'abacus' here"),
        (["fp16.square_root.rne", "--device", "meta"], "PyTorch cannot compute on 'meta' here"),
        (["fp16.square_root.rne", "--device", ""], "name a device of PyTorch's"),
        (["fp16.square_root.rne", "--device", "cpu", "--against", "both"], "--against spec"),
        (["bfloat16.square_root.rne", "--against", "machine"], "compare with the spec alone"),
        (["fp16.square_root.rne", "--log", "/proc/here"], "name another directory"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(arguments, message, capsys):
    run = spikeproof_here(capsys, "exhaust", *arguments)
    assert run.returncode == 2
    assert message in run.stderr
    assert run.stderr.count("\n") == 1


def test_a_theorem_about_formulas_has_no_inputs_to_enumerate(capsys):
    name = next(name for name, obligation in catalogue().items() if obligation.circuit is None)
    run = spikeproof_here(capsys, "exhaust", name)
    assert run.returncode == 2
    assert "is about formulas, not about a circuit" in run.stderr


def test_a_theorem_in_other_words_is_recorded_by_its_name(tmp_path, capsys):
    run = spikeproof_here(capsys, "exhaust", "fp16.square_root.rne.ieee", "--log", tmp_path)
    assert run.stderr == "fp16.square_root.rne.ieee is fp16.square_root.rne\n"
    (path,) = (tmp_path / "exhaustive").iterdir()
    assert path.name == "fp16.square_root.rne.json"
    assert f"record: {path}" in run.stdout


# --- interruption -------------------------------------------------------------------------------

SLOWLY = """
import time
from spikeproof.prover.refutation import exhaustion
from spikeproof.prover.commands.cli import main

exhaustion.CHUNK = 1 << 15
keep = exhaustion._keep

def keep_and_wait(path, checkpoint):
    keep(path, checkpoint)
    time.sleep({seconds})

exhaustion._keep = keep_and_wait
main()
"""

LONG = "e3m3.fma.rne"  # 2^21 inputs: 64 chunks of that size


def start(seconds, directory):
    command = [sys.executable, "-c", SLOWLY.format(seconds=seconds)]
    return subprocess.Popen(
        [*command, "exhaust", LONG, "--log", str(directory)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finished_chunks(directory):
    try:
        return len(json.loads((directory / "exhaustive" / f"{LONG}.checkpoint").read_text())["chunks"])
    except FileNotFoundError:
        return 0


def record_of(directory):
    return json.loads((directory / "exhaustive" / f"{LONG}.json").read_text())


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGINT])
def test_an_enumeration_that_is_killed_goes_on_to_the_same_digest(tmp_path, capsys, monkeypatch, sent):
    monkeypatch.setattr(exhaustion, "CHUNK", 1 << 15)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert spikeproof_here(capsys, "exhaust", LONG, "--log", whole).returncode == 0
    process = start(0.2, killed)
    deadline = time.monotonic() + 60
    while finished_chunks(killed) < 5 and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(process.pid, sent)
    process.communicate(timeout=60)
    assert process.returncode in (-signal.SIGKILL, 130)
    done = finished_chunks(killed)
    assert 5 <= done < 64
    assert not (killed / "exhaustive" / f"{LONG}.json").exists()
    again = spikeproof_here(capsys, "exhaust", LONG, "--log", killed)
    assert again.returncode == 0
    assert f"continued: {done << 15:,} of {1 << 21:,} inputs were tried before\n" in again.stderr
    assert record_of(killed)["outputs_sha256"] == record_of(whole)["outputs_sha256"]
    assert record_of(killed)["compared"] == record_of(whole)["compared"]
    assert not (killed / "exhaustive" / f"{LONG}.checkpoint").exists()


def test_only_what_is_missing_is_enumerated_again(tmp_path, monkeypatch):
    monkeypatch.setattr(exhaustion, "CHUNK", 1 << 12)
    checkpoint = tmp_path / "checkpoint"
    first = exhausted(PRODUCT, tmp_path)
    content = json.loads(checkpoint.read_text())
    assert len(content["chunks"]) == 16
    for number in ("3", "15"):
        del content["chunks"][number]
    checkpoint.write_text(json.dumps(content))
    told = []
    obligation = catalogue()[PRODUCT]
    again = enumerate_all(
        obligation, obligation.circuit(), ("spec",), 2, checkpoint, lambda *what: told.append(what)
    )
    assert told == [(14 << 12, True), (1 << 12, False), (1 << 12, False)]
    assert again.outputs_sha256 == first.outputs_sha256


def test_what_was_found_of_another_circuit_is_not_taken_over(tmp_path):
    netlist = catalogue()[PRODUCT].circuit()
    assert exhausted(PRODUCT, tmp_path).failures == 0
    wrong = stuck_at_zero(netlist, netlist.probes["product"][2]).netlist
    assert exhausted(PRODUCT, tmp_path, wrong).failures == len(failing_pairs(wrong))


@pytest.mark.parametrize("content", ["", "{}", '{"schema": "spikeproof-exhaustive-checkpoint-1"', "[]"])
def test_a_damaged_checkpoint_is_begun_anew(tmp_path, content):
    (tmp_path / "checkpoint").write_text(content)
    assert exhausted(PRODUCT, tmp_path).failures == 0


def test_looking_for_a_failing_input_stops_at_the_first_chunk_that_has_one(monkeypatch):
    """Of 256 chunks the first few have subnormal operands alone; in no time none is found."""
    begun = []
    chunk = exhaustion.chunk_of
    monkeypatch.setattr(exhaustion, "chunk_of", lambda *work: (begun.append(work[1]), chunk(*work))[1])
    theorem, right = catalogue()["fp16.multiply.rne"], catalogue()["fp16.multiply.rne.cuda.flags"]
    flushing = with_outputs(right.circuit(), "result")
    found = exhaustion.first_failing(theorem, flushing, 1, 0.0)
    assert len(begun) <= 3
    result = int(boolean.evaluate(flushing, boolean.one_input(found))["result"][0])
    assert result != theorem.reading.trace(found)["result"]
    with pytest.raises(exhaustion.OutOfTimeError, match="not all 4,294,967,296 inputs were tried"):
        exhaustion.first_failing(theorem, theorem.circuit(), 1, 0.0)
    gate = catalogue()["cell.ionic.and"]
    assert exhaustion.first_failing(gate, gate.circuit(), 1, 0.0) is None


def with_outputs(netlist, *names):
    """The circuit with these outputs alone."""
    outputs = {name: netlist.outputs[name] for name in names}
    return Netlist(netlist.inputs, netlist.neurons, outputs)


def test_an_input_has_no_name_that_outputs_are_given(tmp_path):
    """Found in review: an input called ``circuit.out`` took the output's place."""
    builder = NetlistBuilder()
    builder.input("circuit.out", 1)
    (x,) = builder.input("x", 1)
    netlist = builder.build({"out": (builder.neuron([(x, -1)], 0),)})
    wrong = equivalence(
        "wrong",
        "NOT x is x",
        lambda: netlist,
        lambda buses: {"out": buses["x"]},
        observed=lambda inputs, outputs: {"out": BVXor(inputs["circuit.out"], outputs["out"])},
    )
    assert enumerate_all(wrong, netlist, ("spec",), 1).compared[0].failures == 4
