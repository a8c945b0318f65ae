"""Where a circuit is refuted: for which inputs it is right all the same, proved.

Some inputs are drawn by class, and those that fail are covered by conditions in the spec's own terms
(``prover.claims.regions``) with as few right ones as can be. Outside of these, the theorem is then put
to the engines. What they show to fail is one more input to be covered, and so on. The end is a theorem
of its own, by name, which others can prove and verify.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pysmt.shortcuts import And

from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.netlist import Netlist
from spikeproof.prover.claims.environment import passing_formulas
from spikeproof.prover.claims.obligation import Claim, Obligation
from spikeproof.prover.claims.regions import (
    AND,
    ANY,
    Condition,
    Conditions,
    except_where,
    stated_at_once,
)
from spikeproof.prover.encoding.evaluation import Evaluation
from spikeproof.prover.evidence.record import SEED
from spikeproof.prover.refutation.comparison import SIDES, Comparison, column
from spikeproof.prover.refutation.drawing import every_input_or_some, inputs_by_class
from spikeproof.prover.refutation.minimisation import place_of_simplest
from spikeproof.prover.running.discharge import discharge
from spikeproof.specs.formats import Format

REGION_SECONDS = 60.0
"""How long regions are looked for, and proved, for one verdict."""

TRIED = 1 << 15
"""How many inputs are drawn where there are too many to try them all."""

MOST_WORDS = 4
"""A region of more exceptions is none that would help anybody."""

LEAST = 0.1
"""Of the right inputs whose operands and results are normal numbers a region has at least so many."""

A_WORD = 0.01
"""Of all right inputs, so many may be left out if that saves a word."""

Bits = NDArray[np.bool_]


@dataclass(frozen=True)
class Region:
    """For which inputs a circuit is right.

    Attributes:
        theorem: that it is right for them, by its name.
        proved: whether this is.
        words: what is known of it, and inputs outside that fail.
    """

    theorem: str
    proved: bool
    words: str


def widest_region(
    obligation: Obligation,
    netlist: Netlist,
    counterexample: Mapping[str, int] | None = None,
    seconds: float = REGION_SECONDS,
) -> Region | None:
    """The widest region found on which a refuted circuit is proved right, or seems to be.

    Args:
        counterexample: an input that fails.
        seconds: that the search may take, proofs included.

    Returns:
        None if the spec is not about floating-point numbers, or no few of its terms tell right from
        wrong inputs.
    """
    formats = obligation.reading.formats if obligation.reading else {}
    if not any(isinstance(formats.get(name), Format) for name in netlist.inputs):
        return None
    until = time.monotonic() + seconds
    with passing_formulas():
        sample = _Sample.of(obligation, netlist)
        if counterexample:
            sample = sample.with_input(counterexample)
        while words := sample.cover():
            theorem = except_where(obligation, words)
            left = until - time.monotonic()
            record = discharge(theorem, left, netlist, enumerating=False) if left > 0 else None
            if record and record.counterexample:
                sample = sample.with_input(record.counterexample)
                continue
            proved = record is not None and record.green
            how = "proved" if proved else "a sample was tried, but there was no time for a proof"
            title = f"it is right except where {'; or '.join(sample.in_words(words))}: {how}"
            text = "\n".join((title, f"  {theorem.name}", *sample.outside(words)))
            return Region(theorem.name, proved, text)
    return None


@dataclass(frozen=True)
class _Sample:
    """A circuit on some inputs.

    Attributes:
        claim: what is claimed of its outputs.
        conditions: what can be said of inputs.
        inputs: by name of the bus.
        results: codes of the outputs of both sides, by column.
        failing, right: of those that satisfy the claim's assumptions, which violate it, and the rest.
        ordinary: which of them have normal operands and results.
        met: where each condition that is tried holds, by its word.
    """

    netlist: Netlist
    claim: Claim
    formats: Mapping[str, Any]
    conditions: Conditions
    inputs: Mapping[str, NDArray[Any]]
    results: Mapping[str, NDArray[Any]]
    failing: Bits
    right: Bits
    ordinary: Bits
    met: Mapping[str, Bits]

    @classmethod
    def of(cls, obligation: Obligation, netlist: Netlist) -> _Sample:
        formats = obligation.reading.formats if obligation.reading else {}
        claim = stated_at_once(obligation, netlist)
        inputs, every = every_input_or_some(netlist.inputs, formats)
        if not every:
            more = inputs_by_class(netlist.inputs, formats, TRIED, SEED + 1)
            inputs = {name: np.concatenate([codes, more[name]]) for name, codes in inputs.items()}
        return cls._on(netlist, claim, formats, inputs)

    @classmethod
    def _on(
        cls,
        netlist: Netlist,
        claim: Claim,
        formats: Mapping[str, Any],
        inputs: Mapping[str, NDArray[Any]],
    ) -> _Sample:
        conditions = Conditions(claim, formats)
        asked = {_POSSIBLE: And(claim.assumptions), _ORDINARY: conditions.ordinary()}
        found = Evaluation({**claim.expected, **asked}).evaluate(inputs)
        possible, ordinary = (found.pop(name).astype(bool) for name in asked)
        spec = {column(SIDES[1], name): codes for name, codes in found.items()}
        made = boolean.evaluate(netlist, inputs)
        circuit = {column(SIDES[0], name): codes for name, codes in made.items()}
        differ = Comparison(claim, netlist.output_widths).differ({**inputs, **circuit, **spec})
        failing, right = differ & possible, ~differ & possible
        results, met = {**circuit, **spec}, _met(conditions, inputs, failing)
        return cls(
            netlist, claim, formats, conditions, inputs, results, failing, right, right & ordinary, met
        )

    def with_input(self, given: Mapping[str, int]) -> _Sample:
        """The circuit on one more input."""
        more = {
            name: np.append(codes, np.array([given[name]], codes.dtype))
            for name, codes in self.inputs.items()
        }
        return self._on(self.netlist, self.claim, self.formats, more)

    def cover(self) -> list[str]:
        """Words of which all failing inputs meet one, as few as can be, and that few right inputs meet.

        None if that takes more than ``MOST_WORDS``, or leaves less than ``LEAST``.
        """
        if not self.failing.any():
            return []
        words = _without_needless(self._greedily(), self.failing, self.met)
        whole = [word for word, holds in self.met.items() if not (self.failing & ~holds).any()]
        words = min([words, *([word] for word in whole)], key=self._cost)
        remaining = self.ordinary & ~self._together(words)
        wide_enough = remaining.sum() > LEAST * self.ordinary.sum()
        return words if len(words) <= MOST_WORDS and wide_enough else []

    def _greedily(self) -> list[str]:
        """Words that cover all failing inputs: each the most, for what it costs, of what is left."""
        chosen: list[str] = []
        left = self.failing.copy()
        while left.any():
            so_far = self._cost(chosen)
            gains = {word: int((holds & left).sum()) for word, holds in self.met.items()}
            chosen.append(
                max(
                    (word for word, gain in gains.items() if gain),
                    key=lambda word: gains[word] / (self._cost([*chosen, word]) - so_far),
                )
            )
            left &= ~self.met[chosen[-1]]
        return chosen

    def _cost(self, words: Sequence[str]) -> float:
        """How many right inputs are left out, and a price for each word."""
        right, count = self.right, sum(1 + word.count(AND) for word in words)
        return float((self._together(words) & right).sum() + A_WORD * count * (1 + right.sum()))

    def _together(self, words: Sequence[str]) -> Bits:
        met = [np.zeros_like(self.failing), *(self.met[word] for word in words)]
        return np.asarray(np.any(met, axis=0), dtype=np.bool_)

    def in_words(self, words: Iterable[str]) -> list[str]:
        """Conditions, as people say them."""
        return [self.conditions.named(word).in_words for word in words]

    def outside(self, words: Iterable[str]) -> Iterator[str]:
        """The simplest input that fails for each reason and none before, and what is made of it."""
        left = self.failing.copy()
        for word in words:
            fails = np.flatnonzero(left & self.met[word])
            left &= ~self.met[word]
            cases = {name: codes[fails] for name, codes in self.inputs.items()}
            index = int(fails[place_of_simplest(cases, self.netlist.inputs, self.formats)])
            given = ", ".join(f"{name} {_hex(codes[index])}" for name, codes in self.inputs.items())
            circuit, spec = (
                ", ".join(
                    f"{name} {_hex(self.results[column(side, name)][index])}"
                    for name in self.netlist.outputs
                )
                for side in SIDES
            )
            reason = self.conditions.named(word).in_words
            yield f"  where {reason}, for {given}: {circuit}; should be {spec}"


_POSSIBLE, _ORDINARY = "possible", "ordinary"


def _hex(code: Any) -> str:
    return f"0x{int(code):x}"


def _met(conditions: Conditions, inputs: Mapping[str, NDArray[Any]], failing: Bits) -> dict[str, Bits]:
    """Where conditions hold that some failing input meets: single ones, and two of them together."""
    single: list[Condition] = [*conditions.simple]
    distance = conditions.distance()
    if distance is not None and failing.any():
        apart = Evaluation({"distance": distance}).evaluate(inputs)["distance"].astype(np.int64)
        single += _distances(conditions, apart[failing])
    found = Evaluation({each.word: each.formula for each in single}).evaluate(inputs)
    met = {word: holds.astype(bool) for word, holds in found.items()}
    met = {word: holds for word, holds in met.items() if (holds & failing).any()}
    pairs = {
        f"{one}{AND}{two}": met[one] & met[two]
        for one, two in combinations(met, 2)
        if not {one.split("_")[-1], two.split("_")[-1]} >= {ANY}
    }
    return met | {word: holds for word, holds in pairs.items() if (holds & failing).any()}


def _distances(conditions: Conditions, failing: NDArray[np.int64]) -> Iterator[Condition]:
    """Bounds on the distance of exponents that all failing inputs keep, or most of them."""
    for share in (0, 0.01, 0.1):
        least, most = (int(np.quantile(failing, q, method="nearest")) for q in (share, 1 - share))
        for word in (f"exponents_apart_{least}", f"exponents_within_{most}"):
            try:
                yield conditions.named(word)
            except ValueError:  # that says nothing
                continue


def _without_needless(words: list[str], failing: Bits, met: Mapping[str, Bits]) -> list[str]:
    """The words without those whose inputs others cover."""
    for word in list(words):
        others = [other for other in words if other != word]
        if others and not (failing & ~np.any([met[other] for other in others], axis=0)).any():
            words = others
    return words
