"""Theorems discharged in one go: with what was found before, and a log of what was found now."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

from spikeproof.circuits.netlist import Netlist
from spikeproof.prover.checking.verification import Verifier
from spikeproof.prover.claims.catalogue import theorem, with_units
from spikeproof.prover.claims.obligation import DEFAULT_TIMEOUT, Obligation, Outcome
from spikeproof.prover.engines.pool import LOST, results
from spikeproof.prover.evidence.archive import Archive
from spikeproof.prover.evidence.cache import Cache
from spikeproof.prover.evidence.log import Log
from spikeproof.prover.evidence.record import CACHED, CONTINUED, Found, Record, blank_record
from spikeproof.prover.evidence.seal import sealed
from spikeproof.prover.evidence.shards import longest_first
from spikeproof.prover.running.discharge import discharge
from spikeproof.prover.running.inquiry import Keeping
from spikeproof.prover.running.neighbours import SEARCHING, with_nearest
from spikeproof.prover.running.region import REGION_SECONDS
from spikeproof.prover.running.replay import write_counterexample
from spikeproof.prover.running.stages import silently
from spikeproof.prover.running.together import Decided, decided_together, grouped


@dataclass(frozen=True)
class Run:
    """How theorems are discharged, and where the evidence goes.

    Attributes:
        timeout: seconds for each.
        circuit: given instead of their own.
        log: takes the records; of an interrupted run, its records are found again.
        cache: of records and answers.
        audited: theorems whose records, if they are found, are checked again by
            ``prover.checking.verification`` before they are believed.
        told: what is done, of a circuit that was given and where every input is evaluated.
        enumeration: seconds for trying every input where engines do not answer; see ``discharge``.
    """

    timeout: float = DEFAULT_TIMEOUT
    circuit: Netlist | None = None
    log: Log | None = None
    cache: Cache | None = None
    audited: frozenset[str] = frozenset()
    told: Callable[[str], None] = silently
    enumeration: float | None = None

    def discharge(self, obligation: Obligation, jobs: int = 1) -> Found:
        """The record of an obligation, in log and cache too.

        Raises:
            StorageError: if it cannot be kept there.
        """
        earlier = self._standing(obligation)
        return self.keep(obligation, *(earlier or self._anew(obligation, jobs)))

    def discharge_together(self, obligations: Sequence[Obligation], jobs: int = 1) -> list[Found]:
        """The records of obligations that are alike, the new ones decided in one enumeration.

        Raises:
            StorageError: if they cannot be kept in log and cache.
        """
        if len(obligations) == 1 or self.circuit:
            return [self.discharge(each, jobs) for each in obligations]
        earlier = {each.name: self._standing(each) for each in obligations}
        new = [each for each in obligations if not earlier[each.name]]
        several = decided_together(new, self.timeout, jobs, self._stage(new[0])) if new[1:] else {}
        return [
            self.keep(each, *(earlier[each.name] or self._anew(each, jobs, several.get(each.name))))
            for each in obligations
        ]

    def found(self, obligation: Obligation) -> Found | None:
        """The record of an obligation, in log and cache too, if log or cache have it.

        Raises:
            StorageError: if it cannot be kept there.
        """
        earlier = self._earlier(obligation)
        return self.keep(obligation, *earlier) if earlier else None

    def keep(
        self, obligation: Obligation, origin: str, record: Record, archive: Archive | None
    ) -> Found:
        """Take a record into the log.

        Args:
            origin: where it is from, if it was not made now.
            archive: of its certificates.

        Raises:
            StorageError: if it cannot be kept there.
        """
        if self.log:
            self.log.write(record, archive)
            if record.counterexample is not None:
                path = self.log.counterexample(record.theorem)
                write_counterexample(
                    obligation, self.circuit, record.counterexample, path, record.message
                )
        return Found.of(record, origin, audited=bool(origin) and record.theorem in self.audited)

    def _standing(self, obligation: Obligation) -> tuple[str, Record, Archive] | None:
        """What was found before, if what it rests on is there too."""
        return self._earlier(obligation) if self._rests(obligation) else None

    def _rests(self, obligation: Obligation) -> bool:
        """Whether what a theorem about a program rests on is proved, and in log and cache too."""
        if obligation.rests_on is None or obligation.expected is Outcome.REFUTED:
            return True
        try:
            units = with_units([obligation])[:-1]
        except ValueError:  # which stating it will tell
            return False
        return all(self.discharge(unit).green for unit in units)

    def _anew(
        self, obligation: Obligation, jobs: int, decided: Decided | None = None
    ) -> tuple[str, Record, Archive | None]:
        """A new record, which is from nowhere, and where its certificates are."""
        keeping = Keeping(self._archive, self.cache, self.log)
        record = discharge(
            obligation,
            self.timeout,
            self.circuit,
            jobs,
            keeping,
            enumeration=self.enumeration,
            told=self._stage(obligation),
            settled=self.discharge,
            decided=decided,
        )
        if self.circuit:
            if record.refutes and next(iter(obligation.neighbours()), None):
                self.told(f"refuted; {SEARCHING}: {obligation.name}")
            unused = self.timeout - record.seconds
            record = with_nearest(record, obligation, self.circuit, max(REGION_SECONDS, unused))
        record = sealed(record)
        if self.cache:
            self.cache.keep_record(record)
        return "", record, keeping.archive

    def _stage(self, obligation: Obligation) -> Callable[[str], None]:
        """Tells a stage, if it is of a circuit that was given or of an evaluation."""
        if not (self.circuit or obligation.evaluated):
            return silently
        return lambda words: self.told(f"{words}: {obligation.name}")

    @property
    def _archive(self) -> Archive | None:
        """Where new certificates go: where the cache can name them, if it may be written."""
        if self.cache and not self.cache.read_only:
            return self.cache.archive
        return self.log.archive if self.log else None

    def _earlier(self, obligation: Obligation) -> tuple[str, Record, Archive] | None:
        """What was found before: where it is from, the record, and where its certificates are."""
        circuit, notes = (self.circuit.sha256, self.circuit.notes) if self.circuit else (None, None)
        for origin, place in ((CONTINUED, self.log), (CACHED, self.cache)):
            record = place.record(obligation.name, circuit, obligation.package) if place else None
            if place and record and notes in (None, record.notes):
                if obligation.name in self.audited:
                    record = self._audited(record, place.archive)
                return origin, record, place.archive
        return None

    def _audited(self, record: Record, archive: Archive) -> Record:
        """A record that was found, or what is wrong with it."""
        refusal = Verifier(archive, circuit=self.circuit).verify(record).refusal
        if not refusal:
            return record
        message = f"AUDIT: what was kept of it does not verify: {refusal}; remove the cache"
        return replace(record, outcome=Outcome.ERROR, message=message, lemmas=(), seal="")


def drawn(theorems: Iterable[str], count: int, run_id: str) -> frozenset[str]:
    """So many theorems drawn at random; the same ones in every process of one run."""
    by_chance = sorted(theorems, key=lambda name: sha256(f"{run_id} {name}".encode()).digest())
    return frozenset(by_chance[:count])


def discharge_all(names: Sequence[str], run: Run, jobs: int | None = None) -> Iterator[Found]:
    """Discharge obligations of the catalogue, yielding each record as it comes.

    Those that are alike, such as the modes of a function, are a single task; see ``together``.

    Args:
        jobs: processes to use, for the lemmas of a single theorem too; by default one for each core.
    """
    gc.freeze()  # the catalogue stays: garbage is not looked for among it, nor by who is forked
    cores = jobs or os.cpu_count() or 1
    groups = [
        tuple(each.name for each in group) for group in grouped(longest_first(map(theorem, names)))
    ]
    lemma_jobs = cores if len(groups) == 1 else 1
    tasks = {group: (group, run, lemma_jobs) for group in groups}
    for found in results(_discharge_named, tasks, cores, lambda group: _lost(group, run)):
        yield from found


def _discharge_named(names: Sequence[str], run: Run, jobs: int) -> list[Found]:
    return run.discharge_together([*map(theorem, names)], jobs)


def _lost(names: Sequence[str], run: Run) -> list[Found]:
    """What became of theorems whose process died: those that were done are in the log.

    A program's is not asked for there: nobody knows whether what it rests on is proved.
    """
    obligations = [theorem(name) for name in names]
    return [(not each.rests_on and run.found(each)) or _died(each, run) for each in obligations]


def _died(obligation: Obligation, run: Run) -> Found:
    blank = blank_record(obligation, run.timeout, run.circuit)
    record = sealed(replace(blank, outcome=Outcome.ERROR, message=LOST))
    if run.log:
        run.log.write(record)
    return Found.of(record)
