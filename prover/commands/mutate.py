"""``spikeproof mutate``."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.text import Text

from spikeproof.prover.claims.catalogue import CatalogueError
from spikeproof.prover.claims.obligation import Obligation, Outcome
from spikeproof.prover.commands.completion import theorem_argument
from spikeproof.prover.commands.console import (
    EXIT_INTERNAL,
    EXIT_REFUTED,
    EXIT_UNDECIDED,
    err,
    examples,
    file_option,
    jobs_option,
    progress_bar,
    require_writable,
    screen_beside,
    selected,
    timeout_option,
    write_file,
)
from spikeproof.prover.refutation.mutation import FAULTS, sample
from spikeproof.prover.report.tables import NamedTable
from spikeproof.prover.running.discharge import discharge
from spikeproof.prover.running.mutation_report import Report, judge_all

MUTATION_SCHEMA = "spikeproof-mutation-1"


@click.command(epilog=examples("mutate fp8_e5m2.add.rne --samples 50", "mutate 'cell.*' --json -"))
@theorem_argument("patterns", many=True)
@click.option(
    "--samples",
    type=click.IntRange(min=1),
    default=50,
    show_default=True,
    help="Mutants of each theorem, spread evenly over the kinds of fault; fewer if there are fewer.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Another draws other mutants.")
@jobs_option()
@timeout_option("each mutant")
@file_option("json", "the report")
def mutate(
    patterns: tuple[str, ...],
    samples: int,
    seed: int,
    jobs: int | None,
    timeout: float,
    json_file: Path | None,
) -> None:
    """Plant faults in circuits, and see whether proofs notice.

    PATTERN is a theorem's name or a shell glob. Every mutant must be refuted, or be proved equivalent:
    then it is benign, and listed. Exit code 0 if all that are not benign are refuted; 1 if a circuit
    without a fault is not proved; 3 if some are undecided; 4 on an error, a proof that simulation
    contradicts above all.
    """
    if not patterns:
        raise click.UsageError("name theorems whose circuits are to be mutated; a shell glob will do")
    obligations = [o for o in selected(patterns) if o.circuit and o.expected is Outcome.PROVED]
    if not obligations:
        raise CatalogueError(
            f"of what matches {', '.join(map(repr, patterns))} nothing has a circuit that is to be "
            "proved; choose a unit"
        )
    screen = screen_beside(json_file)
    require_writable(json_file)
    reports = _run(obligations, samples, seed, timeout, jobs or os.cpu_count() or 1)
    screen.print(scores(reports))
    for report in reports:
        _print_remarkable(report, screen)
    screen.print("\n" + _summary(reports), markup=False, soft_wrap=True)
    if json_file:
        record = {
            "schema": MUTATION_SCHEMA,
            "seed": seed,
            "samples": samples,
            "reports": [report.as_json() for report in reports],
        }
        write_file(json_file, json.dumps(record, indent=1) + "\n")
    sys.exit(exit_code(reports))


def _run(
    obligations: Sequence[Obligation], samples: int, seed: int, timeout: float, jobs: int
) -> list[Report]:
    """Judge the mutants of each theorem that is proved without a fault, with visible progress."""
    reports = []
    with progress_bar("mutants") as progress:
        task = progress.add_task("", total=samples * len(obligations))
        for obligation in obligations:
            progress.update(task, description=obligation.name)
            original = discharge(obligation, timeout, jobs=jobs)
            assert obligation.circuit is not None
            mutants = sample(obligation.circuit(), samples, seed) if original.green else []
            verdicts = []
            for verdict in judge_all(obligation.name, mutants, timeout, jobs):
                verdicts.append(verdict)
                progress.advance(task)
            progress.advance(task, samples - len(mutants))
            place = {mutant.fault: index for index, (_, mutant) in enumerate(mutants)}
            reports.append(Report(original, sorted(verdicts, key=lambda v: place[v.fault])))
            if not err.is_terminal:
                err.print(f"{len(reports)}/{len(obligations)} {obligation.name}", markup=False)
    return reports


def scores(reports: Sequence[Report]) -> NamedTable:
    """One row a theorem: how many mutants of each kind are refuted, of those that are not benign."""
    table = NamedTable("theorem", "mutants", "benign", *FAULTS, "refuted", "score")
    for report in reports:
        kinds = (f"{report.count(Outcome.REFUTED, kind=k)}/{report.faulty(k)}" for k in FAULTS)
        table.add(
            report.original.theorem,
            str(len(report.verdicts)),
            str(report.count(Outcome.PROVED)),
            *kinds,
            f"{report.count(Outcome.REFUTED)}/{report.faulty()}",
            Text(_score(report), style="green" if exit_code([report]) == 0 else "bold red"),
        )
    return table


def _score(report: Report) -> str:
    if not report.original.green:
        return f"not proved: {report.original.outcome.value}"
    return "none" if report.score is None else f"{100 * report.score:.1f} %"


def _print_remarkable(report: Report, screen: Console) -> None:
    """List the mutants that are not refuted, and say why."""
    if not report.original.green:
        itself = f"\n{report.original.theorem} itself: {report.original.message}"
        screen.print(itself, markup=False, soft_wrap=True)
    rest = [verdict for verdict in report.verdicts if verdict.outcome is not Outcome.REFUTED]
    if rest:
        screen.print(f"\n{report.original.theorem}", markup=False, soft_wrap=True)
    for verdict in rest:
        benign = verdict.outcome is Outcome.PROVED
        word = "benign" if benign else verdict.outcome.value.upper()
        reason = f": {verdict.message}" if verdict.message else ""
        screen.print(f"  {word}: {verdict.fault}{reason}", markup=False, soft_wrap=True)


def _summary(reports: Sequence[Report]) -> str:
    mutants, benign, refuted, faulty = (
        sum(counts)
        for counts in zip(
            *(
                (len(r.verdicts), r.count(Outcome.PROVED), r.count(Outcome.REFUTED), r.faulty())
                for r in reports
            ),
            strict=True,
        )
    )
    noun = "theorem" if len(reports) == 1 else "theorems"
    return (
        f"{len(reports)} {noun}, {mutants} mutants: {refuted} of {faulty} refuted, "
        f"{benign} benign (proved equivalent)"
    )


def exit_code(reports: Sequence[Report]) -> int:
    """The exit code for some reports: errors outweigh all, circuits not proved the undecided."""
    if any(r.count(Outcome.ERROR) or r.original.outcome is Outcome.ERROR for r in reports):
        return EXIT_INTERNAL
    if any(report.original.outcome is Outcome.REFUTED for report in reports):
        return EXIT_REFUTED
    undecided = any(r.count(Outcome.TIMEOUT, Outcome.UNKNOWN) or not r.original.green for r in reports)
    return EXIT_UNDECIDED if undecided else 0
