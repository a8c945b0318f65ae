"""The package and its folders: among a user's own of the same names, and in a clone without links."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.strangers import FOLDERS, put_strangers

ROOT = Path(__file__).parents[2]


def python(directory, *arguments):
    """Run Python in a directory, which it searches first."""
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)


@pytest.fixture
def without_links(tmp_path):
    """A clone as git makes it where there are no symbolic links: a file with the path of each."""
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "spikeproof", tmp_path / "spikeproof", symlinks=True)
    for folder in FOLDERS:
        link = tmp_path / "spikeproof" / folder
        path = link.readlink()
        link.unlink()
        link.write_text(str(path))
    return tmp_path


@pytest.mark.parametrize(
    "arguments",
    [
        ("-m", "spikeproof", "prove", "cell.ionic.xor", "--no-cache"),
        ("-c", "import spikeproof; assert spikeproof.prove('cell.ionic.xor').green"),
    ],
    ids=["command", "package"],
)
def test_modules_of_a_users_own_change_nothing(arguments, tmp_path):
    put_strangers(tmp_path)
    run = python(tmp_path, *arguments)
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize(
    "arguments", [("-c", "import spikeproof"), ("setup.py", "--version")], ids=["import", "build"]
)
def test_a_clone_without_links_is_refused_in_a_line(arguments, without_links):
    run = python(without_links, *arguments)
    assert run.returncode == 1
    assert "circuits is no folder" in run.stderr.splitlines()[-1]
    assert "git config core.symlinks true" in run.stderr.splitlines()[-1]


def test_a_module_that_a_pool_imports_runs_nothing():
    """Processes that are spawned import the main module under another name."""
    run = python(ROOT, "-c", "import runpy; runpy.run_module('spikeproof', run_name='__mp_main__')")
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
