"""Neurons whose potential relaxes in continuous time: windows of coincidence, order, and spatial gates.

Between spikes that are t apart a potential shrinks to exp(-t/tau) of itself, with any tau of the
substrate's range. A theorem takes that share from an interval that certainly holds every value it can
have, a promised refutation from one each of whose values it does have (``prover.margins.relaxation``).
"""

from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import partial

from pysmt.fnode import FNode
from pysmt.shortcuts import BV, BVAnd, BVExtract, Equals

from spikeproof.circuits.netlist import Netlist, Neuron
from spikeproof.circuits.physics.leak import leaking_netlist, netlist_after
from spikeproof.circuits.physics.substrates import MEMRISTIVE, Reset
from spikeproof.circuits.physics.uncertainty import (
    NOTHING,
    Interval,
    UncertainNeuron,
    exactly,
    uncertain_netlist,
)
from spikeproof.circuits.units.libraries import HALF
from spikeproof.proofs.margins import Gate, and_stays, gates, repetition, together
from spikeproof.prover.claims.obligation import Named, Obligation, Outcome, Profile, equivalence
from spikeproof.prover.margins.enclosure import decay
from spikeproof.prover.margins.limits import Harm, LeakLimit, leak_limit
from spikeproof.prover.margins.relaxation import (
    FASTEST,
    PICOSECOND,
    SLOWEST,
    above_until,
    below_from,
    left_between,
    surely_left_between,
)
from spikeproof.specs import integers
from spikeproof.specs.integers import Buses, Meaning

EVERY_TAU = f"for every tau from {FASTEST} to {SLOWEST} ns"


def obligations() -> Iterator[Named]:
    """``margin.memristive.{coincidence,separation,order}``, and ``margin.memristive.GATE.period``."""
    yield from named("coincidence", ("", ".beyond"), coincidence)
    yield from named("separation", ("", ".beyond"), separation)
    yield from named("order", ("", ".soon", ".late"), order)
    for gate in gates():
        if gate.library == MEMRISTIVE.library and not gate.forgets:
            yield from named(period_of(gate), ("", ".beyond"), partial(period, gate))


def named(
    kind: str, ends: tuple[str, ...], state: Callable[[], Iterator[Obligation]]
) -> Iterator[Named]:
    """Obligations of a kind, stated when they are asked for: to say what is left takes its time."""
    return together((f"margin.memristive.{kind}{end}" for end in ends), Profile.DEFAULT, state)


def nanoseconds(time: Fraction) -> str:
    """A time of whole picoseconds, in decimal."""
    return f"{time // 1}.{time % 1 // PICOSECOND:03} ns"


def obligation(
    name: str,
    statement: str,
    circuit: Callable[[], Netlist],
    meaning: Meaning,
    expected: Outcome = Outcome.PROVED,
    assumptions: Callable[[Buses], tuple[FNode, ...]] = lambda inputs: (),
) -> Obligation:
    """An obligation of this family."""
    return equivalence(
        f"margin.memristive.{name}",
        f"{statement}, {EVERY_TAU}",
        circuit=circuit,
        meaning=meaning,
        assumptions=assumptions,
        expected=expected,
        parameters={
            "family": "margin",
            "library": MEMRISTIVE.library,
            "substrate": MEMRISTIVE.name,
            "kind": name,
        },
    )


# --- coincidence ---------------------------------------------------------------------------------


def relaxing_and(left: Interval) -> Netlist:
    """The AND neuron, when its second spike comes: so much is left of the first."""
    neuron = UncertainNeuron(((0, left), (1, exactly(1))), exactly(-1 - HALF))
    logical = Netlist({"a": 1, "b": 1}, (Neuron(((0, 1), (1, 1)), 1 + HALF),), {"out": (2,)})
    return uncertain_netlist(logical, [neuron])


def coincidence() -> Iterator[Obligation]:
    """Two spikes that are near each other count as both."""
    window = above_until(HALF)
    for suffix, apart, left, expected in (
        ("", window, left_between, Outcome.PROVED),
        (".beyond", window + PICOSECOND, surely_left_between, Outcome.REFUTED),
    ):
        yield obligation(
            f"coincidence{suffix}",
            f"the and neuron fires iff both spikes come, at most {nanoseconds(apart)} apart",
            partial(relaxing_and, left(Fraction(0), apart)),
            integers.and_gate,
            expected,
        )


def separation() -> Iterator[Obligation]:
    """Two spikes that are far from each other count as one."""
    gap = below_from(HALF)
    for suffix, apart, left, expected in (
        ("", gap, left_between(gap, None), Outcome.PROVED),
        (".beyond", gap - PICOSECOND, surely_left_between(gap - PICOSECOND, 2 * gap), Outcome.REFUTED),
    ):
        yield obligation(
            f"separation{suffix}",
            f"the and neuron does not fire at spikes that come at least {nanoseconds(apart)} apart",
            partial(relaxing_and, left),
            lambda inputs: {"out": BV(0, 1)},
            expected,
        )


