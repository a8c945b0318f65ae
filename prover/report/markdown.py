"""A log in Markdown, short enough for the summary of a GitHub job."""

from __future__ import annotations

import re

from spikeproof.prover.evidence.log import Contents
from spikeproof.prover.evidence.record import Record
from spikeproof.prover.report.summary import (
    cautions,
    failures,
    groups,
    not_green,
    outcomes_text,
    seconds_text,
)
from spikeproof.prover.report.tables import outcome_text
from spikeproof.prover.report.templating import Verbatim, environment

MEANS_SOMETHING = re.compile(r"([\\`*_\[\]#|~$@<>&])")
LONGEST = 200
"""Theorems that are not green and shown one by one: GitHub takes no summary above a megabyte."""


def escape_markdown(text: str) -> str:
    """Text as Markdown on one line, fit for a table's cell."""
    return MEANS_SOMETHING.sub(r"\\\1", " ".join(text.split()))


def fenced(text: str) -> Verbatim:
    """Text as a block of code, whatever is in it."""
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return Verbatim(f"{fence}text\n{text}\n{fence}")


def markdown_summary(log: Contents) -> str:
    """The summary of a log: what is not as promised, and why; then everything, by operation."""
    red = not_green(log.records)
    return (
        environment(escape_markdown)
        .get_template("summary.md")
        .render(
            log=log,
            groups=groups(log.records),
            outcomes=outcomes_text(log.records),
            failures=failures(log),
            cautions=cautions(log),
            red=red[:LONGEST],
            more=len(red[LONGEST:]),
            promised_refutations=[r for r in log.records if r.green and r.counterexample],
            seconds=seconds_text,
            outcome=outcome_text,
            fenced=fenced,
            why=_why,
        )
    )


def _why(record: Record) -> str:
    """What is known of a failure: how it looks, or else on which inputs, or nothing."""
    inputs = "\n".join(
        f"{name} = {value} ({value:#x})" for name, value in (record.counterexample or {}).items()
    )
    return record.message or inputs or "no message"
