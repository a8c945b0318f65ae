"""From one violating input to the simplest that can be found, and to how many fail.

Where all inputs can be enumerated they are, so that the simplest is the simplest of all and failures are
counted. Elsewhere a sample is drawn by class, and the search is greedy: nothing simpler is one or two
changes away. Both evaluate the claim's formulas, and where inputs are many only on those that fail when
circuit and spec are compiled; whoever uses the outcome replays it.

*Simplest* means, in this order: the fewest infinities and NaNs; the fewest bits set in signs and
fractions, or in operands that are no floating-point codes; exponents near that of 1; small codes.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations, product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pysmt.fnode import FNode
from pysmt.shortcuts import And, Not

from spikeproof.circuits.meanings import matrices
from spikeproof.circuits.meanings.boolean import unpack_words, word_type
from spikeproof.circuits.netlist import Netlist
from spikeproof.prover.claims.blocked import in_blocks
from spikeproof.prover.claims.bounded import BoundedClaim
from spikeproof.prover.claims.obligation import Claim, Obligation
from spikeproof.prover.claims.tabulated import TabulatedClaim
from spikeproof.prover.encoding.evaluation import Evaluation
from spikeproof.prover.encoding.tables import compared
from spikeproof.prover.refutation.comparison import SIDES, column
from spikeproof.prover.refutation.drawing import (
    COMPILED_BITS,
    DRAWN,
    ENUMERATED_BITS,
    MOST_BITS,
    every_input_or_some,
    far_apart,
)
from spikeproof.prover.refutation.rails import completed, free_widths
from spikeproof.prover.refutation.signalling import has_flags
from spikeproof.prover.refutation.tally import CLASSES, Counts, Formats, Tally, classes, count, count_all
from spikeproof.specs import exact
from spikeproof.specs.formats import AnyFormat, Format

_VIOLATED, _POSSIBLE = "violated", "possible"
_CONTRADICTION = "the circuit's formulas and the compiled circuit contradict each other"

Cases = Mapping[str, NDArray[Any]]
Inputs = Mapping[str, int]


@dataclass(frozen=True)
class Refutation:
    """A violating input, and in words which inputs fail; no words where that could not be told.

    Attributes:
        counted: whether the words are about all inputs, not about a sample.
    """

    inputs: Inputs
    failures: str = ""
    counted: bool = False


def violating(obligation: Obligation, claim: Claim) -> Inputs | None:
    """An input that violates a claim, if one of all, where they are few, or of some drawn does."""
    try:
        evaluation = _Evaluation(claim, _VIOLATED)
    except ValueError:  # an operator that only z3 knows
        return None
    widths, formats = free_widths(claim), _formats(obligation)
    cases, every = every_input_or_some(widths, formats)
    for tried in filter(None, (cases, {} if every else far_apart(widths, formats))):
        for index in np.flatnonzero(evaluation.evaluate(tried)[_VIOLATED])[:1]:
            return completed(claim, {name: int(codes[index]) for name, codes in tried.items()})
    return None


def minimised(
    obligation: Obligation, claim: Claim, inputs: Inputs, netlist: Netlist | None = None
) -> Refutation:
    """The simplest violating input that is found from one, whatever that is.

    Args:
        inputs: violate the claim.
        netlist: the circuit that the claim is about, if it is about one.

    Raises:
        RuntimeError: if formulas and compiled circuit contradict each other.
    """
    try:
        evaluation = _Evaluation(claim)
    except ValueError:  # an operator that only z3 knows
        return Refutation(inputs)
    formats, widths = _formats(obligation), free_widths(claim)
    operands = {name: formats[name] for name in widths if name in formats}
    tried = _tried(evaluation, claim, netlist, formats)
    outputs = claim.outputs
    results = {name: formats[name] for name in outputs if name in formats}
    tally = Tally(tried.counts, operands, results, has_flags(obligation, outputs))
    search = _Search(evaluation, widths, formats)
    best: Inputs = {name: inputs[name] for name in widths}
    met = not tried.every  # the given input, if all were tried
    for failing in tried.failing:
        values = evaluation.evaluate(failing)
        if not values[_VIOLATED].all():
            raise RuntimeError(_CONTRADICTION)
        met |= bool(np.all([codes == inputs[name] for name, codes in failing.items()], axis=0).any())
        circuit, spec = ({n: values[column(side, n)] for n in outputs} for side in SIDES)
        tally.add(failing, circuit, spec)
        best = search.simplest(best, failing)
    if not met:
        raise RuntimeError(_CONTRADICTION)
    if not tried.every:
        best = search.descend(search.simplest_near_one(best))
    proviso = " that satisfy the assumptions" if claim.assumptions else ""
    words = tally.in_words(tried.every, proviso, _advice(claim, netlist))
    tells = tried.every or tried.counts.sum() > 1  # else they are of the input alone that is shown
    return Refutation(completed(claim, best), words if tells else "", tried.every)


def simplest_by_class(
    obligation: Obligation, claim: Claim, inputs: Inputs, netlist: Netlist
) -> dict[str, Inputs]:
    """The simplest violating input that is found of each combination of the operands' classes.

    Those that most of them are of come first.

    Args:
        inputs: violate the claim, and are among those that are looked at.
    """
    evaluation, formats, widths = _Evaluation(claim), _formats(obligation), free_widths(claim)
    operands = [name for name in widths if name in formats]
    best: dict[tuple[int, ...], Inputs] = {}
    counts: Counter[tuple[int, ...]] = Counter()
    given = {name: np.array([inputs[name]], word_type(width)) for name, width in widths.items()}
    for failing in (given, *_tried(evaluation, claim, netlist, formats).failing):
        kinds = np.array([classes(failing[name], formats[name]) for name in operands])
        for kind in {tuple(each) for each in kinds.T.tolist()}:
            alike = np.all(np.equal(kinds.T, kind), axis=1)
            counts[kind] += int(alike.sum())
            cases = {name: codes[alike] for name, codes in failing.items()}
            if kind in best:
                cases = {
                    name: np.append(codes, np.array([best[kind][name]], codes.dtype))
                    for name, codes in cases.items()
                }
            place = place_of_simplest(cases, widths, formats)
            best[kind] = {name: int(codes[place]) for name, codes in cases.items()}
    return {
        ", ".join(
            f"{name} {CLASSES[place]}" for name, place in zip(operands, kind, strict=True)
        ): completed(claim, best[kind])
        for kind, _ in counts.most_common()
    }


@dataclass(frozen=True)
class _Tried:
    """Inputs that were tried.

    Attributes:
        counts: how many of them satisfy the assumptions, by class.
        failing: those that violate the claim, in batches.
        every: whether all inputs were tried.
    """

    counts: Counts
    failing: Iterable[Cases]
    every: bool


class _Evaluation:
    """What becomes of a claim for values of its inputs, complements aside."""

    def __init__(self, claim: Claim, *columns: str) -> None:
        self._claim = claim
        if not isinstance(claim, TabulatedClaim):
            formulas = _formulas(claim)
            self._formulas = Evaluation({n: formulas[n] for n in columns or formulas})

    def evaluate(self, cases: Cases) -> Cases:
        """Whether each violates the claim or could, and the outputs of both sides, by name."""
        inputs = completed(self._claim, cases)
        if not isinstance(self._claim, TabulatedClaim):
            return self._formulas.evaluate(inputs)
        found = compared(self._claim, inputs, matrices.evaluate)
        outputs = {
            column(side, name): codes
            for side, buses in zip(SIDES, (found.circuit, found.table), strict=True)
            for name, codes in buses.items()
        }
        return {_VIOLATED: found.violated, _POSSIBLE: found.possible, **outputs}


def _tried(evaluation: _Evaluation, claim: Claim, netlist: Netlist | None, formats: Formats) -> _Tried:
    widths = free_widths(claim)
    operands = {name: formats[name] for name in widths if name in formats}
    formulas = not in_blocks(claim) and not isinstance(claim, BoundedClaim)
    of_all_inputs = claim.outputs and not claim.assumptions and formulas
    if netlist and of_all_inputs and ENUMERATED_BITS < netlist.input_count <= COMPILED_BITS:
        from spikeproof.prover.refutation.exhaustion import every_failing  # loads LLVM

        return _Tried(count_all(widths, operands), every_failing(claim, netlist), every=True)
    cases, every = every_input_or_some(widths, formats)
    values = evaluation.evaluate(cases)
    possible, violated = (values[name].astype(bool) for name in (_POSSIBLE, _VIOLATED))
    codes = [cases[name][possible] for name in operands]
    counts = count(int(possible.sum()), codes, list(operands.values()))
    failing = {name: codes[violated] for name, codes in cases.items()}
    return _Tried(counts, [failing] if violated.any() else [], every)


def _advice(claim: Claim, netlist: Netlist | None) -> str:
    """What to say of a sample."""
    formulas = not isinstance(claim, TabulatedClaim)
    countable = formulas and netlist and claim.outputs and netlist.input_count <= MOST_BITS
    them_all = ": `spikeproof exhaust` counts them" if countable else ""
    return f"a sample, not a count of all{them_all}"


def _formats(obligation: Obligation) -> Formats:
    return obligation.reading.formats if obligation.reading else {}


def _formulas(claim: Claim) -> dict[str, FNode]:
    """Whether an input violates the claim or could, and the outputs of both sides, by name."""
    possible = And(*claim.assumptions)
    outputs = {
        column(side, name): formula
        for side, buses in zip(SIDES, (claim.actual, claim.expected), strict=True)
        for name, formula in buses.items()
    }
    return {_VIOLATED: And(possible, Not(claim.goal)), _POSSIBLE: possible, **outputs}


# --- simplicity ---------------------------------------------------------------------------------


def place_of_simplest(cases: Cases, widths: Mapping[str, int], formats: Formats) -> int:
    """The place of the simplest of some inputs, of buses of these widths."""
    ranks = np.zeros(len(next(iter(cases.values()))), dtype=np.int64)
    for name, width in widths.items():
        ranks += _ranks(cases[name], width, formats.get(name))
    tied = (int(index) for index in np.flatnonzero(ranks == ranks.min()))
    return min(tied, key=lambda index: tuple(int(codes[index]) for codes in cases.values()))


class _Search:
    def __init__(self, evaluation: _Evaluation, widths: Mapping[str, int], formats: Formats) -> None:
        self._evaluation = evaluation
        self._widths = widths
        self._formats = formats

    def simplest(self, given: Inputs, failing: Cases) -> Inputs:
        """The simplest of a violating input and others."""
        together = {
            name: np.append(codes, np.array([given[name]], dtype=codes.dtype))
            for name, codes in failing.items()
        }
        index = place_of_simplest(together, self._widths, self._formats)
        return {name: int(codes[index]) for name, codes in together.items()}

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
            name: np.array([case[name] for case in others], dtype=word_type(width))
            for name, width in self._widths.items()
        }
        violated = self._evaluation.evaluate(cases)[_VIOLATED].astype(bool)
        return self.simplest(given, {name: codes[violated] for name, codes in cases.items()})

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


def _ranks(codes: NDArray[Any], width: int, fmt: AnyFormat | None) -> NDArray[np.int64]:
    """What each code adds to how far from simple an input is: most significant what is named first."""
    bits = unpack_words(codes, width)
    if not isinstance(fmt, Format):
        return np.asarray(bits.sum(axis=0) << 20, dtype=np.int64)
    field = codes >> fmt.fraction_bits & (1 << fmt.exponent_bits) - 1
    special = np.isin(classes(codes, fmt), [CLASSES.index(name) for name in ("infinity", "nan")])
    digits = bits[-1] + bits[: fmt.fraction_bits].sum(axis=0)
    distance = np.abs(field.astype(np.int64) - fmt.bias)
    return np.asarray((special.astype(np.int64) << 40) + (digits << 20) + distance, dtype=np.int64)
