"""From one violating input to the simplest that can be found, and to which inputs fail.

Where all inputs can be enumerated they are, so that the simplest is the simplest of all and failures are
counted. Elsewhere a sample is drawn by class, and the search is greedy: nothing simpler is one or two
changes away. Both evaluate the claim's formulas; whoever uses the outcome replays it.

*Simplest* means, in this order: the fewest infinities and NaNs; the fewest bits set in signs and
fractions, or in operands that are no floating-point codes; exponents near that of 1; small codes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import combinations, product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pysmt.fnode import FNode
from pysmt.shortcuts import And, Not

from circuits.boolean import unpack_words
from prover.drawing import DRAWN, every_input_or_some
from prover.evaluation import Evaluation
from prover.obligation import Claim, Obligation
from specs import exact
from specs.formats import Format, Integer

SHOWN_CLASSES = 6
"""How many classes of inputs are worth a reader's time."""

CLASSES = ("zero", "subnormal", "normal", "infinity", "nan", "negative", "positive")
"""Floating-point codes are of the first five classes, integers of zero and the last two."""

_VIOLATED, _POSSIBLE = "violated", "possible"

Formats = Mapping[str, Format | Integer]
Cases = Mapping[str, NDArray[Any]]
Inputs = Mapping[str, int]


@dataclass(frozen=True)
class Refutation:
    """A violating input, and in words which inputs fail; no words where that could not be told."""

    inputs: Inputs
    failures: str = ""


def violating(obligation: Obligation, claim: Claim) -> Inputs | None:
    """An input that violates a claim, if one of all, where they are few, or of some drawn does."""
    try:
        evaluation = Evaluation({_VIOLATED: _formulas(claim)[_VIOLATED]})
    except ValueError:  # an operator that only z3 knows
        return None
    cases, _ = every_input_or_some(_widths(claim), _formats(obligation))
    for index in np.flatnonzero(evaluation.evaluate(cases)[_VIOLATED])[:1]:
        return {name: int(codes[index]) for name, codes in cases.items()}
    return None


def minimised(obligation: Obligation, claim: Claim, inputs: Inputs) -> Refutation:
    """The simplest violating input that is found from a given one, the same each time."""
    try:
        evaluation = Evaluation(_formulas(claim))
    except ValueError:  # an operator that only z3 knows
        return Refutation(inputs)
    formats, widths = _formats(obligation), _widths(claim)
    cases, counted = every_input_or_some(widths, formats)
    values = evaluation.evaluate(cases)
    search = _Search(evaluation, widths, formats)
    best = search.simplest(inputs, cases, values[_VIOLATED])
    if not counted:
        best = search.descend(search.simplest_near_one(best))
    return Refutation(best, _failures(claim, formats, cases, values, counted))


def _formats(obligation: Obligation) -> Formats:
    return obligation.reading.formats if obligation.reading else {}


def _widths(claim: Claim) -> dict[str, int]:
    return {name: symbol.bv_width() for name, symbol in claim.inputs.items()}


def _formulas(claim: Claim) -> dict[str, FNode]:
    """Whether an input violates the claim or could, and the outputs of both sides, by name."""
    possible = And(*claim.assumptions)
    outputs = {
        _side(side, name): formula
        for side, buses in (("circuit", claim.actual), ("spec", claim.expected))
        for name, formula in buses.items()
    }
    return {_VIOLATED: And(possible, Not(claim.goal)), _POSSIBLE: possible, **outputs}


def _side(side: str, name: str) -> str:
    return f"{side} {name}"  # no bus has a space in its name


# --- simplicity ---------------------------------------------------------------------------------


