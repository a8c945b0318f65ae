"""A LaTeX table of formats and families, to be compiled by itself or read with ``\\input``."""

from __future__ import annotations

from functools import cache

from pylatexenc.latexencode import UnicodeToLatexEncoder

from spikeproof.prover.evidence.log import Contents
from spikeproof.prover.report.summary import cautions, failures, groups, outcomes_text, seconds_text
from spikeproof.prover.report.templating import environment


@cache
def _encoder() -> UnicodeToLatexEncoder:
    return UnicodeToLatexEncoder(unknown_char_policy="replace", unknown_char_warning=False)


def escape_latex(text: str) -> str:
    """Text as LaTeX that pdfTeX prints; a character that it has no glyph for becomes a question mark.

    Braces become words, since BibTeX would count them.
    """
    latex: str = _encoder().unicode_to_latex(text)
    return latex.replace(r"\{", r"{\textbraceleft}").replace(r"\}", r"{\textbraceright}")


def latex_table(log: Contents) -> str:
    """The table of a log."""
    return (
        environment(escape_latex)
        .get_template("table.tex")
        .render(
            log=log,
            groups=groups(log.records),
            total=outcomes_text(log.records),
            remarks=[*failures(log), *cautions(log)],
            seconds=seconds_text,
        )
    )
