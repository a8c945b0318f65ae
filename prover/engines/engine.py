"""What an engine is, and which there are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib import import_module

from pysmt.fnode import FNode

from spikeproof.prover.evidence.record import EngineUse, Status


@dataclass(frozen=True)
class Answer:
    """What an engine says of a conjunction.

    ``model`` gives the symbols' values if it is satisfiable, all others being immaterial; ``reason``
    is the engine's own word if it is undecided; ``proof``, if there is none, refutes the clauses of
    ``prover.encoding.bitblast`` for the conjunction, in binary DRAT; ``cnf_sha256`` is of these.
    """

    status: Status
    model: dict[str, int] = field(default_factory=dict)
    reason: str = ""
    proof: bytes | None = None
    cnf_sha256: str | None = None

    @property
    def decided(self) -> bool:
        """Whether it is an answer."""
        return self.status in (Status.SATISFIABLE, Status.UNSATISFIABLE)


@dataclass(frozen=True)
class Engine:
    """Decides conjunctions of quantifier-free bit-vector formulas.

    Attributes:
        use: its name and version, and how it is run.
        check: from formulas and a positive number of seconds, the answer. Raises what the engine
            raises if it fails.
    """

    use: EngineUse
    check: Callable[[Sequence[FNode], float], Answer]

    @property
    def label(self) -> str:
        """Name and version, as shown in results."""
        return self.use.label


class EngineError(LookupError):
    """There is no such engine; the message says why, and what to do."""


MODULES = {"z3": "z3", "cadical": "cadical", "bitwuzla": "bitwuzla"}
"""In which module of this room each engine is; that has a function ``engine``, from its name."""

DISTRIBUTIONS = {"z3": "z3-solver", "cadical": "python-sat", "bitwuzla": "spikeproof[bitwuzla]"}
"""What to install for each module."""


class _Engines(dict[str, Engine]):
    """Engines by name, each loaded when it is first asked for."""

    def __missing__(self, name: str) -> Engine:
        if name not in MODULES:
            raise EngineError(f"no engine is named {name!r}; there are {', '.join(sorted(MODULES))}")
        module = MODULES[name]
        try:
            loaded = import_module(f"{__package__}.{module}")
        except ModuleNotFoundError:
            needed = DISTRIBUTIONS[module]
            raise EngineError(f"engine {name!r} is not installed: pip install '{needed}'") from None
        engine: Engine = loaded.engine(name)
        self[name] = engine
        return engine


ENGINES = _Engines()


def engine_named(name: str) -> Engine:
    """The engine of a name.

    Raises:
        EngineError: if there is none, or it is not installed.
    """
    return ENGINES[name]
