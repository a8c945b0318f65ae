"""Berkeley TestFloat's lines: read and compared with a circuit and its spec, or written from the spec.

A line is a vector: operands, result and exception flags in hexadecimal, as ``testfloat_gen FUNCTION``
writes them (TestFloat 3e, ``doc/testfloat_gen.html``): each of as many digits as its bits need, between
single spaces. In the flags inexact has bit 0 and invalid bit 4: our order reversed. Here they are always
in ours, the lines aside.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any, BinaryIO

import click
import numpy as np
from numpy.typing import NDArray

from spikeproof.circuits.meanings.bitsliced import BitSlicedSimulator
from spikeproof.circuits.meanings.boolean import word_type
from spikeproof.circuits.netlist import Netlist
from spikeproof.prover.claims.catalogue import require_fitting, stated
from spikeproof.prover.claims.obligation import Obligation, require_same_buses
from spikeproof.prover.refutation.comparison import SIDES, column
from spikeproof.prover.refutation.counterexample import compared
from spikeproof.prover.refutation.drawing import inputs_by_class, landmarks
from spikeproof.prover.refutation.minimisation import place_of_simplest
from spikeproof.prover.refutation.signalling import RAISED
from spikeproof.prover.refutation.tally import CLASSES, Counts, Formats, Tally, count
from spikeproof.prover.running.reference_model import ReferenceModel
from spikeproof.specs.formats import FLAGS, Format

BATCH = 1 << 16
"""Lines in memory at a time."""

SAMPLE = 100
"""Of so many lines of a batch, drawn at random, the spec of record is asked too."""

LANDMARKS = 0.25
"""How many of the operands that are drawn are landmarks."""

DRAWN_BITS = 64
"""Operands of up to so many bits can be drawn by class."""

RESULT = "result"

Array = NDArray[Any]
Columns = Mapping[str, Array]

_DIGITS = b"0123456789ABCDEF"
_NONE = 16
"""In place of the value of what is no digit."""

_VALUES = np.full(256, _NONE, dtype=np.uint8)
_VALUES[np.frombuffer(_DIGITS, dtype=np.uint8)] = range(16)
_VALUES[np.frombuffer(_DIGITS.lower(), dtype=np.uint8)] = range(16)

_REVERSED = np.array([int(f"{word:0{len(FLAGS)}b}"[::-1], 2) for word in range(1 << len(FLAGS))])


class VectorError(click.ClickException):
    """Lines that are no vectors of a theorem, or one that has none; in one line, with what to do."""


# --- lines --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Lines:
    """The lines of a theorem's vectors.

    Attributes:
        theorem: its name.
        widths: bits of each field, by its name, in order.
    """

    theorem: str
    widths: Mapping[str, int]

    @property
    def length(self) -> int:
        """Characters in a line, its end included."""
        return sum(_digits(width) + 1 for width in self.widths.values())

    @property
    def without_flags(self) -> Lines:
        """The same, but for flags."""
        return replace(self, widths={name: w for name, w in self.widths.items() if name != RAISED})

    def read(self, file: BinaryIO, *, flags: bool = True) -> Iterator[tuple[Array, Columns]]:
        """The codes of each field, many lines at a time, after the numbers of these lines.

        Letters may be small, and blanks more than one. Empty lines, and those that begin with ``#``, are
        passed over.

        Args:
            flags: whether they must be there; else it is as the first line has it.

        Raises:
            VectorError: naming the first line that is no vector; or if there are none.
        """
        lines, first, found = self, 1, False
        for block in _blocks(file, BATCH * self.length):
            rows = block.split(b"\n")[:-1]
            places = [place for place, row in enumerate(rows) if row.strip()[:1] not in (b"", b"#")]
            numbers, vectors = [first + place for place in places], [rows[place] for place in places]
            first += len(rows)
            if not vectors:
                continue
            if not (found or flags) and len(vectors[0].split()) < len(self.widths):
                lines = self.without_flags
            columns = lines.parsed(_block(vectors)) or lines.parsed(_tidied(vectors))
            if columns is None:
                raise lines.refusal(vectors, numbers)
            yield np.array(numbers), columns
            found = True
        if not found:
            raise VectorError(
                "no lines were read, and no vectors are no test; pipe what `testfloat_gen FUNCTION` "
                "writes into this, or name a FILE"
            )

    def parsed(self, block: bytes) -> Columns | None:
        """The codes of each field, if all lines are as ``testfloat_gen`` writes them."""
        if len(block) % self.length:
            return None
        rows = np.frombuffer(block, dtype=np.uint8).reshape(-1, self.length)
        columns = {}
        for (name, width), end in zip(self.widths.items(), self._ends(), strict=True):
            digits = _VALUES[rows[:, end - _digits(width) : end]]
            last = ord("\n") if end == self.length - 1 else ord(" ")
            if (digits == _NONE).any() or (rows[:, end] != last).any():
                return None
            columns[name] = _joined(digits, width)
            if digits[:, 0].max() >> (width - 1) % 4 + 1:
                return None
        if RAISED in columns:
            columns[RAISED] = reversed_flags(columns[RAISED])
        return columns

    def refusal(self, rows: Sequence[bytes], numbers: Sequence[int]) -> VectorError:
        """Why lines of these numbers, of which some are no vectors, are refused: the first of those."""
        lines = zip(numbers, rows, strict=True)
        return next(VectorError(f"line {n}{why}") for n, line in lines if (why := self._problem(line)))

    def written(self, columns: Columns) -> str:
        """The lines of some codes, by field."""
        size = len(columns[RESULT])
        rows = np.full((size, self.length), ord(" "), dtype=np.uint8)
        rows[:, -1] = ord("\n")
        for (name, width), end in zip(self.widths.items(), self._ends(), strict=True):
            codes = reversed_flags(columns[name]) if name == RAISED else columns[name]
            for place in range(_digits(width)):
                digits = (codes >> 4 * place & 15).astype(np.intp)
                rows[:, end - 1 - place] = np.frombuffer(_DIGITS, dtype=np.uint8)[digits]
        return rows.tobytes().decode("ascii")

    def _ends(self) -> list[int]:
        """Where the blank after each field is."""
        return [end - 1 for end in accumulate(_digits(width) + 1 for width in self.widths.values())]

    def _problem(self, line: bytes) -> str:
        """What is wrong with a line, and what to do; nothing if it is a vector."""
        words, advice = line.split(), "check TestFloat's function against docs/testfloat.md"
        if len(words) != len(self.widths):
            if self.theorem.endswith(f".{RAISED}") and len(words) == len(self.without_flags.widths):
                advice = f"if they lack flags, ask for {self.theorem.removesuffix(f'.{RAISED}')}"
            names = ", ".join(self.widths)
            return (
                f" has {len(words)} fields, vectors of {self.theorem} have {len(self.widths)} "
                f"({names}): {advice}"
            )
        for (name, width), word in zip(self.widths.items(), words, strict=True):
            said = f": {name} is {word[:40].decode('ascii', 'backslashreplace')!r}"
            if word[:2] in (b"0x", b"0X"):
                return f"{said}; write it without 0x"
            if len(word) != _digits(width):
                return (
                    f"{said}, of {self.theorem} it has {_digits(width)} digits ({width} bits): {advice}"
                )
            if any(_VALUES[letter] == _NONE for letter in word):
                return f"{said}, which is not hexadecimal; write digits 0 to 9 and A to F"
            if int(word, 16) >> width:
                return f"{said}, which has more than {width} bits; clear those above"
        return ""


def _blocks(file: BinaryIO, size: int) -> Iterator[bytes]:
    """Whole lines, of about so many characters together; what is last may lack its end."""
    rest = b""
    while block := file.read(size):
        lines, newline, rest = (rest + block).rpartition(b"\n")
        if newline:
            yield lines + newline
        elif len(rest) >= size:
            raise VectorError(f"no line ends within {size:,} characters; give TestFloat's vectors")
    if rest:
        yield rest + b"\n"


def _block(rows: Iterable[bytes]) -> bytes:
    """Lines with their ends."""
    return b"".join(row + b"\n" for row in rows)


def _tidied(rows: Iterable[bytes]) -> bytes:
    """The same, with single spaces between their words."""
    return _block(b" ".join(row.split()) for row in rows)


def _digits(width: int) -> int:
    return -(-width // 4)


def _joined(digits: NDArray[np.uint8], width: int) -> Array:
    """The codes of so many bits that have these digits."""
    kind = word_type(width)
    codes: Array = np.zeros(len(digits), dtype=kind)
    for place in digits.T:
        codes = codes << 4 | place.astype(kind)
    return codes


def reversed_flags(words: Array) -> Array:
    """Flags words in SoftFloat's order from ours, or the other way round."""
    reversed_words: Array = _REVERSED[words.astype(np.intp)].astype(np.uint64)
    return reversed_words


