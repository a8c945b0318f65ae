"""A latch: the first class whose count of spikes leads every other's is closed in, and stays.

A clocked circuit: in each step it is given who fired. Its states are the counts so far, on one bus, the
first class lowest, and which class is closed in, a bit for each.
"""

from __future__ import annotations

from itertools import permutations

from spikeproof.circuits.clocked import ClockedNetlist
from spikeproof.circuits.netlist import Bus
from spikeproof.circuits.units.integer import increment
from spikeproof.circuits.units.libraries import DEFAULT_LIBRARY, HALF, library_gates

FIRED, COUNTS, CLOSED = "fired", "counts", "closed"


def latch(classes: int, lead: int, width: int) -> ClockedNetlist:
    """A latch that closes on a lead of ``lead`` spikes, after the spikes of the step are counted.

    A neuron for each two classes compares their counts, whose bits are its inputs.

    Args:
        width: bits of a count, which begins again at 0 after 2^width - 1.
    """
    gates = library_gates(DEFAULT_LIBRARY)
    builder = gates.builder
    fired = builder.input(FIRED, classes)
    counts = builder.input(COUNTS, classes * width)
    closed = builder.input(CLOSED, classes)
    now = [
        increment(gates, counts[place * width : (place + 1) * width], spike)[0]
        for place, spike in enumerate(fired)
    ]

    def leads(one: Bus, other: Bus) -> int:
        of_one = [(bit, 1 << place) for place, bit in enumerate(one)]
        of_other = [(bit, -1 << place) for place, bit in enumerate(other)]
        return builder.neuron([*of_one, *of_other], lead - HALF)

    ahead = {(i, j): leads(now[i], now[j]) for i, j in permutations(range(classes), 2)}
    after = []
    for own in range(classes):
        others = [place for place in range(classes) if place != own]
        # Fires if it is ahead of all others, and no class is closed in.
        synapses = [(ahead[own, other], 1) for other in others]
        synapses += [(bit, -1) for bit in closed]
        closes = builder.neuron(synapses, classes - 1 - HALF)
        after.append(gates.or_(closed[own], closes))
    outputs = {COUNTS: tuple(bit for count in now for bit in count), CLOSED: tuple(after)}
    return ClockedNetlist(builder.build(outputs), {COUNTS: 0, CLOSED: 0})
