"""``spikeproof report``."""

from __future__ import annotations

from pathlib import Path
from pkgutil import resolve_name

import click

from spikeproof.prover.commands.console import (
    STANDARD_OUTPUT,
    examples,
    file_option,
    require_directory,
    require_writable,
    screen_beside,
    write_file,
)
from spikeproof.prover.evidence.log import read_log
from spikeproof.prover.report.summary import log_in_short

INDEX = "index.html"


@click.command(
    epilog=examples(
        "report proof-log",
        "report proof-log --html page --bibtex log.bib",
        "report proof-log --markdown -",
    )
)
@click.argument("log_directory", metavar="LOG", type=click.Path(path_type=Path))
@click.option(
    "--html",
    "html_directory",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help=f"Write a page that needs nothing else to DIR/{INDEX}, or - for standard output.",
)
@file_option("latex", "a table for papers")
@file_option("bibtex", "an entry that cites LOG")
@file_option("markdown", "a summary for a CI job")
@file_option("junit", "a test case a theorem")
def report(
    log_directory: Path,
    html_directory: Path | None,
    latex_file: Path | None,
    bibtex_file: Path | None,
    markdown_file: Path | None,
    junit_file: Path | None,
) -> None:
    """Show a proof log: in short, or in each form asked for.

    LOG is its directory. Nothing in it is checked again: see `spikeproof verify`.
    """
    page = html_directory if html_directory in (None, STANDARD_OUTPUT) else html_directory / INDEX
    forms = {
        "html:html_page": page,
        "latex:latex_table": latex_file,
        "bibtex:bibtex_entry": bibtex_file,
        "markdown:markdown_summary": markdown_file,
        "junit:junit_xml": junit_file,
    }
    # Only these are loaded: each needs packages of its own, Matplotlib among them.
    asked = [
        (path, resolve_name(f"spikeproof.prover.report.{form}")) for form, path in forms.items() if path
    ]
    screen = screen_beside(*(path for path, _ in asked))
    log = read_log(log_directory)
    if page and page != STANDARD_OUTPUT:
        require_directory(page.parent)
    for path, _ in asked:
        require_writable(path)
    if not asked:
        screen.print(log_in_short(log), markup=False, soft_wrap=True)
    for path, text in [(path, form(log)) for path, form in asked]:
        write_file(path, text)
        if path != STANDARD_OUTPUT:
            screen.print(f"wrote {path}", markup=False, soft_wrap=True)
