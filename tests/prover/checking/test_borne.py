"""What neurons bear, proved, verified by doing it again, and refused where records were forged."""

import shutil
from dataclasses import replace

import pytest

from spikeproof.prover.checking.verification import Verifier
from spikeproof.prover.claims.catalogue import catalogue
from spikeproof.prover.evidence.archive import Archive
from spikeproof.prover.evidence.ledger import BEARING, Evidence, Promise, unfulfilled
from spikeproof.prover.evidence.log import CERTIFICATES, Log, read_records
from spikeproof.prover.running.run import Run

UNIT = "margin.neurons.fp8_e4m3fn.square_root.rne.saturate.shallow16"
NAME, BEYOND = f"{UNIT}.weight", f"{UNIT}.weight.beyond"


@pytest.fixture(scope="module")
def logged(tmp_path_factory):
    """The records, by name, and where their log is."""
    directory = tmp_path_factory.mktemp("log")
    log = Log.begin(directory, command="command", profile="part", promised=2)
    for name in (NAME, BEYOND):
        assert Run(log=log).discharge(catalogue()[name]).green
    records, refusals = read_records(directory)
    assert not refusals
    return {record.theorem: record for record in records}, directory


def refusal(record, directory):
    return Verifier(Archive(directory / CERTIFICATES)).verify(record).refusal


def test_within_and_beyond_are_verified(logged):
    records, directory = logged
    assert [(each.name, each.kind) for each in records[NAME].lemmas] == [(NAME, "bearing")]
    assert records[BEYOND].lemmas == ()
    assert not any(refusal(record, directory) for record in records.values())


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("another certificate", "of other neurons, or another circuit"),
        ("no certificate", "no bearing certificate"),
        ("no lemma", "one lemma, alone"),
        ("another kind", "one lemma, alone"),
    ],
)
def test_forged_records_are_refused(logged, fault, reason, tmp_path):
    records, directory = logged
    shutil.copytree(directory / CERTIFICATES, tmp_path / CERTIFICATES)
    (lemma,) = records[NAME].lemmas
    if fault == "another certificate":
        content = Archive(directory / CERTIFICATES).content(lemma.certificates[0])
        kept = Archive(tmp_path / CERTIFICATES).keep("bearing", content.replace(b'at":', b'at":1'))
        lemmas = (replace(lemma, certificates=(kept,)),)
    elif fault == "another kind":
        lemmas = (replace(lemma, kind="every input", certificates=()),)
    else:
        lemmas = () if fault == "no lemma" else (replace(lemma, certificates=()),)
    assert reason in refusal(replace(records[NAME], lemmas=lemmas), tmp_path)


def test_a_witness_that_does_not_err_is_refused(logged):
    records, directory = logged
    found = records[BEYOND].counterexample
    nothing = dict.fromkeys(found, 0)
    assert "does not replay" in refusal(replace(records[BEYOND], counterexample=nothing), directory)


def test_the_ledger_promises_it(logged):
    records, _ = logged
    promise = Promise.of(catalogue()[NAME])
    assert str(promise.evidence) == BEARING
    assert Evidence.read(BEARING) == promise.evidence
    ledger = {NAME: promise}
    assert unfulfilled(ledger, [records[NAME]], wide=True, whole=False) == []
    (line,) = unfulfilled(ledger, [replace(records[NAME], lemmas=())], wide=True, whole=False)
    assert "not decided by sums of neurons" in line
