"""All inputs of a circuit, in order, and whether its outputs are those of references, in machine code.

The inputs are counted through: input bit i, in the order of the buses and least significant bit first,
is bit i of the number of the evaluation. They are made in bit-sliced form, as counters.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from spikeproof.circuits.meanings.native import BLOCK, PLANE, BlockFunction, Native, grouped, repeated

LANE_BITS = BLOCK.bit_length() - 1
"""The input bits that vary within a block."""

COUNTED_BITS = 62
"""The input bits that are counted through; where there are more, the others stay 0."""


@dataclass(frozen=True)
class Enumerated:
    """What came of consecutive inputs.

    Attributes:
        outputs: of the circuit, as planes; shape (blocks, outputs, 4).
        failing: for each reference, which inputs fail; shape (blocks, references, 4).
        failures: how many fail, for each reference.
    """

    outputs: NDArray[np.uint64]
    failing: NDArray[np.uint64]
    failures: NDArray[np.int64]


class Enumeration:
    """A circuit beside references, over all inputs.

    Args:
        circuit: what is enumerated.
        references: functions of the same inputs. Their outputs are those that the circuit should have,
            and one more: whether the input is to be compared at all.
    """

    piece: ClassVar[int] = 1 << 17
    """Inputs whose outputs are best in memory at a time, for each thread."""

    def __init__(self, circuit: BlockFunction, references: Sequence[BlockFunction] = ()) -> None:
        self._circuit = circuit
        self._references = tuple(references)
        self._work = max(function.work for function in (circuit, *references))
        self._group = max(function.group for function in (circuit, *references))
        self._bits = circuit.inputs
        texts = (function.text for function in (circuit, *references))
        loop = _loop(circuit, self._references, self._group)
        native = Native("\n".join((*texts, loop)))
        self._native = native
        pointers, numbers = [ctypes.c_void_p] * 7, [ctypes.c_int64] * 2
        self._run = native.function("enumerate", None, *pointers, *numbers)

    @property
    def blocks(self) -> int:
        """How many blocks all inputs are; where they are fewer than a block has, they are repeated."""
        return block_count(self._bits)

    def run(self, start: int, blocks: int, into: Enumerated | None = None) -> Enumerated:
        """So many blocks, from the given one on. Threads may call this at the same time.

        Args:
            into: what an earlier call gave, of as many blocks; its arrays are used again.
        """
        planes = (self._circuit.inputs, self._circuit.outputs + 1, self._work)
        given, expected, work = (np.zeros((self._group, n, 4), dtype=np.uint64) for n in planes)
        given[:, :LANE_BITS] = low_counters(self._bits)
        found, failing = (into.outputs, into.failing) if into else self._arrays(blocks)
        failures = np.zeros(len(self._references), dtype=np.int64)
        mask = counted_lanes(self._bits)
        arrays = (found, failing, failures, given, expected, work, mask)
        self._run(*(array.ctypes.data for array in arrays), start, blocks)
        return Enumerated(found, failing, failures)

    def _arrays(self, blocks: int) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
        planes = (self._circuit.outputs, len(self._references))
        found, failing = (np.empty((blocks, count, 4), dtype=np.uint64) for count in planes)
        return found, failing


def block_count(bits: int) -> int:
    """How many blocks the inputs of so many bits are."""
    return 1 << max(0, min(bits, COUNTED_BITS) - LANE_BITS)


@cache
def low_counters(bits: int) -> NDArray[np.uint64]:
    """The planes of the lowest bits of the number of an evaluation, up to 8: the same in every block."""
    lanes = np.arange(BLOCK)
    rows = np.array([lanes >> place & 1 for place in range(min(bits, LANE_BITS))], dtype=bool)
    return np.packbits(rows, axis=1, bitorder="little").view(np.uint64)


@cache
def counted_lanes(bits: int) -> NDArray[np.uint64]:
    """The evaluations of a block that count: all, or as many as there are inputs."""
    return np.packbits(np.arange(BLOCK) < 1 << min(bits, LANE_BITS), bitorder="little").view(np.uint64)


def _loop(circuit: BlockFunction, references: Sequence[BlockFunction], group: int) -> str:
    """``enumerate(outputs, failing, failures, in, expected, work, mask, start, count)``."""
    counting = [
        "%i.block = add i64 %first.block, %i",
        f"%i.first = shl i64 %i.block, {LANE_BITS}",
        f"%in.here = getelementptr [{circuit.inputs} x {PLANE}], ptr %in, i64 %i",
    ]
    for place in range(LANE_BITS, min(circuit.inputs, COUNTED_BITS)):
        counting += [
            f"%h{place}.shifted = lshr i64 %i.first, {place}",
            f"%h{place}.bit = and i64 %h{place}.shifted, 1",
            f"%h{place}.word = sub i64 0, %h{place}.bit",
            f"%h{place}.one = insertelement {PLANE} poison, i64 %h{place}.word, i64 0",
            f"%h{place} = shufflevector {PLANE} %h{place}.one, {PLANE} poison, "
            "<4 x i32> zeroinitializer",
            *_store(f"%h{place}", "in.here", place),
        ]
    call = "(ptr %in, ptr {}, ptr %work, i64 %first, i64 %group.size)"
    lines = [
        "%first.block = add i64 %start, %group.start",
        f"%first = shl i64 %first.block, {LANE_BITS}",
        f"%outputs.here = getelementptr [{circuit.outputs} x {PLANE}], ptr %outputs, i64 %group.start",
        *repeated("i", "%group.size", counting),
        f"call void @{circuit.name}" + call.format("%outputs.here"),
    ]
    for index, reference in enumerate(references):
        compared = _comparison(f"r{index}", index, circuit.outputs, len(references))
        lines.append(f"call void @{reference.name}" + call.format("%expected"))
        lines += repeated(f"r{index}", "%group.size", compared)
    body = "\n  ".join(grouped(group, "%count", lines))
    return f"""
