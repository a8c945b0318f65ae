"""Pages of the site that are generated; Sphinx itself, for which warnings are errors, runs in CI."""

import re
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

import spikeproof
from spikeproof.prover.claims.catalogue import own
from spikeproof.prover.commands.cli import COMMANDS
from spikeproof.prover.evidence.ledger import ledger_path, read
from spikeproof.prover.evidence.record import Record
from tests.support.logs import record

SITE = Path(__file__).parents[1] / "docs" / "site"
sys.path.insert(0, str(SITE))
import pages  # noqa: E402, it is no package

THEOREM = "fp16.add.rne"


class Table(HTMLParser):
    """Rows of all tables of a page, ids, and where links lead."""

    def __init__(self, page):
        super().__init__()
        self.rows, self.ids, self.targets, self.inside = [], [], [], False
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")
            self.inside = True
        self.ids += [values["id"]] if "id" in values else []
        self.targets += [values["href"]] if "href" in values else []

    def handle_endtag(self, tag):
        self.inside = self.inside and tag not in ("td", "th")

    def handle_data(self, data):
        if self.inside:
            self.rows[-1][-1] += data


@pytest.fixture(scope="module")
def status():
    found = Record.from_json(record(THEOREM, seconds=12.34))
    made = pages.status_pages(read(ledger_path()), own(), {THEOREM: found})
    return {name: Table(page) for name, page in made.items()}


def test_every_theorem_has_a_row_and_an_anchor_of_its_own(status):
    theorems = read(ledger_path())
    assert sum(len(table.ids) for table in status.values()) == len(theorems)
    for table in status.values():
        assert len(set(table.ids)) == len(table.ids)
    rows = {row[0]: row[1:] for table in status.values() for row in table.rows}
    for theorem, promise in theorems.items():
        said = [promise.expected.value, promise.profile.value, str(promise.evidence)]
        assert rows[theorem][:3] == said


def test_every_link_leads_somewhere(status):
    for table in status.values():
        for target in table.targets:
            page, _, anchor = target.partition("#")
            assert (anchor in table.ids) if anchor else (page.replace(".html", ".md") in status)


def test_counts_are_those_of_the_ledger(status):
    rows = status["status.md"].rows
    kinds = next(number for number, row in enumerate(rows) if row[0] == "evidence")
    promises = read(ledger_path()).values()
    for part in (rows[1:kinds], rows[kinds + 1 :]):
        default, wide, refuted = (
            sum(int(row[column].replace(",", "")) for row in part) for column in (1, 2, 3)
        )
        assert default == sum(each.profile.value == "default" for each in promises)
        assert wide == sum(each.profile.value == "wide" for each in promises)
        assert refuted == sum(each.expected.value == "refuted" for each in promises)


def test_a_log_gives_times_and_certificates(status):
    rows = {row[0]: row for row in status["status_fp16.md"].rows}
    assert rows[THEOREM][4:] == ["12.34", str(len(Record.from_json(record(THEOREM)).certificates))]
    assert rows["fp16.multiply.rne"][4:] == ["", ""]


def test_every_command_has_its_help():
    page = pages.commands_page()
    for name in COMMANDS:
        assert f"## spikeproof {name}\n" in page
    assert "### spikeproof network robustness\n" in page


def test_every_public_name_is_there():
    page = pages.reference_page()
    named = set(re.findall(r"^\.\. auto(?:class|function):: spikeproof\.(\w+)$", page, re.M))
    assert named == set(spikeproof.__all__)


def test_pages_that_have_not_changed_are_not_written_again(tmp_path, monkeypatch):
    monkeypatch.setattr(pages, "status_pages", lambda *_: {"status.md": "# Status\n"})
    monkeypatch.delenv("SPIKEPROOF_LOG")
    (tmp_path / "gone.md").write_text("of a format that is there no more")
    pages.write(tmp_path)
    times = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    pages.write(tmp_path)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == times
    assert not (tmp_path / "gone.md").exists()
