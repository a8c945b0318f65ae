"""sin and cos of formats as wide as FP64, to nearest: no exceptions, no trying of inputs.

    1  W    the significand of x, moved up by less than a block of exponents
    2  V    |x| / pi modulo 2, of sines 1/2 more, in fixed point: each bit of W counts in each block with
            a multiple of its own, rounded. So the bits of 1 / pi are weights, and cost no neuron
            (reduction: M. Payne and R. Hanek, SIGNUM Newsletter 18(1), 1983)
    3  Y    V's distance from the nearest odd multiple of 1/2: the result is sin(pi Y) or its negative
    4  its sine, by rows: ``sine_rows``

V has so many places that Y does however near x is to a multiple of pi/2: of all numbers of a format the
nearest is about as far as there are numbers. Of small x the cosine rounds to 1 and the sine to x, which
is told by comparators.

Probes name the words on the way, for whoever shows how near that is: ``prover.kernel.radians``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import lazy_loader

from spikeproof.circuits.netlist import Netlist
from spikeproof.circuits.units.forms import NEVER, Bits, number
from spikeproof.circuits.units.functions.fixed_point import STEP, moved_in_blocks
from spikeproof.circuits.units.functions.regions import Regions
from spikeproof.circuits.units.functions.sine_rows import SineRows, distance, negative
from spikeproof.circuits.units.functions.words import Probed, probed_netlist
from spikeproof.specs.formats import Format

gmpy2: Any = lazy_loader.load("gmpy2")

SPARE = 16
"""Places of Y beyond the precision of the format, of the least Y."""


@dataclass(frozen=True)
class BoundedRadians:
    """How sin(x) or cos(x) of a format is made, to nearest.

    Attributes:
        function: ``sin`` or ``cos``.

    Raises:
        ValueError: if results, or numbers so small that their sine rounds to themselves, are not all
            normal.
    """

    fmt: Format
    function: str

    def __post_init__(self) -> None:
        if self.fmt.bias <= self.deepest:
            raise ValueError(f"format {self.fmt.name} has too few exponents for {self.function} by rows")

    @property
    def fields(self) -> range:
        """Exponent fields: below x^2 is less than half of the last place of 1."""
        fmt = self.fmt
        return range(fmt.bias - (fmt.precision + 1) // 2, (1 << fmt.exponent_bits) - 1)

    @property
    def deepest(self) -> int:
        """Of as many numbers as the format has some are as near to a multiple as 2^-deepest."""
        return self.fmt.precision + self.fmt.exponent_bits + 1

    @property
    def sine(self) -> SineRows:
        """The sine of Y."""
        return SineRows(self.fmt, self.deepest + self.fmt.precision + SPARE, self.deepest)

    @cached_property
    def regions(self) -> Regions:
        """Small, infinite numbers, and NaNs; a small sine is 0 and x."""
        fmt = self.fmt
        small = 0 if self.function == "sin" else fmt.bias << fmt.fraction_bits
        starts = self.fields[0] << fmt.fraction_bits, fmt.infinity
        return Regions.of_magnitudes(fmt, starts, (small, None, fmt.canonical_nan))

    @property
    def passed(self) -> list[int]:
        """Of each region, 1 if x is added."""
        return [int(result == 0) for result in self.regions.results]

    def weights(self, block: int, size: int) -> Iterator[int]:
        """What the bits of W are of 1 / pi in a block, modulo 2, in units of the last place of V."""
        places = self.sine.fixed
        least = self.fields[0] - self.fmt.bias - self.fmt.fraction_bits + block * STEP * STEP
        with gmpy2.context(precision=least + size + places + 2 * size):
            for place in range(least, least + size):
                multiple = gmpy2.rint(gmpy2.exp2(place + places) / gmpy2.const_pi())
                yield int(multiple) % (2 << places)


def build_bounded_radians(fmt: Format, function: str, plan: BoundedRadians | None = None) -> Netlist:
    """sin(x) or cos(x) to nearest as a netlist: input ``x``, output ``result``.

    Args:
        function: ``sin`` or ``cos``.
        plan: how, if not as usual.

    Raises:
        ValueError: as ``BoundedRadians``.
    """
    chosen = plan or BoundedRadians(fmt, function)
    return probed_netlist(fmt.width, lambda machine, x: _Unit(machine, chosen).result(x))


@dataclass(frozen=True)
class _Unit:
    machine: Probed
    plan: BoundedRadians

    def result(self, x: Bits) -> Bits:
        """The code of the result."""
        machine, plan, fmt, sine = self.machine, self.plan, self.plan.fmt, self.plan.sine
        *magnitude, sign = x
        region = machine.probed("region", machine.comparators(number(x), plan.regions.starts))
        turn = machine.probed("turn", self.turn(tuple(magnitude), region))
        *v, half, odd = turn[: sine.fixed + 1]
        y = distance(machine, tuple(v), half)
        code = sine.code(machine, y, region, plan.regions)
        turned = half + odd
        if plan.function == "sin":
            small = machine.digits(machine.table(region, plan.passed), 1)[0]
            code = code + number(machine.given(tuple(magnitude), small))
            turned = turned + sign + 1
        is_nan = machine.table(region, [int(each == fmt.canonical_nan) for each in plan.regions.results])
        return (*machine.digits(code, fmt.width - 1), negative(machine, turned, is_nan))

    def turn(self, magnitude: Bits, region: Bits) -> Bits:
        """V, and above it how often 2 was left out."""
        machine, plan, places = self.machine, self.plan, self.plan.sine.fixed
        word, block = moved_in_blocks(machine, magnitude, plan.fmt, plan.fields, STEP)
        ordinary = machine.digits(machine.table(region, plan.regions.free), 1)[0]
        word, block = (
            machine.probed("moved", word),
            machine.probed("block", machine.given(block, ordinary)),
        )
        # One block, or none.
        found, most = NEVER, 0
        for k, which in enumerate(block):
            weights = list(plan.weights(k, len(word)))
            found = found + machine.weighted(machine.given(word, which), weights)
            most = max(most, sum(weights))
        found = found.within(0, most) + (plan.function == "sin") * (1 << places - 1)
        return machine.digits(found, found.high.bit_length())
