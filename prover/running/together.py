"""Theorems about modes of one function, evaluated on every input in one enumeration.

What encloses values is made once, and so is whatever their programs share. Each theorem has a record
of its own, as if it had been decided alone. Where any of them does not hold, or fails, or time is up,
none is decided here: then each is tried by itself, which tells which of them it was.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

from spikeproof.circuits.meanings.in_a_row import compiled
from spikeproof.prover.checking.every_block import require_all_true_of_every_block
from spikeproof.prover.claims.blocked import BlockTable
from spikeproof.prover.claims.environment import passing_formulas
from spikeproof.prover.claims.obligation import Obligation
from spikeproof.prover.claims.tabulated import TabulatedClaim
from spikeproof.prover.running.stages import silently


class Decided(NamedTuple):
    """A theorem that was proved beside others.

    Attributes:
        digest: the SHA-256 of what was expected of every input, as a record has it.
        seconds: its share of the time.
    """

    digest: str
    seconds: float


def grouped(obligations: Iterable[Obligation]) -> list[list[Obligation]]:
    """Those that may be decided together, at the place of the first of them."""
    groups: dict[tuple[str, str], list[Obligation]] = {}
    for each in obligations:
        groups.setdefault((each.alike, "" if each.alike else each.name), []).append(each)
    return list(groups.values())


def decided_together(
    obligations: Sequence[Obligation],
    timeout: float,
    jobs: int = 1,
    told: Callable[[str], None] = silently,
) -> Mapping[str, Decided]:
    """Of each theorem, by name, that it is proved; or nothing of any.

    Args:
        timeout: seconds for each; together they have the sum.
        jobs: how many blocks are worked on at once.
        told: what part of all is done, in words.
    """
    started = time.perf_counter()
    with suppress(Exception), passing_formulas():  # whatever it is, each alone meets it, and says so
        claims = [_in_blocks(each) for each in obligations]
        deadline = started + timeout * len(claims)
        words = f"every input, evaluated for {len(claims)} modes"
        digests = require_all_true_of_every_block(
            claims, compiled, jobs, deadline, lambda done: told(f"{words}, {done:.1%}")
        )
        share = (time.perf_counter() - started) / len(claims)
        pairs = zip(obligations, digests, strict=True)
        return {each.name: Decided(digest, share) for each, digest in pairs}
    return {}


def _in_blocks(obligation: Obligation) -> tuple[TabulatedClaim, BlockTable]:
    """A theorem's claim, and its table.

    Raises:
        ValueError: if it is none in blocks.
    """
    claim = obligation.state(obligation.circuit() if obligation.circuit else None)
    if not isinstance(claim, TabulatedClaim) or not isinstance(claim.table, BlockTable):
        raise ValueError(f"{obligation.name} is not decided in blocks")
    return claim, claim.table
