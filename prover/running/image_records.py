"""Records of many images: made in several processes and kept, and checked again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spikeproof.circuits.doors.images import Images
from spikeproof.circuits.doors.networks import NetworkFile, network_digest
from spikeproof.prover.engines.pool import results
from spikeproof.prover.evidence.image_records import Header, Read, Record, RecordFile, parsed
from spikeproof.prover.running.cluster import Cluster, ClusterError
from spikeproof.specs.networks import Network, NetworkError

Watch = Callable[[], None]
"""Called when an image is done."""

LOST = "the process that checked it died"


@dataclass(frozen=True)
class Trusted:
    """Workers of a cluster, of whose records only those count that hold.

    Attributes:
        refusal: why a record of an image does not hold, or nothing.
    """

    cluster: Cluster
    refusal: Callable[[int, Record], str]

    def results(
        self, found: Callable[..., Record], tasks: Mapping[int, tuple[Any, ...]]
    ) -> Iterator[Record | None]:
        """The records of images as they come; None for one whose workers died.

        Raises:
            ClusterError: if one does not hold, or the cluster is lost.
        """
        for image, record in self.cluster.results(found, tasks, _nothing):
            if record is not None and (refusal := self.refusal(image, record)):
                raise ClusterError(f"what a worker sent of image {image} does not hold: {refusal}")
            yield record


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


def _nothing(image: int) -> Any:
    """What is known of an image whose process died."""


def complete(
    file: RecordFile,
    found: Callable[..., Record],
    task: Callable[[int], tuple[Any, ...]],
    jobs: int,
    watch: Watch,
    cluster: Trusted | None = None,
) -> None:
    """Add to a file what is not decided in it.

    Args:
        found: what makes a record, of the arguments that ``task`` gives for an image.
        cluster: whose workers make them, instead of processes here.
    """
    tasks = {image: task(image) for image in range(file.header.count) if image not in file.records}
    doing = cluster.results(found, tasks) if cluster else results(found, tasks, jobs, _nothing)
    for record in doing:
        if record is not None:  # else its process died, and nothing is known
            file.add(record)
        watch()
    file.finish()


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
    header: Header,
    path: Path,
    checked: Callable[..., Checked],
    task: Callable[[int], tuple[Any, ...]],
    jobs: int,
    watch: Watch,
) -> Verified:
    """Check every record of a file, believing nothing in it.

    Args:
        header: what it should be about.
        checked: whether a line holds, of the line and the arguments that ``task`` gives for its image.
    """
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
    tasks = {image: (line, *task(image)) for image, line in lines.items()}
    for image, record, refusal in results(checked, tasks, jobs, lambda image: (image, None, LOST)):
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


def checked_line(line: str, check: Callable[[dict[str, Any]], None]) -> Checked:
    """Whether a record holds, as a check says that raises if it does not."""
    record = parsed(line)
    try:
        check(record)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, ArithmeticError) as error:
        return record["image"], None, str(error)
    return record["image"], record, ""
