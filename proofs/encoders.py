"""Encoders: codes of potentials by successive approximation, for every real potential; and spike trains.

In a step with threshold t a spike takes t off the potential, and t is halved. In units of the last
threshold, and where each comparison is off by any amount of its own of at most d, what is left before a
step with threshold t lies in [-d, 2t + d): after it, in [-d, t + d), whether it fired or not. So for any
number of steps -d <= V - code < 1 + d, and

    d = 0    the code is the floor of V
    d <= 1   it is at most one code from that
    d <= f and f < 1 - d, where f is the part of V behind the point: it is the floor

and none of these for any larger d, of which refutations beside them are witnesses. An offset that is the
same in every step is one of V: with half a code of bias the code is the nearest, ties upward.

Neurons compare the potential with multiples of a power of two only, so that of a real one no more than
some bits count; and what can happen with real offsets is what ``circuits.physics.uncertainty`` says.
"""

from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import partial

from pysmt.fnode import FNode
from pysmt.shortcuts import BV, BVUGE, BVULE, BVULT, And, BVAdd, BVExtract, BVZExt, Ite

from spikeproof.circuits.netlist import Netlist
from spikeproof.circuits.physics.uncertainty import Tolerance, perturbed, uncertain_netlist
from spikeproof.circuits.units.encoder import CODE, MEMBRANE, successive_approximation, train_netlist
from spikeproof.circuits.units.libraries import HALF, LIBRARIES
from spikeproof.prover.claims.obligation import (
    BOTH,
    Obligation,
    Observation,
    Outcome,
    Profile,
    equivalence,
    everything,
)
from spikeproof.prover.margins.limits import both_ways
from spikeproof.specs.integers import Buses

STEPS = (4, 8, 20)
"""S1's takes 20."""

BITS = 10
"""Of the part of a potential behind the point, where refutations need some."""

QUARTER = Fraction(1, 4)
BEYOND = Fraction(1, 1 << BITS)
"""By how much refutations are beyond a limit."""


def floor(buses: Buses, steps: int) -> dict[str, FNode]:
    """The whole part of the potential."""
    potential = buses[MEMBRANE]
    fraction = potential.bv_width() - steps
    return {CODE: BVExtract(potential, fraction, potential.bv_width() - 1)}


def nearest(buses: Buses, steps: int) -> dict[str, FNode]:
    """The nearest whole number, the larger of two."""
    potential = buses[MEMBRANE]
    half = BV(1 << (potential.bv_width() - steps - 1), potential.bv_width())
    return floor({MEMBRANE: BVAdd(potential, half)}, steps)


def within_range(inputs: Buses, steps: int) -> tuple[FNode, ...]:
    """The nearest is a code."""
    width = inputs[MEMBRANE].bv_width()
    return (BVULT(inputs[MEMBRANE], BV((1 << width) - (1 << (width - steps - 1)), width)),)


def away_from_codes(inputs: Buses, steps: int) -> tuple[FNode, ...]:
    """The part behind the point is at least a quarter, and less than three."""
    fraction = inputs[MEMBRANE].bv_width() - steps
    behind = BVExtract(inputs[MEMBRANE], 0, fraction - 1)
    quarter = 1 << (fraction - 2)
    return (And(BVUGE(behind, BV(quarter, fraction)), BVULT(behind, BV(3 * quarter, fraction))),)


def within_one(steps: int, inputs: Buses, outputs: Buses) -> Buses:
    """The floor, if the code is at most one from it; else the code."""
    code, whole = outputs[CODE], floor(inputs, steps)[CODE]
    wide = [BVZExt(word, 1) for word in (code, whole)]
    above = [BVAdd(word, BV(1, steps + 1)) for word in wide]
    near = And(BVULE(wide[0], above[1]), BVULE(wide[1], above[0]))
    return {CODE: Ite(near, whole, code)}


def approximation(steps: int, fraction: int, offset: Fraction, bias: Fraction = Fraction(0)) -> Netlist:
    """The encoder, whose comparisons are each off by any amount up to an offset, if there is one."""
    netlist = successive_approximation(steps, fraction, bias)
    if not offset:
        return netlist
    return uncertain_netlist(netlist, perturbed(netlist, Tolerance(noise=both_ways(offset))))


def obligation(
    steps: int,
    kind: str,
    words: str,
    circuit: Callable[[], Netlist],
    meaning: Callable[[Buses, int], Buses] = floor,
    *,
    assumed: Callable[[Buses, int], tuple[FNode, ...]] = lambda inputs, steps: (),
    observed: Observation = everything,
    expected: Outcome = Outcome.PROVED,
    function: str = "",
) -> Obligation:
    """An obligation about an encoder of so many steps."""
    return equivalence(
        f"encoder.successive_approximation.{steps}{kind}",
        f"{steps} steps of successive approximation encode every potential from 0, below 2^{steps}, "
        f"as {words}",
        circuit=circuit,
        meaning=lambda inputs: meaning(inputs, steps),
        assumptions=lambda inputs: assumed(inputs, steps),
        observed=observed,
        expected=expected,
        engines=BOTH if steps <= 8 else ("cadical",),
        profile=Profile.DEFAULT if steps == min(STEPS) else Profile.WIDE,
        parameters={
            "family": "encoder",
            "operation": "successive_approximation",
            "width": str(steps),
            **({"kind": kind[1:]} if kind else {}),
        },
        function=function,
    )


def by_approximation(steps: int) -> Iterator[Obligation]:
    """What holds of an encoder, and what does not."""
    of = partial(obligation, steps)
    exact = Fraction(0)
    yield of("", "its floor", partial(approximation, steps, 2, exact), function="the whole part")
    yield of(
        ".nearest",
        "the nearest code, ties upward, with a bias of half a code, if that is a code",
        partial(approximation, steps, 2, exact, HALF),
        nearest,
        assumed=within_range,
        function="the nearest whole number, the larger of two",
    )
    for suffix, more, bits, expected in (
        ("", exact, 2, Outcome.PROVED),
        (".beyond", BEYOND, BITS, Outcome.REFUTED),
    ):
        off = f"where each comparison is off by at most {{}}{' and ' + str(more) if more else ''}"
        yield of(
            f".offset{suffix}",
            f"a code at most one from its floor, {off.format('one code')}",
            partial(approximation, steps, bits, 1 + more),
            observed=partial(within_one, steps),
            expected=expected,
        )
        yield of(
            f".away{suffix}",
            f"its floor, if that is a quarter to three quarters below it, {off.format('a quarter')}",
            partial(approximation, steps, bits, QUARTER + more),
            assumed=away_from_codes,
            expected=expected,
        )


def as_train(library: str, width: int) -> Obligation:
    """That a word which is sent bit by bit is received."""
    return equivalence(
        f"encoder.train.{width}.{library}",
        f"a word of {width} bits sent as a train of spikes in {width} steps, by {library} gates, is "
        "received as it is, whatever was sent before",
        circuit=partial(train_netlist, library, width),
        meaning=lambda inputs: {"received": inputs["word"]},
        parameters={
            "family": "encoder",
            "operation": "train",
            "library": library,
            "width": str(width),
        },
        function=f"a word of {width} bits, as it is",
    )


def obligations() -> Iterator[Obligation]:
    """``encoder.train.WIDTH.LIBRARY`` and ``encoder.successive_approximation.STEPS[.KIND[.beyond]]``."""
    for library in LIBRARIES:
        yield as_train(library, 8)
    for steps in STEPS:
        yield from by_approximation(steps)
