"""Questions to a function that sums, by masks.

A huge number stands at one term, its negative at another, ones elsewhere. What the partial sums add
while they hold just one of the two vanishes beside it: the result is the number of terms outside the
smallest partial sum that holds both. Where the format cannot count so far, ones stand at some of the
terms at a time, and zeros at the others.

Results whose numbers are not shared may be asked another question each: in one call as many are
answered as there are columns, say, of a matrix.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from spikeproof.prover.claims.obligation import StatementError
from spikeproof.prover.running.number_arrays import read, stored
from spikeproof.prover.running.revealing import NoOrderError, meeting, pairs
from spikeproof.prover.running.summing import Summing
from spikeproof.specs.formats import BFLOAT16, FP16, FP32, FP64
from spikeproof.specs.orders import Order

HUGE = {FP16: 2.0**15, BFLOAT16: 2.0**100, FP32: 2.0**100, FP64: 2.0**200}
"""Beside which ones vanish, in FP64 too but for FP16, where they do so in FP32."""

LEAST = {FP16: 2.0**-24, BFLOAT16: 1.0, FP32: 1.0, FP64: 1.0}
"""What stands for one."""

VANISHING = {FP16: 1 << 14, BFLOAT16: 1 << 32, FP32: 1 << 32, FP64: 1 << 32}
"""So many of these vanish beside what is huge."""

ALIKE = 12
"""So many pairs are asked of all results, to tell those of one order from others."""

HAVING = 24
"""So many further ones, to tell whether they have the order that was revealed."""

Which = NDArray[np.bool_]
"""Some of the results, flattened."""


class Masks:
    """How many terms the smallest partial sum has that holds two terms.

    Attributes:
        output: of which result; if several are asked at once, the first of them.
        width: how many are asked at once.
        agreeing: the results that have given the same answers as ``output``, where all were asked alike.
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
        self._dims = summing.masked.shape[1:]
        self._columns = np.broadcast_to(
            np.arange(int(np.prod(self._dims, dtype=int))).reshape(self._dims), summing.outputs
        ).reshape(-1)
        self._start: int | None = None
        self.about(np.ones(self.summing.results, bool))

    def about(self, which: Which) -> None:
        """Ask these results from now on, as many of them at once as have numbers of their own."""
        asked = np.flatnonzero(which)
        columns, first = np.unique(self._columns[asked], return_index=True)
        outputs = asked[first]
        if self.summing.operation.prefixes:
            outputs = asked[-1:]  # which has all terms
        self._outputs = outputs
        self._at = (
            np.stack(np.unravel_index(columns, self._dims)) if self._dims else np.empty((0, 1), int)
        )
        self.output = int(outputs[0])
        self.width = len(outputs)
        self.agreeing = np.ones(self.summing.results, bool)

    def sizes(self, asked: Sequence[tuple[int, int]]) -> list[int]:
        """The sizes for several pairs.

        Raises:
            NoOrderError: if what is left is no number of terms.
        """
        found = []
        for start in range(0, len(asked), self.width):
            some = asked[start : start + self.width]
            left = self._left(np.array(some), each=self.width > 1)
            if self.width == 1:
                self.agreeing &= left == left[self.output]
            for pair, outside in zip(some, left[self._outputs], strict=False):
                found.append(self._size(*pair, float(outside)))
        return found

    def alike(self) -> Which:
        """The results that answer a few questions, which all are asked, as ``output`` does."""
        return self._agreeing(None, ALIKE)

    def having(self, order: Order) -> Which:
        """The results that answer a few questions, which all are asked, as an order has it."""
        return self._agreeing(order, HAVING)

    def _agreeing(self, order: Order | None, count: int) -> Which:
        found = np.ones(self.summing.results, bool)
        ends = [(0, self.summing.terms - 1)] if self.summing.terms > 1 else []
        for pair in ends + pairs(self.summing.terms, count):
            left = self._left(np.array([pair]))
            outside = left[self.output] if order is None else order.terms - meeting(order, *pair)
            found &= left == outside
        return found

    def ask(self, terms: Mapping[int, float], others: Mapping[int, float] | None = None) -> float:
        """What comes of a few terms, all others being zero, at ``output``.

        Args:
            terms: the numbers, or their first factors.
            others: second factors that are not one.
        """
        self._fill(0.0)
        for term, number in terms.items():
            self._set(np.array([term]), number)
        before = {}
        if others:
            array, numbers = self.summing.unmasked
            at = np.unravel_index(self.output, self.summing.outputs)
            for term, number in others.items():
                dims = numbers.shape[1:]
                place = numbers[
                    (term, *(k if size > 1 else 0 for k, size in zip(at, dims, strict=True)))
                ]
                before[place] = array.flat[place]
                array.flat[place] = self._coded(number)
        result = self._result()[self.output]
        for place, number in before.items():
            array.flat[place] = number
        return float(result)

    def earlier(self, one: int, other: int, third: int) -> bool:
        """Whether two terms meet before a third, where terms are squares, and the result is their root.

        1.5^2 stands at the third, a little less than half a unit in its last place at both others. The
        root of the next number is another than 1.5.
        """
        small = (1 - 2.0**-6) * 2.0 ** -(self.summing.asked.fmt.fraction_bits / 2)
        return self.ask({third: 1.5, one: small, other: small}) != 1.5

    def _left(self, asked: NDArray[np.int_], each: bool = False) -> NDArray[np.float64]:
        """How many ones are left of each result, for masks at a pair of terms; or at a pair for each."""
        huge = HUGE[self.summing.asked.fmt]
        left = np.zeros(self.summing.results)
        for start in range(0, self.summing.terms, self._counted):
            self._set_ones(start)
            self._set(asked[:, 0], huge, each)
            self._set(asked[:, 1], -huge, each)
            left += self._counts()
            for terms in asked.T:
                ones = (start <= terms) & (terms < start + self._counted)
                self._set(terms, np.where(ones, self._one, 0.0), each)
        return left

    def _size(self, one: int, other: int, outside: float) -> int:
        whole = np.isfinite(outside) and outside == int(outside)
        if not whole or not 0 <= outside <= self.summing.terms - 2:
            raise NoOrderError(
                f"beside masks at terms {one} and {other}, {outside:g} of the ones are left"
            )
        return self.summing.terms - int(outside)

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
        if start != self._start:
            self._fill(0.0)
            masked, bias, end = self.summing.masked, self.summing.bias, start + self._counted
            masked[start:end] = self._coded(self._one)
            if bias is not None:
                bias[...] = self._coded(self._one if end >= self.summing.terms else 0.0)
            self._start = start

    def _fill(self, number: float) -> None:
        """Make all terms a number: all factors but one of each are one."""
        for array in self.summing.arrays:
            array[...] = self._coded(1.0)
        self.summing.masked[...] = self._coded(number)
        if self.summing.bias is not None:
            self.summing.bias[...] = self._coded(number)
        self._start = None

    def _set(
        self, terms: NDArray[np.int_], number: float | NDArray[np.float64], each: bool = False
    ) -> None:
        """Make a term another number, for all results; or a term for each that is asked."""
        masked, bias = self.summing.masked, self.summing.bias
        values = np.broadcast_to(self._coded(number), terms.shape)
        at = self._at[:, : len(terms)] if each else None
        for array, chosen, base in (
            (masked, terms < len(masked), 0),
            (bias, terms >= len(masked), len(masked)),
        ):
            if array is not None and chosen.any():
                place = (terms[chosen] - base, *(() if at is None else at[:, chosen]))
                array[place] = values[chosen].reshape(-1, *(1,) * (array.ndim - len(place)))

    def _coded(self, number: float | NDArray[np.float64]) -> NDArray[np.generic]:
        return stored(self.summing.asked.fmt, np.asarray(number))
