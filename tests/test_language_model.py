"""The example that trains a language model: its tokens, and what it refuses in a line."""

import sys

import numpy as np
import pytest

from examples import language_model
from examples.language_model import Vocabulary, joined


def test_the_pair_that_is_most_often_is_taken_for_a_piece_again_and_again():
    text = "aaabdaaabac"
    found = Vocabulary.learned(text, 3)
    assert found.pieces == ["a", "b", "c", "d", "aa", "ab", "aaab"]
    assert [found.pieces[token] for token in found.tokens(text)] == ["aaab", "d", "aaab", "a", "c"]


@pytest.mark.parametrize("count", [0, 1, 40])
def test_tokens_are_a_texts_pieces(count):
    text = "".join(np.random.default_rng(count).choice([*"ab c"], 500))
    found = Vocabulary.learned(text, count)
    tokens = found.tokens(text)
    assert "".join(found.pieces[token] for token in tokens) == text
    assert len(found.pieces) == 4 + count


@pytest.mark.parametrize("length", range(6))
def test_pairs_of_one_token_are_joined_from_the_left(length):
    tokens = np.array([1] + [0] * length + [1])
    expected = [1] + [2] * (length // 2) + [0] * (length % 2) + [1]
    assert joined(tokens, (0, 0), 2).tolist() == expected


def test_a_character_that_is_not_learned_is_named():
    with pytest.raises(ValueError, match="has no 'z'"):
        Vocabulary.learned("abc", 1).tokens("abz")


REFUSED = {
    "no text": (("--text", "none.txt"), "cannot read --text none.txt: No such file or directory"),
    "no characters": (("--text", "bytes"), "it is no UTF-8"),
    "a short text": (("--text", "short.txt"), "--text is of 3 tokens; 130 are learned from at least"),
    "an empty prompt": (("--prompt", ""), "--prompt is empty"),
    "a strange prompt": (("--prompt", "\u4e00"), "--prompt: the text that is learned has no '\u4e00'"),
    "no model": (("--model", "bytes"), "--model bytes is no model"),
    "another model": (("--model", "other.npz"), "--model other.npz is of another text"),
    "no folder": (("--model", "none/model.npz"), "--model none/model.npz can't be kept"),
    "no tokens": (("--tokens", "0"), "--minutes and --tokens are positive"),
}


@pytest.mark.parametrize(("options", "words"), REFUSED.values(), ids=REFUSED)
def test_what_is_of_no_use_is_refused_in_a_line(options, words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    (tmp_path / "short.txt").write_text("abc")
    np.savez(tmp_path / "other.npz", weight=np.zeros(3, np.float32))
    monkeypatch.setattr(sys, "argv", ["language_model", *options])
    with pytest.raises(SystemExit) as ended:
        language_model.main()
    assert ended.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("language_model: ")
    assert words in line
