"""Encoders: of a membrane's potential by successive approximation, and of words as trains of spikes."""

from __future__ import annotations

from fractions import Fraction

from spikeproof.circuits.clocked import (
    ClockedNetlist,
    Schedule,
    buses_of,
    held,
    in_turn,
    unrolled,
)
from spikeproof.circuits.netlist import ONE, ZERO, Netlist, NetlistBuilder, NetlistError
from spikeproof.circuits.units.integer import mux_bus
from spikeproof.circuits.units.libraries import library_gates
from spikeproof.circuits.units.serial import START

MEMBRANE, CODE = "membrane", "code"
"""The input of an encoder, and its output."""


def successive_approximation(steps: int, fraction: int, bias: Fraction = Fraction(0)) -> Netlist:
    """S1's encoder: a potential is compared with a threshold that halves, step after step.

    In units of the last threshold, 1: a step with threshold t fires iff the potential is at least t, and
    then t is taken off it (soft reset). Here the neuron is one for each step, and what was taken off is
    read from the spikes of the steps before. Its potential is what the input says, a number of ``steps``
    bits before the binary point and ``fraction`` behind it. Since all that is compared with it are
    multiples of 2^-fraction, no more of a real potential matters than these bits.

    Args:
        bias: added to the drive in every step; a multiple of 2^-fraction.

    Raises:
        NetlistError: if there are no steps, or the bias is no such multiple.
    """
    unit = Fraction(1, 1 << fraction)
    if steps < 1 or bias % unit:
        raise NetlistError(f"{steps} steps with bias {bias}: at least 1, and a multiple of {unit}")
    builder = NetlistBuilder()
    potential = [
        (bit, unit * (1 << i)) for i, bit in enumerate(builder.input(MEMBRANE, steps + fraction))
    ]
    spikes: dict[int, int] = {}
    for place in reversed(range(steps)):
        taken_off = [(spike, -(1 << above)) for above, spike in spikes.items()]
        spikes[place] = builder.neuron([*potential, *taken_off], 1 << place, bias)
    return builder.build({CODE: tuple(spikes[place] for place in range(steps))})


def train_circuit(library: str, width: int) -> ClockedNetlist:
    """A word sent as a train of spikes, the lowest bit first, and received again.

    Inputs are the word and ``START``, in which it is taken up; ``spike`` is what is sent. What is to be
    sent moves down by a place in each step, and so does what was received.
    """
    gates = library_gates(library)
    word, (start,) = gates.builder.input("word", width), gates.builder.input(START, 1)
    sending = gates.builder.input("sending", width - 1)
    received = gates.builder.input("received", width)
    spike, *rest = mux_bus(gates, start, word, (*sending, ZERO))
    step = gates.builder.build(
        {"spike": (spike,), "sending": tuple(rest), "received": (*received[1:], spike)}
    )
    return ClockedNetlist(step, {"sending": 0, "received": 0})


def train_netlist(library: str, width: int) -> Netlist:
    """As many steps as a word has bits: inputs ``word`` and the states before, output ``received``."""
    clocked = train_circuit(library, width)
    words = {name: clocked.step.inputs[name] for name in ("word", *clocked.initial)}
    buses = buses_of(words)
    schedule = Schedule(
        words,
        {"word": held(buses["word"], width), START: in_turn((ONE,), width)},
        {"received": [(width - 1, "received", place) for place in range(width)]},
        {name: buses[name] for name in clocked.initial},
    )
    return unrolled(clocked, schedule)
