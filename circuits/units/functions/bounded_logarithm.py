"""log and log2 of formats as wide as FP64, within a bound: no exceptions, no trying of inputs.

As ``logarithms``, but that numbers have so many places that all that is cut off comes to less than 2^-10
of the last place of the result that is nearest to 0, and the factors are as many as that takes.

Probes name the words on the way, for whoever shows that: ``prover.kernel.logarithm``.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import lazy_loader

from spikeproof.circuits.netlist import Netlist
from spikeproof.circuits.units.forms import Bits
from spikeproof.circuits.units.functions.logarithms import Logarithm
from spikeproof.circuits.units.functions.mended import PRECISION
from spikeproof.circuits.units.functions.regions import Regions
from spikeproof.circuits.units.functions.words import Probed, probed_netlist
from spikeproof.specs.formats import Format, OverflowPolicy, RoundingMode

gmpy2: Any = lazy_loader.load("gmpy2")

GUARD = 16
"""Places of numbers beyond the last place of the result that is nearest to 0."""

MOST = 5
"""Bits of a factor, and one more of the first."""


class BoundedLogarithm(Logarithm):
    """How ``log`` or ``log2`` of a format is made, to nearest.

    Raises:
        ValueError: as ``Logarithm``.
    """

    @classmethod
    def of(cls, fmt: Format, function: str = "log") -> BoundedLogarithm:
        """That of a format."""
        return cls(function, fmt, RoundingMode.NEAREST_EVEN, OverflowPolicy.IEEE)

    @property
    def places(self) -> int:
        """Results next to 0 are log(1 - 2^-p), or more: their last place is 2^-2p, or larger."""
        return 2 * self.fmt.precision + GUARD

    @cached_property
    def factors(self) -> tuple[int, ...]:
        """So many that z^3 / 3 is less than the last place, and that z has as many places as that."""
        enough = -(-self.places // 3)
        found: tuple[int, ...] = ()
        while len(found) * MOST < enough or self.fmt.fraction_bits + sum(found) < self.places:
            count = len(found) + 1
            found = tuple(enough * k // count + 1 for k in range(1, count + 1))
        return found

    def constant(self, number: Any, place: int = 0) -> int:
        """number * 2^(places + place), rounded once."""
        with gmpy2.context(precision=PRECISION):
            return super().constant(number, place)

    @cached_property
    def regions(self) -> Regions:
        """Zeros, 1, infinity, NaNs and negative numbers."""
        fmt, sign = self.fmt, self.fmt.sign_mask
        one, infinity, nan = fmt.bias << fmt.fraction_bits, fmt.infinity, fmt.canonical_nan
        return Regions(
            (1, one, one + 1, infinity, infinity + 1, sign, sign + 1),
            (sign + infinity, None, 0, None, infinity, nan, sign + infinity, nan),
        )


def build_bounded_logarithm(
    fmt: Format, function: str = "log", plan: BoundedLogarithm | None = None
) -> Netlist:
    """A logarithm to nearest as a netlist: input ``x``, output ``result``.

    Args:
        function: ``log`` or ``log2``.
        plan: which, and how, if not as usual.

    Raises:
        ValueError: as ``BoundedLogarithm``.
    """
    chosen = plan or BoundedLogarithm.of(fmt, function)

    def code(machine: Probed, x: Bits) -> Bits:
        found = chosen.program(machine, x)
        return (*machine.digits(found.code, fmt.width - 1), found.negative)

    return probed_netlist(fmt.width, code)
