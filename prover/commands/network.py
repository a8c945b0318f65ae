"""``spikeproof network``."""

from __future__ import annotations

import math
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from fractions import Fraction
from functools import partial, wraps
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

import click

from spikeproof.prover.commands.console import (
    EXIT_REFUTED,
    EXIT_UNDECIDED,
    cluster_option,
    err,
    examples,
    in_a_line,
    jobs_option,
    out,
    progress_bar,
    require_writable,
    timeout_option,
    writing,
)
from spikeproof.prover.evidence.files import write_atomically
from spikeproof.prover.running.machines import THREAD_VARIABLES

if TYPE_CHECKING:
    from spikeproof.circuits.doors.codings import Coding
    from spikeproof.circuits.doors.images import Images
    from spikeproof.circuits.doors.networks import NetworkFile
    from spikeproof.prover.evidence.image_records import Header, Records
    from spikeproof.specs.networks import Network, Readout

SHARE = re.compile(r"\d{1,9}(\.\d{1,9}|/[1-9]\d{0,8})?")
"""How a share is written, without its percent sign."""

DRAWINGS = (".svg", ".png", ".pdf")
DIGITS = "digits"
"""Names the images that come with scikit-learn."""


@dataclass(frozen=True)
class Asked:
    """Which images, as options of a command say.

    Attributes:
        level: how bright a pixel must be to be a spike.
        coding: how brightness becomes spikes over time.
    """

    level: int | None = None
    coding: Coding | None = None
    first: int | None = None
    last: int | None = None

    def images(self, name: str, every: bool = False) -> Images:
        """Those of a name.

        Args:
            every: and not only the first or last of them.

        Raises:
            NetworkError: if there are none.
        """
        from spikeproof.circuits.doors.images import (
            HALF_OF_A_BYTE,
            digit_pixels,
            read_images,
            read_pixels,
        )

        chosen = slice(None) if every else slice(-self.last, None) if self.last else slice(self.first)
        level = self.level or HALF_OF_A_BYTE
        if name == DIGITS:
            return digit_pixels().chosen(chosen).images(self.coding)
        if self.coding is None:
            return read_images(name, level=level).chosen(chosen)
        return read_pixels(name, level=level).chosen(chosen).images(self.coding)


def seen_by(model: NetworkFile, name: str, asked: Asked) -> tuple[Network, Images]:
    """A network, and the images that were named.

    Raises:
        NetworkError: if there are none, or they are none for it; one line that names the file.
    """
    from spikeproof.specs.networks import NetworkError

    network, images = model.read(), asked.images(name)
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


@contextmanager
def _naming(model: NetworkFile) -> Iterator[None]:
    """Name the file of a network of which something cannot be said.

    Raises:
        NetworkError: in place of one that does not.
    """
    from spikeproof.specs.networks import NetworkError

    try:
        yield
    except NetworkError as error:
        raise NetworkError(f"{model}: {error}") from None


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


def _coding(context: click.Context, parameter: click.Parameter, value: str | None) -> Coding | None:
    """The coding that was named."""
    from spikeproof.circuits.doors.codings import Coding
    from spikeproof.specs.networks import NetworkError

    try:
        return None if value is None else Coding.parse(value)
    except NetworkError as error:
        raise click.BadParameter(str(error)) from None


def _readout(context: click.Context, parameter: click.Parameter, value: str | None) -> Readout | None:
    """The read-out that was named."""
    from spikeproof.specs.networks import Readout, Score

    if value is None:
        return None
    lead = value.removeprefix("latch:")
    if lead != value and lead.isascii() and lead.isdigit() and len(lead) < 10:
        return Readout(Score.COUNT, int(lead))
    if value not in [score.value for score in Score]:
        raise click.BadParameter(f"{value} is no read-out; use count, latch:LEAD or potential")
    return Readout(Score(value))


OF_GRAPHS = {
    "reading": click.option(
        "--as",
        "reading",
        metavar="READING",
        help="Of a graph of NIR: how to read it, as snntorch,steps=32,arithmetic=exact.",
    ),
    "readout": click.option(
        "--read-out",
        "readout",
        callback=_readout,
        metavar="HOW",
        help="Of a graph of NIR: count spikes, latch:LEAD, or potential.",
    ),
    "bits": click.option(
        "--bits",
        type=click.IntRange(0, 60),
        help="Of a graph of NIR: round its numbers to multiples of 2^-BITS.",
    ),
}
"""Options by what a ``NetworkFile`` calls them."""

