"""``spikeproof verify``: a sound log is verified, what is wrong in one is refused with its reason."""

import gzip
import json
import shutil
from dataclasses import replace
from pathlib import Path

import click
import pytest

from spikeproof.circuits.units.libraries import gate_netlist
from spikeproof.prover.checking import checkers, verification
from spikeproof.prover.checking.acl2 import DEBIAN
from spikeproof.prover.checking.verification import Verification, Verifier, conclusions
from spikeproof.prover.claims.catalogue import catalogue
from spikeproof.prover.claims.obligation import Outcome
from spikeproof.prover.commands import verify as command
from spikeproof.prover.encoding.drat import decoded, encoded
from spikeproof.prover.engines.engine import ENGINES
from spikeproof.prover.evidence.archive import Archive
from spikeproof.prover.evidence.log import CERTIFICATES, Log, read_log
from spikeproof.prover.evidence.record import Certificate
from spikeproof.prover.running import verify as checking
from spikeproof.prover.running.run import Run
from spikeproof.prover.running.verify import verify_all
from tests.support.engines import INSTALLED
from tests.support.installed import needs

BY_LEMMAS = "fp4_e2m1.multiply.rne.saturate"
ASSUMING = "block.ionic.leading_zeros.4"
WHOLE = "cell.ionic.xor"
REFUTED = "fp4_e2m1.sticky_extra_multiply.rne.saturate.without_significand_route"
FOLLOWING = "margin.unit.fp8_e4m3fn.multiply.rne.saturate.noise"
THEOREMS = (BY_LEMMAS, ASSUMING, WHOLE, REFUTED, FOLLOWING)


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """A log of theorems of every kind."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPIKEPROOF_STATE", str(tmp_path_factory.mktemp("state")))
        log = Log.begin(
            tmp_path_factory.mktemp("sound") / "log",
            command="a test",
            profile="part",
            promised=len(THEOREMS),
        )
        records = [Run(log=log).discharge(catalogue()[theorem]) for theorem in THEOREMS]
        assert all(record.green for record in records)
        log.end(discharged=len(records), complete=True)
    return log.directory


@pytest.fixture
def log(sound, tmp_path):
    """A copy to be damaged."""
    return Path(shutil.copytree(sound, tmp_path / "log"))


@pytest.fixture(autouse=True)
def no_engine(monkeypatch):
    """Nothing here may ask a solver."""

    def refuse(*_):
        raise AssertionError("an engine was asked")

    for name in INSTALLED:
        monkeypatch.setitem(ENGINES, name, replace(ENGINES[name], check=refuse))


def record(log, theorem):
    (found,) = (each for each in read_log(log).records if each.theorem == theorem)
    return found


def refusal(log, record, **options):
    return Verifier(Archive(log / CERTIFICATES), **options).verify(record).refusal


def path(log, certificate):
    return log / CERTIFICATES / certificate.sha256[:2] / f"{certificate.sha256}.{certificate.kind}.gz"


def longest(record, kind):
    """The longest certificate of a kind, and where it is among the lemmas.

    Some clauses are refuted by propagation alone: their proof is empty, and an empty one no forgery.
    """
    found = (
        (index, certificate)
        for index, lemma in enumerate(record.lemmas)
        for certificate in lemma.certificates
        if certificate.kind == kind
    )
    return max(found, key=lambda place: place[1].size)


def with_lemma(record, index, **changes):
    lemmas = list(record.lemmas)
    lemmas[index] = replace(lemmas[index], **changes)
    return replace(record, lemmas=tuple(lemmas))


def forged(log, record, kind, change):
    """The record with one certificate changed, and named by the new SHA-256: a careful forgery."""
    index, certificate = longest(record, kind)
    archive = Archive(log / CERTIFICATES)
    other = archive.keep(kind, change(archive.content(certificate)))
    certificates = (*(c for c in record.lemmas[index].certificates if c.kind != kind), other)
    return with_lemma(record, index, certificates=certificates)


# --- a sound log --------------------------------------------------------------------------------


def test_a_sound_log_is_verified_whoever_made_it(log, capsys):
    with pytest.raises(SystemExit) as ended:
        command.verify.main([str(log), "--jobs", "2"], standalone_mode=False)
    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert "5 of 5 records verified" in said
    assert "refused" not in said


def test_every_checker_must_accept(log, monkeypatch):
    def disagrees(clauses, proof):
        raise checkers.CheckError("another opinion")

    monkeypatch.setitem(checkers.CHECKERS, "strict", disagrees)
    proved = record(log, WHOLE)
    assert refusal(log, proved) == ""
    assert "another opinion" in refusal(log, proved, checkers=("dratify", "strict"))


def test_checkers_that_are_not_there_are_named(log, monkeypatch, capsys):
    monkeypatch.setattr(checkers.shutil, "which", lambda name: None)
    with pytest.raises(SystemExit):
        command.verify.main([str(log), "--all-checkers"], standalone_mode=False)
    said = "not there, and not used: drat-trim, lrat-check, acl2, cake_lpr; lrat-check needs"
    assert said in capsys.readouterr().err


def test_verified_checkers_that_are_not_there_are_asked_for(log, monkeypatch):
    """Nothing is verified without them, as if they had accepted it."""
    monkeypatch.setattr(checkers.shutil, "which", lambda name: None)
    with pytest.raises(click.UsageError, match="needs a verified checker: apt-get install acl2 acl2-"):
        command.verify.main([str(log), "--verified"], standalone_mode=False)


def test_a_log_whose_proofs_a_verified_checker_accepts(log, capsys):
    needs(DEBIAN, "acl2")
    with pytest.raises(SystemExit) as ended:
        command.verify.main([str(log), "--verified", "--jobs", "2"], standalone_mode=False)
    assert ended.value.code == 0
    assert (
        "5 of 5 records verified; clausal proofs accepted by dratify and acl2: 6"
        in capsys.readouterr().out
    )


def test_a_sample_is_of_records_with_clausal_proofs(log, capsys):
    """What was drawn is checked, and no others; what speaks against the log as a whole still does."""
    for _ in range(3):
        with pytest.raises(SystemExit) as ended:
            command.verify.main([str(log), "--sample", "2", "--jobs", "1"], standalone_mode=False)
        assert ended.value.code == 0
        said = capsys.readouterr().out
        assert "2 of 5 records verified, which were drawn by chance\nclausal proofs accepted" in said
        assert REFUTED not in said
    with pytest.raises(SystemExit) as ended:
        command.verify.main([str(log), "--sample", "9", "--jobs", "1"], standalone_mode=False)
    assert ended.value.code == 0
    assert "records verified, all that have clausal proofs\n" in capsys.readouterr().out
    (log / "records" / f"{WHOLE}.json").unlink()
    with pytest.raises(SystemExit) as ended:
        command.verify.main([str(log), "--sample", "9", "--jobs", "1"], standalone_mode=False)
    assert ended.value.code == 1
    assert "there are records of 4 of 5 theorems" in capsys.readouterr().out


def test_what_a_record_names_leads_out_of_no_directory(log):
    proved = record(log, WHOLE)
    index, certificate = longest(proved, "drat")
    named = replace(certificate, sha256="../../../" + certificate.sha256[9:])
    others = [each for each in proved.lemmas[index].certificates if each.kind != "drat"]
    forgery = with_lemma(proved, index, certificates=(*others, named))
    assert "is not the SHA-256 of a certificate" in refusal(log, forgery, claims=log.parent)


# --- damaged certificates -----------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["drat", "model", "telescoping", "smtlib"])
@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda packed: packed[: len(packed) // 2], "truncated"),
        (lambda packed: gzip.compress(gzip.decompress(packed)[:-1] + b"\x07"), "another SHA-256"),
        (lambda packed: gzip.compress(gzip.decompress(packed)[:-2]), "bytes; its record says"),
        (lambda packed: b"", "truncated"),
        (None, "is missing"),
    ],
)
def test_a_damaged_certificate(log, kind, damage, reason):
    found = next(
        each for each in read_log(log).records if any(c.kind == kind for c in each.certificates)
    )
    if found.outcome is Outcome.REFUTED:  # its model is not needed: the counterexample replays
        found = record(log, ASSUMING)
    file = path(log, longest(found, kind)[1])
    if damage:
        packed = file.read_bytes()
        file.unlink()
        file.write_bytes(damage(packed))
    else:
        file.unlink()
    assert reason in refusal(log, found)


# --- forged certificates, rightly named -----------------------------------------------------------


def proof_flips(content):
    """Positions of literals of the proof's additions."""
    numbers = decoded(content).tolist()
    starts = [0, *(i + 1 for i, n in enumerate(numbers[:-1]) if n == 0)]
    return [s + 1 for s in starts if numbers[s] == ord("a") and numbers[s + 1]]


