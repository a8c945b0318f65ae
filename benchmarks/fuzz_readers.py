"""Readers, on files that nobody meant: whatever a file holds, it is read, or refused in one line.

``python -m benchmarks.fuzz_readers --minutes 60`` changes valid files of every format that is read, of
circuits, claims, counterexamples, annotations, proofs and logs: octets, words, lines, values of JSON or
HDF5. What is read must be the same circuit when it is written and read again. All else is refused by
the error that the reader documents, in one printable line. Either takes at most ``SECONDS``, and
``MEMORY`` of addresses; whatever else happens is a finding, and kept as a file.

Where Atheris is installed (``pip install 'spikeproof[fuzz]'``), it chooses by coverage which files to
change again; else chance does. HDF5 files whose octets were changed are read in a process of their own
each, for what parses them is not ours, and may crash.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import resource
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from functools import partial
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from benchmarks.mutation_of_files import (
    LONGEST,
    changed_graph,
    changed_json,
    changed_octets,
    changed_words,
)

GUIDED = importlib.util.find_spec("atheris") is not None


def _instrumented() -> Any:
    """Where modules are loaded so that Atheris sees which branches they take."""
    if not GUIDED:
        return nullcontext()
    import atheris

    return atheris.instrument_imports(include=["spikeproof"], enable_loader_override=False)


with _instrumented():
    from spikeproof.circuits.doors import nir as nir_door
    from spikeproof.circuits.doors.aiger import as_aiger, read_aiger
    from spikeproof.circuits.doors.blif import as_blif, read_blif
    from spikeproof.circuits.doors.json import as_json, read_json
    from spikeproof.circuits.doors.nir_files import decoded, parsed
    from spikeproof.circuits.doors.yosys import as_yosys_json, read_yosys_json
    from spikeproof.circuits.meanings import boolean
    from spikeproof.circuits.netlist import Netlist, NetlistBuilder, NetlistError
    from spikeproof.circuits.units.integer import block_netlist
    from spikeproof.prover.checking.checkers import CheckError, by_dratify
    from spikeproof.prover.claims.catalogue import theorem
    from spikeproof.prover.claims.environment import passing_formulas
    from spikeproof.prover.claims.given import GivenClaim, Table, read_claim
    from spikeproof.prover.claims.obligation import StatementError
    from spikeproof.prover.encoding.drat import ADDITION, DELETION
    from spikeproof.prover.evidence import ledger
    from spikeproof.prover.evidence.log import LogError, Machine, Manifest, read_log
    from spikeproof.prover.evidence.record import (
        Certificate,
        EngineUse,
        Lemma,
        Reply,
        Size,
        Stage,
        Strategy,
        blank_record,
        file_content,
    )
    from spikeproof.prover.kernel.annotation import SCHEMA, AnnotationError, Annotations
    from spikeproof.prover.kernel.cells import AlgebraError, Site
    from spikeproof.prover.kernel.telescoping import product_claims
    from spikeproof.prover.running.replay import ReplayError, read_counterexample

SECONDS = 5.0
"""Of a processor, that any file of ``LONGEST`` octets may take."""
MEMORY = 1 << 30
"""Octets of addresses, beyond those that the readers have when they are loaded."""
LETTERS = 600
"""That a refusal may have."""

STEPS = 3
READING = (
    "constants=equations,strict=no,reset=zero,start=zero,dt=1e-4,order=leak add fire,arithmetic=exact"
)


@dataclass(frozen=True)
class Door:
    """What is read.

    Attributes:
        seeds: valid files.
        read: reads the file at a path, and checks what comes of it.
        change: another file that is like one.
        refusals: what the reader may raise.
        end: of the file's name.
        apart: whether each is read in a process of its own.
    """

    seeds: Sequence[bytes]
    read: Callable[[Path], object]
    change: Callable[[Random, bytes, Sequence[bytes]], bytes]
    refusals: tuple[type[Exception], ...] = (NetlistError,)
    end: str = ""
    apart: bool = False


class WrongError(AssertionError):
    """A circuit that is another one when it is written and read again."""


# --- circuits -----------------------------------------------------------------------------------


def _small() -> Netlist:
    """Two buses, weights of every kind, a constant, and a bus that is an input."""
    builder = NetlistBuilder()
    x, y = builder.input("x", 2), builder.input("y", 1)
    both = builder.neuron([(x[0], 1), (y[0], 1)], 2)
    odd = builder.neuron([(x[0], 1), (y[0], 1), (both, -2)], 1)
    most = builder.neuron([(x[0], 3), (x[1], -2), (odd, 5)], 3, 1)
    return builder.build({"sum": (odd, most), "carry": (both,), "same": x})


def _read_twice(
    reader: Callable[[Path], Netlist], write: Callable[[Netlist], bytes], path: Path
) -> None:
    """Read a circuit; have it equal after JSON, and the same function after its own format."""
    netlist = reader(path)
    path.write_bytes(as_json(netlist))
    if read_json(path) != netlist:
        raise WrongError("its JSON is another circuit")
    small = netlist.input_count <= 256 and netlist.signal_count <= 512
    if not small or any(len(neuron.synapses) > 12 for neuron in netlist.neurons):
        return
    with suppress(NetlistError):  # names that a format cannot tell apart, weights that it has not
        path.write_bytes(write(netlist))
        again = reader(path)
        if _responses(again) != _responses(netlist):
            raise WrongError("written and read again it is another function")


def _responses(netlist: Netlist) -> dict[str, list[int]]:
    """Its outputs on some inputs."""
    draw = Random(1)
    inputs = {
        name: np.array([draw.getrandbits(width) for _ in range(8)], dtype=boolean.word_type(width))
        for name, width in netlist.inputs.items()
    }
    found = boolean.evaluate(netlist, inputs)
    return {name: words.tolist() for name, words in sorted(found.items())}


MEMORY_BLIF = b""".model m
.inputs d clk
.outputs q[0] q[1]
.latch d q[0] re clk 0
.latch n q[1] re clk 3
.names d q[0] n # of both
1- 0
-1 0
.end
"""

MEMORY_AIGER = b"aag 5 1 2 1 2\n2\n4 8 1\n6 4\n10\n8 2 5\n10 9 6\ni0 x\no0 y\nl0 q\n"
MEMORY_BINARY = b"aig 5 1 2 1 2\n8 1\n4\n10\n" + bytes([3, 3, 1, 3]) + b"i0 x\no0 y\n"

MEMORY_YOSYS = b"""{"modules": {"m": {"attributes": {"top": "1"},
"ports": {"c": {"direction": "input", "bits": [2]}, "a": {"direction": "input", "bits": [6, 7]},
"q": {"direction": "output", "bits": [4, 5]}},
"cells": {"r": {"type": "$dff", "parameters": {"CLK_POLARITY": "1"},
"connections": {"CLK": [2], "D": [6, 7], "Q": [4, 5]}}},
"netnames": {"q": {"hide_name": 0, "bits": [4, 5], "attributes": {"init": "11"}}}}}}"""


def _stepping(reader: Callable[..., Netlist]) -> Callable[[Path], Netlist]:
    """As it is, or after some steps if it has memory."""

    def read(path: Path) -> Netlist:
        try:
            return reader(path)
        except NetlistError as error:
            if "registers; state in which step" not in str(error):
                raise
            return reader(path, steps=STEPS)

    return read


def _circuits() -> dict[str, Door]:
    unit = _small()
    aiger = _stepping(read_aiger)
    binary, ascii_ = (partial(as_aiger, binary=kind) for kind in (True, False))
    return {
        "JSON": Door(
            [as_json(unit), as_json(_annotated())],
            partial(_read_twice, read_json, as_json),
            changed_json,
        ),
        "AIGER, ascii": Door(
            [ascii_(unit), MEMORY_AIGER], partial(_read_twice, aiger, ascii_), changed_words
        ),
        "AIGER, binary": Door(
            [binary(unit), MEMORY_BINARY], partial(_read_twice, aiger, binary), changed_octets
        ),
        "BLIF": Door(
            [as_blif(unit), MEMORY_BLIF],
            partial(_read_twice, _stepping(read_blif), as_blif),
            changed_words,
        ),
        "Yosys": Door(
            [as_yosys_json(unit), MEMORY_YOSYS],
            partial(_read_twice, _stepping(read_yosys_json), as_yosys_json),
            changed_json,
        ),
    }


def _annotated() -> Netlist:
    """A circuit with probes, blocks, cells, fractions and notes."""
    builder = NetlistBuilder()
    x = builder.input("x", 2)
    both = builder.neuron([(x[0], 1), (x[1], 1)], 2)
    builder.probe("product", (both,))
    builder.block("b", "and", {"x": x}, {"out": (both,)})
    return builder.build({"y": (both,)})


# --- graphs of NIR ------------------------------------------------------------------------------


def _graphs() -> dict[str, Door]:
    if importlib.util.find_spec("nir") is None:
        return {}
    import nir

    ones = np.ones(2, np.float32)
    nodes = {
        "input": nir.Input(np.array([2])),
        "affine": nir.Affine(np.eye(2, dtype=np.float32), ones / 2),
        "lif": nir.LIF(tau=ones, r=ones, v_leak=ones * 0, v_threshold=ones, v_reset=ones * 0),
        "output": nir.Output(np.array([2])),
    }
    image = {
        "input": nir.Input(np.array([1, 3, 3])),
        "conv": nir.Conv2d(
            (3, 3), np.ones((1, 1, 2, 2), np.float32), 1, 0, 1, 1, np.zeros(1, np.float32)
        ),
        "flat": nir.Flatten({"input": np.array([1, 2, 2])}, 0, -1),
        "if": nir.IF(r=np.ones(4), v_threshold=np.ones(4), v_reset=np.zeros(4)),
        "output": nir.Output(np.array([4])),
    }
    seeds = [nir_door.as_nir(_small())]
    for each in (nodes, image):
        graph = nir.NIRGraph(each, list(pairwise(each)), type_check=False)
        with tempfile.NamedTemporaryFile(suffix=".nir") as file:
            nir.write(file.name, graph)
            seeds.append(Path(file.name).read_bytes())

    def reader(path: Path) -> Netlist:
        found = decoded(parsed({"path": str(path)}))  # in this process, for another takes its time
        return nir_door.from_nir(nir_door.graph_of(found), f"{READING},steps=1")

    read = partial(_read_twice, reader, nir_door.as_nir)
    return {
        "NIR": Door(seeds, read, changed_graph, end=".nir"),
        "NIR, octets": Door(seeds, read, changed_octets, end=".nir", apart=True),
    }


# --- claims, counterexamples, logs --------------------------------------------------------------


def _stated(path: Path) -> None:
    """Read a claim, and state it."""
    claim = read_claim(path)
    if sum(claim.inputs.values()) <= 16 and sum(claim.outputs.values()) <= 64:
        obligation = claim.obligation()
        assert obligation.circuit
        with passing_formulas():
            obligation.state(obligation.circuit())


def _claims() -> dict[str, Door]:
    unit, title = _small(), "mine:function"
    widths = ({"x": 2, "y": 1}, {"sum": 2, "carry": 1, "same": 2})
    table = Table(None, {name: tuple(n % (1 << w) for n in range(8)) for name, w in widths[1].items()})
    points = Table({"x": (0, 3), "y": (1, 0)}, dict.fromkeys(widths[1], (0, 1)))
    formula = (
        "(set-logic QF_BV)\n(declare-fun x () (_ BitVec 2))\n(declare-fun y () (_ BitVec 2))\n"
        "(define-fun .z () (_ BitVec 2) (bvadd x (bvmul y #b01)))\n"
    )
    claims = (
        GivenClaim(title, *widths, circuit=unit),
        GivenClaim(title, *widths, table=table),
        GivenClaim(title, *widths, table=points),
        GivenClaim(title, {"x": 2, "y": 2}, {"z": 2}, formula=formula),
        GivenClaim(
            title,
            {"x": 8},
            {"z": 8},
            formats={"x": "fp8_e5m2", "z": "fp8_e5m2"},
            alike=True,
            table=Table({"x": (1,)}, {"z": (1,)}),
        ),
    )
    return {
        "claim": Door(
            [claim.content for claim in claims],
            _stated,
            changed_json,
            refusals=(NetlistError, StatementError),
        )
    }


COUNTEREXAMPLE = b"""{"schema": "spikeproof-counterexample-1", "theorem": "fp8_e5m2.add.rne",
"statement": "s", "inputs": {"x": "0x1f", "y": "0x0"}, "netlist_sha256": null,
"outputs": {"circuit": {"z": "0x0"}, "spec": {"z": "0x1"}}, "explanation": ["a"]}"""


def _manifest() -> bytes:
    now = datetime.now(timezone.utc).replace(microsecond=0)
    here = Machine("Linux", "x86_64", 2, 1.5, "3.11")
    manifest = Manifest(
        schema="spikeproof-manifest-2",
        command="spikeproof prove",
        profile="part",
        commit=None,
        modified=True,
        started=now,
        finished=now,
        machine=here,
        versions={"z3": "4"},
        source_sha256="ab",
        promised=1,
        discharged=1,
        complete=True,
    )
    return file_content(manifest)


def _record() -> bytes:
    """Of a refutation, with all that a record may have."""
    obligation = theorem("cell.ionic.not")
    assert obligation.circuit
    circuit = _small()
    certificate = Certificate.of("drat", b"")
    lemma = Lemma("t", "claim", "ab", "cd", (Reply("z3 4", "unsat", 1.0),), (certificate,))
    record = replace(
        blank_record(obligation, 1.0, circuit, (EngineUse("z3", "4", "seed 1"),)),
        theorem="t",
        counterexample={"x": 1},
        netlist=Size.of(circuit),
        lemmas=(lemma,),
        strategy=Strategy((Stage("every input", "wrong", 1.0),), certificate),
    )
    return file_content(record)


def _read_log(name: str, manifest: bytes, path: Path) -> None:
    """Read a log of which one file is that at the path."""
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        log = Path(folder)
        (log / "records").mkdir()
        (log / "manifest.json").write_bytes(manifest)
        (log / name).write_bytes(path.read_bytes())
        read_log(log)


def _multiplier() -> Netlist:
    """Of two bits, with its cells."""
    return block_netlist("threshold", "multiply", {"x": 2, "y": 2})


def _added_up(path: Path) -> None:
    """Read a multiplier, and add up the equations of its cells."""
    netlist = read_json(path)
    factors, product = tuple(netlist.input_buses.values()), next(iter(netlist.outputs.values()))
    if len(factors) == 2:
        with passing_formulas():
            product_claims(Site(netlist, factors, (product,)))


def _evidence() -> dict[str, Door]:
    circuit, manifest = _annotated(), _manifest()
    annotations = Annotations(SCHEMA, circuit.sha256, dict(circuit.probes), circuit.blocks)
    telling = ledger.ledger_path().read_bytes().splitlines(keepends=True)
    return {
        "counterexample": Door([COUNTEREXAMPLE], read_counterexample, changed_json, (ReplayError,)),
        "manifest": Door(
            [manifest], partial(_read_log, "manifest.json", manifest), changed_json, (LogError,)
        ),
        "record": Door(
            [_record()], partial(_read_log, "records/t.json", manifest), changed_json, (LogError,)
        ),
        "annotations": Door(
            [annotations.content],
            lambda path: Annotations.read(path.read_bytes()).on(circuit),
            changed_json,
            (AnnotationError, NetlistError),
        ),
        "cells": Door([as_json(_multiplier())], _added_up, changed_json, (NetlistError, AlgebraError)),
        "clausal proof": Door(
            [bytes([ADDITION, 4, 0, DELETION, 2, 4, 0, ADDITION, 0])],
            lambda path: by_dratify([[1, 2], [-1, 2], [1, -2], [-1, -2]], path.read_bytes()),
            changed_octets,
            (CheckError,),
            apart=True,
        ),
        "ledger": Door(
            [b"".join(telling[:4])], lambda path: ledger.read(path), changed_words, (ledger.LedgerError,)
        ),
    }


def all_doors() -> dict[str, Door]:
    """All that is read, by name."""
    return {**_circuits(), **_graphs(), **_claims(), **_evidence()}


# --- the property -------------------------------------------------------------------------------


@dataclass
class Run:
    """One file after another.

    Attributes:
        folder: where findings are kept.
        read, refused, found: how many files, by door; findings by what they are.
    """

    doors: dict[str, Door]
    folder: Path
    until: float
    read: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)

    def one(self, case: bytes) -> None:
        """Read a file, whose first octet says of which door it is."""
        name, content = self._told(case)
        door = self.doors[name]
        path = self.folder / f"file{door.end}"
        path.write_bytes(content)
        started = time.process_time()
        wrong = _apart(door, path) if door.apart else _outcome(door, path)
        seconds = time.process_time() - started
        if seconds > SECONDS:
            wrong = f"slow: {wrong}"
        if wrong in ("", REFUSED):
            (self.refused if wrong else self.read)[name] += 1
        else:
            self._keep(f"{name}: {wrong}", content)
        if time.monotonic() > self.until:
            self.end()

    def require_valid_seeds(self) -> None:
        """Refuse to begin with files that are none."""
        for case in self.seeds:
            self.one(case)
        assert not self.refused, self.refused
        assert not self.found, self.found

    def end(self) -> None:
        """Say what was found, and end, with whatever runs us."""
        for name in self.doors:
            print(f"{name:16} {self.read[name]:8} read {self.refused[name]:8} refused")
        print(f"{sum(self.read.values()) + sum(self.refused.values()):,} files in all, ", end="")
        print(f"{time.process_time():,.0f} s of a processor, {len(self.found)} findings")
        sys.stdout.flush()
        os._exit(bool(self.found))

    def changed(self, case: bytes, seed: int) -> bytes:
        """Another file."""
        name, content = self._told(case)
        draw = Random(seed)
        if draw.random() < 0.1:
            name = draw.choice(list(self.doors))
        door = self.doors[name]
        if not content or draw.random() < 0.4:  # else few files are valid in the end
            content = draw.choice(door.seeds)
        first = list(self.doors).index(name)
        return bytes([first]) + door.change(draw, content, door.seeds)[: LONGEST - 1]

    @property
    def seeds(self) -> list[bytes]:
        """Valid files of all doors."""
        return [bytes([n]) + each for n, door in enumerate(self.doors.values()) for each in door.seeds]

    def _told(self, case: bytes) -> tuple[str, bytes]:
        names = list(self.doors)
        return names[case[0] % len(names) if case else 0], case[1:]

    def _keep(self, what: str, content: bytes) -> None:
        """Keep the smallest file of a finding, and tell of it the first time."""
        kind = what.partition("\n")[0][:160]
        number = list(self.found).index(kind) if kind in self.found else len(self.found)
        path = self.folder / f"finding-{number}"
        if kind not in self.found:
            print(f"finding {number}: {what}", flush=True)
        if kind not in self.found or len(content) < path.stat().st_size:
            path.write_bytes(content)
        self.found[kind] += 1


REFUSED = "refused"


def _outcome(door: Door, path: Path) -> str:
    """What became of reading a file: nothing to say, ``REFUSED``, or what is wrong."""
    try:
        door.read(path)
    except door.refusals as error:
        said = str(error)
        if not said.isprintable() or len(said) > LETTERS:
            return f"refused in more than a line: {type(error).__name__}: {_place(error)}\n{said!r:.300}"
        return REFUSED
    except Exception as error:
        return f"{type(error).__name__} at {_place(error)}: {error!s:.200}"
    return ""


def _place(error: BaseException) -> str:
    """Where it was raised, of our own code."""
    ours = [f for f in traceback.extract_tb(error.__traceback__) if "fuzz_readers" not in f.filename]
    own = [f for f in ours if "site-packages" not in f.filename] or ours
    return ", ".join(f"{Path(f.filename).name}:{f.lineno}" for f in (*own[-1:], *ours[-1:]))


def _apart(door: Door, path: Path) -> str:
    """As ``_outcome``, in a copy of this process, which may crash."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        resource.setrlimit(resource.RLIMIT_CPU, (int(SECONDS), int(SECONDS)))
        os.write(writing, _outcome(door, path).encode("utf-8", "replace")[:4000])
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as file:
        said = file.read().decode()
    _, status = os.waitpid(child, 0)
    return f"its process ends with {status}" if status else said


