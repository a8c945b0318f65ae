"""How functions of libraries sum, for people and as data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain, takewhile
from itertools import pairwise as neighbours
from typing import Any, TypeVar

from spikeproof.prover.report.departures import shown_code
from spikeproof.prover.report.tables import NamedTable
from spikeproof.prover.running.accumulations import Accumulation, Scaling
from spikeproof.prover.running.machines import CPU
from spikeproof.prover.running.orders import Finding
from spikeproof.prover.running.revealed import RevealedOrder
from spikeproof.prover.running.summing import OPERATIONS, Asked
from spikeproof.specs.orders import (
    Order,
    by_folding,
    grown,
    in_sequence,
    pairwise,
    reversed_sequence,
    sequential,
)

T = TypeVar("T")

DRAWINGS = (".svg", ".png", ".pdf")
"""How the name of a drawing's file may end."""

CASES_SCHEMA = "spikeproof-orders-1"

SEQUENTIAL = "one after another"

GROUPS = (2, 4, 8)
"""So many terms may be added from the last of them."""

MOST_LANES = 256

MOST_LISTED = 4
"""So many runs of terms are told one by one, where they differ."""

MOST_NESTED = 2
"""Of words that have more parentheses, the tree may be shorter."""

MOST_NAMED = 40
"""Characters in which terms are told."""

MOST_WORDS = 1000
"""Characters that are shown of an order; JSON has all of it."""


def in_words(order: Order) -> str:
    """An order in short where it is regular, else the tree."""
    text = plain(order) or _with_tail(order) or _in_lanes(order) or _in_blocks(order) or _in_runs(order)
    if text is None or text.count("(") > MOST_NESTED:
        return min(filter(None, (text, bracketed(order))), key=len)
    return text


def _part(order: Order) -> str:
    """An order in words within a sentence."""
    text = in_words(order)
    return f"({text})" if ";" in text or ("," in text and not text.startswith("[")) else text


def plain(order: Order) -> str | None:
    """An order in a few words, if it is regular as a whole."""
    terms = order.terms
    if terms == 1:
        return "one term"
    if order == sequential(terms):
        return SEQUENTIAL
    if order == reversed_sequence(terms):
        return "one after another from the last"
    if order == pairwise(terms):
        return "pairwise"
    if order.depth == terms - 1:
        for group in GROUPS:
            if order == grown(terms, partial(_turned, group)):
                return f"{SEQUENTIAL}, but of every {group} the last first"
        step = sum(order.additions[0])
        if order == grown(terms, partial(_stepped, step)):
            return f"{SEQUENTIAL}, first every {step} terms from 0, then from 1, ..."
    if terms & (terms - 1) == 0 and order == grown(terms, by_folding):
        return "by folding in halves"
    return None


def _turned(group: int, places: list[int], add: Callable[[int, int], int]) -> int:
    """One after another, but so many at a time from the last of them."""
    turned = (reversed(places[k : k + group]) for k in range(0, len(places), group))
    return in_sequence(chain.from_iterable(turned), add)


def _stepped(step: int, places: list[int], add: Callable[[int, int], int]) -> int:
    """One after another, but those at equal distances together."""
    return in_sequence(chain.from_iterable(places[k::step] for k in range(step)), add)


def _with_tail(order: Order) -> str | None:
    """Whatever comes before, then the last terms."""
    first, place = order.terms, len(order.clades) - 1
    while place >= order.terms and first - 1 in order.additions[place - order.terms]:
        left, right = order.additions[place - order.terms]
        first -= 1
        place = left + right - first
    tail = order.terms - first
    if not 0 < tail < order.terms - 2:
        return None
    listed = f"terms {first} to {order.terms - 1} {SEQUENTIAL}" if tail > 1 else f"term {first}"
    return f"{in_words(order.below(place))}; then {listed}"


