"""Records of many images: made in several processes and kept, and checked again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from spikeproof.circuits.doors.images import Images
from spikeproof.circuits.doors.networks import NetworkFile, network_digest
from spikeproof.prover.engines.pool import results
from spikeproof.prover.evidence.distances import Header as DistanceHeader
from spikeproof.prover.evidence.image_records import Header, Read, Record, RecordFile, parsed
from spikeproof.prover.evidence.spreads import SpreadHeader, YieldHeader
from spikeproof.prover.running.cluster import Cluster, ClusterError
from spikeproof.prover.running.robustness import Distances
from spikeproof.prover.running.spreads import SpreadLimits, YieldBounds
from spikeproof.specs.networks import Network, NetworkError, Spikes

Watch = Callable[[], None]
"""Called when an image is done."""

LOST = "the process that checked it died"

KINDS: dict[type[Header], Callable[[Network, Any], Any]] = {
    DistanceHeader: Distances,
    SpreadHeader: SpreadLimits,
    YieldHeader: YieldBounds,
}
"""By kind of file, who finds and checks what a record of an image says: ``find`` is given the image, its
label and seconds, ``check`` the image, its label and a record."""

Checked = tuple[int, Record | None, str]
"""The number of an image, its record if that holds, and else why it does not."""


def require_images(network: Network, images: Images) -> None:
    """Refuse what is none for a network.

    Raises:
        NetworkError: if there are no images, or of another shape.
    """
    if not len(images):
        raise NetworkError("there are no images")
    if images.inputs.shape[1:] != (network.steps, network.inputs):
        raise NetworkError(
            f"a network of {network.steps} x {network.inputs} bits, and images of {{}} x {{}}".format(
                *images.inputs.shape[1:]
            )
        )


def reread(model: NetworkFile, digest: str) -> Network:
    """The network of a file, in a process of its own.

    Raises:
        NetworkError: if the file has another network by now.
    """
    network = model.read()
    if network_digest(network) != digest:
        raise NetworkError(f"{model}: has changed meanwhile")
    return network


def header_about(kind: type[Header], network: Network, images: Images, *own: Any) -> Header:
    """What a file of a kind about them says first, and these things of its own.

    Raises:
        NetworkError: if the images are none for the network, or nothing is found of such networks.
    """
    header = kind(network_digest(network), images.digest, len(images), *own)
    KINDS[kind](network, header)
    require_images(network, images)
    return header


def complete(
    file: RecordFile,
    model: NetworkFile,
    images: Images,
    seconds: float,
    jobs: int,
    watch: Watch,
    cluster: Cluster | None = None,
) -> None:
    """Add to a file what is not decided in it.

    Args:
        model: the file of the network, which each process reads.
        seconds: that an image may take.
        cluster: whose workers decide instead of processes here, and have the file at the same place.

    Raises:
        ClusterError: if it is lost, or what it says of an image does not hold.
    """
    model = replace(model, path=model.path.absolute())
    tasks = {
        image: (model, file.header, image, *_shown(images, image), seconds)
        for image in range(file.header.count)
        if image not in file.records
    }
    for record in _holding(cluster, tasks) if cluster else results(_found, tasks, jobs, _nothing):
        if record is not None:  # else its process died, and nothing is known
            file.add(record)
        watch()
    file.finish()


def _holding(cluster: Cluster, tasks: Mapping[int, tuple[Any, ...]]) -> Iterator[Record | None]:
    """The records that workers send, each if it holds."""
    for image, record in cluster.results(_found, tasks, _nothing):
        if record is not None:
            model, header, _, bits, label, _ = tasks[image]
            *_, refusal = _checked(json.dumps(record), model, header, bits, label)
            if refusal or record["image"] != image:
                why = refusal or "it is of another image"
                raise ClusterError(f"what a worker sent of image {image} does not hold: {why}")
        yield record


def _nothing(image: int) -> Any:
    """What is known of an image whose process died."""


@dataclass(frozen=True)
class Verified:
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


def verify_records(
    read: Read[Any],
    path: Path,
    model: NetworkFile,
    network: Network,
    images: Images,
    jobs: int,
    watch: Watch,
) -> Verified:
    """Check every record of a file, believing nothing in it.

    Raises:
        NetworkError: if the images are none for the network, or nothing is found of such networks.
    """
    digests = {"network": network_digest(network), "images": images.digest}
    header: Header = replace(read.header, count=len(images), **digests)
    KINDS[type(header)](network, header)
    require_images(network, images)
    if other := read.header.differs(header):
        return Verified(header, {}, (f"{path} is about {other}",), header.count)
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
    tasks = {image: (line, model, header, *_shown(images, image)) for image, line in lines.items()}
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
    summary = header.summarised(records.values())
    if not refusals and read.summary is not None and read.summary != summary:
        refusals.append("the summary does not follow from the records that hold")
    return Verified(header, records, tuple(refusals), refused, tuple(notes))


def _shown(images: Images, image: int) -> tuple[Spikes, int]:
    """An image and its label."""
    return images.inputs[image], int(images.labels[image])


def _found(
    model: NetworkFile, header: Header, image: int, bits: Spikes, label: int, seconds: float
) -> Record:
    return {"image": image, **_decider(model, header).find(bits, label, seconds)}


def _checked(line: str, model: NetworkFile, header: Header, bits: Spikes, label: int) -> Checked:
    """Whether a record holds."""
    record, decider = parsed(line), _decider(model, header)
    try:
        decider.check(bits, label, record)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, ArithmeticError) as error:
        return record["image"], None, str(error)
    return record["image"], record, ""


@lru_cache(maxsize=1)
def _decider(model: NetworkFile, header: Header) -> Any:
    """That of a file, made ready once in each process."""
    return KINDS[type(header)](reread(model, header.network), header)
