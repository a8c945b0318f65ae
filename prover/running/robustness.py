"""How many bits of each of many images must change: found in several processes, kept, checked again."""

from __future__ import annotations

import time
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeproof.circuits.doors.images import Images
from spikeproof.circuits.doors.networks import NetworkFile, network_digest
from spikeproof.prover.checking.changed_spikes import Enumeration, Shifts
from spikeproof.prover.checking.robustness import CertificateError, Checker
from spikeproof.prover.checking.scenarios import Scenarios, summed, tabled
from spikeproof.prover.discovery.changed_spikes import SpikeSearcher
from spikeproof.prover.discovery.robustness import Searcher
from spikeproof.prover.evidence.distances import FLIPS, SHIFTS, Header
from spikeproof.prover.evidence.image_records import Read, Record, RecordFile
from spikeproof.prover.running.image_records import (
    Checked,
    Verified,
    Watch,
    checked_line,
    complete,
    require_images,
    reread,
    verify_records,
)
from spikeproof.specs.networks import Network, NetworkError


def header_of(network: Network, images: Images, flips: int, changes: str = FLIPS) -> Header:
    """What a file about them says first.

    Raises:
        NetworkError: if the images are none for the network, or nothing is decided of such networks.
    """
    _Decider(network, flips, changes)
    require_images(network, images)
    most = min(flips, network.steps * network.inputs) if changes == FLIPS else flips
    return Header(network_digest(network), images.digest, len(images), most, changes)


def find_distances(
    model: NetworkFile,
    header: Header,
    images: Images,
    file: RecordFile,
    seconds: float,
    jobs: int,
    watch: Watch,
) -> None:
    """Add to a file what is not decided in it.

    Args:
        model: the file of the network, which each process reads.
        seconds: that an image may take.
    """

    def task(image: int) -> tuple[Any, ...]:
        about = model, header.network, header.flips, header.changes
        return *about, image, images.inputs[image], seconds

    complete(file, _found, task, jobs, watch)


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
    header = header_of(network, images, read.header.flips, read.header.changes)

    def task(image: int) -> tuple[Any, ...]:
        return model, header.network, header.flips, header.changes, images.inputs[image]

    return verify_records(read, header, path, _checked, task, jobs, watch)


class _Decider:
    """Who finds distances of a network, and who checks them: by trees, or, over time, by tables of what
    each neuron makes of changes, or else by trying all.

    Raises:
        NetworkError: on construction, if it sees one step, and does not add and then fire.
    """

    def __init__(self, network: Network, flips: int, changes: str = FLIPS) -> None:
        if changes == SHIFTS and network.steps == 1:
            raise NetworkError("a spike of one step cannot move")
        self.flips = flips if changes == SHIFTS else min(flips, network.steps * network.inputs)
        self.enumeration = Shifts(network, flips) if changes == SHIFTS else Enumeration(network, flips)
        self.checker: Checker | Scenarios | Enumeration = self.enumeration
        self.searcher: Searcher | SpikeSearcher | None = None
        self.nearest = self.enumeration.nearest
        self.searched = 0
        """So many bits the searcher decides about; trying all about more."""
        if changes == SHIFTS:
            return
        if network.steps == 1:
            self.searched = self.flips
            self.searcher, self.checker = Searcher(network, flips), Checker(network, flips)
        elif found := tabled(network, self.flips):
            self.searched = found if summed(network) else 1
            self.searcher = SpikeSearcher(network, self.searched)
            self.checker = scenarios = Scenarios(network, flips)
            self.nearest = scenarios.nearest

    def find(self, bits: NDArray[np.bool_], seconds: float) -> dict[str, Any]:
        """A record, but for the number of the image."""
        until = time.monotonic() + seconds
        record, searched = self._searched(bits, seconds), self.searched
        if record is None:
            decision = int(self.enumeration.decisions(bits, np.zeros((1, 0), np.int64))[0])
            record, searched = {"class": decision, "radius": 0, "witness": None, "tree": []}, 0
        try:
            while searched <= record["radius"] < self.flips and record["witness"] is None:
                record["witness"] = self.nearest(bits, record["class"], record["radius"] + 1, until)
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
    model: NetworkFile,
    digest: str,
    flips: int,
    changes: str,
    image: int,
    bits: NDArray[np.bool_],
    seconds: float,
) -> Record:
    return {"image": image, **_decider(model, digest, flips, changes).find(bits, seconds)}


def _checked(
    line: str, model: NetworkFile, digest: str, flips: int, changes: str, bits: NDArray[np.bool_]
) -> Checked:
    checker = _decider(model, digest, flips, changes).checker
    return checked_line(line, lambda record: checker.check(bits, record))


@lru_cache(maxsize=1)
def _decider(model: NetworkFile, digest: str, flips: int, changes: str) -> _Decider:
    """That of a file, made ready once in each process."""
    return _Decider(reread(model, digest), flips, changes)
