"""From an obligation to a result: one at a time, or many in parallel."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass
from typing import Any

from pysmt.environment import pop_env, push_env
from pysmt.fnode import FNode
from pysmt.shortcuts import BV, And, Not

from circuits.netlist import Netlist, NetlistError
from prover import engine
from prover.catalogue import catalogue
from prover.counterexample import explain
from prover.obligation import Claim, Obligation, Outcome

DEFAULT_TIMEOUT = 300.0
"""Seconds an obligation may take unless told otherwise."""


@dataclass(frozen=True)
class Result:
    """What became of an obligation.

    Attributes:
        counterexample: the inputs that violate the claim, if refuted.
        message: the counterexample for a person, or why there is no verdict.
        netlist_sha256, neurons: of the circuit the claim was about, if any.
    """

    theorem: str
    statement: str
    outcome: Outcome
    expected: Outcome
    engine: str
    seconds: float
    message: str = ""
    counterexample: dict[str, int] | None = None
    netlist_sha256: str | None = None
    neurons: int | None = None

    @property
    def green(self) -> bool:
        """Proved, or refuted where a refutation was promised."""
        return self.outcome is self.expected

    def as_json(self) -> dict[str, Any]:
        """As JSON-ready data."""
        return asdict(self) | {"outcome": self.outcome.value, "expected": self.expected.value}

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> Result:
        """The inverse of ``as_json``."""
        outcomes = {key: Outcome(record[key]) for key in ("outcome", "expected")}
        return cls(**{**record, **outcomes})


@dataclass(frozen=True)
class _Verdict:
    outcome: Outcome
    message: str = ""
    counterexample: dict[str, int] | None = None


def discharge(
    obligation: Obligation, timeout: float = DEFAULT_TIMEOUT, circuit: Netlist | None = None
) -> Result:
    """Try to prove one obligation.

    Args:
        timeout: seconds for the engine, greater than 0.
        circuit: the netlist to prove it of, instead of the obligation's own.

    Raises:
        NetlistError: if ``circuit`` has other buses than the obligation's own circuit.
    """
    started = time.perf_counter()
    netlist = None
    push_env()  # formulas live and die with this call
    try:
        if circuit is not None:
            require_same_buses(obligation, circuit)
        netlist = circuit or (obligation.circuit() if obligation.circuit else None)
        verdict = _decide(obligation, netlist, timeout)
    except NetlistError:
        raise
    except Exception as error:
        verdict = _Verdict(Outcome.ERROR, f"{type(error).__name__}: {error}")
    finally:
        pop_env()
    return Result(
        theorem=obligation.name,
        statement=obligation.statement,
        outcome=verdict.outcome,
        expected=obligation.expected,
        engine=engine.NAME,
        seconds=time.perf_counter() - started,
        message=verdict.message,
        counterexample=verdict.counterexample,
        netlist_sha256=netlist.sha256 if netlist else None,
        neurons=netlist.statistics.neurons if netlist else None,
    )


def _decide(obligation: Obligation, netlist: Netlist | None, timeout: float) -> _Verdict:
    deadline = time.perf_counter() + timeout
    claim = obligation.state(netlist)
    if claim.assumptions:
        possible = engine.check(claim.assumptions, timeout)
        if possible.status is engine.Status.UNSATISFIABLE:
            return _Verdict(
                Outcome.ERROR,
                "vacuous: no input satisfies the assumptions, so the claim says nothing",
            )
        if possible.status is not engine.Status.SATISFIABLE:
            return _undecided(possible, "whether the assumptions can be satisfied")
    remaining = max(0.001, deadline - time.perf_counter())
    answer = engine.check([*claim.assumptions, Not(claim.goal)], remaining)
    if answer.status is engine.Status.UNSATISFIABLE:
        return _Verdict(Outcome.PROVED)
    if answer.status is engine.Status.SATISFIABLE:
        return _confirm(obligation, netlist, claim, answer.model)
    return _undecided(answer, "the claim")


def _undecided(answer: engine.Answer, what: str) -> _Verdict:
    outcome = Outcome.TIMEOUT if answer.status is engine.Status.TIMEOUT else Outcome.UNKNOWN
    advice = "raise --timeout" if outcome is Outcome.TIMEOUT else "the engine gave up"
    return _Verdict(outcome, f"{engine.NAME} did not decide {what} ({answer.reason}); {advice}")


def _confirm(
    obligation: Obligation, netlist: Netlist | None, claim: Claim, model: dict[str, int]
) -> _Verdict:
    """Believe a counterexample only after pySMT's own evaluation agrees with it."""
    inputs = {name: model.get(name, 0) for name in claim.inputs}
    if not value_of(And(*claim.assumptions, Not(claim.goal)), claim, inputs).is_true():
        return _Verdict(
            Outcome.ERROR, f"{engine.NAME} gave a counterexample that does not replay: {inputs}"
        )
    expected = {
        name: value_of(formula, claim, inputs).constant_value()
        for name, formula in claim.expected.items()
    }
    return _Verdict(Outcome.REFUTED, explain(obligation, netlist, inputs, expected), inputs)


def value_of(formula: FNode, claim: Claim, inputs: dict[str, int]) -> FNode:
    """The constant that a formula over the claim's inputs becomes on the given values."""
    constants = {symbol: BV(inputs[name], symbol.bv_width()) for name, symbol in claim.inputs.items()}
    return formula.substitute(constants).simplify()


def require_same_buses(obligation: Obligation, circuit: Netlist) -> None:
    """Refuse a circuit that cannot stand in for the obligation's own.

    Raises:
        NetlistError: naming the bus that is missing, extra or of another width.
    """
    if obligation.circuit is None:
        raise NetlistError(f"{obligation.name} is about formulas, not about a circuit; choose a unit")
    own = obligation.circuit()
    for kind, wanted, given in (
        ("input", own.inputs, circuit.inputs),
        (
            "output",
            {name: len(bus) for name, bus in own.outputs.items()},
            {name: len(bus) for name, bus in circuit.outputs.items()},
        ),
    ):
        if dict(wanted) != dict(given):
            raise NetlistError(
                f"width mismatch: {obligation.name} needs {kind} buses "
                f"{_widths(wanted)}, the circuit has {_widths(given)}"
            )


def _widths(buses: Any) -> str:
    return ", ".join(f"{name} ({width} bits)" for name, width in sorted(buses.items())) or "none"


# --- many ---------------------------------------------------------------------------------------


def _discharge_named(name: str, timeout: float, circuit: Netlist | None) -> Result:
    return discharge(catalogue()[name], timeout, circuit)


def discharge_all(
    names: Sequence[str],
    timeout: float = DEFAULT_TIMEOUT,
    jobs: int | None = None,
    circuit: Netlist | None = None,
) -> Iterator[Result]:
    """Discharge obligations of the catalogue, yielding each result as it comes.

    Args:
        jobs: processes to use; by default one for each core.
    """
    workers = min(jobs or os.cpu_count() or 1, len(names))
    if workers <= 1:
        for name in names:
            yield _discharge_named(name, timeout, circuit)
        return
    with ProcessPoolExecutor(workers) as pool:
        pending = {pool.submit(_discharge_named, name, timeout, circuit): name for name in names}
        try:
            for future in as_completed(pending):
                try:
                    yield future.result()
                except BrokenProcessPool:
                    yield _lost(pending[future])
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _lost(name: str) -> Result:
    obligation = catalogue()[name]
    return Result(
        name,
        obligation.statement,
        Outcome.ERROR,
        obligation.expected,
        engine.NAME,
        0.0,
        "the process that worked on it died; it may have run out of memory: lower --jobs",
    )
