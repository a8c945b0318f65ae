"""Counterexamples as files: written once, run again by anyone, on the same circuit or on another.

A file is one JSON object: ``schema`` ("spikeproof-counterexample-1"), ``theorem``, ``statement``,
``inputs`` (bus to code, in hexadecimal), ``outputs`` (of the ``circuit`` and of the ``spec``, likewise),
``netlist_sha256`` and, unless the circuit is the theorem's own, ``netlist`` (as
``circuits.doors.json`` writes it). ``explanation`` is for people. Nothing in it is believed: a replay
computes everything anew.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pysmt.shortcuts import And

from spikeproof.circuits.doors.json import parse, require_keys, unrepeated
from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.netlist import Netlist, NetlistError, OneLineError
from spikeproof.prover.checking.replays import expected_outputs, replays, value_of
from spikeproof.prover.claims.catalogue import require_fitting, stated
from spikeproof.prover.claims.environment import passing_formulas
from spikeproof.prover.claims.given import FAMILY, GivenClaim, given_claim
from spikeproof.prover.claims.obligation import Claim, Obligation
from spikeproof.prover.claims.programs import ProgramClaim
from spikeproof.prover.evidence.files import write_atomically
from spikeproof.prover.evidence.log import COUNTEREXAMPLES
from spikeproof.prover.refutation.counterexample import explain
from spikeproof.prover.refutation.programs import explained
from spikeproof.prover.refutation.waveform import waveform

SCHEMA = "spikeproof-counterexample-1"

_REQUIRED = {"schema", "theorem", "statement", "inputs", "outputs", "netlist_sha256"}
_OPTIONAL = {"netlist", "explanation"}


class ReplayError(OneLineError, ValueError):
    """A file that cannot be replayed; one line that says why and what to do."""


@dataclass(frozen=True)
class Counterexample:
    """What is replayed.

    Attributes:
        netlist: the circuit; None for the theorem's own.
        sha256: of the circuit that was wrong; None for claims about formulas alone.
    """

    theorem: str
    statement: str
    inputs: Mapping[str, int]
    netlist: Netlist | None
    sha256: str | None


@dataclass(frozen=True)
class Replay:
    """What a counterexample comes to now.

    Attributes:
        violated: whether circuit and spec still differ.
        text: inputs, outputs and departing signals, for people.
        waveform: the signals as VCD; None where there is no circuit.
        sha256: of the circuit that was run.
    """

    violated: bool
    text: str
    waveform: str | None
    sha256: str | None


def write_counterexample(
    obligation: Obligation,
    circuit: Netlist | None,
    inputs: Mapping[str, int],
    path: Path,
    explanation: str = "",
) -> None:
    """Write a counterexample to a file that replays.

    Args:
        circuit: the netlist that is wrong, if it is not the obligation's own.

    Raises:
        OSError: if the file cannot be written.
    """
    netlist = circuit or (obligation.circuit() if obligation.circuit else None)
    with passing_formulas():
        claim = obligation.state(netlist)
        expected = expected_outputs(claim, inputs)
    found = _outputs(netlist, inputs) if netlist and claim.outputs else {}
    record: dict[str, Any] = {
        "schema": SCHEMA,
        "theorem": obligation.name,
        "statement": obligation.stated_of(circuit),
        "inputs": _hexadecimal(inputs),
        "outputs": {"circuit": _hexadecimal(found), "spec": _hexadecimal(expected)},
        "netlist_sha256": netlist.sha256 if netlist else None,
        "explanation": explanation.splitlines(),
    }
    if circuit:
        record["netlist"] = circuit.serialise()
    write_atomically(path, json.dumps(record, indent=1) + "\n")


def _hexadecimal(values: Mapping[str, int]) -> dict[str, str]:
    return {name: f"{value:#x}" for name, value in values.items()}


def _outputs(netlist: Netlist, inputs: Mapping[str, int]) -> dict[str, int]:
    outputs = boolean.evaluate(netlist, boolean.one_input(inputs))
    return {name: int(value[0]) for name, value in outputs.items()}


# --- reading ------------------------------------------------------------------------------------


def read_counterexample(path: Path) -> Counterexample:
    """What a file holds.

    Raises:
        ReplayError: if it cannot be read or is not of this form.
    """
    if path.is_dir():
        raise ReplayError(
            f"{path} is a directory; name a file, as in a log's directory {COUNTEREXAMPLES}"
        )
    try:
        record = json.loads(path.read_text(), parse_float=str, object_pairs_hook=unrepeated)
        return _parsed(record)
    except OSError as error:
        raise ReplayError(f"cannot read {path}: {error.strerror}") from None
    except (ReplayError, NetlistError) as error:
        raise ReplayError(f"{path}: {error}") from None
    except (RecursionError, ValueError) as error:
        raise ReplayError(f"{path} is not JSON, or not all of it: {error}") from None


def _parsed(record: Any) -> Counterexample:
    if not isinstance(record, dict) or record.get("schema") != SCHEMA:
        raise ReplayError(f'not a counterexample: the top level needs "schema": "{SCHEMA}"')
    require_keys(record, "the counterexample", _REQUIRED, _OPTIONAL)
    theorem, statement = record["theorem"], record["statement"]
    inputs, sha256 = record["inputs"], record["netlist_sha256"]
    for name in ("theorem", "statement"):
        if not isinstance(record[name], str):
            raise ReplayError(f"{name!r} is not text; give the theorem's")
    if not isinstance(inputs, dict):
        raise ReplayError("'inputs' is not an object of codes by bus")
    netlist = parse(record["netlist"]) if "netlist" in record else None
    if netlist and netlist.sha256 != sha256:
        raise ReplayError("the netlist is not the one of 'netlist_sha256'; write the file again")
    codes = {name: _code(name, value) for name, value in inputs.items()}
    return Counterexample(theorem, statement, codes, netlist, sha256)


def _code(name: str, value: Any) -> int:
    try:
        return int(value, 16)
    except (TypeError, ValueError):
        raise ReplayError(
            f'input {name!r} is {value!r}; write its code in hexadecimal, such as "0x1f"'
        ) from None


# --- running ------------------------------------------------------------------------------------


def replay(
    found: Counterexample, circuit: Netlist | None = None, claim: GivenClaim | None = None
) -> Replay:
    """Run circuit and spec on a counterexample again.

    Args:
        circuit: another circuit to run, for instance a mended one.
        claim: that was given with the circuit, if that was.

    Raises:
        NetlistError: if the circuit's buses do not suit the theorem.
        ReplayError: if there is no such theorem, or the inputs do not suit it.
        RuntimeError: if the formula of its spec contradicts the spec of record.
    """
    obligation = given_claim(found.theorem, claim) or stated(found.theorem)
    if obligation is None and found.theorem.startswith(f"{FAMILY}."):
        raise ReplayError(f"{found.theorem} was given with a circuit: name its file with --claim")
    if obligation is None:
        raise ReplayError(f"there is no theorem {found.theorem!r}; `spikeproof list` shows all names")
    given = circuit or found.netlist
    if given:
        require_fitting(obligation, given)
    netlist = given or (obligation.circuit() if obligation.circuit else None)
    with passing_formulas():
        return _run(obligation, netlist, obligation.state(netlist), found.inputs)


def _run(
    obligation: Obligation, netlist: Netlist | None, claim: Claim, inputs: Mapping[str, int]
) -> Replay:
    _require_suitable(claim, inputs)
    expected = expected_outputs(claim, inputs)
    trace = obligation.reading.trace(inputs) if obligation.reading else {}
    for name, value in expected.items():
        if trace.get(name, value) != value:
            raise RuntimeError(
                f"the formula of the spec gives {name} = {value:#x}, the spec of record "
                f"{trace[name]:#x}; one of them is wrong"
            )
    violated = replays(netlist, claim, inputs)
    program = isinstance(claim, ProgramClaim)
    text = (
        explained(claim, inputs)
        if isinstance(claim, ProgramClaim)
        else explain(obligation, netlist, inputs, expected, agrees=not violated)
    )
    if netlist is None and not violated and not program:
        text = "the claim holds for these inputs"
    signals = waveform(netlist, inputs, {**trace, **expected}, obligation.name) if netlist else None
    return Replay(violated, text, signals, netlist.sha256 if netlist else None)


def _require_suitable(claim: Claim, inputs: Mapping[str, int]) -> None:
    widths = {name: symbol.bv_width() for name, symbol in claim.inputs.items()}
    if set(inputs) != set(widths):
        raise ReplayError(f"the inputs are {sorted(inputs)}; the theorem's are {sorted(widths)}")
    for name, value in inputs.items():
        if not 0 <= value < 1 << widths[name]:
            raise ReplayError(f"input {name!r} is {value:#x}, which does not fit {widths[name]} bits")
    if not value_of(And(*claim.assumptions), claim, inputs).is_true():
        raise ReplayError(
            "the inputs do not satisfy the theorem's assumptions, so it says nothing of them"
        )
