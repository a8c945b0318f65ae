"""Latches: a class that has been decided stays decided, whatever comes after.

The claim is about one step from any state and with any spikes, and about the state before the first:

    base  before the first step nothing is counted and no class is closed in
    step  spikes are counted; a class that is closed in stays, and no other is; where none is, the one is
          closed in that then leads every other, if there is one

That a decision is irrevocable over any number of steps is induction over them. Counts begin again at 0
after 2^WIDTH - 1 spikes, so that which class is the first to lead is said of so many steps. ``one`` says
that never more than one class is closed in: none is at first, and no step makes two of one or none.

The argument is proved in Coq: ``proofs/mechanised/clocked.v``.
"""

from collections.abc import Iterator
from functools import partial
from itertools import combinations

from pysmt.fnode import FNode
from pysmt.shortcuts import BV, BVUGE, And, BVAdd, BVConcat, BVExtract, BVZExt, Equals, Ite, Not, Or

from spikeproof.circuits.clocked import INITIAL, one_step
from spikeproof.circuits.netlist import Netlist, Neuron
from spikeproof.circuits.units.latch import CLOSED, COUNTS, FIRED, latch
from spikeproof.circuits.units.libraries import HALF
from spikeproof.prover.claims.obligation import Obligation, Profile, equivalence
from spikeproof.specs.integers import Buses

LATCHES = ((3, 1), (3, 2), (10, 1), (10, 2), (10, 3))
"""Numbers of classes, and leads."""

WIDTH = 6
"""Bits of a count: for up to 63 steps."""

TWO = "two"


def _bits(bus: FNode) -> list[FNode]:
    """Whether each is 1."""
    return [Equals(BVExtract(bus, place, place), BV(1, 1)) for place in range(bus.bv_width())]


def _joined(parts: list[FNode]) -> FNode:
    """One bus, the first part lowest."""
    whole = parts[0]
    for part in parts[1:]:
        whole = BVConcat(part, whole)
    return whole


def _flag(condition: FNode) -> FNode:
    return Ite(condition, BV(1, 1), BV(0, 1))


def step(buses: Buses, lead: int, width: int) -> dict[str, FNode]:
    """What a latch holds after a step, from what it held; and what it holds before the first."""
    fired, counts, closed = (buses[name] for name in (FIRED, COUNTS, CLOSED))
    classes = fired.bv_width()
    now = [
        BVAdd(
            BVExtract(counts, place * width, (place + 1) * width - 1),
            BVZExt(BVExtract(fired, place, place), width - 1),
        )
        for place in range(classes)
    ]
    # One bit more, since a count and the lead may be more than a count can be.
    longer = [BVZExt(count, 1) for count in now]
    behind = [BVAdd(count, BV(lead, width + 1)) for count in longer]
    leading = [
        And(BVUGE(longer[own], behind[other]) for other in range(classes) if other != own)
        for own in range(classes)
    ]
    some = Or(_bits(closed))
    return {
        COUNTS: _joined(now),
        CLOSED: Ite(some, closed, _joined([_flag(leads) for leads in leading])),
        f"{INITIAL}.{COUNTS}": BV(0, classes * width),
        f"{INITIAL}.{CLOSED}": BV(0, classes),
    }


def in_step(classes: int, lead: int, width: int) -> Netlist:
    """A step of a latch."""
    return one_step(latch(classes, lead, width))


def watched(classes: int, lead: int, width: int) -> Netlist:
    """A step, and beside it whether two classes are closed in after it."""
    netlist = in_step(classes, lead, width)
    two = Neuron(tuple((signal, 1) for signal in netlist.outputs[CLOSED]), 2 - HALF)
    return Netlist(netlist.inputs, (*netlist.neurons, two), {TWO: (netlist.signal_count,)})


def at_most_one(inputs: Buses) -> tuple[FNode, ...]:
    """No two classes are closed in before the step."""
    return tuple(Not(And(pair)) for pair in combinations(_bits(inputs[CLOSED]), 2))


def obligations() -> Iterator[Obligation]:
    """``latch.CLASSES.LEAD``, and with ``.one`` behind it."""
    for classes, lead in LATCHES:
        name = f"latch.{classes}.{lead}"
        of = f"a latch of {classes} classes and a lead of {lead}"
        profile = Profile.DEFAULT if classes < 10 else Profile.WIDE
        parameters = {"family": "latch", "classes": str(classes), "lead": str(lead)}
        yield equivalence(
            name,
            f"{of} closes the class that first leads every other in up to {(1 << WIDTH) - 1} steps, "
            "and it stays whatever comes after",
            circuit=partial(in_step, classes, lead, WIDTH),
            meaning=partial(step, lead=lead, width=WIDTH),
            profile=profile,
            parameters=parameters,
            function=f"a step of {of}",
        )
        yield equivalence(
            f"{name}.one",
            f"{of} never has two classes closed in",
            circuit=partial(watched, classes, lead, WIDTH),
            meaning=lambda inputs: {TWO: BV(0, 1)},
            assumptions=at_most_one,
            profile=profile,
            parameters=parameters | {"kind": "one"},
            function="false",
        )