def lines_of(obligation: Obligation) -> Lines:
    """The lines of a theorem's vectors.

    Raises:
        NetlistError: if it is about formulas, or about the neurons of its own circuit.
        VectorError: if it is about no floating-point unit.
    """
    if obligation.circuit is None:
        raise VectorError(f"{obligation.name} is about formulas, not about a circuit; choose a unit")
    own = obligation.circuit()
    require_same_buses(obligation, own)
    outputs = own.output_widths
    flags = {RAISED: len(FLAGS)}
    if obligation.reading is None or outputs | flags != {RESULT: outputs.get(RESULT)} | flags:
        raise VectorError(
            f"{obligation.name} gives {', '.join(outputs)}, TestFloat's vectors have a result and its "
            "flags; choose a floating-point unit"
        )
    return Lines(obligation.name, {**own.inputs, RESULT: outputs[RESULT], **flags})


# --- vectors against circuit and spec -----------------------------------------------------------

VECTORS = "vectors"

GROUPS = {
    "the circuit differs, spec and vectors agree": ("circuit", VECTORS),
    "the spec differs, circuit and vectors agree": ("spec", VECTORS),
    "the vectors differ, circuit and spec agree": (VECTORS, "spec"),
    "circuit, spec and vectors all differ": ("circuit", VECTORS),
}
"""Who may disagree with whom: whose outputs are counted, and whose should be in their place."""

