"""Logs of programs: verified with the theorems that they rest on, and not without."""

import shutil
from dataclasses import replace

import pytest

from spikeproof.proofs.programs import layer_named
from spikeproof.prover.checking import verification
from spikeproof.prover.checking.verification import Verification, Verifier, conclusions
from spikeproof.prover.claims.catalogue import theorem, with_units
from spikeproof.prover.claims.obligation import Outcome
from spikeproof.prover.claims.programs import ProgramClaim
from spikeproof.prover.evidence.archive import Archive
from spikeproof.prover.evidence.cache import Cache
from spikeproof.prover.evidence.ledger import CONGRUENCE, Evidence, Promise, unfulfilled
from spikeproof.prover.evidence.log import CERTIFICATES, Log, read_records
from spikeproof.prover.evidence.record import Certificate
from spikeproof.prover.running.discharge import discharge
from spikeproof.prover.running.run import Run

NAME = "program.fp4_e2m1.dot.rne.5.pairwise.saturate"
UNITS = ["fp4_e2m1.multiply.rne.saturate", "fp4_e2m1.add.rne.saturate"]


@pytest.fixture(scope="module")
def logged(tmp_path_factory):
    """The records of a program and its units, and where their log is."""
    directory = tmp_path_factory.mktemp("log")
    log = Log.begin(directory, command="command", profile="part", promised=3)
    Run(log=log).discharge(theorem(NAME))
    records, refusals = read_records(directory)
    assert not refusals
    return {record.theorem: record for record in records}, directory


def refusals(records, directory):
    verifier = Verifier(Archive(directory / CERTIFICATES))
    checked = conclusions(verifier.verify(record) for record in records)
    return {each.theorem: each.refusal for each in checked if each.refusal}


def test_units_are_proved_with_a_program(logged):
    records, directory = logged
    assert sorted(records) == sorted([*UNITS, NAME])
    assert [each.name for each in with_units([theorem(NAME)])] == [*UNITS, NAME]
    assert [(each.name, each.kind) for each in records[NAME].lemmas] == [(NAME, "congruence")]
    assert refusals(records.values(), directory) == {}


@pytest.mark.parametrize("unit", UNITS)
def test_a_program_does_not_stand_without_its_units(logged, unit):
    records, directory = logged
    others = [record for name, record in records.items() if name != unit]
    (reason,) = refusals(others, directory).values()
    assert f"it rests on {unit}" in reason


def test_a_program_does_not_stand_if_a_unit_does_not(logged):
    records, directory = logged
    forged = {**records, UNITS[0]: replace(records[UNITS[0]], lemmas=())}
    assert sorted(refusals(forged.values(), directory)) == sorted([UNITS[0], NAME])


def test_a_unit_of_another_netlist_is_not_the_one():
    rests = frozenset({("unit", "a")})
    program = Verification("program", rests_on=rests)
    for proves, stands in ((("unit", "a"), True), (("unit", "b"), False), (("other", "a"), False)):
        (_, found) = conclusions([Verification("unit", proves=proves), program])
        assert (not found.refusal) is stands
    refused = Verification("unit", "no", proves=("unit", "a"))
    assert conclusions([refused, program])[1].refusal


def test_another_circuit_of_a_unit_says_nothing_of_it():
    circuit = theorem("fp4_e2m1.add.rne.saturate.fast").circuit()
    record = discharge(theorem(UNITS[1]), circuit=circuit)
    assert record.outcome is Outcome.PROVED
    assert verification._proved_of_unit(record) is None


@pytest.mark.parametrize(
    "fault", ["another certificate", "no certificate", "a lemma more", "a question"]
)
def test_forged_records_are_refused(logged, fault, tmp_path):
    records, directory = logged
    shutil.copytree(directory / CERTIFICATES, tmp_path / CERTIFICATES)
    (lemma,) = records[NAME].lemmas
    if fault == "another certificate":
        content = Archive(directory / CERTIFICATES).content(lemma.certificates[0])
        kept = Archive(tmp_path / CERTIFICATES).keep("program", content.replace(b"rne", b"rtz"))
        lemmas = (replace(lemma, certificates=(kept,)),)
    elif fault == "no certificate":
        lemmas = (replace(lemma, certificates=()),)
    elif fault == "a lemma more":
        lemmas = (lemma, replace(lemma, name="other"))
    else:
        lemmas = (replace(lemma, formula_sha256="0" * 64),)
    forged = {**records, NAME: replace(records[NAME], lemmas=lemmas)}
    assert list(refusals(forged.values(), tmp_path)) == [NAME]


def test_a_program_that_is_not_its_spec_is_refused(logged, monkeypatch):
    """As where the source was changed: the record is of the right one."""
    records, directory = logged
    right, other = (layer_named(name) for name in (NAME, NAME.replace("pairwise", "sequential")))
    wrong = replace(theorem(NAME), state=lambda _: ProgramClaim(right.spec(), other.circuit()))
    monkeypatch.setattr(verification, "stated", lambda name: wrong if name == NAME else theorem(name))
    assert "otherwise than its spec" in refusals(records.values(), directory)[NAME]


def test_what_was_proved_before_is_found_with_its_units(tmp_path):
    cache = Cache(tmp_path / "cache")
    for place in ("first", "second"):
        log = Log.begin(tmp_path / place, command="command", profile="part", promised=3)
        found = Run(log=log, cache=cache).discharge(theorem(NAME))
        assert found.green
        assert bool(found.origin) is (place == "second")
        assert len(read_records(tmp_path / place)[0]) == 3


def test_a_program_is_not_proved_if_a_unit_is_not():
    undecided = replace(discharge(theorem(UNITS[1])), outcome=Outcome.TIMEOUT)
    record = discharge(theorem(NAME), settled=lambda _: undecided)
    assert record.outcome is Outcome.UNKNOWN
    assert record.message == f"dot_5 rests on {UNITS[0]}, which is timeout"


def test_a_promise_to_refute_is_not_kept_by_what_is_right():
    record = discharge(replace(theorem(NAME), expected=Outcome.REFUTED))
    assert record.outcome is Outcome.UNKNOWN


def test_the_ledger_promises_congruence(logged):
    records, _ = logged
    promise = Promise.of(theorem(NAME))
    assert str(promise.evidence) == CONGRUENCE
    assert Evidence.read(CONGRUENCE) == promise.evidence
    ledger = {NAME: promise}
    assert unfulfilled(ledger, [records[NAME]], wide=True, whole=False) == []
    without = replace(records[NAME], lemmas=())
    (line,) = unfulfilled(ledger, [without], wide=True, whole=False)
    assert "not decided by congruence" in line


def test_certificates_are_of_a_known_kind():
    assert Certificate.of("program", b"").kind == "program"
