"""Clausal proofs of unsatisfiability (DRAT), put together from the traces of several solvers.

A derivation begins with the clauses of a formula and adds clauses that follow from others, each by unit
propagation from a few of them, its reasons; its goal is the empty clause. What the empty clause does not
rest on is left out of the proof, and every clause is deleted after its last use: checkers that do not
know the reasons have the less to look through. Literals are those of DIMACS files.

Nothing here is trusted: a wrong proof is one that checkers refuse.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, chain
from tempfile import TemporaryFile

import numpy as np
import pysolvers
from numpy.typing import NDArray
from pysat.solvers import Cadical300

from spikeproof.prover.encoding.drat import ADDITION, DELETION, ProofError, decoded, encoded, stretches

Clause = tuple[int, ...]
Integers = NDArray[np.int64]

_ADD, _DELETE = -48, 50
"""How lines begin, as literals, of which these are the numbers."""

AXIOM = -1
"""The number of what holds always, and needs no proof."""


class _Rows:
    """Rows of integers by number, each a stretch of some array."""

    def __init__(self) -> None:
        self._own: list[int] = []
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._others: list[tuple[Integers, Integers, Integers, Integers]] = []

    def announce(self, count: int) -> None:
        """Make room for so many rows more."""
        self._starts += [0] * count
        self._ends += [0] * count

    def append(self, row: Sequence[int]) -> None:
        """Keep a row, under the next number."""
        self._starts.append(len(self._own))
        self._own += row
        self._ends.append(len(self._own))

    def keep(self, rows: Sequence[Sequence[int]]) -> None:
        """Keep the first rows."""
        ends = list(accumulate(map(len, rows)))
        self._starts[: len(rows)], self._ends[: len(rows)] = [0, *ends[:-1]], ends
        self._own += chain.from_iterable(rows)

    def refer(self, numbers: Integers, array: Integers, starts: Integers, ends: Integers) -> None:
        """Keep rows that are stretches of an array."""
        self._others.append((numbers, array, starts, ends))

    def together(self) -> tuple[Integers, Integers, Integers]:
        """One array, and where in it each row starts and ends."""
        starts, ends = (np.array(each, dtype=np.int64) for each in (self._starts, self._ends))
        arrays = [np.array(self._own, dtype=np.int64)]
        for numbers, array, first, last in self._others:
            base = sum(map(len, arrays))
            starts[numbers], ends[numbers] = first + base, last + base
            arrays.append(array)
        return np.concatenate(arrays), starts, ends


class Derivation:
    """Clauses by their number: first those of the formula, then each that was derived.

    Attributes:
        clock: how much solvers have been told so far; what follows from it comes later.
    """

    def __init__(self, formula: Sequence[Sequence[int]]) -> None:
        self.clock = 0
        self._clauses = _Rows()
        self._reasons = _Rows()
        self._times: list[int] = []
        self._places: list[int] = []  # of each among those of its time
        self._questions: list[Clause] = []
        self._empty: int | None = None
        self._missing: set[int] = set()
        self._variables = max(abs(literal) for clause in formula for literal in clause)
        self._given = len(self._announce(len(formula)))
        self._clauses.keep(formula)

    def add(self, clause: Sequence[int], reasons: Sequence[int]) -> int:
        """The number of a clause that follows from those of these numbers, and perhaps fewer."""
        number = len(self._places)
        self._clauses.append(clause)
        self._reasons.append(reasons)
        self._times.append(2 * self.clock + 1)
        self._places.append(number)
        if not clause:
            self._empty = number
        return number

    def promise(self) -> int:
        """The number of a clause that some solver will have derived when its trace is taken over."""
        (number,) = self._announce(1)
        self._missing.add(number)
        return number

    def question(self, clause: Clause) -> int:
        """A variable, new to the formula, the negation of which stands for a clause."""
        self._questions.append(clause)
        return self._variables + len(self._questions)

    def take_over(self, trace: Trace, promised: Mapping[int, int]) -> None:
        """Derive what a solver did.

        Args:
            promised: for units among that, the numbers that they were promised.
        """
        announced = self._announce(len(trace.starts))
        numbers = np.array(announced, dtype=np.int64)
        times = (2 * trace.clocks).tolist()
        self._times[announced.start :], self._places[announced.start :] = times, range(len(times))
        units = np.flatnonzero(trace.middles == trace.starts + 3)
        literals = trace.literals[trace.starts[units] + 2].tolist()
        for line, literal in zip(units.tolist(), literals, strict=True):
            number = promised.get(literal)
            if number in self._missing:
                numbers[line] = number
                self._times[number], self._places[number] = times[line], line
                self._missing.discard(number)
        self._clauses.refer(numbers, trace.literals, trace.starts + 2, trace.middles)
        self._reasons.refer(numbers, trace.reasons(numbers), trace.middles + 1, trace.ends)
        for line in np.flatnonzero(trace.middles == trace.starts + 2).tolist():
            self._empty = int(numbers[line])

    def proof(self) -> bytes:
        """The proof of the empty clause, in binary DRAT.

        Raises:
            ProofError: if the empty clause was not derived, or not from the formula.
        """
        if self._empty is None:
            raise ProofError("the empty clause was not derived")
        reasons, first, last = self._reasons.together()
        order, needed = self._needed(self._empty, reasons, first, last)
        literals, starts, ends = self._in_variables(needed)

        added = order[needed[order] & (order >= self._given)]
        positions = np.arange(len(added))
        last_use = np.full(len(order) + 1, -1)  # what is not needed is deleted before all else
        last_use[added] = positions
        used = reasons[stretches(first[added], last[added])]
        last_use[used] = np.repeat(positions, (last - first)[added])

        deleted = np.concatenate([np.arange(self._given), added[:-1]])
        deleted = deleted[(ends - starts)[deleted] > 1]  # checkers differ in what deleting a unit means
        lines = np.concatenate([added, deleted])
        kinds = np.repeat([_ADD, _DELETE], [len(added), len(deleted)])
        sorted_lines = np.argsort(
            np.concatenate([2 * positions, 2 * last_use[deleted] + 1]), kind="stable"
        )
        lines, kinds = lines[sorted_lines], kinds[sorted_lines]

        lengths = (ends - starts)[lines]
        begins = np.cumsum(lengths + 2) - (lengths + 2)
        text = np.zeros(int((lengths + 2).sum()), dtype=np.int64)
        text[begins] = kinds
        text[stretches(begins + 1, begins + 1 + lengths)] = literals[
            stretches(starts[lines], ends[lines])
        ]
        return encoded(_as_numbers(text))

    def _announce(self, count: int) -> range:
        self._clauses.announce(count)
        self._reasons.announce(count)
        numbers = range(len(self._places), len(self._places) + count)
        self._times += [2 * self.clock + 1] * count
        self._places += numbers
        return numbers

    def _needed(
        self, goal: int, reasons: Integers, first: Integers, last: Integers
    ) -> tuple[Integers, NDArray[np.bool_]]:
        """All numbers, each after its reasons, and whether the goal rests on each."""
        order = np.lexsort((np.array(self._places), np.array(self._times)))
        needed = np.zeros(len(order) + 1, dtype=bool)  # the last place is that of ``AXIOM``
        needed[goal] = True
        begins, ends = first.tolist(), last.tolist()
        for number in order[::-1].tolist():
            if needed[number]:
                needed[reasons[begins[number] : ends[number]]] = True
        needed[AXIOM] = False
        if any(needed[number] for number in self._missing):
            raise ProofError("a clause that was promised was not derived")
        return order, needed

    def _in_variables(self, needed: NDArray[np.bool_]) -> tuple[Integers, Integers, Integers]:
        """The clauses in the formula's variables; those that hold always are needed no more."""
        literals, starts, ends = self._clauses.together()
        numbers = np.flatnonzero(needed)
        rows = np.repeat(numbers, (ends - starts)[numbers])
        strange = abs(literals[stretches(starts[numbers], ends[numbers])]) > self._variables
        extra: list[int] = []
        for number in np.unique(rows[strange]).tolist():
            clause = self._translated(literals[starts[number] : ends[number]].tolist())
            needed[number] = not any(-literal in clause for literal in clause)
            starts[number] = len(literals) + len(extra)
            extra += clause
            ends[number] = len(literals) + len(extra)
        return np.concatenate([literals, np.array(extra, dtype=np.int64)]), starts, ends

    def _translated(self, clause: Sequence[int]) -> dict[int, None]:
        known, first = self._variables, self._variables + 1
        meanings = (
            self._questions[-literal - first] if -literal > known else (literal,) for literal in clause
        )
        return dict.fromkeys(literal for meaning in meanings for literal in meaning)