def test_a_flipped_literal(log):
    proved = record(log, BY_LEMMAS)
    proofs = [(i, c) for i, each in enumerate(proved.lemmas) for c in each.certificates]
    index, certificate = max(proofs, key=lambda each: (each[1].kind == "drat", each[1].size))
    archive = Archive(log / CERTIFICATES)
    content = archive.content(certificate)
    positions = proof_flips(content)
    refused = 0
    for position in positions[:: max(1, len(positions) // 20)]:
        numbers = decoded(content).copy()
        numbers[position] ^= 1
        other = archive.keep("drat", encoded(numbers))
        lemma = proved.lemmas[index]
        certificates = (*(c for c in lemma.certificates if c != certificate), other)
        refused += "the proof is wrong" in refusal(
            log, with_lemma(proved, index, certificates=certificates)
        )
    assert refused >= 15  # a few of those clauses follow all the same, or are not needed


def tripled_weights(log):
    return json.dumps([[cell, str(3 * int(weight))] for cell, weight in json.loads(log)]).encode()


@pytest.mark.parametrize(
    ("kind", "change", "reason"),
    [
        ("drat", lambda proof: proof[: len(proof) // 2], "the proof"),
        ("drat", lambda proof: b"", "the proof is wrong"),
        ("drat", lambda proof: b"x\x00", "unknown kind"),
        ("telescoping", tripled_weights, "algebra"),
        ("telescoping", lambda log: b"[]", "algebra"),
        ("telescoping", lambda log: b"{", "the log cannot be read"),
        ("telescoping", lambda log: b'[[99999, "1"]]', "the log cannot be read"),
    ],
)
def test_a_forged_certificate(log, kind, change, reason):
    assert reason in refusal(log, forged(log, record(log, BY_LEMMAS), kind, change))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda model: b'{"x": 0}', "does not satisfy"),
        (lambda model: b"{}", "does not satisfy"),
        (lambda model: b'{"x": "much"}', "cannot be read"),
        (lambda model: b"[1]", "cannot be read"),
    ],
)
def test_a_forged_model(log, change, reason):
    assert reason in refusal(log, forged(log, record(log, ASSUMING), "model", change))


# --- forged records -----------------------------------------------------------------------------


def without(name, kind):
    """A change of a record: it loses a lemma."""
    return lambda each: replace(
        each, lemmas=tuple(x for x in each.lemmas if (x.name, x.kind) != (name, kind))
    )


def refuted_by(inputs):
    """A change of a record: it is refuted, though that was not promised."""
    return lambda each: replace(each, outcome=Outcome.REFUTED, counterexample=inputs)


def promised(each):
    """As if a refutation had been promised."""
    return replace(each, expected=Outcome.REFUTED)


@pytest.mark.parametrize(
    ("theorem", "change", "reason"),
    [
        (WHOLE, lambda r: replace(r, theorem="cell.ionic.and"), "statement differs"),
        (WHOLE, lambda r: replace(r, theorem="cell.ionic.xand"), "no theorem of that name"),
        (WHOLE, lambda r: replace(r, statement="all is well"), "the statement differs"),
        (WHOLE, lambda r: replace(r, seed=7), "the seed differs"),
        (WHOLE, lambda r: replace(r, netlist=None), "the netlist differs"),
        (WHOLE, lambda r: replace(r, netlist=replace(r.netlist, sha256="0" * 64)), "netlist differs"),
        (WHOLE, lambda r: replace(r, netlist=replace(r.netlist, neurons=1)), "netlist differs"),
        (WHOLE, lambda r: replace(r, spec_sha256="0" * 64), "the spec differs"),
        (WHOLE, lambda r: replace(r, outcome=Outcome.TIMEOUT), "it is timeout, but proved was promised"),
        (WHOLE, lambda r: replace(r, lemmas=()), "a lemma is missing"),
        (WHOLE, lambda r: replace(r, lemmas=r.lemmas * 2), "one is there twice"),
        (WHOLE, lambda r: with_lemma(r, 0, formula_sha256="0" * 64), "formula"),
        (WHOLE, lambda r: with_lemma(r, 0, cnf_sha256="0" * 64), "the clauses differ"),
        (WHOLE, lambda r: with_lemma(r, 0, certificates=()), "no clausal proof"),
        (WHOLE, lambda r: with_lemma(r, 0, replies=()), "the engines said nothing"),
        (BY_LEMMAS, without("product", "algebra"), "a lemma is missing"),
        (BY_LEMMAS, without("outputs", "claim"), "a lemma is missing: claim 'outputs'"),
        (ASSUMING, without(ASSUMING, "assumptions"), "a lemma is missing: assumptions"),
        (REFUTED, lambda r: replace(r, outcome=Outcome.PROVED), "but refuted was promised"),
        (REFUTED, lambda r: replace(r, counterexample=None), "no counterexample"),
        (REFUTED, lambda r: replace(r, counterexample={"x": 0, "y": 0}), "does not replay"),
        (REFUTED, lambda r: replace(r, counterexample={"x": 0}), "of other inputs"),
        (BY_LEMMAS, lambda r: replace(r, outcome=Outcome.REFUTED), "no counterexample"),
        (BY_LEMMAS, refuted_by({"x": 3}), "of other inputs"),
        (BY_LEMMAS, refuted_by({"x": 3, "y": 5}), "does not replay"),
        (BY_LEMMAS, lambda r: refuted_by({"x": 3, "y": 5})(promised(r)), "promised outcome differs"),
        (WHOLE, lambda r: replace(r, package="acme"), "the package differs"),
        (WHOLE, lambda r: replace(r, counterexample={"a": 0, "b": 0}), "and has a counterexample"),
        (WHOLE, lambda r: replace(r, source_sha256="0" * 64), "the source differs"),
    ],
)
def test_a_forged_record(log, theorem, change, reason):
    assert reason in refusal(log, change(record(log, theorem)))


def test_replies_of_another_kind(log):
    proved = record(log, WHOLE)
    (lemma,) = proved.lemmas
    replies = tuple(replace(reply, status="unknown") for reply in lemma.replies)
    assert "the engines said unknown" in refusal(log, with_lemma(proved, 0, replies=replies))


def test_a_lemma_of_another_theorem(log):
    other = record(log, WHOLE).lemmas[0]
    proved = record(log, BY_LEMMAS)
    assert "none of the theorem's" in refusal(
        log, replace(proved, lemmas=(*proved.lemmas, replace(other, name="bonus")))
    )


# --- another source -----------------------------------------------------------------------------


def test_a_changed_netlist(log, monkeypatch):
    """The theorem is still stated, but its circuit is another one now."""
    obligation = replace(catalogue()[WHOLE], circuit=lambda: gate_netlist("nexus", "xor"))
    monkeypatch.setattr(verification, "stated", lambda name: obligation)
    assert "the netlist differs: here 5 neurons" in refusal(log, record(log, WHOLE))


def test_a_stale_log_and_an_incomplete_one(log, monkeypatch, capsys):
    monkeypatch.setattr(checking, "source_sha256", lambda: "another")
    (log / "records" / f"{WHOLE}.json").unlink()
    with pytest.raises(SystemExit) as ended:
        command.verify.main([str(log), "--jobs", "1"], standalone_mode=False)
    assert ended.value.code == 1
    said = capsys.readouterr().out
    assert "refused: the log is stale: it is of source" in said
    assert "refused: there are records of 4 of 5 theorems" in said


def test_a_log_that_claims_to_be_of_the_whole_profile(log, capsys):
    manifest = json.loads((log / "manifest.json").read_text())
    (log / "manifest.json").write_text(json.dumps(manifest | {"profile": "default"}))
    with pytest.raises(SystemExit) as ended:
        command.verify.main([str(log)], standalone_mode=False)
    assert ended.value.code == 1
    assert "is promised, but there is no record of it" in capsys.readouterr().out


def verified(log):
    """The exit code of the command."""
    with pytest.raises(SystemExit) as ended:
        command.verify.main([str(log), "--jobs", "1"], standalone_mode=False)
    return ended.value.code


def test_the_manifest_names_its_records(log, capsys):
    """Found by a reader: who cites the manifest's SHA-256 must have cited the records."""
    path = log / "records" / f"{WHOLE}.json"
    data = json.loads(path.read_text())
    path.write_text(json.dumps(data | {"seconds": 0.5}))
    assert verified(log) == 1
    assert "the records are not those that the manifest names" in capsys.readouterr().out


def test_counterexamples_are_kept_as_recorded(log, capsys):
    """Found by a reader: the files to be replayed belong to the evidence."""
    path = Log(log).counterexample(REFUTED)
    data = json.loads(path.read_text())
    path.write_text(json.dumps(data | {"inputs": dict.fromkeys(data["inputs"], "0x0")}))
    assert verified(log) == 1
    assert "the counterexample to replay is not the record's" in capsys.readouterr().out
    path.unlink()
    assert verified(log) == 1
    assert "cannot read" in capsys.readouterr().out


@pytest.mark.parametrize("theorem", [WHOLE, "fp16.add.rne"])
def test_a_counterexample_of_no_record_is_refused(log, capsys, theorem):
    """Found in review: one laid beside the others passed for evidence."""
    shutil.copy(Log(log).counterexample(REFUTED), Log(log).counterexample(theorem))
    assert verified(log) == 1
    said = capsys.readouterr().out
    assert f"{theorem}.json in counterexamples is of no record here; remove it" in said


def test_a_counterexample_says_what_its_record_says(log, capsys):
    path = Log(log).counterexample(REFUTED)
    data = json.loads(path.read_text())
    path.write_text(json.dumps(data | {"statement": "fp32 addition is wrong"}))
    assert verified(log) == 1
    assert "the counterexample to replay is not the record's" in capsys.readouterr().out


def test_the_manifest_counts_what_came_out_as_promised(log, capsys):
    manifest = json.loads((log / "manifest.json").read_text())
    (log / "manifest.json").write_text(json.dumps(manifest | {"discharged": 4558}))
    assert verified(log) == 1
    assert "5 came out as promised, the manifest says 4558" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"discharged": None}, "5 came out as promised, the manifest says None"),
        ({"promised": 1}, "there are more records than the 1 theorems of the run"),
        ({"profile": "everything, wide, twice"}, "there is no profile 'everything, wide, twice'"),
        ({"audited_by": "a great name"}, "manifest.json has other fields than spikeproof writes"),
    ],
)
def test_a_forged_manifest(log, capsys, change, reason):
    path = log / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    assert verified(log) == 1
    assert reason in capsys.readouterr().out


