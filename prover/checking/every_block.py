"""Claims of up to 32 input bits, evaluated on every input, block by block.

The circuit is evaluated as ``circuits.meanings.in_a_row`` has it: by machine code when a theorem is
proved, by NumPy when it is verified. Nothing is kept of a block that was compared but a digest of what
was expected.

Inputs that differ in nothing that any neuron or output reads, such as the signs of what is squared, have
the same outputs: these are evaluated once. What is expected is made for each of them.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import reduce
from operator import and_
from threading import Event
from typing import NamedTuple

import numpy as np

from spikeproof.circuits.meanings.boolean import Words
from spikeproof.circuits.meanings.in_a_row import Evaluator, InARow, Outputs, input_values
from spikeproof.circuits.netlist import Netlist
from spikeproof.prover.checking.every_input import EveryInputError, ViolatedError
from spikeproof.prover.claims.blocked import BLOCK, BlockTable
from spikeproof.prover.claims.tabulated import TabulatedClaim

SHORTEST = 1 << 13
"""So many inputs in a row, or more, are evaluated once for others that have the same outputs."""


def silently(done: float) -> None:
    """Tell nobody."""


def require_true_of_every_block(
    claim: TabulatedClaim,
    table: BlockTable,
    evaluator: Evaluator,
    jobs: int = 1,
    deadline: float | None = None,
    told: Callable[[float], None] = silently,
) -> str:
    """Evaluate a claim on every input: as ``require_all_true_of_every_block``.

    Args:
        table: the claim's.
    """
    return require_all_true_of_every_block([(claim, table)], evaluator, jobs, deadline, told)[0]


def require_all_true_of_every_block(
    claims: Sequence[tuple[TabulatedClaim, BlockTable]],
    evaluator: Evaluator,
    jobs: int = 1,
    deadline: float | None = None,
    told: Callable[[float], None] = silently,
) -> list[str]:
    """Evaluate claims about the same inputs on every input, each block for all of them.

    Args:
        claims: each with its table.
        jobs: how many blocks are worked on at once.
        deadline: by ``time.perf_counter``.
        told: what part of all is done, now and then.

    Returns:
        of each claim the SHA-256 of what was expected: of the SHA-256 of each block of ``BLOCK``
        inputs, in order, whose outputs come by name, as words of 4 octets, or 8 where they are wider,
        the lowest first.

    Raises:
        ViolatedError: if some input violates one of them: the first.
        EveryInputError: if one assumes something of its inputs, or not every bit counts.
        ProgramError: if words of 64 bits do not hold what the circuit adds up.
        TimeoutError: if time is up.
    """
    if any(claim.assumptions or claim.counting for claim, _ in claims):
        raise EveryInputError("results in blocks are of every input, and every bit of them counts")
    tables, netlists = [table for _, table in claims], [claim.netlist for claim, _ in claims]
    if any(table.inputs != tables[0].inputs for table in tables):
        raise EveryInputError("what is evaluated together has the same inputs")
    work = _Blocks(tables, netlists, evaluator(netlists))
    digests = [hashlib.sha256() for _ in claims]
    bits = tables[0].bits
    with _stopping(ThreadPoolExecutor(jobs), work.stopped) as pool:
        for first, block in zip(work.firsts, pool.map(work.compared, work.firsts), strict=True):
            if block.violating is not None:
                raise ViolatedError(block.violating, input_values(block.violating, netlists[0]))
            if deadline is not None and time.perf_counter() > deadline:
                raise TimeoutError(f"{first + work.size:,} of {1 << bits:,} inputs")
            for digest, expected in zip(digests, block.digests, strict=True):
                digest.update(expected)
            told((first + work.size) / (1 << bits))
    return [digest.hexdigest() for digest in digests]


@contextmanager
def _stopping(pool: ThreadPoolExecutor, stopped: Event) -> Iterator[ThreadPoolExecutor]:
    """A pool that begins nothing more once something has gone wrong, or somebody interrupts."""
    try:
        yield pool
    finally:
        stopped.set()
        pool.shutdown(cancel_futures=True)


class _Compared(NamedTuple):
    """What became of a block: the first input that violates a claim, and what was expected of each."""

    violating: int | None
    digests: Sequence[bytes]


def unread(netlist: Netlist) -> int:
    """The bits of an input's number that no neuron reads, and no output."""
    read = {signal for neuron in netlist.neurons for signal, _ in neuron.synapses}
    read.update(signal for bus in netlist.outputs.values() for signal in bus)
    return sum(1 << place for place in range(netlist.input_count) if place not in read)


class _Blocks:
    def __init__(
        self, tables: Sequence[BlockTable], netlists: Sequence[Netlist], evaluate: InARow
    ) -> None:
        self.tables, self.evaluate = tables, evaluate
        self.unread = reduce(and_, map(unread, netlists))
        bits = tables[0].bits
        self.size = min(BLOCK, 1 << bits)
        self.firsts = range(0, 1 << bits, self.size)
        self.digests: dict[int, list[bytes]] = {}
        self.digests_of_constants: dict[tuple[int, ...], bytes] = {}
        self.stopped = Event()

    def compared(self, first: int) -> _Compared:
        """A block, from its first input on."""
        if self.stopped.is_set():
            return _Compared(None, ())
        expected = [table.block(first, self.size) for table in self.tables]
        digests = list(map(self.digest, self.tables, expected))
        if self.digests.get(first & ~self.unread) == digests:
            return _Compared(None, digests)
        differ = [
            outputs[name] != codes
            for outputs, each in zip(self.found(first, self.size), expected, strict=True)
            for name, codes in each.items()
        ]
        if any(each.any() for each in differ):
            return _Compared(first + int(np.logical_or.reduce(differ).argmax()), digests)
        self.digests[first] = digests
        return _Compared(None, digests)

    def digest(self, table: BlockTable, expected: Mapping[str, Words]) -> bytes:
        """Of what outputs are to be; where each is the same for all inputs, made once."""
        octets = [4 if table.outputs[name] <= 32 else 8 for name in sorted(expected)]
        codes = [expected[name] for name in sorted(expected)]
        constant = all((each == each[0]).all() for each in codes)
        key = (*octets, *(int(each[0]) for each in codes))
        if constant and key in self.digests_of_constants:
            return self.digests_of_constants[key]
        digest = hashlib.sha256()
        for size, each in zip(octets, codes, strict=True):
            digest.update(np.ascontiguousarray(each, dtype=f"<u{size}").data)
        if constant:
            self.digests_of_constants[key] = digest.digest()
        return digest.digest()

    def found(self, first: int, size: int) -> list[Outputs]:
        """The outputs; of two rows that differ in nothing that is read, evaluated once."""
        row = 1 << (self.unread & size - 1).bit_length() >> 1
        if row < SHORTEST:
            return self.evaluate(first, size)
        parts = [self.evaluate(start, row) for start in range(first, first + size, 2 * row)]
        return [
            {name: np.concatenate([one[name] for one in some for _ in range(2)]) for name in some[0]}
            for some in zip(*parts, strict=True)
        ]
