"""Logic as machine code, through LLVM: 256 evaluations for each operation.

A *plane* is 256 bits, one for each of the evaluations of a *block*: evaluation p is bit p % 64 of word
p // 64. A *block function* computes planes from planes: ``void f(ptr inputs, ptr outputs, ptr work, i64
first)``, all three of planes one after the other; ``first`` is the number of the block's first
evaluation, where that means something. Logic of moderate size becomes straight-line code, in parts of
bounded size, since LLVM takes more than proportionally longer for long functions; what one part leaves
to another lies in ``work``. Larger logic, whose code would outgrow the processor's caches, and a user's
patience while it is compiled, becomes a table that one loop runs through.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import llvmlite.binding as llvm
import numpy as np
from numpy.typing import NDArray

from circuits.logic import AND, Logic

BLOCK = 256
"""Evaluations in a block."""

PLANE_BYTES = BLOCK // 8

PLANE = "<4 x i64>"
"""A plane as LLVM has it. Processors with narrower registers take several for it."""

ONES = "<i64 -1, i64 -1, i64 -1, i64 -1>"

PART = 1500
"""Operations in one function: so few that compiling takes time in proportion to their number."""

STRAIGHT = 20_000
"""Up to so many operations become straight-line code; more become a table."""

COPY, CLEAR = "@llvm.memcpy.p0.p0.i64", "@llvm.memset.p0.i64"
"""What LLVM calls copying, and filling, so many bytes."""

PARAMETERS = "ptr noalias %in, ptr noalias %out, ptr noalias %work, i64 %first"
ARGUMENTS = "ptr %in, ptr %out, ptr %work, i64 %first"


@dataclass(frozen=True)
class BlockFunction:
    """LLVM's text of a block function, and of the functions that it calls.

    Attributes:
        inputs, outputs, work: how many planes it reads, writes, and needs to work with.
        operations: on planes.
        data: what its code points to, to be kept as long as that.
    """

    name: str
    text: str
    inputs: int
    outputs: int
    work: int
    operations: int
    data: tuple[NDArray[Any], ...] = ()


def block_function(
    name: str, logic: Logic, outputs: Sequence[int], straight: int = STRAIGHT
) -> BlockFunction:
    """The function that computes the given literals, in order.

    Args:
        straight: up to so many operations it is straight-line code.
    """
    live = logic.live(outputs)
    if len(live) > straight:
        return _table_function(name, logic, outputs, live)
    parts = [live[start : start + PART] for start in range(0, len(live), PART)] or [[]]
    writer = _Writer(logic, outputs, parts)
    texts = [function(f"{name}.{index}", writer.part(index), "internal ") for index in range(len(parts))]
    calls = (f"call void @{name}.{index}({ARGUMENTS})" for index in range(len(parts)))
    texts.append(function(name, calls))
    return BlockFunction(name, "\n".join(texts), logic.inputs, len(outputs), writer.slots, len(live))


def function(name: str, lines: Iterable[str], linkage: str = "") -> str:
    """The text of a block function, of lines that use the names in ``PARAMETERS``."""
    return "\n".join((f"define {linkage}void @{name}({PARAMETERS}) {{", *lines, "ret void", "}"))


class _Writer:
    """Writes the parts of a function; a node is kept negated where that saves an operation."""

    def __init__(self, logic: Logic, outputs: Sequence[int], parts: Sequence[Sequence[int]]) -> None:
        self._logic = logic
        self._first = 1 + logic.inputs
        self._parts = parts
        count = self._first + len(logic.operations)
        self._part_of = [-1] * count
        self._last_use = [-1] * count
        self._negated = bytearray(count)
        self._slot = [-1] * count
        self._free: list[int] = []
        self.slots = 0
        for index, part in enumerate(parts):
            for node in part:
                self._part_of[node] = index
                _, a, b = logic.operations[node - self._first]
                self._last_use[a >> 1] = self._last_use[b >> 1] = index
        self._outputs: list[list[tuple[int, int]]] = [[] for _ in parts]
        for place, literal in enumerate(outputs):  # constants and inputs are of part -1: the last
            self._outputs[self._part_of[literal >> 1]].append((place, literal))

    def part(self, index: int) -> Iterator[str]:
        """The instructions of one part."""
        here = self._parts[index]
        available = set()
        for node in here:
            operation, a, b = self._logic.operations[node - self._first]
            for source in (a >> 1, b >> 1):
                if self._part_of[source] != index and source not in available:
                    available.add(source)
                    yield from self._load(source)
            yield from self._operation(node, operation, a, b)
        for place, literal in self._outputs[index]:
            if 0 < literal >> 1 < self._first and literal >> 1 not in available:
                available.add(literal >> 1)
                yield from self._load(literal >> 1)
            yield from self._store("out", place, *self._value(literal, f"o{place}"))
        for node in here:
            if self._last_use[node] > index:
                self._slot[node] = self._free.pop() if self._free else self._new_slot()
                yield from self._store("work", self._slot[node], f"%n{node}")
        # The slots read here for the last time are free for the parts that follow.
        self._free += [
            self._slot[node]
            for node in available
            if node >= self._first and self._last_use[node] == index
        ]

    def _new_slot(self) -> int:
        self.slots += 1
        return self.slots - 1

    def _load(self, node: int) -> Iterator[str]:
        place, bus = (node - 1, "in") if node < self._first else (self._slot[node], "work")
        yield f"%p{node} = getelementptr {PLANE}, ptr %{bus}, i64 {place}"
        yield f"%n{node} = load {PLANE}, ptr %p{node}, align 8"

    def _store(self, bus: str, place: int, value: str, *before: str) -> Iterator[str]:
        yield from before
        yield f"%{bus}{place} = getelementptr {PLANE}, ptr %{bus}, i64 {place}"
        yield f"store {PLANE} {value}, ptr %{bus}{place}, align 8"

    def _operation(self, node: int, operation: str, a: int, b: int) -> Iterator[str]:
        x, y = a >> 1, b >> 1
        flip_x, flip_y = a & 1 ^ self._negated[x], b & 1 ^ self._negated[y]
        if operation != AND:
            self._negated[node] = flip_x ^ flip_y
            yield f"%n{node} = xor {PLANE} %n{x}, %n{y}"
        elif flip_x and flip_y:
            self._negated[node] = 1
            yield f"%n{node} = or {PLANE} %n{x}, %n{y}"
        elif flip_x or flip_y:
            if flip_x:
                x, y = y, x
            yield f"%c{node} = xor {PLANE} %n{y}, {ONES}"
            yield f"%n{node} = and {PLANE} %n{x}, %c{node}"
        else:
            yield f"%n{node} = and {PLANE} %n{x}, %n{y}"

    def _value(self, literal: int, name: str) -> tuple[str, ...]:
        """A literal as an operand, and the instruction that makes it, if it takes one."""
        node = literal >> 1
        if node == 0:
            return (ONES if literal & 1 else "zeroinitializer",)
        if literal & 1 ^ self._negated[node]:
            return f"%{name}", f"%{name} = xor {PLANE} %n{node}, {ONES}"
        return (f"%n{node}",)


# --- tables -------------------------------------------------------------------------------------

_TABLE_LOOP = """
define void @{name}({parameters}) {{
entry:
  %program = inttoptr i64 {program} to ptr
  %results = inttoptr i64 {results} to ptr
  %inputs = getelementptr {plane}, ptr %work, i64 1
  store {plane} zeroinitializer, ptr %work, align 8
  call void {copy}(ptr %inputs, ptr %in, i64 {input_bytes}, i1 false)
  br label %operation
operation:
  %i = phi i64 [0, %entry], [%next, %operation]
  %row = getelementptr <4 x i32>, ptr %program, i64 %i
  %fields = load <4 x i32>, ptr %row, align 4
  %to = extractelement <4 x i32> %fields, i64 0
  %x = extractelement <4 x i32> %fields, i64 1
  %y = extractelement <4 x i32> %fields, i64 2
  %exclusive = extractelement <4 x i32> %fields, i64 3
{a}
{b}
  %both = and {plane} %a, %b
  %either = xor {plane} %a, %b
  %is = icmp ne i32 %exclusive, 0
  %result = select i1 %is, {plane} %either, {plane} %both
  %slot = getelementptr {plane}, ptr %work, i32 %to
  store {plane} %result, ptr %slot, align 8
  %next = add i64 %i, 1
  %more = icmp ult i64 %next, {operations}
  br i1 %more, label %operation, label %output
output:
  %j = phi i64 [0, %operation], [%following, %output]
  %which = getelementptr i32, ptr %results, i64 %j
  %literal = load i32, ptr %which, align 4
{value}
  %place = getelementptr {plane}, ptr %out, i64 %j
  store {plane} %value, ptr %place, align 8
  %following = add i64 %j, 1
  %others = icmp ult i64 %following, {outputs}
  br i1 %others, label %output, label %done
done:
  ret void
}}
"""

_LITERAL = """
  %{name}.slot = lshr i32 %{literal}, 1
  %{name}.place = getelementptr {plane}, ptr %work, i32 %{name}.slot
  %{name}.value = load {plane}, ptr %{name}.place, align 8
  %{name}.odd = and i32 %{literal}, 1
  %{name}.minus = sub i32 0, %{name}.odd
  %{name}.wide = sext i32 %{name}.minus to i64
  %{name}.one = insertelement {plane} poison, i64 %{name}.wide, i64 0
  %{name}.mask = shufflevector {plane} %{name}.one, {plane} poison, <4 x i32> zeroinitializer
  %{name} = xor {plane} %{name}.value, %{name}.mask"""


def _table_function(
    name: str, logic: Logic, outputs: Sequence[int], live: Sequence[int]
) -> BlockFunction:
    """A block function that runs through a table: slot of the result, two literals of slots, and which.

    Slot 0 is the constant; inputs have the slots after it for good; a slot is used anew when nothing
    reads it any more.
    """
    first = 1 + logic.inputs
    last_use = {literal >> 1: len(live) for literal in outputs}
    for place, node in reversed(list(enumerate(live))):
        for literal in logic.operations[node - first][1:]:
            last_use.setdefault(literal >> 1, place)
    slot = list(range(first)) + [-1] * len(logic.operations)
    free: list[int] = []
    slots = first
    program = np.empty((len(live), 4), dtype=np.int32)
    for place, node in enumerate(live):
        operation, a, b = logic.operations[node - first]
        x, y = 2 * slot[a >> 1] | a & 1, 2 * slot[b >> 1] | b & 1
        free += {slot[s >> 1] for s in (a, b) if s >> 1 >= first and last_use[s >> 1] == place}
        if not free:
            free.append(slots)
            slots += 1
        slot[node] = free.pop()
        program[place] = slot[node], x, y, operation != AND
    results = np.array([2 * slot[s >> 1] | s & 1 for s in outputs], dtype=np.int32)
    text = _TABLE_LOOP.format(
        name=name,
        parameters=PARAMETERS,
        plane=PLANE,
        copy=COPY,
        a=_LITERAL.format(name="a", literal="x", plane=PLANE),
        b=_LITERAL.format(name="b", literal="y", plane=PLANE),
        value=_LITERAL.format(name="value", literal="literal", plane=PLANE),
        program=program.ctypes.data,
        results=results.ctypes.data,
        input_bytes=PLANE_BYTES * logic.inputs,
        operations=len(live),
        outputs=len(outputs),
    )
    return BlockFunction(name, text, logic.inputs, len(outputs), slots, len(live), (program, results))


# --- transposition ------------------------------------------------------------------------------


def transposition(bits: int) -> str:
    """The text of ``void @transpose(ptr rows)``: from words to planes in place, and back.

    There are as many rows as a word has bits, 16, 32 or 64, each of 256 bits: word ``lane`` of row r is
    number lanes * r + lane of the block, and its bit j becomes bit bits * lane + r of plane j.
    """
    kind = f"<{BLOCK // bits} x i{bits}>"

    def splat(value: int) -> str:
        return f"<{', '.join([f'i{bits} {value}'] * (BLOCK // bits))}>"

    lines, names = [], []
    for row in range(bits):
        lines.append(f"%p{row} = getelementptr {kind}, ptr %rows, i64 {row}")
        lines.append(f"%r{row} = load {kind}, ptr %p{row}, align 8")
        names.append(f"%r{row}")
    step = bits // 2
    while step:
        mask = sum(1 << place for place in range(bits) if not place & step)
        for low in (row for row in range(bits) if not row & step):
            high, t = low + step, f"s{step}.{low}"
            lines += [
                f"%{t}.a = lshr {kind} {names[low]}, {splat(step)}",
                f"%{t}.b = xor {kind} %{t}.a, {names[high]}",
                f"%{t}.c = and {kind} %{t}.b, {splat(mask)}",
                f"%{t}.d = shl {kind} %{t}.c, {splat(step)}",
                f"%{t}.high = xor {kind} {names[high]}, %{t}.c",
                f"%{t}.low = xor {kind} {names[low]}, %{t}.d",
            ]
            names[low], names[high] = f"%{t}.low", f"%{t}.high"
        step //= 2
    lines += (f"store {kind} {name}, ptr %p{row}, align 8" for row, name in enumerate(names))
    return "\n".join(("define internal void @transpose(ptr %rows) {", *lines, "ret void", "}"))


# --- machine code -------------------------------------------------------------------------------


_DECLARATIONS = f"""
declare void {COPY}(ptr, ptr, i64, i1)
declare void {CLEAR}(ptr, i8, i64, i1)
"""


class Native:
    """Machine code of LLVM's text, kept as long as this object is.

    Args:
        level: how hard LLVM tries when it selects instructions, 0 to 3.
    """

    def __init__(self, text: str, level: int = 2) -> None:
        module = llvm.parse_assembly(text + _DECLARATIONS)
        target = _target().create_target_machine(
            cpu=llvm.get_host_cpu_name(), features=_features(), opt=level, jit=True
        )
        self._engine = llvm.create_mcjit_compiler(module, target)
        self._engine.finalize_object()

    def function(self, name: str, result: Any, *arguments: Any) -> Any:
        """A function by name, as ctypes calls it; calls let go of Python's lock."""
        return ctypes.CFUNCTYPE(result, *arguments)(self._engine.get_function_address(name))


@cache
def _target() -> llvm.Target:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm.Target.from_default_triple()


def processor_features() -> dict[str, bool]:
    """What this processor can, by LLVM's names."""
    return dict(llvm.get_host_cpu_features())


def _features() -> str:
    return ",".join(("+" if can else "-") + name for name, can in processor_features().items())
