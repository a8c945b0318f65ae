"""Clausal proofs of unsatisfiability (DRAT), put together from the traces of several solvers.

A derivation begins with the clauses of a formula and adds clauses that follow from others, each by unit
propagation from a few of them, its reasons; its goal is the empty clause. What the empty clause does not
rest on is left out of the proof, and every clause is deleted after its last use: checkers that do not
know the reasons have the less to look through. Literals are those of DIMACS files.

Nothing here is trusted: a wrong proof is one that checkers refuse.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from operator import neg
from tempfile import TemporaryFile

import numpy as np
import pysolvers
from numpy.typing import NDArray
from pysat.solvers import Cadical300

Clause = tuple[int, ...]
Integers = NDArray[np.int64]

ADDITION, DELETION = ord("a"), ord("d")
"""How lines begin."""

_ADD, _DELETE = -48, 50
"""The same as literals, of which these are the numbers."""
AXIOM = -1
"""The number of what holds always, and needs no proof."""


class ProofError(Exception):
    """A solver's trace does not hold the proof that it should."""


class Derivation:
    """Clauses by their number: first those of the formula, then each that was derived.

    A variable that the formula does not have may stand for a clause: in a derived clause its negation is
    then replaced by that clause's literals.

    Attributes:
        meaning: for each such variable, the clause.
    """

    def __init__(self, formula: Iterable[Sequence[int]]) -> None:
        self.meaning: dict[int, Clause] = {}
        self._clauses: list[Sequence[int] | Integers | None] = list(formula)
        self._given = len(self._clauses)
        self._reasons: list[Sequence[int] | Integers] = [()] * self._given
        self._empty: int | None = None

    def add(self, clause: Sequence[int], reasons: Sequence[int]) -> int:
        """The number of a clause that follows from those of these numbers, and perhaps fewer."""
        number = self.announce()
        self.derive(number, clause, reasons)
        return number

    def announce(self) -> int:
        """The number of a clause that is yet to be derived."""
        self._clauses.append(None)
        self._reasons.append(())
        return len(self._clauses) - 1

    def derive(
        self, number: int, clause: Sequence[int] | Integers, reasons: Sequence[int] | Integers
    ) -> None:
        """Derive a clause that was announced."""
        self._clauses[number], self._reasons[number] = clause, reasons
        if len(clause) == 0:
            self._empty = number

    def proof(self) -> bytes:
        """The proof of the empty clause, in binary DRAT.

        Raises:
            ProofError: if the empty clause was not derived, or not from the formula.
        """
        if self._empty is None:
            raise ProofError("the empty clause was not derived")
        needed = self._needed(self._empty)
        order = list(needed)
        last_use = dict.fromkeys(range(self._given), -1)  # what is not needed is deleted before all else
        for position, (_, reasons) in enumerate(needed.values()):
            last_use.update(dict.fromkeys(reasons, position))
        last_use.pop(AXIOM, None)
        ended: dict[int, list[int]] = defaultdict(list)
        for number, position in last_use.items():
            ended[position].append(number)
        lines: list[int] = []
        for position in range(-1, len(order)):
            if position >= 0:
                lines += (_ADD, *needed[order[position]][0], 0)
            for number in ended[position]:
                clause = needed[number][0] if number in needed else self._clause(number)
                if clause and len(clause) > 1:  # checkers differ in what the deletion of a unit means
                    lines += (_DELETE, *clause, 0)
        return encoded(_as_numbers(lines))

    def _needed(self, goal: int) -> dict[int, tuple[Clause, Sequence[int]]]:
        """The derived clauses on which one rests, with their reasons, which come before them."""
        found: dict[int, tuple[Clause, Sequence[int]]] = {}
        reasons: dict[int, Sequence[int]] = {AXIOM: ()}
        pending = [goal]
        while pending:
            number = pending[-1]
            if number not in reasons:
                reasons[number] = self._reasons_of(number)
                pending += [reason for reason in reasons[number] if reason not in reasons]
                continue
            pending.pop()
            if number not in found and number >= self._given:
                clause = self._clause(number)
                if clause is not None:
                    found[number] = clause, reasons[number]
        return found

    def _reasons_of(self, number: int) -> Sequence[int]:
        reasons = self._reasons[number]
        listed: Sequence[int] = reasons.tolist() if isinstance(reasons, np.ndarray) else reasons
        return listed

    def _clause(self, number: int) -> Clause | None:
        """A clause in the formula's variables; None if it holds always."""
        clause = self._clauses[number]
        if clause is None:
            raise ProofError("a clause that was announced was not derived")
        listed = clause.tolist() if isinstance(clause, np.ndarray) else clause
        if self.meaning.keys().isdisjoint(map(neg, listed)):
            return tuple(listed)
        meanings = (self.meaning.get(-literal, (literal,)) for literal in listed)
        literals = dict.fromkeys(each for meaning in meanings for each in meaning)
        return None if any(-literal in literals for literal in literals) else tuple(literals)


