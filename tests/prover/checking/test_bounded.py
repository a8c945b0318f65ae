"""Claims that results are within a bound: proved, verified, refuted; and forged."""

import shutil
from dataclasses import replace

import numpy as np
import pytest

from spikeproof.circuits.units.functions.bounded_exponential import _Unit, build_bounded_exponential
from spikeproof.proofs.bounded_functions import BoundedFunction, described
from spikeproof.prover.checking.replays import replays
from spikeproof.prover.checking.verification import Verifier
from spikeproof.prover.claims.bounded import Bound, BoundedClaim
from spikeproof.prover.claims.catalogue import theorem
from spikeproof.prover.claims.obligation import Outcome, StatementError
from spikeproof.prover.encoding.tables import compared
from spikeproof.prover.evidence.archive import Archive
from spikeproof.prover.evidence.ledger import BOUND, Evidence, Promise, unfulfilled
from spikeproof.prover.evidence.log import CERTIFICATES, Log, read_records
from spikeproof.prover.refutation.mutation import stuck_at_zero
from spikeproof.prover.running.discharge import discharge
from spikeproof.prover.running.run import Run
from spikeproof.specs.formats import FP16, ieee_format

FMT = ieee_format(5, 6)
NAME = "e5m6.exp.bounded"


@pytest.fixture(scope="module")
def logged(tmp_path_factory):
    """The record, and where its log is."""
    directory = tmp_path_factory.mktemp("log")
    log = Log.begin(directory, command="command", profile="part", promised=1)
    assert Run(log=log).discharge(theorem(NAME)).green
    (record,), refusals = read_records(directory)
    assert not refusals
    return record, directory


def test_it_is_proved_and_verified(logged):
    record, directory = logged
    assert record.outcome is Outcome.PROVED
    assert [(each.name, each.kind) for each in record.lemmas] == [(NAME, "bound")]
    assert not Verifier(Archive(directory / CERTIFICATES)).verify(record).refusal


def test_a_logarithm_is_proved_and_verified(tmp_path):
    directory = tmp_path / "log"
    log = Log.begin(directory, command="command", profile="part", promised=1)
    record = Run(log=log).discharge(theorem("e5m6.log.bounded"))
    assert record.outcome is Outcome.PROVED
    assert not Verifier(Archive(directory / CERTIFICATES)).verify(record).refusal


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("another certificate", "of another circuit, claim or error"),
        ("no certificate", "no bound certificate"),
        ("no lemma", "one lemma, alone"),
        ("another kind", "one lemma, alone"),
    ],
)
def test_forged_records_are_refused(logged, fault, reason, tmp_path):
    record, directory = logged
    shutil.copytree(directory / CERTIFICATES, tmp_path / CERTIFICATES)
    (lemma,) = record.lemmas
    if fault == "another certificate":
        content = Archive(directory / CERTIFICATES).content(lemma.certificates[0])
        kept = Archive(tmp_path / CERTIFICATES).keep("bound", content.replace(b'nths":2', b'nths":1'))
        lemmas = (replace(lemma, certificates=(kept,)),)
    elif fault == "another kind":
        lemmas = (replace(lemma, kind="every input", certificates=()),)
    else:
        lemmas = () if fault == "no lemma" else (replace(lemma, certificates=()),)
    found = Verifier(Archive(tmp_path / CERTIFICATES)).verify(replace(record, lemmas=lemmas))
    assert reason in found.refusal


def test_a_circuit_that_is_wrong_is_refuted(monkeypatch):
    """An entry of each table is off by a thousandth of itself."""
    logarithms = _Unit.logarithms
    off = lambda self, *given: [each + (each >> 10) for each in logarithms(self, *given)]  # noqa: E731
    monkeypatch.setattr(_Unit, "logarithms", off)
    record = Run(circuit=build_bounded_exponential(FMT)).discharge(theorem(NAME))
    assert record.outcome is Outcome.REFUTED
    assert "differs from its spec" in record.message
    assert "please report" not in record.message


def test_a_circuit_that_is_not_read_is_not_proved():
    """The right one, whose probes are lost."""
    netlist = replace(build_bounded_exponential(FMT), probes={})
    record = discharge(theorem(NAME), circuit=netlist)
    assert record.outcome is Outcome.UNKNOWN
    assert "there is no probe" in record.message


def test_results_that_are_right_without_being_nearest():
    """e^-z of a tiny z is a little more than 1 - z: here just above the middle of two numbers."""
    bound = Bound("exp", FP16, 10)
    x = 0x8000 | (FP16.bias - 12 << FP16.fraction_bits)
    (one, other) = bound.right(x)
    assert (one, other) == (0x3BFF, 0x3C00)
    netlist = build_bounded_exponential(FP16)
    claim = BoundedClaim(netlist, bound, {})
    codes = {"x": np.array([x, 0], dtype=np.uint64)}
    for result, violated in ((one, False), (other, False), (one - 1, True)):
        outputs = {"result": np.array([result, 0x3C00], dtype=np.uint64)}
        found = compared(claim, codes, lambda netlist, inputs, outputs=outputs: outputs)
        assert found.violated.tolist() == [violated, False]


def test_a_counterexample_is_replayed():
    netlist = build_bounded_exponential(FMT)
    mutant = stuck_at_zero(netlist, netlist.outputs["result"][-2]).netlist
    for circuit, violated in ((netlist, False), (mutant, True)):
        claim = BoundedClaim(circuit, Bound("exp", FMT, 10), {})
        assert replays(circuit, claim, {"x": FMT.bias << FMT.fraction_bits}) is violated


def test_names():
    assert theorem(NAME).statement.startswith("e5m6: e^x within 0.501 units")
    for name, reason in (("fp8_e4m3fn", "IEEE 754's shape"), ("e4m6", "too few exponents")):
        for function in ("exp", "log", "log2"):
            with pytest.raises(ValueError, match=reason):
                described(f"{name}.{function}.bounded")
    for name in ("fp16.exp.rne.bounded", "fp16.tanh.bounded", "fp16.bounded"):
        assert described(name) is None


def test_what_it_is_about():
    obligation = BoundedFunction(FMT, "exp").obligation()
    with pytest.raises(StatementError, match="to have input x"):
        obligation.state(build_bounded_exponential(FP16))
    claim = obligation.state(obligation.circuit())
    with pytest.raises(StatementError, match="no formula"):
        _ = claim.expected


def test_the_ledger_promises_it(logged):
    record, _ = logged
    promise = Promise.of(theorem(NAME))
    assert str(promise.evidence) == BOUND
    assert Evidence.read(BOUND) == promise.evidence
    ledger = {NAME: promise}
    assert unfulfilled(ledger, [record], wide=True, whole=False) == []
    (line,) = unfulfilled(ledger, [replace(record, lemmas=())], wide=True, whole=False)
    assert "not decided by a bound" in line
