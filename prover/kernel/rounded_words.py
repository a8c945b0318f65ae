"""That a circuit rounds a magnitude where its leading one is: to nearest, ties up.

A count tells the place of the leading one of a word M; for each such place half of the last place of the
result is added, and the code is that of the place and of the digits from the last place on. That no word
is clamped is seen by ranges.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from spikeproof.circuits.netlist import Netlist
from spikeproof.prover.kernel.bit_sums import BitSum, Interval, Signals, constant, number
from spikeproof.prover.kernel.function_words import FunctionWords, between, require
from spikeproof.specs.formats import Format


class RoundedWords(FunctionWords):
    """The words of a circuit that computes a function, and rounds: probes ``leading`` and ``total``.

    What is known of signals, in all that follows, says that the digits of M stand for themselves.
    """

    def __init__(self, netlist: Netlist, fmt: Format, function: str) -> None:
        super().__init__(netlist, fmt, function)
        self.total = self.probed("total")
        self.leading, _, _ = self.count("leading")
        # What the count reads is M and this: each place is twice the one before.
        self.base = 2 * self.leading.places[0] - self.leading.places[1]

    def magnitude(self, known: Mapping[int, BitSum]) -> BitSum:
        """M, of the digits of a word."""
        return Signals(self.reader, known).form(self.leading.signals[0]) - constant(self.base)

    def require_rounded(self, known: Mapping[int, BitSum], places: int, within: Interval) -> None:
        """That for each place of the leading one of M the code is that of M / 2^places, rounded.

        Args:
            within: what M lies in.
        """
        ends = [place - self.base for place in self.leading.places]
        require(self.result.most >= self.fmt.infinity and not self.result.low, "the code is clamped")
        for index, each in enumerate(between(within, ends)):
            told = {s: constant(int(k <= index)) for k, s in enumerate(self.leading.signals, 1)}
            if each.low <= each.high:
                require(index > 0, "M is so small that it has no code")
                place = ends[index - 1].bit_length() - 1
                require(ends[index - 1] == 1 << place, "M is compared with no power of two")
                require(each.high < 2 << place, "M is not told from twice as much")
                self._require_code({**known, **told}, places, place)

    def _require_code(self, known: Mapping[int, BitSum], places: int, place: int) -> None:
        """The same, of one place."""
        bits, total = self.fmt.fraction_bits, self.total
        last, field = place - bits, place - places + self.fmt.bias
        half = Fraction(1 << place, 2 << bits)
        more = Signals(self.reader, known).form(total.bus[0]) - self.magnitude(known)
        require(
            more.is_constant and more.constant == half, "what is added is not half of the last place"
        )
        require((2 << place) + half <= total.most, "the sum that is rounded is clamped")
        require(total.low <= last and 0 < field < (self.fmt.infinity >> bits) - 1, "M has no code")
        code = Signals(self.reader, {**known, **total.apart}).form(self.result.bus[0])
        digits = number(total.bus[last - total.low : place + 2 - total.low])
        require(not (code - digits - constant(field - 1 << bits)).terms, "the code is of other digits")

    def require_sign(self, signals: Signals, negative: bool) -> None:
        """That the sign of the result is that."""
        sign = signals.signal(self.sign)
        require(sign.is_constant and sign.constant == negative, "the sign is another")