def _as_numbers(signed: Integers) -> Integers:
    """Literals, and the beginnings and ends of lines among them, as binary DRAT numbers them."""
    numbers: Integers = 2 * abs(signed) + (signed < 0)
    return numbers


@dataclass(frozen=True)
class Trace:
    """What a solver derived, line by line: ``a number literals 0 reasons 0``.

    Attributes:
        tokens: all numbers of the trace.
        starts, middles, ends: where lines begin, and where their zeros are.
        numbers: in the derivation, of clauses by their number in the trace; of those that have no line.
        traced: the number in the trace of each line.
        clocks: of each line, how much solvers had been told.
    """

    tokens: Integers
    starts: Integers
    middles: Integers
    ends: Integers
    numbers: Integers
    traced: Integers
    clocks: Integers

    @classmethod
    def read(cls, content: bytes, untraced: Sequence[int], clocks: Sequence[int]) -> Trace:
        """A trace, given what the solver was told: clauses' numbers in the derivation, and the clocks.

        Raises:
            ProofError: if it is not the trace of such a solver.
        """
        tokens = decoded(content)
        starts, middles, ends = _additions(tokens)
        traced = tokens[starts + 1] >> 1
        last = int(traced.max(initial=0))
        # The trace numbers all clauses in order, but has lines for those derived only.
        told = np.ones(last + 1, dtype=bool)
        told[[0]], told[traced] = False, False
        count = int(np.count_nonzero(told))
        if count > len(untraced):
            raise ProofError("the trace numbers more clauses than there are")
        numbers = np.full(last + 1, AXIOM)
        numbers[told] = untraced[:count]
        so_far = np.cumsum(told)[traced]
        return cls(tokens, starts, middles, ends, numbers, traced, np.array([0, *clocks])[so_far])

    @cached_property
    def literals(self) -> Integers:
        """All numbers as literals."""
        signed: Integers = np.where(self.tokens & 1, -1, 1) * (self.tokens >> 1)
        return signed

    def reasons(self, derived: Integers) -> Integers:
        """All numbers as those of clauses in the derivation, where the lines have these."""
        numbers = self.numbers.copy()
        numbers[self.traced] = derived
        found: Integers = numbers[np.minimum(self.tokens >> 1, len(numbers) - 1)]
        return found


