"""Theorems about functions in blocks: decided by evaluating every input, verified by doing so again."""

import json
import threading
import time
from contextlib import nullcontext
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from pysmt.shortcuts import BV, BVUGT

from spikeproof.circuits.meanings import boolean, program_code, programs
from spikeproof.circuits.meanings.in_a_row import compiled, interpreted
from spikeproof.circuits.netlist import Netlist, Neuron
from spikeproof.circuits.units.forms import bits, number, signals
from spikeproof.circuits.units.functions.sums import Sums
from spikeproof.circuits.units.libraries import library_gates
from spikeproof.prover.checking import every_block, verification
from spikeproof.prover.checking.every_block import require_true_of_every_block
from spikeproof.prover.checking.every_input import EveryInputError, ViolatedError
from spikeproof.prover.checking.verification import Verifier
from spikeproof.prover.claims import blocked
from spikeproof.prover.claims.obligation import Outcome, StatementError
from spikeproof.prover.encoding.smtlib import spec_sha256
from spikeproof.prover.evidence.archive import Archive
from spikeproof.prover.evidence.record import SEED
from spikeproof.prover.refutation.mutation import sample
from spikeproof.prover.running.discharge import discharge
from spikeproof.prover.running.neighbours import with_nearest
from spikeproof.prover.running.replay import write_counterexample
from tests.support.blocks import BITS, polynomial, theorem, values
from tests.support.profile import NIGHTLY
from tests.support.refusals import refused

WRONG = 70_001


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(every_block, "BLOCK", 1 << 14)


@pytest.fixture
def verified(monkeypatch, tmp_path):
    """What speaks against a record of a theorem, as it is stated then."""

    def check(record, obligation, **how):
        monkeypatch.setattr(verification, "stated", lambda name: obligation)
        return Verifier(Archive(tmp_path), **how).verify(record).refusal

    return check


def everything(obligation, evaluator=compiled, **how):
    claim = obligation.state(polynomial())
    return require_true_of_every_block(claim, claim.table, evaluator, **how)


def test_a_right_circuit_is_proved_and_verified(verified):
    record = discharge(theorem())
    assert record.outcome is Outcome.PROVED, record.message
    (lemma,) = record.lemmas
    assert (lemma.name, lemma.kind) == ("acme.polynomial", "every input")
    assert lemma.formula_sha256 == everything(theorem(), interpreted)
    assert record.engines == ()
    assert verified(record, theorem()) == ""


def test_verifying_does_not_evaluate_as_proving_does(monkeypatch, verified):
    record = discharge(theorem())
    monkeypatch.setattr(program_code.CompiledPrograms, "evaluate", lambda *_: pytest.fail("compiled"))
    assert verified(record, theorem()) == ""


def test_proving_does_not_evaluate_as_verifying_does(monkeypatch):
    monkeypatch.setattr(programs.ProgramEvaluator, "evaluate", lambda *_: pytest.fail("by NumPy"))
    assert discharge(theorem()).outcome is Outcome.PROVED


@pytest.mark.parametrize("line", [0, WRONG, (1 << BITS) - 1])
def test_one_wrong_line_is_enough(verified, line):
    wrong = theorem(wrong=line)
    record = discharge(wrong)
    assert record.outcome is Outcome.REFUTED
    assert record.counterexample == {"x": line}
    right = discharge(theorem())
    assert "the spec differs" in verified(right, wrong)
    forged = replace(right, spec_sha256=record.spec_sha256)  # by somebody who knows the digest
    assert verified(forged, wrong) == f"input {line} violates it"


def test_results_that_are_others_under_the_same_definition(verified):
    """Such as of a spec that has changed since, as has the circuit."""
    (lemma,) = discharge(theorem()).lemmas
    forged = replace(discharge(theorem()), lemmas=(replace(lemma, formula_sha256="0" * 64),))
    assert verified(forged, theorem()) == "what is expected differs: this source has other results"


@pytest.mark.parametrize("evaluator", [compiled, interpreted])
@pytest.mark.parametrize("jobs", [1, 2])
def test_the_first_input_that_violates_is_named(evaluator, jobs):
    with pytest.raises(ViolatedError) as found:
        everything(theorem(wrong=WRONG), evaluator, jobs=jobs)
    assert found.value.inputs == {"x": WRONG}


def test_the_digest_does_not_depend_on_jobs_or_evaluators():
    found = {everything(theorem(), each, jobs=n) for each in (compiled, interpreted) for n in (1, 2)}
    assert len(found) == 1


def test_progress_and_time():
    told = []
    everything(theorem(), told=told.append)
    assert told == [k / 8 for k in range(1, 9)]
    with pytest.raises(TimeoutError, match="of 131,072 inputs"):
        everything(theorem(), deadline=time.perf_counter())
    record = discharge(theorem(), timeout=1e-9)
    assert record.outcome is Outcome.TIMEOUT
    assert "time was up" in record.message


