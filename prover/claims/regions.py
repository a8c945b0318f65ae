"""Theorems on a part of their inputs: ``fp16.add.rne.except.subnormal_operand.exponents_apart_12``.

Behind ``except`` each word names inputs of which nothing is claimed, in terms of the spec: the class of
an operand or of the result that the spec gives, the signs of two operands, the distance of their
exponents, a flag that the spec raises. Words joined by ``_and_`` mean what all of them mean.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from pysmt.fnode import FNode
from pysmt.shortcuts import BV, BVUGE, BVULE, BVULT, And, BVExtract, BVSub, Equals, Ite, Not, Or, Xor

from spikeproof.circuits.netlist import Netlist
from spikeproof.prover.claims.environment import passing_formulas
from spikeproof.prover.claims.obligation import Claim, Obligation, Outcome, Profile
from spikeproof.specs import symbolic
from spikeproof.specs.formats import FLAGS, AnyFormat, Format

EXCEPT = ".except."
"""Stands in a name between a theorem's and the words for what is left out."""

EXCEPTED = "except"
"""The parameter of a theorem that has them."""

AND = "_and_"

Class = Callable[[Format, FNode, symbolic.Operand], FNode]
"""From a format, a code of it, and that code taken apart, whether it is of a class."""

CLASSES: Mapping[str, Class] = {
    "zero": lambda fmt, code, x: And(x.zero, Not(x.nan)),
    "subnormal": lambda fmt, code, x: And(Not(_hidden(x)), Not(x.zero), Not(x.nan)),
    "normal": lambda fmt, code, x: And(_hidden(x), Not(x.infinite), Not(x.nan)),
    "power_of_two": lambda fmt, code, x: And(
        _hidden(x), Not(x.infinite), Not(x.nan), Not(symbolic.nonzero(_fraction(fmt, code)))
    ),
    "smallest_normal": lambda fmt, code, x: And(
        Equals(_magnitude(fmt, code), BV(1 << fmt.fraction_bits, fmt.magnitude_bits)), _hidden(x)
    ),
    "largest": lambda fmt, code, x: Equals(
        _magnitude(fmt, code), BV(fmt.largest_finite, fmt.magnitude_bits)
    ),
    "infinite": lambda fmt, code, x: x.infinite,
    "nan": lambda fmt, code, x: x.nan,
    "negative": lambda fmt, code, x: And(x.negative, Not(x.nan)),
}
"""What a code can be, by its word in names."""

SPOKEN = {
    "power_of_two": "a normal power of two",
    "smallest_normal": "the smallest normal number, of either sign",
    "largest": "the largest finite number, of either sign",
    "nan": "a NaN",
}
"""How classes are said to people, where that is not their word."""

ANY = "operand"
SIGNS = "signs_differ"
DISTANCE = re.compile(r"exponents_(apart|within)_(\d{1,5})")
"""At least, or at most, so far from each other; the exponent of a subnormal number is the smallest."""

RAISED = "flags"


@dataclass(frozen=True)
class Condition:
    """Something that holds of some inputs of a claim.

    Attributes:
        word: by which it is named.
        in_words: for people.
        formula: over the claim's inputs.
    """

    word: str
    in_words: str
    formula: FNode


