"""What is refused is refused in one line."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from spikeproof.circuits.netlist import NetlistError
from spikeproof.proofs import described


@contextmanager
def refused(
    words: str | None = None, error: type[Exception] = NetlistError
) -> Iterator[pytest.ExceptionInfo[Exception]]:
    """What is done within is refused, in one line with these words (a pattern)."""
    with pytest.raises(error, match=words) as refusal:
        yield refusal
    assert "\n" not in str(refusal.value)


def assert_not_described(name: str, words: str) -> None:
    """The name begins like one of ours and is refused, in one line with these words (a pattern)."""
    with refused(words, ValueError):
        described(name)
