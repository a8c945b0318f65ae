"""The exponent of a shallow result, as far as its place before it is shifted tells."""

from __future__ import annotations

from dataclasses import dataclass

from spikeproof.circuits.units.forms import ALWAYS, Bits, Form, all_of
from spikeproof.circuits.units.libraries import GateLibrary
from spikeproof.circuits.units.shallow import Thermometer, reaches_constant


@dataclass(frozen=True)
class ExponentSum:
    """The exponent field of a significand's first bit, less one, and more by ``offset`` than that."""

    gates: GateLibrary
    total: Bits
    offset: int

    def reaches(self, field: int) -> Form:
        """Whether the first bit has that exponent field, less one, or a larger one."""
        return reaches_constant(self.gates, self.total, max(0, field + self.offset))

    def field(self, size: int) -> Bits:
        """The exponent field of the first bit, less one, or 0 if that is negative.

        Where it is too large for the field its last bits, which are of no use.
        """
        gates, total, offset = self.gates, self.total, self.offset
        borrows = [1 - reaches_constant(gates, total[:k], offset % (1 << k)) for k in range(size + 1)]
        places = (
            (total[k] - (offset >> k & 1) - borrows[k] + 2 * borrows[k + 1]).within(0, 1)
            for k in range(size)
        )
        positive = self.reaches(0)
        return tuple(all_of(gates, place, positive) for place in places)

    def limit(self, above: int, most: int) -> Thermometer:
        """The exponent field of the topmost of so many zeros above, less one, as far as asked for."""
        return Thermometer((ALWAYS, *(self.reaches(k - above) for k in range(1, most + 1))))
