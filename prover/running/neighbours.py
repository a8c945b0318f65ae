"""Where a circuit is refuted: the mode, policy and convention under which it is nearest to right.

From the theorem one goes to that neighbour, different in a choice, under which the fewest inputs fail,
and on from there while that helps. Inputs are all, where they are few, else some drawn by class and the
counterexample. If none of them fails under the last neighbour, this is counted on all inputs where they
have up to ``MOST_BITS`` and there is time, or else proved, or else told as what it is: a sample. An
input that fails all the same is one more to be tried, and the search begins again.

The theorem is then named as simply as can be, since some words make no difference to some operations. If
inputs are left that fail, it is tried whether none does once the bits of an output are reversed.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from itertools import chain, combinations
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pysmt.shortcuts import And, BVType, Symbol

from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.netlist import Netlist
from spikeproof.prover.checking.replays import expected_outputs
from spikeproof.prover.claims.blocked import in_blocks
from spikeproof.prover.claims.environment import passing_formulas
from spikeproof.prover.claims.obligation import Claim, Obligation
from spikeproof.prover.claims.regions import stated_at_once
from spikeproof.prover.encoding.evaluation import Evaluation
from spikeproof.prover.evidence.record import Record
from spikeproof.prover.refutation.comparison import SIDES, Comparison, column
from spikeproof.prover.refutation.counterexample import explain
from spikeproof.prover.refutation.drawing import MOST_BITS, every_input_or_some
from spikeproof.prover.refutation.minimisation import minimised
from spikeproof.prover.refutation.signalling import RAISED
from spikeproof.prover.running.discharge import discharge
from spikeproof.prover.running.region import REGION_SECONDS, widest_region
from spikeproof.specs.conventions import IEEE, Convention, convention_named
from spikeproof.specs.formats import FLAGS, OverflowPolicy, RoundingMode

SEARCH_SECONDS = 60.0
"""How long neighbours are tried, for one verdict."""

COUNTING_SECONDS = 60.0
"""How long inputs are counted; and how long a proof is looked for, if that does not do."""

FEW = 0.5
"""Of the inputs that fail at most so many are left, where another theorem explains the failures."""

MOST = 0.9
"""Of the inputs that fail at most so many are left, where another theorem is worth a word."""

SHORT = 105
"""Of up to so many characters, it is said in words what is different under another theorem."""

MOST_REVERSED = 2
"""Of how many outputs at a time bits are reversed."""

CHOICES = (("mode", RoundingMode, "rounded "), ("policy", OverflowPolicy, ""))
"""Beside conventions, what may be different: a parameter, its values, and a word before their labels."""

SEARCHING = "looking for a mode, policy and convention under which it is right"

POSSIBLE = "possible"

NO_BETTER = "no neighbouring mode, policy or convention makes fewer inputs fail"
HARDLY_BETTER = "no neighbouring mode, policy or convention makes many fewer inputs fail"
NO_TIME = "there was no time to try all neighbouring modes, policies and conventions"


def with_nearest(
    record: Record,
    obligation: Obligation,
    circuit: Netlist | None = None,
    seconds: float = REGION_SECONDS,
) -> Record:
    """The record; of a circuit that is wrong, against what was promised, with what it comes nearest to.

    Args:
        circuit: that the record is about, if it is not the obligation's own.
        seconds: for finding, and proving, for which inputs it is right.

    Not of functions in blocks, nor of bounds, which have no formulas; nor of what neurons bear.
    """
    own = obligation.circuit
    if not record.refutes or not own:
        return record
    if _has_no_formulas(obligation, circuit or own()):
        return record
    started = time.monotonic()
    try:
        found = _explained(record, obligation, circuit or own(), seconds)
    except Exception as error:  # a fault of the search: the verdict does not depend on it
        failed = f"the search for a convention failed: {type(error).__name__}: {error}; please report it"
        return replace(record, message=f"{record.message}\n{failed}")
    if found is record:
        return record
    taken = (
        f"(searched for {time.monotonic() - started:.1f} s, after the verdict's {record.seconds:.1f} s)"
    )
    return replace(found, message=_lines(found.message, taken))


def _has_no_formulas(obligation: Obligation, netlist: Netlist) -> bool:
    """Whether it is about a function in blocks, or a bound, or what neurons bear."""
    without = obligation.bounded or obligation.borne
    return without or (obligation.evaluated and in_blocks(obligation.state(netlist)))


def _explained(record: Record, obligation: Obligation, netlist: Netlist, seconds: float) -> Record:
    """The record with the theorem under which the circuit is right; else for which inputs it is."""
    found = nearest(obligation, netlist, record.counterexample)
    if found and found.right:  # which is what most want to know, and comes first
        return replace(record, message=_lines(found.words, record.message), nearest=found.theorem)
    base = found.base if found else obligation
    region = widest_region(base, netlist, record.counterexample, seconds)
    if not found and not region:
        return record
    message = _lines(record.message, found.words if found else "", region.words if region else "")
    nearby = found.theorem if found else None
    proved = region.theorem if region and region.proved else None
    return replace(record, message=message, nearest=nearby, region=proved)


@dataclass(frozen=True)
class Nearest:
    """The theorem that a circuit comes nearest to; whether it is right under it, in words.

    Attributes:
        base: that of which regions are to be told: it, if it explains most of the failures.
        theorem: its name; None if that is the one that was asked about.
        right: whether no input was found that fails under it.
    """

    base: Obligation
    theorem: str | None
    words: str
    right: bool = False


def nearest(
    obligation: Obligation, netlist: Netlist, counterexample: Mapping[str, int] | None = None
) -> Nearest | None:
    """What a refuted circuit comes nearest to, and what is left then.

    Args:
        counterexample: an input that is known to fail. Without it, a fault that no input meets that is
            drawn is no fault.

    Returns:
        None if the theorem has no neighbours, or no formulas, or no input fails that is tried.
    """
    if next(iter(obligation.neighbours()), None) is None or _has_no_formulas(obligation, netlist):
        return None
    with passing_formulas():
        search = _Search.of(obligation, netlist)
    if counterexample is not None:
        search = search.with_input(counterexample)
    left = SEARCH_SECONDS
    while True:
        started = time.monotonic()
        with passing_formulas():
            found = search.nearest(obligation, started + left)
            hint = search.reversal(obligation, started + left) if found.failing.any() else ""
            differs = search.difference(obligation, found.theorem)
        left -= time.monotonic() - started
        asked = found.theorem is obligation
        if asked and not found.failing.any():
            return None
        notes = [hint, *([] if found.complete else [NO_TIME])]
        if asked:
            return Nearest(obligation, None, _lines(NO_BETTER if found.complete else "", *notes))
        if found.failing.any():
            share = found.failing.sum() / search.failing(obligation).sum()
            if share > MOST:
                return Nearest(obligation, None, _lines(HARDLY_BETTER if found.complete else "", *notes))
            words = _left(found.theorem, netlist, search.input(found.failing))
            base = found.theorem if share <= FEW else obligation
            return Nearest(base, found.theorem.name, _lines(words, differs, *notes))
        counterexample, words = _settled(found.theorem, netlist, search)
        if counterexample is None:
            words = _lines(words, differs)
            return Nearest(found.theorem, found.theorem.name, words, right=True)
        search = search.with_input(counterexample)


def _lines(*texts: str) -> str:
    return "\n".join(filter(None, texts))


@dataclass(frozen=True)
class _Found:
    """Where a search ended.

    Attributes:
        failing: which of the inputs fail there.
        complete: whether there was time to try all neighbours.
    """

    theorem: Obligation
    failing: NDArray[np.bool_]
    complete: bool = True


Meaning = tuple[tuple[object, ...], ...]
"""What a claim says, whatever the circuit: the same formulas are the same objects."""


@dataclass(frozen=True)
class _Search:
    """A circuit on some inputs.

    Attributes:
        every: whether they are all.
        outputs: codes of the circuit's outputs, by column.
    """

    netlist: Netlist
    inputs: Mapping[str, NDArray[Any]]
    every: bool
    outputs: Mapping[str, NDArray[Any]]

    @classmethod
    def of(cls, obligation: Obligation, netlist: Netlist) -> _Search:
        formats = obligation.reading.formats if obligation.reading else {}
        inputs, every = every_input_or_some(netlist.inputs, formats)
        return cls(netlist, inputs, every, _outputs(netlist, inputs))

    def with_input(self, inputs: Mapping[str, int]) -> _Search:
        """The circuit on one more input, unless all are there."""
        if self.every:
            return self
        one = {name: np.array([code], self.inputs[name].dtype) for name, code in inputs.items()}
        more = {name: np.concatenate([codes, one[name]]) for name, codes in self.inputs.items()}
        return replace(self, inputs=more, outputs=_outputs(self.netlist, more))

    def with_reversed(self, names: Sequence[str]) -> _Search:
        """The circuit with the bits of some outputs in reverse."""
        outputs = {n: bus[::-1] if n in names else bus for n, bus in self.netlist.outputs.items()}
        netlist = Netlist(self.netlist.inputs, self.netlist.neurons, outputs)
        return replace(self, netlist=netlist, outputs=_outputs(netlist, self.inputs))

    def nearest(self, obligation: Obligation, until: float) -> _Found:
        """The theorem from which no neighbour leads on, by its simplest name.

        Args:
            until: when trying is over, by ``time.monotonic``.
        """
        known: dict[Meaning, NDArray[np.bool_]] = {}
        best = _Found(obligation, self.failing(obligation, known))
        previous = None
        while best.failing.any() and best is not previous:
            previous = best
            for neighbour in previous.theorem.neighbours():
                if time.monotonic() > until:
                    return replace(best, complete=False)
                failing = self.failing(neighbour, known)
                if failing.sum() < best.failing.sum():
                    best = _Found(neighbour, failing)
        return best if best.theorem is obligation else replace(best, theorem=self.simplest(best.theorem))

    def failing(
        self, obligation: Obligation, known: dict[Meaning, NDArray[np.bool_]] | None = None
    ) -> NDArray[np.bool_]:
        """Which of the inputs fail under a theorem.

        Args:
            known: the same of theorems of one meaning; this one is added.
        """
        claim, known = self.claim(obligation), {} if known is None else known
        meaning = self._meaning(claim)
        if meaning not in known:
            known[meaning] = self._failing(claim)
        return known[meaning]

    def _failing(self, claim: Claim) -> NDArray[np.bool_]:
        wanted = Evaluation({**claim.expected, POSSIBLE: And(claim.assumptions)}).evaluate(self.inputs)
        possible = wanted.pop(POSSIBLE).astype(bool)
        spec = {column(SIDES[1], name): codes for name, codes in wanted.items()}
        differ = Comparison(claim, self._widths).differ({**self.inputs, **self.outputs, **spec})
        return np.asarray(differ & possible, dtype=np.bool_)

    @property
    def _widths(self) -> dict[str, int]:
        return self.netlist.output_widths

    def claim(self, obligation: Obligation) -> Claim:
        """What a theorem claims, of a circuit without neurons."""
        return stated_at_once(obligation, self.netlist)

    def _meaning(self, claim: Claim) -> Meaning:
        outputs = {name: Symbol(column(SIDES[0], name), BVType(w)) for name, w in self._widths.items()}
        seen = claim.seen(outputs)
        return (
            tuple(sorted(claim.expected.items(), key=itemgetter(0))),
            tuple(sorted(seen.items(), key=itemgetter(0))),
            claim.assumptions,
        )

    # --- in the fewest words --------------------------------------------------------------------

    def simplest(self, theorem: Obligation) -> Obligation:
        """A theorem that claims the same, by the shortest name that is found by leaving out words."""
        meaning = self._meaning(self.claim(theorem))
        while True:
            shorter = (each for each in theorem.neighbours() if _length(each) < _length(theorem))
            same = (
                each
                for each in sorted(shorter, key=_length)
                if self._meaning(self.claim(each)) == meaning
            )
            if (found := next(same, None)) is None:
                return theorem
            theorem = found

    def difference(self, asked: Obligation, theorem: Obligation) -> str:
        """What is different under another theorem, of what makes a difference; empty if that is long."""
        given, own = _convention(asked), _convention(theorem)
        words = [
            before_it + kind(theorem.parameters[name]).label
            for name, kind, before_it in CHOICES
            if theorem.parameters.get(name) != asked.parameters.get(name)
        ]
        meaning = self._meaning(self.claim(theorem))
        for each, before, after in zip(fields(own), given.choices, own.choices, strict=True):
            back: dict[str, Any] = {each.name: before}
            if before is not after and self._matters(theorem, replace(own, **back), meaning):
                alone: dict[str, Any] = {each.name: after if after.value else before}
                said = replace(IEEE, **alone).in_words
                words.append(said if after.value else f"not: {said}")
        text = f"the difference: {', '.join(words)}"
        return text if words and len(text) <= SHORT else ""

    def _matters(self, theorem: Obligation, convention: Convention, meaning: Meaning) -> bool:
        """Whether a theorem would claim anything else under another convention, if it can have it."""
        for each in theorem.neighbours():
            alike = all(
                each.parameters.get(name) == theorem.parameters.get(name)
                for name in ("operation", "mode", "policy")
            )
            if alike and _convention(each) == convention:
                return self._meaning(self.claim(each)) != meaning
        return True

    # --- bits in reverse ------------------------------------------------------------------------

    def reversal(self, obligation: Obligation, until: float) -> str:
        """Of which outputs the bits have to be reversed for no input to fail; empty if none are."""
        failing = self.failing(obligation).sum()
        wide = [name for name, width in self._widths.items() if width > 1]
        for names in chain.from_iterable(combinations(wide, count + 1) for count in range(len(wide))):
            turned = self.with_reversed(names)
            if len(names) > MOST_REVERSED or turned.failing(obligation).sum() >= failing:
                continue
            found = turned.nearest(obligation, until)
            if not found.failing.any():
                under = "" if found.theorem is obligation else f" under {found.theorem.name}"
                return (
                    f"with the bits of {' and '.join(names)} reversed, none of {self.tried:,} inputs "
                    f"fails{under}: {'; '.join(map(_order, names))}"
                )
        return ""

    @property
    def tried(self) -> int:
        """How many inputs there are."""
        return len(next(iter(self.inputs.values())))

    def input(self, failing: NDArray[np.bool_]) -> dict[str, int]:
        """The first input that fails."""
        index = int(np.flatnonzero(failing)[0])
        return {name: int(codes[index]) for name, codes in self.inputs.items()}


def _length(theorem: Obligation) -> int:
    """How many words a name has; a bundle of conventions is one."""
    return len(theorem.name.split("."))


def _convention(theorem: Obligation) -> Convention:
    return convention_named(theorem.parameters.get("convention", ""))


def _order(output: str) -> str:
    """In which order an output's bits have to be."""
    if output == RAISED:
        return f"bit 0 of {output} is {FLAGS[0]}, bit {len(FLAGS) - 1} {FLAGS[-1]}, unlike in SoftFloat"
    return f"the least significant bit of {output} comes first"