class _Search:
    def __init__(self, evaluation: Evaluation, widths: Mapping[str, int], formats: Formats) -> None:
        self._evaluation = evaluation
        self._widths = widths
        self._formats = formats

    def simplest(self, given: Inputs, cases: Cases, violated: NDArray[Any]) -> Inputs:
        """The simplest of a violating input and those cases that violate the claim too."""
        failing = violated.astype(bool)
        together = {
            name: np.append(codes[failing], np.array([given[name]], dtype=codes.dtype))
            for name, codes in cases.items()
        }
        ranks = np.zeros(int(failing.sum()) + 1, dtype=np.int64)
        for name, width in self._widths.items():
            ranks += _ranks(together[name], width, self._formats.get(name))
        tied = np.flatnonzero(ranks == ranks.min())
        return min(
            ({name: int(codes[index]) for name, codes in together.items()} for index in tied),
            key=lambda inputs: tuple(inputs.values()),
        )

    def simplest_near_one(self, given: Inputs) -> Inputs:
        """The same among operands of the exponent of 1 with few bits set: all that ``DRAWN`` allows."""
        formats = [self._formats.get(name) for name in self._widths]
        floating = [fmt for fmt in formats if isinstance(fmt, Format)]
        if len(floating) < len(formats):
            return given
        best: list[list[int]] = []
        for most in range(max(fmt.fraction_bits for fmt in floating) + 1):
            choices = [list(_near_one(fmt, most)) for fmt in floating]
            if math.prod(map(len, choices)) > DRAWN:
                break
            best = choices
        near: list[Inputs] = [dict(zip(self._widths, codes, strict=True)) for codes in product(*best)]
        return self._simplest_among(given, near)

    def descend(self, inputs: Inputs) -> Inputs:
        """Simplified until no change of one or two operands makes it simpler."""
        neighbourhoods = (self._by_one_change, self._by_two_changes)
        while True:
            for neighbours in neighbourhoods:
                simpler = self._simplest_among(inputs, list(neighbours(inputs)))
                if simpler != inputs:
                    inputs = simpler
                    break
            else:
                return inputs

    def _simplest_among(self, given: Inputs, others: list[Inputs]) -> Inputs:
        if not others:
            return given
        cases = {
            name: np.array([case[name] for case in others], dtype=_word(width))
            for name, width in self._widths.items()
        }
        return self.simplest(given, cases, self._evaluation.evaluate(cases)[_VIOLATED])

    def _changes(self, inputs: Inputs, name: str) -> set[int]:
        fmt, code = self._formats.get(name), inputs[name]
        cleared = {code & ~(1 << place) for place in range(self._widths[name])} | {0, 1, code >> 1}
        return (cleared | _simpler_numbers(fmt, code) if isinstance(fmt, Format) else cleared) - {code}

    def _by_one_change(self, inputs: Inputs) -> Iterator[Inputs]:
        for name in inputs:
            for code in self._changes(inputs, name):
                yield {**inputs, name: code}

    def _by_two_changes(self, inputs: Inputs) -> Iterator[Inputs]:
        for pair in combinations(inputs, 2):
            choices = (self._changes(inputs, name) for name in pair)
            for codes in (*product(*choices), *self._exponents_together(inputs, pair)):
                yield {**inputs, **dict(zip(pair, codes, strict=True))}

    def _exponents_together(self, inputs: Inputs, pair: tuple[str, str]) -> Iterator[tuple[int, ...]]:
        """Both exponents moved by as much, or by as much in opposite directions, until one is 0."""
        formats = [self._formats.get(name) for name in pair]
        first, second = formats
        if not (isinstance(first, Format) and isinstance(second, Format)):
            return
        x, y = (inputs[name] for name in pair)
        for distance in {_from_one(first, x), _from_one(second, y)}:
            for sign_x, sign_y in product((-1, 1), repeat=2):
                yield _moved(first, x, sign_x * distance), _moved(second, y, sign_y * distance)


def _word(width: int) -> type[Any]:
    return np.uint64 if width <= 64 else object


def _near_one(fmt: Format, most: int) -> Iterator[int]:
    """The codes from 1 to below 2 with at most so many fraction bits set."""
    for bits in range(min(most, fmt.fraction_bits) + 1):
        for places in combinations(range(fmt.fraction_bits), bits):
            yield (fmt.bias << fmt.fraction_bits) + sum(1 << place for place in places)


def _field(fmt: Format, code: int) -> int:
    return exact.fields(fmt, code)[1]


def _from_one(fmt: Format, code: int) -> int:
    """How far an exponent is above that of 1."""
    return _field(fmt, code) - fmt.bias


def _moved(fmt: Format, code: int, by: int) -> int:
    """A code with its exponent field moved, as far as the format goes."""
    field = min(max(_field(fmt, code) + by, 0), (1 << fmt.exponent_bits) - 1)
    return code + (field - _field(fmt, code) << fmt.fraction_bits)