OF_IMAGES = {
    "coding": click.option(
        "--coding",
        callback=_coding,
        metavar="CODING",
        help="Show pixels over time: latency:STEPS, even:STEPS, rate:STEPS:SEED, or rows.",
    ),
    "level": click.option(
        "--level",
        type=click.IntRange(1, 255),
        help="How bright a pixel of a directory of IDX files must be to be a spike (default: 128).",
    ),
    "last": click.option("--last", type=click.IntRange(1), metavar="N", help="Only the last N images."),
    "first": click.option(
        "--first", type=click.IntRange(1), metavar="N", help="Only the first N images."
    ),
}
"""Options by what ``Asked`` calls them."""


def about(command: Callable[..., Any]) -> Callable[..., Any]:
    """A network, and images: ``model``, a ``NetworkFile``, ``images_name`` and ``asked``.

    Raises:
        click.UsageError: if options contradict each other.
    """

    @wraps(command)
    def with_images(*arguments: Any, model: Path, **options: Any) -> Any:
        from spikeproof.circuits.doors.networks import NetworkFile

        asked = Asked(**{name: options.pop(name) for name in OF_IMAGES})
        if asked.first and asked.last:
            raise click.UsageError("--first and --last are of different images; use one of them")
        if asked.level and asked.coding and asked.coding.name != "rows":
            raise click.UsageError("--level is of pixels that are one bit; leave it out with --coding")
        file = NetworkFile(model, **{name: options.pop(name) for name in OF_GRAPHS})
        return command(*arguments, model=file, asked=asked, **options)

    for option in reversed([*OF_IMAGES.values(), *OF_GRAPHS.values()]):
        with_images = option(with_images)
    with_images = click.argument("images_name", metavar="IMAGES")(with_images)
    return click.argument("model", metavar="MODEL", type=click.Path(path_type=Path))(with_images)


def given(command: Callable[..., Any]) -> Callable[..., Any]:
    """A network, images, and how many processes."""
    return about(jobs_option()(command))


def _drawn(context: click.Context, parameter: click.Parameter, value: Path | None) -> Path | None:
    """A file whose name says what it is."""
    if value is not None and value.suffix not in DRAWINGS:
        raise click.BadParameter(f"{value}: end its name in {', '.join(DRAWINGS)}")
    return value


def file_option(name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Where certificates are kept."""
    return click.option(
        "--file",
        "file",
        type=click.Path(path_type=Path),
        default=Path(name),
        show_default=True,
        metavar="FILE",
        help="Keep certificates in FILE, and go on with what it has.",
    )


def plot_option(what: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Where that is drawn."""
    return click.option(
        "--plot",
        "plot_file",
        type=click.Path(path_type=Path),
        callback=_drawn,
        metavar="FILE",
        help=f"Plot {what} to FILE, its name ending in {', '.join(DRAWINGS)}.",
    )


class Share(click.ParamType[Fraction]):
    """A share above 0 and below 1, exactly."""

    name = "share"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Fraction:
        """The number, or a one-line error."""
        text = str(value)
        number = SHARE.fullmatch(text.removesuffix("%"))
        share = Fraction(number[0]) / (100 if text.endswith("%") else 1) if number else Fraction(0)
        if not 0 < share < 1:
            self.fail(
                f"{value} is no share from above 0 to below 1, such as 1%, 0.01 or 1/100", param, ctx
            )
        return share


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
        "network robustness model.npz mnist --coding latency:16 --shifts 1",
    )
)
@given
@click.option("--flips", type=click.IntRange(1), metavar="K", help="So many bits may change.")
@click.option(
    "--shifts",
    type=click.IntRange(1),
    metavar="K",
    help="By so many steps, all together, spikes may move instead.",
)
@cluster_option()
@file_option("robustness.jsonl")
@timeout_option("an image")
@plot_option("certified accuracy")
def robustness(
    model: NetworkFile,
    images_name: str,
    flips: int | None,
    shifts: int | None,
    file: Path,
    timeout: float,
    asked: Asked,
    plot_file: Path | None,
    jobs: int | None,
    cluster: str | None,
) -> None:
    """How many bits of each image must change before its class does.

    Exactly, up to K. A bit is an input in a step: a spike that comes, or goes. Of networks that see
    several steps, one change is quick if the first of two layers or more is not recurrent, and two if
    there are no more than the two; else all are tried. Interrupted, it is continued by the same command.
    Exit code 0 if every image is decided, 3 if some are not.
    """
    from spikeproof.prover.evidence.distances import FLIPS, SHIFTS
    from spikeproof.prover.evidence.distances import Header as DistanceHeader

    if (most := flips or shifts) is None or (flips and shifts):
        raise click.UsageError("use one of --flips and --shifts")
    own = most, FLIPS if flips else SHIFTS
    _certify(DistanceHeader, own, model, images_name, asked, file, plot_file, jobs, cluster, timeout)


