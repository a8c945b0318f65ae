"""Files of how many bits of each image must change before a network's class does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from spikeproof.prover.evidence import image_records
from spikeproof.prover.evidence.image_records import Record

FLIPS, SHIFTS = "flips", "shifts"
"""What an image is changed by."""


@dataclass(frozen=True)
class Header(image_records.Header):
    """What a file is about.

    A record has ``class``, what the network takes the image for; ``radius``, so many bits can change,
    and the class does not; ``tree``, why (``prover.checking.robustness``); ``witness``, one bit more,
    the change of which changes the class, or ``None``.

    Attributes:
        flips: how many bits may change.
        changes: how: they may all, ``FLIPS``; or spikes may move, and ``flips`` is by how many steps in
            all, and ``radius``, while ``witness`` is still which bits change: ``SHIFTS``.
    """

    SCHEMA = "spikeproof-robustness-1"
    FIELDS = ("image", "class", "radius", "witness", "tree")

    flips: int
    changes: str = FLIPS

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> image_records.Header:
        """That of a first line."""
        if type(said["flips"]) is not int or said["flips"] < 1:
            raise ValueError(cls.SCHEMA)
        if said.get("changes", FLIPS) not in (FLIPS, SHIFTS):
            raise ValueError(cls.SCHEMA)
        return super().read(said)

    def differs(self, other: image_records.Header) -> str | None:
        """What it is about, if it is not the same."""
        about_others = super().differs(other)
        if about_others is None and isinstance(other, Header):
            if self.changes != other.changes:
                return "another kind of change"
            if self.flips != other.flips:
                return "another number of bits"
        return about_others

    def is_of(self, record: Record) -> bool:
        """Whether a record is one of an image of these, as far as its fields say."""
        return super().is_of(record) and all(type(record[name]) is int for name in ("class", "radius"))

    def is_decided(self, record: Record) -> bool:
        """Whether nothing is left to say of an image."""
        return record["witness"] is not None or bool(record["radius"] >= self.flips)

    def summarised(self, records: Iterable[Record]) -> dict[str, Any]:
        """How many images are decided, and how many have which radius."""
        decided = [record for record in records if self.is_decided(record)]
        radii = Counter(record["radius"] for record in decided)
        return {
            "decided": len(decided),
            "radii": {str(radius): radii[radius] for radius in sorted(radii)},
        }
