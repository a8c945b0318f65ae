"""Counterexamples bit by bit: the words in a refutation's message, taken apart into fields."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice

from spikeproof.prover.evidence.record import Record
from spikeproof.prover.refutation.counterexample import decimal_value
from spikeproof.prover.report.summary import UNIT, family
from spikeproof.specs import exact
from spikeproof.specs.formats import format_named

WORD = re.compile(
    r"  (?P<label>\S.*?) {2,}"
    r"(?:(?P<sign>[01]) (?P<exponent>[01]+) (?P<fraction>[01]+) \((?P<code>0x[0-9a-f]+)\)  "
    r"|(?P<bits>[01]+) = )"
    r"(?P<meaning>.+)"
)
"""A line of ``prover.refutation.counterexample`` for a word: of a floating-point format, or another."""

TWINS = {"circuit": "spec", "spec": "circuit"}
"""Whose output of the same name a word is to be compared with."""

FIELDS = ("sign", "exponent", "fraction", "bits")


@dataclass(frozen=True)
class Bit:
    """One bit, and whether circuit and spec differ there."""

    value: str
    differs: bool


@dataclass(frozen=True)
class Word:
    """A value on a bus.

    Attributes:
        fields: bits by field: ``sign``, ``exponent`` and ``fraction``; or ``bits``, which are no number.
        code: in hexadecimal, if it has fields.
        meaning: class and value.
        other: the bits that these are to be compared with, if any.
    """

    label: str
    fields: dict[str, str]
    code: str
    meaning: str
    other: str = ""

    @property
    def bits(self) -> Iterator[tuple[str, list[Bit]]]:
        """The fields, bit by bit."""
        own = "".join(self.fields.values())
        other = self.other if len(self.other) == len(own) else own
        bits = iter([Bit(*pair) for pair in zip(own, map(str.__ne__, own, other), strict=True)])
        for name, text in self.fields.items():
            yield name, list(islice(bits, len(text)))


@dataclass(frozen=True)
class Counterexample:
    """The words of a refutation, and what else is said of it."""

    words: tuple[Word, ...]
    text: str


def counterexample(record: Record) -> Counterexample:
    """What is known of a refutation: from its message, else from the values of its inputs."""
    lines = record.message.splitlines()
    found = [(line, WORD.fullmatch(line)) for line in lines]
    words = [_word(match) for _, match in found if match]
    rest = "\n".join(line for line, match in found if not match)
    return Counterexample(tuple(_compared(words) or _inputs(record)), rest)


def fields_shown(records: Iterable[Record]) -> list[str]:
    """The fields that bits of their counterexamples have, of ``FIELDS``, in that order."""
    found = {
        field for record in records for word in counterexample(record).words for field in word.fields
    }
    return [field for field in FIELDS if field in found]


def _word(match: re.Match[str]) -> Word:
    fields = {name: match[name] for name in FIELDS if match[name]}
    return Word(match["label"], fields, match["code"] or "", match["meaning"].replace("  ", ", "))


def _compared(words: list[Word]) -> list[Word]:
    """The words, the outputs of circuit and spec set against each other."""
    bits = {word.label: "".join(word.fields.values()) for word in words}
    return [replace(word, other=bits.get(_twin(word.label), "")) for word in words]


def _twin(label: str) -> str:
    bus, _, side = label.rpartition(", ")
    return f"{bus}, {TWINS.get(side)}"


def _inputs(record: Record) -> Iterator[Word]:
    """The inputs, as numbers of the format of the theorem's operands where they are."""
    parameters = record.parameters if family(record) == UNIT else {}
    try:
        fmt = format_named(parameters.get("source", parameters.get("format", "")))
    except ValueError:
        fmt = None
    for name, value in (record.counterexample or {}).items():
        if fmt is None or value >> fmt.width:
            yield Word(f"input {name}", {"bits": f"{value:b}"}, f"{value:#x}", str(value))
            continue
        bits = f"{value:0{fmt.width}b}"
        fields = {
            "sign": bits[0],
            "exponent": bits[1 : 1 + fmt.exponent_bits],
            "fraction": bits[1 + fmt.exponent_bits :],
        }
        meaning = f"{exact.classify(fmt, value)}, {decimal_value(fmt, value)}"
        yield Word(f"input {name}", fields, f"{value:#x}", meaning)