@network.command(
    epilog=examples(
        "network spread model.npz images.npz",
        "network spread model.npz mnist --file mnist.jsonl --plot spread.svg",
    )
)
@given
@cluster_option()
@file_option("spread.jsonl")
@plot_option("accuracy against spread")
def spread(
    model: NetworkFile,
    images_name: str,
    file: Path,
    asked: Asked,
    plot_file: Path | None,
    jobs: int | None,
    cluster: str | None,
) -> None:
    """How far couplings and thresholds may be off for each image to be right.

    Exactly: the largest share, such that the class is the label on every device whose numbers are all
    off by less, each by its own; and a device just beyond that is wrong. Of networks of a hidden layer
    and outputs, in one step. Interrupted, it is continued by the same command.
    """
    from spikeproof.prover.evidence.spreads import SpreadHeader

    _certify(SpreadHeader, (), model, images_name, asked, file, plot_file, jobs, cluster)


@network.command(
    "yield",
    epilog=examples(
        "network yield model.npz images.npz --deviation 1%",
    ),
)
@given
@click.option(
    "--deviation",
    type=Share(),
    required=True,
    metavar="SHARE",
    help="Of each number, of its nominal value: such as 0.5%.",
)
@cluster_option()
@file_option("yield.jsonl")
def yields(
    model: NetworkFile,
    images_name: str,
    deviation: Fraction,
    file: Path,
    asked: Asked,
    jobs: int | None,
    cluster: str | None,
) -> None:
    """On how many devices each image is right, if their numbers are off by chance.

    A share that is certain: no fewer devices give the image its label, if each coupling and threshold is
    off by a normal share of its own. Of networks of a hidden layer and outputs, in one step.
    """
    from spikeproof.prover.evidence.spreads import YieldHeader

    _certify(YieldHeader, (str(deviation),), model, images_name, asked, file, None, jobs, cluster)


def _require_files(file: Path, plot_file: Path | None) -> None:
    """Refuse files that cannot be written, or plots that cannot be drawn, before any work is done.

    Raises:
        click.BadParameter: saying why.
    """
    require_writable(file)
    require_writable(plot_file)
    if plot_file:
        import_module("matplotlib")


class Shown(NamedTuple):
    """How a kind of file is shown, of its header, the images and records: in lines, and as a plot in a
    file of an ending."""

    lines: Callable[[Any, Images, Records], tuple[Any, ...]]
    plot: Callable[[Any, Images, Records, str], bytes] | None = None


def _shown() -> dict[type[Header], Shown]:
    """Kinds of files."""
    from spikeproof.prover.evidence.distances import Header as DistanceHeader
    from spikeproof.prover.evidence.spreads import SpreadHeader, YieldHeader
    from spikeproof.prover.report import robustness, spreads

    return {
        DistanceHeader: Shown(robustness.levels_lines, robustness.levels_plot),
        SpreadHeader: Shown(spreads.spreads_lines, spreads.spreads_plot),
        YieldHeader: Shown(spreads.yields_lines),
    }


