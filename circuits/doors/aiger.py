"""Netlists as AIGER files, ascii (``.aag``) and binary (``.aig``).

The format is that of A. Biere, "The AIGER And-Inverter Graph (AIG) Format", version 20071012, with the
header of version 1.9 (2011). A literal is twice a variable, odd where it is negated; 0 is false.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from spikeproof.circuits.doors.gates import (
    Circuit,
    Gate,
    Net,
    Register,
    bits,
    buses_by_name,
    buses_by_width,
    conjunction,
    inverter,
    read_file,
    require_few_bits,
)
from spikeproof.circuits.doors.unrolling import Steps, unrolled
from spikeproof.circuits.meanings.logic import AND, netlist_logic
from spikeproof.circuits.netlist import Netlist, NetlistError

# --- reading ------------------------------------------------------------------------------------


def read_aiger(
    path: Path | str,
    inputs: Mapping[str, int] | None = None,
    outputs: Mapping[str, int] | None = None,
    steps: int | Steps | None = None,
) -> Netlist:
    """Read an AIGER file, of either kind.

    Args:
        inputs: names and widths of buses, for the input bits in the file's order, least significant bit
            first; without it the file's symbols name them: ``x[0]``, ``x[1]``, ...
        outputs: likewise.
        steps: over how many a file with latches is unrolled: see ``doors.unrolling``.

    Raises:
        NetlistError: if the file cannot be read, is not of this form, or has latches and no steps are
            given; one line.
    """
    return read_file(path, lambda content: unrolled(_circuit(_File(content), inputs, outputs), steps))


class _File:
    """The octets of a file, read from the front."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._place = 0
        self._line = 0

    def left(self) -> int:
        """How many octets are left."""
        return len(self._content) - self._place

    def line(self) -> str:
        """The next line, without its end."""
        end = self._content.find(b"\n", self._place)
        if end < 0:
            raise NetlistError(f"the file ends within or before line {self._line + 1}; is it whole?")
        text = self._content[self._place : end]
        self._place, self._line = end + 1, self._line + 1
        try:
            return text.decode().rstrip("\r")
        except UnicodeDecodeError:
            raise NetlistError(f"line {self._line} is not text; is it a whole AIGER file?") from None

    def numbers(self, count: int, optional: int = 0) -> list[int]:
        """The next line as so many numbers, after which there may be others."""
        text = self.line()
        words = text.split(" ")
        if not count <= len(words) <= count + optional or not all(map(_is_number, words)):
            expected = "a number" if count == 1 else f"{count} numbers"
            raise NetlistError(f"line {self._line} is {text[:40]!r}; it should be {expected}")
        return [int(word) for word in words]

    def delta(self) -> int:
        """The next difference of literals, seven bits an octet."""
        value = shift = 0
        while self._place < len(self._content) and shift < 35:
            octet = self._content[self._place]
            self._place += 1
            value |= (octet & 127) << shift
            if octet < 128:
                return value
            shift += 7
        raise NetlistError("the file ends within its gates, or has a number above 2^35; is it whole?")

    def symbols(self, counts: Mapping[str, int]) -> dict[str, str]:
        """The names by position, up to the comment: each one of so many for its letter, named once."""
        names: dict[str, str] = {}
        while self.left() and (text := self.line()) != "c":
            position, space, name = text.partition(" ")
            if not space:
                raise NetlistError(f"line {self._line} is {text[:40]!r}; it should be a symbol, or 'c'")
            if not _is_position(position, counts):
                raise NetlistError(
                    f"line {self._line} names {position[:40]!r}, and the file has no such input, latch "
                    "or output; correct or remove it"
                )
            if position in names:
                raise NetlistError(f"line {self._line} names {position} again; keep one name")
            names[position] = name
        return names


def _circuit(
    file: _File, input_widths: Mapping[str, int] | None, output_widths: Mapping[str, int] | None
) -> Circuit:
    binary, variables, ins, latches, outs, ands = _header(file)
    inputs = [2 * (1 + n) for n in range(ins)] if binary else [file.numbers(1)[0] for _ in range(ins)]
    registers = [_latch(file, 2 * (1 + ins + n) if binary else None) for n in range(latches)]
    outputs = [file.numbers(1)[0] for _ in range(outs)]
    gates: dict[Net, Gate] = {0: Gate(())}
    for index in range(ands):
        gate = 2 * (1 + ins + latches + index)
        driven, *operands = _binary_gate(file, gate) if binary else file.numbers(3)
        if driven in gates or driven % 2 or not 0 < driven <= 2 * variables:
            raise NetlistError(f"{driven} is driven twice, or is no literal that a gate could drive")
        gates[driven] = conjunction(*((literal & ~1, literal % 2 == 0) for literal in operands))
    given = [*inputs, *(driven for driven, _, _ in registers)]
    if len({*given} - gates.keys()) < ins + latches or any(literal % 2 for literal in given):
        raise NetlistError("an input or latch is negated, or is driven by a gate, or occurs twice")
    read = [*outputs, *(source for _, source, _ in registers)]
    gates.update((literal, inverter(literal ^ 1)) for literal in read if literal % 2)
    names = file.symbols({"i": ins, "l": latches, "o": outs})
    return Circuit(
        _buses("i", "input", inputs, names, input_widths),
        gates,
        _buses("o", "output", outputs, names, output_widths),
        {driven: Register(source, reset) for driven, source, reset in registers},
    )


