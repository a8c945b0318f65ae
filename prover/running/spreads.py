"""Which devices of a network are right on each of many images: found, kept, checked again."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from spikeproof.circuits.doors.images import Images
from spikeproof.circuits.doors.networks import NetworkFile, network_digest
from spikeproof.prover.checking.network_spreads import MOST, check_spread
from spikeproof.prover.checking.network_yields import check_yield
from spikeproof.prover.evidence.image_records import Read, Record, RecordFile
from spikeproof.prover.evidence.spreads import SpreadHeader, YieldHeader
from spikeproof.prover.margins.network_spread import Spreads
from spikeproof.prover.margins.network_yield import Yield
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
from spikeproof.specs.networks import Network, Spikes, run

NO_WITNESS = {"rival": None, "beyond": None, "spikes": None}


def spread_header(network: Network, images: Images) -> SpreadHeader:
    """What a file of spreads says first.

    Raises:
        NetworkError: if the images are none for the network, or it has no limits of spread.
    """
    Spreads(network)
    require_images(network, images)
    return SpreadHeader(network_digest(network), images.digest, len(images))


def yield_header(network: Network, images: Images, deviation: Fraction) -> YieldHeader:
    """What a file of yields says first.

    Raises:
        NetworkError: if the images are none for the network, or there are no bounds of its yield.
    """
    Yield(network, deviation)
    require_images(network, images)
    return YieldHeader(network_digest(network), images.digest, len(images), str(deviation))


def find_spreads(model: NetworkFile, images: Images, file: RecordFile, jobs: int, watch: Watch) -> None:
    """Add to a file what it lacks; each process reads the file of the network."""
    complete(file, _spread, _tasks(images, model, file.header.network), jobs, watch)


def find_yields(model: NetworkFile, images: Images, file: RecordFile, jobs: int, watch: Watch) -> None:
    """Add to a file what it lacks; each process reads the file of the network."""
    assert isinstance(file.header, YieldHeader)
    about = model, file.header.network, Fraction(file.header.deviation)
    complete(file, _yield, _tasks(images, *about), jobs, watch)


def verify_spreads(
    read: Read[SpreadHeader],
    path: Path,
    model: NetworkFile,
    network: Network,
    images: Images,
    jobs: int,
    watch: Watch,
) -> Verified:
    """Check every record of a file, believing nothing in it."""
    header = spread_header(network, images)
    task = _tasks(images, model, header.network)
    return verify_records(read, header, path, _checked_spread, task, jobs, watch)


def verify_yields(
    read: Read[YieldHeader],
    path: Path,
    model: NetworkFile,
    network: Network,
    images: Images,
    jobs: int,
    watch: Watch,
) -> Verified:
    """Check every record of a file, believing nothing in it."""
    deviation = Fraction(read.header.deviation)
    header = yield_header(network, images, deviation)
    task = _tasks(images, model, header.network, deviation)
    return verify_records(read, header, path, _checked_yield, task, jobs, watch)


def _tasks(images: Images, *about: Any) -> Callable[[int], tuple[Any, ...]]:
    """For the number of an image, it and what it is about."""
    return lambda image: (*about, image, images.inputs[image], int(images.labels[image]))


def _spread(model: NetworkFile, digest: str, image: int, bits: Spikes, label: int) -> Record:
    network, spreads = _spreads(model, digest)
    record = {"image": image, "class": run(network, bits).decision, "spread": None}
    limit = spreads.limit(bits, label)
    if limit is None:
        return {**record, **NO_WITNESS}
    if limit.spread is None or limit.spread >= MOST:
        return {**record, "spread": str(MOST), **NO_WITNESS}
    assert limit.spikes is not None
    witness = {"beyond": str(limit.beyond), "spikes": np.packbits(limit.spikes).tobytes().hex()}
    return {**record, "spread": str(limit.spread), "rival": limit.rival, **witness}


def _yield(
    model: NetworkFile, digest: str, deviation: Fraction, image: int, bits: Spikes, label: int
) -> Record:
    network, yields = _yields(model, digest, deviation)
    bound = yields.bound(bits, label)
    decision = run(network, bits).decision
    return {"image": image, "class": decision, "least": str(bound.least), "free": list(bound.free)}


def _checked_spread(
    line: str, model: NetworkFile, digest: str, image: int, bits: Spikes, label: int
) -> Checked:
    network = _network(model, digest)
    return checked_line(line, lambda record: check_spread(network, bits, label, record))


def _checked_yield(
    line: str, model: NetworkFile, digest: str, deviation: Fraction, image: int, bits: Spikes, label: int
) -> Checked:
    network = _network(model, digest)
    return checked_line(line, lambda record: check_yield(network, bits, label, deviation, record))


@lru_cache(maxsize=1)
def _network(model: NetworkFile, digest: str) -> Network:
    return reread(model, digest)


@lru_cache(maxsize=1)
def _spreads(model: NetworkFile, digest: str) -> tuple[Network, Spreads]:
    network = _network(model, digest)
    return network, Spreads(network)


@lru_cache(maxsize=1)
def _yields(model: NetworkFile, digest: str, deviation: Fraction) -> tuple[Network, Yield]:
    network = _network(model, digest)
    return network, Yield(network, deviation)
