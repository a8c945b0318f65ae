"""Pack what reviewers of a paper ask for: source, log, packages, site, and what to expect of them.

``python -m artefact.pack LOG DIRECTORY`` writes a directory that is checked by its own README alone,
without network. The log has to be whole, and of the source as it is committed.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from spikeproof.prover.claims.catalogue import promised
from spikeproof.prover.commands.prove import ShardOf
from spikeproof.prover.evidence.log import CERTIFICATES, MANIFEST, RECORDS, Contents, LogError, read_log
from spikeproof.prover.evidence.shards import Shard

ROOT = Path(__file__).parents[1]
HERE = Path(__file__).parent
SUBSET = "1/2"
"""Of the default profile; of about 18 minutes of processor time."""
SCRIPTS = ("Dockerfile", "compare.py", "install.sh", "subset.sh", "verify.sh")
SUMS = "SHA256SUMS"
NEEDED = (
    "cdclkit",
    "cdclkit-native",
    "click",
    "dratify",
    "gmpy2",
    "lazy_loader",
    "llvmlite",
    "markdown-it-py",
    "mdurl",
    "msgspec",
    "numpy",
    "packaging",
    "platformdirs",
    "pygments",
    "pysmt",
    "python-sat",
    "pyvcd",
    "rich",
    "six",
    "typing_extensions",
    "z3-solver",
)
"""What an installation without extras takes, as ``requirements.txt`` pins it."""


class PackError(click.ClickException):
    """Something that cannot be packed; one line."""

    exit_code = 2


@click.command()
@click.argument("log", type=click.Path(path_type=Path))
@click.argument("directory", type=click.Path(path_type=Path))
@click.option("--site", type=click.Path(path_type=Path), help="The site, as `make site` built it.")
@click.option(
    "--sign", type=click.Path(path_type=Path), metavar="KEY", help="A private SSH key of yours."
)
@click.option("--sign-gpg", metavar="KEY", help="The name of a GnuPG key of yours.")
@click.option("--no-wheels", is_flag=True, help="Leave out the packages.")
@click.option(
    "--subset",
    type=ShardOf(),
    default=SUBSET,
    metavar="I/N",
    show_default=True,
    help="The part of the default profile that readers are to prove anew.",
)
def pack(
    log: Path,
    directory: Path,
    site: Path | None,
    sign: Path | None,
    sign_gpg: str | None,
    no_wheels: bool,
    subset: Shard,
) -> None:
    """Write the artefact of this source and a proof LOG to a new DIRECTORY."""
    if directory.exists():
        raise PackError(f"{directory} is there already; name a new directory")
    if _git("status", "--porcelain"):
        raise PackError("the source has changes that are not committed; commit them, or stash them")
    try:
        contents = read_log(log)
    except LogError as error:
        raise PackError(error.format_message()) from None
    if contents.lacks:
        raise PackError(f"{log}: {contents.lacks[0]}")
    _tell("verifying the log")
    verified = subprocess.run(
        [sys.executable, "-m", "spikeproof", "verify", str(log)],
        capture_output=True,
        text=True,
        check=False,
    )
    if verified.returncode:
        raise PackError(f"{log} does not verify: {(verified.stdout + verified.stderr).splitlines()[0]}")
    unfinished = directory.with_name(f"{directory.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    _tell("copying the log, the source and the site" if site else "copying the log and the source")
    _copy_log(log, unfinished / "proof-log")
    _git(
        "archive", "--prefix=spikeproof/", f"--output={(unfinished / 'source.tar.gz').resolve()}", "HEAD"
    )
    for name in SCRIPTS:
        shutil.copyfile(HERE / name, unfinished / name)
    if site:
        shutil.copytree(site, unfinished / "site", ignore=shutil.ignore_patterns(".doctrees"))
    if not no_wheels:
        _tell("collecting the packages")
        _collect_wheels(unfinished / "source.tar.gz", unfinished / "wheels")
    (unfinished / "sbom.json").write_text(bill_of_materials(unfinished / "wheels"))
    chosen = {each.name for each in subset.of(promised(wide=False))}
    _expect(unfinished / "expected", contents, verified.stdout, subset)
    (unfinished / "README.md").write_text(_readme(contents, chosen))
    _tell("summing up the files")
    (unfinished / SUMS).write_text(sums(unfinished))
    if sign:
        _run(
            "ssh-keygen", "-q", "-Y", "sign", "-f", str(sign), "-n", "spikeproof", str(unfinished / SUMS)
        )
    if sign_gpg:
        _run(
            "gpg",
            "--batch",
            "--armor",
            "--detach-sign",
            "--local-user",
            sign_gpg,
            str(unfinished / SUMS),
        )
    unfinished.rename(directory)
    click.echo(f"{directory}: {len(contents.records):,} theorems, manifest {contents.manifest_sha256}")


def _tell(stage: str) -> None:
    click.echo(stage, err=True)


def _copy_log(log: Path, target: Path) -> None:
    for part in (RECORDS, CERTIFICATES, "counterexamples"):
        if (log / part).exists():
            shutil.copytree(log / part, target / part)
    shutil.copyfile(log / MANIFEST, target / MANIFEST)


def _collect_wheels(source: Path, directory: Path) -> None:
    """Our own wheel, of the source that is packed, and those pinned, for this Python and machine."""
    pins = (ROOT / "requirements.txt").read_text().splitlines()
    wanted = [pin for pin in pins if pin.partition("==")[0] in NEEDED]
    _pip("download", "--quiet", "--no-deps", "--only-binary", ":all:", "--dest", str(directory), *wanted)
    with TemporaryDirectory() as folder:
        shutil.unpack_archive(source, folder)
        ours = (
            "--no-deps",
            "--no-build-isolation",
            "--wheel-dir",
            str(directory),
            f"{folder}/spikeproof",
        )
        _pip("wheel", "--quiet", *ours)


def bill_of_materials(directory: Path) -> str:
    """What wheels a directory has, as CycloneDX 1.5."""
    components = []
    for wheel in sorted(directory.glob("*.whl")):
        name, version = wheel.name.split("-")[:2]
        components.append(
            {
                "type": "library",
                "name": name,
                "version": version,
                "purl": f"pkg:pypi/{name.lower().replace('_', '-')}@{version}",
                "hashes": [{"alg": "SHA-256", "content": _sha256(wheel)}],
            }
        )
    bill = {"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1, "components": components}
    return json.dumps(bill, indent=1) + "\n"


def _expect(directory: Path, contents: Contents, verified: str, subset: Shard) -> None:
    """What is to be expected of the scripts."""
    directory.mkdir()
    (directory / "verify.txt").write_text(verified)
    (directory / "shard").write_text(f"{subset.number}/{subset.count}\n")
    lines = (f"{r.theorem}\t{r.outcome.value}\t{r.seconds:.2f}\n" for r in contents.records)
    (directory / "subset.tsv").write_text("".join(lines))


def _readme(contents: Contents, chosen: Collection[str]) -> str:
    """What is in there, and how to check it.

    Args:
        chosen: the theorems that are to be proved anew; they will take as long as they took.
    """
    minutes = round(sum(r.seconds for r in contents.records if r.theorem in chosen) / 60)
    said = {
        "PYTHON": f"{sys.version_info.major}.{sys.version_info.minor}",
        "COMMIT": _git("rev-parse", "HEAD").strip(),
        "RECORDS": f"{len(contents.records):,}",
        "PROFILE": contents.manifest.profile,
        "MANIFEST": contents.manifest_sha256,
        "SUBSET": f"{len(chosen):,}",
        "MINUTES": str(max(1, minutes)),
    }
    text = (HERE / "README.md.in").read_text()
    for name, value in said.items():
        text = text.replace(f"@{name}@", value)
    return text


def sums(directory: Path) -> str:
    """The SHA-256 of every file, as ``sha256sum`` checks it."""
    files = sorted(path for path in directory.rglob("*") if path.is_file())
    return "".join(f"{_sha256(path)}  {path.relative_to(directory)}\n" for path in files)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _git(*arguments: str) -> str:
    return _run("git", "-C", str(ROOT), *arguments)


def _pip(*arguments: str) -> str:
    return _run(sys.executable, "-m", "pip", *arguments)


def _run(*command: str) -> str:
    try:
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    except FileNotFoundError:
        raise PackError(f"{command[0]} is not installed") from None
    except subprocess.CalledProcessError as error:
        raise PackError(
            f"{' '.join(command[:3])} fails: {error.stderr.strip().splitlines()[-1:]}"
        ) from None
    return done.stdout


if __name__ == "__main__":
    pack()