def _as_numbers(literals: Sequence[int]) -> Integers:
    """Literals, and the beginnings and ends of lines among them, as binary DRAT numbers them."""
    signed = np.array(literals, dtype=np.int64)
    numbers: Integers = 2 * abs(signed) + (signed < 0)
    return numbers


def encoded(numbers: Integers) -> bytes:
    """Numbers less than 2^35 as binary DRAT has them: seven bits a byte, the lowest first."""
    values = numbers[:, None] >> np.arange(0, 35, 7)
    more = values[:, 1:] > 0
    octets = (values & 127).astype(np.uint8)
    octets[:, :-1] |= more.astype(np.uint8) << 7
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
    place = np.arange(len(octets)) - np.repeat(starts, lengths)
    parts = (octets & 127).astype(np.int64) << (7 * place)
    numbers: Integers = np.add.reduceat(parts, starts) if len(starts) else parts
    return numbers


class TracedSolver:
    """CaDiCaL, the steps of which can be handed over to a derivation."""

    def __init__(self, derivation: Derivation) -> None:
        self.derivation = derivation
        self._solver = Cadical300()
        self._solver.configure({"lrat": 1, "binary": 1})
        self._file = TemporaryFile()  # noqa: SIM115 -- closed on leaving
        self._stream = pysolvers.cadical300_tracepr(self._solver.cadical, self._file)
        # The trace numbers all clauses in order, but has lines for those derived only. These are the
        # others, by their number in the derivation.
        self._untraced: list[int] = []
        self._announced: dict[int, int] = {}  # by literal

    def __enter__(self) -> TracedSolver:
        return self

    def __exit__(self, *_: object) -> None:
        self._solver.delete()
        self._file.close()

    def add(self, clause: Sequence[int], number: int) -> None:
        """Add a clause that has this number in the derivation, or is an ``AXIOM``."""
        self._solver.add_clause(clause)
        self._untraced.append(number)

    def solve(self, assumption: int | None = None, conflicts: int | None = None) -> bool | None:
        """Whether the clauses, and the assumption, can be satisfied; None if it takes more conflicts."""
        assumptions = [] if assumption is None else [assumption]
        self._solver.conf_budget(-1 if conflicts is None else conflicts)
        satisfiable: bool | None = self._solver.solve_limited(assumptions=assumptions)
        if satisfiable is False and assumptions:
            self._untraced.append(AXIOM)  # a clause of the assumption, which only gets a number
        return satisfiable

    def refuted(self, assumption: int) -> int:
        """The number of the clause that an assumption does not hold, if that was the last answer.

        It is derived when the steps are handed over.
        """
        self._announced[-assumption] = number = self.derivation.announce()
        return number

    def true_variables(self) -> set[int]:
        """The model, if the last answer was that there is one."""
        return {variable for variable in self._solver.get_model() if variable > 0}

    def hand_over(self) -> None:
        """Add all that was derived to the derivation; once, when all questions have been asked."""
        pysolvers.flushpr(self._stream)
        self._file.seek(0)
        tokens = decoded(self._file.read())
        literals = np.where(tokens & 1, -1, 1) * (tokens >> 1)
        lines = list(_additions(tokens))
        traced = (tokens >> 1)[[at + 1 for at, _, _ in lines]]
        derived = [self._number(literals[at + 2 : middle]) for at, middle, _ in lines]
        last = max([0, *traced.tolist()])
        numbers = np.full(max(last, len(tokens) and int(tokens.max() >> 1)) + 1, AXIOM)
        others = np.setdiff1d(np.arange(1, last + 1), traced)
        numbers[others] = self._untraced[: len(others)]
        numbers[traced] = derived
        reasons = numbers[tokens >> 1]
        for (at, middle, end), number in zip(lines, derived, strict=True):
            self.derivation.derive(number, literals[at + 2 : middle], reasons[middle + 1 : end])

    def _number(self, clause: Integers) -> int:
        """The number of a derived clause: a new one, unless it was announced."""
        if len(clause) == 1 and int(clause[0]) in self._announced:
            return self._announced.pop(int(clause[0]))
        return self.derivation.announce()


def _additions(tokens: Integers) -> Iterator[tuple[int, int, int]]:
    """Where each line ``a number literals 0 reasons 0`` of a trace begins, and where its zeros are."""
    zeros = iter(np.flatnonzero(tokens == 0).tolist())
    at = 0
    for zero in zeros:
        if tokens[at] == ADDITION:
            end = next(zeros, len(tokens))
            if end < len(tokens):
                yield at, zero, end
        elif tokens[at] == DELETION:
            end = zero
        else:
            raise ProofError("the trace has a line of an unknown kind")
        at = end + 1
    if at != len(tokens):
        raise ProofError("the trace ends within a line")
