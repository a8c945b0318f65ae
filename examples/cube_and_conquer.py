"""One hard claim, split into cubes that are decided wherever there is room: cube-and-conquer.

    python -m examples.cube_and_conquer fma fp8_e5m2 --jobs 2
    python -m examples.cube_and_conquer fma fp16 --timeout 1200 --cluster tcp://HOST:8786
    python -m examples.cube_and_conquer fma fp16 --timeout 1200 --sample 5

The claim: the spec's operation is that of SMT-LIB's floating-point theory, as z3 implements it. The
kernel makes lemmas of it, a cube for each combination of classes of operands, and one that says that
these cover all inputs. Each is a task of its own. Who does it sends a clausal proof; it is checked here,
against clauses that are made here, and kept. What is kept need not be done again: after an interruption
the same command goes on. Only if all lemmas are there, the claim is proved; the exit code is then 0, 1
if it is refuted, 2 if z3 has no such operation, and 3 otherwise.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from z3 import Z3Exception

from spikeproof.proofs.floating_point_theory import MODES, SPLIT, Theorem
from spikeproof.prover.checking.checkers import CheckError, by_dratify
from spikeproof.prover.checking.replays import value_of
from spikeproof.prover.claims.obligation import Claim
from spikeproof.prover.encoding.bitblast import Blaster, Clauses, cnf_sha256
from spikeproof.prover.engines.engine import engine_named
from spikeproof.prover.engines.pool import LOST, results
from spikeproof.prover.evidence.files import write_atomically
from spikeproof.prover.kernel.splitting import split
from spikeproof.specs.formats import FORMATS, RoundingMode

SEED = 25


@dataclass(frozen=True)
class Reply:
    """What became of a lemma.

    Attributes:
        said: a word for it.
        proof: refutes the lemma's negation, in binary DRAT, if that was found.
        model: violates the lemma, if that was found.
        seconds: of processor time.
    """

    lemma: str
    said: str
    proof: bytes | None = None
    model: Mapping[str, int] = field(default_factory=dict)
    seconds: float = 0.0


@cache
def lemmas(theorem: Theorem) -> Mapping[str, Claim]:
    """Of which it follows, by name; the same on every machine."""
    claim = theorem.claim()
    return split(claim, theorem.cases(claim.inputs))


def decide(theorem: Theorem, lemma: str, timeout: float) -> Reply:
    """Decide one, on whichever machine."""
    before = sum(os.times()[:4])
    answer = engine_named("cadical").check(lemmas(theorem)[lemma].negation, timeout)
    took = sum(os.times()[:4]) - before
    return Reply(lemma, answer.status.value, answer.proof, answer.model, took)


def lost(lemma: str) -> Reply:
    """What becomes of one that kills who takes it."""
    return Reply(lemma, LOST)


class RefutedError(Exception):
    """An input on which the claim is wrong."""


@dataclass(frozen=True)
class Kept:
    """Proofs that were checked, each named by the clauses that it refutes."""

    directory: Path

    def has(self, claim: Claim) -> bool:
        """Whether that of a lemma is there."""
        return self._file(Blaster().clauses(claim.negation)).exists()

    def judge(self, claim: Claim, reply: Reply) -> str:
        """What a reply is worth, in words; a proof is kept if it is one.

        Raises:
            RefutedError: if it is an input that violates the lemma.
        """
        inputs = {name: reply.model.get(name, 0) for name in claim.inputs}
        if reply.model and value_of(claim.goal, claim, inputs).is_false():
            raise RefutedError(", ".join(f"{name} 0x{code:x}" for name, code in inputs.items()))
        if reply.proof is None:
            return f"{reply.said}, {reply.seconds:.1f} s"
        clauses, started = Blaster().clauses(claim.negation), time.process_time()
        try:
            by_dratify(clauses, reply.proof)
        except CheckError as error:
            return str(error)
        self.directory.mkdir(parents=True, exist_ok=True)
        write_atomically(self._file(clauses), reply.proof)
        checked = time.process_time() - started
        return f"{len(clauses):,} clauses refuted in {reply.seconds:.1f} s, checked in {checked:.1f} s"

    def _file(self, clauses: Clauses) -> Path:
        return self.directory / f"{cnf_sha256(clauses)}.drat"


@contextmanager
def conquering(cluster: str | None, jobs: int) -> Iterator[Callable[..., Iterable[Reply]]]:
    """What has tasks done: processes of this machine, or workers of Dask's."""
    if cluster is None:
        yield lambda work, tasks: results(work, tasks, jobs, lost)
        return
    from spikeproof.prover.running.cluster import connected

    with connected(cluster, jobs) as workers:
        yield lambda work, tasks: (reply for _, reply in workers.results(work, tasks, lost))


def conquer(asked: argparse.Namespace) -> int:
    """Decide what is asked and not kept; the exit code."""
    theorem = Theorem(asked.operation, FORMATS[asked.format], RoundingMode(asked.mode))
    try:
        claims = lemmas(theorem)
    except Z3Exception as error:
        print(f"z3's theory does not express {theorem.name}: {error}", file=sys.stderr)
        return 2
    kept = Kept(asked.kept / theorem.name)
    names = random.Random(SEED).sample(sorted(claims), min(asked.sample or len(claims), len(claims)))
    left = [name for name in names if not kept.has(claims[name])]
    print(f"{theorem.name}: {len(claims)} lemmas; of {len(names)} asked for {len(left)} are open")
    with conquering(asked.cluster, asked.jobs) as done:
        tasks = {name: (theorem, name, asked.timeout) for name in left}
        for reply in done(decide, tasks):
            try:
                print(f"{reply.lemma}: {kept.judge(claims[reply.lemma], reply)}", flush=True)
            except RefutedError as error:
                print(f"{reply.lemma}: REFUTED, where its inputs are {error}")
                return 1
    if missing := [name for name in claims if not kept.has(claims[name])]:
        print(f"open: {len(missing)} of {len(claims)} lemmas, such as {missing[0]}")
        return 3
    print("PROVED: all lemmas are, that the cubes cover all inputs among them")
    return 0


def main() -> int:
    """Read the command line, and conquer."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("operation", choices=SPLIT)
    parser.add_argument("format", choices=FORMATS)
    parser.add_argument("mode", nargs="?", default="rne", choices=[mode.value for mode in MODES])
    parser.add_argument("--kept", type=Path, default=Path("cubes"), help="where proofs are kept")
    parser.add_argument("--timeout", type=float, default=300.0, help="seconds for each lemma")
    parser.add_argument("--sample", type=int, help="only so many lemmas, drawn by a fixed seed")
    parser.add_argument("--jobs", type=int, default=1, help="processes, or workers of a new cluster")
    parser.add_argument("--cluster", help="local, or the address of a scheduler of Dask's")
    return conquer(parser.parse_args())


if __name__ == "__main__":
    # By its own name: workers look up what they are asked, and know of no __main__.
    from examples import cube_and_conquer

    sys.exit(cube_and_conquer.main())
