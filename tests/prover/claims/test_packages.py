"""Packages that state theorems of their own: they change nothing of ours, and cannot pass for it."""

import logging
import os
import sys
import zipfile
from importlib import invalidate_caches
from pathlib import Path

import pytest

from spikeproof.prover.claims import announced as announced_module
from spikeproof.prover.claims import catalogue as catalogue_module
from spikeproof.prover.claims.catalogue import CatalogueError, catalogue, own, stated
from spikeproof.prover.claims.obligation import Outcome
from spikeproof.prover.evidence import source
from spikeproof.prover.evidence.cache import Cache
from spikeproof.prover.evidence.history import last_result, remember
from spikeproof.prover.evidence.log import Log, read_log
from spikeproof.prover.evidence.seal import is_sealed
from spikeproof.prover.evidence.source import engines_sha256, source_sha256, versions
from spikeproof.prover.running import run as run_module
from spikeproof.prover.running.run import Run
from spikeproof.prover.running.verify import verify_log
from tests.support.command_line import spikeproof, spikeproof_apart
from tests.support.packages import adder, look_again, write_package

ROOT = Path(__file__).parents[3]
OURS, THEIRS = "cell.ionic.and", "acme.adder"
BROKEN = "import a_module_that_nobody_has"


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A directory of packages, none in it yet."""
    path = tmp_path / "site"
    path.mkdir()
    monkeypatch.syspath_prepend(path)
    look_again()
    yield path
    monkeypatch.undo()
    look_again()


def install(site, *code, **how):
    path = write_package(site, *code, **how)
    invalidate_caches()
    look_again()
    return path


def discharged(theorem, cache=None):
    """A theorem, discharged or found; its record is in the cache, if there is one."""
    return Run(60.0, cache=cache).discharge(stated(theorem))


def logged(directory, *theorems):
    """A log of theorems, of all that it takes."""
    obligations = [stated(theorem) for theorem in theorems]
    packages = {each.package for each in obligations}
    run = {"command": "a test", "profile": "part", "promised": len(theorems), "packages": packages}
    log = Log.begin(directory, **run)
    records = [Run(60.0, log=log).discharge(each) for each in obligations]
    log.end(sum(record.green for record in records), complete=True)
    return records


def everywhere(site):
    """The environment of a process in which the packages are installed."""
    return {"PYTHONPATH": f"{ROOT}{os.pathsep}{site}"}


# --- what is ours ---------------------------------------------------------------------------------


def test_nothing_of_ours_depends_on_a_package(site, tmp_path):
    def of_ours():
        look_again()
        engines_sha256.cache_clear()
        return source_sha256(), versions(), engines_sha256(), list(own())

    before, cache = of_ours(), Cache(tmp_path / "cache")
    discharged(OURS, cache)
    found = cache.record(OURS)
    install(site, adder())
    assert of_ours() == before
    assert is_sealed(found)
    assert cache.record(OURS) == found
    assert "acme" not in sys.modules
    assert [each for each in catalogue() if each not in own()] == [THEIRS]


def test_a_log_of_ours_is_verified_without_importing_a_package(site, tmp_path):
    logged(tmp_path / "log", OURS)
    install(site, "raise AssertionError('imported')")
    assert verify_log(tmp_path / "log").refusals == ()
    assert "acme" not in sys.modules


# --- what is theirs -------------------------------------------------------------------------------


def test_a_theorem_of_a_package_is_of_its_source_and_ours(site):
    code = install(site, adder())
    hashes = [source_sha256(), source_sha256("acme")]
    (code.parent / "netlist.json").write_text("{}")
    look_again()
    hashes.append(source_sha256("acme"))
    code.write_text(adder() + "# changed\n")
    look_again()
    hashes.append(source_sha256("acme"))
    (code.parent / ".netlist.json.swp").touch()
    look_again()
    assert source_sha256("acme") == hashes[-1]
    assert source_sha256() == hashes[0]
    assert len(set(hashes)) == 4
    assert versions("acme") == {**versions(), "acme": "1.0"}


def test_a_package_of_linked_directories_is_refused(site, tmp_path):
    """Found in review: what lies behind the link is no part of the hash."""
    code = install(site, adder())
    (tmp_path / "elsewhere").mkdir()
    (code.parent / "sub").symlink_to(tmp_path / "elsewhere")
    look_again()
    with pytest.raises(CatalogueError, match="is a link to a directory"):
        source_sha256("acme")


def test_the_source_of_a_lone_module_counts_too(site):
    code = install(site, adder())
    code.rename(site / "acme.py")
    code.parent.rmdir()
    invalidate_caches()
    look_again()
    before = source_sha256("acme")
    (site / "acme.py").write_text(adder("and"))
    look_again()
    assert source_sha256("acme") != before


def test_files_of_a_package_cannot_take_the_place_of_ours(site):
    """Or its package and ours could change places with one another, and nothing be seen of it."""
    install(site, adder(), module="specs")
    ours, theirs = (
        {name for name, _ in found} for found in (source._sources(), source._sources_of("acme"))
    )
    assert "specs/__init__.py" in ours
    assert theirs == {"acme: specs/__init__.py"}


def test_a_log_believes_no_record_of_another_package(site, tmp_path):
    install(site, adder())
    logged(tmp_path / "log", OURS, THEIRS)
    log = Log(tmp_path / "log")
    assert log.record(THEIRS, package="acme").package == "acme"
    assert log.record(THEIRS) is log.record(THEIRS, package="other") is None
    assert log.record(OURS, package="acme") is None


def test_a_record_and_its_log_name_the_package(site, tmp_path):
    install(site, adder())
    ours, theirs = logged(tmp_path / "log", OURS, THEIRS)
    assert (ours.package, theirs.package) == (None, "acme")
    assert theirs.source_sha256 == source_sha256("acme") != ours.source_sha256
    manifest = read_log(tmp_path / "log").manifest
    assert manifest.versions["acme"] == "1.0"
    assert manifest.source_sha256 == source_sha256()
    verified = verify_log(tmp_path / "log")
    assert (verified.refusals, verified.packages) == ((), ("acme",))


def test_a_log_of_a_package_that_changed_is_refused_and_ours_is_not(site, tmp_path):
    code = install(site, adder())
    logged(tmp_path / "log", OURS, THEIRS)
    code.write_text(adder() + "# changed\n")
    look_again()
    (refusal,) = verify_log(tmp_path / "log").refusals
    assert refusal.startswith(f"{THEIRS}: the source differs")


@pytest.mark.parametrize("change", ["code", "version", "package"])
def test_what_a_package_changes_is_proved_again(site, tmp_path, monkeypatch, change):
    code, cache = install(site, adder()), Cache(tmp_path / "cache")
    discharged(THEIRS, cache)
    found = cache.record(THEIRS, package="acme")
    remember(found)
    assert last_result(THEIRS) == (found, True)
    assert cache.record(THEIRS) is None
    if change == "code":
        code.write_text(adder() + "# changed\n")
    else:
        (old,) = site.glob("*.dist-info")
        old.rename(site / "elsewhere")
        version = {"name": "other", "module": "acme"} if change == "package" else {"version": "2.0"}
        install(site, adder(), **version)
    look_again()
    assert is_sealed(found) == (change == "code")
    again = discharged(THEIRS, cache)
    assert again.outcome is Outcome.PROVED
    assert again.seal != found.seal
    assert again.origin == ""
    assert last_result(THEIRS) == (found, change == "version")
    monkeypatch.setattr(run_module, "discharge", lambda *_: pytest.fail("proved again"))
    assert discharged(THEIRS, cache).seal == again.seal


# --- what cannot be loaded ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "why"),
    [
        (BROKEN, "ModuleNotFoundError: No module named 'a_module_that_nobody_has'"),
        ("import sys; sys.exit(0)", "SystemExit: 0"),
        ("def obligations(:", "SyntaxError"),
        ("", "AttributeError"),
        ("def obligations():\n    yield 1 / 0", "ZeroDivisionError: division by zero"),
        ("def obligations():\n    yield 'x'", "TypeError"),
    ],
)
def test_a_package_that_cannot_be_loaded_is_named_and_has_no_theorems(site, caplog, code, why):
    install(site, code)
    with caplog.at_level(logging.WARNING):
        assert list(catalogue()) == list(own())
        catalogue()
    (line,) = (each.message for each in caplog.records)
    assert line.startswith("spikeproof: the theorems of package acme are not there, since it cannot be")
    assert why in line
    assert "\n" not in line


def test_commands_do_without_a_package_that_cannot_be_loaded(site, tmp_path):
    logged(tmp_path / "ours", OURS)
    code = install(site, adder())
    logged(tmp_path / "log", OURS, THEIRS)
    code.write_text(BROKEN)
    look_again()
    listed = spikeproof_apart("list", "cell.ionic.*", **everywhere(site))
    assert listed.returncode == 0
    assert listed.stderr.count("\n") == 1
    assert "the theorems of package acme are not there" in listed.stderr
    named = spikeproof("prove", "acme.*")
    assert (named.returncode, named.stdout) == (2, "")
    assert "no theorem matches 'acme.*'" in named.stderr
    assert spikeproof("verify", tmp_path / "ours").returncode == 0
    verified = spikeproof("verify", tmp_path / "log")
    assert verified.returncode == 1
    assert f"refused: {THEIRS}: no theorem of that name is stated here, by acme" in verified.stdout
    assert "1 of 2 records verified" in verified.stdout


def test_a_package_that_is_not_there_as_files_proves_nothing(site, tmp_path, monkeypatch):
    """Its source could be anything."""
    code = install(site, adder())
    archive = tmp_path / "acme.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.write(code, "acme/__init__.py")
    code.unlink()
    code.parent.rmdir()
    monkeypatch.syspath_prepend(archive)
    invalidate_caches()
    look_again()
    assert THEIRS in catalogue()
    with pytest.raises(CatalogueError, match="the source of package acme is not there; install it"):
        discharged(THEIRS)


# --- who would pass for us ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        OURS,
        "fp16.add.rne.ftz.daz",  # fp16.add.rne.cuda in other words
        "e5m3.add.rne",  # which is not promised
        "fp4_e2m1.add.rne",  # which is impossible
        "fp16.add.rne.foo",
        "e16m10.add.rne",
        "fp_E5M10fnuz.whatever",
        "FP16.add.rne",
        "int7.convert",
        "int8x2.convert",
        "cell.acme.and",
        "fp-16.add.rne",
        "fp8e4m3fn.add.rne",
        "_margin.ours",
    ],
)
def test_no_name_begins_as_ours_do(site, caplog, name):
    """Found in review: what is no name of ours was free, and listed among ours."""
    install(site, adder("and").replace(THEIRS, name))
    with caplog.at_level(logging.WARNING):
        assert list(catalogue()) == list(own())
    assert f"{name} begins as ours do; let its names begin with one of its own" in caplog.text
    assert stated(OURS).package is None


def test_a_log_of_ours_is_verified_whatever_names_a_package_takes(site, tmp_path):
    logged(tmp_path / "log", OURS)
    install(site, adder("and").replace(THEIRS, OURS))
    assert stated(OURS).package is None
    assert verify_log(tmp_path / "log").refusals == ()


@pytest.mark.parametrize(
    "name", ["fp\u04816.add.rne", " fp16.add", "acme.a\\nb", "acme adder", "*.add.rne"]
)
def test_names_are_letters_that_everybody_can_tell_apart(site, caplog, name):
    """Found in review: another alphabet's letters, blanks, and a line that was none of ours."""
    install(site, adder("and").replace(THEIRS, name))
    with caplog.at_level(logging.WARNING):
        assert list(catalogue()) == list(own())
    assert "is no name; use letters, digits, '_', '-' and '.'" in caplog.text