class Conditions:
    """What can be said of a claim's inputs.

    Args:
        formats: of its buses.
    """

    def __init__(self, claim: Claim, formats: Mapping[str, AnyFormat]) -> None:
        floating = {name: fmt for name, fmt in formats.items() if isinstance(fmt, Format)}
        self._formats = floating
        self._operands = [name for name in claim.inputs if name in floating]
        self._results = [name for name in claim.expected if name in floating]
        buses = {**claim.expected, **claim.inputs}
        self._codes = {name: buses[name] for name in (*self._operands, *self._results)}
        self._flags = claim.expected.get(RAISED)

    @property
    def simple(self) -> list[Condition]:
        """All but those of distances, and none of several words."""
        return list(self._by_class()) + list(self._others())

    def ordinary(self) -> FNode:
        """That operands and results are normal numbers."""
        return And(self._is(CLASSES["normal"], place) for place in self._codes)

    def distance(self) -> FNode | None:
        """How far apart the exponents of two operands of one format are; None if there are others."""
        formats = {self._formats[name] for name in self._operands}
        if len(self._operands) != 2 or len(formats) != 1:
            return None
        x, y = (self._exponent(name) for name in self._operands)
        return Ite(BVULT(x, y), BVSub(y, x), BVSub(x, y))

    def named(self, word: str) -> Condition:
        """The condition of a word, or of several joined by ``_and_``.

        Raises:
            ValueError: if there is none; it says which there are.
        """
        parts = [self._single(part) for part in word.split(AND)]
        if len(parts) == 1:
            return parts[0]
        if len({part.word for part in parts}) < len(parts):
            raise ValueError(f"{word!r} says something twice; say it once")
        return Condition(word, self._together(parts), And(part.formula for part in parts))

    def _together(self, parts: Sequence[Condition]) -> str:
        """Several conditions, as people say them; two bounds on a distance in one."""
        bounds = {m[1]: int(m[2]) for part in parts if (m := DISTANCE.fullmatch(part.word))}
        said = [part.in_words for part in parts if len(bounds) < 2 or not DISTANCE.fullmatch(part.word)]
        if len(bounds) == 2:
            least, most = bounds["apart"], bounds["within"]
            between = f"{least} to {most}" if least != most else f"{least}"
            said.append(f"the exponents of {' and '.join(self._operands)} are {between} apart")
        return " and ".join(said)

    def _single(self, word: str) -> Condition:
        simple = {condition.word: condition for condition in self.simple}
        if found := simple.get(word):
            return found
        matched, distance = DISTANCE.fullmatch(word), self.distance()
        if not matched or distance is None:
            raise ValueError(f"{word!r} excludes nothing; use {', '.join(self._possible(simple))}")
        kind, number = matched[1], int(matched[2])
        largest = (1 << distance.bv_width()) - 1
        if not 0 < number + (kind == "within") <= largest or str(number) != matched[2]:
            raise ValueError(f"{word!r}: exponents are 0 to {largest} apart; use such a number")
        bound = BV(number, distance.bv_width())
        pair = " and ".join(self._operands)
        if kind == "apart":
            said = f"the exponents of {pair} are {number} or more apart"
            return Condition(word, said, BVUGE(distance, bound))
        said = f"the exponents of {pair} are {f'at most {number} apart' if number else 'equal'}"
        return Condition(word, said, BVULE(distance, bound))

    def _possible(self, simple: Iterable[str]) -> Iterator[str]:
        """What to name, without each class of each bus."""
        places = [*([ANY] if len(self._operands) > 1 else []), *self._codes]
        yield f"CLASS_{{{','.join(places)}}} with CLASS one of {', '.join(CLASSES)}"
        yield from (word for word in simple if not word.startswith(tuple(CLASSES)))
        if self.distance() is not None:
            yield from ("exponents_apart_N", "exponents_within_N")

    def _by_class(self) -> Iterator[Condition]:
        for name, has in CLASSES.items():
            spoken = SPOKEN.get(name, name)
            of = {place: self._is(has, place).simplify() for place in self._codes}
            possible = {place: met for place, met in of.items() if not met.is_false()}
            among = [met for place, met in possible.items() if place in self._operands]
            if len(self._operands) > 1 and among:
                yield Condition(f"{name}_{ANY}", f"an operand is {spoken}", Or(among))
            for place, met in possible.items():
                article = "the " if place in self._results else ""
                yield Condition(f"{name}_{place}", f"{article}{place} is {spoken}", met)

    def _others(self) -> Iterator[Condition]:
        if len(self._operands) == 2:
            x, y = (self._unpacked(name).negative for name in self._operands)
            said = f"the signs of {' and '.join(self._operands)} differ"
            yield Condition(SIGNS, said, Xor(x, y))
        if self._flags is not None and self._flags.bv_width() == len(FLAGS):
            for place, flag in enumerate(FLAGS):
                raised = symbolic.bit(self._flags, place)
                yield Condition(f"raises_{flag}", f"{flag.replace('_', ' ')} is raised", raised)

    def _is(self, a_class: Class, place: str) -> FNode:
        return a_class(self._formats[place], self._codes[place], self._unpacked(place))

    def _unpacked(self, place: str) -> symbolic.Operand:
        return symbolic.unpack(self._formats[place], self._codes[place])

    def _exponent(self, place: str) -> FNode:
        fmt = self._formats[place]
        field = BVExtract(self._codes[place], fmt.fraction_bits, fmt.magnitude_bits - 1)
        return Ite(symbolic.nonzero(field), field, BV(1, fmt.exponent_bits))


def _magnitude(fmt: Format, code: FNode) -> FNode:
    return BVExtract(code, 0, fmt.magnitude_bits - 1)


def _fraction(fmt: Format, code: FNode) -> FNode:
    return BVExtract(code, 0, fmt.fraction_bits - 1)


def _hidden(x: symbolic.Operand) -> FNode:
    return symbolic.bit(x.significand, x.precision - 1)


def stated_at_once(obligation: Obligation, netlist: Netlist) -> Claim:
    """What an obligation claims of a circuit's outputs, whatever the circuit makes of its inputs."""
    outputs = {name: (0,) * width for name, width in netlist.output_widths.items()}
    return obligation.state(Netlist(netlist.inputs, (), outputs))


def except_where(obligation: Obligation, words: Sequence[str]) -> Obligation:
    """What an obligation claims, but of inputs for which none of some conditions holds.

    Raises:
        ValueError: if it says nothing of codes of floating-point formats, or a word is unknown or there
            twice.
    """
    formats = obligation.reading.formats if obligation.reading else {}
    own = obligation.circuit
    if own is None or not any(isinstance(fmt, Format) for fmt in formats.values()):
        raise ValueError(f"{obligation.name} is not about floating-point operands; name it alone")
    if twice := next((word for word in words if words.count(word) > 1), None):
        raise ValueError(f"{twice!r} is said twice; say it once")

    def excluded(claim: Claim) -> list[Condition]:
        conditions = Conditions(claim, formats)
        return [conditions.named(word) for word in words]

    def state(netlist: Netlist | None) -> Claim:
        claim = obligation.state(netlist)
        without = (Not(condition.formula) for condition in excluded(claim))
        return claim.assuming(*without)

    with passing_formulas():
        said = "; or ".join(each.in_words for each in excluded(stated_at_once(obligation, own())))
    proviso = f", except where {said}"
    return replace(
        obligation,
        name=f"{obligation.name}{EXCEPT}{'.'.join(words)}",
        statement=obligation.statement + proviso,
        function=obligation.function and obligation.function + proviso,
        state=state,
        expected=Outcome.PROVED,
        profile=Profile.WIDE,
        parameters={**obligation.parameters, EXCEPTED: ".".join(words)},
        neighbours=tuple,
    )