def test_an_interruption_ends_it_at_once():
    begun = []

    def results(first, count):
        begun.append(first)
        if first:
            time.sleep(0.5)  # so that the first block is told of before the others are begun
        return values(first, count)

    def interrupted(done):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        everything(theorem(results=results), jobs=2, told=interrupted)
    assert len(begun) < 8
    assert threading.active_count() == 1


def test_mutants_are_refuted():
    """Entries, exceptions, thresholds, weights: of each kind of change some; evaluated plainly too."""
    every = np.arange(1 << BITS, dtype=np.uint64)
    expected, kinds = values(0, 1 << BITS)["result"], set()
    claim = theorem().state(polynomial())
    for kind, mutant in sample(polynomial(), 25 if NIGHTLY else 6, SEED):
        kinds.add(kind)
        differ = boolean.evaluate(mutant.netlist, {"x": every})["result"] != expected
        other = theorem().state(mutant.netlist)
        with pytest.raises(ViolatedError) if differ.any() else nullcontext() as found:
            require_true_of_every_block(other, claim.table, compiled)
        if differ.any():
            assert found.value.inputs == {"x": int(differ.argmax())}
    assert len(kinds) > 2


@cache
def refutation():
    """A mutant, and the record that it is one."""
    mutant = sample(polynomial(), 1, SEED)[0][1].netlist
    return mutant, discharge(theorem(), circuit=mutant)


def test_a_mutant_is_refuted_and_its_record_verified(verified):
    mutant, record = refutation()
    assert record.refutes
    assert verified(record, theorem(), circuit=mutant) == ""


def test_a_refutation_is_kept_and_replays(tmp_path):
    """Without what only formulas tell: under which other convention the circuit would be right."""
    mutant, record = refutation()
    assert with_nearest(record, theorem(), mutant) is record
    file = tmp_path / "counterexample.json"
    write_counterexample(theorem(), mutant, record.counterexample, file, record.message)
    outputs = json.loads(file.read_text())["outputs"]
    x = record.counterexample["x"]
    assert outputs["spec"] == {"result": f"{values(x, 1)['result'][0]:#x}"}
    assert outputs["circuit"] != outputs["spec"]


def test_another_circuit_is_verified_as_itself(verified):
    record = discharge(theorem(), circuit=polynomial())
    assert record.outcome is Outcome.PROVED
    assert verified(record, theorem(), circuit=polynomial()) == ""
    bare = replace(polynomial(), cells=())
    assert discharge(theorem(), circuit=bare).outcome is Outcome.PROVED


@pytest.mark.parametrize(
    ("results", "words"),
    [
        ({"other": np.zeros(1 << 14, np.uint8)}, "results are of .'other'., not of .'result'."),
        ({"result": np.zeros(7, np.uint8)}, "no array of 16384 unsigned integers"),
        ({"result": np.zeros(1 << 14, np.int8)}, "no array of 16384 unsigned integers"),
        ({"result": np.full(1 << 14, 1 << 18, np.uint32)}, "between 0 and 262143 to fit 18 bits"),
    ],
)
def test_results_that_are_none_of_the_circuit_are_refused(results, words):
    with refused(words, StatementError):
        everything(theorem(results=lambda first, count: results))


@pytest.mark.parametrize("bits", [7, 33])
def test_blocks_are_of_so_many_bits(bits):
    with refused(f"blocks are of 8 to 32 input bits; these are {bits}", StatementError):
        theorem().state(Netlist({"x": bits}, (), {"result": (0,)}))


def test_inputs_are_in_the_order_of_the_theorem():
    own = Netlist({"x": 9, "y": 9}, (), {"result": (0,)})
    other = Netlist({"y": 9, "x": 9}, (), {"result": (0,)})
    obligation = theorem(circuit=lambda: own)
    assert obligation.state(own).table.at({"x": 3, "y": 1}) == {
        "result": values(3 + 512, 1)["result"][0]
    }
    with refused("the inputs are to be, in order, x, y", StatementError):
        obligation.state(other)


def test_assumptions_and_formulas_are_refused():
    claim = theorem().state(polynomial())
    assuming = claim.assuming(BVUGT(claim.inputs["x"], BV(3, BITS)))
    with refused("of every input, and every bit of them counts", EveryInputError):
        require_true_of_every_block(assuming, claim.table, compiled)
    with refused("has no formula, which this needs; `spikeproof prove` evaluates it", StatementError):
        _ = claim.expected


def test_what_words_do_not_hold_is_no_proof():
    wide = Netlist({"x": BITS}, polynomial().neurons, polynomial().outputs)
    neurons = list(wide.neurons)
    synapses = tuple((signal, weight << 60) for signal, weight in neurons[0].synapses)
    neurons[0] = replace(neurons[0], synapses=synapses, threshold=neurons[0].threshold * 2**60)
    record = discharge(theorem(), circuit=replace(wide, neurons=tuple(neurons)))
    assert record.outcome is Outcome.ERROR
    assert "words of 64 bits do not hold" in record.message


