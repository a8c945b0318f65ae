"""Checkers of clausal proofs: programs of other makers, none of which solves anything.

``dratify``, with the native code of ``cdclkit``, is always there; ``drat-trim``, and ``lrat-check`` on
what it makes of a proof, are used where they are on the PATH.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import cdclkit  # noqa: F401 -- registers its native code with dratify
import dratify
import numpy as np

from spikeproof.prover.encoding.bitblast import Clauses, dimacs_file
from spikeproof.prover.encoding.drat import ADDITION, DELETION, ProofError, decoded


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
    numbers = decoded(proof)
    ends = np.flatnonzero(numbers == 0)
    starts = np.concatenate([[0], ends + 1])
    if starts[-1] != len(numbers):
        raise ProofError("it ends within a line")
    kinds = numbers[starts[:-1]]
    if not np.isin(kinds, (ADDITION, DELETION)).all():
        raise ProofError("it has a line of an unknown kind")
    literals = (numbers - 2).tolist()
    lines = zip((kinds == DELETION).tolist(), starts.tolist(), ends.tolist(), strict=False)
    return [("d" if deleted else "a", tuple(literals[a + 1 : b])) for deleted, a, b in lines]


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


def _run(command: Sequence[str | Path], verdict: str) -> None:
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if verdict not in ended.stdout.splitlines():
        said = [line for line in ended.stdout.splitlines() if line.strip()]
        raise CheckError(f"{command[0]} does not accept the proof: {said[-1] if said else 'no word'}")


PROGRAMS = ("drat-trim", "lrat-check")
"""Those that are not of Python."""

CHECKERS: dict[str, Callable[[Clauses, bytes], None]] = {"dratify": by_dratify}
"""Those that are there, by name."""

if shutil.which("drat-trim"):
    CHECKERS["drat-trim"] = by_drat_trim
