"""How many bits of each of many images must change: found in several processes, kept, checked again."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeproof.circuits.doors.images import Images
from spikeproof.circuits.doors.networks import network_digest, read_network
from spikeproof.prover.checking.changed_spikes import Enumeration
from spikeproof.prover.checking.robustness import Checker
from spikeproof.prover.checking.scenarios import Scenarios, tabled
from spikeproof.prover.discovery.changed_spikes import SpikeSearcher
from spikeproof.prover.discovery.robustness import Searcher
from spikeproof.prover.engines.pool import results
from spikeproof.prover.evidence.distances import (
    DistanceFile,
    Header,
    Record,
    parsed,
    read_file,
    summarised,
)
from spikeproof.specs.networks import Network, NetworkError

Watch = Callable[[], None]
"""Called when an image is done."""


def header_of(network: Network, images: Images, flips: int) -> Header:
    """What a file about them says first.

    Raises:
        NetworkError: if the images are none for the network, or nothing is decided of such networks.
    """
    _Decider(network, flips)
    if not len(images):
        raise NetworkError("there are no images")
    if images.inputs.shape[1:] != (network.steps, network.inputs):
        raise NetworkError(
            f"a network of {network.steps} x {network.inputs} bits, and images of {{}} x {{}}".format(
                *images.inputs.shape[1:]
            )
        )
    return Header(
        network_digest(network), images.digest, len(images), min(flips, network.steps * network.inputs)
    )


def find_distances(
    model: Path,
    header: Header,
    images: Images,
    file: DistanceFile,
    seconds: float,
    jobs: int,
    watch: Watch,
) -> None:
    """Add to a file what is not decided in it.

    Args:
        model: the file of the network, which each process reads.
        seconds: that an image may take.
    """
    tasks = {
        image: (model, header.network, header.flips, image, images.inputs[image], seconds)
        for image in range(len(images))
        if image not in file.records
    }
    for record in results(_found, tasks, jobs, lambda image: None):
        if record is not None:  # else its process died, and nothing is known
            file.add(record)
        watch()
    file.finish()


@dataclass(frozen=True)
class VerifiedDistances:
    """What a file comes to.

    Attributes:
        records: those that hold, by number of image.
        refusals: what is wrong, each in a line.
        refused: how many images have a record that does not hold.
        notes: what is not wrong and is to be known, each in a line.
    """

    header: Header
    records: dict[int, Record]
    refusals: tuple[str, ...]
    refused: int = 0
    notes: tuple[str, ...] = ()


def verify_distances(
    path: Path, model: Path, network: Network, images: Images, jobs: int, watch: Watch
) -> VerifiedDistances:
    """Check every record of a file, believing nothing in it.

    Raises:
        NetworkError: if it cannot be read.
    """
    read = read_file(path)
    header = header_of(network, images, read.header.flips)
    if other := read.header.differs(header):
        return VerifiedDistances(header, {}, (f"{path} is about {other}",))
    records: dict[int, Record] = {}
    refusals, notes = [], []
    lines: dict[int, str] = {}
    for number, line in enumerate(read.lines, 2):
        said = parsed(line)
        if header.is_of(said):
            if said["image"] in lines:
                notes.append(f"image {said['image']} has another record in line {number}, which counts")
            lines[said["image"]] = line
        else:
            refusals.append(f"line {number}: no record of an image")
    tasks = {
        image: (model, header.network, header.flips, line, images.inputs[image])
        for image, line in lines.items()
    }
    for image, record, refusal in results(_checked, tasks, jobs, lambda image: (image, None, LOST)):
        if record is None:
            refusals.append(f"image {image}: {refusal}")
        else:
            records[image] = record
        watch()
    if missing := [image for image in range(header.count) if image not in lines]:
        others = f", nor have {len(missing) - 1:,} others" if missing[1:] else ""
        notes.append(f"image {missing[0]} has no record{others}")
    if read.torn:
        notes.append("the last line is not whole, and left out")
    refused = len(lines) - len(records)
    if (
        not refusals
        and read.summary is not None
        and read.summary != summarised(header, records.values())
    ):
        refusals.append("the summary does not follow from the records that hold")
    return VerifiedDistances(header, records, tuple(refusals), refused, tuple(notes))


LOST = "the process that checked it died"


class _Decider:
    """Who finds distances of a network, and who checks them: by trees, or, over time, by tables of what
    each neuron makes of changes, or else by trying all.

    Raises:
        NetworkError: on construction, if it sees one step, and does not add and then fire.
    """

    def __init__(self, network: Network, flips: int) -> None:
        self.flips = min(flips, network.steps * network.inputs)
        self.enumeration = Enumeration(network, flips)
        self.checker: Checker | Scenarios | Enumeration = self.enumeration
        self.searcher: Searcher | SpikeSearcher | None = None
        self.searched = 0
        """So many bits the searcher decides about; trying all about more."""
        if network.steps == 1:
            self.searched = self.flips
            self.searcher, self.checker = Searcher(network, flips), Checker(network, flips)
        elif found := tabled(network, self.flips):
            self.searched = found
            self.searcher = SpikeSearcher(network, found)
            self.checker = Scenarios(network, flips)

    def find(self, bits: NDArray[np.bool_], seconds: float) -> dict[str, Any]:
        """A record, but for the number of the image."""
        until = time.monotonic() + seconds
        if self.searcher is not None:
            found = asdict(self.searcher.distance(bits, seconds))
            record = {"class": found.pop("decision"), **found}
        else:
            decision = int(self.enumeration.decisions(bits, np.zeros((1, 0), np.int64))[0])
            record = {"class": decision, "radius": 0, "witness": None, "tree": []}
        try:
            while self.searched <= record["radius"] < self.flips and record["witness"] is None:
                record["witness"] = self.enumeration.nearest(
                    bits, record["class"], record["radius"] + 1, until
                )
                record["radius"] += record["witness"] is None
        except TimeoutError:
            pass
        return record


def _found(
    model: Path, digest: str, flips: int, image: int, bits: NDArray[np.bool_], seconds: float
) -> Record | None:
    return {"image": image, **_decider(model, digest, flips).find(bits, seconds)}


def _checked(
    model: Path, digest: str, flips: int, line: str, bits: NDArray[np.bool_]
) -> tuple[int, Record | None, str]:
    record = parsed(line)
    try:
        _decider(model, digest, flips).checker.check(bits, record)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        return record["image"], None, str(error)
    return record["image"], record, ""


@lru_cache(maxsize=1)
def _decider(model: Path, digest: str, flips: int) -> _Decider:
    """That of a file, made ready once in each process.

    Raises:
        NetworkError: if the file has another network by now.
    """
    network = read_network(model)
    if network_digest(network) != digest:
        raise NetworkError(f"{model}: has changed meanwhile")
    return _Decider(network, flips)
