"""``spikeproof network``."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from spikeproof.prover.commands.console import (
    EXIT_REFUTED,
    EXIT_UNDECIDED,
    err,
    examples,
    jobs_option,
    out,
    progress_bar,
    require_writable,
    timeout_option,
    writing,
)
from spikeproof.prover.evidence.files import write_atomically
from spikeproof.prover.running.machines import THREAD_VARIABLES

DRAWINGS = (".svg", ".png", ".pdf")
DIGITS = "digits"
"""Names the images that come with scikit-learn."""


def images_of(name: str, level: int | None, first: int | None) -> Any:
    """The images that were named, or the first of them.

    Raises:
        NetworkError: if there are none.
    """
    from spikeproof.circuits.doors.images import HALF_OF_A_BYTE, digits, read_images

    found = digits() if name == DIGITS else read_images(name, level=level or HALF_OF_A_BYTE)
    return found if first is None else found.chosen(slice(first))


def given(command: Callable[..., Any]) -> Callable[..., Any]:
    """A network, and images."""
    for each in (
        jobs_option(),
        click.option("--first", type=click.IntRange(1), metavar="N", help="Only the first N images."),
        click.option(
            "--level",
            type=click.IntRange(1, 255),
            help="How bright a pixel of a directory of IDX files must be to be a spike (default: 128).",
        ),
        click.argument("images_name", metavar="IMAGES"),
        click.argument("model", metavar="MODEL", type=click.Path(path_type=Path)),
    ):
        command = each(command)
    return command


def _drawn(context: click.Context, parameter: click.Parameter, value: Path | None) -> Path | None:
    """A file whose name says what it is."""
    if value is not None and value.suffix not in DRAWINGS:
        raise click.BadParameter(f"{value}: end its name in {', '.join(DRAWINGS)}")
    return value


@click.group(
    epilog=examples(
        "network robustness model.npz images.npz --flips 5 --plot accuracy.svg",
        "network verify robustness.jsonl model.npz images.npz",
    )
)
def network() -> None:
    """Certify what a network of neurons makes of images.

    MODEL is a file of a network; IMAGES an archive, a directory of IDX files, or digits: see
    docs/networks.md.
    """
    # Before NumPy is loaded: processes work side by side, and more threads of theirs only wait.
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, "1"))


@network.command(
    epilog=examples(
        "network robustness model.npz images.npz --flips 3",
        "network robustness model.npz mnist --flips 5 --first 100 --plot accuracy.svg",
    )
)
@given
@click.option(
    "--flips",
    type=click.IntRange(1),
    required=True,
    metavar="K",
    help="So many bits may change.",
)
@click.option(
    "--file",
    "file",
    type=click.Path(path_type=Path),
    default=Path("robustness.jsonl"),
    show_default=True,
    metavar="FILE",
    help="Keep certificates in FILE, and go on with what it has.",
)
@timeout_option("an image")
@click.option(
    "--plot",
    "plot_file",
    type=click.Path(path_type=Path),
    callback=_drawn,
    metavar="FILE",
    help=f"Plot certified accuracy to FILE, its name ending in {', '.join(DRAWINGS)}.",
)
def robustness(
    model: Path,
    images_name: str,
    flips: int,
    file: Path,
    timeout: float,
    level: int | None,
    first: int | None,
    plot_file: Path | None,
    jobs: int | None,
) -> None:
    """How many bits of each image must change before its class does.

    Exactly, up to K, of networks that see one step. Interrupted, it is continued by the same command.
    Exit code 0 if every image is decided, 3 if some are not.
    """
    from spikeproof.circuits.doors.networks import read_network
    from spikeproof.prover.evidence.distances import DistanceFile
    from spikeproof.prover.report.robustness import levels, levels_plot, levels_table
    from spikeproof.prover.running.robustness import find_distances, header_of

    require_writable(file)
    require_writable(plot_file)
    if plot_file:
        import_module("matplotlib")  # missed now, not when all is done
    images = images_of(images_name, level, first)
    header = header_of(read_network(model), images, flips)
    with writing(file), DistanceFile(file, header) as kept, progress_bar("deciding") as progress:
        task = progress.add_task("", total=len(images), completed=len(kept.records))
        if kept.records:
            err.print(f"continued: {len(kept.records):,} of {len(images):,} images were decided before")
        find_distances(
            model,
            header,
            images,
            kept,
            timeout,
            jobs or os.cpu_count() or 1,
            lambda: progress.advance(task),
        )
        records = dict(kept.records)
    found = levels(header, images, records)
    out.print(levels_table(found))
    if plot_file:
        with writing(plot_file):
            write_atomically(plot_file, levels_plot(found, plot_file.suffix))
    undecided = header.count - sum(map(header.is_decided, records.values()))
    out.print(
        f"\n{header.count:,} images, {undecided:,} undecided; certificates: {file}", soft_wrap=True
    )
    sys.exit(EXIT_UNDECIDED if undecided else 0)


@network.command(
    epilog=examples("network verify robustness.jsonl model.npz images.npz"),
)
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@given
def verify(
    file: Path, model: Path, images_name: str, level: int | None, first: int | None, jobs: int | None
) -> None:
    """Check certificates of robustness again, by arithmetic alone.

    Exit code 0 if all of FILE holds, and decides every image; 1 if anything in it is refused, or it is
    about another network or other images; 3 if it holds, and some image is undecided.
    """
    from spikeproof.circuits.doors.networks import read_network
    from spikeproof.prover.report.robustness import levels, levels_table
    from spikeproof.prover.running.robustness import verify_distances

    images = images_of(images_name, level, first)
    with progress_bar("verifying") as progress:
        task = progress.add_task("", total=len(images))
        verified = verify_distances(
            file,
            model,
            read_network(model),
            images,
            jobs or os.cpu_count() or 1,
            lambda: progress.advance(task),
        )
    for refusal in verified.refusals:
        out.print(f"refused: {refusal}", markup=False, soft_wrap=True)
    header, records = verified.header, verified.records
    undecided = header.count - sum(map(header.is_decided, records.values()))
    if records:
        out.print(levels_table(levels(header, images, records)))
    out.print(f"{len(records):,} of {header.count:,} images verified, {undecided:,} undecided")
    out.print(f"network of SHA-256 {header.network}", f"images of SHA-256 {header.images}", sep="\n")
    sys.exit(EXIT_REFUTED if verified.refusals else EXIT_UNDECIDED if undecided else 0)
