"""Units for words of several numbers equal their operation on each of them, on all inputs."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product

from pysmt.shortcuts import BVConcat, BVExtract

from spikeproof.circuits.netlist import Netlist
from spikeproof.circuits.units.packing import side_by_side
from spikeproof.proofs.rounded_units import RoundedUnit
from spikeproof.proofs.units import OPERATIONS, Unit
from spikeproof.prover.claims.obligation import Named, Observation, Profile, Reading, everything
from spikeproof.specs.formats import (
    BFLOAT16,
    FLAGS,
    FP4_E2M1,
    FP6_E2M3,
    FP6_E3M2,
    FP16,
    FP32,
    RANDOM,
    OverflowPolicy,
    Packed,
)
from spikeproof.specs.integers import Buses


@dataclass(frozen=True)
class PackedUnit(RoundedUnit):
    """As many of a unit as there are numbers in a word: see ``specs.formats.Packed``."""

    unit: RoundedUnit
    count: int = 2

    @property
    def library(self) -> str:  # type: ignore[override]
        """That of the unit."""
        return self.unit.library

    def changed(self, **choices: object) -> "PackedUnit":
        """As many of the unit with other choices."""
        return replace(self, unit=self.unit.changed(**choices))

    @property
    def name(self) -> str:
        """That of the unit, but for how many numbers are in a word of the result: ``FORMATx2``."""
        fmt = self.unit.fmt.name
        return f"{fmt}x{self.count}{self.unit.name.removeprefix(fmt)}"

    @property
    def parameters(self) -> dict[str, str]:
        """What the name says, and what goes unsaid there."""
        given = self.unit.parameters
        named = {name: given[name] for name in ("format", "source") if name in given}
        return {**given, **{name: f"{fmt}x{self.count}" for name, fmt in named.items()}}

    @property
    def in_words(self) -> str:
        """What it computes and how it is rounded, for people."""
        return self.unit.in_words

    @property
    def function(self) -> str:
        """What it computes, and in which format, for people."""
        return f"{self.count} numbers in a word, each {self.unit.function}"

    @property
    def statement(self) -> str:
        """What is claimed of it, for people."""
        return f"{self.count} numbers in a word, each {self.unit.statement}"

    @property
    def engines(self) -> tuple[str, ...]:
        """As the unit needs."""
        return self.unit.engines

    def circuit(self) -> Netlist:
        """The unit itself."""
        return side_by_side(self.unit.circuit(), self.count)

    def _place(self, words: Buses, place: int) -> Buses:
        """The numbers in one place of words."""
        widths = {name: word.bv_width() // self.count for name, word in words.items()}
        return {
            name: BVExtract(word, place * widths[name], (place + 1) * widths[name] - 1)
            for name, word in words.items()
        }

    def _each(self, function: Callable[[int], Buses]) -> Buses:
        """The words made of what a function gives for each place."""
        made = [function(place) for place in reversed(range(self.count))]
        return {name: BVConcat(*(numbers[name] for numbers in made)) for name in made[0]}

    def spec(self, inputs: Buses) -> Buses:
        """What its outputs should be."""
        return self._each(lambda place: self.unit.spec(self._place(inputs, place)))

    @property
    def observed(self) -> Observation:
        """What counts of its outputs."""
        return everything if self.unit.observed is everything else self._observed

    def _observed(self, inputs: Buses, outputs: Buses) -> Buses:
        observed = self.unit.observed
        return self._each(lambda p: observed(self._place(inputs, p), self._place(outputs, p)))

    @property
    def reading(self) -> Reading:
        """How to read its counterexamples."""
        formats = self.unit.reading.formats
        packed = {
            n: Packed(fmt, self.count) for n, fmt in formats.items() if not isinstance(fmt, Packed)
        }
        return Reading(packed, self.trace)

    def trace(self, inputs: Mapping[str, int]) -> Mapping[str, int]:
        """What the spec of record implies for its probes and outputs."""
        widths = {name: fmt.width for name, fmt in self.unit.reading.formats.items()}
        widths |= {"flags": len(FLAGS), RANDOM: self.unit.mode.places}
        signals: dict[str, int] = {}
        words: dict[str, int] = {}
        for place in range(self.count):
            codes = {n: w >> place * widths[n] & (1 << widths[n]) - 1 for n, w in inputs.items()}
            for name, value in self.unit.trace(codes).items():
                signals[f"{name}.{place}"] = value
                if name in ("result", "flags"):
                    words[name] = words.get(name, 0) | value << place * widths[name]
        return {**signals, **words}

    def neighbours(self) -> Iterator[RoundedUnit]:
        """Units for as many numbers that differ from it in one choice: of mode, policy or convention."""
        yield from (replace(self, unit=unit) for unit in self.unit.neighbours())


ELEMENTS = (FP4_E2M1, FP6_E2M3, FP6_E3M2)
"""Formats that are narrower than a byte."""


def packed_units() -> Iterator[PackedUnit]:
    """Arithmetic on pairs of ``ELEMENTS``, and their conversions from and to wider formats."""
    saturate, ieee = OverflowPolicy.SATURATE, OverflowPolicy.IEEE
    for fmt, other in product(ELEMENTS, (FP16, BFLOAT16, FP32)):
        yield PackedUnit(Unit("convert", fmt, policy=saturate, source=other))
        yield PackedUnit(Unit("convert", other, policy=ieee, source=fmt))
    for fmt, operation in product(ELEMENTS, OPERATIONS):
        yield PackedUnit(Unit(operation, fmt, policy=saturate))


def profile_for(packed: PackedUnit) -> Profile:
    """Conversions from and to FP16; all else is left to ``--wide``."""
    return Profile.DEFAULT if FP16 in (packed.unit.fmt, packed.unit.source) else Profile.WIDE


def obligations() -> Iterator[Named]:
    """``FORMATx2.OPERATION[_from_SOURCE].rne[.saturate]``: every bus is of two numbers."""
    for packed in packed_units():
        yield packed.promised(profile_for(packed))
