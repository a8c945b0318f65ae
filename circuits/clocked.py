"""Clocked netlists: neurons may read the step before; unrolled over steps they are netlists.

A synapse with a delay of one step is one from a *state*: a bus that is what other signals were in the
step before. Nothing else is remembered from step to step, and no neuron stands for it.

That what is so of one step is so of any number is proved in Coq: ``proofs/mechanised/clocked.v``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import accumulate
from typing import Any

from spikeproof.circuits.netlist import (
    ONE,
    ZERO,
    Bus,
    Netlist,
    NetlistBuilder,
    NetlistError,
    Neuron,
)

Place = tuple[int, str, int]
"""A bit that a circuit gives: in which step, counting from 0, on which bus, and which of it."""

SCHEMA = "spikeproof-clocked-1"

INITIAL = "initial"
"""Stands before the name of a state, with a dot: what it was before the first step."""


@dataclass(frozen=True)
class ClockedNetlist:
    """A netlist that is evaluated once in each step, and may read the step before.

    Attributes:
        step: what happens in a step. For each state it has an input bus of its name, which is read as
            what the output bus of that name was in the step before.
        initial: what each state was before the first step, and is again where the circuit is reset.

    Raises:
        NetlistError: on construction, if a state is no input and output of one width, or does not hold
            its initial value.
    """

    step: Netlist
    initial: Mapping[str, int]

    def __post_init__(self) -> None:
        for name, value in self.initial.items():
            width = self.step.inputs.get(name)
            if width is None or self.step.output_widths.get(name) != width:
                raise NetlistError(f"state {name!r} must be an input and an output of the same width")
            if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << width:
                raise NetlistError(f"state {name!r} cannot begin as {value!r}; it has {width} bits")

    def serialise(self) -> dict[str, Any]:
        """The circuit as JSON-ready data, canonical: see ``doors.json``."""
        return {"schema": SCHEMA, "step": self.step.serialise(), "initial": dict(self.initial)}

    @property
    def inputs(self) -> dict[str, int]:
        """Widths of the buses that are given anew in each step."""
        return {name: width for name, width in self.step.inputs.items() if name not in self.initial}

    @property
    def outputs(self) -> dict[str, int]:
        """Widths of the buses that are seen from outside."""
        widths = self.step.output_widths
        return {name: width for name, width in widths.items() if name not in self.initial}


def constant(value: int, width: int) -> Bus:
    """A bus that holds a constant."""
    return tuple(ONE if value >> index & 1 else ZERO for index in range(width))


@dataclass(frozen=True)
class Schedule:
    """Which words a clocked circuit is given, step by step, and which it gives.

    Attributes:
        words: widths of those that are given; their bits are signals 0, 1, 2, ..., in order.
        inputs: of each input bus, what it is in each step: such signals, ``ZERO`` and ``ONE``.
        outputs: of each word that is given back, where its bits are found; of states too.
        before: likewise as inputs, what states were before the first step, if not their initial value.
    """

    words: Mapping[str, int]
    inputs: Mapping[str, Sequence[Bus]]
    outputs: Mapping[str, Sequence[Place]]
    before: Mapping[str, Bus] = field(default_factory=dict)

    @property
    def steps(self) -> int:
        """How many there are, up to the last in which anything is given back."""
        return 1 + max(step for places in self.outputs.values() for step, _, _ in places)

    def require_fit(self, clocked: ClockedNetlist) -> None:
        """Refuse a schedule of another circuit.

        Raises:
            NetlistError: naming the bus that it has too few steps of, or not as wide as it is.
        """
        if set(self.inputs) != set(clocked.inputs):
            raise NetlistError(f"the schedule is of {[*self.inputs]}; inputs are {[*clocked.inputs]}")
        if strangers := set(self.before) - set(clocked.initial):
            raise NetlistError(f"{min(strangers)!r} is no state; states are {[*clocked.initial]}")
        for name, buses in (*self.inputs.items(), *((name, [bus]) for name, bus in self.before.items())):
            width, wanted = clocked.step.inputs[name], self.steps if name in self.inputs else 1
            if len(buses) < wanted or any(len(bus) != width for bus in buses):
                raise NetlistError(f"{name!r} needs {width} bits in each of {wanted} steps")


def buses_of(words: Mapping[str, int]) -> dict[str, Bus]:
    """The signals of words, by name, as a schedule names them."""
    firsts = accumulate(words.values(), initial=0)
    return {
        name: tuple(range(first, first + width))
        for (name, width), first in zip(words.items(), firsts, strict=False)
    }


def held(bus: Bus, steps: int) -> list[Bus]:
    """A bus that is the same in each step."""
    return [bus] * steps


def in_turn(bus: Iterable[int], steps: int) -> list[Bus]:
    """A bus of one bit that is one signal after the other, the first first; then 0."""
    signals = [*bus]
    return [(signal,) for signal in (*signals, *[ZERO] * (steps - len(signals)))]


def train(name: str, steps: Iterable[int], place: int = 0) -> list[Place]:
    """What a bit of a bus is in some steps, as the bits of a word, the first step's lowest."""
    return [(step, name, place) for step in steps]


