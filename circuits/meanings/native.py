"""Logic as machine code, through LLVM: 256 evaluations for each operation.

A *plane* is 256 bits, one for each of the evaluations of a *block*: evaluation p is bit p % 64 of word
p // 64. A *block function* computes planes from planes: ``void f(ptr inputs, ptr outputs, ptr work, i64
first, i64 blocks)``, all three of planes one after the other, block by block; ``first`` is the number of
the first evaluation, where that means something. Logic becomes straight-line code, in parts of bounded
size, since LLVM takes more than proportionally longer for long functions; what one part leaves to
another lies in ``work``. Large logic is translated as it stands, in shorter parts, and some parts at a
time: LLVM takes thirty times as long to optimise it, and its code is hardly faster. Each part is run for
all blocks before the next, so that code which no cache holds is fetched once for all of them.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import llvmlite.binding as llvm

from spikeproof.circuits.meanings.logic import AND, Logic

BLOCK = 256
"""Evaluations in a block."""

PLANE_BYTES = BLOCK // 8

PLANE = "<4 x i64>"
"""A plane as LLVM has it. Processors with narrower registers take several for it."""

ONES = "<i64 -1, i64 -1, i64 -1, i64 -1>"

PART = 1500
"""Operations in one function: so few that compiling takes time in proportion to their number."""

SHORT_PART = 200
"""The same where LLVM does not optimise: so few that most values are in registers."""

MODULE = 250
"""Short parts that are compiled together: so few that LLVM needs little memory at a time."""

OPTIMISED = 20_000
"""Up to so many operations LLVM optimises."""

GROUP = 16
"""Blocks for which code of short parts is best called at once: more would not fit caches either."""

COPY, CLEAR = "@llvm.memcpy.p0.p0.i64", "@llvm.memset.p0.i64"
"""What LLVM calls copying, and filling, so many bytes."""

PARAMETERS = "ptr noalias %in, ptr noalias %out, ptr noalias %work, i64 %first"


@dataclass(frozen=True)
class BlockFunction:
    """LLVM's text of a block function, and of the functions that it calls.

    Attributes:
        inputs, outputs, work: how many planes it reads, writes, and needs to work with, for each block.
        operations: on planes.
        group: for how many blocks it is best called.
        compiled: code that it calls, to be kept as long as it is used.
    """

    name: str
    text: str
    inputs: int
    outputs: int
    work: int
    operations: int
    group: int = 1
    compiled: tuple[Native, ...] = ()


def block_function(
    name: str, logic: Logic, outputs: Sequence[int], optimised: int = OPTIMISED
) -> BlockFunction:
    """The function that computes the given literals, in order.

    Args:
        optimised: up to so many operations LLVM optimises.
    """
    live = logic.live(outputs)
    short = len(live) > optimised
    size = SHORT_PART if short else PART
    writer = _Writer(logic, outputs, [live[at : at + size] for at in range(0, len(live), size)] or [[]])
    parts = [(f"{name}.{index}", writer.part(index)) for index in range(len(writer.parts))]
    compiled: list[Native] = []
    if short:
        callees, texts = [], []
        for start in range(0, len(parts), MODULE):
            some = parts[start : start + MODULE]
            compiled.append(Native("\n".join(part_text(*part) for part in some), level=0))
            callees += [f"inttoptr (i64 {compiled[-1].address(part)} to ptr)" for part, _ in some]
    else:
        callees = [f"@{part}" for part, _ in parts]
        texts = [part_text(*part, "internal ") for part in parts]
    planes = (logic.inputs, len(outputs), writer.slots)
    text = "\n".join((*texts, whole_text(name, callees, planes)))
    group = GROUP if short else 1
    return BlockFunction(name, text, *planes, len(live), group, tuple(compiled))


def part_text(name: str, lines: Iterable[str], linkage: str = "") -> str:
    """The text of a part, for one block, of lines that use the names in ``PARAMETERS``."""
    return "\n".join((f"define {linkage}void @{name}({PARAMETERS}) {{", *lines, "ret void", "}"))


def whole_text(name: str, parts: Sequence[str], planes: Sequence[int]) -> str:
    """The text of a block function, of parts that are called in order.

    Args:
        parts: LLVM's expressions of their addresses.
        planes: how many inputs, outputs and planes to work with a block has.
    """
    table = f"[{len(parts)} x ptr]"
    addresses = ", ".join(f"ptr {part}" for part in parts)
    call = [
        *(
            f"%{bus}.here = getelementptr [{count} x {PLANE}], ptr %{bus}, i64 %block"
            for bus, count in zip(("in", "out", "work"), planes, strict=True)
        ),
        f"%before = mul i64 %block, {BLOCK}",
        "%first.here = add i64 %first, %before",
        "call void %code(ptr %in.here, ptr %out.here, ptr %work.here, i64 %first.here)",
    ]
    lines = repeated(
        "part",
        str(len(parts)),
        [
            f"%entry.of = getelementptr {table}, ptr @{name}.parts, i64 0, i64 %part",
            "%code = load ptr, ptr %entry.of, align 8",
            *repeated("block", "%blocks", call),
        ],
    )
    return "\n".join(
        (
            f"@{name}.parts = internal constant {table} [{addresses}]",
            f"define void @{name}(ptr %in, ptr %out, ptr %work, i64 %first, i64 %blocks) {{",
            *lines,
            "ret void",
            "}",
        )
    )


def repeated(index: str, count: str, lines: Iterable[str]) -> list[str]:
    """LLVM's text of a loop: for an index, a name without %, from 0 to below a count of at least 1."""
    return [
        f"br label %{index}.begin",
        f"{index}.begin:",
        f"br label %{index}.loop",
        f"{index}.loop:",
        f"%{index} = phi i64 [0, %{index}.begin], [%{index}.next, %{index}.end]",
        *lines,
        f"br label %{index}.end",
        f"{index}.end:",
        f"%{index}.next = add i64 %{index}, 1",
        f"%{index}.more = icmp ult i64 %{index}.next, {count}",
        f"br i1 %{index}.more, label %{index}.loop, label %{index}.done",
        f"{index}.done:",
    ]


def grouped(group: int, count: str, lines: Iterable[str]) -> list[str]:
    """The same for blocks, so many at a time: ``%group.size`` of them from ``%group.start`` on."""
    return [
        f"%groups.rounded = add i64 {count}, {group - 1}",
        f"%groups = udiv i64 %groups.rounded, {group}",
        *repeated(
            "group",
            "%groups",
            [
                f"%group.start = mul i64 %group, {group}",
                f"%group.left = sub i64 {count}, %group.start",
                f"%group.size = call i64 @llvm.umin.i64(i64 %group.left, i64 {group})",
                *lines,
            ],
        ),
    ]


class _Writer:
    """Writes the parts of a function; a node is kept negated where that saves an operation."""

    def __init__(self, logic: Logic, outputs: Sequence[int], parts: Sequence[Sequence[int]]) -> None:
        self._logic = logic
        self._first = 1 + logic.inputs
        self.parts = parts
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
        here = self.parts[index]
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
declare i64 @llvm.umin.i64(i64, i64)
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
        self._engine.remove_module(module)  # its machine code stays
        module.close()

    def address(self, name: str) -> int:
        """Where a function is."""
        return int(self._engine.get_function_address(name))

    def function(self, name: str, result: Any, *arguments: Any) -> Any:
        """A function by name, as ctypes calls it; calls let go of Python's lock."""
        return ctypes.CFUNCTYPE(result, *arguments)(self.address(name))


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
