"""Checkers of clausal proofs: programs of other makers, none of which solves anything.

``dratify``, with the native code of ``cdclkit``, is always there; ``drat-trim``, and ``lrat-check`` on
what it makes of a proof, are used where they are on the PATH. So are two that are proved to be right:
that of ACL2, and ``cake_lpr``, which read proofs with their reasons.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

import cdclkit  # noqa: F401 -- registers its native code with dratify
import dratify
import numpy as np

from spikeproof.prover.checking.acl2 import Acl2, Acl2Error
from spikeproof.prover.encoding.bitblast import Clauses, dimacs_file
from spikeproof.prover.encoding.drat import DELETION, Integers, ProofError, encoded, lines


class CheckError(Exception):
    """A proof that does not refute the clauses it should; the message says where it fails."""


def by_dratify(clauses: Clauses, proof: bytes) -> None:
    """Check a proof in binary DRAT.

    Raises:
        CheckError: if it does not refute the clauses.
    """
    formula = dratify.CNF()
    for clause in clauses:
        formula.add([2 * p - 2 if p > 0 else -2 * p - 1 for p in clause])  # as dratify counts them
    try:
        # RAT steps, which our proofs have none of, are refused: dratify 0.1.10 accepts some, after the
        # deletion of a clause that is a reason, that do not preserve satisfiability.
        result = dratify.check_proof(formula, _steps(proof), check_rat=False, engine="native")
    except (ProofError, ValueError) as error:
        raise CheckError(f"the proof cannot be read: {error}") from None
    if not (result.ok and result.reached_empty):
        raise CheckError(f"the proof is wrong: {result.reason}")


def _steps(proof: bytes) -> list[tuple[str, tuple[int, ...]]]:
    """The lines of a proof, literals as dratify counts them: from 0."""
    kinds, literals, counts = lines(proof)
    ends = np.cumsum(counts)
    numbers = (literals - 2).tolist()
    bounds = zip((kinds == DELETION).tolist(), (ends - counts).tolist(), ends.tolist(), strict=True)
    return [("d" if deleted else "a", tuple(numbers[a:b])) for deleted, a, b in bounds]


def _as_text(proof: bytes) -> str:
    """A proof in plain DRAT, which leaves a checker nothing to guess."""
    lines = (
        ("d " if kind == "d" else "", *(f"{dratify.to_dimacs(literal)} " for literal in literals), "0\n")
        for kind, literals in _steps(proof)
    )
    return "".join(part for line in lines for part in line)


def by_drat_trim(clauses: Clauses, proof: bytes) -> None:
    """Check a proof by ``drat-trim``, and what that makes of it by ``lrat-check``, if that is there.

    Raises:
        CheckError: if it does not refute the clauses.
    """
    with TemporaryDirectory() as directory:
        formula, drat, lrat = (Path(directory) / name for name in ("cnf", "drat", "lrat"))
        formula.write_bytes(dimacs_file(clauses))
        drat.write_text(_as_text(proof))
        _run(["drat-trim", formula, drat, "-L", lrat], "s VERIFIED")
        if shutil.which("lrat-check"):
            _run(["lrat-check", formula, lrat], "c VERIFIED")


def by_acl2(clauses: Clauses, proof: bytes) -> None:
    """Check a proof by ACL2, in a process that is kept for the next one.

    Raises:
        CheckError: if it does not refute the clauses.
    """
    session = _sessions.pop(os.getpid(), None)  # not that of a process that this one was forked from
    with TemporaryDirectory() as directory:
        formula, lrat, refuted = (Path(directory) / name for name in ("cnf", "lrat", "refuted"))
        formula.write_bytes(dimacs_file(clauses))
        lrat.write_bytes(encoded(_elaborated(clauses, proof)))
        try:
            session = session or Acl2()
            session.refute(formula, lrat, refuted)
        except Acl2Error as error:
            raise CheckError(str(error)) from None
        if not refuted.is_file() or refuted.read_bytes() != formula.read_bytes():
            session.end()
            raise CheckError("ACL2 accepts the proof, but of other clauses")
    if session.spent:
        session.end()
    else:
        _sessions[os.getpid()] = session


_sessions: dict[int, Acl2] = {}
"""By the process that asks."""


def by_cake_lpr(clauses: Clauses, proof: bytes) -> None:
    """Check a proof by ``cake_lpr``.

    Raises:
        CheckError: if it does not refute the clauses.
    """
    from spikeproof.prover.checking.lrat import as_text

    with TemporaryDirectory() as directory:
        formula, lrat = (Path(directory) / name for name in ("cnf", "lrat"))
        formula.write_bytes(dimacs_file(clauses))
        lrat.write_text(as_text(_elaborated(clauses, proof)))
        _run(["cake_lpr", formula, lrat], "s VERIFIED UNSAT")


def _elaborated(clauses: Clauses, proof: bytes) -> Integers:
    """A proof with its reasons. What finds them is loaded where they are needed."""
    from spikeproof.prover.checking.lrat import elaborated

    try:
        return elaborated(clauses, proof)
    except ProofError as error:
        raise CheckError(f"the proof has no reasons: {error}") from None


def _run(command: Sequence[str | Path], verdict: str) -> None:
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if verdict not in ended.stdout.splitlines():
        said = [line for line in ended.stdout.splitlines() if line.strip()]
        raise CheckError(f"{command[0]} does not accept the proof: {said[-1] if said else 'no word'}")


VERIFIED = ("acl2", "cake_lpr")
"""Those that are proved to be right."""

PROGRAMS = ("drat-trim", "lrat-check", *VERIFIED)
"""Those that are not of Python."""

CHECKERS: dict[str, Callable[[Clauses, bytes], None]] = {
    "dratify": by_dratify,
    "drat-trim": by_drat_trim,
    "acl2": by_acl2,
    "cake_lpr": by_cake_lpr,
}
"""All, by name; those that are programs may not be there."""


def missing(checker: str) -> str:
    """What has to be installed before a checker can be used; nothing if it can."""
    if checker in PROGRAMS and not shutil.which(checker):
        return checker
    if checker in VERIFIED:
        try:
            import_module("numba")
        except ImportError:
            return "numba"
    return ""
