"""What is kept of a discharged obligation: one record, as plain data, in logs and in the cache alike.

``docs/proof_log.md`` says what every field means to a reader of the files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import Enum
from typing import Any, Literal

import msgspec

from spikeproof.circuits.netlist import Netlist
from spikeproof.prover.claims.obligation import Obligation, Outcome
from spikeproof.prover.evidence.source import source_sha256

SCHEMA: Literal["spikeproof-record-1"] = "spikeproof-record-1"
SEED = 20261122
"""Where chance plays a part in a proof (simulation before sweeping), it always begins here."""

CIRCUIT = "circuit"
"""The parameter that says, by SHA-256, which circuit was given instead of the theorem's own."""


class Status(Enum):
    """What an engine makes of a formula."""

    SATISFIABLE = "satisfiable"
    UNSATISFIABLE = "unsatisfiable"
    TIMEOUT = "timeout"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class EngineUse:
    """A solver, and how it was run."""

    name: str
    version: str
    options: str

    @property
    def label(self) -> str:
        """Name and version."""
        return f"{self.name} {self.version}".strip()


@dataclass(frozen=True)
class Size:
    """The netlist that a theorem is about."""

    sha256: str
    neurons: int
    synapses: int
    depth: int
    largest_fan_in: int

    @classmethod
    def of(cls, netlist: Netlist) -> Size:
        """What a netlist measures."""
        size = netlist.statistics
        return cls(netlist.sha256, size.neurons, size.synapses, size.depth, size.largest_fan_in)


@dataclass(frozen=True)
class Reply:
    """What one engine said of a lemma: a ``Status``, by its value."""

    engine: str
    status: str
    seconds: float


CertificateKind = Literal[
    "annotations", "bearing", "bound", "drat", "model", "program", "smtlib", "telescoping"
]


@dataclass(frozen=True)
class Certificate:
    """What lets someone else check a lemma again, by the SHA-256 of its bytes.

    Attributes:
        kind: ``annotations``, probes and cells for a circuit that was given, as JSON: see
            ``prover.kernel.annotation``; ``bearing``, which neurons bear what, as JSON: see
            ``prover.kernel.bearing``; ``bound``, how large an error is at most, as JSON: see
            ``prover.kernel.bounds``; ``drat``, a clausal proof in binary DRAT; ``model``, values
            that satisfy a formula, as JSON; ``program``, of what a program is made up, as JSON: see
            ``prover.kernel.programs``; ``smtlib``, the question as it was put, in SMT-LIB 2;
            ``telescoping``, the weights of the equations that add up to a product, as JSON.
        size: how many bytes there are.
    """

    kind: CertificateKind
    sha256: str
    size: int

    @classmethod
    def of(cls, kind: CertificateKind, content: bytes) -> Certificate:
        """The name of a certificate."""
        return cls(kind, hashlib.sha256(content).hexdigest(), len(content))


LemmaKind = Literal["claim", "assumptions", "algebra", "bearing", "bound", "congruence", "every input"]


@dataclass(frozen=True)
class Lemma:
    """One question that was put to the engines, or settled by algebra.

    Attributes:
        kind: ``claim``, which has no counterexample if it is unsatisfiable; ``assumptions``, which must
            be satisfiable; ``algebra``, which no engine was asked; ``bearing``, that neurons bear
            perturbations, by arithmetic on their sums; ``bound``, that errors are within it,
            by arithmetic on the circuit's program; ``congruence``, that a program is the spec's, given
            theorems about its units; ``every input``, which was evaluated on all of them, and no
            engine asked.
        formula_sha256: of the question as an SMT-LIB 2 script; None where there is none: of algebra, and
            of a table. Where results come in blocks, of these.
        cnf_sha256: of the clauses that CaDiCaL was given, as a DIMACS file.
    """

    name: str
    kind: LemmaKind
    formula_sha256: str | None
    cnf_sha256: str | None
    replies: tuple[Reply, ...]
    certificates: tuple[Certificate, ...]

    @property
    def seconds(self) -> float:
        """How long the engines took, together."""
        return sum(reply.seconds for reply in self.replies)


@dataclass(frozen=True)
class Stage:
    """A part of the search for a verdict on a circuit that was given.

    Attributes:
        found: what it came to, for people.
    """

    name: str
    found: str
    seconds: float


@dataclass(frozen=True)
class Strategy:
    """How a circuit that was given was decided.

    Attributes:
        stages: in order; the last one is that which decided, or in which time ran out.
        annotations: where the proof is cut, if it is and the circuit did not say so itself.
    """

    stages: tuple[Stage, ...]
    annotations: Certificate | None = None


