"""In how many steps, and neurons, a sum of N products is there: one after another, and as a tree.

    python -m benchmarks.schedules

A step is all products, or an addition; bit by bit each addition takes as many as its exact sum has bits
(19 of FP8 E4M3), and products are not counted. Neurons are those on the longest path through the units'
own neurons, bit by bit.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil, log2

from spikeproof.prover.claims.catalogue import theorem
from spikeproof.prover.report.latency import SumOfProducts
from spikeproof.specs.formats import FP8_E4M3FN, Format, Specials

COUNTS = (128, 256, 512, 1024)
LIBRARIES = ("ionic", "threshold")
PUBLISHED = 17
"""How much quicker a tree is said to be than one addition after another (S1), without an N."""


def levels(count: int) -> int:
    """Of a tree over so many products."""
    return ceil(log2(count))


def serial_steps(fmt: Format) -> int:
    """How many bits an exact sum of two numbers has, counted in the least one."""
    largest = (1 << fmt.exponent_bits) - (2 if fmt.specials is Specials.IEEE else 1)
    return largest + fmt.precision


def rows(fmt: Format = FP8_E4M3FN) -> Iterator[tuple[str, ...]]:
    """For each N what becomes of it."""
    names = {each: "" if each == "threshold" else f".{each}" for each in LIBRARIES}
    sums = {
        library: SumOfProducts(
            *(theorem(f"{fmt.name}.{unit}.rne.saturate{word}").circuit() for unit in ("multiply", "add"))  # type: ignore[misc]
        )
        for library, word in names.items()
    }
    steps = serial_steps(fmt)
    for count in COUNTS:
        chain, tree = count, 1 + levels(count)
        yield (
            str(count),
            *_beside(chain, tree),
            *_beside(steps * (count - 1), steps * levels(count)),
            *(text for each in sums.values() for text in _beside(each.chain(count), each.tree(count))),
        )


def _beside(chain: int, tree: int) -> tuple[str, str]:
    """Both, and how many times as much the first is."""
    return f"{chain:,}", f"{tree:,} ({chain / tree:.1f}x)"


def main() -> None:
    """Print the table, as Markdown."""
    kinds = ("steps", "steps of bit-serial additions", *(f"neurons, {library}" for library in LIBRARIES))
    headings = ["N", *(f"{kind}: {way}" for kind in kinds for way in ("in sequence", "tree"))]
    print("|", " | ".join(headings), "|")
    print("|" + "---:|" * len(headings))
    for row in rows():
        print("|", " | ".join(row), "|")


if __name__ == "__main__":
    main()
