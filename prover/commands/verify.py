"""``spikeproof verify``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from spikeproof.circuits.doors.files import read_circuit
from spikeproof.circuits.netlist import Netlist
from spikeproof.prover.checking.acl2 import DEBIAN
from spikeproof.prover.checking.checkers import CHECKERS, PROGRAMS, VERIFIED, missing
from spikeproof.prover.checking.verification import Verification
from spikeproof.prover.claims.given import GivenClaim, read_claim
from spikeproof.prover.commands.console import (
    EXIT_REFUTATION,
    EXIT_REFUTED,
    circuit_option,
    claim_option,
    err,
    examples,
    jobs_option,
    out,
    progress_bar,
)
from spikeproof.prover.report.tables import notes_text, summary
from spikeproof.prover.running.verify import VerifiedLog, verify_log

NAMED = 5
"""Of a log of up to so many theorems they are named."""


@click.command(
    epilog=examples("verify proof-log", "verify proof-log --circuit mine.json --all-checkers")
)
@click.argument("log_directory", metavar="LOG", type=click.Path(path_type=Path))
@jobs_option()
@circuit_option("The netlist that the log is about, where that was given with `prove --circuit`.")
@claim_option()
@click.option(
    "--verified",
    is_flag=True,
    help="Use those checkers too that are proved to be right, ACL2's and cake_lpr: what is on the PATH.",
)
@click.option(
    "--all-checkers",
    is_flag=True,
    help="Use these, drat-trim and lrat-check, where they are on the PATH.",
)
@click.option(
    "--sample",
    type=click.IntRange(min=1),
    metavar="N",
    help="Check so many of the records with clausal proofs, drawn anew each time, and no others.",
)
def verify(
    log_directory: Path,
    jobs: int | None,
    circuit_file: Path | None,
    claim_file: Path | None,
    verified: bool,
    all_checkers: bool,
    sample: int | None,
) -> None:
    """Check a proof log again, without the engines that wrote it.

    LOG is its directory. Exit code 0 if it proves all that was claimed; 5 if all of it holds, and it
    refutes something that was claimed, such as a circuit given with `prove --circuit`; 1 if anything in
    it is refused, or if it is not the whole of what was promised.
    """
    checkers = _checkers(verified=verified, everyone=all_checkers)
    if not set(checkers).isdisjoint(VERIFIED):
        from spikeproof.prover.checking.lrat import elaborated

        elaborated([[1], [-1]], b"")  # compiled once, and not by every process
    circuit = read_circuit(circuit_file) if circuit_file else None
    claim = read_claim(claim_file) if claim_file else None
    with progress_bar("verifying") as progress:
        task = progress.add_task("", total=None)
        counted = 0

        def watch(each: Verification, records: int) -> None:
            nonlocal counted
            counted += 1
            progress.update(task, total=records, advance=1, description=each.theorem)
            if not err.is_terminal:
                said = "refused" if each.refusal else "verified"
                err.print(f"{counted}/{records} {said} {each.theorem}", markup=False)

        log = verify_log(
            log_directory, circuit, checkers, jobs or os.cpu_count() or 1, watch, claim, sample
        )
    for refusal in log.refusals:
        out.print(f"refused: {refusal}", markup=False, soft_wrap=True)
    out.print(_conclusion(log, checkers, circuit, claim), markup=False, soft_wrap=True)
    sys.exit(EXIT_REFUTED if log.refusals else EXIT_REFUTATION if log.refutations else 0)


def _checkers(*, verified: bool, everyone: bool) -> tuple[str, ...]:
    """The checkers to use, of those that are there; what else was asked for is named."""
    asked = ("dratify", *(PROGRAMS if everyone else VERIFIED if verified else ()))
    lacking = {checker: needs for checker in asked if (needs := missing(checker))}
    if verified and lacking.keys() >= set(VERIFIED):
        raise click.UsageError(
            f"--verified needs a verified checker: apt-get install {DEBIAN}; or cake_lpr on the PATH; "
            "and pip install 'spikeproof[verified]'"
        )
    if everyone and lacking:
        needs = "; lrat-check needs what drat-trim makes" if "drat-trim" in lacking else ""
        absent = ", ".join(dict.fromkeys(lacking.values()))
        err.print(f"not there, and not used: {absent}{needs}", markup=False)
    return tuple(checker for checker in asked if checker in CHECKERS and checker not in lacking)


def _conclusion(
    log: VerifiedLog, checkers: tuple[str, ...], circuit: Netlist | None, claim: GivenClaim | None
) -> str:
    """What the log comes to, in a few lines."""
    refute = "refutes" if log.refutations == 1 else "refute"
    refuting = f"{log.refutations:,} of them {refute} what was claimed" if log.refutations else ""
    theirs = f"of packages: {', '.join(log.packages)}" if log.packages else ""
    verified = f"{len(log.verified):,} of {log.found:,} records verified"
    accepted = f"clausal proofs accepted by {' and '.join(checkers)}: {log.proofs:,}"
    chosen = [f"{verified}, {log.chosen}"] if log.chosen else []
    rest = ("" if chosen else verified, refuting, theirs, accepted if log.proofs else "")
    lines = [
        *chosen,
        "; ".join(filter(None, rest)),
        summary(log.verified),
        *(each.theorem for each in log.verified[: NAMED if len(log.verified) <= NAMED else 0]),
        f"profile: {log.profile or 'unknown'}; the manifest's SHA-256:",
        log.manifest_sha256,
        f"of the circuit of SHA-256 {circuit.sha256}" if circuit else "",
        f"of the claim of SHA-256 {claim.sha256}: {claim.function}" if claim else "",
        notes_text(log.notes),
    ]
    return "\n".join(filter(None, lines))