OPTIONS = {"lucky": 0, "elim": 0}
"""CaDiCaL's, beside those of its trace. Tried before each of thousands of small questions, lucky
assignments take more time than they save; so does the elimination of variables."""


class TracedSolver:
    """CaDiCaL, the steps of which can be handed over to a derivation."""

    def __init__(self, derivation: Derivation) -> None:
        self.derivation = derivation
        self._solver = Cadical300()
        self._solver.configure({"lrat": 1, "binary": 1, **OPTIONS})
        self._file = TemporaryFile()  # noqa: SIM115 -- closed on leaving
        self._stream = pysolvers.cadical300_tracepr(self._solver.cadical, self._file)
        # What it was told, and what else gets a number, but no line in the trace; and when.
        self._untraced: list[int] = []
        self._clocks: list[int] = []
        self._promised: dict[int, int] = {}  # by literal

    def __enter__(self) -> TracedSolver:
        return self

    def __exit__(self, *_: object) -> None:
        self._solver.delete()
        self._file.close()

    def add(self, clause: Sequence[int], number: int) -> None:
        """Add a clause that has this number in the derivation, or is an ``AXIOM``."""
        self._solver.add_clause(clause)
        self._tell(number)

    def solve(self, assumption: int | None = None, conflicts: int | None = None) -> bool | None:
        """Whether the clauses, and the assumption, can be satisfied; None if it takes more conflicts."""
        assumptions = [] if assumption is None else [assumption]
        self._solver.conf_budget(-1 if conflicts is None else conflicts)
        satisfiable: bool | None = self._solver.solve_limited(assumptions=assumptions)
        if satisfiable is False and assumptions:
            self._tell(AXIOM)  # a clause of the assumption, which only gets a number
        return satisfiable

    def refuted(self, assumption: int) -> int:
        """The number of the clause that an assumption does not hold, if that was the last answer.

        It is derived when the steps are handed over.
        """
        self._promised[-assumption] = number = self.derivation.promise()
        return number

    def true_variables(self) -> set[int]:
        """The model, if the last answer was that there is one."""
        return {variable for variable in self._solver.get_model() if variable > 0}

    def hand_over(self) -> None:
        """Add all that was derived to the derivation; once, when all questions have been asked."""
        pysolvers.flushpr(self._stream)
        self._file.seek(0)
        trace = Trace.read(self._file.read(), self._untraced, self._clocks)
        self.derivation.take_over(trace, self._promised)

    def _tell(self, number: int) -> None:
        self.derivation.clock += 1
        self._untraced.append(number)
        self._clocks.append(self.derivation.clock)


def _additions(tokens: Integers) -> tuple[Integers, Integers, Integers]:
    """Where each line ``a number literals 0 reasons 0`` of a trace begins, and where its zeros are."""
    zeros = np.flatnonzero(tokens == 0)
    if len(tokens) and (not len(zeros) or zeros[-1] != len(tokens) - 1):
        raise ProofError("the trace ends within a line")
    begins = np.concatenate([[0], zeros[:-1] + 1]) if len(zeros) else zeros
    # Reasons are even numbers: none begin as additions do.
    added = np.flatnonzero(tokens[begins] == ADDITION)
    if len(added) and added[-1] + 1 == len(zeros):
        raise ProofError("the trace ends within a line")
    others = np.ones(len(zeros), dtype=bool)
    others[added], others[added + 1] = False, False
    if not (tokens[begins[others]] == DELETION).all():
        raise ProofError("the trace has a line of an unknown kind")
    return begins[added], zeros[added], zeros[added + 1]
