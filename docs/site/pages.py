"""Pages that are generated: commands from their help, the public face, the status of theorems."""

from __future__ import annotations

import html
import inspect
import os
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import click

import spikeproof
from spikeproof.prover.claims.catalogue import own
from spikeproof.prover.claims.obligation import Obligation
from spikeproof.prover.commands.cli import COMMANDS, cli
from spikeproof.prover.evidence.ledger import Promise, ledger_path, read
from spikeproof.prover.evidence.log import read_log
from spikeproof.prover.evidence.record import Record

COLUMNS = 100
"""Of the help of commands."""
MODES = ("rne", "rna", "rtz", "rtp", "rtn", "rto", "")
"""Columns of a format's table; the last is of what has no rounding mode."""


def write(directory: Path) -> None:
    """Write all of them; what has not changed keeps its time, so that it is not read again."""
    directory.mkdir(parents=True, exist_ok=True)
    made = {
        "commands.md": commands_page(),
        "reference.md": reference_page(),
        **status_pages(read(ledger_path()), own(), recorded()),
    }
    for name, text in made.items():
        path = directory / name
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
    for path in directory.glob("*.md"):
        if path.name not in made:
            path.unlink()


# --- commands -----------------------------------------------------------------------------------


def commands_page() -> str:
    """Each command's help, as it is printed."""
    context = click.Context(cli, info_name="spikeproof")
    parts = ["# Commands", f"What `spikeproof COMMAND --help` says of all {len(COMMANDS)}."]
    for name in COMMANDS:
        command = cli.get_command(context, name)
        parts += _help(command, context, ["spikeproof", name])
    return "\n\n".join(parts) + "\n"


def _help(command: click.Command, parent: click.Context, words: Sequence[str]) -> Iterable[str]:
    command = getattr(command, "command", command)
    context = click.Context(command, parent=parent, info_name=words[-1], terminal_width=COLUMNS)
    yield f"{'#' * len(words)} {' '.join(words)}"
    yield f"```text\n{command.get_help(context)}\n```"
    for name, each in getattr(command, "commands", {}).items():
        yield from _help(each, context, [*words, name])


# --- the public face ----------------------------------------------------------------------------


def reference_page() -> str:
    """Every public name, from its docstring."""
    parts = ["# What `import spikeproof` gives", "```{eval-rst}"]
    for name in sorted(spikeproof.__all__, key=str.casefold):
        thing = getattr(spikeproof, name)
        if inspect.isclass(thing):
            parts.append(f".. autoclass:: spikeproof.{name}\n   :members:")
        elif callable(thing):
            parts.append(f".. autofunction:: spikeproof.{name}")
    return "\n\n".join([*parts, "```"]) + "\n"


# --- status -------------------------------------------------------------------------------------


def recorded() -> dict[str, Record]:
    """The records of the log that ``SPIKEPROOF_LOG`` names, if it does."""
    directory = os.environ.get("SPIKEPROOF_LOG")
    return {each.theorem: each for each in read_log(Path(directory)).records} if directory else {}


def status_pages(
    ledger: Mapping[str, Promise], stated: Mapping[str, Obligation], records: Mapping[str, Record]
) -> dict[str, str]:
    """One page of all, and one of each format, or of each kind of theorem that is of none."""
    groups: dict[str, list[Promise]] = defaultdict(list)
    for theorem, promise in ledger.items():
        groups[_group(stated[theorem])].append(promise)
    pages = {
        f"status_{group}.md": _group_page(group, promises, stated, records)
        for group, promises in groups.items()
    }
    return {"status.md": _status_page(groups, ledger, records), **pages}


def _group(obligation: Obligation) -> str:
    parameters = dict(obligation.parameters)
    family = parameters.get("family", "other")
    return parameters["format"] if family == "unit" else family