# --- order ---------------------------------------------------------------------------------------

FIRST_WEIGHT, SECOND_WEIGHT, THRESHOLD = 1, 4, Fraction(17, 4)
"""Of an order detector: of what is left of the first, 1 left + 4 reaches the threshold, 4 left + 1 does
not."""


def order_detector(left: Interval) -> Netlist:
    """Whether the neuron fires, at the first spike or at the second; buses list what spikes: a, b."""
    weights = (exactly(FIRST_WEIGHT), exactly(SECOND_WEIGHT))
    nominal = Netlist(
        {"first": 2, "second": 2},
        (
            Neuron(((0, FIRST_WEIGHT), (1, SECOND_WEIGHT)), THRESHOLD),
            Neuron(((0, 1), (1, 1), (2, FIRST_WEIGHT), (3, SECOND_WEIGHT)), THRESHOLD),
            Neuron(((4, 1), (5, 1)), HALF),
        ),
        {"out": (6,)},
    )
    excess = exactly(-THRESHOLD)
    at_first = UncertainNeuron(tuple(enumerate(weights)), excess)
    kept = (left.scaled(FIRST_WEIGHT), left.scaled(SECOND_WEIGHT))
    at_second = UncertainNeuron(tuple(enumerate((*kept, *weights))), excess)
    either = UncertainNeuron(((4, exactly(1)), (5, exactly(1))), exactly(-HALF))
    return uncertain_netlist(nominal, [at_first, at_second, either])


def one_spike_each(inputs: Buses) -> tuple[FNode, ...]:
    """a and b spike at most once, and not at the same time."""
    first, second = inputs["first"], inputs["second"]
    pairs = [(BVExtract(bus, 0, 0), BVExtract(bus, 1, 1)) for bus in (first, second)]
    both = [BVAnd(first, second), *(BVAnd(a, b) for a, b in pairs)]
    return tuple(Equals(each, BV(0, each.bv_width())) for each in both)


def a_before_b(inputs: Buses) -> dict[str, FNode]:
    """Whether a spikes first and b second."""
    return {"out": BVAnd(BVExtract(inputs["first"], 0, 0), BVExtract(inputs["second"], 1, 1))}


def order() -> Iterator[Obligation]:
    """A neuron that fires at a before b, and not at b before a."""
    until = above_until((THRESHOLD - SECOND_WEIGHT) / FIRST_WEIGHT)
    since = below_from((THRESHOLD - FIRST_WEIGHT) / SECOND_WEIGHT)
    for suffix, soonest, latest, left, expected in (
        ("", since, until, left_between, Outcome.PROVED),
        (".soon", since - PICOSECOND, until, surely_left_between, Outcome.REFUTED),
        (".late", since, until + PICOSECOND, surely_left_between, Outcome.REFUTED),
    ):
        yield obligation(
            f"order{suffix}",
            f"a neuron of weights {FIRST_WEIGHT} and {SECOND_WEIGHT} and threshold {THRESHOLD} fires "
            f"iff a comes before b, if they come {nanoseconds(soonest)} to {nanoseconds(latest)} apart",
            partial(order_detector, left(soonest, latest)),
            a_before_b,
            expected,
            one_spike_each,
        )


# --- gates that are evaluated again and again ----------------------------------------------------


def period_of(gate: Gate) -> str:
    """The kind that is about a gate's period."""
    return f"{gate.operation}{f'.{gate.width}' if gate.width else ''}.period"


def period(gate: Gate) -> Iterator[Obligation]:
    """A gate whose inputs come together, again and again, is right if that is seldom enough."""
    limit, name = leak_limit(gate.netlist, Reset.HARD), period_of(gate)
    harm = limit.harm
    assert harm
    shortest = below_from(limit.beta)
    yield obligation(
        name,
        f"{gate.words}, evaluated every {nanoseconds(shortest)} or less often and never cleared, "
        "with hard reset, is right for ever",
        partial(_relaxing, gate, limit, decay(shortest / SLOWEST).high),
        partial(and_stays, gate),
    )
    shorter = above_until(harm.beyond, SLOWEST)
    yield obligation(
        f"{name}.beyond",
        f"{gate.words}, evaluated every {nanoseconds(shorter)} or less often and never cleared, "
        f"with hard reset, is right after {repetition(harm)}, whatever comes next",
        partial(_repeated, gate, harm),
        gate.meaning,
        Outcome.REFUTED,
    )


def _relaxing(gate: Gate, limit: LeakLimit, beta: Fraction) -> Netlist:
    return leaking_netlist(gate.netlist, beta, Reset.HARD, limit.residuals, NOTHING)


def _repeated(gate: Gate, harm: Harm) -> Netlist:
    """At a period at which just ``beyond`` is left, with the slowest tau."""
    steps = harm.steps(harm.beyond)
    return netlist_after(gate.netlist, harm.beyond, Reset.HARD, harm.held, steps, harm.noise)
