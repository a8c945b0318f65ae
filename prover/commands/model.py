"""``spikeproof model``."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import click

from spikeproof.prover.commands.console import examples, out, progress_bar, stages
from spikeproof.prover.report.tables import plain_table
from spikeproof.specs.orders import order_named
from spikeproof.specs.programs import ProgramError
from spikeproof.specs.transformers import DECODERS, WORDS, Decoder, decoder_of, step


@click.command(
    epilog=examples(
        "model llama-2-7b --keys 128", "model config.json --weights bfloat16 --order lanes16"
    )
)
@click.argument("model", metavar="MODEL")
@click.option(
    "--keys",
    type=click.IntRange(1, 65536),
    default=128,
    show_default=True,
    help="Keys that a token sees.",
)
@click.option("--order", default="pairwise", show_default=True, help="In which order sums are taken.")
@click.option(
    "--weights", default="fp32", show_default=True, help="The format of linear layers' weights."
)
@click.option("--fused", is_flag=True, help="Products are added without being rounded first.")
def model(model: str, keys: int, order: str, weights: str, fused: bool) -> None:
    """Count what a language model takes for a token, and certify it.

    MODEL is llama-2-7b, llama-2-70b, qwen3-0.6b, or a file: a config.json of Hugging Face, of LLaMA's
    architecture. It is computed in FP32, by units of threshold gates.
    """
    from spikeproof.circuits.programs.levels import in_levels
    from spikeproof.prover.claims.programs import ProgramClaim
    from spikeproof.prover.kernel.congruence import paired
    from spikeproof.prover.report.models import SAMPLES, spikes_of_units, summary, units_table
    from spikeproof.prover.running.programs import size_of, units_of

    how = {"order": partial(order_named, order), "weights": weights, "fused": fused}
    with stages() as told:
        try:
            order_named(order, 1 << 10)
            decoder = _decoder(model, how)
            told("writing the program down")
            spec = step(decoder, keys)
            circuit = in_levels(spec, lambda operation: operation)
            claim = ProgramClaim(spec, circuit)
        except ValueError as error:
            raise click.UsageError(str(error)) from None
        told("comparing it with its definition, module by module")
        pairs = paired(spec, circuit, claim.operations)
        told("counting")
        units, size = units_of(circuit), size_of(circuit)
    with progress_bar("simulating units") as progress:
        task = progress.add_task("", total=SAMPLES * len(units))
        found = spikes_of_units(units, partial(progress.advance, task))
    fused_words = ", products fused" if fused else ""
    out.print(f"{model}: a token that sees {keys} keys, sums {order}{fused_words}, weights in {weights}")
    out.print()
    out.print(units_table(size, units, found))
    out.print()
    rows = plain_table("", "")
    rows.show_header = False
    for row in summary(size, units, found):
        rows.add_row(*row)
    rows.add_row("program", f"SHA-256 {circuit.digest}")
    rows.add_row(
        "composition",
        f"holds: {len(pairs)} modules are their definitions, if {len(units)} units are as theorems say",
    )
    out.print(rows)


def _decoder(model: str, how: dict[str, object]) -> Decoder:
    """The decoder of a name, or of a file."""
    known = WORDS | DECODERS
    if model in known:
        return replace(known[model], **how)  # type: ignore[arg-type]
    path = Path(model)
    if not path.is_file():
        raise ProgramError(f"{model} is neither a file nor one of {', '.join(DECODERS)}")
    try:
        config = json.loads(path.read_text())
    except (ValueError, RecursionError) as error:
        raise ProgramError(f"{model} is no JSON: {error}") from error
    if not isinstance(config, dict):
        raise ProgramError(f"{model} is no configuration: a JSON object is wanted")
    try:
        return decoder_of(config, **how)
    except ProgramError as error:
        raise ProgramError(f"{model}: {error}") from error
