"""How many bits of each of many images must change: found in several processes, kept, checked again."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeproof.circuits.doors.images import Images
from spikeproof.circuits.doors.networks import NetworkFile, network_digest
from spikeproof.prover.checking.changed_spikes import Enumeration
from spikeproof.prover.checking.robustness import CertificateError, Checker
from spikeproof.prover.checking.scenarios import Scenarios, tabled
from spikeproof.prover.discovery.changed_spikes import SpikeSearcher
from spikeproof.prover.discovery.robustness import Searcher
from spikeproof.prover.evidence.distances import Header
from spikeproof.prover.evidence.image_records import Read, Record, RecordFile
from spikeproof.prover.running.cluster import Cluster
from spikeproof.prover.running.image_records import (
    Checked,
    Trusted,
    Verified,
    Watch,
    checked_line,
    complete,
    require_images,
    reread,
    verify_records,
)
from spikeproof.specs.networks import Network


def header_of(network: Network, images: Images, flips: int) -> Header:
    """What a file about them says first.

    Raises:
        NetworkError: if the images are none for the network, or nothing is decided of such networks.
    """
    _Decider(network, flips)
    require_images(network, images)
    return Header(
        network_digest(network), images.digest, len(images), min(flips, network.steps * network.inputs)
    )


def find_distances(
    model: NetworkFile,
    header: Header,
    images: Images,
    file: RecordFile,
    seconds: float,
    jobs: int,
    watch: Watch,
    cluster: Cluster | None = None,
) -> None:
    """Add to a file what is not decided in it.

    Args:
        model: the file of the network, which each process reads.
        seconds: that an image may take.
        cluster: whose workers decide, which have the file at the same place.

    Raises:
        ClusterError: if it is lost, or what it says of an image does not hold.
    """
    model = replace(model, path=model.path.absolute())

    def task(image: int) -> tuple[Any, ...]:
        return model, header.network, header.flips, image, images.inputs[image], seconds

    def refusal(image: int, record: Record) -> str:
        if record["image"] != image:
            return "it is of another image"
        line = json.dumps(record)
        return _checked(line, model, header.network, header.flips, images.inputs[image])[2]

    complete(file, _found, task, jobs, watch, Trusted(cluster, refusal) if cluster else None)


def verify_distances(
    read: Read[Header],
    path: Path,
    model: NetworkFile,
    network: Network,
    images: Images,
    jobs: int,
    watch: Watch,
) -> Verified:
    """Check every record of a file, believing nothing in it."""
    header = header_of(network, images, read.header.flips)

    def task(image: int) -> tuple[Any, ...]:
        return model, header.network, header.flips, images.inputs[image]

    return verify_records(read, header, path, _checked, task, jobs, watch)


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
        record, searched = self._searched(bits, seconds), self.searched
        if record is None:
            decision = int(self.enumeration.decisions(bits, np.zeros((1, 0), np.int64))[0])
            record, searched = {"class": decision, "radius": 0, "witness": None, "tree": []}, 0
        try:
            while searched <= record["radius"] < self.flips and record["witness"] is None:
                record["witness"] = self.enumeration.nearest(
                    bits, record["class"], record["radius"] + 1, until
                )
                record["radius"] += record["witness"] is None
        except TimeoutError:
            pass
        return record

    def _searched(self, bits: NDArray[np.bool_], seconds: float) -> dict[str, Any] | None:
        """What the searcher says, if there is; over time, where it rounds, if the checker agrees, which
        is never cut short."""
        if self.searcher is None:
            return None
        found = asdict(self.searcher.distance(bits, seconds))
        record = {"class": found.pop("decision"), **found}
        if isinstance(self.searcher, SpikeSearcher):
            try:
                self.checker.check(bits, record)
            except CertificateError:
                return None
        return record


def _found(
    model: NetworkFile, digest: str, flips: int, image: int, bits: NDArray[np.bool_], seconds: float
) -> Record:
    return {"image": image, **_decider(model, digest, flips).find(bits, seconds)}


def _checked(line: str, model: NetworkFile, digest: str, flips: int, bits: NDArray[np.bool_]) -> Checked:
    return checked_line(line, lambda record: _decider(model, digest, flips).checker.check(bits, record))


@lru_cache(maxsize=1)
def _decider(model: NetworkFile, digest: str, flips: int) -> _Decider:
    """That of a file, made ready once in each process."""
    return _Decider(reread(model, digest), flips)
