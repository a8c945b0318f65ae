"""``spikeproof report``."""

from __future__ import annotations

from pathlib import Path

import click

from spikeproof.prover.commands.console import out, require_directory, require_writable
from spikeproof.prover.evidence.files import write_atomically
from spikeproof.prover.evidence.log import read_log

INDEX = "index.html"


@click.command()
@click.argument("log_directory", metavar="LOG", type=click.Path(path_type=Path))
@click.option(
    "--html",
    "html_directory",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help=f"Write a page that needs nothing else to DIR/{INDEX}.",
)
@click.option("--latex", "latex_file", type=click.Path(path_type=Path), help="Write a table for papers.")
@click.option(
    "--bibtex", "bibtex_file", type=click.Path(path_type=Path), help="Write an entry that cites LOG."
)
@click.option(
    "--markdown", "markdown_file", type=click.Path(path_type=Path), help="Write a summary for a CI job."
)
@click.option(
    "--junit", "junit_file", type=click.Path(path_type=Path), help="Write a test case a theorem."
)
def report(
    log_directory: Path,
    html_directory: Path | None,
    latex_file: Path | None,
    bibtex_file: Path | None,
    markdown_file: Path | None,
    junit_file: Path | None,
) -> None:
    """Show the proof log in the directory LOG, in each of the forms asked for."""
    # Here, so that other commands need not wait for Matplotlib.
    from spikeproof.prover.report.bibtex import bibtex_entry
    from spikeproof.prover.report.html import html_page
    from spikeproof.prover.report.junit import junit_xml
    from spikeproof.prover.report.latex import latex_table
    from spikeproof.prover.report.markdown import markdown_summary

    forms = [
        (html_directory and html_directory / INDEX, html_page),
        (latex_file, latex_table),
        (bibtex_file, bibtex_entry),
        (markdown_file, markdown_summary),
        (junit_file, junit_xml),
    ]
    asked = [(path, form) for path, form in forms if path]
    if not asked:
        raise click.UsageError("nothing to write; give --html, --latex, --bibtex, --markdown or --junit")
    log = read_log(log_directory)
    if html_directory:
        require_directory(html_directory)
    for path, _ in asked:
        require_writable(path)
    for path, text in [(path, form(log)) for path, form in asked]:
        write_atomically(path, text)
        out.print(f"wrote {path}", markup=False, soft_wrap=True)