Sides = Mapping[str, Mapping[str, Array]]


@dataclass
class _Group:
    """Vectors about which the same ones disagree.

    Attributes:
        simplest: the inputs of the simplest, then what each side makes of it; and its line.
    """

    tally: Tally
    count: int = 0
    simplest: tuple[dict[str, int], dict[str, dict[str, int]]] | None = None
    line: int = 0


class Check:
    """Vectors compared with a circuit and its spec, counted as they come.

    Args:
        obligation: the theorem.
        circuit: in place of its own.

    Attributes:
        lines: what vectors look like.
        vectors: how many were compared.

    Raises:
        NetlistError, VectorError: as ``lines_of``; or if the circuit has other buses.
    """

    def __init__(self, obligation: Obligation, circuit: Netlist | None = None) -> None:
        self.lines = lines_of(obligation)
        assert obligation.circuit
        assert obligation.reading
        if circuit:
            require_fitting(obligation, circuit)
        self._obligation = obligation
        self._netlist = circuit or obligation.circuit()
        self._spec = _spec_of(obligation)
        self._circuit = BitSlicedSimulator(self._netlist)
        self._formats: Formats = obligation.reading.formats
        self._operands = {n: self._formats[n] for n in self._spec.inputs if n in self._formats}
        self._tried: Counts = np.zeros((len(CLASSES),) * len(self._operands), dtype=np.int64)
        results = {n: self._formats[n] for n in self._spec.outputs if n in self._formats}
        self._groups = {
            title: _Group(Tally(self._tried, self._operands, results, self.has_flags))
            for title in GROUPS
        }
        self.vectors = self._sampled = 0

    @property
    def has_flags(self) -> bool:
        """Whether the theorem is about flags too."""
        return RAISED in self._spec.outputs

    @property
    def disagreements(self) -> int:
        """How many vectors somebody disagrees about."""
        return sum(group.count for group in self._groups.values())

    def add(self, lines: Array, vectors: Columns) -> None:
        """Compare some vectors.

        Args:
            lines: the number of the line of each.

        Raises:
            VectorError: if the theorem says nothing of an operand.
            RuntimeError: if the compiled formula of the spec contradicts the spec of record.
        """
        inputs = {name: vectors[name] for name in self._spec.inputs}
        size = len(vectors[RESULT])
        try:
            spec = self._spec(inputs, sample=SAMPLE)
        except ValueError as error:
            raise VectorError(f"of lines {lines[0]} to {lines[-1]}: {error}") from None
        given = {name: vectors[name] for name in self._spec.outputs}
        sides: Sides = {"circuit": self._circuit.evaluate(inputs), "spec": spec, VECTORS: given}
        codes = [inputs[name] for name in self._operands]
        self._tried += count(size, codes, list(self._operands.values()))
        self.vectors += size
        self._sampled += min(size, SAMPLE)
        for title, which in self._who_differs(inputs, sides).items():
            places = np.flatnonzero(which)
            if len(places):
                chosen = {side: _at(outputs, places) for side, outputs in sides.items()}
                self._add(title, lines[places], _at(inputs, places), chosen)

    def _who_differs(self, inputs: Columns, sides: Sides) -> dict[str, NDArray[np.bool_]]:
        """Where each of ``GROUPS`` does."""
        circuit, spec = (self._differ(inputs, sides[side], sides[VECTORS]) for side in SIDES)
        both = circuit & spec
        places = np.flatnonzero(both)
        chosen = (_at(sides[side], places) for side in SIDES)
        all_differ = both.copy()
        all_differ[places] = self._differ(_at(inputs, places), *chosen)
        masks = (circuit & ~spec, spec & ~circuit, both & ~all_differ, all_differ)
        return dict(zip(GROUPS, masks, strict=True))

    def _differ(self, inputs: Columns, left: Columns, right: Columns) -> NDArray[np.bool_]:
        """Where outputs differ in what counts to the theorem."""
        differ: NDArray[np.bool_] = np.any([left[name] != right[name] for name in right], axis=0)
        places = np.flatnonzero(differ)
        if len(places):
            columns = {
                column(side, name): codes
                for side, outputs in zip(SIDES, (left, right), strict=True)
                for name, codes in outputs.items()
            }
            differ[places] = self._spec.comparison.differ(_at({**inputs, **columns}, places))
        return differ

    def _add(self, title: str, lines: Array, inputs: Columns, sides: Sides) -> None:
        group = self._groups[title]
        found, wanted = (sides[side] for side in GROUPS[title])
        group.count += len(lines)
        group.tally.add(inputs, found, wanted)
        known = {n: [group.simplest[0][n]] if group.simplest else [] for n in inputs}
        together = {n: np.append(np.array(known[n], words.dtype), words) for n, words in inputs.items()}
        place = place_of_simplest(together, self._spec.inputs, self._formats) - (
            group.simplest is not None
        )
        if place >= 0:
            codes = {name: int(words[place]) for name, words in inputs.items()}
            outputs = {s: {n: int(w[place]) for n, w in each.items()} for s, each in sides.items()}
            group.simplest, group.line = (codes, outputs), int(lines[place])

    # --- in words -------------------------------------------------------------------------------

    def in_words(self) -> str:
        """Who disagrees with whom, how often and about what, and the simplest of each kind."""
        name = self._obligation.name
        some = f"{self.disagreements:,} disagree{'s' if self.disagreements == 1 else ''}"
        verdict = some if self.disagreements else "all agree"
        text = [f"{name}: {self.vectors:,} vectors, {verdict}", *self._notes()]
        for title, group in self._groups.items():
            if group.count:
                text += ["", *self._of(title, group)]
        return "\n".join(text)

    def _notes(self) -> Iterator[str]:
        shown = " and on what is shown" if self.disagreements else ""
        yield "  spec: the compiled formula on all of them,"
        yield f"    the spec of record on {self._sampled:,} drawn at random{shown}"
        if not self.has_flags:
            other = f"{self._obligation.name}.flags"
            yield "  flags: not compared, for the theorem does not speak of them"
            if stated(other):
                yield f"    {other} does"

    def _of(self, title: str, group: _Group) -> Iterator[str]:
        assert group.simplest
        yield f"{title}: {group.count:,} of {self.vectors:,}"
        yield from group.tally.lines()
        inputs, sides = group.simplest
        self._spec({name: np.array([code]) for name, code in inputs.items()}, sample=1)
        others = {side: sides[side] for side in ("spec", VECTORS)}
        shown = f"the simplest of them, line {group.line}:"
        yield compared(self._obligation, self._netlist, inputs, others, shown)


