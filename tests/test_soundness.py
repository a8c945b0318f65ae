"""SOUNDNESS.md: its tables are whole, and of the files that are there."""

import re
from pathlib import Path

import pytest

from tests.test_architecture import TRUSTED

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "SOUNDNESS.md").read_text()
GAPS = re.findall(r"^### (([A-Z])\. .*)$", TEXT, re.MULTILINE)
ROWS = re.findall(r"^\| \[([A-Z])\]\(#(.*?)\) \| (.+?) \| (.+?) \|$", TEXT, re.MULTILINE)
ROOMS = re.findall(r"^\| (`[^|]*/[^|]*`) \| .+ \| (.*) \|$", TEXT, re.MULTILINE)
TOLERANCE = 0.05
"""By how much a count of lines may be off, before the text has to follow the files."""


def anchor(heading):
    """What a heading is linked by."""
    return re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-")


def paths(cell):
    return [ROOT / name for name in re.findall(r"`([^`]+)`", cell)]


def files(path):
    return [path] if path.suffix else sorted(path.rglob("*.py"))


def test_it_begins_with_a_row_for_each_gap():
    assert [letter for _, letter in GAPS] == [letter for letter, *_ in ROWS]
    assert [letter for letter, *_ in ROWS] == [chr(ord("A") + i) for i in range(len(ROWS))]
    assert [link for _, link, *_ in ROWS] == [anchor(heading) for heading, _ in GAPS]
    first_table = TEXT[: TEXT.index("\n## ")]
    assert first_table.count("\n| [") == len(ROWS)


def test_every_gap_has_guards():
    sections = re.split(r"^### ", TEXT, flags=re.MULTILINE)[1:]
    assert len(sections) == len(GAPS)
    assert all("*Guards:*" in section for section in sections)


@pytest.mark.parametrize(("cell", "said"), ROOMS, ids=lambda value: value[:40])
def test_the_lines_of_a_room_are_counted(cell, said):
    counted = sum(len(each.read_text().splitlines()) for path in paths(cell) for each in files(path))
    assert counted > 0
    assert abs(int(said.replace(",", "")) - counted) <= TOLERANCE * counted, f"{cell}: {counted:,} lines"


def test_the_trusted_rooms_are_in_the_first_table():
    table = TEXT[TEXT.index("## The trusted base") :].split("\n\n")[2]
    listed = {
        path.relative_to(ROOT).as_posix() for row in ROOMS if row[0] in table for path in paths(row[0])
    }
    assert {room.replace(".", "/") for room in TRUSTED} <= listed


def test_no_file_is_counted_twice():
    counted = [each for cell, _ in ROOMS for path in paths(cell) for each in files(path)]
    assert len(counted) == len(set(counted))


def test_every_file_that_is_named_is_there():
    named = re.findall(r"`([a-z_]+/[a-z_/]*(?:\.[a-z]+)?)[ `]", TEXT)
    assert len(named) > 50
    assert [name for name in named if not (ROOT / name).exists()] == []
