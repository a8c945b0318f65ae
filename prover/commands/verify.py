"""``spikeproof verify``."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from spikeproof.circuits.doors.json import read_json
from spikeproof.circuits.netlist import Netlist
from spikeproof.prover.checking.checkers import CHECKERS, PROGRAMS
from spikeproof.prover.checking.verification import Verification, Verifier, conclusions
from spikeproof.prover.claims.catalogue import own
from spikeproof.prover.claims.obligation import Profile
from spikeproof.prover.commands.console import (
    EXIT_REFUTED,
    circuit_option,
    err,
    jobs_option,
    out,
    progress_bar,
)
from spikeproof.prover.evidence.archive import Archive
from spikeproof.prover.evidence.ledger import ledger_path, read, unfulfilled
from spikeproof.prover.evidence.log import CERTIFICATES, Contents, Log, read_log, records_sha256
from spikeproof.prover.evidence.record import Record
from spikeproof.prover.evidence.source import source_sha256
from spikeproof.prover.report.tables import summary
from spikeproof.prover.running.replay import ReplayError, read_counterexample
from spikeproof.prover.running.verify import verify_all


@click.command()
@click.argument("log_directory", metavar="LOG", type=click.Path(path_type=Path))
@jobs_option()
@circuit_option("The netlist that the log is about, where that was given with `prove --circuit`.")
@click.option(
    "--all-checkers", is_flag=True, help="Use drat-trim and lrat-check too, where they are on the PATH."
)
def verify(log_directory: Path, jobs: int | None, circuit_file: Path | None, all_checkers: bool) -> None:
    """Check the proof log in the directory LOG again, without any of the engines that wrote it.

    Exit code 1 if anything in it is refused, or if it is not the whole of what was promised.
    """
    absent = [program for program in PROGRAMS if not shutil.which(program)] if all_checkers else []
    if absent:
        needs = "; lrat-check needs what drat-trim makes" if "drat-trim" in absent else ""
        err.print(f"not on the PATH, and not used: {', '.join(absent)}{needs}", markup=False)
    contents = read_log(log_directory)
    checkers = tuple(CHECKERS) if all_checkers else ("dratify",)
    circuit = read_json(circuit_file) if circuit_file else None
    with TemporaryDirectory() as claims:
        verifier = Verifier(Archive(log_directory / CERTIFICATES), checkers, circuit, Path(claims))
        found = _check(contents.records, verifier, jobs or os.cpu_count() or 1)
    refusals = [f"{each.theorem}: {each.refusal}" for each in found if each.refusal]
    refused = {each.theorem for each in found if each.refusal}
    refusals += shortcomings(contents, circuit)
    if not contents.records:
        refusals.append("the log has no records")
    if contents.manifest.records_sha256 != records_sha256(log_directory):
        refusals.append("the records are not those that the manifest names")
    refusals += _wrong_counterexamples(log_directory, contents.records)
    for refusal in refusals:
        out.print(f"refused: {refusal}", markup=False, soft_wrap=True)
    verified = [record for record in contents.records if record.theorem not in refused]
    proofs = len(frozenset().union(*(each.checked for each in found)))
    out.print(
        f"{len(verified):,} of {len(found):,} records verified; clausal proofs accepted by "
        f"{' and '.join(checkers)}: {proofs:,}\n{summary(verified)}\n"
        f"profile: {contents.manifest.profile}; SHA-256 of the manifest: {contents.manifest_sha256}",
        markup=False,
    )
    sys.exit(EXIT_REFUTED if refusals else 0)


def _check(records: Sequence[Record], verifier: Verifier, jobs: int) -> list[Verification]:
    """Check records with visible progress."""
    found = []
    with progress_bar("verifying") as progress:
        task = progress.add_task("", total=len(records))
        for each in verify_all(records, verifier, jobs):
            found.append(each)
            progress.update(task, advance=1, description=each.theorem)
            if not err.is_terminal:
                said = "refused" if each.refusal else "verified"
                err.print(f"{len(found)}/{len(records)} {said} {each.theorem}", markup=False)
    return conclusions(found)


def _wrong_counterexamples(directory: Path, records: Sequence[Record]) -> list[str]:
    """Which counterexamples are not kept to be replayed as their records have them; a line each."""
    found = []
    for record in records:
        if record.counterexample is None:
            continue
        try:
            kept = read_counterexample(Log(directory).counterexample(record.theorem))
        except ReplayError as error:
            found.append(str(error))
            continue
        if dict(kept.inputs) != dict(record.counterexample):
            found.append(f"{record.theorem}: the counterexample to replay is not the record's")
    return found


def shortcomings(contents: Contents, circuit: Netlist | None) -> list[str]:
    """Why a log is not what it should be, whatever its records are worth; a line each."""
    manifest, found = contents.manifest, []
    if manifest.source_sha256 != source_sha256():
        found.append(
            f"the log is stale: it is of source {manifest.source_sha256}, commit {manifest.commit}; "
            f"here is {source_sha256()}"
        )
    if not manifest.complete or len(contents.records) < manifest.promised:
        found.append(f"the run is incomplete: {len(contents.records)} of {manifest.promised} records")
    if circuit is None:
        ours = [record for record in contents.records if record.theorem in own()]
        wide, whole = manifest.profile == Profile.WIDE.value, manifest.profile != "part"
        found += unfulfilled(read(ledger_path()), ours, wide=wide, whole=whole)
    return found
