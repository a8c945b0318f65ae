"""Circuits of gates as netlists of neurons: what AIGER, BLIF and Yosys have in common."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from spikeproof.circuits.netlist import NAME, ONE, ZERO, Netlist, NetlistBuilder, NetlistError

Net = Hashable
"""A wire, as its file calls it."""

Cube = tuple[tuple[Net, bool], ...]
"""Values that nets have at the same time."""

LOW, HIGH = "the constant 0", "the constant 1"
"""Nets that nothing drives."""


@dataclass(frozen=True)
class Gate:
    """Fires where one of its cubes holds; or if ``negated`` where none does.

    A cube is a neuron, and so is the choice between several.
    """

    cubes: tuple[Cube, ...]
    negated: bool = False


def conjunction(*nets: tuple[Net, bool]) -> Gate:
    """Fires where all these nets have these values."""
    return Gate((nets,))


def inverter(net: Net) -> Gate:
    """Fires where the net does not."""
    return conjunction((net, False))


def netlist_of_gates(
    inputs: Mapping[str, Sequence[Net]], gates: Mapping[Net, Gate], outputs: Mapping[str, Sequence[Net]]
) -> Netlist:
    """The netlist of gates by the net that each drives; what no output depends on is left out.

    Args:
        inputs: the nets of each bus, least significant bit first.
        gates: in any order.
        outputs: as inputs.

    Raises:
        NetlistError: if a net that is read is driven by nothing, or twice, or depends on itself.
    """
    builder = NetlistBuilder(absorb_inverters=True)
    signals: dict[Net, int] = {LOW: ZERO, HIGH: ONE}
    given = [net for nets in inputs.values() for net in nets]
    if twice := {*gates, *signals} & {*given} or {*gates} & {*signals}:
        raise NetlistError(f"{_shown(min(twice, key=str))} is driven twice; leave one driver")
    if len({*given}) < len(given):
        raise NetlistError("two inputs are one net; give each its own")
    for name, nets in inputs.items():
        signals.update(zip(nets, builder.input(name, len(nets)), strict=True))
    for net in _in_order(gates, signals, [net for nets in outputs.values() for net in nets]):
        signals[net] = _fires(builder, gates[net], signals)
    return builder.build({name: tuple(signals[net] for net in nets) for name, nets in outputs.items()})


def _fires(builder: NetlistBuilder, gate: Gate, signals: Mapping[Net, int]) -> int:
    cubes = [
        builder.neuron([(signals[net], 1 if on else -1) for net, on in cube], sum(on for _, on in cube))
        for cube in gate.cubes
    ]
    some = builder.neuron([(cube, 1) for cube in cubes], 1)
    return builder.neuron([(some, -1)], 0) if gate.negated else some


def _in_order(gates: Mapping[Net, Gate], driven: Iterable[Net], roots: Iterable[Net]) -> list[Net]:
    """The gates' nets that the roots depend on, each after those that it reads."""
    order: list[Net] = []
    finished, path = set(driven), set[Net]()
    pending = list(roots)
    while pending:
        net = pending[-1]
        if net in finished:
            pending.pop()
        elif net in path:
            pending.pop()
            path.remove(net)
            finished.add(net)
            order.append(net)
        else:
            if net not in gates:
                raise NetlistError(f"nothing drives {_shown(net)}; declare it as an input, or drive it")
            path.add(net)
            read = {source for cube in gates[net].cubes for source, _ in cube} - finished
            if cyclic := read & path:
                raise NetlistError(
                    f"{_shown(min(cyclic, key=str))} depends on itself; only circuits without cycles "
                    "and without memory are read"
                )
            pending.extend(read)
    return order


def _shown(net: Net) -> str:
    return net if isinstance(net, str) else f"net {net}"


# --- buses --------------------------------------------------------------------------------------

_BIT = re.compile(r"(?P<bus>.+)\[(?P<place>[0-9]{1,9})\]")


def buses_by_name(bits: Sequence[tuple[str, Net]], what: str) -> dict[str, list[Net]]:
    """Nets by bus and place, from names such as ``x[3]``; another name is a bus of one bit.

    Raises:
        NetlistError: if places are missing or doubled, or a name is none for a bus.
    """
    places: dict[str, dict[int, Net]] = {}
    for name, net in bits:
        found = _BIT.fullmatch(name)
        bus, place = (found["bus"], int(found["place"])) if found else (name, 0)
        if not NAME.fullmatch(bus):
            raise NetlistError(
                f"{what} {name!r} is no name; use letters, digits, '_' and '.', as in x[3]"
            )
        if place in places.setdefault(bus, {}):
            raise NetlistError(f"bit {place} of {what} {bus!r} occurs twice; rename one")
        places[bus][place] = net
    for bus, nets in places.items():
        if missing := set(range(len(nets))) - set(nets):
            raise NetlistError(f"{what} {bus!r} lacks bit {min(missing)}; its bits are numbered from 0")
    return {bus: [nets[place] for place in range(len(nets))] for bus, nets in places.items()}


def buses_by_width(nets: Sequence[Net], widths: Mapping[str, int], what: str) -> dict[str, list[Net]]:
    """Nets in their order, cut into buses of these widths.

    Raises:
        NetlistError: if there are more or fewer.
    """
    if sum(widths.values()) != len(nets):
        raise NetlistError(
            f"there are {len(nets)} {what} bits, not {sum(widths.values())}; correct the widths"
        )
    rest = iter(nets)
    return {name: [next(rest) for _ in range(width)] for name, width in widths.items()}


def bits(widths: Mapping[str, int]) -> list[str]:
    """What the bits of buses are called in a file: as ``buses_by_name`` reads them."""
    return [
        name if width == 1 else f"{name}[{place}]"
        for name, width in widths.items()
        for place in range(width)
    ]


# --- files --------------------------------------------------------------------------------------


def read_file(path: Path | str, netlist_of: Callable[[bytes], Netlist]) -> Netlist:
    """The netlist of a file's content.

    Raises:
        NetlistError: if the file cannot be read, or there is none of it; one line that names the file.
    """
    try:
        return netlist_of(Path(path).read_bytes())
    except OSError as error:
        raise NetlistError(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise NetlistError(f"{path} is not ASCII text") from None
    except NetlistError as error:
        raise NetlistError(f"{path}: {error}") from None