def _at(columns: Columns, places: Array) -> Columns:
    return {name: codes[places] for name, codes in columns.items()}


def _spec_of(obligation: Obligation) -> ReferenceModel:
    try:
        return ReferenceModel(obligation)
    except ValueError as error:
        raise VectorError(str(error)) from None


# --- vectors of the spec ------------------------------------------------------------------------


def generated(obligation: Obligation, total: int, seed: int) -> Iterator[tuple[int, str]]:
    """So many vectors, as many lines at a time as are said before them.

    Operands are drawn by class, and the same for a seed: fewer are the first of more. Results and flags
    are the spec's; of a theorem that has no flags, lines have none.

    Raises:
        NetlistError, VectorError: as ``lines_of``; or if operands are too wide to be drawn.
        RuntimeError: if the compiled formula of the spec contradicts the spec of record.
    """
    lines, spec = lines_of(obligation), _spec_of(obligation)
    assert obligation.reading
    if max(spec.inputs.values()) > DRAWN_BITS:
        raise VectorError(
            f"operands of {obligation.name} are too wide to be drawn; {DRAWN_BITS} bits can"
        )
    if RAISED not in spec.outputs:
        lines = lines.without_flags
    for number, start in enumerate(range(0, total, BATCH)):
        drawn = _operands(spec.inputs, obligation.reading.formats, np.random.default_rng([seed, number]))
        inputs = {name: codes[: total - start] for name, codes in drawn.items()}
        size = min(BATCH, total - start)
        yield size, lines.written({**inputs, **spec(inputs, sample=SAMPLE)})


def _operands(widths: Mapping[str, int], formats: Formats, rng: np.random.Generator) -> Columns:
    """A batch drawn by class, in which some floating-point codes are landmarks: rare pairs meet."""
    drawn = inputs_by_class(widths, formats, BATCH, int(rng.integers(1 << 62)))
    for name, codes in drawn.items():
        fmt = formats.get(name)
        if isinstance(fmt, Format):
            chosen = rng.choice(np.array(landmarks(fmt), dtype=np.uint64), BATCH)
            drawn[name] = np.where(rng.random(BATCH) < LANDMARKS, chosen, codes)
    return drawn
