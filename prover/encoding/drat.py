"""Binary DRAT, the format of clausal proofs: numbers in seven bits a byte."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]

ADDITION, DELETION = ord("a"), ord("d")
"""How lines begin."""


class ProofError(Exception):
    """A proof, or a solver's trace, that is not what it should be; the message says why."""


def encoded(numbers: Integers) -> bytes:
    """Numbers less than 2^35 as binary DRAT has them: seven bits a byte, the lowest first."""
    values = numbers[:, None] >> np.arange(0, 35, 7)
    more = values[:, 1:] > 0
    octets = (values & 127).astype(np.uint8)
    octets[:, :-1] = octets[:, :-1] | (more.astype(np.uint8) << 7)
    content: bytes = octets[np.hstack([np.ones((len(values), 1), dtype=bool), more])].tobytes()
    return content


def decoded(content: bytes) -> Integers:
    """The inverse of ``encoded``.

    Raises:
        ProofError: if the content ends within a number, or holds one of more than 35 bits.
    """
    octets = np.frombuffer(content, dtype=np.uint8)
    ends = np.flatnonzero(octets < 128)
    if not len(octets) or not len(ends):
        ends = np.zeros(0, dtype=np.int64)
    if len(octets) != (ends[-1] + 1 if len(ends) else 0):
        raise ProofError("it ends within a number")
    starts = np.concatenate([[0], ends[:-1] + 1])[: len(ends)]
    lengths = ends - starts + 1
    if lengths.max(initial=0) > 5:
        raise ProofError("it holds a number of more than 35 bits")
    numbers: Integers = (octets[starts] & 127).astype(np.int64)
    for place in range(1, int(lengths.max(initial=1))):
        longer = np.flatnonzero(lengths > place)
        numbers[longer] |= (octets[starts[longer] + place] & 127).astype(np.int64) << (7 * place)
    return numbers


def lines(content: bytes) -> tuple[Integers, Integers, Integers]:
    """The lines of a proof: their kinds, the literals of all, one after another, and each one's count.

    Raises:
        ProofError: if there is anything else.
    """
    numbers = decoded(content)
    ends = np.flatnonzero(numbers == 0)
    starts = np.concatenate([[0], ends + 1])
    if starts[-1] != len(numbers):
        raise ProofError("it ends within a line")
    kinds = numbers[starts[:-1]]
    if not np.isin(kinds, (ADDITION, DELETION)).all():
        raise ProofError("it has a line of an unknown kind")
    return kinds, numbers[stretches(starts[:-1] + 1, ends)], ends - starts[:-1] - 1


def stretches(starts: Integers, ends: Integers) -> Integers:
    """The indices of stretches, one after another."""
    lengths = ends - starts
    before = np.cumsum(lengths) - lengths
    indices: Integers = np.repeat(starts - before, lengths) + np.arange(lengths.sum())
    return indices
