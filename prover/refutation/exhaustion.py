"""Every input of a circuit, one after the other, beside the spec's formula and the machine's arithmetic.

The circuit's logic, the spec's and-inverter graph and the machine's instructions are three functions in
machine code, called on the same 256 inputs in turn: see ``circuits.meanings.enumeration``. Where a
claim is a table of results both are made word by word: see ``circuits.meanings.word_enumeration``. What
is found is kept chunk by chunk, so that an interrupted enumeration is continued.

The *digest* of all outputs, or of what counts of them to the theorem, does not depend on how the work
was divided. A chunk's is the SHA-256 of its outputs as planes: for each 256 inputs in order, and for
each output bit (buses in order, least significant bit first), the 256 values of that bit, 32 bytes, the
first input in the lowest bit of the first byte. The whole one is the SHA-256 of the chunks' digests, 32
bytes each, in order.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import closing
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import click
import llvmlite.binding as llvm
import msgspec
import numpy as np
from numpy.typing import NDArray
from pysmt.fnode import FNode
from pysmt.shortcuts import And, BVType, Symbol, get_type

from spikeproof.circuits.meanings.bitsliced import CIRCUIT
from spikeproof.circuits.meanings.enumeration import Enumeration
from spikeproof.circuits.meanings.in_a_row import by_matrices, input_values, inputs_in_a_row
from spikeproof.circuits.meanings.logic import FALSE, TRUE, Logic, Reader, netlist_logic, read_netlist
from spikeproof.circuits.meanings.native import BLOCK, BlockFunction, block_function
from spikeproof.circuits.meanings.programs import ProgramError
from spikeproof.circuits.meanings.word_enumeration import WordEnumeration
from spikeproof.circuits.netlist import Bus, Netlist
from spikeproof.prover.claims.blocked import BlockTable
from spikeproof.prover.claims.environment import passing_formulas
from spikeproof.prover.claims.obligation import Claim, Obligation
from spikeproof.prover.claims.tabulated import TabulatedClaim
from spikeproof.prover.encoding.bitblast import Blaster
from spikeproof.prover.engines.memory import peak_memory_mib
from spikeproof.prover.evidence.files import storing, write_atomically
from spikeproof.prover.evidence.log import Log, Machine
from spikeproof.prover.evidence.record import SEED
from spikeproof.prover.evidence.source import commit, source_sha256
from spikeproof.prover.refutation.comparison import column
from spikeproof.prover.refutation.drawing import MOST_BITS
from spikeproof.prover.refutation.machine_arithmetic import machine_function

if TYPE_CHECKING:  # PyTorch is loaded only where a device is asked for
    from spikeproof.circuits.meanings.tensors import TensorEnumeration

    Engine = Enumeration | WordEnumeration | TensorEnumeration

Made = TypeVar("Made")

CHUNK = 1 << 24
"""Inputs in a chunk."""

SHOWN = 10
"""How many failing inputs a record lists for each reference."""

OPTIMISED = 100_000
"""Up to so many operations are optimised here: what runs 2^32 times may compile for long."""

RUN, RANDOM = 1 << 14, 1 << 11
"""Consecutive inputs, and how many times so many, where some are taken at random: 2^25 altogether."""

SPEC, MACHINE = "spec", "machine"

AGAINST = {"spec": (SPEC,), "machine": (MACHINE,), "both": (SPEC, MACHINE)}
"""By what the command line calls it, what a circuit is compared with."""


class ExhaustionError(click.ClickException):
    """Something that cannot be enumerated; one line: why, and what can be."""


class OutOfTimeError(ExhaustionError):
    """An enumeration that took longer than it may."""


@dataclass(frozen=True)
class Identity:
    """What an enumeration is of; one that was interrupted is continued only if all of it is the same."""

    theorem: str
    netlist_sha256: str
    source_sha256: str
    references: tuple[str, ...]
    versions: Mapping[str, str]
    processor: str


@dataclass(frozen=True)
class Chunk:
    """What came of one chunk.

    Attributes:
        digest: SHA-256 of the outputs.
        failures: how many inputs fail, for each reference.
        first: the numbers of the first of them.
    """

    digest: str
    failures: tuple[int, ...]
    first: tuple[tuple[int, ...], ...]


Doing = Callable[[Identity, Sequence[int], int], Iterator[tuple[int, Chunk]]]
"""What does chunks of an enumeration, given their numbers and how many inputs are in each; they are
yielded by number, as they are finished."""


@dataclass(frozen=True)
class Checkpoint:
    """What is finished of an enumeration, by number of chunk, and the seconds it took so far."""

    schema: Literal["spikeproof-exhaustive-checkpoint-1"]
    identity: Identity
    seconds: float
    chunks: Mapping[int, Chunk]


@dataclass(frozen=True)
class Compared:
    """What a comparison with one reference came to; inputs by bus, in hexadecimal."""

    reference: str
    failures: int
    first: tuple[Mapping[str, str], ...]


@dataclass(frozen=True)
class Exhausted:
    """The record of a complete enumeration: see ``docs/proof_log.md``."""

    schema: Literal["spikeproof-exhaustive-1"]
    theorem: str
    statement: str
    input_bits: int
    inputs: int
    compared: tuple[Compared, ...]
    outputs_sha256: str
    chunk_inputs: int
    netlist_sha256: str
    source_sha256: str
    commit: str | None
    modified: bool | None
    seconds: float
    threads: int
    peak_memory_mib: float
    machine: Machine
    processor: str
    versions: Mapping[str, str]

    @property
    def failures(self) -> int:
        """How many inputs fail, by the reference that has most of them."""
        return max(each.failures for each in self.compared)


# --- what is compared ---------------------------------------------------------------------------


def enumerable_circuit(obligation: Obligation) -> Netlist:
    """The circuit that a theorem is about.

    Raises:
        ExhaustionError: if it has too many inputs, or there is none; saying which theorems qualify.
    """
    qualify = f"choose a circuit of at most {MOST_BITS} input bits: one operand of 32 bits, or two of 16"
    if obligation.circuit is None:
        raise ExhaustionError(f"{obligation.name} is about formulas, not about a circuit; {qualify}")
    netlist = obligation.circuit()
    bits = netlist.input_count
    if bits > MOST_BITS:
        raise ExhaustionError(f"{obligation.name} has {bits} input bits, 2^{bits} inputs; {qualify}")
    return netlist


def is_enumerable(claim: Claim, netlist: Netlist) -> bool:
    """Whether all inputs of a circuit can be compared with what a claim says its outputs are."""
    if netlist.input_count > MOST_BITS or not claim.expected:
        return False
    try:
        spec_logic(claim, netlist)
    except ValueError:  # an operator that only z3 knows
        return False
    return True


def references(obligation: Obligation, netlist: Netlist, wanted: Sequence[str]) -> list[BlockFunction]:
    """The functions that a circuit is compared with, each called by its name in ``wanted``.

    Raises:
        ExhaustionError: if there is no such function.
    """
    made: list[BlockFunction] = []
    for name in wanted:
        function = (_spec_function if name == SPEC else machine_function)(obligation, netlist)
        if function is None:
            raise ExhaustionError(
                f"{obligation.name} has nothing that the {name} could answer on this computer; "
                f"compare with the {MACHINE if name == SPEC else SPEC} alone"
            )
        made.append(function)
    return made


def default_references(obligation: Obligation, netlist: Netlist) -> tuple[str, ...]:
    """The spec, and the machine's arithmetic where it does the same."""
    return (SPEC, MACHINE) if machine_function(obligation, netlist) else (SPEC,)


