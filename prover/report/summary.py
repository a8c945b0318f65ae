"""What every report says: how many theorems of which outcome, and whether the run was whole."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from spikeproof.prover.claims.obligation import Outcome
from spikeproof.prover.evidence.log import Contents
from spikeproof.prover.evidence.record import Record, Size
from spikeproof.prover.report.tables import of_some_inputs, outcome_text
from spikeproof.specs.formats import FORMATS

UNIT = "unit"
"""The family of theorems about a format, unless they name another; see ``family``."""


MOST_SHOWN = 20
"""Theorems not as promised that are named in short; the rest are counted."""


def family(record: Record) -> str:
    """What kind of theorem it is: of a unit, a cell, a block, the spec, ..."""
    parameters = record.parameters
    unnamed = UNIT if "format" in parameters else record.theorem.split(".")[0]
    return parameters.get("family", unnamed)


def not_green(records: Iterable[Record]) -> tuple[Record, ...]:
    """The theorems that are not as promised."""
    return tuple(record for record in records if not record.green)


def failures(log: Contents) -> list[str]:
    """Why a log is no proof of all that was promised; one sentence each, nothing if it is."""
    red = not_green(log.records)
    broken = {f"{counted(len(red), 'theorem')} of {len(log.records):,} not as promised.": bool(red)}
    return [*_holding(broken), *(f"{lack[:1].upper()}{lack[1:]}." for lack in log.lacks)]


def cautions(log: Contents) -> list[str]:
    """Why a log is not the whole suite's, or cannot be made again just as it is; one sentence each."""
    manifest = log.manifest
    foreign = sum(record.source_sha256 != manifest.source_sha256 for record in log.records)
    notes = dict.fromkeys(note for record in log.records for note in record.notes)
    given = dict.fromkeys(filter(None, (record.circuit_sha256 for record in log.records)))
    holding = _holding(
        {
            "The run was of a part of the suite.": manifest.profile == "part",
            "The source is of no known commit.": manifest.commit is None,
            "The source had changes that were not committed.": bool(manifest.modified),
            f"{counted(foreign, 'record')} of another source than the manifest's.": foreign > 0,
        }
    )
    holding += [f"{line[:1].upper()}{line[1:]}." for line in of_some_inputs(log.records)]
    holding += [
        f"The theorems are of a circuit that was given, of SHA-256 {sha256}." for sha256 in given
    ]
    return [*holding, *(f"Note on the circuit: {note}." for note in notes)]


def log_in_short(log: Contents) -> str:
    """What a log says, in a few lines."""
    manifest = log.manifest
    red = [f"  {outcome_text(record)}: {record.theorem}" for record in not_green(log.records)]
    more = [f"  and {counted(len(red) - MOST_SHOWN, 'other')}"] if len(red) > MOST_SHOWN else []
    return "\n".join(
        _printable(line)
        for line in (
            f"{counted(len(log.records), 'theorem')}: {outcomes_text(log.records)}",
            *red[:MOST_SHOWN],
            *more,
            f"run: {manifest.command}",
            f"begun {manifest.started:%Y-%m-%d %H:%M} UTC, profile {manifest.profile}, "
            f"commit {manifest.commit or 'unknown'}",
            *failures(log),
            *cautions(log),
            f"SHA-256 of the manifest: {log.manifest_sha256}",
        )
    )


def _printable(text: str) -> str:
    """Text of anybody's log, without what a terminal would obey."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _holding(sentences: dict[str, bool]) -> list[str]:
    return [sentence for sentence, holds in sentences.items() if holds]


def counted(count: int, noun: str) -> str:
    """``1 theorem``, ``2 theorems``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def seconds_text(seconds: float) -> str:
    """A duration, for people."""
    if seconds < 100:
        return f"{seconds:.{2 if seconds < 10 else 1}f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02} s"


def outcomes(records: Iterable[Record]) -> dict[str, int]:
    """How many of each outcome, in words, the best first."""
    counts = Counter((not r.green, r.expected is not Outcome.PROVED, outcome_text(r)) for r in records)
    return {words: count for (*_, words), count in sorted(counts.items())}


def outcomes_text(records: Iterable[Record]) -> str:
    """How many of each outcome, in one line."""
    return ", ".join(f"{count:,} {words}" for words, count in outcomes(records).items()) or "none"


@dataclass(frozen=True)
class Group:
    """Theorems of one operation on one format; or of one family, where there is no format."""

    subject: str
    operation: str
    records: tuple[Record, ...]

    @property
    def green(self) -> bool:
        """Whether every theorem is as promised."""
        return all(record.green for record in self.records)

    @property
    def outcomes(self) -> str:
        """How many of each outcome, in words."""
        return outcomes_text(self.records)

    @property
    def neurons(self) -> str:
        """How many neurons the netlists have: a number, or the least and the most."""
        return self._range(lambda netlist: netlist.neurons)

    @property
    def depth(self) -> str:
        """How deep the netlists are: a number, or the least and the most."""
        return self._range(lambda netlist: netlist.depth)

    @property
    def median(self) -> float:
        """Seconds that a theorem took, in the middle."""
        return statistics.median(record.seconds for record in self.records)

    @property
    def slowest(self) -> float:
        """Seconds that a theorem took at most."""
        return max(record.seconds for record in self.records)

    def _range(self, of: Callable[[Size], int]) -> str:
        values = {of(record.netlist) for record in self.records if record.netlist}
        return (
            " to ".join(f"{value:,}" for value in sorted({min(values), max(values)})) if values else ""
        )


def groups(records: Iterable[Record]) -> list[Group]:
    """Records by format (or family) and operation: families first, then formats from small to large.

    An operation from any other format is one: conversions, and products of narrower operands.
    """
    found: dict[tuple[str, str], list[Record]] = {}
    for record in records:
        subject, operation = family(record), ""
        if subject == UNIT:
            subject = record.parameters.get("format", UNIT)
            operation, *_ = record.parameters.get("operation", "").split("_from_")
        found.setdefault((subject, operation), []).append(record)
    size = {fmt.name: (fmt.width, fmt.precision) for fmt in FORMATS.values()}
    return [
        Group(*key, tuple(found[key])) for key in sorted(found, key=lambda key: size.get(key[0], (0, 0)))
    ]
