"""``spikeproof order``."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import click

from spikeproof.prover.commands.console import (
    EXIT_REFUTED,
    examples,
    file_option,
    format_option,
    meant_by,
    require_writable,
    screen_beside,
    write_file,
    writing,
)
from spikeproof.prover.evidence.files import write_atomically
from spikeproof.prover.report.orders import (
    DRAWINGS,
    as_json,
    case,
    comparison,
    same_as,
    table,
    way_in_words,
    witness_table,
)
from spikeproof.prover.running.callables import version_of
from spikeproof.prover.running.machines import CPU
from spikeproof.prover.running.revealed import TESTED, RevealedOrder, revealed_apart
from spikeproof.prover.running.summing import ALIASES, FORMATS, OPERATIONS, Asked
from spikeproof.specs.formats import FP32

if TYPE_CHECKING:
    from rich.console import Console


def _numbers(
    context: click.Context, parameter: click.Parameter, value: str | None
) -> tuple[int, ...] | None:
    """Numbers such as 1,2,8."""
    if value is not None and not re.fullmatch(r"[1-9]\d{0,5}(,[1-9]\d{0,5})*", value):
        raise click.BadParameter(f"{value!r} is no list of numbers; one is 1,2,8")
    return None if value is None else tuple(dict.fromkeys(map(int, value.split(","))))


def _drawn(context: click.Context, parameter: click.Parameter, value: Path | None) -> Path | None:
    """A file whose name says what it is."""
    if value is not None and value.suffix not in DRAWINGS:
        raise click.BadParameter(f"{value}: end its name in {', '.join(DRAWINGS)}")
    return value


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
        "order torch.nn.functional.linear --shape 1x256x64 --batches 1,4,64 --threads 1,2",
        "order torch.nn.functional.conv2d --shape 1x16x12x12x16x3x3 --drawing order.svg",
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
    help="Of the argument; of matmul and linear ROWSxTERMSxCOLUMNS; of others see docs/order.md.",
)
@click.option(
    "--operation",
    type=click.Choice(tuple(OPERATIONS)),
    help="What it computes, if its name does not say so.",
)
@format_option(FORMATS, FP32.name, "The format of the arguments.")
@click.option("--axis", type=int, help="Along which is summed, as the function's axis.")
@click.option("--bias", is_flag=True, help="Give linear a bias.")
@click.option("--tensors", is_flag=True, help="Give a function of yours tensors of PyTorch.")
@click.option("--device", default=CPU, show_default=True, help="Of PyTorch's, on which it runs.")
@click.option(
    "--threads",
    callback=_numbers,
    metavar="N[,N...]",
    help="How many it may use; of several the orders are compared.",
)
@click.option(
    "--batches",
    callback=_numbers,
    metavar="N[,N...]",
    help="Sizes of the batch, the first of the shape, of which the orders are compared.",
)
@click.option(
    "--results",
    type=click.IntRange(1, 100_000_000),
    default=TESTED,
    show_default=True,
    metavar="N",
    help="Test at least so many results.",
)
@file_option("json", "the record, with the whole order,")
@click.option(
    "--drawing",
    "drawing_file",
    type=click.Path(path_type=Path),
    callback=_drawn,
    metavar="FILE",
    help=f"Draw the tree to FILE, its name ending in {', '.join(DRAWINGS)}.",
)
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
    device: str,
    threads: tuple[int, ...] | None,
    batches: tuple[int, ...] | None,
    results: int,
    json_file: Path | None,
    drawing_file: Path | None,
) -> None:
    """Reveal in which order a library's function sums, and test it.

    CALLABLE is a dotted name, numpy.sum, torch.nn.functional.linear; or file.py:name, a function of your
    own. What is found holds for this function on this machine at this shape. The exit code is 1 if some
    tested result is another than what was found computes.
    """
    screen = screen_beside(json_file)
    require_writable(json_file)
    require_writable(drawing_file)
    if drawing_file:
        from spikeproof.prover.report.order_drawings import drawing
    tensors = tensors or name.partition(".")[0] == "torch"
    fmt = FORMATS[format_name]
    meant = meant_by(name, operation, "operation", OPERATIONS, ALIASES)
    if batches and not OPERATIONS[meant].batched:
        raise click.UsageError(f"{meant} has no batches")
    asked = Asked(name, meant, shape, fmt, axis, bias, tensors, device)
    records: list[RevealedOrder] = []
    for size, number in product(batches or shape[:1], threads or (None,)):
        each = revealed_apart(replace(asked, shape=(size, *shape[1:]), threads=number), results)
        _show(screen, each, records, len(batches or shape[:1]) * len(threads or (None,)) > 1)
        records.append(each)
    if len(records) > 1:
        screen.print(*comparison(records), sep="\n", markup=False)
    if json_file:
        write_file(json_file, json.dumps(as_json(records), indent=1) + "\n")
    if drawing_file:
        distinct = [each for k, each in enumerate(records) if same_as(each, records[:k]) is None]
        with writing(drawing_file):
            write_atomically(drawing_file, drawing(distinct, drawing_file.suffix))
    wrong = sum(each.finding.differing.total() for each in records)
    if wrong:
        compared = sum(each.finding.compared.total() for each in records)
        screen.print(
            f"this is not how it sums, or it adds in no order: {wrong:,} of {compared:,} results differ"
        )
        context.exit(EXIT_REFUTED)


def _show(screen: Console, record: RevealedOrder, before: list[RevealedOrder], several: bool) -> None:
    """What was found in a case, and how testing it went; in short if others had the same."""
    asked, finding, same = record.asked, record.finding, same_as(record, before)
    place = "" if before else f"; {version_of(asked.name)}; {finding.machine.processor}"
    screen.print(f"{asked.name}, {case(asked)}{place}", markup=False, soft_wrap=True)
    if same is not None:
        screen.print(f"  as {case(same.asked)}", markup=False)
    for each in finding.found if same is None else ():
        which = "each result" if len(finding.found) == 1 else f"{each.results:,} of a call's results"
        screen.print(f"{which}:", markup=False)
        for line in way_in_words(asked, each.way):
            screen.print(f"  {line}", markup=False, soft_wrap=True)
    taken, tested = finding.seconds
    text = f"revealed by {finding.calls:,} calls in {taken:.2f} s; tested in {tested:.2f} s:"
    if several and record.holds:
        screen.print(f"{text} {finding.compared.total():,} results, 0 differ", "", sep="\n")
        return
    screen.print(text, table(finding), sep="\n")
    if finding.witnesses:
        screen.print("", witness_table(finding), sep="\n")
    if several:
        screen.print()