def _certify(
    kind: type[Header],
    own: tuple[Any, ...],
    model: NetworkFile,
    images_name: str,
    asked: Asked,
    file: Path,
    plot_file: Path | None,
    jobs: int | None,
    cluster: str | None,
    timeout: float = math.inf,
) -> NoReturn:
    """Find what a file of a kind lacks, show what it comes to, and end with the exit code.

    Args:
        own: what its header says besides which network and images.
        timeout: seconds that an image may take.
    """
    from spikeproof.prover.evidence.image_records import RecordFile
    from spikeproof.prover.running.cluster import connected
    from spikeproof.prover.running.image_records import complete, header_about

    _require_files(file, plot_file)
    network, images = seen_by(model, images_name, asked)
    with _naming(model):
        header = header_about(kind, network, images, *own)
    with (
        connected(cluster, jobs, in_a_line) if cluster else nullcontext() as workers,
        writing(file),
        RecordFile(file, header) as kept,
        progress_bar("deciding") as progress,
    ):
        task = progress.add_task("", total=header.count, completed=len(kept.records))
        if kept.records:
            err.print(f"continued: {len(kept.records):,} of {header.count:,} images were decided before")
        done = partial(progress.advance, task)
        complete(kept, model, images, timeout, _processes(jobs), done, workers)
        records = dict(kept.records)
    shown = _shown()[kind]
    _print_all(shown.lines(header, images, records))
    if plot_file and shown.plot:
        with writing(plot_file):
            write_atomically(plot_file, shown.plot(header, images, records, plot_file.suffix))
    undecided = header.count - sum(map(header.is_decided, records.values()))
    out.print(
        f"\n{header.count:,} images, {undecided:,} undecided; certificates: {file}", soft_wrap=True
    )
    sys.exit(EXIT_UNDECIDED if undecided else 0)


def _processes(jobs: int | None) -> int:
    """How many work side by side."""
    return jobs or os.cpu_count() or 1


def _print_all(lines: Iterable[Any]) -> None:
    """Tables and sentences."""
    for line in lines:
        out.print(line, soft_wrap=isinstance(line, str))


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
    model: NetworkFile,
    images_name: str,
    pool_name: str | None,
    file: Path | None,
    asked: Asked,
) -> None:
    """From when on no continuation changes what is decided.

    Of networks that decide by counts of spikes. Proved for any continuation; beside it a continuation,
    of steps that were seen, that changes the class if it begins a step before.
    """
    from spikeproof.prover.report.decisions import moments_table, written_moments
    from spikeproof.prover.running.decisions import moments

    _require_moments(file)
    made, images = seen_by(model, images_name, asked)
    pool = asked.images(pool_name, every=True) if pool_name else images
    found = []
    with _naming(model), progress_bar("deciding") as progress:
        task = progress.add_task("", total=len(images))
        for moment in moments(made, images.inputs, pool.inputs):
            found.append(moment)
            progress.advance(task)
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
    model: NetworkFile,
    images_name: str,
    step: Fraction,
    asked: Asked,
) -> None:
    """Whether classes stay for every relaxation time that a memristive neuron can have.

    Each neuron by itself, from 159 to 278 ns, all others keeping the share that the network states; in
    a step of t ns a neuron keeps exp(-t / tau), and the network's own share must be one of these. Exit
    code 0 if no neuron changes any class, 1 if one does, 3 if one may.
    """
    from spikeproof.prover.margins.relaxation import FASTEST, SLOWEST, left_between
    from spikeproof.prover.margins.relaxing_networks import changes
    from spikeproof.prover.report.decisions import changes_table, relaxation_times

    made, images = seen_by(model, images_name, asked)
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
    model: NetworkFile,
    images_name: str,
    asked: Asked,
    jobs: int | None,
) -> None:
    """Check certificates of robustness, spread or yield again, by arithmetic alone.

    Exit code 0 if all of FILE holds, and decides every image; 1 if anything in it is refused, or it is
    about another network or other images; 3 if it holds, and some image is undecided.
    """
    from spikeproof.prover.evidence.image_records import read_file
    from spikeproof.prover.running.image_records import verify_records

    made, images = seen_by(model, images_name, asked)
    shown = _shown()
    read = read_file(file, shown)
    with _naming(model), progress_bar("verifying") as progress:
        task = progress.add_task("", total=len(images))
        verified = verify_records(
            read, file, model, made, images, _processes(jobs), lambda: progress.advance(task)
        )
    for refusal in verified.refusals:
        out.print(f"refused: {refusal}", markup=False, soft_wrap=True)
    for note in verified.notes:
        out.print(note, markup=False, soft_wrap=True)
    header, records = verified.header, verified.records
    undecided = header.count - verified.refused - sum(map(header.is_decided, records.values()))
    if records:
        _print_all(shown[type(header)].lines(header, images, records))
    out.print(
        f"{len(records):,} of {header.count:,} images verified, {verified.refused:,} refused, "
        f"{undecided:,} undecided"
    )
    out.print(f"network of SHA-256 {header.network}", f"images of SHA-256 {header.images}", sep="\n")
    sys.exit(EXIT_REFUTED if verified.refusals else EXIT_UNDECIDED if undecided else 0)