def _outputs(netlist: Netlist, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    found = boolean.evaluate(netlist, inputs)
    return {column(SIDES[0], name): codes for name, codes in found.items()}


def _left(nearest: Obligation, netlist: Netlist, inputs: Mapping[str, int]) -> str:
    """What is wrong with a circuit even under the theorem that it comes nearest to.

    Args:
        inputs: fail there.
    """
    with passing_formulas():
        claim = nearest.state(netlist)
        simplest = minimised(nearest, claim, inputs, netlist)
        shown = explain(nearest, netlist, simplest.inputs, expected_outputs(claim, simplest.inputs))
    return f"it comes nearest to {nearest.name}, under which\n{shown}\n{simplest.failures}"


Settled = tuple[Mapping[str, int] | None, str]
"""An input that fails; else what is known, in words, if anything is."""


def _settled(nearest: Obligation, netlist: Netlist, search: _Search) -> Settled:
    """What is known of a theorem under which none of the inputs fails that were tried."""
    title = f"right by another convention, {nearest.name}:"
    if search.every:
        return None, f"it is {title}\nnone of all {search.tried:,} inputs fails"
    for means in (_counted, _proved):
        counterexample, settled = means(nearest, netlist)
        if settled or counterexample:
            return counterexample, f"it is {title}\n{settled}"
    return None, (
        f"it may be {title}\n"
        f"none of {search.tried:,} inputs that were tried fails: a sample, no proof; to settle it:\n"
        f"spikeproof prove {nearest.name} --circuit FILE"
    )


def _counted(nearest: Obligation, netlist: Netlist) -> Settled:
    """What trying all inputs shows, up to one that fails; nothing if they are many or time is up."""
    from spikeproof.circuits.meanings.bitsliced import cores  # loads LLVM
    from spikeproof.prover.refutation.exhaustion import OutOfTimeError, first_failing

    if netlist.input_count > MOST_BITS:
        return None, ""
    try:
        counterexample = first_failing(nearest, netlist, cores(), COUNTING_SECONDS)
    except OutOfTimeError:
        return None, ""
    return counterexample, f"none of all {1 << netlist.input_count:,} inputs fails"


def _proved(nearest: Obligation, netlist: Netlist) -> Settled:
    """What engines show in as much time again."""
    record = discharge(nearest, COUNTING_SECONDS, netlist, enumerating=False)
    return record.counterexample, "this is proved" if record.green else ""
