"""Files of what is certified of each of many images: for whoever goes on, and for whoever checks.

Lines of JSON: a header, which says of which network and images it is, by their digests; records of
images, in any order, of which the last counts; and, once all were tried, a summary. A process that is
killed leaves whole lines, and perhaps a part of one, and can go on.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from spikeproof.prover.evidence.files import write_atomically
from spikeproof.specs.networks import NetworkError

Record = Mapping[str, Any]
"""Of an image: ``image``, its number, and what its kind of file says of it."""

Records = Mapping[int, Record]
"""By number of image."""


@dataclass(frozen=True)
class Header:
    """What a file is about; each kind of file has its own.

    Attributes:
        network: its digest.
        images: that of the images, and labels.
        count: how many images there are.
    """

    SCHEMA: ClassVar[str]
    FIELDS: ClassVar[tuple[str, ...]]
    """Of a record."""

    network: str
    images: str
    count: int

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> Header:
        """That of a first line.

        Raises:
            ValueError, TypeError: if it is none of this kind.
        """
        found = cls(**{name: value for name, value in said.items() if name != "schema"})
        if said["schema"] != cls.SCHEMA or type(found.count) is not int or found.count < 1:
            raise ValueError(cls.SCHEMA)
        return found

    def written(self) -> dict[str, Any]:
        """The first line."""
        return {**asdict(self), "schema": self.SCHEMA}

    def differs(self, other: Header) -> str | None:
        """What it is about, if it is not the same."""
        if self.network != other.network:
            return "another network"
        if (self.images, self.count) != (other.images, other.count):
            return "other images, or chosen or coded otherwise (--first, --last, --coding, --level)"
        return None

    def is_of(self, record: Record) -> bool:
        """Whether a record is one of an image of these, as far as its fields say."""
        known = record.keys() == set(self.FIELDS) and type(record["image"]) is int
        return known and record["image"] in range(self.count)

    def is_decided(self, record: Record) -> bool:
        """Whether nothing is left to say of an image."""
        return True

    def summarised(self, records: Iterable[Record]) -> dict[str, Any]:
        """What they come to."""
        return {"decided": sum(map(self.is_decided, records))}


Kind = TypeVar("Kind", bound=Header)


@dataclass(frozen=True)
class Read(Generic[Kind]):
    """What is in a file: lines of records, and the summary, as they are.

    ``torn``: whether a part of a line is at its end.
    """

    header: Kind
    lines: tuple[str, ...]
    summary: dict[str, Any] | None
    torn: bool


def read_file(path: Path, kinds: Iterable[type[Kind]]) -> Read[Kind]:
    """What a file of one of some kinds has in it. Of its records nothing is checked.

    Raises:
        NetworkError: if it cannot be read, or is no such file; one line that names it.
    """
    known = {kind.SCHEMA: kind for kind in kinds}
    try:
        first, *lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        said = parsed(first)
        header = known[said["schema"]].read(said)
    except OSError as error:
        raise NetworkError(f"{path}: {error.strerror or error}") from None
    except (ValueError, TypeError, KeyError):
        raise NetworkError(f"{path}: no file of certificates ({', '.join(known)})") from None
    whole = [line for line in lines if line.endswith("\n")]
    summary = parsed(whole[-1]).get("summary") if whole else None
    records = tuple(whole if summary is None else whole[:-1])
    return Read(header, records, summary, len(whole) < len(lines))  # type: ignore[arg-type] # its kind


def parsed(line: str) -> dict[str, Any]:
    """The object in a line; one without anything if it is none."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


class RecordFile:
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
            read = read_file(path, [type(header)])
            if other := read.header.differs(header):
                raise NetworkError(f"{path}: is about {other}; name another file")
            self.records = dict(filter(None, map(self._decided, read.lines)))
        write_atomically(path, "".join(map(_line, (header.written(), *self.records.values()))))
        self._stream = open(path, "a", encoding="utf-8")  # noqa: SIM115

    def _decided(self, line: str) -> tuple[int, Record] | None:
        record = parsed(line)
        usable = self.header.is_of(record) and self.header.is_decided(record)
        return (record["image"], record) if usable else None

    def __enter__(self) -> RecordFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()

    def add(self, record: Record) -> None:
        """Write a record; it stays, whatever happens then."""
        self.records[record["image"]] = record
        self._write(record)

    def finish(self) -> None:
        """Write the summary."""
        self._write({"summary": self.header.summarised(self.records.values())})

    def _write(self, content: Mapping[str, Any]) -> None:
        self._stream.write(_line(content))
        self._stream.flush()


def _line(content: Mapping[str, Any]) -> str:
    return json.dumps(content, separators=(",", ":")) + "\n"
