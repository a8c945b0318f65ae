"""Executable meaning of a netlist: compiled logic, 256 inputs for each operation, on all cores.

The same as ``circuits.meanings.boolean`` computes, at some 10^9 evaluations a second for a unit of a
thousand neurons. ``circuits.meanings.logic`` turns the netlist into ANDs and XORs,
``circuits.meanings.native`` these into machine code.
"""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from spikeproof.circuits.meanings.boolean import WORD, Words, require_fit, require_inputs, word_type
from spikeproof.circuits.meanings.logic import netlist_logic
from spikeproof.circuits.meanings.native import (
    BLOCK,
    CLEAR,
    COPY,
    OPTIMISED,
    PLANE,
    PLANE_BYTES,
    BlockFunction,
    Native,
    block_function,
    grouped,
    repeated,
    transposition,
)
from spikeproof.circuits.netlist import Netlist

Planes = NDArray[np.uint64]
"""Shape (blocks, planes, 4): for each block and bit the 256 values of the bit."""

Unsigned = np.uint16 | np.uint32 | np.uint64
Rows = NDArray[Unsigned]

_WORDS: dict[int, type[Unsigned]] = {16: np.uint16, 32: np.uint32, 64: np.uint64}

_POINTER, _COUNT = ctypes.c_void_p, ctypes.c_int64


CIRCUIT = "circuit"
"""The name of a block function in compiled code."""

LEAST_SHARE = 64
"""Blocks that are worth a thread."""


