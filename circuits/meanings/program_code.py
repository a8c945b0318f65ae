"""Integer programs as machine code, through LLVM: some inputs in a row at a time, a word a register.

The same as ``circuits.meanings.programs`` evaluates. A *batch* is ``LANES`` inputs whose numbers follow
one another, and a word of the program a vector of so many integers of 64 bits, in straight-line code.

Neighbouring inputs mostly have the same index of a long table: the place where it was found last is
tried first, and the table is searched only where not all of a batch are there.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import count

import numpy as np

from spikeproof.circuits.meanings.bitsliced import cores
from spikeproof.circuits.meanings.boolean import Words
from spikeproof.circuits.meanings.native import Native, repeated
from spikeproof.circuits.meanings.program_joining import joined
from spikeproof.circuits.meanings.programs import (
    Count,
    Digits,
    Entry,
    Form,
    Given,
    Match,
    Part,
    Product,
    Program,
    ProgramError,
    Quotient,
    Range,
    Root,
    Term,
    Word,
    constant_in_a_row,
    ranges,
    require_program,
)
from spikeproof.circuits.netlist import Netlist

LANES = 16
"""Inputs in a batch: as many as two of the widest registers hold, so that neither waits for its own
results. Narrower ones take more for it."""

VECTOR = f"<{LANES} x i64>"

FEW = 12
"""Up to so many places are compared one by one."""

SHARE = 1 << 16
"""Inputs that a thread does at a time."""

NEVER = (1 << 63) - 1
"""What no form reaches: places are filled up with it to a power of two less one."""


class CompiledProgram:
    """Evaluates a netlist, read as a program, on inputs in a row.

    Args:
        netlist, program: the program must be that of the netlist, which is checked.
        threads: how many to use; None for one on each core.

    Raises:
        ProgramError: as ``require_program`` and ``ranges``; or if outputs have more than 64 bits.
    """

    def __init__(self, netlist: Netlist, program: Program, threads: int | None = None) -> None:
        self._programs = CompiledPrograms([(netlist, program)], threads)

    def evaluate(self, first: int, size: int) -> dict[str, Words]:
        """The output buses for so many inputs, by number: see ``CompiledPrograms``."""
        return self._programs.evaluate(first, size)[0]


class CompiledPrograms:
    """The same of several netlists with the same inputs: words that their programs share are made once.

    Raises:
        ProgramError: as above.
        ValueError: if their inputs are not the same.
    """

    def __init__(self, programs: Sequence[tuple[Netlist, Program]], threads: int | None = None) -> None:
        for netlist, program in programs:
            require_program(netlist, program)
            widest = max(netlist.output_widths.values())
            if widest > 64:
                raise ProgramError(f"an output has {widest} bits, more than a word")
        inputs = [list(netlist.inputs.items()) for netlist, _ in programs]
        if any(each != inputs[0] for each in inputs):
            raise ValueError("netlists are evaluated together on the same inputs alone")
        self._inputs, self._bits = len(inputs[0]), programs[0][0].input_count
        self._buses = [list(netlist.outputs) for netlist, _ in programs]
        self._program = joined([program for _, program in programs])
        self._threads = threads or cores()
        self._alike = range(0), dict[str, int]()
        self._native = Native(_Writer(self._bits, self._program).text())
        self._run = self._native.function(
            "evaluate", None, *[ctypes.c_void_p] * 1, *[ctypes.c_int64] * 2
        )

    def evaluate(self, first: int, size: int) -> list[dict[str, Words]]:
        """Each netlist's output buses for so many inputs: the first input bus varies fastest.

        Args:
            first: number of the first input.
            size: how many, a multiple of ``LANES``.
        """
        if size % LANES or not 0 <= first <= first + size <= 1 << self._bits:
            raise ValueError(
                f"{size} inputs from {first} on are not a multiple of {LANES} of {self._bits} bits"
            )
        if constant := self._constant(first, size):
            found = {name: np.broadcast_to(np.uint64(one), size) for name, one in constant.items()}
        else:
            found = self._evaluated(first, size)
        return [
            {name: found[f"{number}.{name}"] for name in names}
            for number, names in enumerate(self._buses)
        ]

    def _constant(self, first: int, size: int) -> dict[str, int] | None:
        """The outputs if ranges show that these are all the same; else None.

        That is asked of the longest row that may be so, by its ends, and remembered.
        """
        row, outputs = self._alike
        if row.start <= first and first + size <= row.stop:
            return outputs
        if self._inputs > 1:
            return None
        lengths = [size]
        while not first % (length := 2 * lengths[-1]) and first + length <= 1 << self._bits:
            lengths.append(length)
        for length in filter(partial(self._ends_agree, first), reversed(lengths)):
            if constant := constant_in_a_row(self._program, first, length):
                self._alike = range(first, first + length), constant
                return constant
        return None

    def _ends_agree(self, first: int, size: int) -> bool:
        """Whether the first and the last inputs of a row have the same outputs."""
        ends = [self._evaluated(start, LANES) for start in (first, first + size - LANES)]
        return all(len({*ends[0][name].tolist(), *ends[1][name].tolist()}) == 1 for name in ends[0])

    def _evaluated(self, first: int, size: int) -> dict[str, Words]:
        found = {name: np.empty(size, np.uint64) for name in self._program.outputs}

        def run(start: int) -> None:
            here = [ctypes.c_void_p(each[start:].ctypes.data) for each in found.values()]
            pointers = (ctypes.c_void_p * len(here))(*here)
            self._run(pointers, first + start, min(SHARE, size - start) // LANES)

        with ThreadPoolExecutor(self._threads) as pool:
            list(pool.map(run, range(0, size, SHARE)))
        return found


class _Writer:
    """Writes the function of a program: ``void evaluate(ptr outputs, i64 first, i64 batches)``."""

    def __init__(self, input_count: int, program: Program) -> None:
        self.input_count, self.program = input_count, program
        self.found, self.read = ranges(program)
        self.names: list[str] = []
        self.parts: dict[tuple[int, int, int], str] = {}
        self.known_terms: dict[Term, int] = {}
        self.sums: dict[tuple[int, ...], str] = {}
        self.constants: list[str] = []
        self.hints: list[str] = []
        self.numbers = count()

    def text(self) -> str:
        """The function in LLVM's language, with what it calls."""
        body = list(self._body())
        return "\n".join(
            (
                *self.constants,
                _SEARCH,
                _QUOTIENT,
                _ROOT,
                *_DECLARATIONS,
                "define void @evaluate(ptr %outputs, i64 %first, i64 %batches) {",
                *(f"{hint} = alloca i64" for hint in self.hints),
                *(f"store i64 0, ptr {hint}" for hint in self.hints),
                *repeated("batch", "%batches", body),
                "ret void",
                "}",
            )
        )

    def _name(self) -> str:
        return f"%v{next(self.numbers)}"

    def _body(self) -> Iterator[str]:
        yield f"%offset = mul i64 %batch, {LANES}"
        yield "%number = add i64 %first, %offset"
        yield from self._broadcast("%numbers.start", "%number")
        lanes = ", ".join(f"i64 {lane}" for lane in range(LANES))
        yield f"%numbers = add {VECTOR} %numbers.start, <{lanes}>"
        for index, word in enumerate(self.program.words):
            name = f"%word{index}"
            if isinstance(word, Given):
                place, size = word.bus[0], len(word.bus)
                yield from self._bits(name, "%numbers", place, size, self.input_count - place)
            else:
                yield from self._word(name, word, index)
            self.names.append(name)
        for index, form in enumerate(self.program.outputs.values()):
            yield from self._form(f"%output{index}", form)
            yield f"%to{index} = getelementptr ptr, ptr %outputs, i64 {index}"
            yield f"%bus{index} = load ptr, ptr %to{index}, align 8"
            yield f"%here{index} = getelementptr i64, ptr %bus{index}, i64 %offset"
            yield f"store {VECTOR} %output{index}, ptr %here{index}, align 8"

    def _word(self, name: str, word: Word, index: int) -> Iterator[str]:
        read = []
        for form in word.forms():
            read.append(self._name())
            yield from self._form(read[-1], form)
        if isinstance(word, Digits):
            yield from self._clamped(name, read[0], self.read[index][0], word.most)
        elif isinstance(word, Count):
            yield from self._count(name, read[0], word.places)
        elif isinstance(word, Match):
            yield from self._match(name, read[0], word.codes)
        elif isinstance(word, Quotient):
            most = splat((1 << len(word.digits)) - 1)
            given = f"{VECTOR} {read[0]}, {VECTOR} {read[1]}, {VECTOR} {most}"
            yield f"{name} = call {VECTOR} @quotient({given})"
        elif isinstance(word, Root):
            numbers = (word.less, word.scale, (1 << len(word.digits)) - 1)
            given = ", ".join(f"{VECTOR} {each}" for each in (read[0], *map(splat, numbers)))
            yield f"{name} = call {VECTOR} @root({given})"
        else:
            assert isinstance(word, Product)
            yield from self._product(name, word, read, self.read[index])

    # --- forms ----------------------------------------------------------------------------------

    def _form(self, name: str, form: Form) -> Iterator[str]:
        """Sums that begin alike, as those of a quotient's digits do, have their beginning once."""
        total = "zeroinitializer"
        for place, term in enumerate(form.terms, 1):
            self.known_terms.setdefault(term, len(self.known_terms))
            key = tuple(self.known_terms[each] for each in form.terms[:place])
            if key not in self.sums:
                value, self.sums[key] = self._name(), self._name()
                yield from self._term(value, term)
                yield f"{self.sums[key]} = add {VECTOR} {total}, {value}"
            total = self.sums[key]
        yield f"{name} = add {VECTOR} {total}, {splat(form.constant)}"

    def _term(self, name: str, term: Term) -> Iterator[str]:
        source = self.names[term.word]
        if term.size:
            key = (term.word, term.low, term.size)
            if key not in self.parts:
                self.parts[key] = self._name()
                known = max(1, self.found[term.word].high.bit_length())
                yield from self._bits(self.parts[key], source, term.low, term.size, known - term.low)
            source = self.parts[key]
        if isinstance(term, Entry) and len(term.values) > 2:
            yield from self._entry(name, source, term.values)
        elif term.size == 1:
            zero, one = (0, term.weight) if isinstance(term, Part) else term.values
            yield from self._chosen(name, source, splat(one), splat(zero))
        else:
            assert isinstance(term, Part)
            yield f"{name} = mul {VECTOR} {source}, {splat(term.weight)}"

    def _chosen(self, name: str, bit: str, one: str, zero: str = "zeroinitializer") -> Iterator[str]:
        """One number where a bit is 1, and another where it is 0."""
        chosen = self._name()
        yield f"{chosen} = icmp ne {VECTOR} {bit}, zeroinitializer"
        yield f"{name} = select <{LANES} x i1> {chosen}, {VECTOR} {one}, {VECTOR} {zero}"

    def _chosen_at(self, name: str, index: str, place: int, value: int) -> Iterator[str]:
        """A number where an index is one, else 0."""
        chosen = self._name()
        yield f"{chosen} = icmp eq {VECTOR} {index}, {splat(place)}"
        yield f"{name} = select <{LANES} x i1> {chosen}, {VECTOR} {splat(value)}, {VECTOR} {splat(0)}"

    def _bits(self, name: str, source: str, low: int, size: int, known: int) -> Iterator[str]:
        """Some bits of a number, of which from ``low`` on there are ``known``."""
        shifted = source
        if low:
            shifted = self._name() if known > size else name
            yield f"{shifted} = lshr {VECTOR} {source}, {splat(low)}"
        if known > size:
            yield f"{name} = and {VECTOR} {shifted}, {splat((1 << size) - 1)}"
        elif not low:
            yield f"{name} = add {VECTOR} {source}, zeroinitializer"

    def _entry(self, name: str, index: str, values: tuple[int, ...]) -> Iterator[str]:
        if len(places := [place for place, value in enumerate(values) if value]) == 1:
            yield from self._chosen_at(name, index, places[0], values[places[0]])
            return
        size = 1 << (len(values) - 1).bit_length()
        yield from self._gathered(name, self._constant((*values, *[0] * (size - len(values)))), index)

    def _constant(self, values: tuple[int, ...]) -> str:
        name = f"@table{len(self.constants)}"
        entries = ", ".join(f"i64 {value}" for value in values)
        self.constants.append(f"{name} = internal constant [{len(values)} x i64] [{entries}], align 64")
        return name

    def _gathered(self, name: str, table: str, index: str) -> Iterator[str]:
        where = self._name()
        yield f"{where} = getelementptr i64, ptr {table}, {VECTOR} {index}"
        yield f"{name} = call {VECTOR} {_GATHER}({_gather_arguments(where)})"

    # --- words ----------------------------------------------------------------------------------

    def _clamped(self, name: str, form: str, known: Range, most: int) -> Iterator[str]:
        kept = form
        if known.low < 0:
            kept = self._name()
            yield f"{kept} = call {VECTOR} {_MAXIMUM}({VECTOR} {form}, {VECTOR} zeroinitializer)"
        if known.high > most:
            yield f"{name} = call {VECTOR} {_MINIMUM}({VECTOR} {kept}, {VECTOR} {splat(most)})"
        else:
            yield f"{name} = add {VECTOR} {kept}, zeroinitializer"

    def _count(self, name: str, form: str, places: tuple[int, ...]) -> Iterator[str]:
        if len(places) > FEW:
            yield from self._found(name, form, places, strictly=False)
            return
        total = "zeroinitializer"
        for place in places:
            reached, one, added = self._name(), self._name(), self._name()
            yield f"{reached} = icmp sge {VECTOR} {form}, {splat(place)}"
            yield f"{one} = zext <{LANES} x i1> {reached} to {VECTOR}"
            yield f"{added} = add {VECTOR} {total}, {one}"
            total = added
        yield f"{name} = add {VECTOR} {total}, zeroinitializer"

    def _match(self, name: str, form: str, codes: tuple[int, ...]) -> Iterator[str]:
        if len(codes) > FEW:
            yield from self._found(name, form, codes, strictly=True)
            return
        total = "zeroinitializer"
        for index, code in enumerate(codes, 1):
            equal, chosen = self._name(), self._name()
            yield f"{equal} = icmp eq {VECTOR} {form}, {splat(code)}"
            yield f"{chosen} = select <{LANES} x i1> {equal}, {VECTOR} {splat(index)}, {VECTOR} {total}"
            total = chosen
        yield f"{name} = add {VECTOR} {total}, zeroinitializer"

    def _found(self, name: str, form: str, places: tuple[int, ...], *, strictly: bool) -> Iterator[str]:
        """How many places are reached; if ``strictly``, which is, or 0 if none.

        With a place before all and one beyond all, place k and k + 1 are about whatever reaches k.
        """
        top = 1 << len(places).bit_length() - 1
        beyond = [NEVER] * (2 * top - len(places))
        table = self._constant((-NEVER, *places, *beyond))
        label = name[1:]
        hint = f"%hint.{label}"
        self.hints.append(hint)
        yield f"%k.{label} = load i64, ptr {hint}, align 8"
        for side, offset in (("low", 0), ("high", 1)):
            yield f"%i.{side}.{label} = add i64 %k.{label}, {offset}"
            yield f"%p.{side}.{label} = getelementptr i64, ptr {table}, i64 %i.{side}.{label}"
            yield f"%e.{side}.{label} = load i64, ptr %p.{side}.{label}, align 8"
            yield from self._broadcast(f"%b.{side}.{label}", f"%e.{side}.{label}")
        yield f"%c.low.{label} = icmp {'sgt' if strictly else 'sge'} {VECTOR} {form}, %b.low.{label}"
        yield f"%c.high.{label} = icmp slt {VECTOR} {form}, %b.high.{label}"
        yield f"%c.{label} = and <{LANES} x i1> %c.low.{label}, %c.high.{label}"
        yield f"%m.{label} = bitcast <{LANES} x i1> %c.{label} to i{LANES}"
        yield f"%all.{label} = icmp eq i{LANES} %m.{label}, -1"
        yield f"br i1 %all.{label}, label %same.{label}, label %search.{label}"
        yield f"same.{label}:"
        if strictly:
            yield f"%old.{label} = add {VECTOR} zeroinitializer, zeroinitializer"
        else:
            yield from self._broadcast(f"%old.{label}", f"%k.{label}")
        yield f"br label %found.{label}"
        yield f"search.{label}:"
        yield f"%new.{label} = call {VECTOR} @search({VECTOR} {form}, ptr {table}, i64 {top})"
        yield f"%last.{label} = extractelement {VECTOR} %new.{label}, i64 {LANES - 1}"
        yield f"store i64 %last.{label}, ptr {hint}, align 8"
        new = f"%new.{label}"
        if strictly:
            yield from self._gathered(f"%code.{label}", table, new)
            yield f"%is.{label} = icmp eq {VECTOR} %code.{label}, {form}"
            new = f"%which.{label}"
            yield (
                f"{new} = select <{LANES} x i1> %is.{label}, {VECTOR} %new.{label}, "
                f"{VECTOR} zeroinitializer"
            )
        yield f"br label %found.{label}"
        yield f"found.{label}:"
        yield f"{name} = phi {VECTOR} [%old.{label}, %same.{label}], [{new}, %search.{label}]"

    def _broadcast(self, name: str, scalar: str) -> Iterator[str]:
        yield f"{name}.one = insertelement {VECTOR} poison, i64 {scalar}, i64 0"
        yield (
            f"{name} = shufflevector {VECTOR} {name}.one, {VECTOR} poison, "
            f"<{LANES} x i32> zeroinitializer"
        )

    def _product(self, name: str, word: Product, read: list[str], known: list[Range]) -> Iterator[str]:
        total = self._name()
        if known[1] == (0, 1):
            yield from self._chosen(total, read[1], read[0])
        else:
            yield f"{total} = mul {VECTOR} {read[0]}, {read[1]}"
        for hole, a, b in zip(word.holes, read[2::2], read[3::2], strict=True):
            both, weighed, less = self._name(), self._name(), self._name()
            yield f"{both} = mul {VECTOR} {a}, {b}"
            yield f"{weighed} = mul {VECTOR} {both}, {splat(hole.weight)}"
            yield f"{less} = sub {VECTOR} {total}, {weighed}"
            total = less
        yield f"{name} = add {VECTOR} {total}, zeroinitializer"


