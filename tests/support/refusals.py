"""What is refused is refused in one line."""

import pytest

from spikeproof.proofs import described


def assert_not_described(name: str, words: str) -> None:
    """The name begins like one of ours and is refused, in one line with these words (a pattern)."""
    with pytest.raises(ValueError, match=words) as refusal:
        described(name)
    assert "\n" not in str(refusal.value)