def _simpler_numbers(fmt: Format, code: int) -> set[int]:
    """Other codes that may be simpler: nearer exponents, no fraction, 1, the smallest numbers."""
    away = _from_one(fmt, code)
    moves = {-away, -(away // 2), 1, -1}
    last = (1 << fmt.fraction_bits) - 1
    landmarks = {fmt.bias << fmt.fraction_bits, 1 << fmt.fraction_bits, 1, 0}
    return {code & ~last, *(_moved(fmt, code, by) for by in moves), *landmarks}


def _ranks(codes: NDArray[Any], width: int, fmt: Format | Integer | None) -> NDArray[np.int64]:
    """What each code adds to how far from simple an input is: most significant what is named first."""
    bits = unpack_words(codes, width)
    if not isinstance(fmt, Format):
        return np.asarray(bits.sum(axis=0) << 20, dtype=np.int64)
    exponent = codes.astype(np.int64) >> fmt.fraction_bits & (1 << fmt.exponent_bits) - 1
    special = np.isin(_classes(codes, fmt), [CLASSES.index(name) for name in ("infinity", "nan")])
    digits = bits[-1] + bits[: fmt.fraction_bits].sum(axis=0)
    distance = np.abs(exponent - fmt.bias)
    return np.asarray((special.astype(np.int64) << 40) + (digits << 20) + distance, dtype=np.int64)


# --- classes ------------------------------------------------------------------------------------


def _failures(claim: Claim, formats: Formats, cases: Cases, values: Cases, counted: bool) -> str:
    """Which inputs fail, in words: how many, of which classes, and what becomes of them."""
    failing, possible = values[_VIOLATED].astype(bool), values[_POSSIBLE].astype(bool)
    fail, total = int(failing.sum()), int(possible.sum())
    proviso = " that satisfy the assumptions" if claim.assumptions else ""
    if counted:
        title = f"fails on {fail:,} of all {total:,} inputs{proviso}"
    else:
        title = (
            f"of {total:,} inputs drawn by class{proviso}, {fail:,} fail (a sample, not a count of all)"
        )
    operands = {name: formats[name] for name in cases if name in formats}
    results = {name: formats[name] for name in claim.expected if name in formats}
    lines = []
    if fail and operands:
        classes = [_classes(cases[name], fmt) for name, fmt in operands.items()]
        lines += _table(classes, [f"{name} {{}}" for name in operands], failing, possible)
    for name, fmt in results.items() if fail else ():
        both = [_classes(values[_side(side, name)][failing], fmt) for side in ("circuit", "spec")]
        lines += _table(both, [f"{name} {{}}", "should be {}"], np.ones(fail, dtype=bool))
    return "\n".join([title + (":" if lines else ""), *lines])


def _table(
    classes: list[NDArray[np.intp]],
    wording: list[str],
    failing: NDArray[np.bool_],
    of: NDArray[np.bool_] | None = None,
) -> list[str]:
    """A line for each combination of classes that fails, the most frequent first.

    Args:
        of: the cases that the failing ones are a part of, if their number is to be told.
    """
    shape = (len(CLASSES),) * len(classes)
    combined = np.ravel_multi_index(tuple(classes), shape)
    counts = np.bincount(combined[failing], minlength=len(CLASSES) ** len(classes))
    totals = np.bincount(combined[of], minlength=len(counts)) if of is not None else None
    order = [int(index) for index in np.argsort(-counts, kind="stable") if counts[index]]
    lines = []
    for index in order[:SHOWN_CLASSES]:
        names = (CLASSES[place] for place in np.unravel_index(index, shape))
        label = ", ".join(text.format(name) for text, name in zip(wording, names, strict=True))
        share = f" of {totals[index]:,}" if totals is not None else ""
        lines.append(f"  {label}: {counts[index]:,}{share}")
    if len(order) > SHOWN_CLASSES:
        rest = sum(int(counts[index]) for index in order[SHOWN_CLASSES:])
        lines.append(f"  and {rest:,} in {len(order) - SHOWN_CLASSES} more classes")
    return lines


def _classes(codes: NDArray[Any], fmt: Format | Integer) -> NDArray[np.intp]:
    """The class of each code, as its place in ``CLASSES``."""
    distinct, where = np.unique(codes, return_inverse=True)
    names = [_class(fmt, int(code)) for code in distinct]
    places: NDArray[np.intp] = np.array([CLASSES.index(name) for name in names], dtype=np.intp)[where]
    return places


@cache
def _class(fmt: Format | Integer, code: int) -> str:
    if isinstance(fmt, Format):
        return exact.classify(fmt, code)
    value = exact.decode_integer(fmt, code)
    return "zero" if value.is_zero else "negative" if value.sign else "positive"
