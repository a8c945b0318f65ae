"""What is installed: the wheel, its dependencies, and the pins for every Python that is promised."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from importlib.metadata import distribution, distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from spikeproof.prover.commands.cli import EXTRAS
from tests.support.command_line import spikeproof
from tests.support.strangers import FOLDERS, put_strangers

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PYTHONS = [each.rpartition(" ")[2] for each in PROJECT["classifiers"]]
"""Those that are promised."""

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"
GENERATED = shutil.ignore_patterns("__pycache__", "*.egg-info")


def required(*extras):
    """What this project requires for some extras, or without any, by name."""
    listed = PROJECT["dependencies"] if not extras else []
    for extra in extras:
        listed = [*listed, *PROJECT["optional-dependencies"][extra]]
    found = {}
    for requirement in map(Requirement, listed):
        if requirement.name == PROJECT["name"]:
            found |= required(*requirement.extras)
        else:
            found[canonicalize_name(requirement.name)] = requirement
    return found


def pins():
    """Every line of requirements.txt."""
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    return [Requirement(line) for line in lines if not line.startswith("#")]


def pinned(python):
    """The version of each distribution that is installed on a Python."""
    chosen = [p for p in pins() if not p.marker or p.marker.evaluate({"python_version": python})]
    versions = {canonicalize_name(pin.name): str(pin.specifier).removeprefix("==") for pin in chosen}
    assert len(versions) == len(chosen), "one pin for each"
    return versions


# --- dependencies -------------------------------------------------------------------------------


def test_the_smallest_installation_has_no_heavy_packages():
    assert not {"torch", "matplotlib", "pytest", "hypothesis"} & set(required())


def statements(node):
    """All that are in something: imports are among them, and most nodes are not."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.stmt, ast.excepthandler, ast.match_case)):
            yield child
            yield from statements(child)


def test_every_import_is_of_something_required():
    """Of what is installed; only benchmarks and our own tests may want more."""
    extras = ("bitwuzla", "cluster", "networks", "nir", "oracles", "report", "test", "torch", "verified")
    declared = {*required(), *required(*extras)}
    provided = {
        re.split("[/.,]", line, maxsplit=1)[0]
        for each in distributions()
        if canonicalize_name(each.metadata["Name"]) in declared
        for line in (each.read_text("RECORD") or "").splitlines()
    }
    for path in (path for folder in (*FOLDERS, "spikeproof") for path in (ROOT / folder).rglob("*.py")):
        for node in statements(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) else []
            for package in {name.partition(".")[0] for name in names} - {"spikeproof"}:
                if package not in sys.stdlib_module_names:
                    assert package in provided, f"{path} imports {package}"


def test_commands_know_the_extra_of_every_package_that_they_may_lack():
    extras = {e: required(e) for e in ("bitwuzla", "cluster", "report", "torch", "verified")}
    expected = {package: extra for extra in extras for package in extras[extra]}
    assert expected == EXTRAS
    assert not set(EXTRAS) & set(required())


# --- pins ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("python", PYTHONS)
def test_the_pins_are_of_what_is_required(python):
    versions = pinned(python)
    extras = (*EXTRAS.values(), "networks", "oracles", "test")
    for name, requirement in {**required(), **required(*extras)}.items():
        if requirement.marker and not requirement.marker.evaluate({"python_version": python}):
            continue
        assert versions[name] in requirement.specifier, requirement


@pytest.mark.parametrize("python", PYTHONS)
def test_the_pins_are_to_be_had_on(python):
    """By what is installed here, so far as that is what would be there."""
    assert python in SpecifierSet(PROJECT["requires-python"])
    here = pinned(HERE)
    for name, version in pinned(python).items():
        if here.get(name) == version:
            found = distribution(name)
            assert found.version.partition("+")[0] == version
            needed = SpecifierSet(found.metadata.get("Requires-Python") or "")
            assert f"{python}.0" in needed or f"{python}.99" in needed, f"{name}=={version}"


def test_the_oldest_and_the_newest_python_gate_merges():
    (versions,) = re.findall(r"python: (\[.*\])", (ROOT / ".github/workflows/prove.yml").read_text())
    assert json.loads(versions) == [PYTHONS[0], PYTHONS[-1]]
    assert PROJECT["requires-python"] == f">={PYTHONS[0]}"
    assert re.search(rf"Python {PYTHONS[0]} to {PYTHONS[-1]}", (ROOT / "requirements.txt").read_text())


# --- the wheel ----------------------------------------------------------------------------------


def built(kind, source, into):
    """The wheel or the sdist of a folder, built by what pip would build it with."""
    program = f"from setuptools import build_meta; print(build_meta.build_{kind}({str(into)!r}))"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=source, capture_output=True, text=True, check=True
    )
    return into / done.stdout.splitlines()[-1]


ONE_BY_ONE = """
import runpy, sys
for arguments in sys.argv[1:]:
    sys.argv = ["spikeproof", *arguments.split()]
    try:
        runpy.run_module("spikeproof", run_name="__main__")
    except SystemExit as ended:
        if ended.code:
            raise
"""
"""Commands in one process, which imports once what each would import anew."""


def test_the_wheel_works_and_is_the_same_from_a_clone_and_from_an_sdist(tmp_path):
    clone, made, site, user = (tmp_path / name for name in ("clone", "made", "site", "user"))
    for directory in (clone, made, user):
        directory.mkdir()
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, clone)
    for folder in (*FOLDERS, "spikeproof", "tests"):
        shutil.copytree(ROOT / folder, clone / folder, symlinks=True, ignore=GENERATED)
    sdist = built("sdist", clone, made)
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    unpacked = tmp_path / sdist.name.removesuffix(".tar.gz")
    names = {}
    for source in (clone, unpacked):
        with zipfile.ZipFile(built("wheel", source, made)) as wheel:
            names[source] = {name for name in wheel.namelist() if ".dist-info/" not in name}
            wheel.extractall(site)
    assert names[clone] == names[unpacked]
    files = [path for folder in FOLDERS for path in (clone / folder).rglob("*") if path.is_file()]
    expected = {f"spikeproof/{path.relative_to(clone).as_posix()}" for path in files}
    expected |= {
        f"spikeproof/{path.name}" for path in (clone / "spikeproof").iterdir() if path.is_file()
    }
    assert names[clone] == expected

    put_strangers(user)
    commands = (
        "ledger --check",
        "prove cell.ionic.and --log log",
        "report log --html page --latex table.tex",
    )
    installed = os.environ | {"PYTHONPATH": str(site)}
    subprocess.run([sys.executable, "-c", ONE_BY_ONE, *commands], cwd=user, check=True, env=installed)
    done = spikeproof("verify", user / "log")  # it is of one source, wherever that is installed
    assert done.returncode == 0, done.stdout + done.stderr
