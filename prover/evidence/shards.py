"""Shards: theorems divided among machines that know nothing of one another; and batches, for workers.

Both are by the seconds that theorems once took, ``proofs/seconds.tsv``, and the same wherever
the source is the same. A wrong figure there makes one longer than the others, and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from heapq import heapify, heapreplace
from importlib.resources import files
from pathlib import Path
from typing import TypeVar

from spikeproof.prover.claims.obligation import Named, Obligation, Profile
from spikeproof.prover.evidence.record import Record

SHORT = 1.0
"""Seconds; theorems that take less are not in the file."""
USUAL = 0.15
"""Seconds that such a theorem is taken to need."""

_HEADER = "theorem\tseconds"

Stated = TypeVar("Stated", Obligation, Named)


class ShardError(ValueError):
    """No shard, or times that cannot be read; the message says what is wrong."""


@dataclass(frozen=True)
class Shard:
    """One part of so many.

    Attributes:
        number: which it is, from 1.
        count: how many there are.
    """

    number: int
    count: int

    @classmethod
    def read(cls, text: str) -> Shard:
        """A shard from text like ``3/8``.

        Raises:
            ShardError: if the text is no shard.
        """
        match = re.fullmatch(r"([0-9]{1,6})/([0-9]{1,6})", text, re.ASCII)
        number, count = map(int, match.groups()) if match else (0, 0)
        if not 1 <= number <= count:
            raise ShardError(f"{text!r} is no shard; the third of eight is 3/8")
        return cls(number, count)

    def of(
        self, obligations: Iterable[Stated], seconds: Mapping[str, float] | None = None
    ) -> list[Stated]:
        """Its part of obligations, in their order; all parts together are all of them, each once.

        What takes longest is given out first, to whom has least.

        Args:
            seconds: that theorems take, by name; by default as recorded.
        """
        took = recorded_seconds() if seconds is None else seconds
        stated = list(obligations)
        costs = {each.name: took.get(each.name, USUAL) for each in stated}
        loads = [(0.0, number) for number in range(1, self.count + 1)]
        heapify(loads)
        mine = set()
        for name in sorted(costs, key=lambda name: (-costs[name], name)):
            load, number = loads[0]
            heapreplace(loads, (load + costs[name], number))
            if number == self.number:
                mine.add(name)
        return [each for each in stated if each.name in mine]


def longest_first(obligations: Iterable[Obligation]) -> list[Obligation]:
    """Obligations in an order in which at the end nobody waits for one that takes long.

    Those whose seconds are recorded come first. All others keep their order, in which neighbours share
    tables, and programs come after what they rest on.
    """
    took = recorded_seconds()
    return sorted(obligations, key=lambda each: 0.0 if each.rests_on else -took.get(each.name, 0.0))


def batches(obligations: Iterable[Obligation]) -> Iterator[list[Obligation]]:
    """Neighbours that take ``SHORT`` together, or one that may take longer: of others' theorems, and of
    ours that only a wide run proves, that is not known unless it is recorded."""
    took, batch, total = recorded_seconds(), list[Obligation](), 0.0
    for each in obligations:
        known = each.package is None and each.profile is Profile.DEFAULT
        seconds = took.get(each.name, USUAL if known else SHORT)
        if batch and total + seconds > SHORT:
            yield batch
            batch, total = [], 0.0
        batch.append(each)
        total += seconds
    if batch:
        yield batch


def seconds_path() -> Path:
    """Where this project records how long its theorems take: among its proofs."""
    return Path(str(files("spikeproof.proofs") / "seconds.tsv"))


@cache
def recorded_seconds() -> Mapping[str, float]:
    """Seconds by theorem, of those that take long.

    Raises:
        ShardError: if the file cannot be read.
    """
    path = seconds_path()
    try:
        header, *lines = path.read_text(encoding="utf-8").splitlines()
        if header != _HEADER:
            raise ValueError(header)
        rows = (line.split("\t") for line in lines)
        return {theorem: float(seconds) for theorem, seconds in rows}
    except (OSError, ValueError):
        raise ShardError(f"cannot read {path}; `spikeproof ledger --seconds LOG` writes it") from None


def seconds_text(records: Sequence[Record], before: Mapping[str, float], known: Iterable[str]) -> str:
    """The text of that file: what records say, else what was known before, of all theorems.

    Args:
        known: theorems in their order.
    """
    took = {**before, **{record.theorem: record.seconds for record in records}}
    rows = [f"{name}\t{took[name]:.1f}" for name in known if took.get(name, 0) >= SHORT]
    return "\n".join((_HEADER, *rows)) + "\n"
