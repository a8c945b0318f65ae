"""Engines of other makes, which read a file that we write and share no process and no encoder with ours.

cvc5 and Bitwuzla read SMT-LIB, and what is in common is the text (``prover.encoding.smtlib``); Kissat
reads the clauses of our encoder, and is another opinion of the search alone. Each is a program on the
path, or for the first two a package. What they say is nobody's evidence: see ``spikeproof opinion``.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pysmt.fnode import FNode

from spikeproof.prover.encoding import smtlib
from spikeproof.prover.encoding.bitblast import Blaster, dimacs_file
from spikeproof.prover.engines.engine import Answer, EngineError
from spikeproof.prover.evidence.record import Status

SAID = {"unsat": Status.UNSATISFIABLE, "sat": Status.SATISFIABLE, "unknown": Status.UNKNOWN}
"""The last line that an engine of SMT-LIB prints."""

KISSAT_SAID = {
    "s UNSATISFIABLE": Status.UNSATISFIABLE,
    "s SATISFIABLE": Status.SATISFIABLE,
    "s UNKNOWN": Status.UNKNOWN,
}

ENDED_WELL = {Status.UNSATISFIABLE: (0, 20), Status.SATISFIABLE: (0, 10), Status.UNKNOWN: (0,)}
"""With which exit status an engine may say so: solvers of clauses have one for each."""


@dataclass(frozen=True)
class Make:
    """How an engine is asked.

    Attributes:
        write: a file of formulas, which can be satisfied together or not.
        said: the lines by which it answers, one of which it must print, and once.
        package: whether it may be installed as a package too.
        options: for the program.
        install: how to come by it.
    """

    write: Callable[[Sequence[FNode]], bytes]
    suffix: str
    said: Mapping[str, Status]
    package: bool
    install: str
    options: tuple[str, ...] = ()


def _script(formulas: Sequence[FNode]) -> bytes:
    return smtlib.script(formulas).encode()


def _clauses(formulas: Sequence[FNode]) -> bytes:
    return dimacs_file(Blaster().clauses(formulas))


MAKES = {
    "cvc5": Make(
        _script, ".smt2", SAID, True, "pip install 'spikeproof[opinions]'", ("--bitblast=eager",)
    ),
    "bitwuzla": Make(_script, ".smt2", SAID, True, "pip install 'spikeproof[opinions]'"),
    "kissat": Make(_clauses, ".cnf", KISSAT_SAID, False, "put it on the PATH", ("-q", "-n")),
}
"""By name."""


@dataclass(frozen=True)
class Opinion:
    """An engine of another make.

    Attributes:
        label: its name, and what of it is asked.
        command: to which a file is added.
    """

    name: str
    label: str
    command: tuple[str, ...]

    def ask(self, formulas: Sequence[FNode], timeout: float) -> Answer:
        """Whether formulas hold together, for as many seconds at most.

        Raises:
            ValueError: if the file cannot say them.
            RuntimeError: if what it says is no answer.
        """
        make = MAKES[self.name]
        content = make.write(formulas)
        with tempfile.TemporaryDirectory(prefix="spikeproof-opinion-") as folder:
            file = Path(folder) / f"question{make.suffix}"
            file.write_bytes(content)
            return self._answer([*self.command, str(file)], make.said, timeout)

    def _answer(self, command: list[str], said: Mapping[str, Status], timeout: float) -> Answer:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,  # so that all that it starts can be ended
        )
        try:
            printed, _ = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            return Answer(Status.TIMEOUT, reason="timeout")
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        lines = [line.strip() for line in printed.splitlines()]
        found = [said[line] for line in lines if line in said]
        if len(found) != 1 or process.returncode not in ENDED_WELL[found[0]] or "(error" in printed:
            last = next((line for line in reversed(lines) if line), "nothing")
            raise RuntimeError(f"{self.name} ended with {process.returncode}, and said: {last[:200]}")
        return Answer(found[0])


def opinion_named(name: str) -> Opinion:
    """The engine of a name: the program on the path, else the package.

    Raises:
        EngineError: if it is not there.
    """
    make = MAKES[name]
    if program := shutil.which(name):
        return Opinion(name, f"{name} ({program})", (program, *make.options))
    with suppress(PackageNotFoundError):
        if make.package:
            runner = str(Path(__file__).with_name("packaged.py"))
            return Opinion(name, f"{name} {version(name)}", (sys.executable, runner, name))
    raise EngineError(f"{name} is absent, and not asked: {make.install}")


def remaining(timeout: float, started: float) -> float:
    """Seconds left of so many, and never none."""
    return max(0.001, timeout - (time.perf_counter() - started))
