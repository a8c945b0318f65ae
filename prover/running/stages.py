"""What is done for a verdict on a given circuit: told while it runs, and kept for the record."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from spikeproof.prover.evidence.record import Stage


def silently(words: str) -> None:
    """Tell nobody."""


@dataclass
class Stages:
    """Stages of one attempt, as they come.

    Attributes:
        told: what is done now.
        done: those that have ended.
    """

    told: Callable[[str], None] = silently
    done: list[Stage] = field(default_factory=list)

    @contextmanager
    def stage(self, name: str) -> Iterator[Finding]:
        """Do a stage in this context, and say there what was found."""
        self.told(name)
        finding, started = Finding(), time.perf_counter()
        try:
            yield finding
        except Exception as error:
            finding.words = str(error)
            raise
        finally:
            self.done.append(Stage(name, finding.words, round(time.perf_counter() - started, 4)))

    def in_words(self) -> str:
        """What there is, in one line."""
        return "; ".join(f"{each.name} ({each.seconds:.1f} s): {each.found}" for each in self.done)


@dataclass
class Finding:
    """What a stage came to, in words."""

    words: str = "nothing"
