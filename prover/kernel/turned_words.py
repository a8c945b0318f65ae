"""Cosines of a part V of two half turns, as sines: V is folded at its odd multiples of 1/2.

Y is V's distance from the nearest odd multiple of 1/2: |cos(pi V)| is sin(pi Y), for any V from 0 to 2.
Of the words ``turn`` (V) and ``distance`` (Y) that is shown for both values of V's digit of 1/2.
"""

from __future__ import annotations

from collections.abc import Mapping

from spikeproof.circuits.netlist import Netlist
from spikeproof.prover.kernel.bit_sums import BitSum, Signals, constant, number
from spikeproof.prover.kernel.function_words import require
from spikeproof.prover.kernel.sine_rows import SineWords
from spikeproof.specs.formats import Format


class TurnedWords(SineWords):
    """The words of a circuit that has cosines by rows of sines.

    Attributes:
        turn: the digits of V, from the place that is the lowest of Y's.
        half, odd: those of 1/2 and 1.
        apart: that of all words on the way the digits stand for themselves.
    """

    def __init__(self, netlist: Netlist, fmt: Format, function: str) -> None:
        super().__init__(netlist, fmt, function)
        self.turn = self.probe("turn")[: self.fixed + 1]
        require(len(self.turn) == self.fixed + 1, "V has another unit than Y")
        *self.within, self.half, self.odd = self.turn
        self.apart = {**self.distance.apart, **self.product.apart}

    def require_folded(self) -> None:
        """That Y is what V is beyond a multiple of 1/2, or in even quarters 1/2 less that."""
        v, half = number(tuple(self.within)), 1 << self.fixed - 1
        apart = {s: number((s,)) for s in self.within}
        for quarter, y in enumerate((constant(half) - v, v)):
            known = {**apart, self.half: constant(quarter)}
            form = Signals(self.reader, known).form(self.distance.bus[0])
            require(not (form - y).terms, "Y is another distance")

    def quarters(self) -> list[Mapping[int, BitSum]]:
        """What says in which quarter of a turn V is; of the second and third cosines are negative."""
        return [{self.half: constant(n & 1), self.odd: constant(n >> 1)} for n in range(4)]