def _in_lanes(order: Order) -> str | None:
    """Terms of the same remainder."""
    places = {clade: place for place, clade in enumerate(order.clades)}
    found = None
    for lanes in range(2, min(MOST_LANES, order.terms // 2) + 1):
        first = sum(1 << term for term in range(0, order.terms, lanes))
        whole = (1 << order.terms) - 1
        masks = takewhile(places.__contains__, (first << lane & whole for lane in range(lanes)))
        tops = [places[mask] for mask in masks]
        if len(tops) < lanes:
            continue
        within = list(dict.fromkeys(_part(order.below(top)) for top in tops))
        if len(within) == 1 and (found is None or within == [SEQUENTIAL]):
            across = _across(order, tops, "lanes")
            found = f"{lanes} lanes, every {lanes} terms, {within[0]}; {across}"
            if within == [SEQUENTIAL]:
                return found
    return found


def _across(order: Order, tops: list[int], parts: str) -> str:
    """How partial sums are added."""
    return "then both" if len(tops) == 2 else f"the {parts} {_part(order.above(tops))}"


def _in_blocks(order: Order) -> str | None:
    """Neighbouring terms, so many at a time."""
    places = {clade: place for place, clade in enumerate(order.clades)}
    prefixes = sorted(clade for clade in places if clade & (clade + 1) == 0)
    for size in (clade.bit_length() for clade in prefixes[1:-1]):
        blocks = [
            (1 << min(start + size, order.terms)) - (1 << start) for start in range(0, order.terms, size)
        ]
        tops = [places[mask] for mask in takewhile(places.__contains__, blocks)]
        if len(tops) < len(blocks):
            continue
        *full, last = (order.below(top) for top in tops)
        if any(other != full[0] for other in full[1:]):
            continue
        within, rest = _part(full[0]), _part(last)
        if "runs" in within or "[" in within:
            continue
        text = f"blocks of {size} terms, each {within}"
        if last.terms < size or rest != within:
            text += (
                f" (the last, of {last.terms}, {rest})"
                if rest != within
                else f" (the last of {last.terms})"
            )
        return f"{text}; {_across(order, tops, 'blocks')}"
    return None


def _in_runs(order: Order) -> str | None:
    """Neighbouring terms, now more, now fewer at a time."""
    tops, stack = [], [len(order.clades) - 1]
    texts: dict[str, None] = {}
    while stack:
        place = stack.pop()
        below = order.below(place)
        text = plain(below) or _with_tail(below) or _in_lanes(below)
        if text is not None:
            tops.append(place)
            texts[text] = None
            continue
        if below.clades[below.additions[-1][0]] & (below.clades[below.additions[-1][0]] + 1):
            return None
        stack.extend(reversed(order.additions[place - order.terms]))
    sizes = [order.clades[top].bit_count() for top in tops]
    if len(tops) < 2 or len(tops) > order.terms // 4 or (len(texts) > 1 and len(tops) > MOST_LISTED):
        return None
    across = _across(order, tops, "runs")
    if len(texts) > 1:
        return "; ".join((*_listed(order, tops), across))
    (each,) = texts
    return f"{len(tops)} runs of {min(sizes)} to {max(sizes)} terms, each {each}; {across}"


def _listed(order: Order, tops: list[int]) -> Iterator[str]:
    """Each run with its terms."""
    for top in tops:
        clade = order.clades[top]
        first, last = (clade & -clade).bit_length() - 1, clade.bit_length() - 1
        yield f"terms {first} to {last}: {_part(order.below(top))}"


def bracketed(order: Order) -> str:
    """The tree: what is in brackets is added one after another, itself brackets or terms."""

    def add(x: list[int | str], y: list[int | str]) -> list[int | str]:
        x.append(y[0] if len(y) == 1 else _bracket(y))
        return x

    return _bracket(order.evaluate([[term] for term in range(order.terms)], add))


def _bracket(items: list[int | str]) -> str:
    """Items in brackets, terms at equal distances in short."""
    parts, start = [], 0
    while start < len(items):
        run = _run(items[start:])
        if len(run) > 2:
            step = run[1] - run[0]
            parts.append(f"{run[0]} to {run[-1]}" + (f" by {step}" if step != 1 else ""))
        else:
            run = run[:1]
            parts.append(str(items[start]))
        start += max(1, len(run))
    return f"[{', '.join(parts)}]"


def shown_terms(terms: list[int]) -> str:
    """Terms in succession, in short."""
    text = _bracket(list(terms))[1:-1]
    return text if len(text) <= MOST_NAMED else f"{terms[0]}, {terms[1]}, ... {terms[-1]}"


def _run(items: list[int | str]) -> list[int]:
    """The terms at equal distances that items begin with."""
    terms = [
        item for item in takewhile(lambda item: isinstance(item, int), items) if isinstance(item, int)
    ]
    steps = [other - one for one, other in neighbours(terms)]
    return terms[: 1 + len(list(takewhile(lambda step: step == steps[0], steps)))]


def way_in_words(asked: Asked, way: Accumulation, most: int = MOST_WORDS) -> list[str]:
    """Everything about how a sum is computed, a line each; of the order at most so many characters."""
    order, lines = way.order, []
    if asked.bias:
        lines.append(f"bias: {_bias(order)}")
        order = order.without(order.terms - 1)
    text = in_words(order)
    shown = text if len(text) <= most else f"{text[:most]}... (--json has all of it)"
    lines.insert(0, f"order: {shown}")
    if OPERATIONS[asked.operation].products:
        lines.append(f"products: {_products(way, order.terms)}")
    begun = ", begun with +0" if way.from_zero else ""
    lines.append(f"sums: in {way.accumulator.name}{begun}; at most {way.order.depth} one upon another")
    if way.flushes:
        lines.append("subnormal numbers: zeros, of factors, products and sums")
    if way.wide:
        lines.append(f"wider: {len(way.wide):,} of {way.order.terms - 1:,} sums in fp64")
    if way.scaling is not Scaling.NONE:
        lines.append(f"{asked.operation}: {way.scaling.value}")
    return lines


def _bias(order: Order) -> str:
    bias = order.terms - 1
    for place, pair in enumerate(order.additions, order.terms):
        if bias in pair:
            if place == len(order.clades) - 1:
                return "last"
            other = sum(pair) - bias
            return "first" if other < order.terms else f"after {order.clades[other].bit_count()} terms"
    return "alone"


def _products(way: Accumulation, terms: int) -> str:
    if not way.fused:
        return "rounded before they are added, where they are not exact"
    others = terms - len(way.fused)
    return f"fused, but {others:,} of {terms:,}, which are rounded" if others else "all fused"


def case(asked: Asked) -> str:
    """Of what an order is, in a few words."""
    sizes = "x".join(map(str, asked.shape))
    axis = "" if asked.axis is None else f" along axis {asked.axis}"
    threads = f", {asked.threads} thread{'s' * (asked.threads != 1)}" if asked.threads else ""
    device = "" if asked.device == CPU else f", {asked.device}"
    return f"{asked.operation} of {sizes}{axis}, {asked.fmt.name}{threads}{device}"


def comparison(records: Sequence[RevealedOrder]) -> list[str]:
    """Whether the orders of several cases differ, and by what; a line for each that was varied."""
    lines = []
    for name, varied, other in (
        ("threads", _threads, _batch),
        ("batch sizes", _batch, _threads),
    ):
        values = list(dict.fromkeys(varied(each) for each in records))
        if len(values) > 1:
            found = [_same_by(records, varied, other, value) for value in values]
            groups = [
                " and ".join(
                    map(str, (value for value, way in zip(values, found, strict=True) if way == one))
                )
                for one in _distinct(found)
            ]
            same = "the same orders" if len(groups) == 1 else "orders differ"
            lines.append(f"{name} {'; '.join(groups)}: {same}")
    return lines


def _threads(record: RevealedOrder) -> int | None:
    return record.asked.threads


def _batch(record: RevealedOrder) -> int | None:
    return record.asked.shape[0]


def _same_by(
    records: Sequence[RevealedOrder],
    varied: Callable[[RevealedOrder], int | None],
    other: Callable[[RevealedOrder], int | None],
    value: int | None,
) -> list[tuple[int | None, list[Accumulation]]]:
    """The ways of the records of a value, by what else is varied."""
    return [(other(each), _ways(each)) for each in records if varied(each) == value]


def same_as(record: RevealedOrder, others: Iterable[RevealedOrder]) -> RevealedOrder | None:
    """The first of others whose results are computed in the same ways."""
    return next((each for each in others if _ways(each) == _ways(record)), None)


def _ways(record: RevealedOrder) -> list[Accumulation]:
    return [each.way for each in record.finding.found]


def _distinct(items: Iterable[T]) -> list[T]:
    found: list[T] = []
    for each in items:
        if each not in found:
            found.append(each)
    return found


def table(finding: Finding) -> NamedTable:
    """How many results were compared, and how many differ, by kind of numbers."""
    rows = NamedTable("numbers", "results", "differing")
    for kind, count in finding.compared.items():
        rows.add(kind, f"{count:,}", f"{finding.differing[kind]:,}")
    return rows


def witness_table(finding: Finding) -> NamedTable:
    """Some results that differ."""
    rows = NamedTable("numbers", "given", "by what was found", left=("given", "by what was found"))
    for each in finding.witnesses:
        codes = (shown_code(finding.result_format, code) for code in (each.given, each.computed))
        rows.add(each.kind, *codes)
    return rows


def as_json(records: Sequence[RevealedOrder]) -> dict[str, Any]:
    """The record of a case; of several, all of them, and whether they differ."""
    cases = [_with_words(each) for each in records]
    if len(cases) == 1:
        return cases[0]
    return {"schema": CASES_SCHEMA, "cases": cases, "compared": comparison(records)}


def _with_words(revealed: RevealedOrder) -> dict[str, Any]:
    """What was asked, where, what was found, in words too, and what testing it came to."""
    data = revealed.as_data()
    words = [way_in_words(revealed.asked, each.way) for each in revealed.finding.found]
    orders = [{"in_words": lines, **each} for lines, each in zip(words, data["orders"], strict=True)]
    return {**data, "orders": orders}
