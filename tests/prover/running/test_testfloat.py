"""Vectors read, written and compared: batches, blanks, and specs that contradict one another."""

import io
from dataclasses import replace

import numpy as np
import pytest

import spikeproof
from spikeproof.prover.running import testfloat
from spikeproof.prover.running.testfloat import Check, Lines, VectorError, reversed_flags

ADD = "fp8_e5m2.add.rne.flags"
LINES = Lines("a theorem", {"x": 6, "y": 12, "result": 1, "flags": 5})


def read(text, **given):
    return list(LINES.read(io.BytesIO(text), **given))


@pytest.mark.parametrize(
    "text",
    [
        b"3F ABC 1 10\n05 00d 0 05\n",
        b"3F ABC 1 10\n05 00D 0 05",
        b"3f abc 1 10\r\n05 00d 0 05\r\n",
        b"  3F  ABC\t1 10\n05 00D 0   05  \n",
    ],
)
def test_blanks_and_letters_may_be_others(text):
    found = [columns for _, columns in read(text)]
    shown = {name: np.concatenate([each[name] for each in found]).tolist() for name in LINES.widths}
    assert shown == {"x": [0x3F, 5], "y": [0xABC, 13], "result": [1, 0], "flags": [1, 0b10100]}


def test_lines_are_counted_over_batches(monkeypatch):
    monkeypatch.setattr(testfloat, "BATCH", 2)
    found = read(b"01 002 1 00\n" * 5)
    assert sum(len(columns["x"]) for _, columns in found) == 5
    assert [lines.tolist() for lines, _ in found] == [[1, 2], [3, 4], [5]]
    with pytest.raises(VectorError, match="line 4: x is '41', which has more than 6 bits"):
        read(b"01 002 1 00\n" * 3 + b"41 002 1 00\n" + b"01 002 1 00\n" * 3)
    with pytest.raises(VectorError, match="no line ends within 24 characters"):
        read(b"01 002 1 00\n" * 2 + b"0" * 60)


@pytest.mark.parametrize("line", [b"01-002 1 00", b"01 002 1000", b"01 002 1 00 01 002 1 00"])
def test_fields_are_apart(line):
    """Whatever the length of lines."""
    with pytest.raises(VectorError, match=r"line 2 has [38] fields"):
        read(b"01 002 1 00\n" + line + b"\n")


def test_flags_may_be_absent_only_where_they_are_not_asked_for():
    ((_, columns),) = read(b"01 002 1\n", flags=False)
    assert list(columns) == ["x", "y", "result"]
    ((_, columns),) = read(b"01 002 1 00\n", flags=False)
    assert list(columns) == ["x", "y", "result", "flags"]
    with pytest.raises(VectorError, match=r"line 2 has 4 fields, .* have 3"):
        read(b"01 002 1\n01 002 1 00\n", flags=False)
    with pytest.raises(VectorError, match=r"line 1 has 3 fields, .* have 4"):
        read(b"01 002 1\n")


def test_empty_lines_and_comments_are_passed_over_and_counted(monkeypatch):
    monkeypatch.setattr(testfloat, "BATCH", 1)
    text = b"# by hand\n\n  \n01 002 1 00\n # and\n\n\n03 004 0 00\n\n"
    found = read(text)
    assert [(lines.tolist(), columns["x"].tolist()) for lines, columns in found] == [
        ([4], [1]),
        ([8], [3]),
    ]
    with pytest.raises(VectorError, match="line 11 has 2 fields"):
        read(text + b"# more\n01 002\n")
    ((_, columns),) = read(b"#\n01 002 1\n", flags=False)
    assert list(columns) == ["x", "y", "result"]
    with pytest.raises(VectorError, match="no vectors are no test"):
        read(b"# none\n\n")


def test_what_is_written_is_as_testfloat_writes_it():
    columns = {"x": [0x3F, 5], "y": [0xABC, 13], "result": [1, 0], "flags": [1, 0b10100]}
    arrays = {name: np.array(codes, dtype=np.uint64) for name, codes in columns.items()}
    assert LINES.written(arrays) == "3F ABC 1 10\n05 00D 0 05\n"
    wide = Lines("a theorem", {"x": 128, "result": 64})
    codes = np.array([(1 << 127) + 5], dtype=object), np.array([1 << 63], dtype=np.uint64)
    text = wide.written(dict(zip(wide.widths, codes, strict=True)))
    assert text == "80000000000000000000000000000005 8000000000000000\n"
    ((_, again),) = wide.read(io.BytesIO(text.encode()))
    assert [again[name].tolist() for name in wide.widths] == [[(1 << 127) + 5], [1 << 63]]


def test_flags_are_reversed():
    assert reversed_flags(np.array([1, 2, 4, 8, 16, 0b10100])).tolist() == [16, 8, 4, 2, 1, 0b00101]


def added(check, text):
    for lines, vectors in check.lines.read(io.BytesIO(text)):
        check.add(lines, vectors)
    return check


def test_batches_change_nothing(monkeypatch):
    def words(size):
        monkeypatch.setattr(testfloat, "BATCH", size)
        text = b"3C 3C 41 00\n40 3C 42 00\n01 01 03 00\n3C 3C 40 01\n" * 3
        check = added(Check(spikeproof.theorem(ADD)), text)
        assert check.disagreements == 9
        return check.in_words()

    assert words(1 << 16) == words(5) == words(1)
    assert "the simplest of them, line 1:" in words(5)


@pytest.mark.parametrize(("vector", "sample"), [(b"3C 3C 40 00\n", 100), (b"3C 3C 41 00\n", 0)])
def test_a_spec_that_contradicts_the_spec_of_record_is_noticed(monkeypatch, vector, sample):
    """By the sample, though all agree; or at the latest where something is shown."""
    own = spikeproof.theorem(ADD)
    reading = replace(own.reading, trace=lambda codes: {"result": 0x13})
    check = Check(replace(own, reading=reading))
    monkeypatch.setattr(testfloat, "SAMPLE", sample)
    with pytest.raises(RuntimeError, match="the formula of the spec gives result = 0x40"):
        added(check, vector).in_words()


def test_a_compiled_spec_that_is_wrong_stands_alone(monkeypatch):
    """Circuit and vectors agree: the spec of record is asked before that is shown."""
    check = Check(spikeproof.theorem(ADD))
    monkeypatch.setattr(testfloat, "SAMPLE", 0)
    true = check._spec._spec.evaluate

    def wrong(given, count):
        found = true(given, count)
        return {**found, "result": found["result"] ^ np.uint64(1)}

    monkeypatch.setattr(check._spec._spec, "evaluate", wrong)
    added(check, b"3C 3C 40 00\n")
    assert check.disagreements == 1
    with pytest.raises(RuntimeError, match="one of them is wrong"):
        check.in_words()


def test_what_a_theorem_excludes_is_refused():
    own = spikeproof.theorem(ADD)
    check = Check(own)

    def refuse(inputs, sample):
        raise ValueError("it says nothing of x = 0x0")

    check._spec = type("", (), {"inputs": {"x": 8, "y": 8}, "__call__": staticmethod(refuse)})()
    codes = {name: np.array([0], dtype=np.uint64) for name in ("x", "y", "result", "flags")}
    with pytest.raises(VectorError, match="of lines 7 to 7: it says nothing of x = 0x0"):
        check.add(np.array([7]), codes)
