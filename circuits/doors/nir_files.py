"""Files of NIR, which are HDF5: what parses them is not ours, and a damaged file may crash it.

So that is done in a process of its own, which hands on what the file holds: text and arrays of numbers.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any

import numpy as np

from spikeproof.circuits.doors.apart import ForeignCodeError, Limits, ask_apart

MAX_NUMBERS = 10_000_000
"""How many numbers a file may hold."""
MAX_NESTING = 32
"""How deep graphs are within graphs."""

GROUPS = 4
"""A graph within a graph is so many groups of HDF5 deeper, at most."""


def file_content(path: Path | str) -> dict[str, Any]:
    """What a file holds: a dictionary for each group, in it text, arrays, and such dictionaries.

    Raises:
        NetlistError: if it cannot be read, is too large or too deep, or points elsewhere; one line that
            names it.
    """
    request = {"path": str(Path(path).absolute())}
    found = ask_apart(f"{__name__}:{parsed.__name__}", request, str(path), Limits())
    content: dict[str, Any] = decoded(found)
    return content


def decoded(item: Any) -> Any:
    """The inverse of what ``parsed`` does with each."""
    if isinstance(item, dict):
        return {name: decoded(each) for name, each in item.items()}
    if isinstance(item, str):
        return item
    kind, shape, octets = item
    flat = np.array(octets, object) if kind == "text" else np.frombuffer(b64decode(octets), kind)
    return flat.reshape(shape)[()]


# --- in the other process -----------------------------------------------------------------------


def parsed(request: dict[str, str]) -> dict[str, Any]:
    """What the file at a path holds, as JSON has it.

    Raises:
        ForeignCodeError: as ``file_content`` says.
    """
    import h5py

    try:
        with h5py.File(request["path"], "r") as file:
            _require_bounds(file)
            return {name: _encoded(item) for name, item in file.items()}
    except ForeignCodeError:
        raise
    except Exception as error:  # of HDF5 anything
        raise ForeignCodeError(f"no graph of NIR: {str(error) or type(error).__name__}") from None


def _require_bounds(file: Any) -> None:
    """Look at what a file holds before any of it is loaded."""
    import h5py

    numbers, deepest = 0, GROUPS * MAX_NESTING
    pending = [(file, 0)]
    while pending:
        group, depth = pending.pop()
        if depth > deepest:
            raise ForeignCodeError(f"it is nested more than {deepest} deep; flatten it")
        for name in group:
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise ForeignCodeError(f"{name!r} points to another place; write the graph whole")
            item = group[name]
            numbers += 1 if isinstance(item, h5py.Group) else item.size or 1
            if numbers > MAX_NUMBERS:
                raise ForeignCodeError(
                    f"it holds more than {MAX_NUMBERS:,} numbers, the most that is read"
                )
            if isinstance(item, h5py.Group):
                pending.append((item, depth + 1))


def _encoded(item: Any) -> Any:
    """A group, text, or an array as its type, shape, and octets or texts."""
    if hasattr(item, "items"):
        return {name: _encoded(each) for name, each in item.items()}
    value = item[()]
    if isinstance(value, bytes):
        return value.decode()
    array = np.asarray(value)
    if array.dtype.kind == "O":
        return "text", array.shape, [each.decode() for each in array.ravel()]
    return array.dtype.str, array.shape, b64encode(array.tobytes()).decode()
