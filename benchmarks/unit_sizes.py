"""The trade-off of each unit: how large and how deep it is by each structure, and what that costs.

``python -m benchmarks.unit_sizes`` makes every circuit, counts and simulates it, and writes figures and
plot to ``benchmarks/results`` and the tables to ``docs/sizes.md``, behind its heading for them. Nothing
of it depends on the machine. Minutes; `--formats` and `--operations` for a part, which is printed alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import click
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from spikeproof.circuits.netlist import Netlist
from spikeproof.proofs.units import Unit
from spikeproof.prover.claims.catalogue import theorem
from spikeproof.prover.commands.sizes import NAMES
from spikeproof.prover.report.latency import SumOfProducts
from spikeproof.prover.report.sizes import Size, activity_cells, better, by_structure
from spikeproof.specs.formats import FP8_E4M3FN, FP16, FP32, format_named

OPERATIONS = ("add", "multiply", "divide", "square_root", "fma")
FORMATS = (FP8_E4M3FN.name, FP16.name, FP32.name)
SAMPLES = 256
COUNTS = (128, 256, 512, 1024)
"""Products in a sum: those that S1 asks for."""

RESULTS = Path(__file__).parent / "results"
PAGE = Path(__file__).parents[1] / "docs" / "sizes.md"
HEADING = "\n## The fronts\n"
"""What stands before the tables in the page; all behind it is written here."""

Found = Mapping[tuple[str, str], Sequence[Size]]
"""By operation and format."""


def measured(operations: Sequence[str], formats: Sequence[str]) -> Iterator[tuple[str, str, list[Size]]]:
    """Each operation of each format, by every structure that there is."""
    for operation in operations:
        for name in formats:
            fmt = format_named(name)
            unit = theorem(Unit(operation, fmt, policy=fmt.policies[0]).name)
            sizes = [Size.of(each, SAMPLES, lambda count: None) for each in by_structure(unit, NAMES)]
            yield operation, name, sizes
            click.echo(f"{unit.name}: {len(sizes)} structures", err=True)


def markdown(rows: Iterable[Sequence[str]]) -> str:
    """A table as Markdown, numbers to the right."""
    head, *body = rows
    lines = [head, ["---", *("---:" for _ in head[1:])], *body]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def front_rows(found: Found, operation: str) -> Iterator[list[str]]:
    """A row for each structure that is on the front of its format."""
    yield [
        *("unit", "neurons", "depth", "synapses", "fan-in", "weight", "sum of weights"),
        *("spread", "spikes", "energy"),
    ]
    for (of, name), sizes in found.items():
        for size in sizes if of == operation else ():
            if better(size, sizes) is None:
                spikes, _, energy = activity_cells(size)
                counts = (size.neurons, size.depth, size.synapses, size.fan_in)
                weights = (size.largest_weight, size.weight_sum)
                label = f"`{name}` {size.structure}"
                cells = (*map(str, weights), str(size.spread), spikes, energy)
                yield [label, *(f"{count:,}" for count in counts), *cells]


def sum_rows(formats: Sequence[str]) -> Iterator[list[str]]:
    """How deep sums of products are, as a tree and as a chain, and the ratio."""
    yield ["products and sums", *(f"N = {count}" for count in COUNTS)]
    for name in formats:
        fmt = format_named(name)
        for structure in ("small", "fast", "shallow"):
            names = (Unit(each, fmt, policy=fmt.policies[0]).name for each in ("multiply", "add"))
            sums = SumOfProducts(*(_circuit(each, structure) for each in names))
            depths = [(sums.tree(count), sums.chain(count)) for count in COUNTS]
            cells = (f"{tree:,} of {chain:,}: {chain / tree:.1f}x" for tree, chain in depths)
            yield [f"`{name}` {structure}", *cells]


def _circuit(name: str, structure: str) -> Netlist:
    (made,) = by_structure(theorem(name), [structure])
    assert made.circuit is not None
    return made.circuit()


def figures(found: Found, formats: Sequence[str]) -> str:
    """All tables."""
    operations = dict.fromkeys(operation for operation, _ in found)
    titled = [(each.replace("_", " ").capitalize(), front_rows(found, each)) for each in operations]
    titled.append(("Sums of products", sum_rows(formats)))
    return "\n\n".join(f"### {title}\n\n{markdown(rows)}" for title, rows in titled) + "\n"


def plot(found: Found) -> Figure:
    """Neurons, and the spread of weights that is borne, against depth: a line for each format."""
    operations = list(dict.fromkeys(operation for operation, _ in found))
    figure = Figure(figsize=(3.2 * len(operations), 5.6), layout="constrained")
    panels = figure.subplots(2, len(operations), sharex="col", squeeze=False)
    for column, operation in enumerate(operations):
        above, below = panels[:, column]
        for (of, name), sizes in found.items():
            if of == operation:
                ordered = sorted(sizes, key=lambda size: (size.depth, size.neurons))
                depths = [size.depth for size in ordered]
                above.plot(depths, [size.neurons for size in ordered], "o-", label=name)
                below.plot(depths, [float(size.spread.value) for size in ordered], "o-")
        above.set(title=operation.replace("_", " "), xscale="log", yscale="log")
        below.set(xscale="log", yscale="log", xlabel="depth, neurons")
        for axis in (above.yaxis, below.xaxis):
            axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axis.set_major_formatter(StrMethodFormatter("{x:,g}"))
            axis.set_minor_formatter(NullFormatter())
    panels[0, 0].set_ylabel("neurons")
    panels[1, 0].set_ylabel("spread of weights borne")
    figure.legend(*panels[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=3)
    return figure


@click.command(help=__doc__)
@click.option("--operations", type=click.Choice(OPERATIONS), multiple=True, default=OPERATIONS)
@click.option("--formats", multiple=True, default=FORMATS)
def main(operations: tuple[str, ...], formats: tuple[str, ...]) -> None:
    """Measure and print; save, if it is all."""
    found = {(each, name): sizes for each, name, sizes in measured(operations, formats)}
    text = figures(found, formats)
    click.echo(text)
    if (operations, formats) != (OPERATIONS, FORMATS):
        return
    RESULTS.mkdir(parents=True, exist_ok=True)
    record = [
        {"operation": operation, "format": name, "points": [size.as_json() for size in sizes]}
        for (operation, name), sizes in found.items()
    ]
    (RESULTS / "unit_sizes.json").write_text(json.dumps(record, indent=1) + "\n")
    plot(found).savefig(RESULTS / "unit_sizes.png", dpi=110)
    words, _, _ = PAGE.read_text().partition(HEADING)
    PAGE.write_text(f"{words}{HEADING}\n{text}")


if __name__ == "__main__":
    main()
