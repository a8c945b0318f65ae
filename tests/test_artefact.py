"""The artefact: nothing is packed that does not verify, and what was packed can be checked alone."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from artefact import pack as packing
from spikeproof.prover.claims.catalogue import promised, select, theorem
from spikeproof.prover.evidence.log import Log, read_log
from spikeproof.prover.evidence.shards import Shard
from spikeproof.prover.running.run import Run

CELLS = select("cell.nexus.*")


@pytest.fixture
def log(tmp_path):
    log = Log.begin(tmp_path / "log", command="a test", profile="part", promised=len(CELLS))
    records = [Run(log=log).discharge(each) for each in CELLS]
    log.end(discharged=len(records), complete=True)
    return log.directory


@pytest.fixture
def committed(monkeypatch):
    """As if all of the source were committed."""
    run = packing._git
    monkeypatch.setattr(packing, "_git", lambda *a: "" if a[0] == "status" else run(*a))


def packed(log, directory, *options):
    return CliRunner().invoke(packing.pack, [str(log), str(directory), "--no-wheels", *options])


def test_what_is_packed_can_be_checked(log, tmp_path, committed):
    done = packed(log, tmp_path / "artefact", "--subset", "3/700")
    assert done.exit_code == 0, done.output
    told = ["verifying the log", "copying the log and the source", "summing up the files"]
    assert done.stderr.splitlines() == told
    folder = tmp_path / "artefact"
    check = ["sha256sum", "--quiet", "--check", "SHA256SUMS"]
    assert subprocess.run(check, cwd=folder, check=False).returncode == 0
    listed = {line.split("  ", 1)[1] for line in (folder / "SHA256SUMS").read_text().splitlines()}
    there = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert there - listed == {"SHA256SUMS"}
    assert read_log(folder / "proof-log") == read_log(log)
    readme = (folder / "README.md").read_text()
    assert "@" not in readme
    assert read_log(log).manifest_sha256 in readme
    assert (
        f"{len(CELLS)} of {len(CELLS)} records verified" in (folder / "expected/verify.txt").read_text()
    )
    assert (folder / "expected/shard").read_text() == "3/700\n"
    chosen = len(Shard(3, 700).of(promised(wide=False)))
    assert f"proves {chosen} theorems anew" in readme
    assert "spikeproof/prover/kernel/composition.py" in _listing(folder / "source.tar.gz")
    (folder / "verify.sh").open("a").write(" ")
    assert subprocess.run(check, cwd=folder, check=False, capture_output=True).returncode == 1


STRANGERS = {
    "a wheel": lambda folder: (folder / "wheels" / "more.whl").write_bytes(b"a wheel"),
    "sums of its own": lambda folder: (folder / "wheels" / "SHA256SUMS.whl").write_bytes(b"a wheel"),
    "a hidden file": lambda folder: (folder / "site" / ".more").write_text("more"),
    "a link": lambda folder: (folder / "more").symlink_to("README.md"),
    "a change": lambda folder: (folder / "a file").write_text("another"),
    "a file less": lambda folder: (folder / "a file").unlink(),
}


@pytest.mark.parametrize("stranger", [None, *STRANGERS])
def test_nothing_is_installed_beside_files_that_the_sums_do_not_name(tmp_path, stranger):
    for name in ("wheels", "site", "work"):
        (tmp_path / name).mkdir()
    (tmp_path / "a file").write_text("a file")
    (tmp_path / "work" / "python").write_text("somebody's")
    shutil.copy(packing.HERE / "install.sh", tmp_path)
    (tmp_path / "SHA256SUMS").write_text(
        "".join(line + "\n" for line in packing.sums(tmp_path).splitlines() if "  work/" not in line)
    )
    if stranger:
        STRANGERS[stranger](tmp_path)
    script = "set -eu; . ./install.sh; refuse_strangers"
    done = subprocess.run(
        ["sh", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == bool(stranger), done.stderr
    assert not (tmp_path / "work").exists()


MODULES = {"python_sat": ("pysat", "pysolvers")}
"""Of each wheel that the log is verified without."""


def test_a_log_is_verified_with_what_its_script_installs(tmp_path):
    """Also what is about z3's floating-point theory, which only z3 can write out."""
    text = (packing.HERE / "verify.sh").read_text()
    (line,) = re.findall(r"^install_without (.*)$", text, re.M)
    lacking = {module: None for wheel in line.split() for module in MODULES[wheel]}
    obligations = [CELLS[0], theorem("spec.fp16.less.floating_point_theory")]
    log = Log.begin(tmp_path / "log", command="a test", profile="part", promised=len(obligations))
    records = [Run(log=log).discharge(each) for each in obligations]
    log.end(discharged=len(records), complete=True)
    script = (
        f"import sys; sys.modules.update({lacking}); "
        "from spikeproof.prover.commands.verify import verify as v; v.main(sys.argv[1:])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, log.directory], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def _listing(archive):
    return subprocess.run(["tar", "tzf", archive], check=True, capture_output=True, text=True).stdout


def test_a_signature_is_of_the_sums(log, tmp_path, committed):
    key, folder = tmp_path / "key", tmp_path / "artefact"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    assert packed(log, folder, "--sign", str(key)).exit_code == 0
    (tmp_path / "signers").write_text("us " + Path(f"{key}.pub").read_text())
    verify = ["ssh-keygen", "-Y", "verify", "-f", tmp_path / "signers", "-I", "us", "-n", "spikeproof"]
    verify += ["-s", folder / "SHA256SUMS.sig"]
    sums = (folder / "SHA256SUMS").read_bytes()
    assert subprocess.run(verify, input=sums, capture_output=True, check=False).returncode == 0
    assert subprocess.run(verify, input=sums + b" ", capture_output=True, check=False).returncode != 0


def test_what_is_not_whole_right_and_committed_is_not_packed(log, tmp_path, committed, monkeypatch):
    there = tmp_path / "there"
    there.mkdir()
    assert "is there already" in packed(log, there).output
    assert packed(tmp_path, tmp_path / "new").exit_code == 2
    assert "is not a proof log" in packed(tmp_path, tmp_path / "new").output
    assert "private" not in packed(log, tmp_path / "new", "--sign", "nowhere").output
    assert not (tmp_path / "new").exists()
    path = next((log / "records").iterdir())
    path.write_text(json.dumps(json.loads(path.read_text()) | {"statement": "it is right"}))
    assert "does not verify: refused" in packed(log, tmp_path / "new").output
    path.unlink()
    assert "there are records of" in packed(log, tmp_path / "new").output
    monkeypatch.setattr(packing, "_git", lambda *a: " M README.md\n" if a[0] == "status" else "")
    assert "not committed" in packed(log, tmp_path / "new").output
    assert not (tmp_path / "new").exists()


def test_the_pins_that_are_packed_are_all_that_an_installation_takes():
    """Each is pinned, and whatever it requires is among them."""
    from tests.test_packaging import canonicalize_name, distribution, pinned, required

    named = {canonicalize_name(name) for name in packing.NEEDED}
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert named <= set(pinned(here))
    assert set(required()) <= named
    for name in named:
        for text in distribution(name).requires or ():
            needed = packing_requirement(text)
            assert needed is None or needed in named, f"{name} requires {text}"


def packing_requirement(text):
    """The name of what is required here, whatever extras are; None if it is not."""
    from tests.test_packaging import Requirement, canonicalize_name

    requirement = Requirement(text)
    asked = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
    return canonicalize_name(requirement.name) if asked else None


@pytest.mark.parametrize(
    ("expected", "found", "code"),
    [
        ("proved", "proved", 0),
        ("proved", "refuted", 1),
        ("refuted", "refuted", 0),
        ("proved", None, 1),
        (None, "proved", 1),
    ],
)
def test_outcomes_are_compared(tmp_path, expected, found, code):
    (tmp_path / "expected.tsv").write_text(f"a\t{expected}\t0.10\n" if expected else "")
    results = [{"theorem": "a", "outcome": found}] if found else []
    (tmp_path / "results.json").write_text(json.dumps({"results": results}))
    script = shutil.copy(packing.HERE / "compare.py", tmp_path)
    done = subprocess.run(
        [sys.executable, script, "expected.tsv", "results.json"], cwd=tmp_path, check=False
    )
    assert done.returncode == code


def test_the_bill_of_materials_names_each_wheel(tmp_path):
    (tmp_path / "Some_Name-1.2-py3-none-any.whl").write_bytes(b"a wheel")
    (component,) = json.loads(packing.bill_of_materials(tmp_path))["components"]
    assert component["purl"] == "pkg:pypi/some-name@1.2"
    assert component["hashes"][0]["content"] == packing._sha256(
        tmp_path / "Some_Name-1.2-py3-none-any.whl"
    )
