"""Assertions for tests of your own, by pytest or any other runner."""

from __future__ import annotations

from spikeproof.api import Spec, check
from spikeproof.circuits.netlist import Netlist
from spikeproof.prover.claims.obligation import DEFAULT_TIMEOUT, Obligation, Outcome
from spikeproof.prover.report.tables import failure_text


class RefutedError(AssertionError):
    """The circuit is wrong; the message shows the simplest inputs found that say so."""


class UndecidedError(AssertionError):
    """Neither proved nor refuted: no engine answered in time, or the claim says nothing; and why."""


def assert_proved(
    circuit: Netlist, claim: str | Obligation | Spec, *, timeout: float = DEFAULT_TIMEOUT, jobs: int = 1
) -> None:
    """Fail unless a circuit is what a claim says, on every input.

    Args:
        circuit, claim, timeout, jobs: as of ``check``.

    Raises:
        RefutedError: with the counterexample: inputs, both results, and where they first depart.
        UndecidedError: if it is not decided, or could not be stated. That is no proof, and fails.
        CatalogueError, NetlistError, EngineError: as of ``check``.
    """
    __tracebackhide__ = True
    record = check(circuit, claim, timeout=timeout, jobs=jobs)
    if record.outcome is Outcome.PROVED:
        return
    failure = RefutedError if record.outcome is Outcome.REFUTED else UndecidedError
    raise failure(failure_text(record))
