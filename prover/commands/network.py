"""``spikeproof network``."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from fractions import Fraction
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


def images_of(name: str, level: int | None, first: int | None = None, last: int | None = None) -> Any:
    """The images that were named, or the first or last of them.

    Raises:
        click.UsageError: if first and last ones are asked for.
        NetworkError: if there are none.
    """
    if first and last:
        raise click.UsageError("--first and --last are of different images; use one of them")
    from spikeproof.circuits.doors.images import HALF_OF_A_BYTE, digits, read_images

    found = digits() if name == DIGITS else read_images(name, level=level or HALF_OF_A_BYTE)
    return found.chosen(slice(-last, None) if last else slice(first))


def seen_by(
    model: Path, name: str, level: int | None, first: int | None, last: int | None
) -> tuple[Any, Any]:
    """A network, and the images that were named.

    Raises:
        click.UsageError: if first and last ones are asked for.
        NetworkError: if there are none, or they are none for it; one line that names the file.
    """
    from spikeproof.circuits.doors.networks import read_network
    from spikeproof.specs.networks import NetworkError

    network, images = read_network(model), images_of(name, level, first, last)
    if not len(images):
        raise NetworkError(f"{name}: there are no images")
    if images.inputs.shape[1:] != (network.steps, network.inputs):
        steps, inputs = images.inputs.shape[1:]
        raise NetworkError(
            f"{name}: an image has {_bits(inputs, steps)}, and {model} sees "
            f"{_bits(network.inputs, network.steps)}"
        )
    for place, label in enumerate(images.labels.tolist()):
        if label not in range(network.classes):
            raise NetworkError(
                f"{name}: image {place} is of class {label}, and the classes of {model} are 0 to "
                f"{network.classes - 1}"
            )
    return network, images


def _bits(inputs: int, steps: int) -> str:
    """How many, in words."""
    return f"{inputs:,} bit{'s' * (inputs != 1)} in {steps:,} step{'s' * (steps != 1)}"


def _require_moments(file: Path | None) -> None:
    """Refuse to write moments over anything else.

    Raises:
        click.BadParameter: if that is there.
    """
    from spikeproof.prover.report.decisions import are_moments

    require_writable(file)
    if file is not None and file.is_file() and not are_moments(file):
        raise click.BadParameter(f"{file}: is there, and is no archive of moments; name another file")


def about(command: Callable[..., Any]) -> Callable[..., Any]:
    """A network, and images."""
    for each in (
        click.option("--first", type=click.IntRange(1), metavar="N", help="Only the first N images."),
        click.option("--last", type=click.IntRange(1), metavar="N", help="Only the last N images."),
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


def given(command: Callable[..., Any]) -> Callable[..., Any]:
    """A network, images, and how many processes."""
    return about(jobs_option()(command))


def _drawn(context: click.Context, parameter: click.Parameter, value: Path | None) -> Path | None:
    """A file whose name says what it is."""
    if value is not None and value.suffix not in DRAWINGS:
        raise click.BadParameter(f"{value}: end its name in {', '.join(DRAWINGS)}")
    return value


class Nanoseconds(click.ParamType[Fraction]):
    """A positive time, exactly."""

    name = "nanoseconds"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Fraction:
        """The number, or a one-line error."""
        try:
            time = Fraction(str(value))
        except (ValueError, ZeroDivisionError):
            time = Fraction(0)
        if not 0 < time <= 1_000_000:
            self.fail(f"{value} is no time in ns, from above 0 to 1,000,000, such as 40", param, ctx)
        return time


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
    last: int | None,
    plot_file: Path | None,
    jobs: int | None,
) -> None:
    """How many bits of each image must change before its class does.

    Exactly, up to K. A bit is an input in a step: a spike that comes, or goes. Of networks that see
    several steps, two changes are quick if they have two layers and compare potentials; else all are
    tried. Interrupted, it is continued by the same command. Exit code 0 if every image is decided, 3 if
    some are not.
    """
    from spikeproof.prover.evidence.distances import DistanceFile
    from spikeproof.prover.report.robustness import levels, levels_plot, levels_table
    from spikeproof.prover.running.robustness import find_distances, header_of

    require_writable(file)
    require_writable(plot_file)
    if plot_file:
        import_module("matplotlib")  # missed now, not when all is done
    made, images = seen_by(model, images_name, level, first, last)
    if flips > (bits := made.steps * made.inputs):
        raise click.BadParameter(f"an image has {bits:,} bits, of which --flips {flips:,} cannot change")
    header = header_of(made, images, flips)
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
    epilog=examples(
        "network early spoken_digits.npz spoken_digits_images.npz",
        "network early model.npz images.npz --from seen.npz --file continuations.npz",
    )
)
@about
@click.option(
    "--from",
    "pool_name",
    metavar="IMAGES",
    help="Make continuations of the steps of these (default: of the same).",
)
@click.option(
    "--file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Keep the moments and continuations in FILE, an archive of NumPy; nothing else is overwritten.",
)
def early(
    model: Path,
    images_name: str,
    pool_name: str | None,
    file: Path | None,
    level: int | None,
    first: int | None,
    last: int | None,
) -> None:
    """From when on no continuation changes what is decided.

    Of networks that decide by counts of spikes. Proved for any continuation; beside it a continuation,
    of steps that were seen, that changes the class if it begins a step before.
    """
    from spikeproof.prover.report.decisions import moments_table, written_moments
    from spikeproof.prover.running.decisions import moments

    _require_moments(file)
    made, images = seen_by(model, images_name, level, first, last)
    pool = images_of(pool_name, level) if pool_name else images
    found = []
    with progress_bar("deciding") as progress:
        for moment in progress.track(moments(made, images.inputs, pool.inputs), total=len(images)):
            found.append(moment)
    if file:
        with writing(file):
            write_atomically(file, written_moments(found))
    out.print(moments_table(images, found))
    exact = sum(moment.open == moment.final - 1 for moment in found)
    out.print(f"\n{len(found):,} inputs, the earliest moment exactly for {exact:,}")


@network.command(
    epilog=examples(
        "network relaxation spoken_digits.npz spoken_digits_images.npz --step 40",
    )
)
@about
@click.option(
    "--step",
    type=Nanoseconds(),
    required=True,
    metavar="NS",
    help="How long a step of the network is, in ns.",
)
def relaxation(
    model: Path,
    images_name: str,
    step: Fraction,
    level: int | None,
    first: int | None,
    last: int | None,
) -> None:
    """Whether classes stay for every relaxation time that a memristive neuron can have.

    Each neuron by itself, from 159 to 278 ns, all others keeping the share that the network states; in
    a step of t ns a neuron keeps exp(-t / tau), and the network's own share must be one of these. Exit
    code 0 if no neuron changes any class, 1 if one does, 3 if one may.
    """
    from spikeproof.prover.margins.relaxation import FASTEST, SLOWEST, left_between
    from spikeproof.prover.margins.relaxing_networks import changes
    from spikeproof.prover.report.decisions import changes_table, relaxation_times

    made, images = seen_by(model, images_name, level, first, last)
    kept = left_between(step, step)
    for line in relaxation_times(made, step, kept, str(model)):
        out.print(line, markup=False, soft_wrap=True)
    found = []
    with progress_bar("examining") as progress:
        task = progress.add_task("", total=None)
        for change in changes(made, images.inputs, kept.low, kept.high):
            found.append(change)
            progress.advance(task)
    certain = {change.input for change in found if change.certain}
    perhaps = {change.input for change in found} - certain
    if found:
        out.print(changes_table(found, step))
    stay = len(images) - len(certain) - len(perhaps)
    out.print(
        f"{len(images):,} inputs: {stay:,} keep their class, {len(certain):,} do not, "
        f"{len(perhaps):,} may not,\n"
        f"for every relaxation time from {FASTEST} to {SLOWEST} ns of each neuron by itself",
        soft_wrap=True,
    )
    sys.exit(EXIT_REFUTED if certain else EXIT_UNDECIDED if perhaps else 0)


@network.command(
    epilog=examples("network verify robustness.jsonl model.npz images.npz"),
)
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@given
def verify(
    file: Path,
    model: Path,
    images_name: str,
    level: int | None,
    first: int | None,
    last: int | None,
    jobs: int | None,
) -> None:
    """Check certificates of robustness again, by arithmetic alone.

    Exit code 0 if all of FILE holds, and decides every image; 1 if anything in it is refused, or it is
    about another network or other images; 3 if it holds, and some image is undecided.
    """
    from spikeproof.prover.report.robustness import levels, levels_table
    from spikeproof.prover.running.robustness import verify_distances

    made, images = seen_by(model, images_name, level, first, last)
    with progress_bar("verifying") as progress:
        task = progress.add_task("", total=len(images))
        verified = verify_distances(
            file,
            model,
            made,
            images,
            jobs or os.cpu_count() or 1,
            lambda: progress.advance(task),
        )
    for refusal in verified.refusals:
        out.print(f"refused: {refusal}", markup=False, soft_wrap=True)
    for note in verified.notes:
        out.print(note, markup=False, soft_wrap=True)
    header, records = verified.header, verified.records
    undecided = header.count - verified.refused - sum(map(header.is_decided, records.values()))
    if records:
        out.print(levels_table(levels(header, images, records)))
    out.print(
        f"{len(records):,} of {header.count:,} images verified, {verified.refused:,} refused, "
        f"{undecided:,} undecided"
    )
    out.print(f"network of SHA-256 {header.network}", f"images of SHA-256 {header.images}", sep="\n")
    sys.exit(EXIT_REFUTED if verified.refusals else EXIT_UNDECIDED if undecided else 0)