def test_two_packages_cannot_have_one_name(site):
    install(site, adder())
    install(site, adder(), name="other")
    with pytest.raises(CatalogueError, match=f"two obligations are named {THEIRS}, of acme and other"):
        catalogue()


def test_what_a_package_says_of_whose_its_theorems_are_does_not_count(site):
    install(
        site,
        adder().replace("meaning=", "meaning=")
        + "    from dataclasses import replace\n"
        + "    yield replace(next(obligations()), name='acme.ours', package=None)\n",
    )
    assert catalogue()["acme.ours"].package == "acme"


@pytest.mark.parametrize(
    "how",
    [
        {"name": "spikeproof", "module": "acme"},
        {"name": "SPIKEPROOF", "module": "acme"},
        {"module": "spikeproof.acme"},
    ],
)
def test_a_package_with_our_name_is_not_taken(site, caplog, how):
    install(site, adder(), **how)
    with caplog.at_level(logging.WARNING):
        assert list(catalogue()) == list(own())
    assert "spikeproof is this project's name; choose another" in caplog.text


@pytest.mark.parametrize(
    "metadata", ["Version: 1.0\n", "Name: \nVersion: 1.0\n", "Metadata-Version: 2.1\n"]
)
def test_a_package_without_a_name_is_not_taken(site, caplog, metadata):
    """Found in review: its theorems passed for ours."""
    write_package(site, adder())
    (site / "acme-1.0.dist-info" / "METADATA").write_text(metadata)
    install(site, adder(), name="other")
    (site / "acme-1.0.dist-info" / "METADATA").write_text(metadata)
    with caplog.at_level(logging.WARNING):
        assert {each.package for each in catalogue().values()} == {None, "other"}
    assert "it has no name; give it one" in caplog.text


def test_a_theorem_of_a_package_keeps_no_promise_of_ours(site, tmp_path, monkeypatch):
    """Not even one that the ledger has, and that we do not state any more."""
    install(site, adder())
    logged(tmp_path / "log", THEIRS)
    promise = "spikeproof.prover.running.verify.unfulfilled"
    seen = []
    monkeypatch.setattr(promise, lambda ledger, records, **_: seen.extend(records) or [])
    assert verify_log(tmp_path / "log").refusals == ()
    assert seen == []


def test_ours_are_found_where_nothing_is_announced(monkeypatch):
    monkeypatch.setattr(announced_module, "entry_points", lambda group: ())
    anew = catalogue_module._ours.__wrapped__()
    assert list(catalogue.__wrapped__()) == list(anew) == list(own())
