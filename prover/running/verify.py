"""A whole log checked again, in several processes, and what that comes to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import SystemRandom
from tempfile import TemporaryDirectory

from spikeproof.circuits.netlist import Netlist
from spikeproof.prover.checking.verification import Verification, Verifier, conclusions
from spikeproof.prover.claims.catalogue import own_named
from spikeproof.prover.claims.given import GivenClaim
from spikeproof.prover.claims.obligation import Profile
from spikeproof.prover.engines.pool import LOST, results
from spikeproof.prover.evidence.archive import Archive
from spikeproof.prover.evidence.ledger import ledger_path, read, unfulfilled
from spikeproof.prover.evidence.log import (
    CERTIFICATES,
    COUNTEREXAMPLES,
    MANIFEST,
    RECORDS,
    Log,
    LogError,
    Manifest,
    lacks,
    manifest_sha256,
    read_manifest,
    read_records,
    records_sha256,
    require_log,
)
from spikeproof.prover.evidence.record import Record, file_content
from spikeproof.prover.evidence.source import source_sha256
from spikeproof.prover.running.replay import ReplayError, read_counterexample

MOST_NAMES = 3
"""Of records that are refused for one reason; the others are counted."""

Watcher = Callable[[Verification, int], None]
"""Told of each record that was checked, as it comes, and of how many there are."""


@dataclass(frozen=True)
class VerifiedLog:
    """What became of checking a log.

    Attributes:
        profile: of the run, as the manifest says; empty if that cannot be read.
        manifest_sha256: by which the log is cited.
        found: how many records there are, those that cannot be read included.
        verified: the records that hold, refutations of what was claimed among them.
        refusals: all that speaks against the log, a line each; nothing if all of it holds.
        proofs: how many clausal proofs were accepted.
        chosen: which records were checked, in words; empty if all were.
    """

    profile: str
    manifest_sha256: str
    found: int
    verified: tuple[Record, ...]
    refusals: tuple[str, ...]
    proofs: int
    chosen: str = ""

    @property
    def refutations(self) -> int:
        """How many of the records that hold refute what was claimed, and was not promised to fail."""
        return sum(record.refutes for record in self.verified)

    @property
    def notes(self) -> tuple[str, ...]:
        """What was assumed when the circuits were made, if anything."""
        return tuple(dict.fromkeys(note for record in self.verified for note in record.notes))

    @property
    def packages(self) -> tuple[str, ...]:
        """The packages, not ours, that state some of the theorems."""
        return tuple(sorted({record.package for record in self.verified if record.package}))


def verify_log(
    directory: Path,
    circuit: Netlist | None = None,
    checkers: tuple[str, ...] = ("dratify",),
    jobs: int = 1,
    watcher: Watcher = lambda verification, records: None,
    claim: GivenClaim | None = None,
    sample: int | None = None,
) -> VerifiedLog:
    """Check a log, without any of the engines that wrote it.

    Args:
        circuit: the netlist that it is about, if that was given instead of the theorems' own.
        checkers: of clausal proofs, names in ``prover.checking.checkers.CHECKERS``; each must accept.
        jobs: processes to use.
        claim: that was given with the circuit, if that was.
        sample: how many records with clausal proofs to draw and check, and no others; None for all.

    Raises:
        LogError: if there is no log. One that is damaged is refused.
        LedgerError: if our ledger cannot be read.
    """
    require_log(directory)
    records, refusals = read_records(directory)
    unread = len(refusals)
    drawn, chosen = (records, "") if sample is None else _drawn(records, sample)
    with TemporaryDirectory() as claims:
        verifier = Verifier(Archive(directory / CERTIFICATES), checkers, circuit, Path(claims), claim)
        checked = []
        for each in verify_all(drawn, verifier, jobs):
            checked.append(each)
            watcher(each, len(drawn))
    checked = conclusions(checked)
    refusals += _by_reason(checked)
    if not records:
        refusals.append("the log has no records that can be read")
    manifest = None
    try:
        manifest = read_manifest(directory)
        given = circuit is not None or any(record.circuit_sha256 for record in records)
        refusals += shortcomings(directory, manifest, records, unread, given=given)
    except LogError as error:
        refusals.append(error.format_message())
    refusals += _rewritten(directory, manifest, records)
    refusals += _wrong_counterexamples(directory, records)
    refused = {each.theorem for each in checked if each.refusal}
    return VerifiedLog(
        profile=manifest.profile if manifest else "",
        manifest_sha256=manifest_sha256(directory),
        found=len(records) + unread,
        verified=tuple(record for record in drawn if record.theorem not in refused),
        refusals=tuple(refusals),
        proofs=len(frozenset().union(*(each.checked for each in checked))),
        chosen=chosen,
    )


def _drawn(records: Sequence[Record], sample: int) -> tuple[Sequence[Record], str]:
    """Records with clausal proofs, by chance if there are more; and which these are, in words."""
    proving = [each for each in records if any(c.kind == "drat" for c in each.certificates)]
    if len(proving) > sample:
        return SystemRandom().sample(proving, sample), "which were drawn by chance"
    return proving, "all that have clausal proofs" if len(proving) < len(records) else ""


def verify_all(records: Sequence[Record], verifier: Verifier, jobs: int) -> Iterator[Verification]:
    """Check records, yielding what becomes of each as it comes."""
    tasks = {record.theorem: (verifier, record) for record in records}
    return results(Verifier.verify, tasks, jobs, lambda theorem: Verification(theorem, LOST))


def shortcomings(
    directory: Path, manifest: Manifest, records: Sequence[Record], unread: int, *, given: bool
) -> list[str]:
    """Why a log is not what it should be, whatever its records are worth; a line each.

    Args:
        unread: records that are there, but cannot be read.
        given: whether it is about a circuit given instead of the theorems' own; of that nothing is
            promised.
    """
    found = []
    if manifest.source_sha256 != source_sha256():
        found.append(
            f"the log is stale: it is of source {manifest.source_sha256}, commit {manifest.commit}; "
            f"here is {source_sha256()}"
        )
    if manifest.finished is not None and manifest.records_sha256 != records_sha256(directory):
        found.append("the records are not those that the manifest names")
    found += lacks(manifest, len(records) + unread)
    found += _miscounted(manifest, records) if not unread else []
    if manifest.profile not in ("part", *(each.value for each in Profile)):
        found.append(f"there is no profile {manifest.profile!r}")
    if given and manifest.profile != "part":
        found.append(f"the log is of a given circuit, which no profile is: not of {manifest.profile}")
    if not given:
        ours = [record for record in records if own_named(record.theorem)]
        wide, whole = manifest.profile == Profile.WIDE.value, manifest.profile != "part"
        found += unfulfilled(read(ledger_path()), ours, wide=wide, whole=whole)
    return found


def _miscounted(manifest: Manifest, records: Sequence[Record]) -> list[str]:
    """Where the manifest of a run that has ended counts other records than there are; a line each."""
    if manifest.finished is None:
        return []
    green, found = sum(record.green for record in records), []
    if manifest.discharged != green:
        found.append(f"{green:,} came out as promised, the manifest says {manifest.discharged}")
    if manifest.promised < len(records):
        found.append(f"there are more records than the {manifest.promised:,} theorems of the run")
    return found


def _rewritten(directory: Path, manifest: Manifest | None, records: Sequence[Record]) -> list[str]:
    """Which files say more than what is read of them, or say it twice; a line each."""
    files: dict[Path, object] = {directory / RECORDS / f"{each.theorem}.json": each for each in records}
    if manifest:
        files[directory / MANIFEST] = manifest
    return [
        f"{path.name} has other fields than spikeproof writes, one twice, or is laid out otherwise"
        for path, data in files.items()
        if path.read_bytes() != file_content(data)
    ]


def _by_reason(checked: Iterable[Verification]) -> list[str]:
    """Why records are refused: each reason once, with those that it speaks against."""
    theorems = defaultdict(list)
    for each in checked:
        if each.refusal:
            theorems[each.refusal].append(each.theorem)
    return [f"{_named(names)}: {reason}" for reason, names in theorems.items()]


def _named(theorems: Sequence[str]) -> str:
    if len(theorems) <= MOST_NAMES:
        return ", ".join(theorems)
    return f"{len(theorems):,} records, {', '.join(theorems[:MOST_NAMES])} and others"


def _wrong_counterexamples(directory: Path, records: Sequence[Record]) -> list[str]:
    """Which counterexamples are not kept to be replayed as their records have them; a line each."""
    refuting = [record for record in records if record.counterexample is not None]
    log, found = Log(directory), []
    of_records = {log.counterexample(record.theorem) for record in refuting}
    for path in sorted(set((directory / COUNTEREXAMPLES).glob("*")) - of_records):
        found.append(f"{path.name} in {COUNTEREXAMPLES} is of no record here; remove it")
    for record in refuting:
        try:
            kept = read_counterexample(log.counterexample(record.theorem))
        except ReplayError as error:
            found.append(str(error))
            continue
        circuit = record.netlist.sha256 if record.netlist else None
        recorded = (record.theorem, record.statement, record.counterexample, circuit)
        if (kept.theorem, kept.statement, kept.inputs, kept.sha256) != recorded:
            found.append(f"{record.theorem}: the counterexample to replay is not the record's")
    return found
