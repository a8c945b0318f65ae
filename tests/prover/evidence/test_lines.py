"""Lists are of the source as it is: what is kept of any other, or is damaged, counts as absent."""

import shutil
import subprocess
import sys
from dataclasses import replace

import pytest

from spikeproof.prover.claims.announced import CatalogueError
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


def test_a_name_that_may_be_described_is_not_answered():
    keep(STATED)
    assert kept(["cell.ionic.xor", "cell.ionic.xorr"]) is None


REFUSED = ("nonsense.name", "fp8_e5m2.ad.rne", "e5m6.*", "fp16.sqr_root.rne.flgas")


def test_what_cannot_be_described_is_refused_in_the_words_of_who_states_everything():
    keep(own().values())
    for pattern in REFUSED:
        with pytest.raises(CatalogueError) as quick:
            kept(["cell.ionic.xor", pattern])
        with pytest.raises(CatalogueError) as slow:
            select(pattern)
        assert str(quick.value) == str(slow.value)


def test_who_mistypes_a_name_waits_for_nothing_that_states_theorems():
    keep(own().values())
    for pattern in REFUSED[:2]:
        command = [sys.executable, "-X", "importtime", "-m", "spikeproof", "list", pattern]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        *imports, message = done.stderr.splitlines()
        loaded = {line.rpartition("|")[2].strip() for line in imports}
        assert (done.returncode, done.stdout) == (2, "")
        assert f"no theorem matches {pattern!r}" in message
        assert "click" in loaded
        assert not loaded & {"numpy", "pysmt", "z3", "gmpy2"}


def test_a_name_that_a_changed_source_states_is_not_refused(root):
    keep([])
    changed(root, "proofs/cells.py")
    look_again()
    assert kept(["nonsense.name"]) is None


def test_a_read_only_cache_is_not_written(monkeypatch):
    monkeypatch.setenv("SPIKEPROOF_CACHE_READ_ONLY", "1")
    keep(STATED)
    assert not cache_directory().exists()


def test_other_packages_are_asked_each_time(tmp_path, monkeypatch):
    keep(STATED)
    write_package(tmp_path / "site", adder())
    monkeypatch.syspath_prepend(tmp_path / "site")
    assert kept(PATTERNS) is None