@dataclass(frozen=True)
class Record:
    """What became of one obligation.

    Attributes:
        parameters: format, operation, mode, policy, library and so on, as far as they apply; and
            ``CIRCUIT``, without which the record is of the theorem's own circuit.
        seed: where chance began.
        timeout: seconds that were allowed.
        seconds, peak_memory_mib: what it took.
        message: the counterexample for a person, or why there is no verdict.
        counterexample: the inputs that violate the claim, if refuted.
        netlist: the circuit that the claim is about, if any.
        spec_sha256: of what the outputs should be, as an SMT-LIB 2 script, or as a table; of the claim,
            if it is about formulas alone.
        lemmas: from which the theorem follows; one with the theorem's name if it was put to the
            engines whole.
        source_sha256: of the source as it was: see ``prover.evidence.source``.
        seal: see ``prover.evidence.seal``; empty until it is sealed.
        package: the installed package that states the theorem, if it is none of ours.
        notes: those of the circuit; what was assumed when it was made.
        nearest: the theorem under which a refuted circuit is right, or to which it comes nearest, if
            there is another; the message says what is known of that.
        region: the theorem that says of some inputs only that a refuted circuit is right; proved.
    """

    schema: Literal["spikeproof-record-1"]
    theorem: str
    statement: str
    parameters: Mapping[str, str]
    outcome: Outcome
    expected: Outcome
    engines: tuple[EngineUse, ...]
    seed: int
    timeout: float
    seconds: float
    peak_memory_mib: float
    message: str
    counterexample: Mapping[str, int] | None
    netlist: Size | None
    spec_sha256: str | None
    lemmas: tuple[Lemma, ...]
    source_sha256: str
    seal: str
    package: str | None = None
    notes: tuple[str, ...] = ()
    nearest: str | None = None
    region: str | None = None
    strategy: Strategy | None = None

    @property
    def green(self) -> bool:
        """Proved, or refuted where a refutation was promised."""
        return self.outcome is self.expected

    @property
    def refutes(self) -> bool:
        """Refuted, though that was not promised: what was claimed is wrong."""
        return self.outcome is Outcome.REFUTED and not self.green

    @property
    def decided(self) -> bool:
        """Proved or refuted, as promised or not."""
        return self.outcome in (Outcome.PROVED, Outcome.REFUTED)

    @property
    def circuit_sha256(self) -> str | None:
        """The circuit that was given instead of the theorem's own, if any."""
        return self.parameters.get(CIRCUIT)

    @property
    def composed(self) -> bool:
        """Whether it follows from lemmas, and was not put to the engines whole."""
        return any(lemma.name != self.theorem for lemma in self.lemmas)

    @property
    def engine(self) -> str:
        """Labels of the engines that took part."""
        return ", ".join(engine.label for engine in self.engines)

    @property
    def certificates(self) -> tuple[Certificate, ...]:
        """Those of all lemmas, and the annotations that these are of."""
        found = self.strategy.annotations if self.strategy else None
        of_lemmas = (certificate for lemma in self.lemmas for certificate in lemma.certificates)
        return (*filter(None, (found,)), *of_lemmas)

    def as_json(self) -> dict[str, Any]:
        """As JSON-ready data."""
        data: dict[str, Any] = msgspec.to_builtins(self)
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Record:
        """The inverse of ``as_json``.

        Raises:
            msgspec.ValidationError: if the data is not of this schema.
        """
        return msgspec.convert(data, cls)


def file_content(data: object) -> bytes:
    """What a record or a manifest is as a file: JSON, byte for byte."""
    return msgspec.json.format(msgspec.json.encode(data), indent=1) + b"\n"


CACHED, CONTINUED = "cached", "continued"
"""Where a record is from that was not made now: the cache, or the log of an interrupted run."""


@dataclass(frozen=True)
class Found(Record):
    """A record, and how this run came by it.

    Attributes:
        origin: ``CACHED`` or ``CONTINUED``; empty if the theorem was discharged now.
        audited: whether what was kept of it was checked again.
    """

    origin: str = ""
    audited: bool = False

    @classmethod
    def of(cls, record: Record, origin: str = "", audited: bool = False) -> Found:
        """A record that was come by like this."""
        return cls(**vars(record), origin=origin, audited=audited)

    @property
    def record(self) -> Record:
        """The record alone, as it is sealed and kept."""
        return Record(**{each.name: getattr(self, each.name) for each in fields(Record)})


def blank_record(
    obligation: Obligation,
    timeout: float,
    circuit: Netlist | None = None,
    engines: tuple[EngineUse, ...] = (),
) -> Record:
    """What a record says before anything was done: an error, so that nobody takes it for more."""
    own = obligation.parameters
    return Record(
        schema=SCHEMA,
        theorem=obligation.name,
        statement=obligation.stated_of(circuit),
        parameters={**own, CIRCUIT: circuit.sha256} if circuit else own,
        outcome=Outcome.ERROR,
        expected=Outcome.PROVED if circuit else obligation.expected,
        engines=engines,
        seed=SEED,
        timeout=timeout,
        seconds=0.0,
        peak_memory_mib=0.0,
        message="",
        counterexample=None,
        netlist=None,
        spec_sha256=None,
        lemmas=(),
        source_sha256=source_sha256(obligation.package),
        seal="",
        package=obligation.package,
        notes=circuit.notes if circuit else (),
    )