def splat(value: int) -> str:
    """A vector of one number."""
    return f"<{', '.join([f'i64 {value}'] * LANES)}>" if value else "zeroinitializer"


_MAXIMUM, _MINIMUM = (f"@llvm.{name}.v{LANES}i64" for name in ("smax", "smin"))
_SQUARE_ROOT = f"@llvm.sqrt.v{LANES}f64"
_GATHER = f"@llvm.masked.gather.v{LANES}i64.v{LANES}p0"


def _gather_arguments(where: str) -> str:
    every = ", ".join(["i1 true"] * LANES)
    mask = f"<{LANES} x i1> <{every}>"
    return f"<{LANES} x ptr> {where}, i32 8, {mask}, {VECTOR} poison"


_DECLARATIONS = (
    f"declare {VECTOR} {_GATHER}(<{LANES} x ptr>, i32, <{LANES} x i1>, {VECTOR})",
    f"declare <{LANES} x double> {_SQUARE_ROOT}(<{LANES} x double>)",
    f"declare {VECTOR} {_MAXIMUM}({VECTOR}, {VECTOR})",
    f"declare {VECTOR} {_MINIMUM}({VECTOR}, {VECTOR})",
)

_SEARCH = f"""
; How many entries of a table, but for the first, which is before all, each number reaches: by halves.
define internal {VECTOR} @search({VECTOR} %form, ptr %table, i64 %top) noinline {{
begin:
br label %half
half:
%step = phi i64 [%top, %begin], [%next, %half]
%found = phi {VECTOR} [zeroinitializer, %begin], [%more, %half]
%one = insertelement {VECTOR} poison, i64 %step, i64 0
%steps = shufflevector {VECTOR} %one, {VECTOR} poison, <{LANES} x i32> zeroinitializer
%tried = add {VECTOR} %found, %steps
%where = getelementptr i64, ptr %table, {VECTOR} %tried
%place = call {VECTOR} {_GATHER}({_gather_arguments("%where")})
%reached = icmp sge {VECTOR} %form, %place
%more = select <{LANES} x i1> %reached, {VECTOR} %tried, {VECTOR} %found
%next = lshr i64 %step, 1
%done = icmp eq i64 %next, 0
br i1 %done, label %end, label %half
end:
ret {VECTOR} %more
}}
"""