def cores() -> int:
    """How many processor cores we may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def netlist_function(netlist: Netlist, optimised: int = OPTIMISED) -> BlockFunction:
    """The block function from input bits to output bits, buses in order, named ``CIRCUIT``.

    Args:
        optimised: up to so many operations LLVM optimises, which takes it long.
    """
    logic, outputs = netlist_logic(netlist)
    return block_function(CIRCUIT, logic, outputs, optimised)


class BitSlicedFunction:
    """Evaluates compiled logic on batches of words.

    Args:
        function: from input bits to output bits, buses in order; named ``CIRCUIT``.
        inputs, outputs: widths of its buses, by name, in order.
        threads: how many to use; None for one on each core.
    """

    def __init__(
        self,
        function: BlockFunction,
        inputs: Mapping[str, int],
        outputs: Mapping[str, int],
        threads: int | None = None,
    ) -> None:
        self._threads = threads or cores()
        self._function = function
        self._inputs, self._outputs = _Layout(inputs), _Layout(outputs)
        self._bits = next(
            b for b in _WORDS if b >= min(64, max(self._inputs.widest, self._outputs.widest))
        )
        loop = _words_loop(self._inputs, self._outputs, self._bits, self._function.group)
        text = "\n".join((self._function.text, transposition(self._bits), loop))
        self._native = Native(text)
        self._run = self._native.function("evaluate", None, *[_POINTER] * 5, *[_COUNT] * 2)
        self._of_thread = threading.local()

    @property
    def operations(self) -> int:
        """How many operations on machine words an evaluation takes, loads and stores aside."""
        return self._function.operations

    def evaluate(self, inputs: Mapping[str, Words], count: int) -> dict[str, Words]:
        """The output buses, of arrays of so many words.

        Raises:
            ValueError: if a value does not fit its bus.
        """
        arrays = {name: np.asarray(words) for name, words in inputs.items()}
        padded = -(-count // BLOCK) * BLOCK
        given = self._inputs.limbs(arrays, padded, _WORDS[self._bits])
        found = np.empty((self._outputs.limb_count, padded), dtype=_WORDS[self._bits])
        self._in_parallel(list(given), list(found), padded // BLOCK, self._threads)
        return self._outputs.words(found[:, :count])

    def on_arrays(self, operands: Sequence[Words], threads: int | None = None) -> list[Words]:
        """The output buses in order, of an array of codes for each input bus in order.

        No array is copied that is contiguous and of the machine words in use, and none is looked at: of
        a code's bits those above its bus's width do not count.

        Args:
            operands: of unsigned integers, all of one shape.
            threads: how many to use, if not as many as for words. Threads may call at the same time.

        Returns:
            Arrays of that shape, of the smallest unsigned integers that hold their buses.

        Raises:
            ValueError: if a bus is wider than a machine word.
        """
        if max(self._inputs.widest, self._outputs.widest) > WORD:
            raise ValueError(f"arrays are of codes of up to {WORD} bits")
        kind, shape = np.dtype(_WORDS[self._bits]), operands[0].shape
        given = [np.ascontiguousarray(codes, dtype=kind).reshape(-1) for codes in operands]
        count = len(given[0])
        found = [np.empty(count, dtype=kind) for _ in range(self._outputs.limb_count)]
        whole = count - count % BLOCK
        if whole:
            self._in_parallel(given, found, whole // BLOCK, threads or self._threads)
        if whole < count:
            rest, last = (np.zeros((len(each), BLOCK), dtype=kind) for each in (given, found))
            for row, codes in zip(rest, given, strict=True):
                row[: count - whole] = codes[whole:]
            self._blocks(_addresses_of(rest), _addresses_of(last), 0, 1)
            for row, codes in zip(last, found, strict=True):
                codes[whole:] = row[: count - whole]
        kinds = (np.min_scalar_type((1 << width) - 1) for width in self._outputs.limb_widths)
        return [
            codes.astype(narrow, copy=False).reshape(shape)
            for codes, narrow in zip(found, kinds, strict=True)
        ]

    def _in_parallel(
        self, given: Sequence[Words], found: Sequence[Words], blocks: int, threads: int
    ) -> None:
        """Whole blocks of arrays, one for each limb."""
        share = max(-(-blocks // threads), LEAST_SHARE)
        addresses = _addresses_of(given), _addresses_of(found)

        def run(start: int) -> None:
            self._blocks(*addresses, start, min(share, blocks - start))

        starts = range(0, blocks, share)
        if len(starts) > 1:
            with ThreadPoolExecutor(threads) as pool:
                list(pool.map(run, starts))
        else:
            list(map(run, starts))

    def _blocks(self, given: _Addresses, found: _Addresses, start: int, count: int) -> None:
        """So many blocks, on this thread, which keeps the planes that it works with."""
        planes = getattr(self._of_thread, "planes", None)
        if planes is None:
            function = self._function
            slack = self._bits  # a transposition writes all bits of a word
            planes = self._of_thread.planes = [
                np.zeros((n * function.group + slack, 4), dtype=np.uint64)
                for n in (function.inputs, function.outputs, function.work)
            ]
        self._run(given, found, *(array.ctypes.data for array in planes), start, count)


_Addresses = ctypes.Array[ctypes.c_void_p]


def _addresses_of(arrays: Iterable[Words]) -> _Addresses:
    """Where arrays begin, as a table for compiled code."""
    found = [array.ctypes.data for array in arrays]
    return (ctypes.c_void_p * len(found))(*found)


class BitSlicedSimulator:
    """Evaluates a netlist on batches of inputs.

    Args:
        netlist: what to simulate; it is compiled at once.
        threads: how many to use; None for one on each core.
        optimised: up to so many operations LLVM optimises, which takes it long.
    """

    def __init__(self, netlist: Netlist, threads: int | None = None, optimised: int = OPTIMISED) -> None:
        self._netlist = netlist
        outputs = netlist.output_widths
        function = netlist_function(netlist, optimised)
        self._compiled = BitSlicedFunction(function, netlist.inputs, outputs, threads)

    @property
    def operations(self) -> int:
        """How many operations on machine words an evaluation takes, loads and stores aside."""
        return self._compiled.operations

    def evaluate(self, inputs: Mapping[str, Words]) -> dict[str, Words]:
        """The output buses, and what is refused, as by ``circuits.meanings.boolean.evaluate``."""
        return self._compiled.evaluate(inputs, require_inputs(self._netlist, inputs))

    def on_arrays(self, operands: Sequence[Words], threads: int | None = None) -> list[Words]:
        """As ``BitSlicedFunction.on_arrays``."""
        return self._compiled.on_arrays(operands, threads)


class _Layout:
    """Buses as arrays of machine words: a bus wider than 64 bits is several limbs, lowest first."""

    def __init__(self, widths: Mapping[str, int]) -> None:
        self._widths = dict(widths)
        self.widest = max(widths.values())
        self.limb_widths = [min(64, w - low) for w in widths.values() for low in range(0, w, 64)]
        self.limb_count = len(self.limb_widths)

    def places(self) -> Iterator[tuple[int, int, int]]:
        """Each limb, its first plane, and its width."""
        firsts = accumulate(self.limb_widths, initial=0)
        return zip(range(self.limb_count), firsts, self.limb_widths, strict=False)

    def limbs(self, words: Mapping[str, Words], count: int, kind: type[Unsigned]) -> Rows:
        """A row for each limb, filled up with zeros to so many words."""
        rows = np.zeros((self.limb_count, count), dtype=kind)
        row = 0
        for name, width in self._widths.items():
            array = words[name]
            require_fit(array, width)
            for low in range(0, width, 64):
                part = array if width <= 64 else array.astype(object) >> low & ((1 << 64) - 1)
                rows[row, : len(array)] = part.astype(kind)
                row += 1
        return rows

    def words(self, rows: Rows) -> dict[str, Words]:
        """The buses of rows of limbs."""
        found: dict[str, Words] = {}
        row = 0
        for name, width in self._widths.items():
            kind = word_type(width)
            found[name] = rows[row].astype(kind)
            row += 1
            for low in range(64, width, 64):
                found[name] = found[name] | rows[row].astype(kind) << low
                row += 1
        return found


def _words_loop(inputs: _Layout, outputs: _Layout, bits: int, group: int) -> str:
    """The loop over blocks of words: into planes, through the circuit, into words."""
    reading = _block("i", "in", sum(inputs.limb_widths))
    for limb, place, _ in inputs.places():
        reading += [
            *_addresses(f"i{limb}", "i", "given", limb, place, bits),
            f"call void {COPY}(ptr %i{limb}.planes, ptr %i{limb}.words, i64 {bits * PLANE_BYTES}, i1 0)",
            f"call void @transpose(ptr %i{limb}.planes)",
        ]
    writing = _block("o", "out", sum(outputs.limb_widths))
    for limb, place, width in outputs.places():
        size = width * PLANE_BYTES
        writing += [
            *_addresses(f"o{limb}", "o", "found", limb, place, bits),
            f"call void {CLEAR}(ptr %o{limb}.words, i8 0, i64 {bits * PLANE_BYTES}, i1 0)",
            f"call void {COPY}(ptr %o{limb}.words, ptr %o{limb}.planes, i64 {size}, i1 0)",
            f"call void @transpose(ptr %o{limb}.words)",
        ]
    lines = [
        *repeated("i", "%group.size", reading),
        f"call void @{CIRCUIT}(ptr %in, ptr %out, ptr %work, i64 0, i64 %group.size)",
        *repeated("o", "%group.size", writing),
    ]
    body = "\n  ".join(grouped(group, "%count", lines))
    return f"""
define void @evaluate(ptr %given, ptr %found, ptr %in, ptr %out, ptr %work, i64 %start, i64 %count) {{
  {body}
  ret void
}}
"""


def _block(index: str, planes: str, count: int) -> list[str]:
    """The block of a group that an index names: its number, and where its planes are."""
    return [
        f"%{index}.before = add i64 %start, %group.start",
        f"%{index}.block = add i64 %{index}.before, %{index}",
        f"%{index}.here = getelementptr [{count} x {PLANE}], ptr %{planes}, i64 %{index}",
    ]


def _addresses(name: str, index: str, words: str, limb: int, place: int, bits: int) -> list[str]:
    """Where a limb of that block is, as planes and as words, of the limb's array."""
    return [
        f"%{name}.planes = getelementptr {PLANE}, ptr %{index}.here, i64 {place}",
        f"%{name}.array.at = getelementptr ptr, ptr %{words}, i64 {limb}",
        f"%{name}.array = load ptr, ptr %{name}.array.at",
        f"%{name}.words = getelementptr [{bits} x {PLANE}], ptr %{name}.array, i64 %{index}.block",
    ]