@pytest.mark.parametrize("field", ['"P": "NP",', '"outcome": "refuted",', '"statement": "P = NP",'])
def test_a_record_says_nothing_twice_and_nothing_more(log, capsys, field):
    """Found in review: who reads the first of two fields of one name reads another record."""
    path = log / "records" / f"{WHOLE}.json"
    path.write_text(path.read_text().replace("{", "{" + field, 1))
    assert verified(log) == 1
    assert f"{WHOLE}.json has other fields than spikeproof writes, one twice" in capsys.readouterr().out


def test_what_a_refutation_names_is_there(log):
    refuted = record(log, REFUTED)
    nowhere = Certificate("model", "0" * 64, 7)
    lemma = replace(record(log, WHOLE).lemmas[0], name=REFUTED, certificates=(nowhere,))
    assert refusal(log, refuted) == ""
    assert "0000" in refusal(log, replace(refuted, lemmas=(lemma,)))


def test_lemmas_name_nothing_that_does_not_speak_for_them(log):
    proved, assuming, whole = (record(log, theorem) for theorem in (BY_LEMMAS, ASSUMING, WHOLE))
    nowhere = Certificate("model", "0" * 64, 7)
    given = (*whole.lemmas[0].certificates, nowhere)
    assert "a model certificate, which says nothing" in refusal(
        log, with_lemma(whole, 0, certificates=given)
    )
    (index,) = (i for i, lemma in enumerate(proved.lemmas) if lemma.kind == "algebra")
    for change in (
        {"formula_sha256": "0" * 64},
        {"cnf_sha256": "0" * 64},
        {"replies": whole.lemmas[0].replies},
    ):
        assert "algebra does not need" in refusal(log, with_lemma(proved, index, **change))
    (index,) = (i for i, lemma in enumerate(assuming.lemmas) if lemma.kind == "assumptions")
    assert "the clauses differ" in refusal(log, with_lemma(assuming, index, cnf_sha256="0" * 64))


