"""Shards are all theorems, each once; what they wrote becomes one log, and nothing else does."""

import gzip
import json
import shutil
from dataclasses import replace

import pytest

from spikeproof.prover.claims.catalogue import own, promised, select, theorem
from spikeproof.prover.claims.obligation import Profile
from spikeproof.prover.evidence import merging
from spikeproof.prover.evidence import shards as shards_module
from spikeproof.prover.evidence.log import Log, LogError, read_log, records_sha256
from spikeproof.prover.evidence.merging import merge
from spikeproof.prover.evidence.record import Record
from spikeproof.prover.evidence.shards import (
    USUAL,
    Shard,
    ShardError,
    batches,
    longest_first,
    recorded_seconds,
    seconds_text,
)
from spikeproof.prover.running.run import Run
from spikeproof.prover.running.verify import verify_log
from tests.support.command_line import spikeproof
from tests.support.evidence import proved
from tests.support.logs import digest, record

REFUTED = "fp4_e2m1.sticky_extra_multiply.rne.saturate.without_significand_route"
STATED = [*select("cell.nexus.*"), theorem(REFUTED)]
CATALOGUED = theorem("cell.ionic.xor")


@pytest.mark.parametrize(
    "text", ["0/3", "4/3", "3", "3/", "/3", "-1/3", "1/3/5", "1.0/3", "\u0661/\u0663", ""]
)
def test_what_is_no_shard(text):
    with pytest.raises(ShardError, match="is no shard; the third of eight is 3/8"):
        Shard.read(text)


@pytest.mark.parametrize(("wide", "count"), [(False, 1), (False, 8), (False, 20_000), (True, 5)])
def test_shards_are_all_theorems_each_once_and_take_about_as_long(wide, count):
    stated = promised(wide=wide)
    costs = {each.name: recorded_seconds().get(each.name, USUAL) for each in stated}
    loads, seen = [], []
    for number in range(1, count + 1) if count < 100 else (1, 2, count):
        part = [each.name for each in Shard(number, count).of(stated)]
        seen += part
        loads.append(sum(costs[name] for name in part))
        own = set(part)
        assert part == [name for name in costs if name in own]
    assert len(seen) == len(set(seen))
    if count < 100:
        assert set(seen) == set(costs)
        assert max(loads) - min(loads) <= max(costs.values())


def test_what_takes_long_comes_first_but_for_programs(monkeypatch):
    program = next(each for each in own().values() if each.rests_on)
    unit, short, long, longer = (theorem(f"cell.ionic.{gate}") for gate in ("and", "or", "not", "xor"))
    took = {program.name: 99.0, long.name: 2.0, longer.name: 3.0}
    monkeypatch.setattr(shards_module, "recorded_seconds", lambda: took)
    assert longest_first([unit, program, long, short, longer]) == [longer, long, unit, program, short]


def test_short_theorems_are_a_batch_and_what_nobody_knows_is_alone(monkeypatch):
    cells = select("cell.ionic.*")[:15]
    wide = next(each for each in own().values() if each.profile is Profile.WIDE)
    theirs = replace(cells[0], package="theirs")
    monkeypatch.setattr(shards_module, "recorded_seconds", lambda: {cells[0].name: 2.0})
    stated = [cells[0], *cells[1:9], wide, *cells[9:12], theirs, *cells[12:]]
    parts = list(batches(stated))
    assert [each for part in parts for each in part] == stated
    assert [len(part) for part in parts] == [1, 6, 2, 1, 3, 1, 3]


def test_recorded_seconds_are_of_theorems_that_there_are():
    assert recorded_seconds().keys() <= own().keys()
    assert recorded_seconds()["fp16.fma.rne"] >= 1


def test_new_seconds_take_the_place_of_old_ones():
    records = [Record.from_json(record(name, seconds=took)) for name, took in (("a", 2.04), ("b", 0.9))]
    text = seconds_text(records, {"b": 5.0, "c": 7.0, "gone": 9.0}, ["c", "a", "b"])
    assert text == "theorem\tseconds\nc\t7.0\na\t2.0\n"


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """The logs of three shards of a run; one of them has a refutation, as promised."""
    folder = tmp_path_factory.mktemp("shards")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPIKEPROOF_STATE", str(folder / "state"))
        for number in (1, 2, 3):
            write_shard(folder / str(number), Shard(number, 3).of(STATED))
    return folder


def write_shard(directory, obligations):
    log = Log.begin(directory, command="a test", profile="part", promised=len(obligations))
    records = [Run(log=log).discharge(each) for each in obligations]
    assert all(each.green for each in records)
    log.end(discharged=len(records), complete=True)


@pytest.fixture
def shards(sound, tmp_path):
    """Copies to be damaged."""
    folder = shutil.copytree(sound, tmp_path / "shards")
    return [folder / str(number) for number in (1, 2, 3)]


def merged(shards, tmp_path):
    return merge(shards, tmp_path / "whole", "spikeproof merge")


def test_shards_make_a_log_that_verifies(shards, tmp_path):
    contents = merged(shards, tmp_path)
    assert {each.theorem for each in contents.records} == {each.name for each in STATED}
    parts = [read_log(each) for each in shards]
    manifest = contents.manifest
    assert [each.manifest_sha256 for each in manifest.parts] == [each.manifest_sha256 for each in parts]
    assert manifest.started == min(each.manifest.started for each in parts)
    assert (manifest.profile, manifest.promised, manifest.discharged) == (
        "part",
        len(STATED),
        len(STATED),
    )
    verified = verify_log(tmp_path / "whole")
    assert not verified.refusals
    assert len(verified.verified) == len(STATED)
    assert (tmp_path / "whole" / "counterexamples" / f"{REFUTED}.json").exists()


