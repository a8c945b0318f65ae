"""Circuits of gates as netlists of neurons: what AIGER, BLIF and Yosys have in common."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from spikeproof.circuits.netlist import NAME, ONE, ZERO, Netlist, NetlistBuilder, NetlistError

Net = Hashable
"""A wire, as its file calls it."""

Cube = tuple[tuple[Net, bool], ...]
"""Values that nets have at the same time."""

LOW, HIGH = "the constant 0", "the constant 1"
"""Nets that nothing drives."""

LARGEST_INPUT = 1_000_000
"""A short file can declare any number of input bits; more than these are refused."""


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


@dataclass(frozen=True)
class Register:
    """Has in each step the value that another net had in the step before.

    Attributes:
        source: that net.
        reset: its value in the first step; None if it has none then.
    """

    source: Net
    reset: bool | None


@dataclass(frozen=True)
class Circuit:
    """What a file of gates holds.

    Attributes:
        inputs: the nets of each bus, least significant bit first.
        gates: by the net that each drives, in any order.
        outputs: as inputs.
        registers: as gates.
        clocks: the nets, and whether it is their rising edge, at which registers change.
        names: what people call nets, as far as it is known.
    """

    inputs: Mapping[str, Sequence[Net]]
    gates: Mapping[Net, Gate]
    outputs: Mapping[str, Sequence[Net]]
    registers: Mapping[Net, Register] = field(default_factory=dict)
    clocks: frozenset[tuple[Net, bool]] = frozenset()
    names: Mapping[Net, str] = field(default_factory=dict)

    def require_one_driver(self) -> None:
        """Refuse nets that are driven twice.

        Raises:
            NetlistError: naming one.
        """
        given = [net for nets in self.inputs.values() for net in nets]
        drivers = Counter([*{*given}, *self.gates, *self.registers, LOW, HIGH])
        if twice := next((net for net, times in drivers.items() if times > 1), None):
            raise NetlistError(f"{shown(twice)} is driven twice; leave one driver")
        if len({*given}) < len(given):
            raise NetlistError("two inputs are one net; give each its own")


def netlist_of_gates(
    inputs: Mapping[str, Sequence[Net]],
    gate_of: Callable[[Net], Gate | None],
    outputs: Mapping[str, Sequence[Net]],
) -> Netlist:
    """The netlist of gates; what no output depends on is left out.

    Args:
        inputs: the nets of each bus, least significant bit first.
        gate_of: the gate that drives a net, None if there is none.
        outputs: as inputs.

    Raises:
        NetlistError: if a net that is read is driven by nothing, or depends on itself.
    """
    require_few_bits(map(len, inputs.values()))
    builder = NetlistBuilder(absorb_inverters=True)
    signals: dict[Net, int] = {LOW: ZERO, HIGH: ONE}
    for name, nets in inputs.items():
        signals.update(zip(nets, builder.input(name, len(nets)), strict=True))
    roots = [net for nets in outputs.values() for net in nets]
    for net, gate in _in_order(gate_of, signals, roots):
        signals[net] = _fires(builder, gate, signals)
    return builder.build({name: tuple(signals[net] for net in nets) for name, nets in outputs.items()})


def _fires(builder: NetlistBuilder, gate: Gate, signals: Mapping[Net, int]) -> int:
    cubes = [
        builder.neuron([(signals[net], 1 if on else -1) for net, on in cube], sum(on for _, on in cube))
        for cube in gate.cubes
    ]
    some = builder.neuron([(cube, 1) for cube in cubes], 1)
    return builder.neuron([(some, -1)], 0) if gate.negated else some


def _in_order(
    gate_of: Callable[[Net], Gate | None], driven: Iterable[Net], roots: Iterable[Net]
) -> Iterator[tuple[Net, Gate]]:
    """The gates that the roots depend on, by net, each after those that it reads.

    The order depends on the circuit alone, and so does the netlist's SHA-256.
    """
    finished, path = set(driven), dict[Net, Gate]()
    pending = list(roots)
    while pending:
        net = pending[-1]
        if net in finished:
            pending.pop()
        elif net in path:
            pending.pop()
            finished.add(net)
            yield net, path.pop(net)
        else:
            gate = path[net] = _driver(gate_of, net)
            for read in dict.fromkeys(source for cube in gate.cubes for source, _ in cube):
                if read in path:
                    raise NetlistError(
                        f"{shown(read)} depends on itself; only circuits without cycles are read"
                    )
                if read not in finished:
                    pending.append(read)


def _driver(gate_of: Callable[[Net], Gate | None], net: Net) -> Gate:
    gate = gate_of(net)
    if gate is None:
        raise NetlistError(f"nothing drives {shown(net)}; declare it as an input, or drive it")
    return gate


def shown(net: Net) -> str:
    """What a person is told of a net."""
    return f"net {net}" if isinstance(net, int) else str(net)


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


def require_few_bits(widths: Iterable[int]) -> None:
    """Refuse more input bits than ``LARGEST_INPUT``.

    Raises:
        NetlistError: saying how many there are.
    """
    if (count := sum(widths)) > LARGEST_INPUT:
        raise NetlistError(f"it has {count} input bits; at most {LARGEST_INPUT} are read")


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
