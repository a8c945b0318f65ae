"""``spikeproof order``."""

from __future__ import annotations

import json
import re
from pathlib import Path

import click

from spikeproof.prover.commands.console import (
    EXIT_REFUTED,
    examples,
    file_option,
    meant_by,
    require_writable,
    screen_beside,
    write_file,
)
from spikeproof.prover.report.orders import as_json, table, way_in_words, witness_table
from spikeproof.prover.running.callables import version_of
from spikeproof.prover.running.revealed import revealed_apart
from spikeproof.prover.running.summing import ALIASES, FORMATS, OPERATIONS, Asked
from spikeproof.specs.formats import FP32


def _sizes(context: click.Context, parameter: click.Parameter, value: str) -> tuple[int, ...]:
    """The numbers of a shape such as 4x64x16."""
    if not re.fullmatch(r"[1-9]\d*(x[1-9]\d*)*", value):
        raise click.BadParameter(f"{value!r} is no shape; one is 1000, or 4x64x16")
    return tuple(map(int, value.split("x")))


@click.command(
    epilog=examples(
        "order numpy.sum --shape 1000",
        "order numpy.sum --shape 64x30 --axis 0",
        "order torch.nn.functional.linear --shape 4x64x16 --bias --json order.json",
        "order torch.dot --shape 100 --format bfloat16",
        "order mine.py:my_sum --operation sum --shape 256",
    )
)
@click.argument("name", metavar="CALLABLE")
@click.option(
    "--shape",
    callback=_sizes,
    required=True,
    metavar="N[xN...]",
    help="Of the argument; of matmul and linear ROWSxTERMSxCOLUMNS.",
)
@click.option(
    "--operation",
    type=click.Choice(tuple(OPERATIONS)),
    help="What it computes, if its name does not say so.",
)
@click.option(
    "--format",
    "format_name",
    type=click.Choice(tuple(FORMATS)),
    default=FP32.name,
    show_default=True,
    help="The format of the arguments.",
)
@click.option("--axis", type=int, help="Along which is summed, as the function's axis.")
@click.option("--bias", is_flag=True, help="Give linear a bias.")
@click.option("--tensors", is_flag=True, help="Give a function of yours tensors of PyTorch.")
@click.option(
    "--results",
    type=click.IntRange(1, 100_000_000),
    default=10_000,
    show_default=True,
    metavar="N",
    help="Test at least so many results.",
)
@file_option("json", "the record, with the whole order,")
@click.pass_context
def order(
    context: click.Context,
    name: str,
    shape: tuple[int, ...],
    operation: str | None,
    format_name: str,
    axis: int | None,
    bias: bool,
    tensors: bool,
    results: int,
    json_file: Path | None,
) -> None:
    """Reveal in which order a library's function sums, and test it.

    CALLABLE is a dotted name, numpy.sum, torch.nn.functional.linear; or file.py:name, a function of your
    own. What is found holds for this function on this machine at this shape. The exit code is 1 if some
    tested result is another than what was found computes.
    """
    screen = screen_beside(json_file)
    require_writable(json_file)
    tensors = tensors or name.partition(".")[0] == "torch"
    fmt = FORMATS[format_name]
    meant = meant_by(name, operation, "operation", OPERATIONS, ALIASES)
    asked = Asked(name, meant, shape, fmt, axis, bias, tensors)
    revealed = revealed_apart(asked, results)
    finding = revealed.finding
    version = version_of(name)
    sizes = "x".join(map(str, shape))
    screen.print(
        f"{name}, {asked.operation} of {sizes}, {fmt.name}; {version}; {finding.machine.processor}",
        markup=False,
        soft_wrap=True,
    )
    for each in finding.found:
        which = "each result" if len(finding.found) == 1 else f"{each.results:,} of a call's results"
        screen.print(f"{which}:", markup=False)
        for line in way_in_words(asked, each.way):
            screen.print(f"  {line}", markup=False, soft_wrap=True)
    taken, tested = finding.seconds
    screen.print(f"revealed by {finding.calls:,} calls in {taken:.2f} s; tested in {tested:.2f} s:")
    screen.print(table(finding), sep="\n")
    if finding.witnesses:
        screen.print("", witness_table(finding), sep="\n")
    if json_file:
        write_file(json_file, json.dumps(as_json(revealed), indent=1) + "\n")
    if finding.differing.total():
        wrong, compared = finding.differing.total(), finding.compared.total()
        screen.print(
            f"this is not how it sums, or it adds in no order: {wrong:,} of {compared:,} results differ"
        )
        context.exit(EXIT_REFUTED)