def test_a_block_is_of_a_million_inputs_or_of_all():
    assert blocked.BLOCK == 1 << 20


def with_a_sum_beyond_64_bits(at: int) -> Netlist:
    """The circuit, its lowest bit taken away at one input unless a sum of 2^60 is more than that.

    Another neuron reads the same sum, and waits for 2^63.
    """
    netlist = polynomial()
    inverse = netlist.signal_count
    more, _, match, taken, lowest = range(inverse + 1, inverse + 6)
    literals = tuple((place, 1 if at >> place & 1 else -1) for place in range(BITS))
    both = ((0, 1 << 60), (inverse, 1 << 60))
    neurons = (
        Neuron(((0, -1),), 0),
        Neuron(both, (1 << 60) + 1),
        Neuron(both, 1 << 63),
        Neuron(literals, at.bit_count()),
        Neuron(((match, 1), (more, -1)), 1),
        Neuron(((netlist.outputs["result"][0], 1), (taken, -1)), 1),
    )
    outputs = {"result": (lowest, *netlist.outputs["result"][1:])}
    return replace(netlist, neurons=(*netlist.neurons, *neurons), outputs=outputs)


def test_sums_beyond_64_bits_prove_nothing(verified):
    at = next(x for x in range(WRONG, 1 << BITS) if values(x, 1)["result"][0] & 1)
    circuit = with_a_sum_beyond_64_bits(at)
    assert boolean.evaluate(circuit, {"x": np.array([at])})["result"] != values(at, 1)["result"]
    record = discharge(theorem(), circuit=circuit)
    assert record.outcome is Outcome.ERROR
    proved = discharge(theorem(), circuit=polynomial())
    spec = spec_sha256(theorem().state(circuit))
    forged = replace(record, outcome=Outcome.PROVED, spec_sha256=spec, lemmas=proved.lemmas)
    assert "words of 64 bits do not hold" in verified(forged, theorem(), circuit=circuit)


# --- inputs that nobody reads -------------------------------------------------------------------

SIGNED, SIGNS = 9, (1 << 8, 1 << 17)
"""Bits of each of two operands, of which the last is a sign."""


def magnitudes(read_at: int | None = None) -> Netlist:
    """|x| + |y|, of signs and magnitudes; of one input, by its number, less 1."""
    gates = library_gates("threshold")
    sums = Sums(gates)
    x, y = (bits(gates.builder.input(name, SIGNED)) for name in "xy")
    total = number(x[:-1]) + number(y[:-1])
    if read_at is not None:
        total += sums.chosen(sums.matches((*x, *y), (read_at,)), (-1,))
    return gates.builder.build({"result": signals(gates, sums.digits(total, 9))})


def of_magnitudes(wrong: int | None = None):
    """Whether evaluators show it of circuits; and how many inputs they are given each time."""

    def results(first, count):
        numbers = np.arange(first, first + count)
        return {
            "result": ((numbers & 255) + (numbers >> 9 & 255) + (numbers == wrong)).astype(np.uint16)
        }

    obligation = theorem(circuit=magnitudes, results=results)
    evaluated = []

    def decided(evaluator, netlist):
        def counting(netlist):
            evaluate = evaluator(netlist)
            return lambda first, size: evaluated.append(size) or evaluate(first, size)

        claim = obligation.state(netlist)
        return require_true_of_every_block(claim, claim.table, counting)

    return decided, evaluated


@pytest.fixture
def short_rows(monkeypatch):
    monkeypatch.setattr(every_block, "SHORTEST", 1 << 8)


@pytest.mark.usefixtures("short_rows")
@pytest.mark.parametrize("evaluator", [compiled, interpreted])
def test_what_differs_in_nothing_that_is_read_is_evaluated_once(evaluator):
    assert every_block.unread(magnitudes()) == sum(SIGNS)
    decided, evaluated = of_magnitudes()
    digest = decided(evaluator, magnitudes())
    assert sum(evaluated) == 1 << 16
    evaluated.clear()
    reading = replace(magnitudes(), neurons=(*magnitudes().neurons, Neuron(((8, 1), (17, 1)), 1)))
    assert every_block.unread(reading) == 0
    assert decided(evaluator, reading) == digest
    assert sum(evaluated) == 1 << 18


@pytest.mark.usefixtures("short_rows")
@pytest.mark.parametrize("at", [5, 5 + SIGNS[0], 5 + SIGNS[1], 5 + sum(SIGNS), (1 << 18) - 1])
def test_results_that_differ_where_nobody_looks_are_refuted(at):
    """One line of results is another for one sign; or the circuit reads signs, of that input alone."""
    for wrong, netlist in ((at, magnitudes()), (None, magnitudes(at))):
        decided, _ = of_magnitudes(wrong)
        with pytest.raises(ViolatedError) as found:
            decided(interpreted, netlist)
        assert found.value.inputs == {"x": at & 511, "y": at >> 9}
