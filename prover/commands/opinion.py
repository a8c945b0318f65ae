"""``spikeproof opinion``."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from spikeproof.prover.commands.completion import theorem_argument
from spikeproof.prover.commands.console import (
    EXIT_DISAGREEMENT,
    EXIT_INTERNAL,
    EXIT_UNDECIDED,
    err,
    examples,
    file_option,
    progress_bar,
    require_writable,
    screen_beside,
    selected,
    timeout_option,
    write_file,
)
from spikeproof.prover.report.tables import NamedTable

if TYPE_CHECKING:  # it loads our encoder and the kernel
    from spikeproof.prover.claims.obligation import Obligation
    from spikeproof.prover.engines.opinions import Opinion
    from spikeproof.prover.running.opinions import Second

NAMES = ("cvc5", "bitwuzla", "kissat")

OPINIONS_SCHEMA = "spikeproof-opinions-1"


@click.command(
    epilog=examples(
        "opinion 'fp8_e5m2.*.rne' --engine cvc5 --engine bitwuzla",
        "opinion 'cell.*' --json - | jq '.opinions[].verdict'",
    )
)
@theorem_argument("patterns", many=True)
@click.option(
    "--engine",
    "names",
    type=click.Choice(NAMES),
    multiple=True,
    help="Whom to ask; may be given more than once (default: cvc5 and bitwuzla).",
)
@click.option("--whole", is_flag=True, help="Put theorems as they are, not lemma by lemma.")
@timeout_option("an engine may take for a theorem")
@file_option("json", "opinions")
def opinion(
    patterns: tuple[str, ...],
    names: tuple[str, ...],
    whole: bool,
    timeout: float,
    json_file: Path | None,
) -> None:
    """Ask engines of other makes about theorems.

    They read what we write in a standard language, and share no process with our engines. PATTERN is a
    name or a shell glob; without one, all that are discharged by default. Nothing that they say becomes
    evidence of ours. Exit code 0 if all agree with what is promised; 6 if one disagrees, 4 on an error
    of one, 3 if one is absent, is not asked or does not decide.
    """
    from spikeproof.prover.claims.obligation import Profile

    require_writable(json_file)
    obligations = selected(patterns or ("*",))
    if not patterns:
        obligations = [each for each in obligations if each.profile is Profile.DEFAULT]
        err.print(f"asking about all {len(obligations):,} theorems; name a PATTERN for fewer")
    engines = _engines(dict.fromkeys(names or NAMES[:2]))
    found = _ask(obligations, engines, timeout, whole)
    _show(found, engines, json_file)
    if json_file:
        data = {"schema": OPINIONS_SCHEMA, "opinions": [_as_json(each) for each in found]}
        write_file(json_file, json.dumps(data, indent=1) + "\n")
    sys.exit(_exit_code(found))


def _engines(names: Mapping[str, None]) -> dict[str, Opinion | str]:
    """Engines by name; of those that are absent, why."""
    from spikeproof.prover.engines.engine import EngineError
    from spikeproof.prover.engines.opinions import opinion_named

    found: dict[str, Opinion | str] = {}
    for name in names:
        try:
            found[name] = opinion_named(name)
        except EngineError as error:
            found[name] = str(error)
    return found


def _ask(
    obligations: Sequence[Obligation],
    engines: Mapping[str, Opinion | str],
    timeout: float,
    whole: bool,
) -> list[Second]:
    from spikeproof.prover.running.opinions import second_opinions

    found: list[Second] = []
    with progress_bar("asking") as progress:
        task = progress.add_task("", total=len(obligations))
        for number, obligation in enumerate(obligations, 1):
            here = list(second_opinions(obligation, engines, timeout, whole))
            found += here
            progress.update(task, advance=1, description=obligation.name)
            if not err.is_terminal:
                said = ", ".join(f"{each.engine} {each.verdict.value}" for each in here)
                line = f"{number}/{len(obligations)} {obligation.name}: {said}"
                err.print(line, markup=False, soft_wrap=True)
    return found


def _show(found: Sequence[Second], engines: Mapping[str, Opinion | str], json_file: Path | None) -> None:
    from spikeproof.prover.running.opinions import Verdict

    screen = screen_beside(json_file)
    table = NamedTable("theorem", "asked", *engines)
    by_theorem: dict[str, list[Second]] = {}
    for each in found:
        by_theorem.setdefault(each.theorem, []).append(each)
    silent = (Verdict.AGREES, Verdict.ABSENT)
    for theorem, opinions in by_theorem.items():
        notes = [f"{each.engine}: {each.note}" for each in opinions if each.verdict not in silent]
        asked = max(each.questions for each in opinions)
        table.add(theorem, str(asked), *map(_cell, opinions), note="\n".join(notes))
    screen.print(table)
    for name, engine in engines.items():
        counted = Counter(each.verdict.value for each in found if each.engine == name)
        words = ", ".join(f"{count} {verdict}" for verdict, count in counted.items())
        line = engine if isinstance(engine, str) else f"{engine.label}: {words}"
        screen.print(line, markup=False, soft_wrap=True)


def _cell(second: Second) -> str:
    return f"{second.verdict.value} {second.seconds:.1f} s" if second.questions else second.verdict.value


def _as_json(second: Second) -> dict[str, object]:
    return {
        "theorem": second.theorem,
        "engine": second.engine,
        "verdict": second.verdict.value,
        "questions": second.questions,
        "seconds": round(second.seconds, 3),
        "note": second.note,
    }


def _exit_code(found: Sequence[Second]) -> int:
    """Disagreements outweigh errors, and those what nobody decided; nothing but agreement is green."""
    from spikeproof.prover.running.opinions import Verdict

    verdicts = {each.verdict for each in found}
    if Verdict.DISAGREES in verdicts:
        return EXIT_DISAGREEMENT
    if Verdict.ERROR in verdicts:
        return EXIT_INTERNAL
    return 0 if verdicts == {Verdict.AGREES} else EXIT_UNDECIDED
