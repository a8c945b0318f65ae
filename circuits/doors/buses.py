"""The buses of a circuit as a spec has them: bits gathered, cut, reversed, renamed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Literal

from spikeproof.circuits.netlist import NAME, Block, Bus, Netlist, NetlistError

Order = Literal["lsb", "msb"]
"""Which bit of every bus of a circuit stands first: the least significant one, or the most."""

Widths = Mapping[str, int]

Places = dict[str, tuple[int, ...]]
"""For each bus where its bits stand among all, as the circuit has them in order."""

_NUMBERED = re.compile(r"(?P<bus>.*?)[._]?(?P<place>[0-9]{1,6})")


def fitted(
    netlist: Netlist,
    wanted_inputs: Widths,
    wanted_outputs: Widths,
    *,
    inputs: Widths | None = None,
    outputs: Widths | None = None,
    order: Order = "lsb",
) -> tuple[Netlist, tuple[str, ...]]:
    """A circuit with the buses that a spec has, and what is said of how it came to them.

    Its buses are those that ``inputs`` and ``outputs`` declare, found by name or else cut from all bits
    in their order. Of what is not declared they are its own; single bits such as ``a0``, ``a1`` or
    ``a.0`` make a bus ``a``, and a single bus is cut, where that alone fits. What has the name of a
    spec's bus is that; of the others the first is the first. Outputs that the spec does not have are
    left out.

    Args:
        wanted_inputs, wanted_outputs: the spec's widths, by bus, in its order.
        inputs, outputs: widths of the circuit's buses, in its order.

    Returns:
        The circuit, the same one if there is nothing to do; a line for each bus that is not as it was.

    Raises:
        NetlistError: if they do not fit; one line.
    """
    taken, said = _Side("input", netlist.inputs).fitted(wanted_inputs, inputs, order)
    shown, said_of_outputs = _Side("output", netlist.output_widths).fitted(
        wanted_outputs, outputs, order
    )
    driving = [signal for bus in netlist.outputs.values() for signal in bus]
    result = _with_buses(
        netlist, taken, {name: tuple(driving[place] for place in bus) for name, bus in shown.items()}
    )
    return (netlist if result == netlist else result), (*said, *said_of_outputs)


def parsed_widths(text: str) -> dict[str, int]:
    """``a:8,b:8`` as widths by name, in order.

    Raises:
        ValueError: if it is not of that form; one line.
    """
    widths: dict[str, int] = {}
    for word in map(str.strip, text.split(",")):
        name, _, width = word.partition(":")
        if not (NAME.fullmatch(name) and re.fullmatch("[1-9][0-9]{0,5}", width, re.ASCII)):
            raise ValueError(f"{word!r} is no bus; write NAME:WIDTH, as in a:8,b:8")
        if name in widths:
            raise ValueError(f"bus {name!r} is there twice; name each once")
        widths[name] = int(width)
    return widths


def in_words(widths: Widths) -> str:
    """Widths as ``parsed_widths`` reads them."""
    return ", ".join(f"{name}:{width}" for name, width in widths.items())


@dataclass(frozen=True)
class _Side:
    """The inputs of a circuit, or its outputs, by width in order."""

    what: Literal["input", "output"]
    widths: Widths

    def fitted(self, wanted: Widths, declared: Widths | None, order: Order) -> tuple[Places, list[str]]:
        """Where the bits of each bus are that is wanted, and what to say of that."""
        buses = self._declared(declared) if declared else self._as_wanted(wanted)
        only = declared if declared and self.what == "output" else buses
        names = self._matched(wanted, {name: buses[name] for name in only})
        reverse = order == "msb"
        said = [
            f"{self.what} {name} is the circuit's {self._shown(own, buses[own])}"
            + (", most significant bit first" if reverse and len(buses[own]) > 1 else "")
            for name, own in names.items()
            if name != own or self._own.get(own) != buses[own] or (reverse and len(buses[own]) > 1)
        ]
        if left_out := {n: len(bus) for n, bus in buses.items() if n not in names.values()}:
            said.append(f"{self.what}s that are not compared: {in_words(left_out)}")
        return {name: buses[own][:: -1 if reverse else 1] for name, own in names.items()}, said

    @property
    def _own(self) -> Places:
        return _cut(self.widths)

    @property
    def _gathered(self) -> Places:
        """The buses, but single bits of names such as ``a0``, ``a_1``, ``a.2`` as one, from 0 or 1."""
        numbered: dict[str, dict[int, int]] = {}
        for name, places in self._own.items():
            found = _NUMBERED.fullmatch(name)
            if found and NAME.fullmatch(found["bus"]) and len(places) == 1:
                numbered.setdefault(found["bus"], {})[int(found["place"])] = places[0]
        whole = {
            bus: tuple(bits[n] for n in sorted(bits))
            for bus, bits in numbered.items()
            if bus not in self.widths
            if (first := min(bits)) <= 1 and set(bits) == set(range(first, first + len(bits)))
        }
        together = {**whole, **_others(self._own, whole)}
        return dict(sorted(together.items(), key=lambda bus: min(bus[1])))

    def _declared(self, widths: Widths) -> Places:
        """The buses that were declared, and others: by their names if all are there, else cut."""
        there = {**self._gathered, **self._own}
        if all(len(there.get(name, ())) == width for name, width in widths.items()):
            chosen = {name: there[name] for name in widths}
            return {**chosen, **_others(self._own, chosen)}
        if sum(widths.values()) == sum(self.widths.values()):
            return _cut(widths)
        raise NetlistError(
            f"--{self.what}s has {sum(widths.values())} bits, {in_words(widths)}, the circuit "
            f"{sum(self.widths.values())}: {in_words(self.widths)}; name its own, or cut all its bits"
        )

    def _as_wanted(self, wanted: Widths) -> Places:
        """The circuit's buses, gathered from single bits or cut if only that fits."""
        flat = len(self._gathered) == 1 and sum(self.widths.values()) == sum(wanted.values())
        choices = (self._own, self._gathered, *([_cut(wanted)] if flat else []))
        return next((buses for buses in choices if self._pairs(wanted, buses)), self._own)

    def _matched(self, wanted: Widths, buses: Places) -> dict[str, str]:
        if found := self._pairs(wanted, buses):
            return found
        there = in_words({name: len(places) for name, places in buses.items()})
        raise NetlistError(
            f"the {self.what}s do not fit: needed are {in_words(wanted)}, the circuit has {there}; say "
            f"which they are, in this order, with --{self.what}s NAME:WIDTH,..."
        )

    def _pairs(self, wanted: Widths, buses: Places) -> dict[str, str] | None:
        """Which bus is which that is wanted: by name, and the rest in order; None if that does not fit.

        Of more outputs than are wanted, those of other widths are not meant.
        """
        lacking = [name for name in wanted if name not in buses]
        rest = [name for name in buses if name not in wanted]
        if len(rest) > len(lacking) and self.what == "output":
            rest = [name for name in rest if len(buses[name]) in {wanted[each] for each in lacking}]
        pairs = {name: name for name in wanted} | dict(zip(lacking, rest, strict=False))
        fits = len(rest) == len(lacking) and all(len(buses[pairs[n]]) == wanted[n] for n in wanted)
        return pairs if fits else None

    def _shown(self, name: str, places: tuple[int, ...]) -> str:
        """A bus, and its ends if it is none of the circuit's own."""
        if self._own.get(name) == places:
            return name
        bits = [
            bus if width == 1 else f"{bus}[{place}]"
            for bus, width in self.widths.items()
            for place in range(width)
        ]
        ends = list(dict.fromkeys((bits[places[0]], bits[places[-1]])))
        return " to ".join(ends)


