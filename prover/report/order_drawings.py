"""Drawings of orders: the tree from its terms at the bottom to the sum at the top.

Regular parts, such as the terms of a lane or of a block, are boxes that say what is in them; of many
equal parts that are added one after another, some are drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from itertools import groupby
from textwrap import wrap
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from spikeproof.prover.report.orders import case, plain, shown_terms, way_in_words
from spikeproof.prover.running.orders import Found
from spikeproof.prover.running.revealed import RevealedOrder
from spikeproof.specs.orders import Order

WHOLE = 32
"""Up to so many terms each is drawn."""

MOST_IN_TURN = 8
"""Of more equal parts than these, added one after another, the first and the last are drawn."""

FIRST, LAST = 5, 2

FEW_BOXES = 32
"""A tree that is regular as a whole is drawn down to so many parts."""

MOST_BOXES = 48
"""Of a tree of more boxes than these, equal parts are drawn once."""

SMALL = 64
"""An irregular part that is smaller than such a fraction of the terms is a box too."""

MOST_WORDS = 400
"""Characters of an order in words."""

STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "spikeproof",
    "font.size": 8,
    "text.parse_math": False,
}

INK, BOX, FUSED = "#334155", "#e2e8f0", "#c7e3d4"


@dataclass
class _Part:
    """A part of a tree as it is drawn: a box, or the sum of parts added one after another."""

    text: str = ""
    parts: list[_Part] = field(default_factory=list)
    fused: bool = False


def drawing(records: Sequence[RevealedOrder], suffix: str) -> bytes:
    """The orders of some records, in a file of that ending."""
    found = [(record, each) for record in records for each in record.finding.found]
    trees = [_tree(each, record.bias) for record, each in found]
    wide = min(max(7.0, 0.27 * max(sum(1 for _ in _boxes(tree)) for tree in trees)), 30.0)
    texts = [
        [part for line in _caption(*each, tree) for part in wrap(line, int(14 * wide))]
        for each, tree in zip(found, trees, strict=True)
    ]
    high = [
        2.6 + 0.16 * min(_height(tree), 30) + 0.15 * len(text)
        for tree, text in zip(trees, texts, strict=True)
    ]
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(wide, sum(high)), layout="constrained")
        panels = figure.subplots(len(found), 1, squeeze=False, height_ratios=high)
        for axes, tree, text in zip(panels[:, 0], trees, texts, strict=True):
            _draw(axes, tree)
            axes.set_title("\n".join(text), loc="left", fontsize=8, color=INK)
        file = BytesIO()
        metadata = {"Date": None} if suffix == ".svg" else None
        figure.savefig(file, format=suffix[1:], dpi=150, metadata=metadata)
    return file.getvalue()


def _caption(record: RevealedOrder, found: Found, tree: _Part) -> Iterator[str]:
    asked = record.asked
    several = len(record.finding.found) > 1
    yield f"{asked.name}, {case(asked)}{f': {found.results:,} of its results' if several else ''}"
    yield from way_in_words(asked, found.way, MOST_WORDS)
    if any(box.fused for box in _boxes(tree)):
        yield "shaded green: products that are fused"


# --- what is drawn ------------------------------------------------------------------------------


def _tree(found: Found, bias: int | None) -> _Part:
    order, fused = found.way.order, found.way.fused

    def box(terms: list[int], words: str) -> _Part:
        names = "bias" if terms == [bias] else shown_terms(terms)
        text = names if len(terms) == 1 else f"{names}\n{len(terms):,} terms, {words}"
        return _Part(text, fused=fused.issuperset(terms))

    return _part(order, len(order.clades) - 1, _opened(order), box)


def _opened(order: Order) -> set[int]:
    """The places that are drawn as sums of parts, not as boxes."""
    if order.terms <= WHOLE or order.depth == order.terms - 1:
        return set(range(order.terms, len(order.clades)))
    opened, boxes, stack = set(), [], [len(order.clades) - 1]
    while stack:
        place = stack.pop()
        if place < order.terms or _is_box(order, place):
            boxes.append(place)
        else:
            opened.add(place)
            stack.extend(order.additions[place - order.terms])
    regular = not opened
    while regular and _alike(order, boxes) and 2 * len(boxes) <= FEW_BOXES:
        opened.update(boxes)
        boxes = [child for place in boxes for child in order.additions[place - order.terms]]
    return opened if len(boxes) <= MOST_BOXES else _once(order, opened)


def _is_box(order: Order, place: int) -> bool:
    """Whether what is below a place is regular, or too small to be drawn."""
    small = order.clades[place].bit_count() * SMALL < order.terms
    return small or plain(order.below(place)) is not None


def _alike(order: Order, places: list[int]) -> bool:
    """Whether places are equal parts of several terms."""
    sizes = {order.clades[place].bit_count() for place in places}
    return len(sizes) == 1 and min(sizes) > 2


def _once(order: Order, opened: set[int]) -> set[int]:
    """The places to be drawn if of equal parts the first is."""
    kept, seen, stack = set(), set(), [len(order.clades) - 1]
    while stack:
        place = stack.pop()
        if place in opened and order.below(place) not in seen:
            seen.add(order.below(place))
            kept.add(place)
            stack.extend(reversed(order.additions[place - order.terms]))
    return kept


def _part(order: Order, place: int, opened: set[int], box: Callable[[list[int], str], _Part]) -> _Part:
    if place not in opened:
        terms = [term for term in range(order.terms) if order.clades[place] >> term & 1]
        return box(terms, _words(order, place, opened))
    spine = []
    while place in opened:
        left, right = order.additions[place - order.terms]
        first = 2 * order.clades[left].bit_count() >= order.clades[right].bit_count()
        place, other = (left, right) if first else (right, left)
        spine.append(other)
    parts = [_part(order, place, opened, box)]
    for size, group in groupby(reversed(spine), lambda each: order.clades[each].bit_count()):
        equal = list(group)
        if order.terms <= WHOLE or len(equal) <= (2 if size == 1 else MOST_IN_TURN):
            parts += [_part(order, each, opened, box) for each in equal]
        elif size == 1:
            parts.append(_Part(f"{shown_terms(equal)}\neach in turn"))
        else:
            kept = [_part(order, each, opened, box) for each in (*equal[:FIRST], *equal[-LAST:])]
            more = _Part(f"... {len(equal) - FIRST - LAST:,} more, each of {size:,} terms, in turn")
            parts += [*kept[:FIRST], more, *kept[FIRST:]]
    return _Part(parts=parts)


def _words(order: Order, place: int, opened: set[int]) -> str:
    """In which order the terms of a box are added."""
    below = order.below(place)
    regular = plain(below)
    if regular is not None:
        return regular
    drawn = any(order.below(each) == below for each in opened)
    return "as the first such part" if drawn else "in an order of its own"


def _boxes(tree: _Part) -> Iterator[_Part]:
    if not tree.parts:
        yield tree
    for part in tree.parts:
        yield from _boxes(part)


def _height(tree: _Part) -> int:
    """The additions upon another that are drawn."""
    height = 0
    for number, part in enumerate(tree.parts):
        height = max(height, _height(part)) + (number > 0)
    return height


# --- how it is drawn ----------------------------------------------------------------------------


def _draw(axes: Axes, tree: _Part) -> None:
    lines: list[list[tuple[float, float]]] = []
    sums: list[tuple[float, float]] = []
    places = {id(box): float(number) for number, box in enumerate(_boxes(tree))}

    def at(part: _Part) -> tuple[float, float]:
        if not part.parts:
            return places[id(part)], 0.0
        x, y = at(part.parts[0])
        for other in part.parts[1:]:
            right, high = at(other)
            top = max(y, high) + 1
            lines.append([(x, y), (x, top), (right, top), (right, high)])
            x, y = (x + right) / 2, top
            sums.append((x, y))
        return x, y

    x, y = at(tree)
    lines.append([(x, y), (x, y + 0.7)])
    axes.add_collection(LineCollection(lines, colors=INK, linewidths=0.9))
    axes.plot(*zip(*sums, strict=True), "o", color=INK, markersize=3) if sums else None
    for box in _boxes(tree):
        axes.annotate(
            box.text,
            (places[id(box)], 0),
            (0, -3),
            textcoords="offset points",
            rotation=90,
            ha="center",
            va="top",
            fontsize=6.5,
            color=INK,
            bbox={"boxstyle": "round,pad=0.25", "fc": FUSED if box.fused else BOX, "ec": INK, "lw": 0.5},
        )
    axes.set_xlim(-0.8, len(places) - 0.2)
    axes.set_ylim(0, y + 1)
    axes.axis("off")
