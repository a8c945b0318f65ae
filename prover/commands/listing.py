"""``spikeproof list``."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from spikeproof.prover.claims.obligation import Obligation
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
from spikeproof.prover.report.tables import NamedTable

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
    obligations = selected(patterns or ("*",))
    if json_file != STANDARD_OUTPUT:
        _show(obligations)
    if json_file:
        data = {"schema": LIST_SCHEMA, "theorems": [_as_json(each) for each in obligations]}
        write_file(json_file, json.dumps(data, indent=1) + "\n")


def _show(obligations: Sequence[Obligation]) -> None:
    if not sys.stdout.isatty():  # whatever colours were asked for
        for each in obligations:
            parts = (each.name, each.expected.value, each.profile.value, each.statement)
            sys.stdout.write("\t".join(parts) + "\n")
        return
    table = NamedTable("theorem", "promised", left=("promised",))
    for each in obligations:
        table.add(each.name, each.expected.value, note=each.statement)
    out.print(table)


def _as_json(obligation: Obligation) -> dict[str, Any]:
    return {
        "theorem": obligation.name,
        "expected": obligation.expected.value,
        "profile": obligation.profile.value,
        "statement": obligation.statement,
        "parameters": dict(obligation.parameters),
    }
