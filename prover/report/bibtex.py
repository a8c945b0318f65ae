"""A BibTeX entry that cites a log: which source, how many theorems, and the manifest that binds them."""

from __future__ import annotations

from spikeproof.prover.evidence.log import Contents
from spikeproof.prover.report.latex import escape_latex
from spikeproof.prover.report.summary import cautions, failures, outcomes_text
from spikeproof.prover.report.templating import environment


def bibtex_entry(log: Contents) -> str:
    """The entry of a log; its key begins the manifest's SHA-256."""
    return (
        environment(escape_latex)
        .get_template("entry.bib")
        .render(
            log=log,
            outcomes=outcomes_text(log.records),
            remarks=[*failures(log), *cautions(log)],
            given=any(record.circuit_sha256 for record in log.records),
        )
    )