_TRUTHS = f"<{LANES} x i1>"
_ONES = splat(1)

_QUOTIENT = f"""
define internal {VECTOR} @quotient({VECTOR} %form, {VECTOR} %divisor, {VECTOR} %most) alwaysinline {{
%whole = call {VECTOR} {_MAXIMUM}({VECTOR} %form, {VECTOR} zeroinitializer)
%some = call {VECTOR} {_MAXIMUM}({VECTOR} %divisor, {VECTOR} {_ONES})
%found = sdiv {VECTOR} %whole, %some
%kept = call {VECTOR} {_MINIMUM}({VECTOR} %found, {VECTOR} %most)
%none = icmp eq {VECTOR} %divisor, zeroinitializer
%positive = icmp sge {VECTOR} %form, zeroinitializer
%beyond = and {_TRUTHS} %none, %positive
%result = select {_TRUTHS} %beyond, {VECTOR} %most, {VECTOR} %kept
ret {VECTOR} %result
}}
"""

_ROOT_OF = ("form", "less", "scale", "most")

_ROOT = f"""
; A double has the root but for an error of less than 1, which is made good.
define internal {VECTOR} @root({", ".join(f"{VECTOR} %{name}" for name in _ROOT_OF)}) alwaysinline {{
%whole = call {VECTOR} {_MAXIMUM}({VECTOR} %form, {VECTOR} zeroinitializer)
%double = sitofp {VECTOR} %whole to <{LANES} x double>
%near = call <{LANES} x double> {_SQUARE_ROOT}(<{LANES} x double> %double)
%first = fptosi <{LANES} x double> %near to {VECTOR}
%squared = mul {VECTOR} %first, %first
%over = icmp sgt {VECTOR} %squared, %whole
%one = zext {_TRUTHS} %over to {VECTOR}
%low = sub {VECTOR} %first, %one
%next = add {VECTOR} %low, {_ONES}
%more = mul {VECTOR} %next, %next
%under = icmp sle {VECTOR} %more, %whole
%root = select {_TRUTHS} %under, {VECTOR} %next, {VECTOR} %low
%sum = add {VECTOR} %root, %less
%found = udiv {VECTOR} %sum, %scale
%kept = call {VECTOR} {_MINIMUM}({VECTOR} %found, {VECTOR} %most)
%negative = icmp slt {VECTOR} %form, zeroinitializer
%result = select {_TRUTHS} %negative, {VECTOR} zeroinitializer, {VECTOR} %kept
ret {VECTOR} %result
}}
"""