# --- the command --------------------------------------------------------------------------------


def main(arguments: Sequence[str]) -> None:
    """Change and read files for some minutes; exit code 1 if something is found."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1, help="where chance begins")
    parser.add_argument("--findings", type=Path, help="a folder for files that are findings")
    parser.add_argument("--door", action="append", help="only this, as the summary names it")
    parser.add_argument("--file", type=Path, help="read this file alone, through the only door")
    chosen = parser.parse_args(arguments)
    doors = {name: each for name, each in all_doors().items() if not chosen.door or name in chosen.door}
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, hard))
    folder = chosen.findings or Path(tempfile.mkdtemp(prefix="findings-"))
    folder.mkdir(parents=True, exist_ok=True)
    print(f"findings in {folder}; {'guided by coverage' if GUIDED else 'by chance alone'}", flush=True)
    if chosen.file:
        print(_outcome(next(iter(doors.values())), chosen.file) or "read")
        return
    run = Run(doors, folder, time.monotonic() + 60 * chosen.minutes)
    warnings.simplefilter("error", RuntimeWarning)  # it would be shown beside the refusal
    run.require_valid_seeds()
    if GUIDED:
        _guided(run, chosen.seed)
    draw, kept = Random(chosen.seed), run.seeds
    while True:
        case = run.changed(draw.choice(kept), draw.getrandbits(32))
        run.one(case)
        if draw.random() < 0.01:  # so that changes add up
            kept.append(case)


def _guided(run: Run, seed: int) -> None:
    """Have Atheris choose what is changed; it does not return."""
    import atheris

    corpus = run.folder / "corpus"  # which is gone on with the next time
    corpus.mkdir(exist_ok=True)
    for number, case in enumerate(run.seeds):
        (corpus / f"seed-{number}").write_bytes(case)
    signal.signal(signal.SIGTERM, lambda *_: run.end())
    options = [
        "-handle_term=0",
        f"-max_len={LONGEST}",
        f"-seed={seed}",
        "-timeout=600",
        "-rss_limit_mb=0",
        "-verbosity=0",
    ]
    atheris.Setup(
        [sys.argv[0], str(corpus), *options],
        run.one,
        custom_mutator=lambda case, most, seed: run.changed(case, seed)[:most],
    )
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1:])
