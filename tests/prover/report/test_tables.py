"""Tables for people: nothing is cut off, and what is not new says so."""

import pytest

from spikeproof.prover.evidence.record import Record
from spikeproof.prover.report.tables import (
    NamedTable,
    audit_text,
    plain_table,
    rendered,
    results_table,
    summary,
)
from spikeproof.prover.running.run import CACHED, CONTINUED, Found
from tests.support.logs import record

LONGEST = "fp8_e5m2fnuz.sticky_extra_multiply.rne.saturate.without_significand_route"


def found(theorem="cell.ionic.and", outcome="proved", expected="proved", **others):
    origin, audited = others.pop("origin", ""), others.pop("audited", False)
    return Found.of(Record.from_json(record(theorem, outcome, expected, **others)), origin, audited)


@pytest.mark.parametrize("width", [50, 80, 120])
@pytest.mark.parametrize("verbose", [False, True])
def test_name_time_and_outcome_are_whole_at_any_width(width, verbose):
    results = [
        found(seconds=0.25),
        found(LONGEST, "proved", "refuted", seconds=298.5, origin=CACHED),
        found("fp16.add.rne", "timeout", statement="word " * 100),
    ]
    text = rendered(results_table(results, width > 80 or verbose), max(width, len(LONGEST)))
    lines = text.splitlines()
    assert all(any(each.theorem in line for line in lines) for each in results)
    assert "0.25 s" in text
    assert "298.50 s  PROVED, but refuted was promised, cached" in text
    assert "…" not in text


def test_a_name_too_long_for_the_screen_is_folded_and_not_cut_off():
    text = rendered(results_table([found(LONGEST)]), 50)
    assert LONGEST in "".join(text.split())


def test_statements_are_shown_on_demand_and_wrapped():
    results = [found(statement="word " * 100)]
    assert "word" not in rendered(results_table(results), 80)
    lines = rendered(results_table(results, verbose=True), 80).splitlines()
    assert sum(line.count("word") for line in lines) == 100
    assert max(map(len, lines)) <= 80


def test_what_is_not_new_says_so():
    results = [
        found("first"),
        found("second", origin=CACHED),
        found("third", origin=CONTINUED),
        found("fourth", origin=CACHED, audited=True),
    ]
    _, *lines = rendered(results_table(results), 80).splitlines()
    assert [" ".join(line.split()) for line in lines] == [
        "first 0.50 s proved",
        "second 0.50 s proved, cached",
        "third 0.50 s proved, continued",
        "fourth 0.50 s proved, cached",
    ]
    assert summary(results) == "4 theorems: 4 proved; 2 cached; 1 continued"
    assert summary(results[:1]) == "1 theorem: 1 proved"


def test_an_audit_says_what_it_audited():
    kept = [found(name, origin=CACHED, audited=True) for name in ("first", "second")]
    refused = found("third", "error", origin=CACHED, audited=True)
    assert audit_text(kept, 2) == "audit: 2 verified again: first, second"
    assert audit_text([*kept, refused], 3).endswith("; 1 REFUSED: third")
    anew = "were proved anew, which leaves nothing to audit"
    assert audit_text([kept[0], found()], 5) == (
        f"audit: 1 verified again: first; 1 of those drawn {anew}"
    )
    assert audit_text([found(), found("other")], 1) == f"audit: 1 of those drawn {anew}"


@pytest.mark.parametrize("width", [32, 50, 80, 200])
def test_a_table_that_is_too_wide_is_laid_out_otherwise(width):
    headings = ("unit", "input", "at least", "at most")
    cells = ("fp8_e4m3fn.multiply.rne.saturate", "0xc498ef7d, 0x457f", "0.0001234567", "0.0009876543")
    table = NamedTable(*headings)
    table.add(*cells)
    shown = " ".join(rendered(table, width).split())
    assert "…" not in shown
    assert all(text in shown for text in (*cells, *headings[1:]))


def test_a_plain_table_is_folded_and_not_cut_off():
    table = plain_table("what", "which")
    table.add_row("a", LONGEST)
    text = rendered(table, 40)
    assert "…" not in text
    assert LONGEST in "".join(text.split())
