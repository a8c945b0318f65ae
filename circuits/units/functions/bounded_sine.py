"""sin(pi x) of formats as wide as FP64, to nearest: no exceptions, no trying of inputs.

    1  V    |x| modulo 2, in fixed point: nothing is cut off
    2  Y    V's distance from the nearest whole number: sin(pi |x|) is sin(pi Y) or its negative
    3  its sine, by rows: ``sine_rows``
    4  T    of tiny x the significand times pi, each bit of which is a weight, and no neuron; it is
            rounded where its leading one is: at one of two places, or lower if x is subnormal

All numbers from 2^(p-1) on are whole.

Probes name the words on the way, for whoever shows how near that is: ``prover.kernel.sine``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import lazy_loader

from spikeproof.circuits.netlist import Netlist
from spikeproof.circuits.units.forms import Bits, Form, number
from spikeproof.circuits.units.functions.fixed_point import fixed_point
from spikeproof.circuits.units.functions.regions import Regions
from spikeproof.circuits.units.functions.sine_rows import GUARD, PRECISION, SineRows, distance, negative
from spikeproof.circuits.units.functions.words import Probed, choice, probed_netlist
from spikeproof.specs.formats import Format

gmpy2: Any = lazy_loader.load("gmpy2")

TINY = 13
"""Below 2^-n, n being half of the precision and this, the sine is pi x but for less than 2^-TINY ULP."""


@dataclass(frozen=True)
class BoundedSine:
    """How sin(pi x) of a format is made, to nearest.

    Raises:
        ValueError: if numbers that are not tiny, or their results, are not all normal, or if there are
            no whole numbers from 2^(precision - 1) on.
    """

    fmt: Format

    def __post_init__(self) -> None:
        if self.fields[0] < 2 or self.fmt.bias < self.fmt.precision + 1:
            raise ValueError(f"format {self.fmt.name} has too few exponents for sines by rows")

    @property
    def tiny(self) -> int:
        """Tiny numbers are less than 2^-tiny."""
        return (self.fmt.precision + TINY) // 2

    @property
    def fields(self) -> range:
        """Exponent fields: below numbers are tiny, and above all whole."""
        return range(self.fmt.bias - self.tiny, self.fmt.bias + self.fmt.fraction_bits)

    @property
    def sine(self) -> SineRows:
        """Of numbers that are not tiny the distance is 0, at least 2^-p, or the number."""
        deepest = max(self.tiny, self.fmt.precision)
        return SineRows(self.fmt, self.tiny + self.fmt.fraction_bits, deepest)

    @cached_property
    def regions(self) -> Regions:
        """Tiny, whole and infinite numbers, and NaNs; of tiny ones a product is added to the result."""
        fmt = self.fmt
        fields = self.fields[0], self.fields[-1] + 1
        starts = (*(field << fmt.fraction_bits for field in fields), fmt.infinity)
        return Regions.of_magnitudes(fmt, starts, (0, None, 0, fmt.canonical_nan))


def build_bounded_sine(fmt: Format, plan: BoundedSine | None = None) -> Netlist:
    """sin(pi x) to nearest as a netlist: input ``x``, output ``result``.

    Args:
        plan: how, if not as usual.

    Raises:
        ValueError: as ``BoundedSine``.
    """
    chosen = plan or BoundedSine(fmt)
    return probed_netlist(fmt.width, lambda machine, x: _Unit(machine, chosen).result(x))


@dataclass(frozen=True)
class _Unit:
    machine: Probed
    plan: BoundedSine

    def result(self, x: Bits) -> Bits:
        """The code of the result."""
        machine, plan, fmt, sine = self.machine, self.plan, self.plan.fmt, self.plan.sine
        *magnitude, sign = x
        region = machine.probed("region", machine.comparators(number(x), plan.regions.starts))
        ordinary = machine.digits(machine.table(region, plan.regions.free), 1)[0]
        turn = fixed_point(machine, x, ordinary, fmt, plan.fields, sine.fixed, sine.fixed + 1)
        *v, half, odd = machine.probed("turn", turn)
        y = distance(machine, tuple(v), (1 - half).within(0, 1))
        code = sine.code(machine, y, region, plan.regions)
        is_tiny = [int(index % 4 == 0) for index in range(8)]
        tiny = machine.digits(machine.table(region, is_tiny), 1)[0]
        code = code + self.tiny(machine.given(tuple(magnitude), tiny))
        turned = sign + machine.product((odd,), machine.comparators(number(y), [1]))
        is_nan = machine.table(region, [int(each == fmt.canonical_nan) for each in plan.regions.results])
        return (*machine.digits(code, fmt.width - 1), negative(machine, turned, is_nan))

    def tiny(self, magnitude: Bits) -> Form:
        """The code of pi times a number; 0 of 0."""
        machine, fmt = self.machine, self.plan.fmt
        fraction, field = magnitude[: fmt.fraction_bits], magnitude[fmt.fraction_bits :]
        normal = machine.comparators(number(field), [1])[0]
        multiple = machine.weighted((*fraction, normal), self.multiples())
        # As many places below are rounded off, one more and two more.
        places = [1 << fmt.precision + GUARD, 2 << fmt.precision + GUARD]
        some, more = machine.probed("tiny.leading", machine.comparators(multiple, places))
        halves = machine.table((some, more), [1 << GUARD + k >> 1 for k in range(3)])
        total = machine.digits(multiple + halves, fmt.precision + 2 + GUARD)[GUARD:]
        total = machine.probed("tiny.total", total)
        which = (1 - some, (some - more).within(0, 1), more)
        found = choice(machine, [total[k:] for k in range(3)], which)
        code: Form = found + (some + more + number(field) - normal) * (1 << fmt.fraction_bits)
        return code

    def multiples(self) -> list[int]:
        """Of pi, by the powers of two that a significand is made of."""
        with gmpy2.context(precision=PRECISION):
            pi = gmpy2.const_pi()
            places = range(self.plan.fmt.precision)
            return [int(gmpy2.rint(gmpy2.mul_2exp(pi, place + GUARD))) for place in places]
