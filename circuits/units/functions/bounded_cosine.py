"""cos(pi x) of formats as wide as FP64, to nearest: no exceptions, no trying of inputs.

    1  V    |x| modulo 2, as a fixed-point number of ``fixed`` binary places, cut off there: of numbers
            that are not tiny nothing is
    2  Y    V's distance from the nearest odd multiple of 1/2: cos(pi V) is sin(pi Y) or its negative
    3  its sine, by rows: ``sine_rows``

Where x is so small that its cosine rounds to 1, or an even number as all from 2^p on, that is told by
comparators.

Probes name the words on the way, for whoever shows how near that is: ``prover.kernel.cosine``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from spikeproof.circuits.netlist import Netlist
from spikeproof.circuits.units.forms import Bits, Form, number
from spikeproof.circuits.units.functions.fixed_point import fixed_point
from spikeproof.circuits.units.functions.regions import Regions
from spikeproof.circuits.units.functions.sine_rows import SineRows, distance
from spikeproof.circuits.units.functions.words import Probed, probed_netlist
from spikeproof.specs.formats import Format

SPARE = 8
"""Places of Y beyond the precision of the format: of x from 2^-SPARE on nothing is cut off."""


@dataclass(frozen=True)
class BoundedCosine:
    """How cos(pi x) of a format is made, to nearest.

    Raises:
        ValueError: if numbers so small that their cosine rounds to 1 are not all normal, or results are
            not, or if there are no even numbers from 2^precision on.
    """

    fmt: Format

    def __post_init__(self) -> None:
        if self.fields[0] < 1 or self.fmt.bias < self.fmt.precision + 1:
            raise ValueError(f"format {self.fmt.name} has too few exponents for cosines by rows")

    @property
    def fields(self) -> range:
        """Exponent fields: below the cosine rounds to 1, and above numbers are all even."""
        fmt = self.fmt
        return range(fmt.bias - fmt.precision // 2 - 3, fmt.bias + fmt.precision)

    @property
    def sine(self) -> SineRows:
        """Of numbers of at least 1/4 the distance is 0 or at least 2^-(p+1), and its sine twice that."""
        return SineRows(self.fmt, self.fmt.precision + SPARE, self.fmt.precision)

    @cached_property
    def regions(self) -> Regions:
        """Small, large and infinite numbers, and NaNs."""
        fmt = self.fmt
        one = fmt.bias << fmt.fraction_bits
        fields = self.fields[0], self.fields[-1] + 1
        starts = (*(field << fmt.fraction_bits for field in fields), fmt.infinity)
        return Regions.of_magnitudes(fmt, starts, (one, None, one, fmt.canonical_nan))


def build_bounded_cosine(fmt: Format, plan: BoundedCosine | None = None) -> Netlist:
    """cos(pi x) to nearest as a netlist: input ``x``, output ``result``.

    Args:
        plan: how, if not as usual.

    Raises:
        ValueError: as ``BoundedCosine``.
    """
    chosen = plan or BoundedCosine(fmt)
    return probed_netlist(fmt.width, lambda machine, x: _Unit(machine, chosen).result(x))


@dataclass(frozen=True)
class _Unit:
    machine: Probed
    plan: BoundedCosine

    def result(self, x: Bits) -> Bits:
        """The code of the result."""
        machine, plan, fmt, sine = self.machine, self.plan, self.plan.fmt, self.plan.sine
        region = machine.probed("region", machine.comparators(number(x), plan.regions.starts))
        ordinary = machine.digits(machine.table(region, plan.regions.free), 1)[0]
        turn = fixed_point(machine, x, ordinary, fmt, plan.fields, sine.fixed, sine.fixed + 1)
        *v, half, odd = machine.probed("turn", turn)
        y = distance(machine, tuple(v), half)
        code = sine.code(machine, y, region, plan.regions)
        return (*machine.digits(code, fmt.width - 1), self.negative(half, odd, y))

    def negative(self, half: Form, odd: Form, y: Bits) -> Form:
        """The sign: that of 0 is +."""
        machine = self.machine
        some = machine.comparators(number(y), [1])
        both = machine.product((half,), (odd,))
        differ = machine.digits((half + odd - 2 * both).within(0, 1), 1)
        return machine.digits(number(differ) + number(some) - 1, 1)[0]
