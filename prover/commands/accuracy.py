"""``spikeproof accuracy``."""

from __future__ import annotations

import json
import os
from functools import partial
from pathlib import Path

import click

from spikeproof.prover.commands.console import (
    EXIT_REFUTED,
    examples,
    file_option,
    format_option,
    meant_by,
    progress_bar,
    require_writable,
    screen_beside,
    write_file,
)
from spikeproof.prover.report.departures import as_json, machine, note, table, witness_table
from spikeproof.prover.running.callables import FORMATS, on_codes, version_of
from spikeproof.prover.running.departures import Departures, departures, input_count
from spikeproof.specs.formats import FP16, FP32
from spikeproof.specs.functions import FUNCTIONS
from spikeproof.specs.pairs import ROWS

ALIASES = {
    **{"expit": "sigmoid", "sinpi": "sin_pi", "cospi": "cos_pi", "swish": "silu"},
    **{"arctan2": "atan2", "power": "pow", "fmod": "truncated_remainder"},
    **{f"{function}f": function for function in FUNCTIONS},
}
"""What libraries call functions otherwise than ``specs``; C's of floats end with an f."""

KNOWN = (*FUNCTIONS, *ROWS)
"""Functions of one operand, and of two."""


@click.command(
    epilog=examples(
        "accuracy torch.exp numpy.exp libm.expf",
        "accuracy torch.nn.functional.gelu --every 1000",
        "accuracy numpy.tanh --format fp16 --json -",
        "accuracy numpy.hypot torch.hypot --format fp16",
        "accuracy mine.py:fast_tanh --function tanh --jobs 1",
    )
)
@click.argument("names", metavar="CALLABLE...", nargs=-1)
@click.option(
    "--function",
    type=click.Choice(KNOWN),
    help="What it computes, if its name does not say so.",
)
@format_option(FORMATS, FP32.name, "The format of operand and result.")
@click.option(
    "--every",
    "step",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Of every N inputs try one.",
    metavar="N",
)
@click.option("--jobs", type=click.IntRange(min=1), help="Threads to use (default: one a core).")
@file_option("json", "all figures")
@click.pass_context
def accuracy(
    context: click.Context,
    names: tuple[str, ...],
    function: str | None,
    format_name: str,
    step: int,
    jobs: int | None,
    json_file: Path | None,
) -> None:
    """Count how often a library's function is not correctly rounded.

    CALLABLE is a dotted name, torch.exp, numpy.log1p, or libm.tanhf of the C library; or file.py:name, a
    function of your own from arrays to arrays, which several threads may call. Every input of the format
    is tried, or every N-th; of hypot, pow, atan2 and fmod every pair of numbers of fp16. The exit code
    is 1 if some result is not the correctly rounded one.
    """
    if not names:
        raise click.UsageError("name a function, such as torch.exp")
    screen = screen_beside(json_file)
    require_writable(json_file)
    fmt = FORMATS[format_name]
    callables = {name: on_codes(name, fmt) for name in names}
    functions = {name: meant_by(name, function, "function", KNOWN, ALIASES) for name in names}
    if (pair := next((each for each in functions.values() if each in ROWS), None)) and fmt is not FP16:
        raise click.UsageError(
            f"{pair} is tried on all pairs of numbers of {FP16.name}; say --format fp16"
        )
    versions = {name: version_of(name) for name in names}
    compared: dict[str, Departures] = {}
    with progress_bar("comparing") as progress:
        for meant in dict.fromkeys(functions.values()):
            given = {name: each for name, each in callables.items() if functions[name] == meant}
            task = progress.add_task(", ".join(given), total=-(-input_count(meant, fmt) // step))
            threads, advance = jobs or os.cpu_count() or 1, partial(progress.advance, task)
            compared |= departures(meant, fmt, given, step, threads, advance)
    found = {name: compared[name] for name in names}
    libraries = ", ".join(dict.fromkeys(versions.values()))
    which = "every input" if step == 1 else f"one input of {step:,}"
    screen.print(f"{fmt.name}, {which}; {libraries}; {machine()}", markup=False, soft_wrap=True)
    screen.print(table(found), "", sep="\n")
    if any(each.witnesses for each in found.values()):
        screen.print(witness_table(fmt, found), "", sep="\n")
    screen.print(note(), markup=False)
    if json_file:
        write_file(json_file, json.dumps(as_json(fmt, versions, functions, found), indent=1) + "\n")
    if any(each.count for each in found.values()):
        context.exit(EXIT_REFUTED)
