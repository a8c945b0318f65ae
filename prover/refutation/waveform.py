"""What a circuit does with one input, as a Value Change Dump (VCD, IEEE 1364) for a waveform viewer.

One step of time is one layer of neurons: a signal is unknown (``x``) until its layer is reached, so
that spikes are seen to travel from the inputs to the outputs. Neurons have no other time here.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from io import StringIO

from vcd import VCDWriter

from spikeproof.circuits.meanings import boolean
from spikeproof.circuits.netlist import ONE, UNUSED, ZERO, Bus, Netlist

_CONSTANTS = {UNUSED: "z", ZERO: "0", ONE: "1"}


def waveform(
    netlist: Netlist, inputs: Mapping[str, int], expected: Mapping[str, int], title: str
) -> str:
    """The text of a VCD file.

    Scopes: ``inputs``, ``outputs``, ``probes``, each of ``blocks``, ``neurons`` (``n`` and the number of
    the signal), and ``spec``, which holds the expected values all along. Positions of a block or probe
    that nothing in the circuit reads are ``z``.

    Args:
        expected: what probes and outputs should be, by name; names of neither are left out.
        title: a comment for the head of the file.
    """
    signals = boolean.evaluate_signals(netlist, boolean.one_input(inputs))
    bits = ["01"[fired] for fired in signals[:, 0].astype(int)]
    text = StringIO()
    comment = f"{title}; one step is one layer of neurons"
    with VCDWriter(text, timescale="1 ns", date="", comment=comment, version="spikeproof") as writer:
        buses = [
            (bus, writer.register_var(scope, name, "wire", len(bus), init="x" * len(bus)))
            for (scope, name), bus in _distinct(_shown(netlist))
        ]
        for name, value in expected.items():
            if bus := netlist.outputs.get(name) or netlist.probes.get(name):
                width = max(len(bus), value.bit_length())
                writer.register_var(("spec",), _plain(name), "wire", width, init=f"{value:0{width}b}")
        changes = sorted(
            ((time, place) for place, (bus, _) in enumerate(buses) for time in _times(netlist, bus))
        )
        for time, place in changes:
            bus, variable = buses[place]
            writer.change(variable, time, _at(netlist, bits, bus, time))
        writer.close(max(netlist.levels) + 1)
    return text.getvalue()


def _shown(netlist: Netlist) -> Iterator[tuple[tuple[str, ...], str, Bus]]:
    """Scope, name and signals of every bus and neuron."""
    for name, bus in netlist.input_buses.items():
        yield ("inputs",), _plain(name), bus
    for kind, buses in (("outputs", netlist.outputs), ("probes", netlist.probes)):
        for name, bus in buses.items():
            yield (kind,), _plain(name), bus
    for place, block in enumerate(netlist.blocks):
        scope = ("blocks", f"{place}_{_plain(block.name)}")
        for side, buses in (("inputs", block.inputs), ("outputs", block.outputs)):
            for name, bus in buses.items():
                yield (*scope, side), _plain(name), bus
    for signal in range(netlist.input_count, netlist.signal_count):
        yield ("neurons",), f"n{signal}", (signal,)


def _distinct(
    shown: Iterable[tuple[tuple[str, ...], str, Bus]],
) -> Iterator[tuple[tuple[tuple[str, ...], str], Bus]]:
    """The same, names that have become equal being numbered."""
    taken: Counter[tuple[tuple[str, ...], str]] = Counter()
    for scope, name, bus in shown:
        taken[scope, name] += 1
        again = taken[scope, name]
        yield (scope, name if again == 1 else f"{name}__{again}"), bus


def _plain(name: str) -> str:
    """A name without what would end it in the file."""
    return re.sub(r"[^A-Za-z0-9_]", "_", name)


def _times(netlist: Netlist, bus: Bus) -> set[int]:
    """When bits of a bus become known; at 0, when constants do, in any case."""
    return {0} | {netlist.levels[signal] for signal in bus if signal >= 0}


def _at(netlist: Netlist, bits: list[str], bus: Bus, time: int) -> str:
    """A bus at some time, most significant bit first."""
    return "".join(
        _CONSTANTS[s] if s < 0 else bits[s] if netlist.levels[s] <= time else "x" for s in reversed(bus)
    )