def _cut(widths: Widths) -> Places:
    ends = accumulate(widths.values())
    return {name: tuple(range(end - widths[name], end)) for name, end in zip(widths, ends, strict=True)}


def _others(own: Places, chosen: Places) -> Places:
    """Those of the circuit's own buses that have none of the bits that were chosen."""
    taken = {place for places in chosen.values() for place in places}
    return {name: places for name, places in own.items() if not taken & set(places)}


def _with_buses(netlist: Netlist, inputs: Places, outputs: Mapping[str, Bus]) -> Netlist:
    """The circuit with its input bits in another order, under other names, and other outputs."""
    order = [place for places in inputs.values() for place in places]
    number = {old: new for new, old in enumerate(order)}

    def renamed(bus: Iterable[int]) -> Bus:
        return tuple(number.get(signal, signal) for signal in bus)

    def renamed_all(buses: Mapping[str, Bus]) -> dict[str, Bus]:
        return {name: renamed(bus) for name, bus in buses.items()}

    def renamed_blocks(blocks: tuple[Block, ...]) -> tuple[Block, ...]:
        return tuple(
            Block(b.name, b.kind, renamed_all(b.inputs), renamed_all(b.outputs)) for b in blocks
        )

    return replace(
        netlist,
        inputs={name: len(places) for name, places in inputs.items()},
        neurons=tuple(
            replace(n, synapses=tuple(sorted((number.get(s, s), w) for s, w in n.synapses)))
            for n in netlist.neurons
        ),
        outputs=renamed_all(outputs),
        probes=renamed_all(netlist.probes),
        blocks=renamed_blocks(netlist.blocks),
        cells=renamed_blocks(netlist.cells),
    )