def test_a_whole_profile_is_named(shards, tmp_path, monkeypatch):
    monkeypatch.setattr(
        merging, "promised", lambda wide: STATED[:-1] if not wide else [*STATED, CATALOGUED]
    )
    assert merged(shards, tmp_path).manifest.profile == "default"
    assert merged(shards[:2], tmp_path).manifest.profile == "part"
    monkeypatch.setattr(merging, "promised", lambda wide: STATED)
    assert merged(shards, tmp_path).manifest.profile == "wide"


def test_what_was_merged_can_be_merged(shards, tmp_path):
    merge(shards[:2], tmp_path / "two", "spikeproof merge")
    contents = merged([tmp_path / "two", *shards], tmp_path)
    assert len(contents.records) == len(STATED)
    assert len(contents.manifest.parts) == 4


def test_what_an_interrupted_run_left_is_not_merged_with(shards, tmp_path):
    log = Log.begin(tmp_path / "whole", command="a test", profile="part", promised=2)
    Run(log=log).discharge(CATALOGUED)
    contents = merged(shards, tmp_path)
    assert {each.theorem for each in contents.records} == {each.name for each in STATED}
    assert not verify_log(tmp_path / "whole").refusals


def edited(directory, **fields):
    path = directory / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


def outcome_changed(shards):
    """A record of the first shard's says otherwise in the second, whose manifest names it."""
    (path, *_) = sorted((shards[0] / "records").iterdir())
    data = json.loads(path.read_text()) | {"outcome": "refuted", "expected": "refuted"}
    (shards[1] / "records" / path.name).write_text(json.dumps(data))
    edited(shards[1], records_sha256=records_sha256(shards[1]))


def certificate_changed(shards):
    (path, *_) = sorted((shards[2] / "certificates").glob("*/*.gz"))
    path.write_bytes(gzip.compress(b"another"))


FAULTS = {
    "no log": (lambda shards: (shards[1] / "manifest.json").unlink(), "is not a proof log"),
    "interrupted": (lambda shards: edited(shards[1], finished=None), "the run has not ended"),
    "cut short": (lambda shards: edited(shards[1], complete=False), "before every theorem was tried"),
    "fewer": (lambda shards: edited(shards[1], promised=999), r"records of \d+ of 999 theorems"),
    "other source": (lambda shards: edited(shards[1], source_sha256="0" * 64), "of another source"),
    "other libraries": (lambda shards: edited(shards[2], versions={"z3-solver": "1"}), "other versions"),
    "record removed": (
        lambda shards: sorted((shards[2] / "records").iterdir())[0].unlink(),
        "there are records of",
    ),
    "record edited": (
        lambda shards: sorted((shards[2] / "records").iterdir())[0].open("a").write(" "),
        "not those that the manifest names",
    ),
    "contradiction": (outcome_changed, "is proved in .*, but refuted in"),
    "certificate": (certificate_changed, "lacks a certificate of"),
    "no certificate": (
        lambda shards: shutil.rmtree(shards[2] / "certificates"),
        "lacks a certificate of",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_not_whole_and_of_this_source_is_refused(shards, tmp_path, fault):
    damage, reason = FAULTS[fault]
    damage(shards)
    with pytest.raises(LogError, match=reason):
        merged(shards, tmp_path)
    assert not (tmp_path / "whole" / "manifest.json").exists() or read_log(tmp_path / "whole").lacks


def test_a_log_of_a_circuit_that_was_given_is_refused(tmp_path):
    log = Log.begin(tmp_path / "given", command="a test", profile="part", promised=1)
    log.write(proved(log.archive, circuit=digest("circuit")))
    log.end(discharged=1, complete=True)
    with pytest.raises(LogError, match="is of a circuit that was given"):
        merged([log.directory], tmp_path)


def test_a_log_is_not_merged_into_itself(shards):
    with pytest.raises(LogError, match="is one of the logs to be merged"):
        merge(shards, shards[0], "spikeproof merge")
    assert read_log(shards[0]).manifest.complete


def test_a_log_is_not_merged_twice(shards, tmp_path):
    with pytest.raises(LogError, match="is named more than once; name each log once"):
        merge([shards[0], shards[1], shards[0]], tmp_path / "whole", "spikeproof merge")
    assert not (tmp_path / "whole").exists()


def test_commands(tmp_path):
    for number in (1, 2):
        where = ("--log", tmp_path / str(number), "--jobs", 1)
        done = spikeproof("prove", "cell.nexus.*or*", "--shard", f"{number}/2", *where)
        assert done.returncode == 0, done.stderr
    done = spikeproof("merge", tmp_path / "1", tmp_path / "2", "--log", tmp_path / "whole")
    assert done.returncode == 0, done.stderr
    assert "theorems of 2 logs" in done.stdout
    assert max(map(len, done.stdout.splitlines()[:-1])) <= 80
    assert {each.theorem for each in read_log(tmp_path / "whole").records} == {
        each.name for each in select("cell.nexus.*or*")
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("prove", "cell.*", "--shard", "3"), "'3' is no shard; the third of eight is 3/8"),
        (("prove", "cell.ionic.xor", "--shard", "1/2"), None),
        (
            ("prove", "cell.ionic.xor", "--shard", "2/2"),
            "there are fewer theorems than 2; use an N of 1 at most",
        ),
        (("prove", "cell.ionic.xor", "--shard", "1/2", "--circuit", "x.json"), "merged with no other"),
        (("merge", "nowhere"), "nowhere is not a proof log"),
        (("ledger", "--check", "--seconds", "nowhere"), "exclude one another"),
    ],
)
def test_refusals(arguments, message):
    done = spikeproof(*arguments)
    assert done.returncode == (2 if message else 0)
    assert message is None or message in done.stderr
    assert done.stderr.count("\n") == 1
