"""Files of which devices of a network are right on each image: all up to a spread, or a share."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from spikeproof.prover.evidence import image_records
from spikeproof.prover.evidence.image_records import Record

SHARE = re.compile(r"\d{1,30}(/[1-9]\d{0,60})?")
"""A number of at least 0, as files have it, such as 3/23."""


def share(said: Any) -> Fraction | None:
    """The number; ``None`` if it is none."""
    return Fraction(said) if isinstance(said, str) and SHARE.fullmatch(said) else None


@dataclass(frozen=True)
class SpreadHeader(image_records.Header):
    """What a file of spreads is about.

    A record has ``class``, what the network takes the image for; ``spread``, a fraction: that is so on
    all devices whose deviations are all smaller, ``None`` if it is not the label; and of a device just
    beyond, on which it is not so: ``rival``, its spread ``beyond``, and as hexadecimal digits what its
    hidden neurons do, ``spikes`` (``specs.spreads.pushed``). These are ``None`` if there is no spread,
    or it is 1.
    """

    SCHEMA = "spikeproof-spread-1"
    FIELDS = ("image", "class", "spread", "rival", "beyond", "spikes")

    def is_of(self, record: Record) -> bool:
        """Whether a record is one of an image of these, as far as its fields say."""
        if not super().is_of(record) or type(record["class"]) is not int:
            return False
        return record["spread"] is None or share(record["spread"]) is not None


@dataclass(frozen=True)
class YieldHeader(image_records.Header):
    """What a file of yields is about.

    A record has ``class``, what the network takes the image for; ``least``, a fraction: no smaller share
    of devices gives the image its label, 0 if nothing is known; and why: of the hidden neurons all may
    do otherwise that are in ``free`` (``prover.checking.network_yields``).

    Attributes:
        deviation: of each number, as a share of its nominal value: a fraction.
    """

    SCHEMA = "spikeproof-yield-1"
    FIELDS = ("image", "class", "least", "free")

    deviation: str

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> image_records.Header:
        """That of a first line."""
        if not share(said["deviation"]):
            raise ValueError(cls.SCHEMA)
        return super().read(said)

    def differs(self, other: image_records.Header) -> str | None:
        """What it is about, if it is not the same."""
        about_others = super().differs(other)
        if about_others is None and isinstance(other, YieldHeader) and self.deviation != other.deviation:
            return "another deviation"
        return about_others

    def is_of(self, record: Record) -> bool:
        """Whether a record is one of an image of these, as far as its fields say."""
        return (
            super().is_of(record) and type(record["class"]) is int and share(record["least"]) is not None
        )
