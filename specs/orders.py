"""In which order a sum is taken: the tree of its additions, as plain data, and what it computes.

Floating-point addition does not associate, so a sum of many terms has a value only with respect to an
order. An order is a program of additions: places 0 to ``terms - 1`` are the terms, and each addition,
in turn, makes the next place out of two earlier ones. Each place is used once, but the last, the sum.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Any, TypeVar

T = TypeVar("T")

Additions = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Order:
    """The tree in which terms are added.

    Addition commutes: orders that differ in no more than that, or in the sequence in which independent
    additions are listed, are made equal. The place with the earlier first term stands first.

    Raises:
        ValueError: if it is no tree over the terms.
    """

    terms: int
    additions: Additions

    def __post_init__(self) -> None:
        if self.terms < 1 or len(self.additions) != self.terms - 1:
            raise ValueError(f"{len(self.additions)} additions make no tree over {self.terms} terms")
        used = [place for pair in self.additions for place in pair]
        if sorted(used) != list(range(len(used))):
            raise ValueError("this is no tree: each place but the last is used once")
        for place, pair in enumerate(self.additions, self.terms):
            if max(pair) >= place:
                raise ValueError(f"this is no tree: place {place} is used before it is made")
        object.__setattr__(self, "additions", _canonical(self.terms, self.additions))

    @cached_property
    def clades(self) -> tuple[int, ...]:
        """The terms below each place, as the bits of an integer."""
        below = [1 << term for term in range(self.terms)]
        for left, right in self.additions:
            below.append(below[left] | below[right])
        return tuple(below)

    def below(self, place: int) -> Order:
        """The order of a partial sum; its terms in the same succession."""
        inner, stack = [], [place]
        while stack:
            here = stack.pop()
            if here >= self.terms:
                inner.append(here)
                stack.extend(self.additions[here - self.terms])
        pairs = [self.additions[each - self.terms] for each in reversed(inner)]
        leaves = sorted({place, *(each for pair in pairs for each in pair)} - set(inner))
        return self._renamed(leaves, list(reversed(inner)))

    def above(self, places: Sequence[int]) -> Order:
        """The order in which partial sums are added that make up the whole; in that succession."""
        known = set(places)
        kept = []
        for place, pair in enumerate(self.additions, self.terms):
            if place not in known and known.issuperset(pair):
                known.add(place)
                kept.append(place)
        return self._renamed(places, kept)

    def without(self, term: int) -> Order:
        """The order of the other terms."""
        instead = list(range(self.terms))
        others = [each for each in range(self.terms) if each != term]
        kept = []
        for place, (left, right) in enumerate(self.additions, self.terms):
            left, right = instead[left], instead[right]
            if term in (left, right):
                instead.append(left + right - term)
            else:
                kept.append((place, left, right))
                instead.append(place)
        names = {name: rank for rank, name in enumerate(others)}
        names |= {place: len(others) + rank for rank, (place, *_) in enumerate(kept)}
        return Order(len(others), tuple((names[left], names[right]) for _, left, right in kept))

    def _renamed(self, leaves: Sequence[int], inner: Sequence[int]) -> Order:
        """The order of some places, of additions that are listed before those that are of them."""
        names = {name: rank for rank, name in enumerate((*leaves, *inner))}
        pairs = (self.additions[each - self.terms] for each in inner)
        return Order(len(leaves), tuple((names[left], names[right]) for left, right in pairs))

    @property
    def depth(self) -> int:
        """The most additions that a term goes through."""
        depths = [0] * self.terms
        for left, right in self.additions:
            depths.append(max(depths[left], depths[right]) + 1)
        return depths[-1]

    def evaluate(self, terms: Sequence[T], add: Callable[[T, T], T]) -> T:
        """The sum of terms of any kind, by any addition."""
        places: list[T | None] = list(terms)
        for left, right in self.additions:
            x, y = places[left], places[right]
            places[left] = places[right] = None  # so that what is no longer needed takes no memory
            places.append(add(x, y))  # type: ignore[arg-type]
        return places[-1]  # type: ignore[return-value]


def read_order(data: Any) -> Order:
    """An order as JSON has it: ``terms`` and ``additions``, pairs of places.

    What ``spikeproof order --json`` writes is such, if all results have one order.

    Raises:
        ValueError: if it is none; one line.
    """
    if isinstance(data, dict) and len(found := data.get("orders", [])) == 1:
        data = {**found[0], "terms": data.get("terms")}
    try:
        terms, additions = data["terms"], [(left, right) for left, right in data["additions"]]
    except (KeyError, TypeError, ValueError):
        raise ValueError(
            'this is no order: it needs "terms", and "additions" as pairs of places'
        ) from None
    if not all(type(place) is int for place in (terms, *chain.from_iterable(additions))):
        raise ValueError("this is no order: places are whole numbers")
    return Order(terms, tuple(additions))


def _canonical(terms: int, additions: Additions) -> Additions:
    """The same tree depth first, children by their first terms."""
    first = list(range(terms))
    for left, right in additions:
        first.append(min(first[left], first[right]))
    listed: list[tuple[int, int]] = []
    renamed = {term: term for term in range(terms)}
    stack = [terms + len(additions) - 1] if additions else []
    while stack:
        place = stack[-1]
        pair = sorted(additions[place - terms], key=first.__getitem__)
        missing = [child for child in pair if child not in renamed]
        if missing:
            stack.extend(reversed(missing))
        else:
            stack.pop()
            renamed[place] = terms + len(listed)
            listed.append((renamed[pair[0]], renamed[pair[1]]))
    return tuple(listed)


def grown(terms: int, build: Callable[[list[int], Callable[[int, int], int]], int]) -> Order:
    """The order of what a function adds.

    Args:
        build: takes the places of the terms, and an addition of two places; gives the place of the sum.
    """
    additions: list[tuple[int, int]] = []

    def add(left: int, right: int) -> int:
        additions.append((left, right))
        return terms + len(additions) - 1

    build(list(range(terms)), add)
    return Order(terms, tuple(additions))


def in_sequence(places: Iterable[int], add: Callable[[int, int], int]) -> int:
    """Add places one after another."""
    first, *others = places
    for other in others:
        first = add(first, other)
    return first


def in_pairs(places: Iterable[int], add: Callable[[int, int], int]) -> int:
    """Add neighbours, then neighbouring sums, until one is left; what has no neighbour waits."""
    level = list(places)
    while len(level) > 1:
        odd = level[len(level) & ~1 :]
        level = [add(*pair) for pair in zip(level[::2], level[1::2], strict=False)] + odd
    return level[0]


def by_folding(places: Iterable[int], add: Callable[[int, int], int]) -> int:
    """Add the second half to the first, place by place, until one is left; of a power of two."""
    level = list(places)
    while len(level) > 1:
        half = len(level) // 2
        level = [add(level[k], level[half + k]) for k in range(half)]
    return level[0]


Way = Callable[[Iterable[int], Callable[[int, int], int]], int]


def sequential(terms: int) -> Order:
    """((t0 + t1) + t2) + ..."""
    return grown(terms, in_sequence)


def reversed_sequence(terms: int) -> Order:
    """From the last term to the first."""
    return grown(terms, lambda places, add: in_sequence(reversed(places), add))


def pairwise(terms: int) -> Order:
    """Neighbours first: of ceil(log2 terms) levels."""
    return grown(terms, in_pairs)


def in_lanes(terms: int, lanes: int, across: Way = in_pairs) -> Order:
    """Every so many terms in sequence, then these sums, as vector registers do it."""
    return grown(
        terms,
        lambda places, add: across(
            [in_sequence(places[k::lanes], add) for k in range(min(lanes, terms))], add
        ),
    )


def in_blocks(terms: int, size: int, within: Way = in_sequence, across: Way = in_sequence) -> Order:
    """So many neighbours, then the sums of these."""
    return grown(
        terms,
        lambda places, add: across(
            [within(places[k : k + size], add) for k in range(0, terms, size)], add
        ),
    )


PLAIN: Mapping[str, Callable[[int], Order]] = {
    "sequential": sequential,
    "reversed": reversed_sequence,
    "pairwise": pairwise,
}
PARTS: Mapping[str, Callable[[int, int], Order]] = {"lanes": in_lanes, "blocks": in_blocks}
"""Orders by their words in names; those of parts have a number behind."""

TREE = "tree_"


def order_named(word: str, terms: int) -> Order:
    """The order that a word in a name says, of so many terms.

    ``sequential``, ``reversed``, ``pairwise``; ``lanesK``, every K-th term in sequence, then the lanes
    pairwise; ``blocksK``, K neighbours in sequence, then the blocks in sequence; or any tree:
    ``tree_0-1_2-3_4-5``, each addition as the two places that it adds.

    Raises:
        ValueError: if it says none; one line.
    """
    if word in PLAIN:
        return PLAIN[word](terms)
    if word.startswith(TREE):
        pairs = [re.fullmatch(r"(\d+)-(\d+)", pair) for pair in word.removeprefix(TREE).split("_")]
        if not all(pairs):
            raise ValueError(f"{word!r} is no tree; write it like tree_0-1_2-3_4-5")
        return Order(terms, tuple((int(pair[1]), int(pair[2])) for pair in pairs if pair))
    if found := re.fullmatch(r"([a-z]+)([1-9]\d*)", word):
        if found[1] in PARTS and int(found[2]) <= terms:
            return PARTS[found[1]](terms, int(found[2]))
        if found[1] in PARTS:
            raise ValueError(f"{word} is of {found[2]} terms or more; there are {terms}")
    known = ", ".join((*PLAIN, *(f"{each}8" for each in PARTS)))
    raise ValueError(f"{word!r} is no order; orders are {known}, tree_...")


def tree_word(order: Order) -> str:
    """The word for any order, of whatever shape."""
    return TREE + "_".join(f"{left}-{right}" for left, right in order.additions)