define void @enumerate(ptr %outputs, ptr %failing, ptr %failures, ptr %in, ptr %expected, ptr %work,
                       ptr %mask, i64 %start, i64 %count) {{
  %counted = load {PLANE}, ptr %mask, align 8
  {body}
  ret void
}}
declare {PLANE} @llvm.ctpop.v4i64({PLANE})
declare i64 @llvm.vector.reduce.add.v4i64({PLANE})
"""


def _comparison(r: str, index: int, outputs: int, references: int) -> list[str]:
    """Where the outputs of a block, ``r`` of its group, differ from those expected, kept and counted."""
    lines = [
        f"%{r}.outputs = getelementptr [{outputs} x {PLANE}], ptr %outputs.here, i64 %{r}",
        f"%{r}.expected = getelementptr [{outputs + 1} x {PLANE}], ptr %expected, i64 %{r}",
        f"%{r}.block = add i64 %group.start, %{r}",
        f"%{r}.flags = getelementptr [{references} x {PLANE}], ptr %failing, i64 %{r}.block",
    ]
    differing = "zeroinitializer"
    for place in range(outputs):
        name = f"{r}.{place}"
        lines += _load(f"{name}.a", f"{r}.outputs", place) + _load(f"{name}.b", f"{r}.expected", place)
        lines.append(f"%{name}.c = xor {PLANE} %{name}.a, %{name}.b")
        lines.append(f"%{name} = or {PLANE} {differing}, %{name}.c")
        differing = f"%{name}"
    return [
        *lines,
        *_load(f"{r}.applies", f"{r}.expected", outputs),
        f"%{r}.here = and {PLANE} {differing}, %{r}.applies",
        f"%{r}.failing = and {PLANE} %{r}.here, %counted",
        *_store(f"%{r}.failing", f"{r}.flags", index),
        f"%{r}.ones = call {PLANE} @llvm.ctpop.v4i64({PLANE} %{r}.failing)",
        f"%{r}.count = call i64 @llvm.vector.reduce.add.v4i64({PLANE} %{r}.ones)",
        f"%{r}.total = getelementptr i64, ptr %failures, i64 {index}",
        f"%{r}.before = load i64, ptr %{r}.total, align 8",
        f"%{r}.after = add i64 %{r}.before, %{r}.count",
        f"store i64 %{r}.after, ptr %{r}.total, align 8",
    ]


def _load(name: str, base: str, place: int) -> list[str]:
    return [
        f"%{name}.p = getelementptr {PLANE}, ptr %{base}, i64 {place}",
        f"%{name} = load {PLANE}, ptr %{name}.p, align 8",
    ]


def _store(value: str, base: str, place: int) -> list[str]:
    return [
        f"{value}.p = getelementptr {PLANE}, ptr %{base}, i64 {place}",
        f"store {PLANE} {value}, ptr {value}.p, align 8",
    ]