def _of_theorem(
    make: Callable[[Claim, Netlist], Made], obligation: Obligation, netlist: Netlist
) -> Made:
    """What is made of a theorem's claim about a circuit; the claim is forgotten."""
    with passing_formulas():
        return make(obligation.state(netlist), netlist)


def _spec_function(obligation: Obligation, netlist: Netlist) -> BlockFunction | None:
    """What a theorem calls for, if it is about outputs."""
    logic = _of_theorem(_spec_logic, obligation, netlist)
    return block_function(SPEC, *logic, OPTIMISED) if logic else None


def _spec_logic(claim: Claim, netlist: Netlist) -> tuple[Logic, list[int]] | None:
    return spec_logic(claim, netlist) if claim.expected else None


def spec_function(claim: Claim, netlist: Netlist) -> BlockFunction:
    """What a claim calls for, as ``spec_logic`` has it."""
    return block_function(SPEC, *spec_logic(claim, netlist), OPTIMISED)


def spec_logic(claim: Claim, netlist: Netlist) -> tuple[Logic, list[int]]:
    """What counts of the outputs that a claim calls for, and whether its assumptions hold.

    As literals of a graph over the netlist's input bits.
    """
    reader = Reader(Logic(netlist.input_count))
    given = {claim.inputs[name]: bus for name, bus in netlist.input_buses.items()}
    seen = claim.seen(claim.expected)
    return reader.logic, read_formulas(
        reader, given, *(seen[bus] for bus in netlist.outputs), And(claim.assumptions)
    )


