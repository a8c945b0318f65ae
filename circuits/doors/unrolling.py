"""Circuits with memory as netlists: their gates step after step, as many steps as are stated.

In the first step registers have their reset values, in every other what they were to take in the step
before; outputs are read in the last. A pipeline of two rows of registers thus takes three steps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from spikeproof.circuits.clocked import ClockedNetlist, Schedule, buses_of, constant
from spikeproof.circuits.clocked import unrolled as unrolled_clocked
from spikeproof.circuits.doors.gates import (
    HIGH,
    LOW,
    Circuit,
    Gate,
    Net,
    conjunction,
    netlist_of_gates,
    shown,
)
from spikeproof.circuits.netlist import Netlist, NetlistError


@dataclass(frozen=True)
class Steps:
    """Over how many steps a circuit runs, and what its inputs are meanwhile.

    Attributes:
        count: the outputs are read in this one, counting from 1.
        own_inputs: whether each step has inputs of its own, ``x.1``, ``x.2``, ... for a bus ``x``; else
            they are held.
        fixed: values of input buses step by step, the last of them held, such as ``{"reset": [1, 0]}``;
            these are no inputs any more. The clock cannot be fixed.
    """

    count: int
    own_inputs: bool = False
    fixed: Mapping[str, Sequence[int]] = field(default_factory=dict)

    def value(self, name: str, step: int) -> int:
        """What a fixed input bus is in a step, counting from 0."""
        values = self.fixed[name]
        return values[min(step, len(values) - 1)]


def unrolled(circuit: Circuit, steps: int | Steps | None) -> Netlist:
    """The netlist of a circuit; its notes say over how many steps, if these are given.

    Args:
        steps: a number stands for so many with inputs that are held. None for a circuit without memory.

    Raises:
        NetlistError: if it has memory and no steps are given, or none and a number of them is; if it has
            several clocks, or one that is no input of one bit or is to be fixed; if a net that is read
            is driven by nothing or twice or depends on itself, or if outputs depend on what a register
            was before it had a value.
    """
    circuit.require_one_driver()
    if steps is None:
        if circuit.registers:
            raise NetlistError(
                f"it has {len(circuit.registers)} registers; state in which step its outputs are read, "
                "as in read_circuit(FILE, steps=3), or --time 3"
            )
        return netlist_of_gates(circuit.inputs, circuit.gates.get, circuit.outputs)
    if isinstance(steps, int):
        if not circuit.registers:
            raise NetlistError("it has no registers, so no memory; leave out the steps")
        steps = Steps(steps)
    unrolling = _Unrolling(circuit, steps, clock(circuit))
    outputs = {
        name: [unrolling.at(net, steps.count - 1) for net in nets]
        for name, nets in circuit.outputs.items()
    }
    # Registers without a reset value are inputs, on which no output may depend with constants folded.
    undefined = [net for net, register in circuit.registers.items() if register.reset is None]
    if undefined:
        name = "undefined".ljust(1 + max(map(len, unrolling.inputs), default=0), "_")  # none of its own
        unrolling.inputs[name] = [unrolling.at(net, 0) for net in undefined]
    netlist = netlist_of_gates(unrolling.inputs, unrolling.gate, outputs)
    if undefined:
        netlist = _without(netlist, name, [circuit.names.get(net, shown(net)) for net in undefined])
    return replace(netlist, notes=(_note(circuit, steps),))


def unrolled_neurons(clocked: ClockedNetlist, steps: int | Steps | None) -> Netlist:
    """The netlist of a clocked netlist, likewise.

    Raises:
        NetlistError: if no steps are given, or they do not suit it.
    """
    if steps is None:
        raise NetlistError(
            f"it has the states {', '.join(clocked.initial)}; state in which step its outputs are read, "
            "as in read_circuit(FILE, steps=3), or --time 3"
        )
    if not clocked.outputs:
        states = ", ".join(clocked.initial)
        raise NetlistError(
            f"its outputs are the states {states} alone; give another output, of any name"
        )
    steps = Steps(steps) if isinstance(steps, int) else steps
    _require_possible(clocked.inputs, steps, None)
    free = {name: width for name, width in clocked.inputs.items() if name not in steps.fixed}
    numbers = range(steps.count)
    named = {name: [f"{name}.{n + 1}" if steps.own_inputs else name for n in numbers] for name in free}
    words = {each: free[name] for name, in_each in named.items() for each in in_each}
    buses = buses_of(words)
    inputs = {name: [buses[each] for each in in_each] for name, in_each in named.items()}
    for name in steps.fixed:
        inputs[name] = [constant(steps.value(name, n), clocked.inputs[name]) for n in numbers]
    outputs = {
        name: [(steps.count - 1, name, place) for place in range(width)]
        for name, width in clocked.outputs.items()
    }
    netlist = unrolled_clocked(clocked, Schedule(words, inputs, outputs))
    return replace(netlist, notes=(_said(steps, len(clocked.initial), "states"),))


def _without(netlist: Netlist, name: str, registers: Sequence[str]) -> Netlist:
    """A netlist without its last input bus, of the values that some registers have at first.

    Raises:
        NetlistError: if anything depends on it.
    """
    first, count = netlist.input_buses[name][0], len(registers)
    read = {source for neuron in netlist.neurons for source, _ in neuron.synapses}
    read.update(signal for bus in netlist.outputs.values() for signal in bus)
    for place, register in enumerate(registers):
        if first + place in read:
            raise NetlistError(
                f"the outputs depend on register {register} before it has a value; read them in a later "
                "step, fix the inputs that hold it, or let the file state its reset value"
            )

    def moved(signal: int) -> int:
        return signal - count if signal > first else signal

    return Netlist(
        {bus: width for bus, width in netlist.inputs.items() if bus != name},
        tuple(
            replace(neuron, synapses=tuple((moved(s), weight) for s, weight in neuron.synapses))
            for neuron in netlist.neurons
        ),
        {bus: tuple(map(moved, signals)) for bus, signals in netlist.outputs.items()},
    )


def clock(circuit: Circuit) -> tuple[str, bool] | None:
    """The input that is the clock of all registers, if they have one, and whether its edge rises.

    Raises:
        NetlistError: if there are several, or it is no input of one bit.
    """
    if len(circuit.clocks) > 1:
        raise NetlistError(f"its registers have {len(circuit.clocks)} clocks or edges; only one is read")
    for net, rising in circuit.clocks:
        name = next((name for name, nets in circuit.inputs.items() if [*nets] == [net]), None)
        if name is None:
            raise NetlistError(f"the clock is {shown(net)}; only an input of one bit is read as clock")
        return name, rising
    return None


class _Unrolling:
    """Gates by net and step. What is the same in each step has no step: constants, inputs held.

    Attributes:
        inputs: the nets of each bus of the netlist.
    """

    def __init__(self, circuit: Circuit, steps: Steps, clock: tuple[str, bool] | None) -> None:
        self._circuit = circuit
        self._constant: dict[Net, list[Net]] = {}
        self._same: set[Net] = {LOW, HIGH}
        self.inputs: dict[str, list[Net]] = {}
        _require_possible({name: len(nets) for name, nets in circuit.inputs.items()}, steps, clock)
        for name, nets in circuit.inputs.items():
            if name in steps.fixed:
                values = [steps.value(name, step) for step in range(steps.count)]
                for place, net in enumerate(nets):
                    self._constant[net] = [HIGH if value >> place & 1 else LOW for value in values]
            elif clock is None or name != clock[0]:
                self._add_input(name, nets, steps)

    def _add_input(self, name: str, nets: Sequence[Net], steps: Steps) -> None:
        if not steps.own_inputs:
            self.inputs[name] = [*nets]
            self._same.update(nets)
            return
        for step in range(steps.count):
            self.inputs[f"{name}.{step + 1}"] = [_Timed(net, step) for net in nets]

    def at(self, net: Net, step: int) -> Net:
        """A net in a step."""
        if net in self._constant:
            return self._constant[net][step]
        return net if net in self._same else _Timed(net, step)

    def gate(self, timed: Net) -> Gate | None:
        """What drives a net in a step."""
        if not isinstance(timed, _Timed):
            return None
        net, step = timed.net, timed.step
        if gate := self._circuit.gates.get(net):
            cubes = (tuple((self.at(n, step), on) for n, on in cube) for cube in gate.cubes)
            return Gate(tuple(cubes), gate.negated)
        register = self._circuit.registers.get(net)
        if register is None:
            return None
        if step:
            return conjunction((self.at(register.source, step - 1), True))
        return Gate(((),) if register.reset else ())


class _Timed(NamedTuple):
    """A net in a step."""

    net: Net
    step: int

    def __str__(self) -> str:
        return f"{shown(self.net)} in step {self.step + 1}"


def _require_possible(widths: Mapping[str, int], steps: Steps, clock: tuple[str, bool] | None) -> None:
    if steps.count < 1:
        raise NetlistError(f"it cannot be read in step {steps.count}; the first is 1")
    if clock is not None and clock[0] in steps.fixed:
        raise NetlistError(
            f"{clock[0]!r} is to be fixed, and is the clock, which has an edge in each step; omit it"
        )
    for name, values in steps.fixed.items():
        if name not in widths:
            raise NetlistError(
                f"{name!r} is to be fixed, and is none of its inputs, {', '.join(widths)}"
            )
        width = widths[name]
        if not values or any(not 0 <= value < 1 << width for value in values):
            raise NetlistError(f"{name!r} is to be fixed to {list(values)}; give values of {width} bits")


def _note(circuit: Circuit, steps: Steps) -> str:
    """What was assumed in unrolling."""
    found = clock(circuit)
    clocked = (
        [f"clocked by the {'rising' if found[1] else 'falling'} edge of {found[0]}"] if found else []
    )
    return _said(steps, len(circuit.registers), "registers", *clocked)


def _said(steps: Steps, count: int, memory: str, *more: str) -> str:
    inputs = "inputs of their own in each" if steps.own_inputs else "inputs held"
    fixed = (f"{name} = {', '.join(map(str, values))}" for name, values in steps.fixed.items())
    return f"outputs read in step {steps.count}, {count} {memory}; {'; '.join([inputs, *fixed, *more])}"