def _latch(file: _File, literal: int | None) -> tuple[int, int, bool | None]:
    """The next latch's literal, which the file says if it is not given; its source's; and its reset.

    It is reset to 0 unless a number says otherwise, which is the literal itself for no reset at all.
    """
    latch = file.numbers(2, 1) if literal is None else [literal, *file.numbers(1, 1)]
    driven, source, reset = latch if len(latch) == 3 else (*latch, 0)
    if reset not in (0, 1, driven):
        raise NetlistError(f"latch {driven} is reset to {reset}; write 0, 1 or {driven} (undefined)")
    return driven, source, None if reset == driven else bool(reset)


def _header(file: _File) -> tuple[bool, int, int, int, int, int]:
    """Whether the rest is binary; and how many variables, inputs, latches, outputs and gates."""
    kind, _, rest = file.line().partition(" ")
    words = rest.split(" ")
    if kind not in ("aig", "aag") or not 5 <= len(words) <= 9 or not all(map(_is_number, words)):
        raise NetlistError(
            "the first line is not that of an AIGER file, 'aag M I L O A' or 'aig M I L O A', "
            "of at most 10 digits each"
        )
    variables, ins, latches, outs, ands, *properties = map(int, words)
    if any(properties):
        raise NetlistError("it states properties; write the circuit alone")
    binary = kind == "aig"
    require_few_bits([ins])  # of which a binary file says nothing else
    octets = latches + outs + (2 * ands if binary else ins + ands)  # each has at least so many
    if octets > file.left() or (binary and variables != ins + latches + ands):
        raise NetlistError("its first line promises more than the file holds; is it whole?")
    return binary, variables, ins, latches, outs, ands


def _binary_gate(file: _File, gate: int) -> tuple[int, int, int]:
    first = gate - file.delta()
    second = first - file.delta()
    if not 0 <= second <= first < gate:
        raise NetlistError(f"the gate of literal {gate} reads what is not before it; is the file whole?")
    return gate, first, second


def _is_number(word: str) -> bool:
    return word.isascii() and word.isdigit() and len(word) <= 10


def _is_position(word: str, counts: Mapping[str, int]) -> bool:
    """Whether it is a letter and a number below its count, as in ``i0``; written in one way only."""
    letter, number = word[:1], word[1:]
    return _is_number(number) and number == str(int(number)) and int(number) < counts.get(letter, 0)


def _buses(
    letter: str,
    what: str,
    literals: Sequence[int],
    names: Mapping[str, str],
    widths: Mapping[str, int] | None,
) -> dict[str, list[Net]]:
    if widths is not None:
        return buses_by_width(literals, widths, what)
    nameless = [position for position in range(len(literals)) if f"{letter}{position}" not in names]
    if nameless:
        raise NetlistError(
            f"{what} {nameless[0]} has no name; add symbols such as '{letter}0 x[0]' to the file's end"
        )
    return buses_by_name([(names[f"{letter}{n}"], net) for n, net in enumerate(literals)], what)


# --- writing ------------------------------------------------------------------------------------


def as_aiger(netlist: Netlist, *, binary: bool) -> bytes:
    """A netlist as the content of an AIGER file, binary or ascii, with symbols."""
    gates, outputs = _and_inverters(netlist)
    ins, count = netlist.input_count, len(gates)
    lines = [f"{'aig' if binary else 'aag'} {ins + count} {ins} 0 {len(outputs)} {count}"]
    if not binary:
        lines += [str(2 * (1 + index)) for index in range(ins)]
    lines += map(str, outputs)
    if not binary:
        lines += [f"{gate} {first} {second}" for gate, first, second in gates]
    content = "".join(f"{line}\n" for line in lines).encode()
    if binary:
        content += b"".join(_octets(g - a) + _octets(a - b) for g, a, b in gates)
    names = [f"i{n} {name}" for n, name in enumerate(bits(netlist.inputs))]
    names += [f"o{n} {name}" for n, name in enumerate(bits(netlist.output_widths))]
    return content + "".join(f"{name}\n" for name in names).encode()


def _octets(number: int) -> bytes:
    octets = bytearray()
    while number >= 128:
        octets.append(number & 127 | 128)
        number >>= 7
    return bytes((*octets, number))


def _and_inverters(netlist: Netlist) -> tuple[list[tuple[int, int, int]], list[int]]:
    """What the outputs need: each gate with its two operands, the greater first. And the outputs."""
    logic, driven = netlist_logic(netlist)
    first = 1 + netlist.input_count
    made = {node: 2 * node for node in range(first)}
    gates: list[tuple[int, int, int]] = []

    def conjunction_of(a: int, b: int) -> int:
        gate = 2 * (first + len(gates))
        gates.append((gate, max(a, b), min(a, b)))
        return gate

    for node in logic.live(driven):
        kind, *operands = logic.operations[node - first]
        a, b = (made[literal >> 1] ^ literal & 1 for literal in operands)
        if kind == AND:
            made[node] = conjunction_of(a, b)
        else:
            made[node] = conjunction_of(conjunction_of(a, b) ^ 1, conjunction_of(a ^ 1, b ^ 1) ^ 1)
    return gates, [made[literal >> 1] ^ literal & 1 for literal in driven]