def circuit_function(claim: Claim, netlist: Netlist) -> BlockFunction:
    """What counts of the outputs that a circuit gives."""
    return block_function(CIRCUIT, *circuit_logic(claim, netlist), OPTIMISED)


def circuit_logic(claim: Claim, netlist: Netlist) -> tuple[Logic, list[int]]:
    """The same, as literals of a graph over the netlist's input bits."""
    if not claim.counting:
        return netlist_logic(netlist)
    reader = read_netlist(netlist)
    symbols = {
        name: Symbol(column("circuit", name), BVType(len(bus))) for name, bus in netlist.outputs.items()
    }
    given = {claim.inputs[name]: bus for name, bus in netlist.input_buses.items()}
    given |= {symbols[name]: bus for name, bus in netlist.outputs.items()}
    seen = claim.seen(symbols)
    return reader.logic, read_formulas(reader, given, *(seen[bus] for bus in netlist.outputs))


def read_formulas(reader: Reader, given: Mapping[FNode, Bus], *formulas: FNode) -> list[int]:
    """The literals of the bits of formulas.

    Args:
        given: the signals, read already, that symbols stand for.
    """
    blaster = Blaster()
    for symbol in given:
        blaster.bits(symbol)
    wanted = [literal for formula in formulas for literal in _bits(blaster, formula)]
    place = {
        blaster.symbols[symbol.symbol_name()][index] >> 1: signal
        for symbol, bus in given.items()
        for index, signal in enumerate(bus)
    }
    for node, pair in enumerate(blaster.graph.conjunctions):
        if pair:
            place[node] = len(reader.literals)
            sources = sorted((place[literal >> 1], 1 - (literal & 1)) for literal in pair)
            (a, a_is), (b, b_is) = sources
            reader.table((a, b), 1 << (a_is | b_is << 1))
    return [_literal(literal, reader, place) for literal in wanted]


def _bits(blaster: Blaster, formula: FNode) -> Sequence[int]:
    return (blaster.literal(formula),) if get_type(formula).is_bool_type() else blaster.bits(formula)


def _literal(literal: int, reader: Reader, place: Mapping[int, int]) -> int:
    constant = literal in (FALSE, TRUE)
    return literal if constant else reader.literals[place[literal >> 1]] ^ literal & 1


# --- inputs at random, and all that fail --------------------------------------------------------


