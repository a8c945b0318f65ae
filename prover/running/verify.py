"""Many records checked, in several processes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from spikeproof.prover.checking.verification import Verification, Verifier
from spikeproof.prover.engines.pool import LOST, results
from spikeproof.prover.evidence.record import Record


def verify_all(records: Sequence[Record], verifier: Verifier, jobs: int) -> Iterator[Verification]:
    """Check records, yielding what becomes of each as it comes."""
    tasks = {record.theorem: (verifier, record) for record in records}
    return results(Verifier.verify, tasks, jobs, lambda theorem: Verification(theorem, LOST))
