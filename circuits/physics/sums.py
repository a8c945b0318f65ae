"""The sums that a neuron's weights can come to, from its threshold on, and which synapses do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import gcd, lcm

from spikeproof.circuits.netlist import Neuron


@dataclass(frozen=True)
class Sums:
    """A neuron's weights, and the sum of them that it needs: whole numbers, of 1/scale each.

    Attributes:
        needed: the threshold less the bias.
    """

    scale: int
    needed: int
    weights: tuple[int, ...]

    @classmethod
    def of(cls, neuron: Neuron) -> Sums:
        """Those of a neuron."""
        threshold, bias, weights = neuron.in_integers
        numbers = (neuron.threshold, neuron.bias, *(weight for _, weight in neuron.synapses))
        return cls(lcm(*(each.denominator for each in numbers)), threshold - bias, tuple(weights))

    @property
    def size(self) -> int:
        """All weights without their signs: no sum has more."""
        return sum(map(abs, self.weights))

    def excesses(self, fires: bool) -> Iterator[int]:
        """By how much sums may exceed what is needed, or fall short, the nearest first.

        They are multiples of what all weights have in common, between the least sum and the most; not
        each need be a sum.
        """
        unit = gcd(*self.weights) or 1
        least = sum(weight for weight in self.weights if weight < 0) - self.needed
        most = sum(weight for weight in self.weights if weight > 0) - self.needed
        first = -self.needed % unit
        yield from range(first, most + 1, unit) if fires else range(first - unit, least - 1, -unit)

    def heaviest(self, excess: int) -> tuple[int, ...] | None:
        """The places of weights whose sum exceeds what is needed by so much: as ``heaviest``."""
        return heaviest(self.weights, self.needed + excess)


def heaviest(weights: Sequence[int], wanted: int) -> tuple[int, ...] | None:
    """The places of weights that add up to a sum, of all such the most without their signs.

    Weights are taken from the smallest on: what is then left must be a multiple of what all others have
    in common, and no more than these add up to. So there are few partial sums to follow, even of
    hundreds of weights, if they are powers of two.

    Returns:
        None if none add up to it.
    """
    order = sorted(range(len(weights)), key=lambda place: abs(weights[place]))
    after = list(accumulate((weights[place] for place in reversed(order)), _with, initial=(0, 0, 0)))
    found: dict[int, tuple[int, _Chosen]] = {0: (0, None)} if _is_left(wanted, after[-1]) else {}
    for place, left in zip(order, after[-2::-1], strict=True):
        weight, taken = weights[place], dict(found)
        for total, (size, chosen) in found.items():
            if taken.get(total + weight, (-1, None))[0] < size + abs(weight):
                taken[total + weight] = size + abs(weight), (place, chosen)
        found = {total: kept for total, kept in taken.items() if _is_left(wanted - total, left)}
    return None if wanted not in found else tuple(_places(found[wanted][1]))


_Left = tuple[int, int, int]
"""What weights have in common, and the least and the most that they add up to."""

_Chosen = tuple[int, "_Chosen"] | None
"""Places, the last one first."""


def _with(others: _Left, weight: int) -> _Left:
    """The same of one weight more."""
    unit, least, most = others
    return gcd(unit, weight), least + min(weight, 0), most + max(weight, 0)


def _is_left(wanted: int, left: _Left) -> bool:
    """Whether weights may add up to what is wanted."""
    unit, least, most = left
    return least <= wanted <= most and (wanted % unit == 0 if unit else wanted == 0)


def _places(chosen: _Chosen) -> Iterator[int]:
    while chosen:
        place, chosen = chosen
        yield place
