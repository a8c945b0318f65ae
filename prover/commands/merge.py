"""``spikeproof merge``."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import click

from spikeproof.prover.commands.console import examples, out
from spikeproof.prover.evidence.log import default_log_directory


@click.command(epilog=examples("merge shard-1 shard-2 shard-3 --log whole"))
@click.argument("logs", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="LOG...")
@click.option(
    "--log",
    "into",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Write the proof log to DIR (default: SPIKEPROOF_LOG, or proof-log).",
)
def merge(logs: tuple[Path, ...], into: Path | None) -> None:
    """Make one proof log of those that shards wrote.

    What `prove --shard 3/8` wrote is a shard. Each LOG has to be whole, and of the source that is here.
    Nothing is proved or believed: `spikeproof verify` checks the log that comes out as any other.
    """
    from spikeproof.prover.evidence.merging import merge as merged
    from spikeproof.prover.report.summary import counted

    directory = into or default_log_directory()
    contents = merged(logs, directory, shlex.join(["spikeproof", *sys.argv[1:]]))
    out.print(
        f"{counted(len(contents.records), 'theorem')} of {counted(len(logs), 'log')}, "
        f"{contents.discharged:,} as promised",
        f"profile: {contents.manifest.profile}; the manifest's SHA-256:",
        contents.manifest_sha256,
        sep="\n",
        markup=False,
        soft_wrap=True,
    )
    out.print(f"proof log: {directory}", markup=False, soft_wrap=True)