def violating_at_random(claim: Claim, netlist: Netlist) -> dict[str, int] | None:
    """An input on which a circuit departs from a claim's outputs, if one of ``RANDOM`` runs meets any.

    A run is of consecutive inputs from a place drawn at random, the same each time. Where
    inputs have more than ``COUNTED_BITS`` bits the others stay 0.
    """
    if not claim.expected:
        return None
    try:
        enumeration = beside_spec(claim, netlist)
    except ValueError:  # an operator that only z3 knows
        return None
    blocks = min(RUN // BLOCK, enumeration.blocks)
    part = None
    for place in np.random.default_rng(SEED).integers(enumeration.blocks // blocks, size=RANDOM):
        start = int(place) * blocks
        part = enumeration.run(start, blocks, part)
        if part.failures[0]:
            return input_values(start * BLOCK + int(_numbers(part.failing[:, 0])[0]), netlist)
    return None


def every_failing(
    claim: Claim, netlist: Netlist, advanced: Callable[[int], None] = lambda tried: None
) -> Iterator[dict[str, NDArray[np.int64]]]:
    """All inputs on which a circuit departs from a claim's outputs, by bus, some at a time.

    Args:
        advanced: told how many more inputs were tried.

    Raises:
        ValueError: if the claim has an operator that ``prover.encoding.bitblast`` does not know.
    """
    enumeration = beside_spec(claim, netlist)
    blocks = min(enumeration.piece // BLOCK, enumeration.blocks)
    part = None
    for start in range(0, enumeration.blocks, blocks):
        part = enumeration.run(start, blocks, part)
        if part.failures[0]:
            numbers = start * BLOCK + _numbers(part.failing[:, 0])
            yield input_values(numbers, netlist)
        advanced(blocks * BLOCK)


def _numbers(failing: NDArray[np.uint64]) -> NDArray[np.int64]:
    """The numbers of failing inputs, counting from the first of these; shape (blocks, 4)."""
    return np.flatnonzero(np.unpackbits(np.ascontiguousarray(failing).view(np.uint8), bitorder="little"))


# --- enumeration --------------------------------------------------------------------------------


def enumerate_all(
    obligation: Obligation,
    netlist: Netlist,
    wanted: Sequence[str],
    threads: int,
    checkpoint: Path | None = None,
    advanced: Callable[[int, bool], None] = lambda inputs, again: None,
    device: str | None = None,
    seconds: float = math.inf,
    elsewhere: Doing | None = None,
) -> Exhausted:
    """Enumerate all inputs, or those that an interrupted enumeration left.

    Args:
        wanted: the references, ``spec`` or ``machine`` or both.
        checkpoint: the file in which what is finished is kept until all is, if any.
        advanced: told of inputs that are done, and whether they were before this call.
        device: of PyTorch, where to do it, if not in machine code.
        seconds: that it may take; a chunk that is begun is finished.
        elsewhere: what does the chunks instead of ``threads`` here, which are then only recorded.

    Raises:
        ExhaustionError: if there is no such reference or device.
        OutOfTimeError: if it takes longer.
        StorageError: if the checkpoint cannot be written.
    """
    started = time.monotonic()
    doing = elsewhere or _here(obligation, netlist, wanted, threads, device)
    identity = identity_of(obligation, netlist, wanted, device)
    before = _resumed(checkpoint, identity)
    chunks = dict(before.chunks)
    inputs = 1 << netlist.input_count
    size = min(CHUNK, inputs)
    advanced(size * len(chunks), True)
    missing = [number for number in range(inputs // size) if number not in chunks]
    for number, chunk in doing(identity, missing, size):
        chunks[number] = chunk
        taken = time.monotonic() - started
        if checkpoint:
            _keep(checkpoint, replace(before, chunks=chunks, seconds=before.seconds + taken))
        advanced(size, False)
        if taken > seconds and len(chunks) < inputs // size:
            raise OutOfTimeError(
                f"trying all {inputs:,} inputs was not finished in {seconds:g} s; "
                "`spikeproof exhaust` takes as long as it needs"
            )
    own = enumerable_circuit(obligation)
    in_order = [chunks[number] for number in range(inputs // size)]
    revision, modified = commit()
    return Exhausted(
        schema="spikeproof-exhaustive-1",
        theorem=obligation.name,
        statement=obligation.stated_of(None if netlist.sha256 == own.sha256 else netlist),
        input_bits=netlist.input_count,
        inputs=inputs,
        compared=tuple(_compared(index, name, in_order, netlist) for index, name in enumerate(wanted)),
        outputs_sha256=hashlib.sha256(b"".join(bytes.fromhex(c.digest) for c in in_order)).hexdigest(),
        chunk_inputs=size,
        netlist_sha256=identity.netlist_sha256,
        source_sha256=identity.source_sha256,
        commit=revision,
        modified=modified,
        seconds=round(before.seconds + time.monotonic() - started, 2),
        threads=threads,
        peak_memory_mib=peak_memory_mib(),
        machine=Machine.here(),
        processor=identity.processor,
        versions=identity.versions,
    )


def identity_of(
    obligation: Obligation, netlist: Netlist, wanted: Sequence[str], device: str | None = None
) -> Identity:
    """What an enumeration is of, in machine code of this computer or on a device."""
    return Identity(
        obligation.name,
        netlist.sha256,
        source_sha256(obligation.package),
        tuple(wanted),
        versions(device),
        _name_of(device) if device else processor(),
    )


def beside_spec(claim: Claim, netlist: Netlist) -> Enumeration | WordEnumeration:
    """A circuit beside what a claim calls for.

    Raises:
        ValueError: if the claim has an operator that ``prover.encoding.bitblast`` does not know.
    """
    by_words = _by_words(claim, netlist)
    return by_words or Enumeration(circuit_function(claim, netlist), [spec_function(claim, netlist)])


def _by_words(claim: Claim, netlist: Netlist) -> WordEnumeration | None:
    """The same word by word, if a table says what is right of every input, and every bit of it counts.

    Raises:
        ExhaustionError: if words of 64 bits do not hold what a circuit of more inputs adds up.
    """
    if not isinstance(claim, TabulatedClaim) or claim.counting or claim.assumptions:
        return None
    table = claim.table
    try:
        if isinstance(table, BlockTable):
            return WordEnumeration(netlist, table.block)
    except ProgramError as error:
        raise ExhaustionError(str(error)) from None

    def results(first: int, count: int) -> Mapping[str, NDArray[Any]]:
        return table.at(inputs_in_a_row(netlist, first, count))

    return WordEnumeration(netlist, results, by_matrices)


def enumeration_of(
    obligation: Obligation, netlist: Netlist, wanted: Sequence[str]
) -> Enumeration | WordEnumeration:
    """A circuit beside references, in machine code.

    Raises:
        ExhaustionError: if there is no such reference.
    """
    if tuple(wanted) == (SPEC,) and (by_words := _of_theorem(_by_words, obligation, netlist)):
        return by_words
    made = references(obligation, netlist, wanted)  # what is refused is not waited for
    return Enumeration(_of_theorem(circuit_function, obligation, netlist), made)


def _here(
    obligation: Obligation, netlist: Netlist, wanted: Sequence[str], threads: int, device: str | None
) -> Doing:
    """Chunks by threads of this process."""
    engine: Engine = (
        _on_device(device, obligation, netlist, wanted)
        if device
        else enumeration_of(obligation, netlist, wanted)
    )
    return lambda _, numbers, size: _chunks(engine, numbers, size, threads)


def first_failing(
    obligation: Obligation, netlist: Netlist, threads: int, seconds: float
) -> dict[str, int] | None:
    """An input on which a circuit departs from its spec, of the first chunk that has one; None of none.

    Args:
        seconds: that it may take; a chunk that is begun is finished.

    Raises:
        ExhaustionError: if there is no such spec.
        OutOfTimeError: if it takes longer.
    """
    until = time.monotonic() + seconds
    enumeration = enumeration_of(obligation, netlist, (SPEC,))
    inputs = 1 << netlist.input_count
    size = min(CHUNK, inputs)
    numbers = range(inputs // size)
    left = len(numbers)
    with closing(_chunks(enumeration, numbers, size, threads)) as chunks:
        for _, chunk in chunks:
            left -= 1
            if chunk.failures[0]:
                return input_values(chunk.first[0][0], netlist)
            if left and time.monotonic() > until:
                raise OutOfTimeError(f"not all {inputs:,} inputs were tried in {seconds:g} s")
    return None


def _on_device(
    device: str, obligation: Obligation, netlist: Netlist, wanted: Sequence[str]
) -> TensorEnumeration:
    import torch

    from spikeproof.circuits.meanings.tensors import TensorEnumeration, TensorFunction

    try:
        torch.zeros(1, device=device).cpu()
    except (AssertionError, ImportError, NotImplementedError, RuntimeError):
        here = "cpu and cuda" if torch.cuda.is_available() else "cpu alone"
        raise ExhaustionError(f"PyTorch cannot compute on {device!r} here, but on {here}") from None
    if tuple(wanted) != (SPEC,):
        raise ExhaustionError("a device compares circuits with their specs alone; use --against spec")
    spec = _of_theorem(_spec_logic, obligation, netlist)
    if spec is None:
        raise ExhaustionError(f"{obligation.name} has no spec of outputs to compare with")
    circuit = _of_theorem(circuit_logic, obligation, netlist)
    return TensorEnumeration(TensorFunction(*circuit), [TensorFunction(*spec)], device)


def _name_of(device: str) -> str:
    """A device, and what it is if it is a GPU."""
    import torch

    if torch.device(device).type != "cuda":
        return device
    return f"{device}: {torch.cuda.get_device_name(device)}, CUDA {torch.version.cuda}"


def versions(device: str | None = None) -> dict[str, str]:
    """Of what an enumeration rests on beyond our source, in machine code or on a device."""
    engine = "torch" if device else "llvmlite"
    libraries = {name: version(name) for name in (engine, "numpy", "pysmt")}
    return libraries if device else {"llvm": ".".join(map(str, llvm.llvm_version_info)), **libraries}


def processor() -> str:
    """The processor, as LLVM knows it."""
    return str(llvm.get_host_cpu_name())


def _chunks(
    enumeration: Engine, numbers: Sequence[int], size: int, threads: int
) -> Generator[tuple[int, Chunk], None, None]:
    """Chunks as they are finished."""
    pool = ThreadPoolExecutor(threads)
    try:
        waiting = {pool.submit(chunk_of, enumeration, number, size): number for number in numbers}
        for finished in as_completed(waiting):
            yield waiting[finished], finished.result()
    finally:
        pool.shutdown(cancel_futures=True)


def chunk_of(enumeration: Engine, number: int, size: int) -> Chunk:
    """What comes of the chunk of a number, which has so many inputs."""
    piece = min(size, enumeration.piece)
    digest = hashlib.sha256()
    failures, part = None, None
    first: list[list[int]] = []
    for start in range(number * size, (number + 1) * size, piece):
        part = enumeration.run(start // BLOCK, max(1, piece // BLOCK), part)
        digest.update(part.outputs.data)
        failures = part.failures if failures is None else failures + part.failures
        first = first or [[] for _ in part.failures]
        for index, found in enumerate(first):
            if part.failures[index] and len(found) < SHOWN:
                found += (start + _numbers(part.failing[:, index])[: SHOWN - len(found)]).tolist()
    assert failures is not None
    return Chunk(digest.hexdigest(), tuple(failures.tolist()), tuple(map(tuple, first)))


def _compared(index: int, name: str, chunks: Sequence[Chunk], netlist: Netlist) -> Compared:
    first = [number for chunk in chunks for number in chunk.first[index]][:SHOWN]
    shown = tuple(
        {bus: f"{v:#x}" for bus, v in input_values(number, netlist).items()} for number in first
    )
    return Compared(name, sum(chunk.failures[index] for chunk in chunks), shown)


# --- files --------------------------------------------------------------------------------------


def _resumed(path: Path | None, identity: Identity) -> Checkpoint:
    """What is in a checkpoint, if it is of the same; else an empty one."""
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Checkpoint) if path else None
    except (OSError, ValueError, RecursionError):
        found = None
    if found and found.identity == identity:
        return found
    return Checkpoint("spikeproof-exhaustive-checkpoint-1", identity, 0.0, {})


def _keep(path: Path, checkpoint: Checkpoint) -> None:
    with storing(f"write a checkpoint to {path.parent}"):
        write_atomically(path, msgspec.json.encode(checkpoint))


def write_exhausted(log: Log, record: Exhausted) -> None:
    """Write a record to a log whole or not at all, in place of its checkpoint.

    Raises:
        StorageError: if it cannot be written.
    """
    with storing(f"write a record to {log.directory}"):
        content = msgspec.json.format(msgspec.json.encode(record), indent=1) + b"\n"
        write_atomically(log.exhaustive(record.theorem), content)
        log.exhaustive(record.theorem, unfinished=True).unlink(missing_ok=True)
