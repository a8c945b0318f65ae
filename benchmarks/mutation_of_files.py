"""Files that are like others: with octets, words, lines, or values changed. For ``fuzz_readers``."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from copy import deepcopy
from io import BytesIO
from random import Random
from typing import Any

WORD = re.compile(rb"\s+|[\w.$\[\]]+|.", re.DOTALL)

NUMBERS = (
    *(b"0", b"1", b"-1", b"2", b"7", b"255", b"4294967296", b"9999999999", b"1" + b"0" * 30),
    *(b"9" * 5000, b"-0", b"1e999", b"1e-999", b"0x10", b"1/3", b"1/0", b"0.5", b"NaN", b"-Infinity"),
    *("\u0663".encode(), "\u00b2".encode(), b"1_0", b"+1", b" 1", b"1.", b"", b"true", b"null"),
)
"""That readers of numbers get wrong; digits of other scripts among them."""

TEXTS = (
    *("", "x", "x[0]", "x[7]", "a b", "\n", "\ud800", "\0", "\x1b[31m", "\u202e", "NaN", "1/3", "3/0"),
    *("\u0663", "1e999", "9" * 90, "x" * 3000, "..", "-", "0", "1", "$_AND_", "[", "top"),
)
LONGEST = 1 << 17
"""Octets of a file."""
LARGE = 1 << 14
"""Octets above which a file is changed as text, lest it grow and grow."""

VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 2, 3, -2, -3, 1 << 31, 1 << 64, 10**18, 10**4000, -(10**4000)),
    *(0.5, float("nan"), float("inf"), [], {}, [[]], [0], [1, 1], [None], [["x", 1]], {"x": 1}),
)


def changed_octets(draw: Random, content: bytes, others: Sequence[bytes]) -> bytes:
    """With some octets others, more, fewer, or elsewhere."""
    found = bytearray(content)
    for _ in range(draw.choice((1, 1, 2, 4, 16))):
        at = draw.randrange(len(found) + 1)
        match draw.randrange(6):
            case 0:
                found[at : at + 1] = bytes([draw.randrange(256)])
            case 1:
                found[at : at + 1] = bytes([draw.choice((0, 1, 127, 128, 255))]) * draw.choice((1, 4, 8))
            case 2:
                del found[at : at + draw.choice((1, 2, 8, 64))]
            case 3:
                found[at:at] = found[draw.randrange(len(found) + 1) :][: draw.choice((1, 8, 64))]
            case 4 if found:
                found[at - 1] ^= 1 << draw.randrange(8)
            case 5:
                return changed_words(draw, bytes(found), others)
    return bytes(found)


def changed_words(draw: Random, content: bytes, others: Sequence[bytes]) -> bytes:
    """With some words or lines others, more, fewer, or elsewhere; or cut, or joined to another file."""
    for _ in range(draw.choice((1, 1, 1, 2, 4))):
        content = draw.choice(_WAYS)(draw, content, others)[:LONGEST]
    return content


def _other_word(draw: Random, content: bytes, others: Sequence[bytes]) -> bytes:
    words = WORD.findall(content) or [b""]
    words[draw.randrange(len(words))] = draw.choice(
        (draw.choice(NUMBERS), draw.choice(words), draw.choice(WORD.findall(draw.choice(others))))
    )
    return b"".join(words)


def _other_number(draw: Random, content: bytes, others: Sequence[bytes]) -> bytes:
    places = list(re.finditer(rb"\d+", content))
    if not places:
        return _other_word(draw, content, others)
    found = draw.choice(places)
    number = int(found[0][:20]) + draw.choice((-2, -1, 1, 2))
    other = draw.choice((str(number).encode(), draw.choice(NUMBERS)))
    return content[: found.start()] + other + content[found.end() :]


def _moved(parts: list[bytes], draw: Random) -> bytes:
    """With a part twice, lost, or in the place of another."""
    if not parts:
        return b""
    here, there = draw.randrange(len(parts)), draw.randrange(len(parts))
    match draw.randrange(4):
        case 0:
            del parts[here]
        case 1:
            parts.insert(there, parts[here])
        case 2:
            parts[here], parts[there] = parts[there], parts[here]
        case 3:
            parts[here] *= min(draw.choice((2, 10, 3000)), 1 + LONGEST // (1 + len(parts[here])))
    return b"".join(parts)


def _moved_words(draw: Random, content: bytes, others: Sequence[bytes]) -> bytes:
    return _moved(WORD.findall(content), draw)


def _moved_lines(draw: Random, content: bytes, others: Sequence[bytes]) -> bytes:
    return _moved(content.splitlines(keepends=True), draw)


def _cut(draw: Random, content: bytes, others: Sequence[bytes]) -> bytes:
    return content[: draw.randrange(len(content) + 1)]


def _joined(draw: Random, content: bytes, others: Sequence[bytes]) -> bytes:
    other = draw.choice(others)
    return _cut(draw, content, others) + other[draw.randrange(len(other) + 1) :]


_WAYS: tuple[Callable[[Random, bytes, Sequence[bytes]], bytes], ...] = (
    *(_other_word, _other_word, _other_number, _other_number, _other_number),
    *(_moved_words, _moved_words, _moved_lines, _moved_lines, _cut, _joined),
)


# --- JSON ---------------------------------------------------------------------------------------


def changed_json(draw: Random, content: bytes, others: Sequence[bytes]) -> bytes:
    """With some values or keys others, twice, or gone; or as text."""
    if len(content) > LARGE:
        return changed_words(draw, content, others)
    try:
        data = json.loads(content)
        for _ in range(draw.choice((1, 1, 2, 3))):
            data = _changed_value(draw, data)
        text = json.dumps(data, indent=draw.choice((None, 1))).encode()
    except (ValueError, RecursionError):
        return changed_words(draw, content, others)
    return changed_words(draw, text, others) if draw.random() < 0.2 else text


def _changed_value(draw: Random, data: Any) -> Any:
    """Decoded JSON with one place changed."""
    places = _places(data)
    if not places:
        return deepcopy(draw.choice(VALUES))
    inside, key = draw.choice(places)
    _, elsewhere = draw.choice(places)
    match draw.randrange(8):
        case 0:
            inside[key] = deepcopy(draw.choice(VALUES))
        case 1:
            inside[key] = draw.choice(TEXTS)
        case 2:
            del inside[key]
        case 3:
            other, at = draw.choice(places)
            inside[key] = deepcopy(other[at])
        case 4 if isinstance(inside, list):
            inside.insert(key, deepcopy(inside[key]))
        case 4 | 5 if isinstance(inside, dict):
            inside[draw.choice((*TEXTS, str(elsewhere)))] = deepcopy(inside[key])
        case 6 if isinstance(inside[key], int):
            inside[key] = int(inside[key]) + draw.choice((-2, -1, 1, 2))
        case 7:
            inside[key] = [inside[key]]
    return data


def _places(data: Any) -> list[tuple[Any, Any]]:
    """Every place of decoded JSON that holds something: what it is in, and where there."""
    found: list[tuple[Any, Any]] = []
    pending = [data]
    while pending:
        each = pending.pop()
        keys: list[Any] = (
            list(each)
            if isinstance(each, dict)
            else list(range(len(each)))
            if isinstance(each, list)
            else []
        )
        found.extend((each, key) for key in keys)
        pending.extend(each[key] for key in keys)
    return found


# --- HDF5 ---------------------------------------------------------------------------------------


def changed_graph(draw: Random, content: bytes, others: Sequence[bytes]) -> bytes:
    """A graph of NIR with some items others, elsewhere, or gone; a valid file still."""
    import h5py

    stream = BytesIO(content)
    try:
        with h5py.File(stream, "r+") as file:
            for _ in range(draw.choice((1, 1, 2, 3))):
                _change_item(draw, file)
    except (OSError, RuntimeError, ValueError, KeyError, TypeError):  # of HDF5, which forbids some
        return draw.choice(others)
    return stream.getvalue()


def _change_item(draw: Random, file: Any) -> None:
    import h5py

    names: list[str] = []
    file.visit(names.append)
    if not names:
        return
    name, other = draw.choice(names), draw.choice(names)
    item = file[name]
    match draw.randrange(10):
        case 0:
            del file[name]
        case 1:
            file.copy(other, f"{name}_")
        case 2:
            file[f"{name}_"] = draw.choice(
                (h5py.SoftLink(f"/{other}"), item, h5py.ExternalLink("x", "/"))
            )
        case 3:
            file.move(name, draw.choice((f"{other}_", f"{name}\n", "node/nodes/a b", f"{other}/within")))
        case 4:
            file[f"{name.rpartition('/')[0]}/{draw.choice(FIELDS)}"] = _array(draw, 1.0)
        case _ if isinstance(item, h5py.Dataset):
            value = item[()]
            del file[name]
            file[name] = _array(draw, value)


KINDS = (
    *("Input", "Output", "Linear", "Affine", "LIF", "IF", "CubaLIF", "Threshold", "Scale", "Flatten"),
    *("Conv1d", "Conv2d", "SumPool2d", "AvgPool2d", "NIRGraph", "Delay", "LI", "", "\n", "\ud7ff"),
)
FIELDS = ("bias", "v_reset", "nodes", "type", "edges", "weight", "stride", "groups", "w_in", "metadata")
REALS = (0.0, -1.0, 0.5, 3.0, float("nan"), float("inf"), -float("inf"), 1e300, 1e-300, 2.0**62, 1e9)
TYPES = ("i1", "u8", "i8", "f2", "f4", "f8", "c8", "?", "S3")


def _array(draw: Random, value: Any) -> Any:
    """A value like another, of other numbers, another shape or type."""
    import numpy as np

    if isinstance(value, bytes):
        return draw.choice((*KINDS, value.decode("utf-8", "replace") + "_", 3, [value]))
    found = np.array(value)
    match draw.randrange(8):
        case 0 if found.dtype.kind in "if" and found.size:
            with np.errstate(all="ignore"):
                found.flat[draw.randrange(found.size)] = np.array(draw.choice(REALS)).astype(found.dtype)
        case 1:
            found = found.ravel()[: draw.randrange(found.size + 1)]
        case 2:
            found = found[None]
        case 3:
            with np.errstate(all="ignore"):
                found = found.astype(draw.choice(TYPES))
        case 4:
            found = found.T
        case 5:
            found = np.repeat(found.ravel(), draw.choice((2, 3, 1000)))
        case 6:
            return draw.choice(
                (*REALS, *KINDS, 1 << 40, -3, 0, np.zeros((0, 2)), np.ones((1, 1, 1, 1, 1)))
            )
        case 7 if found.dtype.kind == "O" and found.size:
            found.flat[draw.randrange(found.size)] = draw.choice(("input", "output", "lif", "", "x"))
    return found
