"""Which inputs fail, counted by class of operand and of result, and said in words."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeproof.prover.refutation.signalling import RAISED, flags_that_differ
from spikeproof.specs.formats import AnyFormat, Integer, Packed, ScaleFormat

SHOWN_CLASSES = 6
"""How many classes of inputs are worth a reader's time."""

CLASSES = ("zero", "subnormal", "normal", "infinity", "nan", "negative", "positive")
"""Floating-point codes are of the first five classes, integers of zero and the last two.

Words of several codes are of the first class among ``TELLING`` that one of these is of.
"""

TELLING = ("subnormal", "nan", "infinity", "zero")
"""Classes of which it is told if every failing input has an operand or a result of it."""

Formats = Mapping[str, AnyFormat]
Codes = NDArray[Any]

Counts = NDArray[np.int64]
"""How many tuples of codes there are of each tuple of classes: an axis for each place in the tuple."""


def classes(codes: Codes, fmt: AnyFormat) -> NDArray[np.intp]:
    """The class of each code, as its place in ``CLASSES``: as ``specs.exact`` has it, but of arrays."""
    words: Any = codes  # what formats say of a code holds of arrays of codes
    if isinstance(fmt, Packed):
        size, mask = fmt.element.width, (1 << fmt.element.width) - 1
        parts = [classes(words >> size * place & mask, fmt.element) for place in range(fmt.count)]
        told = [CLASSES.index(name) for name in TELLING]
        return np.select([np.any([p == each for p in parts], axis=0) for each in told], told, parts[0])
    if isinstance(fmt, ScaleFormat):
        names, otherwise = {"nan": words == fmt.nan}, "normal"
    elif isinstance(fmt, Integer):
        names = {"zero": words == 0, "negative": (words >> fmt.width - 1) & fmt.signed == 1}
        otherwise = "positive"
    else:
        magnitude = words & (fmt.sign_mask - 1)
        names = {
            "nan": fmt.is_nan(words),
            "infinity": fmt.has_infinity and magnitude == fmt.infinity,
            "zero": magnitude == 0,
            "subnormal": magnitude < 1 << fmt.fraction_bits,
        }
        otherwise = "normal"
    conditions = [np.broadcast_to(condition, codes.shape) for condition in names.values()]
    places = [CLASSES.index(name) for name in names]
    return np.select(conditions, places, CLASSES.index(otherwise))


def count(batch: int, codes: Sequence[Codes], formats: Sequence[AnyFormat]) -> Counts:
    """So many tuples of codes by class, given as an array for each place."""
    if not formats:
        return np.array(batch)
    shape = (len(CLASSES),) * len(formats)
    places = tuple(classes(each, fmt) for each, fmt in zip(codes, formats, strict=True))
    counts = np.bincount(np.ravel_multi_index(places, shape), minlength=math.prod(shape))
    return counts.reshape(shape)


def count_all(widths: Mapping[str, int], formats: Formats) -> Counts:
    """All inputs by class of those that have a format."""
    counts: Counts = np.array(1 << sum(width for name, width in widths.items() if name not in formats))
    for name, width in widths.items():
        if name in formats:
            codes = np.arange(1 << width, dtype=np.uint64)
            counts = np.multiply.outer(counts, count(len(codes), [codes], [formats[name]]))
    return counts


class Tally:
    """Failing inputs and their results, counted as they come.

    Args:
        tried: how many inputs were tried, by class of operand.
        operands: the formats of inputs that have one, in order.
        results: the formats of outputs that have one.
        flags: whether exception flags are an output too.
    """

    def __init__(self, tried: Counts, operands: Formats, results: Formats, flags: bool = False) -> None:
        self._tried = tried
        self._failing = np.zeros_like(tried)
        self._operands = operands
        self._results = results
        self._departing = {name: np.zeros((len(CLASSES),) * 2, dtype=np.int64) for name in results}
        self._flags: Counter[str] | None = Counter() if flags else None
        self._common = set(TELLING)

    def add(
        self, failing: Mapping[str, Codes], circuit: Mapping[str, Codes], spec: Mapping[str, Codes]
    ) -> None:
        """Count inputs that fail.

        Args:
            failing: the values of the inputs.
            circuit, spec: what both make of them, by name of output.
        """
        batch = len(next(iter(failing.values())))
        operands = self._operands
        self._failing += count(batch, [failing[name] for name in operands], list(operands.values()))
        for name, fmt in self._results.items():
            differ = circuit[name] != spec[name]
            sides = [side[name][differ] for side in (circuit, spec)]
            self._departing[name] += count(len(sides[0]), sides, [fmt, fmt])
        if self._flags is not None:
            self._flags += flags_that_differ(circuit[RAISED], spec[RAISED])
        met = [classes(failing[name], fmt) for name, fmt in operands.items()]
        met += [
            classes(side[name], fmt) for side in (circuit, spec) for name, fmt in self._results.items()
        ]
        self._common = {name for name in self._common if met and _everywhere(name, met)}

    def in_words(self, every: bool, proviso: str = "", advice: str = "") -> str:
        """How many inputs fail, of which classes, and what becomes of them.

        Args:
            every: whether all inputs were tried, or a sample drawn by class.
            proviso: what is said of inputs that were tried.
            advice: what is said of a sample.
        """
        fail, total = int(self._failing.sum()), int(self._tried.sum())
        if every:
            title = f"fails on {fail:,} of all {total:,} inputs{proviso}{self._in_common}"
        else:
            some = f"{fail:,} fail" if fail else "no other fails"
            title = f"of {total:,} inputs drawn by class{proviso}, {some}{self._in_common}\n({advice})"
        lines = [*self.lines()] if fail else []
        return "\n".join([title + (":" if lines else ""), *lines])

    @property
    def _in_common(self) -> str:
        """What every failing input has in common, if that is told."""
        common = next((name for name in TELLING if name in self._common and self._failing.any()), None)
        article = "an" if common and common[0] in "aeiou" else "a"
        return f", all with {article} {common} operand or result" if common else ""

    def lines(self) -> Iterator[str]:
        """The classes of failing inputs, what should be in place of wrong results, and which flags."""
        if self._operands:
            wording = [f"{name} {{}}" for name in self._operands]
            yield from _table(self._failing, wording, self._tried)
        for name, counts in self._departing.items():
            yield from _table(counts, [f"{name} {{}}", "should be {}"])
        for words, times in (self._flags or Counter()).most_common():
            yield f"  {RAISED}, {words}: {times:,}"


def _everywhere(name: str, met: Sequence[NDArray[np.intp]]) -> bool:
    """Whether of codes side by side, given by class, one is of a class in every place."""
    return bool(np.any([places == CLASSES.index(name) for places in met], axis=0).all())


def _table(counts: Counts, wording: Sequence[str], of: Counts | None = None) -> Iterator[str]:
    """A line for each combination of classes that there is, the most frequent first.

    Args:
        of: what the counts are a part of, if that is to be told.
    """
    flat = counts.ravel()
    order = [int(index) for index in np.argsort(-flat, kind="stable") if flat[index]]
    for index in order[:SHOWN_CLASSES]:
        names = (CLASSES[place] for place in np.unravel_index(index, counts.shape))
        label = ", ".join(text.format(name) for text, name in zip(wording, names, strict=True))
        share = f" of {of.ravel()[index]:,}" if of is not None else ""
        yield f"  {label}: {flat[index]:,}{share}"
    if len(order) > SHOWN_CLASSES:
        rest = sum(int(flat[index]) for index in order[SHOWN_CLASSES:])
        yield f"  of other classes: {rest:,}"
