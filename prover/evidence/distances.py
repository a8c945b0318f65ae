"""Files of how many bits of each image must change before a network's class does.

Lines of JSON: a header, which says of which network and images it is, by their digests; records of
images, in any order, of which the last counts; and, once all were tried, a summary. A process that is
killed leaves whole lines, and perhaps a part of one, and can go on.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from spikeproof.prover.evidence.files import write_atomically
from spikeproof.specs.networks import NetworkError

SCHEMA = "spikeproof-robustness-1"

FIELDS = ("image", "class", "radius", "witness", "tree")
"""Of a record."""

Record = Mapping[str, Any]
"""``image``: its number; ``class``: what the network takes it for; ``radius``: so many bits can change,
and the class does not; ``tree``: why (``prover.checking.robustness``); ``witness``: one bit more, the
change of which changes the class, or ``None``.
"""


@dataclass(frozen=True)
class Header:
    """What a file is about.

    Attributes:
        network: its digest.
        images: that of the images, and labels.
        count: how many images there are.
        flips: how many bits may change.
    """

    network: str
    images: str
    count: int
    flips: int
    schema: str = SCHEMA

    def differs(self, other: Header) -> str | None:
        """What it is about, if it is not the same."""
        if self.network != other.network:
            return "another network"
        if (self.images, self.count) != (other.images, other.count):
            return "other images"
        return "another number of bits" if self.flips != other.flips else None

    def is_of(self, record: Record) -> bool:
        """Whether a record is one of an image of these, as far as its fields say."""
        numbers = [record.get(name) for name in FIELDS[:3]]
        known = record.keys() == set(FIELDS) and all(type(each) is int for each in numbers)
        return known and record["image"] in range(self.count)

    def is_decided(self, record: Record) -> bool:
        """Whether nothing is left to say of an image."""
        return record["witness"] is not None or record["radius"] >= self.flips


def summarised(header: Header, records: Iterable[Record]) -> dict[str, Any]:
    """How many images are decided, and how many have which radius."""
    decided = [record for record in records if header.is_decided(record)]
    radii = Counter(record["radius"] for record in decided)
    return {"decided": len(decided), "radii": {str(radius): radii[radius] for radius in sorted(radii)}}


@dataclass(frozen=True)
class Read:
    """What is in a file: lines of records, and the summary, as they are.

    ``torn``: whether a part of a line is at its end.
    """

    header: Header
    lines: tuple[str, ...]
    summary: dict[str, Any] | None
    torn: bool


def read_file(path: Path) -> Read:
    """What a file has in it. Of its records nothing is checked.

    Raises:
        NetworkError: if it cannot be read, or is no such file; one line that names it.
    """
    try:
        first, *lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        header = Header(**json.loads(first))
    except OSError as error:
        raise NetworkError(f"{path}: {error.strerror or error}") from None
    except (ValueError, TypeError, RecursionError):
        raise NetworkError(f"{path}: no file of certificates ({SCHEMA})") from None
    if header.schema != SCHEMA or not all(
        type(n) is int and n > 0 for n in (header.count, header.flips)
    ):
        raise NetworkError(f"{path}: no file of certificates ({SCHEMA})")
    whole = [line for line in lines if line.endswith("\n")]
    summary = parsed(whole[-1]).get("summary") if whole else None
    records = tuple(whole if summary is None else whole[:-1])
    return Read(header, records, summary, len(whole) < len(lines))


def parsed(line: str) -> dict[str, Any]:
    """The object in a line; one without anything if it is none."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


class DistanceFile:
    """A file that records are added to; what it had of the same network and images is kept.

    Attributes:
        records: of what is decided, by number of image.

    Raises:
        NetworkError: on construction, if there is a file about something else.
        OSError: if it cannot be written.
    """

    def __init__(self, path: Path, header: Header) -> None:
        self.header = header
        self.records: dict[int, Record] = {}
        if path.exists() and path.stat().st_size:
            read = read_file(path)
            if other := read.header.differs(header):
                raise NetworkError(f"{path}: is about {other}; name another file")
            self.records = dict(filter(None, map(self._decided, read.lines)))
        write_atomically(path, "".join(map(_line, (asdict(header), *self.records.values()))))
        self._stream = open(path, "a", encoding="utf-8")  # noqa: SIM115

    def _decided(self, line: str) -> tuple[int, Record] | None:
        record = parsed(line)
        usable = self.header.is_of(record) and self.header.is_decided(record)
        return (record["image"], record) if usable else None

    def __enter__(self) -> DistanceFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()

    def add(self, record: Record) -> None:
        """Write a record; it stays, whatever happens then."""
        self.records[record["image"]] = record
        self._write(record)

    def finish(self) -> None:
        """Write the summary."""
        self._write({"summary": summarised(self.header, self.records.values())})

    def _write(self, content: Mapping[str, Any]) -> None:
        self._stream.write(_line(content))
        self._stream.flush()


def _line(content: Mapping[str, Any]) -> str:
    return json.dumps(content, separators=(",", ":")) + "\n"