def _status_page(
    groups: Mapping[str, Sequence[Promise]], ledger: Mapping[str, Promise], records: Mapping[str, Record]
) -> str:
    rows = [
        [f'<a href="status_{group}.html">{group}</a>', *_counts(promises)]
        for group, promises in groups.items()
    ]
    evidence = defaultdict(list)
    for promise in ledger.values():
        evidence[str(promise.evidence)].append(promise)
    kinds = [[html.escape(kind), *_counts(promises)] for kind, promises in evidence.items()]
    heading = ["by default", "wide", "to be refuted"]
    toctree = "\n".join(["```{toctree}", ":hidden:", *(f"status_{group}" for group in groups), "```"])
    return "\n\n".join(
        (
            "# Status",
            f"All {len(ledger):,} theorems that the ledger promises, by the unit's format, or by kind. "
            f"{_source(records)}",
            _table(["format or kind", *heading], rows),
            "## Kinds of evidence",
            "How a theorem is decided, and by whom: `whole` is put to engines as it is, `lemmas` by "
            "steps on its way, `cases` by cases of its inputs; `drat` is a clausal proof of each claim, "
            "`model` a model.",
            _table(["evidence", *heading], kinds),
            toctree,
        )
    )


def _counts(promises: Sequence[Promise]) -> list[str]:
    wide = sum(promise.profile.value == "wide" for promise in promises)
    refuted = sum(promise.expected.value == "refuted" for promise in promises)
    return [f"{count:,}" for count in (len(promises) - wide, wide, refuted)]


def _source(records: Mapping[str, Record]) -> str:
    if not records:
        return "This site was built without a proof log, so no times are shown."
    return f"Times and certificates are of a log of {len(records):,} theorems."


def _group_page(
    group: str,
    promises: Sequence[Promise],
    stated: Mapping[str, Obligation],
    records: Mapping[str, Record],
) -> str:
    cells: dict[tuple[str, str], dict[str, list[Promise]]] = defaultdict(lambda: defaultdict(list))
    for promise in promises:
        parameters = dict(stated[promise.theorem].parameters)
        row = (parameters.get("operation", ""), parameters.get("library", ""))
        cells[row][parameters.get("mode", "")].append(promise)
    modes = [mode for mode in MODES if any(mode in row for row in cells.values())]
    rows = [
        [html.escape(operation), html.escape(library), *(_cell(row.get(mode, [])) for mode in modes)]
        for (operation, library), row in sorted(cells.items())
    ]
    theorems = [_theorem_row(promise, records.get(promise.theorem)) for promise in promises]
    return "\n\n".join(
        (
            f"# Status of {group}",
            "Theorems by operation, library and rounding mode: a number leads to the first of so many.",
            _table(["operation", "library", *(mode or "no mode" for mode in modes)], rows),
            "## Theorems",
            _table(["theorem", "promised", "profile", "evidence", "seconds", "certificates"], theorems),
        )
    )


def _cell(promises: Sequence[Promise]) -> str:
    return f'<a href="#{_anchor(promises[0].theorem)}">{len(promises)}</a>' if promises else ""


def _theorem_row(promise: Promise, record: Record | None) -> list[str]:
    anchor, statement = _anchor(promise.theorem), html.escape(promise.statement)
    name = f'<code id="{anchor}" title="{statement}">{promise.theorem}</code>'
    found = (f"{record.seconds:.2f}", str(sum(1 for _ in record.certificates))) if record else ("", "")
    return [
        name,
        promise.expected.value,
        promise.profile.value,
        html.escape(str(promise.evidence)),
        *found,
    ]


def _anchor(theorem: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", theorem.lower())


def _table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """As HTML: thousands of rows would take Sphinx minutes."""
    lines = [
        "```{raw} html",
        '<div class="table-wrapper"><table class="docutils align-default status"><thead>',
        _row("th", heading),
        "</thead><tbody>",
        *(_row("td", row) for row in rows),
        "</tbody></table></div>",
        "```",
    ]
    return "\n".join(lines)


def _row(tag: str, cells: Sequence[str]) -> str:
    return "<tr>" + "".join(f"<{tag}>{cell}</{tag}>" for cell in cells) + "</tr>"