def test_what_is_no_log_is_named(tmp_path):
    with pytest.raises(click.ClickException, match="is not a proof log"):
        command.verify.main([str(tmp_path)], standalone_mode=False)


# --- another circuit ----------------------------------------------------------------------------


def test_a_log_about_a_given_circuit_needs_that_circuit(log, tmp_path, monkeypatch):
    monkeypatch.undo()
    circuit = gate_netlist("nexus", "xor")
    given = Run(circuit=circuit, log=Log(log)).discharge(catalogue()[WHOLE])
    assert given.green
    assert "name that with --circuit" in refusal(log, given)
    assert refusal(log, given, circuit=circuit) == ""
    wrong = gate_netlist("ionic", "xor")
    assert "another circuit than that given" in refusal(log, given, circuit=wrong)


# --- proofs shared by theorems ------------------------------------------------------------------


def test_proofs_are_checked_once_and_nobody_profits_from_one_that_fails(log, tmp_path, monkeypatch):
    records = read_log(log).records
    verifier = Verifier(Archive(log / CERTIFICATES), claims=tmp_path)
    found = list(verify_all(records, verifier, 1))
    again = list(verify_all(records, verifier, 1))
    assert all(each.checked for each in found if each.theorem != REFUTED)
    assert not any(each.checked for each in again)
    assert not any(each.refusal for each in conclusions([*found, *again]))
    lonely = {each.theorem: each.refusal for each in conclusions(again)}
    assert all("is not accepted" in lonely[theorem] for theorem in (BY_LEMMAS, ASSUMING, WHOLE))


def test_a_lost_process_verifies_nothing():
    rests = Verification("t", elsewhere=frozenset({("clauses", "proof")}))
    lost = Verification("u", refusal="the process died", checked=frozenset())
    assert [each.refusal != "" for each in conclusions([rests, lost])] == [True, True]


def test_certificates_are_named_by_their_content():
    assert Certificate.of("drat", b"a").sha256 != Certificate.of("drat", b"b").sha256
