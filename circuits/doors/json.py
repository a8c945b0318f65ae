"""Netlists as JSON files. ``docs/netlists.md`` says what every key means to a writer of one."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Set
from pathlib import Path
from typing import Any, TypeVar

from spikeproof.circuits.clocked import ClockedNetlist
from spikeproof.circuits.doors.gates import require_few_bits
from spikeproof.circuits.netlist import Block, Bus, Netlist, NetlistError, Neuron, exact_weight

SCHEMA = "spikeproof-netlist-1"

T = TypeVar("T")


def write_json(netlist: Netlist, path: Path | str) -> None:
    """Write a netlist as JSON; ``read_json`` gives an equal one back."""
    Path(path).write_bytes(as_json(netlist))


def as_json(netlist: Netlist) -> bytes:
    """A netlist as the content of a JSON file."""
    return (json.dumps(netlist.serialise(), indent=1) + "\n").encode()


def read_json(path: Path | str) -> Netlist:
    """Read a netlist from a JSON file.

    The file holds one object: ``schema`` ("spikeproof-netlist-1"), ``inputs`` (a list of [name,
    width]), ``neurons`` (a list of {"synapses": [[signal, weight], ...], "threshold", "bias"}),
    ``outputs`` (bus name to list of signals, least significant bit first), and optionally
    ``probes``, ``blocks``, ``cells`` and ``notes``. Numbers are integers, decimals or strings such as
    "3/2", and are read exactly.

    Raises:
        NetlistError: if the file cannot be read, is not of this form, or the netlist is not well
            formed; one line that says what to do.
    """
    return read_decoded(path, parse)


def read_decoded(path: Path | str, parsed: Callable[[Any], T]) -> T:
    """What the decoded content of a JSON file stands for, a netlist or whatever ``parsed`` gives.

    Raises:
        NetlistError: if the file cannot be read, or stands for none; one line that names the file.
    """
    try:
        # Decimals stay text until they become fractions, so that no digit is lost.
        data = json.loads(Path(path).read_text(), parse_float=str, object_pairs_hook=unrepeated)
    except OSError as error:
        raise NetlistError(f"cannot read {path}: {error.strerror}") from None
    except (NetlistError, RecursionError, ValueError) as error:
        raise NetlistError(f"{path} is not JSON: {error}") from None
    try:
        return parsed(data)
    except NetlistError as error:
        raise NetlistError(f"{path}: {error}") from None


def unrepeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object of whose keys none may occur twice: a hook for ``json.loads``.

    Raises:
        NetlistError: if one does.
    """
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(name for name, times in Counter(name for name, _ in pairs).items() if times > 1)
        raise NetlistError(f"{twice!r} occurs twice in one object; keep one")
    return found


def require_keys(entry: Any, what: str, required: Set[str], optional: Set[str] = frozenset()) -> None:
    """Refuse anything but an object with these keys: a misspelt key must not go unread.

    Raises:
        NetlistError: naming a key that is missing or unknown.
    """
    if not isinstance(entry, dict):
        raise NetlistError(f"{what} is {_shown(entry)}; it must be an object")
    if missing := required - set(entry):
        raise NetlistError(f"{what} lacks {', '.join(map(repr, sorted(missing)))}")
    if unknown := set(entry) - required - optional:
        known = ", ".join(map(repr, sorted(required | optional)))
        raise NetlistError(f"{what} has the unknown key {min(unknown)!r}; known: {known}")


def _pairs(entry: Any, what: str) -> list[tuple[Any, Any]]:
    """A list of pairs, or an error."""
    if not isinstance(entry, list) or any(not isinstance(p, list) or len(p) != 2 for p in entry):
        raise NetlistError(f"{what} is {_shown(entry)}; it must be a list of pairs")
    return [(first, second) for first, second in entry]


def _shown(entry: Any) -> str:
    text = repr(entry)
    return text if len(text) <= 40 else text[:40] + "..."


def _list(entry: Any, what: str) -> list[Any]:
    if not isinstance(entry, list):
        raise NetlistError(f"{what} is {_shown(entry)}; it must be a list")
    return entry


def parse(data: Any) -> Netlist:
    """The netlist that decoded JSON stands for: see ``read_json``.

    Raises:
        NetlistError: if it is not of that form, or not well formed.
    """
    if not isinstance(data, dict) or data.get("schema") != SCHEMA:
        raise NetlistError(f'not a netlist: the top level needs "schema": "{SCHEMA}"')
    optional = {"probes", "blocks", "cells", "notes"}
    require_keys(data, "the netlist", {"schema", "inputs", "neurons", "outputs"}, optional)
    inputs = _pairs(data["inputs"], "'inputs'")
    if any(not isinstance(name, str) for name, _ in inputs):
        raise NetlistError("an input's name is not text; write [name, width]")
    if len(dict(inputs)) != len(inputs):
        raise NetlistError("two inputs have the same name; rename one")
    require_few_bits(width for _, width in inputs if isinstance(width, int))
    return Netlist(
        inputs=dict(inputs),
        neurons=tuple(
            _neuron(f"entry {index} of neurons", entry)
            for index, entry in enumerate(_list(data["neurons"], "'neurons'"))
        ),
        outputs=_buses(data["outputs"], "'outputs'"),
        probes=_buses(data.get("probes", {}), "'probes'"),
        blocks=_blocks(data.get("blocks", []), "'blocks'"),
        cells=_blocks(data.get("cells", []), "'cells'"),
        notes=tuple(_list(data.get("notes", []), "'notes'")),
    )


def parse_clocked(data: Any) -> ClockedNetlist:
    """The clocked netlist that decoded JSON stands for.

    One object: ``schema`` ("spikeproof-clocked-1"), ``step`` (a netlist as of ``read_json``), and
    ``initial``, for each state what it begins as.

    Raises:
        NetlistError: if it is not of that form, or not well formed.
    """
    require_keys(data, "the circuit", {"schema", "step", "initial"})
    if not isinstance(data["initial"], dict):
        raise NetlistError(f"'initial' is {_shown(data['initial'])}; it must be an object")
    return ClockedNetlist(parse(data["step"]), data["initial"])


def write_clocked(clocked: ClockedNetlist, path: Path | str) -> None:
    """Write a clocked netlist as JSON, which ``read_circuit`` reads over some steps."""
    Path(path).write_text(json.dumps(clocked.serialise(), indent=1) + "\n")


def _blocks(entries: Any, what: str) -> tuple[Block, ...]:
    blocks = []
    for index, entry in enumerate(_list(entries, what)):
        label = f"entry {index} of {what}"
        require_keys(entry, label, {"name", "kind", "inputs", "outputs"})
        buses = (_buses(entry[side], f"{side} of {label}") for side in ("inputs", "outputs"))
        blocks.append(Block(str(entry["name"]), str(entry["kind"]), *buses))
    return tuple(blocks)


def _neuron(what: str, entry: Any) -> Neuron:
    require_keys(entry, what, {"synapses", "threshold"}, {"bias"})
    return Neuron(
        synapses=tuple(
            (source, exact_weight(weight, f"weight in {what}"))
            for source, weight in _pairs(entry["synapses"], f"'synapses' of {what}")
        ),
        threshold=exact_weight(entry["threshold"], f"threshold in {what}"),
        bias=exact_weight(entry.get("bias", 0), f"bias in {what}"),
    )


def _buses(entry: Any, what: str) -> dict[str, Bus]:
    if not isinstance(entry, dict):
        raise NetlistError(f"{what} is {_shown(entry)}; it must be an object of buses by name")
    return {name: tuple(_list(bus, f"bus {name!r} of {what}")) for name, bus in entry.items()}
