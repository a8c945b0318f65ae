"""``spikeproof list``."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from spikeproof.prover.claims.announced import is_glob
from spikeproof.prover.commands.completion import theorem_argument
from spikeproof.prover.commands.console import (
    STANDARD_OUTPUT,
    examples,
    file_option,
    out,
    require_writable,
    selected,
    write_file,
)
from spikeproof.prover.evidence.lines import Line, keep, kept

if TYPE_CHECKING:  # what was listed before is listed without being stated
    from spikeproof.prover.claims.obligation import Obligation

LIST_SCHEMA = "spikeproof-list-1"


@click.command(
    "list",
    epilog=examples(
        "list 'fp8_e5m2.multiply.*' 'fp8_e5m2.add.*'",
        "list | cut -f1 | grep fma",
        "list 'cell.*' --json - | jq '.theorems[].statement'",
    ),
)
@theorem_argument("patterns", many=True)
@file_option("json", "names, promises, statements and parameters")
def list_theorems(patterns: tuple[str, ...], json_file: Path | None) -> None:
    """List theorems, with what they state.

    PATTERN is a name or a shell glob; without one, all are listed. Into a pipe or a file a theorem is a
    line, its parts between tabs: name, promised outcome, profile, statement.
    """
    require_writable(json_file)
    patterns = patterns or ("*",)
    if not json_file and (lines := kept(patterns)):
        _show(lines)
        return
    obligations = selected(patterns)
    if not json_file and any(map(is_glob, patterns)):
        _keep_all()
    if json_file != STANDARD_OUTPUT:
        _show([Line.of(each) for each in obligations])
    if json_file:
        data = {"schema": LIST_SCHEMA, "theorems": [_as_json(each) for each in obligations]}
        write_file(json_file, json.dumps(data, indent=1) + "\n")


def _keep_all() -> None:
    """Have all of ours, which are stated by now, listed more quickly next time."""
    from spikeproof.prover.claims.catalogue import own

    keep(own().values())


def _show(lines: Sequence[Line]) -> None:
    if not sys.stdout.isatty():  # whatever colours were asked for
        for line in lines:
            sys.stdout.write(f"{line.text}\n")
        return
    from spikeproof.prover.report.tables import NamedTable

    table = NamedTable("theorem", "promised", left=("promised",))
    for line in lines:
        table.add(line.name, line.expected, note=line.statement)
    out.print(table)


def _as_json(obligation: Obligation) -> dict[str, Any]:
    return {
        "theorem": obligation.name,
        "expected": obligation.expected.value,
        "profile": obligation.profile.value,
        "statement": obligation.statement,
        "parameters": dict(obligation.parameters),
    }
