"""The order of a sum, from the sizes of its partial sums: which tree holds which terms together.

Of two terms one can ask how many terms the smallest partial sum has that holds both. A term's answers
with all others are the partial sums that it goes through, and what joins it at each; what joins is
revealed likewise. If as many terms have been revealed already, their tree is supposed first: one
question for each of its additions confirms it, for then, from the bottom, each of its subtrees is one.
So regular orders take at most about two questions a term.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from random import Random

from spikeproof.specs.orders import Order

Sizes = Callable[[Sequence[tuple[int, int]]], Sequence[int]]
"""How many terms the smallest partial sum has that holds two terms, for several pairs."""

CHECKS = 64
"""So many further pairs, at random, are asked about at the end."""


class NoOrderError(ValueError):
    """Sizes of partial sums that no tree of additions of two has; one line."""


def reveal(terms: int, sizes: Sizes, at_once: int = 1) -> Order:
    """The order in which terms are added.

    Args:
        at_once: so many answers cost no more than one.

    Raises:
        NoOrderError: if the answers contradict each other, or more than two are added at once.
    """
    revealing = _Revealing(terms, sizes, at_once)
    revealing.whole(list(range(terms)))
    order = Order(terms, tuple(revealing.additions))
    checked = pairs(terms, CHECKS)
    for pair, size in zip(checked, sizes(checked), strict=True):
        expected = meeting(order, *pair)
        if size != expected:
            raise NoOrderError(
                f"terms {pair[0]} and {pair[1]} should meet in a sum of {expected}, "
                f"but meet in one of {size}"
            )
    return order


Earlier = Callable[[int, int, int], bool]
"""Whether of three terms the first two meet in a sum that the third is not in."""


def reveal_by_triples(terms: int, earlier: Earlier) -> Order:
    """The order in which terms are added, where just this can be asked.

    What a term meets on its way lies in a row, in which each other term finds its place by halving.

    Raises:
        NoOrderError: if the answers are not those of the order that they give.
    """
    additions: list[tuple[int, int]] = []

    def added(left: int, right: int) -> int:
        additions.append((left, right))
        return terms + len(additions) - 1

    def whole(some: list[int]) -> int:
        start, *others = some
        row: list[list[int]] = []
        for other in others:
            low, high = 0, len(row)
            while low < high:
                middle = (low + high) // 2
                there = row[middle][0]
                if earlier(other, there, start):
                    row[middle].append(other)
                    break
                low, high = (low, middle) if earlier(start, other, there) else (middle + 1, high)
            else:
                row.insert(low, [other])
        place = start
        for joining in row:
            place = added(place, joining[0] if len(joining) == 1 else whole(joining))
        return place

    whole(list(range(terms)))
    order = Order(terms, tuple(additions))
    random = Random(terms)
    for _ in range(CHECKS if terms > 2 else 0):
        one, other, third = random.sample(range(terms), 3)
        expected = meeting(order, one, other) < meeting(order, one, third)
        if earlier(one, other, third) != expected:
            meet = "meet" if expected else "not meet"
            raise NoOrderError(f"terms {one} and {other} should {meet} before {third} does")
    return order


def pairs(terms: int, count: int) -> list[tuple[int, int]]:
    """So many pairs of terms at random, each in ascending order; none where there is just one."""
    random = Random(terms)
    drawn = (sorted(random.sample(range(terms), 2)) for _ in range(count if terms > 2 else 0))
    return [(one, other) for one, other in drawn]


def meeting(order: Order, one: int, other: int) -> int:
    """The size of the smallest partial sum of an order that holds both."""
    both = 1 << one | 1 << other
    return next(clade for clade in order.clades if clade & both == both).bit_count()


class _Revealing:
    """Additions as they are found; ``known`` has a place for each number of terms found so far."""

    def __init__(self, terms: int, sizes: Sizes, at_once: int) -> None:
        self.additions: list[tuple[int, int]] = []
        self._terms = terms
        self._sizes = sizes
        self._at_once = at_once
        self._known: dict[int, int] = {}
        self._random = Random(0)

    def whole(self, terms: list[int], level: int = 0) -> int:
        """The place of the sum of terms, in ascending order, that are a partial sum."""
        if len(terms) == 1:
            return terms[0]
        if len(terms) in self._known:
            place = self._supposed(self._known[len(terms)], terms)
            if place is not None:
                return place
        start = self._pivot(terms, level)
        joining = defaultdict(list)
        asked = [(start, other) for other in terms if other != start]
        for (_, other), total in zip(asked, self._sizes(asked), strict=True):
            joining[total].append(other)
        place, count = start, 1
        for total, others in sorted(joining.items()):
            if total > len(terms):
                raise NoOrderError(
                    f"more than two are added at once, among them {start} and {others[0]}"
                )
            count += len(others)
            if count != total:
                raise NoOrderError(
                    f"term {start} meets {others[0]} in a sum of {total}, but {count} are in it"
                )
            place = self._added(place, self.whole(others, level + 1))
            self._known.setdefault(count, place)
        return place

    def _pivot(self, terms: list[int], level: int) -> int:
        """The first term, which most sequences begin with; then the last; then any."""
        if level < 2:
            return terms[-level]
        return self._random.choice(terms)

    def _added(self, left: int, right: int) -> int:
        self.additions.append((left, right))
        return self._terms + len(self.additions) - 1

    def _supposed(self, pattern: int, terms: list[int]) -> int | None:
        """A known tree over other terms in the same succession, if each of its additions is there."""
        inner = list(self._below(pattern))
        leaves = sorted(
            child
            for place in inner
            for child in self.additions[place - self._terms]
            if child < self._terms
        )
        first = dict(zip(leaves, terms, strict=True))
        counts = dict.fromkeys(leaves, 1)
        expected = []
        for place in reversed(inner):
            left, right = self.additions[place - self._terms]
            counts[place] = counts[left] + counts[right]
            first[place] = first[left]
            expected.append(((first[left], first[right]), counts[place]))
        for start in range(0, len(expected), self._at_once):
            asked, sizes = zip(*expected[start : start + self._at_once], strict=True)
            if tuple(self._sizes(asked)) != sizes:
                return None
        places = dict(zip(leaves, terms, strict=True))
        for place in reversed(inner):
            left, right = self.additions[place - self._terms]
            places[place] = self._added(places[left], places[right])
        return places[pattern]

    def _below(self, place: int) -> Iterator[int]:
        """The additions that make up a place, each before those that it is of."""
        stack = [place]
        while stack:
            here = stack.pop()
            if here >= self._terms:
                yield here
                stack.extend(self.additions[here - self._terms])
