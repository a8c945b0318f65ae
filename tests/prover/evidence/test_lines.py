"""Lists are of the source as it is: what is kept of any other, or is damaged, counts as absent."""

import shutil
from dataclasses import replace

import pytest

from spikeproof.prover.claims.catalogue import own, select
from spikeproof.prover.evidence import source
from spikeproof.prover.evidence.files import cache_directory
from spikeproof.prover.evidence.lines import Line, keep, kept
from tests.support.command_line import spikeproof
from tests.support.packages import adder, look_again, write_package

PATTERNS = ["cell.nexus.xor", "cell.ionic.*", "cell.*.xor"]
STATED = select("cell.*")


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A source of its own, which may be changed."""
    place = tmp_path / "source"
    for folder in source.OURS:
        shutil.copytree(
            source.ROOT / folder, place / folder, ignore=shutil.ignore_patterns("__pycache__")
        )
    monkeypatch.setattr(source, "ROOT", place)
    look_again()
    yield place
    monkeypatch.undo()
    look_again()


def changed(root, name):
    path = root / name
    path.write_text(path.read_text() + "\n")


def test_what_is_kept_is_listed_as_it_would_be_stated():
    listed = spikeproof("list", *PATTERNS).stdout
    assert (cache_directory() / "v1" / "statements.tsv").is_file()
    found = kept(PATTERNS)
    assert [Line.of(each) for each in {o.name: o for p in PATTERNS for o in select(p)}.values()] == found
    assert listed == spikeproof("list", *PATTERNS).stdout == "".join(f"{line.text}\n" for line in found)
    assert [line.name for line in kept(["*"])] == list(own())


def test_it_is_read(monkeypatch):
    assert kept(PATTERNS) is None
    keep([replace(each, statement="as it is kept") for each in STATED])
    run = spikeproof("list", "cell.ionic.xor")
    assert run.stdout == "cell.ionic.xor\tproved\tdefault\tas it is kept\n"


@pytest.mark.parametrize("name", ["proofs/cells.py", "specs/formats.py", "circuits/netlist.py"])
def test_a_changed_source_is_noticed(root, name):
    keep(STATED)
    assert kept(PATTERNS)
    changed(root, name)
    look_again()  # as a new process does
    assert kept(PATTERNS) is None


def test_a_file_more_is_noticed(root):
    keep(STATED)
    (root / "proofs" / "more.py").touch()
    look_again()
    assert kept(PATTERNS) is None


def test_nothing_is_kept_of_a_source_that_changes_while_it_is_stated(root):
    assert kept(PATTERNS) is None
    changed(root, "proofs/cells.py")
    keep(STATED)
    look_again()
    assert kept(PATTERNS) is None


def test_other_versions_are_noticed(monkeypatch):
    keep(STATED)
    monkeypatch.setattr(source, "LIBRARIES", ("z3-solver",))
    assert kept(PATTERNS) is None


@pytest.mark.parametrize(
    "damage", [lambda text: text[:-40], lambda text: text.replace("gate", "Gate"), str.upper]
)
def test_a_damaged_file_counts_as_absent(damage):
    keep(STATED)
    path = cache_directory() / "v1" / "statements.tsv"
    path.write_text(damage(path.read_text()))
    assert kept(PATTERNS) is None


def test_who_has_not_the_key_changes_nothing(monkeypatch):
    monkeypatch.setenv("SPIKEPROOF_SEAL", "theirs")
    keep(STATED)
    monkeypatch.setenv("SPIKEPROOF_SEAL", "ours")
    assert kept(PATTERNS) is None


def test_a_pattern_that_matches_none_is_not_answered():
    keep(STATED)
    assert kept(["cell.ionic.xor", "nothing"]) is None


def test_a_read_only_cache_is_not_written(monkeypatch):
    monkeypatch.setenv("SPIKEPROOF_CACHE_READ_ONLY", "1")
    keep(STATED)
    assert not cache_directory().exists()


def test_other_packages_are_asked_each_time(tmp_path, monkeypatch):
    keep(STATED)
    write_package(tmp_path / "site", adder())
    monkeypatch.syspath_prepend(tmp_path / "site")
    assert kept(PATTERNS) is None
