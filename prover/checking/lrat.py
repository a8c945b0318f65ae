"""Clausal proofs with their reasons (LRAT), for checkers that are themselves proved and search nothing.

A proof in DRAT says which clauses are added; one in LRAT also by which clauses, in which order, unit
propagation refutes the negation of each. Clauses are numbered from 1, those of the formula first, as
verified checkers number them.

Nothing here need be trusted: a wrong reason is one that a checker refuses. What is asked of it is speed:
two literals of each clause are watched, what follows from the clauses alone stays assigned, and the
reasons of a conflict are found from the last to the first.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import chain
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from spikeproof.prover.encoding.bitblast import Clauses
from spikeproof.prover.encoding.drat import ADDITION, DELETION, Integers, ProofError, lines, stretches

NONE = -1
"""No clause."""


class _State(NamedTuple):
    """What propagation works on; clauses by row, literals as DRAT numbers them, from 2.

    Attributes:
        literals: of all rows, one row after another; the first two of a row are watched.
        starts: where each row begins, and the end.
        alive: the rows that are not deleted.
        heads: the first watch of each literal; watch 2 r + p is of row r, place p.
        links: the watch of the same literal that follows each.
        values: of literals: 1 is true, -1 false, 0 open.
        reasons: by variable, the row that it was propagated by; none if it was assumed.
        trail: the literals that are true, in order.
        places: by variable, where it is in the trail.
        marks: by variable, the row for which it was last looked at.
    """

    literals: Integers
    starts: Integers
    alive: NDArray[np.bool_]
    heads: Integers
    links: Integers
    values: NDArray[np.int8]
    reasons: Integers
    trail: Integers
    places: Integers
    marks: Integers


@njit(cache=True)
def _assign(state: _State, literal: int, reason: int, size: int) -> int:
    """Make a literal true; returns the length of the trail."""
    state.values[literal] = 1
    state.values[literal ^ 1] = -1
    state.reasons[literal >> 1] = reason
    state.places[literal >> 1] = size
    state.trail[size] = literal
    return size + 1


@njit(cache=True)
def _watch(state: _State, row: int) -> int:
    """Watch two literals of a row, such as are not false if there are; returns how many are not."""
    first, end, fit = state.starts[row], state.starts[row + 1], 0
    for place in range(first, end):
        literal = state.literals[place]
        if state.values[literal] != -1:
            state.literals[place], state.literals[first + fit] = state.literals[first + fit], literal
            fit += 1
            if fit == 2:
                break
    if end - first > 1:
        for place in range(2):
            literal = state.literals[first + place]
            state.links[2 * row + place] = state.heads[literal]
            state.heads[literal] = 2 * row + place
    return fit


@njit(cache=True)
def _propagate(state: _State, size: int, done: int) -> tuple[int, int]:
    """Propagate what the trail has from ``done`` on.

    Returns:
        The length of the trail, and the row of which every literal is false, if one is.
    """
    literals, starts, heads, links = state.literals, state.starts, state.heads, state.links
    while done < size:
        false = state.trail[done] ^ 1
        done += 1
        before, watch = NONE, heads[false]
        while watch != NONE:
            row, after = watch >> 1, links[watch]
            first = starts[row]
            other = literals[first + 1 - (watch & 1)]
            stays = state.alive[row]
            if stays and state.values[other] != 1:
                for place in range(first + 2, starts[row + 1]):
                    literal = literals[place]
                    if state.values[literal] != -1:
                        literals[place], literals[first + (watch & 1)] = false, literal
                        links[watch], heads[literal] = heads[literal], watch
                        stays = False
                        break
                if stays and state.values[other] == -1:
                    return size, row
                if stays:
                    size = _assign(state, other, row, size)
            if stays:
                before = watch
            elif before == NONE:
                heads[false] = after
            else:
                links[before] = after
            watch = after
    return size, NONE


@njit(cache=True)
def _found(state: _State, conflict: int, mark: int, places: Integers) -> int:
    """How many variables a conflict rests on, but for those marked; where they are in the trail."""
    count, row, at = 0, conflict, 0
    while True:
        for place in range(state.starts[row], state.starts[row + 1]):
            variable = state.literals[place] >> 1
            if state.marks[variable] != mark:
                state.marks[variable] = mark
                places[count] = state.places[variable]
                count += 1
        if at == count:
            places[:count].sort()
            return count
        row = state.reasons[state.trail[places[at]] >> 1]
        at += 1


@njit(cache=True)
def _is_reason(state: _State, row: int) -> bool:
    """Whether a row is the reason of what is true."""
    for place in range(state.starts[row], state.starts[row + 1]):
        literal = state.literals[place]
        if state.values[literal] == 1 and state.reasons[literal >> 1] == row:
            return True
    return False


@njit(cache=True)
def _append(
    state: _State, conflict: int, mark: int, places: Integers, reasons: Integers, count: int
) -> tuple[Integers, int]:
    """The reasons with those of a conflict after them, and how many there are."""
    found = _found(state, conflict, mark, places)
    while count + found + 1 > len(reasons):
        reasons = np.concatenate((reasons, np.empty_like(reasons)))
    for place in range(found):
        reasons[count + place] = state.reasons[state.trail[places[place]] >> 1]
    reasons[count + found] = conflict
    return reasons, count + found + 1


@njit(cache=True)
def _denied(state: _State, row: int, size: int) -> tuple[int, int]:
    """Make all literals of a row false, and propagate; returns as ``_propagate``."""
    known, conflict = size, NONE
    first = known
    for literal in state.literals[state.starts[row] : state.starts[row + 1]]:
        state.marks[literal >> 1] = row
        place = state.places[literal >> 1]
        if state.values[literal] == 0:
            size = _assign(state, literal ^ 1, NONE, size)
        elif state.values[literal] == 1 and place < first:
            # Of those that are true already, the first became so without the others.
            first, conflict = place, state.reasons[literal >> 1]
    if conflict != NONE:
        return size, conflict
    return _propagate(state, size, known)


@njit(cache=True)
def _elaborate(state: _State, formula: int, deleted: Integers) -> tuple[int, bool, Integers, Integers]:
    """The reasons of every clause that is added, until the empty one follows.

    Args:
        formula: how many rows are those of the formula.
        deleted: of each row the one that it deletes, as ``_deleted``; where that must stay, it changes.

    Returns:
        The row at which it ended; whether the empty clause follows there; the reasons of all rows, and
        where each row's end; those of the empty clause come last.
    """
    rows = len(deleted)
    reasons, ends = np.empty(1 << 16, np.int64), np.zeros(rows + 1, np.int64)
    places = np.empty(len(state.trail), np.int64)
    size = count = 0
    for row in range(rows):
        ends[row] = count
        if deleted[row] != NONE:
            if _is_reason(state, deleted[row]):
                deleted[row] = row  # what rests on it stays
            else:
                state.alive[deleted[row]] = False
            continue
        known = size
        if row >= formula:
            size, conflict = _denied(state, row, size)
            if conflict == NONE:
                return row, False, reasons, ends
            reasons, count = _append(state, conflict, row, places, reasons, count)
            ends[row] = count
            for place in range(known, size):
                state.values[state.trail[place]] = state.values[state.trail[place] ^ 1] = 0
            size = known
        fit = _watch(state, row)
        conflict = NONE if fit else row
        if fit == 1 and state.values[state.literals[state.starts[row]]] == 0:
            size = _assign(state, state.literals[state.starts[row]], row, size)
        if fit and row >= formula - 1:
            size, conflict = _propagate(state, size, known if row >= formula else 0)
        if conflict != NONE:
            reasons, count = _append(state, conflict, rows, places, reasons, count)
            ends[rows] = count
            return row, True, reasons, ends
    return rows, False, reasons, ends


def elaborated(clauses: Clauses, proof: bytes) -> Integers:
    """A proof in binary DRAT as numbers of binary LRAT.

    Of LRAT there are ``a NUMBER LITERALS 0 REASONS 0`` and ``d NUMBERS 0``, in which a number n is 2 n.
    Literals ascend. The numbers of clauses leave gaps.

    Raises:
        ProofError: if it cannot be read, or a clause does not follow by unit propagation.
    """
    given = np.fromiter(chain.from_iterable(clauses), np.int64)
    variables = int(abs(given).max(initial=0)) + 1
    lengths = np.fromiter(map(len, clauses), np.int64)
    kinds, numbers, counts = lines(proof)
    if numbers.max(initial=0) >= 2 * variables:
        raise ProofError("it has a variable that the clauses have not")
    literals, starts = _rows(
        np.concatenate([2 * abs(given) + (given < 0), numbers]), np.concatenate([lengths, counts])
    )
    deleted = _deleted(literals, starts, np.flatnonzero(kinds == DELETION) + len(clauses))
    rows = len(starts) - 1
    state = _State(
        literals=literals.copy(),
        starts=starts,
        alive=np.ones(rows, dtype=bool),
        heads=np.full(2 * variables, NONE),
        links=np.full(2 * rows, NONE),
        values=np.zeros(2 * variables, dtype=np.int8),
        reasons=np.full(variables, NONE),
        trail=np.zeros(variables, dtype=np.int64),
        places=np.zeros(variables, dtype=np.int64),
        marks=np.full(variables, NONE),
    )
    last, refuted, reasons, ends = _elaborate(state, len(clauses), deleted)
    if not refuted:
        what = f"line {last - len(clauses) + 1}" if last < rows else "the empty clause"
        raise ProofError(f"{what} does not follow by unit propagation")
    return _text(literals, starts, deleted[: last + 1], len(clauses), 2 * reasons + 2, ends)


def _text(
    literals: Integers,
    starts: Integers,
    deleted: Integers,
    formula: int,
    reasons: Integers,
    ends: Integers,
) -> Integers:
    """The lines of a proof, and the last one, of the empty clause."""
    rows = np.arange(formula, len(deleted))
    added, removed = rows[deleted[rows] == NONE], rows[(deleted[rows] != NONE) & (deleted[rows] != rows)]
    first, last = ends[added - 1], ends[added]
    literal_counts = (starts[1:] - starts[:-1])[added]
    lengths = np.zeros(len(deleted), dtype=np.int64)
    lengths[added] = literal_counts + last - first + 4
    lengths[removed] = 3
    begins = np.cumsum(lengths) - lengths
    text = np.zeros(lengths.sum(), dtype=np.int64)
    text[begins[added]], text[begins[removed]] = ADDITION, DELETION
    text[begins[added] + 1], text[begins[removed] + 1] = 2 * added + 2, 2 * deleted[removed] + 2
    text[stretches(begins[added] + 2, begins[added] + 2 + literal_counts)] = literals[
        stretches(starts[added], starts[added + 1])
    ]
    end = begins[added] + lengths[added] - 1
    text[stretches(end - (last - first), end)] = reasons[stretches(first, last)]
    empty = reasons[ends[len(deleted) - 1] : ends[-1]]
    return np.concatenate([text, [ADDITION, 2 * len(ends), 0], empty, [0]])


def _rows(literals: Integers, lengths: Integers) -> tuple[Integers, Integers]:
    """Rows with literals in ascending order, each once: all of them, and where each row begins."""
    keys = np.sort(np.repeat(np.arange(len(lengths)), lengths) << 36 | literals)
    keys = keys[np.diff(keys, prepend=-1) > 0]
    return keys & (1 << 36) - 1, np.searchsorted(keys >> 36, np.arange(len(lengths) + 1))


def _deleted(literals: Integers, starts: Integers, deletions: Integers) -> Integers:
    """For each row the one that it deletes: itself if there is none such, ``NONE`` if it is a clause."""
    deleted = np.full(len(starts) - 1, NONE)
    deleted[deletions] = deletions
    known: defaultdict[bytes, list[int]] = defaultdict(list)
    content, bounds = literals.tobytes(), (literals.itemsize * starts).tolist()
    for row, target in enumerate(deleted.tolist()):
        same = known[content[bounds[row] : bounds[row + 1]]]
        if target == NONE:
            same.append(row)
        elif same:
            deleted[row] = same.pop()
    return deleted


def as_text(numbers: Integers) -> str:
    """Numbers of binary LRAT as its text."""
    text, last = [], 0
    ends = iter(np.flatnonzero(numbers == 0).tolist())
    start = 0
    signed = np.where(numbers & 1, -(numbers >> 1), numbers >> 1).tolist()
    for end in ends:
        if numbers[start] == DELETION:
            words = [last, "d", *signed[start + 1 : end + 1]]
        else:
            last = signed[start + 1]
            words = signed[start + 1 : (end := next(ends)) + 1]
        text.append(" ".join(map(str, words)))
        start = end + 1
    return "\n".join([*text, ""])
