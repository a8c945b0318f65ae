"""Questions to a function that sums, by masks.

A huge number stands at one term, its negative at another, ones elsewhere. What the partial sums add
while they hold just one of the two vanishes beside it: the result is the number of terms outside the
smallest partial sum that holds both. Where the format cannot count so far, ones stand at some of the
terms at a time, and zeros at the others.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spikeproof.prover.claims.obligation import StatementError
from spikeproof.prover.running.number_arrays import read, stored
from spikeproof.prover.running.revealing import NoOrderError
from spikeproof.prover.running.summing import Summing
from spikeproof.specs.formats import BFLOAT16, FP16, FP32, FP64

HUGE = {FP16: 2.0**15, BFLOAT16: 2.0**100, FP32: 2.0**100, FP64: 2.0**200}
"""Beside which ones vanish, in FP64 too but for FP16, where they do so in FP32."""

LEAST = {FP16: 2.0**-24, BFLOAT16: 1.0, FP32: 1.0, FP64: 1.0}
"""What stands for one."""

VANISHING = {FP16: 1 << 14, BFLOAT16: 1 << 32, FP32: 1 << 32, FP64: 1 << 32}
"""So many of these vanish beside what is huge."""


class Masks:
    """How many terms the smallest partial sum has that holds two terms.

    Attributes:
        output: which of the results, flattened, is asked about.
        agreeing: which of them have given the same answers throughout.
        calls: of the function.
    """

    def __init__(self, summing: Summing) -> None:
        self.summing = summing
        self.calls = 0
        fmt, mean = summing.asked.fmt, summing.operation.mean
        scale = 4 << (summing.terms - 1).bit_length() if mean and fmt is FP16 else 1
        self._one = LEAST[fmt] * scale
        digits = min(fmt.precision, summing.result_format.precision) - 2 * mean
        self._counted = min(1 << digits, VANISHING[fmt] // scale, summing.terms)
        if not self._counted:
            raise StatementError(
                f"{fmt.name} is too narrow for masks of {summing.terms} terms of a mean"
            )
        self.about(0)

    def about(self, output: int) -> None:
        """Ask about another result from now on."""
        self.output = output
        self.agreeing = np.ones(int(np.prod(self.summing.outputs, dtype=int)), bool)
        for factor in self.summing.factors[1:]:
            factor[...] = self._coded(1.0)
        self._set_ones(0)

    def __call__(self, one: int, other: int) -> int:
        """The size, at the result that is asked about.

        Raises:
            NoOrderError: if what is left is no number of terms.
        """
        left = np.zeros(len(self.agreeing))
        for start in range(0, self.summing.terms, self._counted):
            if self._counted < self.summing.terms:
                self._set_ones(start)
            before = [self._set(one, self._coded(HUGE[self.summing.asked.fmt]))]
            before.append(self._set(other, self._coded(-HUGE[self.summing.asked.fmt])))
            left += self._counts()
            for term, value in zip((one, other), before, strict=True):
                self._set(term, value)
        self.agreeing &= left == left[self.output]
        outside = float(left[self.output])
        if not (outside == int(outside) if np.isfinite(outside) else False) or not (
            0 <= outside <= self.summing.terms - 2
        ):
            raise NoOrderError(
                f"beside masks at terms {one} and {other}, {outside:g} of the ones are left"
            )
        return self.summing.terms - int(outside)

    def ask(self, terms: dict[int, float], others: dict[int, float] | None = None) -> float:
        """What comes of a few terms, all others being zero, at the result that is asked about.

        Args:
            terms: the numbers, or their first factors.
            others: second factors that are not one.
        """
        first, bias = self.summing.factors[0], self.summing.bias
        first[...] = 0
        if bias is not None:
            bias[...] = 0
        for term, number in terms.items():
            self._set(term, self._coded(number))
        for term, number in (others or {}).items():
            self.summing.factors[1][term] = self._coded(number)
        result = self._result()[self.output]
        for term in others or {}:
            self.summing.factors[1][term] = self._coded(1.0)
        return float(result)

    def _result(self) -> NDArray[np.float64]:
        self.calls += 1
        return read(self.summing.result_format, self.summing()).astype(np.float64).reshape(-1)

    def _counts(self) -> NDArray[np.float64]:
        """The results, in ones; of a mean the nearest number of these, if it is near."""
        counts: NDArray[np.float64] = self._result() / self._one
        if self.summing.operation.mean:
            counts = counts * (self.summing.terms)
            near = np.abs(counts - np.rint(counts)) < 0.26
            counts = np.where(near, np.rint(counts), counts)
        return counts

    def _set_ones(self, start: int) -> None:
        first, bias = self.summing.factors[0], self.summing.bias
        first[...] = 0
        first[start : start + self._counted] = self._coded(self._one)
        if bias is not None:
            bias[...] = self._coded(self._one) if start + self._counted >= self.summing.terms else 0

    def _set(self, term: int, value: object) -> object:
        """Make a term another number, for all results; what it was before."""
        first, bias = self.summing.factors[0], self.summing.bias
        place = bias if bias is not None and term == len(first) else first[term : term + 1]
        before = place.copy()
        place[...] = value
        return before

    def _coded(self, number: float) -> NDArray[np.generic]:
        return stored(self.summing.asked.fmt, np.array(number))