def unrolled(clocked: ClockedNetlist, schedule: Schedule, *, keep_cells: bool = False) -> Netlist:
    """The netlist of all steps: inputs are the words that are given, outputs those that are given back.

    What no output depends on is left out; so are probes and blocks, but cells are kept, one for each
    step.

    Args:
        keep_cells: keep all that these give, though no output depends on it.

    Raises:
        NetlistError: if the schedule is of another circuit.
    """
    schedule.require_fit(clocked)
    builder, step = NetlistBuilder(), clocked.step
    for name, width in schedule.words.items():
        builder.input(name, width)
    state = {name: constant(value, step.inputs[name]) for name, value in clocked.initial.items()}
    state |= schedule.before
    given_back: dict[Place, int] = {}
    for number in range(schedule.steps):
        read = {**state, **{name: buses[number] for name, buses in schedule.inputs.items()}}
        found = _in_step(builder, step, read)
        state = {name: found[name] for name in clocked.initial}
        for name, bus in found.items():
            given_back |= {(number, name, place): signal for place, signal in enumerate(bus)}
    missing = {place for places in schedule.outputs.values() for place in places} - set(given_back)
    if missing:
        raise NetlistError(f"there is no bit {min(missing)[2]} of an output {min(missing)[1]!r}")
    outputs = {name: tuple(given_back[at] for at in places) for name, places in schedule.outputs.items()}
    if keep_cells:
        for cell in builder.cells:
            builder.waypoint(cell.name, [signal for bus in cell.outputs.values() for signal in bus])
    return builder.build(outputs, keep_waypoints=keep_cells)


def _in_step(builder: NetlistBuilder, step: Netlist, read: Mapping[str, Bus]) -> dict[str, Bus]:
    """The output buses of a step whose input buses are these."""
    signals = [signal for name in step.inputs for signal in read[name]]
    for neuron in step.neurons:
        synapses = [(signals[source], weight) for source, weight in neuron.synapses]
        signals.append(builder.neuron(synapses, neuron.threshold, neuron.bias))

    def placed(buses: Mapping[str, Bus]) -> dict[str, Bus]:
        return {name: tuple(s if s < 0 else signals[s] for s in bus) for name, bus in buses.items()}

    for cell in step.cells:
        builder.cell(cell.kind, placed(cell.inputs), placed(cell.outputs))
    return placed(step.outputs)


def one_step(clocked: ClockedNetlist) -> Netlist:
    """A step from whatever states, with what they begin as beside it, on buses ``initial.STATE``.

    What is so of it is so of any number of steps, by induction over them: its first outputs are the
    base, the others the step.

    Raises:
        NetlistError: if the step has such an output itself.
    """
    step = clocked.step
    begun = {
        f"{INITIAL}.{name}": constant(value, step.inputs[name])
        for name, value in clocked.initial.items()
    }
    if taken := set(begun) & set(step.outputs):
        raise NetlistError(f"an output is named {min(taken)!r}; rename it")
    drivers = {ZERO: step.signal_count, ONE: step.signal_count + 1}
    return replace(
        step,
        neurons=(*step.neurons, *(Neuron((), Fraction(1, 2), bias) for bias in (0, 1))),
        outputs={
            **step.outputs,
            **{name: tuple(drivers[signal] for signal in bus) for name, bus in begun.items()},
        },
    )
