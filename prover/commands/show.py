"""``spikeproof show``."""

from __future__ import annotations

from collections.abc import Sequence

import click
from rich.text import Text

from spikeproof.circuits.netlist import Netlist
from spikeproof.prover.claims.obligation import ENGINES_ALONE, Obligation, counted_bits
from spikeproof.prover.commands.completion import theorem_argument
from spikeproof.prover.commands.console import examples, named, out, stages
from spikeproof.prover.engines.engine import engine_named
from spikeproof.prover.evidence.history import last_result
from spikeproof.prover.report.tables import outcome_text, plain_table
from spikeproof.prover.report.verdict import deciding


@click.command(epilog=examples("show fp8_e5m2.add.rtz"))
@theorem_argument("theorem")
def show(theorem: str) -> None:
    """Show a theorem: statement, circuit, proof, last result."""
    obligation = named(theorem)
    netlist = obligation.circuit() if obligation.circuit else None
    rows = [
        ("theorem", obligation.name),
        ("statement", obligation.statement),
        ("promised", obligation.expected.value),
        *(_circuit_rows(netlist) if netlist else _other_circuit(obligation)),
        ("decomposition", _decomposition(obligation)),
        ("last result", _last_result(obligation.name)),
    ]
    if not out.is_terminal:  # a table would be padded to the longest line
        print(*(f"{label:<15}{value}" for label, value in rows), sep="\n")
        return
    table = plain_table("", "")
    table.show_header = False
    for label, value in rows:
        table.add_row(Text(label, style="bold"), Text(value))
    out.print(table)


def _decomposition(obligation: Obligation) -> str:
    if obligation.rests_on is not None:
        units = ", ".join(obligation.rests_on())
        return f"the circuit's graph is the spec's, if its units are what theorems say: {units}"
    if obligation.bounded:
        return "none: errors are added up, by arithmetic on the circuit's program"
    if obligation.borne:
        return "none: of each neuron the sums next to its threshold are looked at, by arithmetic"
    if not obligation.engines:
        return "none: every input is evaluated, and compared with the spec's table"
    engines = " and ".join(engine_named(name).label for name in obligation.engines)
    if obligation.decomposition is None:
        return f"none: the claim as a whole, by {engines}"
    steps = (
        ", ".join(step.names) + (f" (by algebra: {step.method})" if step.method != ENGINES_ALONE else "")
        for step in obligation.decomposition.steps
    )
    return f"{'; '.join(steps)}; outputs. All that is not algebra by {engines}"


MOST_SHOWN = 8
"""So many of a kind are named; of more the first ones, and how many there are."""


def in_short(words: Sequence[str]) -> str:
    """A list for people, of no more than they read."""
    more = len(words) - MOST_SHOWN
    return ", ".join(words) if more <= 1 else f"{', '.join(words[:MOST_SHOWN])}, and {more:,} more"


def _other_circuit(obligation: Obligation) -> list[tuple[str, str]]:
    """What a theorem is about that is not about a netlist."""
    if obligation.rests_on is None:
        return [("circuit", "none: a claim about formulas")]
    from spikeproof.prover.running.programs import circuit_of, size_of  # which load LLVM

    with stages() as told:
        told("writing the program down")
        program = circuit_of(obligation)
        told("counting")
        size, inputs, results = size_of(program), program.inputs, program.results
    units = ", ".join(f"{count:,} of {name}" for name, count in size.instances.items())
    buses = (
        in_short([f"{name} ({array})" for name, array in each.items()]) for each in (inputs, results)
    )
    return [
        (
            "circuit",
            f"a program of units: {size.neurons:,} neurons, {size.synapses:,} synapses, depth "
            f"{size.depth:,}",
        ),
        ("arrays", " -> ".join(buses)),
        ("units", units),
        ("program", f"SHA-256 {program.digest}"),
    ]


def _circuit_rows(netlist: Netlist) -> list[tuple[str, str]]:
    size = netlist.statistics
    buses = ", ".join(f"{name} ({counted_bits(width)})" for name, width in netlist.inputs.items())
    results = ", ".join(f"{name} ({counted_bits(len(bus))})" for name, bus in netlist.outputs.items())
    return [
        (
            "circuit",
            f"{size.neurons} neurons, {size.synapses} synapses, depth {size.depth}, "
            f"largest fan-in {size.largest_fan_in}",
        ),
        ("buses", f"{buses} -> {results}"),
        ("blocks", ", ".join(f"{b.name} ({b.kind})" for b in netlist.blocks) or "none"),
        ("netlist", f"SHA-256 {netlist.sha256}"),
    ]


def _last_result(theorem: str) -> str:
    last = last_result(theorem)
    if last is None:
        return f"none yet; run `spikeproof prove {theorem}`"
    result, current = last
    by = deciding(result).replace("every input, evaluated", "evaluation")
    text = f"{outcome_text(result)} by {by} in {result.seconds:.2f} s"
    if not current:
        text += ", by an earlier version of the source"
    lemmas = result.lemmas if result.engines else ()
    if lemmas:
        text += "; the engines took, one after the other:"
    for lemma in lemmas:
        text += f"\n{lemma.kind} {lemma.name}: {lemma.seconds:.2f} s"
    return text + (f"\n{result.message}" if result.message else "")
