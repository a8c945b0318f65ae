"""An enumeration on a cluster: its chunks are tasks, and what a worker says of one is not believed.

It is accepted where it is sealed with our key, which machines that share the secret ``SPIKEPROOF_SEAL``
have. Elsewhere the chunk is enumerated here again: nothing shorter tells that no input was left out.
That is against faults: workers and scheduler exchange Python objects, and must mean no harm.
"""

from __future__ import annotations

import hmac
import pickle
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache

import msgspec

from spikeproof.circuits.meanings.enumeration import Enumeration
from spikeproof.circuits.meanings.word_enumeration import WordEnumeration
from spikeproof.circuits.netlist import Netlist
from spikeproof.prover.claims.catalogue import theorem
from spikeproof.prover.engines.pool import LOST
from spikeproof.prover.evidence.seal import seal_bytes
from spikeproof.prover.refutation.exhaustion import (
    Chunk,
    Identity,
    chunk_of,
    enumerable_circuit,
    enumeration_of,
    identity_of,
)
from spikeproof.prover.running.cluster import Cluster, ClusterError


@dataclass(frozen=True)
class Asked:
    """What a worker is asked.

    Attributes:
        identity: what is enumerated, as JSON.
        circuit: that is given instead of the theorem's own, if one is, pickled.
        number: of the chunk.
        size: inputs in a chunk.
    """

    identity: bytes
    circuit: bytes | None
    number: int
    size: int


@dataclass(frozen=True)
class Said:
    """What it answers: the chunk as JSON, and its seal; or why there is none."""

    chunk: bytes = b""
    seal: str = ""
    trouble: str = ""


@dataclass(frozen=True)
class ChunksOn:
    """Chunks of an enumeration, done on a cluster: see ``refutation.exhaustion.Doing``.

    Attributes:
        circuit: given instead of the theorem's own.
    """

    cluster: Cluster
    circuit: Netlist | None = None

    def __call__(
        self, identity: Identity, numbers: Sequence[int], size: int
    ) -> Iterator[tuple[int, Chunk]]:
        """Chunks by number, as they are finished.

        Raises:
            ClusterError: if the cluster is lost, or what a worker says does not hold.
        """
        circuit = pickle.dumps(self.circuit) if self.circuit else None
        asked = msgspec.json.encode(identity)
        tasks = {number: Asked(asked, circuit, number, size) for number in numbers}
        given = {number: (task,) for number, task in tasks.items()}
        for number, said in self.cluster.results(answer, given, lambda _: Said(trouble=LOST)):
            yield number, accepted(tasks[number], said)


def accepted(task: Asked, said: Said) -> Chunk:
    """A chunk that a worker sent, once it is known to be true.

    Raises:
        ClusterError: if it is not, or there is none.
    """
    if said.trouble:
        raise ClusterError(f"chunk {task.number}: {said.trouble}")
    right = hmac.compare_digest(_seal(task, said.chunk).encode(), said.seal.encode(errors="replace"))
    try:
        chunk = msgspec.json.decode(said.chunk, type=Chunk)
    except msgspec.MsgspecError:
        chunk = None
    if chunk is None or not (right or chunk == _chunk(task)):
        raise ClusterError(f"what a worker sent of chunk {task.number} does not hold")
    return chunk


# --- on a worker --------------------------------------------------------------------------------


def answer(task: Asked) -> Said:
    """What comes of a chunk on this machine."""
    try:
        chunk = msgspec.json.encode(_chunk(task))
    except _OtherError as error:
        return Said(trouble=f"a worker has another {error}")
    return Said(chunk, _seal(task, chunk))


class _OtherError(Exception):
    """What is not as it is where the question is from."""


def _seal(task: Asked, chunk: bytes) -> str:
    circuit = "of the theorem" if task.circuit is None else "given"
    subject = ["chunk", task.identity.decode(), circuit, task.number, task.size, chunk.decode("latin-1")]
    return seal_bytes(msgspec.json.encode(subject))


def _chunk(task: Asked) -> Chunk:
    enumeration = _enumeration(task.identity, task.circuit)
    return chunk_of(enumeration, task.number, task.size)


@lru_cache(maxsize=1)
def _enumeration(asked: bytes, circuit: bytes | None) -> Enumeration | WordEnumeration:
    """In machine code, made ready once in each process."""
    identity = msgspec.json.decode(asked, type=Identity)
    obligation = theorem(identity.theorem)
    netlist = pickle.loads(circuit) if circuit else enumerable_circuit(obligation)
    here = identity_of(obligation, netlist, identity.references)
    for field in fields(Identity):
        if getattr(here, field.name) != getattr(identity, field.name):
            raise _OtherError(field.name.removesuffix("_sha256").replace("netlist", "circuit"))
    return enumeration_of(obligation, netlist, identity.references)
